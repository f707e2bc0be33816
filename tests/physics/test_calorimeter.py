"""The calorimeter against the constants of its source, closed integrals and statistics."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from dlphys.simulators import _calorimeter_kernels as kernels
from dlphys.simulators import calorimeter
from dlphys.simulators._calorimeter_detectors import DETECTORS, LEAD_ARGON, TUNGSTEN_CRITICAL

OPEN = {"threshold": 0.0}  # the exact moments are those before the threshold


def pull(sample, expected, spread):
    """Deviation of a mean from its expectation in standard errors."""
    return (sample.mean(0) - expected) / (spread / np.sqrt(len(sample)))


def test_critical_energy_of_tungsten_is_that_of_the_source():
    """hep-ex/0001020: 2.66 MeV (X0 Z / A)^1.1 with 6.76 g/cm^2, 74, 183.84 is 8.000 MeV."""
    assert pytest.approx(8.000, abs=5e-4) == TUNGSTEN_CRITICAL


def test_depths_of_maximum_and_of_gravity_are_those_of_the_reference():
    """T = ln y - 0.812 and <t> = a / b at the book's 32, 70, 90 GeV: 7.48, 8.26, 8.52 and 9.42, 10.21, 10.47 X0."""
    mean = calorimeter.shower_parameters([32.0, 70.0, 90.0])
    np.testing.assert_allclose(mean["maximum_depth"], [7.48, 8.26, 8.52], atol=0.0051)
    gravity = mean["profile_shape"] * mean["maximum_depth"] / (mean["profile_shape"] - 1.0)
    np.testing.assert_allclose(gravity, [9.42, 10.21, 10.47], atol=0.0051)


def test_maximum_moves_by_one_radiation_length_for_a_factor_e():
    """dT / d ln E = 1."""
    mean = calorimeter.shower_parameters([10.0, 10.0 * math.e, 10.0 * math.e**2])
    np.testing.assert_allclose(np.diff(mean["maximum_depth"]), 1.0, rtol=1e-12)


def test_containment_of_the_seven_sensors_is_that_of_the_reference():
    """P(a, b 16.2) = 0.928, 0.901, 0.891 at 32, 70, 90 GeV."""
    shares = [float(calorimeter.containment(16.2, energy)) for energy in (32.0, 70.0, 90.0)]
    np.testing.assert_allclose(shares, [0.928, 0.901, 0.891], atol=5.1e-4)


def test_longitudinal_profile_is_the_derivative_of_the_containment_and_a_gamma_density():
    """Numerical integral of f(t) to any depth; maximum at T."""
    for energy in (1.0, 70.0, 1000.0):
        for depth in (2.0, 10.0, 40.0):
            area, _ = integrate.quad(lambda t, E=energy: float(calorimeter.longitudinal_profile(t, E)), 0.0, depth)
            assert area == pytest.approx(float(calorimeter.containment(depth, energy)), abs=1e-8)
        T = float(calorimeter.shower_parameters(energy)["maximum_depth"])
        near = calorimeter.longitudinal_profile([T - 0.01, T, T + 0.01], energy)
        assert near.argmax() == 1


def test_lead_and_argon_as_one_medium():
    """Plates of 2 and 4 mm: X0 from 0.2 cm / 0.5612 cm + 0.4 cm / 14.00 cm of the Particle Data Group, to 0.5 %."""
    assert pytest.approx(0.6 / (0.2 / 0.5612 + 0.4 / 14.00), rel=0.005) == LEAD_ARGON.radiation_length
    assert 18 < LEAD_ARGON.atomic_number < 82
    assert 7.4 < LEAD_ARGON.critical_energy < 29.1


def test_compiled_incomplete_gamma_function_is_that_of_scipy():
    """scipy.special.gammainc to 1e-13."""
    random = np.random.default_rng(1)
    a, x = random.uniform(0.3, 30.0, 3000), random.uniform(0.0, 80.0, 3000)
    ours = np.array([kernels.lower_gamma(*pair) for pair in zip(a, x, strict=True)])
    np.testing.assert_allclose(ours, special.gammainc(a, x), atol=1e-13)


def test_branch_free_arctangent_is_the_arctangent():
    """The standard library to 1e-9, over all magnitudes and both signs."""
    x = np.concatenate([-np.geomspace(1e-8, 1e8, 2001), [0.0], np.geomspace(1e-8, 1e8, 2001)])
    ours = np.array([kernels.arctangent(value) for value in x])
    np.testing.assert_allclose(ours, np.arctan(x), atol=1e-9)


def test_share_of_a_rectangular_cell_is_the_integral_of_the_lateral_density():
    """Quadrature of R^2 / (pi (r^2 + R^2)^2) over cells beside and around the axis."""
    mean = np.zeros((2, 2))
    x, y = np.array([-0.3, 0.7, 2.1]), np.array([-1.2, 0.4, 5.0])
    work = tuple(np.empty(3) for _ in range(4))
    weight, radius = np.array([0.7, 0.3, 0.0]), np.array([0.2, 1.5, 1.0])
    kernels.add_cells(mean, x, y, weight, radius, 1e-12, work)

    def density(v, u):
        return sum(w * R**2 / (np.pi * (u**2 + v**2 + R**2) ** 2) for w, R in zip(weight[:2], radius[:2], strict=True))

    for i in range(2):
        for j in range(2):
            exact, _ = integrate.dblquad(density, x[i], x[i + 1], y[j], y[j + 1], epsabs=1e-9)
            assert mean[i, j] == pytest.approx(exact, abs=2e-8)


def test_profiles_fluctuate_as_the_source_says():
    """ln T and ln a: means, widths and correlation of hep-ex/0001020 at 50 GeV, each within 4 sigma."""
    n = 40_000
    showers = calorimeter.simulate(n, seed=1, geometry="calogan", energy=50.0, stochastic_term=1.0)
    mean = calorimeter.shower_parameters(50.0, geometry="calogan")
    T, a = np.log(showers.maximum_depth.astype(float)), np.log(showers.profile_shape.astype(float))
    for sample, center, spread in (
        (T, mean["maximum_depth"], mean["maximum_spread"]),
        (a, mean["profile_shape"], mean["shape_spread"]),
    ):
        assert abs(pull(sample, np.log(center), spread)) < 4
        assert abs(sample.std() / spread - 1.0) < 4 / np.sqrt(2 * n)
        assert stats.kstest((sample - np.log(center)) / spread, "norm").pvalue > 1e-4
    rho = mean["correlation"]
    assert abs(np.corrcoef(T, a)[0, 1] - rho) < 4 * (1 - rho**2) / np.sqrt(n)


@pytest.mark.parametrize("geometry", calorimeter.GEOMETRIES)
@pytest.mark.parametrize("energy", [2.0, 50.0])
def test_layers_have_their_exact_means_and_covariance(geometry, energy):
    """Law of total variance with the two Gaussians integrated: every layer, the sum, and its width, within 4 sigma."""
    n = 4000
    showers = calorimeter.simulate(n, seed=2, geometry=geometry, energy=energy, beam_width=0.0, **OPEN)
    layers = np.stack(
        [layer.sum((1, 2), dtype=float) for layer in calorimeter.split_layers(showers.voxels, geometry=geometry)], 1
    )
    mean, covariance = calorimeter.layer_moments(energy, geometry=geometry)
    spot = 0.5 * DETECTORS[geometry].stochastic_term ** 2
    seen = n * mean[0] > 1000 * spot  # enough spots in the sample for a Gaussian mean
    assert seen.any()
    pulls = pull(layers, mean[0], np.sqrt(covariance[0].diagonal()))[seen]
    assert np.abs(pulls).max() < 4
    total, spread = calorimeter.visible_moments(energy, geometry=geometry)
    sums = layers.sum(1)
    assert abs(pull(sums, total[0], spread[0])) < 4
    error = sums.var() * np.sqrt((stats.kurtosis(sums) + 2) / n)
    assert abs(sums.var() - spread[0] ** 2) < 4 * error


@pytest.mark.parametrize("geometry", calorimeter.GEOMETRIES)
def test_every_voxel_has_its_exact_mean(geometry):
    """Chi-squared of the mean energies of all voxels that get more than 30 spots in the sample, with variance c^2 mean.

    The profiles of the sample are given to `expected_voxels`, so only the spots fluctuate.
    """
    n = 500
    showers = calorimeter.simulate(n, seed=3, geometry=geometry, energy=20.0, **OPEN)
    expected = np.zeros(calorimeter.voxel_shape(geometry))
    for part in np.array_split(np.arange(n), 10):
        expected += calorimeter.expected_voxels(
            20.0,
            geometry=geometry,
            maximum_depth=showers.maximum_depth[part],
            profile_shape=showers.profile_shape[part],
            impact=showers.impact[part],
        ).sum(0)
    c = DETECTORS[geometry].stochastic_term
    often = expected > 30 * 0.5 * c**2
    z = (showers.voxels.sum(0, dtype=float) - expected)[often] / (c * np.sqrt(expected[often]))
    assert often.sum() > 100
    assert abs((z**2).sum() - often.sum()) < 4 * np.sqrt(often.sum() * (2 + 6 / 30))
    assert abs(z.mean()) < 4 / np.sqrt(often.sum())


def test_number_of_empty_cells_is_poisson():
    """Without threshold a cell is empty with the probability exp(-mean / spot): all cells of few spots, 4 sigma."""
    n = 400
    showers = calorimeter.simulate(n, seed=4, energy=40.0, **OPEN)
    expected = calorimeter.expected_voxels(
        40.0,
        maximum_depth=showers.maximum_depth,
        profile_shape=showers.profile_shape,
        impact=showers.impact,
    )
    empty = np.exp(-expected / (0.5 * 0.22**2))
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 0.99), (0.99, 1.0)):
        chosen = (empty > low) & (empty <= high)
        variance = (empty[chosen] * (1 - empty[chosen])).sum()
        assert abs(np.count_nonzero(showers.voxels[chosen] == 0) - empty[chosen].sum()) < 4 * np.sqrt(variance)


@pytest.mark.parametrize("few", [0.2, 3.0, 5.9, 6.1, 40.0])
def test_both_ways_to_draw_spots_have_the_moments_of_a_compound_poisson_sum(few):
    """Mean lambda, variance 2 lambda, third central moment 6 lambda, on both sides of the change of algorithm."""
    n = 200_000
    random = np.random.Generator(np.random.SFC64(5))
    row = np.empty(n)
    kernels.register(random, np.full(n, few), random.standard_exponential(), 1.0, 0.0, -1, 0.0, row)
    assert abs(row.mean() - few) < 4 * np.sqrt(2 * few / n)
    for order, exact in ((2, 2 * few), (3, 6 * few)):
        power = (row - few) ** order
        assert abs(power.mean() - exact) < 4 * power.std() / np.sqrt(n)
    assert abs(np.corrcoef(row[1:], row[:-1])[0, 1]) < 4 / np.sqrt(n)


def test_resolution_of_a_deep_calorimeter_is_the_stochastic_term():
    """sigma / E = c / sqrt(E) + constant, added in quadrature: c of the fit within 4 sigma, leakage below 0.3 %."""
    energies = np.array([2.0, 8.0, 32.0, 128.0, 512.0])
    n, c = 1500, DETECTORS["calochallenge"].stochastic_term
    relative = []
    for energy in energies:
        showers = calorimeter.simulate(n, seed=6, geometry="calochallenge", energy=float(energy))
        found = calorimeter.reconstruct_energy(showers.voxels, geometry="calochallenge")
        assert abs(found.mean() / energy - 1) < 4 * found.std() / energy / np.sqrt(n) + 0.001  # the threshold
        relative.append(found.var() / found.mean() ** 2)
    design = np.column_stack([1 / energies, np.ones(5)]) / np.array(relative)[:, None]
    fit, *_ = np.linalg.lstsq(design, np.ones(5), rcond=None)
    error = np.sqrt(np.linalg.inv(design.T @ design)[0, 0] * 2 / n)
    assert abs(fit[0] - c**2) < 4 * error
    assert fit[1] < 0.003**2 + 4 * np.sqrt(np.linalg.inv(design.T @ design)[1, 1] * 2 / n)


def test_a_quarter_turn_changes_nothing():
    """Occupancy of the book's sensors under rotation by 90 degrees, and of a ring's sectors: chi-squared."""
    occupied = (calorimeter.simulate(4000, seed=7, energy=70.0).voxels > 0).sum(0).astype(float)
    turned = np.rot90(occupied)
    variance = (occupied + turned) * (1 - 0.5 * (occupied + turned) / 4000)
    inside = variance > 40
    inside[7:] = False  # one half: the other one is the same pairs again
    z = ((occupied - turned)[inside]) / np.sqrt(variance[inside])
    assert abs((z**2).sum() - inside.sum()) < 4 * np.sqrt(2 * inside.sum())
    rings = calorimeter.simulate(1000, seed=8, geometry="calochallenge", energy=50.0, **OPEN).voxels
    sectors = rings.sum((0, 1, 3), dtype=float)
    c = DETECTORS["calochallenge"].stochastic_term
    z = (sectors - sectors.mean()) / (c * np.sqrt(sectors.mean()))
    assert stats.chi2(15).sf((z**2).sum()) > 1e-4


def test_what_is_left_out_as_negligible_stays_below_its_bound():
    """Docstring: less than 2e-4 spots in a shower, if all components of all steps are dropped at their limit."""
    for detector in DETECTORS.values():
        steps, _ = detector.steps()
        assert len(steps) * kernels.COMPONENTS * kernels.NEGLIGIBLE < 2e-4
    mean = np.zeros((15, 15))
    edges = np.arange(16) - 7.5
    work = tuple(np.empty(16) for _ in range(4))
    small = np.array([0.9, 1.1, 0.0]) * kernels.NEGLIGIBLE
    kernels.add_cells(mean, edges, edges, small, np.full(3, 0.1), kernels.NEGLIGIBLE, work)
    assert mean.sum() == pytest.approx(1.1e-6, rel=0.01)


def test_shower_depth_and_spread_of_the_book_lie_where_its_figure_has_them():
    """Figure 18.12: depth in layers between 2.5 and 5 and growing with ln E; spread in layer 2 between 0.4 and 1.4."""
    showers = calorimeter.simulate(3000, seed=9)
    layers = showers.voxels.sum((1, 2), dtype=float)
    depth = (layers * np.arange(1, 8)).sum(1) / layers.sum(1)
    means = [depth[showers.energy == energy].mean() for energy in (32.0, 70.0, 90.0)]
    assert 2.5 < means[0] < means[1] < means[2] < 5.0
    # from 32 to 70 and from 70 to 90 GeV in the ratio of the logarithms, to 4 sigma of the means
    error = 4 * depth.std() / np.sqrt(1000) * 2
    assert abs((means[1] - means[0]) / np.log(70 / 32) - (means[2] - means[1]) / np.log(90 / 70)) < error / np.log(
        90 / 70
    )
    rows = showers.voxels[..., 1].sum(1, dtype=float)
    y = np.arange(15)
    center = (rows * y).sum(1) / rows.sum(1)
    spread = np.sqrt((rows * (y - center[:, None]) ** 2).sum(1) / rows.sum(1))
    assert 0.4 < np.median(spread) < 1.4


def test_protons_interact_after_an_exponential_path():
    """One interaction length of the medium."""
    protons = calorimeter.simulate(20_000, seed=10, energy=50.0, particle="proton", **OPEN)
    medium = DETECTORS["book"].medium
    length = medium.interaction_length / medium.radiation_length
    assert stats.kstest(protons.start, "expon", args=(0, length)).pvalue > 1e-4


@pytest.mark.parametrize(("geometry", "depth"), [("book", 17.0), ("calogan", 30.8), ("calochallenge", 36.0)])
def test_protons_that_do_not_interact_ionise_in_every_layer_as_moyal_says(geometry, depth):
    """Mean of the tables of the Particle Data Group; variance of -ln z^2, pi^2 / 2, in each step of depth; one cell."""
    protons = calorimeter.simulate(
        1500, seed=13, geometry=geometry, energy=50.0, particle="proton", beam_width=0.0, **OPEN
    )
    through = protons.start > depth
    assert through.sum() > 100
    voxels = protons.voxels[through]
    layers = [layer.sum((1, 2), dtype=float) for layer in calorimeter.split_layers(voxels, geometry=geometry)]
    detector = DETECTORS[geometry]
    steps, owners = detector.steps()
    loss = 0.001 * detector.medium.minimum_loss * np.diff(steps, axis=1)[:, 0]
    sums = np.sum(layers, axis=0)
    spread = kernels.LOSS_WIDTH * np.sqrt(np.pi**2 / 2 * (loss**2).sum())
    assert abs(pull(sums, loss.sum(), spread)) < 4
    assert all((layer > 0.4 * loss[owners == number].sum()).all() for number, layer in enumerate(layers))
    assert (np.count_nonzero(voxels.reshape(len(voxels), -1), axis=1) == len(layers)).all()


def test_electromagnetic_share_of_protons_grows_with_energy_as_in_the_literature():
    """Groom, Nucl. Instrum. Meth. A 572 (2007) 633: 1 - (E / 2.6 GeV)^(-0.17); beta distribution of a + b = 8."""
    for energy in (10.0, 100.0, 1000.0):
        share = calorimeter.simulate(
            5000, seed=11, geometry="calogan", energy=energy, particle="proton", stochastic_term=1.0
        ).electromagnetic.astype(float)
        mean = 1 - (energy / 2.6) ** -0.17
        spread = np.sqrt(mean * (1 - mean) / 9)
        assert abs(pull(share, mean, spread)) < 4
        assert stats.kstest(share, "beta", args=(8 * mean, 8 * (1 - mean))).pvalue > 1e-4


def test_covariance_matrix_method_has_as_many_degrees_of_freedom_as_it_should():
    """Electrons: <chi2> of seven sensors and one free energy is 6, within 10 % as the fluctuations are not Gaussian."""
    energies = np.geomspace(25.0, 160.0, 4000).tolist()
    electrons = calorimeter.simulate(4000, seed=12, energy=energies, **OPEN)
    chi2 = calorimeter.electron_chi2(electrons.voxels.sum((1, 2)))
    assert chi2.mean() == pytest.approx(6.0, rel=0.1)
