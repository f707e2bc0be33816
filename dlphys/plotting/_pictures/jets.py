"""Pictures of jets: images, constituents, features and tracks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, GREY, MARKERS


def draw_quark_gluon_jets(figure: Figure | SubFigure) -> str:
    """The three channels of one gluon jet, and how many hadrons quark and gluon jets have."""
    from dlphys.simulators import jets

    sample = jets.simulate(4000, seed=3)
    count = jets.multiplicity(sample.constituents)
    chosen = int(np.argmin(np.abs(count - 42) + 1e3 * (sample.label != 0)))
    image = jets.jet_images(sample.constituents[[chosen]], sample.charge[[chosen]], normalised=True)[0]
    *pictures, right = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.5))
    names = ("charged $p_T$", "neutral $p_T$", "charged number")
    for ax, name, channel in zip(pictures, names, np.moveaxis(image, -1, 0), strict=True):
        ax.imshow(channel**0.3, extent=(-0.4, 0.4, -0.4, 0.4), origin="lower", cmap="viridis")
        ax.set(xlabel="$\\eta$", xticks=(-0.3, 0, 0.3), yticks=())
        ax.set_title(name, fontsize=10.5)
    pictures[0].set(ylabel="$\\phi$ (rad)", yticks=(-0.3, 0, 0.3))
    for label, name, marker in ((1, "quark", "-"), (0, "gluon", "--")):
        right.hist(
            count[sample.label == label], np.arange(0.5, 80, 3), density=True, histtype="step", lw=1.6, ls=marker,
            color=COLOURS[1 - label], label=name,
        )  # fmt: skip
    right.set(xlabel="hadrons in a jet", ylabel="density", xlim=(0, 70), yticks=(0, 0.02, 0.04))
    right.set_title("gluons radiate more", fontsize=10.5)
    right.legend(loc="upper right", handlelength=1.2, borderpad=0.1)
    return (
        "One gluon jet of 500 GeV as an image of 0.8 by 0.8 in eta and phi in three channels: transverse momentum of "
        "charged particles, of neutral particles, and number of charged particles. Histograms of the number of "
        f"hadrons: {count[sample.label == 1].mean():.0f} on average in quark jets, "
        f"{count[sample.label == 0].mean():.0f} in gluon jets."
    )


def draw_top_jets(figure: Figure | SubFigure) -> str:
    """Mean images of QCD and top jets after turning, and the groomed mass."""
    from dlphys.simulators import jets

    sample = jets.simulate(
        6000, seed=1, preset="physics", kinds=("qcd", "top"), pt=(550.0, 650.0), radius=0.8, contained=True,
        constituents=150,
    )  # fmt: skip
    images = jets.jet_images(sample.constituents, size=40, half_width=0.8, turned=True, normalised=True)[..., 0]
    mass = jets.jet_mass(jets.groomed(sample.constituents, jets.soft_drop(sample.constituents)[0]))
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
    for ax, label, name in ((left, 0, "mean QCD jet"), (middle, 1, "mean top jet")):
        mean = images[sample.label == label].mean(0)
        ax.imshow(np.log10(mean + 1e-5), extent=(-0.8, 0.8, -0.8, 0.8), origin="lower", vmin=-5, vmax=-1.5)
        ax.set(title=name, xlabel="across", xticks=(-0.6, 0, 0.6), yticks=(-0.6, 0, 0.6))
    left.set_ylabel("along (rad)")
    for label, name, marker in ((0, "QCD", "--"), (1, "top", "-")):
        right.hist(
            mass[sample.label == label], np.arange(0, 260, 8), density=True, histtype="step", lw=1.6, ls=marker,
            color=COLOURS[label], label=name,
        )  # fmt: skip
    right.set(title="mass after soft drop", xlabel="GeV", ylabel="density (1/GeV)", xlim=(0, 255))
    _room_above(right)
    return (
        "Mean images of quark and gluon jets and of top jets, turned to their principal axis and flipped: the first "
        "have one core, the second several. Histograms of the mass after soft drop: falling for quarks and gluons, "
        "peaked at the mass of the top for top jets."
    )


def draw_zprime_jets(figure: Figure | SubFigure) -> str:
    """The mass and the best single feature of Z' and QCD jets."""
    from dlphys.simulators import jets

    sample = jets.simulate_zprime(6000, seed=1)
    left, right = figure.subplots(1, 2)
    pairs = ((0, "QCD", "--"), (1, "Z' of 100 GeV", "-"))
    for label, name, marker in pairs:
        look = {"density": True, "histtype": "step", "lw": 1.6, "ls": marker, "color": COLOURS[label], "label": name}
        left.hist(sample.mass[sample.label == label], np.arange(0, 204, 4), **look)
    for label, name, marker in pairs:
        chosen = sample.label == label
        edges = np.arange(0, 200, 20)
        middle = (edges[:-1] + edges[1:]) / 2
        place = np.digitize(sample.mass[chosen], edges) - 1
        values = sample.features[chosen, 0]
        enough = [i for i in range(len(middle)) if (place == i).sum() > 30]
        mean = [values[place == i].mean() for i in enough]
        spread = [values[place == i].std() for i in enough]
        right.errorbar(
            middle[enough], mean, spread, fmt=MARKERS[label], ls=marker, color=COLOURS[label], lw=1.2, ms=4, label=name
        )
    left.set(title="The Z' is a bump", xlabel="jet mass (GeV)", ylabel="density (1/GeV)")
    right.set(title="A feature that knows the mass", xlabel="jet mass (GeV)", ylabel="$\\tau_{21}$", ylim=(0, 1))
    _room_above(left)
    _room_above(right)
    return (
        "Histograms of the jet mass: falling for quarks and gluons, a narrow peak at 100 GeV for the Z'. Mean and "
        "spread of the N-subjettiness ratio tau 21 against the jet mass: smaller for the Z', and for quark and gluon "
        "jets dependent on the mass."
    )


def draw_b_jets(figure: Figure | SubFigure) -> str:
    """Significances of impact parameters by flavour, and the masses of secondary vertices."""
    from dlphys.simulators import jets

    sample = jets.simulate_b_jets(20_000, seed=1)
    left, right = figure.subplots(1, 2)
    for flavour, name, marker, colour in (
        (0, "light", ":", GREY),
        (1, "charm", "--", COLOURS[1]),
        (2, "bottom", "-", COLOURS[0]),
    ):
        chosen = sample.flavour == flavour
        look = {"histtype": "step", "lw": 1.6, "ls": marker, "color": colour, "label": name}
        values = sample.tracks[chosen][..., 1]
        left.hist(values[~np.isnan(values)], np.arange(-15, 31, 1.5), density=True, **look)
        mass = sample.vertices[chosen, 0, 2]
        weight = np.full(np.count_nonzero(~np.isnan(mass)), 1 / chosen.sum())
        right.hist(mass[~np.isnan(mass)], np.arange(0.25, 6, 0.25), weights=weight, **look)
    left.set(
        title="Tracks miss the vertex", xlabel="significance of $d_0$", ylabel="tracks (density)", yscale="log",
    )  # fmt: skip
    right.set(title="Secondary vertices", xlabel="mass of the tracks (GeV)", ylabel="share of the jets")
    left.set_ylim(top=3)
    found = np.mean(~np.isnan(sample.vertices[sample.flavour == 2, 0, 0]))
    left.legend(loc="upper right")
    right.legend()
    return (
        "Histograms of the significance of the signed impact parameter of tracks: nearly symmetric about zero for "
        "light jets, with a long positive tail for charm and a longer one for bottom jets. Masses of secondary "
        f"vertices, found in {found:.0%} of bottom jets, reach up to 5 GeV there."
    )


def _room_above(ax: Axes) -> None:
    """A legend in one row above the curves."""
    ax.set_ylim(0, 1.25 * ax.get_ylim()[1])
    ax.legend(loc="upper center", ncols=2, handlelength=1.4, columnspacing=1.0)


PICTURES = {
    "quark_gluon_jets": draw_quark_gluon_jets,
    "top_jets": draw_top_jets,
    "zprime_jets": draw_zprime_jets,
    "b_jets": draw_b_jets,
}
