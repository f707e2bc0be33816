"""What is read off the clustering tree: soft drop, trimming and N-subjettiness."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._validation import check_count, check_number
from dlphys.simulators._jets_arrays import check_constituents, over_blocks
from dlphys.simulators._jets_clustering import (
    _PX,
    _PY,
    POWERS,
    check_filled,
    cluster,
    distance,
    mark,
    occupied,
    split_nodes,
    subjets,
)


@compiled(nogil=True)
def fill_groomed(
    jets: np.ndarray, power: int, z_cut: float, beta: float, radius: float, kept: np.ndarray, splitting: np.ndarray
) -> None:
    """Soft drop: follow the harder branch of the Cambridge/Aachen tree down to the first balanced splitting."""
    n, k = jets.shape[:2]
    nodes, pairs, scales = np.empty((2 * k, 7)), np.empty((2 * k, 2), np.int64), np.empty(k)
    labels = np.zeros(k, np.int64)
    for j in range(n):
        count = occupied(jets[j])
        node = count + cluster(jets[j], count, power, np.inf, nodes, pairs, scales) - 1
        while node >= count:
            hard, soft = pairs[node, 0], pairs[node, 1]
            hard_pt = sqrt(nodes[hard, _PX] ** 2 + nodes[hard, _PY] ** 2)
            soft_pt = sqrt(nodes[soft, _PX] ** 2 + nodes[soft, _PY] ** 2)
            z, angle = soft_pt / (hard_pt + soft_pt), sqrt(distance(nodes, hard, soft))
            if z > z_cut * (angle / radius) ** beta:
                splitting[j, 0], splitting[j, 1] = z, angle
                break
            node = hard
        for i in range(count):
            labels[i] = 0
        mark(pairs, node, count, int(np.int64(1)), labels)
        for i in range(count):
            kept[j, i] = labels[i] == 1


@compiled(nogil=True)
def fill_subjettiness(jets: np.ndarray, power: int, most: int, beta: float, radius: float, tau: np.ndarray) -> None:
    """tau_1 to tau_most of a block of jets about exclusive kt axes."""
    n, k = jets.shape[:2]
    nodes, pairs, scales = np.empty((2 * k, 7)), np.empty((2 * k, 2), np.int64), np.empty(k)
    chosen = np.empty(most, np.int64)
    for j in range(n):
        count = occupied(jets[j])
        top = count + cluster(jets[j], count, power, np.inf, nodes, pairs, scales) - 1
        for wanted in range(1, most + 1):
            axes = split_nodes(pairs, top, wanted, chosen)
            total, weighted = 0.0, 0.0
            for i in range(count):
                least = np.inf
                for a in range(axes):
                    least = min(least, distance(nodes, i, chosen[a]))
                total += jets[j, i, 0]
                weighted += jets[j, i, 0] * least ** (0.5 * beta)
            tau[j, wanted - 1] = weighted / (total * radius**beta)


def soft_drop(
    constituents: ArrayLike, *, z_cut: float = 0.1, beta: float = 0.0, radius: float = 0.8
) -> tuple[np.ndarray, np.ndarray]:
    """Groom jets: drop soft branches at wide angles, down to the first balanced splitting.

    The Cambridge/Aachen tree is followed along the harder branch until min(pt_1, pt_2) / (pt_1 + pt_2) > z_cut
    (DeltaR / radius)^beta.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    z_cut : float
        In [0, 0.5].
    beta : float
        At least 0. With 0 it is the modified mass-drop tagger.
    radius : float
        Of the jets.

    Returns
    -------
    kept : array, (n, k), bool
        Constituents that survive. `groomed` removes the others.
    splitting : array, (n, 2), float64
        Momentum sharing z_g and angle R_g of the splitting that passed; zeros if none did.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, a jet is empty, or a number is out of range.

    Notes
    -----
    Larkoski, Marzani, Soyez and Thaler, arXiv:1402.2657; beta = 0: Dasgupta et al., arXiv:1307.0007.

    Examples
    --------
    >>> kept, splitting = soft_drop([[[60.0, 0.0, 0.0, 0.0], [40.0, 0.3, 0.0, 0.0], [1.0, -0.6, 0.0, 0.0]]])
    >>> kept, splitting.round(2)
    (array([[ True,  True, False]]), array([[0.4, 0.3]]))
    """
    array = check_filled(constituents)
    z_cut = check_number(minimum=0, maximum=0.5, z_cut=z_cut)
    beta = check_number(minimum=0, beta=beta)
    radius = check_number(minimum=0, exclusive=True, radius=radius)
    kept = np.zeros(array.shape[:2], np.bool_)
    splitting = np.zeros((len(array), 2))

    def work(jets: np.ndarray, rows: slice) -> None:
        fill_groomed(jets, POWERS["cambridge"], z_cut, beta, radius, kept[rows], splitting[rows])

    over_blocks(work, array, "soft drop")
    return kept, splitting


def trim(constituents: ArrayLike, *, radius: float = 0.2, fraction: float = 0.03) -> np.ndarray:
    """Groom jets: drop kt subjets with less than a fraction of the transverse momentum; the hardest always stays.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    radius : float
        Of the subjets.
    fraction : float
        In [0, 1).

    Returns
    -------
    array, (n, k), bool
        Constituents that survive. `groomed` removes the others.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, a jet is empty, or a number is out of range.

    Notes
    -----
    Krohn, Thaler and Wang, arXiv:0912.1342.

    Examples
    --------
    >>> trim([[[60.0, 0.0, 0.0, 0.0], [40.0, 0.3, 0.0, 0.0], [1.0, -0.6, 0.0, 0.0]]])
    array([[ True,  True, False]])
    """
    labels = subjets(constituents, radius=radius, algorithm="kt")
    fraction = check_number(minimum=0, maximum=1, fraction=fraction)
    array = np.asarray(constituents, dtype=np.float64)
    pt, phi = array[..., 0], array[..., 2]
    n, k = pt.shape
    place = np.arange(n)[:, None] * k + labels
    filled = labels >= 0
    x, y = (np.bincount(place[filled], (pt * turn(phi))[filled], minlength=n * k) for turn in (np.cos, np.sin))
    share = np.hypot(x, y).reshape(n, k) / pt.sum(1, keepdims=True)
    return filled & ((np.take_along_axis(share, np.maximum(labels, 0), axis=1) >= fraction) | (labels == 0))


def groomed(constituents: ArrayLike, kept: ArrayLike) -> np.ndarray:
    """Constituents without those that were dropped, the rest moved together.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
    kept : array, (n, k), bool
        From `soft_drop` or `trim`.

    Returns
    -------
    array, (n, k, 4), of the type of ``constituents``

    Raises
    ------
    ValueError, TypeError
        If an array has another shape.

    Examples
    --------
    >>> groomed([[[60.0, 0.0, 0.0, 0.0], [1.0, 2.0, 0.0, 0.0]]], [[False, True]])[0]
    array([[1., 2., 0., 0.],
           [0., 0., 0., 0.]])
    """
    array = check_constituents(constituents)
    kept = np.asarray(kept)
    if kept.dtype != np.bool_ or kept.shape != array.shape[:2]:
        raise ValueError(f"kept must be an array of bool with shape {array.shape[:2]}, got {kept.dtype} {kept.shape}")
    order = np.argsort(~kept, axis=1, kind="stable")
    return np.take_along_axis(np.where(kept[..., None], array, 0), order[..., None], axis=1)


def n_subjettiness(constituents: ArrayLike, *, most: int = 4, beta: float = 1.0, radius: float = 0.8) -> np.ndarray:
    """How far constituents lie from the nearest of N axes.

    tau_N = sum pt_i min_a DeltaR_ia^beta / (sum pt_i radius^beta), with i the constituents and a the axes.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    most : int
        N goes from 1 to this, which is at most 10.
    beta : float
        Above 0.
    radius : float
        Of the jets.

    Returns
    -------
    array, (n, most), float64
        tau_1, ..., tau_most. A ratio tau_N / tau_(N-1) is small for jets with N prongs.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, a jet is empty, or a number is out of range.

    Notes
    -----
    Axes are those of the exclusive kt algorithm (last N - 1 merges undone), not minimised. Thaler and Van Tilburg,
    arXiv:1011.2268.

    Examples
    --------
    >>> two = [[[50.0, 0.4, 0.0, 0.0], [50.0, -0.4, 0.0, 0.0]]]
    >>> n_subjettiness(two, most=2).round(3)
    array([[0.5, 0. ]])
    """
    array = check_filled(constituents)
    most = check_count(most=most, maximum=10)
    beta = check_number(minimum=0, exclusive=True, beta=beta)
    radius = check_number(minimum=0, exclusive=True, radius=radius)
    tau = np.empty((len(array), most))

    def work(jets: np.ndarray, rows: slice) -> None:
        fill_subjettiness(jets, POWERS["kt"], most, beta, radius, tau[rows])

    over_blocks(work, array, "n-subjettiness")
    return tau
