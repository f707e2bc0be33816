"""Numbers that judge a model, each with its statistical error.

A function that judges a whole sample returns ``(value, error)`` as two floats, so that a result can be printed as
``0.973 +- 0.002``, or a named tuple of such pairs. The error is the standard deviation that the value would have if the
same number of events were drawn again. What belongs to single events (`uncertainty_parts`, `entropy_parts`,
`planing_weights`) comes as arrays.
"""

from dlphys.metrics.calibration import Pulls, Reliability, coverage, pulls, reliability, temperature_scaling
from dlphys.metrics.dependence import distance_correlation, jensen_shannon, planing_weights
from dlphys.metrics.samples import (
    ModeCoverage,
    kullback_leibler,
    maximum_mean_discrepancy,
    mode_coverage,
    precision_recall,
    sliced_wasserstein,
    two_sample_test,
    wasserstein,
)
from dlphys.metrics.scores import (
    BinnedResolution,
    accuracy_with_error,
    area_under_roc,
    correlation_with_error,
    mean_with_error,
    rayleigh_sigma,
    resolution68,
    resolution_in_bins,
)
from dlphys.metrics.showers import (
    Comparison,
    ShowerObservables,
    compare_distributions,
    radial_profile,
    shower_observables,
)
from dlphys.metrics.uncertainty import EntropyParts, UncertaintyParts, entropy_parts, uncertainty_parts

__all__ = [
    "BinnedResolution",
    "Comparison",
    "EntropyParts",
    "ModeCoverage",
    "Pulls",
    "Reliability",
    "ShowerObservables",
    "UncertaintyParts",
    "accuracy_with_error",
    "area_under_roc",
    "compare_distributions",
    "correlation_with_error",
    "coverage",
    "distance_correlation",
    "entropy_parts",
    "jensen_shannon",
    "kullback_leibler",
    "maximum_mean_discrepancy",
    "mean_with_error",
    "mode_coverage",
    "planing_weights",
    "precision_recall",
    "pulls",
    "radial_profile",
    "rayleigh_sigma",
    "reliability",
    "resolution68",
    "resolution_in_bins",
    "shower_observables",
    "sliced_wasserstein",
    "temperature_scaling",
    "two_sample_test",
    "uncertainty_parts",
    "wasserstein",
]
