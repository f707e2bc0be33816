"""Checks of the examples of chapter 8: a convolution by hand, output sizes, receptive fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task


def _map(image: np.ndarray, kernel: np.ndarray, bias: float) -> np.ndarray:
    """The convolution (8.1) without padding."""
    patches = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.asarray((patches * kernel).sum(axis=(2, 3)) + bias)


@task("M8.7a", section="8.1.1")
def convolve(student: Any, random: np.random.Generator) -> str:
    image, kernel, bias = random.normal(size=(9, 7)), random.normal(size=(3, 2)), float(random.uniform(1, 2))
    answer = student(image, kernel, bias)
    expect.is_array(answer)
    right = _map(image, kernel, bias)
    if answer.shape == image.shape:
        expect.holds(
            False,
            because="no padding: the filter must fit into the image, so the map is smaller than the image",
            seen=f"shape {answer.shape}",
            rung="shape",
        )
    expect.shape(answer, right.shape, name="the map")
    expect.finite(answer, name="the map")
    expect.differs(
        answer,
        _map(image, kernel[::-1, ::-1], bias),
        because="the filter as it is, as in (8.1) and in Keras: do not turn it round",
    )
    expect.differs(answer, right - bias, because="the bias added to every pixel of the map")
    expect.differs(
        answer,
        (right - bias) + kernel.size * bias,
        because="the bias added once for each pixel, after the sum over the filter",
    )
    expect.differs(answer, np.maximum(right, 0), because="the sum itself: the activation comes afterwards")
    expect.differs(answer, (right - bias) / kernel.size + bias, because="the sum over the filter, not the mean")
    twice = student(2 * image, kernel, 0.0)
    expect.close(
        twice,
        2 * _map(image, kernel, 0.0),
        rtol=1e-6,
        atol=1e-9,
        because="twice the image gives twice the map: a convolution is linear",
        rung="physics",
    )
    expect.close(
        student(image.T.copy(), kernel.T.copy(), bias),
        right.T,
        rtol=1e-6,
        atol=1e-9,
        because="the transposed map for the transposed image and filter: rows and columns are treated alike",
        rung="physics",
    )
    expect.close(
        answer,
        right,
        rtol=1e-6,
        atol=1e-9,
        because="at each place the sum of the products of filter and patch",
        name="the map",
    )
    return "the same numbers as a layer of Keras, with a filter that is not square"


def _padded(image: np.ndarray, kernel: np.ndarray, bias: float) -> np.ndarray:
    k, m = kernel.shape
    return _map(np.pad(image, ((k // 2, k - 1 - k // 2), (m // 2, m - 1 - m // 2))), kernel, bias)


convolve.hints = (
    "Two loops, over the rows i and the columns j of the map; for a filter of 3 x 3 the patch is image[i:i+3, j:j+3].",
    "A filter of r rows on an image of h rows gives a map of h - r + 1 rows. Start from np.empty of the map's shape.",
    "Inside the loops: result[i, j] = np.sum(kernel * the patch) + bias.",
)
convolve.mistakes = {
    "filter turned round": (lambda image, kernel, bias: _map(image, kernel[::-1, ::-1], bias), "do not turn it round"),
    "bias forgotten": (lambda image, kernel, bias: _map(image, kernel, 0.0), "to every pixel of the map"),
    "bias in the sum": (lambda image, kernel, bias: _map(image, kernel, kernel.size * bias), "once for each pixel"),
    "ReLU included": (lambda image, kernel, bias: np.maximum(_map(image, kernel, bias), 0), "afterwards"),
    "mean": (lambda image, kernel, bias: _map(image, kernel / kernel.size, bias), "not the mean"),
    "zero padding": (_padded, "no padding"),
    "last row forgotten": (lambda image, kernel, bias: _map(image, kernel, bias)[:-1], "shape (7, 6)"),
}


@task("M8.1a", section="8.1.4")
def output_size(student: Any, random: np.random.Generator) -> str:
    cases = [(7, 3, 1, 0, 1), (7, 3, 2, 0, 1), (7, 3, 1, 1, 1), (7, 3, 1, 0, 2), (8, 3, 2, 0, 1), (32, 5, 3, 2, 1)]
    for _ in range(40):
        kernel, stride = int(random.integers(1, 6)), int(random.integers(1, 5))
        padding, dilation = int(random.integers(0, 4)), int(random.integers(1, 4))
        cases.append((int(random.integers(20, 60)), kernel, stride, padding, dilation))
    answers = []
    for case in cases:
        value = student(*case)
        expect.number(value, name=f"output_size{case}")
        expect.holds(
            float(value) == int(value),
            because="a whole number of pixels: round down, where the filter no longer fits there is no output",
            seen=f"output_size{case} is {value}",
            rung="shape",
        )
        answers.append(int(value))
    n, k, s, p, d = np.array(cases).T
    right = (n + 2 * p - d * (k - 1) - 1) // s + 1
    known = {
        "the first place counts too: steps plus one": right - 1,
        "padding on both sides: 2 p zeros in all": (n + p - d * (k - 1) - 1) // s + 1,
        "the filter covers d (k - 1) + 1 pixels, not d k": (n + 2 * p - d * k) // s + 1,
        "dilation widens the filter: d (k - 1) + 1 pixels": (n + 2 * p - k) // s + 1,
        "round down: a step that does not fit is not taken": -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1,
        "dilation 1 means no holes, as in Keras": (n + 2 * p - (d + 1) * (k - 1) - 1) // s + 1,
        "the stride shortens the way, it does not divide the image": (n + 2 * p) // s - d * (k - 1),
    }
    for because, wrong in known.items():
        expect.differs(answers, wrong, because=because)
    for size in (5, 12):
        expect.equal(
            student(size, 1, 1, 0, 1), size, because="a filter of one pixel leaves the size as it is", rung="physics"
        )
    expect.equal(
        answers, right.tolist(), because="the number of places at which the filter fits", name="the list of sizes"
    )
    return f"right for {len(cases)} layers"


def _sizes(formula: Callable[[int, int, int, int, int], int | float]) -> Callable[..., int | float]:
    """A wrong output_size()."""

    def output_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int | float:
        return formula(size, kernel, stride, padding, dilation)

    return output_size


output_size.hints = (
    "How many pixels does the filter cover, with its holes? How far can it still move?",
    "The way is size + 2 * padding - covered; each step is `stride` long, and the first place needs no step.",
    "The filter covers dilation * (kernel - 1) + 1 pixels; divide the way that is left by the stride with //, "
    "and add 1.",
)
output_size.mistakes = {
    "one too few": (_sizes(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s), "steps plus one"),
    "padding once": (_sizes(lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1), "on both sides"),
    "dilation times filter": (_sizes(lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1), "not d k"),
    "no dilation": (_sizes(lambda n, k, s, p, d: (n + 2 * p - k) // s + 1), "dilation widens"),
    "rounded up": (_sizes(lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1), "is not taken"),
    "dilation counts holes": (_sizes(lambda n, k, s, p, d: (n + 2 * p - (d + 1) * (k - 1) - 1) // s + 1), "no holes"),
    "not rounded": (_sizes(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1), "whole number of pixels"),
}


def _field(
    kernels: list[int],
    strides: list[int],
    *,
    overlap: int = 1,
    own_stride: bool = False,
    use_strides: bool = True,
    add_strides: bool = False,
    start: int = 1,
) -> int:
    """Width of the receptive field; the keywords make the known mistakes."""
    width, step = start, 1
    for k, s in zip(kernels, strides, strict=True):
        after = step + s - 1 if add_strides else step * s
        width += (k - overlap) * (1 if not use_strides else after if own_stride else step)
        step = after
    return width


FIELD_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "filters added up": ({"overlap": 0}, "each layer adds k - 1 steps, since neighbouring fields overlap"),
    "own stride included": (
        {"own_stride": True},
        "a step is as long as the strides before the layer make it; its own stride matters for the next ones",
    ),
    "strides left out": ({"use_strides": False}, "strides lengthen the steps of all layers after them"),
    "strides added": (
        {"add_strides": True},
        "the product of the strides before a layer: strides multiply, they do not add",
    ),
    "without the pixel itself": ({"start": 0}, "the pixel itself belongs to the field"),
}


@task("M8.2a", section="8.1.5")
def receptive_field(student: Any, random: np.random.Generator) -> str:
    chains = [([3] * n, [1] * n) for n in range(1, 6)] + [([3, 3, 3, 3], [2, 2, 2, 1]), ([7, 3, 5], [2, 1, 3])]
    for _ in range(20):
        n = int(random.integers(2, 6))
        chains.append((random.integers(1, 6, n).tolist(), random.integers(1, 4, n).tolist()))
    answers = []
    for kernels, strides in chains:
        value = student(kernels, strides)
        expect.number(value, name=f"receptive_field({kernels}, {strides})")
        answers.append(float(value))
    for changes, because in FIELD_MISTAKES.values():
        expect.differs(answers, [_field(*chain, **changes) for chain in chains], because=because)
    expect.equal(
        float(student([1, 1], [1, 1])),
        1.0,
        because="filters of one pixel see one pixel",
        name="the width",
        rung="physics",
    )
    expect.equal(
        float(student([3, 3, 3], [1, 1, 7])),
        7.0,
        because="the stride of the last layer does not change what one output pixel sees",
        name="the width",
        rung="physics",
    )
    expect.equal(
        answers,
        [float(_field(*chain)) for chain in chains],
        because="the widths by the formula above, for every chain of layers",
        name="the list of widths",
    )
    return "2 L + 1 for L layers of 3 x 3, and right with strides"


def _wrong_field(changes: dict[str, Any]) -> Callable[..., int]:
    """A wrong receptive_field()."""

    def receptive_field(kernels: list[int], strides: list[int]) -> int:
        return _field(kernels, strides, **changes)

    return receptive_field


receptive_field.hints = (
    "Go through the layers from the first to the last, and keep two numbers: the width so far, and the length of "
    "a step in input pixels.",
    "Both start at 1. A layer adds (kernel - 1) * step to the width; afterwards its stride multiplies the step.",
    "In a loop over zip(kernels, strides): first add (kernel - 1) * step to the width, then multiply the step by "
    "the stride.",
)
receptive_field.mistakes = {
    name: (_wrong_field(changes), because.partition(";")[0].partition(":")[0])
    for name, (changes, because) in FIELD_MISTAKES.items()
} | {
    "backwards": (
        lambda kernels, strides: _field(kernels[::-1], strides[::-1]),
        "the stride of the last layer",
    ),
    "a list of widths": (lambda kernels, strides: [_field(kernels[:n], strides[:n]) for n in (1, 2)], "one number"),
}

quiz(
    "M8.4-q1",
    question="A network has 256 maps of 14 x 14 pixels and needs a 5 x 5 convolution to 64 maps. "
    "Which way has the fewest parameters?",
    options=(
        "The 5 x 5 convolution itself.",
        "A locally-connected layer of 5 x 5.",
        "A bottleneck of 1 x 1 to 32 maps, then 5 x 5 to 64 maps.",
        "Flatten, then a dense layer with 64 x 14 x 14 nodes.",
    ),
    answer=3,
    explanation="256 x 32 + 32 and 32 x 25 x 64 + 64 make 59 488 parameters; the convolution itself has 409 664, "
    "the other two share nothing and have millions or more.",
)
