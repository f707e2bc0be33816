"""Pictures of the dijet bump, the Higgs events, and the ttH jets."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys.plotting.style import COLOURS, GREY, INK


def dijets(figure: Any) -> str:
    """The spectrum with its fit, before and after the optimal cut."""
    from dlphys.simulators import resonance

    events = resonance.simulate(200_000, signal_fraction=0.003, seed=1)
    keep = resonance.feature_log_ratio(events.mass, events.features) > 0
    edges = np.linspace(2.5, 5.0, 51)
    centres = (edges[:-1] + edges[1:]) / 2
    ax, features = figure.subplots(1, 2, width_ratios=(1.5, 1))
    for chosen, colour, marker, name in (
        (np.ones(len(keep), bool), COLOURS[0], "o", "all events"),
        (keep, COLOURS[1], "s", "after the best cut"),
    ):
        counts, _ = np.histogram(events.mass[chosen], edges)
        fit = resonance.fit_spectrum(counts, edges, window=(3.3, 3.7))
        ax.errorbar(centres, counts, np.sqrt(counts), fmt=marker, ms=2.5, lw=0.8, capsize=0, color=colour, label=name)
        ax.plot(centres, fit.expected, color=GREY, lw=1.2)
    ax.set(yscale="log", xlabel="dijet mass (TeV)", ylabel="events per 50 GeV")
    ax.legend(fontsize=8.5)
    ax.set_title("A cut on two features shows the bump", fontsize=10.5)
    few = slice(0, 4000)
    many = resonance.simulate(300, signal_fraction=1.0, seed=2)
    features.plot(*events.features[few].T, "o", ms=1.2, mew=0, color=COLOURS[0], label="background")
    features.plot(*many.features.T, "s", ms=1.8, mew=0, color=COLOURS[1], label="signal")
    features.set(xlim=(0, 450), ylim=(0, 1), xlabel="jet mass (GeV)", ylabel=r"$\tau_{21}$")
    features.set_title("The two features", fontsize=10.5)
    features.legend(fontsize=8.5, markerscale=3, loc="lower right")
    return (
        "Left: dijet masses from 2.5 to 5 TeV on a logarithmic axis, all events and those after the optimal cut, with "
        "fits of the smooth spectrum; only after the cut a bump at 3.5 TeV stands out. Right: jet mass against tau21; "
        "the signal lies at larger masses and smaller ratios."
    )


def higgs_events(figure: Any) -> str:
    """Two of the seven high-level columns and one low-level one, for signal and background."""
    from dlphys.simulators import resonance

    events = resonance.simulate_higgs(20_000, seed=1, units="GeV")
    axes = figure.subplots(1, 3)
    for ax, column, name, upper in zip(
        axes, (5, 25, 27), ("leading jet $p_T$", "$m_{bb}$", "$m_{WWbb}$"), (300, 400, 1200), strict=True
    ):
        for label, colour, style, word in ((1, COLOURS[1], "-", "signal"), (0, COLOURS[0], "--", "top pairs")):
            values = events.features[events.label == label, column]
            ax.hist(values, np.linspace(0, upper, 41), histtype="step", ls=style, lw=1.6, color=colour, label=word,
                    density=True)  # fmt: skip
        ax.set(xlabel=f"{name} (GeV)", yticks=[])
    axes[1].axvline(125, color=GREY, lw=1, ls=":")
    axes[2].axvline(425, color=GREY, lw=1, ls=":")
    axes[0].set_ylabel("density")
    axes[0].legend(fontsize=8.5)
    figure.suptitle("Masses made of the measured columns tell more than these columns one by one", fontsize=10.5)
    return (
        "Densities of signal and of top quark pairs: the transverse momentum of the leading jet is alike for both, the "
        "mass of the two b jets peaks at 125 GeV and the mass of all at 425 GeV for the signal only."
    )


def tth(figure: Any) -> str:
    """One event with eight jets, and the mass of the Higgs boson from true and from random pairs."""
    from dlphys.simulators import resonance

    events = resonance.simulate_tth(2000, seed=5)
    ax, masses = figure.subplots(1, 2, width_ratios=(1.25, 1))
    jets, parent = events.jets[0], events.parent[0]
    for code, name in enumerate(("Higgs boson", "first top quark", "second top quark")):
        own = jets[parent == code]
        ax.scatter(own[:, 1], own[:, 2], s=2.0 * own[:, 0], color=COLOURS[code], marker="os^"[code], label=name,
                   edgecolor=INK, linewidth=0.5, alpha=0.8)  # fmt: skip
    ax.set(xlim=(-2.8, 2.8), ylim=(-3.4, 5.6), yticks=[-3, 0, 3], xlabel=r"$\eta$", ylabel=r"$\phi$ (rad)")
    legend = ax.legend(fontsize=8.5, loc="upper left", ncols=2)
    for handle in legend.legend_handles:
        handle.set_sizes([30])
    ax.set_title("Eight jets, three parents", fontsize=10.5)
    true: list[float] = []
    wrong: list[float] = []
    for row, parents in zip(events.jets.astype(float), events.parent, strict=True):
        for collected, (a, b) in (
            (true, np.flatnonzero(parents == 0)),
            (wrong, (np.flatnonzero(parents == 0)[0], np.flatnonzero(parents == 1)[0])),
        ):
            angle = np.cosh(row[a, 1] - row[b, 1]) - np.cos(row[a, 2] - row[b, 2])
            collected.append(np.sqrt(2 * row[a, 0] * row[b, 0] * angle))
    bins = np.linspace(0, 400, 41)
    masses.hist(true, bins, histtype="step", lw=1.6, color=COLOURS[0], label="true pair")
    masses.hist(wrong, bins, histtype="step", lw=1.6, ls="--", color=COLOURS[1], label="wrong pair")
    masses.set(xlabel="mass of two jets (GeV)", ylabel="events")
    masses.legend(fontsize=8.5)
    masses.set_title("Masses of jet pairs", fontsize=10.5)
    return (
        "Left: one event as eight jets in eta and phi, with areas that grow with the transverse momentum, marked by "
        "their parent: two of the Higgs boson, three of either top quark. Right: the mass of the true pair of Higgs "
        "jets peaks at 125 GeV, that of a wrong pair is broad."
    )


PICTURES = {"dijets": dijets, "higgs_events": higgs_events, "tth": tth}
