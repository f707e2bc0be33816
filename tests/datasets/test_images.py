"""MNIST and its stand-in."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from dlphys.datasets import _cache, _digits, load_mnist


@pytest.fixture(scope="module")
def made():
    """A tenth of the stand-in: five images of each training digit."""
    return _digits.make_stand_in(6000, 2000)


def test_no_digit_serves_training_and_test(made):
    train, test = set(made["original_train"].tolist()), set(made["original_test"].tolist())
    assert not train & test
    assert (len(train), len(test)) == (1200, 597)


def test_the_last_training_images_have_digits_of_their_own():
    """So that the default validation part, 5000 of 60 000, shares no digit with the rest."""
    original = np.arange(60_000) * _digits.TRAIN_ORIGINALS // 60_000
    assert not set(original[:55_000]) & set(original[55_000:])


def test_the_stand_in_is_in_the_layout_of_mnist(made):
    assert made["x_train"].shape == (6000, 28, 28)
    assert made["x_train"].dtype == made["y_train"].dtype == np.uint8
    assert np.bincount(made["y_train"], minlength=10).min() > 540
    assert made["x_train"][:, [0, -1]].mean() < 2, "digits do not touch the edge"
    assert 25 < made["x_train"].mean() < 55, "real: 33"


def test_images_of_one_digit_differ(made):
    first = made["x_train"][made["original_train"] == made["original_train"][0]].astype(float)
    assert len(first) == 5
    assert (np.abs(first - first[0]).mean(axis=(1, 2))[1:] > 3).all()


def linear_accuracy(x_train, y_train, x_test, y_test):
    model = LogisticRegression(C=0.3, tol=0.001, max_iter=200)
    model.fit(x_train.reshape(len(x_train), -1).astype(np.float32), y_train)
    return model.score(x_test.reshape(len(x_test), -1).astype(np.float32), y_test)


def test_the_stand_in_is_as_hard_for_a_linear_classifier_as_mnist(made):
    """Real MNIST, 6000 training images: 0.90. The test images are made of 597 digits: an error of 0.012."""
    images = (made["x_train"] / 255, made["y_train"], made["x_test"] / 255, made["y_test"])
    assert 0.87 < linear_accuracy(*images) < 0.95


def test_the_loader_mixes_digits_and_keeps_the_stand_in(monkeypatch, capsys, cache):
    calls = []
    small = {
        f"{kind}_{part}": np.zeros((n, 28, 28)[: 3 if kind == "x" else 1], np.uint8)
        for part, n in (("train", 60_000), ("test", 10_000))
        for kind in "xy"
    }
    small["y_train"] = (np.arange(60_000) // 6000).astype(np.uint8)
    monkeypatch.setattr(_digits, "make_stand_in", lambda: calls.append(1) or small)
    first, second = load_mnist(stand_in=True), load_mnist(stand_in=True)
    assert len(calls) == 1
    assert first.x_train.shape == (55_000, 28, 28, 1)
    assert set(first.y_train[:1000]) == set(range(10)), "not in the order of the digits"
    np.testing.assert_array_equal(first.y_train, second.y_train)
    assert sorted(first.y_validation) == sorted(small["y_train"][55_000:])
    assert "597" in first.about.flaws[0]
    assert len(list((cache / "stand-in").iterdir())) == 1


def test_a_damaged_stand_in_in_the_cache_is_made_again(cache):
    arrays = {"a": np.arange(1000)}
    for spoil in (lambda path: path.write_bytes(b""), lambda path: path.write_bytes(path.read_bytes()[:300])):
        _, recalled = _cache.recall("stand-in", "demo", {"n": 1}, _digits, ("a",), lambda: arrays)
        assert not recalled
        (path,) = (cache / "stand-in").iterdir()
        assert _cache.recall("stand-in", "demo", {"n": 1}, _digits, ("a",), lambda: arrays)[1]
        spoil(path)


@pytest.mark.real_data
def test_real_mnist_has_the_known_classes(real_mirror):
    data = load_mnist(stand_in=False)
    y = np.concatenate([data.y_train, data.y_validation])
    assert data.about.source == "mirror"
    assert data.x_test.shape == (10_000, 28, 28, 1)
    assert np.bincount(y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.x_train.max() == 1
    assert data.x_train.min() == 0
    assert round(float(data.x_train.mean(dtype=float)), 2) == 0.13


@pytest.mark.real_data
def test_real_mnist_and_the_stand_in_are_equally_hard_for_a_linear_classifier(real_mirror, made):
    data = load_mnist(stand_in=False)
    real = linear_accuracy(data.x_train[:6000], data.y_train[:6000], data.x_test, data.y_test)
    images = (made["x_train"] / 255, made["y_train"], made["x_test"] / 255, made["y_test"])
    assert abs(real - linear_accuracy(*images)) < 0.04, "three errors of 597 draws"
