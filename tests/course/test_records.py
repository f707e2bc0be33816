"""A record survives the way to disk and back, and half a file is none."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dlphys.course.grade import Grade, TaskGrade
from dlphys.course.records import HandedIn, Record, read, read_all, write


@pytest.fixture
def record():
    task = TaskGrade("3.2a", 1.5, 2.0, "not yet", "value", ("seen: 1", "expected: the mean"), ("M3.1a",))
    handed_in = HandedIn("ada", "ch03", Path("in/ada/ch03.ipynb"), datetime(2026, 11, 22, 10, tzinfo=UTC), Path("in"))
    return Record(handed_in, Grade("ada", "ch03.ipynb", (task,), seconds=1.5), "0123", (Grade("ada", "ch03.ipynb"),))


def test_what_is_written_is_what_is_read(tmp_path, record):
    path = write(tmp_path, record)
    assert path == tmp_path / "ada/ch03.json"
    assert read(path) == record
    assert read_all(tmp_path) == {("ada", "ch03"): record}


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"grade": {}, "history": []}', "\x00"])
def test_what_is_no_record_is_said_or_left_out(tmp_path, record, broken):
    path = write(tmp_path, record)
    path.write_text(broken)
    with pytest.raises(ValueError, match=r"ch03\.json is no record of a grade"):
        read(path)
    assert read_all(tmp_path) == {}
