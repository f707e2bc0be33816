"""The book's own data files, made on the spot: ``dlphys data export --book DIR``.

The notebooks of the book's exercise repository load eight files from a private online folder. Here they are made by
this package's simulators, with the same names, keys, shapes and units, so that those notebooks find their data. The
events are ours: other random numbers, and for most systems another simulation, of the same difficulty where that is
known (DESIGN, section 3).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dlphys._validation import check_choice, check_count, check_number, shown

__all__ = ["BOOK_FILES", "BookFile", "export_book"]

SHUFFLE = 0x5F  # beside the seed: the order of the lattices


@dataclass(frozen=True)
class BookFile:
    """One file of the book's exercises.

    Attributes
    ----------
    exercises : str
        Who reads it.
    n : int
        Number of events in the book's file.
    shapes : dict of tuples
        For each key the shape of one event.
    make : callable
        ``make(n, seed)`` gives the arrays by key.
    """

    exercises: str
    n: int
    shapes: dict[str, tuple[int, ...]]
    make: Callable[[int, int], dict[str, np.ndarray]]


def export_book(
    folder: str | Path, names: Sequence[str] | None = None, *, seed: int = 1, share: float = 1.0
) -> list[Path]:
    """Write the book's data files into a folder.

    Parameters
    ----------
    folder : path
        Made if it is not there. Files of the same names are replaced, each one whole or not at all.
    names : sequence of str, optional
        Such as "ising_data"; default: all of `BOOK_FILES`.
    seed : int, default 1
    share : float, default 1
        Share of the book's number of events, in (0, 1]. The book's notebooks divide by fixed numbers, so they need all.

    Returns
    -------
    list of pathlib.Path
        The files, and a README.txt that says which exercise reads which.

    Raises
    ------
    ValueError, TypeError
        If a name is unknown, or seed or share is out of range.
    OSError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = export_book(folder, ["karate_club"])
    ...     with np.load(paths[0]) as file:
    ...         shapes = {key: file[key].shape for key in file}
    >>> shapes
    {'adj': (34, 34), 'features': (34, 34), 'labels_one_hot': (34, 4)}
    """
    if isinstance(names, str) or (names is not None and not len(names)):
        raise TypeError(f"names must be a list such as ['ising_data'], got {shown(names)}")
    chosen = list(BOOK_FILES) if names is None else list(dict.fromkeys(names))
    for name in chosen:
        check_choice(choices=tuple(BOOK_FILES), names=name)
    seed = check_count(minimum=0, seed=seed)
    share = check_number(minimum=0, share=share, exclusive=False)
    if not 0 < share <= 1:
        raise ValueError(f"share must be in (0, 1], got {share:g}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in chosen:
        book = BOOK_FILES[name]
        path = folder / f"{name}.npz"
        temporary = folder / f"{name}.part.npz"
        try:
            arrays = book.make(max(1, round(book.n * share)), seed)
            np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]  # the stubs take keywords for allow_pickle
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        paths.append(path)
    readme = folder / "README.txt"
    readme.write_text(_readme(), encoding="utf-8")
    return [*paths, readme]


def _readme() -> str:
    lines = [
        f"{name + '.npz':22}exercise {book.exercises}: {', '.join(book.shapes)}" for name, book in BOOK_FILES.items()
    ]
    return (
        "Data for the exercises of Deep Learning for Physics Research (Erdmann, Glombitza, Kasieczka, Klemradt),\n"
        "made by the simulators of dlphys (`dlphys data export --book DIR`). Licence of the files: MIT.\n\n"
        + "\n".join(lines)
        + "\n\nPut the files beside the notebooks and take out the lines with gdown.download. Exercises 11.1 and 18.2\n"
        "both call their file airshowers.npz; here that of 18.2 is shower_maps.npz, so rename it there.\n"
    )


def _ising(n: int, seed: int) -> dict[str, np.ndarray]:
    from dlphys.simulators import ising

    sample = ising.simulate(n, seed=seed)
    # the book's notebooks cut at fixed rows, so temperatures must come in random order
    order = np.random.default_rng((seed, SHUFFLE)).permutation(n)
    # float32, since Keras does not convolve integers
    return {"C": sample.spins[order].astype(np.float32), "T": sample.temperature[order]}


def _showers(n: int, seed: int, array: str) -> dict[str, np.ndarray]:
    from dlphys.simulators import airshower

    showers = airshower.simulate(n, array=array, seed=seed)
    arrays = {"time": showers.time, "signal": showers.signal, "showeraxis": showers.axis, "showercore": showers.core}
    return arrays | ({"energy": showers.energy} if array == "cartesian" else {"logE": showers.log_energy})


def _footprints(n: int, seed: int) -> dict[str, np.ndarray]:
    from dlphys.simulators import airshower

    signal = airshower.simulate(n, preset="footprint", seed=seed).signal
    return {"shower_maps": np.log10(1 + np.nan_to_num(signal, nan=0.0))[..., None]}


def _radio(n: int, seed: int) -> dict[str, np.ndarray]:
    from dlphys.simulators import radio

    sample = radio.simulate(n, seed=seed)
    return {"traces": sample.traces, "signals": sample.signals}


def _skies(n: int, seed: int) -> dict[str, np.ndarray]:
    from dlphys.simulators import cosmic_rays

    sample = cosmic_rays.simulate(n, seed=seed)
    return {"data": sample.data, "label": sample.label}


def _speckles(n: int, seed: int) -> dict[str, np.ndarray]:
    from dlphys.simulators import speckle

    sample = speckle.simulate(n, seed=seed)
    return {"speckle_images": sample.speckled[..., None], "target_images": sample.clean[..., None]}


def _karate_club(n: int, seed: int) -> dict[str, np.ndarray]:
    import networkx

    from dlphys.datasets._karate import GROUPS

    adjacency = networkx.to_numpy_array(networkx.karate_club_graph(), weight=None, dtype=np.float32)
    # our groups, in the order in which the book's file numbers them; 31 of the 34 members are in the same one
    one_hot = np.eye(4, dtype=np.float32)[[1, 0, 3, 2]]
    return {
        "adj": adjacency,
        "features": np.eye(len(adjacency), dtype=np.float32),
        "labels_one_hot": one_hot[[*GROUPS]],
    }


_MAP = {"time": (9, 9), "signal": (9, 9), "showeraxis": (3,), "showercore": (3,), "logE": ()}
_SQUARE_MAP = {"time": (14, 14), "signal": (14, 14), "showeraxis": (3,), "showercore": (3,), "energy": ()}

BOOK_FILES: dict[str, BookFile] = {
    "ising_data": BookFile("7.1, 8.1, 12.3", 26_000, {"C": (32, 32), "T": ()}, _ising),
    "airshowers_mnist": BookFile("7.2, 8.2", 100_000, _SQUARE_MAP, partial(_showers, array="cartesian")),
    "airshowers": BookFile("11.1", 200_000, _MAP, partial(_showers, array="hexagonal")),
    "radio_data": BookFile("9.2", 50_000, {"traces": (500,), "signals": (500,)}, _radio),
    "cr_sphere": BookFile("10.1", 50_000, {"data": (500, 4), "label": ()}, _skies),
    "speckles": BookFile("17.1", 25_500, {"speckle_images": (64, 64, 1), "target_images": (64, 64, 1)}, _speckles),
    "shower_maps": BookFile("18.2", 100_000, {"shower_maps": (9, 9, 1)}, _footprints),
    "karate_club": BookFile("16.1", 34, {"adj": (34,), "features": (34,), "labels_one_hot": (4,)}, _karate_club),
}
