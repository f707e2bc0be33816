"""What edge convolutions and message passing share: rows of neighbours, kernels and aggregations."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from dlphys._validation import check_count, shown

AGGREGATIONS = ("mean", "sum", "max")


def rows_of_neighbours(values: Any, neighbours: Any) -> Any:
    """values (n, p, f) and neighbours (n, p, k) give (n, p, k, f); one flat gather, the fastest form measured."""
    shape = ops.shape(values)
    first = ops.reshape(ops.arange(shape[0], dtype="int32") * shape[1], (-1, 1, 1))
    flat = ops.reshape(values, (-1, values.shape[-1]))
    return ops.take(flat, neighbours + first, axis=0)


def aggregated(messages: Any, how: str, valid: Any = None) -> Any:
    """Mean, sum or maximum over the neighbours, axis 2 of (n, p, k, f); ``valid`` (n, p, k) marks those that exist."""
    if valid is None:
        return {"mean": ops.mean, "sum": ops.sum, "max": ops.max}[how](messages, axis=2)
    present = ops.expand_dims(ops.cast(valid, messages.dtype), -1)
    number = ops.sum(present, axis=2)
    if how == "max":
        largest = ops.max(ops.where(present > 0, messages, ops.full_like(messages, -6e4)), axis=2)
        return ops.where(number > 0, largest, ops.zeros_like(largest))
    total = ops.sum(messages * present, axis=2)
    return total if how == "sum" else total / ops.maximum(number, 1)


def through(network: list[keras.layers.Layer], values: Any) -> Any:
    """The layers of a network, one after the other, on the last axis: to them every pair is a row of its own."""
    shape = ops.shape(values)
    rows = ops.reshape(values, (-1, values.shape[-1]))
    for layer in network:
        rows = layer(rows)
    return ops.reshape(rows, (*shape[:-1], rows.shape[-1]))


def width_after(network: list[keras.layers.Layer], width: int, *, build: bool = False) -> int:
    """Entries of the last axis behind a network; builds its layers on the way."""
    shape: Any = (None, width)
    for layer in network:
        if build and not layer.built:
            layer.build(shape)
        shape = layer.compute_output_shape(shape)
    return int(shape[-1])


def dense_layers(what: Any, activation: Any, policy: Any, *, name: str) -> list[keras.layers.Layer]:
    """A kernel network: one width, several widths, or a layer (or model) that acts on the last axis."""
    if isinstance(what, keras.layers.Layer):
        return [what]
    widths = [what] if not isinstance(what, list | tuple) else list(what)
    if not widths:
        raise ValueError(f"{name} must hold at least one width, got {shown(what)}")
    widths = [check_count(**{name: width}) for width in widths]
    return [keras.layers.Dense(width, activation=activation, dtype=policy) for width in widths]


def serialized(what: Any) -> Any:
    """A width, a list of widths, or a layer, for ``get_config``."""
    if isinstance(what, keras.layers.Layer):
        return keras.saving.serialize_keras_object(what)
    return list(what) if isinstance(what, list | tuple) else what


def deserialized(what: Any) -> Any:
    return keras.saving.deserialize_keras_object(what) if isinstance(what, dict) else what
