"""Sets of time series: what is handed out is what was simulated, scaled as documented and divided without overlap."""

import numpy as np
import pytest

from dlphys.datasets import _series as sets
from dlphys.simulators import series

LOADERS = [
    sets.load_sine,
    sets.load_quenches,
    sets.load_cracks,
    sets.load_absorbers,
    sets.load_neutron_gamma,
]


def joined(data, kind, key=None):
    """All events of a set in the order in which they were made."""
    parts = [getattr(data, f"{kind}_{part}") for part in ("train", "validation", "test")]
    return np.concatenate([part if key is None else part[key] for part in parts])


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
def test_types_and_words(load, capsys):
    data = load(60, seed=1)
    assert capsys.readouterr().out == f"{load.__name__.removeprefix('load_')}: simulated\n"
    assert data.about.flaws
    assert data.about.citation
    assert data.x_train.dtype == np.float32
    assert data.x_train.ndim == 3
    assert np.isfinite(data.x_train).all()
    assert np.abs(data.x_train).max() < 50, "of the order of one"
    targets = data.y_train.values() if isinstance(data.y_train, dict) else [data.y_train]
    assert all(target.dtype == np.float32 and np.isfinite(target).all() for target in targets)


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
def test_the_same_seed_gives_the_same_set(load):
    first, again = load(30, seed=3), load(30, seed=3)
    for (_, a), (_, b) in zip(first._arrays(), again._arrays(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_sine_is_in_order_of_time_with_nine_thousand_pieces_by_default():
    data = sets.load_sine(seed=1)
    assert len(data.x_train) + len(data.x_validation) + len(data.x_test) == 9979
    assert (np.diff(joined(data, "extra", "time")) > 0).all()
    np.testing.assert_array_equal(joined(data, "x")[20:, 0, 0], joined(data, "y")[:-20])
    assert sets.load_sine(100, seed=1, preset="physics").about.flaws == ()


def test_quenches_lie_ahead():
    data = sets.load_quenches(60, seed=2)
    times, y = joined(data, "extra", "time_to_quench"), joined(data, "y")
    assert np.isnan(times[y == 0]).all()
    assert (times[y == 1, -1] >= 2).all()
    sample = series.quenches(60, seed=2, lead=(2.0, 40.0))
    np.testing.assert_allclose(10 * joined(data, "x")[..., 0], sample.voltage, rtol=1e-6)


def test_cracks_are_logarithms_of_what_was_measured():
    data, sample = sets.load_cracks(60, seed=2, seen=10), series.cracks(60, seed=2)
    np.testing.assert_allclose(9 * np.exp(joined(data, "x")[..., 0]), sample.measured[:, :10], rtol=1e-5)
    np.testing.assert_allclose(1e5 * joined(data, "y"), sample.life, rtol=1e-6)


def test_absorbers_have_two_targets():
    data, sample = sets.load_absorbers(60, seed=2, sensors=3), series.absorbers(60, seed=2, sensors=3)
    assert joined(data, "x").shape == (60, 9, 128)
    np.testing.assert_allclose(10 ** joined(data, "y", "energy"), sample.energy, rtol=1e-5)
    np.testing.assert_allclose(0.1 * joined(data, "y", "geometry")[:, 1], sample.depth, rtol=1e-6)
    np.testing.assert_allclose(20 * joined(data, "x")[:, 4], sample.traces[:, 1, 1], rtol=1e-5)


def test_labels_are_wrong_and_the_truth_is_beside():
    data = sets.load_neutron_gamma(4000, seed=2, label_noise=(0.3, 0.1))
    particle, y = joined(data, "extra", "particle"), joined(data, "y")
    assert particle[y == 0].mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 2000))
    assert 1 - particle[y == 1].mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 2000))
    clean = sets.load_neutron_gamma(100, seed=2)
    np.testing.assert_array_equal(joined(clean, "y"), joined(clean, "extra", "particle"))
