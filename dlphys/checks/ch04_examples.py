"""Checks of the examples of chapter 4: scaled arrival times, backpropagation at any depth, four optimisers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- X4.1a ------------------------------------------------------------------------------------------------


def _scaled(
    axis: int | None = 1, *, low: float = -1.0, early: bool = False, width: bool = False
) -> Callable[[np.ndarray], np.ndarray]:
    def scale_times(times: np.ndarray) -> np.ndarray:
        values = times.astype(np.float32) if early else times
        start = values.min(axis=axis, keepdims=True)
        length = np.ptp(values, axis=axis, keepdims=True)
        if width:
            start, length = values.mean(axis=axis, keepdims=True), values.std(axis=axis, keepdims=True)
            return ((values - start) / length).astype(np.float32)
        with np.errstate(all="ignore"):
            return (low + (1 - low) * (values - start) / length).astype(np.float32)

    return scale_times


@task("X4.1a", section="4.1.1")
def scale_times(student: Any, random: np.random.Generator) -> str:
    n, stations = 12, 9
    travel = random.uniform(2, 400, size=(n, stations))
    times = 1.5e9 + random.uniform(0, 1e7, size=(n, 1)) + travel
    answer = student(times)
    expect.shape(answer, (n, stations), name=f"the scaled times of {n} events at {stations} stations")
    expect.differs(
        answer,
        _scaled(early=True)(times),
        because="subtract in double precision, and round to float32 at the end: in single precision Unix times are "
        "multiples of 128 s",
        rtol=1e-3,
        atol=1e-3,
    )
    expect.dtype(answer, "float32")
    expect.finite(answer, name="the scaled times")
    for axis, because in (
        (0, "the first and the last station of each event, one row: not of each station over all events"),
        (None, "the first and the last station of each event: years lie between the events of the whole table"),
    ):
        expect.differs(answer, _scaled(axis)(times), because=because, atol=1e-6)
    expect.differs(answer, _scaled(low=0.0)(times), because="from -1 to 1, not from 0 to 1", rtol=1e-3, atol=1e-3)
    expect.close(answer.min(axis=1), np.full(n, -1.0), atol=1e-5, because="the first station is at -1", rung="physics")
    expect.close(answer.max(axis=1), np.full(n, 1.0), atol=1e-5, because="the last station is at 1", rung="physics")
    expect.close(
        student(times + 86400.0),
        answer,
        atol=1e-4,
        because="the same earthquake a day later looks the same",
        rung="physics",
    )
    expect.close(answer, _scaled()(travel), atol=1e-4, because="in proportion to the time after the first arrival")
    return "the same for an earthquake of 1970 and of today"


scale_times.hints = (
    "min and max over axis=1; with keepdims=True they stay columns, (n, 1), that can be subtracted from the table.",
    "astype('float32') comes last, after the division.",
)
scale_times.mistakes = {
    "rounded first": (_scaled(early=True), "multiples of 128 s"),
    "over all events": (_scaled(0), "not of each station"),
    "over the whole table": (_scaled(None), "years lie between"),
    "from 0 to 1": (_scaled(low=0.0), "not from 0 to 1"),
    "standardised": (_scaled(width=True), "the first station is at -1"),
    "by rank": (
        lambda times: (2 * times.argsort(1).argsort(1) / (times.shape[1] - 1) - 1).astype(np.float32),
        "in proportion to",
    ),
    "double precision": (
        lambda times: 2 * (times - times.min(1)[:, None]) / np.ptp(times, axis=1)[:, None] - 1,
        "an array of float32",
    ),
}

# --- L4.6 -------------------------------------------------------------------------------------------------

Arrays = list[np.ndarray]


def _layers(random: np.random.Generator, sizes: tuple[int, ...]) -> tuple[Arrays, Arrays]:
    weights = [random.normal(size=(m, n)) / np.sqrt(n) for n, m in pairwise(sizes)]
    return weights, [0.5 * random.normal(size=m) for m in sizes[1:]]


def _outputs(
    *, last: bool = False, bias: bool = True, slope: Callable[[Any], Any] = np.tanh, hidden: bool = True
) -> Callable[[Arrays, Arrays, np.ndarray], Arrays]:
    def all_outputs(weights: Arrays, biases: Arrays, x: np.ndarray) -> Arrays:
        found = [x]
        for i, matrix in enumerate(weights):
            h = np.einsum("mk,nk->nm", matrix, found[-1]) + bias * biases[i]
            inner = i < len(weights) - 1
            found.append(slope(h) if (inner and hidden) or (last and not inner) else h)
        return found

    return all_outputs


@task("L4.6a", section="4.5")
def all_outputs(student: Any, random: np.random.Generator) -> str:
    sizes = (3, 5, 4, 2)
    weights, biases = _layers(random, sizes)
    x = random.normal(size=(7, 3))
    answer = student(weights, biases, x)
    expect.length(answer, 4, name="x and the outputs of three layers")
    for value, size in zip(answer, sizes, strict=True):
        expect.shape(value, (7, size), name=f"the outputs of a layer with {size} nodes")
        expect.finite(value, name="the outputs")
    truth = _outputs()(weights, biases, x)
    expect.close(answer[0], x, because="the list begins with x itself", rung="known mistake")
    for wrong, because in (
        (_outputs(last=True), "a linear last layer: a regression is not bound to the range from -1 to 1"),
        (_outputs(bias=False), "each layer adds its bias"),
        (_outputs(hidden=False), "tanh in the hidden layers, or the network is one affine map"),
        (_outputs(slope=lambda a: np.maximum(a, 0)), "tanh in the hidden layers, not ReLU"),
    ):
        expect.differs(answer[-1], wrong(weights, biases, x)[-1], because=because)
    expect.at_most(
        max(float(np.abs(h).max()) for h in answer[1:-1]),
        1.0,
        because="hidden outputs after their tanh, between -1 and 1: backpropagation needs these, not the sums",
        name="the largest hidden output",
    )
    turned = student([-w for w in weights], [b * (-1) ** (i + 1) for i, b in enumerate(biases)], x)
    expect.close(
        np.abs(turned[-1]),
        np.abs(truth[-1]),
        rtol=1e-6,
        because="tanh is odd: with the sign of every weight turned, and of every other bias, only signs change",
        rung="physics",
    )
    for value, wanted in zip(answer, truth, strict=True):
        expect.close(value, wanted, atol=1e-12, because="tanh of W h + b, and W h + b in the last layer")
    single = student(weights[:1], biases[:1], x)
    expect.length(single, 2, name="x and the output of one layer")
    expect.close(single[1], truth[0] @ weights[0].T + biases[0], atol=1e-12, because="one layer is the last layer")
    return "any depth; all outputs are kept for the way back"


all_outputs.hints = (
    "Start with a list that holds x. In each layer, take the last entry, compute, append.",
    "`h @ w.T + b` for the sums; np.tanh of it unless this is the last layer.",
)
all_outputs.mistakes = {
    "tanh at the output": (_outputs(last=True), "a linear last layer"),
    "biases forgotten": (_outputs(bias=False), "adds its bias"),
    "no activation": (_outputs(hidden=False), "one affine map"),
    "ReLU": (_outputs(slope=lambda a: np.maximum(a, 0)), "not ReLU"),
    "sums are kept": (
        lambda weights, biases, x: [
            h if i in (0, len(weights)) else np.arctanh(np.clip(h, -0.99999, 0.99999))
            for i, h in enumerate(_outputs()(weights, biases, x))
        ],
        "not the sums",
    ),
    "sigmoid": (_outputs(slope=lambda a: 1 / (1 + np.exp(-a))), "tanh is odd"),
    "without x": (lambda weights, biases, x: _outputs()(weights, biases, x)[1:], "3 entries"),
}


def _back(
    *,
    mean: bool = True,
    slope: bool = True,
    of_sums: bool = False,
    factor: float = 2.0,
    bias_mean: bool = False,
    deepest_first: bool = False,
    per_output: bool = False,
) -> Callable[[Arrays, Arrays, np.ndarray], tuple[Arrays, Arrays]]:
    def backpropagate(weights: Arrays, outputs: Arrays, y: np.ndarray) -> tuple[Arrays, Arrays]:
        d = factor * (outputs[-1] - y) / (len(y) if mean else 1) / (y.shape[1] if per_output else 1)
        found = []
        for matrix, h in zip(weights[::-1], outputs[-2::-1], strict=True):
            found.append((np.einsum("nm,nk->mk", d, h), d.mean(0) if bias_mean else d.sum(0)))
            d = d.dot(matrix)
            if slope:
                d = d * (1 - np.tanh(h) ** 2 if of_sums else 1 - h * h)
        if not deepest_first:
            found = found[::-1]
        return [w for w, _ in found], [b for _, b in found]

    return backpropagate


@task("L4.6b", section="4.5")
def backpropagate(student: Any, random: np.random.Generator) -> str:
    sizes = (4, 4, 4, 4)  # square matrices: exchanged layers or axes have the right shape
    weights, biases = _layers(random, sizes)
    x, y = random.normal(size=(9, 4)), random.normal(size=(9, 4))
    outputs = _outputs()(weights, biases, x)
    answer = student(weights, outputs, y)
    expect.is_tuple(answer, 2, name="gradients by the weights and by the biases")
    by_weights, by_biases = answer
    expect.length(by_weights, 3, name="the gradients by the weights of three layers")
    expect.length(by_biases, 3, name="the gradients by the biases of three layers")
    for i in range(3):
        expect.shape(by_weights[i], (4, 4), name=f"the gradient by the weights of layer {i + 1}")
        expect.shape(by_biases[i], (4,), name=f"the gradient by the biases of layer {i + 1}")
        expect.finite(by_weights[i], name="the gradients")
    first, last = by_weights[0], by_weights[2]
    truth = _back()(weights, outputs, y)
    expect.differs(last, truth[0][0], because="the lists begin with the first layer, as the weights do")
    expect.differs(last, truth[0][2] * 9, because="the mean over the events: 1/k in (4.12)")
    expect.differs(last, truth[0][2] / 4, because="the sum over the outputs (4.12), not their mean as in Keras")
    expect.differs(last, truth[0][2] / 2, because="the derivative of a square has a factor 2")
    expect.differs(last, -truth[0][2], because="prediction minus truth, in this order")
    expect.differs(
        last, truth[0][2].T, because="rows of a gradient are nodes, columns are inputs, as in the weights themselves"
    )
    expect.differs(
        first,
        _back(slope=False)(weights, outputs, y)[0][0],
        because="on the way through a hidden layer the slope of tanh is a factor",
    )
    expect.differs(
        first,
        _back(of_sums=True)(weights, outputs, y)[0][0],
        because="the list holds outputs, after the tanh: its slope is 1 - h^2, without another tanh",
    )
    expect.differs(
        by_biases[2],
        truth[1][2] / 9,
        because="the 1/k is in delta already: the gradient by a bias is the sum of delta over the events",
    )
    way_w, way_b = _layers(random, sizes)
    step = 1e-5
    losses = [
        np.mean(
            (
                (
                    _outputs()(
                        [w + sign * step * d for w, d in zip(weights, way_w, strict=True)],
                        [b + sign * step * d for b, d in zip(biases, way_b, strict=True)],
                        x,
                    )[-1]
                    - y
                )
                ** 2
            ).sum(axis=1)
        )
        for sign in (1, -1)
    ]
    promised = sum(float(np.sum(g * d)) for g, d in zip([*by_weights, *by_biases], [*way_w, *way_b], strict=True))
    expect.close(
        promised,
        (losses[0] - losses[1]) / (2 * step),
        rtol=1e-5,
        atol=1e-7,
        because="moved a little in a random direction, the loss changes as the gradients say (finite differences)",
        name="the promised change",
        rung="physics",
    )
    weights, biases = _layers(random, (3, 6, 5, 4, 2))
    x, y = random.normal(size=(8, 3)), random.normal(size=(8, 2))
    outputs = _outputs()(weights, biases, x)
    deeper, wanted = student(weights, outputs, y), _back()(weights, outputs, y)
    for kind in (0, 1):
        for i in range(4):
            expect.close(
                deeper[kind][i], wanted[kind][i], rtol=1e-7, atol=1e-12, because=f"layer {i + 1} of a deeper network"
            )
    return "right for any depth and width"


backpropagate.hints = (
    "delta starts as 2 (prediction - y) / k, shape (n, outputs). Loop over the layers from the last to the first.",
    "The gradient by W of a layer is delta.T @ (output of the layer before), that by b is delta.sum(axis=0).",
    "Then delta goes one layer down: (delta @ W) times 1 - h**2, with h the output of the layer before.",
)
backpropagate.mistakes = {
    "last layer first": (_back(deepest_first=True), "begin with the first layer"),
    "sum over the events": (_back(mean=False), "the mean over the events"),
    "mean over the outputs": (_back(per_output=True), "not their mean as in Keras"),
    "factor 2 lost": (_back(factor=1.0), "a factor 2"),
    "sign": (_back(factor=-2.0), "in this order"),
    "no slope of tanh": (_back(slope=False), "the slope of tanh is a factor"),
    "tanh twice": (_back(of_sums=True), "without another tanh"),
    "biases averaged": (_back(bias_mean=True), "in delta already"),
    "rows and columns": (
        lambda weights, outputs, y: (
            [g.T for g in _back()(weights, outputs, y)[0]],
            _back()(weights, outputs, y)[1],
        ),
        "rows of a gradient are nodes",
    ),
    "only the last layer": (
        lambda weights, outputs, y: (
            [g * (i == len(weights) - 1) for i, g in enumerate(_back()(weights, outputs, y)[0])],
            _back()(weights, outputs, y)[1],
        ),
        "moved a little in a random direction",
    ),
}

quiz(
    "4.5-q1",
    question="All weights of a hidden layer begin with the same value, and its biases at zero. After a long training, "
    "how many different nodes does the layer have?",
    options=(
        "As many as it has nodes: the gradients differ.",
        "One: equal nodes get equal gradients and stay equal.",
        "None: equal weights have zero gradients.",
        "It depends on the learning rate.",
    ),
    answer=2,
    explanation="Nothing in the loss tells the nodes apart. Zero gradients occur only if the weights are all zero.",
)

# --- M4.6 -------------------------------------------------------------------------------------------------


def _state(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters, a memory that is positive, and a gradient."""
    signs = random.choice([-1.0, 1.0], 6)
    return random.normal(size=6), random.uniform(0.3, 2, 6), signs * random.uniform(0.3, 3, 6)


def _expect_states(answer: Any, number: int, name: str) -> None:
    expect.is_tuple(answer, number, name=name)
    for value in answer:
        expect.shape(value, (6,), name="each result, of the shape of theta")
        expect.finite(value, name="the results")


@task("M4.6a", section="4.8.3")
def momentum_step(student: Any, random: np.random.Generator) -> str:
    theta, _, g = _state(random)
    v = random.normal(size=6)
    rate, beta = 0.1, 0.7
    answer = student(theta, v, g, rate, beta)
    _expect_states(answer, 2, "theta and velocity")
    new, velocity = answer
    for wrong, because in (
        (beta * v - rate * g, "the book weights the new gradient with 1 - beta (4.46); without it, it is Keras's way"),
        (beta * v + (1 - beta) * rate * g, "downhill: minus the gradient"),
        ((1 - beta) * v - beta * rate * g, "beta belongs to the old velocity, 1 - beta to the gradient"),
        (-rate * g, "the old velocity goes on: beta times v"),
        (beta * v - (1 - beta) * g, "the learning rate is a factor of the gradient"),
    ):
        expect.differs(velocity, wrong, because=because)
    expect.differs(new, theta + v, because="theta moves with the new velocity, not with the old one")
    expect.close(
        new - theta, velocity, atol=1e-12, because="theta moves by the velocity that is returned", rung="physics"
    )
    at, moving = theta, np.zeros(6)
    for _ in range(150):
        at, moving = student(at, moving, g, rate, beta)
    expect.close(
        moving,
        -rate * g,
        rtol=1e-6,
        because="with a constant gradient the velocity settles at -alpha times the gradient",
        rung="physics",
    )
    expect.close(velocity, beta * v - rate * (1 - beta) * g, atol=1e-12, because="equation (4.46)")
    expect.close(new, theta + velocity, atol=1e-12, because="equation (4.47)")
    return "with a constant gradient it becomes plain descent"


def _momentum(
    velocity: Callable[[Any, Any, float, float], Any], *, old: bool = False
) -> Callable[[np.ndarray, np.ndarray, np.ndarray, float, float], Any]:
    def momentum_step(
        theta: np.ndarray, velocity_: np.ndarray, gradient: np.ndarray, learning_rate: float, beta: float
    ) -> Any:
        new = velocity(velocity_, gradient, learning_rate, beta)
        return theta + (velocity_ if old else new), new

    return lambda theta, velocity, gradient, learning_rate, beta: momentum_step(
        theta, velocity, gradient, learning_rate, beta
    )


momentum_step.hints = (
    "First the new velocity from the old one and the gradient, then theta plus the new velocity.",
    "beta * velocity minus (1 - beta) * learning_rate * gradient.",
)
momentum_step.mistakes = {
    "the convention of Keras": (_momentum(lambda v, g, a, b: b * v - a * g), "weights the new gradient"),
    "uphill": (_momentum(lambda v, g, a, b: b * v + (1 - b) * a * g), "minus the gradient"),
    "beta exchanged": (_momentum(lambda v, g, a, b: (1 - b) * v - b * a * g), "belongs to the old velocity"),
    "no memory": (_momentum(lambda v, g, a, b: -a * g), "the old velocity goes on"),
    "no learning rate": (_momentum(lambda v, g, a, b: b * v - (1 - b) * g), "a factor of the gradient"),
    "old velocity": (_momentum(lambda v, g, a, b: b * v - (1 - b) * a * g, old=True), "not with the old one"),
    "theta only": (
        lambda theta, velocity, gradient, learning_rate, beta: theta + beta * velocity,
        "2 results",
    ),
}


def _adaptive(theta: Any, nu: Any, g: Any, rate: float, epsilon: float) -> Any:
    return theta - rate * g * (nu**0.5 + epsilon) ** -1


@task("M4.6b", section="4.8.1")
def adagrad_step(student: Any, random: np.random.Generator) -> str:
    theta, nu, g = _state(random)
    rate, epsilon = 0.1, 0.05
    rising = student(theta, nu, np.abs(g), rate, epsilon)  # first a case in which every wrong root exists
    expect.is_tuple(rising, 2, name="theta and nu")
    expect.differs(rising[1], nu + np.abs(g), because="the squares of the gradients are added up, not the gradients")
    answer = student(theta, nu, g, rate, epsilon)
    _expect_states(answer, 2, "theta and nu")
    new, found = answer
    total = nu + g * g
    expect.differs(found, g * g, because="nu keeps what was before and adds to it")
    expect.differs(found, nu, because="the sum in (4.39) includes the gradient of this step")
    expect.differs(new, theta - rate / (total + epsilon) * g, because="the square root of nu is in the denominator")
    expect.differs(
        new,
        theta - rate / np.sqrt(total + epsilon) * g,
        because="epsilon beside the root, as in (4.40); under the root is the way of Keras",
    )
    expect.differs(new, _adaptive(theta, total, -g, rate, epsilon), because="downhill: minus the gradient")
    expect.differs(
        new, _adaptive(theta, nu, g, rate, epsilon), because="the rate of this step contains the gradient of this step"
    )
    first = student(theta, np.zeros(6), 100 * g, rate, 0.0)[0]
    expect.close(
        np.abs(first - theta),
        np.full(6, rate),
        rtol=1e-6,
        because="the first step is alpha for every parameter, however large its gradient",
        rung="physics",
    )
    at, memory = theta, np.zeros(6)
    for _ in range(100):
        before = at
        at, memory = student(at, memory, g, rate, 0.0)
    expect.close(
        np.abs(at - before),
        np.full(6, rate / 10),
        rtol=1e-6,
        because="with a constant gradient step number t is alpha / sqrt(t)",
        rung="physics",
    )
    expect.close(found, total, because="the sum of the squares (4.39)")
    expect.close(new, _adaptive(theta, total, g, rate, epsilon), atol=1e-12, because="equation (4.40)")
    return "step 100 of a constant gradient is ten times smaller than the first"


def _adagrad(
    memory: Callable[[Any, Any], Any] = lambda nu, g: nu + g * g, step: Callable[..., Any] = _adaptive
) -> Callable[[np.ndarray, np.ndarray, np.ndarray, float, float], Any]:
    def adagrad_step(theta: Any, nu: Any, gradient: Any, learning_rate: float, epsilon: float) -> Any:
        after = memory(nu, gradient)
        return step(theta, after, gradient, learning_rate, epsilon), after

    return adagrad_step


adagrad_step.hints = (
    "The new nu first: the old one plus the square of the gradient, parameter by parameter.",
    "Then theta minus learning_rate / (root of the new nu + epsilon) times the gradient.",
)
adagrad_step.mistakes = {
    "gradients not squared": (_adagrad(lambda nu, g: nu + g), "the squares of the gradients"),
    "forgets": (_adagrad(lambda nu, g: g * g), "keeps what was before"),
    "does not learn": (_adagrad(lambda nu, g: 1.0 * nu), "includes the gradient"),
    "no root": (
        _adagrad(step=lambda theta, nu, g, a, e: theta - a * g * (nu + e) ** -1),
        "the square root of nu",
    ),
    "epsilon under the root": (
        _adagrad(step=lambda theta, nu, g, a, e: theta - a * g * (nu + e) ** -0.5),
        "beside the root",
    ),
    "uphill": (_adagrad(step=lambda theta, nu, g, a, e: _adaptive(theta, nu, -g, a, e)), "minus the gradient"),
    "the old nu": (
        _adagrad(step=lambda theta, nu, g, a, e: _adaptive(theta, nu - g * g, g, a, e)),
        "contains the gradient of this step",
    ),
    "no epsilon": (_adagrad(step=lambda theta, nu, g, a, e: _adaptive(theta, nu, g, a, 0.0)), "equation (4.40)"),
}


@task("M4.6c", section="4.8.2")
def rmsprop_step(student: Any, random: np.random.Generator) -> str:
    theta, nu, g = _state(random)
    rate, beta, epsilon = 0.1, 0.8, 0.05
    rising = student(theta, nu, np.abs(g), rate, beta, epsilon)  # first a case in which every wrong root exists
    expect.is_tuple(rising, 2, name="theta and nu")
    expect.differs(rising[1], beta * nu + (1 - beta) * np.abs(g), because="the square of the gradient enters nu")
    answer = student(theta, nu, g, rate, beta, epsilon)
    _expect_states(answer, 2, "theta and nu")
    new, found = answer
    average = beta * nu + (1 - beta) * g * g
    expect.differs(found, nu + g * g, because="a falling memory (4.41): the sum without beta is Adagrad")
    expect.differs(found, beta * nu + g * g, because="the new square counts with 1 - beta, so that nu is an average")
    expect.differs(
        found, (1 - beta) * nu + beta * g * g, because="beta belongs to the memory, 1 - beta to the new square"
    )
    expect.differs(
        new,
        theta - rate / np.sqrt(average + epsilon) * g,
        because="epsilon beside the root, as in (4.42); under the root is the way of Keras",
    )
    expect.differs(new, theta - rate / (average + epsilon) * g, because="the square root of nu is in the denominator")
    expect.differs(new, _adaptive(theta, average, -g, rate, epsilon), because="downhill: minus the gradient")
    at, memory = theta, np.zeros(6)
    for _ in range(200):
        before = at
        at, memory = student(at, memory, 50 * g, rate, beta, 0.0)
    expect.close(
        np.abs(at - before),
        np.full(6, rate),
        rtol=1e-6,
        because="with a constant gradient the step becomes alpha, whatever the size of the gradient",
        rung="physics",
    )
    expect.close(found, average, because="equation (4.41)")
    expect.close(new, _adaptive(theta, average, g, rate, epsilon), atol=1e-12, because="equation (4.42)")
    return "it forgets, so its steps do not die out as those of Adagrad"


def _rmsprop(
    memory: Callable[[Any, Any, float], Any] = lambda nu, g, b: b * nu + (1 - b) * g * g,
    step: Callable[..., Any] = _adaptive,
) -> Callable[[np.ndarray, np.ndarray, np.ndarray, float, float, float], Any]:
    def rmsprop_step(theta: Any, nu: Any, gradient: Any, learning_rate: float, beta: float, epsilon: float) -> Any:
        after = memory(nu, gradient, beta)
        return step(theta, after, gradient, learning_rate, epsilon), after

    return rmsprop_step


rmsprop_step.hints = (
    "As Adagrad, but the new nu is an average: beta times the old one, 1 - beta times the square of the gradient.",
    "The step: learning_rate * gradient over the root of the new nu plus epsilon.",
)
rmsprop_step.mistakes = {
    "Adagrad": (_rmsprop(lambda nu, g, b: nu + g * g), "is Adagrad"),
    "no average": (_rmsprop(lambda nu, g, b: b * nu + g * g), "counts with 1 - beta"),
    "beta exchanged": (_rmsprop(lambda nu, g, b: (1 - b) * nu + b * g * g), "belongs to the memory"),
    "not squared": (_rmsprop(lambda nu, g, b: b * nu + (1 - b) * g), "enters nu"),
    "epsilon under the root": (
        _rmsprop(step=lambda theta, nu, g, a, e: theta - a * g * (nu + e) ** -0.5),
        "beside the root",
    ),
    "no root": (
        _rmsprop(step=lambda theta, nu, g, a, e: theta - a * g * (nu + e) ** -1),
        "the square root of nu",
    ),
    "uphill": (_rmsprop(step=lambda theta, nu, g, a, e: _adaptive(theta, nu, -g, a, e)), "minus the gradient"),
}


@task("M4.6d", section="4.8.4")
def adam_step(student: Any, random: np.random.Generator) -> str:
    theta, nu, g = _state(random)
    m = random.normal(size=6)
    rate, gamma, beta, epsilon, t = 0.1, 0.8, 0.95, 0.05, 3
    rising = student(theta, m, nu, t, np.abs(g), rate, gamma, beta, epsilon)  # a case in which every wrong root exists
    expect.is_tuple(rising, 3, name="theta, m and nu")
    expect.differs(rising[2], beta * nu + (1 - beta) * np.abs(g), because="nu averages the squares of the gradients")
    answer = student(theta, m, nu, t, g, rate, gamma, beta, epsilon)
    _expect_states(answer, 3, "theta, m and nu")
    new, first, second = answer
    mean, square = gamma * m + (1 - gamma) * g, beta * nu + (1 - beta) * g * g
    expect.differs(
        first,
        mean / (1 - gamma**t),
        because="m is remembered uncorrected; the literal (4.48) would correct it again and again",
    )
    expect.differs(second, square / (1 - beta**t), because="nu is remembered uncorrected, as m is")
    expect.differs(
        first,
        beta * m + (1 - beta) * g,
        because="gamma belongs to m and beta to nu: here they are exchanged",
    )
    expect.differs(
        new,
        _adaptive(theta, square, mean, rate, epsilon),
        because="the averages begin at zero: divide them by 1 - gamma^t and 1 - beta^t for this step",
    )
    corrected, spread = mean / (1 - gamma**t), square / (1 - beta**t)
    expect.differs(
        new,
        _adaptive(theta, spread, g, rate, epsilon),
        because="the direction is the averaged gradient m, not that of this step",
    )
    expect.differs(
        new,
        theta - rate * corrected / np.sqrt(spread + epsilon),
        because="epsilon beside the root, as in (4.50)",
    )
    expect.differs(new, _adaptive(theta, spread, -corrected, rate, epsilon), because="downhill: minus alpha (4.50)")
    zero = np.zeros(6)
    for size in (1e-3, 1e3):
        begun = student(theta, zero, zero, 1, size * g, rate, gamma, beta, 0.0)[0]
        expect.close(
            begun - theta,
            -rate * np.sign(g),
            rtol=1e-6,
            because="the first step is alpha for every parameter, however large or small its gradient",
            rung="physics",
        )
    at, one, two = theta, zero, zero
    for step in range(1, 6):
        before = at
        at, one, two = student(at, one, two, step, g, rate, gamma, beta, 0.0)
        expect.close(
            before - at,
            rate * np.sign(g),
            rtol=1e-6,
            because="with a constant gradient every step is alpha: the corrections belong to step number t",
            name=f"step {step}",
            rung="physics",
        )
    expect.close(first, mean, atol=1e-12, because="the average of the gradients")
    expect.close(second, square, atol=1e-12, because="the average of their squares")
    expect.close(new, _adaptive(theta, spread, corrected, rate, epsilon), atol=1e-12, because="equation (4.50)")
    return "the first step is alpha, whatever the scale of the loss"


def _adam(
    *,
    keep_corrected: str = "",
    correct: bool = True,
    exchanged: bool = False,
    squared: bool = True,
    average: bool = True,
    under: bool = False,
    late: bool = False,
    sign: float = 1.0,
) -> Callable[..., Any]:
    def adam_step(
        theta: Any,
        m: Any,
        nu: Any,
        t: int,
        gradient: Any,
        learning_rate: float,
        gamma: float,
        beta: float,
        epsilon: float,
    ) -> Any:
        g, decay, slow = gradient, *((beta, gamma) if exchanged else (gamma, beta))
        m = decay * m + (1 - decay) * g
        nu = slow * nu + (1 - slow) * (g * g if squared else g)
        number = t + late
        one, two = (m / (1 - decay**number), nu / (1 - slow**number)) if correct else (m, nu)
        one = one if average else g
        size = (two + epsilon) ** 0.5 if under else two**0.5 + epsilon
        kept = (one if keep_corrected == "m" else m), (two if keep_corrected == "nu" else nu)
        return theta - sign * learning_rate * one / size, *kept

    return adam_step


adam_step.hints = (
    "Update m and nu first and keep them as they are; the corrected copies are used for this step only.",
    "m_hat = m / (1 - gamma**t), nu_hat = nu / (1 - beta**t).",
    "theta minus learning_rate * m_hat over (root of nu_hat + epsilon); return theta, m, nu.",
)
adam_step.mistakes = {
    "the book taken literally": (_adam(keep_corrected="m"), "again and again"),
    "nu remembered corrected": (_adam(keep_corrected="nu"), "nu is remembered uncorrected"),
    "no correction": (_adam(correct=False), "the averages begin at zero"),
    "gamma and beta exchanged": (_adam(exchanged=True), "here they are exchanged"),
    "not squared": (_adam(squared=False), "averages the squares"),
    "no momentum": (_adam(average=False), "not that of this step"),
    "epsilon under the root": (_adam(under=True), "beside the root"),
    "uphill": (_adam(sign=-1.0), "minus alpha"),
    "t counted from 0": (_adam(late=True), "however large or small its gradient"),
}

quiz(
    "4.8-q1",
    question="A colleague multiplies the loss by 1000. Which optimiser takes (nearly) the same steps as before?",
    options=(
        "Plain gradient descent.",
        "Gradient descent with momentum.",
        "None: larger gradients always mean larger steps.",
        "Adagrad, RMSprop and Adam: they divide by the size of the gradients.",
    ),
    answer=4,
    explanation="The scale cancels in g / sqrt(nu), as long as epsilon is small beside it. Plain descent and momentum "
    "need a learning rate that is 1000 times smaller.",
)
