"""Numbers of a layer that may be changed after a model has been compiled, and are no weights of it."""

from __future__ import annotations

import keras


class Setting:
    """A number that compiled training and prediction see changing.

    A Python attribute would be frozen when a model's function is compiled, and a weight of the layer would be counted
    among its parameters. Here a Keras variable stands outside what the layer tracks; the layer's config saves it.
    """

    def __init__(self, value: float) -> None:
        self._number = float(value)
        self.variable = keras.Variable(self._number, trainable=False, dtype="float32")

    def get(self) -> float:
        return self._number

    def set(self, value: float) -> None:
        self._number = float(value)
        self.variable.assign(self._number)
