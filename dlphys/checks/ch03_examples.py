"""Checks of the examples of chapter 3: inputs for a car, a regression network, a ReLU network set by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task


@task("X3.1a", section="3.3.1")
def car_inputs(student: Any, random: np.random.Generator) -> str:
    distance, time = random.uniform(5, 300, 60), random.uniform(0.2, 4, 60)
    answer = student(distance, time)
    expect.shape(answer, (60, 2), name="the inputs of 60 trips")
    expect.finite(answer, name="the inputs")
    expect.differs(
        answer,
        np.column_stack([distance, time]),
        because="log v is no weighted sum of s and t themselves; what is the logarithm of a ratio?",
    )
    expect.differs(
        answer,
        np.column_stack([1 / distance, 1 / time]),
        because="1/t would have to be multiplied by s, but a node only adds",
    )
    expect.holds(
        np.allclose(answer[:, 0], student(distance, 2 * time)[:, 0])
        and np.allclose(answer[:, 1], student(2 * distance, time)[:, 1]),
        because="the first column depends on the distance alone, the second on the time alone: leave the "
        "combining to the node",
        seen="a column that changes with the other quantity",
        rung="known mistake",
    )
    km, m = answer[:, 0], student(1000 * distance, time)[:, 0]
    expect.at_most(
        np.ptp(m - km),
        1e-6 * max(1.0, float(np.ptp(km))),
        because="in metres instead of kilometres the first input must shift by one constant, which the bias takes up",
        name="the spread of that shift over the trips",
    )
    inputs = np.column_stack([answer, np.ones(60)])
    target = np.log(distance / time)
    node = np.linalg.lstsq(inputs, target, rcond=None)[0]
    expect.at_most(
        np.abs(inputs @ node - target).max(),
        1e-6,
        because="one linear node on your inputs predicts log v exactly, for every trip",
        name="the largest error of the best node",
        rung="value",
    )
    return f"the node's weights on your inputs: {node[0]:.3g} and {node[1]:.3g}"


car_inputs.hints = (
    "log(s / t) = ?",
    "Apply one and the same function to distance and time, each on its own.",
    "return np.column_stack([np.log(distance), np.log(time)])",
)
car_inputs.mistakes = {
    "distance and time as they are": (lambda distance, time: np.column_stack([distance, time]), "logarithm of a ratio"),
    "reciprocals": (lambda distance, time: np.column_stack([1 / distance, 1 / time]), "a node only adds"),
    "the answer as an input": (
        lambda distance, time: np.column_stack([np.log(distance / time), np.log(time)]),
        "leave the combining to the node",
    ),
    "square roots": (
        lambda distance, time: np.column_stack([np.sqrt(distance), np.sqrt(time)]),
        "shift by one constant",
    ),
    "logarithm of the distance only": (
        lambda distance, time: np.column_stack([np.log(distance), time]),
        "for every trip",
    ),
    "trips in columns": (lambda distance, time: np.stack([np.log(distance), np.log(time)]), "shape (60, 2)"),
}


@task("X3.2a", section="3.3.1")
def build_network(student: Any, random: np.random.Generator) -> str:
    model = student(8, 2)
    expect.is_model(model)
    expect.output_shape(model, given=(5, 8), is_=(5, 2))
    dense = [layer for layer in model.layers if layer["class_name"] == "Dense"]
    expect.activation(model, not_="softmax", because="softmax outputs add up to 1; two coordinates do not")
    expect.activation(
        model, not_="sigmoid", because="a sigmoid stays between 0 and 1; a coordinate in kilometres does not"
    )
    expect.activation(
        model, not_="relu", because="ReLU at the output is never negative, so nothing could lie in the west or south"
    )
    expect.activation(model, not_="tanh", because="tanh stays between -1 and 1; a regression has a linear output")
    expect.activation(model, is_="linear", because="a regression has a linear output")
    hidden = [layer["config"]["activation"] for layer in dense[:-1]]
    expect.holds(
        hidden and all(name != "linear" for name in hidden),
        because="hidden layers need an activation, or all layers collapse into one (3.3)",
        seen=f"activations {', '.join(hidden) or 'none: there is no hidden layer'}",
        rung="known mistake",
    )
    expect.equal(
        [layer["config"]["units"] for layer in dense],
        [64, 64, 2],
        because="two hidden layers of 64 nodes and one node for each output",
    )
    expect.holds(
        all(name == "relu" for name in hidden),
        because="ReLU in both hidden layers",
        seen=f"activations {', '.join(hidden)}",
    )
    other = student(3, 1)
    expect.is_model(other)
    expect.output_shape(other, given=(4, 3), is_=(4, 1))
    expect.equal(
        model.count_params(),
        8 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2,
        because="a weight for each connection and a bias for each node",
    )
    return f"{model.count_params()} parameters for 8 inputs and 2 outputs"


def _network(
    hidden: str | None = "relu", last: str | None = None, nodes: tuple[int, ...] = (64, 64), outputs: int | None = None
) -> Callable[[int, int], Any]:
    def build_network(n_inputs: int, n_outputs: int) -> Any:
        import keras

        return keras.Sequential(
            [
                keras.Input(shape=(n_inputs,)),
                *(keras.layers.Dense(n, activation=hidden) for n in nodes),
                keras.layers.Dense(outputs or n_outputs, activation=last),
            ]
        )

    return build_network


build_network.hints = (
    "keras.Sequential([...]) with keras.Input((n_inputs,)) first, then three Dense layers.",
    'The hidden ones: layers.Dense(64, activation="relu"). The output of a regression has no activation.',
    "The last layer is layers.Dense(n_outputs).",
)
build_network.mistakes = {
    "sigmoid at the output": (_network(last="sigmoid"), "between 0 and 1"),
    "ReLU at the output": (_network(last="relu"), "west or south"),
    "softmax at the output": (_network(last="softmax"), "add up to 1"),
    "no activation in the hidden layers": (_network(hidden=None), "collapse into one"),
    "one hidden layer": (_network(nodes=(64,)), "two hidden layers of 64"),
    "tanh in the hidden layers": (_network(hidden="tanh"), "ReLU in both"),
    "number of outputs fixed": (_network(outputs=1), "output of shape (5, 2)"),
}

quiz(
    "X3.2-q1",
    question="The network beats triangulation although nobody told it the wave speeds. What would make "
    "triangulation win?",
    options=(
        "More test quakes.",
        "A faster computer.",
        "Calibrating the clocks of the stations first: the network has learned their errors from the labels.",
        "Leaving out the S waves.",
    ),
    answer=3,
    explanation="The model of the triangulation is right but for the constant clock errors. A network can learn "
    "those only because it sees true epicentres in training.",
)


@task("M3.2a", section="3.4")
def relu_interpolant(student: Any, random: np.random.Generator) -> str:
    knots = np.cumsum(random.uniform(0.2, 1.5, 7)) - 3.0
    values = random.normal(size=7) + 2.0
    answer = student(knots, values)
    expect.is_tuple(answer, 3, name="hidden biases, output weights, output bias")
    biases, weights, bias = answer
    expect.shape(biases, (6,), name="the biases of 6 hidden nodes for 7 points")
    expect.shape(weights, (6,), name="the output weights")
    expect.number(bias, name="the output bias")
    expect.finite(weights, name="the output weights")
    rise, run = np.diff(values), np.diff(knots)
    slopes = rise / run
    expect.differs(
        biases, knots[:-1], because="node k switches on at x_k, where x + bias = 0: mind the sign of the bias"
    )
    expect.differs(
        weights,
        slopes,
        because="the nodes before it are still on: an output weight is the change of the slope at its knot, not "
        "the slope",
    )
    expect.differs(
        weights,
        np.diff(np.diff(values), prepend=0.0),
        because="a slope is a difference of values divided by the distance of the knots, which need not be 1",
    )
    expect.differs(
        bias, 0.0, because="left of all knots no node is on, so the output bias is the value of the first point"
    )

    def network(x: np.ndarray, parameters: Any) -> np.ndarray:
        return np.asarray(np.maximum(x[:, None] + parameters[0], 0) @ parameters[1] + parameters[2])

    expect.close(
        network(knots[:2], answer),
        values[:2],
        atol=1e-9,
        because="the curve passes through the first two points",
        rung="physics",
    )
    expect.close(
        network(knots, answer),
        values,
        atol=1e-9,
        because="the curve passes through every point, up to the last",
        rung="physics",
    )
    middle = (knots[1:] + knots[:-1]) / 2
    expect.close(
        network(middle, answer),
        (values[1:] + values[:-1]) / 2,
        atol=1e-9,
        because="between two knots the curve is a straight line",
        rung="physics",
    )
    line = student(knots, 0.5 - 2 * knots)[1]
    expect.close(
        line, [-2, 0, 0, 0, 0, 0], atol=1e-9, because="on a straight line only the first node is needed", rung="physics"
    )
    raised = student(knots, values + 10)
    expect.close(
        raised[1], weights, atol=1e-9, because="raising the curve changes the output bias alone", rung="physics"
    )
    expect.close(
        raised[2], bias + 10, atol=1e-9, because="raising the curve by 10 raises the output bias by 10", rung="physics"
    )

    def error(nodes: int) -> float:
        x = np.linspace(0, 3, nodes + 1)
        fine = np.linspace(0, 3, 2001)
        return float(np.sqrt(np.mean((network(fine, student(x, np.sin(x))) - np.sin(fine)) ** 2)))

    ratio = error(16) / error(32)
    expect.holds(
        3.6 < ratio < 4.4, because="twice the nodes reduce the error fourfold", seen=f"a factor of {ratio:.2f}"
    )
    return f"twice the nodes, {ratio:.2f} times less error: 1/width squared"


def _interpolant(
    sign: float = -1.0,
    weights: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    bias: Callable[[np.ndarray], float] | None = None,
) -> Callable[..., Any]:
    def relu_interpolant(knots: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        right = np.diff(np.diff(values) / np.diff(knots), prepend=0.0)
        return (
            sign * knots[:-1],
            right if weights is None else weights(knots, values),
            float(values[0] if bias is None else bias(values)),
        )

    return relu_interpolant


relu_interpolant.hints = (
    "Slopes of the lines: np.diff(values) / np.diff(knots). The hidden biases: where is x + bias = 0?",
    "c_0 is the first slope, c_k = slope k minus slope k - 1; np.diff(slopes, prepend=0.0) does both.",
    "return -knots[:-1], np.diff(slopes, prepend=0.0), values[0]",
)
relu_interpolant.mistakes = {
    "sign of the biases": (_interpolant(sign=1.0), "mind the sign"),
    "slopes instead of their changes": (_interpolant(weights=lambda x, f: np.diff(f) / np.diff(x)), "not the slope"),
    "spacing forgotten": (
        _interpolant(weights=lambda x, f: np.diff(np.diff(f), prepend=0.0)),
        "divided by the distance",
    ),
    "no output bias": (_interpolant(bias=lambda f: 0.0), "value of the first point"),
    "changes of the slope turned around": (
        _interpolant(weights=lambda x, f: np.append(f[1] - f[0], 0)[:1].repeat(len(x) - 1) / np.diff(x)[0]),
        "every point, up to the last",
    ),
    "mean as the output bias": (_interpolant(bias=lambda f: float(f.mean())), "through the first two points"),
    "a node too many": (
        lambda knots, values: (
            -knots,
            np.append(np.diff(np.diff(values) / np.diff(knots), prepend=0.0), 0.0),
            values[0],
        ),
        "biases of 6 hidden nodes",
    ),
}

quiz(
    "M3.2-q1",
    question="What does the universal approximation theorem say about training?",
    options=(
        "Training finds the best network if it is wide enough.",
        "Nothing: it says that good parameters exist, not that a method finds them.",
        "One hidden layer trains better than several.",
        "The error after training falls as 1/width squared.",
    ),
    answer=2,
    explanation="Existence and learnability are two questions; the figure shows the gap between them.",
)
