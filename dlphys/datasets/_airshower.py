"""Sets of simulated air showers: energies, several targets at once, footprints, and traces of two detectors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_choice, check_count, check_number
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided
from dlphys.datasets._source import announce

__all__ = [
    "ADC_COUNTS",
    "CORE_UNIT",
    "LOG_ENERGY_CENTRE",
    "load_airshower_energy",
    "load_airshowers",
    "load_shower_footprints",
    "load_shower_traces",
]

CORE_UNIT = 750.0  # m, the book's unit of the core position
LOG_ENERGY_CENTRE = 19.25  # lg(E / eV), subtracted as in the book
ADC_COUNTS = 150.0  # of 1 VEM in one bin: a muon's pulse of 60 ns peaks at 50 counts

_CITATION = "M. Erdmann, J. Glombitza, D. Walz, Astropart. Phys. 97 (2018) 46"
_LICENCE = "MIT, as this package"
_STATUS = "0 silent, 1 loud, 2 saturated, 3 dead"


def load_airshower_energy(
    n: int = 25_000, *, seed: Seed, preset: str = "book", raw: bool = False, test: float = 0.2, validation: float = 0.08
) -> Dataset:
    """Arrival times and signals on 14 times 14 stations, and the energy of the shower (exercises 7.2 and 8.2).

    Parameters
    ----------
    n : int, default 25 000
        Number of showers, at least 10. The book has 100 000.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        As in `dlphys.simulators.airshower.simulate`; energies are 3 to 100 EeV in both.
    raw : bool
        With True times are in s and signals in VEM, with NaN where a station is silent.
    test, validation : float, defaults 0.2 and 0.08
        Shares of the showers; the rest is for training.

    Returns
    -------
    Dataset
        x {"time", "signal"}, each (n, 14, 14, 1) float32; y (n,) float32, energy in EeV, uniform in its logarithm;
        extra: status (n, 14, 14) uint8, axis (n, 3), core (n, 2) in m, xmax (n,) in g/cm^2.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Normalised as in the book: time minus its mean, over its standard deviation; lg(1 + signal) minus its minimum, then
    over its maximum; 0 for silent stations. Mean, deviation, minimum and maximum are those of the loud stations of
    the training showers alone (the book takes all showers), and stand in ``about.made``. The book's array
    ``time``, ``signal`` (n, 14, 14), ``showeraxis``, ``showercore`` and ``energy`` are the raw values.

    To compare with: `dlphys.simulators.airshower.energy_fit` (baseline).

    Examples
    --------
    >>> data = load_airshower_energy(100, seed=1)
    airshower_energy: simulated
    >>> data.x_train["time"].shape, data.y_train.shape
    ((72, 14, 14, 1), (72,))
    """
    from dlphys.simulators import airshower  # compiled code: imported where it is used

    sizes = _sizes(n, test, validation)
    check_choice(choices=("book", "physics"), preset=preset)
    check_choice(choices=(True, False), raw=raw)
    log_energy = (18.0 + np.log10(3.0), 20.0)
    showers = airshower.simulate(n, seed=seed, preset=preset, array="cartesian", log_energy=log_energy)
    announce("airshower_energy", "simulated")
    x, words = _inputs({"time": showers.time, "signal": showers.signal}, sizes.train, raw)
    extra = {"status": showers.status, "axis": showers.axis, "core": showers.core[:, :2], "xmax": showers.xmax}
    about = About(
        title="Air showers on 14 times 14 stations, and their energy",
        source="simulated",
        units=_map_units(raw),
        target_units={"energy": "EeV"},
        extra_units={"status": _STATUS, "axis": "unit vector", "core": "m", "xmax": "g/cm^2"},
        made=f"dlphys.simulators.airshower, preset {preset}, square grid of 750 m{words}",
        licence=_LICENCE,
        citation=_CITATION,
        flaws=_flaws(preset),
    )
    values = divided(x, showers.energy, extra, validation=sizes.validation, test=sizes.test)
    return Dataset(name="airshower_energy", about=about, **values)


def load_airshowers(
    n: int = 80_000,
    *,
    seed: Seed,
    preset: str = "book",
    traces: bool = False,
    dead: float = 0.0,
    saturation: float | None = None,
    raw: bool = False,
    test: float = 0.1,
    validation: float = 0.09,
) -> Dataset:
    """Air showers on nine times nine stations, with direction, core and energy to be found at once (exercise 11.1).

    Parameters
    ----------
    n : int, default 80 000
        Number of showers, at least 10. The book has 200 000. Take fewer with traces.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        As in `dlphys.simulators.airshower.simulate`.
    traces : bool
        With True the inputs hold the traces as well, 26 kB a shower.
    dead : float
        Probability of a station to be out of order: its input is that of a silent one.
    saturation : float, VEM, optional
        Largest signal of a bin of 25 ns. Left out: as in the preset, which is none for the book.
    raw : bool
        With True times are in s, signals and traces in VEM with NaN where a station is silent, the core in m and
        the energy is lg(E / eV).
    test, validation : float, defaults 0.1 and 0.09
        Shares of the showers; the rest is for training.

    Returns
    -------
    Dataset
        x {"time", "signal"}, each (n, 9, 9, 1) float32, and "trace" (n, 9, 9, 80) on request; y {"axis" (n, 3) unit
        vector, "core" (n, 2) in units of 750 m, "energy" (n,) lg(E / eV) - 19.25}; extra: status (n, 9, 9) uint8,
        mass (n,), xmax (n,) in g/cm^2. Rows and columns are offset coordinates, as in `station_positions`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Normalised as in the book: time minus its mean, over its standard deviation; lg(1 + signal) minus its minimum, then
    over its maximum; 0 for silent stations; targets divided by `CORE_UNIT` and less `LOG_ENERGY_CENTRE`. Traces: lg(1
    + trace) over its maximum. Mean, deviation, minimum and maximum are those of the loud stations of the training
    showers alone (the book takes all showers), and stand in ``about.made``. The book's file holds the raw ``time``,
    ``signal``, ``showeraxis``, ``showercore`` and ``logE``.

    To compare with: `plane_fit`, `energy_fit`, `barycentre` of `dlphys.simulators.airshower` (baselines).

    Examples
    --------
    >>> data = load_airshowers(100, seed=1)
    airshowers: simulated
    >>> {key: array.shape for key, array in data.y_train.items()}
    {'axis': (81, 3), 'core': (81, 2), 'energy': (81,)}
    """
    from dlphys.simulators import airshower

    sizes = _sizes(n, test, validation)
    check_choice(choices=("book", "physics"), preset=preset)
    check_choice(choices=(True, False), traces=traces)
    check_choice(choices=(True, False), raw=raw)
    options: dict[str, Any] = {"seed": seed, "preset": preset, "dead": dead, "saturation": saturation}
    showers = airshower.simulate_traces(n, **options) if traces else airshower.simulate(n, **options)
    announce("airshowers", "simulated")
    arrays = {"time": showers.time, "signal": showers.signal}
    if isinstance(showers, airshower.AirShowerTraces):
        arrays["trace"] = showers.traces
    x, words = _inputs(arrays, sizes.train, raw)
    y = {
        "axis": showers.axis,
        "core": showers.core[:, :2] / np.float32(1.0 if raw else CORE_UNIT),
        "energy": showers.log_energy - np.float32(0.0 if raw else LOG_ENERGY_CENTRE),
    }
    extra = {"status": showers.status, "mass": showers.mass, "xmax": showers.xmax}
    about = About(
        title="Air showers on nine times nine stations: direction, core and energy",
        source="simulated",
        units=_map_units(raw, traces),
        target_units={
            "axis": "unit vector",
            "core": "m" if raw else f"{CORE_UNIT:g} m",
            "energy": "lg(E / eV)" + ("" if raw else f" - {LOG_ENERGY_CENTRE}"),
        },
        extra_units={"status": _STATUS, "mass": "nucleons", "xmax": "g/cm^2"},
        made=f"dlphys.simulators.airshower, preset {preset}, triangles of 1500 m, {dead:.0%} dead stations{words}",
        licence=_LICENCE,
        citation=_CITATION,
        flaws=_flaws(preset),
    )
    values = divided(x, y, extra, validation=sizes.validation, test=sizes.test)
    return Dataset(name="airshowers", about=about, **values)


def load_shower_footprints(
    n: int = 40_000, *, seed: Seed, raw: bool = False, test: float = 0.1, validation: float = 0.05
) -> Dataset:
    """Footprints of air showers, to be generated by a network (exercise 18.2), with their energies as condition.

    Parameters
    ----------
    n : int, default 40 000
        Number of showers, at least 10. The book has 100 000.
    seed : int or numpy.random.Generator
    raw : bool
        With True signals are in VEM, with NaN where a station is silent.
    test, validation : float, defaults 0.1 and 0.05
        Shares of the showers; the rest is for training.

    Returns
    -------
    Dataset
        x (n, 9, 9, 1) float32, lg(1 + signal / VEM) from 0 (silent) to 3.7, the core in the central cell; y (n,)
        float32, lg(E / EeV), uniform from 0 to 2; extra: energy (n,) in EeV, axis (n, 3), core (n, 2) in m.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The book's array ``shower_maps`` is x. It has no energies; ours are for the generator that is told an energy.

    Examples
    --------
    >>> data = load_shower_footprints(100, seed=1)
    shower_footprints: simulated
    >>> data.x_train.shape, bool(data.x_train.max() < 3.7)
    ((85, 9, 9, 1), True)
    """
    from dlphys.simulators import airshower

    sizes = _sizes(n, test, validation)
    check_choice(choices=(True, False), raw=raw)
    showers = airshower.simulate(n, seed=seed, preset="footprint")
    announce("shower_footprints", "simulated")
    x = showers.signal[..., None]
    if not raw:
        np.log10(1.0 + x, out=x)
        np.nan_to_num(x, copy=False, nan=0.0)
    extra = {"energy": showers.energy, "axis": showers.axis, "core": showers.core[:, :2]}
    about = About(
        title="Footprints of air showers on nine times nine stations",
        source="simulated",
        units={"signal": "VEM" if raw else "lg(1 + signal / VEM), 0 = silent"},
        target_units={"log_energy": "lg(E / EeV)"},
        extra_units={"energy": "EeV", "axis": "unit vector", "core": "m"},
        made="dlphys.simulators.airshower, preset footprint, square grid of 750 m",
        licence=_LICENCE,
        citation="M. Erdmann, L. Geiger, J. Glombitza, D. Schmidt, Comput. Softw. Big Sci. 2 (2018) 4",
        flaws=("a station saturates at 60 VEM in 25 ns, which ends the signals at 3.7 as in the book",),
    )
    y = showers.log_energy - np.float32(18.0)
    return Dataset(
        name="shower_footprints", about=about, **divided(x, y, extra, validation=sizes.validation, test=sizes.test)
    )


def load_shower_traces(
    n: int = 20_000,
    *,
    seed: Seed,
    detector: str = "simulation",
    stations: int = 9,
    raw: bool = False,
    test: float = 0.1,
    validation: float = 0.05,
    gain: float | None = None,
    decay: float | None = None,
    muon_scale: float | None = None,
) -> Dataset:
    """Traces of 80 steps from an experiment or from its imperfect simulation, with the energy (examples 19.1, 19.2).

    Parameters
    ----------
    n : int, default 20 000
        Number of showers, at least 10.
    seed : int or numpy.random.Generator
        One seed gives the same showers for both detectors. Take different seeds where pairs must not be known.
    detector : {"simulation", "data"}
        The simulation has 1.3 times the muons, 1.2 times the gain and pulses that decay in 50 instead of 60 ns.
    stations : {9, 1}
        All stations around the core, or the one with the largest sum.
    raw : bool
        With True traces are in VEM per 25 ns, with NaN where a station is silent.
    test, validation : float, defaults 0.1 and 0.05
        Shares of the showers; the rest is for training.
    gain, decay (ns), muon_scale : float, optional
        In place of those of the detector, for a simulation that is better or worse.

    Returns
    -------
    Dataset
        x (n, 80, stations) float32, lg(1 + ADC counts) from 0 to 4, 0 for silent stations, the steps of 25 ns from the
        first particle on; y (n,) float32, energy in EeV, uniform from 1 to 100; extra: signal (n, stations) in VEM,
        NaN for silent stations, log_energy (n,). The stations are those of the array "cluster", row by row.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Nitrogen nuclei within 30 degrees of the vertical, with cores within 200 m of the central station. A small network
    trained on the simulation alone finds the energies of the data 5 to 8 EeV too low (the book's: 6.9 EeV).

    Examples
    --------
    >>> data = load_shower_traces(100, seed=1, stations=1)
    shower_traces: simulated
    >>> data.x_train.shape, data.y_train.shape
    ((85, 80, 1), (85,))
    """
    from dlphys.simulators import airshower

    sizes = _sizes(n, test, validation)
    check_choice(choices=tuple(airshower.DETECTORS), detector=detector)
    check_choice(choices=(9, 1), stations=stations)
    check_choice(choices=(True, False), raw=raw)
    showers = airshower.simulate_traces(
        n, seed=seed, preset="footprint", array="cluster", detector=detector,
        spectral_index=0.0, mass=14.0, zenith_max=30.0, core_radius=200.0,
        gain=gain, decay=decay, muon_scale=muon_scale,
    )  # fmt: skip
    announce("shower_traces", "simulated")
    own = {"gain": gain, "decay": decay, "muon_scale": muon_scale}
    changed = "".join(f", {name} {value:g}" for name, value in own.items() if value is not None)
    traces, signal = showers.traces.reshape(n, 9, -1), showers.signal.reshape(n, 9)
    if stations == 1:
        loudest = np.nan_to_num(signal, nan=-1.0).argmax(1)[:, None]
        traces = np.take_along_axis(traces, loudest[..., None], axis=1)
        signal = np.take_along_axis(signal, loudest, axis=1)
    if not raw:
        traces = np.nan_to_num(np.log10(1.0 + ADC_COUNTS * np.maximum(traces, 0.0)), nan=0.0)
    x = np.ascontiguousarray(traces.transpose(0, 2, 1))
    extra = {"signal": signal, "log_energy": showers.log_energy}
    about = About(
        title="Traces of air showers, from an experiment or from its simulation",
        source="simulated",
        units={f"station {k}" if stations == 9 else "loudest": _trace_unit(raw) for k in range(stations)},
        target_units={"energy": "EeV"},
        extra_units={"signal": "VEM", "log_energy": "lg(E / eV)"},
        made=f"dlphys.simulators.airshower, preset footprint, array cluster, detector {detector}{changed}",
        licence=_LICENCE,
        citation="M. Erdmann, L. Geiger, J. Glombitza, D. Schmidt, Comput. Softw. Big Sci. 2 (2018) 4",
        flaws=("the differences of the two detectors are ours: the book does not give its own",),
    )
    values = divided(x, showers.energy, extra, validation=sizes.validation, test=sizes.test)
    return Dataset(name="shower_traces", about=about, **values)


class _Sizes(NamedTuple):
    train: int
    validation: int
    test: int


def _sizes(n: int, test: float, validation: float) -> _Sizes:
    n = check_count(n=n, minimum=10)
    check_number(test=test, minimum=0, maximum=1, exclusive=True)
    check_number(validation=validation, minimum=0, maximum=1 - test, exclusive=True)
    held = max(1, round(n * validation)), max(1, round(n * test))
    if sum(held) >= n:
        raise ValueError(f"test and validation must leave showers for training, got {test} and {validation}")
    return _Sizes(n - sum(held), *held)


def _inputs(arrays: dict[str, np.ndarray], train: int, raw: bool) -> tuple[dict[str, np.ndarray], str]:
    """Maps as Keras wants them, normalised in place with numbers of the training events; and these, in words."""
    x: dict[str, np.ndarray] = {}
    words = []
    for name, array in arrays.items():
        x[name] = array if array.ndim == 4 else array[..., None]
        if raw:
            continue
        values = x[name]
        if name == "time":
            mean, deviation = (float(f(values[:train], dtype=np.float64)) for f in (np.nanmean, np.nanstd))
            values -= np.float32(mean)
            values /= np.float32(deviation)
            words.append(f"time: mean {mean:.4g} s, deviation {deviation:.4g} s")
        else:
            np.log10(1.0 + values, out=values)
            least = float(np.nanmin(values[:train])) if name == "signal" else 0.0
            values -= np.float32(least)
            largest = float(np.nanmax(values[:train]))
            values /= np.float32(largest)
            words.append(f"lg(1 + {name}): less {least:.4g}, over {largest:.4g}")
        np.nan_to_num(values, copy=False, nan=0.0)
    return x, "".join(f"; {word}" for word in words)


def _trace_unit(raw: bool) -> str:
    return "VEM per 25 ns" if raw else "lg(1 + ADC counts)"


def _map_units(raw: bool, traces: bool = False) -> dict[str, str]:
    time, signal = ("s", "VEM") if raw else ("standard deviations, 0 = silent", "lg(1 + signal), scaled to 0 ... 1")
    trace = {"trace": "VEM per 25 ns" if raw else "lg(1 + trace), scaled to 0 ... 1"} if traces else {}
    return {"time": time, "signal": signal, **trace}


def _flaws(preset: str) -> tuple[str, ...]:
    if preset == "book":
        return (
            "signals fall with a higher power of the distance than real ones, and are twenty times larger at 1000 m; "
            "times scatter around a plane, not around the curved front of a real shower (preset='physics' has both)",
        )
    return ("muons and electrons are parametrised: no two showers of one energy, mass and depth differ in shape",)
