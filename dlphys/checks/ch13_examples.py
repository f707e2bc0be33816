"""Checks of the examples of chapter 13: Bayesian weights, parts of an uncertainty, temperature, attacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- X13.1a -------------------------------------------------------------------------------------------------


def _softplus(rho: np.ndarray) -> np.ndarray:
    """ln(1 + e^rho) in two branches, so that nothing overflows."""
    return np.maximum(rho, 0.0) + np.log1p(np.exp(-np.abs(rho)))


@task("X13.1a", section="13.1")
def draw_weights(student: Any, random: np.random.Generator) -> str:
    mean, rho, noise = random.normal(size=(3, 5, 4))
    rho = rho - 1.0
    answer = student(mean, rho, noise)
    expect.shape(answer, (5, 4), name="the weights")
    expect.finite(answer, name="the weights")
    width = _softplus(rho)
    known = {
        "the width is ln(1 + exp(rho)), not rho itself, which may be negative": mean + rho * noise,
        "ln(1 + exp(rho)), not exp(rho)": mean + np.exp(rho) * noise,
        "the noise times the width: softplus is a standard deviation, not a variance": mean + np.sqrt(width) * noise,
        "the noise has to be multiplied by the width": mean + noise,
        "the mean belongs to the weight, not only its deviation": width * noise,
        "mean + width * noise: the mean is not scaled": (mean + noise) * width,
        "a width for each weight, not one for all": mean + width.mean() * noise,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        student(mean, rho, np.zeros((5, 4))), mean, because="without noise the weight is its mean", rung="physics"
    )
    expect.close(
        np.asarray(student(mean, rho, 2 * noise)) - mean,
        2 * (np.asarray(answer) - mean),
        because="twice the deviation for twice the noise",
        rung="physics",
    )
    large = np.full((5, 4), 900.0)
    expect.close(
        student(mean, large, noise),
        mean + large * noise,
        because="finite weights for large rho, where exp(rho) overflows but ln(1 + exp(rho)) is nearly rho",
        name="the weights for rho = 900",
        rung="physics",
    )
    expect.close(answer, mean + width * noise, because="mean + ln(1 + exp(rho)) * noise", name="the weights")
    return "the randomness comes from outside, so mean and rho can be differentiated"


def _drawn(width: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong draw_weights() with another width."""

    def draw_weights(mean: np.ndarray, rho: np.ndarray, noise: np.ndarray) -> Any:
        return mean + width(rho) * noise

    return draw_weights


def _overflowing(rho: np.ndarray) -> Any:
    with np.errstate(over="ignore"):
        return np.log(1 + np.exp(rho))


draw_weights.hints = (
    "The width is softplus(rho) = ln(1 + exp(rho)); multiply the noise by it and add the mean.",
    "np.exp(900) is infinite. np.logaddexp(a, b) computes ln(exp(a) + exp(b)) without overflow.",
    "ln(1 + exp(rho)) = ln(exp(0) + exp(rho)).",
)
draw_weights.mistakes = {
    "rho as width": (_drawn(lambda rho: rho), "which may be negative"),
    "exponential": (_drawn(np.exp), "not exp(rho)"),
    "variance": (_drawn(lambda rho: np.sqrt(_softplus(rho))), "not a variance"),
    "width forgotten": (_drawn(np.ones_like), "has to be multiplied"),
    "mean forgotten": (lambda mean, rho, noise: _softplus(rho) * noise, "not only its deviation"),
    "mean scaled": (lambda mean, rho, noise: (mean + noise) * _softplus(rho), "the mean is not scaled"),
    "one width": (_drawn(lambda rho: _softplus(rho).mean()), "not one for all"),
    "overflow": (_drawn(_overflowing), "for large rho"),
    "own noise": (
        lambda mean, rho, noise: mean + _softplus(rho) * np.random.default_rng(1).normal(size=mean.shape),
        "without noise the weight is its mean",
    ),
    "first row": (lambda mean, rho, noise: (mean + _softplus(rho) * noise)[0], "shape (5, 4)"),
}

# --- X13.1b -------------------------------------------------------------------------------------------------


def _kl(mean: np.ndarray, width: np.ndarray, prior: Any, *, half: float = 0.5, sign: float = 1.0) -> np.ndarray:
    """Divergence of each weight; the keywords make known mistakes."""
    return sign * (np.log(prior) - np.log(width)) + 0.5 * ((width / prior) ** 2 + (mean / prior) ** 2) - half


def _reversed(mean: np.ndarray, width: np.ndarray, prior: float) -> Any:
    """KL of the prior from the posterior."""
    return (np.log(width / prior) + (prior**2 + mean**2) / (2 * width**2) - 0.5).sum()


@task("X13.1b", section="13.1")
def divergence(student: Any, random: np.random.Generator) -> str:
    mean, width = random.normal(size=12), random.uniform(0.1, 0.9, 12)
    prior = float(random.uniform(1.2, 2.0))
    answer = student(mean, width, prior)
    expect.number(answer, name="the divergence")
    each = _kl(mean, width, prior)
    known = {
        "the sum over the weights, not their mean": each.mean(),
        "the divergence of the posterior from the prior: the prior's width is in the denominator": _reversed(
            mean, width, prior
        ),
        "each weight has its - 1/2, which makes the divergence of equal distributions zero": (each + 0.5).sum(),
        "- 1/2 for each weight, not once": (each + 0.5).sum() - 0.5,
        "ln(prior width / width), not the other way round: narrow weights are the expensive ones": _kl(
            mean, width, prior, sign=-1.0
        ).sum(),
        "the means count, too: the prior pulls them to zero": _kl(0 * mean, width, prior).sum(),
        "squares of the widths: the arguments are standard deviations, not variances": _kl(
            mean, np.sqrt(width), np.sqrt(prior)
        ).sum(),
        "the logarithm of the ratio of the widths: without it all widths would shrink to zero": (
            (width**2 + mean**2) / (2 * prior**2) - 0.5
        ).sum(),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        student(np.zeros(3), np.full(3, prior), prior),
        0.0,
        atol=1e-9,
        because="zero if the weights are distributed like the prior",
        rung="physics",
    )
    expect.close(
        student(10 * mean, 10 * width, 10 * prior),
        answer,
        because="the same number in another unit of the weights: a divergence has none",
        rung="physics",
    )
    expect.close(
        student(-mean, width, prior), answer, because="a weight and its negative are equally far", rung="physics"
    )
    drawn = mean + width * random.normal(size=(20_000, 12))
    ratio = (drawn / prior) ** 2 / 2 - ((drawn - mean) / width) ** 2 / 2 + np.log(prior / width)
    sums = ratio.sum(axis=1)
    expect.at_most(
        abs(float(answer) - sums.mean()) / (sums.std() / np.sqrt(len(sums))),
        6.0,
        because="the mean of ln q(w) - ln p(w) over 20 000 draws, within its statistical error",
        name="the difference in standard errors",
    )
    expect.close(answer, each.sum(), because="the sum of the closed form over all weights", name="the divergence")
    return "as 20 000 random draws say, without drawing"


divergence.hints = (
    "The formula stands above the task; NumPy computes it for all weights at once.",
    "Two logarithms and two squares: ln(prior_width / width) + (width^2 + mean^2) / (2 prior_width^2) - 1/2.",
    "In the end .sum(), also over the -1/2.",
)
divergence.mistakes = {
    "mean": (lambda mean, width, prior_width: _kl(mean, width, prior_width).mean(), "not their mean"),
    "reversed": (lambda mean, width, prior_width: _reversed(mean, width, prior_width), "is in the denominator"),
    "half forgotten": (lambda mean, width, prior_width: _kl(mean, width, prior_width, half=0.0).sum(), "which makes"),
    "half once": (lambda mean, width, prior_width: _kl(mean, width, prior_width, half=0.0).sum() - 0.5, "not once"),
    "logarithm turned": (
        lambda mean, width, prior_width: _kl(mean, width, prior_width, sign=-1.0).sum(),
        "not the other way round",
    ),
    "means left out": (lambda mean, width, prior_width: _kl(0 * mean, width, prior_width).sum(), "the means count"),
    "variances": (
        lambda mean, width, prior_width: _kl(mean, np.sqrt(width), np.sqrt(prior_width)).sum(),
        "not variances",
    ),
    "weight decay only": (
        lambda mean, width, prior_width: (_kl(mean, width, prior_width) - np.log(prior_width / width)).sum(),
        "would shrink to zero",
    ),
    "prior of width one": (lambda mean, width, prior_width: _kl(mean, width, 1.0).sum(), "distributed like the prior"),
    "each weight": (lambda mean, width, prior_width: _kl(mean, width, prior_width), "one number"),
}

# --- X13.1c -------------------------------------------------------------------------------------------------


def _parts(
    means: np.ndarray, sigmas: np.ndarray, *, axis: int = 0, freedom: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The four results, by moments: <m>, and the roots of <s^2>, <m^2> - <m>^2 and their sum."""
    count = means.shape[axis]
    mean = means.sum(axis=axis) / count
    stochastic = np.square(sigmas).sum(axis=axis) / count
    predictive = means.var(axis=axis, ddof=freedom)
    return mean, np.sqrt(stochastic), np.sqrt(predictive), np.sqrt(stochastic + predictive)


@task("X13.1c", section="13.1")
def split_uncertainty(student: Any, random: np.random.Generator) -> str:
    n = 7
    means = random.normal(size=(5, n)) + 10 * random.uniform(size=n)
    sigmas = random.uniform(0.3, 2.0, size=(5, n))
    answer = student(means, sigmas)
    expect.is_tuple(answer, 4, name="mean and three uncertainties")
    right = _parts(means, sigmas)
    names = ("the mean", "sigma_stoch", "sigma_pred", "sigma_tot")
    for name, array in zip(names, answer, strict=True):
        expect.shape(array, (n,), name=name)
        expect.finite(array, name=name)
    _, stochastic, predictive, total = answer
    expect.differs(
        stochastic,
        right[2],
        because="first the stochastic part, from the sigmas, then the predictive one, from the scatter of the means",
    )
    expect.differs(
        stochastic, sigmas.mean(axis=0), because="variances are averaged, not sigmas: only they add up to the total"
    )
    expect.differs(stochastic, right[1] ** 2, because="standard deviations in the unit of the target, not variances")
    expect.differs(
        stochastic,
        right[1] / np.sqrt(5),
        because="the scatter of the data stays, however many networks look at it: no 1/sqrt(N)",
    )
    expect.differs(
        predictive,
        right[2] / np.sqrt(5),
        because="the scatter of the networks, not the error of their mean: no 1/sqrt(N)",
    )
    expect.differs(
        predictive,
        means.std(axis=0, ddof=1),
        because="1/N in the predictive part: with 1/(N - 1) the parts are not those of the mixture",
    )
    expect.differs(
        predictive,
        np.abs(means - means.mean(axis=0)).mean(axis=0),
        because="the root of the mean squared deviation, not the mean absolute one",
    )
    expect.differs(
        total, right[1] + right[2], because="variances add up, not standard deviations: a sum in squares in the total"
    )
    expect.differs(
        total, np.sqrt(right[1] ** 2 / 2 + right[2] ** 2 / 2), because="the sum of both variances, not their mean"
    )
    same = student(np.tile(means[0], (5, 1)), sigmas)
    expect.close(
        same[2],
        np.zeros(n),
        atol=1e-7,
        because="no predictive part if all networks say the same",
        rung="physics",
    )
    shifted = student(means + 100.0, sigmas)
    expect.close(
        shifted[3],
        total,
        rtol=1e-6,
        because="no uncertainty changes if 100 is added to all predictions",
        rung="physics",
    )
    drawn = means[:, :, None] + sigmas[:, :, None] * random.normal(size=(5, n, 20_000))
    mixture = np.moveaxis(drawn, 1, 0).reshape(n, -1).std(axis=1)
    expect.at_most(
        np.abs(np.asarray(total) / mixture - 1.0),
        0.03,
        because="the total is the standard deviation of 100 000 draws from all networks together",
        name="the relative difference",
    )
    for name, found, wanted in zip(names, answer, right, strict=True):
        expect.close(found, wanted, because="the formulas above the task", name=name)
    return "the squares of both parts add up to the variance of all networks together"


def _split(change: Callable[..., Any]) -> Callable[..., Any]:
    """A wrong split_uncertainty(), made from the right four results."""

    def split_uncertainty(means: np.ndarray, sigmas: np.ndarray) -> Any:
        return change(means, sigmas, *_parts(means, sigmas))

    return split_uncertainty


split_uncertainty.hints = (
    "The networks are on the first axis: all means are taken with axis=0.",
    "sigma_stoch is the root of the mean of sigmas**2; sigma_pred the standard deviation of the means, with 1/N.",
    "The total is the root of the sum of both squares; np.hypot(a, b) is that.",
)
split_uncertainty.mistakes = {
    "parts exchanged": (_split(lambda m, s, a, b, c, d: (a, c, b, d)), "first the stochastic part"),
    "mean of sigma": (_split(lambda m, s, a, b, c, d: (a, s.mean(0), c, np.hypot(s.mean(0), c))), "not sigmas"),
    "variances": (_split(lambda m, s, a, b, c, d: (a, b**2, c**2, d**2)), "not variances"),
    "stochastic part of the mean": (_split(lambda m, s, a, b, c, d: (a, b / len(m) ** 0.5, c, d)), "stays, however"),
    "error of the mean": (_split(lambda m, s, a, b, c, d: (a, b, c / len(m) ** 0.5, d)), "not the error of their mean"),
    "N - 1": (lambda means, sigmas: _parts(means, sigmas, freedom=1), "with 1/(N - 1)"),
    "absolute deviation": (
        _split(lambda m, s, a, b, c, d: (a, b, np.abs(m - a).mean(0), d)),
        "not the mean absolute one",
    ),
    "linear sum": (_split(lambda m, s, a, b, c, d: (a, b, c, b + c)), "variances add up"),
    "mean of both": (_split(lambda m, s, a, b, c, d: (a, b, c, d / 2**0.5)), "not their mean"),
    "distance from the first": (
        _split(lambda m, s, a, b, c, d: (a, b, np.sqrt(((m - m[0]) ** 2).mean(0)), d)),
        "sigma_pred",
    ),
    "over the events": (lambda means, sigmas: _parts(means, sigmas, axis=1), "shape (7,)"),
    "two results": (_split(lambda m, s, a, b, c, d: (a, d)), "4 entries"),
}

# --- X13.1d -------------------------------------------------------------------------------------------------


@task("X13.1d", section="13.1")
def judge_uncertainty(student: Any, random: np.random.Generator) -> str:
    n = 4001  # many, so that shares that differ are told apart
    truth, sigma = random.uniform(10, 20, n), random.uniform(0.5, 4.0, n)
    mean = truth - sigma * (0.4 + 1.3 * random.normal(size=n))
    answer = student(truth, mean, sigma)
    expect.is_tuple(answer, 3, name="mean and standard deviation of the pulls, coverage")
    for name, value in zip(("the mean of the pulls", "their standard deviation", "the coverage"), answer, strict=True):
        expect.number(value, name=name)
    centre, width, covered = (float(value) for value in answer)
    ratio = (truth - mean) / sigma
    expect.differs(centre, -ratio.mean(), because="truth minus prediction: a pull above zero means predicted too small")
    expect.differs(
        width,
        np.std(truth - mean) / sigma.mean(),
        because="each deviation is divided by its own sigma, before the average",
    )
    expect.differs(width, np.std((truth - mean) / sigma**2), because="divide by sigma, not by its square")
    expect.differs(width, np.std((truth - mean) * sigma), because="divide by sigma, do not multiply")
    expect.differs(width, np.std(np.abs(ratio)), because="pulls have a sign: no absolute values for their width")
    expect.differs(width, ratio.var(), because="the standard deviation of the pulls, not their variance")
    expect.differs(
        width,
        np.sqrt(np.mean(ratio**2)),
        because="the standard deviation about the mean pull; the root of the mean square would count a bias, too",
    )
    expect.differs(covered, np.mean(np.abs(ratio) <= 2), because="within one sigma, not two")
    expect.differs(covered, np.mean(ratio <= 1), because="inside on both sides, not only below the upper end")
    expect.differs(covered, np.mean(np.abs(ratio) > 1), because="the share inside, not outside")
    expect.differs(
        covered,
        np.mean(np.abs(ratio - ratio.mean()) <= ratio.std()),
        because="inside the stated mean +- sigma, not inside the width of the pulls",
    )
    expect.differs(covered, 100 * np.mean(np.abs(ratio) <= 1), because="a fraction from 0 to 1, not per cent")
    other = student(1000 * truth + 5, 1000 * mean + 5, 1000 * sigma)
    for value, before in zip(other, answer, strict=True):
        expect.close(value, before, rtol=1e-6, because="the same in another unit: pulls have none", rung="physics")
    wide = student(truth, mean, 2 * sigma)
    expect.close(
        wide[1], width / 2, rtol=1e-6, because="half the width if every sigma is twice as large", rung="physics"
    )
    expect.close(centre, ratio.mean(), because="the mean of (truth - mean) / sigma", name="the mean of the pulls")
    expect.close(
        width,
        ratio.std(),
        rtol=2e-3,  # 1/N or 1/(N - 1), both are fine
        because="the standard deviation of (truth - mean) / sigma",
        name="the width of the pulls",
    )
    expect.close(
        covered, np.mean(np.abs(ratio) <= 1), because="the share of pulls between -1 and 1", name="the coverage"
    )
    return f"here with a bias and sigmas that are too small: only {covered:.0%} are covered"


def _judged(**changes: Callable[..., Any]) -> Callable[..., Any]:
    """A wrong judge_uncertainty(): the right one with some results computed otherwise, from pull, difference, sigma."""

    def judge_uncertainty(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> Any:
        difference = truth - mean
        pull = difference / sigma
        right = {"centre": pull.mean(), "width": pull.std(), "covered": np.mean(np.abs(pull) < 1)}
        return tuple((right | {key: f(pull, difference, sigma) for key, f in changes.items()}).values())

    return judge_uncertainty


judge_uncertainty.hints = (
    "First the pulls, one for each event: (truth - mean) / sigma.",
    "Then pull.mean() and pull.std().",
    "A truth lies inside mean +- sigma if the size of its pull is at most 1; the mean of booleans is a share.",
)
judge_uncertainty.mistakes = {
    "prediction minus truth": (_judged(centre=lambda p, d, s: -p.mean()), "truth minus prediction"),
    "one sigma for all": (_judged(width=lambda p, d, s: d.std() / s.mean()), "by its own sigma"),
    "square of sigma": (_judged(width=lambda p, d, s: (d / s**2).std()), "not by its square"),
    "multiplied": (_judged(width=lambda p, d, s: (d * s).std()), "do not multiply"),
    "absolute pulls": (_judged(width=lambda p, d, s: np.abs(p).std()), "pulls have a sign"),
    "variance": (_judged(width=lambda p, d, s: p.var()), "not their variance"),
    "root mean square": (_judged(width=lambda p, d, s: np.sqrt((p**2).mean())), "would count a bias"),
    "two sigma": (_judged(covered=lambda p, d, s: np.mean(np.abs(p) < 2)), "not two"),
    "one side": (_judged(covered=lambda p, d, s: np.mean(p < 1)), "on both sides"),
    "outside": (_judged(covered=lambda p, d, s: np.mean(np.abs(p) > 1)), "not outside"),
    "width of the pulls": (
        _judged(covered=lambda p, d, s: np.mean(np.abs(p - p.mean()) < p.std())),
        "not inside the width",
    ),
    "per cent": (_judged(covered=lambda p, d, s: 100 * np.mean(np.abs(p) < 1)), "not per cent"),
    "pulls": (_judged(centre=lambda p, d, s: p), "one number"),
}

# --- M13.1a -------------------------------------------------------------------------------------------------


def _loss(logits: np.ndarray, labels: np.ndarray, temperature: Any) -> np.ndarray:
    """Mean cross-entropy for each of some temperatures."""
    z = logits[None, :] / np.atleast_1d(temperature)[:, None]
    return (_softplus(z) - labels * z).mean(axis=1)


def _likeliest(logits: np.ndarray, labels: np.ndarray, loss: Callable[..., np.ndarray] = _loss) -> float:
    """The temperature of smallest loss: a coarse scan, then two finer ones."""
    low, high = 0.05, 100.0
    best = 1.0
    for _ in range(4):
        tried = np.geomspace(low, high, 200)
        place = int(np.argmin(loss(logits, labels, tried)))
        best, low, high = tried[place], tried[max(place - 1, 0)], tried[min(place + 1, 199)]
    return float(best)


def _brier(logits: np.ndarray, labels: np.ndarray, temperature: Any) -> np.ndarray:
    p = np.exp(-_softplus(-logits[None, :] / np.atleast_1d(temperature)[:, None]))
    return ((p - labels) ** 2).mean(axis=1)


def _bias(logits: np.ndarray, labels: np.ndarray, temperature: Any) -> np.ndarray:
    """How far the mean probability of the more probable class is from the accuracy."""
    p = np.exp(-_softplus(-np.abs(logits[None, :]) / np.atleast_1d(temperature)[:, None]))
    return np.abs(p.mean(axis=1) - np.mean((logits > 0) == labels))


@task("M13.1a", section="13.1")
def best_temperature(student: Any, random: np.random.Generator) -> str:
    true_logits = 0.5 + 2.0 * random.normal(size=1500)
    labels = (random.uniform(size=1500) < np.exp(-_softplus(-true_logits))).astype(int)
    blurred = true_logits + 1.5 * random.normal(size=1500)  # so that other criteria find another temperature
    factor = float(random.uniform(2.5, 5.0))
    logits = factor * blurred
    answer = student(logits, labels)
    expect.number(answer, name="the temperature")
    best = _likeliest(logits, labels)
    expect.holds(
        float(answer) > 0, because="a temperature above zero", seen=f"the temperature {answer:.4g}", rung="shape"
    )
    expect.differs(answer, 1.0, because="logits of a network that is too sure: the temperature is not 1")
    expect.differs(
        answer, 1 / best, rtol=0.02, because="logits are divided by the temperature: this one multiplies them"
    )
    expect.differs(
        answer,
        _likeliest(logits, 1 - labels),
        rtol=0.01,
        because="with the label 1 a large logit is right: here every label is turned",
    )
    expect.differs(
        answer,
        float(np.std(logits)),
        rtol=1e-3,
        because="the temperature is decided by the labels, not by the spread of the logits",
    )
    expect.close(
        student(2 * logits, labels) / answer,
        2.0,
        rtol=0.02,
        because="twice the temperature for twice the logits: the probabilities are to be the same",
        name="the ratio of the temperatures",
        rung="physics",
    )
    expect.close(
        student(-logits, 1 - labels) / answer,
        1.0,
        rtol=0.02,
        because="the same temperature if the classes change their names",
        name="the ratio of the temperatures",
        rung="physics",
    )
    careful = student(logits / (10 * best), labels)
    expect.at_most(
        careful,
        0.2,
        because="T < 1 for a network that is not sure enough: its logits are ten times too small",
        name="T",
    )
    expect.close(
        answer / best,
        1.0,
        rtol=0.012,
        because="the temperature with the largest likelihood (smallest cross-entropy) of the labels, to one per cent",
        name="the ratio of your temperature to it",
    )
    return "one number, from jets that the network was not trained on"


def _by(loss: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """A wrong best_temperature(): another criterion."""

    def best_temperature(logits: np.ndarray, labels: np.ndarray) -> Any:
        return _likeliest(logits, labels, loss)

    return best_temperature


best_temperature.hints = (
    "The cross-entropy of one event is ln(1 + exp(-z / T)) if the label is 1 and ln(1 + exp(z / T)) if it is 0.",
    "Give the logits of events with the label 0 the other sign; then the same formula holds for all events.",
    "Try np.geomspace(0.1, 50, 2000): the mean loss for each, and np.argmin. np.logaddexp(0, a) is ln(1 + exp(a)).",
)
best_temperature.mistakes = {
    "always one": (lambda logits, labels: 1.0, "the temperature is not 1"),
    "multiplied": (lambda logits, labels: 1 / _likeliest(logits, labels), "this one multiplies"),
    "labels turned": (lambda logits, labels: _likeliest(logits, 1 - labels), "every label is turned"),
    "spread of the logits": (lambda logits, labels: float(np.std(logits)), "not by the spread"),
    "Brier score": (_by(_brier), "with the largest likelihood"),
    "coarse scan": (
        lambda logits, labels: 0.93 * _likeliest(logits, labels),
        "the ratio of your temperature to it is 0.93",
    ),
    "whole numbers": (
        lambda logits, labels: float(1 + np.argmin(_loss(logits, labels, np.arange(1, 40)))),
        "for twice the logits",
    ),
    "class 1 only": (
        lambda logits, labels: _likeliest(logits[labels == 1], labels[labels == 1]),
        "if the classes change their names",
    ),
    "all probabilities": (lambda logits, labels: logits / _likeliest(logits, labels), "one number"),
}

# --- M13.4a -------------------------------------------------------------------------------------------------


@task("M13.4a", section="13.3")
def attack_step(student: Any, random: np.random.Generator) -> str:
    start = random.normal(size=(6, 8))
    strength, step = 0.3, 0.2
    moved = start + random.uniform(-strength, strength, (6, 8))
    slope = random.normal(size=(6, 8)) * random.choice([0.01, 1.0, 50.0], size=(6, 8))
    slope[0, :2] = 0.0
    answer = student(moved, start, slope, step, strength)
    expect.shape(answer, (6, 8), name="the inputs")
    expect.finite(answer, name="the inputs")

    def within(target: np.ndarray) -> np.ndarray:
        return np.minimum(np.maximum(target, start - strength), start + strength)

    direction = (slope > 0) * 1.0 - (slope < 0)
    known = {
        "up the slope: the attack raises the loss, training lowers it": within(moved - step * direction),
        "only the sign of the slope: entries with small slopes move as far as the others": within(moved + step * slope),
        "the sign of each entry, not a step of fixed length along the slope": within(
            moved + step * slope / np.linalg.norm(slope, axis=1, keepdims=True)
        ),
        "back to within strength of the start: the projection is missing": moved + step * direction,
        "from where the attack is, not from the start": within(start + step * direction),
        "within strength of the start, not of zero": np.clip(moved + step * direction, -strength, strength),
        "a step of the size step, and strength for the border": within(moved + strength * direction),
        "strength is the border, step the size of a step": np.clip(
            moved + step * direction, start - step, start + step
        ),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.at_most(
        np.abs(np.asarray(answer) - start),
        strength + 1e-9,
        because="no entry farther than strength from its start",
        name="a distance",
    )
    expect.close(
        np.asarray(answer)[0, :2],
        moved[0, :2],
        because="an entry without a slope stays where it is",
        name="these entries",
        rung="physics",
    )
    expect.close(
        student(moved, start, 1000 * slope, step, strength),
        answer,
        because="the same step for a loss in other units",
        rung="physics",
    )
    expect.close(
        student(start, start, slope, strength, strength),
        start + strength * direction,
        rtol=1e-6,
        because="one step of the size strength from the start is the fast gradient sign method",
        name="this step",
        rung="physics",
    )
    expect.close(
        answer, within(moved + step * direction), rtol=1e-6, because="the step, then the projection", name="the inputs"
    )
    return "every entry moves as far as allowed, where it hurts"


def _step(change: Callable[..., Any]) -> Callable[..., Any]:
    """A wrong attack_step(): the target of the step, before the projection, is another."""

    def attack_step(moved: np.ndarray, start: np.ndarray, slope: np.ndarray, step: float, strength: float) -> Any:
        return np.minimum(np.maximum(change(moved, start, slope, step, strength), start - strength), start + strength)

    return attack_step


def _limits(change: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
    """A wrong attack_step(): the right step, brought back to a wrong range."""

    def attack_step(moved: np.ndarray, start: np.ndarray, slope: np.ndarray, step: float, strength: float) -> Any:
        return np.clip(moved + np.sign(slope) * step, *change(moved, start, step, strength))

    return attack_step


attack_step.hints = (
    "np.sign(slope) is +1, 0 or -1 for each entry; the attack goes up.",
    "After the step, limit every entry to start - strength ... start + strength.",
    "np.clip takes arrays as its borders.",
)
attack_step.mistakes = {
    "down the slope": (_step(lambda m, s, g, a, e: m - a * np.sign(g)), "training lowers it"),
    "slope itself": (_step(lambda m, s, g, a, e: m + a * g), "only the sign of the slope"),
    "unit length": (
        _step(lambda m, s, g, a, e: m + a * g / np.sqrt((g**2).sum(axis=1, keepdims=True))),
        "not a step of fixed length",
    ),
    "no projection": (_limits(lambda m, s, a, e: (-np.inf, np.inf)), "the projection is missing"),
    "from the start": (_step(lambda m, s, g, a, e: s + a * np.sign(g)), "not from the start"),
    "about zero": (_limits(lambda m, s, a, e: (-e, e)), "not of zero"),
    "strength as step": (_step(lambda m, s, g, a, e: m + e * np.sign(g)), "and strength for the border"),
    "step as border": (_limits(lambda m, s, a, e: (s - a, s + a)), "step the size of a step"),
    "zero counts as up": (_step(lambda m, s, g, a, e: m + a * np.where(g >= 0, 1, -1)), "without a slope stays"),
    "change only": (lambda moved, start, slope, step, strength: step * np.sign(slope[0]), "shape (6, 8)"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "X13.1-q1",
    question="An experiment takes four times as many muons to train the same network. What happens to the "
    "uncertainty of the momentum of one muon?",
    options=(
        "Both parts are halved.",
        "The stochastic part is halved, the predictive part stays.",
        "The predictive part falls, at best to a half; the stochastic part stays.",
        "Both stay, since the hits of this muon are as they are.",
    ),
    answer=3,
    explanation="The hits of one muon scatter as before: only a better detector makes the stochastic part smaller. "
    "What the network does not know falls at best like the root of the number of events.",
)
quiz(
    "M13.1-q1",
    question="Which of these does temperature scaling change?",
    options=(
        "The area under the ROC curve.",
        "The cross-entropy.",
        "The order of the jets.",
        "Which jets are classified rightly with a cut at 0.5.",
    ),
    answer=2,
    explanation="Dividing all logits by one number keeps their order and their signs, and with them the ROC curve and "
    "the accuracy; the probabilities, and so the cross-entropy, change.",
)
quiz(
    "M13.4-q1",
    question="You add random noise of the size 0.2 a thousand times to each lattice, and the network is never fooled. "
    "What have you shown?",
    options=(
        "That the network is safe against all changes of this size.",
        "That the network has learnt the magnetisation.",
        "That an attack of this size must fail as well.",
        "That changes in random directions do nothing; among 1024 directions the bad ones are hardly ever hit.",
    ),
    answer=4,
    explanation="In many dimensions a random direction is nearly at right angles to the gradient. What is unlikely by "
    "chance is easy to find for one who can differentiate.",
)
