"""Maps of a class over the places of an image or sequence, from the last feature maps of a convolutional network."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from dlphys import autodiff
from dlphys._validation import check_choice
from dlphys.explain._arguments import batches, prepare
from dlphys.explain._graph import Graph, Step, as_array


def class_activation_map(
    model: Any, inputs: Any, *, output: Any = None, upsampled: bool = False, batch_size: int = 256
) -> np.ndarray:
    """Class activation map: which places of the last feature maps make up an output.

    For a model that ends in global average pooling and a dense layer, M(i) = sum over c of W_c h_c(i) + b with the
    feature maps h_c at place i. The output before the softmax is the mean of M over the places.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`. Images (n, h, w, c) or sequences (n, t, c).
    upsampled : bool, default False
        Whether the map is brought to the size of the input by linear interpolation. Its mean changes slightly.

    Returns
    -------
    array, (n, rows, columns) or (n, times), float32
        In units of the output, at the resolution of the feature maps or, ``upsampled``, of the inputs.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    B. Zhou et al., arXiv:1512.04150; equations (12.6) to (12.8) of the book. Between pooling and output there may be
    more layers as long as together they are linear, such as batch normalisation.

    Examples
    --------
    >>> import keras
    >>> layers = [keras.Input((3, 1)), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)]
    >>> model = keras.Sequential(layers)
    >>> model.set_weights([np.array([[2.0]]), np.array([1.0])])
    >>> class_activation_map(model, [[[1.0], [2.0], [6.0]]])
    array([[ 3.,  5., 13.]], dtype=float32)
    """
    check_choice(upsampled=upsampled, choices=(False, True))
    graph, x, index = prepare(model, inputs, output, batch_size)
    pooling, tail = _pooled_tail(graph)
    (source,) = graph.steps[pooling].inputs
    parts = []
    for batch in batches(len(x), batch_size, "class_activation_map"):
        features = graph.run({0: ops.convert_to_tensor(x[batch])}, source)
        shape = tuple(features.shape)
        # the tail is linear, so that the mean may be taken after it: every place goes through it on its own
        keep = (1,) * (len(shape) - 2) if graph.steps[pooling].layer.keepdims else ()
        values = ops.reshape(features, (-1, *keep, shape[-1]))
        for step in tail:
            values = step.call(values)
        maps = as_array(values).reshape(*shape[:-1], graph.outputs)
        parts.append(np.take_along_axis(maps, index[batch].reshape(-1, *(1,) * (len(shape) - 1)), axis=-1)[..., 0])
    result = np.concatenate(parts)
    return enlarged(result, x.shape[1:-1]) if upsampled else result


def grad_cam(
    model: Any,
    inputs: Any,
    *,
    layer: Any = None,
    output: Any = None,
    rectified: bool = True,
    upsampled: bool = False,
    batch_size: int = 256,
) -> np.ndarray:
    """Gradient-weighted class activation map: `class_activation_map` for networks of any ending.

    L(i) = max(0, sum over c of a_c h_c(i)), where a_c is the mean over the places of dS / dh_c.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`. Images (n, h, w, c) or sequences (n, t, c).
    layer : str or keras.Layer, optional
        Whose maps h are used; the last one with maps if not given.
    rectified : bool, default True
        Whether negative values are set to zero, as in the paper.
    upsampled : bool, default False
        Whether the map is brought to the size of the input by linear interpolation.

    Returns
    -------
    array, (n, rows, columns) or (n, times), float32

    Raises
    ------
    TypeError, ValueError
        If the model has another form, has no maps, or an argument does not fit it.

    Notes
    -----
    R. R. Selvaraju et al., arXiv:1610.02391. Not in the book. With the maps before global average pooling and a dense
    layer, L without the rectification is M - b of `class_activation_map`, divided by the number of places.

    Examples
    --------
    >>> import keras
    >>> layers = [keras.Input((3, 1), name="in"), keras.layers.Dense(1), keras.layers.Flatten(), keras.layers.Dense(1)]
    >>> model = keras.Sequential(layers)
    >>> model.set_weights([np.array([[1.0]]), np.array([0.0]), np.array([[2.0], [0.0], [1.0]]), np.array([1.0])])
    >>> grad_cam(model, [[[1.0], [-2.0], [6.0]]])
    array([[1., 0., 6.]], dtype=float32)
    """
    for name, choice in (("rectified", rectified), ("upsampled", upsampled)):
        check_choice(**{name: choice}, choices=(False, True))
    graph, x, index = prepare(model, inputs, output, batch_size)
    number = _last_maps(graph, x[:1]) if layer is None else graph.place(layer).after
    parts = []
    for batch in batches(len(x), batch_size, "grad_cam"):
        part = ops.convert_to_tensor(x[batch])
        maps = graph.run({0: part}, number)
        if len(maps.shape) < 3:
            raise ValueError(f"layer must put out maps (n, ..., c), got shape {tuple(maps.shape)} from '{layer}'")

        def score(h: Any, part: Any = part, batch: slice = batch) -> Any:
            logits = graph.run({0: part, number: h}, graph.output)
            return ops.take_along_axis(logits, ops.convert_to_tensor(index[batch])[:, None], axis=1)

        slopes, values = as_array(autodiff.gradient(score, maps)), as_array(maps)
        weights = slopes.mean(axis=tuple(range(1, slopes.ndim - 1)), keepdims=True)
        parts.append((weights * values).sum(axis=-1))
    result = np.concatenate(parts)
    result = np.maximum(result, 0.0) if rectified else result
    return enlarged(result, x.shape[1:-1]) if upsampled else result


def enlarged(maps: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Maps (n, ...) at another size by linear interpolation between the centres of their cells."""
    for axis, new in enumerate(shape, start=1):
        old = maps.shape[axis]
        place = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.minimum(place.astype(int), max(old - 2, 0))
        high = np.minimum(low + 1, old - 1)
        share = (place - low).reshape([-1 if k == axis else 1 for k in range(maps.ndim)])
        maps = (1 - share) * maps.take(low, axis) + share * maps.take(high, axis)
    return maps.astype(np.float32)


def _pooled_tail(graph: Graph) -> tuple[int, list[Step]]:
    """The number of the step that pools globally, and the linear steps between it and the output."""
    tail: list[Step] = []
    number = graph.output
    while number > 0:
        step = graph.steps[number - 1]
        if type(step.layer).__name__.startswith("GlobalAveragePooling"):
            return number - 1, tail[::-1]
        if step.kind not in ("affine", "scale", "route"):
            break
        tail.append(step)
        number = step.inputs[0]
    found = graph.steps[number - 1] if number > 0 else "the input"
    raise ValueError(
        f"model must end in global average pooling and linear layers for class_activation_map, got {found} before them"
    )


def _last_maps(graph: Graph, x: np.ndarray) -> int:
    """The last value on the way to the output that has places and channels, (n, ..., c)."""
    known = {0: ops.convert_to_tensor(x)}
    graph.run(known, graph.output)
    with_places = [number for number in known if number > 0 and len(known[number].shape) >= 3]
    if not with_places:
        raise ValueError("layer must be given, or the model must have a layer that puts out maps (n, ..., c), got none")
    return max(with_places)
