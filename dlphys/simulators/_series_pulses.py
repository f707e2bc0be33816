"""Scintillation pulses of neutrons and gamma rays, with labels that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._sample import Sample
from dlphys.simulators._series_waves import _range

BLOCK = 1024
PARTICLE, LIGHT, ELECTRONICS, LABEL = range(4)

NEUTRON, GAMMA = 0, 1
SAMPLING = 2.0  # ns
START = 8.0  # ns, when the pulse begins
FAST, SLOW = 3.2, 32.0  # ns, decay times of a liquid organic scintillator
SLOW_SHARE = (0.26, 0.14)  # of the light: neutron, gamma
TAIL = 24.0  # ns after the start, where the tail begins
GAIN_SPREAD = 0.35  # of one photoelectron
ELECTRONIC_NOISE = 0.3  # photoelectrons in a sample


@dataclass(frozen=True, repr=False)
class Pulses(Sample):
    """Simulated pulses; the first axis of every array is the pulse.

    Attributes
    ----------
    signal : array, (n, samples), float32, photoelectrons
        Every 2 ns.
    label : array, (n,), int8
        The sample in which the pulse was taken: 0 neutron, 1 gamma, as in the book; may be wrong.
    particle : array, (n,), int8
        What it was: 0 neutron, 1 gamma.
    light : array, (n,), float32, photoelectrons
        Mean number.
    """

    units: ClassVar = {
        "signal": "photoelectrons",
        "label": "0 neutron, 1 gamma",
        "particle": "0 neutron, 1 gamma",
        "light": "photoelectrons",
    }

    signal: np.ndarray
    label: np.ndarray
    particle: np.ndarray
    light: np.ndarray


def pulses(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    samples: int = 64,
    light: tuple[float, float] = (50.0, 500.0),
    label_noise: tuple[float, float] = (0.0, 0.0),
) -> Pulses:
    """Draw light pulses of neutrons and gamma rays in a scintillator: the slow component is stronger for neutrons.

    Two presets: in "book" a sample is the number of photoelectrons in 2 ns, Poisson and nothing else, so that the
    best possible test is known. In "physics" the gain of a photoelectron scatters by 35 %, every sample has
    electronic noise, and the pulse begins anywhere in a sample.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    samples : int
        Of 2 ns, at least 20.
    light : (float, float), photoelectrons
        Range of the mean number of photoelectrons, uniform in the logarithm; the same for both particles.
    label_noise : (float, float)
        alpha_0, alpha_1: share of gamma rays in the sample labelled neutron, and of neutrons in the one labelled
        gamma; the book's equations 16.3 and 16.4. Both labels are equally frequent.

    Returns
    -------
    Pulses
        Frozen dataclass: signal (n, samples) float32, label (n,) int8, particle (n,) int8, light (n,) float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Decay times of 3.2 and 32 ns as of liquids such as NE-213 (whose third, 270 ns, is left out), slow shares of 26 %
    and 14 %; F. D. Brooks, Nucl. Instrum. Meth. 4 (1959) 151. Shares and light are our choice, and independent of
    energy.
    The pulse is normalised in the record. `evidence` is the limit, `tail_fraction` the baseline.

    Examples
    --------
    >>> taken = pulses(1000, seed=1, label_noise=(0.2, 0.1))
    >>> taken.signal.shape, bool(0.1 < (taken.label != taken.particle).mean() < 0.2)
    ((1000, 64), True)
    """
    n = check_count(n=n)
    check_choice(choices=("book", "physics"), preset=preset)
    samples = check_count(minimum=20, maximum=100_000, samples=samples)
    dim, bright = _range(light, "light", 1.0, 1e6, "photoelectrons")
    noise = check_array(shape=(2,), minimum=0.0, maximum=1.0, label_noise=label_noise)
    stream = Streams.of(seed)
    taken = Pulses(
        signal=np.empty((n, samples), np.float32),
        label=np.empty(n, np.int8),
        particle=np.empty(n, np.int8),
        light=np.empty(n, np.float32),
    )
    shapes = np.stack([_shape(samples, share) for share in SLOW_SHARE])
    block_size = max(16, BLOCK * 64 // max(64, samples))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        labels = stream(LABEL, block).random((block_size, 2))[:m]
        label = (labels[:, 0] < 0.5).astype(np.int8)
        particle = np.where(labels[:, 1] < noise[label], 1 - label, label)
        u = stream(PARTICLE, block).random((block_size, 2))[:m]
        mean = dim * (bright / dim) ** u[:, 0]
        random = stream(LIGHT, block)
        if preset == "book":
            signal = random.poisson(mean[:, None] * shapes[particle])
        else:
            share = np.array(SLOW_SHARE)[particle]
            expected = mean[:, None] * _shape(samples, share[:, None], START + SAMPLING * (u[:, 1:] - 0.5))
            count = random.poisson(expected)
            electronics = stream(ELECTRONICS, block)
            spread = np.sqrt(GAIN_SPREAD**2 * count + ELECTRONIC_NOISE**2)
            signal = count + spread * electronics.standard_normal((block_size, samples))[:m]
        taken.signal[events] = signal
        taken.label[events], taken.particle[events], taken.light[events] = label, particle, mean

    fill_blocks(fill, n, block=block_size, title="pulses")
    return taken


def pulse_shape(samples: int, *, slow_share: float) -> np.ndarray:
    """Share of the light in every sample of 2 ns: two exponentials that begin at 8 ns, 1 in all.

    Parameters
    ----------
    samples : int
        At least 20.
    slow_share : float
        Of the light with the decay time of 32 ns, in [0, 1]; the rest decays with 3.2 ns.

    Returns
    -------
    array, (samples,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> shape = pulse_shape(64, slow_share=0.14)
    >>> shape[:6].round(3)
    array([0.   , 0.   , 0.   , 0.   , 0.41 , 0.223])
    """
    samples = check_count(minimum=20, maximum=100_000, samples=samples)
    share = check_number(minimum=0.0, maximum=1.0, slow_share=slow_share)
    return _shape(samples, share)


def evidence(signal: ArrayLike) -> np.ndarray:
    """Logarithm of the likelihood ratio of neutron to gamma: the limit of every classifier of the book's pulses.

    For Poisson counts n_i with means N p_i and a brightness N that says nothing about the particle it is
    sum_i n_i ln(p_i(neutron) / p_i(gamma)).

    Parameters
    ----------
    signal : array, (n, samples), photoelectrons
        Counts of `pulses` with ``preset="book"``.

    Returns
    -------
    array, (n,)
        ln(p_0 / p_1); above 0 for a neutron.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape or negative entries.

    Examples
    --------
    >>> taken = pulses(2000, seed=1)
    >>> right = (evidence(taken.signal) < 0) == (taken.particle == GAMMA)
    >>> bool(0.9 < right.mean() < 1.0)
    True
    """
    signal = check_array(ndim=2, minimum=0.0, unit="photoelectrons", signal=signal)
    if signal.shape[1] < 20:
        raise ValueError(f"signal must have at least 20 samples, got shape {signal.shape}")
    neutron, gamma = (_shape(signal.shape[1], share) for share in SLOW_SHARE)
    lit = gamma > 0.0
    return signal[:, lit] @ np.log(neutron[lit] / gamma[lit])


def tail_fraction(signal: ArrayLike, *, tail: float = TAIL) -> np.ndarray:
    """Charge comparison: the share of the light that comes later than ``tail`` after the start; the baseline.

    Parameters
    ----------
    signal : array, (n, samples), photoelectrons
    tail : float, ns
        Samples that begin so much after the start of the pulse count as tail; a multiple of 2 ns.

    Returns
    -------
    array, (n,)
        Larger for neutrons. 0 for a pulse without light.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> taken = pulses(2000, seed=1)
    >>> fraction = tail_fraction(taken.signal)
    >>> bool(fraction[taken.particle == NEUTRON].mean() > 1.5 * fraction[taken.particle == GAMMA].mean())
    True
    """
    signal = check_array(ndim=2, unit="photoelectrons", signal=signal)
    if signal.shape[1] < 20:
        raise ValueError(f"signal must have at least 20 samples, got shape {signal.shape}")
    check_number(minimum=0.0, maximum=SAMPLING * signal.shape[1] - START, exclusive=True, unit="ns", tail=tail)
    first = int(np.ceil((START + tail) / SAMPLING - 1e-9))
    total = signal.sum(1)
    return np.divide(signal[:, first:].sum(1), total, out=np.zeros(len(signal)), where=total > 0.0)


def figure_of_merit(score: ArrayLike, particle: ArrayLike) -> float:
    """How far apart two classes are: distance of the means over the sum of the full widths at half maximum.

    The widths are those of Gaussians with the standard deviations of the two classes.

    Parameters
    ----------
    score : array, (n,)
    particle : array, (n,)
        0 or 1, both present.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If the arrays do not fit together, or a class has fewer than two entries.

    Examples
    --------
    >>> round(figure_of_merit([0.0, 1.0, 4.0, 5.0], [0, 0, 1, 1]), 3)
    1.699
    """
    score = check_array(ndim=1, score=score)
    particle = check_array(shape=score.shape, minimum=0, maximum=1, particle=particle)
    neutron, gamma = score[particle == NEUTRON], score[particle == GAMMA]
    if min(len(neutron), len(gamma)) < 2:
        raise ValueError(f"particle must have at least two entries 0 and two 1, got {len(neutron)} and {len(gamma)}")
    widths = 2.0 * np.sqrt(2.0 * np.log(2.0)) * (neutron.std() + gamma.std())
    if widths == 0.0:
        raise ValueError("score must vary within a class, got the same value throughout")
    return float(abs(neutron.mean() - gamma.mean()) / widths)


def contaminated_threshold(threshold: ArrayLike, *, label_noise: tuple[float, float]) -> np.ndarray:
    """The cut on a ratio learnt from wrong labels that equals a cut on the true ratio of densities.

    With p~_0 = (1 - alpha_0) p_0 + alpha_0 p_1 and p~_1 = (1 - alpha_1) p_1 + alpha_1 p_0, the cut p_0 / p_1 > mu is
    p~_0 / p~_1 > lambda, lambda = (alpha_0 + mu (1 - alpha_0)) / (1 - alpha_1 + mu alpha_1). The book's equation 16.6
    prints the two alphas the other way round, which belongs to the inverse ratios.

    Parameters
    ----------
    threshold : float or array, any shape
        mu, at least 0.
    label_noise : (float, float)
        alpha_0, alpha_1; their sum below 1.

    Returns
    -------
    array, shape of ``threshold``

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> float(contaminated_threshold(2.0, label_noise=(0.1, 0.3)).round(4))
    1.4615
    """
    threshold = check_array(minimum=0.0, threshold=threshold)
    noise = check_array(shape=(2,), minimum=0.0, maximum=1.0, label_noise=label_noise)
    if noise.sum() >= 1.0:
        raise ValueError(f"label_noise must sum to less than 1, got {noise.tolist()}")
    return (noise[0] + threshold * (1.0 - noise[0])) / (1.0 - noise[1] + threshold * noise[1])


def _shape(samples: int, slow_share: float | np.ndarray, start: float | np.ndarray = START) -> np.ndarray:
    edges = np.maximum(SAMPLING * np.arange(samples + 1) - start, 0.0)
    passed = (1.0 - slow_share) * -np.expm1(-edges / FAST) + slow_share * -np.expm1(-edges / SLOW)
    return np.diff(passed, axis=-1) / passed[..., -1:]
