"""The sets of jets: shapes, units, and what must not leak from one part to another."""

import numpy as np
import pytest

from dlphys.datasets._jets import load_b_jets, load_quark_gluon_jets, load_top_jets, load_zprime_jets
from dlphys.simulators import jets


def parts(data, kind="x"):
    return [getattr(data, f"{kind}_{part}") for part in ("train", "validation", "test")]


def test_quark_gluon_images_are_shares_of_the_momentum_and_numbers():
    """Docstring: squares of the first two channels add up to 1, the third is a number over 10."""
    data = load_quark_gluon_jets(120, seed=1)
    assert [x.shape for x in parts(data)] == [(80, 33, 33, 3), (20, 33, 33, 3), (20, 33, 33, 3)]
    np.testing.assert_allclose((data.x_train[..., :2] ** 2).sum((1, 2, 3)), 1, rtol=1e-5)
    number = 10 * data.x_train[..., 2].sum((1, 2))
    np.testing.assert_allclose(number, np.round(number), atol=1e-3)
    assert (number <= data.extra_train["multiplicity"]).all()
    assert set(np.unique(data.y_train)) == {0, 1}


def test_both_views_of_quark_gluon_jets_are_of_the_same_jets():
    images = load_quark_gluon_jets(60, seed=2)
    lists = load_quark_gluon_jets(60, seed=2, view="constituents", constituents=30)
    np.testing.assert_array_equal(images.y_test, lists.y_test)
    np.testing.assert_array_equal(images.extra_test["mass"], lists.extra_test["mass"])
    x = lists.x_train
    assert x.shape == (40, 30, 5)
    filled = x[..., 3] != 0
    assert (np.exp(x[..., 3]) * filled).sum(1).max() < 1.2
    np.testing.assert_allclose((x[..., 2] - x[..., 3])[filled], np.broadcast_to(
        np.log(lists.extra_train["pt"])[:, None], filled.shape)[filled], rtol=1e-4)  # fmt: skip
    assert (np.abs(x[filled][:, :2]) < 3.2).all()


def test_top_jets_have_the_layout_of_the_reference_set():
    """Zenodo 2603256: up to 200 constituents as E, p_x, p_y, p_z by falling pt, zeros after the last."""
    data = load_top_jets(120, seed=3, constituents=200)
    x = data.x_train.astype(float)
    assert x.shape == (80, 200, 4)
    pt = np.hypot(x[..., 1], x[..., 2])
    assert (np.diff(pt, axis=1) < 1e-3).all()
    assert (x[..., 0] >= np.linalg.norm(x[..., 1:], axis=-1) - 1e-3).all()
    total = x.sum(1)
    mass = np.sqrt(np.maximum(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(1), 0))
    np.testing.assert_allclose(mass, data.extra_train["mass"], rtol=1e-3, atol=0.05)
    assert np.median(data.extra_train["pt"]) == pytest.approx(595, abs=25)


def test_views_of_top_jets_agree_and_trees_end_in_the_jet():
    images = load_top_jets(60, seed=4, view="images")
    trees = load_top_jets(60, seed=4, view="trees", constituents=100)
    assert images.x_train.shape == (40, 40, 40, 1)
    np.testing.assert_allclose((images.x_train**2).sum((1, 2, 3)), 1, rtol=1e-5)
    assert trees.x_train["momenta"].shape == (40, 199, 4)
    assert trees.x_train["children"].shape == (40, 199, 2)
    energy = trees.x_train["momenta"][..., 0].max(1)
    lists = load_top_jets(60, seed=4, constituents=100)
    np.testing.assert_allclose(energy, lists.x_train[..., 0].sum(1), rtol=1e-4)


def test_an_autoencoder_is_trained_on_qcd_only_and_tested_on_both():
    """only_qcd: the test part is that of the full set."""
    full = load_top_jets(120, seed=5, view="images")
    qcd = load_top_jets(120, seed=5, view="images", only_qcd=True)
    assert (qcd.y_train == 0).all()
    assert (qcd.y_validation == 0).all()
    assert len(qcd.y_train) == (full.y_train == 0).sum()
    np.testing.assert_array_equal(qcd.x_test, full.x_test)
    w = load_top_jets(60, seed=5, signal="w")
    assert w.about.classes == ("QCD", "w")


def test_features_of_zprime_jets_are_standardised_with_the_training_part_only():
    """Mean 0 and standard deviation 1 there; a tenth of the background in each decile."""
    data = load_zprime_jets(1000, seed=6)
    np.testing.assert_allclose(data.x_train.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(data.x_train.std(0), 1, atol=1e-4)
    assert (np.abs(data.x_test.mean(0)) > 1e-4).all()
    background = data.extra_train["decile"][data.y_train == 0]
    np.testing.assert_allclose(np.bincount(background, minlength=10) / len(background), 0.1, atol=0.01)
    assert data.about.columns == jets.FEATURES


def test_a_second_call_reads_zprime_jets_from_the_cache(capsys):
    first, second = load_zprime_jets(50, seed=7), load_zprime_jets(50, seed=7)
    assert capsys.readouterr().out.splitlines() == [
        "zprime_jets: simulated", "zprime_jets: simulated before, from the cache",
    ]  # fmt: skip
    np.testing.assert_array_equal(first.x_train, second.x_train)


def test_b_jets_have_three_finite_inputs():
    data = load_b_jets(600, seed=8)
    assert {name: x.shape[1:] for name, x in data.x_train.items()} == {
        "tracks": (15, 8), "vertices": (2, 6), "summary": (12,),
    }  # fmt: skip
    for part in parts(data):
        for x in part.values():
            assert x.dtype == np.float32
            assert np.isfinite(x).all()
    assert set(np.unique(data.y_train)) == {0, 1, 2}
    bottom, light = (data.extra_train["track_counting"][data.y_train == flavour] for flavour in (2, 0))
    assert np.median(bottom) > np.median(light) + 3
    np.testing.assert_allclose(data.x_train["summary"].mean(0), 0, atol=1e-4)


def test_a_generator_as_seed_goes_on():
    random = np.random.default_rng(1)
    first, second = load_b_jets(60, seed=random), load_b_jets(60, seed=random)
    assert (first.x_train["summary"] != second.x_train["summary"]).any()
