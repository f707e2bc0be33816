"""Arguments that layers and losses share."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from dlphys._validation import check_count, shown


def pair(*, minimum: int = 1, **argument: Any) -> tuple[int, int]:
    """A whole number for both directions, or one each: 3 or (3, 5)."""
    ((name, value),) = argument.items()
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError(f"{name} must be one whole number or two, got {shown(value)}")
        return (check_count(minimum=minimum, **{name: value[0]}), check_count(minimum=minimum, **{name: value[1]}))
    number = check_count(minimum=minimum, **{name: value})
    return number, number


def floating(**argument: Any) -> Any:
    """A tensor of floating-point numbers in the precision given; whole numbers become single precision."""
    ((name, value),) = argument.items()
    if not (ops.is_tensor(value) or isinstance(value, keras.Variable)) and np.asarray(value).dtype.kind not in "biuf":
        raise TypeError(f"{name} must be a tensor or array of numbers, got {shown(value)}")
    tensor = ops.convert_to_tensor(value)
    return tensor if "float" in keras.backend.standardize_dtype(tensor.dtype) else ops.cast(tensor, "float32")
