"""Show a figure once, with a text that says what is in it."""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dlphys._validation import shown

__all__ = ["show"]


def show(alt: str, figure: Figure | None = None) -> None:
    """Display a figure as PNG with an alternative text, then close it.

    The text reaches readers who do not see the figure: ``dlphys run --html`` writes it as the picture's ``alt``.
    Outside IPython nothing is displayed and the figure is only closed.

    Parameters
    ----------
    alt : str
        What a reader should take from the figure, in a sentence or two.
    figure : matplotlib Figure, optional
        Default: the current figure of pyplot.

    Raises
    ------
    TypeError, ValueError
        ``alt`` is not a text or is empty, ``figure`` is not a Figure, or there is no current figure.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> line = plt.plot([0, 1], [0, 1])
    >>> show("A straight line from (0, 0) to (1, 1).")
    >>> plt.get_fignums()
    []
    """
    check_text(alt=alt)
    if figure is None:
        if not plt.get_fignums():
            raise ValueError("figure must be given, since no figure is open; draw first, then show")
        figure = plt.gcf()
    if not isinstance(figure, Figure):
        raise TypeError(f"figure must be a matplotlib Figure, got {shown(figure)} ({type(figure).__name__})")
    shell = _shell()
    try:
        if shell is not None:
            _publish(figure, alt)
            _display_once(figure, alt, shell)
    finally:
        plt.close(figure)


def check_text(**argument: Any) -> str:
    """A text with at least one character that is not blank."""
    ((name, value),) = argument.items()
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {shown(value)} ({type(value).__name__})")
    if not value.strip():
        raise ValueError(f"{name} must be a text that says something, got {value!r}")
    return value


def plain(text: str) -> str:
    """A title without the signs of mathematical typesetting, for an alternative text."""
    for sign in ("$", "\\", "{", "}"):
        text = text.replace(sign, "")
    return text.replace("\n", " ").rstrip(". ")


def _shell() -> Any:
    """The running IPython shell, or None; IPython is not imported for the question."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _publish(figure: Figure, alt: str) -> None:
    from IPython.display import display

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    image = base64.b64encode(buffer.getvalue()).decode("ascii")
    display({"image/png": image, "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)


def _display_once(figure: Figure, alt: str, shell: Any) -> None:
    """A figure that ends its cell as the last value is not displayed a second time; in a later cell it is."""
    cell = shell.execution_count

    def display_again() -> None:
        if shell.execution_count != cell:
            _publish(figure, alt)

    figure._ipython_display_ = display_again  # type: ignore[attr-defined]
