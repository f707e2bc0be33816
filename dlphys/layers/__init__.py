"""Keras layers that Keras lacks: for grids with a symmetry of their own, graphs, uncertainties and generative models.

Beside them stand the losses and predictions that belong to them, and batches from many files.

Layers are written with ``keras.ops``, so that they run on every backend. A saved model finds them again once this
package is imported.
"""

import dlphys._keras  # noqa: F401 - imports Keras quietly, before the layers do
from dlphys.layers.adversarial import MinibatchStandardDeviation, gradient_penalty
from dlphys.layers.bayesian import BayesianDense, MonteCarloDropout
from dlphys.layers.decorrelation import distance_correlation_penalty
from dlphys.layers.densities import (
    MixtureDensity,
    MixtureParameters,
    gaussian_negative_log_likelihood,
    mixture_density_loss,
    mixture_parameters,
)
from dlphys.layers.edge_convolution import EdgeConv
from dlphys.layers.flows import AffineCoupling, Flow, MaskedAutoregressive
from dlphys.layers.gradient_reversal import GradientReversal
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
from dlphys.layers.robust import AdaptiveRobustLoss, robust_log_normalisation, robust_loss
from dlphys.layers.sampling import predict_samples, set_sampling
from dlphys.layers.shards import ShardSequence

__all__ = [
    "AdaptiveRobustLoss",
    "AffineCoupling",
    "BayesianDense",
    "ChebyshevConvolution",
    "EdgeConv",
    "Flow",
    "GradientReversal",
    "GraphConvolution",
    "HealpixConvolution",
    "HexConv2D",
    "LocallyConnected2D",
    "MaskedAutoregressive",
    "MessagePassing",
    "MinibatchStandardDeviation",
    "MixtureDensity",
    "MixtureParameters",
    "MonteCarloDropout",
    "PeriodicPadding2D",
    "ShardSequence",
    "axial_to_offset",
    "distance_correlation_penalty",
    "gaussian_negative_log_likelihood",
    "gradient_penalty",
    "healpix_centres",
    "healpix_graph",
    "hexagon_mask",
    "hexagonal_convolution",
    "knn_graph",
    "laplacian",
    "mixture_density_loss",
    "mixture_parameters",
    "nearest_neighbours",
    "normalized_adjacency",
    "offset_to_axial",
    "predict_samples",
    "robust_log_normalisation",
    "robust_loss",
    "rotate_hexagon",
    "scaled_laplacian",
    "set_sampling",
]
