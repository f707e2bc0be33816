"""Relative resolution and bias against the true value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from dlphys._validation import shown
from dlphys.plotting._canvas import canvas, check_mapping, check_same_length, labelled, logarithmic, vector
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.style import COLOURS, GREY, MARKERS

__all__ = ["resolution_and_bias"]

_COLUMNS = ("bias", "bias_error", "resolution", "resolution_error")


def resolution_and_bias(
    edges: Any,
    methods: Mapping[str, Any],
    *,
    title: str,
    quantity: str = "energy",
    unit: str = "EeV",
    dashed: Collection[str] = (),
    alt: str | None = None,
) -> Figure:
    """Relative resolution above, relative bias below, both in bins of the true value, with error bars.

    Parameters
    ----------
    edges : array, (bins + 1,), above 0, increasing, in ``unit``
        Of the bins; the axis is logarithmic.
    methods : dict, name -> (bias, bias_error, resolution, resolution_error)
        Four arrays (bins,) without unit, as `dlphys.metrics.resolution_in_bins` returns them; drawn in per cent.
    title : str
    quantity, unit : str
        What is estimated.
    dashed : collection of str
        Names of methods to draw dashed: a limit, an oracle, a baseline.
    alt : str, optional
        Alternative text; by default made from the title and the ends of each curve.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Entries that are not four arrays with one number a bin, edges that do not increase, ``dashed`` for a method
        that is not there.

    Examples
    --------
    >>> result = ([0.01, 0.0], [0.002, 0.001], [0.06, 0.03], [0.002, 0.001])
    >>> figure = resolution_and_bias([3, 30, 100], {"network": result}, title="Better at high energies")
    >>> figure.axes[1].get_xlabel()
    'true energy (EeV)'
    """
    check_text(title=title)
    check_text(quantity=quantity)
    edges = vector(edges=edges)
    if len(edges) < 2 or edges[0] <= 0 or (np.diff(edges) <= 0).any():
        raise ValueError(f"edges must be at least two increasing numbers above 0, got {shown(edges.tolist())}")
    centre = np.sqrt(edges[1:] * edges[:-1])
    for name in dashed:
        if name not in check_mapping(methods=methods):
            raise ValueError(f"dashed names {shown(name)}, which is no method; the methods are {', '.join(methods)}")
    figure, axes = canvas(2, 1, width=6.8, height=5.6, sharex=True, height_ratios=(3, 2))
    upper, lower = axes[:, 0]
    sentences = []
    number = len(check_mapping(methods=methods))
    for i, (name, entry) in enumerate(methods.items()):
        bias, bias_error, resolution, resolution_error = _columns(f"methods[{name!r}]", entry, centre)
        style = MARKERS[i % len(MARKERS)] + ("--" if name in dashed else "-")
        look: dict[str, Any] = {"fmt": style, "color": COLOURS[i % len(COLOURS)], "lw": 1.3, "elinewidth": 1}
        apart = centre * (1 + 0.012 * (2 * i - number + 1))  # so that error bars do not hide each other
        upper.errorbar(apart, 100 * resolution, 100 * resolution_error, label=str(name), **look)
        lower.errorbar(apart, 100 * bias, 100 * bias_error, **look)
        sentences.append(
            f"{plain(str(name))}: resolution {100 * resolution[0]:.1f} % in the lowest bin, "
            f"{100 * resolution[-1]:.1f} % in the highest, "
            f"bias between {100 * bias.min():.1f} % and {100 * bias.max():.1f} %"
        )
    lower.axhline(0.0, color=GREY, lw=1)
    # room for the legend above the curves, which take the whole width
    upper.set(title=title, ylabel="resolution (%)", ylim=(0, upper.get_ylim()[1] * (1.05 + 0.09 * -(-number // 2))))
    lower.set(ylabel="bias (%)", xlabel=labelled(f"true {quantity}", unit))
    upper.set_xlabel("")
    logarithmic(lower, "x")
    upper.legend(ncols=2, loc="upper right", fontsize=9)
    show(f"{plain(title)}. Relative resolution and bias: {'; '.join(sentences)}." if alt is None else alt, figure)
    return figure


def _columns(argument: str, entry: Any, centre: np.ndarray) -> list[np.ndarray]:
    if not isinstance(entry, tuple | list) or len(entry) != len(_COLUMNS):
        raise ValueError(f"{argument} must be the four arrays ({', '.join(_COLUMNS)}), got {shown(entry)}")
    columns: dict[str, Any] = {}
    for name, value in zip(_COLUMNS, entry, strict=True):
        low = -np.inf if name == "bias" else 0.0
        columns[f"{name} of {argument}"] = vector(minimum=low, **{f"{name} of {argument}": value})
    check_same_length(bins=centre, **columns)
    return list(columns.values())
