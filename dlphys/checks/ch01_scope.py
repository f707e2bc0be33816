"""Checks of chapter 1: a first verdict, the environment, a confusion matrix, a first network, a calibration shift."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task


@task("1.5a", section="1.5")
def rate_with_error(student: Any, random: np.random.Generator) -> str:
    counts, seconds = int(random.integers(200, 400)), float(random.uniform(20, 40))
    answer = student(counts, seconds)
    expect.is_tuple(answer, 2, name="rate and uncertainty")
    rate, error = answer
    expect.number(rate, name="the rate")
    expect.number(error, name="the uncertainty")
    expect.differs(rate, seconds / counts, because="a rate is particles per time, not time per particle")
    expect.differs(
        error,
        np.sqrt(counts / seconds),
        because="the root of the count, not of the rate: only the number of particles follows Poisson statistics",
    )
    expect.differs(
        error, np.sqrt(counts), because="the uncertainty of the rate: divide the uncertainty of the count by the time"
    )
    expect.differs(error, 1 / np.sqrt(counts), because="an absolute uncertainty in 1/s; 1/sqrt(N) is the relative one")
    expect.differs(error, counts / seconds**2, because="sqrt(N), not N, is the uncertainty of a count")
    longer_rate, longer_error = student(4 * counts, 4 * seconds)
    expect.close(
        longer_rate, rate, because="four times the counts in four times the time are the same rate", rung="physics"
    )
    expect.close(
        longer_error, error / 2, because="four times the measuring time halves the uncertainty", rung="physics"
    )
    expect.close(rate, counts / seconds, because="counts divided by time")
    expect.close(error, np.sqrt(counts) / seconds, because="the root of the count, divided by the time")
    return "well done: this is how every task of the course answers"


rate_with_error.hints = (
    "Two results: write `return first, second`.",
    "np.sqrt is the square root. The count has the uncertainty sqrt(N); dividing by an exact time "
    "divides the uncertainty too.",
    "return counts / seconds, np.sqrt(counts) / seconds",
)
rate_with_error.mistakes = {
    "root of the rate": (lambda counts, seconds: (counts / seconds, np.sqrt(counts / seconds)), "not of the rate"),
    "uncertainty of the count": (lambda counts, seconds: (counts / seconds, np.sqrt(counts)), "divide the uncertainty"),
    "relative uncertainty": (lambda counts, seconds: (counts / seconds, 1 / np.sqrt(counts)), "the relative one"),
    "no root": (lambda counts, seconds: (counts / seconds, counts / seconds**2), "not N"),
    "time per particle": (
        lambda counts, seconds: (seconds / counts, np.sqrt(counts) / seconds),
        "not time per particle",
    ),
    "uncertainty left out": (lambda counts, seconds: counts / seconds, "2 results"),
}


# --- exercise 3.1 ------------------------------------------------------------------------------------------

KEYS = ("ready", "python", "keras", "numpy", "backend")
BACKENDS = ("tensorflow", "jax", "torch")


@task("1.1a", section="3.5")
def environment(student: Any, random: np.random.Generator) -> str:
    answer = student()
    expect.is_dict(answer, keys=KEYS, name="the report")
    expect.holds(
        isinstance(answer["ready"], bool),
        because='"ready" is the truth value report.ok of the doctor, True or False',
        seen=f'"ready" is {answer["ready"]!r}',
        rung="shape",
    )
    for key in KEYS[1:]:
        expect.holds(
            isinstance(answer[key], str),
            because=f"{key!r} as text in quotes",
            seen=f"{key!r} is {answer[key]!r}",
            rung="shape",
        )
    expect.holds(
        answer["backend"].lower() != "keras",
        because="the backend is the library that calculates for Keras: keras.config.backend()",
        seen=f'"backend" is {answer["backend"]!r}',
        rung="known mistake",
    )
    for key in ("python", "keras", "numpy"):
        expect.holds(
            re.fullmatch(r"\d+(\.\d+)+[a-z0-9.+]*", answer[key]),
            because=f"the bare version of {key}, numbers with dots",
            seen=f"{key!r} is {answer[key][:40]!r}",
            rung="known mistake",
        )
    python, numpy = (tuple(int(n) for n in answer[key].split(".")[:2]) for key in ("python", "numpy"))
    expect.holds(
        answer["keras"] != answer["python"] and answer["numpy"] != answer["python"],
        because="platform.python_version() is the version of Python; each package has its own __version__",
        seen=f"Python {answer['python']}, keras {answer['keras']}, numpy {answer['numpy']}",
        rung="known mistake",
    )
    expect.holds(
        answer["ready"],
        because="the doctor says that this computer is ready; what it misses stands above, each with a remedy",
        seen='"ready" is False',
    )
    expect.holds(python >= (3, 11), because="Python 3.11 or newer", seen=f"Python {answer['python']}")
    expect.holds(answer["keras"].startswith("3."), because="Keras 3", seen=f"keras {answer['keras']}")
    expect.holds(numpy >= (2, 0), because="NumPy 2", seen=f"numpy {answer['numpy']}")
    expect.holds(
        answer["backend"] in BACKENDS,
        because=f"one of {', '.join(BACKENDS)}",
        seen=f'"backend" is {answer["backend"]!r}',
    )
    return f"ready: Python {answer['python']}, Keras {answer['keras']} on {answer['backend']}"


def _report(**changes: Any) -> Callable[[], dict[str, Any]]:
    good = {"ready": True, "python": "3.11.7", "keras": "3.15.1", "numpy": "2.4.6", "backend": "tensorflow"}

    def environment() -> dict[str, Any]:
        return {key: value for key, value in (good | changes).items() if value is not None}

    return environment


environment.hints = (
    "The cell above shows how to ask the doctor; its verdict is `.ok`.",
    "Every package imported in the setup cell has a version: keras.__version__, np.__version__.",
    'return {"ready": doctor.examine(keras=False).ok, "python": platform.python_version(), "keras": keras.__version__, '
    '"numpy": np.__version__, "backend": keras.config.backend()}',
)
environment.mistakes = {
    "doctor not satisfied": (_report(ready=False), "what it misses stands above"),
    "Keras named as its own backend": (_report(backend="keras"), "calculates for Keras"),
    "version of Python for all": (_report(keras="3.11.7"), "has its own __version__"),
    "whole text of sys.version": (_report(python="3.11.7 (main, Jan 1 2026) [GCC 13]"), "bare version of python"),
    "old Keras": (_report(keras="2.15.0"), "Keras 3"),
    "verdict as text": (_report(ready="OK"), "truth value"),
    "backend left out": (_report(backend=None), "missing 'backend'"),
}

quiz(
    "1.1-q1",
    question="A notebook runs on your screen, but stops with a NameError for your neighbour. What is the "
    "first thing to do?",
    options=(
        "Install the packages again.",
        "Restart the kernel and run all cells from the top: a variable may live on whose cell is gone.",
        "Copy the values of your variables into the notebook.",
        "Wait until the kernel is idle.",
    ),
    answer=2,
    explanation="The kernel remembers what ran, in the order in which it ran; the neighbour has only what is written. "
    "Restart and run all shows you what the neighbour sees.",
)


# --- section 1.3: decision tree ----------------------------------------------------------------------------


@task("M1.1a", section="1.3")
def confusion(student: Any, random: np.random.Generator) -> str:
    while True:
        signal, background = random.integers(3, 60, 6), random.integers(3, 60, 6)
        vote = random.permutation([True, True, False, True, False, False])
        counts = [side[chosen].sum() for chosen in (vote, ~vote) for side in (signal, background)]
        # four different counts, and a leaf of each vote with another majority: then no mistake is right by accident
        if len(set(counts)) == 4 and (signal < background)[vote].any() and (signal > background)[~vote].any():
            break
    answer = student(signal, background, vote)
    expect.is_tuple(answer, 4, name="TP, FP, FN, TN")
    for name, value in zip(("TP", "FP", "FN", "TN"), answer, strict=True):
        expect.number(value, name=name)
    tp, fp = signal[vote].sum(), background[vote].sum()
    fn, tn = signal[~vote].sum(), background[~vote].sum()
    expect.differs(
        answer, (tp, fn, fp, tn), because="the order TP, FP, FN, TN: false positives are background called signal"
    )
    expect.differs(
        answer,
        (tn, fn, fp, tp),
        because='positive means "called signal": TP are signal events at leaves that vote signal',
    )
    expect.differs(
        answer, (fn, tn, tp, fp), because="signal at a leaf that votes signal is right, so it counts as true"
    )
    correct = np.maximum(signal, background)
    expect.differs(
        answer,
        (
            correct[vote].sum(),
            (signal + background - correct)[vote].sum(),
            (signal + background - correct)[~vote].sum(),
            correct[~vote].sum(),
        ),
        because="the votes of the leaves are given; a leaf may vote against its own majority",
    )
    total = (signal + background).sum()
    expect.close(
        sum(answer), total, because="every event is counted once: the four numbers add up to all events", rung="physics"
    )
    expect.close(
        answer[0] + answer[2], signal.sum(), because="TP and FN together are all signal events", rung="physics"
    )
    everything = student(signal, background, np.ones(6, bool))
    expect.close(
        everything,
        (signal.sum(), background.sum(), 0, 0),
        because="if every leaf votes signal, nothing is called background",
        rung="physics",
    )
    expect.close(answer, (tp, fp, fn, tn), because="sums of signal and background over the leaves of each vote")
    return "TP + FN is the signal, FP + TN the background, as it must be"


confusion.hints = (
    "An array of booleans selects: signal[vote] are the signal counts at the leaves that vote signal.",
    "~vote turns True and False around: the leaves that vote background.",
    "return signal[vote].sum(), background[vote].sum(), signal[~vote].sum(), background[~vote].sum()",
)
confusion.mistakes = {
    "FP and FN exchanged": (
        lambda signal, background, vote: (
            signal[vote].sum(),
            signal[~vote].sum(),
            background[vote].sum(),
            background[~vote].sum(),
        ),
        "background called signal",
    ),
    "background taken as positive": (
        lambda signal, background, vote: (
            background[~vote].sum(),
            signal[~vote].sum(),
            background[vote].sum(),
            signal[vote].sum(),
        ),
        "positive means",
    ),
    "votes turned around": (
        lambda signal, background, vote: (
            signal[~vote].sum(),
            background[~vote].sum(),
            signal[vote].sum(),
            background[vote].sum(),
        ),
        "so it counts as true",
    ),
    "leaves counted instead of events": (
        lambda signal, background, vote: (vote.sum(), vote.sum(), (~vote).sum(), (~vote).sum()),
        "add up to all events",
    ),
    "majority instead of vote": (
        lambda signal, background, vote: _by_majority(signal, background, vote),
        "against its own majority",
    ),
    "one per leaf": (
        lambda signal, background, vote: (signal * vote, background * vote, signal * ~vote, background * ~vote),
        "TP: one number",
    ),
}


def _by_majority(signal: np.ndarray, background: np.ndarray, vote: np.ndarray) -> tuple[Any, ...]:
    right, wrong = np.maximum(signal, background), np.minimum(signal, background)
    return right[vote].sum(), wrong[vote].sum(), wrong[~vote].sum(), right[~vote].sum()


@task("M1.1b", section="1.3")
def rates(student: Any, random: np.random.Generator) -> str:
    tp, fp, fn, tn = (int(n) for n in random.choice(np.arange(20, 200), 4, replace=False))
    answer = student(tp, fp, fn, tn)
    keys = ("accuracy", "sensitivity", "precision", "false_positive_rate")
    expect.is_dict(answer, keys=keys, name="the ratios")
    for key, value in answer.items():
        expect.number(value, name=key)
    total = tp + fp + fn + tn
    expect.differs(answer["accuracy"], (tp + tn) / total * 100, because="fractions between 0 and 1, not percent")
    expect.differs(
        answer["accuracy"], tp / total, because="accuracy counts background that is called background as correct too"
    )
    expect.differs(
        answer["sensitivity"],
        tp / (tp + fp),
        because="sensitivity asks how much of the signal is found: divide by all signal events, TP + FN",
    )
    expect.differs(
        answer["false_positive_rate"],
        fp / (tp + fp),
        because="the false positive rate is a fraction of the background, FP + TN, not of what is called signal",
    )
    expect.differs(
        answer["false_positive_rate"],
        fp / total,
        because="the false positive rate is a fraction of the background, not of all events",
    )
    perfect = student(tp, 0, 0, tn)
    expect.close(
        [perfect[key] for key in keys],
        [1, 1, 1, 0],
        because="without any error the ratios are 1, 1, 1, 0",
        rung="physics",
    )
    rare = student(tp, 10 * fp, fn, 10 * tn)
    expect.close(
        [rare["sensitivity"], rare["false_positive_rate"]],
        [answer["sensitivity"], answer["false_positive_rate"]],
        because="ten times the background leaves sensitivity and false positive rate as they are",
        rung="physics",
    )
    right = [(tp + tn) / total, tp / (tp + fn), tp / (tp + fp), fp / (fp + tn)]
    expect.close(
        [answer[key] for key in keys],
        right,
        because="each ratio as in the list above the task",
        name="the ratios, in that order",
    )
    return "sensitivity and false positive rate do not depend on how rare the signal is; accuracy and precision do"


def _ratios(change: Callable[[float, float, float, float], dict[str, float]]) -> Callable[..., dict[str, float]]:
    def rates(
        true_positive: float, false_positive: float, false_negative: float, true_negative: float
    ) -> dict[str, float]:
        tp, fp, fn, tn = true_positive, false_positive, false_negative, true_negative
        right = {
            "accuracy": (tp + tn) / (tp + fp + fn + tn),
            "sensitivity": tp / (tp + fn) if tp else 0.0,
            "precision": tp / (tp + fp) if tp else 0.0,
            "false_positive_rate": fp / (fp + tn),
        }
        return right | change(tp, fp, fn, tn)

    return rates


rates.hints = (
    "Which events are the whole in each question: all, the signal, what is called signal, or the background?",
    "All signal: TP + FN. Called signal: TP + FP. All background: FP + TN.",
    "accuracy (TP + TN) / all, sensitivity TP / (TP + FN), precision TP / (TP + FP), false positive "
    "rate FP / (FP + TN)",
)
rates.mistakes = {
    "sensitivity and precision exchanged": (
        _ratios(lambda tp, fp, fn, tn: {"sensitivity": tp / (tp + fp), "precision": tp / (tp + fn)}),
        "how much of the signal is found",
    ),
    "false positives among those called signal": (
        _ratios(lambda tp, fp, fn, tn: {"false_positive_rate": fp / (tp + fp)}),
        "not of what is called signal",
    ),
    "false positives among all": (
        _ratios(lambda tp, fp, fn, tn: {"false_positive_rate": fp / (tp + fp + fn + tn)}),
        "not of all events",
    ),
    "accuracy without true negatives": (
        _ratios(lambda tp, fp, fn, tn: {"accuracy": tp / (tp + fp + fn + tn)}),
        "called background as correct too",
    ),
    "percent": (
        _ratios(lambda tp, fp, fn, tn: {"accuracy": 100 * (tp + tn) / (tp + fp + fn + tn)}),
        "not percent",
    ),
    "true negative rate": (
        _ratios(lambda tp, fp, fn, tn: {"false_positive_rate": tn / (fp + tn)}),
        "the ratios are 1, 1, 1, 0",
    ),
}

quiz(
    "M1.1-q1",
    question="One event in a thousand is signal. Which ratio looks excellent for a classifier that calls "
    "everything background?",
    options=("Sensitivity.", "Precision.", "Accuracy.", "None of them."),
    answer=3,
    explanation="It is right for 999 of 1000 events: accuracy 0.999. Its sensitivity is 0, and no event is "
    "called signal at all.",
)


# --- section 1.7: first network ----------------------------------------------------------------------------


@task("M1.3a", section="1.7")
def first_network(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(5, 2), is_=(5, 1))
    expect.has_layers(model, "Dense", because="layers of nodes: layers.Dense")
    dense = [layer for layer in model.layers if layer["class_name"] == "Dense"]
    expect.holds(
        len(dense) == 2,
        because="two layers of nodes: four hidden nodes, then one output",
        seen=f"{len(dense)} Dense layers",
    )
    expect.activation(model, not_="softmax", because="softmax over a single output is always 1: use a sigmoid")
    expect.activation(model, is_="sigmoid", because="the output lies between 0 and 1: a sigmoid at the last node")
    expect.holds(
        dense[0]["config"]["units"] == 4,
        because="four nodes in the hidden layer",
        seen=f"{dense[0]['config']['units']} nodes",
        rung="known mistake",
    )
    expect.holds(
        dense[0]["config"]["activation"] == "relu",
        because="ReLU at the hidden nodes; without an activation the boundary can only be a straight line",
        seen=f"{dense[0]['config']['activation']} at the hidden nodes",
        rung="known mistake",
    )
    expect.equal(
        model.count_params(),
        17,
        because="four nodes with two weights and a bias, one node with four weights and a bias",
        name="the number of parameters",
    )
    expect.loss(model, "mse", because="the mean squared error as objective, as in Fig. 1.5")
    compiled = model.compiled
    expect.holds(
        compiled["optimizer"] == "SGD",
        because="plain stochastic gradient descent, as in Fig. 1.5; chapter 4 shows what the others change",
        seen=f"the optimizer {compiled['optimizer']}",
        rung="known mistake",
    )
    answer = model.predict(random.normal(scale=100, size=(50, 2)).astype("float32"))
    expect.holds(
        ((answer >= 0) & (answer <= 1)).all(),
        because="whatever the input, the output stays between 0 and 1",
        seen=f"outputs up to {answer.max():.3g}",
    )
    return "17 parameters: 4 x 2 weights and 4 biases, 4 weights and 1 bias"


def _network(
    nodes: int = 4,
    hidden: str | None = "relu",
    last: str | None = "sigmoid",
    loss: str = "mse",
    optimizer: str | None = "sgd",
    bias: bool = True,
) -> Callable[[], Any]:
    def first_network() -> Any:
        import keras

        model = keras.Sequential(
            [
                keras.Input((2,)),
                keras.layers.Dense(nodes, activation=hidden, use_bias=bias),
                keras.layers.Dense(1, activation=last, use_bias=bias),
            ]
        )
        if optimizer is not None:
            model.compile(loss=loss, optimizer=optimizer, metrics=["accuracy"])
        return model

    return first_network


first_network.hints = (
    "keras.Sequential([...]) takes a list: first keras.Input((2,)), then the layers.",
    'layers.Dense(4, activation="relu"), then layers.Dense(1, activation="sigmoid"); store the model in a variable.',
    'model.compile(loss="mse", optimizer="sgd", metrics=["accuracy"]), then return model',
)
first_network.mistakes = {
    "softmax on one output": (_network(last="softmax"), "always 1"),
    "no activation at the output": (_network(last=None), "between 0 and 1: a sigmoid"),
    "no activation at the hidden nodes": (_network(hidden=None), "straight line"),
    "five nodes": (_network(nodes=5), "four nodes in the hidden layer"),
    "no biases": (_network(bias=False), "and a bias, one node"),
    "not compiled": (_network(optimizer=None), "a compiled model"),
    "cross-entropy": (_network(loss="binary_crossentropy"), "mean squared error as objective"),
    "Adam": (_network(optimizer="adam"), "plain stochastic gradient descent"),
}


# --- section 1.5: calibration ------------------------------------------------------------------------------


@task("M1.4a", section="1.5")
def predicted_shift(student: Any, random: np.random.Generator) -> str:
    gradient, x = random.normal(size=(40, 3)), random.uniform(1, 4, size=(40, 3))
    column, factor = int(random.integers(1, 3)), 0.01
    answer = student(gradient, x, column, factor)
    expect.shape(answer, (40,), name="the change of the output of 40 events")
    expect.finite(answer)
    expect.differs(
        answer,
        factor * gradient[:, column],
        because="the shift of the input is the factor times the input itself, 0.01 x; 0.01 alone has no unit",
    )
    expect.differs(
        answer, (gradient * x * factor).sum(1), because="only one input is scaled; the others keep their values"
    )
    expect.differs(
        answer,
        gradient[:, column] * x[:, column],
        because="one percent of the input, not the whole input: the factor is missing",
    )
    expect.differs(
        answer,
        gradient[:, column] * (1 + factor) * x[:, column],
        because="the change of the input is 0.01 x, not 1.01 x",
    )
    expect.differs(
        answer,
        gradient[:, 0] * x[:, 0] * factor,
        because="the input with the number `column` is scaled, here not the first",
    )
    expect.close(
        student(gradient, x, column, 0.0), np.zeros(40), atol=1e-15, because="no shift, no change", rung="physics"
    )
    expect.close(
        student(gradient, x, column, -factor),
        -answer,
        because="to first order the change turns its sign with the shift",
        rung="physics",
    )
    weights = random.normal(size=3)
    linear = np.tile(weights, (40, 1))
    scaled = x.copy()
    scaled[:, column] *= 1 + 0.3
    expect.close(
        student(linear, x, column, 0.3),
        (scaled - x) @ weights,
        rtol=1e-9,
        because="for a linear function the prediction is exact",
        rung="physics",
    )
    expect.close(answer, gradient[:, column] * factor * x[:, column], because="gradient times shift, event by event")
    return "gradient times shift: exact for a linear function, first order for a network"


predicted_shift.hints = (
    "Two factors for each event: the derivative by the scaled input, and by how much that input changes.",
    "gradient[:, column] picks one column; the input changes by factor * x[:, column].",
    "return gradient[:, column] * factor * x[:, column]",
)
predicted_shift.mistakes = {
    "input forgotten": (
        lambda gradient, x, column, factor: factor * gradient[:, column],
        "factor times the input itself",
    ),
    "all inputs scaled": (lambda gradient, x, column, factor: (gradient * x * factor).sum(axis=1), "only one input"),
    "factor forgotten": (
        lambda gradient, x, column, factor: gradient[:, column] * x[:, column],
        "the factor is missing",
    ),
    "new value instead of change": (
        lambda gradient, x, column, factor: gradient[:, column] * (1 + factor) * x[:, column],
        "not 1.01 x",
    ),
    "always the first input": (
        lambda gradient, x, column, factor: gradient[:, 0] * x[:, 0] * factor,
        "here not the first",
    ),
    "all columns": (lambda gradient, x, column, factor: gradient * factor * x, "shape (40,)"),
}

quiz(
    "M1.4-q1",
    question="You take a hundred times more data with the same calibration. What becomes of the two "
    "uncertainties of the count?",
    options=(
        "Relative to the count, the statistical one shrinks tenfold; that from the calibration stays.",
        "Both shrink tenfold relative to the count.",
        "The one from the calibration averages out.",
        "Both stay as they are relative to the count.",
    ),
    answer=1,
    explanation="sqrt(N)/N falls as 1/sqrt(N). A wrong calibration shifts every event the same way: more data "
    "do not help, a better calibration does.",
)
