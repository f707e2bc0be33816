# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 8, title: Convolutional networks, level: 2, minutes: 90, sections: "8.1-8.7", data: [ising], fast: {N_LATTICES: 2600, N_COMPARISON: 2600, N_LARGE: 520, EPOCHS: 1}}
# ---
# %% [markdown]
r"""
# Convolutional networks

**You will**

- build a convolutional network that recognises magnetic phases and takes lattices of any size;
- train it, and measure its accuracy at every temperature, with errors;
- compare it with the dense network of exercise 7.1, with a cut on the magnetisation, and with the best classifier that can exist;
- find out what the network has learnt, and write the same network down by hand.

**You need** exercise 7.1 (Ising lattices, binary cross-entropy), `keras.Sequential`, and the standard error of a fraction.
**Time:** about 90 minutes. The cells themselves run in about a minute.

**You will see** a network with 177 parameters do better than one with 33 889, and understand why.

The operations of the chapter one at a time (padding, stride, dilation, pooling, receptive field, transposed convolution, Inception, ResNet, U-Net)
stand in `ch08_examples`, the book's examples 8.1 to 8.5 and 8.7 as well. Examples 8.6 and 8.8 to 8.11 stand in `ch08_images`, hexagonal convolutions in
`ch08_hexagonal`, and the air showers of the online exercise 8.2 in `ch08_airshowers`.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.layers import PeriodicPadding2D
from dlphys.simulators import ising

check = checks.start("ch08_convolutional")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_LATTICES = 26_000  # 32 x 32 lattices: training, validation and test together
N_COMPARISON = 26_000  # new lattices for the comparison of classifiers
N_LARGE = 5_200  # 48 x 48 lattices, for the test on another size
EPOCHS = 3

# %% [markdown]
r"""
## What a convolution is

In exercise 7.1 every spin had its own weight, so the network had to learn the same pattern again at every place of the lattice. A convolution learns it once.
A small filter slides over the lattice, and at each site $i$ it takes a weighted sum over the neighbourhood $N_i$ (the site itself belongs to it):

$$x'_i = \sum_{j\in N_i} W_j\, x_j + b, \qquad y'_i = \sigma(x'_i). \tag{8.1, 8.2}$$

The weights carry no index $i$: they are **shared** by all sites. One filter gives one *feature map*. With $n_c$ channels coming in, a filter of
$n_w \times n_h$ sites and $n_f$ filters, the layer has

$$n_\mathrm{params} = n_c\, n_w\, n_h\, n_f + n_f \tag{8.4}$$

parameters. Look at what does not occur in this formula.
"""

# %%
check.quiz("8.1-q1")

# %% [markdown]
r"""
## Exercise 8.1: magnetic phases

The Ising model puts a spin $s_i = \pm 1$ on each site of a square lattice with periodic borders, a torus. The energy

$$E = -\sum_{\langle ij\rangle} s_i s_j$$

couples nearest neighbours only, and shifting all spins changes nothing. So the physics is *local* and *the same everywhere*, the two
things that a convolution assumes.

The lattices below are drawn with the Boltzmann weight $e^{-E/T}$ at 26 temperatures (energies in units of the coupling $J$, temperatures in $J/k_B$).
The label is 1 (ferromagnetic) below the critical temperature $T_c = 2/\ln(1+\sqrt 2) = 2.269$ and 0 (paramagnetic) above. Chapter 7 shows
the Metropolis algorithm that makes them in about 20 plain lines; $e^{-a/T}$ in the book's text is a sketch of its acceptance rule for a spin flip.
"""

# %%
data = datasets.load_ising(N_LATTICES, seed=check.seed)
temperature = data.extra_test["temperature"]
truth = data.y_test
data

# %%
shown = [1.5, 2.1, 2.2, 2.3, 2.4, 3.5]
rows = [np.flatnonzero(np.isclose(temperature, t))[0] for t in shown]
plotting.lattices(
    data.x_test[rows], shown, title="Near $T_c$ = 2.27 clusters of every size: which phase is it?"
)

# %% [markdown]
r"""
**How good can it get?** Here, for once, we know. The spins enter their probability $e^{-E/T}/Z(T)$ through $E$ alone, so nothing else about a lattice can
tell its temperature. Over all temperatures no classifier, trained or not, can beat the best cut on the energy. Its accuracy follows from the exact number
of states at each energy; averaged over the 26 temperatures it is the **limit** of this exercise. Just below and above $T_c$ even that classifier
must guess: on a lattice of 32 x 32 spins the energy fluctuates too much.
"""

# %%
optimal_accuracy = ising.bayes_accuracy()
limit = optimal_accuracy.mean()
baseline, baseline_error = metrics.accuracy_with_error(
    ising.magnetization_cut(data.x_test[..., 0]) == truth
)
print(f"limit, best classifier possible:      {limit:.4f}")
print(f"baseline, cut on the magnetisation:   {baseline:.4f} +- {baseline_error:.4f}")
for t, a in zip(ising.COURSE_TEMPERATURES, optimal_accuracy, strict=True):
    if a < 0.999:
        print(f"   at T = {t:.1f} the best classifier is right in {a:.1%} of cases")

# %%
check.quiz("8.1-q2")

# %% [markdown]
r"""
### The network

*Global average pooling* replaces each feature map by its mean over all sites. That is what a physicist would do: energy and magnetisation per spin are means
over the lattice as well. It leaves one number a map, whatever the size of the lattice, and forgets where on the lattice a pattern was.

**Your task.** Build a network for spin lattices: one or more convolutions with small filters and ReLU, then global average pooling, then one output with a sigmoid,
the probability of the ferromagnetic phase. It has to accept lattices of any size.

Stuck? `check.hint("8.1a")` gives up to three hints.
"""


# %% task="8.1a" points=2 covers="E8.1/1"
def build_cnn():
    """A convolutional classifier for spin lattices of shape (any height, any width, 1).

    Returns a Keras model, not yet compiled; its output (n, 1) is the probability of the ferromagnetic phase.
    """
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    ### END SOLUTION


# %% check="8.1a"
check("8.1a", build_cnn)

# %%
build_cnn = check.catch_up("8.1a", build_cnn)
build_cnn().summary()

# %% [markdown]
r"""
**Predict.** The limit and the baseline are printed above. The dense network of exercise 7.1 classified a little less than 98 % correctly. What will the
convolutional network reach, as a fraction between 0 and 1?
"""

# %%
check.predict(
    "8.1-accuracy",
    None,
    question="Which fraction of the test lattices will the convolutional network classify correctly?",
)

# %% [markdown]
r"""
### The training

**Your task.** Compile the model, train it for `epochs` epochs, watch the validation data, and return the model. The loss for one probability is the binary
cross-entropy. Two things to decide: the batch size, and a learning rate that is large at the start and small at the end
(`keras.optimizers.schedules.CosineDecay`), so that three epochs are enough and the result does not depend on the last few batches.
"""


# %% task="8.1b" points=2 covers="E8.1/1"
def train_cnn(model, x_train, y_train, x_validation, y_validation, epochs):
    """Compile ``model``, fit it to the training data for ``epochs`` epochs, and return it.

    x: (n, height, width, 1), spins +1 and -1; y: (n,), 1 for ferromagnetic. Metric: accuracy.
    """
    ### BEGIN SOLUTION
    batch_size = 64
    steps = epochs * int(np.ceil(len(x_train) / batch_size))
    learning_rate = keras.optimizers.schedules.CosineDecay(5e-3, steps)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(x_validation, y_validation),
        verbose=2,
    )
    return model
    ### END SOLUTION


# %%
cnn = None  # until train_cnn is written
cnn = train_cnn(
    build_cnn(), data.x_train, data.y_train, data.x_validation, data.y_validation, EPOCHS
)

# %% check="8.1b"
check("8.1b", train_cnn, result=cnn)

# %%
train_cnn = check.catch_up("8.1b", train_cnn)
if cnn is None:
    cnn = train_cnn(
        build_cnn(), data.x_train, data.y_train, data.x_validation, data.y_validation, EPOCHS
    )
plotting.training_curves(
    cnn.history, metric="accuracy", title="No gap opens between training and validation"
)

# %% [markdown]
r"""
Nothing is learnt by heart. (The 2000 validation lattices fluctuate: their accuracy has an error of 0.003.) The test lattices have not been used so far. The limit binds the *average* over many lattices, so on 6000 of them an accuracy may lie above it by chance;
if it does so by more than three standard errors, something is wrong with the test.
"""

# %%
predicted = (cnn.predict(data.x_test, batch_size=500, verbose=0)[:, 0] > 0.5).astype(int)
accuracy, error = metrics.accuracy_with_error(predicted == truth)
print(
    f"test accuracy {accuracy:.4f} +- {error:.4f}, {(accuracy - limit) / error:+.1f} standard errors from the limit {limit:.4f}"
)
check.confront("8.1-accuracy", accuracy)

# %%
check.quiz("8.1-q3")

# %% [markdown]
r"""
### Accuracy against temperature

**Your task.** Return the accuracy at each of the temperatures, with its statistical error. With $n$ lattices at a temperature, a fraction $a$ of them classified
correctly, the standard error of this binomial fraction is
$$\sigma_a = \sqrt{\frac{a\,(1-a)}{n}}.$$
"""


# %% task="8.1c" points=2 covers="E8.1/2"
def accuracy_by_temperature(predicted, truth, temperature):
    """Accuracy and its standard error at each distinct temperature.

    predicted, truth: labels 0 and 1, shape (n,); temperature: shape (n,), in any order.
    Returns three arrays of one length: temperatures (ascending), accuracies, errors.
    """
    ### BEGIN SOLUTION
    temperatures = np.unique(temperature)
    correct = [predicted[temperature == t] == truth[temperature == t] for t in temperatures]
    accuracy = np.array([c.mean() for c in correct])
    number = np.array([len(c) for c in correct])
    return temperatures, accuracy, np.sqrt(accuracy * (1 - accuracy) / number)
    ### END SOLUTION


# %% check="8.1c"
check("8.1c", accuracy_by_temperature)

# %%
accuracy_by_temperature = check.catch_up("8.1c", accuracy_by_temperature)
plotting.accuracy_by_temperature(
    {"convolutional network": accuracy_by_temperature(predicted, truth, temperature)},
    optimal=(ising.COURSE_TEMPERATURES, optimal_accuracy),
    title="Near $T_c$ even the optimal classifier must guess",
)

# %% [markdown]
r"""
The dashed curve is the optimal classifier at each temperature. It is a curve to compare with, not a limit: a network that leans towards "ferromagnetic" gains at
$T = 2.2$ and pays at $T = 2.3$. Only the average has a limit.

Where all lattices are right, the binomial formula gives the error zero, as if more lattices could teach us nothing. `metrics.accuracy_with_error` gives about
$1/n$ there.

### Comparison with exercise 7.1

The dense network of exercise 7.1, the cut on $|m|$, and the optimal classifier itself (it calls a lattice ferromagnetic if its energy per spin lies below
$-1.467$) are to be compared with ours. The candidates differ by a few tenths of a percent only, and 6000 lattices leave an error of 0.16 %. Two remedies:

- *More lattices.* The simulator makes as many new ones as the question needs; nobody has been trained on them.
- *The same lattices for all.* A hopeless lattice is hopeless for everybody, so the accuracies fluctuate together, and their difference is known better
  than the two errors suggest. For each lattice let $d = 1$ if only the first classifier is right, $d = -1$ if only the second is, and $d = 0$ otherwise. The difference of the
  accuracies is the mean of $d$, and its standard error that of a mean: the standard deviation of $d$ over $\sqrt n$.

**Your task.** Return this difference and its standard error.
"""


# %% task="8.1d" points=2 covers="E8.1/3"
def compare(first, second, truth):
    """Difference in accuracy of two classifiers on the same lattices: first minus second, and its standard error.

    first, second: predicted labels, shape (n,); truth: labels, shape (n,). Returns two numbers.
    """
    ### BEGIN SOLUTION
    d = (first == truth).astype(float) - (second == truth).astype(float)
    return d.mean(), d.std() / np.sqrt(len(d))
    ### END SOLUTION


# %% check="8.1d"
check("8.1d", compare)

# %%
compare = check.catch_up("8.1d", compare)

new = ising.simulate(N_COMPARISON, seed=check.seed + 1)
x_new = new.spins[..., np.newaxis].astype("float32")
truth_new = (new.temperature < ising.LABEL_TEMPERATURE).astype(int)


def labels(model, x):
    """Labels 0 and 1 from the probabilities of a network."""
    return (model.predict(x, batch_size=500, verbose=0)[:, 0] > 0.5).astype(int)


dense = check.trained("7.1")
predicted = {
    "convolutional network": labels(cnn, x_new),
    "dense network (7.1)": labels(dense, x_new),
    "cut on |m|": ising.magnetization_cut(new.spins).astype(int),
    "optimal: cut on the energy": (new.energy < -1.467).astype(int),
}
print(
    "classifier                    accuracy           s.e. from the limit    first minus this one"
)
for name, found in predicted.items():
    value, error = metrics.accuracy_with_error(found == truth_new)
    difference, uncertainty = compare(predicted["convolutional network"], found, truth_new)
    line = f"{name:28s}  {value:.4f} +- {error:.4f}  {(value - limit) / error:+12.1f}"
    print(line + (f"{difference:+20.4f} +- {uncertainty:.4f}" if uncertainty > 0 else ""))

# %%
curves = {
    name: accuracy_by_temperature(found, truth_new, new.temperature)
    for name, found in predicted.items()
    if "optimal" not in name
}
plotting.accuracy_by_temperature(
    curves,
    optimal=(ising.COURSE_TEMPERATURES, optimal_accuracy),
    title="The convolution reaches the optimum, the dense network does not",
)

# %% [markdown] tags=["answer"]
r"""
**What the comparison says.** The dense network of 7.1 has 33 889 parameters, seven times as many as the convolutional one with its 4833, and yet it is worse, by more than half a
percentage point: many standard errors of the paired difference, nearly all of it at the two temperatures next to $T_c$. It has to learn from 18 000 lattices that all sites are
alike; the convolution starts with it. The convolutional network lies at the limit within about two standard errors. The paired difference sees sharper: the optimal
classifier is ahead by one or two lattices in a thousand at most. No other network, however large, can gain more than that.

The cut on $|m|$ deserves respect: one number that needs no training, and only 0.3 % below the limit. Six thousand lattices would hardly tell it from the
convolutional network; 26 000 do.
"""

# %% tags=["instructor"]
# Timing: (a) 15 min, (b) 15, (c) 10, (d) 15, the energy by hand 15, the rest reading.
# Common mistakes: Flatten in place of pooling (then 48 x 48 fails), softmax over one output, MSE as loss, the error of all lattices at each temperature.
# Discussion: (1) why is |m| not sufficient, although it is the order parameter? It depends on the spins beyond E, and wastes what E knows about T.
# (2) A group reports 99.5 % on 32 x 32 lattices: neighbouring Monte Carlo states in training and test set, or a test set without T = 2.2 and 2.3.
# (3) Where does the paired error gain most? Against the optimal classifier: both fail on the same lattices.
for question, answer in [("8.1-q1", 3), ("8.1-q2", 2), ("8.1-q3", 4)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## What has the network learnt?

The optimal classifier looks at the energy. Does the network? The *logit* $\ln\frac{p}{1-p}$ is the number in front of the sigmoid. If the network
computes the energy, the logit is a function of $E$ alone, and the points in the next figure fall on a line.
"""

# %%
p = np.clip(cnn.predict(x_new, batch_size=500, verbose=0)[:, 0].astype(float), 1e-7, 1 - 1e-7)
logit = np.log(p / (1 - p))
magnetization = np.abs(new.magnetization)
near = np.abs(logit) < 15  # beyond, single precision calls the probability 0 or 1
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True)
for axis, quantity, name in zip(
    axes, [new.energy, magnetization], ["energy per spin ($J$)", "$|m|$"], strict=True
):
    for label, marker, phase in [(1, "o", "ferromagnetic"), (0, "x", "paramagnetic")]:
        chosen = np.flatnonzero(near & (truth_new == label))[:2500]
        axis.plot(quantity[chosen], logit[chosen], marker, ms=3, alpha=0.6, label=phase)
    axis.axhline(0, color=plotting.GREY, lw=1)
    axis.set(xlabel=name)
axes[0].axvline(-1.467, color=plotting.GREY, lw=1, ls="--", label="optimal cut")
axes[0].set(ylabel="logit of the network")
axes[0].legend()
figure.suptitle("The network has found the energy: its output hardly depends on anything else")
plotting.show(
    "Two scatter plots of the network's logit. Against the energy the points lie on a narrow falling band that "
    "crosses zero at the optimal cut; against the magnetisation they scatter widely.",
    figure,
)
print(
    f"correlation of the logit with the energy:  {np.corrcoef(logit[near], new.energy[near])[0, 1]:+.3f}"
)
print(
    f"correlation of the logit with |m|:         {np.corrcoef(logit[near], magnetization[near])[0, 1]:+.3f}"
)

# %% [markdown]
r"""
### The same network, written by hand

Nobody told the network about energies; it needed 20 000 lattices to find out. We can be quicker. For two spins $s, s' = \pm 1$

$$\mathrm{ReLU}(s + s') + \mathrm{ReLU}(-s - s') = |s + s'| = 1 + s\,s' ,$$

so a filter that adds two neighbours, its negative, and a ReLU give the product of two spins: the energy of a bond. Each site has two bonds of its own, one
to the right and one downwards. Four filters of 2 x 2, the average over all sites, and one linear output with the right weights and bias
are the energy per spin.

One thing is left: the border. Padding with zeros cuts the bonds across it, but the lattice is a torus. `PeriodicPadding2D(((0, 1), (0, 1)))` continues it by
one row at the bottom and one column on the right, and a convolution without padding (`"valid"`) brings it back to its size.

**Your task.** Build a network whose output is the energy per spin, exactly, by setting its weights. No training. Use
`layer.set_weights([kernel, bias])`; the kernel of a convolution has the shape (height, width, channels in, filters).
"""


# %% task="8.1e" points=3
def energy_network():
    """A network with fixed weights that maps lattices (n, L, L, 1) to their energy per spin (n, 1).

    Layers: PeriodicPadding2D, Conv2D with four filters of 2 x 2 and ReLU, GlobalAveragePooling2D, Dense(1).
    """
    ### BEGIN SOLUTION
    kernel = np.zeros((2, 2, 1, 4))
    kernel[0, :, 0, 0] = 1.0  # this spin + its right neighbour
    kernel[0, :, 0, 1] = -1.0
    kernel[:, 0, 0, 2] = 1.0  # this spin + the one below
    kernel[:, 0, 0, 3] = -1.0
    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            PeriodicPadding2D(((0, 1), (0, 1))),
            layers.Conv2D(4, 2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1),
        ]
    )
    model.layers[1].set_weights([kernel, np.zeros(4)])
    model.layers[3].set_weights([-np.ones((4, 1)), np.array([2.0])])
    return model
    ### END SOLUTION


# %% check="8.1e"
check("8.1e", energy_network)

# %% [markdown]
r"""
## How small, and how symmetric?

So one layer of convolutions is enough. We train such a network: 16 filters of 3 x 3 on the torus, the average, one output, and no pooling in between. It has
$16\cdot 9 + 16 + 17 = 177$ parameters.
"""

# %%
keras.utils.set_random_seed(check.seed)
smallest = keras.Sequential(
    [
        keras.Input((None, None, 1)),
        PeriodicPadding2D(1),
        layers.Conv2D(16, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
smallest = train_cnn(
    smallest, data.x_train, data.y_train, data.x_validation, data.y_validation, EPOCHS
)
predicted["one layer on the torus"] = labels(smallest, x_new)

# %%
energy_network = check.catch_up("8.1e", energy_network)
parameters = {
    "convolutional network": cnn.count_params(),
    "dense network (7.1)": dense.count_params(),
    "cut on |m|": 1,
    "optimal: cut on the energy": energy_network().count_params() + 1,
    "one layer on the torus": smallest.count_params(),
}
figure, axis = plt.subplots(figsize=(7.5, 4))
for name, number in parameters.items():
    value, error = metrics.accuracy_with_error(predicted[name] == truth_new)
    axis.errorbar(number, value, error, fmt="o", capsize=3)
    axis.annotate(
        f"{name}\n({number})",
        (number, value),
        fontsize=8.5,
        va="top",
        xytext=(6, -2),
        textcoords="offset points",
    )
axis.axhline(limit, color=plotting.INK, ls="--", lw=1.5, label="limit")
axis.set(xscale="log", xlim=(0.6, 1e6), xlabel="number of parameters", ylabel="accuracy (fraction correct)",
         title="The right symmetry is worth more than many parameters")  # fmt: skip
axis.legend(loc="lower left")
plotting.show(
    "Accuracy against number of parameters. The one-layer network with 177 parameters and the convolutional network "
    "with 4833 lie at the limit, the dense network with 33889 lies below.",
    figure,
)

# %% [markdown]
r"""
### Translations

A convolution is *equivariant*: shifting the lattice shifts its feature maps. Averaging over the sites then makes the output *invariant*. On a torus this
holds exactly, if nothing breaks it. Two things can: zeros at the border, and pooling (or a stride), after which only shifts by a whole number of
pooling windows remain symmetries. The table shows the largest change of the output when all spins are shifted by a few columns.
"""

# %%
lattices = data.x_test[np.abs(temperature - 2.25) < 0.1][:200]
print("shift by   convolutional network     one layer on the torus")
for shift in [1, 2, 8]:
    moved = np.roll(lattices, shift, axis=2)
    change = [
        np.abs(model.predict(moved, verbose=0) - model.predict(lattices, verbose=0)).max()
        for model in (cnn, smallest)
    ]
    print(f"{shift:5d}      {change[0]:12.1e}              {change[1]:12.1e}")

# %%
check.quiz("8.1-q4")

# %% [markdown]
r"""
### Another lattice size, the same weights

Nothing in these networks depends on 32. Here they classify lattices of 48 x 48 spins, which they have never seen. A larger lattice has
smaller fluctuations of the energy per spin, so its limit is higher. The dense network of 7.1 cannot take part: its first layer has a weight for each of 1024 sites.
"""

# %%
large = ising.simulate(N_LARGE, size=48, seed=check.seed)
x_large = large.spins[..., np.newaxis].astype("float32")
truth_large = (large.temperature < ising.LABEL_TEMPERATURE).astype(int)
large_optimal = ising.bayes_accuracy(size=48)
large_curves = {}
print(f"limit for 48 x 48:        {large_optimal.mean():.4f}")
for name, model in [("convolutional network", cnn), ("one layer on the torus", smallest)]:
    labels = (model.predict(x_large, batch_size=500, verbose=0)[:, 0] > 0.5).astype(int)
    value, error = metrics.accuracy_with_error(labels == truth_large)
    print(
        f"{name:24s}  {value:.4f} +- {error:.4f}, {(value - large_optimal.mean()) / error:+.1f} standard errors from its limit"
    )
    large_curves[f"{name}, 48 x 48"] = accuracy_by_temperature(
        labels, truth_large, large.temperature
    )

# %%
plotting.accuracy_by_temperature(
    {"convolutional network, 32 x 32": curves["convolutional network"], **large_curves},
    optimal=(ising.COURSE_TEMPERATURES, large_optimal),
    title="Weights from 32 x 32, lattices of 48 x 48: nearly optimal",
)

# %% tags=["instructor"]
# The threshold of the optimal cut moves with the size (-1.467 for 32, -1.463 for 48), so the weights of 32 x 32 are not quite optimal for 48 x 48.
# The zero border matters less on the larger lattice: its share is 4/L. Ask for the limit L -> infinity: accuracy 1 at every T except T_c.
check.quiz("8.1-q4", 1)

# %% [markdown]
r"""
## Key points

- A convolution shares its weights between all sites; their number (8.4) does not depend on the size of the lattice.
- Global average pooling makes the output independent of where a pattern is, and lets the network take lattices of any size.
- Know the limit before you tune. Here it is 98.6 %: the network reaches it within its statistical error, a dense network with seven times the parameters does not.
- Classifiers tested on the same events are compared by the paired difference; its error is smaller than the two errors suggest.
- The network had found the energy, the sufficient statistic of the problem. One layer with a ReLU can hold it.
- Zero padding and pooling break the translation symmetry of a torus a little; periodic padding keeps it exact.
"""

# %%
check.summary()
