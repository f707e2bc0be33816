"""A picture of the scattering patterns."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, SubFigure


def speckles(figure: Figure | SubFigure) -> str:
    """A pattern of each kind: clean, with speckle, and as measured."""
    from dlphys.simulators import speckle

    pairs, measured = (make(40, seed=3, photons=(2e5, 5e5)) for make in (speckle.simulate, speckle.measure))
    chosen = [int(np.flatnonzero(pairs.kind == kind)[pick]) for kind, pick in ((0, 1), (1, 1), (2, 1))]
    axes = figure.subplots(2, 5, width_ratios=(1, 1, 0.12, 1, 1), squeeze=False)
    for ax in axes[:, 2]:
        ax.remove()
    film, sphere, cylinder = chosen
    panels = (
        (axes[0, 0], pairs.clean[film], "film, clean"),
        (axes[1, 0], pairs.speckled[film], "film, with speckle"),
        (axes[0, 1], pairs.clean[sphere], "spheres, clean"),
        (axes[1, 1], pairs.speckled[sphere], "with speckle"),
        (axes[0, 3], pairs.clean[cylinder], "cylinders, clean"),
        (axes[1, 3], pairs.speckled[cylinder], "with speckle"),
        (axes[0, 4], np.where(measured.valid[film], measured.speckled[film], np.nan), "film, measured"),
        (axes[1, 4], np.where(measured.valid[sphere], measured.speckled[sphere], np.nan), "spheres, measured"),
    )
    for ax, image, title in panels:
        shown = ax.imshow(np.log10(1.0 + image), vmin=0.0, vmax=4.0)
        ax.set_title(title, fontsize=8.5, pad=3)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
    bar = figure.colorbar(shown, ax=list(axes[:, 4]), fraction=0.09, pad=0.06)
    bar.set_label("log10(1 + photons)", fontsize=9)
    bar.ax.tick_params(labelsize=8.5)
    figure.suptitle("Speckle covers the patterns; a detector hides parts of them", fontsize=11.5)
    return (
        "Scattering patterns of a film with fringes along a rod, of spheres with rings and of cylinders with parallel "
        "rods, above without and below with speckle, which breaks them into grains; on the right two measured ones "
        "with weaker speckle, a beam stop on its holder and detector gaps."
    )


PICTURES = {"speckles": speckles}
