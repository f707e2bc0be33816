# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 12, title: Interpretability, level: 2, minutes: 90, sections: "12.1-12.4", data: [cifar10, mnist, ising], fast: {N_PICTURES: 3200, N_DIGITS: 3200, N_LATTICES: 2600, DIGIT_EPOCHS: 2}}
# ---
# %% [markdown]
r"""
# Interpretability

**You will**

- train a network on coloured pictures in about a minute, and find out which classes it takes for which others, and why;
- look at its filters, and at what they make of a picture;
- let a network of digits paint the pattern that each of its feature maps likes best;
- draw the regions of a spin lattice on which a network bases its decision, and compare them with the physics.

**You need** convolutions (chapter 8), `keras.Sequential`, and the gradient of a function. **Time:** about 90 minutes. The cells themselves run in less than two minutes.

**You will see** that the network of exercise 8.1 looks at the energy of the spins, site by site, although it was told nothing but the phase.

Saliency, layer-wise relevance propagation, deconvolution, occlusion and attributions with completeness stand in `ch12_examples`. The three exercises can be done in any order.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.simulators import ising

check = checks.start("ch12_interpretability")

import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_PICTURES = 45_000  # coloured pictures for the training
EPOCHS = 3
N_DIGITS = 55_000  # digits for the training
DIGIT_EPOCHS = 3
STEPS = 50  # of gradient ascent
N_LATTICES = 7_800  # spin lattices to explain

# %% [markdown]
r"""
Two helpers for the whole chapter. The first serves the training pictures in batches, in a new order in each epoch. (`fit` would take the array itself as well, but keeps copies of it, and 45 000 pictures are large.)
The second names the layers that hold the finished feature maps, one for each convolution, after its normalisation and its activation.
"""


# %% tags=["setup"]
class Batches(keras.utils.PyDataset):
    """Shuffled batches for ``model.fit(Batches(x, y, 64), epochs=...)``."""

    def __init__(self, x, y, size):
        super().__init__()
        self.x, self.y, self.size = x, y, size
        self.on_epoch_end()

    def __len__(self):
        return int(np.ceil(len(self.x) / self.size))

    def __getitem__(self, index):
        chosen = self.order[index * self.size : (index + 1) * self.size]
        return self.x[chosen].astype("float32"), self.y[chosen]

    def on_epoch_end(self):
        self.order = np.asarray(keras.random.shuffle(np.arange(len(self.x))))


def finished_maps(model):
    """Names of the layers after which the maps of each convolution are finished."""
    names = []
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            names.append(layer.name)
        elif names and isinstance(
            layer, (layers.BatchNormalization, layers.Activation, layers.ReLU)
        ):
            names[-1] = layer.name
    return names


# %% [markdown]
r"""
## Exercise 12.1: what a network of coloured pictures sees

CIFAR-10 holds 60 000 photographs of 32 x 32 pixels in ten classes. Where it can be had neither from a mirror nor by download, the loader gives a stand-in of drawn objects, about as hard as the photographs; the line below says which of the two you have.
The book asks for 70 % of correct answers. The goal here: reach them in a minute and a half on two processor cores.
"""

# %%
pictures = datasets.load_cifar10()
CLASSES = pictures.about.classes
real = pictures.about.source != "stand-in"
print("photographs" if real else "drawn pictures, a stand-in for the photographs")
print(pictures)
x_train, y_train = pictures.x_train[:N_PICTURES].astype("float16"), pictures.y_train[:N_PICTURES]
x_validation, y_validation = pictures.x_validation[:2000].copy(), pictures.y_validation[:2000]
x_test, truth = pictures.x_test, pictures.y_test
pictures = (
    None  # half precision is finer than the 256 levels of a picture, and takes half the memory
)

# %%
shown = [np.flatnonzero(y_train == k)[0] for k in range(10)]
plotting.image_row(
    x_train[shown].astype("float32"), CLASSES, title="One of each class; 32 x 32 pixels are few"
)

# %% [markdown]
r"""
### The network

What costs time is multiplications. A convolution of $k\times k$ pixels from $n_c$ to $n_f$ maps needs $k^2\, n_c\, n_f$ of them *for every pixel of its output*: a stride or a pooling early in the network makes all later layers cheaper by four.
And what saves epochs is normalisation: batch normalisation between convolution and ReLU lets the network learn with a large rate. (Its moving averages must settle within a thousand steps: `BatchNormalization(momentum=0.9)`.)

**Your task.** Build a network for pictures (32, 32, 3) with values from 0 to 1 that ends in ten class scores which add up to 1. It may use at most 15 million multiplications in its convolutions for one picture. Give the first layer filters of 5 x 5 pixels, so that you can look at them later.
"""


# %% task="12.1a" points=2 covers="E12.1/1"
def build_cnn():
    """A convolutional network for pictures (n, 32, 32, 3), values 0 to 1, in ten classes.

    Returns a Keras model, not compiled; output (n, 10), class scores from a softmax. First layer: Conv2D with filters of 5 x 5.
    """
    ### BEGIN SOLUTION
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Rescaling(4.0, -2.0)])
    for maps, size, stride, pool in [(32, 5, 2, 1), (48, 3, 1, 2), (64, 3, 1, 2), (96, 3, 1, 1)]:
        model.add(layers.Conv2D(maps, size, strides=stride, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        if pool > 1:
            model.add(layers.MaxPooling2D(pool))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10, activation="softmax"))
    return model
    ### END SOLUTION


# %% check="12.1a"
check("12.1a", build_cnn)

# %%
build_cnn = check.catch_up("12.1a", build_cnn)
build_cnn().summary()

# %% [markdown]
r"""
### The training

**Your task.** Compile the model for class numbers as targets, train it, and return it. Hand `callbacks` on to `fit`. For few epochs the course of the learning rate matters most: let it rise to 0.005 within the first quarter of the steps, so that Adam and the normalisation find their scales,
and fall to zero after that. `CosineDecay` does both with `warmup_target` and `warmup_steps`. Use batches of 64: `Batches(x_train, y_train, 64)`, and `steps_per_execution=16`.
"""


# %% task="12.1b" points=2 covers="E12.1/1"
def train_cnn(model, x_train, y_train, x_validation, y_validation, epochs, callbacks):
    """Compile ``model``, fit it for ``epochs`` epochs, watch accuracy and validation data, and return it.

    x: (n, height, width, colours); y: (n,), number of the class; callbacks: a list for ``fit``.
    """
    ### BEGIN SOLUTION
    batches = Batches(x_train, y_train, 64)
    steps = epochs * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(
        2e-4, 3 * steps // 4, warmup_target=5e-3, warmup_steps=steps // 4
    )
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=16,
    )
    unseen = (x_validation, y_validation)
    model.fit(batches, epochs=epochs, validation_data=unseen, callbacks=callbacks, verbose=2)
    return model
    ### END SOLUTION


# %%
class Clock(keras.callbacks.Callback):
    """Seconds since the training began, at the end of each epoch."""

    def on_train_begin(self, logs=None):
        self.began, self.seconds = time.perf_counter(), []

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.began)


clock, cnn = Clock(), None  # until train_cnn is written
cnn = train_cnn(build_cnn(), x_train, y_train, x_validation, y_validation, EPOCHS, [clock])

# %% check="12.1b"
check("12.1b", train_cnn, result=cnn)

# %%
train_cnn = check.catch_up("12.1b", train_cnn)
if cnn is None:
    cnn = train_cnn(build_cnn(), x_train, y_train, x_validation, y_validation, EPOCHS, [clock])
plotting.lines(
    [0, *clock.seconds],
    {
        "training (mean over the epoch)": [0.1, *cnn.history.history["accuracy"]],
        "validation": [0.1, *cnn.history.history["val_accuracy"]],
        "the book's target": [0.7] * (EPOCHS + 1),
    },
    dashed=["the book's target"],
    xlabel="time (s)",
    ylabel="accuracy (fraction correct)",
    title=f"{EPOCHS} epochs, {clock.seconds[-1]:.0f} seconds on this machine",
)

# %%
scores = cnn.predict(x_test, batch_size=200, verbose=0)
predicted = scores.argmax(axis=1)
accuracy, error = metrics.accuracy_with_error(predicted == truth)
print(f"{'photographs' if real else 'stand-in'}: test accuracy {accuracy:.4f} +- {error:.4f} after {clock.seconds[-1]:.0f} s")  # fmt: skip

# %% [markdown]
r"""
### The confusion matrix

**Your task.** Count how often a picture of the true class $i$ (row) was taken for class $j$ (column).
"""


# %% task="12.1c" points=1 covers="E12.1/2"
def confusion_matrix(truth, predicted, n_classes):
    """Numbers of events, (n_classes, n_classes): row = true class, column = predicted class.

    truth, predicted: (n,), classes from 0 to n_classes - 1.
    """
    ### BEGIN SOLUTION
    counts = np.zeros((n_classes, n_classes), int)
    np.add.at(counts, (truth, predicted), 1)
    return counts
    ### END SOLUTION


# %% check="12.1c"
check("12.1c", confusion_matrix)

# %%
confusion_matrix = check.catch_up("12.1c", confusion_matrix)
confusion = confusion_matrix(truth, predicted, 10)
share = confusion / confusion.sum(axis=1, keepdims=True)
order = np.argsort(share * (1 - np.eye(10)), axis=None)[::-1][:3]
pairs = [(CLASSES[k // 10], CLASSES[k % 10], share.flat[k]) for k in order]
figure, axis = plt.subplots(figsize=(7, 5.6))
picture = axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
for (i, j), value in np.ndenumerate(share):
    colour = "white" if value > 0.5 else plotting.INK
    axis.text(j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=8.5, color=colour)
axis.set(xticks=range(10), yticks=range(10), yticklabels=CLASSES, xlabel="predicted class", ylabel="true class")  # fmt: skip
axis.set_xticklabels(CLASSES, rotation=45, ha="right")
axis.set(title="Confusions stay among animals and among vehicles")
figure.colorbar(picture, label="share of the true class", shrink=0.8)
plotting.show(
    f"Matrix of true against predicted classes in per cent. The diagonal reaches from {share.diagonal().min():.0%} to {share.diagonal().max():.0%}; "
    + "; ".join(f"{value:.0%} of {first} taken for {second}" for first, second, value in pairs),
    figure,
)
kinds = np.array([name in ("bird", "cat", "deer", "dog", "frog", "horse") for name in CLASSES])
wrong = predicted != truth
within = np.mean(kinds[predicted[wrong]] == kinds[truth[wrong]])
print(*(f"{first} taken for {second}: {value:.0%}" for first, second, value in pairs), sep="\n")
print(f"of the wrong answers {within:.0%} stay within the animals or within the vehicles; 43 % would by chance")  # fmt: skip

# %%
check.quiz("12.1-q1")

# %% [markdown]
r"""
### Wrongly classified pictures

The most instructive errors are those of which the network is sure.

**Your task.** Return the numbers of the `count` wrongly classified pictures whose *predicted* class has the highest score, the highest first.
"""


# %% task="12.1d" points=1 covers="E12.1/3"
def surest_errors(scores, truth, count):
    """Rows of the wrongly classified events with the highest score of their predicted class, highest first.

    scores: (n, classes); truth: (n,), class numbers. Returns whole numbers, (count,), or fewer if there are fewer errors.
    """
    ### BEGIN SOLUTION
    predicted = scores.argmax(axis=1)
    errors = np.flatnonzero(predicted != truth)
    ranked = np.argsort(-scores.max(axis=1)[errors], kind="stable")
    return errors[ranked[:count]]
    ### END SOLUTION


# %% check="12.1d"
check("12.1d", surest_errors)

# %%
surest_errors = check.catch_up("12.1d", surest_errors)
chosen = surest_errors(scores, truth, 6)
figure, axes = plt.subplots(2, 6, figsize=(11, 4.4), height_ratios=[1, 1.3])
for column, row in enumerate(chosen):
    axes[0, column].imshow(x_test[row])
    axes[0, column].set(xticks=[], yticks=[])
    axes[0, column].set_title(f"{CLASSES[truth[row]]}, taken for\n{CLASSES[predicted[row]]}", fontsize=9)  # fmt: skip
    colours = np.full(10, plotting.GREY, object)
    colours[predicted[row]], colours[truth[row]] = plotting.COLOURS[1], plotting.COLOURS[0]
    axes[1, column].barh(CLASSES, scores[row], color=list(colours))
    axes[1, column].set(xlim=(0, 1), xlabel="score")
    axes[1, column].invert_yaxis()
    axes[1, column].tick_params(labelsize=8, labelleft=column == 0)
figure.suptitle("Six errors of which the network is sure (blue: true class, orange: predicted)")
listed = "; ".join(f"{CLASSES[truth[row]]} taken for {CLASSES[predicted[row]]} with score {scores[row].max():.2f}" for row in chosen)  # fmt: skip
plotting.show(f"Six wrongly classified pictures with bars of their ten class scores: {listed}.", figure)  # fmt: skip
sure = scores.max(axis=1) > 0.9
print(f"where the highest score is above 0.9, {np.mean(predicted[sure] == truth[sure]):.1%} of {sure.sum()} pictures are right")  # fmt: skip

# %%
check.quiz("12.1-q2")

# %% [markdown] tags=["answer"]
r"""
**Why these?** Nearly all confusions stay among the animals or among the vehicles: cat and dog, deer and horse, car and lorry, aeroplane and ship. The two of a pair share what a small network sees best: colours and their places (sky or water above and below, meadow around brown fur), the coarse outline, and texture.
They differ in details of a few pixels: a muzzle, ears, a bow. The sure errors are often pictures with the *surroundings* of another class, or with an unusual view. A softmax score says how much more a class is supported than the nine others by what the network looks at. It does not say that this is a good reason. And sometimes the network is right: about one test label in two hundred is wrong, among the photographs there is a plain green frog labelled as a cat.
"""

# %% [markdown]
r"""
### The filters of the first layer

The weights of the first layer act on colours, so they can be shown as small pictures. Weights have signs: let grey (0.5) be zero, brighter positive, darker negative. The filters differ in strength, so each has to have its own scale; one scale for its three colours, or its hue is lost.

**Your task.** Turn the kernel of a convolution into pictures with values from 0 to 1.
"""


# %% task="12.1e" points=1 covers="E12.1/4"
def filter_images(kernel):
    """Pictures of the filters, (filters, height, width, 3): 0.5 + w / (2 * largest |w| of this filter).

    kernel: (height, width, 3, filters), as Keras keeps it.
    """
    ### BEGIN SOLUTION
    filters = np.moveaxis(kernel, -1, 0)
    strength = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    return 0.5 + filters / (2 * strength)
    ### END SOLUTION


# %% check="12.1e"
check("12.1e", filter_images)

# %%
filter_images = check.catch_up("12.1e", filter_images)
first = next(layer for layer in cnn.layers if isinstance(layer, layers.Conv2D))
filters = filter_images(first.get_weights()[0])
plotting.image_row(
    filters,
    range(len(filters)),
    title="Filters of the first layer: coarse edges, spots and colours, still noisy",
)
colour = np.mean((filters - filters.mean(axis=-1, keepdims=True)) ** 2, axis=(1, 2, 3))
grey = np.mean((filters.mean(axis=-1) - 0.5) ** 2, axis=(1, 2))
print(f"{np.sum(colour > grey)} of {len(filters)} filters weigh colours against each other, the others look at brightness")  # fmt: skip

# %%
check.quiz("12.1-q3")

# %% [markdown]
r"""
### The activations of the first two layers

**Your task.** Return what named layers of a model make of given pictures. A second `keras.Model` with the same input and these layers as outputs shares the weights and trains nothing. Mind the mode: batch normalisation must use its moving averages, as in `predict`.
"""


# %% task="12.1f" points=2 covers="E12.1/5"
def feature_maps(model, pictures, names):
    """Outputs of the layers called ``names``, a list of arrays (n, height, width, maps) in this order.

    model: a Keras model; pictures: (n, height, width, colours); names: list of layer names.
    """
    ### BEGIN SOLUTION
    outputs = [model.get_layer(name).output for name in names]
    inner = keras.Model(model.inputs[0], outputs)
    return [np.asarray(maps) for maps in inner(pictures, training=False)]
    ### END SOLUTION


# %% check="12.1f"
check("12.1f", feature_maps)

# %%
feature_maps = check.catch_up("12.1f", feature_maps)
names = finished_maps(cnn)[:2]
right = np.flatnonzero(~wrong & (scores.max(axis=1) > 0.9))
two = [next((row for row in right if truth[row] == k), np.flatnonzero(truth == k)[0]) for k in (8, 7)]  # fmt: skip
both = feature_maps(cnn, x_test[two], names)
for number, row in enumerate(two):
    figure, axes = plt.subplots(4, 9, figsize=(10, 4.9))
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    axes[0, 0].imshow(x_test[row])
    axes[0, 0].set_title(CLASSES[truth[row]], fontsize=9)
    for axis in axes[1:, 0]:
        axis.axis("off")
    for top, maps, word in zip((0, 2), both, ("first layer", "second layer"), strict=True):
        for index, axis in enumerate(axes[top : top + 2, 1:].flat):
            axis.imshow(maps[number, :, :, index], cmap="viridis", vmin=0)
        axes[top, 1].set_title(word, fontsize=9, loc="left")
    figure.suptitle(f"{CLASSES[truth[row]]}: outlines and surfaces first, then places of patterns")
    plotting.show(
        f"A picture of the class {CLASSES[truth[row]]} and 16 feature maps each of the first layer ({both[0].shape[1]} x {both[0].shape[2]}) and of the second ({both[1].shape[1]} x {both[1].shape[2]}).",
        figure,
    )
for name, maps in zip(("first", "second"), both, strict=True):
    print(
        f"{name} layer: {np.mean(maps == 0):.0%} of the activations of these two pictures are zero"
    )

# %% [markdown] tags=["answer"]
r"""
**What is to be seen.** In the first layer one recognises the picture in nearly every map: some maps answer to edges of one direction, some to one side of the object, some to a colour of the sky or the ground, as expected from the filters (edges, spots, pairs of complementary colours).
The maps of the second layer are sparser: the ReLU leaves only the places where a combination of first-layer patterns occurs, such as a corner, a stripe, or a border between two textures. The picture as such fades, which is the purpose: a class is a list of what is there, not of pixel values.
With 5 x 5 pixels and three colours the filters are no textbook edges: thousands of steps of training, not millions, leave some noise in them.
"""

# %% tags=["instructor"]
# Timing: (a) 8 min, (b) 8, (c) 6, (d) 6, (e) 6, (f) 8.
# Common mistakes: a softmax and from_logits=True together, one scale for all filters, min-max scaling (then zero is not grey), batch normalisation in training mode.
# Discussion: what is the cheapest change that raises the accuracy? More epochs (0.78 after ten), then reflected pictures as further training data; then width.
for question, answer in [("12.1-q1", 2), ("12.1-q2", 3), ("12.1-q3", 1)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Exercise 12.2: what each layer of a digit network likes best

The weights of later layers act on feature maps, not on pictures, and cannot be looked at. **Activation maximisation** asks instead: which input excites a given feature map most? The weights stay as they are, and the *input* is trained:

$$\tilde x = \arg\max_x\, h(x, \theta), \qquad g = \frac{\partial h}{\partial x}, \qquad x \leftarrow x + \alpha\, g , \tag{12.1-12.3}$$

starting from noise. The objective $h$ may be a single neuron, the mean of a feature map, a whole layer, or a class score.

**Your task.** Build and train a network for digits with at least three convolutions, to at least 98 %. The book's number is for real MNIST; the stand-in comes from 1797 real digits and is judged by its own bar.
Use batch normalisation and ReLU after each convolution as before; you may call `train_cnn` of 12.1b.
"""

# %%
x_train = x_test = None  # the pictures are not needed any more
digits = datasets.load_mnist()
print("handwritten digits" if digits.about.source != "stand-in" else "the stand-in for MNIST")
print(digits)


# %% task="12.2a" points=2 covers="E12.2/1"
def train_digits(x_train, y_train, x_validation, y_validation, epochs):
    """Build a network with at least three Conv2D layers for digits, train it, and return it.

    x: (n, 28, 28, 1), 0 to 1; y: (n,), the digit. Returns the trained Keras model; output (n, 10), class scores from a softmax.
    """
    ### BEGIN SOLUTION
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for maps, size, stride in [(16, 5, 2), (24, 3, 1), (32, 3, 1)]:
        model.add(layers.Conv2D(maps, size, strides=stride, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        if maps == 24:
            model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10, activation="softmax"))
    return train_cnn(model, x_train, y_train, x_validation, y_validation, epochs, [])
    ### END SOLUTION


# %%
digit_cnn = None  # until train_digits is written
began = time.perf_counter()
digit_cnn = train_digits(
    digits.x_train[:N_DIGITS],
    digits.y_train[:N_DIGITS],
    digits.x_validation,
    digits.y_validation,
    DIGIT_EPOCHS,
)

# %% check="12.2a"
check("12.2a", train_digits, result=digit_cnn)

# %%
train_digits = check.catch_up("12.2a", train_digits)
if digit_cnn is None:
    began = time.perf_counter()
    digit_cnn = train_digits(
        digits.x_train[:N_DIGITS],
        digits.y_train[:N_DIGITS],
        digits.x_validation,
        digits.y_validation,
        DIGIT_EPOCHS,
    )
seconds = time.perf_counter() - began
found = digit_cnn.predict(digits.x_test, batch_size=500, verbose=0).argmax(axis=1)
accuracy, error = metrics.accuracy_with_error(found == digits.y_test)
print(f"test accuracy {accuracy:.4f} +- {error:.4f}, {seconds:.0f} s since the training began")
plotting.training_curves(
    digit_cnn.history, metric="accuracy", title="Three epochs suffice for the digits"
)

# %% [markdown]
r"""
### Gradient ascent

The size of a raw gradient says little: the mean of a map hardly depends on one pixel, and deep maps have other scales than early ones. So the gradient of each image is divided by its root mean square over the pixels; then a step of size 1 changes an average pixel by 1, in every layer.
(A sum instead of the mean of the map would change nothing any more.)

In the library the gradient is one call, `autodiff.gradient(f, x)`. What stands behind it, with TensorFlow, is a tape that records what happens to `x`. This cell shows it once; from here on we use the library, which works in the same way.
"""

# %%
import tensorflow as tf

noise = random.normal(size=(1, 28, 28, 1)).astype("float32")
x = tf.convert_to_tensor(noise)
with tf.GradientTape() as tape:
    tape.watch(x)
    score = digit_cnn(x)[:, 3]
by_tape = tape.gradient(score, x)
by_library = autodiff.gradient(lambda x: digit_cnn(x)[:, 3], noise)
print(f"largest difference of the two gradients: {np.abs(by_tape - by_library).max():.1e}")

# %% [markdown]
r"""
**Your task.** Maximise the mean of feature maps. Many images are worked on at once: image $i$ is to excite map `channels[i]`. Record the mean of its map for every image before each step, and once at the end. `autodiff.gradient` sums the entries of the objective first; since each entry depends on its own image only, nothing is mixed.

To select one map per image, `keras.ops.one_hot(channels, number_of_maps)` is handy.
"""


# %% task="12.2b" points=3 covers="E12.2/2"
def maximise(model, channels, start, steps, step_size):
    """Gradient ascent on the mean of feature maps, one map for each image.

    model: images (n, h, w, c) -> maps (n, h', w', k); channels: (n,), which map image i is to excite; start: (n, h, w, c).
    Each step: image + step_size * gradient / root mean square of the gradient of this image.
    Returns the images (n, h, w, c) and the means of the maps before each step and after the last, (steps + 1, n).
    """
    ### BEGIN SOLUTION
    images = keras.ops.convert_to_tensor(start, "float32")
    own = keras.ops.one_hot(channels, model.output_shape[-1])

    def objective(x):
        means = keras.ops.mean(model(x), axis=(1, 2))
        return keras.ops.sum(own * means, axis=1)

    values = [np.asarray(objective(images))]
    for _ in range(steps):
        slope = autodiff.gradient(objective, images)
        size = keras.ops.sqrt(keras.ops.mean(slope**2, axis=(1, 2, 3), keepdims=True))
        images = images + step_size * slope / (size + 1e-12)
        values.append(np.asarray(objective(images)))
    return np.asarray(images), np.stack(values)
    ### END SOLUTION


# %% check="12.2b"
check("12.2b", maximise)

# %% [markdown]
r"""
A map that is silent on its start image has the gradient zero and stays silent (26 of 64 in the official notebook); and a step of size 1 may overshoot a pattern that is there at one place only. So we start three times, from noise of three strengths, each time with the one of 100 images that excites the map most, and keep the best end.
"""

# %%
maximise = check.catch_up("12.2b", maximise)
best, history = {}, {}
for name in finished_maps(digit_cnn):
    inner = keras.Model(digit_cnn.inputs[0], digit_cnn.get_layer(name).output)
    for spread in (1.0, 0.3, 0.1):
        noise = (spread * random.normal(size=(100, 28, 28, 1))).astype("float32")
        start = noise[np.asarray(inner(noise)).mean(axis=(1, 2)).argmax(axis=0)]
        images, values = maximise(inner, np.arange(len(start)), start, STEPS, 1.0)
        if name not in best:
            best[name], history[name] = images.copy(), values.copy()
        better = values[-1] > history[name][-1]
        best[name][better], history[name][:, better] = images[better], values[:, better]

# %%
figure, axes = plt.subplots(1, len(history), figsize=(11, 3.6), sharex=True)
for number, (axis, values) in enumerate(zip(axes, history.values(), strict=True)):
    axis.plot(values, lw=0.9, alpha=0.8)
    axis.set(xlabel="step", title=f"convolution {number + 1}")
axes[0].set(ylabel="mean activation of the map")
figure.suptitle("The activations rise with each step")
plotting.show(
    "Mean activation against step for all maps of the three convolutions: all curves rise, nearly as straight lines after the first steps.",
    figure,
)
dead = {name: int(np.sum(values[-1] == 0)) for name, values in history.items()}
rising = np.concatenate([values[-1] > 2 * values[0] for values in history.values()])
print(f"maps at least twice as active after {STEPS} steps: {rising.mean():.0%} of {len(rising)}; silent to the end: {sum(dead.values())}")  # fmt: skip

# %%
check.claim("E12.2/2", rising.mean(), at_least=0.95, wrong=0.5)

# %% [markdown]
r"""
Now the images themselves, each on its own grey scale: after fifty steps of size 1 the values lie far outside the range of real digits. What counts is the pattern.
"""

# %%
messages = ["strokes and edges of one direction", "stripes in more directions, and grids", "mixtures of short strokes, some at one height of the image only"]  # fmt: skip
for number, images in enumerate(best.values()):
    low, high = images.min(axis=(1, 2, 3), keepdims=True), images.max(axis=(1, 2, 3), keepdims=True)
    plotting.image_row(
        (images - low) / (high - low),
        [f"map {k}" for k in range(len(images))],
        title=f"Convolution {number + 1}: {messages[min(number, 2)]}",
    )

# %% [markdown]
r"""
### How far does a neuron see?

A neuron of the first layer sees as many pixels as its filter has. In later layers the field grows, and faster after each stride or pooling: with kernels $k_l$ and strides $s_l$ (a pooling counts as a layer with both) the **receptive field** after layer $l$ is

$$r_l = r_{l-1} + (k_l - 1) \prod_{m<l} s_m, \qquad r_0 = 1 .$$

**Your task.** Return the receptive field after each layer.
"""


# %% task="12.2c" points=1 covers="E12.2/3"
def receptive_field(kernels, strides):
    """Width of the receptive field in pixels of the input, after each layer; whole numbers, (layers,).

    kernels, strides: lists of whole numbers, one entry a layer.
    """
    ### BEGIN SOLUTION
    jump = np.cumprod([1, *strides[:-1]])
    growth = (np.array(kernels) - 1) * jump
    return 1 + np.cumsum(growth)
    ### END SOLUTION


# %% check="12.2c"
check("12.2c", receptive_field)

# %% [markdown]
r"""
The network can be asked as well: a neuron in the middle of a map depends on the pixels of its receptive field and on no others. The gradient of its activation tells which.
"""

# %%
receptive_field = check.catch_up("12.2c", receptive_field)
kernels, strides, ends = [], [], []
for layer in digit_cnn.layers:
    if isinstance(layer, (layers.Conv2D, layers.MaxPooling2D)):
        kernels.append(layer.kernel_size[0] if isinstance(layer, layers.Conv2D) else layer.pool_size[0])  # fmt: skip
        strides.append(layer.strides[0])
        if isinstance(layer, layers.Conv2D):
            ends.append(len(kernels) - 1)
fields = receptive_field(kernels, strides)[ends]
samples = digits.x_test[:64] + random.normal(size=(64, 28, 28, 1)).astype("float32")
measured = []
for name in finished_maps(digit_cnn):
    inner = keras.Model(digit_cnn.inputs[0], digit_cnn.get_layer(name).output)
    middle = inner.output_shape[1] // 2
    slope = autodiff.gradient(lambda x: inner(x)[:, middle, middle], samples)  # noqa: B023 - called at once
    columns = np.flatnonzero(np.abs(slope).max(axis=(0, 1, 3)))
    measured.append(columns.max() - columns.min() + 1)
print("receptive field computed:", *fields, " measured by gradients:", *measured)
check.claim("E12.2/3", np.array(measured) / fields, np.ones(len(fields)), tolerance=0, wrong=np.array([5, 7, 9]) / fields)  # fmt: skip

# %%
check.quiz("12.2-q1")

# %%
check.quiz("12.2-q2")

# %% [markdown] tags=["answer"]
r"""
**What each layer sees.** The first convolution has a window of 5 x 5 pixels: its images are stripes and dots of a few pixels' width in one direction each, repeated over the whole image, since the mean of the map rewards every place alike. Dots on a regular grid, every second pixel, are the work of the stride of 2: the filter looks at every second place only, and the ascent fills just these.
The second convolution sees 9 x 9 pixels and combines these: longer and bent stripes, crossings, a thick stroke beside a thin one. The third sees 19 x 19 pixels, two thirds of the image, and its patterns are mixtures of short strokes in several directions; some appear only in the upper or the lower part of the image, where the border helps to tell the place. They are hard to name: one map serves several digits, and a digit is a combination of several maps.
None of the images is a digit, and none need be one: nothing in the objective asks for an input like the training data. What excites a map most is not what usually excites it.
"""

# %% tags=["instructor"]
# Timing: (a) 10 min, (b) 15, (c) 6.
# Common mistakes: the raw gradient with step 1 (nothing moves), one root mean square for all images, descent, the mean over the maps instead of one map.
# Ask: why does the objective use the map after the ReLU? Before it the mean of a first-layer map is linear in the image, and its gradient is the same in every pixel: a uniform image.
# With one image of noise of spread 1 for each map, 4 or 5 of the 32 maps of the third convolution stay silent.
for question, answer in [("12.2-q1", 2), ("12.2-q2", 4)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Exercise 12.3: where in the lattice is the phase decided?

The network of exercise 8.1 averages each of its last feature maps over the lattice and adds them up with weights:

$$u_c = \frac{1}{n_\mathrm{pix}} \sum_i h_{i,c}, \qquad s = \sum_c W_c\, u_c + b, \tag{12.6, 12.7}$$

and a sigmoid makes the logit $s$ the probability of the ferromagnetic phase (for several classes: a softmax, (12.8)). All these steps are linear, so the average can be taken last as well. Without it one has a map,

$$M_i = \sum_c W_c\, h_{i,c} + b ,$$

the **class activation map**. It says at each place what this place contributes to the logit: positive for ferromagnetic, negative for paramagnetic.
"""

# %%
digits = samples = None  # nor are the digits
cnn_ising = check.trained("8.1")
sample = ising.simulate(N_LATTICES, seed=check.seed)
lattices = sample.spins[..., np.newaxis].astype("float32")
phase = (sample.temperature < ising.LABEL_TEMPERATURE).astype(int)
probability = cnn_ising.predict(lattices, batch_size=500, verbose=0)[:, 0]
near = np.abs(sample.temperature - ising.LABEL_TEMPERATURE) < 0.25
accuracy, error = metrics.accuracy_with_error((probability > 0.5) == phase)
print(f"accuracy {accuracy:.4f} +- {error:.4f} on new lattices, {np.mean((probability > 0.5)[near] == phase[near]):.3f} close to the critical temperature")  # fmt: skip

# %% [markdown]
r"""
**Your task.** Among the lattices whose temperature lies within `window` of the critical temperature choose two rightly and two wrongly classified ones, one ferromagnetic and one paramagnetic lattice each: those of which the network is surest.
"""


# %% task="12.3a" points=1 covers="E12.3/1"
def choose_lattices(probability, phase, distance, window):
    """Two rightly and two wrongly classified lattices near the critical temperature, those with the surest output.

    probability: (n,), of the ferromagnetic phase; phase: (n,), 1 ferromagnetic, 0 paramagnetic; distance: (n,), T - T_c with its sign;
    only |distance| <= window counts. Returns four row numbers: right with phase 1, right with phase 0, wrong with phase 1, wrong with phase 0.
    """
    ### BEGIN SOLUTION
    called = (probability > 0.5).astype(int)
    surest = np.argsort(-np.abs(probability - 0.5), kind="stable")
    surest = surest[np.abs(distance[surest]) <= window]
    kinds = [(True, 1), (True, 0), (False, 1), (False, 0)]
    right = called == phase
    return np.array([surest[(right[surest] == ok) & (phase[surest] == p)][0] for ok, p in kinds])
    ### END SOLUTION


# %% check="12.3a"
check("12.3a", choose_lattices)

# %% [markdown]
r"""
**Your task.** Take from a network that ends with convolution, global average and one output what is needed: its last feature maps for given lattices, and the weights and the bias of the output.
"""


# %% task="12.3b" points=2 covers="E12.3/2"
def maps_and_weights(model, lattices):
    """Feature maps that enter the global average, weights of the output, and its bias.

    model: ..., GlobalAveragePooling2D, Dense(1); lattices: (n, L, L, 1). Returns maps (n, h, w, k), weights (k,), and a number.
    """
    ### BEGIN SOLUTION
    pooling, output = model.layers[-2:]
    last_maps = keras.Model(model.inputs[0], pooling.input)
    weights, bias = output.get_weights()
    return np.asarray(last_maps(lattices, training=False)), weights[:, 0], float(bias[0])
    ### END SOLUTION


# %% check="12.3b"
check("12.3b", maps_and_weights)

# %% [markdown]
r"""
**Your task.** Compute the class activation map from the feature maps, the weights and the bias.
"""


# %% task="12.3c" points=1 covers="E12.3/3"
def class_activation_map(maps, weights, bias):
    """Contribution of each place to the logit, (n, h, w).

    maps: (n, h, w, k); weights: (k,); bias: a number.
    """
    ### BEGIN SOLUTION
    return np.tensordot(maps, weights, axes=1) + bias
    ### END SOLUTION


# %% check="12.3c"
check("12.3c", class_activation_map)

# %% [markdown]
r"""
The map accounts for the whole decision: its mean over the lattice is the logit. This is **completeness**, and few methods of explanation have it. To see it, we compare with the logit that Keras computes when the sigmoid is left out.
"""

# %%
choose_lattices = check.catch_up("12.3a", choose_lattices)
maps_and_weights = check.catch_up("12.3b", maps_and_weights)
class_activation_map = check.catch_up("12.3c", class_activation_map)
chosen = choose_lattices(probability, phase, sample.temperature - ising.LABEL_TEMPERATURE, 0.25)
some = np.concatenate([chosen, np.flatnonzero(near)[:300]])
activation = class_activation_map(*maps_and_weights(cnn_ising, lattices[some]))

without_sigmoid = layers.Dense(1)
logit_model = keras.Model(cnn_ising.inputs[0], without_sigmoid(cnn_ising.layers[-1].input))
without_sigmoid.set_weights(cnn_ising.layers[-1].get_weights())
logit = np.asarray(logit_model(lattices[some]))[:, 0]
difference = np.abs(activation.mean(axis=(1, 2), dtype=float) - logit)
print(f"largest difference between the mean of a map and its logit: {difference.max():.1e}; logits from {logit.min():.1f} to {logit.max():.1f}")  # fmt: skip
check.claim("E12.3/3", difference.max(), 0, tolerance=1e-5, wrong=abs(without_sigmoid.get_weights()[1][0]))  # fmt: skip

# %% [markdown]
r"""
### Beside the lattice

What could such a map show? The optimal classifier looks at the energy, a sum over bonds. So we draw a third column: the local energy, half the sum of the four bonds of each site, averaged over the neighbourhood of 6 x 6 spins around each pixel of the map. White is the cut of the optimal classifier, -1.467.
"""

# %%


def local_energy(spins):
    """Energy of each site in units of J: half of its four bonds, (n, L, L)."""
    return -0.5 * spins * sum(np.roll(spins, s, axis) for s in (-1, 1) for axis in (1, 2))


def coarse(values, size):
    """Means over the 6 x 6 sites around each pixel of a map of the given size; the lattice is a torus."""
    block = values.shape[1] // size
    blocks = values.reshape(len(values), size, block, size, block).mean(axis=(2, 4))
    return sum(np.roll(blocks, (i, j), axis=(1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9


spins = lattices[some, ..., 0]
energy = coarse(local_energy(spins), activation.shape[1])
order = np.abs(coarse(spins, activation.shape[1]))
enlarged = keras.ops.image.resize(activation[:4, ..., np.newaxis], (32, 32))[..., 0]
words = ["right", "right", "wrong", "wrong"]
scale = np.abs(activation[:4]).max()
figure, axes = plt.subplots(3, 4, figsize=(10, 7.6), constrained_layout=True)
for column, row in enumerate(chosen):
    name = "ferromagnetic" if phase[row] else "paramagnetic"
    title = f"{name}, $T$ = {sample.temperature[row]:.1f}: {words[column]}\nscore {probability[row]:.2f}, logit {logit[column]:+.1f}"  # fmt: skip
    axes[0, column].imshow(spins[column], cmap="Greys", vmin=-1.4, vmax=1.4)
    axes[0, column].set_title(title, fontsize=9)
    shown_map = axes[1, column].imshow(enlarged[column], cmap="RdBu_r", vmin=-scale, vmax=scale)
    shown_energy = axes[2, column].imshow(energy[column], cmap="RdBu", vmin=-2.167, vmax=-0.767)
    for axis in axes[:, column]:
        axis.set(xticks=[], yticks=[])
for row, label in enumerate(["spins", "class activation map", "local energy"]):
    axes[row, 0].set_ylabel(label)
figure.colorbar(shown_map, ax=axes[1], label="contribution to the logit")
figure.colorbar(shown_energy, ax=axes[2], label="energy per spin ($J$)")
figure.suptitle("Calm domains vote ferromagnetic, walls and small clusters vote paramagnetic")
plotting.show(
    "Four lattices near the critical temperature with their class activation maps and their local energy: red regions of the maps are the insides of domains, where the local energy is low; blue regions are walls and clusters, where it is high.",
    figure,
)


def correlation(first, second):
    """Linear correlation coefficient of two sets of maps, pixel by pixel."""
    return np.corrcoef(first.ravel(), second.ravel())[0, 1]


print(f"correlation of the class activation map with the local energy:       {correlation(activation, energy):+.3f}")  # fmt: skip
print(f"correlation of the class activation map with the local order |<s>|:  {correlation(activation, order):+.3f}")  # fmt: skip

# %%
check.quiz("12.3-q1")

# %%
check.quiz("12.3-q2")

# %% [markdown] tags=["answer"]
r"""
**Which regions decide?** Insides of domains, of spins up and of spins down alike, count for the ferromagnetic phase; domain walls, small clusters and single flipped spins count for the paramagnetic phase. Pixel by pixel the map follows the local energy, more closely than the local order: at a straight wall between two large domains the order vanishes, but only the bonds across it cost energy.
The wrongly classified lattices are no failure of the eye: the paramagnetic one has an energy as low as lattices below $T_c$ usually have, the ferromagnetic one is as full of clusters as a warm one. On 32 x 32 spins the energies of the two sides of $T_c$ overlap, and the optimal classifier errs there as well.

The map cannot say *why* a calm region is a sign of low temperature. It says where the network takes its decision from; that this is the energy is our conclusion, from comparing the two.
"""

# %% tags=["instructor"]
# Timing: (a) 8 min, (b) 8, (c) 4, reading the figure 10.
# Common mistakes: the mean of the map plus the bias again, the bias divided among the pixels (then the mean misses it), maps before the ReLU or of the wrong layer, the probability in place of the logit.
# A map shown between its own minimum and maximum always has red and blue regions, even where the network is certain: compare maps on one scale, with zero in the middle.
for question, answer in [("12.3-q1", 3), ("12.3-q2", 1)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Multiplications decide how long a training takes; early strides, normalisation and a learning rate that rises and falls bring 70 % within a minute or so.
- A confusion matrix shows what a network cannot tell apart; sure errors show what it looks at instead.
- Filters of the first layer can be looked at. For deeper layers ask which input excites them: normalised gradient ascent from noise.
- What maximises a map is not what usually excites it; and the receptive field bounds what it can see.
- A class activation map is complete: its mean is the logit. It needs a global average directly before the output.
- Compare an explanation with what physics expects, and with numbers, not by eye alone.
"""

# %%
check.summary()
