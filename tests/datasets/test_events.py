"""Sets of events: what is handed out is what was simulated, scaled as documented and divided without overlap."""

import numpy as np
import pytest

from dlphys.datasets import _events as sets
from dlphys.simulators import events

LOADERS = [
    sets.load_neutrino_displays,
    sets.load_tpc_pixels,
    sets.load_scenes,
    sets.load_tracker_hits,
    sets.load_single_molecules,
    sets.load_stm,
]


def joined(data, kind, key=None):
    """All events of a set in the order in which they were made."""
    parts = [getattr(data, f"{kind}_{part}") for part in ("train", "validation", "test")]
    return np.concatenate([part if key is None else part[key] for part in parts])


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
def test_parts_types_and_words(load, capsys):
    data = load(40, seed=1)
    assert capsys.readouterr().out == f"{load.__name__.removeprefix('load_')}: simulated\n"
    assert data.about.source == "simulated"
    assert data.about.flaws
    assert data.about.citation
    assert [len(part) for part in (data.extra_train, data.extra_test)]
    first = data.x_train if isinstance(data.x_train, np.ndarray) else data.x_train["nodes"]
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert len(first) == 28
    assert len(next(iter(data.extra_validation.values()))) == 4
    assert len(next(iter(data.extra_test.values()))) == 8


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
def test_the_same_seed_gives_the_same_set(load):
    first, again = load(12, seed=3), load(12, seed=3)
    for (_, a), (_, b) in zip(first._arrays(), again._arrays(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_displays_are_logarithms_of_energies():
    data = sets.load_neutrino_displays(30, seed=2, preset="physics")
    sample = events.neutrino_displays(30, seed=2, preset="physics")
    np.testing.assert_allclose(np.expm1(joined(data, "x")), sample.images, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(joined(data, "y"), sample.label)
    np.testing.assert_array_equal(joined(data, "extra", "lepton_energy"), sample.lepton_energy)


def test_pixels_and_their_truth_belong_together():
    data, sample = sets.load_tpc_pixels(30, seed=2, size=32), events.tpc_pixels(30, seed=2, size=32)
    np.testing.assert_array_equal(joined(data, "x")[..., 0], np.log1p(sample.energy))
    np.testing.assert_array_equal(joined(data, "y"), sample.truth)


def test_edges_are_labelled_by_their_hits():
    data, sample = sets.load_tracker_hits(30, seed=2), events.tracker_hits(30, seed=2, preset="physics")
    edges, mask, y = joined(data, "x", "edges"), joined(data, "x", "mask"), joined(data, "y")
    nodes, particle = joined(data, "x", "nodes"), joined(data, "extra", "particle")
    assert set(np.unique(mask)) == {0.0, 1.0}
    assert (y[mask == 0] == 0).all()
    assert 0.35 < y[mask == 1].mean() < 0.65
    event, edge = np.nonzero(mask)
    inner, outer = edges[event, edge].T
    np.testing.assert_array_equal(
        y[event, edge] == 1,
        (particle[event, inner] == particle[event, outer]) & (particle[event, inner] >= 0),
    )
    layer = np.rint(10 * nodes[..., 3])
    np.testing.assert_array_equal(layer[event, outer], layer[event, inner] + 1)
    radius = np.hypot(nodes[..., 0], nodes[..., 1])
    features = joined(data, "x", "features")[event, edge]
    np.testing.assert_allclose(features[:, 0], radius[event, outer] - radius[event, inner], atol=1e-6)
    assert np.abs(features[:, 1]).max() < np.pi
    # every true segment of the simulation is among the candidates
    assert y.sum() == (sample.edges[..., 0] >= 0).sum()


def test_voxels_belong_to_the_positions():
    data = sets.load_single_molecules(30, seed=2, molecules=2)
    occupied, inside = events.voxel_targets(joined(data, "extra", "positions"))
    np.testing.assert_array_equal(joined(data, "y", "occupied"), occupied)
    np.testing.assert_array_equal(joined(data, "y", "inside"), inside)
    sample = events.single_molecules(30, seed=2, molecules=2)
    np.testing.assert_allclose(100 * joined(data, "x")[..., 0], sample.images, rtol=1e-6)


def test_gaps_are_measured_and_the_truth_is_beside():
    data, sample = sets.load_stm(30, seed=2, size=32), events.stm_topographs(30, seed=2, size=32)
    np.testing.assert_allclose(20 * joined(data, "x")[..., 0], sample.height, rtol=1e-6)
    np.testing.assert_array_equal(joined(data, "y")[..., 0], sample.measured_gap)
    assert (joined(data, "y") - joined(data, "extra", "gap")).std() == pytest.approx(0.5, rel=0.03)


def test_boxes_belong_to_the_pictures():
    data, sample = sets.load_scenes(30, seed=2), events.scenes(30, seed=2)
    np.testing.assert_array_equal(joined(data, "y", "boxes"), sample.boxes)
    np.testing.assert_array_equal(joined(data, "y", "kind"), sample.kind)
