"""Wrong arguments of the functions that find and read what was handed in."""

from dlphys.course import sandbox, submission, submissions

CASES = [
    (submissions.find, (3,), {}, TypeError, r"path must be a path, got 3"),
    (submissions.find, ("no/such",), {}, ValueError, r"there are no submissions in 'no/such'"),
    (submissions.find, (".",), {"assignment": "hw"}, TypeError, r"assignment must be an Assignment, got 'hw'"),
    (submissions.find, (".",), {"unpacked": 3}, TypeError, r"unpacked must be a path, got 3"),
    (submissions.identify, ("ada", {}), {}, TypeError, r"handed_in must be a sequence of HandedIn, got 'ada'"),
    (submissions.identify, ([], ["ada"]), {}, TypeError, r"people must map logins to persons, got \['ada'\]"),
    (submission.read_apart, (3,), {}, TypeError, r"path must be a path, got 3"),
    (submission.read_apart, ("no/such.ipynb",), {}, submission.Unreadable, r"there is no file such\.ipynb"),
    (sandbox.start, (["true"],), {"files": "/nowhere"}, ValueError, r"files must be a folder that exists"),
]
