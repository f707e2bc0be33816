"""Layer-wise relevance propagation: against the derivative, against the formulas written as loops, and its sum."""

import keras
import numpy as np
import pytest
from explain.networks import NETWORKS, filled, image_network, inputs_of, sequence_network, table_network
from keras import layers

from dlphys import explain
from dlphys.explain._graph import read
from dlphys.explain._relevance import merged


def summed(values):
    return values.reshape(len(values), -1).sum(1, dtype=np.float64)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_the_zero_rule_is_gradient_times_input_for_relu_networks(make, biases):
    """Without biases, and with them: with normalisation, both poolings, shortcuts and joins."""
    model = make(biases=biases)
    x = inputs_of(model)
    expected = explain.gradient_times_input(model, x)
    np.testing.assert_allclose(explain.lrp(model, x, rule="zero"), expected, atol=1e-4 * abs(expected).max())
    tiny = explain.lrp(model, x, rule="epsilon", epsilon=1e-7)
    assert np.median(abs(tiny - expected)) < 1e-4 * abs(expected).max()


@pytest.mark.parametrize("rule", ["zero", "gamma"])
@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_relevance_is_complete_without_biases(make, rule):
    """To 1e-4 of the output, for any gamma."""
    model = make(biases=False)
    x = inputs_of(model)
    for output in (None, 0):
        for gamma in (0.0, 0.25, 10.0):
            parts = explain.lrp(model, x, rule=rule, gamma=gamma, output=output)
            score = explain.scores(model, x, output=output)
            np.testing.assert_allclose(summed(parts), score, atol=1e-4 * abs(score).max())


def test_epsilon_and_biases_take_their_share():
    model = table_network(biases=False)
    x = inputs_of(model, 200)
    score = explain.scores(model, x)
    kept = [summed(explain.lrp(model, x, epsilon=epsilon)).mean() / score.mean() for epsilon in (0.0, 0.1, 1.0, 10.0)]
    assert kept[0] == pytest.approx(1.0, abs=1e-4)
    assert (np.diff(kept) < -0.02).all()
    with_biases = table_network()
    lost = summed(explain.lrp(with_biases, x, rule="zero")) - explain.scores(with_biases, x)
    assert abs(lost).mean() > 0.1


def epsilon_rule(x, kernel, bias, relevance, epsilon):
    """Equation (12.9) for one layer and one event, entry by entry, with the sign of the denominator on epsilon."""
    z = x @ kernel + bias
    result = np.zeros(len(x))
    for i in range(len(x)):
        for j in range(len(z)):
            sign = 1.0 if z[j] >= 0 else -1.0
            result[i] += x[i] * kernel[i, j] / (z[j] + sign * epsilon) * relevance[j]
    return result


def gamma_rule(x, kernel, bias, relevance, gamma):
    """Contributions of the sign of z_j count 1 + gamma times, entry by entry."""
    z = x @ kernel + bias
    result = np.zeros(len(x))
    for j in range(len(z)):
        terms = np.append(x * kernel[:, j], bias[j])
        terms = np.where(np.sign(terms) == np.sign(z[j]), (1 + gamma) * terms, terms)
        result += terms[:-1] / terms.sum() * relevance[j]
    return result


@pytest.mark.parametrize(
    ("rule", "plain", "option"), [("epsilon", epsilon_rule, {"epsilon": 0.3}), ("gamma", gamma_rule, {"gamma": 0.4})]
)
def test_the_rules_are_what_the_formulas_say(rule, plain, option):
    """Three dense layers with biases; the input has both signs, the logit may be negative."""
    model = table_network()
    x = inputs_of(model, 10).astype(np.float64)
    weights = model.get_weights()
    found = explain.lrp(model, x, rule=rule, output=2, **option)
    for event, relevance_of_input in zip(x, found, strict=True):
        values = [event]
        for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
            values.append(np.maximum(values[-1] @ kernel + bias, 0))
        logit = values[-2] @ weights[-2] + weights[-1]
        relevance = np.where(np.arange(3) == 2, logit, 0)
        for value, kernel, bias in zip(values[-2::-1], weights[-2::-2], weights[::-2], strict=True):
            relevance = plain(value, kernel, bias, relevance, *option.values())
        np.testing.assert_allclose(relevance_of_input, relevance, atol=1e-4)


def test_a_convolution_is_a_dense_layer_with_shared_weights():
    """The gamma rule on a convolution and on the same linear function written as a matrix."""
    conv = filled(keras.Sequential([keras.Input((6, 2)), layers.Conv1D(3, 3), layers.Flatten(), layers.Dense(1)]))
    dense = keras.Sequential([keras.Input((12,)), layers.Dense(12), layers.Dense(1)])
    kernel, bias, *last = conv.get_weights()
    matrix = np.zeros((6, 2, 4, 3))
    for place in range(4):
        matrix[place : place + 3, :, place] = kernel
    dense.set_weights([matrix.reshape(12, 12), np.tile(bias, 4), *last])
    x = inputs_of(conv)
    for rule in ("zero", "epsilon", "gamma"):
        expected = explain.lrp(dense, x.reshape(6, 12), rule=rule).reshape(x.shape)
        np.testing.assert_allclose(explain.lrp(conv, x, rule=rule), expected, atol=1e-4)


def test_composite_is_gamma_in_convolutions_and_epsilon_in_dense_layers():
    model = sequence_network()
    x = inputs_of(model)
    only_gamma = explain.lrp(model, x, rule="composite", epsilon=0.0, gamma=0.7)
    np.testing.assert_allclose(only_gamma, explain.lrp(model, x, rule="gamma", gamma=0.7), atol=0.5)
    table = table_network()
    y = inputs_of(table)
    np.testing.assert_array_equal(
        explain.lrp(table, y, rule="composite", epsilon=0.2), explain.lrp(table, y, rule="epsilon", epsilon=0.2)
    )
    top = filled(
        keras.Sequential([keras.Input((6, 2)), layers.Conv1D(3, 3, use_bias=False), layers.GlobalMaxPooling1D()])
    )
    z = inputs_of(top)
    np.testing.assert_allclose(explain.lrp(top, z, rule="composite"), explain.lrp(top, z, rule="gamma"), atol=1e-6)


def test_batch_normalisation_is_merged_with_the_layer_before_it():
    """The relevance is that of a model that has the merged weights."""
    model = image_network()
    x = inputs_of(model)
    graph = read(model)
    np.testing.assert_allclose(merged(graph).logits(x), graph.logits(x), atol=1e-4)
    kernel, bias, gamma, beta, mean, variance, *rest = model.get_weights()
    factor = gamma / np.sqrt(variance + model.layers[1].epsilon)
    other = keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(5, 3, padding="same"), *clones(model.layers[2:])])
    other.set_weights([kernel * factor, (bias - mean) * factor + beta, *rest])
    for rule in ("epsilon", "gamma", "composite"):
        np.testing.assert_allclose(
            explain.lrp(model, x, rule=rule), explain.lrp(other, x, rule=rule), rtol=1e-3, atol=1e-3
        )


def clones(stack):
    return [type(layer).from_config(layer.get_config()) for layer in stack]


def test_normalisation_elsewhere_is_a_layer_of_its_own():
    model = filled(
        keras.Sequential(
            [
                keras.Input((5,)),
                layers.BatchNormalization(),
                layers.Dense(8, activation="relu"),
                layers.BatchNormalization(),
                layers.Dense(2),
            ]
        )
    )
    x = inputs_of(model)
    np.testing.assert_allclose(
        explain.lrp(model, x, rule="zero"), explain.gradient_times_input(model, x), rtol=1e-3, atol=1e-4
    )


def test_gamma_makes_the_relevance_less_contradictory():
    """The share of negative relevance of a positive output falls with gamma."""
    model = image_network(biases=False)
    x = inputs_of(model, 100)
    x = x[explain.scores(model, x) > 0]
    assert len(x) >= 5
    negative = [
        -np.minimum(parts, 0).sum() / abs(parts).sum()
        for parts in (explain.lrp(model, x, rule="gamma", gamma=gamma) for gamma in (0.0, 0.25, 5.0))
    ]
    assert negative[0] > negative[1] > negative[2]
