"""The gas thermometer's set."""

import numpy as np

from dlphys.datasets._gas import load_gas
from dlphys.simulators import gas


def test_shapes_types_and_units():
    data = load_gas(50, seed=1, atoms=30)
    assert data.x_train.shape == (30, 30)
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    gases = gas.simulate(50, seed=1, atoms=30)
    np.testing.assert_allclose(1000 * data.x_train, gases.speeds[:30], rtol=1e-6)
    np.testing.assert_array_equal(data.y_test, gases.temperature[40:])


def test_defaults_leave_room_between_baseline_and_limit():
    """Maximum likelihood is 12 % above the limit of 44.7 K with 100 atoms: sqrt(370 000 * 2 / 300) = 49.7 K."""
    data = load_gas(5000, seed=2)
    error = gas.maximum_likelihood(1000 * data.x_train) - data.y_train
    assert abs((error**2).mean() - 370_000 * 2 / 300) < 4 * (error**2).std() / np.sqrt(3000)
    assert gas.limit_rmse(atoms=100) < 45


def test_one_temperature():
    assert set(load_gas(10, seed=1, temperature=300.0).y_train) == {300}
