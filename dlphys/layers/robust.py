"""Barron's general loss: from least squares to one that outliers cannot move, with a shape that is learned."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from dlphys._validation import check_number, check_positive, shown
from dlphys.layers._arguments import floating

__all__ = ["AdaptiveRobustLoss", "robust_log_normalisation", "robust_loss"]

LARGEST_ALPHA = 4.0
# Trapezoidal rule in t with x = sinh(t): the density falls at least as 1 / x^2, so exp(-t) at the ends
_STEP, _END = 0.1, 18.0


def robust_loss(residual: Any, alpha: Any, scale: Any = 1.0) -> Any:
    """Barron's general robust loss rho(x, alpha, c) (14.30).

    With s = (x / c)^2: s / 2 for alpha = 2 (least squares), sqrt(s + 1) - 1 for alpha = 1 (like abs(x) far out),
    ln(s / 2 + 1) for alpha = 0 (Cauchy), 1 - exp(-s / 2) for alpha = -inf, and in general
    ``abs(alpha - 2) / alpha * ((s / abs(alpha - 2) + 1)^(alpha / 2) - 1)``, of which these are the limits.

    Parameters
    ----------
    residual : tensor or array
        x = y - prediction.
    alpha : float or tensor
        Shape, at most 4; ``-np.inf`` as a number only. The smaller, the less do outliers count.
    scale : float or tensor, above 0
        Width c of the part that is nearly quadratic, unit of the residual.

    Returns
    -------
    tensor, shape and precision of ``residual``

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is a number above 4 or NaN, or ``scale`` a number not above 0.

    Notes
    -----
    J. Barron, arXiv:1701.03077. Written so that alpha = 0 and 2 and their neighbourhoods keep full precision, and so do
    the derivatives by the residual and by alpha. The derivative by alpha diverges logarithmically at alpha = 2, as
    the loss itself has a term (alpha - 2) ln abs(alpha - 2).

    Examples
    --------
    >>> x = np.array([0.5, 5.0])
    >>> np.asarray(robust_loss(x, 2.0)), np.asarray(robust_loss(x, 0.0)).round(3)
    (array([ 0.125, 12.5  ]), array([0.118, 2.603]))
    >>> np.asarray(robust_loss(x, -np.inf)).round(3)
    array([0.118, 1.   ])
    """
    residual = floating(residual=residual)
    if isinstance(scale, int | float):
        check_positive(scale=scale)
    square = ops.square(residual / ops.convert_to_tensor(scale, residual.dtype))  # a cast would round to float32 first
    if isinstance(alpha, int | float | np.floating):
        if np.isneginf(alpha):
            return -ops.expm1(-0.5 * square)
        check_number(maximum=LARGEST_ALPHA, alpha=alpha)
    alpha = ops.convert_to_tensor(alpha, residual.dtype)
    tiny = 1e-12 if keras.backend.standardize_dtype(residual.dtype) == "float64" else 1e-6
    beyond = ops.maximum(ops.abs(alpha - 2.0), tiny)
    logarithm = ops.log1p(square / beyond)
    return 0.5 * beyond * logarithm * _relative_growth(0.5 * alpha * logarithm)


def _relative_growth(z: Any) -> Any:
    """(exp(z) - 1) / z, which is 1 at z = 0, with an exact derivative there."""
    small = ops.abs(z) < 0.05
    series = 1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0 * (1.0 + z / 6.0 * (1.0 + z / 7.0)))))
    away = ops.where(small, ops.ones_like(z), z)
    return ops.where(small, series, ops.expm1(away) / away)


def robust_log_normalisation(alpha: Any) -> Any:
    """ln Z(alpha), with Z = integral of exp(-rho(x, alpha, 1)) over all x.

    Parameters
    ----------
    alpha : float, array or tensor, in [0, 4]
        Below 0 the loss stays finite far out and nothing can be normalised.

    Returns
    -------
    tensor, shape and precision of ``alpha`` (float64 for Python numbers)

    Raises
    ------
    ValueError, TypeError
        If a number or an array is outside [0, 4].

    Notes
    -----
    exp(-rho(x, alpha, c)) / (c Z(alpha)) is a density, so rho + ln c + ln Z(alpha) is a negative log-likelihood. Only
    with these two terms can alpha and c be learned: rho alone falls with falling alpha and with rising c for every
    residual, so that both would run to their ends, whatever the data.

    The integral is taken by the trapezoidal rule in t with x = sinh(t), 180 points, as part of the graph, so that the
    derivative by alpha belongs to the same numbers. ln Z is right to better than 1e-6. Z(2) = sqrt(2 pi),
    Z(1) = 2 e K_1(1) = 3.2723, Z(0) = sqrt(2) pi.

    Examples
    --------
    >>> np.exp(np.asarray(robust_log_normalisation(np.array([2.0, 1.0, 0.0])))).round(4)
    array([2.5066, 3.2723, 4.4429])
    """
    if isinstance(alpha, int | float | np.ndarray | np.floating):
        alpha = np.asarray(alpha, dtype=np.result_type(alpha, np.float32) if np.ndim(alpha) else np.float64)
        if not ((alpha >= 0.0) & (alpha <= LARGEST_ALPHA)).all():
            raise ValueError(f"alpha must lie in [0, {LARGEST_ALPHA:g}], got {shown(alpha.tolist())}")
    alpha = floating(alpha=alpha)
    t = np.arange(0.5 * _STEP, _END, _STEP)
    points = ops.convert_to_tensor(np.sinh(t), dtype=alpha.dtype)
    measure = ops.convert_to_tensor(np.log(2.0 * _STEP * np.cosh(t)), dtype=alpha.dtype)  # 2: both signs of x
    return ops.logsumexp(measure - robust_loss(points, ops.expand_dims(alpha, -1)), axis=-1)


@keras.saving.register_keras_serializable(package="dlphys")
class AdaptiveRobustLoss(keras.layers.Layer):
    """Barron's loss with a shape alpha and a scale c that are trained with the network.

    The layer stands at the end of a network and passes on the prediction unchanged; it only makes alpha and c weights
    of the model. Its method ``loss`` is what the model is compiled with::

        robust = AdaptiveRobustLoss()
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), robust])
        model.compile("adam", loss=robust.loss)
        model.fit(x, y)
        robust.alpha, robust.scale

    Parameters
    ----------
    initial_alpha : float, default 1
        Shape before training, inside ``alpha_range``.
    initial_scale : float, default 1
        Scale before training, in units of the target.
    alpha_range : pair of float, default (0, 4)
        alpha stays inside; at most [0, 4]. Below 0 there is no density, so alpha cannot be learned there.

    Inputs
    ------
    tensor, (n, d)
        The prediction. Each of the d columns has an alpha and a scale of its own.

    Returns
    -------
    tensor, (n, d)
        The same.

    Raises
    ------
    ValueError, TypeError
        If the range is not inside [0, 4], the initial alpha not inside the range, or the initial scale not above 0.

    Notes
    -----
    The loss of an event is rho(y - prediction, alpha, c) + ln c + ln Z(alpha), summed over columns, with
    `robust_loss` and `robust_log_normalisation`: the negative log-likelihood of a family of densities that holds the
    Gaussian (alpha = 2) and the Cauchy distribution (alpha = 0). Large residuals ask for a small alpha, Z asks for
    a large one, since a density with tails is lower in the middle. J. Barron, arXiv:1701.03077.

    A start near alpha = 2 is slow where there are outliers: their gradients are so large at first that Adam, which
    divides by their size for a thousand steps, hardly moves. Exactly at 2 the derivative by alpha is infinite.

    A model that was compiled with ``robust.loss`` is saved with its weights and loaded with
    ``keras.models.load_model(path, compile=False)``.

    Examples
    --------
    >>> robust = AdaptiveRobustLoss()
    >>> prediction = robust(np.array([[0.0], [1.0]], "float32"))
    >>> np.asarray(robust.loss(np.array([[1.0], [1.0]]), prediction)).round(2)
    array([1.6 , 1.19], dtype=float32)
    >>> np.log(3.2723).round(2), robust.alpha, robust.scale
    (np.float64(1.19), array([1.], dtype=float32), array([1.], dtype=float32))
    """

    def __init__(
        self,
        initial_alpha: float = 1.0,
        initial_scale: float = 1.0,
        *,
        alpha_range: tuple[float, float] = (0.0, LARGEST_ALPHA),
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        if not isinstance(alpha_range, list | tuple) or len(alpha_range) != 2:
            raise TypeError(f"alpha_range must be two numbers, got {shown(alpha_range)}")
        low = check_number(minimum=0.0, maximum=LARGEST_ALPHA, alpha_range=alpha_range[0])
        high = check_number(minimum=0.0, maximum=LARGEST_ALPHA, alpha_range=alpha_range[1])
        if low >= high:
            raise ValueError(f"alpha_range must be two increasing numbers, got {shown(alpha_range)}")
        self.alpha_range = (low, high)
        self.initial_alpha = check_number(minimum=low, maximum=high, exclusive=True, initial_alpha=initial_alpha)
        check_positive(initial_scale=initial_scale)
        self.initial_scale = float(initial_scale)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        low, high = self.alpha_range
        share = (self.initial_alpha - low) / (high - low)
        columns = (input_shape[-1],)
        self.raw_alpha = self.add_weight(
            shape=columns, initializer=keras.initializers.Constant(math.log(share / (1.0 - share))), name="raw_alpha"
        )
        self.log_scale = self.add_weight(
            shape=columns, initializer=keras.initializers.Constant(math.log(self.initial_scale)), name="log_scale"
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def loss(self, y_true: Any, y_pred: Any) -> Any:
        """Negative log-likelihood of each event, in nats.

        Parameters
        ----------
        y_true : tensor, (n, d) or (n,) for d = 1
        y_pred : tensor, (n, d)

        Returns
        -------
        tensor, (n,)

        Raises
        ------
        ValueError
            If the layer has not been built by a first call, or the shapes do not fit.
        """
        if not self.built:
            raise ValueError(
                "AdaptiveRobustLoss must stand at the end of the model, so that its weights exist: not built"
            )
        y_pred = ops.cast(y_pred, "float32")
        y_true = ops.cast(y_true, "float32")
        if len(y_true.shape) == len(y_pred.shape) - 1:
            y_true = ops.expand_dims(y_true, -1)
        if len(y_true.shape) != len(y_pred.shape) or y_true.shape[-1] != y_pred.shape[-1]:
            raise ValueError(f"y_true must have the shape of y_pred, {y_pred.shape}, got {y_true.shape}")
        alpha = self._alpha()
        rho = robust_loss(y_true - y_pred, alpha, ops.exp(ops.cast(self.log_scale, "float32")))
        return ops.sum(rho + ops.cast(self.log_scale, "float32") + robust_log_normalisation(alpha), axis=-1)

    def _alpha(self) -> Any:
        low, high = self.alpha_range
        return low + (high - low) * ops.sigmoid(ops.cast(self.raw_alpha, "float32"))

    @property
    def alpha(self) -> np.ndarray:
        """Shape of each column, (d,)."""
        return np.asarray(self._alpha())

    @property
    def scale(self) -> np.ndarray:
        """Scale c of each column, (d,), in units of the target."""
        return np.exp(np.asarray(self.log_scale))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initial_alpha": self.initial_alpha,
            "initial_scale": self.initial_scale,
            "alpha_range": self.alpha_range,
        }
