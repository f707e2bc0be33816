"""The speckle simulator against statistical optics and the textbook form factors."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from dlphys.simulators import _speckle_kernels as kernels
from dlphys.simulators.speckle import (
    KINDS,
    PIXEL,
    PIXELS,
    box_filter,
    cylinder_form_factor,
    film_form_factor,
    hard_sphere_structure_factor,
    kiessig_fringes,
    measure,
    mode_weights,
    paracrystal_structure_factor,
    photon_probability,
    simulate,
    speckle_correlation,
    speckle_patterns,
    sphere_form_factor,
    vineyard_factor,
    wiener_filter,
)


def image_means(values):
    """Mean over the images and its standard error: pixels of one image are correlated, images are not."""
    values = values.reshape(len(values), -1).mean(1)
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("modes", [1, 2, 4])
def test_speckle_intensity_follows_the_gamma_distribution(modes):
    """Goodman (2007), eq. 4.23: Gamma(M, 1 / M). Speckle of one pixel has no neighbours: Kolmogorov-Smirnov."""
    g = speckle_patterns(64, seed=1, modes=modes, speckle_size=1.0).intensity
    sparse = g[:, ::4, ::4].ravel().astype(float)
    assert stats.kstest(sparse, stats.gamma(modes, scale=1 / modes).cdf).pvalue > 1e-3


@pytest.mark.parametrize("modes", [1.0, 1.5, 3.0, 7.4])
def test_speckle_contrast_is_one_over_the_root_of_the_number_of_modes(modes):
    """Goodman (2007), section 4.2: mean 1 and variance 1 / M, also if M is not whole; 4 sigma over 400 images."""
    g = speckle_patterns(400, seed=2, modes=modes).intensity.astype(float)
    for value, expected in ((g, 1.0), ((g - 1.0) ** 2, 1.0 / modes)):
        mean, error = image_means(value)
        assert abs(mean - expected) < 4 * error
        assert error < 0.03 * expected


def test_bright_speckle_is_as_frequent_as_the_exponential_says():
    """Fully developed speckle: P(g > 1, 2, 4) = e^-1, e^-2, e^-4."""
    g = speckle_patterns(600, seed=3).intensity
    for level in (1.0, 2.0, 4.0):
        mean, error = image_means(g > level)
        assert abs(mean - np.exp(-level)) < 4 * error
        assert error < 0.05 * np.exp(-level)


@pytest.mark.parametrize(("size", "modes"), [(1.0, 1.0), (2.0, 1.0), (4.0, 1.0), (3.0, 2.5)])
def test_grains_are_correlated_as_the_fourier_transform_of_the_pupil(size, modes):
    """Goodman (2007), eq. 4.61, or van Cittert and Zernike: covariance |FT(pupil)|^2 / M; along rows and columns."""
    g = speckle_patterns(600, seed=4, modes=modes, speckle_size=size).intensity.astype(float) - 1.0
    expected = speckle_correlation(np.arange(PIXELS), speckle_size=size, modes=modes)
    for shift in (0, 1, 2, 3, 6, 40):
        for pair in (g[:, :, shift:] * g[:, :, : PIXELS - shift], g[:, shift:] * g[:, : PIXELS - shift]):
            mean, error = image_means(pair)
            assert abs(mean - expected[shift]) < 4 * error
            assert error < 0.05


def test_correlation_of_large_grains_is_the_squared_sinc_of_a_square_pupil():
    """The limit of many pixels a period: sinc^2(shift / size); half of it at 0.443 grains."""
    shift = np.array([0.0, 1.0, 3.0, 6.0, 12.0])
    np.testing.assert_allclose(speckle_correlation(shift, speckle_size=12.0), np.sinc(shift / 12.0) ** 2, atol=0.03)
    assert float(speckle_correlation(0.443 * 12, speckle_size=12.0)) == pytest.approx(0.5, abs=0.02)


def test_mode_weights_have_unit_sum_and_the_promised_contrast():
    """1 / M = sum of squares of the eigenvalues, Goodman (2007), section 4.7; equal ones for a whole number."""
    modes = np.linspace(1, 64, 400)
    weights = mode_weights(modes)
    np.testing.assert_allclose(weights.sum(1), 1.0, rtol=1e-12)
    np.testing.assert_allclose((weights**2).sum(1), 1.0 / modes, rtol=1e-9)
    assert (weights >= 0).all()
    np.testing.assert_allclose(mode_weights(5.0), 0.2)


@pytest.mark.parametrize(("modes", "dark"), [(1.0, 0.5), (4.0, 0.4096)])
def test_photons_of_a_speckled_pixel_are_negative_binomial(modes, dark):
    """Mandel (1959): P(0) = (1 + k / M)^-M, 0.5 and 0.4096 at a mean of k = 1; also P(1) ... P(4)."""
    assert photon_probability(0, mean=1.0, modes=modes) == pytest.approx(dark, abs=5e-5)
    g = speckle_patterns(400, seed=5, modes=modes, speckle_size=1.0).intensity
    counts = np.empty_like(g)
    kernels.count_photons(np.random.default_rng(6), g, np.exp(-g), counts)
    for number in range(5):
        mean, error = image_means(counts == number)
        assert abs(mean - photon_probability(number, mean=1.0, modes=modes)) < 4 * error


def test_photon_probabilities_sum_to_one_and_have_the_right_moments():
    """Mean k and variance k + k^2 / M: shot noise plus speckle (Goodman 1985, eq. 9.2-28)."""
    n = np.arange(4000.0)
    for mean, modes in ((1.0, 1.0), (7.0, 2.5), (30.0, 6.0)):
        p = photon_probability(n, mean=mean, modes=modes)
        assert p.sum() == pytest.approx(1.0, abs=1e-9)
        assert p @ n == pytest.approx(mean, rel=1e-9)
        assert p @ n**2 - mean**2 == pytest.approx(mean + mean**2 / modes, rel=1e-8)


@pytest.mark.parametrize("mean", [0.02, 0.7, 0.999, 1.5, 5.0, 15.1, 63.9, 64.1, 3000.0])
def test_counts_are_poisson_on_both_sides_of_the_switch_of_algorithms(mean):
    """Chi-squared of 200 000 counts against the Poisson distribution, bins of at least 20."""
    expected = np.full((1, 400, 500), mean, np.float32)
    counts = np.empty_like(expected)
    kernels.count_photons(np.random.default_rng(7), expected, np.exp(-expected), counts)
    exact = stats.poisson(float(np.float32(mean)))
    edges = np.unique(exact.ppf(np.linspace(0, 1, 42)[1:-1]))
    observed = np.histogram(counts, np.concatenate([[-1.0], edges + 0.5, [np.inf]]))[0]
    frequency = np.diff(np.concatenate([[0.0], exact.cdf(edges), [1.0]])) * counts.size
    wanted = frequency > 20
    observed, frequency = observed[wanted], frequency[wanted]
    chi_squared = ((observed - frequency) ** 2 / frequency).sum()
    assert stats.chi2(max(1, len(observed) - 1)).sf(chi_squared) > 1e-4


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_speckle_and_counting_conserve_the_number_of_photons(preset):
    """The mean of g is 1: in each preset, the difference of the sums over both images is 0 within 4 sigma."""
    images = simulate(600, seed=8, preset=preset)
    share = images.speckled.sum((1, 2), dtype=float) / images.clean.sum((1, 2), dtype=float)
    assert abs(share.mean() - 1.0) < 4 * share.std() / np.sqrt(len(share))
    assert share.std() < 0.2


def test_the_clean_image_holds_the_stated_number_of_photons_and_a_faint_background():
    """Docstring of simulate: photons in all, and 0.01 to 0.3 a pixel besides."""
    images = simulate(300, seed=9, preset="physics")
    background = (images.clean.sum((1, 2), dtype=float) - images.photons) / PIXELS**2
    # halos that stand at the edge of the detector keep a few permille of their photons to themselves
    assert background.min() > 0.009
    assert background.max() < 0.31


@pytest.mark.parametrize("spread", [0.01, 0.1, 0.3])
def test_sphere_form_factor_is_the_mean_over_schulz_radii(spread):
    """Rayleigh's sphere averaged numerically over a gamma distribution (Kotlarchyk and Chen 1983)."""
    radius, shape = 10.0, 1.0 / spread**2
    radii = stats.gamma(shape, scale=radius / shape)

    def sphere(x):
        return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2

    low, high = radii.ppf(1e-13), 1.6 * radii.isf(1e-13)
    r = np.linspace(low, high, 20_001)
    weight = radii.pdf(r) * r**6
    for q in (0.002, 0.05, 0.3, 0.45, 0.9, 2.0):
        expected = integrate.simpson(weight * sphere(q * r), x=r) / integrate.simpson(weight, x=r)
        assert sphere_form_factor(q, radius=radius, spread=spread) == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_zeros_of_the_form_factors_are_those_of_the_bessel_functions():
    """tan x = x at 4.493, 7.725 (sphere); J1 = 0 at 3.832, 7.016 (cylinder); sin = 0 (film).

    For spheres the spread s of 1 % leaves (F' x s)^2 there, with F' = 3 sin x / x^2.
    """
    for zero in (4.493409, 7.725252):
        left = (0.03 * np.sin(zero) / zero) ** 2
        assert sphere_form_factor(zero / 10, radius=10.0, spread=0.01) == pytest.approx(left, rel=0.1)
    cylinder = cylinder_form_factor(special.jn_zeros(1, 3) / 10, radius=10.0, spread=0.0)
    np.testing.assert_allclose(cylinder, 0.0, atol=1e-25)
    np.testing.assert_allclose(film_form_factor(2 * np.pi * np.arange(1, 4) / 20, thickness=20.0), 0.0, atol=1e-25)


def test_spread_of_film_and_cylinder_is_the_numerical_mean():
    """Gaussian sizes, integrated numerically."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    q = np.linspace(0.01, 0.8, 40)
    height = 20.0 + 2.0 * node
    mean = ((height * np.sinc(q[:, None] * height / 2 / np.pi)) ** 2 @ weight) / (height**2 @ weight)
    np.testing.assert_allclose(film_form_factor(q, thickness=20.0, roughness=2.0), mean, rtol=1e-9)
    radius = 8.0 * (1.0 + 0.12 * node)
    x = q[:, None] * radius
    mean = (radius**4 * (2 * special.j1(x) / x) ** 2 @ weight) / (radius**4 @ weight)
    np.testing.assert_allclose(cylinder_form_factor(q, radius=8.0, spread=0.12), mean, atol=1e-4)


def test_hard_spheres_agree_with_the_direct_correlation_function():
    """Wertheim (1963): S = 1 / (1 - n c(q)), Fourier integral done numerically; S(0) from the compressibility."""
    f, radius = 0.27, 7.0
    a = (1 + 2 * f) ** 2 / (1 - f) ** 4
    b = -6 * f * (1 + f / 2) ** 2 / (1 - f) ** 4
    for q in (0.02, 0.2, 0.45, 1.0):
        x = 2 * q * radius
        integral = integrate.quad(lambda r, x=x: (a + b * r + f * a / 2 * r**3) * r * np.sin(x * r) / x, 0, 1)[0]
        expected = 1 / (1 + 24 * f * integral)
        assert hard_sphere_structure_factor(q, radius=radius, fraction=f) == pytest.approx(expected, rel=1e-9)
    zero = hard_sphere_structure_factor(0.0, radius=radius, fraction=f)
    assert zero == pytest.approx((1 - f) ** 4 / (1 + 2 * f) ** 2, rel=2e-3)
    assert hard_sphere_structure_factor(0.3, radius=radius, fraction=0.0) == 1.0


def test_paracrystal_has_its_peaks_at_the_multiples_of_the_reciprocal_spacing():
    """Hosemann (1950): S = (1 + p) / (1 - p) at q D = 2 pi k, S = (1 - p) / (1 + p) half-way, (w / D)^2 at 0."""
    order = np.arange(1, 4)
    for phase, sign in ((2 * np.pi * order, 1), (2 * np.pi * (order - 0.5), -1)):
        q = phase / 25.0
        p = np.exp(-((q * 2.0) ** 2) / 2)
        expected = ((1 + p) / (1 - p)) ** sign
        np.testing.assert_allclose(paracrystal_structure_factor(q, spacing=25.0, disorder=2.0), expected, rtol=1e-9)
    assert paracrystal_structure_factor(0.0, spacing=25.0, disorder=2.0) == pytest.approx(0.0064, rel=1e-4)


def test_kiessig_fringes_are_two_pi_over_the_thickness_apart():
    """Kiessig (1931), at small angles; the roughness takes exp(-q^2 s^2) of the intensity."""
    q = np.linspace(0.1, 1.5, 20_001)
    smooth = kiessig_fringes(q, thickness=31.0, roughness=0.0, contrast=0.7)
    inner = smooth[1:-1]
    maxima = q[1:-1][(inner > smooth[:-2]) & (inner > smooth[2:])]
    np.testing.assert_allclose(np.diff(maxima), 2 * np.pi / 31.0, atol=2e-4)
    rough = kiessig_fringes(q, thickness=31.0, roughness=0.8, contrast=0.7)
    np.testing.assert_allclose(rough / smooth, np.exp(-((0.8 * q) ** 2)), rtol=1e-12)


def test_yoneda_line_stands_at_the_critical_angle_four_times_as_bright():
    """Vineyard (1982): |t|^2 = 4 at k = k_c without absorption, 1 far above, 0 at the horizon and below."""
    k = np.linspace(-0.1, 1.0, 11_001)
    factor = vineyard_factor(k, k_critical=0.15)
    assert k[factor.argmax()] == pytest.approx(0.15, abs=1e-4)
    assert factor.max() == pytest.approx(4.0, abs=1e-6)
    assert (factor[k <= 0] == 0).all()
    assert vineyard_factor(100.0, k_critical=0.15) == pytest.approx(1.0, abs=1e-5)
    absorbing = vineyard_factor(k, k_critical=0.15, absorption=0.1)
    assert absorbing.max() < 3.3


def test_rods_of_simulated_cylinders_stand_at_the_reciprocal_of_their_spacing():
    """The image itself: along the surface, the strongest maxima are 2 * 2 pi / (spacing * PIXEL) pixels apart."""
    images = simulate(400, seed=10, preset="physics", photons=[1e6, 1e6])
    errors = []
    for image, spacing, turned in zip(images.clean, images.spacing, images.turned, strict=True):
        distance = 2 * np.pi / max(spacing, 1e-9) / PIXEL  # of the first order from the centre
        if not 12 < distance < 17:
            continue
        upright = image.T if turned else image  # surface along the columns
        profile = upright[:40].sum(0, dtype=float)
        spectrum = [profile[k] * profile[k + round(2 * distance) + d] for d in (-1, 0, 1) for k in range(24)]
        errors.append(max(spectrum) / profile.max() ** 2)
    assert len(errors) > 10
    assert np.median(errors) > 0.3, "both first orders are seen, where the spacing says"


def test_grazing_incidence_ends_at_the_horizon():
    """A surface is opaque from below: rows under the horizon of film and cylinders hold background and halo only."""
    images = simulate(300, seed=11, preset="physics", photons=[1e5, 1e5])
    for image, kind, turned in zip(images.clean, images.kind, images.turned, strict=True):
        if KINDS[kind] != "sphere":
            upright = image.T if turned else image
            lowest = np.median(upright[-3:])
            assert lowest < 0.31
            assert np.median(upright[20:40]) > 2 * lowest


@pytest.mark.parametrize(
    ("preset", "raw", "box", "wiener"), [("book", 0.0077, 0.0048, 0.0034), ("physics", 0.0103, 0.0025, 0.00215)]
)
def test_difficulty_is_frozen(preset, raw, box, wiener):
    """Docstring of simulate: mean squared errors in the book's scale, to 5 %. Baselines leave room for a network."""
    images = simulate(600, seed=12, preset=preset)
    brightest = np.log1p(images.speckled).max((1, 2), keepdims=True)
    target = np.log1p(images.clean) / brightest
    for estimate, expected in (
        (images.speckled, raw),
        (box_filter(images.speckled), box),
        (wiener_filter(images.speckled), wiener),
    ):
        error = ((np.log1p(estimate) / brightest - target) ** 2).mean()
        assert error == pytest.approx(expected, rel=0.05)


def test_partially_coherent_speckle_is_weaker():
    """Docstring of measure: each image has the contrast of its own number of modes, from bright uniform stretches."""
    images = measure(600, seed=13, photons=[5e5, 5e5])
    bright = images.valid & (images.clean > 100)
    enough = bright.sum((1, 2)) > 600
    clean = np.where(bright, images.clean, np.nan)[enough].astype(float)
    excess = (images.speckled[enough] / clean - 1.0) ** 2 - 1.0 / clean  # counting adds 1 / photons
    variance = np.nanmean(excess, axis=(1, 2))
    expected = 1.0 / images.modes[enough]
    assert enough.sum() > 100
    assert np.corrcoef(variance, expected)[0, 1] > 0.8
    scaled = variance / expected
    assert abs(scaled.mean() - 1.0) < 4 * scaled.std() / np.sqrt(len(scaled))
