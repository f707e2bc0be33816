"""Pictures of the gluon pseudo-data and of the energy-loss spectra."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, GREY, INK


def gluon(figure: Figure | SubFigure) -> str:
    """Pseudo-data of the momentum distribution, and of an integral over it."""
    from dlphys.simulators import spectra

    data = spectra.simulate(1, seed=1, points=150)
    integral = spectra.scaling_violations(1, seed=1, points=60)
    axes = figure.subplots(1, 2)
    panels = ((data, "x g(x)", "the distribution itself"), (integral, "dF2 / d ln Q^2", "an integral over it"))
    for ax, sample, quantity, title in ((a, *p) for a, p in zip(axes, panels, strict=True)):
        x = sample.x[0]
        ax.errorbar(
            x,
            sample.values[0],
            sample.uncertainty[0],
            fmt="o",
            ms=2,
            lw=0.7,
            capsize=0,
            color=GREY,
            label="pseudo-data",
        )
        ax.plot(x, sample.truth[0], color=COLOURS[1], lw=1.8, label="truth", zorder=3)
        ax.set(xscale="log", xlabel="x (share of the momentum)", ylabel=quantity)
        ax.set_title(title, fontsize=10.5)
    axes[0].legend(loc="lower left", fontsize=9)
    figure.suptitle("Gluons in the proton: what is measured, and the truth", fontsize=11.5)
    return (
        "The momentum distribution of gluons falls from five at x = 0.001 to zero at x = 1; points with error bars "
        "scatter about the true curve, widest at small x. On the right the same for an integral over it."
    )


def eels(figure: Figure | SubFigure) -> str:
    """The thickness of the flake, a whole spectrum, and its beginning."""
    from dlphys.simulators import spectra

    image = spectra.energy_loss_image(1024, seed=1)
    energy, pixel = spectra.ENERGY_LOSS, 20 * 32 + 16
    axes = figure.subplots(1, 3, width_ratios=(1.1, 1, 1))
    shown = axes[0].imshow(image.thickness.reshape(32, 32), vmin=0, vmax=1)
    axes[0].set(xlabel="column (pixels)", ylabel="row (pixels)")
    axes[0].set_title("mean free paths", fontsize=10.5)
    bar = figure.colorbar(shown, ax=axes[0], fraction=0.06)
    bar.ax.tick_params(labelsize=8.5)
    for ax, part in zip(axes[1:], (energy > -5, np.abs(energy - 2) < 3.5), strict=True):
        counts = np.where(image.counts[pixel] > 0, image.counts[pixel], np.nan)
        ax.plot(energy[part], counts[part], color=GREY, lw=0.9, label="counts")
        ax.plot(energy[part], image.zero_loss[pixel][part], color=COLOURS[1], lw=1.6, ls="--", label="without loss")
        inelastic = np.where(image.inelastic[pixel] > 0.1, image.inelastic[pixel], np.nan)
        ax.plot(energy[part], inelastic[part], color=COLOURS[0], lw=1.6, label="with loss")
        ax.set(yscale="log", ylim=(1, 4e5), xlabel="energy loss (eV)")
    axes[1].set_ylabel("electrons in 0.1 eV")
    axes[1].set_title("one pixel", fontsize=10.5)
    axes[2].set_title("its beginning", fontsize=10.5)
    axes[2].axvline(1.9, color=INK, lw=0.8, ls=":")
    axes[1].legend(loc="upper right", fontsize=8, handlelength=1.6)
    figure.suptitle("The tail of the zero-loss peak covers the losses above the band gap", fontsize=11.5)
    return (
        "A map of terraces of a flake, from vacuum to one mean free path; the energy-loss spectrum of a pixel with a "
        "narrow peak at zero, a plasmon at 22 eV and an edge near 40 eV; and its first five eV, where the tail of the "
        "peak crosses the losses that begin at the band gap of 1.9 eV."
    )


PICTURES = {"gluon": gluon, "eels": eels}
