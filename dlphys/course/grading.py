"""Grades a whole class: what stands behind ``dlphys grade``.

Every notebook ends as a record, written by the process that graded it, whole or not at all. Whatever dies, the same
call grades what has no record yet, or one that is not of the same notebook, tasks, data and checks. Dask hands the
notebooks to workers, one each at a time, so that the death of a worker can be laid at the door of one notebook.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dlphys._validation import check_count, check_number, shown
from dlphys.checks import references
from dlphys.course import cluster, records, sandbox
from dlphys.course._job import Job, current, given_up, graded, record_of
from dlphys.course.assignment import Assignment
from dlphys.course.grade import CREDIT, check_credit
from dlphys.course.records import HandedIn, Record
from dlphys.course.roster import Person
from dlphys.course.run import write_whole

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["grade"]

REGRADING = ".regrading.json"  # in the folder while a repetition is under way
MOST_DEATHS = 3
# Every death counts; a worker has one processor; a full memory ends a worker, but does not stop the class.
LOCAL = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.nanny.pre-spawn-environ.NUMBA_NUM_THREADS": 1,
    "distributed.nanny.pre-spawn-environ.TF_NUM_INTRAOP_THREADS": 1,
    "distributed.nanny.pre-spawn-environ.TF_NUM_INTEROP_THREADS": 1,
}


def grade(
    handed_in: Sequence[HandedIn],
    folder: str | Path,
    *,
    assignment: Assignment | None = None,
    people: Mapping[str, Person] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    tasks: Sequence[str] | None = None,
    again: bool = False,
    walls: bool = True,
    limits: sandbox.Limits | None = None,
    timeout: float = 300.0,
    credit: Mapping[str, float] = CREDIT,
) -> list[Record]:
    """Grade what a class handed in, or go on where it was stopped.

    Parameters
    ----------
    handed_in : sequence of HandedIn
        Each student's notebook once.
    folder : path
        Of the records; new, or that of an earlier call. Every worker must see it, and the notebooks, under this name.
    assignment : Assignment, optional
        Which tasks each notebook has. Without it: all tasks of the chapter that a notebook says it was built from.
    people : mapping, login -> Person, optional
        Whose key is that of the student's own data; otherwise the login is.
    workers : int, optional
        Processes of a local Dask cluster; by default as many as processors. 0: this process, without Dask.
    scheduler : str, optional
        Address of a running Dask scheduler, such as "tcp://10.0.0.1:8786". Excludes ``workers``.
    tasks : sequence of str, optional
        Judge these once more, and keep what a record says of the others.
    again : bool
        Judge everything once more.
    walls, limits, timeout, credit
        As of `dlphys.course.grade.grade_notebook`.

    Returns
    -------
    list of Record
        In the order of ``handed_in``: a grade, or the reason why there is none.

    Raises
    ------
    sandbox.Unavailable
        If no sandbox can be made, before anything is graded.
    ValueError, TypeError
        If an argument is wrong, or the folder cannot be written.
    ModuleNotFoundError
        If Dask is needed and not installed.

    Notes
    -----
    A record is made again if the notebook, its tasks, the student's key, the version of dlphys, the checks and
    references of the chapter, or the credit have changed; the old grade goes into its history. A notebook that was
    being graded when its worker died is tried again when all others are done, alone; after three deaths its reason
    says so.
    """
    jobs = _jobs(handed_in, assignment, people)
    if workers is not None:
        workers = check_count(minimum=0, workers=workers)
    if scheduler is not None and not isinstance(scheduler, str):
        raise TypeError(f"scheduler must be an address such as 'tcp://10.0.0.1:8786', got {shown(scheduler)}")
    if scheduler is not None and workers is not None:
        raise ValueError(f"scheduler and workers exclude each other, got {scheduler!r} and {workers}")
    if limits is not None and not isinstance(limits, sandbox.Limits):
        raise TypeError(f"limits must be sandbox.Limits, got {shown(limits)}")
    check_number(minimum=0, exclusive=True, unit="s", timeout=timeout)
    check_credit(credit)
    redo = _redo(tasks, again, assignment)
    place = _writable(folder)
    settings = {"walls": walls, "limits": limits, "timeout": timeout, "credit": dict(credit)}
    jobs = [replace(job, folder=place, settings=settings, redo=redo) for job in jobs]
    if redo or again:
        jobs = _forced(jobs, place / REGRADING)
    done = {job.name: old for job in jobs if (old := record_of(job)) is not None and current(job, old)}
    waiting = [job for job in jobs if job.name not in done]

    from tqdm.auto import tqdm

    with (
        closing(_results(waiting, workers, scheduler)) as results,
        tqdm(total=len(jobs), initial=len(done), desc="grading", unit="notebook", delay=2, disable=None) as bar,
    ):
        for record in results:
            done[record.handed_in.student, record.handed_in.notebook] = record
            bar.update()
    (place / REGRADING).unlink(missing_ok=True)
    return [_as_found(job, done[job.name]) for job in jobs]


def _jobs(
    handed_in: Sequence[HandedIn], assignment: Assignment | None, people: Mapping[str, Person] | None
) -> list[Job]:
    if isinstance(handed_in, str) or not isinstance(handed_in, Sequence):
        raise TypeError(f"handed_in must be a sequence of HandedIn, got {shown(handed_in)}")
    if assignment is not None and not isinstance(assignment, Assignment):
        raise TypeError(f"assignment must be an Assignment, got {shown(assignment)}")
    roster = {} if people is None else people
    if not isinstance(roster, Mapping) or not all(isinstance(person, Person) for person in roster.values()):
        raise TypeError(f"people must be a mapping from logins to Person, got {shown(people)}")
    jobs: dict[tuple[str, str], Job] = {}
    asked = None if assignment is None else assignment.notebooks
    for one in handed_in:
        if not isinstance(one, HandedIn):
            raise TypeError(f"handed_in must be a sequence of HandedIn, got {shown(one)} in it")
        for name, value in [("student", one.student), ("notebook", one.notebook)]:
            if not _is_name(value):
                raise ValueError(
                    f"{name} of what was handed in must be a name that a file can have, got {shown(value)}"
                )
        person = roster.get(one.student)
        job = Job(one, Path(), Path.cwd(), one.student if person is None else person.key, asked)
        if job.name in jobs:
            raise ValueError(
                f"handed_in must have each notebook of a student once, got {one.notebook} of {one.student} twice"
            )
        jobs[job.name] = job
    return list(jobs.values())


def _is_name(text: str) -> bool:
    """One part of a path, and short enough for a temporary file beside it."""
    harmless = isinstance(text, str) and text not in ("", ".", "..") and not set(text) & set("/\\\0")
    return harmless and len(os.fsencode(text)) <= 200


def _redo(tasks: Sequence[str] | None, again: bool, assignment: Assignment | None) -> frozenset[str]:
    if tasks is None:
        return frozenset()
    if isinstance(tasks, str) or not tasks or not all(isinstance(id, str) for id in tasks):
        raise TypeError(f"tasks must be a sequence of ids such as '8.1a', got {shown(tasks)}")
    if again:
        raise ValueError("tasks and again exclude each other: again judges all tasks")
    asked = None if assignment is None else [id for notebook in assignment.notebooks for id in notebook.tasks]
    for id in tasks:
        references.entry(id)
        if asked is not None and id not in asked:
            raise ValueError(f"tasks must be of the assignment ({', '.join(asked)}), got {id!r}")
    return frozenset(tasks)


def _writable(folder: str | Path) -> Path:
    if not isinstance(folder, str | Path):
        raise TypeError(f"folder must be a path, got {shown(folder)}")
    place = Path(folder).absolute()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError as error:
        raise ValueError(f"folder must be one that can be written, got {str(folder)!r} ({error.strerror})") from None


def _forced(jobs: list[Job], marker: Path) -> list[Job]:
    """Jobs that are done again; if they were stopped half way, by the same call, those that were done stay done."""
    request = {"tasks": sorted(jobs[0].redo) if jobs else []}
    try:
        content = json.loads(marker.read_text(encoding="utf-8"))
        known = {(student, notebook): grades for student, notebook, grades in content["before"]}
        if content["request"] != request:
            known = {}
    except (OSError, ValueError, KeyError, TypeError):
        known = {}
    before = {}
    for job in jobs:
        old = record_of(job)
        before[job.name] = known.get(job.name, 0 if old is None else 1 + len(old.history))
    content = {"request": request, "before": [[*name, grades] for name, grades in before.items()]}
    write_whole(marker, json.dumps(content))
    return [replace(job, before=before[job.name]) for job in jobs]


def _as_found(job: Job, record: Record) -> Record:
    """What was found now, such as another date, belongs to a grade that stays."""
    if record.handed_in == job.handed_in:
        return record
    record = replace(record, handed_in=job.handed_in)
    records.write(job.folder, record)
    return record


# --- who does it ---------------------------------------------------------------------------------------------


def _results(jobs: list[Job], workers: int | None, scheduler: str | None) -> Generator[Record]:
    """Records as they come."""
    if not jobs:
        return
    walls = jobs[0].settings["walls"]
    if walls and scheduler is None:
        sandbox.ensure()
    if workers == 0:
        yield from map(graded, jobs)
        return
    if scheduler is None:
        from dask.system import CPU_COUNT

        workers = min(workers or CPU_COUNT, len(jobs))
    with cluster.connect(workers, scheduler, **LOCAL) as client:
        if walls and scheduler is not None:
            client.wait_for_workers(1)
            client.run(sandbox.ensure)
        yield from _through_dask(client, jobs)


def _through_dask(client: Client, jobs: list[Job]) -> Iterator[Record]:
    """Records as they come; notebooks whose worker has died are tried again at the end, one after another."""
    from distributed import KilledWorker

    run = uuid.uuid4().hex[:12]
    deaths: dict[int, int] = {}

    def results(numbers: Iterable[int], capacity: Callable[[], int]) -> Iterator[Record]:
        named = {f"grade-{run}-{number}-{deaths.get(number, 0)}": (jobs[number],) for number in numbers}
        for key, future in cluster.in_turn(client, graded, named, capacity):
            try:
                record = future.result()
            except KilledWorker as error:
                number = int(key.split("-")[2])
                deaths[number] = deaths.get(number, 0) + error.allowed_failures + 1
                continue
            file = records.file_of(jobs[0].folder, record.handed_in)
            if not file.is_file():
                raise OSError(f"a worker has written {file}, but it is not there: do all see one folder?")
            yield record

    yield from results(range(len(jobs)), lambda: len(client.nthreads()))
    for number in list(deaths):
        record = None
        while record is None:  # at least once, since another one may have been to blame so far
            record = next(results([number], lambda: 1), None)
            if record is None and deaths[number] >= MOST_DEATHS:
                record = given_up(jobs[number], deaths[number])
        yield record


# --- for a person --------------------------------------------------------------------------------------------
