"""Simulated events in many files: a folder of HDF5 shards and a manifest that says what they are.

A shard is one HDF5 file, a field of the simulator one dataset in it. HDF5 and not zarr: h5py comes with Keras, a shard
is written by one process and read whole, so that one file with one hash serves better than many chunk files.
The manifest is JSON: system, parameters, seed, fields with shapes and units, and for each finished shard its events,
size and sha256. Both are replaced whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from dlphys._validation import check_count, shown

__all__ = ["Field", "Manifest", "Shard", "read_manifest", "read_shard", "shard_seed", "verify", "write_manifest"]

MANIFEST = "manifest.json"
FORMAT = 1  # raised when the layout changes


@dataclass(frozen=True)
class Field:
    """One array of every shard.

    Attributes
    ----------
    shape : tuple of int
        Of one event.
    dtype : str
    unit : str
    """

    shape: tuple[int, ...]
    dtype: str
    unit: str


@dataclass(frozen=True)
class Shard:
    """One finished file.

    Attributes
    ----------
    file : str
        Name in the folder.
    events, size : int
        Number of events, and bytes.
    sha256 : str
    """

    file: str
    events: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a folder of shards holds.

    Attributes
    ----------
    system : str
        As in ``dlphys simulate``.
    parameters : dict
        Keywords of the simulator beside n and seed.
    seed : int
    n : int
        Events of all shards when the run is complete.
    shard_events : int
        Events of each shard but the last.
    code : str
        Hash of the simulator's source code.
    version : str
        Of this package.
    fields : dict of Field
        By name, in the simulator's order.
    shards : dict of Shard
        The finished ones, by number.
    """

    system: str
    parameters: dict[str, Any]
    seed: int
    n: int
    shard_events: int
    code: str
    version: str
    fields: dict[str, Field]
    shards: dict[int, Shard] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of shards when the run is complete."""
        return -(-self.n // self.shard_events)

    @property
    def complete(self) -> bool:
        """Whether every shard is finished."""
        return len(self.shards) == self.count

    @property
    def run(self) -> str:
        """Name of the run in each of its files: a hash of everything that decides the bits."""
        facts = [self.system, self.parameters, self.seed, self.n, self.shard_events, self.code]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

    def events_of(self, number: int) -> int:
        """Number of events of a shard."""
        return min(self.shard_events, self.n - number * self.shard_events)

    def file_of(self, number: int) -> str:
        """Name of the file of a shard."""
        return f"shard-{number:0{max(5, len(str(self.count - 1)))}d}.h5"


def shard_seed(seed: int, number: int) -> int:
    """The seed of one shard: independent of all others and of who computes it.

    Parameters
    ----------
    seed, number : int
        Seed of the run and number of the shard, at least 0.

    Returns
    -------
    int

    Raises
    ------
    ValueError, TypeError
        If one of them is not a whole number of at least 0.

    Examples
    --------
    >>> shard_seed(1, 0) != shard_seed(1, 1) != shard_seed(2, 0)
    True
    """
    seed = check_count(minimum=0, seed=seed)
    number = check_count(minimum=0, number=number)
    return int(np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1, np.uint64)[0])


def write_shard(path: Path, arrays: dict[str, np.ndarray], *, run: str) -> Shard:
    """Write the arrays of some events to one file, whole or not at all; ``run`` says which run it belongs to."""
    import h5py  # comes with Keras

    temporary = path.with_name(f"{path.name}.{uuid4().hex[:8]}.part")
    try:
        with h5py.File(temporary, "w") as file:
            file.attrs["run"] = run
            for name, array in arrays.items():
                file.create_dataset(name, data=array, track_times=False)
        shard = describe(temporary, path.name, len(next(iter(arrays.values()))))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return shard


def describe(path: Path, name: str, events: int) -> Shard:
    """The entry of the manifest for a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Shard(file=name, events=events, size=path.stat().st_size, sha256=digest)


def adopt(path: Path, run: str, events: int) -> Shard | None:
    """The entry for a file of the run that is whole but not in the manifest, since the run was stopped; else None."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("run") != run or any(len(array) != events for array in file.values()):
                return None
    except OSError:
        return None
    return describe(path, path.name, events)


def read_shard(folder: str | Path, shard: Shard, fields: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of one shard.

    Parameters
    ----------
    folder : path
    shard : Shard
        From the manifest.
    fields : sequence of str, optional
        Default: all.

    Returns
    -------
    dict of arrays
        The event is the first axis.

    Raises
    ------
    OSError
        If the file is missing or no HDF5 file.
    ValueError
        If it does not hold what the manifest says, or has no such field.
    """
    import h5py

    path = Path(folder) / _shard(shard).file
    with h5py.File(path, "r") as file:
        missing = [name for name in fields or () if name not in file]
        if missing:
            raise ValueError(f"fields must be among {', '.join(file)}, got {missing[0]!r}")
        arrays = {name: file[name][()] for name in (file if fields is None else fields)}
    for name, array in arrays.items():
        if len(array) != shard.events:
            raise ValueError(f"{path} must hold {shard.events} events, got {len(array)} of {name}")
    return arrays


def write_manifest(folder: str | Path, manifest: Manifest) -> None:
    """Write ``manifest.json``; other processes see the old one or the whole new one.

    Parameters
    ----------
    folder : path
    manifest : Manifest

    Raises
    ------
    OSError
        If the folder cannot be written.
    TypeError
        If it is no manifest.
    """
    if not isinstance(manifest, Manifest):
        raise TypeError(f"manifest must be a Manifest, got {shown(manifest)} ({type(manifest).__name__})")
    entries = asdict(manifest)
    entries["shards"] = [{"number": k, **asdict(shard)} for k, shard in sorted(manifest.shards.items())]
    text = json.dumps({"format": FORMAT, "complete": manifest.complete, **entries}, indent=1)
    temporary = Path(folder) / f"{MANIFEST}.part"
    temporary.write_text(text + "\n", encoding="utf-8")
    os.replace(temporary, Path(folder) / MANIFEST)


def read_manifest(folder: str | Path) -> Manifest:
    """What the manifest of a folder says.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Manifest

    Raises
    ------
    FileNotFoundError
        If the folder has none.
    ValueError
        If it is damaged or of another format.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(f"no {MANIFEST} in {Path(folder)}: dlphys simulate SYSTEM -n N --out DIR makes one")
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if entries.pop("format") != FORMAT:
            raise ValueError("of another format")
        del entries["complete"]
        entries["fields"] = {
            name: Field(tuple(one["shape"]), one["dtype"], one["unit"]) for name, one in entries["fields"].items()
        }
        entries["shards"] = {one.pop("number"): Shard(**one) for one in entries["shards"]}
        return Manifest(**entries)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no manifest of shards ({error})") from None


def verify(folder: str | Path) -> dict[int, str]:
    """What is wrong with the shards of a folder: nothing, if the result is empty.

    Parameters
    ----------
    folder : path

    Returns
    -------
    dict of int to str
        Number of the shard, and "missing" or "damaged". A shard that was not made yet is missing.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no manifest, or it is damaged.
    """
    manifest = read_manifest(folder)
    wrong: dict[int, str] = {}
    for number in range(manifest.count):
        shard = manifest.shards.get(number)
        path = Path(folder) / manifest.file_of(number)
        if shard is None or not path.is_file():
            wrong[number] = "missing"
        elif describe(path, shard.file, shard.events) != shard:
            wrong[number] = "damaged"
    return wrong


def _shard(shard: Shard) -> Shard:
    if not isinstance(shard, Shard):
        raise TypeError(f"shard must be a Shard of a manifest, got {shown(shard)} ({type(shard).__name__})")
    return shard
