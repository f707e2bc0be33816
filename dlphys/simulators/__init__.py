"""Physics to arrays: one module a system, loaded when it is first asked for."""

import importlib
from types import ModuleType

__all__ = [
    "airshower",
    "calorimeter",
    "cosmic_rays",
    "earthquakes",
    "events",
    "galaxies",
    "gas",
    "ising",
    "jets",
    "lattice_field",
    "oscillators",
    "radio",
    "resonance",
    "series",
    "speckle",
    "spectra",
    "toys",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
