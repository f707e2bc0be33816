"""The frozen result of every loader: it cannot be inconsistent, and it explains itself."""

import dataclasses
import pickle

import numpy as np
import pytest

from dlphys.datasets import About, Dataset

ABOUT = About(
    title="A <test>",
    source="simulated",
    units={"time": "s", "charge": "C"},
    made="counted",
    licence="CC0",
    citation="nobody",
    flaws=("too small", "x & y"),
    target_units={"energy": "eV"},
)


def parts(**changes):
    arrays = {}
    for part, n in (("train", 6), ("validation", 2), ("test", 3)):
        arrays[f"x_{part}"] = np.zeros((n, 4, 2), np.float32)
        arrays[f"y_{part}"] = np.arange(n, dtype=float)
    return {"name": "test", "about": ABOUT, **arrays, **changes}


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Dataset(**parts()).x_train = np.zeros(3)


def test_inputs_may_be_a_dict_of_arrays():
    """Networks with several inputs (DESIGN section 4)."""
    inputs = {
        f"x_{part}": {"image": np.zeros((n, 4)), "angle": np.zeros(n)}
        for part, n in (("train", 6), ("validation", 2), ("test", 3))
    }
    data = Dataset(**parts(**inputs))
    assert data.x_test["angle"].shape == (3,)
    assert "x_train['image']" in repr(data)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y_train": np.zeros(5)}, ValueError, "y_train must have 6 events like x_train, got 5"),
        ({"extra_test": {"t": np.zeros(2)}}, ValueError, "extra_test must have 3 events like x_test, got 2"),
        ({"extra_train": {"t": np.zeros(6)}}, ValueError, "extra_validation must have the event shape"),
        ({"x_test": np.zeros((3, 4, 1), np.float32)}, ValueError, "x_test must have the event shape, type and keys"),
        ({"y_validation": np.zeros(2, int)}, ValueError, "y_validation must have the event shape, type and keys"),
        ({"x_train": [1, 2]}, TypeError, "x_train must be an array or a dict of arrays"),
        ({"x_train": np.array(1.0)}, ValueError, "x_train must have events on its first axis"),
        (
            {"x_train": {"a": np.zeros(6), "b": np.zeros(5)}},
            ValueError,
            "x_train must hold arrays with the same number of events",
        ),
        ({"about": "words"}, TypeError, "about must be an About, got 'words'"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        Dataset(**parts(**change))


def test_the_repr_fits_a_screen_and_says_shape_unit_size_and_source():
    lines = repr(Dataset(**parts())).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    for fact in ("(6, 4, 2)", "float32", "192 B", "time [s], charge [C]", "energy [eV]", "simulated", "too small"):
        assert fact in text


def test_the_html_is_escaped_and_brings_no_colours():
    """A dark theme stays readable if nothing sets a colour."""
    html = Dataset(**parts())._repr_html_()
    assert "A &lt;test&gt;" in html
    assert "x &amp; y" in html
    assert "<test>" not in html
    assert "color" not in html
    assert "background" not in html
    assert html.count("<tr>") == html.count("</tr>")


def test_it_can_be_pickled():
    """Joblib and multiprocessing pass it around."""
    data = pickle.loads(pickle.dumps(Dataset(**parts())))
    assert data.about == ABOUT
