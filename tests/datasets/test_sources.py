"""Mirror, cache, download, stand-in: the order, the announcements, and files in every format."""

import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest

from dlphys.datasets import DataUnavailable, StandInWarning, load_cifar10, load_fashion_mnist, load_mnist, load_wine
from dlphys.datasets._registry import registry

SMALL = {"x_train": (60, 28, 28), "y_train": (60,), "x_test": (20, 28, 28), "y_test": (20,)}
COLOUR = {"x_train": (50, 32, 32, 3), "y_train": (50,), "x_test": (10, 32, 32, 3), "y_test": (10,)}


def pictures(shapes, seed=1):
    random = np.random.default_rng(seed)
    return {
        key: random.integers(0, 256 if key[0] == "x" else 10, size=shape, dtype=np.uint8)
        for key, shape in shapes.items()
    }


def npz(arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(head + array.tobytes())


def cifar_tar(arrays):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        parts = np.split(np.arange(50), 5)
        for name, part, rows in (
            *((f"data_batch_{i + 1}", "train", rows) for i, rows in enumerate(parts)),
            ("test_batch", "test", np.arange(10)),
        ):
            images = arrays[f"x_{part}"][rows].transpose(0, 3, 1, 2).reshape(len(rows), 3072)
            content = pickle.dumps({b"data": images, b"labels": arrays[f"y_{part}"][rows].tolist()}, protocol=2)
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(folder))
    return folder


def test_the_mirror_comes_before_cache_and_network(wine_online, server, wine_file, mirror, capsys):
    load_wine()
    (mirror / "winequality-white.csv").write_bytes(wine_file)
    assert load_wine().about.source == "mirror"
    assert len(server.requests) == 1
    assert capsys.readouterr().out.splitlines()[1] == "wine: from the mirror DLPHYS_DATA_DIR"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda text: b"\n".join(text.splitlines()[:50]), "table in winequality-white.csv has shape (49, 12)"),
        (lambda text: text[:-9], "cannot be read"),
        (lambda text: text.replace(b"pH", b"ph"), "its columns are"),
        (lambda text: text.replace(b";6\n", b";nan\n"), "holds entries that are not numbers"),
        (lambda text: b"", "its columns are"),
    ],
)
def test_a_mirror_with_something_else_is_said_and_passed_over(wine_online, wine_file, mirror, spoil, reason, capsys):
    (mirror / "winequality-white.csv").write_bytes(spoil(wine_file))
    data = load_wine()
    assert data.about.source == "download"
    (line,) = capsys.readouterr().out.splitlines()
    assert "mirror: what lies there is not the set" in line
    assert reason in line


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"y_test": None}, "it lacks the key 'y_test'"),
        ({"x_train": np.zeros((59, 28, 28), np.uint8)}, r"x_train in mnist.npz has shape \(59, 28, 28\)"),
        ({"x_test": np.zeros((20, 28, 28), np.float32)}, "x_test in mnist.npz has type float32 instead of uint8"),
        ({"y_train": np.full(60, 10, np.uint8)}, "y_train in mnist.npz does not hold classes from 0 to 9"),
        ({"y_train": np.array([{}] * 60)}, "Object arrays cannot be loaded"),
    ],
)
def test_a_wrong_npz_in_the_mirror_is_refused_with_the_reason(offer, mirror, change, reason, monkeypatch, server):
    offer("mnist", {"mnist.npz": b"other"}, shapes=SMALL)
    server.plan = ["has moved"]
    arrays = {**pictures(SMALL), **change}
    (mirror / "mnist.npz").write_bytes(npz({key: array for key, array in arrays.items() if array is not None}))
    with pytest.raises(DataUnavailable, match=reason):
        load_mnist(validation=10, stand_in=False)


def test_a_mirror_that_does_not_exist_is_named(mirror, monkeypatch):
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(mirror / "typo"))
    with pytest.raises(DataUnavailable, match="typo of DLPHYS_DATA_DIR does not exist"):
        load_wine(stand_in=False)


def test_mnist_may_lie_in_the_mirror_with_other_compression(offer, mirror):
    arrays = pictures(SMALL)
    offer("mnist", {"mnist.npz": b"the original"}, shapes=SMALL)
    (mirror / "mnist.npz").write_bytes(npz(arrays))
    data = load_mnist(validation=10)
    assert data.about.source == "mirror"
    assert data.x_train.shape == (50, 28, 28, 1)
    assert data.x_train.dtype == np.float32
    assert data.y_train.dtype == np.int64
    np.testing.assert_array_equal(np.rint(data.x_validation[..., 0] * 255), arrays["x_train"][50:])
    np.testing.assert_array_equal(data.y_test, arrays["y_test"])


def test_fashion_mnist_is_read_from_the_original_files(offer, mirror):
    arrays = pictures(SMALL)
    names = [file.name for file in registry()["fashion_mnist"].files]
    offer("fashion_mnist", {name: idx(arrays[key]) for name, key in zip(names, arrays, strict=True)}, shapes=SMALL)
    data = load_fashion_mnist(validation=10)
    assert data.about.source == "download"
    np.testing.assert_array_equal(np.rint(data.x_test[..., 0] * 255), arrays["x_test"])
    np.testing.assert_array_equal(data.y_train, arrays["y_train"][:50])
    assert data.about.classes[9] == "ankle boot"

    (mirror / "fashion_mnist.npz").write_bytes(npz(arrays))
    again = load_fashion_mnist(validation=10)
    assert again.about.source == "mirror"
    np.testing.assert_array_equal(again.x_train, data.x_train)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda array: gzip.compress(b"\x00\x00\x0d\x03" + bytes(12)), "is not an idx file of bytes"),
        (lambda array: idx(array[:-1]), r"has shape \(59, 28, 28\)"),
        (lambda array: idx(array)[:-400], "cannot be read"),
        (lambda array: b"<html>sorry</html>", "cannot be read"),
    ],
)
def test_a_wrong_idx_file_is_refused_with_the_reason(offer, mirror, server, spoil, reason):
    arrays = pictures(SMALL)
    names = [file.name for file in registry()["fashion_mnist"].files]
    offer("fashion_mnist", dict.fromkeys(names, b"elsewhere"), shapes=SMALL)
    server.plan = ["has moved"]
    (mirror / "fashion-mnist").mkdir()
    for name, key in zip(names, arrays, strict=True):
        (mirror / name).write_bytes(spoil(arrays[key]) if key == "x_train" else idx(arrays[key]))
    with pytest.raises(DataUnavailable, match=reason):
        load_fashion_mnist(validation=10, stand_in=False)


def test_cifar10_is_read_from_the_original_archive(offer, mirror):
    arrays = pictures(COLOUR)
    offer("cifar10", {"cifar-10-python.tar.gz": cifar_tar(arrays)}, shapes=COLOUR)
    data = load_cifar10(validation=10)
    assert data.about.source == "download"
    np.testing.assert_array_equal(np.rint(data.x_test * 255), arrays["x_test"])
    np.testing.assert_array_equal(data.y_train, arrays["y_train"][:40])

    column = {key: array[:, None] if key[0] == "y" else array for key, array in arrays.items()}
    (mirror / "cifar10.npz").write_bytes(npz(column))
    again = load_cifar10(validation=10)
    assert again.about.source == "mirror"
    np.testing.assert_array_equal(again.y_validation, data.y_validation)


def test_an_archive_with_another_hash_is_never_unpickled(offer, mirror, server, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    offer("cifar10", {"cifar-10-python.tar.gz": b"elsewhere"}, shapes=COLOUR)
    server.plan = ["has moved"]
    with tarfile.open(mirror / "cifar-10-python.tar.gz", "w:gz") as archive:
        content = pickle.dumps(Trap())
        info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    with pytest.raises(DataUnavailable, match="its sha256 is not the registered one"):
        load_cifar10(validation=10, stand_in=False)
    assert not (tmp_path / "sprung").exists()


def test_the_environment_forces_the_stand_in_and_false_wins_over_it(wine_online, server, monkeypatch):
    monkeypatch.setenv("DLPHYS_STAND_IN", "1")
    with pytest.warns(StandInWarning, match="asked for by DLPHYS_STAND_IN"):
        assert load_wine().about.source == "stand-in"
    assert server.requests == []
    assert load_wine(stand_in=False).about.source == "download"
    monkeypatch.setenv("DLPHYS_STAND_IN", "0")
    assert load_wine().about.source == "cache"


def test_a_stand_in_that_was_asked_for_is_said_but_is_no_warning(wine_online, capsys):
    """Warnings are errors in these tests."""
    assert load_wine(stand_in=True).about.source == "stand-in"
    assert capsys.readouterr().out == "wine: an offline stand-in, not the real set (asked for by stand_in=True)\n"


@pytest.mark.parametrize("load", [load_fashion_mnist, load_cifar10])
def test_a_forbidden_stand_in_is_named_among_what_was_tried(load):
    with pytest.raises(DataUnavailable, match="stand-in: forbidden by stand_in=False"):
        load(stand_in=False)


def test_the_warning_points_at_the_line_of_the_user(wine_online, server):
    server.plan = ["has moved"]
    with pytest.warns(StandInWarning) as caught:
        load_wine()
    assert caught[0].filename == __file__
