"""Checks of the notebook about hexagonal grids: distances and rotations in axial coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task


def _cells(random: np.random.Generator, n: int = 60) -> np.ndarray:
    return random.integers(-9, 10, (n, 2))


def _plane(cells: np.ndarray) -> np.ndarray:
    """Complex position x + i y of each cell."""
    q, r = np.asarray(cells).T
    return np.asarray(q + 0.5 * r + 0.5j * np.sqrt(3.0) * r)


# --- M8.6a ------------------------------------------------------------------------------------------------


def _steps(difference: np.ndarray) -> np.ndarray:
    q, r = difference.T
    return np.asarray((np.abs(q) + np.abs(r) + np.abs(q + r)) // 2)


@task("M8.6a", section="8.5")
def distance(student: Any, random: np.random.Generator) -> str:
    first, second = _cells(random), _cells(random)
    d = first - second
    answer = student(first, second)
    expect.shape(answer, (len(d),), name="the distances")
    expect.finite(answer, name="the distances")
    right = _steps(d)
    for wrong, because in (
        (np.abs(d).sum(1), "steps may be diagonal too: from (0, 0) to (1, -1) it is one step, not two"),
        (np.abs(d).max(1), "the third difference counts as well: from (0, 0) to (1, 1) it is two steps"),
        (2 * right, "half of |dq| + |dr| + |ds|, or the largest of the three"),
        (np.abs(_plane(d)), "a number of steps from cell to cell, not the length of the straight line"),
        (np.hypot(*d.T), "a number of steps; axial coordinates are no rectangular ones, Pythagoras does not hold"),
        (
            np.maximum(np.abs(d).max(1), np.abs(d[:, 0] - d[:, 1])),
            "s = - q - r, so the third difference is |dq + dr|, with a plus",
        ),
    ):
        expect.differs(answer, wrong, because=because)
    expect.close(
        student(second, first), right, because="as many steps back as forth", name="the distance back", rung="physics"
    )
    expect.equal(
        student(first, first),
        np.zeros(len(d)),
        because="no step from a cell to itself",
        name="the distance",
        rung="physics",
    )
    turned = [np.column_stack([-cells[:, 1], cells.sum(1)]) for cells in (first, second)]
    expect.close(
        student(*turned),
        answer,
        because="the same number of steps when both cells are turned by 60 degrees",
        name="the distance after a rotation",
        rung="physics",
    )
    expect.equal(answer, right, because="the largest of |dq|, |dr| and |dq + dr|", name="the distances")
    return f"right for {len(d)} pairs of cells, and the same after a rotation"


def _wrong_distance(change: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    def distance(first: np.ndarray, second: np.ndarray) -> Any:
        return change(np.asarray(first) - np.asarray(second))

    return distance


distance.hints = (
    "The differences are (first - second)[:, 0] and [:, 1]; the third one is minus their sum.",
    "np.maximum(a, b) takes the larger entry of two arrays; np.abs the modulus.",
    "np.max of the three arrays |dq|, |dr|, |dq + dr|, stacked, along the axis of the three.",
)
distance.mistakes = {
    "steps along the axes": (_wrong_distance(lambda d: np.abs(d).sum(1)), "may be diagonal too"),
    "two differences": (_wrong_distance(lambda d: np.abs(d).max(1)), "third difference counts"),
    "straight line": (_wrong_distance(lambda d: np.abs(_plane(d))), "length of the straight line"),
    "Pythagoras": (_wrong_distance(lambda d: np.hypot(*d.T)), "Pythagoras does not hold"),
    "wrong third difference": (
        _wrong_distance(lambda d: np.maximum(np.abs(d).max(1), np.abs(d[:, 0] - d[:, 1]))),
        "with a plus",
    ),
    "twice": (_wrong_distance(lambda d: 2 * _steps(d)), "half of"),
    "signs": (_wrong_distance(lambda d: np.maximum(d.max(1), d.sum(1))), "as many steps back"),
    "one number": (_wrong_distance(lambda d: _steps(d).sum()), "an array"),
}

# --- M8.6b ------------------------------------------------------------------------------------------------


def _turn(cells: np.ndarray, turns: int) -> np.ndarray:
    return np.asarray(np.asarray(cells) @ np.linalg.matrix_power(np.array([[0, 1], [-1, 1]]), turns % 6))


@task("M8.6b", section="8.5")
def rotate(student: Any, random: np.random.Generator) -> str:
    cells = _cells(random, 40)
    once = student(cells, 1)
    expect.shape(once, cells.shape, name="the cells")
    expect.finite(once, name="the cells")
    expect.holds(
        np.all(np.asarray(once) == np.round(once)),
        because="whole numbers: every cell lands on a cell",
        seen=f"{np.asarray(once)[0]}",
        rung="shape",
    )
    q, r = cells.T
    for wrong, because in (
        (_turn(cells, -1), "counter-clockwise: (1, 0) becomes (0, 1)"),
        (np.column_stack([-r, q]), "a turn by 60 degrees, not by 90: (0, 1) becomes (-1, 1)"),
        (_turn(cells, 2), "60 degrees a turn, not 120"),
        (np.column_stack([q + r, -r]), "a rotation, not a reflection"),
        (np.column_stack([q + r, -q]), "counter-clockwise, and with (0, 1) to (-1, 1)"),
        (cells, "cells that have moved: a rotation by one turn changes all but (0, 0)"),
    ):
        expect.differs(once, wrong, because=because)
    lengths, before = np.abs(_plane(once)), np.abs(_plane(cells))
    expect.close(
        lengths, before, rtol=1e-9, because="all distances from (0, 0) unchanged", name="the distance", rung="physics"
    )
    for turns in (0, 2, 3, 5, 6, 7):
        expect.equal(
            student(cells, turns),
            _turn(cells, turns),
            because=f"{turns} turns one after the other; six of them are none",
            name=f"the cells after {turns} turns",
            rung="physics",
        )
    expect.equal(
        student(cells, -1),
        _turn(cells, 5),
        because="one turn back for turns = -1, the same as five turns on",
        name="the cells after -1 turns",
        rung="physics",
    )
    expect.equal(once, _turn(cells, 1), because="(1, 0) to (0, 1) and (0, 1) to (-1, 1), and linear", name="the cells")
    return "six turns are the identity, and no length changes"


def _wrong_rotation(once: Callable[[np.ndarray, np.ndarray], Any], *, period: int = 6) -> Callable[..., Any]:
    def rotate(places: np.ndarray, turns: int) -> Any:
        result = np.array(places)
        for _ in range(turns % period):
            result = np.column_stack(once(*result.T))
        return result

    return rotate


def _forwards_only(places: np.ndarray, turns: int) -> Any:
    result = np.array(places)
    for _ in range(turns):
        result = _turn(result, 1)
    return result


def _once(places: np.ndarray, turns: int) -> Any:
    return _turn(places, 1)


def _by_angles(places: np.ndarray, turns: int) -> Any:
    z = _plane(places) * np.exp(1j * np.pi / 3 * turns)
    r = z.imag / np.sqrt(0.75)
    return np.column_stack([z.real - r / 2 + 1e-9, r])


rotate.hints = (
    "One turn takes (q, r) = q (1, 0) + r (0, 1) to q (0, 1) + r (-1, 1).",
    "So the new q is -r and the new r is q + r. Repeat that turns % 6 times: in Python -1 % 6 is 5.",
    "In a loop of turns % 6 rounds: new array from np.stack of -places[:, 1] and places[:, 0] + places[:, 1], along "
    "axis "
    "1.",
)
rotate.mistakes = {
    "clockwise": (_wrong_rotation(lambda q, r: (q + r, -q)), "counter-clockwise: (1, 0)"),
    "ninety degrees": (_wrong_rotation(lambda q, r: (-r, q)), "not by 90"),
    "120 degrees": (_wrong_rotation(lambda q, r: (-q - r, q)), "not 120"),
    "reflection": (_wrong_rotation(lambda q, r: (q + r, -r)), "not a reflection"),
    "period five": (_wrong_rotation(lambda q, r: (-r, q + r), period=5), "5 turns one after the other"),
    "one turn always": (_once, "0 turns one after the other"),
    "no turns back": (_forwards_only, "turns = -1"),
    "broken numbers": (_by_angles, "every cell lands on a cell"),
}

quiz(
    "M8.6-q1",
    question="A p6 layer with 8 filters acts on an image, and a second one with 8 filters on its output. How many "
    "weights (without "
    "biases) has the second, compared with an ordinary 3 x 3 convolution from 48 to 48 maps?",
    options=(
        "48 x 7 x 48 = 16 128, against 20 736: two corners less",
        "6 x 7 x 8 x 8 = 2688, against 20 736: shared between six orientations",
        "7 x 8 x 8 = 448, against 20 736",
        "As many: 20 736",
    ),
    answer=2,
    explanation="Seven cells, six incoming orientations, 8 channels each, 8 filters; the six outgoing orientations "
    "cost nothing. It makes "
    "the same 48 maps.",
)
