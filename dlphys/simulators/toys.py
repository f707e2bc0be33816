"""Small worlds with exact answers: points in the plane, curves, mixtures, a chain of simulators, decisions, a beam.

Each has what a model can be compared with: the best possible classifier, the density, the posterior, the optimal
behaviour. `simulate` makes points of two classes (checkerboard, XOR, moons, circles, rings, spirals); the others are

- `simulate_interpolation`: noisy points of a curve (chapters 2, 4, 5);
- `simulate_mixture`: Gaussians with known density, score and entropy (generative models);
- `simulate_contaminated`, `simulate_bags`: wrong labels, labels for groups (chapter 16);
- `simulate_planing`: the table of exercise 13.1;
- `simulate_chain`: a linear Gaussian chain with its posterior (inference, unfolding);
- `simulate_bandit`, `simulate_gridworld`: slot machines and a grid of rooms (reinforcement learning);
- `simulate_beam`: steering of a beam.
"""

from __future__ import annotations

from dlphys.simulators._toys_beam import (
    BeamLines,
    beam_cost,
    beam_optimum,
    beam_positions,
    beam_response,
    simulate_beam,
)
from dlphys.simulators._toys_chain import (
    Chain,
    chain_information,
    chain_likelihood,
    chain_log_evidence,
    chain_log_likelihood,
    chain_posterior,
    chain_score,
    simulate_chain,
)
from dlphys.simulators._toys_curves import CurvePoints, curve, simulate_interpolation
from dlphys.simulators._toys_decisions import (
    ARMS,
    MOVES,
    BanditRounds,
    GridWalks,
    gridworld,
    play_upper_bound,
    policy_values,
    regret_rate,
    simulate_bandit,
    simulate_gridworld,
    value_iteration,
)
from dlphys.simulators._toys_mixtures import (
    MIXTURES,
    Mixture,
    MixturePoints,
    class_probabilities,
    mixture,
    mixture_accuracy,
    mixture_entropy,
    mixture_log_density,
    mixture_score,
    simulate_mixture,
)
from dlphys.simulators._toys_planes import PLANES, PlanePoints, optimal_accuracy, optimal_probability, simulate
from dlphys.simulators._toys_planing import (
    PlaningTable,
    planing_blind_log_ratio,
    planing_correlations,
    planing_flat_auc,
    planing_flat_log_ratio,
    planing_information,
    planing_log_ratio,
    simulate_planing,
)
from dlphys.simulators._toys_planing_limit import planing_tradeoff
from dlphys.simulators._toys_weak import (
    Bags,
    Contaminated,
    contaminated_cut,
    separation_auc,
    simulate_bags,
    simulate_contaminated,
)

__all__ = [
    "ARMS",
    "MIXTURES",
    "MOVES",
    "PLANES",
    "Bags",
    "BanditRounds",
    "BeamLines",
    "Chain",
    "Contaminated",
    "CurvePoints",
    "GridWalks",
    "Mixture",
    "MixturePoints",
    "PlanePoints",
    "PlaningTable",
    "beam_cost",
    "beam_optimum",
    "beam_positions",
    "beam_response",
    "chain_information",
    "chain_likelihood",
    "chain_log_evidence",
    "chain_log_likelihood",
    "chain_posterior",
    "chain_score",
    "class_probabilities",
    "contaminated_cut",
    "curve",
    "gridworld",
    "mixture",
    "mixture_accuracy",
    "mixture_entropy",
    "mixture_log_density",
    "mixture_score",
    "optimal_accuracy",
    "optimal_probability",
    "planing_blind_log_ratio",
    "planing_correlations",
    "planing_flat_auc",
    "planing_flat_log_ratio",
    "planing_information",
    "planing_log_ratio",
    "planing_tradeoff",
    "play_upper_bound",
    "policy_values",
    "regret_rate",
    "separation_auc",
    "simulate",
    "simulate_bags",
    "simulate_bandit",
    "simulate_beam",
    "simulate_chain",
    "simulate_contaminated",
    "simulate_gridworld",
    "simulate_interpolation",
    "simulate_mixture",
    "simulate_planing",
    "value_iteration",
]
