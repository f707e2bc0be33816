"""Curves over one axis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from matplotlib.figure import Figure

from dlphys._validation import shown
from dlphys.plotting._canvas import canvas, check_mapping, check_same_length, logarithmic, vector
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.style import COLOURS, MARKERS

__all__ = ["lines"]


def lines(
    x: Any,
    curves: Mapping[str, Any],
    *,
    xlabel: str,
    ylabel: str,
    title: str,
    errors: Mapping[str, Any] | None = None,
    dashed: Collection[str] = (),
    log_x: bool = False,
    log_y: bool = False,
    alt: str | None = None,
) -> Figure:
    """One or several curves with a legend; points where there are few.

    Parameters
    ----------
    x : array, (n,)
    curves : dict, name -> array (n,)
    xlabel, ylabel : str
        Quantities with their units in brackets.
    title : str
    errors : dict, name -> array (n,), optional
        Standard errors, drawn as bars at few points and as a band at many.
    dashed : collection of str
        Names of curves to draw dashed: a limit, an oracle, a baseline.
    log_x, log_y : bool
        Logarithmic axes.
    alt : str, optional
        Alternative text; by default made from the title and the range of each curve.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Curves of another length than ``x``, errors or ``dashed`` for a curve that is not there,
        a logarithmic axis without a positive value.

    Examples
    --------
    >>> figure = lines([1, 2, 3], {"fall": [0.0, 4.9, 19.6]}, xlabel="time (s)", ylabel="depth (m)", title="A stone")
    >>> figure.axes[0].get_ylabel()
    'depth (m)'
    """
    for name, text in (("xlabel", xlabel), ("ylabel", ylabel), ("title", title)):
        check_text(**{name: text})
    x = vector(x=x)
    table = {name: vector(**{f"curves[{name!r}]": y}) for name, y in check_mapping(curves=curves).items()}
    errors = {} if errors is None else errors
    for argument, names in (("errors", errors), ("dashed", dashed)):
        for name in names:
            if name not in table:
                raise ValueError(
                    f"{argument} names {shown(name)}, which is no curve; the curves are {', '.join(table)}"
                )
    if log_x and x.max() <= 0:
        raise ValueError("log_x needs a positive value in x, got none")
    if log_y and max(float(y.max()) for y in table.values()) <= 0:
        raise ValueError("log_y needs a positive value in curves, got none")
    few = len(x) <= 25
    figure, axes = canvas()
    ax = axes[0, 0]
    for i, (name, y) in enumerate(table.items()):
        check_same_length(**{"x": x, f"curves[{name!r}]": y})
        colour = COLOURS[i % len(COLOURS)]
        marker = MARKERS[i % len(MARKERS)] if few and name not in dashed else ""
        error = errors.get(name)
        if error is not None:
            error = vector(minimum=0, **{f"errors[{name!r}]": error})
            check_same_length(**{"x": x, f"errors[{name!r}]": error})
        style = "--" if name in dashed else "-"
        if few:
            ax.errorbar(x, y, error, fmt=marker + style, color=colour, elinewidth=1, label=str(name))
        else:
            ax.plot(x, y, style, color=colour, label=str(name))
            if error is not None:
                ax.fill_between(x, y - error, y + error, color=colour, alpha=0.25, lw=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if log_x:
        logarithmic(ax, "x")
    if log_y:
        logarithmic(ax, "y")
    if len(table) > 1:
        ax.legend()
    ranges = "; ".join(
        f"{plain(str(name))} from {y[0]:.3g} to {y[-1]:.3g}, lowest {y.min():.3g}, highest {y.max():.3g}"
        for name, y in table.items()
    )
    what = f"{plain(ylabel)} against {plain(xlabel)} from {x.min():.3g} to {x.max():.3g}"
    show(f"{plain(title)}. {what[0].upper()}{what[1:]}: {ranges}." if alt is None else alt, figure)
    return figure
