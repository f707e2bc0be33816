"""Normalizing flows: invertible layers with a known log-determinant, and the density they make of a Gaussian."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from dlphys import autodiff
from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_count, check_positive, shown
from dlphys.layers.densities import LOG_ROOT_TWO_PI

__all__ = ["AffineCoupling", "Flow", "MaskedAutoregressive"]


class _Affine(keras.layers.Layer):
    """z = x exp(s) + t, with s and t from a network that sees only a part of x, and the condition."""

    def __init__(
        self, dimensions: int, units: Sequence[int], activation: str, largest_scale: float, **keywords: Any
    ) -> None:
        super().__init__(**keywords)
        self.dimensions = dimensions
        if isinstance(units, str) or not isinstance(units, Sequence):
            raise TypeError(f"units must be a sequence of whole numbers, one for each hidden layer, got {shown(units)}")
        self.units = tuple(check_count(units=width) for width in units)
        self.activation = keras.activations.get(activation)
        check_positive(largest_scale=largest_scale)
        self.largest_scale = float(largest_scale)

    def build(self, x_shape: Any, condition_shape: Any = None) -> None:
        if x_shape[-1] != self.dimensions:
            raise ValueError(f"x must have {self.dimensions} columns, got shape {tuple(x_shape)}")
        self.conditions = 0 if condition_shape is None else int(condition_shape[-1])
        self._kernels, self._biases, self._masks = [], [], self._connections()
        for index, mask in enumerate(self._masks):
            last = index == len(self._masks) - 1
            # without weights in the last layer the flow starts as the identity
            kernel = self.add_weight(
                shape=mask.shape, initializer="zeros" if last else "glorot_uniform", name=f"kernel_{index}"
            )
            self._kernels.append(kernel)
            self._biases.append(self.add_weight(shape=(mask.shape[1],), initializer="zeros", name=f"bias_{index}"))
        self.built = True

    def _connections(self) -> list[np.ndarray]:
        """Of each layer of the network: which input reaches which output (inputs, outputs), 0 or 1."""
        raise NotImplementedError

    def _scale_and_shift(self, inputs: Any, condition: Any) -> tuple[Any, Any]:
        hidden = inputs if condition is None else ops.concatenate([inputs, ops.cast(condition, inputs.dtype)], axis=-1)
        for kernel, bias, mask in zip(self._kernels, self._biases, self._masks, strict=True):
            hidden = ops.matmul(hidden, kernel * mask) + bias
            if kernel is not self._kernels[-1]:
                hidden = self.activation(hidden)
        raw, shift = ops.split(hidden, 2, axis=-1)
        return self.largest_scale * ops.tanh(raw / self.largest_scale), shift

    def _ready(self, x: Any, condition: Any) -> tuple[Any, Any]:
        """Arguments as tensors, the weights made; an error if the condition is not what the layer was built with."""
        x = ops.convert_to_tensor(x, dtype=self.compute_dtype)
        condition = None if condition is None else ops.convert_to_tensor(condition, dtype=self.compute_dtype)
        if not self.built:
            self.build(x.shape, None if condition is None else condition.shape)
        given = 0 if condition is None else condition.shape[-1]
        if given != self.conditions:
            raise ValueError(f"condition must have {self.conditions} columns as at the first call, got {given}")
        return x, condition

    def compute_output_shape(self, x_shape: Any, condition_shape: Any = None) -> Any:
        return tuple(x_shape), (x_shape[0],)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "largest_scale": self.largest_scale,
        }


@keras.saving.register_keras_serializable(package="dlphys")
class AffineCoupling(_Affine):
    """Half a block of a RealNVP flow: some dimensions pass, the others are scaled and shifted as those tell.

    ``z = x exp(s) + t`` where the mask is 0, ``z = x`` where it is 1; s and t come from a dense network that sees only
    the dimensions with 1, so that the map has an inverse in closed form and ln abs(det J) = sum s (18.22)-(18.29).
    Two layers with opposite masks make a block in which every dimension changes.

    Parameters
    ----------
    mask : sequence of 0 and 1, length M
        1 for dimensions that pass and are seen; both must occur.
    units : sequence of int, default (64, 64)
        Hidden layers of the network.
    activation : str, default "relu"
    largest_scale : float, default 2
        abs(s) stays below it: s = c tanh(raw / c). It keeps the training from running away.

    Inputs
    ------
    x : tensor, (n, M)
        Data; the layer gives the latent variables. ``inverse`` goes back.
    condition : tensor, (n, C), optional
        What s and t may depend on besides, as the label of the event. Either at every call or at none.

    Returns
    -------
    z : tensor, (n, M)
    log_determinant : tensor, (n,)
        ln abs(det dz/dx) of each event.

    Raises
    ------
    ValueError, TypeError
        If the mask lets all or nothing pass, a number is out of range, or shapes do not fit.

    Notes
    -----
    L. Dinh et al., arXiv:1605.08803. A new layer is the identity.

    Examples
    --------
    >>> layer = AffineCoupling([1, 0])
    >>> z, log_determinant = layer(np.array([[0.5, 2.0]]))
    >>> x, _ = layer.inverse(z)
    >>> np.asarray(x), log_determinant.shape
    (array([[0.5, 2. ]], dtype=float32), TensorShape([1]))
    """

    def __init__(
        self,
        mask: Sequence[int],
        units: Sequence[int] = (64, 64),
        *,
        activation: str = "relu",
        largest_scale: float = 2.0,
        **keywords: Any,
    ) -> None:
        passing = check_array(ndim=1, mask=mask)
        if not np.isin(passing, (0, 1)).all() or len(set(passing)) < 2:
            raise ValueError(f"mask must hold zeros and ones, at least one of each, got {shown(mask)}")
        super().__init__(len(passing), units, activation, largest_scale, **keywords)
        self.mask = tuple(int(entry) for entry in passing)
        self._kept, self._changed = np.flatnonzero(passing), np.flatnonzero(passing == 0)
        self._back = np.argsort(np.concatenate([self._kept, self._changed]))

    def _connections(self) -> list[np.ndarray]:
        widths = [len(self._kept) + self.conditions, *self.units, 2 * len(self._changed)]
        return [np.ones(shape, "float32") for shape in itertools.pairwise(widths)]

    def call(self, x: Any, condition: Any = None) -> tuple[Any, Any]:
        kept, changed, scale, shift = self._parts(*self._ready(x, condition))
        return self._joined(kept, changed * ops.exp(scale) + shift), ops.sum(scale, axis=-1)

    def inverse(self, z: Any, condition: Any = None) -> tuple[Any, Any]:
        """Data of latent variables, and the log-determinant of this direction: x (n, M), (n,)."""
        kept, changed, scale, shift = self._parts(*self._ready(z, condition))
        return self._joined(kept, (changed - shift) * ops.exp(-scale)), -ops.sum(scale, axis=-1)

    def _parts(self, x: Any, condition: Any) -> tuple[Any, Any, Any, Any]:
        kept = ops.take(x, self._kept, axis=-1)
        return kept, ops.take(x, self._changed, axis=-1), *self._scale_and_shift(kept, condition)

    def _joined(self, kept: Any, changed: Any) -> Any:
        return ops.take(ops.concatenate([kept, changed], axis=-1), self._back, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask": self.mask}


@keras.saving.register_keras_serializable(package="dlphys")
class MaskedAutoregressive(_Affine):
    """Masked autoregressive flow: every dimension is scaled and shifted as those before it tell (18.30)-(18.32).

    ``z_i = x_i exp(s_i) + t_i`` with s_i and t_i from one network whose masked weights let them see only the x before
    x_i in the order. The density of data takes one pass; the inverse, which samples, takes one pass a dimension.

    Parameters
    ----------
    order : sequence of int, length M
        A permutation of 0, 1, ..., M - 1: the dimensions in the order in which they may see each other. Give layers of
        a flow different orders.
    units : sequence of int, default (64, 64)
        Hidden layers of the network. Each should be at least as wide as M.
    activation : str, default "relu"
    largest_scale : float, default 2
        abs(s) stays below it.

    Inputs
    ------
    x : tensor, (n, M)
        Data; the layer gives the latent variables. ``inverse`` goes back.
    condition : tensor, (n, C), optional
        Seen by every dimension. Either at every call or at none.

    Returns
    -------
    z : tensor, (n, M)
    log_determinant : tensor, (n,)
        ln abs(det dz/dx) = sum s of each event.

    Raises
    ------
    ValueError, TypeError
        If ``order`` is no permutation, a number is out of range, or shapes do not fit.

    Notes
    -----
    G. Papamakarios et al., arXiv:1705.07057; masks as in M. Germain et al., arXiv:1502.03509. The general line (18.33)
    of the book conditions on the latent variables, which would be the inverse autoregressive flow.

    Examples
    --------
    >>> layer = MaskedAutoregressive([0, 1, 2])
    >>> z, log_determinant = layer(np.zeros((5, 3)))
    >>> z.shape, log_determinant.shape
    (TensorShape([5, 3]), TensorShape([5]))
    """

    def __init__(
        self,
        order: Sequence[int],
        units: Sequence[int] = (64, 64),
        *,
        activation: str = "relu",
        largest_scale: float = 2.0,
        **keywords: Any,
    ) -> None:
        places = check_array(ndim=1, order=order)
        if not np.array_equal(np.sort(places), np.arange(len(places))):
            raise ValueError(f"order must hold each of 0 to {len(places) - 1} once, got {shown(order)}")
        super().__init__(len(places), units, activation, largest_scale, **keywords)
        self.order = tuple(int(place) for place in places)

    def _connections(self) -> list[np.ndarray]:
        """A unit of degree d sees the dimensions up to place d in the order, counted from 1; the condition has 0."""
        place = np.argsort(self.order) + 1
        lowest = 0 if self.conditions else min(1, self.dimensions - 1)
        degrees = [np.concatenate([place, np.zeros(self.conditions, int)])]
        degrees += [lowest + np.arange(width) % max(1, self.dimensions - lowest) for width in self.units]
        seen = [before[:, None] <= after for before, after in itertools.pairwise(degrees)]
        seen.append(degrees[-1][:, None] < np.tile(place, 2))
        return [mask.astype("float32") for mask in seen]

    def call(self, x: Any, condition: Any = None) -> tuple[Any, Any]:
        x, condition = self._ready(x, condition)
        scale, shift = self._scale_and_shift(x, condition)
        return x * ops.exp(scale) + shift, ops.sum(scale, axis=-1)

    def inverse(self, z: Any, condition: Any = None) -> tuple[Any, Any]:
        """Data of latent variables, one dimension after the other, and the log-determinant: x (n, M), (n,)."""
        z, condition = self._ready(z, condition)
        x = ops.zeros_like(z)
        log_determinant = ops.zeros_like(z[..., 0])
        for dimension in self.order:
            scale, shift = self._scale_and_shift(x, condition)
            here = np.eye(self.dimensions, dtype="float32")[dimension]
            x = x + here * (z - shift) * ops.exp(-scale)
            log_determinant = log_determinant - scale[..., dimension]
        return x, log_determinant

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "order": self.order}


@keras.saving.register_keras_serializable(package="dlphys")
class Flow(keras.Model):
    """A chain of invertible layers from data to a standard normal distribution: a density and its samples.

    ``compile(optimizer)`` and ``fit(x)``, or ``fit([x, condition])``, minimise the mean of -ln p(x) in nats, which is
    (18.36) with its constant. No loss is given.

    Parameters
    ----------
    steps : list of layers
        `AffineCoupling` and `MaskedAutoregressive`, all with the same number M of dimensions, from data to latent.

    Inputs
    ------
    tensor, (n, M), or a list of it and the condition (n, C)

    Returns
    -------
    z : tensor, (n, M)
    log_determinant : tensor, (n,)

    Raises
    ------
    ValueError, TypeError
        If there is no step, or they have different numbers of dimensions.

    Notes
    -----
    ln p(x) = ln N(z; 0, 1) + sum of the log-determinants (18.18)-(18.21). Scale the data to about mean 0 and width 1.

    Examples
    --------
    >>> flow = Flow([AffineCoupling([1, 0]), AffineCoupling([0, 1])])  # untrained: the identity
    >>> flow.log_density([[0.0, 0.0]]).round(4), flow.sample(3, seed=1).shape
    (array([-1.8379]), (3, 2))
    """

    def __init__(self, steps: list[Any], **keywords: Any) -> None:
        super().__init__(**keywords)
        if not isinstance(steps, list | tuple) or not steps or not all(isinstance(step, _Affine) for step in steps):
            raise TypeError(
                f"steps must be a list of layers AffineCoupling and MaskedAutoregressive, got {shown(steps)}"
            )
        if len({step.dimensions for step in steps}) != 1:
            raise ValueError(
                f"steps must hold layers of one number of dimensions, got {[step.dimensions for step in steps]}"
            )
        self.steps = list(steps)
        self.dimensions = steps[0].dimensions
        self._compiled_inverse: Any = None

    def call(self, inputs: Any) -> tuple[Any, Any]:
        z, condition = inputs if isinstance(inputs, list | tuple) else (inputs, None)
        total = 0.0
        for step in self.steps:
            z, log_determinant = step(z) if condition is None else step(z, condition)
            total = total + log_determinant
        return z, total

    def fit(self, x: Any = None, y: Any = None, **keywords: Any) -> Any:
        """As in Keras; weights of events are heard also without a target."""
        return super().fit(x, _target(y, keywords), **keywords)

    def evaluate(self, x: Any = None, y: Any = None, **keywords: Any) -> Any:
        """As in Keras; weights of events are heard also without a target."""
        return super().evaluate(x, _target(y, keywords), **keywords)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Mean of -ln p(x) in nats, weighted if there are weights."""
        loss = -self._log_density(*y_pred)
        if sample_weight is None:
            return ops.mean(loss)
        weights = ops.reshape(ops.cast(sample_weight, loss.dtype), (-1,))
        return ops.sum(weights * loss) / ops.sum(weights)

    def log_density(self, x: ArrayLike, condition: ArrayLike | None = None) -> np.ndarray:
        """ln p(x), or ln p(x | condition), of events (n, M) as an array (n,) in nats."""
        x, condition = self._checked(condition, x=x)
        inputs = x if condition is None else [x, condition]
        z, log_determinant = self.predict(inputs, batch_size=4096, verbose=0)
        return np.asarray(self._log_density(z.astype(np.float64), log_determinant.astype(np.float64)))

    def inverse(self, z: ArrayLike, condition: ArrayLike | None = None) -> np.ndarray:
        """Data (n, M) of latent variables (n, M), float32."""
        z, condition = self._checked(condition, z=z)
        if self._compiled_inverse is None:
            self._compiled_inverse = autodiff.compiled(self._backward)
        return np.asarray(self._compiled_inverse(z, condition))

    def sample(self, n: int, *, condition: ArrayLike | None = None, seed: Seed) -> np.ndarray:
        """n events (n, M) drawn from the density, float32; with a condition (n, C), one for each row."""
        n = check_count(n=n)
        z = generator(seed).standard_normal((n, self.dimensions))
        return self.inverse(z, condition)

    def _backward(self, z: Any, condition: Any) -> Any:
        for step in reversed(self.steps):
            z, _ = step.inverse(z, condition)
        return z

    def _log_density(self, z: Any, log_determinant: Any) -> Any:
        return log_determinant - ops.sum(0.5 * ops.square(z) + LOG_ROOT_TWO_PI, axis=-1)

    def _checked(self, condition: ArrayLike | None, **events: Any) -> tuple[np.ndarray, np.ndarray | None]:
        ((name, values),) = events.items()
        values = check_array(shape=(None, self.dimensions), dtype=np.float32, **{name: values})
        if condition is None:
            return values, None
        return values, check_array(shape=(len(values), None), dtype=np.float32, condition=condition)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "steps": [keras.saving.serialize_keras_object(step) for step in self.steps]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Flow:
        return cls(**{**config, "steps": [keras.saving.deserialize_keras_object(step) for step in config["steps"]]})


def _target(y: Any, keywords: dict[str, Any]) -> Any:
    """A target for Keras, which drops weights in silence where there is none."""
    weights = keywords.get("sample_weight")
    return np.zeros(len(weights), "float32") if y is None and weights is not None else y
