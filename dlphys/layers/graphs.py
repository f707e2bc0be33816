"""Graphs as arrays: who is whose neighbour, and the matrices that convolutions on graphs are made of.

A graph of n nodes is either a matrix (n, n) of edge weights (`normalized_adjacency`, `laplacian`,
`scaled_laplacian`) or a table (n, k) that lists k neighbours of every node (`knn_graph`, `nearest_neighbours`), which
needs less memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from dlphys._validation import check_array, check_count, shown

__all__ = ["knn_graph", "laplacian", "nearest_neighbours", "normalized_adjacency", "scaled_laplacian"]

FAR = 1e30  # added to the distance of a point from itself


def knn_graph(points: ArrayLike, k: int) -> np.ndarray:
    """The k nearest neighbours of every point, in NumPy: for graphs that stay as they are, once for a data set.

    Parameters
    ----------
    points : array, (p, d) or (n, p, d)
        One cloud of p points, or n of them. The distance is the Euclidean one; on a sphere, with unit vectors, that is
        the chord, which orders neighbours as the angle does.
    k : int
        From 1 to p - 1; a point is not its own neighbour.

    Returns
    -------
    array, (p, k) or (n, p, k), int32
        Numbers of the neighbours, the nearest first. The graph is directed: j among the neighbours of i does not mean
        that i is among those of j.

    Raises
    ------
    ValueError, TypeError
        If the points have another shape, are not finite, or k does not fit.

    Notes
    -----
    By a k-d tree, about 0.6 ms for 500 points and k = 8; all pairs and a partial sort take twice as long. Book, section
    10.3.

    Examples
    --------
    >>> knn_graph([[0.0], [1.0], [3.0], [3.5]], 1).ravel()
    array([1, 0, 3, 2], dtype=int32)
    """
    from scipy.spatial import cKDTree

    array = check_array(ndim=(2, 3), points=points, dtype=None)
    k = check_count(k=k)
    if k >= array.shape[-2]:
        raise ValueError(f"k must be below the {array.shape[-2]} points, since none is its own neighbour, got {k}")
    clouds = array if array.ndim == 3 else array[None]
    found = np.empty((*clouds.shape[:2], k), np.int32)
    own = np.arange(clouds.shape[1])[:, None]
    for number, cloud in enumerate(clouds):
        near = cKDTree(cloud).query(cloud, k + 1)[1]
        if (near[:, 0] == own[:, 0]).all():
            found[number] = near[:, 1:]
        else:  # two points at one place: a point need not come first in its own list, or be in it at all
            keep = near != own
            keep[keep.all(axis=1), -1] = False
            found[number] = near[keep].reshape(-1, k)
    return found if array.ndim == 3 else found[0]


def nearest_neighbours(points: Any, k: int) -> Any:
    """The k nearest neighbours of every point with ``keras.ops``, for graphs that are built anew in every layer.

    Parameters
    ----------
    points : tensor, (n, p, d)
        n clouds of p points, or of p vectors of features.
    k : int
        From 1 to p - 1.

    Returns
    -------
    tensor, (n, p, k), int32
        As from `knn_graph`. No gradient passes through it.

    Raises
    ------
    ValueError, TypeError
        If the tensor has not three axes, or k does not fit.

    Notes
    -----
    All distances |a - b|^2 = |a|^2 - 2 a b + |b|^2 by one matrix product in float32, about the centre of each cloud,
    and ``top_k``: 2.3 ms for 500 points and k = 8 on one core, four times the k-d tree.

    Examples
    --------
    >>> import numpy as np
    >>> np.asarray(nearest_neighbours(np.array([[[0.0], [1.0], [3.0], [3.5]]]), 1)).ravel()
    array([1, 0, 3, 2], dtype=int32)
    """
    k = check_count(k=k)
    x = ops.stop_gradient(ops.cast(points, "float32"))
    if len(x.shape) != 3:
        raise ValueError(f"points must have shape (n, p, d), got {tuple(x.shape)}")
    p = x.shape[1]
    if p is not None and k >= p:
        raise ValueError(f"k must be below the {p} points, since none is its own neighbour, got {k}")
    x = x - ops.mean(x, axis=1, keepdims=True)
    own = ops.arange(ops.shape(x)[1])
    away = FAR * ops.cast(own[:, None] == own[None, :], "float32")
    square = ops.sum(ops.square(x), axis=-1)
    closeness = 2.0 * ops.matmul(x, ops.transpose(x, (0, 2, 1))) - (square[:, None, :] + away)
    return ops.cast(ops.top_k(closeness, k)[1], "int32")


def normalized_adjacency(adjacency: ArrayLike, *, self_loops: bool = True) -> np.ndarray:
    """The matrix of the graph convolution (10.3): D^-1/2 A D^-1/2, by default with A + 1 in place of A.

    Parameters
    ----------
    adjacency : array, (..., n, n)
        Weights of the edges, not negative, symmetric.
    self_loops : bool, default True
        Join every node with itself first.

    Returns
    -------
    array, (..., n, n), float32
        A node without any edge has a row of zeros.

    Raises
    ------
    ValueError, TypeError
        If the matrix is not square, not symmetric or has negative weights.

    Notes
    -----
    T. N. Kipf and M. Welling, arXiv:1609.02907. Its eigenvalues lie in [-1, 1]; with self-loops -1 is excluded.

    Examples
    --------
    >>> chain = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    >>> normalized_adjacency(chain).round(3)
    array([[0.5  , 0.408, 0.   ],
           [0.408, 0.333, 0.408],
           [0.   , 0.408, 0.5  ]], dtype=float32)
    """
    a = _weights(adjacency)
    if self_loops:
        a = a + np.eye(a.shape[-1])
    root = _inverse_root(a.sum(axis=-1))
    return (root[..., :, None] * a * root[..., None, :]).astype(np.float32)


def laplacian(adjacency: ArrayLike, *, normalized: bool = True) -> np.ndarray:
    """Laplacian of a graph: D - A, or normalised 1 - D^-1/2 A D^-1/2 (10.1).

    Parameters
    ----------
    adjacency : array, (..., n, n)
        Weights of the edges, not negative, symmetric.
    normalized : bool, default True

    Returns
    -------
    array, (..., n, n), float64

    Raises
    ------
    ValueError, TypeError
        If the matrix is not square, not symmetric or has negative weights.

    Notes
    -----
    f^T (D - A) f is the sum over edges of weight times (f_i - f_j)^2, a measure of roughness. Eigenvalues of the
    normalised Laplacian lie in [0, 2]; 0 occurs once for each connected part. A node without edges has a row of zeros.
    Equation (10.1) prints 1 on the diagonal, which holds for graphs without self-loops.

    Examples
    --------
    >>> chain = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    >>> laplacian(chain, normalized=False)
    array([[ 1., -1.,  0.],
           [-1.,  2., -1.],
           [ 0., -1.,  1.]])
    >>> np.linalg.eigvalsh(laplacian(chain)).round(3) + 0.0
    array([0., 1., 2.])
    """
    a = _weights(adjacency)
    degree = a.sum(axis=-1)
    difference = degree[..., None] * np.eye(a.shape[-1]) - a
    if not normalized:
        return difference
    root = _inverse_root(degree)
    return root[..., :, None] * difference * root[..., None, :]


def scaled_laplacian(adjacency: ArrayLike, *, largest: float | None = None) -> np.ndarray:
    """Normalised Laplacian moved to [-1, 1] for Chebyshev polynomials: 2 L / lambda_max - 1.

    Parameters
    ----------
    adjacency : array, (n, n)
        Weights of the edges, not negative, symmetric.
    largest : float, optional
        lambda_max; left out, it is computed. 2 is its largest possible value.

    Returns
    -------
    array, (n, n), float32

    Raises
    ------
    ValueError, TypeError
        If the matrix is no symmetric adjacency matrix, has no edges, or ``largest`` is not in (0, 2].

    Examples
    --------
    >>> scaled_laplacian([[0, 1], [1, 0]])
    array([[ 0., -1.],
           [-1.,  0.]], dtype=float32)
    """
    matrix = laplacian(adjacency)
    if matrix.ndim != 2:
        raise ValueError(f"adjacency must have shape (n, n), got {matrix.shape}")
    if largest is None:
        largest = float(np.linalg.eigvalsh(matrix)[-1])
        if largest < 1e-9:
            raise ValueError("adjacency must hold at least one edge between two nodes, got none")
    elif not 0.0 < largest <= 2.0:
        raise ValueError(f"largest must be in (0, 2], got {shown(largest)}")
    return (2.0 / largest * matrix - np.eye(len(matrix))).astype(np.float32)


def _weights(adjacency: ArrayLike) -> np.ndarray:
    a = check_array(minimum=0.0, adjacency=adjacency)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"adjacency must have shape (n, n), got {a.shape}")
    if not np.allclose(a, np.swapaxes(a, -1, -2), rtol=1e-5, atol=1e-7):
        raise ValueError("adjacency must be symmetric, got a directed graph: add its transpose, or take the larger")
    return a


def _inverse_root(degree: np.ndarray) -> np.ndarray:
    """1 / sqrt(degree), 0 for a node without edges."""
    return np.divide(1.0, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0.0)
