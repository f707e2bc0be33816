"""Compilation with Numba, cached on disk where the disk can be written."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[F], F]:
    """Decorator: ``numba.njit`` with a disk cache, or without one on a read-only system.

    Numba raises while decorating if it finds no folder for its cache. It recompiles a function if the function's own
    file has changed, and would miss a change in another file whose functions it calls; so all files of this
    package's compiled code count.
    """

    def decorate(function: F) -> F:
        try:
            dispatcher = numba.njit(cache=True, **options)(function)
        except RuntimeError:
            return numba.njit(**options)(function)
        file = getattr(dispatcher._cache, "_cache_file", None)  # of Numba's own, which has no public way to say it
        if file is not None:
            file._source_stamp = (file._source_stamp, _sources(Path(function.__code__.co_filename).parent))
        return dispatcher

    return decorate


@functools.cache
def _sources(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time of the last change and size of every Python file of a folder."""
    stats = ((path.name, path.stat()) for path in sorted(folder.glob("*.py")))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
