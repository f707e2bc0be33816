"""How the simulator of radio traces behaves as a program; its physics is tested in tests/physics."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import _radio_likelihood, radio
from dlphys.simulators.radio import (
    FREQUENCIES,
    antenna_response,
    log_likelihood_ratio,
    log_likelihood_ratio_plain,
    matched_filter,
    posterior_mean,
    pulses,
    simulate,
    wiener_filter,
)


def same(a, b):
    return all(np.array_equal(x, b.arrays()[name], equal_nan=True) for name, x in a.arrays().items())


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_arrays_have_the_documented_shapes_and_types(preset):
    """Docstring of RadioTraces."""
    sample = simulate(9, seed=1, preset=preset)
    found = {name: (a.shape, a.dtype.str[1:]) for name, a in sample.arrays().items()}
    numbers = dict.fromkeys(("snr", "time", "ring_distance", "charge_excess"), ((9,), "f4"))
    signs = dict.fromkeys(("label", "polarity"), ((9,), "i1"))
    assert found == {"traces": ((9, 500), "f4"), "signals": ((9, 500), "f4"), **numbers, **signs}


def test_labels_are_those_of_the_books_exercise():
    """label = signals.std() != 0, and what belongs to no pulse is NaN or zero."""
    sample = simulate(1000, seed=2)
    empty = sample.label == 0
    np.testing.assert_array_equal(sample.signals.std(1) != 0, sample.label)
    assert np.isnan(sample.time[empty]).all()
    assert np.isnan(sample.ring_distance[empty]).all()
    assert np.isnan(sample.charge_excess[empty]).all()
    assert (sample.snr[empty] == 0).all()
    np.testing.assert_array_equal(np.abs(sample.polarity), sample.label)
    assert 0.35 <= sample.time[~empty].min() < sample.time[~empty].max() <= 2.4
    assert set(sample.polarity[~empty]) == {-1, 1}
    assert (simulate(20, seed=1, pulse_share=1.0).label == 1).all()
    assert (simulate(20, seed=1, pulse_share=0.0).label == 0).all()


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(monkeypatch):
    """Design: one seed, one result, whatever the number of workers."""
    n = 6 * radio.BLOCK + 5
    samples = []
    for workers in (1, 3):
        monkeypatch.setattr(_blocks, "thread_count", lambda workers=workers: workers)
        samples.append(simulate(n, seed=3, preset="physics"))
    assert same(*samples)
    assert not same(samples[0], simulate(n, seed=4, preset="physics"))


def test_the_first_traces_do_not_depend_on_how_many_follow():
    """Docstring of simulate, over the edge of a block."""
    n = radio.BLOCK + 3
    long, short = (simulate(size, seed=5) for size in (2 * n, n))
    assert same(short, dataclasses.replace(long, **{name: a[:n] for name, a in long.arrays().items()}))


def test_the_noise_does_not_depend_on_the_pulses():
    """Docstring of simulate: traces without a pulse are the same bits."""
    plain = simulate(300, seed=6, pulse_share=0.0)
    sample = simulate(300, seed=6)
    empty = sample.label == 0
    np.testing.assert_array_equal(sample.traces[empty], plain.traces[empty])
    np.testing.assert_allclose((sample.traces - sample.signals)[~empty], plain.traces[~empty], atol=1e-7)


def test_labels_and_polarities_are_the_same_on_every_processor():
    """Golden numbers: comparisons of uniform numbers with 1/2."""
    sample = simulate(2000, seed=7)
    assert [int(sample.label.sum()), int(sample.polarity.sum())] == GOLDEN


GOLDEN = [997, 11]


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_the_compiled_pulses_are_the_plain_ones(preset):
    """`pulses` at the drawn times, times polarity, snr and RMS of the noise; to the rounding of float32."""
    sample = simulate(200, seed=8, preset=preset, pulse_share=1.0)
    law = {"delay_spread": 370.0} if preset == "book" else {"delay_spread": 100.0, "antenna": "log-periodic"}
    shapes = {name: getattr(sample, name).astype(float) for name in ("ring_distance", "charge_excess")}
    noise = (sample.traces - sample.signals).astype(float)
    scale = sample.polarity * sample.snr * np.sqrt((noise**2).mean(1))
    expected = scale[:, None] * pulses(sample.time.astype(float), **shapes, **law)
    # the time, in float32, is good to 1e-7 us, in which the carrier turns by 5e-5
    np.testing.assert_allclose(sample.signals, expected, rtol=0, atol=1e-4 * np.abs(scale).max())


def test_antenna_keeps_the_band_and_centres_the_delay():
    """Docstring of antenna_response: zero outside, and delays of half the spread at the ends for both laws."""
    assert (antenna_response([29.9, 80.1]) == 0).all()
    f = np.linspace(30.0, 80.0, 20_001)
    for antenna in ("linear", "log-periodic"):
        phase = np.unwrap(np.angle(antenna_response(f, delay_spread=200.0, antenna=antenna)))
        delay = -1000 * np.diff(phase) / np.diff(f) / (2 * np.pi)
        np.testing.assert_allclose(delay[[0, -1]], [100.0, -100.0], atol=0.1)
        assert (np.diff(delay) < 1e-6).all()


@pytest.mark.parametrize("settings", [{}, {"preset": "physics", "snr": [1.5, 1.9], "ring_distance": 50.0}])
def test_the_fast_likelihood_agrees_with_the_plain_one(settings):
    """`log_likelihood_ratio_plain` sums term by term in the time domain; both with and without a pulse."""
    sample = simulate(3, seed=10, **settings)
    assert 0 < sample.label.sum() < 3
    fast, plain = (f(sample.traces, **settings) for f in (log_likelihood_ratio, log_likelihood_ratio_plain))
    np.testing.assert_allclose(fast, plain, rtol=1e-9, atol=1e-9)


def test_finer_sums_over_what_is_unknown_change_nothing_that_matters(monkeypatch):
    """Twice as many nodes for the shape: the likelihood ratio moves by less than 1 %."""
    sample = simulate(40, seed=10)
    coarse = log_likelihood_ratio(sample.traces)
    monkeypatch.setattr(_radio_likelihood.shapes, "__defaults__", (8, 4))
    np.testing.assert_allclose(log_likelihood_ratio(sample.traces), coarse, atol=0.01)


def test_the_posterior_mean_is_the_average_over_the_likelihood():
    """By brute force for one trace and a pulse of one shape and strength: weights exp(LR) over times and signs."""
    settings = {"ring_distance": 30.0, "charge_excess": 0.0}
    sample = simulate(1, seed=11, pulse_share=1.0, **settings)
    x = sample.traces[0].astype(float)
    p = pulses(_radio_likelihood.grid_times(), ring_distance=30.0)
    square, cross = (p**2).mean(1), (p * x).mean(1)
    total, mean = 0.0, 0.0
    for sign in (1, -1):
        g = 0.25 - square
        amplitude = (-sign * cross + np.sqrt(cross**2 + g * (x**2).mean())) / g
        noise = x - sign * amplitude[:, None] * p
        # white noise: 278 numbers with 500 / 278 * 0.01 mV^2 each in the sum of squares
        log = ((x**2).sum() - (noise**2).sum(1)) / (2 * 0.01 * 500 / 278)
        weight = np.exp(log) / (1 + 4 * (noise * sign * p).mean(1) / amplitude)
        total += weight.sum()
        mean = mean + (weight * sign * amplitude) @ p
    np.testing.assert_allclose(posterior_mean(sample.traces, pulse_share=1.0, **settings)[0], mean / total, atol=1e-6)


def test_without_certainty_the_posterior_mean_shrinks():
    """Times the posterior probability of a pulse."""
    sample = simulate(30, seed=12)
    ratio = log_likelihood_ratio(sample.traces)
    sure, unsure = posterior_mean(sample.traces, pulse_share=1.0), posterior_mean(sample.traces, pulse_share=0.2)
    np.testing.assert_allclose(unsure, sure * (1 / (1 + 4 * np.exp(-ratio)))[:, None], atol=1e-9)
    assert (posterior_mean(sample.traces, pulse_share=0.0) == 0).all()


def test_filters_do_not_depend_on_the_neighbours():
    """One trace alone and among others, over the edge of a block."""
    sample = simulate(50, seed=13)
    for method in (matched_filter, wiener_filter, log_likelihood_ratio, posterior_mean):
        np.testing.assert_allclose(method(sample.traces[40:42]), method(sample.traces)[40:42], rtol=1e-9, atol=1e-12)


def test_memory_beyond_the_result_is_a_few_blocks():
    """Design, section 3: bounded, however large the result."""
    tracemalloc.start()
    try:
        sample = simulate(20_000, seed=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - sum(a.nbytes for a in sample.arrays().values()) < 20e6


def test_constants_cannot_be_changed_by_accident():
    """A notebook that shifts the frequencies in place would change every later simulation."""
    with pytest.raises(ValueError, match="read-only"):
        FREQUENCIES[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        simulate(1, seed=1).traces = None
