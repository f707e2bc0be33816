"""Arguments that running, pricing and examining must refuse."""

from dlphys.course import doctor, prices, run

_TAG = {
    "chapter": 8,
    "title": "CNN",
    "minutes": 9,
    "points": 1,
    "seconds": 1.0,
    "cpu_seconds": 1.0,
    "memory_mib": 100,
}

CASES = [
    (run.execute, ("missing.ipynb",), {}, ValueError, r"path must be an existing notebook file, got 'missing.ipynb'"),
    (run.execute, (3,), {}, TypeError, r"path must be a path, got 3"),
    (run.execute, (__file__,), {}, ValueError, r"path must be a notebook, but .* cannot be read as one"),
    (run.execute, (__file__,), {"allow": "NameError"}, TypeError, r"allow must be a collection of names of errors"),
    (run.execute, (__file__,), {"timeout": 0}, ValueError, r"timeout must be a finite number in \(0, inf\) s, got 0"),
    (run.execute, (__file__,), {"threads": 0}, ValueError, r"threads must be at least 1, got 0"),
    (run.notebooks, ("/nowhere",), {}, ValueError, r"root must be a checkout with notebooks/solution, got '/nowhere'"),
    (run.notebooks, (None,), {}, TypeError, r"root must be a path, got None"),
    (run.notebooks, (".", "ch08"), {}, TypeError, r"chapters must be a list of names such as 'ch08', got 'ch08'"),
    (run.run, ("/nowhere",), {"student": True}, ValueError, r"root must be a checkout with notebooks/student"),
    (run.page, ("text",), {"title": "t"}, TypeError, r"notebook must be a notebook of nbformat, got 'text'"),
    (prices.measure, ("/nowhere",), {}, ValueError, r"root must be a checkout with notebooks/solution"),
    (prices.read, ("/nowhere",), {}, ValueError, r"root must be a checkout with notebooks/prices.json"),
    (prices.read, (3,), {}, TypeError, r"root must be a path, got 3"),
    (prices.table, ([],), {}, TypeError, r"prices must be a dictionary"),
    (prices.table, ({"ch08": {"seconds": 1}},), {}, ValueError, r"prices\['ch08'\] must have chapter, title"),
    (prices.update_readme, ("/nowhere",), {}, ValueError, r"root must be a checkout with notebooks/prices.json"),
    (prices.limits, (None,), {}, TypeError, r"prices must be a dictionary"),
    (prices.stale, ("/nowhere",), {}, ValueError, r"root must be a checkout with notebooks/prices.json"),
    (prices.within_factor, ({"ch08": _TAG}, {}, 1.0), {}, ValueError, r"factor must be a finite number in \(1, inf\)"),
    (prices.within_factor, ({}, None), {}, TypeError, r"prices must be a dictionary"),
    (doctor.examine, (3,), {}, TypeError, r"root must be a path, got 3"),
]
