# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 5, title: Mastering model building, level: 2, minutes: 90, sections: "5.1-5.6", data: [wine], fast: {SCAN_EPOCHS: 250, RESTARTS: 2, EPOCHS: 2, WINE_EPOCHS: 1, BATCH_EPOCHS: 2, N_SEEDS: 2}}
# ---
# %% [markdown]
r"""
# Mastering model building

**You will**

- overtrain a network on purpose, and prove it: its training loss falls below what any honest predictor can have;
- bring it back with L2 and L1 penalties, and measure what each does to the weights and to the decision function;
- go through the steps of a Keras training (define, compile, train, monitor, verify) and arrive near the noise of the data;
- compare five ways to train a network on the wine table, with the spread over seeds, and with linear regression as the one to beat.

**You need** layers and losses (chapter 3), gradient descent, momentum and Adam (chapter 4), and the standard error of a mean.
**Time:** about 90 minutes. The cells themselves run in about a minute.

**You will see** a limit in every figure: what the best possible predictor would reach.

The methods of the chapter one at a time (bias and variance, ROC curves, cross-validation, early stopping, dropout, hyperparameter search, activations) stand in `ch05_examples`.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, playground, plotting
from dlphys.simulators import toys

check = checks.start("ch05_model_building")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
HIDDEN = (8, 8, 8, 8, 8, 8)  # of the playground's network: as deep and wide as it goes
SCAN_EPOCHS = 800  # for each network of the penalty scan
RESTARTS = 4  # initial weights for each penalty
EPOCHS = 20  # of the interpolation
WINE_EPOCHS = 2  # with single examples
BATCH_EPOCHS = 6  # with batches of five: fewer steps than with single examples, although three times the epochs
N_SEEDS = 3  # trainings of every variant

# %% [markdown]
r"""
## Exercise 5.1: regularisation on the noisy checkerboard

Points on four squares, class $+1$ where $x_1 x_2 > 0$ and $-1$ elsewhere. *Noise of 50 %* means: the class is that of a place which is moved by up to half the side of a square along each axis. So near the
axes a point may well carry the wrong label, and no network can know.

We use the playground of this course, `playground.Settings` and `playground.train`, which does in plain Python what the well-known web page does with the mouse. Its loss is half the mean squared
error of the output $f$ (a tanh, between $-1$ and 1) and the class $c = \pm 1$.

### What is possible

The noise is known, so the probability $p(x)$ of the class $+1$ at a place $x$ is known exactly. A predictor that answers $f(x)$ has, on the average over the labels, the loss

$$\ell(f, p) = \tfrac12\left[\,p\,(f-1)^2 + (1-p)\,(f+1)^2\,\right].$$

**Your task.** Return the mean of this expected loss over many places. It replaces a test set with infinitely many points.
"""


# %% task="5.1a" points=1 covers="E5.1/1"
def expected_loss(output, probability):
    """Loss of a predictor, averaged over the classes exactly and over the given places.

    output: (n,), from -1 to 1; probability: (n,), of the class +1. Returns a number.
    """
    ### BEGIN SOLUTION
    hit, miss = (output - 1) ** 2, (output + 1) ** 2
    return 0.5 * np.mean(probability * hit + (1 - probability) * miss)
    ### END SOLUTION


# %% check="5.1a"
check("5.1a", expected_loss)

# %% [markdown]
r"""
Set the derivative of $\ell$ by $f$ to zero: the best answer is $f = 2p - 1$, the mean class at that place. Its loss is the **limit** of this exercise. The places below form a lattice that covers the
four squares evenly.
"""

# %%
expected_loss = check.catch_up("5.1a", expected_loss)

line = np.linspace(-5.2, 5.2, 53)  # steps of 0.2; no point lies closer than 0.3 to an axis
lattice = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
inside = np.all(np.abs(lattice) > 0.3, axis=1)
probability = toys.optimal_probability(lattice, noise=0.5)
limit = expected_loss(2 * probability[inside] - 1, probability[inside])
best_accuracy = toys.optimal_accuracy(noise=0.5)
print(
    f"limit of the loss {limit:.4f}, of the accuracy {best_accuracy:.4f}; answering 0 everywhere: 0.5"
)

# %%
check.predict(
    "5.1-loss",
    None,
    question="A network of six layers of eight nodes learns 250 noisy points for 1200 epochs. Which training loss will it reach? (The limit is printed above.)",
)

# %% [markdown]
r"""
### Part 1: a deep and wide network

**Your task.** Train a deep and wide ReLU network on the checkerboard with 50 % noise, without a penalty, for more than 1000 epochs, and return its training and test loss after every epoch. The playground's defaults
are the checkerboard, 500 points (half of them for the test), the features $x_1$ and $x_2$, ReLU, a learning rate of 0.03 and batches of ten; `HIDDEN` is deep and wide enough.
"""


# %% task="5.1b" points=2 covers="E5.1/1"
def overtrain(data_seed, seed):
    """Losses of a deep and wide network on the noisy checkerboard, before the first epoch and after each.

    data_seed: seed of the points; seed: of the initial weights. Returns two arrays of one length,
    training loss and test loss (run.train_loss and run.test_loss of the playground).
    """
    ### BEGIN SOLUTION
    settings = playground.Settings(noise=0.5, hidden=HIDDEN, seed=data_seed)
    run = playground.train(settings, epochs=1200, seed=seed)
    return run.train_loss, run.test_loss
    ### END SOLUTION


# %%
losses = None  # until overtrain is written
losses = overtrain(check.seed, 1)

# %% check="5.1b"
check("5.1b", overtrain, result=losses)

# %%
overtrain = check.catch_up("5.1b", overtrain)
if losses is None:
    losses = overtrain(check.seed, 1)
train_loss, test_loss = losses
epochs = np.arange(1, len(train_loss))
plotting.lines(
    epochs,
    {
        "training": train_loss[1:],
        "test (250 points)": test_loss[1:],
        "limit": np.full(len(epochs), limit),
    },
    xlabel="epoch",
    ylabel="loss (half the mean squared error)",
    dashed=["limit"],
    log_x=True,
    title="Below the limit in training: the noise was learnt by heart",
)
best = int(test_loss.argmin())
print(f"training {train_loss[-1]:.3f}, limit {limit:.3f}; test {test_loss[-1]:.3f}, and {test_loss[best]:.3f} at its best, after {best} epochs")  # fmt: skip
print(f"generalisation gap at the end: {test_loss[-1] - train_loss[-1]:.3f}")
check.confront("5.1-loss", train_loss[-1])

# %%
check.quiz("5.1-q1")

# %% [markdown]
r"""
### Parts 2 and 3: penalties

The playground adds $\lambda \sum |W|$ (L1) or $\tfrac\lambda2 \sum W^2$ (L2, half of the book's (5.7)) to the loss. A *rate* without a *kind* of penalty does nothing, and the links of the official exercise open the web page with exactly this
combination. Our `Settings` refuse it.

One network is one draw of initial weights. So that differences mean something, each penalty gets several. Everything that is needed later comes back as arrays: the training loss, the output at given places, and all weights.

**Your task.** Train the network with a penalty from several initial weights (`playground.restarts`), and return the three arrays.
"""


# %% task="5.1c" points=3 covers="E5.1/2"
def penalised(kind, rate, places, epochs, restarts, data_seed):
    """Deep and wide networks (HIDDEN, ReLU) on the checkerboard with 50 % noise, with a penalty.

    kind: "none", "l1" or "l2"; rate: its strength; places: (n, 2); restarts: number of initial weights.
    Returns a dict of arrays, one row a restart: "train_loss" (restarts,), without the penalty, after the last epoch;
    "output" (restarts, n) at the places; "weights" (restarts, number of weights), without the biases.
    """
    ### BEGIN SOLUTION
    common = playground.Settings(
        noise=0.5,
        hidden=HIDDEN,
        regularization=kind,
        regularization_rate=rate,
        seed=data_seed,
    )
    runs = playground.restarts(common, epochs=epochs, seeds=restarts)
    return {
        "train_loss": np.array([run.train_loss[-1] for run in runs]),
        "output": np.array([run.predict(places) for run in runs]),
        "weights": np.array([np.concatenate([w.ravel() for w in run.weights]) for run in runs]),
    }
    ### END SOLUTION


# %% check="5.1c"
check("5.1c", penalised)

# %%
penalised = check.catch_up("5.1c", penalised)

rates = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1]
free = penalised("none", 0.0, lattice, SCAN_EPOCHS, RESTARTS, check.seed)
scans = {
    kind: [penalised(kind, rate, lattice, SCAN_EPOCHS, RESTARTS, check.seed) for rate in rates]
    for kind in ["l2", "l1"]
}


def true_losses(result):
    """Expected loss of every restart, on new points without end."""
    return np.array([expected_loss(output[inside], probability[inside]) for output in result["output"]])  # fmt: skip


print("penalty   rate      training loss      loss on new points   (spread over the restarts)")
for kind, rate, result in [("none", 0, free), *((k, r, s) for k in scans for r, s in zip(rates, scans[k], strict=True))]:  # fmt: skip
    train, new = result["train_loss"], true_losses(result)
    print(f"{kind:6s} {rate:8.4f}    {train.mean():.3f} +- {train.std(ddof=1):.3f}      {new.mean():.3f} +- {new.std(ddof=1):.3f}")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
for axis, kind in zip(axes, ["l2", "l1"], strict=True):
    for name, found, base, style in [
        ("training", [s["train_loss"] for s in scans[kind]], free["train_loss"], "o-"),
        ("new points", [true_losses(s) for s in scans[kind]], true_losses(free), "s-"),
    ]:
        mean, spread = np.mean(found, axis=1), np.std(found, axis=1, ddof=1)
        axis.errorbar(rates, mean, spread, fmt=style, capsize=3, label=name)
        axis.errorbar(1e-4, base.mean(), base.std(ddof=1), fmt=style[0], capsize=3, mfc="white", color=axis.lines[-1].get_color())  # fmt: skip
    axis.axhline(limit, color=plotting.INK, ls="--", lw=1.5, label="limit")
    axis.axhline(0.5, color=plotting.GREY, ls=":", label="baseline: answer 0")
    axis.set(
        xscale="log", xlabel=rf"rate $\lambda$ of {kind.upper()} (open: none)", title=kind.upper()
    )
axes[0].set_ylabel("loss (half the mean squared error)")
axes[0].legend(fontsize=8, loc="center left")
figure.suptitle("Too low a rate changes nothing, too high a rate forgets everything")
plotting.show(
    "Training loss and loss on new points against the rate of L2 and of L1. At low rates the training loss lies below the limit "
    "and the other far above; in between they meet near the limit; at the largest rate both go to 0.5.",
    figure,
)

# %%
check.quiz("5.1-q2")

# %% [markdown]
r"""
### What the penalties do to the weights

"L1 is sparse, L2 is smooth." Two measures make a number of it. *Sparse* is the share of weights that are (nearly) zero. *Smooth* is how little the output changes from place to place: the mean squared gradient of
the decision function,

$$R = \left\langle \left(\frac{\partial f}{\partial x_1}\right)^2 + \left(\frac{\partial f}{\partial x_2}\right)^2 \right\rangle .$$

**Your task.** The share of small weights, for each restart.
"""


# %% task="5.1d" points=1 covers="E5.1/3"
def sparsity(weights, threshold):
    """Share of the weights whose size is below the threshold.

    weights: (restarts, number of weights). Returns an array (restarts,).
    """
    ### BEGIN SOLUTION
    return np.mean(np.abs(weights) < threshold, axis=1)
    ### END SOLUTION


# %% check="5.1d"
check("5.1d", sparsity)

# %% [markdown]
r"""
**Your task.** The roughness $R$ of a function that is given on a square lattice, by differences of neighbours divided by their distance: the mean of the squared slopes along the rows, plus the same along the columns.
"""


# %% task="5.1e" points=2 covers="E5.1/3"
def roughness(picture, spacing):
    """Mean squared gradient of a function on a lattice.

    picture: (rows, columns), its values; spacing: distance of neighbouring places. Returns a number.
    """
    ### BEGIN SOLUTION
    along = np.diff(picture, axis=1) / spacing
    across = np.diff(picture, axis=0) / spacing
    return np.mean(along**2) + np.mean(across**2)
    ### END SOLUTION


# %% check="5.1e"
check("5.1e", roughness)

# %%
sparsity = check.catch_up("5.1d", sparsity)
roughness = check.catch_up("5.1e", roughness)

best_of = {kind: int(np.argmin([true_losses(s).mean() for s in scans[kind]])) for kind in scans}
compared = {
    "no penalty": free,
    f"L2, {rates[best_of['l2']]:g}": scans["l2"][best_of["l2"]],
    f"L1, {rates[best_of['l1']]:g}": scans["l1"][best_of["l1"]],
}
found = {}
print(
    "                loss on new points   exactly zero     below 0.01       largest weight   roughness"
)
for name, result in compared.items():
    rows = [
        true_losses(result),
        np.mean(result["weights"] == 0, axis=1),
        sparsity(result["weights"], 0.01),
        np.abs(result["weights"]).max(axis=1),
        np.array([roughness(output.reshape(53, 53), 0.2) for output in result["output"]]),
    ]
    found[name[:2]] = np.array(rows)
    print(f"{name:14s}", *(f"{row.mean():8.3f} +- {row.std(ddof=1):.3f}" for row in rows))
optimal = roughness((2 * probability - 1).reshape(53, 53), 0.2)
print(f"{'limit':14s} {limit:8.3f}{'roughness of the optimal answer':>64s} {optimal:.3f}")

# %%
figure, axes = plt.subplots(2, 3, figsize=(10.5, 7), height_ratios=[1.35, 1])
for (name, result), top, bottom in zip(compared.items(), *axes, strict=True):
    image = top.pcolormesh(line, line, result["output"][0].reshape(53, 53), cmap="RdBu", vmin=-1, vmax=1, shading="nearest")  # fmt: skip
    top.contour(line, line, result["output"][0].reshape(53, 53), levels=[0], colors=plotting.INK, linewidths=1)  # fmt: skip
    top.set(title=name, xlabel="$x_1$", aspect="equal")
    size = np.maximum(np.abs(result["weights"]).ravel(), 1e-12)
    bottom.hist(size, bins=np.geomspace(1e-12, 4, 60), weights=np.full(len(size), 1 / len(size)))
    bottom.set(xscale="log", xlabel="size of a weight", ylim=(0, 1))
axes[0, 0].set_ylabel("$x_2$")
axes[1, 0].set_ylabel("share of the weights")
figure.colorbar(image, ax=axes[0], label="output", shrink=0.85)
figure.suptitle("Both penalties smooth the decision; L1 empties the network as well")
plotting.show(
    "Decision functions and weight histograms without penalty, with L2 and with L1. Without penalty the picture has islands; "
    "with both penalties it is smooth. With L1 most weights are exactly zero (drawn at the left end), with L2 none is.",
    figure,
)

# %%
check.claim("E5.1/3", found["L1"][1].mean(), at_least=0.5, wrong=found["L2"][1].mean())
check.claim("E5.1/3", found["L2"][4].mean() / found["no"][4].mean(), at_most=0.5, wrong=1)
check.claim("E5.1/3", found["L2"][3].mean() / found["L1"][3].mean(), at_most=0.95, wrong=found["L1"][3].mean() / found["L2"][3].mean())  # fmt: skip

# %% [markdown] tags=["answer"]
r"""
**What one sees.** Without a penalty the training loss ends far below the limit of 0.236, which no predictor can do on new points: the network has learnt the labels of its 250 points by heart, and the loss on new points is a quarter or more above the limit. *Low rates* change nothing of this.
At the *best rates* (some $10^{-2}$) training and new points agree, and both come near the limit, within 10 or 15 %. *High rates* leave a network that answers nearly 0 everywhere: the penalty is cheaper than any structure.

L1 sets more than nine weights out of ten to exactly zero: whole nodes fall silent, and what is left could be drawn by hand. The remaining weights are large. L2 sets none to exactly zero: it makes the large ones
smaller and shares the work among many. Both cure the overtraining, and at their best rates both decision functions are about as smooth as the optimal answer, some ten times smoother than without a penalty. So "L2 smooth" is true, but it does not tell L2 from L1; "L1 sparse" does.
Which one suits is a question of what the network is for: L1 if it is to be small or read by people, L2 if small changes of the input must not matter.
"""

# %% tags=["instructor"]
# Timing: 5.1 35 min, 5.2 25, 5.3 30. Let students open playground.show(settings) beside the tasks where the widget is installed.
# Common mistakes: a rate without a kind of penalty; the losses with the penalty in them; judging by 250 test points alone:
# their loss has an error of 0.02, and can lie below the limit by chance.
# Discussion: (1) which rate would one choose without knowing the truth? By validation data: repeat the scan with run.test_loss.
# (2) Early stopping does as well here: look at the test loss at its best in the first figure.
for question, answer in [("5.1-q1", 3), ("5.1-q2", 2)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Exercise 5.2: interpolation, step by step

A curve with a kink and six peaks, measured at 10 000 places with a noise of $\sigma = 1$. The steps are those of every training: define, compile, train and monitor, verify.

No model can have a mean squared error below $\sigma^2$ on new measurements. (In the official notebook the noise is added with the wrong shape: every place gets the noise of *all* points, and nothing about noise can be seen.)
"""

# %%
curve = datasets.load_interpolation(seed=check.seed)
curve

# %%
figure, axis = plt.subplots(figsize=(8, 3.6))
axis.plot(
    curve.x_train[:1500],
    curve.y_train[:1500],
    ".",
    ms=3,
    alpha=0.6,
    label="1500 of the training points",
)
order = np.argsort(curve.x_test[:, 0])
axis.plot(
    curve.x_test[order],
    curve.extra_test["truth"][order],
    color=plotting.INK,
    label="the curve behind them",
)
axis.set(xlabel="$x$", ylabel="$y$", title="Six peaks and a kink, under a noise of 1")
axis.legend()
plotting.show("Noisy points and the curve behind them, from -10 to 10, with six peaks.", figure)

# %% [markdown]
r"""
### Step 1: define

**Your task.** Define a network for this curve. To decide: layers, nodes, activation, and a regularisation, if any. Three things to know:

- The inputs run from $-10$ to $10$; a `layers.Rescaling(0.3)` in front makes numbers of order one of them.
- A ReLU node bends the curve at one place. Keras starts all biases at zero, so all nodes of the first layer bend at $x = 0$. `bias_initializer=keras.initializers.RandomUniform(-3, 3)` spreads them over the whole range.
- With 8000 points overtraining is no danger here, and a strong penalty does harm: with the official one (L1 and L2 with a rate of 0.01) peaks are lost.
"""


# %% task="5.2a" points=2 covers="E5.2/1"
def define_interpolator():
    """A network from x to y, for batches (n, 1), x from -10 to 10. Returns a Keras model, not compiled."""

    ### BEGIN SOLUTION
    def hidden(**options):
        return layers.Dense(64, activation="relu", kernel_initializer="he_normal", **options)

    spread = keras.initializers.RandomUniform(-3, 3)
    return keras.Sequential(
        [
            keras.Input((1,)),
            layers.Rescaling(0.3),
            hidden(bias_initializer=spread),
            hidden(),
            hidden(),
            hidden(),
            layers.Dense(1),
        ]
    )
    ### END SOLUTION


# %% check="5.2a"
check("5.2a", define_interpolator)

# %% [markdown]
r"""
### Step 2: compile

**Your task.** Choose loss and learning strategy. The noise is Gaussian, so the mean squared error is the right loss. As strategy take Adam with a learning rate that falls to zero over all `steps`:
`keras.optimizers.schedules.CosineDecay(start, steps)`. The last, small steps average the noise of the batches away. Start somewhere between 0.001 and 0.02.

`steps_per_execution=40` in `compile` lets Keras take 40 steps at a time without coming back to Python, which makes a small network three times as fast.
"""


# %% task="5.2b" points=2 covers="E5.2/2"
def compile_interpolator(model, steps):
    """Compile ``model`` for a regression, with Adam and a learning rate that falls to zero, and return it.

    steps: number of batches of the whole training.
    """
    ### BEGIN SOLUTION
    learning_rate = keras.optimizers.schedules.CosineDecay(0.005, steps)
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer=optimizer, loss="mse", steps_per_execution=40)
    return model
    ### END SOLUTION


# %% check="5.2b"
check("5.2b", compile_interpolator)

# %% [markdown]
r"""
### Step 3: train, and monitor

**Your task.** Count the steps, compile with your function, fit for `epochs` epochs with batches of 40, and watch the validation data. Return the model and the monitored losses, the dict `history` that
`fit` gives back.
"""


# %% task="5.2c" points=2 covers="E5.2/3"
def train_interpolator(model, x_train, y_train, x_validation, y_validation, epochs):
    """Compile with compile_interpolator, fit with batches of 40, and monitor.

    x, y: (n, 1). Returns the model, and the dict of losses with "loss" and "val_loss", one entry an epoch.
    """
    ### BEGIN SOLUTION
    steps = epochs * int(np.ceil(len(x_train) / 40))
    model = compile_interpolator(model, steps)
    monitored = model.fit(
        x_train,
        y_train,
        batch_size=40,
        epochs=epochs,
        validation_data=(x_validation, y_validation),
        verbose=0,
    )
    return model, monitored.history
    ### END SOLUTION


# %%
define_interpolator = check.catch_up("5.2a", define_interpolator)
compile_interpolator = check.catch_up("5.2b", compile_interpolator)
sets = [curve.x_train, curve.y_train, curve.x_validation, curve.y_validation]

interpolation = None  # until train_interpolator is written
interpolation = train_interpolator(define_interpolator(), *sets, EPOCHS)

# %% check="5.2c"
check("5.2c", train_interpolator, result=interpolation)

# %%
train_interpolator = check.catch_up("5.2c", train_interpolator)
if interpolation is None:
    interpolation = train_interpolator(define_interpolator(), *sets, EPOCHS)
interpolator, history = interpolation
plotting.lines(
    np.arange(1, EPOCHS + 1),
    {"training": history["loss"], "validation": history["val_loss"], "limit: the noise": np.ones(EPOCHS)},
    xlabel="epoch",
    ylabel="mean squared error",
    dashed=["limit: the noise"],
    log_y=True,
    title="Training and validation fall together, down to the noise",
)  # fmt: skip

# %% [markdown]
r"""
The loss of an epoch is the mean over its batches, while the network was still changing; the validation loss is taken at the end of the epoch. So the validation curve may lie below the training curve, and that is no sign of luck.

### Step 4: verify

**Your task.** On the test points, used here for the first time: return the mean squared error, its statistical error (the standard deviation of the squared residuals over $\sqrt n$), and how much of it is *not* noise: the mean squared
distance of the prediction from the curve itself, which a simulation knows.
"""


# %% task="5.2d" points=2 covers="E5.2/4"
def verify(prediction, measured, truth):
    """Mean squared error on measured values, its standard error, and the mean squared distance from the truth.

    prediction, measured, truth: (n, 1). Returns three numbers.
    """
    ### BEGIN SOLUTION
    squares = (prediction - measured) ** 2
    return squares.mean(), squares.std() / np.sqrt(squares.size), np.mean((prediction - truth) ** 2)
    ### END SOLUTION


# %% check="5.2d"
check("5.2d", verify)

# %%
verify = check.catch_up("5.2d", verify)
tests = [curve.y_test, curve.extra_test["truth"]]
outputs = [np.asarray(interpolator(curve.x_test))]
for seed in range(1, N_SEEDS):
    keras.utils.set_random_seed(check.seed + seed)
    again, _ = train_interpolator(define_interpolator(), *sets, EPOCHS)
    outputs.append(np.asarray(again(curve.x_test)))
print("training   mean squared error      distance from the curve (squared)")
results = [verify(output, *tests) for output in outputs]
for seed, (mse, error, distance) in enumerate(results):
    print(f"{seed:5d}      {mse:.3f} +- {error:.3f}        {distance:.3f}")
noise = np.mean((curve.y_test - curve.extra_test["truth"]) ** 2)
mean_mse, spread_mse = np.mean(results, axis=0)[0], np.std(results, axis=0, ddof=1)[0]
print(f"mean of {len(results)} trainings {mean_mse:.3f}, spread {spread_mse:.3f}; limit 1, the noise of these test points {noise:.3f}")  # fmt: skip

# %%
figure, axes = plt.subplots(2, 1, figsize=(8.5, 5.6), sharex=True, height_ratios=[2, 1])
places = curve.x_test[order, 0]
axes[0].plot(
    places, curve.extra_test["truth"][order], color=plotting.INK, lw=1.5, label="the curve"
)
axes[0].plot(places, outputs[0][order], "--", label="network")
axes[0].set(ylabel="$y$")
axes[0].legend()
axes[1].plot(places, (outputs[0] - curve.extra_test["truth"])[order], label="network - curve")
axes[1].axhline(0, color=plotting.GREY, lw=0.8)
axes[1].set(xlabel="$x$", ylabel="difference", ylim=(-2, 2))
figure.suptitle("What is left of the error sits at the tips of the peaks")
plotting.show(
    "The curve and the network on top of it; below, their difference, which is near zero but for the tips of the peaks.",
    figure,
)

# %%
check.quiz("5.2-q1")

# %% tags=["instructor"]
# Three layers leave 1.06 to 1.12, four layers of 32 with Keras' own start 1.2 to 1.3, the official penalty of 0.01 leaves 3.6 after 20 epochs.
# Ask why the squared errors nearly add: measured = truth + noise, and the noise knows nothing of the network (5.2).
check.quiz("5.2-q1", 4)

# %% [markdown]
r"""
## Exercise 5.3: the quality of wine, one last time

Exercise 3.2 fitted a straight plane to eleven chemical features, exercise 4.1 a network with code of one's own. With Keras it takes a few lines to try many variants. They need to be compared with care: the
differences are small, a training has its luck, and there are 1898 test wines only.
"""

# %%
wine = datasets.load_wine(seed=check.seed)
mean, deviation = wine.x_train.mean(axis=0), wine.x_train.std(axis=0)
mean_mark = wine.y_train.mean()
wine

# %% [markdown]
r"""
### The network, and two more layers

**Your task.** Build a network for any list of hidden layers, ReLU after each, with one linear output. Put the standardisation of the features into the network, so that nobody can forget it:
`layers.Normalization(mean=..., variance=...)`. (The official notebook feeds grams and milligrams as they are, and starts with a loss of 46.) Mind what the second argument is. The output starts where the baseline of exercise 3.2 is, at the mean mark of the training wines: give this number to its bias with
`bias_initializer=keras.initializers.Constant(...)`. Adam with a learning rate of 0.003 would otherwise need two thousand steps to walk there.
"""


# %% task="5.3a" points=2 covers="E5.3/2"
def wine_network(hidden, mean, deviation, mean_mark):
    """A network from the features of a wine to its quality.

    hidden: number of nodes in each hidden layer, such as (20,) or (20, 20, 20); mean, deviation: (features,), of the
    training wines; mean_mark: their mean quality, where the bias of the output starts. Returns a Keras model, not compiled; input (n, features) in their own units, output (n, 1).
    """
    ### BEGIN SOLUTION
    standardise = layers.Normalization(mean=mean, variance=deviation**2)
    inside = [layers.Dense(nodes, activation="relu") for nodes in hidden]
    output = layers.Dense(1, bias_initializer=keras.initializers.Constant(mean_mark))
    return keras.Sequential([keras.Input((len(mean),)), standardise, *inside, output])
    ### END SOLUTION


# %% check="5.3a"
check("5.3a", wine_network)

# %% [markdown]
r"""
### Momentum and Adam

The book's momentum (4.46) is a *mean* of the past gradients, Keras' is a *sum*:
$$v \leftarrow \beta v + (1-\beta)\,g, \quad W \leftarrow W - \alpha v \qquad\text{against}\qquad v \leftarrow \beta v - \mathrm{lr}\; g, \quad W \leftarrow W + v .$$
The two agree for $\mathrm{lr} = (1-\beta)\,\alpha$. With $\beta = 0.9$ and an unchanged learning rate Keras takes steps that are ten times as long, and the comparison with plain gradient descent would be unfair.

**Your task.** Return the optimiser for each of three strategies, with a learning rate that falls to zero over `steps` (`CosineDecay`). (The official notebook builds an optimiser with momentum and then compiles with the string `"sgd"`.)
"""


# %% task="5.3b" points=2 covers="E5.3/1"
def make_optimizer(strategy, rate, steps):
    """A Keras optimizer; its learning rate falls from its first value to zero over ``steps``.

    strategy: "sgd" (no momentum), "momentum" (SGD, beta = 0.9) or "adam".
    rate: first learning rate, for "momentum" in the book's convention (4.46).
    """
    ### BEGIN SOLUTION
    decay = keras.optimizers.schedules.CosineDecay
    if strategy == "adam":
        return keras.optimizers.Adam(decay(rate, steps))
    if strategy == "momentum":
        return keras.optimizers.SGD(decay((1 - 0.9) * rate, steps), momentum=0.9)
    return keras.optimizers.SGD(decay(rate, steps))
    ### END SOLUTION


# %% check="5.3b"
check("5.3b", make_optimizer)

# %% [markdown]
r"""
### Batches

With single examples the gradient of every step is that of one wine; with five, a matrix goes in, five predictions come out, and the gradient is their mean. An epoch has a fifth of the steps, and each step costs nearly the same.

**Your task.** Compile and fit, for any batch size. Count the steps for the learning rate, and set `steps_per_execution=250` in `compile`.
"""


# %% task="5.3c" points=2 covers="E5.3/3"
def train_wine(model, strategy, rate, x, y, batch_size, epochs):
    """Compile ``model`` with the mean squared error and make_optimizer, fit, and return it.

    x: (n, features); y: (n,); batch_size: examples a step; epochs: passes through the data.
    """
    ### BEGIN SOLUTION
    batches = int(np.ceil(len(x) / batch_size))
    optimizer = make_optimizer(strategy, rate, epochs * batches)
    model.compile(optimizer=optimizer, loss="mse", steps_per_execution=250)
    model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
    return model
    ### END SOLUTION


# %% check="5.3c"
check("5.3c", train_wine)

# %% [markdown]
r"""
### The table

Linear regression is the **baseline**. All predictions are compared with it on the same test wines: for each wine the difference $d$ of the two squared errors, then its mean and the error of the mean. A hard wine is hard for both, so that this
*paired* error is much smaller than the errors of the two mean squared errors.

**Your task.** Return the mean gain over the baseline (positive if the prediction is better), and its standard error.
"""


# %% task="5.3d" points=2 covers="E5.3/3"
def paired_gain(prediction, baseline, truth):
    """By how much the mean squared error of a prediction is smaller than that of the baseline, and the error.

    prediction, baseline, truth: (n,). Returns two numbers.
    """
    ### BEGIN SOLUTION
    d = (baseline - truth) ** 2 - (prediction - truth) ** 2
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))
    ### END SOLUTION


# %% check="5.3d"
check("5.3d", paired_gain)

# %%
wine_network = check.catch_up("5.3a", wine_network)
make_optimizer = check.catch_up("5.3b", make_optimizer)
train_wine = check.catch_up("5.3c", train_wine)
paired_gain = check.catch_up("5.3d", paired_gain)


def with_ones(x):
    """The features and a column of ones, whose weight is the bias."""
    return np.column_stack([x, np.ones(len(x))])


linear = with_ones(wine.x_test) @ np.linalg.lstsq(with_ones(wine.x_train), wine.y_train)[0]
variants = {
    "SGD": ((20,), "sgd", 0.01, 1, WINE_EPOCHS),
    "SGD with momentum": ((20,), "momentum", 0.01, 1, WINE_EPOCHS),
    "Adam": ((20,), "adam", 0.003, 1, WINE_EPOCHS),
    "Adam, two more layers": ((20, 20, 20), "adam", 0.002, 1, WINE_EPOCHS),
    "the same, batches of five": ((20, 20, 20), "adam", 0.005, 5, BATCH_EPOCHS),
}
predictions = {}
for name, (hidden, strategy, rate, batch_size, epochs) in variants.items():
    predictions[name] = []
    for seed in range(N_SEEDS):
        keras.utils.set_random_seed(check.seed + seed)
        network = wine_network(hidden, mean, deviation, mean_mark)
        train_wine(network, strategy, rate, wine.x_train, wine.y_train, batch_size, epochs)
        predictions[name].append(np.asarray(network(wine.x_test), float)[:, 0])

seen = {row.tobytes() for row in wine.x_train}
new = np.array([row.tobytes() not in seen for row in wine.x_test])
print(f"test wines without a twin in training: {np.mean(new):.0%}")
print(
    "                              test mse   spread   correlation   gain over the linear fit   on new wines only"
)
mse, mse_error = metrics.mean_with_error((linear - wine.y_test) ** 2)
r = np.corrcoef(linear, wine.y_test)[0, 1]
print(
    f"{'baseline: linear regression':28s} {mse:8.4f} {'':12s} {r:8.3f}       (statistical error of the mse: {mse_error:.3f})"
)
gains = {}
for name, found in predictions.items():
    errors = np.array([np.mean((p - wine.y_test) ** 2) for p in found])
    r = np.mean([np.corrcoef(p, wine.y_test)[0, 1] for p in found])
    each = np.array([paired_gain(p, linear, wine.y_test) for p in found])
    fresh = np.array([paired_gain(p[new], linear[new], wine.y_test[new]) for p in found])
    gains[name] = each.mean(axis=0)
    print(
        f"{name:28s} {errors.mean():8.4f} {errors.std(ddof=1):9.4f} {r:11.3f}     {each[:, 0].mean():+.4f} +- {each[:, 1].mean():.4f}         {fresh[:, 0].mean():+.4f} +- {fresh[:, 1].mean():.4f}"
    )

# %%
figure, axis = plt.subplots(figsize=(8, 3.8))
for row, (name, found) in enumerate(predictions.items()):
    values = [paired_gain(p, linear, wine.y_test) for p in found]
    axis.plot([value for value, _ in values], np.full(len(values), row), "o", ms=5, color=plotting.COLOURS[0], label="one training" if row == 0 else None)  # fmt: skip
    axis.errorbar(gains[name][0], row + 0.25, xerr=gains[name][1], fmt="D", ms=5, capsize=3, color=plotting.COLOURS[1], label="mean, statistical error of the test wines" if row == 0 else None)  # fmt: skip
axis.axvline(0, color=plotting.INK, ls="--", lw=1.5, label="baseline: linear regression")
axis.set(
    yticks=range(len(predictions)),
    yticklabels=predictions,
    xlabel="gain in mean squared error (marks$^2$)",
)
axis.set(title="Every network beats the linear fit; the ways of training differ little")
axis.invert_yaxis()
axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.4, -0.18), ncol=3)
plotting.show(
    "Gain over linear regression for five variants: all are well above zero, by many standard errors, and differ little from each other.",
    figure,
)

# %%
weakest = min(gains, key=lambda name: gains[name][0] / gains[name][1])
strongest = max(gains, key=lambda name: gains[name][0])
print(f"least significant: {weakest}, {gains[weakest][0] / gains[weakest][1]:.1f} standard errors; largest gain: {strongest}")  # fmt: skip
check.claim(
    "E5.3/2",
    gains["Adam, two more layers"][0] / gains["Adam, two more layers"][1],
    at_least=3,
    wrong=0,
)
check.claim(
    "E5.3/3",
    gains["the same, batches of five"][0] / gains["the same, batches of five"][1],
    at_least=3,
    wrong=0,
)

# %%
check.quiz("5.3-q1")

# %% tags=["instructor"]
# On the stand-in the quality depends on even functions of four features, so that networks gain about what they gain on the real table.
# The table has five variants and one test set: the best of five flatters itself a little. Who wants to choose must do it on validation data.
# Common mistakes: the deviation where the variance belongs; a momentum of 0.9 with the learning rate of SGD; (n,) minus (n, 1) residuals.
check.quiz("5.3-q1", 1)

# %% [markdown]
r"""
## Key points

- Know the limit. A training loss below it proves overtraining without any test data.
- A penalty needs a kind and a rate; the right rate brings training and new points together near the limit. L1 empties the network, L2 smooths it.
- Define, compile, train and monitor, verify: four steps, and a learning rate that falls to zero belongs to the second.
- On new measurements the error is the noise plus the squared distance from the truth; only the second can be improved.
- Compare variants over several seeds, on the same test events, with the paired difference, and beside a baseline.
"""

# %%
check.summary()
