"""What a calorimeter is expected to register, and classical ways to read it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc

from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_number
from dlphys.simulators._calorimeter_detectors import Detector
from dlphys.simulators._calorimeter_profiles import (
    HIGHEST_ENERGY,
    LOWEST_ENERGY,
    checked_energy,
    detector_of,
    fluctuated,
    lateral_profile,
    shower_parameters,
)

__all__ = [
    "deposit",
    "electron_chi2",
    "expected_voxels",
    "layer_moments",
    "reconstruct_energy",
    "visible_moments",
]


def expected_voxels(
    energy: ArrayLike,
    *,
    geometry: str = "book",
    maximum_depth: ArrayLike | None = None,
    profile_shape: ArrayLike | None = None,
    impact: ArrayLike = (0.0, 0.0),
) -> np.ndarray:
    """Exact mean energy of every cell for electron showers of a given profile, before the threshold.

    The readable version of what the compiled simulation does: incomplete gamma functions along the axis times the share
    of each cell across it.

    Parameters
    ----------
    energy : float or array, (n,), GeV
    geometry : str
        One of `GEOMETRIES`.
    maximum_depth : float or array, (n,), X0, optional
        Depth T of the maximum. Left out: the mean T of `shower_parameters`.
    profile_shape : float or array, (n,), optional
        Shape a, above 1. Left out: the mean.
    impact : array, (2,) or (n, 2), cm
        Where the particle hits, from the centre; (0, 0) in a cylinder.

    Returns
    -------
    array, (n, ...), GeV
        The axes of `CalorimeterShowers.voxels`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> expected_voxels(70.0).sum((0, 1, 2)).round(2)  # GeV in each of the seven sensors
    array([ 1.9 ,  5.44,  8.86, 10.63, 10.52,  6.46,  3.15])
    """
    detector = detector_of(geometry)
    E = np.atleast_1d(checked_energy(energy))
    mean = shower_parameters(E, geometry=geometry)
    T, a = mean["maximum_depth"], mean["profile_shape"]
    if maximum_depth is not None:
        T = check_array(minimum=0.1, unit="X0", maximum_depth=maximum_depth)
    if profile_shape is not None:
        a = check_array(minimum=1.001, profile_shape=profile_shape)
    hit = check_array(unit="cm", impact=impact)
    if hit.shape[-1:] != (2,) or hit.ndim > 2:
        raise ValueError(f"impact must have shape (2,) or (n, 2), got {hit.shape}")
    if len(detector.rings) and hit.any():
        raise ValueError("impact must be (0, 0) cm in a cylinder about the particle's axis, got another place")
    E, T, a = np.broadcast_arrays(E, T, a)
    hit = np.broadcast_to(hit, (len(E), 2))
    voxels = np.zeros((len(E), int(np.prod(detector.shape))))
    for layer, parts in _steps(E, T, a, geometry):
        for energy_of_part, radius in parts:
            share = _cell_shares(detector, layer, radius, hit)
            cells = detector.offsets[layer] + detector.stride * np.arange(share.shape[1])
            voxels[:, cells] += energy_of_part[:, None] * share
    return voxels.reshape(len(E), *detector.shape)


def deposit(
    expected: ArrayLike,
    *,
    seed: Seed,
    geometry: str = "book",
    threshold: float | None = None,
    stochastic_term: float | None = None,
) -> np.ndarray:
    """What cells with known mean energies register: the fluctuation of `simulate` in three plain lines.

    Poisson-many spots of exponential energy with the mean c^2 / 2, then the threshold.

    Parameters
    ----------
    expected : array, any shape, GeV
        For example from `expected_voxels`.
    seed : int or numpy.random.Generator
    geometry : str
        One of `GEOMETRIES`; decides about the two arguments that are left out.
    threshold : float, MeV, optional
    stochastic_term : float, sqrt(GeV), optional

    Returns
    -------
    array, shape of ``expected``, GeV

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> deposit(expected_voxels([32.0, 90.0]), seed=1).shape
    (2, 15, 15, 7)
    """
    expected = check_array(minimum=0.0, unit="GeV", expected=expected)
    spot, cut = spot_and_threshold(detector_of(geometry), stochastic_term, threshold)
    random = generator(seed)
    number = random.poisson(expected / spot)
    energy = spot * random.standard_gamma(number)  # a sum of exponentials; 0 of none
    return np.where(energy >= cut, energy, 0.0)


def layer_moments(
    energy: ArrayLike, *, geometry: str = "book", stochastic_term: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Exact mean and covariance of the energies in the layers for electrons at the centre, before the threshold.

    The law of total variance: cov(k, l) = c^2 mean_k if k = l, plus the covariance of the means over T and a, which
    fluctuate from shower to shower. Their two Gaussians are integrated with 12 x 12 Gauss-Hermite points.

    Parameters
    ----------
    energy : float or array, (n,), GeV
    geometry : str
        One of `GEOMETRIES`.
    stochastic_term : float, sqrt(GeV), optional
        Left out: that of the geometry.

    Returns
    -------
    mean : array, (n, layers), GeV
    covariance : array, (n, layers, layers), GeV^2

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> mean, covariance = layer_moments(70.0)
    >>> (np.sqrt(covariance[0].diagonal()) / mean[0]).round(2)  # relative fluctuation in each sensor
    array([0.49, 0.31, 0.2 , 0.14, 0.1 , 0.17, 0.29])
    """
    detector = detector_of(geometry)
    E = np.atleast_1d(checked_energy(energy))
    spot, _ = spot_and_threshold(detector, stochastic_term, 0.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    first, second = (grid.ravel() for grid in np.meshgrid(nodes, nodes))
    weight = np.outer(weights, weights).ravel() / (2.0 * np.pi)
    mean = np.empty((len(E), len(detector.layers)))
    covariance = np.empty((len(E), len(detector.layers), len(detector.layers)))
    for i, one in enumerate(E):
        T, a = fluctuated(shower_parameters(one, geometry=geometry), first, second)
        layers = np.zeros((len(weight), len(detector.layers)))
        for layer, parts in _steps(np.full(len(weight), one), T, a, geometry):
            for energy_of_part, radius in parts:
                layers[:, layer] += energy_of_part * _layer_share(detector, layer, radius)
        mean[i] = weight @ layers
        apart = layers - mean[i]
        covariance[i] = (weight[:, None] * apart).T @ apart + np.diag(2.0 * spot * mean[i])
    return mean, covariance


def visible_moments(
    energy: ArrayLike, *, geometry: str = "book", stochastic_term: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Exact mean and standard deviation of the sum of all cells for electrons at the centre, before the threshold.

    Parameters
    ----------
    energy : float or array, (n,), GeV
    geometry : str
        One of `GEOMETRIES`.
    stochastic_term : float, sqrt(GeV), optional
        Left out: that of the geometry.

    Returns
    -------
    mean, spread : array, (n,), GeV

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> mean, spread = visible_moments([10.0, 1000.0], geometry="calochallenge")
    >>> (spread / mean).round(3)
    array([0.053, 0.005])
    """
    mean, covariance = layer_moments(energy, geometry=geometry, stochastic_term=stochastic_term)
    return mean.sum(1), np.sqrt(covariance.sum((1, 2)))


def reconstruct_energy(voxels: ArrayLike, *, geometry: str = "book") -> np.ndarray:
    """Energy of electrons from the sum of all cells: a baseline.

    The energy at which `visible_moments` expects the sum that was seen. In a deep calorimeter it reaches c / sqrt(E);
    in the shallow ones a method that sees from the layers how much is missing does better.

    Parameters
    ----------
    voxels : array, (n, ...), GeV
        As in `CalorimeterShowers`.
    geometry : str
        One of `GEOMETRIES`.

    Returns
    -------
    array, (n,), GeV
        Within [1, 10 000] GeV.

    Raises
    ------
    ValueError, TypeError
        If the shape is not that of the geometry or an energy is negative.

    Examples
    --------
    >>> from dlphys.simulators.calorimeter import simulate
    >>> showers = simulate(300, seed=1, energy=90.0)
    >>> float(reconstruct_energy(showers.voxels).mean().round(0))
    90.0
    """
    shape = (None, *detector_of(geometry).shape)
    array = check_array(shape=shape, minimum=0.0, unit="GeV", dtype=None, voxels=voxels)
    grid = np.geomspace(LOWEST_ENERGY, HIGHEST_ENERGY, 41)
    mean, _ = visible_moments(grid, geometry=geometry)
    sums = array.reshape(len(array), -1).sum(1, dtype=np.float64)
    return np.exp(np.interp(np.log(np.maximum(sums, 1e-9)), np.log(mean), np.log(grid)))


def electron_chi2(
    layers: ArrayLike, *, geometry: str = "book", lowest: float = 20.0, highest: float = 200.0
) -> np.ndarray:
    """How badly the energies in the layers fit an electron of the beam: a baseline that tells protons.

    The smallest (x - mean)^T covariance^-1 (x - mean) over the energy, with the exact moments of `layer_moments`:
    the covariance-matrix method of the early collider detectors (Engelmann et al., Nucl. Instrum. Meth. 216 (1983) 45).
    It knows electrons only, and takes their fluctuations as Gaussian.

    Parameters
    ----------
    layers : array, (n, layers), GeV
        Sums over the cells of each layer.
    geometry : str
        One of `GEOMETRIES`.
    lowest, highest : float, GeV
        Range of the energy.

    Returns
    -------
    array, (n,)
        Large for protons.

    Raises
    ------
    ValueError, TypeError
        If the shape is not that of the geometry or the range is empty.

    Examples
    --------
    >>> from dlphys.simulators.calorimeter import simulate
    >>> showers = simulate(2000, seed=1, energy=50.0, particle="both")
    >>> chi2 = electron_chi2(showers.voxels.sum((1, 2)))
    >>> bool(np.median(chi2[showers.proton]) > 10 * np.median(chi2[~showers.proton]))
    True
    """
    x = check_array(shape=(None, len(detector_of(geometry).layers)), unit="GeV", layers=layers)
    low = check_number(minimum=LOWEST_ENERGY, maximum=HIGHEST_ENERGY, unit="GeV", lowest=lowest)
    high = check_number(minimum=low, maximum=HIGHEST_ENERGY, unit="GeV", highest=highest)
    # steps of at most 3 %, finer than the resolution
    grid = np.geomspace(low, high, 2 + int(np.log(high / low) / 0.03))
    best = np.full(len(x), np.inf)
    for mean, covariance in zip(*layer_moments(grid, geometry=geometry), strict=True):
        apart = x - mean
        best = np.minimum(best, np.einsum("nk,kl,nl->n", apart, np.linalg.inv(covariance), apart))
    return best


def _steps(
    E: np.ndarray, T: np.ndarray, a: np.ndarray, geometry: str
) -> Iterator[tuple[int, tuple[tuple[np.ndarray, np.ndarray], ...]]]:
    """For each step of depth its layer, and the energy (GeV) and radius (cm) of core and tail."""
    b = (a - 1.0) / T
    mean_a = shower_parameters(E, geometry=geometry)["profile_shape"]
    for (begin, end), layer in zip(*detector_of(geometry).steps(), strict=True):
        energy = E * (gammainc(a, b * end) - gammainc(a, b * begin))
        age = 0.5 * (begin + end) * b / a * mean_a / (mean_a - 1.0)
        core, tail, p = lateral_profile(age, E, geometry=geometry)
        yield int(layer), ((p * energy, core), ((1.0 - p) * energy, tail))


def spot_and_threshold(
    detector: Detector, stochastic_term: float | None, threshold: float | None
) -> tuple[float, float]:
    """Mean energy of a spot and threshold, both in GeV."""
    c = detector.stochastic_term if stochastic_term is None else stochastic_term
    c = check_number(minimum=0.001, maximum=1.0, unit="sqrt(GeV)", stochastic_term=c)
    cut = detector.threshold if threshold is None else threshold
    return 0.5 * c * c, 0.001 * check_number(minimum=0.0, unit="MeV", threshold=cut)


def _cell_shares(detector: Detector, layer: int, radius: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """Share of the cells of a layer in the profile 2 r R^2 / (r^2 + R^2)^2, (n, cells)."""
    R = radius[:, None]
    if len(detector.rings):
        sectors = detector.cells[layer][0]
        within = detector.rings**2 / (detector.rings**2 + R**2)
        return np.tile(np.diff(within, axis=1) / sectors, (1, sectors))
    (columns, rows), (xs, ys) = detector.cells[layer], detector.edges()
    x = (xs[layer, : columns + 1] - hit[:, :1])[:, :, None]
    y = (ys[layer, : rows + 1] - hit[:, 1:])[:, None, :]
    X, Y = np.sqrt(x**2 + R[..., None] ** 2), np.sqrt(y**2 + R[..., None] ** 2)
    corners = (x / X * np.arctan(y / X) + y / Y * np.arctan(x / Y)) / (2.0 * np.pi)
    return np.diff(np.diff(corners, axis=1), axis=2).reshape(len(radius), -1)


def _layer_share(detector: Detector, layer: int, radius: np.ndarray) -> np.ndarray:
    """Share of a whole layer, centred on the axis, in the profile 2 r R^2 / (r^2 + R^2)^2."""
    if len(detector.rings):
        return detector.rings[-1] ** 2 / (detector.rings[-1] ** 2 + radius**2)
    half = 0.5 * np.multiply(detector.cells[layer], detector.pitch[layer])
    x, y = half[0] / np.hypot(half[0], radius), half[1] / np.hypot(half[1], radius)
    across, along = half[1] / np.hypot(half[0], radius), half[0] / np.hypot(half[1], radius)
    return 2.0 / np.pi * (x * np.arctan(across) + y * np.arctan(along))
