"""Wrong arguments to every public function of dlphys.metrics."""

import numpy as np

from dlphys.metrics import (
    accuracy_with_error,
    area_under_roc,
    correlation_with_error,
    mean_with_error,
    rayleigh_sigma,
    resolution68,
    resolution_in_bins,
)

CASES = [
    (accuracy_with_error, ([],), {}, ValueError, r"correct must not be empty"),
    (accuracy_with_error, ([0.2, 0.9],), {}, ValueError, r"correct must hold only True and False .* got 0.2"),
    (accuracy_with_error, (["yes", "no"],), {}, TypeError, r"correct must be an array of numbers"),
    (area_under_roc, ([0.1, 0.2], [0, 1, 1]), {}, ValueError, r"label must have shape \(2,\), got \(3,\)"),
    (area_under_roc, ([0.1, np.nan], [0, 1]), {}, ValueError, r"score must be finite"),
    (area_under_roc, ([0.1, 0.2, 0.3], [0, 1, 2]), {}, ValueError, r"label must hold only 0 and 1, got 2"),
    (area_under_roc, ([0.1, 0.2, 0.3], [0, 1, 1]), {}, ValueError, r"at least two events of class 0, got 1"),
    (mean_with_error, ([1.0],), {}, ValueError, r"x must hold at least 2 numbers, got 1"),
    (mean_with_error, ([1.0, np.nan],), {}, ValueError, r"x must be finite, got 1 entries"),
    (rayleigh_sigma, ([0.1, -0.1],), {}, ValueError, r"distance must lie in \[0, inf\], got .*-0.1"),
    (rayleigh_sigma, ([],), {}, ValueError, r"distance must not be empty"),
    (
        correlation_with_error,
        ([1, 2, 3, 4], [1, 2, 3]),
        {},
        ValueError,
        r"a and b must have the same length, got 4 and 3",
    ),
    (correlation_with_error, ([1, 2, 3], [1, 2, 3]), {}, ValueError, r"a must hold at least 4 numbers, got 3"),
    (correlation_with_error, ([1, 2, 3, 4], [5, 5, 5, 5]), {}, ValueError, r"b must hold different numbers, got 5"),
    (correlation_with_error, ([[1, 2], [3, 4]], [[1, 2], [3, 4]]), {}, ValueError, r"a must have 1 axes, got shape"),
    (resolution68, ([0.1],), {}, ValueError, r"residual must hold at least 2 numbers, got 1"),
    (resolution68, ([0.1, 0.2],), {"seed": 1.5}, TypeError, r"seed must be a whole number"),
    (resolution68, ([0.1, 0.2],), {"resamples": 1}, ValueError, r"resamples must be at least 2, got 1"),
    (resolution_in_bins, ([1.0, 2.0], [1.0], [0, 3]), {}, ValueError, r"estimate and truth must .* got 2 and 1"),
    (resolution_in_bins, ([1.0, 2.0], [1.0, 0.0], [0, 3]), {}, ValueError, r"truth must be above 0, got 0"),
    (resolution_in_bins, ([1.0, np.nan], [1.0, 2.0], [0, 3]), {}, ValueError, r"estimate must be finite"),
    (resolution_in_bins, ([1.0, 2.0], [1.0, 2.0], [3, 0]), {}, ValueError, r"edges must increase, got \[3.*0"),
    (resolution_in_bins, ([1.0, 2.0], [1.0, 2.0], [3]), {}, ValueError, r"edges must hold at least 2 numbers, got 1"),
    (
        resolution_in_bins,
        ([1.0, 2.0, 2.5], [1.0, 2.0, 2.5], [0.5, 1.5, 3.0]),
        {},
        ValueError,
        r"every bin must hold at least 2 events, got 1 in bin 0",
    ),
    (resolution_in_bins, ([1.0, 2.0], [1.0, 2.0], [0, 3]), {"resamples": 1}, ValueError, r"resamples must be at least"),
]
