"""Pictures of the radio traces: to find a pulse, and to remove the noise."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure, SubFigure

from dlphys.plotting.style import COLOURS, GREY


def traces(figure: Figure | SubFigure) -> str:
    """A trace of noise, and one with a pulse that is drawn over it."""
    from dlphys.simulators import radio

    sample = radio.simulate(30, seed=5)
    time = np.arange(radio.SAMPLES) / radio.SAMPLING
    axes = figure.subplots(1, 2, sharey=True)
    central = np.abs(np.nan_to_num(sample.time) - 1.4).argmin()
    for ax, event, title in zip(axes, (int((sample.label == 0).argmax()), central), ("noise", "pulse"), strict=True):
        ax.plot(time, sample.traces[event], color=GREY, lw=0.7, label="trace")
        if sample.label[event]:
            ax.plot(time, sample.signals[event], color=COLOURS[1], lw=1.0, label="pulse in it")
            ax.legend(loc="upper right", ncols=2, fontsize=8.5)
        ax.set_title(title, fontsize=10.5)
        ax.set(xlabel="time (us)", xlim=(0, time[-1]), ylim=(-0.5, 0.62))
    axes[0].set_ylabel("voltage (mV)")
    figure.suptitle("A pulse of twice the noise is hard to see", fontsize=11.5)
    return (
        "Two antenna traces of 2.8 microseconds. One is noise; the other looks much the same, but a pulse "
        "half a microsecond long is drawn over it."
    )


def denoised(figure: Figure | SubFigure) -> str:
    """A noisy trace, its pulse, and the two estimates."""
    from dlphys.simulators import radio

    sample = radio.simulate(30, seed=7, preset="physics", pulse_share=1.0)
    event = int(np.abs(sample.snr - 3.0).argmin())
    shown = slice(*(int(x) for x in (sample.time[event] * radio.SAMPLING + np.array([-75, 75])).clip(0, radio.SAMPLES)))
    time = np.arange(radio.SAMPLES)[shown] / radio.SAMPLING
    trace = sample.traces[event : event + 1]
    axes = figure.subplots(1, 3, sharey=True)
    panels = (
        ("trace", trace, GREY),
        ("Wiener filter", radio.wiener_filter(trace, preset="physics", pulse_share=1.0), COLOURS[0]),
        ("posterior mean", radio.posterior_mean(trace, preset="physics", pulse_share=1.0), COLOURS[2]),
    )
    for ax, (title, values, colour) in zip(axes, panels, strict=True):
        ax.plot(time, sample.signals[event, shown], color=COLOURS[1], lw=2.4, alpha=0.55, label="pulse")
        ax.plot(time, values[0, shown], color=colour, lw=1.0, label=title)
        ax.set_title(title, fontsize=10.5)
        ax.set(xlabel="time (us)", xlim=(time[0], time[-1]))
    axes[0].set_ylabel("voltage (mV)")
    figure.suptitle("The pulse (thick) in noise, and how much of it can be recovered", fontsize=11.5)
    return (
        "A noisy trace around a pulse of three times the noise; the Wiener filter leaves most of the noise, the "
        "posterior mean follows the pulse closely."
    )


PICTURES = {"radio_traces": traces, "noisy_radio_traces": denoised}
