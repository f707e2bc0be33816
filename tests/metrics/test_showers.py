"""Numbers of footprints: maps computed by hand, symmetries, and what two samples of one distribution give."""

import numpy as np
import pytest
from scipy import stats

from dlphys.metrics import compare_distributions, radial_profile, shower_observables, wasserstein


def falling(rows=9, columns=9, row=4, column=4):
    """One image that falls by 1 from ring to ring about a cell: 9, 8, 7, ..."""
    down, right = np.arange(rows)[:, None] - row, np.arange(columns) - column
    return np.maximum(9.0 - np.rint(np.hypot(down, right)), 0.0)[None]


def test_numbers_of_an_image_computed_by_hand():
    image = np.array([[0.0, 1.0, 0.0], [2.0, 6.0, 0.0], [0.0, 1.0, 0.0]])[None]
    found = shower_observables(image)
    assert found.total == [10.0]
    assert found.multiplicity == [4]
    assert found.maximum == [6.0]
    assert found.contrast == [6.0 - 4.0 / 8]
    # the ring holds 1, 2, 1 and five zeros: mean 1/2, mean square 3/4
    assert found.fluctuation == pytest.approx([np.sqrt(0.75 - 0.25) / 0.5])


def test_a_cell_at_the_border_has_fewer_neighbours():
    image = np.zeros((2, 4, 5))
    image[0, 0, 0], image[0, 0, 1] = 5.0, 3.0
    image[1, 3, 2], image[1, 2, 2] = 5.0, 2.0
    assert shower_observables(image).contrast == pytest.approx([5.0 - 3.0 / 3, 5.0 - 2.0 / 5])


def test_a_threshold_silences_cells():
    image = falling()
    found = shower_observables(image, threshold=7.0)
    assert found.multiplicity == [9]  # the centre and its eight neighbours
    assert found.total == [9.0 + 8 * 8.0]
    assert shower_observables(image).multiplicity == [81]


def test_a_silent_image_has_zeros_everywhere():
    assert all(np.array_equal(values, [0, 0]) for values in shower_observables(np.zeros((2, 9, 9))))


def test_the_profile_of_a_round_image_is_its_own_and_does_not_fluctuate():
    assert radial_profile(falling()).tolist() == [[9.0, 8.0, 7.0, 6.0, 5.0]]
    assert shower_observables(falling()).fluctuation == pytest.approx([0.0], abs=1e-7)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (8, 3), (4, 4)])
def test_the_profile_about_the_loudest_cell_follows_it(row, column):
    moved = falling(row=row, column=column)
    assert radial_profile(moved, centre="loudest").tolist() == [[9.0, 8.0, 7.0, 6.0, 5.0]]
    same = np.array_equal(radial_profile(moved), radial_profile(moved, centre="loudest"))
    assert same == ((row, column) == (4, 4))


def test_rings_by_hand_on_a_map_that_is_not_square():
    image = np.arange(15.0).reshape(1, 3, 5)  # the middle is 7, the ring the eight cells around it
    assert radial_profile(image).tolist() == [[7.0, (1 + 2 + 3 + 6 + 8 + 11 + 12 + 13) / 8]]


def test_turned_and_mirrored_images_have_the_same_numbers():
    images = np.random.default_rng(1).gamma(1.0, size=(50, 9, 9))
    for other in (images[:, ::-1], images.transpose(0, 2, 1), np.rot90(images, axes=(1, 2))):
        for a, b in zip(shower_observables(images), shower_observables(other), strict=True):
            assert a == pytest.approx(b)
        assert radial_profile(images) == pytest.approx(radial_profile(other))


def test_the_channel_and_the_scale():
    images = np.random.default_rng(2).gamma(1.0, size=(20, 7, 9))
    plain, scaled = shower_observables(images), shower_observables(3.0 * images[..., None])
    for name, power in {"total": 1, "multiplicity": 0, "maximum": 1, "contrast": 1, "fluctuation": 0}.items():
        assert getattr(scaled, name) == pytest.approx(3.0**power * getattr(plain, name))


def test_gaussians_that_are_shifted_have_known_distances():
    """KS: 2 Phi(a / 2) - 1, W1: a."""
    x, y = np.random.default_rng(3).normal(2.0, 5.0, size=(2, 20_000))
    found = compare_distributions(x, y + 2.5)
    (ks, ks_error), (w1, w1_error) = found
    assert abs(ks - (2 * stats.norm.cdf(0.25) - 1)) < 4 * ks_error < 0.05
    assert abs(w1 - 0.5) < 4 * w1_error < 0.1
    assert w1 == pytest.approx(wasserstein(x, y + 2.5)[0] / x.std())


def test_two_samples_of_one_distribution_are_as_far_apart_as_said():
    random = np.random.default_rng(4)
    found = [compare_distributions(*random.normal(size=(2, 500)), resamples=2)[0][0] for _ in range(200)]
    assert np.mean(found) == pytest.approx(0.87 * np.sqrt(2 / 500), rel=0.06)


def test_the_same_seed_gives_the_same_errors():
    x, y = np.random.default_rng(5).normal(size=(2, 300))
    assert compare_distributions(x, y, seed=7) == compare_distributions(x, y, seed=7)
