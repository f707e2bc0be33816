"""Checks of the examples of chapter 9: backpropagation through time, the gated recurrent unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import Failure, quiz, task

# --- M9.1b ------------------------------------------------------------------------------------------------


def _forward(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """States (n, T, p) of the recurrent cell (9.3)."""
    n, length, _ = x.shape
    states = np.zeros((n, length + 1, len(bias)))
    for t in range(length):
        states[:, t + 1] = np.tanh(np.einsum("nd,dp->np", x[:, t], kernel) + states[:, t] @ recurrent + bias)
    return states[:, 1:]


def _deltas(
    states: np.ndarray, recurrent: np.ndarray, gradient: np.ndarray, *, slope: bool = True, turned: bool = False
) -> np.ndarray:
    """Gradients (n, T, p) by the sums z_t, with choices that are wrong."""
    deltas = np.zeros_like(states)
    for t in range(states.shape[1] - 1, -1, -1):
        deltas[:, t] = gradient * (1 - states[:, t] ** 2 if slope else 1.0)
        gradient = np.einsum("np,pq->nq" if turned else "np,qp->nq", deltas[:, t], recurrent)
    return deltas


def _gradients(
    x: np.ndarray, states: np.ndarray, deltas: np.ndarray, *, early: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of kernel, recurrent kernel and bias; with early=False the recurrent one uses h_t for h_(t-1)."""
    before = np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1) if early else states
    return (
        np.einsum("ntd,ntp->dp", x, deltas),
        np.einsum("ntq,ntp->qp", before, deltas),
        np.einsum("ntp->p", deltas),
    )


NAMES = ("the gradient of the kernel", "the gradient of the recurrent kernel", "the gradient of the bias")


@task("M9.1b", section="9.3")
def backpropagate(student: Any, random: np.random.Generator) -> str:
    n, length, d, p = 4, 6, 2, 3
    x, bias = random.normal(size=(n, length, d)), 0.3 * random.normal(size=p)
    kernel, recurrent = random.normal(size=(d, p)), 0.8 * random.normal(size=(p, p))
    states, gradient = _forward(x, kernel, recurrent, bias), random.normal(size=(n, p))
    answer = student(x, states, kernel, recurrent, gradient)
    expect.is_tuple(answer, 3, name="gradients of kernel, recurrent and bias")
    for name, item, shape in zip(NAMES, answer, ((d, p), (p, p), (p,)), strict=True):
        expect.shape(item, shape, name=name)
        expect.finite(item, name=name)
    right = _gradients(x, states, _deltas(states, recurrent, gradient))
    known = {
        "the factor 1 - h^2 at every step, the slope of the tanh": _gradients(
            x, states, _deltas(states, recurrent, gradient, slope=False)
        ),
        "delta times the transposed recurrent kernel on the way back": _gradients(
            x, states, _deltas(states, recurrent, gradient, turned=True)
        ),
    }
    last = _deltas(states, recurrent, gradient)
    last[:, :-1] = 0
    known["the sum over all steps: the weights were used at each of them"] = _gradients(x, states, last)
    for because, wrong in known.items():
        expect.differs(answer[0], wrong[0], because=because)
    expect.differs(
        answer[1],
        _gradients(x, states, _deltas(states, recurrent, gradient), early=False)[1],
        because="the state *before* the step, h_(t-1), in the gradient of the recurrent kernel",
    )
    for name, item, wanted in zip(NAMES, answer, right, strict=True):
        expect.differs(item, wanted / n, because=f"{name} as a sum over the events: the loss is a sum, not a mean")
    expect.differs(answer[1], right[1].T, because="rows for the old state, columns for the new one, as in recurrent")
    step = 1e-6
    for which, (name, matrix) in enumerate((("kernel", kernel), ("recurrent", recurrent), ("bias", bias))):
        slopes = np.zeros_like(matrix)
        for index in np.ndindex(matrix.shape):
            losses = []
            for sign in (1, -1):
                weights = {"kernel": kernel, "recurrent": recurrent, "bias": bias}
                weights[name] = matrix.copy()
                weights[name][index] += sign * step
                losses.append((gradient * _forward(x, **weights)[:, -1]).sum())
            slopes[index] = (losses[0] - losses[1]) / (2 * step)
        expect.close(
            answer[which],
            slopes,
            rtol=1e-4,
            atol=1e-5,
            name=NAMES[which],
            because="the slope of the loss, as moving each weight a little shows it",
            rung="physics",
        )
    for name, item, wanted in zip(NAMES, answer, right, strict=True):
        expect.close(
            item, wanted, rtol=1e-6, atol=1e-9, because="the gradients summed over steps and events", name=name
        )
    return f"the same gradients as by moving each weight, over {length} steps"


def _back(change: Callable[..., Any]) -> Callable[..., Any]:
    """A wrong backpropagate()."""

    def backpropagate(
        x: np.ndarray, states: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, gradient: np.ndarray
    ) -> Any:
        return change(x, states, recurrent, gradient)

    return backpropagate


def _last_step(x: np.ndarray, h: np.ndarray, recurrent: np.ndarray, g: np.ndarray) -> Any:
    deltas = _deltas(h, recurrent, g)
    deltas[:, :-1] = 0
    return _gradients(x, h, deltas)


def _right(x: np.ndarray, h: np.ndarray, recurrent: np.ndarray, g: np.ndarray) -> Any:
    return _gradients(x, h, _deltas(h, recurrent, g))


def _bias_of_last_step(x: np.ndarray, h: np.ndarray, recurrent: np.ndarray, g: np.ndarray) -> Any:
    return (*_right(x, h, recurrent, g)[:2], (g * (1 - h[:, -1] ** 2)).sum(axis=0))


backpropagate.hints = (
    "Loop over the steps from the last to the first. At each one: delta = gradient * (1 - states[:, t] ** 2).",
    "x[:, t].T @ delta has the shape of kernel and is summed over the events already; add such terms up over "
    "the steps.",
    "At the end of each step the gradient becomes delta @ recurrent.T. For t = 0 the state before is zero.",
)
backpropagate.mistakes = {
    "no slope of the tanh": (
        _back(lambda x, h, r, g: _gradients(x, h, _deltas(h, r, g, slope=False))),
        "the slope of the tanh",
    ),
    "not transposed": (
        _back(lambda x, h, r, g: _gradients(x, h, _deltas(h, r, g, turned=True))),
        "on the way back",
    ),
    "last step only": (_back(_last_step), "used at each of them"),
    "state after the step": (
        _back(lambda x, h, r, g: _gradients(x, h, _deltas(h, r, g), early=False)),
        "the state *before* the step",
    ),
    "mean over events": (
        _back(lambda x, h, r, g: tuple(part / len(x) for part in _right(x, h, r, g))),
        "the loss is a sum",
    ),
    "recurrent transposed": (
        _back(lambda x, h, r, g: (_right(x, h, r, g)[0], _right(x, h, r, g)[1].T, _right(x, h, r, g)[2])),
        "rows for the old state",
    ),
    "bias of the last step": (_back(_bias_of_last_step), "the gradient of the bias are off"),
    "no bias": (_back(lambda x, h, r, g: _right(x, h, r, g)[:2]), "3 entries"),
}

# --- M9.2b ------------------------------------------------------------------------------------------------


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * z)))


def _gru(
    x: np.ndarray,
    h: np.ndarray,
    kernel: np.ndarray,
    recurrent: np.ndarray,
    bias: np.ndarray,
    *,
    order: tuple[int, int, int] = (0, 1, 2),
    after: bool = False,
    book: bool = False,
    reset: bool = True,
    inner: Callable[[np.ndarray], np.ndarray] = np.tanh,
) -> np.ndarray:
    """A step of a GRU, right or wrong; ``order`` says in which blocks update, reset and candidate are looked for."""
    k, u = (np.moveaxis(m.reshape(len(m), 3, -1), 1, 0)[list(order)] for m in (kernel, recurrent))
    b = bias.reshape(3, -1)[list(order)]
    z = _sigmoid(x @ k[0] + h @ u[0] + b[0])
    r = _sigmoid(x @ k[1] + h @ u[1] + b[1]) if reset else np.ones_like(h)
    new = inner(x @ k[2] + (r * (h @ u[2]) if after else (r * h) @ u[2]) + b[2])
    return np.asarray(h + z * (new - h) if book else new + z * (h - new))


@task("M9.2b", section="9.5")
def gru_step(student: Any, random: np.random.Generator) -> str:
    n, d, p = 5, 3, 4
    x, h = random.normal(size=(n, d)), random.uniform(-1, 1, size=(n, p))
    kernel, recurrent, bias = random.normal(size=(d, 3 * p)), random.normal(size=(p, 3 * p)), random.normal(size=3 * p)
    weights = kernel, recurrent, bias
    answer = student(x, h, *weights)
    if isinstance(answer, tuple | list):
        raise Failure("shape", "the new h alone: a GRU has no second state", f"{len(answer)} results")
    expect.shape(answer, (n, p), name="the new h")
    expect.finite(answer, name="the new h")
    known: dict[str, dict[str, Any]] = {
        "z as in Keras: z = 1 keeps the old state; (9.17) of the book has it the other way round": {"book": True},
        "r before the product with the recurrent kernel, (r h) U, since reset_after is False": {"after": True},
        "the order update, reset, candidate: here update and reset are exchanged": {"order": (1, 0, 2)},
        "the order of Keras, not reset, update, candidate with z as in the book": {"order": (1, 0, 2), "book": True},
        "the reset gate in the candidate": {"reset": False},
        "tanh for the candidate; the sigmoid belongs to the two gates": {"inner": _sigmoid},
    }
    for because, options in known.items():
        expect.differs(answer, _gru(x, h, *weights, **options), because=because)
    hold = np.repeat([60.0, 0.0, 0.0], p)
    expect.close(
        student(x, h, 0 * kernel, 0 * recurrent, hold),
        h,
        rtol=1e-6,
        atol=1e-9,
        name="the state for z = 1",
        because="an old state that stays exactly as it is for z = 1",
        rung="physics",
    )
    forget = np.repeat([-60.0, -60.0, 0.0], p)
    expect.close(
        student(x, h, np.concatenate([0 * kernel[:, : 2 * p], kernel[:, 2 * p :]], axis=1), 0 * recurrent, forget),
        np.tanh(x @ kernel[:, 2 * p :]),
        rtol=1e-6,
        atol=1e-9,
        name="the state for z = 0 and r = 0",
        because="a new state that knows nothing of the old one for z = 0 and r = 0",
        rung="physics",
    )
    expect.close(
        answer, _gru(x, h, *weights), rtol=1e-6, atol=1e-9, because="the state that Keras gives", name="the new h"
    )
    return "the same step as GRU of Keras with reset_after=False"


def _gru_with(**options: Any) -> Callable[..., Any]:
    """A wrong gru_step()."""

    def gru_step(x: np.ndarray, h: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> Any:
        return _gru(x, h, kernel, recurrent, bias, **options)

    return gru_step


def _unbiased(x: np.ndarray, h: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> Any:
    p = h.shape[1]
    return _gru(x, h, kernel, recurrent, np.concatenate([bias[: 2 * p], np.zeros(p)]))


gru_step.hints = (
    "Take the blocks apart with np.split(..., 3, axis=1), for kernel and recurrent separately: the candidate "
    "multiplies its "
    "block of recurrent by r * h, the gates theirs by h.",
    "update and reset are sigmoids, 1 / (1 + np.exp(-z)), of three terms each: x times the kernel, h times the "
    "recurrent kernel, bias.",
    "The candidate is np.tanh of its x part plus (reset * h) @ the third block; the new h is update * h + (1 - "
    "update) * candidate.",
)
gru_step.mistakes = {
    "z as in the book": (_gru_with(book=True), "the other way round"),
    "reset after": (_gru_with(after=True), "reset_after is False"),
    "update and reset exchanged": (_gru_with(order=(1, 0, 2)), "update and reset are exchanged"),
    "the book's order and z": (_gru_with(order=(1, 0, 2), book=True), "with z as in the book"),
    "no reset gate": (_gru_with(reset=False), "the reset gate in the candidate"),
    "sigmoid for the candidate": (_gru_with(inner=_sigmoid), "belongs to the two gates"),
    "no bias in the candidate": (_unbiased, "the state that Keras gives"),
    "two states": (lambda x, h, kernel, recurrent, bias: (_gru(x, h, kernel, recurrent, bias), h), "no second state"),
}

quiz(
    "M9.1-q1",
    question="Clipping cuts a gradient that is too long to a given length. Against which of the two troubles "
    "does it help?",
    options=(
        "Against both: it brings every gradient to the same length.",
        "Against vanishing gradients, since the clipped ones are longer.",
        "Against exploding gradients only: what has vanished holds no information that could be made longer.",
        "Against neither.",
    ),
    answer=3,
    explanation="A gradient that is too long still points downhill. In one that sums a large part from recent "
    "steps and a "
    "vanished part from early ones, the early part is lost, whatever the length.",
)
