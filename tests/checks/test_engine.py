"""A training that misses its bar is judged once more, and nothing else is."""

import pytest

from dlphys.checks import engine
from dlphys.checks.proxy import local


@pytest.mark.parametrize(
    ("rungs", "status", "judged"),
    [
        ([], "passed", 1),
        (["bar"], "passed", 2),
        (["bar", "bar"], "not yet", 2),
        (["bar", "value"], "not yet", 2),
        (["value"], "not yet", 1),
    ],
)
def test_a_missed_bar_is_tried_twice_and_any_other_failure_is_final(toy, rungs, status, judged):
    """The verdict is that of the first attempt, unless the second one passes."""
    draws = []

    @engine.task("99.1a")
    def moment(student, random):
        draws.append(random.integers(2**60))
        if len(draws) <= len(rungs):
            raise engine.Failure(rungs[len(draws) - 1], "what a correct solution reaches", f"attempt {len(draws)}")
        return "reached"

    verdict = engine.judge("99.1a", local(lambda x: x))
    assert verdict.status == status
    assert verdict.rung == (rungs[0] if status == "not yet" else "")
    assert len(set(draws)) == len(draws) == judged  # each attempt with inputs of its own
