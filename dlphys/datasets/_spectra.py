"""Gluon pseudo-data and energy-loss spectra, ready to train."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import PARTS, About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._simulated import _shuffler, stratified
from dlphys.datasets._source import announce


def load_gluon(n: int = 1000, *, seed: Seed, x_min: float = 1e-3, level: int = 1, replica: int = 0) -> Dataset:
    """A table of pseudo-data for the momentum distribution of gluons in the proton, with known truth.

    Parameters
    ----------
    n : int, default 1000
        Points, at least 5: four in 25 for validation, one in five to test, the rest for training (640, 160, 200).
    seed : int or numpy.random.Generator
    x_min : float, default 1e-3
        Smallest share of momentum, 1e-6 to 0.9.
    level : {0, 1, 2}, default 1
        Of the closure test: no errors, errors, or a replica of the data with errors once more.
    replica : int, default 0
        Which pseudo-experiment (level 1) or replica (level 2), at least 0. Replicas of one seed share the same data and
        the same division into parts.

    Returns
    -------
    Dataset
        x (n, 1) float32, the share of momentum, not scaled (its logarithm is what a network should see);
        y (n,) float32, the value of x g(x). extra: "uncertainty" and "truth", (n,) float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The loss is chi-squared, so ``sample_weight=1 / uncertainty**2``. To compare with:
    `dlphys.simulators.spectra.oracle_fit` (oracle: it knows the form of the truth).

    Examples
    --------
    >>> data = load_gluon(100, seed=1)
    gluon: simulated
    >>> data.x_train.shape, data.x_validation.shape, data.x_test.shape
    ((64, 1), (16, 1), (20, 1))
    """
    from dlphys.simulators import spectra

    n = check_count(n=n, minimum=5)
    replica = check_count(minimum=0, maximum=100_000, replica=replica)
    shuffled = _shuffler(seed).permutation(n)  # of whole numbers as seeds: the same for every replica
    sample = spectra.simulate(replica + 1, seed=seed, points=n, x_min=x_min, level=level)
    announce("gluon", "simulated")
    chosen = {name: array[replica, shuffled] for name, array in sample.arrays().items()}
    extra = {name: chosen[name] for name in ("uncertainty", "truth")}
    test = held_out(n, 0.2)
    values: dict[str, Any] = divided(
        chosen["x"][:, None], chosen["values"], extra, validation=held_out(n - test, 0.2), test=test
    )
    about = About(
        title="Momentum distribution of gluons in the proton: pseudo-data",
        source="simulated",
        units={"x": "share of the proton's momentum"},
        target_units={"x g(x)": "1"},
        extra_units={"uncertainty": "1", "truth": "1"},
        made=f"dlphys.simulators.spectra, level {level}, x from {x_min:g} to 0.9",
        licence="MIT, as this package",
        citation="R. D. Ball et al. (NNPDF), Eur. Phys. J. C 77 (2017) 663 (the set whose shape is followed); JHEP 04 "
        "(2015) 040 (closure tests)",
        flaws=(
            "errors of different points are independent, unlike those of real data",
            "errors are Gaussian, so that below x = 1e-4 values can be negative",
        ),
    )
    return Dataset(name="gluon", about=about, **values)


def load_eels(n: int = 1024, *, seed: Seed, electrons: float = 1e6, resolution: float = 0.45) -> Dataset:
    """The electron energy-loss spectra of a flake of WS2, with the true zero-loss peak beneath.

    Parameters
    ----------
    n : int, default 1024
        Pixels, at least 8, row by row in an image 32 pixels wide: an eighth for validation, an eighth to test.
    seed : int or numpy.random.Generator
    electrons : float, default 1e6
        Through each pixel.
    resolution : float, eV, default 0.45
        Full width at half maximum of the zero-loss peak. Both as in `dlphys.simulators.spectra.energy_loss_image`.

    Returns
    -------
    Dataset
        x (n, 768, 1) float32, log10(1 + counts) in channels of 0.1 eV from -5 to 71.7 eV
        (`dlphys.simulators.spectra.ENERGY_LOSS`); y (n, 768) float32, log10(1 + expected electrons without loss).
        extra: "counts", "zero_loss" and "inelastic" (n, 768) electrons, "thickness" (n,) mean free paths,
        "row" and "column" (n,). The pixels are shuffled; each thickness has its share of every part.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with: `dlphys.simulators.spectra.reflected_tail` (baseline for the background) and
    `log_ratio_thickness` (baseline for the thickness).

    Examples
    --------
    >>> data = load_eels(64, seed=1)
    eels: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((48, 768, 1), (8, 768))
    """
    from dlphys.simulators import spectra

    n = check_count(n=n, minimum=8)
    random = _shuffler(seed)
    sample = spectra.energy_loss_image(n, seed=seed, electrons=electrons, resolution=resolution)
    announce("eels", "simulated")
    x, y = (np.log10(1.0 + counts)[..., None] for counts in (sample.counts, sample.zero_loss))
    groups = np.unique(sample.thickness, return_inverse=True)[1]
    held = held_out(n, 1 / 8)
    values: dict[str, Any] = {}
    names = ("counts", "zero_loss", "inelastic", "thickness", "row", "column")
    for part, rows in zip(PARTS, stratified(groups, (held, held), random), strict=True):
        values[f"x_{part}"], values[f"y_{part}"] = x[rows], y[rows, :, 0]
        values[f"extra_{part}"] = {name: getattr(sample, name)[rows] for name in names}
    about = About(
        title="Electron energy-loss spectra of a WS2 flake",
        source="simulated",
        units={"counts": "log10(1 + electrons)"},
        target_units={"zero_loss": "log10(1 + electrons)"},
        extra_units={name: sample.units[name] or "1" for name in names},
        made=f"dlphys.simulators.spectra.energy_loss_image, {electrons:g} electrons a pixel, {resolution:g} eV",
        licence="MIT, as this package",
        citation="L. I. Roest et al., Ultramicroscopy 222 (2021) 113202; R. F. Egerton, Electron Energy-Loss "
        "Spectroscopy in the Electron Microscope (2011)",
        flaws=(
            "the strengths of the losses are ours, and they do not depend on the place in the flake",
            "no surface losses, no gain of the detector: counts are Poisson",
        ),
    )
    return Dataset(name="eels", about=about, **values)
