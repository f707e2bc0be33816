"""What a notebook sees of the checks: one object, called `check`."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import dlphys
from dlphys._validation import check_count, shown
from dlphys.checks import engine, proxy, references
from dlphys.checks.engine import Verdict

__all__ = ["Check", "CheckFailed", "start"]


class CheckFailed(Exception):
    """A check or claim failed while grading (``DLPHYS_GRADE=1``)."""

    def _render_traceback_(self) -> list[str]:
        """Jupyter shows these lines in place of a traceback."""
        return str(self).splitlines()


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


def start(chapter: str, *, built_for: str | None = None) -> Check:
    """The checks of a chapter.

    Parameters
    ----------
    chapter : str
        Name of the notebook without its ending, such as "ch08_convolutional".
    built_for : str, optional
        Version of dlphys for which the notebook was built; warns if another one is installed.
    """
    if not isinstance(chapter, str):
        raise TypeError(f"chapter must be a string such as 'ch08_convolutional', got {shown(chapter)}")
    if chapter not in references.stems():
        raise ValueError(f"chapter must be one of {', '.join(references.stems()) or '(none built)'}, got {chapter!r}")
    if built_for is not None and built_for != dlphys.__version__:
        warnings.warn(
            f"this notebook was built for dlphys {built_for}, but {dlphys.__version__} is installed: "
            "checks and text may disagree; update the notebooks or the package",
            stacklevel=2,
        )
    if any("import keras" in code for code in references.payload(chapter)["setup"]):
        importlib.import_module("dlphys._keras")
    engine.load_module(chapter)
    return Check(chapter)


class Check:
    """Verdicts, hints, references, claims and quizzes of one chapter; made by `checks.start`."""

    def __init__(self, chapter: str) -> None:
        self.chapter = chapter
        self.seed = engine.personal_seed(chapter)
        self._passed: dict[str, int] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._hints: dict[str, int] = {}
        self._guesses: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<checks of {self.chapter}: {len(references.known(self.chapter))} tasks, seed {self.seed}>"

    def __call__(self, id: str, object: Any = MISSING, *, result: Any = None) -> int | None:
        """Judge a task and print the verdict.

        Parameters
        ----------
        id : str
            The task, such as "8.1a".
        object : callable
            Your function or class (itself, not what it returns).
        result : any, optional
            What your function has returned already, where calling it again would take long: the first call
            inside the check is answered with it. Grading calls the function.

        Returns
        -------
        int or None
            The points while grading, else None.

        Raises
        ------
        CheckFailed
            Only while grading.
        """
        self._own(id)
        if object is MISSING:
            raise TypeError(f'check("{id}", ...) needs your function or class as its second argument')
        student = proxy.local(object, None if engine.grading() else result)
        verdict = engine.judge(id, student)
        self._verdicts[id] = verdict
        if verdict.passed:
            self._passed[id] = _identity(object)
        print(verdict, flush=True)
        if not engine.grading():
            return None
        if not verdict.passed:
            raise CheckFailed(str(verdict))
        return int(references.entry(id)["points"])

    def _own(self, id: str) -> None:
        mine = [task["id"] for task in references.known(self.chapter)]
        if not isinstance(id, str):
            raise TypeError(f"the task must be a string such as '8.1a', got {shown(id)}")
        if id not in mine:
            raise ValueError(f"{self.chapter} has no task {id!r}; its tasks are {', '.join(mine)}")

    def catch_up(self, id: str, mine: Any = MISSING) -> Any:
        """Your own function or class if it has passed its check, else the reference.

        So a task can be done although an earlier one is still open. Without ``mine``: always the reference.
        """
        if mine is not MISSING and self._passed.get(id) == _identity(mine):
            return mine
        try:
            found = engine.reference(id)
        except NotImplementedError:
            if mine is MISSING:
                raise
            return mine
        if mine is not MISSING:
            print(f"{id}: your own has not passed its check, so the reference takes its place here")
        return found

    def own_data(self, id: str) -> tuple[Any, ...]:
        """Data that nobody else has, in which a task asks for a number: the arguments of the task's function."""
        self._own(id)
        arguments, _ = engine.own_data(id)
        return arguments

    def needs(self, *tasks: Any) -> None:
        """Stop a cell that uses tasks which are not done; the notebooks of an exam, which lends nothing, ask this.

        Parameters
        ----------
        *tasks : callable or str
            Your functions and classes; or the id of a reference, such as "7.1", which an exam does not have.

        Raises
        ------
        NotImplementedError
            If one of them is not done.
        """
        for task in tasks:
            if isinstance(task, str):
                if references.payload(self.chapter).get("edition") == "exam":
                    raise NotImplementedError(f"this cell needs the reference {task}, and an exam has none")
            elif _open(task):
                raise NotImplementedError(f"this cell needs {task.__name__}, which is not done")

    def trained(self, id: str) -> Any:
        """A trained reference model, such as "7.1": trained once, then read from the cache."""
        train = engine.find(engine.TRAINED, id, "trained model")
        import keras

        path = _model_file(id, train)
        if path is not None and path.exists():
            try:
                return keras.models.load_model(path)
            except Exception as error:
                print(f"the cached network {id} cannot be read ({type(error).__name__}): it is trained again")
        print(f"training the reference network {id}, once; it is kept for later")
        model = train()
        if path is not None:
            _save(model, path)
        return model

    def claim(
        self,
        id: str,
        value: Any,
        expected: Any = MISSING,
        *,
        wrong: Any,
        tolerance: float = 0.0,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """State a result of the course and verify it: ``value`` is ``expected`` within ``tolerance``, or keeps a limit.

        ``wrong`` is a value that must fail, such as the result of a common error: a claim that cannot fail is none.
        """
        holds, text = _compare(value, expected, tolerance, at_least, at_most)
        can_fail = not _compare(wrong, expected, tolerance, at_least, at_most)[0]
        word = "holds" if holds and can_fail else "fails"
        print(f"{word}  {id}")
        print(f"  {text}" if can_fail else f"  the claim cannot fail: {shown(wrong)} would pass as well")
        if word == "fails" and engine.grading():
            raise CheckFailed(f"fails  {id}\n  {text}")

    def predict(self, id: str, guess: float | None = None, *, question: str) -> None:
        """Record what you expect before you run it; `confront` compares. Without a guess the question is shown."""
        if guess is None:
            print(f"{question}\n  Put your guess in place of None and run this cell before you go on.")
            return
        if isinstance(guess, bool) or not isinstance(guess, int | float | np.number):
            raise TypeError(f"guess must be a number, got {shown(guess)}")
        self._guesses[id] = float(guess)
        print(f"recorded: {guess:g}")

    def confront(self, id: str, result: float, *, unit: str = "") -> None:
        """Compare a result with the guess recorded by `predict`."""
        shown_unit = f" {unit}" if unit else ""
        if id not in self._guesses:
            print(f"the result is {result:.4g}{shown_unit}; you made no prediction")
            return
        guess = self._guesses[id]
        answer = f"you predicted {guess:.4g}{shown_unit}, the result is {result:.4g}{shown_unit}"
        print(f"{answer}: off by {result - guess:+.2g}")

    def hint(self, id: str) -> None:
        """Print the next hint for a task; there are up to three."""
        self._own(id)
        hints = engine.find(engine.TASKS, id, "task").hints
        if not hints:
            print(f"{id} has no hints")
            return
        number = min(self._hints.get(id, 0), len(hints) - 1)
        self._hints[id] = number + 1
        print(f"hint {number + 1} of {len(hints)} for {id}\n  {hints[number]}")

    def quiz(self, id: str, answer: int | None = None) -> None:
        """Show a question, or answer it with the number of an option."""
        question = engine.find(engine.QUIZZES, id, "quiz")
        if answer is None:
            print(f"{id}  {question.question}")
            for number, option in enumerate(question.options, 1):
                print(f"  {number}  {option}")
            print(f'  Answer with check.quiz("{id}", number).')
            _show_buttons(question)
            return
        check_count(answer=answer, maximum=len(question.options))
        if answer == question.answer:
            print(f"right  {id}\n  {question.explanation}")
        else:
            print(f"think again  {id}\n  {question.options[answer - 1]}: no")

    def summary(self) -> None:
        """What is done and what is open, with the points."""
        tasks = references.known(self.chapter)
        total = sum(task["points"] for task in tasks)
        done = sum(task["points"] for task in tasks if task["id"] in self._passed)
        for task in tasks:
            status = self._verdicts[task["id"]].status if task["id"] in self._verdicts else "not checked"
            print(f"{task['id']:<7} {task['name']:<32} {status:<12} {task['points']} points")
        print(f"{done} of {total} points")


def _identity(value: Any) -> int:
    return id(value)


def _open(task: Any) -> bool:
    """Whether a function, or a method of a class, is still the one that raises ``NotImplementedError("task ...")``."""
    parts = list(vars(task).values()) if inspect.isclass(task) else [inspect.unwrap(task) if callable(task) else task]
    codes = [part.__code__ for part in parts if hasattr(part, "__code__")]
    return any(
        "NotImplementedError" in code.co_names and any(str(text).startswith("task ") for text in code.co_consts)
        for code in codes
    )


def _compare(
    value: Any, expected: Any, tolerance: float, at_least: float | None, at_most: float | None
) -> tuple[bool, str]:
    """Whether a claim holds, and one line that says so."""
    if (expected is MISSING) == (at_least is None and at_most is None):
        raise TypeError("a claim needs either an expected value, or at_least= or at_most=")
    if not np.isfinite(tolerance) or tolerance < 0:
        raise ValueError(f"tolerance must be a finite number of at least 0, got {tolerance!r}")
    if expected is MISSING:
        number = float(value)
        low = -np.inf if at_least is None else at_least
        high = np.inf if at_most is None else at_most
        limits = [f"at least {low:g}"] * (at_least is not None) + [f"at most {high:g}"] * (at_most is not None)
        return bool(low <= number <= high), f"{number:.6g}, claimed: {' and '.join(limits)}"
    if isinstance(expected, str | bool) or expected is None:
        return type(value) is type(expected) and value == expected, f"{value!r}, claimed: {expected!r}"
    got, claimed = np.asarray(value, float), np.asarray(expected, float)
    if got.shape != claimed.shape:
        return False, f"shape {got.shape}, claimed: shape {claimed.shape}"
    within = bool(np.all(np.abs(got - claimed) <= tolerance))
    margin = f" +- {tolerance:g}" if tolerance else ""
    if got.size == 1:
        return within, f"{got.item():.10g}, claimed: {claimed.item():.10g}{margin}"
    return (
        within,
        f"largest difference {np.max(np.abs(got - claimed)):.3g} of {got.size} values, claimed: at most {tolerance:g}",
    )


# --- the cache of trained networks ------------------------------------------------------------------------


def cache_directory() -> Path | None:
    """Where trained networks are kept; None where nothing can be written."""
    import pooch

    folder = Path(os.environ.get("DLPHYS_CACHE_DIR") or pooch.os_cache("dlphys")) / "models"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _model_file(id: str, train: Any) -> Path | None:
    folder = cache_directory()
    if folder is None:
        return None
    import keras

    module = sys.modules[train.__module__]
    stem = train.__module__.rpartition(".")[2]
    versions = [dlphys.__version__, keras.__version__, str(engine.fast()), engine.student_key()]
    code = [inspect.getsource(module), str(references.payload(stem))]
    digest = hashlib.sha256("|".join([*versions, *code]).encode()).hexdigest()
    return folder / f"{id}-{digest[:16]}.keras"


def _save(model: Any, path: Path) -> None:
    """Write beside, then rename: another notebook never reads half a file."""
    try:
        folder = Path(tempfile.mkdtemp(dir=path.parent))
        model.save(folder / path.name)
        os.replace(folder / path.name, path)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        print(f"the network could not be kept ({error}); it will be trained again next time")


# --- widgets ------------------------------------------------------------------------------------------------


def _show_buttons(question: engine.Quiz) -> None:
    """Buttons below the question, in a notebook that a person looks at."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if not hasattr(shell, "kernel") or os.environ.get("DLPHYS_RUN"):
        return
    import ipywidgets
    from IPython.display import display

    answer = ipywidgets.HTML()
    buttons = [ipywidgets.Button(description=str(number)) for number in range(1, len(question.options) + 1)]
    for button in buttons:
        button.layout.width = "4em"
        button.on_click(lambda pressed: setattr(answer, "value", _said(question, int(pressed.description))))
    display(ipywidgets.VBox([ipywidgets.HBox(buttons), answer]))


def _said(question: engine.Quiz, number: int) -> str:
    from html import escape

    if number == question.answer:
        return f"<b>right.</b> {escape(question.explanation)}"
    return f"<b>think again:</b> {escape(question.options[number - 1])}: no"
