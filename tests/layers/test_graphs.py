"""Graphs as arrays: against plain loops, numbers of the book, and published eigenvalues."""

import numpy as np
import pytest

from dlphys.layers import knn_graph, laplacian, nearest_neighbours, normalized_adjacency, scaled_laplacian

RANDOM = np.random.default_rng(10)
# Fig. 10.2(a) of the book without its self-loop
EDGES = [(0, 1), (0, 4), (1, 2), (1, 4), (2, 3), (3, 4), (3, 5), (4, 5)]
SIX = np.zeros((6, 6))
for first, second in EDGES:
    SIX[first, second] = SIX[second, first] = 1


def slow_neighbours(points, k):
    distance = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(distance, np.inf)
    return np.argsort(distance, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize(("p", "d", "k"), [(2, 1, 1), (7, 2, 6), (60, 3, 8), (40, 10, 5)])
def test_both_searches_find_the_neighbours_of_a_plain_sort(p, d, k):
    """All distances, sorted."""
    points = RANDOM.normal(size=(3, p, d)).astype("float32") + 5.0
    expected = np.stack([slow_neighbours(cloud, k) for cloud in points])
    np.testing.assert_array_equal(knn_graph(points, k), expected)
    np.testing.assert_array_equal(np.asarray(nearest_neighbours(points, k)), expected)
    np.testing.assert_array_equal(knn_graph(points[0], k), expected[0])


def test_points_at_one_place_are_neighbours_of_each_other_and_never_of_themselves():
    points = np.repeat(RANDOM.normal(size=(1, 6, 2)), 3, axis=1)
    for found in (knn_graph(points, 2), np.asarray(nearest_neighbours(points, 2))):
        assert not (found[0] == np.arange(18)[:, None]).any()
        np.testing.assert_allclose(points[0][found[0]], points[0][:, None] * np.ones((1, 2, 1)))
    five = knn_graph(np.zeros((7, 2)), 5)
    assert not (five == np.arange(7)[:, None]).any()
    assert all(len(set(row)) == 5 for row in five.tolist())


def test_the_adjacency_matrix_of_the_book_s_chain():
    """Fig. 10.5: a chain of five with self-loops; entries 1/2, 1/sqrt(6), 1/3."""
    chain = np.eye(5, k=1) + np.eye(5, k=-1)
    found = normalized_adjacency(chain)
    np.testing.assert_allclose(np.diag(found), [1 / 2, 1 / 3, 1 / 3, 1 / 3, 1 / 2], rtol=1e-6)
    np.testing.assert_allclose(np.diag(found, 1), [6**-0.5, 1 / 3, 1 / 3, 6**-0.5], rtol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(normalized_adjacency(np.stack([chain, chain]))[1], found)


def test_eigenvalues_of_the_book_s_graph_and_of_a_ring():
    """Example 10.1 without its self-loop; a ring has 1 - cos(2 pi m / n)."""
    eigenvalues = np.linalg.eigvalsh(laplacian(SIX))
    np.testing.assert_allclose(eigenvalues, [0, 0.592, 0.771, 1.408, 1.5, 1.729], atol=6e-4)
    ring = np.roll(np.eye(12), 1, axis=0) + np.roll(np.eye(12), -1, axis=0)
    exact = np.sort(1 - np.cos(2 * np.pi * np.arange(12) / 12))
    np.testing.assert_allclose(np.linalg.eigvalsh(laplacian(ring)), exact, atol=1e-12)
    scaled = np.linalg.eigvalsh(scaled_laplacian(SIX))
    np.testing.assert_allclose(scaled[[0, -1]], [-1, 1], atol=1e-6)
    np.testing.assert_allclose(scaled_laplacian(SIX, largest=2.0), laplacian(SIX) - np.eye(6), atol=1e-6)


def test_the_laplacian_measures_roughness():
    """f^T (D - A) f = sum over edges of w (f_i - f_j)^2."""
    weights = np.triu(RANDOM.uniform(size=(8, 8)), 1)
    f = RANDOM.normal(size=8)
    rough = (weights * (f[:, None] - f) ** 2).sum()
    assert f @ laplacian(weights + weights.T, normalized=False) @ f == pytest.approx(rough)


def test_a_node_without_edges_gives_zeros_and_no_warning():
    lonely = np.zeros((3, 3))
    lonely[0, 1] = lonely[1, 0] = 2.0
    np.testing.assert_array_equal(normalized_adjacency(lonely, self_loops=False)[2], 0)
    np.testing.assert_array_equal(laplacian(lonely)[2], 0)
    assert normalized_adjacency(lonely)[2, 2] == 1
