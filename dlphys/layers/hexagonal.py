"""Convolution on a hexagonal grid that shares its filters between the six orientations as well: the group p6.

Translations and rotations by 60 degrees are symmetries of a grid of hexagons. A plain convolution shares its weights
between all places. This one also turns its filter into six orientations: an image becomes six orientation channels,
and a layer on top of them turns the filter and moves its orientation channels on.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from dlphys._validation import check_array, check_choice, check_count
from dlphys.layers._hexagonal_grid import (
    TURNS,
    axial_to_offset,
    cells,
    hexagon_mask,
    offset_to_axial,
    rotate_hexagon,
    turned,
)

__all__ = [
    "HexConv2D",
    "axial_to_offset",
    "hexagon_mask",
    "hexagonal_convolution",
    "offset_to_axial",
    "rotate_hexagon",
]


@keras.saving.register_keras_serializable(package="dlphys")
class HexConv2D(keras.layers.Layer):
    """Convolution over hexagonal cells whose filters are shared between six orientations.

    The cells stand in an array in axial coordinates (see `hexagon_mask` and `offset_to_axial`). With the rotation R by
    60 degrees and the filter W, the orientation channel k of an image f is

        y_k(x) = activation(sum over z of W(R^-k z) f(x + z) + b),

    and of six orientation channels f_j (the layer on top of another one)

        y_k(x) = activation(sum over z and j of W_((j - k) mod 6)(R^-k z) f_j(x + z) + b).

    If the input turns by 60 degrees, each channel turns too and moves on by one: y_k(x) becomes y_(k-1)(R^-1 x). A mean
    or maximum over cells and orientations therefore does not change.

    Parameters
    ----------
    filters : int
        Each gives six orientation channels.
    radius : int
        Of the filter in cells: 1 has 7 cells, 2 has 19.
    activation : str or function, optional
    use_bias : bool
        One number a filter, for all its orientations.
    domain : {"hexagon", "array"}
        "hexagon": the input is a square array with an odd side; its corners outside the hexagon count as empty and
        stay empty, which makes the symmetry exact. "array": every entry is a cell; rotations are a symmetry of what
        lies far enough from the border.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or too small; when it is built, if the input has neither four axes (n, rows, columns,
        channels) nor five (n, rows, columns, 6, channels), or no hexagon fits into it.

    Notes
    -----
    Output (n, rows, columns, 6, filters); zeros are added around the array. An image has (3 R (R + 1) + 1) channels
    filters weights and orientation channels have six times as many, whatever the number of cells. Weights are drawn
    as those of ``Conv2D`` (Glorot uniform, for the orientations counted as inputs). The six filters are put together
    with gaps into one square filter, so that one ordinary convolution does all the work. E. Hoogeboom, J. Peters,
    T. Cohen and M. Welling, HexaConv, arXiv:1803.02108 (2018).

    Examples
    --------
    >>> layer = HexConv2D(4)
    >>> layer.build((None, 9, 9, 2))
    >>> layer.count_params(), layer.compute_output_shape((None, 9, 9, 2))
    (60, (None, 9, 9, 6, 4))
    >>> second = HexConv2D(4)
    >>> second.build((None, 9, 9, 6, 4))
    >>> second.count_params()
    676
    """

    def __init__(
        self,
        filters: int,
        radius: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        domain: str = "hexagon",
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self.filters = check_count(filters=filters)
        self.radius = check_count(minimum=0, radius=radius)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.domain = check_choice(choices=("hexagon", "array"), domain=domain)
        self._arrange(1)

    def _arrange(self, orientations: int) -> None:
        self._orientations = orientations
        self._arrangement = _places_of_weights(self.radius, orientations)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self._arrange(1 if len(input_shape) == 4 else TURNS)
        channels = input_shape[-1]
        taps = len(cells(self.radius)) * self._orientations
        limit = math.sqrt(6.0 / (taps * (channels + self.filters)))
        self.kernel = self.add_weight(
            shape=(taps, channels, self.filters),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")
        self.built = True

    def call(self, inputs: Any) -> Any:
        rows, columns, channels = inputs.shape[1], inputs.shape[2], inputs.shape[-1]
        kernel = ops.convert_to_tensor(self.kernel)
        zero = ops.zeros((1, channels, self.filters), dtype=kernel.dtype)
        # (cells of the square, 6 outgoing orientations, incoming ones, channels, filters)
        square = ops.take(ops.concatenate([kernel, zero]), self._arrangement, axis=0)
        square = ops.transpose(square, (0, 2, 3, 1, 4))
        side = 2 * self.radius + 1
        square = ops.reshape(square, (side, side, self._orientations * channels, TURNS * self.filters))
        size = (ops.shape(inputs)[1] if rows is None else rows, ops.shape(inputs)[2] if columns is None else columns)
        maps = ops.reshape(inputs, (-1, *size, self._orientations * channels))
        maps = self._inside(maps, rows)
        outputs = ops.conv(maps, square, padding="same", data_format="channels_last")
        outputs = ops.reshape(outputs, (-1, *size, TURNS, self.filters))
        if self.bias is not None:
            outputs = outputs + self.bias
        return self._inside(self.activation(outputs), rows)

    def _inside(self, maps: Any, rows: int | None) -> Any:
        """The maps with zeros outside the hexagon."""
        if self.domain == "array" or rows is None:
            return maps
        mask = hexagon_mask(rows // 2).reshape(rows, rows, *[1] * (len(maps.shape) - 3))
        return ops.where(mask, maps, ops.zeros((), dtype=maps.dtype))

    def _check(self, input_shape: Any) -> None:
        shape = tuple(input_shape)
        if len(shape) not in (4, 5) or (len(shape) == 5 and shape[3] != TURNS) or shape[-1] is None:
            raise ValueError(
                "the input must have a shape (n, rows, columns, channels) or (n, rows, columns, 6, channels), "
                f"got {shape}"
            )
        if self.domain == "hexagon" and (shape[1] is None or shape[1] != shape[2] or shape[1] % 2 == 0):
            raise ValueError(
                f"the input must be square with an odd side for a hexagon to fit, got shape {shape}; "
                'domain="array" takes others'
            )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        self._check(input_shape)
        return (*tuple(input_shape)[:3], TURNS, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "radius": self.radius,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "domain": self.domain,
        }


def _places_of_weights(radius: int, orientations: int) -> np.ndarray:
    """Which weight stands where in the square filter, for every orientation.

    Returns whole numbers (cells of the square, 6, orientations): the row of the kernel (cells x orientations), or the
    row after the last one, which is zero, in the two corners.
    """
    places = cells(radius)
    side = 2 * radius + 1
    number = np.full((side, side), -1)
    number[places[:, 1] + radius, places[:, 0] + radius] = np.arange(len(places))
    result = np.full((side * side, TURNS, orientations), len(places) * orientations)
    target = (places[:, 1] + radius) * side + places[:, 0] + radius
    for k in range(TURNS):
        q, r = turned(places, -k).T
        for j in range(orientations):
            result[target, k, j] = number[r + radius, q + radius] * orientations + (j - k) % orientations
    return result


def hexagonal_convolution(maps: ArrayLike, kernel: ArrayLike) -> np.ndarray:
    """What `HexConv2D` computes, in plain loops: without bias, activation and batch, for maps in axial coordinates.

    Parameters
    ----------
    maps : array, (side, side, channels) or (side, side, 6, channels)
        With an odd side; what stands outside the hexagon is ignored.
    kernel : array, (cells, channels, filters) or (6 cells, channels, filters)
        The first weight of a layer: cells row by row, for each of them the incoming orientations if there are six.

    Returns
    -------
    array, (side, side, 6, filters)
        0 outside the hexagon.

    Raises
    ------
    ValueError, TypeError
        If the shapes are none of these or do not fit together.

    Examples
    --------
    >>> maps = np.zeros((5, 5, 1))
    >>> maps[2, 2] = 1.0
    >>> kernel = np.zeros((7, 1, 1))
    >>> kernel[6] = 1.0  # the last cell: (q, r) = (0, 1)
    >>> places = [np.argwhere(hexagonal_convolution(maps, kernel)[:, :, k, 0])[0] - 2 for k in range(6)]
    >>> [(int(q), int(r)) for r, q in places]
    [(0, -1), (1, -1), (1, 0), (0, 1), (-1, 1), (-1, 0)]
    """
    maps, kernel = check_array(ndim=(3, 4), maps=maps), check_array(ndim=3, kernel=kernel)
    if maps.ndim == 3:
        maps = maps[:, :, np.newaxis]
    side, _, orientations, channels = maps.shape
    if side != maps.shape[1] or side % 2 == 0 or orientations not in (1, TURNS):
        raise ValueError(f"maps must be square with an odd side, with one or six orientations, got shape {maps.shape}")
    radius = math.isqrt(len(kernel) // (3 * orientations))  # 3 R (R + 1) + 1 cells
    places = [(int(q), int(r)) for q, r in cells(radius)]
    if len(kernel) != len(places) * orientations or kernel.shape[1] != channels:
        raise ValueError(
            f"kernel must have a row for each cell of a hexagon and each of {orientations} orientations, and "
            f"{channels} channels, got shape {kernel.shape}"
        )
    weights = kernel.reshape(len(places), orientations, channels, -1)
    grid = {(int(q), int(r)) for q, r in cells(side // 2)}
    result = np.zeros((side, side, TURNS, kernel.shape[2]))
    for q, r in grid:
        for k in range(TURNS):
            for place, weight in zip(places, weights, strict=True):
                dq, dr = turned(np.array(place), k)  # the cell of the filter, turned with it
                if (q + dq, r + dr) in grid:
                    here = maps[r + dr + side // 2, q + dq + side // 2]
                    for j in range(orientations):
                        result[r + side // 2, q + side // 2, k] += here[j] @ weight[(j - k) % orientations]
    return result
