"""Arguments that the layers must refuse."""

from dlphys import layers

CASES = [
    (layers.PeriodicPadding2D, (-1,), {}, ValueError, r"padding must be at least 0, got -1"),
    (layers.PeriodicPadding2D, (1.5,), {}, TypeError, r"padding must be a whole number, got 1.5"),
    (layers.PeriodicPadding2D, ((1, 2, 3),), {}, ValueError, r"padding must be a whole number, two of them"),
    (layers.PeriodicPadding2D, (((1, 2, 3), 1),), {}, ValueError, r"padding must be one whole number or two"),
    (layers.LocallyConnected2D, (0, 3), {}, ValueError, r"filters must be at least 1, got 0"),
    (layers.LocallyConnected2D, (4, "3"), {}, TypeError, r"kernel_size must be a whole number"),
    (layers.LocallyConnected2D, (4, (3, 3, 3)), {}, ValueError, r"kernel_size must be one whole number or two"),
    (layers.LocallyConnected2D, (4, 3), {"strides": 0}, ValueError, r"strides must be at least 1, got 0"),
]
