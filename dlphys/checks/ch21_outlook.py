"""Checks of chapter 21: few levels, the straight-through estimator, spikes, the Wiener filter, sparse regression."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from dlphys.checks import expect
from dlphys.checks.engine import Failure, own_data, quiz, task
from dlphys.checks.proxy import StudentError

# --- M21.1a -------------------------------------------------------------------------------------------------


def _nearest(weights: np.ndarray, step: float, levels: int) -> np.ndarray:
    """The nearest level, by comparing with all of them."""
    grid = step * (np.arange(levels) - (levels - 1) / 2)
    return np.asarray(grid[np.abs(weights[..., None] - grid).argmin(axis=-1)])


def _weights(random: np.random.Generator, step: float, levels: int) -> np.ndarray:
    """Weights at, between and beyond the levels, none of them halfway between two."""
    number = random.permutation(np.arange(-2, levels + 2).repeat(9)) - (levels - 1) / 2
    return np.asarray(step * (number + random.uniform(-0.42, 0.42, len(number))), np.float32).reshape(3, -1)


def _on_a_grid(
    w: np.ndarray,
    step: float,
    levels: int,
    *,
    round_: Callable[[Any], Any] = np.round,
    top: int | None = None,
    clip: bool = True,
) -> np.ndarray:
    """Levels by their number; the keywords make the known mistakes."""
    offset = 0.5 * (levels - 1)
    number = round_(np.asarray(w, float) / step + offset)
    if clip:
        number = np.clip(number, 0, levels - 1 if top is None else top)
    return np.asarray(step * (number - offset))


@task("M21.1a", section="21.1")
def quantise(student: Any, random: np.random.Generator) -> str:
    for levels in (4, 3, 2, 8):
        step = float(random.uniform(0.2, 0.8))
        w = _weights(random, step, levels)
        answer = student(w, step, levels)
        expect.shape(answer, w.shape, name="the quantised weights")
        expect.finite(answer, name="the quantised weights")
        answer = np.asarray(answer, float)
        zero_a_level = np.clip(step * np.round(w / step), -step * (levels // 2), step * ((levels - 1) // 2))
        known = {
            "the values of the levels, not their numbers k": np.clip(
                np.round(w / step + (levels - 1) / 2), 0, levels - 1
            ),
            "weights beyond the last level set to the last level": _on_a_grid(w, step, levels, clip=False),
            "the nearest level, not the next lower one": _on_a_grid(w, step, levels, round_=np.floor),
            "as many values as levels: k ends at levels - 1": _on_a_grid(w, step, levels, top=levels),
        }
        if levels % 2 == 0:
            known["with an even number of levels zero is none of them: the levels are shifted by half a step"] = (
                zero_a_level
            )
        for because, wrong in known.items():
            expect.differs(answer, wrong, because=because, rtol=1e-4, atol=1e-5)
        expect.at_most(
            len(np.unique(answer.round(5))), levels, because=f"at most {levels} different values", name="their number"
        )
        expect.close(
            student(-w, step, levels),
            -answer,
            rtol=1e-4,
            atol=1e-5,
            name="the quantised -w",
            because="levels that are symmetric about zero",
            rung="physics",
        )
        expect.close(
            student(2 * w, 2 * step, levels),
            2 * answer,
            rtol=1e-4,
            atol=1e-5,
            name="the quantised 2 w with twice the step",
            because="the same answer in other units",
            rung="physics",
        )
        expect.close(
            answer,
            _nearest(w, step, levels),
            rtol=1e-4,
            atol=1e-5,
            name="the quantised weights",
            because=f"the nearest of {levels} levels",
        )
    return "the nearest level, for two to eight of them"


quantise.hints = (
    "The number k of the nearest level is w / step + (levels - 1) / 2, rounded.",
    "keras.ops.round and keras.ops.clip(k, 0, levels - 1); then back to step * (k - (levels - 1) / 2).",
    "Give (levels - 1) / 2 a name; it is used twice, once added before the rounding and once subtracted after it.",
)
quantise.mistakes = {
    "zero is always a level": (
        lambda weights, step, levels: np.clip(
            step * np.round(weights / step), -step * (levels // 2), step * ((levels - 1) // 2)
        ),
        "shifted by half a step",
    ),
    "no clip": (lambda weights, step, levels: _on_a_grid(weights, step, levels, clip=False), "beyond the last level"),
    "floor": (lambda weights, step, levels: _on_a_grid(weights, step, levels, round_=np.floor), "the next lower one"),
    "one level too many": (
        lambda weights, step, levels: _on_a_grid(weights, step, levels, top=levels),
        "ends at levels - 1",
    ),
    "numbers of the levels": (
        lambda weights, step, levels: _on_a_grid(weights, step, levels) / step + (levels - 1) / 2,
        "not their numbers k",
    ),
    "twice as many levels": (
        lambda weights, step, levels: _nearest(weights, step / 2, 2 * levels),
        "different values",
    ),
    "only signs": (lambda weights, step, levels: step / 2 * np.sign(weights), "the nearest of 4 levels"),
    "flattened": (lambda weights, step, levels: _nearest(weights, step, levels).ravel(), "an array of shape"),
}

# --- M21.1b -------------------------------------------------------------------------------------------------


@task("M21.1b", section="21.1")
def QuantisedDense(student: Any, random: np.random.Generator) -> str:  # noqa: N802 - the name of the class to write
    x = random.normal(size=(9, 5)).astype(np.float32)
    for levels, width in ((2, 2.0), (4, float(random.uniform(0.7, 1.3)))):
        layer = student(3, levels, width)
        expect.shape(layer(x), (9, 3), name="the output of 3 nodes for 9 events")
        kernel = (2.0 * random.normal(size=(5, 3))).astype(np.float32)
        bias = random.normal(size=3).astype(np.float32)
        layer.set_weights([kernel, bias])
        step = float(layer.step())
        rounded = _nearest(kernel.astype(float), step, levels)
        answer = layer(x)
        expect.finite(answer, name="the output")
        known = {
            "an output of the quantised kernel; this one is the float kernel's": x @ kernel + bias,
            "a bias in float32: only the kernel is quantised": x @ rounded + _nearest(bias, step, levels),
            "the bias added": x @ rounded,
        }
        for because, wrong in known.items():
            expect.differs(answer, wrong, because=because, rtol=1e-4, atol=1e-5)
        expect.close(
            answer,
            x @ rounded + bias,
            rtol=1e-3,
            atol=1e-4,
            name="the output",
            because="x q(w) + b with the step of self.step()",
        )
        slopes = _slopes(layer, x)
        expect.shape(slopes, (5, 3), name="the gradient")
        expect.holds(
            np.any(slopes != 0),
            because="a gradient that reaches the kernel: stop_gradient has to hide the difference q(w) - w, so that "
            "w itself is left",
            seen="zeros: w + (q(w) - w) is q(w), a staircase",
            rung="known mistake",
        )
        wanted = 2 * x.T.astype(float) @ (x @ rounded + bias)
        beyond = np.abs(kernel) > step * (levels - 1) / 2
        expect.differs(
            slopes,
            np.where(beyond, 0.0, wanted),
            because="a gradient for weights beyond the last level too: straight through for all of them",
            rtol=1e-3,
            atol=1e-3,
        )
        expect.close(
            slopes,
            wanted,
            rtol=1e-3,
            atol=1e-3,
            name="the gradient",
            because="that of a layer with the kernel q(w), handed on to w unchanged",
            rung="physics",
        )
    clipped = student(3, 4, 1.0, "relu")
    clipped(x)
    clipped.set_weights([kernel, bias])
    rounded = _nearest(kernel.astype(float), float(clipped.step()), 4)
    answer = clipped(x)
    expect.differs(
        answer, x @ rounded + bias, because="the activation of the sum, self.activation(...)", rtol=1e-4, atol=1e-5
    )
    expect.close(
        answer,
        np.maximum(x @ rounded + bias, 0),
        rtol=1e-3,
        atol=1e-4,
        name="the output with ReLU",
        because="relu(x q(w) + b)",
    )
    return "forwards the staircase, backwards the straight line"


def _slopes(layer: Any, x: np.ndarray) -> Any:
    """The gradient, or the failure that says why there is none."""
    try:
        return layer.slopes(x)
    except StudentError as error:
        if "depend on" not in str(error):
            raise
        because = "an output that depends on the kernel for the gradient: w itself must stand outside stop_gradient"
        raise Failure("known mistake", because, "no gradient arrives at the kernel") from None


def _dense(
    make: Callable[[Any, Any, Any], Any], finish: Callable[..., Any] | None = None
) -> Callable[[int, Any, Any, Any], Any]:
    """A wrong QuantisedDense: ``make`` is the kernel from keras.ops, w and q(w); ``finish`` the output."""

    def quantised_dense(units: int, levels: int, width: float, activation: Any = None) -> Any:
        import keras

        from dlphys import autodiff

        ops = keras.ops

        def to_levels(w: Any, step: Any) -> Any:
            end = 0.5 * (levels - 1)
            return step * (ops.clip(ops.round(w / step + end), 0, levels - 1) - end)

        class Wrong(keras.layers.Dense):
            def step(self) -> Any:
                return width * ops.mean(ops.abs(ops.stop_gradient(ops.convert_to_tensor(self.kernel))))

            def call(self, x: Any) -> Any:
                w = ops.convert_to_tensor(self.kernel)
                kernel = make(ops, w, to_levels(w, self.step()))
                if finish is None:
                    return self.activation(ops.matmul(x, kernel) + self.bias)
                return finish(self, ops.matmul(x, kernel), to_levels(self.bias, self.step()))

            def slopes(self, x: Any) -> Any:
                return autodiff.value_and_gradients(lambda: ops.sum(self(x) ** 2), [self.kernel])[1][0]

        return Wrong(units, activation=activation)

    return quantised_dense


def _straight(ops: Any, w: Any, q: Any) -> Any:
    return q + w - ops.stop_gradient(w)


QuantisedDense.hints = (
    "`quantise(self.kernel, self.step(), self.levels)` is q(w).",
    "The kernel of the layer is self.kernel plus stop_gradient of the difference: in value q(w), in slope w.",
    "Then as in any dense layer: self.activation(keras.ops.matmul(x, ...) + self.bias).",
)
QuantisedDense.mistakes = {
    "float kernel": (_dense(lambda ops, w, q: w), "this one is the float kernel's"),
    "no straight-through": (_dense(lambda ops, w, q: ops.stop_gradient(q)), "must stand outside stop_gradient"),
    "no stop": (_dense(lambda ops, w, q: w + (ops.stop_gradient(q) - w)), "has to hide the difference"),
    "clipped": (
        _dense(lambda ops, w, q: q + ops.clip(w, *_ends(ops, q)) - ops.stop_gradient(ops.clip(w, *_ends(ops, q)))),
        "for weights beyond the last level too",
    ),
    "twice": (_dense(lambda ops, w, q: q + 2 * (w - ops.stop_gradient(w))), "handed on to w unchanged"),
    "bias quantised": (
        _dense(_straight, lambda layer, sums, bias: layer.activation(sums + bias)),
        "only the kernel is quantised",
    ),
    "no bias": (_dense(_straight, lambda layer, sums, bias: layer.activation(sums)), "the bias added"),
    "no activation": (_dense(_straight, lambda layer, sums, bias: sums + layer.bias), "self.activation(...)"),
    "bias subtracted": (
        _dense(_straight, lambda layer, sums, bias: layer.activation(sums - layer.bias)),
        "with the step of self.step()",
    ),
}


def _ends(ops: Any, q: Any) -> tuple[Any, Any]:
    end = ops.stop_gradient(ops.max(ops.abs(q)))
    return -end, end


quiz(
    "M21.1-q1",
    question="Why can a network with rounded weights not be trained with the true derivative of the rounding?",
    options=(
        "Because rounding is not deterministic.",
        "Because the derivative is too large, and the training diverges.",
        "Because it is zero almost everywhere: no gradient arrives at the float weights.",
        "Because two levels have the same loss.",
    ),
    answer=3,
    explanation="A staircase is flat except at its steps. The straight-through estimator uses the derivative of a "
    "straight line in its place: biased, but its sign says where to go.",
)

# --- M21.2 --------------------------------------------------------------------------------------------------


@task("M21.2", section="21.2")
def fire(student: Any, random: np.random.Generator) -> str:
    decay = float(random.uniform(0.6, 0.9))
    v = np.concatenate([random.uniform(0.0, 0.9, 6), random.uniform(1.05, 1.4, 2)])
    c = np.concatenate([random.uniform(0.9, 1.6, 3), random.uniform(0.0, 0.1, 2), [0.45], [0.0, 2.5]])
    v[5], v[6] = 0.9 / decay * 0.99, 1.05  # the first reaches 1 with the input, the second leaks below it
    decay = min(decay, 0.9)
    answer = student(v, c, decay)
    expect.is_tuple(answer, 2, name="the new voltage and the spikes")
    for name, part in zip(("the new voltage", "the spikes"), answer, strict=True):
        expect.shape(part, v.shape, name=name)
        expect.finite(part, name=name)
    voltage, spikes = (np.asarray(part, float) for part in answer)
    for because, changes in MISTAKEN_STEPS.items():
        expect.differs(voltage, _step(v, c, decay, **changes)[0], because=because, rtol=1e-9)
    edge = np.asarray(student(np.zeros(1), np.ones(1), decay)[1], float)
    expect.close(
        edge, np.ones(1), name="the spikes at 1 exactly", because="a spike at 1 or above", rung="known mistake"
    )
    right = _step(v, c, decay)
    expect.close(
        spikes, right[1], name="the spikes", because="1 where the voltage after leak and input is at least 1, else 0"
    )
    drive = random.uniform(-0.3, 0.9, 5)
    current, number = np.zeros(5), np.zeros(5)
    for _ in range(150):
        current, now = (np.asarray(part, float) for part in student(current, drive, 1.0))
        number += now
    expect.close(
        number + current,
        150 * drive,
        rtol=1e-6,
        atol=1e-9,
        name="spikes plus voltage after 150 steps without leak",
        because="all the input, in spikes or in the voltage: nothing is lost without a leak",
        rung="physics",
    )
    expect.close(voltage, right[0], rtol=1e-9, name="the new voltage", because="decay * V + c, less 1 after a spike")
    return "leak, input, spike, reset; without leak no charge is lost"


def _step(
    v: np.ndarray,
    c: np.ndarray,
    decay: float,
    *,
    leak: bool = True,
    leak_input: bool = False,
    reset: str = "subtract",
    early: bool = False,
    strict: bool = False,
    sign: float = 1.0,
    many: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """One step; the keywords make the known mistakes."""
    v, c = np.asarray(v, float), np.asarray(c, float)
    charged = (decay if leak else 1.0) * v + sign * (decay if leak_input else 1.0) * c
    tested = v if early else charged
    spikes = np.maximum(np.floor(charged), 0) if many else ((tested > 1) if strict else (tested >= 1)) * 1.0
    after = {
        "subtract": charged - spikes,
        "zero": charged * (spikes == 0),
        "one": np.minimum(charged, 1),
        "none": charged,
    }
    return after[reset], spikes


MISTAKEN_STEPS: dict[str, dict[str, Any]] = {
    "the leak: a share of the old voltage only is left": {"leak": False},
    "the leak for the old voltage only, not for the input of this step": {"leak_input": True},
    "1 subtracted after a spike, not a reset to zero: what is above the threshold is kept": {"reset": "zero"},
    "a reset after a spike": {"reset": "none"},
    "a voltage that falls by 1, not to 1": {"reset": "one"},
    "the threshold compared with the voltage after leak and input, not with the old one": {"early": True},
    "one spike in a step at most": {"many": True},
}


def _wrong_step(**changes: Any) -> Callable[..., Any]:
    return lambda voltage, current, decay: _step(voltage, current, decay, **changes)


fire.hints = (
    "First the voltage after leak and input: decay * voltage + current.",
    "The spikes are 1.0 where that voltage is at least 1 and 0.0 elsewhere (np.where).",
    "Return the voltage minus the spikes, and the spikes.",
)
fire.mistakes = {
    "no leak": (_wrong_step(leak=False), "a share of the old voltage"),
    "leak of the input": (_wrong_step(leak_input=True), "not for the input of this step"),
    "reset to zero": (_wrong_step(reset="zero"), "what is above the threshold is kept"),
    "no reset": (_wrong_step(reset="none"), "a reset after a spike"),
    "reset to the threshold": (_wrong_step(reset="one"), "not to 1"),
    "old voltage": (_wrong_step(early=True), "not with the old one"),
    "several spikes": (_wrong_step(many=True), "in a step at most"),
    "above only": (_wrong_step(strict=True), "at 1 or above"),
    "spikes only": (lambda voltage, current, decay: _step(voltage, current, decay)[1], "2 results"),
}

# --- M21.3 --------------------------------------------------------------------------------------------------


def _bayes(d: np.ndarray, R: np.ndarray, S: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance from the first form of the formula, with inverses; S must be regular."""
    information = np.linalg.inv(S) + R.T @ np.diag(noise**-2.0) @ R
    D = np.linalg.inv(information)
    return D @ R.T @ (d / noise**2), D


@task("M21.3", section="21.3")
def wiener_filter(student: Any, random: np.random.Generator) -> str:
    n, k = 9, 6
    A = random.normal(size=(n, n))
    S, R = A @ A.T + 0.3 * np.eye(n), random.normal(size=(k, n))
    noise, d = random.uniform(0.4, 0.8, k) * random.choice([1.0, 2.5], k), 3 * random.normal(size=k)
    answer = student(d, R, S, noise)
    expect.is_tuple(answer, 2, name="mean and standard deviation")
    for name, part in zip(("the mean", "the standard deviation"), answer, strict=True):
        expect.shape(part, (n,), name=name)
        expect.finite(part, name=name)
    mean, sigma = answer
    right, D = _bayes(d, R, S, noise)
    variance = _bayes(d, R, S, np.sqrt(noise))[0]
    exact = S @ R.T @ np.linalg.solve(R @ S @ R.T, d)
    for wrong, because in (
        (variance, "noise is a standard deviation: N has its squares on the diagonal"),
        (exact, "the noise in the bracket, R S R^T + N: exact data would be believed to the last digit"),
        (np.linalg.solve(S, right), "S in front of R^T: it carries what was seen to where nothing was seen"),
        (_bayes(d, R, S, np.full(k, noise.mean()))[0], "the noise of each datum, not the same for all"),
    ):
        expect.differs(mean, wrong, because=because, rtol=1e-4)
    for wrong, because in (
        (np.diag(D), "the standard deviation, the root of the diagonal of D"),
        (np.sqrt(np.diag(S)), "the posterior's standard deviation: the data make it smaller than that of S"),
        (np.sqrt(np.diag(S - D)), "what is not explained: S minus the other term, not that term"),
    ):
        expect.differs(sigma, wrong, because=because, rtol=1e-4)
    nothing = student(d, R, S, 1e6 * noise)
    expect.close(
        nothing[0], np.zeros(n), atol=1e-3, name="the mean", because="zero without information", rung="physics"
    )
    expect.close(
        nothing[1],
        np.sqrt(np.diag(S)),
        rtol=1e-3,
        name="the standard deviation",
        because="the prior where the noise is huge",
        rung="physics",
    )
    expect.close(
        student(2 * d, R, S, noise)[0],
        2 * np.asarray(mean),
        rtol=1e-6,
        atol=1e-9,
        name="the mean for twice the data",
        because="a filter that is linear in the data",
        rung="physics",
    )
    # a field without a mean: S is singular, its inverse does not exist
    centred = np.eye(n) - 1 / n
    singular = centred @ S @ centred
    bent = R @ singular @ R.T + np.diag(noise**2)
    wanted = singular @ R.T @ np.linalg.inv(bent) @ d
    because = "a singular S (here: a field with the mean zero) used as it is: the second form needs no inverse of it"
    try:
        flat = np.asarray(student(d, R, singular, noise)[0], float)
    except StudentError as error:
        raise Failure("physics", because, str(error)) from None
    expect.close(flat, wanted, rtol=1e-5, atol=1e-7, name="the mean", because=because, rung="physics")
    expect.close(mean, right, rtol=1e-6, atol=1e-8, name="the mean", because="the mean of the posterior")
    expect.close(sigma, np.sqrt(np.diag(D)), rtol=1e-6, name="the standard deviation", because="the root of D_ii")
    return "both forms of the formula agree, and a singular S does no harm"


def _filtered(
    change: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Any],
) -> Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Any]:
    """A wrong wiener_filter()."""

    def wiener_filter(data: np.ndarray, response: np.ndarray, covariance: np.ndarray, noise: np.ndarray) -> Any:
        return change(data, response, covariance, noise)

    return wiener_filter


def _posterior(d: np.ndarray, R: np.ndarray, S: np.ndarray, N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The second form with inverses; N is a matrix."""
    gain = S @ R.T @ np.linalg.pinv(R @ S @ R.T + N)
    return gain @ d, S - gain @ R @ S


def _root(D: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.clip(np.diag(D), 0, None)))


def _with(N: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Any]:
    """The filter with another N."""

    def change(d: np.ndarray, R: np.ndarray, S: np.ndarray, noise: np.ndarray) -> Any:
        mean, D = _posterior(d, R, S, N(noise))
        return mean, _root(D)

    return _filtered(change)


def _reported(report: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """The filter with another result, made of mean, D and S."""
    return _filtered(lambda d, R, S, noise: report(*_posterior(d, R, S, np.diag(noise**2)), S))


def _inverted(d: np.ndarray, R: np.ndarray, S: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first form, with the pseudo-inverse of S, which allows what S forbids."""
    D = np.linalg.pinv(np.linalg.pinv(S) + R.T @ np.diag(noise**-2.0) @ R)
    return D @ R.T @ (d / noise**2), _root(D)


wiener_filter.hints = (
    "R S R^T + N is a matrix (k, k); N has noise**2 on its diagonal (np.diag).",
    "Solve once with the data and with R S as right-hand sides: np.column_stack([data, R S]) has the shape (k, n + 1).",
    "With B = R S: the mean is B^T times the first column of the solution; D_ii is S_ii minus the sum over k of B "
    "times the other columns.",
)
wiener_filter.mistakes = {
    "variance": (_with(np.diag), "noise is a standard deviation"),
    "no noise": (_with(lambda noise: 0 * np.diag(noise)), "to the last digit"),
    "mean noise": (_with(lambda noise: np.eye(len(noise)) * noise.mean() ** 2), "not the same for all"),
    "no S in front": (
        _reported(lambda mean, D, S: (np.linalg.pinv(S) @ mean, _root(D))),
        "to where nothing was seen",
    ),
    "variances": (_reported(lambda mean, D, S: (mean, np.diag(D).copy())), "the root of the diagonal"),
    "prior": (_reported(lambda mean, D, S: (mean, _root(S))), "the data make it smaller"),
    "explained": (_reported(lambda mean, D, S: (mean, _root(S - D))), "not that term"),
    "inverse of S": (_filtered(_inverted), "needs no inverse of it"),
    "whole D": (_reported(lambda mean, D, S: (mean, D)), "the standard deviation: an array of shape (9,)"),
    "mean only": (_reported(lambda mean, D, S: mean), "2 results"),
}

# --- M21.4 --------------------------------------------------------------------------------------------------


def _sparse(
    features: np.ndarray,
    target: np.ndarray,
    threshold: float,
    *,
    contribution: bool = True,
    size: Callable[[np.ndarray], np.ndarray] = lambda f: np.sqrt((f**2).mean(axis=0)),
    relative: bool = True,
    rounds: int = 100,
    refit: bool = True,
) -> np.ndarray:
    """Sequential thresholded least squares with a mask; the keywords make the known mistakes."""
    features, target = np.asarray(features, float), np.asarray(target, float)
    scale = np.sqrt((target**2).mean()) if relative else 1.0
    sizes = size(features) if contribution else np.ones(features.shape[1])
    keep = np.ones(features.shape[1], bool)
    for _ in range(rounds):
        c = np.zeros(features.shape[1])
        c[keep] = np.linalg.pinv(features[:, keep]) @ target
        weak = keep & (np.abs(c) * sizes < threshold * scale)
        if not weak.any():
            return c
        keep &= ~weak
    if refit:
        c = np.zeros(features.shape[1])
        c[keep] = np.linalg.pinv(features[:, keep]) @ target
        return c
    return np.asarray(c * keep)


MISTAKEN_FITS: dict[str, dict[str, Any]] = {
    "the contributions |c| rms(f) compared, not the coefficients, which have units": {"contribution": False},
    "a new fit without the terms that were struck out": {"rounds": 1, "refit": False},
    "repeated until nothing is struck out, not once": {"rounds": 1},
    "the rms of a function, not its spread: a constant has none, and still contributes": {
        "size": lambda f: np.asarray(f).std(axis=0)
    },
    "a threshold that is a share of the rms of the target": {"relative": False},
    "the terms struck out: this is plain least squares": {"rounds": 0},
}


def _problem(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Correlated functions of different size, in which every known mistake leads elsewhere."""
    while True:
        common = random.normal(size=(60, 1))
        functions = [common + random.normal(0, random.uniform(0.2, 1.0), (60, 1)) for _ in range(6)]
        features = np.hstack([np.ones((60, 1)), *functions]) * np.append(1.0, random.choice([0.2, 1.0, 5.0], 6))
        law = np.zeros(7)
        law[0], chosen = 0.8, random.choice(np.arange(1, 7), 2, replace=False)
        law[chosen] = random.uniform(0.8, 2.0, 2) / np.sqrt((features[:, chosen] ** 2).mean(axis=0))
        target = 4 * (features @ law + random.normal(0, 0.3, 60))
        threshold = 0.12
        right = _sparse(features, target, threshold)
        # a contribution near the threshold would make rounding decide
        share = np.abs(right) * np.linalg.norm(features, axis=0) / np.linalg.norm(target)
        margin = np.abs(share[right != 0] - threshold).min(initial=1.0)
        answers = [right, *(_sparse(features, target, threshold, **changes) for changes in MISTAKEN_FITS.values())]
        apart = all(not np.allclose(one, other) for one, other in combinations(answers, 2))
        if right[0] and margin > 1e-3 and apart:
            return features, target, threshold


@task("M21.4", section="21.4")
def sparse_regression(student: Any, random: np.random.Generator) -> str:
    features, target, threshold = _problem(random)
    answer = student(features, target, threshold)
    expect.shape(answer, (7,), name="the coefficients of 7 terms")
    expect.finite(answer, name="the coefficients")
    for because, changes in MISTAKEN_FITS.items():
        wrong = _sparse(features, target, threshold, **changes)
        expect.differs(answer, wrong, because=because, rtol=1e-6, atol=1e-9)
    expect.close(
        student(features, target, 0.0),
        np.linalg.pinv(features) @ target,
        rtol=1e-6,
        atol=1e-9,
        name="the coefficients without threshold",
        because="plain least squares with the threshold 0",
        rung="physics",
    )
    units = 10.0 ** random.integers(-2, 3, 7)
    expect.close(
        student(features * units, 1000 * target, threshold),
        1000 * np.asarray(answer) / units,
        rtol=1e-5,
        atol=1e-9,
        name="the coefficients",
        because="the same law in other units",
        rung="physics",
    )
    right = _sparse(features, target, threshold)
    expect.equal(
        np.asarray(answer) != 0,
        right != 0,
        name="the choice of the terms",
        because="the terms that are left when no contribution is below the threshold",
    )
    expect.close(answer, right, rtol=1e-6, atol=1e-9, because="least squares with the terms that are left")
    return "the same law in any units"


def _wrong_fit(**changes: Any) -> Callable[..., Any]:
    return lambda features, target, threshold: _sparse(features, target, threshold, **changes)


sparse_regression.hints = (
    "Keep the numbers of the terms that are left in an array; the fit uses features[:, those].",
    "The contribution of a term is |c_j| times the root of the mean of features[:, j]**2; compare with threshold times "
    "the root of the mean of target**2.",
    "Loop: fit, find the terms with large contributions, stop if all are; else keep only those. At the end put the "
    "coefficients into an array of zeros.",
)
sparse_regression.mistakes = {
    "coefficients compared": (_wrong_fit(contribution=False), "which have units"),
    "no new fit": (_wrong_fit(rounds=1, refit=False), "without the terms that were struck out"),
    "one round": (_wrong_fit(rounds=1), "until nothing is struck out"),
    "standard deviation": (_wrong_fit(size=lambda f: np.asarray(f).std(axis=0)), "a constant has none"),
    "absolute threshold": (_wrong_fit(relative=False), "a share of the rms of the target"),
    "all terms": (_wrong_fit(rounds=0), "this is plain least squares"),
    "shrunken": (
        lambda features, target, threshold: 0.9 * _sparse(features, target, threshold),
        "plain least squares with the threshold 0",
    ),
    "short": (
        lambda features, target, threshold: (lambda c: c[c != 0])(_sparse(features, target, threshold)),
        "an array of shape (7,)",
    ),
}


def _own_pendulum(random: np.random.Generator) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Ten seconds of a pendulum with friction, and its two constants."""
    strength, friction = random.uniform(8, 13), random.uniform(0.1, 0.6)

    def change(_: float, state: np.ndarray) -> np.ndarray:
        return np.array([state[1], -strength * np.sin(state[0]) - friction * state[1]])

    times = np.arange(0, 10, 0.02)
    angle, velocity = solve_ivp(change, (0, 10), [random.uniform(2, 2.8), 0], t_eval=times, rtol=1e-8, atol=1e-10).y
    acceleration = -strength * np.sin(angle) - friction * velocity
    exact = np.stack([angle, velocity, acceleration])
    measured = exact + np.array([[0.001], [0.002], [0.05]]) * random.normal(size=exact.shape)
    return tuple(measured), np.array([strength, friction])


@task("M21.4b", section="21.4", own=_own_pendulum)
def own_pendulum(student: Any, random: np.random.Generator) -> str:
    (angle, velocity, acceleration), constants = own_data("M21.4b")
    answer = student(angle, velocity, acceleration)
    expect.length(answer, 2, name="the constants of your pendulum")
    for value, name in zip(answer, ("g / l", "the friction"), strict=True):
        expect.number(value, name=name)
    margin = np.array([0.06, 0.02])
    expect.differs(np.divide(answer, margin), -constants / margin, atol=1, because="both count positive in the law")
    expect.differs(
        np.divide(answer, margin), constants[::-1] / margin, atol=1, because="first g / l, then the friction"
    )
    straight = np.linalg.lstsq(np.stack([angle, velocity], axis=1), acceleration, rcond=None)[0]
    expect.differs(answer, -straight, rtol=1e-3, because="the sine of the angle: your pendulum swings far")
    expect.at_least(answer, 0, because="gravity pulls back, friction takes energy", name="the smaller of them")
    expect.close(
        np.divide(answer, margin),
        constants / margin,
        atol=1,
        because="the constants of your own pendulum, to 0.06 and 0.02; they belong to your name, and no one else's are",
        name="your pair, in units of these margins,",
    )
    return "yours, and nobody else's"


def _wrong_constants(
    change: Callable[[np.ndarray], Any], force: Callable[[np.ndarray], np.ndarray] = np.sin
) -> Callable[..., Any]:
    def wrong(angle: np.ndarray, velocity: np.ndarray, acceleration: np.ndarray) -> Any:
        terms = np.stack([force(angle), velocity], axis=1)
        return change(-np.linalg.pinv(terms) @ acceleration)

    return wrong


own_pendulum.hints = (
    "The law has two terms: make an array with the columns sin(angle) and velocity.",
    "`sparse_regression` with the threshold 0 fits both; mind the signs in the law.",
)
own_pendulum.mistakes = {
    "signs": (_wrong_constants(lambda pair: -pair), "both count positive"),
    "order": (_wrong_constants(lambda pair: pair[::-1]), "first g / l"),
    "small angles": (_wrong_constants(lambda pair: pair, force=lambda angle: angle), "swings far"),
    "of somebody else": (_wrong_constants(lambda pair: np.array([14.0, 0.7])), "belong to your name"),
    "pushed": (_wrong_constants(lambda pair: np.array([9.81, -0.3])), "friction takes energy"),
    "one constant": (_wrong_constants(lambda pair: pair[:1]), "the constants of your pendulum"),
}

quiz(
    "M21.4-q1",
    question="A recording of small swings gives a formula with nine terms that fits perfectly. What helps?",
    options=(
        "A larger library.",
        "Larger swings: data in which the functions of the library differ.",
        "A deeper network between the data and the regression.",
        "A lower threshold.",
    ),
    answer=2,
    explanation="Functions that agree on all data cannot be told apart by any fit. Precision moves the border slowly, "
    "the range of the data quickly.",
)
