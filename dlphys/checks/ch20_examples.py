"""Checks of the examples of chapter 20: one-class networks, window against side-bands, ratios of densities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- M20.1 and the latent numbers -----------------------------------------------------------------------------

quiz(
    "M20.1-q1",
    question="Ten anomalies lie at a place where a million normal events are expected as well. Which score can find an "
    "anomaly of this kind?",
    options=(
        "A low density of normal events, if it is known exactly.",
        "None: ten events among a million are hidden in the fluctuation, whatever the score.",
        "The ratio of the densities of data and normal events.",
        "The reconstruction error of an autoencoder.",
    ),
    answer=2,
    explanation="A million fluctuates by a thousand. The density ratio is the best score there is, and it differs from "
    "one by a hundred-thousandth there. Group anomalies need a number that stands out.",
)

quiz(
    "M20.2-q1",
    question="An autoencoder finds an anomaly better the larger its latent space is. What does that tell?",
    options=(
        "That it is the identity already.",
        "That the anomaly is simpler than the normal events.",
        "Nothing yet: for another anomaly it may be the other way round, and nobody knows which one will come.",
        "That it should be trained for longer.",
    ),
    answer=3,
    explanation="The best size depends on the anomaly. A choice by one kind of anomaly is a choice for that kind.",
)

# --- M20.2 ----------------------------------------------------------------------------------------------------


@task("M20.2", section="20.2")
def build_one_class(student: Any, random: np.random.Generator) -> str:
    inputs = int(random.integers(9, 16))
    model = student(inputs, 1e-3)
    expect.is_model(model)
    expect.output_shape(model, given=(5, inputs), is_=(5, 8))
    x = random.normal(size=(300, inputs)).astype(np.float32)
    answer = np.asarray(model.predict(x), float)
    # any weights, as after a training: a bias that starts at zero is one nevertheless
    bounded = {"tanh", "sigmoid", "softmax", "hard_sigmoid", "softsign"}
    for layer in model.layers:
        config = layer["config"] or {}
        expect.holds(
            not config.get("use_bias", False),
            because="no biases: with use_bias=True, which is what Keras does if nobody says otherwise, the network can "
            "map everything to the centre",
            seen=f"a layer {layer['class_name']} with a bias",
            rung="known mistake",
        )
        expect.holds(
            config.get("activation", "linear") not in bounded,
            because="no bounded activation: where it is saturated its output is constant, which is a bias in disguise",
            seen=f"{config.get('activation')} in a layer {layer['class_name']}",
            rung="known mistake",
        )
    expect.holds(
        np.ptp(answer, axis=0).max() > 1e-4,
        because="outputs that differ from trace to trace",
        seen="the same output for 300 different inputs",
        rung="known mistake",
    )
    linear = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    rest = answer - linear @ np.linalg.lstsq(linear, answer, rcond=None)[0]
    expect.at_least(
        float(np.sum(rest**2) / np.sum((answer - answer.mean(0)) ** 2)),
        0.02,
        because="an activation in the hidden layers: a linear map is all that is left without",
        name="the share of the output that is not linear in the input",
    )
    expect.holds(
        answer.min() < 0,
        because="outputs of either sign: no activation at the last layer, or half of all directions are closed",
        seen="no output below zero",
    )
    expect.close(
        model.predict(np.zeros((2, inputs), np.float32)),
        np.zeros((2, 8)),
        atol=1e-7,
        name="the output for an input of zeros",
        because="zero for an input of zeros, whatever the weights",
        rung="physics",
    )
    found = [_penalty((layer["config"] or {}).get("kernel_regularizer")) for layer in model.layers]
    dense = [value for value, layer in zip(found, model.layers, strict=True) if layer["class_name"] == "Dense"]
    expect.holds(
        all(value > 0 for value in dense),
        because="a penalty on the kernels of all layers: kernel_regularizer=keras.regularizers.L2(penalty)",
        seen=f"{sum(value == 0 for value in dense)} layers without one",
    )
    expect.holds(
        np.allclose(dense, 1e-3, rtol=1e-3),
        because="the factor `penalty` that was asked for",
        seen=f"the factor {dense[0]:.3g} for penalty=0.001",
        rung="value",
    )
    expect.equal(
        model.count_params(),
        64 * inputs + 64 * 32 + 32 * 8,
        because="hidden layers with 64 and 32 nodes, eight outputs, no biases",
        name="the number of parameters",
    )
    return "zero goes to zero, for all weights there are"


def _penalty(config: Any) -> float:
    """The L2 factor in the configuration of a regulariser."""
    inner = config.get("config", {}) if isinstance(config, dict) else {}
    return float(inner.get("l2", 0.0) or 0.0) if isinstance(inner, dict) else 0.0


def _one_class(
    *,
    bias: bool = False,
    last_bias: bool = False,
    hidden: str | None = "relu",
    last: str | None = None,
    factor: float | None = None,
    every: bool = True,
    outputs: int = 8,
    middle: int = 32,
) -> Callable[[int, float], Any]:
    """A build_one_class() with one thing changed."""

    def build_one_class(inputs: int, penalty: float) -> Any:
        import keras
        from keras import layers

        model = keras.Sequential([keras.Input((inputs,))])
        shapes = [(64, hidden, bias), (middle, hidden, bias), (outputs, last, bias or last_bias)]
        for row, (width, activation, use_bias) in enumerate(shapes):
            l2 = keras.regularizers.L2(penalty if factor is None else factor) if every or row == 0 else None
            model.add(layers.Dense(width, activation=activation, use_bias=use_bias, kernel_regularizer=l2))
        return model

    return build_one_class


build_one_class.hints = (
    "layers.Dense(64, activation='relu', use_bias=False, kernel_regularizer=...) is a hidden layer.",
    "ReLU and its relatives are unbounded; the last layer has no activation.",
    "The same regulariser, keras.regularizers.L2(penalty), in all three layers.",
)
build_one_class.mistakes = {
    "biases": (_one_class(bias=True), "use_bias=True"),
    "tanh": (_one_class(hidden="tanh"), "in disguise"),
    "no activation": (_one_class(hidden=None), "a linear map"),
    "relu at the end": (_one_class(last="relu"), "of either sign"),
    "penalty ignored": (_one_class(factor=0.1), "that was asked for"),
    "one penalty": (_one_class(every=False), "of all layers"),
    "one output": (_one_class(outputs=1), "output of shape (5, 8)"),
    "other widths": (_one_class(middle=64), "64 and 32 nodes"),
}

# --- M20.3a ---------------------------------------------------------------------------------------------------


def _labels(
    mass: np.ndarray,
    window: tuple[float, float],
    sides: tuple[float, float],
    *,
    shares: tuple[float, float, float] = (1.0, 2.0, 1.0),
    everything: bool = False,
    per_event: bool = True,
    normalised: bool = True,
    upside_down: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and weights, region by region; the keywords make the known mistakes."""
    region = np.digitize(mass, [sides[0], window[0], window[1], sides[1]])  # 1 below, 2 window, 3 above
    if everything:
        region = np.clip(region, 1, 3)
    weight = np.zeros(len(mass))
    for k in range(1, 4):
        weight[region == k] = shares[k - 1] / (np.sum(region == k) if per_event else 1)
    if normalised:
        weight *= np.sum(weight > 0) / weight.sum()
    label = (region == 2).astype(float)
    return (1 - label if upside_down else label), weight


@task("M20.3a", section="20.3")
def window_labels(student: Any, random: np.random.Generator) -> str:
    window, sides = (3.1, 3.6), (2.6, 4.8)
    mass = 2.5 + random.exponential(0.8, 600)
    answer = student(mass, window, sides)
    expect.is_tuple(answer, 2, name="labels and weights")
    label, weight = answer
    for name, part in (("labels", label), ("weights", weight)):
        expect.shape(part, (600,), name=f"the {name}")
        expect.finite(part, name=f"the {name}")
    label, weight = np.asarray(label, float), np.asarray(weight, float)
    right = _labels(mass, window, sides)
    known: dict[str, dict[str, Any]] = {
        "side-bands with ends: events beyond them must not count": {"everything": True},
        "the weights of a region divided by its number of events: few lie above the window": {"per_event": False},
        "the same sum for both side-bands, twice that for the window": {"shares": (1.0, 1.0, 1.0)},
        "a mean weight of 1 over the events that are used": {"normalised": False},
    }
    expect.differs(label, 1 - right[0], because="label 1 inside the window, 0 elsewhere")
    expect.holds(
        np.isin(label, (0.0, 1.0)),
        because="labels 0 and 1 only; the weight tells which events are used",
        seen=f"labels {', '.join(f'{value:g}' for value in np.unique(label)[:5])}",
        rung="known mistake",
    )
    for because, change in known.items():
        expect.differs(weight, _labels(mass, window, sides, **change)[1], because=because, rtol=1e-5)
    by_number = np.where(right[1] > 0, 1.0, 0.0)
    expect.differs(
        weight, by_number, because="weights that make up for the numbers of events: most of them lie below", rtol=1e-5
    )
    twice = student(np.tile(mass, 2), window, sides)[1]
    expect.close(
        np.asarray(twice, float)[:600],
        weight,
        rtol=1e-5,
        name="the weights",
        because="the same weights if every event occurs twice",
        rung="physics",
    )
    expect.equal(label, right[0], because="1 for a mass inside the window", name="the labels")
    expect.close(
        weight, right[1], rtol=1e-5, atol=1e-9, name="the weights", because="the proportion 1 : 2 : 1, with mean 1"
    )
    return "below and above weigh as much as the window"


def _labelled(**changes: Any) -> Callable[..., Any]:
    def window_labels(mass: np.ndarray, window: Any, sides: Any) -> Any:
        return _labels(np.asarray(mass), window, sides, **changes)

    return window_labels


def _three_labels(mass: np.ndarray, window: Any, sides: Any) -> Any:
    label, weight = _labels(np.asarray(mass), window, sides)
    return np.where(weight > 0, label, -1.0), weight


def _wide_window(mass: np.ndarray, window: Any, sides: Any) -> Any:
    return _labels(np.asarray(mass), (window[0] - 0.1, window[1] + 0.1), sides)


window_labels.hints = (
    "Three boolean arrays: inside, below, above; each is True for the events of one region.",
    "2 * inside / inside.sum() + below / below.sum() + above / above.sum() has the right proportions and the sum 4.",
    "Multiply by the number of used events over 4: then their mean is 1.",
)
window_labels.mistakes = {
    "upside down": (_labelled(upside_down=True), "label 1 inside the window"),
    "no ends": (_labelled(everything=True), "side-bands with ends"),
    "not per event": (_labelled(per_event=False), "divided by its number of events"),
    "equal regions": (_labelled(shares=(1.0, 1.0, 1.0)), "twice that for the window"),
    "not normalised": (_labelled(normalised=False), "a mean weight of 1"),
    "third label": (_three_labels, "labels 0 and 1 only"),
    "window too wide": (_wide_window, "for a mass inside the window"),
    "all weights one": (
        lambda mass, window, sides: (
            _labels(mass, window, sides)[0],
            np.where(_labels(mass, window, sides)[1] > 0, 1.0, 0.0),
        ),
        "make up for the numbers",
    ),
    "labels only": (lambda mass, window, sides: _labels(mass, window, sides)[0], "2 results"),
}

# --- M20.3b ---------------------------------------------------------------------------------------------------


def _excess(
    passed: np.ndarray,
    in_window: np.ndarray,
    in_sides: np.ndarray,
    expected: float,
    error: float,
    *,
    kept: str = "sides",
    variance: str = "all",
) -> tuple[float, float, float]:
    """Observed, expected, significance; the keywords make the known mistakes."""
    n = float(np.count_nonzero(passed & in_window))
    side = float(np.count_nonzero(passed & in_sides))
    share = {
        "sides": side / np.count_nonzero(in_sides),
        "window": n / np.count_nonzero(in_window),
        "all": passed.mean(),
        "none": 1.0,
    }[kept]
    b = expected * share
    terms = {
        "all": b + (b * error / expected) ** 2 + b**2 / side,
        "poisson": b,
        "observed": n + (b * error / expected) ** 2 + b**2 / side,
        "no fit": b + b**2 / side,
        "no sides": b + (b * error / expected) ** 2,
        "squared": (b + (b * error / expected) ** 2 + b**2 / side) ** 2,
    }
    return n, b, float((n - b) / np.sqrt(terms[variance]))


@task("M20.3b", section="20.3")
def excess(student: Any, random: np.random.Generator) -> str:
    n = 4000
    where = random.choice(3, n, p=[0.2, 0.7, 0.1])
    in_window, in_sides = where == 0, where == 1
    passed = random.random(n) < np.where(in_window, 0.09, np.where(in_sides, 0.05, 0.3))
    expected, error = 780.0 + float(random.uniform(0, 60)), 95.0
    given = (passed, in_window, in_sides, expected, error)
    answer = student(*given)
    expect.is_tuple(answer, 3, name="observed, background and significance")
    for name, part in zip(("the observed number", "the background", "the significance"), answer, strict=True):
        expect.number(part, name=name)
    n_seen, background, z = (float(part) for part in answer)
    right = _excess(*given)
    expect.differs(
        n_seen, float(passed.sum()), because="events that passed the cut and lie in the window, not elsewhere"
    )
    for because, kept in {
        "the share kept in the side-bands, not in the window itself: it would hide any signal": "window",
        "the share kept in the side-bands, not among all events": "all",
        "the background after the cut: the fit tells that before it": "none",
    }.items():
        expect.differs(background, _excess(*given, kept=kept)[1], because=because)
    for because, variance in {
        "the error of the background besides its Poisson fluctuation": "poisson",
        "the Poisson variance of the expected background, not of what was observed": "observed",
        "the error of the fit too": "no fit",
        "the fluctuation of the side-band events that passed": "no sides",
        "the square root of the variance": "squared",
    }.items():
        expect.differs(z, _excess(*given, variance=variance)[2], because=because)
    even = (random.random(n) < 0.5, in_window, in_sides, 1.0, 0.1)
    share = float(np.mean(even[0][in_sides]))
    expect.close(
        float(student(*even[:3], even[0][in_window].sum() / share, 3.0)[2]),
        0.0,
        atol=1e-6,
        name="the significance",
        because="0 if exactly as many events are seen as expected",
        rung="physics",
    )
    expect.close(n_seen, right[0], because="the number of events that passed in the window", name="the observed number")
    expect.close(background, right[1], because="the fit times the share kept in the side-bands", name="the background")
    expect.close(z, right[2], because="the formula of the text", name="the significance")
    return "the efficiency comes from where no signal is"


def _counted(**changes: Any) -> Callable[..., Any]:
    def excess(passed: Any, in_window: Any, in_sides: Any, expected: float, error: float) -> Any:
        return _excess(passed, in_window, in_sides, expected, error, **changes)

    return excess


def _everywhere(passed: Any, in_window: Any, in_sides: Any, expected: float, error: float) -> Any:
    return (float(np.sum(passed)), *_excess(passed, in_window, in_sides, expected, error)[1:])


excess.hints = (
    "passed & in_window is True for the events that passed and lie in the window; np.sum counts them.",
    "The background is expected * (side-band events that passed) / (all side-band events).",
    "relative = (error / expected)**2 + 1 / (side-band events that passed); the variance is b + b**2 * relative.",
)
excess.mistakes = {
    "all that passed": (_everywhere, "not elsewhere"),
    "share of the window": (_counted(kept="window"), "hide any signal"),
    "share of all": (_counted(kept="all"), "not among all events"),
    "before the cut": (_counted(kept="none"), "that before it"),
    "Poisson only": (_counted(variance="poisson"), "besides its Poisson"),
    "observed in the root": (_counted(variance="observed"), "not of what was observed"),
    "no error of the fit": (_counted(variance="no fit"), "the error of the fit too"),
    "no error of the sides": (_counted(variance="no sides"), "side-band events that passed"),
    "variance": (_counted(variance="squared"), "square root of the variance"),
    "significance only": (lambda passed, in_window, in_sides, expected, error: 1.0, "3 results"),
}

quiz(
    "M20.3-q1",
    question="CWoLa reports an excess of nine standard deviations. Which test tells best whether the features know the "
    "mass?",
    options=(
        "Move the window along the mass: an excess that moves with the window is made by the method.",
        "Train with more folds.",
        "Look at the histograms of the features in the window.",
        "Train a larger network and see whether the excess grows.",
    ),
    answer=1,
    explanation="A resonance stays where it is. A correlated feature makes an excess in every window, wherever it is "
    "put; larger networks and more folds do not change that.",
)

# --- M20.4 ----------------------------------------------------------------------------------------------------


class _Densities:
    """Two conditional mixtures with random weights, as Keras models and as formulas."""

    def __init__(self, random: np.random.Generator) -> None:
        import keras

        from dlphys.layers import MixtureDensity

        self.models = []
        for _ in range(2):
            model = keras.Sequential([keras.Input((1,)), MixtureDensity(3, 2)])
            start = [random.normal(0, 0.4, weight.shape) for weight in model.get_weights()]
            model.set_weights(start)
            self.models.append(model)

    def log_density(self, which: int, mass: np.ndarray, x: np.ndarray) -> np.ndarray:
        from dlphys.layers import mixture_parameters

        weights, means, widths = mixture_parameters(np.asarray(self.models[which](mass)), 2)
        off = (x[:, None, :].astype(float) - means) / widths
        each = weights * np.exp(-0.5 * (off**2).sum(-1)) / (2 * np.pi * widths.prod(-1))
        return np.asarray(np.log(each.sum(axis=1)))


@task("M20.4", section="20.3")
def log_density_ratio(student: Any, random: np.random.Generator) -> str:
    n = 40
    both = _Densities(random)
    mass, x = (random.normal(size=(n, width)).astype(np.float32) for width in (1, 2))
    inner, outer = both.models
    answer = student(inner, outer, mass, x)
    expect.shape(answer, (n,), name="the logarithms of the ratio")
    expect.finite(answer, name="the logarithms of the ratio")
    first, second = both.log_density(0, mass, x), both.log_density(1, mass, x)
    known = {
        "inner over outer: the loss is minus the logarithm of the density, so the signs turn": second - first,
        "the logarithm of the ratio, not the ratio": np.exp(first - second),
        "a ratio of densities is a difference of logarithms, not a ratio of them": first / second,
        "the density of the outer model too": first,
        "minus the logarithm of the density is what the loss gives": -first,
        "the ratio, not the product of the densities": first + second,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-3, atol=1e-3)
    expect.close(
        student(inner, inner, mass, x),
        np.zeros(n),
        atol=1e-5,
        name="ln R",
        because="0 everywhere, if inside and outside are described by one density",
        rung="physics",
    )
    expect.close(
        student(outer, inner, mass, x),
        -np.asarray(answer, float),
        rtol=1e-3,
        atol=1e-3,
        name="ln R",
        because="the opposite sign with the two models exchanged",
        rung="physics",
    )
    expect.close(
        answer, first - second, name="ln R", because="ln q_inner(x | m) - ln q_outer(x | m)", rtol=1e-3, atol=1e-3
    )
    return "zero where inside and outside agree"


def _ratio(change: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A log_density_ratio() from the two losses."""

    def log_density_ratio(inner: Any, outer: Any, scaled_mass: Any, features: Any) -> Any:
        from dlphys.layers import mixture_density_loss

        losses = [np.asarray(mixture_density_loss(features, model(scaled_mass))) for model in (inner, outer)]
        return change(*losses)

    return log_density_ratio


def _one_mass(inner: Any, outer: Any, scaled_mass: Any, features: Any) -> Any:
    """Both densities at the mean mass."""
    mean = np.full_like(scaled_mass, np.mean(scaled_mass))
    return _ratio(lambda i, o: o - i)(inner, outer, mean, features)


log_density_ratio.hints = (
    "inner(scaled_mass) are the parameters of a mixture for each event; mixture_density_loss(features, ...) is -ln q.",
    "ln R = ln q_inner - ln q_outer: the loss of the outer model minus that of the inner one.",
    "np.asarray makes an array of a tensor.",
)
log_density_ratio.mistakes = {
    "sign": (_ratio(lambda i, o: i - o), "the signs turn"),
    "the ratio": (_ratio(lambda i, o: np.exp(o - i)), "not the ratio"),
    "ratio of logarithms": (_ratio(lambda i, o: i / o), "not a ratio of them"),
    "inner only": (_ratio(lambda i, o: -i), "the outer model too"),
    "loss only": (_ratio(lambda i, o: i), "what the loss gives"),
    "product": (_ratio(lambda i, o: -i - o), "not the product"),
    "one mass for all": (_one_mass, "ln q_inner(x | m)"),
    "mean": (_ratio(lambda i, o: (o - i).mean()), "logarithms of the ratio: an array"),
}

quiz(
    "M20.4-q1",
    question="Why does the ratio of conditional densities survive features that depend on the mass?",
    options=(
        "Because densities are smoother than classifiers.",
        "Because the outer density is trained with more events.",
        "Because it is trained without labels.",
        "Because numerator and denominator are compared at the same mass, so the dependence cancels.",
    ),
    answer=4,
    explanation="What does not cancel is an error of the interpolation into the window. That is the assumption which "
    "takes the place of independence.",
)
