"""Checks of chapter 13: shaping, planing, adversary, distance correlation, bootstrap and systematics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import rel_entr

from dlphys.checks import expect
from dlphys.checks.engine import Failure, bar, quiz, reference, task
from dlphys.simulators import toys

UNITS = np.array([100.0, 1, 1, 1, 1, 1, 1, 1], np.float32)  # GeV for the mass
EDGES = np.arange(0.6, 3.05, 0.1)
N_TRAIN, N_TEST, EPOCHS = 24_000, 20_000, 8
STRENGTH = 3.0  # of the reversed gradient in the check


def _table(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Fresh events of the table as the loader gives them: features, label."""
    table = toys.simulate_planing(n, seed=random)
    return table.x / UNITS, table.label.astype(np.float32)


def _divergence(before: np.ndarray, after: np.ndarray, base: float = 2.0) -> float:
    """Jensen-Shannon divergence of two histograms, by its definition."""
    p, q = before / before.sum(), after / after.sum()
    middle = (p + q) / 2
    return float((rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / (2 * np.log(base)))


def _contents(feature: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(edges, feature, side="right"), minlength=len(edges) + 1)


def _shaping_of(model: Any, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Accuracy of a classifier, and how it shapes the mass when a fifth of the background is kept."""
    score = np.asarray(model.predict(x), float)[:, 0]
    background = y == 0
    order = np.argsort(score[background])[-int(0.2 * background.sum()) :]
    mass = x[background, 0]
    shaped = _divergence(_contents(mass, EDGES), _contents(mass[order], EDGES))
    return float(np.mean((score > 0.5) == (y == 1))), shaped


# --- 13.1a ------------------------------------------------------------------------------------------------


@task("13.1a", section="13.4")
def correlations_by_class(student: Any, random: np.random.Generator) -> str:
    n, d = 400, 4
    label = (random.random(n) < 0.4).astype(float)
    mix = random.normal(size=(2, d, d))
    x = np.einsum("nd,nde->ne", random.normal(size=(n, d)), mix[label.astype(int)])
    x = x * [1.0, 10.0, 0.1, 3.0] + 2.0 * label[:, None] + 5.0
    answer = student(x, label)
    expect.is_tuple(answer, 2, name="the matrix of the signal, that of the background")
    for name, matrix in zip(("signal", "background"), answer, strict=True):
        expect.shape(matrix, (d, d), name=f"the matrix of the {name}")
        expect.finite(matrix, name=f"the matrix of the {name}")
    signal, background = (_pearson(x[label == value]) for value in (1, 0))
    expect.differs(answer[0], background, because="the signal (label 1) first, then the background")
    expect.differs(answer[0], _pearson(x), because="one matrix for each class: here both are mixed in one")
    expect.differs(
        answer[0],
        np.cov(x[label == 1].T),
        because="correlation coefficients without unit: covariances still have to be divided by both widths",
    )
    expect.close(
        np.diagonal(answer[0]), np.ones(d), rtol=1e-6, because="1 on the diagonal", rung="physics", name="the diagonal"
    )
    longer = student(1000.0 * x, label)
    expect.close(
        longer[1],
        answer[1],
        rtol=1e-5,
        atol=1e-9,
        because="no change when all features are given in other units",
        rung="physics",
    )
    expect.close(answer[0], signal, rtol=1e-5, atol=1e-8, because="Pearson's r", name="the matrix of the signal")
    expect.close(
        answer[1], background, rtol=1e-5, atol=1e-8, because="Pearson's r", name="the matrix of the background"
    )
    return "one matrix for each class"


def _pearson(x: np.ndarray) -> np.ndarray:
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    return np.asarray(z.T @ z / len(x))


def _ranked(x: np.ndarray, label: np.ndarray) -> Any:
    """Spearman's coefficients."""
    return tuple(_pearson(np.argsort(np.argsort(x[label == value], axis=0), axis=0)) for value in (1, 0))


correlations_by_class.hints = (
    "x[label == 1] are the rows of the signal.",
    "np.corrcoef takes a variable a row; with rowvar=False it takes a variable a column, as here.",
)
correlations_by_class.mistakes = {
    "background first": (lambda x, label: tuple(_pearson(x[label == v]) for v in (0, 1)), "the signal (label 1) first"),
    "classes mixed": (lambda x, label: (_pearson(x), _pearson(x)), "one matrix for each class"),
    "covariances": (lambda x, label: tuple(np.cov(x[label == v].T) for v in (1, 0)), "divided by both widths"),
    "rank correlation": (_ranked, "Pearson's r"),
    "events as variables": (
        lambda x, label: tuple(_pearson(x[label == v].T) for v in (1, 0)),
        "the matrix of the signal: an array of shape (4, 4)",
    ),
    "one matrix only": (lambda x, label: _pearson(x[label == 1]), "2 results"),
}

# --- 13.1b ------------------------------------------------------------------------------------------------


@task("13.1b", section="13.4")
def shaping(student: Any, random: np.random.Generator) -> str:
    edges = np.array([0.7, 0.9, 1.0, 1.2, 1.6])
    feature = random.exponential(0.5, 2000) + 0.5
    score = -np.abs(feature - 1.25) + 0.3 * random.normal(size=2000)
    kept = 0.25
    passed = score > np.quantile(score, 1 - kept)
    before, after = _contents(feature, edges), _contents(feature[passed], edges)
    answer = student(feature, score, kept, edges)
    expect.number(answer)
    right = _divergence(before, after)
    others = [
        (right**0.5, "the divergence: SciPy returns its square root"),
        (_divergence(before, after, np.e), "bit: the logarithm to the base 2"),
        (2 * right, "the two factors 1/2, without which the largest value is 2 bit"),
        (
            float(rel_entr(after / after.sum(), before / before.sum()).sum() / np.log(2)),
            "the symmetric divergence, with the mean of both histograms in the denominators, not that of Kullback "
            "and Leibler",
        ),
        (
            _divergence(before, _contents(feature[score > np.quantile(score, kept)], edges)),
            "the given share to be kept, not to be thrown away",
        ),
        (
            _divergence(before, _contents(feature[score < np.quantile(score, kept)], edges)),
            "the events with the highest score",
        ),
        (
            _divergence(_contents(feature[~passed], edges), after),
            "all events before the cut, not those that the cut rejects",
        ),
        (_divergence(before[1:-1], after[1:-1]), "all events: those below the first and above the last edge as well"),
    ]
    for wrong, because in others:
        expect.differs(answer, wrong, because=because, rtol=1e-3)
    expect.close(
        student(feature, 5.0 * score - 3.0, kept, edges),
        answer,
        rtol=1e-6,
        because="only the order of the scores counts: any threshold belongs to the share kept",
        rung="physics",
    )
    nothing = student(feature, score, 1.0, edges)
    expect.at_most(abs(nothing), 1e-3, because="no shaping where all events are kept", name="the divergence")
    two = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    expect.close(
        student(two, two + np.arange(8) / 100, 5 / 8, np.array([0.5])),
        _divergence(np.array([3, 5]), np.array([0, 5])),
        rtol=1e-6,
        because="histograms compared as shares of their own events, each normalised to 1",
    )
    expect.close(answer, right, rtol=0.01, because="the divergence of the two histograms in bit")
    return f"{right:.3f} bit for a peak cut out of an exponential"


def _shapes(
    *,
    power: float = 2.0,
    base: float = 2.0,
    away: bool = False,
    lowest: bool = False,
    rejected: bool = False,
    half: bool = False,
    inside: bool = False,
    fixed: bool = False,
) -> Callable[..., float]:
    """A wrong shaping()."""

    def shaping(feature: np.ndarray, score: np.ndarray, kept: float, edges: np.ndarray) -> float:
        limit = np.quantile(score, kept if away or lowest else 1 - kept)
        chosen = score < limit if lowest else score > limit
        if fixed:
            chosen = score > 0.0
        first = feature[~chosen] if rejected else feature
        before, after = (
            np.histogram(values, edges)[0] if inside else _contents(values, edges)
            for values in (first, feature[chosen])
        )
        answer = _divergence(before, after, base) ** (power / 2) if after.sum() else 0.0
        return 2 * answer if half else answer

    return shaping


def _kullback(feature: np.ndarray, score: np.ndarray, kept: float, edges: np.ndarray) -> float:
    before, after = (
        _contents(values, edges) / len(values)
        for values in (feature, feature[np.argsort(-score)[: round(kept * len(score))]])
    )
    return float(rel_entr(after, before).sum() / np.log(2))


shaping.hints = (
    "The threshold is np.quantile(score, 1 - kept); events above it pass.",
    "np.bincount(np.digitize(feature, edges), minlength=len(edges) + 1) is the histogram with its two open bins.",
    "jensenshannon(before, after, base=2) normalises both and returns the square root: square it.",
)
shaping.mistakes = {
    "distance for divergence": (_shapes(power=1.0), "SciPy returns its square root"),
    "nat": (_shapes(base=np.e), "base 2"),
    "no factors": (_shapes(half=True), "the largest value is 2 bit"),
    "keeps the rest": (_shapes(away=True), "not to be thrown away"),
    "keeps the lowest": (_shapes(lowest=True), "with the highest score"),
    "against the rejected": (_shapes(rejected=True), "not those that the cut rejects"),
    "without the open bins": (_shapes(inside=True), "above the last edge as well"),
    "Kullback and Leibler": (_kullback, "the symmetric divergence"),
    "a fixed threshold": (_shapes(fixed=True), "only the order of the scores"),
}

# --- 13.1c ------------------------------------------------------------------------------------------------


def _trained_classifier(train: Any, x: np.ndarray, y: np.ndarray) -> Any:
    return train(x, y, np.ones(len(y)), EPOCHS)


@task("13.1c", section="13.4")
def train_classifier(student: Any, random: np.random.Generator) -> str:
    x, y = _table(N_TRAIN + N_TEST, random)
    model = _trained_classifier(student, x[:N_TRAIN], y[:N_TRAIN])
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(4, 8), is_=(4, 1))
    expect.activation(model, is_="sigmoid", because="a probability at the output: one sigmoid")
    expect.loss(model, "binary_crossentropy", because="the binary cross-entropy, the loss for one probability")
    score = np.asarray(model.predict(x[N_TRAIN:]), float)[:, 0]
    truth = y[N_TRAIN:]
    apart = float(score[truth == 1].mean() - score[truth == 0].mean())
    expect.at_least(
        apart, -0.1, because="1 for signal: are the labels upside down?", name="the difference of the means"
    )
    expect.at_least(
        apart, 0.3, because="outputs that tell the classes apart: has fit() been called?", name="the difference"
    )
    # a table of two columns of which only the weights tell the class: events of weight zero must not count
    short = random.normal(size=(6000, 2)).astype(np.float32)
    label = (short[:, 0] > 0).astype(np.float32)
    hidden = random.random(6000) < 0.5
    other = student(short, np.where(hidden, 1 - label, label), np.where(hidden, 0.0, 2.0), 3)
    expect.output_shape(other, given=(4, 2), is_=(4, 1))
    found = np.asarray(other.predict(short), float)[:, 0] > 0.5
    expect.at_least(
        float(np.mean(found == label)),
        0.8,
        because="events of weight 0 without influence: are the weights given to fit()?",
        name="the accuracy on the weighted events",
    )
    reached = float(np.mean((score > 0.5) == truth))
    limit = 0.8639  # of toys.planing_log_ratio, 4 million events: +- 0.0002
    expect.at_most(
        reached,
        limit + 4 * np.sqrt(limit * (1 - limit) / N_TEST),
        because="not above the limit by four standard errors: were these events seen in the training?",
        name="the accuracy",
    )
    expect.reaches("13.1c", reached, name=f"the accuracy on {N_TEST} new events")
    return f"{reached:.1%} of {N_TEST} new events are classified correctly, the limit is {limit:.1%}"


@bar("13.1c", better="higher", unit="", source="simulated")
def measure_accuracy(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    x, y = _table(N_TRAIN + N_TEST, np.random.default_rng(seed))
    model = _trained_classifier(reference("13.1c"), x[:N_TRAIN], y[:N_TRAIN])
    score = model.predict(x[N_TRAIN:], batch_size=10_000, verbose=0)[:, 0]
    return float(np.mean((score > 0.5) == y[N_TRAIN:]))


def _trains(
    *,
    loss: str = "binary_crossentropy",
    last: str | None = "sigmoid",
    weighted: bool = True,
    upside_down: bool = False,
    fitted: bool = True,
    history: bool = False,
    hidden: int = 16,
) -> Callable[..., Any]:
    """A train_classifier() that does something else."""

    def train_classifier(x: Any, y: Any, weights: Any, epochs: int) -> Any:
        import keras
        from keras import layers

        body = [layers.Dense(hidden, activation="relu")] if hidden else []
        model = keras.Sequential([keras.Input((x.shape[1],)), *body, layers.Dense(1, activation=last)])
        model.compile(keras.optimizers.Adam(0.01), loss, steps_per_execution=10)
        target = 1 - y if upside_down else y
        some = {"sample_weight": weights} if weighted else {}
        record = model.fit(x, target, batch_size=256, epochs=2, verbose=0, **some) if fitted else None
        return record if history else model

    return train_classifier


train_classifier.hints = (
    "keras.Input((x.shape[1],)) takes a table of any width; two Dense(32, activation='elu') follow, and "
    "Dense(1, activation='sigmoid').",
    "CosineDecay(0.02, steps) with steps = epochs times the number of batches, -(-len(x) // 256).",
    "model.fit takes x, y, batch_size, epochs and sample_weight=weights; then return model.",
)
train_classifier.mistakes = {
    "returns the history": (_trains(history=True, fitted=False), "not its history"),
    "no sigmoid": (_trains(last=None, loss="mse", fitted=False), "one sigmoid"),
    "mean squared error": (_trains(loss="mse", fitted=False), "the loss for one probability"),
    "not fitted": (_trains(fitted=False), "has fit() been called"),
    "labels upside down": (_trains(upside_down=True), "upside down"),
    "weights not used": (_trains(weighted=False), "are the weights given to fit()"),
    "no hidden layer": (_trains(hidden=0), "99 of 100 runs"),
}

# --- 13.1d ------------------------------------------------------------------------------------------------


@task("13.1d", section="13.2")
def flattening_weights(student: Any, random: np.random.Generator) -> str:
    edges = np.array([0.7, 0.9, 1.1, 1.4])
    label = (random.random(900) < 0.3).astype(float)
    feature = np.where(label == 1, random.normal(1.1, 0.25, 900), random.exponential(0.5, 900) + 0.5)
    answer = student(feature, label, edges)
    expect.shape(answer, (900,), name="the weights")
    expect.finite(answer, name="the weights")
    expect.holds(np.asarray(answer) > 0, because="weights above zero", seen=f"the smallest is {np.min(answer):.3g}")
    right = _flat(feature, label, edges)
    expect.differs(
        answer,
        _flat(feature, 0 * label, edges),
        because="each class flat by itself: here the mixture of both is",
        rtol=1e-3,
    )
    expect.differs(
        answer,
        1 / right / np.mean(1 / right),
        because="more weight where there are few events, 1 / bin content",
        rtol=1e-3,
    )
    sums = np.array(
        [np.bincount(np.digitize(feature[label == c], edges), answer[label == c], minlength=5) for c in (0, 1)]
    )
    even = sums / sums.sum(axis=1, keepdims=True)
    seen = f"shares of the weight in the bins of the background: {', '.join(f'{s:.3f}' for s in even[0])}"
    expect.close(
        even,
        np.full((2, 5), 0.2),
        rtol=1e-6,
        because=f"the same sum of weights in every bin, in both classes; {seen}",
        rung="physics",
        name="the shares",
    )
    totals, members = sums.sum(axis=1), np.array([np.sum(label == c) for c in (0, 1)])
    expect.close(
        totals / members,
        np.ones(2),
        rtol=1e-6,
        because="weights of a class that add up to the number of its events: so a mean weight is 1, and the balance of "
        "the classes stays",
        rung="physics",
        name="the mean weights of background and signal",
    )
    empty = student(feature, label, np.array([-5.0, 0.7, 0.9, 1.1, 1.4, 50.0]))
    expect.finite(empty, name="the weights where a bin has no event")
    expect.close(
        empty,
        right,
        rtol=1e-6,
        because="a bin without events takes no share of the weight from the others",
        rung="physics",
        name="the weights with two empty bins more",
    )
    expect.close(answer, right, rtol=1e-6, because="1 / bin content, normalised", name="the weights")
    return "flat in both classes, and a mean weight of 1 in each"


def _flat(feature: np.ndarray, label: np.ndarray, edges: np.ndarray) -> np.ndarray:
    weights = np.zeros(len(feature))
    for value in np.unique(label):
        mine = label == value
        content = _contents(feature[mine], edges)
        bins = np.searchsorted(edges, feature[mine], side="right")
        weights[mine] = mine.sum() / (content > 0).sum() / content[bins]
    return weights


def _wrong_weights(change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., Any]:
    """Weights with something done to them: ``change(weights, label)``."""

    def flattening_weights(feature: np.ndarray, label: np.ndarray, edges: np.ndarray) -> np.ndarray:
        return change(_flat(feature, label, edges), label)

    return flattening_weights


def _like_signal(feature: np.ndarray, label: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The background takes the shape of the signal, the signal stays as it is."""
    target, mine = _contents(feature[label == 1], edges), _contents(feature[label == 0], edges)
    weights = np.ones(feature.shape)
    bins = np.digitize(feature[label == 0], edges)
    weights[label == 0] = (target / target.sum() / (mine / mine.sum()))[bins]
    return weights


def _all_bins_share(feature: np.ndarray, label: np.ndarray, edges: np.ndarray) -> np.ndarray:
    weights = np.empty(len(feature))
    for value in (0, 1):
        mine = label == value
        content = _contents(feature[mine], edges)
        weights[mine] = mine.sum() / len(content) / content[np.digitize(feature[mine], edges)]
    return weights


flattening_weights.hints = (
    "Treat one class at a time: members = label == 0, then label == 1.",
    "content = np.bincount(number[members], minlength=len(edges) + 1) counts its events in each bin; "
    "content[number[members]] is the content of the bin of each event.",
    "The sum of a class, members.sum(), is shared by the bins that hold events: np.count_nonzero(content).",
)
flattening_weights.mistakes = {
    "the mixture made flat": (
        lambda feature, label, edges: _flat(feature, np.zeros(len(label)), edges),
        "here the mixture of both is",
    ),
    "content for 1 / content": (
        _wrong_weights(lambda w, label: (1 / w) / np.mean(1 / w)),
        "more weight where there are few events",
    ),
    "not normalised": (_wrong_weights(lambda w, label: w / len(w)), "a mean weight is 1"),
    "both classes the same sum": (
        _wrong_weights(lambda w, label: w * np.where(label == 1, 0.5 / label.mean(), 0.5 / (1 - label.mean()))),
        "the balance of the classes stays",
    ),
    "background like signal": (_like_signal, "the same sum of weights in every bin"),
    "empty bins counted": (_all_bins_share, "takes no share of the weight"),
    "weights for the background only": (
        _wrong_weights(lambda w, label: np.where(label == 0, w, 0.0)),
        "weights above zero",
    ),
}

# --- M13.2a -----------------------------------------------------------------------------------------------


@task("M13.2a", section="13.2")
def gradient_reversal(student: Any, random: np.random.Generator) -> str:
    x = random.normal(size=(5, 3)).astype(np.float32)
    for strength in (2.5, 0.4, 0.0):
        layer = student(strength)
        answer = layer(x)
        expect.shape(answer, (5, 3), name="the output")
        expect.finite(answer, name="the output")
        expect.differs(
            answer, -strength * x, because="forwards the input itself: only the gradient is turned", rtol=1e-3
        )
        expect.close(
            answer,
            x,
            rtol=1e-4,
            atol=1e-5,
            because="forwards the input itself, for every strength",
            rung="physics",
            name="the output",
        )
        slope = layer.slope(x)
        expect.shape(slope, (5, 3), name="the slope")
        others = [
            (2 * x, "a gradient that is turned: here it passes as through no layer at all"),
            (2 * strength * x, "the opposite sign: here the gradient is scaled and not turned"),
            (0 * x, "a gradient times -strength: here none comes through"),
            (-2 * x, "the strength in the gradient: here it is -1 for any strength"),
        ]
        if strength:
            for wrong, because in others:
                expect.differs(slope, wrong, because=because, rtol=1e-3, atol=1e-6)
        expect.close(
            slope, -2 * strength * x, rtol=1e-4, atol=1e-5, because="the gradient times -strength", name="the slope"
        )
    return "forwards nothing happens, backwards the gradient is turned"


def _reversal(combine: Callable[[Any, Any, float], Any]) -> Any:
    """A GradientReversal layer whose output is combine(x, stopped x, strength)."""

    class GradientReversal:
        def __init__(self, strength: float) -> None:
            self.strength = strength

        def __call__(self, x: Any) -> Any:
            from keras import ops

            value = ops.convert_to_tensor(x, dtype="float32")
            return combine(value, ops.stop_gradient(value), self.strength)

        def slope(self, x: Any) -> Any:
            from keras import ops

            from dlphys import autodiff

            start = ops.convert_to_tensor(x, dtype="float32")
            return autodiff.gradient(lambda value: ops.sum(self(value) ** 2) + 0.0 * ops.sum(value), start)

    return GradientReversal


gradient_reversal.hints = (
    "The value of a * x + b * stop_gradient(x) is (a + b) x, its derivative is a.",
    "The value must be x: a + b = 1. The derivative must be -strength.",
)
gradient_reversal.mistakes = {
    "turns the value": (_reversal(lambda x, stopped, s: -s * x), "only the gradient is turned"),
    "hands on": (_reversal(lambda x, stopped, s: x + 0 * stopped), "as through no layer at all"),
    "stops": (_reversal(lambda x, stopped, s: stopped), "here none comes through"),
    "scales": (_reversal(lambda x, stopped, s: (1 - s) * stopped + s * x), "scaled and not turned"),
    "no strength": (_reversal(lambda x, stopped, s: 2 * stopped - x), "it is -1 for any strength"),
    "one plus strength": (_reversal(lambda x, stopped, s: stopped - s * x), "forwards the input itself, for every"),
}

# --- M13.2b -----------------------------------------------------------------------------------------------


def _opposed(train: Any, x: np.ndarray, y: np.ndarray) -> Any:
    borders = np.quantile(x[y == 0, 0], np.linspace(0, 1, 11)[1:-1])
    return train(x, y, np.searchsorted(borders, x[:, 0], side="right"), STRENGTH, EPOCHS)


@task("M13.2b", section="13.2")
def train_adversarial(student: Any, random: np.random.Generator) -> str:
    x, y = _table(N_TRAIN + N_TEST, random)
    model = _opposed(student, x[:N_TRAIN], y[:N_TRAIN])
    expect.is_model(model, name="the answer (the classifier)")
    answer = model.predict(x[N_TRAIN : N_TRAIN + 4])
    if isinstance(answer, dict | list | tuple):
        raise Failure("shape", "the classifier alone: a model with one output", f"{len(answer)} outputs")
    expect.output_shape(model, given=(4, 8), is_=(4, 1))
    score = np.asarray(model.predict(x[N_TRAIN:]), float)[:, 0]
    expect.holds(
        (score >= 0) & (score <= 1),
        because="a probability: the output behind the sigmoid, not the logit",
        seen=f"outputs from {score.min():.2f} to {score.max():.2f}",
        rung="known mistake",
    )
    accuracy, shaped = _shaping_of(model, x[N_TRAIN:], y[N_TRAIN:])
    expect.at_least(
        accuracy,
        0.65,
        because="a classifier that still classifies: a reversed gradient of its own loss, or no fit(), would not",
        name="the accuracy",
    )
    expect.at_most(
        shaped,
        0.12,
        because="much less shaping than without an adversary (0.32 bit): does its gradient arrive, with the opposite "
        "sign?",
        name="the shaping when 20 % of the background is kept",
    )
    expect.reaches("M13.2b", shaped, name="the shaping when 20 % of the background is kept")
    return f"{accuracy:.1%} right, and a shaping of {shaped:.3f} bit (0.32 without an adversary)"


@bar("M13.2b", better="lower", unit="bit", source="simulated")
def measure_adversary(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    x, y = _table(N_TRAIN + N_TEST, np.random.default_rng(seed))
    model = _opposed(reference("M13.2b"), x[:N_TRAIN], y[:N_TRAIN])
    background = x[N_TRAIN:][y[N_TRAIN:] == 0]
    score = model.predict(background, batch_size=10_000, verbose=0)[:, 0]
    last = np.argsort(score)[-int(0.2 * len(score)) :]
    return _divergence(_contents(background[:, 0], EDGES), _contents(background[last, 0], EDGES))


def _adversarial(*, mode: str = "ignored", parts: bool = False, logit: bool = False) -> Callable[..., Any]:
    """A train_adversarial() that is too simple: what it really does is called ``mode``."""

    def train_adversarial(x: Any, y: Any, interval: Any, strength: float, epochs: int) -> Any:
        import keras
        from keras import layers

        given = keras.Input(x.shape[1:])
        value = layers.Dense(1)(layers.Dense(16, activation="relu")(given))
        signal = layers.Activation("sigmoid")(value)
        model = keras.Model(given, signal)
        model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", steps_per_execution=10)
        if mode != "untrained":
            use = np.ones(len(y)) if mode == "ignored" else np.where(y == 0, 1.0 + interval, 10.0)
            model.fit(x, y, batch_size=512, epochs=2, verbose=0, sample_weight=use)
        if parts:
            return keras.Model(given, {"signal": signal, "interval": value})
        return keras.Model(given, value if logit else signal)

    return train_adversarial


train_adversarial.hints = (
    "Keep the tensors: inputs, logit, signal = layers.Activation('sigmoid')(logit), guess = GradientReversal(strength)"
    "(logit), then dense layers on guess.",
    "compile(optimizer, {'signal': 'binary_crossentropy', 'interval': 'sparse_categorical_crossentropy'}): the "
    "reversed gradient makes one loss out of the two players.",
    "fit(x, {'signal': y, 'interval': interval}, sample_weight={'signal': np.ones(len(y)), 'interval': 2.0 * (y == "
    "0)}, ...); return keras.Model(inputs, signal).",
)
train_adversarial.mistakes = {
    "no adversary": (_adversarial(), "much less shaping than without an adversary"),
    "not fitted": (_adversarial(mode="untrained"), "still classifies"),
    "both outputs": (_adversarial(mode="untrained", parts=True), "the classifier alone"),
    "the logit": (_adversarial(logit=True), "behind the sigmoid"),
}

# --- M13.3a -----------------------------------------------------------------------------------------------


def _covariance(x: np.ndarray, y: np.ndarray) -> float:
    """Squared distance covariance by its three mean values, not by centring."""
    a, b = (np.abs(np.subtract.outer(v, v)) for v in (x, y))
    return float(np.mean(a * b) + a.mean() * b.mean() - 2 * np.mean(a.mean(axis=0) * b.mean(axis=0)))


def _distance_correlation(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.sqrt(_covariance(x, y) / np.sqrt(_covariance(x, x) * _covariance(y, y))))


@task("M13.3a", section="13.2")
def distance_correlation(student: Any, random: np.random.Generator) -> str:
    x = random.normal(size=120)
    y = x**2 + 0.5 * x + 0.5 * random.normal(size=120)
    answer = student(x, y)
    expect.number(answer)
    right = _distance_correlation(x, y)
    a, b = (np.abs(np.subtract.outer(v, v)) for v in (x, y))
    others = [
        (right**2, "R itself, the square root"),
        (np.sqrt(right), "the square root once: R^2 is the fraction, R its root"),
        (np.sqrt(_covariance(x, y)), "the distance covariance divided by the widths of both quantities"),
        (abs(np.corrcoef(x, y)[0, 1]), "distances in place of differences from the mean: this is Pearson's"),
        (np.corrcoef(x, y)[0, 1], "distances in place of differences from the mean: this is Pearson's"),
        (
            np.sqrt(np.mean(a * b) / np.sqrt(np.mean(a**2) * np.mean(b**2))),
            "the means of rows and columns subtracted: distances alone are always correlated",
        ),
        (
            np.corrcoef(a.ravel(), b.ravel())[0, 1] ** 0.5,
            "the means of the rows and of the columns, not only that of all distances",
        ),
    ]
    for wrong, because in others:
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    expect.close(student(x, 3.0 - 2.0 * x), 1.0, rtol=1e-6, because="1 for a straight line that falls", rung="physics")
    expect.close(
        student(5.0 * x + 1.0, y), answer, rtol=1e-6, because="no change with another unit or zero", rung="physics"
    )
    expect.close(student(y, x), answer, rtol=1e-6, because="the same with x and y exchanged", rung="physics")
    order = random.permutation(120)
    expect.close(
        student(x[order], y[order]), answer, rtol=1e-6, because="no change with the order of the events", rung="physics"
    )
    expect.close(answer, right, rtol=1e-5, because="R by its definition")
    return "1 for straight lines, and more than 0 for a parabola"


def _row_means_only(x: np.ndarray, y: np.ndarray) -> float:
    parts = []
    for v in (x, y):
        a = np.abs(np.subtract.outer(v, v))
        parts.append(a - a.mean(axis=1, keepdims=True))
    return float(np.sqrt(np.mean(parts[0] * parts[1]) / np.sqrt(np.mean(parts[0] ** 2) * np.mean(parts[1] ** 2))))


def _not_centred(x: np.ndarray, y: np.ndarray) -> float:
    a, b = (np.abs(np.subtract.outer(v, v)) for v in (x, y))
    return float(np.sqrt(np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b))))


distance_correlation.hints = (
    "values[:, None] - values[None, :] has all n x n differences.",
    "distance.mean(axis=0) are the means of the columns, distance.mean(axis=1)[:, None] those of the rows.",
    "dCov^2 is the mean of the product of both centred matrices; R^2 divides it by the root of the product of those "
    "of x with x and y with y.",
)
distance_correlation.mistakes = {
    "squared": (lambda x, y: _distance_correlation(x, y) ** 2, "R itself, the square root"),
    "root twice": (lambda x, y: _distance_correlation(x, y) ** 0.5, "the square root once"),
    "covariance": (lambda x, y: _covariance(x, y) ** 0.5, "divided by the widths"),
    "Pearson": (lambda x, y: np.corrcoef(x, y)[0, 1], "this is Pearson's"),
    "not centred": (_not_centred, "distances alone are always correlated"),
    "rows only": (_row_means_only, "R by its definition"),
    "a matrix": (lambda x, y: np.abs(np.subtract.outer(x, y)), "one number"),
}

# --- M13.3b -----------------------------------------------------------------------------------------------


def _entropy(label: np.ndarray, p: np.ndarray) -> float:
    return float(-np.mean(label * np.log(p) + (1 - label) * np.log(1 - p)))


@task("M13.3b", section="13.2")
def loss_with_penalty(student: Any, random: np.random.Generator) -> str:
    n = 80
    label = (random.random(n) < 0.4).astype(np.float32)
    mass = (0.5 + random.exponential(0.6, n)).astype(np.float32)
    p = (0.1 + 0.8 / (1 + np.exp(-3 * (mass - 1) + random.normal(size=n)))).astype(np.float32)
    truth, output, background = np.column_stack([label, mass]), p[:, np.newaxis], label == 0
    plain = _entropy(label, p)
    squared = _distance_correlation(p[background].astype(float), mass[background].astype(float)) ** 2
    loss = student(2.0)
    expect.holds(
        callable(loss), because="a function (return loss, without calling it)", seen="no function", rung="shape"
    )
    answer = loss(truth, output)
    expect.number(answer, name="the loss")
    answer = float(answer)
    everything = _distance_correlation(p.astype(float), mass.astype(float)) ** 2
    others = [
        (plain, "a penalty on top of the cross-entropy"),
        (2 * squared, "the cross-entropy as well, on which the penalty is put"),
        (plain - 2 * squared, "the penalty added: the loss is made small, and the dependence with it"),
        (plain + 2 * squared**0.5, "the squared distance correlation, R^2"),
        (plain + squared, "the penalty times the strength"),
        (plain + 2 * everything, "the background only: signal may depend on the mass"),
        (_entropy(label[background], p[background]) + 2 * squared, "the cross-entropy of all events, signal as well"),
    ]
    for wrong, because in others:
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    expect.close(
        float(student(0.0)(truth, output)),
        plain,
        rtol=1e-4,
        because="the plain cross-entropy for a strength of zero",
        rung="physics",
        name="the loss",
    )
    signal_moved = truth.copy()
    signal_moved[~background, 1] += 1.0
    expect.close(
        float(loss(signal_moved, output)),
        answer,
        rtol=1e-4,
        because="no change when the masses of the signal change",
        rung="physics",
        name="the loss",
    )
    expect.close(
        answer,
        plain + 2 * squared,
        rtol=2e-3,
        because="means over the background: sums divided by the number of its events, not by the size of the batch",
        name="the loss",
    )
    return "cross-entropy plus the distance correlation of the background"


def _penalised(
    *, entropy: float = 1.0, sign: float = 1.0, power: float = 2.0, everybody: bool = False, called: bool = False
) -> Callable[[float], Any]:
    """A wrong loss_with_penalty(), in NumPy: only its value matters here."""

    def loss_with_penalty(strength: float) -> Any:
        def loss(truth: np.ndarray, probability: np.ndarray) -> float:
            label, mass, p = truth[:, 0], truth[:, 1].astype(float), probability[:, 0].astype(float)
            use = label >= 0 if everybody else label == 0
            penalty = _distance_correlation(p[use], mass[use]) ** power
            return entropy * _entropy(label, p) + sign * strength * penalty

        return 0.5 if called else loss

    return loss_with_penalty


def _batch_means(strength: float) -> Any:
    """Signal set to zero and not taken out of the means."""

    def loss(truth: np.ndarray, probability: np.ndarray) -> float:
        label, mass, p = truth[:, 0], truth[:, 1].astype(float), probability[:, 0].astype(float)
        pairs = np.outer(1 - label, 1 - label)
        parts = []
        for v in (p, mass):
            a = np.abs(np.subtract.outer(v, v)) * pairs
            parts.append((a - a.mean(axis=0) - a.mean(axis=1)[:, np.newaxis] + a.mean()) * pairs)
        share = np.mean(parts[0] * parts[1]) / np.sqrt(np.mean(parts[0] ** 2) * np.mean(parts[1] ** 2))
        return _entropy(label, p) + strength * float(share)

    return loss


loss_with_penalty.hints = (
    "def loss(truth, probability): inside the function, and return loss at the end. label = truth[:, :1] keeps the "
    "shape (n, 1).",
    "values - ops.transpose(values) has all differences of a column (n, 1). Multiply the distances with pairs = chosen "
    "* ops.transpose(chosen) before the sums, and again after the means have been subtracted.",
    "Means of rows: ops.sum(distance, axis=1, keepdims=True) / ops.sum(chosen). The cross-entropy is "
    "ops.mean(keras.losses.binary_crossentropy(label, probability)).",
)
loss_with_penalty.mistakes = {
    "no cross-entropy": (_penalised(entropy=0.0), "the cross-entropy as well"),
    "subtracted": (_penalised(sign=-1.0), "the penalty added"),
    "not squared": (_penalised(power=1.0), "the squared distance correlation"),
    "strength left out": (lambda strength: _penalised()(1.0), "the penalty times the strength"),
    "all events": (_penalised(everybody=True), "signal may depend on the mass"),
    "no penalty": (lambda strength: _penalised()(0.0), "a penalty on top"),
    "means over the batch": (_batch_means, "not by the size of the batch"),
    "no function": (_penalised(called=True), "without calling it"),
}

# --- M13.5a -----------------------------------------------------------------------------------------------


@task("M13.5a", section="13.1")
def bootstrap_rows(student: Any, random: np.random.Generator) -> str:
    n, replicas, seed = 500, 40, int(random.integers(10_000))
    rows = student(n, replicas, seed)
    if getattr(rows, "shape", None) == (n, replicas) and n != replicas:
        raise Failure("shape", "one replica a row: (replicas, n)", f"shape {rows.shape}")
    expect.shape(rows, (replicas, n), name="the numbers")
    expect.holds(rows.dtype.kind in "iu", because="whole numbers, to be used as indices", seen=f"{rows.dtype}")
    expect.holds(
        (rows >= 0) & (rows < n), because=f"numbers of events, from 0 to {n - 1}", seen=f"{rows.min()} to {rows.max()}"
    )
    different = np.array([len(np.unique(row)) for row in rows]) / n
    expect.holds(
        different.max() < 1,
        because="drawing with replacement: here every event occurs once in each replica, and nothing scatters",
        seen="all numbers of a replica are different",
        rung="known mistake",
    )
    expect.holds(
        np.any(rows[1:] != rows[0]),
        because="another replica each time",
        seen="all replicas are the same",
        rung="known mistake",
    )
    expect.equal(
        student(n, replicas, seed),
        rows,
        because="the same replicas for the same seed",
        name="the second call",
        rung="known mistake",
    )
    expect.holds(
        np.any(student(n, replicas, seed + 1) != rows),
        because="other replicas for another seed",
        seen="the same replicas",
        rung="known mistake",
    )
    expect.holds(
        abs(different.mean() - (1 - np.exp(-1))) < 0.02,
        because="a share 1 - 1/e = 63.2 % of the events in a replica, each drawn with the same probability",
        seen=f"{different.mean():.1%} on average",
    )
    counts = np.bincount(student(20, 2000, seed).ravel(), minlength=20)
    expect.holds(
        np.abs(counts - 2000) < 5 * np.sqrt(2000),
        because="each event drawn equally often in the long run, the last one as well",
        seen=f"from {counts.min()} to {counts.max()} times in 2000 replicas of 20 events",
    )
    return "63 % of the events occur in a replica, some of them several times"


def _drawn(kind: str) -> Callable[[int, int, int], Any]:
    """A wrong bootstrap_rows()."""

    def bootstrap_rows(n: int, replicas: int, seed: int) -> Any:
        draw = np.random.default_rng(None if kind == "no seed" else 7 if kind == "fixed seed" else seed)
        match kind:
            case "permutation":
                return np.argsort(draw.random((replicas, n)), axis=1)
            case "one replica":
                return np.tile(draw.integers(0, n, n), (replicas, 1))
            case "half":
                return draw.integers(0, n // 2, (replicas, n))
            case "never the last":
                return draw.integers(0, n - 1, (replicas, n))
            case "one too many":
                return draw.integers(0, n, (replicas, n), endpoint=True)
            case "turned":
                return draw.integers(0, n, (n, replicas))
            case _:
                return draw.integers(0, n, (replicas, n))

    return bootstrap_rows


bootstrap_rows.hints = (
    "np.random.default_rng(seed) makes a generator; its method integers(n, size=...) draws from 0 to n - 1.",
    "size=(replicas, n): all replicas in one call.",
)
bootstrap_rows.mistakes = {
    "without replacement": (_drawn("permutation"), "drawing with replacement"),
    "all the same": (_drawn("one replica"), "another replica each time"),
    "seed not used": (_drawn("no seed"), "the same replicas for the same seed"),
    "a seed of its own": (_drawn("fixed seed"), "other replicas for another seed"),
    "half the events": (_drawn("half"), "63.2 %"),
    "never the last": (_drawn("never the last"), "the last one as well"),
    "one too many": (_drawn("one too many"), "numbers of events, from 0"),
    "turned": (_drawn("turned"), "one replica a row"),
}

# --- M13.5b -----------------------------------------------------------------------------------------------


@task("M13.5b", section="13.1")
def signal_share(student: Any, random: np.random.Generator) -> str:
    signal, background = random.beta(4, 2, 500), random.beta(2, 5, 800)
    data = np.concatenate([random.beta(4, 2, 60), random.beta(2, 5, 240)])
    cut = 0.45
    answer = student(data, signal, background, cut)
    expect.number(answer)
    passes, of_signal, of_background = ((v > cut).mean() for v in (data, signal, background))
    right = (passes - of_background) / (of_signal - of_background)
    others = [
        (passes, "background that passes taken into account, and signal that does not"),
        (passes / of_signal, "background that passes subtracted"),
        (passes - of_background, "what is left divided by the difference of the two efficiencies"),
        ((passes - of_background) / of_signal, "background that the signal replaces: divide by the difference"),
        (1 - right, "the share of signal, not that of background"),
    ]
    for wrong, because in others:
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    for scores, share, what in ((signal, 1.0, "nothing but signal"), (background, 0.0, "nothing but background")):
        expect.close(
            student(scores, signal, background, cut),
            share,
            atol=1e-9,
            because=f"{share:g} for data that are {what}",
            rung="physics",
            name="the share",
        )
    low = np.full(10, 0.1)
    expect.at_most(
        student(low, signal, background, cut),
        -1e-3,
        because="a negative share where fewer events pass than of background alone: not cut off at zero",
        name="the share",
    )
    many = student(np.stack([signal[:100], background[:100]]), signal, background, cut)
    expect.shape(many, (2,), name="the shares of two data sets at once")
    expect.close(answer, right, rtol=1e-6, because="the solution of the equation for f")
    expect.close(many[1], student(background[:100], signal, background, cut), because="each data set by itself")
    return f"a share of {right:.3f} in 300 events of which a fifth is signal"


def _share(kind: str) -> Callable[..., Any]:
    """A wrong signal_share()."""

    def signal_share(data_score: Any, signal_score: Any, background_score: Any, threshold: float) -> Any:
        data = (data_score > threshold).mean(axis=None if kind == "all at once" else -1)
        signal, background = np.mean(signal_score > threshold), np.mean(background_score > threshold)
        share = (data - background) / (signal - background)
        wrong = {
            "passing": data,
            "no background": data / signal,
            "not divided": data - background,
            "by the signal": (data - background) / signal,
            "background": 1 - share,
            "clipped": np.clip(share, 0, 1),
            "absolute": np.abs(share),
        }
        return wrong.get(kind, share)

    return signal_share


signal_share.hints = (
    "np.mean(score > threshold) is the share that passes; with axis=-1 that of each data set.",
    "Bring the equation to f times the difference of the efficiencies, then divide.",
)
signal_share.mistakes = {
    "what passes": (_share("passing"), "and signal that does not"),
    "background not subtracted": (_share("no background"), "background that passes subtracted"),
    "not divided": (_share("not divided"), "the difference of the two efficiencies"),
    "divided by the signal": (_share("by the signal"), "background that the signal replaces"),
    "share of background": (_share("background"), "not that of background"),
    "cut off": (_share("clipped"), "not cut off at zero"),
    "all data sets in one": (_share("all at once"), "two data sets at once"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "13.1-q1",
    question="The network without feature 0 still makes a peak. Where does it get the mass from?",
    options=(
        "From the labels, which are correlated with the mass.",
        "From features 1 to 3, which know the mass and the class: signal-like values of them belong to certain masses.",
        "From feature 4, which knows the mass best of those left.",
        "From the order of the events in the table.",
    ),
    answer=2,
    explanation="Together the features 1 to 4 tell the mass of an event to about a third of its spread (in normal "
    "scores), which is enough to find the region of the peak.",
)
quiz(
    "13.1-q2",
    question="Why is the mass kept as an input in part 4, if the output must not depend on it?",
    options=(
        "Because a network needs all features to converge.",
        "It makes no difference: its weights become zero.",
        "With the mass known, what the mass does to features 1 to 3 can be subtracted; without it, it cannot.",
        "Because the weights of the planing are only right for a network that sees the mass.",
    ),
    answer=3,
    explanation="The best classifier at given mass uses x_j minus what is expected at this mass. The output does not "
    "depend on the mass in the background, although every one of its inputs does.",
)
quiz(
    "13.1-q3",
    question="Which of the three classifiers is hurt most by a wrong mass scale in the data?",
    options=(
        "The one with all features: it uses the mass most.",
        "The planed one: it subtracts what it expects at the measured mass, and at a wrong mass it subtracts the wrong "
        "amount.",
        "The one without feature 0, which cannot see that the mass is wrong.",
        "All of them equally, since the same events are measured.",
    ),
    answer=2,
    explanation="To shape nothing and to be insensitive are different wishes. Training with varied scales, or an "
    "adversary on the scale, would address the second.",
)
quiz(
    "13.2-q1",
    question="The penalty of the distance correlation is multiplied by a thousand. What does the network learn?",
    options=(
        "A nearly constant output, or one of features 5 to 7 only: independent of the mass, and little else.",
        "The likelihood ratio at given mass, which is independent of the mass.",
        "The same as with one: only the ratio of gradients counts.",
        "To classify the signal only.",
    ),
    answer=1,
    explanation="The first is the cheap way to independence, the second the good one: it needs the cross-entropy to "
    "say something too. With strengths too large the accuracy falls below that of the flat likelihood ratio.",
)
