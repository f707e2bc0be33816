"""Each expectation passes what is right and fails what is wrong, with a sentence that helps."""

import re

import numpy as np
import pytest

from dlphys.checks import bars, expect
from dlphys.checks.engine import Failure
from dlphys.checks.proxy import local

RIGHT = [
    (expect.number, (3.0,), {}),
    (expect.number, (np.array(3.0),), {}),
    (expect.shape, (np.zeros((2, 3)), (2, None)), {}),
    (expect.dtype, (np.zeros(2, np.float32), "f"), {}),
    (expect.dtype, (np.zeros(2, np.float32), "float32"), {}),
    (expect.finite, (np.zeros(2),), {}),
    (expect.length, ([1, 2], 2), {}),
    (expect.is_tuple, ((1, 2), 2), {}),
    (expect.is_dict, ({"a": 1}, ["a"]), {}),
    (expect.is_array, (np.zeros(1),), {}),
    (expect.differs, (1.0, 2.0), {"because": "b"}),
    (expect.close, (1.0, 1.0 + 1e-9), {"because": "b"}),
    (expect.equal, (np.array([1, 2]), [1, 2]), {"because": "b"}),
    (expect.equal, ("alcohol", "alcohol"), {"because": "b"}),
    (expect.at_most, (1.0, 2.0), {"because": "b"}),
    (expect.at_least, (2.0, 2.0), {"because": "b"}),
    (expect.holds, (True,), {"because": "b"}),
    (expect.changes_little, (np.sum, np.arange(3.0), np.arange(3.0)[::-1]), {"because": "b"}),
]

WRONG = [
    (expect.number, (None,), {}, "shape", "is there a return"),
    (expect.number, (np.zeros(2),), {}, "shape", "shape"),
    (expect.number, (float("nan"),), {}, "shape", "nan"),
    (expect.number, (True,), {}, "shape", "True"),
    (expect.shape, (np.zeros((2, 3)), (3,)), {}, "shape", r"\(2, 3\)"),
    (expect.shape, ([1, 2], (2,)), {}, "shape", "1, 2"),
    (expect.dtype, (np.zeros(2), "i"), {}, "shape", "float64"),
    (expect.finite, (np.array([1.0, np.nan]),), {}, "shape", "1 of 2"),
    (expect.length, ([1], 2), {}, "shape", "1 entries"),
    (expect.length, ("ab", 2), {}, "shape", "ab"),
    (expect.is_tuple, (np.zeros(2), 2), {}, "shape", "array"),
    (expect.is_dict, ({"b": 1}, ["a"]), {}, "shape", "missing 'a' and extra 'b'"),
    (expect.is_array, ([1.0],), {}, "shape", "1.0"),
    (expect.is_model, (3,), {}, "shape", "3"),
    (expect.differs, (2.0, 2.0), {"because": "b"}, "known mistake", "common mistake"),
    (expect.close, (1.0, 2.0), {"because": "b"}, "value", "the answer is 1"),
    (expect.close, (np.array([1.0, 5.0]), np.array([1.0, 2.0])), {"because": "b"}, "value", "1 of 2 .* index 1: 5"),
    (expect.close, (np.zeros(2), np.zeros(3)), {"because": "b"}, "shape", r"\(2,\)"),
    (expect.close, (None, 1.0), {"because": "b"}, "shape", "return"),
    (expect.close, (float("nan"), 1.0), {"because": "b"}, "value", "nan"),
    (expect.equal, (np.array([1, 3]), np.array([1, 2])), {"because": "b"}, "value", "1 of 2"),
    (expect.equal, ("pH", "alcohol"), {"because": "b"}, "value", "pH"),
    (expect.at_most, (np.array([1.0, 3.0]), 2.0), {"because": "b"}, "physics", "3, above 2"),
    (expect.at_most, (float("nan"), 2.0), {"because": "b"}, "physics", "nan"),
    (expect.at_least, (1.0, 2.0), {"because": "b"}, "physics", "1, below 2"),
    (expect.at_least, (float("nan"), 2.0), {"because": "b"}, "physics", "nan"),
    (expect.holds, (False,), {"because": "b", "seen": "no"}, "physics", "no"),
    (
        expect.changes_little,
        (np.cumsum, np.arange(3.0), np.arange(3.0)[::-1]),
        {"because": "b"},
        "physics",
        "changes by",
    ),
]


@pytest.mark.parametrize(("expectation", "arguments", "keywords"), RIGHT)
def test_right_answers_pass(expectation, arguments, keywords):
    expectation(*arguments, **keywords)


@pytest.mark.parametrize(("expectation", "arguments", "keywords", "rung", "seen"), WRONG)
def test_wrong_answers_fail_at_their_rung_and_say_what_was_seen(expectation, arguments, keywords, rung, seen):
    with pytest.raises(Failure) as failure:
        expectation(*arguments, **keywords)
    assert failure.value.rung == rung
    assert failure.value.because
    assert re.search(seen, failure.value.seen), failure.value.seen


def test_the_value_that_would_be_right_is_not_given_away():
    with pytest.raises(Failure) as failure:
        expect.close(1.0, 3.14159, because="half the circumference of the unit circle")
    assert "3.14" not in failure.value.seen + failure.value.because


@pytest.fixture(scope="module")
def model():
    import keras

    def build(activation="sigmoid"):
        return keras.Sequential(
            [
                keras.Input((None, None, 1)),
                keras.layers.Conv2D(2, 3),
                keras.layers.GlobalMaxPooling2D(),
                keras.layers.Dense(1, activation=activation),
            ]
        )

    return local(build)


def test_a_right_model_meets_every_expectation(model):
    network = model()
    expect.is_model(network)
    expect.output_shape(network, given=(4, 8, 8, 1), is_=(4, 1))
    expect.accepts(network, (2, 5, 5, 1), because="any size")
    expect.has_layers(network, "Conv2D", "GlobalMaxPooling2D", because="b")
    expect.activation(network, is_="sigmoid", not_="softmax", because="b")


def test_a_wrong_model_fails_with_the_layer_or_shape_named(model):
    network = model("softmax")
    with pytest.raises(Failure, match="b") as failure:
        expect.activation(network, not_="softmax", because="b")
    assert "softmax at the output" in failure.value.seen
    with pytest.raises(Failure, match="b"):
        expect.activation(network, is_="sigmoid", because="b")
    with pytest.raises(Failure, match="b") as failure:
        expect.has_layers(network, "Flatten", because="b")
    assert "no Flatten among the layers (Conv2D" in failure.value.seen
    with pytest.raises(Failure, match=r"output of shape \(4, 2\)"):
        expect.output_shape(network, given=(4, 8, 8, 1), is_=(4, 2))
    with pytest.raises(Failure, match="three channels") as failure:
        expect.accepts(network, (2, 8, 8, 3), because="three channels")
    assert "refused" in failure.value.seen


@pytest.mark.parametrize("spelling", ["mse", "mean_squared_error", "MeanSquaredError"])
def test_a_loss_is_known_by_all_its_names_and_a_learning_rate_by_its_last_value(spelling):
    import keras

    def compiled(rate):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(rate), keras.losses.MeanSquaredError() if spelling[0] == "M" else spelling)
        return model

    network = local(compiled)(1e-3)
    expect.loss(network, "mae", "mse", because="b")
    expect.learning_rate_fell(network, 2e-3, because="b")
    with pytest.raises(Failure, match="the mean") as failure:
        expect.loss(network, "mae", because="the mean")
    assert failure.value.rung == "known mistake"
    with pytest.raises(Failure, match="zero") as failure:
        expect.learning_rate_fell(network, 9e-4, because="falls to zero")
    assert "the learning rate after the last step is 0.001" in failure.value.seen


def test_a_model_that_was_not_compiled_has_neither_loss_nor_learning_rate(model):
    for ask in (
        lambda: expect.loss(model(), "mse", because="b"),
        lambda: expect.learning_rate_fell(model(), 1, because="b"),
    ):
        with pytest.raises(Failure, match="a compiled model"):
            ask()


@pytest.fixture
def stored_bar(monkeypatch):
    entry = bars.Stored(0.9, 0.95, 0.01, 10, "higher", "", (0.95,) * 10, "0", "dlphys bars")
    monkeypatch.setattr(bars, "stored", lambda _id, _source: entry)


def test_a_bar_is_reached_or_not(stored_bar, monkeypatch):
    expect.reaches("99.1a", 0.9)
    with pytest.raises(Failure, match=r"at least 0\.9, which a correct solution reaches in 99 of 100 runs") as failure:
        expect.reaches("99.1a", 0.89)
    assert failure.value.rung == "bar"
    with pytest.raises(Failure, match="finite"):
        expect.reaches("99.1a", float("nan"))
    monkeypatch.setenv("DLPHYS_FAST", "1")
    expect.reaches("99.1a", 0.1)


def test_a_bar_that_was_never_measured_is_an_error(monkeypatch):
    monkeypatch.setattr(bars, "_all", dict)
    with pytest.raises(LookupError, match="run `dlphys bars`"):
        expect.reaches("99.1a", 0.5)
