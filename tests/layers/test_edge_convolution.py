"""Edge convolutions: against plain loops, their symmetries, and what Keras asks of a layer."""

import keras
import numpy as np
import pytest

from dlphys import autodiff
from dlphys.layers import EdgeConv, knn_graph, nearest_neighbours

RANDOM = np.random.default_rng(11)
POINTS = RANDOM.normal(size=(3, 20, 3)).astype("float32")
FEATURES = RANDOM.normal(size=(3, 20, 2)).astype("float32")
KINDS = [(edge, features) for edge in ("full", "difference", "distance") for features in (None, FEATURES)]
POLICIES = ["float32", "mixed_float16"]


def slow(layer, points, features, neighbours):
    """h for every pair, one after the other; ReLU after every layer."""
    result = []
    for event, table in enumerate(neighbours):
        for i, row in enumerate(table):
            edges = []
            for j in row:
                x, away = points[event, i], points[event, j] - points[event, i]
                between = {"full": [], "difference": [away], "distance": [[np.linalg.norm(away)]]}[layer.edge]
                own, other = ([x], [away]) if layer.edge == "full" else ([], [])
                if features is not None:
                    own.append(features[event, i])
                    other.append(features[event, j] - features[event, i])
                v = np.concatenate([*own, *other, *between])
                weights = layer.get_weights()
                for w, b in zip(weights[::2], weights[1::2], strict=True):
                    v = np.maximum(v @ w + b, 0)
                edges.append(v)
            result.append({"mean": np.mean, "sum": np.sum, "max": np.max}[layer.aggregation](edges, axis=0))
    return np.reshape(result, (*points.shape[:2], -1))


@pytest.mark.parametrize("aggregation", ["mean", "sum", "max"])
@pytest.mark.parametrize(("edge", "features"), KINDS)
def test_it_agrees_with_a_plain_loop(edge, features, aggregation):
    layer = EdgeConv([6, 4], k=5, edge=edge, aggregation=aggregation)
    found = layer(POINTS, features)
    for weight in layer.weights:  # biases too
        weight.assign(RANDOM.normal(size=weight.shape))
    found = np.asarray(layer(POINTS, features))
    neighbours = np.asarray(nearest_neighbours(POINTS, 5))
    np.testing.assert_allclose(found, slow(layer, POINTS, features, neighbours), rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(np.asarray(layer(POINTS, features, neighbours=neighbours)), found, atol=1e-6)
    shapes = (POINTS.shape, None if features is None else features.shape)
    assert layer.compute_output_shape(*shapes) == found.shape


@pytest.mark.parametrize(("edge", "features"), KINDS)
def test_a_kernel_of_one_s_own_sees_the_same_as_the_dense_layers(edge, features):
    layer = EdgeConv([6, 4], k=5, edge=edge)
    layer(POINTS, features)
    network = keras.Sequential([keras.layers.Dense(6, "relu"), keras.layers.Dense(4, "relu")])
    own = EdgeConv(network, k=5, edge=edge)
    own(POINTS, features)
    own.set_weights(layer.get_weights())
    np.testing.assert_allclose(np.asarray(own(POINTS, features)), np.asarray(layer(POINTS, features)), atol=1e-5)


@pytest.mark.parametrize("aggregation", ["mean", "sum", "max"])
@pytest.mark.parametrize("edge", ["full", "difference", "distance"])
def test_it_is_equivariant_under_permutations_of_the_points(edge, aggregation):
    """P f(x) = f(P x), section 10.4.2."""
    layer = EdgeConv(5, k=4, edge=edge, aggregation=aggregation)
    order = RANDOM.permutation(20)
    before, after = layer(POINTS, FEATURES), layer(POINTS[:, order], FEATURES[:, order])
    np.testing.assert_allclose(np.asarray(before)[:, order], np.asarray(after), atol=1e-5)


ROTATION = np.linalg.qr(RANDOM.normal(size=(3, 3)))[0].astype("float32")
SYMMETRIES = [("full", False, False), ("difference", True, False), ("distance", True, True)]


@pytest.mark.parametrize(("edge", "translations", "rotations"), SYMMETRIES)
def test_the_edge_decides_the_symmetry(edge, translations, rotations):
    """Section 10.4.2: h(x_i - x_j) knows no translations, h(|x_i - x_j|) no rotations either; h(x_i, ...) does."""
    layer = EdgeConv([16, 16], k=5, edge=edge)
    before = np.asarray(layer(POINTS, FEATURES))
    moved = np.abs(np.asarray(layer(POINTS + np.float32([1, -2, 3]), FEATURES)) - before).max()
    turned = np.abs(np.asarray(layer(POINTS @ ROTATION, FEATURES)) - before).max()
    assert (moved < 1e-4) == translations, moved
    assert (turned < 1e-4) == rotations, turned


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("dynamic", [False, True])
def test_it_trains_in_a_model_with_any_number_of_events_and_points_and_survives_saving(tmp_path, dynamic, policy):
    points = keras.Input((None, 3), name="points")
    features = keras.Input((None, 2), name="features")
    table = keras.Input((None, 4), dtype="int32", name="neighbours")
    given = {} if dynamic else {"neighbours": table}
    x = EdgeConv([8, 8], k=4, edge="difference", aggregation="max", dtype=policy)(points, features, **given)
    x = EdgeConv(8, k=4, dtype=policy)(x, **given)
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model([points, features, table], keras.layers.Dense(1, dtype="float32")(x))
    model.compile("adam", "mse")
    data = [POINTS, FEATURES, knn_graph(POINTS, 4)]
    model.fit(data, np.ones(3), batch_size=2, epochs=2, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    fewer = [array[:1, :12] for array in data[:2]]
    assert model([*fewer, knn_graph(fewer[0], 4)]).shape == (1, 1)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(data)), np.asarray(model(data)))
    assert isinstance(again.layers[-4], EdgeConv) or any(isinstance(layer, EdgeConv) for layer in again.layers)


def test_a_kernel_of_one_s_own_survives_saving(tmp_path):
    network = keras.Sequential([keras.layers.Dense(7, "tanh"), keras.layers.BatchNormalization()])
    model = keras.Sequential([keras.Input((20, 3)), EdgeConv(network, k=3, aggregation="sum")])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(POINTS)), np.asarray(model(POINTS)))


def test_half_precision_agrees_with_single_and_finds_neighbours_closer_than_its_own_steps():
    """Near 100, float16 numbers are 1/16 apart; the separations here are about 0.01."""
    close = 100.0 + 0.01 * POINTS
    full = EdgeConv([8, 4], k=4, edge="difference")
    half = EdgeConv([8, 4], k=4, edge="difference", dtype="mixed_float16")
    full(close), half(close)
    half.set_weights(full.get_weights())
    expected = np.asarray(full(close))
    assert half(close).dtype == "float16"
    assert expected.max() > 1e-3
    np.testing.assert_allclose(np.asarray(half(close)), expected, atol=0.01 * expected.max())


@pytest.mark.parametrize("edge", ["full", "difference", "distance"])
def test_gradients_are_finite_also_where_points_coincide(edge):
    layer = EdgeConv([4, 4], k=3, edge=edge)
    points = np.concatenate([POINTS, POINTS], axis=1)
    slope = np.asarray(autodiff.gradient(lambda x: layer(x) ** 2, points))
    assert np.isfinite(slope).all()
    assert (np.abs(slope).max() > 0) or edge == "distance"


def test_on_a_regular_chain_it_can_be_the_convolution_of_keras():
    """Fig. 10.8: neighbours left and right of a grid; the kernel tells them apart by the sign of x_j - x_i."""
    signal = RANDOM.normal(size=(1, 12, 1)).astype("float32")
    place = np.arange(12, dtype="float32").reshape(1, 12, 1)
    ring = np.stack([np.roll(np.arange(12), 1), np.roll(np.arange(12), -1)], axis=-1)[None]

    class Filter(keras.layers.Layer):
        def compute_output_shape(self, shape):
            return (*shape[:-1], 1)

        def call(self, edges):  # f_i, f_j - f_i, x_j - x_i
            own, away, step = edges[..., :1], edges[..., 1:2], edges[..., 2:]
            return keras.ops.where(step > 0, 2.0 * (own + away), -1.0 * (own + away)) + 1.5 * own

    found = np.asarray(EdgeConv(Filter(), edge="difference", aggregation="sum")(place, signal, neighbours=ring))
    expected = np.convolve(signal.ravel(), [2.0, 3.0, -1.0], mode="valid")
    np.testing.assert_allclose(found[0, 1:-1, 0], expected, atol=1e-5)


def test_more_neighbours_than_points_are_refused():
    with pytest.raises(ValueError, match="k must be below the 20 points"):
        EdgeConv(4, k=20)(POINTS)
