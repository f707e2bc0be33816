"""How the toys behave as programs; their exact answers are tested in tests/physics."""

import hashlib

import numpy as np
import pytest

from dlphys.simulators import toys


@pytest.mark.parametrize("kind", list(toys.PLANES))
def test_points_of_every_kind_have_two_classes_of_equal_size(kind):
    points = toys.simulate(5000, kind=kind, seed=1)
    assert points.x.dtype == np.float32
    assert points.label.dtype == np.uint8
    assert abs(points.label.mean() - 0.5) < 4 * 0.5 / np.sqrt(5000)
    probability = toys.optimal_probability(points.x[:100], kind=kind)
    assert ((probability >= 0) & (probability <= 1)).all()


def test_integers_of_a_seed_never_change():
    """Golden: integers are the same on every machine."""
    arrays = [
        toys.simulate(10_000, noise=0.5, seed=1).label,
        toys.simulate_mixture(10_000, seed=1).component,
        toys.simulate_bandit(1000, seed=1).reward,
        toys.simulate_gridworld(100, seed=1, slip=0.2).following,
    ]
    assert [hashlib.sha256(a.tobytes()).hexdigest()[:12] for a in arrays] == [
        "d7b7a841edae",
        "0bb534ddb72e",
        "c0aa3a398c48",
        "35e9cd25d715",
    ]


def test_noise_leaves_the_places_as_they_are():
    """One sample can be shown with several noises."""
    clean, noisy = (toys.simulate(500, noise=noise, seed=2) for noise in (0.0, 0.5))
    np.testing.assert_array_equal(clean.x, noisy.x)
    assert (clean.label != noisy.label).any()
    quiet, loud = (toys.simulate_interpolation(500, noise=noise, seed=2) for noise in (0.0, 2.0))
    np.testing.assert_array_equal(quiet.x, loud.x)
    np.testing.assert_allclose(quiet.y, quiet.truth)


def test_far_away_points_have_a_probability():
    """No underflow: 0 or 1 a hundred spreads from any curve, not NaN."""
    for kind in ("xor", "moons", "circles", "rings", "spirals"):
        assert np.isfinite(toys.optimal_probability([[300.0, -200.0], [0.0, 0.0]], kind=kind)).all()


def test_a_mixture_of_ones_own():
    shape = toys.mixture(weights=[0.2, 0.8], means=[[0.0], [5.0]], classes=[0, 0])
    np.testing.assert_array_equal(toys.class_probabilities([[1.0]], shape), [[1.0]])
    points = toys.simulate_mixture(1000, weights=[0.2, 0.8], means=[[0.0], [5.0]], seed=3)
    assert abs(points.component.mean() - 0.8) < 0.06
    assert points.x.shape == (1000, 1)


def test_a_fixed_parameter_is_that_of_every_event():
    chain = toys.simulate_chain(100, theta=[0.5, -1.0], seed=4)
    np.testing.assert_array_equal(chain.theta, np.tile(np.float32([0.5, -1.0]), (100, 1)))


def test_the_results_of_shared_tables_cannot_be_changed_by_a_caller():
    toys.beam_response()[:] = 0
    assert toys.beam_response().any()


def test_planing_table_with_signal_only_and_background_only():
    for fraction in (0.0, 1.0):
        table = toys.simulate_planing(500, signal_fraction=fraction, seed=5)
        assert (table.label == fraction).all()
        assert np.isfinite(toys.planing_log_ratio(table.x)).all()


def test_bags_with_one_share_have_nothing_to_tell():
    assert len(np.unique(toys.simulate_bags(50, proportions=[0.3], seed=6).proportion)) == 1


def test_the_first_plays_try_every_arm():
    assert toys.play_upper_bound(np.zeros((7, 5)))[:5].tolist() == [0, 1, 2, 3, 4]


def test_a_slippery_grid_still_has_probabilities():
    for slip in (0.0, 0.5, 1.0):
        transitions, _ = toys.gridworld(slip=slip)
        np.testing.assert_allclose(transitions.sum(-1), 1.0)
