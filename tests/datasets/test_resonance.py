"""The sets made with the resonance simulators."""

import numpy as np
import pytest

from dlphys.datasets._resonance import load_dijets, load_tth
from dlphys.simulators import resonance


def joined(data, kind, key=None):
    parts = [getattr(data, f"{kind}_{part}") for part in ("train", "validation", "test")]
    return np.concatenate([part if key is None else part[key] for part in parts])


def test_dijets_are_those_of_the_simulator():
    data = load_dijets(2000, seed=1, rho=0.4, signal_fraction=0.2)
    events = resonance.simulate(2000, seed=1, rho=0.4, signal_fraction=0.2)
    np.testing.assert_allclose(joined(data, "x") * [100, 1], events.features, rtol=1e-6)
    np.testing.assert_array_equal(joined(data, "y"), events.label)
    np.testing.assert_array_equal(joined(data, "extra", "mass"), events.mass)
    assert data.x_train.dtype == data.y_train.dtype == data.extra_train["mass"].dtype == np.float32
    assert [len(x) for x in (data.x_train, data.x_validation, data.x_test)] == [1000, 500, 500]


def test_the_default_signal_is_hidden_before_and_found_after_the_optimal_cut():
    """Docstring: S / sqrt(B) = 3 for 100 000 events; the exact ratio makes it several times larger."""
    data = load_dijets(seed=2)
    mass, y = data.extra_train["mass"], data.y_train
    inside = (mass > 3.3) & (mass < 3.7)
    before = y[inside].sum() / np.sqrt((y[inside] == 0).sum())
    assert before == pytest.approx(3.0, abs=1.0)
    ratio = resonance.feature_log_ratio(mass, data.x_train * np.float32([100, 1]))
    chosen = inside & (ratio > 0)
    after = y[chosen].sum() / np.sqrt((y[chosen] == 0).sum())
    assert 3 < after / before < 1.3 * resonance.optimal_improvement(np.linspace(0.01, 1, 100)).max()


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_tth_is_that_of_the_simulator(preset):
    data = load_tth(600, seed=3, preset=preset)
    events = resonance.simulate_tth(600, seed=3, preset=preset)
    jets, event = joined(data, "x", "jets"), joined(data, "x", "event")
    assert jets.dtype == event.dtype == np.float32
    np.testing.assert_allclose(100 * jets[..., 0], events.jets[..., 0], rtol=1e-6)
    there = events.jets[..., 0] > 0
    np.testing.assert_allclose(np.arctan2(jets[..., 3], jets[..., 2])[there], events.jets[..., 2][there], atol=1e-5)
    assert not jets[~there].any()
    np.testing.assert_array_equal(joined(data, "y"), events.parent)
    np.testing.assert_allclose(100 * event[:, 3:], events.missing, rtol=1e-5, atol=1e-4)
    assert np.isfinite(event).all()
    assert (event[:, 0] > 0).all() == (preset == "physics")


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_the_number_of_the_assignment_is_its_row(preset):
    data = load_tth(600, seed=4, preset=preset)
    number, parent, count = joined(data, "extra", "assignment"), joined(data, "y"), joined(data, "extra", "count")
    table = resonance.assignments(preset)
    fits = count == table.shape[1]
    np.testing.assert_array_equal(table[number[fits]], parent[fits][:, : table.shape[1]])
    # with a seventh jet of radiation behind the six, the first six still are a row; otherwise it is -1
    assert (number[fits] >= 0).all()
    assert set(number) <= set(range(-1, len(table)))


def test_tth_is_kept_in_the_cache(capsys):
    first, second = load_tth(60, seed=5), load_tth(60, seed=5)
    assert capsys.readouterr().out.splitlines() == ["tth: simulated", "tth: simulated before, from the cache"]
    np.testing.assert_array_equal(first.x_train["jets"], second.x_train["jets"])
