"""How the speckle simulator behaves as a program; its physics is tested in tests/physics."""

import dataclasses
import hashlib

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import speckle
from dlphys.simulators.speckle import (
    box_filter,
    measure,
    simulate,
    speckle_pattern_plain,
    speckle_patterns,
    wiener_filter,
)


def same(a, b):
    return all(np.array_equal(a.arrays()[name], b.arrays()[name]) for name in a.arrays())


def first(sample, n):
    return dataclasses.replace(sample, **{name: array[:n] for name, array in sample.arrays().items()})


@pytest.mark.parametrize("make", [simulate, measure])
def test_arrays_have_the_documented_shapes_and_types(make):
    images = make(5, seed=1).arrays()
    assert {a.shape for name, a in images.items() if name in ("speckled", "clean", "valid")} == {(5, 64, 64)}
    assert {a.shape for name, a in images.items() if name not in ("speckled", "clean", "valid")} == {(5,)}
    types = {name: a.dtype.name for name, a in images.items()}
    assert types["valid"] == types["turned"] == "bool"
    assert types["kind"] == "int8"
    assert {t for name, t in types.items() if name not in ("valid", "turned", "kind")} == {"float32"}


@pytest.mark.parametrize(
    "make",
    [
        simulate,
        lambda n, seed: simulate(n, seed=seed, preset="physics", modes=1.5),
        measure,
        lambda n, seed: speckle_patterns(n, seed=seed, modes=2.0),
    ],
)
def test_bits_depend_on_the_seed_alone(monkeypatch, make):
    """Not on the number of threads, nor on how many events follow, over the edge of a block."""
    n = 4 * speckle.BLOCK + 3
    samples = []
    for workers in (1, 3):
        monkeypatch.setattr(_blocks, "thread_count", lambda workers=workers: workers)
        samples.append(make(n, seed=3))
    assert same(*samples)
    assert same(make(speckle.BLOCK + 5, seed=3), first(samples[0], speckle.BLOCK + 5))
    assert not same(make(5, seed=4), first(samples[0], 5))


def test_presets_share_the_scenes_and_differ_in_the_order_of_speckle_and_counting():
    book, physics = simulate(40, seed=5), simulate(40, seed=5, preset="physics")
    for name in ("kind", "size", "photons", "turned"):
        np.testing.assert_array_equal(getattr(book, name), getattr(physics, name))
    assert (book.clean == np.round(book.clean)).all()
    assert (physics.speckled == np.round(physics.speckled)).all()
    assert (book.speckled[book.clean == 0] == 0).all(), "the counting noise is the same in both"
    assert (book.speckled != np.round(book.speckled)).any()
    assert (physics.clean > 0).all()


def test_modes_and_photons_leave_the_structures_as_they_are():
    for options in ({"modes": 3.0}, {"speckle_size": 4.0}):
        np.testing.assert_array_equal(simulate(20, seed=6).clean, simulate(20, seed=6, **options).clean)
    assert simulate(20, seed=6, photons=[1e4, 1e4]).photons == pytest.approx(1e4)


def test_all_kinds_and_both_orientations_come_equally_often():
    images = simulate(600, seed=7)
    counts = np.bincount(images.kind, minlength=3)
    assert np.abs(counts - 200).max() < 4 * np.sqrt(600 * 2 / 9)
    assert abs(images.turned.mean() - 0.5) < 4 * 0.5 / np.sqrt(600)
    assert (images.spacing[images.kind == 2] > 0).all()
    assert (images.spacing[images.kind != 2] == 0).all()
    np.testing.assert_array_equal(images.valid, True)


def test_masked_pixels_hide_the_beam():
    images = measure(200, seed=8)
    assert (images.speckled[~images.valid] == 0).all()
    hidden = 1 - images.valid.mean((1, 2))
    assert hidden.min() > 0.01
    assert hidden.max() < 0.25
    assert images.modes.min() >= 2
    assert images.modes.max() <= 8
    assert np.ptp(images.modes) > 4


def test_plain_and_fast_speckle_have_the_same_statistics():
    """Different random numbers, so means of powers: 64 plain patterns against 400 fast ones, 5 sigma."""
    plain = np.array([speckle_pattern_plain(seed, modes=2, speckle_size=3.0) for seed in range(64)])
    fast = speckle_patterns(400, seed=9, modes=2.0, speckle_size=3.0).intensity.astype(float)
    for power in (1, 2, 3):
        a, b = (np.mean(values**power, axis=(1, 2)) for values in (plain, fast))
        assert abs(a.mean() - b.mean()) < 5 * np.sqrt(a.var() / len(a) + b.var() / len(b))
    neighbours = [(values[:, :, 1:] * values[:, :, :-1]).mean() for values in (plain, fast)]
    assert neighbours[0] == pytest.approx(neighbours[1], rel=0.05)


def test_filters_keep_what_has_no_noise():
    """A constant image; and the Wiener filter leaves an image without photons empty."""
    flat = np.full((2, 64, 64), 50.0)
    np.testing.assert_allclose(box_filter(flat, width=5), flat)
    assert wiener_filter(flat, modes=64.0) == pytest.approx(flat, rel=0.02)
    np.testing.assert_array_equal(wiener_filter(np.zeros((1, 8, 8))), 0.0)
    np.testing.assert_allclose(box_filter(flat[:, :7, :9], width=1), flat[:, :7, :9])


def test_kinds_and_orientations_are_the_same_on_every_machine():
    """Golden hash of integers."""
    images = simulate(500, seed=1)
    whole = np.stack([images.kind, images.turned.astype(np.int8)])
    assert hashlib.sha256(whole.tobytes()).hexdigest().startswith("b008dd4cf7ad5adb")
