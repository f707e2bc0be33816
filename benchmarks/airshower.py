"""Air showers a second, maps and traces, beside the goals and beside plain NumPy in the same run."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators import airshower

MAPS_GOAL, TRACES_GOAL = 100e3, 8e3  # events/s on two cores
MAPS, TRACES = 40_000, 3000
PLAIN_MAPS, PLAIN_TRACES = 2000, 3


def plain_maps(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The book's maps written the short way: every station of every shower, one array for each step."""
    random = np.random.default_rng(seed)
    stations = airshower.station_positions("hexagonal")
    energy = 10.0 ** random.uniform(0.5, 2.0, (n, 1, 1))
    cosine = np.sqrt(1.0 - 0.75 * random.random((n, 1, 1)))
    azimuth, turn = 2 * np.pi * random.random((2, n, 1, 1))
    sine, radius = np.sqrt(1.0 - cosine**2), 750.0 * np.sqrt(random.random((n, 1, 1)))
    ax, ay = sine * np.cos(azimuth), sine * np.sin(azimuth)
    x, y = stations[..., 0] - radius * np.cos(turn), stations[..., 1] - radius * np.sin(turn)
    location, scale, shape = (p for p in airshower.xmax_parameters(18.0 + np.log10(energy)))
    xmax = location - scale * np.log(random.gamma(shape) / shape)
    xmax = np.minimum(xmax, airshower.atmospheric_depth(1600.0) / cosine)  # the simulation draws again
    height = airshower.atmospheric_height(xmax * cosine) - 1400.0
    apart = np.sqrt((height * ax / cosine - x) ** 2 + (height * ay / cosine - y) ** 2 + height**2)
    beyond = (airshower.atmospheric_depth(1400.0) - xmax * cosine) * apart / height / 100.0
    along = x * ax + y * ay
    r = np.maximum(np.sqrt(np.maximum(x**2 + y**2 - along**2, 0.0)), 150.0) / 1000.0
    muons = 27.0 * energy * r**-4.7 * np.minimum(beyond**-0.1, 10.0)
    em = 63.0 * energy * r**-6.1 * np.minimum(beyond**-0.4, 10.0)
    particles = random.poisson(np.minimum(muons + em, 1e7))
    signal = particles + 96.4 + np.hypot(5.26, 0.02 * particles) * random.standard_normal(particles.shape)
    error = 312.0 / (1.0 + np.log10(1.0 + particles))
    time = -along / 0.2998 + error * random.standard_normal(particles.shape) + random.uniform(-50.0, 50.0, (n, 1, 1))
    silent = signal < 115.2
    return np.where(silent, np.nan, 1e-9 * time), np.where(silent, np.nan, signal)


def plain_traces(n: int, *, seed: int) -> list[np.ndarray]:
    """Traces of about ten loud stations a shower of 30 EeV, particle by particle."""
    random = np.random.default_rng(seed)
    distances = np.array([400.0, 1000.0, 1200.0, 1400.0, 1600.0, 1700.0, 1900.0, 2100.0, 2300.0, 2500.0])
    muons, em = np.minimum(airshower.expected_signals(distances, energy=30.0, preset="book"), 5e6)
    return [
        airshower.trace_plain(m, e, distance=float(r), beyond=300.0, seed=random)[0]
        for _ in range(n)
        for r, m, e in zip(distances, muons.tolist(), em.tolist(), strict=True)
    ]


def rows() -> list[dict[str, Any]]:
    peer = (13.0, "Walz, 4 to 23")

    def maps(name: str, n: int, **options: Any) -> dict[str, Any]:
        settings = {key: options.pop(key) for key in ("preset", "array") if key in options}
        call = partial(airshower.simulate, n, seed=1, **settings)
        return rate(f"air showers, {name}", call, n, **options)

    def traces(name: str, n: int, preset: str, **options: Any) -> dict[str, Any]:
        call = partial(airshower.simulate_traces, n, seed=1, preset=preset)
        return rate(f"air showers, {name}", call, n, goal=TRACES_GOAL, **options)

    plain = partial(plain_maps, PLAIN_MAPS, seed=1), PLAIN_MAPS
    plain_bins = partial(plain_traces, PLAIN_TRACES, seed=1), PLAIN_TRACES
    table = [
        maps("maps", MAPS, goal=MAPS_GOAL, peer=peer, plain=plain, note="book, 9 x 9 stations"),
        maps("maps", MAPS // 4, array="cartesian", note="book, 14 x 14 stations"),
        maps("maps, physics", MAPS // 2, preset="physics", goal=MAPS_GOAL),
        maps("footprints", MAPS // 8, preset="footprint"),
        traces("traces", TRACES, "book", peer=peer, plain=plain_bins, note="9 x 9 stations of 80 bins"),
        traces("traces, physics", TRACES, "physics"),
    ]
    showers = airshower.simulate(5000, seed=1)
    table.append(rate("air showers, plane fit", partial(airshower.plane_fit, showers.time, showers.signal), 5000))
    table.append(rate("air showers, energy fit", partial(airshower.energy_fit, showers.signal, showers.axis), 5000))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        angle = airshower.opening_angle(airshower.plane_fit(showers.time, showers.signal), showers.axis)
    table.append(figure("air showers, plane fit", float(np.nanquantile(angle, 0.68)), "degrees", goal=0.86))
    compile_time = first_call("from dlphys.simulators import airshower\nairshower.simulate(10, seed=1)")
    table.append(figure("air showers, first call", compile_time, "s", note="compiles: empty cache"))
    return table
