"""Networks whose weights are distributions: predictions become samples."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from dlphys._validation import check_choice, check_count, check_number, check_positive
from dlphys.layers._settings import Setting

__all__ = ["BayesianDense", "MonteCarloDropout"]


class Sampling:
    """What layers share that draw in prediction too; not for use by itself."""

    _sampling: Setting

    @property
    def sampling(self) -> bool:
        """Whether the layer draws; may be changed at any time, also after the model has been compiled."""
        return bool(self._sampling.get())

    @sampling.setter
    def sampling(self, sampling: bool) -> None:
        self._sampling.set(check_choice(choices=(True, False), sampling=sampling))


@keras.saving.register_keras_serializable(package="dlphys")
class BayesianDense(Sampling, keras.layers.Layer):
    """A dense layer in which every weight is normally distributed, w = N(mu, s^2) with trained mu and s (13.1).

    Parameters
    ----------
    units : int
    activation : str or function, optional
    prior_width : float, default 1
        Standard deviation of the prior N(0, prior_width^2) of every weight.
    kl_weight : float, default 1
        Factor of the divergence between posterior and prior in the loss: 1 / (number of training events) where the loss
        is a mean over events, as in Keras. Can be changed during training.
    initial_width : float, default 0.05
        Standard deviation s of the weights before training.
    use_bias : bool, default True
    sampling : bool, default True
        False: computes with the means of the weights. Can be changed at any time (``layer.sampling = False``).
    seed : int, optional
        Left out, it follows ``keras.utils.set_random_seed``.

    Inputs
    ------
    tensor, (n, ..., d)

    Returns
    -------
    tensor, (n, ..., units)

    Raises
    ------
    ValueError, TypeError
        If a number is out of range.

    Notes
    -----
    s = softplus(rho) with the trained rho, so the layer has twice the parameters of ``Dense``.

    The loss gets kl_weight * sum over weights of ln(s_p / s) + (s^2 + mu^2) / (2 s_p^2) - 1/2, the Kullback-Leibler
    divergence KL(N(mu, s^2) || N(0, s_p^2)). With the mean negative log-likelihood of the events as the other part and
    kl_weight = 1 / N this is minus the evidence lower bound over N. With kl_weight = 1 the prior counts N times too
    much and the network learns nothing.

    In training, ``x w`` is drawn instead of w, with the mean x mu and the variance x^2 s^2, anew for each event (local
    reparametrisation, D. Kingma, T. Salimans and M. Welling, arXiv:1506.02557): the same distribution for each event,
    with less noise in the gradient. In prediction the weights are drawn once per call, so that one call is one network
    for all events; `predict_samples` collects many.

    Examples
    --------
    >>> import numpy as np
    >>> layer = BayesianDense(3, kl_weight=1 / 1000)
    >>> layer(np.ones((5, 4), "float32")).shape, layer.count_params()
    (TensorShape([5, 3]), 30)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        *,
        prior_width: float = 1.0,
        kl_weight: float = 1.0,
        initial_width: float = 0.05,
        use_bias: bool = True,
        sampling: bool = True,
        seed: int | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self.units = check_count(units=units)
        self.activation = keras.activations.get(activation)
        check_positive(prior_width=prior_width, initial_width=initial_width)
        self.prior_width, self.initial_width = float(prior_width), float(initial_width)
        self.use_bias = bool(use_bias)
        self._kl_weight = Setting(check_number(minimum=0.0, kl_weight=kl_weight))
        self._sampling = Setting(check_choice(choices=(True, False), sampling=sampling))
        self.seed = None if seed is None else check_count(minimum=0, seed=seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    @property
    def kl_weight(self) -> float:
        """Factor of the divergence in the loss."""
        return self._kl_weight.get()

    @kl_weight.setter
    def kl_weight(self, kl_weight: float) -> None:
        self._kl_weight.set(check_number(minimum=0.0, kl_weight=kl_weight))

    def build(self, input_shape: Any) -> None:
        start = math.log(math.expm1(self.initial_width)) if self.initial_width < 30.0 else self.initial_width
        rho = keras.initializers.Constant(start)
        shape = (input_shape[-1], self.units)
        self.kernel_mean = self.add_weight(shape=shape, name="kernel_mean")
        self.kernel_rho = self.add_weight(shape=shape, initializer=rho, name="kernel_rho")
        self.bias_mean = self.bias_rho = None
        if self.use_bias:
            self.bias_mean = self.add_weight(shape=(self.units,), initializer="zeros", name="bias_mean")
            self.bias_rho = self.add_weight(shape=(self.units,), initializer=rho, name="bias_rho")
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        self.add_loss(self._kl_weight.variable * self.divergence())
        outputs = self._one_event_each(inputs) if training else self._one_network(inputs)
        return self.activation(ops.cast(outputs, self.compute_dtype))

    def _one_event_each(self, inputs: Any) -> Any:
        mean, variance = self.moments(inputs)
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        # the root of zero has no derivative
        return mean + self._sampling.variable * noise * ops.sqrt(ops.maximum(variance, 1e-20))

    def _one_network(self, inputs: Any) -> Any:
        outputs = ops.matmul(inputs, ops.cast(self._drawn(self.kernel_mean, self.kernel_rho), inputs.dtype))
        if self.use_bias:
            outputs = outputs + ops.cast(self._drawn(self.bias_mean, self.bias_rho), inputs.dtype)
        return outputs

    def _drawn(self, mean: Any, rho: Any) -> Any:
        mean, rho = ops.convert_to_tensor(mean, "float32"), ops.convert_to_tensor(rho, "float32")
        noise = keras.random.normal(mean.shape, dtype="float32", seed=self.seed_generator)
        return mean + self._sampling.variable * ops.softplus(rho) * noise

    def moments(self, inputs: Any) -> tuple[Any, Any]:
        """Mean and variance of the output before the activation, in closed form.

        Parameters
        ----------
        inputs : tensor, (n, ..., d)

        Returns
        -------
        mean, variance : tensors, (n, ..., units)
            In single precision, where the small squares of half precision would vanish.
        """
        inputs = ops.cast(inputs, "float32")
        mean = ops.matmul(inputs, ops.cast(self.kernel_mean, "float32"))
        variance = ops.matmul(ops.square(inputs), ops.square(ops.softplus(ops.cast(self.kernel_rho, "float32"))))
        if self.use_bias:
            mean = mean + ops.cast(self.bias_mean, "float32")
            variance = variance + ops.square(ops.softplus(ops.cast(self.bias_rho, "float32")))
        return mean, variance

    def divergence(self) -> Any:
        """KL of posterior and prior, summed over all weights of the layer; scalar tensor, nats."""
        pairs = [(self.kernel_mean, self.kernel_rho)]
        if self.use_bias:
            pairs.append((self.bias_mean, self.bias_rho))
        total = 0.0
        for mean, rho in pairs:
            mean = ops.convert_to_tensor(mean, "float32") / self.prior_width
            width = ops.softplus(ops.convert_to_tensor(rho, "float32")) / self.prior_width
            total = total + ops.sum(0.5 * (ops.square(width) + ops.square(mean) - 1.0) - ops.log(width))
        return total

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "prior_width": self.prior_width,
            "kl_weight": self.kl_weight,
            "initial_width": self.initial_width,
            "use_bias": self.use_bias,
            "sampling": self.sampling,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable(package="dlphys")
class MonteCarloDropout(Sampling, keras.layers.Dropout):
    """Dropout that stays active in prediction: each call is another network of the ensemble that dropout trains.

    Each input is set to zero with the probability ``rate``, independently for each event, and the others are divided
    by 1 - rate, so that the mean stays.

    Parameters
    ----------
    rate : float, in [0, 1)
    noise_shape : tuple of int, optional
        As in ``keras.layers.Dropout``; a 1 shares the decision along an axis.
    sampling : bool, default True
        False: passes on its inputs in prediction and training, as ordinary dropout does in prediction. Can be changed
        at any time.
    seed : int, optional
        Left out, it follows ``keras.utils.set_random_seed``.

    Raises
    ------
    ValueError, TypeError
        If ``rate`` is outside [0, 1).

    Notes
    -----
    Y. Gal and Z. Ghahramani, arXiv:1506.02142. `predict_samples` collects many predictions.

    Examples
    --------
    >>> import numpy as np
    >>> outputs = np.asarray(MonteCarloDropout(0.5, seed=1)(np.ones((1, 1000))))
    >>> np.unique(outputs)
    array([0., 2.], dtype=float32)
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, *, sampling: bool = True, seed: int | None = None, **keywords: Any
    ) -> None:
        check_number(minimum=0.0, maximum=1.0, rate=rate)
        if rate == 1.0:
            raise ValueError("rate must be below 1, got 1: nothing would be left")
        super().__init__(rate, noise_shape=noise_shape, seed=seed, **keywords)
        self._sampling = Setting(check_choice(choices=(True, False), sampling=sampling))

    def call(self, inputs: Any, training: bool = True) -> Any:
        if self.rate == 0.0:
            return inputs
        return ops.where(self._sampling.variable > 0.0, super().call(inputs, training=True), inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sampling": self.sampling}
