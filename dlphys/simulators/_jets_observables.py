"""Numbers that describe a jet, and two ways to ask whether one of them is infrared and collinear safe."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._random import Seed, generator
from dlphys._validation import check_number
from dlphys.simulators._jets_arrays import check_constituents, jet_momentum, over_blocks
from dlphys.simulators._jets_clustering import occupied
from dlphys.simulators._jets_grooming import n_subjettiness, soft_drop


@compiled(nogil=True)
def gap(eta: float, phi: float) -> float:
    """Distance in (eta, phi), the azimuth taken around the circle."""
    phi = abs(phi)
    phi = 2.0 * pi - phi if phi > pi else phi
    return sqrt(eta * eta + phi * phi)


@compiled(nogil=True)
def fill_angularities(
    jets: np.ndarray, axes: np.ndarray, kappa: float, beta: float, radius: float, values: np.ndarray
) -> None:
    """Angularities of a block of jets about the given axes (n, 2: eta, phi)."""
    for j in range(len(jets)):
        count, total, value = occupied(jets[j]), 0.0, 0.0
        for i in range(count):
            total += jets[j, i, 0]
        for i in range(count):
            angle = gap(jets[j, i, 1] - axes[j, 0], jets[j, i, 2] - axes[j, 1]) / radius
            value += (jets[j, i, 0] / total) ** kappa * angle**beta
        values[j] = value


@compiled(nogil=True)
def fill_correlations(jets: np.ndarray, beta: float, values: np.ndarray) -> None:
    """Energy correlations e_2 and e_3 of a block of jets."""
    n, k = jets.shape[:2]
    angles = np.empty((k, k))
    z = np.empty(k)
    for j in range(n):
        count, total = occupied(jets[j]), 0.0
        for i in range(count):
            total += jets[j, i, 0]
            z[i] = jets[j, i, 0]
            for m in range(i):
                angle = gap(jets[j, i, 1] - jets[j, m, 1], jets[j, i, 2] - jets[j, m, 2])
                angles[i, m] = angle if beta == 1.0 else angle**beta
        pairs, triples = 0.0, 0.0
        for i in range(count):
            for m in range(i):
                pair = z[i] * z[m] * angles[i, m]
                pairs += pair
                inner = 0.0
                for o in range(m):
                    inner += z[o] * angles[i, o] * angles[m, o]
                triples += pair * inner
        values[j, 0], values[j, 1] = pairs / total**2, triples / total**3


@compiled(nogil=True)
def fill_planar_flow(jets: np.ndarray, axes: np.ndarray, values: np.ndarray) -> None:
    """4 det / trace^2 of the momentum tensor in the plane across the jet."""
    for j in range(len(jets)):
        xx, yy, xy = 0.0, 0.0, 0.0
        for i in range(occupied(jets[j])):
            pt, eta, phi = jets[j, i, 0], jets[j, i, 1] - axes[j, 0], jets[j, i, 2] - axes[j, 1]
            phi = phi - 2.0 * pi if phi > pi else (phi + 2.0 * pi if phi < -pi else phi)
            xx += pt * eta * eta
            yy += pt * phi * phi
            xy += pt * eta * phi
        trace = xx + yy
        values[j] = max(0.0, 4.0 * (xx * yy - xy * xy) / (trace * trace)) if trace > 0.0 else 0.0


def multiplicity(constituents: ArrayLike) -> np.ndarray:
    """Number of constituents. Neither infrared nor collinear safe.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0.

    Returns
    -------
    array, (n,), int64

    Raises
    ------
    ValueError, TypeError
        If the array has another shape.

    Examples
    --------
    >>> multiplicity([[[30.0, 0.4, 3.1, 0.0], [10.0, 0.0, -3.1, 0.0], [0.0, 0.0, 0.0, 0.0]]])
    array([2])
    """
    return np.count_nonzero(check_constituents(constituents)[..., 0], axis=1)


def angularity(constituents: ArrayLike, *, beta: float = 1.0, kappa: float = 1.0, radius: float = 0.4) -> np.ndarray:
    """Generalised angularities sum z_i^kappa (DeltaR_i / radius)^beta with z_i = pt_i / sum pt and the axis of the jet.

    beta = 1: girth or width; 0.5: Les Houches angularity; 2: about m^2 / (pt radius)^2. With beta = 0, kappa = 2 it is
    the square of the dispersion p_T^D. Infrared and collinear safe for kappa = 1 and beta > 0 only.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    beta, kappa : float
        At least 0.
    radius : float
        Of the jets.

    Returns
    -------
    array, (n,), float64

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, or a number is out of range.

    Notes
    -----
    Larkoski, Thaler and Waalewijn, arXiv:1408.3122. Distances are in pseudorapidity and azimuth.

    Examples
    --------
    >>> angularity([[[50.0, 0.4, 0.0, 0.0], [50.0, -0.4, 0.0, 0.0]]], radius=0.4)
    array([1.])
    """
    array = check_constituents(constituents)
    beta, kappa = check_number(minimum=0, beta=beta), check_number(minimum=0, kappa=kappa)
    radius = check_number(minimum=0, exclusive=True, radius=radius)
    axes, values = jet_axis(array), np.empty(len(array))
    over_blocks(
        lambda jets, rows: fill_angularities(jets, axes[rows], kappa, beta, radius, values[rows]), array, "angularities"
    )
    return values


def energy_correlations(constituents: ArrayLike, *, beta: float = 1.0) -> np.ndarray:
    """Sums over pairs and triples: e_2 = sum z_i z_j R_ij^beta, e_3 = sum z_i z_j z_k (R_ij R_ik R_jk)^beta.

    Two prongs make e_3 small: C_2 = e_3 / e_2^2 and D_2 = e_3 / e_2^3. Infrared and collinear safe.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    beta : float
        Above 0.

    Returns
    -------
    array, (n, 2), float64
        e_2 and e_3.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, or ``beta`` is out of range.

    Notes
    -----
    Larkoski, Salam and Thaler, arXiv:1305.0007; Larkoski, Moult and Neill, arXiv:1409.6298. Costs k^3 / 6 products a
    jet.

    Examples
    --------
    >>> energy_correlations([[[50.0, 0.4, 0.0, 0.0], [50.0, -0.4, 0.0, 0.0]]])
    array([[0.2, 0. ]])
    """
    array = check_constituents(constituents)
    beta = check_number(minimum=0, exclusive=True, beta=beta)
    values = np.empty((len(array), 2))
    over_blocks(lambda jets, rows: fill_correlations(jets, beta, values[rows]), array, "energy correlations")
    return values


def planar_flow(constituents: ArrayLike) -> np.ndarray:
    """4 det(I) / tr(I)^2 with I_ab = sum pt a b and a, b the distances in eta and phi: 0 on a line, 1 on a disc.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.

    Returns
    -------
    array, (n,), float64

    Raises
    ------
    ValueError, TypeError
        If the array has another shape.

    Notes
    -----
    Thaler and Wang, arXiv:0806.0023; Almeida et al., arXiv:0807.0234. Infrared and collinear safe.

    Examples
    --------
    >>> planar_flow([[[50.0, 0.4, 0.0, 0.0], [50.0, -0.4, 0.0, 0.0]]])
    array([0.])
    """
    array = check_constituents(constituents)
    axes, values = jet_axis(array), np.empty(len(array))
    over_blocks(lambda jets, rows: fill_planar_flow(jets, axes[rows], values[rows]), array, "planar flow")
    return values


def jet_axis(constituents: ArrayLike) -> np.ndarray:
    """Pseudorapidity and azimuth of the jets' momenta.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0.

    Returns
    -------
    array, (n, 2), float64

    Raises
    ------
    ValueError, TypeError
        If the array has another shape.

    Examples
    --------
    >>> jet_axis([[[50.0, 0.3, 3.0, 0.0]]])
    array([[0.3, 3. ]])
    """
    total = jet_momentum(constituents)
    pt = np.hypot(total[:, 1], total[:, 2])
    return np.stack([np.arcsinh(total[:, 3] / np.maximum(pt, 1e-300)), np.arctan2(total[:, 2], total[:, 1])], axis=-1)


def add_soft(constituents: ArrayLike, *, fraction: float = 1e-6, radius: float = 0.4, seed: Seed) -> np.ndarray:
    """Add to every jet one massless particle with a tiny part of its transverse momentum, anywhere in its disc.

    An infrared safe observable changes as little as the fraction; the multiplicity does not care how soft it is.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    fraction : float
        In (0, 1).
    radius : float
    seed : int or numpy.random.Generator

    Returns
    -------
    array, (n, k + 1, 4), float64
        The new particle is the last before the padding.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, or a number is out of range.

    Examples
    --------
    >>> add_soft([[[50.0, 0.3, 3.0, 0.0]]], fraction=0.5, seed=1)[0, :, 0]
    array([50., 25.])
    """
    array = check_constituents(constituents).astype(np.float64)
    fraction = check_number(minimum=0, maximum=1, exclusive=True, fraction=fraction)
    radius = check_number(minimum=0, exclusive=True, radius=radius)
    random = generator(seed)
    n = len(array)
    r, angle = radius * np.sqrt(random.random(n)), 2 * pi * random.random(n)
    axis = jet_axis(array)
    soft = np.stack(
        [
            fraction * array[..., 0].sum(1),
            axis[:, 0] + r * np.cos(angle),
            _wrapped(axis[:, 1] + r * np.sin(angle)),
            np.zeros(n),
        ],
        axis=-1,
    )
    return _appended(array, soft)


def split_collinear(constituents: ArrayLike, *, share: float = 0.3, seed: Seed) -> np.ndarray:
    """Split in every jet one particle, drawn at random, into two parallel ones.

    A collinear safe observable does not change; the multiplicity does.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    share : float
        Part of the momentum, and of the mass, that the new particle takes; in (0, 1).
    seed : int or numpy.random.Generator

    Returns
    -------
    array, (n, k + 1, 4), float64
        The new particle is the last before the padding. The sum of the four-momenta is that of before.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, or ``share`` is out of range.

    Examples
    --------
    >>> split_collinear([[[50.0, 0.3, 3.0, 0.0]]], share=0.2, seed=1)[0, :, 0]
    array([40., 10.])
    """
    array = check_constituents(constituents).astype(np.float64)
    share = check_number(minimum=0, maximum=1, exclusive=True, share=share)
    chosen = (generator(seed).random(len(array)) * multiplicity(array)).astype(np.int64)
    rows = np.arange(len(array))
    new = array[rows, chosen]
    new[:, [0, 3]] *= share
    array[rows, chosen] *= [1 - share, 1, 1, 1 - share]
    return _appended(array, new)


def zprime_features(constituents: ArrayLike, *, radius: float = 0.8) -> np.ndarray:
    """Eleven numbers of substructure for each jet, without its mass and transverse momentum.

    In this order: N-subjettiness ratios tau_21 and tau_32, energy-correlation ratios C_2 and D_2 (beta = 1), width, Les
    Houches angularity, dispersion p_T^D, planar flow, momentum sharing z_g and angle R_g / radius of soft drop
    (z_cut = 0.1, beta = 0), and the number of constituents.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    radius : float
        Of the jets.

    Returns
    -------
    array, (n, 11), float32

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, a jet is empty, or ``radius`` is out of range.

    Notes
    -----
    Shimmin et al., arXiv:1703.03507, use eleven features of this kind; which ones they are is our choice. Ratios whose
    denominator vanishes (jets of one or two particles) are 0.

    Examples
    --------
    >>> zprime_features([[[50.0, 0.4, 0.0, 0.0], [50.0, -0.4, 0.0, 0.0]]])[0, [0, 4, 10]]
    array([0. , 0.5, 2. ], dtype=float32)
    """
    tau = n_subjettiness(constituents, most=3, radius=radius)
    e2, e3 = energy_correlations(constituents).T
    splitting = soft_drop(constituents, radius=radius)[1]
    columns = [
        _ratio(tau[:, 1], tau[:, 0]),
        _ratio(tau[:, 2], tau[:, 1]),
        _ratio(e3, e2**2),
        _ratio(e3, e2**3),
        angularity(constituents, radius=radius),
        angularity(constituents, beta=0.5, radius=radius),
        np.sqrt(angularity(constituents, beta=0.0, kappa=2.0, radius=radius)),
        planar_flow(constituents),
        splitting[:, 0],
        splitting[:, 1] / radius,
        multiplicity(constituents),
    ]
    return np.stack(columns, axis=-1).astype(np.float32)


FEATURES = (
    "tau_21", "tau_32", "C_2", "D_2", "width", "Les Houches angularity",
    "p_T^D", "planar flow", "z_g", "R_g / R", "multiplicity",
)  # fmt: skip


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 1e-12)


def _wrapped(phi: np.ndarray) -> np.ndarray:
    return (phi + pi) % (2 * pi) - pi


def _appended(array: np.ndarray, new: np.ndarray) -> np.ndarray:
    """One more constituent after the last of each jet."""
    longer = np.concatenate([array, np.zeros((len(array), 1, 4))], axis=1)
    longer[np.arange(len(array)), multiplicity(array)] = new
    return longer
