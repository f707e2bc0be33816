"""Jets a second, beside the goal and beside the plain shower in the same run."""

from __future__ import annotations

from typing import Any

from benchmarks import figure, first_call, rate
from dlphys.simulators import jets

GOAL = 3e5  # jets/s on two cores, images included
JETS, TOPS, FEW, PLAIN = 40_000, 20_000, 4000, 100


def with_images(n: int) -> None:
    sample = jets.simulate(n, seed=1)
    jets.jet_images(sample.constituents, sample.charge, normalised=True)


def plain(n: int) -> None:
    """Showers alone, without hadrons; half gluons, half quarks."""
    for i in range(n):
        jets.shower_plain(525.0, flavour=("gluon", "quark")[i % 2], seed=i)


def rows() -> list[dict[str, Any]]:
    top = {"kinds": ["qcd", "top"], "pt": [550.0, 650.0], "radius": 0.8, "contained": True, "preset": "physics"}
    tops = jets.simulate(FEW, seed=1, **top)
    unit = "jets/s"
    cold = "from dlphys.simulators import jets\njets.simulate(10, seed=1)"
    return [
        rate("jets, quark and gluon", lambda: jets.simulate(JETS, seed=1), JETS, unit=unit, goal=GOAL,
             plain=(lambda: plain(PLAIN), PLAIN), note="to hadrons; plain: showers only"),
        rate("jets, quark and gluon, with images", lambda: with_images(JETS), JETS, unit=unit, goal=GOAL,
             note="33 x 33 x 3"),
        rate("jets, top and QCD, detector", lambda: jets.simulate(TOPS, seed=1, **top), TOPS, unit=unit),
        rate("jets, bottom, tracks and vertices", lambda: jets.simulate_b_jets(TOPS, seed=1), TOPS, unit=unit),
        rate("jets, Z', eleven features", lambda: jets.simulate_zprime(FEW, seed=1), FEW, unit=unit),
        rate("jets, clustering trees", lambda: jets.clustering_tree(tops.constituents), FEW, unit=unit),
        rate("jets, N-subjettiness", lambda: jets.n_subjettiness(tops.constituents), FEW, unit=unit),
        figure("jets, first call", first_call(cold), "s", note="compiles: empty cache"),
    ]  # fmt: skip
