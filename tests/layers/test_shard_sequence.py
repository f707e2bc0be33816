"""Batches from shards: every event once an epoch, in an order from the seed, with two shards in memory."""

import keras
import numpy as np
import pytest

from dlphys.course import cluster
from dlphys.datasets import shards
from dlphys.layers import ShardSequence

N, SHARD = 1000, 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("shards") / "run"
    cluster.simulate("earthquakes", N, path, seed=1, shard_events=SHARD)
    return path


@pytest.fixture(scope="module")
def events(folder):
    manifest = shards.read_manifest(folder)
    parts = [shards.read_shard(folder, shard) for shard in manifest.shards.values()]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def epoch(sequence):
    return [sequence[i] for i in range(len(sequence))]


def test_without_shuffling_the_batches_are_the_events_in_order(folder, events):
    sequence = ShardSequence(folder, x="times", y="epicentres", batch_size=64, shuffle=False, seed=1)
    batches = epoch(sequence)
    assert [len(x) for x, _ in batches] == [64] * 15 + [40]
    assert np.array_equal(np.concatenate([x for x, _ in batches]), events["times"])
    assert np.array_equal(np.concatenate([y for _, y in batches]), events["epicentres"])


def test_an_epoch_has_every_event_once_with_its_own_target(folder, events):
    sequence = ShardSequence(folder, x="times", y="epicentres", batch_size=64, seed=1)
    target = {x.tobytes(): y.tobytes() for x, y in zip(events["times"], events["epicentres"], strict=True)}
    for _ in range(2):
        seen = [(x.tobytes(), y.tobytes()) for xs, ys in epoch(sequence) for x, y in zip(xs, ys, strict=True)]
        assert dict(seen) == target
        assert len(seen) == N


def test_the_seed_decides_the_order_and_each_epoch_has_its_own(folder):
    first, same, other = (ShardSequence(folder, x="times", batch_size=64, seed=seed) for seed in (1, 1, 2))
    orders = [np.concatenate(epoch(sequence)) for sequence in (first, same, other)]
    assert np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])
    assert not np.array_equal(np.concatenate(epoch(first)), orders[0])


def test_shards_and_events_inside_them_are_shuffled(folder, events):
    place = {x.tobytes(): i for i, x in enumerate(events["times"])}
    rows = np.array([place[x.tobytes()] for x in np.concatenate(epoch(ShardSequence(folder, x="times", seed=4)))])
    visited = rows // SHARD
    assert np.count_nonzero(np.diff(visited)) == 6, "one shard after the other"
    assert not (np.diff(visited[np.append(True, np.diff(visited) != 0)]) > 0).all(), "in random order"
    inside = rows[visited == visited[0]] % SHARD
    assert abs(np.corrcoef(inside, np.arange(len(inside)))[0, 1]) < 0.4


def test_fit_reads_each_shard_once_an_epoch_and_holds_two(folder, monkeypatch):
    """Counting reads, and counting what is in memory after each of them."""
    held = []
    load = ShardSequence._load

    def counted(self, k):
        result = load(self, k)
        held.append(len(self._memory))
        return result

    monkeypatch.setattr(ShardSequence, "_load", counted)
    sequence = ShardSequence(folder, x="times", y="epicentres", batch_size=32, seed=1)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(sequence, epochs=3, shuffle=False, verbose=0)
    assert sequence.reads == 3 * 7
    assert max(held) == 2


def test_keras_shuffling_on_top_is_reported(folder):
    sequence = ShardSequence(folder, x="times", batch_size=32, seed=1)
    with pytest.warns(RuntimeWarning, match=r"shuffle=False"):
        _ = [sequence[int(i)] for i in np.random.default_rng(1).permutation(len(sequence))]


def test_fit_sees_every_event_once_an_epoch_in_a_new_order(folder, events):
    """Although Keras asks for the first batches several times: for their shapes, and ahead of an epoch."""
    place = {x.tobytes(): i for i, x in enumerate(events["times"])}
    seen = []

    class Spy(keras.Model):
        def train_step(self, data):
            seen.extend(place[x.tobytes()] for x in keras.ops.convert_to_numpy(data[0]))
            return {"loss": keras.ops.zeros(())}

    model = Spy()
    model.compile("sgd", run_eagerly=True)
    model.fit(
        ShardSequence(folder, x="times", y="epicentres", batch_size=32, seed=1), epochs=4, shuffle=False, verbose=0
    )
    epochs = np.reshape(seen, (4, N))
    assert all(sorted(one) == list(range(N)) for one in epochs)
    assert len({tuple(one) for one in epochs}) == 4


def test_training_and_validation_take_different_shards(folder, events):
    train = ShardSequence(folder, x="times", seed=1, shards=range(5))
    validation = ShardSequence(folder, x="times", seed=1, shards=[5, 6], shuffle=False)
    assert sum(map(len, epoch(train))) == 5 * SHARD
    assert np.array_equal(np.concatenate(epoch(validation)), events["times"][5 * SHARD :])


def test_several_fields_come_as_a_dict_and_a_transform_has_the_last_word(folder):
    def scaled(batch):
        x, y = batch
        return x, {"place": y / 45}

    sequence = ShardSequence(
        folder, x=["times", "depth"], y="epicentres", batch_size=10, seed=1, transform=scaled, shuffle=False
    )
    x, y = sequence[0]
    assert {name: array.shape for name, array in x.items()} == {"times": (10, 8), "depth": (10,)}
    assert np.abs(y["place"]).max() <= 1


def test_a_run_that_is_not_complete_is_refused(folder, tmp_path):
    manifest = shards.read_manifest(folder)
    del manifest.shards[3]
    shards.write_manifest(tmp_path, manifest)
    with pytest.raises(ValueError, match=r"must hold a complete run, got 6 of 7 shards"):
        ShardSequence(tmp_path, x="times", seed=1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": "energy"}, ValueError, "x must be among the fields times, epicentres, .*, got 'energy'"),
        ({"x": 3}, TypeError, "x must be the name of a field or a list of names, got 3"),
        ({"y": []}, TypeError, "y must be the name"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"shards": [7]}, ValueError, "shards must be some of 0 to 6"),
        ({"shards": [1, 1]}, ValueError, "shards must differ"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"transform": 1}, TypeError, "transform must be a function"),
    ],
)
def test_wrong_arguments_are_named(change, error, message, folder):
    with pytest.raises(error, match=message):
        ShardSequence(folder, **{"x": "times", "seed": 1, **change})


def test_a_batch_that_does_not_exist_is_an_index_error(folder):
    sequence = ShardSequence(folder, x="times", seed=1)
    with pytest.raises(IndexError, match="index must be below 8, got 8"):
        sequence[8]
