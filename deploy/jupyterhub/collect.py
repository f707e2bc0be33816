"""Collects an assignment from the students' homes into nbgrader's folder `COURSE/submitted/STUDENT/ASSIGNMENT/`.

    python collect.py week6 ch08_convolutional --hub /srv/dlphys --course /srv/dlphys/course

It works with every spawner, also where all students are one OS user and nbgrader's exchange cannot tell them apart; it
needs only the right to read the homes. The time of a submission is the time of collecting, since a student can set
that of a file: run it at the deadline. Nothing is followed out of a home: no link, no pipe, no file above 64 MiB.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from dlphys.course import roster, submission

NAME = re.compile(r"\w[\w.-]*")


def collect(
    assignment: str, notebooks: Sequence[str], students: Iterable[str], homes: Path, course: Path, folder: str
) -> dict[str, list[str]]:
    """Copy notebooks; returns for each student what is missing, a sentence each.

    What was collected before from a student stays if there is nothing new, and is replaced as a whole if there is.
    """
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    problems: dict[str, list[str]] = {}
    for student in students:
        found = {}
        problems[student] = []
        for name in notebooks:
            try:
                found[f"{name}.ipynb"] = _content(homes, [student, *Path(folder).parts, f"{name}.ipynb"])
            except (OSError, ValueError) as error:
                problems[student].append(f"{name}: {getattr(error, 'strerror', None) or error}")
        if not found:
            continue
        target = course / "submitted" / student / assignment
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=target.parent, prefix="."))
        for name, content in found.items():
            (made / name).write_bytes(content)
        (made / "timestamp.txt").write_text(f"{when}\n")
        made.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    return problems


def _content(homes: Path, parts: Sequence[str]) -> bytes:
    """A file below the homes. Each step is opened by itself, so that a link is refused, also one made meanwhile."""
    place = os.open(homes, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for number, part in enumerate(parts, 1):
            kind = os.O_NONBLOCK if number == len(parts) else os.O_DIRECTORY
            inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | kind, dir_fd=place)
            os.close(place)
            place = inner
        found = os.fstat(place)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no file")
        if found.st_size > submission.LARGEST:
            raise ValueError("it is larger than 64 MiB")
        with open(place, "rb", closefd=False) as file:
            return file.read(submission.LARGEST)
    finally:
        os.close(place)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assignment", help="its name")
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK", help="such as ch08_convolutional")
    parser.add_argument("--hub", type=Path, default=Path(), help="its folder, with roster.csv (default: here)")
    parser.add_argument("--homes", type=Path, help="default: HUB/homes; with the systemd spawner /home")
    parser.add_argument("--course", type=Path, help="default: HUB/course")
    parser.add_argument("--folder", default="notebooks", help="in the homes, where the notebooks lie")
    options = parser.parse_args()
    for name in (options.assignment, *options.notebooks):
        if not NAME.fullmatch(name):
            parser.error(f"names are letters, digits, points, - and _, got {name!r}")
    homes, course = options.homes or options.hub / "homes", options.course or options.hub / "course"
    try:
        people = roster.read(options.hub / "roster.csv")
        problems = collect(options.assignment, options.notebooks, people, homes, course, options.folder)
    except (OSError, ValueError) as error:
        print(f"collect: {error}", file=sys.stderr)
        return 2
    for student, missing in problems.items():
        print(f"{student:24}{'; '.join(missing) or 'collected'}")
    return int(any(problems.values()))


if __name__ == "__main__":
    sys.exit(main())
