"""Samples of predictions: shapes, seeds, and agreement with closed forms."""

import keras
import numpy as np
import pytest

from dlphys.layers import BayesianDense, MonteCarloDropout, predict_samples, set_sampling

RANDOM = np.random.default_rng(14)
X = RANDOM.normal(size=(50, 3)).astype("float32")


def bayesian(**keywords):
    layer = BayesianDense(2, initial_width=0.3, **keywords)
    return keras.Sequential([keras.Input((3,)), layer]), layer


def test_samples_have_the_moments_of_the_layer():
    """BayesianDense.moments; 1000 samples, four standard errors. Neighbouring events share the weights of a sample."""
    model, layer = bayesian()
    samples = predict_samples(model, X, 1000, seed=1)
    assert samples.shape == (1000, 50, 2)
    mean, variance = (np.asarray(m) for m in layer.moments(X))
    assert (np.abs(samples.mean(0) - mean) < 4.5 * np.sqrt(variance / 1000)).all()
    assert (np.abs(samples.var(0) / variance - 1) < 4.5 * np.sqrt(2 / 1000)).all()
    # cov(y_1, y_2) = sum_k x_1k x_2k s_k^2 + s_b^2
    width = np.log1p(np.exp(layer.get_weights()[1][:, 0])) ** 2
    expected = X[0] * X[1] @ width + np.log1p(np.exp(layer.get_weights()[3][0])) ** 2
    found = np.cov(samples[:, 0, 0], samples[:, 1, 0])[0, 1]
    assert abs(found - expected) < 4.5 * np.sqrt((variance[0, 0] * variance[1, 0] + expected**2) / 1000)


def test_a_seed_repeats_and_batches_of_a_bayesian_network_do_not_matter():
    model, layer = bayesian()
    first = predict_samples(model, X, 5, seed=1)
    layer(X)  # moves the layer's own random numbers on
    np.testing.assert_array_equal(first, predict_samples(model, X, 5, seed=1))
    np.testing.assert_array_equal(first, predict_samples(model, X, 5, seed=np.random.default_rng(1)))
    np.testing.assert_allclose(first, predict_samples(model, X, 5, seed=1, batch_size=7), atol=1e-6)
    np.testing.assert_array_equal(first[:3], predict_samples(model, X, 3, seed=1))
    assert np.abs(first - predict_samples(model, X, 5, seed=2)).max() > 0.01
    assert len({sample.tobytes() for sample in first}) == 5


def test_sampling_leaves_the_random_numbers_of_the_model_as_they_were():
    keras.utils.set_random_seed(3)
    model, layer = bayesian()
    before = np.asarray(layer.seed_generator.state)
    predict_samples(model, X, 3, seed=1)
    np.testing.assert_array_equal(np.asarray(layer.seed_generator.state), before)


def test_dropout_decides_anew_for_each_event_and_batch():
    """The mean over samples is that without dropout (a linear network), and equal events differ."""
    model = keras.Sequential([keras.Input((3,)), MonteCarloDropout(0.5), keras.layers.Dense(1)])
    samples = predict_samples(model, np.ones((40, 3)), 400, seed=1, batch_size=8)
    set_sampling(model, False)
    expected = np.asarray(model(np.ones((1, 3))))[0, 0]
    flat = samples.ravel()
    assert abs(flat.mean() - expected) < 4 * flat.std() / np.sqrt(flat.size)
    assert np.ptp(samples[0]) > 0
    assert not (samples[:, :8] == samples[:, 8:16]).all()
    kernel = model.get_weights()[0][:, 0]
    assert flat.var() == pytest.approx((kernel**2).sum(), rel=0.1)  # rate / (1 - rate) = 1


def test_an_ensemble_has_the_shape_of_samples():
    models = [keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]) for _ in range(4)]
    samples = predict_samples(models, X, batch_size=16)
    assert samples.shape == (4, 50, 2)
    for sample, model in zip(samples, models, strict=True):
        np.testing.assert_allclose(sample, np.asarray(model(X)), atol=1e-6)


def test_an_ensemble_of_networks_that_draw_has_samples_of_each_member_in_turn():
    (one, layer), (two, _) = bayesian(), bayesian()
    layer.bias_mean.assign([100.0, 100.0])
    samples = predict_samples([one, two], X, 3, seed=1)
    assert samples.shape == (6, 50, 2)
    assert (samples[:3] > 50).all()
    assert (samples[3:] < 50).all()


def test_layers_inside_other_models_and_wrappers_are_found():
    inner = keras.Sequential([keras.Input((3,)), BayesianDense(4)])
    inputs = keras.Input((5, 3))
    x = keras.layers.TimeDistributed(inner)(inputs)
    model = keras.Model(inputs, keras.layers.TimeDistributed(MonteCarloDropout(0.5))(x))
    data = RANDOM.normal(size=(6, 5, 3))
    first = predict_samples(model, data, 4, seed=1)
    np.testing.assert_array_equal(first, predict_samples(model, data, 4, seed=1))
    assert len({sample.tobytes() for sample in first}) == 4
    set_sampling(model, False)
    assert np.ptp([model.predict(data, verbose=0) for _ in range(3)], axis=0).max() == 0
    with pytest.raises(ValueError, match="model must have a layer that draws"):
        predict_samples(model, data, 4, seed=1)


def test_several_inputs_and_outputs_keep_their_names():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    hidden = BayesianDense(4, "tanh")(keras.layers.Concatenate()([a, b]))
    model = keras.Model({"a": a, "b": b}, {"u": keras.layers.Dense(1)(hidden), "v": keras.layers.Dense(2)(hidden)})
    result = predict_samples(model, {"a": X, "b": X[:, :2]}, 6, seed=1, batch_size=20)
    assert {name: array.shape for name, array in result.items()} == {"u": (6, 50, 1), "v": (6, 50, 2)}


def test_the_same_samples_come_from_the_file(tmp_path):
    model, _ = bayesian()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(predict_samples(again, X, 4, seed=1), predict_samples(model, X, 4, seed=1))
