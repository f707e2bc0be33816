"""Checks of the examples of chapter 16: a committee, bags, proportions, wrong labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, xlogy

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- M16.1 --------------------------------------------------------------------------------------------------


def _entropy(p: np.ndarray, base: float = np.e) -> np.ndarray:
    return np.asarray(-(xlogy(p, p) + xlogy(1 - p, 1 - p)) / np.log(base))


def _votes(p: np.ndarray) -> np.ndarray:
    return _entropy((p > 0.5).mean(axis=0))


DISAGREEMENTS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "entropy of the mean": (
        lambda p: _entropy(p.mean(axis=0)),
        "minus the average entropy: a committee that says 50 % as one man does not disagree",
    ),
    "average entropy": (lambda p: _entropy(p).mean(axis=0), "the entropy of the averaged answer, minus this average"),
    "sign": (lambda p: _entropy(p).mean(axis=0) - _entropy(p.mean(axis=0)), "larger where they disagree: the sign"),
    "bits": (lambda p: _entropy(p.mean(axis=0), 2) - _entropy(p, 2).mean(axis=0), "nats: the natural logarithm"),
    "variance": (lambda p: p.var(axis=0), "a difference of entropies, not the variance"),
    "votes": (_votes, "the probabilities themselves, not votes of yes or no"),
    "one term": (
        lambda p: (xlogy(p, p)).mean(axis=0) - xlogy(p.mean(axis=0), p.mean(axis=0)),
        "both terms of the entropy, for class 1 and for class 0",
    ),
    "sum": (
        lambda p: _entropy(p.mean(axis=0)) - _entropy(p).sum(axis=0),
        "the average of the members' entropies, not their sum",
    ),
}


@task("M16.1", section="16.1")
def disagreement(student: Any, random: np.random.Generator) -> str:
    members, n = 6, 11
    p = random.beta(0.8, 0.8, (members, n)).clip(0.01, 0.99)
    answer = student(p)
    if getattr(answer, "shape", None) == (members,):
        expect.holds(
            False, because="one number for each event: average over axis 0", seen=f"({members},)", rung="shape"
        )
    expect.shape(answer, (n,), name="the disagreement")
    expect.finite(answer, name="the disagreement")
    for wrong, because in DISAGREEMENTS.values():
        expect.differs(answer, wrong(p), because=because)
    sure = np.repeat([[0.0], [1.0]], 3, axis=0)
    half = np.tile(sure, (1, 4))
    divided = np.asarray(student(half), float)
    expect.holds(
        np.isfinite(divided).all(),
        because="0 ln 0 = 0: members may be completely sure",
        seen="NaN or infinity for probabilities of 0 and 1",
        rung="known mistake",
    )
    expect.holds(
        np.isfinite(np.asarray(student(half.astype(np.float32)), float)).all(),
        because="the same in single precision, in which networks answer and 1 - 1e-12 is 1",
        seen="NaN or infinity for probabilities of 0 and 1 as float32",
        rung="known mistake",
    )
    expect.close(
        divided,
        np.full(4, np.log(2)),
        atol=1e-6,
        because="ln 2, the largest value, if half of the members are sure of either class",
        rung="physics",
    )
    alike = np.tile(random.uniform(0.1, 0.9, n), (members, 1))
    expect.close(
        student(alike), np.zeros(n), atol=1e-6, because="zero where all members say the same, also at 50 %",
        rung="physics",
    )  # fmt: skip
    expect.close(
        student(1 - p), answer, atol=1e-9, because="the same if the classes exchange their names", rung="physics"
    )
    expect.close(
        student(p[random.permutation(members)]),
        answer,
        atol=1e-9,
        because="the same, whoever of the members speaks first",
        rung="physics",
    )
    right = _entropy(p.mean(axis=0)) - _entropy(p).mean(axis=0)
    expect.close(answer, right, rtol=1e-5, atol=1e-8, because="H(mean of p) - mean of H(p)", name="the disagreement")
    return "between 0 and ln 2, and 0 for a committee that is undecided as one"


def _judged(wrong: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    def disagreement(probabilities: np.ndarray) -> Any:
        return wrong(probabilities)

    return disagreement


def _unsafe(p: np.ndarray) -> np.ndarray:
    def entropy(q: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(-q * np.log(q) - (1 - q) * np.log(1 - q))

    return np.asarray(entropy(p.mean(axis=0)) - entropy(p).mean(axis=0))


disagreement.hints = (
    "Write a small function for H(p) of an array and use it twice.",
    "probabilities.mean(axis=0) is the averaged answer, (n,); H of all members is (members, n), to be averaged over "
    "axis 0.",
    "np.clip(p, 1e-12, 1 - 1e-12) before the logarithm keeps 0 ln 0 from becoming NaN, if p is float64: "
    "np.asarray(p, float).",
)
disagreement.mistakes = {
    **{name: (_judged(wrong), because.partition(":")[0]) for name, (wrong, because) in DISAGREEMENTS.items()},
    "0 ln 0": (_judged(_unsafe), "completely sure"),
    "single precision": (
        _judged(lambda p: _unsafe(np.clip(p, 1e-12, 1 - 1e-12, dtype=p.dtype))),
        "in single precision",
    ),
    "over the events": (_judged(lambda p: _entropy(p.mean(axis=1)) - _entropy(p).mean(axis=1)), "average over axis 0"),
}

# --- M16.2 --------------------------------------------------------------------------------------------------


def _log_none(logits: np.ndarray) -> np.ndarray:
    return np.asarray(-np.logaddexp(0.0, np.asarray(logits, float)).sum(axis=-1))


NEGATIVES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "probability": (lambda x: np.exp(_log_none(x)), "the logarithm of the probability"),
    "positive": (lambda x: np.log(-np.expm1(_log_none(x))), "the bag negative: ln(1 - P), not ln P"),
    "all positive": (
        lambda x: -np.logaddexp(0.0, -x).sum(axis=-1),
        "the product of 1 - p, that none is positive, not the product of p",
    ),
    "sign": (lambda x: -_log_none(x), "at most zero: the logarithm of a probability"),
    "mean": (lambda x: _log_none(x) / x.shape[-1], "the sum over the instances, not their mean"),
    "maximum": (lambda x: -np.logaddexp(0.0, x.max(axis=-1)), "all instances, not the most suspicious one alone"),
    "no sigmoid": (lambda x: np.log(np.clip(1 - x, 1e-7, None)).sum(axis=-1), "logits: p = sigmoid(logit) comes first"),
}


@task("M16.2", section="16.2")
def log_all_negative(student: Any, random: np.random.Generator) -> str:
    logits = random.normal(-1.0, 1.5, (5, 8)).astype(np.float32)
    answer = student(logits)
    if getattr(answer, "shape", None) == (8,):
        expect.holds(
            False, because="one number for each bag: the last axis holds the instances", seen="(8,)", rung="shape"
        )
    expect.shape(answer, (5,), name="the answer for 5 bags")
    expect.finite(answer, name="the answer")
    for wrong, because in NEGATIVES.values():
        expect.differs(answer, wrong(logits), because=because, rtol=1e-4)
    large = np.asarray(student(np.array([[200.0, -3.0], [-200.0, -200.0]], np.float32)), float)
    expect.holds(
        np.isfinite(large).all() and abs(large[0] + 200.05) < 0.1 and abs(large[1]) < 1e-6,
        because="right for logits of 200 as well, where 1 - sigmoid is zero in single precision: use softplus",
        seen=f"{large[0]:.5g} for the logits 200 and -3, {large[1]:.5g} for -200 twice",
    )
    deep = student(np.stack([logits, logits + 1]))
    expect.shape(deep, (2, 5), name="the answer for two sets of 5 bags")
    one = student(logits[:, :1])
    expect.close(
        np.exp(np.asarray(one, float)),
        1 - expit(logits[:, 0].astype(float)),
        rtol=1e-4,
        because="1 - p for a bag with a single instance",
        rung="physics",
    )
    with_silent = np.concatenate([logits, np.full((5, 1), -60.0, np.float32)], axis=1)
    expect.close(
        student(with_silent),
        answer,
        rtol=1e-5,
        because="the same for one more instance that is certainly negative",
        rung="physics",
    )
    expect.close(answer, _log_none(logits), rtol=1e-4, because="the sum of ln(1 - p)", name="the answer")
    return "safe for any logits"


def _bags(wrong: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    def log_all_negative(logits_of_instances: np.ndarray) -> Any:
        return wrong(np.asarray(logits_of_instances))

    return log_all_negative


def _naive(x: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        p = 1 / (1 + np.exp(-np.clip(x, -60, 60), dtype=np.float32))
        return np.asarray(np.log(np.float32(1) - p).sum(axis=-1))


log_all_negative.hints = (
    "The logarithm of a product is a sum of logarithms.",
    "ln(1 - sigmoid(l)) = -ln(1 + e^l), and ops.softplus(l) is ln(1 + e^l), safe for any l.",
    "Sum over the last axis, axis=-1, and mind the sign.",
)
log_all_negative.mistakes = {
    **{name: (_bags(wrong), because.partition(":")[0]) for name, (wrong, because) in NEGATIVES.items()},
    "1 - sigmoid": (_bags(_naive), "logits of 200"),
    "first axis": (_bags(lambda x: -np.logaddexp(0.0, x).sum(axis=0)), "the last axis holds the instances"),
    "second axis": (_bags(lambda x: -np.logaddexp(0.0, x).sum(axis=1)), "two sets of 5 bags"),
}

# --- M16.3 --------------------------------------------------------------------------------------------------

PROPORTION_LOSSES: dict[str, tuple[Callable[[np.ndarray, np.ndarray], Any], str]] = {
    "(16.1)": (
        lambda f, z: ((f - z[:, None]) ** 2).mean(),
        "first the mean over the batch, then the square: this is (16.1)",
    ),
    "one mean": (lambda f, z: (f.mean() - z.mean()) ** 2, "a deviation for each batch, not one for all together"),
    "modulus": (lambda f, z: np.abs(f.mean(axis=1) - z).mean(), "the square of the deviation, not its modulus"),
    "sum over the batch": (lambda f, z: ((f.sum(axis=1) - z) ** 2).mean(), "the mean output of a batch, not the sum"),
    "sum over the batches": (lambda f, z: ((f.mean(axis=1) - z) ** 2).sum(), "the mean over the batches, not the sum"),
    "root": (lambda f, z: np.sqrt(((f.mean(axis=1) - z) ** 2).mean()), "no root: the mean of the squares"),
    "no square": (lambda f, z: (f.mean(axis=1) - z).mean(), "squares: without them deviations cancel"),
    "rounded": (
        lambda f, z: (((f > 0.5).mean(axis=1) - z) ** 2).mean(),
        "the outputs as they are: a count of those above 0.5 has no gradient",
    ),
}


@task("M16.3", section="16.2")
def proportion_loss(student: Any, random: np.random.Generator) -> str:
    b, m = 5, 7
    f = random.uniform(0.02, 0.98, (b, m)).astype(np.float32)
    z = random.uniform(0.1, 0.9, b).astype(np.float32)
    answer = student(f, z)
    if np.shape(answer) in ((b,), (m,), (b, m)):
        expect.holds(False, because="one number: the mean over the batches", seen=f"{np.shape(answer)}", rung="shape")
    expect.number(answer, name="the loss")
    for wrong, because in PROPORTION_LOSSES.values():
        expect.differs(float(answer), float(wrong(f, z)), because=because, rtol=1e-4)
    centred = f - f.mean(axis=1, keepdims=True) + z[:, None]
    expect.at_most(
        abs(float(student(centred, z))),
        1e-8,
        because="zero where each mean is right, whatever the single outputs",
        name="the loss of outputs with the right means",
    )
    shuffled = random.permuted(f, axis=1)
    expect.close(
        student(shuffled, z), answer, rtol=1e-4, because="the same in any order within a batch", rung="physics"
    )
    one = student(f[:, :1], z)
    expect.close(
        float(one),
        float(((f[:, 0] - z) ** 2).mean()),
        rtol=1e-4,
        because="the ordinary squared error for batches of one",
        rung="physics",
    )
    right = float(((f.astype(float).mean(axis=1) - z) ** 2).mean())
    expect.close(float(answer), right, rtol=1e-4, because="equation (16.2)", name="the loss")
    return "it leaves single outputs free and asks for the right means"


def _proportions(wrong: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    def proportion_loss(outputs: np.ndarray, proportions: np.ndarray) -> Any:
        return wrong(np.asarray(outputs), np.asarray(proportions))

    return proportion_loss


proportion_loss.hints = (
    "ops.mean(outputs, axis=1) has one entry for each batch, as proportions has.",
    "Their difference, squared; then the mean over the batches.",
)
proportion_loss.mistakes = {
    **{
        name: (_proportions(wrong), because.partition(":")[0].removesuffix(", then the square"))
        for name, (wrong, because) in PROPORTION_LOSSES.items()
    },
    "no mean": (_proportions(lambda f, z: (f.mean(axis=1) - z) ** 2), "one number: the mean over the batches"),
}

# --- M16.4 --------------------------------------------------------------------------------------------------


def _threshold(mu: Any, a0: float, a1: float) -> Any:
    numerator = a0 - a0 * mu + mu
    return numerator / (1.0 + a1 * (mu - 1.0))


THRESHOLDS: dict[str, tuple[Callable[[Any, float, float], Any], str]] = {
    "as printed": (
        lambda mu, a0, a1: _threshold(mu, a1, a0),
        "the indices of (16.6) are exchanged in print: it belongs to the inverse ratios",
    ),
    "unchanged": (
        lambda mu, a0, a1: mu + 0.0 * a0,
        "a threshold that moves: wrong labels bring both densities together",
    ),
    "pure to polluted": (
        lambda mu, a0, a1: (mu * (1 - a1) - a0) / (1 - a0 - mu * a1),
        "from the pure ratio to the polluted one, not back",
    ),
    "upside down": (lambda mu, a0, a1: 1 / _threshold(mu, a0, a1), "the ratio of 0 to 1, not of 1 to 0"),
    "gain only": (
        lambda mu, a0, a1: mu * (1 - a0) / (1 - a1),
        "the admixtures a0 p1 and a1 p0 as well, not only the losses",
    ),
    "numerator only": (lambda mu, a0, a1: a0 + mu * (1 - a0), "the ratio: the sample of class 1 is polluted too"),
}


@task("M16.4", section="16.3")
def polluted_threshold(student: Any, random: np.random.Generator) -> str:
    mu = random.uniform(0.2, 5.0, 9)
    a0, a1 = float(random.uniform(0.05, 0.2)), float(random.uniform(0.3, 0.5))
    answer = student(mu, a0, a1)
    expect.shape(answer, (9,), name="the thresholds for 9 values of mu")
    expect.finite(answer, name="the thresholds")
    for wrong, because in THRESHOLDS.values():
        expect.differs(answer, wrong(mu, a0, a1), because=because)
    expect.close(student(mu, 0.0, 0.0), mu, because="mu itself where no label is wrong", rung="physics")
    expect.close(
        student(np.array([1.0]), a0, a1),
        [1.0],
        because="1 for mu = 1: where the pure densities are equal, so are all mixtures",
        rung="physics",
    )
    expect.close(
        np.asarray(student(1 / mu, a1, a0), float) * np.asarray(answer, float),
        np.ones(9),
        because="the inverse threshold if both classes exchange their names",
        name="the product of both thresholds",
        rung="physics",
    )
    # two exponential densities: nothing but their definition enters
    x = np.sort(random.uniform(0, 4, 2000))
    p0, p1 = np.exp(-x), 2.0 * np.exp(-2.0 * x)
    polluted = ((1 - a0) * p0 + a0 * p1) / ((1 - a1) * p1 + a1 * p0)
    cut = float(random.uniform(0.8, 2.5))
    same = (polluted > float(student(cut, a0, a1))) == (p0 / p1 > cut)
    expect.holds(
        same.mean() > 0.998,
        because="a cut that selects the same events as the one on the pure ratio",
        seen=f"{1 - same.mean():.1%} of 2000 events are selected differently",
    )
    expect.close(answer, _threshold(mu, a0, a1), because="the polluted ratio at p0 / p1 = mu", name="the thresholds")
    return "the same events pass; at a0 + a1 = 1 it would be 1 for every mu"


def _cuts(wrong: Callable[[Any, float, float], Any]) -> Callable[..., Any]:
    def polluted_threshold(mu: Any, a0: float, a1: float) -> Any:
        return wrong(np.asarray(mu, float), a0, a1)

    return polluted_threshold


polluted_threshold.hints = (
    "Put r = mu into the formula for the polluted ratio.",
    "Divide (16.3) and (16.4) by p1: the numerator is (1 - a0) r + a0, the denominator (1 - a1) + a1 r.",
)
polluted_threshold.mistakes = {
    **{name: (_cuts(wrong), because.partition(":")[0]) for name, (wrong, because) in THRESHOLDS.items()},
    "one pollution": (_cuts(lambda mu, a0, a1: _threshold(mu, (a0 + a1) / 2, (a0 + a1) / 2)), "the polluted ratio at"),
    "linear": (_cuts(lambda mu, a0, a1: 1 + (1 - a0 - a1) * (mu - 1)), "exchange their names"),
    "logarithm": (_cuts(lambda mu, a0, a1: np.log(_threshold(mu, a0, a1))), "no label is wrong"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "M16.3-q1",
    question="Two very large batches with known proportions of 20 % and 80 %. What does loss (16.2) alone determine?",
    options=(
        "The density ratio of the classes, exactly.",
        "Nothing: it is zero for every function.",
        "Two numbers, the mean outputs of both classes; of all functions with these means none is preferred.",
        "The proportion of each class in a third batch, for any function with loss zero, and the best classifier.",
    ),
    answer=3,
    explanation="With small batches the scatter of the mean, the variance of f over m, is punished too, and this "
    "prefers functions that separate. With large ones take (16.1), or many batches with different proportions.",
)
quiz(
    "M16.4-q1",
    question="A classifier was trained with samples of which 10 % and 30 % carry wrong labels, and many of them. Which "
    "of its results are those of a classifier trained with pure labels?",
    options=(
        "Its outputs.",
        "Its ROC curve with respect to the true classes; the threshold for a given purity is another one.",
        "Its accuracy with respect to the wrong labels.",
        "None: wrong labels spoil the ordering.",
    ),
    answer=2,
    explanation="The polluted ratio rises with the pure one, so the order of events is the same, and with it the ROC "
    "curve.",
)
