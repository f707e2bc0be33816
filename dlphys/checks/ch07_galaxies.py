"""Checks of section 7.3: a dense network that tells left galaxies from right ones, and a mirror."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.simulators import galaxies

PARAMETERS = 74_050  # 1024-64-64-64-2
N_TRAIN, N_TEST, TRAIN_EPOCHS = 6_000, 4_000, 8

# --- M7.2a ------------------------------------------------------------------------------------------------


@task("M7.2a", section="7.3")
def build_classifier(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(5, 32, 32, 1), is_=(5, 2))
    kinds = {layer["class_name"] for layer in model.layers}
    expect.holds(
        not kinds & {"Conv2D", "SeparableConv2D", "LocallyConnected2D"},
        because="a fully-connected network: convolutions come in chapter 8",
        seen=f"layers: {', '.join(sorted(kinds))}",
        rung="known mistake",
    )
    expect.activation(
        model,
        not_="sigmoid",
        because="two probabilities that add up to 1: the sigmoid of two outputs asks two separate questions",
    )
    expect.activation(model, not_="linear", because="probabilities: the softmax (7.6) of the two outputs")
    dense = [layer for layer in model.layers if layer["class_name"] == "Dense"]
    expect.holds(
        len(dense) == 4,
        because="three hidden layers and one for the output",
        seen=f"{len(dense)} Dense layers",
        rung="known mistake",
    )
    expect.holds(
        all(layer["config"]["activation"] == "relu" for layer in dense[:-1]),
        because="ReLU in each hidden layer: without it the network is one linear map, and that can only guess",
        seen=", ".join(str(layer["config"]["activation"]) for layer in dense[:-1]),
        rung="known mistake",
    )
    pictures = random.random((20, 32, 32, 1)).astype(np.float32)
    total = np.asarray(model.predict(pictures)).sum(axis=1)
    expect.close(total, np.ones(20), rtol=1e-5, name="the sum of both", because="probabilities that add up to 1")
    moved = random.permuted(pictures.reshape(20, -1), axis=1).reshape(pictures.shape)
    expect.at_least(
        np.abs(model.predict(moved) - model.predict(pictures)).max(),
        1e-4,
        because="an answer that depends on where the light is, not only on how much there is: flatten the picture",
        name="the change of the output when pixels are shuffled",
    )
    expect.equal(
        model.count_params(),
        PARAMETERS,
        because="64 nodes in each hidden layer, with all 1024 pixels as inputs",
        name="the number of parameters",
    )
    return f"{PARAMETERS} parameters, more than three for each training galaxy"


def _network(
    *,
    hidden: tuple[int, ...] = (64, 64, 64),
    activation: str | None = "relu",
    outputs: int = 2,
    last: str | None = "softmax",
    front: str = "Flatten",
) -> Callable[[], Any]:
    """A build_classifier() with the given choices, right or wrong."""

    def build_classifier() -> Any:
        import keras

        parts = [keras.layers.Dense(n, activation) for n in hidden]
        begin = [keras.layers.Conv2D(4, 3)] if front == "Conv2D" else []
        flat = getattr(keras.layers, "Flatten" if begin else front)()
        return keras.models.Sequential(
            [keras.Input((32, 32, 1)), *begin, flat, *parts, keras.layers.Dense(outputs, last)]
        )

    return build_classifier


build_classifier.hints = (
    "keras.Sequential takes a list: keras.Input, layers.Flatten, the hidden layers, the output layer.",
    "A hidden layer is layers.Dense(64, activation='relu'); there are three of them.",
    "The last layer has two nodes, one for each class, and activation='softmax'.",
)
build_classifier.mistakes = {
    "one output": (_network(outputs=1, last="sigmoid"), "output of shape (5, 2)"),
    "sigmoid over two outputs": (_network(last="sigmoid"), "asks two separate questions"),
    "no softmax": (_network(last=None), "the softmax (7.6)"),
    "two hidden layers": (_network(hidden=(64, 64)), "three hidden layers and one"),
    "no activation between": (_network(activation=None), "one linear map"),
    "convolution": (_network(front="Conv2D"), "convolutions come in chapter 8"),
    "mean brightness only": (_network(front="GlobalAveragePooling2D"), "not only on how much"),
    "another number of nodes": (_network(hidden=(32, 64, 64)), "64 nodes in each hidden layer"),
}

# --- M7.2b ------------------------------------------------------------------------------------------------


def _table(picture: np.ndarray) -> dict[bytes, tuple[int, bool]]:
    """Every view of one picture: how many quarter turns, and whether it is in the mirror."""
    views = {}
    for mirror in (False, True):
        for k in range(4):
            turned = np.rot90(picture, k)
            view = turned[:, ::-1] if mirror else turned
            views[np.ascontiguousarray(view).tobytes()] = (k, mirror)
    return views


@task("M7.2b", section="7.3")
def turned_and_mirrored(student: Any, random: np.random.Generator) -> str:
    n = 600
    picture = random.random((32, 32, 1)).astype(np.float32)
    pictures = np.repeat(picture[np.newaxis], n, axis=0)
    kinds = random.integers(0, 2, n)
    seed = int(random.integers(2**31))
    answer = student(pictures, kinds, seed)
    expect.is_tuple(answer, 2, name="copies and their kinds")
    copies, new_kinds = answer
    expect.shape(copies, (n, 32, 32, 1), name="the copies")
    expect.shape(new_kinds, (n,), name="the kinds")
    table = _table(picture)
    found = [table.get(np.ascontiguousarray(copy.astype(np.float32)).tobytes()) for copy in copies]
    strange = sum(view is None for view in found)
    expect.holds(
        strange == 0,
        because="every copy is the picture itself, turned by quarter turns and perhaps mirrored: "
        "the same pixels in another order, and no other order",
        seen=f"{strange} of {n} copies are no view of their picture",
    )
    turns = np.array([view[0] for view in found if view])
    mirrored = np.array([view[1] for view in found if view])
    expect.holds(
        mirrored.any(),
        because="about half of the copies in the mirror",
        seen="no copy is mirrored",
        rung="known mistake",
    )
    wanted = np.where(mirrored, 1 - kinds, kinds)
    new_kinds = np.asarray(new_kinds).astype(int)
    expect.holds(
        not np.array_equal(new_kinds, kinds),
        because="the other kind for a mirrored galaxy: left becomes right",
        seen="the kinds that were given, unchanged",
        rung="known mistake",
    )
    expect.holds(
        not np.array_equal(new_kinds, 1 - kinds),
        because="the kind exchanged for mirrored galaxies only: a turned one is of the same kind",
        seen="all kinds exchanged",
        rung="known mistake",
    )
    expect.holds(
        np.array_equal(new_kinds, wanted),
        because="the kind exchanged exactly where the picture is mirrored",
        seen=f"{np.count_nonzero(new_kinds != wanted)} of {n} kinds do not belong to their copies",
    )
    counts = np.bincount(turns, minlength=4)
    expect.holds(
        (counts > 0).sum() > 1,
        because="a number of turns of its own for each picture",
        seen="all pictures turned alike",
        rung="known mistake",
    )
    expect.holds(
        counts.min() > n / 4 - 5 * np.sqrt(n * 3 / 16),
        because="0, 1, 2 and 3 quarter turns, each as often as the others",
        seen=f"{counts.tolist()} copies with 0, 1, 2, 3 quarter turns",
    )
    expect.holds(
        abs(mirrored.mean() - 0.5) < 2.5 / np.sqrt(n),
        because="a mirror with probability 1/2",
        seen=f"{mirrored.mean():.0%} of the copies mirrored",
    )
    expect.holds(
        not np.array_equal(student(pictures, kinds, seed + 1)[0], copies),
        because="other copies for another seed: make the generator with `seed`",
        rung="known mistake",
    )
    expect.equal(student(pictures, kinds, seed)[0], copies, because="the same copies again for the same seed")
    different = random.random((40, 32, 32, 1)).astype(np.float32)
    moved, _ = student(different, np.zeros(40, dtype=int), seed)
    own = [
        np.ascontiguousarray(copy.astype(np.float32)).tobytes() in _table(one)
        for copy, one in zip(moved, different, strict=True)
    ]
    expect.holds(
        all(own),
        because="copies in the order of the pictures, since each belongs to its kind",
        seen=f"{40 - sum(own)} of 40 copies stand in another picture's place",
    )
    return "one galaxy stands for eight"


def _views(
    *,
    swap: str = "mirrored",
    turns: int = 4,
    alike: bool = False,
    mirror: float = 0.5,
    seeded: bool = True,
    flip: int = 2,
) -> Callable[..., Any]:
    """A turned_and_mirrored() with the given choices, right or wrong."""

    def turned_and_mirrored(pictures: np.ndarray, kinds: np.ndarray, seed: int) -> Any:
        draw = np.random.default_rng(seed if seeded else 5)
        k = np.full(len(pictures), draw.integers(4)) if alike else draw.integers(turns, size=len(pictures))
        chosen = draw.random(len(pictures)) < mirror
        result = [np.rot90(one, number) for one, number in zip(pictures, k, strict=True)]
        result = [np.flip(one, flip - 1) if m else one for one, m in zip(result, chosen, strict=True)]
        changed = {"mirrored": chosen, "none": chosen & False, "all": chosen | True, "turned": k > 0}[swap]
        return np.array(result), np.where(changed, 1 - kinds, kinds)

    return turned_and_mirrored


def _noisy(pictures: np.ndarray, kinds: np.ndarray, seed: int) -> Any:
    return pictures + np.random.default_rng(seed).normal(0, 0.01, pictures.shape).astype(np.float32), kinds


turned_and_mirrored.hints = (
    "Draw two arrays of length n: `random.integers(4, size=n)` and `random.random(n) < 0.5`.",
    "Pictures with the same number of turns can be turned together: pictures[turns == k], then np.rot90 with "
    "axes=(1, 2).",
    "A mirror reverses the columns: [:, :, ::-1]. Where it does, the kind becomes 1 - kind.",
)
turned_and_mirrored.mistakes = {
    "kinds unchanged": (_views(swap="none"), "left becomes right"),
    "all kinds exchanged": (_views(swap="all"), "for mirrored galaxies only"),
    "kind exchanged by a turn": (_views(swap="turned"), "exactly where the picture is mirrored"),
    "no mirror": (_views(mirror=0.0), "about half of the copies"),
    "every copy mirrored": (_views(mirror=0.9), "with probability 1/2"),
    "all turned alike": (_views(alike=True), "of its own for each picture"),
    "half turns are missing": (_views(turns=2), "each as often as the others"),
    "seed not used": (_views(seeded=False), "other copies for another seed"),
    "noise instead of turns": (_noisy, "the same pixels in another order"),
}

# --- M7.2c ------------------------------------------------------------------------------------------------


def _galaxies(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    sample = galaxies.simulate(n, seed=random)
    return sample.images[..., np.newaxis], sample.left.astype(np.int64)


def _accuracy(answers: np.ndarray, left: np.ndarray) -> float:
    return float(np.mean(np.asarray(answers).argmax(axis=1) == left))


@task("M7.2c", section="7.3")
def train_classifier(student: Any, random: np.random.Generator) -> str:
    pictures, left = _galaxies(N_TRAIN, random)
    model = student(pictures, left, TRAIN_EPOCHS, int(random.integers(2**31)))
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(5, 32, 32, 1), is_=(5, 2))
    expect.loss(
        model,
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "binary_crossentropy",
        because="the cross-entropy (7.8), which counts the probability given to the right answer",
    )
    new, truth = _galaxies(N_TEST, random)
    answers = np.asarray(model.predict(new))
    reached = _accuracy(answers, truth)
    expect.holds(
        reached > 0.35,
        because="(1, 0) for right and (0, 1) for left (7.7): the columns are exchanged",
        seen=f"{reached:.1%} right",
        rung="known mistake",
    )
    expect.at_least(
        reached,
        0.7,
        because="more than guessing: has the network been fitted, and does each copy get the kind that belongs to it?",
        name="the accuracy",
    )
    swapped = np.mean(answers.argmax(axis=1) != np.asarray(model.predict(new[:, :, ::-1])).argmax(axis=1))
    expect.at_least(
        swapped,
        0.7,
        because="the other answer for the mirror image of a galaxy",
        name="the share of galaxies whose answer changes in the mirror",
    )
    expect.learning_rate_fell(model, 2e-4, because="a learning rate that falls to zero over all epochs together")
    expect.reaches("M7.2c", reached, name=f"the accuracy on {N_TEST} new galaxies")
    return f"{reached:.1%} of {N_TEST} new galaxies are right, after training on {N_TRAIN}"


@bar("M7.2c", better="higher", unit="", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = reference("M7.2c")(*_galaxies(N_TRAIN, draw), TRAIN_EPOCHS, seed)
    new, truth = _galaxies(N_TEST, draw)
    return _accuracy(model.predict(new, batch_size=1000, verbose=0), truth)


def _training(
    *,
    loss: str = "categorical_crossentropy",
    epochs_done: int | None = None,
    rate: float | None = None,
    exchanged: bool = False,
    swap: str = "mirrored",
    network: Callable[[], Any] | None = None,
) -> Callable[..., Any]:
    """A train_classifier() with the given choices, right or wrong."""

    def train_classifier(pictures: np.ndarray, kinds: np.ndarray, epochs: int, seed: int) -> Any:
        import keras

        model = (network or _network())()
        total = epochs if epochs_done is None else epochs_done
        schedule = rate or keras.optimizers.schedules.CosineDecay(2e-3, max(1, total * -(-len(kinds) // 64)))
        model.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=50)
        for number in range(total):
            x, y = _views(swap=swap)(pictures, kinds, seed + number)
            model.fit(x, np.eye(2)[1 - y if exchanged else y], batch_size=64, verbose=0)
        return model

    return train_classifier


def _history(pictures: np.ndarray, kinds: np.ndarray, epochs: int, seed: int) -> Any:
    model = _network()()
    model.compile("adam", "categorical_crossentropy")
    return model.fit(pictures[:64], np.eye(2)[kinds[:64]], verbose=0)


train_classifier.hints = (
    "Build, compile, then a loop over the epochs: in each one a call of `fit` on new copies.",
    "keras.utils.to_categorical(kinds, 2) gives one-hot vectors; the loss for them is 'categorical_crossentropy'.",
    "The schedule counts steps over all calls of `fit`: CosineDecay(0.002, epochs * number of batches).",
)
train_classifier.mistakes = {
    "returns the history": (_history, "not its history"),
    "squared error as loss": (_training(loss="mse", epochs_done=1), "counts the probability given to the right"),
    "returned without training": (_training(epochs_done=0), "more than guessing"),
    "columns exchanged": (_training(exchanged=True, epochs_done=6), "the columns are exchanged"),
    "constant learning rate": (_training(rate=0.002, epochs_done=6), "over all epochs together"),
    "few nodes": (_training(network=_network(hidden=(8,))), "99 of 100 runs"),
}

# --- quizzes ----------------------------------------------------------------------------------------------

quiz(
    "M7.2-q1",
    question="A network is right for 99 % of the galaxies of a survey, but it changes its answer in the mirror for "
    "only 60 % of them. What follows?",
    options=(
        "Nothing: mirrored pictures are not what it was trained for.",
        "It uses something that does not change in a mirror, and that goes with the handedness in this survey only.",
        "Its accuracy must be 60 %: there is an error in the test.",
        "The survey holds more left than right galaxies.",
    ),
    answer=2,
    explanation="A mirror image is a possible galaxy of the other kind. Whoever answers alike for both has looked at "
    "something else, such as brightness or noise of the pictures. On another survey that helper is gone.",
)
