"""Keras layers that Keras lacks, for grids with a symmetry of their own and for graphs, and batches from many files.

Layers are written with ``keras.ops``, so that they run on every backend. A saved model finds them again once this
package is imported.
"""

import dlphys._keras  # noqa: F401 - imports Keras quietly, before the layers do
from dlphys.layers.edge_convolution import EdgeConv
from dlphys.layers.graph_convolution import ChebyshevConvolution, GraphConvolution
from dlphys.layers.graphs import (
    knn_graph,
    laplacian,
    nearest_neighbours,
    normalized_adjacency,
    scaled_laplacian,
)
from dlphys.layers.healpix import HealpixConvolution, healpix_centres, healpix_graph
from dlphys.layers.locally_connected import LocallyConnected2D
from dlphys.layers.message_passing import MessagePassing
from dlphys.layers.periodic import PeriodicPadding2D
from dlphys.layers.shards import ShardSequence

__all__ = [
    "ChebyshevConvolution",
    "EdgeConv",
    "GraphConvolution",
    "HealpixConvolution",
    "LocallyConnected2D",
    "MessagePassing",
    "PeriodicPadding2D",
    "ShardSequence",
    "healpix_centres",
    "healpix_graph",
    "knn_graph",
    "laplacian",
    "nearest_neighbours",
    "normalized_adjacency",
    "scaled_laplacian",
]
