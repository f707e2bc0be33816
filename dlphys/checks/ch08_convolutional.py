"""Checks of chapter 8: a convolutional network for Ising lattices, and the energy written as a network."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys import datasets
from dlphys.checks import expect
from dlphys.checks.engine import bar, fast, personal_seed, quiz, reference, task, trained
from dlphys.simulators import ising

EPOCHS = 3  # as in the notebook
N_TRAIN, N_VALIDATION, N_TEST = 9_100, 1_300, 10_400  # half the notebook's lattices for training: enough for the bar
DENSE_PARAMETERS = 33_889  # 1024-32-32-1, exercise 7.1

# --- 8.1a -------------------------------------------------------------------------------------------------


@task("8.1a", section="8.1.4")
def build_cnn(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(4, 32, 32, 1), is_=(4, 1))
    expect.has_layers(model, "Conv2D", because="at least one Conv2D layer, which shares its weights between all sites")
    expect.accepts(
        model,
        (2, 48, 48, 1),
        because="lattices of any size: nothing in a convolution or a global average depends on the lattice size; "
        "is there a Flatten, or a fixed input shape?",
    )
    expect.has_layers(
        model, "GlobalAveragePooling2D", because="the mean of each feature map: energy and magnetisation are means too"
    )
    expect.activation(model, not_="softmax", because="not softmax: over one output it is always 1")
    expect.activation(model, is_="sigmoid", because="an output between 0 and 1, since it is a probability")
    expect.at_most(
        model.count_params(),
        DENSE_PARAMETERS,
        because="fewer parameters than the dense network of exercise 7.1: small filters, and not too many of them",
        name="the number of parameters",
    )
    spins = random.choice([-1.0, 1.0], size=(8, 32, 32, 1)).astype(np.float32)
    shuffled = random.permuted(spins.reshape(8, -1), axis=1).reshape(spins.shape)
    change = np.abs(_logit(model, spins) - _logit(model, shuffled))
    expect.at_least(
        change.max(),
        1e-5,
        because="an output that changes when the same spins are put in another order: a filter of 1 x 1 sees no "
        "neighbours",
        name="the change of the logit",
    )
    nothing = _logit(model, np.zeros_like(spins))
    odd = _logit(model, spins) + _logit(model, -spins) - 2 * nothing
    expect.at_least(
        np.abs(odd).max(),
        1e-5,
        because="an activation such as ReLU after the convolutions: without one the network is a single linear "
        "map, and "
        "cannot find spins up and spins down equally ordered",
        name="the non-linear part of the logit",
    )
    expect.changes_little(
        model.predict,
        spins,
        np.roll(spins, 8, axis=1),
        tolerance=0.1,
        because="nearly the same output when all spins are shifted: where a pattern is must not matter",
    )
    return f"{model.count_params()} parameters, where the dense network of exercise 7.1 has {DENSE_PARAMETERS}"


def _logit(model: Any, x: np.ndarray) -> np.ndarray:
    """The number in front of the sigmoid, as far as single precision gives it back."""
    p = np.clip(np.asarray(model.predict(x), float), 1e-7, 1 - 1e-7)
    return np.log(p / (1 - p))


def _built(
    *,
    size: int | None = None,
    kernel: int = 3,
    filters: int = 16,
    activation: str | None = "relu",
    head: str = "GlobalAveragePooling2D",
    outputs: int = 1,
    last: str | None = "sigmoid",
) -> Callable[[], Any]:
    """A build_cnn() with the given choices, right or wrong."""

    def build_cnn() -> Any:
        import keras
        from keras import layers

        return keras.models.Sequential(
            [
                keras.Input((size, size, 1)),
                layers.Conv2D(filters, kernel, padding="same", activation=activation),
                layers.Conv2D(2 * filters, kernel, padding="same", activation=activation),
                getattr(layers, head)(),
                layers.Dense(outputs, activation=last),
            ]
        )

    return build_cnn


def _dense() -> Any:
    import keras
    from keras import layers

    return keras.models.Sequential(
        [keras.Input((32, 32, 1)), layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")]
    )


build_cnn.hints = (
    "A keras.Sequential of keras.Input, one to three Conv2D layers with 3 x 3 filters and ReLU, and what turns "
    "maps into one number each.",
    "`keras.layers.GlobalAveragePooling2D()` turns (height, width, maps) into (maps,). Input shape (None, None, "
    "1) leaves the size open.",
    "Input((None, None, 1)), Conv2D(16, 3, padding='same', activation='relu'), MaxPooling2D(2), another Conv2D, "
    "GlobalAveragePooling2D(), Dense(1, activation='sigmoid').",
)
build_cnn.mistakes = {
    "flatten instead of pooling": (_built(size=32, head="Flatten"), "is there a Flatten"),
    "dense network of 7.1": (_dense, "at least one Conv2D"),
    "softmax on a single output": (_built(last="softmax"), "always 1"),
    "no activation at the end": (_built(last=None), "probability"),
    "global maximum": (_built(head="GlobalMaxPooling2D"), "mean of each feature map"),
    "filters without neighbours": (_built(kernel=1), "sees no neighbours"),
    "no activation between": (_built(activation=None), "single linear map"),
    "too large": (_built(kernel=7, filters=32), "small filters"),
    "two outputs": (_built(outputs=2, last="softmax"), "output of shape (4, 1)"),
}

# --- 8.1b -------------------------------------------------------------------------------------------------


def _lattices(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Fresh lattices and their labels, as the network takes them."""
    sample = ising.simulate(n, seed=random)
    labels = (sample.temperature < ising.LABEL_TEMPERATURE).astype(np.float32)
    return sample.spins[..., np.newaxis].astype(np.float32), labels


def _trained_with(train: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """What a training function makes of a network of the check's own, which the exam edition has as well."""
    return train(_built(filters=8)(), x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:], EPOCHS)


def _accuracy(output: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean((np.asarray(output)[:, 0] > 0.5) == (y > 0.5)))


@task("8.1b", section="8.7")
def train_cnn(student: Any, random: np.random.Generator) -> str:
    given = _lattices(N_TRAIN + N_VALIDATION, random)
    model = _trained_with(student, *given)
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(4, 32, 32, 1), is_=(4, 1))
    expect.loss(
        model,
        "binary_crossentropy",
        "binary_focal_crossentropy",
        because="the binary cross-entropy, the loss for one probability",
    )
    up = np.ones((20, 32, 32, 1), np.float32)
    noise = random.choice([-1.0, 1.0], size=(20, 32, 32, 1)).astype(np.float32)
    ordered, disordered = float(np.mean(model.predict(up))), float(np.mean(model.predict(noise)))
    seen = f"output {ordered:.2f} for all spins up, {disordered:.2f} for spins drawn by lot"
    expect.holds(
        abs(ordered - disordered) > 0.5,
        because="outputs far apart for perfect order (T = 0) and complete disorder (T infinite): has fit() been "
        "called, "
        "with the training data?",
        seen=seen,
    )
    expect.holds(
        ordered > disordered,
        because="1 for the ordered phase, 0 for the disordered one: are the labels upside down?",
        seen=seen,
    )
    down = float(np.mean(model.predict(-up)))
    expect.holds(
        down > 0.5,
        because="all spins down are as ferromagnetic as all spins up: the training data must hold both",
        seen=f"output {down:.2f} for all spins down",
    )
    x, y = _lattices(N_TEST, random)
    reached = _accuracy(model.predict(x), y)
    expect.at_most(
        reached,
        ising.bayes_accuracy().mean() + 4 * np.sqrt(0.0136 / N_TEST),
        because="not above the limit by four standard errors: were these lattices seen in the training?",
        name="the accuracy",
    )
    expect.reaches("8.1b", reached, name=f"the accuracy on {N_TEST} new lattices")
    limit = ising.bayes_accuracy().mean()
    return f"{reached:.1%} of {N_TEST} new lattices are classified correctly, the limit is {limit:.1%}"


@bar("8.1b", better="higher", unit="", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = _trained_with(reference("8.1b"), *_lattices(N_TRAIN + N_VALIDATION, draw))
    x, y = _lattices(N_TEST, draw)
    return _accuracy(model.predict(x, batch_size=1000, verbose=0), y)


def _history(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
    model.compile("adam", "binary_crossentropy")
    return model.fit(x_train[:64], y_train[:64], verbose=0)


def _squares(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
    model.compile("adam", "mse")
    model.fit(x_train[:64], y_train[:64], verbose=0)
    return model


def _compiled_only(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def _upside_down(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
    import keras

    model.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy")
    model.fit(x_train, 1 - y_train, batch_size=64, verbose=0)
    return model


def _half_sighted(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
    """Trains on lattices with a positive magnetisation, and so learns to see spins up."""
    import keras

    chosen = (x_train.mean(axis=(1, 2, 3)) > 0) | (y_train < 0.5)
    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(3e-2), "binary_crossentropy")
    model.fit(x_train[chosen], y_train[chosen], batch_size=64, epochs=1, verbose=0)
    return model


def _another_network(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
    """Trains the dense network of exercise 7.1; 0.975 +- 0.002 over ten seeds."""
    own = _dense()
    own.compile("adam", "binary_crossentropy")
    own.fit(x_train, y_train, batch_size=64, epochs=4, verbose=0)
    return own


train_cnn.hints = (
    "model.compile(optimizer=..., loss=..., metrics=['accuracy']), then model.fit(...), then return model.",
    "Batches of 64 and keras.optimizers.Adam with keras.optimizers.schedules.CosineDecay(5e-3, steps), "
    "where steps = epochs * number of batches in an epoch.",
    "model.fit takes x_train, y_train, batch_size=64, epochs, and as validation_data the pair of the validation "
    "arrays; "
    "the loss is 'binary_crossentropy'.",
)
train_cnn.mistakes = {
    "returns the history": (_history, "not its history"),
    "mean squared error": (_squares, "the loss for one probability"),
    "compiled, not fitted": (_compiled_only, "has fit() been called"),
    "labels upside down": (_upside_down, "upside down"),
    "spins up only": (_half_sighted, "all spins down are as ferromagnetic"),
    "another network than the one given": (_another_network, "99 of 100 runs"),
}


@trained("8.1")
def cnn() -> Any:
    """The network of exercise 8.1, trained on the course's lattices; chapter 12 looks into it."""
    import keras

    seed = personal_seed("ch08_convolutional")
    with contextlib.redirect_stdout(io.StringIO()):
        data = datasets.load_ising(2_600 if fast() else 26_000, seed=seed)
    keras.utils.set_random_seed(seed)
    return reference("8.1b")(
        reference("8.1a")(), data.x_train, data.y_train, data.x_validation, data.y_validation, 1 if fast() else EPOCHS
    )


# --- 8.1c -------------------------------------------------------------------------------------------------


def _labelled(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions, truth and temperatures in any order, with another number of lattices at each temperature."""
    values = ising.COURSE_TEMPERATURES.astype(np.float32)
    temperature = np.repeat(values, random.integers(40, 120, len(values)))
    temperature = random.permutation(temperature)
    truth = (temperature < ising.LABEL_TEMPERATURE).astype(int)
    wrong = random.uniform(size=len(truth)) < 0.05 + 0.3 * np.exp(-((temperature - 2.27) ** 2) / 0.1)
    return np.where(wrong, 1 - truth, truth), truth, temperature


@task("8.1c", section="8.7")
def accuracy_by_temperature(student: Any, random: np.random.Generator) -> str:
    predicted, truth, temperature = _labelled(random)
    values, number = np.unique(temperature, return_counts=True)
    share = np.array([np.mean((predicted == truth)[temperature == t]) for t in values])
    answer = student(predicted, truth, temperature)
    expect.is_tuple(answer, 3, name="temperatures, accuracies, errors")
    for name, item in zip(("temperatures", "accuracies", "errors"), answer, strict=True):
        expect.shape(item, (len(values),), name=name)
        expect.finite(item, name=name)
    temperatures, accuracy, error = answer
    expect.close(
        temperatures,
        values,
        because="each temperature once, in ascending order",
        name="temperatures",
        rung="known mistake",
    )
    expect.differs(accuracy, 1 - share, because="the share classified correctly, not the share of errors")
    expect.differs(accuracy, share * number, because="a fraction between 0 and 1, not a number of lattices")
    expect.differs(
        accuracy,
        share * number / len(truth),
        because="divide by the lattices at one temperature: each has its own share",
    )
    expect.differs(error, share * (1 - share) / number, because="a standard error has a root: sqrt(a (1 - a) / n)")
    expect.differs(
        error, np.sqrt(share * (1 - share) / len(truth)), because="n counts the lattices at that temperature"
    )
    expect.differs(
        error,
        np.sqrt(share * (1 - share)),
        because="the error of the mean, smaller by sqrt(n) than the spread of single lattices",
    )
    perfect = student(truth, truth, temperature)
    expect.close(
        perfect[1], np.ones(len(values)), because="a perfect classifier has accuracy 1 everywhere", rung="physics"
    )
    expect.close(
        perfect[2],
        np.zeros(len(values)),
        atol=1e-12,
        because="with all right the binomial error is zero",
        rung="physics",
    )
    order = random.permutation(len(truth))
    again = student(predicted[order], truth[order], temperature[order])
    expect.close(
        again[1], accuracy, because="the same accuracies when the lattices come in another order", rung="physics"
    )
    expect.close(
        accuracy,
        share,
        because="the share of lattices classified correctly, temperature by temperature",
        name="accuracies",
    )
    expect.close(
        error,
        np.sqrt(share * (1 - share) / number),
        rtol=2e-2,
        because="the standard error of a binomial fraction",
        name="errors",
    )
    return "the errors use the number of lattices at each temperature"


def _by_temperature(change: Callable[[Any, Any, Any, Any], Any]) -> Callable[..., Any]:
    """A wrong accuracy_by_temperature(): the answer made from temperatures, shares, counts and their total."""

    def accuracy_by_temperature(predicted: np.ndarray, truth: np.ndarray, temperature: np.ndarray) -> Any:
        t, n = np.unique(temperature, return_counts=True)
        a = np.array([np.mean((predicted == truth)[temperature == value]) for value in t])
        return change(t, a, n, len(truth))

    return accuracy_by_temperature


def _equal_blocks(predicted: np.ndarray, truth: np.ndarray, temperature: np.ndarray) -> Any:
    """Takes the lattices to be sorted, with as many at each temperature."""
    t = np.unique(temperature)
    a = np.array([np.mean(block) for block in np.array_split(predicted == truth, len(t))])
    return t, a, np.sqrt(a * (1 - a) / (len(truth) / len(t)))


accuracy_by_temperature.hints = (
    "np.unique(temperature) gives each temperature once; `temperature == t` selects the lattices at one of them.",
    "The mean of an array of True and False is the share of True; its length is n.",
    "For each t: correct = predicted[temperature == t] == truth[temperature == t]; a = correct.mean(); n = "
    "len(correct); "
    "then np.sqrt(a * (1 - a) / n).",
)
accuracy_by_temperature.mistakes = {
    "error without the root": (_by_temperature(lambda t, a, n, total: (t, a, a * (1 - a) / n)), "has a root"),
    "error from all lattices": (
        _by_temperature(lambda t, a, n, total: (t, a, np.sqrt(a * (1 - a) / total))),
        "at that temperature",
    ),
    "spread instead of error": (
        _by_temperature(lambda t, a, n, total: (t, a, np.sqrt(a * (1 - a)))),
        "spread of single lattices",
    ),
    "misclassified instead of correct": (
        _by_temperature(lambda t, a, n, total: (t, 1 - a, np.sqrt(a * (1 - a) / n))),
        "share of errors",
    ),
    "counts": (
        _by_temperature(lambda t, a, n, total: (t, a * n, np.sqrt(a * (1 - a) * n))),
        "not a number of lattices",
    ),
    "share of all lattices": (
        _by_temperature(lambda t, a, n, total: (t, a * n / total, np.sqrt(a * (1 - a) / n))),
        "its own share",
    ),
    "descending": (
        _by_temperature(lambda t, a, n, total: (t[::-1], a[::-1], np.sqrt(a * (1 - a) / n)[::-1])),
        "ascending order",
    ),
    "equal blocks": (_equal_blocks, "in another order"),
    "accuracies only": (_by_temperature(lambda t, a, n, total: a), "3 results"),
}

# --- 8.1d -------------------------------------------------------------------------------------------------


@task("8.1d", section="8.7")
def compare(student: Any, random: np.random.Generator) -> str:
    n = 2_000
    truth = random.integers(0, 2, n)
    hopeless = random.uniform(size=n) < 0.1
    first = np.where(hopeless | (random.uniform(size=n) < 0.02), 1 - truth, truth)
    second = np.where(hopeless | (random.uniform(size=n) < 0.06), 1 - truth, truth)
    one, two = first == truth, second == truth
    d = one.astype(float) - two
    answer = student(first, second, truth)
    expect.is_tuple(answer, 2, name="difference, error")
    difference, error = answer
    expect.number(difference, name="the difference")
    expect.number(error, name="its error")
    expect.differs(difference, -d.mean(), because="the first accuracy minus the second, in this order")
    expect.differs(difference, d.sum(), because="a difference of accuracies, not of numbers of lattices")
    expect.differs(difference, np.mean(first == second), because="who is right counts, not whether the two agree")
    expect.differs(
        difference, np.mean(first - second), because="compare with the truth first: a label is not a success"
    )
    expect.differs(
        error,
        np.sqrt(one.mean() * (1 - one.mean()) / n + two.mean() * (1 - two.mean()) / n),
        because="the paired error: adding two errors in quadrature holds for independent samples, these are the "
        "same lattices",
        rtol=2e-3,
    )
    expect.differs(error, d.std(), because="the error of the mean of d, smaller by sqrt(n) than its spread", rtol=2e-3)
    expect.differs(error, d.var() / n, because="a standard error, the root of the variance of the mean", rtol=2e-3)
    same = student(first, first, truth)
    expect.close(
        same,
        (0.0, 0.0),
        atol=1e-12,
        because="a classifier compared with itself: no difference, and no doubt about it",
        rung="physics",
    )
    back = student(second, first, truth)
    expect.close(
        back, (-difference, error), because="exchanging the two changes the sign and not the error", rung="physics"
    )
    expect.close(difference, d.mean(), because="the mean of d", name="the difference")
    expect.close(
        error, d.std() / np.sqrt(n), rtol=2e-3, because="the standard deviation of d over sqrt(n)", name="the error"
    )
    independent = np.sqrt(one.mean() * (1 - one.mean()) / n + two.mean() * (1 - two.mean()) / n)
    return f"the paired error is {error / independent:.0%} of what independent samples would give"


def _comparison(change: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """A wrong compare(): the answer made from d, and from who is right."""

    def compare(first: np.ndarray, second: np.ndarray, truth: np.ndarray) -> Any:
        one, two = (first == truth).astype(float), (second == truth).astype(float)
        return change(one - two, one, two)

    return compare


compare.hints = (
    "(first == truth).astype(float) is 1 where the first classifier is right and 0 where it is wrong.",
    "d is the difference of two such arrays; its mean is the difference of the accuracies.",
    "d is 1.0 * (first == truth) - 1.0 * (second == truth); the answer is its mean, and its std() over np.sqrt(n).",
)
compare.mistakes = {
    "errors in quadrature": (
        _comparison(lambda d, a, b: (d.mean(), np.sqrt((a.var() + b.var()) / len(d)))),
        "independent samples",
    ),
    "spread instead of error": (_comparison(lambda d, a, b: (d.mean(), d.std())), "than its spread"),
    "variance instead of error": (_comparison(lambda d, a, b: (d.mean(), d.var() / len(d))), "root of the variance"),
    "second minus first": (_comparison(lambda d, a, b: (-d.mean(), d.std() / np.sqrt(len(d)))), "in this order"),
    "sum": (_comparison(lambda d, a, b: (d.sum(), d.std() * np.sqrt(len(d)))), "numbers of lattices"),
    "labels instead of successes": (
        lambda first, second, truth: ((first - second).mean(), (first - second).std() / np.sqrt(len(truth))),
        "a label is not a success",
    ),
    "agreement": (
        lambda first, second, truth: (np.mean(first == second), np.std(first == second) / np.sqrt(len(truth))),
        "whether the two agree",
    ),
    "modulus": (
        _comparison(lambda d, a, b: (abs(d.mean()), d.std() / np.sqrt(len(d)))),
        "changes the sign",
    ),
    "difference only": (_comparison(lambda d, a, b: d.mean()), "2 results"),
}

# --- 8.1e -------------------------------------------------------------------------------------------------


@task("8.1e", section="8.1.1")
def energy_network(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(3, 16, 16, 1), is_=(3, 1))
    expect.accepts(model, (2, 10, 10, 1), because="lattices of any size: Input((None, None, 1))")
    spins = random.choice([-1.0, 1.0], p=[0.3, 0.7], size=(6, 12, 12, 1)).astype(np.float32)
    answer = np.asarray(model.predict(spins), float)[:, 0]
    right = ising.energy(spins[..., 0])
    down = (spins[:, 1:] * spins[:, :-1]).sum(axis=(1, 2, 3))
    across = (spins[:, :, 1:] * spins[:, :, :-1]).sum(axis=(1, 2, 3))
    open_border = -(down + across) / 144.0
    for wrong, because in (
        (-right, "parallel spins lower the energy: E = - sum of s s'"),
        (2 * right, "each bond once: every site has two bonds of its own, to the right and downwards"),
        (right - 2, "|s + s'| = 1 + s s': the bias takes away the 1 of each of the two bonds"),
        (right * 144, "the energy per spin: the average over the sites is the answer already"),
        (open_border, "the bonds across the border too: a torus has none, use PeriodicPadding2D"),
    ):
        expect.differs(answer, wrong, because=because, atol=1e-4)
    expect.at_least(
        np.ptp(answer),
        1e-3,
        because="an output that depends on the spins: without a ReLU a filter and its negative cancel",
        name="the spread of the output over six lattices",
    )
    ordered = np.asarray(model.predict(np.ones((1, 8, 8, 1), np.float32)), float)
    expect.close(
        ordered,
        [[-2.0]],
        atol=1e-4,
        because="all spins up: two satisfied bonds a site, energy -2 per spin",
        rung="physics",
    )
    expect.changes_little(
        model.predict, spins, -spins, tolerance=1e-4, because="turning all spins over changes no bond"
    )
    expect.changes_little(
        model.predict,
        spins,
        np.roll(spins, (1, 5), axis=(1, 2)),
        tolerance=1e-4,
        because="shifting all spins on the torus changes no bond: the lattice is continued by one row and one "
        "column, on "
        "one side each, so that no bond is counted twice",
    )
    expect.changes_little(
        model.predict,
        spins,
        np.swapaxes(spins, 1, 2),
        tolerance=1e-4,
        because="rows and columns count alike: two filters for the bonds to the right, two for those downwards",
    )
    expect.close(answer, right, atol=1e-4, because="the energy per spin of every lattice", name="the output")
    return f"exact on lattices of any size, with {model.count_params()} parameters"


def _energy(
    *,
    padding: Any = ((0, 1), (0, 1)),
    same: bool = False,
    scale: float = -1.0,
    bias: float = 2.0,
    activation: str | None = "relu",
    down: float = 1.0,
) -> Callable[[], Any]:
    """A wrong energy_network(): the right one with some of its numbers changed."""

    def energy_network() -> Any:
        import keras
        from keras import layers

        from dlphys.layers import PeriodicPadding2D

        filters = np.zeros((2, 2, 1, 4))
        filters[0, :, 0, 0] = 1
        filters[0, :, 0, 1] = -1
        if down:
            filters[:, 0, 0, 2] = down
            filters[:, 0, 0, 3] = -down
        else:  # the bonds to the right counted twice
            filters[..., 2:] = filters[..., :2]
        convolution = layers.Conv2D(4, 2, padding="same" if same else "valid", activation=activation)
        dense = layers.Dense(1)
        before = [] if same else [PeriodicPadding2D(padding)]
        model = keras.Sequential(
            [keras.Input((None, None, 1)), *before, convolution, layers.GlobalAveragePooling2D(), dense]
        )
        convolution.set_weights([filters, np.zeros(4)])
        dense.set_weights([np.full((4, 1), scale), np.array([bias])])
        return model

    return energy_network


energy_network.hints = (
    "Write one bond first: a filter with 1 at this spin and at its right neighbour, a second filter with -1 at "
    "both, and add the two after the ReLU.",
    "The averages of the four maps add up to 2 + (sum of s s' over the two bonds), averaged over the sites. "
    "Which weights and which bias of the last layer make the energy of it?",
    "Start from np.zeros((2, 2, 1, 4)); kernel[0, :, 0, 0] = 1; kernel[0, :, 0, 1] = -1; kernel[:, 0, 0, 2] = 1; "
    "kernel[:, 0, 0, 3] = -1; the last layer has the weights -1 and the bias 2.",
)
energy_network.mistakes = {
    "wrong sign": (_energy(scale=1.0, bias=-2.0), "parallel spins lower the energy"),
    "bonds counted twice": (_energy(scale=-2.0, bias=4.0), "each bond once"),
    "no bias": (_energy(bias=0.0), "takes away the 1"),
    "zero padding": (_energy(same=True), "bonds across the border"),
    "no ReLU": (_energy(activation=None), "a filter and its negative cancel"),
    "padding on all sides": (_energy(padding=1), "continued by one row and one column"),
    "horizontal bonds only": (_energy(down=0.0), "rows and columns count alike"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "8.1-q1",
    question="A convolution has 16 filters of 3 x 3 and acts on a lattice of 32 x 32 spins (one channel). "
    "How many parameters has it, and how many on a lattice of 64 x 64?",
    options=(
        "144 on both",
        "160 on the small lattice, 640 on the large one",
        "160 on both",
        "16 400 on the small lattice, 65 552 on the large one",
    ),
    answer=3,
    explanation="1 x 3 x 3 x 16 weights and 16 biases (8.4). The size of the lattice does not occur.",
)
quiz(
    "8.1-q2",
    question="The best classifier possible is right in about 81 % of cases at T = 2.3. What would raise this number?",
    options=(
        "More training lattices.",
        "Larger lattices.",
        "A deeper network.",
        "The magnetisation as a second input.",
    ),
    answer=2,
    explanation="On a finite lattice the energies at T = 2.2 and 2.3 overlap. On a larger one they fluctuate "
    "less, as 1/L, and overlap less; "
    "the magnetisation adds nothing, since the energy is a sufficient statistic.",
)
quiz(
    "8.1-q3",
    question="A friend's network reaches 0.9930 +- 0.0011 on 6000 test lattices of 32 x 32 spins at these 26 "
    "temperatures. What do you say?",
    options=(
        "Well done: a better network than ours.",
        "The limit only holds for classifiers that use the energy.",
        "A fluctuation: limits hold on average.",
        "More than three standard errors above the limit of 0.9864: look for training lattices among the test "
        "lattices.",
    ),
    answer=4,
    explanation="The excess is six standard errors. No classifier beats the limit on average, whatever it uses; "
    "a fluctuation of this size does not "
    "happen. Often neighbouring states of one Markov chain have landed in both sets.",
)
quiz(
    "8.1-q4",
    question="Why does a shift by one column change the output of the first network, even if its border were periodic?",
    options=(
        "Its 2 x 2 pooling divides the lattice into fixed blocks, and a shift by one puts the spins into other blocks.",
        "A convolution is not equivariant under shifts by one site.",
        "Global average pooling depends on the position of a pattern.",
        "Its weights were learnt at fixed positions.",
    ),
    answer=1,
    explanation="After pooling with 2 x 2 (or a stride of 2) only shifts by multiples of two map blocks on blocks. "
    "Without pooling, and on the torus, every shift is a symmetry.",
)
