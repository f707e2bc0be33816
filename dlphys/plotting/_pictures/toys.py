"""Pictures of the toys."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from dlphys.plotting.style import BACKGROUND, COLOURS, GREY, INK

CLASSES = LinearSegmentedColormap.from_list("classes", [COLOURS[0], BACKGROUND, COLOURS[1]])


def planes(figure: Any) -> str:
    """Points of all kinds over the optimal probability."""
    from dlphys.simulators import toys

    axes = figure.subplots(1, 6)
    for ax, kind in zip(axes, toys.PLANES, strict=True):
        noise = 0.3 if kind == "checkerboard" else None
        points = toys.simulate(300, kind=kind, noise=noise, seed=1)
        _background(ax, kind, noise, points.x)
        _classes(ax, points, 1.8)
        ax.set(xticks=[], yticks=[], aspect="equal")
        ax.set_title(kind, fontsize=9)
    figure.suptitle("Two classes whose border is no line, with the exact probability behind the points", fontsize=10.5)
    return (
        "Six panels of points of two classes: checkerboard, XOR, moons, circles, rings and spirals; the colour of the "
        "ground is the exact probability of either class."
    )


def checkerboard(figure: Any) -> str:
    """Without noise and with 50 %."""
    from dlphys.simulators import toys

    for ax, noise in zip(figure.subplots(1, 2, sharey=True), (0.0, 0.5), strict=True):
        points = toys.simulate(400, noise=noise, seed=1)
        _background(ax, "checkerboard", noise, points.x)
        _classes(ax, points, 2.8)
        limit = toys.optimal_accuracy(noise=noise)
        ax.set_title(f"noise {noise:.0%}: best accuracy {limit:.3g}", fontsize=10.5)
        ax.set(xlabel="$x_1$", xticks=[-5, 0, 5], yticks=[-5, 0, 5], aspect="equal")
    figure.axes[0].set_ylabel("$x_2$")
    figure.axes[1].legend(fontsize=8.5, loc="upper left", bbox_to_anchor=(1.02, 1), markerscale=2)
    return (
        "Points on four squares; class 1 where both coordinates have the same sign. With 50 % noise points near the "
        "axes have labels of either class."
    )


def interpolation(figure: Any) -> str:
    """The book's function and its noisy points."""
    from dlphys.simulators import toys

    ax = figure.subplots()
    points = toys.simulate_interpolation(1000, seed=1)
    x = np.linspace(-10, 10, 1000)
    ax.plot(points.x, points.y, "o", ms=2, mew=0, color=COLOURS[0], label="points with noise of 1")
    ax.plot(x, toys.curve(x), color=INK, lw=1.6, label="the function")
    ax.set(xlabel="x", ylabel="y", title="To be found from noisy points: a kink at 0 and six peaks")
    ax.legend(fontsize=9, loc="upper left")
    return "A thousand noisy points between -10 and 10 and the function behind them, with six peaks and a kink at zero."


def mixtures(figure: Any) -> str:
    """Four mixtures as points."""
    from dlphys.simulators import toys

    for ax, kind in zip(figure.subplots(1, 4), ("ring", "cross", "two classes", "hidden correlation"), strict=True):
        points = toys.simulate_mixture(1500, kind=kind, seed=1)
        colours = np.array((*COLOURS, GREY, INK))[points.label] if kind == "ring" else None
        if colours is None:
            colours = np.where(points.label == 1, COLOURS[1], COLOURS[0])
        ax.scatter(*points.x.T, s=2.5, c=colours, linewidth=0)
        ax.set_title(kind, fontsize=9.5)
        ax.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xlabel="$x_1$", xticks=[-3, 0, 3], yticks=[-3, 0, 3])
    figure.axes[0].set_ylabel("$x_2$")
    figure.suptitle("Mixtures of Gaussians: density, score and best classifier are exact", fontsize=10.5)
    return (
        "Points of four mixtures in the plane: eight narrow modes on a ring, a cross of two long Gaussians, two "
        "classes side by side, and a class that differs by its correlation only."
    )


def planing(figure: Any) -> str:
    """The mass of both classes, and of the background after cuts on three optimal classifiers."""
    from dlphys.simulators import toys

    table = toys.simulate_planing(60_000, seed=1)
    label, mass = table.label == 1, table.x[:, 0]
    first, second = figure.subplots(1, 2)
    bins = np.linspace(50, 300, 51)
    first.hist(mass[~label], bins, histtype="step", lw=1.6, color=COLOURS[0], label="background")
    first.hist(mass[label], bins, histtype="step", lw=1.6, ls="--", color=COLOURS[1], label="signal")
    first.set(xlabel="feature 0, mass (GeV)", ylabel="events per 5 GeV")
    first.set_title("The mass tells the classes apart", fontsize=10.5)
    first.legend(fontsize=8.5)
    second.hist(mass[~label], bins, density=True, color=GREY, alpha=0.35, label="no cut")
    for ratio, name, colour, style in (
        (toys.planing_log_ratio, "all features", COLOURS[1], "--"),
        (toys.planing_blind_log_ratio, "without the mass", COLOURS[2], ":"),
        (toys.planing_flat_log_ratio, "flat in the mass", COLOURS[0], "-"),
    ):
        score = ratio(table.x[~label])
        chosen = mass[~label][score > np.quantile(score, 0.9)]
        second.hist(chosen, bins, density=True, histtype="step", lw=1.6, ls=style, color=colour, label=name)
    second.set(xlabel="mass of background (GeV)", ylabel="density (1/GeV)")
    second.set_title("Background, best 10 %", fontsize=10.5)
    second.legend(fontsize=8)
    return (
        "Left: the mass falls in the background and peaks at 125 GeV in the signal. Right: background after cuts "
        "that keep 10 %: optimal classifiers with all features and without the mass make a peak, the one that is flat "
        "in the mass leaves its distribution as it was."
    )


def weak_labels(figure: Any) -> str:
    """Contaminated samples, and bags."""
    from dlphys.simulators import toys

    first, second = figure.subplots(1, 2)
    points = toys.simulate_contaminated(20_000, a0=0.2, a1=0.4, seed=1)
    bins = np.linspace(-4, 5.5, 40)
    for c, colour, style in ((0, COLOURS[0], "--"), (1, COLOURS[1], "-")):
        x = points.x[:, 0]
        first.hist(x[points.label == c], bins, density=True, color=colour, alpha=0.25, label=f"true class {c}")
        first.hist(x[points.observed == c], bins, density=True, histtype="step", lw=1.6, ls=style, color=colour,
                   label=f"labelled {c}")  # fmt: skip
    first.set(xlabel="$x_1$", ylabel="density")
    first.set_title("Wrong labels make classes alike", fontsize=10.5)
    first.legend(fontsize=8)
    bags = toys.simulate_bags(12, size=20, seed=1)
    for i in range(12):
        for c, colour, marker in ((0, COLOURS[0], "o"), (1, COLOURS[1], "s")):
            own = bags.x[i][bags.label[i] == c]
            second.plot(own[:, 0], np.full(len(own), i), marker, ms=3, mew=0, color=colour)
    second.set(xlabel="$x_1$", ylabel="bag", yticks=[0, 5, 10])
    second.set_title("Bags with 20 % or 80 % of class 1", fontsize=10.5)
    return (
        "Left: densities of the first coordinate by true and by observed label; the observed ones overlap more. Right: "
        "twelve bags of twenty points each, of which about a fifth or four fifths are of class 1."
    )


def chain(figure: Any) -> str:
    """Posterior of the parameters for three events."""
    from dlphys.simulators import toys

    ax, calibration = figure.subplots(1, 2)
    events = toys.simulate_chain(5000, seed=4)
    mean, covariance = toys.chain_posterior(events.x)
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.linalg.cholesky(covariance) @ [np.cos(angle), np.sin(angle)]
    for i in range(4):
        ax.plot(*(mean[i][:, None] + circle * np.sqrt(2.30)), color=COLOURS[i], lw=1.5)
        ax.plot(*events.theta[i], "os^D"[i], ms=6, color=COLOURS[i])
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", aspect="equal")
    ax.set_title("True values, exact 68 % regions", fontsize=10.5)
    pull = (events.theta - mean) / np.sqrt(covariance.diagonal())
    bins = np.linspace(-4, 4, 41)
    calibration.hist(pull[:, 0], bins, density=True, color=COLOURS[0], alpha=0.5, label=r"$\theta_1$ of 5000 events")
    x = np.linspace(-4, 4, 200)
    calibration.plot(x, np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), color=INK, label="unit Gaussian")
    calibration.set(xlabel="pull", ylabel="density", ylim=(0, 0.58))
    calibration.set_title("Pulls of the exact posterior", fontsize=10.5)
    calibration.legend(fontsize=8.5, loc="upper left")
    return (
        "Left: ellipses of 68 % posterior probability of two parameters for four events, with the true values. Right: "
        "pulls of the posterior follow a unit Gaussian."
    )


def bandit(figure: Any) -> str:
    """Regret of upper confidence bounds and of random play."""
    from dlphys.simulators import toys

    ax = figure.subplots()
    means = np.array(toys.ARMS)
    t = np.arange(1, 4001)
    regrets = []
    for seed in range(10):
        rounds = toys.simulate_bandit(len(t), seed=seed)
        regrets.append(np.cumsum(means.max() - means[toys.play_upper_bound(rounds.reward)]))
    ax.plot(t, (means.max() - means.mean()) * t, ls="--", color=COLOURS[1], label="random play")
    ax.plot(t, np.mean(regrets, axis=0), color=COLOURS[0], label="upper bounds (mean of 10 games)")
    ax.plot(t, toys.regret_rate() * np.log(t), ls=":", color=GREY, label="growth of Lai and Robbins")
    ax.set(xlabel="rounds", ylabel="regret (wins)", ylim=(0, 200), title="Learning which of five arms pays best")
    ax.legend(fontsize=9)
    return (
        "Regret against rounds: random play loses in proportion to the rounds, upper confidence bounds ever more "
        "slowly; for many rounds their regret lies above the logarithmic growth of Lai and Robbins."
    )


def gridworld(figure: Any) -> str:
    """Values and best moves."""
    from dlphys.simulators import toys

    values = toys.value_iteration(*toys.gridworld())
    random = toys.policy_values(np.full((25, 4), 0.25), *toys.gridworld())
    arrows = {0: (0, -0.28), 1: (0, 0.28), 2: (0.28, 0), 3: (-0.28, 0)}
    for ax, numbers, name in zip(
        figure.subplots(1, 2), (random, values.max(1)), ("random moves", "best moves"), strict=True
    ):
        ax.imshow(numbers.reshape(5, 5), cmap="cividis", vmin=-2, vmax=25)
        for room, number in enumerate(numbers):
            row, column = divmod(room, 5)
            colour = INK if number > 12 else BACKGROUND
            shift = 0.0 if name == "random moves" else 0.18
            ax.text(column, row + shift, f"{number:.1f}", ha="center", va="center", fontsize=7.5, color=colour)
            if name == "best moves":
                best = np.flatnonzero(values[room] > values[room].max() - 1e-6)
                for move in best if len(best) < 4 else ():
                    dx, dy = arrows[int(move)]
                    ax.annotate("", (column + dx, row - 0.2 + 0.6 * dy), (column, row - 0.2),
                                arrowprops={"arrowstyle": "->", "color": colour, "lw": 0.9})  # fmt: skip
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"values under {name}", fontsize=10.5)
    return (
        "Two grids of five by five rooms with the values of all rooms: under random moves from -2.0 to 8.8, under the "
        "best moves, shown by arrows, from 11.7 to 24.4."
    )


def beam(figure: Any) -> str:
    """Orbits before and after the best correction."""
    from dlphys.simulators import toys

    lines = toys.simulate_beam(40, seed=1)
    corrected = toys.beam_positions(lines.orbit, lines.best_kicks)
    monitor = np.arange(1, 9)
    for ax, orbits, name in zip(
        figure.subplots(1, 2, sharey=True), (lines.orbit, corrected), ("displaced lenses", "best correction"),
        strict=True,
    ):  # fmt: skip
        ax.plot(monitor, orbits.T, color=GREY, lw=0.6, alpha=0.6)
        ax.plot(monitor, orbits[0], "o-", color=COLOURS[0], ms=4)
        rms = float(np.sqrt((orbits**2).mean()))
        ax.set_title(f"{name}: rms {rms:.2g} mm", fontsize=10.5)
        ax.set(xlabel="monitor", xticks=monitor)
    figure.axes[0].set_ylabel("beam position (mm)")
    return (
        "Positions of the beam at eight monitors for forty beam lines: millimetres away from the axis with displaced "
        "lenses, close to it with the best settings of the correctors."
    )


def _classes(ax: Any, points: Any, size: float) -> None:
    for c, marker in ((0, "o"), (1, "s")):
        ax.plot(*points.x[points.label == c].T, marker, ms=size, mew=0, color=COLOURS[c], label=f"class {c}")


def _background(ax: Any, kind: str, noise: float | None, x: np.ndarray) -> None:
    """The exact probability of class 1 in pale colours."""
    from dlphys.simulators import toys

    reach = 1.08 * np.abs(x - x.mean(0)).max()
    low, high = x.mean(0) - reach, x.mean(0) + reach
    side = 60
    grid = np.stack(np.meshgrid(*np.linspace(low, high, side).T), axis=-1).reshape(-1, 2)
    probability = toys.optimal_probability(grid, kind=kind, noise=noise).reshape(side, side)
    box = (low[0], high[0], low[1], high[1])
    ax.imshow(probability, origin="lower", extent=box, cmap=CLASSES, vmin=0, vmax=1, alpha=0.35)


PICTURES = {
    "planes": planes,
    "checkerboard": checkerboard,
    "interpolation": interpolation,
    "mixtures": mixtures,
    "planing": planing,
    "weak_labels": weak_labels,
    "chain": chain,
    "bandit": bandit,
    "gridworld": gridworld,
    "beam": beam,
}
