"""Sets of simulated jets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_choice, check_count, check_number
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out, simulated
from dlphys.datasets._source import announce

LICENCE = "MIT, as this package"
CONSTITUENTS = ("eta", "phi", "ln pt", "ln pt fraction", "charge")


def load_quark_gluon_jets(
    n: int = 24_000,
    *,
    seed: Seed,
    view: str = "images",
    pt: Sequence[float] = (500.0, 550.0),
    preset: str = "book",
    size: int = 33,
    constituents: int = 50,
) -> Dataset:
    """Jets from quarks and from gluons, as images with three channels of physics or as lists of constituents.

    Parameters
    ----------
    n : int, default 24 000
        Number of jets, at least 6: one in six for validation, one in six to test.
    seed : int or numpy.random.Generator
    view : {"images", "constituents"}
    pt : (float, float), GeV
        Range of the transverse momentum.
    preset : {"book", "physics"}
        Without or with a detector, as in `dlphys.simulators.jets.simulate`.
    size : int
        Pixels along each side of an image.
    constituents : int
        Places for constituents of ``view="constituents"``; those with the largest transverse momenta.

    Returns
    -------
    Dataset
        x of ``view="images"``: (n, size, size, 3) float32; +-0.4 in phi (second axis) and eta (third axis) about the
        centroid of the jet; square root of the share of the transverse momentum of charged particles, the same of
        neutral ones, and the number of charged particles divided by 10. x of ``view="constituents"``: (n, constituents,
        5) float32; eta and phi from the axis of the jet, ln(pt / GeV), ln(pt / pt of the jet), charge; rows of zeros
        after the last. y (n,) float32: 0 gluon, 1 quark. extra: pt (n,) GeV of the jet, mass (n,) GeV, multiplicity
        (n,), width (n,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The square root keeps faint pixels visible to a network. To compare with: `dlphys.simulators.jets.histogram_ratio`
    of multiplicity and width (a baseline), and the exact results of the double-logarithmic limit, `casimir_auc` and
    `poisson_auc`. Book, example 8.9; Komiske, Metodiev and Schwartz, arXiv:1612.01551.

    Examples
    --------
    >>> data = load_quark_gluon_jets(60, seed=1)
    quark_gluon_jets: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((40, 33, 33, 3), (10,))
    """
    from dlphys.simulators import jets

    n = check_count(n=n, minimum=6)
    check_choice(choices=("images", "constituents"), view=view)
    size = check_count(size=size, minimum=2, maximum=200)
    places = check_count(constituents=constituents, maximum=100)
    low, high = _range(pt)

    sample = jets.simulate(n, seed=seed, preset=preset, pt=(low, high))
    announce("quark_gluon_jets", "simulated")
    extra = {
        **_pt_and_mass(jets.jet_momentum(sample.constituents)),
        "multiplicity": jets.multiplicity(sample.constituents).astype(np.float32),
        "width": jets.angularity(sample.constituents, radius=0.4).astype(np.float32),
    }
    if view == "images":
        x = jets.jet_images(sample.constituents, sample.charge, size=size, half_width=0.4, normalised=True)
        np.sqrt(x[..., :2], out=x[..., :2])
        x[..., 2] /= 10
        units = {"charged pt": "sqrt of share", "neutral pt": "sqrt of share", "charged number": "10"}
    else:
        axis = jets.jet_axis(sample.constituents)
        x = _relative(sample.constituents[:, :places], sample.charge[:, :places], axis, extra["pt"])
        units = dict(zip(CONSTITUENTS, ("", "rad", "ln GeV", "", "e"), strict=True))
    held = held_out(n, 1 / 6)
    about = About(
        title="Jets from quarks and gluons",
        source="simulated",
        units=units,
        target_units={"quark": "1 quark, 0 gluon"},
        extra_units={"pt": "GeV", "mass": "GeV", "multiplicity": "", "width": "0.4"},
        made=f"dlphys.simulators.jets, preset {preset}, pt {low:g} to {high:g} GeV, radius 0.4",
        licence=LICENCE,
        citation="P. Komiske, E. Metodiev and M. Schwartz, JHEP 01 (2017) 110",
        flaws=(
            "hadrons are pions from small clusters: absolute multiplicities are good to about 10 %",
            "what is a quark jet is clear in a simulation only",
        ),
        classes=("gluon", "quark"),
    )
    fields = divided(x, sample.label.astype(np.float32), extra, validation=held, test=held)
    return Dataset(name="quark_gluon_jets", about=about, **fields)


def load_top_jets(
    n: int = 24_000,
    *,
    seed: Seed,
    view: str = "constituents",
    signal: str = "top",
    constituents: int = 40,
    size: int = 40,
    preset: str = "physics",
    only_qcd: bool = False,
) -> Dataset:
    """Jets of boosted top quarks (or W bosons) and of quarks and gluons, like the reference set for top tagging.

    Transverse momentum 550 to 650 GeV, rapidity within +-2, radius 0.8, all quarks of a top inside: as in the set of
    Kasieczka et al. (Zenodo 2603256), but made by `dlphys.simulators.jets`.

    Parameters
    ----------
    n : int, default 24 000
        Number of jets, at least 6: one in six for validation, one in six to test.
    seed : int or numpy.random.Generator
    view : {"constituents", "images", "trees"}
    signal : {"top", "w"}
    constituents : int
        Places for constituents, at most 200, which is what the reference set has.
    size : int
        Pixels along each side of an image.
    preset : {"book", "physics"}
        Without or with a detector.
    only_qcd : bool
        With True only quark and gluon jets are in the training and validation parts, as for an autoencoder that is to
        find tops as anomalies; they shrink by half.

    Returns
    -------
    Dataset
        x of ``view="constituents"``: (n, constituents, 4) float32, GeV: E, p_x, p_y, p_z by falling transverse
        momentum, rows of zeros after the last. x of ``view="images"``: (n, size, size, 1) float32, square root of the
        share of the transverse momentum, +-0.8 in phi (second axis) and eta (third axis), centred, turned to the
        principal axis and flipped. x of ``view="trees"``: a dict with "momenta" (n, 2 k - 1, 4) float32, GeV, of all
        nodes of the kt tree, and "children" (n, 2 k - 1, 2) int16; see `dlphys.simulators.jets.ClusteringTree`. y (n,)
        float32: 0 QCD, 1 signal. extra: pt (n,) GeV, mass (n,) GeV, soft_drop_mass (n,) GeV, tau_32 and tau_21 (n,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with: `dlphys.simulators.jets.histogram_ratio` of soft-drop mass and tau_32 (a baseline).

    Examples
    --------
    >>> data = load_top_jets(60, seed=1)
    top_jets: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((40, 40, 4), (10,))
    """
    from dlphys.simulators import jets

    n = check_count(n=n, minimum=6)
    check_choice(choices=("constituents", "images", "trees"), view=view)
    check_choice(choices=("top", "w"), signal=signal)
    check_choice(choices=("book", "physics"), preset=preset)
    check_choice(choices=(True, False), only_qcd=only_qcd)
    places = check_count(constituents=constituents, maximum=200)
    size = check_count(size=size, minimum=2, maximum=200)

    sample = jets.simulate(
        n, seed=seed, preset=preset, kinds=("qcd", signal), pt=(550.0, 650.0), radius=0.8, contained=True,
        constituents=200,
    )  # fmt: skip
    announce("top_jets", "simulated")
    hadrons = sample.constituents
    tau = jets.n_subjettiness(hadrons, most=3, radius=0.8)
    extra = {
        **_pt_and_mass(jets.jet_momentum(hadrons)),
        "soft_drop_mass": jets.jet_mass(jets.groomed(hadrons, jets.soft_drop(hadrons)[0])).astype(np.float32),
        "tau_32": (tau[:, 2] / np.maximum(tau[:, 1], 1e-9)).astype(np.float32),
        "tau_21": (tau[:, 1] / np.maximum(tau[:, 0], 1e-9)).astype(np.float32),
    }
    x: Any
    if view == "images":
        x = np.sqrt(jets.jet_images(hadrons, size=size, half_width=0.8, turned=True, normalised=True))
        units = {"pt": "sqrt of share"}
    else:
        units = dict.fromkeys(("E", "p_x", "p_y", "p_z"), "GeV")
        if view == "trees":
            tree = jets.clustering_tree(hadrons[:, :places], algorithm="kt")
            x = {"momenta": tree.momenta, "children": tree.children}
        else:
            x = jets.four_momenta(hadrons[:, :places])
    held = held_out(n, 1 / 6)
    fields = divided(x, sample.label.astype(np.float32), extra, validation=held, test=held)
    if only_qcd:
        for part in ("train", "validation"):
            fields = _selected(fields, part, fields[f"y_{part}"] == 0)
    about = About(
        title=f"Jets of boosted {'top quarks' if signal == 'top' else 'W bosons'} and of quarks and gluons",
        source="simulated",
        units=units,
        target_units={signal: f"1 {signal}, 0 quark or gluon"},
        extra_units={"pt": "GeV", "mass": "GeV", "soft_drop_mass": "GeV", "tau_32": "", "tau_21": ""},
        made=f"dlphys.simulators.jets, preset {preset}, pt 550 to 650 GeV, radius 0.8",
        licence=LICENCE,
        citation="A. Butter et al., The Machine Learning landscape of top taggers, SciPost Phys. 7 (2019) 014",
        flaws=(
            "shower, hadrons and detector are simple: numbers are not those of the reference set",
            "the transverse momentum of what made the jet lies in the range; that of the measured jet may leave it",
        ),
        classes=("QCD", signal),
    )
    return Dataset(name="top_jets", about=about, **fields)


def load_zprime_jets(n: int = 40_000, *, seed: Seed, zprime_mass: float = 100.0, preset: str = "physics") -> Dataset:
    """Eleven features of boosted Z' -> q qbar jets and of quark and gluon jets, with the mass beside them.

    Parameters
    ----------
    n : int, default 40 000
        Number of jets, at least 10: one in ten for validation, one in ten to test.
    seed : int or numpy.random.Generator
        With an int the jets are kept in the cache.
    zprime_mass : float, GeV
    preset : {"book", "physics"}
        Without or with a detector.

    Returns
    -------
    Dataset
        x (n, 11) float32 in the order of `dlphys.simulators.jets.FEATURES`, each with mean 0 and standard deviation 1
        in the training part, after a logarithm where its skewness there is above 1; y (n,) float32: 0 QCD, 1 Z'. extra:
        mass and pt (n,) GeV; decile (n,) int64, in which tenth of the masses of the background of the training part a
        jet lies.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Features are prepared as by Shimmin et al., arXiv:1703.03507, who take ``decile`` as the target of the adversary.

    Examples
    --------
    >>> data = load_zprime_jets(200, seed=1)  # doctest: +ELLIPSIS
    zprime_jets: simulated...
    >>> data.x_train.shape, data.extra_test["mass"].shape
    ((160, 11), (20,))
    """
    from dlphys.simulators import jets

    n = check_count(n=n, minimum=10)
    check_choice(choices=("book", "physics"), preset=preset)
    zprime_mass = check_number(minimum=20, maximum=200, unit="GeV", zprime_mass=zprime_mass)

    def make() -> dict[str, np.ndarray]:
        return jets.simulate_zprime(n, seed=seed, preset=preset, zprime_mass=zprime_mass).arrays()

    parameters = {"n": n, "zprime_mass": zprime_mass, "preset": preset}
    arrays = simulated("zprime_jets", seed, parameters, jets, ("features", "mass", "pt", "label"), make)
    held = held_out(n, 1 / 10)
    train = slice(0, n - 2 * held)
    background = arrays["mass"][train][arrays["label"][train] == 0]
    edges = np.quantile(background, np.arange(0.1, 0.95, 0.1)) if len(background) else np.zeros(9)
    extra = {
        "mass": arrays["mass"],
        "pt": arrays["pt"],
        "decile": np.searchsorted(edges, arrays["mass"]).astype(np.int64),
    }
    x = _standardised(arrays["features"], train)
    about = About(
        title=f"Features of jets from a Z' of {zprime_mass:g} GeV and from quarks and gluons",
        source="simulated",
        units=dict.fromkeys(jets.FEATURES, "standard deviations"),
        target_units={"zprime": "1 Z', 0 quark or gluon"},
        extra_units={"mass": "GeV", "pt": "GeV", "decile": "tenth of the background"},
        made=f"dlphys.simulators.jets, preset {preset}, pt 300 to 500 GeV, radius 1.0",
        licence=LICENCE,
        citation="C. Shimmin et al., Phys. Rev. D 96 (2017) 074034",
        flaws=("the eleven features are our choice; the paper's may be others",),
        classes=("QCD", "Z'"),
    )
    fields = divided(x, arrays["label"].astype(np.float32), extra, validation=held, test=held)
    return Dataset(name="zprime_jets", about=about, **fields)


def load_b_jets(n: int = 30_000, *, seed: Seed) -> Dataset:
    """Light, charm and bottom jets with three inputs: tracks, secondary vertices, and a summary of both.

    Parameters
    ----------
    n : int, default 30 000
        Number of jets, at least 6: one in six for validation, one in six to test.
    seed : int or numpy.random.Generator

    Returns
    -------
    Dataset
        x is a dict: "tracks" (n, 15, 8), "vertices" (n, 2, 6) and "summary" (n, 12), all float32, in the order of
        `dlphys.simulators.jets.TRACK`, `VERTEX` and `SUMMARY`. Impact parameters, flight lengths, significances and
        momenta v are compressed to sign(v) ln(1 + |v|); each column of the summary has mean 0 and standard deviation 1
        in the training part. Rows of tracks and vertices that are not there are 0 throughout. y (n,) float32: 0 light,
        1 charm, 2 bottom. extra: pt (n,) GeV, track_counting (n,), the baseline of that name, flight (n, 2) mm, the
        true flight lengths of B and D, NaN where there is none.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with: `dlphys.simulators.jets.track_counting` and `impact_parameter_ratio` (baselines), which take tracks
    that are not compressed, from `simulate_b_jets`.

    Examples
    --------
    >>> data = load_b_jets(60, seed=1)
    b_jets: simulated
    >>> {name: array.shape for name, array in data.x_train.items()}
    {'tracks': (40, 15, 8), 'vertices': (40, 2, 6), 'summary': (40, 12)}
    """
    from dlphys.simulators import jets

    n = check_count(n=n, minimum=6)
    sample = jets.simulate_b_jets(n, seed=seed)
    announce("b_jets", "simulated")
    held = held_out(n, 1 / 6)
    summary = _compressed(sample.summary, (0, 4, 5, 6, 10))
    x = {
        "tracks": np.nan_to_num(_compressed(sample.tracks, (0, 1, 2, 3, 4))),
        "vertices": np.nan_to_num(_compressed(sample.vertices, (0, 1))),
        "summary": _standardised(summary, slice(0, n - 2 * held), logarithm=False),
    }
    extra = {
        "pt": sample.summary[:, 0],
        "track_counting": jets.track_counting(sample.tracks).clip(-100).astype(np.float32),
        "flight": sample.flight,
    }
    about = About(
        title="Light, charm and bottom jets with tracks and vertices",
        source="simulated",
        units={
            **dict(zip((f"track {name}" for name in jets.TRACK), _TRACK_UNITS, strict=True)),
            **dict(zip((f"vertex {name}" for name in jets.VERTEX), _VERTEX_UNITS, strict=True)),
            **dict.fromkeys((f"summary {name}" for name in jets.SUMMARY), "standard deviations"),
        },
        target_units={"flavour": "0 light, 1 charm, 2 bottom"},
        extra_units={"pt": "GeV", "track_counting": "", "flight": "mm"},
        made="dlphys.simulators.jets, pt 50 to 200 GeV, radius 0.4",
        licence=LICENCE,
        citation="CMS Collaboration, Identification of b-quark jets with the CMS experiment, JINST 8 (2013) P04013",
        flaws=(
            "the vertex detector is a set of resolutions, without geometry or pile-up",
            "B mesons decay to a D and pions only: there are no leptons",
        ),
        classes=("light", "charm", "bottom"),
    )
    fields = divided(x, sample.flavour.astype(np.float32), extra, validation=held, test=held)
    return Dataset(name="b_jets", about=about, **fields)


_TRACK_UNITS = ("ln(1 + mm)", "ln(1 + 1)", "ln(1 + mm)", "ln(1 + 1)", "ln(1 + GeV)", "", "", "rad")
_VERTEX_UNITS = ("ln(1 + mm)", "ln(1 + 1)", "GeV", "", "", "")


def _pt_and_mass(total: np.ndarray) -> dict[str, np.ndarray]:
    """Transverse momentum and mass of four-momenta (n, 4), as float32."""
    mass = np.sqrt(np.maximum(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(1), 0))
    return {"pt": np.hypot(total[:, 1], total[:, 2]).astype(np.float32), "mass": mass.astype(np.float32)}


def _relative(constituents: np.ndarray, charge: np.ndarray, axis: np.ndarray, pt: np.ndarray) -> np.ndarray:
    """Constituents about the axis of their jet, with logarithms of the transverse momentum."""
    filled = constituents[..., 0] > 0
    momentum = np.where(filled, constituents[..., 0], 1)
    turn = (constituents[..., 2] - axis[:, None, 1] + np.pi) % (2 * np.pi) - np.pi
    columns = [constituents[..., 1] - axis[:, None, 0], turn, np.log(momentum), np.log(momentum / pt[:, None]), charge]
    return np.where(filled[..., None], np.stack(columns, axis=-1), 0).astype(np.float32)


def _selected(fields: dict[str, Any], part: str, chosen: np.ndarray) -> dict[str, Any]:
    """Fields of a Dataset with some rows of one part."""
    new = dict(fields)
    for kind in ("x", "y", "extra"):
        value = fields[f"{kind}_{part}"]
        take = {key: array[chosen] for key, array in value.items()} if isinstance(value, dict) else value[chosen]
        new[f"{kind}_{part}"] = take
    return new


def _standardised(features: np.ndarray, train: slice, *, logarithm: bool = True) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1 in the training rows, logarithms of skewed ones first."""
    x = features.astype(np.float64)
    if logarithm:
        centred = x[train] - x[train].mean(0)
        skewed = (centred**3).mean(0) > (centred**2).mean(0) ** 1.5
        x[:, skewed] = np.log(np.maximum(x[:, skewed], 1e-3))
    spread = x[train].std(0)
    return ((x - x[train].mean(0)) / np.where(spread > 0, spread, 1)).astype(np.float32)


def _compressed(array: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    """sign(v) ln(1 + |v|) of some columns."""
    array = array.copy()
    chosen = array[..., list(columns)]
    array[..., list(columns)] = np.sign(chosen) * np.log1p(np.abs(chosen))
    return array


def _range(pt: Sequence[float]) -> tuple[float, float]:
    if isinstance(pt, str) or not isinstance(pt, Sequence) or len(pt) != 2:
        raise TypeError(f"pt must be two numbers, the lowest and the highest in GeV, got {pt!r}")
    low = check_number(minimum=10, maximum=5000, unit="GeV", pt=pt[0])
    return low, check_number(minimum=low, maximum=5000, unit="GeV", pt=pt[1])
