# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 15, title: "Beyond supervised learning: a road map", level: 2, minutes: 45, sections: "15", data: [], fast: {CHOICES: 30}}
# ---
# %% [markdown]
r"""
# Beyond supervised learning: a road map

**You will**

- look at one data set five times, and each time know less about it;
- write the step by which eight labels spread to six hundred points;
- say for each kind of supervision what it can answer, and hold the answer beside what is possible.

**You need** a small dense network with Keras, the area under the ROC curve.
**Time:** about 45 minutes; the cells run in a quarter of a minute.

**You will see** that labels are often less necessary than the knowledge of what one wants to ask.

So far nearly every event had its label. In a laboratory labels come from simulations, which may be wrong, or from people, who are slow. The remaining chapters are about learning with fewer, coarser, or none:

| kind of supervision | what is known | chapter |
|---|---|---|
| supervised | the label of every event | 1 to 14 |
| weakly supervised | some labels; labels of groups; labels that may be wrong | 16 |
| unsupervised: compress | the events alone; what describes them with few numbers? | 17, autoencoders |
| unsupervised: generate | the events alone; make more of the same kind | 18, GANs, VAEs, flows |
| labels of another domain | labels in a simulation, none in the data | 19, domain adaptation |
| anomalies | normal events alone; which of the new ones are none? | 20 |
| rewards, and more | an outlook | 21 |
"""

# %% tags=["setup"]
from dlphys import checks, metrics, plotting
from dlphys.layers import knn_graph
from dlphys.simulators import toys

check = checks.start("ch15_supervision")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
NOISE = 0.15  # spread of the points about the two half circles
N_POINTS = 600  # points to learn from
N_MIXED = 6000  # points of the two mixtures
NEIGHBOURS = 12  # of each point, in the graph of the semi-supervised method
EPOCHS = 40  # of the two networks
CHOICES = 40  # other choices of the eight labelled points

# %% [markdown]
r"""
## Method 15.1: one data set, five kinds of supervision

The data: **two moons**, half circles that interlock, with Gaussian noise. Both classes are equally likely, and since we know how the points are made, we know for each point of the plane the probability of class 1, and the accuracy of the best possible classifier: the *limit* for everything that classifies below.
"""

# %%
moons = toys.simulate(N_POINTS, seed=check.seed, kind="moons", noise=NOISE)
test = toys.simulate(5000, seed=check.seed + 1, kind="moons", noise=NOISE)
limit = toys.optimal_accuracy(kind="moons", noise=NOISE)
results = {}  # kind of supervision: accuracy and its error

horizontal, vertical = np.linspace(-2, 3, 101), np.linspace(-1.4, 1.9, 81)
plane = np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2).astype("float32")
border = toys.optimal_probability(plane, kind="moons", noise=NOISE).reshape(81, 101)


def draw_border(axis, values, level=0.5, **style):
    """A contour line in the plane."""
    axis.contour(horizontal, vertical, values, [level], **style)


def train_network(x, labels):
    """A dense network with 12 batches in each epoch."""
    hidden = [layers.Dense(24, activation="tanh") for _ in range(2)]
    model = keras.Sequential([keras.Input((2,)), *hidden, layers.Dense(1, activation="sigmoid")])
    rate = keras.optimizers.schedules.CosineDecay(2e-2, 12 * EPOCHS)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", steps_per_execution=12)
    model.fit(x, labels, batch_size=len(x) // 12, epochs=EPOCHS, verbose=0)
    return model


def probability(model, x):
    return model.predict(x, batch_size=5000, verbose=0)[:, 0]


# %% [markdown]
r"""
### 1. Supervised: every label is known

A dense network with cross-entropy learns $P(\text{class 1} \,|\, x)$, as in the chapters before.
"""

# %%
supervised = train_network(moons.x, moons.label)
right = (probability(supervised, test.x) > 0.5) == test.label
results["supervised"] = metrics.accuracy_with_error(right)
print(f"supervised, {N_POINTS} labels: accuracy {right.mean():.4f} +- {results['supervised'][1]:.4f}, limit {limit:.4f}")  # fmt: skip

# %% [markdown]
r"""
### 2. Semi-supervised: eight labels

Now only four points of each class carry a label; the other points are there, without. A classifier of eight points can be built (the label of the nearest labelled point: a *baseline*), but it ignores what one sees at once in a scatter plot: the points lie on two strips, and a label should hold along the strip.

**Label propagation.** Join each point with its nearest neighbours, a graph with weights $w_{ij}$. Each point $i$ has a belief $b_i = (P(\text{class } 0), P(\text{class } 1))$. In one step every point takes the weighted mean of its neighbours' beliefs,

$$b_i \leftarrow \frac{\sum_j w_{ij}\, b_j}{\sum_j w_{ij}},$$

then the labelled points take back their labels. Repeat. At the end each class's column is divided by its sum, since the classes are equally frequent. (Chapter 16 solves for the end of this walk, and compares with a graph network.)

**Your task.** Write one step.
"""


# %% task="M15.1" points=2
def propagation_step(beliefs, weights, labels):
    """One step of label propagation.

    beliefs: (n, classes), rows add up to 1; weights: (n, n), not negative, each row with at least one entry above 0;
    labels: whole numbers (n,), the class of the labelled points and -1 for the others. Returns new beliefs (n, classes).
    """
    ### BEGIN SOLUTION
    spread = weights @ beliefs / weights.sum(axis=1)[:, None]
    fixed = labels >= 0
    spread[fixed] = np.eye(beliefs.shape[1])[labels[fixed]]
    return spread
    ### END SOLUTION


# %% check="M15.1"
check("M15.1", propagation_step)

# %%
propagation_step = check.catch_up("M15.1", propagation_step)
table = knn_graph(moons.x, NEIGHBOURS)
joined = np.zeros((N_POINTS, N_POINTS))
np.put_along_axis(joined, table, 1.0, axis=1)
joined = np.maximum(joined, joined.T)


def eight_labels(draw):
    """Labels of four points of each class; -1 for all others."""
    labels = np.full(N_POINTS, -1)
    for kind in (0, 1):
        labels[draw.choice(np.flatnonzero(moons.label == kind), 4, replace=False)] = kind
    return labels


def propagate(labels, steps=200):
    """Beliefs after so many steps, beginning with ignorance."""
    beliefs = np.full((N_POINTS, 2), 0.5)
    for _ in range(steps):
        beliefs = propagation_step(beliefs, joined, labels)
    return beliefs


def nearest_label(labels):
    """The label of the nearest labelled point."""
    given = np.flatnonzero(labels >= 0)
    distance = np.linalg.norm(moons.x[:, None] - moons.x[given], axis=-1)
    return labels[given[distance.argmin(axis=1)]]


choices = [eight_labels(random) for _ in range(CHOICES)]
beliefs = [propagate(labels) for labels in choices]
found = [
    (one / one.sum(axis=0)).argmax(axis=1) for one in beliefs
]  # both classes are equally frequent
semi = np.array([np.mean((one == moons.label)[labels < 0]) for one, labels in zip(found, choices, strict=True)])  # fmt: skip
nearest = np.array([np.mean((nearest_label(labels) == moons.label)[labels < 0]) for labels in choices])  # fmt: skip
gain, gain_error = metrics.mean_with_error(semi - nearest)
print(f"label propagation, 8 labels: {semi.mean():.3f}, spread over {CHOICES} choices of the labels {semi.std(ddof=1):.3f}")  # fmt: skip
print(f"baseline, nearest label:     {nearest.mean():.3f}, spread {nearest.std(ddof=1):.3f}; gain {gain:+.3f} +- {gain_error:.3f}")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), sharex=True, sharey=True)
labels = choices[0]
walk = {1: propagate(labels, 1), 4: propagate(labels, 4), 200: propagate(labels, 200)}
for axis, (steps, beliefs) in zip(axes, walk.items(), strict=True):
    axis.scatter(*moons.x.T, c=beliefs[:, 1], s=8, cmap="coolwarm", vmin=0, vmax=1)
    axis.scatter(*moons.x[labels >= 0].T, s=90, fc="none", ec=plotting.INK, lw=1.5)
    draw_border(axis, border, colors=plotting.INK, linewidths=0.8, linestyles="--")
    axis.set(xlabel="$x_1$", title=f"after {steps} step{'s' if steps > 1 else ''}")
axes[0].set_ylabel("$x_2$")
figure.suptitle(
    "Eight labels (ringed) spread along the moons; dashed: border of the best classifier"
)
plotting.show("Three maps of the points, coloured by belief, after 1, 4 and 200 steps: the colours spread from the ringed points along the half circles.", figure)  # fmt: skip

# %% [markdown]
r"""
### 3. Weakly supervised: two mixtures

Now no point has a label. There are two samples, one with 30 % of class 1 and one with 70 %, such as two regions of a spectrum with different shares of signal. The network learns to tell the *samples* apart, and is asked for the *classes*.
"""

# %%
pool = toys.simulate(2 * N_MIXED, seed=check.seed + 2, kind="moons", noise=NOISE)
sample = (np.arange(N_MIXED) % 2).astype("float32")
kind = random.uniform(size=N_MIXED) < np.where(sample, 0.7, 0.3)  # nobody will see it
mixed = np.empty((N_MIXED, 2), "float32")
for label in (0, 1):
    mixed[kind == label] = pool.x[pool.label == label][: np.sum(kind == label)]
weak = train_network(mixed, sample)
right = (probability(weak, test.x) > 0.5) == test.label
results["weak: two mixtures"] = metrics.accuracy_with_error(right)
print(f"mixtures of 30 % and 70 %: accuracy {right.mean():.4f} +- {results['weak: two mixtures'][1]:.4f}, limit {limit:.4f}")  # fmt: skip
print(f"share of points that are not of the class most frequent in their sample: {np.mean(kind != (sample > 0.5)):.0%}")  # fmt: skip

# %% [markdown]
r"""
### 4. Unsupervised: what do the points look like?

Without any label, one can still ask for the **density** $p(x)$: which points are likely, and how would more of them look? The simplest generative model takes a training point and moves it by a Gaussian of width $h$. Its density is the mean of these Gaussians, and $h$ is chosen by the likelihood of points that were kept apart.

To compare with: no model has a larger mean log-density on new points than the true density, a *limit*. (We compute it as the mean over many points of the half circles without noise.) As *baseline*, a single Gaussian.
"""

# %%
kept = toys.simulate(1000, seed=check.seed + 3, kind="moons", noise=NOISE).x


def log_density(x, centres, width):
    """Logarithm of the mean of Gaussians about the centres."""
    parts = []
    for some in np.array_split(x, max(1, len(x) * len(centres) // 2_000_000)):
        square = ((some[:, None] - centres) ** 2).sum(axis=-1) / (2 * width**2)
        least = square.min(axis=1)
        parts.append(np.log(np.exp(least[:, None] - square).mean(axis=1)) - least)
    return np.concatenate(parts) - np.log(2 * np.pi * width**2)


widths = np.geomspace(0.03, 0.5, 15)
likelihood = [log_density(kept, moons.x, h).mean() for h in widths]
h = widths[int(np.argmax(likelihood))]
curves = toys.simulate(2000, seed=check.seed + 4, kind="moons", noise=0.0).x
few = test.x[:2000]
densities = {"true density (limit)": log_density(few, curves, NOISE), "generative model": log_density(few, moons.x, h)}  # fmt: skip
mean, covariance = moons.x.mean(axis=0), np.cov(moons.x.T)
away = few - mean
densities["single Gaussian (baseline)"] = -0.5 * np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away) - 0.5 * np.log(np.linalg.det(2 * np.pi * covariance))  # fmt: skip
for name, values in densities.items():
    print(f"{name:27s} mean log-density {values.mean():.3f}")
deficit, deficit_error = metrics.mean_with_error(densities["true density (limit)"] - densities["generative model"])  # fmt: skip
worse, _ = metrics.mean_with_error(densities["true density (limit)"] - densities["single Gaussian (baseline)"])  # fmt: skip
print(f"the model lies {deficit:.3f} +- {deficit_error:.3f} nats below the limit, the single Gaussian {worse:.3f}; h = {h:.2f}")  # fmt: skip
generated = random.choice(moons.x, N_POINTS) + h * random.normal(size=(N_POINTS, 2))

# %% [markdown]
r"""
### 5. Anomalies: only normal points are known

Last, suppose that class 0 is normal, and that we have only seen normal points. A new sample contains others. Which? All we can do is to learn the density of the normal points, as before, and call unlikely ones suspicious.

A classifier that knew the anomalies would do better; the exact density ratio is an *oracle* here. *Baseline*: the distance from the centre of the normal points.
"""

# %%
normal = moons.x[moons.label == 0]
scores = {
    "unlikely under the normal density": -log_density(test.x, normal, h),
    "far from the centre (baseline)": np.linalg.norm(test.x - normal.mean(axis=0), axis=1),
    "density ratio (oracle)": toys.optimal_probability(test.x, kind="moons", noise=NOISE),
}
auc = {name: metrics.area_under_roc(score, test.label) for name, score in scores.items()}
for name, (value, error) in auc.items():
    print(f"{name:34s} area under the ROC curve {value:.4f} +- {error:.4f}")
anomaly, oracle = auc["unlikely under the normal density"], auc["density ratio (oracle)"]

# %%
figure, axes = plt.subplots(2, 3, figsize=(12, 6.6), sharex=True, sharey=True)
colours = np.array([plotting.COLOURS[0], plotting.COLOURS[1]])
panels = [
    (moons.x, colours[moons.label], f"1. supervised: {results['supervised'][0]:.3f}"),
    (moons.x, plotting.GREY, f"2. eight labels: {semi[0]:.3f}"),
    (mixed[:N_POINTS], np.array([plotting.COLOURS[2], plotting.COLOURS[3]])[sample[:N_POINTS].astype(int)], f"3. two mixtures: {results['weak: two mixtures'][0]:.3f}"),
    (moons.x, plotting.GREY, "4. no labels: the points"),
    (generated, plotting.COLOURS[2], f"4. generated, {deficit:.2f} nats below the limit"),
    (normal, colours[0], f"5. normal points alone: area {anomaly[0]:.3f}"),
]  # fmt: skip
for axis, (x, colour, title) in zip(axes.flat, panels, strict=True):
    axis.scatter(*x.T, c=colour, s=7, alpha=0.8)
    axis.set(title=title, xlim=(-2, 3), ylim=(-1.4, 1.9))
given = labels >= 0
axes[0, 1].scatter(*moons.x[given].T, c=colours[labels[given]], s=70, ec=plotting.INK)
for axis, model in ((axes[0, 0], supervised), (axes[0, 2], weak)):
    draw_border(axis, probability(model, plane).reshape(81, 101), colors=plotting.INK)
for axis in axes[0]:
    draw_border(axis, border, colors=plotting.INK, linestyles="--", linewidths=0.9)
level = np.quantile(log_density(normal, normal, h), 0.05)
draw_border(
    axes[1, 2],
    log_density(plane, normal, h).reshape(81, 101),
    level,
    colors=plotting.INK,
    linestyles="-",
)
for axis in axes[:, 0]:
    axis.set_ylabel("$x_2$")
for axis in axes[1]:
    axis.set_xlabel("$x_1$")
figure.suptitle(f"One data set, five questions (accuracies; limit {limit:.3f}, dashed: its border)")
plotting.show("Six scatter plots of the two moons: all labels, eight labels, two mixtures, no labels, generated points, and normal points alone with a contour of their density.", figure)  # fmt: skip

# %% [markdown]
r"""
What each of them needs besides the data:

- Supervised learning needs the labels, and nothing else.
- Eight labels need the assumption that points of one strip belong together (smoothness). Where the classes touch, labels leak.
- Mixtures need different shares, and that both samples are otherwise alike. Nothing is lost but statistics.
- A density needs an idea of which points are near each other: here the width $h$. In two dimensions this is easy; chapter 18 does it in thousands.
- Anomalies need a choice of what counts as unlikely. The gap to the oracle is the price for not knowing what one looks for: points of the second moon that come close to the first are not unlikely at all.
"""

# %% covers="M15.1"
check.claim("M15.1", results["supervised"][0], at_least=limit - 0.02, at_most=limit + 0.01, wrong=0.5)  # fmt: skip
check.claim("M15.1", results["weak: two mixtures"][0], at_least=limit - 0.04, at_most=limit + 0.01, wrong=0.7)  # fmt: skip
check.claim("M15.1", gain, at_least=0.005, wrong=0.0)
check.claim("M15.1", deficit, at_least=0.0, at_most=0.5 * worse, wrong=worse)
check.claim("M15.1", anomaly[0], at_least=auc["far from the centre (baseline)"][0], at_most=oracle[0], wrong=0.5)  # fmt: skip

# %%
check.quiz("M15.1-q1")

# %% tags=["instructor"]
# Ask the group, before the notebook, which of the five they have at home: an unlabelled archive, a simulation of doubtful quality, a control region.
# Raise NOISE to 0.4: the strips merge, and label propagation loses more than the supervised network. Lower it to 0.1: eight labels are as good as six hundred.
check.quiz("M15.1-q1", 4)

# %% [markdown]
r"""
## Key points

- Supervision is a scale: labels for all, for some, for groups, for one class, for none.
- Fewer labels must be paid with assumptions: smoothness, different proportions, a notion of distance. State them.
- Every result needs its yardstick: a limit where the truth is known, an oracle or a baseline elsewhere.
- Chapters 16 to 21 take the kinds one by one.
"""

# %%
check.summary()
