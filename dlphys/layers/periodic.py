"""Padding for a torus: what leaves the picture on one side comes back on the other."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from dlphys._validation import shown
from dlphys.layers._arguments import pair


@keras.saving.register_keras_serializable(package="dlphys")
class PeriodicPadding2D(keras.layers.Layer):
    """Continue an image periodically before a convolution without padding.

    With ``PeriodicPadding2D(1)`` in front, a 3 x 3 convolution with ``padding="valid"`` keeps the size of the lattice
    and commutes with every cyclic shift, which zero padding does not do at the border.

    Parameters
    ----------
    padding : int, pair of int, or ((top, bottom), (left, right))
        Rows and columns to add, in pixels, at least 0.

    Raises
    ------
    TypeError, ValueError
        If ``padding`` is none of these; at the call, if the input has not four axes or fewer rows or columns than are
        to be repeated.

    Examples
    --------
    >>> import numpy as np
    >>> row = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    >>> np.asarray(PeriodicPadding2D((0, 1))(row)).ravel()
    array([3., 1., 2., 3., 1.], dtype=float32)
    """

    def __init__(self, padding: Any = 1, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.padding = _sides(padding)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        for axis, (before, after) in zip((1, 2), self.padding, strict=True):
            length = inputs.shape[axis]
            if length is not None and length < max(before, after):
                raise ValueError(
                    f"padding must be at most the {length} pixels of axis {axis}, which it repeats, got {self.padding}"
                )
            inputs = _continued(inputs, axis, before, after)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        (top, bottom), (left, right) = self.padding
        return (
            batch,
            None if height is None else height + top + bottom,
            None if width is None else width + left + right,
            channels,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


def _sides(padding: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding as ((top, bottom), (left, right))."""
    if not isinstance(padding, list | tuple):
        both = pair(minimum=0, padding=padding)
        return both, both
    if len(padding) != 2:
        raise ValueError(f"padding must be a whole number, two of them, or two pairs, got {shown(padding)}")
    return pair(minimum=0, padding=padding[0]), pair(minimum=0, padding=padding[1])


def _continued(x: Any, axis: int, before: int, after: int) -> Any:
    """The last ``before`` entries of an axis in front of it, the first ``after`` entries behind it."""
    rows = axis == 1
    pieces = [x]
    if before:
        pieces.insert(0, x[:, -before:] if rows else x[:, :, -before:])
    if after:
        pieces.append(x[:, :after] if rows else x[:, :, :after])
    return ops.concatenate(pieces, axis=axis) if len(pieces) > 1 else x
