# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 7, title: "Galaxies, left and right", level: 2, minutes: 50, sections: "7.3", data: [spiral_galaxies], fast: {N_GALAXIES: 8400, N_NEW: 2000, EPOCHS: 6, FEW: [500]}}
# ---
# %% [markdown]
r"""
# Galaxies, left and right

**You will**

- build the classifier of section 7.3: 1024 pixels in, two probabilities out, softmax and cross-entropy;
- measure its accuracy beside a method that astronomers use, the Fourier transform in logarithmic spirals;
- use a mirror twice, to test what the network has learnt and to teach it more;
- look at the weights of its first layer.

**You need** exercise 7.1 or the earthquakes of section 7.2 (dense networks in Keras, a falling learning rate), and one-hot encoding.
**Time:** about 50 minutes. The cells themselves run in half a minute.

**You will see** two pictures that a linear classifier cannot tell apart at all, and a symmetry that helps as more data would.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.simulators import galaxies

check = checks.start("ch07_galaxies")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_GALAXIES = 21_000  # training, validation and test together; 19 in 21 are for training
N_NEW = 10_000  # new galaxies, for the comparison
EPOCHS = 9
FEW = [1000, 4000]  # smaller numbers of training galaxies

# %% [markdown]
r"""
## The pictures

A spiral galaxy is a disk with bright arms. Follow an arm outwards: you turn to the left or to the right, depending on the side from which we happen to see the galaxy. Whether both are
equally frequent in the sky is a question to nature, and people have classified hundreds of thousands of pictures by eye to answer it.

Each picture has 32 x 32 pixels with a brightness from 0 (black) to 1 (white). The book tells this as a thought experiment, without data. Ours are simulated: a disk with two arms in the shape of
logarithmic spirals $r = r_0\, e^{\pm\varphi\tan p}$ with pitch angles $p$ from 10 to 30 degrees, a bulge, an inclination, the blur of a telescope, and noise.
"""

# %%
data = datasets.load_spiral_galaxies(N_GALAXIES, seed=check.seed)
data

# %%
shown = [np.flatnonzero(data.y_train == kind)[:4] for kind in (1, 0)]
plotting.image_row(
    data.x_train[np.concatenate(shown)],
    ["left"] * 4 + ["right"] * 4,
    title="Left or right: follow an arm from the centre outwards",
)

# %% [markdown]
r"""
The network receives the pixels line by line, as a list of 1024 numbers. It is not told which pixels are neighbours.

Is this difficult? Look at the mean picture of each kind. All orientations are equally likely, so the mean is a round blob for both: no pixel knows anything about the handedness by itself. A *linear* classifier adds up
pixels with weights, so it has nothing to add up. Predict what it will reach, then see.
"""

# %%
check.predict(
    "M7.2-linear",
    None,
    question="Which fraction of the galaxies will a linear classifier (one layer, 1024 weights) get right?",
)

# %%
new = galaxies.simulate(N_NEW, seed=check.seed + 1)
images, left = new.images[..., np.newaxis], new.left.astype(int)

means = [data.x_train[data.y_train == kind].mean(axis=0)[..., 0] for kind in (0, 1)]
linear = keras.Sequential(
    [keras.Input((32, 32, 1)), layers.Flatten(), layers.Dense(1, activation="sigmoid")]
)
linear.compile("adam", "binary_crossentropy", steps_per_execution=50)
linear.fit(data.x_train, data.y_train, batch_size=128, epochs=4, verbose=0)
linear_right = (linear.predict(images, batch_size=1000, verbose=0)[:, 0] > 0.5) == left
linear_accuracy, linear_error = metrics.accuracy_with_error(linear_right)

figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.3))
largest = 0.02
for axis, picture, title, limits in [
    (axes[0], means[1], "mean of all left ones", (0, 1)),
    (axes[1], means[0], "mean of all right ones", (0, 1)),
    (axes[2], means[1] - means[0], "their difference", (-largest, largest)),
]:
    shades = axis.imshow(
        picture, cmap="gray" if limits[0] == 0 else "RdBu", vmin=limits[0], vmax=limits[1]
    )
    axis.set(title=title, xlabel="x (pixels)", ylabel="y (pixels)")
    figure.colorbar(shades, ax=axis, label="brightness", shrink=0.8)
figure.suptitle("The two kinds have the same mean picture: no single pixel tells them apart")
plotting.show(
    "Mean picture of left galaxies, of right galaxies, both the same round blob, and their difference, which is noise "
    f"of at most {np.abs(means[1] - means[0]).max():.3f}.",
    figure,
)
print(f"linear classifier: {linear_accuracy:.3f} +- {linear_error:.3f}")
check.confront("M7.2-linear", linear_accuracy)

# %% covers="M7.2"
check.claim("M7.2", linear_accuracy, 0.5, tolerance=0.03, wrong=0.6)

# %% [markdown]
r"""
### Beside it: what an astronomer would do

Turn the picture so that the galaxy is seen from above, write it as a function of $\ln r$ and the angle $\varphi$, and take the Fourier transform in both. A logarithmic spiral is a straight line in these coordinates, so its
light collects in one Fourier amplitude, and the sign of its frequency is the handedness. This **baseline** is `galaxies.fourier_handedness`. It needs no training, but a person who knows about logarithmic spirals.
"""

# %%
fourier_right = (galaxies.fourier_handedness(images) > 0) == left
fourier_accuracy, fourier_error = metrics.accuracy_with_error(fourier_right)
print(f"baseline, Fourier in logarithmic spirals: {fourier_accuracy:.4f} +- {fourier_error:.4f}")

# %% [markdown]
r"""
## The network

As for the earthquakes of section 7.2, three hidden layers with 64 nodes do the work. New is the output: two nodes, one for each class, made into probabilities by the **softmax**

$$\hat z_k = \frac{e^{z_k}}{e^{z_1} + e^{z_2}}, \tag{7.6}$$

where on the right stand the plain outputs of the last layer. (The book writes $\hat z$ on the left as $\vec z$ as well; the two must not be mixed up: first the sums, then their softmax.) The truth is written as $(1, 0)$ for right
and $(0, 1)$ for left (7.7), one slot for each class; `keras.utils.to_categorical` does that.

**Your task.** Build the network: flatten, three hidden layers with 64 nodes and ReLU, two outputs with a softmax.
"""


# %% task="M7.2a" points=1
def build_classifier():
    """A fully-connected network for pictures (32, 32, 1); output (n, 2): probabilities of right and of left.

    Returns a Keras model, not compiled.
    """
    ### BEGIN SOLUTION
    hidden = [layers.Dense(64, activation="relu") for _ in range(3)]
    output = layers.Dense(2, activation="softmax")
    return keras.Sequential([keras.Input((32, 32, 1)), layers.Flatten(), *hidden, output])
    ### END SOLUTION


# %% check="M7.2a"
check("M7.2a", build_classifier)

# %%
build_classifier = check.catch_up("M7.2a", build_classifier)

# %% covers="M7.2"
check.claim("M7.2", build_classifier().count_params(), 74_050, wrong=73_985)  # wrong: one output

# %% [markdown]
r"""
### More pictures for nothing

A turned galaxy is as good a galaxy, of the same kind. A mirrored one is as good too, but *of the other kind*. So each picture stands for eight: four quarter turns, each with its mirror image. (Turns by other angles would have to
invent brightness between the pixels.) The network can see another of the eight in each epoch.

**Your task.** Return a copy of every picture, turned by 0, 1, 2 or 3 quarter turns and then, with probability 1/2, mirrored; and the classes that belong to the copies. Turns and mirrors are drawn for each picture anew, from a generator
made with `seed`. `np.rot90(pictures, k, axes=(1, 2))` turns many pictures at once by the same `k`.
"""


# %% task="M7.2b" points=2
def turned_and_mirrored(pictures, kinds, seed):
    """Copies of pictures, each turned by a random number of quarter turns and, with probability 1/2, mirrored.

    pictures: (n, 32, 32, 1); kinds: (n,), 0 = right, 1 = left. Returns copies and their kinds, of the same shapes.
    """
    ### BEGIN SOLUTION
    random = np.random.default_rng(seed)
    quarters = random.integers(4, size=len(pictures))
    in_mirror = random.random(len(pictures)) < 0.5
    copies = pictures.copy()
    for k in (1, 2, 3):
        copies[quarters == k] = np.rot90(pictures[quarters == k], k, axes=(1, 2))
    copies[in_mirror] = copies[in_mirror, :, ::-1]
    return copies, np.where(in_mirror, 1 - kinds, kinds)
    ### END SOLUTION


# %% check="M7.2b"
check("M7.2b", turned_and_mirrored)

# %% [markdown]
r"""
### The training

The loss is the **cross-entropy**, here for two classes with the truth $\vec y$ in one-hot form,

$$L = -\frac 1 m \sum_{i=1}^{m} \left[\, y_{i,1} \ln \hat z_1(\vec x_i) + y_{i,2} \ln \hat z_2(\vec x_i) \,\right]. \tag{7.8}$$

In each term one of the $y$ is 1, the other 0: what counts is the probability given to the right answer.

**Your task.** Build the network and train it for `epochs` epochs in batches of 64, each epoch on copies made with the seed `seed + epoch`. The truth goes in as one-hot vectors, the loss is `"categorical_crossentropy"`. Use Adam with a learning rate
that falls from 0.002 to zero over *all* steps, and `steps_per_execution=50`, so that a small network does not spend its time on starting steps. Return the model. The check trains it on 6000 galaxies.
"""


# %% task="M7.2c" points=3
def train_classifier(pictures, kinds, epochs, seed):
    """Train a classifier on turned and mirrored copies, and return it.

    pictures: (n, 32, 32, 1); kinds: (n,), 0 = right, 1 = left; seed: of the copies in the first epoch.
    """
    ### BEGIN SOLUTION
    model = build_classifier()
    batches = epochs * -(-len(pictures) // 64)
    falling = keras.optimizers.schedules.CosineDecay(0.002, batches)
    model.compile(
        optimizer=keras.optimizers.Adam(falling),
        loss="categorical_crossentropy",
        steps_per_execution=50,
    )
    for epoch in range(epochs):
        copies, their_kinds = turned_and_mirrored(pictures, kinds, seed + epoch)
        one_hot = keras.utils.to_categorical(their_kinds, 2)
        model.fit(copies, one_hot, batch_size=64, verbose=0)
    return model
    ### END SOLUTION


# %% check="M7.2c"
check("M7.2c", train_classifier)

# %%
turned_and_mirrored = check.catch_up("M7.2b", turned_and_mirrored)
train_classifier = check.catch_up("M7.2c", train_classifier)

classifier = train_classifier(data.x_train, data.y_train, EPOCHS, check.seed)

# for comparison: the same network on the pictures as they are
plain = build_classifier()
decay = keras.optimizers.schedules.CosineDecay(0.002, EPOCHS * -(-len(data.x_train) // 64))
plain.compile(keras.optimizers.Adam(decay), "categorical_crossentropy", steps_per_execution=50)
plain.fit(
    data.x_train,
    keras.utils.to_categorical(data.y_train, 2),
    batch_size=64,
    epochs=EPOCHS,
    verbose=0,
)

# %% [markdown]
r"""
The test: galaxies that are new to all of them. The last network in the table is no other network, but the first one asked eight times: about the picture, its three turns, and the four mirror images with the answers exchanged. The mean of the eight
answers cannot depend on how the telescope was held.
"""


# %%
def left_probability(model, pictures):
    """The probability that a network gives to `left`, (n,)."""
    return model.predict(pictures, batch_size=1000, verbose=0)[:, 1]


def of_eight_views(model, pictures):
    """Mean probability over four turns and, with the classes exchanged, over four turns in the mirror."""
    turns = [np.rot90(pictures, k, axes=(1, 2)) for k in range(4)]
    mirrored = [turn[:, :, ::-1] for turn in turns]
    return np.mean(
        [left_probability(model, turn) for turn in turns]
        + [1 - left_probability(model, turn) for turn in mirrored],
        axis=0,
    )


def all_answers(pictures):
    """Probabilities of left from the three networks."""
    return {
        "network, plain pictures": left_probability(plain, pictures),
        "network, turned and mirrored": left_probability(classifier, pictures),
        "the same, mean of eight views": of_eight_views(classifier, pictures),
    }


answers = all_answers(images)
right = {name: (answer > 0.5) == left for name, answer in answers.items()}
right["baseline, Fourier"] = fourier_right
print("                                 accuracy              minus the baseline, paired")
for name, correct in right.items():
    value, error = metrics.accuracy_with_error(correct)
    line = f"{name:32s} {value:.4f} +- {error:.4f}"
    if "baseline" not in name:
        difference, uncertainty = metrics.mean_with_error(correct * 1.0 - fourier_right)
        line += f"     {difference:+.4f} +- {uncertainty:.4f}"
    print(line)
plain_accuracy, accuracy, eight_accuracy = (correct.mean() for correct in list(right.values())[:3])

# %% covers="M7.2"
check.claim("M7.2", accuracy, at_least=0.95, wrong=linear_accuracy)
check.claim("M7.2", eight_accuracy, at_least=0.95, wrong=linear_accuracy)

# %% [markdown]
r"""
## The mirror as a test

Accuracy says how often a network is right, not why. Here physics gives a test that needs no labels at all: hold a mirror beside the telescope and every answer must change. A network that had learnt, say, that left galaxies happen to be brighter in our
sample would be found out at once.
"""

# %%
first = slice(0, 3000)  # of the new galaxies
mirrored = images[first, :, ::-1]
in_mirror = all_answers(mirrored)
swapped = {name: (answers[name][first] > 0.5) != (in_mirror[name] > 0.5) for name in answers}
swapped["linear classifier"] = (
    linear.predict(images[first], batch_size=1000, verbose=0)[:, 0] > 0.5
) != (linear.predict(mirrored, batch_size=1000, verbose=0)[:, 0] > 0.5)
for name, changed in swapped.items():
    value, error = metrics.accuracy_with_error(changed)
    print(f"{name:32s} changes its answer for {value:.4f} +- {error:.4f} of the galaxies")

# %% covers="M7.2"
asymmetry = {name: np.abs(answers[name][first] + in_mirror[name] - 1).max() for name in answers}
check.claim(
    "M7.2",
    swapped["network, turned and mirrored"].mean(),
    at_least=0.93,
    wrong=swapped["linear classifier"].mean(),
)
check.claim(
    "M7.2",
    asymmetry["the same, mean of eight views"],
    at_most=1e-4,
    wrong=asymmetry["network, turned and mirrored"],
)

# %%
check.quiz("M7.2-q1")

# %% [markdown]
r"""
## How many galaxies does it take?

Data are expensive where people have to label them. We train the same network on fewer galaxies, with and without the eight views.
"""

# %%
numbers = [*FEW, len(data.x_train)]
curves = {"plain pictures": [], "turned and mirrored": []}
errors = {name: [] for name in curves}
for n in numbers[:-1]:
    epochs = max(EPOCHS, EPOCHS * 3000 // n)
    few = build_classifier()
    few_decay = keras.optimizers.schedules.CosineDecay(0.002, epochs * -(-n // 64))
    few.compile(keras.optimizers.Adam(few_decay), "categorical_crossentropy", steps_per_execution=8)
    few.fit(
        data.x_train[:n],
        keras.utils.to_categorical(data.y_train[:n], 2),
        batch_size=64,
        epochs=epochs,
        verbose=0,
    )
    more = train_classifier(data.x_train[:n], data.y_train[:n], epochs, check.seed)
    for name, model in zip(curves, (few, more), strict=True):
        correct = (left_probability(model, images) > 0.5) == left
        value, error = metrics.accuracy_with_error(correct)
        curves[name].append(value)
        errors[name].append(error)
for name, value in zip(curves, (plain_accuracy, accuracy), strict=True):
    curves[name].append(value)
    errors[name].append(np.sqrt(value * (1 - value) / N_NEW))
curves["baseline, Fourier"] = [fourier_accuracy] * len(numbers)
plotting.lines(
    numbers,
    curves,
    errors=errors,
    dashed=["baseline, Fourier"],
    log_x=True,
    xlabel="galaxies for training",
    ylabel="accuracy (fraction correct)",
    title="Turned and mirrored copies help as more data would",
)

# %% covers="M7.2"
gain = curves["turned and mirrored"][0] - curves["plain pictures"][0]
print(
    f"gain from eight views, with {numbers[0]} galaxies: {gain:+.4f} +- {errors['plain pictures'][0]:.4f}"
)
check.claim("M7.2", gain, at_least=0.0, wrong=-gain)

# %% [markdown]
r"""
## What the first layer looks at

Each node of the first layer has 1024 weights, one for each pixel: they can be drawn as a picture. A node is loud where its picture agrees with the galaxy.
"""

# %%
kernel = classifier.layers[1].get_weights()[0].T.reshape(-1, 32, 32)
strongest = np.argsort(kernel.std(axis=(1, 2)))[::-1][:12]
figure, axes = plt.subplots(2, 6, figsize=(9.5, 3.9), sharex=True, sharey=True)
for axis, node in zip(axes.flat, strongest, strict=True):
    size = np.abs(kernel[node]).max()
    axis.imshow(kernel[node], cmap="RdBu", vmin=-size, vmax=size)
    axis.set_title(f"node {node}", fontsize=10)
for axis in axes[1]:
    axis.set_xlabel("x (pixels)")
for axis in axes[:, 0]:
    axis.set_ylabel("y (pixels)")
figure.suptitle("The first layer has invented spiral arms (blue: positive weight, red: negative)")
plotting.show(
    "Weights of twelve nodes of the first layer as pictures: bands of positive and negative weights that wind around "
    "the centre like pieces of spiral arms, at different angles.",
    figure,
)

# %% [markdown]
r"""
**Think.** The pictures show pieces of arms, at many angles. Nobody told the network about arms. Why does it need so many of them, and what would a convolutional network not have to learn? And why do the Fourier amplitudes do the same work with a handful
of numbers?
"""

# %% [markdown] tags=["answer"]
r"""
A node is a fixed pattern at a fixed angle. A galaxy that is turned by a few degrees excites another one, so the network holds the same pattern many times, turned, and the layers above must collect "some left-winding pattern fits". A convolution would share a
pattern between all *places*, which helps little here, since the galaxies all sit in the centre; what should be shared are *angles*. The Fourier transform does that: a turn of the galaxy changes only the phase of an amplitude, not its
modulus. It knows the symmetry and the shape of the arms, which is why it needs no training, and why it fails for galaxies that are not logarithmic spirals.
"""

# %% tags=["instructor"]
# Timing: (a) 5 min, (b) 15, (c) 10, the mirror test 10, the rest reading.
# Common mistakes: the class not swapped in the mirror (accuracy falls to 0.5), all pictures turned alike, sigmoid over two outputs, sparse labels with the loss for one-hot.
# Discussion: a real survey has a preference of a per cent for one direction in pictures classified by eye. How would you find out whether people or the sky are asymmetric? Show them mirrored pictures.
# With preset="physics" (two to four weak arms, stronger inclination) the baseline falls to 96.6 % and this network to about 91 %.
check.quiz("M7.2-q1", 2)

# %% [markdown]
r"""
## Key points

- A classifier has one output for each class, a softmax (7.6), one-hot truth (7.7) and the cross-entropy (7.8). For two classes one output with a sigmoid does the same.
- Both kinds of galaxies have the same mean picture, so a linear classifier can only guess. It takes a hidden layer.
- A mirror changes the class. As a test it needs no labels, as augmentation it makes eight galaxies out of each.
- Averaging over all views makes a network exactly symmetric, and usually better.
- A method that knows the physics, the Fourier transform in logarithmic spirals, is still a little better, and tells how good one can be.
"""

# %%
check.summary()
