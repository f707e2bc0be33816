"""Files to arrays, checked against the registry. Nothing here runs code that came with the data."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from dlphys.datasets._errors import NotHere
from dlphys.datasets._registry import Entry

Table = dict[str, np.ndarray]
Reader: TypeAlias = Callable[[Entry, Path], Table]


def sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(entry: Entry, folder: Path, reader: Reader | None = None) -> Table:
    """The arrays of a set whose files lie in ``folder``.

    Parameters
    ----------
    entry : Entry
    folder : path
    reader : callable, optional
        For sets that are read in part; left out, the one of the entry's format.

    Raises
    ------
    NotHere
        If a file is missing, damaged, or does not hold the arrays that the registry promises.
    """
    try:
        if entry.npz and (folder / entry.npz).is_file():
            arrays = _npz(folder / entry.npz, entry)
        else:
            arrays = (reader or _READERS[entry.format])(entry, folder)
    except FileNotFoundError as error:
        raise NotHere(f"{Path(error.filename).name} is missing") from None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, tarfile.TarError) as error:
        raise NotHere(f"{_names(entry, folder)} cannot be read ({error})") from None
    for key, shape in entry.shapes.items():
        _check(entry, folder, key, arrays[key], shape)
    return arrays


def _names(entry: Entry, folder: Path) -> str:
    if entry.npz and (folder / entry.npz).is_file():
        return entry.npz
    return ", ".join(Path(file.name).name for file in entry.files)


def _check(entry: Entry, folder: Path, key: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    where = f"{key} in {_names(entry, folder)}"
    if array.shape != shape:
        raise NotHere(f"{where} has shape {array.shape} instead of {shape}")
    if key.startswith("x") and array.dtype != np.uint8:
        raise NotHere(f"{where} has type {array.dtype} instead of uint8")
    if key.startswith("y") and (array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 9):
        raise NotHere(f"{where} does not hold classes from 0 to 9")
    if key == "table" and not np.isfinite(array).all():
        raise NotHere(f"{where} holds entries that are not numbers")


def _npz(path: Path, entry: Entry) -> Table:
    with np.load(path, allow_pickle=False) as file:
        missing = [key for key in entry.shapes if key not in file]
        if missing:
            raise ValueError(f"it lacks the key {missing[0]!r}")
        arrays = {key: file[key] for key in entry.shapes}
    # Keras keeps the labels of CIFAR-10 as one column
    return {key: array[:, 0] if key[0] == "y" and array.ndim == 2 else array for key, array in arrays.items()}


def _read_npz(entry: Entry, folder: Path) -> Table:
    return _npz(folder / entry.files[0].name, entry)


def _read_csv(entry: Entry, folder: Path) -> Table:
    with (folder / entry.files[0].name).open(encoding="utf-8") as file:
        columns = tuple(column.strip().strip('"') for column in file.readline().split(";"))
        if columns != entry.columns:
            raise ValueError(f"its columns are {', '.join(columns)[:60]} ...")
        return {"table": np.loadtxt(file, delimiter=";", ndmin=2)}


def _read_idx(entry: Entry, folder: Path) -> Table:
    """The format of the original MNIST: two zero bytes, type 8 (uint8), number of axes, their lengths, the values."""
    arrays = {}
    for key, file in zip(("x_train", "y_train", "x_test", "y_test"), entry.files, strict=True):
        with gzip.open(folder / file.name, "rb") as stream:
            head = stream.read(4)
            if len(head) < 4 or head[:3] != b"\x00\x00\x08":
                raise ValueError(f"{Path(file.name).name} is not an idx file of bytes")
            shape = tuple(int(length) for length in np.frombuffer(stream.read(4 * head[3]), ">i4"))
            if shape != entry.shapes[key]:
                raise ValueError(f"{Path(file.name).name} has shape {shape} instead of {entry.shapes[key]}")
            arrays[key] = np.frombuffer(stream.read(), np.uint8).reshape(shape)
    return arrays


def _read_cifar(entry: Entry, folder: Path) -> Table:
    path = folder / entry.files[0].name
    if sha256(path) != entry.files[0].sha256:  # pickles can run code: only the authors' own bytes are opened
        raise ValueError("its sha256 is not the registered one")
    batches: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"train": [], "test": []}
    with tarfile.open(path, "r:gz") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the pickles name modules that NumPy has since moved
        for batch in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
            stream = archive.extractfile(f"cifar-10-batches-py/{batch}")
            if stream is None:
                raise ValueError(f"{batch} is not a file")
            content = pickle.load(stream, encoding="bytes")
            images = content[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            batches["test" if batch == "test_batch" else "train"].append((images, np.array(content[b"labels"])))
    return {
        f"{kind}_{part}": np.concatenate([batch[i] for batch in batches[part]])
        for part in batches
        for i, kind in enumerate("xy")
    }


def _look_at_higgs(entry: Entry, folder: Path) -> Table:
    from dlphys.datasets import _higgs  # its loader needs this module

    return _higgs.look(entry, folder)


def _look_at_top_tagging(entry: Entry, folder: Path) -> Table:
    from dlphys.datasets import _top_tagging

    return _top_tagging.look(entry, folder)


_READERS: dict[str, Reader] = {
    "npz": _read_npz,
    "csv": _read_csv,
    "idx": _read_idx,
    "cifar": _read_cifar,
    "higgs": _look_at_higgs,
    "top_tagging": _look_at_top_tagging,
}
