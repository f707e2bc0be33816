"""The karate club: the graph, the four groups, the masks."""

import networkx
import numpy as np
import pytest

from dlphys.datasets._karate import GROUPS, LABELLED, load_karate_club

BOOK = [2, 2, 3, 2, 1, 1, 1, 2, 4, 3, 1, 2, 2, 2, 4, 4, 1, 2, 4, 2, 4, 2, 4, 4, 3, 3, 4, 3, 3, 4, 4, 3, 4, 4]


def modularity(graph, labels):
    groups = [{node for node in graph if labels[node] == label} for label in set(labels)]
    return networkx.community.modularity(graph, groups, weight=None)


@pytest.fixture(scope="module")
def club():
    return load_karate_club()


def test_the_graph_is_the_one_of_zachary(club):
    """34 members, 78 edges; the teacher (0) and the officer (33) know most, and not each other."""
    assert club.adjacency.shape == (34, 34)
    assert (club.adjacency == club.adjacency.T).all()
    assert club.adjacency.sum() == 2 * 78
    assert not club.adjacency.diagonal().any()
    assert sorted(club.adjacency.sum(0).argsort()[-2:].tolist()) == [0, 33]
    assert club.adjacency[0, 33] == 0
    assert club.graph.number_of_edges() == 78


def test_the_groups_have_the_greatest_modularity(club):
    """Brandes et al., IEEE Trans. Knowl. Data Eng. 20 (2008) 172: the maximum is 0.4198, with four groups."""
    best = modularity(club.graph, GROUPS)
    assert best == pytest.approx(0.4198, abs=5e-5)
    for node in range(34):
        for group in range(4):
            moved = list(GROUPS)
            moved[node] = group
            assert modularity(club.graph, moved) <= best


def test_the_groups_are_nearly_those_of_the_book(club):
    """The book's labels, printed in its exercise 16.1, have modularity 0.4094."""
    agreement = np.zeros((4, 4), int)
    np.add.at(agreement, (GROUPS, np.array(BOOK) - 1), 1)
    assert agreement.max(axis=1).sum() == 31
    assert sorted(agreement.argmax(axis=1)) == [0, 1, 2, 3]
    assert modularity(club.graph, BOOK) == pytest.approx(0.4094, abs=1e-4)


def test_every_member_is_in_one_part_and_one_of_each_group_is_labelled(club):
    masks = np.stack([club.mask_train, club.mask_validation, club.mask_test])
    assert (masks.sum(axis=0) == 1).all()
    assert masks.sum(axis=1).tolist() == [4, 10, 20]
    assert sorted(club.labels[list(LABELLED)]) == [0, 1, 2, 3]
    for part, mask in zip(("train", "validation", "test"), masks, strict=True):
        np.testing.assert_array_equal(getattr(club, f"x_{part}"), club.features[mask])
        np.testing.assert_array_equal(getattr(club, f"y_{part}"), club.labels[mask])
        np.testing.assert_array_equal(getattr(club, f"extra_{part}")["member"], np.flatnonzero(mask))


def test_the_factions_are_the_two_of_the_split(club):
    """17 and 17; groups cut across them for no more than two members."""
    faction = np.empty(34, int)
    for part in ("train", "validation", "test"):
        extra = getattr(club, f"extra_{part}")
        faction[extra["member"]] = extra["faction"]
    assert np.bincount(faction).tolist() == [17, 17]
    table = np.zeros((4, 2), int)
    np.add.at(table, (club.labels, faction), 1)
    assert table.min(axis=1).sum() <= 2


def test_types_and_the_line_that_is_printed(capsys):
    club = load_karate_club()
    assert capsys.readouterr().out == "karate_club: included in networkx\n"
    assert club.adjacency.dtype == club.features.dtype == np.float32
    assert club.labels.dtype == np.int64
    assert club.about.source == "included"
    assert [club.graph.nodes[node]["group"] for node in club.graph] == list(GROUPS)
