"""Everything that decides a training: one frozen record, which the widget edits and the plain functions take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dlphys._random import generator
from dlphys._validation import check_choice, check_count, check_number, shown

__all__ = ["ACTIVATIONS", "DATASETS", "FEATURES", "REGULARIZATIONS", "Settings"]

DATASETS = {"classification": ("checkerboard", "circle", "gauss", "spiral"), "regression": ("plane", "gauss")}
FEATURES = ("x1", "x2", "x1^2", "x2^2", "x1*x2", "sin x1", "sin x2")
ACTIVATIONS = ("relu", "tanh", "sigmoid", "linear")
REGULARIZATIONS = ("none", "l1", "l2")
MOST_LAYERS, MOST_NEURONS = 6, 8
MOST_POINTS = 5000


@dataclass(frozen=True)
class Settings:
    """Data, network and training of the playground.

    Two networks with the same settings differ only in the ``seed`` that is given to `train`: in their initial weights
    and in the order of their batches. The data are part of the settings.

    Parameters
    ----------
    problem : {"classification", "regression"}
        Classification: labels -1 and 1, tanh at the output. Regression: targets in [-1, 1], linear output.
    dataset : str
        Classification: "checkerboard", "circle", "gauss", "spiral"; regression: "plane", "gauss".
    noise : float
        In [0, 0.5]; 0.5 is the 50 % of the web playground's slider. What it does depends on the set, see `points`.
    points : int
        Training and test points together, 10 to 5000.
    test_share : float
        Share of the points that are kept for the test, in [0.1, 0.9].
    features : sequence of str
        What the network sees of a point, at least one of "x1", "x2", "x1^2", "x2^2", "x1*x2", "sin x1", "sin x2".
    hidden : sequence of int
        Neurons of each hidden layer: up to 6 layers of 1 to 8; ``()`` joins the features to the output directly.
    activation : {"relu", "tanh", "sigmoid", "linear"}
        Of the hidden neurons.
    learning_rate : float
        Step of the stochastic gradient descent, in (0, 10].
    batch_size : int
        Training points a step, 1 to 5000; a last, smaller batch ends the epoch.
    regularization : {"none", "l1", "l2"}
        Penalty on the weights, not on the biases: the rate times sum(abs(w)) or sum(w^2) / 2. L1 is applied as a
        soft threshold after each step, so that weights become exactly zero.
    regularization_rate : float
        In [0, 10]; must be 0 without a penalty.
    seed : int
        Of the data.

    Raises
    ------
    ValueError, TypeError
        If an entry is out of range, or is a set of the other problem.

    Notes
    -----
    `dataclasses.replace` changes one entry. `dataclasses.asdict` gives a dict that JSON can keep, and
    ``Settings(**kept)`` the settings again.

    Examples
    --------
    >>> from dataclasses import replace
    >>> settings = Settings(hidden=(8, 8))
    >>> replace(settings, activation="tanh").hidden
    (8, 8)
    >>> settings.sizes
    (2, 8, 8, 1)
    """

    problem: str = "classification"
    dataset: str = "checkerboard"
    noise: float = 0.0
    points: int = 500
    test_share: float = 0.5
    features: Sequence[str] = ("x1", "x2")
    hidden: Sequence[int] = (4,)
    activation: str = "relu"
    learning_rate: float = 0.03
    batch_size: int = 10
    regularization: str = "none"
    regularization_rate: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice(choices=tuple(DATASETS), problem=self.problem)
        check_choice(choices=DATASETS[self.problem], dataset=self.dataset)
        check_choice(choices=ACTIVATIONS, activation=self.activation)
        check_choice(choices=REGULARIZATIONS, regularization=self.regularization)
        kept: dict[str, Any] = {
            "noise": check_number(minimum=0.0, maximum=0.5, noise=self.noise),
            "points": check_count(minimum=10, maximum=MOST_POINTS, points=self.points),
            "test_share": check_number(minimum=0.1, maximum=0.9, test_share=self.test_share),
            "features": _names(self.features),
            "hidden": _counts(self.hidden),
            "learning_rate": check_number(minimum=0.0, maximum=10.0, learning_rate=self.learning_rate),
            "batch_size": check_count(maximum=MOST_POINTS, batch_size=self.batch_size),
            "regularization_rate": check_number(
                minimum=0.0, maximum=10.0, regularization_rate=self.regularization_rate
            ),
            "seed": check_count(minimum=0, seed=self.seed),
        }
        if kept["learning_rate"] == 0.0:
            raise ValueError("learning_rate must be above 0, got 0.0: nothing would be learned")
        if self.regularization == "none" and kept["regularization_rate"] > 0.0:
            raise ValueError(
                f"regularization_rate must be 0 without a penalty, got {kept['regularization_rate']:g}; "
                "choose regularization='l1' or 'l2' with it"
            )
        generator(kept["seed"])
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    @property
    def n_train(self) -> int:
        """Number of training points."""
        return self.points - round(self.points * self.test_share)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of features, of the neurons in each hidden layer, and 1 for the output."""
        return (len(self.features), *self.hidden, 1)

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(before * after + after for before, after in pairwise(self.sizes))


def _names(features: Any) -> tuple[str, ...]:
    if isinstance(features, str) or not isinstance(features, Sequence):
        raise TypeError(f"features must be a list of names such as ['x1', 'x2'], got {shown(features)}")
    for name in features:
        check_choice(choices=FEATURES, features=name)
    if not features or len(set(features)) < len(features):
        raise ValueError(f"features must name at least one feature, each once, got {shown(list(features))}")
    return tuple(features)


def _counts(hidden: Any) -> tuple[int, ...]:
    if isinstance(hidden, str) or not isinstance(hidden, Sequence):
        raise TypeError(f"hidden must be a list of neurons in each layer such as [4, 2], got {shown(hidden)}")
    if len(hidden) > MOST_LAYERS:
        raise ValueError(f"hidden must have at most {MOST_LAYERS} layers, got {len(hidden)}")
    return tuple(check_count(maximum=MOST_NEURONS, hidden=neurons) for neurons in hidden)
