"""Checks of unfolding and of translation without pairs, chapter 19."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- X19.3a ---------------------------------------------------------------------------------------------------


def _posterior(
    y: np.ndarray,
    mean: np.ndarray,
    prior: np.ndarray,
    response: np.ndarray,
    offset: np.ndarray,
    noise: np.ndarray,
    *,
    with_prior: bool = True,
    with_offset: bool = True,
    from_zero: bool = False,
    mixed_up: bool = False,
    precision: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior in another form, by solving for the covariance of the observations; keywords make known mistakes."""
    seen = noise if mixed_up else response @ prior @ response.T + noise
    if not with_prior:
        kept = np.linalg.inv(response.T @ np.linalg.solve(noise, response))
        gain = kept @ response.T @ np.linalg.inv(noise)
    else:
        gain = np.linalg.solve(seen, response @ prior).T
        kept = prior - gain @ response @ prior
    expected = (0.0 if from_zero else response @ mean) + (offset if with_offset else 0.0)
    centre = (y - expected) @ gain.T
    return (centre if from_zero else mean + centre), (np.linalg.inv(kept) if precision else kept)


def _system(random: np.random.Generator, n: int = 7) -> tuple[np.ndarray, ...]:
    """Observations and a linear system with 3 observed and 2 true components."""
    prior = np.array([[1.0, 0.3], [0.3, 1.0]]) * random.uniform(0.6, 1.4)
    response = np.array([[0.6, -0.3], [0.3, 0.2], [0.1, 0.4]]) + random.uniform(-0.05, 0.05, (3, 2))
    noise = np.array([[0.3, 0.05, 0.0], [0.05, 0.2, 0.0], [0.0, 0.0, 0.15]]) * random.uniform(0.7, 1.3)
    mean, offset = random.uniform(2.0, 4.0, 2), random.uniform(0.5, 1.5, 3)
    return response @ mean + offset + random.normal(size=(n, 3)), mean, prior, response, offset, noise


@task("X19.3a", section="19.4")
def gaussian_posterior(student: Any, random: np.random.Generator) -> str:
    given = _system(random)
    y, mean, prior, response, offset, noise = given
    answer = student(*given)
    expect.is_tuple(answer, 2, name="means and covariance")
    means, covariance = answer
    expect.shape(means, (len(y), 2), name="the means")
    expect.shape(covariance, (2, 2), name="the covariance")
    expect.finite(means, name="the means")
    expect.finite(covariance, name="the covariance")
    right = _posterior(*given)
    about_covariance = {
        "the precision of the prior added: without it this is the uncertainty of the measurement alone": _posterior(
            *given, with_prior=False
        )[1],
        "the covariance, the inverse of the precision": _posterior(*given, precision=True)[1],
        "precisions added, not covariances": prior + np.linalg.inv(response.T @ np.linalg.inv(noise) @ response),
        "the covariance of the noise inverted: R is a covariance, not a precision": np.linalg.inv(
            np.linalg.inv(prior) + response.T @ noise @ response
        ),
    }
    for because, wrong in about_covariance.items():
        expect.differs(covariance, wrong, because=because, rtol=1e-4)
    about_means = {
        "the offset b taken off the observations": _posterior(*given, with_offset=False)[0],
        "y - A mu - b, which is zero for an event at the mean, and mu added to the result": _posterior(
            *given, from_zero=True
        )[0],
        "the prior in the means, too: this is the least-squares fit": _posterior(*given, with_prior=False)[0],
        "the gain applied to y - A mu - b, not the inverse response alone": mean
        + (y - response @ mean - offset) @ np.linalg.pinv(response).T,
    }
    for because, wrong in about_means.items():
        expect.differs(means, wrong, because=because, rtol=1e-4)
    blind = student(y, mean, prior, response, offset, 1e8 * noise)
    expect.close(
        blind[0],
        np.tile(mean, (len(y), 1)),
        atol=1e-3,
        name="the means for a very noisy detector",
        because="the mean of the prior where the detector says nothing",
        rung="physics",
    )
    sharp = student(y, mean, prior, response, offset, 1e-8 * noise)
    expect.close(
        sharp[1],
        np.zeros((2, 2)),
        atol=1e-6,
        name="the covariance for a perfect detector",
        because="no uncertainty left where there is no noise",
        rung="physics",
    )
    expect.close(covariance, np.asarray(covariance).T, atol=1e-9, because="a symmetric covariance", rung="physics")
    expect.close(covariance, right[1], rtol=1e-5, name="the covariance", because="(S^-1 + A^T R^-1 A)^-1")
    expect.close(means, right[0], rtol=1e-5, name="the means", because="mu + K (y - A mu - b), event by event")
    return "the prior for a blind detector, the truth for a perfect one"


def _wrong_posterior(answer: Callable[..., Any]) -> Callable[..., Any]:
    def gaussian_posterior(observed: Any, mean: Any, covariance: Any, response: Any, offset: Any, noise: Any) -> Any:
        return answer(*(np.asarray(part, float) for part in (observed, mean, covariance, response, offset, noise)))

    return gaussian_posterior


def _posterior_with(**changes: Any) -> Callable[..., Any]:
    return _wrong_posterior(lambda *given: _posterior(*given, **changes))


def _covariances_added(y: Any, mean: Any, prior: Any, response: Any, offset: Any, noise: Any) -> Any:
    right = _posterior(y, mean, prior, response, offset, noise)
    return right[0], prior + np.linalg.inv(response.T @ np.linalg.inv(noise) @ response)


def _noise_as_precision(y: Any, mean: Any, prior: Any, response: Any, offset: Any, noise: Any) -> Any:
    return _posterior(y, mean, prior, response, offset, np.linalg.inv(noise))


def _no_gain(y: Any, mean: Any, prior: Any, response: Any, offset: Any, noise: Any) -> Any:
    right = _posterior(y, mean, prior, response, offset, noise)
    return mean + (y - response @ mean - offset) @ np.linalg.pinv(response).T, right[1]


def _prior_in_the_covariance(*given: Any) -> Any:
    return _posterior(*given, with_prior=False)[0], _posterior(*given)[1]


def _one_mean_for_all(*given: Any) -> Any:
    means, covariance = _posterior(*given)
    return np.tile(means.mean(axis=0), (len(means), 1)), covariance


gaussian_posterior.hints = (
    "np.linalg.inv three times: of the prior's covariance, of the noise, and of the sum of the two precisions.",
    "K = C A^T R^-1 has shape (N, M). Observations are rows, so it is (y - ...) @ K.T.",
    "response @ mean + offset is the observation expected for the mean truth; subtract it from every row.",
)
gaussian_posterior.mistakes = {
    "no prior": (_posterior_with(with_prior=False), "of the measurement alone"),
    "precision": (_posterior_with(precision=True), "the inverse of the precision"),
    "covariances added": (_wrong_posterior(_covariances_added), "precisions added"),
    "noise as precision": (_wrong_posterior(_noise_as_precision), "R is a covariance"),
    "no offset": (_posterior_with(with_offset=False), "taken off the observations"),
    "around zero": (_posterior_with(from_zero=True), "and mu added"),
    "prior only in the covariance": (_wrong_posterior(_prior_in_the_covariance), "least-squares fit"),
    "inverse response": (_wrong_posterior(_no_gain), "not the inverse response alone"),
    "one mean": (_wrong_posterior(_one_mean_for_all), "event by event"),
    "means only": (_wrong_posterior(lambda *given: _posterior(*given)[0]), "2 results"),
}

# --- X19.3b ---------------------------------------------------------------------------------------------------


def _network(random: np.random.Generator, inputs: int, half: int, size: float = 1.0) -> Any:
    """A small network from half a truth joined with an observation to s (between -1 and 1) and t."""
    import keras

    given = keras.Input((inputs,))
    hidden = keras.layers.Dense(6, activation="tanh")(given)
    s = keras.layers.Dense(half, activation="tanh")(hidden)
    t = keras.layers.Dense(half)(hidden)
    model = keras.Model(given, [s, t])
    model.set_weights([size * random.normal(0.0, 0.6, w.shape).astype(np.float32) for w in model.get_weights()])
    return model


def _sees(network: Any, *parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    s, t = network(np.concatenate(parts, axis=1).astype(np.float32))
    return np.asarray(s, float), np.asarray(t, float)


def _conditional(
    x: np.ndarray,
    y: np.ndarray,
    first: Any,
    second: Any,
    *,
    deaf: str = "",
    turned: bool = False,
    old: bool = False,
    sign: float = 1.0,
    back: bool = False,
    one_determinant: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """r and ln|det dr/dx| in NumPy; the keywords make the known mistakes."""
    a, b = np.split(np.asarray(x, float), 2, axis=1)
    y = np.asarray(y, float)

    def parts(network: Any, half: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        seen = np.zeros_like(y) if name in deaf else y
        return _sees(network, seen, half) if turned else _sees(network, half, seen)

    if back:
        s, t = parts(second, a, "second")
        b = (b - t) * np.exp(-s)
        r, u = parts(first, b, "first")
        return np.concatenate([(a - u) * np.exp(-r), b], 1), -(s + r).sum(1)
    s, t = parts(first, b, "first")
    new = a * np.exp(s) + t
    r, u = parts(second, a if old else new, "second")
    total = s if one_determinant else s + r
    return np.concatenate([new, b * np.exp(r) + u], 1), sign * total.sum(1)


@task("X19.3b", section="19.4")
def conditional_coupling(student: Any, random: np.random.Generator) -> str:
    half, seen, n = 2, 3, 8
    networks = _network(random, half + seen, half), _network(random, half + seen, half)
    x = random.standard_normal((n, 2 * half)).astype(np.float32)
    y = (1.0 + random.standard_normal((n, seen))).astype(np.float32)
    answer = student(x, y, *networks)
    expect.is_tuple(answer, 2, name="r and the logarithm of the determinant")
    r, log_determinant = answer
    expect.shape(r, (n, 2 * half), name="r (the observation is a condition and no part of it)")
    expect.shape(log_determinant, (n,), name="the logarithm of the determinant (one number an event)")
    expect.finite(r, name="r")
    expect.finite(log_determinant, name="the logarithm of the determinant")
    right = _conditional(x, y, *networks)
    known: dict[str, dict[str, Any]] = {
        "the observation in both networks: network_1 needs it as well": {"deaf": "second"},
        "the observation in both networks: network_2 needs it as well": {"deaf": "first"},
        "the observation in the networks: there is no condition in this flow": {"deaf": "first second"},
        "half of the event first, then the observation": {"turned": True},
        "network_1 of r_1, not of x_1: on the way back x_1 is not known yet": {"old": True},
        "from truth to latent numbers: this is the way back": {"back": True},
    }
    for because, change in known.items():
        expect.differs(r, _conditional(x, y, *networks, **change)[0], because=because, rtol=1e-4, atol=1e-5)
    swapped = _conditional(x, y, *networks[::-1])[0]
    expect.differs(r, swapped, because="network_2 for the first half: it sees the second half", rtol=1e-4, atol=1e-5)
    about_determinant: dict[str, dict[str, Any]] = {
        "plus s: a scale above 1 makes the determinant larger": {"sign": -1.0},
        "s of both halves in the determinant": {"one_determinant": True},
    }
    for because, change in about_determinant.items():
        wrong = _conditional(x, y, *networks, **change)[1]
        expect.differs(log_determinant, wrong, because=because, rtol=1e-4, atol=1e-5)
    alone = student(x[:1], y[:1], *networks)[0]
    expect.close(
        alone,
        np.asarray(r)[:1],
        rtol=1e-4,
        atol=1e-5,
        name="r of the first event alone",
        because="the same r for an event, whatever stands beside it: each event has its own observation",
        rung="physics",
    )
    still = [_network(random, half + seen, half, size=0.0) for _ in range(2)]
    expect.close(
        student(x, y, *still)[0],
        x,
        atol=1e-6,
        name="r with s = t = 0",
        because="the identity for networks that answer zero",
        rung="physics",
    )
    expect.close(r, right[0], rtol=1e-4, atol=1e-4, name="r", because="x exp(s) + t, half by half")
    expect.close(
        log_determinant,
        right[1],
        rtol=1e-4,
        atol=1e-4,
        name="the logarithm of the determinant",
        because="the sum of all s, and nothing of the observation",
    )
    return "every network hears the observation, the determinant does not"


def _block(*, swap: bool = False, **changes: Any) -> Callable[..., Any]:
    def conditional_coupling(x: Any, y: Any, network_2: Any, network_1: Any) -> Any:
        networks = (network_1, network_2) if swap else (network_2, network_1)
        return _conditional(np.asarray(x), np.asarray(y), *networks, **changes)

    return conditional_coupling


def _joined_at_the_end(x: Any, y: Any, network_2: Any, network_1: Any) -> Any:
    r, total = _conditional(np.asarray(x), np.asarray(y), network_2, network_1)
    return np.concatenate([r, y], axis=1), total


def _one_observation(x: Any, y: Any, network_2: Any, network_1: Any) -> Any:
    return _conditional(np.asarray(x), np.repeat(np.mean(y, axis=0, keepdims=True), len(x), 0), network_2, network_1)


conditional_coupling.hints = (
    "ops.concatenate([x[:, half:], y], axis=1) is what network_2 gets.",
    "Afterwards as in any coupling block: r_1 = x_1 ops.exp(s) + t. Then network_1 gets r_1 joined with y.",
    "ln|det| is the sum of both s over the components (axis=1). y is not transformed, so it adds nothing.",
)
conditional_coupling.mistakes = {
    "second network without": (_block(deaf="second"), "network_1 needs it"),
    "first network without": (_block(deaf="first"), "network_2 needs it"),
    "no condition": (_block(deaf="first second"), "no condition in this flow"),
    "joined the other way": (_block(turned=True), "half of the event first"),
    "of the old half": (_block(old=True), "not of x_1"),
    "the way back": (_block(back=True), "this is the way back"),
    "networks exchanged": (_block(swap=True), "it sees the second half"),
    "sign": (_block(sign=-1.0), "makes the determinant larger"),
    "one determinant": (_block(one_determinant=True), "s of both halves"),
    "mean observation": (_one_observation, "its own observation"),
    "observation in r": (_joined_at_the_end, "no part of it"),
}

# --- X19.3c ---------------------------------------------------------------------------------------------------


def _coverage(
    truth: np.ndarray,
    samples: np.ndarray,
    level: float = 0.683,
    *,
    quantiles: tuple[float, float] | None = None,
    gaussian: bool = False,
    pooled: bool = False,
    all_components: bool = False,
    outside: bool = False,
) -> np.ndarray:
    """Coverage by sorting; the keywords make the known mistakes."""
    low, high = quantiles or (0.5 - 0.5 * level, 0.5 + 0.5 * level)
    draws = np.sort(samples.reshape(1, -1, samples.shape[-1]) if pooled else samples, axis=1)
    ends = [np.quantile(draws, end, axis=1) for end in (low, high)]
    if gaussian:
        ends = [draws.mean(axis=1) - draws.std(axis=1), draws.mean(axis=1) + draws.std(axis=1)]
    inside = (truth >= ends[0]) & (truth <= ends[1])
    if all_components:
        return np.repeat(inside.all(axis=1).mean(), truth.shape[1])
    return (~inside if outside else inside).mean(axis=0)


@task("X19.3c", section="19.4")
def central_coverage(student: Any, random: np.random.Generator) -> str:
    n, draws = 400, 150
    centre = random.normal(0.0, 2.0, (n, 1, 2))
    # skewed, with widths that differ, so that a mean and a standard deviation are not enough
    samples = centre + random.exponential([0.5, 1.5], (n, draws, 2)) ** 2
    truth = centre[:, 0] + random.exponential([0.7, 1.3], (n, 2)) ** 2
    level = float(random.uniform(0.72, 0.85))
    answer = student(truth, samples, level)
    expect.shape(answer, (2,), name="the coverage (one share for each component)")
    expect.finite(answer, name="the coverage")
    known: dict[str, dict[str, Any]] = {
        "the interval between (1 - level) / 2 and (1 + level) / 2, with equal tails": {"quantiles": (0.0, level)},
        "tails of (1 - level) / 2 on each side: these hold too little": {"quantiles": (1 - level, level)},
        "the level that is given: not always 68.3 %": {"quantiles": (0.1585, 0.8415)},
        "quantiles of the samples: mean and standard deviation describe Gaussian posteriors only": {"gaussian": True},
        "an interval for each event: quantiles over its own samples, axis 1": {"pooled": True},
        "each component by itself: this asks for both at once": {"all_components": True},
        "the share inside the interval, not outside": {"outside": True},
    }
    for because, change in known.items():
        expect.differs(answer, _coverage(truth, samples, level, **change), because=because, atol=1e-9)
    own = student(samples[:, 0], samples, 0.5)
    expect.close(
        own,
        [0.5, 0.5],
        atol=0.12,
        name="the coverage at a level of 0.5 with a truth drawn as the samples are",
        because="the level itself, if the truth is distributed as the samples",
        rung="physics",
    )
    expect.close(
        student(truth, samples + truth[:, None] + 1e3, level),
        [0.0, 0.0],
        atol=1e-9,
        name="the coverage of samples far above the truth",
        because="no truth inside, if all samples lie above it",
        rung="physics",
    )
    expect.close(answer, _coverage(truth, samples, level), atol=2.1 / n, because="shares of events, by component")
    return "half of the truths in the 50 % intervals"


def _covered(**changes: Any) -> Callable[..., Any]:
    def central_coverage(truth: Any, samples: Any, level: float = 0.683) -> Any:
        if "tails" in changes:
            return _coverage(truth, samples, level, quantiles=changes["tails"](level))
        return _coverage(truth, samples, level, **changes)

    return central_coverage


central_coverage.hints = (
    "np.quantile(samples, [low, high], axis=1) gives both ends for all events, an array (2, n, N).",
    "Equal tails: low = (1 - level) / 2, high = (1 + level) / 2.",
    "np.mean((low <= truth) & (truth <= high), axis=0) is a share for each component.",
)
central_coverage.mistakes = {
    "from the bottom": (_covered(tails=lambda level: (0.0, level)), "with equal tails"),
    "tails twice": (_covered(tails=lambda level: (1 - level, level)), "these hold too little"),
    "always one sigma": (_covered(quantiles=(0.1585, 0.8415)), "not always 68.3"),
    "mean and width": (_covered(gaussian=True), "Gaussian posteriors only"),
    "all events together": (_covered(pooled=True), "an interval for each event"),
    "both at once": (_covered(all_components=True), "each component by itself"),
    "outside": (_covered(outside=True), "not outside"),
    "one number": (lambda truth, samples, level=0.683: float(_coverage(truth, samples, level).mean()), "an array"),
    "the level": (lambda truth, samples, level=0.683: np.full(2, level), "all samples lie above"),
}

# --- M19.4a ---------------------------------------------------------------------------------------------------


def _bayes(
    prior: np.ndarray,
    response: np.ndarray,
    measured: np.ndarray,
    *,
    efficiency: str = "divided",
    axis: int = 0,
    flat: bool = False,
    old: bool = True,
) -> np.ndarray:
    """One iteration by a table of p(i | j); the keywords make the known mistakes."""
    start = np.full(len(prior), prior.mean()) if flat else prior
    if axis == 1:
        wrong = response * start / response.sum(axis=0)
        table = wrong / wrong.sum(axis=0, keepdims=True)
    else:
        table = response * start
        table = table / table.sum(axis=1, keepdims=True)
    new = measured @ table
    if not old:
        new = new / start
    share = response.sum(axis=0)
    return np.asarray({"divided": new / share, "forgotten": new, "multiplied": new * share}[efficiency])


def _spectra(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A spectrum (5,) and a response (6, 5) with losses."""
    prior = random.uniform(50, 150, 5)
    response = random.uniform(0.05, 0.3, (6, 5)) + np.eye(6, 5)
    return prior, response / response.sum(axis=0) * np.linspace(0.5, 0.95, 5)


@task("M19.4a", section="19.4")
def bayesian_iteration(student: Any, random: np.random.Generator) -> str:
    prior, response = _spectra(random)
    truth = random.uniform(50, 150, 5)
    measured = response @ truth + random.uniform(0, 8, 6)
    answer = student(prior, response, measured)
    expect.shape(answer, (5,), name="the new spectrum (one entry for each true bin)")
    expect.finite(answer, name="the new spectrum")
    known: dict[str, dict[str, Any]] = {
        "the efficiency: what was never observed has to be added": {"efficiency": "forgotten"},
        "divided by the efficiency, not multiplied": {"efficiency": "multiplied"},
        "p(i|j) normalised over the true bins: for each observed bin the probabilities add up to 1": {"axis": 1},
        "the prior in p(i|j): with equal weights for all bins nothing is learnt from one iteration to the next": {
            "flat": True
        },
        "the prior as a factor of the new spectrum": {"old": False},
    }
    for because, change in known.items():
        expect.differs(answer, _bayes(prior, response, measured, **change), because=because, rtol=1e-5)
    back = response.T @ measured
    expect.differs(answer, back, because="p(i|j), not p(j|i): the transposed response alone is no inverse", rtol=1e-5)
    expect.differs(answer, prior, because="a spectrum that the measurement has changed", rtol=1e-5)
    expect.close(
        student(prior, response, response @ prior),
        prior,
        rtol=1e-5,
        name="the spectrum from a measurement that is as the prior predicts",
        because="no change, if the measurement is what the prior predicts",
        rung="physics",
    )
    expect.close(
        float(np.sum(response.sum(axis=0) * np.asarray(answer, float))),
        float(measured.sum()),
        rtol=1e-5,
        name="the number of events that the new spectrum would make visible",
        because="as many visible events as were measured",
        rung="physics",
    )
    expect.close(
        student(7 * prior, response, measured),
        answer,
        rtol=1e-5,
        name="the spectrum for a prior seven times as large",
        because="the shape of the prior alone matters",
        rung="physics",
    )
    expect.close(answer, _bayes(prior, response, measured), rtol=1e-5, because="sum over j of p(i|j) m_j / efficiency")
    return "a prediction that fits stays as it is"


def _iteration(**changes: Any) -> Callable[..., Any]:
    def bayesian_iteration(prior: np.ndarray, response: np.ndarray, measured: np.ndarray) -> Any:
        return _bayes(np.asarray(prior, float), np.asarray(response, float), np.asarray(measured, float), **changes)

    return bayesian_iteration


def _rescaled(prior: np.ndarray, response: np.ndarray, measured: np.ndarray) -> Any:
    return prior * measured.sum() / (response @ prior).sum()


def _half_a_step(prior: np.ndarray, response: np.ndarray, measured: np.ndarray) -> Any:
    new = _bayes(prior, response, measured)
    damped = np.sqrt(new * prior * measured.sum() / (response @ prior).sum())
    return damped * measured.sum() / (response @ damped).sum()


bayesian_iteration.hints = (
    "response @ prior is the observation that the prior predicts, bin by bin: the denominator of p(i|j).",
    "The sum over j of R_ji m_j / predicted_j is response.T @ (measured / predicted).",
    "Times the prior, divided by response.sum(axis=0), which is the efficiency.",
)
bayesian_iteration.mistakes = {
    "no efficiency": (_iteration(efficiency="forgotten"), "never observed"),
    "times efficiency": (_iteration(efficiency="multiplied"), "not multiplied"),
    "wrong axis": (_iteration(axis=1), "normalised over the true bins"),
    "flat prior": (_iteration(flat=True), "with equal weights"),
    "no prior": (_iteration(old=False), "as a factor"),
    "transposed": (lambda prior, response, measured: response.T @ measured, "is no inverse"),
    "nothing": (lambda prior, response, measured: np.array(prior, float), "the measurement has changed"),
    "pseudo-inverse": (
        lambda prior, response, measured: np.linalg.pinv(response) @ measured,
        "as many visible events",
    ),
    "half a step": (_half_a_step, "sum over j"),
    "scaled prior": (_rescaled, "of p(i|j) m_j / efficiency"),
    "folded": (lambda prior, response, measured: response @ prior, "one entry for each true bin"),
}

# --- M19.4b ---------------------------------------------------------------------------------------------------


def _truth_set(
    truth: np.ndarray,
    weights: np.ndarray,
    logit: np.ndarray,
    *,
    inverse: bool = False,
    old: bool = True,
    exponential: bool = True,
    against: str = "old",
    turned: bool = False,
    scaled: str = "both",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training set of the second step; the keywords make the known mistakes."""
    sign = -1.0 if inverse else 1.0
    ratio = np.exp(sign * logit) if exponential else 1 / (1 + np.exp(-logit))
    first = ratio * (weights if old else 1.0)
    second = np.ones_like(weights) if against == "one" else weights
    if scaled == "both":
        first, second = first * len(first) / first.sum(), second * len(second) / second.sum()
    label = np.r_[np.ones(len(truth)), np.zeros(len(truth))]
    return np.tile(truth, (2, 1)), (1 - label if turned else label), np.r_[first, second]


@task("M19.4b", section="19.4")
def truth_step(student: Any, random: np.random.Generator) -> str:
    n = 9
    truth = random.normal(size=(n, 2))
    weights, logit = random.uniform(0.3, 2.5, n), random.normal(0.4, 0.8, n)
    answer = student(truth, weights, logit)
    expect.is_tuple(answer, 3, name="x, label and weight")
    for name, part, shape in zip(("x", "label", "weight"), answer, ((2 * n, 2), (2 * n,), (2 * n,)), strict=True):
        expect.shape(part, shape, name=name)
        expect.finite(part, name=name)
    x, label, weight = answer
    right = _truth_set(truth, weights, logit)
    expect.differs(label, 1 - right[1], because="label 1 for the pulled weights, 0 for the old ones")
    known: dict[str, dict[str, Any]] = {
        "exp(+logit): the classifier calls data 1, so its logit is ln(data / simulation)": {"inverse": True},
        "the old weights as a factor of the pulled ones: the first step compared data with the weighted simulation": {
            "old": False
        },
        "the ratio exp(logit), not the probability that the sigmoid gives": {"exponential": False},
        "the old weights for label 0: only then is the ratio a change of the old weights": {"against": "one"},
        "each set of weights scaled to a mean of 1": {"scaled": "none"},
    }
    for because, change in known.items():
        expect.differs(weight, _truth_set(truth, weights, logit, **change)[2], because=because, rtol=1e-5)
    agreed = np.asarray(student(truth, weights, np.zeros(n))[2], float)
    expect.close(
        agreed[:n],
        agreed[n:],
        rtol=1e-5,
        name="the weights with label 1, for a logit of 0 everywhere",
        because="the same weights for both labels, once data and weighted simulation agree: then nothing changes",
        rung="physics",
    )
    expect.close(
        student(truth, weights, logit + 1.3)[2],
        weight,
        rtol=1e-5,
        name="the weights with 1.3 added to all logits",
        because="weights that do not depend on how many data events there are",
        rung="physics",
    )
    expect.close(x, right[0], rtol=1e-5, atol=1e-7, name="x", because="the truths twice, in the same order")
    expect.equal(np.asarray(label, float), right[1], name="label", because="first all ones, then all zeros")
    expect.close(weight, right[2], rtol=1e-5, name="weight", because="pulled weights, then old weights")
    return "nothing changes once the detector sees no difference"


def _prepared(**changes: Any) -> Callable[..., Any]:
    def truth_step(truth: Any, weights: Any, logit: Any) -> Any:
        return _truth_set(np.asarray(truth), np.asarray(weights), np.asarray(logit), **changes)

    return truth_step


def _interleaved(truth: Any, weights: Any, logit: Any) -> Any:
    _, label, weight = _truth_set(truth, weights, logit)
    return np.repeat(truth, 2, axis=0), label, weight


def _once(truth: Any, weights: Any, logit: Any) -> Any:
    return tuple(part[: len(truth)] for part in _truth_set(truth, weights, logit))


def _one_scale(truth: Any, weights: Any, logit: Any) -> Any:
    x, label, weight = _truth_set(truth, weights, logit, scaled="none")
    return x, label, weight / weight.mean()


truth_step.hints = (
    "The pulled weights: weights * np.exp(logit), then divided by their mean.",
    "np.concatenate([truth, truth]); labels np.repeat([1.0, 0.0], n).",
    "The weights: the pulled ones for label 1, the old ones (divided by their mean) for label 0.",
)
truth_step.mistakes = {
    "weights inverted": (_prepared(inverse=True), "ln(data / simulation)"),
    "old weights forgotten": (_prepared(old=False), "with the weighted simulation"),
    "sigmoid": (_prepared(exponential=False), "not the probability"),
    "against the unweighted": (_prepared(against="one"), "a change of the old weights"),
    "not scaled": (_prepared(scaled="none"), "scaled to a mean of 1"),
    "labels exchanged": (_prepared(turned=True), "label 1 for the pulled"),
    "one scale": (_one_scale, "how many data events"),
    "truths in pairs": (_interleaved, "in the same order"),
    "one set": (_once, "shape (18, 2)"),
}

# --- X19.4 ----------------------------------------------------------------------------------------------------


def _translator(matrix: np.ndarray, shift: np.ndarray) -> Any:
    """A Keras model (k, n, D) -> (k, n, D) that is linear: x @ matrix + shift."""
    import keras

    given = keras.Input((None, len(shift)))
    layer = keras.layers.Dense(len(shift))
    model = keras.Model(given, layer(given))
    layer.set_weights([matrix.astype(np.float32), shift.astype(np.float32)])
    return model


def _cycle(
    x: Any,
    y: Any,
    to_y: Any,
    to_x: Any,
    *,
    directions: str = "both",
    power: int = 1,
    mean: bool = False,
    signed: bool = False,
    half: bool = False,
) -> Any:
    """The cycle loss in NumPy; the keywords make the known mistakes."""
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    offs = {
        "x": np.asarray(to_x(np.asarray(to_y(x)))).astype(float) - x,
        "y": np.asarray(to_y(np.asarray(to_x(y)))).astype(float) - y,
    }
    total = np.zeros_like(x[:, 0, 0], dtype=float)
    for name, off in offs.items():
        if directions not in ("both", name):
            continue
        size = off if signed else np.abs(off) ** power
        total += (size.mean(axis=2) if mean else size.sum(axis=2)).mean(axis=1)
    return total / 2 if half else total


def _mapped(x: Any, y: Any, to_y: Any, to_x: Any) -> np.ndarray:
    """Distances of the translated events to the real ones, as if these were pairs."""
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    first, second = np.abs(np.asarray(to_y(x)) - y), np.abs(np.asarray(to_x(y)) - x)
    return np.asarray((first + second).sum(axis=2).mean(axis=1), float)


@task("X19.4", section="19.4")
def cycle_loss(student: Any, random: np.random.Generator) -> str:
    k, n, components = 3, 6, 3
    to_y, to_x = (
        _translator(np.diag([1.4, 0.7, 1.1]) + 0.3 * random.normal(size=(3, 3)), random.uniform(-0.9, 0.9, 3))
        for _ in range(2)
    )
    x = random.standard_normal((k, n, components)).astype(np.float32)
    y = random.standard_normal((k, n, components)).astype(np.float32)
    answer = student(x, y, to_y, to_x)
    expect.shape(answer, (k,), name="the cycle loss (one number for each training)")
    expect.finite(answer, name="the cycle loss")
    known: dict[str, Any] = {
        "both directions: from Y to X and back to Y, too": _cycle(x, y, to_y, to_x, directions="x"),
        "both directions: from X to Y and back to X, too": _cycle(x, y, to_y, to_x, directions="y"),
        "absolute values, not squares": _cycle(x, y, to_y, to_x, power=2),
        "the sum over the components of an event, not their mean": _cycle(x, y, to_y, to_x, mean=True),
        "absolute values: errors of opposite sign must not cancel": _cycle(x, y, to_y, to_x, signed=True),
        "the sum of the two directions, not their mean": _cycle(x, y, to_y, to_x, half=True),
        "events compared with themselves after a return trip: x and y are no pairs": _mapped(x, y, to_y, to_x),
        "F first for events of X: F translates X into Y": _cycle(x, y, to_x, to_y),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4, atol=1e-5)
    matrix, shift = np.array([[0.8, 0.3, 0.0], [-0.4, 1.2, 0.1], [0.2, 0.0, 1.0]]), np.array([0.5, -0.2, 0.1])
    there, back = _translator(matrix, shift), _translator(np.linalg.inv(matrix), -shift @ np.linalg.inv(matrix))
    expect.close(
        student(x, y, there, back),
        np.zeros(k),
        atol=1e-4,
        name="the cycle loss of a generator and its inverse",
        because="zero for two generators that are inverse to each other",
        rung="physics",
    )
    still, moved = _translator(np.eye(3), np.zeros(3)), _translator(np.eye(3), np.array([0.3, -0.2, 0.0]))
    expect.close(
        student(x, y, still, moved),
        np.full(k, 1.0),
        rtol=1e-4,
        name="the cycle loss where one generator shifts by (0.3, -0.2, 0) and the other does nothing",
        because="0.5 for each direction: the sum of the absolute values of the shift",
        rung="physics",
    )
    right = _cycle(x, y, to_y, to_x)
    expect.close(
        answer, right, rtol=1e-4, atol=1e-5, name="the cycle loss", because="the mean over events of both sums"
    )
    return "zero for a generator and its inverse"


def _cycled(**changes: Any) -> Callable[..., Any]:
    def cycle_loss(x: Any, y: Any, to_y: Any, to_x: Any) -> Any:
        return _cycle(x, y, to_y, to_x, **changes)

    return cycle_loss


def _euclidean(x: Any, y: Any, to_y: Any, to_x: Any) -> Any:
    x, y = np.asarray(x), np.asarray(y)
    offs = np.asarray(to_x(np.asarray(to_y(x)))) - x, np.asarray(to_y(np.asarray(to_x(y)))) - y
    return sum(np.sqrt((off.astype(float) ** 2).sum(axis=2)).mean(axis=1) for off in offs)


cycle_loss.hints = (
    "to_x(to_y(x)) has been there and back; compare it with x.",
    "ops.abs, then ops.sum over the last axis (components), then ops.mean over axis 1 (events).",
    "Add the same for y, which goes through to_x first.",
)
cycle_loss.mistakes = {
    "only from X": (_cycled(directions="x"), "back to Y"),
    "only from Y": (_cycled(directions="y"), "back to X"),
    "squares": (_cycled(power=2), "not squares"),
    "mean of the components": (_cycled(mean=True), "sum over the components"),
    "signed": (_cycled(signed=True), "must not cancel"),
    "half": (_cycled(half=True), "not their mean"),
    "as if paired": (_mapped, "no pairs"),
    "generators exchanged": (lambda x, y, to_y, to_x: _cycle(x, y, to_x, to_y), "F translates X into Y"),
    "Euclidean": (_euclidean, "0.5 for each direction"),
    "all trainings": (lambda x, y, to_y, to_x: float(_cycle(x, y, to_y, to_x).sum()), "an array"),
}

# --- questions ------------------------------------------------------------------------------------------------

quiz(
    "X19.3-q1",
    question="The coverage of a flow's 68 % intervals is 68 % on simulated events. Data have another spectrum than the "
    "simulation. What about their intervals?",
    options=(
        "They cover 68 %, since the detector is the same.",
        "They need not: coverage was an average over simulated truths, and the prior enters every interval.",
        "They cover 68 % if the flow was trained long enough.",
        "They cover more than 68 %, since the prior adds information.",
    ),
    answer=2,
    explanation="A posterior interval covers on average over the prior. For truths that the simulation holds to be "
    "improbable the intervals lean towards the probable ones.",
)
quiz(
    "M19.4-q1",
    question="Why the second classifier of OmniFold? After the first step the weighted simulation agrees with the data "
    "already.",
    options=(
        "It corrects the errors of the first one.",
        "Without it the weights would become negative.",
        "The pulled weights depend on the noise of an observation; a spectrum of the truth must give equal weights to "
        "equal truths.",
        "It makes the classifier see the data twice.",
    ),
    answer=3,
    explanation="Averaged over the noise at given truth, the weight is a function of the truth and can be used for any "
    "simulated event. The observations then differ from the data again, which the next iteration sees.",
)
quiz(
    "X19.4-q1",
    question="A CycleGAN ends with a cycle error of nearly zero and with distributions that agree. What is known?",
    options=(
        "F(x) is what the other detector would have measured.",
        "F is the optimal transport from X to Y.",
        "F and G are wrong in the same way.",
        "F and G are inverse to each other and map the distributions onto each other; any symmetry of X could stand "
        "between F and the truth.",
    ),
    answer=4,
    explanation="If s leaves the distribution of X unchanged, F after s and the inverse of s after G have the same "
    "losses. An exchange of all charges is such an s where both charges are equally frequent.",
)
