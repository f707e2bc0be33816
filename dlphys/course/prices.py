"""Price tags: what each solution notebook costs on two cores, and the table of them in README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlphys._validation import check_number, shown
from dlphys.course import run
from dlphys.course._pages import fill

__all__ = ["limits", "measure", "read", "stale", "table", "update_readme", "within_factor"]

PRICES = Path("notebooks/prices.json")
THREADS = 2
MOST_SECONDS = 240.0  # a file
MOST_MEMORY = 2048.0  # MiB, a file
MOST_TOTAL = 45 * 60.0  # s, all files
_HEADER = ("chapter", "title", "minutes", "points")
_MEASURED = ("seconds", "cpu_seconds", "memory_mib")

Prices = Mapping[str, Mapping[str, Any]]


def measure(root: str | Path, chapters: Sequence[str] = (), *, progress: bool = True) -> dict[str, dict[str, Any]]:
    """Run solution notebooks one after another at full settings on two threads, and write notebooks/prices.json.

    Each begins with an empty cache (downloads apart), as on a student's first day.

    Parameters
    ----------
    root : path
        The checkout.
    chapters : sequence of str
        As for `run.notebooks`; prices of other notebooks stay as they are. By default all.
    progress : bool
        Print a line for each notebook.

    Returns
    -------
    dict, name of the notebook -> dict
        ``seconds``, ``cpu_seconds``, ``memory_mib`` (MiB) as measured; ``chapter``, ``title``, ``minutes``,
        ``points`` from the notebook.

    Raises
    ------
    TypeError, ValueError
        ``root`` holds no solution notebooks, or one of them fails: a price of a notebook that fails says nothing,
        so nothing is written.

    Examples
    --------
    >>> measure("/nowhere")
    Traceback (most recent call last):
        ...
    ValueError: root must be a checkout with notebooks/solution, got '/nowhere'; `dlphys build` makes them
    """
    every = {path.stem: path for path in run.notebooks(root)}
    old = read(root) if (Path(root) / PRICES).is_file() and chapters else {}
    results = run.run(root, chapters, progress=progress, threads=THREADS, cold=True)
    failed = [result.path.stem for result in results if result.problems()]
    if failed:
        raise ValueError(f"no prices were written, since these notebooks fail: {', '.join(failed)}")
    prices = {name: dict(old[name]) for name in every if name in old}
    for result in results:
        prices[result.path.stem] = {
            "seconds": round(result.seconds, 1),
            "cpu_seconds": round(result.cpu_seconds, 1),
            "memory_mib": round(result.peak_memory),
            **_tags(result.notebook),
        }
    text = json.dumps(prices, indent=1, sort_keys=True, ensure_ascii=False)
    run.write_whole(Path(root) / PRICES, text + "\n")
    return dict(sorted(prices.items()))


def read(root: str | Path) -> dict[str, dict[str, Any]]:
    """The price tags of a checkout, as `measure` returned them.

    Raises
    ------
    TypeError, ValueError
        There are none.

    Examples
    --------
    >>> read("/nowhere")
    Traceback (most recent call last):
        ...
    ValueError: root must be a checkout with notebooks/prices.json, got '/nowhere'; `dlphys prices` measures them
    """
    if not isinstance(root, str | Path):
        raise TypeError(f"root must be a path, got {shown(root)} ({type(root).__name__})")
    try:
        text = (Path(root) / PRICES).read_text(encoding="utf-8")
    except OSError:
        raise ValueError(
            f"root must be a checkout with {PRICES.as_posix()}, got {str(root)!r}; `dlphys prices` measures them"
        ) from None
    prices: dict[str, dict[str, Any]] = json.loads(text)
    _checked(prices)
    return prices


def table(prices: Prices) -> str:
    """The table of README.md, in Markdown: a line a notebook, the sum below.

    Parameters
    ----------
    prices : dict
        As `measure` returns it.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError
        Not prices.

    Examples
    --------
    >>> ising = {"chapter": 8, "title": "Convolutional networks", "minutes": 90, "points": 12,
    ...          "seconds": 74.2, "cpu_seconds": 130.0, "memory_mib": 1100}
    >>> print(table({"ch08_convolutional": ising}))
    | notebook | your time | points | on two cores | memory |
    |---|--:|--:|--:|--:|
    | [8. Convolutional networks](notebooks/student/ch08_convolutional.ipynb) | 90 min | 12 | 74 s | 1.1 GiB |
    | all | 1.5 h | 12 | 1.2 min | |
    """
    lines = ["| notebook | your time | points | on two cores | memory |", "|---|--:|--:|--:|--:|"]
    # the lectures stand after the chapters, the examples of a chapter after its exercises
    order = sorted(
        _checked(prices).items(),
        key=lambda item: (item[1]["chapter"] or 99, item[0].endswith("_examples"), item[0]),
    )
    for name, price in order:
        number = f"{price['chapter']}. " if price["chapter"] else ""
        lines.append(
            f"| [{number}{price['title']}]({_link(name)}) | {price['minutes']} min "
            f"| {price['points']} | {price['seconds']:.0f} s | {price['memory_mib'] / 1024:.1f} GiB |"
        )
    minutes, points, seconds = (sum(p[key] for p in prices.values()) for key in ("minutes", "points", "seconds"))
    lines.append(f"| all | {minutes / 60:.1f} h | {points} | {seconds / 60:.1f} min | |")
    return "\n".join(lines)


def update_readme(root: str | Path, *, check: bool = False) -> bool:
    """Put the table between ``<!-- prices -->`` and ``<!-- /prices -->`` in README.md.

    Parameters
    ----------
    root : path
        The checkout.
    check : bool
        Write nothing.

    Returns
    -------
    bool
        Whether README.md was changed (with ``check``: would be).

    Raises
    ------
    TypeError, ValueError
        No prices, no README.md, or not exactly one pair of markers in it.

    Examples
    --------
    >>> update_readme("/nowhere", check=True)
    Traceback (most recent call last):
        ...
    ValueError: root must be a checkout with notebooks/prices.json, got '/nowhere'; `dlphys prices` measures them
    """
    return fill(Path(root) / "README.md", "prices", table(read(root)), check=check)


def limits(prices: Prices) -> list[str]:
    """What is too expensive: a file over 240 s or 2 GiB, all files together over 45 minutes.

    Parameters
    ----------
    prices : dict
        As `measure` returns it.

    Returns
    -------
    list of str
        One sentence for each limit that is exceeded.

    Raises
    ------
    TypeError, ValueError
        Not prices.

    Examples
    --------
    >>> limits({})
    []
    """
    found = []
    for name, price in sorted(_checked(prices).items()):
        if price["seconds"] > MOST_SECONDS:
            found.append(f"{name} takes {price['seconds']:.0f} s, allowed are {MOST_SECONDS:.0f} s")
        if price["memory_mib"] > MOST_MEMORY:
            found.append(f"{name} takes {price['memory_mib']:.0f} MiB, allowed are {MOST_MEMORY:.0f} MiB")
    total = sum(price["seconds"] for price in prices.values())
    if total > MOST_TOTAL:
        found.append(f"all notebooks take {total / 60:.1f} minutes, allowed are {MOST_TOTAL / 60:.0f} minutes")
    return found


def stale(root: str | Path) -> list[str]:
    """Where prices.json disagrees with the notebooks: a notebook without a price, a price without a notebook, a title.

    Parameters
    ----------
    root : path
        The checkout.

    Returns
    -------
    list of str
        One sentence each.

    Raises
    ------
    TypeError, ValueError
        No prices, or no notebooks.

    Examples
    --------
    >>> stale("/nowhere")
    Traceback (most recent call last):
        ...
    ValueError: root must be a checkout with notebooks/prices.json, got '/nowhere'; `dlphys prices` measures them
    """
    prices = read(root)
    notebooks = {path.stem: path for path in run.notebooks(root)}
    found = [f"{name} has no price" for name in notebooks if name not in prices]
    found += [f"{name} has a price, but there is no such notebook" for name in prices if name not in notebooks]
    for name in sorted(prices.keys() & notebooks.keys()):
        now = _tags(json.loads(notebooks[name].read_text(encoding="utf-8")))
        changed = [key for key in _HEADER if prices[name][key] != now[key]]
        found += [f"{name}: {key} is {now[key]!r}, prices.json says {prices[name][key]!r}" for key in changed]
    return found


def within_factor(prices: Prices, measured: Prices, factor: float = 2.0, *, least: float = 20.0) -> list[str]:
    """Compare a new measurement with the price tags.

    Parameters
    ----------
    prices, measured : dict
        As `measure` returns them; only notebooks in ``measured`` are compared.
    factor : float
        Above 1; what is allowed for another machine and for what else runs there. A run that costs less is no fault.
    least : float, s
        Shorter times count as this: a short run is mostly start-up, which depends on the disk.

    Returns
    -------
    list of str
        One sentence for each notebook that costs more than its tag says, in CPU seconds (wall time depends on
        what else runs) or memory.

    Raises
    ------
    TypeError, ValueError
        Not prices, or ``factor`` not above 1.

    Examples
    --------
    >>> tag = {"chapter": 8, "title": "CNN", "minutes": 90, "points": 12, "cpu_seconds": 90.0, "memory_mib": 1000}
    >>> within_factor({"ch08": tag | {"seconds": 50.0}}, {"ch08": tag | {"seconds": 50.0, "cpu_seconds": 190.0}})
    ['ch08 takes 190 s of CPU, its price tag says 90 s']
    """
    check_number(factor=factor, minimum=1, exclusive=True)
    check_number(least=least, minimum=0, unit="s")
    found = []
    tags = _checked(prices)
    for name, now in sorted(_checked(measured).items()):
        if name not in tags:
            found.append(f"{name} has no price tag")
            continue
        tag = tags[name]
        if now["cpu_seconds"] > factor * max(tag["cpu_seconds"], least):
            cost = f"{name} takes {now['cpu_seconds']:.0f} s of CPU"
            found.append(f"{cost}, its price tag says {tag['cpu_seconds']:.0f} s")
        if now["memory_mib"] > factor * tag["memory_mib"]:
            found.append(f"{name} takes {now['memory_mib']:.0f} MiB, its price tag says {tag['memory_mib']:.0f} MiB")
    return found


def _link(name: str) -> str:
    """The students' copy, from README.md; lectures have a folder of their own."""
    folder = "lectures/" if name.startswith("lec_") else ""
    return f"notebooks/student/{folder}{name}.ipynb"


def _tags(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """What the notebook says of itself."""
    header = notebook["metadata"].get("dlphys", {})
    cells = [cell["metadata"].get("dlphys", {}) for cell in notebook["cells"]]
    return {
        "chapter": header.get("chapter"),
        "title": header.get("title", ""),
        "minutes": header.get("minutes", 0),
        "points": sum(cell.get("points", 0) for cell in cells if "task" in cell),
    }


def _checked(prices: Any) -> Prices:
    if not isinstance(prices, Mapping):
        raise TypeError(f"prices must be a dictionary from notebooks to their prices, got {shown(prices)}")
    for name, price in prices.items():
        missing = [key for key in (*_HEADER, *_MEASURED) if not isinstance(price, Mapping) or key not in price]
        if missing:
            raise ValueError(f"prices[{name!r}] must have {', '.join((*_HEADER, *_MEASURED))}, got {shown(price)}")
    return prices
