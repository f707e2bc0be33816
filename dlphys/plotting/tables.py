"""Columns of a table: their histograms, and how each is correlated with a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from dlphys._validation import shown
from dlphys.plotting._canvas import bin_edges, canvas, check_mapping, check_same_length, labelled, vector
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.style import COLOURS, INK

__all__ = ["correlations", "histograms"]


def histograms(
    columns: Mapping[str, Any], *, units: Mapping[str, str] | None = None, title: str, alt: str | None = None
) -> Figure:
    """A grid of histograms, one for each column.

    Parameters
    ----------
    columns : dict, name -> array (n,)
    units : dict, name -> unit, optional
        A column that is not named has no unit.
    title : str
    alt : str, optional
        Alternative text; by default made from the title and the range of each column.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        No column, a unit for a column that is not there, entries that are not finite.

    Examples
    --------
    >>> figure = histograms({"alcohol": [9.0, 10.5, 12.0]}, units={"alcohol": "% vol"}, title="Wine")
    >>> figure.axes[0].get_xlabel()
    'alcohol (% vol)'
    """
    check_text(title=title)
    table = {name: vector(**{f"columns[{name!r}]": values}) for name, values in check_mapping(columns=columns).items()}
    units = {} if units is None else units
    unknown = [name for name in units if name not in table]
    if unknown:
        raise ValueError(f"units names {shown(unknown[0])}, which is no column; the columns are {', '.join(table)}")
    across = min(len(table), 4)
    down = -(-len(table) // across)
    figure, axes = canvas(down, across, width=max(4.5, 2.5 * across), height=0.5 + 2.1 * down)
    for i, ax in enumerate(axes.flat):
        if i >= len(table):
            ax.remove()
            continue
        name, values = list(table.items())[i]
        ax.hist(values, bin_edges(values, bins=30), color=COLOURS[0])
        ax.set(xlabel=labelled(name, units.get(name, "")), ylabel="entries per bin" if i % across == 0 else "")
        ax.locator_params(nbins=4)
    figure.suptitle(title)
    ranges = [
        f"{labelled(name, plain(units.get(name, '')))} from {v.min():.3g} to {v.max():.3g}, mean {v.mean():.3g}"
        for name, v in table.items()
    ]
    columns_text = "1 column" if len(table) == 1 else f"{len(table)} columns"
    show(f"{plain(title)}. Histograms of {columns_text}: {'; '.join(ranges)}." if alt is None else alt, figure)
    return figure


def correlations(
    names: Sequence[str],
    values: Any,
    *,
    errors: Any = None,
    quantity: str = "correlation coefficient",
    title: str,
    alt: str | None = None,
) -> Figure:
    """Correlation coefficients as horizontal bars, the largest on top.

    Parameters
    ----------
    names : sequence of str, (n,)
    values : array, (n,), between -1 and 1
    errors : array, (n,), optional
        Standard errors.
    quantity : str
        Label of the axis: what is correlated with what.
    title : str
    alt : str, optional
        Alternative text; by default made from the title and the values.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Different lengths, values outside [-1, 1], negative errors.

    Examples
    --------
    >>> figure = correlations(["alcohol", "density"], [0.44, -0.31], title="Which column tells most")
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['density', 'alcohol']
    """
    check_text(title=title)
    check_text(quantity=quantity)
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"names must be a sequence of texts, got {shown(names)}")
    values = vector(values=values, minimum=-1, maximum=1)
    if len(names) != len(values):
        raise ValueError(f"names and values must have the same length, got {len(names)} and {len(values)}")
    order = np.argsort(values, kind="stable")
    bars = None
    if errors is not None:
        errors = vector(errors=errors, minimum=0)
        check_same_length(values=values, errors=errors)
        bars = errors[order]
    figure, axes = canvas(width=6.4, height=1.3 + 0.27 * len(values))
    ax = axes[0, 0]
    colours = [COLOURS[0] if value >= 0 else COLOURS[1] for value in values[order]]
    ax.barh([names[i] for i in order], values[order], xerr=bars, color=colours, ecolor=INK)
    ax.axvline(0, color=INK, lw=1)
    reach = float(np.abs(values).max()) + (0.0 if bars is None else float(bars.max()))
    reach = max(0.1, 1.15 * reach)
    ax.set(xlabel=quantity, ylabel="column", title=title, xlim=(-reach, reach))
    listed = ", ".join(f"{names[i]} {values[i]:+.2f}" for i in order[::-1])
    show(f"{plain(title)}. Bars of the {quantity}: {listed}." if alt is None else alt, figure)
    return figure
