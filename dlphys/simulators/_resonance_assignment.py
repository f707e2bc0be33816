"""Which jet comes from which parent: all assignments of ttH jets, and the best one by a chi-square."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._validation import check_array, check_choice
from dlphys.simulators._resonance_kinematics import (
    HIGGS_MASS,
    TAGS,
    TOP_MASS,
    W_MASS,
    mass_of,
    pair_mass_squared,
    put_massless,
    solve_neutrino,
)
from dlphys.simulators._resonance_tth import FIRST_TOP, HIGGS, MOST_JETS, NOBODY, SECOND_TOP, TTHEvents

# Resolutions of the masses (GeV) that enter the chi-square, near those of truly assigned jets; the best of
# five settings, which differ by one per cent of the events.
HIGGS_SPREAD, TOP_SPREAD, W_SPREAD, LEPTONIC_SPREAD = 12.0, 15.0, 8.0, 26.0
# -2 ln P(tag | b) / P(tag | jet of a W boson), of which every fourth is a charm quark
TAG_COST = -2.0 * np.log(TAGS[2] / (0.75 * TAGS[0] + 0.25 * TAGS[1]))


def assignments(preset: str = "book") -> np.ndarray:
    """All ways to give the jets to their parents.

    Parameters
    ----------
    preset : {"book", "physics"}
        Eight jets to three parents, 8! / (2! 2! 3! 3!) = 280 since the two top quarks can be exchanged; or six jets
        to a top quark of three, one of one jet and the Higgs boson, 6! / (3! 1! 2!) = 60.

    Returns
    -------
    array, (280, 8) or (60, 6), int8
        Parent of each jet, coded as in `TTHEvents`. With eight jets, 1 is the top quark that has the first jet among
        those of both top quarks, as in ``parent``.

    Raises
    ------
    ValueError, TypeError
        If the preset is unknown.

    Examples
    --------
    >>> assignments().shape, assignments()[0]
    ((280, 8), array([0, 0, 1, 1, 1, 2, 2, 2], dtype=int8))
    """
    check_choice(choices=("book", "physics"), preset=preset)
    table = _roles(8 if preset == "book" else 6, preset == "physics")
    parents = np.full((len(table), 8 if preset == "book" else 6), SECOND_TOP, np.int8)
    rows = np.arange(len(table))[:, None]
    parents[rows, table[:, :2]] = HIGGS
    parents[rows, table[:, 2:5]] = FIRST_TOP
    _, first = np.unique(parents, axis=0, return_index=True)  # which jet of a top quark is its b does not matter here
    return parents[np.sort(first)]


def assign_jets(events: TTHEvents) -> np.ndarray:
    """The assignment with the smallest chi-square of all permutations: the baseline.

    Sums ((m - m_expected) / spread)^2 of the Higgs boson, the top quarks and their W bosons, and what the b-tags cost.
    With a lepton the neutrino follows from the mass of its W boson. Every one of the 2520 ways to tell Higgs boson,
    top quarks and their b jets apart is tried (180 with six jets and a lepton, 1260 with seven, 5040 with eight).

    Parameters
    ----------
    events : TTHEvents

    Returns
    -------
    array, (n, 8), int8
        Parents as in ``events.parent``.

    Raises
    ------
    TypeError
        If it is given anything else.

    Examples
    --------
    >>> from dlphys.simulators.resonance import simulate_tth
    >>> events = simulate_tth(200, seed=1)
    >>> right = correct_assignments(assign_jets(events), events.parent)
    >>> bool(right.mean() > 20 / 280)  # far more often than by chance
    True
    """
    if not isinstance(events, TTHEvents):
        raise TypeError(f"events must be TTHEvents, got {type(events).__name__}")
    found = np.full_like(events.parent, NOBODY)
    for leptonic in (False, True):
        for count in (6, 7, 8):
            chosen = np.flatnonzero((np.isfinite(events.lepton[:, 0]) == leptonic) & (events.count == count))
            if not len(chosen) or (count < 8 and not leptonic):
                continue
            table = _roles(count, leptonic)
            for part in np.array_split(chosen, -(-len(chosen) // 4096)):
                found[part] = _smallest_chi2(
                    events.jets[part].astype(np.float64),
                    events.lepton[part].astype(np.float64),
                    events.missing[part].astype(np.float64),
                    table,
                    leptonic,
                )
    return found


def correct_assignments(found: ArrayLike, parent: ArrayLike) -> np.ndarray:
    """Which events have all jets of the Higgs boson and the top quarks at their true parents.

    Parameters
    ----------
    found, parent : array, (n, k)
        Codes as in `TTHEvents`, in which 1 and 2 are told apart by rule; where a jet is radiation (-1) in truth, it
        must not be given to a parent.

    Returns
    -------
    array, (n,), bool

    Raises
    ------
    ValueError, TypeError
        If the shapes differ.

    Examples
    --------
    >>> correct_assignments([[0, 0, 1, 1, 1, 2, 2, 2]], [[0, 0, 1, 1, 1, 2, 2, 2]])
    array([ True])
    """
    truth = check_array(ndim=2, minimum=-1, maximum=2, parent=parent)
    guess = check_array(shape=truth.shape, minimum=-1, maximum=2, found=found)
    return (guess == truth).all(1)


@lru_cache(maxsize=8)
def _roles(count: int, leptonic: bool) -> np.ndarray:
    """Jets in the roles: two of H, then b and two of W of the first top, then the second top (or its b with a lepton).

    The two jets of H and of a W are in order. Without a lepton the first top quark is the one with the first jet.
    """
    rows = []
    for higgs in combinations(range(count), 2):
        rest = [j for j in range(count) if j not in higgs]
        for first in combinations(rest, 3):
            others = [j for j in rest if j not in first]
            for b in first:
                w = [j for j in first if j != b]
                if leptonic:
                    rows += [(*higgs, b, *w, j) for j in others]
                elif first[0] == rest[0]:
                    rows += [(*higgs, b, *w, c, *(j for j in others if j != c)) for c in others]
    return np.array(rows, dtype=np.int64)


@compiled(nogil=True)
def _smallest_chi2(
    jets: np.ndarray, lepton: np.ndarray, missing: np.ndarray, table: np.ndarray, leptonic: bool
) -> np.ndarray:
    """Parents (n, 8) of the best row of the table of roles."""
    n, count = len(jets), table.max() + 1
    found = np.full((n, MOST_JETS), NOBODY, np.int8)
    squares, tags = np.empty((count, count)), np.empty(count)
    momenta, semileptonic, w = np.empty((count, 4)), np.empty(count), np.empty(4)
    for i in range(n):
        for j in range(count):
            put_massless(jets[i, j, 0], jets[i, j, 1], jets[i, j, 2], momenta[j])
            tags[j] = TAG_COST[int(jets[i, j, 3])]
            for k in range(count):
                squares[j, k] = pair_mass_squared(jets[i, j], jets[i, k])
        if leptonic:
            x, y = missing[i, 0], missing[i, 1]
            put_massless(lepton[i, 0], lepton[i, 1], lepton[i, 2], w)
            z = solve_neutrino(w, x, y)
            w[0], w[1], w[2], w[3] = w[0] + math.sqrt(x * x + y * y + z * z), w[1] + x, w[2] + y, w[3] + z
            for j in range(count):
                semileptonic[j] = ((mass_of(momenta[j] + w) - TOP_MASS) / LEPTONIC_SPREAD) ** 2
        best, row = np.inf, 0
        for r in range(len(table)):
            role = table[r]
            mass = math.sqrt(max(squares[role[0], role[1]], 0.0))
            chi2 = ((mass - HIGGS_MASS) / HIGGS_SPREAD) ** 2 + _top_chi2(squares, role[2], role[3], role[4])
            chi2 += semileptonic[role[5]] if leptonic else _top_chi2(squares, role[5], role[6], role[7])
            chi2 += tags[role[0]] + tags[role[1]] + tags[role[2]] + tags[role[5]]
            if chi2 < best:
                best, row = chi2, r
        role = table[row]
        for k in range(len(role)):
            found[i, role[k]] = HIGGS if k < 2 else (FIRST_TOP if k < 5 else SECOND_TOP)
    return found


@compiled(nogil=True)
def _top_chi2(squares: np.ndarray, b: int, j: int, k: int) -> float:
    """What a top quark b jk costs by its mass and that of its W boson."""
    w = math.sqrt(max(squares[j, k], 0.0))
    top = math.sqrt(max(squares[j, k] + squares[b, j] + squares[b, k], 0.0))
    return ((w - W_MASS) / W_SPREAD) ** 2 + ((top - TOP_MASS) / TOP_SPREAD) ** 2
