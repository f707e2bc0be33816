"""Sets made by the simulators: splits, labels, and a cache that can be lost but never lies."""

import subprocess
import sys

import numpy as np
import pytest

from dlphys.datasets import _cache, load_earthquakes, load_ising
from dlphys.datasets._simulated import stratified
from dlphys.simulators import earthquakes, ising


def rows_of(data):
    spins = np.concatenate([data.x_train, data.x_validation, data.x_test])
    return sorted(lattice.tobytes() for lattice in spins.astype(np.int8))


def test_the_parts_hold_every_simulated_lattice_once():
    data = load_ising(260, size=8, seed=5)
    sample = ising.simulate(260, size=8, seed=5)
    assert rows_of(data) == sorted(lattice.tobytes() for lattice in sample.spins)


def test_labels_and_temperatures_belong_to_their_lattices():
    data = load_ising(260, size=8, seed=5)
    sample = ising.simulate(260, size=8, seed=5)
    for x, t, y in zip(data.x_test, data.extra_test["temperature"], data.y_test, strict=True):
        same = (sample.spins == x[..., 0]).all(axis=(1, 2))
        assert t in sample.temperature[same]
        assert y == (t < ising.CRITICAL_TEMPERATURE)


def test_every_temperature_has_its_share_of_every_part():
    """20 000 for training and validation, 6000 to test, as in the book; to one lattice at each temperature."""
    rows = stratified(np.arange(26_000) % 26, (2000, 6000), np.random.default_rng(1))
    assert [len(part) for part in rows] == [18_000, 2000, 6000]
    assert sorted(np.concatenate(rows)) == list(range(26_000))
    for part in rows:
        counts = np.bincount(part % 26, minlength=26)
        assert counts.max() - counts.min() <= 1


def test_the_parts_are_shuffled():
    rows = stratified(np.arange(2600) % 26, (200, 600), np.random.default_rng(1))
    for part in rows:
        groups = part % 26
        steps = np.diff(groups) % 26
        assert np.bincount(steps, minlength=26).max() < len(part) / 26 + 5 * np.sqrt(len(part) / 26)


def test_types_and_shapes_are_those_of_training(capsys):
    data = load_ising(260, size=8, seed=1)
    assert data.x_train.dtype == data.y_train.dtype == data.extra_train["temperature"].dtype == np.float32
    assert set(np.unique(data.x_train)) == {-1, 1}
    assert data.about.source == "simulated"
    assert capsys.readouterr().out == "ising: simulated\n"


def test_the_second_call_reads_the_same_bits_from_the_cache(capsys, cache):
    first, second, other = (
        load_ising(52, size=8, seed=1),
        load_ising(52, size=8, seed=1),
        load_ising(52, size=8, seed=2),
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["ising: simulated", "ising: simulated before, from the cache", "ising: simulated"]
    np.testing.assert_array_equal(first.x_train, second.x_train)
    np.testing.assert_array_equal(first.extra_test["temperature"], second.extra_test["temperature"])
    assert (first.x_train != other.x_train).any()
    assert len(list((cache / "simulated").iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"not an archive", None])
def test_a_damaged_cache_file_is_made_again(cache, damage, capsys):
    first = load_ising(52, size=8, seed=1)
    (path,) = (cache / "simulated").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(bytes(content) if damage is None else damage)
    again = load_ising(52, size=8, seed=1)
    np.testing.assert_array_equal(first.x_train, again.x_train)
    assert "from the cache" not in capsys.readouterr().out
    load_ising(52, size=8, seed=1)
    assert "from the cache" in capsys.readouterr().out


def test_a_changed_simulator_is_not_answered_from_the_cache(monkeypatch, capsys):
    load_ising(52, size=8, seed=1)
    monkeypatch.setattr(_cache, "code_hash", lambda module: "another version")
    load_ising(52, size=8, seed=1)
    assert "from the cache" not in capsys.readouterr().out


def test_the_version_of_a_simulator_includes_the_modules_it_uses(monkeypatch):
    import inspect

    before = _cache.code_hash(ising)
    read = inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda module: read(module) + "#" * (module.__name__ == "dlphys._random"))
    assert _cache.code_hash(ising) != before


def test_an_interrupted_write_leaves_nothing_behind(monkeypatch, cache):
    def interrupted(file, **arrays):
        file.write(b"half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_cache.np, "savez", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_ising(52, size=8, seed=1)
    assert list((cache / "simulated").iterdir()) == []
    load_ising(52, size=8, seed=1)


def test_a_cache_that_cannot_be_written_is_said_once_and_changes_nothing(tmp_path, monkeypatch, capsys):
    normal = load_ising(52, size=8, seed=1)
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("DLPHYS_CACHE_DIR", str(tmp_path / "file" / "cache"))
    capsys.readouterr()
    for _ in range(2):
        np.testing.assert_array_equal(load_ising(52, size=8, seed=1).x_train, normal.x_train)
    assert capsys.readouterr().out.count("the cache cannot be written") == 1


def test_a_generator_as_seed_goes_on_and_is_not_kept(cache):
    random = np.random.default_rng(1)
    first, second = load_ising(52, size=8, seed=random), load_ising(52, size=8, seed=random)
    assert (first.x_train != second.x_train).any()
    assert not (cache / "simulated").exists()


CHILD = """
import hashlib
from dlphys.datasets import load_ising
data = load_ising(2600, size=16, seed=7)
print(hashlib.sha256(data.x_train.tobytes()).hexdigest())
"""


def test_two_processes_may_fill_the_cache_at_once(cache):
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(2)
    ]
    outputs = [child.communicate(timeout=300)[0].split()[-1] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert outputs[0] == outputs[1]
    (path,) = (cache / "simulated").iterdir()
    assert _cache.load(path, ("up", "temperature")) is not None


def test_earthquakes_are_split_as_in_the_book():
    data = load_earthquakes(seed=1)
    assert [len(part) for part in (data.x_train, data.x_validation, data.x_test)] == [19_000, 1000, 1000]
    assert data.x_train.shape[1:] == (8,)
    assert data.y_train.shape[1:] == (2,)
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    assert data.about.columns == ("t_p1", "t_s1", "t_p2", "t_s2", "t_p3", "t_s3", "t_p4", "t_s4")


def test_earthquakes_are_those_of_the_simulator():
    data = load_earthquakes(210, seed=4, timing_error=0.01, preset="physics")
    quakes = earthquakes.simulate(210, seed=4, timing_error=0.01, preset="physics")
    np.testing.assert_array_equal(np.concatenate([data.x_train, data.x_validation, data.x_test]), quakes.times)
    np.testing.assert_array_equal(np.concatenate([data.y_train, data.y_validation, data.y_test]), quakes.epicentres)
    np.testing.assert_array_equal(data.extra_test["depth"], quakes.depth[-10:])


def test_p_waves_come_before_s_waves():
    """Columns of about.columns: t_p1, t_s1, ...; v_p > v_s."""
    data = load_earthquakes(2100, seed=1, preset="physics")
    assert (data.x_train[:, 1::2] > data.x_train[:, ::2]).all()


def test_the_two_seeds_of_one_set_differ_and_the_same_seed_does_not():
    first, same, other = (load_earthquakes(210, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x_train, same.x_train)
    assert (first.x_train != other.x_train).any()
