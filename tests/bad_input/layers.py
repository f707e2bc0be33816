"""Arguments that the layers must refuse."""

import numpy as np

from dlphys import layers

DIRECTED = [[0, 1], [0, 0]]
POINTS = np.zeros((1, 4, 3))

SQUARE = np.zeros((2, 5, 5))

CASES = [
    (layers.PeriodicPadding2D, (-1,), {}, ValueError, r"padding must be at least 0, got -1"),
    (layers.PeriodicPadding2D, (1.5,), {}, TypeError, r"padding must be a whole number, got 1.5"),
    (layers.PeriodicPadding2D, ((1, 2, 3),), {}, ValueError, r"padding must be a whole number, two of them"),
    (layers.PeriodicPadding2D, (((1, 2, 3), 1),), {}, ValueError, r"padding must be one whole number or two"),
    (layers.LocallyConnected2D, (0, 3), {}, ValueError, r"filters must be at least 1, got 0"),
    (layers.LocallyConnected2D, (4, "3"), {}, TypeError, r"kernel_size must be a whole number"),
    (layers.LocallyConnected2D, (4, (3, 3, 3)), {}, ValueError, r"kernel_size must be one whole number or two"),
    (layers.LocallyConnected2D, (4, 3), {"strides": 0}, ValueError, r"strides must be at least 1, got 0"),
    (layers.EdgeConv, (0,), {}, ValueError, r"kernel must be at least 1, got 0"),
    (layers.EdgeConv, ([],), {}, ValueError, r"kernel must hold at least one width"),
    (layers.EdgeConv, ("relu",), {}, TypeError, r"kernel must be a whole number, got 'relu'"),
    (layers.EdgeConv, (8,), {"k": 0}, ValueError, r"k must be at least 1, got 0"),
    (layers.EdgeConv, (8,), {"aggregation": "median"}, ValueError, r"aggregation must be one of 'mean', 'sum', 'max'"),
    (layers.EdgeConv, (8,), {"edge": "angle"}, ValueError, r"edge must be one of 'full', 'difference', 'distance'"),
    (layers.GraphConvolution, (0,), {}, ValueError, r"units must be at least 1, got 0"),
    (layers.GraphConvolution, (2.5,), {}, TypeError, r"units must be a whole number, got 2.5"),
    (layers.ChebyshevConvolution, (4,), {"order": 0}, ValueError, r"order must be at least 1, got 0"),
    (layers.ChebyshevConvolution, ("4",), {}, TypeError, r"units must be a whole number, got '4'"),
    (layers.MessagePassing, ([],), {}, ValueError, r"message must hold at least one width"),
    (layers.MessagePassing, (4,), {"update": -1}, ValueError, r"update must be at least 1, got -1"),
    (layers.MessagePassing, (4,), {"aggregation": "product"}, ValueError, r"aggregation must be one of"),
    (layers.HealpixConvolution, (4,), {"nside": 0}, ValueError, r"nside must be between 1 and 16, got 0"),
    (layers.HealpixConvolution, (4,), {"nside": 32}, ValueError, r"nside must be between 1 and 16, got 32"),
    (layers.healpix_centres, (2.0,), {}, TypeError, r"nside must be a whole number, got 2.0"),
    (layers.healpix_centres, (129,), {}, ValueError, r"nside must be between 1 and 128, got 129"),
    (layers.healpix_graph, (0,), {}, ValueError, r"nside must be between 1 and 16, got 0"),
    (layers.healpix_graph, (1,), {"neighbours": 12}, ValueError, r"neighbours must be between 1 and 11, got 12"),
    (layers.knn_graph, (POINTS, 4), {}, ValueError, r"k must be below the 4 points, since none is its own neighbour"),
    (layers.knn_graph, (POINTS, 1.0), {}, TypeError, r"k must be a whole number, got 1.0"),
    (layers.knn_graph, (POINTS[0, 0], 1), {}, ValueError, r"points must have 2 or 3 axes, got shape \(3,\)"),
    (layers.knn_graph, (POINTS * np.nan, 1), {}, ValueError, r"points must be finite, got 12 entries"),
    (layers.nearest_neighbours, (POINTS, 4), {}, ValueError, r"k must be below the 4 points"),
    (layers.nearest_neighbours, (POINTS[0], 1), {}, ValueError, r"points must have shape \(n, p, d\), got \(4, 3\)"),
    (layers.normalized_adjacency, (DIRECTED,), {}, ValueError, r"adjacency must be symmetric, got a directed graph"),
    (layers.normalized_adjacency, ([[0, -1], [-1, 0]],), {}, ValueError, r"adjacency must lie in \[0, inf\], got -1"),
    (layers.laplacian, (np.ones((2, 3)),), {}, ValueError, r"adjacency must have shape \(n, n\), got \(2, 3\)"),
    (layers.laplacian, ("chain",), {}, TypeError, r"adjacency must be an array of numbers, got 'chain'"),
    (layers.scaled_laplacian, (np.eye(2),), {}, ValueError, r"adjacency must hold at least one edge between two nodes"),
    (
        layers.scaled_laplacian,
        ([[0, 1], [1, 0]],),
        {"largest": 3.0},
        ValueError,
        r"largest must be in \(0, 2\], got 3.0",
    ),
    (layers.HexConv2D, (0,), {}, ValueError, r"filters must be at least 1, got 0"),
    (layers.HexConv2D, (4, 1.5), {}, TypeError, r"radius must be a whole number, got 1.5"),
    (layers.HexConv2D, (4, -1), {}, ValueError, r"radius must be at least 0, got -1"),
    (layers.HexConv2D, (4,), {"domain": "circle"}, ValueError, r"domain must be one of 'hexagon', 'array'"),
    (layers.hexagon_mask, (-1,), {}, ValueError, r"radius must be at least 0, got -1"),
    (layers.rotate_hexagon, (SQUARE, 0.5), {}, TypeError, r"turns must be a whole number, got 0.5"),
    (layers.rotate_hexagon, (np.zeros((2, 4, 4)),), {}, ValueError, r"maps must have a shape .* got \(2, 4, 4\)"),
    (layers.rotate_hexagon, ([["a"]],), {}, TypeError, r"maps must be an array of numbers"),
    (layers.offset_to_axial, (np.zeros((5, 5)),), {}, ValueError, r"maps must have a shape .* got \(5, 5\)"),
    (layers.axial_to_offset, (np.zeros((1, 5, 3)),), {}, ValueError, r"with an odd side, got \(1, 5, 3\)"),
    (
        layers.hexagonal_convolution,
        (np.zeros((4, 4, 1)), np.zeros((7, 1, 1))),
        {},
        ValueError,
        r"maps must be square with an odd side",
    ),
    (
        layers.hexagonal_convolution,
        (np.zeros((5, 5, 1)), np.zeros((9, 1, 1))),
        {},
        ValueError,
        r"kernel must have a row for each cell .* got shape \(9, 1, 1\)",
    ),
]
