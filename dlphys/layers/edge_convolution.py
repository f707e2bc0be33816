"""Edge convolutions: a kernel network looks at a point and one of its neighbours, for clouds of points."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from dlphys._validation import check_choice, check_count
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
from dlphys.layers.graphs import nearest_neighbours

EDGES = ("full", "difference", "distance")


@keras.saving.register_keras_serializable(package="dlphys")
class EdgeConv(keras.layers.Layer):
    """x'_i = aggregation over the neighbours j of h(edge of i and j), with one kernel network h for all pairs (10.6).

    Call it as ``layer(points, features=None, neighbours=None)``. The k nearest neighbours are found among ``points``
    each time, unless a table of neighbours is given. So ``EdgeConv(16, k=8)(x)`` with the output x of the layer before
    is a dynamic graph (neighbours in the space of features), and ``neighbours=`` keeps a graph that was built once, by
    `knn_graph`.

    Parameters
    ----------
    kernel : int, list of int, or Keras layer
        Widths of the dense layers of h, or a network of your own, to which every pair is a row.
    k : int, default 8
        Number of neighbours; unused where neighbours are given.
    aggregation : {"mean", "sum", "max"}
    edge : {"full", "difference", "distance"}
        What h sees of the points: (x_i, x_j - x_i); x_j - x_i, which no translation changes; or |x_j - x_i|, which no
        rotation changes either. Of features it always sees (f_i, f_j - f_i).
    activation : str or function, default "relu"
        After every dense layer of h.

    Inputs
    ------
    points : tensor, (n, p, d)
    features : tensor, (n, p, f), optional
    neighbours : tensor, (n, p, k), int32, optional

    Returns
    -------
    tensor, (n, p, width of the last layer of h)

    Raises
    ------
    ValueError, TypeError
        If an argument is none of these; when called, if there are not more points than neighbours.

    Notes
    -----
    The first dense layer on (v_i, v_j - v_i) is a sum of two products, one for each point, v_i (W_1 - W_2) + v_j W_2:
    it costs p and not p k matrix rows, and only its result is gathered. Neighbours are found in float32 under every
    dtype policy, and differences of points are taken before they are rounded. A kernel of small separations learns
    slowly: scale the points such that the distance of neighbours is about 1. Book, sections 10.4.2 and 10.4.3; Y. Wang
    et al., arXiv:1801.07829.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.random.default_rng(1).normal(size=(2, 100, 3)).astype("float32")
    >>> layer = EdgeConv([16, 10], k=5, edge="full")
    >>> layer(points).shape, layer.count_params()
    (TensorShape([2, 100, 10]), 282)
    """

    def __init__(
        self,
        kernel: Any,
        k: int = 8,
        aggregation: str = "mean",
        edge: str = "full",
        activation: Any = "relu",
        **keywords: Any,
    ) -> None:
        super().__init__(autocast=False, **keywords)
        self.kernel = kernel
        self.k = check_count(k=k)
        self.aggregation = check_choice(choices=AGGREGATIONS, aggregation=aggregation)
        self.edge = check_choice(choices=EDGES, edge=edge)
        self.activation = keras.activations.get(activation)
        self.network = dense_layers(kernel, self.activation, self.dtype_policy, name="kernel")

    def build(self, points_shape: Any, features_shape: Any = None, neighbours_shape: Any = None) -> None:
        own, between = self._inputs(points_shape, features_shape)
        width_after(self.network, 2 * own + between, build=True)
        self.built = True

    def call(self, points: Any, features: Any = None, neighbours: Any = None) -> Any:
        points = ops.convert_to_tensor(points)
        if neighbours is None:
            neighbours = nearest_neighbours(points, self.k)
        neighbours = ops.cast(neighbours, "int32")
        nodes = [] if features is None else [ops.cast(features, self.compute_dtype)]
        if self.edge == "full":
            nodes.insert(0, ops.cast(points, self.compute_dtype))
        own = None if not nodes else nodes[0] if len(nodes) == 1 else ops.concatenate(nodes, axis=-1)
        between = None if self.edge == "full" else self._separation(points, neighbours)
        if isinstance(self.kernel, keras.layers.Layer):
            edges = through(self.network, self._joined(own, between, neighbours))
        else:
            edges = through(self.network[1:], self._first(own, between, neighbours))
        return aggregated(edges, self.aggregation)

    def _separation(self, points: Any, neighbours: Any) -> Any:
        away = rows_of_neighbours(points, neighbours) - ops.expand_dims(points, 2)
        if self.edge == "distance":  # the small number keeps the slope finite where two points coincide
            away = ops.sqrt(ops.sum(ops.square(away), axis=-1, keepdims=True) + 1e-12)
        return ops.cast(away, self.compute_dtype)

    def _joined(self, own: Any, between: Any, neighbours: Any) -> Any:
        """Everything the kernel sees, (n, p, k, c)."""
        parts = []
        if own is not None:
            other = rows_of_neighbours(own, neighbours)
            here = ops.broadcast_to(ops.expand_dims(own, 2), ops.shape(other))
            parts = [here, other - here]
        if between is not None:
            parts.append(between)
        return ops.concatenate(parts, axis=-1)

    def _first(self, own: Any, between: Any, neighbours: Any) -> Any:
        """The first dense layer, as products for points rather than for pairs."""
        first = self.network[0]
        weights = ops.cast(first.kernel, self.compute_dtype)
        bias = ops.cast(first.bias, self.compute_dtype)
        if own is None:
            result = ops.matmul(between, weights) + bias
        else:
            width = own.shape[-1]
            other = ops.matmul(own, weights[width : 2 * width])
            here = ops.matmul(own, weights[:width]) - other + bias
            result = ops.expand_dims(here, 2) + rows_of_neighbours(other, neighbours)
            if between is not None:
                result = result + ops.matmul(between, weights[2 * width :])
        return self.activation(result)

    def _inputs(self, points_shape: Any, features_shape: Any) -> tuple[int, int]:
        """Entries of the vector of a node, and of what belongs to a pair."""
        own = 0 if features_shape is None else features_shape[-1]
        if self.edge == "full":
            return own + points_shape[-1], 0
        return own, 1 if self.edge == "distance" else points_shape[-1]

    def compute_output_shape(
        self, points_shape: Any, features_shape: Any = None, neighbours_shape: Any = None
    ) -> tuple[Any, ...]:
        own, between = self._inputs(points_shape, features_shape)
        return (*points_shape[:2], width_after(self.network, 2 * own + between))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel": serialized(self.kernel),
            "k": self.k,
            "aggregation": self.aggregation,
            "edge": self.edge,
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> EdgeConv:
        return cls(**{**config, "kernel": deserialized(config["kernel"])})
