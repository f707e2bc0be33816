"""Pictures of events in detectors."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch, Rectangle

from dlphys.plotting.style import BACKGROUND, COLOURS, GREY, INK


def neutrino_displays(figure: Figure | SubFigure) -> str:
    """A muon and an electron event, from above and from the side."""
    from dlphys.simulators.events import neutrino_displays as simulate

    sample = simulate(60, seed=7)
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for column, (label, name) in enumerate(((0, "muon"), (1, "electron"))):
        some = np.flatnonzero((sample.label == label) & (sample.lepton_energy > 1.3))
        event = some[(sample.images[some] > 0).sum((1, 2, 3)).argmax()]
        for row in range(2):
            view = sample.images[event, :, :, row].T
            shown = axes[row, column].imshow(
                np.where(view > 0, view, np.nan),
                extent=(0, 80 * 0.132, -24 * 0.039, 24 * 0.039),
                norm=LogNorm(0.5, 100),
                origin="lower",
                aspect="auto",
                cmap="viridis_r",
            )
        axes[0, column].set_title(f"{name} of {sample.lepton_energy[event]:.1f} GeV", fontsize=10)
        axes[1, column].set_xlabel("along the beam (m)", fontsize=9)
    axes[0, 0].set_ylabel("x (m)", fontsize=9)
    axes[1, 0].set_ylabel("y (m)", fontsize=9)
    for ax in axes.flat:
        ax.tick_params(labelsize=8)
    bar = figure.colorbar(shown, ax=axes.ravel().tolist(), fraction=0.04, pad=0.01)
    bar.set_label("energy in a cell (MeV)", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    figure.suptitle("A muon is a long, thin track, an electron a shorter and broader shower", fontsize=11)
    return (
        "Two neutrino events, each seen from above and from the side over ten metres along the beam. The muon is one "
        "thin line of several metres with some ten MeV in a cell. The electron's energy spreads over many cells "
        "within about three metres, with single hits far from its axis."
    )


def tpc_pixels(figure: Figure | SubFigure) -> str:
    """Two pictures and the classes of their pixels."""
    from dlphys.simulators.events import tpc_pixels as simulate

    sample = simulate(40, seed=4)
    mixed = np.minimum((sample.truth == 1).sum((1, 2)), (sample.truth == 2).sum((1, 2)))
    first, second = np.argsort(mixed)[-2:]
    axes = figure.subplots(1, 4)
    classes = ListedColormap([BACKGROUND, COLOURS[0], COLOURS[1]])
    for left, event in ((0, first), (2, second)):
        energy = sample.energy[event]
        axes[left].imshow(np.where(energy > 0, energy, np.nan), norm=LogNorm(0.4, 30), cmap="viridis_r")
        axes[left + 1].imshow(sample.truth[event], vmin=0, vmax=2, cmap=classes)
        axes[left].set_title("energy", fontsize=10)
        axes[left + 1].set_title("truth", fontsize=10)
    for ax in axes:
        ax.set(xticks=[0, 32, 63], yticks=[0, 32, 63])
        ax.tick_params(labelsize=8)
        ax.spines[:].set_visible(True)
    axes[0].set_ylabel("drift (cm)", fontsize=9)
    for ax in axes:
        ax.set_xlabel("wire (cm)", fontsize=9)
    handles = [Patch(color=COLOURS[0], label="track"), Patch(color=COLOURS[1], label="shower")]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)
    figure.suptitle("Liquid argon: every pixel is track, shower, or noise", fontsize=11)
    return (
        "Two liquid-argon pictures of 64 by 64 pixels, each beside the classes of its pixels. Straight lines are "
        "tracks, wiggly and broken branches are showers, and single pixels far from both are noise or photons."
    )


def scenes(figure: Figure | SubFigure) -> str:
    """Three pictures with boxes."""
    from dlphys.simulators.events import scenes as simulate

    sample = simulate(12, seed=8)
    names, styles = ("track", "shower", "interaction"), ("-", "--", ":")
    axes = figure.subplots(1, 3)
    for ax, event in zip(axes, np.argsort(-sample.count, kind="stable")[:3], strict=True):
        image = sample.images[event]
        ax.imshow(np.where(image > 0, image, np.nan), norm=LogNorm(0.4, 30), cmap="viridis_r")
        for kind, (top, left, bottom, right) in zip(sample.kind[event], sample.boxes[event], strict=True):
            if kind >= 0:
                place, wide, high = (left - 0.5, top - 0.5), right - left, bottom - top
                box = Rectangle(place, wide, high, fill=False, color=COLOURS[kind], ls=styles[kind], lw=1.6)
                ax.add_patch(box)
        ax.set(xticks=[0, 48, 95], yticks=[0, 48, 95], xlabel="wire (cm)")
        ax.spines[:].set_visible(True)
    axes[0].set_ylabel("drift (cm)")
    handles = [
        Patch(fill=False, edgecolor=COLOURS[k], ls=styles[k], lw=1.6, label=name) for k, name in enumerate(names)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=9)
    figure.suptitle("Objects to be found: where, and of which kind", fontsize=11)
    return (
        "Three liquid-argon pictures of 96 by 96 pixels with up to three objects each. Boxes surround tracks, "
        "showers and interactions of three particles; some overlap."
    )


def tracker_hits(figure: Figure | SubFigure) -> str:
    """One event across the beam: true segments, and false candidates."""
    from dlphys.simulators.events import LAYERS, edge_candidates
    from dlphys.simulators.events import tracker_hits as simulate

    sample = simulate(4, seed=2, preset="physics")
    edges, count = edge_candidates(sample.hits, sample.layer, most=800)
    event = 1
    hits, particle = sample.hits[event], sample.particle[event]
    pairs = edges[event, : count[event]]
    same = (particle[pairs[:, 0]] == particle[pairs[:, 1]]) & (particle[pairs[:, 0]] >= 0)
    radius = np.hypot(hits[:, 0], hits[:, 1])
    axes = figure.subplots(1, 2, width_ratios=(1.0, 1.1))
    for ax, (across, up) in zip(axes, ((hits[:, 0], hits[:, 1]), (hits[:, 2], radius)), strict=True):
        for chosen, colour, width, label in ((~same, COLOURS[1], 0.7, "false"), (same, COLOURS[0], 1.3, "true")):
            lines = ax.plot(across[pairs[chosen]].T, up[pairs[chosen]].T, color=colour, lw=width, alpha=0.8)
            lines[0].set_label(f"{label} candidate")
        ax.plot(across[particle >= 0], up[particle >= 0], ".", color=INK, ms=4, label="hit")
        noise = (particle < 0) & (sample.layer[event] >= 0)
        ax.plot(across[noise], up[noise], "x", color=GREY, ms=5, label="noise")
    turn = np.linspace(0, 2 * np.pi, 200)
    for layer in LAYERS:
        axes[0].plot(layer * np.cos(turn), layer * np.sin(turn), color=GREY, lw=0.3, zorder=0)
    shown = np.nan_to_num(hits[particle >= 0])
    axes[0].set(xlabel="x (m)", ylabel="y (m)", aspect="equal", adjustable="box")
    axes[0].set(xlim=(shown[:, 0].min() - 0.1, shown[:, 0].max() + 0.1))
    axes[0].set(ylim=(shown[:, 1].min() - 0.1, shown[:, 1].max() + 0.1))
    axes[1].set(xlabel="z along the beam (m)", ylabel="radius (m)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
    figure.suptitle("Which candidate segments belong to a helix?", fontsize=11)
    return (
        "Hits of a jet of twelve particles in ten layers, seen along the beam and from the side. True segments "
        "form smooth curves from the centre outwards; false candidates cross between neighbouring curves."
    )


def single_molecules(figure: Figure | SubFigure) -> str:
    """The same kind of molecule at five depths, and the smallest error."""
    from dlphys.simulators.events import localisation_bound
    from dlphys.simulators.events import single_molecules as simulate

    sample = simulate(400, seed=3, photons=3000.0, photon_spread=0.0)
    places = sample.positions[:, 0]
    middle = np.abs(places[:, :2] - 576).max(1) < 150
    axes = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.5))
    for ax, depth in zip(axes, (-400, 0, 400), strict=False):
        event = np.abs(places[:, 2] - depth + 1e6 * ~middle).argmin()
        ax.imshow(sample.images[event], extent=(0, 1.152, 1.152, 0), cmap="viridis")
        x, y, z = places[event]
        ax.plot(1e-3 * x, 1e-3 * y, "+", color="white", ms=12, mew=1.5)
        ax.set_title(f"z = {z:.0f} nm", fontsize=10)
        ax.set(xticks=[0, 1], yticks=[0, 1])
        ax.set_xlabel("x (µm)", fontsize=9)
        ax.tick_params(labelsize=8)
    axes[0].set_ylabel("y (µm)", fontsize=9)
    z = np.linspace(-500, 500, 81)
    line = np.column_stack([np.full((81, 2), 576.0), z])
    error = np.sqrt(np.einsum("nii->ni", localisation_bound(line, 3000.0, 10.0)))
    for k, (name, style) in enumerate((("x", "-"), ("y", "--"), ("z", "-."))):
        axes[3].plot(z, error[:, k], style, color=COLOURS[k], label=name)
    axes[3].set(ylim=(0, None))
    axes[3].set_xlabel("depth (nm)", fontsize=9)
    axes[3].set_title("smallest error (nm)", fontsize=10)
    axes[3].tick_params(labelsize=8)
    axes[3].legend(fontsize=8, loc="upper right", ncols=3, handlelength=1.6, columnspacing=0.8)
    axes[3].set_ylim(0, 1.35 * error.max())
    figure.suptitle("The shape of the spot tells the depth of a molecule", fontsize=11)
    return (
        "Three camera pictures of single molecules: wide horizontally below the focus, round in focus, wide "
        "vertically above. Beside them the smallest possible errors of a place for 3000 photons: a few nanometres in x "
        "and y, between ten and twenty in depth."
    )


def stm(figure: Figure | SubFigure) -> str:
    """A topograph, the gap, and what the best linear filter makes of it."""
    from dlphys.simulators.events import stm_topographs, wiener_gap

    sample = stm_topographs(3, seed=5)
    pictures = (sample.height[1], sample.gap[1], wiener_gap(sample.height)[1])
    axes = figure.subplots(1, 3)
    for ax, image, name, unit, cmap in zip(
        axes,
        pictures,
        ("topograph", "band gap", "linear filter"),
        ("height (pm)", "gap (meV)", "gap (meV)"),
        ("cividis", "viridis", "viridis"),
        strict=True,
    ):
        low, high = (None, None) if name == "topograph" else (pictures[1].min(), pictures[1].max())
        shown = ax.imshow(image, extent=(0, 8, 8, 0), cmap=cmap, vmin=low, vmax=high)
        ax.set_title(name, fontsize=10)
        ax.set_xlabel("x (nm)", fontsize=9)
        ax.tick_params(labelsize=8)
        bar = figure.colorbar(shown, ax=ax, fraction=0.046, pad=0.03)
        bar.set_label(unit, fontsize=8)
        bar.ax.tick_params(labelsize=8)
    axes[0].set_ylabel("y (nm)", fontsize=9)
    figure.suptitle("Defects leave traces in the height and shift the gap", fontsize=11)
    return (
        "Three maps of the same eight by eight nanometres. The topograph shows a hexagonal lattice with dark, "
        "triangular hollows and broad bright hills. The band gap varies smoothly between about 8 and 30 meV. A linear "
        "filter of the topograph finds its large features, blurred."
    )


PICTURES = {
    "neutrino_displays": neutrino_displays,
    "tpc_pixels": tpc_pixels,
    "scenes": scenes,
    "tracker_hits": tracker_hits,
    "single_molecules": single_molecules,
    "stm": stm,
}
