"""Checks of chapter 20: an autoencoder as a detector of anomalies, and histograms compared bin by bin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.checks.proxy import StudentError

SIDE = 28  # pixels


def _clouds(n: int, random: np.random.Generator) -> np.ndarray:
    """Images of one round cloud each, anywhere near the middle, of any width and brightness; (n, 28, 28, 1)."""
    i, j = np.mgrid[:SIDE, :SIDE]
    row, column = random.uniform(10, 18, (2, n, 1, 1))
    width, peak = random.uniform(2.5, 4.5, (n, 1, 1)), random.uniform(0.5, 1.0, (n, 1, 1))
    images = peak * np.exp(-((i - row) ** 2 + (j - column) ** 2) / (2 * width**2))
    return images[..., None].astype(np.float32)


# --- 20.1a ------------------------------------------------------------------------------------------------


def _dimensions(model: Any, random: np.random.Generator) -> int:
    """In how many directions the output can move when the input moves a little."""
    start = random.random((1, SIDE, SIDE, 1))
    moved = start + 0.02 * random.normal(size=(80, SIDE, SIDE, 1))
    answer = np.asarray(model.predict(np.concatenate([start, moved]).astype(np.float32)), float).reshape(81, -1)
    size = np.linalg.svd(answer[1:] - answer[0], compute_uv=False)
    return int(np.sum(size > 0.02 * size[0])) if size[0] > 0 else 0


@task("20.1a", section="20.4")
def build_autoencoder(student: Any, random: np.random.Generator) -> str:
    few = int(random.integers(3, 7))
    model = student(few)
    expect.is_model(model)
    expect.output_shape(model, given=(5, SIDE, SIDE, 1), is_=(5, SIDE, SIDE, 1))
    bright = np.asarray(model.predict((40 * random.normal(size=(20, SIDE, SIDE, 1))).astype(np.float32)), float)
    expect.holds(
        bright.min() >= 0 and bright.max() <= 1,
        because="grey levels between 0 and 1 for any input: a sigmoid at the end",
        seen=f"outputs from {bright.min():.3g} to {bright.max():.3g}",
        rung="known mistake",
    )
    expect.holds(
        abs(bright.sum(axis=(1, 2, 3)) - 1).max() > 1e-3,
        because="each pixel for itself: a softmax makes the pixels of an image add up to one",
        seen="pixels that add up to 1",
        rung="known mistake",
    )
    seen = _dimensions(model, random)
    expect.holds(
        seen > 0,
        because="an output that depends on the image",
        seen="the same output for 80 different images",
        rung="known mistake",
    )
    expect.at_most(
        seen,
        few,
        because="a bottleneck: everything that reaches the decoder has passed through `latent` numbers",
        name="the number of directions in which the output can move",
    )
    many = student(20)
    expect.is_model(many)
    more = _dimensions(many, random)
    expect.at_least(
        more,
        2 * few,
        because="as many numbers as `latent` says, and not fewer: no fixed number, no activation that cuts off "
        "negative ones",
        name="the number of directions with 20 latent numbers",
    )
    answer = np.asarray(many.predict(random.random((200, SIDE, SIDE, 1)).astype(np.float32)), float)
    scaled = np.log(answer / (1 - answer)).reshape(200, -1)
    rank = np.linalg.svd(scaled - scaled.mean(0), compute_uv=False)
    expect.holds(
        rank[30] > 1e-3 * rank[0],
        because="an activation in the hidden layers: without one the latent numbers are principal components",
        seen="a decoder that is linear but for the sigmoid",
        rung="value",
    )
    return f"{few} numbers between encoder and decoder, if you ask for {few}"


def _autoencoder(
    *,
    hidden: str | None = "elu",
    inside: str | None = None,
    last: str | None = "sigmoid",
    fixed: int | None = None,
    flat: bool = False,
) -> Callable[[int], Any]:
    """A build_autoencoder() with one thing changed."""

    def build_autoencoder(latent: int) -> Any:
        import keras
        from keras import layers

        given = keras.Input((SIDE, SIDE, 1))
        x = layers.Dense(50, activation=hidden)(layers.Flatten()(given))
        x = layers.Dense(fixed or latent, activation=inside)(x)
        x = layers.Dense(50, activation=hidden)(x)
        x = layers.Dense(SIDE * SIDE, activation=last)(x)
        return keras.Model(given, x if flat else layers.Reshape((SIDE, SIDE, 1))(x))

    return build_autoencoder


build_autoencoder.hints = (
    "layers.Flatten() makes 784 numbers of an image, layers.Reshape((28, 28, 1)) an image of 784 numbers.",
    "Dense(64), Dense(latent), Dense(64), Dense(784): an activation in the hidden layers, none at the latent numbers.",
    "The last Dense needs a sigmoid, since grey levels lie between 0 and 1.",
)
build_autoencoder.mistakes = {
    "linear output": (_autoencoder(last=None), "a sigmoid at the end"),
    "softmax": (_autoencoder(last="softmax"), "add up to one"),
    "no bottleneck": (_autoencoder(fixed=50), "a bottleneck"),
    "latent not used": (_autoencoder(fixed=3), "no fixed number"),
    "no activation": (_autoencoder(hidden=None), "principal components"),
    "flat output": (_autoencoder(flat=True), "output of shape (5, 28, 28, 1)"),
}

# --- 20.1b ------------------------------------------------------------------------------------------------

N_CLOUDS, N_NEW, EPOCHS, LATENT = 2000, 500, 12, 6


def _share_left(model: Any, new: np.ndarray, old: np.ndarray) -> float:
    """Squared difference of restored new images, as a share of that to the mean of the old ones."""
    restored = np.asarray(model.predict(new), float)
    return float(np.mean((restored - new) ** 2) / np.mean((new - old.mean(axis=0)) ** 2))


@task("20.1b", section="20.2")
def train_autoencoder(student: Any, random: np.random.Generator) -> str:
    images = _clouds(N_CLOUDS + N_NEW, random)
    model = student(images[:N_CLOUDS], LATENT, EPOCHS)
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(3, SIDE, SIDE, 1), is_=(3, SIDE, SIDE, 1))
    expect.loss(
        model,
        "mse",
        "mae",
        "binary_crossentropy",
        because="a loss that compares pixels: the mean squared error",
    )
    expect.learning_rate_fell(model, 5e-4, because="a learning rate that falls to zero: CosineDecay over all steps")
    left = _share_left(model, images[N_CLOUDS:], images[:N_CLOUDS])
    expect.at_most(
        left,
        0.7,
        because="better than the mean image, on new images of the same kind: has fit() been called, with the images as "
        "target too, for all epochs?",
        name="the squared difference as a share of that to the mean image",
    )
    expect.reaches("20.1b", left, name=f"the squared difference on {N_NEW} new images, relative to the mean image")
    return f"on {N_NEW} new images {left:.1%} of the squared difference to the mean image is left"


@bar("20.1b", better="lower", unit="", source="simulated")
def measure_left(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    images = _clouds(N_CLOUDS + N_NEW, np.random.default_rng(seed))
    model = reference("20.1b")(images[:N_CLOUDS], LATENT, EPOCHS)
    restored = model.predict(images[N_CLOUDS:], batch_size=500, verbose=0)
    mean = images[:N_CLOUDS].mean(axis=0)
    return float(np.mean((restored - images[N_CLOUDS:]) ** 2) / np.mean((images[N_CLOUDS:] - mean) ** 2))


def _training(
    *,
    loss: str = "mse",
    target: Callable[[np.ndarray], np.ndarray] = lambda x: x,
    epochs: int | None = None,
    falling: bool = True,
    history: bool = False,
) -> Callable[..., Any]:
    """A train_autoencoder() that does something else, on a few images."""

    def train_autoencoder(x: np.ndarray, latent: int, epochs_: int) -> Any:
        import keras

        model = _autoencoder()(latent)
        x = x[:250]
        number = 4 if epochs is None else epochs
        rate: Any = keras.optimizers.schedules.CosineDecay(5e-3, max(number, 1)) if falling else 5e-3
        model.compile(keras.optimizers.Adam(rate), loss)
        record = model.fit(x, target(x), batch_size=250, epochs=number, verbose=0) if number else None
        return record if history else model

    def named(x: np.ndarray, latent: int, epochs: int) -> Any:
        return train_autoencoder(x, latent, epochs)

    return named


train_autoencoder.hints = (
    "model = build_autoencoder(latent), compile, fit, return model.",
    "model.fit(x, x, ...): the target is the image itself.",
    "CosineDecay(5e-3, steps) with steps = epochs times the number of batches, len(x) / 64 rounded up.",
)
train_autoencoder.mistakes = {
    "returns the history": (_training(history=True), "not its history"),
    "direction only": (_training(loss="cosine_similarity"), "compares pixels"),
    "constant learning rate": (_training(falling=False), "falls to zero"),
    "target is nothing": (_training(target=np.zeros_like), "better than the mean image"),
}

# --- 20.1c ------------------------------------------------------------------------------------------------


@task("20.1c", section="20.4")
def squared_difference(student: Any, random: np.random.Generator) -> str:
    n, shape = 6, (9, 7, 2)
    image, restored = random.random((2, n, *shape))
    answer = student(image, restored)
    expect.shape(answer, (n,), name="the scores of 6 images")
    expect.finite(answer, name="the scores")
    off = image - restored
    known = {
        "the square of the difference: positive and negative ones must not cancel": off.mean(axis=(1, 2, 3)),
        "the squared difference, not its absolute value": np.abs(off).mean(axis=(1, 2, 3)),
        "the mean over the pixels, not their sum": (off**2).sum(axis=(1, 2, 3)),
        "the mean of the squares, without a root": (off**2).mean(axis=(1, 2, 3)) ** 0.5,
        "the squares before the mean, not after it": off.mean(axis=(1, 2, 3)) ** 2,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        student(image, image), np.zeros(n), atol=1e-12, because="0 for an image that is restored", rung="physics"
    )
    expect.close(student(restored, image), answer, because="a square, whichever comes first", rung="physics")
    wanted = [np.sum(off[k] ** 2) / off[k].size for k in range(n)]
    expect.close(answer, wanted, because="the mean of the squared differences of each image", name="the score")
    return "one number for each image"


def _score(change: Callable[[np.ndarray, tuple[int, ...]], Any]) -> Callable[..., Any]:
    def squared_difference(image: np.ndarray, restored: np.ndarray) -> Any:
        return change(np.asarray(image) - np.asarray(restored), (1, 2, 3))

    return squared_difference


squared_difference.hints = (
    "(image - restored) ** 2 is the square of every pixel's difference.",
    "np.mean takes the argument axis; the first axis counts the images.",
    "axis=(1, 2, 3) averages over height, width and channels.",
)
squared_difference.mistakes = {
    "difference": (_score(lambda d, a: d.mean(axis=a)), "must not cancel"),
    "absolute": (_score(lambda d, a: abs(d).mean(axis=a)), "not its absolute value"),
    "sum": (_score(lambda d, a: (d * d).sum(axis=a)), "not their sum"),
    "root": (_score(lambda d, a: (d * d).mean(axis=a) ** 0.5), "without a root"),
    "square of the mean": (_score(lambda d, a: d.mean(axis=a) ** 2), "not after it"),
    "one channel": (_score(lambda d, a: (d[..., 0] ** 2).mean(axis=(1, 2))), "of each image"),
    "mean over the images": (_score(lambda d, a: (d * d).mean(axis=0)), "shape (6,)"),
}

# --- 20.1d ------------------------------------------------------------------------------------------------


def _histograms(score: np.ndarray, label: np.ndarray, normal: int, edges: np.ndarray) -> list[np.ndarray]:
    """Counts of the normal class and of the others, by comparison with every edge."""
    inside = (score[:, None] >= edges[:-1]) & (score[:, None] < edges[1:])
    return [inside[label == normal].sum(axis=0), inside[label != normal].sum(axis=0)]


@task("20.1d", section="20.4")
def densities(student: Any, random: np.random.Generator) -> str:
    n, normal = 900, 3
    label = random.integers(0, 5, n)
    score = random.gamma(2.0, 1.0 + 0.5 * (label != normal))
    edges = np.array([0.0, 0.3, 0.8, 1.6, 2.0, 4.0])
    answer = student(score, label, normal, edges)
    expect.is_tuple(answer, 2, name="the densities")
    for part in answer:
        expect.shape(part, (5,), name="a density")
        expect.finite(part, name="a density")
    counts, widths = _histograms(score, label, normal, edges), np.diff(edges)
    sizes = [np.sum(label == normal), np.sum(label != normal)]
    visible = [c / (c.sum() * widths) for c in counts]
    share = [c / m for c, m in zip(counts, sizes, strict=True)]
    everything = [c / (n * widths) for c in counts]
    right = [c / (m * widths) for c, m in zip(counts, sizes, strict=True)]
    known = {
        "a density: divided by the number of entries and by the widths": counts,
        "divided by the widths of the bins too, which differ": share,
        "entries outside of the bins count as entries; density=True forgets them": visible,
        "each divided by its own number of images, not by that of all": everything,
        "the normal class first": right[::-1],
        "divided by the number of entries too": [c / widths for c in counts],
    }
    for because, wrong in known.items():
        expect.differs(np.array(answer), np.array(wrong), because=because)
    whole = np.linspace(0, score.max() + 1, 12)
    for part in student(score, label, normal, whole):
        expect.close(
            float(np.sum(np.asarray(part) * np.diff(whole))),
            1.0,
            rtol=1e-9,
            because="an integral of 1 if the bins hold all entries",
            name="the integral",
            rung="physics",
        )
    twice = student(np.tile(score, 2), np.tile(label, 2), normal, edges)
    expect.close(
        np.array(twice), np.array(answer), because="the same density if every image occurs twice", rung="physics"
    )
    expect.close(np.array(answer), np.array(right), because="counts / (entries times width)", name="the densities")
    return "both integrate to the share of images inside the bins"


def _density(change: Callable[..., Any], *, exchanged: bool = False) -> Callable[..., Any]:
    def densities(score: np.ndarray, label: np.ndarray, normal: int, edges: np.ndarray) -> Any:
        n, widths = len(score), np.diff(edges)
        parts = [score[label == normal], score[label != normal]]
        found = [change(np.histogram(part, edges)[0], len(part), n, widths) for part in parts]
        return tuple(found[::-1] if exchanged else found)

    return densities


densities.hints = (
    "label == normal picks the images of the normal class, label != normal all others.",
    "np.histogram(values, edges) returns the counts and the edges; np.diff(edges) are the widths.",
    "Divide the counts by the number of picked images, including those outside of the bins, and by the widths.",
)
densities.mistakes = {
    "counts": (_density(lambda c, m, n, w: c), "by the widths"),
    "no widths": (_density(lambda c, m, n, w: c / m), "widths of the bins too"),
    "visible entries": (_density(lambda c, m, n, w: c / (c.sum() * w)), "density=True forgets them"),
    "all images": (_density(lambda c, m, n, w: c / (n * w)), "not by that of all"),
    "exchanged": (_density(lambda c, m, n, w: c / (m * w), exchanged=True), "normal class first"),
    "widths only": (_density(lambda c, m, n, w: c / w), "the number of entries too"),
    "mean width": (_density(lambda c, m, n, w: c / (m * w.mean())), "entries times width"),
    "one density": (lambda score, label, normal, edges: np.histogram(score, edges, density=True)[0], "2 results"),
}

# --- 20.1e ------------------------------------------------------------------------------------------------


def _areas(score: np.ndarray, label: np.ndarray, normal: int, classes: int) -> np.ndarray:
    """All pairs compared."""
    areas = np.full(classes, np.nan)
    ordinary = score[label == normal]
    for k in range(classes):
        if k != normal:
            pairs = score[label == k][:, None] - ordinary[None, :]
            areas[k] = np.mean((pairs > 0) + 0.5 * (pairs == 0))
    return areas


@task("20.1e", section="20.4")
def auc_by_class(student: Any, random: np.random.Generator) -> str:
    n, classes, normal = 400, 4, 1
    label = np.concatenate([np.repeat(np.arange(classes), 20), random.integers(0, classes, n - 80)])
    score = random.normal(size=n) + np.array([0.3, 0.0, 1.5, -0.8])[label]
    answer = student(score, label, normal, classes)
    expect.is_tuple(answer, 2, name="areas and errors")
    for name, part in zip(("areas", "errors"), answer, strict=True):
        expect.shape(part, (classes,), name=f"the {name}")
        expect.holds(
            np.isnan(part[normal]),
            because="NaN for the normal class itself, in areas and errors",
            seen=f"{part[normal]:.3g} in the {name}",
            rung="known mistake",
        )
        expect.finite(np.delete(part, normal), name=f"the {name} of the other classes")
    areas, errors = (np.asarray(part, float) for part in answer)
    right = _areas(score, label, normal, classes)
    rest = np.array([np.nan if k == normal else _one_against_all(score, label == k) for k in range(classes)])
    known = {
        "the anomaly as class 1: 1 minus the area means the labels exchanged": 1 - right,
        "each class against the normal one only, not against all others": rest,
    }
    for because, wrong in known.items():
        expect.differs(areas, wrong, because=because)
    expect.close(
        np.asarray(student(np.exp(score / 3), label, normal, classes)[0], float),
        areas,
        rtol=1e-9,
        because="an area that depends on the order of the scores only",
        rung="physics",
    )
    expect.close(areas, right, rtol=1e-9, because="the share of pairs in which the anomaly scores higher", name="AUC")
    several = [_areas(score[rows], label[rows], normal, classes) for rows in random.integers(0, n, size=(400, n))]
    expect.close(
        errors,
        np.std(several, axis=0),
        rtol=0.25,
        atol=1e-9,
        because="statistical errors as a bootstrap gives them (the second result of metrics.area_under_roc)",
        name="the errors",
    )
    return "nine questions, nine answers" if classes == 10 else "one area for each kind of anomaly"


def _one_against_all(score: np.ndarray, chosen: np.ndarray) -> float:
    pairs = score[chosen][:, None] - score[~chosen][None, :]
    return float(np.mean(pairs > 0))


def _by_class(
    *,
    exchanged: bool = False,
    everything: bool = False,
    own: float = np.nan,
    errors: Callable[[np.ndarray], np.ndarray] = lambda e: e,
    both: bool = True,
    by_rank: bool = True,
) -> Callable[..., Any]:
    def auc_by_class(score: np.ndarray, label: np.ndarray, normal: int, classes: int) -> Any:
        from dlphys import metrics

        found = []
        for k in range(classes):
            if k == normal:
                found.append((own, own))
                continue
            kept = np.ones(len(label), bool) if everything else np.isin(label, (normal, k))
            anomaly = (label[kept] == normal) if exchanged else (label[kept] == k)
            value, error = metrics.area_under_roc(score[kept], anomaly)
            if not by_rank:
                value = float(np.mean(score[label == k]) > np.mean(score[label == normal]))
            found.append((value, error))
        areas, sizes = np.transpose(found)
        return (areas, errors(sizes)) if both else areas

    return auc_by_class


auc_by_class.hints = (
    "Begin with two arrays of NaN: np.full(classes, np.nan).",
    "For each class other than the normal one: keep the images of these two classes only.",
    "metrics.area_under_roc(score[pair], label[pair] == other) returns value and error.",
)
auc_by_class.mistakes = {
    "labels exchanged": (_by_class(exchanged=True), "the labels exchanged"),
    "one against all": (_by_class(everything=True), "not against all others"),
    "one half for itself": (_by_class(own=0.5), "NaN for the normal class"),
    "squared errors": (_by_class(errors=lambda e: e**2), "as a bootstrap gives them"),
    "means compared": (_by_class(by_rank=False), "share of pairs"),
    "areas only": (_by_class(both=False), "areas and errors"),
}

quiz(
    "20.1-q1",
    question="An autoencoder trained on one class gives an AUC of 0.46 +- 0.01 for another class. What does that mean?",
    options=(
        "A statistical fluctuation: an AUC below one half is impossible.",
        "The other class is restored a little better than the class the network was trained on.",
        "The network was trained on both classes by mistake.",
        "The sign of the score should be changed; then it is a good detector of all anomalies.",
    ),
    answer=2,
    explanation="The score compares how hard images are to restore. Changing its sign would help for this class and "
    "spoil it for all others; and nobody knows beforehand which kind will come.",
)

# --- M20.5 ------------------------------------------------------------------------------------------------


def _chi2(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's statistic of the table with two rows, from its expected contents: the same number by another way."""
    table = np.array([a, b], float)
    table = table[:, table.sum(axis=0) > 0]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())


@task("M20.5", section="20.2")
def compare_histograms(student: Any, random: np.random.Generator) -> str:
    shape = np.array([5.0, 20.0, 40.0, 30.0, 12.0, 6.0])
    a, b = random.poisson(3 * shape) + 2, random.poisson(shape) + 2
    answer = student(a, b)
    expect.is_tuple(answer, 2, name="chi-square and degrees of freedom")
    value, ndf = answer
    expect.number(value, name="chi-square")
    expect.number(ndf, name="the degrees of freedom")
    A, B = a.sum(), b.sum()
    known = {
        "counts scaled to each other: the sums of the two histograms differ": np.sum((a - b) ** 2 / (a + b)),
        "the errors of both histograms: the control sample fluctuates too": np.sum((a - b * A / B) ** 2 / (b * A / B)),
        "sqrt(B/A) at the counts a, and not the other way round": np.sum(
            (np.sqrt(A / B) * a - np.sqrt(B / A) * b) ** 2 / (a + b)
        ),
        "the sum over the bins, not their mean": _chi2(a, b) / len(a),
        "counts, not shares: chi-square grows with the number of events": np.sum(
            (a / A - b / B) ** 2 / (a / A + b / B)
        ),
    }
    for because, wrong in known.items():
        expect.differs(float(value), float(wrong), because=because)
    expect.close(float(student(3 * b, b)[0]), 0.0, atol=1e-9, because="0 for equal shapes", rung="physics")
    expect.close(
        float(student(b, a)[0]), float(value), rtol=1e-9, because="the same if they are exchanged", rung="physics"
    )
    expect.equal(
        int(ndf),
        len(a) - 1,
        because="one degree of freedom less than bins: the sums are made equal",
        name="their number",
    )
    try:
        gap = student(np.append(a, [0, 4]), np.append(b, [0, 0]))
    except StudentError:
        gap = (np.nan, 0)
    expect.holds(
        np.isfinite(gap[0]) and int(gap[1]) == len(a),
        because="bins without any entry left out, in chi-square and in the degrees of freedom; a bin that is empty in "
        "only one histogram counts",
        seen=f"chi-square {gap[0]:.4g} with {gap[1]} degrees of freedom for {len(a)} filled bins, an empty one, and "
        "one filled in one histogram only",
    )
    expect.close(float(value), _chi2(a, b), rtol=1e-9, because="the formula of the text", name="chi-square")
    toys = random.poisson(shape * 4, size=(300, 2, len(shape)))
    mean = np.mean([float(student(*toy)[0]) for toy in toys[:60]])
    expect.holds(
        abs(mean - (len(shape) - 1)) < 4.5 * np.sqrt(2 * (len(shape) - 1) / 60),
        because="a mean equal to the degrees of freedom, if both histograms have one shape",
        seen=f"a mean of {mean:.3g}",
    )
    return "the same as Pearson's test of a table with two rows"


def _compared(change: Callable[..., Any], *, ndf: int = -1, empty: bool = True) -> Callable[..., Any]:
    def compare_histograms(a: np.ndarray, b: np.ndarray) -> Any:
        if empty:
            keep = np.flatnonzero(np.asarray(a) + np.asarray(b))
            a, b = np.asarray(a)[keep], np.asarray(b)[keep]
        A, B = np.sum(a), np.sum(b)
        with np.errstate(all="ignore"):
            return float(np.sum(change(a, b, A, B))), len(a) + ndf

    return compare_histograms


compare_histograms.hints = (
    "A and B are the sums of the counts; np.sqrt(B / A) * a - np.sqrt(A / B) * b has the mean zero in every bin.",
    "filled = a + b > 0 picks the bins that have entries.",
    "Sum the squares over (a + b); the second result is the number of filled bins minus one.",
)
compare_histograms.mistakes = {
    "not scaled": (_compared(lambda a, b, A, B: (a - b) ** 2 / (a + b)), "scaled to each other"),
    "one error": (_compared(lambda a, b, A, B: (a - b * A / B) ** 2 / (b * A / B)), "fluctuates too"),
    "factors exchanged": (
        _compared(lambda a, b, A, B: ((A / B) ** 0.5 * a - (B / A) ** 0.5 * b) ** 2 / (a + b)),
        "not the other way round",
    ),
    "mean": (
        _compared(lambda a, b, A, B: (a * (B / A) ** 0.5 - b * (A / B) ** 0.5) ** 2 / (a + b) / len(a)),
        "their mean",
    ),
    "shares": (_compared(lambda a, b, A, B: (a / A - b / B) ** 2 / (a / A + b / B)), "not shares"),
    "degrees of freedom": (
        _compared(lambda a, b, A, B: (a * (B / A) ** 0.5 - b * (A / B) ** 0.5) ** 2 / (a + b), ndf=0),
        "less than bins",
    ),
    "empty bins": (
        _compared(lambda a, b, A, B: (a * (B / A) ** 0.5 - b * (A / B) ** 0.5) ** 2 / (a + b), empty=False),
        "without any entry left out",
    ),
    "chi-square only": (lambda a, b: float(_chi2(np.asarray(a), np.asarray(b))), "2 results"),
}

quiz(
    "M20.5-q1",
    question="A classifier of data against control sample answers one half for every event. What follows?",
    options=(
        "Data and control sample have the same distribution.",
        "There are no anomalies in the data.",
        "This network, with these events, found no difference; that is a statement about its power too.",
        "The labels of data and control sample were exchanged.",
    ),
    answer=3,
    explanation="Inject anomalies of several kinds and sizes: only what it would have found is excluded.",
)
