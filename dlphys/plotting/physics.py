"""Pictures of the physical systems: spin lattices and a map of earthquakes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dlphys._validation import check_array, shown
from dlphys.plotting._canvas import canvas, check_same_length
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.style import BACKGROUND, COLOURS, INK

__all__ = ["earthquake_map", "lattices"]


def lattices(spins: Any, labels: Sequence[Any], *, title: str, alt: str | None = None) -> Figure:
    """Spin lattices in a row (more than six: in several).

    Parameters
    ----------
    spins : array, (n, L, L) or (n, L, L, 1)
        Entries +1 and -1.
    labels : sequence, (n,)
        A text for each lattice, or its temperature in J / k_B.
    title : str
    alt : str, optional
        Alternative text; by default made from the title and the mean spin of each lattice.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Entries other than +1 and -1, lattices that are not square, another number of labels than of lattices.

    Examples
    --------
    >>> import numpy as np
    >>> figure = lattices(np.ones((2, 4, 4)), [1.0, 2.3], title="Cold and critical")
    >>> figure.axes[1].get_title()
    '$T$ = 2.3'
    """
    check_text(title=title)
    array = check_array(spins=spins, ndim=(3, 4), minimum=-1, maximum=1)
    array = array[..., 0] if array.ndim == 4 and array.shape[-1] == 1 else array
    if array.ndim != 3 or array.shape[1] != array.shape[2]:
        raise ValueError(f"spins must have shape (n, L, L) or (n, L, L, 1), got {array.shape}")
    if not (np.abs(array) == 1).all():
        raise ValueError("spins must be +1 and -1, got other entries")
    words = _names(labels, len(array), number="$T$ = {:.3g}")
    figure, axes = _picture_grid(len(array))
    colours = ListedColormap([COLOURS[0], "#f2d6a2"])
    size = array.shape[1]
    for ax, lattice, word in zip(axes, array, words, strict=True):
        ax.imshow(lattice, cmap=colours, vmin=-1, vmax=1)
        ax.set_title(word, fontsize=10.5)
        ax.set(xticks=[0, size - 1], yticks=[0, size - 1])
        ax.spines[:].set_visible(True)
    axes[0].set(xlabel="x (sites)", ylabel="y (sites)")
    figure.suptitle(title)
    kinds = [
        Patch(facecolor="#f2d6a2", edgecolor=INK, label="spin +1"),
        Patch(facecolor=COLOURS[0], edgecolor=INK, label="spin -1"),
    ]
    figure.legend(handles=kinds, loc="outside lower right", ncols=2)
    listed = "; ".join(f"{plain(word)}: mean spin {m:+.2f}" for word, m in zip(words, array.mean((1, 2)), strict=True))
    composed = f"{plain(title)}. {len(array)} lattice{'s' * (len(array) > 1)} of {size} by {size} spins. {listed}."
    show(composed if alt is None else alt, figure)
    return figure


def earthquake_map(
    epicentres: Any, stations: Any, *, reconstructed: Any = None, title: str, alt: str | None = None
) -> Figure:
    """Map of epicentres and stations.

    Parameters
    ----------
    epicentres : array, (n, 2), km
    stations : array, (k, 2), km
    reconstructed : array, (n, 2), km, optional
        Joined with the true epicentres by lines.
    title : str
    alt : str, optional
        Alternative text; by default made from the title and the numbers of events and stations.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Arrays of another shape or with entries that are not finite.

    Examples
    --------
    >>> figure = earthquake_map([[0.0, 5.0], [3.0, -4.0]], [[-10.0, 10.0], [10.0, 10.0]], title="Two events")
    >>> figure.axes[0].get_xlabel()
    'x (km)'
    """
    check_text(title=title)
    events = check_array(epicentres=epicentres, shape=(None, 2), unit="km")
    sites = check_array(stations=stations, shape=(None, 2), unit="km")
    figure, axes = canvas(width=6.4, height=5.0)
    ax = axes[0, 0]
    few = len(events) <= 100
    words = f"map of {len(events)} epicentres and {len(sites)} stations"
    look = {"ms": 5 if few else 2.5, "alpha": 0.9 if few else 0.5, "mew": 0}
    ax.plot(*events.T, "o", color=COLOURS[0], label="epicentres", **look)
    if reconstructed is not None:
        found = check_array(reconstructed=reconstructed, shape=(None, 2), unit="km")
        check_same_length(epicentres=events, reconstructed=found)
        ax.plot(*np.stack([events, found], axis=-1).transpose(1, 2, 0), color=INK, lw=0.6, zorder=1)
        ax.plot(*found.T, "x", color=COLOURS[1], ms=5 if few else 3, mew=1.2, label="reconstructed")
        far = np.linalg.norm(found - events, axis=1).mean()
        words += f" with reconstructed epicentres, {far:.3g} km from the true ones on average"
    ax.plot(*sites.T, "^", color=COLOURS[2], ms=11, mec=BACKGROUND, mew=1.5, label="stations", zorder=4)
    ax.set(xlabel="x (km)", ylabel="y (km)", title=title)
    ax.set_aspect("equal", adjustable="datalim")
    legend = figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper")
    for handle in legend.legend_handles:
        handle.set(markersize=8 if handle.get_marker() == "^" else 5, alpha=1)
    show(f"{plain(title)}. {words[0].upper()}{words[1:]}." if alt is None else alt, figure)
    return figure


def _names(labels: Any, count: int, *, number: str = "{:g}") -> list[str]:
    """One text for each picture; numbers are written with ``number``."""
    if isinstance(labels, str) or not hasattr(labels, "__len__"):
        raise TypeError(f"labels must be a sequence with one entry for each picture, got {shown(labels)}")
    if len(labels) != count:
        raise ValueError(f"labels must have {count} entries, one for each picture, got {len(labels)}")
    return [number.format(label) if isinstance(label, Real) else str(label) for label in labels]


def _picture_grid(count: int, *, most: int = 6, size: float = 1.7) -> tuple[Figure, list[Any]]:
    """A figure with ``count`` small axes, at most ``most`` in a row."""
    across, down = min(count, most), -(-count // most)
    figure, axes = canvas(down, across, width=max(3.6, size * across + 0.6), height=(size + 0.25) * down + 0.9)
    for ax in axes.flat[count:]:
        ax.remove()
    return figure, list(axes.flat[:count])
