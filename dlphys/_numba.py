"""Compilation with Numba, cached on disk where the disk can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[F], F]:
    """Decorator: ``numba.njit`` with a disk cache, or without one on a read-only system.

    Numba raises while decorating if it finds no folder for its cache.
    """

    def decorate(function: F) -> F:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:
            return numba.njit(**options)(function)

    return decorate
