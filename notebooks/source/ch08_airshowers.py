# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 8, title: "Air showers: the energy, with a convolutional network", level: 3, minutes: 75, sections: "8.1-8.3, exercise 8.2 (online)", data: [airshower_energy], fast: {N_SHOWERS: 24000, EPOCHS: 2, EPOCHS_PLAIN: 1, EPOCHS_DENSE: 3}}
# ---
# %% [markdown]
r"""
# Air showers: the energy, with a convolutional network

**You will**

- ask what a convolution assumes about its input, and find that maps of air showers do not have it;
- give the maps the symmetry they lack, with geometry and a classical fit, and see what pooling does there, by hand;
- build and train a small convolutional network on them, which is better than the dense network of exercise 7.2 in every bin of energy;
- prove that with a paired comparison, whose errors come from the bootstrap.

**You need** `ch07_airshowers` (the data, resolution and bias, the bootstrap) and exercise 8.1 (convolution, global average pooling).
**Time:** about 75 minutes. The cells themselves run in a minute and a half.

**You will see** a network of 8500 parameters beat one of 190 000 in every bin, and that the architecture is not the reason.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.simulators import airshower

check = checks.start("ch08_airshowers")

import itertools

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_SHOWERS = 50_000  # training, validation and test together
EPOCHS = 6
EPOCHS_PLAIN = 3  # of the convolutional network on plain maps
EPOCHS_DENSE = 6  # of the dense network on physics maps
EDGES = np.geomspace(3, 100, 7)  # EeV

# %% [markdown]
r"""
## Exercise 8.2: the same showers

14 x 14 stations, 750 m apart; each registers an arrival time and a signal, or stays silent. The energy is to be found. In exercise 7.2 a dense network did it from three maps: time, logarithm of the signal, loud or silent. Its functions are borrowed here, from the reference solution.
"""

# %%
dense = check.trained("7.2")
data = datasets.load_airshower_energy(
    N_SHOWERS, seed=check.seed, raw=True, test=0.24, validation=0.02
)
training_scale = check.catch_up("7.2a")
network_input = check.catch_up("7.2b")
scale = training_scale(data.x_train["time"], data.x_train["signal"])
true = data.y_test.astype(float)
plain_test = network_input(**data.x_test, scale=scale)


def output(model, maps):
    """What a network says, (n,): its output has the shape (n, 1), and the last axis must go."""
    return model.predict(maps, batch_size=1000, verbose=0)[:, 0].astype(float)


by_dense = 10 ** np.mean(
    [output(dense, view) for view in airshower.square_views(plain_test)], axis=0
)
bias, bias_error, sigma, sigma_error = metrics.resolution_in_bins(by_dense, true, EDGES)
centres = np.sqrt(EDGES[1:] * EDGES[:-1])
print("dense network of exercise 7.2, mean of eight views")
for row in zip(centres, sigma, sigma_error, bias, bias_error, strict=True):
    print(
        "{:5.1f} EeV: resolution {:.2%} +- {:.2%}, bias {:+.2%} +- {:.2%}".format(*row).replace(
            "%", " %"
        )
    )

# %% [markdown]
r"""
**A trap on the way.** The output of a network with one node has the shape $(n, 1)$, the energies have $(n,)$. Their difference is a matrix of $n \times n$ differences, of every prediction with every truth, and its standard deviation looks like a number one might believe. The metrics of the
official solution did this as soon as Keras 3 no longer made both columns. (The losses of Keras take care of it; functions that you write yourself do not.)
"""

# %%
column = by_dense[:, np.newaxis].astype("float32")  # as it comes out of a network
row = true.astype("float32")
for name, difference in [
    ("column minus row", column[:2000] - row[:2000]),
    ("row minus row", column[:2000, 0] - row[:2000]),
]:
    print(
        f"{name:18s} shape {difference.shape!s:13s} 'resolution' {float(keras.ops.std(difference)):6.2f} EeV"
    )

# %%
check.quiz("8.2-q1")

# %% [markdown]
r"""
## What a convolution assumes

A convolution uses the same filter everywhere: *what a pattern means does not depend on where it is*. Global pooling goes further: where it was is forgotten. For spins on a torus that is exactly true. For these maps it is not. A signal of 100 particles means a small shower when the shower axis passes 800 m away, and a
large one at 2000 m. What counts is the distance from the axis, and that is not a property of the neighbourhood.

See what happens. A network in the manner of the official solution (convolutions, pooling, global pooling) gets the three maps of exercise 7.2.

**Predict** its resolution around 13 EeV; that of the dense network is printed above.
"""

# %%
check.predict(
    "8.2-plain",
    None,
    question="Relative resolution around 13 EeV of a convolutional network with global average pooling, in per cent?",
)

# %%
plain_train = network_input(**data.x_train, scale=scale)
target = np.log10(data.y_train)
plain = keras.Sequential(
    [
        keras.Input((14, 14, 3)),
        layers.Conv2D(24, 3, activation="relu"),
        layers.AveragePooling2D(2),
        layers.Conv2D(48, 3, activation="relu"),
        layers.Conv2D(64, 1, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(64, activation="relu"),
        layers.Dense(1),
        layers.Rescaling(0.44, 1.24),
    ]
)
n_batches = -(-len(plain_train) // 128)
plain.compile(
    keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.004, EPOCHS_PLAIN * n_batches)),
    "mse",
    steps_per_execution=20,
)
plain.fit(plain_train, target, batch_size=128, epochs=EPOCHS_PLAIN, verbose=0)
by_plain = 10 ** np.mean(
    [output(plain, view) for view in airshower.square_views(plain_test)], axis=0
)
del plain_train
plain_result = metrics.resolution_in_bins(by_plain, true, EDGES)
print(f"resolution at {centres[2]:.0f} EeV: {plain_result.resolution[2]:.1%}")
check.confront("8.2-plain", 100 * plain_result.resolution[2], unit="%")

# %% [markdown]
r"""
## Maps with a symmetry

Physicists have a description in which all stations are alike. In the plane perpendicular to the shower axis the signal depends on the distance $r$ from the axis alone; at least nearly, since particles on the far side of an inclined shower have crossed a little more air. And it is proportional to the energy:

$$S(\vec x) \approx E \cdot f(r), \qquad r^2 = |\vec d\,|^2 - (\vec d \cdot \vec u)^2, \qquad \vec d = \vec x - \vec x_\mathrm{core},$$

with $\vec u$ the unit vector towards the arrival direction. In these coordinates every station tells its own estimate of the energy by the same law. So the same small function may be applied at every station, with shared weights, and the average over the stations is the right thing to do: a convolution with global
average pooling.

Direction, core and a first energy come from the classical method of exercise 7.2, times first, then signals. The network is left with the correction: $\lg(E / E_\mathrm{fit})$.

**Your task.** Make six maps for each shower:

| map | content |
|---|---|
| 0 | $\left(\lg \frac{\max(S - 96,\, 1)}{E_\mathrm{fit}} - 2\right) / 1.5$, and 0 for a silent station; $S - 96$ are the particles without the pedestal, $E_\mathrm{fit}$ in EeV |
| 1 | 1 for a loud station, 0 for a silent one |
| 2 | $\lg(r / \mathrm{km})$, with $r$ at least 0.1 km |
| 3 | $\vec d \cdot \vec u$ in units of 2 km: positive on the side from which the shower comes |
| 4 | $(\cos\theta - 0.75) \cdot 4$, the same for all stations; $\cos\theta$ is the third component of $\vec u$ |
| 5 | $(\lg E_\mathrm{fit} - 1.24) / 0.44$, the same for all stations |

The stations lie in the plane of the ground, so $\vec d$ has no third component. `airshower.station_positions("cartesian")` returns their places, (14, 14, 2) in metres.
"""


# %% task="8.2a" points=3
def physics_maps(signal, axis, core, energy):
    """Maps in which all stations obey the same law.

    signal: (n, 14, 14), particles, NaN where silent; axis: (n, 3), unit vectors; core: (n, 2), m; energy: (n,), EeV.
    Returns (n, 14, 14, 6), float32, without NaN.
    """
    ### BEGIN SOLUTION
    offset = airshower.station_positions("cartesian") - core[:, None, None]
    towards = np.einsum("nijk,nk->nij", offset, axis[:, :2])
    distance = np.sqrt(np.maximum((offset**2).sum(-1) - towards**2, 100.0**2))
    found = np.broadcast_to(energy[:, None, None], signal.shape)
    particles = np.maximum(signal - 96, 1)
    six = [
        np.nan_to_num((np.log10(particles / found) - 2) / 1.5),
        ~np.isnan(signal),
        np.log10(distance / 1000),
        towards / 2000,
        np.broadcast_to(4 * (axis[:, 2, None, None] - 0.75), signal.shape),
        (np.log10(found) - 1.24) / 0.44,
    ]
    return np.stack(six, axis=-1, dtype="float32", casting="unsafe")
    ### END SOLUTION


# %% check="8.2a"
check("8.2a", physics_maps)

# %%
physics_maps = check.catch_up("8.2a", physics_maps)


def fitted(part):
    """Direction, core and energy by the classical method."""
    time, signal = part["time"][..., 0], part["signal"][..., 0]
    axis = airshower.plane_fit(time, signal, array="cartesian")
    core, energy = airshower.energy_fit(signal, axis, array="cartesian")
    return axis, core, energy


train_fit, test_fit = fitted(data.x_train), fitted(data.x_test)
maps_train = physics_maps(data.x_train["signal"][..., 0], *train_fit)
maps_test = physics_maps(data.x_test["signal"][..., 0], *test_fit)
correction = np.log10(data.y_train / train_fit[2]).astype("float32")
by_fit = test_fit[2]
calibrated = (
    by_fit * 10 ** correction.mean()
)  # its bias of 3 % taken off: no network needed for that
print(f"correction lg(E / E_fit): {correction.mean():+.4f} +- {correction.std():.4f}")

# %%
chosen = np.flatnonzero(np.abs(test_fit[0][:, 2] - 0.8) < 0.02)[:400]
loud = maps_test[chosen, ..., 1] > 0
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
shade = np.broadcast_to(np.log10(true[chosen])[:, None, None], loud.shape)[loud]
signal_there = data.x_test["signal"][chosen, ..., 0][loud]
points = left.scatter(
    10 ** maps_test[chosen, ..., 2][loud], signal_there, c=10**shade, s=2, norm="log"
)
right.scatter(
    10 ** maps_test[chosen, ..., 2][loud],
    10 ** (1.5 * maps_test[chosen, ..., 0][loud] + 2),
    c=10**shade,
    s=2,
    norm="log",
)
left.set(xscale="log", yscale="log", ylabel="signal (particles)", title="as measured")
right.set(
    yscale="log", xscale="log", ylabel="signal / E (1/EeV)", title="divided by the fitted energy"
)
for axis in (left, right):
    axis.set(xlabel="distance from the axis (km)", xlim=(0.09, 6))
    axis.set_xticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    axis.minorticks_off()
bar = figure.colorbar(points, ax=[left, right], label="true energy (EeV)")
bar.set_ticks([3, 10, 30, 100], labels=["3", "10", "30", "100"])
bar.minorticks_off()
figure.suptitle("In the right coordinates all stations of all showers follow one law")
plotting.show(
    "Signals of loud stations against the distance from the shower axis, for showers of one zenith angle. As "
    "measured they fill a broad band sorted by energy; divided by the fitted energy they fall on one line that widens at the threshold.",
    figure,
)

# %% [markdown]
r"""
### Pooling, by hand

The right figure is a network already. At each station, one function of what the maps say there, $v = \lg S - p(\lg r, \cos\theta)$ with a polynomial $p$ that the training showers determine, is this station's vote for $\lg E$. The same function at each station is a convolution with a filter of 1 x 1. To get one energy, the votes are *pooled*.
**Average pooling** lets every station vote, and $n$ votes with independent errors have an error smaller by $\sqrt n$. **Max pooling** listens to the loudest: right for "is there a cat somewhere?", and for an energy the choice of the largest error upwards.
"""


# %%
def terms(maps):
    """Powers of lg r and cos(zenith), for a polynomial of second degree."""
    r, c = maps[..., 2], maps[..., 4]
    return np.stack([np.ones_like(r), r, r**2, c, c * r, c**2], axis=-1)


def clear(maps, signal):
    """Stations far from the threshold, and not next to the axis where the signal is cut off."""
    return (np.nan_to_num(signal) > 300) & (maps[..., 2] > -0.6)


few = slice(0, 4000)
train_signal, test_signal = data.x_train["signal"][few, ..., 0], data.x_test["signal"][..., 0]
used = clear(maps_train[few], train_signal)
vote_target = np.log10((train_signal - 96) / data.y_train[few, None, None])[used]
polynomial = np.linalg.lstsq(terms(maps_train[few])[used], vote_target)[0]
votes = np.log10(np.maximum(test_signal - 96, 1)) - terms(maps_test) @ polynomial
votes = np.where(clear(maps_test, test_signal), votes, np.nan)
single = 10 ** (votes - np.log10(true)[:, None, None]) - 1
print(f"{np.isfinite(votes).sum() / len(votes):.1f} votes a shower")
print(f"a single vote:    resolution {np.nanstd(single):.1%}, bias {np.nanmean(single):+.1%}")
pooled = {"average": np.nanmean(votes, axis=(1, 2)), "maximum": np.nanmax(votes, axis=(1, 2))}
pooled = {
    name: metrics.resolution_in_bins(10**value, true, [3, 100], seed=check.seed)
    for name, value in pooled.items()
}
for name, (b, b_error, s, s_error) in pooled.items():
    print(
        f"pooled by {name}: resolution {100 * s[0]:.2f} +- {100 * s_error[0]:.2f} %, bias {100 * b[0]:+.2f} +- {100 * b_error[0]:.2f} %"
    )
check.claim(
    "E8.2", pooled["average"].resolution[0], at_most=0.07, wrong=pooled["maximum"].resolution[0]
)

# %% [markdown]
r"""
Six fitted numbers and an average. The average is better than a single vote by less than the square root of their number: the votes of a shower are not independent, since the height of its maximum changes all of them together.
"""

# %%
check.quiz("8.2-q2")

# %% [markdown]
r"""
### The network

**Your task.** Build a convolutional network from maps (14, 14, `channels`) to one number: a first convolution of 3 x 3, one or more further convolutions (1 x 1 is enough, and cheap: the same dense layer at each station), global average pooling, one hidden dense layer, one linear output. At most 20 000 parameters.
"""


# %% task="8.2b" points=2
def build_cnn(channels):
    """A convolutional network from maps (14, 14, channels) to one number, output (n, 1). Returns a model, not compiled."""
    ### BEGIN SOLUTION
    inputs = keras.Input((14, 14, channels))
    x = layers.Conv2D(24, 3, activation="relu")(inputs)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 1, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(1)(x))
    ### END SOLUTION


# %% check="8.2b"
check("8.2b", build_cnn)

# %% [markdown]
r"""
**Your task.** Train it: the target is the correction divided by 0.02, its typical size, so that the network works with numbers of order one; the loss is the mean squared error. Batches of 128, Adam with a learning rate that falls from 0.003 to zero over all steps. Return a model that predicts the correction itself:
put `layers.Rescaling(0.02)` behind the network.
"""


# %% task="8.2c" points=2 covers="E8.2"
def train_cnn(maps, correction, epochs):
    """Train a convolutional network to predict the correction lg(E / E_fit), and return it.

    maps: (n, 14, 14, channels); correction: (n,). The model returned predicts the correction, (n, 1).
    """
    ### BEGIN SOLUTION
    model = keras.Sequential([build_cnn(maps.shape[-1]), layers.Rescaling(0.02)])
    total_steps = epochs * int(np.ceil(len(maps) / 128))
    decay = keras.optimizers.schedules.CosineDecay(0.003, total_steps)
    network = model.layers[0]
    network.compile(keras.optimizers.Adam(decay), loss="mse", steps_per_execution=20)
    network.fit(maps, correction / 0.02, batch_size=128, epochs=epochs, verbose=0)
    return model
    ### END SOLUTION


# %% check="8.2c"
check("8.2c", train_cnn)

# %%
build_cnn = check.catch_up("8.2b", build_cnn)
train_cnn = check.catch_up("8.2c", train_cnn)
cnn = train_cnn(maps_train, correction, EPOCHS)
by_cnn = by_fit * 10 ** output(cnn, maps_test)

# %% [markdown]
r"""
Is it the convolution, or is it the maps? A fair test needs the fourth corner: a *dense* network on the same physics maps.
"""

# %%
dense_physics = keras.Sequential(
    [
        keras.Input((14, 14, 6)),
        layers.Flatten(),
        *[layers.Dense(nodes, activation="silu") for nodes in (128, 64)],
        layers.Dense(1),
    ]
)
dense_physics.compile(
    keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.001, EPOCHS_DENSE * n_batches)),
    "mse",
    steps_per_execution=50,
)
dense_physics.fit(maps_train, 50 * correction, batch_size=128, epochs=EPOCHS_DENSE, verbose=0)
print(
    f"parameters: dense {dense_physics.count_params()}, convolutional {build_cnn(6).count_params()}, "
    f"dense of exercise 7.2 {dense.count_params()}"
)
by_dense_physics = by_fit * 10 ** (output(dense_physics, maps_test) / 50)

found = {
    "baseline: fit, calibrated": calibrated,
    "dense, plain maps (7.2)": by_dense,
    "convolution, plain maps": by_plain,
    "dense, physics maps": by_dense_physics,
    "convolution, physics maps": by_cnn,
}
results = {
    name: metrics.resolution_in_bins(value, true, EDGES, seed=check.seed)
    for name, value in found.items()
}
print(f"{'':28s}" + "".join(f"{centre:6.1f} EeV  " for centre in centres) + "   all, in EeV")
for name, result in results.items():
    cells = [
        f"{100 * v:5.2f}+-{100 * e:.2f}"
        for v, e in zip(result.resolution, result.resolution_error, strict=True)
    ]
    print(f"{name:28s}" + " ".join(cells) + f" %   {(found[name] - true).std():.2f}")
print("bias")
for name, result in results.items():
    cells = [
        f"{100 * v:+5.2f}+-{100 * e:.2f}"
        for v, e in zip(result.bias, result.bias_error, strict=True)
    ]
    print(f"{name:28s}" + " ".join(cells) + " %")

# %%
plotting.resolution_and_bias(
    EDGES,
    results,
    dashed=["baseline: fit, calibrated"],
    title="Physics in the maps counts for more than the architecture",
)

# %% [markdown]
r"""
The official solution, a convolutional network with 287 000 parameters and 50 epochs, reports 9.2 % at 4 EeV and 4.2 % at 75 EeV, on its own data of the same content.

### A paired comparison

Is the convolutional network really better than the dense one *in every bin*? Both have seen the same test showers, and a shower whose maximum lies unusually deep is hard for both. So the difference of the two resolutions is known better than the two errors suggest, if it is computed in pairs: in each bootstrap sample
draw *showers*, and compute both resolutions from the same ones.

**Your task.** Return, for each bin, the resolution of the first method minus that of the second, and the bootstrap error of this difference from 200 samples.
"""


# %% task="8.2d" points=3
def compare_resolution(first, second, true, edges, seed):
    """Difference of two relative resolutions (first minus second) in bins of the true energy, on the same showers.

    first, second, true: (n,), EeV; edges: (bins + 1,), EeV; seed: of the bootstrap.
    Returns two arrays (bins,): the difference of the standard deviations of E_predicted / E_true - 1, and its error.
    """
    ### BEGIN SOLUTION
    random = np.random.default_rng(seed)
    both = np.stack([first, second]) / true - 1
    values, uncertainties = [], []
    for low, high in itertools.pairwise(edges):
        pairs = both[:, (true >= low) & (true < high)]
        values.append(np.subtract(*pairs.std(axis=1, ddof=1)))
        lots = random.integers(pairs.shape[1], size=(200, pairs.shape[1]))
        sigmas = pairs[:, lots].std(axis=2, ddof=1)
        uncertainties.append((sigmas[0] - sigmas[1]).std(ddof=1))
    return np.array(values), np.array(uncertainties)
    ### END SOLUTION


# %% check="8.2d"
check("8.2d", compare_resolution)

# %%
compare_resolution = check.catch_up("8.2d", compare_resolution)
print("resolution minus that of the convolutional network on physics maps, paired")
differences = {}
for name in list(found)[:-1]:
    differences[name] = compare_resolution(found[name], by_cnn, true, EDGES, check.seed)
    cells = [f"{100 * v:+5.2f}+-{100 * e:.2f}" for v, e in zip(*differences[name], strict=True)]
    print(f"{name:28s}" + " ".join(cells) + " %")
own = results["convolution, physics maps"]
unpaired = np.hypot(own.resolution_error, results["dense, plain maps (7.2)"].resolution_error)
paired = differences["dense, plain maps (7.2)"][1]
print("error if the pairs were ignored: " + " ".join(f"{100 * e:.2f}" for e in unpaired) + " %")

# %%
better, uncertainty = differences["dense, plain maps (7.2)"]
official = np.interp(np.log(centres), np.log([4, 75]), [0.092, 0.042])
print(
    f"smallest gain over exercise 7.2: {100 * better.min():.2f} %, {(better / uncertainty).min():.1f} standard errors"
)
check.claim("E8.2", better.min(), at_least=0.0, wrong=-better.max())
check.claim(
    "E8.2",
    (own.resolution / official).max(),
    at_most=0.85,
    wrong=(results["convolution, plain maps"].resolution / 0.042).max(),
)
check.claim(
    "E8.2",
    np.mean(own.resolution / results["baseline: fit, calibrated"].resolution),
    at_most=0.995,
    wrong=np.mean(results["baseline: fit, calibrated"].resolution / own.resolution),
)
check.claim(
    "E8.2",
    np.abs(own.bias[1:-1]).max(),
    at_most=0.015,
    wrong=np.mean(by_fit / true - 1),
)

# %% [markdown]
r"""
**Think.** (1) The table has four networks: dense or convolutional, plain or physics maps. What does each step buy? (2) The convolutional network uses the fit; is the comparison with exercise 7.2 fair? (3) The fit knows the lateral distribution of the simulation. What would you do with real data, where nobody knows it
exactly?
"""

# %% [markdown] tags=["answer"]
r"""
(1) On plain maps sharing weights does not help: the position on the array matters, and global pooling forgets it. (The network can find the position only from the border of the loud region. With three times the steps a larger one came to 6.6 % over all energies, with eight views to 5.6 %: still no better than the dense network.) On physics maps the position is
*in* the map, as the distance from the axis, and every station obeys the same law. There the dense network and the convolutional one differ by less than a tenth of a per cent; the convolutional one does it with 8500 parameters, the dense one with 159 000. So the symmetry is what counts, and it was put in with the coordinates.
(2) It is a comparison of two methods, not of two architectures: that is why the table has all four corners. The networks on physics maps start where the fit ends, and improve its resolution by one to five per cent of its value from what it leaves unused: silent stations, better weights, the relation between slope and depth of the shower
maximum. (3) Fit the shape of the lateral distribution to the data, train the network on a simulation that was adjusted to it, and check bias and resolution on showers whose energy is known from another detector, such as fluorescence telescopes. The correction that the network applies is small, so it cannot do much harm: another
advantage of giving it the classical answer.
"""

# %% tags=["instructor"]
# Timing: (a) 20 min, (b) 10, (c) 10, (d) 15, the rest reading.
# Common mistakes: the distance on the ground in place of that from the axis; lg of a distance in metres; Flatten in place of pooling; the difference of two independent bootstraps.
# Faults of the official solution to discuss: metrics with (n,) and (n, 1) broadcast to (n, n); normalisation with the test showers; a silent station filled with the mean time; E in EeV as target; no bias beside the resolution; max pooling for a sum.
# The plain network would improve with more epochs (50 in the official solution); global pooling remains its handicap. Let a group try Flatten in its place.
# The votes by hand may be extended as homework: weights by the number of particles, the late side of inclined showers, a station's threshold.
for question, answer in [("8.2-q1", 2), ("8.2-q2", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A convolution assumes that a pattern means the same everywhere. Where it does not, choose coordinates in which it does.
- Physics as input: direction, core and a first energy from a classical fit, and a network for the correction. That is worth more here than the choice of the architecture.
- Average pooling is an average of votes; max pooling is the loudest voice.
- A fair test of an idea has all corners of the table: old and new input, old and new network.
- Compare methods on the same events, in pairs; a bootstrap of events keeps the pairs together.
- Shapes $(n,)$ and $(n, 1)$ do not subtract to $n$ differences.
"""

# %%
check.summary()
