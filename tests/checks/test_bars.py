"""Bars are measured with seeds and stored with their spread."""

import json

import numpy as np
import pytest

from dlphys.checks import bars, engine


@pytest.mark.parametrize(("runs", "factor"), [(10, 3.981), (20, 3.295), (100, 2.684)])
def test_the_factor_is_that_of_the_published_tables(runs, factor):
    """One-sided tolerance factors for 99 % content and 95 % confidence (Natrella, NBS Handbook 91, table A-7)."""
    assert bars.tolerance_factor(runs) == pytest.approx(factor, abs=0.0015)


def test_the_bar_holds_for_99_percent_of_runs_with_95_percent_confidence():
    """2000 courses that each measure 10 normal runs: in 95 % of them the bar lies below the 1 % quantile."""
    values = np.random.default_rng(1).normal(size=(2000, 10))
    bar = values.mean(1) - bars.tolerance_factor(10) * values.std(1, ddof=1)
    share = np.mean(bar < -2.3263)
    assert abs(share - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)


@pytest.mark.parametrize(("better", "sign"), [("higher", -1), ("lower", 1)])
def test_measuring_stores_mean_spread_and_settings(toy, monkeypatch, tmp_path, better, sign):
    monkeypatch.setattr(bars, "FILE", tmp_path / "bars.json")
    bars._all.cache_clear()

    @engine.bar("99.1a", better=better, unit="km")
    def measure(seed):
        return 1.0 + 0.1 * seed

    ((id, source, result),) = bars.measure("ch99_toy", seeds=10)
    assert (id, source) == ("99.1a", "simulated")
    spread = np.std(1.0 + 0.1 * np.arange(1, 11), ddof=1)
    assert result.mean == pytest.approx(1.55)
    assert result.bar == pytest.approx(1.55 + sign * 3.9811 * spread, rel=1e-3)
    assert bars.stored("99.1a") == result
    assert result.fingerprint == bars.fingerprint("99.1a")
    assert json.loads((tmp_path / "bars.json").read_text())["99.1a"]["simulated"]["unit"] == "km"


def test_a_changed_reference_makes_the_stored_bar_stale(toy, monkeypatch, tmp_path):
    from dlphys.checks import references

    @engine.bar("99.1a", better="higher")
    def measure(seed):
        return 1.0

    before = bars.fingerprint("99.1a")
    changed = {**references.payload(""), "parameters": "POWER = 3"}
    monkeypatch.setattr(references, "payload", lambda stem: changed)
    assert bars.fingerprint("99.1a") != before


def test_a_bar_on_other_data_is_another_bar(toy, monkeypatch, tmp_path):
    monkeypatch.setattr(bars, "FILE", tmp_path / "bars.json")
    bars._all.cache_clear()
    engine.bar("99.1a", better="higher", source="real")(lambda seed: 0.9 + 0.001 * seed)
    list(bars.measure("ch99_toy", seeds=5))
    assert bars.stored("99.1a", "real").runs == 5
    with pytest.raises(LookupError, match="stand-in data"):
        bars.stored("99.1a", "stand-in")
