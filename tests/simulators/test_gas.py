"""The gas thermometer's face: shapes, presets, edges."""

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import gas


def test_shapes_and_types():
    speeds = gas.simulate(7, seed=1, atoms=20)
    assert speeds.speeds.shape == (7, 20)
    assert speeds.speeds.dtype == speeds.temperature.dtype == np.float32
    assert (speeds.speeds > 0).all()
    assert gas.simulate_velocities(7, seed=1, atoms=20).velocities.shape == (7, 20, 3)


@pytest.mark.parametrize(("simulate", "field"), [(gas.simulate, "speeds"), (gas.simulate_velocities, "velocities")])
def test_threads_and_number_of_gases_change_nothing(simulate, field, monkeypatch):
    many, few = simulate(5000, seed=2, atoms=5), simulate(1500, seed=2, atoms=5)
    monkeypatch.setattr(_blocks, "thread_count", lambda: 4)
    threaded = simulate(5000, seed=2, atoms=5)
    for name in (field, "temperature"):
        np.testing.assert_array_equal(getattr(many, name)[:1500], getattr(few, name))
        np.testing.assert_array_equal(getattr(many, name), getattr(threaded, name))


def test_presets_decide_about_the_prior_where_the_caller_does_not():
    for preset, prior in (("book", "uniform"), ("physics", "log-uniform")):
        ours = gas.simulate(100, seed=3, preset=preset).temperature
        np.testing.assert_array_equal(ours, gas.simulate(100, seed=3, preset="book", prior=prior).temperature)
    assert (gas.simulate(10, seed=3).temperature != gas.simulate(10, seed=3, preset="physics").temperature).any()


def test_one_temperature_for_all():
    assert (gas.simulate(10, seed=1, temperature=77.0).temperature == 77).all()


def test_heavy_atoms_are_slower_by_the_root_of_the_mass():
    helium, xenon = (gas.simulate(5, seed=1, gas=name).speeds for name in ("helium", "xenon"))
    np.testing.assert_allclose(helium / xenon, np.sqrt(gas.ATOMS["xenon"] / gas.ATOMS["helium"]), rtol=1e-5)


def test_permuting_the_atoms_changes_no_estimate():
    speeds = gas.simulate(20, seed=1).speeds.astype(float)
    shuffled = np.random.default_rng(1).permuted(speeds, axis=1)
    for estimate in (gas.maximum_likelihood, gas.posterior_mean):
        np.testing.assert_allclose(estimate(shuffled), estimate(speeds), rtol=1e-10)


def test_estimates_of_many_gases_are_those_of_each():
    """Over the edge of the parts in which the integral is done."""
    speeds = gas.simulate(5000, seed=4, atoms=3).speeds
    np.testing.assert_allclose(gas.posterior_mean(speeds)[4090:4100], gas.posterior_mean(speeds[4090:4100]), rtol=1e-12)
