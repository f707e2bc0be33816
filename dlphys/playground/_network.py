"""The network of the playground in plain NumPy, as a student writes it in chapter 4.

This is the version to read. `dlphys.playground._kernels` does the same, compiled, for the widget and for the many
restarts of the exercises; a test holds the two together, and both to Keras.

The loss of a batch of n points is sum((output - target)^2) / (2 n), for both problems, with tanh at the output of a
classification: the loss of the TensorFlow playground, so that its numbers can be compared. The cross-entropy of the
later chapters would learn faster where the output is saturated on the wrong side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

Layers = list[np.ndarray]


def initial(sizes: Sequence[int], random: np.random.Generator) -> tuple[Layers, Layers]:
    """Weights (inputs, outputs) and biases of each layer: Glorot's uniform numbers and zeros, as in Keras."""
    weights, biases = [], []
    for before, after in pairwise(sizes):
        reach = np.sqrt(6.0 / (before + after))
        weights.append(random.uniform(-reach, reach, (before, after)))
        biases.append(np.zeros(after))
    return weights, biases


# The activation of the sums of a layer, and its slope written with the value z that it has there.
ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "relu": (lambda total: np.maximum(total, 0.0), lambda z: (z > 0.0).astype(float)),
    "tanh": (np.tanh, lambda z: 1.0 - z**2),
    "sigmoid": (lambda total: 0.5 + 0.5 * np.tanh(0.5 * total), lambda z: z * (1.0 - z)),
    "linear": (lambda total: total, np.ones_like),
}


def forward(x: np.ndarray, weights: Layers, biases: Layers, activations: Sequence[str]) -> Layers:
    """The values of all layers for the features x (n, inputs): x itself first, the output (n, 1) last."""
    values = [x]
    for weight, bias, activation in zip(weights, biases, activations, strict=True):
        values.append(ACTIVATIONS[activation][0](values[-1] @ weight + bias))
    return values


def loss(output: np.ndarray, target: np.ndarray) -> float:
    """Half the mean squared error."""
    return float(0.5 * np.mean((output - target) ** 2))


def backward(values: Layers, target: np.ndarray, weights: Layers, activations: Sequence[str]) -> tuple[Layers, Layers]:
    """Gradient of the loss with respect to all weights and biases, by backpropagation."""
    slopes: list[tuple[np.ndarray, np.ndarray]] = []
    back = (values[-1] - target[:, np.newaxis]) / len(target)  # the slope of the loss with respect to a layer's values
    for number in range(len(weights) - 1, -1, -1):
        slope = ACTIVATIONS[activations[number]][1]
        back = back * slope(values[number + 1])
        slopes.insert(0, (values[number].T @ back, back.sum(axis=0)))
        back = back @ weights[number].T
    return [weight for weight, _ in slopes], [bias for _, bias in slopes]


def update(
    weights: Layers,
    biases: Layers,
    by_weights: Layers,
    by_biases: Layers,
    *,
    learning_rate: float,
    l1: float,
    l2: float,
) -> tuple[Layers, Layers]:
    """One step downhill with the penalty l1 sum(abs(w)) + l2 sum(w^2) / 2 on the weights.

    L2 adds l2 w to the gradient. L1 moves each weight by learning_rate * l1 towards zero, after the step, and no
    further than zero (soft threshold), where adding its slope to the gradient would make small weights jump from one
    side of zero to the other for ever.
    """
    stepped = [w - learning_rate * (g + l2 * w) for w, g in zip(weights, by_weights, strict=True)]
    threshold = learning_rate * l1
    weights = [np.sign(w) * np.maximum(np.abs(w) - threshold, 0.0) for w in stepped]
    biases = [b - learning_rate * g for b, g in zip(biases, by_biases, strict=True)]
    return weights, biases
