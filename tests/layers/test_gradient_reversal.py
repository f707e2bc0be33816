"""Gradient reversal: exact identity forward, -strength times the gradient backward."""

import keras
import numpy as np
import pytest
from scipy import linalg

from dlphys.autodiff import gradient
from dlphys.layers import GradientReversal

RANDOM = np.random.default_rng(15)
X = (1e3 * RANDOM.normal(size=(4, 5))).astype("float32")


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 17.0])
@pytest.mark.parametrize("policy", ["float32", "float64", "mixed_float16"])
def test_it_is_the_identity_forward_and_reverses_the_gradient(strength, policy):
    """Bit for bit; d f(R(x)) / dx = -strength f'(x)."""
    layer = GradientReversal(strength, dtype=policy)
    x = X.astype(layer.compute_dtype)
    outputs = layer(x)
    assert outputs.dtype == layer.compute_dtype
    np.testing.assert_array_equal(np.asarray(outputs), x)
    found = np.asarray(gradient(lambda x: keras.ops.sin(layer(x)), x))
    expected = -strength * np.asarray(gradient(keras.ops.sin, x))
    np.testing.assert_allclose(found, expected, rtol=2e-3 if policy == "mixed_float16" else 1e-6, atol=1e-12)


def test_two_reversals_multiply_and_the_strength_may_change_in_a_compiled_model():
    layer = GradientReversal(0.5)
    both = np.asarray(gradient(lambda x: layer(layer(x)), X))
    assert both == pytest.approx(np.full(X.shape, 0.25))
    dense = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    model = keras.Sequential([keras.Input((1,)), dense, layer])
    model.compile(keras.optimizers.SGD(0.1), loss=lambda y, p: p)
    steps = []
    for strength in (0.5, 2.0, 0.0):
        layer.strength = strength
        before = float(dense.kernel[0, 0])
        model.fit(np.ones((8, 1)), np.ones((8, 1)), verbose=0)
        steps.append(float(dense.kernel[0, 0]) - before)
    assert steps == pytest.approx([0.05, 0.2, 0.0], abs=1e-6)
    assert layer.count_params() == 0


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, when it saves
def test_it_survives_saving_with_its_present_strength(tmp_path):
    layer = GradientReversal(0.5)
    model = keras.Sequential([keras.Input((None, 5)), layer, keras.layers.Dense(1)])
    layer.strength = 0.25
    assert model(X[:2, None]).shape == (2, 1, 1)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.layers[0].strength == 0.25
    np.testing.assert_array_equal(np.asarray(again(X[None])), np.asarray(model(X[None])))
    slopes = [np.asarray(gradient(m, X[None])) for m in (model, again)]
    np.testing.assert_array_equal(*slopes)


@pytest.mark.parametrize("strength", [0.0, 1.0, 3.0])
def test_an_adversary_leads_to_the_saddle_point(strength):
    """A linear code w of two inputs, one head for a target, an adversary for one input, behind the reversal.

    Both heads take the best linear fit, so w maximises ((w.t)^2 - strength (w.a)^2) / w.C.w, with the covariance C of
    the inputs and t, a of inputs and targets: an eigenvector, from SciPy.
    """
    data = RANDOM.normal(size=(4000, 2))
    data -= data.mean(axis=0)
    target, nuisance = data @ [1.0, 0.5], data[:, 1]
    t, a = data.T @ target / 4000, data.T @ nuisance / 4000
    vectors = linalg.eigh(np.outer(t, t) - strength * np.outer(a, a), data.T @ data / 4000)[1]
    expected = vectors[1, -1] / vectors[0, -1]
    keras.utils.set_random_seed(1)
    inputs = keras.Input((2,))
    code = keras.layers.Dense(1, use_bias=False, name="code")(inputs)
    heads = [keras.layers.Dense(1)(code), keras.layers.Dense(1)(GradientReversal(strength)(code))]
    model = keras.Model(inputs, heads)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 240)
    model.compile(keras.optimizers.SGD(schedule), loss=["mse", "mse"], steps_per_execution=16)
    model.fit(data, [target, nuisance], batch_size=250, epochs=15, verbose=0)
    kernel = model.get_layer("code").get_weights()[0][:, 0]
    assert kernel[1] / kernel[0] == pytest.approx(expected, abs=0.01)
