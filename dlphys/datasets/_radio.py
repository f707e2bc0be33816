"""Radio traces of air showers, ready to train on: to find the pulse, and to remove the noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce

UNIT = 0.1  # mV, the RMS of the noise


def load_radio_traces(
    n: int = 12_000,
    *,
    seed: Seed,
    preset: str = "book",
    snr: float | Sequence[float] | None = None,
    delay_spread: float | None = None,
) -> Dataset:
    """Radio traces with and without the pulse of an air shower.

    Parameters
    ----------
    n : int, default 12 000
        Number of traces, at least 3: one in 12 for validation, one in 12 for the test, the rest for training (10 000,
        1000, 1000). The book's set has 50 000.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    snr : float or (low, high), optional
    delay_spread : float, ns, optional
        All as in `dlphys.simulators.radio.simulate`; left out, the preset decides.

    Returns
    -------
    Dataset
        x (n, 500, 1) float32, the trace in units of 0.1 mV, the RMS of the noise; y (n,) float32, 1 = pulse, 0 = noise
        only; extra["signal"] (n, 500) float32, the pulse alone in the unit of x, extra["snr"] (n,) float32 and
        extra["time"] (n,) float32 us (0 and NaN without a pulse).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The book's own file ``radio_data`` has the keys ``traces`` and ``signals`` in mV, a label that is
    ``signals.std(axis=1) != 0``, and the exercise divides by the standard deviation of the training traces, which is
    0.104 mV: a fixed unit does the same and needs no data.
    What the result can be compared with, after multiplying x by 0.1: `log_likelihood_ratio` (the limit) and
    `matched_filter` (a baseline) of `dlphys.simulators.radio`.

    Examples
    --------
    >>> data = load_radio_traces(1200, seed=1)
    radio_traces: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((1000, 500, 1), (100,))
    """
    from dlphys.simulators import radio  # compiled code: imported where it is used

    n = check_count(n=n, minimum=3)
    # 12 000 traces take a fifth of a second: nothing is kept on disk
    sample = radio.simulate(n, seed=seed, preset=preset, snr=snr, delay_spread=delay_spread)
    announce("radio_traces", "simulated")
    held = held_out(n, 1 / 12)
    extra = {"signal": _scaled(sample.signals), "snr": sample.snr, "time": sample.time}
    x, y = _scaled(sample.traces)[..., None], sample.label.astype(np.float32)
    about = About(
        title="Radio traces of an antenna, with and without the pulse of an air shower",
        source="simulated",
        units={"voltage": "0.1 mV"},
        target_units={"pulse": "1 pulse, 0 noise only"},
        extra_units={"signal": "0.1 mV", "snr": "peak / RMS of the noise", "time": "us"},
        made=f"dlphys.simulators.radio, preset {preset}, 500 samples at 180 MHz, 30 to 80 MHz",
        licence="MIT, as this package",
        citation=CITATION,
        flaws=FLAWS,
    )
    return Dataset(name="radio_traces", about=about, **divided(x, y, extra, validation=held, test=held))


def load_noisy_radio_traces(
    n: int = 12_000,
    *,
    seed: Seed,
    preset: str = "physics",
    snr: float | Sequence[float] | None = None,
    delay_spread: float | None = None,
) -> Dataset:
    """Pairs of a radio trace with noise and the same pulse without: for networks that remove noise.

    Parameters
    ----------
    n : int, default 12 000
        Number of traces, at least 3, divided as in `load_radio_traces`. Every trace holds a pulse.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        Default: galactic noise and transmitters, peaks of 2 to 6 times the RMS of the noise.
    snr : float or (low, high), optional
    delay_spread : float, ns, optional
        All as in `dlphys.simulators.radio.simulate`; left out, the preset decides.

    Returns
    -------
    Dataset
        x (n, 500, 1) float32, pulse and noise in units of 0.1 mV, the RMS of the noise; y (n, 500, 1) float32, the
        pulse alone in the same unit; extra["snr"] (n,) float32 and extra["time"] (n,) float32 us.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    What the result can be compared with, after multiplying x by 0.1, with ``pulse_share=1.0`` and the same preset:
    `posterior_mean` (the limit of the mean squared error) and `wiener_filter` (a baseline) of
    `dlphys.simulators.radio`. Book, example 17.2.

    Examples
    --------
    >>> data = load_noisy_radio_traces(1200, seed=1)
    noisy_radio_traces: simulated
    >>> data.x_train.shape, data.y_train.shape
    ((1000, 500, 1), (1000, 500, 1))
    """
    from dlphys.simulators import radio

    n = check_count(n=n, minimum=3)
    sample = radio.simulate(n, seed=seed, preset=preset, snr=snr, delay_spread=delay_spread, pulse_share=1.0)
    announce("noisy_radio_traces", "simulated")
    held = held_out(n, 1 / 12)
    extra = {"snr": sample.snr, "time": sample.time}
    x, y = _scaled(sample.traces)[..., None], _scaled(sample.signals)[..., None]
    about = About(
        title="Radio traces of air showers with noise, and the pulses without",
        source="simulated",
        units={"voltage": "0.1 mV"},
        target_units={"pulse": "0.1 mV"},
        extra_units={"snr": "peak / RMS of the noise", "time": "us"},
        made=f"dlphys.simulators.radio, preset {preset}, a pulse in every trace",
        licence="MIT, as this package",
        citation=CITATION,
        flaws=FLAWS,
    )
    return Dataset(name="noisy_radio_traces", about=about, **divided(x, y, extra, validation=held, test=held))


CITATION = "M. Erdmann, F. Schlüter and R. Smida, JINST 14 (2019) P04005, arXiv:1901.04079 (the task)"
FLAWS = (
    "noise and pulse are periodic in the trace, and no power lies outside the band",
    "the antenna is an idealised law of group delay, not a measured one",
)


def _scaled(voltage: np.ndarray) -> np.ndarray:
    """From mV to units of 0.1 mV, in place."""
    voltage /= np.float32(UNIT)
    return voltage
