"""Between a check and a student's code: data goes in, data comes out.

A check never touches a student's objects. It talks to a *workbench* that holds them and answers with
data (numbers, strings, arrays, tuples, lists, dicts) or, for anything else, with a numbered handle.
In a notebook the workbench lives in the same process; when grading it lives in another one
(`dlphys.checks.remote`), and since both are asked through the functions below, the same check works
in both and never imports, unpickles or executes anything of the student's.
"""

from __future__ import annotations

import functools
import inspect
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dlphys._validation import shown

DATA_KINDS = "biufcU"  # NumPy kinds that are data: no objects, no raw bytes
DEEPEST = 20  # nested containers in an answer


class StudentError(Exception):
    """The student's code raised, changed its arguments, or answered with something that is no data."""


class NotDone(Exception):
    """The student's code raised NotImplementedError: the task is still a stub."""


@dataclass(frozen=True)
class Handle:
    """The number under which a workbench holds an object, and what kind of object it is.

    ``kind`` is ``"model"`` (Keras), ``"callable"`` or ``"object"``; ``signature`` names the parameters
    of a callable, ``type_name`` is for messages only.
    """

    number: int
    kind: str
    type_name: str
    signature: tuple[str, ...] | None = None


class Bench(Protocol):
    """What a proxy needs of a workbench, near or far."""

    def call(self, handle: Handle, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any: ...

    def attribute(self, handle: Handle, name: str) -> Any: ...

    def model(self, handle: Handle, question: str, arguments: tuple[Any, ...]) -> Any: ...


class Proxy:
    """Stands for a student's function, class or object: call it, or ask for an attribute."""

    def __init__(self, bench: Bench, handle: Handle) -> None:
        self._bench = bench
        self._handle = handle

    @property
    def handle(self) -> Handle:
        return self._handle

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return wrapped(self._bench, self._bench.call(self._handle, arguments, keywords))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return wrapped(self._bench, self._bench.attribute(self._handle, name))

    def __repr__(self) -> str:
        return f"<{self._handle.type_name} of the student>"


class ModelProxy(Proxy):
    """Stands for a student's Keras model."""

    def predict(self, x: Any) -> Any:
        """Output for a batch, as a NumPy array (or list or dict of them)."""
        return self._ask("predict", x)

    def count_params(self) -> int:
        """Number of weights and biases."""
        return int(self._ask("count_params"))

    @property
    def input_shape(self) -> Any:
        return self._ask("input_shape")

    @property
    def output_shape(self) -> Any:
        return self._ask("output_shape")

    @property
    def config(self) -> dict[str, Any]:
        """Class name and configuration of the model, as plain data."""
        return dict(self._ask("config"))

    @property
    def layers(self) -> list[dict[str, Any]]:
        """One dict a layer: class_name, name, config, params, output_shape, trainable."""
        return list(self._ask("layers"))

    @property
    def weights(self) -> list[np.ndarray]:
        return list(self._ask("weights"))

    @property
    def compiled(self) -> dict[str, Any] | None:
        """Optimizer, learning rate and loss, or None for a model that is not compiled."""
        answer = self._ask("compiled")
        return None if answer is None else dict(answer)

    def _ask(self, question: str, *arguments: Any) -> Any:
        return wrapped(self._bench, self._bench.model(self._handle, question, arguments))


def wrapped(bench: Bench, answer: Any) -> Any:
    """An answer with every handle in it turned into a proxy."""
    if isinstance(answer, Handle):
        return (ModelProxy if answer.kind == "model" else Proxy)(bench, answer)
    if isinstance(answer, list | tuple):
        return type(answer)(wrapped(bench, item) for item in answer)
    if isinstance(answer, dict):
        return {key: wrapped(bench, item) for key, item in answer.items()}
    return answer


def is_keras(value: Any, class_name: str) -> bool:
    """Whether ``value`` is an instance of a Keras class, found without importing Keras."""
    return any(
        base.__name__ == class_name and base.__module__.partition(".")[0] == "keras" for base in type(value).__mro__
    )


class Workbench:
    """Holds a student's objects and uses them on request. Every answer is data and handles."""

    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}

    def export(self, value: Any, depth: int = 0) -> Any:
        """``value`` as data; whatever is no data stays here and goes out as a handle."""
        if depth > DEEPEST:
            raise StudentError(f"the answer has containers inside containers, more than {DEEPEST} deep")
        if value is None or isinstance(value, bool | int | float | complex | str):
            return _plain_scalar(value)
        if isinstance(value, np.generic):
            return _array(np.asarray(value)).item()
        if isinstance(value, np.ndarray):
            return _array(value)
        if isinstance(value, tuple):
            return tuple(self.export(item, depth + 1) for item in value)
        if isinstance(value, list):
            return [self.export(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {_key(key): self.export(item, depth + 1) for key, item in value.items()}
        module = type(value).__module__.partition(".")[0]
        if module == "pandas" and hasattr(value, "to_numpy"):
            if hasattr(value, "columns"):
                return {str(name): _array(value[name].to_numpy()) for name in value.columns}
            return _array(value.to_numpy())
        if not isinstance(value, type) and not is_keras(value, "Layer") and hasattr(value, "__array__"):
            try:
                return _array(np.asarray(value))
            except Exception:  # a symbolic tensor has the method but no values: it stays here as an object
                pass
        return self.hold(value)

    def hold(self, value: Any) -> Handle:
        """Keep an object and answer with its handle."""
        number = len(self._objects)
        self._objects[number] = value
        kind = "model" if is_keras(value, "Model") else "callable" if callable(value) else "object"
        name = getattr(value, "__name__", None) or type(value).__name__
        return Handle(number, kind, str(name), _signature(value) if kind == "callable" else None)

    def receive(self, value: Any) -> Any:
        """What a check sent: data, arrays as copies, handles as the objects they stand for."""
        if isinstance(value, Handle):
            return self._objects[value.number]
        if isinstance(value, Proxy):
            return self._objects[value.handle.number]
        if isinstance(value, np.ndarray):
            return _array(value)
        if value is None or isinstance(value, bool | int | float | complex | str | np.generic):
            return value
        if isinstance(value, list | tuple):
            return type(value)(self.receive(item) for item in value)
        if isinstance(value, dict):
            return {key: self.receive(item) for key, item in value.items()}
        if is_keras(value, "Model"):
            return value
        raise TypeError(f"a check may send data, handles and Keras models, not {shown(value)}")

    def call(self, handle: Handle, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        function = self._objects[handle.number]
        given = self.receive(arguments)
        named = self.receive(keywords)
        answer = _guarded(function, *given, **named)
        for sent, now in [*zip(arguments, given, strict=True), *((keywords[key], named[key]) for key in keywords)]:
            if not _same(sent, now):
                raise StudentError(
                    f"{handle.type_name} changes an array that it was given; work on a copy, "
                    "so that the caller's data stay as they are"
                )
        return self.export(answer)

    def attribute(self, handle: Handle, name: str) -> Any:
        owner = self._objects[handle.number]
        if name.startswith("_") or not hasattr(owner, name):
            raise StudentError(f"{handle.type_name} has no attribute {name!r}")
        return self.export(_guarded(getattr, owner, name))

    def model(self, handle: Handle, question: str, arguments: tuple[Any, ...]) -> Any:
        with warnings.catch_warnings():  # a warning of Keras about the student's model is no error of the check
            warnings.simplefilter("ignore")
            answer = _guarded(MODEL_QUESTIONS[question], self._objects[handle.number], *self.receive(arguments))
        return self.export(answer)


def local(value: Any, result: Any = None) -> Any:
    """A proxy for an object of this process; with a result, the first call is answered with it."""
    bench = Workbench()
    answer = bench.export(value)
    return wrapped(bench if result is None else _Answered(bench, result), answer)


def answered(proxy: Any) -> bool:
    """Whether the next call of a proxy is answered with what the notebook has made already."""
    bench = proxy._bench
    return isinstance(bench, _Answered) and bool(bench._results)


class _Answered:
    """A workbench whose first call has been made already, in the notebook."""

    def __init__(self, bench: Workbench, result: Any) -> None:
        self._bench = bench
        self._results = [result]

    def call(self, handle: Handle, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if self._results:
            return self._bench.export(self._results.pop())
        return self._bench.call(handle, arguments, keywords)

    def attribute(self, handle: Handle, name: str) -> Any:
        return self._bench.attribute(handle, name)

    def model(self, handle: Handle, question: str, arguments: tuple[Any, ...]) -> Any:
        return self._bench.model(handle, question, arguments)


# --- what can be asked of a Keras model -----------------------------------------------------------------


def _predict(model: Any, x: Any) -> Any:
    """Output in batches of 1024: called directly, since `predict` builds a new function for every model."""
    if isinstance(x, np.ndarray) and len(x) > 1024:
        return np.concatenate(
            [np.asarray(model(part, training=False)) for part in np.array_split(x, -(-len(x) // 1024))]
        )
    return model(x, training=False)


def _layers(model: Any) -> list[dict[str, Any]]:
    return [
        {
            "class_name": type(layer).__name__,
            "name": layer.name,
            "config": _as_data(_quietly(layer.get_config)),
            "params": layer.count_params() if layer.built else 0,
            "output_shape": _as_data(_quietly(functools.partial(_layer_shape, layer))),
            "trainable": bool(layer.trainable),
        }
        for layer in model.layers
    ]


def _layer_shape(layer: Any) -> Any:
    return layer.output.shape


def _compiled(model: Any) -> dict[str, Any] | None:
    if getattr(model, "optimizer", None) is None:
        return None
    return {
        "optimizer": type(model.optimizer).__name__,
        "learning_rate": float(np.asarray(model.optimizer.learning_rate)),
        "loss": _name_of(model.loss),
    }


def _config(model: Any) -> dict[str, Any]:
    return {"class_name": type(model).__name__, "name": model.name, "config": _as_data(_quietly(model.get_config))}


MODEL_QUESTIONS: dict[str, Callable[..., Any]] = {
    "predict": _predict,
    "count_params": lambda model: model.count_params(),
    "input_shape": lambda model: _as_data(model.input_shape),
    "output_shape": lambda model: _as_data(model.output_shape),
    "config": _config,
    "layers": _layers,
    "weights": lambda model: list(model.get_weights()),
    "compiled": _compiled,
}


def _name_of(loss: Any) -> str:
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", None)
    return str(name or type(loss).__name__)


def _quietly(function: Callable[[], Any]) -> Any:
    """The answer, or None where a layer cannot say (a layer that was never built has no output)."""
    try:
        return function()
    except Exception:
        return None


def _as_data(value: Any) -> Any:
    """A Keras configuration as plain data: objects that are none become their names."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return type(value)(_as_data(item) for item in value) if type(value) in (list, tuple) else list(value)
    if isinstance(value, dict):
        return {str(key): _as_data(item) for key, item in value.items()}
    return _name_of(value)


# --- helpers ----------------------------------------------------------------------------------------------


def _plain_scalar(value: Any) -> Any:
    """Subclasses of str and float could carry methods of their own: only the bare value goes out."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value) if isinstance(value, str) else complex(value)


def _key(key: Any) -> Any:
    if isinstance(key, bool | int | float | str):
        return _plain_scalar(key)
    if isinstance(key, np.generic) and key.dtype.kind in DATA_KINDS:
        return key.item()
    raise StudentError(f"the answer is a dict with the key {shown(key)}; keys must be numbers or strings")


def _array(value: np.ndarray) -> np.ndarray:
    """A plain copy; arrays of objects are refused, unless they hold nothing but strings."""
    array = np.asarray(value)
    if array.dtype.kind in "OT" and all(isinstance(item, str) for item in array.flat):
        array = array.astype(str)
    if array.dtype.kind not in DATA_KINDS:
        raise StudentError(f"the answer is an array of type {array.dtype}; an array of numbers or strings is needed")
    return np.array(array, order="C", copy=True)


def _signature(function: Any) -> tuple[str, ...] | None:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        if before.shape != after.shape:
            return False
        equal_nan = before.dtype.kind in "fc"
        return bool(np.array_equal(before, after, equal_nan=equal_nan))
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(_same(a, b) for a, b in zip(before, after, strict=True))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    return True


def _guarded(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call the student's code; whatever it raises becomes one sentence that names the line."""
    try:
        return function(*arguments, **keywords)
    except NotImplementedError as error:
        raise NotDone(str(error)) from None
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # sys.exit() in a student's function must not end the notebook
        raise StudentError(_sentence(error)) from None


def _sentence(error: BaseException) -> str:
    message = " ".join(str(error).split())
    text = f"{type(error).__name__}: {message[:300]}" if message else type(error).__name__
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _of_a_cell(frame.filename)]
    if own:
        text += f" (in line {own[-1].lineno}: {(own[-1].line or '').strip()[:80]})"
    return f"your code raised {text}"


def _of_a_cell(filename: str) -> bool:
    return "ipykernel" in filename or filename.startswith("<")
