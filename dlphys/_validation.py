"""Errors that say which argument was wrong, what was given, and what would have been right.

Every function here returns the checked value, so that a public function can begin with
``n = check_count(n=n)``. All raise ``TypeError`` for the wrong kind of object and ``ValueError``
for the wrong value.
"""

from __future__ import annotations

import numbers
from collections.abc import Collection
from typing import Any

import numpy as np


def _only(arguments: dict[str, Any]) -> tuple[str, Any]:
    ((name, value),) = arguments.items()
    return name, value


def shown(value: Any) -> str:
    """A short description of any value for an error message: never a page of numbers."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape} and type {value.dtype}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_count(*, minimum: int = 1, maximum: int | None = None, **argument: Any) -> int:
    """A whole number in [minimum, maximum]; booleans and floats are refused."""
    name, value = _only(argument)
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {shown(value)} ({type(value).__name__})")
    count = int(value)
    if count < minimum or (maximum is not None and count > maximum):
        limit = f"at least {minimum}" if maximum is None else f"between {minimum} and {maximum}"
        raise ValueError(f"{name} must be {limit}, got {count}")
    return count


def check_number(
    *,
    minimum: float = -np.inf,
    maximum: float = np.inf,
    exclusive: bool = False,
    unit: str = "",
    **argument: Any,
) -> float:
    """A finite real number in [minimum, maximum], or inside the open interval if ``exclusive``."""
    name, value = _only(argument)
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {shown(value)} ({type(value).__name__})")
    number = float(value)
    inside = minimum < number < maximum if exclusive else minimum <= number <= maximum
    if not (np.isfinite(number) and inside):
        brackets = "()" if exclusive else "[]"
        allowed = f"{brackets[0]}{minimum:g}, {maximum:g}{brackets[1]}"
        raise ValueError(f"{name} must be a finite number in {allowed}{unit and ' ' + unit}, got {value!r}")
    return number


def check_positive(*, unit: str = "", **arguments: Any) -> None:
    """Every argument is a finite number above zero."""
    for name, value in arguments.items():
        check_number(minimum=0, exclusive=True, unit=unit, **{name: value})


def check_array(
    *,
    ndim: int | Collection[int] | None = None,
    shape: tuple[int | None, ...] | None = None,
    minimum: float = -np.inf,
    maximum: float = np.inf,
    allow_empty: bool = False,
    allow_nan: bool = False,
    dtype: Any = np.float64,
    unit: str = "",
    **argument: Any,
) -> np.ndarray:
    """An array of numbers as ``dtype``, with every entry finite and in [minimum, maximum].

    ``shape`` has None where any length is allowed. ``dtype=None`` keeps the type of the array.
    """
    name, value = _only(argument)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name} must be an array of numbers, got {shown(value)} ({error})") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of numbers, got {shown(value)} ({type(value).__name__})")
    allowed = {ndim} if isinstance(ndim, int) else ndim
    if allowed is not None and array.ndim not in allowed:
        axes = " or ".join(str(n) for n in sorted(allowed))
        raise ValueError(f"{name} must have {axes} axes, got shape {array.shape}")
    if shape is not None and (
        len(shape) != array.ndim or any(n is not None and n != m for n, m in zip(shape, array.shape, strict=True))
    ):
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if not allow_empty and array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if array.dtype.kind == "f":
        finite = np.isfinite(array) | (np.isnan(array) if allow_nan else False)
        if not finite.all():
            raise ValueError(f"{name} must be finite, got {np.count_nonzero(~finite)} entries that are NaN or infinite")
    if array.size and ((array < minimum).any() or (array > maximum).any()):
        worst = array[(array < minimum) | (array > maximum)].flat[0]
        raise ValueError(f"{name} must lie in [{minimum:g}, {maximum:g}]{unit and ' ' + unit}, got {worst:g}")
    return array if dtype is None else array.astype(dtype, copy=False)


def check_choice(*, choices: Collection[Any], **argument: Any) -> Any:
    """One of a few allowed values."""
    name, value = _only(argument)
    if not isinstance(value, str | int | float | type(None)):
        raise TypeError(f"{name} must be one of {', '.join(map(repr, choices))}, got {shown(value)}")
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value
