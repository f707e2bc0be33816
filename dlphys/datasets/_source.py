"""The order in which a downloaded set is looked for: mirror, cache, download, stand-in."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from dlphys._validation import shown
from dlphys.datasets import _cache, _fetch, _formats
from dlphys.datasets._errors import Damaged, DataUnavailable, NotHere, StandInWarning
from dlphys.datasets._formats import Reader, Table
from dlphys.datasets._registry import Entry, registry

DOWNLOADS = "downloads"  # folder in the cache


def mirror() -> Path | None:
    """The folder named by ``DLPHYS_DATA_DIR``."""
    chosen = os.environ.get("DLPHYS_DATA_DIR")
    return Path(chosen).expanduser() if chosen else None


def stand_in_forced() -> bool:
    """Whether ``DLPHYS_STAND_IN`` asks for stand-ins wherever the caller leaves it open."""
    return os.environ.get("DLPHYS_STAND_IN", "") not in ("", "0")


def check_stand_in(stand_in: bool | None) -> None:
    """The argument of every loader of a downloaded set."""
    if stand_in is not None and not isinstance(stand_in, bool):
        raise TypeError(f"stand_in must be True, False or None, got {shown(stand_in)} ({type(stand_in).__name__})")


def announce(name: str, sentence: str) -> None:
    """The one line that says where a set comes from."""
    print(f"{name}: {sentence}")


def obtain(
    name: str,
    stand_in: bool | None,
    make: Callable[[], Table],
    *,
    caller_depth: int,
    reader: Reader | None = None,
    allow_download: bool = True,
) -> tuple[Table, str]:
    """The arrays of a set and its source.

    Parameters
    ----------
    name : str
        Name in the registry.
    stand_in : bool or None
        False forbids the stand-in, True forces it, None allows it as the last resort.
    make : callable
        Makes the stand-in.
    caller_depth : int
        How many calls up the user's line is, for the warning to point at.
    reader : callable, optional
        From the entry and the folder with its files to arrays, for sets that are read in part.
    allow_download : bool
        False for sets of gigabytes, until somebody asks for them.

    Raises
    ------
    DataUnavailable
        If no source that was allowed has the set.
    """
    check_stand_in(stand_in)
    entry = registry()[name]
    tried: list[str] = []
    damaged: list[str] = []
    forced = stand_in if stand_in is not None else stand_in_forced()
    if not forced:
        for source, find in (("mirror", _from_mirror), ("cache", _from_cache), ("download", _from_download)):
            try:
                if source == "download" and not allow_download:
                    raise NotHere(f"{entry.size / 1e9:.1f} GB, only with allow_download=True")
                arrays, sentence = find(entry, reader)
            except NotHere as error:
                tried.append(f"{source}: {error}")
                damaged += [tried[-1]] if isinstance(error, Damaged) else []
                continue
            announce(name, "; ".join([sentence, *damaged]))
            return arrays, source
    if stand_in is False:
        tried.append("stand-in: forbidden by stand_in=False")
    else:
        why = "asked for by stand_in=True" if stand_in else "asked for by DLPHYS_STAND_IN" if forced else ""
        sentence = f"an offline stand-in, not the real set ({why or '; '.join(tried)})"
        announce(name, sentence)
        if not stand_in:  # who writes stand_in=True knows
            warnings.warn(f"{name}: {sentence}", StandInWarning, stacklevel=caller_depth)
        return make(), "stand-in"
    raise DataUnavailable(
        f"{name} is not available.\n" + "".join(f"  {reason}\n" for reason in tried) + f"On a machine with a network, "
        f"`dlphys data pull {name} DIR` fills a folder; then set the environment variable DLPHYS_DATA_DIR to it."
    )


def files_in(entry: Entry, folder: Path) -> bool:
    """Whether ``folder`` holds all files of the set, or the npz that may stand for them."""
    return bool(entry.npz and (folder / entry.npz).is_file()) or all(
        (folder / file.name).is_file() for file in entry.files
    )


def _from_mirror(entry: Entry, reader: Reader | None) -> tuple[Table, str]:
    folder = mirror()
    if folder is None:
        raise NotHere("DLPHYS_DATA_DIR is not set")
    if not folder.is_dir():
        raise NotHere(f"the folder {folder} of DLPHYS_DATA_DIR does not exist")
    names = " or ".join(filter(None, (", ".join(file.name for file in entry.files), entry.npz)))
    if not files_in(entry, folder):
        raise NotHere(f"DLPHYS_DATA_DIR has no {names}")
    try:
        arrays = _formats.read(entry, folder, reader)
    except NotHere as error:
        raise Damaged(f"what lies there is not the set: {error}") from None
    return arrays, "from the mirror DLPHYS_DATA_DIR"


def _from_cache(entry: Entry, reader: Reader | None) -> tuple[Table, str]:
    folder = _cache.directory() / DOWNLOADS
    if [file for file in entry.files if not _fetch.intact(file, folder)]:
        raise NotHere("not downloaded before")
    return _formats.read(entry, folder, reader), "downloaded before, from the cache"


def _from_download(entry: Entry, reader: Reader | None) -> tuple[Table, str]:
    with _cache.folder_to_write(DOWNLOADS) as (folder, lasting):
        try:
            _fetch.download(entry, folder)
        except OSError as error:
            raise NotHere(f"cannot be written ({error})") from None
        sentence = f"downloaded ({entry.size / 1e6:.1f} MB{', kept in the cache' if lasting else ''})"
        return _formats.read(entry, folder, reader), sentence
