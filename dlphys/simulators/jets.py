"""Jets of hadrons from quarks, gluons, W bosons, top quarks and heavier resonances.

A parton radiates gluons at ever smaller angles (an angular-ordered shower, by the veto algorithm), every parton becomes
a few hadrons, and what a detector sees of them is a jet: constituents with transverse momentum, pseudorapidity, azimuth
and charge. Gluons radiate 9/4 times as much as quarks; a boosted W or top has two or three hard prongs; a bottom quark
ends in a hadron that flies some millimetres. Used in chapters 8, 10 and 17 and in the lectures on jets.

`simulate` makes constituents. From them follow images (`jet_images` and its single steps), trees (`clustering_tree`),
groomed jets and observables. `simulate_b_jets` adds tracks and vertices, `simulate_zprime` eleven features.
`shower_plain` is the shower for reading. `simulate_lund` is the limit in which everything is known exactly:
`casimir_auc`, `poisson_auc`, `lund_log_ratio` (limit). `histogram_ratio`, `track_counting` and `impact_parameter_ratio`
are baselines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_count, check_number
from dlphys.simulators._jets_arrays import four_momenta, jet_mass, jet_momentum
from dlphys.simulators._jets_clustering import (
    ClusteringTree,
    clustering_plain,
    clustering_tree,
    subjets,
)
from dlphys.simulators._jets_events import KINDS, TOP_MASS, W_MASS
from dlphys.simulators._jets_grooming import groomed, n_subjettiness, soft_drop, trim
from dlphys.simulators._jets_images import (
    CHANNELS,
    centre,
    channel_weights,
    flip,
    jet_images,
    normalise,
    pixelise,
    rotate,
)
from dlphys.simulators._jets_observables import (
    FEATURES,
    add_soft,
    angularity,
    energy_correlations,
    jet_axis,
    multiplicity,
    planar_flow,
    split_collinear,
    zprime_features,
)
from dlphys.simulators._jets_plain import shower_plain
from dlphys.simulators._jets_sample import (
    TRACKS,
    Jets,
    check_kinds,
    check_physics,
    empty_jets,
    fill_block,
    has_detector,
    mean_pile_up,
)
from dlphys.simulators._jets_theory import (
    ALPHA_S,
    CASIMIR_RATIO,
    LundJets,
    casimir_auc,
    histogram_ratio,
    lund_log_ratio,
    mean_emissions,
    poisson_auc,
    simulate_lund,
    splitting_function,
    strong_coupling,
    sudakov,
)
from dlphys.simulators._jets_tracks import (
    SUMMARY,
    TRACK,
    VERTEX,
    fill_tracks,
    impact_parameter_ratio,
    track_counting,
)
from dlphys.simulators._sample import Sample

__all__ = [
    "ALPHA_S",
    "CASIMIR_RATIO",
    "CHANNELS",
    "FEATURES",
    "KINDS",
    "SUMMARY",
    "TOP_MASS",
    "TRACK",
    "VERTEX",
    "W_MASS",
    "BJets",
    "ClusteringTree",
    "Jets",
    "LundJets",
    "ZprimeJets",
    "add_soft",
    "angularity",
    "casimir_auc",
    "centre",
    "channel_weights",
    "clustering_plain",
    "clustering_tree",
    "energy_correlations",
    "flip",
    "four_momenta",
    "groomed",
    "histogram_ratio",
    "impact_parameter_ratio",
    "jet_axis",
    "jet_images",
    "jet_mass",
    "jet_momentum",
    "lund_log_ratio",
    "mean_emissions",
    "multiplicity",
    "n_subjettiness",
    "normalise",
    "pixelise",
    "planar_flow",
    "poisson_auc",
    "rotate",
    "shower_plain",
    "simulate",
    "simulate_b_jets",
    "simulate_lund",
    "simulate_zprime",
    "soft_drop",
    "split_collinear",
    "splitting_function",
    "strong_coupling",
    "subjets",
    "sudakov",
    "track_counting",
    "trim",
    "zprime_features",
]

BLOCK = 512  # jets; with 100 constituents a block fits into the cache of a core


@dataclass(frozen=True, repr=False)
class ZprimeJets(Sample):
    """Jets of a Z' -> q qbar and of quarks and gluons, as eleven features.

    Attributes
    ----------
    features : array, (n, 11), float32
        In the order of `FEATURES`; see `zprime_features`.
    mass, pt : array, (n,), float32, GeV
        Of the trimmed jet, from its constituents.
    label : array, (n,), int8
        0 quark or gluon, 1 Z'.
    """

    units: ClassVar = {"features": "", "mass": "GeV", "pt": "GeV", "label": "0 QCD, 1 Z'"}

    features: np.ndarray
    mass: np.ndarray
    pt: np.ndarray
    label: np.ndarray


@dataclass(frozen=True, repr=False)
class BJets(Sample):
    """Jets of light partons, charm and bottom quarks with their tracks and secondary vertices.

    Attributes
    ----------
    tracks : array, (n, k, 8), float32
        In the order of `TRACK`: signed transverse impact parameter d_0 (mm) and its significance, the same for the
        longitudinal z_0, pt (GeV), pt / pt of the jet, eta and phi from the axis of the jet. Sorted by falling
        significance of d_0; NaN after the last track.
    vertices : array, (n, 2, 6), float32
        In the order of `VERTEX`: flight length (mm) and its significance, mass of the tracks (GeV), their number, their
        share of the momentum of all tracks, angle to the axis of the jet. NaN where no vertex was found.
    summary : array, (n, 12), float32
        In the order of `SUMMARY`; made from the jet, its tracks and its vertices.
    flavour : array, (n,), int8
        0 light, 1 charm, 2 bottom.
    flight : array, (n, 2), float32, mm
        True flight lengths of the B and the D hadron; NaN where there is none.
    """

    units: ClassVar = {
        "tracks": "(mm, GeV)",
        "vertices": "(mm, GeV)",
        "summary": "",
        "flavour": "0 light, 1 charm, 2 bottom",
        "flight": "mm",
    }

    tracks: np.ndarray
    vertices: np.ndarray
    summary: np.ndarray
    flavour: np.ndarray
    flight: np.ndarray


def simulate(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    kinds: Sequence[str] = ("gluon", "quark"),
    pt: Sequence[float] = (500.0, 550.0),
    rapidity: float = 2.0,
    radius: float = 0.4,
    constituents: int = 100,
    alpha_s: float = ALPHA_S,
    running: bool = True,
    kt_cut: float = 1.0,
    gluon_fraction: float = 0.5,
    zprime_mass: float = 100.0,
    contained: bool = False,
    detector: bool | None = None,
    pile_up: float | None = None,
) -> Jets:
    """Draw jets of hadrons.

    Two presets:

    - ``"book"`` stops at the hadrons, as the studies of the book's examples 8.9 and 17.1 do.
    - ``"physics"`` has a detector: tracks are found with 95 % efficiency and measured to 1 %, neutral particles to
      50 % / sqrt(E / GeV) and 5 %, in angle to 0.01; what has less than 0.5 GeV is lost. Ten soft particles from other
      collisions and from the rest of the event are added to a jet on average.

    Parameters
    ----------
    n : int
        Number of jets.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    kinds : sequence of str
        The classes, drawn with equal probability: "gluon", "quark" (up or down), "charm", "bottom", "w", "top",
        "zprime", or "qcd", a mixture of gluons and quarks. Bosons and tops decay to quarks, isotropically.
    pt : (float, float), GeV
        Range of the transverse momentum of what makes the jet, uniform; between 10 and 5000.
    rapidity : float
        Largest absolute rapidity, at most 5.
    radius : float
        Largest angle of radiation from a quark or gluon, in (0, 1.5]. Decays radiate in their own rest frame.
    constituents : int
        Places for constituents, k. With more hadrons than places the softest are dropped.
    alpha_s : float
        Strong coupling at the mass of the Z. The default is as in `strong_coupling`.
    running : bool
        With False the coupling is ``alpha_s`` everywhere.
    kt_cut : float, GeV
        Smallest transverse momentum of an emission, 0.7 to 100.
    gluon_fraction : float
        Of gluons in "qcd".
    zprime_mass : float, GeV
        20 to 1000.
    contained : bool
        With True decays are drawn again until all quarks lie within ``radius`` of the axis: fully merged jets.
    detector : bool, optional
        Left out: False for the book, True for the physics preset.
    pile_up : float, optional
        Mean number of soft neutral particles (0.7 GeV above 0.5 GeV on average) added to a jet. Left out: 0 for the
        book, 10 for the physics preset.

    Returns
    -------
    Jets
        Frozen dataclass: constituents (n, k, 4) float32, charge and prong (n, k), count, kind and label (n,), parent
        (n, 4) float64.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Emissions have the probability alpha_s(kt) / (2 pi) P(z) dz dtheta^2 / theta^2 with the splitting functions of
    `splitting_function`, kt = z (1 - z) theta p, each inside the angle of the one before (Marchesini and Webber, Nucl.
    Phys. B 238 (1984) 1; Ellis, Stirling and Webber, QCD and Collider Physics, section 5.5). Every parton becomes a
    cluster of at least two pions; their numbers are tuned to those of charged particles at the LHC to about 10 %
    ([not verified] about 20 in gluon and 12 in quark jets of 500 GeV above 0.5 GeV). Simplifications: azimuths are
    even, no spin correlations (the W of a top is unpolarised), all hadrons have the mass of a pion, widths of the
    resonances are zero, nothing from outside the jet but ``pile_up``.

    Momentum and energy are conserved in every step; resonances keep their mass. One seed gives the same bits for any
    number of threads, and the first jets do not depend on ``n``. Needs 18 k + 50 bytes a jet and a few megabytes more.

    Examples
    --------
    >>> jets = simulate(1000, seed=1)
    >>> jets.constituents.shape, bool(multiplicity(jets.constituents)[jets.label == 0].mean() > 25)
    ((1000, 100, 4), True)
    """
    n = check_count(n=n)
    codes = check_kinds(kinds)
    physics = check_physics(
        pt=pt, rapidity=rapidity, radius=radius, alpha_s=alpha_s, running=running, kt_cut=kt_cut,
        gluon_fraction=gluon_fraction, zprime_mass=zprime_mass, contained=contained,
        detector=has_detector(preset, detector), pile_up=mean_pile_up(preset, pile_up), kinds=kinds,
    )  # fmt: skip
    stream = Streams.of(seed)
    jets = empty_jets(n, check_count(constituents=constituents, maximum=1000))

    def fill(block: int, rows: slice) -> None:
        part = {name: array[rows] for name, array in jets.arrays().items()}
        fill_block(stream, block, codes, physics, part)

    fill_blocks(fill, n, block=BLOCK, title="jets")
    return jets


def simulate_zprime(
    n: int,
    *,
    seed: Seed,
    preset: str = "physics",
    zprime_mass: float = 100.0,
    pt: Sequence[float] = (300.0, 500.0),
    radius: float = 1.0,
    gluon_fraction: float = 0.5,
    pile_up: float | None = None,
) -> ZprimeJets:
    """Boosted Z' -> q qbar jets and jets of quarks and gluons, described by eleven features of their substructure.

    Parameters
    ----------
    n : int
        Number of jets; both classes have equal probability.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        With or without a detector, as in `simulate`.
    zprime_mass : float, GeV
        20 to 1000.
    pt : (float, float), GeV
    radius : float
        Of the jets, in (0, 1.5]; both quarks of a Z' lie inside.
    gluon_fraction : float
        Of gluons in the background.
    pile_up : float, optional
        As in `simulate`.

    Returns
    -------
    ZprimeJets

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Jets are trimmed (`trim`) first, as experiments do with such large ones. The setting of Shimmin et al.,
    arXiv:1703.03507: a network that separates the classes by these features also learns
    the mass, which shapes the background under a bump.

    Examples
    --------
    >>> jets = simulate_zprime(1000, seed=1)
    >>> jets.features.shape, bool(85 < np.median(jets.mass[jets.label == 1]) < 110)
    ((1000, 11), True)
    """
    n = check_count(n=n)
    kinds = ("qcd", "zprime")
    physics = check_physics(
        pt=pt, rapidity=2.0, radius=radius, alpha_s=ALPHA_S, running=True, kt_cut=1.0, gluon_fraction=gluon_fraction,
        zprime_mass=zprime_mass, contained=True, detector=has_detector(preset, None),
        pile_up=mean_pile_up(preset, pile_up), kinds=kinds,
    )  # fmt: skip
    stream = Streams.of(seed)
    result = ZprimeJets(
        features=np.empty((n, len(FEATURES)), np.float32),
        mass=np.empty(n, np.float32),
        pt=np.empty(n, np.float32),
        label=np.empty(n, np.int8),
    )

    def fill(block: int, rows: slice) -> None:
        jets = empty_jets(rows.stop - rows.start, 150)
        fill_block(stream, block, check_kinds(kinds), physics, jets.arrays())
        kept = groomed(jets.constituents, trim(jets.constituents))
        result.features[rows] = zprime_features(kept, radius=physics.radius)
        total = jet_momentum(kept)
        result.mass[rows] = jet_mass(kept)
        result.pt[rows] = np.hypot(total[:, 1], total[:, 2])
        result.label[rows] = jets.label

    fill_blocks(fill, n, block=BLOCK, title="Z' jets")
    return result


def simulate_b_jets(
    n: int,
    *,
    seed: Seed,
    pt: Sequence[float] = (50.0, 200.0),
    rapidity: float = 2.0,
    radius: float = 0.4,
    tracks: int = 15,
    resolution: float = 0.010,
    scattering: float = 0.080,
) -> BJets:
    """Jets of light partons, charm and bottom quarks with reconstructed tracks and secondary vertices.

    Bottom hadrons (c tau = 0.46 mm) and charm hadrons (0.12 or 0.31 mm) fly before they decay, so that their tracks
    miss the primary vertex; the sign of an impact parameter is positive where a track crosses the axis of the jet ahead
    of it.

    Parameters
    ----------
    n : int
        Number of jets; the three flavours have equal probability. Half of the light ones are gluons.
    seed : int or numpy.random.Generator
    pt : (float, float), GeV
        Range of the transverse momentum, uniform.
    rapidity : float
        Largest absolute rapidity.
    radius : float
        Of the jets, in (0, 1.5].
    tracks : int
        Places for tracks, k: those with the largest significance.
    resolution, scattering : float, mm and mm GeV
        The transverse impact parameter is measured to resolution (+) scattering / (pt sqrt(sin theta)), added in
        quadrature.

    Returns
    -------
    BJets

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The longitudinal impact parameter is four times as uncertain. The primary vertex is known to 0.01 mm across and
    0.03 mm along the beam. Three tracks in a hundred have an error three times as large, two in a hundred of those from
    the primary vertex start centimetres away (strange hadrons, material). A vertex is the least-squares point of tracks
    with a significance above 2, without those that miss it by chi^2 > 9; the second is made from what the first left
    over. Lifetimes: Particle Data Group. Resolutions are of the order of those of the LHC detectors [not verified].

    Examples
    --------
    >>> jets = simulate_b_jets(1000, seed=1)
    >>> found = ~np.isnan(jets.vertices[:, 0, 0])
    >>> bool(found[jets.flavour == 2].mean() > 4 * found[jets.flavour == 0].mean())
    True
    """
    n = check_count(n=n)
    places = check_count(tracks=tracks, maximum=100)
    resolution = check_number(minimum=0, exclusive=True, unit="mm", resolution=resolution)
    scattering = check_number(minimum=0, unit="mm GeV", scattering=scattering)
    kinds = ("qcd", "charm", "bottom")
    physics = check_physics(
        pt=pt, rapidity=rapidity, radius=radius, alpha_s=ALPHA_S, running=True, kt_cut=1.0, gluon_fraction=0.5,
        zprime_mass=100.0, contained=False, detector=False, pile_up=0.0, kinds=kinds,
    )  # fmt: skip
    stream = Streams.of(seed)
    result = BJets(
        tracks=np.full((n, places, len(TRACK)), np.nan, np.float32),
        vertices=np.full((n, 2, len(VERTEX)), np.nan, np.float32),
        summary=np.empty((n, len(SUMMARY)), np.float32),
        flavour=np.empty(n, np.int8),
        flight=np.full((n, 2), np.nan, np.float32),
    )

    def fill(block: int, rows: slice) -> None:
        jets = empty_jets(rows.stop - rows.start, 150)
        vertex, heavy = fill_block(stream, block, check_kinds(kinds), physics, jets.arrays())
        result.flavour[rows] = jets.label
        fill_tracks(
            stream(TRACKS, block), jets.constituents, jets.charge, vertex, heavy, resolution, scattering,
            result.tracks[rows], result.vertices[rows], result.summary[rows], result.flight[rows],
        )  # fmt: skip

    fill_blocks(fill, n, block=BLOCK, title="b jets")
    return result
