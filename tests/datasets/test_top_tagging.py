"""Top tagging: tables of pandas in HDF5, in small; hashes noted on first use; the simulator stands in."""

import io
import json

import h5py
import numpy as np
import pytest

from dlphys.datasets import DataUnavailable, StandInWarning, _fetch, _top_tagging, manage
from dlphys.datasets._registry import registry
from dlphys.datasets._top_tagging import load_top_tagging

SIZES = {"train": 2500, "val": 1100, "test": 1200}


def jets(n, seed):
    """Constituents (n, 200, 4) with falling pt, zeros after the last, and labels sorted: top quarks last."""
    random = np.random.default_rng(seed)
    pt = -np.sort(-random.exponential(20, (n, 200)), axis=1) * (np.arange(200) < random.integers(5, 150, (n, 1)))
    phi, eta = random.uniform(-3, 3, (n, 200)), random.uniform(-2, 2, (n, 200))
    momenta = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    return momenta.astype(np.float32), (np.arange(n) > n // 2).astype(np.int64)


def table(momenta, labels, *, width=804, **options):
    """The layout of pandas: index, a block of 804 numbers, a block of two whole numbers (part, label)."""
    layout = [("index", "i8"), ("values_block_0", "f4", (width,)), ("values_block_1", "i8", (2,))]
    rows = np.zeros(len(labels), layout)
    rows["values_block_0"][:, :800] = momenta.reshape(len(labels), 800)[:, : min(width, 800)]
    rows["values_block_1"][:, 1] = labels
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.create_dataset("table/table", data=rows, chunks=(50,), **options)
    return file.getvalue()


@pytest.fixture
def contents():
    return {f"top-tagging/{part}.h5": table(*jets(n, i)) for i, (part, n) in enumerate(SIZES.items())}


@pytest.fixture
def online(offer, contents):
    return offer("top_tagging", contents, hashed=False)


def known(part, seed):
    momenta, labels = jets(SIZES[part], seed)
    return {jet[:40].tobytes(): label for jet, label in zip(momenta, labels, strict=True)}


def test_jets_keep_their_constituents_and_labels(online):
    data = load_top_tagging(2000, validation=500, test=1200, seed=1, allow_download=True)
    assert data.about.source == "download"
    assert data.x_train.shape == (2000, 40, 4)
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    for i, (part, file) in enumerate(zip(("train", "validation", "test"), SIZES, strict=True)):
        expected = known(file, i)
        x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        assert [expected[jet.tobytes()] for jet in x] == y.tolist()
        assert len({jet.tobytes() for jet in x}) == len(x)


def test_both_classes_come_even_if_the_file_is_sorted(online):
    """Runs of 1000 jets from all over the file, shuffled."""
    data = load_top_tagging(2200, validation=1100, test=1200, seed=1, allow_download=True)
    assert 0.3 < data.y_train.mean() < 0.7
    assert 0.3 < data.y_train[:200].mean() < 0.7


def test_the_seed_chooses_the_jets(online):
    draw = [load_top_tagging(900, validation=9, test=9, seed=seed, allow_download=True).x_train for seed in (1, 1, 2)]
    np.testing.assert_array_equal(draw[0], draw[1])
    assert (draw[0] != draw[2]).any()


def test_nothing_is_downloaded_unless_asked(online, server):
    with pytest.raises(DataUnavailable, match="only with allow_download=True"):
        load_top_tagging(100, seed=1, stand_in=False)
    with pytest.warns(StandInWarning, match="only with allow_download=True"):
        data = load_top_tagging(100, validation=10, test=10, seed=1)
    assert data.about.source == "stand-in"
    assert server.requests == []


def small(**options):
    return load_top_tagging(100, validation=10, test=10, seed=1, **options)


def test_a_download_must_have_the_checksum_of_the_record(online, server, cache):
    record = json.loads(server.content["record"])
    record["files"][0]["checksum"] = "md5:" + "0" * 32
    server.content["record"] = json.dumps(record).encode()
    with pytest.raises(DataUnavailable, match=r"train\.h5 from 127\.0\.0\.1 does not have the checksum"):
        small(stand_in=False, allow_download=True)
    assert not [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("record", [b"{}", b"no json", b'{"files": [{"key": "other.h5", "checksum": "md5:0"}]}'])
def test_without_a_stated_checksum_nothing_is_taken(online, server, record, cache):
    server.content["record"] = record
    with pytest.raises(DataUnavailable, match=r"127\.0\.0\.1 does not state the checksum of train\.h5"):
        small(stand_in=False, allow_download=True)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_the_sha256_of_the_first_download_is_noted_and_holds(online, server, cache, contents):
    small(allow_download=True)
    folder = cache / "downloads" / "top-tagging"
    assert (folder / "train.h5.sha256").read_text() == _fetch.sha256(folder / "train.h5")
    assert small(stand_in=False).about.source == "cache"
    # the file is lost, the archive has another one with a record that agrees: refused
    changed = table(*jets(SIZES["train"], 9))
    (folder / "train.h5").write_bytes(changed)
    server.content["top-tagging/train.h5"] = changed
    with pytest.raises(DataUnavailable, match=r"train\.h5 from 127\.0\.0\.1 does not have the checksum"):
        small(stand_in=False, allow_download=True)
    assert not (folder / "train.h5").exists()
    server.content["top-tagging/train.h5"] = contents["top-tagging/train.h5"]
    assert small(stand_in=False, allow_download=True).about.source == "download"


def test_a_file_of_unknown_hash_in_the_cache_is_not_taken_for_a_download(online, cache, contents):
    folder = cache / "downloads" / "top-tagging"
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name.removeprefix("top-tagging/")).write_bytes(content)
    with pytest.raises(DataUnavailable, match="cache: not downloaded before"):
        small(stand_in=False)
    assert len(list(folder.iterdir())) == 3


def test_a_pulled_folder_brings_its_notes_along(online, server, tmp_path, cache, monkeypatch):
    small(allow_download=True)
    server.plan = ["has moved"]
    rows = manage.pull("top_tagging", tmp_path / "mirror")
    assert [row.status for row in rows] == ["copied from the cache"] * 3
    assert all(row.good for row in manage.verify(tmp_path / "mirror") if row.name == "top_tagging")
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(tmp_path / "mirror"))
    assert small(stand_in=False).about.source == "mirror"


def test_verify_says_that_it_knows_no_hash_but_the_layout(online, tmp_path, contents):
    (tmp_path / "top-tagging").mkdir()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    rows = [row for row in manage.verify(tmp_path) if row.name == "top_tagging"]
    assert {row.status for row in rows} == {"other bytes than the original, but the right arrays"}
    (tmp_path / "top-tagging/val.h5").write_bytes(b"something else")
    assert not any(row.good for row in manage.verify(tmp_path) if row.name == "top_tagging")


def spoiled(change):
    momenta, labels = jets(SIZES["train"], 0)
    return change(momenta, labels)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda momenta, labels: table(momenta, labels, width=800), "its table has the columns"),
        (lambda momenta, labels: table(momenta[..., ::-1], labels), "its columns are not E, px, py, pz"),
        (
            lambda momenta, labels: table(momenta[:, [1, 0, *range(2, 200)]], labels),
            "not sorted by transverse momentum",
        ),
        (lambda momenta, labels: table(momenta, labels + 2), "labels are not 0 and 1"),
        (lambda momenta, labels: table(momenta[:50], labels[:50]), r"train\.h5 has 50 jets, 100 were asked for"),
        (lambda momenta, labels: b"<html>sorry</html>", "cannot be read"),
    ],
)
def test_another_file_in_the_mirror_is_refused_with_the_reason(online, contents, spoil, reason, tmp_path, monkeypatch):
    contents["top-tagging/train.h5"] = spoiled(spoil)
    (tmp_path / "top-tagging").mkdir()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(tmp_path))
    with pytest.raises(DataUnavailable, match=reason):
        small(stand_in=False)


def test_compressed_tables_are_read(offer, contents):
    momenta, labels = jets(SIZES["train"], 0)
    contents["top-tagging/train.h5"] = table(momenta, labels, compression="gzip", shuffle=True)
    offer("top_tagging", contents, hashed=False)
    assert small(allow_download=True).about.source == "download"


def test_a_missing_filter_is_named_with_its_cure(online, contents, tmp_path, monkeypatch):
    """What h5py says of Blosc without its plugin."""

    class Locked:
        dtype = np.dtype([("index", "i8"), ("values_block_0", "f4", (804,)), ("values_block_1", "i8", (2,))])

        def __len__(self):
            return 5000

        def __getitem__(self, rows):
            raise OSError("Can't synchronously read data (can't open directory (/usr/local/hdf5/lib/plugin))")

    (tmp_path / "top-tagging").mkdir()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(h5py.File, "__getitem__", lambda self, name: Locked())
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(tmp_path))
    with pytest.raises(DataUnavailable, match="pip install hdf5plugin"):
        small(stand_in=False)


def test_the_stand_in_has_the_layout_of_the_files():
    """E not below the momentum, falling pt, zeros at the end, both classes, tops heavier."""
    data = load_top_tagging(1000, validation=100, test=100, seed=1, stand_in=True)
    _top_tagging._check(data.x_train, data.y_train)
    assert data.x_train.dtype == np.float32
    assert 0.4 < data.y_train.mean() < 0.6
    jet = data.x_train.sum(axis=1, dtype=float)
    mass = np.sqrt(jet[:, 0] ** 2 - (jet[:, 1:] ** 2).sum(axis=1))
    assert np.median(mass[data.y_train == 1]) > np.median(mass[data.y_train == 0]) + 60
    assert data.about.source == "stand-in"


def test_the_registry_says_how_large_and_where():
    entry = registry()["top_tagging"]
    assert entry.optional
    assert [file.name for file in entry.files] == [f"top-tagging/{part}.h5" for part in SIZES]
