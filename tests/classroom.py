"""A class made up for the tests of results and reports: a roster, what was asked, records as the grader writes them."""

import functools
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dlphys.checks import engine, references
from dlphys.checks.proxy import local
from dlphys.course.assignment import Asked, Assignment, Question
from dlphys.course.grade import CREDIT, Grade, TaskGrade
from dlphys.course.records import HandedIn, Record
from dlphys.course.roster import Person

STEM = "ch03_building_blocks"  # its checks need NumPy only
TASKS = ("M3.1a", "M3.1b", "3.2a", "3.2b", "3.2c", "3.2d")
DEADLINE = datetime(2026, 11, 29, 22, tzinfo=UTC)
WHY = Question("answer-3-2", 2.0, "Why is a *linear* fit not enough?", "Since $y$ saturates; see **section 3.2**.")
HOW = Question("answer-3-1", 1.0, "How many weights has the collapsed layer?", "As many as one layer.")
SCRIPT = "<script>document.title = 'stolen'</script>"
FIRST = "Ada Ben Chloé Dmitri Emmy Fatima Gösta Hana Iñigo Jürgen Kōji Lise Max Niels Olga Paul Qin Rosalind Søren Tu"
LAST = "Abel Bohr Curie Dirac Euler Fermi Gauß Hahn Itō Jeans"


def people(number=40):
    """A roster; two students have the same name."""
    first, last = FIRST.split(), LAST.split()
    names = [f"{first[k % 20]} {last[(k + k // 20) % 10]}" for k in range(number)]
    names[-1:] = names[:1]
    return {f"s{k:03}": Person(f"s{k:03}", name, f"s{k:03}@example.org") for k, name in enumerate(names)}


def assignment(*questions):
    return Assignment("week 3", (Asked("layers", STEM, TASKS, questions),))


@functools.cache
def verdicts(id):
    """What the grader says of a right answer, of each known mistake (the check's own words), and of an empty cell."""
    engine.load_module(STEM)
    points = references.entry(id)["points"]
    judged = [engine.judge(id, local(wrong)) for wrong, _ in engine.TASKS[id].mistakes.values()]
    wrong = [TaskGrade(id, points * CREDIT[v.rung], points, v.status, v.rung, v.details) for v in judged]
    right = TaskGrade(id, points, points, "passed", "", ("as it should be",))
    empty = TaskGrade(id, 0, points, "not done", "done", ("still raises NotImplementedError: write its body first",))
    return (right, *wrong, empty)


def record(student, tasks=TASKS, *, choice=None, when=DEADLINE - timedelta(hours=5), notebook="layers", **said):
    """What is known of a hand-in; ``choice`` is the number of the verdict for each task (default: all passed)."""
    reason = said.pop("reason", "")
    problems = said.pop("problems", ())
    path = said.pop("path", Path("handed_in", student, f"{notebook}.ipynb"))
    grades = tuple(verdicts(id)[(choice or {}).get(id, 0)] for id in tasks)
    grade = Grade(student, f"{notebook}.ipynb", () if reason else grades, reason, problems)
    return Record(HandedIn(student, notebook, path, when, **said), grade, "0")


def notebook(path, cells):
    """A notebook of text cells: (grade_id or "", text), or a whole cell."""
    made = []
    for number, cell in enumerate(cells):
        if isinstance(cell, tuple):
            role = {"nbgrader": {"grade_id": cell[0], "grade": True, "points": 2}} if cell[0] else {}
            cell = {"cell_type": "markdown", "id": f"{number:08x}", "metadata": role, "source": cell[1]}
        made.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return path


ANSWERS = (
    "The wine's quality is no straight line in its alcohol: $q(a)$ flattens, so **residuals** are curved.",
    "Because of the noise.\n\n- it is integers\n- a fit is not\n\n```python\nprint(x < 3)\n```",
    "*Your answer, in a few sentences:*",
    f"{SCRIPT} [me](javascript:alert(1)) ![](https://example.org/tracker.png)",
)


def class_of(folder, number=40, *, questions=(), seed=3):
    """Roster and records of a class: most hand in, a few late, one broken, two unknown; mistakes are shared."""
    draw = random.Random(seed)
    roster = people(number)
    found = []
    for k, student in enumerate(list(roster)[: number - number // 10]):
        choice = {}
        for difficulty, id in enumerate(TASKS):
            last = len(verdicts(id)) - 1
            if draw.random() < 0.12 + 0.09 * difficulty:
                choice[id] = draw.choices(range(1, last + 1), [8, 4, 2, *[1] * (last - 3)])[0]
        late = timedelta(hours=30) if k % 13 == 5 else -timedelta(hours=1 + k)
        path = folder / student / "layers.ipynb"
        notebook(path, [("", "# Layers"), *((q.id, ANSWERS[(k + n) % 4]) for n, q in enumerate(questions))])
        reason = "the notebook needed more than 4 GiB of memory" if k == 17 else ""
        platform = {"identifier": f"Participant {1000 + k}"}
        found.append(record(student, choice=choice, when=DEADLINE + late, path=path, reason=reason, **platform))
    return roster, found
