"""What a check can expect. Each function returns nothing, or raises the failure that becomes the verdict.

``because`` always says what was expected, in kind: never the number itself where the number is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from dlphys._validation import shown
from dlphys.checks import bars
from dlphys.checks.engine import Failure, fast
from dlphys.checks.proxy import ModelProxy, NotDone, Proxy, StudentError

__all__ = [
    "accepts",
    "activation",
    "at_least",
    "at_most",
    "changes_little",
    "close",
    "differs",
    "dtype",
    "equal",
    "finite",
    "has_layers",
    "holds",
    "is_array",
    "is_dict",
    "is_model",
    "is_tuple",
    "learning_rate_fell",
    "length",
    "loss",
    "number",
    "output_shape",
    "reaches",
    "shape",
]


def _seen(value: Any) -> str:
    if isinstance(value, Proxy):
        return f"an object of type {value.handle.type_name}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray) and value.size and value.dtype.kind in "fiu":
        return f"an array of shape {value.shape} that begins with {value.flat[0]:.6g}"
    return "None (is there a return?)" if value is None else shown(value)


def holds(condition: Any, *, because: str, seen: str = "", rung: str = "physics") -> None:
    """Any statement that must be true."""
    if not bool(np.all(condition)):
        raise Failure(rung, because, seen)


# --- shape, type, finite -------------------------------------------------------------------------------


def number(value: Any, *, name: str = "the answer") -> None:
    """A finite number; an array of shape () counts."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | complex):
        raise Failure("shape", f"{name}: one number", _seen(value))
    if not np.isfinite(value):
        raise Failure("shape", f"{name}: a finite number", str(value))


def is_array(value: Any, *, name: str = "the answer") -> None:
    """A NumPy array or a tensor (lists are refused: they do not calculate)."""
    if not isinstance(value, np.ndarray):
        raise Failure("shape", f"{name}: an array", _seen(value))


def shape(value: Any, wanted: tuple[int | None, ...], *, name: str = "the answer") -> None:
    """An array of the given shape; None where any length is allowed."""
    is_array(value, name=name)
    fits = len(wanted) == value.ndim and all(n is None or n == m for n, m in zip(wanted, value.shape, strict=True))
    if not fits:
        raise Failure("shape", f"{name}: an array of shape {_shape_text(wanted)}", f"shape {value.shape}")


def _shape_text(wanted: tuple[int | None, ...]) -> str:
    inside = ", ".join("any" if n is None else str(n) for n in wanted)
    return f"({inside},)" if len(wanted) == 1 else f"({inside})"


def dtype(value: Any, wanted: str, *, name: str = "the answer") -> None:
    """An array of a NumPy type ("float32") or of a kind ("f", "i", "b")."""
    is_array(value, name=name)
    if value.dtype.kind != wanted and value.dtype.name != wanted:
        kinds = {"f": "floating-point numbers", "i": "whole numbers", "b": "booleans", "u": "unsigned whole numbers"}
        raise Failure("shape", f"{name}: an array of {kinds.get(wanted, wanted)}", f"type {value.dtype}")


def finite(value: Any, *, name: str = "the answer") -> None:
    """No NaN and no infinity."""
    is_array(value, name=name)
    bad = int(np.count_nonzero(~np.isfinite(value)))
    if bad:
        raise Failure(
            "shape", f"{name}: finite numbers everywhere", f"{bad} of {value.size} entries are NaN or infinite"
        )


def length(value: Any, wanted: int, *, name: str = "the answer") -> None:
    """A sequence with so many entries."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        raise Failure("shape", f"{name}: a sequence of {wanted} entries", _seen(value))
    if len(value) != wanted:
        raise Failure("shape", f"{name}: {wanted} entries", f"{len(value)} entries")


def is_tuple(value: Any, wanted: int, *, name: str = "the answer") -> None:
    """A tuple (or list) of so many results, as in ``return a, b``."""
    if not isinstance(value, tuple | list):
        raise Failure("shape", f"{name}: {wanted} results, as in `return a, b`", _seen(value))
    length(value, wanted, name=name)


def is_dict(value: Any, keys: Collection[Any], *, name: str = "the answer") -> None:
    """A dict with exactly these keys."""
    if not isinstance(value, dict):
        raise Failure("shape", f"{name}: a dict", _seen(value))
    missing, extra = set(keys) - set(value), set(value) - set(keys)
    if missing or extra:
        seen = " and ".join(
            f"{word} {', '.join(sorted(map(repr, which)))}"
            for word, which in (("missing", missing), ("extra", extra))
            if which
        )
        raise Failure("shape", f"{name}: a dict with the keys {', '.join(map(repr, keys))}", seen)


# --- known mistakes ------------------------------------------------------------------------------------


def differs(value: Any, wrong: Any, *, because: str, rtol: float = 1e-6, atol: float = 0.0) -> None:
    """Fails with ``because`` if the answer is the one that a known mistake gives."""
    if _agree(value, wrong, rtol, atol):
        raise Failure("known mistake", because, f"{_seen(value)}, which is what a common mistake gives")


# --- physics -------------------------------------------------------------------------------------------


def at_most(value: Any, limit: float, *, because: str, name: str = "the value", rung: str = "physics") -> None:
    """A number (or every entry) not above a limit."""
    worst = float(np.max(value))
    if not worst <= limit:
        raise Failure(rung, because, f"{name} is {worst:.6g}, above {limit:.6g}")


def at_least(value: Any, limit: float, *, because: str, name: str = "the value", rung: str = "physics") -> None:
    """A number (or every entry) not below a limit."""
    worst = float(np.min(value))
    if not worst >= limit:
        raise Failure(rung, because, f"{name} is {worst:.6g}, below {limit:.6g}")


def changes_little(
    function: Callable[[Any], Any], before: Any, after: Any, *, because: str, tolerance: float = 1e-5
) -> None:
    """A symmetry: the function answers (nearly) the same for two inputs; absolute tolerance."""
    first, second = np.asarray(function(before), float), np.asarray(function(after), float)
    if first.shape != second.shape:
        raise Failure("physics", because, f"shapes {first.shape} and {second.shape}")
    largest = float(np.max(np.abs(first - second)))
    if not largest <= tolerance:
        raise Failure("physics", because, f"the answer changes by {largest:.3g}")


# --- value ---------------------------------------------------------------------------------------------


def _agree(value: Any, wanted: Any, rtol: float, atol: float) -> bool:
    try:
        first, second = np.asarray(value, float), np.asarray(wanted, float)
    except (TypeError, ValueError):
        return False
    if first.shape != second.shape:
        return False
    return bool(np.allclose(first, second, rtol=rtol, atol=atol, equal_nan=True))


def close(
    value: Any,
    wanted: Any,
    *,
    because: str,
    rtol: float = 1e-6,
    atol: float = 0.0,
    name: str = "the answer",
    rung: str = "value",
) -> None:
    """Equal within a tolerance; the shapes must agree."""
    if isinstance(value, Proxy) or value is None:
        raise Failure("shape", because, _seen(value))
    if np.shape(value) != np.shape(wanted):
        raise Failure("shape", f"{name}: shape {np.shape(wanted)}", f"shape {np.shape(value)}")
    if not _agree(value, wanted, rtol, atol):
        raise Failure(rung, because, _difference(name, value, wanted, rtol, atol))


def _difference(name: str, value: Any, wanted: Any, rtol: float, atol: float) -> str:
    """Where it is off and by how much, without the value that would have been right."""
    try:
        first, second = np.atleast_1d(np.asarray(value, float)), np.atleast_1d(np.asarray(wanted, float))
    except (TypeError, ValueError):
        return f"{name} is {_seen(value)}"
    wrong = ~np.isclose(first, second, rtol=rtol, atol=atol, equal_nan=True)
    if first.size == 1:
        return f"{name} is {first.item():.6g}"
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    index = place[0] if len(place) == 1 else place
    return (
        f"{int(wrong.sum())} of {first.size} entries of {name} are off, the first at index {index}: {first[place]:.6g}"
    )


def equal(value: Any, wanted: Any, *, because: str, name: str = "the answer", rung: str = "value") -> None:
    """Exactly equal: whole numbers, strings, labels, tuples."""
    if isinstance(value, np.ndarray) or isinstance(wanted, np.ndarray):
        if not isinstance(value, np.ndarray | list | tuple) or not np.array_equal(
            np.asarray(value), np.asarray(wanted)
        ):
            seen = f"{name} is {_seen(value)}"
            if np.shape(value) == np.shape(wanted):
                count = int(np.count_nonzero(np.asarray(value) != np.asarray(wanted)))
                seen = f"{count} of {np.size(wanted)} entries of {name} are off"
            raise Failure(rung, because, seen)
    elif isinstance(value, Proxy) or value != wanted:
        raise Failure(rung, because, f"{name} is {_seen(value)}")


# --- Keras models --------------------------------------------------------------------------------------


def is_model(value: Any, *, name: str = "the answer") -> None:
    """A Keras model."""
    if not isinstance(value, ModelProxy):
        raise Failure("shape", f"{name}: a Keras model", _seen(value))


def output_shape(model: Any, *, given: tuple[int, ...], is_: tuple[int, ...]) -> None:
    """Output shape of a model for a batch of the given shape (random numbers are sent through it)."""
    is_model(model)
    answer = _predict(model, given, because=f"a model that takes a batch of shape {given}")
    got = getattr(answer, "shape", None)
    if got != is_:
        raise Failure("shape", f"output of shape {is_} for a batch of shape {given}", f"output of shape {got}")
    finite(answer, name="the model's output")


def accepts(model: Any, given: tuple[int, ...], *, because: str) -> None:
    """The model takes a batch of another shape."""
    is_model(model)
    _predict(model, given, because=because, rung="physics")


def _predict(model: Any, given: tuple[int, ...], *, because: str, rung: str = "shape") -> Any:
    batch = np.random.default_rng(0).choice([-1.0, 1.0], size=given).astype(np.float32)
    try:
        return model.predict(batch)
    except NotDone:
        raise
    except StudentError as error:
        raise Failure(rung, because, f"a batch of shape {given} is refused ({str(error)[:160]})") from None


def has_layers(model: Any, *class_names: str, because: str, rung: str = "known mistake") -> None:
    """The model has at least one layer of each class (nested models are searched too)."""
    is_model(model)
    present = _class_names(model.config)
    for name in class_names:
        if name not in present:
            found = ", ".join(dict.fromkeys(layer["class_name"] for layer in model.layers))
            raise Failure(rung, because, f"no {name} among the layers ({found})")


def _class_names(config: Any) -> set[str]:
    if isinstance(config, dict):
        own = {config["class_name"]} if isinstance(config.get("class_name"), str) else set()
        return own.union(*(_class_names(item) for item in config.values()))
    if isinstance(config, list | tuple):
        return set().union(*(_class_names(item) for item in config))
    return set()


def activation(model: Any, *, because: str, is_: str | None = None, not_: str | None = None) -> None:
    """Activation at the output: the last layer's, or that of an Activation layer at the end."""
    is_model(model)
    last = model.layers[-1]
    config = last["config"] or {}
    found = config.get("activation") or {"Softmax": "softmax", "ReLU": "relu"}.get(last["class_name"], "linear")
    if not_ is not None and found == not_:
        raise Failure("known mistake", because, f"{found} at the output")
    if is_ is not None and found != is_:
        raise Failure("known mistake", because, f"{found} at the output")


LOSSES = {"mse": "meansquarederror", "mae": "meanabsoluteerror", "bce": "binarycrossentropy"}


def _loss_name(name: str) -> str:
    plain = name.replace("_", "").lower()
    return LOSSES.get(plain, plain)


def _compiled(model: Any) -> dict[str, Any]:
    is_model(model)
    if model.compiled is None:
        because = "a compiled model: model.compile(optimizer=..., loss=...) before the return"
        raise Failure("known mistake", because, "a model without an optimizer")
    compiled: dict[str, Any] = model.compiled
    return compiled


def loss(model: Any, *allowed: str, because: str) -> None:
    """The model is compiled with one of these losses, however it is spelled: "mse", "mean_squared_error", a class."""
    found = _compiled(model)["loss"]
    if _loss_name(found) not in map(_loss_name, allowed):
        raise Failure("known mistake", because, f"the loss {found}")


def learning_rate_fell(model: Any, limit: float, *, because: str) -> None:
    """After the last step the learning rate is at most ``limit``."""
    name = "the learning rate after the last step"
    at_most(_compiled(model)["learning_rate"], limit, because=because, name=name, rung="known mistake")


# --- performance ---------------------------------------------------------------------------------------


def reaches(id: str, value: Any, *, source: str = "simulated", name: str = "the result") -> None:
    """The measured bar of a task (`dlphys bars`): a correct solution reaches it in 99 % of runs.

    ``source`` is that of the data; "mirror", "cache" and "download" are real data. At fast settings no bar is judged.
    """
    number(value, name=name)
    if fast():
        return
    which = "real" if source in ("mirror", "cache", "download") else source
    limit = bars.stored(id, which)
    good = float(value) >= limit.bar if limit.better == "higher" else float(value) <= limit.bar
    if not good:
        word = "at least" if limit.better == "higher" else "at most"
        unit = f" {limit.unit}" if limit.unit else ""
        raise Failure(
            "bar",
            f"{word} {limit.bar:.4g}{unit}, which a correct solution reaches in 99 of 100 runs "
            f"(mean {limit.mean:.4g}, standard deviation {limit.standard_deviation:.2g} over {limit.runs} seeds)",
            f"{name} is {float(value):.4g}{unit}",
        )
