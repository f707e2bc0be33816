"""Filling, listing and checking mirrors: what stands behind ``dlphys data``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dlphys._validation import shown
from dlphys.datasets import _cache, _fetch, _formats
from dlphys.datasets._errors import NotHere
from dlphys.datasets._registry import Entry, File, registry
from dlphys.datasets._source import DOWNLOADS, files_in, mirror, stand_in_forced

__all__ = ["FileReport", "SetInfo", "list_data", "pull", "verify"]

INCLUDED = {"karate_club": "BSD 3-Clause, with networkx"}  # sets that lie in an installed package
LOADER = "load_"


@dataclass(frozen=True)
class SetInfo:
    """One line of the list of data sets.

    Attributes
    ----------
    name : str
        As in ``load_<name>``.
    kind : str
        "downloaded", "simulated" or "included".
    source : str
        Where a loader would take it from now, without trying the network: "mirror", "cache", "download", "simulated",
        "included" or "stand-in".
    size : int
        Bytes to download; 0 for a simulated or included set.
    licence : str
    """

    name: str
    kind: str
    source: str
    size: int
    licence: str


@dataclass(frozen=True)
class FileReport:
    """What was found or done about one file of a mirror.

    Attributes
    ----------
    name : str
        Name of the set.
    file : str
        Name of the file in the folder.
    good : bool or None
        None: the file is not there and nobody asked for it.
    status : str
        In words.
    """

    name: str
    file: str
    good: bool | None
    status: str


def list_data(names: str | Iterable[str] = "all") -> tuple[SetInfo, ...]:
    """Every data set, and where a loader would take it from now.

    Parameters
    ----------
    names : "all", a name, or several names

    Returns
    -------
    tuple of SetInfo

    Raises
    ------
    ValueError, TypeError
        If there is no set of that name.

    Examples
    --------
    >>> [(row.name, row.source) for row in list_data(["earthquakes", "ising"])]
    [('earthquakes', 'simulated'), ('ising', 'simulated')]
    """
    rows = []
    for name in _chosen(names, _names()):
        entry = registry().get(name)
        if name in INCLUDED:
            rows.append(SetInfo(name, "included", "included", 0, INCLUDED[name]))
        elif entry is None:
            rows.append(SetInfo(name, "simulated", "simulated", 0, "MIT, as this package"))
        else:
            rows.append(SetInfo(name, "downloaded", _source_now(entry), entry.size, entry.licence))
    return tuple(rows)


def pull(names: str | Iterable[str], directory: str | os.PathLike[str]) -> tuple[FileReport, ...]:
    """Fill a folder that ``DLPHYS_DATA_DIR`` can then name, from the cache and the network.

    Simulated sets need no mirror and are not among the names.

    Parameters
    ----------
    names : "all", a name, or several names
        "all" leaves out the sets of gigabytes, which are brought only by name.
    directory : path
        Made if it is not there. Files that are there and intact stay.

    Returns
    -------
    tuple of FileReport
        One for each file; ``good`` is False where it could not be brought, None where it was left out.

    Raises
    ------
    ValueError, TypeError
        If there is no set of that name, or ``directory`` is a file.

    Examples
    --------
    >>> from dlphys.datasets import manage
    >>> manage.pull("wine", "mirror")  # doctest: +SKIP
    (FileReport(name='wine', file='winequality-white.csv', good=True, status='downloaded'),)
    """
    chosen = _chosen(names, tuple(registry()))
    folder = _folder(directory)
    folder.mkdir(parents=True, exist_ok=True)
    _fetch.forget_giving_up()
    rows = []
    for entry in (registry()[name] for name in chosen):
        for file in entry.files:
            if entry.optional and names == "all" and not _fetch.intact(file, folder):
                status = f"left out: {file.size / 1e9:.1f} GB, brought by name only"
                rows.append(FileReport(entry.name, file.name, None, status))
            else:
                rows.append(_pull_file(entry, file, folder))
    return tuple(rows)


def verify(directory: str | os.PathLike[str] | None = None) -> tuple[FileReport, ...]:
    """Check every file of a mirror, or of the cache.

    A file is good if it has the registered sha256, or if it holds the right arrays in another compression. Of files of
    gigabytes in another compression only the layout is looked at.

    Parameters
    ----------
    directory : path, optional
        Default: the cache of downloads.

    Returns
    -------
    tuple of FileReport
        One for each file of the registry; ``good`` is None for files that are not there.

    Raises
    ------
    ValueError, TypeError
        If the folder does not exist.

    Examples
    --------
    >>> sorted({row.name for row in verify()})
    ['cifar10', 'fashion_mnist', 'higgs', 'mnist', 'top_tagging', 'wine']
    """
    folder = _cache.directory() / DOWNLOADS if directory is None else _folder(directory)
    if directory is not None and not folder.is_dir():
        raise ValueError(f"directory must be a folder that exists, got {str(folder)!r}")
    return tuple(row for entry in registry().values() for row in _verify_set(entry, folder))


def _names() -> tuple[str, ...]:
    """Every set that has a loader: those to be downloaded first, then the others by name."""
    datasets = sys.modules[__package__]
    loaders = {entry.removeprefix(LOADER) for entry in datasets.__all__ if entry.startswith(LOADER)}
    return (*registry(), *sorted(loaders - set(registry())))


def _chosen(names: str | Iterable[str], known: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(names, str):
        names = known if names == "all" else (names,)
    elif not isinstance(names, Iterable):
        raise TypeError(f"names must be 'all' or names of data sets, got {shown(names)} ({type(names).__name__})")
    chosen = tuple(names)
    for name in chosen:
        if name not in known:
            raise ValueError(f"names must be 'all' or from {', '.join(sorted(known))}, got {name!r}")
    return chosen


def _folder(directory: str | os.PathLike[str]) -> Path:
    if not isinstance(directory, str | os.PathLike):
        raise TypeError(f"directory must be a path, got {shown(directory)} ({type(directory).__name__})")
    folder = Path(directory).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"directory must be a folder, got the file {str(folder)!r}")
    return folder


def _source_now(entry: Entry) -> str:
    if stand_in_forced():
        return "stand-in"
    folder = mirror()
    if folder is not None and files_in(entry, folder):
        return "mirror"
    if all((_cache.directory() / DOWNLOADS / file.name).is_file() for file in entry.files):
        return "cache"
    return "stand-in" if entry.optional else "download"


def _pull_file(entry: Entry, file: File, folder: Path) -> FileReport:
    if _fetch.intact(file, folder):
        return FileReport(entry.name, file.name, True, "already there")
    cache = _cache.directory() / DOWNLOADS
    if cache != folder and _fetch.intact(file, cache):
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(cache / file.name, temporary)
            os.replace(temporary, target)
            _fetch.hand_on(file, cache, folder)
        finally:
            temporary.unlink(missing_ok=True)
        return FileReport(entry.name, file.name, True, "copied from the cache")
    try:
        _fetch.download_file(file, folder)
    except NotHere as error:
        return FileReport(entry.name, file.name, False, str(error))
    return FileReport(entry.name, file.name, True, "downloaded")


def _verify_set(entry: Entry, folder: Path) -> list[FileReport]:
    rows = []
    originals = [file for file in entry.files if (folder / file.name).is_file()]
    exact = {file.name: _formats.sha256(folder / file.name) == _fetch.known_hash(file, folder) for file in originals}
    npz = [entry.npz] if entry.npz and (folder / entry.npz).is_file() else []
    reason = ""
    if npz or (len(originals) == len(entry.files) and not all(exact.values())):
        try:
            _formats.read(entry, folder)
        except NotHere as error:
            reason = str(error)
    for file in entry.files:
        if file.name not in exact:
            rows.append(FileReport(entry.name, file.name, None, "not there"))
        elif exact[file.name]:
            kind = "registered sha256" if file.sha256 else "sha256 of its first download"
            rows.append(FileReport(entry.name, file.name, True, f"the {kind}"))
        elif len(originals) < len(entry.files) or npz:
            kind = "not the registered sha256" if file.sha256 else "no sha256 is known for it"
            rows.append(FileReport(entry.name, file.name, False if file.sha256 else None, kind))
        else:
            good = "other bytes than the original, but the right arrays"
            rows.append(FileReport(entry.name, file.name, not reason, reason or good))
    rows += [FileReport(entry.name, name, not reason, reason or "the right arrays") for name in npz]
    return rows
