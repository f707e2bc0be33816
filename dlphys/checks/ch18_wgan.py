"""Checks of exercise 18.2: generator and critic of footprints, the Wasserstein loss, the deal of maps, the game."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys import metrics
from dlphys.checks import expect, proxy
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.simulators import airshower

LATENT, BATCH, N_CRITIC = 32, 32, 3  # as in the notebook's setup cell
OFFICIAL_PARAMETERS = 1_345_537  # of the published generator
SHAPE = (9, 9, 1)

# --- 18.2a ------------------------------------------------------------------------------------------------


@task("18.2a", section="18.5")
def build_generator(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(4, LATENT), is_=(4, *SHAPE))
    codes = random.normal(size=(64, LATENT)).astype(np.float32)
    drawn = np.asarray(model.predict(codes))
    expect.at_least(
        drawn,
        0.0,
        because="no negative signal: the last activation must not give one, whatever the weights",
        name="the smallest value",
        rung="known mistake",
    )
    far = np.asarray(model.predict(1e4 * codes))
    expect.at_least(
        far.max(),
        10.0,
        because="values without a ceiling: signals reach lg(1 + S/VEM) = 3.6, a sigmoid ends at 1",
        name="the largest value for codes of any size",
        rung="known mistake",
    )
    zeros = float(np.mean(drawn == 0.0))
    expect.at_least(
        zeros,
        0.02,
        because="exact zeros, for stations that are silent: something positive everywhere has none",
        name="the share of zeros",
        rung="known mistake",
    )
    expect.at_most(zeros, 0.98, because="not zero everywhere: no gradient would ever pass", name="the share of zeros")
    expect.at_least(
        drawn.std(axis=0).max(),
        1e-6,
        because="another map for every code: the code must reach the output",
        name="the scatter over codes",
    )
    both = drawn * np.asarray(model.predict(-codes))
    expect.at_least(
        both.max(),
        1e-9,
        because="hidden layers with an activation: one linear map of the code cannot be positive for a code and for "
        "its opposite at the same station",
        name="the largest product of the two signals",
    )
    expect.at_most(
        model.count_params(),
        OFFICIAL_PARAMETERS,
        because="at most as many parameters as the published generator, which is large for 81 stations",
        name="the number of parameters",
    )
    return f"{model.count_params()} parameters; {zeros:.0%} of the stations are silent before any training"


def _dense(shape: tuple[int, ...], *units: tuple[int, str | None]) -> Any:
    """A dense network for inputs of a shape, its layers as pairs of width and activation."""
    import keras

    flat = [keras.layers.Flatten()] if len(shape) > 1 else []
    return keras.models.Sequential([keras.Input(shape), *flat, *(keras.layers.Dense(*one) for one in units)])


def _layers(last: str | None, *, between: str | None = "relu", width: int = 64, depth: int = 1) -> Callable[[], Any]:
    """A build_generator() with the given activations."""

    def build_generator() -> Any:
        import keras

        model = _dense((LATENT,), *[(width, between)] * depth, (81, last))
        model.add(keras.layers.Reshape(SHAPE))
        return model

    return build_generator


def _flat() -> Any:
    return _dense((LATENT,), (81, "relu"))


build_generator.hints = (
    "keras.Input((LATENT,)), hidden layers with ReLU, and at the end 81 values in the shape (9, 9, 1).",
    "Two hidden layers of 256 are enough. keras.layers.Reshape((9, 9, 1)) has no weights.",
    "The layer that gives the 81 values has the activation 'relu': zero or positive, without a ceiling.",
)
build_generator.mistakes = {
    "linear at the end": (_layers(None), "no negative signal"),
    "sigmoid": (_layers("sigmoid"), "without a ceiling"),
    "softplus": (_layers("softplus"), "exact zeros"),
    "nothing between": (_layers("relu", between=None), "hidden layers with an activation"),
    "too large": (_layers("relu", width=16_000), "at most as many parameters"),
    "flat": (_flat, "output of shape (4, 9, 9, 1)"),
}

# --- 18.2b ------------------------------------------------------------------------------------------------


@task("18.2b", section="18.2.5")
def build_critic(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(4, *SHAPE), is_=(4, 1))
    expect.activation(
        model, is_="linear", because="a height of any size and sign: nothing at the end that limits it, no sigmoid"
    )
    kinds = {layer["class_name"] for layer in model.layers}
    expect.holds(
        "BatchNormalization" not in kinds,
        because="no batch normalisation: the penalty is about the slope at one map, which must not depend on others",
        seen="a BatchNormalization layer",
        rung="known mistake",
    )
    expect.holds(
        not any("Dropout" in kind for kind in kinds),
        because="no dropout: the slope would be that of another network at each call",
        seen="a Dropout layer",
        rung="known mistake",
    )
    a, b = random.exponential(size=(2, 32, *SHAPE)).astype(np.float32)
    bent = _height(model, a) + _height(model, b) - _height(model, a + b) - _height(model, 0 * a)
    expect.at_least(
        np.abs(bent).max(),
        1e-5,
        because="activations between the layers: a plane sees how far the mean maps are apart, and nothing else",
        name="the part of the height that is not linear",
    )
    mixed = random.permuted(a.reshape(32, -1), axis=1).reshape(a.shape)
    expect.at_least(
        np.abs(_height(model, a) - _height(model, mixed)).max(),
        1e-5,
        because="another height when the stations are exchanged: where the signal is matters",
        name="the change of the height",
    )
    return f"{model.count_params()} parameters, each map on its own"


def _height(model: Any, maps: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(maps), float)[:, 0]


def _judge(*extra: Any, between: str | None = "elu", last: str | None = None, outputs: int = 1) -> Callable[[], Any]:
    """A build_critic() with further layers (class name, argument) after the first dense one."""

    def build_critic() -> Any:
        import keras

        return keras.models.Sequential(
            [
                keras.Input(SHAPE),
                keras.layers.Flatten(),
                keras.layers.Dense(64, between),
                *(getattr(keras.layers, name)(*arguments) for name, *arguments in extra),
                keras.layers.Dense(outputs, last),
            ]
        )

    return build_critic


def _sum_only() -> Any:
    import keras

    pooled = [keras.layers.Conv2D(8, 1, activation="elu"), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    return keras.models.Sequential([keras.Input(SHAPE), *pooled])


build_critic.hints = (
    "Flatten, one or two hidden layers with an activation, then Dense(1).",
    "The last layer has no activation.",
    "LayerNormalization may stand between; BatchNormalization and Dropout may not.",
)
build_critic.mistakes = {
    "sigmoid": (_judge(last="sigmoid"), "nothing at the end that limits it"),
    "batch normalisation": (_judge(("BatchNormalization",)), "no batch normalisation"),
    "dropout": (_judge(("Dropout", 0.3)), "no dropout"),
    "a plane": (_judge(between=None), "activations between the layers"),
    "stations forgotten": (_sum_only, "when the stations are exchanged"),
    "two classes": (_judge(outputs=2), "output of shape (4, 1)"),
}

# --- 18.2c ------------------------------------------------------------------------------------------------


@task("18.2c", section="18.2.5")
def points_between(student: Any, random: np.random.Generator) -> str:
    real, generated = random.exponential(size=(2, 6, *SHAPE)).astype(np.float32)
    share = random.uniform(0.1, 0.4, 6).astype(np.float32)  # never 1/2, so that the two ends can be told apart
    answer = student(real, generated, share)
    expect.shape(answer, (6, *SHAPE), name="the points")
    expect.finite(answer, name="the points")
    column = share[:, None, None, None]
    known = {
        "the share of the real map is epsilon: here the ends are exchanged": real + column * (generated - real),
        "one share for each pair, not the same for the whole batch": generated + share[0] * (real - generated),
        "one share for each pair, and not their mean": generated + share.mean() * (real - generated),
        "the share that was given, not always the middle": 0.5 * (real + generated),
        "between the two, not beyond": real + column * (real - generated),
        "both ends weighted: epsilon and 1 - epsilon": column * real + generated,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    expect.close(
        student(real, real, share), real, rtol=1e-5, because="the map itself where both ends are equal", rung="physics"
    )
    ends = student(real, generated, np.array([0, 1, 0, 1, 0, 1], np.float32))
    alternating = np.where(np.array([0, 1, 0, 1, 0, 1])[:, None, None, None] == 1, real, generated)
    expect.close(
        ends, alternating, rtol=1e-5, atol=1e-6, because="the ends of the line for shares of 0 and 1", rung="physics"
    )
    expect.close(
        answer,
        generated + column * (real - generated),
        rtol=1e-4,
        atol=1e-6,
        because="share times real plus (1 - share) times generated, map by map",
        name="the points",
    )
    return "each pair has its own point on its own line"


def _line(rule: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong points_between() from the two maps and the shares as a column."""
    return lambda real, generated, share: rule(real, generated, np.asarray(share)[:, None, None, None])


points_between.hints = (
    "A share of shape (n,) must become one of shape (n, 1, 1, 1), so that it multiplies whole maps.",
    "ops.reshape(share, (-1, 1, 1, 1)).",
    "The real map times the share, plus the generated one times what is left to 1.",
)
points_between.mistakes = {
    "ends exchanged": (_line(lambda r, g, e: r + e * (g - r)), "the ends are exchanged"),
    "one for the batch": (_line(lambda r, g, e: g + e[0] * (r - g)), "not the same for the whole batch"),
    "mean share": (_line(lambda r, g, e: g + e.mean() * (r - g)), "not their mean"),
    "middle": (_line(lambda r, g, e: 0.5 * (r + g)), "not always the middle"),
    "beyond": (_line(lambda r, g, e: r + e * (r - g)), "not beyond"),
    "generated in full": (_line(lambda r, g, e: e * r + g), "both ends weighted"),
    "a share for each station": (
        _line(lambda r, g, e: g + np.random.default_rng(1).uniform(size=r.shape).astype(r.dtype) * (r - g)),
        "the ends of the line",
    ),
    "along the channels": (
        lambda real, generated, share: generated + share * (real - generated),
        "shape (6, 9, 9, 1)",
    ),
}

# --- 18.2d ------------------------------------------------------------------------------------------------


def _landscape(inner: np.ndarray, outer: np.ndarray, offset: float, activation: str | None) -> Any:
    """A critic d(x) = outer . activation(inner x) + offset, inner (81, k), outer (k,)."""
    import keras

    model = keras.models.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(len(outer), activation, use_bias=False),
            keras.layers.Dense(1),
        ]
    )
    model.set_weights([inner, outer[:, None], np.array([offset])])
    return model


def _plane(random: np.random.Generator, slope: float, offset: float = 0.0) -> tuple[Any, np.ndarray]:
    """A linear critic of the given slope, and its gradient (81,)."""
    direction = random.normal(size=81)
    direction *= slope / np.linalg.norm(direction)
    return _landscape(direction[:, None], np.ones(1), offset, None), direction


def _heights(maps: np.ndarray, inner: np.ndarray, outer: np.ndarray, offset: float) -> np.ndarray:
    return np.tanh(maps.reshape(len(maps), 81) @ inner) @ outer + offset


def _steepness(maps: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """Gradient (n, 81) of the tanh landscape."""
    return ((1.0 - np.tanh(maps.reshape(len(maps), 81) @ inner) ** 2) * outer) @ inner.T


@task("18.2d", section="18.2.5")
def critic_loss(student: Any, random: np.random.Generator) -> str:
    n, weight = 8, 7.0
    real, generated = random.exponential(size=(2, n, *SHAPE)).astype(np.float32) * np.array([1, 0.3])[
        :, None, None, None, None
    ].astype(np.float32)
    between = (generated + random.uniform(0.2, 0.8, (n, 1, 1, 1)) * (real - generated)).astype(np.float32)
    inner, outer = 0.08 * random.normal(size=(81, 6)), random.normal(size=6)
    norm = np.linalg.norm(_steepness(between, inner, outer), axis=1)
    outer /= np.median(norm)  # some maps steeper than 1, some flatter
    norm /= np.median(norm)
    offset = 0.7
    critic = _landscape(inner, outer, offset, "tanh")
    answer = student(critic, real, generated, between, weight)
    expect.number(answer, name="the loss")
    answer = float(answer)
    estimate = _heights(real, inner, outer, offset).mean() - _heights(generated, inner, outer, offset).mean()
    penalty = np.square(norm - 1).mean()
    gradient = _steepness(between, inner, outer)
    elsewhere = {
        where: np.square(np.linalg.norm(_steepness(maps, inner, outer), axis=1) - 1).mean()
        for where, maps in {"real": real, "generated": generated}.items()
    }
    known = {
        "the estimate is to grow, so the loss has it with a minus sign": estimate + weight * penalty,
        "the penalty is to shrink, so the loss has it with a plus sign": -estimate - weight * penalty,
        "the penalty times its weight": -estimate + penalty,
        "a penalty on the slope at the points in between, too: without it the heights grow without end": -estimate,
        "one norm for each map, not one for the batch": -estimate
        + weight * np.square(np.sqrt(np.square(gradient).sum()) - 1),
        "the norm, which is the root of the sum of squares": -estimate + weight * np.square(norm**2 - 1).mean(),
        "the sum over the 81 derivatives under the root, not their mean": -estimate
        + weight * np.square(norm / 9 - 1).mean(),
        "first the square for each map, then the mean": -estimate + weight * np.square(norm.mean() - 1),
        "a slope below 1 costs as well: towards 1 from both sides": -estimate
        + weight * np.square(np.maximum(norm - 1, 0)).mean(),
        "the distance from 1, not the slope itself": -estimate + weight * np.square(norm).mean(),
        "the square of the distance from 1": -estimate + weight * np.abs(norm - 1).mean(),
        "the slope at the points in between, not at the real maps": -estimate + weight * elsewhere["real"],
        "the slope at the points in between, not at the generated maps": -estimate + weight * elsewhere["generated"],
        "means over the maps, not sums": n * (-estimate + weight * penalty),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    unit, direction = _plane(random, 1.0)
    apart = float(((real - generated).reshape(n, 81) @ direction).mean())
    expect.close(
        float(student(unit, real, generated, between, weight)),
        -apart,
        rtol=1e-3,
        atol=1e-4,
        because="no penalty at all on a plane of slope 1",
        name="the loss",
        rung="physics",
    )
    steep, direction = _plane(random, 3.0, offset=5.0)
    apart = float(((real - generated).reshape(n, 81) @ direction).mean())
    expect.close(
        float(student(steep, real, generated, between, weight)),
        4 * weight - apart,
        rtol=1e-3,
        atol=1e-3,
        because="a penalty of (3 - 1)^2 times the weight on a plane of slope 3, wherever its zero lies",
        name="the loss",
        rung="physics",
    )
    expect.close(
        answer,
        weight * penalty - estimate,
        rtol=1e-3,
        atol=1e-4,
        because="minus the difference of the mean heights plus the weight times the mean square of (slope - 1)",
        name="the loss",
    )
    return "minimising it makes the critic climb, with a slope near 1"


def _loss(rule: Callable[[float, np.ndarray, float], Any], *, at: int = 2) -> Callable[..., Any]:
    """A wrong critic_loss() from the estimate, the gradients (n, 81) at one of the three samples and the weight."""

    def critic_loss(critic: Any, real: Any, generated: Any, between: Any, weight: float) -> Any:
        from dlphys import autodiff

        up, down = (float(np.mean(critic(maps))) for maps in (real, generated))
        where = (real, generated, between)[at]
        return rule(up - down, np.asarray(autodiff.gradient(critic, where)).reshape(len(where), -1), weight)

    return critic_loss


def _norm(gradient: np.ndarray) -> np.ndarray:
    return np.sqrt((gradient**2).sum(axis=1))


def _right(estimate: float, gradient: np.ndarray, weight: float) -> float:
    return float(weight * ((_norm(gradient) - 1.0) ** 2).mean() - estimate)


critic_loss.hints = (
    "Three pieces: the mean height of the real maps, that of the generated ones, the penalty at the points between.",
    "autodiff.gradient(critic, between) has the shape (n, 9, 9, 1): square, sum over the axes (1, 2, 3), add 1e-12, "
    "root.",
    "Then the mean over maps of (norm - 1) squared, times weight, minus the difference real - generated.",
)
critic_loss.mistakes = {
    "sign": (_loss(lambda w, g, a: _right(-w, g, a)), "has it with a minus sign"),
    "sign of the penalty": (_loss(lambda w, g, a: -w - a * ((_norm(g) - 1) ** 2).mean()), "has it with a plus sign"),
    "weight forgotten": (_loss(lambda w, g, a: _right(w, g, 1.0)), "times its weight"),
    "no penalty": (_loss(lambda w, g, a: -w), "the heights grow without end"),
    "norm of the batch": (_loss(lambda w, g, a: a * ((g**2).sum() ** 0.5 - 1) ** 2 - w), "not one for the batch"),
    "no root": (_loss(lambda w, g, a: a * ((_norm(g) ** 2 - 1) ** 2).mean() - w), "the root of the sum"),
    "mean under the root": (_loss(lambda w, g, a: _right(w, g / 9, a)), "not their mean"),
    "mean first": (_loss(lambda w, g, a: a * (_norm(g).mean() - 1) ** 2 - w), "then the mean"),
    "one-sided": (_loss(lambda w, g, a: a * (np.clip(_norm(g) - 1, 0, None) ** 2).mean() - w), "from both sides"),
    "towards zero": (_loss(lambda w, g, a: a * (_norm(g) ** 2).mean() - w), "not the slope itself"),
    "absolute": (_loss(lambda w, g, a: a * np.abs(_norm(g) - 1).mean() - w), "the square of the distance"),
    "at the real maps": (_loss(_right, at=0), "not at the real maps"),
    "at the generated maps": (_loss(_right, at=1), "not at the generated maps"),
    "sums": (_loss(lambda w, g, a: len(g) * _right(w, g, a)), "not sums"),
    "each map": (_loss(lambda w, g, a: a * (_norm(g) - 1) ** 2 - w), "one number"),
}

# --- 18.2e ------------------------------------------------------------------------------------------------


@task("18.2e", section="18.5")
def deal(student: Any, random: np.random.Generator) -> str:
    steps, batch = int(random.integers(2, 5)), int(random.integers(8, 14))
    rounds = int(random.integers(5, 8))
    number = rounds * steps * batch + int(random.integers(1, steps * batch - 1))
    answer = student(number, steps, batch, 1)
    expect.shape(answer, (rounds, steps, batch), name="the deal")
    expect.dtype(answer, "i", name="the deal")
    expect.holds(
        (answer >= 0) & (answer < number),
        because="numbers of maps, from 0 to number - 1",
        seen=f"numbers from {answer.min()} to {answer.max()}",
    )
    used = np.unique(answer).size
    hands_of_round = [np.unique(hands).size for hands in answer]
    expect.holds(
        min(hands_of_round) > batch,
        because="new maps for each step of the critic: a round needs steps * batch of them",
        seen=f"{min(hands_of_round)} different maps in a round",
        rung="known mistake",
    )
    first = answer.reshape(-1)
    expect.holds(
        not np.array_equal(first, np.arange(answer.size)),
        because="a random order: shuffle before you deal",
        seen="the maps in their own order",
        rung="known mistake",
    )
    again, other = student(number, steps, batch, 1), student(number, steps, batch, 2)
    expect.equal(again, answer, because="the same deal for the same seed", name="the second deal", rung="physics")
    expect.holds(
        not np.array_equal(answer, other),
        because="another deal for another seed: epochs must differ",
        seen="the same deal for the seeds 1 and 2",
        rung="known mistake",
    )
    expect.holds(
        not np.array_equal(answer[0, 1], answer[1, 0]),
        because="new maps for the next round: it does not begin with the second hand of the round before",
        seen=f"{used} different maps in {answer.size} places",
        rung="known mistake",
    )
    expect.holds(
        used == answer.size,
        because="each map at most once in an epoch: draw without putting back",
        seen=f"{used} different maps in {answer.size} places",
    )
    many = [np.asarray(student(number, steps, batch, seed)) for seed in range(40)]
    reached = np.unique(np.concatenate([one.ravel() for one in many])).size
    expect.holds(
        reached == number,
        because="every map used in some epoch: shuffle all of them, and put the rest of this epoch aside",
        seen=f"{reached} of {number} maps in 40 epochs",
    )
    return f"{rounds} rounds of {steps} hands with {batch} maps; {number - used} of {number} wait for the next epoch"


def _pack(rule: Callable[[int, int, int, int, np.random.Generator], Any], *, fixed: bool = False) -> Callable[..., Any]:
    """A wrong deal() from number, rounds, steps, batch and a generator."""

    def deal(number: int, steps: int, batch: int, seed: int) -> Any:
        return rule(number, number // (steps * batch), steps, batch, np.random.default_rng(0 if fixed else seed))

    return deal


def _straight(number: int, rounds: int, steps: int, batch: int, random: np.random.Generator) -> Any:
    """A shuffled pack, dealt rightly."""
    order = np.arange(number)
    random.shuffle(order)
    return np.array([order[k * batch : (k + 1) * batch] for k in range(rounds * steps)]).reshape(rounds, steps, batch)


def _overlapping(number: int, rounds: int, steps: int, batch: int, random: np.random.Generator) -> Any:
    """Batch j + i in step j of round i, as in the published solution: most of the pack stays unused."""
    order = random.permutation(number)
    return np.array([[order[(i + j) * batch : (i + j + 1) * batch] for j in range(steps)] for i in range(rounds)])


deal.hints = (
    "np.random.default_rng(seed).permutation(number) is the shuffled pack.",
    "There are number // (steps * batch) rounds; take the first rounds * steps * batch cards.",
    "reshape(rounds, steps, batch) deals them.",
)
deal.mistakes = {
    "put back": (
        _pack(lambda n, r, s, b, random: random.integers(n, size=(r, s, b))),
        "draw without putting back",
    ),
    "published": (_pack(_overlapping), "the second hand of the round before"),
    "not shuffled": (
        _pack(lambda n, r, s, b, random: np.arange(r * s * b).reshape(r, s, b)),
        "shuffle before you deal",
    ),
    "one hand a round": (
        _pack(lambda *given: np.repeat(_straight(*given)[:, :1], given[2], axis=1)),
        "new maps for each step",
    ),
    "the same every epoch": (_pack(_straight, fixed=True), "epochs must differ"),
    "the last never": (
        _pack(lambda n, r, s, b, random: _straight(r * s * b, r, s, b, random)),
        "put the rest of this epoch aside",
    ),
    "without the seed": (
        lambda number, steps, batch, seed: _straight(
            number, number // (steps * batch), steps, batch, np.random.default_rng()
        ),
        "for the same seed",
    ),
    "steps first": (_pack(lambda *given: _straight(*given).transpose(1, 0, 2)), "an array of shape"),
}

# --- 18.2f ------------------------------------------------------------------------------------------------


@task("18.2f", section="18.2.5")
def generator_loss(student: Any, random: np.random.Generator) -> str:
    generated = random.exponential(size=(8, *SHAPE)).astype(np.float32)
    inner, outer = 0.1 * random.normal(size=(81, 6)), random.normal(size=6)
    flat = _heights(generated, inner, outer, 0.0)
    offset = float(0.3 * flat.std() - flat.mean())  # heights of both signs
    critic = _landscape(inner, outer, offset, "tanh")
    answer = student(critic, generated)
    expect.number(answer, name="the loss")
    answer = float(answer)
    heights = _heights(generated, inner, outer, offset)
    known = {
        "uphill: to be minimised is minus the mean height": heights.mean(),
        "the mean over the maps, not the sum": -heights.sum(),
        "the height itself: no logarithm and no sigmoid, whose gradient vanishes": np.logaddexp(0, -heights).mean(),
        "the height itself, whatever its size, not its distance from the label 1": np.square(heights - 1).mean(),
        "the height with its sign": -np.abs(heights).mean(),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    raised = _landscape(inner, outer, offset + 100.0, "tanh")
    expect.close(
        float(student(raised, generated)),
        answer - 100.0,
        rtol=1e-4,
        because="lower by 100 where the whole landscape is 100 higher: only differences of height have a meaning",
        name="the loss",
        rung="physics",
    )
    expect.close(answer, -heights.mean(), rtol=1e-3, because="minus the mean height of the maps", name="the loss")
    return "its gradient is that of the critic, never flat"


def _heights_of(rule: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong generator_loss() from the heights."""
    return lambda critic, generated: rule(np.asarray(critic(generated), dtype=float)[:, 0])


generator_loss.hints = (
    "critic(generated) are the heights, (n, 1).",
    "The mean over the maps, with ops.mean.",
    "A minus sign: a loss is minimised, and the maps are to move uphill.",
)
generator_loss.mistakes = {
    "downhill": (_heights_of(lambda d: d.mean()), "uphill: to be minimised"),
    "sum": (_heights_of(lambda d: -d.sum()), "not the sum"),
    "cross-entropy": (_heights_of(lambda d: np.log1p(np.exp(-d)).mean()), "whose gradient vanishes"),
    "squares": (_heights_of(lambda d: ((1 - d) ** 2).mean()), "from the label 1"),
    "absolute": (_heights_of(lambda d: -np.abs(d).mean()), "with its sign"),
    "largest": (_heights_of(lambda d: -d.max()), "minus the mean height"),
    "each map": (_heights_of(lambda d: -d), "one number"),
}

# --- 18.2g ------------------------------------------------------------------------------------------------

N_TRAIN, EPOCHS, N_TEST = 12_000, 15, 3_000  # a third of the notebook's maps: enough for the bar
THRESHOLD = np.log10(4.0) / 2  # halfway below the trigger of 3 VEM


def _footprints(n: int, random: np.random.Generator) -> np.ndarray:
    """Simulated maps as the notebook has them."""
    signal = airshower.simulate(n, seed=random, preset="footprint").signal[..., None]
    return np.nan_to_num(np.log10(1.0 + signal), nan=0.0).astype(np.float32)


def _distance(simulated: np.ndarray, generated: np.ndarray) -> float:
    """Mean Wasserstein distance of the five observables, in widths of the simulation."""
    both = (metrics.shower_observables(maps, threshold=THRESHOLD) for maps in (simulated, generated))
    pairs = zip(*both, strict=True)
    return float(np.mean([metrics.compare_distributions(a, b, resamples=2).wasserstein[0] for a, b in pairs]))


def _pair() -> tuple[Any, Any]:
    """Generator and critic of the check's own, which the exam edition has as well."""
    return _layers("relu", width=256, depth=2)(), _dense(SHAPE, *[(256, "leaky_relu")] * 2, (1, None))


def _trained_with(train: Any, random: np.random.Generator, codes: np.ndarray) -> Any:
    generator, critic = _pair()
    return train(generator, critic, _footprints(N_TRAIN, random), codes, EPOCHS, int(random.integers(1000)))


@task("18.2g", section="18.5")
def train_wgan(student: Any, random: np.random.Generator) -> str:
    if not proxy.answered(student):
        _one_small_game(student, random)
    codes = random.normal(size=(N_TEST, LATENT)).astype(np.float32)
    generator, record, stages = _three(_trained_with(student, random, codes))
    expect.finite(record, name="the losses")
    expect.finite(stages, name="the maps")
    drawn = np.asarray(generator.predict(codes))
    simulated = _footprints(N_TEST, random)
    expect.close(
        drawn.mean(),
        simulated.mean(),
        rtol=0.15,
        because="nearly the mean signal of the simulation after the training: does each network learn its own loss?",
        name="the mean of the generated maps",
        rung="physics",
    )
    expect.at_least(
        drawn.sum(axis=(1, 2, 3)).std() / simulated.sum(axis=(1, 2, 3)).std(),
        0.6,
        because="showers of all energies: the total signal must scatter from map to map as in the simulation",
        name="the ratio of the scatters",
    )
    reached = _distance(simulated, drawn)
    expect.reaches("18.2g", reached, name="the mean W1 of the five observables")
    again = _distance(simulated, _footprints(N_TEST, random))
    return f"mean W1 of the five observables {reached:.3f} widths; two simulated samples: {again:.3f}"


def _three(answer: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    expect.is_tuple(answer, 3, name="generator, losses, maps")
    generator, record, stages = answer
    expect.is_model(generator, name="the generator")
    expect.shape(record, (None,), name="the losses")
    expect.shape(stages, (None, None, *SHAPE), name="the maps of the epochs")
    return generator, record, stages


def _one_small_game(student: Any, random: np.random.Generator) -> None:
    """Two epochs of two rounds with bright maps and a critic that prefers them: what happens is known in advance."""
    x = (1.0 + random.exponential(size=(2 * N_CRITIC * BATCH + 9, *SHAPE))).astype(np.float32)
    codes = random.normal(size=(7, LATENT)).astype(np.float32)
    generator = _layers("relu")()
    critic = _dense(SHAPE, (16, "leaky_relu"), (1, None))
    critic.set_weights([np.full((81, 16), 1 / 12), np.zeros(16), np.full((16, 1), 1 / 12), np.zeros(1)])  # slope 1
    before = np.asarray(generator(codes))
    trained, record, stages = _three(student(generator, critic, x, codes, 2, 3))
    expect.shape(record, (4,), name="the losses of two epochs of two rounds, one for each round")
    expect.shape(stages, (2, 7, *SHAPE), name="the maps of two epochs")
    expect.holds(
        np.abs(stages[0] - before).max() > 1e-6 or np.abs(stages[1] - before).max() > 1e-6,
        because="a generator that changes: one step after the critic's steps of each round",
        seen="the same maps as before the training",
        rung="known mistake",
    )
    expect.holds(
        np.abs(stages[0] - before).max() > 1e-6,
        because="maps from after each epoch, not from before it",
        seen="the first maps are those of the untrained generator",
        rung="known mistake",
    )
    expect.close(
        stages[1],
        trained.predict(codes),
        rtol=1e-3,
        atol=1e-4,
        because="maps drawn from the codes that were given: the last ones are what the trained generator makes of them",
        name="the last maps",
        rung="physics",
    )
    expect.holds(
        stages[1].sum() > before.sum(),
        because="uphill: against a critic that prefers bright maps the generated ones become brighter",
        seen=f"the sum of all signals goes from {before.sum():.2f} to {stages[1].sum():.2f}",
    )


@bar("18.2g", better="lower", unit="widths", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    codes = random.normal(size=(N_TEST, LATENT)).astype(np.float32)
    generator, _, _ = _trained_with(reference("18.2g"), random, codes)
    return _distance(_footprints(N_TEST, random), np.asarray(generator(codes)))


def _game(
    *, direction: float = 1.0, moving: bool = True, early: bool = False, own_codes: bool = False, every: bool = False
) -> Callable[..., Any]:
    """A train_wgan() in plain steps, uncompiled, with something wrong."""

    def train_wgan(generator: Any, critic: Any, x: Any, codes: Any, epochs: int, seed: int) -> Any:
        import keras
        from keras import ops

        from dlphys import autodiff
        from dlphys.layers import gradient_penalty

        players = {critic: keras.optimizers.Adam(1e-3), generator: keras.optimizers.Adam(1e-3)}

        def learn(model: Any, loss: Callable[[], Any]) -> float:
            value, gradients = autodiff.value_and_gradients(loss, model.trainable_variables)
            players[model].apply(gradients, model.trainable_variables)
            return float(value)

        def apart(real: Any, fake: Any) -> Any:
            return ops.mean(critic(fake) - critic(real)) + 10.0 * gradient_penalty(critic, real, fake)

        def fakes() -> Any:
            return generator(keras.random.normal((BATCH, LATENT)))

        losses, pictures = [], []
        for number in range(epochs):
            if early:
                pictures.append(np.array(generator(codes)))
            order = np.random.default_rng(seed + number).permutation(len(x))
            for start in range(0, len(x) - N_CRITIC * BATCH + 1, N_CRITIC * BATCH):
                for step in range(N_CRITIC):
                    real, fake = x[order[start + step * BATCH :][:BATCH]], fakes()
                    loss = learn(critic, functools.partial(apart, real, fake))
                    if every or step == N_CRITIC - 1:
                        losses.append(loss)
                if moving:
                    learn(generator, lambda: -direction * ops.mean(critic(fakes())))
            if not early:
                drawn_from = np.random.default_rng(number).normal(size=codes.shape) if own_codes else codes
                pictures.append(np.array(generator(drawn_from)))
        return generator, np.asarray(losses), np.asarray(pictures)

    return train_wgan


train_wgan.hints = (
    "Copy the step of `pretrain`; a second compiled function draws codes, computes generator_loss(critic, "
    "generator(codes)) and its gradients by generator.trainable_variables.",
    "rounds = epochs * (len(x) // (N_CRITIC * BATCH)); falling_adam(critic, RATE_CRITIC, N_CRITIC * rounds) "
    "and falling_adam(generator, RATE_GENERATOR, rounds), both made before the loop.",
    "Three loops: epochs, rounds in deal(len(x), N_CRITIC, BATCH, seed + epoch), hands of a round; after the hands one "
    "step of the generator, after the rounds generator(codes).",
)
train_wgan.mistakes = {
    "generator forgotten": (_game(moving=False), "a generator that changes"),
    "downhill": (_game(direction=-1.0), "become brighter"),
    "maps from before": (_game(early=True), "not from before it"),
    "codes of its own": (_game(own_codes=True), "from the codes that were given"),
    "every step recorded": (_game(every=True), "one for each round"),
    "generator alone": (lambda generator, critic, x, codes, epochs, seed: generator, "3 results"),
}

# --- quizzes ----------------------------------------------------------------------------------------------

quiz(
    "18.2-q1",
    question="Why is LayerNormalization allowed in the critic, and BatchNormalization not?",
    options=(
        "Layer normalisation has fewer parameters.",
        "With batch normalisation the height of a map depends on the other maps of its batch, and a slope at one map "
        "has no meaning.",
        "Batch normalisation cannot be differentiated twice.",
        "Batch normalisation would undo the logarithm of the signals.",
    ),
    answer=2,
    explanation="The penalty asks for the slope of d at each point u. If d(u) depends on the whole batch there is no "
    "such function of u alone, and the Lipschitz condition is about nothing.",
)
quiz(
    "18.2-q2",
    question="A critic without the penalty is trained against a fixed generator. What happens?",
    options=(
        "It finds the Wasserstein distance a little faster.",
        "Its estimate goes to zero.",
        "Its estimate grows without end, since every height can be doubled.",
        "It becomes a classifier with outputs 0 and 1.",
    ),
    answer=3,
    explanation="The difference of mean heights is proportional to the scale of d. Only the limit on the slope fixes "
    "the unit: one of height for one of way.",
)
quiz(
    "18.2-q3",
    question="The two losses of a GAN stay where they are for a hundred epochs. What do you know?",
    options=(
        "The training has converged.",
        "The generator has collapsed.",
        "The learning rate is too small.",
        "Nothing about the events: each loss is measured against the other player.",
    ),
    answer=4,
    explanation="Both may improve together, or chase each other in circles. Measure the events.",
)
quiz(
    "18.2-q4",
    question="Which of these troubles does a Wasserstein critic not remove?",
    options=(
        "Each step of one player changes the task of the other, and the game may circle.",
        "The gradient vanishes when the critic is sure of itself.",
        "The loss does not shrink as disjoint distributions come closer.",
        "A forgotten kind of event costs next to nothing.",
    ),
    answer=1,
    explanation="It is still a game of two networks with alternating steps. The other three come from the sigmoid and "
    "the divergence, which are gone.",
)
quiz(
    "18.2-q5",
    question="A generator makes perfect showers of 1 to 50 EeV and none above. Where does the optimal critic stand "
    "highest?",
    options=(
        "Nowhere: the events are perfect, so it is flat.",
        "At the perfect showers of lowest energy.",
        "At the showers of highest energy, and the ground rises all the way there.",
        "Exactly at 50 EeV, where the samples end.",
    ),
    answer=3,
    explanation="Mass must be carried to the forgotten region. The landscape has the slope 1 along that way, so every "
    "generated shower feels where to go.",
)
