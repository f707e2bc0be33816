"""The jet simulator against exact results: conservation, decays, Lund plane, Casimir scaling, IRC safety, lifetimes."""

import numpy as np
import pytest
from scipy import integrate, stats

from dlphys._blocks import Streams
from dlphys.simulators import _jets_events, _jets_hadrons, _jets_shower, jets
from dlphys.simulators._jets_sample import check_physics

GLUON, QUARK, _, BOTTOM, W, TOP, ZPRIME = range(7)


def physics(**changes):
    options = {
        "pt": (500.0, 500.0), "rapidity": 0.0, "radius": 0.8, "alpha_s": 0.126, "running": True, "kt_cut": 1.0,
        "gluon_fraction": 0.5, "zprime_mass": 300.0, "contained": False, "detector": False, "pile_up": 0.0, "kinds": (),
    }  # fmt: skip
    return check_physics(**{**options, **changes})


def hadrons_of(kind, number, pt=500.0):
    """Hadrons in float64, with prongs, of jets with momentum (pt, 0, 0), straight from the compiled code."""
    random, work, setting = Streams.of(7)(0, kind), _jets_events.workspace(), physics()
    for _ in range(number):
        count = _jets_events.jet_hadrons(random, kind, pt, setting, work)
        yield work.hadrons[:count].copy(), work.tags[:count, _jets_hadrons.PRONG].copy()


def mass_of(momentum):
    return np.sqrt(momentum[..., 0] ** 2 - (momentum[..., 1:] ** 2).sum(-1))


def auc(score, label):
    """Area under the ROC curve, ties counted half (Mann and Whitney)."""
    ranks, ones = stats.rankdata(score), np.count_nonzero(label)
    return (ranks[label == 1].sum() - ones * (ones + 1) / 2) / ones / (len(label) - ones)


def auc_error(area, label):
    """An upper bound on its standard deviation, sqrt(A (1 - A) / min(n_0, n_1)); Birnbaum and Klose (1957)."""
    return np.sqrt(area * (1 - area) / min(np.count_nonzero(label), np.count_nonzero(label == 0)))


@pytest.mark.parametrize("kind", [GLUON, QUARK, BOTTOM])
def test_momentum_is_conserved_in_showers_and_hadrons_to_1e_9(kind):
    """The three-momenta of all hadrons add up to that of the first parton; reference, section 7."""
    for hadrons, _ in hadrons_of(kind, 200):
        np.testing.assert_allclose(hadrons[:, 1:].sum(0), [500.0, 0.0, 0.0], atol=500e-9)
        np.testing.assert_allclose(mass_of(hadrons), _jets_hadrons.PION_MASS, rtol=1e-4)


@pytest.mark.parametrize(("kind", "mass"), [(W, 80.4), (TOP, 172.5), (ZPRIME, 300.0)])
def test_four_momentum_is_conserved_in_decays_to_1e_9(kind, mass):
    """All hadrons of a resonance add up to its four-momentum, on the mass shell; reference, section 7."""
    for hadrons, _ in hadrons_of(kind, 200):
        np.testing.assert_allclose(hadrons.sum(0), [np.hypot(500.0, mass), 500.0, 0.0, 0.0], atol=500e-9)


def at_rest(momenta, mass, pt=500.0):
    """Momenta in the rest frame of a particle with (pt, 0, 0)."""
    energy = np.hypot(pt, mass)
    e, x = momenta[..., 0], momenta[..., 1]
    boosted = np.stack([(energy * e - pt * x) / mass, (energy * x - pt * e) / mass], -1)
    return np.concatenate([boosted, momenta[..., 2:]], -1)


@pytest.fixture(scope="module")
def top_decays():
    """b and W momenta in the rest frame of the top, and both W quarks in the lab; (n, 4) each."""
    prongs = [[hadrons[prong == p].sum(0) for p in (3, 1, 2)] for hadrons, prong in hadrons_of(TOP, 3000)]
    return np.moveaxis(np.array(prongs), 1, 0)


def test_top_decay_has_the_two_body_momentum_and_the_mass_of_the_w(top_decays):
    """p* = sqrt(lambda(m_t^2, m_W^2, m_b^2)) / 2 m_t with the mass of the b jet of each event; textbook kinematics."""
    bottom, first, second = top_decays
    w, b_mass = first + second, mass_of(bottom)
    np.testing.assert_allclose(mass_of(w), 80.4, rtol=1e-9)
    square = (172.5**2 - (80.4 + b_mass) ** 2) * (172.5**2 - (80.4 - b_mass) ** 2)
    momentum = np.linalg.norm(at_rest(w, 172.5)[:, 1:], axis=1)
    np.testing.assert_allclose(momentum, np.sqrt(square) / (2 * 172.5), rtol=1e-8)


def test_decay_angles_of_the_top_and_the_w_are_flat(top_decays):
    """Isotropic decays: cos(theta*) is uniform; Kolmogorov and Smirnov."""
    bottom, first, second = top_decays
    direction = at_rest(bottom, 172.5)[:, 1:]
    cosine = direction[:, 0] / np.linalg.norm(direction, axis=1)
    assert stats.kstest(cosine, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    # the W: boost its quark to the rest frame of the W, and compare with the direction of the W
    w, q = at_rest(first + second, 172.5), at_rest(first, 172.5)
    axis = w[:, 1:] / np.linalg.norm(w[:, 1:], axis=1)[:, None]
    gamma = w[:, 0] / 80.4
    along = gamma * ((q[:, 1:] * axis).sum(1) - np.sqrt(1 - gamma**-2) * q[:, 0])
    across = np.sqrt(np.maximum((q[:, 1:] ** 2).sum(1) - (q[:, 1:] * axis).sum(1) ** 2, 0))
    assert stats.kstest(along / np.hypot(along, across), stats.uniform(-1, 2).cdf).pvalue > 1e-4


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize(("flavour", "code"), [("quark", _jets_shower.UP), ("gluon", _jets_shower.GLUON)])
def test_the_veto_algorithm_reproduces_the_sudakov_factor(flavour, code, running):
    """No emission with the probability of the exact integral over the full splitting function, by quadrature."""
    alpha, slope = _jets_shower.coupling_at_cut(0.126, running, 1.0)
    random, n, momentum = Streams.of(3)(0, code), 40_000, 20.0
    none = 0
    for _ in range(n):
        u, *_ = _jets_shower.next_emission(random, np.log(0.8 * momentum), 0.0, code == 0, alpha, slope)
        none += u < 0
    expected = jets.sudakov(momentum, flavour=flavour, angle=0.8, running=running)
    assert 0.05 < expected < 0.95
    assert abs(none / n - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


def test_first_emissions_follow_the_splitting_function():
    """At a fixed coupling the momentum fraction of the first emission has the density of P(z) in each slice of u."""
    alpha, slope = _jets_shower.coupling_at_cut(0.2, False, 1.0)
    random, height = Streams.of(4)(0, 0), 5.0
    drawn = np.array([_jets_shower.next_emission(random, height, 0.0, True, alpha, slope)[:2] for _ in range(40_000)])
    u, z = drawn[drawn[:, 0] > 4.5].T
    # z (1 - z) > exp(-u) is the allowed range; weigh the density at each event's own u by its normalisation
    edge = (1 - np.sqrt(1 - 4 * np.exp(-u))) / 2
    grid = np.exp(np.linspace(np.log(1e-3), np.log(1 - 1e-9), 4000))
    cumulative = integrate.cumulative_trapezoid(jets.splitting_function(grid, flavour="gluon"), grid, initial=0)
    below, above, at = (np.interp(v, grid, cumulative) for v in (edge, 1 - edge, z))
    assert stats.kstest((at - below) / (above - below), "uniform").pvalue > 1e-4


@pytest.fixture(scope="module")
def lund():
    return jets.simulate_lund(600_000, seed=11, momentum=600.0, angle=0.8, alpha_s=0.12)


def test_lund_plane_has_the_exact_number_of_emissions_and_poisson_fluctuations(lund):
    """Density 2 alpha_s C / pi over the triangle; variance over mean (Fano) = 1; Dreyer et al., arXiv:1807.04758."""
    for label, flavour in enumerate(("gluon", "quark")):
        count = lund.count[lund.label == label]
        mean = jets.mean_emissions(600.0, flavour=flavour, angle=0.8, alpha_s=0.12)
        assert mean == pytest.approx(0.12 * {"gluon": 3, "quark": 4 / 3}[flavour] / np.pi * np.log(480) ** 2)
        assert abs(count.mean() - mean) < 4 * np.sqrt(mean / len(count))
        assert abs(count.var() / count.mean() - 1) < 4 * np.sqrt(2 / len(count))


def test_lund_plane_is_filled_evenly(lund):
    """Every part of the triangle holds emissions in proportion to its area."""
    height = np.log(480)
    emissions = lund.emissions[:100_000].reshape(-1, 2).astype(float)
    x, y = emissions[emissions[:, 1] >= 0].T
    # uniform in a triangle: both of these are uniform in [0, 1] and independent
    first, second = 1 - (1 - x / height) ** 2, y / (height - x)
    counts = np.histogram2d(first, second, bins=8, range=((0, 1), (0, 1)))[0]
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_casimir_scaling_gives_nine_thirteenths_for_every_angularity(lund, beta):
    """ROC eps_g = eps_q^(9/4), area 9/13, in the double-logarithmic limit; Larkoski et al., arXiv:1305.0007."""
    along, up = np.moveaxis(lund.emissions.astype(float), -1, 0)
    value = np.where(up >= 0, up - (beta - 1) * along, -np.inf).max(1)  # ln(z theta^beta) of the leading emission
    expected = jets.casimir_auc(silent=np.exp(-jets.mean_emissions(600.0, flavour="quark", angle=0.8)))
    assert expected == pytest.approx(9 / 13, abs=1e-3)
    assert jets.casimir_auc() == pytest.approx(9 / 13, abs=1e-12)
    measured = auc(-value, lund.label)
    assert abs(measured - expected) < 4 * auc_error(expected, lund.label)


def test_multiplicity_reaches_the_poisson_area_and_the_likelihood_ratio_no_more(lund):
    """Poisson numbers of emissions, the optimal observable of the limit; Frye et al., arXiv:1704.06266."""
    mean = jets.mean_emissions(600.0, flavour="quark", angle=0.8)
    area, label = jets.poisson_auc(mean), lund.label
    assert abs(auc(-lund.count, label) - area) < 4 * auc_error(area, label)
    assert auc(jets.lund_log_ratio(lund.count, mean=mean), label) == pytest.approx(auc(-lund.count, label), abs=1e-12)


@pytest.mark.parametrize(("mean", "area"), [(1, 0.7504), (2, 0.8362), (3, 0.8864), (5, 0.9416), (8, 0.9767)])
def test_poisson_areas_are_those_of_the_reference(mean, area):
    """Table of the reference, section 7, to its four digits."""
    assert jets.poisson_auc(mean) == pytest.approx(area, abs=5.1e-5)


def test_running_coupling_is_that_of_one_loop_with_five_flavours():
    """d(1 / alpha_s) / d ln(kt) = 23 / (6 pi)."""
    inverse = 1 / jets.strong_coupling([10.0, 10.0 * np.e], alpha_s=0.118)
    assert inverse[1] - inverse[0] == pytest.approx(23 / (6 * np.pi), rel=1e-12)
    assert jets.strong_coupling(91.19, alpha_s=0.118) == pytest.approx(0.118)


OBSERVABLES = {
    "mass squared": lambda c: jets.jet_mass(c) ** 2,  # the root has an infinite slope at zero
    "width": jets.angularity,
    "angularity 2": lambda c: jets.angularity(c, beta=2.0),
    "e_2": lambda c: jets.energy_correlations(c)[:, 0],
    "e_3": lambda c: jets.energy_correlations(c)[:, 1],
    "tau_1": lambda c: jets.n_subjettiness(c, most=1, radius=0.4)[:, 0],
}


@pytest.fixture(scope="module")
def some_jets():
    return jets.simulate(400, seed=12).constituents.astype(np.float64)


@pytest.mark.parametrize("name", OBSERVABLES)
def test_safe_observables_do_not_change_under_soft_particles_and_collinear_splittings(some_jets, name):
    """A particle with 1e-9 of the momentum changes nothing by more than 1e-6, nor does a collinear splitting."""
    value = OBSERVABLES[name](some_jets)
    soft = OBSERVABLES[name](jets.add_soft(some_jets, fraction=1e-9, seed=1))
    split = OBSERVABLES[name](jets.split_collinear(some_jets, seed=1))
    scale = np.maximum(np.abs(value), np.median(value))
    assert (np.abs(soft - value) / scale).max() < 1e-6
    assert (np.abs(split - value) / scale).max() < 1e-6


def test_planar_flow_is_safe_for_jets_with_some_width(some_jets):
    """Its denominator is the width: the change is 1e-9 over the square of the width, small for jets above 30 GeV."""
    heavy = some_jets[jets.jet_mass(some_jets) > 30]
    value = jets.planar_flow(heavy)
    for changed in (jets.add_soft(heavy, fraction=1e-9, seed=1), jets.split_collinear(heavy, seed=1)):
        np.testing.assert_allclose(jets.planar_flow(changed), value, atol=1e-6)


def test_a_particle_of_1e_6_changes_the_mass_by_less_than_1e_5(some_jets):
    """Reference, section 7. dm / m is at most 1e-6 (pt R / m)^2 / 2, which is below 1e-5 above 50 GeV."""
    heavy = some_jets[jets.jet_mass(some_jets) > 50]
    assert len(heavy) > 50
    change = jets.jet_mass(jets.add_soft(heavy, fraction=1e-6, seed=2)) / jets.jet_mass(heavy) - 1
    assert 1e-8 < np.abs(change).max() < 1e-5


def test_unsafe_observables_do_change(some_jets):
    """The multiplicity counts every particle; the dispersion is infrared, but not collinear safe."""
    count = jets.multiplicity(some_jets)
    np.testing.assert_array_equal(jets.multiplicity(jets.add_soft(some_jets, seed=1)), count + 1)
    np.testing.assert_array_equal(jets.multiplicity(jets.split_collinear(some_jets, seed=1)), count + 1)
    dispersion = jets.angularity(some_jets, beta=0, kappa=2)
    np.testing.assert_allclose(
        jets.angularity(jets.add_soft(some_jets, seed=1), beta=0, kappa=2), dispersion, rtol=1e-5
    )
    assert (jets.angularity(jets.split_collinear(some_jets, seed=1), beta=0, kappa=2) < 0.999 * dispersion).mean() > 0.3


def test_soft_drop_mass_is_infrared_safe_and_finds_the_w():
    """Grooming keeps both prongs: the median groomed mass of W jets is that of the W within 2 GeV."""
    sample = jets.simulate(600, seed=13, kinds=["w"], radius=0.8, contained=True)
    mass = jets.jet_mass(jets.groomed(sample.constituents, jets.soft_drop(sample.constituents)[0]))
    assert abs(np.median(mass) - jets.W_MASS) < 2.0
    soft = jets.add_soft(sample.constituents, fraction=1e-9, radius=0.8, seed=1)
    again = jets.jet_mass(jets.groomed(soft, jets.soft_drop(soft)[0]))
    np.testing.assert_allclose(again, mass, rtol=1e-6)


def test_gluon_jets_are_wider_and_have_more_hadrons_than_quark_jets():
    """Book, example 8.9; the ratio of multiplicities lies between 1 and the asymptotic C_A / C_F = 9/4."""
    sample = jets.simulate(8000, seed=14)
    count, width = jets.multiplicity(sample.constituents), jets.angularity(sample.constituents)
    gluon = sample.label == 0
    assert 1.4 < count[gluon].mean() / count[~gluon].mean() < 9 / 4
    assert width[gluon].mean() > 1.4 * width[~gluon].mean()


def test_the_charge_of_a_jet_is_on_average_that_of_its_quark():
    """Two thirds of up and one third of down quarks, both signs: the mean square is known, the mean is zero."""
    random, setting, work = Streams.of(15)(0, 0), physics(alpha_s=1e-4, running=False), _jets_events.workspace()
    charges = []
    for _ in range(20_000):
        number = _jets_events.jet_hadrons(random, QUARK, 500.0, setting, work)
        charges.append(work.tags[:number, _jets_hadrons.CHARGE].sum())
    # without radiation: +-1 with probability 2/3 (up) or 1/3 (down)
    assert abs(np.mean(charges)) < 4 * np.sqrt(0.5 / len(charges))
    assert abs(np.mean(np.square(charges)) - 0.5) < 4 * 0.5 / np.sqrt(len(charges))


def test_a_third_of_the_pions_is_neutral():
    """Isospin."""
    sample = jets.simulate(4000, seed=16, kinds=["gluon"])
    hadrons = sample.constituents[..., 0] > 0
    per_jet = (sample.charge == 0)[hadrons].mean()
    assert abs(per_jet - 1 / 3) < 0.01


def test_bottom_and_charm_hadrons_fly_by_their_lifetimes():
    """Flight length / (beta gamma) is exponential with c tau: Particle Data Group, as stated in the module."""
    from dlphys.simulators import _jets_tracks as tracks

    random, momentum, out = Streams.of(17)(0, 0), np.array([0.0, 30.0, 0.0, 40.0]), np.zeros(3)
    lengths = np.array([tracks.flight_vector(random, momentum, 5.279, 0.46, out) for _ in range(20_000)])
    assert stats.kstest(lengths, stats.expon(scale=0.46 * 50 / 5.279).cdf).pvalue > 1e-4


def test_impact_parameters_of_light_jets_are_as_uncertain_as_stated():
    """The core of the significance is a standard normal distribution; displaced tracks are the tails."""
    sample = jets.simulate_b_jets(6000, seed=18)
    light = sample.tracks[sample.flavour == 0][..., 1]
    light = light[~np.isnan(light)]
    assert 0.95 < np.subtract(*np.quantile(light, [0.84134, 0.15866])) / 2 < 1.10
    bottom = sample.tracks[sample.flavour == 2][..., 1]
    assert np.nanmean(bottom > 3) > 5 * np.mean(light > 3)
    assert np.nanmean(bottom > 3) > 4 * np.nanmean(bottom < -3), "the sign says ahead or behind"


def test_a_vertex_of_exact_tracks_is_found_where_it_is():
    """Least squares on straight lines from one point gives that point, with no chi^2."""
    from dlphys.simulators import _jets_tracks as tracks

    place, rows = np.array([1.0, 0.3, 0.5]), np.zeros((4, 8))
    for row, (eta, phi) in zip(rows, [(0.4, 0.1), (0.6, 0.5), (0.5, -0.2), (0.2, 0.4)], strict=True):
        d0 = place[0] * np.sin(phi) - place[1] * np.cos(phi)
        z0 = place[2] - (place[0] * np.cos(phi) + place[1] * np.sin(phi)) * np.sinh(eta)
        row[:] = d0, 0.02, z0, 0.08, 5.0, eta, phi, 1.0
    found, covariance = np.empty(3), np.empty((3, 3))
    _, chi = tracks.fit_vertex(rows, 4, np.ones(4, bool), found, covariance)
    np.testing.assert_allclose(found, place, atol=1e-10)
    assert chi < 1e-12


def test_baselines_have_the_strength_measured_when_they_were_written():
    """Frozen difficulty of the course sets (DESIGN section 3): areas under the ROC curve to 0.01 (0.015 for tops)."""
    sample = jets.simulate(20_000, seed=19)
    pairs = np.stack([jets.multiplicity(sample.constituents), jets.angularity(sample.constituents)], -1)
    score = jets.histogram_ratio(pairs[:10_000], sample.label[:10_000], pairs[10_000:])
    assert auc(score, sample.label[10_000:]) == pytest.approx(0.775, abs=0.01)

    top = jets.simulate(
        12_000, seed=20, preset="physics", kinds=["qcd", "top"], pt=(550.0, 650.0), radius=0.8, contained=True
    )
    tau = jets.n_subjettiness(top.constituents, most=3)
    mass = jets.jet_mass(jets.groomed(top.constituents, jets.soft_drop(top.constituents)[0]))
    pairs = np.stack([mass, tau[:, 2] / np.maximum(tau[:, 1], 1e-9)], -1)
    score = jets.histogram_ratio(pairs[:8000], top.label[:8000], pairs[8000:])
    assert auc(score, top.label[8000:]) == pytest.approx(0.965, abs=0.015)

    b = jets.simulate_b_jets(12_000, seed=21)
    chosen = b.flavour != 1
    assert auc(jets.track_counting(b.tracks[chosen]), b.flavour[chosen] == 2) == pytest.approx(0.945, abs=0.01)
