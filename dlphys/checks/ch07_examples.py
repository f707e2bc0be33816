"""Checks of the examples of chapter 7: a chain of weights, residual blocks, batch normalisation, SELU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- example 7.1 ---------------------------------------------------------------------------------------------


def _others(weights: np.ndarray) -> np.ndarray:
    return np.array([np.prod(np.delete(weights, i)) for i in range(3)])


@task("X7.1a", section="7.4")
def chain_gradients(student: Any, random: np.random.Generator) -> str:
    x, z = float(random.uniform(1.5, 3.0)), float(random.uniform(4.0, 8.0))
    weights = random.uniform(0.5, 2.0, size=3) * random.choice([-1.0, 1.0], size=3)
    answer = student(x, z, weights)
    expect.shape(answer, (3,), name="the gradients")
    expect.finite(answer, name="the gradients")
    miss, others = z - x * np.prod(weights), _others(weights)
    right = -2 * x * miss * others
    expect.differs(answer, 2 * miss * others, because="the factor x and the minus sign: both are missing in the book")
    expect.differs(answer, -right, because="a minus sign: the prediction stands with a minus in the loss")
    expect.differs(answer, right / x, because="the factor x: by the chain rule, d z_hat / d W_1 = x W_2 W_3")
    expect.differs(answer, right / 2, because="the factor 2 from the square")
    expect.differs(
        answer, -2 * x * miss * np.prod(weights) * np.ones(3), because="the other two weights only, not the own one"
    )
    expect.differs(answer, -2 * x * others, because="the miss z - z_hat as a factor: at the true value nothing pulls")
    expect.close(
        student(x, x * float(np.prod(weights)), weights),
        np.zeros(3),
        atol=1e-12,
        name="the gradient where prediction and truth agree",
        because="no gradient where the prediction is right",
        rung="physics",
    )
    step = 1e-6
    slopes = []
    for i in range(3):
        up, down = weights.copy(), weights.copy()
        up[i], down[i] = up[i] + step, down[i] - step
        slopes.append(((z - x * np.prod(up)) ** 2 - (z - x * np.prod(down)) ** 2) / (2 * step))
    expect.close(
        answer,
        slopes,
        rtol=1e-4,
        atol=1e-5,
        name="the gradients",
        because="the slope of the loss, as moving each weight a little shows it",
        rung="physics",
    )
    return "each gradient contains the other two weights"


def _chain(formula: Callable[[float, float, np.ndarray], Any]) -> Callable[[float, float, np.ndarray], Any]:
    def chain_gradients(x: float, z: float, weights: np.ndarray) -> Any:
        return np.asarray(formula(x, z - x * np.prod(weights), weights))

    return chain_gradients


chain_gradients.hints = (
    "Chain rule: dL/dW_1 = 2 (z_hat - z) times d z_hat / d W_1, and z_hat = x W_1 W_2 W_3.",
    "The products of the other two weights: w2 * w3, w1 * w3, w1 * w2.",
    "return -2 * x * (z - x * w1 * w2 * w3) * np.array([w2 * w3, w1 * w3, w1 * w2])",
)
chain_gradients.mistakes = {
    "as printed in the book": (_chain(lambda x, miss, w: 2 * miss * _others(w)), "missing in the book"),
    "wrong sign": (_chain(lambda x, miss, w: 2 * x * miss * _others(w)), "stands with a minus"),
    "no x": (_chain(lambda x, miss, w: -2 * miss * _others(w)), "d z_hat / d W_1"),
    "no factor 2": (_chain(lambda x, miss, w: -x * miss * _others(w)), "from the square"),
    "own weight included": (_chain(lambda x, miss, w: -2 * x * miss * np.prod(w) * np.ones(3)), "not the own one"),
    "no miss": (_chain(lambda x, miss, w: -2 * x * _others(w)), "nothing pulls"),
    "a single number": (_chain(lambda x, miss, w: -2 * x * miss * w[1] * w[2]), "shape (3,)"),
}

quiz(
    "M7.3-q1",
    question="With sigmoids and 50 layers the first gradient is 10^30 times smaller than the last. Would a larger "
    "learning rate help?",
    options=(
        "Yes: the product of gradient and learning rate is what counts.",
        "No: a rate large enough for the first layers makes absurd steps in the last ones.",
        "Yes, if it is raised by the same factor in all layers.",
        "No, because sigmoids are bounded by 1.",
    ),
    answer=2,
    explanation="The layers differ by dozens of powers of ten: no single learning rate fits both ends. Adam scales "
    "each parameter by its own gradient, but even it cannot scale what lies below its epsilon.",
)

# --- section 7.5: residual blocks ------------------------------------------------------------------------------


@task("M7.4a", section="7.5")
def residual_block(student: Any, random: np.random.Generator) -> str:
    width = int(random.integers(5, 12))
    model = student(width)
    expect.is_model(model)
    expect.output_shape(model, given=(4, width), is_=(4, width))
    kernels = [w for w in model.weights if w.ndim == 2]
    expect.holds(
        len(kernels) > 0 and any(np.any(kernel != 0) for kernel in kernels),
        because="only the second layer at zero: with both at zero no gradient ever reaches either of them",
        seen="all weights are zero",
        rung="known mistake",
    )
    positive = random.uniform(0.1, 2.0, size=(8, width)).astype(np.float32)
    mixed = random.uniform(-2.0, 2.0, size=(64, width)).astype(np.float32)
    answer, of_mixed = model.predict(positive), model.predict(mixed)
    expect.differs(
        answer,
        np.zeros_like(answer),
        because="a shortcut: the input is added to the change, so that it comes out again",
    )
    expect.differs(
        of_mixed,
        mixed,
        rtol=1e-5,
        atol=1e-6,
        because="the second activation after the sum (7.12): negative sums come out as zero",
    )
    expect.close(
        answer,
        positive,
        rtol=1e-5,
        atol=1e-6,
        name="the answer to positive numbers",
        because="with W_2 zero at the start the block does nothing: positive numbers pass unchanged",
        rung="physics",
    )
    expect.close(
        of_mixed,
        np.maximum(mixed, 0),
        rtol=1e-5,
        atol=1e-6,
        name="the answer to numbers of both signs",
        because="at the start ReLU of the input, and nothing else",
        rung="physics",
    )
    expect.holds(
        _count_relu(model) >= 2,
        because="two activations in the block: one between the two dense layers, one after the sum",
        seen=f"{_count_relu(model)} with ReLU",
    )
    expect.equal(
        model.count_params(),
        2 * (width**2 + width),
        name="the number of parameters",
        because="two dense layers with biases; the shortcut has no parameters",
    )
    return "at the start the block lets positive numbers pass unchanged"


def _count_relu(model: Any) -> int:
    configs = [(layer["class_name"], layer["config"] or {}) for layer in model.layers]
    return sum(name == "ReLU" or config.get("activation") == "relu" for name, config in configs)


def _block(
    *,
    shortcut: bool = True,
    inside: str = "relu",
    before: bool = False,
    start: tuple[str, str] = ("he_normal", "zeros"),
    projection: bool = False,
) -> Callable[[int], Any]:
    def residual_block(width: int) -> Any:
        import keras

        inputs = keras.Input(shape=(width,))
        change = keras.layers.Dense(width, activation=inside, kernel_initializer=start[0])(inputs)
        change = keras.layers.Dense(width, activation="relu" if before else None, kernel_initializer=start[1])(change)
        path = keras.layers.Dense(width, kernel_initializer="identity")(inputs) if projection else inputs
        total = keras.layers.Add()([change, path]) if shortcut else change
        return keras.Model(inputs, total if before else keras.layers.Activation("relu")(total))

    return residual_block


residual_block.hints = (
    "The functional interface: inputs = keras.Input((width,)), layers called on tensors, keras.Model(inputs, answer).",
    "`kernel_initializer='zeros'` in the second dense layer; `layers.Add()([change, inputs])` for the sum.",
    "Dense(width, activation='relu'), then Dense(width, kernel_initializer='zeros') without activation, then Add with "
    "the inputs, then Activation('relu').",
)
residual_block.mistakes = {
    "no shortcut": (_block(shortcut=False), "comes out again"),
    "activation before the sum": (_block(before=True), "after the sum (7.12)"),
    "W_2 drawn at random": (_block(start=("he_normal", "he_normal")), "pass unchanged"),
    "both layers at zero": (_block(start=("zeros", "zeros")), "no gradient ever reaches"),
    "no activation inside": (_block(inside="linear"), "one between the two dense layers"),
    "shortcut with weights": (_block(projection=True), "the shortcut has no parameters"),
}

# --- section 7.6: batch normalisation --------------------------------------------------------------------------


@task("M7.5a", section="7.6")
def batch_norm(student: Any, random: np.random.Generator) -> str:
    answer = student(random.normal(size=(7, 3)), np.ones(3), np.zeros(3), 0.1)
    expect.shape(answer, (7, 3), name="the answer for 7 events and 3 nodes")
    expect.finite(answer)
    y = random.normal(size=(6, 6)) * random.uniform(0.5, 3.0, 6) + random.normal(size=6)
    gamma, beta, epsilon = random.uniform(0.5, 2.0, 6), random.normal(size=6), 0.4
    answer = student(y, gamma, beta, epsilon)
    mu, variance = y.mean(axis=0), y.var(axis=0)
    centred = y - mu
    per_event = (y - y.mean(axis=1, keepdims=True)) / np.sqrt(epsilon + y.var(axis=1, keepdims=True))
    expect.differs(
        answer, gamma * per_event + beta, because="mean and spread of each node over the events of the batch (axis 0)"
    )
    whole = (y - y.mean()) / np.sqrt(epsilon + y.var())
    expect.differs(
        answer, gamma * whole + beta, because="a mean and a spread of its own for each node, not one for all"
    )
    unbiased = np.sqrt(epsilon + y.var(axis=0, ddof=1))
    expect.differs(answer, gamma * centred / unbiased + beta, because="1/k under the root, as in (7.16), not 1/(k - 1)")
    outside = np.sqrt(variance) + epsilon
    expect.differs(answer, gamma * centred / outside + beta, because="epsilon under the root, as in (7.16)")
    expect.differs(answer, gamma * centred / np.sqrt(variance) + beta, because="epsilon is missing: it prevents 0 / 0")
    expect.differs(answer, gamma * centred / (epsilon + variance) + beta, because="the root: sigma_B is no variance")
    expect.differs(
        answer, beta * centred / np.sqrt(epsilon + variance) + gamma, because="gamma scales and beta shifts (7.18)"
    )
    expect.differs(
        answer, gamma * (centred / np.sqrt(epsilon + variance) + beta), because="the shift beta after the scale gamma"
    )
    expect.close(
        answer.mean(axis=0),
        beta,
        atol=1e-9,
        name="the mean of the answer",
        because="beta as the mean of each node over the batch",
        rung="physics",
    )
    expect.close(
        student(5 * y - 3, gamma, beta, 25 * epsilon),
        answer,
        rtol=1e-9,
        atol=1e-9,
        name="the answer after a change of scale and offset",
        because="no memory of the scale and the offset of what comes in",
        rung="physics",
    )
    right = gamma * centred / np.sqrt(epsilon + variance) + beta
    expect.close(answer, right, rtol=1e-9, atol=1e-9, because="(7.15) to (7.18), for each node")
    same = student(np.full((5, 2), 3.0), np.ones(2), np.array([0.5, -1.0]), 0.1)
    expect.close(same, np.tile([0.5, -1.0], (5, 1)), atol=1e-9, because="beta where all events are equal")
    return "mean beta, spread gamma, whatever comes in"


def _norm(
    formula: Callable[[np.ndarray, np.ndarray, np.ndarray, float], Any],
) -> Callable[[np.ndarray, np.ndarray, np.ndarray, float], Any]:
    def batch_norm(y: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float) -> Any:
        return formula(y, gamma, beta, epsilon)

    return batch_norm


def _spread(y: np.ndarray, epsilon: float) -> np.ndarray:
    return np.asarray(np.sqrt(epsilon + y.var(axis=0)))


batch_norm.hints = (
    "Mean and variance over the events: axis 0. The result has one number for each node.",
    "`sigma = np.sqrt(epsilon + y.var(axis=0))`; NumPy's var divides by k, as (7.16) does.",
    "return gamma * (y - y.mean(axis=0)) / np.sqrt(epsilon + y.var(axis=0)) + beta",
)
batch_norm.mistakes = {
    "over the nodes": (
        _norm(lambda y, g, b, e: g * (y - y.mean(1, keepdims=True)) / np.sqrt(e + y.var(1, keepdims=True)) + b),
        "(axis 0)",
    ),
    "one mean for all": (_norm(lambda y, g, b, e: g * (y - y.mean()) / np.sqrt(e + y.var()) + b), "not one for all"),
    "unbiased variance": (
        _norm(lambda y, g, b, e: g * (y - y.mean(0)) / np.sqrt(e + y.var(0, ddof=1)) + b),
        "not 1/(k - 1)",
    ),
    "epsilon outside the root": (
        _norm(lambda y, g, b, e: g * (y - y.mean(0)) / (y.std(0) + e) + b),
        "epsilon under the root",
    ),
    "no epsilon": (_norm(lambda y, g, b, e: g * (y - y.mean(0)) / y.std(0) + b), "prevents 0 / 0"),
    "variance for spread": (_norm(lambda y, g, b, e: g * (y - y.mean(0)) / (e + y.var(0)) + b), "is no variance"),
    "gamma and beta exchanged": (_norm(lambda y, g, b, e: b * (y - y.mean(0)) / _spread(y, e) + g), "gamma scales"),
    "beta before gamma": (_norm(lambda y, g, b, e: g * ((y - y.mean(0)) / _spread(y, e) + b)), "after the scale"),
}

quiz(
    "M7.5-q1",
    question="A single event is sent through a trained network, by mistake with training=True. What does batch "
    "normalisation make of it?",
    options=(
        "The same as with training=False.",
        "beta in every node, whatever the event: a batch of one has no spread.",
        "An error, since a variance needs two events.",
        "Infinity, since the spread is zero.",
    ),
    answer=2,
    explanation="y - mu_B is zero for a batch of one, so gamma times zero plus beta is left. epsilon prevents 0 / 0.",
)

# --- section 7.7: self-normalising networks --------------------------------------------------------------------

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "selu": lambda y: SCALE * np.where(y > 0, y, ALPHA * np.expm1(np.minimum(y, 0))),
    "elu": lambda y: np.where(y > 0, y, np.expm1(np.minimum(y, 0))),
    "relu": lambda y: np.maximum(y, 0),
    "tanh": np.tanh,
    "linear": lambda y: y,
}


def _moments(width: float, activation: str, *, centre: float = 0.0) -> tuple[float, float]:
    """Mean and mean square of an activation of a Gaussian."""
    t = np.linspace(-9, 9, 20_001)
    weight = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi) * (t[1] - t[0])
    value = ACTIVATIONS[activation](centre + width * t)
    return float((value * weight).sum()), float((value**2 * weight).sum())


def _map(mean: float, variance: float, activation: str) -> tuple[float, float]:
    first, second = _moments(np.sqrt(variance + mean**2), activation)
    return first, second - first**2


@task("M7.6a", section="7.7")
def moment_map(student: Any, random: np.random.Generator) -> str:
    mean, variance = float(random.uniform(0.4, 0.9)), float(random.uniform(1.5, 3.0))
    answer = student(mean, variance, "selu")
    expect.is_tuple(answer, 2, name="the new mean and the new variance")
    for value, name in zip(answer, ("the new mean", "the new variance"), strict=True):
        expect.number(value, name=name)
    tau2 = variance + mean**2
    wrong = {
        "tau^2 = variance + mean^2: a mean in this layer adds to the spread of the sums": _moments(
            np.sqrt(variance), "selu"
        ),
        "the Gaussian of the sums has the mean 0: weights of mean 0 forget the mean of this layer": _moments(
            np.sqrt(tau2), "selu", centre=mean
        ),
        "tau is the root of the variance of the sums": _moments(tau2, "selu"),
    }
    for because, (first, second) in wrong.items():
        expect.differs(answer, (first, second - first**2), rtol=1e-3, because=because)
    first, second = _moments(np.sqrt(tau2), "selu")
    expect.differs(
        answer, (first, second), rtol=1e-3, because="a variance: the mean square minus the square of the mean"
    )
    expect.differs(answer, (first, np.sqrt(second - first**2)), rtol=1e-3, because="the variance, not its root")
    expect.close(
        student(mean, variance, "linear"),
        (0.0, tau2),
        rtol=1e-3,
        atol=1e-3,
        name="the map without activation",
        because="with the activation 'linear' the moments of the sums themselves",
        rung="physics",
    )
    expect.close(
        student(0.0, variance, "relu"),
        (np.sqrt(variance / (2 * np.pi)), variance * (0.5 - 0.5 / np.pi)),
        rtol=1e-3,
        name="the map of ReLU",
        because="for ReLU half a Gaussian: the activation is the one that was named",
        rung="physics",
    )
    expect.close(
        student(0.0, 1.0, "selu"),
        (0.0, 1.0),
        rtol=1e-3,
        atol=1e-3,
        name="the map of (0, 1)",
        because="(0, 1) as the fixed point of SELU: the grid must be wide and fine enough",
        rung="physics",
    )
    for name in ("selu", "elu", "tanh"):
        expect.close(
            student(-mean, variance, name),
            _map(-mean, variance, name),
            rtol=1e-3,
            atol=1e-4,
            name=f"the map of {name}",
            because="the two integrals (7.19) over the Gaussian",
        )
    return "SELU maps (0, 1) to itself"


def _moment_map(
    *,
    width: Callable[[float, float], float] = lambda mean, variance: float(np.sqrt(variance + mean**2)),
    centre: bool = False,
    after: Callable[[float, float], Any] = lambda first, second: (first, second - first**2),
    fixed: str | None = None,
) -> Callable[[float, float, str], Any]:
    def moment_map(mean: float, variance: float, activation: str) -> Any:
        moments = _moments(width(mean, variance), fixed or activation, centre=mean if centre else 0.0)
        return after(*moments)

    return moment_map


moment_map.hints = (
    "The sums y are Gaussian with mean 0 and variance variance + mean**2. Tabulate y, its density, and the activation.",
    "`np.trapezoid(f * density, y)` is an integral over the grid; the activation of an array is "
    "np.asarray(keras.activations.get(activation)(y)).",
    "new_mean from sigma * density, then the integral of sigma**2 * density minus new_mean**2; return both.",
)
moment_map.mistakes = {
    "mean forgotten": (_moment_map(width=lambda m, v: float(np.sqrt(v))), "adds to the spread"),
    "Gaussian around the mean": (_moment_map(centre=True), "forget the mean"),
    "variance as width": (_moment_map(width=lambda m, v: v + m**2), "tau is the root"),
    "mean square for variance": (
        _moment_map(after=lambda first, second: (first, second)),
        "minus the square of the mean",
    ),
    "standard deviation": (
        _moment_map(after=lambda first, second: (first, np.sqrt(second - first**2))),
        "not its root",
    ),
    "always SELU": (_moment_map(fixed="selu"), "moments of the sums themselves"),
}

quiz(
    "M7.6-q1",
    question="Which property lets SELU shrink a variance that is too large?",
    options=(
        "Its slope above 1 for positive sums.",
        "Its saturation for very negative sums.",
        "That it has no kink.",
        "That it is positive.",
    ),
    answer=2,
    explanation="Far on the negative side nothing changes any more, so wide distributions are compressed. The slope "
    "above 1 does the opposite, for narrow ones; between the two lies the fixed point.",
)
