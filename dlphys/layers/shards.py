"""Training on more events than memory holds: batches from a folder of shards."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np

from dlphys._random import generator
from dlphys._validation import check_choice, check_count, shown
from dlphys.datasets.shards import read_manifest, read_shard

__all__ = ["ShardSequence"]

Names: TypeAlias = str | Sequence[str]
IN_MEMORY = 2  # shards


class ShardSequence(keras.utils.PyDataset):
    """Batches for ``fit``, ``evaluate`` and ``predict`` from what ``dlphys simulate`` wrote; one item is one batch.

    The order is random in two steps: of the shards, and of the events inside a shard; a new one each epoch. A batch may
    take its last events from the next shard, so all batches but the last one of an epoch are full. At most two
    shards are in memory, and each is read once an epoch, if batches are asked for in order. Keras shuffles them unless
    told otherwise, so write ``model.fit(sequence, shuffle=False)``. A new epoch begins when batch 0 is asked for after
    the last one.

    Parameters
    ----------
    folder : path
        With a ``manifest.json``; the run must be complete.
    x : str or list of str
        Fields for the network: one name gives an array, several give a dict.
    y : str or list of str, optional
        Fields of the target. Left out, a batch is x alone.
    batch_size : int, default 128
    shuffle : bool, default True
    seed : int
        Decides the order of all epochs.
    shards : range or list of int, optional
        Numbers of the shards to use, for example ``range(8)`` to train and ``range(8, 10)`` to validate. Default: all.
    transform : callable, optional
        ``transform(batch)`` gets what would be returned, (x, y) or x, and returns what is: the place to scale or to add
        an axis.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        If the folder has no complete run, or an argument is out of range.

    Warns
    -----
    RuntimeWarning
        If a shard is read again within an epoch because batches were asked for out of order.

    Examples
    --------
    >>> import tempfile
    >>> from dlphys.course import cluster
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manifest = cluster.simulate("earthquakes", 1000, folder, seed=1, shard_events=400)
    ...     sequence = ShardSequence(folder, x="times", y="epicentres", batch_size=100, seed=1)
    ...     x, y = sequence[0]
    >>> len(sequence), x.shape, y.shape
    (10, (100, 8), (100, 2))
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        x: Names,
        y: Names | None = None,
        batch_size: int = 128,
        shuffle: bool = True,
        seed: int,
        shards: Sequence[int] | None = None,
        transform: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__()  # one worker: shards are read one after the other, TensorFlow fetches batches ahead
        self.folder = Path(folder)
        self.batch_size = check_count(batch_size=batch_size)
        self.shuffle = bool(check_choice(choices=(True, False), shuffle=shuffle))
        generator(seed)
        self.seed = check_count(minimum=0, seed=seed)
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be a function of a batch, got {shown(transform)}")
        self.transform = transform
        manifest = read_manifest(folder)
        if not manifest.complete:
            raise ValueError(
                f"{folder} must hold a complete run, got {len(manifest.shards)} of {manifest.count} shards; "
                "the same `dlphys simulate` goes on"
            )
        numbers = range(manifest.count) if shards is None else shards
        if not len(numbers) or not all(number in manifest.shards for number in numbers):
            raise ValueError(f"shards must be some of 0 to {manifest.count - 1}, got {shown(shards)}")
        if len(set(numbers)) != len(numbers):
            raise ValueError(f"shards must differ, got {shown(shards)}")
        self._shards = [manifest.shards[number] for number in numbers]
        self._x, self._y = _names("x", x, manifest.fields), _names("y", y, manifest.fields)
        self._single = isinstance(x, str), isinstance(y, str)
        self._lock = threading.Lock()
        self._memory: OrderedDict[int, tuple[np.ndarray, dict[str, np.ndarray]]] = OrderedDict()
        self.reads = 0  # shards read from disk since the beginning
        self._epoch = -1
        self._previous = -1  # number of the batch that was asked for last
        self._start_epoch()

    def __len__(self) -> int:
        return -(-int(self._ends[-1]) // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        index = check_count(minimum=0, index=index)
        if index >= len(self):
            raise IndexError(f"index must be below {len(self)}, got {index}")
        first = index * self.batch_size
        last = min(first + self.batch_size, int(self._ends[-1]))
        with self._lock:
            # Keras's own hook comes too late: it asks for the first batches of an epoch before it says the last is over
            if index == 0 and self._previous == len(self) - 1:
                self._start_epoch()
            self._previous = index
            pieces = list(self._pieces(first, last))
        fields = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        batch: Any = self._part(fields, self._x, self._single[0])
        if self._y:
            batch = (batch, self._part(fields, self._y, self._single[1]))
        return batch if self.transform is None else self.transform(batch)

    def _start_epoch(self) -> None:
        self._epoch += 1
        random = np.random.default_rng((self.seed, self._epoch))
        self._order = random.permutation(len(self._shards)) if self.shuffle else np.arange(len(self._shards))
        self._ends = np.cumsum([self._shards[k].events for k in self._order])
        self._memory.clear()
        self._read_before: set[int] = set()

    def _pieces(self, first: int, last: int) -> Any:
        """The events from ``first`` to ``last`` of this epoch, shard by shard."""
        position = int(np.searchsorted(self._ends, first, side="right"))
        while first < last:
            k, end = int(self._order[position]), int(self._ends[position])
            begin = end - self._shards[k].events
            rows, arrays = self._load(k)
            chosen = rows[first - begin : min(last, end) - begin]
            yield {name: array[chosen] for name, array in arrays.items()}
            first, position = min(last, end), position + 1

    def _load(self, k: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The events of a shard and their order in this epoch."""
        if k in self._memory:
            self._memory.move_to_end(k)
            return self._memory[k]
        while len(self._memory) >= IN_MEMORY:
            self._memory.popitem(last=False)
        if k in self._read_before:
            warnings.warn(
                "batches are asked for out of order, so shards are read again and again: "
                "write model.fit(sequence, shuffle=False), the sequence shuffles itself",
                RuntimeWarning,
                stacklevel=4,
            )
        rows = np.arange(self._shards[k].events)
        if self.shuffle:
            rows = np.random.default_rng((self.seed, self._epoch, k)).permutation(rows)
        fields = list(dict.fromkeys([*self._x, *self._y]))
        self._memory[k] = rows, read_shard(self.folder, self._shards[k], fields)
        self._read_before.add(k)
        self.reads += 1
        return self._memory[k]

    def _part(self, fields: dict[str, np.ndarray], names: list[str], single: bool) -> Any:
        return fields[names[0]] if single else {name: fields[name] for name in names}


def _names(argument: str, value: Any, fields: Any) -> list[str]:
    if value is None and argument == "y":
        return []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names:
        raise TypeError(f"{argument} must be the name of a field or a list of names, got {shown(value)}")
    for name in names:
        if name not in fields:
            raise ValueError(f"{argument} must be among the fields {', '.join(fields)}, got {name!r}")
    return list(names)
