"""Checks of the adversarial networks of chapter 18: losses from logits, both networks, the loop, the classes drawn."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task


def _minus_log(logit: np.ndarray) -> np.ndarray:
    """-ln sigma(logit) of each, in double precision."""
    return np.logaddexp(0.0, -np.asarray(logit, dtype=float))


# --- M18.5a -------------------------------------------------------------------------------------------------


@task("M18.5a", section="18.2.1")
def discriminator_loss(student: Any, random: np.random.Generator) -> str:
    real, fake = (random.normal(0.5, 1.5, size=(n, 1)).astype(np.float32) for n in (7, 4))
    answer = student(real, fake)
    expect.number(answer, name="the loss")
    first, second = _minus_log(real), _minus_log(-fake)
    right = first.mean() + second.mean()
    together = np.concatenate([first, second])
    known = {
        "real pictures have the label 1, fakes 0": _minus_log(-real).mean() + _minus_log(fake).mean(),
        "the mean over the pictures, not the sum": first.sum() + second.sum(),
        "each mean over its own pictures, then the sum; not the mean over all": together.mean(),
        "a loss falls where the discriminator improves: minus both logarithms": -right,
        "two terms: the fakes have one, too": first.mean(),
        "the sum of both terms, as in (18.7), not half of it": right / 2,
        "the fakes enter with 1 - d": first.mean() + _minus_log(fake).mean(),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    undecided = np.zeros((3, 1), np.float32)
    expect.close(
        student(undecided, undecided),
        2 * np.log(2),
        rtol=1e-5,
        because="2 ln 2 where the discriminator cannot decide",
        rung="physics",
    )
    sure = np.full((3, 1), 200.0, np.float32)
    for real_logit, wanted in [(sure, 0.0), (-sure, 400.0)]:
        answer_sure = np.asarray(student(real_logit, -real_logit), float)
        expect.close(
            answer_sure,
            np.asarray(wanted),
            rtol=1e-5,
            atol=1e-5,
            because="right, and finite, for logits of any size: ln(sigmoid(-200)) is -200, not minus infinity",
            name="the loss for logits of 200",
            rung="physics",
        )
    expect.close(answer, right, rtol=1e-4, because="the two means of (18.7), from logits", name="the loss")
    return "2 ln 2 where the discriminator cannot decide, and finite where it is sure"


def _binary(rule: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong discriminator_loss() from the terms of the real and of the fake pictures."""
    return lambda real, fake: rule(_minus_log(real), _minus_log(-fake))


def _probability_first(real: Any, fake: Any) -> Any:
    with np.errstate(divide="ignore", over="ignore"):
        d, e = (1 / (1 + np.exp(-np.asarray(logit))) for logit in (real, fake))
        return -np.log(d).mean() - np.log(1 - e).mean()


discriminator_loss.hints = (
    "-ln sigma(f) is the softplus of -f.",
    "1 - sigma(f) is sigma(-f), so -ln(1 - sigma(f)) is the softplus of f.",
    "One ops.mean for the real pictures, one for the fakes, added.",
)
discriminator_loss.mistakes = {
    "labels exchanged": (lambda real, fake: _minus_log(-real).mean() + _minus_log(fake).mean(), "have the label 1"),
    "sum over the pictures": (_binary(lambda a, b: a.sum() + b.sum()), "not the sum"),
    "mean over all": (_binary(lambda a, b: np.concatenate([a, b]).mean()), "not the mean over all"),
    "sign": (_binary(lambda a, b: -(a.mean() + b.mean())), "minus both logarithms"),
    "real only": (_binary(lambda a, b: a.mean()), "the fakes have one, too"),
    "half": (_binary(lambda a, b: (a.mean() + b.mean()) / 2), "not half of it"),
    "all labelled real": (lambda real, fake: _minus_log(real).mean() + _minus_log(fake).mean(), "with 1 - d"),
    "sigmoid, then logarithm": (_probability_first, "not minus infinity"),
    "of each picture": (_binary(lambda a, b: a[:4] + b), "one number"),
}

# --- M18.5b -------------------------------------------------------------------------------------------------


@task("M18.5b", section="18.2.4")
def generator_loss(student: Any, random: np.random.Generator) -> str:
    fake = random.normal(-0.5, 1.5, size=(6, 1)).astype(np.float32)
    answer = student(fake)
    expect.number(answer, name="the loss")
    d = 1 / (1 + np.exp(-fake.astype(float)))
    known = {
        "-ln d: this is ln(1 - d), the loss without a slope where it is needed": np.log(1 - d).mean(),
        "the generator wants d = 1 for its fakes: this loss helps the discriminator": -np.log(1 - d).mean(),
        "the mean over the fakes, not their sum": -np.log(d).sum(),
        "a loss to minimise: minus the logarithm": np.log(d).mean(),
        "the logarithm of d, not d itself": -d.mean(),
        "the mean of the logarithms, not the logarithm of the mean": -np.log(d.mean()),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    for logit, wanted in [(-200.0, 200.0), (200.0, 0.0)]:
        expect.close(
            np.asarray(student(np.full((3, 1), logit, np.float32)), float),
            np.asarray(wanted),
            rtol=1e-5,
            atol=1e-5,
            because="right, and finite, for logits of any size: -ln(sigmoid(-200)) is 200",
            name=f"the loss for logits of {logit:.0f}",
            rung="physics",
        )
    expect.close(answer, -np.log(d).mean(), rtol=1e-4, because="the mean of -ln d, from logits", name="the loss")
    return "large where the discriminator is sure of the fakes, with a slope of almost 1"


def _probability_of_fakes(fake: Any) -> Any:
    with np.errstate(divide="ignore", over="ignore"):
        return -np.log(1 / (1 + np.exp(-np.asarray(fake)))).mean()


generator_loss.hints = (
    "It is the first term of the discriminator's loss, with the fakes in the place of the real pictures.",
    "-ln sigma(f) is the softplus of -f.",
    "ops.softplus and ops.mean are all that is needed.",
)
generator_loss.mistakes = {
    "saturating": (lambda fake: -_minus_log(-fake).mean(), "without a slope where it is needed"),
    "wrong label": (lambda fake: _minus_log(-fake).mean(), "helps the discriminator"),
    "sum": (lambda fake: _minus_log(fake).sum(), "not their sum"),
    "sign": (lambda fake: -_minus_log(fake).mean(), "minus the logarithm"),
    "probability": (lambda fake: -np.exp(-_minus_log(fake)).mean(), "not d itself"),
    "logarithm of the mean": (lambda fake: -np.log(np.exp(-_minus_log(fake)).mean()), "not the logarithm of the mean"),
    "sigmoid, then logarithm": (_probability_of_fakes, "-ln(sigmoid(-200)) is 200"),
    "of each fake": (lambda fake: _minus_log(fake)[:, 0], "one number"),
}

# --- 18.1a --------------------------------------------------------------------------------------------------


def _of_class(model: Any, name: str) -> list[dict[str, Any]]:
    return [layer for layer in model.layers if layer["class_name"] == name]


@task("18.1a", section="18.2.3")
def build_generator(student: Any, random: np.random.Generator) -> str:
    latent = int(random.integers(5, 12))
    model = student(latent)
    expect.is_model(model)
    expect.output_shape(model, given=(3, latent), is_=(3, 28, 28, 1))
    far = np.asarray(model.predict(1e3 * random.normal(size=(20, latent)).astype(np.float32)))
    range_ = "the last activation covers the range of the pixels and nothing else"
    expect.at_least(far, 0.0, because=f"no pixel below 0: {range_}", name="the darkest pixel", rung="known mistake")
    expect.at_most(far, 1.0, because=f"no pixel above 1: {range_}", name="the brightest pixel", rung="known mistake")
    transposed = _of_class(model, "Conv2DTranspose")
    sizes = {tuple(np.broadcast_to(layer["config"]["kernel_size"], 2).tolist()) for layer in transposed}
    expect.holds(
        (3, 3) not in sizes and (5, 5) not in sizes,
        because="kernels of 4 for strides of 2: with an odd size the copies overlap unevenly, and print a chessboard",
        seen=f"transposed convolutions with kernels {sorted(sizes)}",
        rung="known mistake",
    )
    expect.has_layers(
        model, "BatchNormalization", because="batch normalisation after the first two layers with weights"
    )
    momenta = [layer["config"]["momentum"] for layer in _of_class(model, "BatchNormalization")]
    expect.at_most(
        momenta,
        0.95,
        because="momentum=0.9: with Keras' 0.99 the averages would lag behind a short training",
        name="the momentum",
        rung="known mistake",
    )
    expect.holds(
        all(layer["params"] < 4 * 1568 for layer in _of_class(model, "BatchNormalization")),
        because="batch normalisation of the maps, after Reshape: before it, each pixel would have a mean of its own",
        seen="a BatchNormalization of 1568 columns",
        rung="known mistake",
    )
    z = random.normal(size=(6, latent)).astype(np.float32)
    outputs = [np.asarray(model.predict(sign * z), float) for sign in (1, -1, 0)]
    above, below, zero = (np.log(y / (1 - y)) for y in outputs)
    expect.holds(
        np.abs(above + below - 2 * zero).max() > 1e-3 * np.abs(above).max(),
        because="ReLU in between: without it the whole network is linear up to the sigmoid",
        seen="the logits of the pixels depend linearly on z",
    )
    expect.at_least(
        np.std(above, axis=0).max(), 1e-6, because="another picture for other latent numbers", name="their spread"
    )
    wanted = (latent + 1) * 1568 + 4 * 32 + 16 * (16 * 32 + 1) + 4 * 16 + (16 * 16 + 1)
    expect.equal(
        model.count_params(),
        wanted,
        because="7 x 7 with 32 maps, then 16 maps, then one; two batch normalisations; all layers with biases",
        name="the number of parameters",
    )
    return f"{model.count_params()} parameters turn {latent} numbers into 784 pixels from 0 to 1"


def _generator(
    *,
    last: str | None = "sigmoid",
    kernel: int = 4,
    momentum: float | None = 0.9,
    early: bool = False,
    rectified: bool = True,
    maps: int = 16,
    channels: int = 1,
) -> Callable[[int], Any]:
    """A build_generator() with the given choices, right or wrong."""

    def build_generator(latent: int) -> Any:
        import keras
        from keras import layers

        inputs = keras.Input((latent,))
        x = layers.Dense(1568)(inputs)
        if early:
            x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Reshape((7, 7, 32))(x)
        for last_block in (False, True):
            if momentum is not None and not (early and not last_block):
                x = layers.BatchNormalization(momentum=momentum)(x)
            x = layers.ReLU()(x) if rectified else x
            filters, activation = (channels, last) if last_block else (maps, None)
            x = layers.Conv2DTranspose(filters, kernel, 2, "same", activation=activation)(x)
        return keras.Model(inputs, x)

    return build_generator


build_generator.hints = (
    "A Dense layer for all 7 * 7 * 32 numbers comes first, then Reshape((7, 7, 32)).",
    "layers.Conv2DTranspose(maps, 4, 2, padding='same') doubles height and width.",
    "Pixels lie between 0 and 1: which activation has exactly this range?",
)
build_generator.mistakes = {
    "tanh at the end": (_generator(last="tanh"), "no pixel below 0"),
    "ReLU at the end": (_generator(last="relu"), "no pixel above 1"),
    "kernel 3": (_generator(kernel=3), "print a chessboard"),
    "no batch normalisation": (_generator(momentum=None), "after the first two layers"),
    "Keras' momentum": (_generator(momentum=0.99), "would lag behind"),
    "batch normalisation before Reshape": (_generator(early=True), "a mean of its own"),
    "no ReLU": (_generator(rectified=False), "linear up to the sigmoid"),
    "too many maps": (_generator(maps=32), "then 16 maps"),
    "three colours": (_generator(channels=3), "output of shape (3, 28, 28, 1)"),
}

# --- 18.1b --------------------------------------------------------------------------------------------------


@task("18.1b", section="18.2.3")
def build_discriminator(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(3, 28, 28, 1), is_=(3, 1))
    expect.activation(model, is_="linear", because="the logit, of either sign and any size: no activation at the end")
    names = [layer["class_name"] for layer in model.layers]
    expect.holds(
        not any("Pooling" in name for name in names),
        because="strides in place of pooling: max pooling keeps the gradient from three pixels of four",
        seen=f"the layers {', '.join(names)}",
        rung="known mistake",
    )
    activations = {layer["config"].get("activation") for layer in model.layers} | set(names)
    expect.holds(
        {"leaky_relu", "LeakyReLU"} & activations and not {"relu", "ReLU"} & activations,
        because="LeakyReLU, which passes a gradient for every input: the generator learns from nothing else",
        seen=f"the layers {', '.join(names)}",
        rung="known mistake",
    )
    expect.has_layers(model, "Dropout", because="dropout, or a few thousand pictures are soon known by heart")
    expect.holds(
        "BatchNormalization" not in names,
        because="no batch normalisation here: batches of real pictures and of fakes have different means",
        seen="BatchNormalization among the layers",
        rung="known mistake",
    )
    pictures = random.uniform(size=(20, 28, 28, 1)).astype(np.float32)
    before = np.asarray(model.predict(pictures))
    expect.at_least(np.std(before), 1e-6, because="another logit for another picture", name="their spread")
    mirrored = np.asarray(model.predict(np.flip(pictures, axis=2).copy()))
    expect.at_least(
        np.abs(mirrored - before).max(),
        1e-6,
        because="the place of a pattern in the picture matters",
        name="the change",
    )
    expect.equal(
        model.count_params(),
        16 * 17 + 32 * (16 * 16 + 1) + 64 * (1568 + 1) + 65,
        because="16 and 32 maps with kernel 4 and stride 2, all 7 x 7 x 32 numbers into 64 nodes, then one",
        name="the number of parameters",
    )
    return f"{model.count_params()} parameters, and a gradient for every pixel"


def _discriminator(
    *,
    last: str | None = None,
    pooling: bool = False,
    slope: float = 0.2,
    dropout: float | None = 0.3,
    normalised: bool = False,
    kernel: int = 4,
    outputs: int = 1,
) -> Callable[[], Any]:
    """A build_discriminator() with the given choices, right or wrong."""

    def build_discriminator() -> Any:
        import keras
        from keras import layers

        def activation() -> Any:
            return layers.LeakyReLU(negative_slope=slope) if slope else layers.ReLU()

        inputs = x = keras.Input((28, 28, 1))
        for filters in (16, 32):
            x = activation()(layers.Conv2D(filters, kernel, 1 if pooling else 2, "same")(x))
            x = layers.MaxPooling2D(2)(x) if pooling else x
            x = layers.BatchNormalization(momentum=0.9)(x) if normalised else x
        x = layers.Flatten()(x)
        for nodes in (64, outputs):
            x = layers.Dropout(dropout)(x) if dropout else x
            x = activation()(layers.Dense(nodes)(x)) if nodes == 64 else layers.Dense(nodes, activation=last)(x)
        return keras.Model(inputs, x)

    return build_discriminator


build_discriminator.hints = (
    "layers.Conv2D(16, 4, strides=2, padding='same') halves height and width.",
    "LeakyReLU is a layer of its own: layers.LeakyReLU(negative_slope=0.2).",
    "The last layer is Dense(1), without an activation: your losses expect logits.",
)
build_discriminator.mistakes = {
    "sigmoid at the end": (_discriminator(last="sigmoid"), "no activation at the end"),
    "max pooling": (_discriminator(pooling=True), "from three pixels of four"),
    "ReLU": (_discriminator(slope=0.0), "passes a gradient for every input"),
    "no dropout": (_discriminator(dropout=None), "known by heart"),
    "batch normalisation": (_discriminator(normalised=True), "have different means"),
    "kernel 5": (_discriminator(kernel=5), "with kernel 4 and stride 2"),
    "two outputs": (_discriminator(outputs=2), "output of shape (3, 1)"),
}

# --- 18.1c --------------------------------------------------------------------------------------------------


@task("18.1c", section="18.2.1")
def labelled_mixture(student: Any, random: np.random.Generator) -> str:
    real = (np.arange(30).reshape(30, 1, 1, 1) + np.zeros((1, 2, 3, 1))).astype(np.float32)
    fake = (100 + np.arange(20).reshape(20, 1, 1, 1) + np.zeros((1, 2, 3, 1))).astype(np.float32)
    seed = int(random.integers(1000))
    answer = student(real, fake, seed)
    expect.is_tuple(answer, 2, name="x, y")
    x, y = answer
    expect.shape(x, (50, 2, 3, 1), name="x")
    expect.shape(y, (50, 1), name="y")
    expect.dtype(y, "float32", name="y")
    tag, label = np.asarray(x)[:, 0, 0, 0], np.asarray(y)[:, 0]
    expect.holds(
        len(np.unique(tag)) == 50,
        because="each picture once: a draw with replacement misses some and repeats others",
        seen=f"{len(np.unique(tag))} of 50 pictures",
        rung="known mistake",
    )
    expect.holds(
        not np.array_equal(label, tag >= 100),
        because="label 1 for real pictures, 0 for fakes",
        seen="the labels the other way round",
        rung="known mistake",
    )
    expect.holds(
        not np.array_equal(np.sort(tag), tag),
        because="a shuffled set: a network that sees all real pictures first learns to say real",
        seen="the real pictures first, in their order",
        rung="known mistake",
    )
    expect.equal(
        label,
        (tag < 100).astype(np.float32),
        because="the same order for pictures and labels: each keeps its own",
        name="the labels",
        rung="physics",
    )
    split = np.flatnonzero(np.diff(label))
    expect.at_least(len(split), 2, because="both kinds mixed, not one after the other", name="the changes of kind")
    again = student(real, fake, seed + 1)
    expect.holds(
        not np.array_equal(np.asarray(again[0]), np.asarray(x)),
        because="another order for another seed",
        seen="the same order for two seeds",
    )
    return "30 real pictures and 20 fakes, each once and with its label"


def _mixture(rule: Callable[[np.ndarray, np.ndarray, np.random.Generator], Any]) -> Callable[..., Any]:
    """A wrong labelled_mixture() from both kinds in one array, their labels, and random numbers."""

    def labelled_mixture(real: Any, fake: Any, seed: int) -> Any:
        both = np.concatenate([real, fake])
        label = (np.arange(len(both)) < len(real)).astype(np.float32)[:, np.newaxis]
        return rule(both, label, np.random.default_rng(seed))

    return labelled_mixture


def _with_replacement(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> Any:
    rows = random.integers(len(x), size=len(x))
    return x[rows], y[rows]


def _exchanged(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> Any:
    rows = random.permutation(len(x))
    return x[rows], 1 - y[rows]


def _one_after_the_other(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> Any:
    n = int(y.sum())
    rows = np.concatenate([random.permutation(n), n + random.permutation(len(x) - n)])
    return x[rows], y[rows]


def _same_seed(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> Any:
    rows = np.random.default_rng(3).permutation(len(x))
    return x[rows], y[rows]


labelled_mixture.hints = (
    "np.concatenate joins both kinds; the labels are len(real) ones and len(fake) zeros.",
    "One permutation of all rows, used for the pictures and for the labels.",
    "y needs a second axis of length 1, as the logits have it: y[:, None].",
)
labelled_mixture.mistakes = {
    "with replacement": (_mixture(_with_replacement), "misses some and repeats others"),
    "labels exchanged": (_mixture(_exchanged), "label 1 for real pictures"),
    "not shuffled": (_mixture(lambda x, y, random: (x, y)), "learns to say real"),
    "only the pictures shuffled": (_mixture(lambda x, y, random: (random.permutation(x), y)), "each keeps its own"),
    "shuffled within each kind": (_mixture(_one_after_the_other), "not one after the other"),
    "the same order always": (_mixture(_same_seed), "another order for another seed"),
    "labels without an axis": (_mixture(lambda x, y, random: (x, y[:, 0])), "y: an array of shape (50, 1)"),
}

# --- 18.1d --------------------------------------------------------------------------------------------------


@task("18.1d", section="18.2.1")
def epoch_batches(student: Any, random: np.random.Generator) -> str:
    n, batch, seed = int(random.integers(1013, 1020)), 20, int(random.integers(1000))
    rows = student(n, batch, seed)
    expect.shape(rows, (50, batch), name="the indices")
    expect.holds(
        np.asarray(rows).dtype.kind in "iu",
        because="whole numbers: indices of pictures",
        seen=f"type {np.asarray(rows).dtype}",
        rung="shape",
    )
    flat = np.asarray(rows).ravel()
    expect.holds(
        flat.min() >= 0 and flat.max() < n,
        because="indices from 0 to n - 1",
        seen=f"indices from {flat.min()} to {flat.max()}",
        rung="known mistake",
    )
    different = len(np.unique(flat))
    expect.holds(
        different == flat.size,
        because="each picture at most once in an epoch: draw without replacement",
        seen=f"{different} different pictures in {flat.size} places",
        rung="known mistake",
    )
    expect.holds(
        not np.array_equal(np.sort(flat), flat),
        because="a random order: neighbours in the file may be alike",
        seen="the pictures in their order",
        rung="known mistake",
    )
    expect.at_least(
        np.ptp(np.asarray(rows), axis=1),
        n / 3,
        because="batches from the whole set, not from one stretch of it",
        name="the narrowest batch, in indices,",
    )
    others = [np.asarray(student(n, batch, seed + k)).ravel() for k in range(1, 21)]
    expect.holds(
        not any(np.array_equal(other, flat) for other in others),
        because="a new order for every seed: each epoch has its own",
        seen="the same order for two seeds",
    )
    left_out = np.setdiff1d(np.arange(n), np.concatenate([flat, *others]))
    expect.holds(
        left_out.size == 0,
        because="the pictures left out by chance, others in every epoch",
        seen=f"{left_out.size} pictures are in none of 21 epochs",
    )
    return f"50 batches hold 1000 of {n} pictures, each once"


def _batches(rule: Callable[[int, int, np.random.Generator], Any]) -> Callable[..., Any]:
    """A wrong epoch_batches()."""
    return lambda n, batch, seed: rule(n, batch, np.random.default_rng(seed))


def _stretches(n: int, batch: int, random: np.random.Generator) -> Any:
    return random.permutation(np.arange(n // batch * batch).reshape(-1, batch))


epoch_batches.hints = (
    "np.random.default_rng(seed).permutation(n) is every index once, in random order.",
    "Leave n % batch of them out at the end, so that the rest can be reshaped.",
    ".reshape(-1, batch) makes one row for each batch.",
)
epoch_batches.mistakes = {
    "with replacement": (_batches(lambda n, b, random: random.integers(n, size=(n // b, b))), "without replacement"),
    "from one to n": (
        _batches(
            lambda n, b, random: np.concatenate([[n], 1 + random.permutation(n - 1)])[: n // b * b].reshape(-1, b)
        ),
        "from 0 to n - 1",
    ),
    "in their order": (_batches(lambda n, b, random: np.arange(n // b * b).reshape(-1, b)), "may be alike"),
    "stretches": (_batches(_stretches), "not from one stretch"),
    "one order for all epochs": (
        lambda n, batch, seed: np.random.default_rng(0).permutation(n)[: n // batch * batch].reshape(-1, batch),
        "each epoch has its own",
    ),
    "the same ones left out": (
        _batches(lambda n, b, random: random.permutation(n // b * b).reshape(-1, b)),
        "others in every epoch",
    ),
    "batches in columns": (
        _batches(lambda n, b, random: random.permutation(n)[: n // b * b].reshape(b, -1)),
        "an array of shape (50, 20)",
    ),
}

# --- 18.1e --------------------------------------------------------------------------------------------------

EPOCHS, STEPS_AN_EPOCH, BATCH = 8, 3, 200


def _small_pair() -> tuple[Any, Any]:
    """A generator with two outputs, and a linear discriminator that starts undecided.

    The first output can be learnt and begins at 1. The second is the latent number, batch-normalised without memory: it
    tells from which distribution the latent numbers of the last batch came.
    """
    import keras
    from keras import layers

    z = keras.Input((1,))
    learnt = layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones")(z)
    told = layers.BatchNormalization(momentum=0.0, center=False, scale=False, epsilon=1e-6)(z)
    generator = keras.Model(z, layers.Concatenate()([learnt, told]))
    event = keras.Input((2,))
    return generator, keras.Model(event, layers.Dense(1, kernel_initializer="zeros")(event))


@task("18.1e", section="18.2.1")
def train_gan(student: Any, random: np.random.Generator) -> str:
    x = random.normal([3.0, 0.0], [0.3, 1.0], size=(BATCH * STEPS_AN_EPOCH + 50, 2)).astype(np.float32)
    fixed = np.array([[0.0], [1.0], [0.5]], np.float32)
    generator, discriminator = _small_pair()
    seed = int(random.integers(1000))
    answer = student(generator, discriminator, x, fixed, EPOCHS, BATCH, 0.05, seed)
    expect.is_tuple(answer, 2, name="losses, drawn")
    losses, drawn = answer
    expect.shape(losses, (EPOCHS * STEPS_AN_EPOCH, 2), name="the losses, of every step")
    expect.shape(drawn, (EPOCHS, 3, 2), name="the pictures, of every epoch")
    expect.finite(losses, name="the losses")
    expect.finite(drawn, name="the pictures")
    expect.holds(
        np.ptp(drawn, axis=0).max() > 1e-7 or abs(float(drawn[0, 0, 0]) - 1) < 1e-6,
        because="the pictures as they are after each epoch, not those of the last one again and again",
        seen="the same pictures after every epoch, though the generator has learnt",
        rung="known mistake",
    )
    _judge_latent_numbers(np.asarray(drawn, float)[..., 1])
    start, undecided = np.asarray(losses, float)[0], 2 * np.log(2)
    for because, wrong in [
        ("the discriminator's loss in the first column, the generator's in the second", start[1]),
        ("the sum of both means of (18.7) as the discriminator's loss, not half of it", 2 * start[0]),
    ]:
        expect.differs(wrong, undecided, because=because, rtol=1e-4)
    expect.holds(
        np.ptp(np.asarray(losses)[:, 0]) > 1e-4,
        because="a discriminator that learns: its weights change in every step",
        seen="its loss is 2 ln 2 from the first step to the last",
        rung="known mistake",
    )
    _judge_learnt(np.asarray(drawn, float)[:, 0, 0])
    expect.close(
        start[0],
        undecided,
        rtol=1e-4,
        because="2 ln 2 before the first step of a discriminator that starts undecided",
        name="its first loss",
    )
    expect.holds(
        abs(start[1] - np.log(2)) > 1e-3,
        because="the discriminator first, then the generator against the improved one",
        seen="a generator that was judged before the discriminator had learnt",
    )
    return "the fakes move towards the real events, drawn from uniform latent numbers"


def _judge_latent_numbers(told: np.ndarray) -> None:
    """From the batch-normalised output for the latent numbers 0, 1 and 0.5 after each epoch: how batches are drawn."""
    own = np.array([0.0, 1.0, 0.5])
    expect.differs(
        told[0],
        (own - own.mean()) / own.std(),
        because="training=False for the pictures: with True they are normalised by each other",
        rtol=1e-3,
    )
    expect.differs(
        told[-1],
        own,
        because="generator(z, training=True) in the step, or its batch normalisation never gets to know its data",
        rtol=1e-3,
        atol=1e-3,
    )
    width = 1 / (told[:, 1] - told[:, 0])
    middle = -told[:, 0] * width
    expect.holds(
        abs(width.mean() - 1) > 0.1,
        because="a uniform prior, as the exercise asks, not a normal one",
        seen=f"latent numbers with a standard deviation of {width.mean():.2f}",
        rung="known mistake",
    )
    expect.holds(
        abs(middle.mean()) < 0.15,
        because="latent numbers between -1 and 1, on both sides of zero",
        seen=f"latent numbers with the mean {middle.mean():.2f}",
        rung="known mistake",
    )
    expect.close(
        width.mean(),
        1 / np.sqrt(3),
        rtol=0.08,
        because="uniform latent numbers between -1 and 1",
        name="their standard deviation",
        rung="physics",
    )
    expect.at_least(
        np.ptp(middle), 1e-6, because="new latent numbers for every batch", name="the spread of the batches' means"
    )


def _judge_learnt(place: np.ndarray) -> None:
    """The output that is learnt begins at 1; the real events are at 3."""
    expect.holds(
        np.abs(place - 1).max() > 1e-6,
        because="a generator that learns: its own variables, with the gradient through the discriminator",
        seen="fakes that stay where they were",
        rung="known mistake",
    )
    name = "the place of the fakes (at first 1, the real ones are at 3)"
    expect.at_least(
        place[-1],
        0.9,
        because="a generator that wants its fakes to be taken for real, d = 1",
        name=name,
        rung="known mistake",
    )
    expect.at_least(
        place[-1],
        1.25,
        because="only the generator's own loss may move it: the discriminator's step pulls it back",
        name=name,
        rung="known mistake",
    )


def _trainer(
    *,
    prior: Callable[..., Any] | None = None,
    label: float = 1.0,
    teach: tuple[bool, bool] = (True, True),
    pull_back: bool = False,
    training: bool = True,
    drawn_in_training: bool = False,
    half: bool = False,
    turned: bool = False,
    late: bool = False,
    each: bool = True,
) -> Callable[..., Any]:
    """A train_gan() with the given choices, right or wrong."""

    def train_gan(generator, discriminator, x, fixed, epochs, batch, rate, seed):
        import keras
        from keras import ops

        from dlphys import autodiff

        random = np.random.default_rng(seed)
        adam = [keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2)]
        groups = [model.trainable_variables for model in (discriminator, generator)]
        if pull_back:
            groups[0] = groups[0] + groups[1]
        for optimizer, group in zip(adam, groups, strict=True):
            optimizer.build(group)

        def first(events: Any, z: Any) -> Any:
            fake = generator(z, training=training)
            loss = ops.mean(ops.softplus(-discriminator(events))) + ops.mean(ops.softplus(discriminator(fake)))
            return loss / 2 if half else loss

        def second(events: Any, z: Any) -> Any:
            return ops.mean(ops.softplus(-label * discriminator(generator(z, training=training))))

        @autodiff.compiled
        def both(events: Any, z: Any) -> Any:
            values = []
            for taught, function, optimizer, group in zip(teach, (first, second), adam, groups, strict=True):
                value, slopes = autodiff.value_and_gradients(functools.partial(function, events, z), group)
                if taught:
                    optimizer.apply(slopes, group)
                values.append(value)
            return values[::-1] if turned else values

        record, pictures = [], []
        for _ in range(epochs):
            order = random.permutation(len(x))
            for k in range(len(x) // batch):
                z = prior(random, (batch, 1)) if prior else random.uniform(-1, 1, size=(batch, 1))
                record.append(both(x[order[k * batch : (k + 1) * batch]], z.astype(np.float32)))
            pictures.append(np.asarray(generator(fixed, training=drawn_in_training)))
        record = [[float(np.asarray(value)) for value in values] for values in record]
        if late:
            pictures = pictures[-1:] * epochs
        return np.array(record if each else record[::STEPS_AN_EPOCH]), np.array(pictures)

    return train_gan


train_gan.hints = (
    "A compiled function step(real, z): two calls of autodiff.value_and_gradients, each followed by optimizer.apply.",
    "The fakes of the discriminator's turn are made before its loss, so that no gradient is needed for them.",
    "The generator's loss needs its fakes made anew inside: discriminator(generator(z, training=True), training=True).",
)
train_gan.mistakes = {
    "normal prior": (_trainer(prior=lambda random, size: random.normal(size=size)), "not a normal one"),
    "uniform from 0 to 1": (_trainer(prior=lambda random, size: random.uniform(size=size)), "both sides of zero"),
    "wrong label for the generator": (_trainer(label=-1.0), "to be taken for real"),
    "discriminator frozen": (_trainer(teach=(False, True)), "a discriminator that learns"),
    "generator frozen": (_trainer(teach=(True, False)), "a generator that learns"),
    "discriminator's step moves the generator": (_trainer(pull_back=True), "pulls it back"),
    "inference in the step": (_trainer(training=False), "never gets to know its data"),
    "training for the pictures": (_trainer(drawn_in_training=True), "normalised by each other"),
    "half of the loss": (_trainer(half=True), "not half of it"),
    "columns exchanged": (_trainer(turned=True), "in the first column"),
    "pictures of the last epoch only": (_trainer(late=True), "again and again"),
    "a loss for each epoch": (_trainer(each=False), "the losses, of every step"),
}

# --- 18.1f --------------------------------------------------------------------------------------------------


def _entropy(shares: np.ndarray) -> float:
    """Entropy in nats, with 0 ln 0 = 0."""
    return -sum(float(share) * float(np.log(share)) for share in shares if share > 0)


@task("18.1f", section="18.2.4")
def class_coverage(student: Any, random: np.random.Generator) -> str:
    probability = random.dirichlet([0.2, 0.3, 0.4, 0.6, 0.9, 1.2], size=400)
    answer = student(probability)
    expect.is_tuple(answer, 2, name="shares, effective number")
    shares, effective = answer
    expect.shape(shares, (6,), name="the shares")
    expect.finite(shares, name="the shares")
    expect.number(effective, name="the effective number")
    right = np.array([np.mean(probability.argmax(axis=1) == k) for k in range(6)])
    expect.differs(
        shares,
        probability.mean(axis=0),
        because="each picture counts for its most probable class; this is the mean of the probabilities",
    )
    expect.differs(shares, right * 400, because="shares that add up to 1, not numbers of pictures")
    entropy = _entropy(right)
    known = {
        "the exponential of the entropy, a number of classes": entropy,
        "an entropy in nats, since it goes into exp; this one is in bits": np.exp(entropy / np.log(2)),
        "the exponential of the entropy; 1 over the sum of squares is another effective number": 1 / np.sum(right**2),
        "an effective number: rare classes count less than frequent ones": float(np.count_nonzero(right)),
        "the entropy of the shares of all pictures, not the mean entropy of single ones": np.exp(
            np.mean([_entropy(row) for row in probability])
        ),
        "minus the sum of s ln s: the effective number is at least 1": np.exp(-entropy),
    }
    for because, wrong in known.items():
        expect.differs(effective, wrong, because=because)
    one, half = np.eye(6)[np.full(50, 4)], np.eye(6)[np.arange(60) % 3]
    for name, given, wanted in [("one class", one, 1.0), ("three classes of six", half, 3.0)]:
        expect.close(
            np.asarray(student(given)[1], float),
            np.asarray(wanted),
            rtol=1e-6,
            because="1 where all are of one class, and m for equal shares of m classes; missing ones count nothing",
            name=f"the effective number for {name}",
            rung="physics",
        )
    expect.close(shares, right, because="the share of the pictures that are named so", name="the shares")
    expect.close(effective, np.exp(entropy), because="exp(H) of the shares", name="the effective number")
    return f"{float(effective):.2f} effective classes of six"


def _coverage(rule: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong class_coverage() with the right shares."""

    def class_coverage(probability: Any) -> Any:
        best = np.asarray(probability).argmax(axis=1)
        shares = np.array([np.mean(best == k) for k in range(probability.shape[1])])
        with np.errstate(divide="ignore", invalid="ignore"):
            return shares, rule(shares)

    return class_coverage


def _mean_probability(probability: Any) -> Any:
    shares = np.asarray(probability).mean(axis=0)
    return shares, np.exp(_entropy(shares))


def _only_present(probability: Any) -> Any:
    _, counts = np.unique(probability[:, :5].argmax(axis=1), return_counts=True)
    return counts / counts.sum(), np.exp(_entropy(counts / counts.sum()))


class_coverage.hints = (
    "probability.argmax(axis=1) names each picture; np.bincount counts, with minlength=10 for classes without any.",
    "The entropy is minus the sum of s ln s over the classes that have pictures.",
    "np.exp of it is the effective number: 10 for ten equal shares.",
)
class_coverage.mistakes = {
    "mean probability": (_mean_probability, "the mean of the probabilities"),
    "counts": (
        lambda probability: (np.bincount(np.asarray(probability).argmax(axis=1), minlength=6), 3.0),
        "not numbers of pictures",
    ),
    "entropy": (_coverage(_entropy), "a number of classes"),
    "bits": (_coverage(lambda s: np.exp(_entropy(s) / np.log(2))), "this one is in bits"),
    "squares": (_coverage(lambda s: 1 / np.sum(s**2)), "is another effective number"),
    "number of classes present": (_coverage(np.count_nonzero), "count less than frequent ones"),
    "sign": (_coverage(lambda s: np.exp(-_entropy(s))), "is at least 1"),
    "nan for missing classes": (_coverage(lambda s: np.exp(-(s * np.log(s)).sum())), "missing ones count nothing"),
    "classes missing": (_only_present, "an array of shape (6,)"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "M18.5-q1",
    question="A discriminator is trained to perfection before the generator makes its first step. What does the "
    "generator learn with the loss ln(1 - d)?",
    options=(
        "It learns fastest, since a perfect discriminator gives the best advice.",
        "Almost nothing: the slope of this loss vanishes where d is near 0.",
        "It copies the training pictures.",
        "It learns the likelihood ratio of real pictures and fakes.",
    ),
    answer=2,
    explanation="The Jensen-Shannon divergence of two distributions that do not overlap is a constant. With -ln d the "
    "slope in the logit stays near 1; a Wasserstein critic goes further and says how far it is.",
)
quiz(
    "18.1-q1",
    question="In the middle of the training the generator's loss rises slowly. What do you conclude?",
    options=(
        "The pictures become worse: stop the training.",
        "The learning rate is too small.",
        "Nothing yet: the discriminator has become better, too. Look at numbers that do not depend on it.",
        "The generator has copied the training set.",
    ),
    answer=3,
    explanation="Each loss is measured against an opponent who learns. The AUC of a fresh classifier and the shares of "
    "the classes have a scale that stays.",
)
quiz(
    "18.1-q2",
    question="A generator gets an AUC of 0.50 against test pictures, ten effective classes, and the precision and "
    "recall of real samples. The median distance from its pictures to the nearest training picture is 0. What is it?",
    options=(
        "A perfect generator.",
        "A generator that has collapsed to one mode.",
        "A generator with too few latent numbers.",
        "A memory of the training pictures.",
    ),
    answer=4,
    explanation="Copies of training pictures are distributed as test pictures are. Only a question about the training "
    "set itself finds them out.",
)
