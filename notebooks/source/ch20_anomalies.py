# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 20, title: Outliers and anomalies, level: 2, minutes: 80, sections: "20.1-20.4", data: [fashion_mnist], fast: {N_IMAGES: 1000, TRAININGS: 2, N_SAMPLES: 100, REPEATS: 1}}
# ---
# %% [markdown]
r"""
# Outliers and anomalies

**You will**

- train an autoencoder on one kind of garment, and use what it cannot copy as a detector for all others;
- measure this detector with errors, for each of the ten kinds as the normal one, beside two detectors that need no network;
- find pairs for which it fails, and say why before looking at the pictures;
- hide an anomaly in a correlation, where no histogram of one or two quantities shows it, and find it.

**You need** dense networks in Keras, what an autoencoder is (chapter 17), and the area under a ROC curve.
**Time:** about 80 minutes. The cells themselves run in less than a minute.

**You will see** a detector that finds some anomalies less unusual than normal images, and know why.

Point and group anomalies, the size of the latent space, Deep SVDD, and the search for a bump without labels stand in `ch20_examples`.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting

check = checks.start("ch20_anomalies")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from scipy.stats import chi2, ks_2samp

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
CHOSEN = 7  # the class that counts as normal at first: sneakers
LATENT = 8  # numbers between encoder and decoder
N_IMAGES = 4000  # training images of each class, at most
EPOCHS = 12
TRAININGS = 3  # of the autoencoder of the chosen class, for the spread
N_EVENTS = 20_000  # events of the control sample, and of the data
N_SAMPLES = 200  # pseudo-experiments with histograms
EPOCHS_EVENTS = 15
REPEATS = 3  # trainings of each network on events

# %% [markdown]
r"""
## Exercise 20.1: what an autoencoder cannot copy

Nobody knows what an unknown signal looks like. But often there is a control sample that is free of it: measurements from before the change, from another region, from a simulation. The assumption that everything here rests on is

$$\tilde p(x) = \tilde p(x\,|\,\mathrm{normal}) = p(x\,|\,\mathrm{normal}) \tag{20.1}$$

with a tilde for the control sample: it contains no anomalies, *and* its normal events are distributed like those in the data. From it we want a score $f(x)$ that is high for what does not occur there.

An **autoencoder** squeezes each event through a few numbers and tries to restore it. It learns what normal events have in common, and nothing else, since nothing else was ever needed. So what it restores badly is not normal. That is a hope rather than a theorem, and this exercise tests it.

### The data

Images of garments, $28\times 28$ pixels with grey levels from 0 (ground) to 1, in ten classes. One class will be "normal", the nine others are the anomalies.
"""

# %%
data = datasets.load_fashion_mnist()
NAMES = data.about.classes
kind = (
    "drawn stand-ins, not the real set"
    if data.about.source == "stand-in"
    else "the real Fashion-MNIST"
)
print(f"the garments are {kind}")
data

# %%
plotting.image_row(
    [data.x_test[data.y_test == k][0, ..., 0] for k in range(10)],
    NAMES,
    title="One class is normal; could you tell the others from it?",
)

# %% [markdown]
r"""
### Part 1: an autoencoder

**Your task.** Build an autoencoder. Encoder: from 784 pixels to 64 nodes, and from there to `latent` numbers. Decoder: back to 64 nodes, and to 784 pixels. Think about two activations. The latent numbers may have either sign and any size. The pixels lie between 0 and 1.
"""


# %% task="20.1a" points=2 covers="E20.1/1"
def build_autoencoder(latent):
    """Autoencoder for images (n, 28, 28, 1) with grey levels from 0 to 1, not compiled.

    latent: how many numbers are handed from the encoder to the decoder. The output has the shape of the input.
    """
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(64, activation="elu"),
            layers.Dense(latent, name="latent"),
            layers.Dense(64, activation="elu"),
            layers.Dense(28 * 28, activation="sigmoid"),
            layers.Reshape((28, 28, 1)),
        ]
    )
    ### END SOLUTION


# %% check="20.1a"
check("20.1a", build_autoencoder)

# %% [markdown]
r"""
**Your task.** Train it: the image is the input *and* the target, the loss is the mean squared error. Let the learning rate fall to zero along a cosine, from 0.005 with batches of 64. (`steps_per_execution=10` in `compile` saves time with networks as small as this.)
"""


# %% task="20.1b" points=2 covers="E20.1/1"
def train_autoencoder(x, latent, epochs):
    """Build an autoencoder and train it to restore the images x.

    x: (n, 28, 28, 1), grey levels from 0 to 1, normal images only. Returns the trained model.
    """
    ### BEGIN SOLUTION
    model = build_autoencoder(latent)
    falling = keras.optimizers.schedules.CosineDecay(5e-3, epochs * -(-len(x) // 64))
    model.compile(keras.optimizers.Adam(falling), "mse", steps_per_execution=10)
    model.fit(x, x, batch_size=64, epochs=epochs, verbose=0)
    return model
    ### END SOLUTION


# %% check="20.1b"
check("20.1b", train_autoencoder)

# %%
build_autoencoder = check.catch_up("20.1a", build_autoencoder)
train_autoencoder = check.catch_up("20.1b", train_autoencoder)
images = [data.x_train[data.y_train == k][:N_IMAGES] for k in range(10)]
keras.utils.set_random_seed(check.seed)
autoencoder = train_autoencoder(images[CHOSEN], LATENT, EPOCHS)
shown = [data.x_test[data.y_test == k][1] for k in range(10)]
restored = np.asarray(autoencoder(np.stack(shown)))
figure, axes = plt.subplots(2, 10, figsize=(11, 2.7))
for k in range(10):
    for row, image in enumerate((shown[k], restored[k])):
        axes[row, k].imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=1)
        axes[row, k].set(xticks=[], yticks=[])
    axes[0, k].set_title(NAMES[k], fontsize=8, fontweight="bold" if k == CHOSEN else "normal")
axes[0, 0].set_ylabel("image", fontsize=8)
axes[1, 0].set_ylabel("restored", fontsize=8)
figure.suptitle(f"It knows one thing, so it sees it everywhere (trained on: {NAMES[CHOSEN]})")
plotting.show(
    "Two rows of ten small images, test images above and what the autoencoder makes of them below. Only the class that it was "
    "trained on is restored; the others come out blurred and resembling it.",
    figure,
)

# %% [markdown]
r"""
### Part 2: the score

**Your task.** Return the squared difference between image and restored image, averaged over the pixels: one number for each image.
"""


# %% task="20.1c" points=1 covers="E20.1/2"
def squared_difference(image, restored):
    """Mean over all pixels of the squared difference, for each image.

    image, restored: (n, height, width, channels). Returns (n,).
    """
    ### BEGIN SOLUTION
    return np.mean((image - restored) ** 2, axis=(1, 2, 3))
    ### END SOLUTION


# %% check="20.1c"
check("20.1c", squared_difference)

# %% [markdown]
r"""
### Part 3: can it serve as a detector?

First the distributions of the score: that of the normal class, and that of the other classes together. They contain different numbers of images, so both have to be normalised: a **density** is the count of a bin divided by the number of all entries *and* by the width of the bin. Entries outside of the bins count as entries: then the densities tell how much is missing.

**Your task.** Return both densities. The bins need not be equally wide.
"""


# %% task="20.1d" points=2 covers="E20.1/3"
def densities(score, label, normal, edges):
    """Densities of the score of the normal class, and of all other classes together.

    score: (n,); label: (n,), class of each image; normal: the class that was trained on; edges: (bins + 1,), rising.
    Returns two arrays (bins,), in units of 1 / score.
    """
    ### BEGIN SOLUTION
    found = []
    for chosen in (label == normal, label != normal):
        counts, _ = np.histogram(score[chosen], edges)
        found.append(counts / (np.sum(chosen) * np.diff(edges)))
    of_normal, of_others = found
    return of_normal, of_others
    ### END SOLUTION


# %% check="20.1d"
check("20.1d", densities)

# %% [markdown]
r"""
**Predict.** Take one normal and one other image at random. How often will the other one have the larger score? (One half is guessing. This probability *is* the area under the ROC curve, AUC.)
"""

# %%
check.predict("20.1-auc", None, question="What will be the AUC of the detector of sneakers?")

# %%
squared_difference = check.catch_up("20.1c", squared_difference)
densities = check.catch_up("20.1d", densities)
x_test, y_test = data.x_test, data.y_test


def score_of(model, x):
    """Score of each image: the squared difference to what the autoencoder makes of it."""
    return squared_difference(x, np.asarray(model(x)))


score = score_of(autoencoder, x_test)
is_normal = y_test == CHOSEN
area, area_error = metrics.area_under_roc(score, ~is_normal)
edges = np.geomspace(np.quantile(score, 0.001), np.quantile(score, 0.999), 61)
normal_density, other_density = densities(score, y_test, CHOSEN, edges)
threshold = np.quantile(score[is_normal], 0.95)
found_share, found_error = metrics.accuracy_with_error(score[~is_normal] > threshold)
figure, axis = plt.subplots(figsize=(8, 3.9))
axis.stairs(normal_density * edges[:-1], edges, fill=True, alpha=0.4, label=NAMES[CHOSEN])
axis.stairs(other_density * edges[:-1], edges, lw=2, color=plotting.COLOURS[1], label="all others")
axis.axvline(threshold, color=plotting.INK, ls="--", lw=1, label="5 % of the normal images above")
axis.set(
    xscale="log",
    xlabel="score: mean squared difference (grey levels squared)",
    ylabel="density times score",
    title=f"A useful detector, AUC {area:.3f} +- {area_error:.3f}: {found_share:.0%} found at 5 % false alarms",
)
axis.legend(fontsize=9)
plotting.show(
    "Densities of the score on a logarithmic axis. The normal class lies to the left, the other classes to the right, and they "
    "overlap.",
    figure,
)
check.confront("20.1-auc", area)

# %% [markdown]
r"""
(On a logarithmic axis the density is drawn times the score, so that equal areas are equal shares.)

"All others" is one number for nine different questions. It depends on how many garments of each class there happen to be, and a physicist's anomaly will be of one kind.

**Your task.** Return the AUC of each class against the normal one, with its statistical error. `metrics.area_under_roc(score, label)` takes the scores of both classes and a label of 1 for the anomalies. Leave NaN in the place of the normal class itself.
"""


# %% task="20.1e" points=2 covers="E20.1/3"
def auc_by_class(score, label, normal, classes):
    """Area under the ROC curve for each class as the anomaly, and its error.

    score: (n,), high for anomalies; label: (n,), 0 to classes - 1; normal: number of the normal class.
    Returns two arrays (classes,), with NaN for the normal class.
    """
    ### BEGIN SOLUTION
    areas, errors = np.full(classes, np.nan), np.full(classes, np.nan)
    for other in range(classes):
        if other != normal:
            pair = (label == normal) | (label == other)
            areas[other], errors[other] = metrics.area_under_roc(score[pair], label[pair] == other)
    return areas, errors
    ### END SOLUTION


# %% check="20.1e"
check("20.1e", auc_by_class)

# %% [markdown]
r"""
Now each class in turn is the normal one: ten autoencoders. Beside them two **baselines** that need no network:

- the squared distance to the mean image of the normal class;
- *principal components*: the mean image and the same number of straight directions, those along which the normal images vary most. What remains after the projection is the score. It is the best that a linear autoencoder can do (chapter 17).

One more anomaly: a **blank image**, with nothing on it. For the autoencoder its AUC is the share of normal images that are restored better than the blank one. No limit is drawn, since nobody knows the probability density of a garment.
"""

# %%
auc_by_class = check.catch_up("20.1e", auc_by_class)
pixels = x_test.reshape(len(x_test), -1)


def principal_components(x, number):
    """Mean image (784,) and the directions (784, number) of largest variance."""
    flat = x.reshape(len(x), -1)
    _, directions = np.linalg.eigh(np.cov(flat, rowvar=False))  # ascending
    return flat.mean(axis=0), directions[:, -number:]


METHODS = ("autoencoder", "principal components", "mean image")
table = {name: [] for name in METHODS}  # ten pairs of areas and errors each
blank, own_score = [], []
for normal in range(10):
    keras.utils.set_random_seed(check.seed + normal)
    model = train_autoencoder(images[normal], LATENT, EPOCHS)
    scores = {"autoencoder": score_of(model, x_test)}
    mean, directions = principal_components(images[normal], LATENT)
    rest = pixels - mean
    scores["mean image"] = np.mean(rest**2, axis=1)
    rest = rest - rest @ directions @ directions.T
    scores["principal components"] = np.mean(rest**2, axis=1)
    for name in METHODS:
        table[name].append(auc_by_class(scores[name], y_test, normal, 10))
    of_normal = scores["autoencoder"][y_test == normal]
    own_score.append(of_normal.mean())
    nothing = score_of(model, np.zeros((1, 28, 28, 1), "float32"))[0]
    blank.append(np.mean(of_normal < nothing))
areas = {name: np.array([row[0] for row in table[name]]) for name in METHODS}
errors = {name: np.array([row[1] for row in table[name]]) for name in METHODS}
for name in METHODS:
    worst = np.unravel_index(np.nanargmin(areas[name]), (10, 10))
    print(
        f"{name:21s} mean of 90 pairs {np.nanmean(areas[name]):.3f}, {np.sum(areas[name] < 0.5):2d} below one half, worst "
        f"{areas[name][worst]:.3f} +- {errors[name][worst]:.3f} ({NAMES[worst[0]]} normal, {NAMES[worst[1]]} the anomaly)"
    )

# %%
columns = [*NAMES, "blank image", "mean of nine", "components", "mean image"]
values = np.column_stack(
    [areas["autoencoder"], blank, *(np.nanmean(areas[name], axis=1) for name in METHODS)]
)
figure, axis = plt.subplots(figsize=(12, 6.2))
axis.grid(False)
picture = axis.imshow(values, cmap="RdBu", vmin=0, vmax=1, aspect="auto")
for row in range(10):
    for column in range(14):
        value = values[row, column]
        text = "" if np.isnan(value) else f"{value:.3f}"
        if column < 10 and text:
            text += f"\n$\\pm${errors['autoencoder'][row, column]:.3f}"
        colour = "white" if abs(value - 0.5) > 0.33 else "black"
        axis.text(column, row, text, ha="center", va="center", fontsize=7.5, color=colour)
for line in (9.5, 10.5, 11.5):
    axis.axvline(line, color=plotting.INK, lw=2)
axis.set_xticks(range(14), columns, rotation=35, ha="right")
axis.set_yticks(range(10), NAMES)
axis.set(xlabel="anomaly   |   autoencoder, and the two baselines, mean of nine", ylabel="normal")
failures = int(np.sum(areas["autoencoder"] < 0.5))
figure.colorbar(picture, ax=axis, label="AUC", fraction=0.03, pad=0.01)
figure.suptitle(
    f"AUC of ten autoencoders: {np.sum(areas['autoencoder'] > 0.9)} of 90 pairs above 0.9, {failures} below one half"
)
plotting.show(
    "A table of ten by fourteen coloured cells with the AUC and its error for each normal class and each anomaly, then for a blank "
    "image, then the means over nine anomalies of the autoencoder and both baselines. Footwear against upper garments is easy, "
    "upper garments against each other are near one half.",
    figure,
)

# %%
average = np.nanmean(areas["autoencoder"])
check.claim("E20.1/3", average, at_least=0.75, wrong=0.5)
check.claim("E20.1/3", np.nanmin(areas["autoencoder"]), at_most=0.55, wrong=average)

# %% [markdown]
r"""
The errors are those of 1000 test images a class. A second training of the same network gives another detector; how different is it?
"""

# %%
again = [auc_by_class(score, y_test, CHOSEN, 10)[0], areas["autoencoder"][CHOSEN]]  # made already
for number in range(TRAININGS - 2):
    keras.utils.set_random_seed(check.seed + 100 + number)
    model = train_autoencoder(images[CHOSEN], LATENT, EPOCHS)
    again.append(auc_by_class(score_of(model, x_test), y_test, CHOSEN, 10)[0])
again = np.array(again)
print(
    f"{NAMES[CHOSEN]} as normal class: mean and spread over {TRAININGS} trainings, statistical error"
)
for k in np.flatnonzero(np.arange(10) != CHOSEN):
    print(
        f"   {NAMES[k]:16s} {again[:, k].mean():.3f} +- {again[:, k].std(ddof=1):.3f}, "
        f"{errors['autoencoder'][CHOSEN, k]:.3f}"
    )
means = np.nanmean(again, axis=1)
print(f"   mean of nine     {means.mean():.3f} +- {means.std(ddof=1):.3f}")

# %%
check.quiz("20.1-q1")

# %% [markdown]
r"""
### Why some pairs fail

Two guesses, both to be tested with numbers that know nothing of the detectors.

- *Likeness.* An anomaly is hard to find if it differs from the normal images by no more than they differ among each other. A measure: the squared distance of the two mean images over the scatter of the normal images about their own mean.
- *Ease.* An image may be restored well because it is easy to restore, whatever the network has been trained on. A measure: how well a class is restored by *its own* autoencoder, in relation to how well the normal class is.
"""

# %%
of_class = [x.reshape(len(x), -1) for x in images]
mean_images = np.array([x.mean(axis=0) for x in of_class])
scatter = np.array(
    [np.mean((x - mean) ** 2) for x, mean in zip(of_class, mean_images, strict=True)]
)
distance = np.mean((mean_images[:, None] - mean_images[None]) ** 2, axis=2)
difficulty = np.array(own_score)
off = ~np.eye(10, dtype=bool)
guesses = {
    "distance of the mean images$^2$ / scatter of the normal class": distance / scatter[:, None],
    "own score of the anomaly / own score of the normal class": difficulty / difficulty[:, None],
}
relation = {}
figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
for axis, (name, ratio) in zip(axes, guesses.items(), strict=True):
    relation[name] = metrics.correlation_with_error(np.log(ratio[off]), areas["autoencoder"][off])
    below = off & (areas["autoencoder"] < 0.5)
    axis.plot(ratio[off], areas["autoencoder"][off], "o", ms=4, alpha=0.6)
    axis.plot(ratio[below], areas["autoencoder"][below], "o", ms=5, color=plotting.COLOURS[1])
    axis.axhline(0.5, color=plotting.GREY, ls="--", lw=1, label="guessing")
    axis.set(
        xscale="log",
        xlabel=name,
        title="correlation {:.2f} $\\pm$ {:.2f}".format(*relation[name]),
    )
axes[0].set_ylabel("AUC of the autoencoder")
axes[0].legend(loc="lower right")
figure.suptitle("Which pairs fail: those that are alike, seen from the scatter of the normal class")
plotting.show(
    "AUC of the 90 pairs against two ratios. It rises clearly with the distance of the mean images over the scatter of the normal "
    "class, hardly with the ratio of the own scores; the pairs below one half lie at the left of both.",
    figure,
)

# %%
likeness, ease = (value for value, _ in relation.values())
check.claim("E20.1/3", likeness, at_least=0.7, wrong=ease)

# %% [markdown] tags=["answer"]
r"""
**Can it serve as a detector?** For some questions. Sneakers as the normal class give a good detector of everything that is not worn on feet, and trousers find nearly all other garments. If shirts are normal it fails: T-shirts, pullovers and coats are at one half or below, and dresses and trousers not far above.

The left figure explains most of it. Upper garments have nearly the same outline, and what makes a shirt a shirt (buttons, a collar) is a few pixels only, while shirts differ from each other in sleeves and patterns. So the difference between the classes drowns in the scatter of the normal one. Since only the *normal* class's scatter counts, the table is not symmetric: trousers are all alike and notice a shirt; shirts are varied and hardly notice trousers.

*Below* one half an anomaly is restored better than the normal images, and that takes the second reason too: the classes for which it happens are easier to restore than shirts (the red points in the right figure lie below a ratio of one). The score of an autoencoder is not a probability density. It measures the distance to what the decoder can draw, and a plain garment is within the reach of a network that has had to learn checked ones.

Here a blank image is found by every one of the ten, since each has always seen something bright in the middle, and draws it there. That is no law: in `ch20_examples` an autoencoder for traces restores a trace with nothing but noise as well as its own.

The baselines keep us modest. Look at the last three columns: averaged over the nine anomalies, distances to the mean image or to a few principal components do about as well as a network, in some rows better. With the real images the numbers differ; footwear against the rest should be easy and upper garments among each other hard there, too.
"""

# %% [markdown]
r"""
## Section 20.2: what histograms miss

The classical way to look for something unexpected: make histograms of all measured quantities, and compare them bin by bin with those of a control sample. For two histograms with counts $a_i$ and $b_i$ and sums $A$ and $B$, both with Poisson errors, the hypothesis of one common shape is tested by

$$\chi^2 = \sum_i \frac{\left(\sqrt{B/A}\; a_i - \sqrt{A/B}\; b_i\right)^2}{a_i + b_i},$$

which follows a $\chi^2$ distribution with (number of bins $-$ 1) degrees of freedom. Bins that are empty in both say nothing and do not count.

**Your task.** Return $\chi^2$ and the number of degrees of freedom.
"""


# %% task="M20.5" points=2
def compare_histograms(a, b):
    """Chi-square and degrees of freedom for two histograms of counts, which may have different sums.

    a, b: (bins,), counts. Bins without any entry are left out. Returns a number and a whole number.
    """
    ### BEGIN SOLUTION
    filled = a + b > 0
    a, b = a[filled], b[filled]
    scale = np.sqrt(b.sum() / a.sum())
    return np.sum((scale * a - b / scale) ** 2 / (a + b)), int(np.sum(filled)) - 1
    ### END SOLUTION


# %% check="M20.5"
check("M20.5", compare_histograms)

# %% [markdown]
r"""
Now hide something from it. Three quantities of each event measure a sign $s_j = \pm 1$ each, with a Gaussian error: $x_j = s_j + 0.5\,\varepsilon_j$. In normal events a conservation law demands $s_1 s_2 s_3 = +1$; apart from that all signs are equally likely. In a tenth of the *data* the law is broken, $s_1 s_2 s_3 = -1$.

Any two of the three signs are independent, in normal events and in anomalies alike. So all histograms of one quantity, **and** all two-dimensional histograms of two, have exactly the same expectation with and without anomalies. (With two quantities and $s_1 s_2 = \pm 1$ this is the exclusive or, XOR, of chapter 3.) Only all three together differ. The probability densities are known, and so is the **limit**: the likelihood ratio

$$\frac{p(x\,|\,\mathrm{anomaly})}{p(x\,|\,\mathrm{normal})} = \frac{1 - t}{1 + t}, \qquad t = \prod_{j=1}^{3} \tanh\frac{x_j}{0.5^2} .$$
"""

# %%
ERROR, SHARE = 0.5, 0.1


def events(n, broken, generator):
    """Three measured quantities of n events each, (n, 3); broken: probability that the law is violated."""
    signs = generator.choice([-1, 1], (n, 3))
    law = np.where(generator.random(n) < broken, -1, 1)
    signs[:, 2] = signs[:, 0] * signs[:, 1] * law
    return (signs + ERROR * generator.normal(size=(n, 3))).astype("float32")


def exact_score(x):
    """Rises with the likelihood ratio of anomaly over normal."""
    return -np.prod(np.tanh(x.astype(float) / ERROR**2), axis=1)


compare_histograms = check.catch_up("M20.5", compare_histograms)
BINS = np.concatenate([[-np.inf], np.linspace(-2, 2, 21), [np.inf]])  # every event is in a bin
COARSE = np.array([-np.inf, -1, 0, 1, np.inf])


def tests(first, second):
    """p-values: chi-square in 1, 2 and 3 dimensions, Kolmogorov and Smirnov in 1 (the first quantity or pair each)."""
    found = {}
    for name, columns, edges in [
        ("one quantity", [0], BINS),
        ("two quantities", [0, 1], COARSE),
        ("three quantities", [0, 1, 2], COARSE),
    ]:
        counts = [
            np.histogramdd(sample[:, columns], [edges] * len(columns))[0].ravel()
            for sample in (first, second)
        ]
        found[name] = chi2.sf(*compare_histograms(*counts))
    found["Kolmogorov-Smirnov"] = ks_2samp(first[:, 0], second[:, 0]).pvalue
    return found


samples = [
    tests(events(N_EVENTS // 10, 0, random), events(N_EVENTS // 10, SHARE, random))
    for _ in range(N_SAMPLES)
]
rejected = {}
for name in samples[0]:
    p = np.array([sample[name] for sample in samples])
    rejected[name] = metrics.accuracy_with_error(p < 0.05)
    print(
        f"{name:18s}: p below 5 % in {rejected[name][0]:.3f} +- {rejected[name][1]:.3f} of {N_SAMPLES} data sets with anomalies"
    )

# %% [markdown]
r"""
Two tests reject at their false alarm rate of 5 %: they are blind. The histogram of all three quantities sees it, with $4^3 = 64$ bins. But who would have thought of it? With 20 quantities and a law that joins all of them, the same idea needs $2^{20}$ bins, each nearly empty.

Networks look at all quantities at once:

- an autoencoder with one latent number, trained on the control sample;
- a classifier of data against control sample. Its best possible output is a function of $p(x)/\tilde p(x)$, the ratio (20.3), which by (20.5) puts events in the same order as the likelihood ratio of the two kinds. It needs the data themselves, and no label.
"""

# %%
generator = np.random.default_rng(check.seed + 1)
control, measured = (events(N_EVENTS, share, generator) for share in (0, SHARE))
judged = np.concatenate([events(10_000, 0, generator), events(10_000, 1, generator)])
truth = np.repeat([0, 1], 10_000)


def dense(inputs, widths, outputs, activation=None):
    hidden = [layers.Dense(width, activation="elu" if width > 2 else None) for width in widths]
    return keras.Sequential(
        [keras.Input((inputs,)), *hidden, layers.Dense(outputs, activation=activation)]
    )


def fit(model, x, y, loss):
    """A short training with a falling learning rate."""
    falling = keras.optimizers.schedules.CosineDecay(1e-2, EPOCHS_EVENTS * -(-len(x) // 500))
    model.compile(keras.optimizers.Adam(falling), loss, steps_per_execution=20)
    model.fit(x, y, batch_size=500, epochs=EPOCHS_EVENTS, verbose=0)


both = np.concatenate([control, measured])
of_data = np.repeat([0.0, 1.0], N_EVENTS)
found_scores = {"autoencoder": [], "classifier, data against control": []}
for number in range(REPEATS):
    keras.utils.set_random_seed(check.seed + number)
    copier = dense(3, [32, 32, 1, 32, 32], 3)
    fit(copier, control, control, "mse")
    copied = copier.predict(judged, batch_size=5000, verbose=0)
    found_scores["autoencoder"].append(np.sum((judged - copied) ** 2, axis=1))
    classifier = dense(3, [32, 32], 1, "sigmoid")
    fit(classifier, both, of_data, "binary_crossentropy")
    answer = classifier.predict(judged, batch_size=5000, verbose=0)[:, 0]
    found_scores["classifier, data against control"].append(answer)
found_scores["likelihood ratio (limit)"] = [exact_score(judged)]
found_scores["one quantity"] = [np.abs(judged[:, 0])]
power, power_error = {}, {}
for name, tries in found_scores.items():
    results = np.array([metrics.area_under_roc(values, truth) for values in tries])
    power[name], power_error[name] = results.mean(axis=0)
    spread = (
        f", spread of {len(tries)} trainings {results[:, 0].std(ddof=1):.3f}"
        if len(tries) > 1
        else ""
    )
    print(f"{name:33s} AUC {power[name]:.3f} +- {power_error[name]:.3f}{spread}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.9), width_ratios=[1, 1, 1.15])
wide = np.linspace(-3, 3, 41)
for kind_of_event, colour, name in [
    (0, plotting.COLOURS[0], "normal"),
    (1, plotting.COLOURS[1], "anomaly"),
]:
    sample = judged[truth == kind_of_event]
    axes[0].hist(sample[:, 0], wide, histtype="step", lw=2, density=True, color=colour, label=name)
    chosen = sample[sample[:, 2] > 0][:700]
    axes[1].plot(chosen[:, 0], chosen[:, 1], ".", ms=3, color=colour, label=f"{name}, $x_3 > 0$")
COLOURS = [plotting.COLOURS[2], plotting.COLOURS[3], plotting.INK, plotting.GREY]
for (name, tries), colour in zip(found_scores.items(), COLOURS, strict=True):
    order = np.argsort(-tries[0])
    passing = [np.concatenate([[0], np.cumsum(truth[order] == k) / 10_000])[::50] for k in (0, 1)]
    axes[2].plot(
        *passing,
        ls="--" if "limit" in name else "-",
        color=colour,
        label=f"{name}: {power[name]:.3f}",
    )
axes[0].set(xlabel="$x_1$", ylabel="density", ylim=(0, 0.7), title="one quantity: the same")
axes[1].set(xlabel="$x_1$", ylabel="$x_2$", title="two of them, for one sign of $x_3$")
axes[2].set(xlabel="normal events passing", ylabel="anomalies passing", title="ROC curves")
for axis in axes:
    axis.legend(fontsize=7.5)
figure.suptitle("No histogram of one or two quantities can see what a network of all three finds")
plotting.show(
    "Three panels. Left, the histograms of one quantity of normal events and anomalies lie on each other. Middle, for positive third "
    "quantity, the two kinds fill different quadrants. Right, ROC curves: one quantity on the diagonal, the classifier at the dashed "
    "limit, the autoencoder between.",
    figure,
)

# %% covers="M20.5"
blind = rejected["two quantities"]
check.claim("M20.5", blind[0], 0.05, tolerance=4 * blind[1], wrong=rejected["three quantities"][0])
check.claim("M20.5", rejected["three quantities"][0], at_least=0.8, wrong=blind[0])
limit = power["likelihood ratio (limit)"]
of_classifier = power["classifier, data against control"]
check.claim("M20.5", of_classifier, at_least=limit - 0.04, wrong=power["one quantity"])
check.claim("M20.5", of_classifier, at_most=limit + 0.01, wrong=2 * limit)
check.claim("M20.5", power["autoencoder"], at_least=0.6, wrong=power["one quantity"])

# %%
check.quiz("M20.5-q1")

# %% tags=["instructor"]
# Timing: part 1 20 min, parts 2 and 3 30, the table and its reasons 15, histograms 15.
# Common mistakes: labels as targets of the autoencoder; a ReLU at the bottleneck; training with all classes; the mean over all
# images too; densities divided by the sum over the visible bins only; the AUC with the labels exchanged (1 - AUC).
# Discussion: (1) Which of the ten detectors would you trust with an anomaly that you have never seen, and on what grounds?
# (2) You may add blank images to the training as counterexamples: is it still a search for the unknown?
# (3) The classifier of data against control needs the anomalies in its training data. How few may there be?
# (4) How many bins does a parity of 20 signs need, and how many events would fill them?
for question, answer in [("20.1-q1", 2), ("M20.5-q1", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- An autoencoder trained on normal events alone gives a score: what it cannot restore. No anomaly is needed for the training.
- Judge a detector for each kind of anomaly by itself, with errors, and beside the mean image and principal components.
- What counts is the difference to the normal events over their own scatter. An anomaly that is also easier to restore than they are has an AUC below one half.
- Histograms of single quantities, and even of all pairs, can agree exactly while an anomaly is there.
- A classifier of data against a control sample needs no labels and can reach the limit of the likelihood ratio.
"""

# %%
check.summary()
