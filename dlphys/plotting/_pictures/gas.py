"""Picture of the gas thermometer."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, GREY, MARKERS


def thermometer(figure: Figure | SubFigure) -> str:
    """Densities with the speeds of one gas each, and estimates beside the truth."""
    from dlphys.simulators.gas import maxwell_boltzmann, posterior_mean, simulate

    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    v = np.linspace(0.0, 4500.0, 300)
    for index, T in enumerate((100.0, 300.0, 1000.0)):
        left.plot(v / 1000, 1000 * maxwell_boltzmann(v, T), color=COLOURS[index], label=f"{T:.0f} K")
        speeds = simulate(1, seed=3, atoms=30, temperature=T).speeds[0] / 1000
        left.plot(speeds, np.full(30, -0.08 - 0.09 * index), MARKERS[index], color=COLOURS[index], ms=3, alpha=0.7)
    left.set(xlabel="speed (km/s)", ylabel="density (s/km)", title="helium, 30 atoms each")
    left.legend(fontsize=9)
    gases = simulate(250, seed=4)
    right.plot([100, 1000], [100, 1000], color=GREY, lw=1)
    right.plot(gases.temperature, posterior_mean(gases.speeds), "o", color=COLOURS[0], ms=2.5)
    right.set(xlabel="temperature (K)", ylabel="posterior mean (K)", title="100 atoms each")
    for ax in (left, right):
        ax.title.set_fontsize(10)
    figure.suptitle("A hundred atoms tell the temperature to a few per cent", fontsize=11)
    return (
        "Left, the density of the speed of helium atoms at 100, 300 and 1000 K, with maxima at 0.6, 1.1 and 2.0 km/s, "
        "and below it 30 speeds for each. Right, the posterior mean of the temperature against the true one for 250 "
        "gases, along the diagonal."
    )


PICTURES = {"gas": thermometer}
