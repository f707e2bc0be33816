"""One style for every figure: an opaque light background, colours that all eyes can tell apart."""

from __future__ import annotations

from typing import Any

from cycler import cycler

__all__ = ["BACKGROUND", "COLOURS", "GREY", "INK", "MARKERS", "STYLE"]

BACKGROUND = "#fbfaf7"  # opaque, so that dark text stays readable on a dark JupyterLab theme
INK = "#222222"
GREY = "#6b6b6b"  # for what a result is compared with

# Okabe and Ito, Color Universal Design (2008), without the yellow, which vanishes on a light ground
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")  # colour never tells things apart alone

STYLE: dict[str, Any] = {
    "figure.figsize": (6.4, 4.0),
    "figure.dpi": 110,
    "figure.facecolor": BACKGROUND,
    "figure.constrained_layout.use": True,
    "figure.titlesize": 12.5,
    "savefig.facecolor": "auto",
    "savefig.transparent": False,
    "axes.facecolor": BACKGROUND,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.titlesize": 12.5,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": True,
    "legend.facecolor": BACKGROUND,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "errorbar.capsize": 2,
    "image.cmap": "viridis",
    "image.interpolation": "nearest",
    "font.size": 10.5,
}
