"""What simulate returns and promises, apart from the physics (tests/physics/test_ising.py)."""

import dataclasses
import hashlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from dlphys.simulators import ising


def same(a, b):
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))


@pytest.mark.parametrize("algorithm", ["metropolis", "swendsen-wang"])
def test_a_sample_has_the_promised_shapes_types_and_values(algorithm):
    sample = ising.simulate(60, size=6, algorithm=algorithm, seed=1)
    assert sample.spins.shape == (60, 6, 6)
    assert sample.spins.dtype == np.int8
    assert np.all(np.abs(sample.spins) == 1)
    assert sample.temperature.dtype == np.float32
    assert np.array_equal(sample.temperature, np.resize(ising.COURSE_TEMPERATURES, 60).astype(np.float32))
    s = sample.spins.astype(int)
    neighbours = np.roll(s, -1, 1) + np.roll(s, -1, 2)
    assert np.allclose(sample.energy, -(s * neighbours).mean((1, 2)), rtol=0, atol=1e-15)
    assert np.allclose(sample.magnetization, s.mean((1, 2)), rtol=0, atol=1e-15)
    assert np.array_equal(sample.energy, ising.energy(sample.spins))
    assert np.array_equal(sample.magnetization, ising.magnetization(sample.spins.astype(np.float32)))


def test_a_sample_of_any_size_shows_itself_at_once():
    sample = ising.simulate(26_000, size=2, sweeps=1, seed=1)
    assert repr(sample).startswith(
        "IsingSample: 26000 events, 0.6 MiB\n  spins          (26000, 2, 2)  int8     -1 to 1\n"
    )
    many = dataclasses.replace(sample, spins=np.broadcast_to(np.int8(1), (10**7, 512, 512)))
    assert "(10000000, 512, 512)" in repr(many)


def test_a_sample_is_frozen_and_the_course_temperatures_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ising.simulate(1, size=2, sweeps=1, seed=1).spins = None
    with pytest.raises(ValueError, match="read-only"):
        ising.COURSE_TEMPERATURES[0] = 2.0


@pytest.mark.parametrize("algorithm", ["metropolis", "swendsen-wang"])
def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(algorithm, monkeypatch):
    """5000 lattices lie in five blocks and more."""

    def sample(threads):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        return ising.simulate(5000, size=8, sweeps=20, algorithm=algorithm, seed=3)

    one = sample(1)
    assert same(one, sample(2))
    assert not np.array_equal(one.spins, ising.simulate(5000, size=8, sweeps=20, algorithm=algorithm, seed=4).spins)


@pytest.mark.parametrize("algorithm", ["metropolis", "swendsen-wang"])
def test_a_lattice_does_not_depend_on_how_many_are_drawn(algorithm):
    """Numbers that end inside a word, a block and a round of temperatures; sweeps that differ by temperature."""
    sizes = {"size": 8, "algorithm": algorithm, "seed": 5}
    many = ising.simulate(9000, **sizes)
    for n in (1, 65, 3001):
        few = ising.simulate(n, **sizes)
        assert np.array_equal(few.spins, many.spins[:n])
        assert np.array_equal(few.energy, many.energy[:n])


def test_a_generator_goes_on_and_a_whole_number_starts_again():
    random = np.random.default_rng(7)
    first, second = (ising.simulate(30, size=8, seed=random).spins for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, ising.simulate(30, size=8, seed=7).spins)


@pytest.mark.parametrize(
    ("algorithm", "size", "digest"),
    [("metropolis", 12, "f301ea70306427a8"), ("swendsen-wang", 9, "bc2f1217929603fe")],
)
def test_integer_spins_are_the_same_on_every_machine(algorithm, size, digest):
    """Golden hash of 130 lattices at the course temperatures."""
    spins = ising.simulate(130, size=size, algorithm=algorithm, seed=2024).spins
    assert hashlib.sha256(spins.tobytes()).hexdigest()[:16] == digest


MEMORY = """
import resource
from dlphys.simulators import ising
ising.simulate(26, seed=1, sweeps=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sample = ising.simulate(262_144, seed=1, sweeps=1)
result = sum(a.nbytes for a in (sample.spins, sample.temperature, sample.energy, sample.magnetization))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before * 1024 - result)
"""


def test_memory_beyond_the_result_is_bounded():
    """A result of 263 MiB: at most 64 MiB more, on top of what a small run needs (DESIGN allows 256 MiB for 1 GiB)."""
    pytest.importorskip("resource")
    extra = int(subprocess.check_output([sys.executable, "-c", MEMORY], text=True))
    assert extra < 64 * 2**20


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to a thread exist on POSIX systems only")
def test_an_interrupt_ends_a_long_run_within_seconds_and_the_next_run_works():
    """The whole run would take minutes."""
    main = threading.main_thread().ident
    timer = threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        ising.simulate(100_000, temperature=2.3, sweeps=20_000, seed=1)
    assert time.monotonic() - begin < 10
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")]
    assert len(ising.simulate(5, size=8, seed=1).spins) == 5


def test_a_short_run_shows_no_progress_bar(capfd):
    ising.simulate(26, size=8, seed=1)
    assert capfd.readouterr() == ("", "")


def test_the_plain_version_leaves_its_argument_alone():
    spins = np.ones((5, 4, 4), np.int8)
    assert not np.array_equal(ising.metropolis_sweeps_plain(spins, 3.0, 3, seed=1), spins)
    assert np.all(spins == 1)
