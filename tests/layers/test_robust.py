"""Barron's loss: its limits, its normalisation by quadrature, and what alpha and scale learn."""

from decimal import Decimal, localcontext

import keras
import numpy as np
import pytest
from scipy import integrate, special, stats

from dlphys.autodiff import gradient
from dlphys.layers import AdaptiveRobustLoss, robust_log_normalisation, robust_loss

RANDOM = np.random.default_rng(17)
X = np.concatenate([[-100.0, 100.0, 0.0], np.linspace(-5, 5, 41)])
ALPHAS = [-1e4, -50.0, -2.0, -0.5, -1e-3, 1e-5, 0.02, 0.3, 1.0, 1.5, 1.99, 1.9999, 2.0001, 2.5, 4.0]


def exact(x, alpha, scale=1):
    """(14.30) as printed, with 40 digits."""
    with localcontext(prec=40):
        square, alpha = (Decimal(float(x)) / Decimal(scale)) ** 2, Decimal(alpha)
        width = abs(alpha - 2)
        return float(width / alpha * ((square / width + 1) ** (alpha / 2) - 1))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_it_is_the_general_form(alpha):
    """In double precision to 1e-11; in single to 2e-5, of the larger of the loss and its value at x = c."""
    expected = np.array([exact(x, alpha, 1.7) for x in X])
    np.testing.assert_allclose(np.asarray(robust_loss(X, alpha, 1.7)), expected, rtol=1e-11, atol=1e-14)
    single = np.asarray(robust_loss(X.astype("float32"), alpha, 1.7))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=2e-5, atol=1e-7)


LIMITS = {
    2.0: lambda s: s / 2,
    1.0: lambda s: np.sqrt(s + 1) - 1,
    0.0: lambda s: np.log1p(s / 2),
    -np.inf: lambda s: 1 - np.exp(-s / 2),
}


@pytest.mark.parametrize("alpha", LIMITS)
def test_special_cases_are_those_of_the_book_and_the_limits_of_their_neighbours(alpha):
    """(14.30); the neighbours come from both sides where there are two."""
    expected = LIMITS[alpha](X**2)
    np.testing.assert_allclose(np.asarray(robust_loss(X, alpha)), expected, rtol=1e-9)
    for near in (alpha - 1e-9, alpha + 1e-9) if np.isfinite(alpha) else (-1e12,):
        np.testing.assert_allclose(np.asarray(robust_loss(X, near)), expected, rtol=1e-6)


def test_derivatives_are_those_of_figure_14_2():
    """At x = 5: 5, 5 / sqrt(26), 5 / (25 / 2 + 1); the largest of alpha = 0 is 1 / sqrt(2) at sqrt(2)."""
    for alpha, slope in ((2.0, 5.0), (1.0, 5 / np.sqrt(26)), (0.0, 5 / 13.5)):
        found = np.asarray(gradient(lambda x, alpha=alpha: robust_loss(x, alpha), np.array([5.0])))[0]
        assert found == pytest.approx(slope, rel=1e-9)
    grid = np.linspace(0, 5, 5001)
    slopes = np.asarray(gradient(lambda x: robust_loss(x, 0.0), grid))
    assert slopes.max() == pytest.approx(np.sqrt(0.5), rel=1e-6)
    assert grid[slopes.argmax()] == pytest.approx(np.sqrt(2), abs=0.001)


@pytest.mark.parametrize("alpha", [0.0, 1e-4, 0.02, 0.049, 0.051, 0.5, 1.0, 1.7, 2.3, 4.0])
def test_the_derivative_by_alpha_is_that_of_the_exact_form(alpha):
    """Central difference with 40 digits; also at 0, where the form itself is 0 / 0."""
    x = np.array([0.0, 0.1, 1.0, 5.0, 30.0])
    step = 1e-6
    above, below = (np.array([exact(v, alpha + s) for v in x]) for s in (step, -step))
    for dtype, tolerance in (("float64", 1e-6), ("float32", 2e-4)):
        found = gradient(lambda a, d=dtype: robust_loss(x.astype(d), a), np.full(5, alpha, dtype))
        np.testing.assert_allclose(np.asarray(found), (above - below) / (2 * step), rtol=tolerance, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 0.05, 0.3, 1.0, 1.5, 1.9, 1.99, 1.999, 2.0, 2.001, 2.01, 2.5, 3.0, 4.0])
def test_the_normalisation_is_the_integral_of_the_density(alpha):
    """scipy.integrate.quad in t with x = sinh(t), split where the integrand bends; 1e-7 in ln Z."""

    def density(t):
        s = np.sinh(t) ** 2
        width = abs(alpha - 2)
        rho = LIMITS[alpha](s) if alpha in LIMITS else width / alpha * np.expm1(alpha / 2 * np.log1p(s / width))
        return 2 * np.exp(-rho) * np.cosh(t)

    integral = sum(
        integrate.quad(density, low, high, epsabs=1e-13, epsrel=1e-12, limit=400)[0]
        for low, high in ((0, 0.01), (0.01, 0.3), (0.3, 3), (3, 10), (10, 40))
    )
    assert float(robust_log_normalisation(alpha)) == pytest.approx(np.log(integral), abs=1e-7)
    single = robust_log_normalisation(np.array([alpha], dtype="float32"))
    assert float(single[0]) == pytest.approx(np.log(integral), abs=2e-6)


def test_the_normalisation_has_its_closed_forms():
    """sqrt(2 pi), 2 e K_1(1), sqrt(2) pi."""
    expected = np.log([np.sqrt(2 * np.pi), 2 * np.e * special.k1(1), np.sqrt(2) * np.pi])
    np.testing.assert_allclose(np.asarray(robust_log_normalisation(np.array([2.0, 1.0, 0.0]))), expected, atol=1e-7)


def test_the_normalisation_falls_and_its_derivative_is_minus_the_mean_derivative_of_the_loss():
    """d ln Z / d alpha = -E[d rho / d alpha], by differences of ln Z; shapes are kept."""
    alpha = np.array([[0.0, 0.3, 1.0], [1.7, 2.5, 3.9]])
    slope = np.asarray(gradient(robust_log_normalisation, alpha))
    assert slope.shape == (2, 3)
    assert (slope < 0).all()
    inner = alpha.ravel()[1:]
    step = 1e-4
    above, below = (np.asarray(robust_log_normalisation(inner + s)) for s in (step, -step))
    np.testing.assert_allclose(slope.ravel()[1:], (above - below) / (2 * step), rtol=1e-4)


def layer_for(y, **keywords):
    """The layer after a fit of alpha and scale to numbers around zero."""
    keras.utils.set_random_seed(1)
    robust = AdaptiveRobustLoss(**keywords)
    model = keras.Sequential([keras.Input((1,)), robust])
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 800)
    model.compile(keras.optimizers.Adam(schedule), robust.loss, steps_per_execution=100)
    model.fit(np.zeros((len(y) * 8, 1)), np.tile(y, 8), batch_size=len(y) // 10, epochs=10, verbose=0)
    return robust


def test_the_loss_of_the_layer_is_the_likelihood_of_the_density():
    """Gaussian and Cauchy distribution of SciPy at the ends of the family, both with a width of their own."""
    y = RANDOM.normal(size=(30, 1))
    prediction = RANDOM.normal(size=(30, 1)).astype("float32")
    cauchy = AdaptiveRobustLoss(1e-6, 0.7)
    cauchy(prediction)
    expected = -stats.cauchy.logpdf((y - prediction)[:, 0], scale=0.7 * np.sqrt(2))
    np.testing.assert_allclose(np.asarray(cauchy.loss(y, prediction)), expected, atol=1e-4)
    gauss = AdaptiveRobustLoss(1.0, 0.7, alpha_range=(0, 2))
    gauss(prediction)
    gauss.raw_alpha.assign([20.0])
    expected = -stats.norm.logpdf((y - prediction)[:, 0], scale=0.7)
    np.testing.assert_allclose(np.asarray(gauss.loss(y, prediction)), expected, atol=1e-4)
    assert gauss.alpha == pytest.approx([2.0])
    assert gauss.scale == pytest.approx([0.7])


@pytest.mark.parametrize(
    ("distribution", "alpha", "scale"),
    [
        (stats.norm(scale=2.0), 2.0, 2.0),
        (stats.genhyperbolic(1, 1, 0, scale=0.5), 1.0, 0.5),  # exp(-sqrt(x^2 + 1))
        (stats.cauchy(scale=0.3), 0.0, 0.3 / np.sqrt(2)),
    ],
    ids=["Gauss", "hyperbolic", "Cauchy"],
)
def test_alpha_and_scale_find_the_distribution_of_the_residuals(distribution, alpha, scale):
    """SciPy's distributions, which the family holds; alpha = 0 is at its edge and reached from one side."""
    robust = layer_for(distribution.rvs(size=4000, random_state=np.random.default_rng(19)))
    assert robust.alpha[0] == pytest.approx(alpha, abs=0.2)
    assert robust.scale[0] == pytest.approx(scale, rel=0.1 if alpha else 0.25)


def test_without_the_normalisation_alpha_would_fall_for_any_residuals():
    """rho rises with alpha at every residual, so its mean has no minimum in alpha."""
    alphas = np.linspace(0.01, 4, 50)
    losses = np.array([np.asarray(robust_loss(X[X != 0], alpha)) for alpha in alphas])
    assert (np.diff(losses, axis=0) > 0).all()


def test_a_line_with_outliers_is_found():
    """y = 2 x + 1 with sigma 0.1 and 15 % outliers that pull upwards; least squares misses it by far."""
    keras.utils.set_random_seed(4)
    x = RANDOM.uniform(-1, 1, size=(2000, 1))
    y = 2 * x + 1 + 0.1 * RANDOM.normal(size=x.shape)
    bad = RANDOM.random(2000) < 0.15
    y[bad] += RANDOM.uniform(2, 10, size=(bad.sum(), 1))
    robust = AdaptiveRobustLoss()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), robust])
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 1600)
    model.compile(keras.optimizers.Adam(schedule), robust.loss, steps_per_execution=100)
    model.fit(np.tile(x, (20, 1)), np.tile(y, (20, 1)), batch_size=250, epochs=10, verbose=0)
    slope, intercept = (float(np.ravel(w)[0]) for w in model.layers[0].get_weights())
    assert np.polyfit(x[:, 0], y[:, 0], 1)[1] > 1.5
    assert (slope, intercept) == pytest.approx((2, 1), abs=0.05)
    assert robust.alpha[0] < 0.5


def test_each_column_has_a_shape_of_its_own_and_the_prediction_passes_unchanged():
    robust = AdaptiveRobustLoss(1.0)
    prediction = RANDOM.normal(size=(8, 3)).astype("float32")
    np.testing.assert_array_equal(np.asarray(robust(prediction)), prediction)
    robust.raw_alpha.assign([-2.0, 0.0, 2.0])
    robust.log_scale.assign([0.0, 1.0, 2.0])
    y = RANDOM.normal(size=(8, 3))
    expected = sum(
        np.asarray(robust_loss(y[:, k] - prediction[:, k], float(robust.alpha[k]), float(robust.scale[k])))
        + np.log(robust.scale[k])
        + float(robust_log_normalisation(float(robust.alpha[k])))
        for k in range(3)
    )
    np.testing.assert_allclose(np.asarray(robust.loss(y, prediction)), expected, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, when it saves
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_it_trains_with_any_batch_and_survives_saving(tmp_path, policy):
    robust = AdaptiveRobustLoss(1.2, 0.5, alpha_range=(0.1, 3), dtype=policy)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, dtype=policy), robust])
    model.compile("adam", robust.loss)
    data = RANDOM.normal(size=(10, 2)).astype("float32")
    losses = model.fit(data, data + 3, batch_size=4, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(np.asarray(again(data)), np.asarray(model(data)))
    assert again.layers[-1].alpha == pytest.approx(robust.alpha)
    assert again.layers[-1].alpha_range == (0.1, 3.0)
    again.compile("adam", again.layers[-1].loss)
    assert again.evaluate(data, data + 3, verbose=0) == pytest.approx(
        model.evaluate(data, data + 3, verbose=0), rel=1e-5
    )


def test_wrong_shapes_and_a_layer_outside_the_model_are_refused():
    robust = AdaptiveRobustLoss()
    with pytest.raises(ValueError, match="must stand at the end of the model"):
        robust.loss(np.zeros((3, 1)), np.zeros((3, 1)))
    robust(np.zeros((3, 2), "float32"))
    with pytest.raises(ValueError, match="y_true must have the shape of y_pred"):
        robust.loss(np.zeros((3, 1)), np.zeros((3, 2)))
