"""How the galaxy simulator behaves as a program; its physics is tested in tests/physics."""

import dataclasses
import hashlib

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import galaxies
from dlphys.simulators.galaxies import fourier_handedness, mirror, render_plain, simulate


def same(a, b):
    return all(np.array_equal(a.arrays()[name], b.arrays()[name]) for name in a.arrays())


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_arrays_have_the_documented_shapes_types_and_ranges(preset):
    sample = simulate(300, seed=1, preset=preset)
    assert sample.images.shape == (300, 32, 32)
    assert {a.shape for name, a in sample.arrays().items() if name != "images"} == {(300,)}
    assert sample.left.dtype == sample.arms.dtype == np.int8
    assert sample.images.dtype == sample.pitch.dtype == np.float32
    assert sample.images.min() >= 0
    assert sample.images.max() <= 1
    assert set(sample.left) == {0, 1}
    assert set(sample.arms) == ({2} if preset == "book" else {2, 3, 4})


def test_bits_depend_on_the_seed_alone(monkeypatch):
    n = 4 * galaxies.BLOCK + 3
    samples = []
    for workers in (1, 3):
        monkeypatch.setattr(_blocks, "thread_count", lambda workers=workers: workers)
        samples.append(simulate(n, seed=3, preset="physics"))
    assert same(*samples)
    short = simulate(galaxies.BLOCK + 5, seed=3, preset="physics")
    long = dataclasses.replace(samples[0], **{k: v[: len(short)] for k, v in samples[0].arrays().items()})
    assert same(short, long)
    assert not same(short, simulate(len(short), seed=4, preset="physics"))


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_plain_and_fast_pictures_agree(preset):
    """To the rounding of float32."""
    sample = simulate(100, seed=5, preset=preset, noise=0.0)
    np.testing.assert_allclose(render_plain(sample), sample.images, atol=1e-6)
    np.testing.assert_array_equal(sample.images.max((1, 2)), 1.0)


def test_noise_leaves_the_galaxies_as_they_are():
    clean, noisy = simulate(50, seed=6, noise=0.0), simulate(50, seed=6, noise=0.1)
    np.testing.assert_array_equal(clean.pitch, noisy.pitch)
    difference = (noisy.images - clean.images)[(clean.images > 0.4) & (clean.images < 0.6)]
    assert difference.std() == pytest.approx(0.1, rel=0.1)


def test_a_picture_may_have_a_channel_axis():
    sample = simulate(20, seed=7)
    np.testing.assert_array_equal(fourier_handedness(sample.images), fourier_handedness(sample.images[..., None]))


def test_mirroring_twice_gives_the_same_galaxies():
    sample = simulate(20, seed=8)
    twice = mirror(mirror(sample))
    np.testing.assert_array_equal(twice.images, sample.images)
    np.testing.assert_array_equal(twice.left, sample.left)
    np.testing.assert_allclose(twice.position_angle, sample.position_angle, atol=1e-6)


def test_handedness_and_arms_are_the_same_on_every_machine():
    """Golden hash of integers."""
    sample = simulate(1000, seed=1, preset="physics")
    assert hashlib.sha256(np.stack([sample.left, sample.arms]).tobytes()).hexdigest().startswith("42fb921518487fa7")
