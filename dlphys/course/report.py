"""What comes out of grading: tables, a report on the class, a page to mark open questions, and pages for students.

Everything that students wrote is data here: pages escape it, load nothing, and run only their own script; in tables it
cannot become a formula.
"""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
import math
import re
import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from dlphys._validation import shown
from dlphys.course import _tables, questions
from dlphys.course._html import page, points
from dlphys.course.assignment import Assignment
from dlphys.course.diagnosis import summary
from dlphys.course.late import duration
from dlphys.course.results import Part, Result, checked, copied
from dlphys.course.roster import LOGIN

__all__ = ["table", "write", "write_grades", "write_moodle"]

MOST_MISTAKES = 12  # that the report tells
MOST_BINS = 12  # of the histogram


def write(results: Iterable[Result], folder: str | Path, *, assignment: Assignment | None = None) -> list[Path]:
    """Write everything on a class into a folder.

    Parameters
    ----------
    results : iterable of Result
        As `results.combine` returns them.
    folder : path
        Gets ``report.html``, ``grades.csv``, ``moodle.csv``, ``results.json``, ``feedback/STUDENT.html``, and
        ``questions.html`` if there are open questions. What stands there under these names is replaced.
    assignment : Assignment, optional
        For its name.

    Returns
    -------
    list of Path
        What was written, the report first.

    Raises
    ------
    TypeError
        If an argument is of another kind.
    ValueError
        If folder is a file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write([], folder)]
    ['report.html', 'grades.csv', 'moodle.csv', 'results.json']
    """
    every = checked(results)
    if not isinstance(folder, str | Path):
        raise TypeError(f"folder must be a path, got {shown(folder)}")
    if assignment is not None and not isinstance(assignment, Assignment):
        raise TypeError(f"assignment must be an Assignment, got {shown(assignment)}")
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise ValueError(f"folder must be a folder, got the file {str(folder)!r}")
    title = assignment.name if assignment else "Results"
    _tables.save(place / "report.html", _report(every, title))
    written = [place / "report.html", write_grades(every, place / "grades.csv")]
    written += [write_moodle(every, place / "moodle.csv"), place / "results.json"]
    _tables.save(place / "results.json", _json(every, title))
    if any(result.answers for result in every):
        written.append(questions.write(every, place / "questions.html", title=title))
    names = _file_names(every)
    for result in every:
        path = place / "feedback" / f"{names[result.student]}.html"
        _tables.save(path, page("feedback.html", title=title, result=result, diagnosed=False))
        written.append(path)
    return written


def write_grades(results: Iterable[Result], file: str | Path) -> Path:
    """Write a table with one line a student.

    Parameters
    ----------
    results : iterable of Result
    file : path
        A CSV file in UTF-8, marked so that spreadsheets know it; text that would be a formula gets a ' before it.

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If results or file are of another kind.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_grades([], Path(folder, "grades.csv")).read_text(encoding="utf-8-sig")
    'student,name,group,points,maximum,open,before late rule,late,notes\\n'
    """
    every = checked(results)
    tasks = list(dict.fromkeys(task.id for result in every for task in result.tasks))
    asked = list(dict.fromkeys(answer.question.id for result in every for answer in result.answers))
    head = ["student", "name", "group", "points", "maximum", "open", "before late rule", "late"]
    lines = []
    for result in every:
        earned = {task.id: task.points for task in result.tasks}
        marks = {a.question.id: "open" if a.points is None else a.points for a in result.answers}
        late = duration(result.late) if result.late else ""
        lines.append(
            [result.student, result.name, result.group, result.points, result.maximum, result.open, result.before, late]
            + [earned.get(id) for id in tasks]
            + [marks.get(id) for id in asked]
            + ["; ".join([*result.remarks, *result.notes])]
        )
    return _tables.save(file, _tables.text([*head, *tasks, *asked, "notes"], lines))


def write_moodle(results: Iterable[Result], file: str | Path) -> Path:
    """Write grades and feedback as Moodle imports them.

    The columns are those of an assignment's grading worksheet (Moodle knows a student by ``Identifier``, which it wrote
    into the names of its folders), and the e-mail address and login by which the gradebook's import finds a student.
    A grade is left empty where nothing could be graded: Moodle then changes nothing.

    Parameters
    ----------
    results : iterable of Result
    file : path
        A CSV file.

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If results or file are of another kind.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_moodle([], Path(folder, "moodle.csv")).read_text())
    Identifier,Full name,Email address,Username,Grade,Maximum Grade,Last modified (grade),Feedback comments
    """
    head = ["Identifier", "Full name", "Email address", "Username", "Grade", "Maximum Grade"]
    lines = []
    for result in checked(results):
        # what the importer cuts off is the word, so a bare number must get it
        identifier = re.sub(r"^(?=\d+$)", "Participant ", result.identifier)
        grade = result.points if _judged(result) else None
        person = [identifier, result.name, result.email, result.student]
        lines.append([*person, grade, result.maximum, None, _moodle_feedback(result)])
    return _tables.save(file, _tables.text([*head, "Last modified (grade)", "Feedback comments"], lines, mark=False))


def table(results: Iterable[Result]) -> str:
    """One line a student, for a terminal: who, points, of how many, how many of these are open, and what to know.

    Parameters
    ----------
    results : iterable of Result

    Raises
    ------
    TypeError
        If results are of another kind.

    Examples
    --------
    >>> print(table([Result("ada", (), name="Ada Lovelace", notes=("handed in nothing",))]))
    who                 points  of  open  notes
    ada (Ada Lovelace)       0   0     0  handed in nothing
    """
    rows = [("who", "points", "of", "open", "notes")]
    for result in checked(results):
        who = f"{result.student} ({result.name})" if result.name not in ("", result.student) else result.student
        failed = [f"{task.id} {task.status}" for task in result.tasks if task.status != "passed"]
        notes = "; ".join([*result.remarks, *result.notes, *failed])
        rows.append((who, points(result.points), points(result.maximum), points(result.open), notes))
    clean = [["".join(c if c.isprintable() else "?" for c in cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    return "\n".join(
        "  ".join([who.ljust(widths[0]), *map(str.rjust, numbers, widths[1:4]), notes]).rstrip()
        for who, *numbers, notes in clean
    )


def _judged(result: Result) -> bool:
    return bool(result.tasks) or any(answer.points is not None for answer in result.answers)


def _moodle_feedback(result: Result) -> str:
    """Verdicts and comments as the HTML that Moodle keeps feedback in."""
    lines = [f"{points(result.points)} of {points(result.maximum)} points"]
    if result.open:
        lines[0] += f", {points(result.open)} still open"
    for task in result.tasks:
        lines.append(f"{task.id}: {points(task.points)} of {points(task.maximum)}, {task.status}")
        lines += [f"\u2003{line}" for line in task.details if task.status != "passed"]
    for answer in result.answers:
        given = "open" if answer.points is None else points(answer.points)
        lines.append(f"{answer.question.id}: {given} of {points(answer.question.points)} {answer.comment}".rstrip())
    return "<br>".join(html.escape(line, quote=False) for line in [*lines, *result.notes])


def _file_names(results: Sequence[Result]) -> dict[str, str]:
    """A file name for each student: the login, and something harmless and unique for what is no login."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for result in results:
        name = result.student
        if not LOGIN.fullmatch(name) or len(name) > 80 or name.casefold() in taken:
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            name = f"{re.sub(r'[^A-Za-z0-9_-]+', '_', name)[:60].strip('_') or 'student'}-{digest}"
        taken.add(name.casefold())
        names[result.student] = name
    return names


def _json(results: Sequence[Result], title: str) -> str:
    students = []
    for result in results:
        about = dataclasses.asdict(result)
        for entry, part in zip(about["parts"], result.parts, strict=True):
            entry |= {"points": part.points, "before": part.before, "open": part.open}
            entry["late"] = part.late.total_seconds()
        totals = {"points": result.points, "before": result.before, "maximum": result.maximum, "open": result.open}
        students.append({**about, **totals, "late": result.late.total_seconds()})
    tasks = [dataclasses.asdict(task) for task in summary(results)]
    content = {"assignment": title, "results": students, "tasks": tasks}
    return json.dumps(content, default=str, indent=1, ensure_ascii=False) + "\n"


# --- pages -----------------------------------------------------------------------------------------------


def _report(results: Sequence[Result], title: str) -> str:
    tasks = summary(results)
    parts = _own_parts(results)
    scores = [result.points for result in results if _judged(result)]
    maximum = max((result.maximum for result in results), default=0.0)
    found = [(task, mistake) for task in tasks for mistake in task.mistakes]
    found.sort(key=lambda pair: (-pair[1].count, not pair[1].known))
    shared = [pair for pair in found if pair[1].count > 1] or found
    return page(
        "report.html",
        script="report.js",
        title=title,
        written=f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        results=results,
        handed_in=sum(result.handed_in for result in results),
        scores=scores,
        mean=statistics.fmean(scores) if scores else 0.0,
        median=statistics.median(scores) if scores else 0.0,
        maximum=maximum,
        late=sum(bool(result.late) for result in results),
        failures=sum(bool(result.reasons) for result in results),
        open=sum(part.open for part in parts),
        open_answers=sum(answer.points is None for part in parts for answer in part.answers),
        copies=[(part.author, task, copied(task)) for part in parts for task in part.tasks if copied(task)],
        names={result.student: result.name for result in results},
        bins=_bins(scores, maximum),
        tasks=sorted(tasks, key=lambda task: (task.mean / task.maximum if task.maximum else 1.0, -task.not_done)),
        mistakes=shared[:MOST_MISTAKES],
        more=len(found) - len(shared[:MOST_MISTAKES]),
        grouped=any(result.group for result in results),
        diagnosed=True,
    )


def _own_parts(results: Sequence[Result]) -> list[Part]:
    """Each hand-in once, however many it counts for."""
    return list({(part.notebook, part.author): part for result in results for part in result.parts}.values())


def _bins(scores: Sequence[float], maximum: float) -> list[dict[str, Any]]:
    """The bars of the histogram; the last one includes the maximum."""
    if not scores or not maximum:
        return []
    width = next(w for e in range(9) for w in (10.0**e, 2 * 10.0**e, 5 * 10.0**e) if maximum / w <= MOST_BINS)
    number = max(1, math.ceil(maximum / width))
    counts = [0] * number
    for score in scores:
        counts[min(int(score / width), number - 1)] += 1
    return [
        {"label": f"{points(k * width)}–{points(min((k + 1) * width, maximum))}", "count": count}
        for k, count in enumerate(counts)
    ]
