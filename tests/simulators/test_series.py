"""Series in time: shapes, presets, edges, and the kernels beside their plain versions."""

import hashlib

import numpy as np
import pytest

from dlphys.simulators import _series_absorber as absorber
from dlphys.simulators import series

MAKERS = {
    series.sines: {"preset": "physics", "noise": 0.1},
    series.oscillations: {"noise": 0.01},
    series.quenches: {"steps": 64},
    series.cracks: {"preset": "physics"},
    series.absorbers: {"sensors": 2},
    series.pulses: {"preset": "physics", "label_noise": (0.2, 0.1)},
}
EVENTS = {series.sines: 9000, series.oscillations: 2000, series.absorbers: 300}


def equal(first, second, n):
    return all(np.array_equal(a[:n], b[:n], equal_nan=a.dtype.kind == "f") for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("make", "keywords"), MAKERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_one_seed_gives_the_same_bits_and_the_first_events_do_not_depend_on_n(make, keywords):
    n = EVENTS.get(make, 1500)
    longer = make(n, seed=5, **keywords).arrays().values()
    short = make(n // 3, seed=5, **keywords).arrays().values()
    assert equal(short, longer, n // 3)
    assert not equal(make(n // 3, seed=6, **keywords).arrays().values(), longer, n // 3)


@pytest.mark.parametrize(("make", "keywords"), MAKERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_threads_change_nothing(make, keywords, monkeypatch):
    n = 6 * EVENTS.get(make, 1500)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one = make(n, seed=5, **keywords).arrays().values()
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert equal(one, make(n, seed=5, **keywords).arrays().values(), n)


def test_integers_of_a_seed_are_the_same_on_every_machine():
    """Golden hashes of labels, which come from uniform numbers."""
    taken = series.pulses(500, seed=1, label_noise=(0.3, 0.2))
    words = [hashlib.sha256(array.tobytes()).hexdigest()[:12] for array in (taken.label, taken.particle)]
    words.append(hashlib.sha256(series.quenches(100, seed=1).quench.tobytes()).hexdigest()[:12])
    assert words == ["fbeafc4708c1", "04646db5e761", "0189dea815d8"]


def test_the_book_cuts_one_wave_into_overlapping_pieces():
    pieces = series.sines(9979, seed=1)
    assert pieces.windows.shape == (9979, 20)
    np.testing.assert_array_equal(pieces.windows[1:, :-1], pieces.windows[:-1, 1:])
    np.testing.assert_array_equal(pieces.windows[1:, -1], pieces.target[:-1])
    assert pieces.time[-1] == pytest.approx(9978 * series.BOOK_STEP)
    assert set(pieces.frequency.tolist()) == {0.5}


def test_noise_is_on_the_pieces_and_not_on_what_follows():
    clean, noisy = series.sines(1000, seed=1, preset="physics"), series.sines(1000, seed=1, preset="physics", noise=0.1)
    np.testing.assert_array_equal(clean.target, noisy.target)
    assert (noisy.windows - clean.windows).std() == pytest.approx(0.1, rel=0.03)


def test_blows_are_as_many_as_asked():
    struck = series.oscillations(2000, seed=1, blows=3.0)
    number = (struck.force != 0).sum(1)
    assert (struck.force[:, 0] == 1).all()
    assert abs(number.mean() - 4.0) < 4 * np.sqrt(3.0 / 2000)
    alone = series.oscillations(100, seed=1, blows=0.0)
    assert (alone.force[:, 1:] == 0).all()


def test_stages_and_times_agree():
    records = series.quenches(400, seed=1)
    quiet = records.quench == 0
    assert np.isnan(records.time_to_quench[quiet]).all()
    assert (records.stage[quiet] == 0).all()
    times, stage = records.time_to_quench[~quiet], records.stage[~quiet]
    assert ((times < 0) == (stage == 2)).all()
    assert (((times >= 0) & (times < 60)) == (stage == 1)).all()
    np.testing.assert_allclose(np.diff(times, axis=1), -0.4, atol=1e-4)
    assert -20 <= times[:, -1].min() < times[:, -1].max() <= 40
    assert records.voltage.max() == 200


def test_records_can_be_all_quiet_or_all_quench():
    assert (series.quenches(50, seed=1, share=0.0).quench == 0).all()
    assert (series.quenches(50, seed=1, share=1.0).quench == 1).all()


def test_spikes_do_not_change_when_the_noise_is_the_same():
    early = series.quenches(50, seed=3, lead=(5.0, 6.0))
    late = series.quenches(50, seed=3, lead=(500.0, 600.0))
    quiet = early.quench == 0
    np.testing.assert_array_equal(early.quench, late.quench)
    assert (early.voltage[~quiet] > 3).sum() > (late.voltage[~quiet] > 3).sum()


def test_cracks_grow_and_end():
    for preset in ("book", "physics"):
        tests = series.cracks(200, seed=1, preset=preset, inspections=120)
        ended = np.isnan(tests.length)
        assert (np.diff(ended.astype(int), axis=1) >= 0).all(), "once broken, always broken"
        assert (ended == (5000 * np.arange(120) > tests.life[:, None] + 1)).all()
        assert (np.diff(tests.length, axis=1)[~ended[:, 1:]] > 0).all()
        assert np.array_equal(np.isnan(tests.measured), ended)


def test_paris_exponent_two_is_the_limit_of_its_neighbours():
    cycles = np.array([0.0, 1e5, 2e5])
    two = series.paris_length(cycles, exponent=2.0, coefficient=1e-9)
    near = series.paris_length(cycles, exponent=2.0 + 1e-6, coefficient=1e-9)
    np.testing.assert_allclose(two, near, rtol=1e-5)


def test_traces_of_an_impact_are_those_of_the_plain_sum():
    impacts = series.absorbers(3, seed=1, sensors=3, noise=0.0)
    random = np.random.Generator(np.random.SFC64(1))
    turns = 2 * np.pi * random.random((3, absorber.LAYERS))
    energy, height = impacts.energy.astype(float), impacts.height.astype(float)
    speed = np.sqrt(2 * 9.81 * height)
    fast = np.empty((3, 9, 128))
    absorber._vibrate(energy, speed, impacts.depth.astype(float), impacts.extent.astype(float), turns, 3, fast)
    for i in range(3):
        plain = absorber._vibrate_plain(
            energy[i], speed[i], float(impacts.depth[i]), float(impacts.extent[i]), turns[i], 3, 128
        )
        np.testing.assert_allclose(fast[i], plain, rtol=1e-9, atol=1e-9 * np.abs(plain).max())


def test_noise_of_the_sensors_leaves_the_impacts_alone():
    quiet, loud = series.absorbers(50, seed=1, noise=0.0), series.absorbers(50, seed=1, noise=2.0)
    np.testing.assert_array_equal(quiet.energy, loud.energy)
    assert (loud.traces - quiet.traces).std() == pytest.approx(2.0, rel=0.01)


def test_pulses_of_the_book_are_counts():
    taken = series.pulses(200, seed=1)
    np.testing.assert_array_equal(taken.signal, np.round(taken.signal))
    np.testing.assert_array_equal(taken.label, taken.particle)
    assert (taken.signal[:, :4] == 0).all(), "nothing before the pulse"
    assert series.pulses(10, seed=1, preset="physics").signal.min() < 0


def test_tail_fraction_of_nothing_is_nothing():
    assert series.tail_fraction(np.zeros((2, 64))).tolist() == [0.0, 0.0]
    late = np.zeros((1, 64))
    late[0, [5, 40]] = 1.0
    assert series.tail_fraction(late).tolist() == [0.5]
