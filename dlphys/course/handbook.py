"""What the instructor's pages say of the notebooks: the plan of a term, what each needs, what students get wrong.

``dlphys handbook`` writes these parts of ``docs/instructors.md`` and ``docs/mistakes.md`` from the sources and checks.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from dlphys.checks import engine, references
from dlphys.course._pages import fill
from dlphys.course._source import Source, read, source_paths
from dlphys.course.coverage import checked_root

__all__ = ["TERM", "Week", "write"]


class Week(NamedTuple):
    """A week of a term: its subject, the notebook all students do, those to choose from."""

    subject: str
    all: tuple[str, ...]
    choice: tuple[str, ...] = ()


TERM = (
    Week("What deep learning is for; models and data", ("ch01_scope", "ch02_models"), ("ch01_examples",)),
    Week("Building blocks of networks", ("ch03_building_blocks", "ch03_playground"), ("ch03_examples",)),
    Week("Optimization", ("ch04_optimization",), ("ch04_examples",)),
    Week("Mastering model building", ("ch05_model_building",), ("ch05_examples", "ch06_glossary")),
    Week("Fully-connected networks", ("ch07_fully_connected",), ("ch07_airshowers", "ch07_galaxies", "ch07_examples")),
    Week("Convolutional networks", ("ch08_convolutional",), ("ch08_airshowers", "ch08_examples", "ch08_hexagonal")),
    Week("Recurrent networks; images of physics", ("ch09_recurrent",), ("ch09_examples", "ch08_images")),
    Week("Graph networks", ("ch10_graphs",), ("ch10_examples",)),
    Week("Several tasks at once", ("ch11_multitask",), ("ch11_examples",)),
    Week("Interpretability", ("ch12_interpretability",), ("ch12_examples",)),
    Week(
        "Uncertainties, robustness, objective functions",
        ("ch13_robustness",),
        ("ch13_examples", "ch14_objectives", "ch14_examples"),
    ),
    Week(
        "Weak supervision and autoencoders",
        ("ch16_weak_supervision", "ch17_autoencoders"),
        ("ch15_supervision", "ch16_examples", "ch17_examples"),
    ),
    Week(
        "Generative models",
        ("ch18_gan",),
        ("ch18_wgan", "ch18_vae", "ch18_flows", "ch18_examples", "ch18_calorimeter"),
    ),
    Week(
        "Domains, anomalies, and beyond",
        ("ch20_anomalies",),
        ("ch19_adaptation", "ch19_unfolding", "ch20_examples", "ch21_outlook"),
    ),
)


def _plan(sources: dict[str, Source]) -> str:
    """The weeks of a term, as a table: minutes are a student's, as the notebooks state them."""
    rows = [
        "| week | subject | all | minutes | points | to choose from (minutes, points) |",
        "|---|---|---|---|---|---|",
    ]
    for number, week in enumerate(TERM, 1):
        minutes = sum(sources[stem].header["minutes"] for stem in week.all)
        points = sum(sources[stem].points for stem in week.all)
        choice = ", ".join(f"`{s}` ({sources[s].header['minutes']}, {sources[s].points})" for s in week.choice)
        rows.append(
            f"| {number} | {week.subject} | {', '.join(f'`{s}`' for s in week.all)} | {minutes} | {points} | {choice} |"
        )
    return "\n".join(rows)


def _needs(sources: dict[str, Source]) -> str:
    """What each notebook says that its reader needs, as a table."""
    rows = ["| notebook | level | needs |", "|---|---|---|"]
    for stem, source in sources.items():
        text = "\n".join(cell.source for cell in source.cells if cell.kind == "markdown")
        found = re.search(r"\*\*You need\*\*(.*?)(?:\*\*Time:\*\*|\n\n)", text, re.DOTALL)
        if found is None:
            raise ValueError(f"{source.shown} does not say what its reader needs: '**You need** ...'")
        rows.append(f"| `{stem}` | {source.header['level']} | {' '.join(found[1].split())} |")
    return "\n".join(rows)


def _mistakes(sources: dict[str, Source]) -> str:
    """For each task the wrong answers that its check knows by name."""
    parts = []
    for stem, source in sources.items():
        if not source.tasks:
            continue
        engine.load_module(stem)
        parts += [f"## `{stem}`: {source.header['title']}", ""]
        for task in references.known(stem):
            known = "; ".join(engine.TASKS[task["id"]].mistakes)
            parts.append(f"- **{task['id']}** `{task['name']}`: {known}.")
        parts.append("")
    return "\n".join(parts).rstrip()


def write(root: str | Path, *, check: bool = False) -> list[Path]:
    """Write the parts of the instructor's pages that come from sources and checks.

    Parameters
    ----------
    root : path
        The checkout.
    check : bool
        Write nothing.

    Returns
    -------
    list of Path
        Pages that were changed (with ``check``: that would be), relative to ``root``.

    Raises
    ------
    TypeError, ValueError
        If root is no checkout, a page or its markers are missing, or a notebook does not say what its reader needs.

    Examples
    --------
    >>> write("/nowhere")
    Traceback (most recent call last):
        ...
    ValueError: root must be an existing folder, got '/nowhere'
    """
    folder = checked_root(root)
    sources = {path.stem: read(folder, path) for path in source_paths(folder)}
    parts = [
        ("docs/instructors.md", "plan", _plan(sources)),
        ("docs/instructors.md", "needs", _needs(sources)),
        ("docs/mistakes.md", "mistakes", _mistakes(sources)),
    ]
    changed = [Path(page) for page, name, text in parts if fill(folder / page, name, text, check=check)]
    return list(dict.fromkeys(changed))
