import numpy as np
import pandas as pd
import pytest

from dlphys.checks.proxy import Handle, ModelProxy, NotDone, Proxy, StudentError, Workbench, local


def answer_of(function, *arguments, **keywords):
    return local(function)(*arguments, **keywords)


@pytest.mark.parametrize(
    "value", [None, True, 3, 2.5, 1 + 2j, "spin", (1, [2.0, "a"]), {"mean": 1.0, 2: (3,)}], ids=repr
)
def test_plain_data_come_back_as_they_are(value):
    answer = answer_of(lambda: value)
    assert answer == value
    assert type(answer) is type(value)


def test_arrays_come_back_as_copies():
    array = np.arange(4.0)
    answer = answer_of(lambda: array)
    answer[0] = 7
    assert array[0] == 0


def test_numpy_scalars_and_tables_become_plain_data():
    assert type(answer_of(lambda: np.float32(2))) is float
    table = answer_of(lambda: pd.DataFrame({"pH": [3.0, 3.2], "kind": ["a", "b"]}))
    assert table["pH"].tolist() == [3.0, 3.2]
    assert table["kind"].tolist() == ["a", "b"]


def test_a_subclass_of_str_loses_its_methods():
    class Sly(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    answer = answer_of(lambda: Sly("no"))
    assert type(answer) is str
    assert answer != "yes"


@pytest.mark.parametrize(
    ("value", "phrase"),
    [(np.array([object()]), "array of type object"), ({(1, 2): 3}, "keys must be"), (np.array([b"x"]), "type")],
)
def test_what_is_no_data_is_refused_with_a_sentence(value, phrase):
    with pytest.raises(StudentError, match=phrase):
        answer_of(lambda: value)


def test_a_list_that_contains_itself_is_refused():
    endless: list = []
    endless.append(endless)
    with pytest.raises(StudentError, match="deep"):
        answer_of(lambda: endless)


def test_an_object_comes_back_as_a_proxy_with_attributes_and_methods():
    class Counter:
        def __init__(self, start):
            self.value = start

        def add(self, n):
            self.value += n
            return self.value

    proxy = local(Counter)
    assert proxy.handle.signature == ("start",)
    counter = proxy(3)
    assert isinstance(counter, Proxy)
    assert counter.add(4) == 7
    assert counter.value == 7
    with pytest.raises(StudentError, match="no attribute 'missing'"):
        _ = counter.missing


def test_private_attributes_cannot_be_asked_for():
    with pytest.raises(AttributeError):
        _ = local(lambda: 1)._secret


def test_a_function_that_changes_its_argument_fails():
    def normalise(x):
        x -= x.mean()
        return x

    with pytest.raises(StudentError, match="changes an array that it was given"):
        answer_of(normalise, np.arange(3.0))


def test_nan_in_an_unchanged_argument_is_no_change():
    assert answer_of(lambda x: x.size, np.array([np.nan, 1.0])) == 2


def test_errors_become_one_sentence_and_stubs_are_recognised():
    def broken():
        return 1 / 0

    def stub():
        raise NotImplementedError("task 1.1a")

    def leaving():
        raise SystemExit(3)

    with pytest.raises(StudentError, match="your code raised ZeroDivisionError: division by zero"):
        answer_of(broken)
    with pytest.raises(StudentError, match="SystemExit"):
        answer_of(leaving)
    with pytest.raises(NotDone):
        answer_of(stub)


def test_control_c_is_not_swallowed():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer_of(interrupted)


def test_a_check_can_send_data_only():
    with pytest.raises(TypeError, match="may send data"):
        Workbench().receive(lambda x: x)


def test_a_result_answers_the_first_call_only():
    calls = []

    def train(epochs):
        calls.append(epochs)
        return epochs

    proxy = local(train, 99)
    assert proxy(3) == 99
    assert proxy(4) == 4
    assert calls == [4]


def test_handles_name_kind_and_parameters():
    assert local(len).handle == Handle(0, "callable", "len", ("obj",))


def test_a_keras_model_is_a_handle_that_answers_questions():
    import keras

    def build():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="relu"), keras.layers.Dense(1)])
        model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
        return model

    model = local(build)()
    assert isinstance(model, ModelProxy)
    assert model.count_params() == 11
    assert model.output_shape == (None, 1)
    assert [layer["class_name"] for layer in model.layers] == ["Dense", "Dense"]
    assert model.layers[0]["config"]["activation"] == "relu"
    assert model.layers[0]["params"] == 8
    assert [w.shape for w in model.weights] == [(3, 2), (2,), (2, 1), (1,)]
    assert model.compiled == {"optimizer": "Adam", "learning_rate": pytest.approx(0.01), "loss": "mse"}
    x = np.ones((2500, 3), np.float32)
    assert model.predict(x).shape == (2500, 1)


def test_a_model_can_be_sent_to_a_students_function():
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert answer_of(lambda m: m.count_params(), model) == 3
