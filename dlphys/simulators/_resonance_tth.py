"""A pair of top quarks with a Higgs boson: which jet comes from which parent?

H -> b b. In the book's example both top quarks decay to three jets, which makes eight jets and 280 assignments; with
one top quark decaying to a lepton there are six jets, 60 assignments, and perhaps a jet of radiation too many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dlphys._blocks import Streams, fill_blocks
from dlphys._numba import compiled
from dlphys._random import Seed
from dlphys._validation import check_choice, check_count
from dlphys.simulators._resonance_kinematics import (
    BOTTOM_MASS,
    HIGGS_MASS,
    TOP_MASS,
    TOP_WIDTH,
    W_MASS,
    W_WIDTH,
    azimuth_between,
    draw_mass,
    draw_tag,
    momentum_of,
    pseudorapidity,
    put_isotropic,
    put_system,
    smear_jet,
)
from dlphys.simulators._sample import Sample

ENERGY = 13_000.0  # GeV
EXCESS = 120.0  # GeV: the mass of the system is the threshold plus a gamma variable of mean 240 GeV
MOST_JETS = 8
LEAST_PT, LARGEST_ETA, CONE = 25.0, 2.5, 0.4  # GeV: what a detector accepts
SOFT = 10.0  # GeV, spread of either component of the missing momentum by what is in no jet

JET_COLUMNS = ("pt", "eta", "phi", "b-tag")
NOBODY, HIGGS, FIRST_TOP, SECOND_TOP = -1, 0, 1, 2

BLOCK = 1024  # events
EVENTS = 0

(
    SYSTEM, RADIATION, SOFTER, HIGGS_BOSON, PAIR, TOP, ANTI_TOP, W_ONE, W_TWO,
    HIGGS_B, HIGGS_ANTI_B, B, ANTI_B, QUARK, ANTI_QUARK, THIRD, FOURTH,
) = range(17)  # fmt: skip


@dataclass(frozen=True, repr=False)
class TTHEvents(Sample):
    """Jets of top quark pairs with a Higgs boson; the first axis of every array is the event.

    Attributes
    ----------
    jets : array, (n, 8, 4), float32
        pT in GeV, eta, phi in rad, and b-tag (0 none, 1 loose, 2 tight) of up to eight jets, the largest pT first;
        rows of zeros where there are fewer.
    count : array, (n,), int8
        Number of jets: 8 in the book's preset, 6 to 8 in the other.
    parent : array, (n, 8), int8
        0 the Higgs boson, 1 and 2 the top quarks, -1 radiation or no jet. With eight jets no measurement tells the top
        quark from its antiparticle: 1 is the one with the hardest jet. With a lepton 1 is the top quark of three jets
        and 2 the one with the lepton.
    lepton : array, (n, 3), float32
        pT in GeV, eta, phi in rad; NaN where there is no lepton (book's preset).
    missing : array, (n, 2), float32, GeV
        Missing transverse momentum, x and y.
    """

    units: ClassVar = {
        "jets": "GeV, 1, rad, 1",
        "count": "jets",
        "parent": "",
        "lepton": "GeV, 1, rad",
        "missing": "GeV",
    }

    jets: np.ndarray
    count: np.ndarray
    parent: np.ndarray
    lepton: np.ndarray
    missing: np.ndarray


@dataclass(frozen=True, repr=False)
class TTHPartons(Sample):
    """The particles of the events before any detector; the first axis of every array is the event.

    Attributes
    ----------
    momenta : array, (n, 17, 4), float64, GeV
        E, px, py, pz of: system, two gluons of radiation, Higgs boson, pair of top quarks, top, anti-top, their W
        bosons, b and anti-b of the Higgs boson, b of the top, b of the anti-top, the two products of the first W, the
        two products of the second W (with a lepton: lepton and neutrino).
    """

    units: ClassVar = {"momenta": "GeV"}

    momenta: np.ndarray


def simulate_tth(n: int, *, seed: Seed, preset: str = "book") -> TTHEvents:
    """Events with a top quark pair and a Higgs boson, as jets with their true parents.

    Parameters
    ----------
    n : int
        Number of events that pass the selection.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}, default "book"
        "book": eight jets, two of the Higgs boson and three of either top quark, as in Example 14.6. "physics": one
        top quark decays to a lepton, a neutrino and one jet, which is how it is measured; up to two jets of radiation.

    Returns
    -------
    TTHEvents

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Two gluons at 13 TeV make a system of the threshold mass plus a gamma variable (chosen: mean 710 GeV), three
    particles fill its phase space uniformly, and all decay isotropically (no spin correlations), with Breit-Wigner
    masses of t and W. Detector and tags are those of `simulate_higgs`. Every jet of the Higgs boson and the top
    quarks is measured: pT > 25 GeV, abs(eta) < 2.5, and all 0.4 apart. The assignment by a network is that of M.
    Erdmann, B. Fischer and D. Noll, J. Phys. Conf. Ser. 1525 (2020) 012098. One seed gives the same bits for any
    number of threads, and the first events do not depend on ``n``. 157 bytes an event.

    Examples
    --------
    >>> events = simulate_tth(100, seed=1)
    >>> events.jets.shape, np.bincount(events.parent[0])
    ((100, 8, 4), array([2, 3, 3]))
    """
    n = check_count(n=n)
    check_choice(choices=("book", "physics"), preset=preset)
    stream = Streams.of(seed)
    sample = TTHEvents(
        jets=np.empty((n, MOST_JETS, 4), np.float32),
        count=np.empty(n, np.int8),
        parent=np.empty((n, MOST_JETS), np.int8),
        lepton=np.empty((n, 3), np.float32),
        missing=np.empty((n, 2), np.float32),
    )

    def fill(block: int, events: slice) -> None:
        arrays = (array[events] for array in sample.arrays().values())
        _fill_events(stream(EVENTS, block), preset == "physics", *arrays)

    fill_blocks(fill, n, block=BLOCK, title="ttH events")
    return sample


def simulate_tth_partons(n: int, *, seed: Seed) -> TTHPartons:
    """The particles of `simulate_tth` before any detector or selection.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator

    Returns
    -------
    TTHPartons

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> from dlphys.simulators.resonance import invariant_mass
    >>> partons = simulate_tth_partons(100, seed=1).momenta
    >>> invariant_mass(partons[:, 9] + partons[:, 10])[:3].round(6)
    array([125., 125., 125.])
    """
    n = check_count(n=n)
    stream = Streams.of(seed)
    sample = TTHPartons(np.empty((n, 17, 4)))
    fill_blocks(
        lambda block, events: _fill_partons(stream(EVENTS, block), sample.momenta[events]),
        n,
        block=BLOCK,
        title="ttH partons",
    )
    return sample


@compiled(nogil=True)
def _put_partons(random: np.random.Generator, p: np.ndarray) -> None:
    """All particles of one event; both W bosons decay to massless particles, whatever they are called."""
    top, anti_top = draw_mass(random, TOP_MASS, TOP_WIDTH), draw_mass(random, TOP_MASS, TOP_WIDTH)
    system = top + anti_top + HIGGS_MASS + EXCESS * random.standard_gamma(2.0)
    # three-body phase space: the density of the pair's mass is the product of both momenta
    low, high = top + anti_top, system - HIGGS_MASS
    bound = momentum_of(system, low, HIGGS_MASS) * momentum_of(high, top, anti_top)
    pair = low
    while True:
        pair = low + (high - low) * random.random()
        if random.random() * bound < momentum_of(system, pair, HIGGS_MASS) * momentum_of(pair, top, anti_top):
            break
    put_system(random, system, ENERGY, p[SYSTEM : SOFTER + 1])
    put_isotropic(random, p[SYSTEM], HIGGS_MASS, pair, p[HIGGS_BOSON], p[PAIR])
    put_isotropic(random, p[PAIR], top, anti_top, p[TOP], p[ANTI_TOP])
    put_isotropic(random, p[HIGGS_BOSON], BOTTOM_MASS, BOTTOM_MASS, p[HIGGS_B], p[HIGGS_ANTI_B])
    put_isotropic(random, p[TOP], draw_mass(random, W_MASS, W_WIDTH), BOTTOM_MASS, p[W_ONE], p[B])
    put_isotropic(random, p[ANTI_TOP], draw_mass(random, W_MASS, W_WIDTH), BOTTOM_MASS, p[W_TWO], p[ANTI_B])
    put_isotropic(random, p[W_ONE], 0.0, 0.0, p[QUARK], p[ANTI_QUARK])
    put_isotropic(random, p[W_TWO], 0.0, 0.0, p[THIRD], p[FOURTH])


@compiled(nogil=True)
def _fill_partons(random: np.random.Generator, momenta: np.ndarray) -> None:
    for i in range(len(momenta)):
        _put_partons(random, momenta[i])


@compiled(nogil=True)
def _fill_events(
    random: np.random.Generator,
    leptonic: bool,
    jets: np.ndarray,
    count: np.ndarray,
    parent: np.ndarray,
    lepton: np.ndarray,
    missing: np.ndarray,
) -> None:
    partons, found, parents = np.empty((17, 4)), np.empty((10, 4)), np.empty(10, np.int64)
    seen, missed = np.empty(3), np.empty(2)
    for i in range(len(count)):
        many = 0
        while many == 0:
            _put_partons(random, partons)
            many = _detect(random, leptonic, partons, found, parents, seen, missed)
        if not leptonic:  # 1 is the top quark with the hardest jet
            first = 0
            while parents[first] == HIGGS:
                first += 1
            if parents[first] == SECOND_TOP:
                for j in range(many):
                    if parents[j] > HIGGS:
                        parents[j] = FIRST_TOP + SECOND_TOP - parents[j]
        count[i] = many
        for j in range(MOST_JETS):
            parent[i, j] = parents[j] if j < many else NOBODY
            for c in range(4):
                jets[i, j, c] = found[j, c] if j < many else 0.0
        lepton[i, 0], lepton[i, 1], lepton[i, 2] = seen[0], seen[1], seen[2]
        missing[i, 0], missing[i, 1] = missed[0], missed[1]


@compiled(nogil=True)
def _detect(
    random: np.random.Generator,
    leptonic: bool,
    partons: np.ndarray,
    jets: np.ndarray,
    parents: np.ndarray,
    lepton: np.ndarray,
    missing: np.ndarray,
) -> int:
    """Number of measured jets, sorted by pT; 0 if the event is not selected."""
    missing[0], missing[1] = SOFT * random.standard_normal(), SOFT * random.standard_normal()
    lepton[:] = np.nan
    charm, other_charm = random.random() < 0.5, random.random() < 0.5
    wanted, many = 0, 0
    for particle, flavour, origin in (
        (HIGGS_B, 2, HIGGS),
        (HIGGS_ANTI_B, 2, HIGGS),
        (B, 2, FIRST_TOP),
        (QUARK, 1 if charm else 0, FIRST_TOP),
        (ANTI_QUARK, 0, FIRST_TOP),
        (ANTI_B, 2, SECOND_TOP),
        (THIRD, 1 if other_charm else 0, SECOND_TOP),
        (FOURTH, 0, SECOND_TOP),
        (RADIATION, 0, NOBODY),
        (SOFTER, 0, NOBODY),
    ):
        p = partons[particle]
        if leptonic and particle == THIRD:
            lepton[0] = math.hypot(p[1], p[2]) * (1.0 + 0.02 * random.standard_normal())
            lepton[1], lepton[2] = pseudorapidity(p[1], p[2], p[3]), math.atan2(p[2], p[1])
            if lepton[0] < LEAST_PT or abs(lepton[1]) > LARGEST_ETA:
                return 0
            continue
        if leptonic and particle == FOURTH:
            missing[0] += p[1]
            missing[1] += p[2]
            continue
        smear_jet(random, p, jets[many])
        missing[0] += p[1] - jets[many, 0] * math.cos(jets[many, 2])
        missing[1] += p[2] - jets[many, 0] * math.sin(jets[many, 2])
        accepted = jets[many, 0] > LEAST_PT and abs(jets[many, 1]) < LARGEST_ETA
        if origin != NOBODY and not accepted:
            return 0
        if accepted and (origin != NOBODY or leptonic):  # the book's eight jets: radiation is left out
            wanted += origin != NOBODY
            jets[many, 3], parents[many] = draw_tag(random, flavour), origin
            many += 1
    for j in range(many):
        if leptonic and math.hypot(jets[j, 1] - lepton[1], azimuth_between(jets[j, 2], lepton[2])) < CONE:
            return 0
        for k in range(j):
            if math.hypot(jets[j, 1] - jets[k, 1], azimuth_between(jets[j, 2], jets[k, 2])) < CONE:
                return 0
    for j in range(1, many):  # insertion sort: at most ten jets
        k = j
        while k > 0 and jets[k - 1, 0] < jets[k, 0]:
            for c in range(4):
                jets[k - 1, c], jets[k, c] = jets[k, c], jets[k - 1, c]
            parents[k - 1], parents[k] = parents[k], parents[k - 1]
            k -= 1
    return many
