"""Does an explanation depend on the model at all? A copy of the model that has forgotten what it learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys._keras import keras
from dlphys._random import Seed, generator
from dlphys._validation import check_count
from dlphys.explain._graph import read


def randomised(model: Any, *, layers_from_top: int | None = None, seed: Seed) -> Any:
    """A copy of a model with the last layers initialised anew, for a sanity check of explanations.

    An explanation that stays the same for a network with random weights shows the input, not what the network has
    learned.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential.
    layers_from_top : int, optional
        How many layers with weights lose them, counted from the output; all if not given, none if 0.
    seed : int or numpy.random.Generator

    Returns
    -------
    keras.Model
        Not compiled. Shares no weights with ``model``, which stays as it is.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or has fewer layers with weights.

    Notes
    -----
    J. Adebayo et al., arXiv:1810.03292. Every weight is drawn by the initialiser that its layer was made with.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    >>> copy = randomised(model, layers_from_top=1, seed=1)
    >>> [bool(np.array_equal(a, b)) for a, b in zip(model.get_weights(), copy.get_weights())]
    [True, True, False, True]
    """
    graph = read(model)
    random = generator(seed)
    with_weights = []
    for place in reversed(graph.places):  # a layer that is used several times counts once, where it is nearest the top
        if getattr(place.layer, "weights", ()) and place.layer not in with_weights:
            with_weights.append(place.layer)
    if layers_from_top is None:
        layers_from_top = len(with_weights)
    check_count(layers_from_top=layers_from_top, minimum=0, maximum=len(with_weights))
    forgotten = with_weights[:layers_from_top]

    def seeded(layer: Any) -> Any:
        return type(layer).from_config(_with_seeds(layer.get_config(), random))

    copy = keras.models.clone_model(model, clone_function=seeded, recursive=True)
    if not copy.built:
        copy.build(model.inputs[0].shape)
    for old, new in zip(_flat(model), _flat(copy), strict=True):
        if not any(old is layer for layer in forgotten):
            new.set_weights(old.get_weights())
    return copy


def _flat(model: Any) -> list[Any]:
    """The layers of a model and of the models inside it."""
    layers = []
    for layer in model.layers:
        layers.extend(_flat(layer) if isinstance(layer, keras.Model) else [layer])
    return layers


def _with_seeds(config: Any, random: np.random.Generator) -> Any:
    """A configuration in which every random initialiser has a seed of its own."""
    if isinstance(config, list | tuple):
        return type(config)(_with_seeds(part, random) for part in config)
    if not isinstance(config, dict):
        return config
    return {
        key: int(random.integers(2**31)) if key == "seed" else _with_seeds(value, random)
        for key, value in config.items()
    }
