# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 19, title: "Unfolding, and translation without pairs", level: 3, minutes: 90, sections: "19.4", data: [], fast: {TRAININGS: 1, N_PAIRS: 20_000, EPOCHS: 12, EXPERIMENTS: 1, N_DATA: 15_000, ITERATIONS: 4, CYCLE_STEPS: 250}}
# ---
# %% [markdown]
r"""
# Unfolding, and translation without pairs

**You will**

- work out what a measurement tells about the truth where this can be done exactly, and train a conditional flow to know the same;
- test its intervals: 68 % of them have to contain the truth;
- see that unfolded data lean towards the simulation, and compute by how much;
- iterate this away, in bins as Bayes' theorem has it, and without bins by classifiers (OmniFold);
- translate between two detectors with a CycleGAN although no event was seen by both, and find out what no adversary can know.

**You need** normalizing flows (`ch18_flows`), the gradient penalty (`ch18_wgan`), and classifiers that weight events (`ch19_adaptation`).
**Time:** about 90 minutes. The cells themselves run in about a minute.

**You will see** a network that is perfectly consistent, and takes every particle for its antiparticle.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, metrics, plotting
from dlphys.layers import AffineCoupling, Flow, gradient_penalty

check = checks.start("ch19_unfolding")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import special, stats
from tqdm.auto import tqdm

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
TRAININGS = 3  # of the conditional flow, for the spread
N_PAIRS = 40_000  # simulated pairs of truth and observation
EPOCHS = 15  # of the conditional flows
N_TEST = 4000  # events to judge them
EXPERIMENTS = 2  # of the iterative unfolding
N_DATA = 20_000  # events of one experiment, and of its simulation
ITERATIONS = 5
CYCLE_STEPS = 600

# %% [markdown]
r"""
## What an observation tells

A detector turns a truth into an observation,

$$f(x_\mathrm{truth}) = x_\mathrm{obs}, \qquad x_\mathrm{truth} \in \mathbb{R}^N,\; x_\mathrm{obs} \in \mathbb{R}^M. \tag{19.4}$$

The formula hides that $f$ contains chance: the same truth is observed differently each time. So there is no $f^{-1}$. What there is, for one observation $y$, is a *distribution* of truths, the posterior

$$p(x|y) = \frac{p(y|x)\, p(x)}{\int p(y|x')\, p(x')\, \mathrm{d}x'}.$$

It contains $p(x)$: which truths were probable before anything was observed. Training data are pairs, so they always have *some* $p(x)$, that of the simulation. Keep this in mind.

**The detector.** A particle of energy $E$ (in 10 GeV) makes a shower whose maximum lies at a depth $d$ (in radiation lengths $X_0$). Three layers register a signal each. Near the values that we simulate the response is linear, $y = A x + b + \text{noise}$, with noise of 0.3 in every layer: the first layer sees more of a shower that begins early, the last one more of a late shower, and the sum of the layers is $E$ on average. In the simulation $x = (E, d)$ has a normal distribution. This is a case that can be solved: with covariance matrices $S$ of the truth and $R$ of the noise, and the mean $\mu$ of the truth, the posterior is normal,

$$C = \big(S^{-1} + A^\mathsf{T} R^{-1} A\big)^{-1}, \qquad \langle x | y\rangle = \mu + K\,(y - A\mu - b), \qquad K = C A^\mathsf{T} R^{-1}.$$

Precisions, the inverse covariances, add up: one from the prior, one from the measurement. $K$ is known from the Kalman filter as the gain.

**Your task.** Return the posterior means of all events and the covariance matrix, which is the same for all.
"""

# %%
MEAN = np.array([5.0, 6.0])  # energy (10 GeV), depth (X0)
COVARIANCE = np.array([[1.0, 0.3], [0.3, 1.0]])
RESPONSE = np.array([[0.5, -0.35], [0.35, 0.10], [0.15, 0.25]])  # signals, in 10 GeV
OFFSET = np.array([1.6, -0.35, -1.25])
NOISE = 0.3**2 * np.eye(3)
NAMES = ["energy E (10 GeV)", "depth d ($X_0$)"]


def simulate(n, generator, mean=MEAN, covariance=COVARIANCE):
    """Pairs of truth (n, 2) and observation (n, 3)."""
    truth = generator.multivariate_normal(mean, covariance, n)
    noise = generator.multivariate_normal(np.zeros(3), NOISE, n)
    return truth, truth @ RESPONSE.T + OFFSET + noise


# %% task="X19.3a" points=2
def gaussian_posterior(observed, mean, covariance, response, offset, noise):
    """Mean and covariance of p(truth | observed) for a linear response, a normal prior and normal noise.

    observed: (n, M); mean: (N,) and covariance: (N, N) of the prior; response: (M, N); offset: (M,); noise: (M, M),
    covariance of the noise. Returns an array (n, N) of means, and one covariance matrix (N, N).
    """
    ### BEGIN SOLUTION
    precision = np.linalg.inv(noise)
    posterior = np.linalg.inv(np.linalg.inv(covariance) + response.T @ precision @ response)
    gain = posterior @ response.T @ precision
    return mean + (observed - response @ mean - offset) @ gain.T, posterior
    ### END SOLUTION


# %% check="X19.3a"
check("X19.3a", gaussian_posterior)

# %% [markdown]
r"""
## Example 19.3: a flow with a condition

Now forget the formulas. A **conditional invertible network** learns the posterior from pairs. It is a flow between the truth and normally distributed numbers $r$ of the same dimension, and every network inside gets the observation $y$ besides:

$$r_1 = x_1\, e^{s_2(x_2,\, y)} + t_2(x_2, y), \qquad r_2 = x_2\, e^{s_1(r_1,\, y)} + t_1(r_1, y).$$

$y$ itself is not transformed. It may have any dimension, and nothing of it enters the determinant. Training is that of every flow: minimise (18.36), here $-\langle\ln p(x|y)\rangle$ over simulated pairs. Application goes backwards: insert the measured $y$, draw many $r$, and get as many $x$, a sample of the posterior. The book's sketch, figure 19.5, has a second loss that compares the distributions of all unfolded and all true events (the maximum mean discrepancy). We do not train with it, and measure below whether there was need.

**Your task.** Write the block from truth to $r$. A network takes *one* tensor: half of the event and the observation, joined in this order.
"""


# %% task="X19.3b" points=2
def conditional_coupling(x, y, network_2, network_1):
    """A coupling block from truth to latent numbers, given the observation, and ln|det dr/dx| of each event.

    x: (n, N), N even; y: (n, M). network_2 gets the second half of x joined with y, network_1 the first half of r joined
    with y; each returns two tensors s and t, (n, N/2). Returns r (n, N) and the logarithm of the determinant (n,).
    """
    ### BEGIN SOLUTION
    half = x.shape[1] // 2
    s_2, t_2 = network_2(ops.concatenate([x[:, half:], y], axis=1))
    r_1 = x[:, :half] * ops.exp(s_2) + t_2
    s_1, t_1 = network_1(ops.concatenate([r_1, y], axis=1))
    r_2 = x[:, half:] * ops.exp(s_1) + t_1
    return ops.concatenate([r_1, r_2], axis=1), ops.sum(s_1, axis=1) + ops.sum(s_2, axis=1)
    ### END SOLUTION


# %% check="X19.3b"
check("X19.3b", conditional_coupling)

# %% [markdown]
r"""
From here on the library's layers do this: `AffineCoupling(mask)` is half of the block, `Flow` a chain of them, and `fit([x, y])` the training. With a normal posterior two steps would be enough; we take four, since the second problem will not be as kind.
"""


# %%
def new_flow():
    masks = [[1, 0], [0, 1], [1, 0], [0, 1]]
    return Flow([AffineCoupling(mask, (32, 32), activation="elu") for mask in masks])


FLOW = new_flow()  # compiled once, for all trainings: that takes as long as a training
steps = EPOCHS * -(-N_PAIRS // 1000)
rate = keras.optimizers.schedules.CosineDecay(5e-3, steps)
FLOW.compile(keras.optimizers.Adam(rate), steps_per_execution=20, jit_compile=False)


class Unfolder:
    """Weights of a trained flow, and the means and widths by which truth and observation are scaled."""

    def __init__(self, truth, observed, seed):
        keras.utils.set_random_seed(seed)
        self.truth = truth.mean(axis=0), truth.std(axis=0)
        self.observed = observed.mean(axis=0), observed.std(axis=0)
        pairs = [self.scaled(truth, self.truth), self.scaled(observed, self.observed)]
        fresh = new_flow()
        for flow in (fresh, FLOW):
            flow([part[:2] for part in pairs])  # makes the weights
        FLOW.set_weights(fresh.get_weights())
        for variable in FLOW.optimizer.variables:  # the moments of Adam, and the count of steps
            variable.assign(ops.zeros_like(variable))
        FLOW.fit(pairs, batch_size=1000, epochs=EPOCHS, verbose=0)
        self.weights = FLOW.get_weights()

    @property
    def flow(self):
        FLOW.set_weights(self.weights)
        return FLOW

    def scaled(self, values, by):
        return ((values - by[0]) / by[1]).astype("float32")

    def log_density(self, truth, observed):
        """ln p(truth | observed) of each event."""
        pair = self.scaled(truth, self.truth), self.scaled(observed, self.observed)
        return self.flow.log_density(*pair) - np.log(self.truth[1]).sum()

    def draw(self, observed, draws, seed):
        """Samples (n, draws, 2) of the posterior of each observation."""
        condition = np.repeat(self.scaled(observed, self.observed), draws, axis=0)
        sample = self.flow.sample(len(condition), condition=condition, seed=seed)
        return sample.reshape(len(observed), draws, -1) * self.truth[1] + self.truth[0]


pairs = simulate(N_PAIRS, random)
unfolders = [Unfolder(*pairs, seed=check.seed + number) for number in range(TRAININGS)]

# %% [markdown]
r"""
**Is it right?** Two answers. The first needs the exact posterior: means and widths side by side, and the loss against its **limit**, the entropy $H(x|y) = \frac12 \ln\det(2\pi e\, C)$. The second needs nothing but pairs, so it works for every detector: **coverage**. Take from each posterior the interval between its quantiles at 15.9 % and 84.1 %. It must contain the truth in 68.3 % of all events. Fewer means that the network is too sure, more that it is too modest.

**Your task.** Return the share of events whose truth lies in the central interval of their samples, for each component.
"""


# %% task="X19.3c" points=2
def central_coverage(truth, samples, level=0.683):
    """Share of events with the truth in the central interval that holds the share `level` of the event's own samples.

    truth: (n, N); samples: (n, draws, N), of the posterior of each event. Returns (N,), one share for each component.
    """
    ### BEGIN SOLUTION
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(samples, tails, axis=1)
    return np.mean((low <= truth) & (truth <= high), axis=0)
    ### END SOLUTION


# %% check="X19.3c"
check("X19.3c", central_coverage)

# %%
gaussian_posterior = check.catch_up("X19.3a", gaussian_posterior)
central_coverage = check.catch_up("X19.3c", central_coverage)
DRAWS = 150  # of each posterior
SYSTEM = MEAN, COVARIANCE, RESPONSE, OFFSET, NOISE
test_truth, test_observed = simulate(N_TEST, random)
exact_mean, exact_covariance = gaussian_posterior(test_observed, *SYSTEM)
exact_width = np.sqrt(np.diag(exact_covariance))
exact_density = stats.multivariate_normal([0, 0], exact_covariance)
conditional_entropy = np.log(np.linalg.det(2 * np.pi * np.e * exact_covariance)) / 2
far_truth, far_observed = simulate(20_000, random)
far_exact = exact_density.logpdf(far_truth - gaussian_posterior(far_observed, *SYSTEM)[0])
rows = []
for number, unfolder in enumerate(unfolders):
    posterior = unfolder.draw(test_observed, DRAWS, seed=check.seed + number)
    off = posterior.mean(axis=1) - exact_mean
    gap, gap_error = metrics.mean_with_error(
        far_exact - unfolder.log_density(far_truth, far_observed)
    )
    rows.append(
        {
            "coverage": central_coverage(test_truth, posterior),
            # the mean of 200 draws has an error of its own
            "mean": np.sqrt(np.maximum(np.mean(off**2, axis=0) / exact_width**2 - 1 / DRAWS, 0)),
            "width": posterior.std(axis=1, ddof=1).mean(axis=0) / exact_width,
            "gap": gap,
        }
    )
table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
coverage_error = np.sqrt(0.683 * 0.317 / N_TEST)
expected_coverage = (
    0.683 * (DRAWS - 1) / (DRAWS + 1)
)  # quantiles of few draws lie a little too close
print(f"limit of the loss: H(x|y) = {conditional_entropy:.3f} nats; all numbers for energy and depth")  # fmt: skip
print(
    f"coverage expected of {DRAWS} draws from the exact posterior: {100 * expected_coverage:.1f} %"
)
print("training   coverage (%)                   mean - exact (rms, in widths)   width / exact   loss above the limit (nats)")  # fmt: skip
for number, row in enumerate(rows):
    c, m, w = row["coverage"], row["mean"], row["width"]
    print(f"{number + 1:5d}      {100 * c[0]:.1f}, {100 * c[1]:.1f} +- {100 * coverage_error:.1f}             {m[0]:.3f}, {m[1]:.3f}                    {w[0]:.3f}, {w[1]:.3f}    {row['gap']:.4f} +- {gap_error:.4f}")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4.4))
turn = np.linspace(0, 2 * np.pi, 100)
circle = np.sqrt(2.296) * np.stack([np.cos(turn), np.sin(turn)])  # holds 68.3 %
chosen = [np.argmin(((exact_mean - spot) ** 2).sum(axis=1)) for spot in ([3.7, 6.7], [5.0, 4.9], [6.3, 6.9])]  # fmt: skip
axes[0].plot(*(MEAN[:, None] + np.linalg.cholesky(COVARIANCE) @ circle), color=plotting.GREY, label="prior: the simulation")  # fmt: skip
for event, colour in zip(chosen, plotting.COLOURS, strict=False):
    axes[0].plot(*posterior[event].T, ".", ms=3, alpha=0.5, color=colour)
    axes[0].plot(*(exact_mean[event][:, None] + np.linalg.cholesky(exact_covariance) @ circle), color=colour)  # fmt: skip
    axes[0].plot(*test_truth[event], "*", ms=13, mec=plotting.INK, color=colour)
axes[0].plot([], [], color=plotting.INK, label="exact posterior, 68 %")
axes[0].plot([], [], ".", color=plotting.INK, label="samples of the flow")
axes[0].plot([], [], "*", ms=11, color=plotting.INK, label="truth")
axes[0].set(xlabel=NAMES[0], ylabel=NAMES[1], title="three observations")
axes[0].legend(fontsize=8, loc="lower right")
levels = np.linspace(0.05, 0.95, 19)
held = np.array([central_coverage(test_truth[:1500], posterior[:1500], level) for level in levels])
for k, name in enumerate(["energy", "depth"]):
    axes[1].plot(levels, held[:, k], ["o", "s"][k], ms=5, mfc="none", color=plotting.COLOURS[k], label=name)  # fmt: skip
axes[1].plot([0, 1], [0, 1], color=plotting.INK, lw=1, label="calibrated")
axes[1].set(xlabel="level of the interval", ylabel="share of events with the truth inside", title="coverage at all levels")  # fmt: skip
axes[1].legend(fontsize=8)
figure.suptitle(f"The flow knows the posterior: {100 * table['coverage'].mean():.1f} % of truths in its 68.3 % intervals")  # fmt: skip
plotting.show("Left: three clouds of points in the plane of energy and depth, each filling an ellipse much smaller than that of the prior, with stars of the truth in or near them. Right: shares of contained truths lie on the diagonal for all levels.", figure)  # fmt: skip

# %% covers="X19.3"
check.claim("X19.3", table["coverage"].max(), expected_coverage, tolerance=0.03, wrong=0.5)
check.claim("X19.3", table["coverage"].min(), expected_coverage, tolerance=0.03, wrong=0.8)
check.claim("X19.3", table["mean"].max(), at_most=0.15, wrong=1.0)
check.claim("X19.3", np.abs(table["width"] - 1).max(), at_most=0.05, wrong=(1 / exact_width - 1).min())  # fmt: skip
check.claim("X19.3", table["gap"].max(), at_most=0.03, wrong=0.2)

# %%
check.quiz("X19.3-q1")

# %% [markdown]
r"""
## Leaning towards the simulation

Unfolding an event gives a distribution. Unfolding a *sample* means taking one draw from each posterior and making a histogram of the draws. If the data are distributed as the simulation was, this is right: $\int p(x|y)\,p(y)\,\mathrm{d}y = p(x)$. Real data are not, or nobody would measure them.

Here are data with more energetic and shallower showers, and less spread, than in the simulation. The detector is the same. What the flow makes of them can be computed: with $A\mu_\mathrm{data} + b$ for the mean of the observations,

$$\langle x\rangle_\mathrm{unfolded} = \mu + K A\,(\mu_\mathrm{data} - \mu), \qquad \mathrm{Cov}_\mathrm{unfolded} = C + K\,(A S_\mathrm{data} A^\mathsf{T} + R)\,K^\mathsf{T}.$$

The matrix $KA$ says which share of a shift the detector is believed for.

**Predict.** The true mean of the depth moves from 6.0 to 5.5 radiation lengths. Where will the unfolded mean be?
"""

# %%
check.predict("19.4-depth", None, question="Which mean depth will the unfolded data have (X0)?")

# %%
DATA_MEAN = np.array([5.8, 5.5])
DATA_COVARIANCE = np.array([[0.64, 0.1], [0.1, 0.64]])


def ideal_step(mean, covariance):
    """Mean and covariance of the unfolded data, for a prior with the given ones and an exact posterior."""
    posterior = gaussian_posterior(np.zeros((1, 3)), mean, covariance, *SYSTEM[2:])[1]
    gain = posterior @ RESPONSE.T @ np.linalg.inv(NOISE)
    spread = RESPONSE @ DATA_COVARIANCE @ RESPONSE.T + NOISE
    return mean + gain @ RESPONSE @ (DATA_MEAN - mean), posterior + gain @ spread @ gain.T


data_truth, data_observed = simulate(N_DATA, random, DATA_MEAN, DATA_COVARIANCE)
predicted_mean, predicted_covariance = ideal_step(MEAN, COVARIANCE)
unfolded_data = np.array([unfolder.draw(data_observed, 1, seed=check.seed + 50)[:, 0] for unfolder in unfolders])  # fmt: skip
unfolded_mean = unfolded_data.mean(axis=(0, 1))
error = np.sqrt(np.diag(predicted_covariance) / N_DATA)
print("mean of                  energy (10 GeV)      depth (X0)")
for name, values in [("simulated truth", MEAN), ("true data", DATA_MEAN), ("unfolded, predicted", predicted_mean)]:  # fmt: skip
    print(f"{name:22s}   {values[0]:.3f}                {values[1]:.3f}")
print(f"{'unfolded by the flow':22s}   {unfolded_mean[0]:.3f} +- {error[0]:.3f}      {unfolded_mean[1]:.3f} +- {error[1]:.3f}")  # fmt: skip
if TRAININGS > 1:
    spread = unfolded_data.mean(axis=1).std(axis=0, ddof=1)
    print(f"  spread over trainings         {spread[0]:.3f}                {spread[1]:.3f}")
check.confront("19.4-depth", unfolded_mean[1], unit="X0")

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
for k, axis in enumerate(axes):
    bins = np.linspace(MEAN[k] - 3.5, MEAN[k] + 3.5, 57)
    grid = np.linspace(bins[0], bins[-1], 300)
    axis.hist(unfolded_data[0][:, k], bins, density=True, color=plotting.COLOURS[0], alpha=0.35, label="unfolded by the flow")  # fmt: skip
    for name, centre, matrix, colour, style in [
        ("simulation (prior)", MEAN, COVARIANCE, plotting.GREY, "-"),
        ("true data", DATA_MEAN, DATA_COVARIANCE, plotting.INK, "-"),
        ("unfolded, predicted", predicted_mean, predicted_covariance, plotting.COLOURS[1], "--"),
    ]:
        axis.plot(grid, stats.norm.pdf(grid, centre[k], np.sqrt(matrix[k, k])), style, color=colour, label=name)  # fmt: skip
    axis.set(xlabel=NAMES[k])
axes[0].set_ylabel("probability density")
axes[0].legend(fontsize=8, loc="upper left")
remaining = (unfolded_mean - DATA_MEAN) / (MEAN - DATA_MEAN)
figure.suptitle(f"Unfolded once, data keep {100 * remaining[0]:.0f} % (energy) and {100 * remaining[1]:.0f} % (depth) of their distance to the simulation")  # fmt: skip
plotting.show("Two panels, for energy and depth. The histogram of the unfolded data lies between the curve of the true data and that of the simulation, exactly on the predicted curve.", figure)  # fmt: skip

# %% [markdown]
r"""
Nothing is wrong with the network: it answers the question it was asked. The posterior belongs to the prior of the simulation, and where the detector says little (the depth) the prior says much. More events do not help, nor does longer training. The intervals of single events have the same fine print: a coverage of 68 % is promised for the simulated mixture of events, and for no other.
"""

# %% covers="X19.3"
check.claim("X19.3", unfolded_mean[0], predicted_mean[0], tolerance=0.04, wrong=DATA_MEAN[0])
check.claim("X19.3", unfolded_mean[1], predicted_mean[1], tolerance=0.04, wrong=DATA_MEAN[1])

# %% [markdown]
r"""
## A falling spectrum

Physics is rarely normal. Now energies fall off as $\mathrm{d}N/\mathrm{d}\ln E \propto E^{-2}$ above a soft threshold near 3 GeV, the maximum of a shower lies deeper the higher its energy, the layers share the signal by where the shower is, and their noise is $0.5\,\sqrt{s\,\mathrm{GeV}}$ for a signal $s$, a calorimeter of $50\,\%/\sqrt{E/\mathrm{GeV}}$, with 0.15 GeV from the electronics. A classical reconstruction adds the layers up. Since there are many more showers below any energy than above it, more are smeared upwards than downwards, and the observed spectrum is too hard.

The flow unfolds $(\ln E, d)$. As observations it gets the roots of the signals: in these the noise is nearly the same for small and for large showers. The posterior has no closed form any more, but in two dimensions a grid is as good: prior times likelihood, added up at 10 000 places.
"""

# %%
INDEX, THRESHOLD, SOFT = 2.0, 1.0, 0.15
EDGES = np.array([-np.inf, 4.5, 7.5, 11.0])  # of the layers, X0
shower_names = ["ln(E / GeV)", "depth d ($X_0$)"]


def simulate_spectrum(n, generator):
    """Truth (n, 2), ln E and depth, of a falling spectrum, and the signals of three layers (n, 3), GeV."""
    log_energy = THRESHOLD + generator.exponential(1 / INDEX, n) + SOFT * generator.normal(size=n)
    depth = 6 + 0.3 * (log_energy - 1.5) + generator.normal(size=n)
    truth = np.stack([log_energy, depth], axis=1)
    signal, noise = layer_signals(truth)
    return truth, signal + noise * generator.normal(size=signal.shape)


def layer_signals(truth):
    """Mean signal and noise of each layer, (n, 3), GeV."""
    share = np.diff(special.ndtr((EDGES - truth[:, 1:]) / 2), axis=1)
    signal = np.exp(truth[:, :1]) * share
    return signal, np.sqrt(0.5**2 * signal + 0.15**2)


def roots(signals):
    """What the flow sees of the signals: a root with their sign, since noise may be negative."""
    return np.sign(signals) * np.sqrt(np.abs(signals))


def log_joint(truth, observed):
    """ln p(truth, observed) for each pair of an observation (n, 3) and a truth (k, 2), as (n, k)."""
    signal, noise = layer_signals(truth)
    energies = stats.exponnorm.logpdf(truth[:, 0], 1 / (INDEX * SOFT), THRESHOLD, SOFT)
    depths = stats.norm.logpdf(truth[:, 1], 6 + 0.3 * (truth[:, 0] - 1.5))
    total = energies + depths - np.log(np.sqrt(2 * np.pi) * noise).sum(axis=1)
    for k in range(3):
        total = total - ((observed[:, k, None] - signal[:, k]) / noise[:, k]) ** 2 / 2
    return total


spectrum_truth, spectrum_observed = simulate_spectrum(N_PAIRS, random)
spectrum_unfolder = Unfolder(spectrum_truth, roots(spectrum_observed), seed=check.seed)
shower_truth, shower_observed = simulate_spectrum(N_TEST, random)
shower_posterior = spectrum_unfolder.draw(roots(shower_observed), DRAWS, seed=check.seed)
shower_coverage = central_coverage(shower_truth, shower_posterior)

FEW = 400  # events with the exact posterior on a grid
steps = np.linspace(0.3, 5.5, 130), np.linspace(1.0, 12.5, 80)
cells = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 2)
joint = np.exp(log_joint(cells, shower_observed[:FEW]))
evidence = joint.sum(axis=1, keepdims=True)
grid_mean = joint / evidence @ cells
grid_width = np.sqrt(joint / evidence @ cells**2 - grid_mean**2)
off = (shower_posterior[:FEW].mean(axis=1) - grid_mean) / grid_width
spectrum_off = np.sqrt(np.mean(off**2, axis=0) - 1 / DRAWS)
spectrum_widths = (shower_posterior[:FEW].std(axis=1, ddof=1) / grid_width).mean(axis=0)
area = np.prod([step[1] - step[0] for step in steps])
own_cell = np.diagonal(log_joint(shower_truth[:FEW], shower_observed[:FEW]))
spectrum_gap = metrics.mean_with_error(
    own_cell
    - np.log(evidence[:, 0] * area)
    - spectrum_unfolder.log_density(shower_truth[:FEW], roots(shower_observed[:FEW]))
)
print("                              ln E      depth")
print(f"coverage (%)                  {100 * shower_coverage[0]:.1f}      {100 * shower_coverage[1]:.1f}    +- {100 * coverage_error:.1f}")  # fmt: skip
print(f"mean - exact (rms, widths)    {spectrum_off[0]:.3f}     {spectrum_off[1]:.3f}")
print(f"width / exact                 {spectrum_widths[0]:.3f}     {spectrum_widths[1]:.3f}")
print(f"loss above the limit          {spectrum_gap[0]:.3f} +- {spectrum_gap[1]:.3f} nats")

# %%
measured_truth, measured = simulate_spectrum(N_DATA, random)  # data, with the spectrum simulated
other_truth = simulate_spectrum(N_DATA, random)[0]  # what another sample of this size would show
drawn = spectrum_unfolder.draw(roots(measured), 1, seed=check.seed + 7)[:, 0]
added = np.log(np.maximum(measured.sum(axis=1), 0.1))  # GeV; the layers contain nearly everything
energy_bins = np.linspace(0.6, 4.2, 19)
samples = {"observed: layers added": added, "unfolded by the flow": drawn[:, 0], "second true sample": other_truth[:, 0]}  # fmt: skip
true_counts = np.histogram(measured_truth[:, 0], energy_bins)[0]
distances = {}
print("spectrum of ln E against the truth     W1                 chi2 / bins")
for name, sample in samples.items():
    counts = np.histogram(sample, energy_bins)[0]
    chi2 = np.sum((counts - true_counts) ** 2 / np.maximum(counts + true_counts, 1))
    distances[name] = (
        *metrics.wasserstein(sample, measured_truth[:, 0], resamples=20),
        chi2 / len(counts),
    )
    print("{:30s}   {:.4f} +- {:.4f}   {:10.2f}".format(name, *distances[name]))
few = slice(0, 2000)
discrepancy = {
    name: metrics.maximum_mean_discrepancy(sample[few], measured_truth[few])
    for name, sample in [("unfolded", drawn), ("second true sample", other_truth)]
}
for name, (value, spread) in discrepancy.items():
    print(f"maximum mean discrepancy squared, both components, {name}: {value:.5f} +- {spread:.5f}")

# %%
figure, axes = plt.subplots(2, 1, figsize=(7.5, 5.6), sharex=True, height_ratios=[2, 1])
middle = (energy_bins[1:] + energy_bins[:-1]) / 2
axes[0].stairs(true_counts, energy_bins, color=plotting.INK, label="truth")
for (name, sample), marker, colour in zip(list(samples.items())[:2], "so", plotting.COLOURS, strict=False):  # fmt: skip
    counts = np.histogram(sample, energy_bins)[0]
    axes[0].errorbar(middle, counts, np.sqrt(counts), fmt=marker, ms=4, color=colour, label=name)
    axes[1].errorbar(middle, counts / np.maximum(true_counts, 1), np.sqrt(counts) / np.maximum(true_counts, 1), fmt=marker, ms=4, color=colour)  # fmt: skip
axes[1].axhline(1, color=plotting.INK, lw=1)
axes[0].set(yscale="log", ylabel="events per bin")
axes[1].set(ylim=(0.4, 1.9), xlabel=shower_names[0], ylabel="ratio to truth")
axes[0].legend()
figure.suptitle(f"Unfolded, the spectrum is {distances['observed: layers added'][0] / distances['unfolded by the flow'][0]:.0f} times nearer to the truth (W1)")  # fmt: skip
plotting.show("Upper panel: a falling spectrum with a threshold. Lower panel: the ratio to the truth; sums of layers are too few at the peak and too many below and above, unfolded counts scatter around one.", figure)  # fmt: skip

# %% [markdown]
r"""
With an exact posterior the unfolded events would *be* a new sample of the true spectrum, as far from the truth as the second true sample. The flow comes near this, in the spectrum as well as in the maximum mean discrepancy of both components, so there is little left for the second loss to improve. What remains is at the threshold, the steepest place, where an affine flow has to bend most. It is of use when the likelihood training has not reached such a point.
"""

# %% covers="X19.3"
check.claim("X19.3", np.abs(shower_coverage - expected_coverage).max(), at_most=0.03, wrong=0.1)
check.claim("X19.3", spectrum_off.max(), at_most=0.3, wrong=1.0)
check.claim("X19.3", np.abs(spectrum_widths - 1).max(), at_most=0.1, wrong=0.3)
observed_chi2 = distances["observed: layers added"][2]
check.claim("X19.3", distances["unfolded by the flow"][2], at_most=0.3 * observed_chi2, wrong=observed_chi2)  # fmt: skip

# %% [markdown]
r"""
## Iterate: Bayes' theorem in bins

Unfolded data lean towards the prior, but they lie nearer to the truth than the prior did. So take them as the next prior, and repeat. In bins this is an old method (Richardson and Lucy in optics, D'Agostini in particle physics). With $t_i$ the expected number of events in bin $i$ of the truth, $m_j$ that in bin $j$ of the observation, and the **response matrix** $R_{ji} = p(\text{observed in } j\,|\,\text{true in } i)$,

$$p(i|j) = \frac{R_{ji}\,t_i}{\sum_k R_{jk}\,t_k}, \qquad t_i^\mathrm{new} = \frac{1}{\varepsilon_i} \sum_j p(i|j)\, m_j, \qquad \varepsilon_i = \sum_j R_{ji}.$$

$\varepsilon_i$ is the efficiency, the share of true events of bin $i$ that are observed in any bin at all.

**Your task.** Return the new spectrum. Which axis of the response adds up to the efficiency?
"""


# %% task="M19.4a" points=2
def bayesian_iteration(prior, response, measured):
    """One step of the iterative unfolding with Bayes' theorem.

    prior: (T,), spectrum of the truth so far, all above 0; response: (O, T), probability of each observed bin for each
    true bin; measured: (O,), events in each observed bin. Returns the new spectrum (T,).
    """
    ### BEGIN SOLUTION
    efficiency = response.sum(axis=0)
    folded = response @ prior
    return prior * (response.T @ (measured / folded)) / efficiency
    ### END SOLUTION


# %% check="M19.4a"
check("M19.4a", bayesian_iteration)

# %% [markdown]
r"""
## Iterate: without bins

Bins are fine for one quantity. With two or three, a response matrix has more entries than there are events. **OmniFold** does the same with weights of simulated events, and a classifier in place of every ratio of histograms. Recall from `ch19_adaptation`: a classifier trained to tell sample 1 (label 1) from sample 0 (label 0) with cross-entropy ends with the logit $\ln p_1(x)/p_0(x)$, if both weigh the same in total. So $e^\text{logit}$, used as a weight, turns sample 0 into sample 1.

Every simulated event exists twice, as a truth and as its observation, and has one weight $\nu$, at first 1. An iteration has two steps:

1. **At the detector.** Tell data from simulation, weighted with $\nu$, by the observations. Multiply $\nu$ with the ratio: $\omega = \nu\, e^{\text{logit}_1(y)}$. Now the simulation looks like the data. A truth gets the weight of its observation; the weights are *pulled* from the detector to the truth.
2. **At the truth.** $\omega$ depends on the noise in $y$, so two events with the same truth have different weights, and another simulated set could not use them. Average this away: tell the simulation weighted with $\omega$ (label 1) from the same simulation weighted with $\nu$ (label 0) by the *truth*, and let $\nu^\mathrm{new} = \nu\, e^{\text{logit}_2(x)}$, a function of the truth. With it the truths weigh their observations (*push*), and so on.

**Your task.** Prepare the training set of step 2: truths, labels and weights, with first all events labelled 1 and then all events labelled 0. Scale each set of weights to a mean of 1.
"""


# %% task="M19.4b" points=3
def truth_step(truth, weights, logit):
    """Training set of the second step: the simulation with pulled weights against the simulation with old weights.

    truth: (n, N) and weights: (n,), of the simulated events; logit: (n,), of the first step's classifier (data 1,
    simulation 0) at the observation of each event. Returns x (2n, N), label (2n,), weight (2n,).
    """
    ### BEGIN SOLUTION
    pulled = weights * np.exp(logit)
    label = np.repeat([1.0, 0.0], len(truth))
    both = [pulled / pulled.mean(), weights / weights.mean()]
    return np.concatenate([truth, truth]), label, np.concatenate(both)
    ### END SOLUTION


# %% check="M19.4b"
check("M19.4b", truth_step)

# %% [markdown]
r"""
The experiment: the data from above, energies and depths shifted and narrower than simulated, unfolded in three observed and two true dimensions. The classifiers are small and go on from iteration to iteration with the weights that they have. Beside them stand

- an **oracle**: the same procedure with exact ratios and infinitely many events, iteration by iteration. For normal distributions it is `ideal_step` from above, applied again and again;
- the binned method for the energy alone, from the sum of the layers.
"""

# %%
bayesian_iteration = check.catch_up("M19.4a", bayesian_iteration)
truth_step = check.catch_up("M19.4b", truth_step)
BATCH, EPOCHS_CLASSIFIER = 1000, 6


def new_classifier(inputs):
    hidden = [layers.Dense(24, activation="elu") for _ in range(2)]
    model = keras.Sequential([keras.Input((inputs,)), *hidden, layers.Dense(1)])
    steps = EPOCHS_CLASSIFIER * -(-2 * N_DATA // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, steps)),
        keras.losses.BinaryCrossentropy(from_logits=True),
        steps_per_execution=10,
    )
    return model


CLASSIFIERS = {"observation": new_classifier(3), "truth": new_classifier(2)}
FRESH = {name: model.get_weights() for name, model in CLASSIFIERS.items()}


def logits(name, x, label, weight, at):
    """Train a classifier on, from its present weights, and evaluate it."""
    model = CLASSIFIERS[name]
    for variable in model.optimizer.variables:  # the learning rate begins again
        variable.assign(ops.zeros_like(variable))
    centre, width = at.mean(axis=0), at.std(axis=0)
    x, at = ((part - centre) / width for part in (x, at))
    model.fit(x.astype("float32"), label, sample_weight=weight.astype("float32"), batch_size=BATCH, epochs=EPOCHS_CLASSIFIER, verbose=0)  # fmt: skip
    return model.predict(at.astype("float32"), batch_size=20_000, verbose=0)[:, 0].astype(float)


def omnifold(truth, observed, data):
    """Weights of the simulated events after 0, 1, 2 ... iterations, (1 + ITERATIONS, n)."""
    for name, model in CLASSIFIERS.items():
        model.set_weights(FRESH[name])
    history = [np.ones(len(truth))]
    both = np.concatenate([data, observed])
    label = np.repeat([1.0, 0.0], [len(data), len(observed)])
    for _ in range(ITERATIONS):
        weights = history[-1]
        balanced = np.concatenate([np.ones(len(data)), weights * len(data) / weights.sum()])
        first = logits("observation", both, label, balanced, at=observed)
        second = logits("truth", *truth_step(truth, weights, first), at=truth)
        weights = weights * np.exp(second)
        history.append(weights / weights.mean())
    return np.array(history)


def moments(values, weights):
    """Weighted means and standard deviations, of the columns or of one quantity."""
    mean = np.average(values, axis=0, weights=weights)
    return mean, np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))


ideal = [(MEAN, COVARIANCE)]
for _ in range(ITERATIONS):
    ideal.append(ideal_step(*ideal[-1]))
ideal_moments = np.array([[mean, np.sqrt(np.diag(matrix))] for mean, matrix in ideal])
true_moments = np.array([DATA_MEAN, np.sqrt(np.diag(DATA_COVARIANCE))])

BINS_TRUE, BINS_SEEN = np.linspace(2.25, 7.75, 23), np.linspace(2.0, 8.5, 27)


def within(values, bins):
    """What lies outside of all bins counts in the outermost one."""
    return np.clip(values, bins[0], bins[-1])


keras.utils.set_random_seed(check.seed)
found, binned, divergences = [], [], []
for _ in range(EXPERIMENTS):
    simulated = simulate(N_DATA, random)
    events_truth, events = simulate(N_DATA, random, DATA_MEAN, DATA_COVARIANCE)
    history = omnifold(*simulated, events)
    found.append([moments(simulated[0], weights) for weights in history])
    ratio = np.exp(stats.multivariate_normal(DATA_MEAN, DATA_COVARIANCE).logpdf(simulated[0]) - stats.multivariate_normal(MEAN, COVARIANCE).logpdf(simulated[0]))  # fmt: skip
    ratio /= ratio.mean()  # exact weights
    divergences.append([np.average(np.log(ratio / weights), weights=ratio) for weights in history])

    seen = np.histogram(within(events.sum(axis=1), BINS_SEEN), BINS_SEEN)[0]
    sums, energies = (
        within(simulated[1].sum(axis=1), BINS_SEEN),
        within(simulated[0][:, 0], BINS_TRUE),
    )
    both_ways = np.histogram2d(sums, energies, [BINS_SEEN, BINS_TRUE])[0]
    true_spectrum = both_ways.sum(axis=0)
    response = both_ways / true_spectrum
    spectra = [true_spectrum]
    for _ in range(ITERATIONS):
        spectra.append(bayesian_iteration(spectra[-1], response, seen))
    binned.append([moments((BINS_TRUE[1:] + BINS_TRUE[:-1]) / 2, spectrum) for spectrum in spectra])
found, binned = np.array(found), np.array(binned)  # experiments, iterations, moments, components
divergences = np.array(divergences)
final = found.mean(axis=0)[-1]
size = history[-1].sum() ** 2 / np.sum(history[-1] ** 2)  # effective number of events
moment_error = true_moments[1] / np.sqrt(size * EXPERIMENTS)
print("                           mean energy   mean depth    width of energy   width of depth")
for name, ((a, b), (c, d)) in [("simulation", ideal_moments[0]), ("true data", true_moments), (f"exact iteration {ITERATIONS} (oracle)", ideal_moments[-1]), (f"OmniFold, iteration {ITERATIONS}", final)]:  # fmt: skip
    print(f"{name:27s}{a:8.3f}      {b:8.3f}      {c:8.3f}          {d:8.3f}")
print(f"errors of the last line: {moment_error[0]:.3f}, {moment_error[1]:.3f} (means), {moment_error[0] / 2**0.5:.3f}, {moment_error[1] / 2**0.5:.3f} (widths), from the effective number of {size:.0f} of {N_DATA} events an experiment, {EXPERIMENTS} of them")  # fmt: skip
print(f"Bayes in bins, energy alone: mean {binned[:, -1, 0].mean():.3f}, width {binned[:, -1, 1].mean():.3f}")  # fmt: skip
print(f"Kullback-Leibler divergence of the unfolded from the true distribution: {divergences[:, 0].mean():.3f} nats before, {divergences[:, -1].mean():.3f} after")  # fmt: skip

# %%
figure, axes = plt.subplots(2, 2, figsize=(10.5, 6), sharex=True)
for row, moment in enumerate(["mean", "width"]):
    for column, axis in enumerate(axes[row]):
        axis.plot(ideal_moments[:, row, column], "--", color=plotting.INK, label="exact iteration (oracle)")  # fmt: skip
        axis.plot(found[:, :, row, column].T, "o", ms=6, mfc="none", color=plotting.COLOURS[0])
        axis.plot([], [], "o", mfc="none", color=plotting.COLOURS[0], label="OmniFold")
        if column == 0:
            axis.plot(binned[:, :, row].mean(axis=0), "s", ms=5, color=plotting.COLOURS[1], label="Bayes in bins (baseline)")  # fmt: skip
        axis.axhline(true_moments[row, column], color=plotting.COLOURS[3], label="true data")
        axis.set(ylabel=f"{moment} of the {NAMES[column]}")
for axis in axes[1]:
    axis.set(xlabel="iteration (0: the simulation)")
axes[0, 0].legend(fontsize=8)
gone = 1 - np.abs(final[0] - DATA_MEAN) / np.abs(MEAN - DATA_MEAN)
figure.suptitle(f"After {ITERATIONS} iterations {100 * gone[0]:.0f} % (energy) and {100 * gone[1]:.0f} % (depth) of the wrong start are gone")  # fmt: skip
plotting.show("Four panels: mean and width of energy and depth against the iteration. The points of OmniFold follow the dashed curve of exact iterations from the simulated to the true value; the widths converge more slowly than the means.", figure)  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4))
picture = axes[0].pcolormesh(BINS_TRUE, BINS_SEEN, response, cmap="viridis", vmax=0.3)
figure.colorbar(picture, ax=axes[0], label="probability of the observed bin", extend="max")
axes[0].set(xlabel="true energy (10 GeV)", ylabel="sum of the layers (10 GeV)", title="response matrix: columns add up to one")  # fmt: skip
options = {"bins": BINS_TRUE, "histtype": "step", "lw": 1.5}
axes[1].hist(
    within(simulated[0][:, 0], BINS_TRUE),
    **options,
    color=plotting.GREY,
    label="simulation (prior)",
)
axes[1].hist(within(simulated[0][:, 0], BINS_TRUE), **options, weights=history[-1], color=plotting.COLOURS[0], label="OmniFold")  # fmt: skip
axes[1].stairs(spectra[-1], BINS_TRUE, ls=":", lw=2, color=plotting.COLOURS[1], label="Bayes in bins (baseline)")  # fmt: skip
axes[1].hist(
    within(events_truth[:, 0], BINS_TRUE),
    **options,
    color=plotting.INK,
    ls="--",
    label="truth of the data",
)
axes[1].set(xlabel=NAMES[0], ylabel="events per bin", title="unfolded spectrum")
axes[1].legend(fontsize=8)
figure.suptitle("With bins and without, the same spectrum; without bins, the depth comes along")
plotting.show("Left: a response matrix with a broad diagonal. Right: histograms of the energy; those of OmniFold and of the binned method lie on the truth of the data, away from the simulation.", figure)  # fmt: skip

# %% [markdown]
r"""
The prior is forgotten, quickly where the detector measures well, slowly elsewhere: every iteration leaves about the share $1 - KA$ of the distance. Widths take longer than means; even with exact ratios and infinitely many events they have not arrived after five iterations.

Then why not a hundred? Each iteration fits the data a little more closely, their fluctuations included: the limit of many iterations is the maximum-likelihood solution, which oscillates from bin to bin. Stopping early is the regularisation, and what is left of the prior its price. Besides, every step adds the noise of a training, and the weights become more unequal: the effective number of events printed above is what the error has to be computed with.
"""

# %% covers="M19.4"
once = ideal_moments[1, 0]
check.claim("M19.4", final[0, 0], DATA_MEAN[0], tolerance=0.05, wrong=once[0])
check.claim("M19.4", final[0, 1], DATA_MEAN[1], tolerance=0.1, wrong=once[1])
check.claim("M19.4", np.abs(final - ideal_moments[-1]).max(), at_most=0.1, wrong=np.abs(final - ideal_moments[0]).max())  # fmt: skip
check.claim("M19.4", binned[:, -1, 0].mean(), DATA_MEAN[0], tolerance=0.05, wrong=once[0])
check.claim("M19.4", divergences[:, -1].max(), at_most=0.2 * divergences[:, 0].min(), wrong=divergences[:, 0].min())  # fmt: skip

# %%
check.quiz("M19.4-q1")

# %% [markdown]
r"""
## Example 19.4: translation without pairs

All this needed pairs of truth and observation. Suppose that there are none: two detectors have seen particles of the same kinds, but never the same particle. Can one be translated into the other?

Detector X measures the curvature of a track, whose sign is the charge, and its ionisation. Detector Y measures both as well, with other gains, some crosstalk, and, which nobody wrote down, with the magnetic field the other way round. A **CycleGAN** trains two generators, $F$ from X to Y and $G$ from Y to X, each with a critic that compares its events with real ones of its target. This makes *distributions* agree. It does not make $F(x)$ the event that Y would have seen in place of $x$; and $F$ and $G$ know nothing of each other. The critical addition is **cycle consistency**: there and back again should be where one started,

$$\mathcal{L}_\mathrm{cycle} = \big\langle \lVert G(F(x)) - x \rVert_1 \big\rangle_x + \big\langle \lVert F(G(y)) - y \rVert_1 \big\rangle_y ,$$

with $\lVert\cdot\rVert_1$ the sum of the absolute values of the components.

How often this works can be told only from many trainings. Small networks leave a processor bored, so we train all of them side by side: arrays have a leading axis for the training, every layer a matrix for each.

**Your task.** Return the cycle loss of each training.
"""


# %% task="X19.4" points=2
def cycle_loss(x, y, to_y, to_x):
    """Cycle loss of each of k trainings.

    x, y: tensors (k, n, D), n events of either detector for each training, not paired. to_y and to_x: the generators F
    and G, functions from (k, n, D) to (k, n, D). Returns a tensor (k,).
    """
    ### BEGIN SOLUTION
    there_and_back = ops.sum(ops.abs(to_x(to_y(x)) - x), axis=-1)
    back_and_there = ops.sum(ops.abs(to_y(to_x(y)) - y), axis=-1)
    return ops.mean(there_and_back, axis=1) + ops.mean(back_and_there, axis=1)
    ### END SOLUTION


# %% check="X19.4"
check("X19.4", cycle_loss)

# %% [markdown]
r"""
Two kinds of samples: with **equal** numbers of positive and negative particles, and with **three** positive for every negative one. (Muons from cosmic rays have a ratio of about 1.3.) The generators start as a guess: all components stay, or the curvature changes its sign. $F$ and $G$ guess independently, which makes four combinations, and each is trained on both samples, with and without the cycle loss. That is sixteen trainings in one. For us, who made the data, there is a hidden translation to compare with; no training ever sees a pair.

**Predict.** With the cycle loss and equal numbers of both charges, how many of the four trainings find the right sign of the charge?
"""

# %%
check.predict("19.4-sign", None, question="How many of four trainings find the sign of the charge?")

# %%
cycle_loss = check.catch_up("X19.4", cycle_loss)
CYCLE_WEIGHT, PENALTY_WEIGHT, CRITIC_STEPS, CYCLE_BATCH, LEARNING_RATE = 5.0, 0.1, 2, 128, 3e-3
POSITIVE = {"equal charges": 0.5, "three to one": 0.75}  # share of positive particles
GUESSES = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]])  # sign of the curvature in F and G
KINDS = [(sample, cycle) for sample in POSITIVE for cycle in (False, True)]
MANY = len(KINDS) * len(GUESSES)


def detector_x(n, positive, generator):
    """Curvature (1/m), signed by the charge, and ionisation (standardised), (n, 2)."""
    charge = np.where(generator.random(n) < positive, 1.0, -1.0)
    curvature = charge * np.exp(0.25 * generator.normal(size=n))
    return np.stack([curvature, 0.6 * generator.gamma(2.0, 1.0, n) - 1.2], axis=1)


def hidden_translation(x):
    """What detector Y would have measured: curvature with the field reversed, ionisation."""
    curvature, ionisation = x.T
    return np.stack([-0.8 * curvature + 0.1 * ionisation, 0.9 * ionisation + 0.3 * curvature**2], axis=1)  # fmt: skip


class DenseMany(layers.Layer):
    """A dense layer with weights of its own for each training: (k, n, inputs) -> (k, n, outputs)."""

    def __init__(self, inputs, outputs, activation=None, start=1.0):
        super().__init__()
        width = keras.initializers.RandomNormal(stddev=start / np.sqrt(inputs))
        self.kernel = self.add_weight(shape=(MANY, inputs, outputs), initializer=width)
        self.bias = self.add_weight(shape=(MANY, 1, outputs), initializer="zeros")
        self.activation = keras.activations.get(activation)

    def call(self, x):
        return self.activation(ops.matmul(x, self.kernel) + self.bias)


def many_networks(outputs, start=1.0):
    sizes = [(2, 24, "elu", 1.0), (24, 24, "elu", 1.0), (24, outputs, None, start)]
    return keras.Sequential([DenseMany(*size) for size in sizes])


class Generator(keras.Model):
    """A guess of the sign of the curvature, and a correction that begins small."""

    def __init__(self, signs):
        super().__init__()
        self.correction = many_networks(2, start=0.1)
        factors = np.stack([np.tile(signs, len(KINDS)), np.ones(MANY)], axis=1)
        self.factors = factors[:, None].astype("float32")

    def call(self, x):
        return self.factors * x + self.correction(x)


class Adam(keras.optimizers.Adam):
    """Adam for adversaries, with a learning rate that decays to zero along a cosine."""

    def __init__(self, models, steps):
        rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
        super().__init__(rate, beta_1=0.5, beta_2=0.9)
        self.targets = [weight for model in models for weight in model.trainable_variables]
        self.build(self.targets)

    def minimise(self, loss):
        value, gradients = autodiff.value_and_gradients(loss, self.targets)
        self.apply(gradients, self.targets)
        return value


def draw_detectors(n, generator):
    """Events of X and of Y for each of the sixteen trainings, (16, n, 2) each. They are different particles."""
    shares = [POSITIVE[sample] for sample, _ in KINDS for _ in GUESSES]
    x = np.stack([detector_x(n, share, generator) for share in shares])
    y = np.stack([hidden_translation(detector_x(n, share, generator)) for share in shares])
    return x.astype("float32"), y.astype("float32")


keras.utils.set_random_seed(check.seed)
to_y, to_x = Generator(GUESSES[:, 0]), Generator(GUESSES[:, 1])
critic_x, critic_y = many_networks(1), many_networks(1)
x_all, y_all = draw_detectors(N_DATA, random)
for network in (to_y, to_x, critic_x, critic_y):
    network(x_all[:, :2])
generator_optimizer = Adam([to_y, to_x], CYCLE_STEPS)
critic_optimizer = Adam([critic_x, critic_y], CRITIC_STEPS * CYCLE_STEPS)
cycle_weights = np.repeat([CYCLE_WEIGHT * cycle for _, cycle in KINDS], len(GUESSES))
cycle_weights = cycle_weights.astype("float32")


def penalty(critic, real, generated):
    """Gradient penalty of all trainings: every event is one, whichever training it belongs to."""
    flat = [ops.reshape(events, (-1, 2)) for events in (real, generated)]
    return gradient_penalty(lambda u: critic(ops.reshape(u, (MANY, -1, 2))), *flat)


@autodiff.compiled
def critic_step(x, y):
    fake_y, fake_x = to_y(x), to_x(y)

    def loss():
        wasserstein = ops.mean(critic_x(fake_x) - critic_x(x) + critic_y(fake_y) - critic_y(y))
        slopes = penalty(critic_x, x, fake_x) + penalty(critic_y, y, fake_y)
        return wasserstein + PENALTY_WEIGHT * slopes

    return critic_optimizer.minimise(loss)


@autodiff.compiled
def generator_step(x, y):
    def loss():
        adversarial = -ops.mean(critic_x(to_x(y)) + critic_y(to_y(x)))
        return adversarial + ops.mean(cycle_weights * cycle_loss(x, y, to_y, to_x))

    return generator_optimizer.minimise(loss)


def batch():
    chosen_x, chosen_y = random.integers(N_DATA, size=(2, CYCLE_BATCH))
    return x_all[:, chosen_x], y_all[:, chosen_y]


history = []
try:
    for step in tqdm(range(CYCLE_STEPS), desc="sixteen CycleGANs", unit="step"):
        for _ in range(CRITIC_STEPS):
            critic_step(*batch())
        generator_step(*batch())
        if step % 20 == 0:
            history.append(np.asarray(cycle_loss(*batch(), to_y, to_x)))
except KeyboardInterrupt:
    print("stopped; the networks stay as they are")
history = np.array(history)

# %% [markdown]
r"""
All trainings are independent, although their losses are added up: Adam divides each gradient by its own size. Now the numbers: the cycle loss; the distance of the translated events to real ones (sliced Wasserstein distance, both directions; compare with the value of two real samples); and, for us alone, the correlation of the translated curvature with the hidden truth.
"""

# %%
N_JUDGED = 2000
x_judged, y_judged = draw_detectors(N_JUDGED, np.random.default_rng(check.seed + 9))
x_real, y_real = draw_detectors(N_JUDGED, np.random.default_rng(check.seed + 10))
translated, returned = np.asarray(to_y(x_judged)), np.asarray(to_x(y_judged))
cycle_errors = np.asarray(cycle_loss(x_judged, y_judged, to_y, to_x))
partners = np.stack([hidden_translation(x.astype(float)) for x in x_judged])


def distance(first, second):
    return metrics.sliced_wasserstein(first, second, directions=20, resamples=2, seed=1)[0]


marginals = np.array([(distance(translated[k], y_judged[k]) + distance(returned[k], x_judged[k])) / 2 for k in range(MANY)])  # fmt: skip
reference = np.mean([distance(y_real[k], y_judged[k]) / 2 + distance(x_real[k], x_judged[k]) / 2 for k in range(0, MANY, 4)])  # fmt: skip
charges = np.array([metrics.correlation_with_error(translated[k, :, 0], partners[k, :, 0])[0] for k in range(MANY)])  # fmt: skip
ionisations = np.array([metrics.correlation_with_error(translated[k, :, 1], partners[k, :, 1])[0] for k in range(MANY)])  # fmt: skip
print("sample          cycle loss   guess F, G   cycle error   distance   correlation of curvature, ionisation")  # fmt: skip
for k in range(MANY):
    (sample, cycle), guess = KINDS[k // len(GUESSES)], GUESSES[k % len(GUESSES)]
    print(f"{sample:15s} {'with' if cycle else 'without':12s} {guess[0]:+d}, {guess[1]:+d}       {cycle_errors[k]:6.3f}        {marginals[k]:.3f}         {charges[k]:+.3f}   {ionisations[k]:+.3f}")  # fmt: skip
print(f"distance between two real samples: {reference:.3f}")
by_kind = {kind: slice(k * len(GUESSES), (k + 1) * len(GUESSES)) for k, kind in enumerate(KINDS)}
equal, uneven = by_kind["equal charges", True], by_kind["three to one", True]
equal_free = by_kind["equal charges", False]
best = uneven.start + int(np.argmin(marginals[uneven]))
check.confront("19.4-sign", int(np.sum(charges[equal] > 0.8)))

# %%
figure, axes = plt.subplots(1, 4, figsize=(13.5, 3.6))
right = equal.start + int(np.argmax(charges[equal]))  # the training that agrees most with the truth
wrong = equal.start + int(np.argmin(charges[equal]))  # and least
panels = [  # title, events, and the events of X that they were made from
    ("detector X", x_judged[right], x_judged[right]),
    ("detector Y: other particles", y_judged[right], None),
    (f"F(x), training {right - equal.start + 1}", translated[right], x_judged[right]),
    (f"F(x), training {wrong - equal.start + 1}", translated[wrong], x_judged[wrong]),
]
for axis, (name, events, origin) in zip(axes, panels, strict=True):
    if origin is None:
        axis.plot(*events[:1500].T, ".", ms=2, color=plotting.GREY)
    else:
        for sign, charge in [(1, "positive"), (-1, "negative")]:
            chosen = np.flatnonzero(origin[:, 0] * sign > 0)[:750]
            colour, marker = (plotting.COLOURS[0], ".") if sign > 0 else (plotting.COLOURS[1], "x")
            axis.plot(*events[chosen].T, marker, ms=2, color=colour, label=charge)
    axis.set(title=name, xlabel="curvature (1/m)", xlim=(-3, 3), ylim=(-2, 5))
axes[0].set_ylabel("ionisation (standardised)")
axes[0].legend(fontsize=8, markerscale=4)
figure.suptitle("Equal charges: two translations with matching distributions, and opposite charges")  # fmt: skip
plotting.show("Four scatter plots of ionisation against curvature, each with two clouds. In the two translated samples the clouds lie at the same places as in detector Y, but the colours of positive and negative particles are exchanged between them.", figure)  # fmt: skip

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 3.9))
for index, (sample, cycle) in enumerate(KINDS):
    style = {"color": plotting.COLOURS[index // 2], "marker": "o" if cycle else "x", "ls": "none"}
    label = f"{sample}, {'with' if cycle else 'without'} cycle loss"
    here = by_kind[sample, cycle]
    axes[0].plot(20 * np.arange(len(history)), history[:, here].mean(axis=1), color=style["color"], ls="-" if cycle else ":", label=label)  # fmt: skip
    axes[1].plot(cycle_errors[here], charges[here], **style, ms=8, mfc="none", label=label)
    axes[2].plot(marginals[here], charges[here], **style, ms=8, mfc="none")
axes[0].set(yscale="log", xlabel="step", ylabel="cycle error, mean of four trainings")
axes[1].set(xscale="log", xlabel="cycle error", ylabel="correlation with the hidden curvature", ylim=(-1.1, 1.1))  # fmt: skip
axes[2].axvline(reference, color=plotting.INK, ls="--", lw=1, label="two real samples")
axes[2].set(xscale="log", xlabel="distance of the distributions", ylim=(-1.1, 1.1))
axes[2].set_xticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
axes[2].minorticks_off()
axes[0].legend(fontsize=7.5)
axes[1].legend(fontsize=7.5, loc="center left")
axes[2].legend(fontsize=8, loc="center left")
figure.suptitle("The cycle loss makes F and G agree with each other, not with the truth")
plotting.show("Left: cycle errors fall with the cycle loss and stay large without. Middle: with the cycle loss all errors are small while correlations are near plus or minus one. Right: correlation against distance of the distributions; for uneven charges the trainings nearest to the two real samples have the right sign.", figure)  # fmt: skip

# %% [markdown]
r"""
What to see:

- **Without the cycle loss** the distributions come near, but $F$ and $G$ each go their own way. With contradictory guesses, a particle that goes there and back usually comes home as its antiparticle.
- **With it** one of two contradictory generators gives way, in all trainings, and the distributions agree better, too: as the book says, the cycle stabilises the training. $F$ and $G$ have become inverse to each other.
- **Equal charges.** Still, the sign is that of a guess. Exchanging all charges leaves the distribution of X as it is, so $F$ and $F$ after the exchange are *equally good for every loss of this kind*: no critic, no cycle, no amount of data can tell them apart. Consistent is not the same as correct.
- **Three to one.** The asymmetry shows which charge is which. A training that begins with the wrong sign may still end in a bad optimum, with clouds torn in two; but it is seen in the distance, which needs no pairs. So keep the training with the smallest distance.

In experiments the symmetry has to be broken by knowledge: by a few pairs, a variable that must be conserved, or a generator that cannot do more than small corrections (the refiner of `ch19_adaptation`, which adds to the identity). Unmatched samples have one more trap, the same as in refinement: if the two samples contain *different mixtures*, matching distributions is the wrong goal.
"""

# %% covers="X19.4"
contradictory = GUESSES[:, 0] != GUESSES[:, 1]
round_trip = cycle_errors[equal_free][contradictory].mean()
check.claim("X19.4", cycle_errors[equal].max(), at_most=0.5, wrong=round_trip)
check.claim("X19.4", round_trip, at_least=1.5, wrong=cycle_errors[equal].max())
check.claim("X19.4", charges[equal].max(), at_least=0.8, wrong=charges[equal].min())
check.claim("X19.4", charges[equal].min(), at_most=-0.8, wrong=charges[equal].max())
check.claim("X19.4", charges[best], at_least=0.9, wrong=charges[equal].min())
check.claim("X19.4", marginals[best], at_most=0.1, wrong=distance(x_judged[best], y_judged[best]))

# %%
check.quiz("X19.4-q1")

# %% tags=["instructor"]
# Timing: the posterior 10 min, conditional coupling 10, coverage 10, leaning 10, spectrum 10, Bayes in bins 10, OmniFold 15, CycleGAN 15.
# Common mistakes: prior forgotten in the precision, the condition in one network only, tails of 32 % on each side, the response normalised
# along the wrong axis, exp(-logit), unweighted simulation against pulled weights, one direction of the cycle.
# Discussion: (1) unfold, or publish the response and let others fold their theory? (2) The coverage holds for the simulated mixture of events;
# for which single events does it not hold? (3) Which symmetries has your own pair of samples?
for question, answer in [("X19.3-q1", 2), ("M19.4-q1", 3), ("X19.4-q1", 4)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- An observation has no inverse, it has a posterior, and the posterior contains the prior of the simulation.
- A conditional flow learns the posterior from pairs. Every network inside hears the observation; the determinant does not. Test it by coverage, which needs no formula.
- Unfolded once, data that differ from the simulation end between the two. Iterations remove this, first where the detector is good; stopping early is the regularisation.
- OmniFold is the iterative method without bins: a classifier at the detector, pulled to the truth, and one at the truth, which averages the noise away.
- A CycleGAN needs no pairs. Its cycle loss makes two generators inverse to each other; a symmetry of the sample remains undecided, whatever the losses say.
"""

# %%
check.summary()
