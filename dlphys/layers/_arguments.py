"""Arguments that layers on grids share."""

from __future__ import annotations

from typing import Any

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
