"""Compiled hybrid Monte Carlo of the scalar field: one chain at a time, in the cache of one core."""

from __future__ import annotations

import numpy as np

from dlphys._numba import compiled

START = 0.1
"""Standard deviation of a first field: small, since the leapfrog is unstable where the quartic wall is steep."""


@compiled(nogil=True)
def start_field(random: np.random.Generator, field: np.ndarray, mass_squared: float, coupling: float) -> None:
    """Faint noise on the bottom of the well of a site.

    Ordered, since a random start in a deep well would freeze with stripes of both signs.
    """
    bottom = np.sqrt(-0.5 * mass_squared / coupling) if mass_squared < 0.0 else 0.0
    for i in range(len(field)):
        for j in range(len(field)):
            field[i, j] = bottom + START * random.standard_normal()


@compiled(nogil=True)
def total_action(field: np.ndarray, mass_squared: float, coupling: float) -> float:
    """Action of one field on the torus."""
    size = len(field)
    total = 0.0
    for i in range(size):
        up = field[i - 1]
        for j in range(size):
            value = field[i, j]
            square = value * value
            hop = (value - up[j]) ** 2 + (value - field[i, j - 1]) ** 2
            total += hop + square * (mass_squared + coupling * square)
    return total


@compiled(nogil=True, error_model="numpy")
def kick(field: np.ndarray, momentum: np.ndarray, step: float, mass_squared: float, coupling: float) -> None:
    """momentum -= step * dS/dfield."""
    size = len(field)
    for i in range(size):
        up, down = field[i - 1], field[i + 1 if i + 1 < size else 0]
        for j in range(size):
            value = field[i, j]
            neighbours = up[j] + down[j] + field[i, j - 1] + field[i, j + 1 if j + 1 < size else 0]
            slope = value * (8.0 + 2.0 * mass_squared + 4.0 * coupling * value * value) - 2.0 * neighbours
            momentum[i, j] -= step * slope


@compiled(nogil=True)
def drift(field: np.ndarray, momentum: np.ndarray, step: float) -> None:
    """field += step * momentum."""
    size = len(field)
    for i in range(size):
        for j in range(size):
            field[i, j] += step * momentum[i, j]


@compiled(nogil=True)
def integrate(
    field: np.ndarray, momentum: np.ndarray, step: float, steps: int, mass_squared: float, coupling: float
) -> None:
    """Leapfrog: half a kick, drifts and kicks in turn, half a kick."""
    kick(field, momentum, 0.5 * step, mass_squared, coupling)
    for k in range(steps):
        drift(field, momentum, step)
        kick(field, momentum, step if k + 1 < steps else 0.5 * step, mass_squared, coupling)


@compiled(nogil=True)
def trajectory(
    random: np.random.Generator,
    field: np.ndarray,
    momentum: np.ndarray,
    proposal: np.ndarray,
    step: float,
    steps: int,
    mass_squared: float,
    coupling: float,
) -> tuple[float, bool]:
    """One update of ``field``: the change of the energy along the trajectory, and whether it was accepted.

    The number of steps is uniform in 1 ... 2 steps - 1: after a fixed time, a mode that has swung by half a period
    would only have changed its sign (P. B. Mackenzie, Phys. Lett. B 226 (1989) 369).
    """
    size = len(field)
    length = 1 + int(random.random() * (2 * steps - 1))
    kinetic = 0.0
    for i in range(size):
        for j in range(size):
            value = random.standard_normal()
            momentum[i, j] = value
            kinetic += 0.5 * value * value
            proposal[i, j] = field[i, j]
    before = kinetic + total_action(field, mass_squared, coupling)
    integrate(proposal, momentum, step, length, mass_squared, coupling)
    kinetic = 0.0
    for i in range(size):
        for j in range(size):
            kinetic += 0.5 * momentum[i, j] * momentum[i, j]
    change = kinetic + total_action(proposal, mass_squared, coupling) - before
    uniform = random.random()
    if np.isnan(change):  # the leapfrog left the numbers: too large a step
        change = np.inf
    accepted = change <= 0.0 or uniform < np.exp(-change)
    if accepted:
        field[:] = proposal
    return change, accepted


@compiled(nogil=True)
def chains(
    random: np.random.Generator,
    fields: np.ndarray,
    trajectories: int,
    step: float,
    steps: int,
    mass_squared: float,
    coupling: float,
    change: np.ndarray,
    acceptance: np.ndarray,
) -> None:
    """An independent chain for every field, one after the other, from their starts to their last trajectories."""
    events, size, _ = fields.shape
    momentum, proposal = np.empty((size, size)), np.empty((size, size))
    for n in range(events):
        field = fields[n]
        start_field(random, field, mass_squared, coupling)
        accepted = 0
        for _ in range(trajectories):
            change[n], taken = trajectory(random, field, momentum, proposal, step, steps, mass_squared, coupling)
            accepted += taken
        acceptance[n] = accepted / trajectories


@compiled(nogil=True)
def history(
    random: np.random.Generator,
    field: np.ndarray,
    step: float,
    steps: int,
    mass_squared: float,
    coupling: float,
    action: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    change: np.ndarray,
    accepted: np.ndarray,
) -> None:
    """One chain, with its observables after every trajectory."""
    momentum, proposal = np.empty_like(field), np.empty_like(field)
    for t in range(len(action)):
        change[t], accepted[t] = trajectory(random, field, momentum, proposal, step, steps, mass_squared, coupling)
        action[t] = total_action(field, mass_squared, coupling)
        mean[t] = field.mean()
        square[t] = (field * field).mean()
