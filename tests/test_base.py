"""The small modules that everything stands on: validation, random numbers, compilation."""

import os
import subprocess
import sys

import numpy as np
import pytest

from dlphys import _random, _validation


@pytest.mark.parametrize(
    ("check", "keywords", "error", "message"),
    [
        (_validation.check_count, {"n": 2.0}, TypeError, r"n must be a whole number, got 2\.0 \(float\)"),
        (_validation.check_count, {"n": True}, TypeError, "n must be a whole number, got True"),
        (_validation.check_count, {"n": 0}, ValueError, "n must be at least 1, got 0"),
        (_validation.check_count, {"n": 9, "maximum": 8}, ValueError, "n must be between 1 and 8, got 9"),
        (_validation.check_number, {"t": "warm"}, TypeError, "t must be a number, got 'warm'"),
        (_validation.check_number, {"t": np.nan}, ValueError, "t must be a finite number"),
        (_validation.check_number, {"t": 3, "maximum": 2, "unit": "s"}, ValueError, r"in \[-inf, 2\] s, got 3"),
        (
            _validation.check_positive,
            {"v": 0.0, "unit": "km/s"},
            ValueError,
            r"v must be .* in \(0, inf\) km/s, got 0\.0",
        ),
        (_validation.check_array, {"x": "text"}, TypeError, "x must be an array of numbers, got 'text'"),
        (_validation.check_array, {"x": [[1], [1, 2]]}, TypeError, "x must be an array of numbers"),
        (_validation.check_array, {"x": []}, ValueError, "x must not be empty"),
        (_validation.check_array, {"x": [1.0, np.nan]}, ValueError, "x must be finite, got 1 entries"),
        (_validation.check_array, {"x": [1, 5], "maximum": 4, "unit": "km"}, ValueError, r"in \[-inf, 4\] km, got 5"),
        (_validation.check_array, {"x": [1, 2], "ndim": 2}, ValueError, r"x must have 2 axes, got shape \(2,\)"),
        (_validation.check_array, {"x": [1, 2], "shape": (3,)}, ValueError, r"x must have shape \(3,\), got \(2,\)"),
        (_validation.check_choice, {"x": "c", "choices": ("a", "b")}, ValueError, "x must be one of 'a', 'b', got 'c'"),
        (_validation.check_choice, {"x": ["a"], "choices": ("a",)}, TypeError, "x must be one of"),
        (_random.generator, {"seed": 1.5}, TypeError, "seed must be a whole number"),
        (_random.generator, {"seed": -1}, ValueError, "seed must be at least 0, got -1"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value_and_the_allowed_range(check, keywords, error, message):
    with pytest.raises(error, match=message):
        check(**keywords)


def test_right_arguments_come_back_checked():
    assert _validation.check_count(n=np.int64(3)) == 3
    assert _validation.check_number(t=2) == 2.0
    np.testing.assert_array_equal(_validation.check_array(x=[1, 2]), np.array([1.0, 2.0]))
    assert np.isnan(_validation.check_array(x=[np.nan], allow_nan=True)).all()
    assert _validation.check_choice(x="a", choices=("a", "b")) == "a"


def test_a_long_value_is_shown_shortly():
    assert len(_validation.shown(list(range(1000)))) <= 60
    assert _validation.shown(np.zeros((2, 3))) == "an array of shape (2, 3) and type float64"


def test_a_generator_is_used_as_it_is_and_a_seed_starts_anew():
    random = np.random.default_rng(1)
    assert _random.generator(random) is random
    assert _random.generator(5).random() == _random.generator(5).random()
    assert _random.words(5, 3).dtype == np.uint64


def test_compiled_functions_work_where_no_cache_can_be_written(tmp_path):
    """A copy of a module in a folder that cannot be written, with no other place for Numba's cache."""
    folder = tmp_path / "sealed"
    folder.mkdir()
    (folder / "sealed.py").write_text(
        "from dlphys._numba import compiled\n\n\n@compiled()\ndef twice(x):\n    return 2 * x\n", encoding="utf-8"
    )
    code = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"  # what Numba finds on a read-only system
        "import sealed\nprint(sealed.twice(21))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.stdout.strip() == "42", done.stderr


def test_a_change_in_a_called_function_is_compiled_although_its_caller_is_the_same_file(tmp_path):
    """Numba alone would go on with the old code: it looks at the caller's file only."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    head = "from dlphys._numba import compiled\n\n\n@compiled()\n"
    (tmp_path / "caller.py").write_text(f"from callee import twice\n{head}def run(x):\n    return twice(x) + 1\n")
    code = "import caller\nprint(caller.run(1), sum(caller.run.stats.cache_hits.values()))"
    results = []
    for factor in (2, None, 30):
        if factor is not None:
            (tmp_path / "callee.py").write_text(f"{head}def twice(x):\n    return {factor} * x\n")
        done = subprocess.run([sys.executable, "-B", "-c", code], env=environment, capture_output=True, text=True)
        results.append(done.stdout.split())
    assert results == [["3", "0"], ["3", "1"], ["31", "0"]], done.stderr


def test_tensorflow_starts_without_a_word():
    """A student's first cell shows nothing in red."""
    code = "from dlphys import checks\ncheck = checks.start('ch08_convolutional')\nimport keras\nkeras.ops.ones(3)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""
