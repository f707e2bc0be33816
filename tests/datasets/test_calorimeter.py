"""Calorimeter sets: parts, energies, scale, cache."""

import numpy as np
import pytest

from dlphys.datasets._calorimeter import load_calorimeter_showers, load_electron_proton
from dlphys.simulators import calorimeter


@pytest.mark.parametrize("geometry", calorimeter.GEOMETRIES)
def test_shapes_and_types(geometry):
    data = load_calorimeter_showers(40, seed=1, geometry=geometry)
    assert data.x_train.shape == (32, *calorimeter.voxel_shape(geometry))
    assert [len(data.y_train), len(data.y_validation), len(data.y_test)] == [32, 4, 4]
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    assert set(data.extra_train) == {"impact", "maximum_depth", "profile_shape"}


def test_seventy_gev_is_held_out_for_the_test():
    """The book's figure 18.12."""
    data = load_calorimeter_showers(300, seed=1)
    assert set(data.y_train) == set(data.y_validation) == {32, 90}
    assert set(data.y_test) == {32, 70, 90}


def test_scale_is_the_documented_function_of_the_simulated_energy():
    log, energy = (load_calorimeter_showers(40, seed=2, geometry="calogan", scale=scale) for scale in ("log", "energy"))
    showers = calorimeter.simulate(40, seed=2, geometry="calogan")
    np.testing.assert_array_equal(energy.x_train, showers.voxels[:32])
    np.testing.assert_allclose((10.0**log.x_train - 1) / 1000, energy.x_train, rtol=2e-5, atol=1e-9)
    np.testing.assert_array_equal(log.y_test, showers.energy[36:])


def test_the_second_call_reads_the_same_bits_from_the_cache(capsys, cache):
    first, second = load_calorimeter_showers(40, seed=3), load_calorimeter_showers(40, seed=3)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["calorimeter_showers: simulated", "calorimeter_showers: simulated before, from the cache"]
    np.testing.assert_array_equal(first.x_train, second.x_train)
    (path,) = (cache / "simulated").iterdir()
    assert path.stat().st_size < first.x_train.nbytes * 40 / 32 / 2, "only cells with energy are stored"


def test_electrons_and_protons_have_seven_sensors_and_both_classes():
    data = load_electron_proton(500, seed=1)
    assert data.x_train.shape == (300, 7)
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    assert set(data.y_train) == {0, 1}
    electrons = data.y_train == 0
    assert (data.extra_train["start"][electrons] == 0).all()
    assert (data.extra_train["start"][~electrons] > 0).all()
    energy = data.extra_train["energy"]
    assert 20 <= energy.min() < energy.max() <= 200


def test_electron_proton_is_as_difficult_as_frozen():
    """Baseline of the card: area under the curve 0.981; 4 sigma of its statistical error."""
    from sklearn.metrics import roc_auc_score

    data = load_electron_proton(8000, seed=4)
    layers = (10.0 ** data.x_train.astype(float) - 1) / 1000
    area = roc_auc_score(data.y_train, calorimeter.electron_chi2(layers))
    assert abs(area - 0.981) < 4 * np.sqrt(0.981 * 0.019 / 2400)


def test_another_hadronic_response_shifts_protons_only():
    here, there = load_electron_proton(2000, seed=5), load_electron_proton(2000, seed=5, hadronic_response=0.4)
    electrons = here.y_train == 0
    np.testing.assert_array_equal(here.y_train, there.y_train)
    np.testing.assert_array_equal(here.extra_train["energy"], there.extra_train["energy"])
    assert there.x_train[~electrons].mean() < here.x_train[~electrons].mean()
