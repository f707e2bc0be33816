"""A training that misses its bar is judged once more, and nothing else is."""

import pytest

from dlphys.checks import engine
from dlphys.checks.proxy import local


@pytest.mark.parametrize(
    ("misses", "rung", "status", "judged"),
    [(0, "bar", "passed", 1), (1, "bar", "passed", 2), (2, "bar", "not yet", 2), (1, "value", "not yet", 1)],
)
def test_a_missed_bar_is_tried_twice_and_any_other_failure_is_final(toy, misses, rung, status, judged):
    draws = []

    @engine.task("99.1a")
    def moment(student, random):
        draws.append(random.integers(2**60))
        if len(draws) <= misses:
            raise engine.Failure(rung, "what a correct solution reaches", f"attempt {len(draws)}")
        return "reached"

    verdict = engine.judge("99.1a", local(lambda x: x))
    assert verdict.status == status
    assert len(set(draws)) == len(draws) == judged  # each attempt with inputs of its own
