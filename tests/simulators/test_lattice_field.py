"""How the simulator of the lattice field behaves as a program; its physics is tested in tests/physics."""

import dataclasses

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import lattice_field
from dlphys.simulators.lattice_field import action, hmc_history, leapfrog, simulate


def same(a, b):
    return all(np.array_equal(a.arrays()[name], b.arrays()[name]) for name in a.arrays())


def test_arrays_have_the_documented_shapes_and_types():
    fields = simulate(7, seed=1, size=5, trajectories=3)
    assert fields.field.shape == (7, 5, 5)
    assert {a.shape for name, a in fields.arrays().items() if name != "field"} == {(7,)}
    assert fields.field.dtype == fields.magnetization.dtype == np.float32
    assert fields.action.dtype == np.float64
    np.testing.assert_allclose(fields.action, action(fields.field), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(fields.magnetization, fields.field.mean((1, 2)), atol=1e-6)


def test_bits_depend_on_the_seed_alone(monkeypatch):
    options = {"size": 4, "trajectories": 2}
    n = 4 * lattice_field.BLOCK + 3
    samples = []
    for workers in (1, 3):
        monkeypatch.setattr(_blocks, "thread_count", lambda workers=workers: workers)
        samples.append(simulate(n, seed=3, **options))
    assert same(*samples)
    short = simulate(lattice_field.BLOCK + 5, seed=3, **options)
    assert same(short, dataclasses.replace(samples[0], **{k: v[: len(short)] for k, v in samples[0].arrays().items()}))
    assert not same(short, simulate(len(short), seed=4, **options))


def test_large_lattices_have_smaller_blocks_and_the_same_rules():
    long, short = (simulate(n, seed=5, size=64, trajectories=1) for n in (9, 5))
    np.testing.assert_array_equal(long.field[:5], short.field)


def test_a_step_that_is_too_large_is_rejected_and_never_gives_nan():
    """The quartic wall makes long steps diverge: infinite energy, no acceptance."""
    fields = simulate(20, seed=6, size=4, step=1.0, steps=50, trajectories=5)
    assert np.isfinite(fields.field).all()
    assert np.isfinite(fields.action).all()
    assert not np.isnan(fields.energy_change).any()
    assert fields.acceptance.mean() < 0.5


def test_a_history_can_be_continued():
    begin = hmc_history(50, seed=7, size=4)
    assert begin.field.shape == (4, 4)
    onwards = hmc_history(10, seed=8, size=4, start=begin.field)
    assert onwards.action.shape == onwards.accepted.shape == (10,)
    assert begin.action[-1] == pytest.approx(float(action(begin.field)), rel=1e-12)


def test_leapfrog_leaves_its_arguments_alone():
    field, momentum = np.ones((3, 3)), np.zeros((3, 3))
    leapfrog(field, momentum)
    np.testing.assert_array_equal(field, 1.0)
    np.testing.assert_array_equal(momentum, 0.0)
