"""From grades of notebooks to one result a student: groups, the late rule, marks given by hand.

What nobody has marked yet is open, and said to be: it is never counted as zero without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dlphys._validation import shown
from dlphys.course import marks as by_hand
from dlphys.course._class import Class, login
from dlphys.course.assignment import Asked, Assignment, Question
from dlphys.course.grade import TaskGrade
from dlphys.course.late import LateRule, deadlines, duration, time, when_known
from dlphys.course.marks import Mark
from dlphys.course.records import NO_NOTEBOOK, HandedIn, Record
from dlphys.course.roster import Person

__all__ = ["Answer", "Part", "Result", "combine"]

AskedFor = dict[str, tuple[Asked | None, float]]  # notebook -> what it asks, if that is known, and its points

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """An open question and its mark; without points it is still open."""

    question: Question
    points: float | None = None
    comment: str = ""


@dataclass(frozen=True)
class Part:
    """What one notebook of the assignment is worth to a student.

    Attributes
    ----------
    notebook : str
    author : str
        Whose hand-in counts: the student, or another of the group; "" if nobody's.
    maximum : float
        Points of all tasks and questions.
    handed_in : HandedIn, optional
        What counts; None if nobody handed it in.
    tasks : tuple of TaskGrade
    answers : tuple of Answer
    late : timedelta
        After the deadline; zero if in time, or if no time is known.
    taken : float
        Share of the points that the late rule takes off.
    reason : str
        Why it could not be graded; "" otherwise.
    """

    notebook: str
    author: str
    maximum: float
    handed_in: HandedIn | None = None
    tasks: tuple[TaskGrade, ...] = ()
    answers: tuple[Answer, ...] = ()
    late: timedelta = timedelta(0)
    taken: float = 0.0
    reason: str = ""

    @property
    def before(self) -> float:
        """Points before the late rule."""
        return round(sum(task.points for task in self.tasks) + sum(answer.points or 0 for answer in self.answers), 2)

    @property
    def points(self) -> float:
        return round(self.before * (1 - self.taken), 2)

    @property
    def open(self) -> float:
        """Points of the questions that nobody has marked."""
        return sum(answer.question.points for answer in self.answers if answer.points is None)


@dataclass(frozen=True)
class Result:
    """What one student gets.

    Attributes
    ----------
    student, name, email, identifier, group : str
        "" where neither the roster nor the learning platform says.
    parts : tuple of Part
        One a notebook of the assignment.
    notes : tuple of str
        What the student should know as well.
    remarks : tuple of str
        For the instructor alone, since others are named in them.
    """

    student: str
    parts: tuple[Part, ...]
    name: str = ""
    email: str = ""
    identifier: str = ""
    group: str = ""
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def tasks(self) -> tuple[TaskGrade, ...]:
        return tuple(task for part in self.parts for task in part.tasks)

    @property
    def answers(self) -> tuple[Answer, ...]:
        return tuple(answer for part in self.parts for answer in part.answers)

    @property
    def handed_in(self) -> bool:
        return any(part.handed_in is not None for part in self.parts)

    @property
    def points(self) -> float:
        """After the late rule, without what is open."""
        return round(sum(part.points for part in self.parts), 2)

    @property
    def before(self) -> float:
        return round(sum(part.before for part in self.parts), 2)

    @property
    def maximum(self) -> float:
        return sum(part.maximum for part in self.parts)

    @property
    def open(self) -> float:
        return sum(part.open for part in self.parts)

    @property
    def late(self) -> timedelta:
        """Of the notebook that came last."""
        return max((part.late for part in self.parts), default=timedelta(0))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why notebooks could not be graded."""
        return tuple(part.reason for part in self.parts if part.reason)


def combine(
    records: Iterable[Record] | Mapping[tuple[str, str], Record],
    *,
    assignment: Assignment | None = None,
    people: Mapping[str, Person] | None = None,
    groups: str | Path | Mapping[str, str] | None = None,
    deadline: datetime | str | None = None,
    extensions: str | Path | Mapping[str, datetime] | None = None,
    late: LateRule | float | None = None,
    marks: str | Path | Iterable[Mark] | None = None,
) -> list[Result]:
    """Make one result a student.

    Parameters
    ----------
    records : iterable of Record, or what `records.read_all` returns
    assignment : Assignment, optional
        What was asked; without it what was graded, and no open questions.
    people : mapping, optional
        The roster: all of these get a result, in this order, and after them those it does not know.
    groups : path or mapping, optional
        A CSV file with the columns ``student`` and ``group``, or student -> group; by default the roster's column,
        and with ``{}`` none. One hand-in counts for all of a group, the latest of several that can be graded.
    deadline : datetime or str, optional
        With its time zone; a text as in "2026-11-30T23:59+01:00".
    extensions : path or mapping, optional
        Deadlines of single students: a CSV file with the columns ``student`` and ``deadline`` (empty: the common
        one), or student -> datetime. In a group each member's own deadline counts.
    late : LateRule or float, optional
        What is taken off; a number is the share of the points a day. A hand-in without a known time loses nothing.
    marks : path or iterable of Mark, optional
        For the open questions. In a group a member's own mark counts, else that of who handed in. More points than a
        question has are taken, and remarked.

    Returns
    -------
    list of Result

    Raises
    ------
    ValueError, TypeError
        If an argument, or a line of a file, is not of this form, or names a student or question that there is not.

    Examples
    --------
    >>> combine([], people={"ada": Person("ada")})[0].notes
    ('handed in nothing',)
    """
    found = list(records.values() if isinstance(records, Mapping) else records)
    if strange := [record for record in found if not isinstance(record, Record)]:
        raise TypeError(f"records must be records of grades, got {shown(strange[0])}")
    roster = {} if people is None else people
    persons = roster.values() if isinstance(roster, Mapping) else [roster]
    if wrong := [person for person in persons if not isinstance(person, Person)]:
        raise TypeError(f"people must be a roster (login -> Person), got {shown(wrong[0])}")
    class_ = Class(found, roster, groups)
    asked = _asked(found, assignment)
    rule = late if isinstance(late, LateRule) or late is None else LateRule(late)
    common = None if deadline is None else time(deadline, "deadline")
    own = deadlines(extensions, class_.students)
    given = by_hand.given(marks)
    _check_marks(given, asked, class_)

    def after(student: str, when: datetime | None) -> timedelta | None:
        limit = own.get(student, common)
        if limit is None:
            return timedelta(0)
        return None if when is None else max(timedelta(0), when.astimezone(UTC) - limit.astimezone(UTC))

    return [_result(student, class_, asked, after, rule, given) for student in class_.students]


def _asked(records: list[Record], assignment: Assignment | None) -> AskedFor:
    """Notebook -> what it asks, and its points: without an assignment those of the fullest grade."""
    if assignment is not None:
        if not isinstance(assignment, Assignment):
            raise TypeError(f"assignment must be an Assignment, got {shown(assignment)}")
        return {asked.notebook: (asked, asked.points) for asked in assignment.notebooks}
    most: dict[str, float] = {}
    for record in (record for record in records if not record.handed_in.problem):
        most[record.handed_in.notebook] = max(most.get(record.handed_in.notebook, 0.0), record.grade.maximum)
    return {notebook: (None, points) for notebook, points in sorted(most.items())}


def _check_marks(given: Mapping[tuple[str, str], Mark], asked: AskedFor, class_: Class) -> None:
    every = [question.id for notebook, _ in asked.values() if notebook for question in notebook.questions]
    if given and len(set(every)) < len(every):
        raise ValueError("assignment: two open questions have the same id, so that their marks cannot be told apart")
    for mark in given.values():
        if mark.question not in every:
            known = ", ".join(every) or "none"
            raise ValueError(f"marks: there is no open question {mark.question!r} (of {mark.student}); known: {known}")
        if mark.student not in class_.students:
            raise ValueError(f"marks: there is no student {mark.student!r} (question {mark.question})")


def _result(
    student: str,
    class_: Class,
    asked: AskedFor,
    after: Callable[[str, datetime | None], timedelta | None],
    rule: LateRule | None,
    given: Mapping[tuple[str, str], Mark],
) -> Result:
    person = class_.people.get(student)
    group = class_.group.get(student, "")
    notes: list[str] = []
    remarks: list[str] = []
    if class_.people and person is None:
        remarks.append("not in the roster")
    if student in class_.called:
        remarks.append(f"handed in as {class_.called[student]}, found in the roster by name or e-mail address")
    parts = []
    for notebook, (what, maximum) in asked.items():
        record = _counting(student, notebook, class_, notes)
        answers = tuple(
            _answer(question, student, record, class_, given) for question in (what.questions if what else ())
        )
        if record is None:
            marked = tuple(answer for answer in answers if answer.points is not None)
            parts.append(Part(notebook, "", maximum, answers=marked))
            continue
        remarks += [
            f"{answer.question.id}: {answer.points:g} points, of {answer.question.points:g}"
            for answer in answers
            if answer.points is not None and answer.points > answer.question.points
        ]
        handed_in, grade = record.handed_in, record.grade
        reason = handed_in.problem or grade.reason
        tasks = tuple(task for task in grade.tasks if what is None or task.id in what.tasks)
        if reason:
            notes.append(f"{notebook} could not be graded: {reason}")
        elif what and (missing := [id for id in what.tasks if id not in {task.id for task in tasks}]):
            notes.append(f"{notebook}: not judged, and without points: {', '.join(missing)}")
        notes += [f"{notebook}: {problem}" for problem in grade.problems]
        for task in tasks:
            if of := copied(task):
                near = ", of the same group" if set(of) <= set(class_.team(student)) else ""
                remarks.append(f"{task.id}: the answer is that of {' and '.join(of)}{near}")
        passed = after(student, when_known(handed_in))
        if passed is None:
            notes.append(f"no time is known at which {notebook} was handed in: not counted as late")
        taken = rule.taken(passed) if rule and passed else 0.0
        if passed:
            off = f"{100 * taken:.3g} % of the points taken off" if taken else "nothing taken off"
            notes.append(f"{notebook} came {duration(passed)} late: {off}")
        author = login(handed_in, class_.people)
        parts.append(Part(notebook, author, maximum, handed_in, tasks, answers, passed or timedelta(0), taken, reason))
    own = class_.records.get(student, [])
    for handed_in in (record.handed_in for record in own if record.handed_in.notebook not in asked):
        said = handed_in.problem or "the assignment does not ask for it"
        notes.append(said if handed_in.notebook == NO_NOTEBOOK else f"{handed_in.notebook}: {said}")
    absent = [part.notebook for part in parts if part.handed_in is None]
    if len(absent) == len(parts):
        notes.insert(0, "handed in nothing" if not own else "handed in nothing of what was asked")
    else:
        notes += [f"{notebook} was not handed in" for notebook in absent]
    return Result(
        student,
        tuple(parts),
        person.name if person and person.name else next((r.handed_in.name for r in own if r.handed_in.name), ""),
        person.email if person else "",
        next((r.handed_in.identifier for r in own if r.handed_in.identifier), ""),
        group,
        tuple(notes),
        tuple(remarks),
    )


def _counting(student: str, notebook: str, class_: Class, notes: list[str]) -> Record | None:
    """The hand-in that counts for a student: of several in a group the latest, before all those that can be graded."""
    every = [
        (member, record)
        for member in class_.team(student)
        for record in class_.records.get(member, [])
        if record.handed_in.notebook == notebook
    ]
    if not every:
        return None

    def rank(pair: tuple[str, Record]) -> tuple[bool, datetime, float]:
        handed_in, grade = pair[1].handed_in, pair[1].grade
        return not (handed_in.problem or grade.reason), when_known(handed_in) or LONG_AGO, grade.points

    member, best = max(every, key=rank)
    others = [rank(pair) for pair in every if pair[1] is not best]
    if others:
        graded, when, _ = rank((member, best))
        if graded and not all(other[0] for other in others):
            why = "the latest that can be graded"
        else:
            why = (
                "the latest"
                if when > max(other[1] for other in others)
                else "the best, as no times tell which came last"
            )
        by_group = " in the group" if len({name for name, _ in every}) > 1 else ""
        notes.append(f"{notebook} was handed in {len(every)} times{by_group}; {why}, of {member}, counts")
    if member != student:
        notes.append(f"{notebook} graded with the hand-in of {member} (group {class_.group[student]})")
    return best


def _answer(
    question: Question,
    student: str,
    record: Record | None,
    class_: Class,
    given: Mapping[tuple[str, str], Mark],
) -> Answer:
    author = login(record.handed_in, class_.people) if record else student
    mark = given.get((student, question.id)) or given.get((author, question.id))
    return Answer(question, mark.points, mark.comment) if mark else Answer(question)


def copied(task: TaskGrade) -> tuple[str, ...]:
    """Whose answer a task has."""
    return tuple(getattr(task, "copied", ()))


def checked(results: Iterable[Result]) -> list[Result]:
    """Results as a list, of nothing else."""
    every = list(results) if isinstance(results, Iterable) else [results]
    if wrong := [result for result in every if not isinstance(result, Result)]:
        raise TypeError(f"results must be those of results.combine, got {shown(wrong[0])}")
    return every
