"""Wrong arguments to shards of events and to simulations at scale."""

from pathlib import Path

from dlphys.course import cluster
from dlphys.datasets import shards

HERE = Path(__file__).parent
NOWHERE = Path("no-such-folder")

CASES = [
    (shards.shard_seed, (-1, 0), {}, ValueError, r"seed must be at least 0, got -1"),
    (shards.shard_seed, (1, 0.5), {}, TypeError, r"number must be a whole number, got 0.5"),
    (shards.read_manifest, (HERE,), {}, FileNotFoundError, r"no manifest.json in .*: dlphys simulate SYSTEM"),
    (shards.write_manifest, (HERE, {}), {}, TypeError, r"manifest must be a Manifest, got {}"),
    (shards.read_shard, (HERE, "shard-00000.h5"), {}, TypeError, r"shard must be a Shard of a manifest"),
    (shards.read_shard, (HERE, shards.Shard("none.h5", 1, 1, "")), {}, FileNotFoundError, r"none.h5"),
    (shards.verify, (NOWHERE,), {}, FileNotFoundError, r"no manifest.json in no-such-folder"),
    (cluster.simulate, ("weather", 10, NOWHERE), {"seed": 1}, ValueError, r"system must be one of .*ising.*'weather'"),
    (cluster.simulate, ("ising", 0, NOWHERE), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (cluster.simulate, ("ising", 10, NOWHERE), {"seed": -1}, ValueError, r"seed must be at least 0"),
    (
        cluster.simulate,
        ("ising", 10, NOWHERE),
        {"seed": 1, "parameters": {"colour": 1}},
        ValueError,
        r"parameters must be among size, .*, got 'colour'",
    ),
    (
        cluster.simulate,
        ("ising", 10, NOWHERE),
        {"seed": 1, "parameters": {"size": 8.5}},
        TypeError,
        r"size must be a whole number, got 8.5",
    ),
    (
        cluster.simulate,
        ("ising", 10, NOWHERE),
        {"seed": 1, "parameters": {"temperature": {1.0, 2.0}}},
        TypeError,
        r"parameters must be what JSON can hold",
    ),
    (cluster.simulate, ("ising", 10, NOWHERE), {"seed": 1, "workers": 0}, ValueError, r"workers must be at least 1"),
    (
        cluster.simulate,
        ("ising", 10, NOWHERE),
        {"seed": 1, "workers": 2, "scheduler": "tcp://localhost:1"},
        ValueError,
        r"scheduler and workers exclude each other",
    ),
    (cluster.simulate, ("ising", 10, NOWHERE), {"seed": 1, "shard_events": 0}, ValueError, r"shard_events must be"),
    (cluster.simulate, ("ising", 10, HERE), {"seed": 1}, ValueError, r"folder must be empty or hold a run, but"),
]
