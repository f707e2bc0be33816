"""The free field exactly, by sums over momenta, and how much a Markov chain knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlphys._validation import check_array, check_count, check_number


def free_propagator(size: int, *, mass_squared: float) -> np.ndarray:
    """<phi(0) phi(x)> of the free field (lambda = 0): the sum over momenta of exp(i p x) / (2 L^2 (p^2 + m^2)).

    p^2 stands for the sum over directions of 4 sin^2(p_mu / 2), with p_mu = 2 pi k / L.

    Parameters
    ----------
    size : int
        Sites along an edge, 2 to 1024.
    mass_squared : float
        Above 0.

    Returns
    -------
    array, (L, L)
        Entry (0, 0) is <phi^2>.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> free_propagator(2, mass_squared=1.0).round(4)
    array([[0.1889, 0.1111],
           [0.1111, 0.0889]])
    """
    modes = _free_modes(size, mass_squared)
    return np.fft.ifft2(0.5 / modes).real


def free_log_partition(size: int, *, mass_squared: float) -> float:
    """ln Z of the free field: half the sum over momenta of ln(pi / (p^2 + m^2)).

    With it `log_density` is normalised: the limit of the loss of a flow trained on the free field is -ln Z.

    Parameters
    ----------
    size : int
        2 to 1024.
    mass_squared : float
        Above 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> print(round(free_log_partition(2, mass_squared=1.0), 4))
    -0.4186
    """
    return float(0.5 * np.log(np.pi / _free_modes(size, mass_squared)).sum())


def autocorrelation_time(series: ArrayLike, *, window: float = 5.0) -> float:
    """Integrated autocorrelation time 1/2 + sum of the autocorrelation, in trajectories.

    The mean of N values has the variance of 2 tau / N independent ones. The sum stops at the first t of at least
    ``window`` times tau.

    Parameters
    ----------
    series : array, (t,)
        At least 10 values that are not all equal.
    window : float
        1 to 20.

    Returns
    -------
    float
        0.5 for independent values.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    N. Madras and A. D. Sokal, J. Stat. Phys. 50 (1988) 109.

    Examples
    --------
    >>> noise = np.random.default_rng(1).standard_normal(100_000)
    >>> print(f"{autocorrelation_time(noise):.1f}")
    0.5
    """
    values = check_array(ndim=1, series=series)
    window = check_number(minimum=1.0, maximum=20.0, window=window)
    values = values - values.mean()
    if len(values) < 10 or not (values**2).any():
        raise ValueError(f"series must have at least 10 values that are not all equal, got {len(values)}")
    spectrum = np.abs(np.fft.rfft(values, n=2 * len(values))) ** 2
    correlation = np.fft.irfft(spectrum)[: len(values)]
    times = np.cumsum(correlation / correlation[0]) - 0.5
    stops = np.flatnonzero(np.arange(len(values)) >= window * times)
    return float(times[stops[0]] if len(stops) else times[-1])


def _free_modes(size: int, mass_squared: float) -> np.ndarray:
    """p^2 + m^2 for every momentum, (L, L)."""
    size = check_count(minimum=2, maximum=1024, size=size)
    m2 = check_number(minimum=0.0, exclusive=True, mass_squared=mass_squared)
    one = 4.0 * np.sin(np.pi * np.arange(size) / size) ** 2
    return one[:, None] + one + m2
