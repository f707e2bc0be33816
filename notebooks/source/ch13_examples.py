# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 13, title: "Uncertainties and attacks: examples and methods", level: 2, minutes: 90, sections: "13.1, 13.3", data: [zprime_jets, ising], fast: {N_TRACKS: 8000, STEPS: 650, STEPS_ENSEMBLE: 400, SAMPLES: 30, SIZES: [300, 4800], N_JETS: 14000, MANY: 6000, STEPS_TAGGER: 400, N_LATTICES: 5200, STEPS_PHASE: 100}}
# ---
# %% [markdown]
r"""
# Uncertainties and attacks: examples and methods

**You will**

- turn the weights of a network into distributions, and read two kinds of uncertainty off its predictions;
- judge stated uncertainties by pulls and coverage, beside the best that any method can state;
- see with an ensemble that one part of the uncertainty falls with the amount of data and the other does not;
- tell a jet that is a Z' with 60 +- 30 % from one that is a Z' with 60 +- 1 %, calibrate a tagger, and stack several;
- fool a network with a change that is far too small to matter, and compare with noise of the same size.

**You need** dense networks in Keras, the Gaussian likelihood, and what a variance is. The planing exercise and decorrelation stand in `ch13_robustness`.
**Time:** about 90 minutes. The cells themselves run in about a minute.

**You will see** a network that knows what it does not know, and one that is certain of nonsense.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, explain, metrics, plotting
from dlphys.layers import (
    BayesianDense,
    MonteCarloDropout,
    gaussian_negative_log_likelihood,
    predict_samples,
)

check = checks.start("ch13_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from scipy.stats import norm

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_TRACKS = 16_000  # muons to train with
STEPS = 1_250  # of each training with muons, 256 events a step
SIZES = [300, 1_200, 4_800, 19_200]  # numbers of muons for the ensembles
STEPS_ENSEMBLE = 600
MEMBERS = 6  # networks of an ensemble
SAMPLES = 50  # draws of a Bayesian network, or passes with dropout
N_JETS = 24_000
FEW, MANY = 200, 12_000  # jets for the taggers
STEPS_TAGGER = 800
N_LATTICES = 7_800
STEPS_PHASE = 200

# %% [markdown]
r"""
## Example 13.1: the transverse momentum of a muon, with its uncertainty

A muon of transverse momentum $p_T$ (GeV) runs across a magnetic field $B$ (T) on a circle of radius $p_T / (0.2998\, B)$, in metres. Ten layers of a tracker, at radii $r$ of 0.1 to 1 m, measure where it passes, sideways, to 50 micrometres. For a
large circle this is a parabola, $y = \varphi\, r + \frac{0.2998\, B}{2\, p_T}\, r^2$. The direction $\varphi$ is of no interest, so the network gets the distances from the straight line between the beam and the last layer: nine numbers. At 100 GeV the largest of them is about 0.75 mm;
at 500 GeV it is 0.15 mm, three times the error of one layer. The muons have between 100 and 500 GeV, evenly.

This world is simple enough to know what is possible. All that the hits say about $p_T$ is the curvature that a least-squares fit finds, $c = 1/p_T$ with a constant Gaussian error $\sigma_c$. By Bayes' theorem the distribution of $p_T$ for given hits is proportional to
$\exp(-(c - 1/p_T)^2 / 2\sigma_c^2)$ between 100 and 500 GeV. Its mean has the smallest mean squared error of all estimators, and its standard deviation is the uncertainty of $p_T$ that no data can reduce. Both together are a **limit**.
"""

# %%
RADII = np.arange(1, 11) / 10  # m
BENDING = 0.299792458 * 2.0 / 2 * 1000  # mm GeV / m^2, in a field of 2 T
HIT_ERROR = 0.05  # mm
LOW, HIGH = 100.0, 500.0  # GeV
design = np.linalg.pinv(
    np.stack([RADII, BENDING * RADII**2], axis=1)
)  # a fit of direction and curvature
CURVATURE_ERROR = HIT_ERROR * np.linalg.norm(design[1])  # 1/GeV


def muons(n, low=LOW, high=HIGH):
    """Distances of nine hits from the straight line (mm), and the true transverse momenta in units of 100 GeV."""
    momentum = random.uniform(low, high, n)
    hits = random.normal(0, 2, (n, 1)) * RADII + BENDING * RADII**2 / momentum[:, None]
    hits += random.normal(0, HIT_ERROR, hits.shape)
    hits -= RADII * hits[:, -1:]
    return hits[:, :9].astype("float32"), (momentum / 100).astype("float32")


def best_possible(x):
    """Mean and standard deviation of the momentum for given hits, in units of 100 GeV: the limit."""
    curvature = x @ design[1, :9]
    grid = np.linspace(LOW, HIGH, 401)
    weight = norm.pdf(curvature[:, None], 1 / grid, CURVATURE_ERROR)
    weight /= weight.sum(axis=1, keepdims=True)
    mean = weight @ grid
    return mean / 100, np.sqrt(weight @ grid**2 - mean**2) / 100


x_train, y_train = muons(N_TRACKS)
x_test, y_test = muons(4000)
limit_mean, limit_sigma = best_possible(x_test)
for momentum in (LOW, HIGH):
    print(f"{momentum:.0f} GeV: error of the curvature {momentum * CURVATURE_ERROR:.1%}")

# %% [markdown]
r"""
### A weight is a distribution

In a Bayesian network every weight is a Gaussian, $w \sim N(\mu, s^2)$ (13.1), with $\mu$ and $s$ to be trained: twice as many parameters. To train $s$ one needs the derivative of a random number by its width. The trick is to draw the randomness elsewhere:

$$w = \mu + s\,\varepsilon, \qquad s = \ln(1 + e^{\rho}), \qquad \varepsilon \sim N(0, 1).$$

Now $\partial w/\partial\mu = 1$ and $\partial w/\partial s = \varepsilon$. The trained number is $\rho$, which may be anything, while $s$ stays positive. This is the **reparametrisation**.

**Your task.** Draw weights. (It has to work for large $\rho$, too, where $e^\rho$ overflows.)
"""


# %% task="X13.1a" points=1
def draw_weights(mean, rho, noise):
    """Weights mean + ln(1 + exp(rho)) * noise.

    mean, rho, noise: arrays of one shape; noise is drawn from N(0, 1). Returns an array of this shape.
    """
    ### BEGIN SOLUTION
    return mean + np.logaddexp(0.0, rho) * noise
    ### END SOLUTION


# %% check="X13.1a"
check("X13.1a", draw_weights)

# %% [markdown]
r"""
What should be learnt is the distribution of weights after seeing the data, $p(w|D) \propto p(D|w)\,p(w)$, with a *prior* $p(w) = N(0, s_p^2)$ for each weight. It cannot be computed. But among all products $q$ of Gaussians we can look for the one nearest to it, by minimising

$$L = \Big\langle -\ln p(y | x, w) \Big\rangle_{\text{events},\, w \sim q} + \frac{1}{N} \sum_i \mathrm{KL}\left(N(\mu_i, s_i^2)\,\|\,N(0, s_p^2)\right).$$

The first term wants narrow weights that fit the $N$ events; the second, the *Kullback-Leibler divergence*, wants weights as wide as the prior. The $1/N$ is because Keras takes the mean over events, while the divergence counts once for the whole data set: with few data the prior wins, with many the data. For Gaussians it has a closed form,
$\mathrm{KL} = \int q \ln (q/p) = \ln(s_p/s) + (s^2 + \mu^2)/(2 s_p^2) - 1/2$.

**Your task.** Compute the sum over all weights.
"""


# %% task="X13.1b" points=2
def divergence(mean, width, prior_width):
    """Sum of the Kullback-Leibler divergences of N(mean, width^2) from N(0, prior_width^2), in nats.

    mean, width: arrays of one shape, one entry a weight, width > 0; prior_width: number. Returns a number.
    """
    ### BEGIN SOLUTION
    each = np.log(prior_width / width) + (width**2 + mean**2) / (2 * prior_width**2) - 0.5
    return each.sum()
    ### END SOLUTION


# %% check="X13.1b"
check("X13.1b", divergence)

# %% [markdown]
r"""
`BayesianDense` of this course is such a layer. Three things to verify: the number of its parameters, its divergence against yours, and both against a million random draws of $\ln q(w) - \ln p(w)$.
"""

# %% covers="X13.1"
draw_weights = check.catch_up("X13.1a", draw_weights)
divergence = check.catch_up("X13.1b", divergence)
layer = BayesianDense(4, prior_width=0.8, initial_width=0.3)
layer.build((None, 9))
mean, rho, bias, bias_rho = layer.get_weights()
mean_all, rho_all = np.append(mean, bias), np.append(rho, bias_rho)
width_all = np.logaddexp(0, rho_all)
weights = draw_weights(mean_all, rho_all, random.normal(size=(25_000, 40)))
log_ratio = norm.logpdf(weights, mean_all, width_all) - norm.logpdf(weights, 0, 0.8)
drawn, drawn_error = metrics.mean_with_error(log_ratio.sum(axis=1))
by_formula = divergence(mean_all, width_all, 0.8)
print(f"divergence {by_formula:.2f}, from draws {drawn:.2f} +- {drawn_error:.2f}")
dense_parameters = 9 * 4 + 4
check.claim("X13.1", layer.count_params(), 2 * dense_parameters, wrong=dense_parameters)
check.claim("X13.1", float(layer.divergence()), by_formula, tolerance=1e-3, wrong=by_formula / 40)
check.claim("X13.1", drawn - by_formula, 0, tolerance=5 * drawn_error, wrong=drawn_error * 40)

# %% [markdown]
r"""
### The training

The network has two outputs, the predicted momentum $\langle p_T\rangle$ and the logarithm of its own variance, and the loss is the negative logarithm of a Gaussian, (14.23): $\ln(\sqrt{2\pi}\,\sigma) + (y - \langle p_T\rangle)^2/2\sigma^2$. It is paid to state its error: too small a $\sigma$ costs in the second term,
too large a one in the first. The logarithm keeps the variance positive.
"""

# %%
BATCH = 256


def train(model, loss, x, y, *, steps, rate=0.01):
    """Train for so many steps, whatever the number of events, with a learning rate that falls along a cosine."""
    rounds = max(
        1, 50 * BATCH // len(x)
    )  # few events are repeated, so that an epoch has about 50 steps
    rows = np.concatenate([random.permutation(len(x)) for _ in range(rounds)])
    rows = rows[: len(rows) // BATCH * BATCH]
    per_epoch = len(rows) // BATCH
    epochs = round(steps / per_epoch)
    rate = keras.optimizers.schedules.CosineDecay(rate, epochs * per_epoch)
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0)  # a small sigma makes steep slopes
    model.compile(optimizer, loss, steps_per_execution=per_epoch, jit_compile=False)
    model.fit(x[rows], y[rows], batch_size=BATCH, epochs=epochs, verbose=0)
    return model


def bayesian_network(n_train, inputs, hidden, outputs):
    """Hidden layers of the given sizes and a linear output; all weights are distributions."""
    model = keras.Sequential([keras.Input((inputs,))])
    for units, activation in [*((size, "relu") for size in hidden), (outputs, None)]:
        layer = BayesianDense(units, activation, kl_weight=1 / n_train, initial_width=0.02)
        model.add(layer)
    return model


x_scale = x_train.std()
muon_network = train(
    bayesian_network(N_TRACKS, 9, (32, 32), 2),
    gaussian_negative_log_likelihood,
    x_train / x_scale,
    y_train,
    steps=STEPS,
)
outputs = predict_samples(muon_network, x_test / x_scale, SAMPLES, seed=check.seed)
print(f"{outputs.shape}: draws of the weights, muons, (mean, ln variance)")

# %% [markdown]
r"""
### Two kinds of uncertainty

Each draw $i$ of the weights is a network of its own with a prediction $\langle p_T\rangle_i$ and a $\sigma_{\mathrm{stoch},i}$. Together they are a mixture of Gaussians. Its variance has two parts (the law of total variance; figure 13.1 of the book):

$$\langle p_T\rangle = \frac1N\sum_i \langle p_T\rangle_i, \qquad
\sigma_\mathrm{stoch}^2 = \frac1N\sum_i \sigma_{\mathrm{stoch},i}^2, \qquad
\sigma_\mathrm{pred}^2 = \frac1N\sum_i \left(\langle p_T\rangle - \langle p_T\rangle_i\right)^2, \qquad
\sigma_\mathrm{tot}^2 = \sigma_\mathrm{stoch}^2 + \sigma_\mathrm{pred}^2 .$$

The *stochastic* part is the scatter of the data (**aleatoric**), the *predictive* part the ignorance of the network (**epistemic**). The book's text averages $\sigma$, its figure $\sigma^2$. Only the figure's adds up to the variance of the mixture.

**Your task.** Split the uncertainty.
"""


# %% task="X13.1c" points=2
def split_uncertainty(means, sigmas):
    """Mean, stochastic, predictive and total uncertainty of several networks for each event.

    means, sigmas: (networks, n), predictions and their standard deviations, all in one unit.
    Returns four arrays (n,) in this unit: mean, sigma_stoch, sigma_pred, sigma_tot.
    """
    ### BEGIN SOLUTION
    centre = means.mean(axis=0)
    stochastic = np.sqrt((sigmas**2).mean(axis=0))
    predictive = np.sqrt(((means - centre) ** 2).mean(axis=0))
    return centre, stochastic, predictive, np.hypot(stochastic, predictive)
    ### END SOLUTION


# %% check="X13.1c"
check("X13.1c", split_uncertainty)

# %% [markdown]
r"""
How does one judge a stated uncertainty? Each event has one truth and one $\sigma$. The **pull** $(y - \langle p_T\rangle)/\sigma_\mathrm{tot}$ has mean 0 and standard deviation 1 if mean and $\sigma$ are right, however different the $\sigma$ are. The **coverage** is the share of events with the truth inside
$\pm 1\sigma$: 68.3 % for a Gaussian.

**Your task.** Compute the three numbers.
"""


# %% task="X13.1d" points=2
def judge_uncertainty(truth, mean, sigma):
    """Mean and standard deviation of the pulls (truth - mean) / sigma, and the coverage of mean +- sigma.

    truth, mean, sigma: (n,), in one unit. Returns three numbers; the coverage is a fraction from 0 to 1.
    """
    ### BEGIN SOLUTION
    pull = (truth - mean) / sigma
    inside = np.abs(pull) <= 1
    return pull.mean(), pull.std(), inside.mean()
    ### END SOLUTION


# %% check="X13.1d"
check("X13.1d", judge_uncertainty)

# %%
split_uncertainty = check.catch_up("X13.1c", split_uncertainty)
judge_uncertainty = check.catch_up("X13.1d", judge_uncertainty)


def deviation(a, b):
    """Root mean square of a difference."""
    return np.sqrt(np.mean((a - b) ** 2))


def score(mean, sigma):
    """Mean negative log-likelihood of the test muons, in nats."""
    return -norm.logpdf(y_test, mean, sigma).mean()


mean, stochastic, predictive, total = split_uncertainty(
    outputs[..., 0], np.exp(outputs[..., 1] / 2)
)
judged = {
    "Bayesian network": (mean, total),
    "limit": (limit_mean, limit_sigma),
    "same sigma for all": (mean, np.full(4000, deviation(mean, y_test))),
}
for name, (centre, sigma) in judged.items():
    pull_mean, pull_width, covered = judge_uncertainty(y_test, centre, sigma)
    print(
        f"{name:20s} rms error {100 * deviation(centre, y_test):5.1f} GeV, log-likelihood {-score(centre, sigma):+.3f}, "
        f"pulls {pull_mean:+.3f} +- {pull_width / 4000**0.5:.3f}, width {pull_width:.3f}, coverage {covered:.1%}"
    )
print(f"stochastic {100 * np.sqrt(np.mean(stochastic**2)):.1f} GeV (limit {100 * np.sqrt(np.mean(limit_sigma**2)):.1f}), predictive {100 * np.sqrt(np.mean(predictive**2)):.1f} GeV;")  # fmt: skip
print(
    f"true distance of the mean from the limit's mean {100 * deviation(mean, limit_mean):.1f} GeV"
)

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4))
axes[0].plot(100 * limit_sigma[:600], 100 * stochastic[:600], ".", ms=4, label="stochastic")
axes[0].plot(100 * limit_sigma[:600], 100 * predictive[:600], "^", ms=3, label="predictive")
axes[0].plot([0, 65], [0, 65], "--", color=plotting.GREY, label="limit: stated as it is")
axes[0].set(
    xlabel="true uncertainty for these hits, limit (GeV)",
    ylabel="stated uncertainty (GeV)",
    ylim=(0, 85),
    title="The stochastic part has learnt the truth",
)
axes[0].legend(loc="upper left", fontsize=9)
bins = np.linspace(-4, 4, 41)
axes[1].hist(
    (y_test - mean) / total, bins, density=True, histtype="step", label="Bayesian network", lw=1.8
)
axes[1].hist(
    (y_test - limit_mean) / limit_sigma,
    bins,
    density=True,
    histtype="step",
    ls="--",
    color=plotting.GREY,
    label="limit",
)
axes[1].plot(bins, norm.pdf(bins), color=plotting.INK, lw=1, label="unit Gaussian")
axes[1].set(xlabel="pull", ylabel="probability density", title="Width one, yet no Gaussian")
axes[1].legend(fontsize=9)
plotting.show(
    "Left: stated against true uncertainty of 600 muons; the stochastic part lies on the diagonal, the predictive part well below. "
    "Right: pulls of the network and of the limit, both of width one but with a flatter top than a Gaussian.",
    figure,
)

# %% [markdown]
r"""
The stochastic part follows the true uncertainty from 4 to 50 GeV. (After a short training a branch above the diagonal is left: tracks that look straighter than any muon of 500 GeV should. The end of the spectrum makes their true uncertainty smaller, and it takes the network long to notice, since they are few.) The network was never told it: it learnt it from the scatter of its own errors. One $\sigma$ for all has the right average and is wrong for nearly every muon; its log-likelihood shows this, the coverage alone does not.

Look at the limit: its pulls have width 1, and yet the coverage need not be 68.3 %. With a sharp end of the spectrum at 500 GeV the true distribution is no Gaussian. A coverage is to be compared with what is possible, too.
"""

# %% covers="X13.1"
one_for_all = judged["same sigma for all"]
limit_pull = judge_uncertainty(y_test, limit_mean, limit_sigma)
pull_mean, pull_width, covered = judge_uncertainty(y_test, mean, total)
difference = np.std(np.log(stochastic / limit_sigma))
check.claim("X13.1", limit_pull[1], 1, tolerance=0.06, wrong=judge_uncertainty(y_test, limit_mean, 2 * limit_sigma)[1])  # fmt: skip
check.claim("X13.1", pull_width, 1, tolerance=0.15, wrong=judge_uncertainty(y_test, mean, predictive)[1])  # fmt: skip
check.claim("X13.1", covered, limit_pull[2], tolerance=0.08, wrong=judge_uncertainty(y_test, mean, predictive)[2])  # fmt: skip
check.claim("X13.1", deviation(mean, y_test), at_most=1.08 * deviation(limit_mean, y_test), wrong=y_test.std())  # fmt: skip
check.claim("X13.1", difference, at_most=0.4, wrong=np.std(np.log(one_for_all[1] / limit_sigma)))
check.claim("X13.1", score(mean, total), at_most=score(*one_for_all) - 0.15, wrong=score(*one_for_all))  # fmt: skip

# %% [markdown]
r"""
### Beyond the training data

Now muons of 40 to 100 GeV, softer than any in the training. Their tracks are bent more than anything that the network has seen. What does it say?
"""

# %%
edges = np.array([40, 60, 80, 100, 140, 200, 300, 400, 500.0])
x_soft, y_soft = muons(4000, low=40, high=500)
soft = predict_samples(muon_network, x_soft / x_scale, SAMPLES, seed=check.seed + 1)
soft_mean, soft_stochastic, soft_predictive, soft_total = split_uncertainty(soft[..., 0], np.exp(soft[..., 1] / 2))  # fmt: skip
place = np.digitize(100 * y_soft, edges[1:-1])


def in_bins(values):
    """Root mean square in bins of the true momentum, in GeV."""
    return np.array([100 * np.sqrt(np.mean(values[place == i] ** 2)) for i in range(8)])


in_training = place >= 3
plotting.lines(
    np.sqrt(edges[1:] * edges[:-1]),
    {
        "real error": in_bins(soft_mean - y_soft),
        "stochastic": in_bins(soft_stochastic),
        "predictive": in_bins(soft_predictive),
        "curvature error alone": CURVATURE_ERROR * in_bins(y_soft) ** 2,
    },
    dashed=["curvature error alone"],
    xlabel="true transverse momentum (GeV)",
    ylabel="uncertainty (GeV)",
    log_x=True,
    log_y=True,
    title="Below 100 GeV only the predictive part rises, and not enough",
)
inside, outside = (np.sqrt(np.mean((soft_predictive[rows] / soft_stochastic[rows]) ** 2)) for rows in (in_training, place < 2))  # fmt: skip
print(f"predictive over stochastic part: {inside:.2f} inside the range of the training, {outside:.2f} below 80 GeV")  # fmt: skip
real = in_bins(soft_mean - y_soft)[0] / in_bins(soft_total)[0]

# %% covers="X13.1"
check.claim("X13.1", outside / inside, at_least=3, wrong=1.0)
check.claim("X13.1", real, at_least=1.5, wrong=in_bins(soft_mean - y_soft)[4] / in_bins(soft_total)[4])  # fmt: skip

# %% [markdown]
r"""
Outside, the stochastic part is an extrapolation like the prediction itself and means nothing. The predictive part rises above it, and that is the warning. But do not rely on its size: the real error is larger still. All draws extrapolate in the same way (straight on, with ReLU), so they agree more than they should. An uncertainty that a network states outside its training data is a warning, not a measurement.
"""

# %%
check.quiz("X13.1-q1")

# %% [markdown]
r"""
## Section 13.1: ensembles, and what more data change

There is a simpler way to many networks: train several. A **deep ensemble** has members of the same form that start from different weights; here each also has its own *bootstrap sample*, $n$ muons drawn with replacement, so that the accidents of the sample enter as well. `EinsumDense` computes all members at once: the kernel has an axis
for the member, and no weight connects two of them.

We train ensembles with more and more muons. The epistemic part should fall, the aleatoric part stay. And since the limit is known here, we can ask for more: is the epistemic part as large as the *true* distance of a prediction from the best one?
"""


# %%
def side_by_side(inputs, outputs, hidden=16):
    """MEMBERS networks with two hidden layers each, that know nothing of each other: (n, members, inputs) in."""
    model = keras.Sequential([keras.Input((MEMBERS, inputs))])
    for units, activation in [(hidden, "tanh"), (hidden, "tanh"), (outputs, None)]:
        start = keras.initializers.VarianceScaling(MEMBERS, "fan_avg", "uniform")
        layer = layers.EinsumDense("nmi,mio->nmo", (MEMBERS, units), activation, "mo", kernel_initializer=start)  # fmt: skip
        model.add(layer)
    return model


def train_ensemble(loss, x, y, outputs, *, steps):
    """Each member on its own bootstrap sample."""
    rows = random.integers(len(x), size=(len(x), MEMBERS))
    return train(side_by_side(x.shape[1], outputs), loss, x[rows], y[rows][..., None], steps=steps)


def ask_members(model, x):
    """Outputs (members, n, outputs) of an ensemble for the same events."""
    answers = model(np.repeat(x[:, None], MEMBERS, axis=1))
    return np.moveaxis(np.asarray(answers), 1, 0)


def typical(x):
    """Root mean square, in GeV."""
    return 100 * np.sqrt(np.mean(x**2))


grown = {"aleatoric": [], "epistemic": [], "true distance of one member": [], "width of the pulls": []}  # fmt: skip
for size in SIZES:
    x_some, y_some = muons(size)
    ensemble = train_ensemble(gaussian_negative_log_likelihood, x_some / x_scale, y_some, 2, steps=STEPS_ENSEMBLE)  # fmt: skip
    answers = ask_members(ensemble, x_test / x_scale)
    centre, aleatoric, epistemic, both = split_uncertainty(answers[..., 0], np.exp(answers[..., 1] / 2))  # fmt: skip
    values = [typical(aleatoric), typical(epistemic), typical(answers[..., 0] - limit_mean), judge_uncertainty(y_test, centre, both)[1]]  # fmt: skip
    for name, value in zip(grown, values, strict=True):
        grown[name].append(value)
    print(f"{size:6d} muons: aleatoric {values[0]:.1f} GeV, epistemic {values[1]:.1f} GeV (true distance {values[2]:.1f}), pulls of width {values[3]:.2f}")  # fmt: skip
plotting.lines(
    SIZES,
    {
        "aleatoric": grown["aleatoric"],
        "epistemic": grown["epistemic"],
        "true distance of one member": grown["true distance of one member"],
        "limit of the aleatoric part": np.full(len(SIZES), typical(limit_sigma)),
    },
    dashed=["limit of the aleatoric part"],
    log_x=True,
    log_y=True,
    xlabel="muons in the training",
    ylabel="uncertainty (GeV)",
    title="More data: the epistemic part falls, the aleatoric part stays",
)

# %% covers="M13.1"
factor = SIZES[-1] / SIZES[0]
slope = {name: np.log(grown[name][-1] / grown[name][0]) / np.log(factor) for name in ("aleatoric", "epistemic")}  # fmt: skip
print(f"between {SIZES[0]} and {SIZES[-1]} muons: aleatoric ~ n^{slope['aleatoric']:+.2f}, epistemic ~ n^{slope['epistemic']:+.2f}")  # fmt: skip
check.claim("M13.1", slope["epistemic"], at_most=-0.12, wrong=slope["aleatoric"])
check.claim("M13.1", slope["aleatoric"], 0, tolerance=0.09, wrong=slope["epistemic"])
check.claim("M13.1", grown["aleatoric"][-1] / typical(limit_sigma), 1, tolerance=0.15, wrong=grown["epistemic"][-1] / typical(limit_sigma))  # fmt: skip
to_truth = np.array(grown["epistemic"]) / grown["true distance of one member"]
check.claim("M13.1", to_truth.mean(), 0.75, tolerance=0.3, wrong=grown["aleatoric"][-1] / grown["true distance of one member"][-1])  # fmt: skip

# %% [markdown]
r"""
The epistemic part falls at best like $1/\sqrt n$; where it falls more slowly, the training is the limit and not the data. It is somewhat too small throughout: the spread of $N$ members about *their own* mean is that about the truth times $\sqrt{1 - 1/N}$, and it does not know an error that all members share.
With very few muons and many steps the members begin to know their events by heart, and then even the aleatoric part comes out too small.

**Monte Carlo dropout** needs one network only: dropout stays on when it predicts, and every pass is another network. Cheap. But the rate of dropout is chosen, not learnt. Does its spread know how many data there were?
"""

# %% covers="M13.1"
spread = {}
for size in (SIZES[0], SIZES[-1]):
    x_some, y_some = muons(size)
    model = keras.Sequential([keras.Input((9,))])
    for _ in range(2):
        model.add(layers.Dense(32, "tanh"))
        model.add(MonteCarloDropout(0.1))
    model.add(layers.Dense(2))
    train(model, gaussian_negative_log_likelihood, x_some / x_scale, y_some, steps=STEPS_ENSEMBLE)
    passes = predict_samples(model, x_test / x_scale, SAMPLES, seed=check.seed)
    centre, aleatoric, epistemic, both = split_uncertainty(passes[..., 0], np.exp(passes[..., 1] / 2))  # fmt: skip
    spread[size] = typical(epistemic)
    print(f"{size:6d} muons: dropout states {spread[size]:.1f} GeV, true distance {typical(centre - limit_mean):.1f} GeV; pulls of width {judge_uncertainty(y_test, centre, both)[1]:.2f}")  # fmt: skip
kept, ensembles_kept = spread[SIZES[-1]] / spread[SIZES[0]], grown["epistemic"][-1] / grown["epistemic"][0]  # fmt: skip
check.claim("M13.1", kept, at_least=0.65, wrong=min(ensembles_kept, 0.6))

# %% [markdown]
r"""
It hardly does, and here it states far too much. With dropout the spread is set by the rate; take it as a measure of how *differently* events are treated rather than as a number in GeV.

## Lecture: 60 +- 30 % is not 60 +- 1 %

Boosted Z' bosons that decay to quarks, against jets of single quarks and gluons, by eleven features of their substructure. A tagger says: Z', 60 %. With many training jets this means that of such jets six in ten are Z'. With few it may mean that the tagger has no idea. A single number cannot tell the two apart; a Bayesian tagger can (Bollweg et al., arXiv:1904.10004).

We train it with few jets and with many, and ask 50 draws of the weights about the same new jets.
"""

# %%
jets = datasets.load_zprime_jets(N_JETS, seed=check.seed)
few, many = slice(0, FEW), slice(0, MANY)
x_new, is_zprime = jets.x_train[MANY:], jets.y_train[MANY:]  # not used in any training
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)


def sigmoid(z):
    """Probability of a logit, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def information(p, label):
    """Mean cross-entropy, in nats."""
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -np.mean(np.where(label == 1, np.log(p), np.log(1 - p)))


x_both = np.concatenate([jets.x_validation, x_new])
n_validation = len(jets.x_validation)
draws, draws_validation = {}, {}
for name, rows in [("few", few), ("many", many)]:
    x, y = jets.x_train[rows], jets.y_train[rows, None]
    tagger = train(
        bayesian_network(len(x), 11, (16,), 1), cross_entropy, x, y, steps=STEPS_TAGGER, rate=0.03
    )
    both = sigmoid(predict_samples(tagger, x_both, SAMPLES, seed=check.seed)[..., 0])
    draws_validation[name], draws[name] = both[:, :n_validation], both[:, n_validation:]

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
typical_spread = {}
for axis, (name, count) in zip(axes, [("few", FEW), ("many", MANY)], strict=True):
    stated, scatter = draws[name].mean(axis=0), draws[name].std(axis=0)
    undecided = np.abs(stated - 0.6) < 0.05
    typical_spread[name] = np.median(scatter[undecided])
    axis.plot(stated[:3000], scatter[:3000], ".", ms=2)
    axis.axvspan(0.55, 0.65, color=plotting.GREY, alpha=0.25, lw=0)
    axis.set(xlabel="probability of a Z', mean of the draws", title=f"{count} jets: 60 $\\pm$ {100 * typical_spread[name]:.0f} %")  # fmt: skip
    parts = metrics.entropy_parts(draws[name][..., None])
    area, area_error = metrics.area_under_roc(stated, is_zprime)
    print(f"{count:6d} jets: area under the curve {area:.3f} +- {area_error:.3f}; entropy of a jet: aleatoric {parts.aleatoric.mean():.3f}, epistemic {parts.epistemic.mean():.4f} bits")  # fmt: skip
axes[0].set_ylabel("standard deviation of the draws")
figure.suptitle("The same tagger, the same jets: how sure it is of its 60 %")
plotting.show(
    "Standard deviation against mean of the probability for 3000 jets. With few training jets a high arch, with many a low one.",
    figure,
)

# %% [markdown]
r"""
The arch has a reason: a probability is a sigmoid of a logit, with the derivative $p(1-p)$, so the same scatter of logits makes the largest scatter of probabilities at one half.

The entropy splits as the variance did: the entropy of the mean is the mean entropy of the draws (aleatoric: jets that *are* ambiguous) plus what remains (epistemic: draws that disagree).
"""

# %% covers="L22"
few_parts, many_parts = (metrics.entropy_parts(draws[name][..., None]) for name in ("few", "many"))
error_of_the_mean = (
    typical_spread["few"] / SAMPLES**0.5
)  # says how well the mean of the draws is known, no more
check.claim("L22", typical_spread["few"], at_least=0.12, wrong=error_of_the_mean)
check.claim("L22", typical_spread["many"] / typical_spread["few"], at_most=0.6, wrong=1.0)
check.claim("L22", few_parts.epistemic.mean() / many_parts.epistemic.mean(), at_least=3, wrong=few_parts.aleatoric.mean() / many_parts.aleatoric.mean())  # fmt: skip

# %% [markdown]
r"""
### Calibration

Of all jets with the output 0.9, do nine in ten contain a Z'? A **reliability diagram** answers: observed frequency against stated probability. A single network trained for long with few jets knows them by heart and says 0 or 1. It is too sure of itself.

The cure costs one number. Divide the logit $z$ by a **temperature** $T$, $p = 1/(1 + e^{-z/T})$, and choose $T$ so that *other* jets (the validation set) become most probable. $T > 1$ makes a network more modest. The order of the jets, and so the ROC curve, stays as it was.

**Your task.** Find the temperature of largest likelihood. (A scan of 1000 values or more is good enough: a relative precision of one per cent is asked for.)
"""


# %% task="M13.1a" points=3
def best_temperature(logits, labels):
    """Temperature T between 0.1 and 50 for which sigmoid(logits / T) makes the labels most probable.

    logits: (n,); labels: (n,), 0 or 1. Returns a number, precise to one per cent.
    """
    ### BEGIN SOLUTION
    towards_truth = np.where(labels == 1, logits, -logits)
    candidates = np.geomspace(0.1, 50.0, 2000)
    losses = [np.logaddexp(0.0, -towards_truth / t).mean() for t in candidates]
    return candidates[np.argmin(losses)]
    ### END SOLUTION


# %% check="M13.1a"
check("M13.1a", best_temperature)

# %%
best_temperature = check.catch_up("M13.1a", best_temperature)
x_few, y_few = jets.x_train[few], jets.y_train[few]
single = keras.Sequential([keras.Input((11,)), layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(1)])  # fmt: skip
train(single, cross_entropy, x_few, y_few[:, None], steps=STEPS_TAGGER)
validation_logits, new_logits = (np.asarray(single(x))[:, 0] for x in (jets.x_validation, x_new))
temperature = best_temperature(validation_logits, jets.y_validation)
by_library, temperature_error = metrics.temperature_scaling(validation_logits, jets.y_validation)
print(f"temperature {temperature:.2f} +- {temperature_error:.2f}")

reliabilities = {
    "single network": metrics.reliability(sigmoid(new_logits), is_zprime),
    "after temperature scaling": metrics.reliability(sigmoid(new_logits / temperature), is_zprime),
    "Bayesian network": metrics.reliability(draws["few"].mean(axis=0), is_zprime),
}
plotting.reliability_diagram(
    reliabilities, title=f"Trained with {FEW} jets, a single network is too sure"
)

# %% covers="M13.1"
raw, scaled = (reliabilities[name].calibration_error[0] for name in ("single network", "after temperature scaling"))  # fmt: skip
check.claim("M13.1", temperature, at_least=1.3, wrong=1.0)
check.claim("M13.1", temperature / by_library, 1, tolerance=0.01, wrong=1 / by_library)
check.claim("M13.1", scaled / raw, at_most=0.75, wrong=1.0)
check.claim("M13.1", information(sigmoid(new_logits / temperature), is_zprime), at_most=information(sigmoid(new_logits), is_zprime) - 0.02, wrong=information(sigmoid(new_logits), is_zprime))  # fmt: skip
check.claim("M13.1", metrics.area_under_roc(new_logits / temperature, is_zprime)[0], metrics.area_under_roc(new_logits, is_zprime)[0], tolerance=1e-9, wrong=0.5)  # fmt: skip

# %%
check.quiz("M13.1-q1")

# %% [markdown]
r"""
### Stacking

Averaging the members of an ensemble gives them equal weights. Bayesian model averaging weighs models by how probable the data make them, which soon leaves one model only, even if none of them is right. **Stacking** asks something else: which mixture $\sum_k w_k\, p_k(y|x)$, with $w_k \ge 0$ and $\sum_k w_k = 1$, predicts *new* jets best? The
likelihood of the validation jets has one maximum in $w$, and the step

$$w_k \leftarrow \left\langle \frac{w_k\, p_k(y|x)}{\sum_j w_j\, p_j(y|x)} \right\rangle_\text{validation}$$

never lowers it. Four taggers, all trained with the same few jets: the single network, an ensemble, dropout, and the Bayesian one.
"""

# %%
ensemble = train_ensemble(cross_entropy, x_few, y_few, 1, steps=STEPS_TAGGER)
with_dropout = keras.Sequential([keras.Input((11,)), layers.Dense(32, "relu"), MonteCarloDropout(0.3), layers.Dense(32, "relu"), MonteCarloDropout(0.3), layers.Dense(1)])  # fmt: skip
train(with_dropout, cross_entropy, x_few, y_few[:, None], steps=STEPS_TAGGER)
by_dropout = sigmoid(predict_samples(with_dropout, x_both, SAMPLES, seed=check.seed)[..., 0])
taggers = np.array(
    [
        sigmoid(np.asarray(single(x_both))[:, 0]),
        sigmoid(ask_members(ensemble, x_both)[..., 0]).mean(axis=0),
        by_dropout.mean(axis=0),
        np.append(draws_validation["few"].mean(axis=0), draws["few"].mean(axis=0)),
    ]
)
on_validation, on_new = taggers[:, :n_validation], taggers[:, n_validation:]
of_truth = np.clip(np.where(jets.y_validation == 1, on_validation, 1 - on_validation), 1e-7, 1)
stack = np.full(4, 0.25)
for _ in range(500):
    share = stack[:, None] * of_truth
    stack = (share / share.sum(axis=0)).mean(axis=1)
names = ["single network", "ensemble", "dropout", "Bayesian"]
for name, weight, p in zip(names, stack, on_new, strict=True):
    print(f"{name:20s} weight {weight:.2f}, cross-entropy of new jets {information(p, is_zprime):.3f} nats, calibration error {metrics.reliability(p, is_zprime).calibration_error[0]:.3f}")  # fmt: skip
stacked = information(stack @ on_new, is_zprime)
alone = np.array([information(p, is_zprime) for p in on_new])
print(f"stacked: {stacked:.3f} nats; equal weights: {information(on_new.mean(axis=0), is_zprime):.3f} nats; Bayesian with {MANY} jets: {information(draws['many'].mean(axis=0), is_zprime):.3f} nats")  # fmt: skip

# %% covers="L22"
fitted = information(stack @ on_validation, jets.y_validation)
best_on_validation = min(information(p, jets.y_validation) for p in on_validation)
check.claim("L22", stack.sum(), 1, tolerance=1e-6, wrong=(2 * stack).sum())
check.claim("L22", fitted - best_on_validation, at_most=1e-4, wrong=alone.max() - alone.min())
check.claim("L22", stacked - alone.min(), at_most=0.015, wrong=alone.max() - alone.min())
check.claim("L22", alone[1], at_most=alone[0] - 0.02, wrong=alone[0])

# %% [markdown]
r"""
Trained with so few jets, the network whose weights have a prior does best, and the stack gives it the most weight; a plain average does worse. The prior is what the others lack. But look at what many jets do: no way of combining replaces data.
"""

# %% [markdown]
r"""
## Section 13.3: attacks

A trained network can be differentiated by its *input*. Whoever has the network can ask in which direction each pixel must be moved to raise the loss, and move all of them a little. The **fast gradient sign** method takes one step,

$$x' = x + \epsilon\, \mathrm{sign}\left(\frac{\partial L}{\partial x}\right),$$

the **projected attack** several small ones, each brought back so that no entry has moved by more than $\epsilon$ from where it began. In physics nobody attacks us. But the calibration of a detector is known only to within $\epsilon$, and no unknown shift within it can do more harm than the best attack: it is an upper limit for a systematic error, and shows what the network relies on.

**Your task.** Write one step of the projected attack. With a step of the size `strength`, from the start, it is the fast gradient sign method.
"""


# %% task="M13.4a" points=2
def attack_step(moved, start, slope, step, strength):
    """Move every entry by step in the direction that raises the loss, and back to within strength of its start.

    moved: inputs as the attack has made them so far; start: the original ones; slope: derivative of the loss at moved;
    all arrays of one shape. step, strength: numbers > 0. Returns an array of this shape.
    """
    ### BEGIN SOLUTION
    shift = moved + step * np.sign(slope) - start
    return start + np.clip(shift, -strength, strength)
    ### END SOLUTION


# %% check="M13.4a"
check("M13.4a", attack_step)

# %% [markdown]
r"""
The victim: a dense network that tells the phases of the Ising model apart, from 32 x 32 spins of $\pm 1$. A change of all spins by $\epsilon < 1$ changes nothing: the sign of every entry is still there, and rounding gives the lattice back, spin by spin.

For two classes the loss falls with the logit $z$ if the label is 1 and rises if it is 0. So the sign of $\partial L/\partial x$ is that of $\pm\partial z/\partial x$, which never rounds to zero, however sure the network is.

**Predict:** the network is right for about 19 lattices in 20. What is left when every spin moves by 0.2, by noise of random sign, and by the attack?
"""

# %%
check.predict("M13.4-q0", None, question="Which fraction of the lattices is still classified rightly after the attack with 0.2?")  # fmt: skip

# %%
attack_step = check.catch_up("M13.4a", attack_step)
lattices = datasets.load_ising(N_LATTICES, seed=check.seed)
spins, spins_test = (x.reshape(len(x), -1) for x in (lattices.x_train, lattices.x_test))
ordered = lattices.y_test
phase = keras.Sequential([keras.Input((1024,)), layers.Dense(64, "relu"), layers.Dense(1), layers.Activation("sigmoid")])  # fmt: skip
train(phase, "binary_crossentropy", spins, lattices.y_train[:, None], steps=STEPS_PHASE, rate=0.003)
phase_logit = keras.Model(phase.inputs[0], phase.layers[-2].output)


@autodiff.compiled
def logit_slope(x):
    """Derivative of the logit of each lattice by its spins."""
    return autodiff.gradient(phase_logit, x)


def loss_slope(slope_of, x, label):
    """Something with the sign of the derivative of the loss."""
    return np.asarray(slope_of(x)) * np.where(label == 1, -1, 1)[:, None]


def fast_gradient_sign(slope_of, x, label, strength):
    """One large step."""
    return attack_step(x, x, loss_slope(slope_of, x, label), strength, strength).astype("float32")


def projected_attack(slope_of, x, label, strength, steps=8):
    """Several small steps."""
    moved = x
    for _ in range(steps):
        slope = loss_slope(slope_of, moved, label)
        moved = attack_step(moved, x, slope, 2.5 * strength / steps, strength).astype("float32")
    return moved


def random_signs(strength):
    """The test lattices with noise of the same size in every spin."""
    return spins_test + strength * random.choice([-1, 1], spins_test.shape).astype("float32")


def fraction_right(x):
    """Fraction of the test lattices that are classified rightly."""
    found = np.asarray(phase_logit(x))[:, 0] > 0
    return metrics.accuracy_with_error(found == (ordered == 1))


strengths = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.5])
changes = {
    "random signs": random_signs,
    "fast gradient sign": lambda s: fast_gradient_sign(logit_slope, spins_test, ordered, s),
    "projected attack": lambda s: projected_attack(logit_slope, spins_test, ordered, s),
}
results = {name: [fraction_right(change(s)) for s in strengths] for name, change in changes.items()}
curves = {name: np.array(values)[:, 0] for name, values in results.items()}
plotting.lines(
    strengths,
    {**curves, "always the same answer": np.full(6, max(ordered.mean(), 1 - ordered.mean()))},
    errors={name: np.array(values)[:, 1] for name, values in results.items()},
    dashed=["always the same answer"],
    xlabel="change of every spin",
    ylabel="fraction classified rightly",
    title="Noise does nothing, an attack of the same size everything",
)
check.confront("M13.4-q0", curves["fast gradient sign"][3])

# %%
attacked = fast_gradient_sign(logit_slope, spins_test, ordered, 0.2)
before, after = (sigmoid(np.asarray(phase_logit(x))[:, 0]) for x in (spins_test, attacked))
cold = np.flatnonzero((ordered == 1) & (before > 0.9))
shown = cold[np.argmin(after[cold])]
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.5))
panels = [
    (spins_test[shown], f"below $T_c$: {before[shown]:.1%}"),
    (attacked[shown] - spins_test[shown], "the change"),
    (attacked[shown], f"below $T_c$: {after[shown]:.1%}"),
]
for axis, (picture, title) in zip(axes, panels, strict=True):
    drawn_picture = axis.imshow(picture.reshape(32, 32), cmap="RdBu", vmin=-1.2, vmax=1.2)
    axis.set(title=title, xlabel="column", ylabel="row")
figure.colorbar(drawn_picture, ax=axes, label="spin, or its change", shrink=0.8)
figure.suptitle("Every spin keeps its sign, the network changes its mind")
plotting.show(
    "An ordered lattice, a change of 0.2 in each spin, and the sum, which looks the same but is taken for a disordered one.",
    figure,
)

# %% covers="M13.4"
same_sign = np.mean(np.sign(attacked) == np.sign(spins_test))
by_package = explain.fast_gradient_sign(phase, spins_test[:200], ordered[:200], strength=0.2)
check.claim("M13.4", same_sign, 1.0, wrong=np.mean(np.sign(fast_gradient_sign(logit_slope, spins_test[:50], ordered[:50], 1.5)) == np.sign(spins_test[:50])))  # fmt: skip
check.claim("M13.4", curves["random signs"][3], at_least=curves["random signs"][0] - 0.03, wrong=curves["fast gradient sign"][3])  # fmt: skip
check.claim("M13.4", curves["fast gradient sign"][3], at_most=0.6, wrong=curves["random signs"][3])
check.claim("M13.4", curves["projected attack"][3] - curves["fast gradient sign"][3], at_most=0.02, wrong=curves["random signs"][3] - curves["fast gradient sign"][3])  # fmt: skip
check.claim("M13.4", np.mean(np.abs(by_package - attacked[:200]) < 1e-3), at_least=0.97, wrong=np.mean(np.abs(by_package - spins_test[:200]) < 1e-3))  # fmt: skip

# %% [markdown]
r"""
Why is noise so harmless? For a linear function $w \cdot x$ of $d$ inputs the attack changes it by $\epsilon \sum_i |w_i|$, all terms with one sign. Random signs give a random walk: $\epsilon \sqrt{\sum_i w_i^2}$ on average (root mean square). Their ratio is $\sqrt{d}$ if all weights are of one size, $\sqrt{2 d/\pi}$ for Gaussian weights: 26 for 1024 spins. Networks
are nearly linear over small distances, and inputs are many. It takes no defect to be vulnerable.
"""

# %% covers="M13.4"
weights = random.normal(size=1024)
at_random = 0.1 * random.choice([-1, 1], (4000, 1024)) @ weights
by_attack = attack_step(np.zeros(1024), np.zeros(1024), weights, 0.1, 0.1) @ weights
ratio = by_attack / at_random.std()
print(f"change of a linear function: attack {by_attack:.1f}, random signs {at_random.std():.2f}; ratio {ratio:.1f}")  # fmt: skip
check.claim("M13.4", by_attack, 0.1 * np.abs(weights).sum(), tolerance=1e-6, wrong=0.1 * np.linalg.norm(weights))  # fmt: skip
check.claim("M13.4", ratio, np.sqrt(2 * 1024 / np.pi), tolerance=3, wrong=np.sqrt(1024 / np.pi))

# %% [markdown]
r"""
**The attack as a limit of a systematic error.** Back to the taggers. Say that each of the eleven features is calibrated to 5 % of its standard deviation, in an unknown way. How much accuracy can that cost the single network trained with few jets, at most?
"""


# %% covers="M13.4"
@autodiff.compiled
def tagger_slope(x):
    """Derivative of the logit of each jet by its features."""
    return autodiff.gradient(single, x)


def tagged_rightly(x):
    """Fraction of the new jets that the single network classifies rightly."""
    found = np.asarray(single(x))[:, 0] > 0
    return metrics.accuracy_with_error(found == (is_zprime == 1))


nominal, nominal_error = tagged_rightly(x_new)
worst, _ = tagged_rightly(projected_attack(tagger_slope, x_new, is_zprime, 0.05))
shifts = [tagged_rightly(x_new + 0.05 * random.choice([-1, 1], 11).astype("float32"))[0] for _ in range(20)]  # fmt: skip
print(f"accuracy {nominal:.3f} +- {nominal_error:.3f}; with common shifts of 0.05, drawn 20 times: {min(shifts):.3f} to {max(shifts):.3f}; limit by attack: {worst:.3f}")  # fmt: skip
check.claim("M13.4", min(shifts) - worst, at_least=0.005, wrong=min(shifts) - nominal)

# %%
check.quiz("M13.4-q1")

# %% [markdown]
r"""
A calibration shifts all jets alike, the attack each jet on its own: so the limit is generous. If it is small, nothing more is to be done; if it is large, look closer.
(An *adversarial attack* has nothing to do with *adversarial training* of section 13.2, where two networks play against each other.)
"""

# %% tags=["instructor"]
# Discussion: (1) With KL weight 1 in place of 1/N the Bayesian network learns nothing: let a group try. (2) Why ReLU here? With tanh the network levels off outside the training range,
# all draws alike, and the predictive part does not rise at all. (3) The pulls of the limit are flat-topped: the posterior at 500 GeV is half a bell. (4) Stacking against averaging: with many validation jets stacking never loses, with 100 it may.
for question, answer in [("X13.1-q1", 3), ("M13.1-q1", 2), ("M13.4-q1", 4)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Two outputs and a Gaussian likelihood: a network learns its own error from the scatter of the data.
- Weights with a width, an ensemble, or dropout at prediction give many networks. The mean of their variances is the aleatoric part, the variance of their means the epistemic part.
- More data shrink the epistemic part only. The spread of dropout is set by its rate.
- Pulls and coverage judge stated uncertainties; calibration judges stated probabilities, and one temperature repairs most of it.
- Far from the training data every stated uncertainty is a warning, no measurement.
- Small changes along the gradient add up over all inputs, noise averages out. An attack gives an upper limit for a systematic error.
"""

# %%
check.summary()
