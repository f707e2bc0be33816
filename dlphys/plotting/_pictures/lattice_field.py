"""A picture of the scalar field on a lattice."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS


def lattice_field(figure: Figure | SubFigure) -> str:
    """Fields of the set, and how the mean of the field is distributed in both phases."""
    from dlphys.simulators import lattice_field

    phases = (("symmetric, m^2 = -4", 8.0, COLOURS[0]), ("broken, m^2 = -4", 3.0, COLOURS[1]))
    samples = [lattice_field.simulate(700, seed=2, size=6, coupling=coupling) for _, coupling, _ in phases]
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 1.1))
    left, right = parts
    axes = left.subplots(2, 3)
    for row, sample in zip(axes, samples, strict=True):
        for ax, field in zip(row, sample.field, strict=False):
            shown = ax.imshow(field, cmap="PuOr", vmin=-1.3, vmax=1.3)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(True)
    for row, (_, coupling, _) in zip(axes, phases, strict=True):
        row[0].set_ylabel(f"lambda = {coupling:g}", fontsize=9.5)
    bar = left.colorbar(shown, ax=list(axes.ravel()), fraction=0.06)
    bar.set_label("field", fontsize=9)
    bar.ax.tick_params(labelsize=8.5)
    ax = right.subplots()
    edges = np.linspace(-1.2, 1.2, 49)
    for sample, (name, coupling, colour), style in zip(samples, phases, ("-", "--"), strict=True):
        ax.hist(
            sample.magnetization,
            edges,
            histtype="step",
            color=colour,
            lw=1.8,
            ls=style,
            label=f"{name.split(',')[0]}, lambda = {coupling:g}",
        )
    ax.set(xlabel="mean of the field", ylabel="fields")
    ax.set_ylim(top=1.45 * ax.get_ylim()[1])
    ax.legend(loc="upper center", fontsize=8.5)
    figure.suptitle("A scalar field with m^2 = -4: small lambda breaks the symmetry", fontsize=11.5)
    return (
        "Six fields on 6 by 6 sites. With lambda = 8 they fluctuate about zero and their means form one peak; with "
        "lambda = 3 each field has one sign, and the means form two peaks."
    )


PICTURES = {"lattice_field": lattice_field}
