"""How the jet simulator behaves as a program; its physics is tested in tests/physics."""

import dataclasses
import hashlib

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import jets
from dlphys.simulators._jets_arrays import check_constituents
from dlphys.simulators._jets_events import workspace
from dlphys.simulators._jets_shower import coupling_at_cut, shower

MAKERS = {
    "simulate": jets.simulate,
    "lund": jets.simulate_lund,
    "zprime": jets.simulate_zprime,
    "b": jets.simulate_b_jets,
}


@pytest.fixture(scope="module")
def sample():
    return jets.simulate(300, seed=1, kinds=["gluon", "quark", "top"], radius=0.8)


def same(a, b):
    pairs = zip(a.arrays().values(), b.arrays().values(), strict=True)
    return all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in pairs)


def test_arrays_have_the_documented_shapes_and_types():
    """Docstring of simulate."""
    made = jets.simulate(20, seed=1, constituents=30, preset="physics")
    shapes = {name: (array.shape, array.dtype.name) for name, array in made.arrays().items()}
    assert shapes == {
        "constituents": ((20, 30, 4), "float32"), "charge": ((20, 30), "int8"), "prong": ((20, 30), "int8"),
        "count": ((20,), "int32"), "kind": ((20,), "int8"), "label": ((20,), "int8"), "parent": ((20, 4), "float64"),
    }  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_one_seed_gives_the_same_jets_for_any_number_of_threads_and_of_jets(name, monkeypatch):
    """Design: streams belong to blocks, so neither the workers nor what follows matters."""
    make, n = MAKERS[name], 4 * jets.BLOCK + 9 if name != "lund" else 4 * 4096 + 9
    if name == "zprime":
        n = jets.BLOCK + 9  # slow
    monkeypatch.setattr(_blocks, "thread_count", lambda: 1)
    one = make(n, seed=3)
    monkeypatch.setattr(_blocks, "thread_count", lambda: 3)
    assert same(one, make(n, seed=3))
    few = make(40, seed=3)
    assert same(few, dataclasses.replace(one, **{key: array[:40] for key, array in one.arrays().items()}))
    assert not same(few, make(40, seed=4))


def test_integers_are_those_of_the_golden_hash():
    """Charges, prongs, counts and labels of one seed, on every machine."""
    made = jets.simulate(200, seed=5, kinds=["gluon", "quark", "w", "top", "bottom"], radius=0.8)
    joined = b"".join(np.ascontiguousarray(a).tobytes() for a in (made.count, made.label, made.kind))
    assert hashlib.sha256(joined).hexdigest()[:16] == "4b168a1aeb4cf61f"


def test_constituents_are_sorted_and_padded_with_zeros(sample):
    pt = sample.constituents[..., 0]
    assert (np.diff(pt, axis=1) <= 0).all()
    filled = np.arange(pt.shape[1]) < sample.count[:, None]
    assert ((pt > 0) == filled).all()
    assert (sample.constituents[~filled] == 0).all()
    assert (sample.charge[~filled] == 0).all()
    assert np.abs(sample.constituents[..., 2]).max() <= np.float32(np.pi)


def test_constituents_add_up_to_what_made_the_jet(sample):
    """In float32, as they are stored; the exact statement is in tests/physics."""
    complete = sample.count < sample.constituents.shape[1]
    total = jets.jet_momentum(sample.constituents)
    np.testing.assert_allclose(total[complete], sample.parent[complete], atol=2e-3)
    top = sample.label == 2
    np.testing.assert_allclose(jets.jet_mass(sample.constituents)[top & complete], jets.TOP_MASS, atol=0.02)


def test_labels_kinds_and_prongs_say_what_a_jet_is(sample):
    np.testing.assert_array_equal(np.array([0, 1, 5])[sample.label], sample.kind)
    filled = sample.constituents[..., 0] > 0
    for label, prongs in ((0, {0}), (1, {0}), (2, {1, 2, 3})):
        assert set(np.unique(sample.prong[sample.label == label][filled[sample.label == label]])) == prongs
    mixed = jets.simulate(400, seed=2, kinds=["qcd", "w"], gluon_fraction=0.25)
    assert set(mixed.kind[mixed.label == 0]) == {0, 1}
    assert 0.1 < (mixed.kind[mixed.label == 0] == 0).mean() < 0.4


def prong_distances(made):
    """How far the three prongs of top jets lie from the axis of their jet; (n, 3)."""
    momenta = jets.four_momenta(made.constituents.astype(float))
    sums = np.stack([(momenta * (made.prong == prong)[..., None]).sum(1) for prong in (1, 2, 3)], 1)
    axis = jets.jet_axis(made.constituents)
    eta, phi = np.arcsinh(sums[..., 3] / np.hypot(sums[..., 1], sums[..., 2])), np.arctan2(sums[..., 2], sums[..., 1])
    turn = (phi - axis[:, 1:] + np.pi) % (2 * np.pi) - np.pi
    return np.hypot(eta - axis[:, :1], turn)


def test_contained_decays_lie_inside_the_radius():
    """All three quarks of a merged top lie within the radius, up to what radiation moves their sums."""
    options = {"kinds": ["top"], "pt": [400.0, 420.0], "radius": 0.8}
    tops, free = (jets.simulate(300, seed=6, contained=contained, **options) for contained in (True, False))
    assert (prong_distances(tops).max(1) < 0.85).mean() > 0.97
    assert (prong_distances(free).max(1) < 0.85).mean() < 0.8


@pytest.mark.parametrize("flavour", ["quark", "gluon"])
def test_the_fast_shower_agrees_with_the_plain_one(flavour):
    """Number of partons: mean and spread; two ways of drawing from the same densities."""
    setting, work = coupling_at_cut(jets.ALPHA_S, True, 1.0), workspace()
    random, code = np.random.default_rng(9), {"quark": 2, "gluon": 0}[flavour]
    fast = [
        shower(random, code, 200.0, 0.0, 0.0, 0.4, 1.0, *setting, work.partons, work.flavours) for _ in range(20_000)
    ]
    slow = [len(jets.shower_plain(200.0, flavour=flavour, seed=random)) for _ in range(500)]
    error = np.std(fast) / np.sqrt(len(slow))
    assert abs(np.mean(slow) - np.mean(fast)) < 4 * error
    assert 0.8 < np.std(slow) / np.std(fast) < 1.25


def test_the_detector_and_pile_up_change_what_is_seen_and_nothing_else():
    ideal, real = (jets.simulate(300, seed=7, preset=preset) for preset in ("book", "physics"))
    assert (real.constituents[..., 0][real.constituents[..., 0] > 0] > 0.5).all()
    assert (real.prong == -1).sum() > 0
    assert (ideal.prong >= 0).all()
    forced = jets.simulate(300, seed=7, preset="physics", detector=False, pile_up=0)
    assert same(forced, ideal)


def test_a_jet_that_the_detector_loses_is_made_again():
    """Soft jets of few particles: never an empty one."""
    soft = jets.simulate(2000, seed=8, preset="physics", pt=[10.0, 10.0], kt_cut=5.0, pile_up=0.0)
    assert soft.count.min() >= 1


def test_jet_images_are_the_composition_of_their_steps(sample):
    """The compiled loop beside the single steps; particles on the edge of a pixel may fall to either side."""
    c = sample.constituents
    for turned in (False, True):
        positions = jets.centre(c)
        if turned:
            positions = jets.flip(jets.rotate(positions, c[..., 0]), c[..., 0])
        weights = jets.channel_weights(c, sample.charge)
        plain = jets.normalise(jets.pixelise(positions, weights, size=20, half_width=0.8))
        fast = jets.jet_images(c, sample.charge, size=20, half_width=0.8, turned=turned, normalised=True)
        assert (np.abs(fast - plain) > 1e-5).sum() <= 4
    grey = jets.jet_images(c, size=20, half_width=0.8)[..., 0]
    three = jets.jet_images(c, sample.charge, size=20, half_width=0.8)
    np.testing.assert_allclose(grey, three[..., 0] + three[..., 1], rtol=1e-5, atol=1e-3)


def test_an_image_holds_the_momentum_and_the_charged_particles(sample):
    """Up to the rare particle that flies backwards, beyond 3.1 in eta."""
    image = jets.jet_images(sample.constituents, sample.charge, size=16, half_width=3.1)
    np.testing.assert_allclose(image[..., :2].sum((1, 2, 3)), sample.constituents[..., 0].sum(1), rtol=1e-2)
    missing = np.count_nonzero(sample.charge, axis=1) - image[..., 2].sum((1, 2))
    assert ((missing >= 0) & (missing <= 2)).all()
    assert missing.mean() < 0.1


def test_the_azimuth_is_continued_over_its_cut():
    jet = np.array([[[10.0, 0.0, np.pi - 0.05, 0.0], [10.0, 0.0, -np.pi + 0.05, 0.0]]])
    np.testing.assert_allclose(jets.centre(jet)[0, :, 1], [-0.05, 0.05], atol=1e-12)
    np.testing.assert_allclose(jets.angularity(jet, radius=0.05), 1.0)
    assert jets.subjets(jet, radius=0.3).max() == 0
    assert jets.jet_images(jet, size=3, half_width=0.3).max() == 20


@pytest.mark.parametrize("algorithm", ["anti-kt", "cambridge", "kt"])
@pytest.mark.parametrize("radius", [0.15, 0.4])
def test_fast_clustering_agrees_with_looking_at_all_pairs(sample, algorithm, radius):
    """The nearest-neighbour version against the brute-force one, jet by jet."""
    labels = jets.subjets(sample.constituents[:40], radius=radius, algorithm=algorithm)
    for jet, label in zip(sample.constituents[:40], labels, strict=True):
        found = [np.flatnonzero(label == i).tolist() for i in range(label.max() + 1)]
        assert sorted(found) == sorted(jets.clustering_plain(jet, algorithm=algorithm, radius=radius))


@pytest.mark.parametrize("algorithm", ["anti-kt", "cambridge", "kt"])
def test_a_tree_holds_every_constituent_once_and_adds_momenta(sample, algorithm):
    """Children come before their parents; the root is the jet."""
    tree = jets.clustering_tree(sample.constituents, algorithm=algorithm)
    k = sample.constituents.shape[1]
    for i in range(30):
        children, momenta = tree.children[i], tree.momenta[i].astype(float)
        assert tree.root[i] == (k + sample.count[i] - 2 if sample.count[i] > 1 else 0)
        merged = np.flatnonzero(children[:, 0] >= 0)
        np.testing.assert_array_equal(merged, np.arange(k, k + sample.count[i] - 1))
        assert (children[merged] < merged[:, None]).all()
        used = np.sort(children[merged].ravel())
        np.testing.assert_array_equal(used, np.setdiff1d(np.r_[: sample.count[i], merged], tree.root[i]))
        np.testing.assert_allclose(momenta[children[merged]].sum(1), momenta[merged], rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(
        tree.momenta[np.arange(300), tree.root], jets.jet_momentum(sample.constituents), rtol=1e-4, atol=1e-2
    )


def test_subjettiness_falls_with_the_number_of_axes_and_two_points_have_none(sample):
    tau = jets.n_subjettiness(sample.constituents, radius=0.8)
    assert (np.diff(tau, axis=1) <= 1e-2).mean() > 0.99  # axes are not minimised: rare exceptions
    top = sample.label == 2
    assert np.median(tau[top, 2] / tau[top, 1]) < np.median(tau[~top, 2] / np.maximum(tau[~top, 1], 1e-9))


def test_energy_correlations_agree_with_sums_over_all_pairs_and_triples(sample):
    """Three nested loops in plain Python."""
    jet = sample.constituents[[3], :8].astype(float)
    pt, place = jet[0, :, 0] / jet[0, :, 0].sum(), jet[0, :, 1:3]
    gap = np.abs(place[:, None] - place)
    gap[..., 1] = np.minimum(gap[..., 1], 2 * np.pi - gap[..., 1])
    r = np.hypot(*np.moveaxis(gap, -1, 0)) ** 1.5
    e2 = sum(pt[i] * pt[j] * r[i, j] for i in range(8) for j in range(i))
    e3 = sum(pt[i] * pt[j] * pt[k] * r[i, j] * r[i, k] * r[j, k] for i in range(8) for j in range(i) for k in range(j))
    np.testing.assert_allclose(jets.energy_correlations(jet, beta=1.5)[0], [e2, e3], rtol=1e-12)


def test_grooming_removes_soft_particles_at_wide_angles():
    jet = np.array([[[300.0, 0.1, 0.0, 0.0], [200.0, -0.2, 0.0, 0.0], [2.0, 0.0, 0.7, 0.0], [1.0, 0.6, 0.6, 0.0]]])
    kept, splitting = jets.soft_drop(jet)
    assert kept.tolist() == jets.trim(jet).tolist() == [[True, True, False, False]]
    np.testing.assert_allclose(splitting, [[0.4, 0.3]])
    assert jets.soft_drop(jet, z_cut=0.0)[0].all()
    clean = jets.groomed(jet, kept)
    assert (clean[0, 2:] == 0).all()
    assert jets.multiplicity(clean)[0] == 2


def test_collinear_splitting_and_soft_particles_keep_or_add_momentum(sample):
    split = jets.split_collinear(sample.constituents, seed=1)
    np.testing.assert_allclose(jets.jet_momentum(split), jets.jet_momentum(sample.constituents), rtol=1e-12)
    soft = jets.add_soft(sample.constituents, fraction=0.01, seed=1)
    np.testing.assert_allclose(soft[..., 0].sum(1), 1.01 * sample.constituents[..., 0].sum(1, dtype=float), rtol=1e-12)


def test_b_jets_have_the_documented_layout():
    """Docstring of BJets: NaN after the last track, falling significance, no vertex in most light jets."""
    made = jets.simulate_b_jets(900, seed=2, tracks=10)
    assert made.tracks.shape == (900, 10, 8)
    assert made.vertices.shape == (900, 2, 6)
    assert made.summary.shape == (900, 12)
    assert np.isfinite(made.summary).all()
    missing = np.isnan(made.tracks)
    assert (missing.all(2) == missing.any(2)).all()
    assert (np.diff(missing.all(2).astype(int), axis=1) >= 0).all()
    significance = np.where(missing[..., 1], -np.inf, made.tracks[..., 1])
    assert (significance[:, 1:] <= significance[:, :-1]).all()
    assert (np.isnan(made.flight[:, 0]) == (made.flavour != 2)).all()
    assert (np.isnan(made.flight[:, 1]) == (made.flavour == 0)).all()
    found = ~np.isnan(made.vertices[:, 0, 0])
    np.testing.assert_array_equal(made.summary[:, 8], (~np.isnan(made.vertices[..., 0])).sum(1))
    assert found[made.flavour == 2].mean() > 0.6 > found[made.flavour == 1].mean() > found[made.flavour == 0].mean()


def test_baselines_use_only_what_they_are_given():
    made = jets.simulate_b_jets(900, seed=3)
    score = jets.impact_parameter_ratio(made.tracks[:600], made.flavour[:600] == 2, made.tracks[600:])
    assert score.shape == (300,)
    assert score[made.flavour[600:] == 2].mean() > score[made.flavour[600:] == 0].mean() + 1
    assert (jets.track_counting(made.tracks, rank=3) <= jets.track_counting(made.tracks)).all()


def test_a_sample_is_frozen_and_its_repr_fits_a_screen():
    made = jets.simulate(5, seed=1)
    assert repr(made).startswith("Jets: 5 events")
    assert max(map(len, repr(made).splitlines())) < 100
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.count = None


def test_constituents_of_other_types_are_taken():
    assert check_constituents([[[1, 0, 0, 0]]]).dtype == np.float64
    assert check_constituents(np.zeros((1, 1, 4), np.float32)).dtype == np.float32
