"""What every drawing function does: a fresh figure, labels with units, a list of names and arrays that fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from dlphys._validation import check_array, shown


def canvas(rows: int = 1, columns: int = 1, *, width: float = 6.4, height: float = 4.0, **options: Any) -> Any:
    """A figure outside pyplot's list (an error while drawing leaves nothing open) and its axes as a 2-D array."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def labelled(quantity: str, unit: str = "") -> str:
    """An axis label: the quantity, its unit in brackets."""
    return f"{quantity} ({unit})" if unit else quantity


class _PlainNumbers(LogFormatter):
    """0.2 where matplotlib writes a power of ten times two; which ticks get a number is left to matplotlib."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def logarithmic(ax: Any, axis: str) -> None:
    """A logarithmic axis with plain numbers."""
    ax.set(**{f"{axis}scale": "log"})
    ticks = getattr(ax, f"{axis}axis")
    ticks.set_major_formatter(_PlainNumbers())
    decades = 1.5 if axis == "x" else 2  # beyond, only powers of ten get a number: on x they stand side by side
    ticks.set_minor_formatter(_PlainNumbers(minor_thresholds=(decades, 0.4)))


def check_mapping(**argument: Any) -> Mapping[Any, Any]:
    """A dictionary with at least one entry."""
    ((name, value),) = argument.items()
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dictionary from names to values, got {shown(value)}")
    if not value:
        raise ValueError(f"{name} must have at least one entry, got an empty dictionary")
    return value


def check_same_length(**arguments: np.ndarray) -> None:
    """All arrays have the same number of entries along the first axis."""
    lengths = {name: len(array) for name, array in arguments.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"{', '.join(lengths)} must have the same length, got {' and '.join(map(str, lengths.values()))}"
        )


def vector(*, minimum: float = -np.inf, maximum: float = np.inf, unit: str = "", **argument: Any) -> np.ndarray:
    """An array of numbers with one axis; a column of shape (n, 1), as networks return it, is flattened."""
    (name,) = argument
    array = check_array(ndim=(1, 2), minimum=minimum, maximum=maximum, unit=unit, **argument)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{name} must have one axis, got shape {array.shape}")
    return array


def whole(values: np.ndarray, *, most: int = 30) -> bool:
    """Whether the values are whole numbers in a range small enough for one bin each."""
    return bool((values == np.round(values)).all() and np.ptp(values) < most)


def bin_edges(values: np.ndarray, *, bins: int = 40) -> np.ndarray:
    """Edges of a histogram: centred on whole numbers where the values are whole."""
    low, high = float(values.min()), float(values.max())
    if whole(values):
        return np.arange(low - 0.5, high + 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)
