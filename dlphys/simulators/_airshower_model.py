"""The array, and what its stations are expected to register: formulas to read, plot and test, for whole arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._validation import check_array, check_choice, check_number, check_positive
from dlphys.simulators import _airshower_kernels as kernels
from dlphys.simulators._airshower_atmosphere import GROUND, depth_at, height_at

__all__ = [
    "ARRAYS",
    "Layout",
    "attenuation",
    "expected_signals",
    "lateral_distribution",
    "pulse_medians",
    "station_positions",
]


class Layout(NamedTuple):
    """Stations a side, their distance (m), and whether every second row is shifted to make triangles."""

    side: int
    spacing: float
    hexagonal: bool


ARRAYS = {
    "hexagonal": Layout(9, 1500.0, True),
    "cartesian": Layout(14, 750.0, False),
    "footprint": Layout(9, 750.0, False),
    "cluster": Layout(3, 750.0, False),
}


def station_positions(array: str) -> np.ndarray:
    """Where the stations stand.

    Parameters
    ----------
    array : {"hexagonal", "cartesian", "footprint", "cluster"}
        Nine times nine stations at the corners of triangles of 1500 m, as in exercise 11.1; 14 times 14 on a square
        grid of 750 m, exercises 7.2 and 8.2; nine times nine on that grid, exercise 18.2; its central three times
        three, for traces. All 1400 m above the sea.

    Returns
    -------
    array, (rows, columns, 2), m
        x and y from the centre of the array; y grows with the row, x with the column. On the hexagonal array ("offset
        coordinates") odd rows are shifted by half a spacing to the right and rows are 1299 m apart.

    Raises
    ------
    ValueError, TypeError
        If there is no such array.

    Examples
    --------
    >>> station_positions("hexagonal")[4:6, 4].round(0)
    array([[   0.,    0.],
           [ 750., 1299.]])
    """
    check_choice(choices=tuple(ARRAYS), array=array)
    side, spacing, hexagonal = ARRAYS[array]
    row, column = np.indices((side, side)) - (side - 1) / 2
    if hexagonal:
        return spacing * np.stack([column + 0.5 * (row % 2), row * np.sqrt(0.75)], axis=-1)
    return spacing * np.stack([column, row], axis=-1)


def lateral_distribution(distance: ArrayLike, *, slope: float, scale: float = 1.0) -> np.ndarray:
    """Signal over distance, (r / 1000 m)^b ((r + 700 m) / 1700 m)^b: 1 at 1000 m.

    Parameters
    ----------
    distance : float or array, any shape, m
        From the shower axis, above 0; below 50 m the value at 50 m.
    slope : float
        The exponent b: -1.6 for muons here; about -2.8 for electrons and photons.
    scale : float, any unit
        Value at 1000 m.

    Returns
    -------
    array, shape of ``distance``, unit of ``scale``

    Raises
    ------
    ValueError, TypeError
        If a distance is not positive or no number.

    References
    ----------
    K. Kamata and J. Nishimura, Prog. Theor. Phys. Suppl. 6 (1958) 93; K. Greisen, Annu. Rev. Nucl. Sci. 10 (1960) 63.

    Examples
    --------
    >>> lateral_distribution([500.0, 1000.0, 2000.0], slope=-2.3).round(3)
    array([10.972,  1.   ,  0.07 ])
    """
    distance = check_array(minimum=0.0, unit="m", distance=distance)
    slope = check_number(slope=slope)
    check_positive(scale=scale)
    r = np.maximum(distance, 50.0)
    return scale * (r / 1000.0) ** slope * ((r + 700.0) / 1700.0) ** slope


def attenuation(zenith: ArrayLike) -> np.ndarray:
    """Signal at 1000 m relative to that at a zenith angle of 38 degrees, for the same energy.

    f = 1 + 0.98 x - 1.68 x^2 - 1.30 x^3 with x = cos^2(zenith) - cos^2(38 degrees): the method of constant intensity.

    Parameters
    ----------
    zenith : float or array, any shape, degrees
        In [0, 60].

    Returns
    -------
    array, shape of ``zenith``

    Raises
    ------
    ValueError, TypeError
        If an angle is outside its range.

    References
    ----------
    Pierre Auger Collaboration, Proc. 33rd ICRC (2013), arXiv:1307.5059; the constants are quoted from memory, later
    releases differ by a few per cent.

    Examples
    --------
    >>> attenuation([0.0, 38.0, 60.0]).round(3)
    array([1.059, 1.   , 0.472])
    """
    zenith = check_array(minimum=0.0, maximum=60.0, unit="degrees", zenith=zenith)
    x = np.cos(np.radians(zenith)) ** 2 - np.cos(np.radians(38.0)) ** 2
    return np.asarray(1.0 + 0.98 * x - 1.68 * x**2 - 1.30 * x**3)


def pulse_medians(distance: float, beyond: float) -> tuple[float, float, float]:
    """When the particles arrive behind the front: medians of the log-normal distributions of width 0.7.

    Parameters
    ----------
    distance : float, m
        From the shower axis, in [0, 20 000].
    beyond : float, g/cm^2
        Slant depth from the shower maximum to the station, in [0, 3000].

    Returns
    -------
    muons, em, shift : float, ns
        Median delay of muons; median delay of electrons and photons, counted from ``shift``.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    M. Erdmann, J. Glombitza, D. Walz, Astropart. Phys. 97 (2018) 46.

    Examples
    --------
    >>> [round(ns) for ns in pulse_medians(750.0, 0.0)]
    [190, 280, 60]
    """
    distance = check_number(minimum=0.0, maximum=20_000.0, unit="m", distance=distance)
    beyond = check_number(minimum=0.0, maximum=3000.0, unit="g/cm^2", beyond=beyond)
    return kernels.medians(distance, beyond)


def expected_signals(
    distance: ArrayLike,
    *,
    energy: float = 10.0,
    zenith: float = 38.0,
    xmax: float = 750.0,
    mass: float = 1,
    preset: str = "physics",
) -> tuple[np.ndarray, np.ndarray]:
    """Expected signals of muons and of electrons and photons, on the line through the core across the shower plane.

    Parameters
    ----------
    distance : float or array, any shape, m
        From the shower axis.
    energy : float, EeV
    zenith : float, degrees
        In [0, 65].
    xmax : float, g/cm^2
        Slant depth of the maximum, above the ground.
    mass : float
        Number of nucleons, in [1, 56].
    preset : {"book", "physics", "footprint"}
        Particles for the book, else VEM.

    Returns
    -------
    muons, em : arrays, shape of ``distance``, VEM

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> muons, em = expected_signals(1000.0, energy=10.0, zenith=38.0, xmax=808.0)
    >>> print(muons.round(1), em.round(1))
    19.1 29.6
    """
    distance = check_array(minimum=0.0, unit="m", distance=distance)
    check_positive(unit="EeV", energy=energy)
    zenith = check_number(minimum=0.0, maximum=65.0, unit="degrees", zenith=zenith)
    cos_zenith = float(np.cos(np.radians(zenith)))
    lowest = depth_at(GROUND) / cos_zenith
    xmax = check_number(minimum=0.0, maximum=lowest, exclusive=True, unit="g/cm^2", xmax=xmax)
    mass = check_number(minimum=1.0, maximum=56.0, mass=mass)
    check_choice(choices=("book", "physics", "footprint"), preset=preset)
    result = np.empty((2, distance.size))
    _expect(preset == "book", float(energy), cos_zenith, xmax, mass, distance.ravel(), result)
    return result[0].reshape(distance.shape), result[1].reshape(distance.shape)


@compiled(nogil=True)
def _expect(
    book: bool, energy: float, cos_zenith: float, xmax: float, mass: float, distance: np.ndarray, result: np.ndarray
) -> None:
    muon_size, em_size = kernels.sizes(book, energy, mass)
    slope = kernels.em_slope(book, xmax, cos_zenith)
    vertical = depth_at(GROUND) - xmax * cos_zenith
    height = height_at(xmax * cos_zenith) - GROUND
    for i in range(len(distance)):
        # the station lies beside the plane of axis and vertical
        beyond = kernels.depth_beyond(vertical, height, height * np.sqrt(1.0 / cos_zenith**2 - 1.0), distance[i])
        result[0, i], result[1, i] = kernels.signals(book, muon_size, em_size, slope, distance[i], beyond)
