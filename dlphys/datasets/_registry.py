"""The registry of sets that are downloaded, read from registry.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class File:
    """One file of a set: its name in a mirror, where it is downloaded, and what it must hash to.

    Where no sha256 is registered, ``checksums`` is the address of a record that states the checksum of every file, and
    the sha256 of the first good download is kept beside the file (`dlphys.datasets._fetch`).
    """

    name: str
    urls: tuple[str, ...]
    sha256: str
    size: int  # bytes
    checksums: str = ""


@dataclass(frozen=True)
class Entry:
    """One set of the registry; registry.toml explains the fields."""

    name: str
    title: str
    format: str
    licence: str
    homepage: str
    citation: str
    files: tuple[File, ...]
    shapes: dict[str, tuple[int, ...]]
    npz: str = ""
    columns: tuple[str, ...] = ()
    optional: bool = False

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)


@cache
def registry() -> dict[str, Entry]:
    """All sets that are downloaded, by name."""
    tables = tomllib.loads(files("dlphys.datasets").joinpath("registry.toml").read_text(encoding="utf-8"))
    return {
        name: Entry(
            name=name,
            files=tuple(File(**{**file, "urls": tuple(file["urls"])}) for file in table.pop("files")),
            shapes={key: tuple(shape) for key, shape in table.pop("shapes").items()},
            columns=tuple(table.pop("columns", ())),
            **table,
        )
        for name, table in tables.items()
    }
