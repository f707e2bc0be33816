"""Pictures of time series."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, GREY, INK


def sine(figure: Figure | SubFigure) -> str:
    """A piece of the book's wave, noisy waves, and a struck oscillator."""
    from dlphys.simulators.series import STEP, oscillations, sines

    book, waves = sines(400, seed=1), sines(3, seed=4, preset="physics", noise=0.1)
    struck = oscillations(1, seed=6, blows=2.0)
    axes = figure.subplots(1, 3)
    piece = 75
    time = book.time[piece] + 0.01 * np.arange(21)
    axes[0].plot(book.time, book.windows[:, 0], color=GREY, lw=0.8)
    axes[0].plot(time[:20], book.windows[piece], "o", color=COLOURS[0], ms=3.5, label="seen")
    axes[0].plot(time[20], book.target[piece], "*", color=COLOURS[1], ms=10, label="next")
    axes[0].set_title("the book's sine", fontsize=10)
    axes[0].set(ylim=(-1.8, 1.25), xlim=(0, 4))
    axes[0].legend(fontsize=8, ncols=2, loc="lower left", handletextpad=0.3, columnspacing=0.8)
    markers = ("o", "s", "^")
    for k in range(3):
        axes[1].plot(STEP * np.arange(20), waves.windows[k], markers[k], color=COLOURS[k], ms=3)
        axes[1].plot(STEP * 20, waves.target[k], "*", color=COLOURS[k], ms=9)
    axes[1].set_title("many waves, noise", fontsize=10)
    steps = STEP * np.arange(struck.force.shape[1])
    axes[2].plot(steps, 10 * struck.displacement[0], color=COLOURS[2])
    for blow in np.flatnonzero(struck.force[0]):
        axes[2].plot([steps[blow]] * 2, [0, struck.force[0, blow]], color=INK, lw=1.5)
    axes[2].set_title("a struck oscillator", fontsize=10)
    axes[0].set_ylabel("value", fontsize=9)
    axes[2].set_ylabel("0.1 m; blows in m/s", fontsize=9)
    for ax in axes:
        ax.set_xlabel("time (s)", fontsize=9)
        ax.tick_params(labelsize=8)
    figure.suptitle("Continue the wave: easy, with noise, and after a blow", fontsize=11)
    return (
        "Left: a sine wave with period two seconds, twenty neighbouring values of it and the next one. Middle: three "
        "noisy waves of other frequencies with their next values. Right: an oscillator that rings down and is struck "
        "again."
    )


def quenches(figure: Figure | SubFigure) -> str:
    """A quiet magnet and two that quench."""
    from dlphys.simulators.series import quenches as simulate

    sample = simulate(40, seed=3, lead=(-3.5, -1.5))
    time = 0.4 * np.arange(sample.voltage.shape[1])
    axes = figure.subplots(2, 1, sharex=True, sharey=True)
    spikes = ((sample.voltage > 4) & (sample.stage == 1)).sum(1)
    quiet, loud = np.flatnonzero(sample.quench == 0)[0], spikes.argmax()
    axes[0].plot(time, sample.voltage[quiet], color=GREY, lw=0.9)
    for stage, colour in ((0, GREY), (1, COLOURS[0]), (2, COLOURS[1])):
        some = sample.stage[loud] == stage
        some[1:] |= some[:-1]  # joins the pieces
        axes[1].plot(time, np.where(some, sample.voltage[loud], np.nan), color=colour, lw=1.0)
    axes[0].text(2, 22, "stays superconducting", fontsize=9, color=GREY)
    axes[1].text(2, 22, "quiet", fontsize=9, color=GREY)
    axes[1].text(46, 22, "less than 60 s before the quench", fontsize=9, color=COLOURS[0])
    axes[1].text(101.8, 12, "quench", fontsize=9, color=COLOURS[1], ha="left")
    axes[1].set(xlabel="time (s)", ylim=(-5, 30), xlim=(0, 112))
    for ax in axes:
        ax.set_ylabel("voltage (mV)", fontsize=9)
        ax.tick_params(labelsize=8)
    figure.suptitle("Spikes come more and more often before a magnet quenches", fontsize=11)
    return (
        "Voltage of two magnets over 102 seconds. One shows noise and a few spikes. In the other spikes become "
        "frequent and higher in the last minute, until the voltage rises without end."
    )


def cracks(figure: Figure | SubFigure) -> str:
    """Crack lengths of some specimens, and their lives."""
    from dlphys.simulators.series import cracks as simulate

    sample = simulate(400, seed=2, preset="physics")
    cycles = 5 * np.arange(sample.length.shape[1])
    axes = figure.subplots(1, 2, width_ratios=(1.6, 1))
    for k in range(25):
        axes[0].plot(cycles, sample.length[k], color=COLOURS[0], lw=0.8, alpha=0.6)
    axes[0].plot(
        cycles[:12], sample.measured[0, :12], "o", color=COLOURS[1], ms=3.5, label="what a network sees of one"
    )
    axes[0].axvspan(0, 57, color=COLOURS[1], alpha=0.08, lw=0)
    axes[0].set(xlabel="thousand cycles", ylabel="half length (mm)", xlim=(0, 400))
    axes[0].legend(fontsize=8.5, loc="upper left")
    axes[1].hist(1e-3 * sample.life, 25, color=COLOURS[0], alpha=0.8)
    axes[1].set(xlabel="life (thousand cycles)", ylabel="specimens")
    figure.suptitle("Small differences at the start become large differences of the life", fontsize=11)
    return (
        "Left: half lengths of 25 cracks against the number of load cycles, all from nine millimetres on, growing "
        "ever faster to fifty millimetres within 150 to 400 thousand cycles; the first twelve measurements of one are "
        "marked. Right: the lives of 400 specimens, a wide distribution about 250 thousand cycles."
    )


def absorbers(figure: Figure | SubFigure) -> str:
    """Traces of the sensors for a weak and a strong impact."""
    from dlphys.simulators.series import absorbers as simulate

    sample = simulate(60, seed=3)
    time = 1.0 * np.arange(sample.traces.shape[-1])
    axes = figure.subplots(1, 2, sharey=True)
    for ax, event in zip(axes, (sample.height.argmin(), sample.energy.argmax()), strict=True):
        for k, (i, j, name) in enumerate(((1, 1, "middle"), (0, 1, "edge"), (0, 0, "corner"))):
            ax.plot(time, sample.traces[event, i, j] - 150 * k, color=COLOURS[k], lw=1.1)
            ax.text(129, -150 * k, name, fontsize=8.5, color=COLOURS[k], va="center")
        words = f"E = {sample.energy[event]:.0f} J, fell {sample.height[event]:.0f} m"
        ax.set_title(f"{words}, Y = {100 * sample.extent[event]:.0f} cm", fontsize=9.5)
        ax.set(xlabel="time (ms)", xlim=(0, 158), yticks=[0, 100], yticklabels=["0", "100"])
        ax.set_xticks([0, 40, 80, 120])
    axes[0].set_ylabel("vibration (sensor noise)", fontsize=9)
    figure.suptitle("Sensors below an absorber hear how hard, how wide and how deep", fontsize=11)
    return (
        "Traces of three sensors below an absorber, in the middle, at the edge and at the corner of the square, for "
        "a weak impact from low and a strong one from high. The strong one is louder, comes earlier and is over "
        "sooner; the middle sensor is the loudest."
    )


def neutron_gamma(figure: Figure | SubFigure) -> str:
    """One pulse of each kind, and the baseline beside the limit."""
    from dlphys.simulators.series import evidence, pulse_shape, pulses, tail_fraction

    sample = pulses(6000, seed=2)
    time = 2.0 * np.arange(sample.signal.shape[1])
    axes = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
    scores = (tail_fraction(sample.signal), evidence(sample.signal))
    for particle, (name, share) in enumerate((("neutron", 0.26), ("gamma", 0.14))):
        some = np.flatnonzero((sample.particle == particle) & (sample.light > 250) & (sample.light < 350))[0]
        axes[0].step(time, sample.signal[some], where="post", color=COLOURS[particle], lw=1.0, label=name)
        mean = sample.light[some] * pulse_shape(len(time), slow_share=share)
        axes[0].plot(time + 1.0, np.where(mean > 0, mean, np.nan), color=COLOURS[particle], lw=1.0, ls="--")
        for ax, score in zip(axes[1:], scores, strict=True):
            low, high = np.quantile(score, [0.002, 0.998])
            style = {"histtype": "stepfilled" if particle == 0 else "step", "alpha": 0.7 if particle == 0 else 1.0}
            chosen, bins = score[sample.particle == particle], np.linspace(low, high, 50)
            ax.hist(chosen, bins, color=COLOURS[particle], lw=1.5, **style)
    axes[0].set(yscale="log", ylim=(0.3, 300), xlim=(0, 100))
    axes[0].set_xlabel("time (ns)", fontsize=9)
    axes[0].set_ylabel("photoelectrons", fontsize=9)
    axes[0].legend(fontsize=8.5)
    axes[1].set_xlabel("tail fraction (baseline)", fontsize=9)
    axes[2].set_xlabel(r"$\ln\,p_0/p_1$ (limit)", fontsize=9)
    axes[1].set_ylabel("pulses", fontsize=9)
    for ax in axes:
        ax.tick_params(labelsize=8)
    figure.suptitle("Neutrons make more late light; the likelihood ratio uses all of it", fontsize=11)
    return (
        "Left: light pulses of a neutron and of a gamma ray with their mean shapes; both peak at eight nanoseconds, "
        "the neutron's tail is higher. Middle and right: histograms of the share of late light and of the logarithm of "
        "the likelihood ratio for both; they overlap less in the second."
    )


PICTURES = {
    "sine": sine,
    "quenches": quenches,
    "cracks": cracks,
    "absorbers": absorbers,
    "neutron_gamma": neutron_gamma,
}
