# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 11, title: "Multi-task learning: direction, core and energy of air showers", level: 2, minutes: 90, sections: "11.1, 11.5", data: [airshowers], fast: {N_SHOWERS: 9600, EPOCHS: 3, N_SHORT: 2000, EPOCHS_SHORT: 2}}
# ---
# %% [markdown]
r"""
# Multi-task learning: direction, core and energy of air showers

**You will**

- build one network that finds the direction, the position and the energy of a cosmic-ray air shower at once;
- translate "1.5 degrees, 25 m, 10 %" into mean squared errors, and these into the weights of the three losses;
- use the twelve symmetries of a triangular array, and give the network a good first guess to correct;
- see when the precisions are reached, and what happens without the weights.

**You need** dense networks (chapter 7), Keras models with several inputs and outputs, and rotation matrices. **Time:** about 90 minutes; the cells run in about two.

**You will see** the book's precisions reached after a few seconds of training, and a network that is better than the classical methods at every energy.

The book's examples 11.1 and 11.2, soft sharing of parameters, and stations that are broken or saturated stand in `ch11_examples`.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.simulators import airshower

check = checks.start("ch11_multitask")

import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_SHOWERS = 240_000  # five in six for training, one in eight for the test, the rest for validation
EPOCHS = 28
N_SHORT = 20_000  # showers for the comparison of loss weights
EPOCHS_SHORT = 8

# %% [markdown]
r"""
## Exercise 11.1: an air shower above 81 stations

A nucleus of $10^{18.5}$ to $10^{20}$ eV hits the atmosphere. Billions of particles reach the ground, in a disc that is kilometres wide, a few metres thick, and as fast as
light. Stations on a grid of triangles, 1500 m apart, note when the first particle came (*time*) and how many there were (*signal*). Wanted are three
properties of each shower:

- the direction it came from, a unit vector with 3 components (`axis`);
- the place where the axis meets the ground, 2 coordinates (`core`);
- the energy $E$, as $\lg(E/\mathrm{eV})$ (`energy`).

The maps have nine rows and nine columns in *offset coordinates* (Fig. 8.12): every second row is shifted to the right by half a step.
"""

# %%
data = datasets.load_airshowers(N_SHOWERS, seed=check.seed, raw=True, test=1 / 8, validation=1 / 24)
stations = airshower.station_positions("hexagonal").reshape(-1, 2)  # m
data

# %%
event = np.argmax(np.isfinite(data.x_test["time"][:200]).sum(axis=(1, 2, 3)))  # a large one
figure, axes = plt.subplots(1, 2, figsize=(10, 4.3))
for axis, name, values in zip(
    axes,
    ["time of the first particle (µs)", "lg(particles)"],
    [1e6 * data.x_test["time"][event].ravel(), np.log10(data.x_test["signal"][event].ravel())],
    strict=True,
):
    axis.scatter(*stations.T / 1000, s=150, marker="h", color=plotting.GREY, alpha=0.3)
    drawn = axis.scatter(*stations.T / 1000, s=150, marker="h", c=values, cmap="viridis")
    figure.colorbar(drawn, ax=axis, label=name)
    core, towards = data.y_test["core"][event] / 1000, data.y_test["axis"][event, :2]
    axis.plot(*core, "+", ms=14, mew=2, color=plotting.COLOURS[1])
    axis.annotate(
        "", core + 3 * towards, core, arrowprops={"color": plotting.COLOURS[1], "arrowstyle": "->"}
    )
    axis.set(xlabel="x (km)", ylabel="y (km)", aspect="equal")
figure.suptitle(
    f"A shower of {10 ** (data.y_test['energy'][event] - 18):.0f} EeV: cross at the core, arrow to where it came from"
)
plotting.show(
    "Two maps of 81 stations in rows that are shifted by half a step. Times rise from the side from which the shower came "
    "to the other; signals fall steeply with the distance from the core. Far stations are silent.",
    figure,
)

# %% [markdown]
r"""
### How good is a prediction?

Three numbers for each shower, in units that mean something: the angle between the true and the predicted direction, the distance of the cores, and the
relative error of the energy, $E_\mathrm{predicted}/E_\mathrm{true} - 1$. Of a sample of them we take the **68 % quantile**: what 68 % of the showers do not exceed. That is the usual
resolution of the field; a few outliers hardly change it.

A trap: $\arccos(\vec a\cdot\vec b)$ is useless for small angles. Rounding makes the product of two equal unit vectors a little larger than 1 (the arc cosine of that is
not a number), and in single precision angles below 0.02 degrees disappear altogether. With the difference $|\vec a-\vec b| = 2\sin(\alpha/2)$ nothing is lost.

**Your task.** Write the function that computes the three.
"""


# %% task="11.1a" points=2 covers="E11.1/2"
def residuals(predicted, true):
    """Angle (degrees), distance (m) and relative error of the energy for each shower.

    predicted, true: dicts with "axis" (n, 3), unit vectors; "core" (n, 2), m; "energy" (n,), lg(E / eV).
    Returns three arrays (n,): angle and distance at least 0, the energy with its sign.
    """
    ### BEGIN SOLUTION
    gap = np.linalg.norm(predicted["axis"] - true["axis"], axis=1)
    angle = np.degrees(2 * np.arcsin(np.clip(gap / 2, 0, 1)))
    apart = np.linalg.norm(predicted["core"] - true["core"], axis=1)
    return angle, apart, 10 ** (predicted["energy"] - true["energy"]) - 1
    ### END SOLUTION


# %% check="11.1a"
check("11.1a", residuals)

# %% [markdown]
r"""
### What is possible without a network

A physicist would not begin with a network. The times of a plane front are fitted by least squares (`plane_fit`), and the core lies near the centre of mass of the signals (`barycentre`).
If the fall of the signals with the distance is known, core and energy can be fitted too (`energy_fit`); this method knows the formulas of the simulation. All three are **baselines**: good classical methods,
no limits. No exact limit is known here.
"""

# %%
residuals = check.catch_up("11.1a", residuals)
truth = data.y_test
maps = {name: values[..., 0] for name, values in data.x_test.items()}
plane = airshower.plane_fit(maps["time"], maps["signal"])
fitted_core, fitted_energy = airshower.energy_fit(maps["signal"], plane)
classical = {"axis": plane, "core": fitted_core, "energy": 18 + np.log10(fitted_energy)}
baseline = residuals(classical, truth)
middle = residuals({**classical, "core": airshower.barycentre(maps["signal"])}, truth)[1]


def report(name, found):
    """Resolutions with their statistical errors."""
    angle, distance, energy = (metrics.resolution68(values) for values in found)
    print(
        f"{name:22s} {angle[0]:.3f} +- {angle[1]:.3f} deg   {distance[0]:5.1f} +- {distance[1]:.1f} m   "
        f"{energy[0]:.2%} +- {energy[1]:.2%}"
    )


report("plane and energy fit", baseline)
print(f"barycentre alone                                {metrics.resolution68(middle)[0]:.0f} m")

# %% [markdown]
r"""
## Preparing the showers

**Let the network correct.** The plane fit is nearly perfect in what it uses, the times. What it ignores are the signals: they depend on the direction as well, since the axis is
surrounded by circles, which an inclined shower projects on the ground as ellipses. So the network gets the fitted axis and the barycentre as inputs and has to predict what to
*add*. The times enter as deviations from the plane, in units of their error.

**Twelve symmetries.** Turning the array by 60 degrees, or reflecting it, maps stations on stations. A network that does not know this has to learn each shower twelve times. We turn every shower such
that the fitted axis points into the sector between 0 and 30 degrees, and the network sees one of the twelve only; afterwards its answer is turned back.
(Chapter 8 has another way: convolutions that turn their filters, `ch08_hexagonal`.)

**Your task.** Find the twelve symmetries: rotations by multiples of 60 degrees, and the same after a reflection at the x axis. For each return the matrix $M$ and the order in which the
stations have to be read, so that `positions[order] @ M.T` is `positions` again.
"""


# %% task="11.1b" points=2
def symmetries(positions):
    """The twelve rotations and reflections that map a triangular array around (0, 0) on itself.

    positions: (n, 2), m, a hexagon of stations 1500 m apart.
    Returns matrices (12, 2, 2) and orders (12, n), whole numbers: positions[orders[k]] @ matrices[k].T equals positions.
    """
    ### BEGIN SOLUTION
    matrices, orders = [], []
    for mirror in (1.0, -1.0):
        for turn in np.radians(60) * np.arange(6):
            c, s = np.cos(turn), np.sin(turn)
            matrix = np.array([[c, -s], [s, c]]) @ np.diag([1.0, mirror])
            moved = positions @ matrix.T
            gaps = np.linalg.norm(positions[:, np.newaxis] - moved, axis=-1)
            matrices.append(matrix)
            orders.append(gaps.argmin(axis=1))
    return np.array(matrices), np.array(orders)
    ### END SOLUTION


# %% check="11.1b"
check("11.1b", symmetries)

# %% [markdown]
r"""
The showers fall within 750 m of the central station, and the precise information is in the stations around it: we take the 37 stations at most three steps from the centre. (The fits have used all 81.) For each of them the network gets

- $\lg N$, with the number of particles $N$ (the signal without its pedestal of 96), and 0 for a silent station;
- whether it has a signal;
- the deviation of its time from the plane, in units of the error $\sigma_t = 312\,\mathrm{ns}/(1+\lg(1+N))$.

Run the cell; there is nothing to write.
"""

# %%
symmetries = check.catch_up("11.1b", symmetries)
inner = np.flatnonzero(np.hypot(*stations.T) < 3.2 * 1500)
matrices, orders = symmetries(stations[inner])
PEDESTAL, TIME_ERROR, LIGHT = 96.5, 312e-9, 299_792_458.0  # particles, s, m/s


def prepare(x, y):
    """Inputs and targets of the network, turned; and the matrix (n, 2, 2) that turned each shower."""
    time_map, signal_map = x["time"][..., 0], x["signal"][..., 0]
    axis, core = airshower.plane_fit(time_map, signal_map), airshower.barycentre(signal_map)
    # which symmetry brings the axis into the sector between 0 and 30 degrees
    azimuths = np.arctan2(
        *np.einsum("kij,nj->ikn", matrices, axis[:, :2])[::-1]
    )  # of the twelve images
    chosen = np.argmin(np.abs(azimuths - np.radians(15)), axis=0)
    turn = matrices[chosen]

    def turned(vectors):
        """The first two components turn with the array, the third one stays."""
        flat = np.einsum("nij,nj->ni", turn, vectors[:, :2])
        return np.concatenate([flat, vectors[:, 2:]], axis=1)

    read = inner[orders[chosen]]
    times = np.take_along_axis(time_map.reshape(-1, 81), read, axis=1)
    signals = np.take_along_axis(signal_map.reshape(-1, 81), read, axis=1)
    axis, core = turned(axis), turned(core)
    loud = np.isfinite(times)
    particles = np.where(loud, np.maximum(signals - PEDESTAL, 1), 1)
    weight = loud * (1 + np.log10(1 + particles)) / TIME_ERROR
    late = np.where(loud, times + axis[:, :2] @ stations[inner].T / LIGHT, 0)
    late -= ((weight**2 * late).sum(1) / np.maximum((weight**2).sum(1), 1))[:, np.newaxis]
    features = [
        (np.log10(particles) - 2.5) * loud,
        loud,
        np.clip(late * weight, -5, 5),
    ]
    inputs = {
        "stations": np.concatenate(features, axis=1).astype("float32"),
        "axis": axis.astype("float32"),
        "core": (core / 750).astype("float32"),
    }
    targets = {
        "axis": turned(y["axis"]).astype("float32"),
        "core": (turned(y["core"]) / 750).astype("float32"),
        "energy": (y["energy"][:, np.newaxis] - 19.25).astype("float32"),
    }
    return inputs, targets, turn


x_train, y_train, _ = prepare(data.x_train, data.y_train)
x_validation, y_validation, turn_validation = prepare(data.x_validation, data.y_validation)
x_test, y_test, turn_test = prepare(data.x_test, data.y_test)
print({name: values.shape for name, values in x_train.items()})
print({name: values.shape for name, values in y_train.items()})

# %% [markdown]
r"""
As in the book the core is in units of 750 m, and 19.25 is subtracted from $\lg(E/\mathrm{eV})$. All pairs of showers that are images of each other now look the same:
every weight is trained with all of them.

## Part 1: one network, three answers

In **hard parameter sharing** (Fig. 11.1a) a common part computes what all tasks need, and a subnetwork for each task takes it from there. Here:

$$\text{inputs} \to \boxed{\text{common part}} \to
\begin{cases}
\boxed{\text{subnetwork}} \to \text{correction of the axis} \to \text{axis} \\
\boxed{\text{subnetwork}} \to \text{correction of the core} \to \text{core} \\
\boxed{\text{subnetwork}} \to \text{energy}
\end{cases}$$

The corrections are small, hundredths of a unit; a network likes to answer with numbers around 1. So let a last layer `layers.Rescaling(0.03)` make them small, then
`layers.Add` the first guess, and for the axis `layers.UnitNormalization` brings the length back to 1.

**Your task.** Build this network. Three dense layers of 256 nodes are a good common part, one of 64 a good subnetwork; with the activation `"silu"`, a smooth relative of ReLU, the answers become
smooth functions of the signals, too.
"""


# %% task="11.1c" points=3 covers="E11.1/1"
def build_network(n_features):
    """A common part and three subnetworks.

    Inputs, a dict: "stations" (n, n_features), "axis" (n, 3) and "core" (n, 2), the first guesses.
    Outputs, a dict: "axis" (n, 3), unit vectors; "core" (n, 2); "energy" (n, 1).
    Returns a Keras model, not yet compiled.
    """
    ### BEGIN SOLUTION
    features = keras.Input((n_features,), name="stations")
    first_axis = keras.Input((3,), name="axis")
    first_core = keras.Input((2,), name="core")

    x = layers.Concatenate()([features, first_axis, first_core])
    for _ in range(3):
        x = layers.Dense(256, activation="silu")(x)

    correction = layers.Dense(64, activation="silu")(x)
    correction = layers.Rescaling(0.03)(layers.Dense(3)(correction))
    axis = layers.UnitNormalization()(layers.Add()([first_axis, correction]))

    shift = layers.Dense(64, activation="silu")(x)
    shift = layers.Rescaling(0.1)(layers.Dense(2)(shift))
    core = layers.Add()([first_core, shift])

    energy = layers.Dense(1)(layers.Dense(64, activation="silu")(x))
    return keras.Model(
        {"stations": features, "axis": first_axis, "core": first_core},
        {"axis": axis, "core": core, "energy": energy},
    )
    ### END SOLUTION


# %% check="11.1c"
check("11.1c", build_network)

# %% [markdown]
r"""
## Part 2: from precisions to loss weights

With several tasks the objectives are added up, each with a weight (11.1):

$$L = \lambda_\mathrm{axis} L_\mathrm{axis} + \lambda_\mathrm{core} L_\mathrm{core} + \lambda_\mathrm{energy} L_\mathrm{energy}, \qquad
L_\bullet = \frac{1}{n\,k}\sum_{\text{showers}}\sum_{j=1}^{k}(\hat y_j - y_j)^2 .$$

A sum of squared angles and squared metres has no meaning by itself. It gets one if each loss is measured by what we want to reach: $\lambda_\bullet = 1/L_\bullet^\mathrm{target}$. All three terms are then 1 when
the goal is reached. What are the targets, for 1.5 degrees, 25 m and 10 %? Three steps, and in each something is easily lost:

1. *From a 68 % quantile to the standard deviation $\sigma$ of one coordinate.* Angle and distance are lengths of two-dimensional errors. If both coordinates are Gaussian,
$P(r < R) = 1 - e^{-R^2/2\sigma^2}$, so $R_{68} = \sigma\sqrt{-2\ln 0.32} = 1.51\,\sigma$. For the energy, with one coordinate, $R_{68} = 0.9945\,\sigma$.
2. *From the sample to the loss.* Keras takes the mean over all $k$ components of an output. A direction has two coordinates that can be wrong (across the axis, both with $\sigma$ in
radians), but the loss divides their sum of squares by the **three** components of the vector. The core has two of two, the energy one.
3. *Units.* The core is in units of 750 m. The energy is a logarithm to the base 10: a relative error $\delta$ is $\delta/\ln 10$ there.

**Your task.** Return the three mean squared errors that belong to given precisions.
"""


# %% task="11.1d" points=2 covers="E11.1/2"
def target_losses(angle, distance, energy):
    """Mean squared errors that belong to 68 % precisions.

    angle: degrees; distance: m; energy: relative error, 0.1 for 10 %.
    Returns a dict with the keys "axis", "core" and "energy".
    """
    ### BEGIN SOLUTION
    two_dimensional = np.sqrt(-2 * np.log(0.32))
    return {
        "axis": 2 / 3 * (np.radians(angle) / two_dimensional) ** 2,
        "core": (distance / 750 / two_dimensional) ** 2,
        "energy": (energy / np.log(10) / 0.9945) ** 2,
    }
    ### END SOLUTION


# %% check="11.1d"
check("11.1d", target_losses)

# %%
target_losses = check.catch_up("11.1d", target_losses)
targets = target_losses(1.5, 25, 0.1)
weights = {name: float(1 / value) for name, value in targets.items()}
for name, value in targets.items():
    print(f"{name:7s} target {value:.2e}, weight {weights[name]:6.0f}")

# %%
check.quiz("11.1-q1")

# %% [markdown]
r"""
**Predict.** The plane fit reaches 0.86 degrees. What will the network reach that may correct it?
"""

# %%
check.predict(
    "11.1-angle",
    None,
    question="Which angular resolution (68 % quantile, degrees) will the network reach?",
)

# %% [markdown]
r"""
### The training

**Your task.** Compile and fit the network. The loss is the mean squared error for each output; `loss_weights` takes the dict of the $\lambda$. Choose Adam with a learning rate that begins near $3\cdot10^{-3}$ and falls to zero as a
cosine (`keras.optimizers.schedules.CosineDecay`), and batches of about 500 showers. For small networks Keras spends much of its time between the steps: `steps_per_execution=20` in `compile` lets it do twenty in one go.
"""


# %% task="11.1e" points=3 covers="E11.1/2"
def train_network(model, x_train, y_train, x_validation, y_validation, weights, epochs, callbacks):
    """Compile ``model`` with the loss weights (a dict, or None for none), fit it, and return it.

    x, y: dicts of arrays, named as the inputs and outputs of the model; callbacks: a list for `fit`, may be empty.
    """
    ### BEGIN SOLUTION
    n_batch = 500
    steps = epochs * -(-len(x_train["axis"]) // n_batch)
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, steps, warmup_target=3e-3, warmup_steps=steps // 20
    )
    model.compile(
        keras.optimizers.Adam(schedule),
        loss={"axis": "mse", "core": "mse", "energy": "mse"},
        loss_weights=weights,
        steps_per_execution=20,
    )
    model.fit(
        x_train,
        y_train,
        batch_size=n_batch,
        epochs=epochs,
        validation_data=(x_validation, y_validation),
        validation_batch_size=2000,
        callbacks=callbacks,
        verbose=0,
    )
    return model
    ### END SOLUTION


# %%
def predicted(model, x, turn):
    """Answers of the network, turned back: unit vectors, m, lg(E / eV)."""
    answer = model.predict(x, batch_size=2000, verbose=0)
    axis, core = answer["axis"].astype(float), 750 * answer["core"].astype(float)
    back = np.einsum("nji,nj->ni", turn, axis[:, :2])  # the inverse of a rotation is its transpose
    return {
        "axis": np.concatenate([back, axis[:, 2:]], axis=1),
        "core": np.einsum("nji,nj->ni", turn, core),
        "energy": 19.25 + answer["energy"][:, 0].astype(float),
    }


class Watch(keras.callbacks.Callback):
    """After each epoch: the time used for training so far, and the resolutions for the validation showers."""

    def __init__(self):
        super().__init__()
        self.seconds, self.reached = [], []

    def on_train_begin(self, logs=None):
        self.used, self.start = 0.0, time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.used += time.process_time() - self.start
        found = residuals(predicted(self.model, x_validation, turn_validation), data.y_validation)
        self.seconds.append(self.used)
        self.reached.append([metrics.resolution68(values)[0] for values in found])
        self.start = time.process_time()


build_network = check.catch_up("11.1c", build_network)
network, watch = None, Watch()  # until train_network is written
keras.utils.set_random_seed(check.seed)
network = train_network(
    build_network(x_train["stations"].shape[1]),
    x_train,
    y_train,
    x_validation,
    y_validation,
    weights,
    EPOCHS,
    [watch],
)

# %% check="11.1e"
check("11.1e", train_network, result=network)

# %%
train_network = check.catch_up("11.1e", train_network)
if network is None:
    watch = Watch()
    network = train_network(
        build_network(x_train["stations"].shape[1]),
        x_train,
        y_train,
        x_validation,
        y_validation,
        weights,
        EPOCHS,
        [watch],
    )
reached = np.array(watch.reached)
names = ["direction (degrees)", "core (m)", "energy (relative)"]
goals = [1.5, 25, 0.1]
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
for i, (axis, name) in enumerate(zip(axes, names, strict=True)):
    axis.plot(watch.seconds, reached[:, i], "o-", ms=4, label="network")
    axis.axhline(goals[i], color=plotting.INK, lw=1, label="the book's goal")
    axis.axhline(
        metrics.resolution68(baseline[i])[0],
        color=plotting.COLOURS[1],
        ls="--",
        label="baseline: plane fit" if i == 0 else "baseline: energy fit",
    )
    axis.set(xscale="log", yscale="log", xlabel="processor time of the training (s)", ylabel=name)
    for line in (axis.xaxis, axis.yaxis):
        line.set_major_formatter(plt.FormatStrFormatter("%g"))
        line.set_minor_formatter(plt.FormatStrFormatter("%g"))
    axis.tick_params(which="minor", labelsize=8)
    axis.legend(fontsize=8)
figure.suptitle("The goals are reached within seconds; later direction and energy pass the fits")
plotting.show(
    "Resolution against processor time in three panels, falling curves: "
    + "; ".join(
        f"{n} from {r[0]:.3g} to {r[-1]:.3g}" for n, r in zip(names, reached.T, strict=True)
    ),
    figure,
)
done = np.flatnonzero((reached < goals).all(axis=1))
if len(done):
    print(
        f"all goals reached after {watch.seconds[done[0]]:.0f} s of processor time, epoch {done[0] + 1}"
    )

# %% [markdown]
r"""
### The test

The test showers have not been used so far. A resolution never comes without its **bias**, the mean error: a method that finds all energies 5 % too high may have a small spread. For the direction these are the mean
deviations of the zenith angle and, along the horizon, of the azimuth; for the core those of both coordinates.
"""

# %%
found = predicted(network, x_test, turn_test)
result = residuals(found, truth)
report("network", result)
report("plane and energy fit", baseline)
check.confront("11.1-angle", metrics.resolution68(result[0])[0], unit="degrees")


def zenith_and_azimuth(axis):
    """In degrees."""
    return np.degrees(np.arccos(np.clip(axis[:, 2], -1, 1))), np.degrees(
        np.arctan2(*axis[:, 1::-1].T)
    )


print("\nbias                  network                  fits")
(zenith, azimuth), sine = zenith_and_azimuth(truth["axis"]), np.hypot(*truth["axis"][:, :2].T)
errors = {}
for name, answer in [("network", found), ("fits", classical)]:
    its_zenith, its_azimuth = zenith_and_azimuth(answer["axis"])
    around = (its_azimuth - azimuth + 180) % 360 - 180
    shift = answer["core"] - truth["core"]
    energy_error = residuals(answer, truth)[2]
    errors[name] = {
        "zenith (deg)": its_zenith - zenith,
        "azimuth (deg)": around * sine,
        "core x (m)": shift[:, 0],
        "core y (m)": shift[:, 1],
        "energy (%)": 100 * energy_error,
    }
for quantity in errors["network"]:
    columns = [metrics.mean_with_error(errors[name][quantity]) for name in errors]
    print(
        f"{quantity:15s}"
        + "".join(f"   {value:+8.3f} +- {error:.3f}   " for value, error in columns)
    )

# %%
edges = np.linspace(18.5, 20, 6)
centres = (edges[1:] + edges[:-1]) / 2
which = np.clip(np.digitize(truth["energy"], edges) - 1, 0, 4)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.8))
for i, axis in enumerate(axes):
    for j, (name, values) in enumerate([("network", result[i]), ("baseline", baseline[i])]):
        inside = [metrics.resolution68(values[which == b]) for b in range(5)]
        label = name if j == 0 else ["baseline: plane fit", "baseline: energy fit"][min(i, 1)]
        height, error = np.transpose(inside)
        axis.errorbar(
            centres,
            height,
            error,
            fmt=["o-", "s--"][j],
            color=plotting.COLOURS[j],
            capsize=3,
            label=label,
        )
    axis.set(xlabel="lg(E / eV)", ylabel=names[i], ylim=(0, None))
    axis.legend(fontsize=8)
figure.suptitle("The direction is better than that of the plane fit at every energy")
plotting.show(
    "Resolutions of direction, core and energy in five bins of the energy, for the network and the fits. All improve with the energy.",
    figure,
)

random = np.random.default_rng(check.seed)
print("direction, lg(E / eV)   network    plane fit   network / plane fit")
for b in range(5):
    ours, theirs = result[0][which == b], baseline[0][which == b]
    draws = random.integers(
        0, len(ours), (400, len(ours))
    )  # the same showers for both: a paired bootstrap
    ratios = np.quantile(ours[draws], 0.68, axis=1) / np.quantile(theirs[draws], 0.68, axis=1)
    ratio = np.quantile(ours, 0.68) / np.quantile(theirs, 0.68)
    print(
        f"   {edges[b]:.1f} to {edges[b + 1]:.1f}        {np.quantile(ours, 0.68):.3f} deg   "
        f"{np.quantile(theirs, 0.68):.3f} deg   {ratio:.3f} +- {ratios.std():.3f}"
    )

# %% [markdown] tags=["answer"]
r"""
**What the comparison says.** The book's goals are reached within the first seconds. In the end the network beats the plane fit at every energy, and that is not trivial: for a plane front with Gaussian errors the fit is the best that
can be done *with the times*. The gain comes from the signals, which the fit ignores. The energy is better than that of the energy fit, although that one knows the formulas of the simulation: the network has learnt
how the energy, the direction and the depth of the shower hang together, and weighs the stations better. The fit remains a little ahead at the core.

The official solution, on other showers from a similar generator, reached 0.79 degrees, 14.7 m and 5.1 % after 38 minutes on a processor (with a bias of the energy of about 3 %, not reported).
"""

# %%
check.quiz("11.1-q2")

# %% [markdown]
r"""
## Part 3: with and without the weights

What do the weights change? We train the same network again on a part of the showers, three times: with the weights; without ($\lambda = 1$); and with the core in metres instead of units of 750 m and no weights,
which is what happens if one takes the data as they come.

A loss curve cannot be read if it is a sum of unlike things, so we plot each task by itself, as a precision. That is the calculation of part 2 backwards.

**Your task.** Turn the mean squared errors into 68 % precisions, in degrees, metres, and as a relative error.
"""


# %% task="11.1f" points=1 covers="E11.1/3"
def precisions(axis_loss, core_loss, energy_loss):
    """68 % precisions that belong to mean squared errors: the inverse of `target_losses`.

    axis_loss, core_loss, energy_loss: numbers or arrays, as `fit` reports them (core in units of 750 m, lg E).
    Returns angle (degrees), distance (m) and relative error of the energy.
    """
    ### BEGIN SOLUTION
    two_dimensional = np.sqrt(-2 * np.log(0.32))
    return (
        np.degrees(two_dimensional * np.sqrt(1.5 * np.asarray(axis_loss))),
        750 * two_dimensional * np.sqrt(np.asarray(core_loss)),
        0.9945 * np.log(10) * np.sqrt(np.asarray(energy_loss)),
    )
    ### END SOLUTION


# %% check="11.1f"
check("11.1f", precisions)

# %%
precisions = check.catch_up("11.1f", precisions)
few_x = {name: values[:N_SHORT] for name, values in x_train.items()}
few_y = {name: values[:N_SHORT] for name, values in y_train.items()}
settings = {
    "weights from the goals": weights,
    "no weights": None,
    "no weights, core in metres": {"axis": 1.0, "core": 750.0**2, "energy": 1.0},
}
curves = {}
for name, its_weights in settings.items():
    keras.utils.set_random_seed(check.seed)
    model = train_network(
        build_network(x_train["stations"].shape[1]),
        few_x,
        few_y,
        x_validation,
        y_validation,
        its_weights,
        EPOCHS_SHORT,
        [],
    )
    history = model.history.history
    curves[name] = {
        part: precisions(*(history[f"{part}{task}_loss"] for task in ("axis", "core", "energy")))
        for part in ("", "val_")
    }

figure, axes = plt.subplots(1, 3, figsize=(11, 3.8))
epochs = np.arange(1, EPOCHS_SHORT + 1)
for i, axis in enumerate(axes):
    for colour, (name, its) in zip(plotting.COLOURS, curves.items(), strict=False):
        axis.plot(epochs, its["val_"][i], "o-", ms=4, color=colour, label=name)
        axis.plot(epochs, its[""][i], ":", color=colour)
    axis.axhline(goals[i], color=plotting.INK, lw=1)
    axis.set(yscale="log", xlabel="epoch", ylabel=names[i])
    axis.yaxis.set_major_formatter(plt.FormatStrFormatter("%g"))
    axis.yaxis.set_minor_formatter(plt.FormatStrFormatter("%g"))
    axis.tick_params(axis="y", which="minor", labelsize=8)
axes[0].legend(fontsize=8, title="validation; dotted: training", title_fontsize=8)
figure.suptitle(
    "Good units do half of the work; with the core in metres the energy is lost (line: the goal)"
)
plotting.show(
    "Precision against epoch for direction, core and energy. "
    + "; ".join(
        f"{name}: {its['val_'][0][-1]:.2f} degrees, {its['val_'][1][-1]:.0f} m, {its['val_'][2][-1]:.1%}"
        for name, its in curves.items()
    ),
    figure,
)
print("after the training             direction     core    energy")
for name, its in curves.items():
    angle, distance, energy = (values[-1] for values in its["val_"])
    print(f"{name:28s} {angle:7.3f} deg {distance:7.1f} m {energy:8.2%}")

# %% [markdown] tags=["answer"] covers="E11.1/3"
r"""
**Interpretation.** *No weights.* The goals are $2\cdot10^{-4}$, $5\cdot10^{-4}$ and $2\cdot10^{-3}$: in the units chosen the three losses differ by a factor of ten only, with the energy as the largest. Its
curve is the same as with weights; the core, which counts for a quarter of what it should, lags behind by some per cent. That is all, and for two reasons. Who measures the core in units of half a spacing and the energy as a
logarithm has done most of the weighting already. And Adam divides each step by the size of the gradient, so that the layers which only one task uses learn at their usual pace; the tasks compete for the common part alone.

*Core in metres.* The loss of the core is now half a million times larger, and the common part works for the core alone. The core gains a metre or two, and the energy is worse by more than a factor of two: it never comes near its goal. This is what
weights are for, and the usual state of raw data.

*The direction* hardly moves in so short a training: the plane fit has given it, and what the signals add is learnt later (part 2).

A factor of two in a weight changes little, a factor of thousands a lot. No gap opens between training and validation (the dotted curves are means over an epoch, in which the network was still worse). The curves are made of mean squares, which see outliers, and so lie a little
above the quantiles of part 2.
"""

# %%
check.quiz("11.1-q3")

# %% tags=["instructor"]
# Timing: (a) 10 min, (b) 15, (c) 20, (d) 20, (e) 10, (f) 5. Let the groups compute (d) on paper first: every factor lost there is in the official solution.
# Discussion: (1) Why a dense network and no convolution? The cores lie within half a step of the central station: the same pattern never occurs at two places, so there is
# nothing to share between places; what can be shared are the twelve symmetries.
# (2) The jump of the turned inputs at azimuths of 0 and 30 degrees: is it harmful? No: a reflection maps both sides on each other.
for question, answer in [("11.1-q1", 2), ("11.1-q2", 4), ("11.1-q3", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A multi-task network has a common part and a subnetwork for each task; its loss is a weighted sum (11.1).
- Weights follow from the precisions that are wanted: $\lambda = 1/L^\mathrm{target}$. Mind the number of components, the meaning of 68 % in one and two dimensions, the units, and the logarithm.
- Without weights the task with the largest numbers gets the common part. Good units prevent the worst.
- Physics comes first: a network that corrects a good fit, and sees showers turned into one sector, learns in seconds what a network without both does not learn in minutes.
- A resolution is reported with its error and its bias, beside a baseline, and for the same events.
"""

# %%
check.summary()
