"""Decision pictures: what networks answer everywhere in the plane, with the points they were trained and tested on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlphys._validation import shown
from dlphys.playground.data import SQUARE
from dlphys.playground.training import Run

__all__ = ["decision_pictures"]

MOST_PICTURES = 24


def decision_pictures(
    runs: Sequence[Run],
    *,
    titles: Sequence[str] | None = None,
    title: str = "",
    columns: int = 4,
    alt: str | None = None,
) -> Any:
    """The output of networks over the plane in colour, with the points that they were trained and tested on.

    Blue is class 1 or a positive value, orange class -1 or a negative one, white between them. Training points are
    filled circles, test points squares.

    Parameters
    ----------
    runs : sequence of Run
        At most 24.
    titles : sequence of str, optional
        One for each picture; by default its test loss, and its accuracy if it is a classification.
    title : str
        Above all pictures.
    columns : int
        Pictures side by side.
    alt : str, optional
        Alternative text; by default made from the titles.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong, or a run has diverged.

    Examples
    --------
    >>> from dlphys.playground import Settings, train
    >>> figure = decision_pictures([train(Settings(), epochs=5)])
    >>> figure.axes[0].get_xlabel()
    '$x_1$'
    """
    from matplotlib.colors import LinearSegmentedColormap

    from dlphys import plotting
    from dlphys._validation import check_count
    from dlphys.plotting._canvas import canvas

    runs = _checked(runs)
    columns = min(check_count(columns=columns, maximum=8), len(runs))
    if titles is not None and (isinstance(titles, str) or len(titles) != len(runs)):
        raise ValueError(f"titles must be {len(runs)} texts, one for each run, got {shown(titles)}")
    names = [_result(run) for run in runs] if titles is None else list(titles)
    blue, orange = plotting.COLOURS[:2]
    colours = LinearSegmentedColormap.from_list("signs", [orange, "#ffffff", blue])
    rows = -(-len(runs) // columns)
    figure, axes = canvas(rows, columns, width=2.7 * columns + 0.9, height=2.85 * rows + 0.5)
    for axis in axes.flat[len(runs) :]:
        axis.axis("off")
    for axis, run, name in zip(axes.flat, runs, names, strict=False):
        extent = (-SQUARE, SQUARE, -SQUARE, SQUARE)
        image = axis.imshow(run.picture(120), cmap=colours, vmin=-1, vmax=1, extent=extent, alpha=0.75)
        sample = run.points
        for marker, x, y, size in (("o", sample.x_train, sample.y_train, 9), ("s", sample.x_test, sample.y_test, 6)):
            axis.scatter(
                *x.T, c=y, cmap=colours, vmin=-1, vmax=1, s=size, marker=marker, edgecolors="black", linewidths=0.25
            )
        axis.set(title=name, xlabel="$x_1$", ylabel="$x_2$", xlim=extent[:2], ylim=extent[2:], aspect="equal")
        axis.set(xticks=range(-6, 7, 3), yticks=range(-6, 7, 3))
        axis.title.set_fontsize(10)
        axis.label_outer()
    figure.colorbar(image, ax=axes, label="output of the network", shrink=0.8 if rows > 1 else 1.0, ticks=[-1, 0, 1])
    if title:
        figure.suptitle(title)
    words = "; ".join(f"{run!r}" if titles is None else str(name) for run, name in zip(runs, names, strict=True))
    start = f"{title}. " if title else ""
    plotting.show(f"{start}Output of networks over the plane: {words}." if alt is None else alt, figure)
    return figure


def _result(run: Run) -> str:
    loss = f"test loss {run.test_loss[-1]:.3f}"
    return f"{loss}, {run.accuracy:.0%} right" if run.settings.problem == "classification" else loss


def _checked(runs: Any) -> list[Run]:
    if isinstance(runs, Run) or not isinstance(runs, Sequence) or not all(isinstance(run, Run) for run in runs):
        raise TypeError(f"runs must be a list of results of playground.train, got {shown(runs)}")
    if not 1 <= len(runs) <= MOST_PICTURES:
        raise ValueError(f"runs must be 1 to {MOST_PICTURES} runs, got {len(runs)}")
    for run in runs:
        if run.diverged:
            raise ValueError(f"runs must not have diverged, got {run!r}: it has no output to draw")
    return list(runs)
