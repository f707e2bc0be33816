"""Pseudo-data and energy-loss spectra a second."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import rate
from dlphys.simulators import spectra

REPLICAS, PIXELS, PLAIN = 2000, 1024, 16


def plain(n: int) -> np.ndarray:
    """Multiple scattering by folding spectra one by one instead of a transform."""
    energy = spectra.ENERGY_LOSS[0] + 0.1 * np.arange(1600)
    one = 0.1 * spectra.single_scattering(energy - spectra.ENERGY_LOSS[0])
    random = np.random.default_rng(1)
    counts = np.empty((n, 768))
    for pixel in range(n):
        term = 1e5 * spectra.zero_loss_peak(energy) * np.exp(-0.5)
        total = term.copy()
        for k in range(1, 8):
            term = 0.5 / k * np.convolve(term, one)[:1600]
            total += term
        counts[pixel] = random.poisson(total[:768])
    return counts


def rows() -> list[dict[str, Any]]:
    fit = spectra.simulate(200, seed=1)
    return [
        rate(
            "spectra, gluon replicas",
            partial(spectra.simulate, REPLICAS, seed=1, level=2),
            REPLICAS,
            unit="sets/s",
            note="1000 points each",
        ),
        rate("spectra, oracle fit", partial(spectra.oracle_fit, fit), len(fit), unit="fits/s"),
        rate(
            "spectra, energy-loss pixels",
            partial(spectra.energy_loss_image, PIXELS, seed=1),
            PIXELS,
            unit="spectra/s",
            plain=(partial(plain, PLAIN), PLAIN),
            note="768 channels",
        ),
    ]
