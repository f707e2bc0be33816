"""Resonances: a bump on the dijet spectrum, Higgs bosons beside top quarks, and jets to be assigned to their parents.

The dijet events (chapter 20) have a mass that falls smoothly, a Gaussian signal on it, and two further features that
know nothing of the mass (``rho = 0``, where classification without labels is exact) or that drift with it (``rho``
above 0, where it fails). Their densities are known in closed form, and with them the limit: the likelihood ratio, its
ROC curve and the largest possible gain in significance.

`simulate_higgs` makes events with the 28 columns of the HIGGS set (lectures), and `simulate_tth` the jets of a top
quark pair with a Higgs boson (chapter 14), both from relativistic decay kinematics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from scipy.stats import ncx2

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators._resonance_assignment import assign_jets, assignments, correct_assignments
from dlphys.simulators._resonance_fit import BumpTest, SpectrumFit, bump_test, fit_spectrum
from dlphys.simulators._resonance_higgs import (
    HIGGS_COLUMNS,
    HIGGS_PARTICLES,
    HIGGS_SCALES,
    HiggsEvents,
    HiggsPartons,
    simulate_higgs,
    simulate_higgs_partons,
)
from dlphys.simulators._resonance_kinematics import (
    boost,
    invariant_mass,
    neutrino_pz,
    top_pair_cross_section,
    two_body_decay,
    two_body_momentum,
)
from dlphys.simulators._resonance_spectrum import (
    COLLISION_ENERGY,
    LOWEST_MASS,
    check_peak,
    dijet_spectrum,
    mass_distribution,
    mass_quantile,
    normal_score,
    window_shares,
)
from dlphys.simulators._resonance_tth import (
    JET_COLUMNS,
    TTHEvents,
    TTHPartons,
    simulate_tth,
    simulate_tth_partons,
)
from dlphys.simulators._sample import Sample

__all__ = [
    "COLLISION_ENERGY",
    "HIGGS_COLUMNS",
    "HIGGS_PARTICLES",
    "HIGGS_SCALES",
    "JET_COLUMNS",
    "LOWEST_MASS",
    "BumpTest",
    "Dijets",
    "HiggsEvents",
    "HiggsPartons",
    "SpectrumFit",
    "TTHEvents",
    "TTHPartons",
    "assign_jets",
    "assignments",
    "best_significance",
    "boost",
    "bump_test",
    "correct_assignments",
    "counting_significance",
    "dijet_spectrum",
    "feature_log_ratio",
    "fit_spectrum",
    "invariant_mass",
    "log_likelihood_ratio",
    "neutrino_pz",
    "optimal_auc",
    "optimal_background_efficiency",
    "optimal_improvement",
    "simulate",
    "simulate_higgs",
    "simulate_higgs_partons",
    "simulate_tth",
    "simulate_tth_partons",
    "top_pair_cross_section",
    "two_body_decay",
    "two_body_momentum",
    "window_shares",
]

# Both features are functions of a hidden number z, which is standard normal for the background at rho = 0.
JET_MASS, JET_MASS_SPREAD = 120.0, 0.4  # GeV: jet mass = 120 GeV exp(0.4 z)
TAU_OFFSET, TAU_SPREAD = 0.6, 0.7  # tau21 = 1 / (1 + exp(-(0.6 + 0.7 z)))
SIGNAL_MEAN = np.array([2.0, -1.2])  # of the two z of the signal
SIGNAL_SPREAD = 0.5
SIGNAL_MEAN.setflags(write=False)
LARGEST_RHO = 0.8  # keeps the background wider than the signal at every mass

BLOCK = 8192  # events
LABEL, MASS, FEATURES = range(3)


@dataclass(frozen=True, repr=False)
class Dijets(Sample):
    """Simulated dijet events; the first axis of every array is the event.

    Attributes
    ----------
    mass : array, (n,), float32, TeV
        Invariant mass of the two jets.
    features : array, (n, 2), float32
        Mass of the heavier jet in GeV, and the n-subjettiness ratio tau21 in (0, 1), small for two-pronged jets.
    label : array, (n,), uint8
        1 = signal, 0 = background.
    """

    units: ClassVar = {"mass": "TeV", "features": "GeV, 1", "label": ""}

    mass: np.ndarray
    features: np.ndarray
    label: np.ndarray


def simulate(
    n: int,
    *,
    seed: Seed,
    signal_fraction: float = 0.005,
    resonance: float = 3.5,
    width: float = 0.1,
    rho: float = 0.0,
) -> Dijets:
    """Dijet events: a falling background and a resonance.

    Parameters
    ----------
    n : int
        Number of events.
    seed : int or numpy.random.Generator
    signal_fraction : float, default 0.005
        Probability of an event to be signal, in [0, 1].
    resonance, width : float, TeV, defaults 3.5 and 0.1
        Mean and standard deviation of the signal's mass: the detector's resolution of 3 % is wider than the particle.
    rho : float, default 0
        Correlation of either feature's z with the normal score of the mass in the background, in [-0.8, 0.8].
        With 0 mass and features are independent, and a classifier of window against side-bands learns the signal
        alone; otherwise it learns to tell the masses apart, and cuts on it make a bump where there is none.

    Returns
    -------
    Dijets

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The background's mass is the quantile of `dijet_spectrum` at a uniform u; z_j = rho t + sqrt(1 - rho^2) e_j with
    t the normal score of u and independent normal e_j, so each z_j stays standard normal for any rho. The signal's
    mass is normal (above 2.5 TeV), its z_j are normal with means 2 and -1.2 and standard deviation 0.5, independent
    of the mass. The set is ours, after the search of J. Collins, K. Howe and B. Nachman, Phys. Rev. Lett. 121 (2018)
    241803; the book has no files of its own. One seed gives the same bits for any number of threads, the first events
    do not depend on ``n``, and the background stays the same for any resonance. 13 bytes an event.

    Examples
    --------
    >>> dijets = simulate(1000, seed=1)
    >>> dijets.mass.shape, dijets.features.shape
    ((1000,), (1000, 2))
    """
    n = check_count(n=n)
    check_number(minimum=0.0, maximum=1.0, signal_fraction=signal_fraction)
    check_peak(resonance, width)
    rho = _check_rho(rho)
    stream = Streams.of(seed)
    dijets = Dijets(np.empty(n, np.float32), np.empty((n, 2), np.float32), np.empty(n, np.uint8))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        signal = stream(LABEL, block).random(BLOCK)[:m] < signal_fraction
        u = stream(MASS, block).random(BLOCK)[:m]
        z = stream(FEATURES, block).standard_normal((BLOCK, 2))[:m]
        mass = mass_quantile(u)
        peak = z[signal] * SIGNAL_SPREAD + SIGNAL_MEAN
        if rho:
            z *= np.sqrt(1.0 - rho**2)
            z += rho * normal_score(u)[:, None]
        z[signal] = peak
        mass[signal] = _signal_mass(u[signal], resonance, width)
        dijets.label[events], dijets.mass[events] = signal, mass
        dijets.features[events, 0] = JET_MASS * np.exp(JET_MASS_SPREAD * z[:, 0])
        dijets.features[events, 1] = 1.0 / (1.0 + np.exp(-TAU_OFFSET - TAU_SPREAD * z[:, 1]))

    fill_blocks(fill, n, block=BLOCK, title="dijets")
    return dijets


def feature_log_ratio(mass: ArrayLike, features: ArrayLike, *, rho: float = 0.0) -> np.ndarray:
    """Logarithm of the likelihood ratio of the two features at known mass, ln p_S(x) / p_B(x | m): the limit.

    No classifier of the features in a narrow window of the mass can do better on average. A mixture with a share f of
    signal is told from background by 1 - f + f exp(.), which rises with it, so the ROC curve is the same (book,
    eq. 20.5; classification without labels).

    Parameters
    ----------
    mass : array, (n,), TeV
        In [2.5, 13] TeV; without influence if ``rho`` is 0.
    features : array, (n, 2)
        Jet mass in GeV, above 0, and tau21 in (0, 1).
    rho : float
        As in `simulate`.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If an array has another shape or entries out of range.

    Examples
    --------
    >>> feature_log_ratio([3.5, 3.5], [[267.0, 0.44], [120.0, 0.65]]).round(1)  # typical signal, typical background
    array([ 4.1, -9.6])
    """
    mass = check_array(ndim=1, minimum=LOWEST_MASS, maximum=COLLISION_ENERGY, unit="TeV", mass=mass)
    features = check_array(shape=(len(mass), 2), minimum=0.0, features=features)
    rho = _check_rho(rho)
    jet_mass, tau = features.T
    if (features == 0.0).any() or (tau >= 1.0).any():
        raise ValueError(
            f"features must be a jet mass above 0 GeV and tau21 in (0, 1), got {features.min(0).tolist()} "
            f"to {features.max(0).tolist()}"
        )
    z = np.stack(
        [np.log(jet_mass / JET_MASS) / JET_MASS_SPREAD, (np.log(tau / (1 - tau)) - TAU_OFFSET) / TAU_SPREAD], 1
    )
    mean = rho * normal_score(mass_distribution(mass))[:, None]
    spread = np.sqrt(1.0 - rho**2)
    background = ((z - mean) ** 2).sum(1) / (2 * spread**2) + 2 * np.log(spread)
    return background - ((z - SIGNAL_MEAN) ** 2).sum(1) / (2 * SIGNAL_SPREAD**2) - 2 * np.log(SIGNAL_SPREAD)


def log_likelihood_ratio(
    mass: ArrayLike, features: ArrayLike, *, rho: float = 0.0, resonance: float = 3.5, width: float = 0.1
) -> np.ndarray:
    """Logarithm of the full likelihood ratio of signal over background, ln p_S(m, x) / p_B(m, x): the limit.

    `feature_log_ratio` plus the logarithm of the ratio of the mass densities.

    Parameters
    ----------
    mass : array, (n,), TeV
    features : array, (n, 2)
        Jet mass in GeV and tau21.
    rho : float
    resonance, width : float, TeV
        All as in `simulate`.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If an array has another shape or entries out of range.

    Examples
    --------
    >>> log_likelihood_ratio([3.5], [[267.0, 0.44]]).round(1)
    array([7.])
    """
    features_part = feature_log_ratio(mass, features, rho=rho)
    check_peak(resonance, width)
    mass = np.asarray(mass, dtype=np.float64)
    inside = ndtr((resonance - LOWEST_MASS) / width)
    peak = -0.5 * ((mass - resonance) / width) ** 2 - np.log(width * np.sqrt(2 * np.pi) * inside)
    with np.errstate(divide="ignore"):  # at 13 TeV there is no background: the ratio is infinite
        return features_part + peak - np.log(dijet_spectrum(mass))


def optimal_background_efficiency(signal_efficiency: ArrayLike, *, rho: float = 0.0, mass: float = 3.5) -> np.ndarray:
    """The smallest share of background that passes any cut on the features which keeps a share of the signal: a limit.

    The likelihood ratio of two Gaussians of different widths is constant on circles, and the shares inside a circle
    are non-central chi-square probabilities; so the optimal ROC curve is exact.

    Parameters
    ----------
    signal_efficiency : array of any shape
        In [0, 1].
    rho : float
        As in `simulate`.
    mass : float, TeV
        Where the narrow window lies; without influence if ``rho`` is 0.

    Returns
    -------
    array, same shape

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> optimal_background_efficiency([0.2, 0.5, 0.9]).round(4)
    array([0.0017, 0.0067, 0.0352])
    """
    wanted = check_array(minimum=0.0, maximum=1.0, signal_efficiency=signal_efficiency)
    signal, background = _optimal_roc(rho, mass)
    return np.interp(wanted, signal, background)


def optimal_improvement(signal_efficiency: ArrayLike, *, rho: float = 0.0, mass: float = 3.5) -> np.ndarray:
    """The largest possible gain in significance S / sqrt(B) by a cut on the features: a limit.

    Signal efficiency over the square root of `optimal_background_efficiency`; parameters and errors as there.

    Examples
    --------
    >>> optimal_improvement([0.2, 0.5, 0.9]).round(2)
    array([4.83, 6.12, 4.8 ])
    """
    wanted = check_array(minimum=0.0, maximum=1.0, signal_efficiency=signal_efficiency)
    background = optimal_background_efficiency(wanted, rho=rho, mass=mass)
    return np.divide(wanted, np.sqrt(background), out=np.zeros_like(wanted), where=background > 0)


def optimal_auc(*, rho: float = 0.0, mass: float = 3.5) -> float:
    """Area under the optimal ROC curve of the features in a narrow window of the mass: a limit.

    Parameters and errors as in `optimal_background_efficiency`.

    Examples
    --------
    >>> round(optimal_auc(), 4)
    0.986
    """
    signal, background = _optimal_roc(rho, mass)
    return float(np.trapezoid(signal, background))


def counting_significance(signal: ArrayLike, background: ArrayLike, *, background_error: float = 0.0) -> np.ndarray:
    """Significance of a counting experiment, s / sqrt(s + b + (sigma b)^2), as a loss may use it.

    Parameters
    ----------
    signal, background : array of any shapes that go together
        Expected events, at least 0.
    background_error : float
        Relative standard deviation sigma of the expected background.

    Returns
    -------
    array
        0 where nothing is expected.

    Raises
    ------
    ValueError, TypeError
        If a number is negative.

    Examples
    --------
    >>> counting_significance([100.0], [1000.0], background_error=0.05).round(3)
    array([1.667])
    """
    signal = check_array(minimum=0.0, signal=signal)
    background = check_array(minimum=0.0, background=background)
    check_number(minimum=0.0, background_error=background_error)
    variance = signal + background + (background_error * background) ** 2
    return np.divide(signal, np.sqrt(variance), out=np.zeros_like(variance), where=variance > 0)


def best_significance(
    signal: float, background: float, *, background_error: float = 0.0, rho: float = 0.0, mass: float = 3.5
) -> tuple[float, float]:
    """The largest `counting_significance` of any cut on the features, and its signal efficiency: a limit.

    The significance rises with the signal and falls with the background, so that its maximum lies on the optimal ROC
    curve (Neyman and Pearson), whatever a network was trained on.

    Parameters
    ----------
    signal, background : float
        Expected events before the cut.
    background_error : float
        Relative standard deviation of the background.
    rho, mass : float, TeV
        As in `optimal_background_efficiency`.

    Returns
    -------
    (float, float)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> value, efficiency = best_significance(100.0, 1000.0, background_error=0.05)
    >>> round(value, 2), round(efficiency, 2)
    (7.99, 0.86)
    """
    check_number(minimum=0.0, signal=signal)
    check_number(minimum=0.0, background=background)
    kept, passed = _optimal_roc(rho, mass)
    values = counting_significance(signal * kept, background * passed, background_error=background_error)
    return float(values.max()), float(kept[values.argmax()])


def _check_rho(rho: float) -> float:
    return check_number(minimum=-LARGEST_RHO, maximum=LARGEST_RHO, rho=rho)


def _signal_mass(u: np.ndarray, resonance: float, width: float) -> np.ndarray:
    """The Gaussian's quantiles at u, from the lowest mass on."""
    floor = ndtr((LOWEST_MASS - resonance) / width)
    mass = resonance + width * ndtri(np.maximum(floor + u * (1.0 - floor), 1e-16))
    return np.clip(mass, LOWEST_MASS, COLLISION_ENERGY)


def _optimal_roc(rho: float, mass: float) -> tuple[np.ndarray, np.ndarray]:
    """Signal and background efficiencies of the best cuts, from (0, 0) to (1, 1)."""
    rho = _check_rho(rho)
    check_number(minimum=LOWEST_MASS, maximum=COLLISION_ENERGY, unit="TeV", mass=mass)
    centre = np.full(2, rho * normal_score(mass_distribution(mass)))
    variance, narrow = 1.0 - rho**2, SIGNAL_SPREAD**2
    middle = (SIGNAL_MEAN / narrow - centre / variance) / (1.0 / narrow - 1.0 / variance)
    reach = np.linalg.norm(middle - centre) + np.linalg.norm(middle - SIGNAL_MEAN) + 9.0
    squares = np.linspace(0.0, reach, 4001) ** 2
    signal = ncx2.cdf(squares / narrow, 2, ((middle - SIGNAL_MEAN) ** 2).sum() / narrow)
    background = ncx2.cdf(squares / variance, 2, ((middle - centre) ** 2).sum() / variance)
    return signal, background
