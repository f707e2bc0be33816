"""The galaxy simulator against its symmetry, and its profiles against closed forms."""

import numpy as np
import pytest
from scipy import integrate
from sklearn.linear_model import RidgeClassifier

from dlphys.simulators.galaxies import PIXELS, fourier_handedness, mirror, render_plain, sersic_b, simulate

PRESETS = ("book", "physics")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_mirror_turns_left_galaxies_into_right_ones(preset):
    """Parity, exact: the picture of the mirrored parameters is the mirrored picture, and its label the other one."""
    galaxies = simulate(300, seed=1, preset=preset, noise=0.0)
    reflected = mirror(galaxies)
    np.testing.assert_array_equal(reflected.left, 1 - galaxies.left)
    np.testing.assert_allclose(render_plain(reflected), galaxies.images[:, :, ::-1], atol=2e-6)  # float32 angles
    np.testing.assert_allclose(mirror(reflected).images, galaxies.images)


@pytest.mark.parametrize("preset", PRESETS)
def test_mean_pictures_of_both_classes_are_equal(preset):
    """All orientations are equally likely: the difference is what shuffled labels make, to 4 sigma."""
    galaxies = simulate(4000, seed=2, preset=preset)
    pictures = galaxies.images.reshape(len(galaxies), -1).astype(float)

    def difference(left):
        return np.square(pictures[left].mean(0) - pictures[~left].mean(0)).sum()

    random = np.random.default_rng(3)
    shuffled = [difference(random.permutation(galaxies.left == 1)) for _ in range(30)]
    assert abs(difference(galaxies.left == 1) - np.mean(shuffled)) < 4 * np.std(shuffled)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_linear_classifier_guesses(preset):
    """Equal means leave a linear fit nothing to learn: 50 +- 2 %, 10 000 galaxies to train, 6000 to test."""
    galaxies = simulate(16_000, seed=4, preset=preset)
    pictures = galaxies.images.reshape(len(galaxies), -1)
    linear = RidgeClassifier(100.0, solver="cholesky").fit(pictures[:10_000], galaxies.left[:10_000])
    assert abs(linear.score(pictures[10_000:], galaxies.left[10_000:]) - 0.5) < 0.02


@pytest.mark.parametrize(("preset", "accuracy"), [("book", 0.9998), ("physics", 0.966)])
def test_the_fourier_baseline_is_right_as_often_as_stated(preset, accuracy):
    """Docstring of fourier_handedness, 4 sigma of 2000 galaxies."""
    galaxies = simulate(2000, seed=5, preset=preset)
    right = ((fourier_handedness(galaxies.images) > 0) == galaxies.left).mean()
    assert abs(right - accuracy) < 4 * np.sqrt(accuracy * (1 - accuracy) / 2000)


def test_the_fourier_baseline_changes_sign_in_a_mirror():
    """It measures a pseudoscalar."""
    galaxies = simulate(200, seed=6, preset="physics")
    left = fourier_handedness(galaxies.images)
    np.testing.assert_allclose(fourier_handedness(galaxies.images[:, :, ::-1]), -left, atol=1e-4)


def test_arms_follow_logarithmic_spirals_of_the_stated_pitch():
    """r = r_0 exp(angle tan(pitch)): the phase of the m-th harmonic turns by m / tan(pitch) for each unit of ln r."""
    galaxies = simulate(400, seed=7, noise=0.0)
    chosen = (galaxies.axis_ratio > 0.97) & (galaxies.pitch > 18)
    middle = 0.5 * (PIXELS - 1)
    row, column = np.indices((PIXELS, PIXELS))
    radius, angle = np.hypot(column - middle, middle - row), np.arctan2(middle - row, column - middle)
    harmonic = galaxies.images[chosen] * np.exp(-2j * angle)
    rings = [(radius > r - 0.7) & (radius <= r + 0.7) for r in np.arange(5.0, 14.0)]
    phase = np.unwrap(np.angle([harmonic[:, ring].sum(1) for ring in rings]), axis=0)
    log_radius = np.log([radius[ring].mean() for ring in rings])
    slope = np.polyfit(log_radius, phase, 1)[0]
    turn = np.where(galaxies.left[chosen] == 1, 1.0, -1.0)
    pitch = np.degrees(np.arctan(-2.0 / slope)) * turn
    assert chosen.sum() > 10
    np.testing.assert_allclose(pitch, galaxies.pitch[chosen], rtol=0.15)


@pytest.mark.parametrize("index", [0.5, 1.0, 2.5, 4.0, 10.0])
def test_half_of_the_light_of_a_sersic_profile_is_inside_the_effective_radius(index):
    """Definition of b(n) (Ciotti and Bertin 1999): numerical integrals of 2 pi r I(r), with r = t^n."""
    b = float(sersic_b(index))
    inside, outside = (
        integrate.quad(lambda t: t ** (2 * index - 1) * np.exp(-b * t), *limits, limit=400)[0]
        for limits in ((0.0, 1.0), (1.0, np.inf))
    )
    assert inside == pytest.approx(outside, rel=1e-7)


def test_parameters_do_not_know_the_handedness():
    """The class-conditional distributions differ by the mirror only: correlations with the label within 4 sigma."""
    galaxies = simulate(8000, seed=8, preset="physics")
    for name, values in galaxies.arrays().items():
        if name not in ("images", "left"):
            assert abs(np.corrcoef(values, galaxies.left)[0, 1]) < 4 / np.sqrt(8000), name
    assert abs(galaxies.left.mean() - 0.5) < 2 / np.sqrt(8000)
