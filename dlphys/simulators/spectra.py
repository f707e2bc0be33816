"""Two spectra to learn with known truth: the gluons of the proton, and electrons that lost energy in a flake of WS2.

The momentum distribution x g(x) of gluons is a closed form near a published one, with the published uncertainty, so
that a fit can be closed: `simulate` draws pseudo-data around the known truth (or replicas of such data), and the fit
must find it within its band as often as it claims. `scaling_violations` asks for the same function through an
integral over it. `oracle_fit` knows the form of the truth.

`energy_loss_image` makes the spectra of the pixels of a flake, with the true zero-loss peak as the background to be
learnt; `reflected_tail` and `log_ratio_thickness` are the baselines. Used in the lectures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._energy_loss import (
    ENERGY_LOSS,
    EnergyLossSpectra,
    energy_loss_image,
    log_ratio_thickness,
    reflected_tail,
    single_scattering,
    thickness_map,
    zero_loss_peak,
)
from dlphys.simulators._sample import Sample

__all__ = [
    "ENERGY_LOSS",
    "EnergyLossSpectra",
    "PseudoData",
    "chi_squared",
    "coverage",
    "energy_loss_image",
    "gluon_momentum",
    "gluon_uncertainty",
    "log_ratio_thickness",
    "momentum_grid",
    "oracle_fit",
    "reflected_tail",
    "scaling_violation_matrix",
    "scaling_violations",
    "simulate",
    "single_scattering",
    "thickness_map",
    "zero_loss_peak",
]

SMALLEST_X = 1e-6
COUPLING = 0.30  # alpha_s at 2 GeV
CHARGES_SQUARED = 10.0 / 9.0  # of four quark flavours
VALENCE_LIKE, ROOT, LINEAR, SEA_LIKE = 7.9283, -2.96297, 2.57459, 0.36396
RISE, FALL, LARGE_X = 0.18542, -0.2729, 4.52093
_LOG_UNCERTAINTY = (-0.0042, -0.0774, -0.5081, -1.3973, -1.9996, -2.2306)  # powers 5 ... 0 of log10 x

BLOCK = 64
EXPERIMENT, REPLICA = 0, 1


@dataclass(frozen=True, repr=False, eq=False)
class PseudoData(Sample):
    """Data drawn around a known truth; the first axis is the pseudo-experiment or the replica.

    Attributes
    ----------
    values : array, (n, points), float32
        What was measured.
    truth : array, (n, points), float32
        The same without errors.
    uncertainty : array, (n, points), float32
        Standard deviation of the error of each value at level 1.
    x : array, (n, points), float32
        Share of the proton's momentum, equally spaced in its logarithm, the same for all.
    """

    units: ClassVar = {"values": "", "truth": "", "uncertainty": "", "x": ""}

    values: np.ndarray
    truth: np.ndarray
    uncertainty: np.ndarray
    x: np.ndarray


def gluon_momentum(x: ArrayLike) -> np.ndarray:
    """Momentum distribution x g(x) of the gluons in a proton at a scale of 2 GeV.

    (7.9283 x^0.18542 (1 - 2.96297 sqrt(x) + 2.57459 x) + 0.36396 x^-0.2729) (1 - x)^4.52093: our own smooth form,
    within 0.6 standard deviations of the set NNPDF3.1 (NLO) at the nine values of x that we compared.

    Parameters
    ----------
    x : array
        Share of the proton's momentum, 1e-6 to 1.

    Returns
    -------
    array, shape of ``x``
        Positive below x = 1.

    Raises
    ------
    ValueError, TypeError
        If ``x`` is out of range.

    References
    ----------
    R. D. Ball et al. (NNPDF), Eur. Phys. J. C 77 (2017) 663.

    Examples
    --------
    >>> gluon_momentum([1e-4, 1e-2, 0.3]).round(2)
    array([5.89, 3.58, 0.29])
    """
    return _basis(_share(x)) @ np.array([VALENCE_LIKE, VALENCE_LIKE * ROOT, VALENCE_LIKE * LINEAR, SEA_LIKE])


def gluon_uncertainty(x: ArrayLike) -> np.ndarray:
    """Standard deviation of x g(x), as known from data: 3 % in the middle, larger than the value at both ends.

    Its decimal logarithm is a polynomial of fifth degree in log10 x, within 0.18 of that of NNPDF3.1 (NLO) at 2 GeV.

    Parameters
    ----------
    x : array
        1e-6 to 1.

    Returns
    -------
    array, shape of ``x``

    Raises
    ------
    ValueError, TypeError
        If ``x`` is out of range.

    Examples
    --------
    >>> gluon_uncertainty([1e-4, 1e-2, 0.3]).round(3)
    array([2.605, 0.138, 0.032])
    """
    return 10.0 ** np.polyval(_LOG_UNCERTAINTY, np.log10(_share(x)))


def momentum_grid(points: int = 64, *, x_min: float = 1e-3) -> tuple[np.ndarray, np.ndarray]:
    """Nodes x and weights w for integrals: the sum of w f(x) is the integral of f from x_min to 1.

    Gauss and Legendre in ln x, where x g(x) is smooth. The momentum of all gluons is ``w @ gluon_momentum(x)``.

    Parameters
    ----------
    points : int
        2 to 1000.
    x_min : float
        1e-6 to 0.9.

    Returns
    -------
    x, w : arrays, (points,)
        x increases.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> x, w = momentum_grid()
    >>> print(f"gluons above x = 0.001 carry {w @ gluon_momentum(x):.3f} of the momentum")
    gluons above x = 0.001 carry 0.423 of the momentum
    """
    points = check_count(minimum=2, maximum=1000, points=points)
    x_min = _smallest(x_min)
    node, weight = np.polynomial.legendre.leggauss(points)
    x = np.exp(0.5 * np.log(x_min) * (1.0 - node))
    return x, -0.5 * np.log(x_min) * weight * x


def scaling_violation_matrix(x: ArrayLike, nodes: ArrayLike, *, points: int = 48) -> np.ndarray:
    """The matrix A of an integral over the gluons: the observable is A times x g(x) at the nodes.

    Gluons split into quarks, and the structure function F2 grows with the scale:
    dF2 / d ln Q^2 = (alpha_s / pi) (sum of e_q^2) int_x^1 du P(u) G(x / u), with P(u) = (u^2 + (1 - u)^2) / 2,
    G(x) = x g(x), alpha_s = 0.30 and four flavours. G is interpolated linearly in ln x between the nodes.
    A cost through A is a cost through an integral of the network; A is its one linear layer.

    Parameters
    ----------
    x : array, (n,)
        Where the observable is wanted, at least the first node.
    nodes : array, (m,)
        Where x g(x) is known; increasing, 1e-6 to 1.
    points : int
        Of the quadrature of each integral, 8 to 500.

    Returns
    -------
    array, (n, m)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    G. Altarelli and G. Parisi, Nucl. Phys. B 126 (1977) 298. The part of the quarks, a loss, is left out.

    Examples
    --------
    >>> nodes = np.geomspace(1e-3, 1.0, 200)
    >>> observable = scaling_violation_matrix([0.001, 0.01], nodes) @ gluon_momentum(nodes)
    >>> observable.round(3)
    array([0.139, 0.097])
    """
    nodes = check_array(ndim=1, minimum=SMALLEST_X, maximum=1.0, nodes=nodes)
    if len(nodes) < 2 or (np.diff(nodes) <= 0).any():
        raise ValueError(f"nodes must be at least two increasing numbers, got {nodes[:4].tolist()} ...")
    x = check_array(ndim=1, minimum=float(nodes[0]), maximum=1.0, x=x)
    points = check_count(minimum=8, maximum=500, points=points)
    node, weight = np.polynomial.legendre.leggauss(points)
    log_z = 0.5 * np.log(x)[:, None] * (1.0 - node)  # z = x / u between x and 1
    u = x[:, None] / np.exp(log_z)
    measure = -0.5 * np.log(x)[:, None] * weight * u * 0.5 * (u**2 + (1.0 - u) ** 2)
    log_nodes = np.log(nodes)
    place = np.clip(np.searchsorted(log_nodes, log_z, side="right") - 1, 0, len(nodes) - 2)
    upper = (log_z - log_nodes[place]) / (log_nodes[place + 1] - log_nodes[place])
    upper = np.where(log_z > log_nodes[-1], 0.0, upper)
    inside = log_z <= log_nodes[-1]
    matrix = np.zeros((len(x), len(nodes)))
    row = np.broadcast_to(np.arange(len(x))[:, None], place.shape)
    np.add.at(matrix, (row, place), measure * (1.0 - upper) * inside)
    np.add.at(matrix, (row, place + 1), measure * upper * inside)
    return COUPLING / np.pi * CHARGES_SQUARED * matrix


def simulate(n: int, *, seed: Seed, points: int = 1000, x_min: float = 1e-3, level: int = 1) -> PseudoData:
    """Pseudo-data of x g(x) with Gaussian errors of the size of `gluon_uncertainty`.

    Parameters
    ----------
    n : int
        Pseudo-experiments, or replicas of one (level 2).
    seed : int or numpy.random.Generator
    points : int
        Values of each.
    x_min : float
        Smallest share of momentum, 1e-6 to 0.9; the largest is 0.9.
    level : {0, 1, 2}
        Of the closure test. 0: the truth itself. 1: each of the n is the truth with errors of its own. 2: each is a
        replica, that is the first pseudo-experiment of level 1 (same seed) with errors once more; fits to the
        replicas scatter as a fit to the data does about the truth.

    Returns
    -------
    PseudoData

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The truth has a chi-squared per point of 0, 1 and 2 at the three levels, on average.

    References
    ----------
    R. D. Ball et al. (NNPDF), JHEP 04 (2015) 040, section 4 (levels of closure tests).

    Examples
    --------
    >>> data = simulate(200, seed=1, points=100)
    >>> print(f"{chi_squared(data.truth, data.values, data.uncertainty).mean():.2f}")
    1.00
    """
    x = _log_grid(points, x_min)
    return _pseudo_data(n, seed, x, gluon_momentum(x), gluon_uncertainty(x), level)


def scaling_violations(
    n: int, *, seed: Seed, points: int = 100, x_min: float = 1e-3, level: int = 1, relative_error: float = 0.05
) -> PseudoData:
    """Pseudo-data of an integral over the gluons, dF2 / d ln Q^2 of `scaling_violation_matrix`.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    points : int
    x_min : float
        As in `simulate`.
    level : {0, 1, 2}
        As in `simulate`.
    relative_error : float
        Standard deviation over value, 0.001 to 1.

    Returns
    -------
    PseudoData

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> scaling_violations(3, seed=1).values.shape
    (3, 100)
    """
    x = _log_grid(points, x_min)
    check_number(minimum=0.001, maximum=1.0, relative_error=relative_error)
    nodes = np.geomspace(x_min, 1.0, 1000)
    truth = scaling_violation_matrix(x, nodes) @ gluon_momentum(nodes)
    return _pseudo_data(n, seed, x, truth, relative_error * truth, level)


def chi_squared(prediction: ArrayLike, values: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
    """Chi-squared per point: the mean over the last axis of ((prediction - value) / uncertainty)^2.

    Parameters
    ----------
    prediction, values : arrays that broadcast, (..., points)
    uncertainty : array that broadcasts with them
        Above 0.

    Returns
    -------
    array, (...)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> float(chi_squared([1.0, 2.0], [1.5, 2.0], 0.5))
    0.5
    """
    prediction, values = check_array(prediction=prediction), check_array(values=values)
    uncertainty = check_array(minimum=1e-300, uncertainty=uncertainty)
    return (((prediction - values) / uncertainty) ** 2).mean(-1)


def coverage(fits: ArrayLike, truth: ArrayLike) -> float:
    """Share of the points where the band of the fits, mean +- one standard deviation, holds the truth.

    0.683 for an honest band, if the fits are many. One pseudo-experiment alone may be far from it, since its points
    move together: average over several.

    Parameters
    ----------
    fits : array, (replicas, points)
        At least two.
    truth : array, (points,)

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit.

    Examples
    --------
    >>> coverage([[0.0, 0.0], [2.0, 2.0]], [1.5, 9.0])
    0.5
    """
    fits = check_array(ndim=2, fits=fits)
    if len(fits) < 2:
        raise ValueError(f"fits must hold at least two replicas, got {len(fits)}")
    truth = check_array(shape=(fits.shape[1],), truth=truth)
    return float((np.abs(fits.mean(0) - truth) < fits.std(0, ddof=1)).mean())


def oracle_fit(data: PseudoData) -> np.ndarray:
    """Oracle: weighted least squares of the four coefficients of the true form, each pseudo-experiment by itself.

    It knows the powers of x and 1 - x in `gluon_momentum`. No unbiased linear fit has a narrower band (Gauss and
    Markov), and its replicas cover the truth as often as they should.

    Parameters
    ----------
    data : PseudoData
        Of `simulate`.

    Returns
    -------
    array, (n, points)
        The fitted x g(x).

    Raises
    ------
    TypeError
        If ``data`` is something else.

    Examples
    --------
    >>> data = simulate(100, seed=1)
    >>> print(f"{chi_squared(oracle_fit(data), data.values, data.uncertainty).mean():.3f}")  # 1 - 4 / 1000
    0.998
    """
    if not isinstance(data, PseudoData):
        raise TypeError(f"data must be PseudoData, got {type(data).__name__}")
    basis = _basis(data.x[0].astype(float))
    weight = 1.0 / data.uncertainty[0].astype(float)
    coefficients, *_ = np.linalg.lstsq(basis * weight[:, None], (data.values * weight).T, rcond=None)
    return (basis @ coefficients).T


def _share(x: ArrayLike) -> np.ndarray:
    return check_array(minimum=SMALLEST_X, maximum=1.0, x=x)


def _smallest(x_min: float) -> float:
    return check_number(minimum=SMALLEST_X, maximum=0.9, x_min=x_min)


def _log_grid(points: int, x_min: float) -> np.ndarray:
    points = check_count(minimum=2, maximum=1_000_000, points=points)
    x = np.geomspace(_smallest(x_min), 0.9, points)
    return np.clip(x, x_min, 0.9)  # geomspace may miss its ends by a rounding


def _basis(x: np.ndarray) -> np.ndarray:
    """The four functions whose sum is `gluon_momentum`, (..., 4)."""
    rise = x**RISE
    shapes = np.stack([rise, rise * np.sqrt(x), rise * x, x**FALL], axis=-1)
    return shapes * ((1.0 - x) ** LARGE_X)[..., None]


def _pseudo_data(
    n: int, seed: Seed, x: np.ndarray, truth: np.ndarray, uncertainty: np.ndarray, level: int
) -> PseudoData:
    n = check_count(n=n)
    check_choice(choices=(0, 1, 2), level=level)
    stream = Streams.of(seed)
    data = PseudoData(*(np.empty((n, len(x)), np.float32) for _ in range(4)))
    data.truth[:], data.uncertainty[:], data.x[:] = truth, uncertainty, x

    def fill(block: int, events: slice) -> None:
        values = np.broadcast_to(truth, (events.stop - events.start, len(x)))
        if level == 1:
            values = values + uncertainty * stream(EXPERIMENT, block).standard_normal(values.shape)
        elif level == 2:
            shift = stream(EXPERIMENT, 0).standard_normal(len(x))
            values = values + uncertainty * (shift + stream(REPLICA, block).standard_normal(values.shape))
        data.values[events] = values

    fill_blocks(fill, n, block=BLOCK, title="pseudo-data")
    return data
