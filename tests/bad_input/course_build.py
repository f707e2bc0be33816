"""Wrong arguments of the functions that build, release, scan and count the course."""

from pathlib import Path

from dlphys.course import build, coverage, grade, handbook, leaks, sandbox, submission, update

HERE = str(Path(__file__).parent)

CASES = [
    (submission.read, (3,), {}, TypeError, r"path must be a path, got 3"),
    (submission.read, ("no/such.ipynb",), {}, submission.Unreadable, r"there is no file such\.ipynb"),
    (grade.grade_notebook, ("a.ipynb",), {"student": ""}, TypeError, r"student must be the key of a student, got ''"),
    (grade.grade_notebook, ("a.ipynb",), {"student": "ada", "timeout": 0}, ValueError, r"timeout must be .* got 0"),
    (grade.grade_notebook, ("a.ipynb",), {"student": "ada", "credit": {}}, ValueError, r"credit must have the rungs"),
    (
        grade.grade_notebook,
        (HERE + "/course_build.py",),
        {"student": "ada", "tasks": ["88.1a"]},
        ValueError,
        r"there is no task '88\.1a'",
    ),
    (sandbox.start, ("ls -l",), {}, TypeError, r"arguments must be the words of a command, got 'ls -l'"),
    (sandbox.start, ([],), {}, TypeError, r"arguments must be the words of a command, got \[\]"),
    (sandbox.start, (["ls"],), {"files": "no/folder"}, ValueError, r"files must be a folder that exists"),
    (lambda: sandbox.run([1]).__enter__(), (), {}, TypeError, r"arguments must be the words of a command, got \[1\]"),
    (lambda: sandbox.worker("a").__enter__(), (), {}, TypeError, r"cells must be a sequence of strings, got 'a'"),
    (sandbox.Limits, (), {"wall": 0}, ValueError, r"wall must be a finite number in \(0, inf\) s, got 0"),
    (sandbox.Limits, (), {"processes": 1.5}, TypeError, r"processes must be a whole number"),
    (handbook.write, (3,), {}, TypeError, r"root must be the path of a checkout, got 3"),
    (handbook.write, (HERE,), {}, ValueError, r"notebooks/source:1: there is no such folder"),
    (update.update, (3, HERE), {}, TypeError, r"copies must be a path, got 3"),
    (update.update, ("no/such/folder", HERE), {}, ValueError, r"copies must be a notebook or a folder that exists"),
    (update.update, (HERE, None), {}, TypeError, r"release must be a path, got None"),
    (update.update, (HERE, HERE), {}, ValueError, r"release must hold notebooks of the course, got '.+'"),
    (update.reset, (HERE, "88.1a"), {}, ValueError, r"id must be a task of the course, such as '8\.1a', got '88\.1a'"),
    (update.reset, (HERE, 8.1), {}, ValueError, r"id must be a task of the course, such as '8\.1a', got 8\.1"),
    (update.reset, ("no/such/folder", "8.1a"), {}, ValueError, r"path must be a notebook or a folder that exists"),
    (update.reset, (HERE, "8.1a"), {}, ValueError, r"exactly one notebook of '.+' must have task 8\.1a; have it: none"),
    (build.build, ("no/such/folder",), {}, ValueError, r"root must be an existing folder, got 'no/such/folder'"),
    (build.build, (3,), {}, TypeError, r"root must be the path of a checkout, got 3"),
    (build.build, (HERE,), {}, build.SourceError, r"notebooks/source:1: there is no such folder"),
    (build.build, (HERE,), {"check": "yes"}, TypeError, r"check must be True or False, got 'yes'"),
    (build.build, (HERE,), {"only": 8}, TypeError, r"only must be the stem of a source or a list of stems, got 8"),
    (build.build, (HERE,), {"only": []}, TypeError, r"only must be the stem of a source or a list of stems, got \[\]"),
    (build.release, ("no/such/folder", "out"), {}, ValueError, r"root must be an existing folder"),
    (build.release, (HERE, 3), {}, TypeError, r"directory must be a path, got 3"),
    (build.release, (HERE, HERE), {}, ValueError, r"directory must be new or empty, got '.+', which holds something"),
    (
        build.release,
        (HERE, "out"),
        {"edition": "easy"},
        ValueError,
        r"edition must be one of 'standard', 'exam', got 'easy'",
    ),
    (build.encode_references, ([1, 2],), {}, TypeError, r"payload must be a mapping, got \[1, 2\] \(list\)"),
    (build.encode_references, ({"a": {1, 2}},), {}, TypeError, r"payload must hold only what JSON can"),
    (leaks.scan, ("no/such/folder", HERE), {}, ValueError, r"root must be an existing folder"),
    (leaks.scan, (HERE, "no/such/folder"), {}, ValueError, r"directory must be an existing folder"),
    (leaks.scan, (HERE, None), {}, TypeError, r"directory must be a path, got None"),
    (coverage.coverage, (None,), {}, TypeError, r"root must be the path of a checkout, got None"),
    (coverage.coverage, ("no/such/folder",), {}, ValueError, r"root must be an existing folder"),
    (coverage.text, (["E8.1"],), {}, TypeError, r"rows must hold the rows that coverage\(root\) returns, got 'E8.1'"),
]
