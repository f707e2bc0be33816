"""Message passing: the frame into which most graph networks fit."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from dlphys._validation import check_choice
from dlphys.layers._edges import (
    AGGREGATIONS,
    aggregated,
    dense_layers,
    deserialized,
    rows_of_neighbours,
    serialized,
    through,
    width_after,
)


@keras.saving.register_keras_serializable(package="dlphys")
class MessagePassing(keras.layers.Layer):
    """m_i = aggregation over the neighbours j of f(x_i, x_j, e_ij), then x'_i = g(x_i, m_i).

    Call it as ``layer(nodes, neighbours, edges=None)``.

    Parameters
    ----------
    message : int, list of int, or Keras layer
        The network f: widths of dense layers, or a network of your own, to which every pair is a row.
    update : int, list of int, or Keras layer, optional
        The network g. Left out, the messages are the result: x'_i = m_i.
    aggregation : {"sum", "mean", "max"}
    activation : str or function, default "relu"
        After every dense layer of f and g.

    Inputs
    ------
    nodes : tensor, (n, p, d)
    neighbours : tensor, (n, p, k), int32
        Numbers of the neighbours; -1 where a node has fewer than k.
    edges : tensor, (n, p, k, e), optional
        Features of the edges.

    Returns
    -------
    tensor, (n, p, width of g)
        A node without neighbours receives the message 0.

    Raises
    ------
    ValueError, TypeError
        If an argument is none of these.

    Notes
    -----
    J. Gilmer et al., arXiv:1704.01212; book, section 10.4.5.

    Examples
    --------
    >>> import numpy as np
    >>> layer = MessagePassing(8, update=2, aggregation="sum")
    >>> layer(np.ones((1, 3, 4), "float32"), np.array([[[1, -1], [0, 2], [1, -1]]])).shape
    TensorShape([1, 3, 2])
    """

    def __init__(
        self,
        message: Any,
        update: Any = None,
        aggregation: str = "sum",
        activation: Any = "relu",
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self.message, self.update = message, update
        self.aggregation = check_choice(choices=AGGREGATIONS, aggregation=aggregation)
        self.activation = keras.activations.get(activation)
        self.sender = dense_layers(message, self.activation, self.dtype_policy, name="message")
        self.receiver = []
        if update is not None:
            self.receiver = dense_layers(update, self.activation, self.dtype_policy, name="update")

    def build(self, nodes_shape: Any, neighbours_shape: Any = None, edges_shape: Any = None) -> None:
        self._widths(nodes_shape, edges_shape, build=True)
        self.built = True

    def call(self, nodes: Any, neighbours: Any, edges: Any = None) -> Any:
        neighbours = ops.cast(neighbours, "int32")
        valid = neighbours >= 0
        other = rows_of_neighbours(nodes, ops.maximum(neighbours, 0))
        own = ops.broadcast_to(ops.expand_dims(nodes, 2), ops.shape(other))
        parts = [own, other] if edges is None else [own, other, ops.cast(edges, other.dtype)]
        messages = through(self.sender, ops.concatenate(parts, axis=-1))
        received = aggregated(messages, self.aggregation, valid)
        if not self.receiver:
            return received
        return through(self.receiver, ops.concatenate([nodes, received], axis=-1))

    def _widths(self, nodes_shape: Any, edges_shape: Any, *, build: bool) -> int:
        """Entries of the result; builds the networks on the way."""
        entries = 2 * nodes_shape[-1] + (0 if edges_shape is None else edges_shape[-1])
        width = width_after(self.sender, entries, build=build)
        return width_after(self.receiver, nodes_shape[-1] + width, build=build) if self.receiver else width

    def compute_output_shape(
        self, nodes_shape: Any, neighbours_shape: Any = None, edges_shape: Any = None
    ) -> tuple[Any, ...]:
        return (*nodes_shape[:2], self._widths(nodes_shape, edges_shape, build=False))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "message": serialized(self.message),
            "update": serialized(self.update),
            "aggregation": self.aggregation,
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MessagePassing:
        networks = {name: deserialized(config[name]) for name in ("message", "update")}
        return cls(**{**config, **networks})
