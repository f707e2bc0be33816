# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 13, title: Robustness and systematics, level: 2, minutes: 90, sections: "13.1-13.4", data: [planing], fast: {N: 40000, EPOCHS: 6, EPOCHS_DECORRELATED: 5, SEEDS: 2, TRAININGS: 1, STRENGTHS: [3.0], N_EXPERIMENTS: 300, REPLICAS: 100}}
# ---
# %% [markdown]
r"""
# Robustness and systematics

**You will**

- measure how a classifier *shapes* a feature that it should leave alone, and by how much leaving the feature out helps;
- train with weights that flatten the feature (*planing*), against an adversary behind a reversed gradient, and with a penalty on the distance correlation;
- compare all of them with the most accurate selection that exists for a given amount of shaping;
- give a result of a network its statistical and its systematic error, and test that the interval covers the truth as often as it says.

**You need** a dense network in Keras, sample weights, and what a likelihood ratio is.
**Time:** about 90 minutes. The cells themselves run in about a minute.

**You will see** a mass peak in pure background, made by a network.

Ensembles, Bayesian networks, calibration and adversarial attacks stand in `ch13_examples`.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.simulators import toys

check = checks.start("ch13_robustness")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N = 60_000  # events: three fifths to train, one fifth each for validation and test
EPOCHS = 5
EPOCHS_DECORRELATED = 4  # with an adversary or a penalty
SEEDS = 3  # trainings of the three classifiers of the exercise
STRENGTHS = [1.0, 3.0, 10.0]  # of the reversed gradient, and of the penalty
TRAININGS = 2  # at each strength
N_EXPERIMENTS = 500  # pseudo-experiments
REPLICAS = 150  # of each bootstrap

# %% [markdown]
r"""
## Exercise 13.1: a feature that must not be shaped

A new particle is searched for as a peak in a mass spectrum. A classifier picks events that look like signal; then the mass of the picked events is histogrammed, and a smooth curve fitted to the
background. This works if the classifier leaves the background smooth. A classifier that has seen the mass knows where the peak is, and picks background events *there*: it makes a peak of its own.

The table has eight features. Feature 0 is the mass in units of 100 GeV: it falls exponentially from 50 GeV in the background, and peaks at 125 GeV in the signal. The other seven have names only by number. The book gives no numbers for this exercise; these are ours, and
since the simulator knows the probability densities, it knows what is possible.
"""

# %%
data = datasets.load_planing(N, seed=check.seed)
data

# %% [markdown]
r"""
### Part 1: look at the features

Scatter plots of all 28 pairs, the signal above the diagonal and the background below it. On the diagonal: the histograms of both.
"""

# %%
is_signal = data.y_train == 1
figure, axes = plt.subplots(8, 8, figsize=(11, 11))
for row in range(8):
    for column in range(8):
        axis = axes[row, column]
        axis.set(xticks=[], yticks=[])
        if row == column:
            bins = np.linspace(*np.quantile(data.x_train[:, row], [0.002, 0.998]), 30)
            for chosen, colour in (
                (~is_signal, plotting.COLOURS[0]),
                (is_signal, plotting.COLOURS[1]),
            ):
                axis.hist(data.x_train[chosen, row], bins, histtype="step", color=colour)
        else:
            above = column > row
            some = data.x_train[is_signal == above][:500]
            axis.plot(
                some[:, column], some[:, row], ".", ms=1.5, color=plotting.COLOURS[int(above)]
            )
        if row == 7:
            axis.set_xlabel(f"feature {column}")
        if column == 0:
            axis.set_ylabel(f"feature {row}")
figure.suptitle(
    "Features 1 to 4 know the mass (feature 0, in 100 GeV): signal above, background below the diagonal"
)
plotting.show(
    "A grid of eight by eight panels. On the diagonal histograms of both classes, off it scatter plots. In the background the "
    "features 1 to 4 rise with feature 0, the more steeply the smaller their number; features 5 to 7 do not.",
    figure,
)

# %% [markdown]
r"""
**Your task.** Return Pearson's correlation coefficients of all pairs of features, for the signal and for the background separately.
"""


# %% task="13.1a" points=2 covers="E13.1/1"
def correlations_by_class(x, label):
    """Correlation matrices of the features in the signal and in the background.

    x: (n, d); label: (n,), 1 for signal, 0 for background. Returns two arrays (d, d), the signal's first.
    """
    ### BEGIN SOLUTION
    in_signal = np.corrcoef(x[label == 1], rowvar=False)
    in_background = np.corrcoef(x[label == 0], rowvar=False)
    return in_signal, in_background
    ### END SOLUTION


# %% check="13.1a"
check("13.1a", correlations_by_class)

# %%
correlations_by_class = check.catch_up("13.1a", correlations_by_class)
in_signal, in_background = correlations_by_class(data.x_train, data.y_train)
mixed = np.corrcoef(data.x_train, rowvar=False)
exact = toys.planing_correlations()
print("correlation with feature 0     1      2      3      4      5      6      7")
for name, matrix in [
    ("background", in_background),
    ("background, exact", exact),
    ("signal", in_signal),
    ("both classes mixed", mixed),
]:
    print(f"{name:26s}" + "".join(f"{r:7.3f}" for r in matrix[0, 1:]))
pulls = np.arctanh(in_background - np.eye(8)) - np.arctanh(exact - np.eye(8))
pulls *= np.sqrt(np.sum(~is_signal))
print(f"largest of the 28 differences: {np.abs(pulls).max():.1f} standard errors")

# %% [markdown]
r"""
The aim concerns the background only: there the output must not depend on the mass. (In the signal it may: signal that is kept is a peak, as it should be.) Features 1, 2 and 3 carry both: they know the class *and* the mass, so leaving out feature 0
will not be enough. Feature 4 knows only the mass, features 5 and 6 only the class, feature 7 nothing.

### Part 2: a classifier of all features

**A measure of shaping.** Keep the share $\varepsilon$ of the *background* that scores highest, the tighter the cut the smaller. Compare the histogram of its mass, $q$, with that before the cut, $p$, by the Jensen-Shannon divergence

$$J = \frac12 \sum_k p_k \log_2 \frac{p_k}{m_k} + \frac12 \sum_k q_k \log_2 \frac{q_k}{m_k}, \qquad m_k = \frac{p_k + q_k}{2},$$

which lies between 0 bit (same shape) and 1 bit (no overlap). The book's (18.11) has the same two terms without the factors $\frac12$. SciPy's `jensenshannon(p, q, base=2)` normalises the histograms, and returns the *square root* of $J$.

The bins are given by their inner boundaries, so that every event is in one: `np.digitize(feature, edges)` numbers them from 0 to `len(edges)`.

**Your task.** Return $J$ in bits.
"""


# %% task="13.1b" points=3 covers="E13.1/2"
def shaping(feature, score, kept, edges):
    """Jensen-Shannon divergence of a feature before and after a cut on the score, in bit.

    feature, score: (n,), of background events; kept: share of the events that passes the cut, those with the highest
    score; edges: (k,), inner boundaries of k + 1 bins of the feature. Returns a number.
    """
    ### BEGIN SOLUTION
    number = np.digitize(feature, edges)
    passed = score > np.quantile(score, 1 - kept)
    before = np.bincount(number, minlength=len(edges) + 1)
    after = np.bincount(number[passed], minlength=len(edges) + 1)
    return jensenshannon(before, after, base=2) ** 2
    ### END SOLUTION


# %% check="13.1b"
check("13.1b", shaping)

# %% [markdown]
r"""
**Your task.** Train a classifier on any table: a few dense layers, one sigmoid at the end, the binary cross-entropy weighted event by event. `model.fit` takes the weights as `sample_weight`. Two hidden layers of 32 neurons are enough; with batches of 256 and a learning rate that falls
from 0.02 to zero along a cosine, a few epochs are too. `steps_per_execution=20` in `compile` saves time in networks as small as this.
"""


# %% task="13.1c" points=3 covers="E13.1/2 E13.1/3"
def train_classifier(x, y, weights, epochs):
    """Build a dense classifier, fit it to weighted events for the given number of epochs, and return it.

    x: (n, d), for any d; y: (n,), 1 for signal; weights: (n,), of the events in the loss. Output (n, 1): a probability.
    """
    ### BEGIN SOLUTION
    model = keras.Sequential([keras.Input((x.shape[1],))])
    for _ in range(2):
        model.add(layers.Dense(32, activation="elu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    falling = keras.optimizers.schedules.CosineDecay(0.02, epochs * -(-len(x) // 256))
    optimizer = keras.optimizers.Adam(falling)
    model.compile(optimizer, "binary_crossentropy", steps_per_execution=20)
    model.fit(x, y, batch_size=256, epochs=epochs, sample_weight=weights, verbose=0)
    return model
    ### END SOLUTION


# %%
every_feature = None  # until train_classifier is written
every_feature = train_classifier(data.x_train, data.y_train, np.ones(len(data.y_train)), EPOCHS)

# %% check="13.1c"
check("13.1c", train_classifier, result=every_feature)

# %% [markdown]
r"""
**Predict.** Part 3 will leave out the mass. How much of the shaping, at a cut that keeps 20 % of the background, will remain: 1 for all of it, 0 for nothing?
"""

# %%
check.predict(
    "13.1-blind", None, question="Which fraction of the shaping remains without feature 0?"
)

# %% [markdown]
r"""
### Parts 2 and 3: with feature 0 and without

Several trainings of each, since two trainings of one network differ. To judge them: events that nobody was trained on, more than the test set has, from the same simulator. And to compare with, two likelihood ratios from the simulator, which are the **limit** of the accuracy: no classifier of the eight features is better
on average than the one, and none of the seven without the mass is better than the other. (Their shaping is no limit: it is what the most accurate classifier does.)
"""

# %%
shaping = check.catch_up("13.1b", shaping)
train_classifier = check.catch_up("13.1c", train_classifier)
UNITS = np.array([100.0, 1, 1, 1, 1, 1, 1, 1], np.float32)  # GeV for the mass
EDGES = np.arange(0.6, 3.05, 0.1)  # bins of 10 GeV, in units of 100 GeV
table = toys.simulate_planing(100_000, seed=check.seed + 1)
x_judged, y_judged = table.x / UNITS, table.label
background = y_judged == 0
mass = x_judged[background, 0]


def judge(score, threshold):
    """Accuracy with error, shaping by that very selection, and shaping when 20 % of the background is kept."""
    selected = score > threshold
    accuracy, error = metrics.accuracy_with_error(selected == (y_judged == 1))
    of_background = score[background]
    share = np.mean(of_background > threshold)
    return {
        "accuracy": accuracy,
        "error": error,
        "shaping": shaping(mass, of_background, share, EDGES),
        "at 20 %": shaping(mass, of_background, 0.2, EDGES),
        "score": score,
    }


def judge_model(model, first=0):
    """The same for a network that reads the features from number ``first`` on."""
    score = model.predict(x_judged[:, first:], batch_size=10_000, verbose=0)[:, 0]
    return judge(score, 0.5)


def report(name, results):
    """One line: means over the trainings, with the error of the test events and the spread of the trainings."""
    line = f"{name:44s} accuracy {np.mean([r['accuracy'] for r in results]):.4f} +- {results[0]['error']:.4f}"
    if len(results) > 1:
        line += f" (spread {np.std([r['accuracy'] for r in results], ddof=1):.4f})"
    values = [r["at 20 %"] for r in results]
    line += f", shaping at 20 %: {np.mean(values):.4f}"
    line += f" +- {np.std(values, ddof=1):.4f} bit" if len(values) > 1 else " bit"
    print(line)


limits = {
    "all features": judge(toys.planing_log_ratio(table.x), 0),
    "without feature 0": judge(toys.planing_blind_log_ratio(table.x), 0),
    "flat": judge(toys.planing_flat_log_ratio(table.x), 0),
}
equal = np.ones(len(data.y_train))
classifiers = {"all features": [every_feature] if every_feature is not None else []}
classifiers["without feature 0"] = []
for name, first in [("all features", 0), ("without feature 0", 1)]:
    while len(classifiers[name]) < SEEDS:
        x = data.x_train[:, first:]
        classifiers[name].append(train_classifier(x, data.y_train, equal, EPOCHS))
results = {
    "all features": [judge_model(model) for model in classifiers["all features"]],
    "without feature 0": [judge_model(model, 1) for model in classifiers["without feature 0"]],
}
for name, values in results.items():
    report(name, values)
    report(f"limit: likelihood ratio, {name}", [limits[name]])
with_mass, without = (np.mean([r["at 20 %"] for r in results[name]]) for name in results)
check.confront("13.1-blind", without / with_mass)

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
bins = np.linspace(0.5, 3, 51)
for axis, name in zip(axes, results, strict=True):
    score = results[name][0]["score"][background]
    axis.hist(100 * mass, 100 * bins, density=True, color=plotting.GREY, alpha=0.4, label="all")
    for kept, colour in zip([0.5, 0.2, 0.1, 0.05], plotting.COLOURS, strict=False):
        passed = score > np.quantile(score, 1 - kept)
        axis.hist(
            100 * mass[passed],
            100 * bins,
            density=True,
            histtype="step",
            lw=1.6,
            color=colour,
            label=f"{kept:.0%} kept",
        )
    axis.set(xlabel="mass (GeV)", title=name)
axes[0].set_ylabel("background events (normalised to 1)")
axes[0].legend()
figure.suptitle(
    "Two networks make a peak out of pure background, even the one that has not seen the mass"
)
plotting.show(
    "Two panels with the mass of the background before and after four cuts. The falling spectrum turns into a peak at 125 GeV "
    "with all features, and into a broad one without the mass.",
    figure,
)

# %%
check.quiz("13.1-q1")

# %% [markdown]
r"""
### Part 4: weights that flatten feature 0

If neither class shows any preference for a mass, the mass alone says nothing about the class, and a classifier has no reason to shape it. *Planing* weights the events of the training so that the histogram of feature 0 is flat, in the signal and in the background: an event gets the weight 1 / (events of its class in its bin).
All features remain inputs. The mass now helps to *undo*, in features 1 to 3, what comes from the mass.

- All bins of a class get the same sum of weights, and all weights of a class add up to the number of its events (so a mean weight is 1, and the learning rate keeps its meaning).
- A bin without events of a class stays empty: no weight can fill it. The others of that class then share the sum.

**Your task.** Return the weights.
"""


# %% task="13.1d" points=3 covers="E13.1/4"
def flattening_weights(feature, label, edges):
    """Weights that make the histogram of a feature flat in each class, and keep the sum of weights of each class.

    feature: (n,); label: (n,), 0 or 1; edges: (k,), inner boundaries of the k + 1 bins. Returns an array (n,).
    """
    ### BEGIN SOLUTION
    number = np.digitize(feature, edges)
    weights = np.ones(len(feature))
    for members in (label == 0, label == 1):
        content = np.bincount(number[members], minlength=len(edges) + 1)
        share = members.sum() / np.count_nonzero(content)
        weights[members] = share / content[number[members]]
    return weights
    ### END SOLUTION


# %% check="13.1d"
check("13.1d", flattening_weights)

# %% [markdown]
r"""
Which bins? Narrow ones, since inside a bin the two classes still have different masses. But not where a class has hardly any events: three signal events that share a bin get huge weights, and the network learns these three by heart. A sum of weights $w_i$ is as uncertain as one of

$$n_\text{eff} = \frac{(\sum_i w_i)^2}{\sum_i w_i^2}$$

events of equal weight. So: bins of 5 GeV from 70 to 180 GeV, where both classes live, and one bin each for what is below and above.
"""

# %%
flattening_weights = check.catch_up("13.1d", flattening_weights)
PLANING_EDGES = np.arange(0.7, 1.825, 0.05)
weights = flattening_weights(data.x_train[:, 0], data.y_train, PLANING_EDGES)
for edges, name in [
    (PLANING_EDGES, "70 to 180 GeV"),
    (np.arange(0.6, 2.025, 0.05), "60 to 200 GeV"),
]:
    w = flattening_weights(data.x_train[:, 0], data.y_train, edges)[is_signal]
    print(f"bins from {name}: {len(w)} signal events count as {w.sum() ** 2 / np.sum(w**2):.0f}")

classifiers["planing"] = [
    train_classifier(data.x_train, data.y_train, weights, EPOCHS) for _ in range(SEEDS)
]
results["planing"] = [judge_model(model) for model in classifiers["planing"]]
for name, values in results.items():
    report(name, values)
report("limit of all flat classifiers", [limits["flat"]])

# %% [markdown]
r"""
The third likelihood ratio is taken *at given mass*: it compares an event with signal and background of the same mass. In the background it has the same distribution at every mass, so it shapes nothing at any cut, and it is what perfect planing would lead to. Is the shaping of the planed network really smaller, for every training?
"""


# %%
check.quiz("13.1-q2")

# %%
cuts = np.array([0.8, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02])
figure, axis = plt.subplots(figsize=(8, 4.5))
for (name, values), colour in zip(results.items(), plotting.COLOURS, strict=False):
    curves = [[shaping(mass, r["score"][background], kept, EDGES) for kept in cuts] for r in values]
    mean, spread = np.mean(curves, axis=0), np.std(curves, axis=0, ddof=1)
    axis.errorbar(cuts, mean, spread, fmt="o-", color=colour, capsize=3, label=f"network, {name}")
    of_limit = limits["flat" if name == "planing" else name]["score"][background]
    label = "at given mass" if name == "planing" else name
    axis.plot(
        cuts,
        [shaping(mass, of_limit, kept, EDGES) for kept in cuts],
        "--",
        color=colour,
        label=f"likelihood ratio, {label}",
    )
by_chance = [shaping(mass, random.normal(size=len(mass)), kept, EDGES) for kept in cuts]
axis.plot(cuts, by_chance, ":", color=plotting.INK, label="baseline: a random choice")
axis.set(
    xscale="log",
    yscale="log",
    xlabel="share of the background that is kept",
    ylabel="shaping of the mass (bit)",
    title="Leaving out feature 0 halves the shaping; planing takes nine tenths away",
)
axis.set_xticks(cuts, [f"{kept:.0%}" for kept in cuts])
axis.minorticks_off()
axis.invert_xaxis()
axis.legend(fontsize=7, ncols=2)
plotting.show(
    "Jensen-Shannon divergence against the share of kept background, both axes logarithmic. All curves rise with tighter cuts; "
    "all features highest, without feature 0 at about half of it, planing about ten times below, a random choice far below.",
    figure,
)

# %% [markdown] tags=["answer"]
r"""
**What the comparison says.** With all features the network reaches the limit of the accuracy, 0.864, and turns background into a peak: a third of a bit at a cut of 20 %. Without feature 0 it loses three and a half percentage points and still keeps half of the shaping, since the features 1 to 3 tell the mass. Planing, *with* feature 0 as input, removes more than nine tenths of the
shaping and costs six to seven points.

The random choice is not at zero: two histograms of a finite number of events never agree. That is the floor of the measurement, about (bins - 1) / (8 ln 2) times (1 / events kept - 1 / all events), and a likelihood ratio at given mass lies on it.

What remains of the shaping after planing comes from the two open bins below 70 and above 180 GeV. There one class has hardly any events, weights cannot make the masses equal, and the network rejects background at 300 GeV, where there is no signal. Narrower bins further out make it better in shape and worse in the number of effective events.
"""

# %% [markdown]
r"""
## Section 13.2: an adversary

Planing needs a histogram, which is hopeless in five dimensions. Another way: let a second network, the **adversary**, infer the mass from the *output* of the classifier, for background. As long as it can, the classifier gives the mass away. So the classifier minimises

$$L = L_\text{classifier} - \lambda\, L_\text{adversary},$$

while the adversary minimises $L_\text{adversary}$. Two players and one loss with two signs: a saddle point, which is delicate to train. A layer between the two makes it one ordinary training: forwards it does nothing, backwards it multiplies the gradient by $-\lambda$.

`ops.stop_gradient(x)` has the value of $x$ and the derivative 0. So which combination of `x` and `ops.stop_gradient(x)` has the value $x$ and the derivative $-\lambda$?

**Your task.** Write the layer. Its method `slope`, which is given, asks backpropagation for the derivative.
"""


# %% task="M13.2a" points=2
class GradientReversal(layers.Layer):
    """Hands on its input unchanged, and the gradient, on its way back, times -strength.

    strength: lambda, at least 0.
    """

    def __init__(self, strength):
        super().__init__()
        self.strength = strength

    def call(self, x):
        """x: any shape. Returns the same values."""
        ### BEGIN SOLUTION
        return (1 + self.strength) * ops.stop_gradient(x) - self.strength * x
        ### END SOLUTION

    def slope(self, x):
        """Derivative of the sum of the squares of the outputs by x, as backpropagation finds it."""
        x = ops.convert_to_tensor(x, dtype="float32")
        return autodiff.gradient(lambda value: ops.sum(self(value) ** 2), x)


# %% check="M13.2a"
check("M13.2a", GradientReversal)

# %% [markdown]
r"""
The adversary: it reads one number, the classifier's output *before* the sigmoid (behind it the gradients of sure events vanish). It does not guess the mass itself, since a mean would hide a change of the width, but in which of ten intervals the mass lies, each with a tenth of the background. If it can do no better than chance, its cross-entropy is $\ln 10 = 2.303$.

**Your task.** Build both networks as one Keras model with two outputs, train it, and return a model of the classifier alone.

1. The classifier as before, with a last `Dense(1)` for the logit and `layers.Activation("sigmoid")` behind it.
2. `GradientReversal(strength)` on the logit, two dense layers, a softmax over the ten intervals.
3. `keras.Model(inputs, {"signal": ..., "interval": ...})`; give `compile` a dict with the two losses, `fit` a dict with the two targets, and one with two arrays of sample weights. In the adversary's loss only background counts: weight 2 for background and 0 for signal.
"""


# %% task="M13.2b" points=4
def train_adversarial(x, y, interval, strength, epochs):
    """Train a classifier whose logit shall not tell in which interval the mass of a background event lies.

    x: (n, d); y: (n,), 1 for signal; interval: (n,), whole numbers from 0 to 9; strength: of the reversed gradient.
    Returns the classifier, a Keras model with the output (n, 1), a probability.
    """
    ### BEGIN SOLUTION
    inputs = keras.Input((x.shape[1],))
    hidden = layers.Dense(32, activation="elu")(inputs)
    hidden = layers.Dense(32, activation="elu")(hidden)
    logit = layers.Dense(1)(hidden)
    signal = layers.Activation("sigmoid")(logit)
    guess = GradientReversal(strength)(logit)
    for _ in range(2):
        guess = layers.Dense(32, activation="elu")(guess)
    guess = layers.Dense(10, activation="softmax")(guess)
    both = keras.Model(inputs, {"signal": signal, "interval": guess})
    decay = keras.optimizers.schedules.CosineDecay(0.01, epochs * -(-len(x) // 256))
    both.compile(
        keras.optimizers.Adam(decay),
        {"signal": "binary_crossentropy", "interval": "sparse_categorical_crossentropy"},
        steps_per_execution=20,
    )
    targets = {"signal": y, "interval": interval}
    counts = {"signal": np.ones(len(y)), "interval": 2.0 * (y == 0)}
    both.fit(x, targets, batch_size=256, epochs=epochs, sample_weight=counts, verbose=0)
    return keras.Model(inputs, signal)
    ### END SOLUTION


# %%
of_background = data.x_train[~is_signal, 0]
interval = np.digitize(data.x_train[:, 0], np.quantile(of_background, np.arange(0.1, 0.95, 0.1)))
opposed = None  # until train_adversarial is written
opposed = train_adversarial(data.x_train, data.y_train, interval, 3.0, EPOCHS_DECORRELATED)

# %% check="M13.2b"
check("M13.2b", train_adversarial, result=opposed)

# %%
train_adversarial = check.catch_up("M13.2b", train_adversarial)
adversary = {}
for strength in STRENGTHS:
    models = [opposed] if strength == 3.0 and opposed is not None else []
    while len(models) < TRAININGS:
        x, y = data.x_train, data.y_train
        models.append(train_adversarial(x, y, interval, strength, EPOCHS_DECORRELATED))
    adversary[strength] = [judge_model(model) for model in models]
    report(f"adversary, strength {strength:g}", adversary[strength])

# %% covers="M13.2"
opposed_results = [r for values in adversary.values() for r in values]
least = min(r["at 20 %"] for r in opposed_results)
most_accurate = max(r["accuracy"] for r in opposed_results)
check.claim("M13.2", least, at_most=0.4 * without, wrong=without)
check.claim("M13.2", most_accurate, at_least=0.74, wrong=0.5)

# %% [markdown]
r"""
## Section 13.2: distance correlation

The adversary is one way to measure dependence. A formula is another. Pearson's coefficient will not do: it is blind to all but straight lines. The **distance correlation** of Székely, Rizzo and Bakirov (2007) is zero only if two quantities are independent. From $n$ pairs $(x_i, y_i)$ make all distances
$a_{ij} = |x_i - x_j|$ and $b_{ij} = |y_i - y_j|$, and subtract from each the mean of its row and that of its column, and add the mean of all:

$$A_{ij} = a_{ij} - \bar a_{i\cdot} - \bar a_{\cdot j} + \bar a_{\cdot\cdot}, \qquad
\operatorname{dCov}^2 = \frac1{n^2}\sum_{ij} A_{ij} B_{ij}, \qquad
R^2 = \frac{\operatorname{dCov}^2(x, y)}{\sqrt{\operatorname{dCov}^2(x, x)\, \operatorname{dCov}^2(y, y)}} .$$

It lies between 0 and 1, and is 1 for a straight line of either sign.

**Your task.** Return $R$, the square root.
"""


# %% task="M13.3a" points=3
def distance_correlation(x, y):
    """Distance correlation R of two quantities, from all n^2 distances.

    x, y: (n,). Returns a number from 0 to 1.
    """
    ### BEGIN SOLUTION
    centred = []
    for values in (x, y):
        distance = np.abs(values[:, None] - values[None, :])
        rows, columns = distance.mean(axis=0), distance.mean(axis=1)[:, None]
        centred.append(distance - rows - columns + distance.mean())
    first, second = centred
    return np.sqrt(np.mean(first * second) / np.sqrt(np.mean(first**2) * np.mean(second**2)))
    ### END SOLUTION


# %% check="M13.3a"
check("M13.3a", distance_correlation)

# %% [markdown]
r"""
Three known cases. Independent quantities: $R \to 0$ as $n$ grows, like $1/\sqrt n$, since chance never gives exactly zero. A parabola over a symmetric interval: Pearson's coefficient is 0. And two Gaussian quantities with Pearson's coefficient $\rho$, where the paper has a closed form:

$$R^2 = \frac{\rho \arcsin\rho + \sqrt{1-\rho^2} - \rho\arcsin(\rho/2) - \sqrt{4-\rho^2} + 1}{1 + \pi/3 - \sqrt 3} .$$
"""

# %% covers="M13.3"
distance_correlation = check.catch_up("M13.3a", distance_correlation)
for n in [100, 400, 1600]:
    r = distance_correlation(random.normal(size=n), random.normal(size=n))
    print(f"independent, n = {n:4d}: R = {r:.3f}, R sqrt(n) = {r * n**0.5:.2f}")
x = random.uniform(-1, 1, 1500)
pearson, curved = np.corrcoef(x, x**2)[0, 1], distance_correlation(x, x**2)
print(f"parabola: Pearson {pearson:.3f}, distance correlation {curved:.3f}")
check.claim("M13.3", curved, at_least=0.4, wrong=abs(pearson))

rho, found = 0.7, []
for _ in range(10):
    x, e = random.normal(size=(2, 1500))
    found.append(distance_correlation(x, rho * x + np.sqrt(1 - rho**2) * e) ** 2)
above = rho * np.arcsin(rho) + np.sqrt(1 - rho**2) - rho * np.arcsin(rho / 2)
exact = (above - np.sqrt(4 - rho**2) + 1) / (1 + np.pi / 3 - np.sqrt(3))
print(
    f"Gaussian, rho = {rho}: R^2 = {np.mean(found):.4f} +- {np.std(found) / 3:.4f}, exact {exact:.4f}"
)
check.claim("M13.3", np.mean(found), exact, tolerance=0.02, wrong=rho**2)

# %% [markdown]
r"""
As a penalty in the training it takes the events of one batch, background only:

$$L = L_\text{classifier} + \lambda\, R^2(\text{output}, \text{mass})_\text{background}.$$

No second network and no saddle point. A Keras loss is a function of the targets and the outputs, so let the targets have two columns, the label and the mass. All of it has to be made of `keras.ops`, since it will be differentiated. The number of background events in a batch varies, so do not cut them out (shapes must stay what they are): multiply with $w_i w_j$, where $w$ is 1 for background and 0 for signal, and divide sums by the
number of background events in place of the size of the batch.

**Your task.** Return a function that returns this loss.
"""


# %% task="M13.3b" points=4
def loss_with_penalty(strength):
    """A Keras loss: mean binary cross-entropy plus strength times the squared distance correlation in the background.

    Returns a function of truth (n, 2), columns label (0 or 1) and mass, and probability (n, 1), which returns a scalar.
    """

    ### BEGIN SOLUTION
    def loss(truth, probability):
        label, mass = truth[:, :1], truth[:, 1:]
        chosen = 1 - label
        pairs = chosen * ops.transpose(chosen)

        def centred(values):
            distance = pairs * ops.abs(values - ops.transpose(values))
            rows = ops.sum(distance, axis=1, keepdims=True) / ops.sum(chosen)
            mean = ops.sum(rows) / ops.sum(chosen)
            return pairs * (distance - rows - ops.transpose(rows) + mean)

        first, second = centred(probability), centred(mass)
        widths = ops.sum(first**2) * ops.sum(second**2)
        squared = ops.sum(first * second) / ops.sqrt(widths + 1e-9)
        entropy = keras.losses.binary_crossentropy(label, probability)
        return ops.mean(entropy) + strength * squared

    return loss
    ### END SOLUTION


# %% check="M13.3b"
check("M13.3b", loss_with_penalty)

# %%
loss_with_penalty = check.catch_up("M13.3b", loss_with_penalty)


def train_with_penalty(strength, epochs):
    """The classifier of the exercise, trained with the distance correlation as a penalty."""
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(32, "elu"),
            layers.Dense(32, "elu"),
            layers.Dense(1, "sigmoid"),
        ]
    )
    steps = epochs * -(-len(data.x_train) // 256)
    rate = keras.optimizers.schedules.CosineDecay(0.01, steps)
    model.compile(keras.optimizers.Adam(rate), loss_with_penalty(strength), steps_per_execution=20)
    targets = np.column_stack([data.y_train, data.x_train[:, 0]])
    model.fit(data.x_train, targets, batch_size=256, epochs=epochs, verbose=0)
    return model


penalty = {}
for strength in STRENGTHS:
    models = [train_with_penalty(strength, EPOCHS_DECORRELATED) for _ in range(TRAININGS)]
    penalty[strength] = [judge_model(model) for model in models]
    report(f"distance correlation, strength {strength:g}", penalty[strength])

# %% covers="M13.3"
least = min(r["at 20 %"] for values in penalty.values() for r in values)
check.claim("M13.3", least, at_most=0.25 * without, wrong=without)

# %% [markdown]
r"""
### What is possible

How accurate *can* a selection be that shapes the mass by no more than $J$? At each mass the best selection cuts on the likelihood ratio at given mass; what is free is how tight the cut is at which mass. The accuracy under a bound on $J$ is then a convex problem with one solution, which `toys.planing_tradeoff` computes from the densities. This curve is a **limit**: no
classifier, however trained, lies above it on average. Each point below is one training; both numbers belong to the same selection, output above one half.
"""

# %%
prices = np.geomspace(3e-3, 100, 25)
bound_shaping, bound_accuracy = toys.planing_tradeoff(100 * EDGES, prices)
groups = {f"network, {name}": values for name, values in results.items()}
groups["network, adversary"] = opposed_results
groups["network, distance correlation"] = [r for values in penalty.values() for r in values]
figure, axis = plt.subplots(figsize=(8, 5))
axis.plot(bound_shaping, bound_accuracy, "--", color=plotting.INK, label="limit")
for (name, values), marker, colour in zip(groups.items(), "osD^v", plotting.COLOURS, strict=False):
    points = [(r["shaping"], r["accuracy"]) for r in values]
    axis.plot(*np.transpose(points), marker, color=colour, ms=6, label=name)
for r in limits.values():
    axis.plot(r["shaping"], r["accuracy"], "*", color=plotting.GREY, ms=11)
axis.plot([], [], "*", color=plotting.GREY, ms=11, label="likelihood ratios")
axis.set(
    xscale="log",
    xlim=(2e-4, 0.6),
    ylim=(0.72, 0.875),
    xlabel="shaping of the mass of the background (bit)",
    ylabel="accuracy",
    title="Every decorrelation pays in accuracy; no classifier passes the limit",
)
axis.legend(fontsize=8, loc="lower right")
plotting.show(
    "Accuracy against shaping, the latter logarithmic. The dashed limit falls from 0.864 at a third of a bit to 0.78 at a few "
    "ten-thousandths. All networks lie below it: all features and the network without feature 0 on the right, planing, adversary "
    "and distance correlation between 0.003 and 0.1 bit, one to four percentage points below the limit.",
    figure,
)


def above_limit(accuracy, divergence):
    """How far a point lies above the limit."""
    return accuracy - np.interp(divergence, bound_shaping[::-1], bound_accuracy[::-1])


error = limits["flat"]["error"]
highest = max(
    above_limit(r["accuracy"], r["shaping"]) for values in groups.values() for r in values
)
magic = above_limit(limits["all features"]["accuracy"], limits["flat"]["shaping"])

# %% covers="M13.2"
check.claim("M13.2", highest, at_most=4 * error, wrong=magic)

# %%
check.quiz("13.2-q1")

# %% [markdown] tags=["answer"]
r"""
**Which one?** Planing needs nothing but weights, and is the first thing to try; it works where both classes have events, and in one dimension, two at most. The adversary and the penalty look at the background alone, so they also act in the tails where there is no signal, and they follow the curve as the strength grows. The distance correlation reaches lower values and needs no second network; the adversary
scatters more from one training to the next, and its best strength has to be searched for. A batch of $n$ events costs $n^2$ distances.

None of the networks reaches the limit. It is the optimum for *this* selection and *this* measure, and the losses stand for something a little different: a distance correlation treats all outputs alike, not only those next to the cut.
"""

# %% [markdown]
r"""
## Section 13.1: the error of a result

A network selects events, and a number comes out of it. How uncertain is it? Two questions that need two methods: *how would it scatter if the same experiment were repeated?* The **bootstrap** answers that, from the one data set there is. And: *what if something in the data differs from the simulation that the network was trained on?* Then the inputs are varied within their known uncertainties.

**Bootstrap.** Draw $n$ events out of the $n$ measured ones, *with replacement*, so that some occur twice and some not at all; calculate the result; repeat. The scatter of the results estimates the statistical error, without any formula for it.

**Your task.** Return the numbers of the drawn events, for all replicas at once.
"""


# %% task="M13.5a" points=2
def bootstrap_rows(n, replicas, seed):
    """Numbers of the events in each bootstrap replica of a set of n events.

    seed: of numpy.random.default_rng, so that the same replicas can be drawn again. Returns an integer array (replicas, n).
    """
    ### BEGIN SOLUTION
    return np.random.default_rng(seed).integers(n, size=(replicas, n))
    ### END SOLUTION


# %% check="M13.5a"
check("M13.5a", bootstrap_rows)

# %% [markdown]
r"""
First a case with a known answer: the accuracy of the planed network on 2000 test events, whose error is $\sqrt{a(1-a)/n}$.
"""

# %% covers="M13.5"
bootstrap_rows = check.catch_up("M13.5a", bootstrap_rows)
planed = classifiers["planing"][0]
right = (results["planing"][0]["score"][:2000] > 0.5) == (y_judged[:2000] == 1)
replicas = right[bootstrap_rows(2000, 1000, check.seed)].mean(axis=1)
accuracy, formula = metrics.accuracy_with_error(right)
print(
    f"accuracy {accuracy:.4f}: error {replicas.std():.4f} from the bootstrap, {formula:.4f} from the formula"
)
check.claim("M13.5", replicas.std() / formula, 1.0, tolerance=0.12, wrong=np.sqrt(1 - 1 / np.e))

# %% [markdown]
r"""
Now a physics result: which share $f$ of the measured events is signal? A share $\varepsilon$ of them passes the cut. If a share $\varepsilon_s$ of simulated signal and $\varepsilon_b$ of simulated background passes, then

$$\varepsilon = f\,\varepsilon_s + (1 - f)\,\varepsilon_b .$$

**Your task.** Solve for $f$. The result of one experiment may well be negative, where the background fluctuates down; cutting it off at zero would bias the mean over many experiments.
"""


# %% task="M13.5b" points=2
def signal_share(data_score, signal_score, background_score, threshold):
    """Share of signal in data, from the shares of data, simulated signal and simulated background above a threshold.

    data_score: (..., n), so that many data sets can be treated at once; signal_score, background_score: (m,), (k,).
    Returns a number, or an array (...).
    """
    ### BEGIN SOLUTION
    signal_passes = np.mean(signal_score > threshold)
    background_passes = np.mean(background_score > threshold)
    passes = np.mean(data_score > threshold, axis=-1)
    return (passes - background_passes) / (signal_passes - background_passes)
    ### END SOLUTION


# %% check="M13.5b"
check("M13.5b", signal_share)

# %% [markdown]
r"""
Does an interval that claims 68.3 % contain the truth in 68.3 % of all cases? Nobody can repeat the experiment, but the simulator can: pseudo-experiments of 2000 events with a known share of signal, each with its own bootstrap. The *coverage* is the share of experiments whose interval, from the 15.9 % to the 84.1 % quantile of the replicas, contains it.
"""

# %% covers="M13.5"
signal_share = check.catch_up("M13.5b", signal_share)
TRUE_SHARE, N_EVENTS = 0.2, 2000


def score_at(model, x, scale=1.0, first=0):
    """Output of a classifier for events whose masses are measured too high by the factor ``scale``."""
    moved = np.array(x)
    moved[:, 0] *= scale
    return model.predict(moved[:, first:], batch_size=20_000, verbose=0)[:, 0]


def share_in(score, scores_of_simulation):
    """Share of signal for scores (..., n) and the scores of the simulated table."""
    signal, noise = (scores_of_simulation[y_judged == label] for label in (1, 0))
    return signal_share(score, signal, noise, 0.5)


experiments = toys.simulate_planing(
    N_EXPERIMENTS * N_EVENTS, seed=check.seed + 2, signal_fraction=TRUE_SHARE
)
x_experiments = experiments.x / UNITS
nominal = results["planing"][0]["score"]
scores = score_at(planed, x_experiments).reshape(N_EXPERIMENTS, N_EVENTS)
measured = share_in(scores, nominal)
low, high = np.empty((2, N_EXPERIMENTS))
for k in range(N_EXPERIMENTS):
    rows = bootstrap_rows(N_EVENTS, REPLICAS, check.seed + k)
    low[k], high[k] = np.quantile(share_in(scores[k][rows], nominal), norm.cdf([-1, 1]))
covered, covered_error = metrics.accuracy_with_error((low < TRUE_SHARE) & (high > TRUE_SHARE))
wanted = norm.cdf(1) - norm.cdf(-1)
print(f"one experiment: share of signal {measured[0]:.3f}, interval {low[0]:.3f} to {high[0]:.3f}")
print(
    f"mean of all {measured.mean():.4f} +- {measured.std() / N_EXPERIMENTS**0.5:.4f}, truth {TRUE_SHARE}"
)
print(f"coverage {covered:.3f} +- {covered_error:.3f}, claimed {wanted:.3f}")
half = np.abs(measured - TRUE_SHARE) < (high - low) / 4  # an interval of half the width
check.claim("M13.5", covered, wanted, tolerance=4 * covered_error, wrong=half.mean())

# %% [markdown]
r"""
### Inputs that are not quite right

So far data and simulation agree. Suppose now that the mass scale of the detector is known to 5 %: the masses in the data may all be too high or too low by a factor $1 + \delta$, with a standard deviation of $\delta$ of 0.05. The bootstrap knows nothing of that, since all replicas are made of the same data. So move the *inputs* of the simulation by one standard deviation up and down, and see where the result goes:

$$\sigma_\text{scale} = \tfrac12\, \big| f(+5\,\%) - f(-5\,\%) \big| .$$
"""

# %%
SCALE_ERROR = 0.05
scale_error = {}
print("share of signal, for a simulated mass scale 5 % lower, as it is, 5 % higher")
for name, first in [("all features", 0), ("without feature 0", 1), ("planing", 0)]:
    model = classifiers[name][0]
    score = score_at(model, x_experiments[:100_000], first=first)
    shares = [
        share_in(score, score_at(model, x_judged, 1 + delta, first))
        for delta in (-SCALE_ERROR, 0, SCALE_ERROR)
    ]
    scale_error[name] = abs(shares[2] - shares[0]) / 2
    print(f"{name:18s}" + "".join(f"{f:8.4f}" for f in shares) + f"   +- {scale_error[name]:.4f}")

# %%
check.quiz("13.1-q3")

# %% [markdown]
r"""
The planed classifier shapes least, and is the most sensitive to the mass scale: it uses the mass to undo what comes from the mass in the other features, and a wrong mass undoes wrongly. *Decorrelated is not robust.* The classifier without the mass cannot notice; the one with all features cuts on both sides of the peak, where a small shift gains on one side what it loses on the other.

Is half the difference the right error? Pseudo-experiments again, now each with a mass scale of its own, drawn from a Gaussian distribution with a standard deviation of 5 %. The analysis does not know it, and adds both errors in quadrature.
"""

# %% covers="M13.5"
deltas = np.repeat(random.normal(0, SCALE_ERROR, N_EXPERIMENTS), N_EVENTS)
scores = score_at(planed, x_experiments, 1 + deltas).reshape(N_EXPERIMENTS, N_EVENTS)
moved = share_in(scores, nominal)
statistical = np.empty(N_EXPERIMENTS)
for k in range(N_EXPERIMENTS):
    rows = bootstrap_rows(N_EVENTS, REPLICAS, check.seed + k)
    statistical[k] = share_in(scores[k][rows], nominal).std()
total = np.hypot(statistical, scale_error["planing"])
off = np.abs(moved - TRUE_SHARE)
alone, _ = metrics.accuracy_with_error(off < statistical)
covered, covered_error = metrics.accuracy_with_error(off < total)
print(
    f"share of signal of one experiment: {moved[0]:.3f} +- {statistical[0]:.3f} +- {scale_error['planing']:.3f}"
)
print(f"scatter of all {moved.std():.4f}, claimed {total.mean():.4f}")
print(
    f"coverage with the bootstrap alone {alone:.3f}, with both {covered:.3f} +- {covered_error:.3f}"
)
check.claim("M13.5", covered, wanted, tolerance=4 * covered_error, wrong=alone)

# %%
figure, axis = plt.subplots(figsize=(8, 3.8))
bins = np.linspace(0.05, 0.35, 41)
axis.hist(measured, bins, color=plotting.COLOURS[0], alpha=0.5, label="scale as simulated")
axis.hist(moved, bins, histtype="step", lw=2, color=plotting.COLOURS[1], label="scale known to 5 %")
centres = np.linspace(0.05, 0.35, 400)
for width, colour, name in [
    (statistical.mean(), plotting.COLOURS[0], "bootstrap"),
    (total.mean(), plotting.COLOURS[1], "bootstrap and scale"),
]:
    curve = N_EXPERIMENTS * (bins[1] - bins[0]) * norm.pdf(centres, TRUE_SHARE, width)
    axis.plot(centres, curve, "--", color=colour, label=f"claimed: {name}")
axis.axvline(TRUE_SHARE, color=plotting.INK, lw=1)
axis.set(
    xlabel="measured share of signal",
    ylabel="pseudo-experiments",
    title="The bootstrap sees the statistics; the scale has to be added",
)
axis.legend(fontsize=8)
plotting.show(
    "Histograms of the measured share of signal around the true 0.2, a narrow one without and a wider one with the uncertain mass "
    "scale; the Gaussian curves of the claimed errors follow them.",
    figure,
)

# %% [markdown] tags=["answer"]
r"""
**What the intervals say.** The bootstrap gives the statistical error of one experiment without repeating it, and its interval covers the truth about as often as it claims. (The mean of all experiments may be off by a few thousandths: the efficiencies come from 100 000 simulated events and have a statistical error of their own, common to all experiments.) It cannot see what is common to all events: with an uncertain mass scale its coverage drops from 68 % to below half. The variation of the inputs supplies what is missing, and the sum in quadrature covers again.

In the language of section 13.1: the bootstrap is about the limited statistics of the *prediction*, the varied inputs about a shift between simulation and data. Neither tells whether the network was trained on enough events; that takes several trainings, as in the spreads above.
"""

# %% tags=["instructor"]
# Timing: exercise 13.1 40 min, adversary 15, distance correlation 15, bootstrap and systematics 20.
# Common mistakes: the distance of jensenshannon not squared; the cut placed at a share of all events; probabilities
# compared before they are normalised; weights 1 / bin content that add up to the number of bins; a bin without events
# divided by; the reversed sign in the classifier's own loss as well; events cut out of a batch in place of masked.
# Discussion: (1) How would you decorrelate from two features? (2) Is a limit of 0.86 on the accuracy of any use if the
# mass has to stay unshaped? (3) Which of the three classifiers would you take for a measurement of the share, and which
# for a search for a peak? (4) What would the bootstrap say about a bias of the simulation?
for question, answer in [("13.1-q1", 2), ("13.1-q2", 3), ("13.2-q1", 1), ("13.1-q3", 2)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A classifier shapes what it knows. Leaving a feature out is not enough if others know it too.
- Measure the shaping, for the cut that will be used, and know the floor of the measure: a random choice.
- Planing makes classes equal where both have events. Adversary and distance correlation act on the background alone; the latter needs no second player.
- The accuracy under a bound on the shaping has a limit. No method passes it.
- Decorrelated is not robust: a classifier that uses a feature to undo it depends on that feature being right.
- Bootstrap for statistics, varied inputs for systematics, pseudo-experiments to see whether the interval covers.
"""

# %%
check.summary()
