"""Wrong arguments of the functions that make results and reports of grades."""

from datetime import datetime, timedelta
from pathlib import Path

from dlphys.course import answers, classroom, diagnosis, late, marks, questions, report, results

HERE = str(Path(__file__))
NAIVE = datetime(2026, 11, 30)

CASES = [
    (results.combine, ([3],), {}, TypeError, r"records must be records of grades, got 3"),
    (report.table, ([3],), {}, TypeError, r"results must be those of results\.combine, got 3"),
    (classroom.grade, ("no/such", "grades.csv"), {}, ValueError, r"there are no submissions in 'no/such'"),
    (classroom.grade, (HERE, "grades.csv"), {"late": 2}, ValueError, r"share must be .*got 2"),
    (results.combine, ([],), {"assignment": "week 3"}, TypeError, r"assignment must be an Assignment, got 'week 3'"),
    (
        results.combine,
        ([],),
        {"deadline": "tomorrow"},
        ValueError,
        r"deadline must be a time such as .* got 'tomorrow'",
    ),
    (results.combine, ([],), {"deadline": NAIVE}, ValueError, r"deadline must say its time zone.*got '2026-11-30"),
    (results.combine, ([],), {"deadline": 3}, TypeError, r"deadline must be a datetime or a text, got 3"),
    (results.combine, ([],), {"extensions": "no/such.csv"}, ValueError, r"extensions must be a CSV file that exists"),
    (results.combine, ([],), {"extensions": {"ada": NAIVE}}, ValueError, r"extensions must say its time zone"),
    (results.combine, ([],), {"late": 1.5}, ValueError, r"share must be a finite number in \[0, 1\], got 1\.5"),
    (results.combine, ([],), {"late": "half"}, TypeError, r"share must be a number, got 'half'"),
    (results.combine, ([],), {"groups": 3}, TypeError, r"groups must be a path, got 3"),
    (results.combine, ([],), {"groups": HERE}, ValueError, r"groups must have the columns student, group"),
    (results.combine, ([],), {"people": {"ada": 1}}, TypeError, r"people must be a roster \(login -> Person\), got 1"),
    (results.combine, ([],), {"people": ["ada"]}, TypeError, r"people must be a roster \(login -> Person\), got"),
    (results.combine, ([],), {"marks": 3}, TypeError, r"marks must be a file or a list of .* got 3"),
    (results.combine, ([],), {"marks": [("ada",)]}, TypeError, r"marks must be a file or a list of"),
    (
        results.combine,
        ([],),
        {"marks": [("ada", "q", -1)]},
        ValueError,
        r"points must be a finite number in \[0, inf\]",
    ),
    (late.LateRule, (0.1,), {"grace": 5}, TypeError, r"grace must be a timedelta, got 5"),
    (late.LateRule, (0.1,), {"grace": -timedelta(1)}, ValueError, r"grace must not be negative, got -1 day"),
    (late.duration, (5,), {}, TypeError, r"time must be a timedelta, got 5"),
    (marks.read, (3,), {}, TypeError, r"marks must be a path, got 3"),
    (marks.read, ("no/such.csv",), {}, ValueError, r"marks must be a CSV file that exists, got 'no/such\.csv'"),
    (answers.read, (3, []), {}, TypeError, r"path must be a path, got 3"),
    (answers.read, ("a.ipynb", "q1"), {}, TypeError, r"questions must be a sequence of grade_ids, got 'q1'"),
    (diagnosis.diagnosis, ("3.2a",), {}, TypeError, r"task must be a TaskGrade, got '3\.2a'"),
    (diagnosis.known_mistake, (None,), {}, TypeError, r"task must be a TaskGrade, got None"),
    (diagnosis.summary, ([1],), {}, TypeError, r"results must be those of results\.combine, got 1"),
    (questions.write, ([], "a.html"), {}, ValueError, r"results must have open questions to mark, got none"),
    (questions.write, ([], 3), {}, TypeError, r"file must be a path, got 3"),
    (questions.write, ([], "a.html"), {"title": 3}, TypeError, r"title must be a text, got 3"),
    (report.write, (3, "out"), {}, TypeError, r"results must be those of results\.combine, got 3"),
    (report.write, ([], 3), {}, TypeError, r"folder must be a path, got 3"),
    (report.write, ([], HERE), {}, ValueError, r"folder must be a folder, got the file '.*course_results\.py'"),
    (report.write, ([], "out"), {"assignment": 3}, TypeError, r"assignment must be an Assignment, got 3"),
    (report.write_grades, ([], None), {}, TypeError, r"file must be a path, got None"),
    (report.write_moodle, (["ada"], "a.csv"), {}, TypeError, r"results must be those of results\.combine, got 'ada'"),
]
