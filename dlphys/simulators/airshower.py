"""Cosmic-ray air showers and what an array of particle detectors on the ground registers of them.

A nucleus of 10^18 eV and more makes a shower of billions of particles in the atmosphere. It reaches its maximum at
the depth Xmax and arrives on the ground as a thin curved front. Stations, some hundred metres apart, register the
time of the first particle, the signal (in units of a vertical muon, VEM) and its trace in bins of 25 ns. Used in
chapters 7, 8, 11, 18 and 19.

`simulate` makes maps of times and signals, `simulate_traces` the traces of all stations beside them, `simulate_station`
one station many times. `plane_fit`, `barycentre` and `energy_fit` are the baselines: what a network has to
beat. Traces are drawn by Poisson thinning; `trace_plain` is the readable version, particle by particle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed, generator
from dlphys._validation import check_choice, check_count, check_number
from dlphys.simulators import _airshower_kernels as kernels
from dlphys.simulators import _airshower_stations as stations
from dlphys.simulators._airshower_atmosphere import GROUND, atmospheric_depth, atmospheric_height
from dlphys.simulators._airshower_fit import barycentre, energy_fit, opening_angle, plane_fit
from dlphys.simulators._airshower_model import (
    ARRAYS,
    attenuation,
    expected_signals,
    lateral_distribution,
    pulse_medians,
    station_positions,
)
from dlphys.simulators._airshower_profile import (
    MODELS,
    gaisser_hillas,
    gaisser_hillas_integral,
    xmax_moments,
    xmax_parameters,
)
from dlphys.simulators._airshower_setting import DETECTORS, PRESETS, Detector, Run, checked, response_of
from dlphys.simulators._airshower_symmetry import random_views, square_views
from dlphys.simulators._sample import Sample

__all__ = [
    "ARRAYS",
    "BIN_WIDTH",
    "DEAD",
    "DETECTORS",
    "LOUD",
    "MODELS",
    "PRESETS",
    "SATURATED",
    "SILENT",
    "AirShowerTraces",
    "AirShowers",
    "Detector",
    "StationTraces",
    "atmospheric_depth",
    "atmospheric_height",
    "attenuation",
    "barycentre",
    "energy_fit",
    "expected_signals",
    "gaisser_hillas",
    "gaisser_hillas_integral",
    "lateral_distribution",
    "opening_angle",
    "plane_fit",
    "pulse_medians",
    "random_views",
    "simulate",
    "simulate_station",
    "simulate_traces",
    "square_views",
    "station_positions",
    "trace_plain",
    "xmax_moments",
    "xmax_parameters",
]

BIN_WIDTH = kernels.BIN_WIDTH  # ns
SILENT, LOUD, SATURATED, DEAD = stations.SILENT, stations.LOUD, stations.SATURATED, stations.DEAD

BLOCK = 512  # events
GEOMETRY, DEVELOPMENT, STATIONS, FAULTS = range(4)


@dataclass(frozen=True, repr=False)
class AirShowers(Sample):
    """Showers and the maps that the array registers; the first axis of every array is the event.

    Attributes
    ----------
    time : array, (n, rows, columns), float32, s
        When the first particle reached each station; NaN for silent and dead ones.
    signal : array, (n, rows, columns), float32, VEM
        NaN for silent and dead stations. The book's preset counts particles, with a pedestal of 96 in each station.
    status : array, (n, rows, columns), uint8
        0 silent, 1 loud, 2 saturated, 3 dead: `SILENT`, `LOUD`, `SATURATED`, `DEAD`.
    axis : array, (n, 3), float32
        Unit vector towards the arrival direction; the third component is upwards.
    core : array, (n, 3), float32, m
        Where the axis meets the ground, from the centre of the array; the third component is the height above the
        sea, 1400 m.
    energy : array, (n,), float32, EeV
    log_energy : array, (n,), float32
        lg(E / eV).
    mass : array, (n,), float32
        Number of nucleons of the primary particle.
    xmax : array, (n,), float32, g/cm^2
        Slant depth of the shower maximum.
    """

    units: ClassVar = {
        "time": "s",
        "signal": "VEM",
        "status": "",
        "axis": "",
        "core": "m",
        "energy": "EeV",
        "log_energy": "lg(E / eV)",
        "mass": "nucleons",
        "xmax": "g/cm^2",
    }

    time: np.ndarray
    signal: np.ndarray
    status: np.ndarray
    axis: np.ndarray
    core: np.ndarray
    energy: np.ndarray
    log_energy: np.ndarray
    mass: np.ndarray
    xmax: np.ndarray


@dataclass(frozen=True, repr=False)
class AirShowerTraces(AirShowers):
    """The same as `AirShowers`, and the trace of every station.

    Attributes
    ----------
    traces : array, (n, rows, columns, 80), float32, VEM per 25 ns
        NaN for silent and dead stations. They begin with the first particle; in the book's preset with the
        plane front.
    """

    units: ClassVar = {**AirShowers.units, "traces": "VEM per 25 ns"}

    traces: np.ndarray


@dataclass(frozen=True, repr=False)
class StationTraces(Sample):
    """One station that meets the same shower n times.

    Attributes
    ----------
    trace : array, (n, 80), float32, VEM per 25 ns
        After the electronics.
    particles : array, (n, 81), int32
        Particles in each bin, and after the last one.
    start : array, (n,), float32, ns
        Delay of the first particle, where the bins begin, behind the front; NaN if there is none. 0 for the book.
    signal : array, (n,), float32, VEM
    """

    units: ClassVar = {"trace": "VEM per 25 ns", "particles": "", "start": "ns", "signal": "VEM"}

    trace: np.ndarray
    particles: np.ndarray
    start: np.ndarray
    signal: np.ndarray


Showers = TypeVar("Showers", AirShowers, AirShowerTraces)


def simulate(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    array: str | None = None,
    log_energy: Sequence[float] | None = None,
    spectral_index: float = 1.0,
    mass: float | Sequence[float] | None = None,
    model: str = "EPOS-LHC",
    zenith_max: float = 60.0,
    core_radius: float | None = None,
    detector: str = "data",
    gain: float | None = None,
    decay: float | None = None,
    muon_scale: float | None = None,
    saturation: float | None = None,
    dead: float = 0.0,
    accidentals: float | None = None,
) -> AirShowers:
    """Draw air showers, and the maps of arrival times and signals that an array of stations registers.

    Three presets:

    - ``"book"`` has the content of the book's exercises 7.2, 8.2 and 11.1: protons; signals that fall like r^-4.7
      (muons) and r^-6.1 with the distance and reach a hundred thousand particles; a plane front whose time a
      station measures to 312 ns / (1 + lg(1 + particles)), whatever its trace; a pedestal of 1.2 in every bin, so
      that an empty station shows 96, and a trigger at 115.2. (The book's generator loses particles later than 2 us,
      a few to 40 % of a distant station's; here signals hold them all.)
    - ``"physics"`` has signals and their attenuation as the Pierre Auger Observatory measures them, four kinds of
      nuclei, the number of muons fluctuating, a spherical front, the time of the first particle as it follows from
      the trace, a trigger at 3 VEM, saturation at 300 VEM in a bin and accidental triggers at 20 Hz.
    - ``"footprint"`` is the physics preset for exercise 18.2: protons of 1 to 100 EeV above nine times nine stations
      that saturate at 60 VEM in a bin, so that lg(1 + signal) ends at 3.7 as in the book.

    Parameters
    ----------
    n : int
        Number of showers.
    seed : int or numpy.random.Generator
    preset : {"book", "physics", "footprint"}
    array : {"hexagonal", "cartesian", "footprint", "cluster"}, optional
        As in `station_positions`. Left out: "footprint" for that preset, else "hexagonal".
    log_energy : (float, float), optional
        Smallest and largest lg(E / eV), in [17, 21]. Left out: 18.5 to 20; 3 to 100 EeV for the book's cartesian
        array; 18 to 20 for the footprint.
    spectral_index : float
        The number of showers falls like E^-index; 1 is uniform in lg E.
    mass : float or sequence of float, optional
        Number of nucleons in [1, 56], or several, drawn with equal probability. Left out: 1, for the physics
        preset 1, 4, 14 and 56.
    model : {"EPOS-LHC", "QGSJetII-04", "Sibyll2.1"}
        Hadronic interactions; decides about the depth of the maximum.
    zenith_max : float, degrees
        In (0, 65]; cos^2(zenith) is uniform, as for an isotropic flux on a flat array.
    core_radius : float, m, optional
        Cores are uniform in a disc of this radius around the centre. Left out: half the distance between stations.
    detector : {"data", "simulation"}
        Gain, decay time and number of muons from `DETECTORS`; the second has more muons, gain and faster pulses.
    gain, decay, muon_scale : float, optional
        Instead of those of the detector. ``decay`` in ns; the book's stations have none unless it is given.
    saturation : float, VEM, optional
        Largest signal of a bin. Left out: none for the book, 300 VEM for physics, 60 VEM for the footprint.
    dead : float
        Probability of a station to be out of order.
    accidentals : float, Hz, optional
        Rate of triggers of a station by other particles; they enter if they come within 30 us of the shower.
        Left out: 0 for the book and the footprint, 20 Hz for the physics preset.

    Returns
    -------
    AirShowers
        Frozen dataclass: time and signal (n, rows, columns), status, axis (n, 3), core (n, 3), energy and further
        properties (n,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    One seed gives the same bits for any number of threads; the first events do not depend on ``n``. Array, detector
    and faults leave the showers as they are, so one seed with ``detector="data"`` and ``"simulation"`` gives pairs.

    In the physics preset S = muonic + electromagnetic signal, each falling with the distance like (r / km)^b
    ((r + 700 m) / 1700 m)^b. Their sum at 1000 m follows S38 = (E / 0.186 EeV)^(1 / 1.031) VEM and, to 3 %, the
    attenuation curve of the observatory (`attenuation`); the electromagnetic part develops with the depth beyond
    Xmax like a Gaisser-Hillas profile, the muonic one (40 % at 38 degrees) does not attenuate and grows like E^0.93
    A^0.07. Particles are counted in units that make the scatter (0.34 + 0.46 sec(zenith)) sqrt(S / VEM) VEM. The
    values of the observatory are from its publications as recalled; they changed by some per cent between releases.

    References
    ----------
    M. Erdmann, J. Glombitza, D. Walz, Astropart. Phys. 97 (2018) 46 (book preset); Pierre Auger Collaboration,
    JINST 15 (2020) P10021 (reconstruction); M. De Domenico et al., JCAP 07 (2013) 050 (depth of the maximum).

    Examples
    --------
    >>> showers = simulate(100, seed=1)
    >>> showers.signal.shape, showers.axis.shape
    ((100, 9, 9), (100, 3))
    >>> bool((np.isnan(showers.time) == np.isnan(showers.signal)).all())
    True
    """
    n = check_count(n=n)
    run = checked(
        preset, array, log_energy, spectral_index, mass, model, zenith_max, core_radius,
        detector, gain, decay, muon_scale, saturation, dead, accidentals,
    )  # fmt: skip
    return _run(n, seed, run, traces=False, kind=AirShowers)


def simulate_traces(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    array: str | None = None,
    log_energy: Sequence[float] | None = None,
    spectral_index: float = 1.0,
    mass: float | Sequence[float] | None = None,
    model: str = "EPOS-LHC",
    zenith_max: float = 60.0,
    core_radius: float | None = None,
    detector: str = "data",
    gain: float | None = None,
    decay: float | None = None,
    muon_scale: float | None = None,
    saturation: float | None = None,
    dead: float = 0.0,
    accidentals: float | None = None,
) -> AirShowerTraces:
    """Draw air showers, and the maps and traces that an array of stations registers.

    The parameters are those of `simulate`; the showers of a seed are the same, their maps follow the same law but are
    drawn bin by bin. Signals are the sums of the traces and of what comes after the 80th bin.

    Returns
    -------
    AirShowerTraces
        As `AirShowers`, and traces (n, rows, columns, 80); 26 kB a shower on nine times nine stations.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> showers = simulate_traces(10, seed=1)
    >>> showers.traces.shape
    (10, 9, 9, 80)
    >>> loud = showers.status == LOUD
    >>> bool((showers.traces[loud].sum(-1) <= showers.signal[loud] * (1 + 1e-5)).all())
    True
    """
    n = check_count(n=n)
    run = checked(
        preset, array, log_energy, spectral_index, mass, model, zenith_max, core_radius,
        detector, gain, decay, muon_scale, saturation, dead, accidentals,
    )  # fmt: skip
    return _run(n, seed, run, traces=True, kind=AirShowerTraces)


def simulate_station(
    n: int,
    *,
    seed: Seed,
    preset: str = "physics",
    distance: float = 1000.0,
    beyond: float = 300.0,
    muons: float = 20.0,
    em: float = 30.0,
    zenith: float = 38.0,
    detector: str = "data",
) -> StationTraces:
    """One station at a fixed place in a fixed shower, n times: only the statistics of particles and noise differ.

    Parameters
    ----------
    n : int
        Number of repetitions.
    seed : int or numpy.random.Generator
    preset : {"book", "physics", "footprint"}
    distance : float, m
        From the shower axis, in (0, 10 000].
    beyond : float, g/cm^2
        Slant depth from the shower maximum to the station, in [0, 3000].
    muons, em : float, VEM
        Expected signals of muons (for the detector "data") and of electrons and photons, for example from
        `expected_signals`.
    zenith : float, degrees
        In [0, 65]; decides about the signal of one particle in the physics preset.
    detector : {"data", "simulation"}

    Returns
    -------
    StationTraces

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> station = simulate_station(100, seed=1)
    >>> station.trace.shape, station.particles.shape
    ((100, 80), (100, 81))
    """
    n = check_count(n=n)
    check_choice(choices=tuple(PRESETS), preset=preset)
    distance = check_number(minimum=0.0, maximum=1e4, unit="m", distance=distance)
    beyond = check_number(minimum=0.0, maximum=3000.0, unit="g/cm^2", beyond=beyond)
    muons = check_number(minimum=0.0, maximum=kernels.MOST_PARTICLES, unit="VEM", muons=muons)
    em = check_number(minimum=0.0, maximum=kernels.MOST_PARTICLES, unit="VEM", em=em)
    zenith = check_number(minimum=0.0, maximum=65.0, unit="degrees", zenith=zenith)
    response = response_of(preset, detector, None, None, None, None, 0.0, None)
    unit = kernels.quantum(response.book, math.cos(math.radians(zenith)))
    delays = kernels.medians(distance, beyond)
    stream = Streams.of(seed)
    sample = StationTraces(
        trace=np.empty((n, kernels.BINS), np.float32),
        particles=np.empty((n, kernels.BINS + 1), np.int32),
        start=np.empty(n, np.float32),
        signal=np.empty(n, np.float32),
    )

    def fill(block: int, events: slice) -> None:
        stations.one_station(
            stream(STATIONS, block), response, muons * response.muon_scale, em, delays, unit,
            *(a[events] for a in (sample.start, sample.particles, sample.trace, sample.signal)),
        )  # fmt: skip

    fill_blocks(fill, n, block=BLOCK, title="station")
    return sample


def trace_plain(
    muons: float, em: float, *, distance: float, beyond: float, seed: Seed
) -> tuple[np.ndarray, np.ndarray]:
    """Particles of one station drawn one by one: the readable version of what the simulation does by thinning.

    Parameters
    ----------
    muons, em : float
        Expected numbers of muons and of electrons and photons, up to 10^7.
    distance : float, m
        From the shower axis.
    beyond : float, g/cm^2
        Slant depth from the shower maximum to the station.
    seed : int or numpy.random.Generator

    Returns
    -------
    particles : array, (81,)
        In each of the 80 bins of 25 ns after the front, and later.
    times : array, (particles,), ns
        Behind the front.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> particles, times = trace_plain(20.0, 30.0, distance=1000.0, beyond=300.0, seed=1)
    >>> bool(particles.sum() == len(times))
    True
    """
    check_number(minimum=0.0, maximum=kernels.MOST_PARTICLES, muons=muons)
    check_number(minimum=0.0, maximum=kernels.MOST_PARTICLES, em=em)
    median, em_median, shift = pulse_medians(distance, beyond)
    random = generator(seed)
    muon_times = random.lognormal(np.log(median), kernels.TIME_SPREAD, random.poisson(muons))
    em_times = shift + random.lognormal(np.log(em_median), kernels.TIME_SPREAD, random.poisson(em))
    times = np.concatenate([muon_times, em_times])
    bins = np.minimum(times // BIN_WIDTH, kernels.BINS).astype(int)
    return np.bincount(bins, minlength=kernels.BINS + 1), times


def _run(n: int, seed: Seed, run: Run, *, traces: bool, kind: type[Showers]) -> Showers:
    stream = Streams.of(seed)
    rows, columns, _ = run.positions.shape
    positions = run.positions.reshape(-1, 2)
    fields: dict[str, Any] = {
        "time": np.empty((n, rows, columns), np.float32),
        "signal": np.empty((n, rows, columns), np.float32),
        "status": np.empty((n, rows, columns), np.uint8),
        "axis": np.empty((n, 3), np.float32),
        "core": np.empty((n, 3), np.float32),
        **{name: np.empty(n, np.float32) for name in ("energy", "log_energy", "mass", "xmax")},
    }
    if traces:
        fields["traces"] = np.empty((n, rows, columns, kernels.BINS), np.float32)

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        axis, core = np.empty((m, 3)), np.full((m, 3), GROUND)
        energy, mass, xmax, muons = np.empty((4, m))
        kernels.primaries(
            stream(GEOMETRY, block), stream(DEVELOPMENT, block), run.response.book, run.energies, run.cos2_min,
            run.core_radius, run.masses, run.gumbel, energy, axis, core, mass, xmax, muons,
        )  # fmt: skip
        time, signal, status = (fields[name][events].reshape(m, -1) for name in ("time", "signal", "status"))
        written = fields["traces"][events].reshape(m, -1, kernels.BINS) if traces else np.empty((m, 0, 1), np.float32)
        stations.stations(
            stream(STATIONS, block), stream(FAULTS, block), run.response, positions,
            energy, axis, core, mass, xmax, muons, time, signal, status, written,
        )  # fmt: skip
        for name, values in {"axis": axis, "core": core, "energy": energy, "mass": mass, "xmax": xmax}.items():
            fields[name][events] = values
        fields["log_energy"][events] = 18.0 + np.log10(energy)

    fill_blocks(fill, n, block=BLOCK, title="air showers")
    return kind(**fields)
