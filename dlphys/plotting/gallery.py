"""A picture of every data set: ``python -m dlphys.plotting.gallery``.

Writes one sheet with all of them, and, if asked, one file each for the data cards. The drawing functions stand in
``dlphys/plotting/_pictures``, one module a simulator.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import matplotlib.pyplot as plt
import typer
from matplotlib.figure import Figure, SubFigure

from dlphys._validation import check_choice, check_count, shown
from dlphys.plotting import _pictures
from dlphys.plotting.style import GREY

__all__ = ["picture", "pictures", "sheet"]

SIZE = (6.4, 2.8)  # inch
DPI = 100

Draw = Callable[[Figure | SubFigure], str]


def pictures() -> dict[str, Draw]:
    """The drawing function of every data set, by the set's name.

    Returns
    -------
    dict of callables
        Each draws into an empty figure, or part of one, and returns the text for people who cannot see it.
    """
    modules = sorted(module.name for module in pkgutil.iter_modules(_pictures.__path__))
    found: dict[str, Draw] = {}
    for name in modules:
        found |= importlib.import_module(f"{_pictures.__name__}.{name}").PICTURES
    return dict(sorted(found.items()))


def picture(name: str) -> tuple[Figure, str]:
    """The picture of one data set and its alternative text.

    Parameters
    ----------
    name : str
        Such as "ising".

    Returns
    -------
    Figure, str

    Raises
    ------
    ValueError
        If there is no picture of that name.

    Examples
    --------
    >>> figure, alt = picture("earthquakes")
    >>> figure.get_size_inches().tolist()
    [6.4, 2.8]
    """
    every = pictures()
    check_choice(choices=tuple(every), name=name)
    figure = plt.figure(figsize=SIZE, dpi=DPI, layout="constrained")
    return figure, every[name](figure)


def sheet(names: Sequence[str] | None = None, *, columns: int = 3) -> tuple[Figure, str]:
    """Many pictures on one sheet, and their alternative texts as one.

    Parameters
    ----------
    names : sequence of str, optional
        Default: all.
    columns : int, default 3

    Returns
    -------
    Figure, str

    Raises
    ------
    ValueError, TypeError
        If there is no picture of one of the names, or columns is no positive whole number.
    """
    every = pictures()
    columns = check_count(columns=columns)
    if names is not None and (isinstance(names, str) or not len(names)):
        raise TypeError(f"names must be a list of names of data sets, got {shown(names)}")
    chosen = list(every) if names is None else list(names)
    for name in chosen:
        check_choice(choices=tuple(every), names=name)
    rows = -(-len(chosen) // columns)
    figure = plt.figure(figsize=(SIZE[0] * columns, SIZE[1] * rows), dpi=DPI, layout="constrained")
    parts = figure.subfigures(rows, columns, squeeze=False).ravel()
    alts = []
    for name, part in zip(chosen, parts, strict=False):
        alts.append(every[name](part))
        part.text(0.005, 0.01, name, color=GREY, fontsize=8)  # in a corner that drawings leave free
    return figure, "; ".join(alts)


def _save(figure: Figure, alt: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Description": alt, "Software": None})
    plt.close(figure)
    typer.echo(f"{path}  {path.stat().st_size / 1000:.0f} kB")


def main(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The sheet with all pictures.")] = Path(
        "docs/figures/gallery.png"
    ),
    cards: Annotated[Path | None, typer.Option(metavar="DIR", help="One file each, for the data cards.")] = None,
) -> None:
    """Draw the gallery."""
    _save(*sheet(), out)
    if cards is not None:
        for name in pictures():
            _save(*picture(name), cards / f"{name}.png")


if __name__ == "__main__":
    typer.run(main)
