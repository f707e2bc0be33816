"""A small network drawn as nodes and lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dlphys._validation import check_array, shown
from dlphys.plotting._canvas import canvas
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.style import BACKGROUND, COLOURS, INK

__all__ = ["network"]

_MOST_NODES = 64


def network(
    weights: Sequence[Any],
    *,
    activations: Sequence[Any] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    title: str,
    alt: str | None = None,
) -> Figure:
    """A dense network: the line between two nodes is as wide as the weight is large, its colour is the sign.

    Parameters
    ----------
    weights : sequence of arrays (inputs of the layer, outputs of the layer)
        The weight matrices without biases, first layer first; at most 64 nodes a layer.
    activations : sequence of arrays, optional
        The value of each node, one array for the input and one for each layer; shown as the filling of the nodes.
    inputs, outputs : sequence of str, optional
        Names written beside the first and the last nodes.
    title : str
    alt : str, optional
        Alternative text; by default made from the title and the sizes of the layers.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Matrices that do not follow on one another, layers of more than 64 nodes, activations or names that do
        not fit.

    Examples
    --------
    >>> import numpy as np
    >>> figure = network([np.ones((2, 3)), -np.ones((3, 1))], title="Two inputs, three hidden nodes, one output")
    >>> [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    ['input', 'hidden', 'output']
    """
    check_text(title=title)
    matrices = _matrices(weights)
    sizes = [len(matrices[0])] + [matrix.shape[1] for matrix in matrices]
    values = None if activations is None else _activations(activations, sizes)
    names = {0: _checked(inputs, sizes[0], "inputs"), len(sizes) - 1: _checked(outputs, sizes[-1], "outputs")}

    figure, axes = canvas(width=max(4.8, 1.7 * len(sizes) + 1.2), height=float(np.clip(0.45 * max(sizes), 2.8, 7.0)))
    ax = axes[0, 0]
    height = [np.arange(size)[::-1] - (size - 1) / 2 for size in sizes]
    height = [y * (max(sizes) / max(size, 3)) ** 0.5 for y, size in zip(height, sizes, strict=True)]
    largest = max(float(np.abs(matrix).max()) for matrix in matrices) or 1.0
    for layer, matrix in enumerate(matrices):
        start, end = np.meshgrid(height[layer], height[layer + 1], indexing="ij")
        ends = np.stack([[np.full(start.size, layer), np.full(start.size, layer + 1)], [start.ravel(), end.ravel()]])
        colours = np.where(matrix.ravel() >= 0, COLOURS[0], COLOURS[1])
        # negative weights are dashed too, since colour alone must not carry the sign
        dashes = ["-" if weight >= 0 else (0, (4, 2)) for weight in matrix.ravel()]
        widths = 4.5 * np.abs(matrix.ravel()) / largest
        lines = LineCollection(
            list(ends.transpose(2, 1, 0)), colors=colours, linewidths=widths, linestyles=dashes, alpha=0.75
        )
        ax.add_collection(lines)
    side = float(np.clip(2400 / max(sizes) ** 1.3, 25, 260))
    bound = 1.0 if values is None else max(float(np.abs(value).max()) for value in values) or 1.0
    for layer, y in enumerate(height):
        x = np.full(len(y), layer)
        if values is None:
            ax.scatter(x, y, s=side, color=BACKGROUND, edgecolor=INK, lw=1.2, zorder=3)
        else:
            dots = ax.scatter(
                x, y, s=side, c=values[layer], cmap="cividis", vmin=-bound, vmax=bound, edgecolor=INK, lw=1.2, zorder=3
            )
        for node, name in enumerate(names.get(layer) or ()):
            left = layer == 0
            ax.annotate(
                name,
                (layer, y[node]),
                xytext=(-11 if left else 11, 0),
                textcoords="offset points",
                ha="right" if left else "left",
                va="center",
            )
    if values is not None:
        figure.colorbar(dots, ax=ax, label="activation")
    hidden = len(sizes) - 2
    middle = ["hidden"] if hidden == 1 else [f"hidden {i + 1}" for i in range(hidden)]
    ax.set_xticks(range(len(sizes)), ["input", *middle, "output"])
    room = [
        0.25 + 0.09 * max((len(name) for name in names.get(layer) or ()), default=0) for layer in (0, len(sizes) - 1)
    ]
    ax.set_xlim(-room[0], len(sizes) - 1 + room[1])
    ax.set(yticks=[], xlabel="layer", ylabel="nodes", title=title)
    ax.margins(y=0.07)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    signs = [
        Line2D([], [], color=COLOURS[0], lw=3, label="positive weight"),
        Line2D([], [], color=COLOURS[1], lw=3, ls=(0, (2, 1)), label="negative weight"),
    ]
    figure.legend(handles=signs, loc="outside lower center", ncols=2)
    numbers = np.concatenate([matrix.ravel() for matrix in matrices])
    words = (
        f"a network with layers of {', '.join(map(str, sizes))} nodes, {(numbers >= 0).sum()} positive "
        f"and {(numbers < 0).sum()} negative weights, the largest of size {largest:.3g}"
    )
    show(f"{plain(title)}. {words.capitalize()}." if alt is None else alt, figure)
    return figure


def _matrices(weights: Any) -> list[np.ndarray]:
    if isinstance(weights, np.ndarray) or not isinstance(weights, Sequence) or not weights:
        raise TypeError(f"weights must be a list of matrices, one for each layer, got {shown(weights)}")
    matrices = []
    for i, matrix in enumerate(weights):
        name = f"weights[{i}]"
        if np.ndim(matrix) == 1:
            raise ValueError(f"{name} must be a matrix, got shape {np.shape(matrix)}; leave the biases out")
        matrices.append(check_array(**{name: matrix}, ndim=2))
        if max(matrices[-1].shape) > _MOST_NODES:
            raise ValueError(f"{name} must have at most {_MOST_NODES} nodes a side, got shape {matrices[-1].shape}")
        if i and len(matrices[i]) != matrices[i - 1].shape[1]:
            raise ValueError(
                f"{name} must have {matrices[i - 1].shape[1]} rows, the outputs of the layer before, "
                f"got shape {matrices[i].shape}"
            )
    return matrices


def _activations(activations: Any, sizes: list[int]) -> list[np.ndarray]:
    if not isinstance(activations, Sequence) or len(activations) != len(sizes):
        raise ValueError(f"activations must be {len(sizes)} arrays, the input and each layer, got {shown(activations)}")
    values = [np.ravel(check_array(**{f"activations[{i}]": value})) for i, value in enumerate(activations)]
    for i, (value, size) in enumerate(zip(values, sizes, strict=True)):
        if len(value) != size:
            raise ValueError(f"activations[{i}] must have {size} entries, got {len(value)}")
    return values


def _checked(names: Sequence[str] | None, size: int, argument: str) -> Sequence[str] | None:
    if names is None:
        return None
    if isinstance(names, str) or len(names) != size:
        raise ValueError(f"{argument} must be {size} names, got {shown(names)}")
    return names
