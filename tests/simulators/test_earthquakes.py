"""How the earthquake simulator behaves as a program; its physics is tested in tests/physics."""

import dataclasses
import time
import tracemalloc
import warnings

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import earthquakes
from dlphys.simulators.earthquakes import STATION_OFFSETS, STATIONS, plate_border, simulate, travel_times, triangulate

FIELDS = ("times", "epicentres", "depth", "origin_time")


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in FIELDS)


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_arrays_have_the_documented_shapes_and_are_float32(preset):
    """Docstring of simulate."""
    quakes = simulate(100, seed=1, preset=preset)
    shapes = {name: getattr(quakes, name).shape for name in FIELDS}
    assert shapes == {"times": (100, 8), "epicentres": (100, 2), "depth": (100,), "origin_time": (100,)}
    assert {getattr(quakes, name).dtype for name in FIELDS} == {np.dtype(np.float32)}


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(monkeypatch):
    """Design: one seed, one result, whatever the number of workers."""
    n = 9 * earthquakes.BLOCK + 17
    samples = []
    for workers in (1, 2, 5):
        monkeypatch.setattr(_blocks, "thread_count", lambda workers=workers: workers)
        samples.append(simulate(n, seed=3, preset="physics", timing_error=0.01))
    assert same(samples[0], samples[1])
    assert same(samples[0], samples[2])
    assert not same(samples[0], simulate(n, seed=4, preset="physics", timing_error=0.01))


def test_the_first_events_do_not_depend_on_how_many_follow():
    """Docstring of simulate, over the edge of a block."""
    n = earthquakes.BLOCK + 3
    long, short = (simulate(size, seed=5, preset="physics", timing_error=0.01) for size in (3 * n, n))
    assert same(short, dataclasses.replace(long, **{name: getattr(long, name)[:n] for name in FIELDS}))


def test_noise_depth_and_origin_time_leave_the_epicentres_as_they_are():
    """Docstring of simulate: so that one sample can be shown with and without them."""
    plain = simulate(500, seed=6)
    for options in ({"timing_error": 0.1}, {"depth": True}, {"origin_time": True}, {"preset": "physics"}):
        other = simulate(500, seed=6, **options)
        np.testing.assert_array_equal(other.epicentres, plain.epicentres)
        assert not np.array_equal(other.times, plain.times)


def test_a_generator_as_seed_is_advanced():
    """Two draws from one generator differ, and the pair repeats with the generator."""
    random, again = np.random.default_rng(8), np.random.default_rng(8)
    first, second = simulate(50, seed=random), simulate(50, seed=random)
    assert not np.array_equal(first.epicentres, second.epicentres)
    assert same(first, simulate(50, seed=again))
    assert same(second, simulate(50, seed=again))


@pytest.mark.parametrize("preset", ["book", "physics"])
@pytest.mark.parametrize("depth", [True, False])
@pytest.mark.parametrize("origin_time", [True, False])
def test_times_are_the_plain_formula_of_what_the_result_says(preset, depth, origin_time):
    """The fast block agrees with travel_times to the rounding of float32 (2 us at 30 s)."""
    quakes = simulate(20_000, seed=9, preset=preset, depth=depth, origin_time=origin_time)
    book = preset == "book"
    v_p, v_s = (7.0, 5.0) if book else (5.8, 3.36)
    expected = travel_times(quakes.epicentres, v_p=v_p, v_s=v_s, depth=quakes.depth) + STATION_OFFSETS * book
    expected = expected.reshape(-1, 8) + quakes.origin_time[:, None].astype(float)
    np.testing.assert_allclose(quakes.times, expected, rtol=0, atol=2e-6)
    assert (quakes.depth > 0).any() == depth
    assert (quakes.origin_time > 0).any() == origin_time


def test_presets_decide_about_depth_and_origin_time_where_the_caller_does_not():
    """Docstring of simulate."""
    assert same(simulate(100, seed=2), simulate(100, seed=2, depth=False, origin_time=False))
    physics = simulate(100, seed=2, preset="physics")
    assert same(physics, simulate(100, seed=2, preset="physics", depth=True, origin_time=True))


def test_memory_beyond_the_result_is_a_few_blocks():
    """Design, section 3: at most 256 MiB beyond the result, however large it is."""
    tracemalloc.start()
    try:
        quakes = simulate(1_000_000, seed=1, preset="physics", timing_error=0.01)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    result = sum(getattr(quakes, name).nbytes for name in FIELDS)
    assert result == 48_000_000
    assert peak - result < 30e6


def test_an_error_in_one_block_stops_the_others(monkeypatch):
    """An interrupt must not wait for all the blocks that have not begun."""
    begun = []

    def write_times(quakes, events, *_):
        begun.append(events.start)
        time.sleep(0.02)  # all 500 would take five seconds
        raise KeyboardInterrupt

    monkeypatch.setattr(earthquakes, "_write_times", write_times)
    monkeypatch.setattr(_blocks, "thread_count", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        simulate(500 * earthquakes.BLOCK, seed=1)
    assert len(begun) < 500


def test_epicentres_beyond_the_edge_are_drawn_again(monkeypatch):
    """All inside the map, even with a scatter that often leaves it."""
    monkeypatch.setattr(earthquakes, "BORDER_SCATTER", 40.0)
    x, y = simulate(20_000, seed=1).epicentres.T
    assert np.abs(x).max() <= 45.0
    assert np.abs(y).max() <= 45.0
    assert np.count_nonzero(np.abs(x) == 45.0) < 3, "redrawn, not moved to the edge"


def test_constants_cannot_be_changed_by_accident():
    """A notebook that shifts STATIONS in place would change every later simulation."""
    with pytest.raises(ValueError, match="read-only"):
        STATIONS[0, 0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        STATION_OFFSETS[:] = 0.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        simulate(1, seed=1).times = None


def test_representation_says_shape_and_unit_in_a_few_short_lines():
    """Design: a __repr__ fits a screen and says shape, unit and size."""
    lines = repr(simulate(1000, seed=1)).splitlines()
    assert len(lines) == 5
    assert max(map(len, lines)) < 80
    for text in ("1000 events", "(1000, 8)", "(1000, 2)", "km", "MiB"):
        assert any(text in line for line in lines)


def test_plate_border_keeps_the_shape_of_its_argument():
    """Docstring of plate_border."""
    assert plate_border(0.0).shape == ()
    assert plate_border(np.zeros((2, 3))).shape == (2, 3)


@pytest.mark.parametrize("timing_error", [0.0, 0.01, 0.1])
def test_least_squares_converges_for_every_event(timing_error):
    """Also for epicentres beside a station, where the times have a kink; 30 000 events hold dozens within 500 m."""
    quakes = simulate(30_000, seed=11, timing_error=timing_error)
    nearest = np.linalg.norm(quakes.epicentres[:, None] - STATIONS, axis=-1).min()
    assert nearest < 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        triangulate(quakes.times, offsets=STATION_OFFSETS)
        triangulate(quakes.times)


def test_least_squares_says_when_it_has_not_converged(monkeypatch):
    """Never a silent wrong result."""
    monkeypatch.setattr(earthquakes, "STEPS", 1)
    quakes = simulate(100, seed=1, timing_error=0.1)
    with pytest.warns(RuntimeWarning, match="of 100 fits have not converged"):
        triangulate(quakes.times)


def test_least_squares_finds_a_minimum():
    """No shift of 10 m in any of eight directions makes the sum of squares smaller."""
    quakes = simulate(2000, seed=12, timing_error=0.02)
    fitted = triangulate(quakes.times)

    def misfit(epicentres):
        return ((quakes.times - travel_times(epicentres).reshape(-1, 8)) ** 2).sum(1)

    for angle in np.arange(8) * np.pi / 4:
        shifted = fitted + 0.01 * np.array([np.cos(angle), np.sin(angle)])
        assert (misfit(shifted) > misfit(fitted)).all()


def test_events_are_fitted_independently():
    """The fit of one event does not depend on its neighbours, over the edge of a block."""
    quakes = simulate(earthquakes.BLOCK + 100, seed=13, timing_error=0.05)
    together = triangulate(quakes.times, offsets=STATION_OFFSETS)
    some = slice(earthquakes.BLOCK - 20, earthquakes.BLOCK + 20)
    alone = triangulate(quakes.times[some], offsets=STATION_OFFSETS)
    np.testing.assert_allclose(alone, together[some], rtol=0, atol=1e-5)
