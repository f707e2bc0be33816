"""Which mistake a verdict tells of, and what a class has in common."""

from dataclasses import replace

import pytest
from classroom import TASKS, assignment, people, record, verdicts

from dlphys.checks import engine
from dlphys.course.diagnosis import diagnosis, known_mistake, summary
from dlphys.course.grade import TaskGrade
from dlphys.course.results import combine


@pytest.mark.parametrize("id", TASKS)
def test_every_known_mistake_is_recognised_by_the_words_of_its_verdict(id):
    _, *wrong, _ = verdicts(id)
    assert [known_mistake(task) for task in wrong] == list(engine.TASKS[id].mistakes)


def test_a_verdict_that_several_mistakes_may_get_names_one_with_perhaps():
    """Any wrong shape gets the verdict that exchanged axes get; the check has compared with none of them."""
    task = TaskGrade("M3.1a", 0, 2, "not yet", "shape", ("seen: 3", "expected: an array of shape (5, 2)"))
    assert diagnosis(task) == "perhaps events in columns"
    records = [record("ada")]
    object.__setattr__(records[0].grade, "tasks", (task,))
    ((mistake,),) = (found.mistakes for found in summary(combine(records)))
    assert (mistake.text, mistake.known) == ("an array of shape (5, 2)", False)
    assert mistake.hint == "perhaps events in columns; section 3.2 of the book"


def test_other_verdicts_say_what_was_expected():
    right, *_, empty = verdicts("M3.1a")
    assert (diagnosis(right), diagnosis(empty)) == ("", "not done")
    task = TaskGrade("M3.1a", 0, 2, "not yet", "value", ("seen: 3", "expected: a row for each event"))
    assert diagnosis(task) == "a row for each event"
    assert diagnosis(replace(task, details=("the code was stopped: too much memory",))).endswith("too much memory")
    assert diagnosis(replace(task, details=())) == "not yet"


def test_a_task_that_the_course_no_longer_has_is_still_told():
    task = TaskGrade("77.1a", 0, 2, "not yet", "value", ("expected: forty-two",))
    assert diagnosis(task) == "forty-two"


def test_the_class_in_numbers():
    """Four hand-ins, of which one counts for two students: it is one hand-in."""
    id, other = "M3.1a", engine.TASKS
    right, first, second, *_, empty = verdicts(id)
    roster = people(5)
    records = [record(f"s00{k}", (id,), choice={id: choice}) for k, choice in enumerate((0, 1, 1, 2))]
    results = combine(records, people=roster, groups={"s003": "A", "s004": "A"})
    (task,) = summary(results)
    names = list(other[id].mistakes)
    assert (task.passed, task.not_yet, task.not_done, task.hand_ins) == (1, 3, 0, 4)
    assert task.mean == (right.points + 2 * first.points + second.points) / 4
    assert [(m.text, m.count, m.known) for m in task.mistakes] == [(names[0], 2, True), (names[1], 1, True)]
    assert (
        task.mistakes[0].hint == "one row of weights a node: node 1 uses W[0, :], not W[:, 0]; section 3.2 of the book"
    )
    assert empty.status == "not done"


def test_verdicts_that_differ_in_numbers_only_and_all_errors_are_one_line_each():
    def task(*details):
        return TaskGrade("M3.1a", 0, 2, "not yet", "value", details)

    stopped = "expected: a function that answers the check with data"
    told = [
        task("expected: between 1.5 and 2"),
        task("expected: between 1.7 and 2e3"),
        task("seen: ValueError: shapes", stopped),
        task("seen: NameError: x", stopped),
    ]
    records = [record(f"s{k}") for k in range(4)]
    for item, verdict in zip(records, told, strict=True):
        object.__setattr__(item.grade, "tasks", (verdict,))
    (found,) = summary(combine(records))
    assert [(m.text, m.count, m.known, m.hint) for m in found.mistakes] == [
        ("between 1.5 and 2", 2, False, "section 3.2 of the book"),
        ("the code stopped with an error", 2, False, "for example ValueError: shapes; section 3.2 of the book"),
    ]


def test_tasks_come_in_the_order_of_the_notebook():
    assert [task.id for task in summary(combine([record("ada")], assignment=assignment()))] == list(TASKS)
