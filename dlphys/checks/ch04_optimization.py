"""Checks of chapter 4: a network by hand for the wines, a line in Keras, softmax and cross-entropy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task

Parameters = tuple[np.ndarray, ...]  # W, b, W', b'
NAMES = ("W", "b", "W'", "b'")

# --- 4.1a -------------------------------------------------------------------------------------------------


def _relu(a: np.ndarray) -> np.ndarray:
    return np.where(a > 0, a, 0.0)


def _draw(random: np.random.Generator, hidden: int, inputs: int) -> Parameters:
    return (
        random.normal(size=(hidden, inputs)),
        random.normal(size=hidden),
        random.normal(size=(hidden, 1)),
        random.normal(size=1),
    )


def _network(
    activation: Callable[[np.ndarray], np.ndarray] = _relu, *, bias: bool = True, last_bias: bool = True
) -> Callable[[Parameters, np.ndarray], np.ndarray]:
    def forward(parameters: Parameters, x: np.ndarray) -> np.ndarray:
        first, b, second, last = parameters
        nodes = activation(np.einsum("mk,nk->nm", first, x) + bias * b)
        return np.einsum("nm,mj->n", nodes, second) + last_bias * last[0]

    return forward


_right = _network()


@task("4.1a", section="4.9")
def forward(student: Any, random: np.random.Generator) -> str:
    hidden, inputs, n = 6, 4, 30
    parameters = _draw(random, hidden, inputs)
    x = random.normal(size=(n, inputs))
    truth = _right(parameters, x)
    parameters = (*parameters[:3], parameters[3] - truth.mean())  # predictions of both signs
    truth = _right(parameters, x)
    answer = student(parameters, x)
    expect.shape(answer, (n,), name=f"the predictions of {n} events")
    expect.finite(answer, name="the predictions")
    expect.differs(
        answer,
        _network(lambda a: a)(parameters, x),
        because="ReLU nodes in the hidden layer: without an activation this is linear regression again",
    )
    expect.differs(
        answer, _relu(truth), because="a linear output: ReLU belongs to the hidden layer only, a prediction may be < 0"
    )
    expect.differs(
        answer, _network(bias=False)(parameters, x), because="each hidden node adds its bias b before its ReLU"
    )
    expect.differs(answer, _network(last_bias=False)(parameters, x), because="the output node has a bias b' as well")
    for name, other in (("sigmoid", lambda a: 1 / (1 + np.exp(-a))), ("tanh", np.tanh)):
        expect.differs(answer, _network(other)(parameters, x), because=f"ReLU nodes, max(0, a), not {name}")
    expect.close(
        student(parameters, x[::-1]),
        answer[::-1],
        because="each event has its own prediction, whatever the order of the events",
        rung="physics",
    )
    first, bias, second, last = parameters
    flat = student((0 * first, 0 * bias, second, last), x)
    expect.close(flat, np.full(n, last[0]), because="with hidden nodes that are all off, b' is left", rung="physics")
    doubled = student((first, 2 * bias, second, last), 2 * x)
    expect.close(
        doubled - last[0],
        2 * (answer - last[0]),
        atol=1e-9,
        because="a ReLU node has no scale: inputs and biases twice as large, hidden outputs twice as large",
        rung="physics",
    )
    expect.close(answer, truth, atol=1e-10, because="W' times the hidden outputs plus b'")
    return f"{hidden * (inputs + 2) + 1} parameters, {n} predictions at once"


forward.hints = (
    "`x @ W.T` has one row for each event and one column for each hidden node; `+ b` adds the biases to every row.",
    "ReLU is np.maximum(..., 0). The hidden outputs times W' have the shape (n, 1).",
    "A column of an array of shape (n, 1) is `[:, 0]`.",
)
forward.mistakes = {
    "no activation": (_network(lambda a: a), "linear regression again"),
    "ReLU at the output": (lambda parameters, x: _relu(_right(parameters, x)), "a linear output"),
    "hidden bias forgotten": (_network(bias=False), "before its ReLU"),
    "output bias forgotten": (_network(last_bias=False), "has a bias b'"),
    "sigmoid": (_network(lambda a: 1 / (1 + np.exp(-a))), "not sigmoid"),
    "leaky nodes": (_network(lambda a: np.where(a > 0, a, 0.1 * a)), "W' times the hidden outputs"),
    "matrix as output": (lambda parameters, x: _right(parameters, x)[:, None], "shape (30,)"),
}

# --- 4.1b -------------------------------------------------------------------------------------------------


def _loss(parameters: Parameters, x: np.ndarray, y: float) -> float:
    return float((_right(parameters, x[None])[0] - y) ** 2)


def _slopes(
    *,
    factor: float = 2.0,
    step_function: bool = True,
    swapped: bool = False,
    through: bool = True,
    before: bool = False,
) -> Callable[[Parameters, np.ndarray, float], Parameters]:
    """Gradients of one event by hand, right or wrong."""

    def gradients(parameters: Parameters, x: np.ndarray, y: float) -> Parameters:
        first, b, second, last = parameters
        sums = first.dot(x) + b
        error = factor * (_relu(sums).dot(second[:, 0]) + last[0] - y)
        back = np.full(len(sums), error)
        if through:
            back = back * second[:, 0]
        if step_function:
            back = back * (sums > 0)
        outer = np.outer(x, back) if swapped else np.outer(back, x)
        nodes = sums if before else _relu(sums)
        return outer, back, (error * nodes)[:, None], np.array([error])

    return gradients


def _event(random: np.random.Generator, hidden: int, inputs: int) -> tuple[Parameters, np.ndarray, float]:
    """Parameters and an event for which some hidden nodes are clearly on and some clearly off."""
    while True:
        parameters, x = _draw(random, hidden, inputs), random.normal(size=inputs)
        sums = parameters[0].dot(x) + parameters[1]
        if np.abs(sums).min() > 0.05 and (sums > 0).sum() >= 2 and (sums < 0).sum() >= 2:
            return parameters, x, float(_right(parameters, x[None])[0] + random.choice([-1, 1]) * random.uniform(1, 2))


def _expect_four(answer: Any, parameters: Parameters, what: str) -> None:
    expect.is_tuple(answer, 4, name=what)
    for name, value, given in zip(NAMES, answer, parameters, strict=True):
        expect.shape(value, given.shape, name=f"{what}, {name}")
        expect.finite(value, name=f"{what}, {name}")


@task("4.1b", section="4.5")
def gradients(student: Any, random: np.random.Generator) -> str:
    parameters, x, y = _event(random, 5, 5)  # as many hidden nodes as inputs: exchanged indices have the right shape
    answer = student(parameters, x, y)
    _expect_four(answer, parameters, "the gradients")
    truth = _slopes()(parameters, x, y)
    expect.differs(answer[3], truth[3] / 2, because="the derivative of a square has a factor 2")
    expect.differs(
        answer[3], -truth[3], because="the derivative by the prediction is 2 (prediction - y), in this order"
    )
    expect.differs(
        answer[0],
        truth[0].T,
        because="the row of W is the hidden node m, the column the input k (the misprint of the official hint)",
    )
    expect.differs(
        answer[1],
        _slopes(step_function=False)(parameters, x, y)[1],
        because="a hidden node that is off, a_m < 0, has no influence: the step function theta(a_m)",
    )
    expect.differs(
        answer[1],
        _slopes(through=False)(parameters, x, y)[1],
        because="the way to hidden node m leads through its weight W'_m",
    )
    expect.differs(
        answer[2],
        _slopes(before=True)(parameters, x, y)[2],
        because="W'_m multiplies h_m, the output of the node after its ReLU, not the sum before it",
    )
    direction = _draw(random, 5, 5)
    step = 1e-6
    ahead, behind = (tuple(p + sign * step * d for p, d in zip(parameters, direction, strict=True)) for sign in (1, -1))
    change = (_loss(ahead, x, y) - _loss(behind, x, y)) / (2 * step)
    promised = sum(float(np.sum(g * d)) for g, d in zip(answer, direction, strict=True))
    expect.close(
        promised,
        change,
        rtol=1e-5,
        atol=1e-7,
        because="moved a little in a random direction, the loss changes as the gradients say (finite differences)",
        name="the promised change",
        rung="physics",
    )
    exact = student(parameters, x, float(_right(parameters, x[None])[0]))
    for name, value in zip(NAMES, exact, strict=True):
        expect.close(
            value,
            np.zeros_like(value),
            atol=1e-10,
            because="a prediction that is exact asks for no change",
            name=f"the gradient by {name}",
            rung="physics",
        )
    other, x, y = _event(random, 7, 3)
    for name, value, wanted in zip(NAMES, student(other, x, y), _slopes()(other, x, y), strict=True):
        expect.close(value, wanted, rtol=1e-6, atol=1e-12, because=f"the gradient by {name} of another network")
    off = int(np.count_nonzero(other[0].dot(x) + other[1] < 0))
    return f"right for any size; {off} of 7 nodes are off for this event and keep their weights"


gradients.hints = (
    "Do the forward pass again and keep a (hidden,) and h. Everything begins with 2 (prediction - y).",
    "The gradient by b is the same as that by a: one number for each hidden node, zero where a < 0.",
    "The gradient by W is the outer product of the gradient by a (rows) with x (columns); np.outer makes it.",
)
gradients.mistakes = {
    "factor 2 lost": (_slopes(factor=1.0), "factor 2"),
    "sign of the error": (_slopes(factor=-2.0), "in this order"),
    "indices exchanged": (_slopes(swapped=True), "the misprint of the official hint"),
    "step function forgotten": (_slopes(step_function=False), "theta(a_m)"),
    "not through W'": (_slopes(through=False), "through its weight"),
    "sum instead of output": (_slopes(before=True), "after its ReLU"),
    "bias without gradient": (
        lambda parameters, x, y: (
            _slopes()(parameters, x, y)[0],
            np.zeros_like(parameters[1]),
            *_slopes()(parameters, x, y)[2:],
        ),
        "moved a little in a random direction",
    ),
    "one array": (
        lambda parameters, x, y: np.concatenate([np.ravel(g) for g in _slopes()(parameters, x, y)]),
        "4 results",
    ),
}

quiz(
    "4.1-q1",
    question="With a step of 1e-6 the finite differences agree to about nine digits. A colleague takes 1e-14, to be "
    "more exact. What happens?",
    options=(
        "The agreement gets better, since the error is proportional to the square of the step.",
        "The agreement is lost: the two losses differ only in their last digits, and rounding takes over.",
        "Nothing changes, since the loss is a smooth function.",
        "The derivative becomes exactly zero, since ReLU has a kink.",
    ),
    answer=2,
    explanation="Two losses of order 1 carry a rounding error of 1e-16; divided by 1e-14 it is one percent of "
    "the derivative or more. The best step is near the cube root of 1e-16.",
)

# --- 4.1c -------------------------------------------------------------------------------------------------


def _stepped(sign: float = -1.0, *, relative: bool = True) -> Callable[[Parameters, np.ndarray, float, float], Any]:
    def update(parameters: Parameters, x: np.ndarray, y: float, learning_rate: float) -> Any:
        found = _slopes()(parameters, x, y)
        return tuple(relative * p + sign * learning_rate * g for p, g in zip(parameters, found, strict=True))

    return update


def _one_after_another(parameters: Parameters, x: np.ndarray, y: float, learning_rate: float) -> Parameters:
    """The output weights first, and the others with gradients of the network that this has made."""
    now = list(parameters)
    for i in (3, 2, 1, 0):
        now[i] = now[i] - learning_rate * _slopes()(tuple(now), x, y)[i]
    return tuple(now)


def _in_place(parameters: Parameters, x: np.ndarray, y: float, learning_rate: float) -> Parameters:
    for p, g in zip(parameters, _slopes()(parameters, x, y), strict=True):
        p -= learning_rate * g
    return parameters


@task("4.1c", section="4.7")
def update(student: Any, random: np.random.Generator) -> str:
    parameters, x, y = _event(random, 6, 4)
    rate = 0.01
    answer = student(parameters, x, y, rate)
    _expect_four(answer, parameters, "the new parameters")
    uphill = _stepped(1.0)(parameters, x, y, rate)
    expect.differs(answer[0], uphill[0], because="against the gradient, downhill: a minus sign in (4.36)")
    expect.differs(
        answer[0],
        _stepped(relative=False)(parameters, x, y, rate)[0],
        because="the new parameters, the old ones plus the change, not the change alone",
    )
    expect.differs(
        answer[1],
        _one_after_another(parameters, x, y, rate)[1],
        because="all four gradients of the old network: do not use weights that this step has changed already",
        rtol=1e-9,
    )
    still = student(parameters, x, y, 0.0)
    for name, value, old in zip(NAMES, still, parameters, strict=True):
        expect.close(value, old, because="a learning rate of zero changes nothing", name=name, rung="physics")
    small = student(parameters, x, y, 1e-4)
    expect.at_most(
        _loss(tuple(small), x, y),
        _loss(parameters, x, y),
        because="a small step makes the prediction of this event better",
        name="the loss after the step",
    )
    twice = student(parameters, x, y, 2 * rate)
    for name, value, first, old in zip(NAMES, twice, answer, parameters, strict=True):
        expect.close(
            value - old,
            2 * (first - old),
            atol=1e-12,
            because="twice the learning rate, twice the step",
            name=f"the step of {name}",
            rung="physics",
        )
    wanted = _stepped()(parameters, x, y, rate)
    for name, value, right in zip(NAMES, answer, wanted, strict=True):
        expect.close(value, right, because=f"{name} minus the learning rate times its gradient", name=name)
    before, after = _loss(parameters, x, y), _loss(tuple(answer), x, y)
    return f"the loss of this event goes from {before:.3f} to {after:.3f} in one step"


update.hints = (
    "Call your `gradients` once, then treat the four arrays alike.",
    "`zip(parameters, slopes)` pairs each array with its gradient; `p - learning_rate * g` makes a new array.",
)
update.mistakes = {
    "uphill": (_stepped(1.0), "a minus sign"),
    "the change alone": (_stepped(relative=False), "not the change alone"),
    "one after another": (_one_after_another, "of the old network"),
    "changes the old arrays": (_in_place, "changes an array"),
    "length of the gradient divided out": (
        lambda parameters, x, y, learning_rate: tuple(
            p - learning_rate * g / (np.linalg.norm(g) + 1e-12)
            for p, g in zip(parameters, _slopes()(parameters, x, y), strict=True)
        ),
        "minus the learning rate times its gradient",
    ),
    "root of the learning rate": (
        lambda parameters, x, y, learning_rate: _stepped()(parameters, x, y, learning_rate**0.5 / 100),
        "twice the step",
    ),
}

# --- 4.1d -------------------------------------------------------------------------------------------------

EVENTS, NEW_EVENTS, NODES, ROUNDS, NOISE = 800, 4000, 12, 12, 0.3


def _bent(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Events on a surface with a kink, which no plane fits, with noise."""
    x = random.normal(size=(n, 3))
    return x, np.abs(x[:, 0]) + 0.5 * x[:, 1] + NOISE * random.normal(size=n)


def _start(random: np.random.Generator) -> Parameters:
    return (
        random.normal(size=(NODES, 3)) * 0.8,
        np.zeros(NODES),
        random.normal(size=(NODES, 1)) * NODES**-0.5,
        np.zeros(1),
    )


def _falling(epochs: int) -> np.ndarray:
    return 0.02 * (1 - np.arange(epochs) / epochs)


def _trained_error(train: Any, random: np.random.Generator) -> tuple[float, float]:
    """Mean squared error of a trained network and of a plane on new events."""
    x, y = _bent(EVENTS, random)
    new_x, new_y = _bent(NEW_EVENTS, random)
    parameters, _ = train(_start(random), x, y, _falling(ROUNDS), int(random.integers(1000)))
    plane = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)[0]
    by_plane = np.mean((np.c_[new_x, np.ones(len(new_x))] @ plane - new_y) ** 2)
    return float(np.mean((_right(tuple(parameters), new_x) - new_y) ** 2)), float(by_plane)


@task("4.1d", section="4.6")
def train(student: Any, random: np.random.Generator) -> str:
    x, y = _bent(40, random)
    start = _start(random)
    rates = np.array([0.01, 0.005, 0.0])
    answer = student(start, x, y, rates, 1)
    expect.is_tuple(answer, 2, name="parameters and errors")
    parameters, errors = answer
    _expect_four(parameters, start, "the trained parameters")
    expect.shape(errors, (3,), name="the errors after 3 epochs")
    expect.finite(errors, name="the errors")
    expect.close(
        errors[2],
        np.mean((_right(tuple(parameters), x) - y) ** 2),
        because="the mean squared error over all events, at the end of the epoch, with the parameters of that moment",
        name="the last error",
        rung="known mistake",
    )
    expect.close(
        errors[2],
        errors[1],
        rtol=1e-9,
        because="each epoch has its own learning rate; the last one here is zero and changes nothing",
        name="the error after an epoch with the rate zero",
        rung="known mistake",
    )
    tiny = 1e-9
    moved, _ = student(start, x, y, np.array([tiny]), 3)
    total = sum(_slopes()(start, event, target)[1] for event, target in zip(x, y, strict=True))
    steps = (start[1] - moved[1]) / tiny
    expect.differs(
        steps, total / len(x), because="a step after every event: 40 in an epoch of 40 events, not one", rtol=1e-3
    )
    other, again = student(start, x, y, rates, 2)[0], student(start, x, y, rates, 1)[0]
    expect.holds(
        not np.allclose(other[0], parameters[0], rtol=1e-9, atol=0),
        because="a random order of the events that depends on the seed",
        seen="the same weights for two seeds",
        rung="known mistake",
    )
    expect.close(again[0], parameters[0], rtol=1e-12, because="the same seed, the same order", rung="known mistake")
    expect.close(
        steps,
        total,
        rtol=1e-3,
        atol=1e-3 * np.abs(total).max(),
        because="every event exactly once in an epoch: for tiny steps their gradients add up",
        name="the change of b over the learning rate",
        rung="physics",
    )
    reached, plane = _trained_error(student, random)
    expect.at_least(
        reached,
        NOISE**2 * (1 - 4 * np.sqrt(2 / NEW_EVENTS)),
        because="not below the noise of the data by four standard errors",
        name="the mean squared error on new events",
    )
    expect.at_most(
        reached, plane, because="better than a plane, since the surface has a kink", name="the mean squared error"
    )
    expect.reaches("4.1d", reached, name="the mean squared error on new events")
    return f"on a surface with a kink: {reached:.3f}, a plane has {plane:.3f}, the limit (the noise) is {NOISE**2:.3f}"


@bar("4.1d", better="lower", source="simulated")
def measure(seed: int) -> float:
    return _trained_error(reference("4.1d"), np.random.default_rng(seed))[0]


def _training(
    *, shuffled: bool = True, own_rate: bool = True, per_event: bool = True, replaced: bool = False, last: bool = False
) -> Callable[[Parameters, np.ndarray, np.ndarray, np.ndarray, int], Any]:
    def train(
        parameters: Parameters, x: np.ndarray, y: np.ndarray, learning_rates: np.ndarray, seed: int
    ) -> tuple[Parameters, np.ndarray]:
        draw = np.random.default_rng(seed)
        history = []
        for rate in learning_rates if own_rate else learning_rates[0] + 0 * learning_rates:
            order = draw.permutation(len(x)) if shuffled else np.arange(len(x))
            if replaced:
                order = draw.integers(len(x), size=len(x))
            if per_event:
                for i in order:
                    parameters = _stepped()(parameters, x[i], y[i], rate)
            else:
                every = [_slopes()(parameters, x[i], y[i]) for i in order]
                parameters = tuple(
                    p - rate * sum(g) / len(x) for p, g in zip(parameters, zip(*every, strict=True), strict=True)
                )
            seen = order[-1:] if last else slice(None)
            history.append(np.mean((_right(parameters, x[seen]) - y[seen]) ** 2))
        return parameters, np.array(history)

    return train


train.hints = (
    "Two loops: over the learning rates, and inside over a permutation of the events.",
    "random = np.random.default_rng(seed) once, before the loops; random.permutation(len(x)) in every epoch.",
    "Inside: parameters = update(parameters, x[i], y[i], rate). After the inner loop: append the mean squared error.",
)
train.mistakes = {
    "always in the same order": (_training(shuffled=False), "for two seeds"),
    "first rate for all epochs": (_training(own_rate=False), "its own learning rate"),
    "one step an epoch": (_training(per_event=False), "not one"),
    "events drawn with repetition": (_training(replaced=True), "exactly once"),
    "error of the last event": (_training(last=True), "over all events"),
    "errors only": (
        lambda parameters, x, y, learning_rates, seed: np.zeros(len(learning_rates)),
        "2 results",
    ),
}


# --- 4.1e -------------------------------------------------------------------------------------------------


@task("4.1e", section="4.9")
def compare_errors(student: Any, random: np.random.Generator) -> str:
    n = 400
    truth = random.integers(3, 9, n).astype(float)
    common = random.normal(size=n)  # both models miss the same wines
    first = truth + common + 0.2 * random.normal(size=n)
    second = truth + common + 0.3 * random.normal(size=n) + 0.3
    answer = student(truth, first, second)
    expect.is_tuple(answer, 2, name="difference and error")
    for name, value in zip(("the difference", "its standard error"), answer, strict=True):
        expect.number(value, name=name)
    difference, error = answer
    one, two = (first - truth) ** 2, (second - truth) ** 2
    d = one - two
    expect.differs(difference, -d.mean(), because="the first minus the second, so that a better first model is < 0")
    expect.differs(difference, d.sum(), because="the mean over the events, not their sum")
    expect.differs(
        difference,
        np.mean(np.abs(first - truth) - np.abs(second - truth)),
        because="squared errors, as in the loss, not absolute ones",
    )
    expect.differs(error, d.std(), because="the error of a mean is smaller than the spread by sqrt(n)", rtol=0.01)
    expect.differs(
        error,
        np.hypot(one.std(), two.std()) / np.sqrt(n),
        because="the spread of the difference itself: the two errors fluctuate together, so they must not be added",
        rtol=0.01,
    )
    expect.differs(
        error, d.var() / n, because="a standard error has a root: standard deviation over sqrt(n)", rtol=0.01
    )
    expect.close(
        student(truth, second, first)[0],
        -difference,
        because="exchanging the two models turns the sign",
        rung="physics",
    )
    shift = student(truth + 10, first + 10, second + 10)
    expect.close(shift, answer, rtol=1e-6, because="another zero of the marks changes nothing", rung="physics")
    expect.close(difference, d.mean(), because="the mean of the difference of the squared errors")
    expect.close(error, d.std() / np.sqrt(n), rtol=0.01, because="the standard deviation of d over sqrt(n)")
    separate = np.hypot(one.std(), two.std()) / np.sqrt(n)
    return f"the paired error is {separate / error:.1f} times smaller than that of two separate tests"


def _compared(
    difference: Callable[[Any, Any], Any], error: Callable[[Any, Any], Any]
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], Any]:
    def compare_errors(truth: np.ndarray, first: np.ndarray, second: np.ndarray) -> Any:
        one, two = first - truth, second - truth
        return float(difference(one, two)), float(error(one, two))

    return compare_errors


def _mean_difference(one: Any, two: Any) -> Any:
    return np.mean(one * one - two * two)


def _paired(one: Any, two: Any) -> Any:
    return np.std(one * one - two * two, ddof=1) / len(one) ** 0.5


compare_errors.hints = (
    "First an array d with one number for each event: the difference of the two squared errors.",
    "The standard error of its mean is d.std() / np.sqrt(len(d)).",
)
compare_errors.mistakes = {
    "second minus first": (_compared(lambda a, b: -_mean_difference(a, b), _paired), "a better first model"),
    "sum": (_compared(lambda a, b: np.sum(a * a - b * b), _paired), "not their sum"),
    "absolute errors": (_compared(lambda a, b: np.mean(abs(a) - abs(b)), _paired), "not absolute ones"),
    "spread instead of error": (_compared(_mean_difference, lambda a, b: np.std(a * a - b * b)), "smaller than"),
    "as if independent": (
        _compared(_mean_difference, lambda a, b: (np.var(a * a) / len(a) + np.var(b * b) / len(b)) ** 0.5),
        "fluctuate together",
    ),
    "variance": (_compared(_mean_difference, lambda a, b: _paired(a, b) ** 2), "has a root"),
    "squared means": (
        _compared(lambda a, b: a.mean() ** 2 - b.mean() ** 2, _paired),
        "the mean of the difference of the squared errors",
    ),
}

# --- 4.2 --------------------------------------------------------------------------------------------------


def _node(activation: str | None = None, *, use_bias: bool = True, hidden: str | None = "no") -> Callable[[], Any]:
    def line_model() -> Any:
        import keras

        between = [] if hidden == "no" else [keras.layers.Dense(4, activation=hidden)]
        last = keras.layers.Dense(1, activation=activation, use_bias=use_bias)
        return keras.models.Sequential([keras.Input(shape=(1,)), *between, last])

    return line_model


@task("4.2a", section="4.9")
def line_model(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(5, 1), is_=(5, 1))
    expect.activation(model, not_="relu", because="no activation: a line goes below zero, ReLU does not")
    expect.activation(model, is_="linear", because="no activation: a regression has a linear output")
    weights = model.count_params()
    expect.holds(
        weights != 1, because="a bias as well: w x + b has two parameters", seen="1 parameter", rung="known mistake"
    )
    expect.equal(weights, 2, because="one weight and one bias: a hidden layer is not needed for a line")
    x = np.array([[-2.0], [0.0], [2.0], [4.0]], np.float32)
    steps = np.diff(np.asarray(model.predict(x), float)[:, 0])
    expect.close(
        steps, np.full(3, steps[0]), atol=1e-5, because="equal steps in x, equal steps in the output", rung="physics"
    )
    return "one weight, one bias"


line_model.hints = (
    "keras.Sequential of keras.Input((1,)) and one Dense layer with one node.",
    "Dense has no activation unless you give it one.",
)
line_model.mistakes = {
    "ReLU": (_node("relu"), "ReLU does not"),
    "sigmoid": (_node("sigmoid"), "a regression has a linear output"),
    "no bias": (_node(use_bias=False), "a bias as well"),
    "hidden layer": (_node(hidden="relu"), "a hidden layer is not needed"),
    "the layer alone": (lambda: "Dense(1)", "a Keras model"),
}


def _points(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Any, tuple[float, float]]:
    """Points along a line, a Keras model to be trained on them, and its weight and bias."""
    import keras

    x = random.uniform(-1, 1, (30, 1))
    y = random.choice([-2.0, 2.0]) * x[:, 0] + 0.5 + 0.2 * random.normal(size=30)
    model = _node()()
    start = (float(random.uniform(-0.5, 0.5)), float(random.uniform(-0.5, 0.5)))
    model.set_weights([np.array([[start[0]]]), np.array([start[1]])])
    assert keras.backend.floatx() == "float32"
    return x, y, model, start


def _descended(
    x: np.ndarray, y: np.ndarray, start: tuple[float, float], rate: float, steps: int, kind: str = ""
) -> tuple[float, float, list[float]]:
    """The same descent with formulas; ``kind`` names a mistake."""
    (w, b), history = start, []
    for _ in range(steps):
        error = w * x[:, 0] + b - y
        if kind == "matrix":
            error = w * x[:, 0] + b - y.mean()
        history.append(float(np.mean(error**2) + (y.var() if kind == "matrix" else 0)))
        sign = -1 if kind == "uphill" else 1
        factor = {"sum": 2.0 * len(x), "half": 1.0}.get(kind, 2.0)
        w, b = w - sign * factor * rate * np.mean(error * x[:, 0]), b - sign * factor * rate * np.mean(error)
    return w, b, history


@task("4.2b", section="4.6")
def descend(student: Any, random: np.random.Generator) -> str:
    x, y, model, start = _points(random)
    rate, steps = 0.2, 4
    answer = student(model, x, y, rate, steps)
    expect.is_tuple(answer, 2, name="model and losses")
    trained, losses = answer
    expect.is_model(trained, name="the first result")
    expect.length(losses, steps, name="the losses")
    for value in losses:
        expect.number(value, name="a loss")
    weight, bias = (float(np.ravel(array)[0]) for array in trained.weights)
    flat = _descended(x, y, start, rate, steps, "matrix")
    expect.differs(
        weight,
        flat[0],
        because="predictions (n,) minus targets (n,): (n, 1) minus (n,) is a matrix of all pairs, and its best line "
        "is flat",
        rtol=1e-3,
    )
    for kind, because in (
        ("uphill", "downhill: the learning rate times the gradient is subtracted"),
        ("sum", "the mean over the points (4.11), not their sum"),
        ("half", "the derivative of the mean square, without a factor 1/2"),
    ):
        expect.differs(weight, _descended(x, y, start, rate, steps, kind)[0], because=because, rtol=1e-3)
    right = _descended(x, y, start, rate, steps)
    expect.holds(
        not np.isclose(losses[0], right[2][1], rtol=1e-3),
        because="the loss before each step: the first one belongs to the untrained line",
        seen="as first loss that after the first step",
        rung="known mistake",
    )
    expect.holds(
        (abs(weight - start[0]) > 1e-4) | (abs(bias - start[1]) > 1e-4),
        because="weights that change: is assign_sub called for every variable",
        seen="the weights of the untrained model",
    )
    expect.at_most(np.max(np.diff(losses)), 0, because="each step lowers the loss", name="the largest change")
    expect.close([weight, bias], right[:2], rtol=1e-3, atol=1e-5, because="four steps of (4.36) and (4.37)")
    expect.close(list(losses), right[2], rtol=1e-3, because="the mean squared error before each step")
    x, y, model, start = _points(random)
    trained, _ = student(model, x, y, 0.4, 40)
    slope, offset = np.polyfit(x[:, 0], y, 1)
    found = [float(np.ravel(array)[0]) for array in trained.weights]
    expect.close(found, [slope, offset], rtol=0.01, atol=0.01, because="the line of least squares after many steps")
    return f"after 40 steps w = {found[0]:.3f}, least squares {slope:.3f}"


def _trained_line(kind: str, *, after: bool = False, history: bool = False) -> Callable[..., Any]:
    """Trains with the formulas, right or wrong, and sets the weights of the model."""

    def descend(model: Any, x: Any, y: Any, learning_rate: float, steps: int) -> Any:
        start = tuple(float(np.ravel(array)[0]) for array in model.get_weights())
        w, b, losses = _descended(x, y, start, learning_rate, steps + after, kind)  # type: ignore[arg-type]
        if kind != "asleep":
            model.set_weights([np.array([[w]]), np.array([b])])
        return losses if history else (model, losses[after:])

    return descend


descend.hints = (
    "loss, slopes = value_and_gradients(lambda: ..., model.trainable_variables): the lambda computes the loss with "
    "Keras functions, so that its way can be followed back.",
    "model(x)[:, 0] has the shape (n,). Turn x and y into float32 tensors with ops.convert_to_tensor first.",
    "for variable, slope in zip(model.trainable_variables, slopes): variable.assign_sub(learning_rate * slope)",
)
descend.mistakes = {
    "matrix of all pairs": (_trained_line("matrix"), "its best line is flat"),
    "uphill": (_trained_line("uphill"), "is subtracted"),
    "sum of squares": (_trained_line("sum"), "not their sum"),
    "half the gradient": (_trained_line("half"), "without a factor 1/2"),
    "losses after the steps": (_trained_line("", after=True), "belongs to the untrained line"),
    "nothing assigned": (_trained_line("asleep"), "weights that change"),
    "losses only": (_trained_line("", history=True), "model and losses"),
}

quiz(
    "4.2-q1",
    question="A layer of your own runs without an error, but the loss stays where it is. What do you look at first?",
    options=(
        "The learning rate: it is surely too small.",
        "The data: there are probably too few of them.",
        "layer.trainable_weights: an empty list means that Keras does not know the weights.",
        "The activation function: it should be a ReLU.",
    ),
    answer=3,
    explanation="A weight has to be made with add_weight (or be a keras.Variable). Anything else is a constant to "
    "Keras, and constants are not trained.",
)

# --- 4.3 --------------------------------------------------------------------------------------------------


@task("4.3a", section="4.4.2")
def one_hot(student: Any, random: np.random.Generator) -> str:
    labels, classes = np.append(random.integers(0, 4, 9), [0, 3]), 6  # classes 4 and 5 do not occur
    answer = student(labels, classes)
    expect.shape(answer, (11, classes), name="11 labels of 6 classes")
    expect.dtype(answer, "f")
    truth = np.eye(classes)[labels]
    expect.differs(answer, np.eye(classes)[labels - 1], because="classes are counted from 0: class 0 is (1, 0, ...)")
    expect.differs(answer, np.cumsum(truth[:, ::-1], axis=1)[:, ::-1], because="a single 1 in each row, the rest is 0")
    expect.differs(answer, truth[:, ::-1], because="class 0 stands in the first column")
    expect.close(answer.sum(axis=1), np.ones(11), because="each event belongs to exactly one class", rung="physics")
    expect.equal(answer, truth, because="1 in the column of the class, 0 elsewhere")
    expect.equal(student(labels[:3], classes), truth[:3], because="any number of labels")
    return "a class is a direction, and all directions are equally far apart"


one_hot.hints = (
    "Compare each label with each class number: labels[:, np.newaxis] is a column, np.arange(classes) a row.",
    "A comparison gives True and False; .astype(float) makes 1 and 0 of them.",
)
one_hot.mistakes = {
    "classes counted from 1": (lambda labels, classes: np.eye(classes)[labels - 1], "counted from 0"),
    "thermometer": (
        lambda labels, classes: 1.0 * (np.arange(classes)[None, :] <= labels[:, None]),
        "a single 1",
    ),
    "columns reversed": (lambda labels, classes: np.eye(classes)[labels][:, ::-1], "first column"),
    "as many classes as occur": (lambda labels, classes: np.eye(labels.max() + 1)[labels], "shape (11, 6)"),
    "truth values": (lambda labels, classes: np.eye(classes)[labels] > 0, "floating-point numbers"),
    "first event only": (
        lambda labels, classes: np.eye(classes)[labels] * (np.arange(len(labels)) == 0)[:, None],
        "exactly one class",
    ),
}


def _softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])


def _plain(z: np.ndarray, *, axis: int | None = 1, base: float = np.e) -> np.ndarray:
    with np.errstate(all="ignore"):
        top = base**z
        return top / top.sum(axis=axis, keepdims=True)


@task("4.3b", section="4.4.2")
def softmax(student: Any, random: np.random.Generator) -> str:
    z = random.normal(size=(5, 5)) * 2  # as many events as classes: the wrong axis has the right shape
    answer = student(z)
    expect.shape(answer, (5, 5), name="the probabilities of 5 events in 5 classes")
    expect.finite(answer, name="the probabilities")
    expect.differs(answer, _plain(z, axis=0), because="the sum runs over the classes of one event, the last axis")
    expect.differs(answer, _plain(z, axis=None), because="each event is normalised on its own, not the whole batch")
    expect.differs(answer, _plain(z, base=2.0), because="powers of e, not of 2")
    expect.differs(
        answer,
        1 / (1 + np.exp(-z)),
        because="one probability distribution over the classes, not a sigmoid for each class",
    )
    expect.close(answer.sum(axis=1), np.ones(5), because="the probabilities of an event add up to 1", rung="physics")
    expect.close(
        student(z + random.normal(size=(5, 1))),
        answer,
        rtol=1e-6,
        because="a constant added to all outputs of an event changes nothing",
        rung="physics",
    )
    high = student(z + 1000.0)
    expect.holds(
        np.isfinite(high).all(),
        because="outputs of 1000 are allowed: exp(1000) overflows, so shift each event before the exponential",
        seen="NaN or infinite for outputs near 1000",
    )
    far = np.array([[1000.0, 1000.0], [-1000.0, -1000.0]])
    apart = student(far)
    expect.holds(
        np.isfinite(apart).all(),
        because="each event is shifted by its own largest output: with the largest of the batch, other events "
        "underflow to 0/0",
        seen="NaN for an event of outputs near -1000 beside one near 1000",
    )
    expect.close(apart, np.full((2, 2), 0.5), because="equal outputs, equal probabilities", rung="physics")
    expect.close(answer, _softmax(z), rtol=1e-7, because="exp(z) over its sum")
    return "outputs of +-1000 are no problem"


softmax.hints = (
    "keepdims=True keeps a sum over axis=1 as a column (n, 1), which divides row by row.",
    "Subtract from each row its own maximum, z.max(axis=1, keepdims=True), before the exponential.",
)
softmax.mistakes = {
    "sum over the events": (lambda z: _plain(z - z.max(0), axis=0), "the last axis"),
    "sum over everything": (lambda z: _plain(z, axis=None), "not the whole batch"),
    "powers of two": (lambda z: _plain(z, base=2.0), "not of 2"),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), "not a sigmoid"),
    "as printed": (lambda z: _plain(z), "exp(1000) overflows"),
    "shifted by the largest of the batch": (lambda z: _plain(z - z.max()), "with the largest of the batch"),
    "divided by the mean": (lambda z: 5 * _softmax(z), "add up to 1"),
    "squares": (lambda z: z**2 / (z**2).sum(axis=1, keepdims=True), "changes nothing"),
}


@task("4.3c", section="4.4.2")
def cross_entropy(student: Any, random: np.random.Generator) -> str:
    n, classes = 12, 4
    p = np.eye(classes)[random.integers(0, classes, n)]
    q = np.clip(_softmax(random.normal(size=(n, classes))), 1e-3, None)
    q /= q.sum(axis=1, keepdims=True)
    answer = student(p, q)
    expect.number(answer, name="the cross-entropy of the batch")
    truth = -np.mean(np.log(q[p > 0]))
    expect.differs(answer, -truth, because="the minus sign: probabilities have negative logarithms, a loss is positive")
    expect.differs(answer, truth * n, because="the mean over the events, 1/k in (4.15), not their sum")
    expect.differs(answer, truth / classes, because="the sum over the classes: divide by the events only")
    for base in (10, 2):
        expect.differs(
            answer, truth / np.log(base), because=f"the natural logarithm, as in Keras, not that to the base {base}"
        )
    backwards = -np.mean((q * np.log(np.maximum(p, 1e-7))).sum(axis=1))
    expect.differs(answer, backwards, because="-p log q, with the logarithm of the prediction, not of the truth")
    sure = student(p, p)
    expect.holds(
        np.isfinite(sure),
        because="a finite number where q is 0: the floor of 1e-7 under the logarithm",
        seen=f"{sure} for a prediction that is right and certain",
    )
    expect.close(sure, 0.0, atol=1e-6, because="a prediction that is right and certain costs nothing", rung="physics")
    certain_and_wrong = student(np.eye(2), np.eye(2)[::-1])
    expect.close(
        certain_and_wrong,
        -np.log(1e-7),
        rtol=1e-6,
        because="certain and wrong costs -log(1e-7), the floor of Keras",
        rung="physics",
    )
    soft = _softmax(random.normal(size=(n, classes)))
    expect.at_least(
        student(soft, q) - student(soft, soft),
        0,
        because="no prediction is better than q = p (the difference is the Kullback-Leibler distance)",
        name="cross-entropy minus its value for q = p",
    )
    expect.close(answer, truth, because="the mean of -log q of the true class")
    expect.close(
        student(soft, q), -np.mean((soft * np.log(q)).sum(axis=1)), because="truths that are no one-hot vectors"
    )
    return f"{answer:.4f} on this batch; guessing all classes equally would give {np.log(classes):.4f}"


cross_entropy.hints = (
    "np.maximum(q, 1e-7) puts a floor under the probabilities; then np.log.",
    "p * log q, summed over axis=1, is one number for each event; then the mean, and the minus sign.",
)


def _entropy(
    logarithm: Callable[[Any], Any] = np.log,
    *,
    sign: float = -1.0,
    floor: float = 1e-7,
    turned: bool = False,
    mean: Callable[[Any], Any] = lambda terms: terms.sum(axis=1).mean(),
) -> Callable[[np.ndarray, np.ndarray], float]:
    def cross_entropy(p: np.ndarray, q: np.ndarray) -> float:
        one, two = (q, p) if turned else (p, q)
        with np.errstate(all="ignore"):
            return float(sign * mean(one * logarithm(np.clip(two, floor, None))))

    return cross_entropy


cross_entropy.mistakes = {
    "no minus sign": (_entropy(sign=1.0), "a loss is positive"),
    "sum over the events": (_entropy(mean=np.sum), "not their sum"),
    "mean over everything": (_entropy(mean=np.mean), "divide by the events only"),
    "logarithm to the base 10": (_entropy(np.log10), "base 10"),
    "bits": (_entropy(np.log2), "base 2"),
    "p and q exchanged": (_entropy(turned=True), "not of the truth"),
    "no floor": (_entropy(floor=0.0), "the floor of 1e-7"),
    "a lower floor": (_entropy(floor=1e-15), "certain and wrong"),
    "one number an event": (
        lambda p, q: -(p * np.log(np.clip(q, 1e-7, None))).sum(axis=1),
        "one number",
    ),
}


@task("4.3d", section="4.4.2")
def predicted_classes(student: Any, random: np.random.Generator) -> str:
    n, classes = 40, 5
    q = _softmax(random.normal(size=(n, classes)))
    best = np.argsort(q, axis=1)[:, -1]
    labels = np.where(random.random(n) < 0.6, best, random.integers(0, classes, n))
    labels[:2] = best[0], (best[1] + 1) % classes  # at least one right, one wrong
    answer = student(q, labels)
    expect.is_tuple(answer, 2, name="classes and accuracy")
    found, accuracy = answer
    expect.shape(found, (n,), name="the predicted classes")
    expect.dtype(found, "i", name="the predicted classes")
    expect.number(accuracy, name="the accuracy")
    share = float(np.mean(best == labels))
    expect.differs(found, np.argsort(q, axis=1)[:, 0], because="the class with the largest probability")
    expect.differs(found, best + 1, because="classes are counted from 0")
    expect.differs(accuracy, share * n, because="a fraction between 0 and 1, not a number of events")
    if share != 0.5:
        expect.differs(accuracy, 1 - share, because="the fraction that is right, not that of the errors")
    expect.equal(found, best, because="the class with the largest probability, for every event")
    expect.close(student(q, best)[1], 1.0, because="labels that all agree: accuracy 1", rung="physics")
    mixed = random.permutation(classes)
    expect.close(
        student(q[:, np.argsort(mixed)], mixed[labels])[1],
        share,
        because="the names of the classes do not matter: numbered in another order, the same events are right",
        rung="physics",
    )
    expect.close(accuracy, share, because="the fraction of events whose class is right")
    return f"{share:.0%} of {n} events"


def _classes(pick: Callable[[Any], Any], share: Callable[[Any, Any], Any]) -> Callable[[np.ndarray, np.ndarray], Any]:
    def predicted_classes(q: np.ndarray, labels: np.ndarray) -> Any:
        chosen = pick(q)
        return chosen, float(share(chosen, labels))

    return predicted_classes


def _largest(q: np.ndarray) -> np.ndarray:
    return np.argsort(q, axis=1)[:, -1]


def _agreement(chosen: np.ndarray, labels: np.ndarray) -> Any:
    return (chosen == labels).mean()


predicted_classes.hints = (
    "`argmax(axis=1)` gives the place of the largest entry of each row.",
    "The mean of True and False is the fraction of True.",
)
predicted_classes.mistakes = {
    "least probable": (_classes(lambda q: np.argsort(q, axis=1)[:, 0], _agreement), "the largest probability"),
    "counted from 1": (_classes(lambda q: _largest(q) + 1, lambda c, labels: _agreement(c - 1, labels)), "from 0"),
    "number of events": (_classes(_largest, lambda c, labels: (c == labels).sum()), "not a number of events"),
    "errors": (_classes(_largest, lambda c, labels: (c != labels).mean()), "not that of the errors"),
    "difference of the class numbers": (
        _classes(_largest, lambda c, labels: 1 - np.abs(c - labels).mean()),
        "the names of the classes",
    ),
    "classes in columns": (lambda q, labels: (q.argmax(axis=0), 0.5), "shape (40,)"),
}

quiz(
    "4.3-q1",
    question="During a training the cross-entropy on validation data rises slowly while the accuracy stays the same. "
    "What can that mean?",
    options=(
        "It is impossible: a larger loss means a lower accuracy.",
        "The learning rate is too small.",
        "The same events are wrong as before, but the network has become more certain of its wrong answers.",
        "The classes are not one-hot encoded.",
    ),
    answer=3,
    explanation="The accuracy counts which probability is largest, the cross-entropy how large that of the true class "
    "is. A wrong answer given with certainty costs up to 16.1.",
)
