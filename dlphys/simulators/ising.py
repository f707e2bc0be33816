"""The two-dimensional Ising model: spins of -1 and 1 on a square lattice with periodic borders.

The energy is ``-J`` times the sum of the products of neighbouring spins, without a field, with J = k = 1. Below the
critical temperature 2.269 J/k the lattice is ferromagnetic, above it paramagnetic. Used in chapters 7, 8 and 12.

``simulate`` draws independent lattices, by Metropolis updates of 64 lattices at a time or by Swendsen-Wang clusters;
``metropolis_sweeps_plain`` is the same physics in plain NumPy. The exact results of Onsager, Yang and Kaufman and
the exact density of states stand beside them; ``bayes_accuracy`` follows from the latter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._random import Seed, generator, words
from dlphys._validation import check_array, check_choice, check_count
from dlphys.simulators import _ising_kernels as kernels
from dlphys.simulators._ising_exact import (
    COURSE_TEMPERATURES,
    CRITICAL_TEMPERATURE,
    LABEL_TEMPERATURE,
    bayes_accuracy,
    check_temperature,
    kaufman_energy,
    kaufman_specific_heat,
    log_density_of_states,
    onsager_energy,
    onsager_magnetization,
)
from dlphys.simulators._sample import Sample

__all__ = [
    "COURSE_TEMPERATURES",
    "CRITICAL_TEMPERATURE",
    "LABEL_TEMPERATURE",
    "IsingSample",
    "bayes_accuracy",
    "energy",
    "kaufman_energy",
    "kaufman_specific_heat",
    "log_density_of_states",
    "magnetization",
    "magnetization_cut",
    "metropolis_sweeps_plain",
    "onsager_energy",
    "onsager_magnetization",
    "replica_overlap",
    "simulate",
]

MAGNETIZATION_THRESHOLD = 0.735  # best of the 513 possible ones on 2.08 million lattices of the course set
LARGEST = {"metropolis": 1024, "swendsen-wang": 4096}
LANES = {"metropolis": kernels.LANES, "swendsen-wang": 128}  # lattices of one block
# about a tenth of a second between two looks at the progress bar and at interrupts
_FLIPS_A_CALL = 500_000_000
_SITES_A_CALL = 5_000_000


@dataclass(frozen=True, repr=False, eq=False)
class IsingSample(Sample):
    """Independent lattices in equilibrium.

    Attributes
    ----------
    spins : array, (n, L, L), int8
        -1 or 1.
    temperature : array, (n,), float32, J/k
    energy : array, (n,), float64, J per spin
    magnetization : array, (n,), float64, per spin
    """

    units: ClassVar = {"temperature": "J/k", "energy": "J per spin", "magnetization": "per spin"}

    spins: np.ndarray
    temperature: np.ndarray
    energy: np.ndarray
    magnetization: np.ndarray


def _default_sweeps(temperature: np.ndarray, size: int, algorithm: str) -> np.ndarray:
    if algorithm == "swendsen-wang":
        return np.full(len(temperature), round(60 * max(1.0, size / 128) ** 0.35))
    critical = (temperature > 1.95) & (temperature < 2.65)
    return np.where(critical, max(200, round(2000 * (size / 32) ** 2.17)), 200)


@dataclass(frozen=True)
class _Block:
    """Lattices updated together. Which block and lane a lattice gets does not depend on n."""

    sweeps: int
    number: int  # of this block among those with as many sweeps
    lanes: int
    last: int  # number of lattices with as many sweeps
    slots: np.ndarray  # positions of their temperatures

    def rows(self, temperatures: int) -> tuple[np.ndarray, int]:
        """Where the lattices of its lanes stand in the sample, and how many of them are wanted."""
        first = self.number * self.lanes
        rank = np.arange(first, first + self.lanes)
        rows = rank // len(self.slots) * temperatures + self.slots[rank % len(self.slots)]
        return rows, min(self.lanes, self.last - first)

    def stream(self, seed: list[int], count: int) -> np.ndarray:
        """Starting words (count, 4) of its random streams."""
        sequence = np.random.SeedSequence(seed, spawn_key=(self.sweeps, self.number))
        return sequence.generate_state(4 * count, np.uint64).reshape(count, 4)


def _blocks(n: int, sweeps: np.ndarray, lanes: int) -> Iterator[_Block]:
    """Blocks of all n lattices; those with the most sweeps first, so that no thread is left alone at the end."""
    rounds, rest = divmod(n, len(sweeps))
    for number in np.unique(sweeps)[::-1]:
        slots = np.flatnonzero(sweeps == number)
        last = rounds * len(slots) + int(np.searchsorted(slots, rest))
        for block in range(-(-last // lanes)):
            yield _Block(int(number), block, lanes, last, slots)


def _finish(sample: IsingSample, rows: np.ndarray, temperature: np.ndarray) -> None:
    sample.temperature[rows] = temperature
    kernels.sums(sample.spins, rows, sample.energy, sample.magnetization)


def _metropolis(sample: IsingSample, seed: list[int], temperatures: np.ndarray, block: _Block) -> Iterator[int]:
    size = sample.spins.shape[1]
    rows, wanted = block.rows(len(temperatures))
    # lanes beyond those wanted get the temperature they would have in a larger sample: the lanes of a word share
    # a stream, and what one of them draws must not depend on n
    temperature = temperatures[rows % len(temperatures)]
    used = -(-wanted // 64)
    thresholds = np.ldexp(np.exp(-np.array([[4.0], [8.0]]) / temperature), kernels.PLANES).astype(np.int64)
    planes = kernels.probability_planes(thresholds)
    cold = np.packbits(temperature < CRITICAL_TEMPERATURE, bitorder="little").view("<u8").astype(np.uint64)
    state = np.ascontiguousarray(block.stream(seed, kernels.WORDS).T)
    bits = np.empty((size, size, kernels.WORDS), np.uint64)
    scratch = np.empty((3, kernels.WORDS), np.uint64)
    kernels.start_bits(bits, state, cold, used)
    chunk = max(1, _FLIPS_A_CALL // (size * size * 64 * used))
    for done in range(0, block.sweeps, chunk):
        now = min(chunk, block.sweeps - done)
        kernels.metropolis_bits(bits, state, planes, scratch, now, used)
        yield now * size * size * wanted
    rows = rows[:wanted]
    kernels.unpack_bits(bits, rows, sample.spins)
    _finish(sample, rows, temperature[:wanted])


def _swendsen_wang(sample: IsingSample, seed: list[int], temperatures: np.ndarray, block: _Block) -> Iterator[int]:
    size = sample.spins.shape[1]
    rows, wanted = block.rows(len(temperatures))
    rows = rows[:wanted]
    temperature = temperatures[rows % len(temperatures)]
    bond = np.ldexp(-np.expm1(-2.0 / temperature), 32).astype(np.uint64)
    state = block.stream(seed, wanted)
    kernels.start_lattices(sample.spins, rows, state, temperature < CRITICAL_TEMPERATURE)
    step = min(block.sweeps, max(1, _SITES_A_CALL // size**2))
    together = max(1, _SITES_A_CALL // (step * size**2))
    for first in range(0, wanted, together):
        part = slice(first, first + together)
        for done in range(0, block.sweeps, step):
            now = min(step, block.sweeps - done)
            kernels.swendsen_wang(sample.spins, rows[part], state[part], bond[part], now)
            yield len(rows[part]) * size * size * now
    _finish(sample, rows, temperature)


_ALGORITHMS = {"metropolis": _metropolis, "swendsen-wang": _swendsen_wang}


def simulate(
    n: int,
    *,
    size: int = 32,
    temperature: ArrayLike = COURSE_TEMPERATURES,
    sweeps: int | None = None,
    algorithm: str = "metropolis",
    seed: Seed,
) -> IsingSample:
    """Draw independent lattices in equilibrium.

    Each lattice has a history of its own: it starts ordered with a random sign below the critical temperature and
    random above, and is stored after its last sweep. Lattice i depends on the seed, on i and on the other arguments,
    not on n nor on the number of threads, which is Numba's, or ``OMP_NUM_THREADS`` if that is smaller.

    Parameters
    ----------
    n : int
        Lattices in all; lattice i has ``temperature[i % k]``.
    size : int
        Spins along each side. Even, 2 to 1024, for "metropolis", which updates the lattice like the colours of a
        chessboard; 2 to 4096 for "swendsen-wang".
    temperature : float or array (k,), J/k, 0.1 to 1000
    sweeps : int, optional
        Updates of every spin. By default, "metropolis" makes 200, and between 1.95 and 2.65 J/k, where relaxation
        is slow, 2000 (size / 32)**2.17, at least 200; "swendsen-wang" makes 60, times (size / 128)**0.35 above 128.
    algorithm : "metropolis" or "swendsen-wang"
        Metropolis is faster up to a size of about 64 near the critical temperature, and at any size far from it.
    seed : int or numpy.random.Generator

    Returns
    -------
    IsingSample

    Raises
    ------
    ValueError, TypeError
        If an argument is outside its range or of the wrong type.

    References
    ----------
    N. Metropolis et al., J. Chem. Phys. 21 (1953) 1087; L. Jacobs and C. Rebbi, J. Comput. Phys. 41 (1981) 203
    (many spins in a word); R. H. Swendsen and J.-S. Wang, Phys. Rev. Lett. 58 (1987) 86.

    Examples
    --------
    >>> simulate(52, size=16, seed=1)
    IsingSample: 52 events, 0.0 MiB
      spins          (52, 16, 16)  int8     -1 to 1
      temperature    (52,)         float32  1 to 3.5 J/k
      energy         (52,)         float64  -2 to -0.5625 J per spin
      magnetization  (52,)         float64  -1 to 1 per spin
    """
    n = check_count(n=n)
    check_choice(algorithm=algorithm, choices=tuple(_ALGORITHMS))
    size = check_count(size=size, minimum=2, maximum=LARGEST[algorithm])
    if algorithm == "metropolis" and size % 2:
        raise ValueError(f"size must be even for algorithm='metropolis', got {size}; 'swendsen-wang' takes odd sizes")
    temperatures = np.atleast_1d(check_temperature(temperature, ndim=(0, 1)))
    if sweeps is None:
        numbers = _default_sweeps(temperatures, size, algorithm)
    else:
        numbers = np.full(len(temperatures), check_count(sweeps=sweeps))
    entropy = [int(word) for word in words(seed, 2)]

    sample = IsingSample(
        spins=np.empty((n, size, size), np.int8),
        temperature=np.empty(n, np.float32),
        energy=np.empty(n),
        magnetization=np.empty(n),
    )
    update = partial(_ALGORITHMS[algorithm], sample, entropy, temperatures)
    tasks = [partial(update, block) for block in _blocks(n, numbers, LANES[algorithm])]
    rounds, rest = divmod(n, len(numbers))
    total = (rounds * int(numbers.sum()) + int(numbers[:rest].sum())) * size * size
    # the bits of a block in work take 128 bytes a site; all threads together stay within 128 MiB
    threads = min(kernels.thread_count(), max(1, 2**20 // size**2))
    kernels.run_in_threads(tasks, total=total, threads=threads)
    return sample


def _checked_spins(spins: ArrayLike, *, ndim: tuple[int, ...] | None = None) -> np.ndarray:
    array = check_array(spins=spins, ndim=ndim, minimum=-1, maximum=1, dtype=None)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise ValueError(f"spins must have shape (..., L, L), got {array.shape}")
    whole = array.astype(np.int8)
    if not np.all(np.abs(whole) == 1):
        raise ValueError("spins must be -1 or 1, got other values, such as 0, among them")
    return whole


def _per_spin(spins: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    array = _checked_spins(spins)
    lattices = np.ascontiguousarray(array).reshape(-1, *array.shape[-2:])
    result = np.empty((2, len(lattices)))
    kernels.sums(lattices, np.arange(len(lattices)), *result)
    return result[0].reshape(array.shape[:-2]), result[1].reshape(array.shape[:-2])


def energy(spins: ArrayLike) -> np.ndarray:
    """Energy per spin: minus the mean over sites of spin times (right neighbour + lower neighbour).

    Parameters
    ----------
    spins : array, (..., L, L)
        -1 or 1; the borders are periodic.

    Returns
    -------
    array, (...), J per spin

    Raises
    ------
    ValueError, TypeError
        If ``spins`` has the wrong shape or other values.

    Examples
    --------
    >>> print(energy([[1, 1], [1, 1]]), energy([[1, -1], [-1, 1]]))
    -2.0 2.0
    """
    return _per_spin(spins)[0]


def magnetization(spins: ArrayLike) -> np.ndarray:
    """Magnetisation per spin: the mean spin.

    Parameters
    ----------
    spins : array, (..., L, L)
        -1 or 1.

    Returns
    -------
    array, (...), between -1 and 1

    Raises
    ------
    ValueError, TypeError
        If ``spins`` has the wrong shape or other values.

    Examples
    --------
    >>> print(magnetization([[1, 1], [1, -1]]))
    0.5
    """
    return _per_spin(spins)[1]


def magnetization_cut(spins: ArrayLike) -> np.ndarray:
    """Baseline classifier: ferromagnetic if the magnetisation's modulus reaches a fixed threshold.

    The threshold, 0.735, is the best one for the 26 course temperatures and 32 x 32 spins, where 98.32 +- 0.01 % of
    the lattices get the right label; no classifier does better than 98.637 % on average (``bayes_accuracy``).

    Parameters
    ----------
    spins : array, (n, L, L)
        -1 or 1.

    Returns
    -------
    array, (n,), int8
        1 = ferromagnetic, 0 = paramagnetic.

    Raises
    ------
    ValueError, TypeError
        If ``spins`` has the wrong shape or other values.

    Examples
    --------
    >>> magnetization_cut([[[1, 1], [1, 1]], [[1, -1], [-1, 1]]])
    array([1, 0], dtype=int8)
    """
    array = _checked_spins(spins, ndim=(3,))
    return (np.abs(_per_spin(array)[1]) >= MAGNETIZATION_THRESHOLD).astype(np.int8)


def metropolis_sweeps_plain(spins: ArrayLike, temperature: float, sweeps: int, *, seed: Seed) -> np.ndarray:
    """Metropolis sweeps in plain NumPy: what ``simulate`` does, readable and some hundred times slower.

    A flip that changes the energy by ``cost`` is accepted with probability min(1, exp(-cost / T)). A site of one
    colour of the chessboard has neighbours of the other colour only, so all sites of a colour can flip at once.

    Parameters
    ----------
    spins : array, (n, L, L)
        -1 or 1, with L even; not changed.
    temperature : float, J/k, 0.1 to 1000
    sweeps : int
    seed : int or numpy.random.Generator

    Returns
    -------
    array, (n, L, L), int8

    Raises
    ------
    ValueError, TypeError
        If an argument is outside its range or of the wrong type.

    Examples
    --------
    >>> spins = metropolis_sweeps_plain(np.ones((100, 16, 16)), 1.5, 50, seed=1)
    >>> print(energy(spins).mean().round(2), kaufman_energy(1.5, 16).round(2))
    -1.95 -1.95
    """
    spins = _checked_spins(spins, ndim=(3,))
    if spins.shape[1] % 2:
        raise ValueError(f"spins must have lattices of even size, got {spins.shape[1]}")
    t = float(check_temperature(temperature, ndim=(0,)))
    random = generator(seed)
    row, column = np.indices(spins.shape[1:])
    for _ in range(check_count(sweeps=sweeps)):
        for colour in (0, 1):
            neighbours = np.roll(spins, 1, 1) + np.roll(spins, -1, 1) + np.roll(spins, 1, 2) + np.roll(spins, -1, 2)
            cost = 2 * spins * neighbours
            accepted = random.random(spins.shape) < np.exp(-cost / t)
            spins = np.where(accepted & ((row + column) % 2 == colour), -spins, spins)
    return spins


def replica_overlap(spins: ArrayLike) -> np.ndarray:
    """Overlap of every pair of lattices: the mean over sites of the product of their spins.

    Lattices that share random numbers drift into the same state, and their overlap to 1 or -1; the mean modulus of
    the overlap tells.

    Parameters
    ----------
    spins : array, (n, L, L), with n from 2 to 8192
        -1 or 1.

    Returns
    -------
    array, (n (n - 1) / 2,), float32
        Pairs in the order (0, 1), (0, 2), ..., (n - 2, n - 1).

    Raises
    ------
    ValueError, TypeError
        If ``spins`` has the wrong shape or other values.

    Examples
    --------
    >>> replica_overlap([[[1, 1], [1, 1]], [[1, -1], [-1, 1]], [[1, 1], [1, -1]]])
    array([ 0. ,  0.5, -0.5], dtype=float32)
    """
    array = _checked_spins(spins, ndim=(3,))
    if not 2 <= len(array) <= 8192:
        raise ValueError(f"spins must hold 2 to 8192 lattices, got {len(array)}")
    flat = array.reshape(len(array), -1).astype(np.float32)
    return (flat @ flat.T / np.float32(flat.shape[1]))[np.triu_indices(len(flat), 1)]
