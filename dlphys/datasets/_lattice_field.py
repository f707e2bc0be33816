"""Fields on a small lattice, ready to train."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out, simulated

MASS_SQUARED, COUPLING = -4.0, 8.0


def load_lattice_field(
    n: int = 10_000,
    *,
    seed: Seed,
    size: int = 6,
    mass_squared: float = MASS_SQUARED,
    coupling: float = COUPLING,
) -> Dataset:
    """Independent fields of the phi^4 theory on a small periodic lattice.

    Parameters
    ----------
    n : int, default 10 000
        Fields, at least 3: a tenth for validation, a tenth to test.
    seed : int or numpy.random.Generator
        With an int the fields are kept in the cache.
    size : int, default 6
        Sites along an edge, 2 to 128.
    mass_squared, coupling : float, defaults -4 and 8
        As in `dlphys.simulators.lattice_field.simulate`.

    Returns
    -------
    Dataset
        x (n, size, size, 1) float32, the field, not scaled; y (n,) float32, its action, so that exp(-y) is the
        density up to a constant; extra["magnetization"] (n,) float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> data = load_lattice_field(100, seed=1, size=4)  # doctest: +ELLIPSIS
    lattice_field: simulated...
    >>> data.x_train.shape
    (80, 4, 4, 1)
    """
    from dlphys.simulators import lattice_field  # compiled code: imported where it is used

    n = check_count(n=n, minimum=3)
    size = check_count(minimum=2, maximum=128, size=size)
    parameters = {"n": n, "size": size, "mass_squared": mass_squared, "coupling": coupling}

    def make() -> dict[str, np.ndarray]:
        sample = lattice_field.simulate(n, seed=seed, size=size, mass_squared=mass_squared, coupling=coupling)
        return {"field": sample.field, "action": sample.action.astype(np.float32)}

    arrays = simulated("lattice_field", seed, parameters, lattice_field, ("field", "action"), make)
    field = arrays["field"]
    held = held_out(n, 0.1)
    extra = {"magnetization": field.mean((1, 2))}
    values: dict[str, Any] = divided(field[..., None], arrays["action"], extra, validation=held, test=held)
    about = About(
        title="Scalar field with a quartic coupling on a periodic lattice",
        source="simulated",
        units={"field": "1"},
        target_units={"action": "1"},
        extra_units={"magnetization": "1"},
        made=f"dlphys.simulators.lattice_field, {size} x {size} sites, m^2 = {mass_squared:g}, lambda = {coupling:g}, "
        "hybrid Monte Carlo, every field from a chain of its own",
        licence="MIT, as this package",
        citation="S. Duane et al., Phys. Lett. B 195 (1987) 216; M. S. Albergo et al., arXiv:2101.08176",
        flaws=("the constant of the density is known for coupling = 0 only (free_log_partition)",),
    )
    return Dataset(name="lattice_field", about=about, **values)
