# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 18, title: Calorimeter showers from a generator, level: 3, minutes: 60, sections: "18.4", data: [calorimeter_showers, cifar10], fast: {N_SHOWERS: 6000, N_IMAGES: 1000, N_COMPARED: 1000, STEPS: 160}}
# ---
# %% [markdown]
r"""
# Calorimeter showers from a generator

**You will**

- measure in which way the signals of a calorimeter are no photographs, row by row;
- build what follows from it into a generator: a logarithm, a threshold, and the energy of the particle as a factor;
- train a conditional Wasserstein GAN with electrons of 32 and 90 GeV;
- ask it for 70 GeV, an energy it has never seen, and judge the showers by observables that no loss contains.

**You need** the Wasserstein loss and its gradient penalty (`ch18_wgan`), conditional generators (`ch18_examples`), and the Keras functional API.
**Time:** about 60 minutes. The cells themselves run in about a minute.

**You will see** showers of an energy that the networks never met, with means right to a few per cent, and distances that still tell them from the simulation.
"""

# %% tags=["setup"]
import time

from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.layers import gradient_penalty
from dlphys.simulators import calorimeter

check = checks.start("ch18_calorimeter")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import stats
from tqdm import tqdm

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

THRESHOLD = 0.006  # GeV: a cell with less registers nothing
CENTRE_ENERGY = (
    32.0 * 90.0
) ** 0.5  # GeV, the middle of the training energies on a logarithmic scale

# %% tags=["parameters"]
N_SHOWERS = 10_000  # 80 % of them for training
N_IMAGES = 3000  # photographs
N_COMPARED = 2000  # showers of each energy, in each comparison
STEPS = 700  # of the generator
CRITIC_STEPS = 3  # of the critic, for each step of the generator
BATCH = 128
PRETRAINING = 60  # of the critic, before the first step of the generator
CRITIC_RATE, GENERATOR_RATE = 1e-3, 4e-4  # of Adam; both decay along a cosine

# %% [markdown]
r"""
## Example 18.8: a calorimeter is no camera

An electron that enters a calorimeter starts a shower: photons, electrons and positrons that multiply until their energy is used up. Seven sensor planes, 2.8 to 16.2 radiation lengths deep, are read out in $15\times15$ cells of 1 cm. Stacked, the planes look like an image with seven channels, and convolutions accept it.
The book's example 18.8 lists in a table what is different from a photograph. Here every row becomes a number.

For two of the rows there is a scale. An *exponential* distribution has a standard deviation equal to its mean, and skewness 2; a *bell* has skewness 0. And the correlation of two pixels, as a function of their distance, says how local an image is. For showers it is taken at one energy, of the logarithm of the deposits, about the mean shower: otherwise all cells are correlated through the energy.
"""

# %%
check.predict(
    "18.8-zeros", None, question="How many of the 1575 cells see nothing of a shower of 32 or 90 GeV? In per cent:"
)  # fmt: skip

# %%
data = datasets.load_calorimeter_showers(N_SHOWERS, seed=check.seed, scale="energy")
showers, energy = data.x_train, data.y_train[:, None]  # GeV
photographs = datasets.load_cifar10()
images = photographs.x_test[:N_IMAGES].copy()
print(f"photographs: {photographs.about.source}")
del photographs  # the whole set takes 700 MB


def correlation_with_distance(planes, distances):
    """Correlation of pixels in one row, about the mean image; planes: (n, height, width)."""
    spread = planes.std(axis=0)
    apart = (planes - planes.mean(axis=0)) / np.where(spread > 0, spread, 1)
    middle = apart[:, planes.shape[1] // 2 - 3 : planes.shape[1] // 2 + 4]  # seven rows
    columns = np.arange(planes.shape[2] // 2 - 4, planes.shape[2] // 2 - 1)
    return np.array([(middle[..., columns] * middle[..., columns + d]).mean() for d in distances])


distances = np.arange(1, 9)
one_energy = np.log10(1 + 1000 * showers[energy[:, 0] == 90, :, :, 3])  # the fourth sensor
table = {}
for name, x, planes in [("showers", showers, one_energy), ("photographs", images, images.mean(axis=-1))]:  # fmt: skip
    lit = x[x > 0]
    table[name] = {
        "channels": x.shape[-1],
        "pixels a channel": x.shape[1] * x.shape[2],
        "empty pixels": np.mean(x == 0),
        "range of the others in decades": np.log10(lit.max() / lit.min()),
        "standard deviation / mean": x.std() / x.mean(),
        "skewness": stats.skew(x, axis=None),
        "correlation with the next pixel": correlation_with_distance(planes, distances)[0],
        "correlation five pixels away": correlation_with_distance(planes, distances)[4],
    }
print(f"{'':34s}{'showers':>12s}{'photographs':>14s}")
for row in table["showers"]:
    print(f"{row:34s}{table['showers'][row]:12.3g}{table['photographs'][row]:14.3g}")
check.confront("18.8-zeros", 100 * table["showers"]["empty pixels"], unit="per cent")

# %%
figure, axes = plt.subplots(1, 3, figsize=(12.5, 3.6))
for colour, (name, x) in zip(plotting.COLOURS, [("showers", showers), ("photographs", images)], strict=False):  # fmt: skip
    relative = x[x > 0] / x[x > 0].mean()
    bins = np.linspace(0, 12 if name == "showers" else 2.5, 60)
    axes[0].hist(relative, bins, density=True, histtype="step", color=colour, label=name)
    axes[1].hist(np.log10(relative), 60, density=True, histtype="step", color=colour, label=name)
    planes = one_energy if name == "showers" else x.mean(axis=-1)
    axes[2].plot(distances, correlation_with_distance(planes, distances), "o-", color=colour, label=name)  # fmt: skip
axes[0].plot(np.arange(13), np.exp(-np.arange(13.0)), ":", color=plotting.GREY, label="exponential")  # fmt: skip
axes[0].set(yscale="log", ylim=(1e-4, 10), xlabel="value / mean of the lit pixels", ylabel="density", title="A steep fall against a broad hump")  # fmt: skip
axes[1].set(
    xlabel="decades from the mean", ylabel="density", title="Its logarithm fits into a network"
)
axes[2].set(xlabel="distance (pixels)", ylabel="correlation", ylim=(-0.1, 1), title="Cells know their neighbours at most")  # fmt: skip
for axis in axes:
    axis.legend(fontsize=8)
plotting.show("Three panels comparing showers and photographs: the density of pixel values, which falls more steeply than an exponential for showers; the density of its logarithm; and the correlation with distance, small for showers and large for photographs.", figure)  # fmt: skip

# %% [markdown]
r"""
**What follows for the design.** Nine of ten cells are empty: the last activation of the generator is a **ReLU**, which makes exact zeros, where a sigmoid or a tanh never would. Deposits of several decades: the networks see their **logarithm**. Correlations that are local and differ from place to place (the core is not the halo): weights should not be shared over the plane, a **locally-connected** layer has a filter of its own for each cell (`dlphys.layers.LocallyConnected2D`). The last layer of our generator is dense, which costs more weights and shares none either: each cell has its own.

CIFAR's $32\times32$ pixels are themselves a low resolution; the photographs of a camera have ten million. The table holds for photographs, not for all images: handwritten digits are mostly empty, too.
"""

# %% covers="X18.8"
check.claim("X18.8", table["showers"]["empty pixels"], at_least=0.8, wrong=table["photographs"]["empty pixels"])  # fmt: skip
check.claim("X18.8", table["showers"]["range of the others in decades"], at_least=2.8, wrong=np.log10(255))  # fmt: skip
check.claim("X18.8", table["showers"]["skewness"], at_least=2, wrong=table["photographs"]["skewness"])  # fmt: skip
check.claim("X18.8", table["showers"]["correlation five pixels away"], at_most=0.15, wrong=table["photographs"]["correlation five pixels away"])  # fmt: skip

# %% [markdown]
r"""
## Physics in the last step of the generator

A shower of twice the energy is, nearly, the same shower with twice the energy in every cell. It is a little deeper (its maximum moves with $\ln E$) and more of it leaks out at the back; that is for the network to learn. The factor itself need not be learnt, and it is what an interpolation depends on: with only two energies in the training, a network can connect 32 and 90 GeV by any curve, whereas the small rest is interpolated safely.

So the network shares the energy out: a softmax over the 1575 cells **and one bin for what escapes**, $\sum_i s_i = 1$. Cell $i$ gets $s_i E$, it fluctuates by $n_i$ decades, and below the threshold $E_0$ it registers nothing:

$$x_i = \mathrm{ReLU}\Big(\log_{10}\frac{s_i\,E}{E_0} + n_i\Big), \qquad \text{deposit} = E_0\, 10^{x_i} \text{ where } x_i > 0 .$$

On the logarithmic scale the factor $E$ is a summand, and the ReLU is the read-out's threshold.

**Your task.** Write this last step, with `keras.ops` (here `ops`). The network gives the *natural* logarithm of the shares, as `ops.log_softmax` does.
"""


# %% task="X18.8a" points=2
def register(log_shares, noise, energy, threshold):
    """Signals of the cells on a logarithmic scale, log10(deposit / threshold), and 0 below the threshold.

    log_shares: (n, 15, 15, 7), natural logarithm of the share of the energy that each cell gets; noise: (n, 15, 15, 7),
    fluctuation of the deposit in decades; energy: (n, 1, 1, 1), GeV; threshold: number, GeV. Returns a tensor
    (n, 15, 15, 7).
    """
    ### BEGIN SOLUTION
    decades = (log_shares + ops.log(energy / threshold)) / np.log(10)
    return ops.relu(decades + noise)
    ### END SOLUTION


# %% check="X18.8a"
check("X18.8a", register)

# %% [markdown]
r"""
## Generator and critic

The generator sees 16 numbers of noise and the logarithm of the energy, scaled to $-1$ at 32 GeV and $+1$ at 90 GeV; the critic sees a shower and the same number. Everything global (depth, place of impact, leakage) comes from the 16 numbers.

The deposit of a cell also fluctuates for itself, and no dense network makes 1575 independent fluctuations of 16 numbers. So each cell has noise of its own. How strong? The test beam knows: the resolution of this calorimeter is $\sigma_E/E = c/\sqrt E$ with $c = 0.22\,\sqrt{\mathrm{GeV}}$, hence a cell with the mean $\mu = s_i E$ has the variance $c^2\mu$. Such noise comes from few, large portions: if their sizes are exponential, their number is Poisson-distributed with the mean $\lambda = 2\mu/c^2$. So a cell stays empty with probability $\mathrm{e}^{-\lambda}$, and with probability $p = 1 - \mathrm{e}^{-\lambda}$ we give it a log-normal deposit that makes mean and variance right. (Our simulation draws its deposits from such portions, which makes this noise easy for us; for Geant4 it would be an approximation.)

$$\text{deposit} = \frac{\mu}{p}\, \mathrm{e}^{\sigma \varepsilon - \sigma^2/2}, \qquad \sigma^2 = \ln\big(p\,(1 + c^2/\mu)\big), \qquad \varepsilon \sim \mathcal N(0, 1), \qquad n_i = \frac{\sigma\varepsilon - \sigma^2/2 - \ln p}{\ln 10}.$$

The last biases begin at the logarithm of the mean share of each cell. Before its first step the generator thus makes mean showers, scaled with the energy, whose cells fluctuate independently: our **baseline**. What is left for the training is what makes showers individuals: every real one has its own depth and its own place of impact, and the mean ones have not.
"""

# %%
register = check.catch_up("X18.8a", register)
CELLS = (15, 15, 7)
RESOLUTION = 0.22  # sqrt(GeV), of the calorimeter


def to_network(deposits):
    """log10(deposit / threshold), 0 where nothing was registered; deposits in GeV."""
    return np.log10(np.maximum(deposits, THRESHOLD) / THRESHOLD).astype("float32")


def to_energy(signals):
    """The deposits again, GeV."""
    return np.where(signals > 0, THRESHOLD * 10.0**signals, 0.0)


def label(E):
    """The logarithm of the energy: -1 at 32 GeV, +1 at 90 GeV."""
    return ops.log(E / CENTRE_ENERGY) / np.log(90 / CENTRE_ENERGY)


def statistics_of_cells(deposits, energy):
    """Mean share of each cell in the energy, and spread of its signals in decades when it is hit; (15, 15, 7) each."""
    shares = (deposits / energy[:, :, None, None]).mean(axis=0)
    hit = deposits > THRESHOLD
    signals = np.where(hit, to_network(deposits * (CENTRE_ENERGY / energy)[:, :, None, None]), 0)
    number = np.maximum(hit.sum(axis=0), 1)
    variance = (signals**2).sum(axis=0) / number - (signals.sum(axis=0) / number) ** 2
    spread = np.where(number > 20, np.sqrt(np.maximum(variance, 0.05**2)), 0.4)
    return np.maximum(shares, 1e-6), spread.astype("float32")


shares, spread = statistics_of_cells(showers, energy)
start = np.log(np.append(shares.ravel(), 1 - shares.sum()))


def build_generator():
    """Three kinds of noise, as from `draw`, and energy (n, 1) in GeV -> signals (n, 15, 15, 7)."""
    noise, normal, uniform, E = (keras.Input(shape) for shape in ((16,), CELLS, CELLS, (1,)))
    hidden = layers.Concatenate()([noise, label(E)])
    for _ in range(2):
        hidden = layers.Dense(64, activation="tanh")(hidden)
    small = keras.initializers.RandomNormal(stddev=0.02)
    last = layers.Dense(len(start), kernel_initializer=small)
    log_shares = ops.log_softmax(last(hidden))[:, :-1]  # the last bin escapes
    last.bias.assign(start)
    log_shares, cell_energy = layers.Reshape(CELLS)(log_shares), layers.Reshape((1, 1, 1))(E)
    portions = ops.maximum(2 * ops.exp(log_shares) * cell_energy / RESOLUTION**2, 1e-6)
    hit = -ops.expm1(-portions)
    variance = ops.log(hit * (1 + 2 / portions))
    decades = (ops.sqrt(variance) * normal - variance / 2 - ops.log(hit)) / np.log(10)
    fluctuation = ops.where(uniform < hit, decades, -10.0)  # ten decades down: empty
    signals = register(log_shares, fluctuation, cell_energy, THRESHOLD)
    return keras.Model([noise, normal, uniform, E], signals)


def build_critic():
    """Signals (n, 15, 15, 7) and energy (n, 1) in GeV -> one number a shower, without a sigmoid."""
    signals, E = keras.Input(CELLS), keras.Input((1,))
    hidden = layers.Concatenate()([layers.Flatten()(signals), label(E)])
    hidden = layers.Dense(64, activation="leaky_relu")(hidden)
    # what is too much at 32 GeV may be too little at 90: the weights depend on the energy
    hidden = layers.Concatenate()([hidden, hidden * label(E)])
    hidden = layers.Dense(64, activation="leaky_relu")(hidden)
    return keras.Model([signals, E], layers.Dense(1)(hidden))


def draw(number):
    """Noise for so many showers: of the whole shower, and two numbers for each of its cells."""
    cells = (number, *CELLS)
    return [keras.random.normal((number, 16)), keras.random.normal(cells), keras.random.uniform(cells)]  # fmt: skip


def generate(generator, E, number=N_COMPARED):
    """Deposits in showers of one energy, GeV."""
    inputs = [*map(np.asarray, draw(number)), np.full((number, 1), E, "float32")]
    return to_energy(generator.predict(inputs, batch_size=500, verbose=0))


ENERGIES = (32.0, 70.0, 90.0)  # GeV; the second is in no training
generator, critic = build_generator(), build_critic()
baseline = {E: generate(generator, E) for E in ENERGIES}
print(f"generator {generator.count_params():,} parameters, critic {critic.count_params():,}")

# %% [markdown]
r"""
**The loss** is that of `ch18_wgan`, with the energy at both networks. The critic estimates the Wasserstein distance between real and generated showers, and the gradient penalty (18.13) keeps its slope near 1. It makes three steps for each of the generator, with a larger learning rate, and a few before the first: a generator that runs ahead of its critic follows wrong advice. A distance needs a unit: the critic sees each signal divided by the spread of its cell (0.1 decades in the core, 0.4 in the halo), otherwise the halo, with its many loud cells, would be nearly all of it. Both networks see a shower *together with its energy*: a generator that ignored the energy would make pairs that never occur.

The critic is shown cells. Depth, spread, occupancy and sums over layers are in no loss.
"""

# %%
real_signals, real_energy = (
    ops.convert_to_tensor(part) for part in (to_network(showers) / spread, energy)
)


def optimizer(rate, steps, network):
    """Adam with a rate that decays along a cosine."""
    decay = keras.optimizers.schedules.CosineDecay(rate, steps)
    adam = keras.optimizers.Adam(decay, beta_1=0.5, beta_2=0.9)
    adam.build(network.trainable_variables)
    return adam


def some():
    """A batch of numbers of training showers."""
    return random.integers(len(energy), size=BATCH).astype("int32")


def train(generator, critic, steps=STEPS):
    """Conditional Wasserstein training with gradient penalty; returns the loss of the critic at each step."""
    of_generator = optimizer(GENERATOR_RATE, steps, generator)
    of_critic = optimizer(CRITIC_RATE, CRITIC_STEPS * steps + PRETRAINING, critic)

    @autodiff.compiled
    def critic_step(chosen):
        real, E = ops.take(real_signals, chosen, axis=0), ops.take(real_energy, chosen, axis=0)
        generated = generator([*draw(BATCH), E]) / spread

        def loss():
            distance = ops.mean(critic([real, E])) - ops.mean(critic([generated, E]))
            penalty = gradient_penalty(lambda x: critic([x, E]), real, generated)
            return 10 * penalty - distance

        value, gradients = autodiff.value_and_gradients(loss, critic.trainable_variables)
        of_critic.apply(gradients, critic.trainable_variables)
        return value

    @autodiff.compiled
    def generator_step(chosen):
        E = ops.take(real_energy, chosen, axis=0)

        def loss():
            return -ops.mean(critic([generator([*draw(BATCH), E]) / spread, E]))

        _, gradients = autodiff.value_and_gradients(loss, generator.trainable_variables)
        of_generator.apply(gradients, generator.trainable_variables)

    history = []
    try:
        for _ in range(PRETRAINING):
            critic_step(some())
        for _ in tqdm(range(steps), desc="training", unit="step"):
            for _ in range(CRITIC_STEPS):
                value = critic_step(some())
            generator_step(some())
            history.append(float(value))
    except KeyboardInterrupt:
        print("interrupted: the networks stay as they are")
    return history


history = train(generator, critic)
generated = {E: generate(generator, E) for E in ENERGIES}

# %%
smooth = np.convolve(history, np.ones(20) / 20, "valid")
figure, axis = plt.subplots(figsize=(6, 3.4))
axis.plot(
    np.arange(len(history)), -np.array(history), color=plotting.GREY, lw=0.5, label="each step"
)
axis.plot(np.arange(len(smooth)) + 10, -smooth, color=plotting.COLOURS[0], label="mean of 20")
axis.set(xlabel="step of the generator", ylabel="distance - 10 penalty", title=f"The critic's estimate of the distance falls from {-smooth.min():.1f} to {-smooth[-1]:.1f}")  # fmt: skip
axis.legend()
plotting.show("The critic's estimate of the Wasserstein distance, with the penalty taken off, against the step of the generator.", figure)  # fmt: skip

# %% [markdown]
r"""
## Observables that are in no loss

The book's figure 18.12 compares three: the **occupancy** (share of showers in which a cell is hit), the **shower depth** and the **transverse spread** $\Delta Y$ in layer 2. The depth of one shower is its energy-weighted mean layer, counted from 1:

$$\text{depth} = \frac{\sum_{l=1}^{7} l\, E_l}{\sum_l E_l}, \qquad \Delta Y = \sqrt{\frac{\sum_j E_j\, (y_j - \bar y)^2}{\sum_j E_j}},$$

with the energies $E_l$ of the layers, and the energies $E_j$ of the cells of layer 2, summed over $x$. The centre $\bar y$ is that of the shower itself: electrons hit anywhere in the central cell.

**Your task.** Compute both for every shower.
"""


# %% task="X18.8b" points=2
def depth_and_spread(deposits):
    """Depth of showers in layers, counted from 1, and their transverse spread in layer 2, in cells.

    deposits: (n, 15, 15, 7) with the axes shower, x, y, layer, in GeV; every shower has some energy. Returns depth (n,)
    and spread along y (n,); the spread is 0 where layer 2 is empty.
    """
    ### BEGIN SOLUTION
    of_layers = deposits.sum(axis=(1, 2))
    depth = of_layers @ np.arange(1, 8) / of_layers.sum(axis=1)
    along_y = deposits[..., 1].sum(axis=1)
    weight = along_y / np.maximum(along_y.sum(axis=1, keepdims=True), 1e-12)
    y = np.arange(15)
    variance = weight @ y**2 - (weight @ y) ** 2
    return depth, np.sqrt(np.maximum(variance, 0))
    ### END SOLUTION


# %% check="X18.8b"
check("X18.8b", depth_and_spread)

# %%
check.predict(
    "18.8-depth",
    None,
    question="Showers of 32 and 90 GeV lie at a depth of 3.9 and 4.2 layers. At which depth do you expect those of 70 GeV?",
)  # fmt: skip

# %%
depth_and_spread = check.catch_up("X18.8b", depth_and_spread)


def observables(deposits):
    """All numbers of showers that are compared, name -> (n,)."""
    depth, spread = depth_and_spread(deposits)
    of_layers = deposits.sum(axis=(1, 2))
    sums = {f"energy in layer {number} (GeV)": of_layers[:, number - 1] for number in (1, 4, 7)}
    return {
        "depth (layers)": depth,
        "spread in layer 2 (cells)": spread,
        "visible energy (GeV)": of_layers.sum(axis=1),
        "cells hit": (deposits > 0).sum(axis=(1, 2, 3)),
        **sums,
    }


def exact(E):
    """Exact means from the theory of the simulator, name -> number: depth of the mean shower and energies."""
    of_layers = calorimeter.layer_moments(E)[0][0]
    return {
        "depth (layers)": of_layers @ np.arange(1, 8) / of_layers.sum(),
        "visible energy (GeV)": of_layers.sum(),
        **{f"energy in layer {number} (GeV)": of_layers[number - 1] for number in (1, 4, 7)},
    }


simulated = {E: calorimeter.simulate(2 * N_COMPARED, seed=check.seed + int(E), energy=E).voxels for E in ENERGIES}  # fmt: skip
results = {}
for E in ENERGIES:
    one, other = observables(simulated[E][:N_COMPARED]), observables(simulated[E][N_COMPARED:])
    made = observables(generated[E])
    print(f"\n{E:.0f} GeV" + (", in no training" if E == 70 else ""))
    print(f"{'':26s}{'exact':>8s}{'simulated':>17s}{'generated':>17s}{'KS':>7s}{'(simulated)':>12s}{'W1':>8s}{'(simulated)':>12s}")  # fmt: skip
    for name in one:
        results[E, name] = made[name].mean(), one[name].mean()
        found, possible = (metrics.compare_distributions(one[name], sample[name], resamples=2) for sample in (made, other))  # fmt: skip
        known = f"{exact(E)[name]:8.2f}" if name in exact(E) else " " * 8
        print(f"{name:26s}{known}{one[name].mean():9.2f} +- {one[name].std():4.2f}{made[name].mean():9.2f} +- {made[name].std():4.2f}{found.kolmogorov_smirnov[0]:7.3f}{possible.kolmogorov_smirnov[0]:12.3f}{found.wasserstein[0]:8.3f}{possible.wasserstein[0]:12.3f}")  # fmt: skip
print(
    "\n+- is the spread of the showers, and W1 is in units of it. (simulated): two samples of the simulation, of the same size."
)
check.confront("18.8-depth", results[70.0, "depth (layers)"][0], unit="layers")

# %%
rows = {"simulated": simulated[90.0][:N_COMPARED], "generated": generated[90.0], "mean shower (baseline)": baseline[90.0]}  # fmt: skip
figure, axes = plt.subplots(3, 7, figsize=(10.5, 5.2))
for row, (name, deposits) in zip(axes, rows.items(), strict=True):
    occupancy = 100 * (deposits > 0).mean(axis=0)
    for k, axis in enumerate(row):
        picture = axis.imshow(np.maximum(occupancy[..., k].T, 0.1), norm="log", cmap="viridis")
        picture.set_clim(1, 100)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, fontsize=8)
for axis, x0 in zip(axes[0], calorimeter.SENSOR_DEPTHS, strict=True):
    axis.set_title(f"{x0} X$_0$", fontsize=9)
figure.colorbar(picture, ax=axes, label="occupancy (per cent)")
figure.suptitle("How often a cell is hit by showers of 90 GeV")
plotting.show("Maps of the occupancy of the seven sensors for simulated, generated and baseline showers of 90 GeV: bright in the core of each sensor, wider in the deeper ones.", figure)  # fmt: skip

# %%
figure, axes = plt.subplots(2, 2, figsize=(10, 6.6))
shown = ["depth (layers)", "spread in layer 2 (cells)", "visible energy (GeV)"]
for axis, name in zip(axes.flat, shown, strict=False):
    both = {E: (observables(simulated[E][:N_COMPARED])[name], observables(generated[E])[name]) for E in ENERGIES}  # fmt: skip
    everything = np.concatenate([part for pair in both.values() for part in pair])
    bins = np.linspace(*np.quantile(everything, [0.001, 0.999]), 40)
    for colour, E in zip(plotting.COLOURS, ENERGIES, strict=False):
        truth, made = both[E]
        axis.hist(truth, bins, density=True, color=colour, alpha=0.3, label=f"simulated, {E:.0f} GeV")  # fmt: skip
        height, _ = np.histogram(made, bins, density=True)
        axis.plot((bins[1:] + bins[:-1]) / 2, height, "o", ms=3.5, color=colour, label=f"generated, {E:.0f} GeV" + (" (new)" if E == 70 else ""))  # fmt: skip
        if name in exact(E):
            axis.axvline(exact(E)[name], color=colour, ls=":", lw=1)
    axis.set(xlabel=name, ylabel="density")
axes[0, 0].set_title("Depth: dotted, the exact depth of the mean shower", fontsize=9)
axes[0, 1].set_title("Spread in layer 2", fontsize=9)
axes[0, 1].legend(fontsize=7)
axes[1, 0].set_title("Visible energy: dotted, exact means", fontsize=9)
layer = np.arange(1, 8)
for colour, E in zip(plotting.COLOURS, ENERGIES, strict=False):
    axes[1, 1].plot(layer, calorimeter.layer_moments(E)[0][0], "-", color=colour, label=f"exact, {E:.0f} GeV")  # fmt: skip
    axes[1, 1].plot(layer, generated[E].mean(axis=0).sum(axis=(0, 1)), "o", color=colour)
    axes[1, 1].plot(layer, baseline[E].mean(axis=0).sum(axis=(0, 1)), "x", color=colour)
axes[1, 1].plot([], [], "o", color=plotting.GREY, label="generated")
axes[1, 1].plot([], [], "x", color=plotting.GREY, label="baseline")
axes[1, 1].set(xlabel="layer", ylabel="mean energy (GeV)")
axes[1, 1].set_title("Mean energy of the layers", fontsize=9)
axes[1, 1].legend(fontsize=7)
depth_70 = results[70.0, "depth (layers)"][0]
figure.suptitle(f"Never seen in training: 70 GeV, depth {depth_70:.2f} layers (exact {exact(70.0)['depth (layers)']:.2f})")  # fmt: skip
plotting.show("Four panels for 32, 70 and 90 GeV: histograms of depth, spread in layer 2 and visible energy, with points of the generated showers over those of the simulation; and the mean energy in each layer, generated and baseline beside the exact values.", figure)  # fmt: skip

# %% [markdown]
r"""
**How to read the table.** Two samples of the simulation differ, too, by the amount in the column in brackets; a perfect generator would do as well, and no better. Means are held by the exact values. The distances KS and W1 see the whole distribution, and by them the generator is not perfect: with enough showers a test would tell. Compare the widths of depth and visible energy: in our trainings the generated ones were larger by a third to two thirds. Cells that rise and fall together are few directions among 1575 for the critic, a small part of the distance.

**The energy of a generated shower.** The baseline of the calorimeter, the calibrated sum of all cells, should read off generated showers the energy that was ordered.
"""

# %%
for E in ENERGIES:
    for name, deposits in [("simulated", simulated[E][:N_COMPARED]), ("generated", generated[E])]:
        mean, error = metrics.mean_with_error(calorimeter.reconstruct_energy(deposits))
        print(f"{E:.0f} GeV, {name}: reconstructed {mean:.2f} +- {error:.2f} GeV")
reconstructed = calorimeter.reconstruct_energy(generated[70.0]).mean()

# %% covers="X18.8"
name, halfway = "visible energy (GeV)", np.mean([exact(32.0)["visible energy (GeV)"], exact(90.0)["visible energy (GeV)"]])  # fmt: skip
check.claim("X18.8", results[70.0, name][0] / exact(70.0)[name], 1, tolerance=0.08, wrong=halfway / exact(70.0)[name])  # fmt: skip
check.claim("X18.8", reconstructed, 70, tolerance=6, wrong=CENTRE_ENERGY)

# %% covers="X18.8"
name = "depth (layers)"
check.claim("X18.8", results[70.0, name][0], exact(70.0)[name], tolerance=0.1, wrong=exact(32.0)[name])  # fmt: skip
deeper = results[90.0, name][0] - results[32.0, name][0]
check.claim("X18.8", deeper, exact(90.0)[name] - exact(32.0)[name], tolerance=0.15, wrong=0.0)

# %% covers="X18.8"
hits = {E: results[E, "cells hit"] for E in ENERGIES}
check.claim("X18.8", hits[70.0][0] / hits[70.0][1], 1, tolerance=0.2, wrong=hits[32.0][1] / hits[70.0][1])  # fmt: skip

# %% [markdown]
r"""
## How fast?

A detector simulation follows every particle of a shower: seconds to minutes for one in Geant4, from which the book's showers come. A generator makes thousands in a second, and there lies its use. Ours learns from a parametrisation, which has left out all the particles already and needs no replacement; the ratio printed here compares the two on this machine, with all the cores they take.
"""

# %%
rates = {}
for name, make in [("simulation", lambda: calorimeter.simulate(N_COMPARED, seed=1, energy=70.0)), ("generator", lambda: generate(generator, 70.0))]:  # fmt: skip
    begin = time.perf_counter()
    make()
    rates[name] = N_COMPARED / (time.perf_counter() - begin)
    print(f"{name}: {rates[name]:,.0f} showers a second")
print(f"ratio generator / simulation: {rates['generator'] / rates['simulation']:.2g}")

# %%
check.quiz("18.8-q1")

# %%
check.quiz("18.8-q2")

# %% tags=["instructor"]
# Timing: the table 15 min, the last step 15, generator and training 15, observables and discussion 15.
# Common mistakes: natural and decimal logarithm mixed, a ReLU before the noise, layers counted from 0, depth of the summed showers.
# Two trainings at full settings gave a depth of 4.15 layers and 46.6 and 47.0 GeV visible energy at 70 GeV, and 5 % too many cells.
# Discussion: (1) more data from a generator: means and shapes cannot become better than the 8000 showers of its training.
# (2) What would go wrong at 10 or 500 GeV? The factor E stays right, ln E is extrapolated by tanh units, which saturate.
for question, answer in [("18.8-q1", 2), ("18.8-q2", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A calorimeter is no camera: mostly zeros, decades of range, a steep spectrum, local correlations that differ from cell to cell.
- What is known goes into the architecture: ReLU for the threshold, a logarithm for the range, the energy as a factor, the resolution as noise of cells. The training is left with what is not.
- An interpolation in energy is safe because the network carries only a small and smooth rest.
- Judge by observables outside the loss, each beside the distance of two simulated samples.
"""

# %%
check.summary()
