"""The earthquake simulator against printed data, closed forms and statistics."""

import numpy as np
import pytest
from scipy import stats

from dlphys.simulators.earthquakes import (
    CRUST_P_SPEED,
    CRUST_S_SPEED,
    STATION_OFFSETS,
    STATIONS,
    cramer_rao,
    plate_border,
    simulate,
    travel_times,
    triangulate,
)

CRUST = {"v_p": CRUST_P_SPEED, "v_s": CRUST_S_SPEED}

# Table 7.1 of "Deep Learning for Physics Research": x, y (km), then t_p, t_s (s) at stations 1 to 4.
TABLE = np.array(
    [
        (-15.5, -34.6, 6.52, 9.00, 7.25, 10.32, 3.39, 4.98, 5.06, 7.06),
        (3.8, -7.7, 3.31, 4.51, 2.59, 3.79, 1.79, 2.75, 0.95, 1.30),
        (-0.2, 29.1, 3.17, 4.31, 3.00, 4.37, 5.54, 8.00, 5.77, 8.06),
        (-16.4, -25.4, 5.23, 7.21, 6.22, 8.87, 2.17, 3.27, 4.37, 6.09),
    ]
)


def test_book_table_is_reproduced():
    """Table 7.1: all 32 times to 0.02 s. The printed positions are rounded to 0.1 km, which alone is up to 0.014 s."""
    times = travel_times(TABLE[:, :2]) + STATION_OFFSETS
    np.testing.assert_allclose(times.reshape(4, 8), TABLE[:, 2:], rtol=0, atol=0.02)


def test_book_table_lies_on_our_plate_border():
    """The four printed epicentres are within 5 km, about one scatter of 4 km, of the border that we had to invent."""
    assert np.abs(TABLE[:, 0] - plate_border(TABLE[:, 1])).max() < 5.0


def test_least_squares_finds_the_printed_epicentres():
    """Table 7.1: times rounded to 0.01 s and positions to 0.1 km, so 0.1 km at most between them."""
    fitted = triangulate(TABLE[:, 2:], offsets=STATION_OFFSETS)
    assert np.linalg.norm(fitted - TABLE[:, :2], axis=1).max() < 0.1


def test_depth_agrees_with_the_reference_earth_model():
    """iasp91 by TauP: source at 10 km depth, 0.3 degrees away, P 6.00 s and S 10.36 s, in the uniform upper crust.

    On the sphere the straight ray is d^2 = h^2 + 4 r (r - h) sin^2(angle / 2), so it is that of a flat crust at
    the horizontal distance of the second term.
    """
    radius, depth = 6371.0, 10.0
    horizontal = 2.0 * np.sqrt(radius * (radius - depth)) * np.sin(np.radians(0.3) / 2.0)
    times = travel_times([[horizontal, 0.0]], [[0.0, 0.0]], depth=depth, **CRUST)[0, 0]
    np.testing.assert_allclose(times, [6.00, 10.36], rtol=0, atol=0.0051)
    # The arc of 33.4 km taken as flat: 0.2 % more.
    flat = travel_times([[33.4, 0.0]], [[0.0, 0.0]], depth=depth, **CRUST)[0, 0]
    np.testing.assert_allclose(flat, np.hypot(33.4, 10.0) / np.array([5.8, 3.36]), rtol=1e-12)
    np.testing.assert_allclose(flat, [6.00, 10.36], rtol=0, atol=0.02)


@pytest.mark.parametrize(("v_p", "v_s", "poisson"), [(7.0, 5.0, -0.02), (CRUST_P_SPEED, CRUST_S_SPEED, 0.25)])
def test_speeds_belong_to_the_poisson_ratios_of_the_docstring(v_p, v_s, poisson):
    """Elasticity: nu = (r^2 - 2) / (2 (r^2 - 1)) with r = v_p / v_s."""
    ratio = (v_p / v_s) ** 2
    assert (ratio - 2) / (2 * (ratio - 1)) == pytest.approx(poisson, abs=0.005)


def test_rotating_the_earthquake_by_a_right_angle_permutes_the_stations():
    """The stations are the corners of a square: a quarter turn carries station 1 to 3, 3 to 4, 4 to 2 and 2 to 1."""
    epicentres = np.random.default_rng(1).uniform(-45, 45, (100, 2))
    turned = np.column_stack([-epicentres[:, 1], epicentres[:, 0]])  # anticlockwise
    np.testing.assert_allclose(
        travel_times(turned)[:, [2, 3, 1, 0]], travel_times(epicentres)[:, [0, 2, 3, 1]], rtol=1e-13
    )


def test_translations_rotations_and_scaling_of_the_whole_map():
    """Only distances enter, and times are proportional to them."""
    random = np.random.default_rng(2)
    epicentres, stations = random.uniform(-45, 45, (50, 2)), random.uniform(-45, 45, (7, 2))
    times = travel_times(epicentres, stations, depth=5.0)
    shift, angle = np.array([12.0, -7.0]), 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = travel_times(epicentres @ turn + shift, stations @ turn + shift, depth=5.0)
    np.testing.assert_allclose(moved, times, rtol=1e-12)
    np.testing.assert_allclose(travel_times(3 * epicentres, 3 * stations, depth=15.0), 3 * times, rtol=1e-12)


def test_gradient_of_the_travel_time_points_away_from_the_station():
    """grad t = (r - r_k) / (d v): unit vector over speed on the surface, central differences of 1 m."""
    epicentres = np.random.default_rng(3).uniform(-45, 45, (200, 2))
    step = 1e-3
    gradient = np.stack(
        [(travel_times(epicentres + step * e) - travel_times(epicentres - step * e)) / (2 * step) for e in np.eye(2)],
        axis=-1,
    )
    away = epicentres[:, None] - STATIONS
    distance = np.linalg.norm(away, axis=-1, keepdims=True)
    for wave, speed in enumerate((7.0, 5.0)):
        # The third derivative of a distance is about 1 / d^2.
        tolerance = step**2 / distance**2 + 1e-10
        assert (np.abs(gradient[:, :, wave] - away / distance / speed) < tolerance).all()


def test_epicentres_scatter_about_the_border_as_documented():
    """y uniform over the map and x Gaussian about the border: Kolmogorov-Smirnov, 50 000 events."""
    x, y = simulate(50_000, seed=4).epicentres.astype(float).T
    assert stats.kstest(y, stats.uniform(-45, 90).cdf).pvalue > 1e-3
    assert stats.kstest(x - plate_border(np.clip(y, -45, 45)), stats.norm(0, 4).cdf).pvalue > 1e-3


def test_depth_and_origin_time_follow_their_densities_and_nothing_else():
    """6 u (1 - u) is Beta(2, 2); the origin time is uniform; neither is correlated with the place."""
    quakes = simulate(50_000, seed=5, preset="physics")
    assert stats.kstest(quakes.depth / 20.0, stats.beta(2, 2).cdf).pvalue > 1e-3
    assert stats.kstest(quakes.origin_time / 10.0, stats.uniform.cdf).pvalue > 1e-3
    columns = np.column_stack([quakes.epicentres[:, 1], quakes.depth, quakes.origin_time])
    correlation = np.corrcoef(columns.T)[np.triu_indices(3, 1)]
    assert np.abs(correlation).max() < 4 / np.sqrt(50_000)


def test_timing_errors_are_independent_gaussians_of_the_given_width():
    """Differences to the noiseless times of the same seed: normal, uncorrelated between channels and between blocks."""
    n = 50_000
    noise = (simulate(n, seed=6, timing_error=0.02).times - simulate(n, seed=6).times) / 0.02
    for channel in noise.T:
        assert stats.kstest(channel, stats.norm.cdf).pvalue > 1e-4
    assert np.abs(np.corrcoef(noise.T)[np.triu_indices(8, 1)]).max() < 4 / np.sqrt(n)
    assert abs(np.corrcoef(noise[:8192, 0], noise[8192:16384, 0])[0, 1]) < 4 / np.sqrt(8192)


def test_offsets_are_the_same_for_every_event():
    """Table 7.1 shows no noise from event to event: least squares with the offsets known is exact to float32."""
    quakes = simulate(5000, seed=7)
    fitted = triangulate(quakes.times, offsets=STATION_OFFSETS)
    assert np.linalg.norm(fitted - quakes.epicentres, axis=1).max() < 1e-4


def test_textbook_fit_without_offsets_is_biased_by_two_hundred_metres():
    """Linearised least squares: bias = (J^T J)^-1 J^T offsets, for each event, and in the median 0.22 km."""
    quakes = simulate(5000, seed=8)
    bias = triangulate(quakes.times) - quakes.epicentres
    away = quakes.epicentres[:, None] - STATIONS
    distance = np.linalg.norm(away, axis=-1)
    keep = distance.min(1) > 5.0  # the linear formula needs a bias much smaller than the distance
    jacobian = ((away / distance[..., None])[:, :, None] / np.array([7.0, 5.0])[:, None]).reshape(-1, 8, 2)
    linear = np.linalg.pinv(jacobian) @ STATION_OFFSETS.ravel()
    assert np.median(np.linalg.norm(bias - linear, axis=1)[keep]) < 0.01
    assert np.median(np.linalg.norm(bias, axis=1)) == pytest.approx(0.22, abs=0.01)


@pytest.mark.parametrize(
    "unknown", [{}, {"origin_time": True}, {"fit_depth": True}, {"origin_time": True, "fit_depth": True}]
)
def test_least_squares_reaches_the_cramer_rao_bound(unknown):
    """Efficiency of maximum likelihood: rms error / bound in [0.95, 1.1], and chi^2 of two degrees of freedom.

    10 000 events know the mean of chi^2 / 2 to 1 %, and a uniform distribution of its probability tells more.
    """
    quakes = simulate(10_000, seed=9, preset="physics", timing_error=0.01)
    times, known = quakes.times.astype(float), {}
    if "origin_time" not in unknown:
        times -= quakes.origin_time[:, None]
    if "fit_depth" not in unknown:
        known["depth"] = quakes.depth
    fitted = triangulate(times, **CRUST, **known, **unknown)
    error = fitted - quakes.epicentres
    bound = cramer_rao(quakes.epicentres, timing_error=0.01, depth=quakes.depth, **CRUST, **unknown)
    ratio = np.sqrt((error**2).sum() / np.trace(bound, axis1=1, axis2=2).sum())
    assert 0.95 < ratio < 1.1
    chi_squared = np.einsum("ni,nij,nj->n", error, np.linalg.inv(bound), error)
    assert abs(chi_squared.mean() / 2 - 1) < 4 / np.sqrt(len(error))
    assert stats.kstest(chi_squared, stats.chi2(2).cdf).pvalue > 1e-3
    assert (np.abs(error.mean(0)) < 4 * error.std(0) / np.sqrt(len(error))).all(), "unbiased"


@pytest.mark.parametrize("timing_error", [0.005, 0.020])
def test_least_squares_reaches_the_bound_on_the_book_data_with_noise(timing_error):
    """As above for the course's own set, offsets known."""
    quakes = simulate(10_000, seed=10, timing_error=timing_error)
    error = triangulate(quakes.times, offsets=STATION_OFFSETS) - quakes.epicentres
    bound = cramer_rao(quakes.epicentres, timing_error=timing_error)
    assert 0.95 < np.sqrt((error**2).sum() / np.trace(bound, axis1=1, axis2=2).sum()) < 1.1


def test_distance_error_at_the_centre_is_a_rayleigh_distribution():
    """By symmetry both axes have sigma^2 = timing_error^2 / (2 (1 / v_p^2 + 1 / v_s^2)); mean and rms follow."""
    n, timing_error = 20_000, 0.01
    random = np.random.default_rng(11)
    times = travel_times(np.zeros((n, 2))).reshape(n, 8) + timing_error * random.standard_normal((n, 8))
    distance = np.linalg.norm(triangulate(times), axis=1)
    sigma = timing_error / np.sqrt(2 * (1 / 7**2 + 1 / 5**2))
    np.testing.assert_allclose(
        cramer_rao([[0.0, 0.0]], timing_error=timing_error)[0], sigma**2 * np.eye(2), rtol=1e-12, atol=1e-18
    )
    assert stats.kstest(distance, stats.rayleigh(scale=sigma).cdf).pvalue > 1e-3
    mean_error = sigma * np.sqrt((2 - np.pi / 2) / n)
    assert abs(distance.mean() - sigma * np.sqrt(np.pi / 2)) < 4 * mean_error
    assert abs(np.sqrt((distance**2).mean()) - sigma * np.sqrt(2)) < 4 * sigma / np.sqrt(2 * n)


def test_cramer_rao_bound_is_the_inverse_of_the_numerical_fisher_information():
    """Finite differences of travel_times by all four parameters, then the block of the epicentre."""
    epicentres, depths = np.random.default_rng(12).uniform(-40, 40, (20, 2)), np.linspace(3.0, 18.0, 20)
    step, timing_error = 1e-4, 0.03
    for fit_depth in (False, True):
        for origin_time in (False, True):
            bound = cramer_rao(
                epicentres,
                timing_error=timing_error,
                depth=depths,
                fit_depth=fit_depth,
                origin_time=origin_time,
                **CRUST,
            )
            for epicentre, depth, covariance in zip(epicentres, depths, bound, strict=True):

                def times(parameters):
                    return travel_times([parameters[:2]], depth=parameters[2], **CRUST).ravel()

                at = np.array([*epicentre, depth])
                jacobian = [(times(at + step * e) - times(at - step * e)) / (2 * step) for e in np.eye(3)]
                jacobian = jacobian[: 3 if fit_depth else 2] + [np.ones(8)] * origin_time
                information = np.array(jacobian) @ np.array(jacobian).T / timing_error**2
                np.testing.assert_allclose(covariance, np.linalg.inv(information)[:2, :2], rtol=1e-5)


def test_every_unknown_makes_the_bound_larger():
    """Marginalising over one more parameter adds a positive semidefinite matrix."""
    quakes = simulate(500, seed=13, preset="physics")
    options = {"timing_error": 0.01, "depth": quakes.depth, **CRUST}
    known = cramer_rao(quakes.epicentres, **options)
    origin = cramer_rao(quakes.epicentres, origin_time=True, **options)
    both = cramer_rao(quakes.epicentres, origin_time=True, fit_depth=True, **options)
    for smaller, larger in ((known, origin), (origin, both)):
        assert (np.linalg.eigvalsh(larger - smaller) > -1e-12 * np.trace(larger, axis1=1, axis2=2)[:, None]).all()
        assert np.trace(larger, axis1=1, axis2=2).mean() > 1.05 * np.trace(smaller, axis1=1, axis2=2).mean()


def test_the_bound_scales_with_the_square_of_the_timing_error():
    """Fisher information of Gaussian noise."""
    place = np.array([[20.0, -30.0]])
    np.testing.assert_allclose(
        cramer_rao(place, timing_error=0.05), 25 * cramer_rao(place, timing_error=0.01), rtol=1e-12
    )
