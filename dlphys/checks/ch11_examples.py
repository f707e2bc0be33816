"""Checks of the examples of chapter 11: soft sharing of parameters, and stations that break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- M11.1a -----------------------------------------------------------------------------------------------


@task("M11.1a", section="11.1")
def SoftlyShared(student: Any, random: np.random.Generator) -> str:  # noqa: N802 - the name of the class to write
    strength = float(random.uniform(0.2, 2.0))
    layer = student(4, strength)
    x = [random.normal(size=(6, 3)).astype(np.float32) for _ in range(2)]
    layer(x)
    weights = layer.get_weights()
    expect.holds(
        [np.shape(w) for w in weights] == [(3, 4), (4,), (3, 4), (4,)],
        because="the kernels and biases of two dense layers, self.first and self.second, both used",
        seen=f"weights of the shapes {', '.join(str(np.shape(w)) for w in weights)}",
        rung="shape",
    )
    drawn = [random.normal(size=np.shape(w)).astype(np.float32) for w in weights]
    layer.set_weights(drawn)
    answer = layer(x)
    expect.is_tuple(answer, 2, name="the outputs of the two layers")
    right = [np.maximum(a @ drawn[2 * k] + drawn[2 * k + 1], 0) for k, a in enumerate(x)]
    for name, item in zip(("the first output", "the second output"), answer, strict=True):
        expect.shape(item, (6, 4), name=name)
    expect.differs(
        answer[1],
        np.maximum(x[0] @ drawn[2] + drawn[3], 0),
        because="the second layer applied to the second input",
        rtol=1e-4,
    )
    for name, item, wanted in zip(("the first output", "the second output"), answer, right, strict=True):
        expect.close(item, wanted, rtol=1e-4, atol=1e-5, because="each layer applied to its own input", name=name)
    losses = layer.losses
    expect.holds(
        isinstance(losses, list | tuple) and len(losses) == 1,
        because="one term added to the loss, with self.add_loss",
        seen=f"{len(losses) if isinstance(losses, list | tuple) else 0} terms",
        rung="known mistake",
    )
    expect.number(losses[0], name="the term of the loss")
    loss = float(losses[0])
    d = (drawn[0] - drawn[2]).astype(float)
    bias = (drawn[1] - drawn[3]).astype(float)
    squares = float((d**2).sum())
    for wrong, because in (
        (squares, "strength times the sum: the strength says how closely the kernels are tied"),
        (strength * squares / d.size, "the sum of the squares, not their mean"),
        (strength * (squares + float((bias**2).sum())), "the kernels alone: each task needs a bias of its own"),
        (strength * float(np.abs(d).sum()), "squared differences, not their moduli"),
        (strength * np.sqrt(squares), "the sum of the squares itself, without a root"),
        (strength * float(d.sum()), "squared differences: positive and negative ones must not cancel"),
        (
            strength * float((drawn[0].astype(float) ** 2).sum() + (drawn[2].astype(float) ** 2).sum()),
            "the difference of the kernels, not their size: this is the usual weight decay",
        ),
        (
            strength * float(sum(((a - b) ** 2).sum() for a, b in [right])),
            "the difference of the kernels, not of the outputs",
        ),
    ):
        expect.differs(loss, wrong, because=because, rtol=1e-4)
    layer.set_weights([drawn[0], drawn[1], drawn[0], drawn[3]])
    layer(x)
    same = layer.losses
    expect.close(
        float(same[0]),
        0.0,
        atol=1e-6,
        because="no penalty for equal kernels",
        name="the term of the loss",
        rung="physics",
    )
    layer.set_weights([2 * drawn[0], drawn[1], 2 * drawn[2], drawn[3]])
    layer(x)
    twice = layer.losses
    expect.close(
        float(twice[0]),
        4 * loss,
        rtol=1e-4,
        because="four times the penalty for twice the difference",
        name="the term of the loss",
        rung="physics",
    )
    expect.close(
        loss,
        strength * squares,
        rtol=1e-4,
        because="strength times the sum of the squared differences",
        name="the term",
    )
    return "equal kernels cost nothing, and twice the difference costs four times as much"


def _shared(change: Callable[[Any, Any, Any, Any], Any], *, second: int = 1, terms: int = 1) -> Callable[..., Any]:
    """A wrong SoftlyShared: ``change`` makes the penalty of strength, the two layers and the two outputs."""

    def softly_shared(units: int, strength: float) -> Any:
        import keras

        class Pair(keras.layers.Layer):
            def __init__(self) -> None:
                super().__init__()
                self.first = keras.layers.Dense(units, activation="relu")
                self.second = keras.layers.Dense(units, activation="relu")

            def build(self, input_shapes: Any) -> None:
                self.first.build(input_shapes[0])
                self.second.build(input_shapes[second])

            def call(self, inputs: Any) -> Any:
                made = (self.first(inputs[0]), self.second(inputs[second]))
                for _ in range(terms):
                    self.add_loss(change(strength, self.first, self.second, made))
                return made

        return Pair()

    return softly_shared


def _total(value: Any) -> Any:
    import keras

    return keras.ops.sum(value)


def _mean(value: Any) -> Any:
    import keras

    return keras.ops.mean(value)


def _one_layer(units: int, strength: float) -> Any:
    import keras

    class Same(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.first = keras.layers.Dense(units, activation="relu")

        def build(self, input_shapes: Any) -> None:
            self.first.build(input_shapes[0])

        def call(self, inputs: Any) -> Any:
            return self.first(inputs[0]), self.first(inputs[1])

    return Same()


SoftlyShared.hints = (
    "self.first(inputs[0]) and self.second(inputs[1]) are the two outputs; after that the layers have the attribute "
    "kernel.",
    "keras.ops.sum adds all entries of a tensor; the difference of the kernels squared is an array like them.",
    "self.add_loss(self.strength * keras.ops.sum((one kernel - the other)**2)), then return the pair of outputs.",
)
SoftlyShared.mistakes = {
    "no strength": (_shared(lambda s, a, b, out: _total((a.kernel - b.kernel) ** 2)), "how closely"),
    "mean": (_shared(lambda s, a, b, out: s * _mean((a.kernel - b.kernel) ** 2)), "not their mean"),
    "biases tied as well": (
        _shared(lambda s, a, b, out: s * (_total((a.kernel - b.kernel) ** 2) + _total((a.bias - b.bias) ** 2))),
        "the kernels alone",
    ),
    "not squared": (_shared(lambda s, a, b, out: s * _total(a.kernel - b.kernel)), "must not cancel"),
    "weight decay": (
        _shared(lambda s, a, b, out: s * (_total(a.kernel**2) + _total(b.kernel**2))),
        "the usual weight decay",
    ),
    "outputs compared": (_shared(lambda s, a, b, out: s * _total((out[0] - out[1]) ** 2)), "not of the outputs"),
    "one input for both": (
        _shared(lambda s, a, b, out: s * _total((a.kernel - b.kernel) ** 2), second=0),
        "second input",
    ),
    "no penalty": (_shared(lambda s, a, b, out: 0.0, terms=0), "one term added"),
    "one layer for both": (_one_layer, "both used"),
}

# --- M11.2a -----------------------------------------------------------------------------------------------


def _array(random: np.random.Generator, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    arrival = random.normal(0.0, 3e-6, (n, 5, 5, 1))
    trace = random.exponential(3.0, (n, 5, 5, 80))
    silent = random.uniform(size=(n, 5, 5)) < 0.3
    arrival[silent], trace[silent] = np.nan, np.nan
    return arrival, trace


@task("M11.2a", section="11.3")
def break_stations(student: Any, random: np.random.Generator) -> str:
    arrival, trace = _array(random)
    seed, limit, dead = int(random.integers(1, 10_000)), 6.0, 0.25
    loud = np.isfinite(arrival[..., 0])
    answer = student(arrival, trace, dead, limit, seed)
    expect.is_tuple(answer, 2, name="arrival times, traces")
    expect.shape(answer[0], arrival.shape, name="the arrival times")
    expect.shape(answer[1], trace.shape, name="the traces")
    times, traces = answer
    alive = np.isfinite(times[..., 0])
    heard = np.isfinite(traces)
    for values, name in ((times[..., 0][loud], "arrival times"), (traces[loud], "traces")):
        expect.holds(
            np.mean(values == 0) < 0.05,
            because="NaN for a dead station, as for a silent one: zero would be a measurement",
            seen=f"{np.mean(values == 0):.0%} of the {name} are zero",
            rung="known mistake",
        )
    expect.holds(
        not (alive & ~loud).any() and not heard[~loud].any(),
        because="silent stations silent: a defect adds nothing",
        seen="signals where there were none",
        rung="known mistake",
    )
    share = 1 - alive[loud].mean()
    tolerance = 5 * np.sqrt(dead * (1 - dead) / loud.sum())
    gone = 1 - heard[loud].mean()
    expect.holds(
        abs(gone - (1 - dead)) > tolerance or abs(share - (1 - dead)) > tolerance,
        because="dead is the probability to be dead, not that to survive",
        seen=f"{share:.0%} of the stations are dead, for dead = {dead:.0%}",
        rung="known mistake",
    )
    expect.holds(
        np.array_equal(heard.all(axis=-1), heard.any(axis=-1)),
        because="a station is dead with all bins of its trace, not single bins of it",
        seen=f"{gone:.0%} of the bins are missing, here and there",
        rung="known mistake",
    )
    expect.holds(
        np.array_equal(alive, heard.all(axis=-1)),
        because="a dead station sends neither a time nor any bin of a trace: the same stations in both arrays",
        seen=f"{share:.0%} of the times and {gone:.0%} of the bins are missing",
        rung="known mistake",
    )
    pattern = alive | ~loud
    expect.holds(
        len({row.tobytes() for row in pattern}) > 40,
        because="other stations dead in each shower",
        seen="the same stations dead in many showers",
        rung="known mistake",
    )
    expect.holds(
        abs(share - dead) < tolerance,
        because="each station dead with the probability that is given",
        seen=f"{share:.1%} of the stations are dead, for dead = {dead:.0%}",
    )
    seen = np.where(heard, traces, 0.0)
    expect.at_most(
        seen.max(),
        limit * (1 + 1e-6),
        because="no bin above the limit: each bin is clipped",
        name="the largest bin",
        rung="known mistake",
    )
    kept = heard & (np.nan_to_num(trace) <= limit)
    expect.holds(
        np.allclose(traces[kept], trace[kept]),
        because="bins below the limit as they were: a saturated bin leaves the others alone",
        seen="bins below the limit have changed",
        rung="known mistake",
    )
    high = heard & (np.nan_to_num(trace) > limit)
    expect.holds(
        np.allclose(traces[high], limit),
        because="the limit itself in a saturated bin: a too small signal, not a missing one",
        seen="bins that saturate show something else than the limit",
        rung="known mistake",
    )
    expect.close(
        times[alive],
        arrival[alive],
        because="the times of living stations as they were",
        name="the times",
        rung="physics",
    )
    nothing = student(arrival, trace, 0.0, 1e9, seed)
    expect.holds(
        np.array_equal(nothing[0], arrival, equal_nan=True) and np.allclose(nothing[1], trace, equal_nan=True),
        because="no change without defects: dead = 0 and a limit above all bins",
        seen="arrays that differ from those given",
    )
    everything = student(arrival, trace, 1.0, limit, seed)
    expect.holds(
        np.isnan(everything[0]).all(), because="all stations dead for dead = 1", seen="stations that are still alive"
    )
    again, other = student(arrival, trace, dead, limit, seed), student(arrival, trace, dead, limit, seed + 1)
    expect.holds(
        np.array_equal(again[0], times, equal_nan=True) and not np.array_equal(other[0], times, equal_nan=True),
        because="the same stations for the same seed, and others for another one",
        seen="stations that do not follow the seed",
    )
    shares = np.where(np.arange(len(arrival)) < 40, 0.0, 1.0).reshape(-1, 1, 1)
    mixed = np.isfinite(student(arrival, trace, shares, limit, seed)[0][..., 0])
    expect.holds(
        np.array_equal(mixed[:40], loud[:40]) and not mixed[40:].any(),
        because="a probability for each shower as well: dead of shape (n, 1, 1)",
        seen="an array of probabilities is not followed",
    )
    return f"{share:.0%} of the stations dead, {np.mean(traces[heard] == limit):.0%} of the bins saturated"


def _breaking(
    *,
    fill: float = np.nan,
    both: bool = True,
    common: bool = False,
    survive: bool = False,
    above: str = "limit",
    fixed: bool = False,
    bins: bool = False,
) -> Callable[..., Any]:
    """A wrong break_stations()."""

    def break_stations(arrival: np.ndarray, trace: np.ndarray, dead: Any, limit: float, seed: int) -> Any:
        draw = np.random.default_rng(1 if fixed else seed)
        u = draw.random(arrival.shape[:3] if not common else (1, *arrival.shape[1:3]))
        gone = np.broadcast_to((u > dead) if survive else (u < dead), arrival.shape[:3])
        new_times, new_traces = arrival.copy(), trace.copy()
        with np.errstate(invalid="ignore"):
            high = new_traces > limit
        if above == "limit":
            new_traces[high] = limit
        elif above == "missing":
            new_traces[high] = np.nan_to_num(0.5 * limit)
        elif above == "scaled":
            factor = np.minimum(1.0, limit / np.nan_to_num(new_traces, nan=1.0).max(axis=-1, keepdims=True))
            new_traces *= factor
        if both:
            new_times[gone] = np.where(np.isfinite(new_times[gone]), fill, np.nan) if fill == 0 else fill
        if bins:
            new_traces[draw.random(trace.shape) < np.asarray(dead)[..., None]] = np.nan
        else:
            new_traces[gone] = np.where(np.isfinite(new_traces[gone]), fill, np.nan) if fill == 0 else fill
        return new_times, new_traces

    return break_stations


break_stations.hints = (
    "np.random.default_rng(seed).uniform(size=...) < dead is True for a share `dead` of the entries; draw one number "
    "for "
    "each station of each shower.",
    "np.where(condition, np.nan, values) puts NaN where the condition holds; condition[..., np.newaxis] gives it the "
    "last axis.",
    "np.minimum(trace, limit) clips the bins and keeps NaN. Do it before the dead stations are taken out.",
)
break_stations.mistakes = {
    "zeros": (_breaking(fill=0.0), "zero would be a measurement"),
    "traces only": (_breaking(both=False), "0% of the times"),
    "the same in all showers": (_breaking(common=True), "other stations dead in each shower"),
    "probability to survive": (_breaking(survive=True), "not that to survive"),
    "no saturation": (_breaking(above="kept"), "no bin above the limit"),
    "trace scaled down": (_breaking(above="scaled"), "leaves the others alone"),
    "saturated bins lost": (_breaking(above="missing"), "the limit itself"),
    "seed ignored": (_breaking(fixed=True), "do not follow the seed"),
    "single bins dead": (_breaking(bins=True), "not single bins"),
}

quiz(
    "M11.1-q1",
    question="Two tasks have nothing in common. Which coupling do you expect to find best in a scan?",
    options=(
        "Hard sharing: it has the fewest parameters.",
        "A very strong soft coupling.",
        "None or a weak one: each task then has its own features.",
        "It cannot be said: sharing always regularises.",
    ),
    answer=3,
    explanation="Sharing assumes that the features of one task help the other. If they do not, the tasks compete for "
    "the "
    "common part. The strength of the coupling is a hyperparameter, to be chosen with validation data.",
)
quiz(
    "M11.2-q1",
    question="A network trained with 10 % dead stations is used at an array where 10 % of the stations are dead, "
    "always the same "
    "ones. What is best?",
    options=(
        "Train with exactly these stations dead: what is known should be used.",
        "Train with perfect detectors.",
        "It makes no difference.",
        "Fill the dead stations with the mean of their neighbours.",
    ),
    answer=1,
    explanation="Random defects make a network robust against all of them; a known, lasting defect is better put into "
    "the "
    "simulation as it is.",
)
