"""Dijet events with a bump, and the jets of top quark pairs with a Higgs boson."""

from __future__ import annotations

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out, simulated
from dlphys.datasets._source import announce

HUNDRED_GEV = np.float32(100.0)


def load_dijets(
    n: int = 200_000, *, seed: Seed, signal_fraction: float = 0.003, rho: float = 0.0, resonance: float = 3.5
) -> Dataset:
    """Dijet events: a falling mass spectrum with a few signal events, and two features of each event.

    Parameters
    ----------
    n : int, default 200 000
        Number of events, at least 4: a quarter for validation, a quarter for the test, half for training (100 000,
        50 000, 50 000). A cut found on one half can so be applied to another one.
    seed : int or numpy.random.Generator
    signal_fraction : float, default 0.003
        Share of signal: in the window of 3.3 to 3.7 TeV S / sqrt(B) = 3.0 for 100 000 events, S / B = 3 %.
    rho : float, default 0
        Correlation of the features with the mass, in [-0.8, 0.8]; above 0 the classifier of window against side-bands
        fails.
    resonance : float, TeV, default 3.5
        Mass of the signal.

    Returns
    -------
    Dataset
        x (n, 2) float32: mass of the heavier jet in units of 100 GeV, and tau21; y (n,) float32, 1 = signal (a search
        does not know it); extra["mass"] (n,) float32, TeV, the dijet mass, which defines the window.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    What the result can be compared with: `dlphys.simulators.resonance.optimal_improvement` and `optimal_auc` (limits),
    `feature_log_ratio` (the optimal classifier), `bump_test`.

    Examples
    --------
    >>> data = load_dijets(1000, seed=1)
    dijets: simulated
    >>> data.x_train.shape, data.extra_test["mass"].shape
    ((500, 2), (250,))
    """
    from dlphys.simulators import resonance as simulator

    n = check_count(n=n, minimum=4)
    # milliseconds: nothing is kept on disk
    events = simulator.simulate(n, seed=seed, signal_fraction=signal_fraction, rho=rho, resonance=resonance)
    announce("dijets", "simulated")
    features = events.features / np.array([HUNDRED_GEV, 1], np.float32)
    held = held_out(n, 0.25)
    values = divided(features, events.label.astype(np.float32), {"mass": events.mass}, validation=held, test=held)
    about = About(
        title="Dijet events with a bump on the mass spectrum",
        source="simulated",
        units={"jet_mass": "100 GeV", "tau21": "1"},
        target_units={"signal": "1 signal, 0 background"},
        extra_units={"mass": "TeV"},
        made=f"dlphys.simulators.resonance, signal fraction {signal_fraction:g} at {resonance:g} TeV, rho {rho:g}",
        licence="MIT, as this package",
        citation="after J. Collins, K. Howe and B. Nachman, Phys. Rev. Lett. 121 (2018) 241803",
        flaws=(
            "two features with Gaussian shapes: real jets have more, which depend on the mass in a way nobody chose",
        ),
        classes=("background", "signal"),
    )
    return Dataset(name="dijets", about=about, **values)


def load_tth(n: int = 60_000, *, seed: Seed, preset: str = "book") -> Dataset:
    """Jets of top quark pairs with a Higgs boson, to be assigned to their parents (Example 14.6).

    Parameters
    ----------
    n : int, default 60 000
        Number of events, at least 6: a sixth for validation, a sixth for the test, the rest for training (40 000,
        10 000, 10 000).
    seed : int or numpy.random.Generator
        With an int the events are kept in the cache; a generator has no name to keep them under.
    preset : {"book", "physics"}
        Eight jets as in the book, or a lepton and six to eight jets; as in `dlphys.simulators.resonance.simulate_tth`.

    Returns
    -------
    Dataset
        x = {"jets": (n, 8, 5) float32, "event": (n, 5) float32}. Jets, the largest pT first: pT in units of 100 GeV,
        eta, cosine and sine of phi, b-tag (0, 0.5, 1); rows of zeros where there is no jet. Event: lepton pT in units
        of 100 GeV, eta, phi (zeros without a lepton), missing momentum along x and y in units of 100 GeV.
        y (n, 8) int8: 0 Higgs boson, 1 and 2 top quarks, -1 radiation or no jet (-1 occurs in "physics" only).
        extra["count"] (n,) int8, jets; extra["assignment"] (n,) int16: row of
        `dlphys.simulators.resonance.assignments` (280 of them), -1 where there are more than six jets in "physics".

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    What the result can be compared with: `dlphys.simulators.resonance.assign_jets`, the smallest chi-square of all
    permutations (baseline), which assigns all eight jets right in 65 % of the events, against 0.36 % by chance.

    Examples
    --------
    >>> data = load_tth(600, seed=1)  # doctest: +ELLIPSIS
    tth: simulated...
    >>> data.x_train["jets"].shape, data.y_test.shape
    ((400, 8, 5), (100, 8))
    """
    from dlphys.simulators import resonance  # compiled code: imported where it is used

    n = check_count(n=n, minimum=6)
    keys = ("jets", "count", "parent", "lepton", "missing")
    arrays = simulated(
        "tth", seed, {"n": n, "preset": preset}, resonance, keys,
        lambda: resonance.simulate_tth(n, seed=seed, preset=preset).arrays(),
    )  # fmt: skip
    pt, eta, phi, tag = np.moveaxis(arrays["jets"], -1, 0)
    there = (pt > 0).astype(np.float32)
    jets = np.stack([pt / HUNDRED_GEV, eta, there * np.cos(phi), there * np.sin(phi), tag / 2], axis=-1)
    lepton = np.nan_to_num(arrays["lepton"], nan=0.0) / np.array([HUNDRED_GEV, 1, 1], np.float32)
    event = np.concatenate([lepton, arrays["missing"] / HUNDRED_GEV], axis=1)
    parent = arrays["parent"]
    extra = {"count": arrays["count"], "assignment": _assignment(parent, resonance.assignments(preset))}
    held = held_out(n, 1 / 6)
    x = {"jets": jets.astype(np.float32), "event": event.astype(np.float32)}
    values = divided(x, parent, extra, validation=held, test=held)
    about = About(
        title="Jets of top quark pairs with a Higgs boson",
        source="simulated",
        units={"jet pT": "100 GeV", "jet eta": "1", "jet cos phi": "1", "jet sin phi": "1", "jet b-tag": "0, 0.5, 1"}
        | {"lepton pT": "100 GeV", "lepton eta": "1", "lepton phi": "rad"}
        | {"missing x": "100 GeV", "missing y": "100 GeV"},
        target_units={"parent": "0 Higgs boson, 1 and 2 top quarks, -1 none"},
        extra_units={"count": "jets", "assignment": ""},
        made=f"dlphys.simulators.resonance.simulate_tth, preset {preset}",
        licence="MIT, as this package",
        citation="Erdmann, Glombitza, Kasieczka and Klemradt, Deep Learning for Physics Research (2021), Example 14.6",
        flaws=(
            "every jet of the Higgs boson and the top quarks is measured, and no background is there: in data most "
            "events miss a jet",
            "decays are isotropic: no spin correlations",
        ),
        classes=("Higgs boson", "first top quark", "second top quark"),
    )
    return Dataset(name="tth", about=about, **values)


def _assignment(parent: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The row of the table that each event's parents are, or -1."""
    powers = 4 ** np.arange(parent.shape[1])  # a code of one number: digits parent + 1
    filled = np.full((len(table), parent.shape[1]), -1)
    filled[:, : table.shape[1]] = table
    codes = (filled + 1) @ powers
    order = np.argsort(codes)
    wanted = (parent.astype(np.int64) + 1) @ powers
    place = np.minimum(np.searchsorted(codes[order], wanted), len(codes) - 1)
    return np.where(codes[order][place] == wanted, order[place], -1).astype(np.int16)
