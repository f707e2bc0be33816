"""Parts of adversarial training: the gradient penalty of a critic, and a layer that sees the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from dlphys import autodiff
from dlphys._validation import check_count, check_number
from dlphys.layers._arguments import floating

__all__ = ["MinibatchStandardDeviation", "gradient_penalty"]


def gradient_penalty(critic: Callable[[Any], Any], real: Any, generated: Any, *, target: float = 1.0) -> Any:
    """How far the slope of a critic is from 1 between real and generated events (18.13), without the factor lambda.

    Parameters
    ----------
    critic : function of one tensor
        As a Keras model with one number an event, (n, ...) -> (n, 1) or (n,). For a critic with a label give
        ``lambda x: critic([x, label])``.
    real, generated : tensors, (n, ...)
        Of the same shape.
    target : float, default 1
        Norm of the gradient that costs nothing.

    Returns
    -------
    tensor, ()
        Mean of (norm of d critic / d u - target)^2 at points u = e real + (1 - e) generated, e uniform in [0, 1] and
        drawn anew for each event.

    Raises
    ------
    ValueError, TypeError
        If the shapes differ, the arguments are no numbers, or the critic does not depend on its input.

    Notes
    -----
    I. Gulrajani et al., arXiv:1704.00028, with lambda = 10. The penalty of an event may depend only on that event:
    no batch normalisation in the critic. Draws from the global generator of Keras (``keras.utils.set_random_seed``).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.ones((4, 2), "float32")
    >>> float(gradient_penalty(lambda u: 3.0 * u[:, 0], x, -x))  # a slope of 3 everywhere
    4.0
    """
    target = check_number(minimum=0.0, target=target)
    real, generated = floating(real=real), floating(generated=generated)
    if len(real.shape) < 2 or tuple(real.shape) != tuple(generated.shape):
        raise ValueError(
            "real and generated must have the same shape (n, ...), "
            f"got {tuple(real.shape)} and {tuple(generated.shape)}"
        )
    generated = ops.cast(generated, real.dtype)
    share = keras.random.uniform((ops.shape(real)[0], *(1 for _ in real.shape[1:])), dtype=real.dtype)
    between = share * real + (1.0 - share) * generated
    slopes = ops.reshape(autodiff.gradient(critic, between), (ops.shape(real)[0], -1))
    # the derivative of a square root at zero is infinite
    norms = ops.sqrt(ops.sum(ops.square(slopes), axis=-1) + 1e-12)
    return ops.mean(ops.square(norms - target))


@keras.saving.register_keras_serializable(package="dlphys")
class MinibatchStandardDeviation(keras.layers.Layer):
    """Appends how much the events of a batch differ, so that a critic sees a generator that repeats itself.

    The standard deviation over the events of a group, averaged over all pixels and channels, becomes one more channel,
    the same everywhere.

    Parameters
    ----------
    group : int, optional
        Number of events compared with each other; the batch must be a multiple of it. By default the whole batch.

    Inputs
    ------
    tensor, (n, ..., channels)

    Returns
    -------
    tensor, (n, ..., channels + 1)

    Raises
    ------
    ValueError, TypeError
        If ``group`` is below 2.

    Notes
    -----
    T. Karras et al., arXiv:1710.10196. A critic with it judges batches: events of another size of batch get other
    values, and the gradient penalty of one event depends on the others.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[1.0], [2.0]], [[3.0], [2.0]]], "float32")  # two events of two pixels
    >>> np.asarray(MinibatchStandardDeviation()(x))[0, :, 1].round(3)
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, group: int | None = None, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.group = None if group is None else check_count(minimum=2, group=group)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Any:
        n = ops.shape(inputs)[0]
        group = n if self.group is None else self.group
        grouped = ops.reshape(inputs, (-1, group, *inputs.shape[1:]))
        spread = ops.sqrt(ops.var(grouped, axis=1, keepdims=True) + 1e-8)
        mean = ops.mean(spread, axis=tuple(range(2, len(spread.shape))), keepdims=True)
        # one number a group, for each of its events and pixels
        channel = ops.broadcast_to(mean, (ops.shape(grouped)[0], group, *inputs.shape[1:-1], 1))
        return ops.concatenate([inputs, ops.reshape(channel, (n, *inputs.shape[1:-1], 1))], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "group": self.group}
