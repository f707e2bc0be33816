"""Drawn garments and objects: exact coverage, reproducible sets, classes that overlap where the real ones do."""

import os
import subprocess
import sys

import numpy as np
import pytest

from dlphys.datasets import _garments, _objects, load_cifar10, load_fashion_mnist
from dlphys.datasets._render import Canvas, curve, drawn_set, ellipse, mirrored, outline, ribbon, smooth_noise


def canvas(n=1, size=16, scale=1.0, shift=0.0):
    linear = np.tile(scale * np.eye(2), (n, 1, 1))
    return Canvas(np.zeros((n, size, size, 1), np.float32), linear, np.full((n, 2), shift), np.zeros((n, 2)))


def covered(shape, size=16, smooth=False):
    sheet = canvas(size=size)
    sheet.fill(shape, np.ones(1), smooth=smooth)
    return sheet.images[0, ..., 0]


def shoelace(points):
    x, y = points.T
    return 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def test_the_brightness_of_a_polygon_is_its_area():
    """Shoelace formula, for convex polygons of any orientation inside the picture."""
    random = np.random.default_rng(1)
    for _ in range(200):
        angle = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 9)))[:: random.choice([-1, 1])]
        points = 8 + 7.5 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        assert covered(points[None]).sum() == pytest.approx(shoelace(points), abs=2e-3)


def test_each_pixel_has_the_share_that_is_covered():
    """A rectangle from (1.25, 2.5) to (3.5, 4): products of the shares of columns and rows."""
    picture = covered(outline((1.25, 2.5), (3.5, 2.5), (3.5, 4.0), (1.25, 4.0)))
    columns, rows = np.zeros(16), np.zeros(16)
    columns[1:4], rows[2:4] = (0.75, 1, 0.5), (0.5, 1)
    np.testing.assert_allclose(picture, np.outer(rows, columns), atol=1e-6)


def test_a_shape_that_leaves_the_picture_is_cut():
    picture = covered(outline((-5.0, -5.0), (30.0, -5.0), (30.0, 4.0), (-5.0, 4.0)))
    np.testing.assert_allclose(picture[:4], 1, atol=1e-6)
    assert (picture[4:] == 0).all()


def test_a_smooth_ellipse_has_its_area():
    """pi a b; the curve through ten points is inside by less than 1 %."""
    area = covered(ellipse(8.0, 8.0, 6.0, 3.0), smooth=True).sum()
    assert area == pytest.approx(18 * np.pi, rel=0.01)


def test_opacity_and_colour_blend():
    sheet = canvas(2)
    square = outline((0.0, 0.0), (16.0, 0.0), (16.0, 16.0), (0.0, 16.0)).repeat(2, axis=0)
    sheet.fill(square, np.array([0.8, 0.8]), smooth=False)
    sheet.fill(square, np.array([0.2, 0.2]), opacity=np.array([0.0, 0.5]), smooth=False)
    np.testing.assert_allclose(sheet.images.mean(axis=(1, 2, 3)), [0.8, 0.5], rtol=1e-6)


def test_shapes_are_what_they_say():
    half = outline((1.0, -1.0), (2.0, 0.0), (1.0, 1.0))
    both = mirrored(half)[0]
    assert sorted(map(tuple, both)) == sorted(map(tuple, both * (-1, 1)))
    assert shoelace(ribbon(outline((0.0, 0.0), (5.0, 0.0), (10.0, 0.0)), 0.5)[0]) == pytest.approx(5.0)
    points = np.random.default_rng(1).normal(size=(2, 6, 2))
    np.testing.assert_allclose(curve(points)[:, ::4], points)
    noise = smooth_noise(np.random.default_rng(1), 500, 28, 7)
    assert noise.std() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("module", "shape"), [(_garments, (28, 28)), (_objects, (32, 32, 3))])
def test_a_drawn_set_is_in_the_layout_of_the_real_one(module, shape):
    made = module.make_stand_in(2500, 1000)
    assert made["x_train"].shape == (2500, *shape)
    assert made["x_test"].shape == (1000, *shape)
    assert made["x_train"].dtype == made["y_train"].dtype == np.uint8
    assert np.bincount(made["y_train"][:2000], minlength=10).tolist() == [200] * 10
    assert np.bincount(made["y_test"], minlength=10).tolist() == [100] * 10
    fewer = module.make_stand_in(1500, 10)
    np.testing.assert_array_equal(fewer["x_train"], made["x_train"][:1500])
    assert len({picture.tobytes() for picture in made["x_train"]} & {p.tobytes() for p in made["x_test"]}) == 0
    assert len({picture.tobytes() for picture in made["x_train"]}) == 2500


CHILD = """
import hashlib
from dlphys.datasets import {module}
made = {module}.make_stand_in(4000, 10)
print(*(hashlib.sha256(made[key].tobytes()).hexdigest() for key in sorted(made)))
"""


def test_one_set_for_any_number_of_threads():
    outputs = set()
    for threads in ("1", "3"):
        child = CHILD.format(module="_objects")
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        outputs.add(subprocess.run([sys.executable, "-c", child], env=environment, capture_output=True).stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 4


def test_the_ground_of_garments_is_black_and_they_fill_the_picture():
    """Real Fashion-MNIST: half of all pixels are zero, the mean is 73."""
    made = _garments.make_stand_in(2000, 10)["x_train"]
    assert 0.4 < (made == 0).mean() < 0.65
    assert 40 < made.mean() < 90
    for picture in made[:200]:
        rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) > 18


def test_shirts_are_taken_for_what_real_shirts_are_taken_for():
    """Real set: most errors lie between shirt, T-shirt, pullover and coat; trousers and bags are hardly confused."""
    from sklearn.linear_model import LogisticRegression

    made = _garments.make_stand_in(5000, 3000)
    x_train, x_test = (made[key].reshape(len(made[key]), -1) / np.float32(255) for key in ("x_train", "x_test"))
    found = LogisticRegression(C=0.01, tol=1e-2, max_iter=60).fit(x_train, made["y_train"]).predict(x_test)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (made["y_test"], found), 1)
    wrong = confusion - np.diag(np.diag(confusion))
    upper = [0, 2, 4, 6]
    assert wrong[np.ix_(upper, upper)].sum() > 0.6 * wrong.sum()
    assert wrong.sum(axis=1).argmax() == 6, "shirt"
    assert wrong[[5, 7, 9]].sum() - wrong[np.ix_([5, 7, 9], [5, 7, 9])].sum() < 0.05 * wrong.sum()


def test_blue_scenes_are_those_of_aeroplanes_and_ships():
    """Colour tells something, not everything: what a linear classifier lives on."""
    made = _objects.make_stand_in(3000, 10)
    picture = made["x_train"].astype(float)
    bluer = (picture[..., 2] - picture[..., 0]).mean(axis=(1, 2))
    mean = np.array([bluer[made["y_train"] == kind].mean() for kind in range(10)])
    assert set(mean.argsort()[-2:]) == {0, 8}
    assert (bluer[made["y_train"] == 0] < mean[5]).mean() > 0.05


@pytest.mark.parametrize(
    ("load", "shape", "n", "module"),
    [(load_fashion_mnist, (28, 28, 1), 60_000, _garments), (load_cifar10, (32, 32, 3), 50_000, _objects)],
)
def test_the_loader_gives_pictures_ready_to_train(load, shape, n, module, monkeypatch, cache):
    small = {
        "x_train": np.zeros((n, *shape[: 2 if shape[-1] == 1 else 3]), np.uint8),
        "y_train": (np.arange(n) % 10).astype(np.uint8),
        "x_test": np.full((10_000, *shape[: 2 if shape[-1] == 1 else 3]), 255, np.uint8),
        "y_test": np.zeros(10_000, np.uint8),
    }
    monkeypatch.setattr(module, "make_stand_in", lambda: small)
    data = load(stand_in=True, validation=1000)
    assert data.x_train.shape == (n - 1000, *shape)
    assert data.x_train.dtype == np.float32
    assert data.x_test.max() == 1
    assert data.y_train.dtype == np.int64
    assert (data.about.source, data.about.licence) == ("stand-in", "MIT, as this package")
    assert len(list((cache / "stand-in").iterdir())) == 1


def test_a_set_may_be_shorter_than_a_block():
    made = drawn_set(
        lambda kind, n, random: np.full((n, 2, 2), kind, np.uint8), (2, 2), {"train": 30, "test": 1}, 1, "tiny"
    )
    np.testing.assert_array_equal(made["x_train"][:, 0, 0], made["y_train"])
