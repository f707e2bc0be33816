"""The penalty of distance correlation: the square of the metric, differentiable, and of use."""

import keras
import numpy as np
import pytest

from dlphys.autodiff import gradient
from dlphys.layers import distance_correlation_penalty
from dlphys.metrics import distance_correlation

RANDOM = np.random.default_rng(18)
X = RANDOM.normal(size=80)
Y = X**2 + 0.3 * RANDOM.normal(size=80)


@pytest.mark.parametrize("weights", [None, RANDOM.random(80), RANDOM.integers(0, 2, size=80)])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e9])
def test_it_is_the_square_of_the_metric(weights, scale):
    """Also where the unit is a small or a large one."""
    found = float(distance_correlation_penalty(scale * X, Y[:, None] - 7.0, weights))
    assert found == pytest.approx(distance_correlation(X, Y, weights)[0] ** 2, abs=2e-5)


def test_its_gradient_is_that_of_differences():
    x, y = X.astype("float32"), Y.astype("float32")
    slope = np.asarray(gradient(lambda z: distance_correlation_penalty(z, y), x))
    for i in (0, 7, 50):
        values = []
        for step in (1e-4, -1e-4):
            moved = x.astype("float64")
            moved[i] += step
            values.append(distance_correlation(moved, y)[0] ** 2)
        assert slope[i] == pytest.approx((values[0] - values[1]) / 2e-4, abs=2e-4)
    assert abs(slope.sum()) < 1e-4, "a shift changes nothing"
    assert abs(slope @ x) < 1e-4, "nor does a scale"


@pytest.mark.parametrize(
    ("x", "weights"), [(np.ones(20), None), (np.r_[np.ones(19), 2.0], None), (np.arange(20.0), np.zeros(20))]
)
def test_constant_outputs_and_batches_without_background_give_finite_values_and_gradients(x, weights):
    y = RANDOM.normal(size=20)
    assert np.isfinite(float(distance_correlation_penalty(x, y, weights)))
    slope = np.asarray(gradient(lambda z: distance_correlation_penalty(z, y, weights), x))
    assert np.isfinite(slope).all()
    if np.ptp(x) == 0 or weights is not None:
        assert float(distance_correlation_penalty(x, y, weights)) == 0
        assert (slope == 0).all()


def test_half_precision_is_taken():
    found = distance_correlation_penalty(X.astype("float16"), Y.astype("float16"))
    assert found.dtype == "float32"
    assert float(found) == pytest.approx(distance_correlation(X, Y)[0] ** 2, abs=1e-3)


def test_as_a_term_of_a_loss_it_makes_an_output_independent_of_a_feature():
    """The label is known from u, and from m, which the output must not know; any number of events in a batch."""
    keras.utils.set_random_seed(1)
    label = RANDOM.integers(0, 2, size=4000)
    m, u = RANDOM.normal(size=(2, 4000)) + label
    data = np.stack([m, u], axis=1)
    correlations = []
    for strength in (0.0, 20.0):

        def loss(truth, output, strength=strength):
            entropy = keras.losses.binary_crossentropy(truth[:, :1], output)
            penalty = distance_correlation_penalty(output, truth[:, 1], weights=1 - truth[:, 0])
            return entropy + strength * penalty

        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])
        model.compile(keras.optimizers.Adam(0.03), loss, steps_per_execution=8)
        model.fit(data, np.stack([label, m], axis=1), batch_size=500, epochs=15, verbose=0)
        output = model.predict(data, verbose=0)[:, 0]
        correlations.append(distance_correlation(output, m, weights=label == 0)[0])
    assert correlations[0] > 0.6
    assert correlations[1] < 0.12
