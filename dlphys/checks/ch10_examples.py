"""Checks of the examples of chapter 10: graphs as matrices, the graph convolution, Chebyshev filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- X10.1 --------------------------------------------------------------------------------------------------


def _edges(n: int, random: np.random.Generator) -> list[tuple[int, int]]:
    """Edges of a random graph, each once and in any direction, with two loops."""
    pairs = [(i, j) for i in range(n) for j in range(i) if random.uniform() < 0.45]
    turned = [pair[::-1] if random.uniform() < 0.5 else pair for pair in pairs]
    return [*turned, (1, 1), (n - 1, n - 1), (0, 2) if (2, 0) not in turned and (0, 2) not in turned else (3, 3)]


def _counted(edges: list[tuple[int, int]], n: int) -> np.ndarray:
    """How often a pair is listed, in this direction."""
    count = np.zeros((n, n))
    np.add.at(count, tuple(np.transpose(edges)), 1)
    return count


@task("X10.1", section="10.2")
def graph_matrices(student: Any, random: np.random.Generator) -> str:
    n = 7
    edges = _edges(n, random)
    count = _counted(edges, n)
    right = count + count.T
    loop = np.diag(np.diag(count))
    answer = student(edges, n)
    expect.is_tuple(answer, 3, name="A, D, D - A")
    for name, matrix in zip(("A", "D", "the Laplacian"), answer, strict=True):
        expect.shape(matrix, (n, n), name=name)
        expect.finite(matrix, name=name)
    a, d, laplacian = answer
    expect.differs(a, count, because="without directions an edge leads both ways: A is symmetric")
    expect.differs(a, right - loop, because="a loop ends twice at its node, so it counts twice on the diagonal of A")
    expect.differs(a, right - 2 * loop, because="loops too: (i, i) is an edge from a node to itself")
    expect.differs(
        d, np.tile(right.sum(axis=1)[:, None], (1, n)), because="degrees on the diagonal of D only, zeros elsewhere"
    )
    expect.differs(
        d,
        np.diag((right > 0).sum(axis=1).astype(float)),
        because="the sum of a row of A, where a loop counts twice, not the number of its entries",
    )
    expect.differs(laplacian, right - np.diag(right.sum(axis=1)), because="D - A, not A - D: its eigenvalues are >= 0")
    expect.differs(laplacian, np.diag(right.sum(axis=1)) + right, because="D - A, not D + A")
    expect.close(
        a, np.transpose(a), because="an undirected graph has a symmetric adjacency matrix", name="A", rung="physics"
    )
    expect.close(
        np.sum(laplacian, axis=1),
        np.zeros(n),
        atol=1e-12,
        because="rows of the Laplacian that add up to zero: a constant is perfectly smooth",
        name="the sums of its rows",
        rung="physics",
    )
    expect.close(a, right, because="1 for each edge, 2 for a loop", name="A")
    expect.close(d, np.diag(right.sum(axis=1)), because="the sums of the rows of A on the diagonal", name="D")
    expect.close(laplacian, np.diag(right.sum(axis=1)) - right, because="D - A", name="the Laplacian")
    return f"right for a graph of {n} nodes and {len(edges)} edges, two of them loops or more"


def _matrices(change: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong graph_matrices(): A, D and L made from the counted pairs."""

    def graph_matrices(edges: list[tuple[int, int]], n: int) -> Any:
        return change(_counted(edges, n))

    return graph_matrices


def _with(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    d = np.diag(a.sum(axis=1))
    return a, d, d - a


graph_matrices.hints = (
    "Start from np.zeros((n, n)) and go through the edges; each edge changes two entries of A.",
    "Add 1 at [i, j] and 1 at [j, i]: a loop then gets its 2 without further ado.",
    "The degrees are adjacency.sum(axis=1), and np.diag makes a diagonal matrix of them.",
)
graph_matrices.mistakes = {
    "one direction": (_matrices(lambda c: _with(c)), "leads both ways"),
    "loops once": (_matrices(lambda c: _with(c + c.T - np.diag(np.diag(c)))), "counts twice on the diagonal"),
    "loops left out": (_matrices(lambda c: _with(c + c.T - 2 * np.diag(np.diag(c)))), "loops too"),
    "full D": (
        _matrices(lambda c: (c + c.T, np.tile((c + c.T).sum(1)[:, None], (1, len(c))), c)),
        "zeros elsewhere",
    ),
    "A - D": (_matrices(lambda c: (*_with(c + c.T)[:2], -_with(c + c.T)[2])), "not A - D"),
    "D + A": (_matrices(lambda c: (*_with(c + c.T)[:2], _with(c + c.T)[1] + c + c.T)), "not D + A"),
    "number of entries": (
        _matrices(lambda c: (c + c.T, np.diag(((c + c.T) > 0).sum(1).astype(float)), _with(c + c.T)[2])),
        "not the number of its entries",
    ),
    "A only": (_matrices(lambda c: c + c.T), "3 results"),
}

# --- X10.2 --------------------------------------------------------------------------------------------------


def _normalised(a: np.ndarray, *, loops: float = 1.0, left: float = -0.5, right: float = -0.5) -> np.ndarray:
    b = a + loops * np.eye(len(a))
    degree = b.sum(axis=1)
    return degree[:, None] ** left * b * degree[None, :] ** right


@task("X10.2", section="10.4.1")
def propagation_matrix(student: Any, random: np.random.Generator) -> str:
    n = 8
    a = np.triu((random.uniform(size=(n, n)) < 0.4) * random.uniform(0.5, 2.0, size=(n, n)), 1)
    a[np.arange(n - 1), np.arange(1, n)] = 1.0  # no lonely nodes
    a = a + a.T
    answer = student(a)
    expect.shape(answer, (n, n), name="the matrix")
    expect.finite(answer, name="the matrix")
    right = _normalised(a)
    degree = a.sum(axis=1)
    known = {
        "the node itself too: 1 + A in place of A": _normalised(a, loops=0.0),
        "square roots of the degrees, one for each of the two nodes": _normalised(a, left=-1.0, right=-1.0),
        "symmetric: 1/sqrt(degree) on both sides, not 1/degree on one": _normalised(a, right=0.0, left=-1.0),
        "divide by the roots of the degrees, do not multiply": _normalised(a, left=0.5, right=0.5),
        "both sides: D^-1/2 in front and behind": _normalised(a, right=0.0),
        "the degrees of the graph with the edge of each node to itself, not those of A": (a + np.eye(n))
        / np.sqrt(degree[:, None] * degree[None, :]),
        "1 is added to A before the normalisation, not to the result": _normalised(a, loops=0.0) + np.eye(n),
        "products of matrices: D^-1/2 is diagonal": np.diag(np.diag(right)),
        "the normalisation by the degrees is missing: sums grow with the number of neighbours": a + np.eye(n),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(answer, np.transpose(answer), because="a symmetric matrix", name="the matrix", rung="physics")
    expect.at_most(
        np.abs(np.linalg.eigvalsh(np.asarray(answer, float))).max(),
        1.0 + 1e-6,
        because="no eigenvalue beyond 1, so that many layers do not blow up",
        name="the largest eigenvalue",
    )
    order = random.permutation(n)
    expect.close(
        student(a[np.ix_(order, order)]),
        np.asarray(answer)[np.ix_(order, order)],
        because="the same matrix with rows and columns renamed, if the nodes are renamed",
        rung="physics",
    )
    expect.close(answer, right, because="D^-1/2 (1 + A) D^-1/2 with the degrees of 1 + A", name="the matrix")
    return "its largest eigenvalue is 1: a constant times the roots of the degrees passes unchanged"


def _propagation(**changes: float) -> Callable[..., Any]:
    """A wrong propagation_matrix()."""

    def propagation_matrix(adjacency: np.ndarray) -> Any:
        return _normalised(adjacency, **changes)

    return propagation_matrix


propagation_matrix.hints = (
    "First add the unit matrix, np.eye(len(adjacency)); then take the sums of the rows.",
    "D^-1/2 is diagonal: multiplying with it from the left scales rows, from the right it scales columns.",
    "With r = degree ** -0.5 the answer has the entries r[i] * (1 + A)[i, j] * r[j]: use r[:, None] and r[None, :].",
)
propagation_matrix.mistakes = {
    "no loops": (_propagation(loops=0.0), "the node itself too"),
    "degrees without roots": (_propagation(left=-1.0, right=-1.0), "one for each of the two nodes"),
    "random walk": (_propagation(left=-1.0, right=0.0), "not 1/degree on one"),
    "roots multiplied": (_propagation(left=0.5, right=0.5), "do not multiply"),
    "one side": (_propagation(right=0.0), "in front and behind"),
    "degrees of A": (
        lambda adjacency: (
            (adjacency + np.eye(len(adjacency))) / np.sqrt(np.outer(adjacency.sum(axis=0), adjacency.sum(axis=0)))
        ),
        "not those of A",
    ),
    "unit matrix afterwards": (
        lambda adjacency: _normalised(adjacency, loops=0.0) + np.eye(len(adjacency)),
        "not to the result",
    ),
    "not normalised": (lambda adjacency: adjacency + np.eye(len(adjacency)), "grow with the number of neighbours"),
    "two loops a node": (_propagation(loops=2.0), "with the degrees of 1 + A"),
}

# --- M10.5 --------------------------------------------------------------------------------------------------


def _filter(
    signal: np.ndarray,
    matrix: np.ndarray,
    theta: Any,
    *,
    factor: float = 2.0,
    minus: float = 1.0,
    second: float = 1.0,
) -> np.ndarray:
    """(10.12); the keywords make the known mistakes."""
    terms = [signal, second * (matrix @ signal)]
    while len(terms) < len(theta):
        terms.append(factor * (matrix @ terms[-1]) - minus * terms[-2])
    return np.tensordot(np.asarray(theta, float), np.array(terms[: len(theta)]), axes=1)


@task("M10.5", section="10.5.1")
def chebyshev_filter(student: Any, random: np.random.Generator) -> str:
    n = 9
    a = np.triu(random.uniform(0.2, 1.0, size=(n, n)) * (random.uniform(size=(n, n)) < 0.3), 2) + np.eye(n, k=1)
    a = a + a.T
    degree = a.sum(axis=1)
    normal = np.eye(n) - a / np.sqrt(np.outer(degree, degree))
    values, modes = np.linalg.eigh(normal)
    matrix = 2 * normal / values[-1] - np.eye(n)
    signal, theta = random.normal(size=n), random.uniform(0.5, 1.5, size=5)
    answer = student(signal, matrix, theta)
    expect.shape(answer, (n,), name="the filtered signal")
    expect.finite(answer, name="the filtered signal")
    powers = np.tensordot(theta, np.array([np.linalg.matrix_power(matrix, i) @ signal for i in range(5)]), axes=1)
    known = {
        "Chebyshev polynomials, not powers of the matrix": powers,
        "T_(n+1) has a factor 2 in front of L~ T_n": _filter(signal, matrix, theta, factor=1.0),
        "minus the polynomial before the last": _filter(signal, matrix, theta, minus=-1.0),
        "T_1 = L~ without the factor 2, which begins with T_2": _filter(signal, matrix, theta, second=2.0),
        "the sum begins with theta[0] T_0, the signal itself": _filter(signal, matrix, theta) - theta[0] * signal,
        "products of the matrix with vectors (@), not entry by entry": _filter(signal, np.diag(np.diag(matrix)), theta),
        "all coefficients: theta[-1] belongs to the last polynomial": _filter(signal, matrix, theta[:-1]),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        student(signal, matrix, [1.5]),
        1.5 * signal,
        because="one coefficient: a multiple of the signal",
        rung="physics",
    )
    chain = np.eye(11, k=1) + np.eye(11, k=-1)
    answered = np.asarray(student(np.eye(11)[5], -chain / 2, [0.3, 0.2, 0.4]), float)
    expect.at_most(
        np.abs(np.delete(answered, [3, 4, 5, 6, 7])).max(),
        1e-12,
        because="an answer within two steps of a node, for three coefficients: T_2 contains the square of L~",
        name="what arrives farther away",
    )
    spectrum = np.polynomial.chebyshev.chebval(2 * values / values[-1] - 1, theta)
    expect.close(
        answer,
        modes @ (spectrum * (modes.T @ signal)),
        rtol=1e-6,
        atol=1e-9,
        because="the same as multiplying in the spectrum by sum theta_i T_i at the eigenvalues",
        name="the filtered signal",
    )
    return "the same as with all eigenvectors, which were not needed"


def _filtered(**changes: float) -> Callable[..., Any]:
    """A wrong chebyshev_filter()."""

    def chebyshev_filter(signal: np.ndarray, scaled_laplacian: np.ndarray, theta: Any) -> Any:
        return _filter(signal, scaled_laplacian, theta, **changes)

    return chebyshev_filter


def _by_powers(signal: np.ndarray, scaled_laplacian: np.ndarray, theta: Any) -> Any:
    result, power = np.zeros(len(signal)), signal
    for coefficient in theta:
        result, power = result + coefficient * power, scaled_laplacian @ power
    return result


chebyshev_filter.hints = (
    "Keep two vectors, T_(n-1) f and T_n f. Start with f itself and L~ f.",
    "Each step: new = 2 * scaled_laplacian @ current - previous; then theta[i] * new joins the sum.",
    "Mind short theta: with one coefficient the answer is theta[0] * signal, with two there is no recursion yet.",
)
chebyshev_filter.mistakes = {
    "powers": (_by_powers, "not powers of the matrix"),
    "factor 2 forgotten": (_filtered(factor=1.0), "in front of L~ T_n"),
    "plus": (_filtered(minus=-1.0), "minus the polynomial before the last"),
    "2 in T_1": (_filtered(second=2.0), "which begins with T_2"),
    "T_0 left out": (
        lambda signal, scaled_laplacian, theta: _filter(signal, scaled_laplacian, theta) - theta[0] * signal,
        "begins with theta[0] T_0",
    ),
    "last coefficient": (
        lambda signal, scaled_laplacian, theta: _filter(
            signal, scaled_laplacian, list(theta)[: max(1, len(theta) - 1)]
        ),
        "belongs to the last polynomial",
    ),
    "entry by entry": (
        lambda signal, scaled_laplacian, theta: _filter(signal, np.diag(np.diag(scaled_laplacian)), theta),
        "not entry by entry",
    ),
    "too short": (lambda signal, scaled_laplacian, theta: signal[:-1], "shape (9,)"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "M10.2-q1",
    question="You classify galaxies by the positions of their stars; neither place nor orientation must matter. "
    "Which kernel do you choose, and what does it cost?",
    options=(
        "h(x_i, x_i - x_ij), the largest one: the network learns the symmetry.",
        "h(|x_i - x_ij|): both symmetries are exact, but one layer cannot see angles between neighbours.",
        "h(x_i - x_ij): exact under rotations, if the aggregation is a sum.",
        "It does not matter, since the aggregation is symmetric.",
    ),
    answer=2,
    explanation="Distances know neither place nor orientation. Angles come in again with a second layer, or by "
    "features such as the distances among the neighbours.",
)
quiz(
    "X10.6-q1",
    question="Twenty graph convolutions (10.3) without activation, one after the other: what is left of the features "
    "of a connected graph?",
    options=(
        "They grow without limit.",
        "All of them vanish.",
        "Every node has the same feature, up to the root of its degree: over-smoothing.",
        "They return to where they began.",
    ),
    answer=3,
    explanation="The largest eigenvalue is 1, with the eigenvector sqrt(degree); the others are smaller in modulus and "
    "die out with their twentieth power.",
)
