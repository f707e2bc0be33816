"""What decides a sky of cosmic rays: constants, presets, and the check of what a caller gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dlphys._validation import check_array, check_choice, check_count, check_number

CHARGES = np.array([1, 2, 7], np.int8)  # hydrogen, helium, nitrogen
CHARGES.setflags(write=False)
MINIMUM_ENERGY = 40.0  # EeV
REFERENCE_RIGIDITY = 40.0  # EV, at which deflection and blur are given
LOG_UNIT = 20.5  # the book's fourth column is log10(E / eV) / 20.5

PRESETS: dict[str, dict[str, Any]] = {
    "book": {
        "sources": 1,
        "signal_share": 0.045,
        "deflection": 6.0,
        "blur": 1.0,
        "composition": (0.15, 0.45, 0.40),
        "spectral_index": 5.4,
        "maximum_energy": 155.0,
    },
    "physics": {
        "sources": 10,
        "signal_share": 0.12,
        "deflection": (3.0, 9.0),
        "blur": 1.5,
        "composition": (0.15, 0.45, 0.40),
        "spectral_index": 5.4,
        "maximum_energy": 1000.0,
    },
}


@dataclass(frozen=True)
class Setting:
    """Checked settings; angles in radians."""

    sources: int
    signal_share: float
    deflection: tuple[float, float]
    blur: float
    shares: np.ndarray
    spectral_index: float
    maximum_energy: float


def checked(preset: str, **given: Any) -> Setting:
    """The preset's settings, replaced by those that were given."""
    values = dict(PRESETS[check_choice(choices=tuple(PRESETS), preset=preset)])
    values.update({name: value for name, value in given.items() if value is not None})
    sources = check_count(maximum=100, sources=values["sources"])
    share = check_number(minimum=0.0, maximum=0.999, signal_share=values["signal_share"])
    deflection = check_array(ndim=(0, 1), minimum=0.0, unit="deg", deflection=values["deflection"])
    if deflection.ndim and (len(deflection) != 2 or deflection[0] > deflection[1]):
        raise ValueError(
            f"deflection must be a number or (low, high) in rising order in deg, got {values['deflection']!r}"
        )
    low, high = np.radians(np.broadcast_to(deflection, 2))
    blur = check_number(minimum=0.01, maximum=30.0, unit="deg", blur=values["blur"])
    shares = check_array(shape=(len(CHARGES),), minimum=0.0, composition=values["composition"])
    if abs(shares.sum() - 1.0) > 1e-6:
        raise ValueError(f"composition must add up to 1, got {shares.sum():g}")
    index = check_number(minimum=1.0, maximum=20.0, exclusive=True, spectral_index=values["spectral_index"])
    largest = check_number(minimum=MINIMUM_ENERGY, exclusive=True, unit="EeV", maximum_energy=values["maximum_energy"])
    return Setting(sources, share, (float(low), float(high)), float(np.radians(blur)), shares, index, largest)
