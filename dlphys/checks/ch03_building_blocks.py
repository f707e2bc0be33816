"""Checks of chapter 3: one layer, its collapse, and linear regression on the wine table."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- sections 3.1 and 3.2: a layer of nodes ------------------------------------------------------------


@task("M3.1a", section="3.2")
def layer(student: Any, random: np.random.Generator) -> str:
    x, weights, bias = random.normal(size=(6, 3)), random.normal(size=(3, 3)), random.normal(size=3)
    answer = student(random.normal(size=(5, 4)), random.normal(size=(2, 4)), random.normal(size=2), "linear")
    expect.shape(answer, (5, 2), name="the layer's output for 5 events, 4 inputs and 2 nodes")
    expect.finite(answer)
    linear = student(x, weights, bias, "linear")
    expect.shape(linear, (6, 3))
    expect.differs(linear, x @ weights + bias, because="one row of weights a node: node 1 uses W[0, :], not W[:, 0]")
    expect.differs(linear, x @ weights.T - bias, because="the bias is added, as in (3.1), not subtracted")
    expect.differs(linear, x @ weights.T, because="the bias of each node is part of its sum (3.1)")
    one = np.ones((1, 1))
    for name in ("relu", "sigmoid", "tanh"):
        before = np.linspace(-3, 3, 13)[:, None]
        answer = student(before, 2 * one, -one[0], name)
        expect.shape(answer, (13, 1), name=f"the output of a {name} node for 13 events")
        expect.differs(
            answer,
            FUNCTIONS[name](2 * before) - 1,
            because="the activation acts on the whole sum: the bias stands inside the brackets of (3.6)",
        )
    switched = student(np.array([[-1.5], [0.4], [0.6], [3.0]]), 2 * one, -one[0], "relu")[:, 0]
    expect.holds(
        (switched[:2] == 0).all() and (switched[2:] > 0).all(),
        because="a ReLU node with w = 2, b = -1 is silent below x = 1/2 and passes on the sum above",
        seen=f"outputs {np.round(switched, 3).tolist()} for x = -1.5, 0.4, 0.6, 3",
    )
    both = student(np.array([[-40.0], [-1.0], [0.0], [1.0], [40.0]]), one, 0 * one[0], "sigmoid")[:, 0]
    expect.at_least(np.diff(both), 0.0, because="a sigmoid rises from 0 to 1", name="a step from x to a larger x")
    expect.close(both + both[::-1], np.ones(5), rtol=1e-9, because="sigmoid(y) + sigmoid(-y) = 1", rung="physics")
    odd = student(np.array([[-0.7], [0.7]]), one, 0 * one[0], "tanh")[:, 0]
    expect.close(odd[0], -odd[1], because="tanh is odd: tanh(-y) = -tanh(y)", rung="physics")
    for name, function in FUNCTIONS.items():
        expect.close(
            student(x, weights, bias, name),
            function(x @ weights.T + bias),
            because=f"(3.6) with the activation {name!r}",
        )
    return "a layer is an affine map, then the activation of every sum"


FUNCTIONS: dict[str, Any] = {
    "linear": lambda y: y,
    "relu": lambda y: np.maximum(y, 0),
    "sigmoid": lambda y: 1 / (1 + np.exp(-y)),
    "tanh": np.tanh,
}

layer.hints = (
    "Look at the shapes: x is (n, inputs), the weights are (nodes, inputs), the answer is (n, nodes).",
    "`x @ weights.T` is the sum over the inputs for all events and nodes at once; the bias is added to every row.",
    "y = x @ weights.T + bias, then for example np.maximum(y, 0.0) if activation is 'relu'; return y for 'linear'.",
)
layer.mistakes = {
    "weights not transposed": (
        lambda x, weights, bias, activation: FUNCTIONS[activation](
            (x @ weights if len(weights) == x.shape[1] else x @ weights.T) + bias
        ),
        "one row of weights a node",
    ),
    "bias after the activation": (
        lambda x, weights, bias, activation: FUNCTIONS[activation](x @ weights.T) + bias,
        "inside the brackets",
    ),
    "bias forgotten": (lambda x, weights, bias, activation: FUNCTIONS[activation](x @ weights.T), "part of its sum"),
    "bias subtracted": (
        lambda x, weights, bias, activation: FUNCTIONS[activation](x @ weights.T - bias),
        "not subtracted",
    ),
    "absolute value for ReLU": (
        lambda x, weights, bias, activation: (
            np.abs(x @ weights.T + bias) if activation == "relu" else FUNCTIONS[activation](x @ weights.T + bias)
        ),
        "is silent below",
    ),
    "wrong sign in the exponent": (
        lambda x, weights, bias, activation: FUNCTIONS[activation](
            -(x @ weights.T + bias) if activation == "sigmoid" else x @ weights.T + bias
        ),
        "rises from 0 to 1",
    ),
    "events in columns": (
        lambda x, weights, bias, activation: FUNCTIONS[activation](x @ weights.T + bias).T,
        "shape (5, 2)",
    ),
}


@task("M3.1b", section="3.1")
def collapse(student: Any, random: np.random.Generator) -> str:
    w, b, v, d = random.normal(size=(4, 3)), random.normal(size=4), random.normal(size=(2, 4)), random.normal(size=2)
    answer = student(w, b, v, d)
    expect.is_tuple(answer, 2, name="W'' and b''")
    expect.shape(answer[0], (2, 3), name="W'' for 3 inputs, 4 hidden nodes and 2 outputs")
    expect.shape(answer[1], (2,), name="b''")
    w, b, v, d = random.normal(size=(3, 3)), random.normal(size=3), random.normal(size=(3, 3)), random.normal(size=3)
    weights, bias = student(w, b, v, d)
    expect.finite(weights, name="W''")
    expect.differs(weights, w @ v, because="the first layer acts first: W'' x is W' (W x), so W' stands on the left")
    expect.differs(weights, w * v, because="a product of matrices (rows times columns), not of entries")
    expect.differs(bias, b + d, because="the first bias b goes through the second layer as well: W' acts on it")
    expect.differs(bias, v @ (b + d), because="the second bias d is added at the very end: nothing acts on it any more")
    expect.differs(bias, v @ b, because="the bias d of the second layer is missing in b''")
    for x, where in [(np.zeros(3), "x = 0"), (random.normal(size=3), "a random x")]:
        expect.close(
            weights @ x + bias,
            v @ (w @ x + b) + d,
            rtol=1e-9,
            atol=1e-12,
            because=f"the one layer must answer like the two layers, here for {where}",
            rung="physics",
        )
    same_weights, same_bias = student(w, b, np.eye(3), np.zeros(3))
    expect.close(same_weights, w, because="a second layer that changes nothing leaves W as it is", rung="physics")
    expect.close(same_bias, b, because="a second layer that changes nothing leaves b as it is", rung="physics")
    return "two affine maps in a row are one affine map"


collapse.hints = (
    "Write z = W'(W x + b) + d and multiply out. What stands in front of x? What is left?",
    "(3.3): W'' = W' W, and b'' is what the two layers answer to x = 0.",
    "return second_weights @ weights, second_weights @ bias + second_bias",
)
collapse.mistakes = {
    "product in the wrong order": (
        lambda weights, bias, second_weights, second_bias: (
            weights @ second_weights if weights.shape == second_weights.shape else (second_weights @ weights),
            second_weights @ bias + second_bias,
        ),
        "stands on the left",
    ),
    "biases added": (
        lambda weights, bias, second_weights, second_bias: (
            second_weights @ weights,
            bias + second_bias if len(bias) == len(second_bias) else second_weights @ bias + second_bias,
        ),
        "goes through the second layer",
    ),
    "second bias forgotten": (
        lambda weights, bias, second_weights, second_bias: (second_weights @ weights, second_weights @ bias),
        "is missing in b''",
    ),
    "both biases through the second layer": (
        lambda weights, bias, second_weights, second_bias: (
            second_weights @ weights,
            second_weights @ (bias + second_bias)
            if len(bias) == len(second_bias)
            else second_weights @ bias + second_bias,
        ),
        "added at the very end",
    ),
    "entries multiplied": (
        lambda weights, bias, second_weights, second_bias: (
            weights * second_weights if weights.shape == second_weights.shape else second_weights @ weights,
            second_weights @ bias + second_bias,
        ),
        "not of entries",
    ),
}

quiz(
    "M3.1-q1",
    question="Why do layers without an activation function gain nothing from depth?",
    options=(
        "Their outputs grow without limit.",
        "Their composition is one affine map, which a single layer represents already.",
        "Their weights all become equal in training.",
        "They have no bias.",
    ),
    answer=2,
    explanation="(3.3): W'(W x + b) + d = W''x + b''. More layers are more parameters for the same straight "
    "lines and planes.",
)

# --- exercise 3.2: wine ----------------------------------------------------------------------------------


def _table(random: np.random.Generator, n: int = 300, features: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Features of very different mean and width, bound to each other, and a target with noise; none is symmetric."""
    hidden = random.normal(size=(n, features)) @ random.normal(size=(features, features))
    x = random.uniform(1, 5, features) + hidden * 10.0 ** random.uniform(-2, 1, features)
    slopes = random.choice([-1.0, 1.0], features) * random.uniform(0.3, 1.0, features)
    y = 6 + ((x - x.mean(axis=0)) / x.std(axis=0)) @ slopes + random.normal(size=n)
    return x, y


@task("3.2a", section="3.5")
def correlations(student: Any, random: np.random.Generator) -> str:
    x, y = _table(random)
    r = student(x, y)
    expect.shape(r, (4,), name="the coefficients of 4 features")
    expect.finite(r)
    covariance = ((x - x.mean(0)) * (y - y.mean())[:, None]).mean(0)
    right = covariance / (x.std(0) * y.std())
    scale = "a covariance still has units; divide by both standard deviations, so that km and m give the same"
    expect.differs(r, covariance, because=scale)
    expect.differs(r, covariance * len(x) / (len(x) - 1), because=scale)
    expect.differs(r, right**2, because="r itself, with its sign: r squared does not tell rising from falling")
    expect.differs(
        r, covariance / x.var(0), because="r is not the slope of a line fit: divide by both widths, not by one twice"
    )
    expect.differs(
        r,
        right * len(x) / (len(x) - 1),
        rtol=1e-9,
        because="a feature correlates with itself with exactly 1: numerator and widths must both divide by n or "
        "both by n - 1",
    )
    expect.differs(
        r,
        (x * y[:, None]).sum(0) / np.sqrt((x**2).sum(0) * (y**2).sum()),
        because="subtract the means first: adding a constant to a feature must not change its correlation",
    )
    expect.at_most(np.abs(r), 1 + 1e-12, because="a correlation coefficient lies between -1 and 1", name="|r|")
    expect.close(
        student(1000 * x + 7, y),
        r,
        rtol=1e-6,
        atol=1e-9,
        because="other units or another zero of a feature change nothing",
        rung="physics",
    )
    expect.close(student(-x, y), -r, rtol=1e-6, because="turning a feature's sign turns the sign of r", rung="physics")
    expect.close(
        student(x, 5 - 2 * y), -r, rtol=1e-6, because="turning the target's sign turns the sign of r", rung="physics"
    )
    line = np.column_stack([y, 3 - 0.2 * y, y + 1e3])
    expect.close(
        student(line, y), [1.0, -1.0, 1.0], rtol=1e-9, because="on an exact straight line r is 1 or -1", rung="physics"
    )
    expect.close(
        r,
        right,
        rtol=1e-6,
        atol=1e-9,
        because="the coefficient of Pearson, from the values themselves (not from their ranks)",
    )
    return "units and offsets of the features do not matter, as it should be"


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values, axis=0), axis=0).astype(float)


def _pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ((x - x.mean(0)) * (y - y.mean())[:, None]).mean(0) / (x.std(0) * y.std())


correlations.hints = (
    "Subtract the mean from each column and from y. The average product of the two is the covariance.",
    "Divide the covariance of each column by the standard deviation of that column and by that of y.",
    "With a = x - x.mean(axis=0) and b = y - y.mean(): (a * b[:, np.newaxis]).mean(axis=0) / (x.std(axis=0) * y.std())",
)
correlations.mistakes = {
    "covariance": (lambda x, y: _pearson(x, y) * x.std(0) * y.std(), "still has units"),
    "squared": (lambda x, y: _pearson(x, y) ** 2, "with its sign"),
    "means not subtracted": (
        lambda x, y: (x * y[:, None]).sum(0) / np.sqrt((x**2).sum(0) * (y**2).sum()),
        "subtract the means first",
    ),
    "slope of a line fit": (lambda x, y: _pearson(x, y) * y.std() / x.std(0), "not the slope"),
    "n and n - 1 mixed": (lambda x, y: _pearson(x, y) * len(y) / (len(y) - 1), "with exactly 1"),
    "ranks": (lambda x, y: _pearson(_ranks(x), _ranks(y)), "not from their ranks"),
    "whole matrix": (lambda x, y: np.corrcoef(x.T, y), "shape (4,)"),
}


@task("3.2b", section="3.5")
def rank_features(student: Any, random: np.random.Generator) -> str:
    names = ["acid", "sugar", "salt", "iron", "water"]
    while True:
        size = random.permutation([0.05, 0.2, 0.35, 0.5, 0.7])
        r = size * random.choice([-1.0, 1.0], 5)
        weak, middle, _, second, strong = np.argsort(size)
        r[[weak, middle, strong]] *= -np.sign(r[[weak, middle, strong]])  # the strongest is a falling one
        r[second] = abs(r[second])  # and the next a rising one
        if all((np.diff(a) > 0).any() and (np.diff(a) < 0).any() for a in (r, size)):  # the given order is no answer
            break
    answer = student(r, names)
    expect.length(answer, 5, name="the ranking")
    answer = list(answer)
    expect.holds(
        all(isinstance(name, str) for name in answer),
        because="the names of the features, not their numbers",
        seen=f"a first entry of type {type(answer[0]).__name__}",
        rung="shape",
    )
    order = [names[j] for j in np.argsort(-np.abs(r))]
    first = (
        f"{answer[0]!r} with r = {r[names.index(answer[0])]:.2f} comes first" if answer[0] in names else repr(answer[0])
    )
    expect.holds(
        answer != [names[j] for j in np.argsort(-r)],
        seen=first,
        because="a strong falling dependence predicts as well as a rising one: order by the size |r|, not by r",
        rung="known mistake",
    )
    expect.holds(
        answer != [names[j] for j in np.argsort(r)],
        seen=first,
        because="the sign only says rising or falling: the most negative r is not the first as such, its size counts",
        rung="known mistake",
    )
    expect.holds(
        answer != order[::-1],
        seen=first,
        because="the most predictive comes first, the weakest last",
        rung="known mistake",
    )
    expect.holds(set(answer) == set(names), because="each feature once", seen=f"{len(set(answer))} different names")
    turned = list(student(-r, names))
    expect.equal(turned, answer, because="turning all signs does not change how much the features tell", rung="physics")
    shuffled = np.roll(np.arange(5), int(random.integers(1, 5)))
    moved = list(student(r[shuffled], [names[j] for j in shuffled]))
    expect.equal(moved, answer, because="the order in which the features come must not matter", rung="physics")
    expect.equal(answer, order, because="ordered by |r|, the largest first")
    return "a falling dependence tells as much as a rising one"


rank_features.hints = (
    "What decides how well a feature predicts: r, or the size of r?",
    "np.argsort orders from small to large; the argsort of the negative orders from large to small.",
    "return [names[j] for j in np.argsort(-np.abs(correlation))]",
)
rank_features.mistakes = {
    "by r with its sign": (lambda correlation, names: [names[j] for j in np.argsort(-correlation)], "not by r"),
    "weakest first": (lambda correlation, names: [names[j] for j in np.argsort(np.abs(correlation))], "comes first"),
    "most negative first": (lambda correlation, names: [names[j] for j in np.argsort(correlation)], "its size counts"),
    "numbers instead of names": (
        lambda correlation, names: np.argsort(-np.abs(correlation)).tolist(),
        "not their numbers",
    ),
    "not ordered": (lambda correlation, names: list(names), "in which the features come"),
}


def _lstsq(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    found = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]
    return found[:-1], found[-1]


@task("3.2c", section="3.5")
def fit_linear(student: Any, random: np.random.Generator) -> str:
    x, y = _table(random)
    answer = student(x, y)
    expect.is_tuple(answer, 2, name="weights and bias")
    weights, bias = answer
    expect.shape(weights, (4,), name="the weights of 4 features")
    expect.finite(weights, name="the weights")
    expect.number(bias, name="the bias")
    expect.differs(
        weights,
        np.linalg.lstsq(x, y, rcond=None)[0],
        because="the fit needs its bias: give the least-squares problem a column of ones as one more input",
    )
    expect.differs(
        weights,
        _pearson(x, y) * y.std() / x.std(0),
        because="all features are fitted together: one line per feature counts twice what two features share",
    )
    expect.differs(
        weights,
        np.linalg.lstsq((x - x.mean(0)) / x.std(0), y - y.mean(), rcond=None)[0],
        because="weights for the features in their own units: a feature in grams instead of kilograms needs "
        "1/1000 of the weight",
    )
    residual = y - x @ weights - bias
    expect.at_most(
        abs(residual.mean()),
        1e-5 * y.std(),
        because="at the minimum the derivative with respect to the bias is zero, so the residuals average to zero",
        name="the size of the mean residual",
    )
    overlap = np.abs(_pearson(x, residual))
    expect.at_most(
        overlap,
        1e-5,
        because="at the minimum of (3.7) the residuals are orthogonal to every feature; what still correlates "
        "could be used",
        name="a correlation of a feature with the residuals",
    )
    shifted_weights, shifted_bias = student(x, y + 100)
    expect.close(
        shifted_weights,
        weights,
        rtol=1e-4,
        because="shifting all marks by 100 leaves the weights as they are",
        rung="physics",
    )
    expect.close(
        shifted_bias, bias + 100, rtol=1e-6, because="shifting all marks by 100 shifts the bias by 100", rung="physics"
    )
    scale = np.array([10.0, 0.1, 2.0, 1.0])
    expect.close(
        student(x * scale, y)[0] * scale, weights, rtol=1e-4, because="a weight has the unit 1/feature", rung="physics"
    )
    exact = x @ np.array([1.0, -2.0, 0.5, 3.0]) + 4
    expect.close(
        student(x, exact)[0],
        [1.0, -2.0, 0.5, 3.0],
        rtol=1e-4,
        because="marks on an exact plane are found again",
        rung="physics",
    )
    twice = np.column_stack([x, x[:, 0]])
    double_weights, double_bias = student(twice, y)
    expect.close(
        twice @ double_weights + double_bias,
        x @ weights + bias,
        rtol=1e-6,
        because="a feature that comes twice must not spoil the prediction: X^T X has no inverse then, "
        "np.linalg.lstsq copes",
        rung="physics",
    )
    return "the residuals are orthogonal to every feature, so no other weights do better"


def _inverse(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """The normal equations, solved with an inverse; a singular matrix is answered by nonsense or an exception."""
    ones = np.column_stack([x, np.ones(len(x))])
    try:
        found = np.linalg.inv(ones.T @ ones) @ ones.T @ y
    except np.linalg.LinAlgError:
        found = np.full(ones.shape[1], 1e6)
    return found[:-1], found[-1]


def _ridge(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    a = (x - x.mean(0)) / x.std(0)
    weights = np.linalg.solve(a.T @ a + 0.1 * len(x) * np.eye(x.shape[1]), a.T @ (y - y.mean())) / x.std(0)
    return weights, y.mean() - x.mean(0) @ weights


fit_linear.hints = (
    "Append a column of ones to x (np.column_stack): its weight is the bias.",
    "np.linalg.lstsq(matrix, y, rcond=None) returns several things; the first is the solution.",
    "solution = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]; return "
    "solution[:-1], solution[-1]",
)
fit_linear.mistakes = {
    "no bias": (lambda x, y: (np.linalg.lstsq(x, y, rcond=None)[0], 0.0), "column of ones"),
    "each feature on its own": (
        lambda x, y: (_pearson(x, y) * y.std() / x.std(0), float(y.mean())),
        "fitted together",
    ),
    "weights of standardised features": (
        lambda x, y: (np.linalg.lstsq((x - x.mean(0)) / x.std(0), y - y.mean(), rcond=None)[0], float(y.mean())),
        "in their own units",
    ),
    "mean mark as the bias": (lambda x, y: (_lstsq(x, y)[0], float(y.mean())), "average to zero"),
    "weights shrunk": (_ridge, "orthogonal to every feature"),
    "explicit inverse": (_inverse, "comes twice"),
    "one array": (lambda x, y: np.append(*_lstsq(x, y)), "weights and bias: 2 results"),
}

quiz(
    "3.2-q1",
    question="With standardised inputs (mean 0) and no bias, the mean squared error jumps to about 35. Why?",
    options=(
        "Standardised inputs carry less information.",
        "The least-squares problem has no solution then.",
        "A weighted sum of inputs with mean zero has mean zero, so the prediction misses the mean mark.",
        "The weights are no longer the smallest possible.",
    ),
    answer=3,
    explanation="The missing bias costs the mean mark squared, about 35, on top of the 0.57 that remains. "
    "Density (always near 0.994) had hidden this before.",
)


@task("3.2d", section="3.5")
def evaluate(student: Any, random: np.random.Generator) -> str:
    truth = random.integers(3, 10, 250).astype(float)
    prediction = 6 + 0.4 * (truth - 6) + random.normal(size=250)
    mean = 5.0 + random.uniform(0.1, 0.4)
    answer = student(truth, prediction, mean)
    expect.is_dict(answer, keys=("correlation", "mse", "baseline_mse"))
    for key, value in answer.items():
        expect.number(value, name=key)
    error = np.mean((prediction - truth) ** 2)
    r = np.corrcoef(truth, prediction)[0, 1]
    expect.differs(answer["correlation"], r**2, because="the correlation itself, not its square")
    expect.differs(
        answer["mse"], np.sqrt(error), because="the mean of the squares without a root: an error in marks squared"
    )
    expect.differs(answer["mse"], error * 250, because="the mean over the events, not the sum")
    expect.differs(
        answer["mse"], np.mean(prediction - truth) ** 2, because="square each difference first, then average"
    )
    expect.differs(
        answer["baseline_mse"],
        truth.var(),
        because="the baseline knows the training mean only; the mean of the test marks is not known before the test",
    )
    expect.differs(
        answer["baseline_mse"],
        np.mean((prediction - mean) ** 2),
        because="the baseline is judged by the true marks, as the prediction is",
    )
    perfect = student(truth, truth.copy(), mean)
    expect.close(perfect["mse"], 0.0, atol=1e-12, because="a perfect prediction has no error", rung="physics")
    expect.close(perfect["correlation"], 1.0, because="a perfect prediction has correlation 1", rung="physics")
    shifted = student(truth, prediction + 10, mean)
    expect.close(
        shifted["correlation"],
        answer["correlation"],
        because="a constant offset does not change the correlation",
        rung="physics",
    )
    expect.close(
        shifted["mse"],
        error + 20 * np.mean(prediction - truth) + 100,
        because="a constant offset raises the mean squared error",
        rung="physics",
    )
    expect.close(
        shifted["baseline_mse"],
        answer["baseline_mse"],
        because="the baseline does not depend on the prediction",
        rung="physics",
    )
    expect.close(answer["correlation"], r, because="the correlation coefficient of truth and prediction")
    expect.close(answer["mse"], error, because="the mean of the squared differences")
    expect.close(
        answer["baseline_mse"], np.mean((truth - mean) ** 2), because="the mean of (training_mean - truth) squared"
    )
    return "the correlation does not see an offset, the mean squared error does"


def _evaluation(**changes: Any) -> Any:
    """A wrong evaluate(): the right one with some entries computed by another function of the same arguments."""

    def evaluate(truth: np.ndarray, prediction: np.ndarray, training_mean: float) -> dict[str, float]:
        right = {
            "correlation": np.corrcoef(truth, prediction)[0, 1],
            "mse": np.mean((truth - prediction) ** 2),
            "baseline_mse": np.mean((truth - training_mean) ** 2),
        }
        return right | {key: change(truth, prediction, training_mean) for key, change in changes.items()}

    return evaluate


evaluate.hints = (
    "The dict has three entries; np.corrcoef(a, b) returns a 2 x 2 matrix, of which you want one "
    "entry off the diagonal.",
    "A mean squared error is np.mean((a - b) ** 2); the baseline predicts the same number for every event.",
    'return {"correlation": np.corrcoef(prediction, truth)[0, 1], "mse": ..., "baseline_mse": '
    "np.mean((training_mean - truth) ** 2)}",
)
evaluate.mistakes = {
    "root of the mean square": (_evaluation(mse=lambda t, p, m: np.sqrt(np.mean((t - p) ** 2))), "without a root"),
    "sum of squares": (_evaluation(mse=lambda t, p, m: np.sum((t - p) ** 2)), "not the sum"),
    "mean first, then the square": (_evaluation(mse=lambda t, p, m: np.mean(t - p) ** 2), "square each difference"),
    "baseline peeks at the test": (_evaluation(baseline_mse=lambda t, p, m: t.var()), "not known before the test"),
    "baseline against the prediction": (
        _evaluation(baseline_mse=lambda t, p, m: np.mean((p - m) ** 2)),
        "judged by the true marks",
    ),
    "squared correlation": (_evaluation(correlation=lambda t, p, m: np.corrcoef(t, p)[0, 1] ** 2), "not its square"),
    "whole matrix": (_evaluation(correlation=lambda t, p, m: np.corrcoef(t, p)), "correlation: one number"),
}

quiz(
    "3.2-q2",
    question="A colleague multiplies all predicted marks by ten. What happens to the correlation and to the "
    "mean squared error?",
    options=(
        "The correlation stays, the mean squared error explodes.",
        "Both stay, since the order of the wines is the same.",
        "The correlation becomes ten times larger.",
        "The correlation falls, the mean squared error stays.",
    ),
    answer=1,
    explanation="A correlation is blind to scale and offset. Report it together with an error in the unit of "
    "the target.",
)
