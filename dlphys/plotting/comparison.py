"""Predictions beside the truth, and classifiers beside the optimal one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from dlphys._validation import check_number, shown
from dlphys.plotting._canvas import bin_edges, canvas, check_mapping, check_same_length, labelled, vector, whole
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.style import COLOURS, GREY, INK, MARKERS

__all__ = ["accuracy_by_temperature", "distance_histogram", "prediction_scatter"]

_T_C = 2 / np.log(1 + np.sqrt(2))  # Onsager, Phys. Rev. 65 (1944) 117; in units of J / k_B


def accuracy_by_temperature(
    classifiers: Mapping[str, Any], *, optimal: Any = None, title: str, alt: str | None = None
) -> Figure:
    """Accuracy of classifiers of Ising lattices against temperature, with error bars.

    Parameters
    ----------
    classifiers : dict, name -> (temperature, accuracy, error)
        Three arrays of shape (n,); temperature in J / k_B, accuracy and error as fractions.
    optimal : (temperature, accuracy), optional
        The optimal classifier at each temperature: a curve to compare with, not a limit at a single temperature.
    title : str
    alt : str, optional
        Alternative text; by default made from the title and the classifiers.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        No classifier, entries that are not three arrays of one length, accuracies outside [0, 1].

    Examples
    --------
    >>> curve = ([2.0, 2.3, 2.6], [1.0, 0.8, 1.0], [0.01, 0.02, 0.01])
    >>> figure = accuracy_by_temperature({"CNN": curve}, title="Hard near $T_c$")
    >>> figure.axes[0].get_xlabel()
    'temperature ($J/k_B$)'
    """
    check_text(title=title)
    figure, axes = canvas(width=7.0, height=4.2)
    ax = axes[0, 0]
    sentences = []
    lowest = 1.0
    for i, (name, entry) in enumerate(check_mapping(classifiers=classifiers).items()):
        temperature, accuracy, error = _columns(f"classifiers[{name!r}]", entry, ("temperature", "accuracy", "error"))
        ax.errorbar(
            temperature,
            accuracy,
            error,
            fmt=MARKERS[i % len(MARKERS)] + "-",
            color=COLOURS[i % len(COLOURS)],
            lw=1,
            elinewidth=1,
            label=str(name),
        )
        worst = int(accuracy.argmin())
        lowest = min(lowest, float((accuracy - error).min()))
        sentences.append(
            f"{name}: {accuracy.mean():.3f} on average, "
            f"lowest {accuracy[worst]:.3f} at temperature {temperature[worst]:.2g}"
        )
    if optimal is not None:
        temperature, accuracy = _columns("optimal", optimal, ("temperature", "accuracy"))
        ax.plot(temperature, accuracy, "--", color=INK, lw=1.5, zorder=3, label="optimal classifier (curve)")
        lowest = min(lowest, float(accuracy.min()))
        sentences.append(f"optimal classifier, dashed: {accuracy.mean():.3f} on average")
    ax.axvline(_T_C, color=GREY, lw=1, ls=":")
    ax.text(_T_C, 0.02, " $T_c$", color=GREY, transform=ax.get_xaxis_transform())
    ax.set(xlabel="temperature ($J/k_B$)", ylabel="accuracy (fraction correct)", title=title)
    ax.set_ylim(max(0.0, lowest - 0.06), 1.02)
    ax.legend(loc="lower left")
    show(f"{plain(title)}. Accuracy against temperature. {'; '.join(sentences)}." if alt is None else alt, figure)
    return figure


def prediction_scatter(
    truth: Any, prediction: Any, *, quantity: str, unit: str = "", title: str, alt: str | None = None
) -> Figure:
    """Prediction against truth with the diagonal; a two-dimensional histogram where there are many events.

    Truths that are a few whole numbers (a quality score) are spread sideways, so that points do not hide each other.

    Parameters
    ----------
    truth, prediction : array, (n,) or (n, 1), in ``unit``
    quantity : str
        What is predicted.
    unit : str
    title : str
    alt : str, optional
        Alternative text; by default made from the title, the correlation and the spread.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Arrays of different length or with entries that are not finite.

    Examples
    --------
    >>> figure = prediction_scatter([5, 6, 7], [5.2, 5.9, 6.5], quantity="quality", title="Wine")
    >>> figure.axes[0].get_ylabel()
    'predicted quality'
    """
    check_text(title=title)
    check_text(quantity=quantity)
    truth, prediction = vector(truth=truth), vector(prediction=prediction)
    check_same_length(truth=truth, prediction=prediction)
    figure, axes = canvas(width=5.6, height=4.6)
    ax = axes[0, 0]
    low, high = min(truth.min(), prediction.min()), max(truth.max(), prediction.max())
    margin = 0.05 * (high - low) or 1.0
    integer = whole(truth)
    if len(truth) > 3000:
        edges = bin_edges(truth, bins=60)
        _, _, _, image = ax.hist2d(
            truth, prediction, bins=(edges, bin_edges(prediction, bins=60)), cmap="viridis", norm="log", cmin=1
        )
        figure.colorbar(image, ax=ax, label="events per bin")
    else:
        # multiples of the golden ratio fill the width evenly, without a random number
        spread = (np.arange(len(truth)) * 0.6180339887 % 1 - 0.5) * 0.7 if integer else 0.0
        ax.plot(truth + spread, prediction, "o", ms=3, alpha=0.5, mew=0, color=COLOURS[0], label="events")
    ax.plot([low - margin, high + margin], [low - margin, high + margin], "--", color=INK, lw=1.2, label="exact")
    ax.set(
        xlabel=labelled(f"true {quantity}", unit),
        ylabel=labelled(f"predicted {quantity}", unit),
        title=title,
        ylim=(low - margin, high + margin),
        xlim=(truth.min() - max(margin, 0.6 * integer), truth.max() + max(margin, 0.6 * integer)),
    )
    if integer and np.ptp(truth) <= 12:
        ax.set_xticks(np.unique(truth))
    ax.legend(loc="upper left")
    words = f"predicted against true {quantity} of {len(truth)} events"
    if truth.std() > 0 and prediction.std() > 0:
        words += f", correlation {np.corrcoef(truth, prediction)[0, 1]:.3f}"
    spread_text = f"standard deviation of the difference {(prediction - truth).std():.3g}{unit and ' ' + unit}"
    show(f"{plain(title)}. {words.capitalize()}, {spread_text}." if alt is None else alt, figure)
    return figure


def distance_histogram(
    distance: Any, *, sigma: float | None = None, title: str, unit: str = "km", alt: str | None = None
) -> Figure:
    r"""Histogram of distances between prediction and truth, with the Rayleigh distribution.

    Two independent Gaussian errors of standard deviation :math:`\sigma` give distances distributed as
    :math:`p(r) = r / \sigma^2 \, \exp(-r^2 / 2 \sigma^2)`.

    Parameters
    ----------
    distance : array, (n,), in ``unit``
    sigma : float, optional, in ``unit``
        Draws the Rayleigh curve for it.
    title : str
    unit : str
    alt : str, optional
        Alternative text; by default made from the title and the mean distance.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Negative distances, ``sigma`` not above zero.

    Examples
    --------
    >>> figure = distance_histogram([0.1, 0.2, 0.4], sigma=0.2, title="How far off")
    >>> figure.axes[0].get_xlabel()
    'distance to the truth (km)'
    """
    check_text(title=title)
    distance = vector(distance=distance, minimum=0, unit=unit)
    # a few outliers must not squeeze the bulk into one bin
    high = min(float(distance.max()), 5 * float(np.median(distance))) or 1.0
    edges = np.linspace(0, high, 41)
    width = edges[1] - edges[0]
    figure, axes = canvas(width=6.0, height=3.9)
    ax = axes[0, 0]
    ax.hist(distance, edges, color=COLOURS[0], alpha=0.75, label="events")
    words = f"histogram of {len(distance)} distances to the truth, mean {distance.mean():.3g} {unit}"
    if sigma is not None:
        sigma = check_number(sigma=sigma, minimum=0, exclusive=True, unit=unit)
        r = np.linspace(0, high, 300)
        density = r / sigma**2 * np.exp(-(r**2) / (2 * sigma**2))
        label = f"Rayleigh, $\\sigma$ = {sigma:.3g} {unit}"
        ax.plot(r, len(distance) * width * density, color=COLOURS[1], label=label)
        words += f", with the Rayleigh curve for sigma = {sigma:.3g} {unit}"
    beyond = int((distance > high).sum())
    if beyond:
        words += f"; {beyond} events lie beyond {high:.3g} {unit}"
        ax.plot([], [], " ", label=f"{beyond} beyond {high:.3g} {unit}")
    ax.set(
        xlabel=labelled("distance to the truth", unit),
        ylabel=f"events per bin of {width:.2g} {unit}",
        title=title,
        xlim=(0, high),
    )
    ax.legend()
    show(f"{plain(title)}. {words[0].upper()}{words[1:]}." if alt is None else alt, figure)
    return figure


def _columns(argument: str, entry: Any, names: tuple[str, ...]) -> list[np.ndarray]:
    """The arrays of one curve: as many as ``names``, of one length, fractions where they are fractions."""
    if not isinstance(entry, tuple | list) or len(entry) != len(names):
        raise ValueError(f"{argument} must be the {len(names)} arrays ({', '.join(names)}), got {shown(entry)}")
    limits = {"accuracy": (0.0, 1.0), "error": (0.0, np.inf)}
    columns: dict[str, Any] = {}
    for name, value in zip(names, entry, strict=True):
        low, high = limits.get(name, (-np.inf, np.inf))
        columns[f"{name} of {argument}"] = vector(
            minimum=low, maximum=high, unit="", **{f"{name} of {argument}": value}
        )
    check_same_length(**columns)
    return list(columns.values())
