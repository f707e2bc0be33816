"""Check of the examples of chapter 1: the one variable that makes the question easy."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import own_data, quiz, task


def _times(speed: np.ndarray, slowing: np.ndarray, positions: np.ndarray) -> np.ndarray:
    speed, slowing = speed[:, None], slowing[:, None]
    return np.asarray(2 * positions / (speed + np.sqrt(speed**2 - 2 * slowing * positions)))


@task("M1.2a", section="1.2")
def deceleration(student: Any, random: np.random.Generator) -> str:
    positions = np.cumsum(random.uniform(0.05, 0.15, 8))
    positions -= positions[0]
    slowing, speed = random.uniform(0.2, 0.6, 20), random.uniform(1.4, 2, 20)
    times = _times(speed, slowing, positions) + random.uniform(0.5, 1, (20, 1))
    answer = student(times, positions)
    expect.shape(answer, (20,), name="the decelerations of 20 runs")
    expect.finite(answer, name="the decelerations")
    for wrong, because in [
        (-slowing, "a deceleration counts positive where the run slows down; s(t) bends the other way"),
        (slowing / 2, "the coefficient of t squared is half the deceleration"),
        (-slowing / 2, "a = -2 times the coefficient of t squared: mind factor and sign"),
    ]:
        expect.differs(answer, wrong, rtol=1e-3, because=because)
    inverse = np.array([np.polyfit(positions, run - run[0], 2)[0] for run in times])
    for factor in (2, 1, -2, -1):
        expect.differs(
            answer,
            factor * inverse,
            rtol=1e-3,
            because="the parabola is s(t), position over time; over the position the unit is s/m²",
        )
    expect.close(
        student(times + 100, positions),
        answer,
        rtol=1e-3,
        because="when the clock was started makes no difference",
        rung="physics",
    )
    expect.close(
        student(2 * times, positions),
        answer / 4,
        rtol=1e-4,
        because="in a film at half speed the deceleration is a quarter",
        rung="physics",
    )
    expect.close(
        student(times, 3 * positions),
        3 * answer,
        rtol=1e-4,
        because="three times the distances are three times the deceleration",
        rung="physics",
    )
    uniform = _times(speed, np.zeros(20), positions)
    expect.close(
        student(uniform, positions),
        np.zeros(20),
        atol=1e-6,
        because="at constant speed there is no deceleration",
        rung="physics",
    )
    expect.close(
        answer,
        slowing,
        rtol=1e-3,
        because="exact times on a parabola give the exact deceleration",
        name="the deceleration",
    )
    noisy = np.tile(_times(speed[:1], slowing[:1], positions), (300, 1)) + 0.001 * random.normal(size=(300, 8))
    scatter, fit = np.std(student(noisy, positions)), [np.polyfit(run - run[0], positions, 2)[0] for run in noisy]
    expect.at_most(
        scatter,
        1.3 * 2 * float(np.std(fit)),
        because="all eight times are used: with reading errors of 1 ms a parabola through three of them "
        "scatters much more",
        name="the scatter of your decelerations in m/s²",
    )
    return f"with reading errors of 1 ms a single run is good to {scatter:.3f} m/s²"


def _three_points(times: np.ndarray, positions: np.ndarray) -> np.ndarray:
    return -2 * np.array([np.polyfit(t[:3] - t[0], positions[:3], 2)[0] for t in times])


def _loss_of_speed(times: np.ndarray, positions: np.ndarray) -> np.ndarray:
    speed = np.diff(positions) / np.diff(times, axis=1)
    return speed[:, 0] - speed[:, -1]


deceleration.hints = (
    "np.polyfit(t, s, 2) returns three numbers: the coefficients of t squared, of t, and the constant.",
    "The coefficient of t squared is -a/2. Loop over the runs, and count the times of each from its first gate.",
    "return -2 * np.array([np.polyfit(run - run[0], positions, 2)[0] for run in times])",
)
deceleration.mistakes = {
    "sign": (
        lambda times, positions: np.array([2 * np.polyfit(t - t[0], positions, 2)[0] for t in times]),
        "counts positive",
    ),
    "factor two forgotten": (
        lambda times, positions: np.array([-np.polyfit(t - t[0], positions, 2)[0] for t in times]),
        "half the deceleration",
    ),
    "coefficient as it is": (
        lambda times, positions: np.array([np.polyfit(t - t[0], positions, 2)[0] for t in times]),
        "mind factor and sign",
    ),
    "time over position": (
        lambda times, positions: np.array([2 * np.polyfit(positions, t - t[0], 2)[0] for t in times]),
        "position over time",
    ),
    "loss of speed": (_loss_of_speed, "at half speed"),
    "three gates only": (_three_points, "all eight times"),
    "all coefficients": (
        lambda times, positions: np.array([np.polyfit(t - t[0], positions, 2) for t in times]),
        "shape (20,)",
    ),
}


def _own_run(random: np.random.Generator) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """A run on a track of 3 m, read to 0.2 ms, and its deceleration."""
    positions, slowing = np.linspace(0, 3, 61), random.uniform(0.15, 0.75)
    (times,) = _times(random.uniform(2.3, 2.6, 1), np.array([slowing]), positions)
    return (random.uniform(0, 1) + times + 0.0002 * random.normal(size=61), positions), slowing


@task("M1.2b", section="1.2", own=_own_run)
def own_deceleration(student: Any, random: np.random.Generator) -> str:
    run, slowing = own_data("M1.2b")
    answer = student(*run)
    expect.number(answer, name="the deceleration of your run")
    expect.differs(answer, -slowing, atol=0.005, because="it counts positive, since your block slows down")
    expect.differs(answer, slowing / 2, atol=0.005, because="this is the coefficient of t squared, half of it")
    expect.at_least(answer, 0, because="friction does not make a block faster", name="your deceleration in m/s²")
    expect.close(
        answer,
        slowing,
        atol=0.005,
        because="the deceleration of your own run, to 0.005 m/s²; it belongs to your name, and no one else's is right",
        name="the deceleration",
    )
    return "yours, and nobody else's"


own_deceleration.hints = (
    "What you wrote for many runs works for one: `times[np.newaxis]` is an array with one run.",
    "If you write a number, give at least four digits.",
)
own_deceleration.mistakes = {
    "sign": (lambda times, positions: 2 * np.polyfit(times - times[0], positions, 2)[0], "counts positive"),
    "half": (lambda times, positions: -np.polyfit(times - times[0], positions, 2)[0], "half of it"),
    "of somebody else": (lambda times, positions: 0.8, "belongs to your name"),
    "faster": (lambda times, positions: -3.0, "make a block faster"),
    "all coefficients": (lambda times, positions: np.polyfit(times, positions, 2), "one number"),
}

quiz(
    "M1.2-q1",
    question="At which level does a person choose the variables and a machine the mapping?",
    options=("At level 1.", "At level 2.", "At level 3.", "At level 4."),
    answer=2,
    explanation="Classic machine learning: hand-made variables, learned mapping. From level 3 on the variables "
    "are learned as well.",
)
quiz(
    "M1.2-q2",
    question="What makes a 'machine' in machine learning?",
    options=(
        "A computer with a graphics card.",
        "A program that a person has adjusted until it works.",
        "Mappings with adjustable parameters, data, and an objective that is minimised.",
        "At least two hidden layers.",
    ),
    answer=3,
    explanation="The rule of level 1 has none of the three: its number 0.17 came from a person.",
)
