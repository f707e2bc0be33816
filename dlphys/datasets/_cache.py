"""Files kept between sessions: written whole or not at all, and never needed for correct results."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import dlphys

_said: set[str] = set()


def say_once(sentence: str) -> None:
    """Print a sentence the first time it is said in this process."""
    if sentence not in _said:
        _said.add(sentence)
        print(sentence)


def directory() -> Path:
    """``DLPHYS_CACHE_DIR``, or the usual place of the operating system."""
    chosen = os.environ.get("DLPHYS_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    import pooch  # 0.1 s

    return Path(pooch.os_cache("dlphys"))


def _cannot_write() -> None:
    say_once("dlphys: the cache cannot be written, so nothing is kept between sessions (DLPHYS_CACHE_DIR moves it)")


@contextmanager
def folder_to_write(name: str) -> Iterator[tuple[Path, bool]]:
    """A folder for new files and whether it lasts: one in the cache, else one that is removed again."""
    folder = directory() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        _cannot_write()
        with tempfile.TemporaryDirectory(prefix="dlphys-") as temporary:
            yield Path(temporary), False
    else:
        yield folder, True


def save(path: Path, arrays: dict[str, np.ndarray]) -> bool:
    """Write arrays to ``path`` as npz; other processes see the old file or the whole new one.

    Returns False where the folder cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take keywords for allow_pickle
        os.replace(temporary, path)
    except OSError:
        _cannot_write()
        return False
    else:
        temporary = None
        return True
    finally:
        if temporary is not None:  # interrupted or refused: leave nothing behind
            Path(temporary).unlink(missing_ok=True)


def load(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray] | None:
    """Arrays saved at ``path``; None if there is no such file or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in keys}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None


def recall(
    folder: str,
    name: str,
    parameters: dict[str, Any],
    module: ModuleType,
    keys: tuple[str, ...],
    make: Callable[[], dict[str, np.ndarray]],
) -> tuple[dict[str, np.ndarray], bool]:
    """The arrays of ``make()``, computed once for the same parameters and the same code of ``module``.

    Returns the arrays and whether they were read from the cache.
    """
    key = hashlib.sha256(json.dumps([parameters, code_hash(module)], sort_keys=True).encode()).hexdigest()[:16]
    path = directory() / folder / f"{name}-{key}.npz"
    arrays = load(path, keys)
    if arrays is not None:
        return arrays, True
    arrays = make()
    save(path, arrays)
    return arrays, False


def code_hash(module: ModuleType) -> str:
    """Hash of a module's source and of every module of this package that it uses.

    It stands for the version of a simulator: nobody can forget to raise it.
    """
    sources: dict[str, str] = {}
    waiting = [module]
    while waiting:
        current = waiting.pop()
        if current.__name__ in sources:
            continue
        try:
            sources[current.__name__] = inspect.getsource(current)
        except OSError:  # installed without sources
            sources[current.__name__] = dlphys.__version__
        for thing in vars(current).values():
            home = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
            if isinstance(home, str) and home.startswith("dlphys.") and home in sys.modules:
                waiting.append(sys.modules[home])
    return hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()
