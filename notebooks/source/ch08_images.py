# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 8, title: "Convolutional networks: images of physics", level: 3, minutes: 90, sections: "8.6", data: [stm, neutrino_displays, quark_gluon_jets, tpc_pixels, single_molecules], fast: {N_SCANS: 500, EPOCHS_SCANS: 9, N_DISPLAYS: 1000, EPOCHS_DISPLAYS: 5, N_JETS: 12000, EPOCHS_JETS: 3, N_CHAMBERS: 600, EPOCHS_CHAMBERS: 8, N_MOLECULES: 4000, EPOCHS_MOLECULES: 5}}
# ---
# %% [markdown]
r"""
# Convolutional networks: images of physics

**You will**

- turn the topograph of a surface into a map of its band gap, pixel by pixel (example 8.6);
- tell electron from muon neutrinos with Inception blocks (8.8), and quark from gluon jets (8.9);
- label every pixel of a liquid-argon chamber with a U-Net (8.10);
- find single molecules far more finely than the wavelength of their light, in voxels (8.11).

**You need** the building blocks of `ch08_examples`: Inception, U-Net, transposed convolution. **Time:** about 90 minutes; the
cells run in about three minutes.

**You will see** five questions that look alike, an image in and an answer out, and five ways to say what the answer is: a number for each pixel, one
probability, a class for each pixel, a distribution over voxels. Each result stands beside a method that needs no network.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.simulators import events, jets

check = checks.start("ch08_images")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_SCANS = 1500  # topographs of 64 x 64 pixels
EPOCHS_SCANS = 10
N_DISPLAYS = 5000  # events of the neutrino beam
EPOCHS_DISPLAYS = 8
N_JETS = 20_000
EPOCHS_JETS = 5
N_CHAMBERS = 2000  # pictures of the liquid-argon chamber
EPOCHS_CHAMBERS = 8
N_MOLECULES = 6000  # pictures of one molecule each
EPOCHS_MOLECULES = 9


# %% [markdown]
r"""
All five networks are trained in the same way: Adam, with a learning rate that falls to zero along a cosine. The function stands here once.
"""


# %%
def train(model, x, y, loss, epochs, batch_size=32, learning_rate=6e-3, **options):
    """Compile and fit; the learning rate falls from ``learning_rate`` to zero."""
    steps = epochs * int(np.ceil(len(x) / batch_size))
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    model.compile(keras.optimizers.Adam(schedule), loss)
    model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0, **options)
    return model


# %% [markdown]
r"""
## Example 8.6: from a topograph to the band gap

The tip of a scanning tunnelling microscope follows the surface of MnSb$_2$Te$_4$, a magnetic topological insulator. The height takes seconds to scan. The band gap takes a
spectrum at every pixel, and hours. Manganese atoms on wrong sites change both: can the slow map be computed from the fast one?

This is **regression for every pixel**. The network keeps the picture's size. Two strides let it see 60 pixels far, wider than the hills of the gap, and
upsampling brings the resolution back. The *baseline* is the best linear filter (Wiener), which needs the spectra of signal and noise but no training.
"""

# %%
scans = datasets.load_stm(N_SCANS, seed=check.seed)
middle, width = scans.y_train.mean(), scans.y_train.std()

gap_network = keras.Sequential(
    [
        keras.Input((64, 64, 1)),
        layers.Conv2D(12, 5, strides=2, padding="same", activation="relu"),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(24, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(24, 5, padding="same", activation="relu"),
        layers.Conv2D(24, 5, padding="same", activation="relu"),
        layers.UpSampling2D(4, interpolation="bilinear"),
        layers.Conv2D(1, 3, padding="same"),
    ]
)
train(gap_network, scans.x_train, (scans.y_train - middle) / width, "mse", EPOCHS_SCANS, 16)
gap = gap_network.predict(scans.x_test, verbose=0) * width + middle
wiener = events.wiener_gap(scans.x_test[..., 0] * 20)[..., np.newaxis]  # heights in pm


# %%
def root_mean_square(error):
    """Root mean square over all pixels, and its error from the scatter between scans."""
    mean, uncertainty = metrics.mean_with_error((error**2).mean(axis=(1, 2, 3)))
    return np.sqrt(mean), uncertainty / (2 * np.sqrt(mean))


gap_error = {}
for name, estimate in [
    ("network", gap),
    ("Wiener filter", wiener),
    ("the mean gap everywhere", middle),
]:
    gap_error[name], uncertainty = root_mean_square(estimate - scans.extra_test["gap"])
    print(f"{name:26s} {gap_error[name]:.3f} +- {uncertainty:.3f} meV")

# %%
true_gap = scans.extra_test["gap"]
panels = [
    ("height (pm)", 20 * scans.x_test),
    ("true gap (meV)", true_gap),
    ("network (meV)", gap),
    ("Wiener filter (meV)", wiener),
]
figure, axes = plt.subplots(1, 4, figsize=(11, 3.1), layout="constrained")
for number, (axis, (name, pictures)) in enumerate(zip(axes, panels, strict=True)):
    low, high = (None, None) if number == 0 else (true_gap[0].min(), true_gap[0].max())
    image = axis.imshow(
        pictures[0, :, :, 0],
        cmap="gray" if number == 0 else "viridis",
        vmin=low,
        vmax=high,
        extent=(0, 8, 0, 8),
        origin="lower",
    )
    axis.set(title=name, xlabel="x (nm)")
    figure.colorbar(image, ax=axis, shrink=0.75)
axes[0].set(ylabel="y (nm)")
figure.suptitle("The network reads the gap from the topograph; a linear filter blurs it")
plotting.show(
    "A topograph, its true gap map, the map of the network, which hardly differs from it, and a blurred one of the Wiener filter.",
    figure,
)

# %% covers="X8.6"
check.claim(
    "X8.6",
    gap_error["network"] / gap_error["Wiener filter"],
    at_most=0.75,
    wrong=gap_error["the mean gap everywhere"] / gap_error["Wiener filter"],
)

# %%
check.quiz("X8.6-q1")

# %% [markdown]
r"""
## Example 8.8: electron or muon neutrino

A neutrino beam has travelled 800 km to a detector of cells filled with scintillator. A muon neutrino leaves a muon, a thin track of up to ten metres; an electron neutrino leaves an electron, which
ends in a shower, shorter and broader. Counting electron neutrinos in a beam of muon neutrinos measures the oscillation, so a
muon taken for an electron is expensive.

Showers and tracks have structures of several sizes. An **Inception block** does not choose the size of its filters but has several side by side, and lets the training decide. The point-wise
convolutions in front keep it cheap.

**Your task.** Build such a block as a small model: three branches, all of them with `maps` maps and ReLU after every convolution,

1. a convolution 1 x 1;
2. a convolution 1 x 1, then one of 3 x 3;
3. a convolution 1 x 1, then one of 5 x 5;

their outputs concatenated along the channels. The picture keeps its size.
"""


# %% task="X8.8" points=3
def inception_block(channels, maps):
    """An Inception block as a Keras model: (any height, any width, channels) to (same, same, 3 * maps).

    Branches in this order: 1 x 1; 1 x 1 and 3 x 3; 1 x 1 and 5 x 5. Every convolution has ``maps`` maps and ReLU.
    """
    ### BEGIN SOLUTION
    image = keras.Input((None, None, channels))
    branches = [layers.Conv2D(maps, 1, activation="relu")(image)]
    for size in (3, 5):
        narrow = layers.Conv2D(maps, 1, activation="relu")(image)
        wide = layers.Conv2D(maps, size, padding="same", activation="relu")(narrow)
        branches.append(wide)
    return keras.Model(image, layers.Concatenate()(branches))
    ### END SOLUTION


# %% check="X8.8"
check("X8.8", inception_block)

# %%
inception_block = check.catch_up("X8.8", inception_block)
displays = datasets.load_neutrino_displays(N_DISPLAYS, seed=check.seed)

figure, axes = plt.subplots(2, 2, figsize=(9, 4.6), sharex=True, layout="constrained")
for row, (flavour, name) in enumerate([(0, "muon neutrino"), (1, "electron neutrino")]):
    event = np.argmax(displays.extra_test["lepton_energy"] * (displays.y_test == flavour))
    for column, view in enumerate(["from above", "from the side"]):
        axes[row, column].imshow(
            displays.x_test[event, :, :, column].T, cmap="gray_r", aspect="auto", vmax=4
        )
        axes[row, column].set(title=f"{name}, {view}")
    axes[row, 0].set(ylabel="cell (3.9 cm)")
for axis in axes[1]:
    axis.set(xlabel="plane along the beam (13.2 cm)")
figure.suptitle("A thin long track, or a shower: the most energetic of each kind, in two views")
plotting.show("Two events in two views: the track of a muon and the shower of an electron.", figure)

# %%
keras.utils.set_random_seed(check.seed)
image = keras.Input((80, 48, 2))
x = layers.Conv2D(12, 5, strides=2, padding="same", activation="relu")(image)
x = inception_block(12, 12)(layers.MaxPooling2D(2)(x))
x = inception_block(36, 16)(layers.MaxPooling2D(2)(x))
x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
flavour_network = keras.Model(image, layers.Dense(1, activation="sigmoid")(x))
train(flavour_network, displays.x_train, displays.y_train, "binary_crossentropy", EPOCHS_DISPLAYS)
scores = {
    "Inception network": flavour_network.predict(displays.x_test, verbose=0)[:, 0],
    "baseline: no track in the event": -events.track_likeness(np.expm1(displays.x_test)),
}

# %% [markdown]
r"""
What counts is the share of electrons found (the *efficiency*) when no more than one muon in twenty is taken for an electron.
"""


# %%
def efficiency_at(score, truth, mistaken):
    """Share of the class 1 above the cut that lets the share ``mistaken`` of class 0 pass, and its error."""
    cut = np.quantile(score[truth == 0], 1 - mistaken)
    return metrics.accuracy_with_error(score[truth == 1] > cut)


electrons_found = {}
for name, score in scores.items():
    electrons_found[name], error = efficiency_at(score, displays.y_test, 0.05)
    area, area_error = metrics.area_under_roc(score, displays.y_test)
    print(f"{name:32s} {electrons_found[name]:.3f} +- {error:.3f} of the electrons, area under the ROC curve {area:.3f} +- {area_error:.3f}")  # fmt: skip

# %%
share = np.linspace(0.005, 0.5, 100)
figure, axis = plt.subplots(figsize=(6.4, 4))
for (name, score), style in zip(scores.items(), ["-", "--"], strict=True):
    axis.plot(
        share, [efficiency_at(score, displays.y_test, s)[0] for s in share], style, label=name
    )
axis.axvline(0.05, color=plotting.GREY, lw=1)
axis.set(xlabel="share of muons taken for electrons", ylabel="share of electrons found", ylim=(0, 1))  # fmt: skip
axis.set_title("At equal contamination the network finds more electrons")
axis.legend(loc="lower right")
plotting.show("Efficiency for electrons against the share of mistaken muons: the network lies above the baseline.", figure)  # fmt: skip

# %% covers="X8.8"
first, second = electrons_found.values()
check.claim("X8.8", first / second, at_least=1.1, wrong=second / first)

# %% [markdown]
r"""
## Example 8.9: quark and gluon jets in three colours

A quark or a gluon of 500 GeV becomes a jet of hadrons. Gluons carry more colour charge, radiate more, and their jets have more particles and are wider. A jet makes an image in
the plane of azimuth and pseudorapidity. Its three channels are not red, green and blue but physics: transverse momentum of charged particles, transverse momentum of neutral ones, and
number of charged particles.

The *baselines* are observables with a name: the number of particles, the width of the jet, and the ratio of likelihoods from a histogram of the two.
"""

# %%
del scans, displays  # make room for the images of the jets
jet_data = datasets.load_quark_gluon_jets(N_JETS, seed=check.seed)
figure, axes = plt.subplots(2, 3, figsize=(9, 5.4), sharex=True, sharey=True, layout="constrained")
channel_names = [
    "charged, root of pt share",
    "neutral, root of pt share",
    "number of charged / 10",
]
for row, (kind, name) in enumerate([(1, "quark"), (0, "gluon")]):
    mean_image = jet_data.x_train[jet_data.y_train == kind].mean(axis=0)
    for channel in range(3):
        top = jet_data.x_train[..., channel].mean(axis=0).max() / 15
        axes[row, channel].imshow(
            mean_image[..., channel], extent=(-0.4, 0.4, -0.4, 0.4), vmin=0, vmax=top, cmap="magma"
        )
        axes[row, channel].set(title=channel_names[channel] if row == 0 else None)
    axes[row, 0].set(ylabel=f"{name} jets\nazimuth (rad)")
for axis in axes[1]:
    axis.set(xlabel="pseudorapidity")
figure.suptitle("Mean images: gluon jets are wider and have more particles")
plotting.show(
    "Mean images of quark and gluon jets in three channels; gluon jets are wider.", figure
)

# %%
keras.utils.set_random_seed(check.seed)
jet_network = keras.Sequential(
    [
        keras.Input((33, 33, 3)),
        layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
        layers.Conv2D(24, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(32, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
train(jet_network, jet_data.x_train, jet_data.y_train, "binary_crossentropy", EPOCHS_JETS, 64, 4e-3)

observables = {
    part: np.stack([extra["multiplicity"], extra["width"]], axis=-1)
    for part, extra in [("train", jet_data.extra_train), ("test", jet_data.extra_test)]
}
jet_scores = {
    "network": jet_network.predict(jet_data.x_test, batch_size=500, verbose=0)[:, 0],
    "baseline: number of particles": -observables["test"][:, 0],
    "baseline: width": -observables["test"][:, 1],
    "baseline: both, histogram": jets.histogram_ratio(
        observables["train"], jet_data.y_train, observables["test"], bins=12
    ),
}
jet_area, jet_error = {}, {}
for name, score in jet_scores.items():
    jet_area[name], jet_error[name] = metrics.area_under_roc(score, jet_data.y_test)
    print(f"{name:30s} area under the ROC curve {jet_area[name]:.3f} +- {jet_error[name]:.3f}")
print(f"any mass-like observable in the simplest theory (9/13): {jets.casimir_auc():.3f}")

# %% covers="X8.9"
quark, gluon = (
    np.array([jet_data.extra_test[name][jet_data.y_test == kind].mean() for name in ("multiplicity", "width")])
    for kind in (1, 0)
)  # fmt: skip
print(f"particles and width of gluon jets, relative to quark jets: {np.round(gluon / quark, 2)}")
check.claim("X8.9", (gluon / quark).min(), at_least=1.1, wrong=(quark / gluon).min())
check.claim("X8.9", jet_area["network"], at_least=0.76, wrong=jets.casimir_auc())

# %% [markdown] tags=["answer"]
r"""
**What the three channels bring.** The network is as good as the number of particles, or slightly better, and clearly better than the width. The number of charged particles is one of its channels, and a global
average counts. So the network has found the observable that theory recommends, and little is left beyond it. A comparison of such small differences needs the same jets for all methods, as here, or their errors hide it.
"""

# %%
check.quiz("X8.9-q1")

# %% [markdown]
r"""
## Example 8.10: every pixel of a liquid-argon chamber

Charged particles leave a trail of electrons in liquid argon, and wires read it as an image. Before an event can be reconstructed, every pixel with energy gets a class: **track** (muon, proton,
pion), **shower** (electron, photon) or **noise**. A U-Net gives each pixel three probabilities (softmax over the channels).

Nineteen pixels in twenty are empty. Two consequences: the loss gets weight only where there is energy (`sample_weight`), and the accuracy must be counted there.

**Your task.** Write this accuracy, together with the efficiency of each class: of the pixels with energy that belong to a class, the share that is labelled so.
"""


# %% task="X8.10" points=2
def pixel_accuracy(predicted, truth, energy):
    """Accuracy among the pixels with energy, and the efficiency of each class among them.

    predicted, truth: class of each pixel, 0, 1 or 2, (n, height, width); energy: (n, height, width), 0 in empty pixels.
    Returns a number and an array (3,). Every class occurs.
    """
    ### BEGIN SOLUTION
    lit = energy > 0
    right = predicted[lit] == truth[lit]
    efficiency = np.array([right[truth[lit] == kind].mean() for kind in range(3)])
    return right.mean(), efficiency
    ### END SOLUTION


# %% check="X8.10"
check("X8.10", pixel_accuracy)

# %%
pixel_accuracy = check.catch_up("X8.10", pixel_accuracy)
chambers = datasets.load_tpc_pixels(N_CHAMBERS, seed=check.seed)


def convolution(x, maps, size=3, stride=1):
    """Convolution, batch normalisation, ReLU."""
    x = layers.Conv2D(maps, size, strides=stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def unet(maps=8):
    """Four steps down by strides, four up; maps of equal size are concatenated."""
    image = keras.Input((64, 64, 1))
    down = [convolution(image, maps - 2)]
    down.append(convolution(down[0], maps, 5, 2))
    for factor in (2, 4, 6):
        x = convolution(down[-1], factor * maps, 3, 2)
        down.append(convolution(x, factor * maps))
    x = down.pop()
    for factor in (4, 2, 1, 1):
        x = layers.Concatenate()([layers.UpSampling2D()(x), down.pop()])
        x = convolution(x, factor * maps)
    return keras.Model(image, layers.Conv2D(3, 1, activation="softmax")(x))


keras.utils.set_random_seed(check.seed)
segmentation = train(
    unet(),
    chambers.x_train,
    chambers.y_train,
    "sparse_categorical_crossentropy",
    EPOCHS_CHAMBERS,
    16,
    sample_weight=(chambers.x_train[..., 0] > 0).astype("float32"),
)
classes = segmentation.predict(chambers.x_test, verbose=0).argmax(axis=-1)
energy = chambers.x_test[..., 0]

# %%
largest = np.bincount(chambers.y_test[energy > 0]).argmax()
guess = np.full_like(chambers.y_test, largest)
print("                                   all     noise   track   shower")
segmented = {}
for name, found in [("U-Net", classes), ("baseline: the commonest class", guess)]:
    segmented[name], efficiency = pixel_accuracy(found, chambers.y_test, energy)
    print(f"{name:32s}   {segmented[name]:.3f}   " + "   ".join(f"{e:.3f}" for e in efficiency))
everywhere = np.mean(np.where(energy > 0, classes, 0) == chambers.y_test)
print(f"counted with the empty pixels, which every method gets right: {everywhere:.3f}")

# %%
names = ["noise", "track", "shower"]
colours = np.array([plotting.GREY, plotting.COLOURS[0], plotting.COLOURS[1]])
event = np.flatnonzero([np.sum(t == 1) > 40 and np.sum(t == 2) > 60 for t in chambers.y_test])[0]
rows, columns = np.nonzero(energy[event])
figure, axes = plt.subplots(
    1, 3, figsize=(10.5, 3.7), sharex=True, sharey=True, layout="constrained"
)
axes[0].imshow(energy[event], cmap="gray_r")
axes[0].set(title="energy, ln(1 + E/MeV)", ylabel="y (cm)")
for axis, labels, title in [
    (axes[1], chambers.y_test, "true class"),
    (axes[2], classes, "class by the U-Net"),
]:
    for kind, name in enumerate(names):
        chosen = labels[event][rows, columns] == kind
        axis.plot(columns[chosen], rows[chosen], "s", ms=3, color=colours[kind], label=name)
    axis.set(title=title, aspect="equal")
axes[2].legend(loc="center left", bbox_to_anchor=(1, 0.5))
for axis in axes:
    axis.set(xlabel="x (cm)")
figure.suptitle("The U-Net tells tracks from showers, pixel by pixel")
plotting.show(
    "Energy in the pixels of one event, the true classes, and those of the U-Net.", figure
)

# %% covers="X8.10"
check.claim(
    "X8.10",
    segmented["U-Net"] - segmented["baseline: the commonest class"],
    at_least=0.15,
    wrong=0.0,
)

# %%
check.quiz("X8.10-q1")

# %% [markdown]
r"""
## Example 8.11: single molecules

Light of 700 nm cannot resolve details below some 250 nm. But where a *single* glowing molecule is, can be known far better: its spot is 150 nm wide, with 2000 photons its centre is known to
about $150/\sqrt{2000}$ nm, 3 nm. A lens with astigmatism makes the spot longer in $x$ below the focus and in $y$ above, so its shape tells the depth.

As in the book, space is divided into **voxels** of 24 x 24 x 50 nm$^3$, and the network says which of the 48 x 48 x 20 voxels the molecule is in. The camera has 12 x 12 pixels of 96 nm; a transposed convolution with the
stride 4 makes 48 x 48 places of them, with 20 depths as channels. A softmax over all 46 080 voxels gives a probability for each, and cross-entropy trains it.

A network trained so does not only name a voxel: $p_{ijk}$ is its estimate of the *posterior* of the molecule's place, given the picture. The mean of the posterior has the smallest mean squared error of all estimates,
so the place is known better than a voxel is wide.

**Your task.** Return the mean place in nanometres,

$$\langle x\rangle = \sum_{ijk} p_{ijk}\, x_j, \qquad \langle y\rangle = \sum_{ijk} p_{ijk}\, y_i, \qquad \langle z\rangle = \sum_{ijk} p_{ijk}\, z_k ,$$

with $x_j$, $y_i$, $z_k$ at the middles of the voxels: rows are $y$, columns are $x$, both from 0; the depths start at $-500$ nm.
"""


# %% task="X8.11" points=3
def mean_place(probability):
    """Mean place of a molecule from its probabilities (n, 48, 48, 20): rows (y), columns (x), depths (z).

    Returns (n, 3): x, y, z in nm. Voxels of 24 x 24 x 50 nm; x and y begin at 0, z at -500 nm.
    """
    ### BEGIN SOLUTION
    across = (np.arange(48) + 0.5) * 24
    depth = (np.arange(20) + 0.5) * 50 - 500
    x = probability.sum(axis=(1, 3)) @ across
    y = probability.sum(axis=(2, 3)) @ across
    z = probability.sum(axis=(1, 2)) @ depth
    return np.column_stack([x, y, z])
    ### END SOLUTION


# %% check="X8.11"
check("X8.11", mean_place)

# %%
mean_place = check.catch_up("X8.11", mean_place)
del jet_data, chambers  # make room: the voxels need a quarter of a gigabyte
molecules = datasets.load_single_molecules(N_MOLECULES, seed=check.seed)
voxel = molecules.y_train["occupied"].reshape(len(molecules.x_train), -1).argmax(axis=1)

keras.utils.set_random_seed(check.seed)
locator = keras.Sequential([keras.Input((12, 12, 1))])
for maps in (32, 32, 32, 32):
    locator.add(layers.Conv2D(maps, 3, padding="same", activation="relu"))
locator.add(layers.Conv2DTranspose(20, 4, strides=4))
locator.add(layers.Flatten())
locator.add(layers.Softmax())
train(
    locator,
    molecules.x_train,
    voxel,
    "sparse_categorical_crossentropy",
    EPOCHS_MOLECULES,
    32,
    4e-3,
)

# %%
pictures = molecules.x_test[:400]
place = molecules.extra_test["positions"][:400, 0]
probability = locator.predict(pictures, batch_size=50, verbose=0).reshape(-1, 48, 48, 20)
brightest = np.zeros_like(probability)
brightest.reshape(len(place), -1)[np.arange(len(place)), probability.reshape(len(place), -1).argmax(1)] = 1  # fmt: skip
bound = events.localisation_bound(
    place, molecules.extra_test["photons"][:400, 0], molecules.extra_test["background"][:400]
)
estimates = {
    "network, mean of the voxels": mean_place(probability),
    "network, most probable voxel": mean_place(brightest),
    "baseline: maximum-likelihood fit": events.fit_molecules(pictures[..., 0] * 100),
}
print("half of the errors are smaller than        x       y       z  (nm)")
typical = {}
for name, estimate in estimates.items():
    typical[name] = np.median(np.abs(estimate - place), axis=0)
    print(f"{name:38s}" + "".join(f"{value:8.1f}" for value in typical[name]))
cramer_rao = 0.6745 * np.sqrt(np.median(np.diagonal(bound, axis1=1, axis2=2), axis=0))
print(f"{'Cramer-Rao, unbiased estimates':38s}" + "".join(f"{value:8.1f}" for value in cramer_rao))

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.5), layout="constrained")
shown = int(np.argmin(np.abs(place[:, 2] - 300)))
axes[0].imshow(pictures[shown, :, :, 0], extent=(0, 1152, 1152, 0), cmap="gray")
axes[0].plot(*place[shown, :2], "+", ms=14, color=plotting.COLOURS[1])
axes[0].set(xlabel="x (nm)", ylabel="y (nm)", title="one picture, 12 x 12 pixels")
for axis, number, name, step in [(axes[1], 0, "x", 2), (axes[2], 2, "z", 6)]:
    bins = np.arange(-30, 31, 1) * step
    for estimate, style in zip(estimates, ["-", ":", "--"], strict=True):
        error = estimates[estimate][:, number] - place[:, number]
        axis.hist(np.clip(error, bins[0], bins[-1]), bins, histtype="step", ls=style, lw=1.5, label=estimate)  # fmt: skip
    axis.set(xlabel=f"error in {name} (nm)", ylabel="molecules")
axes[2].legend(fontsize=7.5, loc="upper left")
figure.suptitle("The mean over the voxels is finer than a voxel (24 nm across, 50 nm deep)")
plotting.show("A picture of one molecule, and histograms of the errors in x and z of three estimates.", figure)  # fmt: skip

# %% covers="X8.11"
finer = typical["network, most probable voxel"] / typical["network, mean of the voxels"]
check.claim("X8.11", typical["network, mean of the voxels"][0], at_most=12.0, wrong=96 / 2)
check.claim("X8.11", finer.mean(), at_least=1.05, wrong=1 / finer.mean())

# %%
check.quiz("X8.11-q1")

# %% tags=["instructor"]
# The bound of Cramer and Rao holds for estimates without bias. A network may be better where there are few photons, since it knows where molecules can be; the fit cannot.
# Discussion: which of the five networks could take a picture of another size? (8.6, 8.8, 8.9 and 8.10: no Flatten, no fixed input in principle; 8.11: the softmax over all voxels cannot.)
# A frequent mistake in 8.10: accuracy over all pixels, 99 % and worth nothing. In 8.8: comparing accuracies at the cut 0.5, where the two methods have different contaminations.
for question, answer in [("X8.6-q1", 2), ("X8.9-q1", 3), ("X8.10-q1", 1), ("X8.11-q1", 4)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Image to image: keep the size, or come back to it; the receptive field must be as wide as what matters.
- An Inception block has filters of several sizes side by side; point-wise convolutions keep it cheap.
- Channels need not be colours. Any quantity on the same grid will do.
- For every pixel a class: softmax over the channels, weights and accuracies where there is something to see.
- A softmax over voxels, trained with cross-entropy, estimates a posterior; its mean is finer than the voxels.
- A named observable is the baseline to beat. Sometimes a network finds it again, and that is worth knowing.
"""

# %%
check.summary()
