"""Train networks of the playground without the widget."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_count, shown
from dlphys.playground import _kernels, _network
from dlphys.playground.data import SQUARE, Points, check_settings, features, points
from dlphys.playground.settings import Settings

__all__ = ["DivergenceWarning", "Run", "Trainer", "restarts", "train"]


class DivergenceWarning(UserWarning):
    """A training that left the range of numbers; its learning rate is too large."""


@dataclass(frozen=True, repr=False)
class Run:
    """A trained network and how it got there.

    Attributes
    ----------
    settings : Settings
    train_loss, test_loss : array, (epochs + 1,)
        Half the mean squared error without the penalty, before the first epoch and after each. Infinite from the epoch
        in which a training diverged.
    weights : tuple of arrays, (inputs, outputs)
        Of each layer, as the kernels of Keras.
    biases : tuple of arrays, (outputs,)
    """

    settings: Settings
    train_loss: np.ndarray
    test_loss: np.ndarray
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return len(self.train_loss) - 1

    @property
    def points(self) -> Points:
        """The training and test points."""
        return points(self.settings)

    @property
    def accuracy(self) -> float:
        """Share of the test points on the right side, for a classification."""
        sample = self.points
        return self._accuracy(sample.x_test, sample.y_test)

    @property
    def train_accuracy(self) -> float:
        """Share of the training points on the right side, for a classification."""
        sample = self.points
        return self._accuracy(sample.x_train, sample.y_train)

    def _accuracy(self, x: np.ndarray, y: np.ndarray) -> float:
        if self.settings.problem != "classification":
            raise ValueError("accuracy is for a classification, and this is a regression: look at test_loss")
        return float(np.mean((self.predict(x) > 0.0) == (y > 0.0)))

    @property
    def diverged(self) -> bool:
        """Whether the training left the range of numbers."""
        return bool(np.isinf(self.train_loss[-1]))

    def predict(self, points: ArrayLike) -> np.ndarray:
        """Output of the network: above 0 for class 1, or the value of a regression.

        Parameters
        ----------
        points : array, (n, 2)

        Returns
        -------
        array, (n,)

        Raises
        ------
        ValueError, TypeError
            If ``points`` has another shape.
        """
        return self.neurons(points)[-1][:, 0]

    def neurons(self, points: ArrayLike) -> list[np.ndarray]:
        """Values of the features, of the neurons in each hidden layer, and of the output; each (n, neurons)."""
        points = check_array(shape=(None, 2), points=points)
        x = features(points, self.settings.features)
        return _network.forward(x, list(self.weights), list(self.biases), activations(self.settings))

    def picture(self, size: int = 100) -> np.ndarray:
        """Output on a grid over the square from -6 to 6: an array (size, size), first row at the top (x2 = 6)."""
        size = check_count(minimum=2, maximum=1000, size=size)
        return self.predict(grid(size)).reshape(size, size)

    def draw(self, title: str = "", *, alt: str | None = None) -> Any:
        """Draw the decision picture with the points; see `decision_pictures`, which draws several runs."""
        from dlphys.playground.pictures import decision_pictures

        return decision_pictures([self], titles=[title] if title else None, alt=alt)

    def __repr__(self) -> str:
        kind = "-".join(map(str, self.settings.sizes))
        if self.diverged:
            return (
                f"Run({kind} {self.settings.activation}, {self.settings.dataset}: diverged within {self.epochs} epochs)"
            )
        text = f"train loss {self.train_loss[-1]:.4f}, test loss {self.test_loss[-1]:.4f}"
        return f"Run({kind} {self.settings.activation}, {self.settings.dataset}, {self.epochs} epochs: {text})"


def grid(size: int) -> np.ndarray:
    """Centres of size x size pixels over the square, row by row from the top; (size^2, 2)."""
    centres = SQUARE * ((2.0 * np.arange(size) + 1.0) / size - 1.0)
    return np.column_stack([np.tile(centres, size), np.repeat(centres[::-1], size)])


def activations(settings: Settings) -> list[str]:
    """Of every layer after the features."""
    output = "tanh" if settings.problem == "classification" else "linear"
    return [settings.activation] * len(settings.hidden) + [output]


class Trainer:
    """A network in training: the state behind `train` and behind the widget.

    Parameters
    ----------
    settings : Settings
    seed : int or numpy.random.Generator
        Of the initial weights and of the order of the batches.

    Attributes
    ----------
    epoch : int
    train_loss, test_loss : list of float
        One entry more than epochs.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong.

    Examples
    --------
    >>> trainer = Trainer(Settings(features=("x1*x2",), hidden=()), seed=1)
    >>> trainer.advance(20)
    >>> trainer.epoch, trainer.test_loss[-1] < 0.05
    (20, True)
    """

    def __init__(self, settings: Settings, *, seed: Seed) -> None:
        self.settings = check_settings(settings)
        self._random = generator(seed)
        self.points = points(settings)
        self._x = features(self.points.x_train, settings.features)
        self._x_test = features(self.points.x_test, settings.features)
        weights, biases = _network.initial(settings.sizes, self._random)
        self._parameters = np.concatenate([part.ravel() for pair in zip(weights, biases, strict=True) for part in pair])
        self._sizes = np.array(settings.sizes)
        self._codes = np.array([_kernels.CODES[name] for name in activations(settings)])
        self._values, self._errors = np.zeros((2, len(self._sizes), self._sizes.max()))
        self._gradient = np.zeros_like(self._parameters)
        self.train_loss: list[float] = []
        self.test_loss: list[float] = []
        self.diverged = False
        self._measure()

    @property
    def epoch(self) -> int:
        return len(self.train_loss) - 1

    def _measure(self) -> None:
        with np.errstate(all="ignore"):  # a diverged network is reported below
            for losses, x, y in (
                (self.train_loss, self._x, self.points.y_train),
                (self.test_loss, self._x_test, self.points.y_test),
            ):
                losses.append(_kernels.loss(self._parameters, self._sizes, self._codes, x, y, self._values))
            self.diverged = not (np.isfinite(self.train_loss[-1]) and np.isfinite(self._parameters).all())
        if self.diverged:
            self.train_loss[-1] = self.test_loss[-1] = np.inf

    def advance(self, epochs: int = 1) -> None:
        """Train on, by some epochs or until the training diverges; an interrupt leaves whole epochs."""
        epochs = check_count(epochs=epochs)
        settings = self.settings
        l1, l2 = ((settings.regularization == kind) * settings.regularization_rate for kind in ("l1", "l2"))
        for _ in range(epochs):
            if self.diverged:
                return
            _kernels.train(
                self._parameters,
                self._sizes,
                self._codes,
                self._x,
                self.points.y_train,
                self._random.permutation(len(self._x)),
                settings.batch_size,
                settings.learning_rate,
                l1,
                l2,
                self._values,
                self._errors,
                self._gradient,
            )
            self._measure()

    def adjust(self, settings: Settings) -> None:
        """Go on with another learning rate, batch size or penalty; raises ValueError if anything else differs."""
        check_settings(settings)
        own = ("learning_rate", "batch_size", "regularization", "regularization_rate")
        if settings != replace(self.settings, **{name: getattr(settings, name) for name in own}):
            raise ValueError(f"settings may differ in {', '.join(own)} only; make a new Trainer for anything else")
        self.settings = settings

    def layers(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Copies of the weights and of the biases of each layer."""
        weights, biases, offset = [], [], 0
        for before, after in pairwise(self.settings.sizes):
            weights.append(self._parameters[offset : offset + before * after].reshape(before, after).copy())
            offset += before * after
            biases.append(self._parameters[offset : offset + after].copy())
            offset += after
        return weights, biases

    def run(self) -> Run:
        """The present state."""
        weights, biases = self.layers()
        return Run(self.settings, np.array(self.train_loss), np.array(self.test_loss), tuple(weights), tuple(biases))


def train(settings: Settings, *, epochs: int = 100, seed: Seed = 1) -> Run:
    """Train one network.

    Parameters
    ----------
    settings : Settings
    epochs : int
        0 gives the network before its training.
    seed : int or numpy.random.Generator
        Of the initial weights and of the order of the batches; the data have the seed of the settings.

    Returns
    -------
    Run

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong.

    Warns
    -----
    DivergenceWarning
        If the weights grow beyond all numbers.

    Notes
    -----
    Stochastic gradient descent on half the mean squared error; the points are shuffled before each epoch. The
    equations stand in `dlphys.playground._network`. One seed gives the same bits on every run.

    Examples
    --------
    >>> run = train(Settings(features=("x1", "x2", "x1*x2"), hidden=()), epochs=30, seed=1)
    >>> run.accuracy > 0.97, run.train_loss.shape
    (True, (31,))
    """
    check_settings(settings)
    return _train(settings, check_count(minimum=0, epochs=epochs), generator(seed), show=True)


def restarts(settings: Settings, *, epochs: int = 100, seeds: int | Sequence[int] = 20) -> list[Run]:
    """Train the same settings again and again, from other initial weights each time.

    Parameters
    ----------
    settings : Settings
    epochs : int
    seeds : int or sequence of int
        How many runs, with the seeds 1, 2, ...; or the seeds themselves.

    Returns
    -------
    list of Run

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong.

    Warns
    -----
    DivergenceWarning
        If the weights of a run grow beyond all numbers.

    Examples
    --------
    >>> losses = [run.test_loss[-1] for run in restarts(Settings(hidden=(3,)), epochs=100, seeds=5)]
    >>> bool(max(losses) > 2 * min(losses))
    True
    """
    check_settings(settings)
    epochs = check_count(minimum=0, epochs=epochs)
    if isinstance(seeds, Sequence | np.ndarray) and not isinstance(seeds, str):
        chosen = [check_count(minimum=0, seeds=seed) for seed in seeds]
        if not chosen:
            raise ValueError(f"seeds must have at least one entry, got {shown(seeds)}")
    else:
        chosen = list(range(1, check_count(maximum=10_000, seeds=seeds) + 1))
    from tqdm.auto import tqdm  # here: the import takes longer than a small training

    title = f"training {len(chosen)} networks"
    return [
        _train(settings, epochs, generator(seed), show=False) for seed in tqdm(chosen, desc=title, unit="run", delay=2)
    ]


def _train(settings: Settings, epochs: int, random: np.random.Generator, *, show: bool) -> Run:
    trainer = Trainer(settings, seed=random)
    if epochs * settings.n_train * settings.parameters > 1e8 and show:  # some seconds
        from tqdm.auto import tqdm

        for _ in tqdm(range(epochs), desc="training", unit="epoch", delay=2):
            trainer.advance()
    elif epochs:
        trainer.advance(epochs)
    if trainer.diverged:
        warnings.warn(
            f"the training diverged in epoch {trainer.epoch}: the weights grew beyond all numbers; "
            f"lower the learning rate ({settings.learning_rate:g}) or the regularisation rate",
            DivergenceWarning,
            stacklevel=3,
        )
    missing = [np.inf] * (epochs - trainer.epoch)
    trainer.train_loss += missing
    trainer.test_loss += missing
    return trainer.run()
