"""An ideal gas as a thermometer: speeds of atoms at one temperature.

In equilibrium the three components of an atom's velocity are Gaussians of the variance k T / m, so its speed v has the
density of Maxwell and Boltzmann, p(v | T) = sqrt(2 / pi) (m / k T)^(3/2) v^2 exp(-m v^2 / (2 k T)). From N speeds the
temperature is to be found. Used in chapter 14.

Next to the data stand the maximum-likelihood estimate and its Cramer-Rao bound, and what no method can surpass on
average: the posterior mean (`posterior_mean`, a limit for the mean squared error) and its error (`limit_rmse`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincinv, gammaln

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._sample import Sample

__all__ = [
    "ATOMS",
    "BOLTZMANN",
    "GasSpeeds",
    "GasVelocities",
    "cramer_rao",
    "limit_rmse",
    "maximum_likelihood",
    "maxwell_boltzmann",
    "posterior_mean",
    "simulate",
    "simulate_velocities",
]

BOLTZMANN = 1.380649e-23  # J/K, exact since 2019
DALTON = 1.66053906660e-27  # kg, CODATA 2018
ATOMS = {"helium": 4.002602, "neon": 20.1797, "argon": 39.948, "krypton": 83.798, "xenon": 131.293}  # Da
PRIORS = ("uniform", "log-uniform")

BLOCK = 1024  # gases
TEMPERATURE, VELOCITY = range(2)
NODES = 300  # of an integral over the temperature


@dataclass(frozen=True, repr=False)
class GasSpeeds(Sample):
    """Simulated gases; the first axis of every array is the gas.

    Attributes
    ----------
    speeds : array, (n, atoms), float32, m/s
    temperature : array, (n,), float32, K
    """

    units: ClassVar = {"speeds": "m/s", "temperature": "K"}

    speeds: np.ndarray
    temperature: np.ndarray


@dataclass(frozen=True, repr=False)
class GasVelocities(Sample):
    """Simulated gases with the three components of each velocity.

    Attributes
    ----------
    velocities : array, (n, atoms, 3), float32, m/s
    temperature : array, (n,), float32, K
    """

    units: ClassVar = {"velocities": "m/s", "temperature": "K"}

    velocities: np.ndarray
    temperature: np.ndarray


def maxwell_boltzmann(speeds: ArrayLike, temperature: ArrayLike, *, gas: str = "helium") -> np.ndarray:
    """Density of the speed of an atom (s/m).

    Parameters
    ----------
    speeds : float or array, m/s
        At least 0.
    temperature : float or array, K
        Above 0; broadcast against ``speeds``.
    gas : str
        One of `ATOMS`.

    Returns
    -------
    array, broadcast shape, s/m

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The axis of the book's figure 14.1 has the density in s/km and speeds of up to 4000 m/s: helium at some 100 K.

    Examples
    --------
    >>> float(1000 * maxwell_boltzmann(1116.0, 300.0).round(5))  # s/km at the most likely speed of helium
    0.74
    """
    v = check_array(minimum=0.0, unit="m/s", speeds=speeds)
    T = check_array(minimum=1e-6, unit="K", temperature=temperature)
    inverse = _mass(gas) / (BOLTZMANN * T)
    return np.sqrt(2.0 / np.pi) * inverse**1.5 * v**2 * np.exp(-0.5 * inverse * v**2)


def simulate(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    atoms: int = 100,
    temperature: float | None = None,
    lowest: float = 100.0,
    highest: float = 1000.0,
    prior: str | None = None,
    gas: str = "helium",
) -> GasSpeeds:
    """Draw gases at random temperatures, and the speeds of some of their atoms.

    Parameters
    ----------
    n : int
        Number of gases.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        Decides about the prior where it is left out: uniform in T for the book's example 14.4, which gives neither
        gas nor range; log-uniform for physics, since a temperature is a scale.
    atoms : int
        Speeds of each gas.
    temperature : float, K, optional
        Of all gases; left out: drawn from the prior.
    lowest, highest : float, K
        Range of the prior.
    prior : {"uniform", "log-uniform"}, optional
        Density of the temperature, constant in T or in ln T.
    gas : str
        One of `ATOMS`.

    Returns
    -------
    GasSpeeds
        Frozen dataclass: speeds (n, atoms) float32 m/s, temperature (n,) float32 K.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    One seed gives the same bits for any number of threads; the first gases do not depend on ``n``, and the speeds are
    the lengths of the vectors of `simulate_velocities` with the same arguments.

    Examples
    --------
    >>> gases = simulate(1000, seed=1)
    >>> gases.speeds.shape, gases.temperature.shape
    ((1000, 100), (1000,))
    """
    n, atoms = check_count(n=n), check_count(atoms=atoms)
    draw = _Draw(seed, preset, atoms, temperature, lowest, highest, prior, gas)
    gases = GasSpeeds(speeds=np.empty((n, atoms), np.float32), temperature=np.empty(n, np.float32))

    def fill(block: int, events: slice) -> None:
        T, v = draw(block, events.stop - events.start)
        gases.temperature[events] = T
        np.sqrt(np.einsum("nki,nki->nk", v, v), out=gases.speeds[events])

    fill_blocks(fill, n, block=BLOCK, title="gases")
    return gases


def simulate_velocities(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    atoms: int = 100,
    temperature: float | None = None,
    lowest: float = 100.0,
    highest: float = 1000.0,
    prior: str | None = None,
    gas: str = "helium",
) -> GasVelocities:
    """The same gases as `simulate` draws, with the three components of each velocity.

    Parameters
    ----------
    n, seed, preset, atoms, temperature, lowest, highest, prior, gas
        As in `simulate`.

    Returns
    -------
    GasVelocities
        Frozen dataclass: velocities (n, atoms, 3) float32 m/s, temperature (n,) float32 K.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> simulate_velocities(10, seed=1, atoms=50).velocities.shape
    (10, 50, 3)
    """
    n, atoms = check_count(n=n), check_count(atoms=atoms)
    draw = _Draw(seed, preset, atoms, temperature, lowest, highest, prior, gas)
    gases = GasVelocities(velocities=np.empty((n, atoms, 3), np.float32), temperature=np.empty(n, np.float32))

    def fill(block: int, events: slice) -> None:
        gases.temperature[events], gases.velocities[events] = draw(block, events.stop - events.start)

    fill_blocks(fill, n, block=BLOCK, title="gases")
    return gases


def maximum_likelihood(speeds: ArrayLike, *, gas: str = "helium") -> np.ndarray:
    """Temperature that makes the speeds most likely, T = m <v^2> / (3 k): a baseline without a prior.

    It is unbiased and reaches the Cramer-Rao bound.

    Parameters
    ----------
    speeds : array, (n, atoms), m/s
    gas : str
        One of `ATOMS`.

    Returns
    -------
    array, (n,), K

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> float(maximum_likelihood([[1000.0, 1500.0]])[0].round(1))
    260.8
    """
    v = check_array(ndim=2, minimum=0.0, unit="m/s", speeds=speeds)
    return _mass(gas) * (v**2).mean(1) / (3.0 * BOLTZMANN)


def cramer_rao(temperature: ArrayLike, *, atoms: int) -> np.ndarray:
    """Smallest standard deviation of any unbiased estimate from N speeds, T sqrt(2 / (3 N)).

    It binds unbiased estimates only: a network that has learnt the range of the temperatures may be better, but not
    better on average than `posterior_mean`.

    Parameters
    ----------
    temperature : float or array, K
    atoms : int

    Returns
    -------
    array, shape of ``temperature``, K

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> float(cramer_rao(300.0, atoms=100).round(2))
    24.49
    """
    T = check_array(minimum=0.0, unit="K", temperature=temperature)
    return T * np.sqrt(2.0 / (3.0 * check_count(atoms=atoms)))


def posterior_mean(
    speeds: ArrayLike,
    *,
    lowest: float = 100.0,
    highest: float = 1000.0,
    prior: str = "uniform",
    gas: str = "helium",
) -> np.ndarray:
    """Mean of the temperature given the speeds: the limit. No method has a smaller mean squared error on average.

    The posterior is T^(-3 N / 2) exp(-S / T) times the prior, with S = m sum v^2 / (2 k), in the range of the prior.

    Parameters
    ----------
    speeds : array, (n, atoms), m/s
    lowest, highest : float, K
        Range of the prior.
    prior : {"uniform", "log-uniform"}
        Density of the temperature, constant in T or in ln T.
    gas : str
        One of `ATOMS`.

    Returns
    -------
    array, (n,), K

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or all speeds of a gas are 0.

    Examples
    --------
    >>> gases = simulate(3, seed=1, temperature=300.0, atoms=10_000)
    >>> posterior_mean(gases.speeds).round(-1)
    array([300., 300., 300.])
    """
    v = check_array(ndim=2, minimum=0.0, unit="m/s", speeds=speeds)
    low, high = _range(lowest, highest)
    check_choice(choices=PRIORS, prior=prior)
    S = _mass(gas) * (v**2).sum(1) / (2.0 * BOLTZMANN)
    if not (S > 0.0).all():
        raise ValueError("speeds must not all be 0 m/s in one gas, got a gas at rest")
    return _mean_given(S, v.shape[1], low, high, prior)


def limit_rmse(*, atoms: int, lowest: float = 100.0, highest: float = 1000.0, prior: str = "uniform") -> float:
    """Smallest root-mean-square error on average over the prior, that of `posterior_mean`: the limit (K).

    S / T has a gamma distribution of the shape 3 N / 2 whatever the gas. It and the prior are integrated with
    Gauss-Legendre points.

    Parameters
    ----------
    atoms : int
    lowest, highest : float, K
    prior : {"uniform", "log-uniform"}

    Returns
    -------
    float, K

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> round(limit_rmse(atoms=100), 1)
    44.7
    """
    atoms = check_count(atoms=atoms)
    low, high = _range(lowest, highest)
    check_choice(choices=PRIORS, prior=prior)
    nodes, weights = np.polynomial.legendre.leggauss(80)
    quantile, weight = 0.5 * (nodes + 1.0), 0.5 * weights
    T = low + (high - low) * quantile if prior == "uniform" else low * (high / low) ** quantile
    # the logarithm of a gamma-distributed number has a smooth density without long tails
    begin, end = np.log(gammaincinv(1.5 * atoms, [1e-13, 1.0 - 1e-13]))
    x = np.exp(begin + (end - begin) * quantile)
    density = np.exp(1.5 * atoms * np.log(x) - x - gammaln(1.5 * atoms)) * (end - begin)
    S = T[:, None] * x
    error = _mean_given(S.ravel(), atoms, low, high, prior).reshape(S.shape) - T[:, None]
    return float(np.sqrt(weight @ error**2 @ (weight * density)))


class _Draw:
    """Temperatures and velocities of a block, the same for both simulations."""

    def __init__(
        self,
        seed: Seed,
        preset: str,
        atoms: int,
        temperature: float | None,
        lowest: float,
        highest: float,
        prior: str | None,
        gas: str,
    ) -> None:
        check_choice(choices=("book", "physics"), preset=preset)
        check_choice(choices=(None, *PRIORS), prior=prior)
        self.atoms, self.temperature = atoms, temperature
        self.low, self.high = _range(lowest, highest)
        if temperature is not None:
            self.temperature = check_number(minimum=0.0, exclusive=True, unit="K", temperature=temperature)
        self.prior = prior or ("uniform" if preset == "book" else "log-uniform")
        self.speed = np.sqrt(BOLTZMANN / _mass(gas))  # m/s at 1 K, standard deviation of a component
        self.stream = Streams.of(seed)

    def __call__(self, block: int, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Temperatures (m,) and velocities (m, atoms, 3), float32."""
        quantile = self.stream(TEMPERATURE, block).random(BLOCK)[:m]
        if self.temperature is not None:
            T = np.full(m, self.temperature)
        elif self.prior == "uniform":
            T = self.low + (self.high - self.low) * quantile
        else:
            T = self.low * (self.high / self.low) ** quantile
        # row by row, so that the first gases do not depend on how many follow
        v = self.stream(VELOCITY, block).standard_normal((m, self.atoms, 3), dtype=np.float32)
        v *= (self.speed * np.sqrt(T)).astype(np.float32)[:, None, None]
        return T.astype(np.float32), v


def _mass(gas: str) -> float:
    return ATOMS[check_choice(choices=tuple(ATOMS), gas=gas)] * DALTON


def _range(lowest: float, highest: float) -> tuple[float, float]:
    low = check_number(minimum=0.0, exclusive=True, unit="K", lowest=lowest)
    return low, check_number(minimum=low, exclusive=True, unit="K", highest=highest)


def _mean_given(S: np.ndarray, atoms: int, low: float, high: float, prior: str) -> np.ndarray:
    """Posterior mean of T for S = m sum v^2 / (2 k), by quadrature in u = ln T.

    In u the log posterior, -shape u - S exp(-u), is concave; the nodes lie where it is within about 70 of its maximum,
    so that nothing over- or underflows however far S is from the range.
    """
    shape = 1.5 * atoms - (1.0 if prior == "uniform" else 0.0)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    means = np.empty(len(S))
    for begin in range(0, len(S), 4096):
        s = S[begin : begin + 4096, None]
        mode = np.clip(np.log(s / shape), np.log(low), np.log(high))
        slope = np.abs(s * np.exp(-mode) - shape)  # not 0 where the maximum lies at an end of the range
        width = np.minimum(12.0 / np.sqrt(shape), 70.0 / np.maximum(slope, 1e-300))
        begin_u = np.maximum(mode - width, np.log(low))
        end_u = np.minimum(mode + width, np.log(high))
        u = 0.5 * (begin_u + end_u) + 0.5 * (end_u - begin_u) * nodes
        exponent = -shape * (u - mode) - s * (np.exp(-u) - np.exp(-mode))
        density = weights * np.exp(exponent - exponent.max(1, keepdims=True))
        means[begin : begin + 4096] = (density * np.exp(u)).sum(1) / density.sum(1)
    return means
