"""The calorimeter's face: shapes, presets, edges, and the compiled version against the readable one."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from dlphys import _blocks
from dlphys.simulators import calorimeter

SHAPES = {"book": (15, 15, 7), "calogan": (504,), "calochallenge": (45, 16, 9)}
FIELDS = [field.name for field in dataclasses.fields(calorimeter.CalorimeterShowers)]


@pytest.mark.parametrize("geometry", SHAPES)
def test_shapes_and_types(geometry):
    showers = calorimeter.simulate(5, seed=1, geometry=geometry)
    assert showers.voxels.shape == (5, *SHAPES[geometry])
    assert calorimeter.voxel_shape(geometry) == SHAPES[geometry]
    assert showers.impact.shape == (5, 2)
    assert showers.proton.dtype == bool
    for name in FIELDS:
        array = getattr(showers, name)
        assert len(array) == 5
        assert array.dtype in (np.float32, bool)
        assert np.isfinite(array).all()
    assert (showers.voxels >= 0).all()


@pytest.mark.parametrize("geometry", SHAPES)
@pytest.mark.parametrize("particle", ["electron", "both"])
def test_threads_and_number_of_events_change_nothing(geometry, particle, monkeypatch):
    """Same bits from one thread and from four; the first events do not depend on n."""
    many = calorimeter.simulate(1100, seed=3, geometry=geometry, particle=particle)
    few = calorimeter.simulate(300, seed=3, geometry=geometry, particle=particle)
    monkeypatch.setattr(_blocks, "thread_count", lambda: 4)
    threaded = calorimeter.simulate(1100, seed=3, geometry=geometry, particle=particle)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(many, name)[:300], getattr(few, name))
        np.testing.assert_array_equal(getattr(many, name), getattr(threaded, name))


def test_energies_go_in_turn_or_follow_the_spectrum():
    np.testing.assert_array_equal(calorimeter.simulate(7, seed=1).energy, [32, 70, 90, 32, 70, 90, 32])
    chosen = calorimeter.simulate(600, seed=1, energy=[5.0, 6.0]).energy  # over the edge of blocks
    np.testing.assert_array_equal(chosen, np.resize([5.0, 6.0], 600))
    uniform = calorimeter.simulate(3000, seed=2, geometry="calogan", stochastic_term=1.0).energy.astype(float)
    assert stats.kstest((uniform - 1) / 99, "uniform").pvalue > 1e-3
    wide = calorimeter.simulate(2000, seed=2, geometry="calochallenge", stochastic_term=1.0).energy.astype(float)
    assert stats.kstest(np.log10(wide) / 3, "uniform").pvalue > 1e-3


def test_protons_need_their_lowest_energy_also_from_the_spectrum():
    assert calorimeter.simulate(3000, seed=2, geometry="calogan", particle="both").energy.min() >= 5.0


def test_electrons_have_no_hadronic_part_and_both_are_mixed():
    mixed = calorimeter.simulate(4000, seed=4, energy=50.0, particle="both")
    electrons = ~mixed.proton
    assert (mixed.start[electrons] == 0).all()
    assert (mixed.electromagnetic[electrons] == 1).all()
    assert (mixed.start[mixed.proton] > 0).all()
    assert (mixed.electromagnetic[mixed.proton] < 1).all()
    assert abs(mixed.proton.mean() - 0.5) < 4 * 0.5 / np.sqrt(4000)


def test_threshold_empties_cells_and_changes_nothing_else():
    low = calorimeter.simulate(50, seed=5, threshold=0.0).voxels
    high = calorimeter.simulate(50, seed=5, threshold=50.0).voxels
    np.testing.assert_array_equal(high, np.where(low >= np.float32(0.050), low, 0))
    assert (low[low > 0] < 0.05).any()


def test_beam_moves_over_its_square_and_takes_the_shower_along():
    wide = calorimeter.simulate(2000, seed=6, energy=70.0, beam_width=4.0)
    assert np.abs(wide.impact).max() <= 2.0
    x = np.arange(15) - 7.0
    rows = wide.voxels.sum((2, 3), dtype=float)
    center = (rows * x).sum(1) / rows.sum(1)
    assert np.corrcoef(center, wide.impact[:, 0])[0, 1] > 0.9
    assert abs(np.corrcoef(center, wide.impact[:, 1])[0, 1]) < 4 / np.sqrt(2000)
    assert (calorimeter.simulate(5, seed=6, beam_width=0.0).impact == 0).all()


@pytest.mark.parametrize("geometry", SHAPES)
def test_compiled_and_readable_versions_agree(geometry):
    """Energies of single cells, `simulate` and `deposit` of `expected_voxels`: two-sample Kolmogorov-Smirnov."""
    n, energy = 1500, 10.0
    showers = calorimeter.simulate(n, seed=7, geometry=geometry, energy=energy, beam_width=0.0)
    other = calorimeter.simulate(n, seed=8, geometry=geometry, energy=energy, beam_width=0.0)
    means = np.concatenate(
        [
            calorimeter.expected_voxels(
                energy,
                geometry=geometry,
                maximum_depth=other.maximum_depth[part],
                profile_shape=other.profile_shape[part],
            ).reshape(len(part), -1)[:, : 3 * 225 * 7]
            for part in np.array_split(np.arange(n), 10)
        ]
    )
    chosen = np.argsort(means.mean(0))[[-1, -5, -20, -60, -150]]
    plain = calorimeter.deposit(means[:, chosen], seed=9, geometry=geometry)
    ours = showers.voxels.reshape(n, -1)[:, chosen]
    for one, two in zip(ours.T, plain.T, strict=True):
        assert stats.ks_2samp(one, two).pvalue > 1e-4


def test_splitting_gives_every_cell_once():
    showers = calorimeter.simulate(3, seed=1, geometry="calogan")
    layers = calorimeter.split_layers(showers.voxels)
    assert [layer.shape for layer in layers] == [(3, 3, 96), (3, 12, 12), (3, 12, 6)]
    np.testing.assert_array_equal(np.concatenate([layer.reshape(3, -1) for layer in layers], 1), showers.voxels)
    book = calorimeter.simulate(3, seed=1)
    np.testing.assert_array_equal(np.stack(calorimeter.split_layers(book.voxels, geometry="book"), -1), book.voxels)


def test_signal_is_linear_in_the_hadronic_response():
    """The same protons with 0, 1/2 and 1: the middle one is the mean of the others, up to the spots, 4 sigma."""
    settings = {"seed": 9, "geometry": "calogan", "particle": "proton", "threshold": 0.0}
    none, half, full = (calorimeter.simulate(500, **settings, hadronic_response=r) for r in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(none.electromagnetic, full.electromagnetic)
    low, middle, high = (float(showers.voxels.sum(dtype=float)) for showers in (none, half, full))
    error = 0.10 * np.sqrt(middle + 0.25 * (low + high))
    assert abs(middle - 0.5 * (low + high)) < 4 * error
    assert high - low > 100 * error


def test_lowest_and_highest_energies_work():
    for energy in (1.0, 10_000.0):
        showers = calorimeter.simulate(50, seed=1, energy=energy, geometry="calochallenge")
        assert 0.5 * energy < showers.voxels.sum((1, 2, 3)).mean() < 1.2 * energy


def test_memory_beyond_the_result_is_a_few_blocks():
    """Design, section 3."""
    tracemalloc.start()
    try:
        showers = calorimeter.simulate(4000, seed=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - sum(getattr(showers, name).nbytes for name in FIELDS) < 10e6


def test_constants_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        calorimeter.SENSOR_DEPTHS[0] = 1.0
