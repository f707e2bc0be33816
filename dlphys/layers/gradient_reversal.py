"""A layer that turns the sign of the gradient, for two networks with opposite aims."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from dlphys._validation import check_number
from dlphys.layers._settings import Setting


@keras.saving.register_keras_serializable(package="dlphys")
class GradientReversal(keras.layers.Layer):
    """Passes on its inputs unchanged, and the gradient multiplied by -strength.

    Between a classifier and an adversary that reads a nuisance feature from its output, it lets one loss and one
    optimizer do both: the adversary learns to read the feature, the classifier to hide it.

    Parameters
    ----------
    strength : float, default 1, at least 0
        How much the network before it heeds the one behind it; 0 stops the gradient. ``layer.strength = 0.5`` changes
        it at any time, also between epochs.

    Inputs
    ------
    tensor, any shape

    Raises
    ------
    ValueError, TypeError
        If ``strength`` is negative or not finite.

    Notes
    -----
    Y. Ganin and V. Lempitsky, arXiv:1409.7495. The adversary itself learns with its full gradient; only what lies
    before the layer sees the strength.

    Examples
    --------
    >>> import numpy as np
    >>> from dlphys.autodiff import gradient
    >>> layer = GradientReversal(0.5)
    >>> np.asarray(layer(np.array([3.0]))), np.asarray(gradient(lambda x: layer(x) ** 2, np.array([3.0])))
    (array([3.], dtype=float32), array([-3.]))
    """

    def __init__(self, strength: float = 1.0, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._strength = Setting(check_number(minimum=0.0, strength=strength))

    @property
    def strength(self) -> float:
        """Factor of the reversed gradient."""
        return self._strength.get()

    @strength.setter
    def strength(self, strength: float) -> None:
        self._strength.set(check_number(minimum=0.0, strength=strength))

    def call(self, inputs: Any) -> Any:
        held = ops.stop_gradient(inputs)
        # the difference is exactly zero, its gradient is not
        return held + ops.cast(self._strength.variable, inputs.dtype) * (held - inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strength": self.strength}
