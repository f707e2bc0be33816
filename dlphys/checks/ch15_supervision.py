"""Checks of chapter 15: one step of label propagation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task


def _step(
    beliefs: np.ndarray,
    weights: np.ndarray,
    labels: np.ndarray,
    *,
    norm: str = "rows",
    clamp: str = "after",
    own: float = 0.0,
    known_only: bool = False,
    decide: bool = False,
) -> np.ndarray:
    """One step by a loop over the points; the keywords make the known mistakes."""
    n, classes = beliefs.shape
    truth = np.eye(classes)
    b = np.array(beliefs, float)
    if clamp == "before":
        b[labels >= 0] = truth[labels[labels >= 0]]
    if decide:
        b = truth[b.argmax(axis=1)]
    degree = weights.sum(axis=1)
    new = np.zeros_like(b)
    for i in range(n):
        for j in range(n):
            w = weights[i, j] * (labels[j] >= 0 if known_only else 1.0)
            if norm == "rows":
                w = w / degree[i]
            elif norm == "columns":
                w = w / weights[:, j].sum()
            elif norm == "symmetric":
                w = w / np.sqrt(degree[i] * degree[j])
            elif norm == "neighbours":
                w = w / np.count_nonzero(weights[i])
            new[i] += w * b[j]
        new[i] = (1 - own) * new[i] + own * b[i]
        if clamp == "after" and labels[i] >= 0:
            new[i] = truth[labels[i]]
        elif clamp == "keep" and labels[i] >= 0:
            new[i] = beliefs[i]
    return new


STEP_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"clamp": "none"}, "labelled points that take back their labels after the step"),
    "labels before": ({"clamp": "before"}, "labels put back at the end of the step, not only at its beginning"),
    "old beliefs": ({"clamp": "keep"}, "the given label for labelled points, not the belief they came with"),
    "sum": ({"norm": "none"}, "divided by the sum of the weights: beliefs add up to 1"),
    "columns": ({"norm": "columns"}, "the sum of the row, the weights with which a point listens, not of the column"),
    "symmetric": ({"norm": "symmetric"}, "a mean: the roots of both degrees belong to graph convolutions"),
    "count": ({"norm": "neighbours"}, "a weighted mean: the sum of the weights, not the number of neighbours"),
    "own belief": ({"own": 0.5}, "the mean of the neighbours alone: the point itself only if a weight says so"),
    "labelled neighbours": ({"known_only": True}, "all neighbours, not the labelled ones alone"),
    "decided": ({"decide": True}, "beliefs as they are: deciding at every step freezes them"),
}


def _graph(n: int, random: np.random.Generator) -> np.ndarray:
    """Weights of a ring of points with some other edges; not symmetric, so that rows and columns can be told apart."""
    weights = random.uniform(0.2, 2.0, (n, n)) * (random.uniform(size=(n, n)) < 0.35)
    np.fill_diagonal(weights, 0.0)
    weights[np.arange(n), (np.arange(n) + 1) % n] = random.uniform(0.5, 1.5, n)
    return weights


@task("M15.1", section="15")
def propagation_step(student: Any, random: np.random.Generator) -> str:
    n, classes = 10, 3
    weights = _graph(n, random)
    beliefs = random.dirichlet(np.ones(classes), n)
    labels = np.where(np.isin(np.arange(n), random.choice(n, 4, replace=False)), random.integers(0, classes, n), -1)
    free = labels < 0
    answer = student(beliefs, weights, labels)
    expect.shape(answer, (n, classes), name="the new beliefs")
    expect.finite(answer, name="the new beliefs")
    for changes, because in STEP_MISTAKES.values():
        expect.differs(answer, _step(beliefs, weights, labels, **changes), because=because)
    expect.close(
        np.asarray(answer, float).sum(axis=1),
        np.ones(n),
        atol=1e-9,
        because="beliefs that add up to 1 for each point",
        name="their sums",
        rung="physics",
    )
    expect.close(
        np.asarray(answer, float)[~free],
        np.eye(classes)[labels[~free]],
        atol=1e-9,
        because="certainty at the labelled points",
        name="their beliefs",
        rung="physics",
    )
    alike = np.tile(random.dirichlet(np.ones(classes)), (n, 1))
    expect.close(
        np.asarray(student(alike, weights, labels), float)[free],
        alike[free],
        atol=1e-9,
        because="no change where all neighbours agree",
        name="the beliefs of the others",
        rung="physics",
    )
    expect.close(
        student(beliefs, 3.0 * weights, labels),
        answer,
        atol=1e-9,
        because="only the ratios of the weights matter",
        rung="physics",
    )
    order = random.permutation(n)
    expect.close(
        student(beliefs[order], weights[np.ix_(order, order)], labels[order]),
        np.asarray(answer)[order],
        atol=1e-9,
        because="the same, renamed, if the points are renamed: all points move at once",
        rung="physics",
    )
    expect.close(
        answer,
        _step(beliefs, weights, labels),
        atol=1e-9,
        because="the weighted mean of the neighbours",
        name="beliefs",
    )
    return "a belief never leaves the range of its neighbours' beliefs"


def _stepped(changes: dict[str, Any]) -> Callable[..., Any]:
    def propagation_step(beliefs: np.ndarray, weights: np.ndarray, labels: np.ndarray) -> Any:
        return _step(beliefs, weights, labels, **changes)

    return propagation_step


def _one_after_the_other(beliefs: np.ndarray, weights: np.ndarray, labels: np.ndarray) -> np.ndarray:
    new = np.array(beliefs, float)
    for i in range(len(new)):
        if labels[i] >= 0:
            new[i] = np.eye(new.shape[1])[labels[i]]
        else:
            new[i] = weights[i] @ new / weights[i].sum()
    return new


propagation_step.hints = (
    "weights @ beliefs sums over the neighbours of every point at once.",
    "Divide row i by weights.sum(axis=1)[i]; an index [:, None] gives the sums the shape (n, 1).",
    "Then set the rows with labels >= 0: np.eye(classes)[labels] has a 1 at the label.",
)
propagation_step.mistakes = {
    **{name: (_stepped(changes), because) for name, (changes, because) in STEP_MISTAKES.items()},
    "one after the other": (_one_after_the_other, "no change where all neighbours agree"),
    "classes": (lambda beliefs, weights, labels: _step(beliefs, weights, labels).argmax(axis=1), "shape (10, 3)"),
}

quiz(
    "M15.1-q1",
    question="A collider experiment has data of unknown composition in two regions, a simulation that it does not "
    "trust, and no labels. Which question can it answer from the data alone?",
    options=(
        "The class of each single event, for certain.",
        "Which events come from the signal, if both regions have the same composition.",
        "None: without labels there is no learning.",
        "Which events are more frequent in one region: if the regions differ in the share of signal alone, this "
        "orders them by how signal-like they are.",
    ),
    answer=4,
    explanation="Mixtures with different shares are weak labels. Chapter 16 derives it, chapter 20 searches with it.",
)
