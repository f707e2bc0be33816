# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 1, title: Scope of the course, level: 1, minutes: 60, sections: "1.1-1.7", data: [], fast: {EPOCHS: 20}}
# ---
# %% [markdown]
r"""
# Scope of the course: a first hour

**You will**

- get a verdict from a check, ask for a hint, and know what to do when a notebook breaks;
- find out whether this computer is ready for the course (exercise 3.1 of the book);
- count what a decision tree gets right and wrong;
- train a first neural network, and ask how its answer changes if a detector is calibrated a little differently.

**You need** some Python: functions, lists, a little NumPy. Nothing about machine learning. **Time:** about 60 minutes.

**You will see** a tree that finds its own cuts, a network with 17 parameters, and how large the effect of one percent is.
"""

# %% [markdown]
r"""
## How this notebook works

A notebook is a row of *cells*, some with text, some with Python. Click into a cell and press **Shift + Enter**: it runs, and the next cell is selected. Run the
cells from top to bottom, since each uses what earlier ones have defined. The number in brackets beside a cell says in which order cells ran; `[*]` means
"still running".

Begin with the next cell. It loads what this chapter needs (a few seconds) and starts the checks.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, plotting
from dlphys.course import doctor

check = checks.start("ch01_scope")

import platform

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from sklearn.tree import DecisionTreeClassifier

keras.utils.set_random_seed(check.seed)

# %% [markdown]
r"""
The sizes of the chapter stand in one cell. Larger means slower; you may change them and run everything again.
"""

# %% tags=["parameters"]
N_TREE = 5000  # simulated events for the decision tree
N_EVENTS = 480  # pulses for the network
EPOCHS = 200  # how often the network sees all pulses

# %% [markdown]
r"""
## A first task, and a first verdict

A detector counts $N$ particles in a time $T$. The rate is $N/T$. Counts fluctuate: a count $N$ has the statistical uncertainty $\sqrt N$ (Poisson statistics,
section 1.5). The time is known exactly.

In every task of this course you complete a function. Delete the line `raise NotImplementedError(...)` and write your own lines in its place; the text between the triple quotes
says what goes in and what comes out.

**Your task.** Return the rate and its statistical uncertainty.
"""


# %% task="1.5a" points=1
def rate_with_error(counts, seconds):
    """Rate of a counter and its statistical uncertainty, both in 1/s.

    counts: number of particles counted; seconds: measuring time. Returns the pair rate, uncertainty.
    """
    ### BEGIN SOLUTION
    return counts / seconds, np.sqrt(counts) / seconds
    ### END SOLUTION


# %% [markdown]
r"""
Now ask for a verdict. There are three: `passed`, `not yet`, and `not done` for a function that you have not begun. If it is not yet right, the lines below say what was
seen, what is expected, and where to look. For example, the square root of the *rate* would give

```
not yet  1.5a
  seen: 2.83323, which is what a common mistake gives
  expected: the root of the count, not of the rate: only the number of particles follows Poisson statistics
  look at: section 1.5 of the book and check.hint("1.5a")
```

A check tries your function with numbers of its own. You can change the function and check again as often as you like: run the cell of the task, then the
cell of the check.
"""

# %% check="1.5a"
check("1.5a", rate_with_error)

# %% [markdown]
r"""
**Stuck?** `check.hint("1.5a")` prints a hint, and the next call the next one; there are up to three. Try it now, it costs nothing.

**Still stuck?** Go on all the same. Where a later cell needs the result of a task, it says `check.catch_up("1.5a", rate_with_error)`: that is your function if it has passed, and otherwise
one that is right. So no task blocks the rest of a chapter.
"""

# %%
rate_with_error = check.catch_up("1.5a", rate_with_error)
rate, uncertainty = rate_with_error(counts=150, seconds=60.0)
print(f"150 particles in a minute: ({rate:.2f} +- {uncertainty:.2f}) per second")

# %% [markdown]
r"""
## Exercise 3.1: is this computer ready?

You have found the material. The second half of the exercise is to find out whether everything works here: Python, the packages, memory, a place to keep data. The *doctor* looks.
Lines with a mark in front come with what to do; a warning does not stop the course.
"""

# %%
report = doctor.examine(keras=False)  # Keras works: the setup cell has imported it
print(report)

# %% [markdown]
r"""
When you ask somebody for help, the first question will be which versions you have. Have the answer ready.

**Your task.** Ask the doctor, as above, and return a small report. `platform.python_version()` gives the version of Python as text; a package tells its own as `package.__version__`;
`keras.config.backend()` names the library that calculates for Keras.
"""


# %% task="1.1a" points=1 covers="E3.1"
def environment():
    """What this computer has, as a dict.

    "ready": the doctor's verdict, True or False; "python", "keras", "numpy": versions as text;
    "backend": the library behind Keras, as text.
    """
    ### BEGIN SOLUTION
    return {
        "ready": doctor.examine(keras=False).ok,
        "python": platform.python_version(),
        "keras": keras.__version__,
        "numpy": np.__version__,
        "backend": keras.config.backend(),
    }
    ### END SOLUTION


# %% check="1.1a"
check("1.1a", environment)

# %% [markdown]
r"""
## When something breaks

It will, and it is no harm. Three things help, in this order.

1. **Read the error from the bottom.** The last line says what happened; the arrow above it says in which line. The next cell breaks something on purpose and shows only the last line.
2. **Restart and run all.** Cells may have run in an order that no longer makes sense: you deleted a variable's cell, but the variable lives on. The menu *Kernel → Restart Kernel and Run
   All Cells* starts from nothing. What works after that works for everybody.
3. **Ask the doctor** again, in a terminal: `dlphys doctor`.

If a notebook is spoilt beyond repair, rename your copy, fetch a fresh one from where the course came from, and carry your functions over one by one. The checks tell which of them were sound.
"""

# %%
try:
    rates = [2.5, 2.7, 2.4]
    rates[3]
except IndexError as error:
    print(f"IndexError: {error}")
    print("-> the list has 3 entries; they are counted from 0, so the last one is rates[2]")

# %%
try:
    np.ones((100, 3)) @ np.ones((100, 3))
except ValueError as error:
    print(f"ValueError: {str(error).splitlines()[0]}")
    print(
        "-> in a product of matrices the inner sizes must agree, here 3 and 100: print the shapes, then transpose one"
    )

# %%
check.quiz("1.1-q1")

# %% tags=["instructor"]
# Nearly every "it worked yesterday" is a notebook whose cells ran out of order. Let the class provoke it once:
# define a variable, use it below, delete its cell, run the rest, save, restart.
check.quiz("1.1-q1", 2)

# %% [markdown]
r"""
## Section 1.3: a decision tree

A decision tree asks one yes-or-no question after another about the observables of an event, and ends with a vote: signal or background. Which observable is asked, and where the cut lies, is
learned from data. This is *classic machine learning*: the observables were chosen by people, the mapping by the machine.

The next figure draws the tree of Fig. 1.2. Each box says how many signal (S) and background (B) events arrive there, of 55 and 45 at the top.
"""

# %%
boxes = {  # position, signal, background, vote at a leaf
    "top": ((3, 3), 55, 45, ""),
    "small x1": ((1, 2), 10, 31, "background"),
    "large x1": ((5, 2), 45, 14, ""),
    "large x3": ((3.4, 1), 32, 5, "signal"),
    "small x3": ((6.6, 1), 13, 9, ""),
    "small x2": ((5.4, 0), 12, 2, "signal"),
    "large x2": ((7.8, 0), 1, 7, "background"),
}
branches = [
    ("top", "small x1", "$x_1 < 30\\,000$"),
    ("top", "large x1", "$x_1 \\geq 30\\,000$"),
    ("large x1", "large x3", "$x_3 \\geq 50$"),
    ("large x1", "small x3", "$x_3 < 50$"),
    ("small x3", "small x2", "$x_2 < 185$"),
    ("small x3", "large x2", "$x_2 \\geq 185$"),
]
colours = {"signal": plotting.COLOURS[1], "background": plotting.COLOURS[0], "": plotting.GREY}
figure, axis = plt.subplots(figsize=(8.5, 4.2))
for start, end, question in branches:
    (x0, y0), (x1, y1) = boxes[start][0], boxes[end][0]
    axis.plot([x0, x1], [y0, y1], color=plotting.GREY, zorder=1)
    axis.text(
        (x0 + x1) / 2,
        (y0 + y1) / 2,
        question,
        ha="center",
        va="center",
        backgroundcolor=plotting.BACKGROUND,
    )
for (x0, y0), s, b, vote in boxes.values():
    text = f"S/B = {s}/{b}" + (f"\nvote: {vote}" if vote else "")
    frame = {
        "boxstyle": "round",
        "facecolor": "white",
        "edgecolor": colours[vote],
        "linewidth": 2 if vote else 1,
    }
    axis.text(x0, y0, text, ha="center", va="center", color=plotting.INK, bbox=frame)
axis.set(xlim=(0, 9), ylim=(-0.4, 3.4), title="Three questions sort 100 events into four groups")
axis.axis("off")
plotting.show(
    "A decision tree. x1 below 30000: S/B 10/31, vote background. Otherwise x3 from 50: 32/5, vote signal. "
    "Otherwise x2 below 185: 12/2, vote signal, and from 185: 1/7, vote background.",
    figure,
)

# %% [markdown]
r"""
Every event ends in one of four groups, the *leaves*. At a leaf with the vote "signal" the signal events are right (true positives, TP) and the background events are wrong (false positives, FP).
At a leaf with the vote "background" the signal events are lost (false negatives, FN) and the background events are right (true negatives, TN).

**Your task.** Count the four kinds for any tree, from the counts at its leaves and their votes.
"""


# %% task="M1.1a" points=2
def confusion(signal, background, vote):
    """True positives, false positives, false negatives, true negatives of a tree.

    signal, background: arrays (leaves,), events of each kind at each leaf;
    vote: array (leaves,) of booleans, True where the leaf says signal. Returns four numbers TP, FP, FN, TN.
    """
    ### BEGIN SOLUTION
    return signal[vote].sum(), background[vote].sum(), signal[~vote].sum(), background[~vote].sum()
    ### END SOLUTION


# %% check="M1.1a"
check("M1.1a", confusion)

# %% [markdown]
r"""
The four counts are read through four ratios, each answering a question of its own:

- **accuracy**: which fraction of all events is classified correctly?
- **sensitivity** (efficiency, true positive rate): which fraction of the signal is found?
- **precision** (purity): which fraction of what is called signal is signal?
- **false positive rate**: which fraction of the background is called signal?

**Your task.** Return the four ratios.
"""


# %% task="M1.1b" points=2
def rates(true_positive, false_positive, false_negative, true_negative):
    """Four ratios of a confusion matrix, as a dict.

    Keys: "accuracy", "sensitivity", "precision", "false_positive_rate".
    """
    ### BEGIN SOLUTION
    every = true_positive + false_positive + false_negative + true_negative
    return {
        "accuracy": (true_positive + true_negative) / every,
        "sensitivity": true_positive / (true_positive + false_negative),
        "precision": true_positive / (true_positive + false_positive),
        "false_positive_rate": false_positive / (false_positive + true_negative),
    }
    ### END SOLUTION


# %% check="M1.1b"
check("M1.1b", rates)

# %% covers="M1.1"
confusion = check.catch_up("M1.1a", confusion)
rates = check.catch_up("M1.1b", rates)

leaves = [box for box in boxes.values() if box[3]]
counts = confusion(
    np.array([s for _, s, _, _ in leaves]),
    np.array([b for _, _, b, _ in leaves]),
    np.array([vote == "signal" for *_, vote in leaves]),
)
ratios = rates(*counts)
print("             called signal   called background")
print(f"signal       {counts[0]:6d}          {counts[2]:6d}")
print(f"background   {counts[1]:6d}          {counts[3]:6d}")
for name, value in ratios.items():
    print(f"{name:20s} {value:.3f}")
check.claim(
    "M1.1",
    list(ratios.values()),
    [0.820, 0.800, 0.863, 0.156],
    tolerance=5e-4,
    wrong=[0.82, 0.863, 0.800, 0.156],
)

# %%
check.quiz("M1.1-q1")

# %% tags=["instructor"]
# A rare signal is the point to discuss: with 1 signal in 1000 events, "always background" has accuracy 0.999.
# A search for new particles cares about sensitivity and false positive rate, hardly about accuracy.
check.quiz("M1.1-q1", 3)

# %% [markdown]
r"""
### The machine finds the cuts

Where do 30 000, 50 and 185 come from? The tree has found them in data. To see that, the next cell simulates events that are distributed as the figure says and lets scikit-learn grow a tree with four leaves.
It is told nothing but the events and their classes. At each step it takes the cut that makes the groups purest.
"""

# %%
random = np.random.default_rng(check.seed)


def simulate(n):
    """Events of Fig. 1.2: observables (n, 3) and class (n,), 1 = signal."""
    share = (
        np.array([[10, 32, 12, 1], [31, 5, 2, 7]]).ravel() / 100
    )  # signal and background at the four leaves
    place = random.choice(8, size=n, p=share)
    leaf, is_signal = place % 4, place < 4
    low = np.array([[10_000, 100, 0], [30_000, 100, 50], [30_000, 100, 0], [30_000, 185, 0]])
    high = np.array([[30_000, 270, 100], [50_000, 270, 100], [50_000, 185, 50], [50_000, 270, 50]])
    return random.uniform(low[leaf], high[leaf]), is_signal.astype(int)


x_tree, y_tree = simulate(N_TREE)
tree = DecisionTreeClassifier(max_leaf_nodes=4, random_state=0).fit(x_tree, y_tree)
found = {
    int(tree.tree_.feature[node]): tree.tree_.threshold[node]
    for node in np.where(tree.tree_.feature >= 0)[0]
}
for feature in (0, 2, 1):
    print(f"cut on x{feature + 1} at {found[feature]:9.1f}")

figure, axis = plt.subplots(figsize=(6, 4))
for label, name, marker in [(1, "signal", "x"), (0, "background", "s")]:
    chosen = x_tree[y_tree == label][:400]
    axis.plot(
        chosen[:, 0], chosen[:, 2], marker, markersize=4, linestyle="none", alpha=0.6, label=name
    )
axis.axvline(found[0], color="black", linestyle="--", label="cuts found by the tree")
axis.plot([found[0], 50_000], [found[2], found[2]], "k--")
axis.set(
    xlabel="$x_1$", ylabel="$x_3$", title="The tree cuts where signal and background change places"
)
figure.legend(loc="outside lower center", ncol=3)
plotting.show(
    "Simulated events in the plane of x1 and x3 with the two learned cuts near 30000 and 50", figure
)

# %% covers="M1.1"
x_new, y_new = simulate(20_000)
truth, called = y_new == 1, tree.predict(x_new) == 1
fresh = rates(
    (truth & called).sum(),
    (~truth & called).sum(),
    (truth & ~called).sum(),
    (~truth & ~called).sum(),
)
print(
    f"accuracy on events that the tree has not seen: {fresh['accuracy']:.3f} +- {np.sqrt(0.82 * 0.18 / 20_000):.3f}"
)
relative = [found[0] / 30_000, found[1] / 185, found[2] / 50]
check.claim(
    "M1.1",
    relative,
    [1, 1, 1],
    tolerance=0.1,
    wrong=[found[0] / 30_000, found[2] / 185, found[1] / 50],
)
check.claim("M1.1", fresh["accuracy"], 0.82, tolerance=0.02, wrong=fresh["precision"])

# %% [markdown]
r"""
The number 0.82 is also a *limit* here: inside a group signal and background are distributed alike, so no method can do better on average with these three observables.

## Section 1.7: a first network with Keras

A neural network combines its inputs in stages: here two inputs, a hidden layer of four *nodes*, one output. What a node does is the subject of chapter 3. For now, count parameters:
a node has one weight for each of its inputs and one bias.

Our two inputs describe a pulse of a detector: its height in volts and its length in microseconds. Long pulses are signal, but the length at which signal begins grows with the height.
"""

# %%
pulses = random.uniform(0, 2, size=(N_EVENTS, 2)).astype("float32")  # height in V, length in us
labels = (pulses[:, 1] > 0.4 + 0.4 * pulses[:, 0] ** 2).astype("float32")

# %% [markdown]
r"""
How many adjustable parameters has a network with 2 inputs, 4 hidden nodes and 1 output? Replace `None` by your guess.
"""

# %%
check.predict("1.7-parameters", None, question="Number of parameters of the network 2 - 4 - 1?")

# %% [markdown]
r"""
Fig. 1.5 of the book prints the program. Keras has moved on since: it is imported as `keras` itself, and the number of inputs is now stated by a first entry `keras.Input((2,))` in place of `input_dim=2`. The rest reads as it did.

- `layers.Dense(4, activation="relu")` is a layer of four nodes; `layers.Dense(1, activation="sigmoid")` is one node whose output lies between 0 and 1.
- `model.compile(...)` names the *objective* that is made small (`loss="mse"`, the mean squared difference to the label), the method that does it (`optimizer="sgd"`), and what to report besides
  (`metrics=["accuracy"]`).

**Your task.** Build and compile this network.
"""


# %% task="M1.3a" points=2
def first_network():
    """Network with 2 inputs, 4 ReLU nodes and one sigmoid output; compiled with mean squared error and SGD."""
    ### BEGIN SOLUTION
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(4, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="mse", optimizer="sgd", metrics=["accuracy"])
    return model
    ### END SOLUTION


# %% check="M1.3a"
check("M1.3a", first_network)

# %%
first_network = check.catch_up("M1.3a", first_network)
model = first_network()
history = model.fit(pulses, labels, epochs=EPOCHS, verbose=0)
plotting.training_curves(history, title="Step by step the objective falls")

# %% covers="M1.3"
check.confront("1.7-parameters", model.count_params())
loss = history.history["loss"]
print(f"mean squared error: {loss[0]:.3f} in the first epoch, {loss[-1]:.3f} in the last")
print(f"accuracy in the last epoch: {history.history['accuracy'][-1]:.3f}")
check.claim("M1.3", model.count_params(), 17, wrong=12)
check.claim("M1.3", loss[-1] / loss[0], at_most=0.9, wrong=1.0)

# %% [markdown]
r"""
The next figure shows what the network has learned: its output for every height and length. The dashed curve is the rule by which the labels were made, which the network was never told. How well
the solid line follows its bend depends on the random start and on patience: this way of training is the slowest of all, and chapter 4 has better ones.

(A network starts from random parameters. About once in 250 starts none of the four nodes ever responds, and the objective hardly falls. Then build the network again and train once more.)
"""

# %%
height, length = np.meshgrid(np.linspace(0, 2, 101), np.linspace(0, 2, 101))
output = model.predict(np.column_stack([height.ravel(), length.ravel()]), verbose=0).reshape(
    height.shape
)
figure, axis = plt.subplots(figsize=(6.6, 4.8))
mesh = axis.pcolormesh(height, length, output, vmin=0, vmax=1, cmap="cividis")
figure.colorbar(mesh, label="output of the network")
axis.contour(height, length, output, levels=[0.5], colors="black")
axis.plot([], [], color="black", label="output 0.5")
axis.plot(
    height[0], 0.4 + 0.4 * height[0] ** 2, "--", color=plotting.COLOURS[1], label="true boundary"
)
axis.plot(*pulses[labels == 1][:120].T, "x", color="black", markersize=4, label="signal")
axis.plot(
    *pulses[labels == 0][:120].T, "s", color=plotting.COLOURS[4], markersize=4, label="background"
)
axis.set(xlabel="pulse height (V)", ylabel="pulse length (µs)", ylim=(0, 2))
axis.set_title("The network's boundary (solid) beside the rule (dashed)")
figure.legend(loc="outside lower center", ncol=4)
plotting.show(
    "Network output over pulse height and length; it changes from 0 to 1 near the true boundary curve",
    figure,
)

# %% [markdown]
r"""
## Section 1.5: what if the calibration is off by one percent?

The network is now fixed: a function $z(x_1, x_2)$. Somebody finds that the pulse heights were measured 1 % too small. Every input $x_1$ becomes $1.01\,x_1$, and the output follows. To first order
$$\Delta z \approx \frac{\partial z}{\partial x_1}\,\Delta x_1, \qquad \Delta x_1 = 0.01\,x_1.$$
This is how a systematic uncertainty travels through a network: like through any other function.

**Your task.** Predict the change of the output of every event from the gradient, for a calibration factor $1 + f$ on one of the inputs.
"""


# %% task="M1.4a" points=2
def predicted_shift(gradient, x, column, factor):
    """First-order change of the output when one input is scaled by (1 + factor).

    gradient: array (n, inputs), derivative of the output by each input, event by event;
    x: array (n, inputs); column: the input that is scaled; factor: 0.01 for one percent. Returns (n,).
    """
    ### BEGIN SOLUTION
    return gradient[:, column] * factor * x[:, column]
    ### END SOLUTION


# %% check="M1.4a"
check("M1.4a", predicted_shift)

# %%
predicted_shift = check.catch_up("M1.4a", predicted_shift)

gradient = np.asarray(autodiff.gradient(model, pulses))
expected = predicted_shift(gradient, pulses, 0, 0.01)
shifted_pulses = pulses * np.array([1.01, 1.0], dtype="float32")
before, after = np.asarray(model(pulses))[:, 0], np.asarray(model(shifted_pulses))[:, 0]
change = after - before

figure, axis = plt.subplots(figsize=(5, 4.4))
axis.plot(expected, change, "o", markersize=4, alpha=0.6, label="pulses")
ends = np.array([expected.min(), expected.max()])
axis.plot(ends, ends, "k--", label="gradient times shift")
axis.set(
    xlabel=r"predicted: $\partial z/\partial x_1 \cdot 0.01\,x_1$",
    ylabel="observed change of the output",
)
axis.set_title("The gradient tells how the output moves")
axis.locator_params(nbins=5)
axis.legend()
plotting.show(
    "Observed against predicted change of the output for a one percent shift; the dots lie on the diagonal",
    figure,
)

# %% covers="M1.4"
relative_error = np.sqrt(np.mean((change - expected) ** 2) / np.mean(change**2))
without_input = np.sqrt(np.mean((change - 0.01 * gradient[:, 0]) ** 2) / np.mean(change**2))
print(
    f"gradient times shift misses the observed change by {relative_error:.1%} (root mean square, relative)"
)
check.claim("M1.4", relative_error, at_most=0.1, wrong=without_input)

# %% [markdown]
r"""
A few dots may lie off the line: there the 1 % carries the input across the kink of a ReLU node, and the first order does not know the other side.

What does it mean for a measurement? The network counts the pulses that it calls signal. The next cell compares the count with the old and with the new calibration: once in a small data set, once in a large one.
"""

# %%
for n in (1000, 100_000):
    data = random.uniform(0, 2, size=(n, 2)).astype("float32")
    count = (np.asarray(model(data)) > 0.5).sum()
    new_count = (np.asarray(model(data * np.array([1.01, 1.0], dtype="float32"))) > 0.5).sum()
    uncertainties = f"statistical uncertainty {np.sqrt(count):5.1f}, shift by the calibration {new_count - count:+d}"
    print(f"{n:6d} pulses: {count:5d} called signal, {uncertainties}")

# %%
check.quiz("M1.4-q1")

# %% tags=["instructor"]
# The statistical uncertainty grows as sqrt(N), the calibration shift in proportion to N: with a hundred times the
# data the calibration dominates. Chapter 19 returns to differences between simulation and data.
check.quiz("M1.4-q1", 1)

# %% [markdown]
r"""
## Key points

- Run cells from top to bottom; check as often as you like; hints and `catch_up` keep you going; *restart and run all* is the honest test.
- A decision tree and a neural network are both adjustable mappings: data and an objective set their parameters. Who chooses the variables makes the difference between the levels of section 1.2.
- A classifier has four counts and several ratios; say which one matters for your question.
- A network is a function. A shift of its input becomes a shift of its output, gradient times shift, and belongs among the systematic uncertainties.

`ch01_examples` solves one task at all four levels of data analysis, from a rule by hand to a deep network.
"""

# %%
check.summary()
