"""What is explained, for which models, and that the model stays as it was."""

import keras
import numpy as np
import pytest
from explain.networks import NETWORKS, filled, image_network, inputs_of, logits, sequence_network, table_network
from keras import layers, ops

from dlphys import explain
from dlphys.explain._graph import read

IMAGE = image_network()


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_the_steps_make_the_outputs_of_the_model_before_the_last_function(make):
    model = make()
    x = inputs_of(model)
    graph = read(model)
    found = np.asarray(graph.logits(x))
    expected = logits(model, x)
    if graph.ending == "softmax":  # known up to a constant
        found = found - found.max(1, keepdims=True)
        expected = expected - expected.max(1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize(
    ("last", "ending"),
    [
        ([layers.Dense(3, activation="softmax")], "softmax"),
        ([layers.Dense(3), layers.Activation("softmax")], "softmax"),
        ([layers.Dense(3), layers.Softmax()], "softmax"),
        ([layers.Dense(3, activation="sigmoid")], "sigmoid"),
        ([layers.Dense(3), layers.Activation("sigmoid")], "sigmoid"),
        ([layers.Dense(3)], ""),
        ([layers.Dense(3, activation="tanh")], ""),
    ],
)
def test_a_final_softmax_or_sigmoid_is_left_out_and_nothing_else(last, ending):
    model = filled(keras.Sequential([keras.Input((4,)), *last]))
    x = inputs_of(model)
    kernel, bias = model.get_weights()
    expected = x @ kernel + bias
    if last[0].activation is keras.activations.tanh:
        expected = np.tanh(expected)
    graph = read(model)
    assert graph.ending == ending
    np.testing.assert_allclose(graph.logits(x), expected, atol=1e-5)
    np.testing.assert_allclose(explain.scores(model, x), expected.max(1), atol=1e-5)


def test_a_softmax_written_as_an_operation_is_left_out_too():
    x = keras.Input((4,))
    model = filled(keras.Model(x, ops.softmax(layers.Dense(3, use_bias=False)(x))))
    data = inputs_of(model)
    np.testing.assert_allclose(explain.scores(model, data, output=1), (data @ model.get_weights()[0])[:, 1], atol=1e-5)


def test_an_output_for_all_or_one_for_each_input():
    x = inputs_of(IMAGE, 5)
    everything = np.asarray(read(IMAGE).logits(x))
    np.testing.assert_array_equal(explain.scores(IMAGE, x), everything.max(1))
    np.testing.assert_array_equal(explain.scores(IMAGE, x, output=2), everything[:, 2])
    np.testing.assert_array_equal(
        explain.scores(IMAGE, x, output=[0, 1, 2, 3, 0]), everything[range(5), [0, 1, 2, 3, 0]]
    )


GROUPS = np.arange(64).reshape(8, 8) // 16
ALL = {
    "scores": lambda m, x, **o: explain.scores(m, x, **o),
    "activations": lambda m, x, **o: explain.activations(m, x, layer="last", **o),
    "saliency": lambda m, x, **o: explain.saliency(m, x, **o),
    "gradient_times_input": lambda m, x, **o: explain.gradient_times_input(m, x, **o),
    "integrated_gradients": lambda m, x, **o: explain.integrated_gradients(m, x, steps=8, **o),
    "expected_gradients": lambda m, x, **o: explain.expected_gradients(m, x, x, samples=8, seed=1, **o),
    "smooth_grad": lambda m, x, **o: explain.smooth_grad(m, x, samples=4, seed=1, **o),
    "deconvnet": lambda m, x, **o: explain.deconvnet(m, x, **o),
    "guided_backpropagation": lambda m, x, **o: explain.guided_backpropagation(m, x, **o),
    "maximise_activation": lambda m, x, **o: explain.maximise_activation(m, output=[0] * len(x), start=x, steps=3, **o),
    "grad_cam": lambda m, x, **o: explain.grad_cam(m, x, **o),
    "lrp": lambda m, x, **o: explain.lrp(m, x, rule="composite", **o),
    "occlusion": lambda m, x, **o: explain.occlusion(m, x, size=3, stride=2, **o),
    "shapley_sampling": lambda m, x, **o: explain.shapley_sampling(m, x, x, groups=GROUPS, permutations=3, seed=1, **o),
    "fast_gradient_sign": lambda m, x, **o: explain.fast_gradient_sign(m, x, np.zeros(len(x)), strength=0.1, **o),
    "projected_gradient": lambda m, x, **o: explain.projected_gradient(
        m, x, np.zeros(len(x)), strength=0.1, steps=3, seed=1, **o
    ),
}


@pytest.mark.parametrize("method", ALL.values(), ids=ALL)
def test_the_model_stays_as_it_is_bit_for_bit_and_the_input_too(method):
    x = inputs_of(IMAGE)
    kept = x.copy()
    before = [*IMAGE.get_weights(), np.asarray(IMAGE(x))]
    names, nodes = list(vars(IMAGE)), [len(layer._inbound_nodes) for layer in IMAGE.layers]
    result = method(IMAGE, x)
    for old, new in zip(before, [*IMAGE.get_weights(), np.asarray(IMAGE(x))], strict=True):
        np.testing.assert_array_equal(old, new)
    assert list(vars(IMAGE)) == names
    assert [len(layer._inbound_nodes) for layer in IMAGE.layers] == nodes
    np.testing.assert_array_equal(x, kept)
    assert result.dtype == np.float32
    assert len(result) == len(x)
    assert np.isfinite(result).all()


@pytest.mark.parametrize("method", ALL.values(), ids=ALL)
def test_batches_bound_what_is_calculated_at_once_and_change_only_rounding(method):
    largest = 0

    @keras.saving.register_keras_serializable(package="tests")
    class Watch(layers.Activation):
        """Notes how many events come through."""

        def call(self, x):
            nonlocal largest
            if isinstance(x.shape[0], int):
                largest = max(largest, x.shape[0])
            return super().call(x)

    watched = keras.Sequential([keras.Input((8, 8, 2)), *IMAGE.layers[:2], Watch("relu"), *IMAGE.layers[3:]])
    x = inputs_of(IMAGE, 10)
    if method is not ALL["lrp"] and method is not ALL["deconvnet"] and method is not ALL["guided_backpropagation"]:
        method(watched, x, batch_size=4)
        assert 0 < largest <= 4
    np.testing.assert_allclose(method(IMAGE, x, batch_size=4), method(IMAGE, x, batch_size=256), atol=3e-5)


def test_new_weights_are_seen_at_the_next_call():
    model = table_network()
    x = inputs_of(model)
    before = explain.integrated_gradients(model, x, batch_size=4)
    filled(model, seed=5)
    after = explain.integrated_gradients(model, x, batch_size=4)
    assert abs(after - before).max() > 0.1
    np.testing.assert_allclose(after, explain.integrated_gradients(model, x), atol=1e-5)


def test_a_model_that_was_built_by_a_call_and_one_in_half_precision():
    x = inputs_of(IMAGE)
    late = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="model must have been built"):
        explain.saliency(late, x[:, 0, 0])
    late(x[:2, 0, 0])
    assert explain.saliency(late, x[:, 0, 0]).shape == (6, 2)
    half = image_network("mixed_bfloat16")
    assert explain.saliency(half, x).dtype == np.float32
    half_map = explain.lrp(half, x, rule="gamma")
    assert np.corrcoef(half_map.ravel(), explain.lrp(IMAGE, x, rule="gamma").ravel())[0, 1] > 0.98


def test_whole_numbers_are_taken_as_images():
    x = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 2), dtype=np.uint8)
    np.testing.assert_array_equal(explain.saliency(IMAGE, x), explain.saliency(IMAGE, x.astype(np.float32)))


def test_a_layer_is_found_by_name_or_as_itself():
    x = inputs_of(IMAGE)
    part = keras.Model(IMAGE.inputs[0], IMAGE.get_layer("last").output)
    for layer in ("last", IMAGE.get_layer("last")):
        np.testing.assert_allclose(explain.activations(IMAGE, x, layer=layer), part(x), atol=1e-6)
    inner = NETWORKS["branches"]()
    assert explain.activations(inner, inputs_of(inner), layer="inner").shape == (6, 6, 6, 4)


def test_gradients_pass_layers_that_rules_do_not_know_and_the_error_names_them():
    model = filled(
        keras.Sequential(
            [keras.Input((12, 3)), layers.LSTM(4, name="memory"), layers.Dense(2, activation="softmax", name="end")]
        )
    )
    x = inputs_of(model)
    assert explain.integrated_gradients(model, x).shape == x.shape
    assert explain.occlusion(model, x).shape == x.shape
    for method in (explain.lrp, explain.deconvnet, explain.guided_backpropagation):
        with pytest.raises(ValueError, match=rf"{method.__name__} can go back through, got layer 'memory' \(LSTM\)"):
            method(model, x)
    tanh = sequence_network(activation="tanh")
    for method in (explain.deconvnet, explain.guided_backpropagation):
        with pytest.raises(ValueError, match=r"got layer 'last' \(Conv1D with activation tanh\)"):
            method(tanh, inputs_of(tanh))
    inside = keras.Sequential(
        [keras.Input((3,)), layers.Dense(3, activation="softmax", name="inside"), layers.Dense(2)]
    )
    with pytest.raises(
        ValueError, match=r"lrp can go back through, got layer 'inside' \(Dense with activation softmax\)"
    ):
        explain.lrp(inside, np.ones((1, 3)))


def test_a_layer_that_is_used_twice_works_but_has_no_single_place():
    x = keras.Input((4,))
    shared = layers.Dense(4, name="shared", activation="relu")
    model = filled(keras.Model(x, layers.Dense(1)(shared(shared(x)))))
    data = inputs_of(model)
    np.testing.assert_allclose(
        explain.lrp(model, data, rule="zero"), explain.gradient_times_input(model, data), atol=1e-5
    )
    with pytest.raises(
        ValueError, match="layer must stand at one place of the model, got 'shared', which is used twice"
    ):
        explain.activations(model, data, layer="shared")
