"""Pictures of showers."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, INK


def showers(figure: Figure | SubFigure) -> str:
    """One shower and the mean occupancy in each of the book's sensors."""
    from dlphys.simulators.calorimeter import SENSOR_DEPTHS, simulate

    voxels = simulate(400, seed=3, energy=90.0).voxels
    occupancy = (voxels > 0).mean(0)
    one = np.log10(1.0 + 1000.0 * voxels[0])
    axes = figure.subplots(2, 7)
    for sensor, depth in enumerate(SENSOR_DEPTHS):
        top = axes[0, sensor].imshow(np.where(one[..., sensor] > 0, one[..., sensor], np.nan), vmin=0.5, vmax=4)
        bottom = axes[1, sensor].imshow(100.0 * occupancy[..., sensor], vmin=0, vmax=100, cmap="cividis")
        axes[0, sensor].set_title(f"{depth:g} $X_0$", fontsize=9)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
    axes[0, 0].set_ylabel("one shower", fontsize=9)
    axes[1, 0].set_ylabel("occupancy", fontsize=9)
    for image, row, label in ((top, 0, r"$\log_{10}(1 + E/$MeV$)$"), (bottom, 1, "cells hit (%)")):
        bar = figure.colorbar(image, ax=axes[row].tolist(), fraction=0.05, pad=0.01)
        bar.set_label(label, fontsize=8)
        bar.ax.tick_params(labelsize=8)
    figure.suptitle("A 90 GeV electron widens with depth and fades after 9 $X_0$", fontsize=11)
    return (
        "Two rows of seven sensor planes of 15 by 15 cells at depths from 2.8 to 16.2 radiation lengths. Above, one "
        "shower of a 90 GeV electron: a bright centre that grows and scattered cells around it. Below, how often "
        "each cell is hit: a disc that widens with depth."
    )


def electron_proton(figure: Figure | SubFigure) -> str:
    """Energies in the seven sensors, electrons beside protons."""
    from dlphys.simulators.calorimeter import SENSOR_DEPTHS, simulate

    axes = figure.subplots(1, 2, sharey=True)
    for ax, particle, colour in zip(axes, ("electron", "proton"), COLOURS, strict=False):
        layers = simulate(14, seed=5, energy=100.0, particle=particle).voxels.sum((1, 2))
        ax.plot(SENSOR_DEPTHS, np.maximum(1000.0 * layers.T, 1.0), "o-", color=colour, ms=3, lw=0.9, alpha=0.75)
        ax.set_title(f"14 {particle}s", fontsize=10, color=INK)
        ax.set(xlabel="depth ($X_0$)", yscale="log")
    axes[0].set_ylabel("energy in the sensor (MeV)")
    figure.suptitle("Electrons of 100 GeV look alike, protons start anywhere or not at all", fontsize=11)
    return (
        "Energy in seven sensors against their depth, for 100 GeV. The 14 electrons rise and fall together with a "
        "maximum of about ten GeV near eight radiation lengths. The protons differ: some only ionise, with about ten "
        "MeV in every sensor, others begin a shower at some depth."
    )


PICTURES = {"calorimeter_showers": showers, "electron_proton": electron_proton}
