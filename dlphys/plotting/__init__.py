"""Figures for notebooks: one style, colours that all eyes can tell apart, and a text beside every picture.

Importing this package sets matplotlib's style. Every function draws one kind of figure, shows it with an alternative
text and returns it. A notebook's own matplotlib code ends with ``plotting.show("what the figure says")``.
"""

import matplotlib.style

from dlphys.plotting.comparison import accuracy_by_temperature, distance_histogram, prediction_scatter
from dlphys.plotting.curves import lines
from dlphys.plotting.display import show
from dlphys.plotting.images import image_row
from dlphys.plotting.networks import network
from dlphys.plotting.physics import earthquake_map, lattices
from dlphys.plotting.reliability import reliability_diagram
from dlphys.plotting.resolution import resolution_and_bias
from dlphys.plotting.style import BACKGROUND, COLOURS, GREY, INK, STYLE
from dlphys.plotting.tables import correlations, histograms
from dlphys.plotting.training import training_curves

__all__ = [
    "BACKGROUND",
    "COLOURS",
    "GREY",
    "INK",
    "accuracy_by_temperature",
    "correlations",
    "distance_histogram",
    "earthquake_map",
    "histograms",
    "image_row",
    "lattices",
    "lines",
    "network",
    "prediction_scatter",
    "reliability_diagram",
    "resolution_and_bias",
    "show",
    "training_curves",
]

matplotlib.style.use(STYLE)
