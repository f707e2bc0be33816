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
from dlphys.layers.hexagonal import (
    HexConv2D,
    axial_to_offset,
    hexagon_mask,
    hexagonal_convolution,
    offset_to_axial,
    rotate_hexagon,
)
from dlphys.layers.locally_connected import LocallyConnected2D
from dlphys.layers.message_passing import MessagePassing
from dlphys.layers.periodic import PeriodicPadding2D
from dlphys.layers.shards import ShardSequence

__all__ = [
    "ChebyshevConvolution",
    "EdgeConv",
    "GraphConvolution",
    "HealpixConvolution",
    "HexConv2D",
    "LocallyConnected2D",
    "MessagePassing",
    "PeriodicPadding2D",
    "ShardSequence",
    "axial_to_offset",
    "healpix_centres",
    "healpix_graph",
    "hexagon_mask",
    "hexagonal_convolution",
    "knn_graph",
    "laplacian",
    "nearest_neighbours",
    "normalized_adjacency",
    "offset_to_axial",
    "rotate_hexagon",
    "scaled_laplacian",
]
