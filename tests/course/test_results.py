"""Groups, the late rule, extensions and marks by hand: what each student gets, and that it says why."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from classroom import DEADLINE, HOW, WHY, assignment, people, record

from dlphys.course.late import LateRule
from dlphys.course.records import NO_NOTEBOOK
from dlphys.course.results import combine
from dlphys.course.roster import Person

HOUR = timedelta(hours=1)
ADA_AND_EMMY = {"ada": Person("ada"), "emmy": Person("emmy")}


def only(results):
    (result,) = results
    return result


def test_every_student_of_the_roster_and_every_stranger_gets_a_result():
    roster = people(3)
    results = combine([record("s001"), record("zoe", name="Zoe Zuse")], people=roster, assignment=assignment())
    assert [(r.student, r.points, r.maximum) for r in results] == [
        ("s000", 0, 12), ("s001", 12, 12), ("s002", 0, 12), ("zoe", 12, 12),
    ]  # fmt: skip
    assert results[0].notes == ("handed in nothing",)
    assert (results[1].notes, results[1].remarks) == ((), ())
    assert (results[3].remarks, results[3].name) == (("not in the roster",), "Zoe Zuse")


def test_without_roster_and_assignment_the_records_say_all():
    result = only(combine({("ada", "layers"): record("ada", ("M3.1a", "M3.1b"), choice={"M3.1b": -1})}))
    assert (result.student, result.points, result.maximum, result.open) == ("ada", 2, 4, 0)


@pytest.mark.parametrize("said", ["Ada Lovelace", "Lovelace, Ada", "Lovelace_Ada", "ADA@example.org"])
def test_who_is_handed_in_by_name_or_address_is_found_in_the_roster(said):
    roster = {"ada": Person("ada", "Ada Lovelace", "ada@example.org")}
    result = only(combine([record(said)], people=roster))
    assert (result.student, result.points) == ("ada", 12)
    assert result.remarks == (f"handed in as {said}, found in the roster by name or e-mail address",)


def test_of_two_with_the_same_name_neither_is_taken():
    roster = {"s1": Person("s1", "Ada Abel"), "s2": Person("s2", "Ada Abel")}
    assert [r.student for r in combine([record("Ada Abel")], people=roster)] == ["s1", "s2", "Ada Abel"]


# --- groups ----------------------------------------------------------------------------------------------


def written(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_one_hand_in_counts_for_all_of_a_group(tmp_path):
    table = written(tmp_path, "\ufeffgroup;student\nA;ada\nA;emmy\n")
    ada, emmy = combine([record("emmy")], people=ADA_AND_EMMY, groups=table)
    assert (ada.points, ada.group, ada.parts[0].author) == (12, "A", "emmy")
    assert ada.notes == ("layers graded with the hand-in of emmy (group A)",)
    assert (emmy.points, emmy.notes) == (12, ())


def test_the_latest_hand_in_of_a_group_counts_even_if_it_is_worse():
    early, late = DEADLINE - 2 * HOUR, DEADLINE - HOUR
    records = [record("ada", when=late, choice={"M3.1a": -1}), record("emmy", when=early)]
    results = combine(records, people=ADA_AND_EMMY, groups={"ada": "A", "emmy": "A"})
    assert [r.points for r in results] == [10, 10]
    assert results[0].notes == ("layers was handed in 2 times in the group; the latest, of ada, counts",)
    assert results[1].notes[1] == "layers graded with the hand-in of ada (group A)"


def test_a_later_hand_in_that_cannot_be_graded_takes_nothing_away():
    records = [record("ada", when=DEADLINE, reason="the file is no notebook"), record("emmy", when=DEADLINE - HOUR)]
    results = combine(records, people=ADA_AND_EMMY, groups={"ada": "A", "emmy": "A"})
    assert [r.points for r in results] == [12, 12]
    assert "the latest that can be graded, of emmy, counts" in results[0].notes[0]


def test_without_times_the_best_of_a_group_counts_and_it_is_said():
    records = [record("ada", when=None, choice={"3.2c": -1}), record("emmy", when=None)]
    result, _ = combine(records, people=ADA_AND_EMMY, groups={"ada": "A", "emmy": "A"})
    assert result.points == 12
    assert "the best, as no times tell which came last, of emmy, counts" in result.notes[0]


def test_the_rosters_own_groups_count_unless_they_are_refused():
    roster = {"ada": Person("ada", group="A"), "emmy": Person("emmy", group="A")}
    assert [r.points for r in combine([record("ada")], people=roster)] == [12, 12]
    assert [r.points for r in combine([record("ada")], people=roster, groups={})] == [12, 0]


def test_a_tutorial_is_no_group():
    roster = {f"s{k}": Person(f"s{k}", group="Tuesday") for k in range(6)}
    with pytest.raises(ValueError, match=r"groups: 'Tuesday' has 6 students.*at most 5"):
        combine([], people=roster)


# --- late ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "points", "note"),
    [
        (-HOUR, 12, ()),
        (0 * HOUR, 12, ()),
        (HOUR / 4, 12, ("layers came 15 min late: nothing taken off",)),
        (HOUR, 9, ("layers came 1 h 0 min late: 25 % of the points taken off",)),
        (24 * HOUR + HOUR / 2, 9, ("layers came 1 day late: 25 % of the points taken off",)),
        (25 * HOUR, 6, ("layers came 1 day 1 h late: 50 % of the points taken off",)),
        (1000 * HOUR, 0, ("layers came 41 days 16 h late: 100 % of the points taken off",)),
    ],
)
def test_each_day_that_has_begun_after_deadline_and_grace_costs_its_share(after, points, note):
    rule = LateRule(0.25, grace=HOUR / 2)
    result = only(combine([record("ada", when=DEADLINE + after)], deadline=DEADLINE, late=rule))
    assert (result.points, result.before, result.notes) == (points, 12, note)


def test_a_deadline_without_a_rule_takes_nothing_and_says_how_late():
    result = only(combine([record("ada", when=DEADLINE + HOUR)], deadline=DEADLINE.isoformat()))
    assert (result.points, result.late) == (12, HOUR)


def test_a_hand_in_without_a_time_is_not_punished_and_that_is_said():
    for when in (None, (DEADLINE + HOUR).replace(tzinfo=None)):
        result = only(combine([record("ada", when=when)], deadline=DEADLINE, late=0.5))
        assert result.points == 12
        assert result.notes == ("no time is known at which layers was handed in: not counted as late",)


def test_the_hour_that_is_repeated_in_autumn_counts():
    """2:30 the second time is an hour after 2:30 the first time, although clocks show the same."""
    berlin = ZoneInfo("Europe/Berlin")
    first = DEADLINE.replace(month=10, day=25, hour=0, minute=30).astimezone(berlin)
    second = (first.astimezone(ZoneInfo("UTC")) + HOUR).astimezone(berlin)
    assert first.replace(fold=0) == second.replace(fold=0)
    assert only(combine([record("ada", when=second)], deadline=first)).late == HOUR


def test_who_has_more_time_is_late_later(tmp_path):
    roster = ADA_AND_EMMY | {"lise": Person("lise")}
    table = written(tmp_path, "student,deadline,why\nada,2026-12-05T12:00+01:00,ill\nemmy,,\n")
    records = [record(student, when=DEADLINE + 30 * HOUR) for student in roster]
    results = combine(records, people=roster, deadline=DEADLINE, extensions=table, late=0.1)
    assert [r.points for r in results] == [12, 9.6, 9.6]


# --- marks -----------------------------------------------------------------------------------------------


def test_what_nobody_has_marked_is_open_and_no_zero_is_made_of_it():
    asked = assignment(WHY, HOW)
    result = only(combine([record("ada")], assignment=asked))
    assert (result.points, result.maximum, result.open) == (12, 15, 3)
    result = only(combine([record("ada")], assignment=asked, marks=[("ada", WHY.id, 0, "no")]))
    assert (result.points, result.maximum, result.open) == (12, 15, 1)
    marks = [("ada", WHY.id, 1.5, ""), ("ada", HOW.id, None, "later")]
    result = only(combine([record("ada")], assignment=asked, marks=marks))
    assert (result.points, result.open, result.answers[1].comment) == (13.5, 1, "later")


def test_the_late_rule_holds_for_marks_too():
    late = record("ada", when=DEADLINE + HOUR)
    result = only(
        combine([late], assignment=assignment(WHY), deadline=DEADLINE, late=0.5, marks=[("ada", WHY.id, 2, "")])
    )
    assert (result.points, result.before) == (7, 14)


def test_a_mark_holds_for_the_group_unless_a_member_has_an_own_one():
    groups = {"ada": "A", "emmy": "A", "lise": "A"}
    marks = [("emmy", WHY.id, 2, ""), ("lise", WHY.id, 1, "")]
    results = combine([record("emmy")], assignment=assignment(WHY), groups=groups, marks=marks)
    assert {r.student: r.points for r in results} == {"ada": 14, "emmy": 14, "lise": 13}


def test_who_handed_in_nothing_has_nothing_open_but_can_have_a_mark():
    ada, emmy = combine([], assignment=assignment(WHY), people=ADA_AND_EMMY, marks=[("emmy", WHY.id, 1, "in class")])
    assert (ada.points, ada.open, ada.answers) == (0, 0, ())
    assert (emmy.points, emmy.open) == (1, 0)


def test_extra_points_count_and_are_remarked():
    result = only(combine([record("ada")], assignment=assignment(WHY), marks=[("ada", WHY.id, 2.5, "")]))
    assert (result.points, result.maximum) == (14.5, 14)
    assert result.remarks == ("answer-3-2: 2.5 points, of 2",)


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([("ada", "answer-9", 1, "")], r"no open question 'answer-9' \(of ada\); known: answer-3-2"),
        ([("bob", WHY.id, 1, "")], r"there is no student 'bob'"),
    ],
)
def test_a_mark_that_belongs_nowhere_is_refused(marks, said):
    with pytest.raises(ValueError, match=said):
        combine([record("ada")], assignment=assignment(WHY), marks=marks)


# --- what went wrong -------------------------------------------------------------------------------------


def test_why_something_was_not_graded_is_in_the_notes():
    records = [
        record("ada", reason="the notebook needed more than 4 GiB of memory"),
        record("emmy", ("M3.1a",), problems=("code cell 3 is no Python: invalid syntax",)),
        record("ada", notebook="holiday", problem="it is a symbolic link"),
    ]
    ada, emmy = combine(records, people=ADA_AND_EMMY, assignment=assignment())
    assert (ada.points, ada.reasons) == (0, ("the notebook needed more than 4 GiB of memory",))
    assert "layers could not be graded: the notebook needed more than 4 GiB of memory" in ada.notes
    assert "holiday: it is a symbolic link" in ada.notes
    assert emmy.notes == (
        "layers: not judged, and without points: M3.1b, 3.2a, 3.2b, 3.2c, 3.2d",
        "layers: code cell 3 is no Python: invalid syntax",
    )


def test_whose_answer_it_is_is_for_the_instructor_and_says_if_they_work_together():
    item = record("ada", ("M3.1a",))
    object.__setattr__(item.grade, "tasks", (replace(item.grade.tasks[0]),))
    object.__setattr__(item.grade.tasks[0], "copied", ("emmy",))
    alone, _ = combine([item], people=ADA_AND_EMMY)
    together, _ = combine([item], people=ADA_AND_EMMY, groups={"ada": "A", "emmy": "A"})
    assert (alone.notes, alone.remarks) == ((), ("M3.1a: the answer is that of emmy",))
    assert together.remarks == ("M3.1a: the answer is that of emmy, of the same group",)


def test_tasks_that_the_assignment_does_not_ask_for_do_not_count():
    asked = assignment()
    asked.notebooks[0].__dict__["tasks"] = ("M3.1a",)
    result = only(combine([record("ada")], assignment=asked))
    assert (result.points, result.maximum, [task.id for task in result.tasks]) == (2, 2, ["M3.1a"])


def test_without_an_assignment_what_was_not_handed_in_is_no_notebook():
    """Only what somebody handed in was asked; why there is nothing else stands in the notes."""
    said = "no notebook was handed in, only notes.pdf"
    ada, eve = combine([record("ada"), record("eve", (), notebook=NO_NOTEBOOK, problem=said)])
    assert (ada.notes, ada.maximum, eve.maximum) == ((), 12, 12)
    assert eve.notes == ("handed in nothing of what was asked", said)
