"""What every ``simulate`` returns: a frozen dataclass of arrays whose first axis is the event."""

from __future__ import annotations

from dataclasses import fields
from typing import ClassVar

import numpy as np


class Sample:
    """Base of the simulators' results; a subclass is a frozen dataclass of arrays with ``repr=False``.

    Every field is an array whose first axis is the event. ``units`` gives the unit of each field, in the order of the
    fields; it stands in the repr and in the manifest of ``dlphys simulate``.
    """

    units: ClassVar[dict[str, str]] = {}

    def __len__(self) -> int:
        return len(next(iter(self.arrays().values())))

    def arrays(self) -> dict[str, np.ndarray]:
        """The fields by name, not copied."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def __repr__(self) -> str:
        arrays = self.arrays()
        size = sum(array.nbytes for array in arrays.values())
        lines = [f"{type(self).__name__}: {len(self)} events, {size / 2**20:.1f} MiB"]
        rows = [(name, str(a.shape), str(a.dtype), _range(a, self.units.get(name, ""))) for name, a in arrays.items()]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines += ["  " + "  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows]
        return "\n".join(lines)


def _range(array: np.ndarray, unit: str) -> str:
    """Smallest and largest entry with the unit, without those that are NaN; only the unit if it would take long."""
    if array.size > 50_000_000:
        return unit
    numbers = array[~np.isnan(array)] if array.dtype.kind == "f" else array
    if not numbers.size:
        return unit
    return f"{numbers.min():.4g} to {numbers.max():.4g} {unit}".rstrip()
