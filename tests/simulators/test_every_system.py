"""What holds for every simulator (DESIGN sections 2 and 3)."""

import dataclasses
import functools
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators._systems import systems

SYSTEMS = systems()
# with its default settings it draws nothing: the book's sine wave without noise
SYSTEMS["series.sines"] = functools.partial(SYSTEMS["series.sines"], preset="physics")
every_system = pytest.mark.parametrize("name", list(SYSTEMS))

# Sizes of two results, at most 40 and 160 MiB and what takes a few seconds, and the overhead beyond each, in MiB.
MEMORY = """
import gc, json, sys, time
from pathlib import Path
from dlphys.simulators._systems import systems

def status(key):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024

for name, simulate in systems().items():
    if name not in sys.argv[1:]:
        continue
    simulate(1, seed=1)
    begin = time.perf_counter()
    warm = simulate(500, seed=1)
    in_time = 2 * 500 / (time.perf_counter() - begin)
    many = min(in_time, 160 * 2**20 / sum(array.nbytes / 500 for array in warm.arrays().values()))
    sizes, overhead = [], []
    for n in (int(many / 4), int(many)):
        del warm
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        before = status("VmRSS")
        warm = simulate(max(1, n), seed=1)
        sizes.append(sum(array.nbytes for array in warm.arrays().values()) / 2**20)
        overhead.append(status("VmHWM") - before - sizes[-1])
    print(json.dumps([name, [sizes, overhead]]), flush=True)
"""


def bits(sample):
    return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in sample.arrays().items()}


@pytest.fixture
def threads(monkeypatch):
    """Sets the number of threads of every simulator."""

    def fixed(count):
        monkeypatch.setattr(_blocks, "thread_count", lambda: count)
        monkeypatch.setenv("OMP_NUM_THREADS", str(count))

    return fixed


def events_of(name, blocks, monkeypatch):
    """A number of events that takes more than ``blocks`` blocks, and so threads from four on."""
    used = [100]  # where a system has another way to share its work
    slices = _blocks.slices
    monkeypatch.setattr(_blocks, "slices", lambda n, block: used.append(block) or slices(n, block))
    SYSTEMS[name](1, seed=3)
    monkeypatch.setattr(_blocks, "slices", slices)
    return blocks * max(used) + 7


@every_system
def test_one_seed_gives_the_same_bits_for_any_number_of_threads(name, threads, monkeypatch):
    n = events_of(name, 4, monkeypatch)
    made = []
    for count in (1, 3):
        threads(count)
        made.append(bits(SYSTEMS[name](n, seed=3)))
    assert made[0] == made[1]


@every_system
def test_the_first_events_do_not_depend_on_how_many_follow(name, monkeypatch):
    few, many = SYSTEMS[name](37, seed=3), SYSTEMS[name](events_of(name, 1, monkeypatch), seed=3)
    for field, array in few.arrays().items():
        assert array.shape[1:] == getattr(many, field).shape[1:], field
        assert array.tobytes() == getattr(many, field)[:37].tobytes(), field


@every_system
def test_another_seed_gives_other_events(name):
    first, second = bits(SYSTEMS[name](37, seed=3)), bits(SYSTEMS[name](37, seed=4))
    assert first != second


@every_system
def test_a_generator_is_used_as_it_is(name):
    """The same state gives the same events, and the generator moves on."""
    random, same = np.random.default_rng(5), np.random.default_rng(5)
    first = bits(SYSTEMS[name](37, seed=random))
    assert first == bits(SYSTEMS[name](37, seed=same))
    assert first != bits(SYSTEMS[name](37, seed=random))


@every_system
def test_the_result_is_frozen_and_says_what_it_holds(name):
    sample = SYSTEMS[name](37, seed=3)
    arrays = sample.arrays()
    assert len(sample) == 37
    assert all(isinstance(array, np.ndarray) and len(array) == 37 for array in arrays.values())
    assert set(sample.units) <= set(arrays)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(sample, next(iter(arrays)), None)
    lines = repr(sample).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 120
    doc = "".join(kind.__doc__ or "" for kind in type(sample).__mro__)
    assert all(field in doc for field in arrays), "every field is documented"


@every_system
def test_one_event_can_be_made(name):
    assert len(SYSTEMS[name](1, seed=1)) == 1


@every_system
def test_what_is_no_count_is_refused(name):
    for wrong, error in ((0, ValueError), (2.5, TypeError), ("many", TypeError), (True, TypeError)):
        with pytest.raises(error, match="n must be"):
            SYSTEMS[name](wrong, seed=1)
    with pytest.raises((TypeError, ValueError), match="seed"):
        SYSTEMS[name](3, seed="one")


@every_system
def test_all_settings_have_defaults_that_json_can_hold(name):
    """So that a manifest of `dlphys simulate` can say them."""
    for parameter in list(inspect.signature(SYSTEMS[name]).parameters.values())[1:]:
        if parameter.name != "seed":
            assert parameter.kind is parameter.KEYWORD_ONLY
            default = parameter.default
            json.dumps(default.tolist() if isinstance(default, np.ndarray) else default)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory can be reset on Linux only")
@pytest.mark.parametrize("half", [0, 1])
def test_memory_is_the_result_and_a_little_more(half):
    """For 1 GiB of result at most 256 MiB more: a quarter of what is added, and no more than 256 MiB to begin with."""
    names = list(SYSTEMS)[half::2]
    # freed memory goes back to the system at once, so that its peak is that of one simulation
    give_back = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "2"}
    environment = {**os.environ, "OMP_NUM_THREADS": "2", **give_back}
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *names], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    measured = dict(map(json.loads, done.stdout.splitlines()))
    assert list(measured) == names
    too_much = {
        name: (sizes, overhead)
        for name, (sizes, overhead) in measured.items()
        if overhead[1] > 256 or overhead[1] - max(0, overhead[0]) > 0.25 * (sizes[1] - sizes[0]) + 8
    }
    assert not too_much
