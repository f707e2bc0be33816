"""Checks of the methods of chapter 5: bias and variance, pair counting, splits, stopping, penalties, activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- M5.1a ------------------------------------------------------------------------------------------------


@task("M5.1a", section="5.1")
def decompose(student: Any, random: np.random.Generator) -> str:
    truth = random.normal(size=17)
    offset = random.uniform(0.3, 0.6, 17) * random.choice([-1.0, 1.0], 17)
    predictions = truth + offset + random.normal(size=(40, 17)) * np.linspace(0.2, 1.0, 17)
    answer = student(predictions, truth)
    expect.is_tuple(answer, 2, name="bias^2 and variance")
    bias2, variance = answer
    expect.number(bias2, name="bias^2")
    expect.number(variance, name="the variance")
    centre = predictions.mean(0)
    expect.differs(
        bias2,
        np.mean((predictions - truth) ** 2),
        because="average over the training sets before you square: the mean of the squares contains the variance",
    )
    expect.differs(bias2, np.mean(centre - truth) ** 2, because="square at each place, then average over the places")
    expect.differs(bias2, np.sum((centre - truth) ** 2), because="the mean over the places, not their sum")
    expect.differs(
        bias2, np.mean(np.abs(centre - truth)), because="the square of the bias, as it stands in the sum (5.2)"
    )
    expect.differs(
        variance,
        predictions.var(1).mean(),
        because="the variance over the training sets (axis 0) at each place: over the places the function itself "
        "varies",
    )
    expect.differs(variance, predictions.var(), because="the scatter at each place about the mean at that place")
    expect.differs(
        variance, predictions.std(0).mean(), because="a variance is the square of the standard deviation, not its root"
    )
    expect.close(
        bias2 + variance,
        np.mean((predictions - truth) ** 2),
        because="bias^2 and variance together are the mean squared distance from the truth, exactly, if the variance "
        "divides by the number of sets",
        rung="physics",
    )
    moved = student(predictions + 2.0, truth + 2.0)
    expect.close(moved, answer, rtol=1e-5, because="shifting models and truth alike changes neither", rung="physics")
    calibrated = student(predictions - centre + truth, truth)
    expect.close(
        calibrated,
        (0.0, variance),
        rtol=1e-6,
        atol=1e-12,
        because="a bias that is known can be taken away, and the variance stays",
        rung="physics",
    )
    expect.close(answer, (np.mean((centre - truth) ** 2), predictions.var(0).mean()), because="bias^2 and variance")
    return "together they are the mean squared distance from the truth, exactly"


def _parts(change: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong decompose(): the answer made from the predictions and the truth."""

    def decompose(predictions: np.ndarray, truth: np.ndarray) -> Any:
        return change(predictions, truth)

    return decompose


decompose.hints = (
    "The mean model is predictions.mean(axis=0): one number for each place.",
    "bias^2: the mean over the places of (mean model - truth)^2. Variance: predictions.var(axis=0), then its mean.",
    "return np.mean((predictions.mean(axis=0) - truth) ** 2), predictions.var(axis=0).mean()",
)
decompose.mistakes = {
    "squares first": (
        _parts(lambda p, t: (np.mean((p - t) ** 2), p.var(axis=0).mean())),
        "contains the variance",
    ),
    "mean over the places first": (
        _parts(lambda p, t: (np.mean(p.mean(0) - t) ** 2, p.var(axis=0).mean())),
        "square at each place",
    ),
    "variance over the places": (
        _parts(lambda p, t: (np.mean((p.mean(0) - t) ** 2), p.var(axis=1).mean())),
        "over the training sets (axis 0)",
    ),
    "one variance of everything": (
        _parts(lambda p, t: (np.mean((p.mean(0) - t) ** 2), p.var())),
        "about the mean at that place",
    ),
    "standard deviation": (
        _parts(lambda p, t: (np.mean((p.mean(0) - t) ** 2), p.std(axis=0).mean())),
        "not its root",
    ),
    "divided by sets minus one": (
        _parts(lambda p, t: (np.mean((p.mean(0) - t) ** 2), p.var(axis=0, ddof=1).mean())),
        "divides by the number of sets",
    ),
    "bias not squared": (
        _parts(lambda p, t: (np.mean(np.abs(p.mean(0) - t)), p.var(axis=0).mean())),
        "as it stands in the sum",
    ),
    "sum over the places": (
        _parts(lambda p, t: (np.sum((p.mean(0) - t) ** 2), p.var(axis=0).sum())),
        "not their sum",
    ),
    "arrays": (_parts(lambda p, t: ((p.mean(0) - t) ** 2, p.var(axis=0))), "bias^2: one number"),
}

quiz(
    "M5.1-q1",
    question="You have ten times as many training points, and the same model. What falls?",
    options=(
        "The bias: the model now knows the truth better.",
        "The variance: the fits of two experiments resemble each other more. The noise does not fall, and the bias of "
        "a model that is too stiff stays nearly the same.",
        "The noise: it averages out.",
        "All three in proportion.",
    ),
    answer=2,
    explanation="A straight line fitted to a million points of a parabola is still a straight line. The noise belongs "
    "to each new measurement.",
)

# --- M5.2a ------------------------------------------------------------------------------------------------


@task("M5.2a", section="5.1")
def working_point(student: Any, random: np.random.Generator) -> str:
    is_signal = random.random(300) < 0.3
    score = np.clip(np.where(is_signal, 0.6, 0.4) + 0.2 * random.normal(size=300), 0, 1)
    cut = 0.45
    selected = score > cut
    both = np.sum(selected & is_signal)
    answer = student(score, is_signal, cut)
    expect.is_tuple(answer, 3, name="accuracy, efficiency, purity")
    for name, value in zip(("accuracy", "efficiency", "purity"), answer, strict=True):
        expect.number(value, name=name)
    accuracy, efficiency, purity = answer
    right = (np.mean(selected == is_signal), both / is_signal.sum(), both / selected.sum())
    expect.differs(
        accuracy, both / 300, because="rejected background is right as well: the accuracy counts both classes"
    )
    expect.holds(
        not (np.isclose(efficiency, right[2]) and np.isclose(purity, right[1])),
        because="first the efficiency (share of the signal that is found), then the purity (share of signal in what is "
        "found)",
        seen=f"efficiency {efficiency:.4g}, purity {purity:.4g}",
        rung="known mistake",
    )
    expect.differs(efficiency, selected.mean(), because="the efficiency is about signal events only")
    expect.differs(
        efficiency, both / 300, because="the efficiency divides by the number of signal events, not by all events"
    )
    expect.differs(
        purity,
        1 - np.mean(selected[~is_signal]),
        because="the purity divides by the events that were selected; the share of background rejected is another "
        "measure",
    )
    expect.close(
        student(score, is_signal, -1.0),
        (is_signal.mean(), 1.0, is_signal.mean()),
        because="with no cut all signal is found, and purity and accuracy are the share of signal",
        rung="physics",
    )
    perfect = student(is_signal.astype(float), is_signal, 0.5)
    expect.close(perfect, (1.0, 1.0, 1.0), because="a perfect score gives 1 three times", rung="physics")
    twice = student(np.append(score, score[~is_signal]), np.append(is_signal, is_signal[~is_signal]), cut)
    expect.close(
        twice[1],
        efficiency,
        because="twice the background does not change the efficiency for signal",
        rung="physics",
    )
    expect.close(answer, right, because="the three fractions (5.3) to (5.5), for score > cut")
    return "the efficiency does not depend on the mixture, accuracy and purity do"


def _fractions(change: Callable[..., Any]) -> Callable[..., Any]:
    """A wrong working_point(): from true and false positives, true and false negatives."""

    def working_point(score: np.ndarray, is_signal: np.ndarray, cut: float) -> Any:
        s, b = score[is_signal], score[~is_signal]
        return change(np.sum(s > cut), np.sum(b > cut), np.sum(b <= cut), np.sum(s <= cut))

    return working_point


working_point.hints = (
    "selected = score > cut is an array of True and False; selected & is_signal is True where both are.",
    "Efficiency: right / is_signal.sum(); purity: right / selected.sum(), with right = (selected & is_signal).sum().",
    "The accuracy is (selected == is_signal).mean().",
)
working_point.mistakes = {
    "efficiency and purity exchanged": (
        _fractions(lambda tp, fp, tn, fn: ((tp + tn) / (tp + fp + tn + fn), tp / (tp + fp), tp / (tp + fn))),
        "first the efficiency",
    ),
    "accuracy counts signal only": (
        _fractions(lambda tp, fp, tn, fn: (tp / (tp + fp + tn + fn), tp / (tp + fn), tp / (tp + fp))),
        "counts both classes",
    ),
    "efficiency of all events": (
        _fractions(lambda tp, fp, tn, fn: ((tp + tn) / (tp + fp + tn + fn), tp / (tp + fp + tn + fn), tp / (tp + fp))),
        "not by all events",
    ),
    "share selected": (
        _fractions(
            lambda tp, fp, tn, fn: ((tp + tn) / (tp + fp + tn + fn), (tp + fp) / (tp + fp + tn + fn), tp / (tp + fp))
        ),
        "about signal events only",
    ),
    "background rejection as purity": (
        _fractions(lambda tp, fp, tn, fn: ((tp + tn) / (tp + fp + tn + fn), tp / (tp + fn), tn / (tn + fp))),
        "events that were selected",
    ),
    "below the cut": (
        _fractions(lambda tp, fp, tn, fn: ((fp + fn) / (tp + fp + tn + fn), fn / (tp + fn), fn / max(fn + tn, 1))),
        "with no cut all signal is found",
    ),
    "two numbers": (_fractions(lambda tp, fp, tn, fn: (tp / (tp + fn), tp / (tp + fp))), "3 entries"),
}

# --- M5.2b ------------------------------------------------------------------------------------------------


def _shares(signal: np.ndarray, background: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each signal event beats, and what beats each background event, by sorting instead of by pairs."""
    below, above = np.sort(background), np.sort(signal)
    u = (np.searchsorted(below, signal, "left") + np.searchsorted(below, signal, "right")) / (2 * len(below))
    v = 1 - (np.searchsorted(above, background, "left") + np.searchsorted(above, background, "right")) / (
        2 * len(above)
    )
    return u, v


@task("M5.2b", section="5.1")
def area_by_pairs(student: Any, random: np.random.Generator) -> str:
    signal = np.round(random.normal(0.8, 1, 90), 1)
    background = np.round(random.normal(0, 1, 60), 1)
    u, v = _shares(signal, background)
    area = u.mean()
    answer = student(signal, background)
    expect.is_tuple(answer, 2, name="area and error")
    found, error = answer
    expect.number(found, name="the area")
    expect.number(error, name="its error")
    expect.differs(
        found, np.mean(signal[:, None] > background), because="a tie counts half: equal scores are no loss", rtol=1e-9
    )
    expect.differs(
        found, np.mean(signal[:, None] >= background), because="a tie counts half: equal scores are no win", rtol=1e-9
    )
    expect.differs(found, 1 - area, because="signal above background counts, not the other way round")
    expect.differs(found, area * 90 * 60, because="a share of the pairs, not their number")
    expect.differs(
        error,
        np.sqrt(area * (1 - area) / (90 * 60)),
        because="pairs that share an event are not independent: the error comes from the events, not from n m throws",
        rtol=1e-4,
    )
    expect.differs(
        error,
        u.var(ddof=1) / 90 + v.var(ddof=1) / 60,
        because="a standard error, the root of the two variances added",
    )
    expect.differs(error, np.sqrt(u.var(ddof=1) / 90), because="the background events scatter as well: two terms")
    expect.differs(
        error, np.sqrt(u.var(ddof=1) + v.var(ddof=1)), because="each variance is divided by its number of events"
    )
    apart = student(background + 20.0, background)
    expect.close(apart, (1.0, 0.0), atol=1e-9, because="classes without overlap: area 1, no doubt", rung="physics")
    same = student(signal, signal.copy())
    expect.close(same[0], 0.5, because="two samples that are equal: one half", rung="physics")
    turned = student(background, signal)
    expect.close(turned[0], 1 - found, because="exchanging the classes gives one minus the area", rung="physics")
    expect.close(turned[1], error, because="exchanging the classes leaves the error", rung="physics")
    stretched = student(np.exp(signal), np.exp(background))
    expect.close(stretched, answer, because="only the order of the scores matters", rung="physics")
    expect.close(found, area, because="the share of pairs that are in the right order", name="the area")
    expect.close(
        error,
        np.sqrt(u.var(ddof=1) / 90 + v.var(ddof=1) / 60),
        because="the root of var(u)/n + var(v)/m, with sample variances (ddof=1)",
        name="the error",
    )
    independent = np.sqrt(area * (1 - area) / (90 * 60))
    return f"the error is {error / independent:.0f} times that of independent pairs"


def _area(change: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong area_by_pairs(): the answer made from what each signal and each background event beats."""

    def area_by_pairs(signal: np.ndarray, background: np.ndarray) -> Any:
        return change(*_shares(np.asarray(signal, float), np.asarray(background, float)))

    return area_by_pairs


def _ties(greater: Callable[..., np.ndarray]) -> Callable[..., Any]:
    def area_by_pairs(signal: np.ndarray, background: np.ndarray) -> Any:
        wins = greater(signal[:, None], background[None])
        return wins.mean(), np.sqrt(wins.mean(1).var(ddof=1) / len(signal) + wins.mean(0).var(ddof=1) / len(background))

    return area_by_pairs


def _error(u: np.ndarray, v: np.ndarray, ddof: int = 1) -> float:
    return float(np.sqrt(u.var(ddof=ddof) / len(u) + v.var(ddof=ddof) / len(v)))


area_by_pairs.hints = (
    "signal[:, np.newaxis] > background[np.newaxis, :] compares every signal event with every background event.",
    "Add 0.5 where the two are equal; the mean of this table is the area.",
    "u is the mean of the table along axis 1, v along axis 0; the error is "
    "np.sqrt(u.var(ddof=1) / len(u) + v.var(ddof=1) / len(v)).",
)
area_by_pairs.mistakes = {
    "ties lost": (_ties(np.greater), "no loss"),
    "ties won": (_ties(np.greater_equal), "no win"),
    "the wrong way round": (_area(lambda u, v: (1 - u.mean(), _error(u, v))), "not the other way round"),
    "independent pairs": (
        _area(lambda u, v: (u.mean(), np.sqrt(u.mean() * (1 - u.mean()) / (len(u) * len(v))))),
        "are not independent",
    ),
    "variance as error": (_area(lambda u, v: (u.mean(), _error(u, v) ** 2)), "root of the two variances"),
    "signal events only": (_area(lambda u, v: (u.mean(), np.sqrt(u.var(ddof=1) / len(u)))), "two terms"),
    "spread instead of error": (
        _area(lambda u, v: (u.mean(), np.sqrt(u.var(ddof=1) + v.var(ddof=1)))),
        "divided by its number",
    ),
    "divided by n": (_area(lambda u, v: (u.mean(), _error(u, v, ddof=0))), "with sample variances"),
    "number of pairs": (_area(lambda u, v: (u.sum() * len(v), _error(u, v))), "not their number"),
    "area only": (_area(lambda u, v: u.mean()), "2 results"),
}

# --- M5.3a ------------------------------------------------------------------------------------------------


@task("M5.3a", section="5.2")
def group_folds(student: Any, random: np.random.Generator) -> str:
    names = random.choice(10_000, 60, replace=False)
    sizes = random.integers(1, 6, 60)
    group = random.permutation(np.repeat(names, sizes))
    part = student(group, 4, 1)
    expect.shape(part, (len(group),), name="the parts")
    expect.dtype(part, "i", name="the parts")
    present = np.unique(part)
    expect.holds(
        not np.array_equal(present, np.arange(1, 5)),
        because="the parts are counted from 0",
        seen="parts 1 to 4",
        rung="known mistake",
    )
    expect.equal(present, np.arange(4), because="the numbers 0, 1, 2, 3, and each of them", rung="known mistake")
    parts_of = [len(np.unique(part[group == name])) for name in names]
    expect.holds(
        max(parts_of) == 1,
        because="all events of a group in one part: else one twin is trained on and the other one validated",
        seen=f"{np.sum(np.array(parts_of) > 1)} of 60 groups lie in several parts",
        rung="known mistake",
    )
    number = np.bincount([part[group == name][0] for name in names], minlength=4)
    expect.holds(
        np.ptp(number) <= 1,
        because="as many groups in each part, within one: deal them out, do not draw a part for each",
        seen=f"{', '.join(map(str, number))} groups in the parts",
        rung="physics",
    )
    expect.equal(student(group, 4, 1), part, because="one seed gives the same parts every time", rung="physics")
    other = student(group, 4, 2)
    expect.holds(
        not np.array_equal(other, part),
        because="another seed deals the groups out differently",
        seen="the same parts for the seeds 1 and 2",
    )
    alone = student(np.arange(40), 5, 3)
    expect.equal(
        np.bincount(alone, minlength=5), np.full(5, 8), because="40 events of their own make 5 parts of 8", rung="value"
    )
    neighbours = np.mean(np.diff(student(np.arange(400), 4, 5)) == 0)
    expect.holds(
        neighbours < 0.6,
        because="groups dealt out at random: data often come in an order that means something",
        seen=f"{neighbours:.0%} of neighbouring groups lie in the same part",
        rung="value",
    )
    return f"{len(group)} events in {len(names)} groups, no group torn apart"


def _folds(dealt: Callable[[int, int, int], np.ndarray], first: int = 0) -> Callable[..., Any]:
    """A group_folds() with another way to deal out the groups: from their number, k and the seed."""

    def group_folds(group: np.ndarray, k: int, seed: int) -> np.ndarray:
        which = np.unique(group, return_inverse=True)[1]
        return (dealt(which.max() + 1, k, seed) + first)[which]

    return group_folds


group_folds.hints = (
    "np.unique(group, return_inverse=True) gives the names of the groups, and for each event the place of its name.",
    "Deal out the groups: a random permutation of range(number of groups), modulo k, has all parts equally often.",
    "part = np.random.default_rng(seed).permutation(len(names)) % k; then part[which].",
)
group_folds.mistakes = {
    "events dealt out": (
        lambda group, k, seed: np.random.default_rng(seed).permutation(len(group)) % k,
        "one twin is trained on",
    ),
    "a part drawn for each group": (
        _folds(lambda n, k, seed: np.random.default_rng(seed).choice(k, n, p=[0.4, *[0.6 / (k - 1)] * (k - 1)])),
        "within one",
    ),
    "not random": (_folds(lambda n, k, seed: np.arange(n) % k), "another seed deals"),
    "blocks": (
        _folds(lambda n, k, seed: (np.arange(n) * k // n + seed) % k),
        "order that means something",
    ),
    "another seed in each call": (
        _folds(lambda n, k, seed: np.random.default_rng().permutation(n) % k),
        "the same parts every time",
    ),
    "counted from one": (_folds(lambda n, k, seed: np.random.default_rng(seed).permutation(n) % k, 1), "from 0"),
    "list of parts": (
        lambda group, k, seed: [np.flatnonzero(group % k == i).tolist() for i in range(k)],
        "the parts: an array",
    ),
}

# --- M5.4a ------------------------------------------------------------------------------------------------


def _stop(losses: np.ndarray, patience: int) -> tuple[int, int]:
    """Written with running minima instead of a loop."""
    losses = np.asarray(losses)
    best_so_far = np.array([int(np.argmin(losses[: i + 1])) for i in range(len(losses))])
    late = np.flatnonzero(np.arange(len(losses)) - best_so_far >= patience)
    end = int(late[0]) if len(late) else len(losses) - 1
    return int(best_so_far[end]), end


@task("M5.4a", section="5.4")
def early_stopping(student: Any, random: np.random.Generator) -> str:
    plain = np.array([5.0, 4.0, 3.0, 3.5, 3.4, 3.6, 3.7, 3.9])
    answer = student(plain, 3)
    expect.is_tuple(answer, 2, name="best epoch and last epoch")
    for name, value in zip(("the best epoch", "the last epoch"), answer, strict=True):
        expect.number(value, name=name)
    expect.holds(
        tuple(answer) != (3, 6), because="epochs are counted from 0", seen=f"{tuple(answer)}", rung="known mistake"
    )
    expect.holds(
        answer[0] != 5,
        because="the parameters of the best epoch are wanted, not those of the last one",
        seen=f"best epoch {answer[0]}",
        rung="known mistake",
    )
    expect.holds(
        answer[1] != 3,
        because="wait for the patience to run out: one epoch without a new minimum does not end the training",
        seen=f"the training ends in epoch {answer[1]}",
        rung="known mistake",
    )
    expect.holds(
        answer[1] != 6,
        because="the training ends in the third epoch in a row that brings no new minimum, not one later",
        seen=f"the training ends in epoch {answer[1]} for a patience of 3",
        rung="known mistake",
    )
    zigzag = np.array([4.0, 3.0, 3.5, 3.3, 3.4, 3.2, 3.1, 3.05])
    expect.equal(
        tuple(student(zigzag, 4)),
        (1, 5),
        because="compare with the best loss so far, not with that of the epoch before",
        rung="known mistake",
    )
    recovers = np.array([5.0, 3.0, 3.2, 3.1, 2.0, 2.5, 2.4, 2.3, 2.6, 1.0])
    late = student(recovers, 3)
    expect.holds(
        late[0] != 9,
        because="what comes after the stop is never seen: the smallest loss of the whole list may not be among it",
        seen=f"best epoch {late[0]}, although the patience ran out in epoch 7",
        rung="known mistake",
    )
    falling = np.linspace(2.0, 1.0, 12)
    expect.equal(
        tuple(student(falling, 3)), (11, 11), because="a loss that falls to the end is never stopped", rung="physics"
    )
    expect.equal(
        tuple(student(np.array([2.0, 1.0, 1.0, 1.0, 1.0]), 3)),
        (1, 4),
        because="an equal loss is no improvement",
        rung="physics",
    )
    losses = np.exp(-np.arange(60) / 10) + 0.004 * np.arange(60) + 0.05 * random.normal(size=60)
    for patience in (1, 2, 5, 20):
        expect.equal(
            tuple(student(losses, patience)),
            _stop(losses, patience),
            because=f"the best epoch and the last one for a patience of {patience}",
        )
    return "the same as keras.callbacks.EarlyStopping"


def _stopping(change: Callable[[np.ndarray, int, int, int], Any]) -> Callable[..., Any]:
    """A wrong early_stopping(): the answer made from the losses, the patience and the right answer."""

    def early_stopping(validation_loss: np.ndarray, patience: int) -> Any:
        return change(validation_loss, patience, *_stop(validation_loss, patience))

    return early_stopping


def _rises(losses: np.ndarray, patience: int) -> tuple[int, int]:
    """Counts epochs in a row in which the loss rises, and forgets the best one so far."""
    wait = 0
    for i in range(1, len(losses)):
        wait = wait + 1 if losses[i] >= losses[i - 1] else 0
        if wait >= patience:
            return int(np.argmin(losses[: i + 1])), i
    return int(np.argmin(losses)), len(losses) - 1


def _lenient(losses: np.ndarray, patience: int) -> tuple[int, int]:
    """Takes an equal loss for an improvement."""
    best = 0
    for i, value in enumerate(losses):
        if value <= losses[best]:
            best = i
        if i - best >= patience:
            return best, i
    return best, len(losses) - 1


early_stopping.hints = (
    "Go through the epochs one by one and remember the best one so far.",
    "The number of epochs without an improvement is epoch - best; the training ends when it reaches the patience.",
    "best = 0; for epoch, loss in enumerate(validation_loss): a smaller loss than validation_loss[best] makes this "
    "epoch the best; if epoch - best reaches the patience, return both.",
)
early_stopping.mistakes = {
    "minimum of the whole list": (_stopping(lambda v, p, b, e: (int(np.argmin(v)), e)), "is never seen"),
    "one epoch late": (_stopping(lambda v, p, b, e: _stop(v, p + 1)), "not one later"),
    "at the first rise": (_stopping(lambda v, p, b, e: _stop(v, 1)), "wait for the patience"),
    "last epoch as the best": (_stopping(lambda v, p, b, e: (e, e)), "not those of the last one"),
    "counted from one": (_stopping(lambda v, p, b, e: (b + 1, e + 1)), "counted from 0"),
    "rises in a row": (
        _stopping(lambda v, p, b, e: (b, e) if v[0] == 5 else _rises(v, p)),
        "best loss so far",
    ),
    "equal counts as better": (_stopping(lambda v, p, b, e: _lenient(v, p)), "no improvement"),
    "best epoch only": (_stopping(lambda v, p, b, e: b), "2 results"),
}

quiz(
    "M5.4-q1",
    question="The validation loss is smallest after epoch 12. The test loss of the network of epoch 12 is a little "
    "larger than its validation loss. Why, on average?",
    options=(
        "The test data are harder.",
        "The network was overtrained on the test data.",
        "The epoch was chosen because its validation loss was small, partly by a fluctuation; the test data do not "
        "share it.",
        "The loss of a test set always carries the penalty terms.",
    ),
    answer=3,
    explanation="Choosing by a validation loss flatters the chosen one, as with the best of 300 coins. The test "
    "data, used once, are free of it.",
)

# --- M5.5a ------------------------------------------------------------------------------------------------


@task("M5.5a", section="5.4")
def shrunken(student: Any, random: np.random.Generator) -> str:
    w0 = random.uniform(0.5, 2.0, 12) * random.choice([-1.0, 1.0], 12)
    curvature = np.geomspace(0.2, 5.0, 12)
    rate = 0.5
    l2, l1 = student(w0, curvature, rate, "l2"), student(w0, curvature, rate, "l1")
    for name, answer in (("l2", l2), ("l1", l1)):
        expect.shape(answer, (12,), name=f"the minimum for {name}")
        expect.finite(answer, name=f"the minimum for {name}")
    expect.differs(
        l2, curvature * w0 / (curvature + rate), because="the slope of lambda w^2 is 2 lambda w: mind the factor two"
    )
    expect.differs(l2, w0 - 2 * rate * w0, because="solve for the minimum: the penalty acts against the curvature")
    expect.differs(l2, w0 / (1 + 2 * rate), because="the curvature decides how much a weight shrinks")
    expect.differs(
        l1,
        np.sign(w0) * np.maximum(np.abs(w0) - rate, 0),
        because="for L1 as well the curvature decides: a steep parabola resists the slope lambda better",
    )
    expect.differs(
        l1,
        w0 - np.sign(w0) * rate / curvature,
        because="a weight that reaches zero stays there: |w| would push it back from the other side",
    )
    expect.differs(l1, np.maximum(w0 - rate / curvature, 0), because="negative weights shrink towards zero as well")
    for kind, answer in (("l2", l2), ("l1", l1)):
        expect.close(
            student(w0, curvature, 0.0, kind), w0, because="without a penalty the minimum is w0", rung="physics"
        )
        expect.close(
            student(-w0, curvature, rate, kind), -answer, because="the penalty knows no sign", rung="physics", atol=1e-9
        )
        expect.at_most(
            np.abs(answer) - np.abs(w0),
            1e-12,
            because="a penalty makes no weight larger",
            name="the growth of a weight",
        )
    expect.at_least(np.abs(l2), 1e-9, because="L2 never sets a weight to zero", name="the smallest weight under L2")
    fine = np.linspace(-2.2, 2.2, 44_001)
    for kind, answer, penalty in (("l2", l2, fine**2), ("l1", l1, np.abs(fine))):
        loss = 0.5 * curvature[:, None] * (fine - w0[:, None]) ** 2 + rate * penalty
        expect.close(
            answer,
            fine[loss.argmin(1)],
            atol=2e-4,
            rtol=1e-3,
            because=f"where the penalised parabola is smallest ({kind}): a search on a fine grid finds another place",
        )
    return f"L1 sets {np.sum(l1 == 0)} of 12 weights to zero, L2 none"


def _shrinking(l1: Callable[..., Any], l2: Callable[..., Any]) -> Callable[..., Any]:
    """A shrunken() from one function for each penalty, of w0, curvature and rate."""

    def shrunken(w0: np.ndarray, curvature: np.ndarray, rate: float, kind: str) -> Any:
        return (l1 if kind == "l1" else l2)(w0, curvature, rate)

    return shrunken


def _soft(w: np.ndarray, a: np.ndarray, rate: float) -> np.ndarray:
    return w - np.clip(w, -rate / a, rate / a)


def _ridge(w: np.ndarray, a: np.ndarray, rate: float) -> np.ndarray:
    return w / (1 + 2 * rate / a)


shrunken.hints = (
    "L2: set the derivative a (w - w0) + 2 lambda w to zero.",
    "L1: for w > 0 the derivative is a (w - w0) + lambda, so w = w0 - lambda / a, as long as that is positive. "
    "Else the minimum is at zero. For w0 < 0 mirror everything.",
    "L1: np.sign(w0) * np.maximum(np.abs(w0) - rate / curvature, 0). L2: curvature * w0 / (curvature + 2 * rate).",
)
shrunken.mistakes = {
    "factor two of L2": (_shrinking(_soft, lambda w, a, r: a * w / (a + r)), "mind the factor two"),
    "L2 without curvature": (_shrinking(_soft, lambda w, a, r: w / (1 + 2 * r)), "how much a weight shrinks"),
    "one step of gradient descent": (_shrinking(_soft, lambda w, a, r: w * (1 - 2 * r)), "solve for the minimum"),
    "L1 without curvature": (
        _shrinking(lambda w, a, r: w - np.clip(w, -r, r), _ridge),
        "for L1 as well the curvature",
    ),
    "L1 through zero": (_shrinking(lambda w, a, r: w - np.sign(w) * r / a, _ridge), "from the other side"),
    "negative weights lost": (_shrinking(lambda w, a, r: np.maximum(w - r / a, 0), _ridge), "negative weights shrink"),
    "penalties exchanged": (_shrinking(_ridge, _soft), "L2 never sets"),
    "half of lambda in L1": (_shrinking(lambda w, a, r: _soft(w, a, r / 2), _ridge), "finds another place"),
    "a single number": (_shrinking(lambda w, a, r: float(w.mean()), _ridge), "the minimum for l1: an array"),
}

# --- M5.5b ------------------------------------------------------------------------------------------------


@task("M5.5b", section="5.4")
def drop(student: Any, random: np.random.Generator) -> str:
    x = random.uniform(0.5, 1.5, (400, 30))
    uniform = random.random((400, 30))
    rate = 0.3
    answer = student(x, rate, uniform)
    expect.shape(answer, (400, 30))
    expect.finite(answer)
    dropped = np.mean(answer == 0)
    expect.holds(
        abs(dropped - 0.7) > 0.05,
        because="the rate is the share that is dropped, not the share that is kept",
        seen=f"{dropped:.0%} of the entries are zero at a rate of 0.3",
        rung="known mistake",
    )
    expect.holds(
        abs(dropped - 0.3) < 0.05,
        because="a share of the entries as large as the rate is zero",
        seen=f"{dropped:.0%} of the entries are zero at a rate of 0.3",
        rung="known mistake",
    )
    alive = answer != 0
    factor = float(np.median(answer[alive] / x[alive]))
    for wrong, because in (
        (1.0, "the nodes that stay are scaled up: else the next layer gets smaller sums than in use"),
        (1 / rate, "scale by what is kept, 1/(1 - rate); 1/rate is the book's wording taken literally"),
        (1 - rate, "scale up by 1/(1 - rate), not down"),
    ):
        expect.differs(factor, wrong, because=because)
    expect.holds(
        np.array_equal(alive, uniform >= rate),
        because="a node is dropped where its uniform number is below the rate",
        seen=f"{np.mean(alive == (uniform >= rate)):.0%} of the nodes are treated so",
    )
    expect.close(
        answer.mean() / x.mean(),
        1.0,
        atol=0.04,
        because="the mean is kept",
        name="the ratio of the means",
        rung="physics",
    )
    expect.close(student(x, 0.0, uniform), x, because="at the rate zero nothing changes", rung="physics")
    expect.close(student(3 * x, rate, uniform), 3 * answer, because="dropout is linear in its input", rung="physics")
    expect.close(
        answer, x * (uniform >= rate) / (1 - rate), because="zero, or the entry divided by 1 - rate", atol=1e-12
    )
    return "the mean is kept, as in keras.layers.Dropout"


def _dropping(change: Callable[[np.ndarray, float, np.ndarray], Any]) -> Callable[..., Any]:
    def drop(x: np.ndarray, rate: float, uniform: np.ndarray) -> Any:
        return change(x, rate, uniform)

    return drop


drop.hints = (
    "uniform >= rate is True for the nodes that stay.",
    "In the mean a share 1 - rate stays: which factor brings the mean back?",
    "x * (uniform >= rate) / (1 - rate)",
)
drop.mistakes = {
    "not scaled": (_dropping(lambda x, r, u: np.where(u < r, 0, x)), "scaled up"),
    "scaled by the rate": (_dropping(lambda x, r, u: np.where(u < r, 0, x / max(r, 1e-9))), "taken literally"),
    "scaled down": (_dropping(lambda x, r, u: np.where(u < r, 0, x * (1 - r))), "not down"),
    "rate of the kept": (_dropping(lambda x, r, u: np.where(u < r, x / max(r, 1e-9), 0)), "the share that is kept"),
    "whole events": (
        _dropping(lambda x, r, u: np.where(u[:, :1] < r, 0, x / (1 - r))),
        "of the nodes are treated so",
    ),
    "nothing dropped": (_dropping(lambda x, r, u: x * (1 - r)), "as large as the rate"),
    "only what is left": (_dropping(lambda x, r, u: x[u >= r] / (1 - r)), "shape (400, 30)"),
}

# --- M5.6a ------------------------------------------------------------------------------------------------


@task("M5.6a", section="5.5")
def random_settings(student: Any, random: np.random.Generator) -> str:
    low = np.array([1e-5, 0.1, 2.0]) * random.uniform(0.5, 2.0, 3)
    high = low * np.array([1e5, 10.0, 200.0])
    drawn = student(2000, low, high, 1)
    expect.shape(drawn, (2000, 3), name="the settings")
    expect.finite(drawn, name="the settings")
    expect.holds(
        np.all(drawn > 0),
        because="the settings themselves, not their logarithms",
        seen=f"the smallest is {drawn.min():.3g}",
        rung="known mistake",
    )
    share = np.log(drawn / low) / np.log(high / low)
    middle = np.median(share, axis=0)
    uniform = np.log((low + high) / 2 / low) / np.log(high / low)
    expect.holds(
        np.any(np.abs(middle - uniform) > 0.05),
        because="uniform in the logarithm: uniform in the value itself, nine of ten lie in the last decade",
        seen=f"half of the first hyperparameter lie above {np.median(drawn[:, 0]):.2g}",
        rung="known mistake",
    )
    overlap = np.corrcoef(share.T)[np.triu_indices(3, 1)] if np.all(share.std(0) > 0) else np.ones(3)
    expect.at_most(
        np.abs(overlap),
        0.15,
        because="each hyperparameter drawn on its own: with one random number for all, the points lie on a diagonal",
        name="a correlation of two hyperparameters",
        rung="known mistake",
    )
    values = len(np.unique(drawn[:, 0]))
    expect.holds(
        values > 1900,
        because="as many different values as points: that is the advantage over a grid",
        seen=f"{values} different values among 2000 points",
    )
    expect.holds(
        np.all((share > -1e-9) & (share < 1 + 1e-9)),
        because="nothing outside the ranges",
        seen=f"{np.mean((share < 0) | (share > 1)):.1%} outside",
    )
    expect.holds(
        np.all(share.min(0) < 0.02) and np.all(share.max(0) > 0.98),
        because="the whole range of each hyperparameter, up to both ends",
        seen=f"the smallest at {share.min():.2f}, the largest at {share.max():.2f} of the range",
    )
    expect.close(student(2000, low, high, 1), drawn, because="one seed, one set of settings", rung="physics")
    expect.holds(
        not np.allclose(student(2000, low, high, 2), drawn),
        because="another seed draws other settings",
        seen="the same settings for the seeds 1 and 2",
    )
    expect.close(
        np.sort(share, 0)[199::200],
        np.repeat(np.arange(1, 11)[:, None] / 10, 3, 1),
        atol=0.06,
        rtol=0,
        because="each decade as often as any other: log-uniform",
    )
    return "every decade equally often, every value once"


def _settings(
    change: Callable[[np.ndarray, np.ndarray, np.ndarray], Any], *, columns: bool = True
) -> Callable[..., Any]:
    """A wrong random_settings(): from uniform numbers (n, k) and the ends of the ranges."""

    def random_settings(n: int, low: np.ndarray, high: np.ndarray, seed: int) -> Any:
        u = np.random.default_rng(seed).random((n, len(low) if columns else 1))
        return change(np.broadcast_to(u, (n, len(low))), low, high)

    return random_settings


random_settings.hints = (
    "A uniform number u from 0 to 1 gives low + (high - low) u if uniform in the value. What is uniform in the "
    "logarithm?",
    "ln(theta) = ln(low) + u (ln(high) - ln(low)); one uniform number for each setting and hyperparameter.",
    "u = np.random.default_rng(seed).uniform(size=(n, len(low))); return low * (high / low) ** u",
)
random_settings.mistakes = {
    "uniform in the value": (_settings(lambda u, a, b: a + (b - a) * u), "in the last decade"),
    "logarithms": (_settings(lambda u, a, b: np.log10(a) + u * np.log10(b / a)), "not their logarithms"),
    "one number for all": (_settings(lambda u, a, b: a * (b / a) ** u, columns=False), "on a diagonal"),
    "a grid": (_settings(lambda u, a, b: a * (b / a) ** ((np.floor(3 * u) + 0.5) / 3)), "different values"),
    "around the middle": (
        _settings(lambda u, a, b: np.sqrt(a * b) * (b / a) ** (0.5 * (u - 0.5))),
        "up to both ends",
    ),
    "heaped in the middle": (
        _settings(lambda u, a, b: a * (b / a) ** (0.5 + 4 * (u - 0.5) ** 3)),
        "each decade as often",
    ),
    "without a seed": (
        lambda n, low, high, seed: low * (high / low) ** np.random.default_rng().random((n, len(low))),
        "one seed, one set",
    ),
    "transposed": (_settings(lambda u, a, b: (a * (b / a) ** u).T), "shape (2000, 3)"),
}

quiz(
    "M5.6-q1",
    question="Five hyperparameters, two of which matter, and a budget of 243 trials. How many values of each one does "
    "a grid try, and how many do random points?",
    options=(
        "3 on the grid, 243 at random.",
        "243 on the grid, 3 at random.",
        "49 on the grid, 243 at random.",
        "Both 243.",
    ),
    answer=1,
    explanation="243 = 3^5. The grid repeats each of its nine pairs of the two that matter 27 times; random points "
    "never repeat one.",
)

# --- M5.7a ------------------------------------------------------------------------------------------------

S, A = 1.0507009873554805, 1.6732632423543772
NAMES = ("relu", "leaky_relu", "sigmoid", "tanh", "elu", "selu")


def _value(y: np.ndarray, kind: str) -> np.ndarray:
    """Value of an activation, written with expm1 and tanh."""
    if kind == "sigmoid":
        return 0.5 + 0.5 * np.tanh(0.5 * y)
    if kind == "tanh":
        return 2 / (1 + np.exp(-2 * y)) - 1
    bent = np.expm1(np.minimum(y, 0))
    negative = {"relu": 0.0 * y, "leaky_relu": 0.1 * y, "elu": bent, "selu": S * A * bent}[kind]
    return np.where(y > 0, S * y if kind == "selu" else y, negative)


def _slope(y: np.ndarray, name: str) -> np.ndarray:
    """Slope by a central difference; y must stay away from 0."""
    return (_value(y + 1e-6, name) - _value(y - 1e-6, name)) / 2e-6


@task("M5.7a", section="5.5")
def activation(student: Any, random: np.random.Generator) -> str:
    y = np.concatenate([random.uniform(0.1, 4, 15), -random.uniform(0.1, 4, 15)]).reshape(5, 6)
    answers = {name: student(y, name) for name in NAMES}
    for name, answer in answers.items():
        expect.is_tuple(answer, 2, name=f"value and slope of {name}")
        for part, item in zip(("value", "slope"), answer, strict=True):
            expect.shape(item, (5, 6), name=f"the {part} of {name}")
            expect.finite(item, name=f"the {part} of {name}")
    sigmoid, tanh = answers["sigmoid"], answers["tanh"]
    expect.differs(sigmoid[1], sigmoid[0], because="the slope of the sigmoid is s (1 - s), not the sigmoid itself")
    expect.differs(sigmoid[1], y * (1 - y), because="s (1 - s) with s the value of the sigmoid, not its argument")
    expect.differs(tanh[1], 1 - tanh[0], because="the slope of tanh is 1 - tanh^2: the square is missing")
    expect.differs(
        answers["leaky_relu"][0],
        np.where(y > 0, y, 0.2 * y),
        because="the leak is 0.1 here; 0.2 is what Keras takes unless told otherwise",
    )
    expect.differs(
        answers["elu"][1],
        np.where(y > 0, 1.0, np.expm1(y)),
        because="the slope of e^y - 1 is e^y: a constant has no slope",
    )
    expect.differs(
        answers["selu"][0],
        np.where(y > 0, y, A * np.expm1(y)),
        because="SELU is scaled by s on both sides, the positive one too",
    )
    expect.differs(
        answers["relu"][1],
        (y < 0).astype(float),
        because="ReLU passes positive sums: slope 1 there and 0 for negative ones",
    )
    far = student(np.array([-50.0, 50.0]), "sigmoid")
    expect.close(
        far[0],
        [0.0, 1.0],
        atol=1e-9,
        because="the sigmoid saturates at 0 and 1",
        rung="physics",
        name="sigmoid at -50 and 50",
    )
    expect.close(
        student(np.array([1e-9]), "sigmoid")[1], [0.25], rtol=1e-4, because="largest slope 1/4", rung="physics"
    )
    for name in ("elu", "selu"):
        big = student(np.array([300.0, 900.0]), name)
        expect.holds(
            np.all(np.isfinite(big[0])) and np.all(np.isfinite(big[1])),
            because=f"{name} of large sums is as large as they are: the exponential belongs to the negative side only",
            seen="NaN or infinity",
        )
    for name, (value, slope) in answers.items():
        expect.close(value, _value(y, name), rtol=1e-5, atol=1e-9, because=f"the value of {name}", name=f"{name}")
        expect.close(
            slope,
            _slope(y, name),
            rtol=1e-4,
            atol=1e-6,
            because=f"the slope of {name}: it differs from the difference quotient",
            name=f"the slope of {name}",
        )
    return "six functions, and slopes that agree with difference quotients"


def _with(name: str, wrong: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    """An activation() that is right but for one function."""
    which = name

    def activation(y: np.ndarray, name: str) -> Any:
        with np.errstate(over="ignore", invalid="ignore"):
            if name == which:
                return wrong(y)
            if name in ("sigmoid", "tanh"):
                v = _value(y, name)
                return v, v * (1 - v) if name == "sigmoid" else 1 - v**2
            bent = np.exp(np.minimum(y, 0))
            slope = {"relu": 0 * y, "leaky_relu": 0 * y + 0.1, "elu": bent, "selu": S * A * bent}[name]
            return _value(y, name), np.where(y > 0, S if name == "selu" else 1.0, slope)

    return activation


activation.hints = (
    "np.where(y > 0, right, left) chooses entry by entry; write value and slope of both sides.",
    "With v the value: the slope of the sigmoid is v (1 - v), that of tanh 1 - v^2. The slope of a (e^y - 1) is a e^y.",
    "np.exp(np.minimum(y, 0)) keeps the exponential of the negative side from overflowing where y is large.",
)
activation.mistakes = {
    "slope of the sigmoid from y": (
        _with("sigmoid", lambda y: (_value(y, "sigmoid"), y * (1 - y))),
        "not its argument",
    ),
    "sigmoid as its own slope": (
        _with("sigmoid", lambda y: (_value(y, "sigmoid"), _value(y, "sigmoid"))),
        "not the sigmoid itself",
    ),
    "tanh without the square": (_with("tanh", lambda y: (np.tanh(y), 1 - np.tanh(y))), "the square is missing"),
    "leak of Keras": (_with("leaky_relu", lambda y: (np.where(y > 0, y, 0.2 * y), np.where(y > 0, 1, 0.2))), "0.2 is"),
    "slope of ELU": (
        _with("elu", lambda y: (_value(y, "elu"), np.where(y > 0, 1.0, np.expm1(y)))),
        "a constant has no slope",
    ),
    "SELU not scaled": (
        _with("selu", lambda y: (np.where(y > 0, y, A * np.expm1(y)), np.where(y > 0, 1, A * np.exp(y)))),
        "scaled by s on both sides",
    ),
    "ReLU upside down": (_with("relu", lambda y: (np.maximum(y, 0), (y < 0).astype(float))), "ReLU passes positive"),
    "overflow": (
        _with("elu", lambda y: ((y > 0) * y + (y <= 0) * np.expm1(y), (y > 0) + (y <= 0) * np.exp(y))),
        "negative side only",
    ),
    "values only": (_with("relu", lambda y: np.maximum(y, 0)), "value and slope of relu: 2 results"),
}
