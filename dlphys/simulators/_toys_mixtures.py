"""Mixtures of Gaussians: density, score, entropy and the optimal classifier are known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._sample import Sample

MIXTURES = ("ring", "grid", "cross", "two modes", "two classes", "hidden correlation")

BLOCK = 8192  # events
COMPONENT, POINT = range(2)


@dataclass(frozen=True)
class Mixture:
    """A mixture of k Gaussians in d dimensions.

    Attributes
    ----------
    weights : array, (k,)
        Probabilities of the components.
    means : array, (k, d)
    covariances : array, (k, d, d)
    classes : array, (k,), int
        The class of each component.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True, repr=False)
class MixturePoints(Sample):
    """Points of a mixture; the first axis of every array is the point.

    Attributes
    ----------
    x : array, (n, d), float32
        Without unit.
    component : array, (n,), int16
    label : array, (n,), int16
        The class of the component.
    """

    units: ClassVar = {"x": "1", "component": "", "label": ""}

    x: np.ndarray
    component: np.ndarray
    label: np.ndarray


def mixture(
    kind: str = "ring",
    *,
    weights: ArrayLike | None = None,
    means: ArrayLike | None = None,
    covariances: ArrayLike | None = None,
    classes: ArrayLike | None = None,
) -> Mixture:
    """A mixture by name, or one of your own.

    Parameters
    ----------
    kind : str, default "ring"
        "ring": eight narrow Gaussians on a circle of radius 2, each a class (modes that a generator may lose); "grid":
        5 x 5 of them; "cross": two long ones at right angles (flows); "two modes": one dimension, at -2 and 2
        (directions of the Kullback-Leibler divergence); "two classes": equal covariances, so that the border is a
        line; "hidden correlation": class 0 uncorrelated, 10 % of class 1 with correlation 0.9: both coordinates of
        either class are standard normal, and no histogram of one variable shows a difference.
    weights : array, (k,), optional
    means : array, (k, d), optional
        Given, the mixture is this one and not that of ``kind``.
    covariances : array, (k, d, d), optional
        Default: unit matrices.
    classes : array, (k,), optional
        Default: a class each.

    Returns
    -------
    Mixture

    Raises
    ------
    ValueError, TypeError
        If arrays do not fit together, weights do not add up to 1, or a covariance is not positive.

    Examples
    --------
    >>> mixture("ring").means.shape, mixture(means=[[0.0], [3.0]]).weights
    ((8, 2), array([0.5, 0.5]))
    """
    check_choice(choices=MIXTURES, kind=kind)
    if means is None:
        if any(part is not None for part in (weights, covariances, classes)):
            raise ValueError("means must be given with weights, covariances or classes, got None")
        return _named(kind)
    means = check_array(shape=(None, None), means=means)
    k, d = means.shape
    weights = np.full(k, 1.0 / k) if weights is None else check_array(shape=(k,), minimum=0.0, weights=weights)
    if abs(weights.sum() - 1.0) > 1e-6:
        raise ValueError(f"weights must add up to 1, got {weights.sum():g}")
    matrices = np.broadcast_to(np.eye(d), (k, d, d)) if covariances is None else covariances
    matrices = check_array(shape=(k, d, d), covariances=matrices)
    if not np.allclose(matrices, matrices.transpose(0, 2, 1)) or np.linalg.eigvalsh(matrices).min() <= 0:
        raise ValueError("covariances must be symmetric and positive, got one that is not")
    numbers = np.arange(k) if classes is None else check_array(shape=(k,), minimum=0, dtype=np.int64, classes=classes)
    return Mixture(weights, means, matrices, numbers)


def simulate_mixture(
    n: int,
    *,
    seed: Seed,
    kind: str = "ring",
    weights: list | None = None,
    means: list | None = None,
    covariances: list | None = None,
    classes: list | None = None,
) -> MixturePoints:
    """Points of a mixture of Gaussians.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    kind, weights, means, covariances, classes
        As in `mixture`.

    Returns
    -------
    MixturePoints

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    One seed gives the same bits for any number of threads, and the first points do not depend on ``n``.

    Examples
    --------
    >>> points = simulate_mixture(1000, kind="ring", seed=1)
    >>> np.hypot(*points.x.T).mean().round(1)
    np.float32(2.0)
    """
    n = check_count(n=n)
    shape = mixture(kind, weights=weights, means=means, covariances=covariances, classes=classes)
    roots = np.linalg.cholesky(shape.covariances)
    steps = np.cumsum(shape.weights)[:-1]
    stream = Streams.of(seed)
    d = shape.means.shape[1]
    points = MixturePoints(np.empty((n, d), np.float32), np.empty(n, np.int16), np.empty(n, np.int16))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        component = np.searchsorted(steps, stream(COMPONENT, block).random(BLOCK)[:m], side="right")
        normal = stream(POINT, block).standard_normal((BLOCK, d))[:m]
        points.x[events] = shape.means[component] + np.einsum("nij,nj->ni", roots[component], normal)
        points.component[events], points.label[events] = component, shape.classes[component]

    fill_blocks(fill, n, block=BLOCK, title="mixture")
    return points


def mixture_log_density(x: ArrayLike, shape: Mixture, *, noise: float = 0.0) -> np.ndarray:
    """Logarithm of the density: no model has a larger average on the mixture's own points (a limit).

    Parameters
    ----------
    x : array, (n, d)
    shape : Mixture
    noise : float
        Standard deviation of Gaussian noise added to the points, as diffusion models do.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If the dimensions differ.

    Examples
    --------
    >>> mixture_log_density([[0.0]], mixture(means=[[0.0]])).round(4)  # -ln(2 pi) / 2
    array([-0.9189])
    """
    return logsumexp(_log_terms(*_checked(x, shape, noise)), axis=1)


def mixture_score(x: ArrayLike, shape: Mixture, *, noise: float = 0.0) -> np.ndarray:
    """Gradient of the logarithm of the density, which is what diffusion models learn; parameters as above.

    Returns
    -------
    array, (n, d)

    Raises
    ------
    ValueError, TypeError
        If the dimensions differ.

    Examples
    --------
    >>> mixture_score([[2.0]], mixture(means=[[0.0]]), noise=1.0)
    array([[-1.]])
    """
    x, shape, covariances = _checked(x, shape, noise)
    share = _softmax(_log_terms(x, shape, covariances))
    pull = np.einsum("kij,nkj->nki", np.linalg.inv(covariances), shape.means - x[:, None])
    return np.einsum("nk,nki->ni", share, pull)


def class_probabilities(x: ArrayLike, shape: Mixture) -> np.ndarray:
    """Probability of each class at a point: the optimal classifier (a limit).

    Parameters
    ----------
    x : array, (n, d)
    shape : Mixture

    Returns
    -------
    array, (n, classes)

    Raises
    ------
    ValueError, TypeError
        If the dimensions differ.

    Examples
    --------
    >>> class_probabilities([[0.0], [1.0]], mixture(means=[[-1.0], [1.0]])).round(3)
    array([[0.5  , 0.5  ],
           [0.119, 0.881]])
    """
    share = _softmax(_log_terms(*_checked(x, shape, 0.0)))
    return share @ (shape.classes[:, None] == np.arange(shape.classes.max() + 1))


def mixture_entropy(shape: Mixture) -> float:
    """Entropy -E ln p in nats: no model's average negative log-likelihood can be smaller (a limit).

    Integrated on a grid, in one or two dimensions, with an error below 0.001.

    Parameters
    ----------
    shape : Mixture

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If it has more than two dimensions.

    Examples
    --------
    >>> round(mixture_entropy(mixture(means=[[0.0]])), 4)  # ln(2 pi e) / 2
    1.4189
    """

    def integrand(logarithms: np.ndarray) -> np.ndarray:
        density = logsumexp(logarithms, axis=1)
        return -np.exp(density) * density

    return _integral(shape, integrand)


def mixture_accuracy(shape: Mixture) -> float:
    """Accuracy of the optimal classifier of the classes: a limit; integrated like `mixture_entropy`.

    Examples
    --------
    >>> round(mixture_accuracy(mixture(means=[[-1.0], [1.0]])), 4)  # Phi(1)
    0.8413
    """

    def integrand(logarithms: np.ndarray) -> np.ndarray:
        return (np.exp(logarithms) @ (shape.classes[:, None] == np.arange(shape.classes.max() + 1))).max(1)

    return _integral(shape, integrand)


def _named(kind: str) -> Mixture:
    if kind == "ring":
        angle = 2.0 * np.pi * np.arange(8) / 8
        means = 2.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return mixture(means=means, covariances=np.tile(0.01 * np.eye(2), (8, 1, 1)))
    if kind == "grid":
        means = np.stack(np.meshgrid(np.arange(-4, 5, 2.0), np.arange(-4, 5, 2.0)), axis=-1).reshape(25, 2)
        return mixture(means=means, covariances=np.tile(0.01 * np.eye(2), (25, 1, 1)))
    if kind == "cross":
        long, short = 2.0, 0.05
        return mixture(means=np.zeros((2, 2)), covariances=[np.diag([long, short]), np.diag([short, long])])
    if kind == "two modes":
        return mixture(means=[[-2.0], [2.0]], covariances=np.full((2, 1, 1), 0.25))
    if kind == "two classes":
        return mixture(means=[[-0.7, 0.4], [0.7, -0.4]], covariances=[[[1.0, 0.5], [0.5, 1.0]]] * 2)
    return mixture(
        weights=[0.9, 0.1], means=np.zeros((2, 2)), covariances=[[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.9], [0.9, 1.0]]]
    )


def _checked(x: ArrayLike, shape: Mixture, noise: float) -> tuple[np.ndarray, Mixture, np.ndarray]:
    _check_mixture(shape)
    noise = check_number(minimum=0.0, noise=noise)
    d = shape.means.shape[1]
    return check_array(shape=(None, d), x=x), shape, shape.covariances + noise**2 * np.eye(d)


def _check_mixture(shape: Mixture) -> None:
    if not isinstance(shape, Mixture):
        raise TypeError(f"shape must be a Mixture, got {type(shape).__name__}")


def _log_terms(x: np.ndarray, shape: Mixture, covariances: np.ndarray) -> np.ndarray:
    """ln (weight times density) of every component; (n, k)."""
    d = shape.means.shape[1]
    offset = np.log(shape.weights + 1e-300) - 0.5 * (d * np.log(2 * np.pi) + np.linalg.slogdet(covariances)[1])
    away = x[:, None] - shape.means
    return offset - 0.5 * np.einsum("nki,kij,nkj->nk", away, np.linalg.inv(covariances), away, optimize=True)


def _softmax(logarithms: np.ndarray) -> np.ndarray:
    return np.exp(logarithms - logsumexp(logarithms, axis=1, keepdims=True))


def _integral(shape: Mixture, integrand: Callable[[np.ndarray], np.ndarray]) -> float:
    """The integral of a function of `_log_terms` over a grid that holds the mixture."""
    _check_mixture(shape)
    d = shape.means.shape[1]
    if d > 2:
        raise ValueError(f"shape must have one or two dimensions, got {d}")
    spread = np.sqrt(np.einsum("kii->ki", shape.covariances))
    step = np.sqrt(np.linalg.eigvalsh(shape.covariances).min()) / (200.0 if d == 1 else 8.0)
    low, high = (shape.means - 6 * spread).min(0), (shape.means + 6 * spread).max(0)
    most = 20_000 if d == 1 else 600
    axes = [np.linspace(a, b, int(min(np.ceil((b - a) / step), most)) + 1) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
    parts = np.array_split(points, -(-len(points) // 8192))
    total = sum(float(integrand(_log_terms(part, shape, shape.covariances)).sum()) for part in parts)
    return total * float(np.prod([axis[1] - axis[0] for axis in axes]))
