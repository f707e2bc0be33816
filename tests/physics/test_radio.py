"""Radio traces against exact results about noise, dispersed pulses, matched filters and optimal estimates."""

import numpy as np
import pytest
from scipy import special, stats

from dlphys.simulators.radio import (
    FREQUENCIES,
    RFI_FREQUENCIES,
    antenna_response,
    emission_spectrum,
    log_likelihood_ratio,
    matched_filter,
    noise_spectrum,
    posterior_mean,
    pulse_energy,
    pulses,
    simulate,
    wiener_filter,
)

BAND = (FREQUENCIES >= 30.0) & (FREQUENCIES <= 80.0)


def best_accuracy(statistic, label):
    """Of the best threshold, with as many pulses as not."""
    order = np.argsort(-statistic)
    right = np.cumsum(label[order] == 1) / (label == 1).sum() - np.cumsum(label[order] == 0) / (label == 0).sum()
    return 0.5 + 0.5 * right.max()


@pytest.fixture(scope="module", params=["book", "physics"])
def noise(request):
    """Noise of each preset, and its expected power."""
    settings = {} if request.param == "book" else {"noise": "galactic", "rfi": 0.2}
    return simulate(4000, seed=1, preset=request.param, pulse_share=0.0).traces, noise_spectrum(**settings)


def test_the_band_has_139_bins():
    """30 to 80 MHz in steps of 0.36 MHz."""
    assert BAND.sum() == 139
    np.testing.assert_array_equal(noise_spectrum() > 0, BAND)


def test_out_of_band_power_is_below_minus_60_dB(noise):
    """Goal -40 dB relative to the band; only the rounding of float32 is left."""
    power = (np.abs(np.fft.rfft(noise[0].astype(float))) ** 2).mean(0)
    assert 10 * np.log10(power[~BAND].max() / power[BAND].min()) < -60


def test_rms_is_that_of_the_setting(noise):
    """0.1 mV; the mean square of a trace has the variance (2 / N^2)^2 sum S_k^2."""
    traces, power = noise
    square = (traces.astype(float) ** 2).mean(1)
    error = 2 / 500**2 * np.sqrt((power**2).sum() / len(traces))
    assert abs(square.mean() - 0.01) < 4 * error
    assert np.sqrt(square).std() == pytest.approx(0.1 * 0.5 * error * np.sqrt(len(traces)) / 0.01, rel=0.1)


def test_spectrum_of_the_noise_is_as_documented(noise):
    """Every bin of the band: the mean of |X_k|^2 is S_k within 4.5 sigma of its exponential distribution, 139 bins."""
    traces, power = noise
    found = (np.abs(np.fft.rfft(traces.astype(float))[:, BAND]) ** 2).mean(0)
    assert np.abs(found / power[BAND] - 1).max() < 4.5 / np.sqrt(len(traces))


def test_amplitudes_are_rayleigh_and_phases_uniform(noise):
    """Gaussian coefficients: |X_k|^2 / S_k exponential, phases uniform, neighbouring bins independent."""
    traces, power = noise
    scaled = np.fft.rfft(traces.astype(float))[:, BAND] / np.sqrt(power[BAND])
    assert stats.kstest((np.abs(scaled) ** 2).ravel(), stats.expon.cdf).pvalue > 1e-3
    assert stats.kstest(np.angle(scaled).ravel(), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3
    products = (scaled[:, 1:] * scaled[:, :-1].conj()).mean(0)
    assert np.abs(products).max() < 4.5 / np.sqrt(len(traces))


def test_galactic_noise_falls_as_frequency_to_the_minus_five_halves():
    """Brightness temperature of the synchrotron sky; a factor of (80/30)^2.5 = 11.6 over the band."""
    power = noise_spectrum(noise="galactic")[BAND]
    slope = np.polyfit(np.log(FREQUENCIES[BAND]), np.log(power), 1)[0]
    assert slope == pytest.approx(-2.5, abs=1e-9)
    with_rfi = noise_spectrum(noise="galactic", rfi=0.3)
    lines = with_rfi - 0.7 * noise_spectrum(noise="galactic")
    assert lines.sum() == pytest.approx(0.3 * with_rfi.sum())
    assert np.abs(FREQUENCIES[lines > 1e-9] - RFI_FREQUENCIES).max() < 0.01


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_peak_over_rms_is_exact_in_every_trace(preset):
    """The definition of the signal-to-noise ratio, to the rounding of float32."""
    sample = simulate(2000, seed=2, preset=preset, pulse_share=1.0)
    noise = (sample.traces - sample.signals).astype(float)
    ratio = np.abs(sample.signals).max(1) / np.sqrt((noise**2).mean(1))
    np.testing.assert_allclose(ratio, sample.snr, rtol=3e-6)
    if preset == "book":
        assert (sample.snr == 2).all()


def test_parseval():
    """Sum of squares in time and in frequency, to 1e-6."""
    traces = simulate(100, seed=3).traces.astype(float)
    power = np.abs(np.fft.rfft(traces)) ** 2
    np.testing.assert_allclose((traces**2).sum(1), 2 * power.sum(1) / 500, rtol=1e-6)


def test_the_shortest_pulse_holds_the_least_energy():
    """A flat spectrum without dispersion on a sample: N / (2 * 139) = 1.7986, the first row of the table."""
    assert float(pulse_energy(pulses([1.0], delay_spread=0.0))[0]) == pytest.approx(500 / 278, rel=1e-12)


@pytest.mark.parametrize(
    ("spread", "energy"), [(0, 1.80), (50, 3.93), (100, 8.01), (200, 14.8), (300, 19.6), (400, 25.6)]
)
def test_dispersion_gives_the_pulse_energies_of_the_table(spread, energy):
    """Reference, section 5: its pulses sit at one place between two samples; ours at all, and include its value.

    A pulse of 55 MHz is sampled only 3.3 times a period: the largest sample depends on where it sits.
    """
    times = 1.0 + np.arange(64) / 64 / 180
    found = pulse_energy(pulses(times, delay_spread=float(spread)))
    assert found.min() * 0.999 < energy < found.max() * 1.001


@pytest.mark.parametrize(
    ("energy", "accuracy"),
    [(1.80, 0.538), (3.93, 0.627), (8.01, 0.819), (14.8, 0.966), (19.6, 0.990), (25.6, 0.998)],
)
def test_pulse_energy_fixes_the_accuracy_of_the_matched_filter(energy, accuracy):
    """The table of the reference, section 5: SNR 2, time unknown, sign known; accuracy to 4 sigma of both numbers.

    The spread is that of the table. Its pulses have the energies above at a peak of 0.2 mV; ours are scaled to them.
    """
    spread = {1.80: 0.0, 3.93: 50.0, 8.01: 100.0, 14.8: 200.0, 19.6: 300.0, 25.6: 400.0}[energy]
    n = 8000
    settings = {"delay_spread": spread, "ring_distance": 0.0, "charge_excess": 0.0}
    sample = simulate(n, seed=4, pulse_share=0.0, **settings)
    random = np.random.default_rng(5)
    label, time = random.random(n) < 0.5, random.uniform(0.35, 2.4, n)
    pulse = pulses(time, delay_spread=spread)
    pulse *= 0.2 * np.sqrt(energy / pulse_energy(pulse))[:, None]
    traces = sample.traces + label[:, None] * pulse
    # the largest output of one sign: the matched filter of the table knows the sign
    spectrum = np.fft.rfft(traces) * antenna_response(FREQUENCIES, delay_spread=spread).conj()
    statistic = np.fft.irfft(spectrum, 4000).max(1)
    assert abs(best_accuracy(statistic, label) - accuracy) < 4 * np.sqrt(2 * accuracy * (1 - accuracy) / n)


def test_the_output_of_the_matched_filter_is_in_standard_deviations():
    """A pulse of known shape at a known time: z = d + unit Gaussian with d^2 = snr^2 (278 / 500) pulse_energy."""
    settings = {"ring_distance": 40.0, "charge_excess": 0.0, "snr": 4.0}
    sample = simulate(4000, seed=6, pulse_share=1.0, **settings)
    energy = pulse_energy(sample.signals.astype(float))
    noise = (sample.traces - sample.signals).astype(float)
    rms = np.sqrt((noise**2).mean(1)) / 0.1
    expected = 4.0 * rms * np.sqrt(278 / 500 * energy)
    excess = matched_filter(sample.traces, **settings) - expected
    # the largest of neighbouring times is above that at the right one by about chi^2_1 / (2 d)
    assert abs(excess.mean() - (0.5 / expected).mean()) < 4 / np.sqrt(len(excess))
    assert excess.std() == pytest.approx(1.0, abs=0.06)


def test_geomagnetic_and_charge_excess_emission_add_with_their_delay():
    """exp(-b f), b proportional to the distance from the ring; amplitudes 1 + a and 1 - a at low frequency."""
    f = np.array([30.0, 80.0])
    field = emission_spectrum(f, ring_distance=100.0)
    assert np.log(field[0] / field[1]).real == pytest.approx(1e-2 * 50.0)
    low = emission_spectrum(1e-9, charge_excess=[0.14, -0.14])
    np.testing.assert_allclose(low.real, [1.14, 0.86])
    sample = simulate(20_000, seed=7, pulse_share=1.0)
    # q = a cos(psi): the arcsine distribution
    assert stats.kstest(sample.charge_excess / 0.14, stats.arcsine(-1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(sample.time, stats.uniform(0.35, 2.05).cdf).pvalue > 1e-3
    assert stats.kstest(sample.ring_distance, stats.uniform(0, 100).cdf).pvalue > 1e-3
    assert abs(sample.polarity.mean()) < 4 / np.sqrt(20_000)


WEAK = {"preset": "physics", "snr": [0.5, 1.5], "delay_spread": 60.0, "ring_distance": 50.0, "charge_excess": 0.0}


@pytest.mark.parametrize("settings", [{"snr": 0.7}, WEAK])
def test_the_limit_is_a_likelihood_ratio(settings):
    """E[LR | noise] = 1 and E[1 / LR | pulse] = 1 exactly; weak pulses, so that the means converge."""
    sample = simulate(2000, seed=8, **settings)
    ratio = log_likelihood_ratio(sample.traces, **settings)
    for values in (np.exp(ratio[sample.label == 0]), np.exp(-ratio[sample.label == 1])):
        assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(len(values))
        assert values.std() > 0.1


def test_posterior_probabilities_are_calibrated():
    """Among traces to which the limit gives the probability p, the share p holds a pulse: chi^2 of ten bins."""
    settings = {"snr": 1.3}
    sample = simulate(2500, seed=9, **settings)
    probability = special.expit(log_likelihood_ratio(sample.traces, **settings))
    pull = 0.0
    for low in np.arange(0, 1, 0.1):
        chosen = (probability >= low) & (probability < low + 0.1)
        p, k = probability[chosen], sample.label[chosen]
        pull += (k - p).sum() ** 2 / (p * (1 - p)).sum()
    assert pull < stats.chi2(10).ppf(1 - 1e-4)


def test_no_other_statistic_beats_the_limit():
    """Neyman and Pearson: matched filter, largest sample and energy are worse, the limit is at LIMIT for the book's."""
    sample = simulate(5000, seed=10)
    label = sample.label
    limit = ((log_likelihood_ratio(sample.traces) > 0) == label).mean()
    assert abs(limit - LIMIT) < 4 * np.sqrt(LIMIT * (1 - LIMIT) / 5000)
    filtered = best_accuracy(matched_filter(sample.traces), label)
    assert 0.985 < filtered < limit + 4 * np.sqrt(2 * LIMIT * (1 - LIMIT) / 5000)
    energy = best_accuracy((sample.traces**2).sum(1), label)
    peak = best_accuracy(np.abs(sample.traces).max(1), label)
    assert max(peak, energy) < 0.85


LIMIT = 0.993


def test_the_posterior_mean_has_the_smallest_error():
    """Orthogonality: E[(s - m) . m] = 0; the Wiener filter and scaled means have larger errors."""
    sample = simulate(250, seed=11, preset="physics", pulse_share=1.0)
    settings = {"preset": "physics", "pulse_share": 1.0}
    mean, linear = (f(sample.traces, **settings) for f in (posterior_mean, wiener_filter))
    excess = ((sample.signals - mean) * mean).sum(1)
    assert abs(excess.mean()) < 4 * excess.std() / np.sqrt(len(excess))
    errors = [((estimate - sample.signals) ** 2).sum(1) for estimate in (mean, 0.9 * mean, 1.1 * mean, linear)]
    assert all(errors[0].mean() < other.mean() for other in errors[1:])
    assert errors[0].mean() < 0.1 * errors[3].mean()


def test_the_wiener_filter_is_the_best_linear_one():
    """Its expected error is sum_k P S / (P + S) over the bins, and stronger or weaker gains are worse."""
    sample = simulate(4000, seed=12, preset="physics", pulse_share=1.0)
    estimate = wiener_filter(sample.traces, preset="physics", pulse_share=1.0)
    errors = [((scale * estimate - sample.signals) ** 2).sum(1) for scale in (1.0, 0.9, 1.1)]
    power = noise_spectrum(noise="galactic", rfi=0.2)[BAND]
    pulse = (np.abs(np.fft.rfft(sample.signals.astype(float))[:, BAND]) ** 2).mean(0)
    exact = 2 / 500 * (pulse * power / (pulse + power)).sum()
    assert abs(errors[0].mean() - exact) < 4 * errors[0].std() / np.sqrt(4000)
    for worse in errors[1:]:
        difference = worse - errors[0]
        assert difference.mean() > 4 * difference.std() / np.sqrt(4000)
