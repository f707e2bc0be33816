"""The sphere in pixels of equal area, and a convolution on it that knows no poles."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from dlphys._validation import check_count
from dlphys.layers.graph_convolution import ChebyshevFilter
from dlphys.layers.graphs import knn_graph, laplacian

__all__ = ["HealpixConvolution", "healpix_centres", "healpix_graph"]

LARGEST_NSIDE = 128  # 196 608 pixels


def healpix_centres(nside: int) -> np.ndarray:
    """Centres of the pixels of the HEALPix sphere, numbered along rings of equal latitude from north to south.

    Parameters
    ----------
    nside : int
        Pixels along the side of one of the 12 base pixels; any whole number from 1 to 128 (the nested numbering, which
        is not used here, would need a power of 2).

    Returns
    -------
    array, (12 nside^2, 3), float64
        Unit vectors. All pixels have the area 4 pi / (12 nside^2).

    Raises
    ------
    ValueError, TypeError
        If ``nside`` is no whole number from 1 to 128.

    Notes
    -----
    K. M. Gorski et al., Astrophys. J. 622 (2005) 759, equations (2) to (9). Ring i of the polar cap has 4 i pixels at
    z = 1 - i^2 / (3 nside^2), a ring of the belt 4 nside pixels at z = 4/3 - 2 i / (3 nside). Every second ring of the
    belt is shifted by half a pixel; the others begin at azimuth 0, as in the HEALPix software.

    Examples
    --------
    >>> healpix_centres(1)[[0, 4, 8], 2].round(3)
    array([ 0.667,  0.   , -0.667])
    >>> healpix_centres(8).shape
    (768, 3)
    """
    nside = check_count(nside=nside, maximum=LARGEST_NSIDE)
    heights, azimuths = [], []
    for ring in range(1, 2 * nside + 1):  # from the north pole to the equator
        cap = ring < nside
        pixels = 4 * (ring if cap else nside)
        shift = 0.5 if cap or (ring - nside) % 2 == 0 else 0.0
        height = 1.0 - ring**2 / (3.0 * nside**2) if cap else 4.0 / 3.0 - 2.0 * ring / (3.0 * nside)
        heights.append(np.full(pixels, height))
        azimuths.append(2.0 * np.pi / pixels * (np.arange(pixels) + shift))
    for ring in range(2 * nside - 2, -1, -1):  # the south mirrors the north
        heights.append(-heights[ring])
        azimuths.append(azimuths[ring])
    z, phi = np.concatenate(heights), np.concatenate(azimuths)
    across = np.sqrt(1.0 - z**2)
    return np.column_stack([across * np.cos(phi), across * np.sin(phi), z])


def healpix_graph(nside: int, *, neighbours: int = 8) -> np.ndarray:
    """Weights of the edges between near pixels: exp(-d^2 / rho^2) with the mean distance rho of joined pixels.

    Parameters
    ----------
    nside : int
        From 1 to 16 (3072 pixels): the matrix has (12 nside^2)^2 entries.
    neighbours : int, default 8
        Nearest pixels to which each is joined, and all others as far as the last of them. Made symmetric afterwards, so
        that a pixel may have a few more.

    Returns
    -------
    array, (12 nside^2, 12 nside^2), float64
        Symmetric, 0 where two pixels are not joined.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The graph of DeepSphere, N. Perraudin et al., arXiv:1810.12186, with nearest pixels in place of touching ones.

    Examples
    --------
    >>> graph = healpix_graph(2)
    >>> graph.shape, bool((graph == graph.T).all())
    ((48, 48), True)
    """
    from scipy.spatial import cKDTree

    nside = check_count(nside=nside, maximum=16)
    centres = healpix_centres(nside)
    neighbours = check_count(neighbours=neighbours, maximum=len(centres) - 1)
    distance = np.linalg.norm(centres[:, None] - centres[knn_graph(centres, neighbours)], axis=-1)
    # pixels as far as the last one are neighbours too: to take some of them would spoil the symmetries of the sphere
    tree = cKDTree(centres)
    within = tree.sparse_distance_matrix(tree, (1.0 + 1e-9) * distance.max(), output_type="coo_matrix")
    joined = (within.data <= (1.0 + 1e-9) * distance[within.row, -1]) & (within.row != within.col)
    rows, columns, away = within.row[joined], within.col[joined], within.data[joined]
    graph = np.zeros((len(centres), len(centres)))
    graph[rows, columns] = np.exp(-((away / away.mean()) ** 2))
    return np.maximum(graph, graph.T)


@keras.saving.register_keras_serializable(package="dlphys")
class HealpixConvolution(ChebyshevFilter):
    """Chebyshev convolution on the pixels of a sphere, as in DeepSphere: nearly the same filter at every place.

    Call it as ``layer(maps)``.

    Parameters
    ----------
    units : int
        Maps after the layer.
    nside : int
        From 1 to 16; the sphere has 12 nside^2 pixels, in the order of `healpix_centres`.
    order : int, default 4
        Number of polynomials: a pixel sees ``order - 1`` steps far.
    activation : str or function, optional
    use_bias : bool, default True

    Inputs
    ------
    maps : tensor, (n, 12 nside^2, c)

    Returns
    -------
    tensor, (n, 12 nside^2, units)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range; when it is built, if the input has another number of pixels.

    Notes
    -----
    The filter depends on distances only, so it has no orientation: rotating a map by 90 degrees about the axis rotates
    the result exactly, any other rotation nearly, as far as the pixels are alike. The product with the Laplacian
    gathers neighbours and never forms the matrix, which would be full of zeros. N. Perraudin et al., arXiv:1810.12186.

    Examples
    --------
    >>> import numpy as np
    >>> layer = HealpixConvolution(5, nside=4, order=4)
    >>> layer(np.ones((2, 192, 1), "float32")).shape, layer.count_params()
    (TensorShape([2, 192, 5]), 25)
    """

    def __init__(
        self,
        units: int,
        nside: int,
        order: int = 4,
        activation: Any = None,
        use_bias: bool = True,
        **keywords: Any,
    ) -> None:
        super().__init__(units, order=order, activation=activation, use_bias=use_bias, **keywords)
        self.nside = check_count(nside=nside, maximum=16)

    def build(self, maps_shape: Any) -> None:
        pixels = 12 * self.nside**2
        if len(maps_shape) != 3 or maps_shape[1] != pixels:
            raise ValueError(
                f"maps must have shape (n, {pixels}, c) for nside={self.nside}, got shape {tuple(maps_shape)}"
            )
        matrix = laplacian(healpix_graph(self.nside))
        # the largest eigenvalue lies a little below 2 for such graphs; 2 keeps all eigenvalues inside [-1, 1]
        matrix = matrix - np.eye(pixels)
        width = int(np.count_nonzero(matrix, axis=1).max())
        self._columns = np.argsort(matrix == 0, axis=1, kind="stable")[:, :width].astype(np.int32)
        self._entries = np.take_along_axis(matrix, self._columns, axis=1).astype(np.float32)
        self.add_filter(maps_shape[-1])

    def call(self, maps: Any) -> Any:
        columns = ops.reshape(ops.convert_to_tensor(self._columns), (-1,))
        entries = ops.cast(self._entries, self.compute_dtype)

        def product(f: Any) -> Any:
            rows = ops.reshape(ops.take(f, columns, axis=1), (-1, *self._columns.shape, f.shape[-1]))
            return ops.einsum("npkc,pk->npc", rows, entries)

        return self.filtered(maps, product)

    def compute_output_shape(self, maps_shape: Any) -> tuple[Any, ...]:
        return (*maps_shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "nside": self.nside}
