"""Whatever a server does: a whole file or none in the cache, a clear reason, and a stand-in that is announced."""

import hashlib
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from dlphys.datasets import DataUnavailable, StandInWarning, _fetch, load_mnist, load_wine
from dlphys.datasets._registry import registry

FILE = "downloads/winequality-white.csv"


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_good_file_is_downloaded_once_and_then_read_from_the_cache(wine_online, server, cache, capsys):
    first, second = load_wine(), load_wine()
    assert (first.about.source, second.about.source) == ("download", "cache")
    assert len(server.requests) == 1
    assert files_below(cache) == [FILE]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "downloaded (0.3 MB, kept in the cache)" in lines[0]
    assert "from the cache" in lines[1]
    np.testing.assert_array_equal(first.x_train, second.x_train)


@pytest.mark.parametrize(
    ("deed", "reason", "requests"),
    [
        ("breaks off", "127.0.0.1 broke off winequality-white.csv", 3),
        ("ends early", "winequality-white.csv from 127.0.0.1 does not have the registered sha256", 1),
        ("lies", "winequality-white.csv from 127.0.0.1 does not have the registered sha256", 1),
        ("stalls", "127.0.0.1 sent nothing for 0.5 s", 1),
        ("refuses", "127.0.0.1 answered 500 for winequality-white.csv", 3),
        ("has moved", "127.0.0.1 answered 404 for winequality-white.csv", 1),
    ],
)
def test_a_bad_answer_leaves_nothing_behind_and_is_named(wine_online, server, cache, deed, reason, requests, capsys):
    server.plan = [deed]
    with pytest.raises(DataUnavailable, match=reason) as error:
        load_wine(stand_in=False)
    assert "dlphys data pull wine DIR" in str(error.value)
    assert "mirror: DLPHYS_DATA_DIR is not set" in str(error.value)
    assert files_below(cache) == []
    assert len(server.requests) == requests
    assert capsys.readouterr().out == ""

    with pytest.warns(StandInWarning, match="wine: an offline stand-in, not the real set"):
        data = load_wine()
    assert data.about.source == "stand-in"
    assert "stand-in" in capsys.readouterr().out
    assert files_below(cache) == []


@pytest.mark.parametrize("deed", ["refuses", "breaks off"])
def test_a_server_that_recovers_is_asked_again(wine_online, server, deed):
    server.plan = [deed, deed, "good"]
    assert load_wine(stand_in=False).about.source == "download"
    assert [what for _, what in server.requests] == [deed, deed, "good"]


def test_the_next_address_is_tried_when_the_first_has_something_else(server, offer, wine_file, monkeypatch):
    entry = offer("wine", {"winequality-white.csv": wine_file})
    server.content["other"] = b"a page that says sorry"
    file = entry.files[0]
    patched = type(file)(file.name, (server.url("other"), *file.urls), file.sha256, file.size)
    monkeypatch.setitem(registry(), "wine", type(entry)(**{**vars(entry), "files": (patched,)}))
    assert load_wine(stand_in=False).about.source == "download"
    assert [path for path, _ in server.requests] == ["/other", "/winequality-white.csv"]


def test_a_broken_file_in_the_cache_is_replaced(wine_online, wine_file, cache):
    load_wine()
    (cache / FILE).write_bytes(wine_file[:-100])
    assert load_wine().about.source == "download"
    assert (cache / FILE).read_bytes() == wine_file


def test_a_broken_file_in_the_cache_is_removed_even_without_network(wine_online, server, wine_file, cache):
    load_wine()
    (cache / FILE).write_bytes(wine_file[:-100])
    server.plan = ["has moved"]
    with pytest.raises(DataUnavailable):
        load_wine(stand_in=False)
    assert files_below(cache) == []


def test_an_interrupted_download_leaves_nothing_behind(wine_online, cache, monkeypatch):
    import pooch

    def interrupted(self, url, output_file, pooch_):
        with open(output_file, "wb") as file:
            file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_wine()
    assert files_below(cache) == []


@pytest.mark.parametrize("absence", ["unknown name", "silence"])
def test_without_network_it_gives_up_once_in_a_process(monkeypatch, absence, capsys):
    """The patience is spent once; the next set is refused at once, with the same reason."""
    tried = []

    def connect(address, timeout):
        tried.append(address)
        if absence == "silence":
            time.sleep(1.0)  # longer than the patience, like a resolver that does not answer
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "create_connection", connect)
    start = time.monotonic()
    with pytest.warns(StandInWarning, match=r"no network \(127.0.0.1 not reached within 0.5 s\)"):
        load_wine()
    with pytest.raises(DataUnavailable, match="download: no network"):
        load_mnist(stand_in=False)
    assert len(tried) == 1
    assert time.monotonic() - start < 3 * _fetch.PATIENCE + 1.0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_refused_connection_is_not_taken_for_a_missing_network():
    with pytest.raises(DataUnavailable, match=r"127\.0\.0\.1 refuses connections"):
        load_wine(stand_in=False)
    assert _fetch._given_up == ""


def test_a_proxy_is_what_has_to_be_reached(monkeypatch):
    tried = []

    def connect(address, timeout):
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    with pytest.raises(DataUnavailable, match=r"proxy\.example refuses connections"):
        load_wine(stand_in=False)
    assert tried == [("proxy.example", 3128)]


def test_a_cache_that_cannot_be_written_costs_only_the_next_download(
    wine_online, server, tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("DLPHYS_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert [load_wine().about.source for _ in range(2)] == ["download", "download"]
    assert len(server.requests) == 2
    assert capsys.readouterr().out.count("the cache cannot be written") == 1
    assert files_below(tmp_path) == ["file"]


CHILD = """
import dataclasses, hashlib, sys
from dlphys.datasets import load_wine
from dlphys.datasets._registry import registry, File
url, sha, size = sys.argv[1:]
file = File("winequality-white.csv", (url,), sha, int(size))
registry()["wine"] = dataclasses.replace(registry()["wine"], files=(file,))
data = load_wine(stand_in=False)
print(data.about.source, hashlib.sha256(data.x_test.tobytes()).hexdigest())
"""


def test_two_processes_may_download_the_same_file_at_once(wine_online, server, cache):
    server.plan = ["is slow"]
    file = wine_online.files[0]
    command = [sys.executable, "-c", CHILD, file.urls[0], file.sha256, str(file.size)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [child.communicate(timeout=120)[0].split()[-2:] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert outputs[0][1] == outputs[1][1]
    assert files_below(cache) == [FILE]
    assert hashlib.sha256((cache / FILE).read_bytes()).hexdigest() == file.sha256
