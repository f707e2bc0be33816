"""What a layer has learned to see: its activations, and inputs that make them large."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from dlphys import autodiff
from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_choice, check_count, check_number, shown
from dlphys.explain._arguments import (
    batches,
    bounds_of,
    chosen_outputs,
    like_events,
    prepare_inputs,
    progress,
    repeated,
)
from dlphys.explain._backward import check_channel, place_in_map
from dlphys.explain._graph import Graph, as_array, read


def activations(model: Any, inputs: Any, *, layer: Any, batch_size: int = 256) -> np.ndarray:
    """What a layer puts out, its activation function included.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential, with one input.
    inputs : array, (n, ...)
    layer : str or keras.Layer
    batch_size : int, default 256

    Returns
    -------
    array, (n, *shape of the layer's output), float32

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="relu", name="first")])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.5])])
    >>> activations(model, [[1.0, 2.0], [0.0, 2.0]], layer="first")
    array([[1.5],
           [0. ]], dtype=float32)
    """
    graph, x = prepare_inputs(model, inputs, batch_size)
    number = graph.place(layer).after
    return np.concatenate(
        [as_array(graph.run({0: ops.convert_to_tensor(x[b])}, number)) for b in batches(len(x), batch_size, "layer")]
    )


def maximise_activation(
    model: Any,
    *,
    layer: Any = None,
    channel: Any = None,
    unit: Any = None,
    output: Any = None,
    start: Any = None,
    steps: int = 50,
    step_size: float = 1.0,
    normalised: bool = True,
    bounds: Any = None,
    seed: Seed | None = None,
    batch_size: int = 64,
) -> np.ndarray:
    """Climb from noise, or from given inputs, to inputs that excite a part of the network.

    Each step adds ``step_size`` times the derivative g of the objective with respect to the input, equations (12.1) to
    (12.3) of the book, x' = x + alpha g. The objective is

    - ``output``: a class, its output before a final softmax or sigmoid;
    - ``layer``, ``channel`` and ``unit``: one neuron;
    - ``layer`` and ``channel``: the mean of a feature map over its places;
    - ``layer``: the mean square of all its values, equation (12.4), called deep dream.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential, with one input.
    layer : str or keras.Layer, optional
    channel : int or sequence of int, optional
        Several are climbed side by side, one input each.
    unit : int or tuple of int, optional
        Place in the map: (row, column) in an image, a time in a sequence.
    output : int or sequence of int, optional
        Instead of ``layer``.
    start : array, one input or (n, ...), optional
        Where to begin; standard Gaussian noise if not given.
    steps : int, default 50
    step_size : float, default 1
        In units of the input if ``normalised``.
    normalised : bool, default True
        Whether g is divided by its root mean square over the entries of each input, so that a step changes them by
        ``step_size`` in the quadratic mean. The raw derivative depends on the number of places and may be tiny.
    bounds : (float, float), optional
        Range to which the entries are brought back after every step.
    seed : int or numpy.random.Generator
        For the noise; not needed with ``start``.
    batch_size : int, default 64

    Returns
    -------
    array, (n, ...), float32
        n is the number of channels, outputs or starts, 1 if there is one of each.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, an argument does not fit it, or the model takes inputs of any size and there is
        no ``start``.

    Notes
    -----
    D. Erhan et al., "Visualizing higher-layer features of a deep network" (2009); A. Mordvintsev et al., "Inceptionism"
    (2015). A ReLU that is silent has no derivative: as long as the objective's is exactly zero, its layer is climbed
    before the activation function. Sums in place of means, as in (12.4), change the length of g only.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[4.0], [-4.0]]), np.array([0.0])])
    >>> maximise_activation(model, output=0, start=[0.0, 0.0], steps=3)
    array([[ 3., -3.]], dtype=float32)
    """
    graph = read(model)
    check_count(steps=steps)
    check_count(batch_size=batch_size)
    check_number(step_size=step_size)
    check_choice(normalised=normalised, choices=(False, True))
    limits = bounds_of(bounds)
    objective = _objective(graph, layer, channel, unit, output)
    x, objective = _starts(graph, start, objective, seed)
    slopes = _slopes_of(objective, steps * -(-len(x) // batch_size), min(batch_size, len(x)))
    for batch in batches(len(x), batch_size, "maximise_activation"):
        for _ in progress(range(steps), "maximise_activation", "step"):
            slope = slopes(x[batch], objective.numbers[batch])
            if normalised:
                size = np.sqrt((slope**2).mean(axis=tuple(range(1, slope.ndim))))
                slope = slope / like_events(np.where(size > 0, size, 1.0), slope)
            x[batch] += (step_size * slope).astype(x.dtype)
            if limits is not None:
                np.clip(x[batch], *limits, out=x[batch])
    return x.astype(np.float32)


class _Objective:
    """What is to become large, for each event."""

    def __init__(self, graph: Graph, kind: str, after: int, before: int, numbers: np.ndarray, unit: Any) -> None:
        self.graph, self.kind, self.numbers, self.unit = graph, kind, numbers, unit
        self.after, self.before = after, before

    def repeated(self, n: int) -> _Objective:
        numbers = np.broadcast_to(self.numbers, n)
        return _Objective(self.graph, self.kind, self.after, self.before, numbers, self.unit)

    def value(self, x: Any, numbers: Any, place: int) -> Any:
        """The objective of each event, with the layer taken after or before its activation function; (n,)."""
        values = self.graph.run({0: x}, place)
        if self.kind == "layer":
            return ops.mean(values**2, axis=tuple(range(1, len(values.shape))))
        if self.unit is not None:
            places = place_in_map(tuple(values.shape[1:]), self.unit)
            values = values[(slice(None), *places)]
        elif len(values.shape) > 2:
            values = ops.mean(values, axis=tuple(range(1, len(values.shape) - 1)))
        return ops.take_along_axis(values, ops.convert_to_tensor(numbers)[:, None], axis=1)[:, 0]


def _slopes_of(objective: _Objective, times: int, batch_size: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function (x, numbers) for the derivative, in whose place stands that before the ReLU where it is zero."""

    def at(place: int) -> Callable[..., np.ndarray]:
        def slopes(x: Any, numbers: Any) -> Any:
            return autodiff.gradient(lambda z: objective.value(z, numbers, place), x)

        return repeated(slopes, times, batch_size)

    after, before = at(objective.after), at(objective.before)

    def slopes(x: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        slope = after(x, numbers)
        silent = ~slope.reshape(len(slope), -1).any(axis=1)
        if silent.any() and objective.before != objective.after:
            slope = np.where(silent.reshape(-1, *(1,) * (slope.ndim - 1)), before(x, numbers), slope)
        return slope

    return slopes


def _objective(graph: Graph, layer: Any, channel: Any, unit: Any, output: Any) -> _Objective:
    if (layer is None) == (output is None):
        given = "neither" if layer is None else "both"
        raise ValueError(f"layer or output must be given, one of them, got {given}")
    if layer is None:
        for name, value in (("channel", channel), ("unit", unit)):
            if value is not None:
                raise ValueError(f"{name} must be None without a layer, got {shown(value)}")
        n = 1 if isinstance(output, numbers.Integral) else np.size(output)
        return _Objective(graph, "output", graph.output, graph.output, chosen_outputs(graph, output, n), None)
    place = graph.place(layer)
    if channel is None:
        if unit is not None:
            raise ValueError(f"unit must be None without a channel, got {shown(unit)}")
        return _Objective(graph, "layer", place.after, place.before, np.zeros(1, np.int32), None)
    several = channel if isinstance(channel, list | tuple | range | np.ndarray) else [channel]
    if len(several) == 0:
        raise ValueError("channel must hold at least one number, got none")
    chosen = np.array([check_channel(place.shape, k) for k in several], np.int32)
    return _Objective(graph, "channel", place.after, place.before, chosen, unit)


def _starts(graph: Graph, start: Any, objective: _Objective, seed: Any) -> tuple[np.ndarray, _Objective]:
    """The first inputs and an objective for each of them."""
    n = len(objective.numbers)
    if start is None:
        if seed is None:
            raise TypeError("seed must be given for a start from noise, got None")
        if None in graph.shape:
            raise ValueError(f"start must be given for a model that takes inputs of any size, {graph.shape}")
        shape = (n, *(int(k) for k in graph.shape if k is not None))
        return generator(seed).standard_normal(shape).astype(graph.dtype), objective
    first = check_array(start=start, dtype=graph.dtype)
    if first.ndim == len(graph.shape):
        first = first[None]
    check_array(start=first, shape=(None, *graph.shape))
    if n != 1 and len(first) not in (1, n):
        raise ValueError(f"start must hold one input or {n}, one for each objective, got {len(first)}")
    n = max(n, len(first))
    return np.array(np.broadcast_to(first, (n, *first.shape[1:]))), objective.repeated(n)
