"""How the simulators of spectra behave as programs; their physics is tested in tests/physics."""

import dataclasses

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import _energy_loss, spectra
from dlphys.simulators.spectra import (
    ENERGY_LOSS,
    energy_loss_image,
    momentum_grid,
    scaling_violation_matrix,
    scaling_violations,
    simulate,
    thickness_map,
)


def same(a, b):
    return all(np.array_equal(a.arrays()[name], b.arrays()[name]) for name in a.arrays())


def first(sample, n):
    return dataclasses.replace(sample, **{name: array[:n] for name, array in sample.arrays().items()})


@pytest.mark.parametrize("make", [simulate, scaling_violations])
def test_pseudo_data_have_the_documented_shapes(make):
    data = make(3, seed=1, points=20, x_min=1e-4)
    assert {(a.shape, a.dtype.name) for a in data.arrays().values()} == {((3, 20), "float32")}
    assert data.x[0, 0] == np.float32(1e-4)
    assert data.x[0, -1] == np.float32(0.9)
    assert (np.diff(data.x, axis=1) > 0).all()


@pytest.mark.parametrize(
    ("make", "block"),
    [
        (lambda n, seed: simulate(n, seed=seed, points=10), spectra.BLOCK),
        (lambda n, seed: simulate(n, seed=seed, points=10, level=2), spectra.BLOCK),
        (lambda n, seed: scaling_violations(n, seed=seed, points=10, level=2), spectra.BLOCK),
        (lambda n, seed: energy_loss_image(n, seed=seed), _energy_loss.BLOCK),
    ],
)
def test_bits_depend_on_the_seed_alone(monkeypatch, make, block):
    """Not on the number of threads, nor on how many events follow, over the edge of a block."""
    samples = []
    for workers in (1, 3):
        monkeypatch.setattr(_blocks, "thread_count", lambda workers=workers: workers)
        samples.append(make(4 * block + 3, seed=3))
    assert same(*samples)
    assert same(make(block + 5, seed=3), first(samples[0], block + 5))
    assert not same(make(5, seed=4), first(samples[0], 5))


def test_level_0_has_no_errors():
    data = simulate(2, seed=1, points=50, level=0)
    np.testing.assert_array_equal(data.values, data.truth)


def test_energy_loss_spectra_have_the_documented_shapes():
    image = energy_loss_image(70, seed=1, width=20)
    assert image.counts.shape == image.zero_loss.shape == image.inelastic.shape == (70, 768)
    assert image.counts.dtype == image.thickness.dtype == np.float32
    assert image.row.dtype == np.int32
    np.testing.assert_array_equal(image.row, np.arange(70) // 20)
    np.testing.assert_array_equal(image.column, np.arange(70) % 20)
    assert (image.counts == np.round(image.counts)).all()
    assert (image.inelastic >= 0).all()
    assert ENERGY_LOSS[0] == -5.0
    assert ENERGY_LOSS[50] == 0.0


def test_the_flake_has_a_vacuum_and_several_terraces():
    """And scales with the width of the image."""
    small, large = (thickness_map(*np.indices((w, w)), width=w) for w in (32, 64))
    assert {0.0} < set(np.unique(small)) <= set(np.arange(9) / 8)
    assert len(np.unique(small)) > 5
    assert 0.1 < (small == 0).mean() < 0.3
    np.testing.assert_array_equal(large[::2, ::2], small)


def test_constants_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        ENERGY_LOSS[0] = 0.0


def test_the_matrix_of_an_integral_is_lower_triangular():
    """An observable at x knows gluons above x only."""
    nodes = np.geomspace(1e-3, 1.0, 30)
    matrix = scaling_violation_matrix(nodes[:-1], nodes)
    assert matrix.shape == (29, 30)
    assert (np.tril(matrix, -1) == 0).all()
    assert (matrix >= 0).all()
    x, weight = momentum_grid(10)
    assert (np.diff(x) > 0).all()
    assert (weight > 0).all()
