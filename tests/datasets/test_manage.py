"""List, fill and check mirrors; and a data card for every set."""

from pathlib import Path

import pytest

from dlphys import datasets
from dlphys.datasets import load_wine, manage
from dlphys.datasets._registry import registry

CARDS = Path(__file__).parents[2] / "data"


def loaders():
    return {entry.removeprefix("load_") for entry in datasets.__all__ if entry.startswith("load_")}


@pytest.fixture
def only_wine(monkeypatch, wine_online):
    for name in [name for name in registry() if name != "wine"]:
        monkeypatch.delitem(registry(), name)


def test_the_list_says_where_each_set_would_come_from(wine_online, wine_file, tmp_path, monkeypatch):
    def source():
        return {row.name: row.source for row in manage.list_data()}

    assert source() == {
        "wine": "download",
        "mnist": "download",
        "fashion_mnist": "download",
        "cifar10": "download",
        "higgs": "stand-in",
        "top_tagging": "stand-in",
        **dict.fromkeys(loaders() - set(registry()) - set(manage.INCLUDED), "simulated"),
        **dict.fromkeys(loaders() & set(manage.INCLUDED), "included"),
    }
    load_wine()
    assert source()["wine"] == "cache"
    (tmp_path / "winequality-white.csv").write_bytes(wine_file)
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(tmp_path))
    assert source()["wine"] == "mirror"
    monkeypatch.setenv("DLPHYS_STAND_IN", "1")
    assert source()["wine"] == "stand-in"
    assert source()["cifar10"] == "stand-in"


def test_a_pulled_folder_serves_as_mirror(only_wine, server, tmp_path, monkeypatch):
    folder = tmp_path / "new" / "mirror"
    (row,) = manage.pull("all", folder)
    assert (row.name, row.good, row.status) == ("wine", True, "downloaded")
    (row,) = manage.pull(["wine"], folder)
    assert row.status == "already there"
    assert len(server.requests) == 1
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(folder))
    assert load_wine(stand_in=False).about.source == "mirror"
    assert [path.name for path in folder.iterdir()] == ["winequality-white.csv"]


def test_pull_takes_what_the_cache_has(only_wine, server, tmp_path):
    load_wine()
    server.plan = ["has moved"]
    (row,) = manage.pull("wine", tmp_path / "mirror")
    assert row.status == "copied from the cache"


def test_pull_reports_what_it_could_not_bring(only_wine, server, tmp_path):
    server.plan = ["lies"]
    (row,) = manage.pull("wine", tmp_path / "mirror")
    assert row.good is False
    assert "does not have the registered sha256" in row.status
    assert list((tmp_path / "mirror").iterdir()) == []


def test_pull_tries_the_network_again_after_loaders_gave_up(only_wine, tmp_path, monkeypatch):
    from dlphys.datasets import _fetch

    monkeypatch.setattr(_fetch, "_given_up", "no network")
    (row,) = manage.pull("wine", tmp_path / "mirror")
    assert row.good


def test_sets_of_gigabytes_are_pulled_by_name_only(offer, server, tmp_path, monkeypatch):
    for name in [name for name in registry() if name != "higgs"]:
        monkeypatch.delitem(registry(), name)
    offer("higgs", {"HIGGS.csv.gz": b"2.8 GB"})
    (row,) = manage.pull("all", tmp_path / "mirror")
    assert row.good is None
    assert "brought by name only" in row.status
    assert server.requests == []
    (row,) = manage.pull("higgs", tmp_path / "mirror")
    assert (row.good, row.status) == (True, "downloaded")
    (row,) = manage.pull("all", tmp_path / "mirror")
    assert row.status == "already there"


def test_every_loader_is_in_the_list():
    assert {row.name for row in manage.list_data()} >= loaders()


def test_verify_tells_exact_right_wrong_and_missing_files_apart(only_wine, wine_file, tmp_path):
    path = tmp_path / "winequality-white.csv"

    def report():
        (row,) = manage.verify(tmp_path)
        return row.good, row.status

    assert report() == (None, "not there")
    path.write_bytes(wine_file)
    assert report() == (True, "the registered sha256")
    path.write_bytes(wine_file.replace(b"\n", b"\r\n"))
    assert report() == (True, "other bytes than the original, but the right arrays")
    path.write_bytes(wine_file[:5000])
    good, status = report()
    assert good is False
    assert "has shape" in status or "cannot be read" in status


def test_verify_looks_at_the_cache_by_default(only_wine, cache, wine_file):
    assert [row.good for row in manage.verify()] == [None]
    load_wine()
    assert [row.good for row in manage.verify()] == [True]


@pytest.mark.parametrize("name", [row.name for row in manage.list_data()])
def test_every_set_has_a_card_with_licence_citation_and_flaws(name):
    text = (CARDS / f"{name}.md").read_text(encoding="utf-8")
    for heading in ("**Made**", "**Flaws**", "**Licence**", "**Citation**", "| unit |"):
        assert heading in text
    assert f"({name}.md)" in (CARDS / "README.md").read_text(encoding="utf-8")
    if name in registry():
        words = registry()[name].citation.split()
        assert words[1].rstrip(",") in text, "first author"
        assert words[-1] in text, "identifier or year"
