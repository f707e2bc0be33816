"""Checks of chapter 19: a refiner of traces, weights from a classifier, scale factors, a reversed gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task
from dlphys.checks.proxy import StudentError

STATIONS, TIMES = 9, 80

# --- X19.1a -----------------------------------------------------------------------------------------------


@task("X19.1a", section="19.1")
def build_refiner(student: Any, random: np.random.Generator) -> str:
    blocks, width = int(random.integers(2, 5)), int(random.integers(20, 40))
    model = student(blocks, width)
    expect.is_model(model)
    expect.output_shape(model, given=(5, STATIONS, TIMES), is_=(5, STATIONS, TIMES))
    x = random.uniform(0, 4, (6, STATIONS, TIMES)).astype(np.float32)
    answer = np.asarray(model.predict(x), float)
    expect.holds(
        np.abs(answer).max() > 0,
        because="the identity at the beginning: what a block makes has to be added to what it gets",
        seen="zeros for any trace",
        rung="known mistake",
    )
    expect.differs(answer, x * 2.0**blocks, because="h(x) without x in it: the block adds x, once", rtol=1e-4)
    expect.close(
        answer,
        x,
        atol=1e-5,
        name="the output of the untrained refiner",
        because="the identity at the beginning: all weights of the last layer of a block are zero",
        rung="physics",
    )
    expect.close(
        model.predict(x - 8),
        x - 8,
        atol=1e-5,
        name="the output for numbers below zero",
        because="the identity for any numbers: no activation behind the sum",
        rung="physics",
    )
    kernels = [weight for weight in model.weights if weight.ndim == 2]
    expect.equal(
        len(kernels), 2 * blocks, because="`blocks` of them, with two Dense layers each", name="the number of kernels"
    )
    expect.holds(
        sum(np.abs(kernel).max() > 0 for kernel in kernels) >= blocks,
        because="zeros in the last layer of each block only: with both at zero no gradient arrives in either",
        seen="kernels that are zero throughout",
        rung="known mistake",
    )
    changes = [layer for layer in model.layers if layer["class_name"] == "Dense"]
    found = [(layer["config"] or {}).get("activation", "linear") for layer in changes]
    expect.holds(
        found.count("linear") < len(found),
        because="an activation in the hidden layer: two linear layers are one",
        seen=f"the activations {', '.join(found) or 'of no Dense layer'}",
        rung="known mistake",
    )
    expect.holds(
        found.count("linear") == blocks,
        because="no activation at the end of h, so that a trace can become smaller and larger",
        seen=f"the activations {', '.join(found) or 'of no Dense layer'}",
        rung="known mistake",
    )
    expect.equal(
        model.count_params(),
        blocks * (2 * TIMES * width + width + TIMES),
        because="two Dense layers a block, on the time axis, which all nine stations share",
        name="the number of parameters",
    )
    return f"{blocks} blocks, and every trace comes back as it was"


def _refiner(
    *,
    start: str = "zeros",
    first: str = "glorot_uniform",
    end: str | None = None,
    hidden: str | None = "elu",
    plain: bool = False,
    double: bool = False,
    flat: bool = False,
    fixed: int | None = None,
    last: str | None = None,
) -> Callable[[int, int], Any]:
    """A build_refiner() with one thing changed."""

    def build_refiner(blocks: int, width: int) -> Any:
        import keras
        from keras import layers

        given = keras.Input((STATIONS, TIMES))
        x = layers.Flatten()(given) if flat else given
        for _ in range(fixed or blocks):
            h = layers.Dense(width, activation=hidden, kernel_initializer=first)(x)
            h = layers.Dense(x.shape[-1], activation=end, kernel_initializer=start)(h)
            h = layers.Add()([h, x]) if double else h
            x = h if plain else layers.Add()([h, x])
        x = layers.Reshape((STATIONS, TIMES))(x) if flat else x
        return keras.Model(given, layers.Activation(last)(x) if last else x)

    return build_refiner


build_refiner.hints = (
    "A block: h = Dense(width, activation='elu')(x), then Dense(80)(h), then layers.Add() of that and x.",
    "kernel_initializer='zeros' in the second Dense layer of each block; biases start at zero anyway.",
    "keras.Input((9, 80)): Dense works on the last axis, so each station's trace is treated by itself.",
)
build_refiner.mistakes = {
    "not residual": (_refiner(plain=True), "has to be added"),
    "random start": (_refiner(start="glorot_uniform"), "of the last layer of a block are zero"),
    "both zero": (_refiner(first="zeros"), "no gradient arrives in either"),
    "x twice": (_refiner(double=True), "the block adds x, once"),
    "ReLU at the end of h": (_refiner(end="relu"), "smaller and larger"),
    "ReLU behind the sum": (_refiner(last="relu"), "no activation behind the sum"),
    "no hidden activation": (_refiner(hidden=None), "two linear layers are one"),
    "all stations mixed": (_refiner(flat=True), "which all nine stations share"),
    "one block": (_refiner(fixed=1), "with two Dense layers each"),
}

# --- X19.1b -----------------------------------------------------------------------------------------------


def _rises(
    x: np.ndarray, *, shares: tuple[float, float] = (0.1, 0.5), undo: str = "both", step: float = 25.0
) -> np.ndarray:
    """Rise times by a loop over all events and steps; the keywords make the known mistakes."""
    found = np.empty(len(x))
    for event, trace in enumerate(np.asarray(x, float)):
        signal = {"both": 10.0**trace - 1, "power": 10.0**trace, "nothing": trace, "e": np.exp(trace) - 1}[undo]
        total, arrived, times = signal.sum(), 0.0, []
        wanted = list(shares)
        for k, value in enumerate(signal):
            arrived += value
            while wanted and arrived >= wanted[0] * total * (1 - 1e-12):
                times.append(k)
                wanted.pop(0)
        found[event] = step * (times[1] - times[0])
    return found


@task("X19.1b", section="19.1")
def rise_time(student: Any, random: np.random.Generator) -> str:
    n, k = 60, np.arange(TIMES)
    start, decay = random.uniform(0, 8, (n, 1)), random.uniform(4, 14, (n, 1))
    pulse = np.where(k >= start, (k - start) * np.exp(-(k - start) / decay), 0.0)
    counts = random.uniform(3, 60, (n, 1)) * pulse * random.uniform(0.7, 1.3, (n, TIMES))
    x = np.log10(1 + counts)
    answer = student(x)
    expect.shape(answer, (n,), name="the rise times of 60 traces")
    expect.finite(answer, name="the rise times")
    right = _rises(x)
    known: dict[str, dict[str, Any]] = {
        "ADC counts, not their logarithms: undo lg first": {"undo": "nothing"},
        "the 1 of lg(1 + counts) taken away: 80 empty steps are no signal": {"undo": "power"},
        "a logarithm with base 10": {"undo": "e"},
        "nanoseconds, 25 for each step": {"step": 1.0},
        "from 10 to 50 %: the time of the first tenth is taken off": {"shares": (0.0, 0.5)},
        "from 10 to 50 %, not to 90 %": {"shares": (0.1, 0.9)},
        "the later time minus the earlier one": {"step": -25.0},
    }
    for because, change in known.items():
        expect.differs(answer, _rises(x, **change), because=because)
    expect.differs(answer, 25.0 * k[np.argmax(x, axis=1)], because="shares of the signal, not the time of the maximum")
    later = np.zeros_like(x)
    later[:, 10:] = x[:, :-10]
    kept = np.zeros_like(x)
    kept[:, :-10] = x[:, :-10]
    expect.close(
        student(later),
        student(kept),
        name="the rise times",
        because="the same for a pulse that comes later",
        rung="physics",
    )
    lone = np.zeros((3, TIMES))
    lone[:, 7] = 2.0
    expect.close(
        student(lone), np.zeros(3), name="the rise time of a single filled step", because="zero", rung="physics"
    )
    expect.close(
        answer, right, name="the rise time", because="first step with at least 50 % minus first step with at least 10 %"
    )
    return "undisturbed by what comes before the pulse"


def _risen(**changes: Any) -> Callable[[np.ndarray], Any]:
    return lambda x: _rises(x, **changes)


rise_time.hints = (
    "10**x - 1 are the counts; np.cumsum(..., axis=1) is what has arrived at the end of each step.",
    "Divide by the last column: then shares of the whole signal rise to 1.",
    "np.argmax(shares >= 0.1, axis=1) is the first step where it is true, since True counts as 1.",
)
rise_time.mistakes = {
    "logarithms": (_risen(undo="nothing"), "undo lg first"),
    "one forgotten": (_risen(undo="power"), "80 empty steps"),
    "wrong base": (_risen(undo="e"), "base 10"),
    "steps": (_risen(step=1.0), "25 for each step"),
    "from the start": (_risen(shares=(0.0, 0.5)), "the first tenth"),
    "to 90 %": (_risen(shares=(0.1, 0.9)), "not to 90 %"),
    "sign": (_risen(step=-25.0), "minus the earlier one"),
    "maximum": (lambda x: 25.0 * np.argmax(x, axis=1), "not the time of the maximum"),
    "to 60 %": (_risen(shares=(0.1, 0.6)), "at least 50 %"),
    "mean": (lambda x: _rises(x).mean(), "rise times of 60 traces: an array"),
}

quiz(
    "X19.1-q1",
    question="Refined simulation and data agree in the distribution of every quantity. A colleague wants to use a "
    "refined event as the measured version of its simulated event. May she?",
    options=(
        "Yes: the refiner has learned what the detector does.",
        "Yes, if the critic's loss has converged to zero.",
        "No: only distributions were compared, so nothing ties a refined event to one measured event.",
        "No, but a larger refiner would make it possible.",
    ),
    answer=3,
    explanation="Many maps turn one distribution into another. Starting as the identity chooses one that changes "
    "little, which is a habit of the training and no measurement.",
)

# --- X19.2 ------------------------------------------------------------------------------------------------

quiz(
    "X19.2-q1",
    question="The simulated energy spectrum is harder than nature's, with too few low energies. How does one notice it "
    "after refining?",
    options=(
        "The critic's loss stays far above zero.",
        "Not at all from the refined events: they agree with the data. The energies are wrong.",
        "The refined traces have smaller signals than the data.",
        "The width of the energies on simulation grows.",
    ),
    answer=2,
    explanation="The refiner makes signals smaller until the samples agree, and the labels stay what they were. Only "
    "knowledge about the labels helps.",
)

# --- M19.1a -----------------------------------------------------------------------------------------------


@task("M19.1a", section="19.1")
def weights_from_classifier(student: Any, random: np.random.Generator) -> str:
    n, n_source, n_target = 50, int(random.integers(2000, 4000)), int(random.integers(500, 1500))
    f = random.uniform(0.03, 0.97, n)
    answer = student(f, n_source, n_target)
    expect.shape(answer, (n,), name="the weights of 50 events")
    expect.finite(answer, name="the weights")
    odds, size = f / (1 - f), n_source / n_target
    known = {
        "the odds f / (1 - f), not the probability": [f, f * size],
        "target over source: an event that looks like the target gets a large weight": [1 / odds, size / odds],
        "samples of different size: with twice as many source events f is lower, and the weights should not be": [odds],
        "the size of the source above, that of the target below": [odds / size],
        "the ratio itself, not its logarithm": [np.log(odds), np.log(odds * size)],
        "weights by the formula alone, not divided by their mean": [odds / odds.mean()],
    }
    for because, wrong in known.items():
        for values in wrong:
            expect.differs(answer, values, because=because)
    expect.close(
        student(np.full(3, n_target / (n_source + n_target)), n_source, n_target),
        np.ones(3),
        rtol=1e-9,
        name="the weight where the classifier says no more than the sizes of the samples",
        because="1: there both densities are equal",
        rung="physics",
    )
    expect.close(
        answer * np.asarray(student(1 - f, n_target, n_source)),
        np.ones(n),
        rtol=1e-9,
        name="the product of the weights there and back",
        because="1: source and target exchanged give the inverse ratio",
        rung="physics",
    )
    expect.close(
        answer, odds * size, rtol=1e-9, name="the weights", because="the formula of the text solved for p2 / p1"
    )
    return "1 where both densities are equal, for samples of any size"


def _weights(change: Callable[[np.ndarray, float], Any]) -> Callable[..., Any]:
    return lambda output, n_source, n_target: change(np.asarray(output), n_source / n_target)


weights_from_classifier.hints = (
    "With f = n2 p2 / (n1 p1 + n2 p2), what is 1 - f?",
    "f / (1 - f) = n2 p2 / (n1 p1).",
    "Multiply the odds by n_source and divide by n_target.",
)
weights_from_classifier.mistakes = {
    "the output": (_weights(lambda f, s: f), "not the probability"),
    "upside down": (_weights(lambda f, s: s * (1 - f) / f), "target over source"),
    "sizes ignored": (_weights(lambda f, s: f / (1 - f)), "samples of different size"),
    "sizes exchanged": (_weights(lambda f, s: f / (1 - f) / s), "that of the target below"),
    "logarithm": (_weights(lambda f, s: np.log(s * f / (1 - f))), "not its logarithm"),
    "normalised": (_weights(lambda f, s: f / (1 - f) / np.mean(f / (1 - f))), "not divided by their mean"),
    "doubled": (_weights(lambda f, s: 2 * s * f / (1 - f)), "both densities are equal"),
    "mean": (_weights(lambda f, s: float(np.mean(f))), "weights of 50 events: an array"),
}

quiz(
    "M19.1-q1",
    question="Two classifiers have the same ROC curve. One makes weights that reproduce the target, the other does "
    "not. What is different?",
    options=(
        "The second was trained with fewer events.",
        "The second has a larger area under the curve for another class.",
        "The second gives a smaller effective sample size, so its weights are too noisy.",
        "The calibration: a ROC curve knows the order of the outputs only, a weight needs their values.",
    ),
    answer=4,
    explanation="Any rising function of the output has the same ROC curve. Only one of them is the probability.",
)

# --- M19.1b -----------------------------------------------------------------------------------------------


@task("M19.1b", section="19.1")
def effective_sample_size(student: Any, random: np.random.Generator) -> str:
    n = int(random.integers(30, 60))
    w = random.exponential(2.0, n)
    answer = student(w)
    expect.number(answer, name="the effective sample size")
    right = w.sum() ** 2 / np.dot(w, w)
    known = {
        "the sum squared over the sum of squares, not the other way round": 1 / right,
        "a number of events, not a share of them": right / n,
        "the square of the sum above": w.sum() / np.dot(w, w),
        "the sum of the weights is the size of the weighted sample, not what it is worth": w.sum(),
        "squares below": w.sum() ** 2 / w.sum(),
        "the number of events only if all weights are equal": n,
        "no square root": np.sqrt(right),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        float(student(np.full(17, 0.3))), 17.0, name="the value for 17 equal weights", because="17", rung="physics"
    )
    expect.close(
        float(student(5.0 * w)),
        float(answer),
        name="the value",
        because="no change if all weights are larger",
        rung="physics",
    )
    one = np.zeros(12)
    one[3] = 2.0
    expect.close(
        float(student(one)), 1.0, name="the value where one event has all the weight", because="1", rung="physics"
    )
    expect.close(float(answer), right, name="the effective sample size", because="the formula of the text")
    return "between 1 and the number of events"


effective_sample_size.hints = (
    "np.sum(weight) ** 2 is the square of the sum, np.sum(weight**2) the sum of the squares.",
    "Try it with equal weights: the answer is their number.",
)
effective_sample_size.mistakes = {
    "upside down": (lambda weight: float(np.dot(weight, weight) / np.sum(weight) ** 2), "not the other way round"),
    "share": (lambda weight: float(np.sum(weight) ** 2 / np.dot(weight, weight) / len(weight)), "not a share"),
    "no square": (lambda weight: float(np.sum(weight) / np.dot(weight, weight)), "the square of the sum above"),
    "sum": (lambda weight: float(np.sum(weight)), "not what it is worth"),
    "number": (lambda weight: float(len(weight)), "only if all weights are equal"),
    "root": (lambda weight: float(np.sqrt(np.sum(weight) ** 2 / np.dot(weight, weight))), "no square root"),
    "mean over largest": (lambda weight: float(np.sum(weight) / np.max(weight)), "the formula of the text"),
    "weights": (lambda weight: weight, "one number"),
}

# --- M19.2 ------------------------------------------------------------------------------------------------


def _inside(feature: np.ndarray, chosen: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Counts by comparing every event with every bin."""
    bins = (feature[:, None] >= edges[:-1]) & (feature[:, None] < edges[1:])
    return np.asarray((bins & chosen[:, None]).sum(axis=0), float)


def _factors(
    source: np.ndarray,
    source_class: np.ndarray,
    target: np.ndarray,
    target_class: np.ndarray,
    edges: np.ndarray,
    classes: int,
    *,
    upside_down: bool = False,
    together: bool = False,
    normalised: bool = False,
    empty: float = np.nan,
    exchanged: bool = False,
) -> np.ndarray:
    """The table by counting; the keywords make the known mistakes."""
    table = np.empty((classes, len(edges) - 1))
    for k in range(classes):
        kinds = [np.ones(len(c), bool) if together else np.asarray(c) == k for c in (source_class, target_class)]
        below, above = _inside(source, kinds[0], edges), _inside(target, kinds[1], edges)
        if normalised:
            below, above = below / below.sum(), above / above.sum()
        if upside_down:
            below, above = above, below
        with np.errstate(divide="ignore", invalid="ignore"):
            table[k] = np.where(below > 0, above / below, empty)
    return table.T if exchanged else table


@task("M19.2", section="19.2")
def scale_factors(student: Any, random: np.random.Generator) -> str:
    edges, classes = np.array([0.0, 0.5, 1.0, 2.0, 3.5, 8.0]), 3
    kinds = [random.choice(classes, n, p=p) for n, p in ((900, [0.5, 0.3, 0.2]), (700, [0.3, 0.3, 0.4]))]
    features = [np.minimum(random.gamma(2.0, 0.5 + 0.15 * kind), 7.9) for kind in kinds]
    # class 1: nothing simulated in the first bin, nothing measured in the third
    features[0] = np.where((kinds[0] == 1) & (features[0] < 0.5), 0.7, features[0])
    features[1] = np.where((kinds[1] == 1) & (features[1] >= 1.0) & (features[1] < 2.0), 0.2, features[1])
    given = (features[0], kinds[0], features[1], kinds[1], edges, classes)
    answer = student(*given)
    expect.shape(answer, (classes, len(edges) - 1), name="the table")
    known: dict[str, dict[str, Any]] = {
        "target over source: the weight makes source events look like the target": {"upside_down": True},
        "each class by itself: the simulation may be wrong in a different way for each": {"together": True},
        "numbers of events, not shares: scale factors correct the total numbers, too": {"normalised": True},
        "NaN where nothing was simulated: 0 would look like a measurement": {"empty": 0.0},
        "NaN where nothing was simulated: 1 would look like agreement": {"empty": 1.0},
        "NaN where nothing was simulated, not infinity": {"empty": np.inf},
    }
    right = _factors(*given)
    for because, change in known.items():
        expect.differs(answer, _factors(*given, **change), because=because)
    expect.holds(
        np.isnan(np.asarray(answer, float)[1, 0]),
        because="NaN where nothing was simulated: no event is there that could get a weight",
        seen=f"{float(np.asarray(answer, float)[1, 0]):.4g} in such a bin",
        rung="known mistake",
    )
    expect.holds(
        np.asarray(answer, float)[1, 2] == 0,
        because="0 where something was simulated and nothing measured",
        seen=f"{float(np.asarray(answer, float)[1, 2]):.4g} in such a bin",
    )
    same = np.asarray(student(features[0], kinds[0], features[0], kinds[0], edges, classes), float)
    expect.holds(
        np.nanmax(np.abs(same - 1)) < 1e-9,
        because="1 everywhere if the target is the source",
        seen=f"factors from {np.nanmin(same):.4g} to {np.nanmax(same):.4g}",
    )
    twice = student(features[0], kinds[0], np.tile(features[1], 2), np.tile(kinds[1], 2), edges, classes)
    expect.close(
        np.asarray(twice, float),
        2 * np.asarray(answer, float),
        name="the table",
        because="twice as large for twice the data",
        rung="physics",
    )
    expect.close(answer, right, name="the table", because="n_target / n_source for every class and bin")
    return "the weighted counts are those of the target, class by class and bin by bin"


def _scaled(**changes: Any) -> Callable[..., Any]:
    def scale_factors(source: Any, source_class: Any, target: Any, target_class: Any, edges: Any, classes: int) -> Any:
        return _factors(source, source_class, target, target_class, edges, classes, **changes)

    return scale_factors


def _shifted_bins(source: Any, source_class: Any, target: Any, target_class: Any, edges: Any, classes: int) -> Any:
    """Rows rightly filled, but in the order of the classes turned round."""
    return _factors(source, source_class, target, target_class, edges, classes)[::-1]


scale_factors.hints = (
    "np.histogram(feature[kind == k], edges)[0] are the counts of class k.",
    "Begin with np.full((classes, bins), np.nan), and fill what can be filled.",
    "filled = counts > 0; table[k, filled] = ... leaves NaN in the other bins.",
)
scale_factors.mistakes = {
    "upside down": (_scaled(upside_down=True), "target over source"),
    "all classes together": (_scaled(together=True), "each class by itself"),
    "shares": (_scaled(normalised=True), "not shares"),
    "zero for empty": (_scaled(empty=0.0), "0 would look like a measurement"),
    "one for empty": (_scaled(empty=1.0), "1 would look like agreement"),
    "infinite": (_scaled(empty=np.inf), "not infinity"),
    "classes exchanged": (_shifted_bins, "for every class and bin"),
    "axes exchanged": (_scaled(exchanged=True), "the table: an array of shape (3, 5)"),
}

# --- M19.3 ------------------------------------------------------------------------------------------------


def _histories(value: Any) -> Iterator[str]:
    """Names of the layers whose outputs occur in the saved arguments of a layer."""
    if isinstance(value, dict):
        history = value.get("keras_history")
        if history:
            yield str(history[0])
        for item in value.values():
            yield from _histories(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _histories(item)


def _before(config: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """All layers on the way from the inputs to a layer, itself included."""
    by_name = {layer.get("name") or layer["config"]["name"]: layer for layer in config["layers"]}
    found: dict[str, dict[str, Any]] = {}
    open_names = [name]
    while open_names:
        current = open_names.pop()
        if current not in found and current in by_name:
            found[current] = by_name[current]
            open_names.extend(_histories(by_name[current].get("inbound_nodes", [])))
    return list(found.values())


def _is_reversal(layer: dict[str, Any]) -> bool:
    return "GradientReversal" in str(layer.get("class_name", ""))


@task("M19.3", section="19.3")
def build_adaptation(student: Any, random: np.random.Generator) -> str:
    inputs, strength = int(random.integers(3, 8)), float(np.round(random.uniform(0.3, 1.7), 2))
    model = student(inputs, strength)
    expect.is_model(model)
    x = random.normal(size=(200, inputs)).astype(np.float32)
    try:
        answer = model.predict(3 * x)
    except StudentError as error:
        expect.holds(False, because=f"a network for events of {inputs} numbers", seen=str(error)[:120], rung="shape")
    expect.is_dict(answer, ("label", "domain"), name="the outputs")
    for name in ("label", "domain"):
        expect.shape(answer[name], (200, 1), name=f"the output {name}")
        expect.finite(answer[name], name=f"the output {name}")
        value = np.asarray(answer[name], float)
        expect.holds(
            not (value.min() >= 0 and value.max() <= 1),
            because="logits of either sign: no activation at the outputs",
            seen=f"outputs from {value.min():.3g} to {value.max():.3g} at {name}",
            rung="known mistake",
        )
    config = model.config.get("config", model.config)
    expect.holds(
        "layers" in config and isinstance(config.get("output_layers"), dict),
        because="a model made by keras.Model(inputs, {'label': ..., 'domain': ...})",
        seen="a model of another kind",
        rung="shape",
    )
    ways = {name: _before(config, config["output_layers"][name][0]) for name in ("label", "domain")}
    reversals = {name: [layer for layer in way if _is_reversal(layer)] for name, way in ways.items()}
    at = " and ".join(name for name, found in reversals.items() if found)
    for wrong, because in {
        "": "a reversed gradient between the features and the domain classifier",
        "label": "the reversal on the way to the domain, and not to the label",
        "label and domain": "no reversal on the way to the label: the features shall help the label predictor",
    }.items():
        expect.holds(at != wrong, because=because, seen=f"GradientReversal: {at or 'none'}", rung="known mistake")
    expect.holds(
        len(reversals["domain"]) == 1,
        because="one reversal: two of them cancel",
        seen=f"{len(reversals['domain'])} of them",
        rung="known mistake",
    )
    dense = {
        name: [layer["config"]["name"] for layer in way if layer["class_name"] == "Dense"] for name, way in ways.items()
    }
    reversed_ = reversals["domain"][0]
    ahead = _before(config, reversed_.get("name") or reversed_["config"]["name"])
    before = [layer["config"]["name"] for layer in ahead if layer["class_name"] == "Dense"]
    shared = set(dense["label"]) & set(dense["domain"])
    expect.holds(
        len(shared) > 0,
        because="common features: both heads get the output of one extractor",
        seen="two networks that share no layer",
        rung="known mistake",
    )
    expect.holds(
        set(before) == shared,
        because="the reversal directly behind the common features: before the first layer of the domain classifier, "
        "which has to learn with the right sign",
        seen=f"{len(before)} dense layers before the reversal, {len(shared)} common ones",
    )
    expect.close(
        float(reversed_["config"].get("strength", np.nan)),
        strength,
        rtol=1e-5,
        name="the strength of the reversal",
        because="the factor `strength` that was asked for",
    )
    expect.equal(
        model.count_params(),
        (inputs + 1) * 32 + 33 * 16 + 17 * 16 + 17 + 17 * 32 + 33 + _settings(model),
        because="32 and 16 nodes for the features, 16 for the label and 32 for the domain, one output each",
        name="the number of parameters",
    )
    return "the domain classifier learns, and what lies before it learns the opposite"


def _settings(model: Any) -> int:
    """Numbers that are no weights but count as parameters, such as a strength that can be changed."""
    return sum(int(layer["params"]) for layer in model.layers if _is_reversal(layer))


def _adaptation(
    *,
    place: str = "features",
    shared: bool = True,
    last: str | None = None,
    factor: float | None = None,
    names: tuple[str, str] = ("label", "domain"),
    middle: int = 16,
    wide: int = 1,
) -> Callable[[int, float], Any]:
    """A build_adaptation() with one thing changed."""

    def build_adaptation(inputs: int, strength: float) -> Any:
        import keras
        from keras import layers

        from dlphys.layers import GradientReversal

        def turned(x: Any, *where: str) -> Any:
            return GradientReversal(strength if factor is None else factor)(x) if place in where else x

        def extractor(x: Any) -> Any:
            for nodes in (32, middle):
                x = layers.Dense(nodes, activation="relu")(x)
            return x

        given = keras.Input((inputs,))
        features = extractor(given)
        features = turned(features, "both heads")
        other = features if shared else extractor(given)
        label = layers.Dense(16, activation="relu")(turned(features, "label"))
        domain = layers.Dense(32, activation="relu")(turned(turned(other, "features", "twice"), "twice"))
        ends = [layers.Dense(wide, activation=last)(x) for x in (label, turned(domain, "hidden"))]
        ends[1] = turned(ends[1], "end")
        return keras.Model(given, dict(zip(names, ends, strict=True)))

    return build_adaptation


build_adaptation.hints = (
    "features = Dense(16, ...)(Dense(32, ...)(inputs)); both heads start from this tensor.",
    "layers.Dense(32, activation='relu')(GradientReversal(strength)(features)) is the beginning of the domain head.",
    "keras.Model(inputs, {'label': layers.Dense(1)(...), 'domain': layers.Dense(1)(...)}).",
)
build_adaptation.mistakes = {
    "no reversal": (_adaptation(place="nowhere"), "a reversed gradient between"),
    "before both heads": (_adaptation(place="both heads"), "no reversal on the way to the label"),
    "at the label": (_adaptation(place="label"), "and not to the label"),
    "behind the hidden layer": (_adaptation(place="hidden"), "3 dense layers before"),
    "at the end": (_adaptation(place="end"), "4 dense layers before"),
    "twice": (_adaptation(place="twice"), "two of them cancel"),
    "two extractors": (_adaptation(shared=False), "one extractor"),
    "sigmoid": (_adaptation(last="sigmoid"), "no activation at the outputs"),
    "strength fixed": (_adaptation(factor=2.5), "the factor `strength`"),
    "fewer features": (_adaptation(middle=8), "32 and 16 nodes"),
    "names": (_adaptation(names=("class", "domain")), "the keys"),
}

quiz(
    "M19.3-q1",
    question="In the simulation 50 % of the events are of class 1, in the data 10 %. What does gradient reversal do?",
    options=(
        "It weakens features that separate the classes, since through their frequency they tell the domains apart.",
        "Nothing harmful: the domain classifier does not see the labels.",
        "It adjusts the label predictor to the new frequency.",
        "It makes the domain classifier fail from the beginning.",
    ),
    answer=1,
    explanation="Equal distributions of the features are only right if the labels are distributed alike. Give the "
    "source events weights first.",
)
