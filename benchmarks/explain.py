"""Explanations of 100 images of MNIST's size by a small CNN, beside the goal of two seconds on two cores."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks import best, figure
from dlphys._keras import keras

GOAL = 2.0  # seconds, warm


def network() -> Any:
    """Three convolutional layers and two dense ones, 1.5 million multiply-adds an image."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="last"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def calls(model: Any, x: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Every method with its default settings, where nothing else is said."""
    from dlphys import explain

    groups = np.arange(28)[:, None] // 7 * 4 + np.arange(28) // 7  # 16 patches
    return {
        "saliency": partial(explain.saliency, model, x),
        "integrated gradients, 32 steps": partial(explain.integrated_gradients, model, x),
        "SmoothGrad, 50 samples": partial(explain.smooth_grad, model, x, seed=1),
        "expected gradients, 50 samples": partial(explain.expected_gradients, model, x, x, samples=50, seed=1),
        "DeconvNet": partial(explain.deconvnet, model, x),
        "guided backpropagation": partial(explain.guided_backpropagation, model, x),
        "Grad-CAM": partial(explain.grad_cam, model, x),
        "LRP, epsilon": partial(explain.lrp, model, x),
        "LRP, gamma": partial(explain.lrp, model, x, rule="gamma"),
        "occlusion, 49 patches": partial(explain.occlusion, model, x, size=4),
        "Shapley, 16 patches, 10 permutations": partial(
            explain.shapley_sampling, model, x, x[:10], groups=groups, permutations=10, seed=1
        ),
        "32 feature maps, 50 steps": partial(
            explain.maximise_activation, model, layer="last", channel=range(32), seed=1
        ),
        "projected attack, 10 steps": partial(
            explain.projected_gradient, model, x, np.zeros(len(x), int), strength=0.1, seed=1
        ),
    }


def rows() -> list[dict[str, Any]]:
    model, x = network(), np.random.default_rng(1).random((100, 28, 28, 1), dtype=np.float32)
    table = []
    for name, call in calls(model, x).items():
        call()
        wall, processor = best(call, 3)
        goal = None if name.startswith("Shapley") else GOAL
        table.append(figure(f"explain, {name}", wall, "s", goal=goal, note=f"100 images, {processor:.2f} s CPU"))
    return table
