"""Checks of chapter 17: principal components, penalties and noise of autoencoders, and the removal of speckle."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from dlphys import datasets
from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.simulators import speckle

N_TRAIN, N_HELD, EPOCHS = 1_100, 110, 4  # of the training that is judged
BOOK_PARAMETERS = 213_025  # of the book's own network

# --- M17.1a -----------------------------------------------------------------------------------------------


def _correlated(random: np.random.Generator, n: int = 300) -> np.ndarray:
    """Events of six features with different variances, far from the origin."""
    turn = np.linalg.qr(random.normal(size=(6, 6)))[0]
    widths = np.array([5.0, 3.5, 2.4, 1.0, 0.6, 0.3])
    return random.normal(size=(n, 6)) * widths @ turn.T * [1, 3, 0.4, 1, 2, 0.5] + 20.0


def _spectrum(x: np.ndarray) -> np.ndarray:
    """Eigenvectors of the covariance matrix as columns, the largest variance first."""
    return np.linalg.eigh(np.cov(x.T))[1][:, ::-1]


@task("M17.1a", section="17.3.1")
def principal_components(student: Any, random: np.random.Generator) -> str:
    x = _correlated(random)
    answer = student(x, 3)
    expect.is_tuple(answer, 2, name="the mean, the components")
    mean, columns = answer
    expect.shape(mean, (6,), name="the mean")
    expect.shape(columns, (6, 3), name="the components (one a column)")
    expect.finite(columns, name="the components")
    right = _spectrum(x)
    projector = columns @ columns.T
    raw = np.linalg.eigh(x.T @ x)[1][:, ::-1][:, :3]
    equal = _spectrum(x / x.std(axis=0))[:, :3]
    for wrong, because in (
        (right[:, 3:], "the directions of the largest variance: these are those of the smallest"),
        (raw, "the mean subtracted first: the first direction points from the origin to the events here"),
        (equal, "the features as they are: here each was divided by its standard deviation"),
    ):
        expect.differs(projector, wrong @ wrong.T, because=because, rtol=1e-3, atol=1e-3)
    expect.close(
        columns.T @ columns,
        np.eye(3),
        rtol=1e-4,
        atol=1e-5,
        because="orthonormal columns: of length 1, at right angles",
        rung="physics",
        name="the products of the columns",
    )
    variances = np.var(x @ columns, axis=0)
    expect.holds(
        np.all(np.diff(variances) <= 0),
        because="the largest variance first",
        seen=f"variances along the components {', '.join(f'{v:.3g}' for v in variances)}",
    )
    expect.close(mean, x.mean(axis=0), rtol=1e-5, because="the mean of the events", name="the mean")
    expect.close(
        projector,
        right[:, :3] @ right[:, :3].T,
        rtol=1e-3,
        atol=1e-5,
        because="the plane of the three largest eigenvalues of the covariance matrix",
        name="the projector on the components",
    )
    kept = variances.sum() / x.var(axis=0).sum()
    return f"three of six directions carry {kept:.1%} of the variance"


def _components(change: Callable[[np.ndarray, np.ndarray, np.ndarray, int], Any]) -> Callable[..., Any]:
    """A wrong principal_components(): made from the mean, all components, the events, and d."""

    def principal_components(x: np.ndarray, d: int) -> Any:
        return change(x.mean(axis=0), _spectrum(x), x, d)

    return principal_components


principal_components.hints = (
    "np.linalg.svd(table, full_matrices=False) returns three arrays; the rows of the third are the directions.",
    "Subtract the mean over axis 0 first. The singular values come in descending order already.",
    "With eigh of the covariance matrix the order is ascending: turn it round. Components are wanted as columns.",
)
principal_components.mistakes = {
    "not centred": (
        _components(lambda m, v, x, d: (m, np.linalg.svd(x, full_matrices=False)[2][:d].T)),
        "the mean subtracted first",
    ),
    "smallest variance": (_components(lambda m, v, x, d: (m, v[:, ::-1][:, :d])), "these are those of the smallest"),
    "standardised": (
        _components(lambda m, v, x, d: (m, _spectrum(x / x.std(axis=0))[:, :d])),
        "each was divided by its standard deviation",
    ),
    "times the standard deviation": (
        _components(lambda m, v, x, d: (m, v[:, :d] * np.std(x @ v[:, :d], axis=0))),
        "of length 1",
    ),
    "ascending": (_components(lambda m, v, x, d: (m, v[:, :d][:, ::-1])), "the largest variance first"),
    "no mean": (_components(lambda m, v, x, d: (0 * m, v[:, :d])), "the mean of the events"),
    "rows": (_components(lambda m, v, x, d: (m, v[:, :d].T)), "one a column"),
    "components only": (_components(lambda m, v, x, d: v[:, :d]), "2 results"),
}

# --- M17.1b -----------------------------------------------------------------------------------------------


def _angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Principal angles in degrees, descending, from the eigenvalues of the product of the two projectors."""
    first, second = (m @ np.linalg.pinv(m) for m in (a, b))
    squared = np.sort(np.linalg.eigvals(first @ second).real)[::-1][: a.shape[1]]
    return np.sort(np.degrees(np.arccos(np.sqrt(np.clip(squared, 0, 1)))))[::-1]


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosines of the angles between columns of the same number."""
    return np.abs((a * b).sum(axis=0)) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)


@task("M17.1b", section="17.3.1")
def largest_angle(student: Any, random: np.random.Generator) -> str:
    a, b = random.normal(size=(2, 9, 3)) * [0.5, 1.0, 3.0]
    while abs(_angles(a, b)[0] - np.degrees(np.arccos(_cosines(a, b).min()))) < 3:  # or the two could not be told apart
        b = random.normal(size=(9, 3)) * [0.5, 1.0, 3.0]
    answer = student(a, b)
    expect.number(answer)
    angles = _angles(a, b)
    for wrong, because in (
        (np.radians(angles[0]), "degrees: this is the angle in radians"),
        (angles[-1], "the largest angle, from the smallest cosine: the smallest angle says only that one line agrees"),
        (angles.mean(), "the largest of the angles, not their mean"),
        (
            np.degrees(np.arccos(_cosines(a, b).min())),
            "the planes compared, not column with column: any basis of a plane will do",
        ),
        (np.cos(np.radians(angles[0])), "the angle: this is its cosine"),
    ):
        expect.differs(answer, wrong, because=because, rtol=1e-3)
    mixing = random.normal(size=(3, 3)) + 2 * np.eye(3)
    expect.holds(
        abs(float(student(a, 5.0 * a @ mixing))) < 0.01,
        because="zero for two bases of the same plane: columns made orthonormal first, with np.linalg.qr",
        seen=f"{float(student(a, 5.0 * a @ mixing)):.3g} degrees",
    )
    tilt = np.zeros((4, 2))
    tilt[0, 0], tilt[2, 0], tilt[1, 1] = np.cos(0.4), np.sin(0.4), 1.0
    expect.close(
        student(np.eye(4)[:, :2], tilt),
        np.degrees(0.4),
        rtol=1e-5,
        because="the angle of the tilt, for a plane turned about one of its own lines",
        rung="physics",
    )
    expect.close(
        student(np.eye(4)[:, :2], np.eye(4)[:, 2:]),
        90.0,
        rtol=1e-5,
        because="90 degrees for planes at right angles",
        rung="physics",
    )
    expect.close(answer, angles[0], rtol=1e-4, because="the largest principal angle")
    return f"{angles[0]:.1f} degrees between two random planes"


def _angle(kind: str) -> Callable[..., float]:
    """A wrong largest_angle()."""

    def largest_angle(a: np.ndarray, b: np.ndarray) -> float:
        if kind == "columns":
            return float(np.degrees(np.arccos(np.clip(_cosines(a, b).min(), 0, 1))))
        if kind == "lengths":
            unit = [m / np.linalg.norm(m, axis=0) for m in (a, b)]
            cosine = np.linalg.svd(unit[0].T @ unit[1])[1]
            return float(np.degrees(np.arccos(np.clip(cosine.min(), 0, 1))))
        angles = _angles(a, b)
        values = {
            "smallest": angles[-1],
            "radians": np.radians(angles[0]),
            "mean": angles.mean(),
            "cosine": np.cos(np.radians(angles[0])),
        }
        return float(values[kind])

    return largest_angle


largest_angle.hints = (
    "np.linalg.qr(a)[0] is an orthonormal basis of the columns of a.",
    "np.linalg.svd(matrix, compute_uv=False) gives the singular values; rounding may make one larger than 1.",
    "np.degrees(np.arccos(...)) of the smallest singular value of the product of the two bases.",
)
largest_angle.mistakes = {
    "smallest angle": (_angle("smallest"), "only that one line agrees"),
    "radians": (_angle("radians"), "in radians"),
    "mean of the angles": (_angle("mean"), "not their mean"),
    "column with column": (_angle("columns"), "any basis of a plane will do"),
    "cosine": (_angle("cosine"), "this is its cosine"),
    "not orthogonal": (_angle("lengths"), "columns made orthonormal first"),
}

# --- M17.2a -----------------------------------------------------------------------------------------------


@task("M17.2a", section="17.2")
def sparse_penalty(student: Any, random: np.random.Generator) -> str:
    h = random.normal(size=(7, 4)).astype(np.float32)
    answer = student(h)
    expect.number(answer)
    right = float(np.abs(h).sum(axis=1).mean())
    for wrong, because in (
        (np.abs(h).mean(), "the sum over the units, and the mean over the events only"),
        (np.abs(h).sum(), "the mean over the events: a larger batch is no larger penalty"),
        (h.sum(axis=1).mean(), "the modulus: negative outputs would be rewarded"),
        ((h**2).sum(axis=1).mean(), "the modulus: a square has no slope at zero, and leaves small outputs in peace"),
        (np.abs(h.sum(axis=1)).mean(), "the modulus of each unit, not of their sum"),
        (np.mean((h != 0).sum(axis=1)), "the sizes of the outputs: their number has no gradient"),
    ):
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    expect.close(
        student(np.concatenate([h, h])), answer, rtol=1e-4, because="the same for every event twice", rung="physics"
    )
    expect.close(
        student(np.concatenate([h, 0 * h], axis=1)),
        answer,
        rtol=1e-4,
        because="no change by units that are silent",
        rung="physics",
    )
    expect.close(answer, right, rtol=1e-4, because="the sum of |h_i|, averaged over the events")
    return "silent units cost nothing"


sparse_penalty.hints = (
    "keras.ops has abs, sum and mean, with an axis as in NumPy.",
    "Axis 1 are the units: sum over it first, then take the mean of what is left.",
)
sparse_penalty.mistakes = {
    "mean over the units": (lambda h: np.mean(np.abs(h)), "the mean over the events only"),
    "sum over the batch": (lambda h: np.sum(np.abs(h)), "a larger batch"),
    "no modulus": (lambda h: np.mean(np.sum(h, axis=1)), "would be rewarded"),
    "squares": (lambda h: np.mean(np.sum(np.square(h), axis=1)), "no slope at zero"),
    "modulus of the sum": (lambda h: np.mean(np.abs(np.sum(h, axis=1))), "not of their sum"),
    "number of active units": (lambda h: np.mean(np.count_nonzero(h, axis=1)), "their number has no gradient"),
    "one number an event": (lambda h: np.sum(np.abs(h), axis=1), "one number"),
}

# --- M17.2b -----------------------------------------------------------------------------------------------


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2))


def _jacobians(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Derivatives (n, inputs, units) of a layer of sigmoids, from small steps in each input."""
    steps = 1e-5 * np.eye(x.shape[1])
    up, down = (_sigmoid((x[:, None] + sign * steps) @ kernel + bias) for sign in (1, -1))
    return np.asarray((up - down) / 2e-5)


@task("M17.2b", section="17.2")
def contractive_penalty(student: Any, random: np.random.Generator) -> str:
    x, kernel, bias = random.normal(size=(8, 4)), random.normal(size=(4, 4)), random.normal(size=4)
    h = _sigmoid(x @ kernel + bias)
    answer = student(h, kernel)
    expect.number(answer)
    slope, columns = h * (1 - h), (kernel**2).sum(axis=0)
    each = slope**2 * columns
    for wrong, because in (
        (columns.sum(), "the slopes of the sigmoids too: the weights alone are a weight decay"),
        ((slope * columns).sum(axis=1).mean(), "the square of h (1 - h): the gradient enters squared"),
        ((h**2 * columns).sum(axis=1).mean(), "h (1 - h), the derivative of a sigmoid, not h itself"),
        (each.mean(), "the sum over the units, and the mean over the events only"),
        (each.sum(), "the mean over the events: a larger batch is no larger penalty"),
        (
            (slope**2 * (kernel**2).sum(axis=1)).sum(axis=1).mean(),
            "for each unit the weights of its own inputs: a column of the kernel, not a row",
        ),
        (
            (slope**2 * kernel.sum(axis=0) ** 2).sum(axis=1).mean(),
            "the sum of the squared weights, not the square of their sum",
        ),
        (np.sqrt(each.sum(axis=1)).mean(), "the squared norm, without a root"),
    ):
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    wide, other = random.normal(size=(5, 6)), random.normal(size=3)
    weights = random.normal(size=(6, 3))
    outputs = _sigmoid(wide @ weights + other)
    expect.close(
        student(outputs, weights),
        float((_jacobians(wide, weights, other) ** 2).sum(axis=(1, 2)).mean()),
        rtol=1e-3,
        because="the squared norm of the Jacobian matrix, as small steps in the inputs give it",
        rung="physics",
    )
    saturated = np.where(h > 0.5, 1.0, 0.0)
    expect.close(
        student(saturated, kernel),
        0.0,
        atol=1e-9,
        because="no penalty where all units are saturated: their outputs do not change",
        rung="physics",
    )
    expect.close(answer, each.sum(axis=1).mean(), rtol=1e-4, because="the penalty (17.5), averaged over the events")
    return "equal to the squared norm of the Jacobian matrix from finite differences"


def _contraction(change: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    def contractive_penalty(h: Any, kernel: Any) -> Any:
        return change(np.asarray(h), np.asarray(kernel))

    return contractive_penalty


contractive_penalty.hints = (
    "ops.sum over axis 0 of the squared kernel: one number a unit.",
    "h * (1 - h) has the shape (n, units); its square times those numbers is to be summed over the units.",
    "At the end the mean over the events.",
)
contractive_penalty.mistakes = {
    "weight decay": (_contraction(lambda h, w: (w**2).sum()), "weight decay"),
    "slope not squared": (_contraction(lambda h, w: (h * (1 - h) @ (w**2).sum(0)).mean()), "enters squared"),
    "h for its derivative": (_contraction(lambda h, w: (h**2 @ (w**2).sum(0)).mean()), "not h itself"),
    "mean over the units": (
        _contraction(lambda h, w: ((h - h * h) ** 2 * (w**2).sum(0)).mean()),
        "the mean over the events only",
    ),
    "sum over the batch": (_contraction(lambda h, w: ((h - h * h) ** 2 * (w**2).sum(0)).sum()), "a larger batch"),
    "rows of the kernel": (_contraction(lambda h, w: ((h - h * h) ** 2 @ (w**2).sum(1)).mean()), "not a row"),
    "square of the sum": (_contraction(lambda h, w: ((h - h * h) ** 2 @ w.sum(0) ** 2).mean()), "square of their sum"),
    "with a root": (_contraction(lambda h, w: np.sqrt((h - h * h) ** 2 @ (w**2).sum(0)).mean()), "without a root"),
}

# --- M17.2c -----------------------------------------------------------------------------------------------


@task("M17.2c", section="17.2")
def corrupt(student: Any, random: np.random.Generator) -> str:
    n, inputs = 1500, 20
    x = random.normal(3.0, 1.0, (n, inputs))
    variance, share = float(random.uniform(0.1, 0.4)), float(random.uniform(0.15, 0.35))
    seed = int(random.integers(1 << 30))
    noisy = student(x, "gaussian", variance, seed)
    expect.shape(noisy, (n, inputs), name="the events with Gaussian noise")
    expect.finite(noisy, name="the events with Gaussian noise")
    noise = noisy - x
    expect.at_least(np.ptp(noise), 1e-9, because="noise that is added", name="the largest noise", rung="known mistake")
    for value, because in (
        (variance**2, "the strength is the variance: the standard deviation is its root"),
        (variance + 1.0, "the event with the noise added: here the event itself is scaled or replaced"),
    ):
        expect.holds(abs(noise.var() / value - 1) > 0.05, because=because, rung="known mistake", seen=_spread(noise))
    expect.holds(
        noise.std(axis=0).min() > 0.5 * noise.std() and noise.std(axis=1).min() > 0.2 * noise.std(),
        because="other noise in every event and in every input",
        seen="noise that is the same in many places",
        rung="known mistake",
    )
    error = np.sqrt(2 / noise.size)
    expect.holds(
        abs(noise.var() / variance - 1) < 5 * error,
        because="noise with the variance asked for",
        seen=_spread(noise),
    )
    expect.holds(
        abs(noise.mean()) < 5 * np.sqrt(variance / noise.size),
        because="noise with the mean zero",
        seen=f"a mean of {noise.mean():.3f}",
    )
    expect.holds(
        abs(np.mean((noise - noise.mean()) ** 4) / noise.var() ** 2 - 3) < 0.4,
        because="noise with the shape of a Gaussian distribution",
        seen="a distribution of another shape",
    )
    masked = student(x, "masking", share, seed)
    expect.shape(masked, (n, inputs), name="the masked events")
    lost = masked == 0
    expect.holds(
        abs(lost.mean() - (1 - share)) > 0.1,
        because="the fraction that is set to zero, not the one that is kept",
        seen=f"{lost.mean():.3f} of the inputs are zero, {share:.3f} were asked for",
        rung="known mistake",
    )
    expect.holds(
        not np.allclose(masked[~lost], x[~lost] / (1 - share)),
        because="inputs that are kept as they are: dividing by the share that is left belongs to dropout",
        rung="known mistake",
        seen="larger values",
    )
    expect.holds(
        lost.mean(axis=1).max() < 1 and 0.2 * share < lost.mean(axis=0).min() and lost.mean(axis=0).max() < 0.9,
        because="each input masked by itself: not whole events, nor the same inputs in all events",
        seen=f"up to {lost.mean(axis=1).max():.0%} of an event and {lost.mean(axis=0).max():.0%} of an input are lost",
        rung="known mistake",
    )
    expect.close(masked[~lost], x[~lost], rtol=1e-6, because="all other inputs unchanged", rung="physics")
    expect.holds(
        abs(lost.mean() - share) < 5 * np.sqrt(share * (1 - share) / lost.size),
        because="the fraction asked for set to zero",
        seen=f"{lost.mean():.3f} of the inputs are zero, {share:.3f} were asked for",
    )
    expect.holds(
        len({int(k) for k in lost.sum(axis=1)}) > 3,
        because="each input masked with the same chance: the number of zeros differs from event to event",
        seen="the same number in every event",
    )
    return f"variance {noise.var():.3f} for {variance:.3f}, {lost.mean():.1%} masked for {share:.1%}"


def _spread(noise: np.ndarray) -> str:
    return f"noise with a variance of {noise.var():.3f}"


def _noise(kind: str) -> Callable[..., np.ndarray]:
    """A wrong corrupt()."""

    def corrupt(x: np.ndarray, noise: str, strength: float, seed: int) -> np.ndarray:
        draw = np.random.default_rng(seed)
        n, inputs = x.shape
        if noise == "gaussian":
            width = strength if kind == "deviation" else strength**0.5
            shape = (n, 1) if kind == "one an event" else (1, inputs) if kind == "one for all" else x.shape
            added = draw.normal(0.0, width, shape) + 0 * x
            if kind == "flat":
                added = draw.uniform(-(3**0.5), 3**0.5, x.shape) * width
            if kind == "shifted":
                added = np.abs(added) / np.std(np.abs(added)) * width
            return added if kind == "noise only" else x + added
        u = draw.random((n, 1) if kind == "whole events" else x.shape) + 0 * x
        if kind == "exact number":
            u = np.argsort(u, axis=1) / inputs
            strength = round(strength * inputs) / inputs - 0.5 / inputs
        lost = u >= strength if kind == "kept" else u < strength
        return np.where(lost, 0.0, x / (1 - strength) if kind == "dropout" else x)

    def named(x: np.ndarray, kind: str, strength: float, seed: int) -> np.ndarray:
        return corrupt(x, kind, strength, seed)

    return named


corrupt.hints = (
    "Make one generator from the seed; its method normal takes mean, standard deviation and shape, in this order.",
    "A standard deviation is the root of a variance.",
    "generator.random(x.shape) < rho is True with the chance rho, for each input by itself.",
)
corrupt.mistakes = {
    "variance as standard deviation": (_noise("deviation"), "the standard deviation is its root"),
    "noise only": (_noise("noise only"), "scaled or replaced"),
    "one number an event": (_noise("one an event"), "other noise in every event"),
    "uniform": (_noise("flat"), "the shape of a Gaussian"),
    "positive": (_noise("shifted"), "noise with the mean zero"),
    "fraction kept": (_noise("kept"), "not the one that is kept"),
    "dropout": (_noise("dropout"), "belongs to dropout"),
    "whole events": (_noise("whole events"), "not whole events"),
}

# --- 17.1a ------------------------------------------------------------------------------------------------

MERGING = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")


@task("17.1a", section="17.2")
def build_denoiser(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(2, 64, 64, 1), is_=(2, 64, 64, 1))
    expect.has_layers(model, "Conv2D", because="convolutions: the same grains and fringes occur everywhere")
    expect.accepts(
        model, (1, 32, 48, 1), because="images of any size that is a multiple of 8: Input((None, None, 1)), no Flatten"
    )
    for name in ("sigmoid", "tanh", "softmax", "relu"):
        expect.activation(
            model, not_=name, because="any number at the output: the scaled images reach 1.1, a correction is negative"
        )
    names = [layer["class_name"] for layer in model.layers]
    expect.holds(
        any(name in MERGING for name in names),
        because="shortcuts: layers such as Add or Concatenate that bring maps of the way down to the way up",
        seen=f"the layers {', '.join(dict.fromkeys(names))}",
        rung="known mistake",
    )
    expect.at_most(
        model.count_params(),
        BOOK_PARAMETERS,
        because="no more parameters than the book's network, 213 025; 100 000 are plenty",
        name="the number of parameters",
    )
    image = random.uniform(0.0, 1.0, (1, 64, 64, 1)).astype(np.float32)
    touched = image.copy()
    touched[0, 32, 32, 0] += 20.0
    change = np.abs(np.asarray(model.predict(touched), float) - np.asarray(model.predict(image), float))[0, ..., 0]
    rows, columns = np.indices((64, 64))
    far = np.maximum(abs(rows - 32), abs(columns - 32)) >= 12
    expect.at_least(
        change[far].max(),
        1e-6,
        because="an output that depends on pixels more than 12 away: strides or pooling, so that small filters see far",
        name="the change at that distance",
    )
    expect.at_least(
        change[32, 32],
        1e-3,
        because="an output that depends on the same pixel of the input",
        name="the change at that pixel",
    )
    return f"{model.count_params()} parameters, images of any size"


def _network(
    *,
    filters: int = 6,
    size: int | None = None,
    padding: str = "same",
    last: str | None = None,
    shortcuts: bool = True,
    halvings: int = 2,
    up: bool = True,
    flatten: bool = False,
) -> Any:
    """A small network of the check's own, with choices right or wrong."""
    import keras
    from keras import layers

    image = keras.Input((size, size, 1))
    x, maps = layers.Conv2D(filters, 5, padding=padding, activation="relu")(image), []
    for k in range(halvings):
        maps.append(x)
        x = layers.Conv2D(filters * 2 ** (k + 1), 3, 2, padding="same", activation="relu")(x)
        x = layers.Conv2D(filters * 2 ** (k + 1), 3, padding="same", activation="relu")(x)
    if flatten:
        x = layers.Dense(64)(layers.Flatten()(x))
        x = layers.Reshape((16, 16, 8))(layers.Dense(2048)(x))
    for k in reversed(range(halvings if up else 0)):
        x = layers.Conv2D(filters * 2**k, 3, padding="same", activation="relu")(x)
        x = layers.UpSampling2D(2)(x)
        if shortcuts:
            x = layers.Add()([x, maps[k]])
    x = layers.Conv2D(filters, 3, padding=padding, activation="relu")(x)
    x = layers.Conv2D(1, 3, padding=padding, activation=last)(x)
    return keras.Model(
        image, layers.Add()([image, x]) if shortcuts and last is None and up and padding == "same" else x
    )


def _builds(**choices: Any) -> Callable[[], Any]:
    def build_denoiser() -> Any:
        return _network(**choices)

    return build_denoiser


build_denoiser.hints = (
    "The functional interface: image = keras.Input((None, None, 1)), then x = layers.Conv2D(...)(image) and so on; "
    "keep the maps of the way down in variables of their own.",
    "Layers that add need equal shapes: the same size and the same number of channels.",
    "8 maps at full size, 16, 32 and 48 after one, two and three strides of 2; on the way up 32, 16 and 8 again, each "
    "added to the map of that size; a last convolution with one filter; the sum of it and the image.",
)
build_denoiser.mistakes = {
    "fixed size": (_builds(size=64, flatten=True), "no Flatten"),
    "no way up": (_builds(up=False), "output of shape (2, 16, 16, 1)"),
    "unpadded": (_builds(padding="valid", halvings=0), "output of shape (2, 56, 56, 1)"),
    "sigmoid at the end": (_builds(last="sigmoid"), "sigmoid at the output"),
    "ReLU at the end": (_builds(last="relu"), "relu at the output"),
    "no shortcuts": (_builds(shortcuts=False), "of the way down to the way up"),
    "sees a few pixels": (_builds(halvings=0), "small filters see far"),
    "too large": (_builds(filters=40), "100 000 are plenty"),
}

# --- 17.1b ------------------------------------------------------------------------------------------------


def _pairs(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fresh pairs of patterns as the loader gives them, and their scales."""
    with contextlib.redirect_stdout(io.StringIO()):
        data = datasets.load_speckles(n, seed=random)
    parts = [
        np.concatenate([getattr(data, f"{name}_{part}") for part in ("train", "validation", "test")]) for name in "xy"
    ]
    scales = (data.extra_train["scale"], data.extra_validation["scale"], data.extra_test["scale"])
    return parts[0], parts[1], np.concatenate(scales)


def _photons(x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(np.expm1(np.log(10.0) * x[..., 0] * scale[:, None, None]), 0.0))


def _squares(first: Any, second: Any) -> float:
    return float(np.mean((np.asarray(first, float) - second) ** 2))


def _wiener_loss(x: np.ndarray, y: np.ndarray, scale: np.ndarray) -> float:
    filtered = np.log10(1 + speckle.wiener_filter(_photons(x, scale))) / scale[:, None, None]
    return _squares(np.minimum(filtered, 1.1)[..., None], y)


def _trained_with(train: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """What a training function makes of a network of the check's own."""
    last = N_TRAIN + N_HELD
    return train(_network(), x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:last], y[N_TRAIN:last], EPOCHS)


@task("17.1b", section="17.5")
def train_denoiser(student: Any, random: np.random.Generator) -> str:
    x, y, scale = _pairs(N_TRAIN + 2 * N_HELD, random)
    model = _trained_with(student, x, y)
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(2, 64, 64, 1), is_=(2, 64, 64, 1))
    expect.loss(model, "mean_squared_error", because="the mean squared error (17.2)")
    x, y, scale = x[-N_HELD:], y[-N_HELD:], scale[-N_HELD:]
    answer = np.asarray(model.predict(x))
    raw, reached = _squares(x, y), _squares(answer, y)
    expect.at_least(
        _squares(answer, x) / raw,
        0.01,
        because="the clean image as the target: here the answer is nearly the image with speckle itself",
        name="the squared difference from the input, in units of the speckle",
        rung="known mistake",
    )
    expect.at_most(
        reached / raw,
        0.9,
        because="clearly less error than the image with speckle has: has fit() been called, with x first and y second?",
        name="the loss over that of the image with speckle",
    )
    expect.learning_rate_fell(model, 3e-4, because="a learning rate that falls to nearly zero, along a cosine")
    ratio = reached / _wiener_loss(x, y, scale)
    expect.reaches("17.1b", ratio, name=f"the loss on {N_HELD} new images, over that of the Wiener filter")
    return f"{ratio:.2f} of the loss of the Wiener filter, {reached / raw:.2f} of that of the image with speckle"


@bar("17.1b", better="lower", unit="", source="simulated")
def measure_denoiser(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    x, y, scale = _pairs(N_TRAIN + 2 * N_HELD, np.random.default_rng(seed))
    model = _trained_with(reference("17.1b"), x, y)
    x, y, scale = x[-N_HELD:], y[-N_HELD:], scale[-N_HELD:]
    return _squares(model.predict(x, verbose=0), y) / _wiener_loss(x, y, scale)


def _trains(
    *,
    loss: str = "mse",
    target: str = "clean",
    fitted: bool = True,
    falling: bool = True,
    history: bool = False,
    images: int = 200,
    epochs: int = 1,
) -> Callable[..., Any]:
    """A train_denoiser() that does something else."""

    def train(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, number: int) -> Any:
        import keras

        x, y = x_train[:images], (x_train if target == "input" else y_train)[:images]
        schedule = keras.optimizers.schedules.CosineDecay(4e-3, epochs * -(-len(x) // 16))
        model.compile(keras.optimizers.Adam(schedule if falling else 4e-3), loss)
        record = model.fit(x, y, batch_size=16, epochs=epochs, verbose=0) if fitted else None
        return record if history else model

    def train_denoiser(
        model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int
    ) -> Any:
        return train(model, x_train, y_train, x_validation, y_validation, epochs)

    return train_denoiser


train_denoiser.hints = (
    "model.compile with an Adam optimizer and the loss 'mse'; model.fit with x_train, y_train; return the model.",
    "keras.optimizers.schedules.CosineDecay(3e-3, steps) takes the number of all steps: epochs times batches.",
    "16 images in a batch, so that a few epochs have many steps; validation_data is the pair of validation arrays.",
)
train_denoiser.mistakes = {
    "returns the history": (_trains(history=True, fitted=False), "not its history"),
    "absolute differences": (_trains(loss="mae", fitted=False), "mean squared error (17.2)"),
    "not fitted": (_trains(fitted=False), "has fit() been called"),
    "the input as the target": (_trains(target="input", images=800, epochs=2), "the image with speckle itself"),
    "constant learning rate": (_trains(falling=False, images=400, epochs=2), "falls to nearly zero"),
    "a quarter of the images": (_trains(images=275, epochs=2), "99 of 100 runs"),
}

# --- 17.1c ------------------------------------------------------------------------------------------------


def _scaled(photons: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.asarray(np.minimum(np.log1p(photons) / (np.log(10.0) * scale[:, None, None]), 1.1)[..., None])


@task("17.1c", section="17.5")
def gaussian_smoothed(student: Any, random: np.random.Generator) -> str:
    n, width = 4, float(random.uniform(1.2, 1.8))
    photons = random.gamma(0.5, 20.0, (n, 64, 64)) * np.array([0.3, 1.0, 3.0, 9.0])[:, None, None]
    scale = np.log10(1 + photons.max(axis=(1, 2)))
    x = _scaled(photons, scale)
    answer = student(x, scale, width)
    expect.shape(answer, (n, 64, 64, 1), name="the blurred images")
    expect.finite(answer, name="the blurred images")
    blurred = np.array([ndimage.gaussian_filter(image, width) for image in photons])
    logs = np.array([ndimage.gaussian_filter(image[..., 0], width) for image in x])[..., None]
    for wrong, because in (
        (blurred[..., None], "scaled logarithms again: these are photons"),
        (logs, "photons blurred: the mean of a logarithm of speckle lies below the logarithm of the mean"),
        (
            _scaled(ndimage.gaussian_filter(photons, width), scale),
            "each image by itself: here images that follow each other are mixed",
        ),
        (
            _scaled(blurred, np.ones(n)),
            "the logarithm divided by the scale of its image at the end",
        ),
        (
            _scaled(np.array([ndimage.gaussian_filter(image, 1.0) for image in photons]), scale),
            "the width asked for, not one pixel",
        ),
        (
            _scaled(np.array([ndimage.gaussian_filter1d(image, width, axis=0) for image in photons]), scale),
            "both directions of the image blurred, not the rows alone",
        ),
        (x, "a blurred image: this is the input"),
    ):
        expect.differs(answer, wrong, because=because, rtol=1e-3)
    even = np.full((2, 64, 64), 30.0)
    same = _scaled(even, np.array([2.0, 3.0]))
    expect.close(
        student(same, np.array([2.0, 3.0]), 2.0),
        same,
        rtol=1e-4,
        because="an even image that stays as it is",
        rung="physics",
        name="the image",
    )
    spot = np.zeros((1, 64, 64))
    spot[0, 32, 32] = 1e4
    spread = _photons(
        np.asarray(student(_scaled(spot, np.array([4.0])), np.array([4.0]), width), float), np.array([4.0])
    )
    expect.close(
        spread.sum(),
        1e4,
        rtol=2e-2,
        because="as many photons after as before: 10 to the power of x times scale, minus 1, are photons",
        rung="physics",
        name="the number of photons of a bright spot",
    )
    expect.close(
        answer, _scaled(blurred, scale), rtol=1e-3, atol=1e-5, because="the photons blurred", name="the blurred images"
    )
    return f"width {width:.2f} pixels, photons conserved"


def _smooth(kind: str) -> Callable[..., np.ndarray]:
    """A wrong gaussian_smoothed()."""

    def gaussian_smoothed(x: np.ndarray, scale: np.ndarray, width: float) -> np.ndarray:
        images = _photons(x, scale) if kind != "base e" else np.exp(x[..., 0] * scale[:, None, None]) - 1
        widths = {"across": (width,) * 3, "rows": (0, width, 0), "one pixel": (0, 1.0, 1.0)}.get(
            kind, (0, width, width)
        )
        if kind == "log":
            return np.asarray(ndimage.gaussian_filter(x, (0, width, width, 0)))
        blurred = ndimage.gaussian_filter(images, widths, mode="constant" if kind == "dark border" else "reflect")
        if kind == "photons":
            return np.asarray(blurred[..., None])
        return _scaled(blurred, np.ones(len(x)) if kind == "no scale" else scale)

    return gaussian_smoothed


gaussian_smoothed.hints = (
    "to_photons, then the filter, then to_scaled.",
    "A width for each axis: (0, width, width) leaves the images apart.",
)
gaussian_smoothed.mistakes = {
    "logarithm blurred": (_smooth("log"), "lies below the logarithm of the mean"),
    "images mixed": (_smooth("across"), "are mixed"),
    "photons returned": (_smooth("photons"), "these are photons"),
    "scale forgotten": (_smooth("no scale"), "divided by the scale"),
    "rows only": (_smooth("rows"), "not the rows alone"),
    "width of one pixel": (_smooth("one pixel"), "not one pixel"),
    "base e": (_smooth("base e"), "an even image"),
    "nothing done": (lambda x, scale, width: 1.0 * x, "this is the input"),
}

# --- 17.1d ------------------------------------------------------------------------------------------------


@task("17.1d", section="17.5")
def test_loss(student: Any, random: np.random.Generator) -> str:
    n, shape = 40, (40, 16, 16, 1)
    truth = random.uniform(0, 1, shape)
    level = random.permutation(np.linspace(0, 1, n))[:, None, None, None]
    predicted = truth + random.normal(0, 1, shape) * (0.02 + 0.18 * level)
    chosen = random.random(shape) < 0.9 - 0.7 * level
    answer = student(predicted, truth, chosen)
    expect.is_tuple(answer, 2, name="the loss, its error")
    value, error = answer
    expect.number(value, name="the loss")
    expect.number(error, name="its error")
    squares = (predicted - truth) ** 2
    inside = np.array([s[c].mean() for s, c in zip(squares, chosen, strict=True)])
    for wrong, because in (
        (squares.mean(), "the chosen pixels only"),
        ((squares * chosen).mean(), "the sum divided by the number of chosen pixels, not of all"),
        (squares[chosen].mean(), "one number an image first: here an image with more chosen pixels counts more"),
        (np.sqrt(inside).mean(), "the mean squared error, without a root"),
        (
            np.mean([np.abs(d)[c].mean() for d, c in zip(predicted - truth, chosen, strict=True)]),
            "squares, not absolute differences",
        ),
    ):
        expect.differs(value, wrong, because=because, rtol=1e-4)
    for wrong, because in (
        (inside.std(), "the standard error of a mean: the spread of the images divided by the root of their number"),
        (
            squares[chosen].std() / np.sqrt(chosen.sum()),
            "the spread of images, not of pixels: pixels of one image are not independent",
        ),
        (inside.var() / n, "a standard error, with a root"),
    ):
        expect.differs(error, wrong, because=because, rtol=3e-2)
    twice = [np.concatenate([a, a]) for a in (predicted, truth, chosen)]
    again = student(*twice)
    expect.close(again[0], value, rtol=1e-4, because="the same loss for every image twice", rung="physics")
    expect.close(student(truth, truth, chosen), (0.0, 0.0), atol=1e-12, because="no loss for the truth", rung="physics")
    expect.close(value, inside.mean(), rtol=1e-5, because="the mean over the images", name="the loss")
    expect.close(
        error, inside.std() / np.sqrt(n), rtol=3e-2, because="the standard error over the images", name="the error"
    )
    return f"{value:.4f} +- {error:.4f} for {n} images"


def _loss(change: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong test_loss(): made from the differences, what is chosen, and the mean square of each image."""

    def test_loss(predicted: np.ndarray, truth: np.ndarray, chosen: np.ndarray) -> Any:
        difference = predicted - truth
        each = np.array([d[c] @ d[c] / len(d[c]) for d, c in zip(difference, chosen, strict=True)])
        return change(difference, chosen, each)

    return test_loss


def _sem(values: np.ndarray) -> float:
    return float(values.std() / len(values) ** 0.5)


test_loss.hints = (
    "(predicted - truth)**2 * chosen is zero wherever a pixel is not chosen; sum over the axes (1, 2, 3).",
    "Divide by the number of chosen pixels of the same image: np.sum(chosen, axis=(1, 2, 3)).",
    "Mean and standard deviation of the n numbers; the latter divided by np.sqrt(n).",
)
test_loss.mistakes = {
    "all pixels": (_loss(lambda d, c, each: ((d**2).mean(), _sem(each))), "the chosen pixels only"),
    "divided by all pixels": (_loss(lambda d, c, each: ((d**2 * c).mean(), _sem(each))), "not of all"),
    "pooled": (_loss(lambda d, c, each: ((d[c] ** 2).mean(), _sem(each))), "counts more"),
    "root": (_loss(lambda d, c, each: (np.sqrt(each).mean(), _sem(each))), "without a root"),
    "spread": (_loss(lambda d, c, each: (each.mean(), each.std())), "the standard error of a mean"),
    "pixels as independent": (
        _loss(lambda d, c, each: (each.mean(), _sem(d[c] ** 2))),
        "not of pixels",
    ),
    "variance": (_loss(lambda d, c, each: (each.mean(), each.var() / len(each))), "with a root"),
    "loss only": (_loss(lambda d, c, each: each.mean()), "2 results"),
}

# --- 17.1e ------------------------------------------------------------------------------------------------


@task("17.1e", section="17.5")
def removed_variance(student: Any, random: np.random.Generator) -> str:
    n = 5
    modes = np.array([1.0, 2.0, 3.0, 5.0, 8.0])[:, None, None]
    smooth = 5.0 + 40.0 * np.exp(-((np.arange(64) - 30.0) ** 2) / 200.0) * np.ones((n, 64, 1))
    smooth = smooth * np.array([1.0, 0.3, 2.0, 0.5, 1.5])[:, None, None]
    valid = random.random((n, 64, 64)) > 0.1
    counts = random.poisson(smooth * random.gamma(modes, 1 / modes, (n, 64, 64))) * valid
    measured, guess = counts.astype(float), smooth * random.uniform(0.9, 1.1, (n, 64, 64))
    answer = student(measured, guess, valid)
    expect.shape(answer, (n,), name="one number an image")
    expect.finite(answer, name="the answer")
    difference, square = (measured - guess) ** 2, guess**2

    def per_image(part: np.ndarray, whole: np.ndarray, where: np.ndarray) -> np.ndarray:
        return np.asarray((part * where).sum(axis=(1, 2)) / (whole * where).sum(axis=(1, 2)))

    right = per_image(difference - measured, square, valid)
    for wrong, because in (
        (per_image(difference, square, valid), "the variance of the photon counts, I, subtracted"),
        (
            per_image(difference - measured, square, np.ones_like(valid)),
            "only pixels that see the sample: a hidden pixel is no dark grain",
        ),
        (per_image(difference - measured, measured**2, valid), "the denoised pattern squared below the line"),
        (np.sqrt(np.abs(right)), "the relative variance, without a root"),
        (1 / right, "1/M, not M"),
        (
            np.array([r[v].mean() for r, v in zip((difference - measured) / square, valid, strict=True)]),
            "the ratio of two sums, not the mean of the ratios: pixels with few photons would decide it",
        ),
    ):
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    none = random.poisson(smooth).astype(float)
    expect.holds(
        np.abs(student(none, smooth, valid)) < 0.02,
        because="zero but for fluctuations where only photons are counted and there is no speckle",
        seen=f"{np.abs(student(none, smooth, valid)).max():.3f}",
    )
    truth = np.asarray(student(measured, smooth, valid)) * modes.ravel()
    expect.holds(
        np.abs(truth - 1) < 0.3,
        because="1/M for each image where the denoised pattern is the true one",
        seen=f"{truth[np.abs(truth - 1).argmax()]:.2f} of it",
    )
    expect.close(answer, right, rtol=1e-5, because="the ratio of the two sums")
    return "1/M for the true pattern, zero without speckle"


def _removed(kind: str) -> Callable[..., np.ndarray]:
    """A wrong removed_variance()."""

    def removed_variance(measured: np.ndarray, denoised: np.ndarray, valid: np.ndarray) -> np.ndarray:
        seen = np.ones_like(valid) if kind == "hidden too" else valid
        above = (measured - denoised) ** 2 - (0.0 if kind == "photons left in" else measured)
        if kind == "denoised subtracted twice":
            above = above - denoised
        below = (measured if kind == "measured below" else denoised) ** 2
        sums = [np.where(seen, part, 0.0).sum(axis=(1, 2)) for part in (above, below)]
        answer = sums[0] / sums[1]
        if kind == "mean of ratios":
            answer = np.where(seen, above / below, 0.0).sum(axis=(1, 2)) / seen.sum(axis=(1, 2))
        if kind == "pooled":
            return np.asarray(sums[0].sum() / sums[1].sum())
        if kind == "inverse":
            return np.asarray(1 / answer)
        return np.asarray(np.sqrt(np.abs(answer)) if kind == "contrast" else answer)

    return removed_variance


removed_variance.hints = (
    "Multiply by valid before you sum: a hidden pixel then counts in neither sum.",
    "Sums over the axes (1, 2) give one number an image; divide the two sums at the end.",
)
removed_variance.mistakes = {
    "photon statistics left in": (_removed("photons left in"), "photon counts, I, subtracted"),
    "hidden pixels": (_removed("hidden too"), "is no dark grain"),
    "measured squared": (_removed("measured below"), "below the line"),
    "contrast": (_removed("contrast"), "without a root"),
    "M": (_removed("inverse"), "not M"),
    "mean of ratios": (_removed("mean of ratios"), "the ratio of two sums"),
    "photons twice": (_removed("denoised subtracted twice"), "only photons are counted"),
    "all images in one": (_removed("pooled"), "one number an image"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "17.1-q1",
    question="The components of the Ising lattices are a constant and plane waves. Why?",
    options=(
        "Because the linear autoencoder has no activation.",
        "Shifting the lattice changes none of its statistics, and waves are what shifts leave as they are.",
        "Because spins have two values only.",
        "Because below the critical temperature all spins point in one direction.",
    ),
    answer=2,
    explanation="The covariance of two spins depends on their distance only; such a matrix on a torus has plane waves "
    "as eigenvectors, and the variance along each is the structure factor. Long waves have the largest.",
)
quiz(
    "17.2-q1",
    question="With weights of its own for the decoder, the contractive penalty makes the norm of the Jacobian matrix "
    "fall more. Is that code more stable?",
    options=(
        "Yes: the norm of the Jacobian measures the stability of a code.",
        "Not by much: the encoder's weights became small and the decoder's large, so that the same differences are "
        "written in smaller numbers.",
        "Yes: more weights are more freedom for a good code.",
        "No: the network has learnt its training data by heart.",
    ),
    answer=2,
    explanation="Compare the norms of the weights in the table. What counts is the change of the code relative to how "
    "much codes of different events differ; tied weights exclude the cheap way.",
)
quiz(
    "17.1-q2",
    question="Which of these is the best evidence that the network does more than any smoothing?",
    options=(
        "Its loss on the training images.",
        "Its test loss is smaller than that of every filter at its best width, by many standard errors, on the same "
        "images.",
        "Its images look smoother than those of the Wiener filter.",
        "It has more parameters than a filter.",
    ),
    answer=2,
    explanation="The same images, new to the network, and baselines that were given a fair chance. Smooth images "
    "alone would also come from blurring.",
)
quiz(
    "17.1-q3",
    question="On experimental patterns the network of part 1 removes far more variance than 1/M. What could an "
    "experimenter, who has no clean image, conclude?",
    options=(
        "That the light was less coherent than it was thought to be.",
        "That the network works better than expected.",
        "That it takes more out than speckle can account for: structure is lost, or pulled towards what training "
        "images looked like.",
        "Nothing: without the truth no statement is possible.",
    ),
    answer=3,
    explanation="What is removed has to have the statistics of the noise. Light with 2 to 8 modes has less speckle "
    "than the network was trained for, so it takes too much, and gaps look to it like dark grains.",
)
