# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 3, title: The checkerboard in the playground, level: 1, minutes: 60, sections: "3.1-3.5", data: [checkerboard]}
# ---
# %% [markdown]
r"""
# The checkerboard in the playground

**You will**

- watch a network learn, neuron by neuron, in a playground that runs inside this notebook;
- find the smallest network that draws a checkerboard, and learn that "can draw" and "will find" are different questions;
- train the same network twenty times, and explain why it ends in different places;
- choose the input that makes the network superfluous.

**You need** the layer and the activations of `ch03_building_blocks`. **Time:** about 60 minutes, as many of them as you like in the playground.
The cells themselves run in a few seconds.

**You will see** networks that succeed, networks that get stuck, and networks that die.
"""

# %% tags=["setup"]
from dataclasses import replace

from dlphys import checks, metrics, playground, plotting

check = checks.start("ch03_playground")

import matplotlib.pyplot as plt
import numpy as np

# %% tags=["parameters"]
EPOCHS = 100
RESTARTS = 20
GOOD = 0.05  # a fit is called good if its test loss is below this

# %% [markdown]
r"""
## The playground

Points $(x_1, x_2)$ are scattered over a square. Blue ones carry the label $+1$, orange ones $-1$, and the network has to tell them apart. For the checkerboard

$$\text{label} = \operatorname{sign}(x_1 x_2).$$

The book works with a well-known page on the web. The playground here does the same without the web, and there are functions beside it that return numbers. It is exercise 3.3's workbench:

- The network is that of `ch03_building_blocks`: layers $\sigma(W\vec x + \vec b)$, here with ReLU, and a last neuron with tanh, so that the output lies between $-1$ and $1$.
- Its loss is $\frac{1}{2n}\sum_i (\text{output}_i - \text{label}_i)^2$. **Baseline:** a network that always answers 0 has a loss of exactly 0.5. A network that is right everywhere approaches 0.
- Half of the 500 points are for training. The *test loss* is that of the other half, which the training never sees.
- The picture inside each neuron shows what it answers at every place of the square. The lines between neurons are the weights: thick is large, blue (solid) is positive, orange (dashed) is negative.

**What to try**, before any programming:

1. Press *Train*. Four ReLU neurons learn the checkerboard in about 50 epochs, most of the time.
2. Press *Reset* and *Train* a few times. Does the same thing happen each time?
3. Take neurons away with $-$. When does it stop working? Add a second layer. Does it help?
4. Switch on another feature, such as $x_1^2$ or $x_1 x_2$, and take hidden layers away.
5. Choose the spiral. What does it take?
"""

# %%
playground.show()

# %% [markdown]
r"""
If you see text instead of a widget, this viewer cannot show widgets. All tasks below work without it.

The same training as a function call: settings, then `train`. Every entry of the widget is an entry of `Settings`, and `decision_pictures` draws what the widget shows. The loss is recorded
before the first epoch and after each.
"""

# %%
settings = playground.Settings(hidden=(4,), activation="relu", seed=check.seed)
run = playground.train(settings, epochs=EPOCHS, seed=1)
print(settings)
print(run)
print("shapes of the weights:", [weights.shape for weights in run.weights])

# %%
figure, axis = plt.subplots(figsize=(6, 3.5))
axis.semilogy(run.train_loss, label="training")
axis.semilogy(run.test_loss, "--", label="test")
axis.axhline(0.5, color=plotting.GREY, linestyle=":", label="baseline: always answer 0")
axis.set(
    xlabel="epoch",
    ylabel="loss",
    title=f"Four neurons: from {run.test_loss[0]:.2f} to {run.test_loss[-1]:.3f}",
)
axis.legend()
plotting.show(
    "Training and test loss of a 2-4-1 network fall together, well below the baseline", figure
)

# %% [markdown]
r"""
## Part 1: the smallest network

To judge a network by one training would be to judge a die by one throw. `playground.restarts(settings, epochs=..., seeds=20)` trains the same settings twenty times; nothing differs but the
random initial weights and the order of the points. It returns a list of runs.

**Your task.** Return the test loss after the last epoch of each restart, for ReLU networks with the given hidden layers. `hidden=(4,)` is one layer of four neurons, `(2, 3)` two
layers. All other settings keep their defaults, except the seed of the data.
"""


# %% task="3.3a" points=2 covers="E3.3/1"
def final_losses(hidden, data_seed, epochs, restarts):
    """Test loss of several trainings of the same network on the checkerboard.

    hidden: tuple of the neurons in each hidden layer; data_seed: the `seed` of the settings;
    epochs, restarts: whole numbers. Returns an array (restarts,).
    """
    ### BEGIN SOLUTION
    settings = playground.Settings(hidden=hidden, activation="relu", seed=data_seed)
    runs = playground.restarts(settings, epochs=epochs, seeds=restarts)
    return np.array([run.test_loss[-1] for run in runs])
    ### END SOLUTION


# %% check="3.3a"
check("3.3a", final_losses)

# %% [markdown]
r"""
A checkerboard has two straight borders. How often will three neurons succeed? Replace `None` by the number of good fits that you expect in twenty restarts.
"""

# %%
check.predict("3.3-three", None, question="Good fits of a network with 3 neurons in 20 restarts?")

# %% [markdown]
r"""
"The smallest network that gives a good fit" can mean several things: good at least once, good most of the time, good nearly always. So the share of good restarts is part of the question.

**Your task.** Given the final losses for several numbers of neurons, return the smallest number for which at least the wanted share of restarts has a loss below `limit`,
or `None` if there is none.
"""


# %% task="3.3b" points=2 covers="E3.3/1"
def smallest_network(losses, limit, share):
    """Smallest number of neurons that reaches a share of good fits.

    losses: dict, number of neurons -> array of final losses; limit: a fit is good below it;
    share: wanted fraction of good fits, 0 to 1. Returns a whole number, or None.
    """
    ### BEGIN SOLUTION
    for neurons in sorted(losses):
        if np.mean(losses[neurons] < limit) >= share:
            return neurons
    return None
    ### END SOLUTION


# %% check="3.3b"
check("3.3b", smallest_network)

# %%
final_losses = check.catch_up("3.3a", final_losses)
smallest_network = check.catch_up("3.3b", smallest_network)

losses = {
    neurons: final_losses((neurons,), check.seed, EPOCHS, RESTARTS) for neurons in range(1, 9)
}
for neurons, values in losses.items():
    share, error = metrics.accuracy_with_error(values < GOOD)
    print(
        f"{neurons} neurons: {share:.2f} +- {error:.2f} good fits, best test loss {values.min():.3f}"
    )
for wanted in (0.01, 0.5, 0.95):
    print(f"smallest network with {wanted:.0%} good fits: {smallest_network(losses, GOOD, wanted)}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
shares = np.array([metrics.accuracy_with_error(values < GOOD) for values in losses.values()])
left.errorbar(list(losses), shares[:, 0], shares[:, 1], fmt="o-", capsize=3)
left.axhline(1, color=plotting.GREY, linestyle=":", label="limit: every restart is good")
left.set(
    xlabel="neurons in the hidden layer",
    ylabel=f"share of restarts with a test loss below {GOOD}",
    ylim=(-0.05, 1.1),
    title="Two neurons never do, three sometimes",
)
left.legend(loc="lower right")
jitter = np.linspace(-0.25, 0.25, RESTARTS)
for neurons, values in losses.items():
    right.semilogy(neurons + jitter, values, "o", color="C0", markersize=3)
right.axhline(0.5, color=plotting.GREY, linestyle="--", label="baseline: always answer 0")
right.axhline(GOOD, color="C1", linestyle=":", label="a good fit is below")
right.set(
    xlabel="neurons in the hidden layer",
    ylabel="test loss of each restart",
    title="The losses come in steps",
)
right.legend(loc="upper right", bbox_to_anchor=(1, 0.8), fontsize="small")
plotting.show(
    "Share of good fits against the number of neurons, rising from 0 at two to nearly 1 at five and more; "
    "beside it the test loss of every restart, in separate groups",
    figure,
)

# %%
check.confront("3.3-three", (losses[3] < GOOD).sum())

# %% [markdown]
r"""
Three neurons *can* draw a checkerboard, but only about half of the restarts find it. With more neurons than needed nearly all do: some of them will stand in a useful place from the start. This is
a first example of something that holds for large networks as well: spare neurons make the training easier, not only the function richer.

Do more layers help? Here are all shapes with few parameters, in the order of their size.
"""

# %%
shapes = [(2,), (3,), (4,), (5,), (1, 3), (2, 2), (3, 1), (2, 3), (3, 2), (2, 2, 2), (4, 4)]
for hidden in sorted(shapes, key=lambda hidden: playground.Settings(hidden=hidden).parameters):
    values = final_losses(hidden, check.seed, EPOCHS, RESTARTS)
    share, error = metrics.accuracy_with_error(values < GOOD)
    number = playground.Settings(hidden=hidden).parameters
    print(f"{hidden!s:10s} {number:3d} parameters: {share:.2f} +- {error:.2f} good fits")

# %% [markdown]
r"""
At this size depth costs more than it gives: for the same number of parameters, one layer is found more easily than two.

### A checkerboard without training

What does a network need at least? Think of the function
$$|x_1 + x_2| - |x_1 - x_2| = 2\,\operatorname{sign}(x_1 x_2)\,\min(|x_1|, |x_2|).$$
It has the sign of the product everywhere: an exact checkerboard. And an absolute value is a sum of two ReLU, one for either side of its kink.

**Your task.** Return weights and biases of a network 2-4-1 that has the right sign everywhere, with nothing trained. The playground stores weights as (inputs, outputs), as Keras does: column $j$
belongs to neuron $j$.
"""


# %% task="3.3c" points=3 covers="E3.3/1"
def by_hand():
    """A ReLU network with four hidden neurons whose output has the sign of x1 x2.

    Returns weights (2, 4) and biases (4,) of the hidden layer, weights (4, 1) and bias (1,) of the output.
    """
    ### BEGIN SOLUTION
    weights = np.array([[1.0, -1.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0]])
    output_weights = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    return weights, np.zeros(4), output_weights, np.zeros(1)
    ### END SOLUTION


# %% check="3.3c"
check("3.3c", by_hand)

# %%
by_hand = check.catch_up("3.3c", by_hand)
w, b, v, d = by_hand()
points = run.points.x_test
output = np.tanh(np.maximum(points @ w + b, 0) @ v + d)[:, 0]
share, error = metrics.accuracy_with_error((output > 0) == (run.points.y_test > 0))
print(f"by hand: {share:.3f} of the test points right; trained: {run.accuracy:.3f}")

# %% [markdown]
r"""
So four neurons are enough for *every* checkerboard, whatever its size. Three are enough for this one, since no point is closer than 0.3 to a border: the trained networks bend and
tilt the borders within this gap. Look for it in the next figure.

## Part 2: the same settings again and again

Here are the twelve first restarts of the network with three neurons.
"""

# %%
same = playground.restarts(replace(settings, hidden=(3,)), epochs=EPOCHS, seeds=12)
playground.decision_pictures(
    same,
    columns=6,
    title="The same settings, twelve times: three neurons in different places",
    alt="Twelve decision pictures of networks with three neurons: about half show a checkerboard with slightly "
    "tilted borders, the others miss one or two quadrants",
)

# %% [markdown]
r"""
The failures are not noise. There are a few kinds of them, each with a loss of its own (the steps in the figure of part 1). Estimate: a network that answers one quadrant of four with the wrong sign,
and all others right, has a loss of $\frac12\cdot\frac14\cdot 2^2 = 0.5$; one that answers 0 in two quadrants has $\frac12\cdot\frac12\cdot 1 = 0.25$. Find both among the pictures.

In a picture that is stuck, every small change of the borders makes more points wrong than right: a *local minimum*, or a plateau from which training creeps away too slowly to matter.

### Which randomness decides?

Two things are random: the initial weights, and the order in which the points come. To separate them, take the second away. If all 250 training points form a single batch, their order does not matter.
A batch an epoch means 25 times fewer steps, so the training gets more epochs and a larger learning rate. A seed stands for the same initial weights as before.
"""

# %%
small_batches = final_losses((3,), check.seed, EPOCHS, RESTARTS)
whole = replace(settings, hidden=(3,), batch_size=settings.points, learning_rate=0.3)
one_batch = np.array(
    [run.test_loss[-1] for run in playground.restarts(whole, epochs=10 * EPOCHS, seeds=RESTARTS)]
)
same_end = (small_batches < GOOD) == (one_batch < GOOD)
print(f"{same_end.sum()} of {RESTARTS} seeds end alike: good with both, or stuck with both")

figure, axis = plt.subplots(figsize=(8, 3.5))
seeds = np.arange(1, RESTARTS + 1)
axis.semilogy(seeds, small_batches, "o", label="batches of 10, in random order")
axis.semilogy(
    seeds, one_batch, "s", markerfacecolor="none", markersize=9, label="one batch, no order"
)
axis.axhline(GOOD, color="C1", linestyle=":", label="a good fit is below")
axis.axhline(0.5, color=plotting.GREY, linestyle="--", label="baseline: always answer 0")
axis.set(
    xlabel="seed of the initial weights",
    ylabel="test loss at the end",
    xticks=seeds,
    title=f"The initial weights decide: {same_end.sum()} of {RESTARTS} seeds end alike",
)
axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
plotting.show(
    "Test loss for each seed with small batches and with one batch: nearly all pairs lie together, above or below "
    "the line of a good fit",
    figure,
)

# %% [markdown]
r"""
Where the borders start decides where they can go. The order of the batches shakes them, which in chapter 4 will turn out to help at times; here it changes little.

### Dead neurons

There is a second way to fail. A ReLU neuron whose sum is negative for every point answers 0, and its slope is 0 as well: no gradient reaches its weights, and it stays silent for ever. It is *dead*.
With one hidden layer this is rare, because the inputs point in all directions. In a deeper layer all inputs are positive or zero, and a neuron with negative weights is dead at once.

**Your task.** Return how many neurons of a layer are dead. `values` holds the outputs of the layer for all training points.
"""


# %% task="3.3d" points=1 covers="E3.3/2"
def dead_neurons(values):
    """Number of ReLU neurons that answer 0 for every point.

    values: outputs of one layer, (points, neurons). Returns a whole number.
    """
    ### BEGIN SOLUTION
    return int(np.sum(np.max(values, axis=0) == 0))
    ### END SOLUTION


# %% check="3.3d"
check("3.3d", dead_neurons)

# %%
dead_neurons = check.catch_up("3.3d", dead_neurons)
narrow = playground.restarts(replace(settings, hidden=(2, 2, 2)), epochs=EPOCHS, seeds=RESTARTS)
dead = np.array(
    [[dead_neurons(values) for values in run.neurons(run.points.x_train)[1:-1]] for run in narrow]
)
narrow_losses = np.array([run.test_loss[-1] for run in narrow])
silent = (dead == 2).any(axis=1)
print("three layers of two neurons: dead neurons in each layer, and the test loss")
for counts, loss in sorted(zip(dead.tolist(), narrow_losses, strict=True), key=lambda row: row[1]):
    print(f"  {counts}  {loss:.3f}" + ("  a whole layer is dead" if 2 in counts else ""))
print(f"a whole layer is dead in {silent.sum()} of {RESTARTS} restarts")

# %% [markdown]
r"""
If a whole layer is dead, the output is the same constant everywhere, and the loss is that of the baseline, 0.5 up to the small difference between the numbers of blue and orange points. No
patience helps: the gradient of everything below is exactly zero. Wide layers make this unlikely. Chapter 7 chooses the initial weights so that the signal survives many layers.
"""

# %%
check.quiz("3.3-q1")

# %% tags=["instructor"]
# The loss has several minima and the start decides between them. The data, the settings and the number of steps are
# the same in all restarts, and the full batch removes the order: nothing else is left.
check.quiz("3.3-q1", 3)

# %% [markdown] tags=["answer"] covers="E3.3/2"
r"""
**Reference answer to part 2.** With the same settings some runs draw the checkerboard and others stop early, at a few typical losses. What differs is random: the initial weights, and the order of the
points. Training with a single batch has no order, and nearly the same seeds fail, so the initial weights are what decides. The loss as a function of the weights has several minima: a ReLU border that
starts in the wrong region cannot be carried over to the right one, since every small step on the way would raise the loss. In deeper, narrow networks a layer can die: all of its
neurons answer 0, no gradient passes, and the output stays constant. The more neurons there are, the more often a few of them start well, and the smaller the spread.
"""

# %% [markdown]
r"""
## Part 3: help from a feature

The playground offers five more inputs: $x_1^2$, $x_2^2$, $x_1x_2$, $\sin x_1$ and $\sin x_2$. Which one helps most? To see the help of the input and not that of the network, keep the network as small as
possible: `hidden=()` joins the inputs to the output, a single neuron.

**Your task.** For each extra feature, train networks with the features $x_1$, $x_2$ and this one. Return the median of the final test losses of all restarts. The median is
the fair summary here, since a mean over runs that are stuck and runs that are not describes neither.
"""


# %% task="3.3e" points=3 covers="E3.3/3"
def losses_with_feature(extras, hidden, data_seed, epochs, restarts):
    """Median test loss with one extra feature beside x1 and x2.

    extras: list of feature names such as "x1^2"; hidden: neurons of the hidden layers (ReLU);
    data_seed: the `seed` of the settings. Returns a dict, feature name -> number.
    """
    ### BEGIN SOLUTION
    medians = {}
    for extra in extras:
        inputs = ("x1", "x2", extra)
        settings = playground.Settings(features=inputs, hidden=hidden, seed=data_seed)
        runs = playground.restarts(settings, epochs=epochs, seeds=restarts)
        medians[extra] = np.median([run.test_loss[-1] for run in runs])
    return medians
    ### END SOLUTION


# %% check="3.3e"
check("3.3e", losses_with_feature)

# %%
losses_with_feature = check.catch_up("3.3e", losses_with_feature)
extras = ["x1^2", "x2^2", "x1*x2", "sin x1", "sin x2"]
figure, axis = plt.subplots(figsize=(9, 3.8))
for colour, marker, hidden, label in (
    ("C0", "o", (), "one neuron"),
    ("C1", "s", (2,), "two hidden neurons"),
):
    medians = losses_with_feature(extras, hidden, check.seed, EPOCHS, RESTARTS)
    alone = np.median(final_losses(hidden, check.seed, EPOCHS, RESTARTS))
    print(f"{label}: without an extra feature {alone:.3f}")
    print("  " + ", ".join(f"{name} {value:.3f}" for name, value in medians.items()))
    axis.plot(list(medians.values()), marker, color=colour, markersize=9, label=label)
    axis.axhline(alone, color=colour, linestyle="--", label=f"{label}, no extra feature")
axis.axhline(GOOD, color="black", linestyle=":", label="a good fit is below")
axis.set(
    xticks=np.arange(5),
    xticklabels=["$x_1^2$", "$x_2^2$", "$x_1x_2$", r"$\sin x_1$", r"$\sin x_2$"],
    xlabel="extra feature",
    ylabel=f"median test loss of {RESTARTS} restarts",
    yscale="log",
    title="With the product, one neuron is enough",
)
axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
plotting.show(
    "Median test loss with each extra feature, for one neuron and for two hidden neurons: with the product x1 x2 it "
    "lies far below the line of a good fit, with all others far above",
    figure,
)

# %%
best = playground.train(
    replace(settings, features=("x1", "x2", "x1*x2"), hidden=()), epochs=EPOCHS, seed=1
)
for name, weight in zip(best.settings.features, best.weights[0][:, 0], strict=True):
    print(f"weight of {name:6s} {weight:7.3f}")
print(f"bias             {best.biases[0][0]:7.3f}")

# %% [markdown]
r"""
The neuron found the rule: all weight on the product, next to none on the rest. How could one have known? Look at the correlation of each feature with the label.
"""

# %%
sample = run.points
for name in ["x1", "x2", *extras]:
    column = playground.features(sample.x_train, [name])[:, 0]
    r, error = metrics.correlation_with_error(column, sample.y_train)
    print(f"{name:7s} r = {r:6.3f} +- {error:.3f}")

# %% [markdown]
r"""
Neither coordinate on its own says anything about the label; their product says nearly all. The book remarks that the network learns that $x_1$ and $x_2$ "are not independent variables". Take this with
care: in these data the coordinates *are* independent of each other. It is the label that depends on both together.

With squares or sines two hidden neurons get further in some restarts, since their borders may be curved; the median shows that one cannot rely on it. A good feature is physics put in by hand: where you know an invariant or a symmetry, give it to the network.
"""

# %%
check.quiz("3.3-q2")

# %% tags=["instructor"]
# A useful contrast: for the circle the helpful features are the two squares, and the product is of no use.
check.quiz("3.3-q2", 2)

# %% [markdown]
r"""
## Regression in the playground

With `problem="regression"` the output is linear and the target a number: a tilted plane, or six hills and hollows ("gauss"). A plane is no work for a network. For the hills, compare a layer of six tanh neurons with two layers of eight.
**Baseline:** always answer 0, whose loss is half the mean square of the targets.
"""

# %%
regressions = []
for dataset, hidden in (("plane", (6,)), ("gauss", (6,)), ("gauss", (8, 8))):
    regression = playground.Settings(
        problem="regression",
        dataset=dataset,
        hidden=hidden,
        activation="tanh",
        learning_rate=0.1,
        seed=check.seed,
    )
    regressions.append(playground.train(regression, epochs=5 * EPOCHS, seed=1))
titles = []
for result in regressions:
    baseline = 0.5 * np.mean(result.points.y_test**2)
    sizes = "-".join(map(str, result.settings.sizes))
    titles.append(
        f"{sizes}, {result.settings.dataset}: test loss {result.test_loss[-1]:.4f}\nbaseline {baseline:.4f}"
    )
    print(titles[-1].replace("\n", ", "))
playground.decision_pictures(
    regressions,
    titles=titles,
    title="A plane needs few neurons, six hills need more",
    alt="Three regressions: a tilted plane with 6 neurons, six hills blurred with 6 neurons and clear with 8 and 8",
)

# %% [markdown]
r"""
Exercise 5.1 comes back to the checkerboard, with noise: a large network then learns the noise, and regularisation has to stop it.

## Key points

- A result of one training is one throw of a die. Give the share of good runs, or the spread, with its error.
- What a network can represent and what training finds are different questions: four neurons are enough by construction, three by luck, five in nearly every run.
- Restarts differ because of their initial weights: the loss has several minima.
- A ReLU neuron that is silent for all points gets no gradient. A dead layer ends the training.
- The right feature replaces the network. Here it is the product $x_1x_2$, on which the label depends.
"""

# %%
check.summary()
