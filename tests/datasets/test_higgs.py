"""HIGGS: the file in its original format, in small; never downloaded unasked; the simulator stands in."""

import gzip

import numpy as np
import pytest

from dlphys.datasets import DataUnavailable, StandInWarning, _higgs, manage
from dlphys.datasets._higgs import COLUMNS, load_higgs
from dlphys.simulators import resonance

ROWS, HELD = 3000, 500


@pytest.fixture
def events():
    random = np.random.default_rng(1)
    return np.column_stack([random.integers(0, 2, ROWS), random.normal(size=(ROWS, 28))]).astype(np.float32)


def packed(events):
    """The format of the file at UCI: no header, 19 digits, gzip."""
    return gzip.compress("".join(",".join(f"{x:.18e}" for x in row) + "\n" for row in events).encode(), compresslevel=1)


@pytest.fixture
def online(offer, events, monkeypatch):
    monkeypatch.setattr(_higgs, "ROWS", ROWS)
    monkeypatch.setattr(_higgs, "HELD", HELD)
    monkeypatch.setattr(_higgs, "CHUNK", 300)
    return offer("higgs", {"HIGGS.csv.gz": packed(events)})


def test_the_first_rows_train_and_the_last_ones_test(online, events, capsys):
    data = load_higgs(1000, test=200, validation=0.2, seed=1, allow_download=True)
    assert data.about.source == "download"
    np.testing.assert_array_equal(data.x_train, events[:800, 1:])
    np.testing.assert_array_equal(data.x_validation, events[800:1000, 1:])
    np.testing.assert_array_equal(data.x_test, events[ROWS - HELD : ROWS - HELD + 200, 1:])
    np.testing.assert_array_equal(data.y_test, events[ROWS - HELD : ROWS - HELD + 200, 0])
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    assert data.about.columns == COLUMNS
    assert len(COLUMNS) == 28


def test_nothing_is_downloaded_unless_asked(online, server):
    with pytest.raises(DataUnavailable, match="only with allow_download=True"):
        load_higgs(100, test=10, seed=1, stand_in=False)
    with pytest.warns(StandInWarning, match="GB, only with allow_download=True"):
        assert load_higgs(100, test=10, seed=1).about.source == "stand-in"
    assert server.requests == []


def test_rows_that_were_read_are_kept(online, events, cache, monkeypatch):
    first = load_higgs(100, test=10, seed=1, allow_download=True)
    monkeypatch.setattr(_higgs, "_parsed", None)
    second = load_higgs(100, test=10, seed=1, stand_in=False)
    assert second.about.source == "cache"
    np.testing.assert_array_equal(first.x_test, second.x_test)
    assert len(list((cache / "extracted").iterdir())) == 1


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda events: packed(events[:2500]), "has fewer than 3000 rows"),
        (lambda events: packed(events[:, :28]), "have shape"),
        (lambda events: packed(np.where(np.arange(29) == 3, np.nan, events)), "does not hold a label"),
        (lambda events: packed(events + np.float32(0.5)), "does not hold a label"),
        (lambda events: packed(events)[:400_000], "cannot be read"),
        (lambda events: b"<html>sorry</html>", "cannot be read"),
    ],
)
def test_another_file_in_the_mirror_is_refused_with_the_reason(online, events, spoil, reason, tmp_path, monkeypatch):
    (tmp_path / "HIGGS.csv.gz").write_bytes(spoil(events))
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(tmp_path))
    with pytest.raises(DataUnavailable, match=reason):
        load_higgs(100, test=200, seed=1, stand_in=False)


def test_verify_looks_at_the_layout_of_a_file_packed_in_another_way(online, events, tmp_path):
    (tmp_path / "HIGGS.csv.gz").write_bytes(gzip.compress(gzip.decompress(packed(events)), compresslevel=9))
    (row,) = (row for row in manage.verify(tmp_path) if row.name == "higgs")
    assert (row.good, row.status) == (True, "other bytes than the original, but the right arrays")
    (tmp_path / "HIGGS.csv.gz").write_bytes(packed(events[:, :20]))
    (row,) = (row for row in manage.verify(tmp_path) if row.name == "higgs")
    assert row.good is False


def test_the_stand_in_is_the_simulator():
    data = load_higgs(200, test=50, validation=0.1, seed=3, stand_in=True)
    events = resonance.simulate_higgs(250, seed=3)
    np.testing.assert_array_equal(data.x_train, events.features[:180])
    np.testing.assert_array_equal(data.y_test, events.label[200:])
    assert [len(part) for part in (data.x_train, data.x_validation, data.x_test)] == [180, 20, 50]


def test_the_columns_of_file_and_simulator_are_the_same():
    assert [name.replace("_", " ") for name in resonance.HIGGS_COLUMNS] == [name.replace("_", " ") for name in COLUMNS]
