"""Zachary's karate club: a graph of 34 people, four groups, four labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._source import announce

if TYPE_CHECKING:
    import networkx

# The partition of the club into groups of greatest modularity: 0.4198, proven by U. Brandes et al., IEEE Trans. Knowl.
# Data Eng. 20 (2008) 172. Found here as the best of 200 runs of Louvain's method in networkx, which depends on its
# seed; therefore a table. Groups are numbered by their first member.
GROUPS = (0, 0, 0, 0, 1, 1, 1, 0, 2, 2, 1, 0, 0, 0, 2, 2, 1, 0, 2, 0, 2, 0, 2, 3, 3, 3, 2, 3, 3, 2, 2, 3, 2, 2)
LABELLED = (4, 19, 31, 33)  # one of each group; the four members whose labels the book's exercise uses
FACTIONS = ("Mr. Hi", "Officer")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GraphDataset(Dataset):
    """A `Dataset` whose events are the nodes of one graph, seen as a whole.

    A graph network takes all nodes at once and is told the labels of some: ``features`` and ``adjacency`` are its
    inputs, ``labels`` with ``mask_train`` its targets. ``x_train`` is ``features[mask_train]``, and so on.

    Attributes
    ----------
    adjacency : array, (n, n), float32
        1 where two nodes are joined; the diagonal is 0.
    features : array, (n, k), float32
    labels : array, (n,), int64
    mask_train, mask_validation, mask_test : array, (n,), bool
        Every node is in one of them.
    graph : networkx.Graph
        The same, with the labels as node attribute "group".
    """

    adjacency: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    mask_train: np.ndarray
    mask_validation: np.ndarray
    mask_test: np.ndarray
    graph: networkx.Graph = field(compare=False)


def load_karate_club() -> GraphDataset:
    """Zachary's karate club: who of 34 members met outside the club, and four groups among them.

    Returns
    -------
    GraphDataset
        adjacency (34, 34) float32 without weights (78 edges); features (34, 34) float32, the unit matrix: a member is
        known by the number only; labels (34,) int64, groups 0 to 3; mask_train: members 4, 19, 31 and 33, one of each
        group, as in the book's exercise; mask_validation 10 and mask_test 20 of the others.
        extra["member"] (n,) int64, the number, and extra["faction"] (n,) int64, the side taken when the club split:
        0 with its teacher Mr. Hi, 1 with the officers.

    Notes
    -----
    The club split into two, not four: the four groups are those of greatest modularity (0.4198). The book's file has
    another division, equal for 31 of the 34 members up to the numbering, of modularity 0.4094; its keys are ``adj``,
    ``features``, ``labels_one_hot``. Choose a model by the validation members, and look at the test members once.

    Source: W. W. Zachary, J. Anthropol. Res. 33 (1977) 452; the graph is the one that networkx ships.

    Examples
    --------
    >>> club = load_karate_club()
    karate_club: included in networkx
    >>> club.adjacency.shape, int(club.adjacency.sum()) // 2, club.labels[club.mask_train].tolist()
    ((34, 34), 78, [1, 0, 3, 2])
    """
    import networkx  # 0.2 s, needed only here

    graph = networkx.karate_club_graph()
    members = np.arange(len(GROUPS))
    labels = np.array(GROUPS, np.int64)
    factions = np.array([FACTIONS.index(graph.nodes[member]["club"]) for member in members], np.int64)
    networkx.set_node_attributes(graph, dict(enumerate(labels.tolist())), "group")
    adjacency = networkx.to_numpy_array(graph, nodelist=members.tolist(), weight=None, dtype=np.float32)
    features = np.eye(len(members), dtype=np.float32)
    train = np.isin(members, LABELLED)
    validation = np.isin(members, members[~train][1::3])
    masks = {"train": train, "validation": validation, "test": ~train & ~validation}
    announce("karate_club", "included in networkx")
    values: dict[str, Any] = {}
    for part, mask in masks.items():
        values[f"x_{part}"], values[f"y_{part}"], values[f"mask_{part}"] = features[mask], labels[mask], mask
        values[f"extra_{part}"] = {"member": members[mask].astype(np.int64), "faction": factions[mask]}
    about = About(
        title="Zachary's karate club: 34 members, 78 friendships, four groups",
        source="included",
        units={f"is member {member}": "0 or 1" for member in members.tolist()},
        target_units={"group": "0 to 3"},
        extra_units={"member": "0 to 33", "faction": "0 with Mr. Hi, 1 with the officers"},
        made="observed by W. W. Zachary from 1970 to 1972; the groups are the partition of greatest modularity, 0.4198",
        licence="BSD 3-Clause, with networkx; the groups MIT, as this package",
        citation="W. W. Zachary, J. Anthropol. Res. 33 (1977) 452, doi:10.1086/jar.33.4.3629752",
        flaws=(
            "the club split into two factions; four groups are a result of graph theory, not of observation",
            "30 members without label: an accuracy moves in steps of 3 %",
        ),
        classes=tuple(f"group {group}" for group in range(4)),
    )
    return GraphDataset(
        name="karate_club", about=about, adjacency=adjacency, features=features, labels=labels, graph=graph,
        **values,
    )  # fmt: skip
