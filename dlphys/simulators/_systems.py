"""The systems that can be simulated by name: what ``dlphys simulate`` offers."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from dlphys._validation import shown
from dlphys.simulators._sample import Sample

Simulate = Callable[..., Sample]


def systems() -> dict[str, Simulate]:
    """Every public function that makes events, by name: ``ising`` for ``ising.simulate``, else ``module.function``.

    Such a function has the number of events ``n`` as its first argument and a keyword ``seed``, and returns a `Sample`.
    """
    from dlphys import simulators

    found: dict[str, Simulate] = {}
    for name in simulators.__all__:
        module = importlib.import_module(f"dlphys.simulators.{name}")
        for entry in module.__all__:
            function = getattr(module, entry)
            if inspect.isfunction(function) and _makes_events(function):
                found[name if entry == "simulate" else f"{name}.{entry}"] = function
    return found


def system(name: str) -> Simulate:
    """The function of one system; only its module is imported.

    Raises
    ------
    ValueError
        If there is no such system.
    """
    from dlphys import simulators

    module, _, entry = name.partition(".")
    if module in simulators.__all__:
        function = getattr(importlib.import_module(f"dlphys.simulators.{module}"), entry or "simulate", None)
        if inspect.isfunction(function) and _makes_events(function):
            return function
    raise ValueError(f"system must be one of {', '.join(systems())}, got {shown(name)}")


def check_parameters(function: Simulate, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that a system does not have; their values are checked by the system itself."""
    allowed = [name for name in inspect.signature(function).parameters if name not in ("n", "seed")]
    for name in parameters:
        if name not in allowed:
            raise ValueError(f"parameters must be among {', '.join(allowed)}, got {name!r}")


def _makes_events(function: Callable[..., Any]) -> bool:
    names = list(inspect.signature(function).parameters)
    if not names or names[0] != "n" or "seed" not in names:
        return False
    made = typing.get_type_hints(function).get("return")
    return inspect.isclass(made) and issubclass(made, Sample)
