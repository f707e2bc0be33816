"""Sequential recombination of a jet's constituents: kt, Cambridge/Aachen and anti-kt.

The pair with the smallest d_ij = min(pt_i^2p, pt_j^2p) DeltaR_ij^2 is merged by adding four-momenta, again and again; p
is 1, 0 and -1 for the three algorithms. Distances are in rapidity and azimuth. The compiled version keeps the nearest
neighbour of each particle (Cacciari and Salam, hep-ph/0512210): the smallest d_ij is always one between neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asinh, atan2, cos, cosh, pi, sin, sinh, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._validation import check_choice, check_number
from dlphys.simulators._jets_arrays import check_constituents, four_momenta, over_blocks
from dlphys.simulators._sample import Sample

POWERS = {"kt": 1, "cambridge": 0, "anti-kt": -1}
_E, _PX, _PY, _PZ, _Y, _PHI, _WEIGHT = range(7)


@dataclass(frozen=True, repr=False)
class ClusteringTree(Sample):
    """The history of merging all constituents of each jet into one, for jets of at most k constituents.

    Node i < k is constituent i, node k + j is what merge j made. Unused places hold -1, momenta and scales 0.

    Attributes
    ----------
    children : array, (n, 2 k - 1, 2), int16
        The two nodes that were merged, that with the larger transverse momentum first; -1 for constituents.
    momenta : array, (n, 2 k - 1, 4), float32, GeV
        E, p_x, p_y, p_z of every node.
    root : array, (n,), int16
        The node that is the whole jet.
    scale : array, (n, k - 1), float32
        Square root of d_ij of every merge: in GeV for kt, an angle for Cambridge/Aachen, 1/GeV for anti-kt.
    """

    units: ClassVar = {"children": "", "momenta": "GeV", "root": "", "scale": ""}

    children: np.ndarray
    momenta: np.ndarray
    root: np.ndarray
    scale: np.ndarray


@compiled(nogil=True)
def refresh(nodes: np.ndarray, i: int, power: int) -> None:
    """Rapidity, azimuth and pt^2p of a node from its four-momentum."""
    e, x, y, z = nodes[i, _E], nodes[i, _PX], nodes[i, _PY], nodes[i, _PZ]
    square = x * x + y * y
    nodes[i, _Y] = asinh(z / sqrt(max(e * e - z * z, 1e-12 * square)))
    nodes[i, _PHI] = atan2(y, x)
    nodes[i, _WEIGHT] = square if power == 1 else (1.0 / square if power == -1 else 1.0)


@compiled(nogil=True)
def distance(nodes: np.ndarray, i: int, j: int) -> float:
    """Squared distance of two nodes in rapidity and azimuth."""
    rapidity, azimuth = nodes[i, _Y] - nodes[j, _Y], abs(nodes[i, _PHI] - nodes[j, _PHI])
    azimuth = 2.0 * pi - azimuth if azimuth > pi else azimuth
    return rapidity * rapidity + azimuth * azimuth


@compiled(nogil=True)
def find_neighbour(nodes: np.ndarray, active: np.ndarray, number: int, a: int, limit: float) -> tuple[int, float]:
    """Nearest active node closer than ``limit`` (squared), or -1 and the limit: the beam."""
    nearest, least = -1, limit
    for b in range(number):
        if b != a:
            d = distance(nodes, active[a], active[b])
            if d < least:
                nearest, least = active[b], d
    return nearest, least


@compiled(nogil=True)
def cluster(
    jet: np.ndarray, count: int, power: int, limit: float, nodes: np.ndarray, children: np.ndarray, scales: np.ndarray
) -> int:
    """Cluster one jet; returns the number of merges.

    Nodes 0 to count - 1 are the constituents, node count + j is made by merge j from ``children[count + j]``. A node
    whose beam distance, weight times ``limit``, is the smallest of all is a jet and takes no further part; with an
    infinite limit everything is merged.
    """
    active, nearest, least = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count)
    for i in range(count):
        pt, eta, phi, mass = jet[i, 0], jet[i, 1], jet[i, 2], jet[i, 3]
        nodes[i, _E] = sqrt(pt * pt * cosh(eta) ** 2 + mass * mass)
        nodes[i, _PX], nodes[i, _PY], nodes[i, _PZ] = pt * cos(phi), pt * sin(phi), pt * sinh(eta)
        refresh(nodes, i, power)
        children[i, 0], children[i, 1] = -1, -1
        active[i] = i
    for a in range(count):
        nearest[a], least[a] = find_neighbour(nodes, active, count, a, limit)
    merges, number = 0, count
    while number > 0 and (number > 1 or limit < np.inf):
        best, place = np.inf, 0
        for a in range(number):
            weight = nodes[active[a], _WEIGHT]
            if nearest[a] >= 0:
                weight = min(weight, nodes[nearest[a], _WEIGHT])
            if weight * least[a] < best:
                best, place = weight * least[a], a
        first, second = active[place], nearest[place]
        new = count + merges
        if second >= 0:
            if nodes[first, _PX] ** 2 + nodes[first, _PY] ** 2 < nodes[second, _PX] ** 2 + nodes[second, _PY] ** 2:
                first, second = second, first
            for c in range(4):
                nodes[new, c] = nodes[first, c] + nodes[second, c]
            refresh(nodes, new, power)
            children[new, 0], children[new, 1] = first, second
            scales[merges] = sqrt(best)
            merges += 1
            for a in range(number):
                if active[a] == second:
                    active[a] = new
                    place = a
            gone = first
        else:
            gone, place = first, -1
        for a in range(number):
            if active[a] == gone:
                number -= 1
                active[a], nearest[a], least[a] = active[number], nearest[number], least[number]
                if place == number:
                    place = a
                break
        for a in range(number):
            if a == place or nearest[a] == gone or (second >= 0 and (nearest[a] == first or nearest[a] == second)):
                nearest[a], least[a] = find_neighbour(nodes, active, number, a, limit)
            elif place >= 0:
                d = distance(nodes, active[a], new)
                if d < least[a]:
                    nearest[a], least[a] = new, d
    return merges


@compiled(nogil=True)
def occupied(jet: np.ndarray) -> int:
    """Number of constituents before the padding."""
    count = 0
    while count < len(jet) and jet[count, 0] > 0.0:
        count += 1
    return count


@compiled(nogil=True)
def fill_trees(
    jets: np.ndarray, power: int, children: np.ndarray, momenta: np.ndarray, root: np.ndarray, scale: np.ndarray
) -> None:
    """Trees of a block of jets; merges move up from node ``count`` to node k."""
    n, k = jets.shape[:2]
    nodes, pairs, scales = np.empty((2 * k, 7)), np.empty((2 * k, 2), np.int64), np.empty(k)
    for j in range(n):
        count = occupied(jets[j])
        merges = cluster(jets[j], count, power, np.inf, nodes, pairs, scales)
        for i in range(count + merges):
            to = i if i < count else i - count + k
            for c in range(2):
                child = pairs[i, c]
                children[j, to, c] = child if child < count else child - count + k
            for c in range(4):
                momenta[j, to, c] = nodes[i, c]
        for i in range(merges):
            scale[j, i] = scales[i]
        root[j] = (k + merges - 1) if merges else count - 1


@compiled(nogil=True)
def mark(children: np.ndarray, top: int, count: int, value: int, labels: np.ndarray) -> None:
    """Give every constituent below node ``top`` a label; nodes are numbered in the order in which they were made."""
    below = np.zeros(top + 1, np.bool_)
    below[top] = True
    for node in range(top, count - 1, -1):
        if below[node]:
            below[children[node, 0]] = True
            below[children[node, 1]] = True
    for i in range(min(count, top + 1)):
        if below[i]:
            labels[i] = value


@compiled(nogil=True)
def split_nodes(children: np.ndarray, top: int, wanted: int, chosen: np.ndarray) -> int:
    """Undo the latest merges below ``top`` until ``wanted`` nodes stand; returns how many there are."""
    chosen[0] = top
    number = 1
    while number < wanted:
        latest = 0
        for i in range(number):
            if chosen[i] > chosen[latest]:
                latest = i
        node = chosen[latest]
        if children[node, 0] < 0:
            break
        chosen[latest], chosen[number] = children[node, 0], children[node, 1]
        number += 1
    return number


@compiled(nogil=True)
def fill_subjets(jets: np.ndarray, power: int, radius: float, labels: np.ndarray) -> None:
    """Inclusive jets of a radius inside each jet, numbered by falling transverse momentum."""
    n, k = jets.shape[:2]
    nodes, pairs, scales = np.empty((2 * k, 7)), np.empty((2 * k, 2), np.int64), np.empty(k)
    for j in range(n):
        count = occupied(jets[j])
        merges = cluster(jets[j], count, power, radius * radius, nodes, pairs, scales)
        is_jet = np.ones(count + merges, np.bool_)
        for i in range(count, count + merges):
            is_jet[pairs[i, 0]] = False
            is_jet[pairs[i, 1]] = False
        rank = int(np.int64(0))
        while True:
            best, hardest = 0.0, -1
            for i in range(count + merges):
                square = nodes[i, _PX] ** 2 + nodes[i, _PY] ** 2
                if is_jet[i] and square > best:
                    best, hardest = square, i
            if hardest < 0:
                break
            is_jet[hardest] = False
            mark(pairs, hardest, count, rank, labels[j])
            rank += 1


def clustering_tree(constituents: ArrayLike, *, algorithm: str = "cambridge") -> ClusteringTree:
    """The binary tree of merging each jet's constituents into one.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end. k at most 16 000.
    algorithm : {"cambridge", "kt", "anti-kt"}
        The nearest pair first; the softest; the nearest to a hard particle.

    Returns
    -------
    ClusteringTree

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, a jet is empty, or there is no such algorithm.

    Notes
    -----
    A recursive network visits the nodes in their order: children always come before what they make.
    Catani et al., Nucl. Phys. B 406 (1993) 187 (kt); Dokshitzer et al., hep-ph/9707323 (Cambridge); Cacciari, Salam and
    Soyez, arXiv:0802.1189 (anti-kt). For a use in networks: Louppe et al., arXiv:1702.00748.

    Examples
    --------
    >>> jet = [[[30.0, 0.0, 0.0, 0.0], [20.0, 0.5, 0.0, 0.0], [10.0, 0.6, 0.0, 0.0]]]
    >>> clustering_tree(jet).children[0].tolist()
    [[-1, -1], [-1, -1], [-1, -1], [1, 2], [0, 3]]
    """
    array = check_filled(constituents)
    power = POWERS[check_choice(choices=tuple(POWERS), algorithm=algorithm)]
    n, k = array.shape[:2]
    if k > 16_000:
        raise ValueError(f"constituents must have at most 16000 in a jet, got shape {array.shape}")
    tree = ClusteringTree(
        children=np.full((n, 2 * k - 1, 2), -1, np.int16),
        momenta=np.zeros((n, 2 * k - 1, 4), np.float32),
        root=np.zeros(n, np.int16),
        scale=np.zeros((n, k - 1), np.float32),
    )

    def work(jets: np.ndarray, rows: slice) -> None:
        fill_trees(jets, power, tree.children[rows], tree.momenta[rows], tree.root[rows], tree.scale[rows])

    over_blocks(work, array, "clustering")
    return tree


def clustering_plain(jet: ArrayLike, *, algorithm: str = "cambridge", radius: float | None = None) -> list[list[int]]:
    """Cluster one jet by looking at all pairs again after every merge: slow, readable, and a check of the fast one.

    Parameters
    ----------
    jet : array, (k, 4), GeV and rad
        pt, eta, phi, mass of one jet; padding has pt = 0.
    algorithm : {"cambridge", "kt", "anti-kt"}
    radius : float, optional
        With it particles farther from all others than the radius are jets of their own; without it all are merged.

    Returns
    -------
    list of lists of int
        The constituents of each jet, in the order in which they were completed.

    Raises
    ------
    ValueError, TypeError
        As for `clustering_tree`.

    Examples
    --------
    >>> jet = [[30.0, 0.0, 0.0, 0.0], [20.0, 0.5, 0.0, 0.0], [10.0, 0.6, 0.0, 0.0]]
    >>> clustering_plain(jet, algorithm="anti-kt", radius=0.3)
    [[0], [1, 2]]
    """
    array = check_filled(np.asarray(jet)[None]).astype(np.float64)
    p = POWERS[check_choice(choices=tuple(POWERS), algorithm=algorithm)]
    limit = np.inf if radius is None else check_number(minimum=0, exclusive=True, radius=radius)
    members = [[i] for i in range(np.count_nonzero(array[0, :, 0]))]
    momenta = list(four_momenta(array)[0, : len(members)])
    jets = []
    while members:
        energy, x, y, z = np.array(momenta).T
        pt, phi, rapidity = np.hypot(x, y), np.arctan2(y, x), np.arctanh(z / energy)
        turn = np.abs(phi[:, None] - phi)
        gap = np.hypot(rapidity[:, None] - rapidity, np.minimum(turn, 2 * np.pi - turn))
        pair = np.minimum(pt[:, None] ** (2 * p), pt ** (2 * p)) * gap**2
        pair[np.diag_indices_from(pair)] = pt ** (2 * p) * limit**2 if radius else np.inf
        i, j = sorted(np.unravel_index(pair.argmin(), pair.shape))
        if i == j:
            jets.append(sorted(members.pop(i)))
            momenta.pop(i)
        else:
            members[i] += members.pop(j)
            momenta[i] = momenta[i] + momenta.pop(j)
    return jets


def subjets(constituents: ArrayLike, *, radius: float, algorithm: str = "anti-kt") -> np.ndarray:
    """Cluster the constituents of each jet into smaller jets.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    radius : float
    algorithm : {"anti-kt", "cambridge", "kt"}

    Returns
    -------
    array, (n, k), int64
        For each constituent the number of its subjet, 0 for the one with the largest transverse momentum; -1 for
        padding.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, a jet is empty, or an option is out of range.

    Examples
    --------
    >>> jet = [[[30.0, 0.0, 0.0, 0.0], [20.0, 0.5, 0.0, 0.0], [10.0, 0.6, 0.0, 0.0]]]
    >>> subjets(jet, radius=0.3)
    array([[0, 1, 1]])
    """
    array = check_filled(constituents)
    radius = check_number(minimum=0, exclusive=True, radius=radius)
    power = POWERS[check_choice(choices=tuple(POWERS), algorithm=algorithm)]
    labels = np.full(array.shape[:2], -1)
    over_blocks(lambda jets, rows: fill_subjets(jets, power, radius, labels[rows]), array, "subjets")
    return labels


def check_filled(constituents: ArrayLike) -> np.ndarray:
    """Constituents of jets that are not empty, with the padding at the end."""
    array = check_constituents(constituents)
    filled = array[..., 0] > 0
    if not filled[:, 0].all() or (filled[:, 1:] & ~filled[:, :-1]).any():
        raise ValueError("constituents must have at least one in every jet, and padding (pt = 0) only at the end")
    return array
