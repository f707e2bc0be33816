"""Sets of air showers: shapes, normalisation with training data alone, and what the simulator says."""

import numpy as np
import pytest

from dlphys.datasets._airshower import (
    load_airshower_energy,
    load_airshowers,
    load_shower_footprints,
    load_shower_traces,
)
from dlphys.simulators import airshower

PARTS = ("train", "validation", "test")


def whole(data, kind, key=None):
    parts = [getattr(data, f"{kind}_{part}") for part in PARTS]
    return np.concatenate([part if key is None else part[key] for part in parts])


def test_energies_come_with_two_maps_of_fourteen_times_fourteen_stations(capsys):
    """Docstring; 72, 8 and 20 % as in the book."""
    data = load_airshower_energy(200, seed=1)
    assert capsys.readouterr().out == "airshower_energy: simulated\n"
    assert data.about.source == "simulated"
    assert {key: x.shape for key, x in data.x_train.items()} == dict.fromkeys(("time", "signal"), (144, 14, 14, 1))
    assert [len(y) for y in (data.y_train, data.y_validation, data.y_test)] == [144, 16, 40]
    assert {data.x_test["time"].dtype, data.x_test["signal"].dtype, data.y_test.dtype} == {np.dtype(np.float32)}
    assert 3.0 < data.y_train.min() < data.y_train.max() < 100.0
    assert data.about.columns == ("time", "signal")


def test_raw_maps_are_those_of_the_simulator():
    """Keyword raw."""
    data = load_airshower_energy(100, seed=3, raw=True)
    showers = airshower.simulate(100, seed=3, array="cartesian")
    np.testing.assert_array_equal(whole(data, "x", "time")[..., 0], showers.time)
    np.testing.assert_array_equal(whole(data, "x", "signal")[..., 0], showers.signal)
    np.testing.assert_array_equal(whole(data, "y"), showers.energy)
    np.testing.assert_array_equal(whole(data, "extra", "status"), showers.status)


@pytest.mark.parametrize("load", [load_airshower_energy, load_airshowers])
def test_maps_are_normalised_with_the_training_showers_alone(load):
    """The book's recipe: (T - mean) / deviation; lg(1 + S) from its minimum to its maximum; 0 where silent."""
    data, raw = load(300, seed=2), load(300, seed=2, raw=True)
    time, signal = raw.x_train["time"].astype(float), np.log10(1 + raw.x_train["signal"].astype(float))
    mean, deviation, least = np.nanmean(time), np.nanstd(time), np.nanmin(signal)
    largest = np.nanmax(signal) - least
    for part in PARTS:
        x, unscaled = getattr(data, f"x_{part}"), getattr(raw, f"x_{part}")
        expected = np.nan_to_num((unscaled["time"] - mean) / deviation)
        np.testing.assert_allclose(x["time"], expected, atol=2e-5)
        expected = np.nan_to_num((np.log10(1 + unscaled["signal"].astype(float)) - least) / largest)
        np.testing.assert_allclose(x["signal"], expected, atol=2e-6)
        assert all(np.isfinite(values).all() for values in x.values())
    assert data.x_train["signal"].max() == pytest.approx(1.0)
    assert f"deviation {deviation:.4g} s" in data.about.made


def test_the_other_showers_do_not_change_the_training_inputs():
    """No test data in the normalisation: the same training events, other shares of validation and test."""
    first = load_airshowers(300, seed=2, test=0.1, validation=0.1).x_train
    second = load_airshowers(270, seed=2, test=10 / 270, validation=20 / 270).x_train
    for key in ("time", "signal"):
        np.testing.assert_array_equal(first[key], second[key])


def test_three_targets_have_the_units_of_the_book():
    """Unit vector, core in 750 m, lg(E / eV) - 19.25."""
    data, raw = load_airshowers(200, seed=4), load_airshowers(200, seed=4, raw=True)
    assert {key: y.shape for key, y in data.y_test.items()} == {"axis": (20, 3), "core": (20, 2), "energy": (20,)}
    np.testing.assert_allclose(750.0 * data.y_train["core"], raw.y_train["core"], rtol=1e-6)
    np.testing.assert_allclose(data.y_train["energy"] + 19.25, raw.y_train["energy"], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(data.y_train["axis"], axis=1), 1.0, rtol=1e-6)
    assert np.abs(data.y_train["core"]).max() <= 1.0
    assert np.abs(data.y_train["energy"]).max() <= 0.75


def test_traces_dead_and_saturated_stations_are_there_on_request():
    """Keywords traces, dead, saturation: for the operational reality of chapter 11."""
    data = load_airshowers(60, seed=5, traces=True, dead=0.2, saturation=300.0)
    assert data.x_train["trace"].shape[1:] == (9, 9, 80)
    assert data.x_train["trace"].max() == pytest.approx(1.0)
    assert data.x_train["trace"].min() >= 0.0
    status = whole(data, "extra", "status")
    assert abs((status == airshower.DEAD).mean() - 0.2) < 4 * np.sqrt(0.16 / status.size)
    assert (status == airshower.SATURATED).any()
    assert (whole(data, "x", "signal")[..., 0][status == airshower.DEAD] == 0.0).all()


def test_footprints_are_log_signals_with_their_energies():
    """0 for silent stations to 3.7, more stations and signal at larger energies; the core in the middle."""
    data = load_shower_footprints(1000, seed=6)
    maps, lg = whole(data, "x")[..., 0], whole(data, "y")
    assert maps.shape == (1000, 9, 9)
    assert maps.min() == 0.0
    assert 3.3 < maps.max() < 3.7
    assert ((lg >= 0.0) & (lg <= 2.0)).all()
    np.testing.assert_allclose(10.0**lg, whole(data, "extra", "energy"), rtol=1e-5)
    assert np.corrcoef(lg, maps.sum((1, 2)))[0, 1] > 0.9
    assert maps.mean(0).argmax() == 40
    raw = load_shower_footprints(1000, seed=6, raw=True)
    np.testing.assert_allclose(maps, np.nan_to_num(np.log10(1 + whole(raw, "x")[..., 0])), atol=1e-6)


def test_traces_of_the_two_detectors_are_pairs_of_one_seed():
    """The same showers; the simulation has larger signals that rise faster."""
    simulation, data = (load_shower_traces(300, seed=7, detector=name) for name in ("simulation", "data"))
    np.testing.assert_array_equal(whole(simulation, "y"), whole(data, "y"))
    assert simulation.x_train.shape == (255, 80, 9)
    for one in (simulation, data):
        assert np.isfinite(one.x_train).all()
        assert one.x_train.min() == 0.0
        assert 3.9 < one.x_train.max() < 4.01
    rise = [np.mean((np.cumsum(10 ** whole(d, "x"), 1) < 0.5 * (10 ** whole(d, "x")).sum(1, keepdims=True)).sum(1))
            for d in (simulation, data)]  # fmt: skip
    assert rise[0] < rise[1]
    assert np.nanmedian(whole(simulation, "extra", "signal") / whole(data, "extra", "signal")) > 1.1


def test_a_worse_simulation_of_the_traces_has_the_gain_asked_for_and_says_so():
    usual, worse = (load_shower_traces(200, seed=9, detector="simulation", raw=True, gain=gain) for gain in (None, 1.5))
    assert np.nanmedian(worse.extra_train["signal"] / usual.extra_train["signal"]) == pytest.approx(1.5 / 1.2, rel=0.02)
    assert worse.about.made.endswith("detector simulation, gain 1.5")
    assert usual.about.made.endswith("detector simulation")


def test_one_station_is_the_loudest_one():
    """Keyword stations."""
    nine, one = (load_shower_traces(100, seed=8, stations=k, raw=True) for k in (9, 1))
    assert one.x_train.shape == (85, 80, 1)
    loudest = np.nan_to_num(nine.extra_train["signal"]).argmax(1)
    np.testing.assert_array_equal(one.x_train[..., 0], nine.x_train[np.arange(85), :, loudest])
