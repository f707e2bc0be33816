"""Makes an assignment in a course folder of nbgrader.

    COURSE/nbgrader_config.py             written once; it is the instructor's from then on
    COURSE/source/NAME/*.ipynb            solved, with the reference answers of open questions
    COURSE/release/NAME/*.ipynb           what students get
    COURSE/gradebook.db                   nbgrader's
    COURSE/roster.csv                     the class, where there is a roster
    COURSE/personal/STUDENT/NAME/         a student's own copy, with the key of the student's own data
    COURSE/handout/NAME/                  of an exam: notebooks and a package without references, hints or catch-up
    COURSE/earlier/NAME-TIME/             what an assignment of the same name has replaced

``release/`` has one writer, `nbgrader generate_assignment`, whether it is called here or by hand; the rest follows from
it. How a single exercise is cut out of a chapter is said in ``_cut``.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlphys import __version__
from dlphys._validation import check_choice, check_number, shown
from dlphys.checks import engine
from dlphys.course import _cut, _exam, build, leaks
from dlphys.course import roster as rosters
from dlphys.course._source import Source
from dlphys.course.coverage import checked_root
from dlphys.course.roster import Person
from dlphys.course.run import write_whole

__all__ = ["assign"]

NAME = re.compile(r"\w[\w.-]*")
QUESTION_POINTS = 2.0
ROSTER = "roster.csv"


def assign(
    root: str | Path,
    what: Sequence[str],
    out: str | Path,
    *,
    name: str | None = None,
    edition: str = "standard",
    roster: str | Path | None = None,
    question_points: float = QUESTION_POINTS,
    exchange: str | Path | None = None,
    force: bool = False,
) -> Path:
    """Make an assignment in a course folder, which is made where there is none.

    Parameters
    ----------
    root : path
        The checkout.
    what : sequence of str
        Chapters ("ch08": all its notebooks; or "ch08_convolutional") and single exercises, methods and examples ("8.1",
        "M3.1", "X18.8"). The exercises of one source become one notebook; all of them together are the whole one.
    out : path
        The course folder.
    name : str, optional
        Of the assignment; by default what is asked, joined by "-".
    edition : {"standard", "exam"}
        The exam has no references, hints or catch-up; ``COURSE/handout/NAME`` is all that its students need.
    roster : path, optional
        The class, see `dlphys.course.roster.read`: entered into the gradebook, and each gets a copy of their own. The
        course remembers it, and later assignments need it only for who is new.
    question_points : float
        Of each open question.
    exchange : path, optional
        Folder through which assignments go out and come back; written into the configuration of a new course.
    force : bool
        Replace an assignment of this name. The old one is kept in ``COURSE/earlier``.

    Returns
    -------
    Path
        ``COURSE/source/NAME``.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or there is such an assignment already, or nbgrader cannot make its release.
    SourceError
        If an exam would need a task that is not asked.
    LeakError
        If a solution would get into what students get; the course folder is then as it was.

    Examples
    --------
    >>> assign(".", ["8.1"], "course", edition="easy")
    Traceback (most recent call last):
        ...
    ValueError: edition must be one of 'standard', 'exam', got 'easy'
    """
    folder = checked_root(root)
    check_choice(edition=edition, choices=("standard", "exam"))
    check_number(minimum=0, question_points=question_points)
    course, title = _checked_course(out), _checked_name(what, name)
    if exchange is not None and not isinstance(exchange, str | Path):
        raise TypeError(f"exchange must be a path, got {shown(exchange)}")
    people = _class(course / ROSTER, roster)
    if (course / "source" / title).exists() and not force:
        raise ValueError(f"name must be new, but {course} has an assignment {title!r}; force (--force) replaces it")
    sources = [_with_answer_ids(source) for source in build._sources(folder, None)]
    notebooks = _notebooks(sources, what, edition)
    try:
        from dlphys.course import _nbgrader
    except ImportError as error:
        raise ModuleNotFoundError("assigning needs nbgrader: pip install 'dlphys[grade]'", name="nbgrader") from error
    source, release = course / "source" / title, course / "release" / title
    course.mkdir(parents=True, exist_ok=True)
    if not (course / _nbgrader.CONFIG).exists():
        place = None if exchange is None else str(Path(exchange).resolve())
        write_whole(course / _nbgrader.CONFIG, _nbgrader.config(course.name, place))
    with _replacing(course, title):
        source.mkdir(parents=True)
        for file, content in notebooks.items():
            write_whole(source / f"{file}.ipynb", _document(content, question_points, edition))
        _nbgrader.generate(course, title)
        if edition == "exam":
            _hand_out(folder, sources, release, course / "handout" / title)
        else:
            _refuse_leaks(folder, release)
            shutil.rmtree(course / "handout" / title, ignore_errors=True)
        for person in people.values():
            _make(course / "personal" / person.student / title, _personal, release, person)
    if people:
        _nbgrader.enter(course, people.values())
        _write_roster(course / ROSTER, people)
    return source


# --- what is asked -----------------------------------------------------------------------------------------


def _checked_course(out: Any) -> Path:
    if not isinstance(out, str | Path):
        raise TypeError(f"out must be a path, got {shown(out)}")
    course = Path(out).resolve()
    if course.exists() and not course.is_dir():
        raise ValueError(f"out must be a folder, got {str(out)!r}, which is none")
    return course


def _checked_name(what: Any, name: Any) -> str:
    if isinstance(what, str) or not isinstance(what, Sequence) or not all(isinstance(word, str) for word in what):
        raise TypeError(f"what must be a sequence of chapters and exercises, got {shown(what)}")
    if not what:
        raise ValueError("what must name chapters or exercises, such as ch08 or 8.1, got none")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a word, got {shown(name)}")
    title = "-".join(what) if name is None else name
    if not NAME.fullmatch(title):
        raise ValueError(f"name must be a word of letters, digits, '_', '-' and '.', got {title!r}")
    return title


def _notebooks(sources: Sequence[Source], what: Sequence[str], edition: str) -> dict[str, Source]:
    """The notebooks that are asked, by the names of their files."""
    whole: set[str] = set()
    parts: dict[str, set[str]] = {}
    for word in what:
        chapter = f"ch{int(word):02d}" if word.isdecimal() else word
        stems = {source.stem for source in sources if source.stem == chapter or source.stem.startswith(f"{chapter}_")}
        asked = [source.stem for source in sources if word in _cut.exercises(source)]
        if not stems and not asked:
            raise ValueError(f"what must name chapters or exercises with tasks, got {word!r}; {_known(sources, word)}")
        whole |= stems
        for stem in asked:
            parts.setdefault(stem, set()).add(word)
    notebooks = {}
    for source in sources:
        if source.stem in whole or parts.get(source.stem) == set(_cut.exercises(source)):
            notebooks[source.stem] = source  # as it is, where every exercise of it is asked
        elif source.stem in parts:
            ids = [id for id in _cut.exercises(source) if id in parts[source.stem]]
            notebooks["_".join([source.stem, *ids]).replace(".", "-")] = _cut.cut(source, ids, lend=edition != "exam")
    return {file: _exam.guarded(source) if edition == "exam" else source for file, source in notebooks.items()}


def _known(sources: Sequence[Source], word: str) -> str:
    """What a person who wrote this may have meant."""
    ids = [id for source in sources for id in _cut.exercises(source)]
    if _cut.exercise_of(word) in ids:
        return f"an exercise is asked as a whole: {_cut.exercise_of(word)}"
    return f"chapters: {', '.join(source.stem for source in sources)}; exercises: {', '.join(dict.fromkeys(ids))}"


def _with_answer_ids(source: Source) -> Source:
    """Each open question gets the name of the exercise above it, and a number where there are several."""
    cells, counts = [], dict[str, int]()
    exercise = next(iter(_cut.exercises(source)), source.stem)
    for cell in source.cells:
        if cell.task is not None:
            exercise = _cut.exercise_of(cell.task)
        if "answer" in cell.tags:
            counts[exercise] = counts.get(exercise, 0) + 1
            number = f"-{counts[exercise]}" if counts[exercise] > 1 else ""
            id = f"answer-{exercise.replace('.', '-')}{number}"
            cell = replace(cell, attributes={**cell.attributes, "grade_id": id})
        cells.append(cell)
    return replace(source, cells=tuple(cells))


# --- what is written ---------------------------------------------------------------------------------------


def _document(source: Source, question_points: float, edition: str) -> str:
    """The instructor's copy of a notebook: solutions between their markers, and what nbgrader has to know."""
    import nbformat

    points = {cell.task: cell.points for cell in source.tasks}
    cells, counts, text = [], dict[str, int](), ""
    for cell in source.cells:
        content = cell.source if cell.task else build._content(cell, source, solution=True)
        metadata = build._cell_metadata(cell, points)
        if "answer" in cell.tags:
            metadata["nbgrader"] = _marked_by_hand(cell.attributes["grade_id"], question_points)
            metadata["dlphys"] = {**metadata.get("dlphys", {}), "question": text, "answer": content}
        name = build.digest(cell.kind, content)
        counts[name] = counts.get(name, 0) + 1
        new = nbformat.v4.new_markdown_cell if cell.kind == "markdown" else nbformat.v4.new_code_cell
        cells.append(new(content, id=f"{name}-{counts[name]}", metadata=metadata))
        text = content if cell.kind == "markdown" and "answer" not in cell.tags else text
    about = {**source.header, "source": source.path.name, "version": __version__, "edition": edition}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "dlphys": about}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5
    return str(nbformat.writes(notebook)) + "\n"


def _marked_by_hand(id: str, points: float) -> dict[str, Any]:
    """nbgrader's words for a text that a person marks."""
    roles = {"grade": True, "locked": False, "solution": True, "task": False}
    return {"cell_type": "markdown", "grade_id": id, "points": points, "schema_version": 3, **roles}


@contextlib.contextmanager
def _replacing(course: Path, name: str) -> Iterator[None]:
    """Put an earlier assignment of this name aside, and back if the new one cannot be made."""
    earlier = course / "earlier" / f"{name}-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"
    kept = [folder for folder in ("source", "release") if (course / folder / name).exists()]
    for folder in kept:
        earlier.mkdir(parents=True, exist_ok=True)
        (course / folder / name).rename(earlier / folder)
    try:
        yield
    except BaseException:
        for folder in ("source", "release"):
            shutil.rmtree(course / folder / name, ignore_errors=True)
        for folder in kept:
            (earlier / folder).rename(course / folder / name)
        if kept:
            earlier.rmdir()
        raise


def _make(target: Path, fill: Any, *arguments: Any) -> None:
    """A folder that is there as a whole or not at all, in place of the one before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        fill(made, *arguments)
        if target.exists():
            target.rename(Path(scratch) / "before")
        made.rename(target)


def _personal(made: Path, release: Path, person: Person) -> None:
    shutil.copytree(release, made, dirs_exist_ok=True)
    (made / engine.KEY_FILE).write_text(f"{person.key}\n", encoding="utf-8")


def _hand_out(root: Path, sources: Sequence[Source], release: Path, target: Path) -> None:
    def fill(made: Path) -> None:
        build.fill_package(made, root, sources, "exam")
        shutil.copytree(release, made / "notebooks")
        (made / "README.md").write_text(EXAM, encoding="utf-8")
        _refuse_leaks(root, made)

    _make(target, fill)


EXAM = """# An exam

Install once, in this folder (Python 3.11 to 3.13), and begin:

```
python -m pip install .
jupyter lab notebooks
```

Each task is a function or class to write; the cell below it checks it. This is the exam edition: it holds no references
and no hints, and a cell that uses a task which is not done stops with `NotImplementedError`. Go on with the next one.
"""


def _refuse_leaks(root: Path, folder: Path) -> None:
    if found := leaks.scan(root, folder):
        raise leaks.LeakError(found)


def _class(known: Path, roster: str | Path | None) -> dict[str, Person]:
    """The people of the course and those of the roster, who may say something new of themselves."""
    new = {} if roster is None else rosters.read(roster)
    people = {**(rosters.read(known) if known.exists() else {}), **new}
    keys: dict[str, str] = {}
    for person in people.values():
        if person.key in keys:
            raise ValueError(
                f"roster must give everybody a key of their own: {person.student} has {keys[person.key]}'s"
            )
        keys[person.key] = person.student
    return people


def _write_roster(path: Path, people: Mapping[str, Person]) -> None:
    """In a file of the course: whoever grades needs the keys that were handed out."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(rosters.COLUMNS)
    lines.writerows(astuple(person) for person in people.values())
    write_whole(path, text.getvalue())
