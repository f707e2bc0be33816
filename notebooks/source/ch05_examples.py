# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 5, title: "Mastering model building: one method at a time", level: 2, minutes: 90, sections: "5.1-5.5", data: [wine], fast: {N_SETS: 80, STEPS: 800, N_PATTERNS: 16}}
# ---
# %% [markdown]
r"""
# Mastering model building: one method at a time

**You will**

- split the error of a model into bias, variance and noise, and see the three add up;
- count pairs to get the area under a ROC curve, with its statistical error;
- see a validation set flatter a model, twice: by twins in the data, and by choosing the best of many;
- stop a training early, and give each regularisation method of the chapter a number;
- search for hyperparameters on a grid and at random with the same budget, and take activation functions apart.

**You need** NumPy, the first pages of chapter 5, and the standard error of a mean. **Time:** about 90 minutes, in any order; the cells run in well under a minute.

**You will see** hundreds of small networks at a time, trained side by side. What one training does may be luck; what two hundred do is a result.

Exercises 5.1 to 5.3 stand in `ch05_model_building`.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting

check = checks.start("ch05_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from numpy.polynomial import chebyshev
from scipy.stats import norm

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_SETS = 200  # training sets, each with a model of its own
STEPS = 1500  # steps of the optimiser for a network
N_PATTERNS = 24  # measured patterns for the hyperparameter search
SIGMA = 0.2  # noise of the measured points

# %% [markdown]
r"""
## A hundred networks at once

To say how a model behaves *on average*, one training is not enough. The two functions below train many small networks at the same time, each on its own training
set: one hidden layer with tanh, a linear output, the mean squared error, Adam with a learning rate that falls to zero. NumPy multiplies stacks of matrices as it multiplies
matrices, so the first axis of every array counts the networks. There is nothing in it that chapter 4 has not built, and each regularisation of
section 5.4 is one line.
"""


# %%
def train_many(
    x, y, hidden, *, steps, learning_rate=0.02, l1=0.0, l2=0.0, dropout=0.0, noise=0.0, watch=None, adam=True
):  # fmt: skip
    """Train one network for each training set.

    x: (sets, n, inputs); y: (sets, n). learning_rate, l1, l2: a number, or one for each set, shape (sets, 1, 1).
    dropout: rate for the hidden nodes; noise: standard deviation of noise added to the inputs in every step.
    watch: inputs to predict after every 25 steps; adam=False: plain gradient descent. Returns the parameters, and those predictions as a list.
    """  # fmt: skip
    sets, n, inputs = x.shape
    x, y = x.astype("float32"), y[..., np.newaxis].astype("float32")

    def normal(*shape):
        return random.standard_normal(shape, dtype="float32")

    parameters = [
        3 * normal(sets, inputs, hidden),
        3 * (2 * random.random((sets, 1, hidden), dtype="float32") - 1),
        normal(sets, hidden, 1) / np.float32(np.sqrt(hidden)),
        np.zeros((sets, 1, 1), "float32"),
    ]
    first = [np.zeros_like(p) for p in parameters]  # Adam's moments
    second = [np.zeros_like(p) for p in parameters]
    seen = []
    for step in range(1, steps + 1):
        w1, b1, w2, b2 = parameters
        shown = x + noise * normal(*x.shape) if noise else x
        h = np.tanh(shown @ w1 + b1)
        mask = (random.random(h.shape, dtype="float32") > dropout) / np.float32(1 - dropout) if dropout else 1  # fmt: skip
        error = 2 / n * ((h * mask) @ w2 + b2 - y)
        back = (error @ w2.swapaxes(1, 2)) * mask * (1 - h**2)
        gradient = [
            shown.swapaxes(1, 2) @ back + l1 * np.sign(w1) + 2 * l2 * w1,
            back.sum(axis=1, keepdims=True),
            (h * mask).swapaxes(1, 2) @ error + l1 * np.sign(w2) + 2 * l2 * w2,
            error.sum(axis=1, keepdims=True),
        ]
        rate = learning_rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        correction = np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        for p, g, m, v in zip(parameters, gradient, first, second, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g**2 - v)
            p -= (rate * (correction * m / (np.sqrt(v) + 1e-8) if adam else g)).astype("float32")
        if watch is not None and step % 25 == 0:
            seen.append(predict_many(parameters, watch))
    return parameters, seen


def predict_many(parameters, x):
    """Output of every network, shape (sets, n), for inputs (n, inputs) or (sets, n, inputs)."""
    w1, b1, w2, b2 = parameters
    return (np.tanh(np.asarray(x, "float32") @ w1 + b1) @ w2 + b2)[..., 0]


# %% [markdown]
r"""
The data of this notebook are a diffraction pattern: behind a single slit the amplitude is $g(x) = \sin(2\pi x)/(2\pi x)$, where $x$ is the sine of the angle in
suitable units. It is measured at 25 angles, each time with Gaussian noise of $\sigma = 0.2$. An experiment is a training set, and we can repeat it as often as we like.
"""

# %%
angles = np.linspace(-1, 1, 25)
between = np.linspace(-0.98, 0.98, 99)  # test angles: inside, and not the measured ones
amplitude = np.sinc(2 * between)


def experiments(n, x=angles):
    """n measured patterns, shape (n, number of angles)."""
    return np.sinc(2 * x) + SIGMA * random.normal(size=(n, len(x)))


def fit_polynomials(x, y, degree):
    """Least-squares polynomial of each training set y (sets, n), at the test angles: (sets, 99)."""
    solve = np.linalg.pinv(chebyshev.chebvander(x, degree))
    return y @ solve.T @ chebyshev.chebvander(between, degree).T


# %% [markdown]
r"""
## Section 5.1: bias and variance

Train the same model on many training sets. At a given $x$ its predictions $f(x)$ scatter. Their mean may miss the truth $g(x)$: that is the *bias*. Their scatter is the
*variance*. A new measurement $y = g + \varepsilon$ scatters as well, so

$$E\left[(f - y)^2\right] = \underbrace{\left(E[f] - g\right)^2}_{\text{bias}^2} + \underbrace{E\left[(f - E[f])^2\right]}_{\text{variance}} + \;\sigma^2. \tag{5.2}$$

*A trap.* The book defines the error as $E[(f-g)^2]$ in (5.1). Against the truth $g$ there is no $\sigma^2$; it appears when the error is taken against the noisy $y$, which is all that an experiment has.

A stiff model has bias, a flexible one has variance: the three lower panels are the book's Fig. 5.2, the four upper ones its Fig. 5.1. Each dart is the model of one
experiment, and shows how far its prediction is off at two angles.
"""

# %%
few = angles[::6]  # five angles only
throws = {
    "degree 2: high bias": fit_polynomials(angles, experiments(150), 2),
    "degree 6: both low": fit_polynomials(angles, experiments(150), 6),
    "degree 16: high variance": fit_polynomials(angles, experiments(150), 16),
    "degree 2, five points: both high": fit_polynomials(few, experiments(150, few), 2),
}
figure = plt.figure(figsize=(11, 6.4))
upper, lower = figure.add_gridspec(2, 1, hspace=0.6)
one, two = np.abs(between).argmin(), np.abs(between - 0.5).argmin()
for axis, (name, darts) in zip(upper.subgridspec(1, 4).subplots(sharey=True), throws.items(), strict=True):  # fmt: skip
    for radius in [0.15, 0.3, 0.45]:
        axis.add_patch(plt.Circle((0, 0), radius, fill=False, color=plotting.GREY))
    axis.plot(darts[:, one] - amplitude[one], darts[:, two] - amplitude[two], ".", ms=4, alpha=0.6)
    axis.set(xlim=(-0.9, 0.9), ylim=(-0.9, 0.9), aspect="equal", xlabel="error at $x=0$")
    axis.set_title(name, fontsize=9.5)
figure.axes[0].set_ylabel("error at $x=0.5$")
pattern = experiments(1)
for axis, (degree, name) in zip(
    lower.subgridspec(1, 3).subplots(sharey=True),
    [(2, "underfitting"), (6, "appropriate"), (16, "overfitting")],
    strict=True,
):
    axis.plot(angles, pattern[0], "o", ms=4, color=plotting.INK, label="data")
    axis.plot(between, amplitude, "--", color=plotting.GREY, label="truth")
    axis.plot(between, fit_polynomials(angles, pattern, degree)[0], label=f"degree {degree}")
    axis.set(title=name, xlabel="$x$, sine of the angle", ylim=(-0.9, 1.6))
    axis.title.set_fontsize(9.5)
    axis.legend(fontsize=7.5)
figure.axes[4].set_ylabel("amplitude")
figure.suptitle("A stiff model misses in one direction, a flexible one in all")
plotting.show(
    "Four dart boards: tight but off centre, tight in the centre, wide around the centre, wide and off centre; "
    "and three fits to one pattern: too stiff, appropriate, and one that follows the noise.",
    figure,
)

# %% [markdown]
r"""
**Your task.** Return the squared bias and the variance, each averaged over the test angles. Average over the training sets first, at each angle.
"""


# %% task="M5.1a" points=2
def decompose(predictions, truth):
    """Squared bias and variance of a model, averaged over the places x.

    predictions: (sets, places), one row a model of one training set; truth: (places,), without noise.
    Returns two numbers, bias^2 and variance; the variance divides by the number of sets.
    """
    ### BEGIN SOLUTION
    mean = predictions.mean(axis=0)
    return np.mean((mean - truth) ** 2), np.mean(predictions.var(axis=0))
    ### END SOLUTION


# %% check="M5.1a"
check("M5.1a", decompose)

# %% [markdown]
r"""
Now the sum (5.2), for polynomials of eight degrees and for networks of five sizes. One half of the experiments gives bias and variance. The other half, with models and test
measurements of its own, gives the error that an experimenter would find. Nothing is shared by the two, so that their agreement says something.
"""

# %%
decompose = check.catch_up("M5.1a", decompose)


def measured_sum(predictions):
    """bias^2, variance, the sum (5.2) and its error; the error on new measurements and its statistical error."""
    half = len(predictions) // 2
    bias2, variance = decompose(predictions[:half], amplitude)
    each = np.mean((predictions[:half] - amplitude) ** 2, axis=1)  # adds up to bias^2 + variance
    new = amplitude + SIGMA * random.normal(size=predictions[half:].shape)
    test, test_error = metrics.mean_with_error(np.mean((predictions[half:] - new) ** 2, axis=1))
    return bias2, variance, bias2 + variance + SIGMA**2, metrics.mean_with_error(each)[1], test, test_error  # fmt: skip


degrees = [0, 2, 4, 6, 8, 10, 12, 14]
sizes = [1, 2, 4, 8, 32]
rows = {"polynomials": [], "networks": []}
for degree in degrees:
    rows["polynomials"].append(
        measured_sum(fit_polynomials(angles, experiments(2 * N_SETS), degree))
    )
for size in sizes:
    patterns = experiments(N_SETS)
    inputs = np.broadcast_to(angles[:, np.newaxis], (N_SETS, 25, 1))
    trained, _ = train_many(inputs, patterns, size, steps=STEPS)
    rows["networks"].append(measured_sum(predict_many(trained, between[:, np.newaxis])))

print("model          bias^2   variance   noise    sum                 measured on new data   s.e.")
for kind, labels in [("polynomials", degrees), ("networks", sizes)]:
    for label, (b, v, total, error, test, test_error) in zip(labels, rows[kind], strict=True):
        pull = (test - total) / np.hypot(error, test_error)
        name = f"degree {label}" if kind == "polynomials" else f"{label} nodes"
        print(f"{name:12s} {b:8.4f} {v:9.4f} {SIGMA**2:9.4f}  {total:.4f} +- {error:.4f}   {test:.4f} +- {test_error:.4f} {pull:+10.1f}")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
for axis, (kind, labels) in zip(axes, [("polynomials", degrees), ("networks", sizes)], strict=True):
    b, v, total, _, test, test_error = np.array(rows[kind]).T
    axis.plot(labels, b, "o-", label="bias$^2$")
    axis.plot(labels, v, "s-", label="variance")
    axis.axhline(SIGMA**2, color=plotting.INK, ls="--", lw=1.5, label=r"limit: noise $\sigma^2$")
    axis.plot(labels, total, "-", color=plotting.GREY, lw=2, label="sum")
    axis.errorbar(labels, test, test_error, fmt="D", capsize=3, label="measured on new data")
    axis.set(yscale="log", ylim=(2e-5, 0.6))
axes[0].set(xlabel="degree of the polynomial", ylabel="mean squared error")
axes[1].set(xscale="log", xlabel="hidden nodes of the network", xticks=sizes, xticklabels=sizes)
axes[1].minorticks_off()
axes[0].legend(fontsize=8, loc="lower left")
figure.suptitle("Bias falls, variance rises, and with the noise they add up to the error")
plotting.show(
    "Bias squared, variance, noise, their sum and the measured error against capacity, for polynomials and networks. "
    "Bias falls and variance rises; the measured points lie on the sum, which has its minimum in between.",
    figure,
)

# %% covers="M5.1"
table = np.array([*rows["polynomials"], *rows["networks"]])
combined = np.hypot(table[:, 3], table[:, 5])
pulls = np.abs(table[:, 4] - table[:, 2]) / combined
without_noise = np.abs(table[:, 4] - table[:, 2] + SIGMA**2) / combined
check.claim("M5.1", pulls.max(), at_most=4.5, wrong=without_noise.max())
best = degrees[int(np.argmin(table[: len(degrees), 2]))]
check.claim("M5.1", best, 6, tolerance=2, wrong=degrees[-1])

# %%
check.quiz("M5.1-q1")

# %% [markdown]
r"""
A network with 32 hidden nodes has 97 parameters, four times as many as there are points, and yet its error is not four times as large. Nothing forces it to use them all: small
initial weights, a finite number of steps and a decaying learning rate hold it back. Counting parameters is a poor measure of capacity for networks.

## Section 5.1: accuracy, efficiency, purity

A classifier gives each event a score. Events above a *working point* $v$ are called signal (class A). Three fractions describe what comes out:

$$\mathrm{accuracy} = \frac{N_A^\mathrm{true} + N_{\bar A}^\mathrm{true}}{N}, \qquad \mathrm{efficiency} = \frac{N_A^\mathrm{true}}{N_A^\mathrm{total}},
\qquad \mathrm{purity} = \frac{N_A^\mathrm{true}}{N_A^\mathrm{true} + N_A^\mathrm{false}}. \tag{5.3-5.5}$$

Computer scientists say *sensitivity* or *recall* for the efficiency, and *precision* for the purity.

**Your task.** Return the three.
"""


# %% task="M5.2a" points=1
def working_point(score, is_signal, cut):
    """Accuracy, efficiency and purity of the selection ``score > cut``.

    score: (n,); is_signal: (n,), True for class A. Returns three numbers; at least one event passes the cut.
    """
    ### BEGIN SOLUTION
    above = score > cut
    right = np.sum(above & is_signal)
    accuracy = np.mean(above == is_signal)
    return accuracy, right / np.sum(is_signal), right / np.sum(above)
    ### END SOLUTION


# %% check="M5.2a"
check("M5.2a", working_point)

# %%
working_point = check.catch_up("M5.2a", working_point)

SEPARATION = 1.5  # distance of the classes in units of their width


def scores(n_signal, n_background):
    """Scores of two classes: the posterior of two Gaussians, for classes of equal size."""
    z = np.append(random.normal(SEPARATION, 1, n_signal), random.normal(0, 1, n_background))
    return 1 / (1 + np.exp(-SEPARATION * (z - SEPARATION / 2))), np.arange(len(z)) < n_signal


score, is_signal = scores(3000, 3000)
print("cut    accuracy   efficiency   purity")
for cut in [0.2, 0.5, 0.8, 0.95]:
    print("{:.2f} {:9.3f} {:11.3f} {:10.3f}".format(cut, *working_point(score, is_signal, cut)))
rare, is_rare = scores(3000, 300_000)
print("the same classifier where one event in 101 is signal:")
for cut in [0.5, 0.95]:
    print("{:.2f} {:9.3f} {:11.3f} {:10.3f}".format(cut, *working_point(rare, is_rare, cut)))
print(f"calling everything background would have the accuracy {1 - is_rare.mean():.3f}")

# %% [markdown]
r"""
Efficiency up, purity down: one pays with the other. And where signal is rare, the accuracy says little: to call everything background is 99 % accurate and finds nothing.

### The ROC curve, and what its area means

Let the working point run from 1 to 0, and plot the efficiency for signal against the share of background that passes: the *receiver operating curve*. The area under it
has a meaning of its own. It is the probability that a signal event has a larger score than a background event, both drawn at random:

$$\mathrm{AUC} = P(s_A > s_{\bar A}) + \tfrac12 P(s_A = s_{\bar A}).$$

So it can be had by counting pairs, without any curve. A tie counts half.

*A trap.* The book plots 1 - purity against efficiency. The area under *that* curve depends on how rare the signal is, and does not have this meaning; below both are computed.

Pairs that share an event are not independent, and so the statistical error is not that of $n_A n_{\bar A}$ throws of a coin. Let $u_i$ be the share of background that signal event $i$ beats, and $v_j$
the share of signal that beats background event $j$ (ties half). Both have the mean AUC, and with their sample variances (dividing by $n - 1$) the error is (DeLong et al., 1988)

$$\sigma^2 = \frac{\mathrm{var}(u)}{n_A} + \frac{\mathrm{var}(v)}{n_{\bar A}}.$$

**Your task.** Return the area and its error, by counting pairs. A few thousand events make some million pairs, which is nothing for an array of the shape (signal, background).
"""


# %% task="M5.2b" points=3
def area_by_pairs(signal, background):
    """Area under the ROC curve and its standard error, by pair counting; ties count half.

    signal: (n,) scores of signal events; background: (m,) scores of background events. Returns two numbers.
    """
    ### BEGIN SOLUTION
    s, b = signal[:, np.newaxis], background[np.newaxis, :]
    wins = (s > b) + 0.5 * (s == b)
    u, v = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(), np.sqrt(u.var(ddof=1) / len(u) + v.var(ddof=1) / len(v))
    ### END SOLUTION


# %% check="M5.2b"
check("M5.2b", area_by_pairs)

# %%
area_by_pairs = check.catch_up("M5.2b", area_by_pairs)


def roc(score, is_signal):
    """Share of background and of signal above every score that occurs, from (0, 0) to (1, 1)."""
    cuts = np.append(np.unique(score)[::-1], -np.inf)
    order = np.sort(score[is_signal]), np.sort(score[~is_signal])
    above = [1 - np.searchsorted(part, cuts, side="right") / len(part) for part in order]
    return above[1], above[0]


exact = norm.cdf(SEPARATION / np.sqrt(2))
score, is_signal = scores(400, 600)
rough = np.round(score, 1)  # eleven values only: many ties
areas = {}
for name, values in [("fine scores", score), ("rounded to 0.1", rough)]:
    pairs, error = area_by_pairs(values[is_signal], values[~is_signal])
    false, true = roc(values, is_signal)
    areas[name] = pairs, np.trapezoid(true, false), error
    print(f"{name:16s} pairs {pairs:.6f}, trapezoids {areas[name][1]:.6f}, error {error:.4f}")
lost = np.mean(rough[is_signal][:, np.newaxis] > rough[~is_signal])
print(f"rounded, ties not counted: {lost:.4f}. Exact, for two Gaussians: {exact:.4f}")

repeated = np.array([area_by_pairs(s[t], s[~t]) for s, t in (scores(100, 150) for _ in range(800))])
spread = repeated[:, 0].std(ddof=1)
print(f"800 experiments: spread of the area {spread:.4f}, mean of the errors {repeated[:, 1].mean():.4f}")  # fmt: skip
coin = np.sqrt(exact * (1 - exact) / (100 * 150))
print(f"error if all pairs were independent: {coin:.4f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4))
book = {}
for (label, n_background), style in zip([("1 : 1", 20_000), ("1 : 10", 200_000)], ["-", "--"], strict=True):  # fmt: skip
    values, truth = scores(20_000, n_background)
    false, true = roc(values, truth)
    n_signal = truth.sum()
    impurity = false[1:] * n_background / (false[1:] * n_background + true[1:] * n_signal)
    axes[0].plot(false, true, style, label=f"signal : background = {label}")
    axes[1].plot(true[1:], impurity, style, label=f"signal : background = {label}")
    book[label] = np.trapezoid(true, false), np.trapezoid(impurity, true[1:])
axes[0].plot([0, 1], [0, 1], ":", color=plotting.GREY, label="baseline: guessing")
axes[0].set(xlabel="background that passes (fraction)", ylabel="signal efficiency", title="ROC: area means pairs")  # fmt: skip
axes[1].set(xlabel="signal efficiency", ylabel="1 - purity", title="The book's curve: depends on the mixture")  # fmt: skip
axes[0].legend(loc="lower right")
axes[1].legend(loc="upper left")
figure.tight_layout()
plotting.show(
    "Left: ROC curves for two mixtures lie on each other. Right: 1 - purity against efficiency, two different curves.",
    figure,
)
for label, (area, other) in book.items():
    print(f"{label:8s} area under the ROC curve {area:.3f}, under the book's curve {other:.3f}")

# %% covers="M5.2"
fine, rounded = areas["fine scores"], areas["rounded to 0.1"]
check.claim("M5.2", fine[0] - fine[1], 0, tolerance=1e-10, wrong=lost - fine[1])
check.claim("M5.2", rounded[0] - rounded[1], 0, tolerance=1e-10, wrong=lost - rounded[1])
check.claim("M5.2", repeated[:, 1].mean() / spread, 1, tolerance=0.15, wrong=coin / spread)
pull = (repeated[:, 0].mean() - exact) / (spread / np.sqrt(len(repeated)))
check.claim("M5.2", abs(pull), at_most=4, wrong=abs(pull) + spread * 28 / 0.004)
check.claim(
    "M5.2", book["1 : 1"][0] - book["1 : 10"][0], 0, tolerance=0.01, wrong=book["1 : 1"][1] - book["1 : 10"][1]
)  # fmt: skip

# %% [markdown]
r"""
## Section 5.2: splitting the data

Training data fix the weights, validation data guide the decisions, test data are used once, at the end. Typical shares are 60, 15 and 25 %. Two ways in which a careful split still
deceives are shown here.

**Twins.** In the table of white wines 937 of the 4898 rows repeat an earlier row. If one of two twins lies in the training data and the other one in the validation data, a model that
remembers has seen the answer. (The stand-in table, used without network, has no twins. We plant as many, so that the lesson is the same.)

**Cross-validation** uses all events for validation: cut the data into $k$ parts, train on all but one, validate on that one, and let each part have its turn. The remedy for twins is to cut
such that each *group*, a wine with all its copies, lies in one part only.

**Your task.** Return the number of the part (0 to $k-1$) for each event. All events of a group share one part. The groups are dealt out at random, so that all parts have as many groups, within one.
"""


# %% task="M5.3a" points=2
def group_folds(group, k, seed):
    """The part of the data to which each event belongs, for cross-validation with k parts.

    group: (n,), whole numbers; events with the same number belong together.
    Returns an array (n,) of whole numbers 0 ... k-1. Use np.random.default_rng(seed).
    """
    ### BEGIN SOLUTION
    names, which = np.unique(group, return_inverse=True)
    part = np.random.default_rng(seed).permutation(len(names)) % k
    return part[which]
    ### END SOLUTION


# %% check="M5.3a"
check("M5.3a", group_folds)

# %%
group_folds = check.catch_up("M5.3a", group_folds)

wine = datasets.load_wine(seed=check.seed)
x = np.concatenate([wine.x_train, wine.x_validation, wine.x_test])
y = np.concatenate([wine.y_train, wine.y_validation, wine.y_test])
if len(np.unique(x, axis=0)) > len(x) - 100:  # the stand-in: plant twins
    copies = random.permutation(len(x))[: 2 * 937].reshape(2, 937)
    x[copies[0]], y[copies[0]] = x[copies[1]], y[copies[1]]
wine_number = np.unique(x, axis=0, return_inverse=True)[1].ravel()
x = (x - x.mean(axis=0)) / x.std(axis=0)
print(f"{len(x)} rows, {wine_number.max() + 1} different wines")


def nearest(x_train, y_train, x_new):
    """The mark of the most similar training wine: a model that remembers everything."""
    distance = (x_train**2).sum(axis=1) - 2 * x_new @ x_train.T  # up to a constant of each row
    return y_train[distance.argmin(axis=1)]


def linear(x_train, y_train, x_new):
    """Linear regression, which remembers twelve numbers."""
    weights = np.linalg.lstsq(np.column_stack([x_train, np.ones(len(x_train))]), y_train, rcond=None)[0]  # fmt: skip
    return x_new @ weights[:-1] + weights[-1]


splits = {
    "events dealt out": group_folds(np.arange(len(x)), 5, check.seed),
    "groups dealt out": group_folds(wine_number, 5, check.seed),
}
squares = {}
for model in [nearest, linear]:
    for name, part in splits.items():
        predicted = np.empty(len(x))
        for fold in range(5):
            train, held = part != fold, part == fold
            predicted[held] = model(x[train], y[train], x[held])
        squares[model.__name__, name] = (predicted - y) ** 2
        value, error = metrics.mean_with_error(squares[model.__name__, name])
        print(f"{model.__name__:8s} {name}: mean squared error {value:.3f} +- {error:.3f} marks^2")

gain = {
    name: metrics.mean_with_error(
        squares[name, "groups dealt out"] - squares[name, "events dealt out"]
    )
    for name in ["nearest", "linear"]
}
for name, (value, error) in gain.items():
    print(f"{name:8s} looks better by {value:+.3f} +- {error:.3f} if twins may part")

# %% [markdown]
r"""
**The best of many.** The second deception needs no flaw of the data. Take 300 models that know nothing, choose the one with the best validation accuracy, and believe it. The more one tries, the more the
*chosen* validation result flatters. This is why the test data exist, and why they are used once.
"""

# %%
n_validation, tried = 100, np.array([1, 3, 10, 30, 100, 300])
labels = random.integers(0, 2, n_validation)
guesses = random.integers(0, 2, size=(400, 300, n_validation), dtype="int8")  # 400 searches
accuracy = (guesses == labels).mean(axis=2)
best_of = np.array([accuracy[:, :n].max(axis=1).mean() for n in tried])
on_test = 0.5  # each of them guesses; the chosen one guesses on the test data as well
plotting.lines(
    tried,
    {"validation accuracy of the chosen model": best_of, "limit: any guess on test data": np.full(6, on_test)},
    xlabel="models tried (number)",
    ylabel="accuracy (fraction correct)",
    dashed=["limit: any guess on test data"],
    log_x=True,
    title="The best of 300 coins is right in 64 % of 100 cases",
)  # fmt: skip

# %% covers="M5.3"
check.claim("M5.3", gain["nearest"][0] / gain["nearest"][1], at_least=5, wrong=gain["linear"][0] / gain["linear"][1])  # fmt: skip
check.claim("M5.3", abs(gain["linear"][0]), at_most=0.02, wrong=abs(gain["nearest"][0]))
apart = [len(np.unique(part[wine_number == g])) for part in splits.values() for g in np.flatnonzero(np.bincount(wine_number) > 1)[:200]]  # fmt: skip
check.claim("M5.3", max(apart[200:]), 1, wrong=max(apart[:200]))
check.claim("M5.3", best_of[-1], at_least=0.6, wrong=best_of[0])

# %% [markdown]
r"""
## Section 5.3: monitoring, and when to stop

The training loss falls and falls. The validation loss falls, turns, and rises: overtraining (Fig. 5.3). The difference of the two is the *generalisation gap*. Below, networks with 32 nodes learn
one diffraction pattern each, and after every 25 steps they are asked about new measurements.
"""

# %%
patterns = experiments(N_SETS)
inputs = np.broadcast_to(angles[:, np.newaxis], (len(patterns), 25, 1))
watch = np.append(angles, between)[:, np.newaxis]
trained, seen = train_many(inputs, patterns, 32, steps=STEPS, watch=watch)
history = np.array(seen)  # (records, networks, places)
on_training = np.mean((history[:, :, :25] - patterns) ** 2, axis=2)
validation = experiments(len(patterns))  # the same angles, measured once more
on_validation = np.mean((history[:, :, :25] - validation) ** 2, axis=2)
from_truth = np.mean((history[:, :, 25:] - amplitude) ** 2, axis=2)
steps_seen = 25 * np.arange(1, len(history) + 1)
plotting.lines(
    steps_seen,
    {
        "training": on_training.mean(axis=1),
        "validation": on_validation.mean(axis=1),
        "limit on new data: the noise": np.full(len(history), SIGMA**2),
    },
    errors={"validation": on_validation.std(axis=1) / np.sqrt(len(patterns))},
    xlabel="steps of the optimiser",
    ylabel="mean squared error",
    dashed=["limit on new data: the noise"],
    log_x=True,
    log_y=True,
    title="Validation turns while training falls below the noise",
)

# %% [markdown]
r"""
**Early stopping** takes the parameters of the epoch with the smallest validation loss. One cannot know that a minimum is the last one, so one waits: the training ends when the loss has not
fallen below its best value for `patience` epochs in a row.

**Your task.** Return the number of the best epoch, and of the epoch in which the training ends (both counted from 0). If the patience never runs out, it ends with the last epoch.
"""


# %% task="M5.4a" points=2
def early_stopping(validation_loss, patience):
    """Best epoch seen, and the epoch after which the training stops.

    validation_loss: (epochs,), in the order of the epochs; patience: a whole number of epochs, at least 1.
    Returns two whole numbers, counted from 0. Of equal losses the first counts as the best.
    """
    ### BEGIN SOLUTION
    best = 0
    for epoch, loss in enumerate(validation_loss):
        if loss < validation_loss[best]:
            best = epoch
        if epoch - best >= patience:
            return best, epoch
    return best, len(validation_loss) - 1
    ### END SOLUTION


# %% check="M5.4a"
check("M5.4a", early_stopping)

# %% [markdown]
r"""
Keras has it as a callback, `keras.callbacks.EarlyStopping(patience=..., restore_best_weights=True)`. Without the second argument the network keeps the weights of the *last* epoch, the ones one
did not want. A network trained on a single pattern shows that your function and the callback agree.
"""

# %%
early_stopping = check.catch_up("M5.4a", early_stopping)

network = keras.Sequential(
    [keras.Input((1,)), layers.Dense(32, activation="tanh"), layers.Dense(32, activation="tanh"), layers.Dense(1)]
)  # fmt: skip
network.compile(keras.optimizers.Adam(0.01), "mse", steps_per_execution=25)
callback = keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)
fitted = network.fit(
    np.tile(angles, 32)[:, np.newaxis],  # 32 times the same pattern: an epoch of 25 steps
    np.tile(patterns[0], 32),
    batch_size=32,
    epochs=60,
    validation_data=(np.tile(angles, 8)[:, np.newaxis], experiments(8).ravel()),
    callbacks=[callback],
    verbose=0,
)
losses = fitted.history["val_loss"]
mine = early_stopping(np.array(losses), 6)
stopped = callback.stopped_epoch or len(losses) - 1  # Keras says 0 if the patience never ran out
print(f"your function: best epoch {mine[0]}, stop in {mine[1]}; Keras: {callback.best_epoch}, {stopped}")  # fmt: skip

# %%
chosen = [early_stopping(on_validation[:, i], 10)[0] for i in range(len(patterns))]
gains = from_truth[-1] - from_truth[chosen, np.arange(len(patterns))]
value, error = metrics.mean_with_error(gains)
last, last_error = metrics.mean_with_error(from_truth[-1])
print(f"mean squared distance from the truth after {STEPS} steps: {last:.4f} +- {last_error:.4f}")
print(f"early stopping, patience of 10 records: smaller by {value:.4f} +- {error:.4f}")
print(f"the best moment, if the truth were known (oracle): smaller by {np.mean(from_truth[-1] - from_truth.min(axis=0)):.4f}")  # fmt: skip

# %% covers="M5.4"
check.claim("M5.4", mine, (callback.best_epoch, stopped), wrong=(stopped, stopped))
turn = on_validation.mean(axis=1)
check.claim("M5.4", turn[-1] / turn.min(), at_least=1.01, wrong=on_training.mean(axis=1)[-1] / on_training.mean(axis=1).min())  # fmt: skip
check.claim("M5.4", value / error, at_least=2, wrong=0)
check.claim("M5.4", on_training.mean(axis=1)[-1], at_most=SIGMA**2, wrong=turn[-1])

# %%
check.quiz("M5.4-q1")

# %% [markdown]
r"""
## Section 5.4: penalties for large weights

To the loss one adds $\lambda \sum |W|$ (L1, (5.6)) or $\lambda \sum W^2$ (L2, (5.7)). What this does is seen best where the loss is a parabola. Near its minimum $w_0$, with curvature $a$,

$$L(w) = \tfrac12\, a\,(w - w_0)^2 + \lambda\,|w| \qquad\text{or}\qquad \tfrac12\, a\,(w-w_0)^2 + \lambda\, w^2 .$$

*A convention.* Frameworks differ by a factor of two: some write $\tfrac\lambda2 w^2$ (the playground of exercise 5.1 does). Keras' `L2(rate)` is the book's $\lambda w^2$.

**Your task.** Return the $w$ of the smallest $L$, for "l1" and "l2". For L1 ask from which side the slope of $|w|$ pushes, and when it wins.
"""


# %% task="M5.5a" points=2
def shrunken(w0, curvature, rate, kind):
    """Where the penalised parabola has its minimum.

    w0, curvature: arrays of one shape, curvature above 0; rate: lambda, a number; kind: "l1" or "l2".
    Returns an array of the same shape.
    """
    ### BEGIN SOLUTION
    if kind == "l2":
        return curvature * w0 / (curvature + 2 * rate)
    return np.sign(w0) * np.maximum(np.abs(w0) - rate / curvature, 0)
    ### END SOLUTION


# %% check="M5.5a"
check("M5.5a", shrunken)

# %%
shrunken = check.catch_up("M5.5a", shrunken)

minimum, curvature = np.array([1.0, 0.9]), np.array([4.0, 0.5])  # steep in W1, shallow in W2
rates = np.linspace(0, 1.2, 61)
grid = np.linspace(-0.3, 1.5, 200)
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.2), sharey=True)
for axis, kind in zip(axes, ["l1", "l2"], strict=True):
    w1, w2 = np.meshgrid(grid, grid)
    loss = 0.5 * (curvature[0] * (w1 - minimum[0]) ** 2 + curvature[1] * (w2 - minimum[1]) ** 2)
    axis.contour(
        w1, w2, loss, levels=[0.02, 0.1, 0.25, 0.5, 1, 2], colors=plotting.GREY, linewidths=0.8
    )
    path = np.array([shrunken(minimum, curvature, rate, kind) for rate in rates])
    axis.plot(*path.T, "-", lw=2.5, label=r"minimum for $\lambda$ = 0 to 1.2")
    axis.plot(*minimum, "o", label="without penalty")
    axis.plot(*path[-1], "s", label=r"$\lambda$ = 1.2")
    norm_ball = np.abs(w1) + np.abs(w2) if kind == "l1" else np.hypot(w1, w2)
    level = np.abs(path[-1]).sum() if kind == "l1" else np.hypot(*path[-1])
    axis.contour(
        w1, w2, norm_ball, levels=[level], colors=plotting.INK, linestyles="--", linewidths=1
    )
    axis.set(xlabel="$W_1$, steep direction", title=kind.upper(), aspect="equal")
    axis.axhline(0, color=plotting.GREY, lw=0.6)
    axis.axvline(0, color=plotting.GREY, lw=0.6)
    axis.legend(fontsize=8, loc="upper left")
axes[0].set_ylabel("$W_2$, shallow direction")
figure.suptitle("L1 sets the unimportant weight to exactly zero, L2 makes it small (Fig. 5.5)")
plotting.show(
    "Contours of a parabola that is steep in W1 and shallow in W2, and the path of the minimum as the penalty grows: "
    "with L1 W2 reaches zero, with L2 both shrink and W2 shrinks more.",
    figure,
)

# %% covers="M5.5"
fine = np.linspace(-0.5, 1.5, 200_001)
by_search = {}
for kind, penalty in [("l1", np.abs(fine)), ("l2", fine**2)]:
    parabolas = 0.5 * curvature[:, np.newaxis] * (fine - minimum[:, np.newaxis]) ** 2
    by_search[kind] = fine[(parabolas + 0.6 * penalty).argmin(axis=1)]
    print(f"{kind}: formula {shrunken(minimum, curvature, 0.6, kind)}, search {by_search[kind]}")
check.claim("M5.5", shrunken(minimum, curvature, 0.6, "l2"), by_search["l2"], tolerance=2e-5, wrong=by_search["l1"])  # fmt: skip
check.claim("M5.5", shrunken(minimum, curvature, 0.6, "l1"), by_search["l1"], tolerance=2e-5, wrong=by_search["l2"])  # fmt: skip

# %% [markdown]
r"""
### Dropout

During training each node is switched off with the probability $r$, anew in every step. So that the next layer gets sums of the usual size, the others are multiplied by $1/(1-r)$. In use, all nodes are on.
*A trap.* The book scales "inversely with the dropout rate"; what is meant is inversely with the share that is *kept*.

**Your task.** Write the training version. A node is dropped where the uniform random number is below the rate.
"""


# %% task="M5.5b" points=1
def drop(x, rate, uniform):
    """Dropout as in training: some entries are zero, the others scaled so that the mean is kept.

    x, uniform: arrays of one shape, uniform numbers from 0 to 1; rate: share that is dropped, below 1.
    """
    ### BEGIN SOLUTION
    kept = uniform >= rate
    return x * kept / (1 - rate)
    ### END SOLUTION


# %% check="M5.5b"
check("M5.5b", drop)

# %% covers="M5.5"
drop = check.catch_up("M5.5b", drop)
activations = np.abs(random.normal(size=(1, 100))).astype("float32")
layer = layers.Dropout(0.3)
draws = np.asarray(layer(np.repeat(activations, 4000, axis=0), training=True))
own = drop(np.repeat(activations, 4000, axis=0), 0.3, random.random((4000, 100)))
ratio = [part.mean() / activations.mean() for part in (own, draws)]
print(f"mean activation, in units of the one without dropout: own {ratio[0]:.4f}, Keras {ratio[1]:.4f}")  # fmt: skip
print(f"sum of all nodes, scatter from draw to draw: own {own.sum(axis=1).std():.2f}, Keras {draws.sum(axis=1).std():.2f}")  # fmt: skip
in_use = np.abs(np.asarray(layer(activations, training=False)) - activations).max()
check.claim("M5.5", ratio, [1, 1], tolerance=0.01, wrong=[ratio[0], ratio[1] * 0.7])
check.claim("M5.5", in_use, 0, wrong=np.abs(draws[0] - activations).max())

# %% [markdown]
r"""
### Each method in one table

The same 25 points, the same networks with 32 nodes and too many steps, and one method at a time. The strengths were chosen beforehand, on other simulated patterns. The diffraction
pattern is symmetric, $g(-x) = g(x)$; *augmentation* tells this to the network by showing each point twice, the second time mirrored. The last line is more data: four measurements at each angle.

The number is the mean squared distance from the truth: what can be improved. (An error on new measurements would have $\sigma^2 = 0.04$ on top.)
"""

# %%
N_TABLE = N_SETS // 2
patterns = experiments(N_TABLE)
inputs = np.broadcast_to(angles[:, np.newaxis], (N_TABLE, 25, 1))
mirrored = np.concatenate([inputs, -inputs], axis=1), np.concatenate([patterns, patterns], axis=1)
four = np.tile(inputs, (1, 4, 1)), np.concatenate([patterns, *(experiments(N_TABLE) for _ in range(3))], axis=1)  # fmt: skip
methods = {
    "nothing": (inputs, patterns, {}),
    "L1, 0.001": (inputs, patterns, {"l1": 1e-3}),
    "L2, 0.0003": (inputs, patterns, {"l2": 3e-4}),
    "dropout, 10 %": (inputs, patterns, {"dropout": 0.1}),
    "noise on x, 0.08": (inputs, patterns, {"noise": 0.08}),
    "augmentation": (*mirrored, {}),
    "four times the data": (*four, {}),
}
distances, functions = {}, {}
for name, (x_set, y_set, options) in methods.items():
    trained, _ = train_many(x_set, y_set, 32, steps=STEPS, **options)
    functions[name] = predict_many(trained, between[:, np.newaxis])
    distances[name] = np.mean((functions[name] - amplitude) ** 2, axis=1)

print("method                  distance from the truth    gain over nothing (same patterns)")
gains = {}
for name, found in distances.items():
    value, error = metrics.mean_with_error(found)
    gains[name] = (0, 0) if name == "nothing" else metrics.mean_with_error(distances["nothing"] - found)  # fmt: skip
    print(
        f"{name:22s} {value:.4f} +- {error:.4f}        {gains[name][0]:+.4f} +- {gains[name][1]:.4f}"
    )

# %%
figure, axis = plt.subplots(figsize=(7.5, 4))
names = sorted(distances, key=lambda name: distances[name].mean())[::-1]
for row, name in enumerate(names):
    value, error = metrics.mean_with_error(distances[name])
    bias2 = (
        np.mean((functions[name].mean(axis=0) - amplitude) ** 2) if name in functions else np.nan
    )
    axis.barh(row, value, xerr=error, color=plotting.COLOURS[0], capsize=3)
    axis.plot(
        bias2, row, "D", color=plotting.INK, ms=5, label="of it bias$^2$" if row == 0 else None
    )
parabola, parabola_error = metrics.mean_with_error(
    np.mean((fit_polynomials(angles, patterns, 6) - amplitude) ** 2, axis=1)
)
axis.axvline(parabola, color=plotting.INK, ls="--", label="baseline: polynomial of degree 6")
axis.set(yticks=range(len(names)), yticklabels=names, xlabel="mean squared distance from the truth")
axis.set_title("Each method trades a little bias for much variance")
axis.legend(loc="upper right", fontsize=9)
plotting.show(
    f"Bars of the mean squared distance from the truth for {', '.join(names)}; nothing is the worst.",
    figure,
)

# %% [markdown]
r"""
### What an ensemble can and cannot do

An *ensemble* is the mean of several networks, trained on the same points from different initial weights. The deviation of a network has two parts: one that comes with the data (variance $C$ over the patterns, common to all members), and one that comes with its
initial weights (variance $U$, independent for each member). The mean of $M$ members deviates by $C + U/M$. More members remove the second part, never the first. Networks of four nodes, which end in different minima, show it; $C$ and $U$ are taken from
the first half of the members, and predict what all eight will do.
"""

# %%
N_MEMBERS, N_ENSEMBLES = 8, N_SETS // 2
members = np.repeat(patterns[:N_ENSEMBLES], N_MEMBERS, axis=0)
trained, _ = train_many(np.broadcast_to(inputs[:1], (len(members), 25, 1)), members, 4, steps=STEPS)
committee = predict_many(trained, between[:, np.newaxis]).reshape(N_ENSEMBLES, N_MEMBERS, -1)
counts = np.arange(1, N_MEMBERS + 1)
single = np.mean((committee - amplitude) ** 2, axis=(1, 2))
together = np.mean((committee.mean(axis=1) - amplitude) ** 2, axis=1)
gains["ensemble of 8"] = metrics.mean_with_error(single - together)
deviation = [np.mean((committee[:, :m].mean(axis=1) - amplitude) ** 2) for m in counts]
half = committee[:, : N_MEMBERS // 2]
unshared = half.var(axis=1, ddof=1).mean()
common = np.mean((half - amplitude) ** 2) - unshared
plotting.lines(
    counts,
    {
        "measured": deviation,
        "C + U / M": common + unshared / counts,
        "limit of many members: C": np.full(N_MEMBERS, common),
    },
    xlabel="networks in the ensemble",
    ylabel="mean squared distance from the truth",
    dashed=["C + U / M", "limit of many members: C"],
    title="An ensemble removes what its members do not share",
)
print(f"shared by all members C = {common:.4f}, of each member's own U = {unshared:.4f}")
print("eight together are better than one by {:.4f} +- {:.4f}".format(*gains["ensemble of 8"]))

# %% covers="M5.5"
significance = {name: gain / error for name, (gain, error) in gains.items() if error}
print({name: round(float(value), 1) for name, value in significance.items()})
check.claim("M5.5", min(significance.values()), at_least=1.5, wrong=-min(significance.values()))
predicted = common + unshared / N_MEMBERS
check.claim("M5.5", deviation[-1], predicted, tolerance=0.15 * predicted, wrong=deviation[0] / N_MEMBERS)  # fmt: skip

# %% [markdown]
r"""
## Section 5.5: hyperparameters, on a grid or at random

Learning rate, penalty, number of nodes, batch size: eight kinds of hyperparameters the book counts. With two of them and nine trials, a grid tries three values of each. Nine random points try nine values of each. If one of the two
matters much more than the other, and it usually does, the grid spends its nine trials on three values of what matters (Fig. 5.7).

Hyperparameters that may be wrong by factors of ten are drawn *log-uniformly*: uniform in $\ln\theta$.

**Your task.** Draw random settings, log-uniformly and independently, within given ranges.
"""


# %% task="M5.6a" points=1
def random_settings(n, low, high, seed):
    """n random settings of k hyperparameters, log-uniform within their ranges.

    low, high: (k,), above 0. Returns an array (n, k). Use np.random.default_rng(seed).
    """
    ### BEGIN SOLUTION
    share = np.random.default_rng(seed).uniform(size=(n, len(low)))
    return low * (high / low) ** share
    ### END SOLUTION


# %% check="M5.6a"
check("M5.6a", random_settings)

# %% [markdown]
r"""
A fair comparison needs many searches. So we first train networks with 8 nodes for all settings on a fine lattice, 60 learning rates over five decades and 6 penalties, on several patterns: some thousand networks, side by side.
A search then picks nine points of this lattice, a grid with a random origin or nine random points, and keeps the one with the smallest *validation* loss. It is judged by its distance from the truth.

The networks learn by plain gradient descent here. Adam, which adapts its steps, forgives a wrong learning rate, and the two kinds of search come out equal. Try it: `adam=True` below.
"""

# %%
random_settings = check.catch_up("M5.6a", random_settings)

LOW, HIGH = np.array([1e-4, 1e-7]), np.array([10.0, 1e-3])  # learning rate, L2 penalty
lattice_rate, lattice_penalty = (np.geomspace(a, b, n) for a, b, n in zip(LOW, HIGH, [60, 6], strict=True))  # fmt: skip
rates, penalties = (part.ravel() for part in np.meshgrid(lattice_rate, lattice_penalty, indexing="ij"))  # fmt: skip
measured, validation = experiments(N_PATTERNS), experiments(N_PATTERNS)
with np.errstate(over="ignore", invalid="ignore"):  # the largest learning rates diverge
    trained, _ = train_many(
        np.broadcast_to(angles[:, np.newaxis], (N_PATTERNS * len(rates), 25, 1)),
        np.repeat(measured, len(rates), axis=0),
        8,
        steps=200,
        learning_rate=np.tile(rates, N_PATTERNS)[:, np.newaxis, np.newaxis],
        l2=np.tile(penalties, N_PATTERNS)[:, np.newaxis, np.newaxis],
        adam=False,
    )
    at_angles = predict_many(trained, angles[:, np.newaxis]).reshape(N_PATTERNS, 60, 6, -1)
    at_between = predict_many(trained, between[:, np.newaxis]).reshape(N_PATTERNS, 60, 6, -1)
    loss = np.mean((at_angles - validation[:, np.newaxis, np.newaxis]) ** 2, axis=-1)
    distance = np.mean((at_between - amplitude) ** 2, axis=-1)
loss, distance = (np.nan_to_num(part, nan=1e6, posinf=1e6) for part in (loss, distance))


def grid_points(search):
    """Three by three places on the lattice, equally far apart, from a random origin."""
    first, second = np.random.default_rng([check.seed, search]).integers([20, 2])
    return np.repeat(first + 20 * np.arange(3), 3), np.tile(second + 2 * np.arange(3), 3)


def random_points(search):
    """The places on the lattice nearest to nine random settings."""
    share = np.log(random_settings(9, LOW, HIGH, [check.seed, search]) / LOW) / np.log(HIGH / LOW)
    return tuple((share * [60, 6]).astype(int).T)


kinds = {"grid": grid_points, "random": random_points}
chosen = {}
for name, kind in kinds.items():
    chosen[name] = np.empty((N_PATTERNS, 300))
    for search in range(300):
        points = kind(search)
        best = loss[:, *points].argmin(axis=1)
        chosen[name][:, search] = distance[:, *points][np.arange(N_PATTERNS), best]
    tried = len(np.unique(points[0]))
    print(f"{name:7s} {tried} learning rates; distance from the truth: median {np.median(chosen[name]):.4f}, above 0.03 in {np.mean(chosen[name] > 0.03):.0%}")  # fmt: skip
ratio = np.log(chosen["grid"] / chosen["random"]).mean(axis=1)  # one number a pattern
gain, gain_error = metrics.mean_with_error(ratio)
print(f"the error of the network found on the grid is larger by a factor {np.exp(gain):.2f} +- {np.exp(gain) * gain_error:.2f}")  # fmt: skip

# %% [markdown]
r"""
The next picture shows the whole landscape, with the trials of one search of each kind. Along the penalty hardly anything changes. Along the learning rate nearly everything does.
"""

# %%
landscape = np.log10(np.clip(np.median(distance, axis=0), 1e-3, 1))
figure, axis = plt.subplots(figsize=(7.5, 4.2))
picture = axis.pcolormesh(lattice_rate, lattice_penalty, landscape.T, cmap="viridis_r", shading="nearest")  # fmt: skip
for name, marker, colour in [("grid", "s", "white"), ("random", "o", plotting.COLOURS[1])]:
    first, second = kinds[name](2)
    axis.plot(lattice_rate[first], lattice_penalty[second], marker, ms=8, mfc=colour, mec="black", label=f"{name}: {len(np.unique(first))} learning rates")  # fmt: skip
axis.set(xscale="log", yscale="log", xlabel="learning rate", ylabel=r"L2 penalty $\lambda$")
axis.set_title("One hyperparameter matters, the other hardly: random points waste less")
axis.legend(loc="upper left", fontsize=8)
figure.colorbar(picture, label="log10 of the distance from the truth")
plotting.show(
    "A map of the error over learning rate and penalty: vertical bands. Nine grid points in three columns, nine random points in as many columns.",
    figure,
)
along_rate = np.ptp(landscape.mean(axis=1))
along_penalty = np.ptp(landscape.mean(axis=0))
print(f"decades of the error along the learning rate {along_rate:.2f}, along the penalty {along_penalty:.2f}")  # fmt: skip

# %% covers="M5.6"
values = {name: np.mean([len(np.unique(kind(search)[0])) for search in range(300)]) for name, kind in kinds.items()}  # fmt: skip
check.claim("M5.6", values["random"], at_least=8, wrong=values["grid"])
check.claim("M5.6", along_rate / along_penalty, at_least=3, wrong=along_penalty / along_rate)
check.claim("M5.6", gain / gain_error, at_least=2, wrong=-gain / gain_error)

# %%
check.quiz("M5.6-q1")

# %% [markdown]
r"""
## Section 5.5: activation functions

Six functions in Fig. 5.8, and what training needs of them is the slope. With a number $\alpha$ for the leak (0.1 here; Keras takes 0.2 unless told otherwise):

| name | $\sigma(y)$ |
|---|---|
| ReLU | $\max(0, y)$ |
| leaky ReLU | $y$ for $y > 0$, else $\alpha y$ |
| sigmoid | $1/(1 + e^{-y})$ |
| tanh | $\tanh y$ |
| ELU | $y$ for $y > 0$, else $e^y - 1$ |
| SELU | $s\,y$ for $y > 0$, else $s\,a\,(e^y - 1)$, with $s = 1.05070099$ and $a = 1.67326324$ |

**Your task.** Return value and slope. At $y = 0$ take the slope of the left side.
"""


# %% task="M5.7a" points=3
def activation(y, name):
    """An activation function and its derivative.

    y: array of any shape; name: "relu", "leaky_relu", "sigmoid", "tanh", "elu" or "selu".
    Returns two arrays of the shape of y: value and slope.
    """
    ### BEGIN SOLUTION
    if name == "sigmoid":
        value = 1 / (1 + np.exp(-y))
        return value, value * (1 - value)
    if name == "tanh":
        return np.tanh(y), 1 / np.cosh(y) ** 2
    decay = np.exp(np.minimum(y, 0))
    s, a = (1.05070099, 1.67326324) if name == "selu" else (1.0, 1.0)
    negative, slope = {
        "relu": (0 * y, 0 * y),
        "leaky_relu": (0.1 * y, 0 * y + 0.1),
    }.get(name, (s * a * (decay - 1), s * a * decay))
    return np.where(y > 0, s * y, negative), np.where(y > 0, s, slope)
    ### END SOLUTION


# %% check="M5.7a"
check("M5.7a", activation)

# %%
activation = check.catch_up("M5.7a", activation)

NAMES = ["relu", "leaky_relu", "sigmoid", "tanh", "elu", "selu"]
curve = np.linspace(-5, 5, 400)
figure, axes = plt.subplots(2, 3, figsize=(10, 5.4), sharex=True)
for axis, name in zip(axes.flat, NAMES, strict=True):
    value, slope = activation(curve, name)
    axis.plot(curve, value, label=r"$\sigma(y)$")
    axis.plot(curve, slope, "--", label="slope")
    axis.set(title=name.replace("_", " "), xlabel="$y$" if axis in axes[1] else "")
axes[0, 0].legend()
figure.suptitle("Sigmoid and tanh saturate: their slope vanishes on both sides (Fig. 5.8)")
plotting.show("Six activation functions and their slopes from -5 to 5.", figure)

# %% [markdown]
r"""
**Saturation.** The slope of a sigmoid is at most 1/4, and far less where it saturates. In a chain of layers the slopes multiply: after ten sigmoids at most $0.25^{10} \approx 9.5\cdot 10^{-7}$ is left, if the weights are of order one. The cell sends
standard normal inputs through ten layers of 100 nodes with fresh weights of variance $2/(n_\mathrm{in}+n_\mathrm{out})$ (Glorot), or $1/n_\mathrm{in}$ for SELU, the same number here, and measures the size of the gradient when it
arrives at each layer. It also looks at the mean of the outputs: a sigmoid's is never near zero.
"""

# %%
DEPTH, WIDTH = 10, 100
sizes = {}
table_means = {}
for name in NAMES:
    weights = random.normal(size=(DEPTH, WIDTH, WIDTH)) / np.sqrt(WIDTH)
    if name in ("relu", "leaky_relu", "elu"):
        weights = weights * np.sqrt(2)  # He: half of the inputs are cut off
    value, slopes = random.normal(size=(500, WIDTH)), []
    for w in weights:
        value, slope = activation(value @ w, name)
        slopes.append(slope)
    table_means[name] = value.mean(), value.std()
    gradient = random.normal(size=value.shape)
    size = [gradient.std()]
    for w, slope in zip(weights[::-1], slopes[::-1], strict=True):
        gradient = (gradient * slope) @ w.T
        size.append(gradient.std())
    sizes[name] = np.array(size)
    print(f"{name:11s} outputs of layer 10: mean {table_means[name][0]:+.3f}, width {table_means[name][1]:.3f}; gradient left {size[-1]:.1e}")  # fmt: skip
plotting.lines(
    np.arange(DEPTH + 1),
    {**{name.replace("_", " "): sizes[name] for name in NAMES}, "bound for sigmoid: 0.25 a layer": 0.25 ** np.arange(DEPTH + 1)},
    xlabel="layers passed backwards",
    ylabel="size of the gradient (1 at the output)",
    dashed=["bound for sigmoid: 0.25 a layer"],
    log_y=True,
    title="Ten sigmoids leave a millionth of the gradient",
)  # fmt: skip

# %% covers="M5.7"
y = np.linspace(-4, 4, 81)
by_keras = {
    name: np.asarray(keras.activations.get(name)(y))
    for name in NAMES
    if name != "leaky_relu"
}  # fmt: skip
by_keras["leaky_relu"] = np.asarray(keras.activations.leaky_relu(y, negative_slope=0.1))
off = max(np.abs(activation(y, name)[0] - by_keras[name]).max() for name in NAMES)
default = np.abs(activation(y, "leaky_relu")[0] - np.asarray(keras.activations.leaky_relu(y))).max()
check.claim("M5.7", off, at_most=1e-5, wrong=default)
check.claim("M5.7", activation(curve, "sigmoid")[1].max(), 0.25, tolerance=1e-4, wrong=activation(curve, "tanh")[1].max())  # fmt: skip
check.claim("M5.7", sizes["sigmoid"][-1], at_most=2 * 0.25**10, wrong=sizes["selu"][-1])
check.claim("M5.7", sizes["selu"][-1], at_least=0.2, wrong=sizes["sigmoid"][-1])
check.claim("M5.7", table_means["sigmoid"][0], at_least=0.3, wrong=table_means["tanh"][0])

# %% tags=["instructor"]
# Timing: bias and variance 20 min, AUC 20, splits 15, early stopping 10, regularisation 20, search 10, activations 10.
# Common mistakes: variance over the places instead of over the sets; counting ties as wins; folds dealt out by event;
# patience counted from the start; lambda instead of 2 lambda in the slope of L2; scaling the survivors of dropout by the rate.
# Discussion: why is the ensemble of networks trained on the same points so much weaker than four times the data? (C stays.)
for question, answer in [("M5.1-q1", 2), ("M5.4-q1", 3), ("M5.6-q1", 1)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Error on new data = bias$^2$ + variance + noise, and the sum is verified, not believed. Capacity moves the first down and the second up; nothing moves the third.
- The area under the ROC curve counts pairs. Its error comes from events, not from pairs; the area under 1 - purity is something else.
- Twins across a split, and the best of many, flatter. Groups belong in one part, and test data are used once.
- Early stopping, L1, L2, dropout, noise, augmentation and ensembles all buy less variance for a little bias. A symmetry that is true costs no bias at all.
- Nine random trials see nine values of the hyperparameter that matters.
- Sigmoid and tanh saturate. In between layers use ReLU and its relatives; keep sigmoid and tanh for outputs with a bounded range.
"""

# %%
check.summary()
