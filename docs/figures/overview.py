"""The picture of the README: trains the reference networks of chapters 7 and 8 and draws what they reach.

python docs/figures/overview.py
"""

from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

from dlphys import datasets, metrics, plotting  # noqa: F401 - plotting applies the style
from dlphys.checks import references
from dlphys.simulators import earthquakes, ising

SEED = 1


def lattices(axes: np.ndarray) -> None:
    """Three lattices of 128 x 128 spins, below, at and above the critical temperature."""
    temperatures = [1.8, ising.CRITICAL_TEMPERATURE, 3.0]
    sample = ising.simulate(3, size=128, temperature=temperatures, algorithm="swendsen-wang", sweeps=300, seed=SEED)
    for axis, spins, temperature in zip(axes, sample.spins, sample.temperature, strict=True):
        axis.imshow(spins, cmap="cividis", interpolation="nearest")
        axis.set(xticks=[], yticks=[], title=f"$T = {temperature:.2f}\\,J/k$")


def accuracy(axis: plt.Axes) -> None:
    """Accuracy against temperature of two networks, beside the optimal classifier."""
    data = datasets.load_ising(seed=SEED)
    truth, temperature = data.y_test, data.extra_test["temperature"]
    cnn = references.load("8.1a")()
    cnn = references.load("8.1b")(cnn, data.x_train, data.y_train, data.x_validation, data.y_validation, 4)
    dense = references.load("7.1c")(data.x_train, data.y_train, 20, SEED)
    table = references.load("8.1c")
    for name, network, marker in [("convolutional network", cnn, "o"), ("dense network", dense, "s")]:
        predicted = network.predict(data.x_test, batch_size=500, verbose=0)[:, 0] > 0.5
        t, a, error = table(predicted, truth, temperature)
        overall, _ = metrics.accuracy_with_error(predicted == truth)
        axis.errorbar(t, a, error, fmt=marker, markersize=4, label=f"{name}, {overall:.1%}")
    optimal = ising.bayes_accuracy()
    label = f"optimal classifier, {optimal.mean():.1%}"
    axis.plot(ising.COURSE_TEMPERATURES, optimal, "--", color="black", label=label)
    axis.axvline(ising.CRITICAL_TEMPERATURE, color="grey", linewidth=1)
    axis.set(
        xlabel="temperature ($J/k$)",
        ylabel="accuracy",
        xlim=(1.65, 3.05),
        title="Near $T_c$ even the optimal classifier must guess",
    )
    axis.legend(loc="lower right")


def distances(axis: plt.Axes) -> None:
    """Distances between true and reconstructed epicentres."""
    quakes = datasets.load_earthquakes(seed=SEED)
    train = references.load("M7.1b")
    network = train(quakes.x_train, quakes.y_train, (quakes.x_validation, quakes.y_validation), 50)
    found = network.predict(quakes.x_test, batch_size=1000, verbose=0)
    fit = earthquakes.triangulate(quakes.x_test)
    bins = np.linspace(0, 500, 51)
    for name, places, style in [
        ("network", found, {"histtype": "stepfilled", "alpha": 0.8}),
        ("least squares, clocks trusted", fit, {"histtype": "step", "linewidth": 2}),
    ]:
        distance = 1000 * np.linalg.norm(places - quakes.y_test, axis=1)
        axis.hist(distance, bins, label=f"{name}, mean {distance.mean():.0f} m", **style)
    axis.set(
        xlabel="distance from the true epicentre (m)",
        ylabel="earthquakes per 10 m",
        title="A network learns what the textbook formula does not know",
    )
    axis.legend()


def main() -> None:
    keras.utils.set_random_seed(SEED)
    figure = plt.figure(figsize=(13, 3.9), dpi=110)
    grid = figure.add_gridspec(3, 3, width_ratios=[0.36, 1.5, 1.5])
    lattices(np.array([figure.add_subplot(grid[row, 0]) for row in range(3)]))
    accuracy(figure.add_subplot(grid[:, 1]))
    distances(figure.add_subplot(grid[:, 2]))
    figure.savefig(Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main()
