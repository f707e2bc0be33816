# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 21, title: Beyond the scope, level: 3, minutes: 90, sections: "21.1-21.4", data: [neutron_gamma], fast: {SEEDS: 1, N_PULSES: 10000, N_TEST: 10000, EPOCHS: 5, EPOCHS_FEW: 6, N_SKIES: 150, N_IMAGES: 10, REPEATS: 5, NETWORKS: 2, EPOCHS_LAW: 20}}
# ---
# %% [markdown]
r"""
# Beyond the scope

**You will**

- squeeze a network that tells neutrons from gamma rays into one bit a weight, and see when this costs nothing;
- compute with noisy conductances and with spikes, as brains and new chips do;
- reconstruct a field behind gaps from physical assumptions, without any training data, with errors that are right;
- read the law of a pendulum off its motion and off a trained network, and learn when this must fail.

**You need** dense networks and gradients (chapters 3 and 4), linear algebra, and Gaussian probabilities. **Time:** about 90 minutes; the cells run in less than a minute.

**You will see** that less precision, noise, and the absence of data are no obstacles where one knows what to assume; and that a formula reaches further than the network it was read from.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.simulators import oscillators, series

check = checks.start("ch21_outlook")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
SEEDS = 4  # networks of each kind, for the spread
N_PULSES = 20_000  # 70 per cent of them for training
N_TEST = 20_000  # further pulses, to judge
EPOCHS = 8  # of the network with float32 weights
EPOCHS_FEW = 8  # of the networks with few levels
N_SKIES = 300  # one-dimensional skies, for the coverage
N_IMAGES = 20  # images with stars
REPEATS = 12  # of each experiment with a pendulum
NETWORKS = 3  # that learn the pendulum
EPOCHS_LAW = 30

# %% [markdown]
r"""
## Section 21.1: networks with few bits

A detector that must decide within nanoseconds has its network on a chip beside the sensor, and there every bit counts. So the weights are stored with few bits: 8, 4, in a **ternary** network one of three values, in a **binary** network one of two.

All of these are one operation. $L$ levels at equal distances $\Delta$ lie symmetrically about zero,

$$\Delta\,\Big(k - \frac{L-1}{2}\Big), \qquad k = 0, \dots, L-1,$$

and every weight is replaced by the nearest one. With $L = 2$ they are $\pm\Delta/2$, with $L = 3$ they are $-\Delta, 0, \Delta$, and $L = 2^b$ needs $b$ bits. Weights beyond the last level are set to the last level.

**Your task.** Write this quantiser. Use `keras.ops`, so that it can be part of a network. (First find $k$: shift, round, clip. Then go back.)
"""


# %% task="M21.1a" points=2
def quantise(weights, step, levels):
    """Every weight replaced by the nearest of `levels` values, which lie `step` apart and symmetrically about zero.

    weights: array or tensor of any shape; step: distance of two levels; levels: their number, at least 2.
    Returns a tensor in the shape of the weights.
    """
    ### BEGIN SOLUTION
    middle = (levels - 1) / 2
    number = keras.ops.clip(keras.ops.round(weights / step + middle), 0, levels - 1)
    return step * (number - middle)
    ### END SOLUTION


# %% check="M21.1a"
check("M21.1a", quantise)

# %% [markdown]
r"""
Rounding after the training is one way. Better: let the training know of it. The network *calculates* with the quantised weights $q(w)$, but what it *learns* are float weights $w$. There is one obstacle. $q$ is a staircase, its derivative is zero almost everywhere, and no gradient arrives at $w$.

The **straight-through estimator** decides to ignore the staircase on the way back: forwards $q(w)$, backwards as if $q(w)$ were $w$. In code this is one line,

$$w + \mathrm{stop}\big(q(w) - w\big),$$

where `keras.ops.stop_gradient` passes its argument on and has the derivative zero. The small steps of the gradient add up in $w$, until a weight crosses the border to its next level.

**Your task.** Write `call`: a dense layer whose output is the activation of $x\,q(w) + b$, with a straight-through gradient for $w$. The bias keeps its float32 values. `self.kernel` $(\mathrm{inputs}, \mathrm{units})$, `self.bias` and the function `self.activation` are made by `Dense`; `self.step()` is the distance of the levels, a fixed multiple of the mean size of the weights.
"""


# %% task="M21.1b" points=3
class QuantisedDense(layers.Dense):
    """A dense layer that calculates with few different weights and learns float32 ones, straight through.

    units: nodes; levels: number of values a weight may have; width: distance of the levels over the mean size of the
    weights; activation: as for Dense.
    """

    def __init__(self, units, levels, width, activation=None):
        super().__init__(units, activation=activation)
        self.levels, self.width = levels, width

    def step(self):
        """Distance of the levels; it follows the weights, but gets no gradient."""
        return keras.ops.stop_gradient(self.width * keras.ops.mean(keras.ops.abs(self.kernel)))

    def call(self, x):
        ### BEGIN SOLUTION
        rounded = quantise(self.kernel, self.step(), self.levels)
        kernel = self.kernel + keras.ops.stop_gradient(rounded - self.kernel)
        return self.activation(keras.ops.matmul(x, kernel) + self.bias)
        ### END SOLUTION

    def slopes(self, x):
        """Derivative of the sum of all squared outputs by the kernel: what the training would get; (inputs, units)."""

        def total():
            return keras.ops.sum(self(x) ** 2)

        return autodiff.value_and_gradients(total, [self.kernel])[1][0]


# %% check="M21.1b"
check("M21.1b", QuantisedDense)

# %% [markdown]
r"""
The test: a scintillator gives a pulse of light, 64 numbers of photoelectrons. Was it a neutron or a gamma ray? Neutrons have more light in the tail. Here the *limit* is known: the ratio of the two Poisson likelihoods, which no classifier beats on average. The *baseline* is the share of the light in the tail, with the best cut.

A network with two hidden layers of 64 nodes is trained with float32 weights. Then its weights are quantised, once directly and once with further training straight through, for several starts. The distance of the levels is the one that changes normally distributed weights least; it is found by trying.

**Before you run it:** how many bits does a weight need, so that the accuracy falls by less than 0.01? After the training, and with training straight through?
"""

# %%
quantise = check.catch_up("M21.1a", quantise)
QuantisedDense = check.catch_up("M21.1b", QuantisedDense)
data = datasets.load_neutron_gamma(N_PULSES, seed=check.seed)
x_train, y_train = data.x_train[..., 0], data.y_train
test = series.pulses(N_TEST, seed=check.seed + 1)
x_test = test.signal / np.float32(10)
limit, limit_error = metrics.accuracy_with_error((series.evidence(test.signal) < 0) == test.particle)  # fmt: skip
tail_train, tail_test = series.tail_fraction(10 * x_train), series.tail_fraction(test.signal)
cuts = np.quantile(tail_train, np.linspace(0.1, 0.9, 81))
cut = max(cuts, key=lambda cut: ((tail_train < cut) == y_train).mean())
baseline = ((tail_test < cut) == test.particle).mean()

LEVELS = {"8 bits": 256, "4 bits": 16, "3 bits": 8, "2 bits": 4, "ternary": 3, "binary": 2}
sizes = random.normal(size=5000)
sizes /= np.abs(sizes).mean()  # weights with a normal distribution and the mean size 1
widths = {}
for levels in LEVELS.values():
    tried = np.arange(0.1, 1.5, 0.02) * 8 / levels
    change = [np.mean((np.asarray(quantise(sizes, width, levels)) - sizes) ** 2) for width in tried]
    widths[levels] = tried[np.argmin(change)]
few = keras.Variable(256.0, trainable=False)  # variables: all networks share one compiled step
width = keras.Variable(1.0, trainable=False)


def build(layer):
    """Network for pulses with layers made by `layer(units, activation)`; the output is a logit."""
    hidden = [layer(64, "relu") for _ in range(2)]
    return keras.Sequential([keras.Input((64,)), *hidden, layer(1, None)])


def compile_model(model, epochs, rate):
    rate = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(x_train) // 200))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=35)


def start_from(model, weights):
    """Give a model these weights and its optimizer a fresh memory, without compiling anything anew."""
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))


def accuracy(model):
    return ((np.asarray(model(x_test))[:, 0] > 0) == test.particle).mean()


floating = build(layers.Dense)
quantised = build(lambda units, activation: QuantisedDense(units, few, width, activation))
compile_model(floating, EPOCHS, 1e-2)
compile_model(quantised, EPOCHS_FEW, 5e-3)
after, during = {name: [] for name in LEVELS}, {name: [] for name in list(LEVELS)[2:]}
with_floats, trained_weights = [], []
for number in range(SEEDS):
    keras.utils.set_random_seed(check.seed + number)
    start_from(floating, build(layers.Dense).get_weights())
    floating.fit(x_train, y_train, batch_size=200, epochs=EPOCHS, verbose=0)
    trained_weights.append(floating.get_weights())
    with_floats.append(accuracy(floating))
    for name, levels in LEVELS.items():
        few.assign(float(levels))
        width.assign(widths[levels])
        start_from(quantised, trained_weights[-1])
        after[name].append(accuracy(quantised))
        if name in during:
            quantised.fit(x_train, y_train, batch_size=200, epochs=EPOCHS_FEW, verbose=0)
            during[name].append(accuracy(quantised))

destroyed = min(np.mean(after[name]) for name in ("2 bits", "ternary", "binary"))
weights, biases = 64 * 64 + 64 * 64 + 64, 64 + 64 + 1
memory = {}
print(f"limit {limit:.4f} +- {limit_error:.4f}, baseline (tail fraction) {baseline:.4f}, float32 {np.mean(with_floats):.4f}; +- is the spread over {SEEDS} trainings")  # fmt: skip
for name, levels in LEVELS.items():
    bits = int(np.ceil(np.log2(levels)))
    memory[name] = 32 * (weights + biases) / (bits * weights + 32 * biases)
    results = [f"{np.mean(kind[name]):.3f} +- {np.std(kind[name]):.3f}" if name in kind else " " * 14 for kind in (after, during)]  # fmt: skip
    print(f"{name:8s} rounded {results[0]}   straight through {results[1]}   memory: weights 1/{32 / bits:.0f}, network 1/{memory[name]:.1f}")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4.2))
ticks = np.log2(list(LEVELS.values()))
for axis, limits in zip(axes, [(0.45, 0.95), (min(baseline, 0.89) - 0.01, limit + 0.01)], strict=True):  # fmt: skip
    for place, (label, kind) in enumerate([("rounded after the training", after), ("straight-through training", during)]):  # fmt: skip
        bits = np.log2([LEVELS[name] for name in kind])
        results = np.array(list(kind.values()))
        axis.errorbar(bits, results.mean(axis=1), results.std(axis=1), marker="os"[place], color=plotting.COLOURS[1 - place], capsize=3, label=f"{label}, spread over {SEEDS} starts")  # fmt: skip
    axis.axhline(np.mean(with_floats), color=plotting.COLOURS[2], lw=1.2, label="float32 network")
    axis.axhline(limit, color=plotting.INK, ls="--", lw=1.2, label="limit: exact likelihood ratio")
    axis.axhline(baseline, color=plotting.GREY, ls=":", label="baseline: light in the tail")
    axis.set(
        xscale="log", xlabel="bits a weight", ylabel="accuracy (fraction correct)", ylim=limits
    )
    axis.set_xticks(ticks, [f"{bits:.3g}" for bits in ticks], minor=False)
    axis.minorticks_off()
axes[0].legend(loc="lower right", fontsize=8)
axes[0].set_title("From 8 bits to 1")
axes[1].set_title("The top of it, magnified")
figure.suptitle(f"Rounded to one bit: {np.mean(after['binary']):.2f}. Trained with one bit: {np.mean(during['binary']):.2f}")  # fmt: skip
plotting.show(f"Accuracy against bits a weight. Rounding after the training falls from {np.mean(after['8 bits']):.3f} at 8 bits to {np.mean(after['binary']):.2f} at one bit; straight-through training stays between {np.mean(during['binary']):.3f} and the float32 network, close to the limit {limit:.3f}.", figure)  # fmt: skip

# %% [markdown]
r"""
8 bits cost nothing. Below 4 bits rounding is a matter of luck, and with one bit little is left to be lucky with. With training, even the binary network is better than the classical method: its 8256 weights are signs, times one number for each layer, and the float weights behind them served the training only.

*What is saved.* The factor $32/\mathrm{bits}$ counts the weights. The biases stay float32, and in a small network they are noticed: the printed list gives both. (A chip gains more than memory: a product with $\pm 1$ needs no multiplier.)
"""

# %% covers="M21.1"
check.claim("M21.1", np.mean(with_floats), at_most=limit + 3 * limit_error, wrong=1.0)
check.claim("M21.1", np.mean(with_floats) - np.mean(after["8 bits"]), at_most=0.005, wrong=np.mean(with_floats) - destroyed)  # fmt: skip
check.claim("M21.1", np.mean(with_floats) - np.mean(during["ternary"]), at_most=0.01, wrong=np.mean(with_floats) - destroyed)  # fmt: skip
check.claim("M21.1", np.mean(during["binary"]) - baseline, at_least=0.0, wrong=destroyed - baseline)  # fmt: skip

# %% [markdown]
r"""
Two statements can be derived. The two levels that change the weights least are $\pm\langle|w|\rangle$, that is $\Delta = 2\langle|w|\rangle$: set the derivative of $\sum (|w| - \Delta/2)^2$ to zero. And the memory of a network follows from counting.
"""

# %% covers="M21.1"
check.claim("M21.1", widths[2], 2.0, tolerance=0.05, wrong=widths[4])
check.claim("M21.1", memory["binary"], 32 * 8385 / (8256 + 32 * 129), tolerance=1e-9, wrong=32.0)

# %%
check.quiz("M21.1-q1")

# %% [markdown]
r"""
## Section 21.2: computing as the brain does

**Memory that computes.** In a crossbar of memristors a weight is a conductance. Voltages $x_i$ at the rows drive currents through them, and each column adds up its currents: Ohm and Kirchhoff multiply by the matrix, and no weight is ever moved. But conductances are not exact. Let each weight carry a Gaussian error of $\delta$ times the largest weight of its layer, drawn anew for every chip. A column then has the error $\delta\, w_\mathrm{max}\, |\vec x|$. Several crossbars in parallel average it, with the square root of their number.
"""

# %%
kernels, offsets = trained_weights[0][::2], trained_weights[0][1::2]
x_few, truth_few = x_test[:4000], test.particle[:4000]


def through_crossbars(x, spread, copies):
    """Logits of the float32 network on crossbars; errors of the weights: spread times the largest one of the layer."""
    for kernel, offset in zip(kernels, offsets, strict=True):
        error = random.normal(size=(copies, *kernel.shape)).mean(axis=0) * np.abs(kernel).max()
        x = x @ (kernel + spread * error) + offset
        x = np.maximum(x, 0) if len(offset) > 1 else x
    return x[:, 0]


spreads = np.array([0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4])
on_chips = {}
for copies in (1, 25):
    chips = [[((through_crossbars(x_few, spread, copies) > 0) == truth_few).mean() for _ in range(12)] for spread in spreads]  # fmt: skip
    on_chips[f"{copies} crossbar{'s' * (copies > 1)}"] = np.array(chips)
single = np.array([random.normal(size=kernels[0].shape) for _ in range(400)]) * 0.05 * np.abs(kernels[0]).max()  # fmt: skip
errors = (x_few[0] @ single).ravel()
predicted = 0.05 * np.abs(kernels[0]).max() * np.linalg.norm(x_few[0])
averaged = (x_few[0] @ single.reshape(16, 25, *kernels[0].shape).mean(axis=1)).ravel()
print(f"error of a column at 5 per cent: {errors.std():.4f}, predicted {predicted:.4f}; averaged over 25 crossbars {averaged.std():.4f}")  # fmt: skip

# %% [markdown]
r"""
**Neurons that fire.** A *leaky integrate-and-fire* neuron has a voltage $V$ which a current drives upwards and a leak pulls back to zero, $\tau\,\dot V = -V + u$, with the drive $u$ in units of the threshold. When $V$ reaches the threshold 1, the neuron sends a spike, and the voltage falls by 1. For a constant drive, the equation is solved by $V = u\,(1 - e^{-t/\tau})$, so that the rate of the spikes is exactly

$$f(u) = \frac{1}{\tau\, \ln\frac{u}{u - 1}} \quad (u > 1), \qquad f = 0 \quad (u \le 1).$$

In steps of $\Delta t$ the exact solution is $V \to d\,V + c$ with the decay $d = e^{-\Delta t/\tau}$ and the input $c = u\,(1 - d)$. With $d = 1$ the neuron adds up its input and forgets nothing.

**Your task.** Write one step: leak, add the input, fire, reset.
"""


# %% task="M21.2" points=2
def fire(voltage, current, decay):
    """One step of integrate-and-fire neurons with the threshold 1.

    voltage, current: arrays of one shape, in units of the threshold; decay: share of the voltage that is left, 0 to 1.
    Returns the new voltage and the spikes (1.0 or 0.0). A neuron at 1 or above fires once, and its voltage falls by 1.
    """
    ### BEGIN SOLUTION
    charged = decay * voltage + current
    spikes = np.where(charged >= 1.0, 1.0, 0.0)
    return charged - spikes, spikes
    ### END SOLUTION


# %% check="M21.2"
check("M21.2", fire)

# %% [markdown]
r"""
Without leak, the number of spikes in $T$ steps is the sum of the inputs, rounded down, if that is positive: the rate is a ReLU, between 0 and 1. So a trained network becomes a spiking one without training. We divide the weights of each layer by the largest activation that occurs in the training (its 99.9 % quantile), so that no neuron has to fire more than once in a step. All neurons run at the same time: each layer works with the spikes that arrive, at first very few, and the output adds up what it gets.
"""

# %%
fire = check.catch_up("M21.2", fire)
TAU, STEP = 20.0, 0.1  # ms
drives = np.linspace(0.5, 4, 36)
voltage, count = np.zeros(36), np.zeros(36)
for _ in range(20_000):
    voltage, spikes = fire(voltage, drives * (1 - np.exp(-STEP / TAU)), np.exp(-STEP / TAU))
    count += spikes
rates = 1000 * count / (20_000 * STEP)  # per second
above = np.maximum(drives, 1 + 1e-12)
exact_rates = 1000 * np.where(drives > 1, 1 / (TAU * np.log(above / (above - 1))), 0)

activations, largest = x_train[:4000], []
for kernel, offset in zip(kernels[:2], offsets[:2], strict=True):
    activations = np.maximum(activations @ kernel + offset, 0)
    largest.append(np.quantile(activations, 0.999))


def spiking_logits(x, steps):
    """Output of the spiking network after 1, 2, ..., steps, and the mean number of spikes for a pulse; (steps, n)."""
    voltages = [np.zeros((len(x), 64)) for _ in range(2)]
    from_pulse = (x @ kernels[0] + offsets[0]) / largest[0]
    output, outputs, fired = 0.0, [], 0.0
    for _ in range(steps):
        voltages[0], first = fire(voltages[0], from_pulse, 1.0)
        into_second = (largest[0] * first @ kernels[1] + offsets[1]) / largest[1]
        voltages[1], second = fire(voltages[1], into_second, 1.0)
        output = output + (largest[1] * second @ kernels[2] + offsets[2])[:, 0]
        outputs.append(output)
        fired += first.sum() + second.sum()
    return np.array(outputs), fired / len(x)


outputs, spikes_used = spiking_logits(x_few, 512)
spiking = ((outputs > 0) == truth_few).mean(axis=1)
by_network = ((through_crossbars(x_few, 0.0, 1) > 0) == truth_few).mean()
limit_few = ((series.evidence(test.signal[:4000]) < 0) == truth_few).mean()
for steps in (1, 4, 16, 64, 256, 512):
    print(f"{steps:3d} time steps: accuracy {spiking[steps - 1]:.3f}; the network itself {by_network:.3f}")  # fmt: skip
print(f"{spikes_used:.0f} spikes for a pulse in 512 steps: {spikes_used / 128 / 512:.3f} for each neuron and step")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 3.9))
for place, (name, chips) in enumerate(on_chips.items()):
    axes[0].errorbar(100 * spreads, chips.mean(axis=1), chips.std(axis=1), marker="os"[place], capsize=3, label=f"{name} (spread of 12 chips)")  # fmt: skip
axes[0].set(xlabel="error of a weight (% of the largest)", ylabel="accuracy (fraction correct)", title="Parallel crossbars average their errors")  # fmt: skip
axes[1].plot(drives, exact_rates, color=plotting.INK, ls="--", label="exact")
axes[1].plot(drives, rates, "o", ms=4, label=f"simulated, steps of {STEP} ms")
axes[1].set(xlabel="drive $u$ (thresholds)", ylabel="rate (1/s)", title="A leaky neuron is silent below $u = 1$")  # fmt: skip
axes[2].plot(np.arange(1, 513), spiking, label="spiking network")
axes[2].axhline(
    by_network, color=plotting.COLOURS[2], lw=1.2, label="the same network with numbers"
)
axes[2].set(xscale="log", xlabel="time steps", ylabel="accuracy (fraction correct)", title="Spikes reach the network with time")  # fmt: skip
for axis in (axes[0], axes[2]):
    axis.axhline(limit_few, color=plotting.INK, ls="--", lw=1, label="limit")
for axis in axes:
    axis.legend(fontsize=8)
plotting.show(f"Left: accuracy against the error of the conductances, for one crossbar and for 25 in parallel, which stand five times the error. Middle: firing rate of a leaky neuron against its drive on the exact curve, zero below threshold. Right: accuracy of the spiking network rising with the number of time steps to that of the network, {by_network:.3f}.", figure)  # fmt: skip

# %% covers="M21.2"
no_leak = 1000 * drives / TAU
driven = drives > 1.2
check.claim("M21.2", errors.std() / predicted, 1.0, tolerance=0.05, wrong=averaged.std() / predicted)  # fmt: skip
check.claim("M21.2", averaged.std() / errors.std(), 0.2, tolerance=0.03, wrong=1 / 25)
check.claim("M21.2", np.abs(rates[driven] / exact_rates[driven] - 1).max(), at_most=0.02, wrong=np.abs(no_leak[driven] / exact_rates[driven] - 1).max())  # fmt: skip
check.claim("M21.2", rates[drives < 0.99].max(), 0.0, wrong=no_leak[drives < 0.99].max())
check.claim("M21.2", by_network - spiking[-1], at_most=0.01, wrong=by_network - spiking[0])

# %% [markdown]
r"""
## Section 21.3: information field theory

Here there are no training data at all. One looks at one sky, through gaps, with noise, and wants the field $s$ behind the data

$$d = R\,s + n .$$

The **response** $R$ says what the instrument does (blur, omit, project); the noise $n$ is Gaussian with the covariance $N$. What replaces the training is an assumption: the field is smooth, and how smooth says its covariance $S$, the two-point correlation function. Then Bayes' theorem gives the posterior of $s$, a Gaussian with the mean

$$m = \big(S^{-1} + R^T N^{-1} R\big)^{-1} R^T N^{-1} d = S R^T \big(R S R^T + N\big)^{-1} d,$$

the **Wiener filter**, and the covariance $D = S - S R^T (R S R^T + N)^{-1} R S$. The two forms are equal (multiply them out), but not for a computer. A smooth field has modes with hardly any power, $S$ is nearly singular, and $S^{-1}$ is full of rounding errors. The second form needs no inverse of $S$, and none of the bracket either: `np.linalg.solve(A, B)` gives $A^{-1}B$, faster and more exactly than `np.linalg.inv(A) @ B`.

**Your task.** Return the posterior mean and the posterior standard deviation at each point, from the second form.
"""


# %% task="M21.3" points=3
def wiener_filter(data, response, covariance, noise):
    """Posterior mean and standard deviation of a Gaussian field.

    data: (k,); response: R, (k, n); covariance: S, (n, n), may be singular; noise: standard deviation of each datum, (k,).
    Returns two arrays (n,): the mean, and the square root of the diagonal of D.
    """
    ### BEGIN SOLUTION
    seen = response @ covariance
    solved = np.linalg.solve(seen @ response.T + np.diag(noise**2), np.column_stack([data, seen]))
    mean, explained = seen.T @ solved[:, 0], np.einsum("ki,ki->i", seen, solved[:, 1:])
    return mean, np.sqrt(np.maximum(np.diag(covariance) - explained, 0.0))
    ### END SOLUTION


# %% check="M21.3"
check("M21.3", wiener_filter)

# %% [markdown]
r"""
A sky with 256 pixels on a ring, with the power spectrum $P(k) \propto (1 + (k/6)^2)^{-2}$. The telescope averages over three pixels, has noise of 0.3 (the field has a spread of 1), and there are three gaps. Three questions:

- Is the **error** as small as it can be? The posterior mean is the *limit*: no estimate has a smaller mean squared error on average, and the expected value is the mean of $D_{ii}$, known before any data. The *baseline* interpolates linearly over the gaps and takes a moving average, with the best width.
- Is the **uncertainty** right? The truth must lie within one standard deviation in 68 % of the cases, in the gaps too.
- What does a **wrong assumption** do: a field that is taken for two times smoother than it is?
"""

# %%
wiener_filter = check.catch_up("M21.3", wiener_filter)
N_PIXELS, NOISE = 256, 0.3
place = np.arange(N_PIXELS)
frequency = np.abs(np.fft.fftfreq(N_PIXELS, 1 / N_PIXELS))


def spectrum(k0):
    """Power of each mode, for a field of variance 1."""
    power = (1 + (frequency / k0) ** 2) ** -2
    return power / power.mean()


def field_covariance(k0):
    """Covariance of all pairs of pixels: the Fourier transform of the spectrum, a function of their distance."""
    return np.fft.ifft(spectrum(k0)).real[(place[:, None] - place) % N_PIXELS]


gaps = np.zeros(N_PIXELS, bool)
for first, last in [(30, 62), (110, 124), (170, 234)]:
    gaps[first:last] = True
blur = sum(np.roll(np.eye(N_PIXELS), shift, axis=1) for shift in (-1, 0, 1)) / 3
response = blur[~gaps]
noise = np.full(len(response), NOISE)
white = random.normal(size=(N_SKIES, N_PIXELS))
skies = np.fft.ifft(np.fft.fft(white) * np.sqrt(spectrum(6))).real
observed = skies @ response.T + noise * random.normal(size=(N_SKIES, len(noise)))


def moving_average(data, width):
    """The baseline: linear interpolation over the gaps, then a mean over `width` pixels."""
    filled = np.interp(place, place[~gaps], data, period=N_PIXELS)
    return np.mean([np.roll(filled, shift) for shift in range(-(width // 2), width // 2 + 1)], axis=0)  # fmt: skip


def root_mean_square(estimate):
    """Over all pixels and skies, with the error from the scatter of the skies."""
    mean, error = metrics.mean_with_error(((estimate - skies) ** 2).mean(axis=1))
    return np.sqrt(mean), error / (2 * np.sqrt(mean))


found, covered, where = {}, {}, {}
for name, k0 in [("Wiener filter", 6), ("Wiener filter, too smooth", 3)]:
    results = [wiener_filter(d, response, field_covariance(k0), noise) for d in observed]
    mean, sigma = np.array([m for m, _ in results]), results[0][1]
    inside = np.abs(skies - mean) < sigma
    found[name], covered[name] = (mean, sigma), metrics.mean_with_error(inside.mean(axis=1))
    where[name] = inside[:, gaps].mean(), inside[:, ~gaps].mean()
rmse = {name: root_mean_square(mean) for name, (mean, _) in found.items()}
averages = {width: np.array([moving_average(d, width) for d in observed]) for width in (1, 3, 5, 7, 9)}  # fmt: skip
width = min(averages, key=lambda width: root_mean_square(averages[width])[0])
rmse["moving average (baseline)"] = root_mean_square(averages[width])
expected = np.sqrt((found["Wiener filter"][1] ** 2).mean())
for name, (value, error) in rmse.items():
    print(f"{name:26s} error {value:.3f} +- {error:.3f}", end="")
    print(f"; within one standard deviation {covered[name][0]:.3f} +- {covered[name][1]:.3f}, gaps {where[name][0]:.3f}, elsewhere {where[name][1]:.3f}" if name in covered else f"; best width {width}")  # fmt: skip
print(f"{'limit: posterior mean':26s} error {expected:.3f}")

# %%
figure, axes = plt.subplots(2, 1, figsize=(9.5, 5.6), sharex=True, sharey=True)
for axis, (name, (mean, sigma)) in zip(axes, found.items(), strict=True):
    axis.fill_between(place, mean[0] - sigma, mean[0] + sigma, color=plotting.COLOURS[0], alpha=0.3, lw=0, label="one standard deviation")  # fmt: skip
    axis.plot(place, mean[0], color=plotting.COLOURS[0], label="posterior mean")
    axis.plot(place, averages[width][0], color=plotting.COLOURS[1], lw=1, ls=":", label="baseline: moving average")  # fmt: skip
    axis.plot(place, skies[0], color=plotting.INK, lw=1, label="truth")
    axis.plot(place[~gaps], observed[0], ".", ms=3, color=plotting.GREY, label="data")
    axis.set(ylabel="field", title=f"{name}: {covered[name][0]:.0%} of the truth within one standard deviation, over all skies")  # fmt: skip
axes[0].legend(fontsize=8, ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.35))
axes[1].set_xlabel("pixel on the ring")
plotting.show("A field on a ring with three gaps. With the right spectrum the band of one standard deviation is narrow at the data, wide in the gaps, and holds the truth about two times in three. With a spectrum that is too smooth the band is too narrow.", figure)  # fmt: skip

# %% [markdown]
r"""
The error agrees with the expected one, and the uncertainty is calibrated, also in the gaps, where it grows to the spread of the field itself: the filter knows what it does not know. An assumption that is too smooth costs some accuracy; worse, the error bars are no longer true, and where the filter is wrong it is also sure. Nothing in the single sky says so at a glance; the assumption *is* the training data.
"""

# %% covers="M21.3"
check.claim("M21.3", covered["Wiener filter"][0], 0.683, tolerance=0.03, wrong=covered["Wiener filter, too smooth"][0])  # fmt: skip
check.claim("M21.3", where["Wiener filter"][0], 0.683, tolerance=0.04, wrong=where["Wiener filter, too smooth"][1])  # fmt: skip
check.claim("M21.3", rmse["Wiener filter"][0] / expected, 1.0, tolerance=4 * rmse["Wiener filter"][1] / expected, wrong=rmse["moving average (baseline)"][0] / expected)  # fmt: skip

# %% [markdown]
r"""
### Counting stars behind diffuse light

The book's example: one image, an unknown number of stars, hidden by diffuse light. Again two assumptions separate them. The diffuse light is smooth, with a known spectrum; a star is one pixel ("delta functions rarely arise" in smooth fields). For a single star of unknown brightness in pixel $i$, the best test (Neyman and Pearson) of the data is

$$z_i = \frac{(C^{-1} d)_i}{\sqrt{(C^{-1})_{ii}}}, \qquad C = S + N,$$

a normal number without a star, and shifted by $a\sqrt{(C^{-1})_{ii}}$ with a star of brightness $a$. The whole image is seen, so $C$ is diagonal in Fourier space and the inverse is a division. We count $z > 4$; in 4096 pixels that happens by chance in one of eight images. The *baseline* takes as many of the brightest pixels. The *oracle* knows where the stars are and applies the test to each one alone, as if there were no other.
"""

# %%
SIDE, STARS = 64, 40
waves = np.fft.fftfreq(SIDE, 1 / SIDE)
power = (1 + (waves[:, None] ** 2 + waves**2) / 3**2) ** -2
power *= 9 / power.mean()  # diffuse light with a spread of 3
inverse = 1 / (power + 0.5**2)  # noise of 0.5
sharpness = np.sqrt(inverse.mean())  # the root of a diagonal element of the inverse covariance


def through_fourier(image, factor):
    return np.fft.ifft2(np.fft.fft2(image) * factor).real


counts = []
for _ in range(N_IMAGES):
    diffuse = through_fourier(random.normal(size=(SIDE, SIDE)), np.sqrt(power))
    empty = diffuse + random.normal(0, 0.5, (SIDE, SIDE))
    stars = np.zeros(SIDE * SIDE)
    at = random.choice(SIDE * SIDE, STARS, replace=False)
    stars[at] = random.uniform(1, 8, STARS)
    image = empty + stars.reshape(SIDE, SIDE)
    z = through_fourier(image, inverse) / sharpness
    chosen = z.ravel() > 4
    alone = through_fourier(empty, inverse).ravel()[at] / sharpness + stars[at] * sharpness > 4
    brightest = np.argsort(-image.ravel())[: chosen.sum()]
    counts.append([chosen[at].sum(), chosen.sum() - chosen[at].sum(), alone.sum(), np.isin(brightest, at).sum()])  # fmt: skip
stars_found, stars_false, stars_oracle, stars_bright = (metrics.mean_with_error(np.array(column, float)) for column in zip(*counts, strict=True))  # fmt: skip
for name, (value, error) in [("found", stars_found), ("false", stars_false), ("found by the oracle", stars_oracle), ("among the brightest pixels", stars_bright)]:  # fmt: skip
    print(f"stars {name:27s} {value:5.2f} +- {error:.2f}, of {STARS}")
cleaned = np.where(chosen.reshape(SIDE, SIDE), image - z / sharpness, image)

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 4.1))
panels = [("data", image), ("test $z$; rings: found, crosses: missed", z), ("diffuse light: posterior mean", through_fourier(cleaned, power * inverse))]  # fmt: skip
for axis, (name, values) in zip(axes, panels, strict=True):
    shown = axis.imshow(values, cmap="viridis")
    axis.set(title=name, xlabel="pixel", ylabel="pixel")
    figure.colorbar(shown, ax=axis, shrink=0.75)
rows, columns = np.nonzero(chosen.reshape(SIDE, SIDE))
axes[1].scatter(columns, rows, s=60, fc="none", ec="white", lw=0.8)
missed = at[~chosen[at]]
axes[1].scatter(missed % SIDE, missed // SIDE, s=30, marker="x", color=plotting.COLOURS[1], lw=1)
figure.suptitle(f"{stars_found[0]:.0f} of {STARS} stars found with {stars_false[0]:.1f} false ones an image; among the brightest pixels are {stars_bright[0]:.0f}")  # fmt: skip
plotting.show("An image with diffuse light in which hardly a star is seen; the test statistic, in which the stars stand out of flat noise; the reconstructed diffuse light.", figure)  # fmt: skip

# %% covers="M21.3"
check.claim("M21.3", stars_found[0] / stars_oracle[0], at_least=0.93, wrong=stars_bright[0] / stars_oracle[0])  # fmt: skip
check.claim("M21.3", stars_false[0], at_most=1.0, wrong=STARS - stars_bright[0])

# %% [markdown]
r"""
## Section 21.4: laws that a human can read

A pendulum with the length $\ell$ and friction obeys

$$\ddot\theta = -\frac{g}{\ell}\,\sin\theta - \gamma\,\dot\theta .$$

Suppose that we do not know this. We have only recordings of the angle and the angular velocity, 50 times a second, each number with an error of 0.03 (rad, rad/s). **Sparse regression** writes the acceleration as a sum over a library of functions,

$$\ddot\theta \approx \sum_j c_j\, f_j(\theta, \dot\theta), \qquad f \in \{1, \theta, \theta^2, \theta^3, \dot\theta, \dot\theta^2, \dot\theta^3, \theta\dot\theta, \dot\theta|\dot\theta|, \sin\theta, \cos\theta\},$$

and looks for a solution with *few* terms: a law of nature is short. The method (Brunton, Proctor and Kutz 2016) is least squares with a threshold:

1. fit all $c_j$ by least squares;
2. strike out the terms that contribute little, $|c_j|\,\mathrm{rms}(f_j) < \epsilon\,\mathrm{rms}(\ddot\theta)$;
3. fit those that are left anew, and repeat until nothing is struck out.

The threshold compares *contributions*, so it does not depend on the units of the functions.

**Your task.** Write this regression. `np.linalg.lstsq(A, y, rcond=None)[0]` solves a least squares problem.
"""


# %% task="M21.4" points=3
def sparse_regression(features, target, threshold):
    """Least squares with few terms: those with a small contribution are struck out, until nothing changes.

    features: (n, terms); target: (n,); threshold: smallest contribution |c_j| rms(features[:, j]) of a term,
    as a share of rms(target). Returns the coefficients (terms,), exactly 0 where a term was struck out.
    """
    ### BEGIN SOLUTION
    sizes = np.sqrt((features**2).mean(axis=0) / (target**2).mean())
    kept = np.arange(features.shape[1])
    while True:
        fitted = np.linalg.lstsq(features[:, kept], target, rcond=None)[0]
        large = np.abs(fitted) * sizes[kept] >= threshold
        if large.all():
            coefficients = np.zeros(features.shape[1])
            coefficients[kept] = fitted
            return coefficients
        kept = kept[large]
    ### END SOLUTION


# %% check="M21.4"
check("M21.4", sparse_regression)

# %% [markdown]
r"""
Your pendulum has its own length and friction. The acceleration is not measured: in a window of 13 measurements a cubic polynomial is fitted to the velocity, and its slope in the middle is the acceleration. 60 motions start from rest at angles up to 3 rad. (The difference of two neighbours would have seven times the error.) The errors of the coefficients come from a bootstrap: whole motions are drawn with replacement, and the fit is repeated.
"""

# %%
sparse_regression = check.catch_up("M21.4", sparse_regression)
STRENGTH, FRICTION = random.uniform(9, 12), random.uniform(0.3, 0.5)  # g / l in 1/s^2, gamma in 1/s
SAMPLING, ERROR, THRESHOLD = 0.02, 0.03, 0.05  # s; rad and rad/s; of the regression
NAMES = [
    "1",
    "θ",
    "θ²",
    "θ³",
    "ω",
    "ω²",
    "ω³",
    "θω",
    "ω|ω|",
    "sin θ",
    "cos θ",
]  # ω: the angular velocity
LAW = ["ω", "sin θ"]


def swing(amplitudes, friction, points=251, substeps=2):
    """Motions from rest in Runge-Kutta steps; (n, points, 2), angle and angular velocity every 0.02 s."""

    def change(state):
        angle, velocity = state.T
        return np.stack([velocity, -STRENGTH * np.sin(angle) - friction * velocity], axis=1)

    h, state = SAMPLING / substeps, np.stack([amplitudes, 0 * amplitudes], axis=1)
    path = [state]
    for number in range((points - 1) * substeps):
        k1 = change(state)
        k2 = change(state + h / 2 * k1)
        k3 = change(state + h / 2 * k2)
        k4 = change(state + h * k3)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if (number + 1) % substeps == 0:
            path.append(state)
    return np.stack(path, axis=1)


def smoothed(values, half=6):
    """Value and slope in the middle of each window, by a fit of a cubic polynomial; (n, points) to two (n, points - 12)."""
    powers = np.vander(np.arange(-half, half + 1) * SAMPLING, 4, increasing=True)
    windows = np.lib.stride_tricks.sliding_window_view(values, 2 * half + 1, axis=1)
    value, slope = np.linalg.pinv(powers)[:2]
    return windows @ value, windows @ slope


def measured(amplitude, error, draw, motions):
    """Angle, angular velocity, acceleration of motions with amplitudes up to the given one; each (motions, 239)."""
    starts = draw.uniform(0.2, 1, motions) * amplitude * draw.choice([-1, 1], motions)
    path = swing(starts, FRICTION)
    path = path + error * draw.normal(size=path.shape)
    angle, _ = smoothed(path[..., 0])
    velocity, acceleration = smoothed(path[..., 1])
    return angle, velocity, acceleration


def library(angle, velocity):
    """The functions of the library, (n, 11), of all measurements in a row."""
    t, w = np.ravel(angle), np.ravel(velocity)
    return np.stack([t**0, t, t**2, t**3, w, w**2, w**3, t * w, w * np.abs(w), np.sin(t), np.cos(t)], axis=1)  # fmt: skip


def formula(coefficients):
    terms = [f"{c:+.3f} {name}" for c, name in zip(coefficients, NAMES, strict=True) if c != 0]
    return "acceleration = " + " ".join(terms)


angle, velocity, acceleration = measured(3.0, ERROR, random, 60)
direct = sparse_regression(library(angle, velocity), acceleration.ravel(), THRESHOLD)
everything = np.linalg.lstsq(library(angle, velocity), acceleration.ravel(), rcond=None)[0]
again = []
for _ in range(100):
    some = random.integers(0, len(angle), len(angle))
    columns = library(angle[some], velocity[some])[:, direct != 0]
    again.append(np.linalg.lstsq(columns, acceleration[some].ravel(), rcond=None)[0])
direct_error = np.zeros(len(NAMES))
direct_error[direct != 0] = np.std(again, axis=0)

straight = np.linalg.lstsq(np.column_stack([angle.ravel(), velocity.ravel()]), acceleration.ravel(), rcond=None)[0]  # fmt: skip
truth = np.zeros(len(NAMES))
truth[[NAMES.index(name) for name in LAW]] = -FRICTION, -STRENGTH
print("truth:            ", formula(truth))
print("sparse regression:", formula(direct))
print("without threshold:", formula(everything))
for name in LAW:
    j = NAMES.index(name)
    print(f"{name:6s} truth {truth[j]:8.4f}, found {direct[j]:8.4f} +- {direct_error[j]:.4f}")

# %% [markdown]
r"""
How do we know that `swing` moves as a pendulum does? Without friction the motion is known in closed form, by elliptic functions.
"""

# %% covers="M21.4"
starts = np.array([[0.3, 0.0], [1.5, 0.0], [3.0, 0.0]])
closed = oscillators.pendulum(SAMPLING * np.arange(251), starts, inertia=1.0, torque=STRENGTH)
harmonic = np.cos(np.sqrt(STRENGTH) * SAMPLING * np.arange(251)) * starts[:, :1]
deviation = np.abs(swing(starts[:, 0], 0.0) - closed).max()
check.claim("M21.4", deviation, at_most=1e-3, wrong=np.abs(harmonic - closed[..., 0]).max())

# %% covers="M21.4"
sine, linear = NAMES.index("sin θ"), NAMES.index("ω")
check.claim("M21.4", formula(direct != 0), formula(truth != 0), wrong=formula(everything != 0))
check.claim("M21.4", direct[sine], -STRENGTH, tolerance=4 * direct_error[sine], wrong=straight[0])  # fmt: skip
check.claim("M21.4", direct[linear], -FRICTION, tolerance=4 * direct_error[linear], wrong=-direct[linear])  # fmt: skip

# %% [markdown]
r"""
### A pendulum of your own

The next cell holds ten seconds of one more pendulum, with a sensor that measures angle, angular velocity and angular acceleration. It belongs to your name: nobody else has its length and its friction. You know the law by now; what is left are its two constants.

**Your task.** Return $g/\ell$ in 1/s² and $\gamma$ in 1/s of your pendulum.
"""

# %%
own_angle, own_velocity, own_acceleration = check.own_data("M21.4b")
print(f"{len(own_angle)} measurements, angles up to {np.abs(own_angle).max():.2f} rad")


# %% task="M21.4b" points=1
def own_pendulum(angle, velocity, acceleration):
    """Two numbers: g / l in 1/s^2 and the friction gamma in 1/s of your own pendulum.

    angle, velocity, acceleration: (n,) in rad, rad/s, rad/s^2: what `check.own_data("M21.4b")` returns.
    """
    ### BEGIN SOLUTION
    terms = np.stack([np.sin(angle), velocity], axis=1)
    strength, friction = -sparse_regression(terms, acceleration, 0.0)
    return strength, friction
    ### END SOLUTION


# %% check="M21.4b"
check("M21.4b", own_pendulum)

# %% [markdown]
r"""
### What a network knows

Now the detour. Networks with two hidden layers of 32 nodes learn the acceleration as a function of $(\theta, \dot\theta)$ from the same data, without any library. Then the regression is done on their *answers* at the measured states. This is what one does with a network whose knowledge one wants to read. We read single networks, and the mean of their answers.
"""


# %%
def pendulum_network():
    hidden = [layers.Dense(32, activation="swish") for _ in range(2)]
    return keras.Sequential(
        [keras.Input((2,)), layers.Rescaling([1.0, 0.25]), *hidden, layers.Dense(1)]
    )


states = np.stack([angle.ravel(), velocity.ravel()], axis=1).astype("float32")
functions = library(*states.T.astype(float))
scale = acceleration.std()
pendulum = pendulum_network()
rate = keras.optimizers.schedules.CosineDecay(2e-2, EPOCHS_LAW * -(-len(states) // 200))
pendulum.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=24)
wide = np.linspace(-2 * np.pi, 2 * np.pi, 400)
at_rest = np.stack([wide, 0 * wide], axis=1)
answers, answers_wide = [], []
for number in range(NETWORKS):
    keras.utils.set_random_seed(check.seed + number)
    start_from(pendulum, pendulum_network().get_weights())
    targets = (acceleration.ravel() / scale).astype("float32")
    pendulum.fit(states, targets, batch_size=200, epochs=EPOCHS_LAW, verbose=0)
    answers.append(scale * np.asarray(pendulum(states))[:, 0].astype(float))
    answers_wide.append(scale * np.asarray(pendulum(at_rest.astype("float32")))[:, 0])

readings = [sparse_regression(functions, answer, THRESHOLD) for answer in answers]
reading = sparse_regression(functions, np.mean(answers, axis=0), THRESHOLD)
print(f"error of an acceleration from the measurements: {np.std(acceleration.ravel() - functions @ truth):.3f} rad/s²")  # fmt: skip
for one, answer in zip(readings, answers, strict=True):
    error = np.sqrt(np.mean((answer - functions @ truth) ** 2))
    print(f"a network, error {error:.3f} rad/s²: {formula(one)}")
print(f"mean of {NETWORKS} networks:             {formula(reading)}")
print(f"truth:                          {formula(truth)}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(11.5, 4.3))
bars = np.arange(len(NAMES))
shown = {"plain least squares": everything, "sparse regression": direct, "sparse regression on networks": reading}  # fmt: skip
for shift, (name, values) in zip((-0.27, 0, 0.27), shown.items(), strict=True):
    axes[0].bar(bars + shift, values, 0.27, label=name)
axes[0].plot(bars, truth, "_", ms=22, mew=1.5, color=plotting.INK, label="truth")
kept = [int((values != 0).sum()) for values in (direct, reading)]
axes[0].set(xticks=bars, xticklabels=NAMES, ylabel="coefficient (rad/s² per unit of the term)", title=f"Of eleven terms {kept[0]} are left (on networks: {kept[1]})")  # fmt: skip
axes[0].set_yscale("symlog", linthresh=0.001)
axes[0].legend(fontsize=8, loc="upper right")
axes[1].axvspan(angle.min(), angle.max(), color=plotting.GREY, alpha=0.15, lw=0, label="angles in the data")  # fmt: skip
for number, answer in enumerate(answers_wide):
    axes[1].plot(wide, answer, color=plotting.COLOURS[0], lw=1, label=f"{NETWORKS} networks" if number == 0 else None)  # fmt: skip
axes[1].plot(wide, library(*at_rest.T) @ reading, color=plotting.COLOURS[1], label="formula read from networks")  # fmt: skip
axes[1].plot(wide, library(*at_rest.T) @ truth, "--", color=plotting.INK, lw=1, label="truth")
axes[1].set(xlabel="angle (rad)", ylabel="acceleration at rest (rad/s²)", title="The formula goes on where the networks end", ylim=(-28, 28))  # fmt: skip
axes[1].legend(fontsize=8, loc="upper left")
plotting.show("Left: coefficients of eleven terms. Plain least squares uses all of them, sparse regression only a few. Right: acceleration against angle. The networks agree with the truth within the data and leave it outside; the formula that was read from them follows the sine.", figure)  # fmt: skip

# %% [markdown]
r"""
Data and networks give the same law. Plain least squares fits the data as well, with eleven terms. The networks average the noise of the measurement away; what is left are small errors of their own, and these are *smooth*. If a single network is trained too briefly, the regression takes such an error for physics and reports a straight line and a cube beside the sine. Reading a network needs a better network than predicting does.

Outside the data the networks have learnt nothing. The formula goes on, and rightly so: a pendulum that turns over is still a pendulum. But this is a belief about formulas and not a property of the data, and what the library does not contain cannot be found.
"""

# %% covers="M21.4"
outside = np.abs(wide) > 3.5
true_answer = library(*at_rest.T) @ truth
misses = [np.sqrt(np.mean((values - true_answer)[outside] ** 2)) for values in (library(*at_rest.T) @ reading, answers_wide[0])]  # fmt: skip
check.claim("M21.4", formula(reading != 0), formula(truth != 0), wrong=formula(everything != 0))
check.claim("M21.4", reading[sine] / truth[sine], 1.0, tolerance=0.01, wrong=straight[0] / truth[sine])  # fmt: skip
check.claim("M21.4", reading[linear] / truth[linear], 1.0, tolerance=0.03, wrong=-1.0)
check.claim("M21.4", misses[0] / STRENGTH, at_most=0.05, wrong=misses[1] / STRENGTH)

# %% [markdown]
r"""
### Where it fails

For small angles $\sin\theta = \theta - \theta^3/6 + \dots$ is a straight line, and $\cos\theta$ is a parabola. The library then contains the same function several times, and least squares divides the force among them, with huge coefficients of both signs that cancel: large contributions, which no threshold strikes out. We repeat the experiment with smaller and smaller amplitudes, for our instrument and for one that is ten times better.

**Before you run it:** will the better instrument solve the problem?
"""

# %%
amplitudes = [0.2, 0.4, 0.8, 1.2, 1.6, 2.2, 3.0]
share = {}
for error in (ERROR, ERROR / 10):
    correct = []
    for amplitude in amplitudes:
        hits = []
        for number in range(REPEATS):
            angle_, velocity_, target = measured(amplitude, error, np.random.default_rng([check.seed, number]), 20)  # fmt: skip
            coefficients = sparse_regression(library(angle_, velocity_), target.ravel(), THRESHOLD)
            hits.append([NAMES[j] for j in np.flatnonzero(coefficients)] == LAW)
        correct.append(np.mean(hits))
    share[f"errors of {error:g} (rad, rad/s)"] = np.array(correct)
small = np.linspace(-0.2, 0.2, 401)
alike = np.corrcoef(small, np.sin(small))[0, 1]
print(f"correlation of θ and sin θ within 0.2 rad: {alike:.7f}")
for name, values in share.items():
    print(f"{name:15s} " + ", ".join(f"{a} rad: {value:.0%}" for a, value in zip(amplitudes, values, strict=True)))  # fmt: skip

# %%
uncertainty = {name: np.sqrt(values * (1 - values) / REPEATS) for name, values in share.items()}
plotting.lines(
    amplitudes,
    share,
    errors=uncertainty,
    xlabel="largest amplitude (rad)",
    ylabel=f"law found (share of {REPEATS} experiments)",
    title="Small swings do not tell a sine from a straight line",
)

# %% covers="M21.4"
precise, ordinary = (
    share[f"errors of {ERROR / 10:g} (rad, rad/s)"],
    share[f"errors of {ERROR:g} (rad, rad/s)"],
)
check.claim("M21.4", precise[0], at_most=0.3, wrong=precise[-1])
check.claim("M21.4", ordinary[-1], at_least=0.8, wrong=precise[0])
check.claim("M21.4", alike, at_least=0.99999, wrong=np.corrcoef(10 * small, np.sin(10 * small))[0, 1])  # fmt: skip

# %% [markdown]
r"""
The better instrument moves the border to smaller angles, but less than one might hope: the difference of $\sin\theta$ and $\theta - \theta^3/6$ falls with the fifth power of the angle, so ten times better measurements win a factor of 1.6 or so. An experiment must go where the candidate laws differ; no analysis can replace that.
"""

# %%
check.quiz("M21.4-q1")

# %% tags=["instructor"]
# M21.1: let the group quantise the biases too, or the inputs: the first layer is the most sensitive one. A first layer with 8 bits and binary ones behind it is common practice.
# M21.2: give the hidden neurons a leak (decay 0.9) and look again. The weights belong to a ReLU, which a leaky neuron is not; training through spikes needs a surrogate gradient, a relative of the straight-through estimator.
# M21.3: ask what happens to the coverage if the noise is underestimated; then let the group estimate the spectrum from the data (this is where information field theory goes on).
# M21.4: replace the angular velocity by the derivative of the angle: the noise of the acceleration grows more than tenfold.
for question, answer in [("M21.1-q1", 3), ("M21.4-q1", 2)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Weights need few bits if the training knows of it. The straight-through estimator calculates with the staircase and differentiates the straight line.
- Noise of the hardware averages; a spike train is a ReLU that takes its time.
- An assumption about smoothness can replace training data, and it comes with calibrated errors as long as it is true. Solve, do not invert.
- A short formula can be read off data or off a network, if the library contains it and the data go where the candidates differ.
"""

# %%
check.summary()
