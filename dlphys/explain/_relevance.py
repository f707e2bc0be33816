"""Layer-wise relevance propagation: an output is shared out backwards, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from keras import ops

from dlphys._keras import keras
from dlphys._validation import check_choice, check_number
from dlphys.explain._arguments import batches, prepare
from dlphys.explain._backward import backward, linear_rule, transposed, unsupported
from dlphys.explain._graph import Affine, Graph, Step, as_array

RULES = ("epsilon", "gamma", "zero", "composite")

# Functions of one value each, through which relevance passes unchanged.
_ELEMENTWISE = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "gelu", "softplus"),
    *("tanh", "sigmoid", "softsign", "hard_sigmoid", "hard_silu", "hard_tanh", "exponential", "mish"),
)


def lrp(
    model: Any,
    inputs: Any,
    *,
    rule: str = "epsilon",
    epsilon: float = 0.01,
    gamma: float = 0.25,
    output: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Relevance of every entry of the input: an output S shared out backwards, as currents in a network of resistors.

    With z_j = b_j + sum over i of a_i W_ij, what neuron j has received goes to its inputs a_i as

    - "zero": R_i = sum over j of a_i W_ij / z_j R_j;
    - "epsilon": z_j + epsilon sign(z_j) in the denominator, equation (12.9) of the book, which absorbs a part of weak
      and contradictory relevance;
    - "gamma": contributions of the sign of z_j are enlarged by the factor 1 + gamma, above and below the fraction;
    - "composite": "gamma" in convolutional layers, "epsilon" in dense layers.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`.
    rule : {"epsilon", "gamma", "zero", "composite"}
    epsilon : float, default 0.01
        In units of the activations.
    gamma : float, default 0.25

    Returns
    -------
    array, shape of the inputs, float32
        In units of the output. The sum over the entries is S with the rules "zero" and "gamma" if no layer has a bias;
        biases and ``epsilon`` take their share.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, an argument does not fit it, or a layer is of a kind through which the method
        cannot go; the message names it.

    Notes
    -----
    S. Bach et al., PLoS ONE 10 (2015) e0130140; G. Montavon et al., "Layer-wise relevance propagation: an overview"
    (2019). For ReLU networks "zero" is `gradient_times_input`. Batch normalisation right after a dense or
    convolutional layer is merged with it; elsewhere, as rescaling and average pooling, it follows the rules "zero" or
    "epsilon" with its shift as bias. Max pooling passes relevance to the maximum, an activation function passes it
    unchanged. The denominator of the printed (12.9) has epsilon without the sign, which can cancel a negative z.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.0])])
    >>> lrp(model, [[1.0, 2.0]], rule="zero")
    array([[ 3., -2.]], dtype=float32)
    >>> lrp(model, [[1.0, 2.0]], rule="gamma", gamma=1.0)
    array([[ 1.5, -0.5]], dtype=float32)
    """
    check_choice(rule=rule, choices=RULES)
    check_number(epsilon=epsilon, minimum=0.0)
    check_number(gamma=gamma, minimum=0.0)
    graph, x, index = prepare(model, inputs, output, batch_size)
    graph = merged(graph)
    share = _rule_for(rule, 0.0 if rule in ("zero", "gamma") else epsilon, gamma)
    parts = []
    for batch in batches(len(x), batch_size, "lrp"):
        values = {0: ops.convert_to_tensor(x[batch])}
        top = graph.run(values, graph.output)
        relevance = top * ops.one_hot(index[batch], graph.outputs, dtype=top.dtype)
        parts.append(as_array(backward(graph.steps, values, graph.output, relevance, share)))
    return np.concatenate(parts)


@dataclass(frozen=True)
class _Merged(Affine):
    """A layer and the batch normalisation after it as one layer."""

    normalisation: Any

    def weights(self) -> tuple[Any, Any]:
        kernel, bias = super().weights()
        layer = self.normalisation
        factor = 1.0 / ops.sqrt(layer.moving_variance + layer.epsilon)
        if layer.scale:
            factor = factor * layer.gamma
        shift = -layer.moving_mean * factor
        if layer.center:
            shift = shift + layer.beta
        factor, shift = ops.cast(factor, kernel.dtype), ops.cast(shift, kernel.dtype)
        return kernel * factor, shift if bias is None else bias * factor + shift


def merged(graph: Graph) -> Graph:
    """The graph with batch normalisation drawn into the dense or convolutional layer before it.

    Only then has a neuron one set of weights, which the rules ask for. The numbers of the values stay as they are.
    """
    steps = list(graph.steps)
    uses = [source for step in steps for source in step.inputs]
    for k, step in enumerate(steps):
        if type(step.layer) is not keras.layers.BatchNormalization:
            continue
        (source,) = step.inputs
        before = steps[source - 1] if source > 0 else step
        axes = step.layer.input_spec.ndim
        if before.kind == "affine" and uses.count(source) == 1 and step.layer.axis % axes == axes - 1:
            steps[k] = replace(before, call=_Merged(before.layer, step.layer))
    return replace(graph, steps=tuple(steps))


def _rule_for(name: str, epsilon: float, gamma: float) -> Callable[[Step, list[Any], Any, Any], Sequence[Any]]:
    def share(step: Step, sources: list[Any], value: Any, relevance: Any) -> Sequence[Any]:
        if step.kind == "activation":
            if step.function not in _ELEMENTWISE:
                raise unsupported("lrp", step)
            return [relevance]
        if step.kind in ("maximum", "route", "join", "other"):
            return linear_rule("lrp", step, sources, relevance)
        dense = isinstance(step.layer, keras.layers.Dense)
        if step.kind == "affine" and (name == "gamma" or (name == "composite" and not dense)):
            return [_gamma_rule(step.call, sources[0], value, relevance, gamma)]
        stabilised = value + epsilon * ops.where(value >= 0, 1.0, -1.0) if epsilon > 0 else value
        signal = _ratio(relevance, stabilised)
        return [a * part for a, part in zip(sources, linear_rule("lrp", step, sources, signal), strict=True)]

    return share


def _gamma_rule(affine: Any, a: Any, z: Any, relevance: Any, gamma: float) -> Any:
    """Contributions of the sign of z count 1 + gamma times, so that the denominator stays away from zero.

    Inputs of either sign are allowed: positive contributions are those of positive inputs and weights, and those of
    negative ones.
    """
    kernel, bias = affine.weights()
    inputs = {1: ops.relu(a), -1: -ops.relu(-a)}
    kernels = {1: ops.relu(kernel), -1: -ops.relu(-kernel)}
    enlarged = z
    for sign in (1, -1):
        part = affine.apply(inputs[1], kernels[sign], None if bias is None else sign * ops.relu(sign * bias))
        part = part + affine.apply(inputs[-1], kernels[-sign])
        enlarged = enlarged + gamma * ops.where(sign * z > 0, part, 0.0)
    signal = _ratio(relevance, enlarged)
    result = a * _adjoint(affine, kernel, a, signal)
    for sign in (1, -1):
        chosen = ops.where(sign * z > 0, signal, 0.0)
        for s in (1, -1):
            result = result + gamma * inputs[s] * _adjoint(affine, kernels[sign * s], a, chosen)
    return result


def _adjoint(affine: Any, kernel: Any, at: Any, signal: Any) -> Any:
    return transposed(lambda x: affine.apply(x, kernel), at, signal)


def _ratio(relevance: Any, z: Any) -> Any:
    """relevance / z, and 0 where z is 0, since nothing came from there."""
    return ops.where(z == 0, 0.0, relevance / ops.where(z == 0, 1.0, z))
