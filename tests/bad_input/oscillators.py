"""Wrong arguments to every public function of dlphys.simulators.oscillators and its loader."""

import numpy as np

from dlphys.datasets._oscillators import load_oscillators
from dlphys.simulators.oscillators import (
    damped,
    hamiltonian,
    integrate,
    kepler,
    pendulum,
    pendulum_period,
    simulate,
    spring,
    vector_field,
    verlet_plain,
)

SEED = {"seed": 1}
STATE = [[1.0, 0.5]]
STEP = {"step": 0.1, "points": 5}

CASES = [
    (spring, ([[0.0]], STATE), {}, ValueError, r"times must have 1 axes, got shape \(1, 1\)"),
    (spring, ([0.0], [1.0, 2.0]), {}, ValueError, r"states must have shape \(any, 2\), got \(2,\)"),
    (spring, ([0.0], STATE), {"mass": 0.0}, ValueError, r"mass must be .* kg, got 0"),
    (spring, ([0.0], STATE), {"stiffness": -1.0}, ValueError, r"stiffness must be .* N/m, got -1"),
    (damped, ([0.0], STATE), {"damping": -0.1}, ValueError, r"damping must be .* got -0.1"),
    (pendulum, ([0.0], STATE), {"torque": 0.0}, ValueError, r"torque must be .* N m, got 0"),
    (pendulum, ([0.0], [[0.0, 2.0]]), {}, ValueError, r"states must not lie on the separatrix"),
    (pendulum_period, (4.0,), {}, ValueError, r"amplitude must lie in \[0, 3.1415\] rad, got 4"),
    (kepler, ([0.0], STATE), {}, ValueError, r"states must have shape \(any, 4\), got \(1, 2\)"),
    (kepler, ([0.0], [[1.0, 0.0, 0.0, 2.0]]), {}, ValueError, r"states must be bound orbits"),
    (kepler, ([0.0], [[0.0, 0.0, 0.0, 1.0]]), {}, ValueError, r"states must not lie at the centre"),
    (kepler, ([0.0], [[1.0, 0.0, 0.3, 0.0]]), {}, ValueError, r"states must have an eccentricity below 0.999"),
    (kepler, ([0.0], [[1.0, 0.0, 0.0, 1.0]]), {"attraction": 0.0}, ValueError, r"attraction must be .* got 0"),
    (hamiltonian, (STATE,), {"system": "clock"}, ValueError, r"system must be one of 'spring', .* got 'clock'"),
    (hamiltonian, (STATE,), {"system": "kepler"}, ValueError, r"states of a kepler must have 4 numbers"),
    (
        hamiltonian,
        (STATE,),
        {"system": "spring", "length": 1.0},
        TypeError,
        r"spring has the constants mass, stiffness",
    ),
    (vector_field, (1.0,), {"system": "spring"}, ValueError, r"states of a spring must have 2 numbers"),
    (vector_field, (STATE,), {"system": "damped", "damping": -1.0}, ValueError, r"damping must be .* got -1"),
    (integrate, (STATE,), {"system": "damped", **STEP}, ValueError, r"system must be one of .* got 'damped'"),
    (integrate, (STATE,), {"system": "spring", "step": np.nan, "points": 5}, ValueError, r"step must be a finite"),
    (integrate, (STATE,), {"system": "spring", "step": 0.1, "points": 0}, ValueError, r"points must be at least 1"),
    (integrate, (STATE,), {"system": "spring", **STEP, "every": 0}, ValueError, r"every must be at least 1, got 0"),
    (
        integrate,
        (STATE,),
        {"system": "spring", **STEP, "method": "euler"},
        ValueError,
        r"method must be one of .*'euler'",
    ),
    (integrate, (STATE[0],), {"system": "spring", **STEP}, ValueError, r"states must have shape \(n, 2\), got \(2,\)"),
    (
        integrate,
        ([[1.0, 1.0, 0.0, 0.0]],),
        {"system": "double_pendulum", **STEP, "method": "verlet"},
        ValueError,
        r"method must be one of None, 'runge-kutta', got 'verlet'",
    ),
    (verlet_plain, (1.0, 0.0, 3.0), {"step": 0.1, "steps": 5}, TypeError, r"force must be a function of q, got 3.0"),
    (verlet_plain, (1.0, 0.0, np.sin), {"step": 0.1, "steps": -1}, ValueError, r"steps must be at least 0, got -1"),
    (simulate, (0,), SEED, ValueError, r"n must be at least 1, got 0"),
    (simulate, (5,), {"seed": "one"}, TypeError, r"seed must be a whole number"),
    (simulate, (5,), {**SEED, "system": "clock"}, ValueError, r"system must be one of .* got 'clock'"),
    (simulate, (5,), {**SEED, "preset": "moon"}, ValueError, r"preset must be one of 'book', 'physics', got 'moon'"),
    (simulate, (5,), {**SEED, "points": 1}, ValueError, r"points must be at least 2, got 1"),
    (simulate, (5,), {**SEED, "duration": 0.0}, ValueError, r"duration must be .* s, got 0"),
    (simulate, (5,), {**SEED, "noise": -0.1}, ValueError, r"noise must be .* got -0.1"),
    (load_oscillators, (4,), SEED, ValueError, r"n must be at least 5, got 4"),
    (load_oscillators, (5,), {**SEED, "system": "clock"}, ValueError, r"system must be one of .* got 'clock'"),
    (load_oscillators, (5,), {**SEED, "preset": "moon"}, ValueError, r"preset must be one of"),
    (load_oscillators, (5,), {**SEED, "target": "past"}, ValueError, r"target must be one of .* got 'past'"),
    (load_oscillators, (5,), {**SEED, "noise": -1.0}, ValueError, r"noise must be .* got -1"),
]
