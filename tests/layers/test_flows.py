"""Flows: exact inverses, numerical Jacobians, densities that integrate to one, and a known entropy reached."""

import keras
import numpy as np
import pytest
from scipy import stats

from dlphys.autodiff import gradient
from dlphys.layers import AffineCoupling, Flow, MaskedAutoregressive

RANDOM = np.random.default_rng(18)

LAYERS = {
    "coupling": lambda: AffineCoupling([1, 0, 0, 1, 0], (16, 16)),
    "coupling, tanh": lambda: AffineCoupling([0, 1, 1, 1, 1], (16,), activation="tanh", largest_scale=0.5),
    "autoregressive": lambda: MaskedAutoregressive([3, 1, 4, 0, 2], (16, 16)),
    "autoregressive, no hidden layer": lambda: MaskedAutoregressive([0, 1, 2, 3, 4], ()),
}


def shaken(layer, conditions=0, seed=0):
    """The layer with weights unlike those it starts with, under which it is the identity."""
    random = np.random.default_rng(seed)
    layer(np.zeros((1, 5), "float32"), np.zeros((1, conditions), "float32")) if conditions else layer(np.zeros((1, 5)))
    layer.set_weights([random.normal(scale=0.6, size=weight.shape) for weight in layer.get_weights()])
    return layer


def jacobian(f, x):
    """dz_i / dx_j of every event, (n, 5, 5)."""
    rows = [np.asarray(gradient(lambda u, i=i: f(u)[0][:, i], x)) for i in range(x.shape[1])]
    return np.stack(rows, axis=1)


@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize("name", LAYERS)
def test_the_inverse_goes_back(name, conditions):
    layer = shaken(LAYERS[name](), conditions)
    x = RANDOM.normal(size=(200, 5)).astype("float32")
    condition = (RANDOM.normal(size=(200, 3)),) if conditions else ()
    z, log_determinant = layer(x, *condition)
    back, inverse_log_determinant = layer.inverse(z, *condition)
    assert np.abs(np.asarray(z) - x).max() > 0.1
    scale = np.maximum(1.0, np.abs(np.asarray(z)).max(axis=1, keepdims=True))
    assert (np.abs(np.asarray(back) - x) / scale).max() < 1e-5
    np.testing.assert_allclose(inverse_log_determinant, -np.asarray(log_determinant), atol=1e-4)


@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize("name", LAYERS)
def test_the_log_determinant_is_that_of_the_numerical_jacobian(name, conditions):
    layer = shaken(LAYERS[name](), conditions)
    x = RANDOM.normal(size=(50, 5)).astype("float32")
    condition = (RANDOM.normal(size=(50, 3)).astype("float32"),) if conditions else ()
    exact = np.linalg.slogdet(jacobian(lambda u: layer(u, *condition), x).astype("float64"))[1]
    np.testing.assert_allclose(layer(x, *condition)[1], exact, atol=1e-4)


def test_a_coupling_passes_what_its_mask_says_and_the_rest_sees_only_that():
    layer = shaken(AffineCoupling([1, 0, 0, 1, 0], (16, 16)))
    x = RANDOM.normal(size=(20, 5)).astype("float32")
    slopes = np.abs(jacobian(layer, x)).max(axis=0)
    np.testing.assert_array_equal(np.asarray(layer(x)[0])[:, [0, 3]], x[:, [0, 3]])
    seen = slopes > 0
    np.testing.assert_array_equal(seen[[0, 3]], np.eye(5, dtype=bool)[[0, 3]])
    for changed in (1, 2, 4):
        assert set(np.flatnonzero(seen[changed])) == {0, 3, changed}


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [3, 1, 4, 0, 2]])
def test_an_autoregressive_layer_sees_all_dimensions_before_and_none_after(order):
    slopes = np.abs(jacobian(shaken(MaskedAutoregressive(order, (32, 32))), RANDOM.normal(size=(20, 5)))).max(axis=0)
    np.testing.assert_array_equal(slopes[np.ix_(order, order)] > 0, np.tri(5, dtype=bool))


@pytest.mark.parametrize("name", LAYERS)
def test_the_condition_reaches_every_changed_dimension(name):
    layer = shaken(LAYERS[name](), 3)
    x = np.zeros((20, 5), "float32")
    first, second = (np.asarray(layer(x, RANDOM.normal(size=(20, 3)))[0]) for _ in range(2))
    changed = np.abs(first - second).max(axis=0) > 0
    np.testing.assert_array_equal(changed, np.array(getattr(layer, "mask", [0] * 5)) == 0)


def test_one_dimension_alone_can_be_conditional():
    layer = MaskedAutoregressive([0], (8,))
    z, _ = layer(np.ones((4, 1)), np.ones((4, 2)))
    assert z.shape == (4, 1)
    assert MaskedAutoregressive([0])(np.ones((4, 1)))[0].shape == (4, 1)


def test_a_new_flow_is_a_standard_normal_distribution():
    flow = Flow([AffineCoupling([1, 0, 1]), MaskedAutoregressive([2, 0, 1])])
    x = RANDOM.normal(size=(30, 3))
    np.testing.assert_allclose(flow.log_density(x), stats.norm.logpdf(x).sum(axis=1), rtol=1e-5)
    sample = flow.sample(2000, seed=3)
    assert sample.dtype == np.float32
    np.testing.assert_array_equal(sample, flow.sample(2000, seed=3))
    assert stats.kstest(sample.ravel(), "norm").pvalue > 1e-3


def test_the_density_integrates_to_one_whatever_the_weights():
    flow = Flow([AffineCoupling([1, 0], (8,)), MaskedAutoregressive([1, 0], (8,)), AffineCoupling([0, 1], (8,))])
    flow(np.zeros((1, 2)))
    flow.set_weights([RANDOM.normal(scale=0.4, size=weight.shape) for weight in flow.get_weights()])
    axis = np.linspace(-25, 25, 1001)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    assert np.exp(flow.log_density(grid)).sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("make", [lambda: AffineCoupling([1, 0], (16,)), lambda: MaskedAutoregressive([0, 1], (16,))])
def test_training_reaches_the_entropy_of_correlated_gaussians_and_samples_follow(make):
    """Exact: H = ln(2 pi e) + ln(det C) / 2; a linear map is within reach of both layers."""
    keras.utils.set_random_seed(1)
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    x = np.random.default_rng(2).multivariate_normal([0.5, -0.5], covariance, size=4000).astype("float32")
    first = make()
    flow = Flow([first, AffineCoupling([0, 1], (16,))])
    flow.compile(keras.optimizers.Adam(0.01))
    history = flow.fit(x, epochs=15, batch_size=500, validation_data=(x,), verbose=0).history
    entropy = np.log(2 * np.pi * np.e) + 0.5 * np.log(np.linalg.det(covariance))
    assert -flow.log_density(x).mean() == pytest.approx(entropy, abs=0.04)
    assert history["val_loss"][-1] == pytest.approx(-flow.log_density(x).mean(), abs=1e-3)
    np.testing.assert_allclose(np.cov(flow.sample(20_000, seed=3).T), covariance, atol=0.1)


def test_a_conditional_flow_learns_the_mean_that_the_condition_names():
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(2)
    condition = random.uniform(-1, 1, size=(3000, 1)).astype("float32")
    x = (2 * condition + 0.5 * random.normal(size=(3000, 1))).astype("float32")
    flow = Flow([MaskedAutoregressive([0], (16,)), MaskedAutoregressive([0], (16,))])
    flow.compile(keras.optimizers.Adam(0.02))
    flow.fit([x, condition], epochs=10, batch_size=300, verbose=0)
    drawn = flow.sample(4000, condition=np.full((4000, 1), 0.5), seed=4)
    assert drawn.mean() == pytest.approx(1.0, abs=0.1)
    assert drawn.std() == pytest.approx(0.5, abs=0.1)
    assert -flow.log_density(x, condition).mean() == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 0.25), abs=0.05)


def test_weights_count_as_copies():
    """The loss of events with weights 1 and 3 is that of one and three copies."""
    flow = Flow([AffineCoupling([1, 0])])
    flow.compile("sgd")
    x = RANDOM.normal(size=(2, 2)).astype("float32")
    weighted = flow.evaluate(x, sample_weight=np.array([1.0, 3.0]), verbose=0)
    assert weighted == pytest.approx(flow.evaluate(x[[0, 1, 1, 1]], verbose=0), rel=1e-6)


def test_saved_and_loaded_it_gives_the_same_density(tmp_path):
    flow = Flow([AffineCoupling([1, 0], (8,), activation="tanh"), MaskedAutoregressive([1, 0], (8,))])
    condition = RANDOM.normal(size=(10, 1))
    x = RANDOM.normal(size=(10, 2))
    flow.log_density(x, condition)
    flow.set_weights([RANDOM.normal(scale=0.4, size=weight.shape) for weight in flow.get_weights()])
    flow.save(tmp_path / "flow.keras")
    again = keras.saving.load_model(tmp_path / "flow.keras")
    np.testing.assert_array_equal(again.log_density(x, condition), flow.log_density(x, condition))


def test_a_condition_cannot_come_and_go():
    layer = AffineCoupling([1, 0])
    layer(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"condition must have 0 columns as at the first call, got 1"):
        layer.inverse(np.zeros((3, 2)), np.zeros((3, 1)))
