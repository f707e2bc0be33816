"""How the air-shower simulator behaves as a program; its physics is tested in tests/physics."""

import dataclasses
import tracemalloc
import warnings

import numpy as np
import pytest
from scipy.stats import norm

from dlphys import _blocks
from dlphys.simulators import _airshower_kernels as kernels
from dlphys.simulators import airshower
from dlphys.simulators.airshower import (
    ARRAYS,
    DEAD,
    LOUD,
    PRESETS,
    SATURATED,
    barycentre,
    energy_fit,
    expected_signals,
    lateral_distribution,
    opening_angle,
    plane_fit,
    random_views,
    simulate,
    simulate_station,
    simulate_traces,
    square_views,
    station_positions,
)

MAPS = ("time", "signal", "status")
SHOWERS = ("axis", "core", "energy", "log_energy", "mass", "xmax")


def same(a, b, names):
    return all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in names)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("array", [None, *ARRAYS])
def test_arrays_have_the_documented_shapes_and_types(preset, array):
    """Docstrings of AirShowers and AirShowerTraces."""
    side = ARRAYS[array or PRESETS[preset].array].side
    showers = simulate_traces(20, seed=1, preset=preset, array=array)
    assert {name: getattr(showers, name).shape[1:] for name in MAPS} == dict.fromkeys(MAPS, (side, side))
    assert showers.axis.shape == showers.core.shape == (20, 3)
    assert showers.energy.shape == showers.log_energy.shape == showers.mass.shape == showers.xmax.shape == (20,)
    assert showers.traces.shape == (20, side, side, 80)
    assert showers.status.dtype == np.uint8
    assert {a.dtype for name, a in showers.arrays().items() if name != "status"} == {np.dtype(np.float32)}
    np.testing.assert_allclose(np.linalg.norm(showers.axis, axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(showers.log_energy, 18.0 + np.log10(showers.energy), atol=1e-5)
    assert (showers.core[:, 2] == 1400.0).all()


@pytest.mark.parametrize("run", [simulate, simulate_traces])
def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(monkeypatch, run):
    """Design: one seed, one result, whatever the number of workers."""
    n = 4 * airshower.BLOCK + 17
    samples = []
    for workers in (1, 2, 5):
        monkeypatch.setattr(_blocks, "thread_count", lambda workers=workers: workers)
        samples.append(run(n, seed=3, preset="physics", dead=0.1))
    names = tuple(samples[0].arrays())
    assert same(samples[0], samples[1], names)
    assert same(samples[0], samples[2], names)
    assert not same(samples[0], run(n, seed=4, preset="physics", dead=0.1), ("energy",))


@pytest.mark.parametrize("run", [simulate, simulate_traces])
def test_the_first_events_do_not_depend_on_how_many_follow(run):
    """Docstring of simulate, over the edge of a block."""
    n = airshower.BLOCK + 3
    long, short = (run(size, seed=5, preset="physics", array="cluster", dead=0.1) for size in (2 * n, n))
    names = tuple(short.arrays())
    assert same(short, dataclasses.replace(long, **{name: getattr(long, name)[:n] for name in names}), names)


def test_array_detector_and_faults_leave_the_showers_as_they_are():
    """Docstring of simulate: so that one seed shows one shower with and without them."""
    plain = simulate(300, seed=6, log_energy=(19.0, 20.0), core_radius=300.0)
    for options in (
        {"array": "cartesian"},
        {"detector": "simulation"},
        {"dead": 0.3},
        {"saturation": 50.0},
        {"accidentals": 100.0},
    ):
        other = simulate(300, seed=6, log_energy=(19.0, 20.0), core_radius=300.0, **options)
        assert same(plain, other, SHOWERS)
        assert plain.signal.shape != other.signal.shape or not same(plain, other, ("signal",))
    assert same(plain, simulate_traces(300, seed=6, log_energy=(19.0, 20.0), core_radius=300.0), SHOWERS)


def test_a_generator_as_seed_is_advanced():
    """Two draws from one generator differ, and the pair repeats with the generator."""
    random, again = np.random.default_rng(8), np.random.default_rng(8)
    first, second = simulate(50, seed=random), simulate(50, seed=random)
    assert not same(first, second, ("energy",))
    assert same(first, simulate(50, seed=again), MAPS + SHOWERS)
    assert same(second, simulate(50, seed=again), MAPS + SHOWERS)


@pytest.mark.parametrize("run", [simulate, simulate_traces])
@pytest.mark.parametrize("preset", PRESETS)
def test_time_and_signal_are_missing_where_a_station_is_silent_or_dead(run, preset):
    """Docstring of AirShowers, and a trigger at 115.2 particles or 3 VEM."""
    showers = run(200, seed=1, preset=preset, dead=0.2)
    loud = np.isin(showers.status, (LOUD, SATURATED))
    np.testing.assert_array_equal(np.isfinite(showers.time), loud)
    np.testing.assert_array_equal(np.isfinite(showers.signal), loud)
    assert np.nanmin(showers.signal) >= PRESETS[preset].threshold * (1 - 1e-6)
    if run is simulate_traces:
        np.testing.assert_array_equal(np.isfinite(showers.traces).all(-1), loud)
        np.testing.assert_array_equal(np.isnan(showers.traces).all(-1), ~loud)


def test_dead_stations_are_as_many_as_asked_for():
    """Binomial, 4 sigma; at the ends none and all."""
    status = simulate(1000, seed=2, dead=0.1).status
    assert abs((status == DEAD).mean() - 0.1) < 4 * np.sqrt(0.09 / status.size)
    assert not (simulate(100, seed=2).status == DEAD).any()
    assert (simulate(100, seed=2, dead=1.0).status == DEAD).all()


def test_dead_stations_do_not_change_where_others_fail():
    """They have a random stream of their own: the share, not the rest of the event, decides."""
    few, more = (simulate(200, seed=2, dead=dead).status == DEAD for dead in (0.1, 0.2))
    assert (more[few]).mean() == 1.0


def test_accidental_triggers_come_at_their_rate_and_at_any_time():
    """A window of 60 us and 2000 Hz: 11.3 % of the stations that are silent; times far from the shower's."""
    quiet, busy = (
        simulate(400, seed=3, preset="physics", log_energy=(18.5, 18.6), accidentals=rate) for rate in (0.0, 2000.0)
    )
    silent = quiet.status == 0
    share = (busy.status[silent] != 0).mean()
    expected = -np.expm1(-2000.0 * 60e-6)
    assert abs(share - expected) < 4 * np.sqrt(expected / silent.sum())
    added = busy.time[silent & (busy.status != 0)]
    assert np.abs(added).max() <= 30.001e-6
    assert abs(added.mean()) < 4 * 30e-6 / np.sqrt(3 * len(added))
    np.testing.assert_array_equal(quiet.signal[~silent], busy.signal[~silent])


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_saturated_stations_are_cut_and_marked(preset):
    """No bin above the limit; without one there is no such station."""
    options = {"seed": 4, "preset": preset, "array": "cluster", "log_energy": (19.5, 20.0), "accidentals": 0.0}
    showers = simulate_traces(200, saturation=100.0, **options)
    cut = showers.status == SATURATED
    assert 0 < cut.sum() < cut.size
    largest = np.nan_to_num(showers.traces).max(-1)
    assert (largest[cut] >= 100.0).all()
    assert (largest[~cut] < 101.0).all()
    free = simulate_traces(200, saturation=1e12, **options)
    assert not (free.status == SATURATED).any()
    assert (free.signal[cut] > showers.signal[cut]).mean() > 0.95
    maps = simulate(2000, saturation=100.0, **options)
    assert (maps.status == SATURATED).mean() == pytest.approx(cut.mean(), abs=5 * np.sqrt(0.25 / 200 / 9) + 0.02)


def test_signals_are_the_sums_of_the_traces_and_of_what_comes_later():
    """Docstring of simulate_traces."""
    for preset in ("book", "physics"):
        showers = simulate_traces(100, seed=5, preset=preset, accidentals=0.0, saturation=1e12)
        loud = showers.status == LOUD
        later = showers.signal[loud].astype(float) - showers.traces[loud].sum(-1, dtype=float)
        assert (later > -1e-3 * showers.signal[loud]).all()
        assert np.median(later / showers.signal[loud]) < 0.15


def test_gain_and_muons_scale_signals_and_a_long_decay_smears_traces():
    """Docstring of Detector."""
    options = {"seed": 7, "preset": "physics", "array": "cluster", "mass": 1, "log_energy": (19.5, 19.6)}
    plain = simulate_traces(300, saturation=1e12, **options)
    double = simulate_traces(300, saturation=1e12, gain=2.0, **options)
    rich = simulate_traces(300, saturation=1e12, muon_scale=2.0, **options)
    slow = simulate_traces(300, saturation=1e12, decay=300.0, **options)
    assert np.median(double.signal / plain.signal) == pytest.approx(2.0, rel=0.05)
    assert 1.2 < np.median(rich.signal / plain.signal) < 1.8
    assert np.median(slow.signal / plain.signal) == pytest.approx(1.0, rel=0.05)

    def half(showers):
        charge = np.cumsum(showers.traces, -1)
        return np.nanmean((charge < charge[..., -1:] / 2).sum(-1))

    assert half(slow) > half(plain) + 3
    assert half(rich) < half(plain)


def test_positions_are_offset_coordinates():
    """Book, figure 8.12: odd rows shifted, six neighbours at 1500 m round every inner station."""
    grid = station_positions("hexagonal").reshape(-1, 2)
    apart = np.linalg.norm(grid[:, None] - grid, axis=-1)
    neighbours = (np.abs(apart - 1500.0) < 1e-6).sum(1).reshape(9, 9)
    assert (neighbours[1:-1, 1:-1] == 6).all()
    assert apart[apart > 0].min() == pytest.approx(1500.0)
    np.testing.assert_array_equal(grid.reshape(9, 9, 2)[4, 4], 0.0)
    np.testing.assert_array_equal(station_positions("footprint")[3:6, 3:6], station_positions("cluster"))
    np.testing.assert_allclose(station_positions("cartesian").mean((0, 1)), 0.0, atol=1e-9)


def test_the_loudest_station_is_the_one_next_to_the_core():
    """Maps and positions have the same axes."""
    for array in ARRAYS:
        showers = simulate(300, seed=8, array=array, zenith_max=20.0, log_energy=(19.0, 20.0))
        positions = station_positions(array).reshape(-1, 2)
        loudest = np.nan_to_num(showers.signal.reshape(300, -1)).argmax(1)
        nearest = np.linalg.norm(positions - showers.core[:, None, :2], axis=-1).argmin(1)
        assert (loudest == nearest).mean() > 0.9


def test_compiled_signals_are_the_readable_formulas():
    """expected_signals against lateral_distribution and the powers of the docstring of simulate."""
    distance = np.array([20.0, 200.0, 1000.0, 2500.0])
    muons, em = expected_signals(distance, energy=30.0, zenith=0.0, xmax=700.0, mass=4)
    scale = 47.7 * 0.40 * 3.0**0.93 * 4.0**0.07
    np.testing.assert_allclose(muons, lateral_distribution(distance, slope=kernels.MUON_SLOPE, scale=scale), rtol=1e-12)
    assert em[0] > em[1] > em[2] > em[3]
    muons, em = expected_signals(distance, energy=0.3, zenith=0.0, xmax=700.0, preset="book")
    r = np.maximum(distance, 150.0) / 1000.0
    height = float(airshower.atmospheric_height(700.0)) - 1400.0
    beyond = (airshower.atmospheric_depth(1400.0) - 700.0) * np.hypot(height, distance) / height
    np.testing.assert_allclose(muons, 8.1 * r**-4.7 * (beyond / 100.0) ** -0.1, rtol=1e-9)
    np.testing.assert_allclose(em, 18.9 * r**-6.1 * (beyond / 100.0) ** -0.4, rtol=1e-9)


def test_stations_out_of_reach_are_left_out_without_a_change_of_law():
    """The clever part of the kernel: accidental pedestal triggers beyond the reach, at the rate of a whole map."""
    status = simulate(30_000, seed=9, log_energy=(17.0, 17.01)).status
    far = np.linalg.norm(station_positions("hexagonal"), axis=-1) > 5000.0
    share = (status[:, far] == LOUD).mean()
    limit = (115.2 - 96.4076) / 5.2588
    expected = norm.sf(limit)
    assert abs(share - expected) < 4 * np.sqrt(expected / far.sum() / 30_000) + 0.03 * expected


def test_the_quantile_function_is_that_of_the_normal_distribution():
    """Acklam's approximation: 1.2e-9 relative."""
    from scipy.special import ndtri

    p = np.concatenate([np.geomspace(1e-300, 0.4, 500), 1.0 - np.geomspace(1e-12, 0.4, 500)])
    ours = np.array([kernels.normal_quantile(float(one)) for one in p])
    np.testing.assert_allclose(ours, ndtri(p), rtol=2e-9)


def test_a_station_without_particles_has_no_start():
    """Docstring of StationTraces: NaN, and a trace of noise alone."""
    station = simulate_station(50, seed=1, muons=0.0, em=0.0)
    assert np.isnan(station.start).all()
    assert (station.particles == 0).all()
    assert np.abs(station.trace).max() < 6 * 0.005
    assert (simulate_station(50, seed=1, preset="book", muons=1.0).start == 0.0).all()


def test_plane_fit_is_exact_without_noise_for_any_weights():
    """Times of a plane front give its axis back, wherever three stations off one line are left."""
    random = np.random.default_rng(1)
    showers = simulate(500, seed=10)
    positions = station_positions("hexagonal")
    time = -np.einsum("rci,ni->nrc", positions, showers.axis[:, :2].astype(float)) / 0.299792458e9 + 1e-6
    signal = random.uniform(116.0, 1e5, time.shape)
    missing = random.random(time.shape) < 0.5
    time[missing] = signal[missing] = np.nan
    axis = plane_fit(time, signal)
    true = showers.axis / np.linalg.norm(showers.axis, axis=1, keepdims=True)
    assert opening_angle(axis, true).max() < 1e-3  # float32 axes


def test_plane_fit_says_which_events_have_too_few_stations():
    """Documented NaN and a warning."""
    time, signal = np.full((2, 3, 9, 9), np.nan)
    time[1, 4, 3:6], signal[1, 4, 3:6] = 0.0, 500.0  # on one line
    time[2, 4, 3:5], signal[2, 4, 3:5] = 0.0, 500.0
    time[2, 5, 4], signal[2, 5, 4] = 0.0, 500.0
    with pytest.warns(RuntimeWarning, match="2 of 3 events"):
        axis = plane_fit(time, signal)
    assert np.isnan(axis[:2]).all()
    np.testing.assert_allclose(axis[2], [0, 0, 1], atol=1e-12)


def test_fits_do_not_depend_on_how_many_events_are_fitted_together():
    """They work in parts."""
    showers = simulate(40, seed=11, preset="physics", log_energy=(19.0, 20.0))
    core, energy = energy_fit(showers.signal, showers.axis, preset="physics")
    one = energy_fit(showers.signal[7:8], showers.axis[7:8], preset="physics")
    np.testing.assert_allclose(one[0], core[7:8], rtol=1e-12)
    np.testing.assert_allclose(one[1], energy[7:8], rtol=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        axes = plane_fit(showers.time, showers.signal, preset="physics")
        np.testing.assert_allclose(plane_fit(showers.time[7:8], showers.signal[7:8], preset="physics"), axes[7:8])


def test_saturated_stations_are_limits_for_the_fit():
    """Without the status a cut signal is believed and the energy comes out too small and the core far away."""
    showers = simulate(400, seed=12, preset="footprint", log_energy=(19.5, 20.0))
    true = showers.core[:, :2]
    away = [
        np.median(np.linalg.norm(energy_fit(showers.signal, showers.axis, status=status, **OPTIONS)[0] - true, axis=1))
        for status in (None, showers.status)
    ]
    assert away[1] < 0.5 * away[0]


OPTIONS = {"array": "footprint", "preset": "footprint"}


def test_barycentre_of_an_empty_map_is_the_centre():
    """Docstring."""
    np.testing.assert_array_equal(barycentre(np.full((2, 9, 9), np.nan)), np.zeros((2, 2)))


def test_memory_beyond_the_result_is_a_few_blocks():
    """Design, section 3: at most 256 MiB beyond the result, however large it is."""
    for run, n in ((simulate, 60_000), (simulate_traces, 2000)):
        tracemalloc.start()
        try:
            showers = run(n, seed=1)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak - sum(a.nbytes for a in showers.arrays().values()) < 20e6


def test_the_eight_views_are_the_group_of_the_square():
    """Different from each other for a map without symmetry; a view of a view is a view."""
    maps = np.random.default_rng(1).random((3, 5, 5, 2))
    views = square_views(maps)
    assert views.shape == (8, 3, 5, 5, 2)
    assert np.array_equal(views[0], maps)
    known = {view.tobytes() for view in views}
    assert len(known) == 8
    assert all(other.tobytes() in known for view in views for other in square_views(view))


def test_random_views_are_views_each_as_often_as_the_others():
    maps = np.repeat(np.random.default_rng(2).random((1, 4, 4)), 8000, axis=0).astype(np.float32)
    drawn = random_views(maps, seed=3)
    assert drawn.dtype == np.float32
    counts = [(drawn == view[0]).all(axis=(1, 2)).sum() for view in square_views(maps[:1])]
    assert sum(counts) == 8000
    assert max(abs(count - 1000) for count in counts) < 4 * np.sqrt(1000)
    assert np.array_equal(random_views(maps, seed=3), drawn)
    assert not np.array_equal(random_views(maps, seed=4), drawn)


def test_an_energy_does_not_depend_on_the_view():
    """The classical fit finds one energy in all eight views: direction and signals turn together."""
    showers = simulate(50, seed=4, array="cartesian")
    energies = []
    for time, signal in zip(square_views(showers.time), square_views(showers.signal), strict=True):
        energies.append(energy_fit(signal, plane_fit(time, signal, array="cartesian"), array="cartesian")[1])
    assert np.abs(np.array(energies) / energies[0] - 1).max() < 0.01
