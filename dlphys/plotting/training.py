"""How a training went."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from dlphys._validation import shown
from dlphys.plotting._canvas import canvas, check_mapping, labelled, logarithmic, vector
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.style import COLOURS

__all__ = ["training_curves"]


def training_curves(
    history: Any, *, title: str, metric: str | None = None, unit: str = "", log: bool = False, alt: str | None = None
) -> Figure:
    """Loss against epoch, for training and validation; a metric in a second panel.

    Parameters
    ----------
    history : keras History, or dict of lists
        Needs the key "loss"; "val_loss", the metric and its "val_" partner are drawn where present.
    title : str
    metric : str, optional
        Key of a metric for a second panel.
    unit : str
        Unit of the loss, if it has one (km^2 for a squared distance).
    log : bool
        Logarithmic axis for the loss.
    alt : str, optional
        Alternative text; by default made from the title and the curves.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        ``history`` has no "loss" or no key ``metric``; lists that are empty, not finite, or of different lengths.

    Examples
    --------
    >>> figure = training_curves({"loss": [0.7, 0.4, 0.3], "val_loss": [0.6, 0.5, 0.4]}, title="Learning")
    >>> figure.axes[0].get_ylabel()
    'loss'
    """
    check_text(title=title)
    record = check_mapping(history=getattr(history, "history", history))
    for key in ("loss",) if metric is None else ("loss", metric):
        if key not in record:
            raise ValueError(f"history has no {shown(key)}; its keys are {', '.join(map(str, record))}")
    panels = ["loss"] if metric is None else ["loss", metric]
    figure, axes = canvas(1, len(panels), width=5.6 if metric is None else 9.0, height=3.7)
    sentences = []
    for ax, key in zip(axes[0], panels, strict=True):
        name = key.replace("_", " ")
        curves = {"training": vector(**{key: record[key]})}
        if f"val_{key}" in record:
            curves["validation"] = vector(**{f"val_{key}": record[f"val_{key}"]})
        if len({len(curve) for curve in curves.values()}) > 1:
            raise ValueError(f"{key} and val_{key} must have the same length, got {[*map(len, curves.values())]}")
        for (kind, curve), colour, dash in zip(curves.items(), COLOURS, ("-", "--"), strict=False):
            epoch = np.arange(1, len(curve) + 1)
            ax.plot(epoch, curve, dash, color=colour, marker="o" if len(curve) <= 25 else None, ms=4, label=kind)
            sentences.append(f"{name} in {kind} from {curve[0]:.3g} to {curve[-1]:.3g}")
        if log and key == "loss":
            if min(curve.min() for curve in curves.values()) <= 0:
                raise ValueError("log must be False for a loss that reaches zero or less")
            logarithmic(ax, "y")
        ax.set(xlabel="epoch", ylabel=labelled(name, unit if key == "loss" else ""))
        ax.xaxis.get_major_locator().set_params(integer=True)
        if len(curves["training"]) == 1:
            ax.set_xlim(0, 2)
        ax.legend()
    if metric is None:
        axes[0, 0].set_title(title)
    else:
        figure.suptitle(title)
    epochs = len(record["loss"])
    show(
        f"{plain(title)}. Over {epochs} epoch{'s' * (epochs > 1)}: {'; '.join(sentences)}." if alt is None else alt,
        figure,
    )
    return figure
