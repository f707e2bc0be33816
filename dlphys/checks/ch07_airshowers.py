"""Checks of exercise 7.2: maps of air showers, a dense network for their energy, and how it is judged."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys import datasets
from dlphys.checks import expect
from dlphys.checks.engine import bar, fast, personal_seed, quiz, reference, task, trained
from dlphys.simulators import airshower

N_TRAIN, N_TEST, TRAIN_EPOCHS = 16_000, 4_000, 6
MOST_PARAMETERS = 400_000
MEAN, DEVIATION = 1.24, 0.44  # of lg(E / EeV) between 3 and 100 EeV


def _maps(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (s), signals and energies (EeV) of new showers, the maps with a last axis of length 1."""
    showers = airshower.simulate(n, seed=random, array="cartesian")
    return showers.time[..., None], showers.signal[..., None], showers.energy.astype(float)


def _toy_maps(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Made-up maps with holes, which need no simulation."""
    signal = 10 ** random.uniform(2.2, 6.0, (n, 14, 14, 1))
    time = random.normal(2e-7, 1.5e-6, (n, 14, 14, 1))
    silent = random.random((n, 14, 14, 1)) < 0.7
    time[silent] = signal[silent] = np.nan
    return time, signal


# --- 7.2a -------------------------------------------------------------------------------------------------


@task("7.2a", section="5.5")
def training_scale(student: Any, random: np.random.Generator) -> str:
    time, signal = _toy_maps(40, random)
    answer = student(time, signal)
    expect.is_tuple(answer, 4, name="mean, deviation, smallest, largest")
    names = ("the mean time", "the deviation of the times", "the smallest logarithm", "the largest logarithm")
    for value, name in zip(answer, names, strict=True):
        expect.number(value, name=name)
    t, s = time[~np.isnan(time)], signal[~np.isnan(signal)]
    filled = np.nan_to_num(time)
    expect.differs(
        answer[0], filled.mean(), because="the mean of the loud stations: silent ones have no time at all", rtol=1e-3
    )
    expect.differs(answer[1], t.var(), because="a standard deviation, not its square", rtol=1e-3)
    expect.differs(answer[3], np.log(1 + s.max()), because="lg, the logarithm to the base 10: np.log10", rtol=1e-3)
    expect.differs(answer[3], s.max(), because="the logarithms of the signals, not the signals", rtol=1e-3)
    expect.differs(
        answer[3],
        np.log10(1 + s.max()) - np.log10(1 + s.min()),
        because="smallest and largest themselves; their difference is taken later",
        rtol=1e-3,
    )
    expect.differs(answer[2], 0.0, because="the smallest logarithm of the loud stations, not 0", atol=1e-9)
    wanted = (t.mean(), t.std(), np.log10(1 + s.min()), np.log10(1 + s.max()))
    for value, right, name in zip(answer, wanted, names, strict=True):
        expect.close(value, right, rtol=1e-3, name=name, because=f"{name} over all loud stations of all showers")
    return "four parameters, learnt from the training showers as weights are"


def _scale(
    *, fill: bool = False, square: bool = False, log: Callable[[Any], Any] = np.log10, span: bool = False
) -> Callable[..., Any]:
    def training_scale(time: np.ndarray, signal: np.ndarray) -> Any:
        t = np.nan_to_num(time) if fill else time[~np.isnan(time)]
        s = log(1 + signal[~np.isnan(signal)])
        return t.mean(), t.var() if square else t.std(), s.min(), s.max() - s.min() if span else s.max()

    return training_scale


def _with_nan(time: np.ndarray, signal: np.ndarray) -> Any:
    return time.mean(), time.std(), signal.min(), signal.max()


training_scale.hints = (
    "np.nanmean, np.nanstd, np.nanmin and np.nanmax pass over NaN.",
    "The logarithm of NaN is NaN: np.log10(1 + signal) can be taken of the whole array.",
    "Return the four numbers in the order mean, deviation, smallest, largest.",
)
training_scale.mistakes = {
    "NaN taken along": (_with_nan, "a finite number"),
    "silent stations as time 0": (_scale(fill=True), "silent ones have no time"),
    "variance": (_scale(square=True), "not its square"),
    "natural logarithm": (_scale(log=np.log), "to the base 10"),
    "signals without logarithm": (_scale(log=lambda s: s - 1), "not the signals"),
    "range instead of the largest": (_scale(span=True), "difference is taken later"),
}

# --- 7.2b -------------------------------------------------------------------------------------------------


@task("7.2b", section="5.5")
def network_input(student: Any, random: np.random.Generator) -> str:
    time, signal = _toy_maps(6, random)
    scale = (float(random.uniform(-1e-6, 1e-6)), float(random.uniform(1e-6, 2e-6)), 2.0, 7.0)
    maps = student(time, signal, scale)
    expect.shape(maps, (6, 14, 14, 3), name="the maps")
    expect.dtype(maps, "float32", name="the maps")
    expect.finite(maps, name="the maps")
    loud = ~np.isnan(signal[..., 0])
    t = np.where(loud, (time[..., 0] - scale[0]) / scale[1], 0.0)
    s = np.where(loud, (np.log10(1 + signal[..., 0]) - scale[2]) / (scale[3] - scale[2]), 0.0)
    expect.differs(
        maps[..., 2], ~loud, because="1 for a loud station and 0 for a silent one: the third map is upside down"
    )
    expect.equal(
        maps[..., 2].astype(bool),
        loud,
        because="the third map says which stations are loud: 1 where there is a signal, 0 where it is NaN",
        name="the third map",
        rung="known mistake",
    )
    expect.holds(
        np.all(maps[~loud] == 0),
        because="0 in all three maps for a silent station: put the zero in after shifting and scaling",
        seen="a silent station with another entry",
        rung="known mistake",
    )
    own = student(time[:1], signal[:1], scale)
    expect.close(
        own[0],
        maps[0],
        rtol=1e-4,
        atol=1e-5,
        name="the maps of the first shower",
        because="the same maps for a shower, whichever others come with it: use the numbers in `scale`, "
        "which come from the training",
        rung="physics",
    )
    logarithm = np.where(loud, (np.log(1 + signal[..., 0]) - scale[2]) / (scale[3] - scale[2]), 0.0)
    expect.differs(maps[..., 1], logarithm, because="lg, the logarithm to the base 10", rtol=1e-3)
    linear = np.where(loud, (signal[..., 0] - scale[2]) / (scale[3] - scale[2]), 0.0)
    expect.differs(
        maps[..., 1], linear, because="the logarithm of the signal: a factor becomes a difference", rtol=1e-3
    )
    unshifted = np.where(loud, np.log10(1 + signal[..., 0]) / scale[3], 0.0)
    expect.differs(maps[..., 1], unshifted, because="0 for the smallest logarithm: subtract it before you divide")
    expect.close(maps[..., 0], t, rtol=1e-3, atol=1e-5, name="the first map", because="(time - mean) / deviation")
    expect.close(
        maps[..., 1],
        s,
        rtol=1e-3,
        atol=1e-5,
        name="the second map",
        because="lg(1 + signal), from 0 for the smallest to 1 for the largest of the training",
    )
    return "no NaN is left, and a silent station no longer looks like one that was hit at the mean time"


def _input(
    *,
    fill_first: bool = False,
    own: bool = False,
    log: Callable[[Any], Any] = np.log10,
    flag: Callable[[Any], Any] = lambda loud: loud,
    shift: bool = True,
    keep: bool = False,
    kind: str = "float32",
) -> Callable[..., Any]:
    """A network_input() with the given choices, right or wrong."""

    def network_input(time: np.ndarray, signal: np.ndarray, scale: Any) -> Any:
        loud = ~np.isnan(signal[..., 0])
        mean, deviation, low, high = scale
        t, s = time[..., 0], log(1 + signal[..., 0])
        if own:
            mean, deviation = np.nanmean(t), np.nanstd(t)
        if fill_first:
            t, s = np.nan_to_num(t), np.nan_to_num(s)
        t, s = (t - mean) / deviation, (s - low) / (high - low) if shift else s / high
        if not keep and not fill_first:
            t, s = np.nan_to_num(t), np.nan_to_num(s)
        return np.stack((t, s, flag(loud)), -1).astype(kind)

    return network_input


network_input.hints = (
    "`~np.isnan(signal)` is True for loud stations; as a number it is 1.",
    "Compute both maps with their NaN, and put zeros in at the end: np.where(heard, value, 0).",
    "np.concatenate([...], axis=-1) joins three arrays (n, 14, 14, 1) to one (n, 14, 14, 3); .astype('float32').",
)
network_input.mistakes = {
    "NaN left": (_input(keep=True), "finite numbers everywhere"),
    "double precision": (_input(kind="float64"), "float32"),
    "zeros before the scaling": (_input(fill_first=True), "after shifting and scaling"),
    "flag upside down": (_input(flag=np.logical_not), "upside down"),
    "flag always 1": (_input(flag=np.ones_like), "says which stations are loud"),
    "normalised with its own showers": (_input(own=True), "whichever others come with it"),
    "natural logarithm": (_input(log=np.log), "to the base 10"),
    "no logarithm": (_input(log=lambda s: s - 1), "a factor becomes a difference"),
    "smallest not subtracted": (_input(shift=False), "before you divide"),
}

# --- 7.2c -------------------------------------------------------------------------------------------------


@task("7.2c", section="2.2")
def resolution_and_bias(student: Any, random: np.random.Generator) -> str:
    edges = np.array([3.0, 8.0, 25.0, 100.0])
    counts = random.integers(500, 900, 3)
    true = random.uniform(np.repeat(edges[:-1], counts), np.repeat(edges[1:], counts))
    width = np.repeat([0.2, 0.1, 0.05], counts)
    shift = np.repeat([0.06, 0.02, -0.03], counts)
    tail = random.standard_t(5, len(true)) * np.sqrt(3 / 5)
    order = random.permutation(len(true))
    true, predicted = true[order], (true * (1 + shift + width * tail))[order]
    seed = int(random.integers(2**31))
    answer = student(predicted, true, edges, seed)
    names = ("the bias", "the error of the bias", "the resolution", "the error of the resolution")
    expect.is_tuple(answer, 4, name="bias, its error, resolution, its error")
    for value, name in zip(answer, names, strict=True):
        expect.shape(value, (3,), name=name)
        expect.finite(value, name=name)
    bias, bias_error, sigma, sigma_error = answer
    bins = [(true >= low) & (true < high) for low, high in itertools.pairwise(edges)]
    d = [predicted[b] / true[b] - 1 for b in bins]

    def per_bin(function: Callable[[Any], Any], values: Any) -> np.ndarray:
        return np.array([function(value) for value in values])

    right = per_bin(np.mean, d)
    expect.differs(bias, -right, because="predicted minus true: a bias above 0 means energies that are too high")
    expect.differs(
        bias,
        per_bin(np.mean, [predicted[b] - true[b] for b in bins]),
        because="relative deviations: divide by the true energy of each shower",
    )
    expect.differs(
        bias,
        per_bin(np.mean, [1 - true[b] / predicted[b] for b in bins]),
        because="the deviation over the true energy, not over the predicted one",
    )
    by_predicted = [(predicted >= low) & (predicted < high) for low, high in itertools.pairwise(edges)]
    expect.differs(
        bias,
        per_bin(np.mean, [predicted[b] / true[b] - 1 for b in by_predicted]),
        because="bins of the true energy: bins of the predicted one select showers by their error",
    )
    expect.close(bias, right, rtol=1e-5, atol=1e-9, name="the bias", because="the mean relative deviation of each bin")
    expect.differs(
        sigma,
        per_bin(lambda v: np.sqrt(np.mean(v**2)), d),
        because="the spread around the mean: the bias has a number of its own",
        rtol=2e-3,
    )
    expect.differs(
        sigma, per_bin(np.std, d) / np.sqrt(per_bin(len, d)), because="the spread of single showers, not of their mean"
    )
    expect.close(
        sigma, per_bin(np.std, d), rtol=3e-3, name="the resolution", because="the standard deviation in each bin"
    )
    for value, name in ((bias_error, "the bias"), (sigma_error, "the resolution")):
        expect.holds(
            np.all(np.asarray(value) > 1e-9),
            because="samples drawn with replacement: without it every sample is the whole bin",
            seen=f"an error of {name} that is 0",
            rung="known mistake",
        )
    n = per_bin(len, d)
    expect.holds(
        np.all(np.asarray(bias_error) < 0.4 * np.asarray(sigma)),
        because="the spread of the *results* of the samples, not of the showers in them",
        seen=f"an error of the bias of {bias_error[0]:.3g} where the resolution is {sigma[0]:.3g}",
        rung="known mistake",
    )
    expect.close(
        bias_error,
        per_bin(np.std, d) / np.sqrt(n),
        rtol=0.35,
        name="the error of the bias",
        because="for a mean the bootstrap gives about sigma / sqrt(n)",
    )
    kurtosis = per_bin(lambda v: np.mean((v - v.mean()) ** 4) / np.var(v) ** 2, d)
    gauss = per_bin(np.std, d) / np.sqrt(2 * n)
    expect.differs(
        sigma_error,
        gauss,
        because="the bootstrap: sigma / sqrt(2 n) holds for a Gaussian, and here are tails",
        rtol=5e-3,
    )
    expect.close(
        sigma_error,
        gauss * np.sqrt((kurtosis - 1) / 2),
        rtol=0.45,
        name="the error of the resolution",
        because="the standard deviation of the resolutions of 200 samples",
    )
    return "two numbers a bin, each with its error"


def _judged(
    *,
    deviation: Callable[[Any, Any], Any] = lambda p, t: p / t - 1,
    spread: Callable[[Any], Any] = lambda v: v.std(ddof=1),
    replace: bool = True,
    errors: str = "bootstrap",
    by_predicted: bool = False,
) -> Callable[..., Any]:
    """A resolution_and_bias() with the given choices, right or wrong."""

    def resolution_and_bias(predicted: Any, true: Any, edges: Any, seed: int) -> Any:
        draw = np.random.default_rng(seed)
        result = np.zeros((4, len(edges) - 1))
        where = np.digitize(predicted if by_predicted else true, edges) - 1
        for k in range(len(edges) - 1):
            v = deviation(predicted[where == k], true[where == k])
            samples = [v[draw.choice(len(v), len(v), replace=replace)] for _ in range(200)]
            of_mean, of_sigma = np.std([s.mean() for s in samples]), np.std([spread(s) for s in samples])
            if errors == "Gauss":
                of_sigma = v.std() / np.sqrt(2 * len(v))
            if errors == "showers":
                of_mean = np.mean([s.std() for s in samples])
            result[:, k] = v.mean(), of_mean, spread(v), of_sigma
        return tuple(result)

    return resolution_and_bias


resolution_and_bias.hints = (
    "`chosen = (true >= low) & (true < high)` picks the showers of a bin; the rest happens with their deviations d.",
    "`random.choice(d, size=(200, len(d)))` draws 200 samples with replacement at once, one in each row.",
    "The error of the resolution is the standard deviation of the 200 standard deviations: samples.std(axis=1).std().",
)
resolution_and_bias.mistakes = {
    "true minus predicted": (_judged(deviation=lambda p, t: 1 - p / t), "predicted minus true"),
    "in EeV": (_judged(deviation=lambda p, t: p - t), "divide by the true energy"),
    "over the prediction": (_judged(deviation=lambda p, t: 1 - t / p), "not over the predicted one"),
    "bins of the prediction": (_judged(by_predicted=True), "select showers by their error"),
    "root mean square": (_judged(spread=lambda v: np.sqrt(np.mean(v**2))), "a number of its own"),
    "error of the mean as resolution": (
        _judged(spread=lambda v: v.std() / np.sqrt(len(v))),
        "the spread of single showers",
    ),
    "without replacement": (_judged(replace=False), "with replacement"),
    "spread of the showers": (_judged(errors="showers"), "the spread of the *results*"),
    "Gaussian error": (_judged(errors="Gauss"), "here are tails"),
}

# --- 7.2d -------------------------------------------------------------------------------------------------


@task("7.2d", section="7.2")
def build_network(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(5, 14, 14, 3), is_=(5, 1))
    kinds = {layer["class_name"] for layer in model.layers}
    expect.holds(
        not any("Conv" in kind for kind in kinds),
        because="a fully-connected network: convolutions come in chapter 8",
        seen=f"layers: {', '.join(sorted(kinds))}",
        rung="known mistake",
    )
    dense = [layer for layer in model.layers if layer["class_name"] == "Dense"]
    expect.holds(
        len(dense) >= 3,
        because="at least two hidden layers and the output",
        seen=f"{len(dense)} Dense layers",
        rung="known mistake",
    )
    last = dense[-1]["config"].get("activation")
    expect.holds(
        last == "linear",
        because="one linear output node: an activation would bound it, or cut it off at 0",
        seen=f"{last} at the output",
        rung="known mistake",
    )
    expect.at_most(
        model.count_params(), MOST_PARAMETERS, because="not more than 400 000 parameters", name="their number"
    )
    maps = random.normal(size=(300, 14, 14, 3)).astype(np.float32)
    output = np.asarray(model.predict(maps))[:, 0]
    expect.holds(
        abs(output.mean() - MEAN) < 0.6 and output.std() < 3 * DEVIATION,
        because="outputs around 1.24 before any training: Rescaling(0.44, 1.24) as the last layer",
        seen=f"outputs of {output.mean():.2f} +- {output.std():.2f} for random maps",
    )
    nothing = np.asarray(model.predict(np.zeros_like(maps[:1])))[0, 0]
    odd = output + np.asarray(model.predict(-maps))[:, 0] - 2 * nothing
    expect.at_least(
        np.abs(odd).max(),
        1e-4,
        because="an activation in the hidden layers: without one the network is a single linear map",
        name="the non-linear part of the output",
    )
    shuffled = maps.reshape(300, 196, 3)[:, random.permutation(196)].reshape(maps.shape)
    expect.at_least(
        np.abs(np.asarray(model.predict(shuffled))[:, 0] - output).max(),
        1e-4,
        because="an answer that depends on which station has which signal: flatten the maps",
        name="the change of the output when stations are exchanged",
    )
    return f"{model.count_params()} parameters, each with a place of its own on the array"


def _network(
    *,
    hidden: tuple[int, ...] = (64, 64),
    activation: str | None = "relu",
    last: str | None = None,
    outputs: int = 1,
    front: str = "Flatten",
    scaled: bool = True,
) -> Callable[[], Any]:
    """A build_network() with the given choices, right or wrong."""

    def build_network() -> Any:
        import keras

        front_layer = getattr(keras.layers, front)
        begin = [front_layer(8, 3), keras.layers.Flatten()] if front == "Conv2D" else [front_layer()]
        parts = [keras.layers.Dense(n, activation) for n in hidden]
        end = [keras.layers.Rescaling(DEVIATION, MEAN)] if scaled else []
        out = keras.layers.Dense(outputs, last)
        return keras.models.Sequential([keras.Input((14, 14, 3)), *begin, *parts, out, *end])

    return build_network


build_network.hints = (
    "keras.Sequential: keras.Input((14, 14, 3)), layers.Flatten(), hidden layers, the output, the rescaling.",
    "Hidden layers with 256, 128 and 64 nodes have 185 000 parameters.",
    "The end is layers.Dense(1) without an activation, then layers.Rescaling(0.44, 1.24).",
)
build_network.mistakes = {
    "two outputs": (_network(outputs=2), "output of shape (5, 1)"),
    "convolution": (_network(front="Conv2D"), "convolutions come in chapter 8"),
    "one hidden layer": (_network(hidden=(64,)), "at least two hidden layers"),
    "ReLU at the output": (_network(last="relu"), "one linear output node"),
    "too large": (_network(hidden=(600, 200)), "400 000"),
    "no rescaling": (_network(scaled=False), "around 1.24 before any training"),
    "no activation between": (_network(activation=None), "a single linear map"),
    "mean of the maps": (_network(front="GlobalAveragePooling2D"), "which station has which signal"),
}

# --- 7.2e -------------------------------------------------------------------------------------------------


def _prepared(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs by the check's own code, so that this task can be judged in the exam edition, and energies."""
    time, signal, energy = _maps(n, random)
    return _input()(time, signal, (0.0, 1.5e-6, 2.06, 7.0)), energy


def relative_resolution(output: np.ndarray, energy: np.ndarray) -> float:
    """Spread of the relative deviation over all energies, from lg(E / EeV); wild answers stay finite."""
    ratio = 10.0 ** np.clip(np.asarray(output, float)[:, 0] - np.log10(energy), -3.0, 3.0)
    return float(np.std(ratio - 1))


@task("7.2e", section="7.2")
def train_network(student: Any, random: np.random.Generator) -> str:
    maps, energy = _prepared(N_TRAIN, random)
    model = student(maps, energy, TRAIN_EPOCHS, int(random.integers(2**31)))
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(5, 14, 14, 3), is_=(5, 1))
    new, truth = _prepared(N_TEST, random)
    output = np.asarray(model.predict(new), float)
    level = float(np.median(output))
    seen = f"the median of the output is {level:.3g}"
    expect.holds(
        level < 8, because="lg(E / EeV), not the energy itself: take np.log10", seen=seen, rung="known mistake"
    )
    expect.holds(
        not 2.4 < level < 3.4,
        because="the logarithm to the base 10, not the natural one",
        seen=seen,
        rung="known mistake",
    )
    correlation = float(np.corrcoef(output[:, 0], np.log10(truth))[0, 1]) if np.ptp(output) > 0 else 0.0
    expect.at_least(
        correlation,
        0.8,
        because="answers that rise with the energy: has the network been fitted, with each map beside its energy?",
        name="the correlation with the true lg E",
    )
    expect.loss(model, "mse", "mae", "huber", because="the mean squared error of lg E as loss")
    expect.learning_rate_fell(model, 2e-4, because="a learning rate that falls to zero over all epochs together")
    views = airshower.square_views(new[:200])
    spread = np.std([np.asarray(model.predict(view))[:, 0] for view in views], axis=0).mean()
    expect.at_most(
        spread,
        0.12,
        because="nearly the same energy for all eight views of a shower: train on random views",
        name="the spread of lg E over the views",
    )
    reached = relative_resolution(output, truth)
    expect.reaches("7.2e", reached, name=f"the relative resolution of {N_TEST} new showers")
    return f"{reached:.1%} relative resolution, after training on {N_TRAIN} showers"


@bar("7.2e", better="lower", unit="", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = reference("7.2e")(*_prepared(N_TRAIN, draw), TRAIN_EPOCHS, seed)
    new, truth = _prepared(N_TEST, draw)
    return relative_resolution(model.predict(new, batch_size=1000, verbose=0), truth)


def _training(
    *,
    target: Callable[[Any], Any] = np.log10,
    epochs_done: int | None = None,
    rate: float | None = None,
    loss: str = "mse",
    views: bool = True,
    network: Callable[[], Any] | None = None,
    shuffled: bool = False,
) -> Callable[..., Any]:
    """A train_network() with the given choices, right or wrong."""

    def train_network(maps: np.ndarray, energy: np.ndarray, epochs: int, seed: int) -> Any:
        import keras

        model = (network or _network())()
        total = epochs if epochs_done is None else epochs_done
        schedule = rate or keras.optimizers.schedules.CosineDecay(2e-3, max(1, total * -(-len(maps) // 128)))
        model.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=25)
        y = target(energy)
        y = np.random.default_rng(seed).permutation(y) if shuffled else y
        for number in range(total):
            x = airshower.random_views(maps, seed=seed + number) if views else maps
            model.fit(x, y, batch_size=128, verbose=0)
        return model

    return train_network


def _history(maps: np.ndarray, energy: np.ndarray, epochs: int, seed: int) -> Any:
    model = _network()()
    model.compile("adam", "mse")
    return model.fit(maps[:64], np.log10(energy[:64]), verbose=0)


train_network.hints = (
    "Build, compile, then a loop over the epochs: in each one `fit` on new random views of the maps.",
    "The target is np.log10(energy); the loss 'mse' compares it with the output of the network.",
    "CosineDecay(0.002, epochs * number of batches), since the schedule counts the steps of all calls of `fit`.",
)
train_network.mistakes = {
    "returns the history": (_history, "not its history"),
    "energy as target": (_training(target=lambda e: e, epochs_done=3), "not the energy itself"),
    "natural logarithm": (_training(target=np.log, epochs_done=2), "not the natural one"),
    "returned without training": (_training(epochs_done=0), "has the network been fitted"),
    "another loss": (_training(loss="mean_squared_logarithmic_error", epochs_done=1), "mean squared error of lg E"),
    "constant learning rate": (_training(rate=0.002, epochs_done=1), "over all epochs together"),
    "stops too early": (_training(epochs_done=1, network=_network(hidden=(16, 8))), "99 of 100 runs"),
}


@trained("7.2")
def dense() -> Any:
    """The network of exercise 7.2 at the settings of its notebook; chapter 8 compares with it."""
    import keras

    seed = personal_seed("ch07_airshowers")
    with contextlib.redirect_stdout(io.StringIO()):
        data = datasets.load_airshower_energy(
            24_000 if fast() else 80_000, seed=seed, raw=True, test=0.15, validation=0.025
        )
    scale = reference("7.2a")(data.x_train["time"], data.x_train["signal"])
    maps = reference("7.2b")(data.x_train["time"], data.x_train["signal"], scale)
    keras.utils.set_random_seed(seed)
    return reference("7.2e")(maps, data.y_train, 6 if fast() else 10, seed)


# --- quizzes ----------------------------------------------------------------------------------------------

quiz(
    "7.2-q1",
    question="Two networks have the same relative resolution of 6 % at 10 EeV. The first was trained on E with the "
    "mean squared error, the second on lg E. What do you expect at 4 EeV and at 75 EeV?",
    options=(
        "The same for both: the target is only another way to write the energy.",
        "The first is better at both ends, since nothing is lost in the logarithm.",
        "The first is worse at 4 EeV, and not worse at 75 EeV: its loss counts errors in EeV.",
        "The second is worse at 75 EeV, because a logarithm compresses high energies.",
    ),
    answer=3,
    explanation="The squared error in EeV is a weight E^2 on the squared relative error: (75 / 4)^2 = 350. The lowest "
    "showers hardly count.",
)
