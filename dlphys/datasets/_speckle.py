"""Scattering patterns with and without speckle, ready to train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_choice, check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce

CLIP = 1.1  # of the scaled images, as in the book's set


def load_speckles(
    n: int = 3600,
    *,
    seed: Seed,
    preset: str = "book",
    modes: float = 1.0,
    photons: Sequence[float] = (5e3, 5e5),
    experimental: bool = False,
) -> Dataset:
    """Pairs of scattering patterns with and without the speckle of coherent light.

    Parameters
    ----------
    n : int, default 3600
        Number of pairs, at least 3: a twelfth for validation, a twelfth to test, the rest for training. The book has
        about 25 500.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    modes : float, default 1
        Number of modes of the light.
    photons : (float, float)
        Smallest and largest number in an image. All as in `dlphys.simulators.speckle.simulate`.
    experimental : bool, default False
        With True the images are "measured" with partially coherent light behind a beam stop and detector gaps, as
        in `dlphys.simulators.speckle.measure`; ``preset`` and ``modes`` have no effect then. A network that
        was trained on the others is to be tried on them.

    Returns
    -------
    Dataset
        x (n, 64, 64, 1) float32 with speckle, y (n, 64, 64, 1) float32 without: log10(1 + photons), both divided by
        the maximum of the image with speckle, and clipped at 1.1. Hidden pixels are 0 in x.
        extra: "scale" (n,), that maximum, so that photons = 10^(y scale) - 1; "valid" (n, 64, 64, 1) bool, False
        where a pixel is hidden; "kind" (n,) int8, 0 film, 1 sphere, 2 cylinder; "modes" (n,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The normalisation is that of the book's exercise, whose file holds unscaled intensities under the keys
    ``speckle_images`` and ``target_images``. Each image is scaled by itself, so nothing is learnt from test images.

    To compare with: mean squared error of the input itself and of the baselines
    `dlphys.simulators.speckle.box_filter` and `wiener_filter`, applied to photons and scaled like y.

    Examples
    --------
    >>> data = load_speckles(24, seed=1)
    speckles: simulated
    >>> data.x_train.shape, float(data.x_train.max())
    ((20, 64, 64, 1), 1.0)
    """
    from dlphys.simulators import speckle  # compiled code: imported where it is used

    n = check_count(n=n, minimum=3)
    check_choice(choices=(True, False), experimental=experimental)
    if experimental:
        check_choice(choices=("book", "physics"), preset=preset)
        images = speckle.measure(n, seed=seed, photons=photons)
    else:
        images = speckle.simulate(n, seed=seed, preset=preset, modes=modes, photons=photons)
    announce("speckles", "simulated")
    x, y, scale = scaled(images.speckled, images.clean)
    extra = {"scale": scale, "valid": images.valid[..., None], "kind": images.kind, "modes": images.modes}
    held = held_out(n, 1 / 12)
    values: dict[str, Any] = divided(x, y, extra, validation=held, test=held)
    kind = "experimental" if experimental else f"preset {preset}, {modes:g} modes"
    about = About(
        title="Small-angle X-ray scattering with and without speckle",
        source="simulated",
        units={"with speckle": "log10(1 + photons), scaled"},
        target_units={"without speckle": "log10(1 + photons), scaled"},
        extra_units={
            "scale": "log10(1 + photons)",
            "valid": "True or False",
            "kind": "0 film, 1 sphere, 2 cylinder",
            "modes": "1",
        },
        made=f"dlphys.simulators.speckle, {kind}, {photons[0]:g} to {photons[1]:g} photons",
        licence="MIT, as this package",
        citation="J. W. Goodman, Speckle Phenomena in Optics (2007); Erdmann, Glombitza, Kasieczka and Klemradt, Deep "
        "Learning for Physics Research (2021), exercise 17.1",
        flaws=(
            "the generator of the book's set is not public: structures, sizes and photon numbers are ours",
            "both images of a pair show the same counting noise, which no experiment could do",
        )
        if preset == "book" and not experimental
        else ("the generator of the book's set is not public: structures, sizes and photon numbers are ours",),
    )
    return Dataset(name="speckles", about=about, **values)


def scaled(speckled: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The book's normalisation: both images with a channel axis, and the maximum of log10(1 + I) they were divided by.

    An image without a single photon is left as zeros.
    """
    x, y = np.log1p(speckled, dtype=np.float32), np.log1p(clean, dtype=np.float32)
    brightest = x.max((1, 2), keepdims=True)
    divisor = np.where(brightest > 0, brightest, np.float32(1.0))
    for image in (x, y):
        image /= divisor
        np.minimum(image, np.float32(CLIP), out=image)
    return x[..., None], y[..., None], (brightest[:, 0, 0] / np.float32(np.log(10.0)))
