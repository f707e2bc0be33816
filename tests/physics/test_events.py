"""Particles in matter, helices, photon statistics and defects against tables, closed forms and exact bounds."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from dlphys.simulators import _events_cascade as cascade
from dlphys.simulators import events
from dlphys.simulators._events_matter import ELECTRON_MASS, MUON_MASS, PION_MASS
from dlphys.simulators.events import LIQUID_ARGON, SCINTILLATOR


def stream(seed):
    return np.random.Generator(np.random.SFC64(seed))


def followed(kind, kinetic, medium, *, n, depths, radii, along, across, seed):
    """Deposits (n, 2, depths, radii) of particles that start along z."""
    image = np.zeros((n, 2, depths, radii))
    cascade.profiles(stream(seed), kind, kinetic, image, along, across, medium.constants)
    return image


@pytest.mark.parametrize(
    ("medium", "least", "at", "moliere"), [(LIQUID_ARGON, 1.508, 266.0, 9.04), (SCINTILLATOR, 1.936, 318.0, 9.41)]
)
def test_minimum_ionisation_and_moliere_radius_are_those_of_the_tables(medium, least, at, moliere):
    """Particle Data Group, atomic and nuclear properties: minimum dE/dx in MeV cm^2/g, and the Moliere radius in cm.

    In liquid argon the minimum is 2.1 MeV/cm, for a muon of 266 MeV.
    """
    kinetic = np.geomspace(50.0, 5000.0, 4000)
    loss = events.stopping_power(kinetic, medium=medium) / medium.density
    assert loss.min() == pytest.approx(least, rel=2e-3)
    assert kinetic[loss.argmin()] == pytest.approx(at, rel=0.02)
    assert medium.moliere_radius == pytest.approx(moliere, abs=0.01)


def test_a_slow_muon_loses_what_the_muon_tables_say():
    """D. E. Groom et al., At. Data Nucl. Data Tables 78 (2001) 183, liquid argon: 5.687 MeV cm^2/g at 10 MeV."""
    assert events.stopping_power(10.0) / 1.396 == pytest.approx(5.687, rel=5e-3)


def test_highland_width_at_one_radiation_length():
    """At x = X_0 and beta = 1 the formula is 13.6 MeV / p."""
    width = events.highland_width(14.0, momentum=1e5)
    assert width == pytest.approx(13.6 / 1e5, rel=1e-5)


def test_small_steps_of_scattering_add_up_to_highland_and_rossi():
    """One radiation length in 100 steps: angle theta_0, displacement theta_0 x / sqrt(3), correlation sqrt(3) / 2.

    Highland's width at x = X_0, and Rossi's moments of a random walk of the direction (Particle Data Group).
    """
    n, steps, thickness = 2000, 100, 14.0
    random = stream(1)
    momentum_beta = 1000.0 / np.hypot(1.0, MUON_MASS / 1000.0)
    expected = float(events.highland_width(thickness, momentum=1000.0))
    angles, places = np.empty(n), np.empty(n)
    for i in range(n):
        ux, uy, uz, x = 0.0, 0.0, 1.0, 0.0
        for _ in range(steps):
            theta = cascade._scattering_angle(random, momentum_beta, 1.0 / steps)
            ux, uy, uz = cascade.turned(ux, uy, uz, theta, 2 * np.pi * random.random())
            x += thickness / steps * ux
        angles[i], places[i] = ux, x
    # the formula's logarithm of beta is not in a step: 0.04 % here
    assert angles.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * n) + 1e-3)
    assert places.std() == pytest.approx(expected * thickness / np.sqrt(3), rel=4 / np.sqrt(2 * n) + 0.02)
    assert np.corrcoef(angles, places)[0, 1] == pytest.approx(np.sqrt(3) / 2, abs=4 * 0.25 / np.sqrt(n) + 0.005)


def test_a_muon_that_slows_down_is_displaced_as_fermis_integral_says():
    """E. Fermi, after Rossi and Greisen (1941): <y^2> = integral of (L - x)^2 d theta_0^2 / dx dx, momentum falling.

    2 GeV muons after 140 cm of argon. The displacement in space follows Rayleigh's density, whose median is
    sqrt(2 ln 2) times the width in a plane.
    """
    n, length, kinetic = 500, 140.0, 2000.0
    image = followed(cascade.MUON, kinetic, LIQUID_ARGON, n=n, depths=141, radii=120, along=1.0, across=0.1, seed=1)
    radius = 0.1 * (image[:, 0, 139].argmax(1) + 0.5)
    x = np.linspace(0.0, length, 1401)
    energy = kinetic - float(events.stopping_power(1850.0)) * x
    momentum_beta = energy * (energy + 2 * MUON_MASS) / (energy + MUON_MASS)
    width = np.sqrt(integrate.trapezoid((13.6 / momentum_beta) ** 2 / 14.0 * (length - 0.5 - x) ** 2, x))
    error = 1.0 / np.sqrt(2 * n) / np.log(2)  # relative, of the median of Rayleigh's density
    assert np.median(radius) / np.sqrt(2 * np.log(2)) == pytest.approx(width, rel=4 * error)


def test_muons_stop_after_the_range_of_bethes_formula():
    """Continuous slowing down: R = integral of dT / (dE/dx); scattering shortens the depth to the integral of <cos>."""
    kinetic = 300.0
    image = followed(cascade.MUON, kinetic, LIQUID_ARGON, n=400, depths=600, radii=2, along=0.25, across=200.0, seed=2)
    # the shower of the decay electron is in the other channel
    depth = 0.25 * (600 - (image[:, 0].sum(-1)[:, ::-1] > 0).argmax(1))
    grid = np.geomspace(1.0, kinetic, 600)
    path = 1.0 / events.stopping_power(grid)
    momentum_beta = grid * (grid + 2 * MUON_MASS) / (grid + MUON_MASS)
    turning = 2 * (13.6 / momentum_beta) ** 2 / 14.0 * path
    squared = -integrate.cumulative_trapezoid(turning[::-1], grid[::-1], initial=0.0)[::-1]
    expected = integrate.trapezoid(path * np.exp(-0.5 * squared), grid)
    assert expected > 0.97 * integrate.trapezoid(path, grid), "scattering is a small correction"
    error = depth.std() / np.sqrt(len(depth))
    assert abs(depth.mean() - expected) < 4 * error + 0.25
    # the range straggles by 3 to 4 % for muons, and scattering adds to it
    assert 0.02 < depth.std() / depth.mean() < 0.06


def test_energy_is_conserved_in_a_cascade():
    """All that an electron of 1 GeV brings is deposited; one per cent of photons leaves through the far walls."""
    image = followed(cascade.ELECTRON, 1000.0, LIQUID_ARGON, n=50, depths=4, radii=2, along=500.0, across=500.0, seed=3)
    np.testing.assert_allclose(image.sum((1, 2, 3)), 1000.0, rtol=1e-2)
    assert np.median(image.sum((1, 2, 3))) == pytest.approx(1000.0, rel=1e-9)


@pytest.mark.parametrize("medium", [LIQUID_ARGON, SCINTILLATOR], ids=["argon", "scintillator"])
def test_shower_maximum_moves_with_the_logarithm_of_the_energy(medium):
    """Particle Data Group: t_max = ln(E / E_c) - 0.5 for electrons, so one X_0 for a factor e; +-0.35 X_0.

    The formula is itself a fit good to about 0.2 X_0 (EGS4, 1 GeV and more); the maximum is found by a parabola.
    """
    found = []
    energies = (700.0, 4000.0)
    for seed, energy in enumerate(energies):
        quarter = 0.25 * medium.radiation_length
        image = followed(
            cascade.ELECTRON, energy, medium, n=250, depths=60, radii=2, along=quarter, across=1e4, seed=seed
        )
        profile = image.sum((0, 1, 3))
        depth = 0.25 * (np.arange(60) + 0.5)
        near = profile > 0.8 * profile.max()
        a, b, _ = np.polyfit(depth[near], profile[near], 2)
        found.append(-0.5 * b / a)
    expected = events.shower_maximum(energies, medium=medium) / medium.radiation_length
    assert np.abs(np.array(found) - expected).max() < 0.35
    assert (found[1] - found[0]) / np.log(energies[1] / energies[0]) == pytest.approx(1.0, abs=0.15)


def test_longitudinal_profile_is_a_gamma_density():
    """E. Longo and I. Sestili (1975): dE/dt is proportional to t^(a-1) exp(-b t) with b about 0.5.

    The Particle Data Group fits it from two radiation lengths on, since it fails before. So here: to 2 % of the
    maximum and four standard errors of the mean shower.
    """
    energy, n = 2000.0, 250
    image = followed(cascade.ELECTRON, energy, LIQUID_ARGON, n=n, depths=80, radii=2, along=3.5, across=1e4, seed=7)
    profile = image.sum((0, 1, 3)) / n / energy
    depth = 0.25 * (np.arange(80) + 0.5)

    def density(t, share, a, b):
        return share * 0.25 * stats.gamma.pdf(t, a, scale=1 / b)

    parameters, _ = optimize.curve_fit(density, depth[8:], profile[8:], p0=(1.0, 3.0, 0.5))
    assert 0.45 < parameters[2] < 0.60
    error = image.sum((1, 3)).std(0) / np.sqrt(n) / energy
    assert (np.abs(profile - density(depth, *parameters)) < 0.02 * profile.max() + 4 * error)[8:].all()


def test_nine_tenths_of_a_shower_lie_within_the_moliere_radius():
    """Its definition: 90 % in a cylinder, and about 95 % within twice the radius; ours within 5 points."""
    radius = LIQUID_ARGON.moliere_radius
    image = followed(cascade.ELECTRON, 1000.0, LIQUID_ARGON, n=200, depths=2, radii=2, along=1e4, across=radius, seed=8)
    share = image.sum((0, 1, 2)).cumsum() / (200 * 1000.0)
    assert share[0] == pytest.approx(0.90, abs=0.05)
    assert share[1] == pytest.approx(0.95, abs=0.03)


def test_electrons_of_muon_decay_have_michels_mean_energy():
    """The spectrum x^2 (3 - 2 x): 7/10 of the endpoint of 52.83 MeV, 36.98 MeV."""
    kinetic = 100.0
    image = followed(cascade.MUON, kinetic, LIQUID_ARGON, n=2000, depths=2, radii=2, along=1e4, across=1e4, seed=9)
    # half of the electrons fly backwards, out of the picture: those of muons that went 27 cm deep stay for a few cm
    forward = image[:, 1].sum((1, 2))
    inside = forward[forward > 0]
    assert inside.max() < 53.0 + 5.0
    x = np.linspace(0.0, 1.0, 2001)
    assert integrate.trapezoid(2 * x**3 * (3 - 2 * x), x) == pytest.approx(0.7, abs=1e-6)
    error = inside.std() / np.sqrt(len(inside))
    assert abs(inside.mean() - 0.7 * MUON_MASS / 2) < 4 * error + 1.0


def test_compton_cross_section_at_low_energies_is_thomsons():
    """Klein and Nishina: 8 pi / 3 (1 - 2 k) for small k = E / m_e, and 0.4 of it at k = 1 (0.4314)."""
    thomson = 8 * np.pi / 3
    k = 1e-3
    assert cascade.compton_cross_section(k * ELECTRON_MASS) == pytest.approx(thomson * (1 - 2 * k), rel=1e-4)
    angle = np.linspace(0, np.pi, 20_001)
    p = 1.0 / (2.0 - np.cos(angle))
    integrand = 0.5 * p**2 * (p + 1 / p - np.sin(angle) ** 2) * 2 * np.pi * np.sin(angle)
    assert cascade.compton_cross_section(ELECTRON_MASS) == pytest.approx(
        integrate.trapezoid(integrand, angle), rel=1e-6
    )


def test_photons_convert_with_seven_ninths_of_a_radiation_length_at_high_energies():
    """Particle Data Group, passage of particles through matter: the mean free path of hard photons is 9/7 X_0."""
    pairs, compton = cascade.photon_rates(5e4, LIQUID_ARGON.constants)
    assert 14.0 * pairs == pytest.approx(7 / 9, rel=1e-12)
    assert compton < 0.01 * pairs


def test_neutral_pions_decay_to_photons_with_the_pion_mass():
    """Two photons of energies (E +- p cos) / 2 at the angles of the boost: the invariant mass is that of the pion."""
    from dlphys.simulators import _events_displays as displays

    stack = np.zeros((cascade.STACK, 8))
    random = stream(10)
    pairs = 0
    for _ in range(200):
        count = displays._add_hadrons(random, stack, 0, (0.0, 0.0, 0.0), 600.0, 0.0)
        photons = stack[:count][stack[:count, 0] == cascade.PHOTON]
        for first, second in photons.reshape(-1, 2, 8):
            cosine = first[4:7] @ second[4:7]
            mass_squared = 2 * first[7] * second[7] * (1 - cosine)
            assert mass_squared == pytest.approx(PION_MASS**2, rel=1e-6)
            pairs += 1
    assert pairs > 50


def test_muons_are_ten_metres_long_and_electrons_shorter_and_broader():
    """The book's example 8.8: a narrow trace of some 10 m against shorter, broader traces."""
    sample = events.neutrino_displays(1500, seed=11)
    fast = sample.lepton_energy > 1.5
    length = {}
    width = {}
    cells = np.arange(48)
    for label in (0, 1):
        images = sample.images[fast & (sample.label == label)]
        length[label] = 2 * 6.6 * (images.sum((2, 3)) > 1.0).sum(1)
        view = images[..., 0]
        total = view.sum(2)
        mean = (view * cells).sum(2) / np.maximum(total, 1e-9)
        spread = np.sqrt((view * (cells - mean[..., None]) ** 2).sum(2) / np.maximum(total, 1e-9))
        width[label] = np.array([s[t > 1.0].mean() for s, t in zip(spread, total, strict=True)])
    assert 600 < np.median(length[0]) < 1000
    assert np.median(length[1]) < 0.7 * np.median(length[0])
    assert np.median(width[1]) > 2 * np.median(width[0])


def test_photoelectrons_are_poisson():
    """Cells of one and the same event under different light yields: variance over mean of the counts is 1."""
    from dlphys.simulators import _events_displays as displays

    images = np.full((200, 2, 20, 20), 8.0)
    displays._read_out(stream(1), stream(2), images, 5.0, 0.0)
    counts = 5.0 * images
    assert np.allclose(counts, np.round(counts))
    assert abs(counts.mean() - 40.0) < 4 * np.sqrt(40.0 / counts.size)
    assert counts.var() / 40.0 == pytest.approx(1.0, abs=4 * np.sqrt(2 / counts.size))


def test_hits_lie_exactly_on_circles_of_the_radius_pt_over_03_b():
    """r = p_T / (0.2998 B): all hits of a track have that distance from the centre, beside the beam; float32 alone."""
    sample = events.tracker_hits(200, seed=1, cone=np.pi)
    momentum, charge = sample.momentum.astype(float), sample.charge.astype(float)
    radius = events.bending_radius(np.hypot(momentum[..., 0], momentum[..., 1]))
    phi = np.arctan2(momentum[..., 1], momentum[..., 0])
    # a positive charge turns clockwise about a field along +z: its centre is to the right
    centre = (charge * radius)[..., None] * np.stack([np.sin(phi), -np.cos(phi)], -1)
    event, hit = np.nonzero(sample.particle >= 0)
    track = sample.particle[event, hit]
    place = sample.hits[event, hit].astype(float)
    distance = np.linalg.norm(place[:, :2] - centre[event, track], axis=-1)
    np.testing.assert_allclose(distance, radius[event, track], rtol=1e-6)
    np.testing.assert_allclose(np.hypot(place[:, 0], place[:, 1]), events.LAYERS[sample.layer[event, hit]], rtol=1e-6)
    # z grows with the arc, s = 2 r arcsin(R / 2 r)
    r = radius[event, track]
    arc = 2 * r * np.arcsin(events.LAYERS[sample.layer[event, hit]] / (2 * r))
    slope = momentum[event, track, 2] / np.hypot(momentum[event, track, 0], momentum[event, track, 1])
    np.testing.assert_allclose(place[:, 2], sample.origin[event, track] + slope * arc, atol=3e-6)
    # and the particle has not turned back: the direction at the hit points outward
    assert (sample.layer[event, hit].max()) == 9


def test_the_lorentz_force_bends_the_same_way():
    """Numerical integration of dp/dt = q v x B for one particle of 1 GeV/c in 2 T, both charges."""
    for charge in (1.0, -1.0):
        momentum = np.array([1.0, 0.0, 0.5])
        speed = momentum / np.linalg.norm(momentum)

        bend = charge * 0.299792458 * 2.0 / np.linalg.norm(momentum)

        def force(_, state, bend=bend):
            return np.concatenate([state[3:], bend * np.cross(state[3:], [0.0, 0.0, 1.0])])

        reach = lambda _, state: np.hypot(state[0], state[1]) - 0.5  # noqa: E731
        reach.terminal = True
        start = np.concatenate([[1e-9, 0.0, 0.0], speed])
        end = integrate.solve_ivp(force, (0.0, 5.0), start, events=reach, rtol=1e-11, atol=1e-12).y[:3, -1]
        from dlphys.simulators import _events_tracker as tracker

        x, y, _, path = tracker._cross(0.0, 0.0, 0.0, charge, float(events.bending_radius(1.0)), 0.5)
        np.testing.assert_allclose([x, y, 0.5 * path], end, atol=1e-8)


def test_scattering_in_a_layer_has_highlands_width():
    """The kink at the first layer of 2 % X_0, seen as azimuth at the second: its pull against Highland's width."""
    sample = events.tracker_hits(
        3000, seed=2, preset="physics", tracks=1, resolution=0.0, efficiency=1.0, noise_hits=0.0, least_momentum=0.8
    )
    momentum = sample.momentum[:, 0].astype(float)
    transverse = np.hypot(momentum[:, 0], momentum[:, 1])
    radius = events.bending_radius(transverse)
    phi = np.arctan2(momentum[:, 1], momentum[:, 0])
    place = sample.hits[:, 1].astype(float)  # second layer
    without = phi - sample.charge[:, 0] * np.arcsin(events.LAYERS[1] / (2 * radius))
    difference = (np.arctan2(place[:, 1], place[:, 0]) - without + np.pi) % (2 * np.pi) - np.pi
    total, slope = np.linalg.norm(momentum, axis=1), momentum[:, 2] / transverse
    depth = 0.02 * np.sqrt(1 + slope**2)
    width = np.array(
        [
            float(events.highland_width(14.0 * d, momentum=1e3 * p, mass=PION_MASS))
            for d, p in zip(depth, total, strict=True)
        ]
    )
    lever = (events.LAYERS[1] - events.LAYERS[0]) / events.LAYERS[1]
    pull = difference / (width * np.sqrt(1 + slope**2) * lever)
    assert abs(pull.mean()) < 4 / np.sqrt(3000)
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(6000) + 0.01)


def test_efficiency_and_noise_hits_are_as_often_as_they_should():
    sample = events.tracker_hits(2000, seed=3, tracks=1, efficiency=0.9, noise_hits=5.0)
    noise = ((sample.particle < 0) & (sample.layer >= 0)).sum(1)
    assert abs(noise.mean() - 5.0) < 4 * np.sqrt(5.0 / 2000)
    assert noise.var() == pytest.approx(5.0, rel=4 * np.sqrt(2.4 / 2000))
    assert stats.chisquare(np.bincount(sample.layer[(sample.particle < 0) & (sample.layer >= 0)])).pvalue > 1e-4
    all_hits = events.tracker_hits(2000, seed=3, tracks=1)
    share = (sample.particle == 0).sum() / (all_hits.particle == 0).sum()
    assert abs(share - 0.9) < 4 * np.sqrt(0.09 / 20_000)


def test_photon_counts_of_molecules_are_poisson():
    """Sum over a picture: mean N + b pixels, variance equal to the mean."""
    pictures = events.single_molecules(4000, seed=1, size=16, photon_spread=0.0, photons=500.0, astigmatism=0.0)
    centre = (np.abs(pictures.positions[:, 0, :2] - 768.0).max(1) < 300) & (np.abs(pictures.positions[:, 0, 2]) < 200)
    total = pictures.images[centre].sum((1, 2), dtype=float)
    expected = 500.0 + 10.0 * 256
    assert abs(total.mean() - expected) < 4 * np.sqrt(expected / len(total))
    assert total.var() / expected == pytest.approx(1.0, abs=4 * np.sqrt(2 / len(total)))


def test_localisation_bound_without_background_is_the_width_over_the_root_of_the_photons():
    """R. E. Thompson et al., Biophys. J. 82 (2002) 2775: s / sqrt(N), with s^2 + a^2 / 12 for pixels of the size a."""
    place = [[96.0 * 16, 96.0 * 16, 0.0]]
    covariance = events.localisation_bound(place, 1000.0, 1e-6, size=32, astigmatism=250.0)[0]
    width = events.spot_widths(0.0)[0]
    assert covariance[0, 0] == pytest.approx((width**2 + 96.0**2 / 12) / 1000.0, rel=0.01)
    assert covariance[0, 0] == pytest.approx(covariance[1, 1], rel=1e-9)


@pytest.mark.parametrize("background", [1.0, 10.0, 50.0])
def test_localisation_bound_with_background_is_mortensens(background):
    """K. I. Mortensen et al., Nature Methods 7 (2010) 377, eq. 5: variance (s_a^2 / N) / (1 + integral), to 2 %.

    integral_0^1 ln t / (1 + t N a^2 / (2 pi s_a^2 b)) dt, with s_a^2 = s^2 + a^2 / 12.
    """
    photons, pixel = 1500.0, 96.0
    variance = events.spot_widths(0.0)[0] ** 2 + pixel**2 / 12
    ratio = photons * pixel**2 / (2 * np.pi * variance * background)
    integral = integrate.quad(lambda t: np.log(t) / (1 + ratio * t), 0, 1)[0]
    expected = variance / photons / (1 + integral)
    covariance = events.localisation_bound([[96.0 * 16, 96.0 * 16, 0.0]], photons, background, size=32)[0]
    assert covariance[0, 0] == pytest.approx(expected, rel=0.02)


def test_depth_is_known_best_between_the_two_foci():
    """Its information comes from the change of the widths, which is largest and opposite there; symmetric in z."""
    depth = np.array([-450.0, -250.0, 0.0, 250.0, 450.0])
    place = np.column_stack([np.full(5, 576.0), np.full(5, 576.0), depth])
    error = np.sqrt(events.localisation_bound(place, 2000.0, 10.0)[:, 2, 2])
    np.testing.assert_allclose(error, error[::-1], rtol=1e-9)
    assert error[2] == error.min()


def test_maximum_likelihood_reaches_the_localisation_bound():
    """Cramer and Rao, and Fisher: the pulls of the fit against the bound have mean 0 and standard deviation 1."""
    pictures = events.single_molecules(1500, seed=3, photons=4000.0, photon_spread=0.0)
    error = events.fit_molecules(pictures.images) - pictures.positions[:, 0]
    bound = events.localisation_bound(pictures.positions[:, 0], 4000.0, 10.0)
    pull = error / np.sqrt(np.einsum("nii->ni", bound))
    assert np.abs(pull.mean(0)).max() < 4 / np.sqrt(1500) + 0.02  # of the order 1 / N, the bias of a fit
    np.testing.assert_allclose(pull.std(0), 1.0, atol=4 / np.sqrt(3000) + 0.01)


def test_model_of_a_spot_has_the_derivatives_of_finite_differences():
    from dlphys.simulators import _events_molecules as molecules

    at = np.array([[530.0, 610.0, 120.0, 1500.0, 7.0]])
    _, slopes = molecules._model(at, 12, 250.0)
    for k, step in enumerate((1e-2, 1e-2, 1e-2, 1e-1, 1e-3)):
        shift = np.zeros((1, 5))
        shift[0, k] = step
        up, down = molecules._model(at + shift, 12, 250.0)[0], molecules._model(at - shift, 12, 250.0)[0]
        np.testing.assert_allclose(slopes[:, k], (up - down) / (2 * step), rtol=1e-5, atol=1e-7)


def test_topographs_show_the_lattice_of_the_crystal():
    """Bragg peaks: six spots at 4 pi / (sqrt 3 a), 60 degrees apart, 1.8e10 /m; found by a Fourier transform."""
    scans = events.stm_topographs(12, seed=1, size=128, tip_noise=0.0, line_noise=0.0)
    window = np.hanning(128)[:, None] * np.hanning(128)
    centred = scans.height - scans.height.mean((1, 2), keepdims=True)
    power = (np.abs(np.fft.fft2(centred * window, s=(512, 512))) ** 2).mean(0)
    frequency = 2 * np.pi * np.fft.fftfreq(512, 0.125)
    radius = np.hypot(frequency[:, None], frequency)
    power[radius < 12.0] = 0.0
    row, column = np.unravel_index(power.argmax(), power.shape)
    resolution = 2 * np.pi / (512 * 0.125)
    assert radius[row, column] == pytest.approx(4 * np.pi / (np.sqrt(3) * 0.424), abs=resolution)
    angle = np.arctan2(frequency[row], frequency[column]) - 0.2
    assert abs((angle + np.pi / 6) % (np.pi / 3) - np.pi / 6) < 0.02


def test_defects_are_poisson_and_the_gap_has_campbells_mean_and_variance():
    """N. Campbell (1909): mean and variance of shot noise are density times integral of the bump and of its square."""
    from dlphys.simulators import _events_stm as stm

    scans = events.stm_topographs(600, seed=2, size=32, gap_error=0.0)
    area = (32 * 0.125) ** 2
    for kind in range(2):
        counts = scans.defects[:, kind]
        expected = stm.DEFECTS[kind, 0] * area
        assert abs(counts.mean() - expected) < 4 * np.sqrt(expected / 600)
        assert counts.var() / expected == pytest.approx(1.0, abs=4 * np.sqrt(2.5 / 600))
    means = scans.gap.mean((1, 2), dtype=float)
    assert abs(means.mean() - 17.0) < 4 * means.std() / np.sqrt(600) + 0.03  # cut at 0 meV and at 3.5 widths
    density, change, width = stm.DEFECTS[:, 0], stm.DEFECTS[:, 4], stm.DEFECTS[:, 5]
    variance = (density * change**2 * np.pi * width**2).sum()
    centre = scans.gap[:, 16, 16].astype(float)
    assert centre.var() == pytest.approx(variance, rel=4 * np.sqrt(2.5 / 600) + 0.01)


def test_wiener_filter_is_the_best_linear_filter():
    """Theory of N. Wiener: neither a filter for other noise nor a weaker or stronger one errs less."""
    scans = events.stm_topographs(150, seed=3)
    inside = np.s_[:, 14:-14, 14:-14]
    best = (events.wiener_gap(scans.height) - scans.gap)[inside].std()
    assert best < 0.45 * scans.gap[inside].std()
    other = (events.wiener_gap(scans.height, tip_noise=10.0) - scans.gap)[inside].std()
    assert other > best
    for strength in (0.85, 1.15):
        scaled = 17.0 + strength * (events.wiener_gap(scans.height) - 17.0)
        assert (scaled - scans.gap)[inside].std() > best
