# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 3, title: Building blocks of neural networks, level: 1, minutes: 80, sections: "3.1-3.5", data: [wine], fast: {N_SPLITS: 5}}
# ---
# %% [markdown]
r"""
# Building blocks of neural networks

**You will**

- write a layer of a network in a few lines, and say what its weights, its bias and its activation do;
- show that layers without an activation function fall together into a single one;
- predict the quality of a wine from its chemistry with one linear node, and judge the prediction as a physicist does:
  with a statistical error, beside a baseline, and with open eyes for flaws of the data.

**You need** matrix products in NumPy, correlation coefficients from a first statistics course, and chapter 1 of this course for how to work with
a notebook. **Time:** about 80 minutes. The cells themselves run in half a minute.

**You will see** three activation functions, eleven distributions, a correlation that is real and a success that is not.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting

check = checks.start("ch03_building_blocks")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from matplotlib.colors import LogNorm
from sklearn.neighbors import KNeighborsRegressor

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
NODES = 8  # nodes in each hidden layer of the random networks
N_SPLITS = 50  # divisions of the wine table into training and test

# %% [markdown]
r"""
## Sections 3.1 and 3.2: a node, and a layer of nodes

A node does two things with the numbers that arrive at it. First it weighs them, adds them up and adds a constant, its *bias*: an affine map,

$$\vec y = W \vec x + \vec b. \tag{3.1}$$

Then it passes each sum through the same non-linear function $\sigma$, its *activation* (3.4). Together:

$$\vec z = \sigma\left(W \vec x + \vec b\right). \tag{3.6}$$

Each row of $W$ belongs to one node. The three activations of this chapter are
$$\mathrm{ReLU}(y) = \max(0, y), \qquad \mathrm{sigmoid}(y) = \frac{1}{1 + e^{-y}}, \qquad \tanh(y),$$
and "linear" stands for no activation at all, $\sigma(y) = y$.

Data come as tables: one event a row, one input a column. So $\vec x$ is a row of the array `x`, and the whole table goes through the layer at once.

**Your task.** Write the layer (3.6) for a table of $n$ events, without a loop. The book's matrix has the shape (nodes, inputs).
"""


# %% task="M3.1a" points=2
def layer(x, weights, bias, activation):
    """Output of one layer of nodes, equation (3.6), for n events.

    x: (n, inputs); weights: (nodes, inputs), one row a node; bias: (nodes,);
    activation: "linear", "relu", "sigmoid" or "tanh". Returns an array (n, nodes).
    """
    ### BEGIN SOLUTION
    y = x @ weights.T + bias
    if activation == "relu":
        return np.maximum(y, 0.0)
    if activation == "sigmoid":
        return 1.0 / (1.0 + np.exp(-y))
    if activation == "tanh":
        return np.tanh(y)
    return y
    ### END SOLUTION


# %% check="M3.1a"
check("M3.1a", layer)

# %% [markdown]
r"""
With one input, one node, $W = 1$ and $b = 0$, the layer draws its own activation function.
"""

# %%
layer = check.catch_up("M3.1a", layer)

x = np.linspace(-5, 5, 401)[:, np.newaxis]
figure, axes = plt.subplots(1, 3, figsize=(10, 3))
for axis, name in zip(axes, ["relu", "sigmoid", "tanh"], strict=True):
    axis.plot(x, layer(x, np.ones((1, 1)), np.zeros(1), name))
    axis.set(title=name, xlabel="$y$, sum at the node", ylabel=r"$\sigma(y)$, output of the node")
figure.suptitle("ReLU grows without limit; sigmoid and tanh saturate")
plotting.show(
    "Three curves: ReLU with a kink at zero, sigmoid from 0 to 1, tanh from -1 to 1", figure
)

# %% [markdown]
r"""
### What the bias does

A ReLU node is silent until its sum turns positive. For one input with weight $w$ that happens at

$$w x + b = 0 \quad\Longleftrightarrow\quad x = -\frac{b}{w}.$$

The bias is a threshold, measured in units of the weight. The next cell moves it.
"""

# %%
figure, axis = plt.subplots(figsize=(7, 3.5))
for (w, b), style in zip([(1.0, 2.0), (1.0, -1.0), (2.0, -6.0)], ["-", "--", ":"], strict=True):
    (line,) = axis.plot(
        x,
        layer(x, np.array([[w]]), np.array([b]), "relu"),
        style,
        label=f"$w = {w:g}$, $b = {b:g}$",
    )
    axis.plot(-b / w, 0, "o", color=line.get_color())
axis.set(
    xlabel="$x$, input",
    ylabel=r"$\sigma(wx + b)$",
    ylim=(-0.5, 6),
    title="A ReLU node switches on at $x = -b/w$ (dots)",
)
axis.legend()
plotting.show(
    "Three ReLU nodes with different weights and biases; each leaves zero at minus bias over weight",
    figure,
)

# %% [markdown]
r"""
### Why a node needs its activation

Put a second layer on the first, with weights $W'$ and bias $d$, and leave the activations out. Then
$$z = W'\left(W \vec x + \vec b\right) + d = W''\vec x + b'' \tag{3.3}$$
is again an affine map of $\vec x$. Two layers, ten layers: without $\sigma$ they describe what one layer describes.

**Your task.** Return the weights $W''$ and the bias $b''$ of the one layer that replaces the two. Any number of nodes should do.
"""


# %% task="M3.1b" points=2
def collapse(weights, bias, second_weights, second_bias):
    """The one affine map that two layers without activation amount to, equation (3.3).

    weights: (hidden, inputs); bias: (hidden,); second_weights: (outputs, hidden); second_bias: (outputs,).
    Returns the pair W'' of shape (outputs, inputs) and b'' of shape (outputs,).
    """
    ### BEGIN SOLUTION
    return second_weights @ weights, second_weights @ bias + second_bias
    ### END SOLUTION


# %% check="M3.1b"
check("M3.1b", collapse)

# %% [markdown]
r"""
Now a random network with one input, two hidden layers and one output, drawn twice: with ReLU nodes, and with the activations taken out.
"""

# %%
collapse = check.catch_up("M3.1b", collapse)

random = np.random.default_rng(check.seed)
w1, b1 = random.normal(size=(NODES, 1)), random.normal(size=NODES)
w2, b2 = random.normal(size=(NODES, NODES)) / np.sqrt(NODES), random.normal(size=NODES)
w3, b3 = random.normal(size=(1, NODES)) / np.sqrt(NODES), random.normal(size=1)


def network(x, activation):
    """1 - NODES - NODES - 1 with the same activation in both hidden layers and a linear output."""
    return layer(layer(layer(x, w1, b1, activation), w2, b2, activation), w3, b3, "linear")


w_one, b_one = collapse(*collapse(w1, b1, w2, b2), w3, b3)
one_layer = layer(x, w_one, b_one, "linear")

figure, axis = plt.subplots(figsize=(7, 3.5))
axis.plot(x, network(x, "relu"), label="ReLU in both hidden layers")
axis.plot(x, network(x, "linear"), "--", label="no activation")
axis.plot(x[::40], one_layer[::40], "o", label="one layer with $W''$ and $b''$")
axis.set(
    xlabel="$x$, input",
    ylabel="$z$, output",
    title="Without activations two hidden layers draw one straight line",
)
axis.legend()
plotting.show(
    "A bent ReLU curve, a straight line without activations, and dots of the collapsed layer on that line",
    figure,
)

# %% covers="M3.1"
linear_difference = np.abs(network(x, "linear") - one_layer).max()
relu_difference = np.abs(network(x, "relu") - one_layer).max()
print(
    f"largest difference to the one layer: {linear_difference:.1e} without activations, {relu_difference:.2f} with ReLU"
)
check.claim("M3.1", linear_difference, at_most=1e-12, wrong=relu_difference)

# %% [markdown]
r"""
Keras calls the layer `Dense`. One convention differs: Keras stores the weights as *kernel* with the shape (inputs, nodes), the transpose of the book's $W$,
and computes `x @ kernel + bias`. It works in single precision, so the two agree to about $10^{-7}$ of the values.
"""

# %%
dense = layers.Dense(NODES, activation="relu")
dense.build((None, 1))
dense.set_weights([w1.T, b1])
difference = np.abs(np.asarray(dense(x)) - layer(x, w1, b1, "relu")).max()
print(f"largest difference to your layer: {difference:.1e}")

# %%
check.quiz("M3.1-q1")

# %% tags=["instructor"]
# The answer, and what to listen for: the sum of functions that are bent at different places can follow any curve,
# the sum of straight lines cannot. Students often answer that an activation "limits the output"; ReLU does not.
check.quiz("M3.1-q1", 2)

# %% [markdown]
r"""
## Section 3.3: regression and classification

A network with a linear output predicts a number: *regression*. For two classes the output goes through one more sigmoid, $z' = \sigma(z)$, and the event is
called signal where $z' > 0.5$: *classification*. The boundary $z' = 0.5$ is the line $W\vec x + b = 0$.

In the next cell neither variable separates the two kinds of points, but a combination does. One node with a sigmoid, its weights chosen by hand, is enough.
"""

# %%
points = random.uniform(-1, 1, size=(400, 2))
signal = points[:, 0] + points[:, 1] > 0
output = layer(points, np.array([[4.0, 4.0]]), np.zeros(1), "sigmoid")[:, 0]
for name, decision in [
    ("x1 > 0", points[:, 0] > 0),
    ("x2 > 0", points[:, 1] > 0),
    ("z' > 0.5", output > 0.5),
]:
    value, error = metrics.accuracy_with_error(decision == signal)
    print(f"{name:9s} classifies {value:.3f} +- {error:.3f} correctly")

figure, axis = plt.subplots(figsize=(4.6, 4.2))
axis.plot(*points[signal].T, "x", label="signal")
axis.plot(*points[~signal].T, "s", markerfacecolor="none", label="background")
axis.plot([-1, 1], [1, -1], "k--", label="$z' = 0.5$")
axis.set(
    xlabel="$x_1$", ylabel="$x_2$", title="Only a combination of both separates", aspect="equal"
)
axis.legend(loc="upper right")
plotting.show(
    "Crosses and boxes on either side of a diagonal line, which is the boundary of the node", figure
)

# %% [markdown]
r"""
## Exercise 3.2: the quality of a wine, from one linear node

Tasters gave 4898 white wines from the north of Portugal marks between 3 and 9. For each wine eleven quantities were measured: acids, sugar, salt, sulphur,
density, pH, alcohol. How much of the taste can be predicted from the chemistry?

Taste is subjective, so nobody knows how well this *can* be done. That makes a fair comparison the more important: we start with a single node
without activation, a linear regression. Chapters 4 and 5 have to beat it.
"""

# %%
data = datasets.load_wine(seed=check.seed)
names = list(data.about.columns)
data

# %% [markdown]
r"""
### Look first

Before any fit, every input is looked at once. What to look for: features whose distribution has a long tail, features that hardly vary, and units,
since a weight is in units of 1/feature.
"""

# %%
figure, axes = plt.subplots(3, 4, figsize=(12, 7.5))
units = [data.about.units[name].replace("^3", "³") for name in names]
labels = [
    name if unit == "1" else f"{name} ({unit})" for name, unit in zip(names, units, strict=True)
]
for axis, label, values in zip(axes.flat[:11], labels, data.x_train.T, strict=True):
    axis.hist(values, bins=40)
    axis.set(xlabel=label, ylabel="wines")
axes.flat[-1].hist(data.y_train, bins=np.arange(2.5, 10), rwidth=0.9)
axes.flat[-1].set(xlabel="quality (mark)", ylabel="wines")
figure.suptitle(
    "Training wines: long tails in sugar, chlorides and sulphur; most marks are 5, 6 or 7"
)
plotting.show("Histograms of the eleven features and of the quality of the training wines", figure)

# %%
figure, axes = plt.subplots(3, 4, figsize=(12, 7.5))
marks, scale = np.unique(data.y_train), LogNorm(1, 200)
for axis, label, values in zip(axes.flat[:11], labels, data.x_train.T, strict=True):
    edges = np.linspace(*np.quantile(values, [0.005, 0.995]), 25)
    *_, mesh = axis.hist2d(values, data.y_train, bins=[edges, np.arange(2.5, 10)], norm=scale)
    means = [values[data.y_train == mark].mean() for mark in marks]
    axis.plot(means, marks, "o", color="white", markeredgecolor="black")
    axis.set(xlabel=label, ylabel="quality (mark)", xlim=(edges[0], edges[-1]))
    axis.locator_params(axis="x", nbins=4)
axes.flat[-1].axis("off")
figure.colorbar(mesh, cax=axes.flat[-1].inset_axes([0.1, 0.05, 0.1, 0.9]), label="wines in a bin")
figure.suptitle("Each feature against quality: the mean at each mark (dots) moves most for alcohol")
plotting.show(
    "Two-dimensional histograms of each feature against quality, with the mean feature at each mark",
    figure,
)

# %% [markdown]
r"""
### Which feature tells most?

The correlation coefficient measures how well two quantities follow one straight line,
$$r_j = \frac{\left\langle (x_j - \bar x_j)(q - \bar q)\right\rangle}{\sigma_{x_j}\,\sigma_q},$$
from $-1$ to $1$, whatever the units. It is the right question to ask before a linear fit: a feature on its own can explain the fraction $r_j^2$ of the
variance of the quality.

**Your task.** Return the correlation coefficient of each column of `x` with `y`.
"""


# %% task="3.2a" points=2 covers="E3.2/1"
def correlations(x, y):
    """Correlation coefficient of each feature with the target.

    x: (n, features); y: (n,). Returns an array (features,) of numbers between -1 and 1.
    """
    ### BEGIN SOLUTION
    from_mean = x - x.mean(axis=0)
    target = y - y.mean()
    covariance = (from_mean * target[:, np.newaxis]).mean(axis=0)
    return covariance / (x.std(axis=0) * y.std())
    ### END SOLUTION


# %% check="3.2a"
check("3.2a", correlations)

# %% [markdown]
r"""
**Your task.** Order the features by how much they tell about the quality, the most predictive first. Think about the sign: does a feature with $r = -0.3$ tell more
or less than one with $r = 0.1$?
"""


# %% task="3.2b" points=1 covers="E3.2/1"
def rank_features(correlation, names):
    """Names of the features as a list, the most predictive first.

    correlation: (features,); names: a list of as many strings, in the same order.
    """
    ### BEGIN SOLUTION
    return [names[j] for j in np.argsort(-np.abs(correlation))]
    ### END SOLUTION


# %% check="3.2b"
check("3.2b", rank_features)

# %%
correlations = check.catch_up("3.2a", correlations)
rank_features = check.catch_up("3.2b", rank_features)

r = correlations(data.x_train, data.y_train)
ranking = rank_features(r, names)
print(f"most predictive: {ranking[0]}, then {ranking[1]} and {ranking[2]}")

figure, axis = plt.subplots(figsize=(7, 4))
order = [names.index(name) for name in reversed(ranking)]
error = (1 - r**2) / np.sqrt(len(data.x_train))
axis.barh([names[j] for j in order], r[order], xerr=error[order])
axis.axvline(0, color="black", linewidth=0.8)
axis.set(
    xlabel="correlation with quality, with its statistical error",
    title=f"The most predictive feature is {ranking[0]}",
)
plotting.show(
    "Bars of the correlation of each feature with quality, ordered by size; alcohol is largest",
    figure,
)

# %% [markdown]
r"""
### The weights with the smallest mean squared error

One linear node predicts the quality as $\hat q = \vec w\cdot\vec x + b$. We want the weights that minimise
$$L = \frac1n\sum_i \left(\vec w\cdot\vec x_i + b - q_i\right)^2. \tag{3.7}$$

This is the rare network that needs no training: $L$ is quadratic in the weights, so its minimum is the solution of a linear system.

- The bias becomes a weight like the others if each event gets one more input that is always 1: append a column of ones to $X$.
- The textbook solution $(X^T X)^{-1}X^T \vec q$ squares the condition number of $X$, and fails where two features say the same. `np.linalg.lstsq` solves
  the same problem without forming $X^T X$. Use it, not an inverse.

**Your task.** Return the eleven weights and the bias.
"""


# %% task="3.2c" points=3 covers="E3.2/2"
def fit_linear(x, y):
    """Weights and bias that minimise the mean squared error (3.7).

    x: (n, features); y: (n,). Returns the pair weights (features,), bias (a number).
    """
    ### BEGIN SOLUTION
    with_ones = np.column_stack([x, np.ones(len(x))])
    solution = np.linalg.lstsq(with_ones, y, rcond=None)[0]
    return solution[:-1], solution[-1]
    ### END SOLUTION


# %% check="3.2c"
check("3.2c", fit_linear)

# %%
fit_linear = check.catch_up("3.2c", fit_linear)
weights, bias = fit_linear(data.x_train, data.y_train)
scaled = weights * data.x_train.std(axis=0)
print("                          weight      weight x standard deviation")
for j in np.argsort(-np.abs(scaled)):
    print(f"{names[j]:22s} {weights[j]:10.4f} {scaled[j]:12.3f} marks")
print(f"{'bias':22s} {bias:10.4f}")

# %% [markdown]
r"""
Read this table with care. A weight says what a feature adds *when all others are held fixed*. Density, sugar and alcohol are nearly bound to each other
(alcohol makes a wine lighter, sugar makes it heavier), so a large weight of one can be balanced by the others: the weight of density and the bias are both around 100 and
cancel. The correlation coefficients above tell what each feature says on its own.

### Was the bias needed?

The usual solution of this exercise has eleven weights and no bias, and its result is almost the same. That is luck. The density of every wine is within a
percent of 0.994, so this column is nearly a column of ones, and its weight takes the place of the bias. Even without it the others step in: pH and alcohol are
never near zero either. The next cell shows when the luck ends: standardised inputs (mean 0, width 1), which every later chapter uses.
"""


# %%
def mse_without_bias(x_train, x_test):
    """Mean squared error on the test wines of a fit with weights only."""
    only_weights = np.linalg.lstsq(x_train, data.y_train, rcond=None)[0]
    return np.mean((x_test @ only_weights - data.y_test) ** 2)


without_density = [j for j, name in enumerate(names) if name != "density"]
mean, width = data.x_train.mean(axis=0), data.x_train.std(axis=0)
print(
    f"weights and bias                    {np.mean((data.x_test @ weights + bias - data.y_test) ** 2):7.3f} marks^2"
)
print(f"weights only                        {mse_without_bias(data.x_train, data.x_test):7.3f}")
mse = mse_without_bias(data.x_train[:, without_density], data.x_test[:, without_density])
print(f"weights only, density left out      {mse:7.3f}")
mse = mse_without_bias((data.x_train - mean) / width, (data.x_test - mean) / width)
print(f"weights only, standardised inputs   {mse:7.3f}")
print(f"the mean mark, squared              {data.y_train.mean() ** 2:7.3f}")

# %%
check.quiz("3.2-q1")

# %% tags=["instructor"]
# With inputs of mean zero a prediction without bias has mean zero: it misses by the whole mean mark, 5.9.
# Its correlation is untouched, which is why only the mean squared error tells (second quiz of this exercise).
check.quiz("3.2-q1", 3)

# %% [markdown]
r"""
### How good is the prediction?

The test wines were not used in the fit. Before you look: alcohol alone reaches a correlation of about 0.44. What will all eleven features reach together, on wines
the fit has not seen? Replace `None` by your guess.
"""

# %%
check.predict(
    "3.2-correlation",
    None,
    question="Correlation of predicted and true quality of the test wines (0 to 1)?",
)

# %% [markdown]
r"""
Two numbers describe the prediction. The correlation says how well the order and the spacing of the wines are right; the mean squared error says how far off the marks are.
Neither means much alone. The *baseline* to compare with costs nothing: give every wine the mean mark of the training wines.

**Your task.** Return both, and the mean squared error of the baseline. The baseline may use what was known before the test: the training mean, not the test mean.
"""


# %% task="3.2d" points=2 covers="E3.2/3"
def evaluate(truth, prediction, training_mean):
    """How good a prediction is, as a dict of three numbers.

    truth, prediction: (n,); training_mean: mean of the target over the training set.
    "correlation": of prediction and truth; "mse": mean squared error of the prediction;
    "baseline_mse": mean squared error of predicting training_mean for every event.
    """
    ### BEGIN SOLUTION
    return {
        "correlation": np.corrcoef(prediction, truth)[0, 1],
        "mse": np.mean((prediction - truth) ** 2),
        "baseline_mse": np.mean((training_mean - truth) ** 2),
    }
    ### END SOLUTION


# %% check="3.2d"
check("3.2d", evaluate)

# %%
evaluate = check.catch_up("3.2d", evaluate)
prediction = data.x_test @ weights + bias
result = evaluate(data.y_test, prediction, data.y_train.mean())
correlation, correlation_error = metrics.correlation_with_error(data.y_test, prediction)

jitter = np.random.default_rng(check.seed).uniform(-0.3, 0.3, len(prediction))
figure, axis = plt.subplots(figsize=(6, 5))
axis.plot(data.y_test + jitter, prediction, ".", markersize=3, alpha=0.5, label="test wines")
marks = [mark for mark in np.unique(data.y_test) if (data.y_test == mark).sum() >= 5]
axis.plot(
    marks,
    [prediction[data.y_test == mark].mean() for mark in marks],
    "ks-",
    label="mean prediction at each mark",
)
axis.plot([3, 9], [3, 9], "k--", label="perfect prediction")
axis.axhline(
    data.y_train.mean(), color=plotting.GREY, linestyle=":", label="baseline: the training mean"
)
axis.set(
    xlabel="true quality (mark; dots are spread by up to 0.3)",
    ylabel="predicted quality (mark)",
    title=f"Right in tendency, too close to the mean: $r = {correlation:.3f} \\pm {correlation_error:.3f}$",
)
axis.legend(loc="upper left", fontsize="small")
plotting.show(
    "Predicted against true quality of the test wines with the mean at each mark, well flatter than the diagonal",
    figure,
)

# %%
print(
    f"correlation {correlation:.3f} +- {correlation_error:.3f}   (alcohol alone: {r[names.index('alcohol')]:.3f} in training)"
)
print(f"mean squared error {result['mse']:.3f}, baseline {result['baseline_mse']:.3f} marks^2:")
print(
    f"the fit explains {1 - result['mse'] / result['baseline_mse']:.0%} of the variance of the marks"
)

# %%
check.confront("3.2-correlation", correlation)

# %% [markdown]
r"""
The fit of the official solution reports 0.51; over many random divisions of the table a linear fit reaches 0.52 to 0.53. Is your number high or low? The cell divides
the table again and again.
"""

# %%
table = np.concatenate([data.x_train, data.x_validation, data.x_test])
marks_of_all = np.concatenate([data.y_train, data.y_validation, data.y_test])
found = []
for _ in range(N_SPLITS):
    shuffled = random.permutation(len(table))
    train, test = shuffled[: len(data.x_train)], shuffled[-len(data.x_test) :]
    w, b = fit_linear(table[train], marks_of_all[train])
    found.append(np.corrcoef(table[test] @ w + b, marks_of_all[test])[0, 1])
print(
    f"{N_SPLITS} divisions of the table: r = {np.mean(found):.3f}, standard deviation {np.std(found, ddof=1):.3f}"
)
print(
    f"your division:             r = {correlation:.3f}, statistical error  {correlation_error:.3f}"
)

# %%
check.quiz("3.2-q2")

# %% tags=["instructor"]
# Multiply all predictions by ten: r stays, the marks become absurd. Ask which of the two numbers a customer wants,
# and which one the producer who only ranks his wines.
check.quiz("3.2-q2", 1)

# %% [markdown]
r"""
### A flaw of the data: twins

In the real table 937 rows are exact copies of another row: the same eleven numbers and the same mark. A random division puts many twins on both
sides, so part of the test wines was seen in training. (The stand-in table, used without network, has no twins.)

Does it matter? It depends on how much a model can remember. A linear fit has twelve numbers and remembers nothing. The other extreme answers with the mark of
the most similar training wine: "nearest neighbour". Compare the two on all test wines and on those without a twin in training.
"""

# %%
seen = {row.tobytes() for row in np.column_stack([data.x_train, data.y_train])}
new = np.array([row.tobytes() not in seen for row in np.column_stack([data.x_test, data.y_test])])
print(f"{np.mean(~new):.0%} of the test wines have a twin among the training wines")

neighbour = KNeighborsRegressor(n_neighbors=1).fit((data.x_train - mean) / width, data.y_train)
models = {
    "linear fit": prediction,
    "nearest neighbour": neighbour.predict((data.x_test - mean) / width),
}
figure, axis = plt.subplots(figsize=(6.5, 3.5))
for position, (name, guess) in enumerate(models.items()):
    for shift, label, wines in [
        (-0.1, "all test wines", slice(None)),
        (0.1, "without twins in training", new),
    ]:
        value, error = metrics.correlation_with_error(data.y_test[wines], guess[wines])
        print(f"{name:18s} {label:26s} r = {value:.3f} +- {error:.3f}")
        style = "o" if shift < 0 else "s"
        axis.errorbar(
            position + shift,
            value,
            error,
            fmt=style,
            color="C0" if shift < 0 else "C1",
            label=label,
        )
axis.set(
    xticks=[0, 1], xticklabels=models, xlim=(-0.5, 1.5), ylabel="correlation with the true mark"
)
axis.set_title(
    "Twins flatter the model that remembers"
    if not new.all()
    else "No twins in this table: nothing to remember"
)
handles, texts = axis.get_legend_handles_labels()
axis.legend(handles[:2], texts[:2])
plotting.show(
    "Correlation of the linear fit and of the nearest neighbour, for all test wines and for those without twins",
    figure,
)

# %% [markdown]
r"""
On the real table the nearest neighbour wins on all test wines and loses clearly on the wines that are new. A network with thousands of weights can remember as well: when chapter 5 trains one
on this table, keep the twins in mind before you believe an improvement.

## Exercise 3.3: the checkerboard

Exercise 3.3 belongs here. It has a notebook of its own, `ch03_playground`, with an interactive network to play with.

## Key points

- A layer is an affine map and an activation, (3.6). The bias of a ReLU node sets where it switches on, $x = -b/w$.
- Layers without activation collapse into one, exactly.
- A linear output predicts numbers; a sigmoid on top makes it a decision between two classes.
- Linear regression is the network that needs no training. It needs its bias, and it is the baseline that a deeper network has to beat.
- A result is a number with an error, beside a baseline, on data that the model has not seen; "not seen" has to be checked.

In `ch03_examples` the two examples of the chapter are trained, and the universal approximation theorem is put to the test.
"""

# %%
check.summary()
