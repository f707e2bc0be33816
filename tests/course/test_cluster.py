"""Simulations in shards: the same bits for any number of workers, and nothing is lost when something dies."""

import contextlib
import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from dlphys.course import cluster
from dlphys.datasets import shards
from dlphys.simulators import earthquakes, ising

# Dask leaves sockets to the garbage collector
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SMALL = {"n": 1000, "seed": 3, "shard_events": 150}


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def stamps(folder):
    """When each finished shard was written."""
    return {path.name: path.stat().st_mtime_ns for path in Path(folder).glob("shard-*.h5")}


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def collected():
    """What Dask leaves is collected here, and not in another test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def dask_cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as running:
        yield running


def test_the_events_are_those_of_the_simulator_with_the_seeds_of_the_shards(tmp_path):
    """One seed a shard, from the run's seed and the shard's number."""
    manifest = cluster.simulate("earthquakes", folder=tmp_path / "run", parameters={"timing_error": 0.01}, **SMALL)
    assert [shard.events for shard in manifest.shards.values()] == [150] * 6 + [100]
    for number, shard in manifest.shards.items():
        direct = earthquakes.simulate(shard.events, seed=shards.shard_seed(3, number), timing_error=0.01)
        stored = shards.read_shard(tmp_path / "run", shard)
        assert list(stored) == sorted(direct.arrays())
        assert all(np.array_equal(stored[name], array) for name, array in direct.arrays().items())


def test_any_number_of_workers_gives_the_same_files(tmp_path, dask_cluster):
    """Bit by bit, the manifest included."""
    cluster.simulate("earthquakes", folder=tmp_path / "here", **SMALL)
    cluster.simulate("earthquakes", folder=tmp_path / "there", scheduler=dask_cluster.scheduler_address, **SMALL)
    cluster.simulate("earthquakes", folder=tmp_path / "one", workers=1, **SMALL)
    assert files(tmp_path / "here") == files(tmp_path / "there") == files(tmp_path / "one")


def test_a_killed_worker_costs_only_the_shards_in_work(tmp_path, dask_cluster):
    """The finished ones stay as they are, and the result is that of a run without an accident."""
    distributed = pytest.importorskip("distributed")
    folder = tmp_path / "run"
    run = {"n": 8000, "seed": 5, "shard_events": 500, "parameters": {"temperature": 2.2, "sweeps": 4000}}
    done = []
    thread = threading.Thread(
        target=lambda: done.append(
            cluster.simulate("ising", folder=folder, scheduler=dask_cluster.scheduler_address, **run)
        )
    )
    with distributed.Client(dask_cluster.scheduler_address) as client:
        pids = client.run(os.getpid)
        thread.start()
        wait_for(lambda: len(stamps(folder)) >= 3)
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        finished = stamps(folder)
        thread.join(timeout=300)
        assert set(client.run(os.getpid).values()) != set(pids.values()), "Dask starts another worker"
    assert len(finished) < 16, "killed too late to prove anything"
    assert done[0].complete
    assert finished.items() <= stamps(folder).items(), "a finished shard was made twice"
    assert not list(folder.glob("*.part"))
    cluster.simulate("ising", folder=tmp_path / "quiet", **run)
    assert files(folder) == files(tmp_path / "quiet")


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    """Ctrl-C: exit code 130, one sentence; the second call makes only what is missing."""
    command = [sys.executable, "-m", "dlphys.cli", "simulate", "ising", "-n", "3000", "--out", str(tmp_path / "run")]
    command += ["--shard-events", "500", "--set", "sweeps=4000", "--set", "temperature=2.2"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(stamps(tmp_path / "run")) >= 1)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=120)
    finished = stamps(tmp_path / "run")
    assert running.returncode == 130, error
    assert "interrupted; the same command goes on" in error
    assert "Traceback" not in error
    assert 0 < len(finished) < 6
    assert set(shards.verify(tmp_path / "run").values()) == {"missing"}
    again = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stderr
    assert finished.items() <= stamps(tmp_path / "run").items()
    assert shards.verify(tmp_path / "run") == {}


def test_a_shard_written_before_the_manifest_knew_of_it_is_not_made_again(tmp_path):
    """The run was killed between the two."""
    manifest = cluster.simulate("earthquakes", folder=tmp_path, **SMALL)
    before = stamps(tmp_path)
    del manifest.shards[2]
    shards.write_manifest(tmp_path, manifest)
    assert cluster.simulate("earthquakes", folder=tmp_path, **SMALL).complete
    assert stamps(tmp_path) == before


@pytest.mark.parametrize("harm", ["removed", "cut", "longer", "of another run"])
def test_a_shard_that_is_not_whole_is_made_again(harm, tmp_path):
    manifest = cluster.simulate("earthquakes", folder=tmp_path / "run", **SMALL)
    whole = files(tmp_path / "run")
    path = tmp_path / "run" / manifest.shards[2].file
    if harm == "removed":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    elif harm == "longer":  # still a readable file
        path.write_bytes(path.read_bytes() + b"more")
    else:
        other = cluster.simulate("earthquakes", folder=tmp_path / "other", **{**SMALL, "seed": 4})
        path.write_bytes((tmp_path / "other" / other.shards[2].file).read_bytes())
        del manifest.shards[2]
        shards.write_manifest(tmp_path / "run", manifest)
    cluster.simulate("earthquakes", folder=tmp_path / "run", **SMALL)
    assert files(tmp_path / "run") == whole


def test_verify_finds_one_wrong_byte(tmp_path):
    manifest = cluster.simulate("earthquakes", folder=tmp_path, **SMALL)
    assert shards.verify(tmp_path) == {}
    path = tmp_path / manifest.shards[1].file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert shards.verify(tmp_path) == {1: "damaged"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "its seed is 3, now it is 4"),
        ({"n": 1200}, "its n is 1000, now it is 1200"),
        ({"shard_events": 200}, "its shard_events is 150, now it is 200"),
        ({"parameters": {"timing_error": 0.5}}, "its parameters is"),
    ],
)
def test_a_folder_is_not_filled_by_two_different_runs(change, message, tmp_path):
    cluster.simulate("earthquakes", folder=tmp_path, **SMALL)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=message):
        cluster.simulate("earthquakes", folder=tmp_path, **{**SMALL, **change})
    assert files(tmp_path) == before


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"must be empty or hold a run, but .* has thesis.tex"):
        cluster.simulate("earthquakes", folder=tmp_path, **SMALL)
    assert list(files(tmp_path)) == ["thesis.tex"]


def test_the_manifest_says_what_the_fields_are(tmp_path):
    cluster.simulate("ising", 52, tmp_path, seed=1, parameters={"size": 8})
    entries = json.loads((tmp_path / "manifest.json").read_text())
    assert entries["fields"]["spins"] == {"shape": [8, 8], "dtype": "|i1", "unit": ""}
    assert entries["fields"]["energy"]["unit"] == "J per spin"
    assert entries["parameters"] == {"size": 8}
    assert entries["shards"][0]["sha256"] == shards.read_manifest(tmp_path).shards[0].sha256
    spins = shards.read_shard(tmp_path, shards.read_manifest(tmp_path).shards[0], ["spins"])["spins"]
    assert np.array_equal(spins, ising.simulate(52, size=8, seed=shards.shard_seed(1, 0)).spins)


def peak_of_run(folder, n):
    """Largest memory of this process, MiB, of a run."""
    import resource

    cluster.simulate("earthquakes", n, folder, seed=1, shard_events=200_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_memory_does_not_grow_with_the_number_of_events(tmp_path):
    """48 bytes an event: 4 million of them would need 190 MiB more than 200 000."""
    with contextlib.closing(multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1)) as pool:
        small = pool.apply(peak_of_run, (tmp_path / "small", 200_000))
        large = pool.apply(peak_of_run, (tmp_path / "large", 4_000_000))
    assert large - small < 40
