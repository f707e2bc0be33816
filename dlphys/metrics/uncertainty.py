"""Two kinds of uncertainty, told apart by several networks that look at the same events.

The aleatoric part is the scatter of the data, which more data leave as it is; the epistemic part is what the network
does not know, which falls with more data. Several networks are an ensemble, or the samples of a Bayesian network.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlphys._validation import check_array

__all__ = ["EntropyParts", "UncertaintyParts", "entropy_parts", "uncertainty_parts"]


class UncertaintyParts(NamedTuple):
    """Prediction of several networks together and its uncertainties; arrays (n, ...), unit of the prediction.

    Made by `uncertainty_parts`.
    """

    mean: np.ndarray
    aleatoric: np.ndarray
    epistemic: np.ndarray
    total: np.ndarray


def uncertainty_parts(means: ArrayLike, variances: ArrayLike) -> UncertaintyParts:
    """Aleatoric and epistemic uncertainty of a regression, as standard deviations.

    Parameters
    ----------
    means : array, (samples, n, ...)
        Prediction of every network (or of every draw of a Bayesian network) for every event.
    variances : array of the same shape, at least 0
        The variance that each of them predicts, in squared units of ``means``. With
        `dlphys.layers.gaussian_negative_log_likelihood` the networks predict its logarithm.

    Returns
    -------
    UncertaintyParts
        mean, aleatoric, epistemic, total: arrays (n, ...).

    Raises
    ------
    ValueError, TypeError
        If the shapes differ, there are fewer than two samples, or a variance is negative.

    Notes
    -----
    With the N samples i, ``aleatoric^2 = mean_i(variance_i)``, ``epistemic^2 = mean_i((mean_i - mean)^2)``, and
    ``total^2`` is their sum: the variance of a mixture of N distributions of equal weight. These are the formulas of
    the book's figure 13.1; its text averages sigma, not sigma^2, which does not add up to the total. The 1/N makes the
    epistemic part of few networks too small on average, its square by the factor 1 - 1/N.

    Examples
    --------
    >>> parts = uncertainty_parts([[1.0, 5.0], [3.0, 5.0]], [[9.0, 4.0], [7.0, 4.0]])
    >>> parts.mean, parts.aleatoric.round(3), parts.epistemic, parts.total
    (array([2., 5.]), array([2.828, 2.   ]), array([1., 0.]), array([3., 2.]))
    """
    means = check_array(means=means)
    variances = check_array(minimum=0.0, variances=variances)
    if means.shape != variances.shape:
        raise ValueError(f"means and variances must have the same shape, got {means.shape} and {variances.shape}")
    _check_samples(2, means=means)
    aleatoric, epistemic = variances.mean(axis=0), means.var(axis=0)
    return UncertaintyParts(means.mean(axis=0), *(np.sqrt(v) for v in (aleatoric, epistemic, aleatoric + epistemic)))


class EntropyParts(NamedTuple):
    """Uncertainty of a classification by several networks; arrays (n, ...), bits. Made by `entropy_parts`."""

    total: np.ndarray
    aleatoric: np.ndarray
    epistemic: np.ndarray


def entropy_parts(probabilities: ArrayLike) -> EntropyParts:
    """Predictive entropy of a classification, and its aleatoric and epistemic part.

    Parameters
    ----------
    probabilities : array, (samples, n, ..., classes)
        Of every network (or draw of a Bayesian network), for every event; adding up to 1 over the last axis. A last
        axis of length 1 is the probability of class 1 of two.

    Returns
    -------
    EntropyParts
        total: predictive entropy H[mean p]; aleatoric: mean entropy of the single networks; epistemic: the difference,
        the mutual information of class and network. Arrays (n, ...), bits, at most log2(classes).

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two samples or three axes, a probability is outside [0, 1], or they do not add up to 1
        within 0.001.

    Notes
    -----
    Where all networks say one half, the event is hard: aleatoric. Where half of them say 0 and half say 1, each is
    sure and they disagree: epistemic. N. Houlsby et al., arXiv:1112.5745.

    Examples
    --------
    >>> hard, unknown = [0.5, 0.5], [0.0, 1.0]
    >>> parts = entropy_parts(np.array([hard, unknown]).T[:, :, None])
    >>> parts.total, parts.aleatoric, parts.epistemic
    (array([1., 1.]), array([1., 0.]), array([0., 1.]))
    """
    p = check_array(minimum=0.0, maximum=1.0, probabilities=probabilities)
    if p.ndim < 3:
        raise ValueError(f"probabilities must have shape (samples, n, ..., classes), got {p.shape}")
    _check_samples(2, probabilities=p)
    if p.shape[-1] == 1:
        p = np.concatenate([1.0 - p, p], axis=-1)
    sums = p.sum(axis=-1)
    if np.abs(sums - 1.0).max() > 1e-3:
        raise ValueError(
            "probabilities must add up to 1 over the last axis, "
            f"got {sums.flat[np.abs(sums - 1.0).argmax()]:g} (are they logits?)"
        )
    p = p / sums[..., None]
    total = _entropy(p.mean(axis=0))
    aleatoric = _entropy(p).mean(axis=0)
    return EntropyParts(total, aleatoric, np.maximum(total - aleatoric, 0.0))


def _entropy(p: np.ndarray) -> np.ndarray:
    """In bits; 0 log 0 = 0."""
    return -(p * np.log2(np.where(p > 0.0, p, 1.0))).sum(axis=-1) + 0.0


def _check_samples(minimum: int, **argument: np.ndarray) -> None:
    ((name, array),) = argument.items()
    if array.ndim < 2 or len(array) < minimum:
        raise ValueError(f"{name} must have shape (samples, n, ...) with at least {minimum} samples, got {array.shape}")
