"""A scalar field with a quartic coupling on a small periodic lattice in two dimensions, by hybrid Monte Carlo.

The density of a field is exp(-S) / Z with

    S = sum over sites of [ sum over directions (phi(x + mu) - phi(x))^2 + m^2 phi(x)^2 + lambda phi(x)^4 ],

the action of M. S. Albergo et al., arXiv:2101.08176, as recalled, without a factor 1/2. With lambda = 0 everything is
a sum over momenta; with a negative m^2 and lambda > 0 the field prefers two values, and for a deep enough well the
symmetry phi -> -phi breaks. `simulate` gives independent fields, `hmc_history` one chain; `log_density` is what a
normalising flow needs. Used in chapter 18 (example 18.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators import _lattice_field_kernels as kernels
from dlphys.simulators._lattice_field_exact import autocorrelation_time, free_log_partition, free_propagator
from dlphys.simulators._sample import Sample

__all__ = [
    "COUPLING",
    "MASS_SQUARED",
    "LatticeFields",
    "MonteCarloHistory",
    "action",
    "autocorrelation_time",
    "force",
    "free_log_partition",
    "free_propagator",
    "hmc_history",
    "hmc_plain",
    "leapfrog",
    "log_density",
    "simulate",
]

MASS_SQUARED, COUPLING = -4.0, 8.0
"""Parameters of the tutorial of Albergo et al. for 8 x 8 sites: in the symmetric phase, with a correlation length of
1.3 sites."""

BLOCK = 256
CHAIN, SIGN = 0, 1


@dataclass(frozen=True, repr=False, eq=False)
class LatticeFields(Sample):
    """Independent fields in equilibrium.

    Attributes
    ----------
    field : array, (n, L, L), float32
    action : array, (n,), float64
    magnetization : array, (n,), float32
        Mean of the field over the sites.
    energy_change : array, (n,), float64
        Change of the Hamiltonian along the last trajectory, accepted or not: the mean of exp(-change) is 1. Infinite
        where the leapfrog diverged.
    acceptance : array, (n,), float32
        Share of the chain's trajectories that were accepted.
    """

    units: ClassVar = {"field": "", "action": "", "magnetization": "", "energy_change": "", "acceptance": ""}

    field: np.ndarray
    action: np.ndarray
    magnetization: np.ndarray
    energy_change: np.ndarray
    acceptance: np.ndarray


@dataclass(frozen=True, eq=False)
class MonteCarloHistory:
    """One Markov chain; the first axis is the trajectory.

    Attributes
    ----------
    action, magnetization, square : arrays, (t,), float64
        Action, mean field and mean squared field after each trajectory.
    energy_change : array, (t,), float64
        Change of the Hamiltonian along each trajectory.
    accepted : array, (t,), bool
    field : array, (L, L), float64
        The last field.
    """

    action: np.ndarray
    magnetization: np.ndarray
    square: np.ndarray
    energy_change: np.ndarray
    accepted: np.ndarray
    field: np.ndarray


def action(field: ArrayLike, *, mass_squared: float = MASS_SQUARED, coupling: float = COUPLING) -> np.ndarray:
    """Action S of fields on the torus, in plain NumPy.

    Parameters
    ----------
    field : array, (..., L, L)
    mass_squared, coupling : float
        m^2, and lambda of at least 0.

    Returns
    -------
    array, (...), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> print(action(np.ones((4, 4)), mass_squared=1.0, coupling=0.5))
    24.0
    """
    phi = _fields(field)
    m2, coupling = _parameters(mass_squared, coupling)
    hop = (phi - np.roll(phi, 1, -1)) ** 2 + (phi - np.roll(phi, 1, -2)) ** 2
    return (hop + m2 * phi**2 + coupling * phi**4).sum((-2, -1))


def log_density(field: ArrayLike, *, mass_squared: float = MASS_SQUARED, coupling: float = COUPLING) -> np.ndarray:
    """Logarithm of the density up to its constant: -S. The missing -ln Z is known for a free field only.

    Parameters
    ----------
    field : array, (..., L, L)
    mass_squared, coupling : float

    Returns
    -------
    array, (...), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    A flow with density q has <ln q + S> >= -ln Z, equal only if it is exact.

    Examples
    --------
    >>> print(log_density(np.zeros((2, 2))))
    0.0
    """
    return 0.0 - action(field, mass_squared=mass_squared, coupling=coupling)


def force(field: ArrayLike, *, mass_squared: float = MASS_SQUARED, coupling: float = COUPLING) -> np.ndarray:
    """Minus the derivative of the action by the field at each site.

    Parameters
    ----------
    field : array, (..., L, L)
    mass_squared, coupling : float

    Returns
    -------
    array, (..., L, L), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> force(np.ones((2, 2)), mass_squared=1.0, coupling=0.5)
    array([[-4., -4.],
           [-4., -4.]])
    """
    phi = _fields(field)
    m2, coupling = _parameters(mass_squared, coupling)
    neighbours = sum(np.roll(phi, shift, axis) for shift in (1, -1) for axis in (-1, -2))
    return 2.0 * neighbours - phi * (8.0 + 2.0 * m2 + 4.0 * coupling * phi**2)


def leapfrog(
    field: ArrayLike,
    momentum: ArrayLike,
    *,
    step: float = 0.1,
    steps: int = 10,
    mass_squared: float = MASS_SQUARED,
    coupling: float = COUPLING,
) -> tuple[np.ndarray, np.ndarray]:
    """Motion under H = momentum^2 / 2 + S: reversible, and it keeps the volume of phase space.

    Parameters
    ----------
    field, momentum : arrays, (L, L)
    step : float
        -10 to 10.
    steps : int
    mass_squared, coupling : float

    Returns
    -------
    field, momentum : arrays, (L, L), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> start = np.ones((2, 2)), np.zeros((2, 2))
    >>> there = leapfrog(*start)
    >>> back = leapfrog(there[0], -there[1])
    >>> bool(np.abs(back[0] - start[0]).max() < 1e-12)
    True
    """
    phi = np.array(_fields(field, ndim=2))
    pi = np.array(check_array(shape=phi.shape, momentum=momentum))
    step = check_number(minimum=-10.0, maximum=10.0, step=step)
    steps = check_count(steps=steps)
    kernels.integrate(phi, pi, step, steps, *_parameters(mass_squared, coupling))
    return phi, pi


def simulate(
    n: int,
    *,
    seed: Seed,
    size: int = 8,
    mass_squared: float = MASS_SQUARED,
    coupling: float = COUPLING,
    trajectories: int = 100,
    step: float = 0.1,
    steps: int = 10,
) -> LatticeFields:
    """Draw independent fields in equilibrium, each from a chain of its own.

    A chain begins with faint noise on the bottom of a well, runs its trajectories, and gives one field, its last, with
    a random sign: the action does not know the sign, but deep wells keep a chain in one of them.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    size : int
        Sites along an edge, 2 to 128.
    mass_squared : float
        m^2, -20 to 100; above 0 if ``coupling`` is 0.
    coupling : float
        lambda, 0 to 100.
    trajectories : int
        Of each chain; see `autocorrelation_time`.
    step : float
        Of the leapfrog, 0.001 to 1.
    steps : int
        Of a trajectory, on average: the number is uniform in 1 ... 2 steps - 1, so that no mode of the field comes back
        to where it was.

    Returns
    -------
    LatticeFields

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    S. Duane, A. D. Kennedy, B. J. Pendleton and D. Roweth, Phys. Lett. B 195 (1987) 216.

    Examples
    --------
    >>> fields = simulate(200, seed=1, size=4)
    >>> fields.field.shape, bool(fields.acceptance.mean() > 0.8)
    ((200, 4, 4), True)
    """
    n = check_count(n=n)
    size = check_count(minimum=2, maximum=128, size=size)
    m2, coupling = _stable(mass_squared, coupling)
    trajectories = check_count(trajectories=trajectories)
    step, steps = _steps(step, steps)
    stream = Streams.of(seed)
    fields = LatticeFields(
        field=np.empty((n, size, size), np.float32),
        action=np.empty(n),
        magnetization=np.empty(n, np.float32),
        energy_change=np.empty(n),
        acceptance=np.empty(n, np.float32),
    )
    block = max(1, BLOCK * 64 // max(64, size * size))  # chains of large lattices in smaller blocks

    def fill(number: int, events: slice) -> None:
        m = events.stop - events.start
        phi, change, acceptance = np.empty((m, size, size)), np.empty(m), np.empty(m)
        kernels.chains(stream(CHAIN, number), phi, trajectories, step, steps, m2, coupling, change, acceptance)
        phi *= np.where(stream(SIGN, number).random(block)[:m] < 0.5, -1.0, 1.0)[:, None, None]
        fields.field[events] = phi
        fields.action[events] = action(phi, mass_squared=m2, coupling=coupling)
        fields.magnetization[events] = phi.mean((1, 2))
        fields.energy_change[events], fields.acceptance[events] = change, acceptance

    fill_blocks(fill, n, block=block, title="lattice fields")
    return fields


def hmc_history(
    trajectories: int,
    *,
    seed: Seed,
    size: int = 8,
    mass_squared: float = MASS_SQUARED,
    coupling: float = COUPLING,
    step: float = 0.1,
    steps: int = 10,
    start: ArrayLike | None = None,
) -> MonteCarloHistory:
    """One long chain and its observables: for acceptance, thermalisation and autocorrelation.

    Parameters
    ----------
    trajectories : int
    seed : int or numpy.random.Generator
    size : int
    mass_squared, coupling : float
    step : float
    steps : int
        All as in `simulate`.
    start : array, (L, L), optional
        First field; faint noise on the bottom of a well if left out.

    Returns
    -------
    MonteCarloHistory

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> history = hmc_history(2000, seed=1)
    >>> bool(0.85 < history.accepted.mean() < 1.0)
    True
    """
    trajectories = check_count(trajectories=trajectories)
    size = check_count(minimum=2, maximum=128, size=size)
    m2, coupling = _stable(mass_squared, coupling)
    step, steps = _steps(step, steps)
    stream = Streams.of(seed)
    if start is None:
        field = np.empty((size, size))
        kernels.start_field(stream(SIGN, 0), field, m2, coupling)
    else:
        field = np.array(check_array(shape=(size, size), start=start))
    total, mean, square, change = np.empty((4, trajectories))
    accepted = np.empty(trajectories, bool)
    kernels.history(stream(CHAIN, 0), field, step, steps, m2, coupling, total, mean, square, change, accepted)
    return MonteCarloHistory(total, mean, square, change, accepted, field)


def hmc_plain(
    field: ArrayLike,
    *,
    seed: Seed,
    trajectories: int = 1,
    step: float = 0.1,
    steps: int = 10,
    mass_squared: float = MASS_SQUARED,
    coupling: float = COUPLING,
) -> np.ndarray:
    """Hybrid Monte Carlo in twenty lines of NumPy: what `simulate` does, but slowly.

    Parameters
    ----------
    field : array, (n, L, L)
        Starts of n chains.
    seed : int or numpy.random.Generator
    trajectories : int
    step : float
    steps : int
    mass_squared, coupling : float
        All as in `simulate`.

    Returns
    -------
    array, (n, L, L)
        The fields after the last trajectory.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> hmc_plain(np.zeros((10, 4, 4)), seed=1).shape
    (10, 4, 4)
    """
    phi = np.array(_fields(field, ndim=3))
    random = generator(seed)
    trajectories = check_count(trajectories=trajectories)
    step, steps = _steps(step, steps)
    m2, coupling = _stable(mass_squared, coupling)
    parameters = {"mass_squared": m2, "coupling": coupling}
    for _ in range(trajectories):
        momentum = random.standard_normal(phi.shape)
        before = 0.5 * (momentum**2).sum((1, 2)) + action(phi, **parameters)
        proposal = phi.copy()
        length = random.integers(1, 2 * steps)
        momentum += 0.5 * step * force(proposal, **parameters)
        for k in range(length):
            proposal += step * momentum
            momentum += step * (1.0 if k + 1 < length else 0.5) * force(proposal, **parameters)
        after = 0.5 * (momentum**2).sum((1, 2)) + action(proposal, **parameters)
        accepted = random.random(len(phi)) < np.exp(np.minimum(before - after, 0.0))
        phi[accepted] = proposal[accepted]
    return phi


def _fields(field: ArrayLike, ndim: int | None = None) -> np.ndarray:
    phi = check_array(ndim=ndim, field=field)
    if phi.ndim < 2 or phi.shape[-1] != phi.shape[-2] or phi.shape[-1] < 2:
        raise ValueError(f"field must have shape (..., L, L) with L of at least 2, got {phi.shape}")
    return phi


def _parameters(mass_squared: float, coupling: float) -> tuple[float, float]:
    return (
        check_number(minimum=-20.0, maximum=100.0, mass_squared=mass_squared),
        check_number(minimum=0.0, maximum=100.0, coupling=coupling),
    )


def _stable(mass_squared: float, coupling: float) -> tuple[float, float]:
    m2, coupling = _parameters(mass_squared, coupling)
    if coupling == 0.0 and m2 <= 0.0:
        raise ValueError(f"mass_squared must be above 0 for a free field (coupling=0), got {m2:g}")
    return m2, coupling


def _steps(step: float, steps: int) -> tuple[float, int]:
    return check_number(minimum=0.001, maximum=1.0, step=step), check_count(steps=steps)
