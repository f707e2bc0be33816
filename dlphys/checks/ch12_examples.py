"""Checks of the examples of chapter 12: saliency, relevance, unpooling, occlusion, path integrals, Shapley values."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

Network = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _network(random: np.random.Generator, *, biases: float = 0.5, inputs: int = 6, hidden: int = 20) -> Network:
    """Weights and biases of a network with one hidden ReLU layer and four classes."""
    return (
        random.normal(size=(inputs, hidden)) / np.sqrt(inputs),
        biases * random.normal(size=hidden),
        random.normal(size=(hidden, 4)) / np.sqrt(hidden),
        biases * random.normal(size=4),
    )


def _point(network: Network, random: np.random.Generator) -> np.ndarray:
    """An input that lies on no kink, with silent nodes, and with active ones that speak for and against each class."""
    while True:
        x = random.uniform(0.2, 2.0, len(network[0])) * random.choice([-1.0, 1.0], len(network[0]))
        before = x @ network[0] + network[1]
        votes = network[2][before > 0]
        both = (votes > 0).any(axis=0).all() and (votes < 0).any(axis=0).all()
        if np.abs(before).min() > 0.01 and 3 < len(votes) < len(before) - 3 and both:
            return x


def _scores(network: Network, x: np.ndarray) -> np.ndarray:
    w, b, v, c = network
    return np.maximum(x @ w + b, 0) @ v + c


def _slope(network: Network, x: np.ndarray, signal: np.ndarray, *, masked: bool = True) -> np.ndarray:
    """What comes back at the input for a signal at the hidden nodes."""
    w, b = network[:2]
    return np.asarray(((x @ w + b > 0) if masked else 1.0) * signal @ w.T)


# --- X12.1 --------------------------------------------------------------------------------------------------


def _softmax_slope(network: Network, x: np.ndarray, k: int) -> np.ndarray:
    scores = _scores(network, x)
    p = np.exp(scores - scores.max())
    p /= p.sum()
    return p[k] * (_slope(network, x, network[2][:, k]) - _slope(network, x, network[2] @ p))


@task("X12.1", section="12.3.1")
def signed_saliency(student: Any, random: np.random.Generator) -> str:
    network = _network(random)
    x, k = _point(network, random), 2
    v = network[2]
    answer = student(network, x, k)
    expect.shape(answer, (6,), name="the saliency of 6 inputs")
    expect.finite(answer, name="the saliency")
    right = _slope(network, x, v[:, k])
    known = {
        "the sign is half of the answer: brighter pixels may raise the score or lower it": np.abs(right),
        "a silent node passes nothing: its ReLU has the derivative 0": _slope(network, x, v[:, k], masked=False),
        "the derivative of the score before the softmax, not of the probability": _softmax_slope(network, x, k),
        "the derivative alone, not multiplied by the input": x * right,
        "a ReLU passes what its own input allows, whatever the sign of the signal that comes back": _slope(
            network, x, np.maximum(v[:, k], 0), masked=False
        ),
        "negative signals of active nodes count too": _slope(network, x, np.maximum(v[:, k], 0)),
        "one class only: column k of the output weights": _slope(network, x, v.sum(axis=1)),
        "the hidden activations tell which nodes are open; they are no factor of the derivative": np.maximum(
            x @ network[0] + network[1], 0
        )
        * v[:, k]
        @ network[0].T,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    step = 1e-6 * random.normal(size=6)
    rise = (_scores(network, x + step) - _scores(network, x - step))[k] / 2
    expect.close(
        np.dot(answer, step),
        rise,
        rtol=1e-5,
        atol=1e-12,
        because="for a small step d the score rises by g . d",
        name="g . d",
        rung="physics",
    )
    bare = (network[0], 0 * network[1], v, 0 * network[3])
    expect.close(
        np.dot(student(bare, x, k), x),
        _scores(bare, x)[k],
        rtol=1e-6,
        atol=1e-9,
        because="without biases the score is homogeneous, so that g . x is the score (Euler's theorem)",
        name="g . x",
        rung="physics",
    )
    expect.close(answer, right, rtol=1e-5, atol=1e-9, because="W (open nodes times column k of V)", name="the saliency")
    return "a small step changes the score by g . d"


def _saliency(change: Callable[[Network, np.ndarray, int], Any]) -> Callable[..., Any]:
    """A wrong signed_saliency()."""

    def signed_saliency(network: Network, x: np.ndarray, k: int) -> Any:
        return change(network, x, k)

    return signed_saliency


signed_saliency.hints = (
    "The chain rule, backwards: dS_k / dh_j is an output weight, dh_j / dz_j is 0 or 1, dz_j / dx_i is W_ij.",
    "z = x @ weights + biases; z > 0 says which hidden nodes are open.",
    "weights @ (array of hidden nodes) adds over the nodes and leaves one number for each input.",
)
signed_saliency.mistakes = {
    "absolute value": (_saliency(lambda n, x, k: np.abs(_slope(n, x, n[2][:, k]))), "the sign is half"),
    "ReLU forgotten": (_saliency(lambda n, x, k: n[0] @ n[2][:, k]), "a silent node passes nothing"),
    "after the softmax": (_saliency(_softmax_slope), "not of the probability"),
    "times input": (_saliency(lambda n, x, k: x * _slope(n, x, n[2][:, k])), "not multiplied by the input"),
    "DeconvNet": (_saliency(lambda n, x, k: n[0] @ np.maximum(n[2][:, k], 0)), "whatever the sign of the signal"),
    "guided": (_saliency(lambda n, x, k: _slope(n, x, np.maximum(n[2][:, k], 0))), "of active nodes count too"),
    "all classes": (_saliency(lambda n, x, k: _slope(n, x, n[2].sum(axis=1))), "column k"),
    "activations": (
        _saliency(lambda n, x, k: n[0] @ (np.maximum(x @ n[0] + n[1], 0) * n[2][:, k])),
        "no factor of the derivative",
    ),
    "biases forgotten": (_saliency(lambda n, x, k: n[0] @ ((x @ n[0] > 0) * n[2][:, k])), "rises by g . d"),
    "hidden nodes": (_saliency(lambda n, x, k: (x @ n[0] + n[1] > 0) * n[2][:, k]), "shape (6,)"),
}

# --- X12.2 --------------------------------------------------------------------------------------------------


def _sign(z: np.ndarray) -> np.ndarray:
    return np.where(z >= 0, 1.0, -1.0)


def _relevance(a: np.ndarray, w: np.ndarray, below: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    return np.asarray(a * (w @ (relevance / below)))


def _known_relevances(
    a: np.ndarray, w: np.ndarray, b: np.ndarray, r: np.ndarray, epsilon: float
) -> dict[str, np.ndarray]:
    """What a misread (12.9) gives, by the reason why it is wrong."""
    z = a @ w + b
    inflow = a @ w
    return {
        "epsilon takes the sign of z: a plain + epsilon can cancel a negative z": _relevance(a, w, z + epsilon, r),
        "epsilon is missing below the fraction": _relevance(a, w, z, r),
        "z includes the bias": _relevance(a, w, inflow + epsilon * _sign(inflow), r),
        "z keeps its sign: dividing by |z| + epsilon turns inhibition into support": _relevance(
            a, w, np.abs(z) + epsilon, r
        ),
        "the activation a_i belongs above the fraction: a silent node contributed nothing": w
        @ (r / (z + epsilon * _sign(z))),
        "the denominator belongs to the receiver j: add over i, not over j": (a[:, None] * w)
        / ((a[:, None] * w).sum(axis=1, keepdims=True) + epsilon)
        @ r,
        "contributions have signs; this takes their sizes": _relevance(a, np.abs(w), (a @ np.abs(w)) + epsilon, r),
        "each j passes on its relevance R_j; here every j passes on 1": _relevance(
            a, w, z + epsilon * _sign(z), np.ones_like(r)
        ),
    }


@task("X12.2", section="12.3.2.2")
def lrp_dense(student: Any, random: np.random.Generator) -> str:
    n, m = 6, 5
    a = np.maximum(random.normal(0.3, 1.0, n), 0)
    a[0], a[1] = 0.0, 0.7  # one silent node at least, one that speaks
    w = random.normal(size=(n, m))
    b = 0.5 * random.normal(size=m)
    far = (np.abs(a @ w) > 0.1) & (np.abs(a @ w + b) > 0.1)
    b = np.where(far, b, b + 0.4)
    w = np.where(np.abs(a @ w) > 0.1, w, w + 0.5)
    w[:, 0] = np.where((a @ w)[0] + b[0] > 0, -w[:, 0], w[:, 0])
    b[0] = -0.3  # a receiver with negative z
    r, epsilon = random.uniform(0.2, 1.0, m), 0.25
    answer = student(a, w, b, r, epsilon)
    expect.shape(answer, (n,), name="the relevance of 6 nodes")
    expect.finite(answer, name="the relevance")
    for because, wrong in _known_relevances(a, w, b, r, epsilon).items():
        expect.differs(answer, wrong, because=because)
    expect.close(answer[0], 0.0, atol=1e-12, because="no relevance for a node that is silent", rung="physics")
    expect.close(
        np.sum(student(a, w, np.zeros(m), r, 0.0)),
        r.sum(),
        rtol=1e-9,
        because="without bias and epsilon nothing is lost: the relevances below add up to those above (Kirchhoff)",
        name="their sum",
        rung="physics",
    )
    z = a @ w + b
    expect.close(
        np.sum(student(a, w, b, r, 0.0)),
        (r * (a @ w) / z).sum(),
        rtol=1e-9,
        because="with biases, each receiver keeps the share b_j / z_j for its bias",
        name="their sum",
        rung="physics",
    )
    expect.at_most(
        np.abs(student(a, w, b, r, 1e9)),
        1e-6,
        because="a huge epsilon absorbs everything",
        name="the largest relevance",
    )
    expect.close(
        answer,
        _relevance(a, w, z + epsilon * _sign(z), r),
        rtol=1e-6,
        atol=1e-12,
        because="(12.9) with epsilon times the sign of z",
        name="the relevance",
    )
    return f"of {r.sum():.3f} above, {np.sum(answer):.3f} arrive below; biases and epsilon have the rest"


def _lrp(number: int) -> Callable[..., Any]:
    """A wrong lrp_dense(): one of those that are known."""

    def lrp_dense(a: Any, weights: Any, biases: Any, relevance: Any, epsilon: float) -> Any:
        return list(_known_relevances(a, weights, biases, relevance, epsilon).values())[number]

    return lrp_dense


def _lrp_cut(a: Any, weights: Any, biases: Any, relevance: Any, epsilon: float) -> Any:
    z = biases + a @ weights
    return np.maximum(_relevance(a, weights, z + epsilon * _sign(z), relevance), 0)


def _lrp_bias_kept(a: Any, weights: Any, biases: Any, relevance: Any, epsilon: float) -> Any:
    z = biases + a @ weights
    below = z + epsilon * _sign(z)
    return _relevance(a, weights, below, relevance) + (a > 0) * (biases / below * relevance).sum() / max(
        1, (a > 0).sum()
    )


lrp_dense.hints = (
    "First the forward pass: z = a @ weights + biases, one number for each receiver j.",
    "np.where(z >= 0, epsilon, -epsilon) is epsilon with the sign of z (and + where z is zero).",
    "Divide the relevance of each receiver by its denominator; weights @ (that) adds over j; a_i is a factor in front.",
)
lrp_dense.mistakes = {
    "epsilon without sign": (_lrp(0), "takes the sign of z"),
    "no epsilon": (_lrp(1), "is missing below"),
    "bias forgotten": (_lrp(2), "includes the bias"),
    "absolute value below": (_lrp(3), "turns inhibition into support"),
    "no activation": (_lrp(4), "a silent node contributed nothing"),
    "wrong sum": (_lrp(5), "add over i, not over j"),
    "absolute values": (_lrp(6), "takes their sizes"),
    "relevance forgotten": (_lrp(7), "passes on 1"),
    "bias shared out": (_lrp_bias_kept, "the share b_j / z_j"),
    "negative part cut": (_lrp_cut, "nothing is lost"),
    "upper layer": (lambda a, weights, biases, relevance, epsilon: relevance, "shape (6,)"),
}

# --- M12.1 --------------------------------------------------------------------------------------------------


def _windows(maps: np.ndarray) -> np.ndarray:
    """The four entries of each window of 2 x 2; (h, w, 4)."""
    h, w = maps.shape[0] // 2, maps.shape[1] // 2
    return np.array([[maps[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].ravel() for j in range(w)] for i in range(h)])


def _assembled(windows: np.ndarray) -> np.ndarray:
    h, w = windows.shape[:2]
    result = np.zeros((2 * h, 2 * w))
    for i in range(h):
        for j in range(w):
            result[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = windows[i, j].reshape(2, 2)
    return result


def _put(signal: np.ndarray, place: np.ndarray) -> np.ndarray:
    windows = np.zeros((*signal.shape, 4))
    np.put_along_axis(windows, place[..., None], signal[..., None], axis=2)
    return _assembled(windows)


def _known_unpoolings(signal: np.ndarray, maps: np.ndarray) -> dict[str, np.ndarray]:
    windows = _windows(maps)
    at_maximum = _put(signal, windows.argmax(axis=2))
    return {
        "one entry of each window, where the maximum was; not all four": np.kron(signal, np.ones((2, 2))),
        "the signal is not spread evenly: the switch remembers where the maximum was": np.kron(
            signal, np.full((2, 2), 0.25)
        ),
        "the switch says where in the window; here it is always the first corner": _put(
            signal, np.zeros(signal.shape, int)
        ),
        "the largest entry, not the largest in size: pooling compared signed numbers": _put(
            signal, np.abs(windows).argmax(axis=2)
        ),
        "the maximum, not the minimum": _put(signal, windows.argmin(axis=2)),
        "the signal goes back, not the old maximum": _put(windows.max(axis=2), windows.argmax(axis=2)),
        "the signal replaces the maximum, it does not multiply it": at_maximum * maps,
        "rows and columns are exchanged inside the windows": _put(
            signal, np.array([0, 2, 1, 3])[windows.argmax(axis=2)]
        ),
    }


@task("M12.1", section="12.2.1")
def unpool(student: Any, random: np.random.Generator) -> str:
    maps, signal = random.normal(size=(6, 8)), random.normal(size=(3, 4))
    maps[0, 0] = -9.0  # the largest in size of its window
    answer = student(signal, maps)
    expect.shape(answer, (6, 8), name="the unpooled signal")
    expect.finite(answer, name="the unpooled signal")
    for because, wrong in _known_unpoolings(signal, maps).items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        _windows(answer).sum(axis=2),
        signal,
        atol=1e-12,
        because="nothing is lost or won: in each window the entries add up to the signal",
        name="the sum of each window",
        rung="physics",
    )
    expect.equal(
        int(np.count_nonzero(answer)),
        signal.size,
        because="one entry for each window",
        name="their number",
        rung="physics",
    )
    pooled = _windows(maps).max(axis=2)
    expect.close(
        _windows(np.asarray(student(np.abs(pooled), maps))).max(axis=2),
        np.abs(pooled),
        rtol=1e-9,
        because="pooling after unpooling gives positive signals back",
        name="what pooling finds",
        rung="physics",
    )
    expect.close(
        (answer * maps).sum(),
        (signal * pooled).sum(),
        rtol=1e-9,
        atol=1e-12,
        because="<unpooled signal, maps> = <signal, pooled maps>: unpooling is the adjoint of pooling",
        name="the product with the maps",
        rung="physics",
    )
    expect.close(
        answer,
        _put(signal, _windows(maps).argmax(axis=2)),
        atol=1e-12,
        because="each entry of the signal where the maximum of its window was",
    )
    return "pooling what was unpooled gives the signal back"


def _unpool(number: int) -> Callable[..., Any]:
    """A wrong unpool(): one of those that are known."""

    def unpool(signal: np.ndarray, maps: np.ndarray) -> Any:
        return list(_known_unpoolings(signal, maps).values())[number]

    return unpool


unpool.hints = (
    "Two loops over the windows will do: window = maps[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].",
    "np.unravel_index(window.argmax(), (2, 2)) gives row and column of the maximum inside the window.",
    "Start from zeros of the shape of maps and fill one entry for each window: signal[i, j].",
)
unpool.mistakes = {
    "repeated": (_unpool(0), "not all four"),
    "spread": (_unpool(1), "not spread evenly"),
    "corner": (_unpool(2), "always the first corner"),
    "largest in size": (_unpool(3), "compared signed numbers"),
    "minimum": (_unpool(4), "not the minimum"),
    "maximum": (_unpool(5), "not the old maximum"),
    "product": (_unpool(6), "does not multiply"),
    "exchanged": (_unpool(7), "exchanged inside the windows"),
    "rectified": (
        lambda signal, maps: np.maximum(_put(signal, _windows(maps).argmax(axis=2)), 0),
        "nothing is lost or won",
    ),
    "small": (lambda signal, maps: signal, "shape (6, 8)"),
}

# --- M12.3 --------------------------------------------------------------------------------------------------


def _corners(shape: tuple[int, ...], size: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(0, shape[0], size) for j in range(0, shape[1], size)]


def _covered(
    image: np.ndarray, cover: np.ndarray, size: int, *, shift: int = 0, grow: int = 0, keep: bool = False
) -> np.ndarray:
    """The copies; the keywords make the known mistakes."""
    copies = []
    running = image.copy()
    for i, j in _corners(image.shape, size):
        window = np.s_[i + shift : i + shift + size + grow, j + shift : j + shift + size + grow]
        copy = running if keep else image.copy()
        copy[window] = cover[window]
        copies.append(copy.copy())
    return np.asarray(copies)


def _known_covers(image: np.ndarray, cover: np.ndarray, size: int) -> dict[str, np.ndarray]:
    right = _covered(image, cover, size)
    inside = np.array([copy != image for copy in right])
    by_columns = [
        i * (image.shape[1] // size) + j for j in range(image.shape[1] // size) for i in range(len(image) // size)
    ]
    first = np.where(inside, cover[0, 0], image)
    return {
        "one patch in each copy: earlier patches are still covered, is there a copy() of the image?": _covered(
            image, cover, size, keep=True
        ),
        "the patch is covered and the rest stays; this is the other way round": np.where(inside, image, cover),
        "patches row by row: the second patch lies to the right of the first": right[by_columns],
        "the pixels of the cover at the same place, not those of its corner": first,
        "a patch of size x size: here it is larger": _covered(image, cover, size, grow=1),
        "the first patch begins in the corner": _covered(image, cover, size, shift=1),
        "the cover replaces the pixels, it is not added": np.where(inside, image + cover, image),
        "the pixels are replaced by those of the cover, not by zeros": np.where(inside, 0.0, image),
    }


@task("M12.3", section="12.3.3")
def covered_copies(student: Any, random: np.random.Generator) -> str:
    image, cover, size = random.uniform(1, 2, (6, 9)), random.uniform(3, 4, (6, 9)), 3
    before = image.copy()
    answer = student(image, cover, size)
    expect.shape(answer, (6, 6, 9), name="the copies of an image of 6 x 9, patches of 3 x 3")
    expect.finite(answer, name="the copies")
    for because, wrong in _known_covers(before, cover, size).items():
        expect.differs(answer, wrong, because=because)
    expect.equal(
        np.count_nonzero(np.asarray(answer) != before, axis=(1, 2)),
        np.full(6, size**2),
        because="9 covered pixels in each copy",
        name="the numbers of covered pixels",
        rung="physics",
    )
    expect.equal(
        np.count_nonzero(np.asarray(answer) != before, axis=0),
        np.ones((6, 9), int),
        because="every pixel covered in one of the copies",
        name="how often each is covered",
        rung="physics",
    )
    weights = random.normal(size=(6, 9))
    expect.close(
        (weights * (before - np.asarray(answer))).sum(),
        (weights * (before - cover)).sum(),
        rtol=1e-9,
        because="for a linear score the falls over all patches add up to score(image) - score(cover)",
        name="their sum",
        rung="physics",
    )
    expect.close(
        answer, _covered(before, cover, size), because="one patch after the other, row by row", name="the copies"
    )
    single = student(before, cover, 1)
    expect.shape(single, (54, 6, 9), name="the copies for patches of one pixel")
    return "each pixel is covered in one of the 6 copies"


def _cover(number: int) -> Callable[..., Any]:
    """A wrong covered_copies(): one of those that are known."""

    def covered_copies(image: np.ndarray, cover: np.ndarray, size: int) -> Any:
        return list(_known_covers(image, cover, size).values())[number]

    return covered_copies


covered_copies.hints = (
    "Two loops: rows in range(0, height, size), columns in range(0, width, size), the rows outside.",
    "image.copy() first, then copy[i : i + size, j : j + size] = the same part of the cover.",
    "Collect the copies in a list and make one array of it at the end.",
)
covered_copies.mistakes = {
    "no copy": (_cover(0), "earlier patches are still covered"),
    "inverted": (_cover(1), "the other way round"),
    "by columns": (_cover(2), "row by row: the second"),
    "corner of the cover": (_cover(3), "not those of its corner"),
    "too large": (_cover(4), "here it is larger"),
    "shifted": (_cover(5), "begins in the corner"),
    "added": (_cover(6), "it is not added"),
    "zeros": (_cover(7), "not by zeros"),
    "one patch": (lambda image, cover, size: _covered(image, cover, size)[:1], "shape (6, 6, 9)"),
    "patch by patch the same": (
        lambda image, cover, size: np.repeat(_covered(image, cover, size)[:1], 6, axis=0),
        "every pixel covered in one",
    ),
}

# --- M12.4a -------------------------------------------------------------------------------------------------


def _path(
    network: Network,
    x: np.ndarray,
    baseline: np.ndarray,
    k: int,
    steps: int,
    *,
    factor: np.ndarray | None = None,
    shares: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Integrated gradients at the midpoints; the keywords make the known mistakes."""
    if shares is None:
        shares = (np.arange(steps) + 0.5) / steps
    begin = baseline if start is None else start
    slopes = [_slope(network, begin + t * (x - begin), network[2][:, k]) for t in shares]
    return (x - baseline if factor is None else factor) * np.mean(slopes, axis=0)


def _known_paths(network: Network, x: np.ndarray, baseline: np.ndarray, k: int, steps: int) -> dict[str, np.ndarray]:
    zero, ones = np.zeros_like(x), np.ones_like(x)
    return {
        "gradients all along the way, not at its end": _path(network, x, baseline, k, steps, shares=np.ones(1)),
        "gradients all along the way, not at its beginning": _path(network, x, baseline, k, steps, shares=np.zeros(1)),
        "the factor is the way x - baseline, not x": _path(network, x, baseline, k, steps, factor=x),
        "the way begins at the baseline, not at zero": _path(network, x, baseline, k, steps, start=zero),
        "the mean of the gradients: this is their sum": steps * _path(network, x, baseline, k, steps),
        "the mean gradient times the way; the way is missing": _path(network, x, baseline, k, steps, factor=ones),
        "from the baseline to x, so that the sign is that of S(x) - S(baseline)": -_path(
            network, x, baseline, k, steps
        ),
        "(k + 1/2) / steps: this stops before the middle of the way": _path(
            network, x, baseline, k, steps, shares=(np.arange(steps) + 0.5) / (2 * steps)
        ),
    }


@task("M12.4a", section="12.3.2")
def path_attributions(student: Any, random: np.random.Generator) -> str:
    network = _network(random, hidden=30)
    x, baseline, k, steps = _point(network, random), random.normal(size=6), 1, 7
    x[3] = baseline[3]
    answer = student(network, x, baseline, k, steps)
    expect.shape(answer, (6,), name="the attributions of 6 inputs")
    expect.finite(answer, name="the attributions")
    for because, wrong in _known_paths(network, x, baseline, k, steps).items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        answer[3], 0.0, atol=1e-12, because="no share for an input that does not change on the way", rung="physics"
    )
    change = (_scores(network, x) - _scores(network, baseline))[k]
    expect.close(
        np.sum(student(network, x, baseline, k, 4000)),
        change,
        atol=0.01,
        because="completeness: with many steps the shares add up to S(x) - S(baseline)",
        name="their sum",
        rung="physics",
    )
    expect.close(
        student(network, baseline, x, k, 4000),
        -np.asarray(student(network, x, baseline, k, 4000)),
        atol=0.01,
        because="the way back has the opposite shares",
        name="the shares of the way back",
        rung="physics",
    )
    midpoints = _path(network, x, baseline, k, 4000)
    expect.close(
        student(network, x, baseline, k, 4000),
        midpoints,
        atol=0.01,
        because="(x - baseline) times the mean gradient on the way",
        name="the attributions",
    )
    return f"the shares add up to S(x) - S(baseline) = {change:.3f}"


def _integrated(number: int) -> Callable[..., Any]:
    """A wrong path_attributions(): one of those that are known."""

    def path_attributions(network: Network, x: Any, baseline: Any, k: int, steps: int) -> Any:
        return list(_known_paths(network, x, baseline, k, steps).values())[number]

    return path_attributions


path_attributions.hints = (
    "For each step k the place is baseline + t * (x - baseline) with t = (k + 0.5) / steps.",
    "Your signed_saliency gives the gradient at each place; add them up and divide by steps.",
    "Last, multiply by x - baseline, entry by entry.",
)
path_attributions.mistakes = {
    "end only": (_integrated(0), "not at its end"),
    "beginning only": (_integrated(1), "not at its beginning"),
    "times x": (_integrated(2), "the factor is the way"),
    "from zero": (_integrated(3), "not at zero"),
    "sum": (_integrated(4), "this is their sum"),
    "no factor": (_integrated(5), "the way is missing"),
    "sign": (_integrated(6), "the sign is that of"),
    "half way": (_integrated(7), "before the middle"),
    "absolute": (
        lambda network, x, baseline, k, steps: np.abs(_path(network, x, baseline, k, steps)),
        "the shares add up to",
    ),
    "total": (lambda network, x, baseline, k, steps: _path(network, x, baseline, k, steps).sum(), "an array"),
}

# --- M12.4b -------------------------------------------------------------------------------------------------


def _weighted(value: np.ndarray, weight: Callable[[int, int], float]) -> np.ndarray:
    """Sum over coalitions of a weight of their size times the gain by a player who joins."""
    n = int(math.log2(len(value)))
    result = np.zeros(n)
    for i in range(n):
        for s in range(len(value)):
            if not s >> i & 1:
                result[i] += weight(s.bit_count(), n) * (value[s | 1 << i] - value[s])
    return result


def _ordered(value: np.ndarray, *, backwards: bool = False) -> np.ndarray:
    """By the definition with all orders."""
    n = int(math.log2(len(value)))
    result = np.zeros(n)
    for order in permutations(range(n)):
        present = 0
        for i in order:
            result[i] += value[present | 1 << i] - value[present]
            present |= 1 << i
    result /= math.factorial(n)
    return result[::-1] if backwards else result


def _known_shapley(value: np.ndarray) -> dict[str, np.ndarray]:
    n = int(math.log2(len(value)))
    alone = np.array([value[1 << i] - value[0] for i in range(n)])
    last = np.array([value[-1] - value[-1 - (1 << i)] for i in range(n)])
    shapley = _ordered(value)
    return {
        "a player's gain in the company of others too, not alone": alone,
        "a player's gain in all companies, not only when all others are there (that is occlusion)": last,
        "coalitions of all sizes weigh the same together: this is the Banzhaf value, which is not complete": _weighted(
            value, lambda s, n: 0.5 ** (n - 1)
        ),
        "|S|! (n - |S| - 1)! / n!: the 1 is missing": _weighted(
            value, lambda s, n: math.factorial(s) * math.factorial(n - s) / math.factorial(n)
        ),
        "bit i of the index belongs to player i: the first player has the last bit": shapley[::-1],
        "divide by n!, the number of orders": shapley * math.factorial(n),
        "an equal share for everyone would not need the values of the coalitions": np.full(
            n, (value[-1] - value[0]) / n
        ),
    }


@task("M12.4b", section="12.3.3")
def shapley_values(student: Any, random: np.random.Generator) -> str:
    n = 4
    value = random.normal(size=2**n)
    answer = student(value)
    expect.shape(answer, (n,), name="the shares of 4 players")
    expect.finite(answer, name="the shares")
    for because, wrong in _known_shapley(value).items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        np.sum(answer),
        value[-1] - value[0],
        atol=1e-9,
        because="efficiency: the shares add up to v(all) - v(none)",
        name="their sum",
        rung="physics",
    )
    glove = np.array([float(min(s & 1, (s >> 1 & 1) + (s >> 2 & 1))) for s in range(8)])
    expect.close(
        student(glove),
        np.array([2 / 3, 1 / 6, 1 / 6]),
        atol=1e-9,
        because="one left glove and two right ones, a pair is worth 1: shares 2/3, 1/6, 1/6, the two right ones alike",
        name="the shares",
        rung="physics",
    )
    idle = np.array([value[s & 0b1011] for s in range(16)])
    expect.close(
        np.asarray(student(idle))[2],
        0.0,
        atol=1e-9,
        because="no share for a player who changes nothing",
        rung="physics",
    )
    second = random.normal(size=2**n)
    expect.close(
        student(value + 2 * second),
        np.asarray(answer) + 2 * np.asarray(student(second)),
        atol=1e-9,
        because="linearity: the shares of a sum of games are the sums of the shares",
        name="the shares of the sum",
        rung="physics",
    )
    expect.close(
        answer, _ordered(value), atol=1e-9, because="the mean gain over all orders of joining", name="the shares"
    )
    return "efficient, symmetric, linear, and nothing for nobody: only one formula is"


def _shapley(number: int) -> Callable[..., Any]:
    """A wrong shapley_values(): one of those that are known."""

    def shapley_values(value: np.ndarray) -> Any:
        return list(_known_shapley(value).values())[number]

    return shapley_values


def _by_size(value: np.ndarray) -> np.ndarray:
    """Banzhaf values, scaled so that they add up: efficient, but not linear."""
    raw = _weighted(value, lambda s, n: 0.5 ** (n - 1))
    return np.asarray(raw * (value[-1] - value[0]) / raw.sum())


shapley_values.hints = (
    "s >> i & 1 is 1 if player i belongs to coalition s; s | 1 << i is the coalition with player i.",
    "int(s).bit_count() is the number of members of s. Go through all s without player i and add weight times gain.",
    "n = int(np.log2(len(value))); the weights are math.factorial(m) * math.factorial(n - m - 1) / math.factorial(n).",
)
shapley_values.mistakes = {
    "alone": (_shapley(0), "not alone"),
    "leave one out": (_shapley(1), "that is occlusion"),
    "Banzhaf": (_shapley(2), "the Banzhaf value"),
    "factorial": (_shapley(3), "the 1 is missing"),
    "bits reversed": (_shapley(4), "has the last bit"),
    "not divided": (_shapley(5), "the number of orders"),
    "equal shares": (_shapley(6), "would not need the values"),
    "scaled Banzhaf": (_by_size, "2/3, 1/6, 1/6"),
    "without the empty one": (
        lambda value: _ordered(np.concatenate([[0.0], value[1:]])),
        "efficiency",
    ),
    "coalitions": (lambda value: value[1:], "shape (4,)"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "X12.1-q1",
    question="The saliency of a pixel in the middle of a thick stroke is close to zero. What does that say?",
    options=(
        "The pixel played no part in the decision.",
        "A small change of this pixel would hardly change the score; whether it contributed is another question.",
        "The network is saturated, since its softmax is close to one.",
        "The pixel lies outside the receptive field.",
    ),
    answer=2,
    explanation="A derivative speaks of changes. Attribution asks how the score is made up of the pixels, compared "
    "with something: a baseline, a covered patch, an average.",
)
quiz(
    "M12.3-q1",
    question="You cover patches of spins by zeros to find out where an Ising network looks. What is wrong with that?",
    options=(
        "Nothing: zero is black, as in a photograph.",
        "No lattice that the network has ever seen has zeros; random or thermal spins are missing information, too.",
        "Patches of spins must be larger than the correlation length.",
        "The network has no biases, so that zeros change nothing.",
    ),
    answer=2,
    explanation="A perturbed input should look like data. Zeros have no physical meaning on a lattice, and the score "
    "far from the data is an extrapolation.",
)
quiz(
    "M12.4-q1",
    question="The attributions of integrated gradients add up to 12.3 logits for a digit. With a grey baseline they "
    "add up to something else. Which is right?",
    options=(
        "The black baseline: the digits are drawn on black.",
        "The grey one, since it has no preference.",
        "Both: each answers why the score differs from that of its own baseline.",
        "Neither: attributions must not depend on the baseline.",
    ),
    answer=3,
    explanation="An attribution is a comparison. State the baseline with it, as you state the zero of a potential.",
)
