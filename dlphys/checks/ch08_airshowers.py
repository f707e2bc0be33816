"""Checks of exercise 8.2: maps in which all stations are alike, a convolutional network, a paired comparison."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.simulators import airshower

N_TRAIN, N_TEST, TRAIN_EPOCHS = 16_000, 4_000, 3
MOST_PARAMETERS = 20_000
PEDESTAL = 96.0

# --- 8.2a -------------------------------------------------------------------------------------------------


def _geometry(axis: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance on the ground, along the axis and from it, (n, 14, 14) in m, station by station."""
    places = airshower.station_positions("cartesian")
    x = places[None, ..., 0] - core[:, 0, None, None]
    y = places[None, ..., 1] - core[:, 1, None, None]
    along = x * axis[:, 0, None, None] + y * axis[:, 1, None, None]
    ground = np.hypot(x, y)
    return ground, along, np.sqrt(np.maximum(ground**2 - along**2, 0.0))


def _showers(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Made-up signals, axes, cores and energies, which need no simulation."""
    signal = 96 + 10 ** random.uniform(1.3, 6.0, (n, 14, 14))
    signal[random.random((n, 14, 14)) < 0.6] = np.nan
    cosine, azimuth = random.uniform(0.5, 0.95, n), random.uniform(0, 2 * np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    axis = np.stack((sine * np.cos(azimuth), sine * np.sin(azimuth), cosine), axis=1)
    return signal, axis, random.uniform(-300, 300, (n, 2)), random.uniform(3, 100, n)


@task("8.2a", section="8.1")
def physics_maps(student: Any, random: np.random.Generator) -> str:
    signal, axis, core, energy = _showers(5, random)
    maps = student(signal, axis, core, energy)
    expect.shape(maps, (5, 14, 14, 6), name="the maps")
    expect.dtype(maps, "float32", name="the maps")
    expect.finite(maps, name="the maps")
    loud = ~np.isnan(signal)
    ground, along, distance = _geometry(axis, core)
    near: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-4}
    expect.close(
        maps[..., 1], loud, name="map 1", because="1 for loud stations, 0 for silent ones", rung="known mistake"
    )
    lg = np.log10(np.maximum(distance, 100.0) / 1000)
    expect.differs(
        maps[..., 2],
        np.log10(np.maximum(ground, 100.0) / 1000),
        because="the distance from the shower *axis*, not from the core on the ground: r^2 = |d|^2 - (d . u)^2",
        rtol=1e-3,
    )
    expect.differs(maps[..., 2], lg + 3, because="the distance in km before the logarithm", rtol=1e-3)
    centred = np.log10(np.maximum(_geometry(axis, 0 * core)[2], 100.0) / 1000)
    expect.differs(
        maps[..., 2], centred, because="distances from the core of each shower: subtract it first", rtol=1e-3
    )
    expect.close(maps[..., 2], lg, name="map 2", because="lg(r / km), with r at least 0.1 km", **near)
    expect.differs(
        maps[..., 3],
        -along / 2000,
        because="d . u above 0 on the side from which the shower comes; d points from the core to the station",
    )
    expect.close(maps[..., 3], along / 2000, name="map 3", because="d . u in units of 2 km", **near)
    particles = np.where(loud, np.maximum(signal - PEDESTAL, 1.0), 1.0)
    lg_e = np.log10(energy)[:, None, None]

    def first(values: np.ndarray) -> np.ndarray:
        return np.where(loud, values, 0.0)

    expect.holds(
        np.all(maps[~loud][:, 0] == 0),
        because="0 for silent stations in map 0",
        seen="another entry",
        rung="known mistake",
    )
    expect.differs(
        maps[..., 0],
        first((np.log10(np.where(loud, signal, 1.0)) - lg_e - 2) / 1.5),
        because="particles without the pedestal: S - 96, at least 1",
        rtol=1e-3,
    )
    expect.differs(
        maps[..., 0],
        first((np.log10(particles) - 2) / 1.5),
        because="the signal divided by the fitted energy, so that showers of all energies look alike",
        rtol=1e-3,
    )
    expect.differs(
        maps[..., 0],
        first((np.log(particles) - lg_e - 2) / 1.5),
        because="lg, the logarithm to the base 10, of signals as of energies",
        rtol=1e-3,
    )
    louder = np.asarray(student(PEDESTAL + 3 * (signal - PEDESTAL), axis, core, 3 * energy))
    expect.close(
        louder[..., 0],
        maps[..., 0],
        name="map 0",
        because="the same map 0 when all particles and the energy are three times as many",
        rung="physics",
        **near,
    )
    expect.close(
        maps[..., 0],
        first((np.log10(particles) - lg_e - 2) / 1.5),
        name="map 0",
        because="(lg((S - 96) / E) - 2) / 1.5 for loud stations",
        **near,
    )
    steepness = np.broadcast_to((axis[:, 2, None, None] - 0.75) * 4, signal.shape)
    expect.close(maps[..., 4], steepness, name="map 4", because="(cos(zenith) - 0.75) * 4 at each station", **near)
    level = np.broadcast_to((lg_e - 1.24) / 0.44, signal.shape)
    expect.close(maps[..., 5], level, name="map 5", because="(lg E - 1.24) / 0.44 at each station", **near)
    return "turned, shifted or larger: the same law at every station"


def _maps(
    *,
    ground: bool = False,
    unit: float = 1000.0,
    sign: int = 1,
    pedestal: float = PEDESTAL,
    divide: bool = True,
    fill: bool = True,
    centred: bool = False,
    log: Callable[[Any], Any] = np.log10,
) -> Callable[..., Any]:
    """A physics_maps() with the given choices, right or wrong."""

    def physics_maps(signal: Any, axis: Any, core: Any, energy: Any) -> Any:
        flat, along, distance = _geometry(axis, 0 * core if centred else core)
        r = np.maximum(flat if ground else distance, 100.0)
        lg_e = np.log10(energy)[:, None, None] + 0 * flat
        lg_s = log(np.maximum(signal - pedestal, 1.0)) - (lg_e if divide else 0)
        first = (lg_s - 2) / 1.5
        result = np.zeros((*signal.shape, 6), np.float32)
        for k, one in enumerate((
            np.nan_to_num(first) if fill else first,
            np.isfinite(signal),
            np.log10(r / unit),
            sign * along / 2000,
            (axis[:, 2, None, None] - 0.75) * 4,
            (lg_e - 1.24) / 0.44,
        )):  # fmt: skip
            result[..., k] = one
        return result

    return physics_maps


physics_maps.hints = (
    "offset = station_positions - core[:, None, None] has the shape (n, 14, 14, 2).",
    "The product with the axis: (offset * axis[:, None, None, :2]).sum(-1). Its square is taken off the squared "
    "offset.",
    "Numbers of a shower become maps with [:, None, None] and np.broadcast_to; np.stack(..., axis=-1) at the end.",
)
physics_maps.mistakes = {
    "NaN left": (_maps(fill=False), "finite numbers everywhere"),
    "distance on the ground": (_maps(ground=True), "distance from the shower *axis*"),
    "distance in metres": (_maps(unit=1.0), "in km before the logarithm"),
    "core not subtracted": (_maps(centred=True), "from the core of each shower"),
    "axis the other way": (_maps(sign=-1), "on the side from which the shower comes"),
    "with the pedestal": (_maps(pedestal=0.0), "without the pedestal"),
    "not divided by the energy": (_maps(divide=False), "divided by the fitted energy"),
    "natural logarithm": (_maps(log=np.log), "to the base 10"),
}

# --- 8.2b -------------------------------------------------------------------------------------------------


@task("8.2b", section="8.1")
def build_cnn(student: Any, random: np.random.Generator) -> str:
    model = student(6)
    expect.is_model(model)
    expect.output_shape(model, given=(4, 14, 14, 6), is_=(4, 1))
    expect.output_shape(student(3), given=(4, 14, 14, 3), is_=(4, 1))
    expect.has_layers(model, "Conv2D", because="convolutions: filters that are the same at all stations")
    expect.has_layers(
        model,
        "GlobalAveragePooling2D",
        because="the average over all stations: each gives its vote, none a weight of its own",
    )
    expect.activation(model, is_="linear", because="one linear output: a correction has either sign")
    expect.at_most(
        model.count_params(), MOST_PARAMETERS, because="at most 20 000 parameters", name="the number of parameters"
    )
    maps = random.normal(size=(60, 14, 14, 6)).astype(np.float32)
    output = np.asarray(model.predict(maps))[:, 0]
    nothing = np.asarray(model.predict(0 * maps[:1]))[0, 0]
    odd = output + np.asarray(model.predict(-maps))[:, 0] - 2 * nothing
    expect.at_least(
        np.abs(odd).max(),
        1e-5,
        because="activations such as ReLU: without them the network is a single linear map of averages",
        name="the non-linear part of the output",
    )
    shuffled = maps.reshape(60, 196, 6)[:, random.permutation(196)].reshape(maps.shape)
    expect.at_least(
        np.abs(np.asarray(model.predict(shuffled))[:, 0] - output).max(),
        1e-5,
        because="a first filter of 3 x 3: with 1 x 1 alone no station sees its neighbours",
        name="the change of the output when stations are exchanged",
    )
    return f"{model.count_params()} parameters, the same ones at every station"


def _network(
    *,
    size: int = 3,
    filters: int = 24,
    activation: str | None = "relu",
    head: str = "GlobalAveragePooling2D",
    outputs: int = 1,
    last: str | None = None,
    convolution: bool = True,
) -> Callable[[int], Any]:
    """A build_cnn() with the given choices, right or wrong."""

    def build_cnn(channels: int) -> Any:
        import keras

        front = [keras.layers.Conv2D(filters, size, activation=activation) for _ in range(1 if convolution else 0)]
        point = [keras.layers.Conv2D(2 * filters, 1, activation=activation) for _ in front]
        return keras.Sequential(
            [
                keras.Input((14, 14, channels)),
                *front,
                *point,
                getattr(keras.layers, head)(),
                keras.layers.Dense(32, activation=activation),
                keras.layers.Dense(outputs, activation=last),
            ]
        )

    return build_cnn


build_cnn.hints = (
    "keras.Sequential or keras.Model: input, Conv2D with 3 x 3, Conv2D with 1 x 1, pooling, two dense layers.",
    "`layers.GlobalAveragePooling2D()` turns (12, 12, 64) into 64 averages over the stations.",
    "24 filters of 3 x 3, then 32 and 64 of 1 x 1, then Dense(64) with ReLU and Dense(1): about 9000 parameters.",
)
build_cnn.mistakes = {
    "two outputs": (_network(outputs=2), "output of shape (4, 1)"),
    "no convolution": (_network(convolution=False), "the same at all stations"),
    "flatten instead of pooling": (_network(head="Flatten"), "each gives its vote"),
    "ReLU at the output": (_network(last="relu"), "has either sign"),
    "too large": (_network(filters=120), "20 000"),
    "no activation": (_network(activation=None), "a single linear map of averages"),
    "stations without neighbours": (_network(size=1), "no station sees its neighbours"),
}

# --- 8.2c -------------------------------------------------------------------------------------------------


def _prepared(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Physics maps by the check's own code, and the correction that the fit would have needed."""
    showers = airshower.simulate(n, seed=random, array="cartesian")
    axis = airshower.plane_fit(showers.time, showers.signal, array="cartesian")
    core, energy = airshower.energy_fit(showers.signal, axis, array="cartesian")
    return _maps()(showers.signal, axis, core, energy), np.log10(showers.energy / energy)


def _ratio(output: np.ndarray, correction: np.ndarray) -> float:
    """Resolution after the correction over that of the fit, both calibrated to no bias; wild answers stay finite."""
    after = 10.0 ** np.clip(np.asarray(output, float)[:, 0] - correction, -1.0, 1.0)
    before = 10.0**-correction
    return float((after.std() / after.mean()) / (before.std() / before.mean()))


@task("8.2c", section="8.2")
def train_cnn(student: Any, random: np.random.Generator) -> str:
    maps, correction = _prepared(N_TRAIN, random)
    model = student(maps, correction, TRAIN_EPOCHS)
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(4, 14, 14, 6), is_=(4, 1))
    new, wanted = _prepared(N_TEST, random)
    output = np.asarray(model.predict(new), float)
    spread = float(output.std())
    expect.at_most(
        abs(float(output.mean())),
        0.2,
        because="the correction itself: the network works in units of 0.02, and Rescaling(0.02) turns them back",
        name="the mean of the output",
    )
    expect.at_least(
        spread,
        1e-4,
        because="a correction of its own for each shower",
        name="the spread of the output",
    )
    agreement = float(np.corrcoef(output[:, 0], wanted)[0, 1])
    expect.at_least(
        agreement,
        0.1,
        because="corrections in the right direction: has the network been fitted, with each map beside its correction?",
        name="the correlation with the correction needed",
    )
    expect.at_most(
        abs(float((output[:, 0] - wanted).mean())),
        0.01,
        because="energies that are right on average after the correction",
        name="the mean error of lg E",
    )
    reached = _ratio(output, wanted)
    expect.reaches("8.2c", reached, name="the resolution, over that of the calibrated fit,")
    return f"{reached:.1%} of the resolution of the calibrated fit, after training on {N_TRAIN} showers"


@bar("8.2c", better="lower", unit="", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = reference("8.2c")(*_prepared(N_TRAIN, draw), TRAIN_EPOCHS)
    new, wanted = _prepared(N_TEST, draw)
    return _ratio(model.predict(new, batch_size=1000, verbose=0), wanted)


def _training(
    *, factor: float = 50.0, back: bool = True, epochs_done: int = 1, shuffled: bool = False
) -> Callable[..., Any]:
    """A train_cnn() with the given choices, right or wrong."""

    def train_cnn(maps: np.ndarray, correction: np.ndarray, epochs: int) -> Any:
        import keras

        network = _network(filters=8)(maps.shape[-1])
        target = factor * (np.random.default_rng(1).permutation(correction) if shuffled else correction)
        network.compile(keras.optimizers.Adam(5e-3), "mse")
        if epochs_done:
            network.fit(maps[:6000], target[:6000], batch_size=64, epochs=epochs_done, verbose=0)
        return keras.Sequential([network, keras.layers.Rescaling(0.02)]) if back else network

    return train_cnn


def _history(maps: np.ndarray, correction: np.ndarray, epochs: int) -> Any:
    network = _network(filters=4)(maps.shape[-1])
    network.compile("adam", "mse")
    return network.fit(maps[:64], correction[:64], verbose=0)


def _constant(maps: np.ndarray, correction: np.ndarray, epochs: int) -> Any:
    """Learns the mean alone."""
    import keras

    mean = keras.initializers.Constant(correction.mean())
    layer = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer=mean)
    return keras.Sequential([keras.Input((14, 14, 6)), keras.layers.GlobalAveragePooling2D(), layer])


train_cnn.hints = (
    "Build the network with build_cnn(maps.shape[-1]), compile and fit it with the target correction / 0.02.",
    "A model can be a layer: keras.Sequential([network, layers.Rescaling(0.02)]) predicts the correction.",
    "Compile and fit the inner network, and return the outer one; they share their weights.",
)
train_cnn.mistakes = {
    "returns the history": (_history, "not its history"),
    "scale not undone": (_training(back=False), "Rescaling(0.02) turns them back"),
    "maps and corrections out of step": (_training(shuffled=True), "with each map beside its correction"),
    "the same for all": (_constant, "of its own for each shower"),
}

# --- 8.2d -------------------------------------------------------------------------------------------------


@task("8.2d", section="2.2")
def compare_resolution(student: Any, random: np.random.Generator) -> str:
    edges = np.array([3.0, 10.0, 30.0, 100.0])
    counts = random.integers(700, 1000, 3)
    true = random.uniform(np.repeat(edges[:-1], counts), np.repeat(edges[1:], counts))
    common, own_1, own_2 = random.normal(size=(3, len(true)))
    width = np.repeat([0.12, 0.08, 0.04], counts)
    order = random.permutation(len(true))
    first = (true * (1.03 + width * (common + 0.5 * own_1)))[order]
    second = (true * (0.98 + width * (0.8 * common + 0.3 * own_2)))[order]
    true = true[order]
    seed = int(random.integers(2**31))
    answer = student(first, second, true, edges, seed)
    expect.is_tuple(answer, 2, name="difference and error")
    for value, name in zip(answer, ("the difference", "its error"), strict=True):
        expect.shape(value, (3,), name=name)
        expect.finite(value, name=name)
    difference, error = answer
    bins = [(true >= low) & (true < high) for low, high in itertools.pairwise(edges)]
    d = [np.array([first[b] / true[b] - 1, second[b] / true[b] - 1]) for b in bins]
    wanted = np.array([one[0].std(ddof=1) - one[1].std(ddof=1) for one in d])
    expect.differs(difference, -wanted, because="first minus second", rtol=2e-3)
    expect.differs(
        difference,
        [np.sqrt((one[0] ** 2).mean()) - np.sqrt((one[1] ** 2).mean()) for one in d],
        because="standard deviations: take the bias of each method off",
        rtol=2e-3,
    )
    expect.differs(
        difference,
        [(one[0] - one[1]).std() for one in d],
        because="the difference of two resolutions, not the resolution of the difference",
        rtol=2e-3,
    )
    expect.differs(
        difference,
        [(first[b] - true[b]).std() - (second[b] - true[b]).std() for b in bins],
        because="relative deviations: divide by the true energies",
        rtol=2e-3,
    )
    expect.close(
        difference,
        wanted,
        rtol=5e-3,
        name="the difference",
        because="sigma of the first minus sigma of the second, bin by bin",
    )
    expect.holds(
        np.all(np.asarray(error) > 1e-9),
        because="samples drawn with replacement: without it every sample is the whole bin",
        seen="an error of 0",
        rung="known mistake",
    )
    both = np.array([[_spread(one[0]), _spread(one[1]), _covariance(one)] for one in d])
    independent = np.hypot(both[:, 0], both[:, 1])
    paired = np.sqrt(np.maximum(independent**2 - 2 * both[:, 2], 0.0))
    expect.holds(
        np.mean(np.asarray(error) / independent) < 0.5 * (1 + np.mean(paired / independent)),
        because="the same showers for both methods in each sample: what they share cancels",
        seen=f"errors as large as those of independent samples, {error[0]:.2g} in the first bin",
        rung="known mistake",
    )
    expect.close(error, paired, rtol=0.35, name="the error", because="the spread of the differences of 200 samples")
    return f"the pairs make the error smaller by a factor of {np.mean(independent / paired):.1f}"


def _spread(d: np.ndarray) -> float:
    """Error of a standard deviation, from the fourth moment."""
    centred = d - d.mean()
    return float(np.sqrt((np.mean(centred**4) - np.var(d) ** 2) / (4 * np.var(d) * len(d))))


def _covariance(pair: np.ndarray) -> float:
    """Covariance of two standard deviations from the same showers."""
    a, b = pair - pair.mean(axis=1, keepdims=True)
    return float((np.mean(a**2 * b**2) - np.var(a) * np.var(b)) / (4 * np.std(a) * np.std(b) * len(a)))


def _compared(
    *,
    paired: bool = True,
    replace: bool = True,
    sign: int = 1,
    deviation: Callable[[Any, Any], Any] = lambda p, t: p / t - 1,
    spread: Callable[[Any], Any] = lambda v: v.std(ddof=1),
    of_difference: bool = False,
) -> Callable[..., Any]:
    """A compare_resolution() with the given choices, right or wrong."""

    def compare_resolution(first: Any, second: Any, true: Any, edges: Any, seed: int) -> Any:
        draw = np.random.default_rng(seed)
        where = np.digitize(true, edges) - 1
        result = np.zeros((2, len(edges) - 1))
        for k in range(len(edges) - 1):
            a, b = (deviation(p[where == k], true[where == k]) for p in (first, second))

            def value(i: Any, j: Any, a: Any = a, b: Any = b) -> Any:
                return spread(a[i] - b[j]) if of_difference else sign * (spread(a[i]) - spread(b[j]))

            lots = [[draw.choice(len(a), len(a), replace=replace) for _ in range(2)] for _ in range(200)]
            samples = [value(i, i if paired else j) for i, j in lots]
            result[:, k] = value(slice(None), slice(None)), np.std(samples)
        return tuple(result)

    return compare_resolution


compare_resolution.hints = (
    "Relative deviations of both methods first, as two rows of one array; then the showers of a bin are columns.",
    "`random.integers(n, size=(200, n))` draws the numbers of the showers; use the same ones for both rows.",
    "deviations[:, numbers] has the shape (2, 200, n): standard deviations along the last axis, then first minus "
    "second, then their spread.",
)
compare_resolution.mistakes = {
    "second minus first": (_compared(sign=-1), "first minus second"),
    "independent samples": (_compared(paired=False), "the same showers for both methods"),
    "without replacement": (_compared(replace=False), "with replacement"),
    "root mean square": (_compared(spread=lambda v: np.sqrt(np.mean(v**2))), "take the bias of each method off"),
    "in EeV": (_compared(deviation=lambda p, t: p - t), "divide by the true energies"),
    "resolution of the difference": (_compared(of_difference=True), "not the resolution of the difference"),
}

# --- quizzes ----------------------------------------------------------------------------------------------

quiz(
    "8.2-q1",
    question="Predictions of shape (n, 1) minus truths of shape (n,): the standard deviation of all n x n entries is",
    options=(
        "the resolution, only computed n times over",
        "the root of the sum of both variances: the spread of predictions and of truths, however good the network is",
        "zero, because the differences cancel",
        "the resolution divided by sqrt(n)",
    ),
    answer=2,
    explanation="Every prediction meets every truth, mostly those of other showers. A perfect network and one that "
    "shuffles its answers get the same number.",
)
quiz(
    "8.2-q2",
    question="When is global max pooling the better choice?",
    options=(
        "Always: it passes the strongest signal on.",
        "When the noise of single pixels is large.",
        "When one place decides, such as one object somewhere in a picture.",
        "When the result is a sum over the picture, such as an energy.",
    ),
    answer=3,
    explanation="The maximum finds a feature wherever it is, and ignores the rest. For sums and averages, and against "
    "noise, all places should count.",
)
