"""Explanations that only ask the model: what happens to an output if parts of the input are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from dlphys._blocks import slices
from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_count, shown
from dlphys.explain._arguments import even_draws, like_inputs, paired_batches, prepare, reference_value
from dlphys.explain._graph import as_array


def occlusion(
    model: Any,
    inputs: Any,
    *,
    size: int | tuple[int, ...] = 1,
    stride: int | tuple[int, ...] | None = None,
    value: Any = 0.0,
    output: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Fall of an output when a patch of the input is covered, for patches all over the input.

    R(patch) = S(x) - S(x with the patch replaced); an entry has the mean over the patches that cover it.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`. The output is chosen for the uncovered input.
    size : int or tuple of int, default 1
        Of a patch: columns of a table (n, f), times of a sequence (n, t, c), rows and columns of images (n, h, w, c).
        All channels of a place are covered together.
    stride : int or tuple of int, optional
        From patch to patch; ``size`` if not given, so that patches touch. A last patch ends at the border.
    value : float or array, default 0
        What stands in a covered place: a number, one event, or an event for each input, such as random spins.

    Returns
    -------
    array, shape of the inputs, float32
        In units of the output; the same for all channels of a place. Not complete: the sum is S for linear models only.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    M. D. Zeiler, R. Fergus, arXiv:1311.2901; section 12.3.3 of the book. The result depends on ``size`` and ``value``:
    zero means darkness in a photograph, and no spin at all in a lattice of spins.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [-1.0], [1.0]]), np.array([0.5])])
    >>> occlusion(model, [[1.0, 2.0, 4.0]])
    array([[ 3., -2.,  4.]], dtype=float32)
    >>> occlusion(model, [[1.0, 2.0, 4.0]], size=2, stride=1)
    array([[1. , 1.5, 2. ]], dtype=float32)
    """
    graph, x, index = prepare(model, inputs, output, batch_size)
    cover = reference_value(graph, x, value=value)
    extent = x.shape[1:2] if x.ndim == 2 else x.shape[1:-1]
    sizes = _per_axis(extent, size=size)
    strides = sizes if stride is None else _per_axis(extent, stride=stride)
    edges = [_beginnings(n, width, step) for n, width, step in zip(extent, sizes, strides, strict=True)]
    corners = list(product(*edges))
    windows = [tuple(slice(k, k + width) for k, width in zip(corner, sizes, strict=True)) for corner in corners]
    falls = np.repeat(_scores(graph, x, index, batch_size)[:, None], len(windows), axis=1)
    for event, patch in paired_batches(len(x), len(windows), batch_size, "occlusion"):
        covered = x[event]
        for k, (i, j) in enumerate(zip(event, patch, strict=True)):
            covered[(k, *windows[j])] = cover[(i, *windows[j])]
        falls[event, patch] -= as_array(graph.scores(covered, index[event]))
    total, times = np.zeros((len(x), *extent)), np.zeros(extent)
    for j, window in enumerate(windows):
        total[(slice(None), *window)] += falls[:, j].reshape(-1, *(1,) * len(extent))
        times[window] += 1
    mean = (total / times).astype(np.float32)
    return mean if x.ndim == 2 else np.array(np.broadcast_to(mean[..., None], x.shape))


def shapley_sampling(
    model: Any,
    inputs: Any,
    background: Any,
    *,
    groups: Any = None,
    permutations: int = 50,
    seed: Seed,
    output: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Shapley values by sampling: the mean gain of an output when a feature joins others that came before it.

    phi_i = sum over sets S without i of |S|! (g - |S| - 1)! / g! (v(S + i) - v(S)). The value v(S) of a set of features
    is the mean output of inputs that have the features of S from the input and all others from the background.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`.
    background : array, (m, ...)
        Typical inputs, from which absent features are taken.
    groups : array of int, shape of one input, optional
        Which of the g features, numbered from 0, each entry belongs to, for example one number for each patch of an
        image; the last axis (channels) may be left out. Every entry is a feature of its own if not given.
    permutations : int, default 50
        Random orders in which the features join, for each input; each is used forwards and backwards.
    seed : int or numpy.random.Generator

    Returns
    -------
    array, shape of the inputs or, with ``groups``, (n, g), float32
        In units of the output. The sum over the features is S(x) minus the mean of S over the background, exactly if
        ``permutations`` is a multiple of m, otherwise over that part of it which was used.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    L. Shapley (1953); E. Strumbelj, I. Kononenko, J. Mach. Learn. Res. 11 (2010) 1; S. Lundberg, S.-I. Lee,
    arXiv:1705.07874. Costs 2 (g + 1) ``permutations`` evaluations of the model for each input. The error falls as one
    over the square root of ``permutations``; for a linear model, or one with terms of at most two features and a
    single background input, the backward orders make it vanish.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.5])])
    >>> shapley_sampling(model, [[1.0, 2.0]], [[0.0, 1.0]], permutations=1, seed=1)
    array([[ 3., -1.]], dtype=float32)
    """
    check_count(permutations=permutations)
    random = generator(seed)
    graph, x, index = prepare(model, inputs, output, batch_size)
    others = like_inputs(graph, background=background)
    labels, g = _features(x.shape[1:], groups)
    which = even_draws(random, len(x), permutations, len(others))
    gains = np.zeros((len(x), g))
    points = 2 * (g + 1)  # from nothing to everything, forwards and backwards
    for event, draw in paired_batches(len(x), permutations, max(1, batch_size // points), "shapley_sampling"):
        forwards = random.permuted(np.broadcast_to(np.arange(g), (len(event), g)), axis=1)
        orders = np.stack([forwards, forwards[:, ::-1]], axis=1).reshape(-1, g)
        ranks = orders.argsort(axis=1)
        for walk, present in _points_of(len(orders), g + 1, batch_size):
            own = event[walk // 2]
            joined = ranks[walk][:, labels] < present.reshape(-1, *(1,) * labels.ndim)
            mixed = np.where(joined, x[own], others[which[own, draw[walk // 2]]])
            value = as_array(graph.scores(mixed, index[own])).astype(np.float64)
            later, earlier = present > 0, present < g
            # a point is the end of one gain and the beginning of the next
            np.add.at(gains, (own[later], orders[walk[later], present[later] - 1]), value[later])
            np.add.at(gains, (own[earlier], orders[walk[earlier], present[earlier]]), -value[earlier])
    gains /= 2 * permutations
    return (gains if groups is not None else gains.reshape(x.shape)).astype(np.float32)


def _scores(graph: Any, x: np.ndarray, index: np.ndarray, batch_size: int) -> np.ndarray:
    return np.concatenate([as_array(graph.scores(x[batch], index[batch])) for batch in slices(len(x), batch_size)])


def _points_of(walks: int, points: int, batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Walk and number of present features, for all points of some walks in batches."""
    for batch in slices(walks * points, batch_size):
        flat = np.arange(batch.start, batch.stop)
        yield flat // points, flat % points


def _features(shape: tuple[int, ...], groups: Any) -> tuple[np.ndarray, int]:
    """The number of the feature of each entry, and how many there are."""
    if groups is None:
        n = int(np.prod(shape))
        return np.arange(n).reshape(shape), n
    labels = check_array(groups=groups, minimum=0, dtype=None)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"groups must hold whole numbers, got {shown(groups)}")
    if labels.shape == shape[:-1] and labels.shape != shape:
        labels = np.broadcast_to(labels[..., None], shape)
    if labels.shape != shape:
        raise ValueError(f"groups must have shape {shape} or {shape[:-1]}, got {labels.shape}")
    present = np.unique(labels)
    if len(present) != present[-1] + 1:
        missing = np.setdiff1d(np.arange(present[-1]), present)[0]
        raise ValueError(f"groups must have all numbers from 0 to the largest, got none that is {missing}")
    return labels, len(present)


def _per_axis(extent: tuple[int, ...], **argument: Any) -> tuple[int, ...]:
    """A whole number for every axis of a map, none larger than the map."""
    ((name, value),) = argument.items()
    values = tuple(value) if isinstance(value, list | tuple) else (value,) * len(extent)
    if len(values) != len(extent):
        raise ValueError(f"{name} must be one whole number or {len(extent)}, got {shown(value)}")
    return tuple(check_count(maximum=n, **{name: number}) for number, n in zip(values, extent, strict=True))


def _beginnings(n: int, size: int, stride: int) -> list[int]:
    """Where the patches along an axis begin; the last one ends at the border."""
    first = list(range(0, n - size + 1, stride))
    return first if first[-1] == n - size else [*first, n - size]
