"""Checks of the images of chapter 8: an Inception block, accuracies of pixels, the mean place of a molecule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- X8.8 -------------------------------------------------------------------------------------------------


@task("X8.8", section="8.6")
def inception_block(student: Any, random: np.random.Generator) -> str:
    channels, maps = 5, 4
    model = student(channels, maps)
    expect.is_model(model)
    expect.output_shape(model, given=(2, 12, 9, channels), is_=(2, 12, 9, 3 * maps))
    expect.accepts(model, (1, 20, 20, channels), because="pictures of any size: keras.Input((None, None, channels))")
    convolutions = [layer for layer in model.layers if layer["class_name"] == "Conv2D"]
    linear = [layer["name"] for layer in convolutions if layer["config"]["activation"] != "relu"]
    expect.holds(
        not linear,
        because="ReLU after every convolution, the point-wise ones as well: two linear maps in a row are one",
        seen=f"{len(linear)} of {len(convolutions)} convolutions without it",
        rung="known mistake",
    )
    pointwise, wide = channels * maps + maps, [k * k * maps * maps + maps for k in (3, 5)]
    direct = pointwise + sum(k * k * channels * maps + maps for k in (3, 5))
    expect.holds(
        model.count_params() != direct,
        because="a point-wise convolution in front of the 3 x 3 and of the 5 x 5: it makes them cheap",
        seen=f"{direct} parameters, those of filters on all {channels} channels",
        rung="known mistake",
    )
    reach = [_reach(model, channels, slice(i * maps, (i + 1) * maps), random) for i in range(3)]
    expect.equal(
        tuple(reach),
        (0, 1, 2),
        because="maps that see 0, 1 and 2 pixels far, in this order: the 1 x 1, the 3 x 3, the 5 x 5",
        name="how far the three branches see",
        rung="physics",
    )
    expect.equal(
        model.count_params(),
        3 * pointwise + sum(wide),
        because="three point-wise convolutions, one of 3 x 3 and one of 5 x 5, each with its biases",
        name="the number of parameters",
    )
    return f"three sizes of filters side by side; {model.count_params()} parameters instead of {direct} are needed here"


def _reach(model: Any, channels: int, maps: slice, random: np.random.Generator) -> int:
    """How many pixels away some output maps feel a change of one pixel."""
    size, centre = 15, 7
    before = random.normal(size=(16, size, size, channels)).astype(np.float32)
    after = before.copy()
    after[:, centre, centre] += 3 * random.normal(size=(16, channels))
    change = np.abs(np.asarray(model.predict(after)) - np.asarray(model.predict(before)))[..., maps].max(axis=(0, 3))
    rows, columns = np.nonzero(change > 1e-6)
    return int(max(np.abs(rows - centre).max(), np.abs(columns - centre).max())) if len(rows) else -1


def _block(
    *,
    bottleneck: bool = True,
    squeeze: str | None = "relu",
    sizes: tuple[int, ...] = (1, 3, 5),
    add: bool = False,
    stacked: bool = False,
) -> Callable[[int, int], Any]:
    """An inception_block() with the given choices, right or wrong."""

    def inception_block(channels: int, maps: int) -> Any:
        import keras
        from keras import layers

        inputs, outputs = keras.Input((None, None, channels)), []
        for k in sizes:
            x = inputs
            if k > 1 and bottleneck:
                x = layers.Conv2D(maps, 1, activation=squeeze)(x)
            if k == 5 and stacked:
                x, k = layers.Conv2D(maps, 3, padding="same", activation="relu")(x), 3
            outputs.append(layers.Conv2D(maps, k, padding="same", activation="relu")(x))
        return keras.Model(inputs, layers.Add()(outputs) if add else layers.Concatenate(axis=-1)(outputs))

    return inception_block


inception_block.hints = (
    "Use the functional interface: image = keras.Input((None, None, channels)), then layers applied to it.",
    "`padding='same'` keeps the size of the picture, so that the branches can be concatenated.",
    "layers.Concatenate()([first, second, third]) joins along the last axis; keras.Model(image, joined).",
)
inception_block.mistakes = {
    "added instead of concatenated": (_block(add=True), "output of shape (2, 12, 9, 12)"),
    "no point-wise convolution in front": (_block(bottleneck=False), "it makes them cheap"),
    "no ReLU after the point-wise convolution": (_block(squeeze=None), "two linear maps in a row"),
    "branches in another order": (_block(sizes=(5, 3, 1)), "in this order"),
    "two filters of 3 x 3 in place of one of 5 x 5": (_block(stacked=True), "one of 3 x 3 and one of 5 x 5"),
}

# --- X8.10 ------------------------------------------------------------------------------------------------


def _pixels(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predicted and true classes and energies of a few pictures, mostly empty."""
    energy = np.where(random.uniform(size=(6, 20, 16)) < 0.2, random.exponential(1.0, size=(6, 20, 16)), 0.0)
    truth = np.where(energy > 0, random.choice(3, p=[0.2, 0.3, 0.5], size=energy.shape), 0)
    wrong = random.uniform(size=energy.shape) < np.array([0.5, 0.1, 0.25])[truth]
    predicted = np.where(wrong, random.integers(0, 3, size=energy.shape), truth)
    return np.where(energy > 0, predicted, 0), truth, energy


def _accuracies(predicted: np.ndarray, truth: np.ndarray, chosen: np.ndarray) -> tuple[float, np.ndarray]:
    hit = (predicted == truth) & chosen
    share = np.array([hit[truth == k].sum() / np.sum(chosen & (truth == k)) for k in range(3)])
    return float(hit.sum() / chosen.sum()), share


@task("X8.10", section="8.6")
def pixel_accuracy(student: Any, random: np.random.Generator) -> str:
    predicted, truth, energy = _pixels(random)
    answer = student(predicted, truth, energy)
    expect.is_tuple(answer, 2, name="accuracy, efficiencies")
    accuracy, efficiency = answer
    expect.number(accuracy, name="the accuracy")
    expect.shape(efficiency, (3,), name="the efficiencies")
    expect.finite(efficiency, name="the efficiencies")
    there = energy > 0
    right, each = _accuracies(predicted, truth, there)
    expect.differs(
        accuracy,
        _accuracies(predicted, truth, np.ones_like(there))[0],
        because="only pixels with energy: the empty ones, four in five, are right whatever the network does",
    )
    expect.differs(accuracy, each.mean(), because="the share of all lit pixels, not the mean of the three efficiencies")
    purity = np.array([np.mean(truth[there & (predicted == k)] == k) for k in range(3)])
    expect.differs(
        efficiency, purity, because="of the pixels that belong to a class, not of those so labelled (purity)"
    )
    of_all = np.array([np.sum((predicted == truth) & there & (truth == k)) / there.sum() for k in range(3)])
    expect.differs(efficiency, of_all, because="divide by the number of lit pixels of that class")
    perfect = student(truth, truth, energy)
    expect.close(perfect[0], 1.0, because="a perfect labelling has accuracy 1", rung="physics")
    expect.close(accuracy, right, rtol=1e-9, because="the share of lit pixels labelled rightly", name="accuracy")
    expect.close(efficiency, each, rtol=1e-9, because="this share for the pixels of each class", name="efficiencies")
    return f"{accuracy:.1%} of the lit pixels, where counting all pixels would have said more"


def _everywhere(predicted: Any, truth: Any, energy: Any) -> Any:
    return _accuracies(predicted, truth, np.ones(truth.shape, bool))


def _mean_of_classes(predicted: Any, truth: Any, energy: Any) -> Any:
    share = _accuracies(predicted, truth, energy > 0)[1]
    return share.mean(), share


def _purity(predicted: Any, truth: Any, energy: Any) -> Any:
    there = energy > 0
    purity = np.array([np.mean(truth[there & (predicted == k)] == k) for k in range(3)])
    return np.mean(predicted[there] == truth[there]), purity


def _shares_of_all(predicted: Any, truth: Any, energy: Any) -> Any:
    there = energy > 0
    hits = [np.sum((predicted == truth) & there & (truth == k)) for k in range(3)]
    return np.mean(predicted[there] == truth[there]), np.array(hits) / there.sum()


pixel_accuracy.hints = (
    "A mask of the pixels with energy, of the same shape as the pictures, selects from predicted and truth.",
    "After the mask everything is one-dimensional: predicted == truth is an array of True and False, its mean a share.",
    "For each class k take the mean of these over the lit pixels with truth equal to k.",
)
pixel_accuracy.mistakes = {
    "counts empty pixels": (_everywhere, "are right whatever the network does"),
    "mean of the efficiencies": (_mean_of_classes, "not the mean of the three"),
    "purity for efficiency": (_purity, "(purity)"),
    "share of all pixels": (_shares_of_all, "divide by the number of lit pixels of that class"),
}

# --- X8.11 ------------------------------------------------------------------------------------------------


def _middle(*, half: float = 0.5, start: float = -500.0) -> tuple[np.ndarray, np.ndarray]:
    """Places of the voxels across and in depth, nm."""
    return 24 * (np.arange(48) + half), 50 * (np.arange(20) + half) + start


def _mean(probability: np.ndarray, *, half: float = 0.5, start: float = -500.0, swap: bool = False) -> np.ndarray:
    across, depth = _middle(half=half, start=start)
    columns, rows = np.einsum("nijk,j->n", probability, across), np.einsum("nijk,i->n", probability, across)
    first = [rows, columns] if swap else [columns, rows]
    return np.array([*first, np.einsum("nijk,k->n", probability, depth)]).T


def _most_probable(probability: Any) -> Any:
    flat = np.asarray(probability).reshape(len(probability), -1)
    row, column, deep = np.unravel_index(flat.argmax(axis=1), (48, 48, 20))
    across, depth = _middle()
    return np.array([across[column], across[row], depth[deep]]).T


@task("X8.11", section="8.6")
def mean_place(student: Any, random: np.random.Generator) -> str:
    probability = random.gamma(0.02, size=(3, 48, 48, 20)) + 1e-9
    probability[:, :, :30] *= 3  # asymmetric, so that x and y and their middles differ
    probability /= probability.sum(axis=(1, 2, 3), keepdims=True)
    answer = student(probability)
    expect.shape(answer, (3, 3), name="the places")
    expect.finite(answer, name="the places")
    expect.differs(
        answer,
        _mean(probability, half=0.0),
        because="the middle of a voxel: half an edge further",
        rtol=1e-6,
        atol=1e-3,
    )
    expect.differs(answer, _mean(probability, swap=True), because="rows are y, columns are x", rtol=1e-6, atol=1e-3)
    expect.differs(answer, _mean(probability, start=0.0), because="depths that start at -500 nm", rtol=1e-6, atol=1e-3)
    expect.differs(
        answer, _most_probable(probability), because="the mean over all voxels, not the likeliest", rtol=1e-6, atol=1e-3
    )
    one = np.zeros((1, 48, 48, 20))
    one[0, 10, 30, 4] = 1.0
    expect.close(
        student(one),
        np.array([[732.0, 252.0, -275.0]]),
        rtol=1e-6,
        atol=1e-3,
        because="the middle of the voxel, where the molecule is certainly in one",
        rung="physics",
    )
    expect.close(
        answer, _mean(probability), rtol=1e-6, atol=1e-3, because="the sum over all voxels of probability times place"
    )
    return "middles of the voxels, weighted with their probabilities"


mean_place.hints = (
    "Sum the probabilities over two axes first: what is left is the distribution of one coordinate.",
    "The middles across are (np.arange(48) + 0.5) * 24 nm; write the depths in the same way, from -500 nm.",
    "probability.sum(axis=(1, 3)) has one row for each picture and one column for each x; multiply with @.",
)
mean_place.mistakes = {
    "corners of the voxels": (lambda probability: _mean(probability, half=0.0), "half an edge further"),
    "x and y exchanged": (lambda probability: _mean(probability, swap=True), "rows are y"),
    "depths from zero": (lambda probability: _mean(probability, start=0.0), "start at -500 nm"),
    "the most probable voxel": (_most_probable, "not the likeliest"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "X8.6-q1",
    question="The network is trained on measured gaps, each with an error of 0.5 meV. Its maps have, compared with the "
    "true gap, an error of the same size or below. How can it be?",
    options=(
        "It cannot; the test scans must have been in the training.",
        "Independent errors of the targets average out: the network learns the mean gap for what it sees.",
        "The measured gap contains no information on the true one.",
        "Upsampling divides the error by four.",
    ),
    answer=2,
    explanation="The squared loss is smallest for the conditional mean, and noise of mean zero in the targets does "
    "not shift it. Only a loss evaluated on measured gaps cannot fall below 0.5 meV.",
)
quiz(
    "X8.9-q1",
    question="Which transformation of a jet image would cost the network what it has found out about multiplicity?",
    options=(
        "Rotating the image about the axis of the jet.",
        "Exchanging the channels of charged and of neutral momentum, in the training and in the test.",
        "Scaling the third channel of every jet so that its sum is 1.",
        "Using pixels of half the size.",
    ),
    answer=3,
    explanation="The sum of the third channel is the number of charged particles. Normalised away, it can only be "
    "guessed from how many pixels are lit.",
)
quiz(
    "X8.10-q1",
    question="Why are the U-Net's shortcuts from the encoder worth so much here?",
    options=(
        "They pass positions on that the strides have lost: a track is one or two pixels wide.",
        "They reduce the number of parameters.",
        "They make the loss convex.",
        "They give noise pixels a larger weight.",
    ),
    answer=1,
    explanation="After four strides of two, one place stands for 16 x 16 pixels. Context comes through the bottom of "
    "the U, exact positions across it.",
)
quiz(
    "X8.11-q1",
    question="Voxels of 24 nm, and an error of some 10 nm. Why is the mean over the voxels finer than the best voxel?",
    options=(
        "The softmax interpolates between pixels of the camera.",
        "Averaging over many pictures reduces the error.",
        "The network has seen the true coordinates.",
        "The probabilities of neighbouring voxels tell where in the voxel the molecule is likely to be.",
    ),
    answer=4,
    explanation="A molecule near the edge of a voxel makes its neighbour nearly as probable. The mean of the posterior "
    "uses this; the likeliest voxel alone throws it away.",
)
