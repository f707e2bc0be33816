"""Wrong arguments to every public function of dlphys.simulators.gas and its loader."""

from dlphys.datasets._gas import load_gas
from dlphys.simulators.gas import (
    cramer_rao,
    limit_rmse,
    maximum_likelihood,
    maxwell_boltzmann,
    posterior_mean,
    simulate,
    simulate_velocities,
)

SEED = {"seed": 1}
SPEEDS = [[1000.0, 1200.0]]

CASES = [
    (maxwell_boltzmann, (-1.0, 300.0), {}, ValueError, r"speeds must lie in \[0, inf\] m/s, got -1"),
    (maxwell_boltzmann, (1.0, 0.0), {}, ValueError, r"temperature must lie in .* K, got 0"),
    (maxwell_boltzmann, (1.0, 300.0), {"gas": "steam"}, ValueError, r"gas must be one of 'helium', .* got 'steam'"),
    (simulate, (0,), SEED, ValueError, r"n must be at least 1, got 0"),
    (simulate, (5,), {"seed": 1.5}, TypeError, r"seed must be a whole number"),
    (simulate, (5,), {**SEED, "atoms": 0}, ValueError, r"atoms must be at least 1, got 0"),
    (simulate, (5,), {**SEED, "preset": "moon"}, ValueError, r"preset must be one of 'book', 'physics', got 'moon'"),
    (simulate, (5,), {**SEED, "temperature": -3.0}, ValueError, r"temperature must be .* K, got -3"),
    (simulate, (5,), {**SEED, "lowest": 0.0}, ValueError, r"lowest must be .* K, got 0"),
    (simulate, (5,), {**SEED, "highest": 50.0}, ValueError, r"highest must be .* \(100, inf\) K, got 50"),
    (simulate, (5,), {**SEED, "prior": "flat"}, ValueError, r"prior must be one of .* got 'flat'"),
    (simulate_velocities, (0,), SEED, ValueError, r"n must be at least 1, got 0"),
    (simulate_velocities, (5,), {**SEED, "gas": "steam"}, ValueError, r"gas must be one of"),
    (maximum_likelihood, ([1000.0],), {}, ValueError, r"speeds must have 2 axes, got shape \(1,\)"),
    (cramer_rao, (-1.0,), {"atoms": 5}, ValueError, r"temperature must lie in \[0, inf\] K, got -1"),
    (cramer_rao, (300.0,), {"atoms": 0}, ValueError, r"atoms must be at least 1, got 0"),
    (posterior_mean, ([[-1.0]],), {}, ValueError, r"speeds must lie in \[0, inf\] m/s"),
    (posterior_mean, ([[0.0, 0.0]],), {}, ValueError, r"speeds must not all be 0 m/s"),
    (posterior_mean, (SPEEDS,), {"lowest": 500.0, "highest": 400.0}, ValueError, r"highest must be .* \(500, inf\) K"),
    (
        posterior_mean,
        (SPEEDS,),
        {"prior": None},
        ValueError,
        r"prior must be one of 'uniform', 'log-uniform', got None",
    ),
    (limit_rmse, (), {"atoms": 0}, ValueError, r"atoms must be at least 1, got 0"),
    (limit_rmse, (), {"atoms": 5, "prior": "flat"}, ValueError, r"prior must be one of"),
    (load_gas, (4,), SEED, ValueError, r"n must be at least 5, got 4"),
    (load_gas, (5,), {**SEED, "preset": "moon"}, ValueError, r"preset must be one of"),
    (load_gas, (5,), {**SEED, "gas": "steam"}, ValueError, r"gas must be one of"),
]
