"""The checks of the course, tested: the reference passes, the stub is not done, every known mistake fails by name."""

import numpy as np
import pytest

from dlphys.checks import bars, engine, references, remote
from dlphys.checks.proxy import local
from dlphys.course.diagnosis import known_mistake
from dlphys.course.grade import TaskGrade

for stem in references.stems():
    engine.load_module(stem)

TASKS = [task["id"] for stem in references.stems() for task in references.known(stem)]
SHALLOW = ("done", "signature", "shape")


@pytest.fixture(autouse=True)
def seeded():
    """Networks of the checks start from the same weights in every run of the tests."""
    import keras

    keras.utils.set_random_seed(1)


def test_every_task_of_a_notebook_has_a_check_and_every_check_a_task():
    assert sorted(TASKS) == sorted(engine.TASKS)


@pytest.mark.parametrize("student", ["ada", "emmy"])
@pytest.mark.parametrize("id", TASKS)
def test_the_reference_passes_for_every_student(id, student, monkeypatch):
    """With the course's own data it is judged in another process (below)."""
    monkeypatch.setenv("DLPHYS_STUDENT", student)
    verdict = engine.judge(id, local(engine.reference(id)))
    assert verdict.passed, str(verdict)


@pytest.mark.parametrize("id", [id for id in TASKS if not any(id == which for which, _ in engine.BARS)])
def test_a_check_without_a_bar_does_not_depend_on_luck(id):
    """Twenty draws of inputs and of initial weights; where a network is trained, the bar says how often it may fail."""
    import keras

    for seed in range(20):
        keras.utils.set_random_seed(seed)
        verdict = engine.judge(id, local(engine.reference(id)), np.random.default_rng(seed))
        assert verdict.passed, f"seed {seed}: {verdict}"


@pytest.mark.parametrize("id", TASKS)
def test_the_stub_is_not_done(id):
    assert engine.judge(id, local(references.stub(id))).status == "not done"


@pytest.mark.parametrize("id", TASKS)
def test_the_mistakes_of_a_task_are_typical_and_fail_each_with_its_own_message(id):
    """At least three, at least two of them beyond shape and type, no two with the same message."""
    import keras

    mistakes = engine.TASKS[id].mistakes
    assert len(mistakes) >= 3
    assert len({phrase for _, phrase in mistakes.values()}) == len(mistakes)
    verdicts = []
    for name, (wrong, phrase) in mistakes.items():
        keras.utils.set_random_seed(1)
        verdict = engine.judge(id, local(wrong))
        assert verdict.status == "not yet", name
        assert phrase in str(verdict), f"{name}: {verdict}"
        if verdict.rung == "known mistake":  # what the report on a class calls it
            task = TaskGrade(id, 0, 1, verdict.status, verdict.rung, verdict.details)
            assert known_mistake(task) == name
        verdicts.append(verdict)
    assert sum(verdict.rung not in SHALLOW for verdict in verdicts) >= 2
    assert len({verdict.details for verdict in verdicts}) == len(verdicts)


@pytest.mark.parametrize("id", TASKS)
def test_a_task_has_hints(id):
    assert 1 <= len(engine.TASKS[id].hints) <= 3


@pytest.mark.parametrize("stem", references.stems())
def test_the_same_verdicts_come_from_another_process(stem):
    """Every reference of a chapter, loaded and called in the grader's worker, with the course's own data."""
    content = references.payload(stem)
    setup = [references._without_start(code) for code in content["setup"]]
    cells = [*setup, content["parameters"], *(task["code"] for task in content["tasks"])]
    with remote.worker(timeout=300) as student:
        assert student.load(cells) == []
        for task in content["tasks"]:
            verdict = engine.judge(task["id"], student.get(task["name"]))
            assert verdict.passed, str(verdict)


@pytest.mark.parametrize(("id", "source"), sorted(engine.BARS), ids=str)
def test_a_bar_was_measured_with_the_present_code(id, source):
    stored = bars.stored(id, source)
    assert stored.runs >= 10
    assert stored.fingerprint == bars.fingerprint(id, source), f"measure again: {stored.command}"


def test_a_quiz_names_its_chapter_and_has_one_answer():
    assert engine.QUIZZES
    for quiz in engine.QUIZZES.values():
        assert 1 <= quiz.answer <= len(quiz.options)
        assert len(set(quiz.options)) == len(quiz.options)
