"""Unpacks zip files that strangers made: nothing leaves the folder, nothing is larger than allowed.

What an archive says of itself is not believed: sizes are counted while its entries are read, links and devices are left
out, and names lose what no file should be called.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

IGNORED = {".ipynb_checkpoints", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", "__pycache__"}
LONGEST_NAME = 150  # bytes; file systems allow 255
DEEPEST = 30  # folders in folders
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
    NotImplementedError,
)


class Entry(NamedTuple):
    """A file or a folder; with a reason, one that was left out."""

    parts: tuple[str, ...]
    path: Path
    when: datetime | None = None
    is_folder: bool = False
    reason: str = ""


@dataclass
class Budget:
    """What may still be unpacked."""

    files: int
    size: int  # bytes


def ignored(parts: tuple[str, ...]) -> bool:
    """What computers leave behind by themselves."""
    return any(part in IGNORED or part.startswith("._") for part in parts)


def safe_name(name: str, longest: int = LONGEST_NAME) -> str:
    """A name that any file may have: no control characters or separators, not too long, the rest as it was.

    What had to be changed ends with a hash, so that different names stay different.
    """
    name = unicodedata.normalize("NFC", name.encode("utf-8", "backslashreplace").decode())
    kept = "".join("_" if char in '/\\:*?"<>|' or unicodedata.category(char)[0] == "C" else char for char in name)
    kept = kept.strip(" ").rstrip(".")
    if kept and kept == name and len(kept.encode()) <= longest:
        return kept
    stem, dot, suffix = kept.rpartition(".")
    suffix = dot + suffix if stem and len(suffix.encode()) < 10 else ""
    stem = kept.removesuffix(suffix).encode()[: longest - 9 - len(suffix.encode())].decode(errors="ignore")
    return f"{stem}~{hashlib.sha256(name.encode()).hexdigest()[:8]}{suffix}"


def walk(folder: Path) -> Iterator[Entry]:
    """Everything below a folder; links are named and not followed."""
    todo: list[tuple[str, ...]] = [()]
    while todo:
        parts = todo.pop()
        try:
            inside = sorted(os.scandir(folder.joinpath(*parts)), key=lambda item: item.name)
        except OSError as error:
            yield Entry(parts or (folder.name,), folder, reason=f"it cannot be read ({type(error).__name__})")
            continue
        for found in inside:
            here = (*parts, found.name)
            if ignored(here[-1:]):
                continue
            path = Path(found.path)
            if found.is_symlink():
                yield Entry(here, path, reason="a symbolic link, which is not followed")
            elif found.is_dir(follow_symlinks=False):
                yield Entry(here, path, is_folder=True)
                if len(here) < DEEPEST:
                    todo.append(here)
                else:
                    yield Entry(here, path, reason="a folder that lies too deep")
            elif found.is_file(follow_symlinks=False):
                when = datetime.fromtimestamp(found.stat(follow_symlinks=False).st_mtime, UTC)
                yield Entry(here, path, when)
            else:
                yield Entry(here, path, reason="neither a file nor a folder")


def unpack(archive: Path, into: Path, budget: Budget) -> list[Entry]:
    """Unpack an archive into a folder of its own below ``into``; what cannot be is left out, with its reason."""
    try:
        with archive.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()[:24]
            file.seek(0)
            folder = into / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            if _directory_size(file) > 200 * budget.files + 65_536:
                return [Entry((), archive, reason=f"the zip file has more than {budget.files} entries")]
            with zipfile.ZipFile(file) as opened:
                return list(_entries(opened, folder, budget))
    except (*BROKEN, MemoryError) as error:
        return [Entry((), archive, reason=f"the zip file cannot be read ({type(error).__name__})")]


def _directory_size(file: object) -> int:
    """Size of an archive's table of contents in bytes, before the whole table is read into memory."""
    record = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    return int(record[5]) if record else 0


def _entries(archive: zipfile.ZipFile, folder: Path, budget: Budget) -> Iterator[Entry]:
    taken: set[tuple[str, ...]] = set()
    for info in archive.infolist():
        parts = tuple(part for part in _name(info).split("/") if part)
        if ignored(parts) or not parts:
            continue
        shown = tuple(map(safe_name, parts))
        reason = _refused(info, parts)
        if reason or budget.files <= 0:
            yield Entry(shown, folder, reason=reason or "too many files")
            continue
        budget.files -= 1
        if info.is_dir():
            path = folder.joinpath(*shown)
            try:
                path.mkdir(parents=True, exist_ok=True)
                yield Entry(shown, path, is_folder=True)
            except OSError as error:
                yield Entry(shown, folder, reason=f"a folder that cannot be made ({type(error).__name__})")
            continue
        target = _free(shown, taken)
        taken.add(tuple(part.casefold() for part in target))
        path = folder.joinpath(*target)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            reason = _copy(archive, info, path, budget)
        except BROKEN as error:
            reason = f"it cannot be unpacked ({type(error).__name__})"
        if reason:
            with contextlib.suppress(OSError):
                path.unlink()
            yield Entry(target, folder, reason=reason)
        else:
            yield Entry(target, path, _time(info))


def _name(info: zipfile.ZipInfo) -> str:
    """The entry's name; without the flag for UTF-8 it may be UTF-8 all the same, and some programs separate by \\."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _refused(info: zipfile.ZipInfo, parts: tuple[str, ...]) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.flag_bits & 0x1:
        return "it is encrypted"
    if kind == stat.S_IFLNK:
        return "a symbolic link, which is not followed"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "neither a file nor a folder"
    if info.filename.startswith(("/", "\\")) or parts[0][1:2] == ":" or any(part in (".", "..") for part in parts):
        return "a path that leads out of its folder"
    return "a folder that lies too deep" if len(parts) > DEEPEST else ""


def _free(parts: tuple[str, ...], taken: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The name, or one with a number if it is taken: nothing replaces anything, also where case does not count."""
    *folder, name = parts
    stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
    target, number = parts, 1
    while tuple(part.casefold() for part in target) in taken:
        number += 1
        target = (*folder, f"{stem} ({number}){dot}{suffix}")
    return target


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, budget: Budget) -> str:
    """Unpack one file; what it says of its size does not count."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with archive.open(info) as source, os.fdopen(os.open(path, flags, 0o644), "wb") as target:
        while part := source.read(1 << 16):
            budget.size -= len(part)
            if budget.size < 0:
                budget.size = 0
                return "with it, more would be unpacked than is allowed"
            target.write(part)
    return ""


def _time(info: zipfile.ZipInfo) -> datetime | None:
    """When the file was written: Unix time where the archive has it, local time otherwise."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == 0x5455 and size >= 5 and len(extra) >= 9 and extra[4] & 1:
            return datetime.fromtimestamp(struct.unpack_from("<i", extra, 5)[0], UTC)
        extra = extra[4 + size :]
    try:
        return datetime(*info.date_time).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
