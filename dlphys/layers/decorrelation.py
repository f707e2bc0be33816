"""A penalty that makes the output of a network independent of a feature."""

from __future__ import annotations

from typing import Any

from keras import ops

from dlphys.layers._arguments import floating

__all__ = ["distance_correlation_penalty"]


def distance_correlation_penalty(x: Any, y: Any, weights: Any = None) -> Any:
    """Squared distance correlation of two columns of a batch, as a term of a loss.

    ``L = L_classifier + strength * distance_correlation_penalty(output, feature, weights=1 - label)`` makes the output
    independent of the feature in the background.

    Parameters
    ----------
    x, y : tensors, (n,) or (n, 1)
        For example the output of the network and the feature it should not know; any units.
    weights : tensor, (n,) or (n, 1), at least 0, optional
        0 leaves an event out.

    Returns
    -------
    tensor, (), float32
        In [0, 1]; 0 if one side is constant or all weights are 0. The square of `dlphys.metrics.distance_correlation`.

    Raises
    ------
    ValueError, TypeError
        If an argument has more than one column, or lengths differ.

    Notes
    -----
    Takes n^2 memory and time, so batches of up to about 2000 events. In a batch of n independent events it is about
    1 / n times a number of order 1, not 0: batches of at least a few hundred background events are needed to see a weak
    dependence. G. Kasieczka and D. Shih, arXiv:2001.05310.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 101)
    >>> float(distance_correlation_penalty(x, 3 * x - 1)), round(float(distance_correlation_penalty(x, x**2)), 2)
    (1.0, 0.24)
    """
    x, y = _column("x", x), _column("y", y)
    w = ops.ones_like(x) if weights is None else _column("weights", weights)
    lengths = [array.shape[0] for array in (x, y, w) if array.shape[0] is not None]
    if len(set(lengths)) > 1:
        raise ValueError(f"x, y and weights must have the same length, got {' and '.join(map(str, lengths))}")
    w = w / ops.maximum(ops.sum(w), 1e-30)

    def centred(values: Any) -> Any:
        # shifted and scaled, so that no unit leaves the range of single precision when multiplied four times
        values = ops.where(w > 0.0, values - ops.sum(w * values), 0.0)
        values = values / ops.maximum(ops.stop_gradient(ops.max(ops.abs(values))), 1e-30)
        distance = ops.abs(ops.expand_dims(values, 1) - ops.expand_dims(values, 0))
        mean = ops.matmul(distance, ops.expand_dims(w, 1))
        return distance - mean - ops.transpose(mean) + ops.sum(w * ops.squeeze(mean, 1))

    def covariance(a: Any, b: Any) -> Any:
        return ops.sum(ops.expand_dims(w, 1) * ops.expand_dims(w, 0) * a * b)

    a, b = centred(x), centred(y)
    return covariance(a, b) / ops.sqrt(ops.maximum(covariance(a, a) * covariance(b, b), 1e-20))


def _column(name: str, values: Any) -> Any:
    values = ops.cast(floating(**{name: values}), "float32")
    if len(values.shape) == 2 and values.shape[1] == 1:
        values = ops.squeeze(values, 1)
    if len(values.shape) != 1:
        raise ValueError(f"{name} must have shape (n,) or (n, 1), got {tuple(values.shape)}")
    return values
