"""Fits of the dijet spectrum and the test for a bump on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincc, ndtr, xlogy

from dlphys._validation import check_array
from dlphys.simulators._resonance_spectrum import (
    COLLISION_ENERGY,
    LOWEST_MASS,
    SHAPE,
    check_peak,
    quadrature,
    shape_basis,
)

STEPS = 100  # of a fit; ten are usual


@dataclass(frozen=True)
class SpectrumFit:
    """What `fit_spectrum` finds.

    Attributes
    ----------
    parameters : array, (4,)
        p0 in events/TeV, p1, p2, p3 of p0 (1 - x)^p1 / x^(p2 + p3 ln x), x = mass / 13 TeV. They are strongly
        correlated: compare spectra, not parameters.
    expected : array, (bins,)
        Expected events in every bin, also in the window that was left out.
    error : array, (bins,)
        Its standard deviation from the fit.
    chi2, ndf, p_value : float, int, float
        Poisson likelihood ratio of the fitted bins (Baker and Cousins), degrees of freedom, and the probability of a
        larger value.
    """

    parameters: np.ndarray
    expected: np.ndarray
    error: np.ndarray
    chi2: float
    ndf: int
    p_value: float


@dataclass(frozen=True)
class BumpTest:
    """What `bump_test` finds.

    Attributes
    ----------
    signal, signal_error : float
        Fitted number of signal events, which may be negative, and its standard deviation.
    significance : float
        Signed square root of twice the logarithm of the likelihood ratio, in standard deviations.
    p_value : float
        Probability of a larger significance without signal; uniform in [0, 1] if there is none.
    background : array, (bins,)
        Expected background in every bin.
    """

    signal: float
    signal_error: float
    significance: float
    p_value: float
    background: np.ndarray


def fit_spectrum(counts: ArrayLike, edges: ArrayLike, *, window: tuple[float, float] | None = None) -> SpectrumFit:
    """Fit the four parameters of the smooth spectrum to a histogram of dijet masses, by maximum likelihood.

    The logarithm of the spectrum is linear in its parameters, so that the likelihood has one maximum; the spectrum is
    integrated over every bin.

    Parameters
    ----------
    counts : array, (bins,)
        Events in each bin, at least 6 bins outside the window.
    edges : array, (bins + 1,), TeV
        Rising, in [2.5, 13] TeV.
    window : (float, float), TeV, optional
        Bins that overlap with this range of masses are left out of the fit; the result interpolates into them.

    Returns
    -------
    SpectrumFit

    Raises
    ------
    ValueError, TypeError
        If counts and edges do not fit together, or fewer than 6 bins or 10 events are left.
    RuntimeError
        If the fit does not converge.

    Notes
    -----
    The p-value is asymptotic. It is uniform with 100 000 events in bins of 100 GeV up to 5 TeV (100 events or more in
    each); with 20 000 events up to 6.5 TeV, where the last bins expect about one, it was not (Kolmogorov and Smirnov:
    0.7 % in 300 samples). Merge bins, or end the histogram earlier.

    References
    ----------
    S. Baker and R. Cousins, Nucl. Instrum. Meth. 221 (1984) 437 (the chi-square).

    Examples
    --------
    >>> from dlphys.simulators import resonance
    >>> dijets = resonance.simulate(50_000, signal_fraction=0.0, seed=1)
    >>> counts, edges = np.histogram(dijets.mass, bins=np.linspace(2.5, 5.0, 26))
    >>> fit = fit_spectrum(counts, edges, window=(3.3, 3.7))
    >>> fit.ndf, fit.p_value > 0.01
    (17, True)
    """
    events, edges = _histogram(counts, edges)
    used = np.ones(len(events), bool)
    if window is not None:
        low, high = check_array(shape=(2,), unit="TeV", window=window)
        used = (edges[1:] <= low + 1e-9) | (edges[:-1] >= high - 1e-9)
    if used.sum() < 6 or events[used].sum() < 10:
        raise ValueError(
            f"counts must have at least 6 bins and 10 events outside the window, "
            f"got {used.sum()} bins and {events[used].sum():g} events"
        )
    points, weights = quadrature(edges)
    basis, turn = _centred(shape_basis(points))
    no_peak = np.zeros((len(events), 0))
    start = _nominal(events[used], basis[used], weights[used], turn)
    fit = _maximise(events[used], basis[used], weights[used], no_peak[used], start)
    expected, slopes = _expectation(fit, basis, weights, no_peak)
    information = _information(slopes[used], expected[used])
    error = np.sqrt(np.einsum("bi,ij,bj->b", slopes, np.linalg.inv(information), slopes))
    chi2, ndf = _deviance(events[used], expected[used]), int(used.sum()) - 4
    shape = turn @ fit
    return SpectrumFit(
        np.concatenate([[np.exp(shape[0])], shape[1:]]), expected, error, chi2, ndf, float(gammaincc(ndf / 2, chi2 / 2))
    )


def bump_test(counts: ArrayLike, edges: ArrayLike, *, resonance: float = 3.5, width: float = 0.1) -> BumpTest:
    """Is there a resonance on the spectrum? The ratio of two maximal likelihoods, with and without a Gaussian bump.

    Parameters
    ----------
    counts : array, (bins,)
    edges : array, (bins + 1,), TeV
        Rising, in [2.5, 13] TeV.
    resonance, width : float, TeV
        Mean and standard deviation of the bump that is looked for.

    Returns
    -------
    BumpTest

    Raises
    ------
    ValueError, TypeError
        If counts and edges do not fit together, or the bump lies outside the histogram.
    RuntimeError
        If a fit does not converge.

    Notes
    -----
    The significance is that of a bump at a mass known before. A search that scans the mass looks at many places, and
    its smallest p-value is not uniform. The p-value is asymptotic (S. S. Wilks, Ann. Math. Stat. 9 (1938) 60; G. Cowan
    et al., Eur. Phys. J. C 71 (2011) 1554): it needs some ten events under the bump.

    Examples
    --------
    >>> from dlphys.simulators import resonance
    >>> dijets = resonance.simulate(50_000, signal_fraction=0.02, seed=1)
    >>> test = bump_test(*np.histogram(dijets.mass, bins=np.linspace(2.5, 6.5, 41)))
    >>> bool(abs(test.signal - dijets.label.sum()) < 3 * test.signal_error), test.significance > 5
    (True, True)
    """
    events, edges = _histogram(counts, edges)
    check_peak(resonance, width)
    peak = np.diff(ndtr((edges - resonance) / width))[:, None]
    if peak.sum() < 0.5 or events @ peak[:, 0] == 0:
        raise ValueError(
            f"edges must hold the bump at {resonance:g} TeV and events under it, got {edges[0]:g} to {edges[-1]:g} TeV"
        )
    points, weights = quadrature(edges)
    basis, turn = _centred(shape_basis(points))
    no_peak = np.zeros((len(events), 0))
    without = _maximise(events, basis, weights, no_peak, _nominal(events, basis, weights, turn))
    with_bump = _maximise(events, basis, weights, peak, np.append(without, 0.0))
    null, _ = _expectation(without, basis, weights, no_peak)
    expected, slopes = _expectation(with_bump, basis, weights, peak)
    ratio = max(_deviance(events, null) - _deviance(events, expected), 0.0)
    error = np.sqrt(np.linalg.inv(_information(slopes, expected))[-1, -1])
    significance = float(np.copysign(np.sqrt(ratio), with_bump[-1]))
    background = expected - with_bump[-1] * peak[:, 0]
    return BumpTest(float(with_bump[-1]), float(error), significance, float(ndtr(-significance)), background)


def _histogram(counts: ArrayLike, edges: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    edges = check_array(ndim=1, minimum=LOWEST_MASS, maximum=COLLISION_ENERGY, unit="TeV", edges=edges)
    if len(edges) < 7 or (np.diff(edges) <= 0).any():
        raise ValueError(f"edges must be at least 7 rising numbers, got {len(edges)} numbers")
    return check_array(shape=(len(edges) - 1,), minimum=0.0, counts=counts), edges


def _centred(basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The basis made orthonormal over the points, and the matrix that turns its parameters back.

    A fit of p1, p2, p3 themselves would have a condition number of a million.
    """
    flat = basis.reshape(-1, basis.shape[-1])
    _, triangle = np.linalg.qr(flat)
    turn = np.linalg.inv(triangle) * np.sqrt(len(flat))
    return basis @ turn, turn


def _expectation(
    parameters: np.ndarray, basis: np.ndarray, weights: np.ndarray, peak: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Expected events (bins,) and their derivatives by all parameters (bins, p)."""
    shape = basis.shape[-1]
    density = np.exp(np.clip(basis @ parameters[:shape], -700.0, 700.0)) * weights
    slopes = np.concatenate([np.einsum("bq,bqp->bp", density, basis), peak], axis=1)
    return density.sum(1) + peak @ parameters[shape:], slopes


def _information(slopes: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.einsum("bi,bj,b->ij", slopes, slopes, 1.0 / expected)


def _deviance(events: np.ndarray, expected: np.ndarray) -> float:
    """Twice the logarithm of the Poisson likelihood of a perfect fit over that of this one."""
    return float(2.0 * (expected - events + xlogy(events, events / expected)).sum())


def _nominal(events: np.ndarray, basis: np.ndarray, weights: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The nominal shape with as many events as were seen: where a fit begins."""
    start = np.linalg.solve(turn, [0.0, *SHAPE])
    expected, _ = _expectation(start, basis, weights, np.zeros((len(events), 0)))
    return np.linalg.solve(turn, [np.log(events.sum() / expected.sum()), *SHAPE])


def _maximise(
    events: np.ndarray, basis: np.ndarray, weights: np.ndarray, peak: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Fisher's scoring with halved steps; the parameters of the smooth shape, then those of the peak."""
    parameters = start
    expected, slopes = _expectation(parameters, basis, weights, peak)
    deviance = _deviance(events, expected)
    for _ in range(STEPS):
        step = np.linalg.solve(_information(slopes, expected), slopes.T @ (events / expected - 1.0))
        for size in 0.5 ** np.arange(20):
            tried, tried_slopes = _expectation(parameters + size * step, basis, weights, peak)
            new = _deviance(events, tried) if (tried > 0).all() else np.inf
            if new <= deviance + 1e-9:
                break
        else:
            break
        parameters, gain = parameters + size * step, deviance - new
        expected, slopes, deviance = tried, tried_slopes, new
        if gain < 1e-8:
            return parameters
    raise RuntimeError(f"the fit of the spectrum to {events.sum():g} events does not converge")
