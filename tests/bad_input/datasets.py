"""Wrong arguments to every loader and to the functions behind `dlphys data`."""

import numpy as np

from dlphys import datasets
from dlphys.datasets import manage
from dlphys.datasets._higgs import load_higgs
from dlphys.datasets._top_tagging import load_top_tagging

CASES = [
    (datasets.load_wine, (), {"seed": -1}, ValueError, r"seed must be at least 0, got -1"),
    (datasets.load_wine, (), {"seed": 1.5}, TypeError, r"seed must be a whole number"),
    (datasets.load_wine, (), {"stand_in": "yes"}, TypeError, r"stand_in must be True, False or None, got 'yes'"),
    (datasets.load_mnist, (), {"validation": 0}, ValueError, r"validation must be between 1 and 59999, got 0"),
    (datasets.load_mnist, (), {"validation": 0.1}, TypeError, r"validation must be a whole number, got 0.1"),
    (datasets.load_mnist, (), {"stand_in": 1}, TypeError, r"stand_in must be True, False or None, got 1"),
    (datasets.load_fashion_mnist, (), {"validation": 60_000}, ValueError, r"validation must be between 1 and 59999"),
    (datasets.load_fashion_mnist, (), {"stand_in": "no"}, TypeError, r"stand_in must be True, False or None"),
    (datasets.load_cifar10, (), {"validation": 50_000}, ValueError, r"validation must be between 1 and 49999"),
    (datasets.load_cifar10, (), {"stand_in": 0}, TypeError, r"stand_in must be True, False or None, got 0"),
    (load_higgs, (1,), {"seed": 1}, ValueError, r"n must be between 2 and 10500000, got 1"),
    (load_higgs, (), {"seed": "x"}, TypeError, r"seed must be a whole number"),
    (load_higgs, (), {"seed": 1, "test": 500_001}, ValueError, r"test must be between 1 and 500000, got 500001"),
    (load_higgs, (), {"seed": 1, "validation": 1.0}, ValueError, r"validation must be a finite number in \(0, 1\)"),
    (
        load_higgs,
        (),
        {"seed": 1, "allow_download": "yes"},
        TypeError,
        r"allow_download must be True or False, got 'yes'",
    ),
    (load_higgs, (), {"seed": 1, "stand_in": 1}, TypeError, r"stand_in must be True, False or None, got 1"),
    (load_top_tagging, (0,), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (load_top_tagging, (), {"seed": None}, TypeError, r"seed must be a whole number"),
    (load_top_tagging, (), {"seed": 1, "validation": 2.5}, TypeError, r"validation must be a whole number, got 2.5"),
    (load_top_tagging, (), {"seed": 1, "test": -3}, ValueError, r"test must be at least 1, got -3"),
    (load_top_tagging, (), {"seed": 1, "constituents": 201}, ValueError, r"constituents must be between 1 and 200"),
    (load_top_tagging, (), {"seed": 1, "allow_download": 1}, TypeError, r"allow_download must be True or False, got 1"),
    (datasets.load_ising, (12,), {"seed": 1}, ValueError, r"n must be at least 13, got 12"),
    (datasets.load_ising, (52,), {"seed": "x"}, TypeError, r"seed must be a whole number"),
    (datasets.load_ising, (52,), {"seed": 1, "size": 1}, ValueError, r"size must be at least 2, got 1"),
    (datasets.load_ising, (52,), {"seed": 1, "test": 1.0}, ValueError, r"test must be a finite number in \(0, 1\)"),
    (datasets.load_ising, (52,), {"seed": 1, "test": 0.9, "validation": 0.2}, ValueError, r"validation must be"),
    (datasets.load_ising, (52,), {"seed": 1, "algorithm": "wolf"}, ValueError, r"algorithm must be one of .*'wolf'"),
    (datasets.load_ising, (52,), {"seed": 1, "temperature": 2.0}, ValueError, r"temperature must have 1 axes"),
    (datasets.load_ising, (52,), {"seed": 1, "temperature": [-1.0]}, ValueError, r"temperature must"),
    (datasets.load_earthquakes, (2,), {"seed": 1}, ValueError, r"n must be at least 3, got 2"),
    (datasets.load_earthquakes, (21,), {"seed": None}, TypeError, r"seed must be a whole number"),
    (
        datasets.load_earthquakes,
        (21,),
        {"seed": 1, "timing_error": -1.0},
        ValueError,
        r"timing_error must be .* s, got",
    ),
    (datasets.load_earthquakes, (21,), {"seed": 1, "preset": "moon"}, ValueError, r"preset must be one of .*'moon'"),
    (manage.list_data, ("mnst",), {}, ValueError, r"names must be 'all' or from .*mnist.*, got 'mnst'"),
    (manage.list_data, (3,), {}, TypeError, r"names must be 'all' or names of data sets, got 3"),
    (manage.list_data, (["karate"],), {}, ValueError, r"names must be 'all' or from .*, got 'karate'"),
    (manage.pull, ("ising", "."), {}, ValueError, r"names must be 'all' or from .*, got 'ising'"),
    (manage.pull, ("wine", 3), {}, TypeError, r"directory must be a path, got 3"),
    (manage.pull, ("wine", __file__), {}, ValueError, r"directory must be a folder, got the file"),
    (manage.verify, ("no such folder",), {}, ValueError, r"directory must be a folder that exists, got 'no such"),
    (manage.verify, (np.zeros(3),), {}, TypeError, r"directory must be a path, got an array"),
]
