"""A convolution that does not share: every place of the image has a filter of its own."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from dlphys._validation import check_count
from dlphys.layers._arguments import pair


@keras.saving.register_keras_serializable(package="dlphys")
class LocallyConnected2D(keras.layers.Layer):
    """Local filters without weight sharing, for data that are local but not the same everywhere.

    ``y[i, j, f] = activation(sum over k, l, c of W[i, j, k, l, c, f] x[i s + k, j s + l, c] + b[i, j, f])`` at each
    output pixel (i, j), with the stride s and without padding. It has the parameters of a convolution times the number
    of output pixels. (Keras 2 had this layer, Keras 3 has not.)

    Parameters
    ----------
    filters : int
        Number of feature maps.
    kernel_size, strides : int or pair of int, pixels
    activation : str or function, optional
    use_bias : bool

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or below 1; when it is built, if height or width of the input are open or smaller than
        the filter.

    Notes
    -----
    The weights are drawn as those of ``Conv2D`` (Glorot uniform for one place).

    Examples
    --------
    >>> layer = LocallyConnected2D(2, 3)
    >>> layer.build((None, 7, 7, 1))
    >>> layer.count_params(), layer.compute_output_shape((None, 7, 7, 1))
    (500, (None, 5, 5, 2))
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self.filters = check_count(filters=filters)
        self.kernel_size = pair(kernel_size=kernel_size)
        self.strides = pair(strides=strides)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: Any) -> None:
        height, width = self._output_size(input_shape)
        channels = input_shape[-1]
        pixels = math.prod(self.kernel_size)
        limit = math.sqrt(6 / (pixels * (channels + self.filters)))
        self.kernel = self.add_weight(
            shape=(height, width, pixels * channels, self.filters),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(height, width, self.filters), initializer="zeros", name="bias")
        self.built = True

    def call(self, inputs: Any) -> Any:
        patches = ops.image.extract_patches(
            inputs, self.kernel_size, strides=self.strides, padding="valid", data_format="channels_last"
        )
        outputs = ops.einsum("nijp,ijpf->nijf", patches, self.kernel)
        if self.bias is not None:
            outputs = outputs + self.bias
        return self.activation(outputs)

    def _output_size(self, input_shape: Any) -> tuple[int, int]:
        size = tuple(input_shape[1:3])
        if None in size or input_shape[-1] is None:
            raise ValueError(f"the input must have a fixed height, width and depth, got shape {tuple(input_shape)}")
        if size[0] < self.kernel_size[0] or size[1] < self.kernel_size[1]:
            raise ValueError(f"kernel_size must be at most the {size[0]} x {size[1]} pixels, got {self.kernel_size}")
        height, width = ((n - k) // s + 1 for n, k, s in zip(size, self.kernel_size, self.strides, strict=True))
        return height, width

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], *self._output_size(input_shape), self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }
