"""Pictures of the sets that exist outside this package, drawn from their stand-ins, and of spins and earthquakes."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import BACKGROUND, COLOURS, GREY, INK, MARKERS


def draw_wine(figure: Figure | SubFigure) -> str:
    """Quality over alcohol, and the correlations of all columns with the quality."""
    from dlphys.datasets import _wine

    table = _wine.make_stand_in()["table"]
    names = tuple(_wine.UNITS)
    quality, alcohol = table[:, -1], table[:, 10]
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    random = np.random.default_rng(1)
    left.plot(
        alcohol, quality + random.uniform(-0.3, 0.3, len(quality)), ".", ms=2, alpha=0.25, color=COLOURS[0], mew=0
    )
    edges = np.quantile(alcohol, np.linspace(0, 1, 9))
    bins = np.clip(np.searchsorted(edges, alcohol, side="right") - 1, 0, 7)
    means = [[values[bins == i].mean() for i in range(8)] for values in (alcohol, quality)]
    left.plot(*means, "s-", color=COLOURS[1], ms=5, label="mean")
    left.set(title="stronger wines taste better", xlabel="alcohol (% by volume)", ylabel="quality (0 to 10)")
    left.legend(loc="lower right")
    correlation = np.corrcoef(table.T)[-1, :-1]
    order = np.argsort(np.abs(correlation))
    right.barh(
        range(len(order)), correlation[order], color=[COLOURS[0] if r > 0 else COLOURS[1] for r in correlation[order]]
    )
    right.set_yticks(range(len(order)), [names[i] for i in order], fontsize=8)
    right.axvline(0, color=INK, lw=0.8)
    right.set(title="alone, none tells much", xlabel="correlation with quality")
    return (
        "Scatter plot of the quality of 4898 wines over their alcohol; the mean quality rises from "
        f"{means[1][0]:.1f} to {means[1][-1]:.1f}. Bars of the correlation of eleven measurements with quality, from "
        f"{correlation.min():.2f} (density) to {correlation.max():.2f} (alcohol). Drawn from the stand-in."
    )


def draw_mnist(figure: Figure | SubFigure) -> str:
    """Four of each digit."""
    from dlphys.datasets import _digits

    made = _digits.make_stand_in(2400, 1)
    rows = [np.flatnonzero(made["y_train"] == digit)[[0, 2, 4, 6]] for digit in range(10)]
    _sheet(figure, made["x_train"][np.array(rows)], tuple("0123456789"), "Ten digits, many hands", invert=True)
    return (
        "Four handwritten digits of each kind from 0 to 9, 28 by 28 pixels, bent and of different pen widths. "
        "Drawn from the stand-in."
    )


def draw_fashion_mnist(figure: Figure | SubFigure) -> str:
    """Four of each garment."""
    from dlphys.datasets import _garments
    from dlphys.datasets._images import GARMENTS

    names = ("T-shirt", *GARMENTS[1:])
    _sheet(figure, _drawn(_garments), names, "Ten kinds of garment: four for the upper body look alike", invert=True)
    return (
        f"Four pictures of each kind of garment, 28 by 28 pixels, grey: {', '.join(GARMENTS)}. Drawn from the stand-in."
    )


def draw_cifar10(figure: Figure | SubFigure) -> str:
    """Four of each object."""
    from dlphys.datasets import _objects
    from dlphys.datasets._images import OBJECTS

    _sheet(figure, _drawn(_objects), OBJECTS, "Ten kinds of object in colour, seen from many sides")
    listed = ", ".join(OBJECTS)
    return f"Four pictures of each kind of object, 32 by 32 pixels, in colour: {listed}. Drawn from the stand-in."


def _drawn(module: ModuleType) -> np.ndarray:
    random = np.random.default_rng(4)
    return np.stack([module.draw(kind, 4, random) for kind in range(10)])


def _sheet(
    figure: Figure | SubFigure, pictures: np.ndarray, names: tuple[str, ...], title: str, *, invert: bool = False
) -> None:
    """A column for each class, the name above it; ``pictures`` is (10, 4, h, w) or (10, 4, h, w, 3), uint8."""
    figure.suptitle(title)
    ground = np.array([251, 250, 247]) / 255  # of the page
    for ax, column, name in zip(figure.subplots(1, 10), pictures, names, strict=True):
        coloured = (column if column.ndim == 4 else column[..., None]) / 255 * np.ones(3)
        framed = np.empty((4, column.shape[1] + 2, column.shape[2] + 2, 3))
        framed[:] = ground
        framed[:, 1:-1, 1:-1] = 1 - coloured if invert else coloured
        strip = framed.reshape(-1, *framed.shape[2:])
        ax.imshow(strip, vmin=0, vmax=1)
        ax.set_title(name, fontsize=8.5)
        ax.set_axis_off()


def draw_karate_club(figure: Figure | SubFigure) -> str:
    """The graph with its four groups and the members whose group is given."""
    import networkx

    from dlphys.datasets._karate import GROUPS, LABELLED

    graph = networkx.karate_club_graph()
    place = networkx.kamada_kawai_layout(graph, weight=None)
    spots = np.array([place[member] for member in graph])
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1))
    for a, b in graph.edges:
        left.plot(*spots[[a, b]].T, color=GREY, lw=0.6, alpha=0.5, zorder=1)
    for group in range(4):
        members = [member for member in graph if GROUPS[member] == group]
        look = {"color": COLOURS[group], "marker": MARKERS[group], "s": 60, "edgecolors": BACKGROUND, "zorder": 2}
        left.scatter(*spots[members].T, label=f"group {group}: {len(members)} members", **look)
    known = list(LABELLED)
    left.scatter(
        *spots[known].T, s=170, facecolors="none", edgecolors=INK, linewidths=1.6, zorder=3, label="group given"
    )
    for member in (0, 33):
        left.annotate(str(member), spots[member], ha="center", va="center", fontsize=6.5, color=BACKGROUND, zorder=4)
    left.set_title("34 members, four groups, four labels")
    left.set_axis_off()
    right.set_axis_off()
    right.legend(*left.get_legend_handles_labels(), loc="center", labelspacing=1.1)
    return (
        "Graph of 34 members in four colours and shapes, one for each group, joined by 78 lines. Members 0 and 33 have "
        "the most lines. Rings mark the four members, one of each group, whose group is given."
    )


def draw_higgs(figure: Figure | SubFigure) -> str:
    """A measured column and a mass that separates."""
    from dlphys.simulators import resonance

    events = resonance.simulate_higgs(20_000, seed=1)
    columns = list(resonance.HIGGS_COLUMNS)
    for ax, name, title, label, top in zip(
        figure.subplots(1, 2),
        ("lepton_pT", "m_bb"),
        ("a measured column hardly differs", "a mass made of several does"),
        ("lepton momentum (1 = mean)", "mass of the two b jets (1 = mean)"),
        (3.0, 3.0),
        strict=True,
    ):
        values = events.features[:, columns.index(name)]
        for kind, word, style in ((1, "signal", "-"), (0, "top quark pairs", "--")):
            look = {"histtype": "step", "lw": 1.7, "ls": style, "color": COLOURS[1 - kind], "label": word}
            ax.hist(values[events.label == kind], np.linspace(0, top, 50), density=True, **look)
        ax.set(title=title, xlabel=label, xlim=(0, top), yticks=[])
    figure.axes[0].set_ylabel("events (density)")
    figure.axes[0].legend()
    return (
        "Histograms for signal and pairs of top quarks, drawn from the stand-in. The lepton momenta nearly agree. "
        "The mass of the two b jets has a narrow peak for the signal and a broad hill for top quarks."
    )


def draw_top_tagging(figure: Figure | SubFigure) -> str:
    """One jet of each kind, and the masses of many."""
    from dlphys.simulators import jets

    sample = jets.simulate(
        2000,
        seed=5,
        preset="physics",
        kinds=("qcd", "top"),
        pt=(550.0, 650.0),
        radius=0.8,
        contained=True,
        constituents=100,
    )
    mass = jets.jet_mass(sample.constituents)
    axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
    for ax, label, name in zip(axes, (0, 1), ("a light quark or gluon", "a top quark"), strict=False):
        typical = np.abs(mass - (170 if label else 60)) + 1e6 * (sample.label != label)
        pt, eta, phi = sample.constituents[np.argsort(typical)[3]].T[:3].astype(float)
        seen = pt > 0
        pt, eta, phi = pt[seen], eta[seen], phi[seen]
        phi = np.angle(np.exp(1j * (phi - phi[0])))
        eta, phi = eta - np.average(eta, weights=pt), phi - np.average(phi, weights=pt)
        ax.scatter(eta, phi, s=3 * pt, color=COLOURS[label], alpha=0.55, linewidths=0)
        ax.set(
            title=name,
            xlabel="$\\eta$",
            xlim=(-0.8, 0.8),
            ylim=(-0.8, 0.8),
            xticks=(-0.6, 0, 0.6),
            yticks=(-0.6, 0, 0.6),
        )
        ax.set_aspect("equal")
    axes[0].set_ylabel("$\\phi$ (rad)")
    for label, word, style in ((0, "quark or gluon", "--"), (1, "top quark", "-")):
        look = {"histtype": "step", "lw": 1.7, "ls": style, "color": COLOURS[label], "label": word}
        axes[2].hist(mass[sample.label == label], np.arange(0, 260, 8), density=True, **look)
    axes[2].set(title="mass of 2000 jets", xlabel="mass (GeV)", yticks=[], xlim=(0, 250))
    axes[2].set_ylim(0, 1.45 * axes[2].get_ylim()[1])
    axes[2].legend(fontsize=9, loc="upper left")
    return (
        "The constituents of two jets in the plane of pseudorapidity and azimuth, discs as large as their momenta: the "
        "jet of a light quark or gluon has one core, the one of a top quark several. Histograms of the mass: most "
        "light jets lie below 100 GeV, top jets peak near 170 GeV. Drawn from the stand-in."
    )


def draw_ising(figure: Figure | SubFigure) -> str:
    """Lattices from cold to hot."""
    from matplotlib.colors import ListedColormap

    from dlphys.simulators import ising

    temperatures = (1.5, 2.2, 2.3, 3.5)
    sample = ising.simulate(4, size=32, temperature=temperatures, seed=3)
    figure.suptitle("Spins order below 2.27 J/k$_B$, and near it nobody can tell")
    for ax, lattice, temperature in zip(figure.subplots(1, 4), sample.spins, temperatures, strict=True):
        ax.imshow(lattice, cmap=ListedColormap([COLOURS[0], "#f2d6a2"]), vmin=-1, vmax=1)
        ax.set(title=f"{temperature} J/k$_B$", xlabel="x (sites)", xticks=(0, 31), yticks=(0, 31))
        ax.spines[:].set_visible(True)
    figure.axes[0].set_ylabel("y (sites)")
    means = ", ".join(f"{lattice.mean():+.2f} at {t}" for lattice, t in zip(sample.spins, temperatures, strict=True))
    return (
        "Four lattices of 32 by 32 spins in two colours at rising temperature: one colour, few islands, patches of all "
        f"sizes, grains. Mean spin {means} J/k_B."
    )


def draw_earthquakes(figure: Figure | SubFigure) -> str:
    """The map, and the times of one event at the four stations."""
    from dlphys.simulators import earthquakes

    quakes = earthquakes.simulate(600, seed=2)
    stations = earthquakes.STATIONS
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
    left.plot(*quakes.epicentres.T, "o", ms=2.5, alpha=0.6, mew=0, color=COLOURS[0], label="epicentres")
    left.plot(*stations.T, "^", ms=10, color=COLOURS[2], mec=BACKGROUND, label="stations")
    one = int(np.abs(quakes.epicentres - (6.0, 22.0)).sum(axis=1).argmin())
    left.plot(*quakes.epicentres[one], "x", ms=9, mew=2.2, color=COLOURS[1], label="one event")
    for i, (x, y) in enumerate(stations, start=1):
        side = 1 if x > 0 else -1
        left.annotate(str(i), (x, y), (14 * side, 0), textcoords="offset points", ha="center", va="center", fontsize=10)
    left.set(title="where", xlabel="east (km)", ylabel="north (km)")
    left.set_aspect("equal", adjustable="datalim")
    for wave, name in enumerate(("P wave", "S wave")):
        look = {"color": COLOURS[wave], "marker": MARKERS[wave], "s": 55}
        right.scatter(quakes.times[one].reshape(4, 2)[:, wave], range(1, 5), label=name, zorder=3, **look)
    right.hlines(range(1, 5), 0, quakes.times[one].max() * 1.1, color=GREY, lw=0.8)
    right.set(
        title="when one event is registered", xlabel="time after the quake (s)", ylabel="station", yticks=range(1, 5)
    )
    right.set_xlim(0, None)
    right.set_ylim(0.5, 4.5)
    right.legend(loc="lower right", fontsize=9)
    return (
        "Map of 600 epicentres along a plate border and of four stations at the corners of a square. For one marked "
        "event the arrival times of P and S wave at each station: the S wave is later, the more so the farther away."
    )


PICTURES = {
    "wine": draw_wine,
    "mnist": draw_mnist,
    "fashion_mnist": draw_fashion_mnist,
    "cifar10": draw_cifar10,
    "karate_club": draw_karate_club,
    "higgs": draw_higgs,
    "top_tagging": draw_top_tagging,
    "ising": draw_ising,
    "earthquakes": draw_earthquakes,
}
