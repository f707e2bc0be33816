"""Checks of chapter 5: regularisation on the noisy checkerboard, interpolation, and the wine table in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys import playground
from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.simulators import toys

HIDDEN = (8, 8, 8, 8, 8, 8)
N_WEIGHTS = 2 * 8 + 5 * 64 + 8
N_TRAIN, N_VALIDATION, N_TEST, EPOCHS = 4_000, 500, 4_000, 20  # of the interpolation, less than in the notebook

# --- 5.1a -------------------------------------------------------------------------------------------------


@task("5.1a", section="5.6")
def expected_loss(student: Any, random: np.random.Generator) -> str:
    p = random.uniform(0.05, 0.95, 200)
    f = random.uniform(-0.9, 0.9, 200)
    answer = student(f, p)
    expect.number(answer)
    right = 0.5 * np.mean((f - 2 * p + 1) ** 2 + 4 * p * (1 - p))
    expect.differs(answer, 2 * right, because="half the squared error, as the playground counts")
    expect.differs(answer, 200 * right, because="the mean over the places, not the sum")
    expect.differs(
        answer,
        0.5 * np.mean((f - 2 * p + 1) ** 2),
        because="the loss against the classes: their scatter about the mean class 2p - 1 belongs to it",
    )
    expect.differs(
        answer,
        0.5 * np.mean(p * (f + 1) ** 2 + (1 - p) * (f - 1) ** 2),
        because="with the probability p the class is +1, and the error then is f - 1",
    )
    expect.differs(
        answer,
        0.5 * np.mean(p * (f - 1) ** 2 + (1 - p) * f**2),
        because="the classes are +1 and -1, not 1 and 0",
    )
    expect.close(
        student(np.zeros(50), p[:50]), 0.5, because="who answers 0 everywhere has the loss 1/2", rung="physics"
    )
    best = student(2 * p - 1, p)
    expect.at_most(
        best, float(student(f, p)), because="no answer beats the mean class 2p - 1", name="the loss of 2p - 1"
    )
    expect.close(
        student(np.ones(50), np.ones(50)), 0.0, atol=1e-12, because="certain and right: no loss", rung="physics"
    )
    expect.close(answer, right, because="the mean of p (f-1)^2 / 2 + (1-p) (f+1)^2 / 2")
    return f"the best answer, 2p - 1, has {best:.3f} on these places"


def _loss(change: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong expected_loss(), of the output and the probability."""

    def expected_loss(output: np.ndarray, probability: np.ndarray) -> Any:
        return change(output, probability)

    return expected_loss


expected_loss.hints = (
    "At each place: with probability p the class is +1, with 1 - p it is -1. Average the two losses.",
    "The loss for the class c is (f - c)^2 / 2.",
    "0.5 * np.mean(p * (f - 1) ** 2 + (1 - p) * (f + 1) ** 2), with your names for f and p.",
)
expected_loss.mistakes = {
    "without the half": (
        _loss(lambda f, p: np.mean((f - 2 * p + 1) ** 2 + 4 * p * (1 - p))),
        "as the playground counts",
    ),
    "against the mean class": (_loss(lambda f, p: np.mean((f - 2 * p + 1) ** 2) / 2), "scatter about the mean class"),
    "classes exchanged": (
        _loss(lambda f, p: np.mean((f + 2 * p - 1) ** 2 + 4 * p * (1 - p)) / 2),
        "the error then is f - 1",
    ),
    "classes 1 and 0": (_loss(lambda f, p: np.mean((f - p) ** 2 + p * (1 - p)) / 2), "not 1 and 0"),
    "sum": (_loss(lambda f, p: np.sum((f - 2 * p + 1) ** 2 + 4 * p * (1 - p)) / 2), "not the sum"),
    "a loss for each place": (_loss(lambda f, p: ((f - 2 * p + 1) ** 2 + 4 * p * (1 - p)) / 2), "one number"),
}

# --- 5.1b -------------------------------------------------------------------------------------------------


@task("5.1b", section="5.6")
def overtrain(student: Any, random: np.random.Generator) -> str:
    data_seed = int(random.integers(1, 10_000))
    answer = student(data_seed, 1)
    expect.is_tuple(answer, 2, name="training loss and test loss")
    train, test = answer
    for name, losses in (("the training loss", train), ("the test loss", test)):
        expect.shape(losses, (None,), name=f"{name}, one number an epoch")
        expect.finite(losses, name=name)
    expect.length(test, len(train), name="the test loss")
    expect.holds(
        len(train) > 1001,
        because="more than 1000 epochs, as the exercise asks",
        seen=f"{max(len(train) - 1, 0)} epochs",
        rung="known mistake",
    )
    last = f"training loss {train[-1]:.3f}, test loss {test[-1]:.3f} at the end"
    expect.holds(
        test[-1] > 0.12,
        because="the points with their 50 % noise: on new points no network can be so good",
        seen=last,
        rung="known mistake",
    )
    optimal, optimal_test = _optimal(data_seed)
    expect.holds(
        not (test[-1] < 0.95 * optimal < train[-1]),
        because="the training loss first, the test loss second",
        seen=last,
        rung="known mistake",
    )
    expect.holds(
        train[-1] < 0.95 * optimal,
        because=f"a training loss well below the {optimal:.3f} that the optimal answer has on these points: wide and "
        "deep enough, and without a penalty, so that the noise is learnt by heart",
        seen=last,
    )
    expect.holds(
        test[-1] > optimal_test,
        because=f"a test loss above the {optimal_test:.3f} of the optimal answer on the test points: that is the price",
        seen=last,
    )
    other = student(data_seed, 2)
    expect.holds(
        not np.allclose(other[0], train),
        because="other initial weights for another seed",
        seen="the same losses for the seeds 1 and 2",
    )
    return f"training loss {train[-1]:.3f}, where the optimal answer has {optimal:.3f}; test loss {test[-1]:.3f}"


def _optimal(data_seed: int) -> tuple[float, float]:
    """Loss of the optimal answer 2p - 1 on the very points of a seed, for training and test."""
    sample = playground.points(playground.Settings(noise=0.5, seed=data_seed))

    def half_square(x: np.ndarray, y: np.ndarray) -> float:
        return float(0.5 * np.mean((2 * toys.optimal_probability(x, noise=0.5) - 1 - y) ** 2))

    return half_square(sample.x_train, sample.y_train), half_square(sample.x_test, sample.y_test)


def _overtrained(epochs: int = 1010, seeded: bool = True, **changes: Any) -> Callable[..., Any]:
    """An overtrain() with other settings."""

    def overtrain(data_seed: int, seed: int) -> Any:
        settings = playground.Settings(**{"noise": 0.5, "hidden": HIDDEN[:4], "seed": data_seed, **changes})
        run = playground.train(settings, epochs=epochs, seed=seed if seeded else 7)
        return tuple(getattr(run, name) for name in ("train_loss", "test_loss"))

    return overtrain


overtrain.hints = (
    "settings = playground.Settings(noise=..., hidden=HIDDEN, seed=data_seed), then playground.train.",
    "playground.train(settings, epochs=1200, seed=seed) returns a run with run.train_loss and run.test_loss.",
    "The noise of 50 % is noise=0.5; leave regularization as it is.",
)
overtrain.mistakes = {
    "hundred epochs": (_overtrained(100), "as the exercise asks"),
    "no noise": (_overtrained(noise=0.0), "with their 50 % noise"),
    "a small network": (_overtrained(hidden=(2,)), "without a penalty"),
    "losses exchanged": (lambda data_seed, seed: _overtrained()(data_seed, seed)[::-1], "the test loss second"),
    "one seed for all": (_overtrained(seeded=False), "for another seed"),
    "last losses only": (lambda data_seed, seed: (0.15, 0.35), "one number an epoch"),
    "training loss only": (lambda data_seed, seed: np.linspace(0.5, 0.1, 1201), "2 results"),
}

quiz(
    "5.1-q1",
    question="The training loss of the deep network ends below the limit. What does that prove?",
    options=(
        "The limit was computed wrongly.",
        "The network is better than the optimal predictor.",
        "The network knows labels of its training points that cannot be known from their places: it learnt them by "
        "heart.",
        "Nothing: limits hold on average.",
    ),
    answer=3,
    explanation="The limit binds every predictor that sees a new point. On points whose labels it has seen, a network "
    "can go down to zero.",
)

# --- 5.1c -------------------------------------------------------------------------------------------------


def _expected(kind: str, rate: float, places: np.ndarray, epochs: int, restarts: int, seed: int, **changes: Any) -> Any:
    settings = playground.Settings(
        **{
            "noise": 0.5,
            "hidden": HIDDEN,
            "regularization": kind,
            "regularization_rate": rate,
            "seed": seed,
            **changes,
        }
    )
    return [playground.train(settings, epochs=epochs, seed=k) for k in range(1, restarts + 1)]


def _arrays(runs: Any, places: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "train_loss": np.stack([run.train_loss[-1] for run in runs]),
        "output": np.stack([run.predict(places) for run in runs]),
        "weights": np.stack([np.concatenate([w.reshape(-1) for w in run.weights]) for run in runs]),
    }


@task("5.1c", section="5.4")
def penalised(student: Any, random: np.random.Generator) -> str:
    seed = int(random.integers(1, 10_000))
    places = random.uniform(-5, 5, (40, 2))
    arguments = (places, 12, 2, seed)
    answer = student("l2", 0.03, *arguments)
    expect.is_dict(answer, ("train_loss", "output", "weights"))
    expect.shape(answer["train_loss"], (2,), name="train_loss")
    expect.shape(answer["output"], (2, 40), name="output")
    expect.shape(answer["weights"], (2, N_WEIGHTS), name="weights (of all layers of HIDDEN, without biases)")
    for name, array in answer.items():
        expect.finite(array, name=name)
    right = _arrays(_expected("l2", 0.03, *arguments), places)
    for kind, rate, because in (
        ("none", 0.0, "the kind of penalty as well as its rate: a rate alone does nothing"),
        ("l1", 0.03, "the kind that is asked for, not L1 for L2"),
    ):
        expect.differs(
            answer["weights"], _arrays(_expected(kind, rate, *arguments), places)["weights"], because=because
        )
    expect.differs(
        answer["weights"],
        _arrays(_expected("l2", 0.03, *arguments, noise=0.0), places)["weights"],
        because="points with the 50 % noise",
    )
    expect.differs(
        answer["train_loss"],
        np.array([run.test_loss[-1] for run in _expected("l2", 0.03, *arguments)]),
        because="the training loss: new points are judged with the exact probabilities",
    )
    expect.differs(
        answer["train_loss"],
        np.array([run.train_loss[0] for run in _expected("l2", 0.03, *arguments)]),
        because="the loss after the last epoch, not before the first",
    )
    expect.holds(
        not np.allclose(answer["weights"][0], answer["weights"][1]),
        because="other initial weights in every restart",
        seen="two restarts with the same weights",
    )
    sparse = student("l1", 0.03, *arguments)["weights"]
    expect.holds(
        np.mean(sparse == 0) > np.mean(answer["weights"] == 0),
        because="L1 makes weights exactly zero, L2 does not",
        seen=f"{np.mean(sparse == 0):.0%} zeros with L1, {np.mean(answer['weights'] == 0):.0%} with L2",
    )
    strong = student("l2", 1.0, *arguments)["weights"]
    expect.at_most(
        np.abs(strong).mean() / np.abs(answer["weights"]).mean(),
        0.5,
        because="a stronger penalty leaves smaller weights: is the rate used?",
        name="the ratio of the mean weights",
    )
    expect.holds(
        not np.allclose(student("l2", 0.03, places, 12, 2, seed + 1)["train_loss"], answer["train_loss"]),
        because="data_seed is the seed of the points: other points for another seed",
        seen="the same losses for two seeds of the data",
    )
    for name in ("train_loss", "output", "weights"):
        expect.close(
            answer[name],
            right[name],
            because="what the playground gives for these settings: its defaults but for noise, HIDDEN and the penalty; "
            "seeds 1, 2, ... for the restarts, and all the epochs",
            name=name,
        )
    return "training loss, outputs and weights of every restart"


def _penalised(**changes: Any) -> Callable[..., Any]:
    """A penalised() with other settings; ``arguments`` changes the arguments themselves."""
    convert = changes.pop("convert", _arrays)
    arguments = changes.pop("arguments", lambda *given: given)

    def penalised(kind: str, rate: float, places: Any, epochs: int, restarts: int, data_seed: int) -> Any:
        given = arguments(kind, rate, places, epochs, restarts, data_seed)
        return convert(_expected(*given, **changes), places)

    return penalised


def _with_biases(runs: Any, places: np.ndarray) -> dict[str, np.ndarray]:
    every = [np.concatenate([part.reshape(-1) for part in (*run.weights, *run.biases)]) for run in runs]
    return {**_arrays(runs, places), "weights": np.stack(every)}


penalised.hints = (
    "playground.Settings takes regularization='l2' (the kind) and regularization_rate=0.01 (the rate).",
    "playground.restarts(settings, epochs=epochs, seeds=restarts) returns a list of runs with run.train_loss, "
    "run.predict(places) and run.weights, a list of matrices.",
    "np.concatenate([w.ravel() for w in run.weights]) makes one array of all weights of a run.",
)
penalised.mistakes = {
    "rate without a kind": (
        _penalised(arguments=lambda k, r, *more: ("none", 0.0, *more)),
        "a rate alone does nothing",
    ),
    "always L1": (_penalised(arguments=lambda k, r, *more: ("l1", r, *more)), "not L1 for L2"),
    "no noise": (_penalised(noise=0.0), "points with the 50 % noise"),
    "test loss": (
        _penalised(
            convert=lambda runs, x: {**_arrays(runs, x), "train_loss": np.array([r.test_loss[-1] for r in runs])}
        ),
        "with the exact probabilities",
    ),
    "loss before the training": (
        _penalised(
            convert=lambda runs, x: {**_arrays(runs, x), "train_loss": np.array([r.train_loss[0] for r in runs])}
        ),
        "not before the first",
    ),
    "one run, repeated": (_penalised(convert=lambda runs, x: _arrays([runs[0]] * len(runs), x)), "in every restart"),
    "rate not used": (_penalised(arguments=lambda k, r, *more: (k, 0.03, *more)), "is the rate used"),
    "data of seed 0": (_penalised(arguments=lambda *a: (*a[:-1], 0)), "other points for another seed"),
    "another activation": (_penalised(activation="tanh"), "what the playground gives"),
    "biases among the weights": (_penalised(convert=_with_biases), "without biases"),
}

quiz(
    "5.1-q2",
    question="At the largest rate of L2 training loss and loss on new points agree perfectly, both 0.5. A good sign?",
    options=(
        "Yes: the generalisation gap is zero.",
        "No: the network answers 0 everywhere. No gap is not enough, the loss has to be small as well.",
        "No: the test points were used in the training.",
        "Yes: more epochs would bring both down together.",
    ),
    answer=2,
    explanation="0.5 is the loss of the answer 0, the baseline in the figure. Underfitting has no gap either.",
)

# --- 5.1d -------------------------------------------------------------------------------------------------


@task("5.1d", section="5.4")
def sparsity(student: Any, random: np.random.Generator) -> str:
    weights = random.normal(size=(3, 400)) * random.choice([0.0, 0.01, 1.0], size=(3, 400))
    threshold = 0.02
    answer = student(weights, threshold)
    expect.shape(answer, (3,), name="a share for each restart")
    expect.finite(answer)
    small = np.mean(np.abs(weights) < threshold, axis=1)
    expect.differs(
        answer,
        np.mean(weights < threshold, axis=1),
        because="the size of a weight: large negative weights are not small",
    )
    expect.differs(answer, 1 - small, because="the share below the threshold, not above")
    expect.differs(answer, 400 * small, because="a share from 0 to 1, not a number of weights")
    expect.differs(
        answer, np.mean(weights == 0, axis=1), because="all weights below the threshold, not only exact zeros"
    )
    expect.close(student(weights, 100.0), np.ones(3), because="below a huge threshold lie all weights", rung="physics")
    expect.close(student(-weights, threshold), answer, because="the sign of a weight does not matter", rung="physics")
    expect.close(answer, small, because="the share of the weights with a size below the threshold")
    return "one share for each restart"


sparsity.hints = (
    "np.abs(weights) < threshold is an array of True and False.",
    "The mean of True and False is the share of True; axis=1 takes it along the weights of one restart.",
    "np.mean(np.abs(weights) < threshold, axis=1)",
)
sparsity.mistakes = {
    "without the size": (lambda weights, threshold: (weights < threshold).mean(1), "large negative weights"),
    "above the threshold": (lambda weights, threshold: (abs(weights) >= threshold).mean(1), "not above"),
    "numbers of weights": (lambda weights, threshold: (abs(weights) < threshold).sum(1), "not a number of weights"),
    "exact zeros only": (lambda weights, threshold: (weights == 0).mean(1), "not only exact zeros"),
    "one share for all": (lambda weights, threshold: (abs(weights) < threshold).mean(), "a share for each restart"),
}

# --- 5.1e -------------------------------------------------------------------------------------------------


def _slopes(picture: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    return (picture[:, 1:] - picture[:, :-1]) / spacing, (picture[1:] - picture[:-1]) / spacing


@task("5.1e", section="5.4")
def roughness(student: Any, random: np.random.Generator) -> str:
    spacing = random.uniform(0.05, 0.3)
    picture = np.cumsum(random.normal(size=(14, 19)), axis=0) * 0.1 + random.normal(size=(14, 19)) * 0.1
    answer = student(picture, spacing)
    expect.number(answer)
    along, across = (np.mean(part**2) for part in _slopes(picture, spacing))
    right = along + across
    expect.differs(
        answer, right * spacing**2, because="slopes are differences divided by the distance of the neighbours"
    )
    expect.differs(answer, right * spacing, because="divide before you square: two powers of the spacing")
    expect.differs(answer, right / 2, because="the sum of both directions: |gradient|^2 has two terms")
    expect.differs(answer, along, because="the columns count as well as the rows")
    expect.differs(answer, across, because="the rows count as well as the columns")
    expect.differs(
        answer, sum(np.sum(part**2) for part in _slopes(picture, spacing)), because="means of the squares, not sums"
    )
    expect.differs(
        answer,
        sum(np.mean(np.abs(part)) for part in _slopes(picture, spacing)),
        because="squared slopes, as in the formula",
    )
    y, x = np.mgrid[0:9, 0:12] * 0.1
    expect.close(
        student(3 * x - 4 * y, 0.1), 25.0, because="a plane with the slopes 3 and -4 has R = 9 + 16", rung="physics"
    )
    expect.close(student(picture + 5, spacing), answer, because="a constant has no slope", rung="physics", rtol=1e-5)
    expect.close(student(picture.T, spacing), answer, because="rows and columns count alike", rung="physics")
    expect.close(answer, right, because="the mean squared slope along the rows plus that along the columns")
    return "a plane with the slopes 3 and -4 has R = 25"


def _rough(change: Callable[..., Any]) -> Callable[..., Any]:
    def roughness(picture: np.ndarray, spacing: float) -> Any:
        return change(*_slopes(picture, spacing), spacing)

    return roughness


roughness.hints = (
    "np.diff(picture, axis=1) are the differences of neighbours in a row.",
    "Divide by the spacing, square, take the mean; then the same with axis=0, and add.",
    "np.mean((np.diff(picture, axis=1) / spacing) ** 2) is the first of the two terms.",
)
roughness.mistakes = {
    "differences, not slopes": (_rough(lambda a, b, h: h**2 * (np.mean(a**2) + np.mean(b**2))), "distance of the"),
    "squared before divided": (_rough(lambda a, b, h: h * (np.mean(a**2) + np.mean(b**2))), "two powers"),
    "mean of both": (_rough(lambda a, b, h: (np.mean(a**2) + np.mean(b**2)) / 2), "has two terms"),
    "rows only": (_rough(lambda a, b, h: np.mean(a**2)), "the columns count as well"),
    "columns only": (_rough(lambda a, b, h: np.mean(b**2)), "the rows count as well"),
    "sums": (_rough(lambda a, b, h: np.sum(a**2) + np.sum(b**2)), "not sums"),
    "not squared": (_rough(lambda a, b, h: np.mean(abs(a)) + np.mean(abs(b))), "squared slopes, as"),
    "a map of slopes": (_rough(lambda a, b, h: a[1:] ** 2 + b[:, 1:] ** 2), "one number"),
}

# --- 5.2a -------------------------------------------------------------------------------------------------


@task("5.2a", section="5.6")
def define_interpolator(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(5, 1), is_=(5, 1))
    expect.has_layers(model, "Dense", because="at least one Dense layer")
    expect.activation(
        model, is_="linear", because="no activation at the output: y goes up to 11, and below 0 with noise"
    )
    x = random.uniform(-10, 10, (3, 1)).astype(np.float32)
    points = np.concatenate([x, -x, np.zeros((1, 1), np.float32), 2 * x])
    y = np.asarray(model.predict(points), float)[:, 0]
    bent = np.abs(y[:3] + y[3:6] - 2 * y[6]).max()
    expect.at_least(
        bent,
        1e-5,
        because="an activation between the layers: without one the network is a straight line",
        name="the deviation from a straight line",
        rung="known mistake",
    )
    penalty = max((_penalty(layer["config"]) for layer in model.layers), default=0.0)
    expect.holds(
        penalty < 3e-3,
        because="a weak penalty or none: with 8000 points the danger is to lose peaks, not to learn the noise",
        seen=f"a penalty with the rate {penalty:g}",
        rung="known mistake",
    )
    expect.holds(
        model.count_params() >= 300,
        because="enough nodes for six peaks and a kink: a few hundred parameters at least",
        seen=f"{model.count_params()} parameters",
        rung="physics",
    )
    expect.at_most(
        model.count_params(), 200_000, because="a network that trains in seconds", name="the number of parameters"
    )
    return f"{model.count_params()} parameters"


def _penalty(config: Any) -> float:
    """The largest rate of L1 or L2 in the configuration of a layer."""
    regularizer = (config or {}).get("kernel_regularizer")
    if not isinstance(regularizer, dict):
        return 0.0
    values = regularizer.get("config", {})
    return max((float(values.get(name) or 0.0) for name in ("l1", "l2")), default=0.0)


def _interpolator(
    nodes: tuple[int, ...] = (64, 64),
    activation: str | None = "relu",
    last: str | None = None,
    outputs: int = 1,
    penalty: float = 0.0,
) -> Callable[[], Any]:
    """A define_interpolator() with the given choices."""

    def define_interpolator() -> Any:
        import keras

        regularizer = keras.regularizers.L2(penalty) if penalty else None
        inside = [keras.layers.Dense(n, activation, kernel_regularizer=regularizer) for n in nodes]
        scale = keras.layers.Rescaling(0.3)
        return keras.models.Sequential([keras.Input((1,)), scale, *inside, keras.layers.Dense(outputs, last)])

    return define_interpolator


define_interpolator.hints = (
    "A keras.Sequential: keras.Input((1,)), layers.Rescaling(0.3) in front, some Dense layers with an activation, "
    "Dense(1).",
    "Four layers of 64 nodes with ReLU are plenty; kernel_initializer='he_normal' suits ReLU.",
    "Give the first Dense layer bias_initializer=keras.initializers.RandomUniform(-3, 3).",
)
define_interpolator.mistakes = {
    "no activation": (_interpolator(activation=None), "a straight line"),
    "ReLU at the output": (_interpolator(last="relu"), "no activation at the output"),
    "the official penalty": (_interpolator(penalty=0.01), "the danger is to lose peaks"),
    "ten nodes": (_interpolator(nodes=(10,)), "six peaks and a kink"),
    "huge": (_interpolator(nodes=(500, 500)), "trains in seconds"),
    "two outputs": (_interpolator(outputs=2), "output of shape (5, 1)"),
}

# --- 5.2b -------------------------------------------------------------------------------------------------


def _rate(optimizer: Any) -> tuple[float, dict[str, Any] | None]:
    """First learning rate of an optimizer, and the schedule's configuration if it has one."""
    entry = optimizer.get_config()["learning_rate"]
    if isinstance(entry, dict):
        schedule = dict(entry.get("config", {}), class_name=entry.get("class_name"))
        return float(schedule.get("initial_learning_rate", np.asarray(optimizer.learning_rate))), schedule
    return float(np.asarray(entry)), None


def _expect_decay(optimizer: Any, steps: int) -> float:
    """A schedule that lasts for the whole training and ends at zero; returns the first rate."""
    first, schedule = _rate(optimizer)
    expect.holds(
        schedule is not None,
        because="a learning rate that falls during the training: CosineDecay(rate, steps) takes the place of a number",
        seen=f"a constant learning rate of {first:g}",
        rung="known mistake",
    )
    assert schedule is not None
    length = schedule.get("decay_steps")
    if schedule["class_name"] == "CosineDecay":
        expect.holds(
            length == steps,
            because="a decay that lasts for all steps of the training: neither over before its end nor cut off",
            seen=f"decay_steps={length} for a training of {steps} steps",
            rung="known mistake",
        )
        expect.holds(
            float(schedule.get("alpha") or 0.0) <= 0.02,
            because="a learning rate that ends at zero",
            seen=f"alpha={schedule.get('alpha')}",
        )
    return first


def _sequential(inputs: int = 1, nodes: int = 16, **options: Any) -> Any:
    import keras

    inside = [keras.layers.Dense(nodes, "relu")] if nodes else []
    return keras.models.Sequential([keras.Input((inputs,)), *inside, keras.layers.Dense(1, **options)])


@task("5.2b", section="5.6")
def compile_interpolator(student: Any, random: np.random.Generator) -> str:
    steps = int(random.integers(300, 3000))
    model = student(_sequential(), steps)
    expect.is_model(model, name="the answer (compile() itself returns nothing: return the model)")
    expect.loss(model, "mse", because="the mean squared error, whose minimum is the mean of y at each x")
    compiled = model.compiled
    expect.holds(
        compiled["optimizer"].lower() in ("adam", "adamw", "nadam"),
        because="Adam as the learning strategy",
        seen=f"optimizer: {compiled['optimizer']}",
        rung="known mistake",
    )
    first = _expect_decay(model.optimizer, steps)
    expect.holds(
        5e-4 <= first <= 0.05,
        because="a first learning rate between 0.001 and 0.02, or near these",
        seen=f"{first:g}",
    )
    return f"Adam, from {first:g} to zero in {steps} steps, with the mean squared error"


def _compiling(loss: str = "mse", optimizer: str = "Adam", rate: float = 0.01, **options: Any) -> Callable[..., Any]:
    """A compile_interpolator() with the given choices; ``length`` makes the decay's length from the steps."""
    length = options.get("length", lambda steps: steps)

    def compile_interpolator(model: Any, steps: int) -> Any:
        import keras

        falling = keras.optimizers.schedules.CosineDecay(rate, length(steps))
        chosen = getattr(keras.optimizers, optimizer)(falling if options.get("decays", True) else rate)
        model.compile(chosen, loss)
        return model

    return compile_interpolator


def _returns_nothing(model: Any, steps: int) -> Any:
    return model.compile("adam", "mse")


compile_interpolator.hints = (
    "keras.optimizers.Adam takes a schedule in place of a number.",
    "keras.optimizers.schedules.CosineDecay(0.005, steps) falls from 0.005 to zero.",
    "model.compile(optimizer=keras.optimizers.Adam(schedule), loss='mse', steps_per_execution=40), then return model.",
)
compile_interpolator.mistakes = {
    "mean absolute error": (_compiling(loss="mae"), "whose minimum is the mean"),
    "gradient descent": (_compiling(optimizer="SGD"), "Adam as the learning strategy"),
    "constant learning rate": (_compiling(decays=False), "takes the place of a number"),
    "decay over a tenth": (_compiling(length=lambda steps: steps // 10), "neither over before its end"),
    "learning rate of 1": (_compiling(rate=1.0), "between 0.001 and 0.02"),
    "nothing returned": (_returns_nothing, "return the model"),
    "not compiled": (lambda model, steps: model, "a compiled model"),
}

# --- 5.2c -------------------------------------------------------------------------------------------------


def _curve(random: np.random.Generator) -> list[np.ndarray]:
    """x, y for training and validation, then places and the curve there to test, as columns."""
    points = toys.simulate_interpolation(N_TRAIN + N_VALIDATION + N_TEST, seed=random)
    a, b = N_TRAIN, N_TRAIN + N_VALIDATION
    arrays = (points.x[:a], points.y[:a], points.x[a:b], points.y[a:b], points.x[b:], points.truth[b:])
    return [array[:, None] for array in arrays]


def _network() -> Any:
    """The check's own network for the curve, so that the training alone is judged."""
    import keras

    options = {"activation": "relu", "kernel_initializer": "he_normal"}
    places = keras.initializers.RandomUniform(-3, 3)
    first = keras.layers.Dense(64, bias_initializer=places, **options)
    more = [keras.layers.Dense(64, **options) for _ in range(3)]
    return keras.models.Sequential(
        [keras.Input((1,)), keras.layers.Rescaling(scale=0.3), first, *more, keras.layers.Dense(1)]
    )


@task("5.2c", section="5.3")
def train_interpolator(student: Any, random: np.random.Generator) -> str:
    *sets, x, truth = _curve(random)
    answer = student(_network(), *sets, EPOCHS)
    expect.is_tuple(answer, 2, name="the model and the monitored losses")
    model, history = answer
    expect.is_model(model, name="the first result")
    expect.holds(
        isinstance(history, dict),
        because="the dict of losses: fit() returns an object whose attribute `history` it is",
        seen=type(history).__name__,
        rung="shape",
    )
    expect.holds(
        "val_loss" in history,
        because="the validation loss as well: validation_data=(x_validation, y_validation)",
        seen=f"the keys {', '.join(map(str, history)) or 'none'}",
        rung="known mistake",
    )
    expect.is_dict({key: history[key] for key in history if key in ("loss", "val_loss")}, ("loss", "val_loss"))
    expect.length(history["val_loss"], len(history["loss"]), name="the validation loss")
    expect.holds(
        not np.allclose(history["loss"], history["val_loss"], rtol=1e-4),
        because="a validation loss from the validation data",
        seen="twice the same losses",
        rung="known mistake",
    )
    expect.output_shape(model, given=(4, 1), is_=(4, 1))
    expect.holds(
        len(history["loss"]) > 1,
        because="as many epochs as were asked for",
        seen=f"{len(history['loss'])} entry",
        rung="known mistake",
    )
    distance = _distance(model.predict(x), truth)
    scatter = float(np.var(truth))
    expect.holds(
        distance < 0.75 * scatter,
        because="a network that follows the curve: closer to it than a constant would be",
        seen=f"mean squared distance {distance:.2f} from a curve with the variance {scatter:.2f}",
    )
    expect.reaches("5.2c", distance, name="the mean squared distance from the curve")
    return f"mean squared distance from the curve {distance:.3f}, where the noise has the variance 1"


def _distance(output: Any, truth: np.ndarray) -> float:
    return float(np.mean((np.asarray(output, float) - truth) ** 2))


@bar("5.2c", better="lower", unit="", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    *sets, x, truth = _curve(np.random.default_rng(seed))
    model, _ = reference("5.2c")(_network(), *sets, EPOCHS)
    return _distance(model(x), truth)


def _fitting(given: int | None = 2, monitor: str = "validation", **options: Any) -> Callable[..., Any]:
    """A train_interpolator() with Adam and large batches; monitor: "validation", "training" or "nothing"."""

    def train_interpolator(
        model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int
    ) -> Any:
        model.compile(options.get("optimizer", "adam"), "mse", steps_per_execution=20)
        watched = {"validation": (x_validation, y_validation), "training": (x_train, y_train), "nothing": None}[monitor]
        found = model.fit(x_train, y_train, 200, given or epochs, verbose=0, validation_data=watched)
        losses = dict(found.history)
        if monitor == "training":
            losses["val_loss"] = losses["loss"]
        return options.get("answer", lambda m, f, h: (m, h))(model, found, losses)

    return train_interpolator


train_interpolator.hints = (
    "The number of steps is epochs times the number of batches in an epoch, len(x_train) / 40 rounded up.",
    "model.fit(..., batch_size=40, epochs=epochs, validation_data=(x_validation, y_validation), verbose=0)",
    "fit() returns an object; its attribute `history` is the dict with 'loss' and 'val_loss'. Return model and dict.",
)
train_interpolator.mistakes = {
    "no validation data": (_fitting(monitor="nothing"), "validation_data=(x_validation"),
    "validated on the training data": (_fitting(monitor="training"), "from the validation data"),
    "one epoch": (_fitting(given=1), "as many epochs"),
    "the object instead of its dict": (_fitting(answer=lambda m, f, h: (m, f)), "whose attribute `history`"),
    "model only": (_fitting(answer=lambda m, f, h: m), "2 results"),
    "Adam without decay": (_fitting(given=None), "99 of 100 runs"),
    "fitted to nothing": (
        _fitting(answer=lambda m, f, h: (_network(), h)),
        "closer to it than a constant",
    ),
}

# --- 5.2d -------------------------------------------------------------------------------------------------


@task("5.2d", section="5.1")
def verify(student: Any, random: np.random.Generator) -> str:
    truth = random.normal(3, 2, (500, 1))
    measured = truth + random.normal(size=(500, 1))
    prediction = truth + 0.4 + 0.3 * random.normal(size=(500, 1))
    answer = student(prediction, measured, truth)
    expect.is_tuple(answer, 3, name="mse, its error, distance")
    for name, value in zip(("the mse", "its error", "the distance"), answer, strict=True):
        expect.number(value, name=name)
    mse, error, distance = answer
    deviations2 = (prediction - measured) ** 2
    expect.differs(mse, np.sqrt(deviations2.mean()), because="the mean of the deviations2 without a root")
    expect.differs(
        mse,
        np.mean((prediction.ravel() - measured) ** 2),
        because="point by point: (n,) minus (n, 1) makes a table of all pairs",
    )
    expect.differs(
        error, deviations2.std(), because="the error of the mean, smaller by sqrt(n) than the spread", rtol=3e-3
    )
    expect.differs(error, deviations2.var() / 500, because="a standard error, the root of the variance", rtol=3e-3)
    expect.differs(
        error,
        (prediction - measured).std() / np.sqrt(500),
        because="the scatter of the squared residuals: their mean is what was measured",
        rtol=3e-3,
    )
    expect.differs(
        distance, mse - 1.0, because="the distance from the known curve; the noise of these points is not exactly 1"
    )
    expect.differs(
        distance,
        np.mean(prediction - truth) ** 2,
        because="square before you average: deviations up and down do not cancel",
    )
    expect.differs(distance, np.mean((measured - truth) ** 2), because="prediction and truth, not the measured values")
    perfect = student(truth, measured, truth)
    expect.close(perfect[2], 0.0, atol=1e-12, because="the curve itself has no distance", rung="physics")
    expect.close(
        perfect[0],
        np.mean((measured - truth) ** 2),
        because="for the curve itself the mean squared error is the noise: the limit",
        rung="physics",
    )
    expect.close(mse, deviations2.mean(), because="the mean squared residual", name="the mse")
    expect.close(
        error,
        deviations2.std() / np.sqrt(500),
        rtol=3e-3,
        because="std of the deviations2 over sqrt(n)",
        name="the error",
    )
    expect.close(distance, np.mean((prediction - truth) ** 2), because="mean of (prediction - truth)^2")
    return "error = noise + distance, up to the fluctuation of the noise"


def _verified(change: Callable[..., Any]) -> Callable[..., Any]:
    """A wrong verify(), from squared residuals and the deviations of prediction and measured values from the truth."""

    def verify(prediction: np.ndarray, measured: np.ndarray, truth: np.ndarray) -> Any:
        s = (prediction - measured) ** 2
        return change(s, prediction - truth, measured - truth)

    return verify


def _se(s: np.ndarray) -> float:
    return float(s.std() / np.sqrt(s.size))


verify.hints = (
    "Square prediction - measured point by point; all three arrays have the shape (n, 1).",
    "The error of a mean of n numbers is their standard deviation over the root of n.",
    "return squares.mean(), squares.std() / np.sqrt(len(squares)), ((prediction - truth) ** 2).mean()",
)
verify.mistakes = {
    "root of the mean square": (
        _verified(lambda s, d, n: (np.sqrt(s.mean()), _se(s), np.mean(d**2))),
        "without a root",
    ),
    "spread instead of error": (_verified(lambda s, d, n: (s.mean(), s.std(), np.mean(d**2))), "than the spread"),
    "variance over n": (_verified(lambda s, d, n: (s.mean(), s.var() / s.size, np.mean(d**2))), "root of the variance"),
    "error of the residuals": (
        _verified(lambda s, d, n: (s.mean(), np.std(d - n) / np.sqrt(s.size), np.mean(d**2))),
        "of the squared residuals",
    ),
    "noise taken as 1": (_verified(lambda s, d, n: (s.mean(), _se(s), s.mean() - 1.0)), "is not exactly 1"),
    "mean before the square": (_verified(lambda s, d, n: (s.mean(), _se(s), np.mean(d) ** 2)), "do not cancel"),
    "measured values for the curve": (
        _verified(lambda s, d, n: (s.mean(), _se(s), np.mean(n**2))),
        "not the measured values",
    ),
    "all pairs": (
        lambda prediction, measured, truth: (
            np.mean((prediction[:, 0] - measured) ** 2),
            _se((prediction[:, 0] - measured) ** 2),
            np.mean((prediction - truth) ** 2),
        ),
        "a table of all pairs",
    ),
    "mse only": (_verified(lambda s, d, n: s.mean()), "3 results"),
}

quiz(
    "5.2-q1",
    question="The mean squared error on the test points is 1.04 +- 0.015, the noise has the variance 1. What would "
    "more training bring at most?",
    options=(
        "An error of 0.",
        "A training error below 1, and a test error of 0.5.",
        "Nothing: the network is at the limit already.",
        "The 0.04 that are the squared distance from the curve. The 1 is the noise of the test points themselves.",
    ),
    answer=4,
    explanation="Error on new measurements = noise + squared distance from the truth. Only the second depends on the "
    "network.",
)

# --- 5.3a -------------------------------------------------------------------------------------------------


def _forward(x: np.ndarray, weights: list[np.ndarray], *, relu: bool = True, last_relu: bool = False) -> np.ndarray:
    """Output of a chain of dense layers, from standardised inputs and a list of kernels and biases."""
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = x @ kernel + bias
        x = np.clip(x, 0, None) if relu else x
    x = x @ weights[-2] + weights[-1]
    return np.clip(x, 0, None) if last_relu else x


@task("5.3a", section="5.6")
def wine_network(student: Any, random: np.random.Generator) -> str:
    mean, deviation = random.uniform(-5, 50, 4), random.uniform(0.05, 9, 4)
    sizes = (7, 6, 5)
    mark = float(random.uniform(4, 8))
    model = student(sizes, mean, deviation, mark)
    expect.is_model(model)
    expect.output_shape(model, given=(3, 4), is_=(3, 1))
    dense = [layer["config"]["units"] for layer in model.layers if layer["class_name"] == "Dense"]
    expect.equal(
        tuple(dense),
        (*sizes, 1),
        because="a Dense layer for each entry of hidden, with that many nodes, and one output node",
        name="the nodes of the Dense layers",
        rung="known mistake",
    )
    weights = [np.asarray(part, float) for part in model.weights][-8:]
    z = random.normal(size=(200, 4))
    x = (mean + deviation * z).astype(np.float32)
    answer = np.asarray(model.predict(x), float)
    for wrong, because in (
        (_forward(x.astype(float), weights), "standardised features: subtract the mean, divide by the deviation"),
        (
            _forward(z * np.sqrt(deviation), weights),
            "the second argument of Normalization is the variance, the square of the deviation",
        ),
        (_forward(z + mean / deviation, weights), "the mean is subtracted as well"),
        (_forward(z, weights, relu=False), "a ReLU after each hidden layer"),
    ):
        expect.differs(answer, wrong, because=because, rtol=1e-3, atol=1e-4)
    start = weights[-1].item()
    expect.differs(start, 0.0, because="the bias of the output starts at the mean mark: Keras' own start is 0")
    expect.close(start, mark, rtol=1e-5, because="the bias of the output starts at the mean mark", rung="physics")
    expect.activation(
        model,
        is_="linear",
        because="a linear output: a ReLU there can never be negative, and may be silent for all wines",
    )
    expect.close(
        model.predict(mean[None].astype(np.float32)),
        _forward(np.zeros((1, 4)), weights),
        atol=1e-3,
        because="the mean wine is the origin of the standardised features",
        name="the output for the mean wine",
        rung="physics",
    )
    expect.close(
        answer, _forward(z, weights), rtol=2e-3, atol=1e-3, because="standardise, then layer after layer with ReLU"
    )
    linear = student((), mean, deviation, mark)
    expect.equal(
        linear.count_params() - linear.count_params() % 5,
        5,
        because="without hidden layers, linear regression: 5 numbers",
    )
    return "the features come in their own units, and no list of layers is too short"


def _wine(
    variance: bool = True, centre: bool = True, scale: bool = True, activation: str | None = "relu", **options: Any
) -> Callable[..., Any]:
    """A wine_network() with the given choices."""

    def wine_network(hidden: Any, mean: np.ndarray, deviation: np.ndarray, mean_mark: float) -> Any:
        import keras

        first = keras.layers.Normalization(
            mean=mean if centre else 0 * mean, variance=deviation**2 if variance else deviation
        )
        nodes = options.get("nodes", lambda given: given)(tuple(hidden))
        inside = [keras.layers.Dense(n, activation) for n in nodes]
        before = [first] if scale else []
        start = keras.initializers.Constant(options.get("start", mean_mark))
        last = keras.layers.Dense(options.get("outputs", 1), options.get("last"), bias_initializer=start)
        return keras.models.Sequential([keras.Input((len(mean),)), *before, *inside, last])

    return wine_network


wine_network.hints = (
    "keras.Sequential takes a list: keras.Input((len(mean),)), the standardisation, the hidden layers, Dense(1).",
    "[layers.Dense(nodes, activation='relu') for nodes in hidden] makes the hidden layers; put * before it in a list.",
    "layers.Normalization(mean=mean, variance=deviation**2), and for the output layers.Dense(1, "
    "bias_initializer=keras.initializers.Constant(mean_mark)).",
)
wine_network.mistakes = {
    "deviation as the variance": (_wine(variance=False), "the square of the deviation"),
    "not standardised": (_wine(scale=False), "subtract the mean, divide"),
    "mean not subtracted": (_wine(centre=False), "subtracted as well"),
    "no ReLU": (_wine(activation=None), "a ReLU after each"),
    "ReLU at the output": (_wine(last="relu"), "a linear output"),
    "bias from zero": (_wine(start=0.0), "Keras' own start"),
    "one layer short": (_wine(nodes=lambda given: given[:-1]), "for each entry of hidden"),
    "two outputs": (_wine(outputs=2), "output of shape (3, 1)"),
}

# --- 5.3b -------------------------------------------------------------------------------------------------


@task("5.3b", section="4.8")
def make_optimizer(student: Any, random: np.random.Generator) -> str:
    rate, steps = float(random.uniform(0.005, 0.05)), int(random.integers(100, 900))
    wanted = {"sgd": "SGD", "momentum": "SGD", "adam": "Adam"}
    optimizers = {name: student(name, rate, steps) for name in wanted}
    for name, kind in wanted.items():
        found = getattr(getattr(optimizers[name], "handle", None), "type_name", type(optimizers[name]).__name__)
        expect.holds(
            found == kind,
            because=f"for {name!r} an optimizer of the class keras.optimizers.{kind}, not its name",
            seen=f"an object of type {found}",
            rung="shape",
        )
    momenta = {name: float(optimizers[name].get_config()["momentum"]) for name in ("sgd", "momentum")}
    expect.holds(
        momenta["sgd"] == 0.0,
        because="plain gradient descent for 'sgd', without momentum",
        seen=f"momentum={momenta['sgd']:g}",
        rung="known mistake",
    )
    expect.holds(
        momenta["momentum"] > 0.0,
        because="a momentum of 0.9 for 'momentum': SGD has none unless told so",
        seen="momentum=0",
        rung="known mistake",
    )
    first = {name: _expect_decay(optimizer, steps) for name, optimizer in optimizers.items()}
    expect.differs(
        first["momentum"],
        rate,
        because="Keras adds up the gradients: with beta = 0.9 its learning rate is (1 - beta) times the book's",
        rtol=1e-4,
    )
    expect.close(
        first["momentum"] / (1 - momenta["momentum"]),
        first["sgd"],
        rtol=1e-4,
        because="under a constant gradient momentum moves as fast as plain gradient descent in the end",
        name="the step of momentum under a constant gradient",
        rung="physics",
    )
    expect.close(momenta["momentum"], 0.9, because="beta = 0.9", name="the momentum")
    for name in ("sgd", "adam"):
        expect.close(
            first[name],
            rate,
            rtol=1e-4,
            because=f"the rate as it was given for {name!r}",
            name="the first learning rate",
        )
    return "three strategies, comparable step by step"


def _optimizer(**options: Any) -> Callable[..., Any]:
    """A make_optimizer() with the given choices."""

    def make_optimizer(strategy: str, rate: float, steps: int) -> Any:
        import keras

        length = options.get("length", lambda n: n)(steps)
        beta = options.get("beta", 0.9) if strategy == "momentum" or options.get("always") else 0.0
        scale = options.get("scale", 0.1) if strategy == "momentum" else 1.0
        first = scale * rate
        schedule = keras.optimizers.schedules.CosineDecay(first, length) if options.get("decays", True) else first
        if strategy == "adam" and not options.get("no_adam"):
            return keras.optimizers.Adam(schedule)
        return keras.optimizers.SGD(schedule, momentum=beta)

    return make_optimizer


make_optimizer.hints = (
    "keras.optimizers.SGD(schedule), keras.optimizers.SGD(schedule, momentum=0.9), keras.optimizers.Adam(schedule)",
    "The schedule is keras.optimizers.schedules.CosineDecay(first rate, steps).",
    "For momentum the first rate is (1 - 0.9) * rate.",
)
make_optimizer.mistakes = {
    "ten times too fast": (_optimizer(scale=1.0), "(1 - beta) times the book's"),
    "momentum forgotten": (_optimizer(beta=0.0), "SGD has none unless told so"),
    "momentum in all": (_optimizer(always=True), "plain gradient descent for 'sgd'"),
    "constant rate": (_optimizer(decays=False), "takes the place of a number"),
    "decay over an epoch": (_optimizer(length=lambda n: n // 5), "neither over before its end"),
    "scaled twice": (_optimizer(scale=0.01), "moves as fast as plain gradient descent"),
    "SGD for Adam": (_optimizer(no_adam=True), "for 'adam' an optimizer"),
    "a string": (lambda strategy, rate, steps: strategy, "not its name"),
}

# --- 5.3c -------------------------------------------------------------------------------------------------


def _bias(steps: int, rate: float, beta: float = 0.0, *, decay: int | None = None, constant: bool = False) -> float:
    """Bias of a single node that learns the target 1 from inputs 0 with (heavy-ball) gradient descent, from 0."""
    b, v = 0.0, 0.0
    for t in range(steps):
        share = 1.0 if constant else 0.5 * (1 + np.cos(np.pi * min(t / (decay or steps), 1.0)))
        v = beta * v - rate * (1 - beta) * share * 2 * (b - 1)
        b += v
    return b


@task("5.3c", section="4.2")
def train_wine(student: Any, random: np.random.Generator) -> str:
    rate = float(random.uniform(0.03, 0.05))
    # A node whose inputs are all 0 learns its bias only, and by how much depends on nothing but the steps.
    x, y = np.zeros((23, 3), np.float32), np.ones(23, np.float32)
    model = student(_sequential(3, 0), "momentum", rate, x, y, 5, 4)
    expect.is_model(model, name="the answer (fit() returns a history: return the model)")
    expect.output_shape(model, given=(2, 3), is_=(2, 1))
    learnt = float(np.asarray(model.predict(np.zeros((1, 3), np.float32)))[0, 0])
    right = _bias(20, rate, 0.9)
    expect.loss(model, "mse", because="the mean squared error as the loss")
    for wrong, because in (
        (0.0, "a fit: the network is as it was given"),
        (
            _bias(4, rate, 0.9),
            "batches of the size that is asked for: 23 examples in batches of 5 are 5 steps an epoch",
        ),
        (
            _bias(92, rate, 0.9),
            "batches, not single examples: the gradient of five is their mean, one step for all five",
        ),
        (_bias(5, rate, 0.9), "as many epochs as are asked for"),
        (_bias(20, rate), "the strategy that is asked for: momentum is not plain gradient descent"),
        (
            _bias(20, rate, 0.9, decay=4),
            "count the steps for the decay: epochs times the batches in an epoch, not the epochs alone",
        ),
        (_bias(20, rate, 0.9, decay=5), "count the steps of all epochs for the decay, not those of one"),
        (_bias(20, rate, 0.9, decay=16), "the last, smaller batch is a step too: round up, 5 batches of 23 examples"),
        (_bias(20, rate, 0.9, constant=True), "a learning rate that falls, from make_optimizer"),
    ):
        expect.differs(learnt, wrong, because=because, rtol=2e-4, atol=1e-6)
    z = random.normal(size=(12, 3)).astype(np.float32)
    target = (z @ np.array([1.0, -2.0, 0.5]) + 3).astype(np.float32)
    once = student(_sequential(3, 0, kernel_initializer="zeros"), "sgd", rate, z, target, 12, 1)
    step = np.concatenate([2 * rate * (z * target[:, None]).mean(0), [2 * rate * target.mean()]])
    expect.close(
        np.concatenate([np.asarray(part, float).ravel() for part in once.weights]),
        step,
        rtol=1e-3,
        atol=1e-6,
        because="one batch with all twelve examples and one epoch: a single step along the mean gradient",
        name="the weights after one step",
        rung="physics",
    )
    expect.close(
        learnt,
        right,
        rtol=2e-4,
        because="20 steps of momentum (five batches in each of four epochs), with a rate that falls to zero over them",
        name="what a node without inputs has learnt",
    )
    return "the number of steps, their length and their decay are right"


def _training(**options: Any) -> Callable[..., Any]:
    """A train_wine() with the given choices; each is a function of what it replaces."""

    def same(given: Any) -> Any:
        return given

    def train_wine(model: Any, strategy: str, rate: float, x: Any, y: Any, batch_size: int, epochs: int) -> Any:
        batch_size = options.get("batch", same)(batch_size)
        epochs = options.get("epochs", same)(epochs)
        steps = options.get("steps", lambda n, b, e: e * -(-n // b))(len(x), batch_size, epochs)
        optimizer = _optimizer(**options.get("optimizer", {}))(options.get("strategy", same)(strategy), rate, steps)
        model.compile(optimizer, options.get("loss", "mse"))
        fitted = model.fit(x, y, batch_size, epochs, verbose=0)
        return fitted if options.get("history") else model

    return train_wine


def _not_fitted(model: Any, strategy: str, rate: float, x: Any, y: Any, batch_size: int, epochs: int) -> Any:
    model.compile(_optimizer()(strategy, rate, 10), "mse")
    return model


train_wine.hints = (
    "An epoch has len(x) / batch_size batches, rounded up: int(np.ceil(...)).",
    "make_optimizer(strategy, rate, steps) needs the steps of all epochs together.",
    "model.compile(optimizer=..., loss='mse', steps_per_execution=250); model.fit(x, y, batch_size=batch_size, "
    "epochs=epochs, verbose=0); return model",
)
train_wine.mistakes = {
    "batches of 32": (_training(batch=lambda b: 32), "the size that is asked for"),
    "single examples": (_training(batch=lambda b: 1), "not single examples"),
    "one epoch": (_training(epochs=lambda e: 1), "as many epochs"),
    "steps are epochs": (_training(steps=lambda n, b, e: e), "not the epochs alone"),
    "steps of one epoch": (_training(steps=lambda n, b, e: -(-n // b)), "not those of one"),
    "rounded down": (_training(steps=lambda n, b, e: e * (n // b)), "round up"),
    "always plain SGD": (_training(strategy=lambda s: "sgd"), "is not plain gradient descent"),
    "constant rate": (_training(optimizer={"decays": False}), "from make_optimizer"),
    "mean absolute error": (_training(loss="mae"), "as the loss"),
    "not fitted": (_not_fitted, "as it was given"),
    "history returned": (_training(history=True), "return the model"),
}

# --- 5.3d -------------------------------------------------------------------------------------------------


@task("5.3d", section="5.6")
def paired_gain(student: Any, random: np.random.Generator) -> str:
    n = 400
    truth = random.integers(3, 9, n).astype(float)
    hard = random.normal(size=n)
    baseline = truth + hard + 0.4 * random.normal(size=n)
    prediction = truth + 0.8 * hard + 0.2 * random.normal(size=n)
    answer = student(prediction, baseline, truth)
    expect.is_tuple(answer, 2, name="gain and error")
    gain, error = answer
    expect.number(gain, name="the gain")
    expect.number(error, name="its error")
    old, new = (baseline - truth) ** 2, (prediction - truth) ** 2
    d = old - new
    expect.differs(gain, -d.mean(), because="positive if the prediction is better than the baseline")
    expect.differs(gain, d.sum(), because="the mean gain of a wine, not the sum")
    expect.differs(
        gain, np.sqrt(old.mean()) - np.sqrt(new.mean()), because="mean squared errors are compared, without roots"
    )
    expect.differs(
        gain,
        np.mean((prediction - baseline) ** 2),
        because="both are compared with the truth, not with each other",
    )
    expect.differs(
        error,
        np.sqrt((old.var(ddof=1) + new.var(ddof=1)) / n),
        because="the paired error: both are judged by the same wines, and errors added in quadrature forget that",
        rtol=1e-3,
    )
    expect.differs(error, d.std(ddof=1), because="the error of the mean, smaller by sqrt(n) than the spread", rtol=2e-3)
    expect.differs(
        error, d.var(ddof=1) / n, because="a standard error, the root of the variance of the mean", rtol=3e-3
    )
    expect.close(
        student(baseline, baseline.copy(), truth),
        (0.0, 0.0),
        atol=1e-12,
        because="the baseline against itself: no gain and no doubt",
        rung="physics",
    )
    expect.close(
        student(baseline, prediction, truth), (-gain, error), because="exchanged, only the sign changes", rung="physics"
    )
    expect.close(gain, d.mean(), because="the mean of the paired differences", name="the gain")
    expect.close(
        error, d.std(ddof=1) / np.sqrt(n), rtol=2e-3, because="their standard deviation over sqrt(n)", name="its error"
    )
    apart = np.sqrt((old.var() + new.var()) / n)
    return f"the paired error is {error / apart:.0%} of what independent wines would give"


def _gain(change: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong paired_gain(), from the squared errors of the baseline and of the prediction."""

    def paired_gain(prediction: np.ndarray, baseline: np.ndarray, truth: np.ndarray) -> Any:
        return change((truth - baseline) ** 2, (truth - prediction) ** 2)

    return paired_gain


paired_gain.hints = (
    "For each wine: the squared error of the baseline minus the squared error of the prediction.",
    "The error of the mean of n numbers: their standard deviation over np.sqrt(n).",
    "With d the array of differences: d.mean() and d.std(ddof=1) / np.sqrt(len(d)).",
)
paired_gain.mistakes = {
    "errors in quadrature": (
        _gain(lambda a, b: (np.mean(a - b), np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a)))),
        "judged by the same wines",
    ),
    "the wrong sign": (_gain(lambda a, b: (np.mean(b - a), np.std(b - a) / np.sqrt(len(a)))), "positive if the"),
    "spread instead of error": (_gain(lambda a, b: (np.mean(a - b), np.std(a - b))), "than the spread"),
    "variance over n": (_gain(lambda a, b: (np.mean(a - b), np.var(a - b) / len(a))), "root of the variance"),
    "roots compared": (
        _gain(lambda a, b: (np.sqrt(a.mean()) - np.sqrt(b.mean()), np.std(a - b) / np.sqrt(len(a)))),
        "without roots",
    ),
    "sum": (_gain(lambda a, b: (np.sum(a - b), np.std(a - b) * np.sqrt(len(a)))), "not the sum"),
    "compared with each other": (
        lambda prediction, baseline, truth: (np.mean((prediction - baseline) ** 2), 0.01),
        "not with each other",
    ),
    "gain only": (_gain(lambda a, b: np.mean(a - b)), "2 results"),
}

quiz(
    "5.3-q1",
    question="Two variants differ by 0.010 in test mse. The mse of each has the statistical error 0.018, and the "
    "spread over seeds is 0.003. Are they different?",
    options=(
        "That needs the error of the paired difference on the same wines, and several seeds of both.",
        "No: 0.010 is less than 0.018.",
        "Yes: 0.010 is more than 0.003.",
        "Yes: the test set has 1898 wines.",
    ),
    answer=1,
    explanation="The 0.018 is mostly shared by the two, since the same wines are hard for both. The spread over seeds "
    "says nothing about other wines.",
)
