"""Sets of states in phase space and their changes."""

from __future__ import annotations

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_choice, check_count, check_number
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce

NOISY = ("spring", "pendulum")  # those of the book's reference have a noise of 0.1
COLUMNS = {
    "spring": ("q", "p"),
    "damped": ("q", "p"),
    "pendulum": ("q", "p"),
    "double_pendulum": ("angle1", "angle2", "momentum1", "momentum2"),
    "kepler": ("x", "y", "p_x", "p_y"),
}


def load_oscillators(
    n: int = 100,
    *,
    seed: Seed,
    system: str = "spring",
    preset: str = "book",
    target: str = "derivative",
    noise: float | None = None,
) -> Dataset:
    """States of springs, pendulums or planets, and how they change.

    Parameters
    ----------
    n : int, default 100
        Number of motions, at least 5: 60 % for training, 20 % for validation, 20 % to test. A motion is in one part.
    seed : int or numpy.random.Generator
    system : str
        "spring", "damped", "pendulum", "double_pendulum" or "kepler".
    preset : {"book", "physics"}
        As in `dlphys.simulators.oscillators.simulate`.
    target : {"derivative", "next"}
        What y is: the exact time derivative of the state, or the next state that was observed.
    noise : float, optional
        Standard deviation of the noise on every coordinate and momentum. Left out: 0.1 for the book's spring and
        pendulum, else 0.

    Returns
    -------
    Dataset
        x (states, d) float32, coordinates and momenta (d = 2, or 4 for double pendulum and Kepler), with noise; y in
        the same shape. A motion of the book's spring has 30 states, of the pendulum 45, of the damped spring and of
        Kepler 50, of the double pendulum 100; one fewer with "next". extra: "time" (states,), "energy" (states,),
        "state" (states, d), the state without noise, and "motion" (states,) int32, which tells the states that belong
        together, in order of time.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The book's example 14.5 gives no numbers; sizes, ranges and noise are those of its reference (Greydanus, Dzamba and
    Yosinski, arXiv:1906.01563). To compare with: `dlphys.simulators.oscillators.vector_field` and `hamiltonian`
    (oracles: they know the law).

    Examples
    --------
    >>> data = load_oscillators(10, seed=1)
    oscillators: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((180, 2), (60, 2))
    """
    from dlphys.simulators import oscillators

    n = check_count(n=n, minimum=5)
    check_choice(choices=oscillators.SYSTEMS, system=system)
    check_choice(choices=("book", "physics"), preset=preset)
    check_choice(choices=("derivative", "next"), target=target)
    if noise is None:
        noise = 0.1 if preset == "book" and system in NOISY else 0.0
    noise = check_number(minimum=0.0, noise=noise)
    motions = oscillators.simulate(n, seed=seed, system=system, preset=preset, noise=noise)
    announce("oscillators", "simulated")
    points = motions.time.shape[1]
    last = points if target == "derivative" else points - 1

    def rows(array: np.ndarray) -> np.ndarray:
        """(n, points, ...) to (states, ...)."""
        return np.ascontiguousarray(array[:, :last]).reshape(n * last, *array.shape[2:])

    changed = motions.derivatives if target == "derivative" else motions.observed[:, 1:]
    extra = {
        "time": rows(motions.time),
        "energy": rows(motions.energy),
        "state": rows(motions.states),
        "motion": np.repeat(np.arange(n, dtype=np.int32), last),
    }
    held = last * held_out(n, 0.2)
    values = divided(rows(motions.observed), rows(changed), extra, validation=held, test=held)
    unit = "natural unit" if preset == "book" else "AU, AU/year" if system == "kepler" else "SI unit"
    columns = COLUMNS[system]
    names = [f"d{column}/dt" if target == "derivative" else f"next {column}" for column in columns]
    about = About(
        title=f"Motions of the {system.replace('_', ' ')} in phase space",
        source="simulated",
        units=dict.fromkeys(columns, unit),
        target_units=dict.fromkeys(names, unit),
        extra_units={"time": unit, "energy": unit, "state": unit, "motion": "number"},
        made=f"dlphys.simulators.oscillators, {system}, preset {preset}, noise {noise:g}",
        licence="MIT, as this package",
        citation="S. Greydanus, M. Dzamba and J. Yosinski, arXiv:1906.01563",
        flaws=("derivatives are exact while the states beside them are noisy, as in the book's reference",)
        if target == "derivative" and noise
        else (),
    )
    return Dataset(name="oscillators", about=about, **values)
