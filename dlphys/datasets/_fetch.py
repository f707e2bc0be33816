"""Downloads: checked, whole or not at all, and short when there is no network."""

from __future__ import annotations

import logging
import queue
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dlphys
from dlphys.datasets._errors import NotHere
from dlphys.datasets._formats import sha256
from dlphys.datasets._registry import Entry, File

PATIENCE = 5.0  # s without a connection or without a byte until the network counts as absent
ATTEMPTS = 3  # for a server that answers with an error of its own or breaks off
PAUSE = 0.5  # s before the second attempt, twice that before the third


class Refused(NotHere):
    """This server does not let anybody in; another may."""


_given_up = ""  # why; said once, then no download is tried again in this process


def forget_giving_up() -> None:
    """Allow downloads again: somebody asked for one explicitly."""
    global _given_up
    _given_up = ""


def _give_up(reason: str) -> NotHere:
    global _given_up
    _given_up = reason
    return NotHere(f"{reason}; not tried again before Python restarts")


def known_hash(file: File, folder: Path) -> str:
    """The registered sha256, or the one noted when the file was first downloaded to ``folder``; else nothing."""
    if file.sha256:
        return file.sha256
    try:
        return _note(file, folder).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _note(file: File, folder: Path) -> Path:
    path = folder / file.name
    return path.with_name(f"{path.name}.sha256")


def intact(file: File, folder: Path) -> bool:
    """Whether the file lies in ``folder`` with its known hash. A broken one is removed, one of unknown hash is not."""
    path = folder / file.name
    expected = known_hash(file, folder)
    try:
        if not expected:
            return False
        if sha256(path) == expected:
            return True
        path.unlink()
    except OSError:
        pass
    return False


def hand_on(file: File, source: Path, folder: Path) -> None:
    """Take the note of a file's sha256 along when the file is copied."""
    if not file.sha256:
        _note(file, folder).write_text(known_hash(file, source), encoding="ascii")


def download(entry: Entry, folder: Path) -> None:
    """Bring all files of a set into ``folder``; those that are there and intact stay.

    Raises
    ------
    NotHere
        With the reason in words.
    """
    for file in entry.files:
        if not intact(file, folder):
            download_file(file, folder)


def download_file(file: File, folder: Path) -> None:
    """Bring one file into ``folder`` from the first of its addresses that has it."""
    if _given_up:
        raise NotHere(_given_up)
    import requests  # with pooch and tqdm 0.3 s, which a set from the mirror or the cache does not need

    reasons = []
    for url in file.urls:
        host = urllib.parse.urlsplit(url).hostname
        for attempt in range(ATTEMPTS):
            try:
                _probe(url)
                _retrieve(url, file, folder)
                return
            except Refused as error:
                reasons.append(str(error))
                break
            except requests.HTTPError as error:
                status = error.response.status_code if error.response is not None else 500
                reasons.append(f"{host} answered {status} for {Path(file.name).name}")
                if status < 500:
                    break
            except requests.RequestException as error:
                if isinstance(error, requests.Timeout) or "timed out" in str(error):
                    raise _give_up(f"{host} sent nothing for {PATIENCE:g} s") from None
                reasons.append(f"{host} broke off {Path(file.name).name}")
            except ValueError:
                kind = "registered sha256" if file.sha256 else "checksum that was stated for it"
                reasons.append(f"{Path(file.name).name} from {host} does not have the {kind}")
                break
            if attempt + 1 < ATTEMPTS:
                time.sleep(PAUSE * (attempt + 1))
    raise NotHere("; ".join(dict.fromkeys(reasons)))


def _probe(url: str) -> None:
    """Open and close a connection to the server, or to the proxy on the way to it, within PATIENCE.

    In a thread, because looking up a name has no time limit of its own.
    """
    target = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(target.scheme)
    if proxy and not urllib.request.proxy_bypass(target.hostname or ""):
        target = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = target.port or (443 if target.scheme == "https" else 80)
    outcome: queue.Queue[OSError | None] = queue.Queue()

    def connect() -> None:
        try:
            socket.create_connection((target.hostname, port), timeout=PATIENCE).close()
            outcome.put(None)
        except OSError as error:
            outcome.put(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        error = outcome.get(timeout=PATIENCE)
    except queue.Empty:
        error = TimeoutError()
    if isinstance(error, ConnectionRefusedError):
        raise Refused(f"{target.hostname} refuses connections")
    if error is not None:
        raise _give_up(f"no network ({target.hostname} not reached within {PATIENCE:g} s)")


def _retrieve(url: str, file: File, folder: Path) -> None:
    """pooch downloads to a temporary file, compares the hash, and only then moves the file to its name."""
    import pooch
    from tqdm.auto import tqdm

    path = folder / file.name
    known = known_hash(file, folder)
    expected = f"sha256:{known}" if known else _stated(file)
    # delay: nothing is shown for a download of less than 2 s
    with _quiet(), tqdm(total=file.size, unit="B", unit_scale=True, desc=path.name, delay=2, leave=False) as bar:
        headers = {"User-Agent": f"dlphys/{dlphys.__version__}", "Accept-Encoding": "identity"}
        downloader = pooch.HTTPDownloader(
            progressbar=bar, chunk_size=1 << 16, timeout=(PATIENCE, PATIENCE), headers=headers
        )
        pooch.retrieve(url, expected, fname=path.name, path=path.parent, downloader=downloader)
    if not known:
        _note(file, folder).write_text(sha256(path), encoding="ascii")


def _stated(file: File) -> str:
    """The checksum that the record of a file states, such as "md5:..."; Zenodo has one for each of its files.

    It guards the way of the bytes, not their meaning: who changes the record changes it too. Therefore the sha256 of
    what came is noted, and from then on nothing else is taken.
    """
    import requests

    name = Path(file.name).name
    host = urllib.parse.urlsplit(file.checksums).hostname
    answer = requests.get(file.checksums, timeout=(PATIENCE, PATIENCE))
    answer.raise_for_status()
    try:
        return str(next(entry["checksum"] for entry in answer.json()["files"] if entry["key"] == name))
    except (ValueError, KeyError, TypeError, StopIteration):
        raise Refused(f"{host} does not state the checksum of {name}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without pooch's own log lines: the loader says in one line where the data came from."""
    logger = logging.getLogger("pooch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
