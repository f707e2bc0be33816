# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 8, title: Convolutions on hexagonal grids, level: 3, minutes: 40, sections: "8.5", data: [], fast: {N_SEEDS: 1, STEPS: 60}}
# ---
# %% [markdown]
r"""
# Convolutions on hexagonal grids

**You will**

- address hexagonal cells in square arrays, and compute distances and rotations with whole numbers;
- use a convolution that shares its filters between six orientations, and verify what it promises;
- see that a symmetry built into a network is worth many training pictures.

**You need** convolutions (the first part of chapter 8) and the idea of an equivariant layer. **Time:** about 40 minutes; the cells run in less than half a minute.

**You will see** a network with 1500 parameters do better than one with 12 000, because it knows what a rotation is.
"""

# %% tags=["setup"]
from dlphys import checks, metrics, plotting
from dlphys.layers import HexConv2D, hexagon_mask, hexagonal_convolution, rotate_hexagon

check = checks.start("ch08_hexagonal")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
RADIUS = 4  # of the pictures: 61 cells
N_PICTURES = 200  # for training
N_TEST = 4_000
STEPS = 100  # of the training, with 50 pictures each
N_SEEDS = 3

# %% [markdown]
r"""
## Cells and numbers

Cameras of gamma-ray telescopes, the stations of the Pierre Auger Observatory, the strings of IceCube, the atoms of graphene: many things in physics stand on a grid of hexagons,
where each cell has six neighbours at the same distance. Computers like square arrays. Fig. 8.12 shows two ways out:

- *Offset coordinates*: rows of cells, every second one shifted by half a cell. No memory is lost, but the neighbours of a cell have different index differences in even and odd rows.
- *Axial coordinates* $(q, r)$: the second axis leans by 60 degrees, so that the cell lies at
  $$x = q + \tfrac{r}{2}, \qquad y = \tfrac{\sqrt 3}{2}\,r .$$
  The six neighbours are always at $\pm(1, 0)$, $\pm(0, 1)$ and $\pm(1, -1)$: a filter is the same everywhere. A hexagon in a square array leaves two corners unused, that is the price.

In an array the row is $r$ and the column is $q$, counted from the central cell.
"""

# %%
mask = hexagon_mask(RADIUS)
r, q = np.indices(mask.shape) - RADIUS
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.4))
for axis, title in zip(axes, ["as they lie", "in the array"], strict=True):
    for a, b in zip(q[mask], r[mask], strict=True):
        near = max(abs(a), abs(b), abs(a + b)) <= 1
        place = (a + b / 2, b * np.sqrt(0.75)) if title == "as they lie" else (a, b)
        axis.plot(
            *place,
            marker="h" if title == "as they lie" else "s",
            ms=25,
            color=plotting.COLOURS[0] if near else plotting.GREY,
            alpha=0.5,
        )
        axis.text(*place, f"{a},{b}", ha="center", va="center", fontsize=7, color=plotting.INK)
    axis.set(title=title, aspect="equal", xlim=(-5, 5), ylim=(-5, 5))
axes[0].set(xlabel="x (cells)", ylabel="y (cells)")
axes[1].set(xlabel="column: q", ylabel="row: r")
figure.suptitle(
    "Seven neighbouring cells are the same seven entries everywhere: a square without two corners"
)
plotting.show(
    "A hexagon of 61 cells with axial coordinates, and the same cells in a 9 by 9 array whose lower left and upper right "
    "corners are empty. The central cell and its six neighbours are marked in both.",
    figure,
)

# %% [markdown]
r"""
A third number makes the symmetry visible: $s = -q - r$. A step to a neighbour raises one of $q, r, s$ by one and lowers another one. The number of steps between two cells is therefore the
largest of the three differences, $\max(|\Delta q|, |\Delta r|, |\Delta s|)$.

**Your task.** Return the number of steps from one cell to another.
"""


# %% task="M8.6a" points=1
def distance(first, second):
    """Steps between cells in axial coordinates.

    first, second: arrays (n, 2) of whole numbers (q, r). Returns an array (n,).
    """
    ### BEGIN SOLUTION
    dq, dr = (np.asarray(first) - np.asarray(second)).T
    return np.maximum(np.maximum(abs(dq), abs(dr)), abs(dq + dr))
    ### END SOLUTION


# %% check="M8.6a"
check("M8.6a", distance)

# %% [markdown]
r"""
A rotation by 60 degrees, counter-clockwise, turns the neighbour to the right, $(1, 0)$, into the one to the upper right, $(0, 1)$, and that one into the one to the upper left, $(-1, 1)$. A
rotation is linear, so these two images say everything.

**Your task.** Rotate cells by any number of such turns, with whole numbers only.
"""


# %% task="M8.6b" points=2
def rotate(places, turns):
    """Cells after ``turns`` rotations by 60 degrees, counter-clockwise, about (0, 0).

    places: array (n, 2) of whole numbers (q, r); turns: a whole number, also negative. Returns an array (n, 2).
    """
    ### BEGIN SOLUTION
    result = np.asarray(places)
    for _ in range(turns % 6):
        result = np.column_stack([-result[:, 1], result.sum(axis=1)])
    return result
    ### END SOLUTION


# %% check="M8.6b"
check("M8.6b", rotate)

# %% [markdown]
r"""
## A filter in six orientations

A convolution shares its filter between all places. On a hexagonal grid the physics often does not know directions either, so HexaConv (section 8.5) shares the filter between six orientations
as well: `HexConv2D` turns its seven weights by 0, 60, ..., 300 degrees, and from one image makes **six orientation channels**,

$$y_k(x) = \sum_{z} W(R^{-k} z)\, f(x + z) + b, \qquad k = 0, \dots, 5,$$

with the rotation $R$. The next layer gets six channels $f_j$, and when it turns its filter, the channels have to move on with it:

$$y_k(x) = \sum_{z}\sum_{j=0}^{5} W_{(j-k)\bmod 6}(R^{-k} z)\, f_j(x + z) + b .$$

These are the convolutions of the group p6 (translations and rotations by 60 degrees). Fig. 8.13 shows both for a single bright pixel, and so do we.
"""

# %%
rotate = check.catch_up("M8.6b", rotate)
pixel = np.zeros((1, 9, 9, 1), "float32")
pixel[0, RADIUS, RADIUS] = 1
bow = np.array([0.0, 0.0, 0.2, 1.0, 0.8, 0.5, 0.0])  # seven weights, cell by cell
first, second = HexConv2D(1), HexConv2D(1)
channels = first(pixel)
first.set_weights([bow.reshape(7, 1, 1), np.zeros(1)])
channels = np.asarray(first(pixel))
second(channels)
second.set_weights([random.normal(size=(42, 1, 1)), np.zeros(1)])
after = np.asarray(second(channels))


def draw(axis, picture, title, limit):
    """One picture of hexagonal cells."""
    axis.scatter(
        (q + r / 2)[mask],
        r[mask] * np.sqrt(0.75),
        c=picture[mask],
        s=75,
        marker="h",
        cmap="RdBu",
        vmin=-limit,
        vmax=limit,
    )
    axis.set_title(title, fontsize=9)
    axis.set(aspect="equal", xlim=(-5, 5), ylim=(-4.4, 4.4))
    axis.set_axis_off()


figure, axes = plt.subplots(3, 7, figsize=(11, 5))
for row, (name, source, maps) in enumerate(
    [
        ("bright pixel", pixel[0, :, :, 0], channels[0, ..., 0]),
        ("channels above", channels[0, :, :, 0, 0], after[0, ..., 0]),
        ("a picture", after[0, :, :, 0, 0], np.asarray(first(after[..., 0, :]))[0, ..., 0]),
    ]
):
    draw(axes[row, 0], source, name, np.abs(source).max())
    for k in range(6):
        draw(axes[row, k + 1], maps[..., k], f"orientation {k}", np.abs(maps).max())
figure.suptitle(
    "One filter gives six channels; they are turned copies only where the input has no direction itself"
)
plotting.show(
    "Three rows of a picture and its six orientation channels. For a single bright pixel the six channels are rotated "
    "copies of one bow, in the second layer too; for a picture with a direction they differ.",
    figure,
)

# %% [markdown]
r"""
What the layer does can be written as plain loops: for each cell, each orientation and each cell of the filter, find the turned cell and add up. `hexagonal_convolution` does so; it is slow and easy to read,
and the layer agrees with it. (The layer is fast because it puts the six turned filters side by side into one square filter with two zeros, and leaves the rest to an ordinary convolution.)
"""

# %% covers="M8.6"
image = random.normal(size=(1, 9, 9, 1)).astype("float32")
slow = hexagonal_convolution(image[0], first.get_weights()[0])
fast = np.asarray(first(image))[0]
check.claim("M8.6", np.abs(slow - fast).max(), at_most=1e-5, wrong=np.abs(slow[::-1] - fast).max())
counts = (first.count_params(), second.count_params())
print(f"parameters: {counts[0]} (7 and a bias), then {counts[1]} (6 x 7 and a bias)")
check.claim("M8.6", counts, (8, 43), wrong=(10, 55))

# %% [markdown]
r"""
## The promise

If the input turns by 60 degrees, every channel turns too, and the channels move on by one: channel 1 of the turned input is the turned channel 0, and so on in a circle. Nothing is lost and nothing is approximate. A mean or
a maximum over cells *and* orientations then does not notice the rotation at all.

**Predict.** In the second row of the next figure the picture is turned. Where in that row will channel 2 of the first row be?
"""

# %%
turned_image = rotate_hexagon(image)
before = np.asarray(second(first(image)))[0, ..., 0]
turned_maps = np.asarray(second(first(turned_image)))[0, ..., 0]
expected = np.roll(rotate_hexagon(before[np.newaxis])[0], 1, axis=-1)
figure, axes = plt.subplots(2, 7, figsize=(11, 3.5))
for row, (name, source, maps) in enumerate(
    [("picture", image, before), ("turned picture", turned_image, turned_maps)]
):
    draw(axes[row, 0], source[0, :, :, 0], name, np.abs(image).max())
    for k in range(6):
        draw(axes[row, k + 1], maps[..., k], f"orientation {k}", np.abs(before).max())
figure.suptitle(
    "The input turns by 60 degrees: each channel turns and moves one place to the right"
)
plotting.show(
    "A random picture and the six channels after two layers, and the same for the picture turned by 60 degrees. Channel k + 1 "
    "of the second row is channel k of the first row, turned; channel 0 is the turned channel 5.",
    figure,
)

# %% covers="M8.6"
ordinary = layers.Conv2D(6, 3, padding="same")
plain = np.asarray(ordinary(image))[0]
plain_turned = np.asarray(ordinary(turned_image))[0]
plain_expected = np.roll(rotate_hexagon(plain[np.newaxis])[0], 1, axis=-1)
check.claim(
    "M8.6",
    np.abs(turned_maps - expected).max(),
    at_most=1e-5,
    wrong=np.abs(plain_turned - plain_expected)[mask].max(),
)
pooled = [np.asarray(second(first(rotate_hexagon(image, n)))).max() for n in range(6)]
check.claim("M8.6", np.ptp(pooled), at_most=1e-5, wrong=np.ptp(plain.max(axis=(0, 1))))

# %%
check.quiz("M8.6-q1")

# %% [markdown]
r"""
## What it is worth: left or right?

Some molecules are *chiral*: they differ from their mirror image, as a left hand from a right hand. On the pictures below such a molecule lies somewhere on a hexagonal surface, in one of six orientations: four atoms in a row with
a bend. Is it the left-handed or the right-handed form? A rotation does not change the answer, a reflection does.
Noise makes some pictures ambiguous. Since we make the pictures ourselves we know the **limit**: the best classifier possible adds up the likelihoods of all places and orientations.
"""

# %%
SHAPE = [(-1, 0), (0, 0), (1, 0), (1, -1)]  # the right-handed molecule, cells (q, r)
NOISE = 0.3  # standard deviation in each cell; an atom has the height 1
distance = check.catch_up("M8.6a", distance)


def molecules(mirrored):
    """All pictures (n, 9, 9) of one form without noise: every place and orientation inside the hexagon."""
    shape = np.array(SHAPE)
    if mirrored:
        shape = np.column_stack([shape.sum(axis=1), -shape[:, 1]])  # at the x axis
    pictures = []
    for centre in zip(q[mask], r[mask], strict=True):
        for turns in range(6):
            cells = rotate(shape, turns) + centre
            if (distance(cells, np.zeros_like(cells)) <= RADIUS).all():
                picture = np.zeros(mask.shape)
                picture[cells[:, 1] + RADIUS, cells[:, 0] + RADIUS] = 1
                pictures.append(picture)
    return np.array(pictures)


forms = [molecules(False), molecules(True)]


def draw_pictures(n, generator):
    """Noisy pictures (n, 9, 9, 1) and labels: 1 for the mirrored form."""
    label = generator.integers(0, 2, n)
    clean = np.stack([forms[k][generator.integers(len(forms[k]))] for k in label])
    noisy = (clean + NOISE * generator.normal(size=clean.shape)) * mask
    return noisy[..., np.newaxis].astype("float32"), label


def likelihood(x, form):
    """Logarithm of the likelihood of each picture, summed over places and orientations, up to a constant."""
    flat = form.reshape(len(form), -1)
    exponent = (x.reshape(len(x), -1) @ flat.T - 0.5 * (flat**2).sum(axis=1)) / NOISE**2
    return np.logaddexp.reduce(exponent, axis=1)


x_test, y_test = draw_pictures(N_TEST, np.random.default_rng(check.seed + 1))
limit, limit_error = metrics.accuracy_with_error(
    (likelihood(x_test, forms[1]) > likelihood(x_test, forms[0])) == y_test
)
print(f"{len(forms[0])} right-handed and {len(forms[1])} left-handed pictures without noise")
print(f"limit, the best classifier possible: {limit:.3f} +- {limit_error:.3f}")
figure, axes = plt.subplots(1, 6, figsize=(11, 2.2))
for axis, picture, label in zip(axes, x_test, y_test, strict=False):
    draw(axis, picture[:, :, 0], ["right-handed", "left-handed"][label], 1.5)
figure.suptitle("Four atoms with a bend, anywhere and in any orientation: left or right?")
plotting.show(
    "Six noisy pictures of 61 cells with four bright cells each, and their labels.", figure
)

# %% [markdown]
r"""
Three ways to learn it from 200 pictures, each with the same number of training steps:

- two hexagonal convolutions with six filters, which make 36 maps, and the maximum over cells and orientations;
- two ordinary convolutions on the same array, also with 36 maps, and the maximum over the cells;
- the same, trained with each picture in its six orientations (*augmentation*): the symmetry is not built in, but shown.
"""

# %%
N_MAPS = 6


def hexagonal_network():
    return keras.Sequential(
        [
            keras.Input((9, 9, 1)),
            HexConv2D(N_MAPS, activation="silu"),
            HexConv2D(N_MAPS, activation="silu"),
            layers.GlobalMaxPooling3D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def ordinary_network():
    return keras.Sequential(
        [
            keras.Input((9, 9, 1)),
            layers.Conv2D(6 * N_MAPS, 3, padding="same", activation="silu"),
            layers.Conv2D(6 * N_MAPS, 3, padding="same", activation="silu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


ways = {
    "hexagonal": (hexagonal_network, False),
    "ordinary": (ordinary_network, False),
    "ordinary, turned pictures": (ordinary_network, True),
}
accuracies = {name: [] for name in ways}
for seed in range(N_SEEDS):
    x, y = draw_pictures(N_PICTURES, np.random.default_rng(check.seed + 10 + seed))
    for name, (build, augment) in ways.items():
        keras.utils.set_random_seed(check.seed + seed)
        model = build()
        if augment:
            given = np.concatenate([rotate_hexagon(x, n) for n in range(6)]), np.tile(y, 6)
        else:
            given = x, y
        schedule = keras.optimizers.schedules.CosineDecay(0.01, STEPS)
        model.compile(keras.optimizers.Adam(schedule), "binary_crossentropy")
        epochs = STEPS * 50 // len(given[0])
        model.fit(*given, batch_size=50, epochs=max(1, epochs), verbose=0)
        p = np.asarray(model(x_test))[:, 0]
        accuracies[name].append(np.mean((p > 0.5) == y_test))
        if seed == 0:
            print(f"{name:26s} {model.count_params():6d} parameters")

figure, axis = plt.subplots(figsize=(7, 3.4))
for place, values in enumerate(accuracies.values()):
    axis.plot(values, np.full(N_SEEDS, place), "o", ms=9, alpha=0.7, color=plotting.COLOURS[place])
axis.axvline(limit, color=plotting.INK, ls="--", label="limit")
axis.axvline(0.5, color=plotting.GREY, lw=1, label="guessing")
axis.set(
    yticks=range(3),
    yticklabels=ways,
    ylim=(2.5, -0.5),
    xlabel="accuracy on new pictures",
    title=f"{N_PICTURES} pictures: a symmetry that is built in need not be learnt",
)
axis.legend()
plotting.show(
    "Accuracies of three networks for several seeds: "
    + "; ".join(f"{name} {np.mean(values):.3f}" for name, values in accuracies.items()),
    figure,
)
for name, values in accuracies.items():
    print(f"{name:26s} {np.mean(values):.3f}, from {min(values):.3f} to {max(values):.3f}")

# %% covers="M8.6"
gain = np.mean(accuracies["hexagonal"]) - np.mean(accuracies["ordinary"])
check.claim("M8.6", gain, at_least=0.03, wrong=-gain)

# %% [markdown] tags=["answer"]
r"""
**What one sees.** The hexagonal network has an eighth of the parameters and comes close to the limit. The ordinary one has to learn each of six orientations of two forms by itself, from about 17 pictures each. Turned copies
of the pictures help it a good deal: augmentation teaches the symmetry, at no cost in data but at the cost of parameters, and only approximately. With many more pictures all three agree; a symmetry is worth
most where data are scarce.
"""

# %% tags=["instructor"]
# Reflections are no symmetry here: a p6m layer (with mirrored filters, 12 channels) and a pooling over all of them could not tell left from right. Ask before the training.
# The zero border matters in the hexagon as little as in a square: a rotation about the centre maps the border on itself.
check.quiz("M8.6-q1", 2)

# %% [markdown]
r"""
## Key points

- Axial coordinates put hexagonal cells into a square array; distances and rotations by 60 degrees are sums of whole numbers.
- A filter shared between six orientations gives six channels; layers on top turn the filter and move the channels on.
- Turning the input permutes the channels exactly; a pooling over cells and orientations is invariant.
- A symmetry built into a network replaces training data. Build in only what the physics has: a reflection would have ruined this task.
"""

# %%
check.summary()
