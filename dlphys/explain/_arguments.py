"""Arguments that all explanations share, and work in batches."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from dlphys import autodiff
from dlphys._blocks import slices
from dlphys._validation import check_array, check_count, check_number, shown
from dlphys.explain._graph import Graph, as_array, read

WORTH_COMPILING = 8  # calls: compiling costs as much as some of them, and later ones take a third of the time


def prepare(model: Any, inputs: Any, output: Any, batch_size: Any) -> tuple[Graph, np.ndarray, np.ndarray]:
    """The steps of the model, the checked inputs, and the number of the explained output of each."""
    graph, x = prepare_inputs(model, inputs, batch_size)
    return graph, x, explained(graph, x, output, batch_size)


def prepare_inputs(model: Any, inputs: Any, batch_size: Any) -> tuple[Graph, np.ndarray]:
    graph = read(model)
    check_count(batch_size=batch_size)
    return graph, like_inputs(graph, inputs=inputs)


def like_inputs(graph: Graph, **argument: Any) -> np.ndarray:
    """An array of events as the model takes them."""
    return check_array(shape=(None, *graph.shape), dtype=graph.dtype, **argument)


def explained(graph: Graph, x: np.ndarray, output: Any, batch_size: int) -> np.ndarray:
    """Which output is explained for each event: the largest, one for all, or one each; (n,), int32."""
    if output is None:
        best = [as_array(graph.logits(x[batch])).argmax(axis=1) for batch in slices(len(x), batch_size)]
        return np.concatenate(best).astype(np.int32)
    return chosen_outputs(graph, output, len(x))


def chosen_outputs(graph: Graph, output: Any, n: int) -> np.ndarray:
    """The numbers of ``n`` outputs that are given as one number or as n."""
    if isinstance(output, numbers.Integral):
        return np.full(n, check_count(minimum=0, maximum=graph.outputs - 1, output=output), np.int32)
    if not isinstance(output, list | tuple | range | np.ndarray):
        raise TypeError(f"output must be None, a whole number, or one for each input, got {shown(output)}")
    chosen = check_array(output=output, shape=(n,), minimum=0, maximum=graph.outputs - 1, dtype=None)
    if chosen.dtype.kind not in "iu":
        raise TypeError(f"output must hold whole numbers, got {shown(output)}")
    return chosen.astype(np.int32)


def batches(n: int, batch_size: int, title: str) -> Iterable[slice]:
    """The events of each batch, with a progress bar if it takes over two seconds."""
    return progress(slices(n, batch_size), title, "batch")


def progress(work: Any, title: str, unit: str) -> Iterable[Any]:
    from tqdm.auto import tqdm  # here: importing it takes longer than a small explanation

    return tqdm(work, delay=2, desc=title, unit=unit, leave=False)


def paired_batches(n: int, samples: int, batch_size: int, title: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Events and samples of n x samples points in batches, all samples of an event after one another."""
    for batch in batches(n * samples, batch_size, title):
        flat = np.arange(batch.start, batch.stop)
        yield flat // samples, flat % samples


def reference_value(graph: Graph, x: np.ndarray, **argument: Any) -> np.ndarray:
    """A number, one event, or an event for each input, broadcast to the shape of the inputs."""
    ((name, value),) = argument.items()
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return np.full_like(x, check_number(**argument))
    array = check_array(dtype=graph.dtype, **argument)
    if array.shape not in (x.shape, x.shape[1:]):
        raise ValueError(f"{name} must be a number, or have shape {x.shape[1:]} or {x.shape}, got {array.shape}")
    return np.broadcast_to(array, x.shape)


def bounds_of(bounds: Any) -> tuple[float, float] | None:
    """The allowed range of the inputs: None or (lowest, highest)."""
    if bounds is None:
        return None
    if not isinstance(bounds, list | tuple) or len(bounds) != 2:
        raise TypeError(f"bounds must be None or a pair (lowest, highest), got {shown(bounds)}")
    low, high = (check_number(bounds=bound) for bound in bounds)
    if low >= high:
        raise ValueError(f"bounds must have the lowest value first, got {shown(bounds)}")
    return low, high


def like_events(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """One number for each event, with the axes and the type of ``x``."""
    return values.reshape(-1, *(1,) * (x.ndim - 1)).astype(x.dtype)


def add_events(total: np.ndarray, event: np.ndarray, parts: np.ndarray) -> None:
    """Add ``parts`` to the events they belong to, which stand in order; faster than ``numpy.add.at``."""
    first = np.flatnonzero(np.diff(event, prepend=-1))
    total[event[first]] += np.add.reduceat(parts, first, axis=0)


def even_draws(random: np.random.Generator, n: int, samples: int, m: int) -> np.ndarray:
    """For each of n events ``samples`` numbers below m in random order, all equally often or nearly; (n, samples)."""
    rounds = -(-samples // m)
    blocks = random.permuted(np.broadcast_to(np.arange(m, dtype=np.int32), (n, rounds, m)), axis=2)
    return blocks.reshape(n, -1)[:, :samples]


def repeated(call: Callable[..., Any], times: int, batch_size: int) -> Callable[..., np.ndarray]:
    """``call`` for arrays of at most ``batch_size`` events, compiled if it is to be called often enough.

    Nothing outlives the explanation that asks for it: there is no store of compiled functions that could go stale.
    """
    if times < WORTH_COMPILING:
        return lambda *arrays: np.asarray(call(*arrays))
    fast = autodiff.compiled(call)

    def filled(*arrays: np.ndarray) -> np.ndarray:
        n = len(arrays[0])
        if n < batch_size:  # another shape would be compiled anew
            arrays = tuple(np.concatenate([a, np.repeat(a[-1:], batch_size - n, axis=0)]) for a in arrays)
        return np.asarray(fast(*arrays))[:n]

    return filled
