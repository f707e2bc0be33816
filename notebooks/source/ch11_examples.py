# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 11, title: "Multi-task learning: sharing, hybrid networks, broken detectors", level: 3, minutes: 60, sections: "11.1-11.4", data: [absorbers, airshowers], fast: {N_IMPACTS: 2000, EPOCHS_IMPACTS: 6, N_SHARING: 100, N_SEEDS: 2, STRENGTHS: [0.0, 1.0], EPOCHS_SHARING: 5, N_SHOWERS: 2000, EPOCHS_SHOWERS: 8}}
# ---
# %% [markdown]
r"""
# Multi-task learning: sharing, hybrid networks, broken detectors

**You will**

- let a recurrent network summarise the trace of each sensor in ten numbers, and read two answers from them;
- share parameters between tasks the hard way and the soft way, and see what either is worth;
- build a hybrid network for the Pierre Auger Observatory: recurrent for the traces, hexagonal for the array, three answers;
- break stations on purpose, and train a network that can live with it.

**You need** LSTM layers (chapter 9), convolutions on hexagonal grids (`ch08_hexagonal`), and exercise 11.1. **Time:** about 60 minutes; the cells run in under two.

**You will see** a network that looks perfect in the laboratory fail in the field, and the same network after it has seen defects.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.layers import HexConv2D, offset_to_axial
from dlphys.simulators import airshower, series

check = checks.start("ch11_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_IMPACTS = 5_000  # falling objects: training, validation and test together
EPOCHS_IMPACTS = 14
N_SHARING = 200  # of them for the comparison of hard and soft sharing
STRENGTHS = [0.0, 1e-3, 1e-2, 1.0]
N_SEEDS = 3
EPOCHS_SHARING = 10  # each of ten passes over these objects
N_SHOWERS = 5_000
EPOCHS_SHOWERS = 10

# %% [markdown]
r"""
## Example 11.1: what fell on the absorber?

A thought experiment (Fig. 11.2a): objects fall from a tower on an opaque absorber and break up. Below it are 4 x 4 vibration sensors, and each writes a trace. Wanted are the energy $E$ of the object, the largest lateral extent $Y$ of its
pieces, and the depth $X(Y)$ of that extent.

The network is a hybrid: one *recurrent* subnetwork reads the trace of every sensor, the same weights for all sixteen, and summarises it in **ten** numbers; a *dense* common part combines the 160 numbers; two subnetworks answer, one for the energy
and one for $Y$ and $X(Y)$. Two details: eight samples are handed over in one step, which makes the sequence shorter, and the logarithm of their power with them, since traces of light and heavy objects differ by factors of a hundred.

The book would verify such a network with a transparent absorber and a camera, and with $E = mgh$. Our simulation knows $m$ and $h$; the **baseline** is the sum of the squares of all traces, which is proportional to the energy.
"""

# %%
impacts = datasets.load_absorbers(N_IMPACTS, seed=check.seed)


def blocks(x):
    """Traces (n, 16, 128) as 16 steps of 8 samples and the logarithm of their power: (n, 16, 16, 9)."""
    parts = x.reshape(len(x), 16, 16, 8)
    power = np.log((parts**2).sum(axis=-1, keepdims=True) + 1e-3)
    return np.concatenate([parts, 0.3 * power], axis=-1).astype("float32")


keras.utils.set_random_seed(check.seed)
inputs = keras.Input((16, 16, 9))
x = keras.ops.reshape(inputs, (-1, 16, 9))  # every sensor a sequence of its own: shared weights
x = layers.LSTM(10)(x)
x = keras.ops.reshape(x, (-1, 160))
x = layers.Dense(64, activation="relu")(x)
x = layers.Dense(64, activation="relu")(x)
energy = layers.Dense(1)(layers.Dense(32, activation="relu")(x))
geometry = layers.Dense(2)(layers.Dense(32, activation="relu")(x))
absorber_network = keras.Model(inputs, {"energy": energy, "geometry": geometry})

steps = EPOCHS_IMPACTS * -(-len(impacts.x_train) // 64)
absorber_network.compile(
    keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(6e-3, steps)),
    loss={"energy": "mse", "geometry": "mse"},
    loss_weights={"energy": 1 / 0.05**2, "geometry": 1 / 0.2**2},  # the precisions expected
)
absorber_network.fit(
    blocks(impacts.x_train), impacts.y_train, batch_size=64, epochs=EPOCHS_IMPACTS, verbose=0
)
answer = absorber_network.predict(blocks(impacts.x_test), batch_size=500, verbose=0)


def loudness(x):
    """Logarithm of the energy in all traces, which are in units of 20 times the noise."""
    return np.log10(series.loudness(20 * x.reshape(-1, 4, 4, 128)))


line = np.polyfit(loudness(impacts.x_train), impacts.y_train["energy"], 1)
baseline = np.polyval(line, loudness(impacts.x_test)) - impacts.y_test["energy"]
energy_error = answer["energy"][:, 0] - impacts.y_test["energy"]
geometry_error = answer["geometry"] - impacts.y_test["geometry"]
print(
    f"lg(E / J)    network {energy_error.std():.3f}, baseline {baseline.std():.3f}, spread {impacts.y_test['energy'].std():.3f}"
)
for k, name in enumerate(["extent Y", "depth X"]):
    spread = impacts.y_test["geometry"][:, k].std()
    print(
        f"{name}     network {10 * geometry_error[:, k].std():.2f} cm, spread {10 * spread:.2f} cm"
    )

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
shown = [
    ("lg(E / J)", impacts.y_test["energy"], answer["energy"][:, 0]),
    (
        "largest extent Y (cm)",
        *(10 * v[:, 0] for v in (impacts.y_test["geometry"], answer["geometry"])),
    ),
    ("its depth X (cm)", *(10 * v[:, 1] for v in (impacts.y_test["geometry"], answer["geometry"]))),
]
for axis, (name, true, found) in zip(axes, shown, strict=True):
    axis.plot(true, found, ".", ms=3, alpha=0.5)
    axis.axline((true.mean(), true.mean()), slope=1, color=plotting.INK, lw=1)
    axis.set(xlabel=f"true {name}", ylabel=f"predicted {name}")
figure.suptitle("Sixteen traces tell the energy well, the depth fairly, and the extent roughly")
plotting.show(
    "Predicted against true energy, extent and depth: narrow, wider and wide bands around the diagonal.",
    figure,
)
recurrent = next(layer for layer in absorber_network.layers if isinstance(layer, layers.LSTM))

# %% covers="X11.1"
check.claim(
    "X11.1", recurrent.count_params(), 4 * 10 * (9 + 10 + 1), wrong=16 * 4 * 10 * (9 + 10 + 1)
)
depth_spread = impacts.y_test["geometry"][:, 1].std()
check.claim("X11.1", geometry_error[:, 1].std() / depth_spread, at_most=0.8, wrong=1.0)
energy_spread = impacts.y_test["energy"].std()
check.claim("X11.1", energy_error.std() / energy_spread, at_most=0.6, wrong=1.0)

# %% [markdown]
r"""
## Section 11.1: hard and soft sharing

Two tasks $A$ and $B$ are coupled by their common objective (11.1), $L_\mathrm{tot} = L_A + \lambda L_B$, and by what their networks have in common (Fig. 11.1):

- **hard sharing**: the first layers are the same for both, and each task has a subnetwork of its own;
- **soft sharing**: each task has a network of its own, and a term of the objective keeps their parameters similar, for example
  $$L = L_A + \lambda L_B + \kappa \sum_l \lVert W_l^A - W_l^B \rVert^2 .$$
  With $\kappa = 0$ the networks are independent, with $\kappa \to\infty$ their weights become equal.

Keras has no layer for the second, so we write one: a pair of dense layers that adds the squared difference of its two kernels to the loss. Any layer may add such a term with `self.add_loss(value)`.

**Your task.** Fill in `call`: apply the two layers, and add `strength` times the sum of the squared differences of their kernels (the weights without the biases) to the loss.
"""


# %% task="M11.1a" points=2
class SoftlyShared(layers.Layer):
    """A dense layer for each of two tasks, with kernels that are drawn towards each other.

    units: nodes of each layer, with ReLU; strength: of the penalty, at least 0.
    Called with a pair of arrays, both (n, k); returns a pair, both (n, units).
    """

    def __init__(self, units, strength):
        super().__init__()
        self.strength = strength
        self.first = layers.Dense(units, activation="relu")
        self.second = layers.Dense(units, activation="relu")

    def build(self, input_shapes):
        self.first.build(input_shapes[0])
        self.second.build(input_shapes[1])

    def call(self, inputs):
        ### BEGIN SOLUTION
        outputs = self.first(inputs[0]), self.second(inputs[1])
        gap = self.first.kernel - self.second.kernel
        self.add_loss(self.strength * keras.ops.sum(gap**2))
        return outputs
        ### END SOLUTION


# %% check="M11.1a"
check("M11.1a", SoftlyShared)

# %% [markdown]
r"""
Now the comparison. The tasks are the energy and the geometry of example 11.1; to make sharing matter we take few objects, and to make it quick we give the networks 32 numbers in place of the traces: for each sensor the logarithm of its
power, and the mean time at which it came. Each point is the mean over several trainings, with its error.
"""

# %%
SoftlyShared = check.catch_up("M11.1a", SoftlyShared)


def summaries(x):
    """For each sensor the logarithm of its power, and its mean time: (n, 32), standardised below."""
    power = (x**2).reshape(len(x), 16, 16, 8).sum(axis=-1)
    total = power.sum(axis=-1)
    when = (power * np.arange(16)).sum(axis=-1) / total
    return np.concatenate([np.log(total), when], axis=1)


features = summaries(impacts.x_train)
centre, scale = features.mean(axis=0), features.std(axis=0)
goals = {
    "energy": impacts.y_train["energy"][:, np.newaxis],
    "geometry": impacts.y_train["geometry"],
}
middle = {name: (values.mean(axis=0), values.std(axis=0)) for name, values in goals.items()}
x_few = ((features - centre) / scale).astype("float32")
x_many = ((summaries(impacts.x_test) - centre) / scale).astype("float32")
y_few = {name: (values - middle[name][0]) / middle[name][1] for name, values in goals.items()}
y_many = {
    "energy": (impacts.y_test["energy"][:, np.newaxis] - middle["energy"][0]) / middle["energy"][1],
    "geometry": (impacts.y_test["geometry"] - middle["geometry"][0]) / middle["geometry"][1],
}


def softly(strength):
    """Two networks of two layers each, with tied kernels; independent for strength 0."""
    inputs = keras.Input((32,))
    pair = SoftlyShared(32, strength)([inputs, inputs])
    pair = SoftlyShared(32, strength)(list(pair))
    return keras.Model(
        inputs, {"energy": layers.Dense(1)(pair[0]), "geometry": layers.Dense(2)(pair[1])}
    )


def hard():
    """A common part of two layers."""
    inputs = keras.Input((32,))
    common = layers.Dense(32, activation="relu")(inputs)
    common = layers.Dense(32, activation="relu")(common)
    return keras.Model(
        inputs, {"energy": layers.Dense(1)(common), "geometry": layers.Dense(2)(common)}
    )


def test_losses(build, seed):
    """Mean squared errors (energy, geometry) in units of the variance, and the trained network."""
    keras.utils.set_random_seed(check.seed + seed)
    # ten passes make an epoch: to begin one takes longer than the few steps of a pass
    rows = np.tile(np.arange(seed * N_SHARING, (seed + 1) * N_SHARING), 10)
    network = build()
    steps = EPOCHS_SHARING * len(rows) // 50
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, steps)),
        loss={"energy": "mse", "geometry": "mse"},
        steps_per_execution=20,
    )
    network.fit(
        x_few[rows],
        {name: values[rows] for name, values in y_few.items()},
        batch_size=50,
        epochs=EPOCHS_SHARING,
        verbose=0,
    )
    found = network(x_many)
    return [
        float(np.mean((np.asarray(found[name]) - y_many[name]) ** 2)) for name in y_many
    ], network


soft_losses, gaps = [], []
for strength in STRENGTHS:
    runs = [
        test_losses(lambda strength=strength: softly(strength), seed) for seed in range(N_SEEDS)
    ]
    soft_losses.append([losses for losses, _ in runs])
    gaps.append(np.abs(runs[0][1].get_weights()[0] - runs[0][1].get_weights()[2]).max())
hard_runs = [test_losses(hard, seed) for seed in range(N_SEEDS)]
hard_losses = np.array([losses for losses, _ in hard_runs])
soft_losses = np.array(soft_losses)  # strength, seed, task

figure, axes = plt.subplots(1, 3, figsize=(11, 3.7))
position = np.arange(len(STRENGTHS))
for k, (axis, name) in enumerate(zip(axes, ["energy", "geometry"], strict=False)):
    mean = soft_losses[:, :, k].mean(axis=1)
    error = soft_losses[:, :, k].std(axis=1, ddof=1) / np.sqrt(N_SEEDS)
    axis.errorbar(position, mean, error, fmt="o-", capsize=3, label="soft sharing")
    value, spread = hard_losses[:, k].mean(), hard_losses[:, k].std(ddof=1) / np.sqrt(N_SEEDS)
    axis.axhspan(
        value - spread, value + spread, color=plotting.COLOURS[1], alpha=0.35, label="hard sharing"
    )
    axis.set(title=name, ylabel="test error (units of the variance)")
    axis.legend(fontsize=8)
axes[2].plot(position, gaps, "o-", color=plotting.COLOURS[2])
axes[2].set(title="how far the kernels differ", ylabel="largest difference of two weights")
for axis in axes:
    axis.set(
        xticks=position,
        xticklabels=[f"{s:g}" for s in STRENGTHS],
        xlabel="strength of the coupling",
    )
figure.suptitle(f"{N_SHARING} objects: from two networks (left) to one (right)")
plotting.show(
    "Test errors of energy and geometry against the strength of soft sharing, with the band of hard sharing, and the difference of the "
    "two kernels, which falls to nothing.",
    figure,
)

# %% covers="M11.1"
sizes = softly(0.0).count_params(), hard().count_params()
print(f"parameters: {sizes[0]} with two networks, {sizes[1]} with a common part")
check.claim(
    "M11.1",
    sizes,
    (2 * (32 * 33 + 32 * 33) + 33 + 66, 32 * 33 + 32 * 33 + 33 + 66),
    wrong=sizes[::-1],
)
check.claim("M11.1", gaps[-1] / gaps[0], at_most=0.5, wrong=1.0)

# %% [markdown]
r"""
A weak coupling does no harm and may help a little; a very strong one hinders the training, since the penalty then says more about the direction of each step than the data do. Hard sharing makes do with
half of the parameters: the geometry is as good within its errors, the energy a little worse. Sharing is a regularisation, not a miracle.
"""

# %%
check.quiz("M11.1-q1")

# %% [markdown]
r"""
## Example 11.2: the Pierre Auger Observatory

On 3000 km² in Argentina stand water tanks 1.5 km apart, on a grid of triangles. Each writes the light of the particles that cross it as a trace (Fig. 11.3), and notes when the first came. Wanted are the direction $\vec\psi$, the energy $E$, and the
depth $X$ of the maximum of the shower, which tells heavy from light nuclei.

The network of the book is a hybrid, built in three steps:

1. one **bidirectional LSTM** reads the trace of every station, with shared weights, and leaves ten numbers;
2. with the arrival times they form a map of the array, and **hexagonal convolutions** (section 8.5) combine neighbouring stations;
3. three dense subnetworks answer: direction, energy, depth.

The showers are those of the `physics` preset: four kinds of nuclei, a curved front, fluctuating numbers of muons, accidental triggers. We take the 37 stations within three steps of the centre.
"""

# %%
showers = datasets.load_airshowers(
    N_SHOWERS, seed=check.seed, preset="physics", traces=True, raw=True, test=0.2, validation=0.05
)
loudest = np.nanargmax(showers.x_test["signal"][:, :, :, 0].reshape(-1, 81), axis=1)
trace = showers.x_test["trace"].reshape(-1, 81, 80)[np.arange(len(loudest)), loudest][0]
plotting.lines(
    np.arange(80) * 25,
    {"the loudest station": trace},
    xlabel="time since the first particle (ns)",
    ylabel="signal (vertical muons per 25 ns)",
    title="A trace tells more than its sum",
)

# %% [markdown]
r"""
## Section 11.3: stations that break

Detectors do not always do what they should. Two defects, and how they look in the data:

- a station is **dead**: it sends nothing, like one that no particle has hit;
- a station is **saturated**: near the core a tank gets more light than its electronics can digitise, and every bin above a limit shows the limit.

Both can be built into the training: kill each station with some probability, and clip the traces. In a shower nothing but the stations changes.

**Your task.** Write the function that breaks stations.
"""


# %% task="M11.2a" points=2 covers="M11.2"
def break_stations(arrival, trace, dead, limit, seed):
    """Showers as an array with defects registers them.

    arrival: (n, rows, columns, 1), s; trace: (n, rows, columns, 80); NaN for stations without a signal.
    dead: probability of each station, in each shower, to be dead: a number, or an array (n, 1, 1), one for each shower.
    limit: largest value of a bin; seed: a whole number.
    Returns arrival times and traces, new arrays of the same shapes.
    """
    ### BEGIN SOLUTION
    generator = np.random.default_rng(seed)
    broken = generator.uniform(size=arrival.shape[:3]) < dead
    arrival_after = np.where(broken[..., np.newaxis], np.nan, arrival)
    return arrival_after, np.where(broken[..., np.newaxis], np.nan, np.minimum(trace, limit))
    ### END SOLUTION


# %% check="M11.2a"
check("M11.2a", break_stations)

# %% [markdown]
r"""
### The network and its two trainings

The same network is trained twice, with the same showers and as many steps: once with perfect detectors, and once with showers of which every second one has defects, in which 0 to 30 % of its stations are dead and bins end at 8 (a limit that one shower in two reaches at
its loudest station). Then both are tested with arrays that have more and more dead stations and saturate as well.
"""

# %%
break_stations = check.catch_up("M11.2a", break_stations)
LIMIT = 8.0  # signal of a bin in vertical muons
AXIS, ENERGY, DEPTH = 2.0, 0.15, 40.0  # precisions for the loss weights: degrees, relative, g/cm^2


def maps(arrival, trace):
    """Inputs of the network for the inner 37 stations in axial coordinates: 7 x 7 with masked corners."""
    when = arrival[..., 0]
    loud = np.isfinite(when)
    first = np.nanmean(when, axis=(1, 2), keepdims=True)
    total = np.log10(1 + np.nansum(np.maximum(trace, 0), axis=-1))
    times = np.stack([np.where(loud, when - first, 0) / 3e-6, loud, loud * total / 2], axis=-1)
    steps = np.nan_to_num(np.log10(1 + 100 * np.maximum(trace, 0))).reshape(*when.shape, 10, 8) / 3

    def inner(values):
        return np.ascontiguousarray(offset_to_axial(values.astype("float32"))[:, 1:-1, 1:-1])

    return {"times": inner(times), "traces": inner(steps)}


def wanted(y, extra):
    """Targets of the three subnetworks."""
    return {
        "axis": y["axis"],
        "energy": (y["energy"] - 19.25)[:, np.newaxis],
        "depth": (extra["xmax"][:, np.newaxis] - 780) / 60,
    }


def observatory_network():
    times = keras.Input((7, 7, 3), name="times")
    traces = keras.Input((7, 7, 10, 8), name="traces")
    x = keras.ops.reshape(traces, (-1, 10, 8))  # every station a sequence of its own
    x = layers.Bidirectional(layers.LSTM(5))(x)  # ten numbers
    x = keras.ops.reshape(x, (-1, 7, 7, 10))
    x = layers.Concatenate()([x * times[..., 1:2], times])  # silent stations say nothing
    for _ in range(2):
        x = HexConv2D(6, activation="relu")(x)
    x = layers.Flatten()(keras.ops.mean(x, axis=(1, 2)))  # over the stations, not the orientations
    x = layers.Dense(64, activation="relu")(x)

    def subnetwork(size):
        return layers.Dense(size)(layers.Dense(32, activation="relu")(x))

    return keras.Model(
        {"times": times, "traces": traces},
        {
            "axis": layers.UnitNormalization()(subnetwork(3)),
            "energy": subnetwork(1),
            "depth": subnetwork(1),
        },
    )


def trained_on(x, y):
    keras.utils.set_random_seed(check.seed)
    network = observatory_network()
    steps = EPOCHS_SHOWERS * -(-len(y["axis"]) // 64)
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, steps)),
        loss={"axis": "mse", "energy": "mse", "depth": "mse"},
        loss_weights={
            "axis": float(1.5 / np.radians(AXIS) ** 2),
            "energy": float((np.log(10) / ENERGY) ** 2),
            "depth": (60 / DEPTH) ** 2,
        },
    )
    network.fit(x, y, batch_size=64, epochs=EPOCHS_SHOWERS, verbose=0)
    return network


perfect = maps(showers.x_train["time"], showers.x_train["trace"])
targets = wanted(showers.y_train, showers.extra_train)
generator = np.random.default_rng(check.seed)
shares = generator.uniform(0, 0.3, len(targets["axis"])).reshape(-1, 1, 1, 1)
broken = maps(
    *break_stations(
        showers.x_train["time"], showers.x_train["trace"], shares[..., 0], LIMIT, check.seed
    )
)
some = (generator.uniform(size=len(shares)) < 0.5).reshape(-1, 1, 1, 1)
mixed = {
    "times": np.where(some, broken["times"], perfect["times"]),
    "traces": np.where(some[..., np.newaxis], broken["traces"], perfect["traces"]),
}
networks = {
    "trained with perfect detectors": trained_on(perfect, targets),
    "trained with defects": trained_on(mixed, targets),
}
print(f"{networks['trained with defects'].count_params()} parameters")

# %%
DEAD = [0.0, 0.05, 0.1, 0.2, 0.3]
truth = wanted(showers.y_test, showers.extra_test)


def tested(network, inputs):
    """Angles (degrees), relative errors of the energy, errors of the depth (g/cm^2)."""
    found = {name: np.asarray(values) for name, values in network(inputs).items()}
    return (
        airshower.opening_angle(found["axis"], truth["axis"]),
        10 ** (found["energy"] - truth["energy"])[:, 0] - 1,
        60 * (found["depth"] - truth["depth"])[:, 0],
    )


results = {name: [] for name in networks}
flawless = {}
for share in DEAD:
    inputs = maps(
        *break_stations(
            showers.x_test["time"], showers.x_test["trace"], share, LIMIT, check.seed + 1
        )
    )
    for name, network in networks.items():
        results[name].append(tested(network, inputs))
perfect_test = maps(showers.x_test["time"], showers.x_test["trace"])
for name, network in networks.items():
    flawless[name] = tested(network, perfect_test)

figure, axes = plt.subplots(1, 3, figsize=(11, 3.9))
labels = ["direction (degrees)", "energy (relative)", "depth of the maximum (g/cm²)"]
for i, (axis, label) in enumerate(zip(axes, labels, strict=True)):
    for colour, marker, name in zip(plotting.COLOURS, "os", networks, strict=False):
        values = [metrics.resolution68(found[i]) for found in results[name]]
        height, error = np.transpose(values)
        axis.errorbar(
            100 * np.array(DEAD),
            height,
            error,
            fmt=f"{marker}-",
            color=colour,
            capsize=3,
            label=name,
        )
        axis.plot(-3, metrics.resolution68(flawless[name][i])[0], marker, mfc="none", color=colour)
    if i == 2:
        spread = metrics.resolution68(60 * (truth["depth"] - truth["depth"].mean()))[0]
        axis.axhline(
            spread, color=plotting.GREY, ls="--", label="baseline: the mean of all showers"
        )
    axis.set(xlabel="dead stations (%), with saturation", ylabel=label, ylim=(0, None))
axes[0].legend(fontsize=8)
axes[2].legend(fontsize=8, loc="lower right")
figure.suptitle(
    "Perfect in the laboratory, lost in the field: train with the defects you will have (open: no defect)"
)
plotting.show(
    "Resolutions of direction, energy and depth against the percentage of dead stations. The network trained with perfect detectors gets "
    "worse quickly, the one trained with defects slowly; without defects they are similar.",
    figure,
)
print("                                  resolution (68 %) of            bias of")
print("test with                         direction  energy  depth        energy   depth")
for name in networks:
    print(name)
    for what, found in [
        ("no defects", flawless[name]),
        ("20 % dead, saturation", results[name][3]),
    ]:
        angle, energy, depth = (metrics.resolution68(values)[0] for values in found)
        bias = [metrics.mean_with_error(values) for values in found[1:]]
        print(
            f"   {what:30s} {angle:6.2f} deg  {energy:5.1%}  {depth:4.1f} g/cm2   "
            f"{bias[0][0]:+.1%} +- {bias[0][1]:.1%}   {bias[1][0]:+.1f} +- {bias[1][1]:.1f}"
        )

# %% covers="X11.2"
recurrent = next(
    layer for layer in networks["trained with defects"].layers if "bidirectional" in layer.name
)
check.claim("X11.2", recurrent.output.shape[-1], 10, wrong=5)
check.claim(
    "X11.2", recurrent.count_params(), 2 * 4 * 5 * (8 + 5 + 1), wrong=37 * 2 * 4 * 5 * (8 + 5 + 1)
)

# %% covers="X11.2 M11.2"
loss_of_precision = {
    name: np.quantile(np.abs(results[name][3][1]), 0.68)
    / np.quantile(np.abs(flawless[name][1]), 0.68)
    for name in networks
}
for name, factor in loss_of_precision.items():
    print(
        f"{name:32s} the energy is {factor:.2f} times less precise with 20 % dead stations and saturation"
    )
gain = np.divide(*loss_of_precision.values())
check.claim("X11.2", gain, at_least=1.2, wrong=1 / gain)
at_twenty = [np.quantile(np.abs(results[name][3][1]), 0.68) for name in networks]
check.claim("M11.2", at_twenty[1] / at_twenty[0], at_most=0.95, wrong=at_twenty[0] / at_twenty[1])

# %% [markdown]
r"""
Without defects the second network is the worse one: robustness has its price, since a part of the training went to defects. With defects the first network has to interpret something that it has never seen. A silent station
next to the core meant, in its world, that the shower was small. The bias shows it: it finds
the energies a third too low, and no statistical error warns of it. That is why the book asks for **verification**: at the observatory the telescopes measure some of the showers independently, and a bias in the
energy or the depth would be seen in these.
"""

# %%
check.quiz("M11.2-q1")

# %% tags=["instructor"]
# Ask for other defects: wrong clocks (shift the times of one station), reversed polarity, stations that trigger on noise. Which of them need a simulation, which can be added to finished data?
# Exercise 11.1 gives the plane fit to its network. With dead stations a fit has no difficulty: it leaves them out. Discuss what of a physicist's method is robust by construction.
check.quiz("M11.1-q1", 3)
check.quiz("M11.2-q1", 1)

# %% [markdown]
r"""
## Key points

- Hybrid networks give each kind of data the architecture it needs, and merge what they find: recurrent for traces, hexagonal for an array.
- A subnetwork shared by all sensors has the weights of one sensor.
- Hard sharing uses the same layers for all tasks; soft sharing ties layers of different networks by a penalty. Between its two ends lie two networks and one.
- What the training has not seen, a network interprets as something else, often without a sign of doubt. Build the defects of the detector into the training.
- Verify with independent measurements; look at the bias.
"""

# %%
check.summary()
