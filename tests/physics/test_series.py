"""Waves, quenches, cracks, absorbers and pulses against closed forms, exact likelihoods and independent solvers."""

import numpy as np
import pytest
from scipy import integrate, signal, stats

from dlphys.simulators import _series_absorber as absorber
from dlphys.simulators import _series_crack as crack
from dlphys.simulators import _series_quench as quench
from dlphys.simulators import series


def auc(score, positive):
    """Area under the ROC curve: Mann and Whitney's statistic."""
    ranks = stats.rankdata(score)
    n, m = positive.sum(), (~positive).sum()
    return (ranks[positive].sum() - n * (n + 1) / 2) / (n * m)


def test_the_book_wave_is_the_sine_of_pi_t():
    """Exercise 9.1: 10 000 points of [0, 100]; the first and last piece against NumPy."""
    pieces = series.sines(9980, seed=1)
    time = np.linspace(0.0, 100.0, 10_000)
    np.testing.assert_allclose(pieces.windows[0], np.sin(np.pi * time[:20]), atol=1e-6)
    np.testing.assert_allclose(pieces.target[-1], np.sin(np.pi * time[-1]), atol=1e-6)


def test_two_values_continue_a_sine_exactly():
    """x(t + dt) = 2 cos(w dt) x(t) - x(t - dt), de Prony (1795): a recursion of two terms for every sine."""
    pieces = series.sines(500, seed=2, preset="physics")
    cosine = np.cos(2 * np.pi * pieces.frequency.astype(float) * series.STEP)
    x = pieces.windows.astype(float)
    np.testing.assert_allclose(2 * cosine * x[:, -1] - x[:, -2], pieces.target, atol=1e-5)


def test_continuation_of_a_noisy_sine_has_the_error_of_gauss_and_markov():
    """Best linear unbiased estimate: variance sigma^2 h^T (X^T X)^-1 h, and no bias; 20 000 pieces."""
    noise = 0.1
    pieces = series.sines(20_000, seed=3, preset="physics", noise=noise)
    error = series.continuation(pieces.windows, pieces.frequency) - pieces.target
    angle = 2 * np.pi * pieces.frequency.astype(float)[:, None] * series.STEP * np.arange(21)
    design = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    normal = np.linalg.inv(np.einsum("nti,ntj->nij", design[:, :20], design[:, :20]))
    variance = noise**2 * np.einsum("ni,nij,nj->n", design[:, 20], normal, design[:, 20])
    pull = error / np.sqrt(variance)
    assert abs(pull.mean()) < 4 / np.sqrt(20_000)
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(40_000))


def test_struck_oscillators_swing_as_the_equation_of_motion_says():
    """x'' + 2 d w x' + w^2 x = 0 between blows, integrated by scipy's DOP853 at 1e-10, blows added to the speed."""
    struck = series.oscillations(3, seed=4, blows=3.0)
    for force, place, frequency, damping in zip(*struck.arrays().values(), strict=True):
        w, d = 2 * np.pi * float(frequency), float(damping)
        state, expected = np.zeros(2), []
        for blow in force.astype(float):
            expected.append(state[0])
            state = state + np.array([0.0, blow])
            motion = integrate.solve_ivp(
                lambda _, y, w=w, d=d: [y[1], -2 * d * w * y[1] - w * w * y[0]],
                (0.0, series.STEP),
                state,
                method="DOP853",
                rtol=1e-10,
                atol=1e-12,
            )
            state = motion.y[:, -1]
        np.testing.assert_allclose(place, expected, atol=1e-6)


@pytest.mark.parametrize("damping", [0.05, 0.3, 0.7])
def test_transfer_function_is_the_fourier_transform_of_the_impulse_response(damping):
    """Integral of h(t) exp(-2 pi i f t) dt by the trapezoidal rule, and scipy's `freqs` of the same equation."""
    frequency = 1.5
    time = np.linspace(0.0, 40.0, 200_001)
    response = series.impulse_response(time, frequency, damping)
    driving = np.array([0.0, 0.5, 1.4, 1.5, 3.0])
    transform = integrate.trapezoid(response * np.exp(-2j * np.pi * driving[:, None] * time), time, axis=1)
    expected = series.transfer_function(driving, frequency, damping)
    np.testing.assert_allclose(transform, expected, rtol=1e-5, atol=1e-9)
    w = 2 * np.pi * frequency
    _, other = signal.freqs([1.0], [1.0, 2 * damping * w, w * w], worN=2 * np.pi * driving[1:])
    np.testing.assert_allclose(expected[1:], other, rtol=1e-12)


def test_resonance_is_at_w_sqrt_1_minus_2_d2():
    """Textbook result for the displacement of a driven, damped oscillator, and the peak 1 / (2 d w^2 sqrt(1 - d^2))."""
    driving = np.linspace(0.5, 1.5, 200_001)
    size = np.abs(series.transfer_function(driving, 1.0, 0.2))
    assert driving[size.argmax()] == pytest.approx(np.sqrt(1 - 2 * 0.2**2), abs=1e-4)
    assert size.max() == pytest.approx(1 / (2 * 0.2 * np.sqrt(1 - 0.2**2) * (2 * np.pi) ** 2), rel=1e-8)


def test_spikes_come_at_the_rate_that_grows_towards_the_quench():
    """Poisson: with exponential heights of 4 mV the excess voltage is 4 mV times the integral of the rate."""
    records = series.quenches(20_000, seed=5, steps=128, lead=(0.0, 0.0), share=1.0)
    remaining = 0.4 * np.arange(127, -1, -1.0)
    np.testing.assert_allclose(records.time_to_quench[0], remaining, atol=1e-4)
    expected = 4.0 * 0.4 * series.spike_rate(remaining)
    mean = records.voltage.mean(0, dtype=float)
    variance = 1.0 + 2 * 16.0 * 0.4 * series.spike_rate(remaining)  # compound Poisson
    pull = (mean - expected) / np.sqrt(variance / 20_000)
    assert np.abs(pull).max() < 4.5  # of 128
    assert np.abs(pull.mean()) < 4 / np.sqrt(128)


def test_resistive_voltage_grows_quadratically_from_the_onset():
    """V = 20 mV/s^2 t^2 / 2 up to the end of the recorder at 200 mV."""
    records = series.quenches(3000, seed=6, steps=64, lead=(-10.0, -9.0), share=1.0)
    times = -records.time_to_quench
    after = (times > 0) & (times < 4.2)
    excess = records.voltage[after] - 10.0 * times[after] ** 2
    # noise of 1 mV; the rare spikes before the onset are not in these values
    assert abs(excess.mean()) < 4 * excess.std() / np.sqrt(after.sum()) + 4 * 0.4 * 0.02
    assert (records.voltage[times > 5.0] == 200.0).all()


def test_densities_of_the_voltage_are_exact():
    """No spike: Gaussian. One: the exponentially modified Gaussian of scipy. All are normalised to one."""
    grid, densities = quench._densities()
    np.testing.assert_allclose(densities[0], stats.norm.pdf(grid), atol=1e-12)
    one = stats.exponnorm.pdf(grid, 4.0)  # shape: mean of the exponential over the width of the Gaussian
    np.testing.assert_allclose(densities[1], one, atol=2e-5)
    np.testing.assert_allclose(integrate.trapezoid(densities, grid, axis=1), 1.0, atol=2e-4)


def test_quench_evidence_is_a_likelihood_ratio():
    """E[p_1 / p_0] = 1 under p_0 for every pair of densities, and P(quench | ratio) is calibrated: Bayes."""
    records = series.quenches(12_000, seed=7, lead=(20.0, 40.0), steps=64)
    evidence = series.quench_evidence(records.voltage, lead=(20.0, 40.0), leads=20)
    ratio = np.exp(evidence[records.quench == 0])
    assert abs(ratio.mean() - 1.0) < 4 * ratio.std() / np.sqrt(len(ratio))
    probability = 1 / (1 + np.exp(-evidence))
    for low, high in ((0.0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 1.0)):
        some = (probability >= low) & (probability < high)
        error = np.sqrt((probability[some] * (1 - probability[some])).sum()) / some.sum()
        assert abs(records.quench[some].mean() - probability[some].mean()) < 4 * error


def test_no_count_of_spikes_beats_the_quench_evidence():
    """Neyman and Pearson: the ratio has the largest area under the ROC curve; threshold counts are worse."""
    records = series.quenches(4000, seed=8, lead=(2.0, 40.0))
    ahead = records.quench == 1
    best = auc(series.quench_evidence(records.voltage), ahead)
    for threshold in (2.0, 3.0, 5.0):
        assert auc((records.voltage > threshold).sum(1), ahead) < best
    assert 0.85 < best < 0.97, "hard, but not hopeless"


def test_cracks_follow_the_closed_form_of_paris_law():
    """da/dN = C (dS sqrt(pi a))^m, integrated by scipy at 1e-10, for the exponents and rates of five specimens."""
    tests = series.cracks(5, seed=9, gauge_error=0.0)
    for length, life, m, rate in zip(tests.length, tests.life, tests.exponent, tests.rate, strict=True):
        m, coefficient = float(m), np.exp(float(rate) - float(m) * np.log(12.0))
        growth = lambda _, a, c=coefficient, m=m: 1e3 * c * (48.28 * np.sqrt(np.pi * 1e-3 * a)) ** m  # noqa: E731
        seen = np.isfinite(length)
        cycles = 5000.0 * np.arange(81)[seen]
        path = integrate.solve_ivp(growth, (0.0, cycles[-1]), [9.0], t_eval=cycles, rtol=1e-10, atol=1e-10).y[0]
        np.testing.assert_allclose(length[seen], path, rtol=2e-5)  # rate and exponent are handed out as float32
        ended = lambda _, a: a[0] - 49.8  # noqa: E731
        ended.terminal = True
        end = integrate.solve_ivp(growth, (0.0, 1e6), [9.0], events=ended, rtol=1e-10, atol=1e-10).t[-1]
        assert life == pytest.approx(end, rel=2e-5)


def test_integrated_cracks_reduce_to_the_closed_form_without_width_and_roughness(monkeypatch):
    """The quadrature of dN = da / (C dK^m) against the closed form, to a tenth of a per mille of the life."""
    monkeypatch.setattr(crack, "PLATE", 1e9)
    monkeypatch.setattr(crack, "ROUGHNESS", 0.0)
    monkeypatch.setattr(crack, "FIRST_LENGTH", 9.0)
    book, physics = series.cracks(20, seed=10), series.cracks(20, seed=10, preset="physics")
    np.testing.assert_allclose(physics.life, book.life, rtol=1e-4)
    both = np.isfinite(book.length) & np.isfinite(physics.length)
    np.testing.assert_allclose(physics.length[both], book.length[both], rtol=1e-3)


def test_a_plate_of_finite_width_breaks_earlier():
    """Feddersen's secant makes the stress intensity larger, by 1 / sqrt(cos(pi a / w)) = 1.39 at the end."""
    book, physics = series.cracks(400, seed=11), series.cracks(400, seed=11, preset="physics")
    shorter = physics.life / book.life
    assert 0.75 < shorter.mean() < 0.95


def test_measured_lengths_have_the_error_of_the_gauge():
    tests = series.cracks(500, seed=12, gauge_error=0.2)
    error = (tests.measured - tests.length)[np.isfinite(tests.length)]
    assert abs(error.mean()) < 4 * 0.2 / np.sqrt(error.size)
    assert error.std() == pytest.approx(0.2, rel=4 / np.sqrt(2 * error.size))


def test_expected_life_is_the_posterior_mean():
    """Its error is orthogonal to it (the tower rule), and no baseline has a smaller one; 2000 specimens."""
    tests = series.cracks(2000, seed=13)
    seen = tests.measured[:, :12]
    mean = series.expected_life(seen)
    error = mean - tests.life
    product = error * (mean - mean.mean())
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(2000)
    assert abs(product.mean()) < 4 * product.std() / np.sqrt(2000)
    other = series.extrapolated_life(seen) - tests.life
    assert error.std() < other.std() < tests.life.std()
    # a grid twice as fine changes nothing
    fine = series.expected_life(seen[:100], nodes=81)
    assert np.abs(fine - mean[:100]).max() < 0.05 * error.std()


def test_an_impact_has_the_energy_of_its_fall():
    """E = m g h, as the book's verification compares; masses and heights uniform in the logarithm."""
    impacts = series.absorbers(4000, seed=14, sensors=1, steps=16)
    np.testing.assert_allclose(impacts.energy, 9.81 * impacts.mass * impacts.height, rtol=1e-6)
    assert stats.kstest(np.log(impacts.mass) / np.log(10.0), stats.uniform.cdf).pvalue > 1e-3
    assert stats.kstest(np.log(impacts.height / 2.0) / np.log(10.0), stats.uniform.cdf).pvalue > 1e-3


def test_the_first_sound_comes_after_fall_and_sound_time():
    """Nothing moves before the sound of the first blow arrives, to one value of the trace."""
    impacts = series.absorbers(20, seed=15, noise=0.0)
    for trace, height in zip(impacts.traces, impacts.height, strict=True):
        thick = absorber.THICKNESS / absorber.LAYERS
        blow = thick / np.sqrt(2 * 9.81 * float(height))
        # the ring of the first layer has a radius of some centimetres; the sensors are at +-0.075 and +-0.225 m
        nearest = np.hypot(absorber.THICKNESS - 0.5 * thick, 0.0) / absorber.SOUND
        farthest = np.hypot(absorber.THICKNESS - 0.5 * thick, 0.4) / absorber.SOUND
        first = (np.abs(trace).max((0, 1)) > 0).argmax() * absorber.SAMPLING
        assert blow + nearest <= first <= blow + farthest + 2 * absorber.SAMPLING


def test_traces_are_sums_of_impulse_responses():
    """Superposition: every blow is answered by the response that the equation of motion gives (tested above)."""
    blows = np.empty((absorber.LAYERS * absorber.RING, 5))
    turns = np.linspace(0.0, 5.0, absorber.LAYERS)
    absorber._blows(500.0, 12.0, 0.2, 0.1, turns, blows)
    traces = np.empty((1, 4, 128))
    one = [np.array([value]) for value in (500.0, 12.0, 0.2, 0.1)]
    absorber._vibrate(*one, turns[None], 2, traces)
    time = absorber.SAMPLING * np.arange(128)
    first = np.array([-0.075, -0.075, 0.6])  # m, sensor 0
    damped = 2 * np.pi * absorber.RESONANCE * np.sqrt(1 - absorber.RATIO**2)
    expected = np.zeros(128)
    for x, y, z, start, root in blows:
        distance = np.linalg.norm(first - [x, y, z])
        strength = root * np.exp(-distance / 0.5) / distance
        since = time - start - distance / 300.0
        expected += strength * damped * series.impulse_response(since, absorber.RESONANCE, absorber.RATIO)
    np.testing.assert_allclose(traces[0, 0], expected, atol=1e-9 * np.abs(expected).max())


def test_loudness_is_proportional_to_the_energy():
    """Amplitudes are roots of energies: at fixed geometry the sum of squares is linear in E, without noise exactly."""
    turns = np.zeros((2, absorber.LAYERS))
    traces = np.empty((2, 16, 128))
    fixed = np.full(2, 0.2)
    absorber._vibrate(np.array([100.0, 400.0]), np.full(2, 10.0), fixed, 0.4 * fixed, turns, 4, traces)
    loudness = series.loudness(traces.reshape(2, 4, 4, 128), noise=0.0)
    assert loudness[1] / loudness[0] == pytest.approx(4.0, rel=1e-9)


def test_pulse_shapes_integrate_two_exponentials():
    """Integral of (1 - s) exp(-t / 3.2) / 3.2 + s exp(-t / 32) / 32 over each sample, by quadrature."""
    shape = series.pulse_shape(64, slow_share=0.26)
    assert shape.sum() == pytest.approx(1.0, rel=1e-12)
    light = lambda t: 0.74 * np.exp(-t / 3.2) / 3.2 + 0.26 * np.exp(-t / 32) / 32  # noqa: E731
    total = integrate.quad(light, 0, 120, limit=200)[0]
    expected = [integrate.quad(light, 2 * k - 8, 2 * k - 6)[0] / total for k in range(4, 64)]
    np.testing.assert_allclose(shape[4:], expected, rtol=1e-8)


def test_photoelectrons_are_poisson():
    """Mean and variance of every sample at fixed light; 20 000 pulses."""
    taken = series.pulses(20_000, seed=17, light=(200.0, 200.0))
    for particle, share in ((series.NEUTRON, 0.26), (series.GAMMA, 0.14)):
        some = taken.signal[taken.particle == particle].astype(float)
        expected = 200.0 * series.pulse_shape(64, slow_share=share)[4:]
        pull = (some.mean(0)[4:] - expected) / np.sqrt(expected / len(some))
        assert np.abs(pull).max() < 4.5
        ratio = some.var(0)[4:] / expected
        assert np.abs(ratio - 1).max() < 5 * np.sqrt((2 + 1 / expected.min()) / len(some))


def test_tail_fraction_has_the_figure_of_merit_of_two_binomials():
    """Given N photoelectrons the tail is binomial: FOM = |p_0 - p_1| / (2.355 (s_0 + s_1)), s^2 = p (1 - p) / N."""
    light = 1000.0
    taken = series.pulses(20_000, seed=18, light=(light, light))
    p = np.array([series.pulse_shape(64, slow_share=share)[16:].sum() for share in (0.26, 0.14)])
    width = np.sqrt(p * (1 - p) / light)
    expected = abs(p[0] - p[1]) / (2.3548 * width.sum())
    measured = series.figure_of_merit(series.tail_fraction(taken.signal), taken.particle)
    assert measured == pytest.approx(expected, rel=4 / np.sqrt(20_000) + 2e-3)


def test_pulse_evidence_is_a_likelihood_ratio():
    """E[p_0 / p_1] = 1 for gamma rays, whatever their light; few photoelectrons, so that the mean converges."""
    taken = series.pulses(40_000, seed=19, light=(5.0, 20.0))
    ratio = np.exp(series.evidence(taken.signal[taken.particle == series.GAMMA]))
    assert abs(ratio.mean() - 1.0) < 4 * ratio.std() / np.sqrt(len(ratio))


def test_pulse_evidence_has_the_area_under_the_roc_curve_of_its_exact_distribution():
    """A sum over photoelectrons of ln(p_0 / p_1) is compound Poisson: its density by Fourier transform."""
    light = 100.0
    shapes = [series.pulse_shape(64, slow_share=share)[4:] for share in (0.26, 0.14)]
    weight = np.log(shapes[0] / shapes[1])
    width, size = 0.01, 2**14
    frequency = np.fft.fftfreq(size)
    cumulative = []
    for shape in shapes:
        place = np.exp(-2j * np.pi * frequency[:, None] * np.round(weight / width))
        density = np.fft.fftshift(np.fft.ifft(np.exp(light * (place @ shape - 1.0))).real)
        cumulative.append(density)
    neutron, gamma = cumulative
    expected = (neutron * (gamma.cumsum() - 0.5 * gamma)).sum()
    taken = series.pulses(20_000, seed=20, light=(light, light))
    found = auc(series.evidence(taken.signal), taken.particle == series.NEUTRON)
    error = np.sqrt(found * (1 - found) / 5000)  # Bamber's bound on the variance, with room
    assert abs(found - expected) < 4 * error * 0.5
    assert auc(series.tail_fraction(taken.signal), taken.particle == series.NEUTRON) < found


def test_labels_are_wrong_as_often_as_the_book_defines():
    """Equations 16.3 and 16.4: alpha_0 of those labelled neutron are gamma rays, alpha_1 of the others neutrons."""
    taken = series.pulses(40_000, seed=21, label_noise=(0.1, 0.3))
    for label, alpha in ((0, 0.1), (1, 0.3)):
        some = taken.particle[taken.label == label]
        wrong = (some != label).mean()
        assert abs(wrong - alpha) < 4 * np.sqrt(alpha * (1 - alpha) / len(some))
    assert abs(taken.label.mean() - 0.5) < 4 * 0.5 / np.sqrt(40_000)


def test_contaminated_threshold_selects_the_same_events():
    """Equations 16.5 and 16.7 on two Gaussians with known densities; the printed 16.6 selects others."""
    x = np.random.default_rng(22).normal(0.0, 1.5, 200_000)
    p_0, p_1 = stats.norm.pdf(x, 0.5), stats.norm.pdf(x, -0.5)
    a_0, a_1, mu = 0.1, 0.3, 2.0
    dirty = ((1 - a_0) * p_0 + a_0 * p_1) / ((1 - a_1) * p_1 + a_1 * p_0)
    threshold = float(series.contaminated_threshold(mu, label_noise=(a_0, a_1)))
    np.testing.assert_array_equal(p_0 / p_1 > mu, dirty > threshold)
    printed = (a_1 + mu * (1 - a_1)) / (1 - a_0 + mu * a_0)
    assert ((p_0 / p_1 > mu) != (dirty > printed)).mean() > 0.01


def test_wrong_labels_do_not_change_the_order_of_the_best_classifier():
    """The contaminated ratio is a growing function of the true one as long as alpha_0 + alpha_1 < 1."""
    thresholds = np.geomspace(1e-3, 1e3, 200)
    for noise in ((0.0, 0.0), (0.4, 0.4), (0.0, 0.9)):
        assert (np.diff(series.contaminated_threshold(thresholds, label_noise=noise)) > 0).all()
    np.testing.assert_allclose(series.contaminated_threshold(thresholds, label_noise=(0.0, 0.0)), thresholds)
