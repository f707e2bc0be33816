"""A training that misses its bar is judged once more, and nothing else is."""

import pytest

from dlphys.checks import ch12_interpretability, engine
from dlphys.checks.proxy import answered, local


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


def test_a_target_of_the_book_is_no_bar_so_that_a_second_training_cannot_make_up_for_it(monkeypatch):
    monkeypatch.delenv("DLPHYS_FAST", raising=False)
    with pytest.raises(engine.Failure, match="70%") as failure:
        ch12_interpretability._judged("12.1b", 0.69, "mirror", made_already=True)
    assert failure.value.rung == "value"
    ch12_interpretability._judged("12.1b", 0.70, "mirror", made_already=True)


def test_a_proxy_knows_whether_its_next_call_has_been_made_already():
    student = local(lambda: 1, result=2)
    assert answered(student)
    assert student() == 2
    assert not answered(student)
    assert student() == 1
    assert not answered(local(lambda: 1))
