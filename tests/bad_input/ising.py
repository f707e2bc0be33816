"""Wrong arguments to every public function of dlphys.simulators.ising."""

import numpy as np

from dlphys.simulators import ising

UP = np.ones((3, 4, 4), np.int8)
RANGE = r"temperature must lie in \[0.1, 1000\] J/k, got"
SPINS = r"spins must be -1 or 1"

CASES = [
    (ising.simulate, (0,), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (ising.simulate, (10.0,), {"seed": 1}, TypeError, r"n must be a whole number, got 10.0"),
    (ising.simulate, (10,), {"size": 33, "seed": 1}, ValueError, r"size must be even .* got 33; 'swendsen-wang'"),
    (ising.simulate, (10,), {"size": 1, "seed": 1}, ValueError, r"size must be between 2 and 1024, got 1"),
    (ising.simulate, (10,), {"size": 1026, "seed": 1}, ValueError, r"size must be between 2 and 1024, got 1026"),
    (ising.simulate, (10,), {"temperature": -1.0, "seed": 1}, ValueError, RANGE + " -1"),
    (ising.simulate, (10,), {"temperature": [], "seed": 1}, ValueError, r"temperature must not be empty"),
    (ising.simulate, (10,), {"temperature": np.nan, "seed": 1}, ValueError, r"temperature must be finite"),
    (ising.simulate, (10,), {"temperature": "hot", "seed": 1}, TypeError, r"temperature must be an array of numbers"),
    (ising.simulate, (10,), {"temperature": [[2.0]], "seed": 1}, ValueError, r"temperature must have 0 or 1 axes"),
    (ising.simulate, (10,), {"sweeps": 0, "seed": 1}, ValueError, r"sweeps must be at least 1, got 0"),
    (ising.simulate, (10,), {"algorithm": "heat", "seed": 1}, ValueError, r"algorithm must be one of 'metropolis', 's"),
    (ising.simulate, (10,), {"seed": None}, TypeError, r"seed must be a whole number or a numpy.random.Generator"),
    (ising.simulate, (10,), {"seed": -1}, ValueError, r"seed must be at least 0, got -1"),
    (ising.energy, (np.zeros((4, 4)),), {}, ValueError, SPINS),
    (ising.energy, (np.ones((4, 5)),), {}, ValueError, r"spins must have shape \(..., L, L\), got \(4, 5\)"),
    (ising.energy, (2 * UP,), {}, ValueError, r"spins must lie in \[-1, 1\]"),
    (ising.energy, ("up",), {}, TypeError, r"spins must be an array of numbers, got 'up'"),
    (ising.magnetization, (np.ones(4),), {}, ValueError, r"spins must have shape \(..., L, L\), got \(4,\)"),
    (ising.magnetization, (0.5 * UP,), {}, ValueError, SPINS),
    (ising.magnetization_cut, (UP[0],), {}, ValueError, r"spins must have 3 axes, got shape \(4, 4\)"),
    (ising.magnetization_cut, (0 * UP,), {}, ValueError, SPINS),
    (ising.onsager_magnetization, (0.0,), {}, ValueError, RANGE),
    (ising.onsager_energy, ([1.0, 2000.0],), {}, ValueError, RANGE + r".*2000"),
    (ising.kaufman_energy, (0.01, 32), {}, ValueError, RANGE),
    (ising.kaufman_energy, (2.0, 1), {}, ValueError, r"size must be between 2 and 1024, got 1"),
    (ising.kaufman_specific_heat, (2.0, 32.0), {}, TypeError, r"size must be a whole number, got 32.0"),
    (ising.kaufman_specific_heat, (-2.0, 32), {}, ValueError, RANGE),
    (ising.log_density_of_states, (65,), {}, ValueError, r"size must be between 2 and 64, got 65"),
    (ising.log_density_of_states, ("large",), {}, TypeError, r"size must be a whole number"),
    (ising.bayes_accuracy, (0.0,), {}, ValueError, RANGE),
    (ising.bayes_accuracy, (2.0,), {"size": 1}, ValueError, r"size must be between 2 and 64, got 1"),
    (ising.metropolis_sweeps_plain, (UP[:, :3, :3], 2.0, 1), {"seed": 1}, ValueError, r"even size, got 3"),
    (ising.metropolis_sweeps_plain, (UP, [1.0, 2.0], 1), {"seed": 1}, ValueError, r"temperature must have 0 axes"),
    (ising.metropolis_sweeps_plain, (UP, 2.0, -1), {"seed": 1}, ValueError, r"sweeps must be at least 1, got -1"),
    (ising.metropolis_sweeps_plain, (UP, 2.0, 1), {"seed": "x"}, TypeError, r"seed must be a whole number"),
    (ising.replica_overlap, (UP[:1],), {}, ValueError, r"spins must hold 2 to 8192 lattices, got 1"),
    (ising.replica_overlap, (0 * UP,), {}, ValueError, SPINS),
]
