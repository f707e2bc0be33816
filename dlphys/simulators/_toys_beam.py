"""Beam steering: a line of quadrupoles that do not stand where they should, monitors, and corrector magnets.

Eight identical cells of a focusing and a defocusing thin lens. A lens that is displaced kicks the beam, monitors
measure its position at the focusing lenses, corrector magnets there kick it back. Positions are linear in all kicks,
x = response @ kicks + orbit, so the best correction is exact, the map is differentiable in any library, and searches,
Bayesian optimisation and reinforcement learning can be measured against the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators._sample import Sample

CELLS = 8
CELL_LENGTH = 10.0  # m
FOCAL_LENGTH = 3.5355339  # m: sin(mu / 2) = L / (4 f) = 1 / sqrt(2), a phase advance of 90 degrees
KICK_COST = 20.0  # mm^2 / mrad^2: what a unit of correction costs beside a unit of displacement of the beam

BLOCK = 4096  # events
LENSES, KICKS, NOISE = range(3)


@dataclass(frozen=True, repr=False)
class BeamLines(Sample):
    """Beam lines with random errors and random settings; the first axis of every array is the line.

    Attributes
    ----------
    orbit : array, (n, 8), float32, mm
        Positions of the beam at the monitors without correction.
    kicks : array, (n, 8), float32, mrad
        Random settings of the correctors.
    positions : array, (n, 8), float32, mm
        Measured positions with these settings.
    best_kicks : array, (n, 8), float32, mrad
        The settings of the smallest cost.
    best_cost : array, (n,), float32, mm^2
    """

    units: ClassVar = {
        "orbit": "mm",
        "kicks": "mrad",
        "positions": "mm",
        "best_kicks": "mrad",
        "best_cost": "mm^2",
    }

    orbit: np.ndarray
    kicks: np.ndarray
    positions: np.ndarray
    best_kicks: np.ndarray
    best_cost: np.ndarray


def beam_response() -> np.ndarray:
    """Response matrix: position at each monitor for a unit kick of each corrector; (8, 8), mm/mrad = m.

    The product of the transfer matrices between corrector and monitor, entry (1, 2). In a periodic line it is
    sqrt(beta beta') sin(phase advance) (E. D. Courant and H. S. Snyder, Ann. Phys. 3 (1958) 1). A corrector stands
    behind its lens, so that it acts on the monitors after it only; the last one acts on none.

    Examples
    --------
    >>> beam_response()[:3, 0].round(2) + 0.0  # 90 degrees a cell
    array([ 0.  , 17.07,  0.  ])
    """
    return _matrices()[0].copy()


def beam_cost(positions: ArrayLike, kicks: ArrayLike) -> np.ndarray:
    """What is to be minimised: mean square of the positions plus 20 mm^2/mrad^2 times that of the kicks.

    Parameters
    ----------
    positions : array, (n, 8), mm
    kicks : array, (n, 8), mrad

    Returns
    -------
    array, (n,), mm^2

    Raises
    ------
    ValueError, TypeError
        If an array has another shape.

    Examples
    --------
    >>> beam_cost(np.full((1, 8), 2.0), np.zeros((1, 8)))
    array([4.])
    """
    positions = check_array(shape=(None, CELLS), unit="mm", positions=positions)
    kicks = check_array(shape=positions.shape, unit="mrad", kicks=kicks)
    return (positions**2).mean(1) + KICK_COST * (kicks**2).mean(1)


def beam_positions(orbit: ArrayLike, kicks: ArrayLike) -> np.ndarray:
    """Positions of the beam at the monitors, orbit + response @ kicks.

    Parameters
    ----------
    orbit : array, (n, 8), mm
    kicks : array, (n, 8), mrad

    Returns
    -------
    array, (n, 8), mm

    Raises
    ------
    ValueError, TypeError
        If an array has another shape.

    Examples
    --------
    >>> beam_positions(np.zeros((1, 8)), [[0.1, 0, 0, 0, 0, 0, 0, 0]])[0, :3].round(2) + 0.0
    array([0.  , 1.71, 0.  ])
    """
    orbit = check_array(shape=(None, CELLS), unit="mm", orbit=orbit)
    kicks = check_array(shape=orbit.shape, unit="mrad", kicks=kicks)
    return orbit + kicks @ _matrices()[0].T


def beam_optimum(orbit: ArrayLike) -> np.ndarray:
    """The kicks of the smallest cost, -(R^T R + 20 I)^-1 R^T orbit: the limit for a known orbit.

    Parameters
    ----------
    orbit : array, (n, 8), mm

    Returns
    -------
    array, (n, 8), mrad

    Raises
    ------
    ValueError, TypeError
        If the array has another shape.

    Examples
    --------
    >>> orbit = np.ones((1, 8))
    >>> kicks = beam_optimum(orbit)
    >>> bool(beam_cost(beam_positions(orbit, kicks), kicks)[0] < 0.3)  # from 1; monitor 1 cannot be corrected
    True
    """
    orbit = check_array(shape=(None, CELLS), unit="mm", orbit=orbit)
    response = _matrices()[0]
    return -np.linalg.solve(response.T @ response + KICK_COST * np.eye(CELLS), response.T @ orbit.T).T


def simulate_beam(
    n: int, *, seed: Seed, displacement: float = 0.2, monitor_error: float = 0.05, largest_kick: float = 0.5
) -> BeamLines:
    """Beam lines with randomly displaced lenses, random settings of their correctors, and what is measured.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    displacement : float, mm, default 0.2
        Standard deviation of the transverse displacement of every lens.
    monitor_error : float, mm, default 0.05
        Standard deviation of the noise of a measured position.
    largest_kick : float, mrad, default 0.5
        The settings are uniform in plus or minus this.

    Returns
    -------
    BeamLines

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    One seed gives the same bits for any number of threads, and the first lines do not depend on ``n``.

    Examples
    --------
    >>> lines = simulate_beam(100, seed=1)
    >>> bool((beam_cost(lines.positions, lines.kicks) > lines.best_cost).all())
    True
    """
    n = check_count(n=n)
    displacement = check_number(minimum=0.0, unit="mm", displacement=displacement)
    monitor_error = check_number(minimum=0.0, unit="mm", monitor_error=monitor_error)
    largest_kick = check_number(minimum=0.0, unit="mrad", largest_kick=largest_kick)
    response, of_lenses = _matrices()
    stream = Streams.of(seed)
    orbits, settings, measured, best_settings = (np.empty((n, CELLS), np.float32) for _ in range(4))
    lines = BeamLines(orbits, settings, measured, best_settings, np.empty(n, np.float32))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        orbit = displacement * stream(LENSES, block).standard_normal((BLOCK, 2 * CELLS))[:m] @ of_lenses.T
        kicks = largest_kick * (2.0 * stream(KICKS, block).random((BLOCK, CELLS))[:m] - 1.0)
        noise = stream(NOISE, block).standard_normal((BLOCK, CELLS))[:m]
        best = beam_optimum(orbit)
        lines.orbit[events], lines.kicks[events], lines.best_kicks[events] = orbit, kicks, best
        lines.positions[events] = orbit + kicks @ response.T + monitor_error * noise
        lines.best_cost[events] = beam_cost(orbit + best @ response.T, best)

    fill_blocks(fill, n, block=BLOCK, title="beam lines")
    return lines


@lru_cache(maxsize=1)
def _matrices() -> tuple[np.ndarray, np.ndarray]:
    """Positions at the monitors for kicks of the correctors (8, 8), and for displacements of the lenses (8, 16).

    A cell is half a drift, focusing lens, monitor, corrector, drift, defocusing lens, half a drift; lengths in m.
    """
    drift = np.array([[1.0, CELL_LENGTH / 2], [0.0, 1.0]])
    half = np.array([[1.0, CELL_LENGTH / 4], [0.0, 1.0]])
    response, of_lenses = np.zeros((CELLS, CELLS)), np.zeros((CELLS, 2 * CELLS))
    kicks = np.zeros((2, 3 * CELLS))  # (position, angle) of the beam by each source so far
    for cell in range(CELLS):
        for lens, sign, before in ((0, 1.0, half), (1, -1.0, drift)):
            kicks = np.array([[1.0, 0.0], [-sign / FOCAL_LENGTH, 1.0]]) @ before @ kicks
            kicks[1, 2 * cell + lens] += sign / FOCAL_LENGTH  # a displaced lens kicks by displacement / f
            if lens == 0:
                of_lenses[cell], response[cell] = kicks[0, : 2 * CELLS], kicks[0, 2 * CELLS :]
                kicks[1, 2 * CELLS + cell] += 1.0
        kicks = half @ kicks
    return response, of_lenses
