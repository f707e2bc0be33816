"""Going back through a network with a rule of one's own at every step: DeconvNet and guided backpropagation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from dlphys import autodiff
from dlphys._keras import keras
from dlphys._validation import check_choice, check_count, shown
from dlphys.explain._arguments import batches, explained, prepare_inputs
from dlphys.explain._graph import Graph, Step, as_array

Rule = Callable[[Step, list[Any], Any, Any], Sequence[Any]]

# Functions that pass positive values and hold back negative ones, for which a rectified signal makes sense.
RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "gelu", "softplus")


def deconvnet(
    model: Any,
    inputs: Any,
    *,
    layer: Any = None,
    channel: int | None = None,
    unit: Any = None,
    switches: bool = True,
    output: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Map an activation back to the input with transposed convolutions, rectified signals, and unpooling.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`. ``output`` counts only without ``layer``.
    layer : str or keras.Layer, optional
        Whose strongest activation is mapped back, with all its other activations set to zero. An output of the model if
        not given.
    channel : int, optional
        Feature map in which the strongest activation is searched; all of the layer if not given.
    unit : int or tuple of int, optional
        Place in the map of ``channel``, instead of the strongest activation: (row, column) in an image, a time in a
        sequence.
    switches : bool, default True
        Whether max pooling remembers from where each maximum came, and unpooling puts it back there. Without, a value
        is spread evenly over its window.

    Returns
    -------
    array, shape of the inputs, float32

    Raises
    ------
    TypeError, ValueError
        If the model has another form, an argument does not fit it, or a layer is of a kind through which the method
        cannot go; the message names it.

    Notes
    -----
    M. D. Zeiler, R. Fergus, arXiv:1311.2901; section 12.2.1 of the book. Backwards, a convolution becomes its adjoint
    (the transposed convolution without bias), an activation function sets negative values of the *signal* to zero,
    whatever its own input was. Batch normalisation acts with its factor only.

    Examples
    --------
    >>> import keras
    >>> layers = [keras.Input((4, 1)), keras.layers.MaxPooling1D(2), keras.layers.Flatten(), keras.layers.Dense(1)]
    >>> model = keras.Sequential(layers)
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.0])])
    >>> deconvnet(model, [[[1.0], [2.0], [5.0], [4.0]]])[0, :, 0]
    array([ 0.,  3., -1.,  0.], dtype=float32)
    """
    check_choice(switches=switches, choices=(False, True))
    graph, x = prepare_inputs(model, inputs, batch_size)

    def rule(step: Step, sources: list[Any], value: Any, signal: Any) -> Sequence[Any]:
        if step.kind == "activation":
            _refuse_unless_rectifier("deconvnet", step)
            return [ops.relu(signal)]
        if step.kind == "maximum" and not switches:
            return [_spread_evenly(step, sources[0], signal)]
        return linear_rule("deconvnet", step, sources, signal)

    return _mapped_back(graph, x, rule, layer, channel, unit, output, batch_size)


def guided_backpropagation(
    model: Any,
    inputs: Any,
    *,
    layer: Any = None,
    channel: int | None = None,
    unit: Any = None,
    output: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """`saliency` with all negative signals removed at the activation functions.

    Where the derivative passes g through a ReLU as g (a > 0) and DeconvNet as g (g > 0), guided backpropagation uses
    g (a > 0) (g > 0).

    Parameters
    ----------
    model, inputs, layer, channel, unit, output, batch_size
        As in `deconvnet`.

    Returns
    -------
    array, shape of the inputs, float32

    Raises
    ------
    TypeError, ValueError
        If the model has another form, an argument does not fit it, or a layer is of a kind through which the method
        cannot go; the message names it.

    Notes
    -----
    J. T. Springenberg et al., arXiv:1412.6806. Not in the book. For smooth rectifiers (ELU, softplus, ...) the
    derivative takes the place of (a > 0). The result shows edges of the input more than it shows the model: J. Adebayo
    et al., arXiv:1810.03292, and `randomised`.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Dense(2, activation="relu", use_bias=False), keras.layers.Dense(1)]
    ... )
    >>> model.set_weights([np.eye(2), np.array([[3.0], [-1.0]]), np.array([0.0])])
    >>> guided_backpropagation(model, [[1.0, 2.0]])
    array([[3., 0.]], dtype=float32)
    """
    graph, x = prepare_inputs(model, inputs, batch_size)

    def rule(step: Step, sources: list[Any], value: Any, signal: Any) -> Sequence[Any]:
        if step.kind == "activation":
            _refuse_unless_rectifier("guided_backpropagation", step)
            return [transposed(step.call, sources[0], ops.relu(signal))]
        return linear_rule("guided_backpropagation", step, sources, signal)

    return _mapped_back(graph, x, rule, layer, channel, unit, output, batch_size)


def backward(steps: Sequence[Step], values: dict[int, Any], number: int, signal: Any, rule: Rule) -> Any:
    """Carry a signal at value ``number`` back to value 0; signals that meet at a value are added.

    ``rule(step, sources, value, signal)`` returns a signal for each source of a step.
    """
    signals = {number: signal}
    for current in range(number, 0, -1):
        if current not in signals:
            continue
        step = steps[current - 1]
        sources = [values[k] for k in step.inputs]
        for k, part in zip(step.inputs, rule(step, sources, values[current], signals.pop(current)), strict=True):
            signals[k] = signals[k] + part if k in signals else part
    return signals[0]


def transposed(function: Callable[[Any], Any], at: Any, signal: Any) -> Any:
    """The transposed derivative of ``function`` applied to a signal; of a linear function, its adjoint."""

    def product(x: Any) -> Any:
        y = function(x)
        return y * ops.cast(signal, y.dtype)  # in mixed precision not the type of x

    return autodiff.gradient(product, at)


def linear_rule(method: str, step: Step, sources: list[Any], signal: Any) -> Sequence[Any]:
    """The adjoint of a step that is linear but for a shift, or that selects values, as a pooling does."""
    if step.kind in ("activation", "other"):
        raise unsupported(method, step)

    def alone(k: int) -> Callable[[Any], Any]:
        return lambda x: step.call(*sources[:k], x, *sources[k + 1 :])

    return [transposed(alone(k), source, signal) for k, source in enumerate(sources)]


def unsupported(method: str, step: Step) -> ValueError:
    return ValueError(f"model must consist of layers that {method} can go back through, got {step}")


def _refuse_unless_rectifier(method: str, step: Step) -> None:
    if step.function not in RECTIFIERS:
        raise unsupported(method, step)


def _spread_evenly(step: Step, source: Any, signal: Any) -> Any:
    """Unpooling that does not know from where a maximum came: the adjoint of average pooling with the same windows."""
    layer = step.layer
    name = type(layer).__name__
    twin = getattr(keras.layers, name.replace("Max", "Average"))
    names = ("keepdims",) if name.startswith("Global") else ("pool_size", "strides", "padding")
    average = twin(**{option: getattr(layer, option) for option in (*names, "data_format")})
    return transposed(average, source, signal)


def _mapped_back(
    graph: Graph, x: np.ndarray, rule: Rule, layer: Any, channel: Any, unit: Any, output: Any, batch_size: int
) -> np.ndarray:
    if layer is None:
        for name, value in (("channel", channel), ("unit", unit)):
            if value is not None:
                raise ValueError(f"{name} must be None without a layer, got {shown(value)}")
        index = explained(graph, x, output, batch_size)
        number = graph.output
    else:
        if output is not None:
            raise ValueError(f"output must be None if a layer is given, got {shown(output)}")
        number = graph.place(layer).after
    parts = []
    for batch in batches(len(x), batch_size, "backwards"):
        values = {0: ops.convert_to_tensor(x[batch])}
        top = graph.run(values, number)
        if layer is None:
            signal = ops.one_hot(index[batch], graph.outputs, dtype=top.dtype)
        else:
            signal = ops.cast(_strongest(as_array(top), channel, unit), top.dtype)
        parts.append(as_array(backward(graph.steps, values, number, signal, rule)))
    return np.concatenate(parts)


def _strongest(values: np.ndarray, channel: Any, unit: Any) -> np.ndarray:
    """The values with all but one of each event set to zero: the largest, or the one that was asked for."""
    kept = np.zeros_like(values)
    if channel is None and unit is not None:
        raise ValueError(f"unit must be None without a channel, got {shown(unit)}")
    if unit is not None:
        where: Any = (slice(None), *place_in_map(values.shape[1:], unit), check_channel(values.shape, channel))
        kept[where] = values[where]
        return kept
    within = slice(None) if channel is None else slice(check_channel(values.shape, channel), channel + 1)
    part = values[..., within]
    flat = part.reshape(len(part), -1)
    best = flat.argmax(axis=1)
    chosen = np.zeros_like(flat)
    rows = np.arange(len(flat))
    chosen[rows, best] = flat[rows, best]
    kept[..., within] = chosen.reshape(part.shape)
    return kept


def check_channel(shape: tuple[Any, ...], channel: Any) -> int:
    """A channel of a layer whose output has ``shape``."""
    return check_count(channel=channel, minimum=0, maximum=shape[-1] - 1)


def place_in_map(shape: tuple[int, ...], unit: Any) -> tuple[int, ...]:
    """A place in a map of (..., c) values, given as one number for each axis before the channels."""
    place = tuple(unit) if isinstance(unit, list | tuple) else (unit,)
    if len(place) != len(shape) - 1:
        raise ValueError(f"unit must have {len(shape) - 1} numbers in a layer of shape {shape}, got {shown(unit)}")
    return tuple(check_count(unit=k, minimum=0, maximum=n - 1) for k, n in zip(place, shape[:-1], strict=True))
