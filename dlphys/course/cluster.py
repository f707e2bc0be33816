"""Simulations of any size on any number of processors: what stands behind ``dlphys simulate``.

Events are made in shards. A shard has a seed of its own, from the run's seed and its number, so that its bits depend
neither on who computes it nor on how many others do. Dask hands shards to workers, two for each at a time; a worker
holds one shard, writes it and returns its hash. Whatever dies, finished shards stay, and the same call goes on.
"""

from __future__ import annotations

import inspect
import json
import logging
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlphys
from dlphys._validation import check_count, shown
from dlphys.datasets import _cache, shards
from dlphys.datasets.shards import Manifest, Shard
from dlphys.simulators import _systems

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["simulate"]

SHARD_BYTES = 2**26
PROBE = 2  # events


def simulate(
    system: str,
    n: int,
    folder: str | Path,
    *,
    seed: int,
    parameters: Mapping[str, Any] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    shard_events: int | None = None,
) -> Manifest:
    """Simulate ``n`` events into a folder of shards, or go on with a run that was stopped.

    Parameters
    ----------
    system : str
        Such as "ising" or "events.tracker_hits": a function of `dlphys.simulators`.
    n : int
    folder : path
        Empty, new, or that of the same run. Every worker must see it under this name.
    seed : int
        One seed gives the same files, bit by bit, with any number of workers.
    parameters : dict, optional
        Keywords of the simulator, as JSON holds them.
    workers : int, optional
        Start a local Dask cluster of so many processes. Left out, this process does all, with threads.
    scheduler : str, optional
        Address of a running Dask scheduler, such as "tcp://10.0.0.1:8786". Excludes ``workers``.
    shard_events : int, optional
        Events of a shard; default: as many as 64 MiB hold, or what the folder was begun with.

    Returns
    -------
    dlphys.datasets.shards.Manifest

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or the folder holds another run or other files.
    ModuleNotFoundError
        If Dask is needed and not installed.

    Notes
    -----
    A worker that dies costs the shard it was working on, which another one makes again; a shard that kills four
    workers ends the run (Dask's ``allowed-failures``).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manifest = simulate("earthquakes", 1000, folder, seed=1, shard_events=400)
    >>> [shard.events for shard in manifest.shards.values()]
    [400, 400, 200]
    """
    function = _systems.system(system)
    n = check_count(n=n)
    seed = check_count(minimum=0, seed=seed)
    parameters = dict(parameters or {})
    _systems.check_parameters(function, parameters)
    if shard_events is not None:
        shard_events = check_count(shard_events=shard_events)
    if workers is not None:
        workers = check_count(workers=workers)
    if scheduler is not None and workers is not None:
        raise ValueError(f"scheduler and workers exclude each other, got {scheduler!r} and {workers}")
    folder = Path(folder).resolve()
    manifest = _begin(function, system, n, folder, seed, _as_json(parameters), shard_events)
    missing = [number for number in range(manifest.count) if number not in manifest.shards]
    if not missing:
        return manifest

    from tqdm.auto import tqdm

    with ExitStack() as stack:
        if workers is None and scheduler is None:
            results = _here(manifest, folder, missing)
        else:
            client = stack.enter_context(connect(workers, scheduler))
            results = _through_dask(client, manifest, folder, missing)
        events = sum(shard.events for shard in manifest.shards.values())
        bar = stack.enter_context(
            tqdm(total=n, initial=events, desc=system, unit="event", unit_scale=True, delay=2, smoothing=0.05)
        )
        stack.callback(lambda: shards.write_manifest(folder, manifest))  # also after an error or an interrupt
        written = time.monotonic()
        for number, shard in results:
            manifest.shards[number] = shard
            bar.update(shard.events)
            if time.monotonic() - written > 1:  # a manifest of many shards is long
                shards.write_manifest(folder, manifest)
                written = time.monotonic()
    _remove_remains(folder)
    return manifest


def _begin(
    function: _systems.Simulate,
    system: str,
    n: int,
    folder: Path,
    seed: int,
    parameters: dict[str, Any],
    shard_events: int | None,
) -> Manifest:
    """The manifest of a new run, or of the one that the folder holds, with its finished shards."""
    probe = function(min(n, PROBE), seed=shards.shard_seed(seed, 0), **parameters)
    arrays = probe.arrays()
    an_event = max(1, sum(array.nbytes for array in arrays.values()) // len(probe))
    old = shards.read_manifest(folder) if (folder / shards.MANIFEST).exists() else None
    if shard_events is None:
        shard_events = old.shard_events if old else min(n, max(1, SHARD_BYTES // an_event))
    module = inspect.getmodule(function)
    assert module is not None
    new = Manifest(
        system=system,
        parameters=parameters,
        seed=seed,
        n=n,
        shard_events=shard_events,
        code=_cache.code_hash(module),
        version=dlphys.__version__,
        fields={
            name: shards.Field(array.shape[1:], array.dtype.str, probe.units.get(name, ""))
            for name, array in arrays.items()
        },
    )
    if old is None:
        folder.mkdir(parents=True, exist_ok=True)
        if strangers := sorted(path.name for path in folder.iterdir()):
            raise ValueError(f"folder must be empty or hold a run, but {folder} has {strangers[0]}")
        shards.write_manifest(folder, new)
        return new
    for name in ("system", "parameters", "seed", "n", "shard_events", "code", "fields"):
        if getattr(old, name) != getattr(new, name):
            raise ValueError(
                f"{folder} holds another run: its {name} is {shown(getattr(old, name))}, "
                f"now it is {shown(getattr(new, name))}; choose another folder"
            )
    _remove_remains(folder)
    return replace(old, shards=_finished(old, folder))


def _finished(manifest: Manifest, folder: Path) -> dict[int, Shard]:
    """Shards whose files are there: those of the manifest, and those that were written just before the run stopped."""
    finished = {}
    for number in range(manifest.count):
        path = folder / manifest.file_of(number)
        shard = manifest.shards.get(number)
        if not path.is_file():
            continue
        if shard is None:
            shard = shards.adopt(path, manifest.run, manifest.events_of(number))
        elif path.stat().st_size != shard.size:  # changed since it was written
            path.unlink()
            shard = None
        if shard is not None:
            finished[number] = shard
    return finished


def make_shard(manifest: Manifest, folder: Path, number: int) -> Shard:
    """Simulate one shard and write it; what a worker does."""
    path, events = folder / manifest.file_of(number), manifest.events_of(number)
    # a worker may have died after it wrote the shard and before it could say so
    if (made := shards.adopt(path, manifest.run, events)) is not None:
        return made
    function = _systems.system(manifest.system)
    sample = function(events, seed=shards.shard_seed(manifest.seed, number), **manifest.parameters)
    arrays = sample.arrays()
    for name, described in manifest.fields.items():
        if arrays[name].shape[1:] != described.shape or arrays[name].dtype.str != described.dtype:
            raise ValueError(
                f"{manifest.system} must give {name} with events of shape {described.shape} in every shard, "
                f"got {arrays[name].shape[1:]} in shard {number}"
            )
    return shards.write_shard(path, arrays, run=manifest.run)


def _here(manifest: Manifest, folder: Path, numbers: list[int]) -> Iterator[tuple[int, Shard]]:
    for number in numbers:
        yield number, make_shard(manifest, folder, number)


@contextmanager
def connect(workers: int | None, scheduler: str | None, **settings: Any) -> Iterator[Client]:
    """A client of a scheduler, or of a local cluster that ends with the ``with`` block.

    ``settings`` are Dask's for the local cluster, such as {"distributed.scheduler.allowed-failures": 0}.
    """
    import dask
    from distributed import Client, LocalCluster
    from distributed.utils import silence_logging_cmgr

    # no progress bars but ours, and what Dask would say of a worker that died is ours to say
    own = {"distributed.nanny.environ": {"TQDM_DISABLE": "1"}, "distributed.worker.preload": [__name__]}
    with ExitStack() as stack:
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
        if scheduler is None:
            stack.enter_context(dask.config.set(own | settings))
            local = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
            cluster = stack.enter_context(LocalCluster(n_workers=workers, threads_per_worker=1, **local))
        yield stack.enter_context(Client(cluster if scheduler is None else scheduler))


def dask_setup(worker: object) -> None:
    """What Dask calls in each process of a local cluster: Ctrl-C, and talking, is for the process that started it."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def in_turn(
    client: Client, function: Callable[..., Any], jobs: Mapping[str, tuple[Any, ...]], capacity: Callable[[], int]
) -> Iterator[tuple[str, Future]]:
    """Call ``function`` on the workers with the arguments of each job; yields the job's key and its finished future.

    Never more than ``capacity()`` are waiting, asked anew whenever one has finished: workers come and go.
    """
    from distributed import as_completed

    client.wait_for_workers(1)
    waiting = deque(jobs)
    working: dict[Future, str] = {}
    finished = as_completed()

    def submit() -> None:
        while waiting and len(working) < max(1, capacity()):
            key = waiting.popleft()
            future = client.submit(function, *jobs[key], key=key, pure=False)
            working[future] = key
            finished.add(future)

    submit()
    try:
        for future in finished:
            key = working.pop(future)
            submit()
            yield key, future
    finally:
        client.cancel(list(working))


def _through_dask(client: Client, manifest: Manifest, folder: Path, numbers: list[int]) -> Iterator[tuple[int, Shard]]:
    """Finished shards as they come; never more than two for each worker are waiting."""
    bare = replace(manifest, shards={})  # small, whatever the number of shards
    jobs = {f"{manifest.run}-{number}": (bare, folder, number) for number in numbers}
    for key, future in in_turn(client, make_shard, jobs, lambda: 2 * sum(client.nthreads().values())):
        shard, number = future.result(), jobs[key][2]
        if not (folder / shard.file).is_file():
            raise OSError(f"a worker has written {shard.file}, but it is not in {folder}: do all see one folder?")
        yield number, shard


def _remove_remains(folder: Path) -> None:
    """What workers that died were writing."""
    for path in folder.glob("shard-*.part"):
        path.unlink(missing_ok=True)


def _as_json(parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(parameters, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"parameters must be what JSON can hold, got {shown(parameters)} ({error})") from None
