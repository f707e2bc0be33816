"""Small changes of an input that a network is sensitive to, made to mislead it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from dlphys import autodiff
from dlphys._keras import keras
from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_choice, check_count, check_number, shown
from dlphys.explain._arguments import batches, bounds_of, prepare_inputs, repeated
from dlphys.explain._graph import Graph


def fast_gradient_sign(
    model: Any,
    inputs: Any,
    labels: Any,
    *,
    strength: float,
    loss: Any = None,
    bounds: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Inputs moved by ``strength`` in every entry, each in the direction that raises the loss.

    x' = x + strength sign(dL / dx).

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential, with one input and with outputs of shape (n, k).
    inputs : array, (n, ...)
    labels : array, (n,) or (n, k)
        True values: class numbers after a softmax, 0 and 1 after a sigmoid, anything with another ``loss``.
    strength : float
        Largest change of an entry, at least 0, in units of the input.
    loss : function or str, optional
        ``loss(labels, outputs)`` of the model's own outputs, or the name of a loss of Keras. If not given:
        cross-entropy if the model ends in softmax or sigmoid, otherwise the squared error.
    bounds : (float, float), optional
        Range in which entries stay, such as (0, 1) for images.
    batch_size : int, default 256

    Returns
    -------
    array, shape of the inputs, float32
        The changed inputs. Entries on which the loss does not depend stay as they are.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    I. Goodfellow, J. Shlens, C. Szegedy, arXiv:1412.6572. The slope of the cross-entropy rounds to zero where a network
    is sure of itself. For certain labels it is replaced by that of the logarithm of the odds against the label, which
    has the same sign everywhere.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    >>> model.set_weights([np.array([[3.0], [-1.0], [0.0]]), np.array([0.5])])
    >>> fast_gradient_sign(model, [[1.0, 2.0, 4.0]], [1], strength=0.25)
    array([[0.75, 2.25, 4.  ]], dtype=float32)
    """
    graph, x, target, measure, limits = _prepared(model, inputs, labels, loss, strength, bounds, batch_size)
    result = np.empty(x.shape, np.float32)
    direction = _direction_of(graph, measure, -(-len(x) // batch_size), batch_size)
    for batch in batches(len(x), batch_size, "fast_gradient_sign"):
        result[batch] = _within(x[batch] + strength * direction(x[batch], target[batch]), limits)
    return result


def projected_gradient(
    model: Any,
    inputs: Any,
    labels: Any,
    *,
    strength: float,
    steps: int = 10,
    step_size: float | None = None,
    random_start: bool = True,
    loss: Any = None,
    bounds: Any = None,
    seed: Seed | None = None,
    batch_size: int = 256,
) -> np.ndarray:
    """`fast_gradient_sign` in small steps, each brought back to changes of at most ``strength``.

    x' = P(x' + step_size sign(dL / dx')), where P clips every entry to x - strength ... x + strength.

    Parameters
    ----------
    model, inputs, labels, strength, loss, bounds, batch_size
        As in `fast_gradient_sign`.
    steps : int, default 10
    step_size : float, optional
        2.5 ``strength`` / ``steps`` if not given, which can reach the border from everywhere.
    random_start : bool, default True
        Whether to begin at a random change of at most ``strength`` instead of at the input.
    seed : int or numpy.random.Generator
        Needed for a random start.

    Returns
    -------
    array, shape of the inputs, float32

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    A. Madry et al., arXiv:1706.06083. One step of size ``strength`` from the input is `fast_gradient_sign`.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.5])])
    >>> projected_gradient(model, [[1.0, 2.0]], [1], strength=0.25, seed=1)
    array([[0.75, 2.25]], dtype=float32)
    """
    check_count(steps=steps)
    check_choice(random_start=random_start, choices=(False, True))
    graph, x, target, measure, limits = _prepared(model, inputs, labels, loss, strength, bounds, batch_size)
    if step_size is None:
        step_size = 2.5 * strength / steps
    check_number(step_size=step_size, minimum=0.0)
    shift = np.zeros_like(x)
    if random_start:
        shift = _required(seed).uniform(-strength, strength, x.shape).astype(x.dtype)
    result = np.empty(x.shape, np.float32)
    direction = _direction_of(graph, measure, steps * -(-len(x) // batch_size), min(batch_size, len(x)))
    for batch in batches(len(x), batch_size, "projected_gradient"):
        low, high = x[batch] - strength, x[batch] + strength
        moved = _within(x[batch] + shift[batch], limits)
        for _ in range(steps):
            moved = moved + step_size * direction(moved, target[batch])
            moved = _within(np.clip(moved, low, high), limits).astype(x.dtype)
        result[batch] = moved
    return result


def _required(seed: Seed | None) -> np.random.Generator:
    if seed is None:
        raise TypeError("seed must be given for a random start, got None")
    return generator(seed)


Measure = Callable[[Any, Any], Any]


def _prepared(
    model: Any, inputs: Any, labels: Any, loss: Any, strength: Any, bounds: Any, batch_size: Any
) -> tuple[Graph, np.ndarray, np.ndarray, Measure, tuple[float, float] | None]:
    check_number(strength=strength, minimum=0.0)
    limits = bounds_of(bounds)
    graph, x = prepare_inputs(model, inputs, batch_size)
    target = check_array(labels=labels, ndim=(1, 2), dtype=None)
    if len(target) != len(x):
        raise ValueError(f"labels must have one entry for each of the {len(x)} inputs, got {len(target)}")
    if loss is None:
        target = _as_target(graph, target)
        return graph, x, target, _own_loss(graph, target), limits
    if not callable(loss):
        loss = _named_loss(loss)
    last = len(graph.steps) if graph.ending else graph.output
    return graph, x, target, lambda y, values: loss(y, values[last]), limits


def _named_loss(name: Any) -> Any:
    try:
        found = keras.losses.get(name)
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise ValueError(f"loss must be a function (labels, outputs) or the name of a loss of Keras, got {shown(name)}")
    return found


def _as_target(graph: Graph, labels: np.ndarray) -> np.ndarray:
    """Labels as values or probabilities, of shape (n, k)."""
    n, k = len(labels), graph.outputs
    if graph.ending == "softmax" and labels.ndim == 1:
        whole = check_array(labels=labels, minimum=0, maximum=k - 1, dtype=np.int32)
        if (whole != labels).any():
            raise ValueError("labels must be class numbers for a model that ends in softmax, got fractions")
        return np.eye(k, dtype=graph.dtype)[whole]
    if labels.size != n * k:
        raise ValueError(f"labels must have shape ({n}, {k}) for this model, got {labels.shape}")
    if graph.ending:
        check_array(labels=labels, minimum=0, maximum=1)
    return labels.reshape(n, k).astype(graph.dtype)


def _own_loss(graph: Graph, targets: np.ndarray) -> Measure:
    """Loss of each event before a softmax or sigmoid, or a rising function of it, since only a sign is asked for.

    The derivative of a cross-entropy rounds to zero, or in parts, where the network is sure; that of the logarithm of
    the odds against a label does not.
    """
    certain = bool(((targets == 0) | (targets == 1)).all())
    one_hot = certain and bool((targets.sum(axis=1) == 1).all())

    def loss(target: Any, values: dict[int, Any]) -> Any:
        y = ops.cast(values[graph.output], graph.dtype)
        if graph.ending == "softmax" and one_hot:
            return ops.logsumexp(ops.where(target == 1, -1e30, y), axis=1) - ops.sum(target * y, axis=1)
        if graph.ending == "softmax":
            return -ops.log_softmax(y) * target
        if graph.ending == "sigmoid" and certain and graph.outputs == 1:
            return (1.0 - 2.0 * target) * y
        if graph.ending == "sigmoid":
            return target * ops.softplus(-y) + (1.0 - target) * ops.softplus(y)
        return (y - target) ** 2

    return loss


def _direction_of(graph: Graph, measure: Measure, times: int, batch_size: int) -> Callable[..., np.ndarray]:
    """A function (x, target) for the sign of the derivative of the loss."""

    def direction(x: Any, target: Any) -> Any:
        target = ops.convert_to_tensor(target)

        def total(z: Any) -> Any:
            values = {0: z}
            graph.run(values, len(graph.steps) if graph.ending else graph.output)
            return ops.sum(measure(target, values))

        return ops.sign(autodiff.gradient(total, x))

    return repeated(direction, times, batch_size)


def _within(x: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
    return x if limits is None else np.clip(x, *limits)
