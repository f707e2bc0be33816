"""Wrong arguments of what grades a class."""

from pathlib import Path

from dlphys.course import grading, submission
from dlphys.course.records import HandedIn

ADA = HandedIn("ada", "ch03_building_blocks", Path("no/such.ipynb"))
FILE = Path(__file__)


def grade(*arguments, **settings):
    return lambda: grading.grade(*arguments, **settings)


CASES = [
    (grade("ada", "out"), (), {}, TypeError, r"handed_in must be a sequence of HandedIn, got 'ada'"),
    (grade(["ada"], "out"), (), {}, TypeError, r"handed_in must be a sequence of HandedIn, got 'ada' in it"),
    (grade([ADA, ADA], "out"), (), {}, ValueError, r"each notebook of a student once, got ch03_building_blocks of ada"),
    (grade([HandedIn("../eve", "a", FILE)], "out"), (), {}, ValueError, r"student .*must be a name.*got '\.\./eve'"),
    (grade([HandedIn("eve", "..", FILE)], "out"), (), {}, ValueError, r"notebook .*must be a name.*got '\.\.'"),
    (grade([HandedIn("e" * 300, "a", FILE)], "out"), (), {}, ValueError, r"student .*must be a name that a file can"),
    (grade([ADA], 3), (), {}, TypeError, r"folder must be a path, got 3"),
    (grade([ADA], FILE), (), {}, ValueError, r"folder must be one that can be written, got .*\(File exists\)"),
    (grade([ADA], FILE / "in"), (), {}, ValueError, r"folder must be one that can be written.*\(Not a directory\)"),
    (grade([ADA], "out", assignment="ps1"), (), {}, TypeError, r"assignment must be an Assignment, got 'ps1'"),
    (grade([ADA], "out", people=["ada"]), (), {}, TypeError, r"people must be a mapping from logins to Person"),
    (grade([ADA], "out", workers=-1), (), {}, ValueError, r"workers must be .*at least 0.*got -1"),
    (grade([ADA], "out", scheduler=8786), (), {}, TypeError, r"scheduler must be an address such as .*got 8786"),
    (grade([ADA], "out", scheduler="tcp://a:1", workers=2), (), {}, ValueError, r"scheduler and workers exclude each"),
    (grade([ADA], "out", tasks="3.2a"), (), {}, TypeError, r"tasks must be a sequence of ids such as '8\.1a'"),
    (grade([ADA], "out", tasks=["99.9z"]), (), {}, ValueError, r"there is no task '99\.9z'"),
    (grade([ADA], "out", tasks=["3.2a"], again=True), (), {}, ValueError, r"tasks and again exclude each other"),
    (grade([ADA], "out", limits=3), (), {}, TypeError, r"limits must be sandbox\.Limits, got 3"),
    (grade([ADA], "out", timeout=0), (), {}, ValueError, r"timeout must be .*got 0"),
    (grade([ADA], "out", credit={"done": 1}), (), {}, ValueError, r"credit must have the rungs done, .*got done"),
    (grade([ADA], "out", credit=3), (), {}, TypeError, r"credit must be a mapping, got 3"),
    (lambda: submission.of_code(["x ="]), (), {}, SyntaxError, r"invalid syntax"),
]
