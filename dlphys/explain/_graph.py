"""A Keras model taken apart into steps, so that a method can stop at any value and go back by rules of its own.

A layer with an activation function becomes two steps, and nested models are opened. The steps share the weights of
the layers and nothing is added to the model. A final softmax or sigmoid is left out: what is explained is the logit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from dlphys._keras import keras
from dlphys._validation import shown
from dlphys.layers import PeriodicPadding2D

_LAYERS = keras.layers
_AFFINE = (_LAYERS.Dense, _LAYERS.Conv1D, _LAYERS.Conv2D, _LAYERS.Conv3D)
_KINDS: dict[str, tuple[type, ...]] = {
    "maximum": (
        _LAYERS.MaxPooling1D,
        _LAYERS.MaxPooling2D,
        _LAYERS.MaxPooling3D,
        _LAYERS.GlobalMaxPooling1D,
        _LAYERS.GlobalMaxPooling2D,
        _LAYERS.GlobalMaxPooling3D,
    ),
    "average": (
        _LAYERS.AveragePooling1D,
        _LAYERS.AveragePooling2D,
        _LAYERS.AveragePooling3D,
        _LAYERS.GlobalAveragePooling1D,
        _LAYERS.GlobalAveragePooling2D,
        _LAYERS.GlobalAveragePooling3D,
    ),
    "scale": (_LAYERS.BatchNormalization, _LAYERS.Rescaling, _LAYERS.Normalization),
    "route": (
        _LAYERS.Flatten,
        _LAYERS.Reshape,
        _LAYERS.Permute,
        _LAYERS.Cropping1D,
        _LAYERS.Cropping2D,
        _LAYERS.Cropping3D,
        _LAYERS.ZeroPadding1D,
        _LAYERS.ZeroPadding2D,
        _LAYERS.ZeroPadding3D,
        PeriodicPadding2D,
    ),
    "nothing": (
        _LAYERS.Dropout,
        _LAYERS.SpatialDropout1D,
        _LAYERS.SpatialDropout2D,
        _LAYERS.SpatialDropout3D,
        _LAYERS.GaussianDropout,
        _LAYERS.GaussianNoise,
        _LAYERS.ActivityRegularization,
        _LAYERS.Identity,
    ),
    "sum": (_LAYERS.Add, _LAYERS.Average),
    "join": (_LAYERS.Concatenate,),
}
_ACTIVATIONS = {
    _LAYERS.ReLU: "relu",
    _LAYERS.LeakyReLU: "leaky_relu",
    _LAYERS.PReLU: "leaky_relu",
    _LAYERS.ELU: "elu",
    _LAYERS.Softmax: "softmax",
}
_OPERATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Softmax": "softmax", "Tanh": "tanh"}  # keras.ops.relu(x)
_OWN_CALLS = ("keras.src.models.functional", "keras.src.models.sequential")


@dataclass(frozen=True)
class Step:
    """One thing done to one or several values.

    ``kind`` is "affine", "activation", "maximum", "average", "scale", "route", "sum", "join" or "other"; ``function``
    names an activation.
    """

    layer: Any
    kind: str
    inputs: tuple[int, ...]
    call: Callable[..., Any]
    function: str = ""

    def __str__(self) -> str:
        kind = type(self.layer).__name__
        what = f"{kind} with activation {self.function}" if self.function else kind
        return f"layer '{self.layer.name}' ({what})"


@dataclass(frozen=True)
class Affine:
    """The part of a dense or convolutional layer before its activation, with any kernel."""

    layer: Any

    def weights(self) -> tuple[Any, Any]:
        """Kernel, with the output channels last, and bias or None."""
        layer = self.layer
        kernel = ops.cast(layer.kernel, layer.compute_dtype)
        return kernel, None if layer.bias is None else ops.cast(layer.bias, layer.compute_dtype)

    def apply(self, x: Any, kernel: Any, bias: Any = None) -> Any:
        layer = self.layer
        x = ops.cast(x, layer.compute_dtype)
        y = ops.matmul(x, kernel) if isinstance(layer, _LAYERS.Dense) else _convolution(layer, x, kernel)
        if bias is None:
            return y
        if getattr(layer, "data_format", "channels_last") == "channels_first":
            bias = ops.reshape(bias, (-1,) + (1,) * (len(x.shape) - 2))
        return y + bias

    def __call__(self, x: Any) -> Any:
        return self.apply(x, *self.weights())


def _convolution(layer: Any, x: Any, kernel: Any) -> Any:
    """What a convolutional layer does before it adds its bias."""
    padding = layer.padding
    if padding == "causal":
        times = 1 if layer.data_format == "channels_last" else 2
        before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
        x, padding = ops.pad(x, [(before if axis == times else 0, 0) for axis in range(3)]), "valid"
    return ops.conv(x, kernel, list(layer.strides), padding, layer.data_format, layer.dilation_rate)


@dataclass(frozen=True)
class Place:
    """Where the output of a layer stands among the values, and its value before the activation function."""

    layer: Any
    after: int
    before: int
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Graph:
    """Steps in the order of the calculation: value 0 is the input, value k + 1 is made by step k.

    ``output`` is the number of the explained value, with shape (n, ``outputs``); ``ending`` is "softmax" or "sigmoid"
    if the model goes on with it.
    """

    steps: tuple[Step, ...]
    places: tuple[Place, ...]
    output: int
    outputs: int
    ending: str
    shape: tuple[int | None, ...]
    dtype: str

    def run(self, known: dict[int, Any], wanted: int) -> Any:
        """Value number ``wanted`` from those that are known, to which all values on the way are added."""
        needed = {wanted}
        for number in range(wanted, 0, -1):
            if number in needed and number not in known:
                needed.update(self.steps[number - 1].inputs)
        for number in sorted(needed):
            if number not in known:
                step = self.steps[number - 1]
                known[number] = step.call(*(known[k] for k in step.inputs))
        return known[wanted]

    def logits(self, x: Any) -> Any:
        """What the model puts out before a final softmax or sigmoid; (n, ``outputs``)."""
        return ops.cast(self.run({0: x}, self.output), self.dtype)

    def scores(self, x: Any, index: Any) -> Any:
        """The logit number ``index[i]`` of event i; (n,)."""
        return ops.take_along_axis(self.logits(x), ops.convert_to_tensor(index)[:, None], axis=1)[:, 0]

    def place(self, layer: Any) -> Place:
        """Where a layer stands, given itself or its name."""
        by_name = isinstance(layer, str)
        if not by_name and not isinstance(layer, keras.Layer):
            raise TypeError(f"layer must be the name of a layer or a layer of the model, got {shown(layer)}")
        found = [p for p in self.places if (p.layer.name == layer if by_name else p.layer is layer)]
        if not found:
            names = ", ".join(f"'{place.layer.name}'" for place in self.places)
            raise ValueError(f"layer must be one of {names}, got {shown(layer if by_name else layer.name)}")
        if len(found) > 1:
            raise ValueError(f"layer must stand at one place of the model, got {shown(layer)}, which is used twice")
        return found[0]


def read(model: Any) -> Graph:
    """The steps of a functional or Sequential model with one input and one output per event, (n, k)."""
    _check_model(model)
    reader = _Reader()
    last = reader.open(model, 0)
    output, ending = last, ""
    if reader.steps and reader.steps[last - 1].function in ("softmax", "sigmoid"):
        output, ending = reader.steps[last - 1].inputs[0], reader.steps[last - 1].function
    given = model.inputs[0]
    return Graph(
        steps=tuple(reader.steps),
        places=tuple(reader.places),
        output=output,
        outputs=int(model.outputs[0].shape[-1]),
        ending=ending,
        shape=tuple(given.shape[1:]),
        dtype="float64" if given.dtype == "float64" else "float32",
    )


def _check_model(model: Any) -> None:
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a Keras model, got {shown(model)} ({type(model).__name__})")
    if not model.built and isinstance(model, keras.Sequential):
        raise ValueError("model must have been built: begin it with keras.Input, or call it once")
    if type(model).call.__module__ not in _OWN_CALLS:
        raise TypeError(f"model must be functional or Sequential, got {type(model).__name__}, whose steps are hidden")
    for name, tensors in (("input", model.inputs), ("output", model.outputs)):
        if len(tensors) != 1:
            raise ValueError(f"model must have one {name}, got {len(tensors)}")
    shape = model.outputs[0].shape
    if len(shape) != 2 or shape[-1] is None:
        raise ValueError(f"model must put out numbers of shape (n, k), got {tuple(shape)}")


class _Reader:
    """Collects the steps of a model and of the models inside it."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.places: list[Place] = []

    def open(self, model: Any, number: int) -> int:
        """Append the steps of ``model``, whose input is value ``number``; returns the number of its output."""
        known = {id(model.inputs[0]): number}
        waiting = [model.outputs[0]]
        while waiting:
            tensor = waiting[-1]
            if id(tensor) in known:
                waiting.pop()
                continue
            history = tensor._keras_history
            node = history.operation._inbound_nodes[history.node_index]
            missing = [source for source in node.arguments.keras_tensors if id(source) not in known]
            if missing:
                waiting.extend(missing)
            else:
                known[id(tensor)] = self.add(tensor, node, known)
        return known[id(model.outputs[0])]

    def add(self, tensor: Any, node: Any, known: dict[int, int]) -> int:
        """Append what makes a tensor, one call of a layer or operation; returns the number of the result."""
        layer, sources = node.operation, node.arguments.keras_tensors
        inputs = tuple(known[id(source)] for source in sources)
        opened = isinstance(layer, keras.Model) and type(layer).call.__module__ in _OWN_CALLS
        if opened and len(layer.inputs) == len(layer.outputs) == 1:
            return self.open(layer, inputs[0])
        first = len(self.steps) + 1
        self.steps.extend(_steps(layer, inputs, first, _as_recorded(layer, node, tensor._keras_history.tensor_index)))
        last, after = self.steps[-1], len(self.steps)
        before = last.inputs[0] if last.kind == "activation" else after
        self.places.append(Place(layer, after, before, tuple(tensor.shape[1:])))
        return after


def _steps(layer: Any, inputs: tuple[int, ...], first: int, recorded: Callable[..., Any]) -> Iterator[Step]:
    """The one or two steps of a layer; the first makes value number ``first``."""
    kind = type(layer)
    if kind in _AFFINE:
        yield Step(layer, "affine", inputs, Affine(layer))
        if (name := _function(layer.activation)) != "linear":
            yield Step(layer, "activation", (first,), layer.activation, name)
    elif kind is _LAYERS.Activation:
        yield Step(layer, "activation", inputs, layer, _function(layer.activation))
    elif kind in _ACTIVATIONS:
        yield Step(layer, "activation", inputs, layer, _ACTIVATIONS[kind])
    elif kind.__module__.startswith("keras.src.ops") and kind.__name__ in _OPERATIONS and len(inputs) == 1:
        yield Step(layer, "activation", inputs, layer, _OPERATIONS[kind.__name__])
    elif kind.__module__.startswith("keras.src.ops") and kind.__name__ == "Add" and len(inputs) == 2:
        yield Step(layer, "sum", inputs, lambda a, b: a + b)
    else:
        name = next((name for name, kinds in _KINDS.items() if kind in kinds), "other")
        if name in ("sum", "join"):
            yield Step(layer, name, inputs, lambda *values: layer(list(values)))
        elif name == "nothing":
            yield Step(layer, "route", inputs, lambda x: x)
        elif name == "other":
            yield Step(layer, name, inputs, recorded)
        else:
            yield Step(layer, name, inputs, layer)


def _function(activation: Any) -> str:
    return "linear" if activation is None else getattr(activation, "__name__", type(activation).__name__)


def _as_recorded(layer: Any, node: Any, index: int) -> Callable[..., Any]:
    """The call of a layer as the model makes it, with all its arguments."""
    names = [id(source) for source in node.arguments.keras_tensors]

    def call(*values: Any) -> Any:
        positional, named = node.arguments.fill_in(dict(zip(names, values, strict=True)))
        result = layer(*positional, **named)
        return keras.tree.flatten(result)[index]

    return call


def as_array(values: Any) -> np.ndarray:
    """A tensor as a float32 array."""
    return np.asarray(keras.ops.convert_to_numpy(values), dtype=np.float32)
