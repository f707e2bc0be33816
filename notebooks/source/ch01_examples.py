# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 1, title: Four levels of data analysis, level: 1, minutes: 30, sections: "1.2-1.4", data: [], fast: {N_TEST: 2000, EPOCHS: 20}}
# ---
# %% [markdown]
r"""
# Four levels of data analysis: one question, four answers

**You will**

- answer the same question with a rule by hand, with classic machine learning, with learned variables and with a deep network;
- derive the one variable that makes the question easy;
- compare all of them with the best that is possible.

**You need** `ch01_scope`, and the mechanics of a body that slows down. **Time:** about 30 minutes. The cells themselves take about 20 seconds.

**You will see** that knowing physics and learning from data arrive at the same place, on different roads.
"""

# %% tags=["setup"]
from dlphys import checks, metrics, plotting

check = checks.start("ch01_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from sklearn.tree import DecisionTreeClassifier

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_RUNS = 8000  # runs to learn from
N_TEST = 5000  # runs to judge with
EPOCHS = 60

# %% [markdown]
r"""
## The question: which surface?

A block is pushed onto a track with an unknown speed between 1.2 and 2 m/s. Eight light gates, 10 cm apart, note when it passes; the clock starts at an unknown moment before. Each time is
read with an error of 1 ms. The track is covered with one of two surfaces: a smooth one, on which the block slows down by about 0.25 m/s², or a rough one with about 0.45 m/s². The deceleration
varies from run to run by 0.08 m/s².

The data of a run are eight times. The question has two answers, "smooth" (0) or "rough" (1).
"""

# %%
random = np.random.default_rng(check.seed)
POSITIONS = 0.1 * np.arange(8)  # m, of the light gates
SMOOTH, ROUGH, SPREAD, READING = 0.25, 0.45, 0.08, 0.001  # m/s^2, m/s^2, m/s^2, s


def passing_times(speed, slowing):
    """When a block passes the gates, from s = v t - a t^2 / 2; (n, 1) speeds and decelerations in, (n, 8) s out."""
    return 2 * POSITIONS / (speed + np.sqrt(speed**2 - 2 * slowing * POSITIONS))


def runs(n):
    """Times (n, 8) in s and surfaces (n,), 1 = rough."""
    surface = random.integers(0, 2, n)
    slowing = np.where(surface == 1, ROUGH, SMOOTH) + SPREAD * random.normal(size=n)
    times = passing_times(random.uniform(1.2, 2, (n, 1)), slowing[:, np.newaxis])
    return times + random.uniform(0, 1, (n, 1)) + READING * random.normal(size=times.shape), surface


times_train, surface_train = runs(N_RUNS)
times_test, surface_test = runs(N_TEST)

figure, axis = plt.subplots(figsize=(6.4, 3.8))
for label, name, style in [(0, "smooth", "o-"), (1, "rough", "s--")]:
    for i, run in enumerate(times_train[surface_train == label][:4]):
        colour = plotting.COLOURS[label]
        axis.plot(
            run - run[0],
            POSITIONS,
            style,
            color=colour,
            markersize=3,
            linewidth=1,
            label=name if i == 0 else None,
        )
axis.set(
    xlabel="time since the first gate (s)",
    ylabel="position (m)",
    title="Which are the rough ones? The eye sees the speed first",
)
axis.legend()
plotting.show(
    "Position against time of eight runs; fast and slow runs differ more than smooth and rough ones",
    figure,
)

# %% [markdown]
r"""
## Level 1: a rule by hand

A person thinks: friction costs speed, so compare the speed in the first gap with the speed in the last, and call a loss of more than 0.17 m/s rough. The rule is a program without anything to adjust; the number comes from experience.
"""


# %%
def by_rule(times):
    """1 (rough) where the loss of speed between the first and the last gap exceeds 0.17 m/s."""
    first, last = 0.1 / (times[:, 1] - times[:, 0]), 0.1 / (times[:, 7] - times[:, 6])
    return (first - last > 0.17).astype(int)


results = {"1 rule by hand": by_rule(times_test)}

# %% [markdown]
r"""
## Level 2: classic machine learning on hand-made variables

The rule throws information away: it uses four of eight times, and the loss of speed also depends on how long the block was under way. A physicist knows a better variable: the deceleration $a$ itself, in
$$s(t) = s_0 + v\,(t - t_0) - \tfrac12 a\,(t - t_0)^2.$$
For each run this is a parabola in $t$, and eight points are more than enough to fit it.

**Your task.** Return the deceleration of each run, by fitting a parabola $s(t)$ to its points. (`np.polyfit` fits one; it returns the coefficient of the highest power first. Times far from zero make the fit
inaccurate, so count them from the first gate.)
"""


# %% task="M1.2a" points=2
def deceleration(times, positions):
    """Deceleration a of each run, positive where it slows down, in m/s^2.

    times: (n, gates) in s; positions: (gates,) in m, the same for all runs. Returns (n,).
    """
    ### BEGIN SOLUTION
    curvature = [np.polyfit(run - run[0], positions, 2)[0] for run in times]
    return -2 * np.array(curvature)
    ### END SOLUTION


# %% check="M1.2a"
check("M1.2a", deceleration)

# %% [markdown]
r"""
With the deceleration and the mean speed as variables, a small decision tree learns the mapping.
"""

# %%
deceleration = check.catch_up("M1.2a", deceleration)


def hand_made(times):
    """Two variables of each run: deceleration and mean speed."""
    return np.column_stack([deceleration(times, POSITIONS), 0.7 / (times[:, 7] - times[:, 0])])


tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(
    hand_made(times_train), surface_train
)
results["2 hand-made variables, tree"] = tree.predict(hand_made(times_test))

figure, axis = plt.subplots(figsize=(6.4, 3.6))
for label, name, style in [(0, "smooth", "-"), (1, "rough", "--")]:
    chosen = hand_made(times_test[surface_test == label])[:, 0]
    axis.hist(
        chosen,
        np.linspace(-0.2, 0.9, 56),
        histtype="step",
        linewidth=2,
        linestyle=style,
        label=name,
    )
axis.axvline(tree.tree_.threshold[0], color="black", linestyle=":", label="first cut of the tree")
axis.set(
    xlabel="fitted deceleration (m/s²)",
    ylabel="test runs",
    title="In the right variable the question is nearly answered",
)
axis.legend()
plotting.show(
    "Histograms of the fitted deceleration for smooth and rough runs with the first cut of the tree between them",
    figure,
)

# %% [markdown]
r"""
### A run of your own

Here is one run on a longer track, with 61 gates that are read to 0.2 ms. It belongs to your name: nobody else in the course has a block that slows down as yours does.

**Your task.** Return the deceleration of your run in m/s². Compute it in the function, or write the number there that you have found; then it is your own, and no one can use it.
"""

# %%
own_times, own_positions = check.own_data("M1.2b")
print(f"{len(own_times)} gates, the last at {own_positions[-1]:.2f} m, passed after {own_times[-1] - own_times[0]:.4f} s")  # fmt: skip


# %% task="M1.2b" points=1
def own_deceleration(times, positions):
    """Deceleration of your own run in m/s^2, a number.

    times: (gates,) in s; positions: (gates,) in m: what `check.own_data("M1.2b")` returns.
    """
    ### BEGIN SOLUTION
    (found,) = deceleration(times[np.newaxis], positions)
    return found
    ### END SOLUTION


# %% check="M1.2b"
check("M1.2b", own_deceleration)

# %% [markdown]
r"""
## Level 3: representation learning

Now the machine gets the seven times since the first gate, and nothing else. In the first stage it makes four variables of its own (a hidden layer with four nodes), in the second it maps them to an answer. Nobody tells it
that there is such a thing as deceleration.

## Level 4: deep learning

More stages, more abstract variables: two hidden layers with 32 nodes each. By the definition quoted in section 1.4 a network is *deep* if it has more than one stage of non-linear transformation.

Before you run it: which level comes out best? Write the number of the level, 1 to 4.
"""

# %%
check.predict(
    "1.2-best", None, question="Which level classifies most test runs correctly (1 to 4)?"
)


# %%
def network_answer(hidden):
    """Train a network with these hidden layers on the times since the first gate; classify the test runs."""
    x, x_new = times_train[:, 1:] - times_train[:, :1], times_test[:, 1:] - times_test[:, :1]
    mean, width = x.mean(axis=0), x.std(axis=0)
    model = keras.Sequential(
        [keras.Input((7,)), *(layers.Dense(nodes, activation="relu") for nodes in hidden)]
    )
    model.add(layers.Dense(1, activation="sigmoid"))
    slowing_down = keras.optimizers.schedules.CosineDecay(0.01, EPOCHS * (len(x) // 128 + 1))
    model.compile(
        loss="binary_crossentropy",
        optimizer=keras.optimizers.Adam(slowing_down),
        steps_per_execution=21,
    )
    model.fit((x - mean) / width, surface_train, batch_size=128, epochs=EPOCHS, verbose=0)
    return (np.asarray(model((x_new - mean) / width))[:, 0] > 0.5).astype(int)


results["3 four learned variables"] = network_answer([4])
results["4 deep network 32 - 32"] = network_answer([32, 32])

# %% [markdown]
r"""
## What is possible

We made the data, so we know the probability of eight times for each surface. Comparing the two probabilities, averaged over all speeds and decelerations, is the best that anybody can do on average: a *limit*. It is a sum
over a fine grid of speeds and decelerations, weighted with how probable each deceleration is on each surface. (Skip the code on a first reading.)
"""


# %%
def best_possible(times):
    """1 where the times are more probable on the rough surface; times are compared without their unknown start."""
    slowing, speed = (
        grid.ravel()[:, np.newaxis]
        for grid in np.meshgrid(np.linspace(-0.1, 0.8, 91), np.linspace(1.2, 2, 321))
    )
    template = passing_times(speed, slowing)
    template -= template.mean(axis=1, keepdims=True)
    weights = [np.exp(-0.5 * ((slowing[:, 0] - mean) / SPREAD) ** 2) for mean in (SMOOTH, ROUGH)]
    answers = []
    for part in np.array_split(times - times.mean(axis=1, keepdims=True), 1 + len(times) // 200):
        chi2 = (
            (part**2).sum(axis=1, keepdims=True) - 2 * part @ template.T + (template**2).sum(axis=1)
        )
        likelihood = np.exp(-0.5 * (chi2 - chi2.min(axis=1, keepdims=True)) / READING**2)
        answers.append(likelihood @ weights[1] > likelihood @ weights[0])
    return np.concatenate(answers).astype(int)


limit, limit_error = metrics.accuracy_with_error(best_possible(times_test) == surface_test)
accuracy = {
    name: metrics.accuracy_with_error(answer == surface_test) for name, answer in results.items()
}
for name, (value, error) in accuracy.items():
    print(f"{name:28s} {value:.3f} +- {error:.3f}")
print(f"{'limit: the exact likelihood':28s} {limit:.3f} +- {limit_error:.3f}")

figure, axis = plt.subplots(figsize=(7, 3.4))
values, errors = np.array(list(accuracy.values())).T
axis.errorbar(values, range(4), xerr=errors, fmt="o", markersize=7)
axis.axvspan(
    limit - limit_error,
    limit + limit_error,
    color=plotting.GREY,
    alpha=0.3,
    label="limit: exact likelihood",
)
axis.set(
    yticks=range(4), yticklabels=accuracy, ylim=(3.5, -0.5), xlabel="test runs classified correctly"
)
figure.suptitle("Physics knowledge and a deep network arrive at the same place")
axis.legend(loc="lower left")
plotting.show(
    "Accuracy of the four levels with errors and the limit; levels 2 and 4 are close to the limit, level 1 far below",
    figure,
)

# %% covers="M1.2"
rule, classic, shallow, deep = values
check.confront("1.2-best", 1 + int(np.argmax(values)))
check.claim("M1.2", limit - classic, at_most=0.02, wrong=limit - rule)
check.claim("M1.2", limit - deep, at_most=0.03, wrong=limit - rule)
check.claim("M1.2", deep - rule, at_least=0.04, wrong=rule - deep)

# %% [markdown]
r"""
Differences smaller than the errors mean nothing: levels 2 and 4 may change places with another sample. What to take home:

- Level 2 needed one good idea and two variables. Where you know the physics, use it.
- Level 4 needed 8000 labelled runs and about 1300 parameters, but no idea. With a million pixels in place of eight times nobody has the idea, and that is what deep learning is for.
- Level 3 sits between: four learned variables are not quite enough to build a product of powers of time differences, which is what the deceleration is.
"""

# %%
check.quiz("M1.2-q1")

# %% tags=["instructor"]
# Let students name variables of their own field that a network would have to find first (invariant mass, zenith
# angle, phase difference). Then ask how many events it would take.
check.quiz("M1.2-q1", 2)

# %% [markdown]
r"""
And the machine itself: which of the four levels has something that is *adjusted*, which data does it need, and which objective is made small?
"""

# %%
check.quiz("M1.2-q2")

# %% tags=["instructor"]
# Summary 1.1 of the book in one line: adjustable mappings, data, an objective. The tree minimises the impurity of
# its groups, the networks the cross-entropy (chapter 4).
check.quiz("M1.2-q2", 3)

# %% [markdown]
r"""
## Key points

- The four levels differ in who makes the variables: a person, or the data.
- A limit, where it is known, says when to stop improving.
- A deep network can find what a good physicist knows, if there are enough examples.
"""

# %%
check.summary()
