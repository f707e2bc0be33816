"""The loop of `dlphys.playground._network`, compiled: many small steps without Python between them."""

from __future__ import annotations

import numpy as np

from dlphys._numba import compiled

CODES = {"linear": 0, "relu": 1, "tanh": 2, "sigmoid": 3}


@compiled(nogil=True)
def _function(total: float, code: int) -> float:
    if code == 1:
        return max(total, 0.0)
    if code == 2:
        return np.tanh(total)
    if code == 3:
        return 0.5 + 0.5 * np.tanh(0.5 * total)
    return total


@compiled(nogil=True)
def _slope(z: float, code: int) -> float:
    if code == 1:
        return 1.0 if z > 0.0 else 0.0
    if code == 2:
        return 1.0 - z * z
    if code == 3:
        return z * (1.0 - z)
    return 1.0


@compiled(nogil=True)
def _forward(parameters: np.ndarray, sizes: np.ndarray, codes: np.ndarray, values: np.ndarray) -> None:
    """Fill the rows of values (layers, widest) from row 0; parameters: each layer's weights by input, then biases."""
    offset = 0
    for layer in range(len(sizes) - 1):
        before, after = sizes[layer], sizes[layer + 1]
        biases = offset + before * after
        for j in range(after):
            values[layer + 1, j] = parameters[biases + j]
        for i in range(before):
            value = values[layer, i]
            if value != 0.0:
                for j in range(after):
                    values[layer + 1, j] += value * parameters[offset + i * after + j]
        for j in range(after):
            values[layer + 1, j] = _function(values[layer + 1, j], codes[layer])
        offset = biases + after


@compiled(nogil=True)
def loss(
    parameters: np.ndarray, sizes: np.ndarray, codes: np.ndarray, x: np.ndarray, y: np.ndarray, values: np.ndarray
) -> float:
    """Half the mean squared error of all points; x (n, features), y (n,)."""
    total = 0.0
    for n in range(len(x)):
        for i in range(x.shape[1]):
            values[0, i] = x[n, i]
        _forward(parameters, sizes, codes, values)
        total += (values[len(sizes) - 1, 0] - y[n]) ** 2
    return 0.5 * total / len(x)


@compiled(nogil=True)
def train(
    parameters: np.ndarray,
    sizes: np.ndarray,
    codes: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    order: np.ndarray,
    batch_size: int,
    learning_rate: float,
    l1: float,
    l2: float,
    values: np.ndarray,
    errors: np.ndarray,
    gradient: np.ndarray,
) -> None:
    """One epoch: steps through the points in the given order; changes parameters, and the three work arrays."""
    last = len(sizes) - 1
    for start in range(0, len(order), batch_size):
        stop = min(start + batch_size, len(order))
        for k in range(len(gradient)):
            gradient[k] = 0.0
        for place in range(start, stop):
            n = order[place]
            for i in range(x.shape[1]):
                values[0, i] = x[n, i]
            _forward(parameters, sizes, codes, values)
            errors[last, 0] = (values[last, 0] - y[n]) / (stop - start)
            offset = len(parameters)
            for layer in range(last - 1, -1, -1):
                before, after = sizes[layer], sizes[layer + 1]
                biases = offset - after
                offset = biases - before * after
                for j in range(after):
                    errors[layer + 1, j] *= _slope(values[layer + 1, j], codes[layer])
                    gradient[biases + j] += errors[layer + 1, j]
                for i in range(before):
                    back = 0.0
                    value = values[layer, i]
                    for j in range(after):
                        gradient[offset + i * after + j] += value * errors[layer + 1, j]
                        back += parameters[offset + i * after + j] * errors[layer + 1, j]
                    errors[layer, i] = back
        offset = 0
        for layer in range(last):
            weights = sizes[layer] * sizes[layer + 1]
            for k in range(offset, offset + weights):
                stepped = parameters[k] - learning_rate * (gradient[k] + l2 * parameters[k])
                threshold = learning_rate * l1
                if stepped > threshold:
                    parameters[k] = stepped - threshold
                elif stepped < -threshold:
                    parameters[k] = stepped + threshold
                elif stepped == stepped:
                    parameters[k] = 0.0
                else:  # not a number: the caller must see that the training diverged
                    parameters[k] = stepped
            offset += weights
            for k in range(offset, offset + sizes[layer + 1]):
                parameters[k] -= learning_rate * gradient[k]
            offset += sizes[layer + 1]
