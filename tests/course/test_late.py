"""Times in words; the rule itself is tried on hand-ins in test_results.py."""

from datetime import timedelta

import pytest

from dlphys.course.late import duration


@pytest.mark.parametrize(
    ("minutes", "words"), [(0.5, "1 min"), (59, "59 min"), (61, "1 h 1 min"), (1440, "1 day"), (3000, "2 days 2 h")]
)
def test_durations_in_words(minutes, words):
    assert duration(timedelta(minutes=minutes)) == words
