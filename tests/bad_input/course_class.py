"""Wrong arguments of the functions that know the class and what it was asked."""

from dlphys.course import assignment, copies, records, roster

CASES = [
    (roster.read, (3,), {}, TypeError, r"roster must be a path, got 3"),
    (roster.read, ("no/such.csv",), {}, ValueError, r"roster must be a CSV file that exists, got 'no/such\.csv'"),
    (roster.login_of, ({}, 3), {}, TypeError, r"said must be names, got 3"),
    (assignment.read, (None,), {}, TypeError, r"folder must be a path, got None"),
    (assignment.read, ("no/such",), {}, ValueError, r"there is no assignment in 'no/such'"),
    (assignment.of_notebook, ({}, "notes"), {}, ValueError, r"notes is no notebook of the course"),
    (copies.marked, ([3],), {}, TypeError, r"records must be records of grades, got 3"),
    (records.write, ("out", {"grade": 1}), {}, TypeError, r"record must be a Record, got \{'grade': 1\}"),
    (records.read, ("no/such.json",), {}, ValueError, r"such\.json is no record of a grade \(FileNotFoundError\)"),
    (records.read_all, (3,), {}, TypeError, r"folder must be a path, got 3"),
]
