"""A cache of its own for every test, no network but a server on this machine, and small files in the real formats."""

import dataclasses
import hashlib
import http.server
import io
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from dlphys.datasets import _cache, _fetch, _wine
from dlphys.datasets._registry import File, registry

MIRROR = os.environ.get("DLPHYS_DATA_DIR")


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """No mirror, no forced stand-ins, an empty cache, little patience, and no address but those a test registers."""
    for name in list(os.environ):
        if name in ("DLPHYS_DATA_DIR", "DLPHYS_STAND_IN") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DLPHYS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(_fetch, "PATIENCE", 0.5)
    monkeypatch.setattr(_fetch, "PAUSE", 0.01)
    monkeypatch.setattr(_fetch, "_given_up", "")
    monkeypatch.setattr(_cache, "_said", set())
    for name, entry in list(registry().items()):
        nowhere = "http://127.0.0.1:9/nothing"
        closed = tuple(dataclasses.replace(file, urls=(nowhere,), checksums=nowhere) for file in entry.files)
        monkeypatch.setitem(registry(), name, dataclasses.replace(entry, files=closed))


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def real_mirror(monkeypatch):
    """The real files; only for tests marked real_data."""
    monkeypatch.setenv("DLPHYS_DATA_DIR", str(MIRROR))


@pytest.fixture(scope="session")
def wine_file() -> bytes:
    """A table in the format of the UCI file; its numbers are those of the stand-in."""
    text = io.StringIO()
    text.write(";".join(f'"{column}"' for column in registry()["wine"].columns) + "\n")
    np.savetxt(text, _wine.make_stand_in()["table"], delimiter=";", fmt="%g")
    return text.getvalue().encode()


class Server(http.server.ThreadingHTTPServer):
    """Answers each request with the next word of ``plan``; the last one is kept."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = {}
        self.plan = ["good"]
        self.requests = []
        self.closing = threading.Event()

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        """Keep quiet."""

    def do_GET(self):
        server = self.server
        body = server.content[self.path.lstrip("/")]
        deed = server.plan.pop(0) if len(server.plan) > 1 else server.plan[0]
        server.requests.append((self.path, deed))
        if deed == "refuses":
            self.send_error(500)
            return
        if deed == "has moved":
            self.send_error(404)
            return
        self.send_response(200)
        if deed != "ends early":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if deed == "good":
            self.wfile.write(body)
        elif deed == "lies":
            self.wfile.write(bytes(len(body)))
        elif deed in ("breaks off", "ends early"):
            self.wfile.write(body[: len(body) // 2])
        elif deed == "stalls":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            server.closing.wait(10)
        elif deed == "is slow":
            for start in range(0, len(body), len(body) // 8):
                self.wfile.write(body[start : start + len(body) // 8])
                self.wfile.flush()
                server.closing.wait(0.1)


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def offer(server, monkeypatch):
    """Register files of a set at the local server: offer("wine", {"winequality-white.csv": content}, shapes=...).

    With ``hashed=False`` no sha256 is registered; the server then has a record of checksums, as Zenodo does.
    """

    def register(name, contents, *, hashed=True, **changes):
        files = []
        record = [
            {"key": Path(file).name, "checksum": f"md5:{hashlib.md5(content).hexdigest()}"}
            for file, content in contents.items()
        ]
        server.content["record"] = json.dumps({"files": record}).encode()
        for file, content in contents.items():
            server.content[file] = content
            sha256 = hashlib.sha256(content).hexdigest() if hashed else ""
            files.append(File(file, (server.url(file),), sha256, len(content), server.url("record")))
        monkeypatch.setitem(registry(), name, dataclasses.replace(registry()[name], files=tuple(files), **changes))
        return registry()[name]

    return register


@pytest.fixture
def wine_online(offer, wine_file):
    return offer("wine", {"winequality-white.csv": wine_file})
