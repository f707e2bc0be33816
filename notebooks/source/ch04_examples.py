# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 4, title: "Optimization: one ingredient at a time", level: 2, minutes: 90, sections: "4.1-4.8", data: [wine], fast: {N_QUAKES: 10000, EPOCHS: 50, N_DRAWS: 200, REPEATS: 5}}
# ---
# %% [markdown]
r"""
# Optimization: one ingredient at a time

**You will**

- prepare inputs so that nothing is lost and every step counts, and find a recipe of the book that loses something;
- measure how noisy the gradient of a minibatch is, and what initial weights do to twenty layers;
- write backpropagation for a network of any depth, and count what it costs;
- scan learning rates, and write momentum, Adagrad, RMSprop and Adam so that they agree with Keras.

**You need** exercise 4.1, matrix products, the chain rule. **Time:** about 90 minutes, in any order; the cells themselves run in well under a minute.

**You will see** an exact answer beside nearly everything, since each ingredient is looked at where it can be calculated.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, plotting
from dlphys.autodiff import value_and_gradients
from dlphys.simulators import earthquakes, toys

check = checks.start("ch04_examples")

from itertools import pairwise

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_QUAKES = 100_000  # earthquakes of example 4.1
EPOCHS = 100  # of the interpolation of example 4.2
N_DRAWS = 400  # minibatches for each batch size
REPEATS = 8  # repetitions, for the error of an exponent

# %% [markdown]
r"""
## Example 4.1: 100 000 earthquakes at 50 stations

Fifty stations register the times $t_p$, $t_s$ and the largest amplitudes $A_p$, $A_s$ of both waves: 200 inputs an earthquake. The times are Unix times, seconds since 1970, between 2015 and 2020. Networks calculate in single precision, with 24 binary digits.
"""

# %%
stations = random.uniform(-300, 300, size=(50, 2))  # km
epicentres = random.uniform(-300, 300, size=(N_QUAKES, 2))
origin = random.uniform(1_420_070_400, 1_577_836_800, size=(N_QUAKES, 1))  # 2015 to 2020, s
travel = earthquakes.travel_times(epicentres, stations)
p_times, s_times = origin + travel[..., 0], origin + travel[..., 1]

in_single = p_times.astype("float32")
print(f"one number to the next in single precision: {np.spacing(in_single[0, 0]):.0f} s")
print(f"first and last arrival of an earthquake: {np.median(np.ptp(p_times, axis=1)):.0f} s apart")
different = np.array([len(np.unique(row)) for row in in_single[:1000]])
print(f"different times left in single precision: {different.mean():.1f} of 50")

# %% [markdown]
r"""
Nothing of the physics is left. So subtract before rounding: for each earthquake on its own, the first and the last arrival are brought to $-1$ and 1,
$$t'_{p,i} = 2\, \frac{t_{p,i} - t_{p,\min}}{t_{p,\max} - t_{p,\min}} - 1. \tag{4.6}$$

**Your task.** Write it for all events at once. The answer is in single precision, the calculation must not be.
"""


# %% task="X4.1a" points=1
def scale_times(times):
    """Times of each event between -1 (first station) and 1 (last station), equation (4.6).

    times: (n, stations), float64, s. Returns an array (n, stations), float32.
    """
    ### BEGIN SOLUTION
    first = times.min(axis=1, keepdims=True)
    last = times.max(axis=1, keepdims=True)
    return (2 * (times - first) / (last - first) - 1).astype("float32")
    ### END SOLUTION


# %% check="X4.1a"
check("X4.1a", scale_times)

# %% [markdown]
r"""
*Check the book.* "Repeat the same transformation for the times $t_{s,i}$", it says. Look at what that does. Both waves travel the same distances $d_i$, and the minimum and the maximum of each wave take out the origin time *and the speed*:
$t'_p = 2\,\frac{d_i - d_{\min}}{d_{\max} - d_{\min}} - 1 = t'_s$. Fifty of the inputs are copies of fifty others, and the delay between P and S, which tells the distance, is gone. The remedy: one minimum and one maximum for all hundred times of an event.
"""

# %%
scale_times = check.catch_up("X4.1a", scale_times)
apart = scale_times(p_times), scale_times(s_times)
together = np.split(scale_times(np.concatenate([p_times, s_times], axis=1)), 2, axis=1)

figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True)
for axis, (p, s), title in zip(
    axes,
    [apart, together],
    ["each wave on its own: P = S, half is lost", "both waves together: the delay is kept"],
    strict=True,
):
    axis.plot(p[:40].ravel(), s[:40].ravel(), ".", ms=3)
    axis.plot([-1, 1], [-1, 1], color=plotting.GREY, lw=1)
    axis.set(xlabel="scaled P time", title=title)
axes[0].set_ylabel("scaled S time")
plotting.show(
    "Scaled S time against scaled P time. Scaled each on its own all points lie on the diagonal; scaled together they scatter above it.",
    figure,
)

# %% [markdown]
r"""
**Amplitudes** lie between 0 and 1000, most of them near zero, and (4.7) takes their logarithm. A reading of exactly 0 then becomes $-\infty$. Either the digitiser's step is a floor, or use $\log(1 + A/A_0)$ with $A_0$ of the order of the noise.
"""

# %%
distance = travel[:2000, :, 0] * earthquakes.P_SPEED
strength = 2e4 * 10 ** random.exponential(0.4, size=(2000, 1))
amplitude = np.minimum(1000, np.floor(strength / (distance + 20) ** 1.8))
with np.errstate(divide="ignore"):
    by_log = np.log(amplitude)
by_log1p = np.log1p(amplitude)
usable, usable1p = np.mean(np.isfinite(by_log)), np.mean(np.isfinite(by_log1p))
print(f"finite after log(A): {usable:.1%}, after log(1 + A): {usable1p:.1%}")
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
left.hist(amplitude.ravel(), bins=60)
left.set(xlabel="amplitude $A$", ylabel="readings", yscale="log", title="Nearly all near zero")
right.hist(by_log1p.ravel(), bins=60)
right.set(xlabel=r"$\log(1 + A)$", ylabel="readings", title="Spread out by the logarithm")
plotting.show(
    "Histograms of the amplitudes, nearly all in the first bin, and of their logarithms, spread out",
    figure,
)

# %% covers="X4.1"
check.claim("X4.1", np.spacing(np.float32(1.5e9)), 128, wrong=np.spacing(1.5e9))
gap_apart, gap_together = (np.abs(p - s).max() for p, s in (apart, together))
check.claim("X4.1", gap_apart, at_most=1e-4, wrong=gap_together)
scaled = np.array([apart[0].min(axis=1), apart[0].max(axis=1)])
check.claim("X4.1", np.abs(scaled - [[-1], [1]]).max(), at_most=1e-6, wrong=np.abs(scaled).min())
check.claim("X4.1", usable1p, 1.0, wrong=usable)

# %% [markdown]
r"""
## Section 4.1: what normalisation does to the loss

For linear regression on the wines the loss is a parabola in twelve dimensions. Its curvature along each direction is an eigenvalue of $H = \frac2n X^T X$ (with a column of ones for the bias). Gradient descent is stable for $\alpha < 2/\lambda_{\max}$,
and then the flattest direction needs about $\lambda_{\max}/\lambda_{\min}$ steps: the *condition number* of $H$ is the price. We compare the inputs as they are, centred (4.1), standardised (4.2), and decorrelated.
"""

# %%
wine = datasets.load_wine(seed=check.seed)
x, y = wine.x_train, wine.y_train
centred = x - x.mean(axis=0)
standardised = centred / x.std(axis=0)
values, vectors = np.linalg.eigh(np.cov(standardised.T, ddof=0))
inputs = {
    "as they are": x,
    "centred": centred,
    "standardised": standardised,
    "decorrelated": standardised @ vectors / np.sqrt(values),
}
STEPS = 1000
curves, condition = {}, {}
for name, table in inputs.items():
    ones = np.column_stack([table, np.ones(len(table))])
    hessian = 2 / len(ones) * ones.T @ ones
    eigenvalues = np.linalg.eigvalsh(hessian)
    condition[name] = eigenvalues[-1] / eigenvalues[0]
    best = np.linalg.lstsq(ones, y, rcond=None)[0]
    lowest = np.mean((ones @ best - y) ** 2)
    w, curve = np.zeros(12), []
    for _ in range(STEPS):
        curve.append(np.mean((ones @ w - y) ** 2) - lowest)
        w -= 1 / eigenvalues[-1] * 2 / len(ones) * ones.T @ (ones @ w - y)
    curves[f"{name}, condition {condition[name]:.1e}"] = np.maximum(curve, 1e-12)
    print(
        f"{name:14s} condition number {condition[name]:9.3g}, after {STEPS} steps {curve[-1]:.1e}"
    )

plotting.lines(
    np.arange(1, STEPS + 1),
    curves,
    xlabel="step of gradient descent",
    ylabel="loss above its minimum (marks$^2$)",
    title=r"Each with its best safe rate $1/\lambda_\max$: inputs decide the speed",
    log_x=True,
    log_y=True,
)

# %% covers="M4.1"
final = [curve[-1] for curve in curves.values()]
gain = {name: condition["as they are"] / value for name, value in condition.items()}
check.claim("M4.1", gain["standardised"], at_least=1e4, wrong=gain["centred"])
check.claim("M4.1", condition["decorrelated"], 1.0, tolerance=1e-6, wrong=condition["standardised"])
check.claim("M4.1", final[2] / final[0], at_most=0.1, wrong=final[0] / final[2])

# %% [markdown]
r"""
Centring alone does not help: one input, the sulphur dioxide, is still much wider than the rest and dictates the rate, and the bias, which has to find the mean mark of 6, creeps. Standardising removes the units, decorrelating what the features share: then all directions are equally steep and a single step arrives. For a network the parabola is only an approximation, but the first layer sees the inputs as they are, and the lesson stays.

## Example 4.2: the mean squared error of minibatches

The interpolation of Fig. 2.4: a network with three hidden layers of 30 nodes follows a curve through noisy points. Its loss is the mean squared error (4.11), not of all points but of the $k = 32$ points of a minibatch. Each minibatch gives another number; the mean over one epoch
is the loss of the whole set.
"""

# %%
points = toys.simulate_interpolation(1024, seed=check.seed)
x_points, y_points = points.x[:, np.newaxis] / 2, points.y
model = keras.Sequential(
    [keras.Input((1,)), *(layers.Dense(30, activation="relu") for _ in range(3)), layers.Dense(1)]
)
falling = keras.optimizers.schedules.CosineDecay(0.01, EPOCHS * 32)
model.compile(keras.optimizers.Adam(falling), loss="mse", steps_per_execution=32)
before = np.asarray(model(x_points))[:, 0]
model.fit(x_points, y_points, batch_size=32, epochs=EPOCHS, verbose=0)
after = np.asarray(model(x_points))[:, 0]

squares = (after - y_points) ** 2
shuffled = random.permutation(1024)
minibatch = squares[shuffled].reshape(-1, 32).mean(axis=1)  # 32 minibatches of 32 points
figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.9))
order = np.argsort(points.x)
left.plot(points.x, y_points, ".", ms=3, alpha=0.5, color=plotting.GREY, label="points")
left.plot(points.x[order], points.truth[order], color=plotting.INK, lw=1, label="true curve")
left.plot(points.x[order], before[order], ":", color=plotting.COLOURS[1], label="untrained")
left.plot(points.x[order], after[order], color=plotting.COLOURS[0], label=f"after {EPOCHS} epochs")
left.set(xlabel="$x$", ylabel="$y$", title="The interpolation")
left.legend(fontsize="small")
right.plot(minibatch, "o", ms=4, label="one minibatch, $k = 32$")
right.axhline(squares.mean(), color=plotting.COLOURS[0], label="all points")
right.axhline(1.0, color=plotting.INK, ls="--", label="noise: limit on new points")
right.set(xlabel="minibatch of one epoch", ylabel="mean squared error", ylim=(0, None))
right.set_title("Each minibatch gives another loss")
right.legend(fontsize="small")
plotting.show(
    "Left: noisy points, the true curve and the network, which follows it after training. Right: mean squared errors of 32 minibatches scattered around that of all points.",
    figure,
)
print(f"all points {squares.mean():.4f}, mean of the minibatches {minibatch.mean():.4f}")
print(f"spread {minibatch.std(ddof=1):.3f}, expected {squares.std() / np.sqrt(32):.3f}")

# %% covers="X4.2"
mse, by_keras = squares.mean(), model.evaluate(x_points, y_points, batch_size=1024, verbose=0)
check.claim("X4.2", minibatch.mean() / mse, 1.0, tolerance=1e-5, wrong=minibatch[0] / mse)
check.claim("X4.2", by_keras, mse, tolerance=1e-3, wrong=minibatch.max())
check.claim("X4.2", mse / y_points.var(), at_most=0.7, wrong=1.0)  # 1: the mean of all points

# %% [markdown]
r"""
*A convention.* For $m$ outputs the book sums over them (4.12), Keras takes their mean. The minimum is the same; the loss, the gradients, and with them the best learning rate differ by the factor $m$.
"""

# %%
truth, guess = random.normal(size=(2, 100, 3))
by_book = np.mean(((guess - truth) ** 2).sum(axis=1))
by_keras = float(ops.mean(keras.losses.mean_squared_error(truth, guess)))
print(f"three outputs: (4.12) {by_book:.4f}, Keras {by_keras:.4f}, ratio {by_book / by_keras:.4f}")

# %% [markdown]
r"""
## Section 4.2: the noise of the gradient

A minibatch estimates the gradient as a mean over $k$ events, so its error should fall as $1/\sqrt k$: four times the work for half the noise. We measure it on a small network with random weights and the wines: the gradient of every wine, then means over random minibatches, then the root mean
square distance from the gradient of the whole set.
"""


# %%
def event_gradients(x, y, nodes=10):
    """Gradients of (prediction - y)^2 by all parameters of a small ReLU network, one row an event."""
    draw = np.random.default_rng(3)
    w, b = draw.normal(size=(nodes, x.shape[1])) * np.sqrt(2 / x.shape[1]), np.zeros(nodes)
    w_out = draw.normal(size=nodes) / np.sqrt(nodes)
    sums = x @ w.T + b
    miss = 2 * (np.maximum(sums, 0) @ w_out + y.mean() - y)
    back = miss[:, np.newaxis] * w_out * (sums > 0)
    by_w = (back[:, :, np.newaxis] * x[:, np.newaxis, :]).reshape(len(x), -1)
    return np.concatenate([by_w, back, miss[:, np.newaxis] * np.maximum(sums, 0)], axis=1)


slopes = event_gradients(standardised, y)
whole = slopes.mean(axis=0)
sizes = 2 ** np.arange(0, 10)
noise = np.empty((REPEATS, len(sizes)))
for i in range(REPEATS):
    for j, k in enumerate(sizes):
        batches = random.integers(len(slopes), size=(N_DRAWS, k))
        counts = np.zeros((N_DRAWS, len(slopes)), "float32")
        np.add.at(counts, (np.arange(N_DRAWS)[:, np.newaxis], batches), 1 / k)
        means = counts @ slopes.astype("float32")
        noise[i, j] = np.sqrt(np.mean(((means - whole) ** 2).sum(axis=1)))
exponents = np.array([np.polyfit(np.log(sizes), np.log(row), 1)[0] for row in noise])
exponent, exponent_error = exponents.mean(), exponents.std(ddof=1) / np.sqrt(REPEATS)
print(f"measured exponent {exponent:.4f} +- {exponent_error:.4f}, expected -0.5")
single = np.sqrt(slopes.var(axis=0).sum())
length = np.linalg.norm(whole)
print(
    f"gradient of the whole set: {length:.2f}; the noise is as large for k = {(single / length) ** 2:.0f}"
)
plotting.lines(
    sizes,
    {
        "measured": noise.mean(axis=0),
        r"$1/\sqrt{k}$": single / np.sqrt(sizes),
        "length of the gradient itself": np.full(len(sizes), length),
    },
    errors={"measured": noise.std(axis=0, ddof=1) / np.sqrt(REPEATS)},
    dashed=[r"$1/\sqrt{k}$", "length of the gradient itself"],
    xlabel="events in a minibatch, $k$",
    ylabel="noise of the gradient",
    title=f"Exponent ${exponent:.3f} \\pm {exponent_error:.3f}$: four times the events, half the noise",
    log_x=True,
    log_y=True,
)

# %% covers="M4.2"
check.claim("M4.2", exponent, -0.5, tolerance=0.025, wrong=-1.0)
constant = noise.mean(axis=0) * np.sqrt(sizes) / single
check.claim("M4.2", constant.mean(), 1.0, tolerance=0.1, wrong=constant.mean() / 2)

# %% [markdown]
r"""
Where the noise is below the length of the gradient itself, a larger minibatch buys precision that the step does not need. The $k$ at which the two are equal is printed above: a few dozen events, which is why $k = 32$ is a good habit. Near the minimum the gradient is smaller, and larger minibatches (or smaller steps) pay.

## Section 4.3: initial weights

A layer adds up $n_\mathrm{in}$ products. If the weights have the variance $\sigma^2$, the sums have $n_\mathrm{in}\sigma^2$ times the mean square of the inputs. Twenty layers multiply twenty such factors, so each has to be 1. Half of the inputs of a ReLU layer are cut off, which halves the mean square, and He's variance $2/n_\mathrm{in}$ (4.9) makes up for it; Glorot's
$2/(n_\mathrm{in} + n_\mathrm{out})$ (4.8) does not. It was made for tanh, whose slope at 0 is 1.
"""

# %%
WIDE, DEEP = 256, 20


def relu(a):
    """Larger of a and 0."""
    return np.maximum(a, 0)


cases = {
    "ReLU, He": (relu, np.sqrt(2 / WIDE)),
    "ReLU, Glorot": (relu, np.sqrt(2 / (WIDE + WIDE))),
    "tanh, Glorot": (np.tanh, np.sqrt(2 / (WIDE + WIDE))),
    "ReLU, twice He": (relu, 2 * np.sqrt(2 / WIDE)),
    "tanh, $\\sigma = 0.01$": (np.tanh, 0.01),
}
start = random.normal(size=(300, WIDE))
signal = {}
for name, (activation, sigma) in cases.items():
    logarithms = np.zeros(DEEP)
    for _ in range(4):  # the mean over four networks
        h = start
        for layer in range(DEEP):
            sums = h @ (sigma * random.normal(size=(WIDE, WIDE)))
            logarithms[layer] += np.log(np.mean(sums**2)) / 4
            h = activation(sums)
    signal[name] = np.exp(logarithms)
    print(f"{name:24s} layer 1 {signal[name][0]:.2g}, layer {DEEP} {signal[name][-1]:.2g}")
figure, axis = plt.subplots(figsize=(7, 4))
for (name, values), marker in zip(signal.items(), "os^Dv", strict=True):
    axis.semilogy(np.arange(1, DEEP + 1), values, marker + "-", ms=4, label=name)
axis.axhline(1, color=plotting.GREY, lw=0.8)
axis.set(xlabel="layer", ylabel="mean square of the sums at the nodes", xticks=range(1, DEEP + 1))
axis.set_title("Only He keeps ReLU layers alive; Glorot halves each of them")
axis.legend()
plotting.show(
    "Mean square of the sums against layer on a logarithmic axis: level for ReLU with He, slowly falling for tanh with "
    "Glorot, halved in each layer for ReLU with Glorot, exploding for weights too large, vanishing for weights too small.",
    figure,
)

# %% [markdown]
r"""
With tanh and Glorot the signal falls slowly, since tanh compresses a little in each layer, less and less the smaller the signal. Backwards the same matrices act on the gradients, transposed: hence the mean of $n_\mathrm{in}$ and $n_\mathrm{out}$ in (4.8).

*A misprint.* For a uniform distribution on $[-s, s]$ the text gives $\sigma = |s|/\sqrt3$ and, in the next sentence, $s = 3\sigma$. It has to be $s = \sqrt3\,\sigma$, and Keras does so. (What section 7.2 calls the standard deviation, $\sqrt{6/(n_\mathrm{in} + n_\mathrm{out})}$, is this half-width $s$.)
"""

# %% covers="M4.3"
per_layer = {name: (values[-1] / values[0]) ** (1 / (DEEP - 1)) for name, values in signal.items()}
shape = (300, 200)
uniform = np.asarray(keras.initializers.GlorotUniform(seed=1)(shape))
normal = np.asarray(keras.initializers.HeNormal(seed=1)(shape))
edge, sigma = np.abs(uniform).max(), np.sqrt(2 / 500)
print(
    f"GlorotUniform: largest {edge:.4f}, sqrt(3) sigma {np.sqrt(3) * sigma:.4f}, 3 sigma {3 * sigma:.4f}"
)
check.claim("M4.3", per_layer["ReLU, He"], 1.0, tolerance=0.1, wrong=per_layer["ReLU, Glorot"])
check.claim("M4.3", per_layer["ReLU, Glorot"], 0.5, tolerance=0.05, wrong=per_layer["ReLU, He"])
check.claim("M4.3", per_layer["tanh, Glorot"], at_least=0.75, wrong=per_layer["ReLU, Glorot"])
check.claim("M4.3", uniform.var() * 500 / 2, 1.0, tolerance=0.05, wrong=3 * uniform.var() * 500 / 2)
check.claim("M4.3", edge / sigma, np.sqrt(3), tolerance=0.01, wrong=3.0)
check.claim("M4.3", normal.var() * 300 / 2, 1.0, tolerance=0.05, wrong=normal.var() * 500 / 2)

# %% [markdown]
r"""
## Example 4.3 and section 4.4: cross-entropy

A signal event, $p = (1, 0)$. Predicted with $q = (0.8, 0.2)$ it costs little, with $(0.2, 0.8)$ a lot. The book finds 0.1 and 0.7, which are logarithms to the base 10; with the natural logarithm, which Keras and all formulas of the book mean, it is 0.22 and 1.61. The ratio does not depend on the base.
"""

# %% covers="X4.3"
right, wrong_way = -np.log(0.8), -np.log(0.2)
print(f"natural logarithm: {right:.4f} and {wrong_way:.4f}, ratio {wrong_way / right:.2f}")
print(f"base 10:           {-np.log10(0.8):.4f} and {-np.log10(0.2):.4f}, as printed")
keras_value = float(ops.categorical_crossentropy(np.array([1.0, 0.0]), np.array([0.8, 0.2])))
check.claim("X4.3", keras_value, 0.2231, tolerance=1e-4, wrong=-np.log10(0.8))
check.claim("X4.3", wrong_way, 1.6094, tolerance=1e-4, wrong=-np.log10(0.2))
by_tens = np.log10(0.2) / np.log10(0.8)
check.claim("X4.3", wrong_way / right, by_tens, tolerance=1e-9, wrong=0.7 / 0.1)

# %% [markdown]
r"""
Where does the formula come from? The *entropy* $S = -\sum_j p_j \log_2 p_j$ (4.14) measures ignorance in bits: 1 for a fair coin, 0 for a certain event. The *cross-entropy* $H(p, q) = -\sum_j p_j \log q_j$ is the same with the probabilities one believes in, $q$, under the logarithm. The difference
$H(p, q) - S(p)$ (in nats), the Kullback-Leibler distance, is never negative and zero only for $q = p$. So a network that minimises the cross-entropy is pulled towards the true probabilities, not only towards right decisions.
"""

# %%
p = 0.3  # true probability of class 1
q = np.linspace(0.001, 0.999, 999)
cross = -p * np.log(q) - (1 - p) * np.log(1 - q)
entropy = -p * np.log(p) - (1 - p) * np.log(1 - p)
plotting.lines(
    q,
    {
        "cross-entropy $H(p, q)$": cross,
        "entropy of $p$ (limit)": np.full(len(q), entropy),
        "squared error $(q - p)^2 + p(1 - p)$": (q - p) ** 2 + p * (1 - p),
    },
    dashed=["entropy of $p$ (limit)"],
    xlabel="predicted probability $q$ (true: 0.3)",
    ylabel="expected loss (nats, or 1)",
    title="Both losses are lowest at $q = p$; cross-entropy punishes certainty",
)


# %% [markdown]
r"""
Three identities to know, each checked below: softmax of two outputs is the sigmoid of their difference; (4.16) is (4.15) for two classes; and the slope of the cross-entropy by the outputs before the softmax is as simple as can be,
$$\frac{\partial L}{\partial z_j} = q_j - p_j ,$$
prediction minus truth. Exponential and logarithm cancel; that is why the two belong together.
"""

# %% covers="M4.4"
fair, loaded = (-np.sum(p * np.log2(p)) for p in (np.array([0.5, 0.5]), np.array([0.9, 0.1])))
print(f"entropy of a fair coin {fair:.3f} bits, of a loaded one (0.9, 0.1) {loaded:.3f} bits")
check.claim("M4.4", fair, 1.0, tolerance=1e-12, wrong=loaded)
check.claim("M4.4", q[np.argmin(cross)], p, tolerance=1e-3, wrong=0.5)
check.claim("M4.4", (cross - entropy).min(), at_least=0, wrong=(entropy - cross).min())
outputs = random.normal(size=(6, 3)) * 3
one_hot = np.eye(3)[[0, 2, 1, 1, 0, 2]]
z = keras.Variable(outputs, dtype="float64")
_, (slope,) = value_and_gradients(
    lambda: -ops.mean(ops.sum(one_hot * ops.log_softmax(z), axis=1)), [z]
)
prediction = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
slope = np.asarray(slope) * 6  # of one event, without the mean
off, turned = (np.abs(slope - sign * (prediction - one_hot)).max() for sign in (1, -1))
check.claim("M4.4", off, at_most=1e-12, wrong=turned)
two = np.exp(outputs[:, :2]) / np.exp(outputs[:, :2]).sum(axis=1, keepdims=True)
sigmoid = 1 / (1 + np.exp(-(outputs[:, 0] - outputs[:, 1])))
off, exchanged = (np.abs(two[:, j] - sigmoid).max() for j in (0, 1))
check.claim("M4.4", off, at_most=1e-12, wrong=exchanged)

# %% [markdown]
r"""
## Example 4.4: one node, by hand

$W = 0.5$, $b = 0.1$, ReLU, one point $(x, y) = (1, 1)$. Forward: $z_1 = Wx = 0.5$, $z_2 = z_1 + b = 0.6$, $z_3 = 0.6$, $L = (z_3 - y)^2 = 0.16$. Backward, one factor a step (4.32): $2(z_3 - y) = -0.8$, then 1 (the node is on), 1, and $x = 1$. So
$\partial L/\partial W = -0.8$, and $\partial L/\partial b = -0.8$ as well. The minus sign says: larger weights, smaller loss.
"""

# %% covers="X4.4"
W, b = 0.5, 0.1
z1 = W * 1.0
z2 = z1 + b
z3 = max(0.0, z2)
L = (z3 - 1.0) ** 2
chain = {"dL/dz3": 2 * (z3 - 1), "dz3/dz2": float(z2 > 0), "dz2/dz1": 1.0, "dz1/dW": 1.0}
print("  ".join(f"{name} = {value:+.1f}" for name, value in chain.items()))
by_hand = np.prod(list(chain.values()))
weight, bias = keras.Variable(W), keras.Variable(b)
_, automatic = value_and_gradients(
    lambda: (ops.relu(weight * 1.0 + bias) - 1.0) ** 2, [weight, bias]
)
check.claim("X4.4", L, 0.16, tolerance=1e-12, wrong=(z2 + 1) ** 2)
check.claim("X4.4", by_hand, -0.8, tolerance=1e-12, wrong=0.8)
check.claim("X4.4", [float(g) for g in automatic], [-0.8, -0.8], tolerance=1e-6, wrong=[-0.8, 0.0])

# %% [markdown]
r"""
## Section 4.5: backpropagation through any number of layers

Exercise 4.1 had one hidden layer. Now any number, for a whole batch at once. Layer $l$ computes $h^{(l)} = \tanh(h^{(l-1)} W^{(l)T} + b^{(l)})$ with $h^{(0)} = x$; the last layer has no tanh. The loss is (4.12), the mean over $k$ events of the squares summed over the outputs.

**Your task.** The forward pass: return the list of *all* layer outputs, $[x, h^{(1)}, \ldots, \hat y]$. Backpropagation will need them.
"""


# %% task="L4.6a" points=1
def all_outputs(weights, biases, x):
    """Outputs of every layer of a tanh network with a linear last layer.

    weights: list of arrays (nodes, inputs); biases: list of arrays (nodes,); x: (n, inputs).
    Returns a list of arrays (n, nodes), one longer than ``weights``: first x, last the prediction.
    """
    ### BEGIN SOLUTION
    outputs = [x]
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True), 1):
        sums = outputs[-1] @ w.T + b
        outputs.append(np.tanh(sums) if layer < len(weights) else sums)
    return outputs
    ### END SOLUTION


# %% check="L4.6a"
check("L4.6a", all_outputs)

# %% [markdown]
r"""
Backwards, write $\delta^{(l)}$ for the derivative of the loss by the *sums* of layer $l$, shape (n, nodes). At the end $\delta = \frac2k(\hat y - y)$. From there
$$\frac{\partial L}{\partial W^{(l)}} = \delta^{(l)T} h^{(l-1)}, \qquad \frac{\partial L}{\partial b^{(l)}} = \sum_\mathrm{events} \delta^{(l)}, \qquad
\delta^{(l-1)} = \left(\delta^{(l)} W^{(l)}\right) \odot \left(1 - h^{(l-1)\,2}\right),$$
since $\tanh' = 1 - \tanh^2$. The slope of tanh is computed from its *output*: that is why the outputs are kept.

**Your task.** Return the gradients by all weights and all biases.
"""


# %% task="L4.6b" points=3
def backpropagate(weights, outputs, y):
    """Gradients of the loss (4.12), mean over the n events and sum over the outputs, by all weights and biases.

    weights: list of arrays (nodes, inputs); outputs: what all_outputs returned; y: (n, outputs of the last layer).
    Returns two lists of arrays, first layer first, with the shapes of the weights and of the biases.
    """
    ### BEGIN SOLUTION
    delta = 2.0 * (outputs[-1] - y) / len(y)
    by_weights, by_biases = [], []
    for layer in reversed(range(len(weights))):
        by_weights.insert(0, delta.T @ outputs[layer])
        by_biases.insert(0, delta.sum(axis=0))
        delta = (delta @ weights[layer]) * (1.0 - outputs[layer] ** 2)
    return by_weights, by_biases
    ### END SOLUTION


# %% check="L4.6b"
check("L4.6b", backpropagate)

# %% [markdown]
r"""
**Gradient check.** Six layers, and the derivative along a random direction by finite differences, for steps from large to tiny. The error first falls as the square of the step, then rounding takes over: with double precision the best step is near $10^{-5}$. And the library's automatic gradient.
"""

# %%
all_outputs = check.catch_up("L4.6a", all_outputs)
backpropagate = check.catch_up("L4.6b", backpropagate)


def new_network(sizes, seed):
    """Glorot-distributed weights and small biases for layers of the given sizes."""
    draw = np.random.default_rng(seed)
    pairs = list(pairwise(sizes))
    weights = [draw.normal(size=(m, n)) * np.sqrt(2 / (n + m)) for n, m in pairs]
    return weights, [0.1 * draw.normal(size=m) for _, m in pairs]


def loss_of(weights, biases, x, y):
    """The loss (4.12)."""
    return np.mean(((all_outputs(weights, biases, x)[-1] - y) ** 2).sum(axis=1))


sizes = [4, 8, 8, 8, 8, 8, 2]
weights, biases = new_network(sizes, check.seed)
x_batch, y_batch = random.normal(size=(32, 4)), random.normal(size=(32, 2))
by_weights, by_biases = backpropagate(weights, all_outputs(weights, biases, x_batch), y_batch)

way = new_network(sizes, check.seed + 1)  # a random direction in the space of all parameters
along = [np.sum(g * d) for g, d in zip(by_weights + by_biases, way[0] + way[1], strict=True)]
slope_along = np.sum(along)
steps = np.logspace(-13, -1, 25)
errors = []
for step in steps:
    losses = []
    for change in (step, -step):
        w = [p + change * d for p, d in zip(weights, way[0], strict=True)]
        b = [p + change * d for p, d in zip(biases, way[1], strict=True)]
        losses.append(loss_of(w, b, x_batch, y_batch))
    errors.append(abs((losses[0] - losses[1]) / (2 * step) / slope_along - 1))
errors = np.array(errors)

variables = [keras.Variable(p, dtype="float64") for p in weights + biases]


def keras_loss():
    """The same loss with Keras operations, in double precision."""
    h = ops.convert_to_tensor(x_batch)
    for layer in range(6):
        h = h @ ops.transpose(variables[layer]) + variables[6 + layer]
        h = ops.tanh(h) if layer < 5 else h
    return ops.mean(ops.sum((h - y_batch) ** 2, axis=1))


_, automatic = value_and_gradients(keras_loss, variables)
mine, theirs = (
    np.concatenate([np.ravel(g) for g in slopes]) for slopes in (by_weights + by_biases, automatic)
)
to_keras = np.linalg.norm(mine - theirs) / np.linalg.norm(theirs)
print(f"{mine.size} parameters: relative difference to the automatic gradient {to_keras:.1e}")
print(f"finite differences: best step {steps[errors.argmin()]:.0e}, error there {errors.min():.1e}")
plotting.lines(
    steps,
    {
        "finite differences": np.maximum(errors, 1e-13),
        "proportional to step$^2$ (cut at $10^{-15}$)": np.maximum(
            errors[-5] * (steps / steps[-5]) ** 2, 1e-15
        ),
        "rounding, $10^{-16}$ / step": 1e-16 / steps,
    },
    dashed=["proportional to step$^2$ (cut at $10^{-15}$)", "rounding, $10^{-16}$ / step"],
    xlabel="step",
    ylabel="relative difference to backpropagation",
    title="A gradient check: neither too large nor too small a step",
    log_x=True,
    log_y=True,
)

# %% covers="L06"
no_biases = np.sum(along[: len(weights)])
check.claim("L06", to_keras, at_most=1e-10, wrong=abs(no_biases / slope_along - 1))
check.claim("L06", errors.min(), at_most=1e-7, wrong=errors.max())

# %% [markdown]
r"""
### Forward or backward?

The chain rule may be multiplied out from either end. **Forward**: choose one parameter, push its little change through all layers, and get its derivative: one pass for each parameter. **Reverse** (backpropagation): start at the loss and get the derivatives by *all* parameters in one pass back. Same numbers; the cost is not the
same. We count the multiplications, with an array that counts what is done to it.
"""


# %%
class Counted(np.ndarray):
    """An array that counts the multiplications in products, squares and quotients made with it."""

    multiplications = 0

    def __array_ufunc__(self, ufunc, method, *operands, **options):
        plain = [a.view(np.ndarray) if isinstance(a, Counted) else a for a in operands]
        result = getattr(ufunc, method)(*plain, **options)
        if ufunc is np.matmul:
            Counted.multiplications += result.size * plain[0].shape[-1]
        elif ufunc in (np.multiply, np.true_divide, np.square, np.power):
            Counted.multiplications += result.size
        return result.view(Counted) if isinstance(result, np.ndarray) else result


def counted(function, *arguments):
    """Result of a function and the number of multiplications in it."""
    Counted.multiplications = 0
    wrapped = [
        [p.view(Counted) for p in a] if isinstance(a, list) else a.view(Counted) for a in arguments
    ]
    return function(*wrapped), Counted.multiplications


def forward_mode(weights, biases, x, y, way_w, way_b):
    """Derivative of the loss along one direction of the parameters: values and changes go forward together."""
    h, change = x, np.zeros_like(x)
    for layer, (w, b, dw, db) in enumerate(zip(weights, biases, way_w, way_b, strict=True), 1):
        h, change = h @ w.T + b, change @ w.T + h @ dw.T + db
        if layer < len(weights):
            h = np.tanh(h)
            change = change * (1 - h * h)
    return (2 * (h - y) * change).sum() / len(x)


pushed = forward_mode(weights, biases, x_batch, y_batch, *way)
to_reverse = abs(pushed / slope_along - 1)
print(
    f"forward mode along the random direction: relative difference to backpropagation {to_reverse:.1e}"
)

numbers, reverse, forward = [], [], []
print("parameters   reverse: all gradients   forward: all gradients   (in forward passes)")
for width in (2, 4, 8, 16, 32):
    w, b = new_network([4, width, width, 2], 1)
    outputs, one_pass = counted(all_outputs, w, b, x_batch)
    _, back = counted(backpropagate, w, [np.asarray(h) for h in outputs], y_batch)
    _, one_derivative = counted(forward_mode, w, b, x_batch, y_batch, w, b)
    numbers.append(sum(p.size for p in w + b))
    reverse.append((one_pass + back) / one_pass)
    forward.append(numbers[-1] * one_derivative / one_pass)
    print(f"{numbers[-1]:10d} {reverse[-1]:18.1f} {forward[-1]:26.0f}")
plotting.lines(
    numbers,
    {"reverse (backpropagation)": reverse, "forward": forward},
    xlabel="number of parameters",
    ylabel="cost of all gradients (forward passes)",
    title="Backpropagation: three passes, however many parameters",
    log_x=True,
    log_y=True,
)

# %% [markdown]
r"""
Reverse costs about three forward passes, one there and two back, whatever the size (tiny layers pay a little more for the slopes of tanh). Its price is memory: all outputs must be kept. Where there are few inputs and many outputs (the change of a thousand pixels with one parameter of a simulator) forward mode is the cheaper one.
"""

# %% covers="L06"
check.claim("L06", max(reverse), at_most=5, wrong=max(forward))
check.claim("L06", to_reverse, at_most=1e-12, wrong=errors.max())

# %% [markdown]
r"""
### Why initial weights must differ

Let all weights begin with the same value. Then all nodes of a layer compute the same, get the same gradient, and stay the same: eight hidden nodes are one node eight times. With zeros even less happens: $W^{(2)} = 0$ lets nothing through to the first layer. Random weights break the symmetry. The cell trains
$y = \sin 3x$ three times and looks at how much the eight nodes differ.
"""

# %%
x_sine = np.linspace(-1, 1, 64)[:, np.newaxis]
y_sine = np.sin(3 * x_sine)
beginnings = {
    "all 0.5": ([np.full((8, 1), 0.5), np.full((1, 8), 0.5)], [np.zeros(8), np.zeros(1)]),
    "all zero": ([np.zeros((8, 1)), np.zeros((1, 8))], [np.zeros(8), np.zeros(1)]),
    "random": new_network([1, 8, 1], check.seed),
}
differ, rank, losses = {}, {}, {}
for name, (w, b) in beginnings.items():
    history = []
    for _ in range(1000):
        history.append(loss_of(w, b, x_sine, y_sine))
        gw, gb = backpropagate(w, all_outputs(w, b, x_sine), y_sine)
        w = [p - 0.1 * g for p, g in zip(w, gw, strict=True)]
        b = [p - 0.1 * g for p, g in zip(b, gb, strict=True)]
    hidden = all_outputs(w, b, x_sine)[1]
    differ[name] = np.abs(hidden - hidden[:, :1]).max()
    rank[name] = np.linalg.matrix_rank(hidden)
    losses[name] = np.array(history)
    print(f"{name:9s} largest difference of two hidden nodes {differ[name]:.2g}, rank {rank[name]}, "
          f"loss {history[-1]:.4f}")  # fmt: skip
plotting.lines(
    np.arange(1, 1001),
    losses,
    xlabel="step",
    ylabel="mean squared error",
    title="Equal weights stay equal: eight nodes do the work of one",
    log_x=True,
    log_y=True,
)

# %% covers="L06"
check.claim("L06", differ["all 0.5"], at_most=1e-12, wrong=differ["random"])
check.claim("L06", int(rank["all 0.5"]), 1, wrong=int(rank["random"]))
check.claim("L06", int(rank["all zero"]), 0, wrong=1)
last = {name: curve[-1] / losses["all 0.5"][-1] for name, curve in losses.items()}
check.claim("L06", last["random"], at_most=0.5, wrong=last["all zero"])

# %%
check.quiz("4.5-q1")

# %% [markdown]
r"""
## Example 4.5: one step, and many learning rates

The node of example 4.4 again. One step against the gradient: $W \to W + 0.8\,\alpha$, $b \to b + 0.8\,\alpha$. The prediction rises by $1.6\,\alpha$ and reaches the point at $\alpha = 0.25$. Beyond, it overshoots; at 0.5 the loss is what it was, and any larger step makes it worse.
"""

# %%
alphas = np.linspace(0, 1.05, 211)
after_step = (0.6 + 1.6 * alphas - 1) ** 2
marked = np.array([0.1, 0.25, 0.5, 1.0])
at_marked = (0.6 + 1.6 * marked - 1) ** 2
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.9))
grid = np.linspace(-0.5, 2, 100)
left.plot(grid, np.maximum(0, 0.5 * grid + 0.1), label="before, $L = 0.16$")
for alpha, style in zip([0.1, 0.25, 0.5], ["--", "-", ":"], strict=True):
    moved = np.maximum(0, (0.5 + 0.8 * alpha) * grid + 0.1 + 0.8 * alpha)
    left.plot(grid, moved, style, label=f"after a step, $\\alpha = {alpha}$")
left.plot(1, 1, "o", color=plotting.INK, label="the point")
left.set(xlabel="$x$", ylabel="prediction", title="One step moves the line towards the point")
left.legend(fontsize="small")
right.plot(alphas, after_step)
right.plot(marked, at_marked, "o")
right.axhline(0.16, color=plotting.GREY, ls="--", label="loss before the step")
right.set(xlabel=r"learning rate $\alpha$", ylabel="loss after the step")
right.set_title("0.25 is perfect, 0.5 is in vain, 1 is a disaster")
right.legend()
plotting.show(
    "Left: the ReLU line before and after one step. Right: loss after one step against learning rate, a parabola with its minimum 0 at 0.25 that passes the old loss at 0.5.",
    figure,
)

# %% covers="X4.5"
uphill = (0.6 - 1.6 * marked - 1) ** 2
check.claim("X4.5", at_marked, [0.0576, 0.0, 0.16, 1.44], tolerance=1e-12, wrong=uphill)

# %% [markdown]
r"""
## Section 4.7: learning rates

On a parabola $L = \frac a2 W^2$ a step multiplies $W$ by $1 - \alpha a$. So descent converges for $\alpha < 2/a$, arrives at once for $\alpha = 1/a$, swings from side to side in between, and explodes beyond. (The largest rate of the range $10^{-5}$ to $0.01$ in (4.38) is stable up to a curvature of 200.)
"""

# %%
CURVATURE = 4.0
regimes = {"too small": 0.02, "moderate": 0.15, "large, swings": 0.46, "too large": 0.505}


def descent(alpha, steps, start=1.0):
    """The way of W on the parabola with gradient descent."""
    way = [start]
    for _ in range(steps):
        way.append(way[-1] - alpha * CURVATURE * way[-1])
    return np.array(way)


figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4))
grid = np.linspace(-1.3, 1.3, 100)
left.plot(grid, CURVATURE / 2 * grid**2, color=plotting.GREY)
for (name, alpha), marker in zip(regimes.items(), "os^D", strict=True):
    way = descent(alpha, 20)
    loss, label = CURVATURE / 2 * way**2, f"{name}, $\\alpha = {alpha}$"
    left.plot(way[:9], loss[:9], marker + "-", ms=4, lw=0.8, label=label)
    right.semilogy(np.maximum(loss, 1e-9), marker + "-", ms=3)
left.set(xlabel="$W$", ylabel="$L$", title="Four learning rates on one parabola")
left.legend(fontsize="small")
right.set(xlabel="step", ylabel="$L$", title=r"The limit of stability is $\alpha = 2/a = 0.5$")
plotting.show(
    "Left: points on a parabola for four learning rates. Right: loss against step on a logarithmic axis; slow fall, fast fall, slow fall with swings, and growth.",
    figure,
)
scan = np.linspace(0.3, 0.7, 101)
stable = scan[[abs(descent(alpha, 200)[-1]) < 1 for alpha in scan]].max()

# %% [markdown]
r"""
### Schedules

With minibatches the gradient is noisy, and a constant rate keeps the weights jittering: the loss stays above its minimum by an amount proportional to $\alpha$. Large at first and small at the end has the best of both. We fit the wines with a linear node, minibatches of eight, and compare a large rate, a small rate, a rate that falls with a cosine, and the
rule of the book: a quarter of the rate whenever the loss has not fallen for two epochs (`keras.callbacks.ReduceLROnPlateau`).
"""

# %%
ones = np.column_stack([standardised, np.ones(len(standardised))])
best = np.linalg.lstsq(ones, y, rcond=None)[0]
lowest = np.mean((ones @ best - y) ** 2)
EPOCHS_LINE = 30


def stochastic_descent(schedule, seed=1):
    """Loss above its minimum after each epoch; ``schedule`` maps the epoch and the losses so far to the rate."""
    draw = np.random.default_rng(seed)
    w, history, rate = np.zeros(12), [np.mean(y**2) - lowest], None
    for epoch in range(EPOCHS_LINE):
        rate = schedule(epoch, history, rate)
        for batch in np.split(draw.permutation(len(ones))[:2496], 312):
            w = w - rate * 2 / 8 * ones[batch].T @ (ones[batch] @ w - y[batch])
        history.append(np.mean((ones @ w - y) ** 2) - lowest)
    return np.array(history)


def plateau(epoch, history, rate):
    """A quarter of the rate if none of the last two epochs was better than the best before them."""
    if rate is None:
        return 0.03
    stalled = epoch > 2 and min(history[-2:]) > 0.98 * min(history[:-2])
    return rate / 4 if stalled else rate


schedules = {
    "constant 0.03": lambda *_: 0.03,
    "constant 0.0003": lambda *_: 0.0003,
    "cosine from 0.03 to 0": lambda epoch, *_: 0.015 * (1 + np.cos(np.pi * epoch / EPOCHS_LINE)),
    "reduced on plateaus": plateau,
}
above = {
    name: np.mean([stochastic_descent(s, seed) for seed in range(4)], axis=0)
    for name, s in schedules.items()
}
plotting.lines(
    np.arange(EPOCHS_LINE + 1),
    above,
    xlabel="epoch",
    ylabel="loss above its minimum (marks$^2$)",
    title="Fast first, precise at the end: let the learning rate fall",
    log_y=True,
)

# %% covers="M4.5"
check.claim("M4.5", stable, 2 / CURVATURE, tolerance=0.01, wrong=1 / CURVATURE)
check.claim("M4.5", np.abs(descent(1 / CURVATURE, 1)[-1]), 0.0, wrong=np.abs(descent(0.15, 1)[-1]))
end = {name: curve[-1] for name, curve in above.items()}
best_constant = min(end["constant 0.03"], end["constant 0.0003"])
check.claim("M4.5", end["cosine from 0.03 to 0"] / best_constant, at_most=0.7, wrong=1.0)
check.claim("M4.5", end["reduced on plateaus"] / end["constant 0.03"], at_most=0.7, wrong=1.0)

# %% [markdown]
r"""
## Section 4.8: four optimisers, written by hand

Each optimiser turns the gradient of this step, and what it remembers of earlier ones, into a change of the parameters $\theta$. All act on each parameter separately. You write the four formulas; Keras judges.

**Momentum.** The step is a velocity with inertia:
$$\vec v_t = \beta\,\vec v_{t-1} + (1-\beta)\left(-\alpha \nabla_\theta L\right), \qquad \vec\theta_{t+1} = \vec\theta_t + \vec v_t. \tag{4.46, 4.47}$$
In a narrow valley the components that swing from side to side cancel, and those along the valley add up.

**Your task.** One step of it, in the book's convention.
"""


# %% task="M4.6a" points=1
def momentum_step(theta, velocity, gradient, learning_rate, beta):
    """One step with momentum, equations (4.46) and (4.47).

    theta, velocity, gradient: arrays of one shape. Returns the new theta and the new velocity.
    """
    ### BEGIN SOLUTION
    velocity = beta * velocity - (1 - beta) * learning_rate * gradient
    return theta + velocity, velocity
    ### END SOLUTION


# %% check="M4.6a"
check("M4.6a", momentum_step)

# %% [markdown]
r"""
**Adagrad** gives each parameter its own rate, and lowers it by all that this parameter has been through:
$$\nu_t = \sum_{\tau=1}^{t} \left(\frac{\partial L}{\partial \theta}\right)_\tau^2, \qquad \alpha_t = \frac{\alpha}{\sqrt{\nu_t} + \varepsilon}, \qquad \theta_{t+1} = \theta_t - \alpha_t \frac{\partial L}{\partial\theta}. \tag{4.39, 4.40}$$

**Your task.** One step. `nu` is the sum up to the previous step.
"""


# %% task="M4.6b" points=1
def adagrad_step(theta, nu, gradient, learning_rate, epsilon):
    """One step of Adagrad, equations (4.39) and (4.40).

    theta, nu, gradient: arrays of one shape. Returns the new theta and the new nu.
    """
    ### BEGIN SOLUTION
    nu = nu + gradient**2
    return theta - learning_rate / (np.sqrt(nu) + epsilon) * gradient, nu
    ### END SOLUTION


# %% check="M4.6b"
check("M4.6b", adagrad_step)

# %% [markdown]
r"""
**RMSprop** (in the book's heading it is spelt RMSprob) forgets: the sum becomes an average over about $1/(1-\beta)$ steps,
$$\nu_t = \beta\,\nu_{t-1} + (1-\beta) \left(\frac{\partial L}{\partial \theta}\right)^2, \tag{4.41}$$
and the rate does not go to zero.

**Your task.** One step, with $\alpha_t$ as in Adagrad (4.42).
"""


# %% task="M4.6c" points=1
def rmsprop_step(theta, nu, gradient, learning_rate, beta, epsilon):
    """One step of RMSprop, equations (4.41) and (4.42).

    theta, nu, gradient: arrays of one shape. Returns the new theta and the new nu.
    """
    ### BEGIN SOLUTION
    nu = beta * nu + (1 - beta) * gradient**2
    return theta - learning_rate * gradient / (np.sqrt(nu) + epsilon), nu
    ### END SOLUTION


# %% check="M4.6c"
check("M4.6c", rmsprop_step)

# %% [markdown]
r"""
**Adam** combines both: an average $m$ of the gradients for the direction, an average $\nu$ of their squares for the size. Both begin at zero, so at first they are too small, and are corrected for that:
$$m_t = \gamma\, m_{t-1} + (1-\gamma) g_t, \quad \nu_t = \beta\, \nu_{t-1} + (1-\beta) g_t^2, \quad
\hat m_t = \frac{m_t}{1-\gamma^t}, \quad \hat\nu_t = \frac{\nu_t}{1-\beta^t}, \quad \theta_{t} = \theta_{t-1} - \alpha\,\frac{\hat m_t}{\sqrt{\hat\nu_t} + \varepsilon}.$$

*Check the book.* (4.48) and (4.49) put the factors $1/(1-\gamma^t)$ in front of the whole recursion, so that the corrected value would be remembered and corrected again. Read literally, a constant gradient of 1 gives $m = 1, 5.3, 17.8, 47, \ldots$ instead of 1, 1, 1, 1, and $\nu_2 = 500$. Adam remembers the *uncorrected* $m$ and $\nu$.

**Your task.** One step. `t` counts from 1; return the uncorrected averages.
"""


# %% task="M4.6d" points=2
def adam_step(theta, m, nu, t, gradient, learning_rate, gamma, beta, epsilon):
    """Step number t (from 1) of Adam.

    theta, m, nu, gradient: arrays of one shape. Returns the new theta, m and nu, the last two not corrected.
    """
    ### BEGIN SOLUTION
    m = gamma * m + (1 - gamma) * gradient
    nu = beta * nu + (1 - beta) * gradient**2
    m_hat = m / (1 - gamma**t)
    nu_hat = nu / (1 - beta**t)
    return theta - learning_rate * m_hat / (np.sqrt(nu_hat) + epsilon), m, nu
    ### END SOLUTION


# %% check="M4.6d"
check("M4.6d", adam_step)

# %% [markdown]
r"""
### Against Keras, over 100 steps

Conventions first. Keras differs from the book in three places:

| | book | Keras |
|---|---|---|
| momentum | $v = \beta v - (1-\beta)\,\alpha g$ | $v = \beta v - \alpha_K\, g$, so $\alpha_K = (1-\beta)\,\alpha$ |
| start of $\nu$ in Adagrad | 0 | `initial_accumulator_value=0.1` |
| place of $\varepsilon$ | $\sqrt\nu + \varepsilon$ | $\sqrt{\nu + \varepsilon}$ in Adagrad and RMSprop; in Adam $\sqrt{\nu} + \varepsilon$ *before* the correction |

The first two must be translated. The third does not matter as long as $\varepsilon = 10^{-7}$ is tiny beside the gradients. And a fourth, unwritten one: Keras rounds $\beta = 0.999$ to single precision before it computes $1 - \beta^t$, of which then only five digits are right. So for the comparison we
take decay rates that have no digits to lose, $\gamma = 1 - 3/32$ and $\beta = 1 - 1/1024$, and look at the usual ones after that. The landscape is a narrow, bent valley (Rosenbrock's function), in double precision, 100 steps from the same point.
"""

# %%
momentum_step = check.catch_up("M4.6a", momentum_step)
adagrad_step = check.catch_up("M4.6b", adagrad_step)
rmsprop_step = check.catch_up("M4.6c", rmsprop_step)
adam_step = check.catch_up("M4.6d", adam_step)


def valley(theta):
    """Value and gradient of Rosenbrock's function (1 - a)^2 + 10 (b - a^2)^2; its minimum is at (1, 1)."""
    a, b = theta
    slope = np.array([-2 * (1 - a) - 40 * a * (b - a**2), 20 * (b - a**2)])
    return (1 - a) ** 2 + 10 * (b - a**2) ** 2, slope


GAMMA, BETA = 1 - 3 / 32, 1 - 1 / 1024  # close to 0.9 and 0.999, and exact in single precision


def own_way(name, rate, epsilon=1e-7, accumulator=0.1, gamma=GAMMA, beta=BETA):
    """100 steps of an optimiser through the valley with the four functions above."""
    theta = np.array([-1.2, 1.5])
    way, first = [theta], np.zeros(2)
    second = np.full(2, accumulator if name == "Adagrad" else 0.0)
    for t in range(1, 101):
        g = valley(theta)[1]
        if name == "momentum":
            theta, first = momentum_step(theta, first, g, rate / (1 - 0.9), 0.9)
        elif name == "Adagrad":
            theta, second = adagrad_step(theta, second, g, rate, epsilon)
        elif name == "RMSprop":
            theta, second = rmsprop_step(theta, second, g, rate, 0.9, epsilon)
        elif name == "Adam":
            theta, first, second = adam_step(theta, first, second, t, g, rate, gamma, beta, epsilon)
        else:
            theta = theta - rate * g
        way.append(theta)
    return np.array(way)


def library_way(optimizer):
    """The same with an optimiser of Keras."""
    theta = keras.Variable([-1.2, 1.5], dtype="float64")
    way = [theta.numpy()]
    for _ in range(100):
        optimizer.apply([ops.convert_to_tensor(valley(way[-1])[1])], [theta])
        way.append(theta.numpy())
    return np.array(way)


rates = {"momentum": 0.002, "Adagrad": 0.3, "RMSprop": 0.02, "Adam": 0.1}
library = {
    "momentum": keras.optimizers.SGD(rates["momentum"], momentum=0.9),
    "Adagrad": keras.optimizers.Adagrad(rates["Adagrad"]),
    "RMSprop": keras.optimizers.RMSprop(rates["RMSprop"]),
    "Adam": keras.optimizers.Adam(rates["Adam"], beta_1=GAMMA, beta_2=BETA),
}
ways = {name: own_way(name, rate) for name, rate in rates.items()}
theirs = {name: library_way(optimizer) for name, optimizer in library.items()}
largest = {name: np.abs(ways[name] - theirs[name]).max() for name in rates}
for name, value in largest.items():
    print(f"{name:9s} largest difference to Keras in 100 steps: {value:.1e}")
usual = own_way("Adam", 0.1, gamma=0.9, beta=0.999) - library_way(keras.optimizers.Adam(0.1))
print(f"Adam with 0.9 and 0.999, which Keras rounds:       {np.abs(usual).max():.1e}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4))
a, b = np.meshgrid(np.linspace(-1.6, 1.6, 200), np.linspace(-0.6, 2.2, 200))
height = np.log(valley(np.array([a, b]))[0] + 0.02)
left.contour(a, b, height, 14, colors=plotting.GREY, linewidths=0.6)
ways["plain descent"] = own_way("plain", 0.01)
for (name, way), marker in zip(ways.items(), "os^Dv", strict=True):
    left.plot(*way.T, "-", marker=marker, ms=2.5, lw=1, label=name)
    right.semilogy([valley(theta)[0] for theta in way], label=name)
left.plot(1, 1, "*", ms=14, color=plotting.INK)
left.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", title="Five ways through a bent valley")
right.set(xlabel="step", ylabel="loss", title="Adam is first here (the rates were not tuned)")
right.legend()
plotting.show(
    "Left: contour lines of a bent valley with the ways of plain descent, momentum, Adagrad, RMSprop and Adam towards the minimum. Right: their losses against step.",
    figure,
)

# %% covers="M4.6"
mixed_up = {
    "momentum": own_way("momentum", 0.1 * rates["momentum"]),  # the rate not translated
    "Adagrad": own_way("Adagrad", rates["Adagrad"], accumulator=0.0),
    "RMSprop": own_way("RMSprop", rates["RMSprop"], epsilon=1e-2),
    "Adam": own_way("Adam", rates["Adam"], epsilon=1e-2),
}
unlike = {name: np.abs(mixed_up[name] - theirs[name]).max() for name in rates}
print("with a convention mixed up:", {name: f"{value:.1e}" for name, value in unlike.items()})
check.claim("M4.6", largest["momentum"], at_most=1e-6, wrong=unlike["momentum"])
check.claim("M4.6", largest["Adagrad"], at_most=1e-6, wrong=unlike["Adagrad"])
check.claim("M4.6", largest["RMSprop"], at_most=1e-6, wrong=unlike["RMSprop"])
check.claim("M4.6", largest["Adam"], at_most=1e-6, wrong=unlike["Adam"])
literal, remembered = [], 0.0
for t in range(1, 5):
    remembered = (0.9 * remembered + 0.1) / (1 - 0.9**t)
    literal.append(remembered)
check.claim("M4.6", literal, [1, 5.263, 17.848, 47.0], tolerance=0.01, wrong=[1, 1, 1, 1])

# %%
check.quiz("4.8-q1")

# %% tags=["instructor"]
# Timing: example 4.1 10 min, the sections up to example 4.4 25, backpropagation 25, rates 5, optimisers 25.
# Discussion: why does the first step of Adam not depend on the size of the gradient? (m_hat / sqrt(nu_hat) is its sign.)
# Where the valley is very narrow, Adagrad's rate has run out before the bend; give it ten times the rate and look again.
for question, answer in [("4.5-q1", 2), ("4.8-q1", 4)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Subtract large offsets before rounding, and scale together what belongs together.
- The condition number of the inputs decides how many steps descent needs; standardising is the cheapest cure.
- The noise of a minibatch gradient falls as $1/\sqrt k$. Initial weights: He for ReLU, Glorot for tanh, never all equal.
- Backpropagation costs three forward passes for all gradients together; forward mode one for each parameter.
- Learning rates: stable below $2/\lambda_{\max}$, large first, small at the end. Adam is a good first choice; know your library's conventions.
"""

# %%
check.summary()
