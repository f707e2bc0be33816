"""Picture of motions in phase space."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, GREY, MARKERS


def motions(figure: Figure | SubFigure) -> str:
    """Noisy pendulums on the lines of constant energy, orbits, and a double pendulum."""
    from dlphys.simulators.oscillators import hamiltonian, simulate

    left, middle, right = figure.subplots(1, 3)
    q, p = np.meshgrid(np.linspace(-3.3, 3.3, 121), np.linspace(-3.2, 3.2, 121))
    energy = hamiltonian(np.stack([q, p], axis=-1), system="pendulum")
    left.contour(q, p, energy, levels=[1, 2, 3, 4, 5, 6], colors=GREY, linewidths=0.5)
    pendulums = simulate(3, seed=2, system="pendulum", noise=0.1).observed
    for states, colour, marker in zip(pendulums, COLOURS, MARKERS, strict=False):
        left.plot(*states.T, marker, color=colour, ms=3)
    left.set(xlabel="angle $q$ (rad)", ylabel="momentum $p$", title="pendulum, noise 0.1")
    orbits = simulate(3, seed=4, system="kepler", preset="physics", points=400).states
    for states, colour in zip(orbits, COLOURS, strict=False):
        middle.plot(*states[:, :2].T, color=colour, lw=1)
    middle.plot(0, 0, "o", color=COLOURS[4], ms=5)
    middle.set(xlabel="x (AU)", ylabel="y (AU)", title="Kepler")
    middle.set_aspect("equal", adjustable="datalim")
    double = simulate(1, seed=5, system="double_pendulum", preset="physics", points=400)
    for index, (name, style) in enumerate((("upper", "-"), ("lower", "--"))):
        right.plot(double.time[0], double.states[0, :, index], style, color=COLOURS[index], lw=1, label=name)
    right.set(xlabel="time (s)", ylabel="angle (rad)", title="double pendulum")
    right.set_ylim(-2.4, 1.7)
    right.legend(fontsize=8, loc="lower center", ncols=2)
    for ax in (left, middle, right):
        ax.title.set_fontsize(9.5)
        ax.xaxis.label.set_fontsize(9)
        ax.yaxis.label.set_fontsize(9)
        ax.tick_params(labelsize=8)
    figure.suptitle("Motions keep to the lines of constant energy", fontsize=11)
    return (
        "Left, three pendulums as noisy points in the plane of angle and momentum, along grey ovals of constant "
        "energy. Middle, three elliptic orbits about the Sun, in astronomical units. Right, both angles of a double "
        "pendulum over ten seconds, irregular."
    )


PICTURES = {"oscillators": motions}
