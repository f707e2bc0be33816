"""Wrong arguments to every public function of dlphys.simulators.radio, and to the loaders."""

import numpy as np

from dlphys.datasets._radio import load_noisy_radio_traces, load_radio_traces
from dlphys.simulators.radio import (
    antenna_response,
    emission_spectrum,
    log_likelihood_ratio,
    log_likelihood_ratio_plain,
    matched_filter,
    noise_spectrum,
    posterior_mean,
    pulse_energy,
    pulses,
    simulate,
    wiener_filter,
)

TRACE = np.ones((1, 500))
SHORT = np.ones((1, 400))

CASES = [
    (simulate, (0,), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (simulate, (3,), {"seed": "x"}, TypeError, r"seed must be a whole number"),
    (simulate, (3,), {"seed": 1, "preset": "moon"}, ValueError, r"preset must be one of 'book', 'physics', got 'moon'"),
    (simulate, (3,), {"seed": 1, "snr": 0.0}, ValueError, r"snr must lie in \[0.001, inf\], got 0"),
    (simulate, (3,), {"seed": 1, "snr": [4, 2]}, ValueError, r"snr must be a number or \(low, high\) in rising order"),
    (simulate, (3,), {"seed": 1, "delay_spread": 501.0}, ValueError, r"delay_spread must be .* in \[0, 500\] ns, got"),
    (simulate, (3,), {"seed": 1, "antenna": "dish"}, ValueError, r"antenna must be one of 'linear', 'log-periodic'"),
    (simulate, (3,), {"seed": 1, "noise": "pink"}, ValueError, r"noise must be one of 'white', 'galactic', got 'pink'"),
    (simulate, (3,), {"seed": 1, "noise_rms": 0.0}, ValueError, r"noise_rms must be .* mV, got 0.0"),
    (simulate, (3,), {"seed": 1, "rfi": 1.0}, ValueError, r"rfi must be .* in \[0, 0.99\], got 1.0"),
    (simulate, (3,), {"seed": 1, "ring_distance": -1.0}, ValueError, r"ring_distance must lie in \[0, inf\] m, got -1"),
    (simulate, (3,), {"seed": 1, "charge_excess": 1.0}, ValueError, r"charge_excess must be .* in \[0, 0.9\], got 1.0"),
    (simulate, (3,), {"seed": 1, "pulse_share": 1.1}, ValueError, r"pulse_share must be .* in \[0, 1\], got 1.1"),
    (antenna_response, (-1.0,), {}, ValueError, r"frequency must lie in \[0, inf\] MHz, got -1"),
    (antenna_response, (50.0,), {"antenna": "dish"}, ValueError, r"antenna must be one of"),
    (emission_spectrum, ("low",), {}, TypeError, r"frequency must be an array of numbers, got 'low'"),
    (emission_spectrum, (50.0,), {"ring_distance": -1.0}, ValueError, r"ring_distance must lie in \[0, inf\] m"),
    (emission_spectrum, (50.0,), {"charge_excess": 2.0}, ValueError, r"charge_excess must lie in \[-1, 1\], got 2"),
    (noise_spectrum, (), {"noise": "red"}, ValueError, r"noise must be one of"),
    (noise_spectrum, (), {"rfi": -0.1}, ValueError, r"rfi must be .* got -0.1"),
    (pulses, ([3.0],), {}, ValueError, r"time must lie in \[0, 2.77778\] us, got 3"),
    (pulses, ([1.0],), {"ring_distance": [1.0, 2.0]}, ValueError, r"ring_distance must be one number or one for each"),
    (pulses, ([1.0],), {"delay_spread": -1.0}, ValueError, r"delay_spread must be .* ns, got -1.0"),
    (pulse_energy, (np.zeros((2, 500)),), {}, ValueError, r"traces must hold a pulse each, got 2 that are zero"),
    (pulse_energy, (np.ones(500),), {}, ValueError, r"traces must have 2 axes, got shape \(500,\)"),
    (matched_filter, (SHORT,), {}, ValueError, r"traces must have shape \(any, 500\), got \(1, 400\)"),
    (matched_filter, (TRACE,), {"noise": "red"}, ValueError, r"noise must be one of"),
    (log_likelihood_ratio, (TRACE * np.nan,), {}, ValueError, r"traces must be finite, got 500 entries"),
    (
        log_likelihood_ratio,
        (TRACE,),
        {"snr": 6.0},
        ValueError,
        r"snr must be below [34]\.\d+ for pulses of this length",
    ),
    (log_likelihood_ratio_plain, (SHORT,), {}, ValueError, r"traces must have shape \(any, 500\)"),
    (log_likelihood_ratio_plain, (TRACE,), {"snr": 6.0}, ValueError, r"snr must be below [34]\.\d+ for pulses"),
    (posterior_mean, (SHORT,), {}, ValueError, r"traces must have shape \(any, 500\)"),
    (posterior_mean, (TRACE,), {"preset": "physics", "snr": 9.0}, ValueError, r"snr must be below [678]\.\d+ for"),
    (wiener_filter, (SHORT,), {}, ValueError, r"traces must have shape \(any, 500\)"),
    (wiener_filter, (TRACE,), {"preset": 3}, ValueError, r"preset must be one of 'book', 'physics', got 3"),
    (load_radio_traces, (2,), {"seed": 1}, ValueError, r"n must be at least 3, got 2"),
    (load_radio_traces, (9,), {"seed": -1}, ValueError, r"seed must be at least 0, got -1"),
    (load_radio_traces, (9,), {"seed": 1, "snr": -2.0}, ValueError, r"snr must lie in \[0.001, inf\], got -2"),
    (load_noisy_radio_traces, (2,), {"seed": 1}, ValueError, r"n must be at least 3, got 2"),
    (load_noisy_radio_traces, (9,), {"seed": 1, "preset": "x"}, ValueError, r"preset must be one of"),
]
