"""Wrong arguments of assigning."""

from pathlib import Path

from dlphys.course.assign import assign

ROOT = Path(__file__).parents[2]
OUT = "no/such/course"

CASES = [
    (assign, (3, ["8.1"], OUT), {}, TypeError, r"root must be the path of a checkout, got 3"),
    (assign, ("no/such", ["8.1"], OUT), {}, ValueError, r"root must be an existing folder, got 'no/such'"),
    (assign, (ROOT, "8.1", OUT), {}, TypeError, r"what must be a sequence of chapters and exercises, got '8\.1'"),
    (assign, (ROOT, [8.1], OUT), {}, TypeError, r"what must be a sequence of chapters and exercises, got \[8\.1\]"),
    (assign, (ROOT, [], OUT), {}, ValueError, r"what must name chapters or exercises, such as ch08 or 8\.1, got none"),
    (assign, (ROOT, ["8.1a"], OUT), {}, ValueError, r"got '8\.1a'; an exercise is asked as a whole: 8\.1"),
    (assign, (ROOT, ["../8.1"], OUT), {}, ValueError, r"name must be a word of letters, digits, .*got '\.\./8\.1'"),
    (assign, (ROOT, ["8.1"], 3), {}, TypeError, r"out must be a path, got 3"),
    (assign, (ROOT, ["8.1"], __file__), {}, ValueError, r"out must be a folder, got .*course_assign\.py'"),
    (assign, (ROOT, ["8.1"], OUT), {"name": 3}, TypeError, r"name must be a word, got 3"),
    (assign, (ROOT, ["8.1"], OUT), {"name": "a/b"}, ValueError, r"name must be a word of letters, .*got 'a/b'"),
    (assign, (ROOT, ["8.1"], OUT), {"name": ".."}, ValueError, r"name must be a word of letters, .*got '\.\.'"),
    (assign, (ROOT, ["8.1"], OUT), {"edition": "easy"}, ValueError, r"edition must be one of 'standard', 'exam'"),
    (
        assign,
        (ROOT, ["8.1"], OUT),
        {"roster": "no.csv"},
        ValueError,
        r"roster must be a CSV file that exists, got 'no\.csv'",
    ),
    (assign, (ROOT, ["8.1"], OUT), {"exchange": 3}, TypeError, r"exchange must be a path, got 3"),
    (assign, (ROOT, ["8.1"], OUT), {"question_points": -1}, ValueError, r"question_points must be .*got -1"),
    (assign, (ROOT, ["8.1"], OUT), {"question_points": "two"}, TypeError, r"question_points must be a number"),
]
