"""Checks of chapter 12: what networks of pictures and digits look at, and class activation maps of lattices."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, fast, quiz, reference, task
from dlphys.checks.proxy import answered
from dlphys.datasets import _images, _source

MULTIPLICATIONS = 15e6  # of the convolutions, for one picture
TARGETS = {"12.1b": 0.70, "12.2a": 0.98}  # what the book asks for, on real data
EPOCHS = 3  # as in the notebook

Sets = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _drawn(
    name: str, n_train: int, n_test: int, random: np.random.Generator, stand_in: bool | None = None
) -> tuple[Sets, str]:
    """Some training and test images of a set with their classes, and the source; never the whole set as floats."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arrays, source = _source.obtain(name, stand_in, lambda: _images._made(name), caller_depth=4)
    sets: list[np.ndarray] = []
    for part, n in (("train", n_train), ("test", n_test)):
        rows = random.permutation(len(arrays[f"x_{part}"]))[:n]
        x = arrays[f"x_{part}"][rows].astype(np.float32) / 255
        sets += [x if x.ndim == 4 else x[..., None], arrays[f"y_{part}"][rows].astype(np.int64).ravel()]
    return (sets[0], sets[1], sets[2], sets[3]), source


def _share(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Share of right answers of a proxy of a model; in small batches, since feature maps are large."""
    parts = np.array_split(np.arange(len(x)), max(1, len(x) // 200))
    found = np.concatenate([np.asarray(model.predict(x[rows])).argmax(axis=1) for rows in parts])
    return float(np.mean(found == y))


def _judged(id: str, reached: float, source: str, made_already: bool) -> None:
    """On real data the book's target for the notebook's network, the measured bar for everything else."""
    if made_already and source != "stand-in" and not fast():
        expect.at_least(
            reached,
            TARGETS[id],
            because=f"at least {TARGETS[id]:.0%}, which the book asks for on the real images",
            name="the accuracy on test images",
            rung="value",  # no bar of the statistical kind: a training in small, as when grading, cannot make up for it
        )
    else:
        expect.reaches(id, reached, source=source, name="the accuracy on test images")


def _convolutions(model: Any) -> list[dict[str, Any]]:
    return [layer for layer in model.layers if layer["class_name"] == "Conv2D"]


# --- 12.1a ------------------------------------------------------------------------------------------------


@task("12.1a", section="12.4")
def build_cnn(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(4, 32, 32, 3), is_=(4, 10))
    expect.has_layers(model, "Conv2D", because="convolutions, which share their weights between all places")
    expect.activation(model, is_="softmax", because="ten scores that add up to 1: a softmax over the classes")
    first = _convolutions(model)[0]["config"]["kernel_size"]
    expect.equal(
        tuple(first),
        (5, 5),
        because="filters of 5 x 5 pixels in the first layer, to be looked at later",
        name="the size of the first filters",
        rung="known mistake",
    )
    pictures = random.uniform(size=(16, 32, 32, 3)).astype(np.float32)
    others = random.uniform(size=(16, 32, 32, 3)).astype(np.float32)
    between = 2 * _centred(model, (pictures + others) / 2)
    expect.at_least(
        np.abs(between - _centred(model, pictures) - _centred(model, others)).max(),
        1e-5,
        because="an activation such as ReLU after the convolutions: without one the network is a single linear map",
        name="the non-linear part of the scores",
    )
    cost = sum(_multiplications(layer) for layer in _convolutions(model))
    expect.at_most(
        cost,
        MULTIPLICATIONS,
        because="at most 15 million multiplications for one picture: a stride of 2 in the first layer, pooling early",
        name="the number of multiplications in convolutions",
    )
    return f"{cost / 1e6:.1f} million multiplications a picture, {model.count_params()} parameters"


def _multiplications(layer: dict[str, Any]) -> int:
    """Of a convolution: each weight once for every pixel of the output."""
    _, height, width, maps = layer["output_shape"]
    return int((layer["params"] - maps * layer["config"]["use_bias"]) * height * width)


def _centred(model: Any, x: np.ndarray) -> np.ndarray:
    """What stands in front of the softmax, up to what is common to all classes."""
    logarithm = np.log(np.maximum(np.asarray(model.predict(x), float), 1e-30))
    return np.asarray(logarithm - logarithm.mean(axis=1, keepdims=True))


def _network(
    *,
    maps: tuple[int, ...] = (16, 32, 48),
    size: int = 5,
    stride: int = 2,
    activation: str | None = "relu",
    last: str | None = "softmax",
    outputs: int = 10,
    shape: tuple[int, ...] = (32, 32, 3),
    name: str | None = None,
) -> Callable[[], Any]:
    """A build_cnn() with the given choices, right or wrong."""

    def build_cnn() -> Any:
        import keras
        from keras import layers

        model = keras.Sequential([keras.Input(shape), layers.Rescaling(4.0, -2.0)], name=name)
        for number, filters in enumerate(maps):
            if number:
                model.add(layers.Conv2D(filters, 3, padding="same"))
            else:
                model.add(layers.Conv2D(filters, size, strides=stride, padding="same"))
            for layer in (layers.BatchNormalization(momentum=0.9), layers.Activation(activation)):
                model.add(layer)
            if number:
                model.add(layers.MaxPooling2D() if activation else layers.AveragePooling2D(2))
        for layer in (layers.GlobalAveragePooling2D(), layers.Dense(outputs, activation=last)):
            model.add(layer)
        return model

    return build_cnn


def _dense() -> Any:
    import keras
    from keras import layers

    return keras.models.Sequential(
        [keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(10, "softmax")]
    )


build_cnn.hints = (
    "A first convolution with filters of 5 x 5, strides=2 and 16 to 32 maps; then two or three of 3 x 3 with more and "
    "more maps, each followed by batch normalisation, ReLU, and a pooling.",
    "Count: a convolution from 32 to 48 maps with 3 x 3 pixels has 13 824 weights; on 16 x 16 pixels that makes 3.5 "
    "million multiplications, on 32 x 32 four times as many.",
    "At the end a global average pooling and Dense(10) with a softmax. Pixels from 0 to 1 are better centred: begin "
    "with layers.Rescaling.",
)
build_cnn.mistakes = {
    "dense network": (_dense, "share their weights"),
    "sigmoid at the end": (_network(last="sigmoid"), "sigmoid at the output"),
    "no softmax": (_network(last=None), "linear at the output"),
    "small first filters": (_network(size=3), "to be looked at later"),
    "no activation": (_network(activation=None), "single linear map"),
    "no stride": (_network(maps=(32, 48, 64), stride=1), "at most 15 million"),
    "one output": (_network(outputs=1), "output of shape (4, 10)"),
}

# --- 12.1b ------------------------------------------------------------------------------------------------

N_PICTURES, N_TEST = 4_000, 4_000  # training and test pictures of the check
GIVEN = _network(maps=(16, 24, 32))  # the network that a training function gets from the check


@task("12.1b", section="12.4")
def train_cnn(student: Any, random: np.random.Generator) -> str:
    ready = answered(student)
    (x, y, x_test, y_test), source = _drawn("cifar10", 1 if ready else N_PICTURES, N_TEST, random)
    model = student(GIVEN(), x, y, x_test[:200], y_test[:200], EPOCHS, [])
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(4, 32, 32, 3), is_=(4, 10))
    expect.loss(
        model,
        "sparse_categorical_crossentropy",
        because="the sparse categorical cross-entropy, the loss for numbers of classes",
    )
    reached = _share(model, x_test, y_test)
    expect.at_least(
        reached,
        0.15,
        because="more than guessing, which gives one in ten: has fit() been called, with the training data?",
        name="the accuracy on test images",
    )
    _judged("12.1b", reached, source, ready)
    return f"{reached:.1%} of {N_TEST} test images are classified correctly"


def _reached(stand_in: bool, seed: int) -> float:
    """Accuracy of the check's network after the reference's training."""
    import keras

    keras.utils.set_random_seed(seed)
    (x, y, x_test, y_test), _ = _drawn("cifar10", N_PICTURES, N_TEST, np.random.default_rng(seed), stand_in)
    with contextlib.redirect_stdout(io.StringIO()):
        model = reference("12.1b")(GIVEN(), x, y, x_test[:200], y_test[:200], EPOCHS, [])
    return float(np.mean(model.predict(x_test, batch_size=500, verbose=0).argmax(axis=1) == y_test))


@bar("12.1b", better="higher", unit="", source="stand-in")
def measure_drawn(seed: int) -> float:
    return _reached(True, seed)


@bar("12.1b", better="higher", unit="", source="real")
def measure_photographs(seed: int) -> float:
    return _reached(False, seed)


def _training(
    *, loss: str = "sparse_categorical_crossentropy", compiled: bool = True, fitted: bool = True, history: bool = False
) -> Callable[..., Any]:
    """A train_cnn() with the given choices, on a few pictures."""

    def train_cnn(
        model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int, callbacks: Any
    ) -> Any:
        if compiled:
            model.compile("adam", loss)
        record = model.fit(x_train[:64], y_train[:64], verbose=0) if compiled and fitted else None
        return record if history else model

    return train_cnn


def _another_network(
    model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int, callbacks: Any
) -> Any:
    """Trains a network with two small convolutions in place of the one given."""
    own = _network(maps=(8, 8))()
    own.compile("adam", "sparse_categorical_crossentropy")
    own.fit(x_train, y_train, batch_size=64, epochs=2, verbose=0)
    return own


train_cnn.hints = (
    "model.compile(optimizer=..., loss=..., metrics=['accuracy'], steps_per_execution=16), then model.fit(...), then "
    "return model. The loss for class numbers begins with 'sparse'.",
    "steps = epochs * len(batches); the learning rate is a keras.optimizers.schedules.CosineDecay that warms up to "
    "warmup_target=5e-3 within a quarter of the steps and decays over the other three quarters.",
    "CosineDecay(small, decay_steps, warmup_target=5e-3, warmup_steps=steps // 4) goes into keras.optimizers.Adam; "
    "fit gets the batches, epochs, validation_data as a pair, callbacks.",
)
train_cnn.mistakes = {
    "returns the history": (_training(history=True), "not its history"),
    "not compiled": (_training(compiled=False), "a compiled model"),
    "mean squared error": (_training(loss="mse", fitted=False), "numbers of classes"),
    "compiled, not fitted": (_training(fitted=False), "has fit() been called"),
    "another network than the one given": (_another_network, "99 of 100 runs"),
}

# --- 12.1c ------------------------------------------------------------------------------------------------


@task("12.1c", section="12.4")
def confusion_matrix(student: Any, random: np.random.Generator) -> str:
    n = 6
    truth = random.integers(0, n - 1, 500)  # the last class does not occur
    predicted = np.where(random.uniform(size=500) < 0.7, truth, random.integers(0, n - 1, 500))
    right = np.array([[np.sum((truth == i) & (predicted == j)) for j in range(n)] for i in range(n)])
    answer = student(truth, predicted, n)
    expect.shape(answer, (n, n), name="the matrix (one row and column for every class, also where it is empty)")
    expect.finite(answer, name="the matrix")
    occurring = np.maximum(right.sum(axis=1, keepdims=True), 1)
    expect.differs(answer, right.T, because="true classes in the rows, predicted ones in the columns")
    expect.differs(answer, right / occurring, because="numbers of events, not shares of the true class")
    expect.differs(answer, right / 500, because="numbers of events, not shares of all events")
    expect.differs(answer, right - np.diag(np.diag(right)), because="the right answers too: they are the diagonal")
    expect.differs(
        answer,
        np.minimum(right, 1),
        because="each pair counted as often as it occurs: matrix[a, b] += 1 with arrays a, b adds only once",
    )
    perfect = student(truth, truth, n)
    expect.close(
        perfect,
        np.diag(np.bincount(truth, minlength=n)),
        because="a perfect classifier: only the diagonal",
        rung="physics",
        name="the matrix of a perfect classifier",
    )
    expect.close(np.sum(answer), 500, because="every event once", name="the sum of all entries", rung="physics")
    expect.equal(answer, right, because="the numbers of events", name="the matrix")
    return "the share of right answers is the trace over the sum"


def _confusion(change: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> Any:
        counts = np.bincount(n_classes * truth + predicted, minlength=n_classes**2)
        return change(counts.reshape(n_classes, n_classes))

    return confusion_matrix


confusion_matrix.hints = (
    "Begin with np.zeros((n_classes, n_classes), int) and go through the events, or through the pairs of classes.",
    "np.add.at adds repeatedly at the same place; matrix[truth, predicted] += 1 does not.",
    "for i, j in zip(truth, predicted): the entry in row i and column j grows by one.",
)
confusion_matrix.mistakes = {
    "transposed": (_confusion(lambda c: c.T), "predicted ones in the columns"),
    "shares of the true class": (_confusion(lambda c: c / np.maximum(c.sum(1, keepdims=True), 1)), "of the true class"),
    "shares of all": (_confusion(lambda c: c / c.sum()), "shares of all events"),
    "errors only": (_confusion(lambda c: c - np.diag(np.diag(c))), "they are the diagonal"),
    "added once": (_confusion(lambda c: np.minimum(c, 1)), "adds only once"),
    "empty class left out": (_confusion(lambda c: c[:-1, :-1]), "also where it is empty"),
}

# --- 12.1d ------------------------------------------------------------------------------------------------


@task("12.1d", section="12.4")
def surest_errors(student: Any, random: np.random.Generator) -> str:
    n, count = 200, 7
    scores = np.exp(2 * random.normal(size=(n, 5)))
    scores /= scores.sum(axis=1, keepdims=True)
    best = scores.argmax(axis=1)
    truth = np.where(random.uniform(size=n) < 0.6, best, random.integers(0, 5, n))
    errors = np.flatnonzero(best != truth)
    highest = scores.max(axis=1)
    right = errors[np.argsort(-highest[errors])]
    answer = student(scores, truth, count)
    expect.shape(answer, (count,), name="the answer")
    for wrong, because in (
        (np.argsort(-highest)[:count], "wrongly classified pictures only"),
        (
            np.arange(len(errors))[np.argsort(-highest[errors])][:count],
            "row numbers among all pictures, not among the errors: look them up",
        ),
        (right[::-1][:count], "the surest errors, not the least sure ones"),
        (right[:count][::-1], "the highest score first"),
        (highest[right[:count]], "row numbers, not the scores"),
        (
            errors[np.argsort(scores[errors, truth[errors]])][:count],
            "ordered by the score of the predicted class, not by that of the true one",
        ),
        (errors[:count], "ordered by the score"),
    ):
        expect.differs(answer, wrong, because=because)
    few = student(scores[errors[:3]], truth[errors[:3]], count)
    expect.shape(few, (3,), name="the answer where there are only three errors")
    none = student(scores, best, count)
    expect.shape(none, (0,), name="the answer where everything is right")
    expect.equal(answer, right[:count], because="the errors in the order of their highest score")
    return f"the surest of {len(errors)} errors has a score of {highest[right[0]]:.2f}"


def _errors(change: Callable[[Any, Any, Any, Any], Any], *, cut: bool = True) -> Callable[..., Any]:
    """A wrong surest_errors(): rows made from scores, truth, the errors and the highest scores."""

    def surest_errors(scores: np.ndarray, truth: np.ndarray, count: int) -> Any:
        wrong = np.flatnonzero(scores.argmax(axis=1) != truth)
        found = change(scores, truth, wrong, scores.max(axis=1))
        return found[:count] if cut else found

    return surest_errors


surest_errors.hints = (
    "np.flatnonzero(condition) gives the rows where a condition holds; the predicted class is scores.argmax(axis=1).",
    "np.argsort sorts upwards: sort the negative of the highest scores of the errors.",
    "errors[order] are rows among all pictures; the first `count` of them are the answer.",
)
surest_errors.mistakes = {
    "right ones as well": (_errors(lambda s, t, e, h: np.argsort(-h)), "wrongly classified pictures only"),
    "places among the errors": (_errors(lambda s, t, e, h: np.argsort(-h[e])), "look them up"),
    "least sure": (_errors(lambda s, t, e, h: e[np.argsort(h[e])]), "not the least sure"),
    "score of the true class": (_errors(lambda s, t, e, h: e[np.argsort(s[e, t[e]])]), "not by that of the true one"),
    "not ordered": (_errors(lambda s, t, e, h: e), "ordered by the score\n"),
    "all errors": (_errors(lambda s, t, e, h: e[np.argsort(-h[e])], cut=False), "an array of shape (7,)"),
    "scores": (_errors(lambda s, t, e, h: -np.sort(-h[e])), "not the scores"),
}

# --- 12.1e ------------------------------------------------------------------------------------------------


@task("12.1e", section="12.2")
def filter_images(student: Any, random: np.random.Generator) -> str:
    kernel = (random.normal(size=(5, 3, 3, 6)) * np.exp(random.normal(size=6))).astype(np.float32)
    answer = student(kernel)
    expect.shape(answer, (6, 5, 3, 3), name="the pictures")
    expect.finite(answer, name="the pictures")
    filters = kernel.transpose(3, 0, 1, 2)
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    low, high = filters.min(axis=(1, 2, 3), keepdims=True), filters.max(axis=(1, 2, 3), keepdims=True)
    for wrong, because in (
        (0.5 + 0.5 * kernel.reshape(6, 5, 3, 3) / largest, "axes moved, not numbers poured into another shape"),
        (0.5 + 0.5 * filters / np.abs(filters).max(), "each filter on its own scale"),
        ((filters - low) / (high - low), "zero as grey, 0.5: between minimum and maximum it is any shade"),
        (0.5 + 0.5 * filters / np.abs(filters).max(axis=(1, 2), keepdims=True), "one scale for the three colours"),
        (filters / largest, "values from 0 to 1, with zero at 0.5"),
        (np.abs(filters) / largest, "negative weights darker than zero: the sign matters"),
        (
            0.5 + 0.5 * filters / filters.max(axis=(1, 2, 3), keepdims=True),
            "the largest modulus of the weights: it may belong to a negative one",
        ),
    ):
        expect.differs(answer, wrong, because=because, rtol=1e-4, atol=1e-6)
    expect.close(
        np.asarray(student(-kernel)) + answer,
        np.ones(answer.shape),
        atol=1e-5,
        rung="physics",
        because="the negative of a filter is the negative of its picture",
    )
    expect.close(
        student(3 * kernel),
        answer,
        atol=1e-5,
        because="a stronger filter of the same pattern looks the same",
        rung="physics",
    )
    expect.close(answer, 0.5 + 0.5 * filters / largest, atol=1e-5, because="0.5 + w / (2 max|w|)", name="the pictures")
    return "grey is zero, and no filter is paler than another"


def _pictures(change: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], Any]:
    return lambda kernel: change(np.transpose(kernel, (3, 0, 1, 2)))


def filter_images_poured(kernel: np.ndarray) -> np.ndarray:
    poured = kernel.reshape(kernel.shape[-1], *kernel.shape[:-1])
    largest = np.abs(kernel).max(axis=(0, 1, 2)).reshape(-1, 1, 1, 1)
    return np.asarray(0.5 + 0.5 * poured / largest)


filter_images.hints = (
    "np.moveaxis(a, -1, 0) brings the last axis to the front; reshape would mix the numbers.",
    "The largest modulus of each filter: np.abs(...).max over its three axes, with keepdims=True.",
    "Half of the quotient lies between -0.5 and 0.5; add 0.5.",
)
filter_images.mistakes = {
    "reshape": (filter_images_poured, "poured into another shape"),
    "one scale for all": (_pictures(lambda f: 0.5 + 0.5 * f / np.abs(f).max()), "on its own scale"),
    "from minimum to maximum": (
        _pictures(lambda f: (f - f.min((1, 2, 3), keepdims=True)) / np.ptp(f, (1, 2, 3), keepdims=True)),
        "zero as grey",
    ),
    "a scale for each colour": (
        _pictures(lambda f: 0.5 + 0.5 * f / np.abs(f).max((1, 2), keepdims=True)),
        "one scale for the three colours",
    ),
    "from -1 to 1": (_pictures(lambda f: f / np.abs(f).max((1, 2, 3), keepdims=True)), "with zero at 0.5"),
    "modulus": (_pictures(lambda f: np.abs(f) / np.abs(f).max((1, 2, 3), keepdims=True)), "the sign matters"),
    "largest weight": (_pictures(lambda f: 0.5 + 0.5 * f / f.max((1, 2, 3), keepdims=True)), "a negative one"),
    "axes as they were": (lambda kernel: 0.5 + 0.5 * kernel / np.abs(kernel).max(), "an array of shape (6, 5, 3, 3)"),
}

# --- 12.1f ------------------------------------------------------------------------------------------------


def _small(random: np.random.Generator) -> Any:
    """A network with normalisations that have settled at numbers of their own."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((10, 8, 2)),
            layers.Conv2D(4, 3, padding="same", name="first"),
            layers.BatchNormalization(name="normalised"),
            layers.ReLU(name="rectified"),
            layers.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="second"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    _, _, mean, variance = model.get_layer("normalised").get_weights()
    settled = [random.normal(size=4), random.normal(size=4), random.normal(size=mean.shape)]
    model.get_layer("normalised").set_weights([*settled, random.uniform(0.2, 0.5, variance.shape)])
    return model


def _outputs(model: Any, x: np.ndarray, names: Any, *, training: bool = False) -> list[np.ndarray]:
    found, settled = {}, model.get_weights()
    for layer in model.layers:
        x = layer(x, training=training) if type(layer).__name__ == "BatchNormalization" else layer(x)
        found[layer.name] = np.asarray(x)
    model.set_weights(settled)  # training moves the averages of a normalisation
    return [found[name] for name in names]


@task("12.1f", section="12.2")
def feature_maps(student: Any, random: np.random.Generator) -> str:
    model = _small(random)
    pictures = random.normal(size=(3, 10, 8, 2)).astype(np.float32)
    names = ["rectified", "second"]
    right = _outputs(model, pictures, names)
    answer = student(model, pictures, names)
    expect.is_tuple(answer, 2, name="the outputs of two layers")
    shapes = [np.shape(maps) for maps in answer]
    expect.holds(
        shapes != [maps.shape for maps in right[::-1]],
        because="the layers in the order of the names",
        seen=f"shapes {shapes[0]} and {shapes[1]}",
        rung="known mistake",
    )
    for maps, wanted, name in zip(answer, right, names, strict=True):
        expect.shape(maps, wanted.shape, name=f"the maps of {name}")
        expect.finite(maps, name=f"the maps of {name}")
    batch = _outputs(model, pictures, names, training=True)
    expect.differs(
        answer[0],
        batch[0],
        because="the moving averages of the normalisation, as in predict: training=False",
        rtol=1e-3,
        atol=1e-3,
    )
    before = _outputs(model, pictures, ["normalised"])[0]
    expect.differs(answer[0], before, because="the output of the layer named, not what enters it", atol=1e-3)
    first = student(model, pictures[:1], names)
    expect.close(
        first[0], answer[0][:1], atol=1e-3, because="the maps of a picture alone as in company", rung="physics"
    )
    for maps, wanted, name in zip(answer, right, names, strict=True):
        expect.close(maps, wanted, atol=1e-3, because=f"the output of the layer {name}", name=f"the maps of {name}")
    back = student(model, pictures, names[::-1])
    expect.close(
        back[0], right[1], atol=1e-3, because="whatever order of names is asked for", name="the second layer's maps"
    )
    return "the weights are shared with the model: nothing was trained"


def _mapped(change: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    def feature_maps(model: Any, pictures: np.ndarray, names: Any) -> Any:
        return change(model, pictures, names)

    return feature_maps


feature_maps.hints = (
    "model.get_layer(name).output is the symbolic output of a layer.",
    "keras.Model(model.inputs[0], [first, second]) gives both outputs for every call.",
    "Call this second model with the pictures and training=False, and turn each answer into an array with np.asarray.",
)
feature_maps.mistakes = {
    "batch normalisation in training": (
        _mapped(lambda model, x, names: _outputs(model, x, names, training=True)),
        "training=False",
    ),
    "inputs of the layers": (
        _mapped(lambda model, x, names: _outputs(model, x, ["normalised", names[1]])),
        "not what enters it",
    ),
    "in another order": (_mapped(lambda model, x, names: _outputs(model, x, names[::-1])), "order of the names"),
    "weights": (
        _mapped(lambda model, x, names: [w for w in model.get_weights() if w.ndim == 4]),
        "the maps of rectified: an array",
    ),
    "last layer only": (_mapped(lambda model, x, names: _outputs(model, x, names)[-1]), "the outputs of two layers"),
    "all pictures scaled to one": (
        _mapped(lambda model, x, names: [m / m.max() for m in _outputs(model, x, names)]),
        "as in company",
    ),
    "without the second": (
        _mapped(lambda model, x, names: [*_outputs(model, x, names[:1]), 0 * _outputs(model, x, ["second"])[0]]),
        "the output of the layer second",
    ),
}

# --- 12.2a ------------------------------------------------------------------------------------------------

N_DIGITS, N_TEST_DIGITS = 6_000, 4_000  # training and test digits of the check


@task("12.2a", section="12.4")
def train_digits(student: Any, random: np.random.Generator) -> str:
    ready = answered(student)
    (x, y, x_test, y_test), source = _drawn("mnist", 1 if ready else N_DIGITS, N_TEST_DIGITS, random)
    model = student(x, y, x_test[:200], y_test[:200], EPOCHS)
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(4, 28, 28, 1), is_=(4, 10))
    number = len(_convolutions(model))
    expect.at_least(
        number,
        3,
        because="at least three convolutional layers, so that there are early and late ones to compare",
        name="the number of Conv2D layers",
        rung="known mistake",
    )
    expect.activation(model, is_="softmax", because="ten scores that add up to 1: a softmax over the digits")
    reached = _share(model, x_test, y_test)
    expect.at_least(
        reached,
        0.3,
        because="much more than guessing, one in ten: has the network been trained, with these digits?",
        name="the accuracy on test digits",
    )
    _judged("12.2a", reached, source, ready)
    return f"{reached:.1%} of {N_TEST_DIGITS} test digits are classified correctly, with {number} convolutions"


def _digits_reached(stand_in: bool, seed: int) -> float:
    """Accuracy of the reference, trained on the digits of the check."""
    import keras

    keras.utils.set_random_seed(seed)
    (x, y, x_test, y_test), _ = _drawn("mnist", N_DIGITS, N_TEST_DIGITS, np.random.default_rng(seed), stand_in)
    with contextlib.redirect_stdout(io.StringIO()):
        model = reference("12.2a")(x, y, x_test[:200], y_test[:200], EPOCHS)
    return float(np.mean(model.predict(x_test, batch_size=500, verbose=0).argmax(axis=1) == y_test))


@bar("12.2a", better="higher", unit="", source="stand-in")
def measure_stand_in_digits(seed: int) -> float:
    return _digits_reached(True, seed)


@bar("12.2a", better="higher", unit="", source="real")
def measure_digits(seed: int) -> float:
    return _digits_reached(False, seed)


def _digits(
    *, maps: tuple[int, ...] = (8, 16, 16), last: str = "softmax", steps: int = 1, history: bool = False
) -> Callable[..., Any]:
    """A wrong train_digits()."""

    def train_digits(x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
        model = _network(maps=maps, shape=(28, 28, 1), last=last)()
        model.compile("adam", "sparse_categorical_crossentropy")
        record = None
        for _ in range(steps):
            record = model.fit(x_train[:64], y_train[:64], verbose=0)
        return record if history else model

    return train_digits


def _slow_digits(x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
    """Three convolutions, trained with a small learning rate."""
    model = _network(maps=(8, 16, 16), shape=(28, 28, 1))()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x_train, y_train, batch_size=64, epochs=3, verbose=0)
    return model


train_digits.hints = (
    "As in 12.1a, for (28, 28, 1): three times convolution, batch normalisation, ReLU; a pooling or stride in between.",
    "16, 24 and 32 maps are enough. Compile and train as in 12.1b, or call train_cnn with an empty list of callbacks.",
    "End with global average pooling and Dense(10, activation='softmax'), train for `epochs` epochs, return the model.",
)
train_digits.mistakes = {
    "two convolutions": (_digits(maps=(8, 16)), "early and late ones"),
    "sigmoid": (_digits(last="sigmoid"), "a softmax over the digits"),
    "not trained on all digits": (_digits(), "has the network been trained"),
    "small learning rate": (_slow_digits, "99 of 100 runs"),
    "returns the history": (_digits(history=True), "not its history"),
}

# --- 12.2b ------------------------------------------------------------------------------------------------


def _linear(kernel: np.ndarray) -> Any:
    """A network whose maps have one pixel each: the scalar products of the image with the kernels."""
    import keras

    size = kernel.shape[0]
    convolution = keras.layers.Conv2D(kernel.shape[-1], size, use_bias=False)
    model = keras.Sequential([keras.Input((size, size, 1)), convolution])
    convolution.set_weights([kernel])
    return model


def _rectifier() -> Any:
    """Two maps: the positive part of each pixel, and that of its negative."""
    import keras

    convolution = keras.layers.Conv2D(2, 1, use_bias=False, activation="relu")
    model = keras.Sequential([keras.Input((8, 8, 1)), convolution])
    convolution.set_weights([np.array([[[[1.0, -1.0]]]])])
    return model


def _hill(tops: np.ndarray) -> Any:
    """Maps -(x - top)^2, one for each top: the optimum is known."""
    import keras
    from keras import layers

    image = keras.Input((6, 6, 1))
    shift, turn = layers.Conv2D(len(tops), 1), layers.Rescaling(-1.0)
    away = shift(image)
    model = keras.Model(image, turn(layers.Multiply()([away, away])))
    shift.set_weights([np.ones((1, 1, 1, len(tops))), -tops])
    return model


@task("12.2b", section="12.2.2")
def maximise(student: Any, random: np.random.Generator) -> str:
    kernel = random.normal(size=(6, 6, 1, 3)).astype(np.float32)
    start = random.normal(size=(5, 6, 6, 1)).astype(np.float32)
    channels, steps, size = np.array([0, 2, 1, 1, 0]), 4, 0.5
    answer = student(_linear(kernel), channels, start, steps, size)
    expect.is_tuple(answer, 2, name="images, means")
    images, means = answer
    expect.shape(images, start.shape, name="the images")
    expect.shape(means, (steps + 1, 5), name="the means (before each step, and after the last)")
    expect.finite(images, name="the images")
    expect.finite(means, name="the means")
    w = kernel[..., channels].transpose(3, 0, 1, 2)
    rms = np.sqrt(np.mean(w**2, axis=(1, 2, 3), keepdims=True))
    everything = np.broadcast_to(kernel.sum(axis=-1)[None], start.shape)
    walked = images - start
    for wrong, because in (
        (-w / rms, "up the gradient, not down: x + step * gradient"),
        (w, "the gradient divided by its root mean square: a raw gradient has any size"),
        (w / (6 * rms), "the root of the mean square, not of the sum: a step of 1 then changes an average pixel by 1"),
        (w / np.sqrt(np.mean(w**2)), "the root mean square of each image by itself, not that of all of them"),
        (np.sign(w), "the gradient itself, not its signs: its small entries stay small"),
        (everything / np.sqrt(np.mean(everything**2)), "the map channels[i] for image i, not all maps"),
        (w / rms * (steps - 1) / steps, "as many steps as asked for"),
    ):
        expect.differs(walked, steps * size * wrong, because=because, rtol=1e-3, atol=1e-4)
    expect.close(
        walked,
        steps * size * w / rms,
        atol=1e-3,
        rtol=1e-3,
        rung="physics",
        name="the images",
        because="along the filter: the product of an image with a filter grows fastest in the direction of the filter",
    )
    before = np.sum(start * w, axis=(1, 2, 3))
    slope = size * np.sum(w**2 / rms, axis=(1, 2, 3))
    rise = before + np.arange(steps + 1)[:, None] * slope
    expect.close(
        means,
        rise,
        rtol=1e-3,
        atol=1e-3,
        name="the means",
        because="the mean of the own map of each image: before the first step that of the start, then after each step",
    )
    flat = random.normal(size=(2, 8, 8, 1)).astype(np.float32)
    pixels, _ = student(_rectifier(), np.array([0, 1]), flat, 1, 1.0)
    active = np.stack([flat[0] > 0, flat[1] < 0])
    strength = 1 / np.sqrt(active.mean(axis=(1, 2, 3), keepdims=True))
    expect.close(
        pixels,
        flat + active * strength * np.array([1, -1]).reshape(2, 1, 1, 1),
        atol=1e-3,
        rung="physics",
        because="the mean over all pixels of the map, not its largest one: every active pixel grows",
        name="the images",
    )
    tops = random.normal(size=2) * 3
    far = (tops[:, None, None, None] + 10 * random.normal(size=(2, 6, 6, 1))).astype(np.float32)
    end, climb = student(_hill(tops), np.array([0, 1]), far, 60, 0.5)
    first, last = (np.sqrt(np.mean((x - tops[:, None, None, None]) ** 2, axis=(1, 2, 3))) for x in (far, end))
    expect.at_most(
        last,
        0.6,
        because="the top of a hill -(x - a)^2 is reached up to the step size",
        name="the distance from the top",
    )
    until = int(first.min() / 0.5) - 1
    expect.at_least(
        np.diff(climb[:until], axis=0),
        0,
        because="a mean that rises with each step far from the top",
        name="the smallest rise in a step",
    )
    return f"on a hill with a known top: from {first.max():.1f} away to {last.max():.2f}, with steps of 0.5"


def _ascent(
    *,
    sign: float = 1.0,
    scale: Callable[[np.ndarray], Any] | None = None,
    own: bool = True,
    best: bool = False,
    ends: slice = slice(None),
    fewer: int = 0,
    replaced: bool = False,
) -> Callable[..., Any]:
    """A maximise() with the given choices, right or wrong."""

    def maximise(model: Any, channels: np.ndarray, start: np.ndarray, steps: int, step_size: float) -> Any:
        import keras

        from dlphys.autodiff import gradient

        chosen = np.eye(model.output_shape[-1], dtype=np.float32)[channels]

        def aim(x: Any) -> Any:
            reduce = keras.ops.max if best else keras.ops.mean
            maps = reduce(model(x), axis=(1, 2))
            return keras.ops.sum(maps * chosen if own else maps, axis=1)

        def unit(g: np.ndarray) -> Any:
            return g / np.sqrt(np.mean(g**2, axis=(1, 2, 3), keepdims=True) + 1e-20)

        x, record = np.array(start), [np.asarray(aim(start))]
        for _ in range(steps - fewer):
            g = np.asarray(gradient(aim, x))
            x = (start if replaced else x) + sign * step_size * (scale or unit)(g)
            record.append(np.asarray(aim(x)))
        record += [record[-1]] * fewer
        return x, np.array(record)[ends]

    return maximise


maximise.hints = (
    "Write a function objective(x) with keras.ops: the mean of model(x) over the axes 1 and 2 is (n, maps); multiplied "
    "with the one-hot channels and summed over the maps it is (n,).",
    "autodiff.gradient(objective, images) has the shape of the images. keras.ops.mean(..., axis=(1, 2, 3), "
    "keepdims=True) keeps one number for each image.",
    "In a loop: gradient, root mean square of each image, images = images + step_size * gradient / size; append the "
    "objective. A tiny number beside the size avoids 0/0.",
)
maximise.mistakes = {
    "descent": (_ascent(sign=-1.0), "not down"),
    "raw gradient": (_ascent(scale=lambda g: g), "a raw gradient has any size"),
    "norm": (_ascent(scale=lambda g: g / np.sqrt(np.sum(g**2, (1, 2, 3), keepdims=True))), "not of the sum"),
    "one size for all images": (_ascent(scale=lambda g: g / np.sqrt(np.mean(g**2))), "not that of all of them"),
    "signs": (_ascent(scale=np.sign), "not its signs"),
    "all maps": (_ascent(own=False), "not all maps"),
    "largest pixel of the map": (_ascent(best=True), "not its largest one"),
    "one step less": (_ascent(fewer=1), "as many steps as asked for"),
    "always from the start": (_ascent(replaced=True), "grows fastest in the direction"),
    "without the first mean": (_ascent(ends=slice(1, None)), "before each step, and after the last"),
}

# --- 12.2c ------------------------------------------------------------------------------------------------


@task("12.2c", section="12.2")
def receptive_field(student: Any, random: np.random.Generator) -> str:
    number = 6
    kernels = [int(k) for k in random.choice([2, 3, 5, 7], number)]
    strides = [int(random.choice([2, 3])), 1, 2, *(int(s) for s in random.integers(1, 3, number - 3))]
    strides[-1] = 2
    k, s = np.array(kernels), np.array(strides)
    answer = student(kernels, strides)
    answer = np.array(answer) if isinstance(answer, list | tuple) else answer
    expect.shape(answer, (number,), name="the receptive fields, one after each layer")
    jump = np.concatenate([[1], np.cumprod(s)[:-1]])
    for wrong, because in (
        (1 + np.cumsum(k - 1), "strides: after one of 2 each further pixel of a kernel lies two pixels apart"),
        (1 + np.cumsum((k - 1) * np.cumprod(s)), "the strides of the layers before, not the layer's own"),
        (np.cumsum((k - 1) * jump), "a start with the pixel itself: r_0 = 1"),
        (np.cumsum(k * jump), "kernel - 1 further pixels a layer: the kernels overlap"),
        (np.cumprod(k), "a sum over the layers: kernels overlap, fields do not multiply"),
        (1 + np.cumsum((k - 1) * np.concatenate([[1], s[:-1]])), "the product of all strides before, not the last one"),
    ):
        expect.differs(answer, wrong, because=because)
    expect.close(
        np.asarray(student([3] * 4, [1] * 4), float),
        [3, 5, 7, 9],
        rung="physics",
        because="four layers of 3 x 3: each adds one pixel on either side",
        name="the receptive fields",
    )
    expect.equal(
        answer, 1 + np.cumsum((k - 1) * jump), because="the recursion of the text", name="the receptive fields"
    )
    return f"kernels {kernels} with strides {strides}: {', '.join(str(int(r)) for r in answer)} pixels"


def _field(change: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    return lambda kernels, strides: change(np.array(kernels), np.array(strides))


receptive_field.hints = (
    "Keep two numbers while you go through the layers: the field r and the distance `jump` of neighbours in pixels.",
    "In each layer: r grows by (kernel - 1) * jump; after that jump is multiplied by the stride of this layer.",
    "np.cumprod([1, *strides[:-1]]) holds the jumps; the growths (kernel - 1) * jump are added up with np.cumsum.",
)
receptive_field.mistakes = {
    "strides forgotten": (_field(lambda k, s: 1 + np.cumsum(k - 1)), "lies two pixels apart"),
    "own stride": (_field(lambda k, s: 1 + np.cumsum((k - 1) * np.cumprod(s))), "not the layer's own"),
    "from zero": (_field(lambda k, s: np.cumsum((k - 1) * np.append(1, np.cumprod(s)[:-1]))), "r_0 = 1"),
    "kernels without overlap": (
        _field(lambda k, s: np.cumsum(k * np.append(1, np.cumprod(s)[:-1]))),
        "kernels overlap\n",
    ),
    "product": (_field(lambda k, s: np.cumprod(k)), "do not multiply"),
    "last stride only": (_field(lambda k, s: 1 + np.cumsum((k - 1) * np.append(1, s[:-1]))), "the product of all"),
    "last layer only": (_field(lambda k, s: int(1 + np.sum(k - 1))), "one after each layer"),
}

# --- 12.3a ------------------------------------------------------------------------------------------------


def _chosen(
    probability: np.ndarray, phase: np.ndarray, allowed: np.ndarray, sureness: np.ndarray, kinds: Any
) -> np.ndarray:
    called = probability > 0.5
    rows = []
    for right, p in kinds:
        candidates = np.flatnonzero(allowed & ((called == (phase == 1)) == right) & (phase == p))
        rows.append(candidates[np.argmax(sureness[candidates])])
    return np.array(rows)


KINDS = ((True, 1), (True, 0), (False, 1), (False, 0))


@task("12.3a", section="12.3.2")
def choose_lattices(student: Any, random: np.random.Generator) -> str:
    n, window = 600, 0.25
    distance = random.uniform(-1, 1, n)
    phase = (distance < 0).astype(int)
    probability = random.beta(2, 2, n)
    probability[:4] = 0.0, 1.0, 0.999, 0.001  # the surest ones lie far away
    distance[:4] = -0.9, 0.9, -0.8, 0.8
    phase[:4] = 1, 0, 1, 0
    answer = student(probability, phase, distance, window)
    answer = np.array(answer) if isinstance(answer, list | tuple) else answer
    expect.shape(answer, (4,), name="the answer, four row numbers")
    near, sure = np.abs(distance) <= window, np.abs(probability - 0.5)
    for allowed, sureness, kinds, because in (
        (near | True, sure, KINDS, "near the critical temperature only"),
        (distance <= window, sure, KINDS, "the modulus of the distance: lattices far below T_c are not near it"),
        (near, -sure, KINDS, "the surest lattices, not the most doubtful"),
        (near, probability, KINDS, "sure of either phase: for the paramagnetic one a small probability is a sure one"),
        (near, -np.abs(distance), KINDS, "the surest ones, not those nearest to the critical temperature"),
        (near, sure, (KINDS[2], KINDS[3], KINDS[0], KINDS[1]), "the right ones first"),
        (near, sure, (KINDS[1], KINDS[0], KINDS[3], KINDS[2]), "the ferromagnetic lattice of each pair first"),
    ):
        expect.differs(answer, _chosen(probability, phase, allowed, sureness, kinds), because=because)
    order = random.permutation(n)
    again = np.asarray(student(probability[order], phase[order], distance[order], window))
    expect.equal(
        order[again.astype(int)],
        np.asarray(answer).astype(int),
        rung="physics",
        name="the choice",
        because="the same lattices, in whatever order they are listed",
    )
    expect.equal(answer, _chosen(probability, phase, near, sure, KINDS), because="the surest of each of the four kinds")
    return "two right and two wrong, one of each phase"


def _choice(change: Callable[[Any, Any, Any, Any], Any]) -> Callable[..., Any]:
    return lambda probability, phase, distance, window: change(probability, phase, distance, window)


choose_lattices.hints = (
    "Four conditions, joined with &: close enough, called rightly or not, of this phase.",
    "np.flatnonzero(condition) are the candidates; the surest has the largest np.abs(probability - 0.5).",
    "For each kind: candidates[np.argmax(np.abs(probability[candidates] - 0.5))].",
)
choose_lattices.mistakes = {
    "anywhere": (_choice(lambda p, f, d, w: _chosen(p, f, np.abs(d) < 9, np.abs(p - 0.5), KINDS)), "temperature only"),
    "distance with sign": (_choice(lambda p, f, d, w: _chosen(p, f, d <= w, np.abs(p - 0.5), KINDS)), "the modulus"),
    "most doubtful": (
        _choice(lambda p, f, d, w: _chosen(p, f, np.abs(d) <= w, -np.abs(p - 0.5), KINDS)),
        "not the most doubtful",
    ),
    "largest probability": (_choice(lambda p, f, d, w: _chosen(p, f, np.abs(d) <= w, p, KINDS)), "sure of either"),
    "nearest": (_choice(lambda p, f, d, w: _chosen(p, f, np.abs(d) <= w, -np.abs(d), KINDS)), "not those nearest"),
    "wrong ones first": (
        _choice(lambda p, f, d, w: _chosen(p, f, np.abs(d) <= w, np.abs(p - 0.5), (*KINDS[2:], *KINDS[:2]))),
        "the right ones first",
    ),
    "two numbers": (_choice(lambda p, f, d, w: np.array([0, 1])), "four row numbers"),
}

# --- 12.3b ------------------------------------------------------------------------------------------------


def _lattice_network(random: np.random.Generator) -> Any:
    """A network of the required form whose last ReLU is a layer of its own."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(5, 3, padding="same", activation="relu"),
            layers.Conv2D(5, 3, padding="same"),
            layers.ReLU(name="apart"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.set_weights([random.normal(size=w.shape) / np.sqrt(w.size / 5) for w in model.get_weights()])
    return model


def _parts(model: Any, lattices: np.ndarray, last: int) -> np.ndarray:
    x: Any = lattices
    for layer in model.layers[:last]:
        x = layer(x)
    return np.asarray(x)


@task("12.3b", section="12.3.2")
def maps_and_weights(student: Any, random: np.random.Generator) -> str:
    model = _lattice_network(random)
    spins = random.choice([-1.0, 1.0], size=(3, 8, 8, 1)).astype(np.float32)
    answer = student(model, spins)
    expect.is_tuple(answer, 3, name="maps, weights, bias")
    maps, weights, bias = answer
    expect.shape(maps, (3, 8, 8, 5), name="the maps (before the average over the lattice)")
    expect.shape(weights, (5,), name="the weights of the output, one a map")
    expect.number(bias, name="the bias")
    expect.differs(
        maps, _parts(model, spins, 2), atol=1e-3, because="what enters the global average, after the last ReLU"
    )
    expect.differs(maps, _parts(model, spins, 1), because="the last feature maps, not the first ones", atol=1e-3)
    kernel, right = model.layers[-1].get_weights()
    expect.differs(weights, -kernel[:, 0], because="the weights with their signs", atol=1e-6)
    expect.differs(bias, 0.0, because="the bias of the output as well", atol=1e-9)
    output = 1 / (1 + np.exp(-(np.mean(maps, axis=(1, 2)) @ weights + bias)))
    expect.close(
        output,
        np.asarray(model(spins))[:, 0],
        atol=1e-3,
        rung="physics",
        name="the output made of them",
        because="averages of the maps, times the weights, plus the bias, through a sigmoid: the output of the network",
    )
    expect.close(maps, _parts(model, spins, 3), atol=1e-3, because="the maps that are averaged", name="the maps")
    expect.close(weights, kernel[:, 0], atol=1e-6, because="the weights of the last layer", name="the weights")
    expect.close(float(bias), float(right[0]), atol=1e-6, because="the bias of the last layer", name="the bias")
    return "together they give back the output of the network"


def _taken(
    last: int, change: Callable[[Any, Any, Any], Any] = lambda m, w, b: (m, w[:, 0], float(b[0]))
) -> Callable[..., Any]:
    def maps_and_weights(model: Any, lattices: np.ndarray) -> Any:
        w, b = model.layers[-1].get_weights()
        return change(_parts(model, lattices, last), w, b)

    return maps_and_weights


maps_and_weights.hints = (
    "The last layer is the Dense output: get_weights() gives its kernel (maps, 1) and its bias (1,).",
    "The layer before it is the global average; what enters it is `model.layers[-2].input`.",
    "keras.Model(model.inputs[0], model.layers[-2].input) gives the maps; then kernel[:, 0] and float(bias[0]).",
)
maps_and_weights.mistakes = {
    "before the ReLU": (_taken(2), "after the last ReLU"),
    "first maps": (_taken(1), "not the first ones"),
    "pooled": (_taken(4), "before the average over the lattice"),
    "no bias": (_taken(3, lambda m, w, b: (m, w[:, 0], 0.0)), "the bias of the output as well"),
    "for the other phase": (_taken(3, lambda m, w, b: (m, -w[:, 0], -float(b[0]))), "with their signs"),
    "maps weighted already": (
        _taken(3, lambda m, w, b: (m * w[:, 0], w[:, 0], float(b[0]))),
        "the output of the network",
    ),
    "kernel as it is": (_taken(3, lambda m, w, b: (m, w, float(b[0]))), "one a map"),
}

# --- 12.3c ------------------------------------------------------------------------------------------------


@task("12.3c", section="12.3.2")
def class_activation_map(student: Any, random: np.random.Generator) -> str:
    maps = random.exponential(size=(4, 6, 5, 3))
    weights = random.uniform(0.5, 1.5, 3) * [1, -1, -0.5]
    bias = float(random.uniform(0.2, 0.5))
    answer = student(maps, weights, bias)
    expect.shape(answer, (4, 6, 5), name="the class activation maps")
    expect.finite(answer, name="the class activation maps")
    plain = np.einsum("nhwk,k->nhw", maps, weights)
    right = plain + bias
    logit = maps.mean(axis=(1, 2)) @ weights + bias
    for wrong, because in (
        (plain, "the bias as well: without it the mean of the map is not the logit"),
        (plain + bias / 30, "the whole bias at every place: the mean over the places brings it back once"),
        (right / 30, "contributions whose mean, not whose sum, is the logit"),
        (np.maximum(right, 0), "negative contributions too: they speak for the other phase"),
        (1 / (1 + np.exp(-right)), "the logit, in front of the sigmoid: only there contributions add up"),
        (maps.sum(axis=-1) + bias, "the maps with their weights"),
        (maps.mean(axis=-1) * weights.sum() + bias, "each map with its own weight"),
        (right - right.mean(axis=(1, 2), keepdims=True), "the map as it is: its mean is the logit, not zero"),
    ):
        expect.differs(answer, wrong, because=because)
    expect.close(
        np.mean(answer, axis=(1, 2)),
        logit,
        rtol=1e-5,
        atol=1e-5,
        rung="physics",
        name="the mean of the map",
        because="completeness: the mean of the map is the logit of the network",
    )
    expect.close(
        answer, right, rtol=1e-5, atol=1e-5, because="the weighted sum of the maps at each place, plus the bias"
    )
    return "the mean of each map is the logit"


def _cam(change: Callable[[np.ndarray, np.ndarray, float], Any]) -> Callable[..., Any]:
    return lambda maps, weights, bias: change(np.einsum("nhwk,k->nhw", maps, weights), maps, bias)


class_activation_map.hints = (
    "At each place: the k values of the maps times the k weights, added up, plus the bias.",
    "maps @ weights does this for all places and lattices at once.",
    "The sum over the last axis of maps * weights; then + bias.",
)
class_activation_map.mistakes = {
    "no bias": (_cam(lambda s, m, b: s), "the mean of the map is not the logit"),
    "bias shared out": (_cam(lambda s, m, b: s + b / 30), "the whole bias at every place"),
    "divided by the pixels": (_cam(lambda s, m, b: (s + b) / 30), "not whose sum"),
    "positive part": (_cam(lambda s, m, b: np.maximum(s + b, 0)), "speak for the other phase"),
    "sigmoid": (_cam(lambda s, m, b: 1 / (1 + np.exp(-s - b))), "in front of the sigmoid"),
    "weights forgotten": (_cam(lambda s, m, b: m.sum(-1) + b), "the maps with their weights"),
    "mean taken away": (_cam(lambda s, m, b: s - s.mean((1, 2), keepdims=True)), "not zero"),
    "upside down": (_cam(lambda s, m, b: s[:, ::-1] + b), "at each place"),
    "averaged": (_cam(lambda s, m, b: s.mean((1, 2)) + b), "an array of shape (4, 6, 5)"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "12.1-q1",
    question="In the confusion matrix the row of cats has 15 % in the column of dogs, the row of dogs 25 % in the "
    "column of cats. What follows?",
    options=(
        "There are more dogs than cats among the test pictures.",
        "Where it cannot tell the two apart, the network leans towards the cat.",
        "Cats are recognised worse than dogs.",
        "The matrix was computed wrongly: it must be symmetric.",
    ),
    answer=2,
    explanation="Each class has equally many test pictures. A doubtful picture must go somewhere, and the border "
    "between the two classes lies on the side of the dogs. Nothing makes a confusion matrix symmetric.",
)
quiz(
    "12.1-q2",
    question="A dog before a blue sky is called an aeroplane with a score of 0.95. Which explanation fits best?",
    options=(
        "The network is trained badly: a score of 0.95 means that 95 % of such answers are right, always.",
        "The softmax is broken: it must give small scores to pictures unlike those of the training.",
        "Blue all around is a good sign of an aeroplane in the training pictures, and every good sign is used.",
        "The network has found an aeroplane in the background.",
    ),
    answer=3,
    explanation="What goes together with a class in the training data is evidence for it, whether or not it belongs to "
    "the object. A high score means that the evidence the network uses is one-sided, not that it is relevant.",
)
quiz(
    "12.1-q3",
    question="Why can the filters of the second layer not be shown in the same way?",
    options=(
        "They act on the maps of the first layer: a filter has one channel for each map, not for each colour.",
        "They are too small.",
        "Their weights are all positive because of the ReLU.",
        "Batch normalisation has changed their weights.",
    ),
    answer=1,
    explanation="A second-layer filter is a stack of small pictures, one for each map of the first layer, and each map "
    "means something else. Activations and the inputs that maximise them can be looked at in any layer.",
)
quiz(
    "12.2-q1",
    question="The image that excites a map of the third layer most shows strokes that no digit has. What follows?",
    options=(
        "The network has learnt the digits badly.",
        "The map responds to these strokes; on digits it is excited less, by whatever comes closest to them.",
        "The ascent has not converged: with more steps a digit would appear.",
        "The noise at the start was too strong.",
    ),
    answer=2,
    explanation="The maximum is searched among all images, not among digits. It shows the direction in which the map "
    "is sensitive. What excites the map in practice is seen from the test images with the highest activation.",
)
quiz(
    "12.2-q2",
    question="Why is the gradient divided by its root mean square before each step?",
    options=(
        "Otherwise the ascent would lead to the minimum.",
        "The gradient would depend on the activation function.",
        "The maximum of the map would lie elsewhere.",
        "Its size differs between maps and layers by large factors, and one step size is to fit them all.",
    ),
    answer=4,
    explanation="Direction and maximum stay as they are; only the length of the step is made the same. The mean of a "
    "map over hundreds of places changes very little with one pixel, so that raw steps of size 1 would hardly move.",
)
quiz(
    "12.3-q1",
    question="Why does a class activation map need the global average directly before the output?",
    options=(
        "Because a dense layer has no weights for maps.",
        "Because the maps would be too large otherwise.",
        "Because only linear steps may lie between the maps and the logit, with the same weight at every place.",
        "Because the average removes the noise of the maps.",
    ),
    answer=3,
    explanation="Average and weighted sum can be exchanged, so each place has a contribution, and they add up to the "
    "logit. After a further hidden layer with ReLU there is no such share; Grad-CAM then takes a linear approximation.",
)
quiz(
    "12.3-q2",
    question="All spins of a lattice are turned over. What does the class activation map of a trained network do?",
    options=(
        "It hardly changes: bonds, and with them the energy, stay as they are.",
        "It changes its sign.",
        "Red and blue regions are exchanged where the spins were up.",
        "It becomes zero everywhere.",
    ),
    answer=1,
    explanation="Both orientations of a domain are ferromagnetic, and the training set holds both. The network needed "
    "pairs of filters with opposite signs for this, as in the energy network of exercise 8.1.",
)
