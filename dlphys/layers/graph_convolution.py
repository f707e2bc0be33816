"""Convolutions that are given the graph as a matrix: GCN in space, Chebyshev polynomials in the spectrum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from dlphys._validation import check_count


@keras.saving.register_keras_serializable(package="dlphys")
class GraphConvolution(keras.layers.Layer):
    """H' = activation(A^ H W + b), with the normalised adjacency matrix A^ of the graph (10.3).

    Call it as ``layer(nodes, adjacency)``. The weights do not depend on the number of nodes.

    Parameters
    ----------
    units : int
        Features of a node after the layer.
    activation : str or function, optional
    use_bias : bool, default True

    Inputs
    ------
    nodes : tensor, (n, p, d)
    adjacency : tensor, (p, p) or (n, p, p)
        From `normalized_adjacency`; one graph for all, or one for each event.

    Returns
    -------
    tensor, (n, p, units)

    Raises
    ------
    ValueError, TypeError
        If ``units`` is not a whole number from 1.

    Notes
    -----
    T. N. Kipf and M. Welling, arXiv:1609.02907.

    Examples
    --------
    >>> import numpy as np
    >>> from dlphys.layers import normalized_adjacency
    >>> chain = normalized_adjacency(np.eye(5, k=1) + np.eye(5, k=-1))
    >>> layer = GraphConvolution(2)
    >>> layer(np.ones((1, 5, 3), "float32"), chain).shape, layer.count_params()
    (TensorShape([1, 5, 2]), 8)
    """

    def __init__(self, units: int, activation: Any = None, use_bias: bool = True, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.units = check_count(units=units)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)

    def build(self, nodes_shape: Any, adjacency_shape: Any = None) -> None:
        self.kernel = self.add_weight(shape=(nodes_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias") if self.use_bias else None
        self.built = True

    def call(self, nodes: Any, adjacency: Any) -> Any:
        wide = nodes.shape[-1] > self.units  # the cheaper order of the two products
        adjacency = ops.cast(adjacency, self.compute_dtype)
        if wide:
            outputs = ops.matmul(adjacency, ops.matmul(nodes, self.kernel))
        else:
            outputs = ops.matmul(ops.matmul(adjacency, nodes), self.kernel)
        return self.activation(outputs if self.bias is None else outputs + self.bias)

    def compute_output_shape(self, nodes_shape: Any, adjacency_shape: Any = None) -> tuple[Any, ...]:
        return (*nodes_shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }


class ChebyshevFilter(keras.layers.Layer):
    """What Chebyshev convolutions share, whatever graph they act on; not for use by itself."""

    def __init__(
        self, units: int, order: int = 3, activation: Any = None, use_bias: bool = True, **keywords: Any
    ) -> None:
        super().__init__(**keywords)
        self.units = check_count(units=units)
        self.order = check_count(order=order)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)

    def add_filter(self, channels: int) -> None:
        """The weights, for nodes with so many features."""
        # one matrix for all orders: the polynomials stand side by side
        self.kernel = self.add_weight(shape=(self.order * channels, self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias") if self.use_bias else None
        self.built = True

    def filtered(self, nodes: Any, product: Callable[[Any], Any]) -> Any:
        """The filter, for a function that multiplies by L~."""
        polynomials = [nodes]
        for i in range(1, self.order):
            new = product(polynomials[-1])
            polynomials.append(new if i == 1 else 2 * new - polynomials[-2])
        outputs = ops.matmul(ops.concatenate(polynomials, axis=-1), self.kernel)
        return self.activation(outputs if self.bias is None else outputs + self.bias)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "order": self.order,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }


@keras.saving.register_keras_serializable(package="dlphys")
class ChebyshevConvolution(ChebyshevFilter):
    """f' = activation(sum over i below ``order`` of T_i(L~) f W_i + b), a filter of the graph's spectrum (10.12).

    Call it as ``layer(nodes, laplacian)``. T_0 = 1, T_1 = L~ and T_(i+1) = 2 L~ T_i - T_(i-1), so no eigenvectors are
    needed, and a node sees no farther than ``order - 1`` steps.

    Parameters
    ----------
    units : int
        Features of a node after the layer.
    order : int, default 3
        Number of polynomials, k in (10.12).
    activation : str or function, optional
    use_bias : bool, default True

    Inputs
    ------
    nodes : tensor, (n, p, d)
    laplacian : tensor, (p, p) or (n, p, p)
        From `scaled_laplacian`, with eigenvalues in [-1, 1].

    Returns
    -------
    tensor, (n, p, units)

    Raises
    ------
    ValueError, TypeError
        If ``units`` or ``order`` is not a whole number from 1.

    Notes
    -----
    M. Defferrard, X. Bresson and P. Vandergheynst, arXiv:1606.09375.

    Examples
    --------
    >>> import numpy as np
    >>> from dlphys.layers import scaled_laplacian
    >>> chain = scaled_laplacian(np.eye(5, k=1) + np.eye(5, k=-1))
    >>> layer = ChebyshevConvolution(2, order=3)
    >>> layer(np.ones((1, 5, 4), "float32"), chain).shape, layer.count_params()
    (TensorShape([1, 5, 2]), 26)
    """

    def build(self, nodes_shape: Any, laplacian_shape: Any = None) -> None:
        self.add_filter(nodes_shape[-1])

    def call(self, nodes: Any, laplacian: Any) -> Any:
        laplacian = ops.cast(laplacian, self.compute_dtype)
        return self.filtered(nodes, lambda f: ops.matmul(laplacian, f))

    def compute_output_shape(self, nodes_shape: Any, laplacian_shape: Any = None) -> tuple[Any, ...]:
        return (*nodes_shape[:2], self.units)
