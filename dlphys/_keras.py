"""Keras, imported without the messages that TensorFlow's C++ prints at its start and that no setting turns off.

A failing import is a Python exception and is seen as always.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

__all__ = ["keras"]


def _quietly(name: str) -> Any:
    """Import a module while nothing reaches the process's standard error."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        return importlib.import_module(name)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


keras: Any = sys.modules.get("keras") or _quietly("keras")
