"""Spiral galaxies, ready to train."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce


def load_spiral_galaxies(n: int = 21_000, *, seed: Seed, preset: str = "book", noise: float | None = None) -> Dataset:
    """Pictures of spiral galaxies that turn to the right or to the left.

    Parameters
    ----------
    n : int, default 21 000
        Number of galaxies, at least 3: one in 21 for validation, one in 21 to test, the rest for training (19 000,
        1000, 1000).
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    noise : float, optional
        As in `dlphys.simulators.galaxies.simulate`.

    Returns
    -------
    Dataset
        x (n, 32, 32, 1) float32 from 0 (black) to 1 (white); y (n,) int64, 0 = right, 1 = left, so that
        ``keras.utils.to_categorical(y)`` is the book's (1, 0) for right and (0, 1) for left. extra: the parameters
        of each galaxy, (n,) float32: pitch, arms, phase, position_angle, axis_ratio, scale_length, contrast, bulge,
        bulge_radius, sersic_index, psf.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Mirrored pictures have the other label. The mean pictures of both classes are equal, so a linear fit guesses.
    To compare with: `dlphys.simulators.galaxies.fourier_handedness` (baseline).

    Examples
    --------
    >>> data = load_spiral_galaxies(210, seed=1)
    spiral_galaxies: simulated
    >>> data.x_train.shape, data.about.classes
    ((190, 32, 32, 1), ('right', 'left'))
    """
    from dlphys.simulators import galaxies  # compiled code: imported where it is used

    n = check_count(n=n, minimum=3)
    sample = galaxies.simulate(n, seed=seed, preset=preset, noise=noise)
    announce("spiral_galaxies", "simulated")
    hidden = {k: v for k, v in sample.arrays().items() if k not in ("images", "left")}
    extra = {name: array.astype(np.float32) for name, array in hidden.items()}
    held = held_out(n, 1 / 21)
    level = galaxies.NOISE_OF[preset] if noise is None else noise
    values: dict[str, Any] = divided(
        sample.images[..., None], sample.left.astype(np.int64), extra, validation=held, test=held
    )
    about = About(
        title="Spiral galaxies that turn to the right or to the left",
        source="simulated",
        units={"brightness": "0 black to 1 white"},
        target_units={"handedness": "0 right, 1 left"},
        extra_units={name: sample.units[name] or "1" for name in extra},
        made=f"dlphys.simulators.galaxies, preset {preset}, noise {level:g}",
        licence="MIT, as this package",
        citation="Erdmann, Glombitza, Kasieczka and Klemradt, Deep Learning for Physics Research (2021), section 7.3; "
        "J. L. Sersic, Atlas de Galaxias Australes (1968)",
        flaws=("drawn by a formula: no dust, no bars, no neighbours, and arms that never branch",),
        classes=("right", "left"),
    )
    return Dataset(name="spiral_galaxies", about=about, **values)
