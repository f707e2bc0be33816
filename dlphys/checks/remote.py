"""The same checks, with the student's code in another process.

The worker (`python -m dlphys.checks.remote`) alone runs the student's cells. Its answers cross a pipe as
JSON and raw numbers (no pickle) and are rebuilt here as data and handles; nothing of them is executed.
Isolation of the worker itself (user, network, limits) is the grader's business.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import selectors
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import numpy as np

from dlphys._validation import check_number, shown
from dlphys.checks.proxy import (
    DATA_KINDS,
    DEEPEST,
    Handle,
    NotDone,
    StudentError,
    Workbench,
    is_keras,
    wrapped,
)

__all__ = ["Worker", "decode", "encode", "worker"]

LARGEST = 1 << 28  # bytes of one message
LONGEST_TEXT = 1 << 24  # bytes of its JSON part, each of which may become a hundred in memory
LARGEST_NUMBER = 1 << 256
MOST_ROWS = 1 << 24  # of an array without entries, which costs nothing to send and for ever to walk through
DTYPE = re.compile(r"[<>|=]?[biufcU]\d{1,7}")
HEADER = struct.Struct("<QQ")  # lengths of the JSON part and of the raw part


def encode(value: Any) -> bytes:
    """Data and handles as bytes: a JSON part that describes, and a raw part with the arrays one after another.

    >>> decode(encode({"x": (1, np.arange(3.0))}))
    {'x': (1, array([0., 1., 2.]))}
    """
    blocks: list[bytes] = []
    text = json.dumps(_described(value, blocks)).encode()
    raw = b"".join(blocks)
    return HEADER.pack(len(text), len(raw)) + text + raw


def _described(value: Any, blocks: list[bytes]) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, np.generic):
        return _described(value.item(), blocks)
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, complex):
        return {"complex": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in DATA_KINDS:
            raise TypeError(f"an array of type {value.dtype} cannot be sent")
        blocks.append(np.ascontiguousarray(value).tobytes())
        return {"array": [value.dtype.str, list(value.shape)]}
    if isinstance(value, Handle):
        return {"handle": [value.number, value.kind, value.type_name, value.signature]}
    if isinstance(value, tuple):
        return {"tuple": [_described(item, blocks) for item in value]}
    if isinstance(value, list):
        return {"list": [_described(item, blocks) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_described(key, blocks), _described(item, blocks)] for key, item in value.items()]}
    if is_keras(value, "Model"):
        import keras

        config = json.dumps(keras.saving.serialize_keras_object(value))
        return {"model": [config, _described(list(value.get_weights()), blocks)]}
    raise TypeError(f"{shown(value)} cannot be sent: it is neither data nor a handle")


def decode(message: bytes | bytearray, *, trusted: bool = False) -> Any:
    """What `encode` wrote, from anybody: every length and type is verified, and a bad message is a `StudentError`.

    ``trusted`` is what a check sent: of any length, and with models among it, which a student's answer never holds.
    """
    try:
        text_length, raw_length = HEADER.unpack_from(message)
        if len(message) != HEADER.size + text_length + raw_length:
            raise ValueError("the lengths do not agree")
        if text_length > LONGEST_TEXT and not trusted:
            raise ValueError("too many parts")
        described = json.loads(message[HEADER.size : HEADER.size + text_length])
        raw = memoryview(message)[HEADER.size + text_length :]
        value, used = _rebuilt(described, raw, 0, 0, trusted)
        if used != raw_length:
            raise ValueError("bytes are left over")
        return value
    except (ValueError, LookupError, TypeError, RecursionError, MemoryError, struct.error, ArithmeticError) as error:
        raise StudentError(f"the answer is no readable message ({error})") from None


def _rebuilt(described: Any, raw: memoryview, used: int, depth: int, trusted: bool) -> tuple[Any, int]:
    if depth > 2 * DEEPEST:
        raise ValueError("nested too deeply")
    if not isinstance(described, dict):
        if isinstance(described, int) and not -LARGEST_NUMBER < described < LARGEST_NUMBER:
            raise ValueError("a whole number that is too large")
        if described is None or isinstance(described, bool | int | str):
            return described, used
        raise ValueError("not a description")
    ((kind, content),) = described.items()
    if kind == "float":
        return float.fromhex(content), used
    if kind == "complex":
        return complex(*map(float.fromhex, content)), used
    if kind == "array":
        return _array(content, raw, used)
    if kind == "handle":
        return _handle(*content), used
    if kind == "model" and trusted:
        weights, used = _rebuilt(content[1], raw, used, depth + 1, trusted)
        return _SentModel(str(content[0]), weights), used
    if kind not in ("dict", "list", "tuple") or not isinstance(content, list):
        raise ValueError(f"unknown kind {kind[:20]!r}")
    items = []
    for item in content:
        pair = item if kind == "dict" else [item]
        parts = []
        for part in pair:
            value, used = _rebuilt(part, raw, used, depth + 1, trusted)
            parts.append(value)
        items.append(parts)
    if kind == "dict":
        return dict(items), used
    values = [value for (value,) in items]
    return (values if kind == "list" else tuple(values)), used


def _array(content: Any, raw: memoryview, used: int) -> tuple[np.ndarray, int]:
    name, shape = content[0], tuple(int(n) for n in content[1])
    if not isinstance(name, str) or not DTYPE.fullmatch(name) or any(n < 0 for n in shape) or len(shape) > 32:
        raise ValueError("not an array of data")
    dtype = np.dtype(name)
    if math.prod(shape) == 0 and math.prod(n for n in shape if n) > MOST_ROWS:
        raise ValueError("an array of nothing, very often")
    size = dtype.itemsize * math.prod(shape)
    if used + size > len(raw):
        raise ValueError("an array is cut short")
    array = np.frombuffer(raw[used : used + size], dtype=dtype).reshape(shape).copy()
    if dtype.kind == "b":  # a byte that is neither 0 nor 1 would be true, and equal to nothing
        array = array.view(np.uint8) != 0
    if dtype.kind == "U" and array.size and dtype.itemsize:
        letters = np.frombuffer(raw[used : used + size], dtype=dtype.str[0] + "u4")
        if letters.max() >= 0x110000:
            raise ValueError("letters that do not exist")
    return array, used + size


def _handle(number: Any, kind: Any, type_name: Any, signature: Any) -> Handle:
    if kind not in ("model", "callable", "object") or not isinstance(number, int):
        raise ValueError("not a handle")
    names = None if signature is None else tuple(str(name)[:80] for name in signature)
    return Handle(number, kind, str(type_name)[:80], names)


class _SentModel:
    """A Keras model that a check sent: rebuilt only in the worker."""

    def __init__(self, config: str, weights: Any) -> None:
        self.config = config
        self.weights = weights

    def build(self) -> Any:
        import keras

        model = keras.saving.deserialize_keras_object(json.loads(self.config))
        model.set_weights(self.weights)
        return model


# --- the checker's side -------------------------------------------------------------------------------------


class Worker:
    """A workbench in another process; made by `worker`."""

    def __init__(self, process: subprocess.Popen[bytes], requests: IO[bytes], answers: int, timeout: float) -> None:
        self._process = process
        self._requests = requests
        self._answers = answers
        self._timeout = timeout
        self._stopped = False

    def load(self, cells: Sequence[str]) -> list[str]:
        """Execute cells in order; an error ends its cell, not the run. Returns one sentence per error."""
        errors = self._ask("load", list(cells))
        if not isinstance(errors, list) or not all(isinstance(error, str) for error in errors):
            raise StudentError("the answer is no readable message")
        return errors

    def get(self, name: str) -> Any:
        """Proxy for a name of the student's; None if there is no such name."""
        return wrapped(self, self._ask("get", name))

    def call(self, handle: Handle, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return self._ask("call", handle, _handles(arguments), _handles(keywords))

    def attribute(self, handle: Handle, name: str) -> Any:
        return self._ask("attribute", handle, name)

    def model(self, handle: Handle, question: str, arguments: tuple[Any, ...]) -> Any:
        return self._ask("model", handle, question, _handles(arguments))

    def _ask(self, verb: str, *content: Any) -> Any:
        if self._stopped:  # what it still had to say is not read
            raise StudentError("your code ended its process")
        message = encode((verb, *content))
        deadline = time.monotonic() + self._timeout
        self._write(message, deadline)
        status, answer = self._answer(deadline)
        if status == "answer":
            return answer
        raise (NotDone if status == "not done" else StudentError)(answer[:600])

    def _write(self, message: bytes, deadline: float) -> None:
        """Send a message to a process that may never read it."""
        try:
            left, descriptor = memoryview(message), self._requests.fileno()
        except ValueError:
            raise StudentError("your code ended its process") from None
        os.set_blocking(descriptor, False)
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_WRITE)
            while left:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.stop()
                    raise StudentError(f"your code took longer than {self._timeout:g} s")
                try:
                    left = left[os.write(descriptor, left) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    raise StudentError("your code ended its process") from None

    def _answer(self, deadline: float) -> tuple[str, Any]:
        header = self._read(HEADER.size, deadline)
        lengths = HEADER.unpack(header)
        if sum(lengths) > LARGEST or lengths[0] > LONGEST_TEXT:
            self.stop()
            raise StudentError(
                f"the answer is larger than {LARGEST >> 20} MiB, or has more parts than a check can read"
            )
        try:
            message = decode(self._read(sum(lengths), deadline, header))
        except StudentError:  # who sends such a thing may send more, and what comes next would be taken for an answer
            self.stop()
            raise
        if isinstance(message, tuple) and len(message) == 2 and isinstance(message[0], str):
            status, answer = message
            if status == "answer" or (status in ("not done", "error") and isinstance(answer, str)):
                return status, answer
        self.stop()
        raise StudentError("the answer is no readable message")

    def _read(self, size: int, deadline: float, begin: bytes | bytearray = b"") -> bytearray:
        """So many bytes; a process may send them one by one, which must not cost more."""
        read = bytearray(begin)
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while size:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.stop()
                    raise StudentError(f"your code took longer than {self._timeout:g} s")
                part = os.read(self._answers, min(size, 1 << 20))
                if not part:
                    raise StudentError("your code ended its process")
                read += part
                size -= len(part)
        return read

    def stop(self) -> None:
        """End the worker and whatever it started in its process group."""
        self._stopped = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, 9)
            else:
                self._process.kill()
        self._process.wait()


def _handles(value: Any) -> Any:
    """Arguments with every proxy replaced by its handle."""
    from dlphys.checks.proxy import Proxy

    if isinstance(value, Proxy):
        return value.handle
    if isinstance(value, list | tuple):
        return type(value)(_handles(item) for item in value)
    if isinstance(value, dict):
        return {key: _handles(item) for key, item in value.items()}
    return value


@contextlib.contextmanager
def worker(
    cells: Sequence[str] = (),
    *,
    timeout: float = 120.0,
    environment: dict[str, str] | None = None,
    launch: Callable[[Sequence[str], Sequence[int]], subprocess.Popen[bytes]] | None = None,
) -> Iterator[Worker]:
    """A process that has executed ``cells`` and answers through a proxy.

    Parameters
    ----------
    cells : sequence of str
        The student's code. A cell that raises ends there; the next one runs all the same.
    timeout : float, s
        For each answer; a worker that takes longer is killed.
    environment : dict, optional
        Replaces the environment of the process.
    launch : callable, optional
        Starts the process some other way, for example in a sandbox: from the words of its command and the file
        descriptors to leave open, with its standard input a pipe, as the leader of a process group.
    """
    check_number(timeout=timeout, minimum=0, exclusive=True, unit="s")
    if isinstance(cells, str) or not all(isinstance(cell, str) for cell in cells):
        raise TypeError(f"cells must be a sequence of strings, got {shown(cells)}")
    answers, answers_write = os.pipe()
    words = [sys.executable, "-m", __name__, str(answers_write)]
    try:
        if launch is not None:
            process = launch(words, (answers_write,))
        else:
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(answers_write,),
                start_new_session=True,
                env=environment,
            )
    except BaseException:
        os.close(answers)
        raise
    finally:
        os.close(answers_write)
    assert process.stdin is not None
    remote = Worker(process, process.stdin, answers, timeout)
    try:
        if cells:
            remote.load(cells)
        yield remote
    finally:
        remote.stop()
        with contextlib.suppress(OSError):
            process.stdin.close()
        os.close(answers)


# --- the worker's side ---------------------------------------------------------------------------------------


class _RemoteWorkbench(Workbench):
    """Executes cells, and rebuilds the models that a check sends."""

    def __init__(self) -> None:
        super().__init__()
        self._space: dict[str, Any] = {"__name__": "__main__"}

    def receive(self, value: Any) -> Any:
        return value.build() if isinstance(value, _SentModel) else super().receive(value)

    def load(self, cells: list[str]) -> list[str]:
        errors = []
        for number, cell in enumerate(cells):
            try:
                exec(compile(cell, f"<cell {number}>", "exec"), self._space)
            except BaseException as error:  # whatever a cell raises, the next one is tried
                errors.append(f"cell {number}: {type(error).__name__}: {error}"[:300])
        return errors

    def get(self, name: str) -> Any:
        return self.hold(self._space[name]) if name in self._space else None


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    bench = _RemoteWorkbench()
    while len(header := requests.read(HEADER.size)) == HEADER.size:
        verb, *content = decode(header + requests.read(sum(HEADER.unpack(header))), trusted=True)
        try:
            reply: tuple[str, Any] = ("answer", getattr(bench, verb)(*content))
            message = encode(reply)
        except NotDone as error:
            message = encode(("not done", str(error)))
        except StudentError as error:
            message = encode(("error", str(error)))
        except Exception as error:  # an answer that cannot be sent
            message = encode(("error", f"{type(error).__name__}: {error}"))
        answers.write(message)
        answers.flush()


def _main() -> None:
    # The requests move away from standard input, so that input() in a student's cell cannot eat them.
    requests = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.environ.setdefault("MPLBACKEND", "agg")
    _serve(requests, os.fdopen(int(sys.argv[1]), "wb"))


if __name__ == "__main__":
    _main()
