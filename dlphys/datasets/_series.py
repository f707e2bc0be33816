"""Sets of time series that `dlphys.simulators.series` makes."""

from __future__ import annotations

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._events import BOOK, LEAST, LICENCE
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce

VOLTAGE_SCALE = 10.0  # mV
LIFE_SCALE = 1e5  # cycles
FIRST_LENGTH = 9.0  # mm
TRACE_SCALE = 20.0
METRE = 0.1  # m, unit of extent and depth


def load_sine(n: int = 9979, *, seed: Seed, preset: str = "book", window: int = 20, noise: float = 0.0) -> Dataset:
    """Pieces of a sine wave and the value that follows.

    Parameters
    ----------
    n : int, default 9979
        Number of pieces, at least 10: one in ten for validation, one in ten for the test, the rest for training.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        "book": overlapping pieces of sin(pi t), 10 000 points in [0, 100] s; "physics": a new wave for every piece.
    window : int, default 20
        Values in a piece.
    noise : float, default 0
        Standard deviation. All as in `dlphys.simulators.series.sines`.

    Returns
    -------
    Dataset
        x (n, window, 1) float32; y (n,) float32, the next value without noise; extra: time (n,) s of the first value,
        frequency (n,) Hz, amplitude and phase (n,), float32. In order of time: the last pieces are the test.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The book's exercise cuts 9979 pieces and takes the last tenth for validation. Every piece of the test repeats
    pieces of the training almost to the digit, since a period is 200 points: a small error there says nothing about
    forecasting. Feed predictions back in, or use the physics preset.
    To compare with: `dlphys.simulators.series.continuation`, an oracle that knows the frequency.

    Examples
    --------
    >>> data = load_sine(100, seed=1)
    sine: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((80, 20, 1), (10,))
    """
    from dlphys.simulators import series

    n = check_count(n=n, minimum=LEAST)
    made = series.sines(n, seed=seed, preset=preset, window=window, noise=noise)
    announce("sine", "simulated")
    extra = {"time": made.time, "frequency": made.frequency, "amplitude": made.amplitude, "phase": made.phase}
    held = held_out(n, 0.1)
    values = divided(made.windows[..., None], made.target, extra, validation=held, test=held)
    about = About(
        title="Sine waves to be continued",
        source="simulated",
        units={"value": "amplitude 1"},
        target_units={"next value": "amplitude 1"},
        extra_units={"time": "s", "frequency": "Hz", "amplitude": "1", "phase": "rad"},
        made=f"dlphys.simulators.series.sines, preset {preset}, window {window}, noise {noise:g}",
        licence=LICENCE,
        citation=f"{BOOK}, exercise 9.1",
        flaws=("the test repeats the training: one wave, overlapping pieces",) if preset == "book" else (),
    )
    return Dataset(name="sine", about=about, **values)


def load_quenches(n: int = 4000, *, seed: Seed, steps: int = 256, lead: tuple[float, float] = (2.0, 40.0)) -> Dataset:
    """Voltages of superconducting magnets: will it quench soon?

    Parameters
    ----------
    n : int, default 4000
        Number of records, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    steps : int, default 256
        Values in a record, 0.4 s apart.
    lead : (float, float), s, default (2, 40)
        Range of the time from the end of the record to the quench; negative to have the quench in the record.
        All as in `dlphys.simulators.series.quenches`.

    Returns
    -------
    Dataset
        x (n, steps, 1) float32, voltage / 10 mV; y (n,) float32, 1 if a quench follows; extra["stage"] (n, steps) int8:
        0 quiet, 1 less than 60 s before a quench, 2 quenched; extra["time_to_quench"] (n, steps) float32, s, NaN
        without a quench.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with: `dlphys.simulators.series.quench_evidence`, the limit; it takes voltages, 10 x. The stage is a
    target for every step.

    Examples
    --------
    >>> data = load_quenches(100, seed=1)
    quenches: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((70, 256, 1), (20,))
    """
    from dlphys.simulators import series

    n = check_count(n=n, minimum=LEAST)
    made = series.quenches(n, seed=seed, steps=steps, lead=lead)
    announce("quenches", "simulated")
    x = (made.voltage / np.float32(VOLTAGE_SCALE))[..., None]
    extra = {"stage": made.stage, "time_to_quench": made.time_to_quench}
    y = made.quench.astype(np.float32)
    values = divided(x, y, extra, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Voltages of superconducting magnets before a quench",
        source="simulated",
        units={"voltage": "10 mV"},
        target_units={"quench": "1 follows, 0 does not"},
        extra_units={"stage": "0 quiet, 1 precursor, 2 quenched", "time_to_quench": "s"},
        made=f"dlphys.simulators.series.quenches, {steps} values every 0.4 s",
        licence=LICENCE,
        citation=f"{BOOK}, example 9.1; M. Wielgosz et al., Nucl. Instrum. Meth. A 867 (2017) 40",
        flaws=("rates and heights of the precursors are invented; the LHC's records are not public",),
    )
    return Dataset(name="quenches", about=about, **values)


def load_cracks(n: int = 4000, *, seed: Seed, preset: str = "book", seen: int = 12) -> Dataset:
    """Fatigue cracks that were measured for a while: when will the plate break?

    Parameters
    ----------
    n : int, default 4000
        Number of specimens, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        As in `dlphys.simulators.series.cracks`.
    seen : int, default 12
        Inspections that the network sees, one every 5000 cycles, from 2 to 25.

    Returns
    -------
    Dataset
        x (n, seen, 1) float32, ln(measured half length / 9 mm); y (n,) float32, life / 100 000 cycles; extra: length
        and measured (n, 81) mm, NaN after failure, exponent (n,) and rate (n,), float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with, for the book preset: `dlphys.simulators.series.expected_life`, the limit of the mean squared error,
    and `extrapolated_life`, a baseline; both take lengths, 9 mm exp(x).

    Examples
    --------
    >>> data = load_cracks(100, seed=1)
    cracks: simulated
    >>> data.x_train.shape, data.extra_test["length"].shape
    ((70, 12, 1), (20, 81))
    """
    from dlphys.simulators import series

    n = check_count(n=n, minimum=LEAST)
    seen = check_count(seen=seen, minimum=2, maximum=25)
    made = series.cracks(n, seed=seed, preset=preset)
    announce("cracks", "simulated")
    # no specimen of the simulated scatter fails before 120 000 cycles, but a gauge may read low
    x = np.log(np.maximum(np.nan_to_num(made.measured[:, :seen], nan=50.0), 1.0) / np.float32(FIRST_LENGTH))
    extra = {"length": made.length, "measured": made.measured, "exponent": made.exponent, "rate": made.rate}
    y = made.life / np.float32(LIFE_SCALE)
    values = divided(x[..., None], y, extra, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Fatigue cracks and the life of the plate",
        source="simulated",
        units={"length": "ln(half length / 9 mm)"},
        target_units={"life": "100 000 cycles"},
        extra_units={"length": "mm", "measured": "mm", "exponent": "1", "rate": "ln(m per cycle)"},
        made=f"dlphys.simulators.series.cracks, preset {preset}, {seen} inspections seen",
        licence=LICENCE,
        citation=f"P. Paris and F. Erdogan, J. Basic Eng. 85 (1963) 528; {BOOK}, example 9.2",
        flaws=("one crack, no field of stress: the book's example emulates two-dimensional fields",),
    )
    return Dataset(name="cracks", about=about, **values)


def load_absorbers(n: int = 4000, *, seed: Seed, sensors: int = 4, noise: float = 1.0) -> Dataset:
    """Traces of vibration sensors below an absorber: energy, extent and depth of the impact.

    Parameters
    ----------
    n : int, default 4000
        Number of impacts, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    sensors : int, default 4
        Along an edge of the square.
    noise : float, default 1
        As in `dlphys.simulators.series.absorbers`.

    Returns
    -------
    Dataset
        x (n, sensors^2, 128) float32: the traces of the sensors, row by row, one value every 1 ms, over 20 times the
        noise. y["energy"] (n,) float32, log10(E / J); y["geometry"] (n, 2) float32, largest lateral extent Y and its
        depth X(Y) in 0.1 m. extra: mass (n,) kg, height (n,) m, float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Two targets for two heads, as in the book's example 11.1. To compare with: `dlphys.simulators.series.loudness`, a
    baseline for the energy.

    Examples
    --------
    >>> data = load_absorbers(100, seed=1)
    absorbers: simulated
    >>> data.x_train.shape, data.y_train["geometry"].shape
    ((70, 16, 128), (70, 2))
    """
    from dlphys.simulators import series

    n = check_count(n=n, minimum=LEAST)
    made = series.absorbers(n, seed=seed, sensors=sensors, noise=noise)
    announce("absorbers", "simulated")
    x = made.traces.reshape(n, sensors * sensors, -1) / np.float32(TRACE_SCALE)
    y = {"energy": np.log10(made.energy), "geometry": np.stack([made.extent, made.depth], axis=-1) / np.float32(METRE)}
    extra = {"mass": made.mass, "height": made.height}
    values = divided(x, y, extra, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Vibrations below an absorber that is hit",
        source="simulated",
        units={"trace": "20 times the noise"},
        target_units={"energy": "log10(E / J)", "geometry": "extent and depth, 0.1 m"},
        extra_units={"mass": "kg", "height": "m"},
        made=f"dlphys.simulators.series.absorbers, {sensors} x {sensors} sensors",
        licence=LICENCE,
        citation=f"{BOOK}, example 11.1",
        flaws=("a thought experiment: the material is invented",),
    )
    return Dataset(name="absorbers", about=about, **values)


def load_neutron_gamma(
    n: int = 20_000, *, seed: Seed, preset: str = "book", label_noise: tuple[float, float] = (0.0, 0.0)
) -> Dataset:
    """Scintillation pulses of neutrons and gamma rays, with labels that may be wrong.

    Parameters
    ----------
    n : int, default 20 000
        Number of pulses, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    label_noise : (float, float), default (0, 0)
        Share of gamma rays among those labelled neutron, and of neutrons among those labelled gamma. All as in
        `dlphys.simulators.series.pulses`.

    Returns
    -------
    Dataset
        x (n, 64, 1) float32: photoelectrons every 2 ns, over 10. y (n,) float32, the label, 0 neutron, 1 gamma, wrong
        as often as ``label_noise`` says, in all three parts. extra: particle (n,) int8, what it was; light (n,)
        float32, mean number of photoelectrons.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with: `dlphys.simulators.series.evidence`, the limit for the book preset, and `tail_fraction`, a
    baseline; they take photoelectrons, 10 x. Judge a network by extra["particle"]. `contaminated_threshold` says how
    the threshold moves.

    Examples
    --------
    >>> data = load_neutron_gamma(100, seed=1, label_noise=(0.2, 0.2))
    neutron_gamma: simulated
    >>> data.x_train.shape, data.extra_test["particle"].shape
    ((70, 64, 1), (20,))
    """
    from dlphys.simulators import series

    n = check_count(n=n, minimum=LEAST)
    made = series.pulses(n, seed=seed, preset=preset, label_noise=label_noise)
    announce("neutron_gamma", "simulated")
    x = (made.signal / np.float32(10.0))[..., None]
    y = made.label.astype(np.float32)
    extra = {"particle": made.particle, "light": made.light}
    values = divided(x, y, extra, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Scintillation pulses of neutrons and gamma rays",
        source="simulated",
        units={"light": "10 photoelectrons"},
        target_units={"label": "0 neutron, 1 gamma; may be wrong"},
        extra_units={"particle": "0 neutron, 1 gamma", "light": "photoelectrons"},
        made=f"dlphys.simulators.series.pulses, preset {preset}, label noise {label_noise[0]:g} and {label_noise[1]:g}",
        licence=LICENCE,
        citation=f"F. D. Brooks, Nucl. Instrum. Meth. 4 (1959) 151; G. Blanchard et al., arXiv:1303.1208; {BOOK}",
        flaws=("shares of the slow light do not depend on the energy",),
        classes=("neutron", "gamma"),
    )
    return Dataset(name="neutron_gamma", about=about, **values)
