"""A picture of the spiral galaxies."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, SubFigure


def galaxies(figure: Figure | SubFigure) -> str:
    """Galaxies of both presets, left above and right below."""
    from dlphys.simulators import galaxies

    axes = figure.subplots(2, 6)
    for start, preset, seed in ((0, "book", 12), (3, "physics", 15)):
        sample = galaxies.simulate(40, seed=seed, preset=preset)
        for row, left in enumerate((1, 0)):
            for ax, event in zip(axes[row, start : start + 3], np.flatnonzero(sample.left == left)[:3], strict=True):
                ax.imshow(sample.images[event], cmap="gray", vmin=0, vmax=1)
                ax.set(xticks=[], yticks=[])
                ax.spines[:].set_visible(True)
        axes[0, start + 1].set_title(f'preset "{preset}"', fontsize=9.5)
    axes[0, 0].set_ylabel("left", fontsize=10)
    axes[1, 0].set_ylabel("right", fontsize=10)
    figure.suptitle("Following an arm outwards, one turns left or right", fontsize=11.5)
    return (
        "Twelve small pictures of spiral galaxies on a black sky, six with arms that turn left on the way outwards and "
        "six that turn right; those of the physics preset are more inclined, fainter and noisier."
    )


PICTURES = {"spiral_galaxies": galaxies}
