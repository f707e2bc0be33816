"""The same checks with the student's code in another process."""

import os
import struct
import time

import numpy as np
import pytest

from dlphys.checks import remote
from dlphys.checks.engine import judge
from dlphys.checks.proxy import Handle, Proxy, StudentError

MOMENT = "def moment(x):\n    return (x**2).mean()\n"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**70,
        0.1,
        float("inf"),
        1 - 2j,
        "Öl",
        (1, [2, {"a": 3.5, 4: None}]),
        np.arange(6, dtype=np.int8).reshape(2, 3),
        np.array(["up", "down"]),
        np.zeros((0, 3), np.float32),
        Handle(3, "callable", "f", ("x", "y")),
    ],
    ids=repr,
)
def test_messages_survive_the_round_trip(value):
    again = remote.decode(remote.encode(value))
    assert type(again) is type(value)
    np.testing.assert_equal(again, value)


def test_nan_survives_the_round_trip():
    assert np.isnan(remote.decode(remote.encode(float("nan"))))


def message(text: bytes, raw: bytes = b"") -> bytes:
    return struct.pack("<QQ", len(text), len(raw)) + text + raw


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b"short",
        message(b"{}"),
        message(b'{"array": ["<f8", [4]]}', b"12345678"),
        message(b'{"array": ["O", [1]]}', b"12345678"),
        message(b'{"array": ["<f8", [-1]]}', b""),
        message(b'{"array": ["V8", [1]]}', b"12345678"),
        message(b'{"handle": [0, "module", "os", null]}'),
        message(b'{"pickle": "gASVAAAA"}'),
        message(b'{"list": ' * 3000 + b"[]" + b"}" * 3000),
        message(b"[1, 2"),
        message(b"1.5"),
        message(b'{"float": "not a number"}'),
        struct.pack("<QQ", 2, 2**62) + b"{}",
        message(b"null", b"left over"),
    ],
)
def test_forged_messages_are_refused(forged):
    with pytest.raises(StudentError, match="no readable message"):
        remote.decode(forged)


def test_the_verdict_is_the_same_in_another_process(toy):
    cells = ["import numpy as np", MOMENT, "raise RuntimeError('a cell that fails')", "moment(np.ones(3))"]
    with remote.worker(cells) as student:
        assert str(judge("99.1a", student.get("moment"), np.random.default_rng(0))).startswith("passed  99.1a")
        assert student.get("missing") is None


def test_stub_and_mistake_are_told_apart_in_another_process(toy):
    cells = [
        "def stub(x):\n    raise NotImplementedError('task')",
        "def wrong(x):\n    return x.mean() ** 2",
        "def late(x):\n    import sys\n    sys.exit(0)",
    ]
    with remote.worker(cells) as student:
        assert judge("99.1a", student.get("stub")).status == "not done"
        verdict = judge("99.1a", student.get("wrong"))
        assert verdict.rung == "known mistake"
        assert "SystemExit" in str(judge("99.1a", student.get("late")))


def test_classes_and_objects_work_across_the_pipe(toy, toy_cells):
    with remote.worker(toy_cells) as student:
        assert judge("99.1b", student.get("Scaler")).passed


def test_prints_and_input_do_not_disturb_the_conversation():
    cells = [
        "import sys, os",
        "print('noise'); sys.stdout.flush(); os.write(1, b'noise'); os.write(2, b'noise')",
        "def f():\n    print('noise' * 1000)\n"
        "    try:\n        return input()\n    except EOFError:\n        return 'empty'",
    ]
    with remote.worker(cells) as student:
        assert student.get("f")() == "empty"


@pytest.mark.parametrize(
    ("body", "phrase"),
    [
        ("import os; os._exit(1)", "ended its process"),
        ("while True: pass", "took longer than 2 s"),
        ("raise ValueError('x' * 10000)", "ValueError"),
    ],
)
def test_a_bad_function_gets_a_sentence(body, phrase):
    with remote.worker([f"def f():\n    {body}"], timeout=2 if "while" in body else 60) as student:
        f = student.get("f")
        with pytest.raises(StudentError, match=phrase):
            f()


def test_nothing_of_the_students_is_unpickled(tmp_path):
    """An object whose pickle would write a file crosses as a handle, and no file appears."""
    witness = tmp_path / "witness"
    cell = (
        "class Trap:\n"
        f"    def __reduce__(self):\n        return (open, ({str(witness)!r}, 'w'))\n"
        "def f():\n    return Trap()\n"
        "def g():\n    import numpy as np\n    return np.array([Trap()])"
    )
    with remote.worker([cell]) as student:
        assert isinstance(student.get("f")(), Proxy)
        with pytest.raises(StudentError, match="array of type object"):
            student.get("g")()
    assert not witness.exists()


def test_inputs_arrive_after_the_students_code_has_loaded():
    """What the code saw while loading cannot contain the argument: it is drawn afterwards."""
    with remote.worker(["seen = []", "def f(x):\n    return float(x), list(seen)"]) as student:
        drawn = float(np.random.default_rng().random())
        assert student.get("f")(drawn) == (drawn, [])


def test_the_worker_leaves_no_process_behind():
    cell = "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\ndef pid():\n    return child.pid"
    with remote.worker([cell]) as student:
        pid = student.get("pid")()
        os.kill(pid, 0)
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().split(")")[1].split()[0] == "Z":
                    break
        except FileNotFoundError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child of the worker still runs")


def test_a_keras_model_crosses_in_both_directions():
    import keras

    sent = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    cell = (
        "import keras\n"
        "def count(model):\n    return model.count_params()\n"
        "def build():\n    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])\n"
    )
    with remote.worker([cell]) as student:
        assert student.get("count")(sent) == 3
        model = student.get("build")()
        assert model.count_params() == 15
        assert model.predict(np.ones((2, 4), np.float32)).shape == (2, 3)
        assert student.get("count")(model) == 15
