"""HIGGS: the set of Baldi, Sadowski and Whiteson, read in a stream, and the simulator that stands in for it."""

from __future__ import annotations

import gzip
import io
import sys
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from dlphys._random import Seed, generator
from dlphys._validation import check_count, check_number
from dlphys.datasets import _cache
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._formats import Table
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._registry import Entry, registry
from dlphys.datasets._source import obtain

ROWS = 11_000_000
HELD = 500_000  # the last rows are for tests, by the convention of the authors
CHUNK = 50_000  # rows parsed at once
LOW, HIGH = 21, 7  # measured columns, and invariant masses made of them

# in the order of the file, after the label
COLUMNS = (
    "lepton pT",
    "lepton eta",
    "lepton phi",
    "missing energy magnitude",
    "missing energy phi",
    *(f"jet {i} {what}" for i in (1, 2, 3, 4) for what in ("pt", "eta", "phi", "b-tag")),
    "m_jj",
    "m_jjj",
    "m_lv",
    "m_jlv",
    "m_bb",
    "m_wbb",
    "m_wwbb",
)


def load_higgs(
    n: int = 100_000,
    *,
    seed: Seed,
    validation: float = 0.1,
    test: int = 100_000,
    stand_in: bool | None = None,
    allow_download: bool = False,
) -> Dataset:
    """Collisions with a charged Higgs boson, or with a pair of top quarks that looks alike: 28 columns.

    Parameters
    ----------
    n : int, default 100 000
        Events to train and validate: the first ones of the file, 2 to 10 500 000.
    seed : int or numpy.random.Generator
        For the stand-in; the events of the file are in its order, which is already mixed.
    validation : float, default 0.1
        Share of the ``n`` events, the last ones.
    test : int, default 100 000
        Events to test: the first ones of the last 500 000 rows, which the authors set aside; 1 to 500 000.
    stand_in : bool, optional
        True forces the offline stand-in, False forbids it; left out, it is the last resort. The stand-in is
        `dlphys.simulators.resonance.simulate_higgs`.
    allow_download : bool, default False
        Whether 2.8 GB may be downloaded. ``dlphys data pull higgs DIR`` brings them once for an institute.

    Returns
    -------
    Dataset
        x (n, 28) float32, columns as in ``about.columns``: 21 measured ones, then 7 invariant masses made of them;
        y (n,) float32, 1 = signal. No entry is missing.

    Raises
    ------
    DataUnavailable
        If the real set cannot be had and the stand-in is forbidden.
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The file has no units: columns that are always positive are divided by their mean, the others are shifted to mean
    zero and divided by their standard deviation, both over the whole set. The rows that were read are kept in the
    cache, since those for the test lie behind 8 GB of text.

    Source: P. Baldi, P. Sadowski and D. Whiteson, Nature Communications 5 (2014) 4308; UCI machine learning repository.
    There the area under the ROC curve is 0.73 with the 21 columns and 0.78 with the 7 for a shallow network, 0.88 and
    0.80 for a deep one.

    Examples
    --------
    >>> data = load_higgs(1000, test=500, seed=1, stand_in=True)  # doctest: +ELLIPSIS
    higgs: an offline stand-in...
    >>> data.x_train.shape, data.x_test.shape, data.about.columns[21]
    ((900, 28), (500, 28), 'm_jj')
    """
    n = check_count(n=n, minimum=2, maximum=ROWS - HELD)
    test = check_count(test=test, maximum=HELD)
    check_number(validation=validation, minimum=0, maximum=1, exclusive=True)
    if not isinstance(allow_download, bool):
        raise TypeError(f"allow_download must be True or False, got {allow_download!r}")
    generator(seed)  # refused here, if it is wrong
    arrays, source = obtain(
        "higgs",
        stand_in,
        lambda: _simulated(n + test, seed),
        caller_depth=3,
        reader=partial(read_rows, n=n, test=test),
        allow_download=allow_download,
    )
    real = source != "stand-in"
    entry = registry()["higgs"]
    about = About(
        title=entry.title,
        source=source,
        units={column: _unit(column) for column in COLUMNS},
        target_units={"signal": "1 signal, 0 top quark pairs"},
        made=(
            "simulated by its authors with MadGraph, Pythia and Delphes at 8 TeV"
            if real
            else "dlphys.simulators.resonance.simulate_higgs"
        ),
        licence=entry.licence if real else "MIT, as this package",
        citation=entry.citation,
        flaws=(
            "columns are scaled by numbers that were not published, so momenta are not in GeV",
            *(() if real else ("not the events of the set: leading-order kinematics and a simple detector",)),
        ),
        classes=("top quark pairs", "signal"),
    )
    parts = divided(arrays["x"], arrays["y"], validation=min(held_out(n, validation), n - 1), test=test)
    return Dataset(name="higgs", about=about, **parts)


def _unit(column: str) -> str:
    return "1 = standard deviation" if column.endswith((" eta", " phi")) else "1 = mean"


def _simulated(n: int, seed: Seed) -> Table:
    from dlphys.simulators import resonance

    events = resonance.simulate_higgs(n, seed=seed)
    return {"x": events.features, "y": events.label.astype(np.float32)}


def read_rows(entry: Entry, folder: Path, *, n: int, test: int) -> Table:
    """The first ``n`` rows of the file, and the first ``test`` of its last 500 000; kept in the cache.

    Memory is bounded by the rows that are returned: the file is read in a stream, and what lies between is passed over.
    """
    file = entry.files[0]
    path = folder / file.name
    state = path.stat()
    parameters = {"n": n, "test": test, "bytes": state.st_size, "changed": state.st_mtime_ns}

    def make() -> Table:
        with gzip.open(path, "rb") as stream:
            first = _parsed(stream, n)
            deque(islice(stream, ROWS - HELD - n), maxlen=0)  # passed over at the speed of C
            rows = np.concatenate([first, _parsed(stream, test)])
        return {"x": np.ascontiguousarray(rows[:, 1:]), "y": np.ascontiguousarray(rows[:, 0])}

    return _cache.recall("extracted", "higgs", parameters, sys.modules[__name__], ("x", "y"), make)[0]


def look(entry: Entry, folder: Path) -> Table:
    """ValueError if the first rows are not those of this set; no arrays."""
    with gzip.open(folder / entry.files[0].name, "rb") as stream:
        _parsed(stream, 100)
    return {}


def _parsed(stream: Iterator[bytes], rows: int) -> np.ndarray:
    """The next ``rows`` lines as numbers, (rows, 29) float32; ValueError if they are not rows of this set."""
    import pandas as pd  # 0.3 s

    table = np.empty((rows, 1 + len(COLUMNS)), np.float32)
    for start in range(0, rows, CHUNK):
        count = min(CHUNK, rows - start)
        text = b"".join(islice(stream, count))
        if not text:
            raise ValueError(f"it has fewer than {ROWS} rows")
        piece = pd.read_csv(io.BytesIO(text), header=None, dtype=np.float32).to_numpy()
        if piece.shape != (count, table.shape[1]):
            raise ValueError(f"rows {start} to {start + count} have shape {piece.shape}, not {(count, table.shape[1])}")
        if not np.isfinite(piece).all() or not np.isin(piece[:, 0], (0, 1)).all():
            raise ValueError("a row does not hold a label of 0 or 1 and 28 numbers")
        table[start : start + count] = piece
    return table
