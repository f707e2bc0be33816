"""Presets and detectors of the air-shower simulation, and the check of its arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dlphys._validation import check_array, check_choice, check_number, check_positive, shown
from dlphys.simulators import _airshower_stations as stations
from dlphys.simulators._airshower_kernels import BIN_WIDTH
from dlphys.simulators._airshower_model import ARRAYS, station_positions
from dlphys.simulators._airshower_profile import MODELS, gumbel_coefficients

__all__ = ["DETECTORS", "PRESETS", "Detector", "Preset", "Run", "checked", "response_of"]


class Detector(NamedTuple):
    """What may differ between an experiment and its simulation.

    ``gain`` multiplies every signal, ``decay`` (ns) is the time constant of a particle's pulse, and ``muon_scale``
    multiplies the number of muons in the shower.
    """

    gain: float
    decay: float
    muon_scale: float


# As in M. Erdmann et al., Comput. Softw. Big Sci. 2 (2018) 4, the simulation has too many muons, so that its traces
# rise too fast. (Real simulations have too few.) A network trained on it finds energies that are too low in the data.
DETECTORS = {"data": Detector(1.0, 60.0, 1.0), "simulation": Detector(1.2, 50.0, 1.3)}


class Preset(NamedTuple):
    array: str
    book: bool
    log_energy: tuple[float, float]
    masses: tuple[float, ...]
    threshold: float
    saturation: float
    accidentals: float  # Hz


PRESETS = {
    "book": Preset("hexagonal", True, (18.5, 20.0), (1.0,), 115.2, math.inf, 0.0),
    "physics": Preset("hexagonal", False, (18.5, 20.0), (1.0, 4.0, 14.0, 56.0), 3.0, 300.0, 20.0),
    "footprint": Preset("footprint", False, (18.0, 20.0), (1.0,), 3.0, 60.0, 0.0),
}
_CARTESIAN_BOOK_ENERGY = (18.0 + math.log10(3.0), 20.0)


class Run(NamedTuple):
    """Checked arguments of a simulation."""

    positions: np.ndarray
    response: stations.Response
    energies: tuple[float, float, float]
    cos2_min: float
    core_radius: float
    masses: np.ndarray
    gumbel: np.ndarray


def response_of(
    preset: str,
    detector: str,
    gain: float | None,
    decay: float | None,
    muon_scale: float | None,
    saturation: float | None,
    dead: float,
    accidentals: float | None,
) -> stations.Response:
    """The checked response of a station; what is None comes from the detector or the preset."""
    chosen = PRESETS[preset]
    check_choice(choices=tuple(DETECTORS), detector=detector)
    usual = DETECTORS[detector]
    gain = usual.gain if gain is None else gain
    muon_scale = usual.muon_scale if muon_scale is None else muon_scale
    if decay is None:
        decay = 0.0 if chosen.book else usual.decay
    limit = chosen.saturation
    if saturation is not None:
        limit = check_number(minimum=1.0, unit="VEM", saturation=saturation)
    rate = chosen.accidentals if accidentals is None else accidentals
    rate = check_number(minimum=0.0, maximum=1e4, unit="Hz", accidentals=rate)
    decay = check_number(minimum=0.0, maximum=1000.0, unit="ns", decay=decay)
    return stations.Response(
        book=chosen.book,
        muon_scale=check_number(minimum=0.0, maximum=100.0, muon_scale=muon_scale),
        gain=check_number(minimum=0.01, maximum=100.0, gain=gain),
        memory=math.exp(-BIN_WIDTH / decay) if decay else 0.0,
        saturation=limit,
        threshold=chosen.threshold,
        dead=check_number(minimum=0.0, maximum=1.0, dead=dead),
        accidental=-math.expm1(-2e-9 * stations.ACCIDENTAL_WINDOW * rate),
    )


def checked(
    preset: str,
    array: str | None,
    log_energy: Sequence[float] | None,
    spectral_index: float,
    mass: float | Sequence[float] | None,
    model: str,
    zenith_max: float,
    core_radius: float | None,
    detector: str,
    gain: float | None,
    decay: float | None,
    muon_scale: float | None,
    saturation: float | None,
    dead: float,
    accidentals: float | None,
) -> Run:
    """The arguments of a simulation, checked, with those of the preset where they are None."""
    check_choice(choices=tuple(PRESETS), preset=preset)
    chosen = PRESETS[preset]
    array = chosen.array if array is None else array
    check_choice(choices=tuple(ARRAYS), array=array)
    if log_energy is None:
        log_energy = _CARTESIAN_BOOK_ENERGY if chosen.book and array == "cartesian" else chosen.log_energy
    bounds = check_array(shape=(2,), minimum=17.0, maximum=21.0, unit="lg(E / eV)", log_energy=log_energy)
    if not bounds[0] < bounds[1]:
        raise ValueError(f"log_energy must be the smallest and the largest value, got {shown(bounds.tolist())}")
    low, high = 10.0 ** (bounds - 18.0)
    spectral_index = check_number(minimum=-10.0, maximum=10.0, spectral_index=spectral_index)
    masses = check_array(
        ndim=(0, 1), minimum=1.0, maximum=56.0, unit="nucleons", mass=chosen.masses if mass is None else mass
    )
    masses = np.atleast_1d(masses)
    check_choice(choices=MODELS, model=model)
    zenith_max = check_number(minimum=0.0, maximum=65.0, unit="degrees", zenith_max=zenith_max)
    check_positive(unit="degrees", zenith_max=zenith_max)
    if core_radius is None:
        core_radius = ARRAYS[array].spacing / 2
    core_radius = check_number(minimum=0.0, maximum=20_000.0, unit="m", core_radius=core_radius)
    return Run(
        positions=station_positions(array),
        response=response_of(preset, detector, gain, decay, muon_scale, saturation, dead, accidentals),
        energies=(float(low), float(high), spectral_index),
        cos2_min=math.cos(math.radians(zenith_max)) ** 2,
        core_radius=core_radius,
        masses=masses,
        gumbel=np.stack([gumbel_coefficients(float(one), model) for one in masses]),
    )
