"""Wrong arguments of the functions that write nbgrader's gradebook."""

from pathlib import Path

from traitlets.config import Config

from dlphys.course import autograde, cleaning, gradebook
from dlphys.course.grade import Grade

HERE = str(Path(__file__).parent)

CASES = [
    (gradebook.configure, ({},), {}, TypeError, r"config must be what get_config\(\) gives, got \{\}"),
    (gradebook.configure, (Config(),), {"walls": 1}, TypeError, r"walls must be True or False, got 1"),
    (gradebook.write, (3, "week3", []), {}, TypeError, r"course must be a path, got 3"),
    (gradebook.write, ("no/course", "week3", []), {}, ValueError, r"there is no course folder 'no/course'"),
    (gradebook.write, (HERE, "week3", [{}]), {}, TypeError, r"records must be Records, got \{\}"),
    (gradebook.write, (HERE, "week3", 3), {}, TypeError, r"records must be Records, got 3"),
    (gradebook.write, (HERE, "week3", []), {"people": 3}, TypeError, r"people must be a mapping .*, got 3"),
    (gradebook.write, (HERE, "week3", []), {}, ValueError, r"there is no gradebook in '.*': run `nbgrader"),
    (gradebook.marks, (HERE, 3), {}, TypeError, r"assignment_name must be a string, got 3"),
    (gradebook.marks, (HERE, "week3"), {}, ValueError, r"there is no gradebook in '.*': run `nbgrader"),
    (autograde.check_cell, (3,), {}, TypeError, r"task must be an id such as '8\.1a', got 3"),
    (autograde.digest, ({},), {}, TypeError, r"grade must be a Grade, got \{\}"),
    (autograde.digest, (Grade("ada", "x"), 3), {}, TypeError, r"files must be paths, got 3"),
    (autograde.graded_as, (3,), {}, TypeError, r"path must be a path, got 3"),
    (cleaning.read, (3,), {}, TypeError, r"path must be a path, got 3"),
    (cleaning.read, ("no/such.ipynb",), {}, ValueError, r"there is no file such\.ipynb"),
    (cleaning.empty, (3,), {}, TypeError, r"reason must be a string, got 3"),
    (cleaning.plain, (3,), {}, TypeError, r"text must be a string, got 3"),
    (cleaning.as_markdown, (3,), {}, TypeError, r"text must be a string, got 3"),
]
