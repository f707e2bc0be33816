"""Checks of the first part of chapter 18: dimensions, divergences, and the two pieces of a variational autoencoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- X18.1a -------------------------------------------------------------------------------------------------


def _neighbours(random: np.random.Generator, dimensions: int, n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Distances to two neighbours with the ratio of uniform points in so many dimensions: P(ratio > m) = m^-d."""
    first = random.uniform(0.5, 2.0, n)
    return first, first * (1.0 - random.uniform(size=n)) ** (-1.0 / dimensions)


@task("X18.1a", section="18.1")
def intrinsic_dimension(student: Any, random: np.random.Generator) -> str:
    truth = int(random.integers(3, 9))
    first, second = _neighbours(random, truth)
    answer = student(first, second)
    expect.number(answer, name="the dimension")
    total = float((np.log(second) - np.log(first)).sum())
    n = len(first)
    known = {
        "the farther distance over the nearer one: the logarithm of its ratio is positive": -(n - 1) / total,
        "one over the mean logarithm: the more dimensions, the nearer to 1 the ratios": total / (n - 1),
        "natural logarithms": (n - 1) / (total / np.log(10)),
        "logarithms of the ratios, not the ratios": (n - 1) / float((second / first).sum()),
        "N - 1 in the numerator, which takes the bias away": n / total,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-9)
    expect.close(
        student(7.0 * first, 7.0 * second),
        answer,
        because="the same number in another unit of length: a dimension has none",
        rung="physics",
    )
    twice = student(np.repeat(first, 2), np.repeat(second**2 / first, 2))
    expect.close(
        float(twice) * 2,
        answer,
        rtol=2e-3,
        because="half the dimension where all logarithms of the ratios are twice as large",
        rung="physics",
    )
    expect.close(answer, (n - 1) / total, because="(N - 1) over the sum of ln(second / first)", name="the dimension")
    return f"{truth} dimensions give {float(answer):.2f} +- {float(answer) / n**0.5:.2f}"


def _dimension(rule: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong intrinsic_dimension() from the logarithms of the ratios."""
    return lambda first, second: rule(np.log(second) - np.log(first))


intrinsic_dimension.hints = (
    "One ratio second / first for each point, and its natural logarithm.",
    "The mean of the logarithms is 1 / d.",
    "N is the number of points: len(first).",
)
intrinsic_dimension.mistakes = {
    "turned": (_dimension(lambda ln: -(ln.size - 1) / ln.sum()), "the farther distance over the nearer"),
    "inverse": (_dimension(lambda ln: ln.sum() / (ln.size - 1)), "one over the mean"),
    "decimal": (_dimension(lambda ln: (ln.size - 1) * np.log(10) / ln.sum()), "natural logarithms"),
    "no logarithm": (lambda first, second: (first.size - 1) / (second / first).sum(), "not the ratios"),
    "biased": (_dimension(lambda ln: ln.size / ln.sum()), "takes the bias away"),
    "differences": (lambda first, second: (first.size - 1) / np.log1p(second - first).sum(), "in another unit"),
    "of each point": (_dimension(lambda ln: 1 / ln), "one number"),
}

# --- X18.3a -------------------------------------------------------------------------------------------------


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    """Sum of p ln p - p ln q over the bins of p, term by term."""
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        if a > 0.0:
            total += a * (np.log(a) - np.log(b)) if b > 0.0 else np.inf
    return float(total)


@task("X18.3a", section="18.1")
def divergence(student: Any, random: np.random.Generator) -> str:
    p, q = random.dirichlet(np.full(6, 2.0), size=2)
    answer = student(p, q)
    expect.number(answer, name="the divergence")
    terms = p * (np.log(p) - np.log(q))
    known = {
        "D(p || q), averaged over p: this is D(q || p)": _relative_entropy(q, p),
        "nats, with the natural logarithm, not bits": terms.sum() / np.log(2),
        "the sum over the bins, not their mean": terms.mean(),
        "p / q in the logarithm; the other way round the divergence is negative": -terms.sum(),
        "each logarithm times the probability p of its bin": (np.log(p) - np.log(q)).sum(),
        "the entropy of p belongs to it, too: the cross-entropy is not zero for equal distributions": -(
            p * np.log(q)
        ).sum(),
        "the terms with their signs: some are negative, only the sum is not": np.abs(terms).sum(),
        "one direction only: the mean of both is another, symmetric quantity": (terms.sum() + _relative_entropy(q, p))
        / 2,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(student(p, p), 0.0, atol=1e-12, because="zero for equal distributions", rung="physics")
    few = np.array([0.5, 0.5, 0.0, 0.0])
    even = np.full(4, 0.25)
    with_zeros = student(few, even)
    expect.close(
        with_zeros,
        np.log(2),
        because="no contribution from bins in which p is zero: 0 ln 0 = 0, without NaN",
        name="D of two bins from four",
        rung="physics",
    )
    expect.holds(
        np.isposinf(np.asarray(student(even, few), dtype=float)),
        because="infinite if q is zero where p is not: what happens was declared impossible",
    )
    both = student(few, np.array([0.25, 0.75, 0.0, 0.0]))
    expect.close(
        both,
        0.5 * np.log(2) + 0.5 * np.log(2 / 3),
        because="finite where both are zero in the same bins",
        name="D of two distributions with common zeros",
        rung="physics",
    )
    expect.close(answer, terms.sum(), because="the sum of p ln(p / q)", name="the divergence")
    return "not symmetric, never negative, and infinite where the impossible happens"


def _summed(rule: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong divergence() that treats zeros rightly where it can."""

    def divergence(p: np.ndarray, q: np.ndarray) -> Any:
        here = p > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            return rule(p[here], q[here])

    return divergence


def _plain(p: np.ndarray, q: np.ndarray) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return (p * np.log(p / q)).sum()


def _common_bins(p: np.ndarray, q: np.ndarray) -> Any:
    here = (p > 0) & (q > 0)
    return (p[here] * np.log(p[here] / q[here])).sum()


divergence.hints = (
    "Only the bins with p > 0 count: choose them with a mask.",
    "If any q of those bins is zero the answer is np.inf.",
    "Then p * ln(p / q), summed over these bins.",
)
divergence.mistakes = {
    "turned": (lambda p, q: _relative_entropy(q, p), "this is D(q || p)"),
    "bits": (_summed(lambda p, q: (p * np.log2(p / q)).sum()), "not bits"),
    "mean": (_summed(lambda p, q: (p * np.log(p / q)).mean()), "not their mean"),
    "sign": (_summed(lambda p, q: (p * np.log(q / p)).sum()), "is negative"),
    "without weights": (_summed(lambda p, q: np.log(p / q).sum()), "times the probability p"),
    "cross-entropy": (_summed(lambda p, q: -(p * np.log(q)).sum()), "the entropy of p belongs to it"),
    "absolute": (_summed(lambda p, q: np.abs(p * np.log(p / q)).sum()), "with their signs"),
    "symmetric": (
        lambda p, q: 0.5 * (_relative_entropy(p, q) + _relative_entropy(q, p)),
        "one direction only",
    ),
    "nan": (_plain, "no contribution from bins"),
    "common bins": (_common_bins, "infinite if q is zero"),
    "infinite for any zero": (
        lambda p, q: np.inf if (q == 0).any() else _relative_entropy(p, q),
        "finite where both are zero",
    ),
    "of each bin": (_summed(lambda p, q: p * np.log(p / q)), "one number"),
}

# --- M18.1a -------------------------------------------------------------------------------------------------


def _each(mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """Divergence of every dimension."""
    return 0.5 * (np.square(mean) + np.exp(log_variance) - log_variance - 1.0)


@task("M18.1a", section="18.1")
def divergence_from_normal(student: Any, random: np.random.Generator) -> str:
    mean, log_variance = random.normal(size=(2, 5, 3))
    answer = student(mean, log_variance)
    expect.shape(answer, (5,), name="the divergences")
    expect.finite(answer, name="the divergences")
    each = _each(mean, log_variance)
    known = {
        "the sign is that of a divergence, never negative; the book's (18.5) is misprinted": -each.sum(axis=1),
        "the sum over the dimensions of a code, not their mean": each.mean(axis=1),
        "one half of the sum": 2 * each.sum(axis=1),
        "log_variance is ln sigma^2, not ln sigma": _each(mean, 2 * log_variance).sum(axis=1),
        "the exponential of log_variance is the variance": 0.5
        * (mean**2 + log_variance**2 - 1 - log_variance).sum(axis=1),
        "the square of the mean": 0.5 * (mean + np.exp(log_variance) - 1 - log_variance).sum(axis=1),
        "the - 1, which makes it zero for the normal distribution": (each + 0.5).sum(axis=1),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    zeros = np.zeros((4, 3))
    expect.close(
        student(zeros, zeros), np.zeros(4), atol=1e-7, because="zero for the normal distribution itself", rung="physics"
    )
    expect.close(student(-mean, log_variance), answer, because="the same for opposite means", rung="physics", rtol=1e-5)
    one = np.zeros((1, 3))
    one[0, 1] = 2.0
    expect.close(
        student(one, np.zeros((1, 3))),
        np.array([2.0]),
        because="half the square of the distance for a shift alone",
        rung="physics",
        rtol=1e-5,
    )
    expect.close(
        answer,
        each.sum(axis=1),
        because="the closed form, summed over the dimensions",
        name="the divergences",
        rtol=1e-5,
    )
    return "never negative, and zero only for the normal distribution"


def _penalty(rule: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., Any]:
    """A wrong divergence_from_normal() from the terms of every dimension."""
    return lambda mean, log_variance: rule(np.asarray(mean), np.asarray(log_variance)).sum(axis=-1)


divergence_from_normal.hints = (
    "Four terms for each dimension: 1, the logarithm of the variance, the square of the mean, the variance.",
    "The variance is ops.exp(log_variance).",
    "Sum over the last axis, and divide by -2.",
)
divergence_from_normal.mistakes = {
    "printed sign": (_penalty(lambda m, v: -_each(m, v)), "is misprinted"),
    "mean": (lambda mean, log_variance: _each(mean, log_variance).mean(axis=-1), "not their mean"),
    "no half": (_penalty(lambda m, v: 2 * _each(m, v)), "one half"),
    "sigma": (_penalty(lambda m, v: _each(m, 2 * v)), "not ln sigma"),
    "no exponential": (_penalty(lambda m, v: 0.5 * (m**2 + v**2 - 1 - v)), "the exponential of"),
    "mean not squared": (_penalty(lambda m, v: 0.5 * (m + np.exp(v) - 1 - v)), "the square of the mean"),
    "no one": (_penalty(lambda m, v: _each(m, v) + 0.5), "the - 1"),
    "widths forgotten": (_penalty(lambda m, v: 0.5 * m**2), "the closed form"),
    "over the batch": (lambda mean, log_variance: _each(mean, log_variance).sum(axis=0), "shape (5,)"),
}

# --- M18.1b -------------------------------------------------------------------------------------------------


@task("M18.1b", section="18.1")
def draw_code(student: Any, random: np.random.Generator) -> str:
    mean, log_variance, noise = random.normal(size=(3, 6, 4))
    answer = student(mean, log_variance, noise)
    expect.shape(answer, (6, 4), name="the codes")
    expect.finite(answer, name="the codes")
    known = {
        "the standard deviation is exp(log_variance / 2): this is the variance": mean + np.exp(log_variance) * noise,
        "log_variance is a logarithm: the width is never negative": mean + log_variance * noise,
        "the noise times the width": mean + noise,
        "the mean is not scaled": (mean + noise) * np.exp(log_variance / 2),
        "around the mean of this event": np.exp(log_variance / 2) * noise,
        "wide where log_variance is large": mean + np.exp(-log_variance / 2) * noise,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-5)
    expect.close(
        student(mean, log_variance, np.zeros((6, 4))),
        mean,
        because="without noise the code is the mean",
        rung="physics",
        rtol=1e-5,
    )
    expect.close(
        np.asarray(student(mean, log_variance + np.log(4.0), noise)) - mean,
        2 * (np.asarray(answer) - mean),
        because="twice as far from the mean for four times the variance",
        rung="physics",
        rtol=1e-4,
        atol=1e-5,
    )
    expect.close(
        answer,
        mean + np.sqrt(np.exp(log_variance)) * noise,
        because="the mean plus the standard deviation times the noise",
        name="the codes",
        rtol=1e-5,
        atol=1e-6,
    )
    return "the randomness comes from outside, so the code can be differentiated"


draw_code.hints = (
    "z = mean + sigma * noise.",
    "ln sigma is half of ln sigma^2.",
    "sigma = ops.exp(0.5 * log_variance).",
)
draw_code.mistakes = {
    "variance": (lambda mean, log_variance, noise: mean + np.exp(log_variance) * noise, "this is the variance"),
    "logarithm": (lambda mean, log_variance, noise: mean + log_variance * noise, "is never negative"),
    "width forgotten": (lambda mean, log_variance, noise: mean + noise, "the noise times the width"),
    "mean scaled": (
        lambda mean, log_variance, noise: np.sqrt(np.exp(log_variance)) * (mean + noise),
        "the mean is not scaled",
    ),
    "mean forgotten": (lambda mean, log_variance, noise: np.sqrt(np.exp(log_variance)) * noise, "around the mean"),
    "narrow": (lambda mean, log_variance, noise: mean + noise / np.sqrt(np.exp(log_variance)), "wide where"),
    "own noise": (
        lambda mean, log_variance, noise: (
            mean + np.sqrt(np.exp(log_variance)) * np.random.default_rng(1).normal(size=mean.shape)
        ),
        "without noise the code is the mean",
    ),
    "one noise for all": (
        lambda mean, log_variance, noise: mean + np.sqrt(np.exp(log_variance)) * noise[:1],
        "plus the standard deviation times",
    ),
    "first event": (
        lambda mean, log_variance, noise: (mean + np.sqrt(np.exp(log_variance)) * noise)[0],
        "shape (6, 4)",
    ),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "X18.3-q1",
    question="A generator was trained by minimising the reverse divergence D(q || p), and its samples look perfect. "
    "What may still be wrong?",
    options=(
        "It makes events that do not occur in nature.",
        "Some kinds of events never come out.",
        "Its samples are too wide.",
        "Nothing: zero divergence means equal distributions.",
    ),
    answer=2,
    explanation="The reverse divergence is an average over what the generator makes. What it never makes does not "
    "enter, but for the logarithm of the missing share.",
)
quiz(
    "M18.1-q1",
    question="The divergence of one dimension of the code is almost zero for all pictures. What does this mean?",
    options=(
        "The decoder needs this dimension most.",
        "The training has failed and must be repeated.",
        "The encoder writes nothing into this dimension; the decoder sees pure noise there.",
        "All pictures have the same mean and width in the pixels.",
    ),
    answer=3,
    explanation="mu = 0 and sigma = 1 for every picture is what the penalty wants. A dimension that does not help the "
    "reconstruction by more than its cost in nats is given up.",
)
quiz(
    "X18.2-q1",
    question="You add noise of the right size to each invented galaxy, and their fine structure agrees with the "
    "simulation. Are they better now?",
    options=(
        "In this number only: noise is fine structure, too, but it makes no sharp arms.",
        "Yes, since a generator is as good as its histograms.",
        "No, since noise always makes generated pictures worse.",
        "Yes, if the AUC is then below 0.5.",
    ),
    answer=1,
    explanation="One number can be right for the wrong reason. Quantities should be looked at together, and by someone "
    "who knows what they are for.",
)
