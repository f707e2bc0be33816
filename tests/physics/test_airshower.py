"""The air-shower simulator against closed forms, published tables and brute force."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from dlphys.simulators import _airshower_kernels as kernels
from dlphys.simulators import airshower
from dlphys.simulators.airshower import (
    atmospheric_depth,
    atmospheric_height,
    attenuation,
    energy_fit,
    expected_signals,
    gaisser_hillas,
    gaisser_hillas_integral,
    opening_angle,
    plane_fit,
    pulse_medians,
    simulate,
    simulate_station,
    simulate_traces,
    trace_plain,
    xmax_moments,
)

NUCLEI = (1, 4, 14, 56)

# mean and standard deviation of Xmax (g/cm^2) at 10 EeV for p, He, N, Fe, and the elongation of protons per decade
XMAX = {
    "EPOS-LHC": ((808.2, 59.1), (775.1, 38.1), (748.1, 28.0), (711.8, 16.7), 54.8),
    "QGSJetII-04": ((793.2, 61.2), (758.4, 43.0), (731.3, 33.7), (697.9, 22.4), 54.3),
    "Sibyll2.1": ((798.3, 54.5), (763.2, 39.0), (733.0, 30.0), (698.1, 22.0), 55.9),
}

# Pierre Auger Collaboration, JCAP 02 (2013) 026: X0, D, xi, delta of the mean; p0, p1, p2, a0, a1, b of the variance
AUGER = {
    "EPOS-LHC": (806.1, 55.6, 0.15, 0.83, 3284, -260, 132, -0.462, -0.0008, 0.059),
    "QGSJetII-04": (790.4, 54.4, -0.31, 0.24, 3738, -375, -21, -0.397, 0.0008, 0.046),
    "Sibyll2.1": (795.1, 57.7, -0.04, -0.04, 2785, -364, 152, -0.368, -0.0049, 0.039),
}


@pytest.fixture(scope="module")
def book():
    return simulate(60_000, seed=5)


def quantile68(angles):
    return np.quantile(angles[np.isfinite(angles)], 0.68)


def test_directions_and_cores_are_those_of_an_isotropic_flux_on_a_flat_array(book):
    """Flux times projected area: cos^2 uniform on [1/4, 1], mean zenith 36.540 degrees; cores uniform in the disc."""
    cos2 = book.axis[:, 2].astype(float) ** 2
    assert stats.kstest(cos2, stats.uniform(0.25, 0.75).cdf).pvalue > 1e-3
    zenith = np.degrees(np.arccos(book.axis[:, 2]))
    assert abs(zenith.mean() - 36.540) < 4 * zenith.std() / np.sqrt(len(zenith))
    radius = np.hypot(book.core[:, 0], book.core[:, 1])
    assert stats.kstest((radius / 750.0) ** 2, stats.uniform.cdf).pvalue > 1e-3
    assert abs(radius.mean() - 500.0) < 4 * radius.std() / np.sqrt(len(radius))
    azimuth = np.arctan2(book.axis[:, 1], book.axis[:, 0])
    assert stats.kstest(azimuth, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3


def test_energies_follow_the_power_law():
    """dN / dE ~ E^-g: uniform in lg E for g = 1, in E for g = 0, and E^-1.6 above for g = 2.6."""
    for index, transform in ((1.0, np.log10), (0.0, lambda e: e), (2.6, lambda e: e**-1.6)):
        energy = simulate(4000, seed=2, spectral_index=index, log_energy=(18.5, 20.0)).energy.astype(float)
        ends = transform(np.array([10**0.5, 100.0]))
        share = (transform(energy) - ends[0]) / (ends[1] - ends[0])
        assert stats.kstest(share, stats.uniform.cdf).pvalue > 1e-3


@pytest.mark.parametrize("model", XMAX)
def test_moments_of_xmax_agree_with_the_table(model):
    """De Domenico et al., JCAP 07 (2013) 050, in closed form; the table gives one digit after the point."""
    for mass, (mean, deviation) in zip(NUCLEI, XMAX[model][:4], strict=True):
        found = xmax_moments(19.0, mass=mass, model=model)
        np.testing.assert_allclose(found, (mean, deviation), rtol=0, atol=0.05001)
    elongation = (xmax_moments(20.0, model=model)[0] - xmax_moments(18.5, model=model)[0]) / 1.5
    assert elongation == pytest.approx(XMAX[model][4], abs=0.05001)
    assert 53.0 < elongation < 57.0


@pytest.mark.parametrize("model", AUGER)
def test_moments_of_xmax_agree_with_the_other_parametrisation(model):
    """Auger Collaboration, JCAP 02 (2013) 026, from other simulated showers: 7 g/cm^2 in the mean, 4 in the width."""
    x0, d, xi, delta, p0, p1, p2, a0, a1, b = AUGER[model]
    lg = np.linspace(-0.5, 1.0, 16)
    for mass in NUCLEI:
        ln = np.log(mass)
        mean = x0 + d * (lg - ln / np.log(10)) + xi * ln + delta * ln * lg
        variance = (p0 + p1 * lg + p2 * lg**2) * (1 + (a0 + a1 * lg) * ln + b * ln**2)
        ours = xmax_moments(19.0 + lg, mass=mass, model=model)
        assert np.abs(ours[0] - mean).max() < 7.0
        assert np.abs(ours[1] - np.sqrt(variance)).max() < 4.0


@pytest.mark.parametrize("model", XMAX)
@pytest.mark.parametrize("mass", [1, 56])
def test_drawn_depths_have_the_moments_of_the_closed_form(model, mass):
    """4 sigma of the sample, where the ground is too deep to cut the distribution (zenith above 53 degrees)."""
    sample = simulate(60_000, seed=3, mass=mass, model=model, log_energy=(18.9999, 19.0001), array="cluster")
    xmax = sample.xmax[sample.axis[:, 2] < 0.6].astype(float)
    mean, deviation = xmax_moments(19.0, mass=mass, model=model)
    assert abs(xmax.mean() - mean) < 4 * deviation / np.sqrt(len(xmax))
    fourth = ((xmax - xmax.mean()) ** 4).mean() / xmax.var() ** 2
    assert abs(xmax.std() / deviation - 1) < 4 * np.sqrt((fourth - 1) / 4 / len(xmax))


def test_every_maximum_is_at_least_200_m_above_the_ground(book):
    """Docstring of simulate and the book's generator: others are drawn again."""
    assert atmospheric_height(book.xmax * book.axis[:, 2]).min() > 1600.0 - 0.01


def test_the_integral_of_the_profile_is_the_closed_form():
    """L xi^-xi e^xi Gamma(xi + 1) = 581.1632535 g/cm^2 for (750, -121, 61); and numerical integration."""
    assert gaisser_hillas_integral(x_max=750.0, x_0=-121.0, attenuation=61.0) == pytest.approx(581.1632535, abs=5e-8)
    for x_max, x_0, length in ((750.0, -121.0, 61.0), (800.0, 0.0, 70.0), (650.0, -300.0, 40.0)):
        shape = {"x_max": x_max, "x_0": x_0, "attenuation": length}
        numerical = quad(lambda x, s=shape: gaisser_hillas(x, **s), x_0, 6000.0, points=[x_max], limit=200)[0]
        assert gaisser_hillas_integral(**shape) == pytest.approx(numerical, rel=1e-10)


def test_the_profile_peaks_at_the_maximum_and_solves_its_equation():
    """d ln N / dX = (x_max - X) / (L (X - x_0)): Gaisser and Hillas."""
    x = np.linspace(100.0, 1500.0, 50)
    logarithm = np.log(gaisser_hillas(np.stack([x - 0.01, x + 0.01]), x_max=750.0))
    np.testing.assert_allclose((logarithm[1] - logarithm[0]) / 0.02, (750.0 - x) / 61.0 / (x + 121.0), atol=1e-9)


def test_the_atmosphere_is_the_standard_one_and_its_inverse_is_exact():
    """CORSIKA's U.S. standard atmosphere after Keilhauer: 872.29 g/cm^2 at 1400 m; round trip below a nanometre."""
    np.testing.assert_allclose(
        atmospheric_depth([0.0, 1400.0, 5000.0, 10_000.0]), [1033.81, 872.29, 551.09, 269.56], atol=0.005
    )
    np.testing.assert_allclose(atmospheric_height([500.0, 750.0, 870.0]), [5722, 2616, 1421], atol=0.5)
    height = np.linspace(0.0, 112_829.0, 200_003)
    # where two layers meet their published formulas differ by up to 1e-5 g/cm^2, which is 0.2 mm
    border = np.min([np.abs(height - b) for b in (7000.0, 11_400.0, 37_000.0, 100_000.0)], axis=0) < 1e-3
    away = np.abs(atmospheric_height(atmospheric_depth(height)) - height)
    assert away[~border].max() < 1e-9
    assert (np.diff(atmospheric_depth(height)) < 0.0).all()


@pytest.mark.parametrize("preset", ["book", "physics"])
@pytest.mark.parametrize(("muons", "em"), [(3.0, 4.0), (40.0, 60.0), (20_000.0, 30_000.0)])
def test_numbers_of_particles_are_poisson_distributed(preset, muons, em):
    """Poisson: variance over mean is 1 +- sqrt(2 / n), in every mean and for both ways of drawing; mean to 4 sigma."""
    n = 4000
    station = simulate_station(n, seed=1, preset=preset, muons=muons, em=em, zenith=38.0)
    unit = kernels.quantum(preset == "book", np.cos(np.radians(38.0)))
    number, expected = station.particles.sum(1).astype(float), (muons + em) / unit
    assert abs(number.mean() - expected) < 4 * np.sqrt(expected / n)
    assert abs(number.var() / number.mean() - 1) < 4 * np.sqrt(2 / n) + 1 / expected / np.sqrt(n)


@pytest.mark.parametrize("distance", [300.0, 1000.0, 2500.0])
def test_thinned_traces_agree_with_particles_drawn_one_by_one(distance):
    """The same law: chi-squared of 81 mean numbers, and Kolmogorov-Smirnov of the times against the mixture."""
    muons, em, n = 300.0, 500.0, 1500
    fast = simulate_station(n, seed=2, preset="book", muons=muons, em=em, distance=distance).particles
    plain = [trace_plain(muons, em, distance=distance, beyond=300.0, seed=s) for s in range(n)]
    slow = np.array([particles for particles, _ in plain])
    total = fast.sum(0) + slow.sum(0)
    used = total > 20
    chi2 = ((fast.sum(0) - slow.sum(0))[used] ** 2 / total[used]).sum()
    assert stats.chi2(used.sum()).sf(chi2) > 1e-4
    np.testing.assert_array_equal(slow.sum(1), [len(times) for _, times in plain])
    median, em_median, shift = pulse_medians(distance, 300.0)
    times = np.concatenate([times for _, times in plain[:100]])

    def arrived(t):
        early = stats.lognorm(0.7, scale=median).cdf(t)
        return (muons * early + em * stats.lognorm(0.7, loc=shift, scale=em_median).cdf(t)) / (muons + em)

    assert stats.kstest(times, arrived).pvalue > 1e-3


def test_bins_of_a_thinned_trace_are_independent():
    """Poisson thinning: no correlation between early and late particles, unlike in a trace with a fixed number."""
    particles = simulate_station(20_000, seed=3, preset="book", muons=30.0, em=40.0).particles
    early, late = particles[:, :12].sum(1), particles[:, 12:].sum(1)
    assert abs(np.corrcoef(early, late)[0, 1]) < 4 / np.sqrt(len(particles))


def test_the_first_particle_comes_as_the_smallest_of_n_times():
    """F^-1(1 - u^(1/N)) with N Poisson distributed: the two ways of drawing, against numerical inversion."""
    random = np.random.default_rng(4)
    for muons, em in ((4.0, 6.0), (200.0, 300.0)):  # one by one, and thinned
        station = simulate_station(20_000, seed=5, preset="physics", muons=muons, em=em, zenith=0.0)
        unit = kernels.quantum(False, 1.0)
        median, em_median, shift = pulse_medians(1000.0, 300.0)
        t = np.geomspace(1.0, 1e5, 20_001)
        share = muons * stats.lognorm(0.7, scale=median).cdf(t) + em * stats.lognorm(
            0.7, loc=shift, scale=em_median
        ).cdf(t)
        number = random.poisson((muons + em) / unit, 20_000)
        number = number[number > 0]
        early = 1.0 - random.random(len(number)) ** (1.0 / number)
        reference = np.interp(early, share / (muons + em), t)
        assert stats.ks_2samp(station.start[np.isfinite(station.start)], reference).pvalue > 1e-3


def test_the_first_particle_of_a_shower_does_not_depend_on_whether_traces_are_wanted():
    """Maps and traces are drawn in two ways; times, signals and numbers of loud stations follow one law."""
    options = {"preset": "physics", "log_energy": (19.0, 19.2), "mass": 1, "accidentals": 0.0}
    maps, traces = simulate(6000, seed=6, **options), simulate_traces(6000, seed=7, **options)
    for quantity in (lambda s: np.nanmin(s.time, (1, 2)), lambda s: np.nanmax(s.signal, (1, 2))):
        assert stats.ks_2samp(quantity(maps), quantity(traces)).pvalue > 1e-3
    loud = [(s.status > 0).sum((1, 2)) for s in (maps, traces)]
    error = np.sqrt(sum(number.var() / len(number) for number in loud))
    assert abs(loud[0].mean() - loud[1].mean()) < 4 * error


def test_signals_of_the_book_have_the_same_law_in_maps_and_in_traces():
    """The maps' closed form of the noise (sum of squared bins) against 80 noisy bins: mean and width at 4 sigma."""
    options = {"log_energy": (19.5, 19.501), "zenith_max": 5.0, "core_radius": 1.0}
    maps = simulate(8000, seed=8, **options)
    traces = simulate_traces(8000, seed=8, **options)  # the same showers
    for place in ((4, 5), (5, 6), (2, 4)):
        a, b = (s.signal[:, *place].astype(float) for s in (maps, traces))
        both = np.isfinite(a) & np.isfinite(b)
        if both.mean() < 0.99:
            continue
        relative = np.log(a[both] / b[both])
        assert abs(relative.mean()) < 4 * relative.std() / np.sqrt(both.sum())
        assert stats.ks_2samp(a, b).pvalue > 1e-3


def test_plane_fit_has_the_frozen_difficulty_of_the_book_set():
    """0.86 degrees (68 %) and 1.43, 1.10, 0.84, 0.65, 0.47 in five bins of lg E, +- 5 %: prototype of the reference.

    The constant of the book's preset was set to 39 ns at 10^7 particles (40 ns: 0.89 to 0.91 degrees), so this holds
    the difficulty of the set where it was frozen; it is no independent check of the model.
    """
    showers = simulate(100_000, seed=5)
    angle = opening_angle(plane_fit(showers.time, showers.signal), showers.axis)
    assert quantile68(angle) == pytest.approx(0.86, rel=0.05)
    lower = 18.5 + 0.3 * np.arange(5)
    found = [quantile68(angle[(showers.log_energy >= e) & (showers.log_energy < e + 0.3)]) for e in lower]
    np.testing.assert_allclose(found, [1.43, 1.10, 0.84, 0.65, 0.47], rtol=0.05)


def test_errors_of_the_book_times_are_as_documented(book):
    """Pull of the times at loud stations around the plane front: 1, for errors of 312 ns / (1 + lg(1 + particles))."""
    positions = airshower.station_positions("hexagonal").reshape(-1, 2)
    apart = positions - book.core[:, None, :2].astype(float)
    front = -np.einsum("nki,ni->nk", apart, book.axis[:, :2].astype(float)) / 0.299792458
    signal, late = book.signal.reshape(len(book), -1), 1e9 * book.time.reshape(len(book), -1) - front
    loud = signal > 1000.0
    pull = late * (1.0 + np.log10(signal - 95.4)) / 312.0
    # beside the noise there is an offset of each event, uniform within 50 ns
    within = np.where(loud, pull, np.nan)
    within = within[(loud.sum(1) >= 4)]
    weight = (1.0 + np.log10(np.where(loud, signal, 1e3) - 95.4))[loud.sum(1) >= 4] / 312.0
    weight = np.where(np.isfinite(within), weight, 0.0)
    offset = np.nansum(within * weight, 1) / (weight**2).sum(1)
    residual = np.nansum((within - offset[:, None] * weight) ** 2, 1)
    freedom = (weight > 0).sum(1) - 1
    assert residual.sum() / freedom.sum() == pytest.approx(1.0, abs=4 * np.sqrt(2 / freedom.sum()) + 0.002)


def test_loud_stations_of_the_book_set_are_as_many_as_in_its_generator():
    """5.4, 7.8, 12.1, 18.5 loud stations at lg E = 18.5, 19, 19.5, 20, from small samples of it: to 6 %.

    The generator forgets particles after the 80 bins; so does this count, unlike our signals.
    """
    for lg, loud in ((18.5, 5.4), (19.0, 7.8), (19.5, 12.1), (20.0, 18.5)):
        traces = simulate_traces(1500, seed=9, log_energy=(lg - 1e-3, lg + 1e-3)).traces
        assert (traces.sum(-1) >= 115.2).sum((1, 2)).mean() == pytest.approx(loud, rel=0.06)


def test_energy_fit_reaches_what_the_book_reached_with_a_network(book):
    """Book, exercise 11.1: 14.7 m and 5.1 % by a network on its data; the fit that knows the model is as good."""
    part = slice(0, 5000)
    core, energy = energy_fit(book.signal[part], book.axis[part])
    away = np.linalg.norm(core - book.core[part, :2], axis=1)
    assert 8.0 < np.quantile(away, 0.68) < 14.7
    assert 0.04 < np.quantile(np.abs(energy / book.energy[part] - 1.0), 0.68) < 0.06


@pytest.fixture(scope="module")
def physics():
    return simulate(16_000, seed=10, preset="physics")


def test_angular_resolution_of_the_physics_preset_is_that_of_the_observatory(physics):
    """Pierre Auger Collaboration, JINST 15 (2020) P10021: below 1.6 degrees with 3 stations, 0.9 with more than 6."""
    with pytest.warns(RuntimeWarning, match="have no three stations"):
        axis = plane_fit(physics.time[:8000], physics.signal[:8000], status=physics.status[:8000], preset="physics")
    angle = opening_angle(axis, physics.axis[:8000])
    loud = (physics.status[:8000] > 0).sum((1, 2))
    few = (loud >= 3) & (loud <= 4)
    assert few.sum() > 100
    assert quantile68(angle[few]) < 1.6
    assert quantile68(angle[loud > 6]) < 0.9
    assert quantile68(angle[loud > 15]) < 0.5


def test_energy_resolution_of_the_physics_preset_is_of_the_size_of_the_observatory(physics):
    """20 % near 2 EeV and 7 % above 20 EeV are quoted (recalled); here below 20 %, and 6 to 13 % for one mass."""
    _, energy = energy_fit(physics.signal, physics.axis, status=physics.status, preset="physics")
    ratio = energy / physics.energy
    low = physics.log_energy < 18.7
    assert quantile68(np.abs(ratio[low] / np.median(ratio[low]) - 1)) < 0.20
    for mass in NUCLEI:
        high = (physics.log_energy > 19.3) & (physics.mass == mass)
        assert 0.06 < quantile68(np.abs(ratio[high] / np.median(ratio[high]) - 1)) < 0.13


def test_heavier_nuclei_make_more_muons_and_are_taken_for_larger_energies(physics):
    """Superposition: N_mu ~ A^(1 - b), b = 0.93. Iron over protons 1.33 in muons, so 1.05 to 1.2 in the signal."""
    _, energy = energy_fit(physics.signal, physics.axis, status=physics.status, preset="physics")
    ratio = energy / physics.energy
    medians = [np.median(ratio[physics.mass == mass]) for mass in NUCLEI]
    assert (np.diff(medians) > 0).all()
    assert 1.05 < medians[3] / medians[0] < 1.2


def test_signals_follow_the_attenuation_curve():
    """Constant-intensity cut of the observatory: S(1000 m) of protons of 10 EeV over that at 38 degrees, to 3 %."""
    showers = simulate(4000, seed=11, mass=1, log_energy=(18.999, 19.001), array="cluster")
    zenith = np.degrees(np.arccos(np.minimum(showers.axis[:, 2].astype(float), 1.0)))
    places = [(float(z), float(x)) for z, x in zip(zenith, showers.xmax, strict=True)]
    ratio = [np.sum(expected_signals(1000.0, zenith=z, xmax=x)) / 47.7 / attenuation(z) for z, x in places]
    for low in range(0, 60, 12):
        inside = (zenith >= low) & (zenith < low + 12)
        assert np.mean(np.array(ratio)[inside]) == pytest.approx(1.0, abs=0.03)


def test_energy_calibration_is_that_of_the_observatory():
    """S38 = (E / 0.186 EeV)^(1 / 1.031) VEM for protons of average depth, to 3 % from 3 to 100 EeV."""
    for energy in (3.0, 10.0, 30.0, 100.0):
        xmax = float(xmax_moments(18.0 + np.log10(energy))[0])
        found = np.sum(expected_signals(1000.0, energy=energy, zenith=38.0, xmax=xmax))
        assert found == pytest.approx((energy / 0.186) ** (1 / 1.031), rel=0.03)


@pytest.mark.parametrize("zenith", [0.0, 38.0, 60.0])
def test_signals_scatter_as_at_the_observatory(zenith):
    """sigma = (0.34 + 0.46 sec z) sqrt(S), and 3 % of calibration."""
    signal = simulate_station(8000, seed=12, muons=60.0, em=40.0, zenith=zenith).signal.astype(float)
    expected = 100.0 * (0.34 + 0.46 / np.cos(np.radians(zenith))) ** 2 + (0.03 * 100.0) ** 2
    assert signal.mean() == pytest.approx(100.0, abs=4 * np.sqrt(expected / 8000))
    assert signal.var() == pytest.approx(expected, rel=4 * np.sqrt(2 / 8000) + 0.01)


def test_old_showers_are_rich_in_muons_and_far_stations_too():
    """The electromagnetic part is absorbed and falls faster: share of muons grows with zenith angle and distance."""

    def share(distance, zenith):
        muons, em = expected_signals(distance, zenith=zenith, xmax=750.0)
        return muons / (muons + em)

    assert (np.diff(share([300.0, 1000.0, 2000.0], 30.0)) > 0).all()
    assert share(1000.0, 60.0) > 0.8 > share(1000.0, 45.0) > share(1000.0, 20.0) > 0.3


def test_electromagnetic_signal_beyond_the_maximum_is_a_gaisser_hillas_profile():
    """Docstring of simulate: at 1000 m and constant age, the ratio to the maximum is the profile's."""
    x = np.array([100.0, 187.0, 400.0, 800.0])
    values = [kernels.signals(False, 0.0, 1.0, -2.7, 1000.0, float(one))[1] for one in x]
    np.testing.assert_allclose(values, gaisser_hillas(x, x_max=187.0, x_0=0.0, attenuation=212.5), rtol=1e-12)


def test_the_front_is_curved_and_no_particle_overtakes_light():
    """A sphere around a point of the axis: later than the plane through the core by r^2 / 2 R, never earlier."""
    showers = simulate(
        3000, seed=13, preset="physics", zenith_max=10.0, mass=56, log_energy=(19.8, 20.0), accidentals=0
    )
    positions = airshower.station_positions("hexagonal")
    apart = positions - showers.core[:, None, None, :2]
    along = np.einsum("nrci,ni->nrc", apart, showers.axis[:, :2])
    distance = np.sqrt((apart**2).sum(-1) - along**2)
    late = 1e9 * showers.time + along / 0.299792458
    assert np.nanmin(late) > -50.0 - 5 * 12.0  # offset of the event and clock
    means = [np.nanmean(late[(distance > r) & (distance < r + 200)]) for r in (600.0, 1400.0, 2200.0)]
    radius = 7000.0  # half the depth of the maximum of iron is 7 km above the array at these angles
    assert (np.array(means) > (np.array([700.0, 1500.0, 2300.0]) ** 2 / 2 / radius / 0.2998 - 60.0)).all()
    assert (np.diff(means) > 200.0).all()


def test_the_simulation_detector_misleads_an_energy_estimate_as_in_the_book():
    """Example 19.2: 6.9 EeV of 50 too low. The same energy makes 10 to 40 % more signal in the simulation."""
    options = {"preset": "footprint", "array": "cluster", "spectral_index": 0.0, "mass": 14, "zenith_max": 30.0}
    logs = {}
    for detector in ("simulation", "data"):
        showers = simulate_traces(3000, seed=14, detector=detector, core_radius=200.0, **options)
        logs[detector] = np.log(np.nansum(showers.signal, (1, 2))), showers.energy
    np.testing.assert_array_equal(logs["data"][1], logs["simulation"][1])  # pairs of one seed
    ratio = np.exp(np.mean(logs["simulation"][0] - logs["data"][0]))
    assert 1.1 < ratio < 1.4
