"""Occlusion against the definition, Shapley values against all subsets and all orders."""

from itertools import combinations
from math import factorial

import keras
import numpy as np
import pytest
from explain.networks import filled, image_network, inputs_of, sequence_network, table_network
from keras import layers

from dlphys import explain

IMAGE, SEQUENCE, TABLE = image_network(), sequence_network(), table_network()


def test_occlusion_of_a_linear_model_is_the_weight_times_the_change():
    model = filled(keras.Sequential([keras.Input((5,)), layers.Dense(2)]))
    x = inputs_of(model)
    kernel = model.get_weights()[0]
    np.testing.assert_allclose(explain.occlusion(model, x, output=1), x * kernel[:, 1], atol=1e-5)
    np.testing.assert_allclose(explain.occlusion(model, x, output=1, value=0.5), (x - 0.5) * kernel[:, 1], atol=1e-5)


@pytest.mark.parametrize(
    ("model", "size", "stride"),
    [
        (IMAGE, 1, None),
        (IMAGE, (3, 2), None),
        (IMAGE, 3, 2),
        (IMAGE, 8, 1),
        (SEQUENCE, 5, 3),
        (SEQUENCE, 4, None),
        (TABLE, 2, 1),
    ],
)
@pytest.mark.parametrize("value", ["number", "each"])
def test_an_entry_has_the_mean_fall_of_the_patches_that_cover_it(model, size, stride, value):
    x = inputs_of(model, 3)
    cover = np.full_like(x, 0.3) if value == "number" else inputs_of(model, 3, seed=7)
    extent = x.shape[1:2] if x.ndim == 2 else x.shape[1:-1]
    sizes = size if isinstance(size, tuple) else (size,) * len(extent)
    steps = sizes if stride is None else (stride,) * len(extent)
    corners = [sorted({*range(0, n - s + 1, k), n - s}) for n, s, k in zip(extent, sizes, steps, strict=True)]
    base = explain.scores(model, x, output=0)
    total, times = np.zeros(x.shape), np.zeros(x.shape)
    for corner in np.stack(np.meshgrid(*corners, indexing="ij"), axis=-1).reshape(-1, len(extent)):
        window = (slice(None), *(slice(k, k + s) for k, s in zip(corner, sizes, strict=True)))
        changed = x.copy()
        changed[window] = cover[window]
        fall = base - explain.scores(model, changed, output=0)
        total[window] += fall.reshape(-1, *(1,) * (x.ndim - 1))
        times[window] += 1
    found = explain.occlusion(model, x, size=size, stride=stride, output=0, value=0.3 if value == "number" else cover)
    assert found.shape == x.shape
    np.testing.assert_allclose(found, total / times, atol=2e-5)


def test_occlusion_with_small_patches_and_changes_is_the_derivative():
    x = inputs_of(TABLE).astype(np.float64)
    smooth = table_network("float64", "tanh")
    found = explain.occlusion(smooth, x, value=x - 1e-4) / 1e-4
    np.testing.assert_allclose(found, explain.saliency(smooth, x), atol=1e-3)


def exact_shapley(value, g):
    """The formula: all subsets of g features."""
    result = np.zeros(g)
    for i in range(g):
        others = [k for k in range(g) if k != i]
        for size in range(g):
            weight = factorial(size) * factorial(g - size - 1) / factorial(g)
            for subset in combinations(others, size):
                result[i] += weight * (value({*subset, i}) - value(set(subset)))
    return result


def value_of(model, x, background, labels, output):
    def value(present):
        mask = np.isin(labels, list(present))
        return explain.scores(model, np.where(mask, x, background), output=output).mean(dtype=np.float64)

    return value


def test_sampled_shapley_values_agree_with_all_subsets_within_their_error():
    """A table of six features, five background inputs; the exact values by enumeration."""
    x, background = inputs_of(TABLE, 1), inputs_of(TABLE, 5, seed=3)
    exact = exact_shapley(value_of(TABLE, x, background, np.arange(6), 0), 6)
    runs = [
        explain.shapley_sampling(TABLE, x, background, permutations=100, output=0, seed=seed)[0] for seed in range(8)
    ]
    error = np.std(runs, axis=0, ddof=1) / np.sqrt(8)
    assert (error < 0.05 * abs(exact).max()).all()
    np.testing.assert_array_less(abs(np.mean(runs, axis=0) - exact), 5 * error + 1e-6)


def test_pairwise_terms_need_one_permutation_and_one_background_input():
    """S = x_0 x_1: forwards and backwards together are exact."""
    x = keras.Input((2,))
    model = keras.Model(x, layers.Multiply()([x[:, :1], x[:, 1:]]))
    data, background = np.array([[2.0, 3.0]]), np.array([[1.0, -1.0]])
    exact = exact_shapley(value_of(model, data, background, np.arange(2), 0), 2)
    np.testing.assert_allclose(
        explain.shapley_sampling(model, data, background, permutations=1, seed=1), [exact], rtol=1e-6
    )


@pytest.mark.parametrize("model", [TABLE, SEQUENCE, IMAGE])
def test_shapley_values_are_efficient_to_a_ten_thousandth(model):
    """Their sum is S(x) minus the mean over the background, for any number of permutations that is a multiple."""
    x, background = inputs_of(model, 3), inputs_of(model, 4, seed=3)
    labels = np.arange(int(np.prod(x.shape[1:]))).reshape(x.shape[1:]) % 5
    found = explain.shapley_sampling(model, x, background, groups=labels, permutations=4, seed=1, output=0)
    assert found.shape == (3, 5)
    change = explain.scores(model, x, output=0) - explain.scores(model, background, output=0).mean()
    np.testing.assert_allclose(found.sum(1), change, atol=1e-4)


def test_a_feature_that_the_model_does_not_use_has_no_share_and_equal_ones_have_equal_shares():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
    row = np.random.default_rng(1).normal(size=4)
    model.set_weights([np.stack([row, row, 0 * row]), np.ones(4), np.ones((4, 1)), np.zeros(1)])
    found = explain.shapley_sampling(model, [[1.0, 1.0, 5.0]], np.zeros((1, 3)), permutations=5, seed=1)[0]
    assert found[2] == 0
    assert found[0] == pytest.approx(found[1])


def test_entries_of_their_own_have_the_shape_of_the_inputs_and_channels_may_be_left_out():
    x = inputs_of(SEQUENCE, 2)
    assert explain.shapley_sampling(SEQUENCE, x, x, permutations=1, seed=1).shape == x.shape
    by_time = explain.shapley_sampling(SEQUENCE, x, x, groups=np.arange(12), permutations=2, seed=1)
    by_entry = explain.shapley_sampling(
        SEQUENCE, x, x, groups=np.repeat(np.arange(12)[:, None], 3, axis=1), permutations=2, seed=1
    )
    np.testing.assert_array_equal(by_time, by_entry)


def test_one_seed_gives_the_same_values_in_batches_of_any_size():
    x = inputs_of(TABLE, 3)
    first = explain.shapley_sampling(TABLE, x, x, permutations=9, seed=4)
    np.testing.assert_array_equal(first, explain.shapley_sampling(TABLE, x, x, permutations=9, seed=4))
    for size in (1, 20, 33):
        found = explain.shapley_sampling(TABLE, x, x, permutations=9, seed=4, batch_size=size)
        np.testing.assert_allclose(found, first, atol=1e-5)
    assert abs(explain.shapley_sampling(TABLE, x, x, permutations=9, seed=5) - first).max() > 1e-3
