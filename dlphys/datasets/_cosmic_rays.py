"""Skies of cosmic rays, ready to train on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce


def load_cosmic_ray_skies(
    n: int = 10_000,
    *,
    seed: Seed,
    preset: str = "book",
    arrivals: int = 500,
    signal_share: float | None = None,
    deflection: float | Sequence[float] | None = None,
    blur: float | None = None,
) -> Dataset:
    """Skies of cosmic rays that are isotropic or hold a street of arrivals from one source.

    Parameters
    ----------
    n : int, default 10 000
        Number of skies, at least 3: a tenth for validation, a tenth for the test, the rest for training. The book's set
        has 50 000, of which the last 10 000 are for the test.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    arrivals : int, default 500
    signal_share : float, optional
    deflection : float or (low, high), deg, optional
    blur : float, deg, optional
        All as in `dlphys.simulators.cosmic_rays.simulate`; left out, the preset decides.

    Returns
    -------
    Dataset
        x (n, 500, 4) float32: the unit vector x, y, z and log10(E / 40 EeV), which lies in [0, 0.6] and so has
        about the size of the distance between neighbours; an edge convolution finds neighbours from the first three.
        y (n,) float32, 1 = with a source, 0 = isotropic. extra: source and tangent (n, k, 3) float32, deflection (n, k)
        float32 deg, flux (n, k) float32, origin (n, 500) int8 (the source, or -1), charge (n, 500) int8.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The book's own file ``cr_sphere`` has the keys ``data`` and ``label``; its fourth column is log10(E / eV) / 20.5,
    which hardly varies (0.956 to 0.985). `dlphys.simulators.cosmic_rays.simulate` returns it in that form.
    What the result can be compared with: `known_source_ratio` (an oracle) and `pair_counts` (a baseline).

    Examples
    --------
    >>> data = load_cosmic_ray_skies(100, seed=1)
    cosmic_ray_skies: simulated
    >>> data.x_train.shape, data.x_validation.shape, data.x_test.shape
    ((80, 500, 4), (10, 500, 4), (10, 500, 4))
    """
    from dlphys.simulators import cosmic_rays  # compiled code: imported where it is used

    n = check_count(n=n, minimum=3)
    # 10 000 skies take a second: nothing is kept on disk
    skies = cosmic_rays.simulate(
        n,
        seed=seed,
        preset=preset,
        arrivals=arrivals,
        signal_share=signal_share,
        deflection=deflection,
        blur=blur,
    )
    announce("cosmic_ray_skies", "simulated")
    x = skies.data
    x[..., 3] = np.log10(skies.energy / cosmic_rays.MINIMUM_ENERGY)
    names = ("source", "tangent", "deflection", "flux", "origin", "charge")
    extra = {name: getattr(skies, name) for name in names}
    held = held_out(n, 0.1)
    values: dict[str, Any] = divided(x, skies.label.astype(np.float32), extra, validation=held, test=held)
    about = About(
        title="Cosmic rays: isotropic skies, and skies with a source behind the magnetic field",
        source="simulated",
        units={"x": "1", "y": "1", "z": "1", "log_energy": "log10(E / 40 EeV)"},
        target_units={"sources": "1 with a source, 0 isotropic"},
        extra_units={
            "source": "unit vector",
            "tangent": "unit vector",
            "deflection": "deg at 40 EV",
            "flux": "share",
            "origin": "number of the source, -1 none",
            "charge": "e",
        },
        made=f"dlphys.simulators.cosmic_rays, preset {preset}, {arrivals} arrivals",
        licence="MIT, as this package",
        citation="T. Bister et al., Astropart. Phys. 126 (2021) 102527, arXiv:2003.13038 (the task)",
        flaws=(
            "a toy field: each source has one direction of deflection, and one composition holds for all skies",
            "isotropic exposure and no errors of measurement",
        ),
    )
    return Dataset(name="cosmic_ray_skies", about=about, **values)
