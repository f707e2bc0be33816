"""Air showers: maps, footprints and traces."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, GREY

__all__ = ["PICTURES"]


def _stations(ax: Any, positions: np.ndarray, values: np.ndarray, label: str, figure: Figure | SubFigure) -> None:
    """Loud stations coloured by a value, silent ones as grey dots, in km."""
    loud = np.isfinite(values)
    x, y = np.moveaxis(positions / 1000.0, -1, 0)
    ax.plot(x[~loud], y[~loud], ".", color=GREY, ms=2.5, alpha=0.6)
    points = ax.scatter(x[loud], y[loud], c=values[loud], s=34, cmap="viridis", edgecolors="none")
    ax.set(xlabel="x (km)", aspect="equal")
    figure.colorbar(points, ax=ax, label=label)


def _maps(figure: Figure | SubFigure, array: str, number: int, title: str) -> str:
    from dlphys.simulators import airshower

    showers = airshower.simulate(40, seed=7, array=array, log_energy=(19.4, 20.0))
    positions = airshower.station_positions(array)
    signal, axis, core = showers.signal[number], showers.axis[number], showers.core[number, :2] / 1000.0
    axes = figure.subplots(1, 2, sharey=True)
    _stations(axes[0], positions, 1e6 * showers.time[number], "time (µs)", figure)
    _stations(axes[1], positions, np.log10(signal), "lg(signal / VEM)", figure)
    reach = 2.2 if array == "cartesian" else 3.0
    for ax, head in zip(axes, ("The front sweeps the array", "The signal marks the core"), strict=True):
        ax.set_title(head, fontsize=10.5)
    axes[0].set_ylabel("y (km)")
    arrow = {"arrowstyle": "->", "color": COLOURS[1], "lw": 2}
    axes[0].annotate("", core - reach * axis[:2], core + reach * axis[:2], arrowprops=arrow)
    axes[1].plot(*core, "x", color=COLOURS[1], ms=8, mew=2)
    figure.suptitle(title, fontsize=11.5)
    zenith = np.degrees(np.arccos(axis[2]))
    return (
        f"{title}. Two maps of an air shower of {showers.energy[number]:.0f} EeV, {zenith:.0f} degrees inclined: "
        f"arrival times grow along the direction of the shower, signals of {np.isfinite(signal).sum()} loud stations "
        "fall with the distance from the core; the others are silent."
    )


def _energy(figure: Figure | SubFigure) -> str:
    return _maps(figure, "cartesian", 3, "A shower on 14 by 14 stations")


def _showers(figure: Figure | SubFigure) -> str:
    return _maps(figure, "hexagonal", 3, "A shower on 9 by 9 stations of a triangular array")


def _footprints(figure: Figure | SubFigure) -> str:
    from dlphys.simulators import airshower

    energies = (1.0, 5.0, 20.0, 100.0)
    axes = figure.subplots(1, 4, sharey=True)
    colours = colormaps["viridis"].with_extremes(bad="#dcd9d2")
    listed = []
    for ax, energy in zip(axes, energies, strict=True):
        lg = 18.0 + np.log10(energy)
        bounds = (lg, lg + 0.001) if energy < 100.0 else (lg - 0.001, lg)
        shower = airshower.simulate(1, seed=4, preset="footprint", log_energy=bounds, zenith_max=45.0)
        values = np.log10(1.0 + shower.signal[0])
        image = ax.imshow(values, origin="lower", extent=(-3.375, 3.375) * 2, cmap=colours, vmin=0.0, vmax=3.75)
        ax.set_title(f"{energy:g} EeV", fontsize=10.5)
        ax.set(xlabel="x (km)", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
        ax.spines[:].set_visible(True)
        listed.append(f"{int(np.isfinite(values).sum())} at {energy:g} EeV")
    axes[0].set_ylabel("y (km)")
    figure.colorbar(image, ax=axes, label="lg(1 + signal / VEM)", shrink=0.8)
    title = "Higher energies light up more stations"
    figure.suptitle(title, fontsize=11.5)
    return (
        f"{title}. Four footprints on 9 by 9 stations, loud ones of 81: {', '.join(listed)}; the rest is silent (grey)."
    )


def _traces(figure: Figure | SubFigure) -> str:
    from dlphys.datasets._airshower import ADC_COUNTS
    from dlphys.simulators import airshower

    axes = figure.subplots(1, 2)
    ns = airshower.BIN_WIDTH * np.arange(80)
    looks = {"data": ("-", COLOURS[0]), "simulation": ("--", COLOURS[1])}
    for name, (line, colour) in looks.items():
        showers = airshower.simulate_traces(
            1, seed=5, preset="footprint", array="cluster", detector=name, log_energy=(19.2, 19.21), mass=14,
            zenith_max=30.0, core_radius=200.0,
        )  # fmt: skip
        trace = showers.traces[0, 1, 0]
        axes[0].step(ns, trace, where="post", color=colour, ls=line, lw=1.5, label=name)
        counts = np.log10(1.0 + ADC_COUNTS * np.maximum(trace, 0.0))
        axes[1].step(ns, counts, where="post", color=colour, ls=line, lw=1.5)
    axes[0].set(xlim=(0, 1000), ylabel="signal (VEM per 25 ns)")
    axes[1].set(xlim=(0, 2000), ylim=(0, 4.2), ylabel="lg(1 + ADC counts)")
    for ax in axes:
        ax.set_xlabel("time after the first particle (ns)")
    axes[0].legend(loc="upper right")
    title = "The simulation is brighter and faster than the data"
    figure.suptitle(title, fontsize=11.5)
    return (
        f"{title}. Trace of one shower of 16 EeV in a station 750 m from the central one, as signal and as logarithm: "
        "in the simulation it rises higher and falls sooner."
    )


PICTURES = {
    "airshower_energy": _energy,
    "airshowers": _showers,
    "shower_footprints": _footprints,
    "shower_traces": _traces,
}
