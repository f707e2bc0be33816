"""White wine: the real table, and a stand-in with its statistics."""

import numpy as np
import pytest

from dlphys.datasets import _wine, load_wine
from dlphys.datasets._registry import registry

# published: UCI file, reference/simulators.md section 11
MEAN = [6.855, 0.278, 0.334, 6.391, 0.0458, 35.31, 138.36, 0.99403, 3.188, 0.490, 10.514, 5.878]
DEVIATION = [0.844, 0.101, 0.121, 5.072, 0.0218, 17.01, 42.50, 0.00299, 0.151, 0.114, 1.231, 0.886]
WITH_QUALITY = [-0.114, -0.195, -0.009, -0.098, -0.210, 0.008, -0.175, -0.307, 0.099, 0.054, 0.436]
COUNTS = [20, 163, 1457, 2198, 880, 175, 5]
N = 4898


@pytest.fixture(scope="module")
def table():
    return _wine.make_stand_in()["table"]


def linear_correlation(data):
    """Correlation of the least-squares fit of training and validation set with the test set."""
    x = np.concatenate([data.x_train, data.x_validation])
    y = np.concatenate([data.y_train, data.y_validation])
    weights = np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), y)[0]
    return np.corrcoef(weights[0] + data.x_test @ weights[1:], data.y_test)[0, 1]


def test_the_parts_are_a_shuffle_of_all_wines(table):
    data = load_wine(stand_in=True)
    assert [len(part) for part in (data.x_train, data.x_validation, data.x_test)] == [2500, 500, 1898]
    assert data.x_train.dtype == data.y_train.dtype == np.float64
    assert data.about.columns == registry()["wine"].columns[:-1]
    assert tuple(data.about.units) == data.about.columns
    rows = np.column_stack(
        [
            np.concatenate([data.x_train, data.x_validation, data.x_test]),
            np.concatenate([data.y_train, data.y_validation, data.y_test]),
        ]
    )
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], table[np.lexsort(table.T)])


def test_the_seed_decides_the_split_and_nothing_else():
    first, same, other = (load_wine(seed=seed, stand_in=True) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.x_test, same.x_test)
    assert (first.x_test != other.x_test).any()
    generator = load_wine(seed=np.random.default_rng(3), stand_in=True)
    np.testing.assert_array_equal(first.x_test, generator.x_test)


def test_the_stand_in_has_the_published_means_and_deviations(table):
    """Within 4 sampling deviations of 4898 wines; that of a standard deviation follows from the fourth moment."""
    assert (np.abs(table.mean(0) - MEAN) < 4 * np.array(DEVIATION) / np.sqrt(N)).all()
    fourth = ((table - table.mean(0)) ** 4).mean(0) / table.var(0) ** 2
    error = np.array(DEVIATION) * np.sqrt((fourth - 1) / (4 * N))
    assert (np.abs(table.std(0, ddof=1) - DEVIATION) < 4 * error).all()


def test_the_stand_in_has_the_published_correlations_with_quality(table):
    correlation = np.corrcoef(table.T)[11, :11]
    error = (1 - np.array(WITH_QUALITY) ** 2) / np.sqrt(N)
    assert (np.abs(correlation - WITH_QUALITY) < 4 * error).all()
    assert registry()["wine"].columns[np.abs(correlation).argmax()] == "alcohol"


def test_the_stand_in_has_the_number_of_wines_of_each_quality(table):
    values, counts = np.unique(table[:, 11], return_counts=True)
    assert values.tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert counts.tolist() == COUNTS


def test_the_stand_in_respects_what_the_quantities_are(table):
    assert (table[:, :11] >= 0).all()
    assert (table[:, 5] <= table[:, 6]).all(), "free sulfur dioxide is part of the total"
    assert np.allclose(table[:, 10] * 10, np.rint(table[:, 10] * 10)), "alcohol is given to 0.1 %"


def test_the_stand_in_is_as_hard_for_a_linear_fit_as_real_wine():
    """Real wine: 0.531 with intercept. Mean of ten splits; one scatters by 0.016 = (1 - r^2) / sqrt(1898)."""
    correlations = [linear_correlation(load_wine(seed=seed, stand_in=True)) for seed in range(10)]
    assert 0.515 < np.mean(correlations) < 0.54


def test_the_stand_in_rewards_a_curved_model_as_real_wine_does():
    """Boosted trees reach 0.67 on real wine, with the duplicates; the linear fit 0.53."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    data = load_wine(stand_in=True)
    model = HistGradientBoostingRegressor(max_iter=60, random_state=0).fit(data.x_train, data.y_train)
    curved = np.corrcoef(model.predict(data.x_test), data.y_test)[0, 1]
    assert linear_correlation(data) + 0.03 < curved < 0.67


@pytest.mark.real_data
def test_the_real_table_is_the_published_one(real_mirror):
    data = load_wine(stand_in=False)
    x = np.concatenate([data.x_train, data.x_validation, data.x_test])
    y = np.concatenate([data.y_train, data.y_validation, data.y_test])
    rows = np.column_stack([x, y])
    assert rows.shape == (N, 12)
    assert np.bincount(y.astype(int))[3:].tolist() == COUNTS
    assert N - len(np.unique(rows, axis=0)) == 937
    np.testing.assert_allclose(rows.mean(0), MEAN, rtol=2e-3)
    np.testing.assert_allclose(rows.std(0, ddof=1), DEVIATION, rtol=5e-3)
    np.testing.assert_allclose(np.corrcoef(rows.T)[11, :11], WITH_QUALITY, atol=6e-4)


@pytest.mark.real_data
def test_the_real_file_has_the_registered_hash(real_mirror):
    import os

    from dlphys.datasets import manage

    (row,) = (row for row in manage.verify(os.environ["DLPHYS_DATA_DIR"]) if row.name == "wine")
    assert row.status == "the registered sha256"


@pytest.mark.real_data
def test_the_stand_in_has_all_correlations_of_the_real_table(real_mirror, table):
    data = load_wine(stand_in=False)
    x = np.concatenate([data.x_train, data.x_validation, data.x_test])
    y = np.concatenate([data.y_train, data.y_validation, data.y_test])
    difference = np.corrcoef(table.T) - np.corrcoef(np.column_stack([x, y]).T)
    assert np.abs(difference).max() < 0.02
