"""The top quark tagging reference set: constituents of jets, and the simulator that stands in for it."""

from __future__ import annotations

import contextlib
import importlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dlphys._random import Seed, generator
from dlphys._validation import check_count
from dlphys.datasets._dataset import PARTS, About, Dataset
from dlphys.datasets._formats import Table
from dlphys.datasets._parts import divided
from dlphys.datasets._registry import Entry, registry
from dlphys.datasets._source import obtain

STORED = 200  # constituents of a jet in the files
RUN = 1000  # jets read in one go
CONE = 0.8
PT = (550.0, 650.0)  # GeV


def load_top_tagging(
    n: int = 20_000,
    *,
    seed: Seed,
    validation: int = 5_000,
    test: int = 10_000,
    constituents: int = 40,
    stand_in: bool | None = None,
    allow_download: bool = False,
) -> Dataset:
    """Jets of top quarks, and of light quarks and gluons: the momenta of their constituents.

    Parameters
    ----------
    n, validation, test : int, defaults 20 000, 5 000 and 10 000
        Jets to train, to validate and to test. The files hold 1 211 000, 403 000 and 404 000.
    seed : int or numpy.random.Generator
        Chooses the jets from the files, or simulates the stand-in.
    constituents : int, default 40
        How many are kept, those of largest transverse momentum; 1 to 200.
    stand_in : bool, optional
        True forces the offline stand-in, False forbids it; left out, it is the last resort. The stand-in comes from
        `dlphys.simulators.jets`.
    allow_download : bool, default False
        Whether 1.7 GB may be downloaded. ``dlphys data pull top_tagging DIR`` brings them once for an institute.

    Returns
    -------
    Dataset
        x (n, constituents, 4) float32, GeV: E, px, py, pz, sorted by falling transverse momentum, zero where a jet has
        fewer constituents; y (n,) float32, 1 = top quark.

    Raises
    ------
    DataUnavailable
        If the real set cannot be had and the stand-in is forbidden.
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Jets of 550 to 650 GeV and abs(eta) < 2, anti-kT with R = 0.8, 14 TeV, Pythia 8 and Delphes without pile-up; top
    jets contain the three quarks of the decay. Published areas under the ROC curve: 0.98 and above with all jets, see
    G. Kasieczka et al., SciPost Phys. 7 (2019) 014.

    The files are tables of pandas in HDF5 and may be compressed with Blosc, which h5py reads once the package
    hdf5plugin is installed. The archive states md5 sums, which a download must have; we know no published sha256, so
    that of the first download is noted, and from then on nothing else is taken.

    Examples
    --------
    >>> data = load_top_tagging(200, validation=50, test=50, seed=1, stand_in=True)  # doctest: +ELLIPSIS
    top_tagging: an offline stand-in...
    >>> data.x_train.shape, data.x_test.shape
    ((200, 40, 4), (50, 40, 4))
    """
    sizes = tuple(
        check_count(**{name: value}) for name, value in (("n", n), ("validation", validation), ("test", test))
    )
    constituents = check_count(constituents=constituents, maximum=STORED)
    if not isinstance(allow_download, bool):
        raise TypeError(f"allow_download must be True or False, got {allow_download!r}")
    random = generator(seed)
    arrays, source = obtain(
        "top_tagging",
        stand_in,
        lambda: _simulated(sizes, seed, constituents),
        caller_depth=3,
        reader=partial(read_jets, sizes=sizes, constituents=constituents, random=random),
        allow_download=allow_download,
    )
    real = source != "stand-in"
    entry = registry()["top_tagging"]
    about = About(
        title=entry.title,
        source=source,
        units={"E": "GeV", "px": "GeV", "py": "GeV", "pz": "GeV"},
        target_units={"top": "1 top quark, 0 light quark or gluon"},
        made=(
            "simulated by its authors with Pythia 8 and Delphes (ATLAS card) at 14 TeV, anti-kT jets with R = 0.8"
            if real
            else "dlphys.simulators.jets, top quarks against light quarks and gluons"
        ),
        licence=entry.licence if real else "MIT, as this package",
        citation=entry.citation,
        flaws=(
            "no pile-up, no systematic uncertainties, jets of 550 to 650 GeV only",
            *(() if real else ("not the jets of the set: a parton shower of our own",)),
        ),
        classes=("light quark or gluon", "top quark"),
    )
    return Dataset(name="top_tagging", about=about, **arrays)  # type: ignore[arg-type]


def _simulated(sizes: tuple[int, ...], seed: Seed, constituents: int) -> Table:
    from dlphys.simulators import jets

    sample = jets.simulate(
        sum(sizes),
        seed=seed,
        preset="physics",
        kinds=("qcd", "top"),
        pt=PT,
        radius=CONE,
        constituents=constituents,
        contained=True,
    )
    x, y = jets.four_momenta(sample.constituents), sample.label.astype(np.float32)
    return divided(x, y, validation=sizes[1], test=sizes[2])


def read_jets(
    entry: Entry, folder: Path, *, sizes: tuple[int, ...], constituents: int, random: np.random.Generator
) -> Table:
    """The fields of the `Dataset`, read from the three files. Memory is bounded by what is returned and one run."""
    fields = {}
    for part, file, size in zip(PARTS, entry.files, sizes, strict=True):
        with _opened(folder / file.name) as table:
            if size > len(table):
                raise ValueError(f"{Path(file.name).name} has {len(table)} jets, {size} were asked for")
            x, y = np.empty((size, constituents, 4), np.float32), np.empty(size, np.float32)
            done = 0
            # runs of rows, since single rows would unpack the whole file; from all over it, in case it is sorted
            for start in RUN * random.permutation(-(-len(table) // RUN)):
                rows = table[start : start + min(RUN, size - done)]
                x[done : done + len(rows)] = rows["values_block_0"][:, : 4 * constituents].reshape(-1, constituents, 4)
                y[done : done + len(rows)] = rows["values_block_1"][:, 1]
                done += len(rows)
                if done == size:
                    break
        order = random.permutation(size)
        fields[f"x_{part}"], fields[f"y_{part}"] = x[order], y[order]
        _check(x, y)
    return fields


def look(entry: Entry, folder: Path) -> Table:
    """ValueError if a file does not have the layout of this set; no arrays."""
    for file in entry.files:
        with _opened(folder / file.name) as table:
            rows = table[:RUN]
            _check(rows["values_block_0"][:, : 4 * STORED].reshape(-1, STORED, 4), rows["values_block_1"][:, 1])
    return {}


@contextlib.contextmanager
def _opened(path: Path) -> Any:
    """The table of pandas inside an HDF5 file: 200 times E, px, py, pz and the top quark's; then part and label."""
    import h5py

    with contextlib.suppress(ImportError):
        importlib.import_module("hdf5plugin")  # teaches h5py to read Blosc

    with h5py.File(path, "r") as file:
        table = file["table/table"]
        fields = table.dtype.fields or {}
        shapes = {name: fields[name][0].shape for name in fields}
        if shapes.get("values_block_0") != (4 * STORED + 4,) or shapes.get("values_block_1") != (2,):
            raise ValueError(f"its table has the columns {shapes}")
        try:
            yield table
        except OSError as error:
            if "filter" in str(error) or "plugin" in str(error):
                raise ValueError("h5py cannot unpack it; `pip install hdf5plugin` brings what it lacks") from None
            raise


def _check(x: np.ndarray, y: np.ndarray) -> None:
    """ValueError unless energies are not below momenta, transverse momenta fall, and labels are 0 and 1."""
    momentum = np.linalg.norm(x[..., 1:].astype(float), axis=-1)
    pt = np.hypot(x[..., 1], x[..., 2])
    if not (np.isfinite(x).all() and (x[..., 0] >= momentum * 0.999 - 1e-3).all()):
        raise ValueError("its columns are not E, px, py, pz")
    if (np.diff(pt, axis=1) > 1e-3 * (1 + pt[:, :-1])).any():
        raise ValueError("constituents are not sorted by transverse momentum")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("labels are not 0 and 1")
