"""Series in time: waves, magnets before a quench, cracks, vibrations of an absorber, light pulses.

Each system is a function of its own. Used in chapters 9 (exercise 9.1, examples 9.1 and 9.2), 11 (example 11.1) and
16 (wrong labels), and wherever a recurrent network needs something to remember.

Beside the data stands what a network is to be compared with: `quench_evidence`, `expected_life` and `evidence` are
limits, `continuation` is an oracle where there is noise, `extrapolated_life`, `loudness` and `tail_fraction` are
baselines.
"""

from __future__ import annotations

from dlphys.simulators._series_absorber import Absorbers, absorbers, loudness
from dlphys.simulators._series_crack import Cracks, cracks, expected_life, extrapolated_life, paris_length
from dlphys.simulators._series_pulses import (
    GAMMA,
    NEUTRON,
    Pulses,
    contaminated_threshold,
    evidence,
    figure_of_merit,
    pulse_shape,
    pulses,
    tail_fraction,
)
from dlphys.simulators._series_quench import Quenches, quench_evidence, quenches, spike_rate
from dlphys.simulators._series_waves import (
    BOOK_STEP,
    STEP,
    Oscillations,
    Sines,
    continuation,
    impulse_response,
    oscillations,
    sines,
    transfer_function,
)

__all__ = [
    "BOOK_STEP",
    "GAMMA",
    "NEUTRON",
    "STEP",
    "Absorbers",
    "Cracks",
    "Oscillations",
    "Pulses",
    "Quenches",
    "Sines",
    "absorbers",
    "contaminated_threshold",
    "continuation",
    "cracks",
    "evidence",
    "expected_life",
    "extrapolated_life",
    "figure_of_merit",
    "impulse_response",
    "loudness",
    "oscillations",
    "paris_length",
    "pulse_shape",
    "pulses",
    "quench_evidence",
    "quenches",
    "sines",
    "spike_rate",
    "tail_fraction",
    "transfer_function",
]
