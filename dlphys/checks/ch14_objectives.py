"""Checks of chapter 14: chi-square, likelihood and Bayes, divergences, likelihood ratios, quantiles, Barron's loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task
from dlphys.simulators import gas

# --- X14.1 --------------------------------------------------------------------------------------------------


def _line(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Straight line with any weights, from the sums of the textbook: parameters, inverse matrix, weighted squares."""
    s, sx, sxx = weight.sum(), (weight * x).sum(), (weight * x * x).sum()
    inverse = np.array([[sxx, -sx], [-sx, s]]) / (s * sxx - sx**2)
    found = inverse @ [(weight * y).sum(), (weight * x * y).sum()]
    return found, inverse, float((weight * (y - found[0] - found[1] * x) ** 2).sum())


@task("X14.1", section="14.1")
def chi2_fit(student: Any, random: np.random.Generator) -> str:
    x, sigma = random.uniform(-2, 3, 9), random.uniform(0.1, 0.9, 9)
    y = random.normal(2, 1) + random.uniform(1, 3) * x + random.normal(0, sigma)
    answer = student(x, y, sigma)
    expect.is_tuple(answer, 3, name="parameters, covariance, chi-square")
    parameters, covariance, smallest = answer
    expect.shape(parameters, (2,), name="the parameters")
    expect.shape(covariance, (2, 2), name="the covariance matrix")
    expect.finite(parameters, name="the parameters")
    expect.finite(covariance, name="the covariance matrix")
    expect.number(smallest, name="chi-square")
    right, matrix, chi2 = _line(x, y, sigma**-2)
    expect.differs(
        parameters, _line(x, y, np.ones(9))[0], because="a plane with a small error must count more: divide by sigma"
    )
    expect.differs(
        parameters,
        _line(x, y, 1 / sigma)[0],
        because="(14.1) squares the ratio, so the weight of a point is one over sigma squared",
    )
    expect.differs(parameters, right[::-1], because="the offset comes first, then the slope")
    expect.differs(
        covariance, np.linalg.inv(matrix), because="the covariance is the inverse of A^T A: more data, smaller errors"
    )
    expect.differs(covariance, np.sqrt(np.abs(matrix)), because="variances and covariances, not their roots")
    expect.differs(
        covariance,
        matrix * chi2 / 7,
        because="the errors sigma are known here: the covariance is not rescaled with the scatter of the data",
    )
    expect.differs(smallest, chi2 / 7, because="chi-square itself, not divided by the degrees of freedom")
    expect.differs(smallest, _line(x, y, np.ones(9))[2], because="each deviation in chi-square is divided by its sigma")
    moved = student(x, y + 5 - 2 * x, sigma)
    expect.close(
        np.asarray(moved[0]) - [5, -2],
        parameters,
        rtol=1e-6,
        atol=1e-9,
        because="adding a straight line to the data adds it to the fit",
        name="the parameters",
        rung="physics",
    )
    expect.close(
        moved[2], smallest, rtol=1e-6, because="adding a straight line leaves the smallest chi-square", rung="physics"
    )
    double = student(x, y, 2 * sigma)
    expect.close(
        double[1],
        4 * np.asarray(covariance),
        because="twice the errors, four times the covariance, and the same parameters",
        name="the covariance matrix",
        rung="physics",
    )
    expect.close(parameters, right, because="the minimum of (14.1)", name="the parameters")
    expect.close(covariance, matrix, because="the inverse of A^T A", name="the covariance matrix")
    expect.close(smallest, chi2, rtol=1e-6, because="(14.1) at its minimum", name="chi-square")
    return "twice the errors give four times the covariance and the same line"


chi2_fit.hints = (
    "Divide each row (1, x_i) of the design matrix and each y_i by sigma_i; the rest is ordinary least squares.",
    "np.column_stack([np.ones(len(x)), x]) is the design matrix; sigma[:, np.newaxis] divides its rows.",
    "With A and b the divided matrix and data: covariance = inverse of A^T A, parameters = covariance @ A^T b, and "
    "chi-square is the sum of (b - A parameters) squared.",
)
chi2_fit.mistakes = {
    "no weights": (lambda x, y, sigma: _line(x, y, np.ones(len(x))), "must count more"),
    "weight one over sigma": (lambda x, y, sigma: _line(x, y, 1 / sigma), "one over sigma squared"),
    "slope first": (lambda x, y, sigma: (_line(x, y, sigma**-2)[0][::-1], *_line(x, y, sigma**-2)[1:]), "offset comes"),
    "matrix not inverted": (
        lambda x, y, sigma: (
            _line(x, y, sigma**-2)[0],
            np.linalg.inv(_line(x, y, sigma**-2)[1]),
            _line(x, y, sigma**-2)[2],
        ),
        "more data, smaller errors",
    ),
    "rescaled errors": (
        lambda x, y, sigma: (
            _line(x, y, sigma**-2)[0],
            _line(x, y, sigma**-2)[1] * _line(x, y, sigma**-2)[2] / (len(x) - 2),
            _line(x, y, sigma**-2)[2],
        ),
        "not rescaled",
    ),
    "reduced chi-square": (
        lambda x, y, sigma: (*_line(x, y, sigma**-2)[:2], _line(x, y, sigma**-2)[2] / (len(x) - 2)),
        "degrees of freedom",
    ),
}

quiz(
    "X14.1-q1",
    question="A fit of 12 points with 2 parameters gives chi-square = 1.0. What does that say?",
    options=(
        "The fit is perfect: chi-square should be as small as possible.",
        "The fit is right: chi-square should be 1.",
        "The errors are probably quoted too large: about 10 is expected, and 1.0 or less comes once in thousands.",
        "The model has too few parameters.",
    ),
    answer=3,
    explanation="Chi-square has the mean k - 2 = 10 and the width sqrt(20). A p-value of 0.9998 is as suspicious as "
    "one of 0.0002: p-values are uniform if all is right.",
)

# --- X14.2 --------------------------------------------------------------------------------------------------


def _trapezoid(values: np.ndarray, x: np.ndarray) -> float:
    return float(np.sum((values[1:] + values[:-1]) * np.diff(x)) / 2)


def _likelihood(speeds: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    return -np.log(gas.maxwell_boltzmann(speeds, np.asarray(temperature)[:, None])).sum(axis=1)


def _bayes(F: np.ndarray, temperature: np.ndarray, prior: np.ndarray) -> np.ndarray:
    height = np.exp(-(F - F.min())) * prior
    return height / _trapezoid(height, temperature)


@task("X14.2", section="14.2")
def posterior(student: Any, random: np.random.Generator) -> str:
    T = random.uniform(250, 600)
    grid = np.geomspace(100, 1000, 160)
    prior = 1 / grid**1.5
    speeds = gas.simulate(1, seed=random, atoms=12, temperature=T).speeds[0].astype(float)
    answer = student(speeds, grid, prior)
    expect.is_tuple(answer, 2, name="F and the posterior density")
    F, density = answer
    expect.shape(F, (160,), name="F")
    expect.finite(F, name="F")
    expect.shape(density, (160,), name="the posterior density")
    expect.finite(density, name="the posterior density")
    right = _likelihood(speeds, grid)
    expect.differs(F, -right, because="F is the negative logarithm: its minimum, not its maximum, is the best T")
    expect.differs(F, right / 12, because="the sum over the speeds, not their mean: more data narrow the posterior")
    v_squared = 2 * np.log(speeds).sum()
    expect.differs(F, right + v_squared, because="the density has the factor v^2 in front of the exponential")
    expect.differs(
        F - F[0],
        right - right[0] + 1.5 * 12 * np.log(grid[0] / grid),
        because="the factor (m/kT)^(3/2) depends on T: without it the hottest gas always wins",
        atol=1e-7,
    )
    flat, given = _bayes(right, grid, np.ones(160)), _bayes(right, grid, prior)
    expect.differs(density, flat, because="the posterior is likelihood times prior, and the prior is missing")
    height = np.exp(right.min() - right) * prior
    expect.differs(density, height / height.sum(), because="a density integrates to one; its values do not add up to 1")
    expect.differs(
        density,
        height / (height.sum() * (grid[1] - grid[0])),
        because="the steps of the temperature are not equal: np.trapezoid(density, temperature)",
    )
    expect.differs(
        density, height / height.max(), because="a posterior is normalised by its integral, not by its maximum"
    )
    best = grid[int(np.argmin(np.asarray(F)))]
    estimate = float(gas.maximum_likelihood(speeds[None])[0])
    expect.holds(
        abs(np.log(best / np.clip(estimate, 100, 1000))) < 0.02,
        because="F is smallest at T = m <v^2> / 3k",
        seen=f"the smallest F at {best:.0f} K",
    )
    half = student(speeds[:5], grid, prior)[0] + student(speeds[5:], grid, prior)[0]
    expect.close(half, F, because="F of all speeds is the sum of F of two parts", name="F", rung="physics")
    expect.close(
        student(speeds, grid, 7 * prior)[1],
        density,
        because="the normalisation of the prior does not matter",
        name="the posterior density",
        rung="physics",
    )
    big = gas.simulate(1, seed=random, atoms=400, temperature=T).speeds[0].astype(float)
    try:
        many = np.asarray(student(big, grid, prior)[1], float)
    except Exception:  # a division by zero is the mistake that is looked for
        many = np.full(160, np.nan)
    expect.holds(
        np.isfinite(many).all() and abs(_trapezoid(many, grid) - 1) < 1e-6,
        because="with 400 speeds exp(-F) is zero in the computer: subtract the smallest F first, which cancels "
        "in the normalisation",
        seen=f"for 400 speeds {np.sum(~np.isfinite(many))} entries that are not finite",
    )
    expect.close(F, right, because="(14.4) with the density of Maxwell and Boltzmann in s/m", name="F")
    expect.close(density, given, because="(14.6)", rtol=1e-6, atol=1e-12, name="the posterior density")
    return "F adds up over the data, and the posterior survives 400 speeds"


posterior.hints = (
    "The logarithm of the density: 1.5 ln(m/kT), plus 2 ln v, minus m v^2 / 2kT, plus the constant ln sqrt(2/pi).",
    "temperature[:, np.newaxis] and speeds give a table (k, n); sum over the speeds. Then exp(F.min() - F) * prior.",
    "Divide by np.trapezoid(weight, temperature), the integral over the uneven grid.",
)


def _wrong_posterior(
    change: Callable[[np.ndarray, np.ndarray, int], np.ndarray] = lambda F, T, n: F,
    bayes: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] = _bayes,
) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """A wrong posterior(): F is changed by ``change(F, temperature, n)``, or Bayes' theorem is replaced."""

    def posterior(speeds: np.ndarray, temperature: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        F = change(_likelihood(speeds, temperature), temperature, len(speeds))
        return F, bayes(F, temperature, prior)

    return posterior


def _underflow(F: np.ndarray, temperature: np.ndarray, prior: np.ndarray) -> np.ndarray:
    height = np.exp(-F) * prior
    return height / max(_trapezoid(height, temperature), 1e-300)


posterior.mistakes = {
    "plus ln L": (_wrong_posterior(lambda F, T, n: -F), "not its maximum"),
    "mean over the speeds": (_wrong_posterior(lambda F, T, n: F / n), "not their mean"),
    "factor of T forgotten": (_wrong_posterior(lambda F, T, n: F - 1.5 * n * np.log(T)), "the hottest gas"),
    "prior forgotten": (
        _wrong_posterior(bayes=lambda F, T, prior: _bayes(F, T, np.ones(len(T)))),
        "the prior is missing",
    ),
    "values add up to one": (
        _wrong_posterior(bayes=lambda F, T, prior: _bayes(F, T, prior) / _bayes(F, T, prior).sum()),
        "do not add up",
    ),
    "underflow": (_wrong_posterior(bayes=_underflow), "subtract the smallest F"),
}

# --- L14.8a -------------------------------------------------------------------------------------------------

KEYS = ("entropy", "cross_entropy", "kl", "js", "wasserstein")


def _normal(x: np.ndarray, mean: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / width) ** 2) / (width * np.sqrt(2 * np.pi))


def _compared(p: np.ndarray, q: np.ndarray, x: np.ndarray, **changes: Any) -> dict[str, float]:
    """The five numbers for positive or zero densities; single ones replaced by functions of (right, p, q, step)."""
    dx = float(x[1] - x[0])

    def surprise(weight: np.ndarray, of: np.ndarray) -> float:
        return -dx * float(np.where(weight > 0, weight * np.log(np.where(weight > 0, of, 1.0)), 0.0).sum())

    middle = 0.5 * p + 0.5 * q
    js = 0.5 * (surprise(p, middle) - surprise(p, p) + surprise(q, middle) - surprise(q, q))
    carried = float(np.abs(np.cumsum(p) * dx - np.cumsum(q) * dx).sum() * dx)
    right = dict(zip(KEYS, (surprise(p, p), surprise(p, q), surprise(p, q) - surprise(p, p), js, carried), strict=True))
    return right | {key: change(right, p, q, dx) for key, change in changes.items()}


@task("L14.8a", section="14.2")
def divergences(student: Any, random: np.random.Generator) -> str:
    x = np.linspace(-9, 11, 2001)
    m, s = random.uniform(0.5, 1.5), random.uniform(1.4, 1.9)
    p, q = _normal(x, 0, 1), _normal(x, m, s)
    answer = student(p, q, x)
    expect.is_dict(answer, KEYS)
    for key in KEYS:
        expect.number(answer[key], name=key)
    right, turned = _compared(p, q, x), _compared(q, p, x)
    expect.differs(answer["entropy"], -right["entropy"], because="the entropy has a minus sign: -p ln p is integrated")
    expect.differs(
        answer["entropy"], right["entropy"] / np.log(2), because="natural logarithms: nats, not the bits of log2"
    )
    expect.differs(
        answer["cross_entropy"],
        turned["cross_entropy"],
        because="the data follow p: the average of -ln q is taken with the weight p",
        rtol=1e-4,
    )
    expect.differs(
        answer["kl"], turned["kl"], because="KL is not symmetric: p stands in front of the logarithm", rtol=1e-4
    )
    expect.differs(
        answer["kl"], -right["kl"], because="a KL divergence is never negative: ln(p/q) and not ln(q/p)", rtol=1e-4
    )
    expect.differs(
        answer["js"],
        (right["kl"] + turned["kl"]) / 2,
        because="Jensen-Shannon compares p and q each with their mean m, not with each other",
        rtol=1e-4,
    )
    expect.differs(
        answer["js"], 2 * right["js"], because="both halves of the Jensen-Shannon divergence have a factor 1/2"
    )
    step = float(x[1] - x[0])
    expect.differs(
        answer["wasserstein"],
        float(np.abs(p - q).sum() * step),
        because="the area between the cumulative distributions P and Q, not between the densities",
        rtol=1e-4,
    )
    expect.differs(
        answer["wasserstein"],
        abs(float(np.cumsum(p - q).sum())) * step**2,
        because="the modulus |P - Q| at every x: where P and Q cross, both sides cost something",
        rtol=1e-4,
    )
    for wrong in (right["wasserstein"] / step, right["wasserstein"] / step**2):
        expect.differs(
            answer["wasserstein"], wrong, because="two integrals, two steps: one for P and Q, one for the area"
        )
    box, other = (np.where((x > a) & (x < a + 2), 1.0, 0.0) for a in (-3.005, 1.995))
    box, other = box / (box.sum() * step), (other + 1e-9) / ((other + 1e-9).sum() * step)
    try:
        apart = student(box, other, x)
    except Exception:  # a logarithm of zero may have been turned into an error
        apart = dict.fromkeys(KEYS, np.nan)
    expect.holds(
        all(np.isfinite(apart[key]) for key in KEYS),
        because="where p = 0, p ln p counts as zero: leave such places out of the sum",
        seen="a number that is not finite for a density with gaps",
    )
    expect.close(
        apart["js"],
        np.log(2),
        rtol=1e-4,
        because="without overlap JS is ln 2, at any distance",
        name="js",
        rung="physics",
    )
    expect.close(
        answer["kl"],
        answer["cross_entropy"] - answer["entropy"],
        atol=1e-9,
        because="KL is the excess of the cross-entropy over the entropy",
        name="kl",
        rung="physics",
    )
    shifted = student(p, np.roll(p, 150), x)["wasserstein"]
    expect.close(
        shifted,
        150 * step,
        rtol=1e-3,
        because="W of a shifted copy is the shift",
        name="wasserstein",
        rung="physics",
    )
    expect.close(
        answer["kl"],
        np.log(s) + (1 + m**2) / (2 * s**2) - 0.5,
        rtol=1e-3,
        because="the closed form for two Gaussians",
        name="kl",
    )
    expect.close(answer["entropy"], 0.5 * np.log(2 * np.pi * np.e), rtol=1e-3, because="a Gaussian", name="entropy")
    for key in KEYS:
        expect.close(answer[key], right[key], rtol=1e-3, because="its definition above", name=key)
    return "KL agrees with the closed form of two Gaussians, JS stops at ln 2, W of a shift is the shift"


divergences.hints = (
    "All entropies are sums of weight * ln(density) * step, with the weight p or q and the density p, q or m.",
    "inside = p > 0 leaves out the places without weight. np.cumsum(p) * step is the cumulative distribution.",
    "KL = cross-entropy minus entropy; Wasserstein: the sum of np.abs(np.cumsum(p - q)) times step squared.",
)
divergences.mistakes = {
    "minus sign of the entropy": (
        lambda p, q, x: _compared(p, q, x, entropy=lambda right, *_: -right["entropy"]),
        "has a minus sign",
    ),
    "data from q": (
        lambda p, q, x: _compared(p, q, x, cross_entropy=lambda *_: _compared(q, p, x)["cross_entropy"]),
        "with the weight p",
    ),
    "KL turned round": (
        lambda p, q, x: _compared(p, q, x, kl=lambda *_: _compared(q, p, x)["kl"]),
        "KL is not symmetric",
    ),
    "mean of both KL": (
        lambda p, q, x: _compared(p, q, x, js=lambda right, *_: (right["kl"] + _compared(q, p, x)["kl"]) / 2),
        "not with each other",
    ),
    "halves forgotten": (lambda p, q, x: _compared(p, q, x, js=lambda right, *_: 2 * right["js"]), "a factor 1/2"),
    "area between the densities": (
        lambda p, q, x: _compared(p, q, x, wasserstein=lambda right, p, q, dx: float(np.abs(p - q).sum() * dx)),
        "not between the densities",
    ),
    "logarithm of zero": (
        lambda p, q, x: (
            _compared(
                p, q, x, entropy=lambda right, p, q, dx: -float((p * np.log(p, where=p > 0, out=p * np.inf)).sum()) * dx
            )
            if (p == 0).any()
            else _compared(p, q, x)
        ),
        "counts as zero",
    ),
}

# --- X14.3 --------------------------------------------------------------------------------------------------


def _density_loss(height: Any, on_grid: Any, spacing: float) -> float:
    top = float(np.max(on_grid))
    return top + float(np.log(np.exp(on_grid.astype(float) - top).sum() * spacing)) - float(np.mean(height))


@task("X14.3", section="14.2")
def density_loss(student: Any, random: np.random.Generator) -> str:
    height, on_grid = (random.normal(size=(n, 1)).astype("float32") for n in (40, 120))
    loss = student(height, on_grid, 0.03)
    expect.number(loss, name="the loss")
    right = _density_loss(height, on_grid, 0.03)
    expect.differs(
        loss,
        -float(height.mean()),
        because="the integral belongs to the loss: without it the heights grow without end",
        rtol=1e-4,
    )
    expect.differs(
        loss,
        right - np.log(0.03),
        because="the integral is a sum times the spacing of the grid",
        rtol=1e-4,
    )
    expect.differs(
        loss,
        right - np.log(0.03) - np.log(120),
        because="the integral of exp(h), not its mean: it has the unit of a speed",
        rtol=1e-4,
    )
    expect.differs(
        loss, -right, because="the negative log-likelihood is minimised: its sign is the other one", rtol=1e-4
    )
    expect.differs(
        loss,
        40 * (right + float(height.mean())) - float(height.sum()),
        because="the mean over the data, not the sum",
        rtol=1e-4,
    )
    expect.differs(
        loss,
        float(np.log(np.exp(on_grid).sum() * 0.03) - np.log(np.exp(height).mean())),
        because="the mean of the logarithms ln p(v_i), not the logarithm of the mean",
        rtol=1e-4,
    )
    flat = np.full((50, 1), 0.7, "float32")
    expect.close(
        float(student(flat[:9], flat, 0.1)),
        np.log(5.0),
        rtol=1e-4,
        because="equal heights are a uniform density: -ln p is the logarithm of the length of the range",
        name="the loss",
        rung="physics",
    )
    expect.close(
        float(student(height + 3, on_grid + 3, 0.03)),
        float(loss),
        rtol=1e-3,
        atol=1e-4,
        because="the same constant added to all heights changes no density",
        name="the loss",
        rung="physics",
    )
    expect.close(
        float(loss), right, rtol=1e-4, because="the mean of -ln p, with the integral in p (14.20)", name="the loss"
    )
    large = student(height + 300, on_grid + 300, 0.03)
    expect.holds(
        np.isfinite(float(large)) and abs(float(large) - right) < 1e-2,
        because="heights of 300 must do: exp(300) is infinite in single precision, ops.logsumexp is not",
        seen=f"{float(large):.4g} for heights of about 300",
    )
    return "a constant added to all heights changes nothing, not even 300"


density_loss.hints = (
    "ln of the integral: the logarithm of the sum of exp(height_on_grid), plus the logarithm of the spacing.",
    "ops.logsumexp(height_on_grid) sums over all entries and never overflows.",
    "The loss is this logarithm minus ops.mean(height).",
)
density_loss.mistakes = {
    "integral forgotten": (lambda height, height_on_grid, spacing: -float(height.mean()), "grow without end"),
    "spacing forgotten": (
        lambda height, height_on_grid, spacing: _density_loss(height, height_on_grid, 1.0),
        "times the spacing",
    ),
    "plus ln L": (
        lambda height, height_on_grid, spacing: -_density_loss(height, height_on_grid, spacing),
        "its sign is the other",
    ),
    "sum over the data": (
        lambda height, height_on_grid, spacing: len(height) * _density_loss(height, height_on_grid, spacing),
        "not the sum",
    ),
    "logarithm of the mean": (
        lambda height, height_on_grid, spacing: float(
            np.log(np.exp(height_on_grid).sum() * spacing) - np.log(np.exp(height).mean())
        ),
        "not the logarithm of the mean",
    ),
    "overflow": (
        lambda height, height_on_grid, spacing: (
            _density_loss(height, height_on_grid, spacing) if height_on_grid.max() < 80 else 1e30
        ),
        "ops.logsumexp is not",
    ),
}

quiz(
    "X14.3-q1",
    question="The integral is left out of the loss. What does the network learn?",
    options=(
        "The right shape, up to a constant factor that can be divided out afterwards.",
        "To raise all heights without end: the loss falls for ever, and the shape means nothing.",
        "A constant density.",
        "A histogram of the data.",
    ),
    answer=2,
    explanation="Nothing holds the heights down where there are no data. The integral makes every place pay for its "
    "height.",
)

# --- M14.1 --------------------------------------------------------------------------------------------------


def _odds(f: Any) -> Any:
    return f / (1 - f)


@task("M14.1", section="14.2")
def ratio_and_posterior(student: Any, random: np.random.Generator) -> str:
    f = random.uniform(0.05, 0.95, 8)
    prior, new = random.uniform(0.2, 0.35), random.uniform(0.55, 0.8)
    answer = student(f, prior, new)
    expect.is_tuple(answer, 2, name="the ratio and the new probability")
    ratio, moved = answer
    for value, name in ((ratio, "the ratio"), (moved, "the new probability")):
        expect.shape(value, (8,), name=name)
        expect.finite(value, name=name)
    right = _odds(f) / _odds(prior)
    expect.differs(
        ratio, _odds(f), because="the odds f/(1-f) still contain the prior of the training: divide its odds out"
    )
    expect.differs(ratio, _odds(f) * _odds(prior), because="the odds of the prior are divided out, not multiplied in")
    expect.differs(ratio, 1 / right, because="class 1 stands in the numerator: a large f gives a large ratio")
    expect.differs(ratio, np.log(right), because="the ratio r itself, not its logarithm")
    expect.differs(
        moved,
        right / (1 + right),
        because="r/(1+r) is the probability in equal parts; the new prior has to come in",
    )
    expect.differs(moved, f * new / prior, because="probabilities do not scale with the prior; the odds do")
    expect.at_most(moved, 1.0, because="a probability is at most 1", name="the new probability")
    expect.close(
        student(f, prior, prior)[1], f, because="without a change of the prior nothing changes", rung="physics"
    )
    expect.close(
        student(moved, new, prior)[1], f, because="there and back again gives the old probabilities", rung="physics"
    )
    expect.close(
        student(np.array([prior]), prior, 0.5)[0],
        [1.0],
        because="an output equal to the prior says nothing: r = 1",
        name="the ratio",
        rung="physics",
    )
    x = random.normal(size=8)
    p1, p0 = _normal(x, 1, 1), _normal(x, -0.5, 2)
    exact = prior * p1 / (prior * p1 + (1 - prior) * p0)
    expect.close(
        student(exact, prior, new)[0],
        p1 / p0,
        rtol=1e-6,
        because="for two Gaussians, the ratio of their densities",
        name="the ratio",
        rung="physics",
    )
    expect.close(ratio, right, because="f/(1-f) times (1 - prior)/prior", name="the ratio")
    expect.close(
        moved, 1 / (1 + 1 / (_odds(new) * right)), because="Bayes with the new prior", name="the new probability"
    )
    return "two Gaussians give the ratio of their densities, and a prior can be changed there and back"


ratio_and_posterior.hints = (
    "Posterior odds = likelihood ratio times prior odds. Odds of a probability f: f/(1-f).",
    "Solve for the ratio; then multiply with the odds of the new prior.",
    "With odds o the probability is o/(1+o).",
)


def _wrong_ratio(change: Callable[[Any, float, float], tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    """A wrong answer: a function of the right ratio and the odds of the output, and of the new prior."""

    def ratio_and_posterior(probability: Any, prior: float, new_prior: float) -> tuple[Any, Any]:
        return change(np.asarray(probability), prior, new_prior)

    return ratio_and_posterior


ratio_and_posterior.mistakes = {
    "prior not divided out": (
        _wrong_ratio(lambda f, prior, new: (_odds(f), new * _odds(f) / (new * _odds(f) + 1 - new))),
        "still contain the prior",
    ),
    "prior odds upside down": (_wrong_ratio(lambda f, prior, new: (_odds(f) * _odds(prior), f)), "not multiplied in"),
    "ratio upside down": (_wrong_ratio(lambda f, prior, new: (_odds(prior) / _odds(f), f)), "in the numerator"),
    "new prior forgotten": (
        _wrong_ratio(lambda f, prior, new: (_odds(f) / _odds(prior), _odds(f) / (_odds(prior) + _odds(f)))),
        "in equal parts",
    ),
    "probabilities scaled": (
        _wrong_ratio(lambda f, prior, new: (_odds(f) / _odds(prior), f * new / prior)),
        "the odds do",
    ),
}

# --- L14.8b -------------------------------------------------------------------------------------------------


def _pinball(truth: Any, prediction: Any, quantile: float) -> float:
    d = np.asarray(truth, float) - np.asarray(prediction, float)
    return float(np.where(d >= 0, quantile * d, (quantile - 1) * d).mean())


@task("L14.8b", section="14.3")
def pinball(student: Any, random: np.random.Generator) -> str:
    truth, prediction = (random.normal(size=(30, 1)).astype("float32") for _ in range(2))
    quantile = random.uniform(0.7, 0.9)
    loss = student(truth, prediction, quantile)
    expect.number(loss, name="the loss")
    right = _pinball(truth, prediction, quantile)
    turned = _pinball(truth, prediction, 1 - quantile)
    expect.differs(loss, right * 30, because="the mean over the events, not the sum", rtol=1e-4)
    expect.differs(
        loss,
        turned,
        because="quantile is the weight of truths above the prediction: a high quantile must be pulled up by them",
        rtol=1e-4,
    )
    d = (truth - prediction).astype(float)
    expect.differs(
        loss, float(np.abs(d).mean()), because="both sides weigh the same here: that gives the median", rtol=1e-4
    )
    expect.differs(
        loss,
        float((quantile * d).mean()),
        because="a truth below the prediction costs too: the loss of an event is never negative",
        rtol=1e-4,
    )
    expect.differs(
        loss,
        float(np.where(d > 0, quantile * d**2, (1 - quantile) * d**2).mean()),
        because="the deviation itself, not its square: squares give means",
        rtol=1e-4,
    )
    one = np.ones((1, 1), "float32")
    for q in (0.1, 0.9):
        up, down = float(student(2 * one, one, q)), float(student(one, 2 * one, q))
        expect.close(
            [up, down],
            [q, 1 - q],
            rtol=1e-4,
            because="one unit too low costs tau, one unit too high costs 1 - tau",
            name="the loss",
            rung="physics",
        )
    expect.close(
        float(student(truth, prediction, 0.5)),
        float(np.abs(d).mean() / 2),
        rtol=1e-4,
        because="for the quantile 1/2 the loss is half the mean absolute deviation",
        name="the loss",
        rung="physics",
    )
    data = random.exponential(size=(400, 1)).astype("float32")
    places = np.linspace(0.5, 4, 36)
    losses = [float(student(data, np.full_like(data, place), 0.84)) for place in places]
    best = places[int(np.argmin(losses))]
    expect.holds(
        abs(np.mean(data < best) - 0.84) < 0.06,
        because="the constant with the smallest loss is the quantile of the data",
        seen=f"{np.mean(data < best):.0%} of the data lie below it for the quantile 84 %",
    )
    expect.close(float(loss), right, rtol=1e-4, because="the mean of L_tau", name="the loss")
    return "the constant with the smallest loss is the quantile"


pinball.hints = (
    "Let d = truth - prediction. If d is positive the loss is tau d, otherwise (tau - 1) d, which is positive too.",
    "Of the two numbers tau d and (tau - 1) d the larger one is always the right one.",
    "ops.mean(ops.maximum(...)) of these two.",
)


def _wrong_pinball(change: Callable[[np.ndarray, float], Any]) -> Callable[..., float]:
    """A wrong loss: a function of the deviations truth - prediction and the quantile."""

    def pinball(truth: Any, prediction: Any, quantile: float) -> float:
        return float(np.asarray(change((truth - prediction).astype(float), quantile)))

    return pinball


pinball.mistakes = {
    "sum over the events": (_wrong_pinball(lambda d, q: len(d) * _pinball(d, 0 * d, q)), "not the sum"),
    "tau and 1 - tau exchanged": (_wrong_pinball(lambda d, q: _pinball(d, 0 * d, 1 - q)), "be pulled up"),
    "absolute deviation": (_wrong_pinball(lambda d, q: np.abs(d).mean()), "gives the median"),
    "one side only": (_wrong_pinball(lambda d, q: (q * d).mean()), "never negative"),
    "squares": (_wrong_pinball(lambda d, q: (np.where(d > 0, q, 1 - q) * d**2).mean()), "squares give means"),
}

quiz(
    "L14.8-q1",
    question="A detector has rare, huge outliers to one side. Trained with squares, a network misses typical events.",
    options=(
        "It predicts the mean, and rare large values move a mean; a median hardly notices them.",
        "The learning rate is too large for the outliers.",
        "Squares are not differentiable at zero.",
        "It has not enough layers to describe outliers.",
    ),
    answer=1,
    explanation="The loss decides what is predicted. The mean is right on average, and far from the typical event "
    "in a skewed distribution.",
)

# --- M14.2 --------------------------------------------------------------------------------------------------


def _barron(x: Any, alpha: float, c: float) -> np.ndarray:
    u = np.square(np.asarray(x, float) / c)
    if alpha in (0, 2, -np.inf):
        return {2: u / 2, 0: np.log(1 + u / 2), -np.inf: 1 - np.exp(-u / 2)}[alpha]
    a = abs(alpha - 2)
    return a / alpha * np.expm1(alpha / 2 * np.log1p(u / a))


@task("M14.2a", section="14.4")
def rho(student: Any, random: np.random.Generator) -> str:
    x, c = random.normal(0, 3, 9), random.uniform(1.5, 3)
    answers = {}
    for alpha in (2.0, 1.0, 0.0, -2.0, -np.inf):
        answers[alpha] = student(x, alpha, c)
        expect.shape(answers[alpha], (9,), name=f"the loss for alpha = {alpha:g}")
        expect.finite(answers[alpha], name=f"the loss for alpha = {alpha:g}")
    expect.differs(answers[2.0], (x / c) ** 2, because="alpha = 2 has a factor 1/2, as in a Gaussian")
    expect.differs(
        answers[2.0], _barron(x, 2, 1), because="the residuals are measured in units of the scale c: z = (x/c)^2"
    )
    expect.differs(answers[0.0], np.log((x / c) ** 2 + 1), because="alpha = 0: the logarithm of z/2 + 1, with the 1/2")
    expect.differs(
        answers[1.0],
        np.sqrt((x / c) ** 2 + 1),
        because="the last case ends with minus 1: a residual of zero costs nothing",
    )
    expect.differs(
        answers[-2.0], -_barron(x, -2, c), because="|alpha - 2|, but alpha with its sign below: a loss is positive"
    )
    expect.differs(
        answers[-np.inf],
        np.exp(-((x / c) ** 2) / 2),
        because="alpha = -inf: one minus the Gaussian curve, zero at x = 0",
    )
    for alpha, values in answers.items():
        zero = student(np.zeros(1), alpha, c)
        expect.close(zero, [0.0], atol=1e-12, because="a residual of zero costs nothing", rung="physics")
        expect.close(student(-x, alpha, c), values, because="both signs of a residual cost the same", rung="physics")
        small = student(np.array([1e-3 * c]), alpha, c)
        expect.close(
            small, [5e-7], rtol=1e-3, because="near zero every member is the same parabola z/2", rung="physics"
        )
        expect.close(values, _barron(x, alpha, c), rtol=1e-6, because=f"(14.30) for alpha = {alpha:g}")
    for alpha in (2.0, 0.0):
        near = student(x, alpha - 1e-4, c)
        expect.close(
            near, answers[alpha], rtol=0.01, because=f"the cases join: alpha = {alpha - 1e-4:.4f}", rung="physics"
        )
    return "four formulas, one family: they join, and near zero they are the same parabola"


def _changed(alpha: float, change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    """A wrong rho: one case is replaced by ``change(z, right)``."""

    def wrong(x: Any, a: float, c: float) -> np.ndarray:
        right = _barron(x, a, c)
        return change((np.asarray(x) / c) ** 2, right) if a == alpha else right

    wrong.__signature__ = _SIGNATURE  # type: ignore[attr-defined]  # functions may have one
    return wrong


def _parameters(x: Any, alpha: float, c: float) -> None:
    """The parameters of rho."""


_SIGNATURE = __import__("inspect").signature(_parameters)

rho.hints = (
    "Compute z = (x / c)**2 once, then four returns with if.",
    "alpha == -np.inf can be compared like any number. np.log1p(y) is ln(1 + y).",
    "The last case, with a = abs(alpha - 2): a / alpha times (z / a + 1 to the power alpha / 2, minus 1).",
)
rho.mistakes = {
    "factor 1/2 forgotten": (_changed(2.0, lambda z, right: z), "as in a Gaussian"),
    "scale ignored": (lambda x, alpha, c: _barron(x, alpha, 1.0), "in units of the scale"),
    "1/2 in the logarithm forgotten": (_changed(0.0, lambda z, right: np.log(z + 1)), "with the 1/2"),
    "minus 1 forgotten": (_changed(1.0, lambda z, right: right + 1), "ends with minus 1"),
    "sign for negative alpha": (_changed(-2.0, lambda z, right: -right), "alpha with its sign"),
    "Gaussian curve not subtracted": (_changed(-np.inf, lambda z, right: 1 - right), "one minus the Gaussian"),
}


def _log_partition(alpha: float) -> float:
    t = np.linspace(-18, 18, 3601)
    return float(np.log(np.sum(np.exp(-_barron(np.sinh(t), alpha, 1.0)) * np.cosh(t)) * (t[1] - t[0])))


def _adaptive(residual: Any, alpha: Any, c: Any, partition: Any = _log_partition, scale: float = 1.0) -> np.ndarray:
    """The loss with another normalisation: ``partition`` in place of ln Z, ``scale`` times ln c."""
    residual = np.asarray(residual, float)
    alphas, cs = (np.broadcast_to(np.asarray(v, float), residual.shape) for v in (alpha, c))
    answer = np.empty(residual.shape)
    for index in np.ndindex(residual.shape[:-1]):
        a, width = float(alphas[index][0]), float(cs[index][0])
        answer[index] = _barron(residual[index], a, width) + scale * np.log(width) + partition(a)
    return answer


@task("M14.2b", section="14.4")
def adaptive_loss(student: Any, random: np.random.Generator) -> str:
    residual = random.normal(0, 2, (3, 7)).astype("float32")
    alpha = random.uniform([[0.1], [0.8], [1.4]], [[0.6], [1.2], [1.8]]).astype("float32")
    c = random.uniform(0.3, 0.8, (3, 1)).astype("float32")
    answer = student(residual, alpha, c)
    expect.shape(answer, (3, 7), name="the loss of 3 groups of 7 residuals")
    expect.finite(answer)
    close = {"rtol": 1e-3, "atol": 1e-3}
    for wrong, because in (
        (
            _adaptive(residual, alpha, c, lambda a: 0.0),
            "ln Z(alpha) is missing: without it alpha falls to its lower end whatever the data are",
        ),
        (_adaptive(residual, alpha, c, scale=0.0), "ln c is missing: without it the scale grows without end"),
        (
            _adaptive(residual, alpha, c, lambda a: 0.0, 0.0),
            "rho alone is no negative log density: ln c and ln Z(alpha) normalise it",
        ),
        (
            _adaptive(residual, alpha, c, lambda a: np.exp(_log_partition(a))),
            "the logarithm of Z is added, not Z itself",
        ),
        (_adaptive(residual, alpha, c, lambda a: -_log_partition(a)), "ln Z is added: the density is divided by Z"),
        (
            _adaptive(residual, alpha, c, scale=-1.0),
            "ln c is added: a density that is wide in x is low",
        ),
        (
            _adaptive(residual, alpha, c, lambda a: _log_partition(float(alpha[0, 0]))),
            "each group has an alpha of its own, so it has a Z of its own",
        ),
    ):
        expect.differs(answer, wrong, because=because, **close)
    t = np.linspace(-15, 15, 1501)
    x = (0.5 * np.sinh(t)).astype("float32")
    for a in (0.05, 1.0, 1.95):
        values = np.asarray(student(x[None], np.full((1, 1), a, "float32"), np.full((1, 1), 0.5, "float32")), float)[0]
        total = float(np.sum(np.exp(-values) * 0.5 * np.cosh(t)) * (t[1] - t[0]))
        expect.holds(
            abs(total - 1) < 0.01,
            because="exp(-loss) is a probability density: its integral over all residuals is 1, for every alpha. At "
            "small alpha the tails fall as 1/x^2 only, so the points of the integral must reach far out",
            seen=f"an integral of {total:.4f} for alpha = {a:g}",
        )
    expect.close(
        student(2 * residual, alpha, 2 * c),
        np.asarray(answer) + np.log(2),
        rtol=1e-3,
        atol=1e-3,
        because="in another unit of length the density changes by the factor of the unit",
        rung="physics",
    )
    expect.close(answer, _adaptive(residual, alpha, c), rtol=2e-3, atol=2e-3, because="rho + ln c + ln Z(alpha)")
    gauss = student(residual[:1], np.full((1, 1), 1.998, "float32"), np.ones((1, 1), "float32"))
    expect.close(
        gauss,
        np.asarray(residual[:1], float) ** 2 / 2 + np.log(2 * np.pi) / 2,
        rtol=0.02,
        atol=0.02,
        because="near alpha = 2 it is the negative logarithm of a Gaussian of the width c",
    )
    return "the integral of exp(-loss) is 1 for every alpha"


adaptive_loss.hints = (
    "Write rho for c = 1 as an inner function of x, and use it twice: for the residuals divided by c, and for the "
    "points of the integral.",
    "Points: t from -16 to 16 in steps of 0.08, x = sinh(t), weight cosh(t) times the step. alpha (..., 1) and t "
    "(401,) give a table (..., 401): sum over the last axis and keep it.",
    "ln Z = ops.logsumexp(ln weight - rho(x), axis=-1, keepdims=True); add it and ops.log(c).",
)
adaptive_loss.mistakes = {
    "ln Z forgotten": (lambda residual, alpha, c: _adaptive(residual, alpha, c, lambda a: 0.0), "falls to its lower"),
    "ln c forgotten": (lambda residual, alpha, c: _adaptive(residual, alpha, c, scale=0.0), "grows without end"),
    "rho alone": (
        lambda residual, alpha, c: _adaptive(residual, alpha, c, lambda a: 0.0, 0.0),
        "no negative log density",
    ),
    "Z for its logarithm": (
        lambda residual, alpha, c: _adaptive(residual, alpha, c, lambda a: np.exp(_log_partition(a))),
        "not Z itself",
    ),
    "ln Z subtracted": (
        lambda residual, alpha, c: _adaptive(residual, alpha, c, lambda a: -_log_partition(a)),
        "is divided by Z",
    ),
    "one Z for all": (
        lambda residual, alpha, c: _adaptive(
            residual, alpha, c, lambda a: _log_partition(float(np.asarray(alpha).flat[0]))
        ),
        "an alpha of its own",
    ),
    "range of the integral too short": (
        lambda residual, alpha, c: _adaptive(
            residual,
            alpha,
            c,
            lambda a: float(np.log(np.exp(-_barron(np.linspace(-8, 8, 801), a, 1.0)).sum() * 0.02)),
        ),
        "must reach far out",
    ),
}

quiz(
    "M14.2-q1",
    question="Why does the learnt alpha fall to its lower end if ln Z(alpha) is left out, even on clean Gaussian data?",
    options=(
        "Adam's learning rate is too large for alpha.",
        "Clean data contain too few outliers to determine alpha.",
        "The Gaussian is not a member of the family.",
        "At every residual a smaller alpha has a smaller rho; only Z, larger for small alpha, holds against it.",
    ),
    answer=4,
    explanation="Heavy tails cost height in the middle, since the density has to integrate to one. ln Z is that price.",
)
