# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 20, title: "Anomalies: examples and methods", level: 3, minutes: 85, sections: "20.1-20.3", data: [dijets], fast: {LATENTS: [2, 8], REPEATS: 1, N_TEST: 600, EPOCHS_TRACES: 10, EXPERIMENTS: 1, FOLDS: 2, EPOCHS_OUTER: 8, EPOCHS_INNER: 15}}
# ---
# %% [markdown]
r"""
# Anomalies: examples and methods

**You will**

- tell point anomalies from group anomalies, and see which detector finds which;
- vary the number of latent numbers of an autoencoder, with the best possible detector in the same figure, and watch it overlook a trace without any signal;
- train a one-class network (Deep SVDD), and make it collapse by adding what every layer usually has;
- hunt for a bump without labels: found when there is a signal, not found when there is none, and "found" without a signal where a feature knows the mass;
- replace the classifier by a ratio of two conditional densities, which survives that.

**You need** autoencoders, the first notebook of this chapter (`ch20_anomalies`), and the likelihood ratio (chapter 14).
**Time:** about 85 minutes. The cells themselves run in about a minute.

**You will see** a significant discovery of nothing.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.layers import MixtureDensity, mixture_density_loss, mixture_parameters
from dlphys.simulators import resonance

check = checks.start("ch20_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_TRACES = 20_000  # traces to train with
N_TEST = 1500  # traces of each kind
EPOCHS_TRACES = 15
EPOCHS_ONE_CLASS = 15
LATENTS = [1, 2, 3, 4, 8, 16, 32]  # latent numbers of the autoencoders
REPEATS = 2  # trainings of each network on traces
N_DIJETS = 100_000  # events of one experiment
EXPERIMENTS = 3  # of each kind
FOLDS = 3
EPOCHS_WINDOW = 6  # of the classifier of window against side-bands
EPOCHS_OUTER = 10  # of the density outside of the window
EPOCHS_INNER = 20  # and of that inside

# %% [markdown]
r"""
## Section 20.1: point and group anomalies

A **point anomaly** is a single event where normal events cannot be, $p(x|\mathrm{normal}) = 0$: one is enough. A **group anomaly** consists of events each of which might be normal; only their number at one place is unusual, and the ratio $p(x|\mathrm{anomaly})/p(x|\mathrm{normal})$ is finite everywhere. The first is a job for detectors of *low density*, the second for detectors of *over-density*, a likelihood ratio between data and normal events.

The picture below follows the book's figure 20.1. Normal events fill a disc, $p(x|\mathrm{normal}) \propto (1 - r^2/9)^2$ for $r < 3$; twelve events lie outside of it; six per cent of all events sit in a narrow spot inside. All densities are known, and so is the **limit** for each kind, the likelihood ratio with that kind. Beside the exact scores stand two networks: a density estimator (`MixtureDensity`) trained on a control sample, and a classifier of data against control.
"""

# %%
N_POINTS = 12
SPOT, SPOT_WIDTH, SPOT_SHARE = np.array([-0.8, 0.6]), 0.25, 0.06
OUTSIDE, OUTSIDE_WIDTH = np.array([2.9, -2.9]), 0.15


def normal_events(n, generator):
    """Events in a disc of radius 3, denser in the middle."""
    radius = 3 * np.sqrt(1 - (1 - generator.random(n)) ** (1 / 3))
    angle = generator.uniform(0, 2 * np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype("float32")


def gaussian_events(n, centre, width, generator):
    return (centre + width * generator.normal(size=(n, 2))).astype("float32")


def normal_density(x):
    return np.clip(1 - np.sum(x**2, axis=1) / 9, 0, None) ** 2 / (3 * np.pi)


def gaussian_density(x, centre, width):
    return np.exp(-np.sum((x - centre) ** 2, axis=1) / (2 * width**2)) / (2 * np.pi * width**2)


def schedule(rate, epochs, events, batch):
    """A learning rate that falls to zero along a cosine."""
    return keras.optimizers.schedules.CosineDecay(rate, epochs * -(-events // batch))


def dense(inputs, outputs, activation=None):
    hidden = [layers.Dense(32, activation="elu") for _ in range(2)]
    return keras.Sequential(
        [keras.Input((inputs,)), *hidden, layers.Dense(outputs, activation=activation)]
    )


COMPILED = {}


def renewed(name, build, loss, learning_rate):
    """A compiled network with new weights. That of one name is compiled once, which takes longer than a training."""
    if name not in COMPILED:
        COMPILED[name] = build()
        optimizer = keras.optimizers.Adam(learning_rate)
        COMPILED[name].compile(optimizer, loss, steps_per_execution=20)
    model = COMPILED[name]
    model.set_weights(build().get_weights())
    for variable in model.optimizer.variables:  # the moments, and the count of steps
        variable.assign(ops.zeros_like(variable))
    return model


control = normal_events(20_000, random)
spot = gaussian_events(round(SPOT_SHARE * 20_000), SPOT, SPOT_WIDTH, random)
points = gaussian_events(N_POINTS, OUTSIDE, OUTSIDE_WIDTH, random)
measured = np.concatenate([normal_events(20_000, random), spot, points])

estimator = keras.Sequential([keras.Input((2,)), MixtureDensity(8, 2)])
estimator.compile(
    keras.optimizers.Adam(schedule(0.03, 5, 20_000, 500)),
    mixture_density_loss,
    steps_per_execution=20,
)
estimator.fit(np.zeros_like(control), control, batch_size=500, epochs=5, verbose=0)
classifier = dense(2, 1)
both = np.concatenate([control, measured])
of_data = np.repeat([0.0, 1.0], [len(control), len(measured)])
classifier.compile(
    keras.optimizers.Adam(schedule(0.01, 10, len(both), 500)),
    keras.losses.BinaryCrossentropy(from_logits=True),
    steps_per_execution=20,
)
classifier.fit(both, of_data, batch_size=500, epochs=10, verbose=0)

DETECTORS = {
    "low density, exact": lambda x: -np.log(np.maximum(normal_density(x), 1e-30)),
    "low density, network": lambda x: np.asarray(
        mixture_density_loss(x, estimator.predict(np.zeros_like(x), batch_size=5000, verbose=0))
    ),
    "classifier, data against control": lambda x: classifier.predict(x, batch_size=5000, verbose=0)[
        :, 0
    ],
}
LIMITS = {"group": (SPOT, SPOT_WIDTH), "point": (OUTSIDE, OUTSIDE_WIDTH)}
fresh = {"normal": normal_events(20_000, random)}
fresh |= {kind: gaussian_events(5_000, *where, random) for kind, where in LIMITS.items()}
found = {}
print("AUC of                             group anomalies     point anomalies")
for name, detector in {**DETECTORS, "likelihood ratio (limit)": None}.items():
    line = f"{name:33s}"
    for kind, where in LIMITS.items():
        x = np.concatenate([fresh["normal"], fresh[kind]]).astype(float)
        if detector is None:
            score = np.log(gaussian_density(x, *where) + 1e-300)
            score -= np.log(normal_density(x) + 1e-300)
        else:
            score = detector(x.astype("float32"))
        truth = np.repeat([0, 1], [20_000, 5_000])
        found[name, kind] = metrics.area_under_roc(score, truth)
        line += "   {:.3f} +- {:.3f}".format(*found[name, kind])
    print(line)

# %%
grid = np.linspace(-4, 4, 121)
plane = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2).astype("float32")
panels = {
    "low density, network": DETECTORS["low density, network"](plane),
    "data against control, network": DETECTORS["classifier, data against control"](plane),
}
figure, axes = plt.subplots(1, 3, figsize=(12.5, 4))
axes[0].plot(*measured[:4000].T, ".", ms=2, color=plotting.GREY, alpha=0.6, label="normal")
axes[0].plot(*spot[:80].T, ".", ms=3, color=plotting.COLOURS[1], label="group anomaly")
axes[0].plot(*points.T, "x", ms=5, color=plotting.COLOURS[3], label="point anomalies")
axes[0].set(title="the data", ylabel="$x_2$")
axes[0].legend(fontsize=8, loc="upper right")
for axis, (name, score) in zip(axes[1:], panels.items(), strict=True):
    low, high = np.quantile(score, [0.02, 0.995])
    picture = axis.pcolormesh(
        grid, grid, np.clip(score, low, high).reshape(121, 121), cmap="cividis"
    )
    axis.plot(*SPOT, "o", mfc="none", ms=16, mec=plotting.COLOURS[1], mew=2)
    axis.plot(*OUTSIDE, "o", mfc="none", ms=16, mec=plotting.COLOURS[3], mew=2)
    axis.add_patch(plt.Circle((0, 0), 3, fill=False, ls="--", color=plotting.BACKGROUND))
    axis.set_title(name)
    figure.colorbar(picture, ax=axis, label="score")
for axis in axes:
    axis.set(xlabel="$x_1$", xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
group_low, group_ratio, group_limit = (
    found[name, "group"][0]
    for name in (
        "low density, exact",
        "classifier, data against control",
        "likelihood ratio (limit)",
    )
)
figure.suptitle(
    f"Low density overlooks the group (AUC {group_low:.2f}); over-density finds it ({group_ratio:.3f}, limit {group_limit:.3f})"
)
plotting.show(
    "Left: a disc of points with a spot inside and a few crosses outside. Middle: the low-density score is small inside the disc, "
    "also at the spot, and large outside. Right: the score of data against control is largest at the spot.",
    figure,
)

# %% [markdown]
r"""
The group lies where normal events are frequent, so a detector of low density calls it *more normal than normal*: its AUC is far below one half, and no better estimate of the density would help. The classifier finds the group without a label and comes within a few hundredths of the limit. What it says far outside of the disc is an extrapolation: a dozen events among forty thousand hardly change its loss, so it may rank them anywhere. Each kind of anomaly has its detector.
"""

# %% covers="M20.1"
check.claim("M20.1", group_low, at_most=0.4, wrong=group_ratio)
check.claim("M20.1", found["low density, network", "point"][0], at_least=0.97, wrong=group_low)
check.claim("M20.1", group_ratio, at_least=group_limit - 0.08, wrong=group_low)
check.claim("M20.1", group_ratio, at_most=group_limit + 0.01, wrong=1.1)

# %%
check.quiz("M20.1-q1")

# %% [markdown]
r"""
## Section 20.2: how many latent numbers?

The important setting of an autoencoder as a detector is the number of its latent numbers. Too few, and everything is restored badly. Too many, and it becomes the identity, which restores everything. To see where the best is, we take a problem in which the best possible detector is known.

A **trace** has 32 samples with noise of standard deviation 0.15. Normal traces hold one Gaussian pulse, with an amplitude of 0.6 to 1.4, at sample 10 to 22, and 1.5 to 3 samples wide: three numbers, evenly distributed. Three kinds of anomalies: two pulses on top of each other (*pile-up*), a square pulse, and a *blank* trace with nothing but noise. For each kind, the probability density is an integral over three numbers, which a fine grid does:

- the likelihood ratio $p(x|\mathrm{anomaly})/p(x|\mathrm{normal})$ is the **limit**;
- $-\ln p(x|\mathrm{normal})$ is an **oracle**: it knows the exact density of the normal traces, and nothing of the anomalies.
"""

# %%
SAMPLES, NOISE = np.arange(32), 0.15
RANGES = {"amplitude": (0.6, 1.4), "time": (10, 22), "width": (1.5, 3)}


def pulses(kind, amplitude, time, width):
    """Traces (n, 32) without noise."""
    u = (SAMPLES - time[:, None]) / width[:, None]
    apart = 4 / width[:, None]  # half the distance of two pulses
    shape = {
        "normal": np.exp(-(u**2) / 2),
        "pile-up": 0.7 * (np.exp(-((u - apart) ** 2) / 2) + np.exp(-((u + apart) ** 2) / 2)),
        "square": 0.9 * (np.abs(u) < 1.5),
        "blank": 0 * u,
    }
    return amplitude[:, None] * shape[kind]


def traces(n, kind, generator):
    parameters = [generator.uniform(*ends, n) for ends in RANGES.values()]
    return (pulses(kind, *parameters) + NOISE * generator.normal(size=(n, 32))).astype("float32")


def log_density(x, kind):
    """Logarithm of p(x | kind) up to a constant: the mean over a grid of all pulses."""
    steps = [
        low + (np.arange(n) + 0.5) * (high - low) / n
        for (low, high), n in zip(RANGES.values(), (16, 48, 12), strict=True)
    ]
    templates = pulses(kind, *(axis.ravel() for axis in np.meshgrid(*steps, indexing="ij")))
    if kind == "blank":
        templates = templates[:1]
    exponent = (x @ templates.T - np.sum(templates**2, axis=1) / 2) / NOISE**2
    largest = exponent.max(axis=1, keepdims=True)
    return largest[:, 0] + np.log(np.mean(np.exp(exponent - largest), axis=1))


def background_term(x):
    """The part of ln p(x) that has no template in it."""
    return -np.sum(x**2, axis=1) / (2 * NOISE**2)


KINDS = ("pile-up", "square", "blank")
train = traces(N_TRACES, "normal", random)
test = {kind: traces(N_TEST, kind, random) for kind in ("normal", *KINDS)}
truth = np.repeat([0, 1], N_TEST)


def areas(score):
    """AUC and error of each kind of anomaly, for a function that scores traces."""
    of_normal = score(test["normal"])
    return [
        metrics.area_under_roc(np.concatenate([of_normal, score(test[k])]), truth) for k in KINDS
    ]


def exact_ratio(kind):
    return lambda x: log_density(x, kind) - log_density(x, "normal")


limits = {kind: areas(exact_ratio(kind))[KINDS.index(kind)] for kind in KINDS}
oracles = dict(zip(KINDS, areas(lambda x: -log_density(x, "normal") - background_term(x)), strict=True))  # fmt: skip
print("AUC: limit and oracle of the exact density")
for kind in KINDS:
    print(f"{kind:8s} {limits[kind][0]:.4f} +- {limits[kind][1]:.4f}   {oracles[kind][0]:.4f}")

# %%
results, rests = {}, {}


def autoencoder(latent):
    hidden = [layers.Dense(64, activation="elu") for _ in range(2)]
    parts = [keras.Input((32,)), hidden[0], layers.Dense(latent), hidden[1], layers.Dense(32)]
    return keras.Sequential(parts)


for latent in LATENTS:
    for number in range(REPEATS):
        keras.utils.set_random_seed(check.seed + number)
        rate = schedule(1e-2, EPOCHS_TRACES, N_TRACES, 500)
        copier = renewed(f"latent {latent}", lambda latent=latent: autoencoder(latent), "mse", rate)
        copier.fit(train, train, batch_size=500, epochs=EPOCHS_TRACES, verbose=0)

        def score(x, copier=copier):
            return np.mean((np.asarray(copier(x)) - x) ** 2, axis=1)

        results.setdefault(latent, []).append([value for value, _ in areas(score)])
        rests.setdefault(latent, []).append(score(test["normal"]).mean())
scan = np.array([results[latent] for latent in LATENTS])  # latents, trainings, kinds
mean, spread = scan.mean(axis=1), np.ptp(scan, axis=1)
print("latent numbers   normal score / noise^2    AUC: pile-up   square   blank")
for row, latent in enumerate(LATENTS):
    print(
        f"{latent:8d} {np.mean(rests[latent]) / NOISE**2:20.3f}          "
        + "".join(f"{value:10.3f}" for value in mean[row])
    )

# %%
figure, axes = plt.subplots(1, 2, figsize=(11.5, 4.2), width_ratios=[1, 1.5])
for row, kind in enumerate(test):
    axes[0].plot(SAMPLES, test[kind][0] - 2 * row, color=plotting.COLOURS[row], label=kind)
axes[0].set(xlabel="sample", ylabel="amplitude (shifted by 2 each)", title="one trace of each kind")
axes[0].legend(fontsize=8, loc="upper right")
for column, kind in enumerate(KINDS):
    colour = plotting.COLOURS[column + 1]
    axes[1].errorbar(LATENTS, mean[:, column], spread[:, column] / 2, fmt="o-", ms=4, capsize=2, color=colour, label=kind)  # fmt: skip
    axes[1].axhline(limits[kind][0], ls="--", lw=1, color=colour)
    axes[1].axhline(oracles[kind][0], ls=":", lw=1, color=colour)
axes[1].plot([], [], "--", color=plotting.INK, label="limit: likelihood ratio")
axes[1].plot([], [], ":", color=plotting.INK, label="oracle: exact density of normal traces")
axes[1].axhline(0.5, color=plotting.GREY, lw=1)
axes[1].set_xscale("log", base=2)
axes[1].set_xticks(LATENTS, LATENTS)
axes[1].set(xlabel="latent numbers", ylabel="AUC", title="bars: half the range of the trainings")
axes[1].set_ylim(0.25, 1.03)
axes[1].legend(fontsize=8, loc="lower center", ncols=2)
best = LATENTS[int(np.argmax(mean[:, 0]))]
figure.suptitle(
    f"The best number of latent numbers for pile-up is {best}; blank traces hardly stand out there"
)
plotting.show(
    "Left: four traces. Right: AUC against the number of latent numbers for three kinds of anomalies. Pile-up has its maximum at "
    "small numbers and falls; blank traces fall to about one half as soon as the network restores normal pulses; the dashed limits are near one.",
    figure,
)

# %% [markdown]
r"""
Each kind has an optimum of its own, and it need not lie at the number of parameters of a normal pulse. With 16 latent numbers the network restores a good part of the noise: it is on its way to the identity, and pile-up is restored as well as normal pulses. With 32 it *is* nearly the identity (look at the normal score), and what is left as a score has little to do with physics.

A blank trace is far from all normal ones. Yet where the autoencoder does its job it scores no higher than they do, at best a guess: "nothing" is easy to draw. The oracle shows that the density is not to blame: $-\ln p(x|\mathrm{normal})$ finds blank traces with an AUC near one. The reconstruction error is *not* a density.
"""

# %% covers="M20.1"
large = mean[-1]
middle = mean[LATENTS.index(2)]
check.claim("M20.1", middle[0], at_least=0.9, wrong=large[0])
check.claim("M20.1", middle[0] - large[0], at_least=0.1, wrong=0.0)
check.claim("M20.1", mean[:, 2].min(), at_most=0.7, wrong=oracles["blank"][0])
check.claim("M20.1", mean.max(axis=0)[1], at_most=limits["square"][0], wrong=1.01)

# %%
check.quiz("M20.2-q1")

# %% [markdown]
r"""
## Section 20.2: Deep SVDD

Another use of a network that has seen nothing but normal events: map them close to one point. Deep *support vector data description* minimises the mean squared distance to a centre $c$,

$$L = \frac1n \sum_i \big|\phi(x_i; W) - c\big|^2 + \lambda \sum |W|^2,$$

and the distance to $c$ is the score. There is a trivial solution: map *everything* to $c$, and be blind. A network finds it at once if it can: all weights zero, and $c$ in the bias of the last layer. So Deep SVDD needs a network that **cannot** be constant: no biases anywhere, no bounded activation (a saturated tanh is a bias in disguise), and a centre away from the origin, for which one takes the mean of the outputs before the training.

**Your task.** Build such a network: two hidden layers with 64 and 32 nodes, eight outputs, and an L2 penalty on all kernels (`kernel_regularizer=keras.regularizers.L2(penalty)`).
"""


# %% task="M20.2" points=2
def build_one_class(inputs, penalty):
    """Network (n, inputs) -> (n, 8) for Deep SVDD, not compiled; it cannot be constant other than zero.

    penalty: factor lambda of the sum of the squared weights, in every layer.
    """
    ### BEGIN SOLUTION
    model = keras.Sequential([keras.Input((inputs,))])
    for width, activation in [(64, "relu"), (32, "relu"), (8, None)]:
        shrink = keras.regularizers.L2(penalty)
        model.add(layers.Dense(width, activation, use_bias=False, kernel_regularizer=shrink))
    return model
    ### END SOLUTION


# %% check="M20.2"
check("M20.2", build_one_class)

# %%
build_one_class = check.catch_up("M20.2", build_one_class)
WEAK, STRONG = 1e-4, 5e-2  # penalties


def build_with_bias(inputs, penalty):
    """The same with what a Dense layer has if nobody forbids it."""
    model = keras.Sequential([keras.Input((inputs,))])
    for width, activation in [(64, "relu"), (32, "relu"), (8, None)]:
        model.add(
            layers.Dense(width, activation, kernel_regularizer=keras.regularizers.L2(penalty))
        )
    return model


def squared_distance(y_true, y_pred):
    """Loss of each trace; its target is the centre."""
    return ops.sum((y_pred - y_true) ** 2, axis=-1)


one_class = {}
for penalty in (WEAK, STRONG):
    for name, build in [("without bias", build_one_class), ("with bias", build_with_bias)]:
        for number in range(REPEATS):
            keras.utils.set_random_seed(check.seed + number)
            rate = schedule(1e-2, EPOCHS_ONE_CLASS, N_TRACES, 500)
            key = f"{name} {penalty}"
            network = renewed(key, lambda b=build, p=penalty: b(32, p), squared_distance, rate)
            centre = np.asarray(network(train)).mean(axis=0)
            target = np.tile(centre, (N_TRACES, 1))
            network.fit(train, target, batch_size=500, epochs=EPOCHS_ONE_CLASS, verbose=0)

            def distance(x, network=network, centre=centre):
                return np.sum((np.asarray(network(x)) - centre) ** 2, axis=1)

            scores = {kind: distance(test[kind]) / np.sum(centre**2) for kind in test}
            auc = [value for value, _ in areas(distance)]
            one_class.setdefault((name, penalty), []).append({"auc": auc, "scores": scores})
print("network        penalty   squared distance / |c|^2      AUC: pile-up   square   blank")
for (name, penalty), trainings in one_class.items():
    for training in trainings:
        print(
            f"{name:14s} {penalty:.0e} {training['scores']['normal'].mean():15.1e}                  "
            + "".join(f"{value:10.3f}" for value in training["auc"])
        )

# %%
figure, axes = plt.subplots(1, 3, figsize=(12.5, 3.9))
for axis, name in zip(axes, ("without bias", "with bias"), strict=False):
    scores = one_class[name, WEAK][0]["scores"]
    everything = np.concatenate(list(scores.values()))
    bins = np.geomspace(max(np.quantile(everything, 0.001), 1e-12), everything.max() * 1.1, 50)
    for row, kind in enumerate(scores):
        inside = np.maximum(scores[kind], bins[0])
        axis.hist(inside, bins, histtype="step", lw=1.6, color=plotting.COLOURS[row], label=kind)
    title = f"{name}, weak penalty"
    axis.set(xscale="log", xlabel="squared distance to the centre / $|c|^2$", title=title)
axes[0].set_ylabel("traces per bin")
axes[0].legend(fontsize=8)
place = np.arange(3)
for shift, ((name, penalty), trainings) in zip(
    (-0.24, -0.08, 0.08, 0.24), one_class.items(), strict=True
):
    style = {
        "marker": "o" if name == "without bias" else "x",
        "color": plotting.COLOURS[0 if penalty == WEAK else 1],
        "ls": "",
    }
    for training in trainings:
        axes[2].plot(place + shift, training["auc"], **style)
    axes[2].plot([], [], **style, label=f"{name}, {penalty:.0e}")
top = [limits[kind][0] for kind in KINDS]
axes[2].hlines(top, place - 0.3, place + 0.3, color=plotting.INK, ls="--", label="limit")
axes[2].axhline(0.5, color=plotting.GREY, lw=1)
axes[2].set_xticks(place, KINDS)
axes[2].set(ylabel="AUC", ylim=(0, 1.04), title="what is left as a detector")
axes[2].legend(fontsize=7.5, loc="lower left")
figure.suptitle("With a bias all traces are mapped to the centre, and the loss looks perfect")
plotting.show(
    "Left and middle: histograms of the distances of four kinds of traces without and with bias; with bias they are smaller by many "
    "orders of magnitude and overlap. Right: AUC of each training for three kinds of anomalies with the limits; with bias and strong "
    "penalty all are at one half.",
    figure,
)

# %% [markdown]
r"""
With biases the distances are smaller by two orders of magnitude, and the detector is no better for it: the loss of a one-class network says nothing about its power. With a strong penalty nothing keeps the weights alive, all outputs are *equal*, and the AUC is exactly one half. With a weak one something is left, since an AUC knows only the order: the outputs are nearly constant, and what orders them is what the training happened to leave behind when it ended.

Without biases $\phi(0) = 0$ whatever the weights, so the network cannot become constant. A blank trace keeps a distance of about $|c|^2$ with a strong penalty too, although little else does. None of the networks comes near the limit: one point for all normal traces is much to ask, and a small loss is paid for by ignoring what distinguishes pulses.
"""

# %% covers="M20.2"
summary = {
    key: {
        "auc": np.mean([training["auc"] for training in trainings], axis=0),
        "distance": np.mean([training["scores"]["normal"].mean() for training in trainings]),
    }
    for key, trainings in one_class.items()
}
dead, alive = summary["with bias", STRONG], summary["without bias", STRONG]
weak = summary["without bias", WEAK]
gain = np.log10(summary["with bias", WEAK]["distance"] / weak["distance"])
check.claim("M20.2", gain, at_most=-1.5, wrong=0.0)
check.claim("M20.2", np.abs(dead["auc"] - 0.5).max(), at_most=0.1, wrong=alive["auc"][2] - 0.5)
check.claim("M20.2", alive["auc"][2], at_least=0.9, wrong=dead["auc"][2])
check.claim("M20.2", weak["auc"][1], at_least=0.65, wrong=0.5)

# %% [markdown]
r"""
## Section 20.3: a hunt without labels

A new particle makes a bump on a falling mass spectrum, too small to be seen. Other features of the events would help, if we knew what the signal looks like in them. **Classification without labels** (CWoLa) needs less: that the signal is narrow in the mass $m$, and that for the background the other features $x$ do not depend on $m$. Then two mixtures differ in one thing only. A *window* of the mass around the suspected place holds background and perhaps signal; the *side-bands* on both of its sides hold background. A classifier trained to tell window from side-bands **by the other features** has nothing to learn but the signal.

If there is none, it learns nothing, and a cut on its output is a cut at random.

The events: dijet masses from 2.5 TeV on, a Gaussian resonance at 3.5 TeV with a width of 0.1 TeV, 0.3 % of all events; the mass of the heavier jet, and $\tau_{21}$, small for jets of two prongs. Both features are transformed so that the background is roughly standard normal. The window: 3.3 to 3.7 TeV. With 100 000 events it holds some 9200 background events and 290 of signal.
"""

# %%
WINDOW, SIDES = (3.3, 3.7), (2.7, 5.5)  # TeV
MASS_EDGES = np.round(np.arange(2.5, 5.51, 0.2), 2)
SCENARIOS = {  # share of signal, correlation of the features with the mass
    "signal": (0.003, 0.0),
    "no signal": (0.0, 0.0),
    "no signal, correlated": (0.0, 0.8),
    "signal, correlated": (0.003, 0.8),
}


def experiment(share, rho, seed):
    """One data set: mass (TeV), features (n, 2), the hidden label, and the exact log ratio to compare with."""
    data = datasets.load_dijets(2 * N_DIJETS, seed=seed, signal_fraction=share, rho=rho)
    mass, x = (
        data.extra_train["mass"],
        data.x_train.astype(float),
    )  # half of the set is for training
    exact = resonance.feature_log_ratio(mass, x * [100, 1], rho=rho)
    jet, tau = np.log(x[:, 0] / 1.2) / 0.4, (np.log(x[:, 1] / (1 - x[:, 1])) - 0.6) / 0.7
    features = np.stack([jet, tau], axis=1).astype("float32")
    return {"mass": mass, "x": features, "label": data.y_train, "exact": exact, "rho": rho}


# %% [markdown]
r"""
**Your task.** Return labels and weights for the training. The label is 1 inside the window and 0 elsewhere. Events that are neither in the window nor in the side-bands get the weight 0. Far more events lie below the window than above it, so give the three regions weights that add up in the proportion 1 (below) : 2 (window) : 1 (above), with a mean of 1 over the events that are used.
"""


# %% task="M20.3a" points=2
def window_labels(mass, window, sides):
    """Label (1 in the window, 0 elsewhere) and weight of each event, for classification without labels.

    mass: (n,), TeV; window: (low, high), TeV; sides: (lowest, highest), TeV: the side-bands reach from `lowest` up to
    the window and from the window up to `highest`. Returns two arrays (n,).
    """
    ### BEGIN SOLUTION
    inside = (mass > window[0]) & (mass < window[1])
    below = (mass > sides[0]) & (mass <= window[0])
    above = (mass >= window[1]) & (mass < sides[1])
    weight = 2 * inside / inside.sum() + below / below.sum() + above / above.sum()
    return inside.astype("float32"), weight * np.sum(weight > 0) / 4
    ### END SOLUTION


# %% check="M20.3a"
check("M20.3a", window_labels)

# %% [markdown]
r"""
**Never test an event with a classifier that was trained on it.** A network remembers a little of its training events: it knows that *this* one was in the window, and rates it higher. That is an excess made by the training. So the events are divided into $k$ folds; each fold is scored by a network trained on the others, and in each fold the cut is placed such that 1 % of its side-band events pass.

**How much background is expected?** The mass spectrum of *all* events is fitted outside of the window and interpolated; a resonance of 300 events on 9200 hardly shows there. If the cut keeps a share $\varepsilon$ of the side-bands, and the score does not depend on the mass, it keeps the same share in the window: $b = \varepsilon\, b_\mathrm{all}$. For $n$ observed events the significance is

$$Z = \frac{n - b}{\sqrt{b + \sigma_b^2}}, \qquad \Big(\frac{\sigma_b}{b}\Big)^2 = \Big(\frac{\sigma_\mathrm{all}}{b_\mathrm{all}}\Big)^2 + \frac{1}{n_\mathrm{side}},$$

with $n_\mathrm{side}$ the number of side-band events that passed.

**Your task.** Return $n$, $b$ and $Z$.
"""


# %% task="M20.3b" points=2
def excess(passed, in_window, in_sides, expected, error):
    """Observed events, expected background, and significance in the window after a cut.

    passed, in_window, in_sides: (n,), booleans, for each event; expected, error: background in the window before the
    cut and its standard deviation, from the fit of the spectrum. Returns three numbers.
    """
    ### BEGIN SOLUTION
    observed = np.sum(passed & in_window)
    from_sides = np.sum(passed & in_sides)
    background = expected * from_sides / np.sum(in_sides)
    relative = (error / expected) ** 2 + 1 / from_sides
    return (
        observed,
        background,
        (observed - background) / np.sqrt(background + background**2 * relative),
    )
    ### END SOLUTION


# %% check="M20.3b"
check("M20.3b", excess)

# %% [markdown]
r"""
Now the hunt, in four kinds of data: with a signal and without, and both once more with features that depend on the mass (a correlation of 0.8 in the background). Three data sets of each kind. Beside the classifier: the exact likelihood ratio of the features at known mass, with the cut that lets 1 % of the background in the window pass. It is the **limit** of the ROC curve, and needs to know signal and background.

**Predict.** Before the cut, the signal has 3 standard deviations. How many will it have after a cut on the output of the classifier, which has never seen a label?
"""

# %%
check.predict(
    "M20.3-z", None, question="Which significance after the cut, for the data with signal?"
)

# %%
window_labels = check.catch_up("M20.3a", window_labels)
excess = check.catch_up("M20.3b", excess)
KEPT = 0.01  # share of the background that passes


def regions(data):
    """Window and side-bands, and the fit of the mass spectrum interpolated into the window."""
    label, weight = window_labels(data["mass"], WINDOW, SIDES)
    counts, _ = np.histogram(data["mass"], MASS_EDGES)
    fit = resonance.fit_spectrum(counts, MASS_EDGES, window=WINDOW)
    bins = (MASS_EDGES[:-1] > WINDOW[0] - 0.01) & (MASS_EDGES[1:] < WINDOW[1] + 0.01)
    in_window = label == 1
    data |= {"label_window": label, "weight": weight, "fit": fit, "in_window": in_window}
    data |= {"in_sides": (weight > 0) & ~in_window}
    data |= {"expected": fit.expected[bins].sum(), "expected_error": fit.error[bins].sum()}


def hunt(data, seed):
    """Scores of a classifier of window against side-bands, each fold by a network trained on the others."""
    keras.utils.set_random_seed(seed)
    fold = np.random.default_rng(seed).permutation(len(data["x"])) % FOLDS
    score, passed = np.zeros(len(fold)), np.zeros(len(fold), bool)
    used = data["weight"] > 0
    for k in range(FOLDS):
        rows = used & (fold != k)
        rate = schedule(1e-2, EPOCHS_WINDOW, rows.sum(), 1000)
        model = renewed("window", lambda: dense(2, 1, "sigmoid"), "binary_crossentropy", rate)
        weight = data["weight"][rows].astype("float32")
        target = data["label_window"][rows]
        model.fit(
            data["x"][rows],
            target,
            sample_weight=weight,
            batch_size=1000,
            epochs=EPOCHS_WINDOW,
            verbose=0,
        )
        tested = fold == k
        score[tested] = np.asarray(model(data["x"][tested]))[:, 0]
        cut = np.quantile(score[tested & data["in_sides"]], 1 - KEPT)
        passed[tested] = score[tested] > cut
    return score, passed


def best_cut(rho):
    """The exact log ratio above which 1 % of the background in the window lies."""
    events = resonance.simulate(400_000, signal_fraction=0.0, rho=rho, seed=check.seed)
    ratio = resonance.feature_log_ratio(events.mass, events.features, rho=rho)
    return np.quantile(ratio[(events.mass > WINDOW[0]) & (events.mass < WINDOW[1])], 1 - KEPT)


def significance(observed, data):
    """Significance for a cut that passes 1 % of the background in the window by construction."""
    background = KEPT * data["expected"]
    return (observed - background) / np.hypot(background**0.5, KEPT * data["expected_error"])


cuts = {rho: best_cut(rho) for rho in (0.0, 0.8)}
hunts = {name: [] for name in SCENARIOS}
for name, (share, rho) in SCENARIOS.items():
    for number in range(EXPERIMENTS):
        data = experiment(share, rho, check.seed + number)
        regions(data)
        data["score"], data["passed"] = hunt(data, check.seed + number)
        inside = data["in_window"]
        everything = np.ones(len(inside), bool)
        data["before"] = excess(
            everything, inside, data["in_sides"], data["expected"], data["expected_error"]
        )
        data["CWoLa"] = excess(
            data["passed"], inside, data["in_sides"], data["expected"], data["expected_error"]
        )
        data["best"] = significance(np.sum(inside & (data["exact"] > cuts[rho])), data)
        hunts[name].append(data)

# %%
print(
    "                          Z before    in the window: observed, expected    Z      exact ratio"
)
for name, tries in hunts.items():
    for data in tries:
        observed, background, z = data["CWoLa"]
        print(
            f"{name:24s} {data['before'][2]:8.1f}  {observed:20d}, {background:6.1f}  {z:12.1f}  {data['best']:10.1f}"
        )
check.confront("M20.3-z", np.mean([data["CWoLa"][2] for data in hunts["signal"]]))

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 4.1), sharey=True)
middle_of_bin = (MASS_EDGES[1:] + MASS_EDGES[:-1]) / 2
for axis, name in zip(axes, ["signal", "no signal", "no signal, correlated"], strict=True):
    data = hunts[name][0]
    counts, _ = np.histogram(data["mass"][data["passed"]], MASS_EDGES)
    share = np.sum(data["passed"] & data["in_sides"]) / np.sum(data["in_sides"])
    axis.axvspan(*WINDOW, color=plotting.GREY, alpha=0.25, label="window")
    axis.step(MASS_EDGES, [*(share * data["fit"].expected), 0], where="post", color=plotting.INK, label="expected: fit of all events, scaled")  # fmt: skip
    axis.errorbar(middle_of_bin, counts, np.sqrt(np.maximum(counts, 1)), fmt="o", ms=4, color=plotting.COLOURS[0], label="events after the cut")  # fmt: skip
    exact = data["in_window"] & (data["exact"] > cuts[data["rho"]])
    axis.errorbar(middle_of_bin[4:6], np.histogram(data["mass"][exact], MASS_EDGES)[0][4:6], fmt="D", ms=5, mfc="none", color=plotting.COLOURS[1], label="after the best cut (limit)")  # fmt: skip
    axis.set(
        yscale="log",
        ylim=(0.7, 1000),
        xlabel="dijet mass (TeV)",
        title=f"{name}: Z = {data['CWoLa'][2]:.1f} (best cut {data['best']:.1f})",
    )
axes[0].set_ylabel("events per 0.2 TeV")
axes[0].legend(fontsize=7.5)
figure.suptitle("Found, not found, and found where there is nothing: a feature that knows the mass makes a bump")  # fmt: skip
plotting.show(
    "Three mass spectra after the cut with the expected background. With signal the two bins of the window lie far above, without "
    "signal on the expectation; with correlated features and no signal they lie above as well, as do their neighbours.",
    figure,
)

# %% [markdown]
r"""
In the first panel a signal that nobody has described is found with many standard deviations; the exact likelihood ratio would not give many more. In the second, the cut is a cut at random. The third shows what the condition is worth: if the features know the mass, the classifier uses them as a *measurement of the mass*, keeps what looks like 3.5 TeV, and a cut on it makes a bump of background. Nothing in the data warns of it, apart from the shape outside of the window: look at the neighbouring bins.

(With narrow side-bands the features differ less from band to band, and the fake bump becomes smaller, at the price of fewer events. Real searches use narrow bands, and choose features that do not know the mass.)
"""

# %% covers="M20.3"
strength = {
    name: {key: np.mean([data[key][2] for data in tries]) for key in ("before", "CWoLa")}
    for name, tries in hunts.items()
}
null_error = 1 / np.sqrt(EXPERIMENTS)
check.claim("M20.3", strength["signal"]["CWoLa"], at_least=5, wrong=strength["signal"]["before"])
check.claim("M20.3", strength["no signal"]["CWoLa"], 0, tolerance=4 * null_error, wrong=strength["signal"]["CWoLa"])  # fmt: skip
check.claim("M20.3", strength["no signal, correlated"]["CWoLa"], at_least=5, wrong=strength["no signal"]["CWoLa"])  # fmt: skip

# %%
check.quiz("M20.3-q1")

# %% [markdown]
r"""
## Section 20.3: a ratio of densities

The score that one would like to have is the likelihood ratio of signal and background, (20.2). Since nobody knows the signal, use that of *data* and background, (20.3). With a share $f_a$ of anomalies in the data, (20.4),

$$L_{D/B} = \frac{f_n\, p(x|\mathrm{normal}) + f_a\, p(x|\mathrm{anomaly})}{p(x|\mathrm{normal})} = f_n + f_a\, L_{S/B}. \tag{20.5}$$

It rises with $L_{S/B}$ for every $f_a > 0$, so a cut on one is a cut on the other: the same ROC curve. We verify it with the exact ratio, for shares from 50 % down to one in a thousand.
"""

# %%
data = hunts["signal"][0]
inside = data["in_window"]
ratio, label = np.exp(data["exact"][inside]), data["label"][inside]
signal_ratio = metrics.area_under_roc(ratio, label)
data_ratio = {
    share: metrics.area_under_roc(1 - share + share * ratio, label) for share in (0.5, 0.03, 0.001)
}
print(f"L_S/B: AUC {signal_ratio[0]:.6f} +- {signal_ratio[1]:.4f}")
for share, (value, _) in data_ratio.items():
    print(f"L_D/B with a share of {share:5.3f}: AUC {value:.6f}")
print(f"limit, from the formula of the densities: {resonance.optimal_auc():.4f}")

# %% [markdown]
r"""
How to get $L_{D/B}$ where the features depend on the mass? By learning the background's density *as a function of the mass*:

$$R(x|m) = \frac{q_\mathrm{inner}(x|m)}{q_\mathrm{outer}(x|m)} \tag{20.6}$$

with two **conditional density estimators**. $q_\mathrm{outer}$ is trained on the events outside of the window and, being a smooth function of $m$, *interpolated* into it: what background would look like there. $q_\mathrm{inner}$ is trained on the events in the window. Where both agree, $R = 1$, however much the features depend on the mass. Any estimator will do that can be evaluated and trained by its likelihood; normalising flows (chapter 18) are the usual choice. In two dimensions a mixture of Gaussians whose parameters are functions of $m$ (`MixtureDensity`, chapter 14) is enough.

**Your task.** Return $\ln R$ for events. Both models map masses to parameters of a mixture, and `mixture_density_loss(features, parameters)` is $-\ln q$ of each event.
"""


# %% task="M20.4" points=2
def log_density_ratio(inner, outer, scaled_mass, features):
    """Logarithm of q_inner(x | m) / q_outer(x | m) for each event (20.6).

    inner, outer: Keras models from (n, 1), the scaled mass, to the parameters of a mixture; features: (n, 2).
    Returns an array (n,).
    """
    ### BEGIN SOLUTION
    surprise_inside = mixture_density_loss(features, inner(scaled_mass))
    surprise_outside = mixture_density_loss(features, outer(scaled_mass))
    return np.asarray(surprise_outside - surprise_inside)
    ### END SOLUTION


# %% check="M20.4"
check("M20.4", log_density_ratio)

# %% [markdown]
r"""
The expected background no longer needs a cut that treats all masses alike: $q_\mathrm{outer}$ can be *sampled*. Five artificial background events for each mass measured in the window tell where to put the cut so that 1 % of the background passes. The rest is as before: folds, so that no event is tested with a density that has seen it.
"""

# %%
log_density_ratio = check.catch_up("M20.4", log_density_ratio)


def conditional(components, width):
    layer = MixtureDensity(components, 2)
    return keras.Sequential([keras.Input((1,)), layers.Dense(width, activation="tanh"), layer])


def sample_mixture(model, scaled_mass, generator):
    """One artificial event for each mass, from a conditional mixture."""
    weights, means, widths = mixture_parameters(np.asarray(model(scaled_mass)), 2)
    chosen = np.sum(
        generator.random((len(weights), 1)) > np.cumsum(weights, axis=1)[:, :-1], axis=1
    )
    row = np.arange(len(chosen))
    noise = generator.normal(size=(len(chosen), 2))
    return (means[row, chosen] + widths[row, chosen] * noise).astype("float32")


def compare_densities(data, seed):
    """ln R of the events in the window, and which of them pass."""
    keras.utils.set_random_seed(seed)
    generator = np.random.default_rng(seed)
    scaled = (4 * np.log(data["mass"] / 3.5))[:, None].astype("float32")
    inside, outside = data["in_window"], data["in_sides"]
    rate = schedule(1e-2, EPOCHS_OUTER, outside.sum(), 500)
    outer = renewed("outer", lambda: conditional(2, 16), mixture_density_loss, rate)
    outer.fit(scaled[outside], data["x"][outside], batch_size=500, epochs=EPOCHS_OUTER, verbose=0)
    m, x = scaled[inside], data["x"][inside]
    artificial_m = np.repeat(m, 5, axis=0)
    artificial_x = sample_mixture(outer, artificial_m, generator)
    fold = generator.permutation(len(m)) % FOLDS
    score, passed = np.zeros(len(m)), np.zeros(len(m), bool)
    for k in range(FOLDS):
        rows, tested = fold != k, fold == k
        rate = schedule(1e-2, EPOCHS_INNER, rows.sum(), 250)
        inner = renewed("inner", lambda: conditional(4, 8), mixture_density_loss, rate)
        inner.fit(m[rows], x[rows], batch_size=250, epochs=EPOCHS_INNER, verbose=0)
        score[tested] = log_density_ratio(inner, outer, m[tested], x[tested])
        cut = np.quantile(log_density_ratio(inner, outer, artificial_m, artificial_x), 1 - KEPT)
        passed[tested] = score[tested] > cut
    return score, passed


OFTEN = {"signal": 1, "no signal, correlated": EXPERIMENTS, "signal, correlated": EXPERIMENTS}
for name, number_of_sets in OFTEN.items():
    for number, data in enumerate(hunts[name][:number_of_sets]):
        data["ratio score"], passed = compare_densities(data, check.seed + number)
        data["ratio"] = significance(passed.sum(), data)
print("                         Z before   CWoLa   density ratio   exact ratio")
for name, tries in hunts.items():
    for data in tries:
        if "ratio" in data:
            print(
                f"{name:24s} {data['before'][2]:8.1f} {data['CWoLa'][2]:7.1f} {data['ratio']:12.1f} {data['best']:14.1f}"
            )

# %%
auc = {}
figure, axes = plt.subplots(1, 3, figsize=(13, 4.1), width_ratios=[1, 1, 1.1])
for axis, name in zip(axes, ["signal", "signal, correlated"], strict=False):
    data = hunts[name][0]
    inside, rho = data["in_window"], data["rho"]
    label = data["label"][inside]
    efficiency = np.linspace(0.02, 1, 200)
    axis.plot(efficiency, resonance.optimal_improvement(efficiency, rho=rho), "--", color=plotting.INK, label=f"limit, AUC {resonance.optimal_auc(rho=rho):.3f}")  # fmt: skip
    for colour, (method, score) in zip(
        plotting.COLOURS,
        {"CWoLa": data["score"][inside], "density ratio": data["ratio score"]}.items(),
        strict=False,
    ):
        auc[name, method] = metrics.area_under_roc(score, label)
        order = np.argsort(-score)
        signal = np.cumsum(label[order]) / label.sum()
        background = np.cumsum(1 - label[order]) / np.sum(1 - label)
        some = background > 10 / np.sum(1 - label)  # ten background events at least
        axis.plot(signal[some], signal[some] / np.sqrt(background[some]), color=colour, label="{}, AUC {:.3f} +- {:.3f}".format(method, *auc[name, method]))  # fmt: skip
    axis.axhline(1, color=plotting.GREY, lw=1)
    axis.set(
        xlabel="share of the signal kept",
        title="independent" if rho == 0 else "correlated with the mass",
        yscale="linear" if rho == 0 else "log",
    )
    axis.legend(fontsize=7.5)
axes[0].set_ylabel("gain in significance $S / \\sqrt{B}$")
for place, tries in enumerate(hunts.values()):
    for shift, key, marker, colour in [
        (-0.24, "before", "s", plotting.GREY),
        (-0.08, "CWoLa", "o", plotting.COLOURS[0]),
        (0.08, "ratio", "D", plotting.COLOURS[1]),
        (0.24, "best", "_", plotting.INK),
    ]:
        shown = [np.ravel(data[key])[-1] for data in tries if key in data]
        text = {"before": "no cut", "ratio": "density ratio", "best": "exact ratio (limit)"}
        axes[2].plot(np.full(len(shown), place + shift), shown, marker, ms=9 if marker == "_" else 5, color=colour, label=text.get(key, key) if place == 0 else None)  # fmt: skip
axes[2].axhspan(-3, 3, color=plotting.GREY, alpha=0.2)
axes[2].set_xticks(range(4), [name.replace(", ", ",\n") for name in hunts], fontsize=8)
axes[2].set(ylabel="significance Z", title="every data set (band: 3 standard deviations)")
axes[2].legend(fontsize=7.5)
figure.suptitle("The density ratio finds the signal where features know the mass, and makes no bump of its own")  # fmt: skip
plotting.show(
    "Left and middle: gain in significance against the share of signal kept for classifier, density ratio and limit, with independent "
    "and with correlated features. Right: significances of all data sets; without signal and with correlated features the classifier "
    "lies far above the band of three standard deviations, the density ratio near it.",
    figure,
)

# %% [markdown]
r"""
With independent features both methods come near the limit. With correlated ones the limit is *higher* (at 3.5 TeV the background is narrower and further from the signal), but the classifier falls behind, and without a signal it reports one. The density ratio stays: it compares with the background at the same mass. (A single significance fluctuates, and its cut passes 1 % of the background only as far as $q_\mathrm{outer}$ is right. So it may lie above that of the exact ratio; what is a limit is the curve.)

It has an assumption of its own, that the background's density can be interpolated. Every imperfection of $q_\mathrm{outer}$ is a place where $R$ differs from one, and since the cut keeps the 1 % with the largest $R$, it looks exactly there. The significance above has no error for that. One such imperfection was avoided: between 2.5 and 2.7 TeV, where the trigger begins, the features change steeply with the mass. Trained on those events too, the same network describes the window a little worse, and reports some four standard deviations without a signal. Try it: `SIDES = (2.5, 5.5)`. Real searches test the method in windows without signal, and add what they see to the error of the background.
"""

# %% covers="M20.4"
fooled = strength["no signal, correlated"]["CWoLa"]
null = np.mean([data["ratio"] for data in hunts["no signal, correlated"]])
with_signal = np.mean([data["ratio"] for data in hunts["signal, correlated"]])
check.claim("M20.4", data_ratio[0.001][0] - signal_ratio[0], 0, tolerance=1e-12, wrong=1 - 2 * signal_ratio[0])  # fmt: skip
check.claim("M20.4", null / fooled, at_most=0.4, wrong=1.0)
check.claim("M20.4", with_signal, at_least=8, wrong=null)
best_auc = resonance.optimal_auc(rho=0.8)
found_auc = auc["signal, correlated", "density ratio"]
check.claim("M20.4", found_auc[0], at_least=auc["signal, correlated", "CWoLa"][0], wrong=0.5)
check.claim("M20.4", found_auc[0], at_most=best_auc + 4 * found_auc[1], wrong=1.1)

# %%
check.quiz("M20.4-q1")

# %% tags=["instructor"]
# M20.1: ask for a detector of both kinds at once, and for what it costs in false alarms.
# Latent scan: raise NOISE to 0.3; the limits leave 1, and the optimum of the autoencoder moves. With a linear autoencoder the scan is
# that of principal components: the same shape, lower.
# M20.2: the exact collapse needs weight decay and patience. Discuss why a smaller loss is not a better network.
# M20.3: let the group try SIDES = (2.9, 4.3): the fake bump shrinks. Then KEPT = 0.1: it is back, with more events.
# M20.4: conditional flows (dlphys.layers) in place of the mixtures are the published method; here they cost more and win nothing.
for question, answer in [
    ("M20.1-q1", 2),
    ("M20.2-q1", 3),
    ("M20.3-q1", 1),
    ("M20.4-q1", 4),
]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Point anomalies need a detector of low density, group anomalies one of over-density. One is blind for the other.
- An autoencoder has a best size, different for each anomaly; too large, and it is the identity. It overlooks what is simpler than the normal events.
- Deep SVDD must not be able to answer a constant: no biases. A smaller loss can be a worse detector.
- Data against background has the ROC curve of signal against background. No label is needed, and no share of the signal.
- Window against side-bands works if the features do not know the mass; otherwise it makes a bump. A ratio of conditional densities survives that, as far as the background can be interpolated.
- Test events with networks that have not seen them.
"""

# %%
check.summary()
