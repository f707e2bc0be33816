"""Wrong arguments to every public function of dlphys.simulators.lattice_field and to the loader of its set."""

import numpy as np

from dlphys.datasets._lattice_field import load_lattice_field
from dlphys.simulators import lattice_field
from dlphys.simulators.lattice_field import (
    action,
    autocorrelation_time,
    force,
    free_log_partition,
    free_propagator,
    hmc_history,
    hmc_plain,
    leapfrog,
    log_density,
)

FIELD = np.zeros((4, 4))

CASES = [
    (lattice_field.simulate, (0,), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (lattice_field.simulate, (2,), {"seed": None}, TypeError, r"seed must be a whole number"),
    (lattice_field.simulate, (2,), {"seed": 1, "size": 1}, ValueError, r"size must be between 2 and 128, got 1"),
    (lattice_field.simulate, (2,), {"seed": 1, "coupling": -1.0}, ValueError, r"coupling must be .* got -1.0"),
    (
        lattice_field.simulate,
        (2,),
        {"seed": 1, "coupling": 0.0},
        ValueError,
        r"mass_squared must be above 0 for a free",
    ),
    (lattice_field.simulate, (2,), {"seed": 1, "trajectories": 0}, ValueError, r"trajectories must be at least 1"),
    (lattice_field.simulate, (2,), {"seed": 1, "step": 0.0}, ValueError, r"step must be .* \[0.001, 1\], got 0.0"),
    (lattice_field.simulate, (2,), {"seed": 1, "steps": 1.5}, TypeError, r"steps must be a whole number, got 1.5"),
    (action, (np.zeros((3, 4)),), {}, ValueError, r"field must have shape \(..., L, L\).* got \(3, 4\)"),
    (action, (FIELD,), {"mass_squared": -30.0}, ValueError, r"mass_squared must be .* \[-20, 100\], got -30.0"),
    (log_density, ("field",), {}, TypeError, r"field must be an array of numbers"),
    (force, (FIELD * np.nan,), {}, ValueError, r"field must be finite, got 16 entries"),
    (free_propagator, (4,), {"mass_squared": 0.0}, ValueError, r"mass_squared must be .* got 0.0"),
    (free_log_partition, (1,), {"mass_squared": 1.0}, ValueError, r"size must be between 2 and 1024, got 1"),
    (leapfrog, (FIELD, np.zeros(3)), {}, ValueError, r"momentum must have shape \(4, 4\), got \(3,\)"),
    (leapfrog, (FIELD, FIELD), {"steps": 0}, ValueError, r"steps must be at least 1, got 0"),
    (hmc_history, (0,), {"seed": 1}, ValueError, r"trajectories must be at least 1, got 0"),
    (hmc_history, (5,), {"seed": 1, "start": np.zeros((3, 3))}, ValueError, r"start must have shape \(8, 8\)"),
    (hmc_plain, (FIELD,), {"seed": 1}, ValueError, r"field must have 3 axes, got shape \(4, 4\)"),
    (
        autocorrelation_time,
        ([1.0] * 20,),
        {},
        ValueError,
        r"series must have at least 10 values that are not all equal",
    ),
    (autocorrelation_time, (FIELD,), {}, ValueError, r"series must have 1 axes"),
    (load_lattice_field, (2,), {"seed": 1}, ValueError, r"n must be at least 3, got 2"),
    (load_lattice_field, (9,), {"seed": 1, "size": 0}, ValueError, r"size must be between 2 and 128, got 0"),
    (load_lattice_field, (9,), {"seed": 1, "coupling": -2.0}, ValueError, r"coupling must be .* got -2.0"),
]
