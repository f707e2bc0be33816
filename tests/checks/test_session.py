"""What a notebook sees: verdict lines, hints, catch-up, claims, predictions, quizzes, points."""

import numpy as np
import pytest

from dlphys import checks
from dlphys.checks import engine, references


def right(x):
    return (x**2).mean()


def stub(x):
    raise NotImplementedError("task 99.1a")


@pytest.fixture
def check(toy):
    return checks.start("ch99_toy")


def test_a_right_answer_prints_one_verdict_line_and_details(check, capsys):
    assert check("99.1a", right) is None
    first, *details = capsys.readouterr().out.splitlines()
    assert first == "passed  99.1a"
    assert all(line.startswith("  ") for line in details)


def test_a_wrong_answer_says_what_was_seen_expected_and_where_to_look(check, capsys):
    check("99.1a", lambda x: x.mean() ** 2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "not yet  99.1a"
    assert lines[1].startswith("  seen: ")
    assert lines[2] == "  expected: the mean of the squares, not the square of the mean"
    assert lines[3] == '  look at: section 99.1 of the book and check.hint("99.1a")'


def test_a_stub_is_not_done(check, capsys):
    check("99.1a", stub)
    assert capsys.readouterr().out.startswith("not done  99.1a\n")


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        (3.0, "an object of type float"),
        (None, "an object of type NoneType"),
        (lambda a, b: 1, "moment(a, b)"),
        (lambda x: None, "is there a return"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda x: x, "an array of shape"),
        (lambda x: "text", "'text'"),
    ],
)
def test_whatever_a_student_gives_there_is_a_verdict_and_no_traceback(check, capsys, answer, phrase):
    check("99.1a", answer)
    out = capsys.readouterr().out
    assert out.startswith("not yet  99.1a\n")
    assert phrase in out
    assert "Traceback" not in out


def test_a_check_that_stumbles_over_an_answer_says_so(check, capsys):
    """The check of Scaler asks for attributes that this class lacks."""

    class Scaler:
        def __init__(self, x):
            pass

    check("99.1b", Scaler)
    assert "no attribute 'scale'" in capsys.readouterr().out


def test_a_result_spares_the_first_call(check, capsys):
    calls = []

    def slow(x):
        calls.append(len(x))
        return (x**2).mean()

    check("99.1a", slow, result=1.0)
    assert len(calls) == 1  # the check calls twice
    assert capsys.readouterr().out.startswith("not yet")


def test_unknown_tasks_and_missing_answers_are_refused(check):
    with pytest.raises(ValueError, match=r"no task '1\.1'; its tasks are 99\.1a, 99\.1b"):
        check("1.1", right)
    with pytest.raises(TypeError, match="second argument"):
        check("99.1a")
    with pytest.raises(TypeError, match="must be a string"):
        check(99.1, right)


def test_catch_up_gives_ones_own_only_after_it_has_passed(check, capsys):
    own = check.catch_up("99.1a", right)
    assert own is not right
    assert "the reference takes its place" in capsys.readouterr().out
    np.testing.assert_allclose(own(np.arange(4.0)), 3.5)
    check("99.1a", right)
    assert check.catch_up("99.1a", right) is right
    assert check.catch_up("99.1a") is not right


def test_references_build_on_earlier_references(check):
    scaler = check.catch_up("99.1b")(np.array([3.0, 4.0]))
    np.testing.assert_allclose(scaler.scale, np.sqrt(12.5))


def test_the_exam_edition_has_no_references(check, monkeypatch):
    tasks = [{key: value for key, value in task.items() if key != "code"} for task in references.payload("")["tasks"]]
    monkeypatch.setattr(references, "payload", lambda stem: {**_payload, "tasks": tasks})
    with pytest.raises(NotImplementedError, match="exam edition"):
        check.catch_up("99.1a")
    assert check.catch_up("99.1a", right) is right
    check("99.1a", right)


_payload = {"setup": [], "parameters": "POWER = 2"}


def test_hints_come_in_turn_and_the_last_stays(check, capsys):
    for _ in range(3):
        check.hint("99.1a")
    assert capsys.readouterr().out.splitlines() == [
        "hint 1 of 2 for 99.1a",
        "  Square first.",
        "hint 2 of 2 for 99.1a",
        "  Then take the mean.",
        "hint 2 of 2 for 99.1a",
        "  Then take the mean.",
    ]
    check.hint("99.1b")
    assert "no hints" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "keywords", "word"),
    [
        (56, {"expected": 56, "wrong": 6146}, "holds"),
        (57, {"expected": 56, "wrong": 6146}, "fails"),
        (0.69, {"expected": 0.7, "tolerance": 0.02, "wrong": 0.5}, "holds"),
        (float("nan"), {"expected": 0.7, "tolerance": 0.02, "wrong": 0.5}, "fails"),
        (56, {"expected": 56, "wrong": 56}, "fails"),
        (70.0, {"at_most": 86, "wrong": 500}, "holds"),
        (90.0, {"at_most": 86, "wrong": 500}, "fails"),
        (float("nan"), {"at_most": 86, "wrong": 500}, "fails"),
        (0.98, {"at_least": 0.97, "at_most": 0.99, "wrong": 0.5}, "holds"),
        (np.eye(2), {"expected": np.eye(2), "wrong": np.ones((2, 2))}, "holds"),
        (np.eye(3), {"expected": np.eye(2), "wrong": np.ones((2, 2))}, "fails"),
        ("alcohol", {"expected": "alcohol", "wrong": "pH"}, "holds"),
        (True, {"expected": True, "wrong": False}, "holds"),
        (1, {"expected": True, "wrong": False}, "fails"),
    ],
)
def test_a_claim_holds_or_fails_and_must_be_able_to_fail(check, capsys, value, keywords, word):
    check.claim("X99.1", value, **keywords)
    assert capsys.readouterr().out.splitlines()[0] == f"{word}  X99.1"


def test_a_claim_needs_something_to_compare_with(check):
    with pytest.raises(TypeError, match="expected value, or at_least"):
        check.claim("X99.1", 3, wrong=4)
    with pytest.raises(ValueError, match="tolerance must be"):
        check.claim("X99.1", 3, 3, wrong=4, tolerance=float("nan"))


def test_grading_raises_on_failure_and_returns_the_points(check, monkeypatch, capsys):
    monkeypatch.setenv("DLPHYS_GRADE", "1")
    assert check("99.1a", right) == 2
    with pytest.raises(checks.CheckFailed, match=r"not yet  99\.1a"):
        check("99.1a", lambda x: x.mean() ** 2)
    with pytest.raises(checks.CheckFailed, match=r"fails  X99\.1"):
        check.claim("X99.1", 57, 56, wrong=6146)


def test_grading_ignores_a_result_that_was_handed_in(check, monkeypatch):
    monkeypatch.setenv("DLPHYS_GRADE", "1")
    assert check("99.1a", right, result=-5.0) == 2


def test_inputs_cannot_be_foreseen_while_grading(monkeypatch):
    foreseen = engine.drawn("99.1a").random()
    assert engine.drawn("99.1a").random() == foreseen
    monkeypatch.setenv("DLPHYS_GRADE", "1")
    assert engine.drawn("99.1a").random() != engine.drawn("99.1a").random()


def test_students_have_seeds_of_their_own(check, monkeypatch):
    course = check.seed
    monkeypatch.setenv("DLPHYS_STUDENT", "ada")
    ada = checks.start("ch99_toy").seed
    monkeypatch.setenv("DLPHYS_STUDENT", "emmy")
    assert len({course, ada, checks.start("ch99_toy").seed}) == 3
    assert 0 <= ada < 2**31


def test_a_prediction_is_confronted_with_the_result(check, capsys):
    check.predict("99.1-mean", None, question="How large is the mean square?")
    check.confront("99.1-mean", 1.02)
    check.predict("99.1-mean", 0.9, question="How large is the mean square?")
    check.confront("99.1-mean", 1.02, unit="km")
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "How large is the mean square?"
    assert out[2] == "the result is 1.02; you made no prediction"
    assert out[-1] == "you predicted 0.9 km, the result is 1.02 km: off by +0.12"
    with pytest.raises(TypeError, match="guess must be a number"):
        check.predict("99.1-mean", "a lot", question="?")


def test_a_quiz_shows_its_options_and_explains_the_right_answer(check, capsys):
    check.quiz("99.1-q1")
    assert "  2  the mean square, fourfold" in capsys.readouterr().out
    check.quiz("99.1-q1", 1)
    assert "think again  99.1-q1" in capsys.readouterr().out
    check.quiz("99.1-q1", 2)
    assert "squares grow fourfold" in capsys.readouterr().out
    with pytest.raises(ValueError, match="between 1 and 2"):
        check.quiz("99.1-q1", 3)


def test_the_summary_counts_points(check, capsys):
    check("99.1a", right)
    check("99.1b", stub)
    capsys.readouterr()
    check.summary()
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 5 points"


def test_a_notebook_of_another_version_warns(toy):
    with pytest.warns(UserWarning, match=r"built for dlphys 0\.0\.1"):
        checks.start("ch99_toy", built_for="0.0.1")


def test_a_trained_network_is_trained_once_and_then_read(check, tmp_path, monkeypatch, capsys):
    import keras

    monkeypatch.setenv("DLPHYS_CACHE_DIR", str(tmp_path))
    runs = []

    @engine.trained("99.1")
    def train():
        runs.append(1)
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

    first = check.trained("99.1")
    second = check.trained("99.1")
    assert len(runs) == 1
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    (path,) = (tmp_path / "models").glob("*.keras")
    path.write_bytes(b"broken")
    check.trained("99.1")
    assert len(runs) == 2
    assert "cannot be read" in capsys.readouterr().out
    assert len(list((tmp_path / "models").iterdir())) == 1


def test_where_nothing_can_be_written_networks_are_trained_each_time(check, tmp_path, monkeypatch):
    import keras

    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLPHYS_CACHE_DIR", str(tmp_path / "file"))
    engine.trained("99.1")(lambda: keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    assert check.trained("99.1").count_params() == 3


def test_a_file_beside_the_notebook_stands_for_the_variable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DLPHYS_STUDENT", raising=False)
    assert engine.student_key() == "dlphys"
    (tmp_path / "student.txt").write_text("ada\nsecond line\n", encoding="utf-8")
    assert engine.student_key() == "ada"
    monkeypatch.setenv("DLPHYS_STUDENT", "emmy")
    assert engine.student_key() == "emmy"
    monkeypatch.delenv("DLPHYS_STUDENT")
    for nothing in (b"\n", b"\xff\xfe"):
        (tmp_path / "student.txt").write_bytes(nothing)
        assert engine.student_key() == "dlphys"


def test_own_data_are_the_same_each_time_and_differ_between_students(monkeypatch):
    check = checks.start("ch01_examples")
    monkeypatch.setenv("DLPHYS_STUDENT", "ada")
    (times, positions), again = check.own_data("M1.2b"), check.own_data("M1.2b")
    np.testing.assert_array_equal(times, again[0])
    assert engine.own_data("M1.2b")[1] == engine.own_data("M1.2b")[1]
    monkeypatch.setenv("DLPHYS_STUDENT", "emmy")
    assert np.abs(check.own_data("M1.2b")[0] - times).max() > 0.01
    np.testing.assert_array_equal(check.own_data("M1.2b")[1], positions)
