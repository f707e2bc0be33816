"""Many predictions for the same events: by drawing, or by several networks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from dlphys._random import Seed, generator
from dlphys._validation import check_choice, check_count, shown
from dlphys.layers.bayesian import BayesianDense, Sampling

__all__ = ["predict_samples", "set_sampling"]


def predict_samples(
    model: Any, inputs: Any, samples: int | None = None, *, seed: Seed | None = None, batch_size: int = 4096
) -> Any:
    """Predictions of several networks for the same events: draws of a Bayesian network, or members of an ensemble.

    Parameters
    ----------
    model : Keras model, or list of models
        A model with `BayesianDense` or `MonteCarloDropout`; or a deep ensemble: networks of the same form, trained
        from different starts.
    inputs : array, or list or dict of arrays; the first axis is the event
    samples : int, optional
        Number of draws from a model. Left out for an ensemble of networks that do not draw.
    seed : int or numpy.random.Generator
        For the draws; needed where ``samples`` is given.
    batch_size : int

    Returns
    -------
    array, (samples, n, ...)
        For an ensemble (models, n, ...), or (models * samples, n, ...) if its members draw. A model with several
        outputs gives the list or dict that ``predict`` would give, of such arrays.

    Raises
    ------
    TypeError
        If ``model`` is no Keras model or list of them, or ``seed`` is missing.
    ValueError
        If ``samples`` is missing although the model draws, given although it does not, or an ensemble has fewer than
        two members.

    Notes
    -----
    With one seed the samples are the same on every call, for any ``batch_size`` as far as Bayesian layers go: within a
    sample their weights are the same for all events, so that a sample is a function of the inputs. Dropout decides
    anew for each event. The state of the model's random numbers is as before afterwards.

    Examples
    --------
    >>> model = keras.Sequential([keras.Input((2,)), BayesianDense(4, "relu"), keras.layers.Dense(1)])
    >>> predict_samples(model, np.zeros((100, 2)), 30, seed=1).shape
    (30, 100, 1)
    >>> predict_samples([model, model], np.zeros((100, 2)), 10, seed=1).shape
    (20, 100, 1)
    """
    ensemble = isinstance(model, list | tuple)
    models = list(model) if ensemble else [model]
    for member in models:
        if not isinstance(member, keras.Model):
            raise TypeError(f"model must be a Keras model or a list of them, got {shown(member)}")
    if ensemble and len(models) < 2:
        raise ValueError(f"model must be one model or a list of at least two, got {len(models)}")
    batch_size = check_count(batch_size=batch_size)
    draws = any(_drawing_layers(member) for member in models)
    if samples is None:
        if draws:
            raise ValueError("samples must be given for a model that draws, got None")
        if not ensemble:
            raise ValueError("model must have a layer that draws in prediction (or be a list of models), got none")
        samples = 1
    elif not draws:
        raise ValueError(
            "model must have a layer that draws in prediction, BayesianDense or MonteCarloDropout with sampling on, "
            "or samples must be left out for an ensemble; got no such layer"
        )
    samples = check_count(samples=samples)
    if seed is None and draws:
        raise TypeError("seed must be a whole number or a numpy.random.Generator, got None (NoneType)")
    inputs = keras.tree.map_structure(np.asarray, inputs)
    lengths = {len(array) for array in keras.tree.flatten(inputs)}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"inputs must have the same number of events, at least one, got {sorted(lengths)}")
    (events,) = lengths
    parts = [slice(first, first + batch_size) for first in range(0, events, batch_size)]
    random = generator(0 if seed is None else seed)
    results = [result for member in models for result in _samples(member, inputs, parts, samples, random)]
    return keras.tree.map_structure(lambda *arrays: np.stack(arrays), *results)


def set_sampling(model: Any, sampling: bool) -> None:
    """Switch the drawing of all Bayesian and dropout layers of a model on or off.

    Off, the model computes with the means of its weights and is the same at every call.

    Parameters
    ----------
    model : Keras model
    sampling : bool

    Raises
    ------
    TypeError
        If ``model`` is no Keras model.
    ValueError
        If it has no layer that draws, or ``sampling`` is neither True nor False.

    Examples
    --------
    >>> model = keras.Sequential([keras.Input((2,)), BayesianDense(1)])
    >>> set_sampling(model, False)
    >>> bool(np.ptp([model(np.ones((1, 2))) for _ in range(5)]) == 0)
    True
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a Keras model, got {shown(model)}")
    check_choice(choices=(True, False), sampling=sampling)
    layers = [layer for layer in _all_layers(model) if isinstance(layer, Sampling)]
    if not layers:
        raise ValueError(
            "model must have a layer that draws in prediction, BayesianDense or MonteCarloDropout, got none"
        )
    for layer in layers:
        layer.sampling = sampling


def _samples(model: Any, inputs: Any, parts: list[slice], samples: int, random: np.random.Generator) -> Any:
    layers = _drawing_layers(model)
    before = [np.asarray(layer.seed_generator.state) for layer in layers]
    try:
        for _ in range(samples):
            words = random.integers(2**32, size=len(layers), dtype=np.uint32)
            batches = []
            for number, part in enumerate(parts):
                for layer, word in zip(layers, words, strict=True):
                    if number == 0 or isinstance(layer, BayesianDense):
                        layer.seed_generator.state.assign(np.array([word, 0], dtype=np.uint32))
                chosen = keras.tree.map_structure(lambda array, part=part: array[part], inputs)
                batches.append(keras.tree.map_structure(np.asarray, model.predict_on_batch(chosen)))
            yield keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *batches)
    finally:
        for layer, state in zip(layers, before, strict=True):
            layer.seed_generator.state.assign(state)


def _drawing_layers(model: Any) -> list[Any]:
    layers = [layer for layer in _all_layers(model) if isinstance(layer, Sampling) and layer.sampling]
    return [layer for layer in layers if getattr(layer, "rate", 1.0) > 0.0]


def _all_layers(model: Any) -> list[Any]:
    """Also those inside other models and wrappers."""
    return list(model._flatten_layers(include_self=False))
