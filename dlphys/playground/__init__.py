"""The playground: small networks in the plane, as a widget to play with and as functions that give numbers.

`show` opens the widget. `train` and `restarts` do the same without it: one training, or the same settings from many
initial weights. Nothing here needs the network or Keras.
"""

from typing import Any

from dlphys.playground.data import Points, features, points
from dlphys.playground.pictures import decision_pictures
from dlphys.playground.settings import Settings
from dlphys.playground.training import DivergenceWarning, Run, Trainer, restarts, train

__all__ = [
    "DivergenceWarning",
    "Points",
    "Run",
    "Settings",
    "Trainer",
    "decision_pictures",
    "features",
    "points",
    "restarts",
    "show",
    "train",
]


def show(settings: Settings | None = None, *, seed: int = 1) -> Any:
    """Show the playground.

    Parameters
    ----------
    settings : Settings, optional
        To begin with; default ``Settings()``.
    seed : int
        Of the first initial weights; each reset takes the next one.

    Returns
    -------
    dlphys.playground.widget.Playground
        The widget. Its ``settings``, ``seed`` and ``run`` are the present ones; `train` with these settings and this
        seed gives the same numbers. Where widgets cannot be shown, a summary is printed instead.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong.

    Examples
    --------
    >>> widget = show(Settings(hidden=(3,)))
    >>> widget.step(20)
    >>> widget.run.epochs
    20
    >>> widget.close()
    """
    from dlphys.playground.widget import display  # here: the widget's packages take longer to import than the rest

    return display(Settings() if settings is None else settings, seed=seed)
