"""Fatigue cracks: growth under a load that comes and goes, after Paris."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number, check_positive
from dlphys.simulators._sample import Sample

BLOCK = 512
SPECIMEN, MATERIAL, GAUGE = range(3)

FIRST_LENGTH, LAST_LENGTH = 9.0, 49.8  # mm, of half a crack in the middle of a plate
PLATE = 152.4  # mm, width
STRESS = 48.28  # MPa, range of the stress
# ln of the rate at the pivot and its scatter between specimens; exponent and its scatter, independent of the rate
PIVOT = 12.0  # MPa sqrt(m)
COEFFICIENT, EXPONENT = 8.7096e-11, 2.9  # m per cycle with the stress intensity in MPa sqrt(m)
RATE_SCATTER, EXPONENT_SCATTER = 0.15, 0.10
ROUGHNESS, CORRELATION = 0.20, 1.0  # of ln of the rate within a specimen, and mm of growth
INTERVAL = 5_000  # cycles between inspections
NODES = 400


@dataclass(frozen=True, repr=False)
class Cracks(Sample):
    """Simulated fatigue tests; the first axis of every array is the specimen.

    Attributes
    ----------
    length : array, (n, inspections), float32, mm
        Half length of the crack at cycles 0, 5000, 10 000, ...; NaN after 49.8 mm.
    measured : array, (n, inspections), float32, mm
        The same with the error of the gauge.
    life : array, (n,), float32, cycles
        Cycles to a half length of 49.8 mm.
    exponent : array, (n,), float32
        m in Paris' law.
    rate : array, (n,), float32
        ln of the growth in m per cycle at a stress intensity of 12 MPa sqrt(m).
    """

    units: ClassVar = {
        "length": "mm",
        "measured": "mm",
        "life": "cycles",
        "exponent": "",
        "rate": "ln(m per cycle)",
    }

    length: np.ndarray
    measured: np.ndarray
    life: np.ndarray
    exponent: np.ndarray
    rate: np.ndarray


def cracks(n: int, *, seed: Seed, preset: str = "book", inspections: int = 81, gauge_error: float = 0.1) -> Cracks:
    """Draw metal plates under an alternating load and follow a crack in each: da/dN = C (dK)^m, dK = Y dS sqrt(pi a).

    Two presets: "book" is Paris' law in an infinite plate (Y = 1), another C and m for each specimen. In "physics"
    the plate has a width, Y = 1 / sqrt(cos(pi a / w)), and the rate varies along the way as the material does.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    inspections : int
        One every 5000 cycles, the first at 0; at least 2.
    gauge_error : float, mm
        Standard deviation of a measured length.

    Returns
    -------
    Cracks
        Frozen dataclass: length and measured (n, inspections) float32 mm, NaN after failure; life (n,) cycles.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    P. Paris and F. Erdogan, J. Basic Eng. 85 (1963) 528; the width after C. E. Feddersen, ASTM STP 410 (1966) 77; a
    lognormal rate along the crack after J. N. Yang and S. D. Manning, Eng. Fract. Mech. 37 (1990) 257. Plate and
    load are those of the 68 tests of D. A. Virkler, B. M. Hillberry and P. K. Goel, J. Eng. Mater. Technol. 101
    (1979) 148, which ended at 49.8 mm after some 2.2e5 to 3.1e5 cycles (recalled, not verified); the scatter is
    chosen, not fitted.

    The book's example 9.2 emulates fields of stress and damage in two dimensions; this is its simplest relative with
    an exact solution (`paris_length`), and an exact posterior (`expected_life`).

    Examples
    --------
    >>> tests = cracks(3, seed=1)
    >>> tests.length.shape, tests.length[:, 0].tolist()
    ((3, 81), [9.0, 9.0, 9.0])
    """
    n = check_count(n=n)
    check_choice(choices=("book", "physics"), preset=preset)
    inspections = check_count(minimum=2, maximum=100_000, inspections=inspections)
    error = check_number(minimum=0.0, unit="mm", gauge_error=gauge_error)
    stream = Streams.of(seed)
    shape = (n, inspections)
    tests = Cracks(
        length=np.empty(shape, np.float32),
        measured=np.empty(shape, np.float32),
        life=np.empty(n, np.float32),
        exponent=np.empty(n, np.float32),
        rate=np.empty(n, np.float32),
    )
    cycles = INTERVAL * np.arange(inspections)
    block_size = max(1, BLOCK * NODES // max(NODES, inspections))
    mean_rate = np.log(COEFFICIENT) + EXPONENT * np.log(PIVOT)

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        draws = stream(SPECIMEN, block).standard_normal((block_size, 2))[:m]
        rate, exponent = mean_rate + RATE_SCATTER * draws[:, 0], EXPONENT + EXPONENT_SCATTER * draws[:, 1]
        if preset == "book":
            length, life = _closed_form(cycles, rate[:, None], exponent[:, None]), _life(rate, exponent)
        else:
            rough = stream(MATERIAL, block).standard_normal((block_size, NODES))[:m]
            length, life = _integrated(cycles, rate, exponent, rough)
        tests.length[events] = length
        noise = stream(GAUGE, block).standard_normal((block_size, inspections), np.float32)[:m]
        tests.measured[events] = length + error * noise
        tests.life[events], tests.exponent[events], tests.rate[events] = life, exponent, rate

    fill_blocks(fill, n, block=block_size, title="cracks")
    return tests


def paris_length(
    cycles: ArrayLike, *, exponent: float = EXPONENT, coefficient: float = COEFFICIENT, first: float = FIRST_LENGTH
) -> np.ndarray:
    """Half length of a crack after a number of cycles, Paris' law solved in closed form for an infinite plate.

    a(N)^(1 - m/2) = a_0^(1 - m/2) + (1 - m/2) C (dS sqrt(pi))^m N, and a_0 exp(C dS^2 pi N) for m = 2, with the
    stress range dS = 48.28 MPa.

    Parameters
    ----------
    cycles : float or array, any shape
        N, at least 0.
    exponent : float
        m.
    coefficient : float
        C, growth in m per cycle for a stress intensity range of 1 MPa sqrt(m).
    first : float, mm
        Half length a_0 at the start.

    Returns
    -------
    array, shape of ``cycles``, mm
        NaN after the crack has become infinite.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> paris_length([0, 100_000, 250_000]).round(1)
    array([ 9. , 14.3, 37.3])
    """
    cycles = check_array(minimum=0.0, unit="cycles", cycles=cycles)
    m = check_number(minimum=0.0, maximum=10.0, exponent=exponent)
    check_positive(unit="m per cycle", coefficient=coefficient)
    check_positive(unit="mm", first=first)
    return _grown(cycles, np.log(coefficient) + m * np.log(PIVOT), np.asarray(m), float(first))


def expected_life(measured: ArrayLike, *, gauge_error: float = 0.1, nodes: int = 41) -> np.ndarray:
    """Mean life given the first inspections: the limit for the mean squared error, for the book preset.

    The posterior mean over rate and exponent, whose priors are those of `cracks`, on a grid of four standard
    deviations.

    Parameters
    ----------
    measured : array, (n, inspections), mm
        From cycle 0 on, one every 5000 cycles; NaN after failure is left out.
    gauge_error : float, mm
    nodes : int
        Points of the grid in each direction.

    Returns
    -------
    array, (n,), cycles

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> tests = cracks(50, seed=1)
    >>> error = expected_life(tests.measured[:, :20]) / tests.life - 1.0
    >>> bool(error.std() < 0.6 * (tests.life / tests.life.mean()).std())
    True
    """
    measured = check_array(ndim=2, unit="mm", allow_nan=True, measured=measured)
    check_positive(unit="mm", gauge_error=gauge_error)
    nodes = check_count(minimum=5, maximum=401, nodes=nodes)
    z = np.linspace(-4.0, 4.0, nodes)
    rate = np.log(COEFFICIENT) + EXPONENT * np.log(PIVOT) + RATE_SCATTER * z
    rate, exponent = (grid.reshape(-1, 1) for grid in np.meshgrid(rate, EXPONENT + EXPONENT_SCATTER * z))
    prior = -0.5 * (z[:, None] ** 2 + z**2).ravel()
    predicted = _closed_form(INTERVAL * np.arange(measured.shape[1]), rate, exponent)
    broken = ~np.isfinite(predicted)
    predicted = np.where(broken, 1e3, predicted)  # a crack that is still measured has not failed
    life = _life(rate[:, 0], exponent[:, 0])
    mean = np.empty(len(measured))
    for start in range(0, len(measured), 256):
        part = measured[start : start + 256]
        seen = np.isfinite(part).astype(float)
        lengths = np.nan_to_num(part)
        # the sum of squares of differences, from three products of matrices
        misfit = (seen * lengths**2).sum(1)[:, None] - 2.0 * (seen * lengths) @ predicted.T + seen @ (predicted**2).T
        logs = prior - 0.5 * misfit / gauge_error**2
        weights = np.exp(logs - logs.max(1, keepdims=True))
        mean[start : start + 256] = weights @ life / weights.sum(1)
    return mean


def extrapolated_life(measured: ArrayLike) -> np.ndarray:
    """Life by a fit to the first inspections: the baseline without machine learning.

    a^(1 - m/2) is linear in the number of cycles for the mean exponent m = 2.9: a straight line by least squares,
    each length weighted as its error propagates, continued to 49.8 mm.

    Parameters
    ----------
    measured : array, (n, inspections), mm
        From cycle 0 on, one every 5000 cycles; NaN after failure is left out.

    Returns
    -------
    array, (n,), cycles

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or a record has fewer than two lengths.

    Examples
    --------
    >>> tests = cracks(50, seed=1)
    >>> error = extrapolated_life(tests.measured[:, :20]) / tests.life - 1.0
    >>> bool(error.std() < (tests.life / tests.life.mean()).std())
    True
    """
    measured = check_array(ndim=2, minimum=0.1, unit="mm", allow_nan=True, measured=measured)
    seen = np.isfinite(measured)
    if (seen.sum(1) < 2).any():
        raise ValueError(f"measured must have at least two lengths in every record, got {int(seen.sum(1).min())}")
    power = 1.0 - 0.5 * EXPONENT
    lengths = np.where(seen, measured, 1.0)
    weight = np.where(seen, lengths ** (2.0 - 2.0 * power), 0.0)
    y, x = lengths**power, np.broadcast_to(INTERVAL * np.arange(measured.shape[1]), measured.shape)
    total = weight.sum(1)
    x_mean, y_mean = (weight * x).sum(1) / total, (weight * y).sum(1) / total
    slope = (weight * (x - x_mean[:, None]) * y).sum(1) / (weight * (x - x_mean[:, None]) ** 2).sum(1)
    slope = np.minimum(slope, -1e-9)  # a crack does not shrink
    return x_mean + (LAST_LENGTH**power - y_mean) / slope


def _per_cycle(rate: np.ndarray | float, exponent: np.ndarray) -> np.ndarray:
    """C (dS sqrt(pi))^m, growth in m^(1 - m/2) per cycle."""
    return np.exp(rate - exponent * np.log(PIVOT)) * (STRESS * np.sqrt(np.pi)) ** exponent


def _grown(cycles: np.ndarray, rate: np.ndarray | float, exponent: np.ndarray, first: float) -> np.ndarray:
    power = 1.0 - 0.5 * exponent
    growth = _per_cycle(rate, exponent) * cycles
    straight = np.abs(power) < 1e-9
    safe = np.where(straight, 1.0, power)
    with np.errstate(invalid="ignore", divide="ignore"):
        start = np.asarray((1e-3 * first) ** safe)
        left = start + safe * growth
        length = np.where(left > 0.0, np.abs(left) ** (1.0 / safe), np.nan)
    return 1e3 * np.where(straight, 1e-3 * first * np.exp(np.minimum(growth, 700.0)), length)


def _closed_form(cycles: np.ndarray, rate: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    length = _grown(cycles, rate, exponent, FIRST_LENGTH)
    with np.errstate(invalid="ignore"):
        return np.where(length <= LAST_LENGTH, length, np.nan)


def _life(rate: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    power = 1.0 - 0.5 * exponent
    return ((1e-3 * LAST_LENGTH) ** power - (1e-3 * FIRST_LENGTH) ** power) / (power * _per_cycle(rate, exponent))


def _integrated(
    cycles: np.ndarray, rate: np.ndarray, exponent: np.ndarray, rough: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lengths and life: cycles as the integral of da / (C dK^m X) over the length on a grid, inverted."""
    grid = np.geomspace(FIRST_LENGTH, LAST_LENGTH, NODES)
    memory = np.exp(-np.diff(grid) / CORRELATION)
    process = np.empty_like(rough)  # stationary Gaussian, exponential correlation, exact on any grid
    process[:, 0] = rough[:, 0]
    for k in range(NODES - 1):
        process[:, k + 1] = memory[k] * process[:, k] + np.sqrt(1.0 - memory[k] ** 2) * rough[:, k + 1]
    intensity = STRESS * np.sqrt(np.pi * 1e-3 * grid / np.cos(np.pi * grid / PLATE))
    speed = rate[:, None] + exponent[:, None] * np.log(intensity / PIVOT) + ROUGHNESS * process
    slowness = 1e-3 * np.exp(-speed)  # cycles per mm
    passed = np.zeros_like(slowness)
    np.cumsum(0.5 * (slowness[:, 1:] + slowness[:, :-1]) * np.diff(grid), axis=1, out=passed[:, 1:])
    rows = [np.interp(cycles, row, grid, right=np.nan) for row in passed]
    return np.stack(rows), passed[:, -1]
