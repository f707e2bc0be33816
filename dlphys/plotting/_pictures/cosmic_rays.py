"""Picture of the skies of cosmic rays."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, GREY, INK


def skies(figure: Figure | SubFigure) -> str:
    """An isotropic sky and one with a street; arrivals of the source are marked, size grows with the energy."""
    from dlphys.simulators import cosmic_rays

    sample = cosmic_rays.simulate(30, seed=12)
    chosen = int(np.flatnonzero(sample.label == 0)[0]), _clearest(sample)
    axes = figure.subplots(1, 2, subplot_kw={"projection": "hammer"})
    for ax, sky, title in zip(axes, chosen, ("isotropic", "with a source"), strict=True):
        x, y, z = sample.directions[sky].T
        place = np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))
        size = 2.0 * (sample.energy[sky] / 40.0) ** 2
        street = sample.origin[sky] == 0
        ax.scatter(*(c[~street] for c in place), s=size[~street], color=GREY, lw=0, alpha=0.75)
        ax.scatter(*(c[street] for c in place), s=2 + size[street], color=COLOURS[1], lw=0, label="from the source")
        ax.set_title(title, fontsize=10.5, pad=6)
        ax.set(xticks=np.radians([-120, -60, 0, 60, 120]), yticks=np.radians([-60, -30, 0, 30, 60]))
        ax.set(xticklabels=[], yticklabels=[])
        ax.grid(color=INK, lw=0.3, alpha=0.3)
    sx, sy, sz = sample.source[chosen[1], 0]
    axes[1].plot(np.arctan2(sy, sx), np.arcsin(sz), "*", color=COLOURS[0], ms=9, mec="white", mew=0.6, label="source")
    axes[1].legend(loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=2, fontsize=8.5, frameon=False)
    axes[0].text(
        0.5, -0.09, "500 arrivals, grid of 30 and 60 deg", transform=axes[0].transAxes, ha="center", fontsize=8.5
    )
    figure.suptitle("A source behind the magnetic field leaves a street of arrivals", fontsize=11.5)
    return (
        "Two maps of the sky with 500 arrivals each. One is isotropic; in the other about 20 arrivals lie along a "
        "street that begins at the source."
    )


def _clearest(sample: Any) -> int:
    """The sky whose source lies nearest to the middle of the map, where it is least distorted."""
    middle = np.where(sample.label == 1, sample.source[:, 0, 0], -1.0)
    return int(middle.argmax())


PICTURES = {"cosmic_ray_skies": skies}
