"""GCN, Chebyshev polynomials and message passing: against plain loops and the eigendecomposition."""

import keras
import numpy as np
import pytest

from dlphys import autodiff
from dlphys.layers import (
    ChebyshevConvolution,
    GraphConvolution,
    MessagePassing,
    laplacian,
    normalized_adjacency,
    scaled_laplacian,
)

RANDOM = np.random.default_rng(12)
WEIGHTS = np.triu(RANDOM.uniform(size=(9, 9)) * (RANDOM.uniform(size=(9, 9)) < 0.4), 1) + np.eye(9, k=1)
GRAPH = WEIGHTS + WEIGHTS.T
NODES = RANDOM.normal(size=(4, 9, 3)).astype("float32")
TABLE = RANDOM.integers(-1, 9, size=(4, 9, 5))
TABLE[0, 0] = -1  # a node without neighbours
PAIRS = RANDOM.normal(size=(4, 9, 5, 2)).astype("float32")


def graph_layers():
    return [
        (GraphConvolution(5, activation="tanh"), normalized_adjacency(GRAPH)),
        (GraphConvolution(2, use_bias=False), normalized_adjacency(GRAPH)),
        (ChebyshevConvolution(4, order=3, activation="tanh"), scaled_laplacian(GRAPH)),
        (ChebyshevConvolution(4, order=1), scaled_laplacian(GRAPH)),
    ]


def test_the_graph_convolution_is_the_sum_over_neighbours():
    """Equation (10.2) with c_ij = sqrt(deg_i deg_j) of the graph with self-loops, node by node."""
    layer = GraphConvolution(5, activation="relu")
    layer(NODES, normalized_adjacency(GRAPH))
    kernel, bias = RANDOM.normal(size=(3, 5)), RANDOM.normal(size=5)
    layer.set_weights([kernel, bias])
    found = np.asarray(layer(NODES, normalized_adjacency(GRAPH)))
    joined = GRAPH + np.eye(9)
    degree = joined.sum(1)
    for event in range(4):
        for i in range(9):
            total = sum(joined[i, j] / np.sqrt(degree[i] * degree[j]) * NODES[event, j] @ kernel for j in range(9))
            np.testing.assert_allclose(found[event, i], np.maximum(total + bias, 0), atol=1e-5)


def test_the_chebyshev_convolution_is_a_filter_of_the_spectrum():
    """(10.9) with the polynomial of (10.12) at the eigenvalues of the scaled Laplacian."""
    eigenvalues, modes = np.linalg.eigh(laplacian(GRAPH))
    scaled = 2 * eigenvalues / eigenvalues[-1] - 1
    theta = RANDOM.normal(size=4)
    layer = ChebyshevConvolution(1, order=4, use_bias=False)
    layer(NODES[..., :1], scaled_laplacian(GRAPH))
    layer.set_weights([theta.reshape(4, 1)])
    answer = np.polynomial.chebyshev.chebval(scaled, theta)
    expected = modes @ np.diag(answer) @ modes.T @ NODES[..., :1].astype(float)
    np.testing.assert_allclose(np.asarray(layer(NODES[..., :1], scaled_laplacian(GRAPH))), expected, atol=1e-5)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_chebyshev_filter_sees_order_minus_one_steps(order):
    chain = np.eye(11, k=1) + np.eye(11, k=-1)
    layer = ChebyshevConvolution(1, order=order)
    delta = np.zeros((1, 11, 1), "float32")
    delta[0, 5] = 1
    layer(delta, scaled_laplacian(chain))
    layer.set_weights([np.ones((order, 1)), np.zeros(1)])
    reached = np.flatnonzero(np.abs(np.asarray(layer(delta, scaled_laplacian(chain)))[0, :, 0]) > 1e-6)
    assert reached.min() == 5 - (order - 1)
    assert reached.max() == 5 + (order - 1)


@pytest.mark.parametrize("number", range(4))
def test_graph_layers_are_equivariant_under_permutations(number):
    """P f(X, A) = f(P X, P A P^T)."""
    layer, matrix = graph_layers()[number]
    order = RANDOM.permutation(9)
    before, after = layer(NODES, matrix), layer(NODES[:, order], matrix[np.ix_(order, order)])
    np.testing.assert_allclose(np.asarray(before)[:, order], np.asarray(after), atol=1e-5)


@pytest.mark.parametrize("number", range(4))
def test_one_graph_for_all_or_one_for_each_event(number):
    layer, matrix = graph_layers()[number]
    each = np.asarray(layer(NODES, np.tile(matrix, (4, 1, 1))))
    np.testing.assert_allclose(each, np.asarray(layer(NODES, matrix)), atol=1e-6)
    assert layer.compute_output_shape(NODES.shape) == each.shape


def slow_messages(layer, nodes, table, pairs):
    """Messages with one dense layer each for f and g, pair by pair."""
    f_kernel, f_bias, g_kernel, g_bias = layer.get_weights()
    result = np.zeros((*nodes.shape[:2], len(g_bias)))
    for event, i in np.ndindex(*nodes.shape[:2]):
        messages = []
        for place, j in enumerate(table[event, i]):
            if j >= 0:
                v = np.concatenate([nodes[event, i], nodes[event, j], pairs[event, i, place]])
                messages.append(np.maximum(v @ f_kernel + f_bias, 0))
        how = {"sum": np.sum, "mean": np.mean, "max": np.max}[layer.aggregation]
        received = how(messages, axis=0) if messages else np.zeros(len(f_bias))
        result[event, i] = np.maximum(np.concatenate([nodes[event, i], received]) @ g_kernel + g_bias, 0)
    return result


@pytest.mark.parametrize("aggregation", ["sum", "mean", "max"])
def test_message_passing_agrees_with_a_plain_loop(aggregation):
    layer = MessagePassing(6, update=4, aggregation=aggregation)
    layer(NODES, TABLE, PAIRS)
    layer.set_weights([RANDOM.normal(size=weight.shape) for weight in layer.weights])
    found = np.asarray(layer(NODES, TABLE, PAIRS))
    np.testing.assert_allclose(found, slow_messages(layer, NODES, TABLE, PAIRS), rtol=1e-4, atol=1e-4)
    assert layer.compute_output_shape(NODES.shape, TABLE.shape, PAIRS.shape) == found.shape


@pytest.mark.parametrize("aggregation", ["sum", "mean", "max"])
def test_message_passing_is_equivariant_under_permutations(aggregation):
    layer = MessagePassing([6, 5], update=4, aggregation=aggregation)
    order = RANDOM.permutation(9)
    renamed = np.append(np.argsort(order), -1)[TABLE]  # node j is called argsort(order)[j] afterwards
    before, after = layer(NODES, TABLE), layer(NODES[:, order], renamed[:, order])
    np.testing.assert_allclose(np.asarray(before)[:, order], np.asarray(after), atol=1e-5)


def small_models():
    nodes = keras.Input((None, 3))
    matrix = keras.Input((None, None))
    table = keras.Input((None, 5), dtype="int32")
    pairs = keras.Input((None, 5, 2))
    for policy in ("float32", "mixed_float16"):
        yield [nodes, matrix], GraphConvolution(4, "relu", dtype=policy)(nodes, matrix)
        yield [nodes, matrix], ChebyshevConvolution(4, 3, "relu", dtype=policy)(nodes, matrix)
        yield [nodes, table], MessagePassing([4, 4], aggregation="max", dtype=policy)(nodes, table)
        network = keras.Sequential([keras.layers.Dense(4, "tanh")])
        layer = MessagePassing(network, update=[4, 4], dtype=policy)
        yield [nodes, table, pairs], layer(nodes, table, pairs)


@pytest.mark.parametrize("number", range(8))
def test_layers_train_take_any_number_of_events_and_survive_saving(tmp_path, number):
    inputs, x = list(small_models())[number]
    pooled = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, keras.layers.Dense(1, dtype="float32")(pooled))
    model.compile("adam", "mse")
    second = (
        TABLE if len(inputs) == 3 or inputs[1].dtype == "int32" else np.tile(normalized_adjacency(GRAPH), (4, 1, 1))
    )
    data = [NODES, second, PAIRS][: len(inputs)]
    model.fit(data, np.ones(4), batch_size=3, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert model([array[:1] for array in data]).shape == (1, 1)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(data)), np.asarray(model(data)))


@pytest.mark.parametrize("number", range(4))
def test_gradients_are_finite(number):
    layer, matrix = graph_layers()[number]
    slope = np.asarray(autodiff.gradient(lambda x: layer(x, matrix), NODES))
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0
    passing = MessagePassing(4, update=3, aggregation="max")
    assert np.isfinite(np.asarray(autodiff.gradient(lambda x: passing(x, TABLE), NODES))).all()
