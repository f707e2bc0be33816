"""Networks that predict a distribution: a Gaussian with its own width, or a mixture of several."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike
from scipy.special import ndtri

from dlphys._validation import check_array, check_count, check_number, check_positive, shown
from dlphys.layers._arguments import floating

__all__ = [
    "MixtureDensity",
    "MixtureParameters",
    "gaussian_negative_log_likelihood",
    "mixture_density_loss",
    "mixture_parameters",
]

LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@keras.saving.register_keras_serializable(package="dlphys")
def gaussian_negative_log_likelihood(y_true: Any, y_pred: Any, beta: float = 0.0) -> Any:
    """Loss of a network that predicts a value and its own uncertainty (14.23).

    ``ln(sqrt(2 pi) sigma) + (y - mean)^2 / (2 sigma^2)``, summed over the d dimensions of the target. The last layer is
    a ``Dense(2 * d)`` without activation: first the d means, then the d logarithms of the variances.

    Parameters
    ----------
    y_true : tensor, (n, d) or (n,) for d = 1
    y_pred : tensor, (n, 2 d)
        Means, then ln sigma^2, in units of the target and its square.
    beta : float, default 0, in [0, 1]
        Each term is multiplied by sigma^(2 beta), which is not differentiated. 0 is the likelihood; 0.5 keeps events
        with a large predicted sigma from being given up on, 1 fits the means like the mean square error.

    Returns
    -------
    tensor, (n,)
        Of each event; Keras takes the mean. With beta = 0 it is a negative log-likelihood in nats.

    Raises
    ------
    ValueError, TypeError
        If ``y_pred`` has not twice the columns of ``y_true``, or ``beta`` is outside [0, 1].

    Notes
    -----
    The logarithm keeps the variance positive for any output of the network. beta: M. Seitzer et al., arXiv:2203.09168.

    Examples
    --------
    >>> loss = gaussian_negative_log_likelihood(np.array([[1.0]]), np.array([[0.0, np.log(4.0)]]))
    >>> bool(np.isclose(loss, np.log(np.sqrt(2 * np.pi) * 2) + 1 / 8))
    True
    """
    beta = check_number(minimum=0.0, maximum=1.0, beta=beta)
    y_true, y_pred = _target_and_outputs(y_true, y_pred)
    dimensions = y_true.shape[-1]
    if y_pred.shape[-1] != 2 * dimensions:
        raise ValueError(
            f"y_pred must have {2 * dimensions} columns, a mean and a log variance for each column of y_true, "
            f"got shape {tuple(y_pred.shape)}"
        )
    mean, log_variance = y_pred[..., :dimensions], y_pred[..., dimensions:]
    loss = LOG_ROOT_TWO_PI + 0.5 * (log_variance + ops.square(y_true - mean) * ops.exp(-log_variance))
    if beta:
        loss = loss * ops.stop_gradient(ops.exp(beta * log_variance))
    return ops.sum(loss, axis=-1)


@keras.saving.register_keras_serializable(package="dlphys")
class MixtureDensity(keras.layers.Layer):
    """Last layer that predicts a density as a weighted sum of Gaussians; train it with `mixture_density_loss`.

    For targets that may lie at several places: p(y | x) = sum_k a_k N(y; m_k, s_k), with weights a, means m and widths
    s that depend on x, and independent dimensions inside a component.

    Parameters
    ----------
    components : int
        Number K of Gaussians.
    dimensions : int, default 1
        Number d of columns of the target.
    smallest_width : float, default 0.001
        Added to every width, in units of the target. It keeps a Gaussian from closing in on a single event, where the
        likelihood would be infinite.

    Inputs
    ------
    tensor, (n, features)

    Returns
    -------
    tensor, (n, K (1 + 2 d))
        ln a_k (normalised), then the means, then ln s_k; `mixture_parameters` takes them apart.

    Raises
    ------
    ValueError, TypeError
        If a number is out of range.

    Notes
    -----
    C. Bishop, NCRG/94/004 (1994). The means start spread over a normal distribution of width 1, so scale the targets
    to about that. One component and one dimension is what `gaussian_negative_log_likelihood` fits.

    Examples
    --------
    >>> layer = MixtureDensity(3, 2)
    >>> outputs = layer(np.ones((5, 4), "float32"))
    >>> outputs.shape, mixture_parameters(outputs, dimensions=2).means.shape
    (TensorShape([5, 15]), (5, 3, 2))
    """

    def __init__(self, components: int, dimensions: int = 1, *, smallest_width: float = 1e-3, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.components = check_count(components=components)
        self.dimensions = check_count(dimensions=dimensions)
        check_positive(smallest_width=smallest_width)
        self.smallest_width = float(smallest_width)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        self.gaussians = self.components * self.dimensions
        outputs = self.components + 2 * self.gaussians
        self.kernel = self.add_weight(shape=(input_shape[-1], outputs), name="kernel")
        self.bias = self.add_weight(shape=(outputs,), initializer=self._start, name="bias")
        self.built = True

    def _start(self, shape: Any, dtype: Any = None) -> Any:
        """Biases: equal weights and widths, means apart from each other."""
        quantiles = ops.convert_to_tensor(ndtri((np.arange(self.components) + 0.5) / self.components), dtype=dtype)
        # in each dimension spread like a normal distribution, in an order of its own
        columns = [quantiles, *(keras.random.shuffle(quantiles) for _ in range(self.dimensions - 1))]
        means = ops.reshape(ops.stack(columns, axis=1), (self.gaussians,))
        return ops.concatenate([ops.zeros(self.components, dtype=dtype), means, ops.zeros(self.gaussians, dtype=dtype)])

    def call(self, inputs: Any) -> Any:
        raw = ops.cast(ops.matmul(inputs, self.kernel), "float32") + ops.cast(self.bias, "float32")
        weights = ops.log_softmax(raw[..., : self.components], axis=-1)
        means = raw[..., self.components : self.components + self.gaussians]
        widths = self.smallest_width + ops.softplus(raw[..., self.components + self.gaussians :])
        return ops.cast(ops.concatenate([weights, means, ops.log(widths)], axis=-1), self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        return (*input_shape[:-1], self.components * (1 + 2 * self.dimensions))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "components": self.components,
            "dimensions": self.dimensions,
            "smallest_width": self.smallest_width,
        }


@keras.saving.register_keras_serializable(package="dlphys")
def mixture_density_loss(y_true: Any, y_pred: Any) -> Any:
    """Negative log-likelihood of the target in the density that `MixtureDensity` predicts.

    Parameters
    ----------
    y_true : tensor, (n, d) or (n,) for d = 1
    y_pred : tensor, (n, K (1 + 2 d))
        Output of the layer.

    Returns
    -------
    tensor, (n,), nats
        ``exp(-loss)`` is the density at the target.

    Raises
    ------
    ValueError
        If the columns of ``y_pred`` do not fit those of ``y_true``.

    Examples
    --------
    >>> outputs = np.array([[np.log(0.5), np.log(0.5), -1.0, 1.0, 0.0, 0.0]])  # two unit Gaussians at -1 and 1
    >>> density = np.exp(-np.asarray(mixture_density_loss(np.array([[0.0]]), outputs)))
    >>> density.round(4)
    array([0.242])
    """
    y_true, y_pred = _target_and_outputs(y_true, y_pred)
    dimensions = y_true.shape[-1]
    weights, means, widths = _apart(y_pred, dimensions)
    deviation = (ops.expand_dims(y_true, -2) - means) * ops.exp(-widths)
    exponent = weights - ops.sum(0.5 * ops.square(deviation) + widths + LOG_ROOT_TWO_PI, axis=-1)
    return -ops.logsumexp(exponent, axis=-1)


class MixtureParameters(NamedTuple):
    """Parameters of a mixture of Gaussians for each event; made by `mixture_parameters`.

    weights (n, K), without unit, adding up to 1; means and widths (n, K, d), unit of the target.
    """

    weights: np.ndarray
    means: np.ndarray
    widths: np.ndarray


def mixture_parameters(outputs: ArrayLike, dimensions: int = 1) -> MixtureParameters:
    """Weights, means and widths from the output of `MixtureDensity`.

    Parameters
    ----------
    outputs : array, (..., K (1 + 2 d))
    dimensions : int
        Number d of columns of the target.

    Returns
    -------
    MixtureParameters

    Raises
    ------
    ValueError, TypeError
        If the number of columns is no multiple of 1 + 2 d.

    Examples
    --------
    >>> mixture = mixture_parameters([[np.log(0.25), np.log(0.75), -1.0, 1.0, 0.0, 0.0]])
    >>> mixture.weights, mixture.means[..., 0], mixture.widths[..., 0]
    (array([[0.25, 0.75]]), array([[-1.,  1.]]), array([[1., 1.]]))
    """
    outputs = check_array(outputs=outputs)
    if outputs.ndim == 0:
        raise ValueError(f"outputs must have shape (n, columns), got {outputs.shape}")
    weights, means, widths = _apart(outputs, check_count(dimensions=dimensions))
    return MixtureParameters(np.exp(np.asarray(weights)), np.asarray(means), np.exp(np.asarray(widths)))


def _apart(outputs: Any, dimensions: int) -> tuple[Any, Any, Any]:
    """Logarithms of the weights (..., K), means and logarithms of the widths (..., K, d)."""
    columns = outputs.shape[-1]
    components, rest = divmod(columns, 1 + 2 * dimensions)
    if rest or not components:
        raise ValueError(
            f"outputs must have a multiple of {1 + 2 * dimensions} columns for a target with {dimensions}, "
            f"got {columns}"
        )
    middle = components * (1 + dimensions)
    shape = (*ops.shape(outputs)[:-1], components, dimensions)
    means, widths = outputs[..., components:middle], outputs[..., middle:]
    return outputs[..., :components], ops.reshape(means, shape), ops.reshape(widths, shape)


def _target_and_outputs(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Tensors of at least single precision; a target with one axis gets a second one."""
    y_pred = ops.convert_to_tensor(y_pred)
    if "float" not in keras.backend.standardize_dtype(y_pred.dtype):
        raise TypeError(f"y_pred must hold floating-point numbers, got {shown(y_pred.dtype)}")
    if keras.backend.standardize_dtype(y_pred.dtype) in ("float16", "bfloat16"):
        y_pred = ops.cast(y_pred, "float32")
    y_true = ops.cast(floating(y_true=y_true), y_pred.dtype)
    if len(y_true.shape) == len(y_pred.shape) - 1:
        y_true = ops.expand_dims(y_true, -1)
    if len(y_true.shape) != len(y_pred.shape):
        raise ValueError(
            f"y_true must have the axes of y_pred, got shapes {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    return y_true, y_pred
