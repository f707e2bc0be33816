"""The radio traces of chapters 9 and 17 as sets to train on."""

import numpy as np

from dlphys.datasets._radio import load_noisy_radio_traces, load_radio_traces
from dlphys.simulators import radio

PARTS = ("train", "validation", "test")


def whole(data, kind, key=None):
    parts = [getattr(data, f"{kind}_{part}") for part in PARTS]
    return np.concatenate([part if key is None else part[key] for part in parts])


def test_shapes_types_and_units(capsys):
    data, pairs = load_radio_traces(1200, seed=1), load_noisy_radio_traces(1200, seed=1)
    assert capsys.readouterr().out == "radio_traces: simulated\nnoisy_radio_traces: simulated\n"
    for loaded in (data, pairs):
        assert [len(loaded.x_train), len(loaded.x_validation), len(loaded.x_test)] == [1000, 100, 100]
        assert loaded.x_train.shape[1:] == (500, 1)
        assert loaded.x_train.dtype == loaded.y_train.dtype == np.float32
        assert set(loaded.extra_test) == set(loaded.about.extra_units)
    assert data.y_train.shape == (1000,)
    assert pairs.y_train.shape == (1000, 500, 1)


def test_the_sets_are_those_of_the_simulator():
    """In units of 0.1 mV."""
    data, sample = load_radio_traces(60, seed=2), radio.simulate(60, seed=2)
    np.testing.assert_allclose(0.1 * whole(data, "x")[..., 0], sample.traces, rtol=1e-6)
    np.testing.assert_allclose(0.1 * whole(data, "extra", "signal"), sample.signals, rtol=1e-6)
    np.testing.assert_array_equal(whole(data, "y"), sample.label)
    np.testing.assert_array_equal(whole(data, "extra", "snr"), sample.snr)
    pairs = load_noisy_radio_traces(60, seed=3)
    sample = radio.simulate(60, seed=3, preset="physics", pulse_share=1.0)
    np.testing.assert_allclose(0.1 * whole(pairs, "x")[..., 0], sample.traces, rtol=1e-6)
    np.testing.assert_allclose(0.1 * whole(pairs, "y")[..., 0], sample.signals, rtol=1e-6)
    np.testing.assert_array_equal(whole(pairs, "extra", "time"), sample.time)


def test_the_unit_is_about_the_spread_of_the_traces():
    """Docstring: the book's exercise divides by the standard deviation of the training traces, 0.104 mV."""
    data = load_radio_traces(3000, seed=4)
    assert abs(0.1 * data.x_train.std() - 0.104) < 0.001


def test_limit_and_baselines_work_on_the_sets():
    """Docstrings: after multiplying x by 0.1."""
    data = load_radio_traces(1200, seed=5)
    right = (radio.log_likelihood_ratio(0.1 * data.x_test[..., 0]) > 0) == data.y_test
    assert right.mean() > 0.95
    pairs = load_noisy_radio_traces(600, seed=6)
    settings = {"preset": "physics", "pulse_share": 1.0}
    clean = 0.1 * pairs.y_test[..., 0]
    errors = [
        ((method(0.1 * pairs.x_test[..., 0], **settings) - clean) ** 2).mean()
        for method in (radio.posterior_mean, radio.wiener_filter)
    ]
    assert errors[0] < 0.2 * errors[1] < 0.2 * (clean**2).mean()


def test_seeds_decide():
    first, same, other = (load_radio_traces(12, seed=seed).x_train for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
