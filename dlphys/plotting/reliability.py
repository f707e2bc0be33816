"""What a classifier says against how often it is true."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from dlphys._validation import shown
from dlphys.metrics import Reliability
from dlphys.plotting._canvas import canvas, check_mapping
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.style import COLOURS, GREY, MARKERS

__all__ = ["reliability_diagram"]


def reliability_diagram(classifiers: Mapping[str, Reliability], *, title: str, alt: str | None = None) -> Figure:
    """Observed frequency against stated probability with the diagonal, and the number of events below.

    Parameters
    ----------
    classifiers : dict, name -> Reliability
        As `dlphys.metrics.reliability` returns it. The calibration error stands in the legend.
    title : str
    alt : str, optional
        Alternative text; by default made from the title, the calibration errors, and where points lie off the diagonal.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        No classifier, or an entry that is no `Reliability`.

    Examples
    --------
    >>> from dlphys.metrics import reliability
    >>> result = reliability([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1], bins=2)
    >>> figure = reliability_diagram({"network": result}, title="Careful")
    >>> figure.axes[1].get_xlabel()
    'stated probability'
    """
    check_text(title=title)
    for name, entry in check_mapping(classifiers=classifiers).items():
        if not isinstance(entry, Reliability):
            raise TypeError(f"classifiers[{name!r}] must come from dlphys.metrics.reliability, got {shown(entry)}")
    figure, axes = canvas(2, 1, width=5.6, height=5.8, sharex=True, height_ratios=(4, 1))
    upper, lower = axes[:, 0]
    low = min(
        float(min(entry.confidence.min(), (entry.frequency - entry.error).min())) for entry in classifiers.values()
    )
    low = 0.0 if low < 0.4 else 0.1 * np.floor(10.0 * low)
    upper.plot([low, 1.0], [low, 1.0], "--", color=GREY, lw=1.3, label="calibrated: it is true as often as stated")
    sentences = []
    for i, (name, entry) in enumerate(classifiers.items()):
        value, error = entry.calibration_error
        colour = COLOURS[i % len(COLOURS)]
        upper.errorbar(
            entry.confidence,
            entry.frequency,
            entry.error,
            fmt=MARKERS[i % len(MARKERS)] + "-",
            color=colour,
            lw=1,
            elinewidth=1,
            label=f"{name}: calibration error {value:.3f} $\\pm$ {error:.3f}",
        )
        lower.plot(entry.confidence, entry.events, MARKERS[i % len(MARKERS)] + "-", color=colour, lw=1, ms=3.5)
        gap = entry.frequency - entry.confidence
        worst = int(np.abs(gap).argmax())
        sentences.append(
            f"{plain(str(name))}: calibration error {value:.3f}, farthest from the diagonal where "
            f"{entry.confidence[worst]:.2f} is stated and {entry.frequency[worst]:.2f} observed"
        )
    upper.set(title=title, ylabel="observed frequency", xlim=(low - 0.02, 1.02), ylim=(low - 0.02, 1.02))
    upper.legend(fontsize=8)
    lower.set(xlabel="stated probability", ylabel="events", ylim=(0, 1.08 * lower.get_ylim()[1]))
    show(f"{plain(title)}. Reliability diagram. {'; '.join(sentences)}." if alt is None else alt, figure)
    return figure
