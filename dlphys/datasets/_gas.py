"""The gas thermometer."""

from __future__ import annotations

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce


def load_gas(
    n: int = 20_000,
    *,
    seed: Seed,
    atoms: int = 100,
    preset: str = "book",
    temperature: float | None = None,
    gas: str = "helium",
) -> Dataset:
    """Speeds of atoms and the temperature of their gas.

    Parameters
    ----------
    n : int, default 20 000
        Number of gases, at least 5: 60 % for training, 20 % for validation, 20 % to test.
    seed : int or numpy.random.Generator
    atoms : int, default 100
        Speeds of each gas.
    preset : {"book", "physics"}
        Temperatures uniform in T or in ln T, from 100 to 1000 K.
    temperature : float, K, optional
        One temperature for all: the density of the speeds is to be learnt (the book's example 14.3).
    gas : str
        "helium", "neon", "argon", "krypton" or "xenon".

    Returns
    -------
    Dataset
        x (n, atoms) float32, speeds in km/s, in no order; y (n,) float32, temperature in K.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The book's examples 14.3 and 14.4 give neither gas nor sizes nor temperatures; helium fits the speeds of its figure
    14.1. To compare with: `dlphys.simulators.gas.maximum_likelihood` (baseline), `cramer_rao` (binds unbiased methods),
    `limit_rmse` and `posterior_mean` (limit; pass the prior of the preset).

    Examples
    --------
    >>> data = load_gas(100, seed=1)
    gas: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((60, 100), (20,))
    """
    from dlphys.simulators import gas as simulator

    n = check_count(n=n, minimum=5)
    gases = simulator.simulate(n, seed=seed, preset=preset, atoms=atoms, temperature=temperature, gas=gas)
    announce("gas", "simulated")
    held = held_out(n, 0.2)
    speeds = gases.speeds / np.float32(1000.0)
    values = divided(speeds, gases.temperature, validation=held, test=held)
    about = About(
        title="Speeds of gas atoms at one temperature",
        source="simulated",
        units={"speed": "km/s"},
        target_units={"temperature": "K"},
        made=f"dlphys.simulators.gas, {gas}, {atoms} atoms, preset {preset}",
        licence="MIT, as this package",
        citation="J. C. Maxwell, Phil. Mag. 19 (1860) 19; the book, examples 14.3 and 14.4",
        flaws=("an ideal gas; the thermometer has no error",),
    )
    return Dataset(name="gas", about=about, **values)
