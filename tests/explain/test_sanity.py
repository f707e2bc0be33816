"""The copy with random weights, and the check it is for."""

import keras
import numpy as np
import pytest
from explain.networks import NETWORKS, image_network, inputs_of, table_network
from keras import layers

from dlphys import explain


def changed(model, copy):
    return [not np.array_equal(a, b) for a, b in zip(model.get_weights(), copy.get_weights(), strict=True)]


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_only_the_layers_from_the_top_forget(make):
    model = make()
    before = model.get_weights()
    same = explain.randomised(model, layers_from_top=0, seed=1)
    assert not any(changed(model, same))
    assert all(a is not b for a, b in zip(model.weights, same.weights, strict=True))
    x = inputs_of(model)
    np.testing.assert_array_equal(np.asarray(same(x)), np.asarray(model(x)))
    last = explain.randomised(model, layers_from_top=1, seed=1)
    assert changed(model, last) == [False] * (len(before) - 2) + [True] * 2
    assert all(changed(model, explain.randomised(model, seed=1)))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_weights_come_from_the_seed_and_the_initialisers_of_the_layers():
    stack = [layers.Dense(400, kernel_initializer="he_normal", bias_initializer="ones"), layers.Dense(2)]
    model = keras.Sequential([keras.Input((300,)), *stack])
    first, again, other = (explain.randomised(model, seed=seed) for seed in (1, np.random.default_rng(1), 2))
    assert not any(changed(first, again))
    assert changed(first, other) == [True, False, True, False]
    kernel, bias = first.get_weights()[:2]
    assert kernel.std() == pytest.approx(np.sqrt(2 / 300), rel=0.02)
    np.testing.assert_array_equal(bias, 1)


def test_two_layers_of_one_shape_do_not_get_the_same_weights():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(5), layers.Dense(5)])
    first, _, second, _ = explain.randomised(model, seed=1).get_weights()
    assert abs(first - second).max() > 0.1


def test_it_tells_a_method_that_shows_the_input_from_one_that_shows_the_model():
    """The derivative changes altogether when the network forgets; the input itself would not."""
    model = image_network()
    x = inputs_of(model)
    copy = explain.randomised(model, seed=1)
    before, after = (explain.saliency(network, x, output=0).ravel() for network in (model, copy))
    assert abs(np.corrcoef(before, after)[0, 1]) < 0.2


def test_more_layers_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="layers_from_top must be between 0 and 3, got 4"):
        explain.randomised(table_network(), layers_from_top=4, seed=1)
