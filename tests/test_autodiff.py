"""Gradients against finite differences and closed forms, on the TensorFlow backend."""

import keras
import numpy as np
import pytest
from keras import ops

from dlphys import autodiff
from dlphys.autodiff import compiled, gradient, value_and_gradients


def finite_differences(f, x, step=1e-5):
    """Central differences of the sum of f, entry by entry, in float64."""
    slopes = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        shift = np.zeros(x.shape)
        shift[i] = step
        slopes[i] = (np.sum(f(x + shift)) - np.sum(f(x - shift))) / (2 * step)
    return slopes


@pytest.fixture(scope="module")
def model():
    """A small network in float64 with smooth activations, so that differences are good to 1e-9."""
    keras.utils.set_random_seed(1)
    layers = [
        keras.Input((3,), dtype="float64"),
        keras.layers.Dense(8, activation="tanh", dtype="float64"),
        keras.layers.Dense(4, activation="softplus", dtype="float64"),
        keras.layers.Dense(1, dtype="float64"),
    ]
    return keras.Sequential(layers)


X = np.random.default_rng(1).normal(size=(5, 3))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ops.sum(ops.sin(x) * x[:, :1]),
        lambda x: ops.exp(-(x**2)),
        lambda x: ops.logsumexp(x, axis=1),
        lambda x: ops.norm(x, axis=-1),
    ],
)
def test_gradient_agrees_with_finite_differences(f):
    """Scalar results and arrays, which are summed."""
    slope = np.asarray(gradient(f, X))
    assert slope.dtype == np.float64
    np.testing.assert_allclose(slope, finite_differences(lambda x: np.asarray(f(x)), X), rtol=1e-7, atol=1e-9)


def test_gradient_of_a_network_by_its_input_agrees_with_finite_differences(model):
    """Each event's derivative in one call, since events do not mix."""
    slope = np.asarray(gradient(model, X))
    np.testing.assert_allclose(slope, finite_differences(lambda x: np.asarray(model(x)), X), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(np.asarray(gradient(model, X[2:3])), slope[2:3], rtol=1e-12)


def test_gradient_takes_arrays_tensors_variables_and_numbers():
    """The same point in four forms; a Python number counts as float32."""
    points = (np.array(3.0), ops.convert_to_tensor(3.0), keras.Variable(3.0), 3.0)
    assert [float(gradient(lambda x: x**2, x)) for x in points] == [6.0] * 4


def test_nested_gradient_is_the_hessian_of_a_quadratic():
    """x^T A x / 2 with A symmetric: the gradient is A x and the Hessian A, row by row."""
    a = np.random.default_rng(2).normal(size=(4, 4))
    a = a + a.T
    x = np.random.default_rng(3).normal(size=4)

    def slope(x):
        return gradient(lambda x: 0.5 * ops.sum(x * ops.matmul(a, x)), x)

    np.testing.assert_allclose(np.asarray(slope(x)), a @ x, rtol=1e-12)
    hessian = [np.asarray(gradient(lambda x, row=row: slope(x)[row], x)) for row in range(4)]
    np.testing.assert_allclose(hessian, a, rtol=1e-12)


def test_third_derivative():
    """d^3 sin = -cos."""
    x = np.linspace(-2, 2, 7)
    third = gradient(lambda x: gradient(lambda x: gradient(ops.sin, x), x), x)
    np.testing.assert_allclose(np.asarray(third), -np.cos(x), rtol=1e-12)


def test_second_derivative_of_a_linear_function_is_zero():
    """Not an error, although the first derivative no longer contains x; and so for the third of a square."""
    assert np.asarray(gradient(lambda x: gradient(lambda x: 3 * x, x), X)).tolist() == np.zeros_like(X).tolist()
    third = gradient(lambda x: gradient(lambda x: gradient(lambda x: x**2, x), x), X)
    assert np.asarray(third).tolist() == np.zeros_like(X).tolist()


def test_a_lost_connection_is_an_error_and_not_zero(model):
    """model.predict leaves no trace for the gradient: the classic mistake."""
    with pytest.raises(ValueError, match=r"model\.predict and NumPy lose the way"):
        gradient(lambda x: ops.sum(ops.convert_to_tensor(model.predict(np.asarray(x), verbose=0))), X)
    with pytest.raises(ValueError, match=r"model\.predict and NumPy lose the way"):
        value_and_gradients(
            lambda: ops.mean(ops.convert_to_tensor(model.predict(X, verbose=0))), model.trainable_variables
        )


def test_gradients_by_variables_agree_with_finite_differences(model):
    """Mean squared error of a small Keras model by all six of its variables."""
    target = np.random.default_rng(4).normal(size=(5, 1))

    def loss():
        return ops.mean((model(X) - target) ** 2)

    value, gradients = value_and_gradients(loss, model.trainable_variables)
    assert float(value) == pytest.approx(float(loss()), rel=1e-14)
    assert len(gradients) == 6
    for variable, slope in zip(model.trainable_variables, gradients, strict=True):
        at = variable.numpy()

        def shifted(x, variable=variable):
            variable.assign(x)
            return float(loss())

        np.testing.assert_allclose(np.asarray(slope), finite_differences(shifted, at), rtol=1e-6, atol=1e-9)
        variable.assign(at)


def test_unused_variables_have_zero_gradients(model):
    """The last bias does not enter the derivative of a network, as in Hamiltonian networks: zero, in its shape."""
    variables = model.trainable_variables
    _, gradients = value_and_gradients(lambda: ops.mean(gradient(model, X) ** 2), variables)
    assert np.asarray(gradients[-1]).tolist() == [0.0]
    assert all(np.abs(np.asarray(slope)).max() > 0 for slope in gradients[:-1])


def test_a_loss_of_input_gradients_agrees_with_finite_differences(model):
    """gradient inside value_and_gradients: the penalty of a Wasserstein critic, by its first kernel."""
    kernel = model.trainable_variables[0]
    at = kernel.numpy()

    def penalty():
        return ops.mean((ops.norm(gradient(model, X), axis=-1) - 1) ** 2)

    def shifted(x):
        kernel.assign(x)
        return float(penalty())

    _, (slope,) = value_and_gradients(penalty, [kernel])
    np.testing.assert_allclose(np.asarray(slope), finite_differences(shifted, at), rtol=1e-6, atol=1e-9)
    kernel.assign(at)


def test_value_and_gradients_nests():
    """The derivative of (d w^3 / d w)^2 = 9 w^4 is 36 w^3; that of a constant derivative is zero."""
    w = keras.Variable(2.0, dtype="float64")

    def square_of_slope(power):
        _, (slope,) = value_and_gradients(lambda: w**power, [w])
        return slope**2

    value, (slope,) = value_and_gradients(lambda: square_of_slope(3), [w])
    assert (float(value), float(slope)) == (pytest.approx(144.0), pytest.approx(288.0))
    assert float(value_and_gradients(lambda: square_of_slope(1), [w])[1][0]) == 0.0


def test_variables_that_are_not_trained_have_gradients_too():
    """Asking for a gradient is enough: a frozen layer can be explained."""
    w = keras.Variable(3.0, trainable=False)
    assert float(value_and_gradients(lambda: w**2, [w])[1][0]) == 6.0


def test_embedding_gradients_are_dense():
    """Keras hands out sparse slices for a look-up table; the result has the shape of the table."""
    table = keras.layers.Embedding(5, 2)
    table.build()
    _, (slope,) = value_and_gradients(lambda: ops.sum(table(np.array([1, 1, 3]))), table.trainable_variables)
    np.testing.assert_array_equal(np.asarray(slope), [[0, 0], [2, 2], [0, 0], [1, 1], [0, 0]])


def test_a_compiled_training_step_does_what_the_plain_one_does():
    """Ten steps of Adam on one batch, compiled and not, from the same start."""
    random = np.random.default_rng(5)
    x = random.normal(size=(64, 2)).astype("float32")
    y = x[:, :1] * x[:, 1:]

    def train(wrap):
        keras.utils.set_random_seed(6)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)])
        optimizer = keras.optimizers.Adam(0.01)

        @wrap
        def step(x, y):
            loss, gradients = value_and_gradients(lambda: ops.mean((model(x) - y) ** 2), model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            return loss

        return [float(step(x, y)) for _ in range(10)], model.get_weights()

    plain_losses, plain_weights = train(lambda step: step)
    losses, weights = train(compiled)
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-4)
    for a, b in zip(weights, plain_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4)


def test_a_compiled_function_runs_its_python_once():
    """Arrays of one shape and type share one compilation."""
    calls = []

    @compiled
    def square(x):
        calls.append(1)
        return x**2

    results = [float(square(np.float32(x))) for x in (1, 2, 3)]
    assert results == [1.0, 4.0, 9.0]
    assert len(calls) == 1


def test_gradient_in_a_compiled_function_is_the_same():
    """The second derivative of a network, compiled and not."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)])
    x = np.linspace(-1, 1, 9, dtype="float32")[:, None]

    def second(x):
        return gradient(lambda x: gradient(model, x), x)

    np.testing.assert_allclose(np.asarray(compiled(second)(x)), np.asarray(second(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: gradient(lambda x: x, np.ones(1)),
        lambda: value_and_gradients(lambda: 1.0, [1.0]),
        lambda: compiled(lambda x: x),
    ],
)
def test_another_backend_is_named(monkeypatch, call):
    """Docstring: TensorFlow only, and an error instead of wrong numbers elsewhere."""
    monkeypatch.setattr(autodiff.keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"must be tensorflow for dlphys\.autodiff, got jax"):
        call()
