"""Sets of states in phase space."""

import numpy as np
import pytest

from dlphys.datasets._oscillators import load_oscillators
from dlphys.simulators import oscillators


@pytest.mark.parametrize("system", oscillators.SYSTEMS)
@pytest.mark.parametrize("target", ["derivative", "next"])
def test_shapes_and_types(system, target):
    data = load_oscillators(5, seed=1, system=system, target=target)
    width = 4 if system in ("kepler", "double_pendulum") else 2
    assert data.x_train.shape == data.y_train.shape == data.extra_train["state"].shape
    assert data.x_train.shape[1] == width == len(data.about.columns) == len(data.about.target_units)
    assert data.x_train.dtype == data.y_train.dtype == np.float32


def test_a_motion_is_in_one_part_only():
    data = load_oscillators(10, seed=1)
    parts = [set(getattr(data, f"extra_{part}")["motion"]) for part in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [6, 2, 2]
    assert not parts[0] & parts[1] | parts[1] & parts[2] | parts[0] & parts[2]


def test_next_state_is_the_next_one_of_the_same_motion():
    data = load_oscillators(5, seed=2, system="kepler", target="next")
    motion = data.extra_train["motion"]
    same = motion[1:] == motion[:-1]
    np.testing.assert_array_equal(data.y_train[:-1][same], data.x_train[1:][same])


@pytest.mark.parametrize("system", oscillators.SYSTEMS)
def test_derivatives_are_the_oracle_of_the_states_without_noise(system):
    data = load_oscillators(5, seed=3, system=system)
    exact = oscillators.vector_field(data.extra_train["state"], system=system)
    np.testing.assert_allclose(data.y_train, exact, rtol=1e-4, atol=1e-4)


def test_noise_is_that_of_the_reference_where_it_has_some():
    for system, noise in (("spring", 0.1), ("pendulum", 0.1), ("kepler", 0.0)):
        data = load_oscillators(50, seed=4, system=system)
        apart = (data.x_train - data.extra_train["state"]).astype(float)
        assert abs(apart.std() - noise) <= 4 * noise / np.sqrt(2 * apart.size)


def test_gravity_can_be_read_off_the_data():
    """M21.4: least squares of dp/dt on (q, sin q, p) of the laboratory pendulum gives -9.81 sin q."""
    data = load_oscillators(20, seed=5, system="pendulum", preset="physics")
    q, p = data.x_train.astype(float).T
    fit, *_ = np.linalg.lstsq(np.column_stack([q, np.sin(q), p]), data.y_train[:, 1], rcond=None)
    np.testing.assert_allclose(fit, [0.0, -9.81, 0.0], atol=1e-4)
