"""Every figure has a title, axis labels and an alternative text, and is drawn without a warning."""

import importlib
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dlphys import plotting
from dlphys.metrics import reliability

MODULES = ["training", "comparison", "tables", "physics", "images", "networks", "curves", "resolution", "reliability"]
RANDOM = np.random.default_rng(1)
TEMPERATURE = np.linspace(1.0, 3.5, 26)
ACCURACY = 1 - 0.4 * np.exp(-(((TEMPERATURE - 2.27) / 0.15) ** 2))
HISTORY = {"loss": [0.7, 0.4, 0.3], "val_loss": [0.8, 0.5, 0.45], "auc": [0.5, 0.8, 0.9]}
EPICENTRES = RANDOM.normal(0, 15, (40, 2))
STATIONS = np.array([(-10.0, 10.0), (10.0, 10.0), (-10.0, -10.0), (10.0, -10.0)])
SPINS = np.where(RANDOM.random((7, 16, 16, 1)) < 0.8, 1, -1)
SCORES = RANDOM.integers(3, 9, 4000)

FIGURES = {
    "training_curves": lambda **k: plotting.training_curves(HISTORY, **k),
    "training_curves with a metric": lambda **k: plotting.training_curves(HISTORY, metric="auc", log=True, **k),
    "training_curves of one epoch": lambda **k: plotting.training_curves({"loss": [0.5]}, unit="km$^2$", **k),
    "accuracy_by_temperature": lambda **k: plotting.accuracy_by_temperature(
        {"CNN": (TEMPERATURE, ACCURACY, 0.01 + 0 * ACCURACY)}, optimal=(TEMPERATURE, ACCURACY), **k
    ),
    "prediction_scatter": lambda **k: plotting.prediction_scatter(
        SCORES[:300], SCORES[:300] + RANDOM.normal(0, 1, 300), quantity="quality", **k
    ),
    "prediction_scatter of many": lambda **k: plotting.prediction_scatter(
        SCORES[:, None], SCORES + RANDOM.normal(0, 1, 4000), quantity="x", unit="km", **k
    ),
    "prediction_scatter of constants": lambda **k: plotting.prediction_scatter([5, 5], [5, 5], quantity="x", **k),
    "distance_histogram": lambda **k: plotting.distance_histogram(np.abs(EPICENTRES[:, 0]), sigma=12.0, **k),
    "distance_histogram of zeros": lambda **k: plotting.distance_histogram([0.0, 0.0], **k),
    "earthquake_map": lambda **k: plotting.earthquake_map(EPICENTRES, STATIONS, **k),
    "earthquake_map reconstructed": lambda **k: plotting.earthquake_map(
        EPICENTRES, STATIONS, reconstructed=EPICENTRES + 1, **k
    ),
    "lattices": lambda **k: plotting.lattices(SPINS, np.linspace(1, 3.5, 7), **k),
    "histograms": lambda **k: plotting.histograms(
        {"alcohol": RANDOM.normal(10, 1, 200), "quality": SCORES, "pH": np.full(9, 3.1)},
        units={"alcohol": "% vol"},
        **k,
    ),
    "correlations": lambda **k: plotting.correlations(["a", "b", "c"], [0.4, -0.3, 0.0], errors=[0.01] * 3, **k),
    "network": lambda **k: plotting.network([np.ones((2, 3)), -np.ones((3, 1))], outputs=["y"], **k),
    "network with activations": lambda **k: plotting.network(
        [np.zeros((2, 1))], activations=[[0.5, -1.0], [0.0]], inputs=["a", "b"], **k
    ),
    "image_row": lambda **k: plotting.image_row(RANDOM.random((10, 8, 8, 3)), list("0123456789"), **k),
    "lines": lambda **k: plotting.lines(
        [1, 2, 4],
        {"network": [3.0, 2.0, 1.5], "limit": [2.0, 1.0, 0.5]},
        errors={"network": [0.1, 0.1, 0.1]},
        dashed=["limit"],
        log_x=True,
        log_y=True,
        xlabel="events",
        ylabel="error (km)",
        **k,
    ),
    "lines, many points": lambda **k: plotting.lines(
        np.arange(100), {"a": np.sqrt(np.arange(100))}, errors={"a": np.ones(100)}, xlabel="x", ylabel="y", **k
    ),
}

RESOLUTION = ([0.01, 0.0, -0.01], [0.002, 0.001, 0.001], [0.06, 0.04, 0.03], [0.002, 0.001, 0.001])
FIGURES["resolution_and_bias"] = lambda **k: plotting.resolution_and_bias(
    [3, 10, 30, 100], {"network": RESOLUTION, "baseline": RESOLUTION}, dashed=["baseline"], **k
)
FIGURES["reliability_diagram"] = lambda **k: plotting.reliability_diagram(
    {
        "network": reliability(RANDOM.random(300), RANDOM.integers(0, 2, size=300)),
        "top class": reliability(RANDOM.dirichlet(np.ones(3), size=300), RANDOM.integers(0, 3, size=300)),
    },
    **k,
)


@pytest.fixture
def alternative_texts(monkeypatch):
    """The texts given to ``show`` while a test draws."""
    texts = []

    def show(alt, figure):
        texts.append(alt)
        plotting.show(alt, figure)

    for name in MODULES:
        monkeypatch.setattr(importlib.import_module(f"dlphys.plotting.{name}"), "show", show)
    return texts


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_title_labels_and_text_and_draws_without_a_warning(name, alternative_texts):
    """DESIGN section 5: title, axis labels, alternative text. Warnings are errors in this test run."""
    figure = FIGURES[name](title="The message of $T_c$")
    figure.canvas.draw()
    first = figure.axes[0]
    assert "The message of $T_c$" in (figure.get_suptitle(), first.get_title())
    assert any(ax.get_xlabel() for ax in figure.axes)  # panels above each other share one
    assert first.get_ylabel()
    (text,) = alternative_texts
    assert text.startswith("The message of T_c. ")
    assert re.search(r"\d", text), "a composed text tells numbers, not only the title"
    assert "$" not in text
    assert plt.get_fignums() == []


def test_every_drawing_function_is_drawn_by_a_test():
    drawing = {name for name in plotting.__all__ if name.islower()} - {"show"}
    assert drawing == {name.split()[0].rstrip(",") for name in FIGURES}


def test_a_given_text_replaces_the_composed_one(alternative_texts):
    plotting.training_curves(HISTORY, title="t", alt="Loss falls.")
    assert alternative_texts == ["Loss falls."]


def test_an_error_while_drawing_leaves_no_figure_open():
    with pytest.raises(ValueError, match="must have the same length"):
        plotting.lines([1, 2, 3], {"a": [1, 2]}, xlabel="x", ylabel="y", title="t")
    assert plt.get_fignums() == []


def test_training_curves_take_the_history_object_of_keras():
    """keras.callbacks.History keeps its lists in the attribute ``history``."""
    history = type("History", (), {"history": HISTORY})()
    figure = plotting.training_curves(history, title="t")
    training, validation = figure.axes[0].get_lines()
    assert list(training.get_ydata()) == HISTORY["loss"]
    assert list(training.get_xdata()) == [1, 2, 3]
    assert list(validation.get_ydata()) == HISTORY["val_loss"]


def test_the_optimal_classifier_is_named_a_curve_and_drawn_dashed():
    """DESIGN section 3: per temperature it is a curve to compare with, not a limit."""
    figure = FIGURES["accuracy_by_temperature"](title="t")
    (curve,) = [line for line in figure.axes[0].get_lines() if line.get_label() == "optimal classifier (curve)"]
    assert curve.get_linestyle() == "--"


def test_the_critical_temperature_is_marked_where_onsager_has_it():
    """sinh(2 / T_c) = 1, Phys. Rev. 65 (1944) 117."""
    figure = FIGURES["accuracy_by_temperature"](title="t")
    (line,) = [line for line in figure.axes[0].get_lines() if line.get_linestyle() == ":"]
    assert np.sinh(2 / line.get_xdata()[0]) == pytest.approx(1, abs=1e-12)


def test_the_rayleigh_curve_has_the_area_of_the_histogram():
    """Both count events: the integral of the curve over a bin width is the number of events."""
    figure = plotting.distance_histogram(RANDOM.rayleigh(0.2, 2000), sigma=0.2, title="t")
    ax = figure.axes[0]
    (curve,) = ax.get_lines()[:1]
    width = ax.patches[0].get_width()
    assert np.trapezoid(curve.get_ydata(), curve.get_xdata()) / width == pytest.approx(2000, rel=0.01)
    assert sum(bar.get_height() for bar in ax.patches) == 2000


def test_outliers_are_counted_where_they_are_not_drawn(alternative_texts):
    plotting.distance_histogram(np.r_[np.full(99, 1.0), 1000.0], title="t")
    assert "1 events lie beyond 5 km" in alternative_texts[0]


def test_resolution_is_drawn_in_per_cent_at_the_geometric_centre_of_each_bin():
    figure = plotting.resolution_and_bias([1, 4, 9], {"a": ([0, 0.1], [0, 0], [0.2, 0.1], [0, 0])}, title="t")
    upper, lower = (ax.get_lines()[0] for ax in figure.axes)
    assert upper.get_xdata() == pytest.approx([2, 6])
    assert upper.get_ydata() == pytest.approx([20, 10])
    assert lower.get_ydata() == pytest.approx([0, 10])


def test_points_of_whole_truths_are_spread_by_less_than_half_a_unit():
    figure = FIGURES["prediction_scatter"](title="t")
    x = figure.axes[0].get_lines()[0].get_xdata()
    assert (np.round(x) == SCORES[:300]).all()
    assert len(np.unique(x)) == 300


def test_correlations_are_sorted_with_the_largest_on_top():
    figure = plotting.correlations(["low", "high", "middle"], [-0.5, 0.6, 0.1], title="t")
    ax = figure.axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["low", "middle", "high"]
    assert [bar.get_width() for bar in ax.patches] == [-0.5, 0.1, 0.6]


def test_a_network_draws_sign_by_colour_and_dashes_and_size_by_width():
    figure = plotting.network([np.array([[1.0], [-2.0]])], title="t")
    (lines,) = figure.axes[0].collections[:1]
    assert list(lines.get_linewidths()) == [2.25, 4.5]
    assert (lines.get_edgecolors()[0] != lines.get_edgecolors()[1]).any()
    solid, dashed = lines.get_linestyles()
    assert solid[1] is None
    assert dashed[1] is not None


def test_whole_numbers_get_one_bin_each():
    figure = plotting.histograms({"quality": [3, 4, 4, 9]}, title="t")
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [1, 2, 0, 0, 0, 0, 1]


def test_a_reliability_diagram_has_the_diagonal_the_frequencies_and_the_events():
    result = reliability([0.1, 0.3, 0.7, 0.9, 0.9], [0, 1, 1, 1, 0], 2)
    figure = plotting.reliability_diagram({"network": result}, title="t")
    upper, lower = figure.axes
    diagonal, points = upper.get_lines()[:2]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    assert points.get_xdata() == pytest.approx(result.confidence)
    assert points.get_ydata() == pytest.approx(result.frequency)
    assert lower.get_lines()[0].get_ydata() == pytest.approx([2, 3])
    assert "calibration error 0.220" in upper.get_legend().get_texts()[1].get_text()
