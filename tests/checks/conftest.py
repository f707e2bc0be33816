"""A toy chapter with two tasks, so that the engine is tested apart from the course."""

import numpy as np
import pytest

from dlphys.checks import bars, engine, references

PAYLOAD = {
    "stem": "ch99_toy",
    "version": "0.1.0",
    "setup": ["import numpy as np\nfrom dlphys import checks\ncheck = checks.start('ch99_toy')\nOFFSET = check.seed"],
    "parameters": "POWER = 2",
    "tasks": [
        {
            "id": "99.1a",
            "name": "moment",
            "kind": "function",
            "points": 2,
            "code": "def moment(x):\n    return (x**POWER).mean()",
            "stub": "def moment(x):\n    raise NotImplementedError('task 99.1a')",
        },
        {
            "id": "99.1b",
            "name": "Scaler",
            "kind": "class",
            "points": 3,
            "code": (
                "class Scaler:\n"
                "    def __init__(self, x):\n        self.scale = moment(x) ** 0.5\n"
                "    def apply(self, x):\n        return x / self.scale"
            ),
            "stub": (
                "class Scaler:\n"
                "    def __init__(self, x):\n        self.scale = moment(x) ** 0.5\n"
                "    def apply(self, x):\n        raise NotImplementedError('task 99.1b')"
            ),
        },
    ],
}


@pytest.fixture
def toy_cells():
    """The solved cells of the toy chapter, in order."""
    return [*PAYLOAD["setup"][:1], PAYLOAD["parameters"], *(task["code"] for task in PAYLOAD["tasks"])]


@pytest.fixture
def toy(monkeypatch):
    """The toy chapter, registered and taken away again."""
    from dlphys.checks import expect

    for registry in ("TASKS", "QUIZZES", "TRAINED", "BARS"):
        monkeypatch.setattr(engine, registry, {})
    monkeypatch.setattr(references, "stems", lambda: ("ch99_toy",))
    monkeypatch.setattr(references, "payload", lambda stem: PAYLOAD)
    monkeypatch.setattr(references, "_SPACES", {})
    monkeypatch.setattr(engine, "load_module", lambda stem: None)
    references._index.cache_clear()
    bars._all.cache_clear()

    @engine.task("99.1a", section="99.1")
    def moment(student, random):
        x = random.normal(size=50)
        answer = student(x)
        expect.number(answer)
        expect.differs(answer, x.mean() ** 2, because="the mean of the squares, not the square of the mean")
        expect.close(student(2 * x), 4 * answer, because="twice the values give four times the moment", rung="physics")
        expect.close(answer, (x**2).mean(), because="the mean of the squares")
        return f"{answer:.3f}"

    moment.hints = ("Square first.", "Then take the mean.")

    @engine.task("99.1b")
    def Scaler(student, random):
        x = random.normal(size=50)
        scaler = student(x)
        expect.close(scaler.scale, np.sqrt((x**2).mean()), because="the root of the second moment")
        expect.close(scaler.apply(x), x / np.sqrt((x**2).mean()), because="values divided by the scale")

    engine.quiz(
        "99.1-q1",
        question="What grows when values are doubled?",
        options=("the mean square, twofold", "the mean square, fourfold"),
        answer=2,
        explanation="squares grow fourfold",
    )
    yield engine
    references._index.cache_clear()
