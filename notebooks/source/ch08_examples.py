# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 8, title: "Convolutional networks: one operation at a time", level: 2, minutes: 75, sections: "8.1-8.4", data: [ising], fast: {EPOCHS_UNET: 8}}
# ---
# %% [markdown]
r"""
# Convolutional networks: one operation at a time

**You will**

- compute a convolution by hand, with loops, as a matrix product, and with Keras, and get the same numbers;
- predict the size of every feature map, and measure how far a network sees;
- take Inception, separable and transposed convolutions, ResNet, DenseNet and U-Net apart into steps that can be counted and verified.

**You need** NumPy slices, `keras.Sequential`, and the first pages of chapter 8. **Time:** about 75 minutes, in any order; the cells run in well under a minute.

**You will see** small pictures with numbers in them rather than large trainings. Each section ends with a claim that the notebook verifies.

In notebooks of their own: the band-gap map of example 8.6 and the detectors and microscopes of examples 8.8 to 8.11 (`ch08_images`), and convolutions on
hexagonal grids (section 8.5, `ch08_hexagonal`).
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.layers import LocallyConnected2D, PeriodicPadding2D
from dlphys.simulators import ising

check = checks.start("ch08_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_NEAR = 3_400  # Ising lattices near the critical temperature, a quarter of them for training
EPOCHS = 15  # for them
N_CATS = 200  # pictures in which the cat is to be found
N_EVENTS = 600  # pictures of tracks for the U-Net
EPOCHS_UNET = 12

# %% [markdown]
r"""
## Section 8.1.1: a convolution by hand

Place the filter on a patch of the image, multiply entry by entry, add everything up, add the bias. Then move on by one pixel:

$$x'_{ij} = \sum_{k,l} W_{kl}\, x_{i+k,\,j+l} + b. \tag{8.1}$$

*A convention.* Mathematicians turn the filter by 180 degrees first and call *this* operation a cross-correlation. For a network it makes no difference, since
the filter is learnt. For numbers to compare it does.

**Your task.** Write the convolution of an image with one filter, without padding: an image of 7 x 7 and a filter of 3 x 3 give a map of 5 x 5.
"""


# %% task="M8.7a" points=2
def convolve(image, kernel, bias):
    """Convolution (8.1) without padding and with stride 1.

    image: (height, width); kernel: (rows, columns); bias: a number.
    Returns an array (height - rows + 1, width - columns + 1).
    """
    ### BEGIN SOLUTION
    rows, columns = kernel.shape
    height, width = image.shape[0] - rows + 1, image.shape[1] - columns + 1
    result = np.empty((height, width))
    for i in range(height):
        for j in range(width):
            result[i, j] = (kernel * image[i : i + rows, j : j + columns]).sum() + bias
    return result
    ### END SOLUTION


# %% check="M8.7a"
check("M8.7a", convolve)

# %% [markdown]
r"""
Now the worked example of Fig. 8.2: this patch, this filter, the bias $-1$. The sum of the nine products is 26, with the bias 25, and ReLU leaves it as it is.
"""

# %%
convolve = check.catch_up("M8.7a", convolve)
patch = np.array([[-1, 0, 2], [0, 0, 3], [0, -5, 2]])
kernel = np.array([[3, 1, 0], [4, 0, 2], [2, -3, 4]])

figure, axes = plt.subplots(1, 3, figsize=(8.5, 3))
for axis, matrix, title in zip(
    axes, [patch, kernel, patch * kernel], ["patch", "filter", "products"], strict=True
):
    axis.imshow(matrix, cmap="RdBu", vmin=-30, vmax=30)
    for (i, j), value in np.ndenumerate(matrix):
        axis.text(j, i, value, ha="center", va="center", color=plotting.INK, fontsize=13)
    axis.set(title=title, xticks=[], yticks=[])
figure.suptitle("One pixel of a feature map: nine products, added up: 26, and 25 with the bias")
plotting.show("Patch, filter and their nine products, which add up to 26.", figure)

# %% covers="M8.7"
flipped = convolve(patch, kernel[::-1, ::-1], -1).item()
print(f"with the filter turned by 180 degrees it would be {flipped:g}")
check.claim("M8.7", convolve(patch, kernel, 0).item(), 26, wrong=flipped + 1)
check.claim("M8.7", convolve(patch, kernel, -1).item(), 25, wrong=flipped)

# %% [markdown]
r"""
### The same as a matrix (Fig. 8.5)

A convolution is a linear map, so it is a matrix. For a trace of five samples, padded by one zero on each side, and a filter $(w_1, w_2, w_3)$ it is the
5 x 7 matrix below: a band of three numbers, shifted by one from row to row. A dense layer would have 35 weights there. The band is *locality*, the
repetition is *weight sharing*.
"""

# %%
w = np.array([1.0, -2.0, 3.0])
band = sum(w[k] * np.eye(5, 7, k=k) for k in range(3))
trace = random.normal(size=5)

conv1d = layers.Conv1D(1, 3, padding="same")
conv1d.build((None, 5, 1))
conv1d.set_weights([w.reshape(3, 1, 1), np.zeros(1)])
by_layer = np.asarray(conv1d(trace.reshape(1, 5, 1))).ravel()
by_matrix = band @ np.pad(trace, 1)
turned = band[:, ::-1] @ np.pad(trace, 1)

figure, axis = plt.subplots(figsize=(5.5, 3.6))
axis.imshow(band, cmap="RdBu", vmin=-6, vmax=6)
names = {1.0: "$w_1$", -2.0: "$w_2$", 3.0: "$w_3$", 0.0: "0"}
for (i, j), value in np.ndenumerate(band):
    axis.text(j, i, names[value], ha="center", va="center", color=plotting.INK)
axis.set(
    xlabel="sample of the padded trace",
    ylabel="output",
    title="A convolution is a matrix with a band that repeats",
)
plotting.show("A 5 by 7 matrix with w1, w2, w3 along a diagonal band and zeros elsewhere.", figure)

# %% covers="M8.7"
print(f"free parameters: {conv1d.count_params() - 1} instead of {band.size}")
check.claim(
    "M8.7", np.abs(by_layer - by_matrix).max(), at_most=1e-5, wrong=np.abs(turned - by_matrix).max()
)
check.claim("M8.7", conv1d.count_params() - 1, 3, wrong=band.size)

# %% [markdown]
r"""
## Examples 8.1 and 8.2: sharing parameters, counting parameters

**Example 8.1.** A filter as large as the image can stand at one place only. Nothing is shared then, and the convolution is a dense layer: one node for each filter.
We copy the weights of one into the other and compare.
"""

# %% covers="X8.1"
images = random.normal(size=(20, 8, 8, 3)).astype("float32")
whole = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(5, (8, 8)), layers.Flatten()])
dense = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(5)])
weights, biases = whole.get_weights()
dense.set_weights([weights.reshape(-1, 5), biases])
difference = np.abs(whole(images) - dense(images)).max()
dense.set_weights(
    [weights.transpose(1, 0, 2, 3).reshape(-1, 5), biases]
)  # rows and columns exchanged
check.claim("X8.1", difference, at_most=1e-4, wrong=np.abs(whole(images) - dense(images)).max())

# %% [markdown]
r"""
**Example 8.2.** Two filters of 3 x 3 on a picture with three colours,

$$Y'_{ijf} = \sigma\Big(\sum_{k=-1}^{1}\sum_{l=-1}^{1}\sum_{c=1}^{3} W_{klcf}\, X_{i+k,\,j+l,\,c} + b_f\Big), \tag{8.3}$$

have $2\cdot(27+1)$ parameters. A dense layer with two nodes on 32 x 32 pixels has a weight for every pixel and colour. Each filter reaches over *all* channels: that is
the factor $n_c$ in (8.4), and the first thing that is forgotten.
"""

# %% covers="X8.2"
counts = {}
for size in [32, 64, 128]:
    conv, dense = layers.Conv2D(2, 3), layers.Dense(2)
    conv.build((None, size, size, 3))
    dense.build((None, size * size * 3))
    counts[size] = (conv.count_params(), dense.count_params())
    print(
        f"{size:4d} x {size:<4d} convolution {conv.count_params():6d}   dense {dense.count_params():8d}"
    )
check.claim("X8.2", counts[32], (56, 6146), wrong=(2 * (9 + 1), 6146))
check.claim("X8.2", counts[128][0], 56, wrong=counts[128][1])

# %% [markdown]
r"""
## Example 8.3: the same filter for every sensor

A detector has sensors on a grid, and each records a signal over time: data of the shape (x, y, t). What a pulse looks like is the same at each sensor,
so let the filter reach over $n_s$ samples in time and over one sensor only: a filter of $1 \times 1 \times n_s$. It is shared by all sensors and by all times,
the same as a `Conv1D` applied to each trace separately.
"""

# %% covers="X8.3"
N_SAMPLES = 10
traces = random.normal(size=(3, 5, 5, 80, 1)).astype("float32")  # 5 x 5 sensors, 80 samples
on_grid = layers.Conv3D(4, (1, 1, N_SAMPLES), activation="relu")
maps = np.asarray(on_grid(traces))
one_trace = layers.Conv1D(4, N_SAMPLES, activation="relu")
shared = layers.TimeDistributed(layers.TimeDistributed(one_trace))  # over x, then over y
shared.build(traces.shape)
weights, biases = on_grid.get_weights()
one_trace.set_weights([weights[0, 0], biases])
difference = np.abs(maps - np.asarray(shared(traces))).max()
one_trace.set_weights([weights[0, 0, ::-1], biases])  # the pulse the wrong way round
backwards = np.abs(maps - np.asarray(shared(traces))).max()
print(f"feature maps {maps.shape}: sensors kept, {80 - N_SAMPLES + 1} times, 4 maps")
check.claim("X8.3", difference, at_most=1e-5, wrong=backwards)
check.claim("X8.3", on_grid.count_params(), N_SAMPLES * 4 + 4, wrong=25 * (N_SAMPLES * 4 + 4))

# %% [markdown]
r"""
## Section 8.1.4: padding, stride, dilation, pooling

Four ways to steer the size of a feature map. With $n$ pixels, a filter of $k$, a stride $s$, a padding of $p$ zeros on each side, and a dilation $d$ (the distance of
neighbouring filter entries), the filter covers $d(k-1)+1$ pixels. It starts at the first pixel and takes steps of $s$ as long as it fits.

*A trap.* The book's dilation rate counts the holes: its "1" is `dilation_rate=2` in Keras, where 1 means no holes. Fig. 8.3(c), from 7 x 7 to 3 x 3 with a 3 x 3 filter,
tells which is meant.

**Your task.** Return the number of output pixels along one axis.
"""


# %% task="M8.1a" points=1
def output_size(size, kernel, stride, padding, dilation):
    """Output pixels of a convolution along one axis; all arguments are whole numbers, dilation 1 means no holes.

    padding: zeros on each side. Returns an int.
    """
    ### BEGIN SOLUTION
    covered = dilation * (kernel - 1) + 1
    return (size + 2 * padding - covered) // stride + 1
    ### END SOLUTION


# %% check="M8.1a"
check("M8.1a", output_size)

# %%
output_size = check.catch_up("M8.1a", output_size)
image = random.normal(size=(1, 7, 7, 1)).astype("float32")
cases = {
    "no padding": ({}, 1, 0, 1),
    "zero padding ('same')": ({"padding": "same"}, 1, 1, 1),
    "stride 2": ({"strides": 2}, 2, 0, 1),
    "dilation_rate=2 (one hole)": ({"dilation_rate": 2}, 1, 0, 2),
}
sizes = {}
for name, (options, stride, padding, dilation) in cases.items():
    sizes[name] = layers.Conv2D(1, 3, **options)(image).shape[1]
    print(
        f"{name:28s} 7 -> {sizes[name]} in Keras, {output_size(7, 3, stride, padding, dilation)} by the formula"
    )

# %% [markdown]
r"""
*Pooling* replaces each patch by its largest entry or by its mean. It has no parameters. The largest entry does not notice when a signal moves inside the patch.
"""

# %%
numbers = np.array(
    [[3, 1, 2, 0], [3, 5, 9, 3], [4, 1, -1, 2], [2, 3, 1, 2]], dtype="float32"
).reshape(1, 4, 4, 1)
largest = np.asarray(layers.MaxPooling2D(2)(numbers))[0, :, :, 0]
mean = np.asarray(layers.AveragePooling2D(2)(numbers))[0, :, :, 0]
print(
    "max pooling\n",
    largest,
    "\naverage pooling\n",
    mean,
    "\nglobal average pooling\n",
    layers.GlobalAveragePooling2D()(numbers).numpy(),
)

# %% covers="M8.1"
literal = layers.Conv2D(1, 3, dilation_rate=1)(image).shape[1]
print(f"the book's 'dilation rate 1', typed into Keras as it is, gives {literal} x {literal}")
check.claim("M8.1", list(sizes.values()), [5, 7, 3, 3], wrong=[5, 7, 3, literal])
check.claim(
    "M8.1",
    [output_size(7, 3, *case[1:]) for case in cases.values()],
    [5, 7, 3, 3],
    wrong=[4, 6, 2, 2],
)
check.claim("M8.1", largest, [[5, 9], [4, 2]], wrong=mean)
check.claim("M8.1", mean, [[3, 3.5], [2.5, 1]], wrong=largest)

# %% [markdown]
r"""
## Section 8.1.5: how far does a network see?

After one 3 x 3 convolution a pixel knows its direct neighbours, after two the neighbours of its neighbours. The part of the input on which one output pixel depends
is its **receptive field**. It need not be believed, it can be measured: the derivative of the output pixel by an input pixel is zero outside.

**Your task.** Predict its width for a chain of convolutions with filters $k_1, k_2, \dots$ and strides $s_1, s_2, \dots$. Each layer widens the field by
$k_l - 1$ steps, and a step in layer $l$ is as long as the product of all strides *before* it:

$$r = 1 + \sum_l (k_l - 1) \prod_{m<l} s_m .$$
"""


# %% task="M8.2a" points=2
def receptive_field(kernels, strides):
    """Width of the receptive field, in input pixels, of one output pixel of a chain of convolutions.

    kernels, strides: lists of whole numbers, one for each layer, the first layer first. Returns an int.
    """
    ### BEGIN SOLUTION
    width, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        width += (kernel - 1) * step
        step *= stride
    return width
    ### END SOLUTION


# %% check="M8.2a"
check("M8.2a", receptive_field)

# %%
receptive_field = check.catch_up("M8.2a", receptive_field)


def sensitivity(kernels, strides, size=33):
    """Derivative of one output pixel by every input pixel, for convolutions with weights that do not cancel."""
    stack = [
        layers.Conv2D(1, k, s, kernel_initializer="ones")
        for k, s in zip(kernels, strides, strict=True)
    ]
    model = keras.Sequential([keras.Input((size, size, 1)), *stack])
    middle = model.output_shape[1] // 2
    slope = autodiff.gradient(
        lambda x: model(x)[:, middle, middle, 0], np.zeros((1, size, size, 1), "float32")
    )
    return np.asarray(slope)[0, :, :, 0]


networks = {
    "one layer": ([3], [1]),
    "two layers": ([3, 3], [1, 1]),
    "three layers": ([3, 3, 3], [1, 1, 1]),
    "three layers, strides 2, 2, 1": ([3, 3, 3], [2, 2, 1]),
}
measured = {}
figure, axes = plt.subplots(1, 4, figsize=(11, 3.7))
for axis, (name, (kernels, strides)) in zip(axes, networks.items(), strict=True):
    slope = sensitivity(kernels, strides)
    measured[name] = int(np.count_nonzero(slope.any(axis=0)))
    axis.imshow(np.where(slope == 0, np.nan, slope / slope.max()), cmap="viridis", vmin=0, vmax=1)
    axis.set(title=f"{name}\n{measured[name]} pixels wide", xlabel="x (pixels)")
    axis.title.set_fontsize(10)
axes[0].set_ylabel("y (pixels)")
figure.suptitle("Each layer sees further; strides make it see much further")
plotting.show(
    f"Receptive fields measured by gradients, of widths {list(measured.values())} pixels.", figure
)

# %% covers="M8.2"
depths = [1, 2, 3, 4, 5]
widths = [int(np.count_nonzero(sensitivity([3] * n, [1] * n).any(axis=0))) for n in depths]
print(f"{len(depths)} networks of 3 x 3 filters: widths {widths}, which is 2 L + 1")
check.claim("M8.2", widths, [2 * n + 1 for n in depths], wrong=[3 * n for n in depths])
predicted = [receptive_field(*network) for network in networks.values()]
check.claim("M8.2", list(measured.values()), predicted, wrong=[3, 5, 7, 7])

# %% [markdown]
r"""
## Section 8.2: symmetry

**Translation equivariance.** Shift the picture and the feature maps shift with it: conv(shift $x$) = shift conv($x$). On a torus, that is with periodic padding, this holds
exactly. With zero padding it fails at the border. After global average pooling nothing of the shift is left: the output is invariant.
"""

# %%
pictures = random.normal(size=(4, 16, 16, 1)).astype("float32")
shift = {"shift": (3, 5), "axis": (1, 2)}
torus = keras.Sequential(
    [keras.Input((None, None, 1)), PeriodicPadding2D(1), layers.Conv2D(6, 3, activation="relu")]
)
zeros = keras.Sequential(
    [keras.Input((None, None, 1)), layers.Conv2D(6, 3, padding="same", activation="relu")]
)
zeros.set_weights(torus.get_weights())
broken = {}
for name, model in [("periodic padding", torus), ("zero padding", zeros)]:
    moved_input, moved_output = (
        np.asarray(model(np.roll(pictures, **shift))),
        np.roll(np.asarray(model(pictures)), **shift),
    )
    pooled = np.abs(
        moved_input.mean(axis=(1, 2)) - np.asarray(model(pictures)).mean(axis=(1, 2))
    ).max()
    broken[name] = (np.abs(moved_input - moved_output).max(), pooled)
    print(
        f"{name:18s} maps differ by up to {broken[name][0]:.1e}, their averages by {broken[name][1]:.1e}"
    )

# %% covers="M8.3"
check.claim("M8.3", broken["periodic padding"][0], at_most=1e-5, wrong=broken["zero padding"][0])
check.claim("M8.3", broken["periodic padding"][1], at_most=1e-5, wrong=broken["zero padding"][1])

# %% [markdown]
r"""
**Example 8.5: the filter that knows the cat.** Suppose one filter answers to a cat's face. Since it is shared, it answers wherever the face is, and the place of its
largest answer says where. We draw a face of 11 x 11 pixels, take the face itself (with its mean removed) as the filter, hide it in noise, and look.
"""

# %%
y, x = np.mgrid[-5:6, -5:6]
face = ((x**2 + 1.3 * (y - 1) ** 2 < 20) & (x**2 + 1.3 * (y - 1) ** 2 > 11)).astype(
    "float32"
)  # the head
face[(np.abs(np.abs(x) - 3) + np.abs(y + 3) < 2)] = 1  # two ears
face[(np.abs(x) == 2) & (y == 0)] = 1  # two eyes
face[(np.abs(x) < 2) & (y == 3)] = 1  # a mouth

cat_filter = layers.Conv2D(1, 11, use_bias=False)
cat_filter.build((None, 40, 40, 1))
cat_filter.set_weights([(face - face.mean()).reshape(11, 11, 1, 1)])

places = random.integers(0, 30, size=(N_CATS, 2))
scenes = random.normal(0, 0.35, size=(N_CATS, 40, 40, 1)).astype("float32")
for scene, (row, column) in zip(scenes, places, strict=True):
    scene[row : row + 11, column : column + 11, 0] += face
answer = np.asarray(cat_filter(scenes))[..., 0]
found = np.stack(
    np.unravel_index(answer.reshape(N_CATS, -1).argmax(axis=1), answer.shape[1:]), axis=1
)
alone = np.zeros((2, 40, 40, 1), "float32")
alone[0, 2:13, 3:14, 0], alone[1, 25:36, 20:31, 0] = face, face

figure, axes = plt.subplots(2, 3, figsize=(8.5, 6))
for column, (top, bottom) in enumerate(axes.T):
    top.imshow(scenes[column, :, :, 0], cmap="gray")
    bottom.imshow(answer[column], cmap="viridis")
    bottom.plot(*found[column][::-1], "o", ms=14, mfc="none", mec="white", mew=1.5)
    bottom.set(
        xlabel="x (pixels)",
        title=f"cat at {tuple(map(int, places[column]))}, found at {tuple(map(int, found[column]))}",
    )
    bottom.title.set_fontsize(9.5)
axes[0, 0].set_ylabel("picture, y (pixels)")
axes[1, 0].set_ylabel("feature map, y (pixels)")
figure.suptitle("The largest answer of the shared filter says where the cat is (row, column)")
plotting.show(
    "Three noisy pictures with a cat's face, and the feature map of the cat filter with a ring at its largest value.",
    figure,
)

# %% covers="X8.5"
response = np.asarray(cat_filter(alone)).max(axis=(1, 2, 3))
nearby = np.abs(found - places).max(axis=1) <= 1
print(
    f"found to one pixel in {nearby.mean():.1%} of {N_CATS} pictures; by chance it would be {9 / 30**2:.0%}"
)
check.claim("X8.5", response[0] - response[1], 0, tolerance=1e-4, wrong=response[0])
check.claim("X8.5", nearby.mean(), at_least=0.9, wrong=9 / 30**2)

# %% [markdown]
r"""
## Example 8.4: overtraining by Flatten, and its cure

The maps of the last convolution have to become one number. `Flatten` gives each pixel of each map its own weight: 16 384 weights for 16 maps of 32 x 32.
Global average pooling gives one number a map. (Seen as a dense layer, pooling has fixed weights $1/N$ in a block for each map, and connects no map with another:
the book's "diagonal" matrix.)

The data are Ising lattices at the four hardest temperatures of exercise 8.1, two below $T_c$ and two above, where even the optimal classifier errs in about one
case of eleven. From 816 of them, `Flatten` can learn most by heart; it cannot learn by heart the lattices of the test.
"""

# %%
NEAR = [2.1, 2.2, 2.3, 2.4]
data = datasets.load_ising(N_NEAR, seed=check.seed, temperature=NEAR, test=0.7, validation=0.06)


def classifier(head, learning_rate):
    """One convolution of 16 filters, then what is given, then a probability."""
    front = [keras.Input((32, 32, 1)), layers.Conv2D(16, 3, padding="same", activation="relu")]
    model = keras.Sequential([*front, head, layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy", metrics=["accuracy"])
    return model


networks = {
    "Flatten": classifier(layers.Flatten(), 0.002),
    "global average pooling": classifier(layers.GlobalAveragePooling2D(), 0.01),
}
accuracies = {}
for name, model in networks.items():
    model.fit(data.x_train, data.y_train, batch_size=32, epochs=EPOCHS, verbose=0)
    accuracies[name] = [
        metrics.accuracy_with_error((model.predict(x, batch_size=500, verbose=0)[:, 0] > 0.5) == y)
        for x, y in [(data.x_train, data.y_train), (data.x_test, data.y_test)]
    ]
    (train, train_error), (test, test_error) = accuracies[name]
    print(f"{name:24s} {model.count_params():6d} parameters", end=": ")
    print(f"training {train:.3f} +- {train_error:.3f}, test {test:.3f} +- {test_error:.3f}")
print(f"optimal classifier at these temperatures: {ising.bayes_accuracy(NEAR).mean():.3f}")

# %% covers="X8.4"
gap = {name: train[0] - test[0] for name, (train, test) in accuracies.items()}
check.claim("X8.4", gap["Flatten"], at_least=0.06, wrong=gap["global average pooling"])
check.claim("X8.4", gap["global average pooling"], at_most=0.05, wrong=gap["Flatten"])

# %% [markdown]
r"""
## Section 8.4: fewer parameters, other scales

**Point-wise convolutions** have filters of 1 x 1: a dense layer on the channels, the same at each pixel. They are the cheap way to make 16 maps of 64 (a *bottleneck*).
An **Inception** module (Fig. 8.7) lets filters of several sizes work side by side, after bottlenecks, and concatenates their maps. A **separable** convolution (Fig. 8.8) treats
space first, each channel for itself (depth-wise), and mixes the channels afterwards (point-wise), with no activation in between. A **locally-connected** layer keeps the
small filters but shares nothing. Keras 3 has none; `dlphys.layers` has.
"""


# %%
def inception(x):
    """The module of Fig. 8.7: four branches with 16 maps each, concatenated."""

    def conv(x, size):
        return layers.Conv2D(16, size, padding="same", activation="relu")(x)

    return layers.Concatenate()(
        [
            conv(x, 1),
            conv(conv(x, 1), 3),
            conv(conv(x, 1), 5),
            conv(layers.MaxPooling2D(3, strides=1, padding="same")(x), 1),
        ]
    )


def parameters(layer, shape=(None, 28, 28, 64)):
    """Number of parameters of a layer for 64 maps of 28 x 28 pixels."""
    layer.build(shape)
    return layer.count_params()


inputs = keras.Input((28, 28, 64))
module = keras.Model(inputs, inception(inputs))
counts = {
    "1 x 1, 64 to 16 maps (bottleneck)": parameters(layers.Conv2D(16, 1)),
    "5 x 5, 16 to 16 maps, behind it": parameters(layers.Conv2D(16, 5), (None, 28, 28, 16)),
    "5 x 5, 64 to 16 maps, without it": parameters(layers.Conv2D(16, 5)),
    "3 x 3, 64 to 64 maps": parameters(layers.Conv2D(64, 3)),
    "separable 3 x 3, 64 to 64 maps": parameters(layers.SeparableConv2D(64, 3)),
    "locally connected, 14 x 14 pixels": parameters(LocallyConnected2D(64, 3), (None, 14, 14, 64)),
}
for name, number in counts.items():
    print(f"{name:40s} {number:12,d} parameters")
print(
    f"Inception module: {module.output_shape[1:]} out of {module.input_shape[1:]}, {module.count_params()} parameters"
)

# %% covers="M8.4"
pixels = random.normal(size=(2, 6, 6, 64)).astype("float32")
pointwise, on_channels = layers.Conv2D(16, 1), layers.Dense(16)
from_conv, from_dense = pointwise(pixels), on_channels(pixels)
unequal = np.abs(from_conv - from_dense).max()
on_channels.set_weights([pointwise.get_weights()[0][0, 0], pointwise.get_weights()[1]])
check.claim("M8.4", list(counts.values())[:3], [1040, 6416, 25616], wrong=[1024, 6400, 25600])
check.claim("M8.4", list(counts.values())[3:5], [36928, 4736], wrong=[36928, 4736 + 64])
check.claim("M8.4", counts["locally connected, 14 x 14 pixels"], 12 * 12 * 36928, wrong=36928)
check.claim("M8.4", module.output_shape[1:], (28, 28, 64), wrong=(28, 28, 16))
check.claim("M8.4", np.abs(from_conv - on_channels(pixels)).max(), at_most=1e-4, wrong=unequal)

# %%
check.quiz("M8.4-q1")

# %% [markdown]
r"""
### Example 8.7: transposed convolutions

A convolution collects a patch into one pixel. Its transpose spreads one pixel into a patch: filter times pixel value, placed with the stride, overlaps added. A picture
of 2 x 2 with a 3 x 3 filter and stride 2 becomes 5 x 5. Strides enlarge here, and padding is what is cut off from the *output*.

*A trap.* The text of the example speaks of zero padding, Fig. 8.9 of none. The result of 5 x 5 needs `padding="valid"`; `"same"` gives 4 x 4.

*A word.* It is no deconvolution. It undoes the shape of the convolution, not its values; but as a matrix it is the transpose, so that
$\langle \mathrm{conv}\,x,\; y\rangle = \langle x,\; \mathrm{conv}^T y\rangle$, and this is the way in which gradients pass backwards through a convolution.
"""

# %%
small = np.array([[2.0, 1.0], [4.0, 3.0]], "float32").reshape(1, 2, 2, 1)
spread = layers.Conv2DTranspose(1, 3, strides=2, padding="valid", kernel_initializer="ones")
large = np.asarray(spread(small))[0, :, :, 0]
overlap = np.asarray(spread(np.ones((1, 6, 6, 1), "float32")))[0, :, :, 0]

figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.4))
for axis, matrix, title in zip(
    axes,
    [small[0, :, :, 0], large, overlap],
    ["input 2 x 2", "output 5 x 5", "constant input: a chessboard"],
    strict=True,
):
    axis.imshow(matrix, cmap="viridis", vmin=0)
    if matrix.size <= 25:
        for (i, j), value in np.ndenumerate(matrix):
            axis.text(
                j,
                i,
                f"{value:g}",
                ha="center",
                va="center",
                color="white" if value < 0.6 * matrix.max() else "black",
            )
    axis.set(title=title, xlabel="x (pixels)", xticks=range(0, len(matrix), 1 + len(matrix) // 8))
    axis.set(yticks=range(0, len(matrix), 1 + len(matrix) // 8))
figure.suptitle("One pixel becomes a patch; where patches overlap, the output is larger")
plotting.show(
    "A 2 by 2 input, its 5 by 5 transposed convolution, and the chessboard pattern from a constant input.",
    figure,
)

# %% covers="X8.7"
expected = [[2, 2, 3, 1, 1], [2, 2, 3, 1, 1], [6, 6, 10, 4, 4], [4, 4, 7, 3, 3], [4, 4, 7, 3, 3]]
pooled = layers.UpSampling2D((2, 2))(small)
same = layers.Conv2DTranspose(1, 3, strides=2, padding="same", kernel_initializer="ones")(small)
forward = layers.Conv2D(1, 3, strides=2, use_bias=False)
image, target = random.normal(size=(2, 1, 5, 5, 1)).astype("float32")
left = float(np.sum(forward(image) * target[:, :2, :2]))
spread.set_weights([forward.get_weights()[0], np.zeros(1)])
right = float(np.sum(image * spread(target[:, :2, :2])))
print(f"<conv x, y> = {left:.5f}, <x, convT y> = {right:.5f}")
check.claim("X8.7", large, expected, wrong=np.asarray(same)[0, :, :, 0])
check.claim("X8.7", right, left, tolerance=1e-4, wrong=-left)

# %% [markdown]
r"""
The third panel shows where *checkerboard artefacts* come from: with a filter of 3 and a stride of 2 some output pixels collect from four patches, others from one.
`UpSampling2D`, which repeats values, followed by an ordinary convolution, avoids them.

### Shortcuts: ResNet, DenseNet, U-Net

**ResNet** adds the input to the output of a block,
$$y = x + f(x). \tag{8.5}$$
With $f = 0$ the block does nothing, which is a good start; a plain block with zero weights forgets everything. **DenseNet** concatenates: every layer adds $k$ maps to
all earlier ones, so $c_0$ maps become $c_0 + L k$ after $L$ layers, and a point-wise convolution brings the number down again.
"""


# %%
def residual_block(x, last="zeros"):
    """Two convolutions, and the input added: equation (8.5)."""
    maps = x.shape[-1]
    f = layers.Conv2D(maps, 3, padding="same", activation="relu")(x)
    f = layers.Conv2D(maps, 3, padding="same", kernel_initializer=last)(f)
    return layers.Add()([x, f]), f


def dense_block(x, n_layers, growth):
    """Every layer sees the maps of all earlier ones."""
    for _ in range(n_layers):
        new = layers.Conv2D(growth, 3, padding="same", activation="relu")(x)
        x = layers.Concatenate()([x, new])
    return x


inputs = keras.Input((16, 16, 16))
x = inputs
for _ in range(20):
    x, f = residual_block(x)
residual = keras.Model(inputs, [x, f])
grown = [dense_block(inputs, n, growth=12).shape[-1] for n in range(5)]
signal = random.normal(size=(2, 16, 16, 16)).astype("float32")
passed_on, branch = (np.asarray(output) for output in residual(signal))
print(f"maps in a dense block after 0 to 4 layers: {grown}")

# %% covers="M8.5"
check.claim("M8.5", np.abs(passed_on - signal).max(), 0, wrong=np.abs(branch - signal).max())
check.claim("M8.5", grown, [16 + 12 * n for n in range(5)], wrong=[16 * 2**n for n in range(5)])

# %% [markdown]
r"""
A **U-Net** contracts to see context and expands to answer for each pixel. On the way down positions are lost. The shortcuts across the U bring them back: maps of equal size are
concatenated. What they are worth can be measured. In the pictures below a straight track crosses a detector with noise hits, and the network has to mark the pixels
of the track, one by one. We train it with and without the shortcuts.
"""


# %%
def tracks(n, size=16):
    """Pictures (n, size, size, 1) of a straight track among noise hits, and the track's pixels."""
    rows, columns = np.mgrid[:size, :size]
    angle = random.uniform(0, np.pi, size=(n, 1, 1))
    centre = random.uniform(size / 3, 2 * size / 3, size=(n, 2, 1, 1))
    distance = (rows - centre[:, 0]) * np.cos(angle) + (columns - centre[:, 1]) * np.sin(angle)
    track = np.abs(distance) < 0.6
    hits = track | (random.uniform(size=track.shape) < 0.12)
    return hits[..., np.newaxis].astype("float32"), track[..., np.newaxis].astype("float32")


def unet(shortcuts):
    """Two steps down, two up, with or without concatenation of the maps of equal size."""

    def conv(x, maps):
        return layers.Conv2D(maps, 3, padding="same", activation="relu")(x)

    inputs = keras.Input((16, 16, 1))
    down = [conv(inputs, 8)]
    for maps in (16, 32):
        down.append(conv(layers.MaxPooling2D(2)(down[-1]), maps))
    x = down.pop()
    for maps in (16, 8):
        x = layers.Conv2DTranspose(maps, 2, strides=2, activation="relu")(x)
        x = conv(layers.Concatenate()([x, down.pop()]) if shortcuts else x, maps)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


hits, truth = tracks(N_EVENTS)
test_hits, test_truth = tracks(200)
marked, overlap_with_truth = {}, {}
for name, shortcuts in [("with shortcuts", True), ("without shortcuts", False)]:
    keras.utils.set_random_seed(check.seed)
    model = unet(shortcuts)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    model.fit(hits, truth, batch_size=32, epochs=EPOCHS_UNET, verbose=0)
    marked[name] = model.predict(test_hits, batch_size=100, verbose=0) > 0.5
    both, either = marked[name] & (test_truth > 0), marked[name] | (test_truth > 0)
    overlap_with_truth[name] = both.sum() / either.sum()
    print(
        f"{name:18s} {model.count_params():6d} parameters, marked and true pixels overlap by {overlap_with_truth[name]:.3f}"
    )

figure, axes = plt.subplots(2, 4, figsize=(9.5, 5.2))
for row in range(2):
    shown = {"hits": test_hits, "true track": test_truth, **marked}
    for axis, (name, pictures) in zip(axes[row], shown.items(), strict=True):
        axis.imshow(pictures[row, :, :, 0], cmap="gray_r", vmin=0, vmax=1)
        axis.set(title=name if row == 0 else None, xlabel="x (pixels)" if row == 1 else None)
axes[0, 0].set_ylabel("y (pixels)")
axes[1, 0].set_ylabel("y (pixels)")
figure.suptitle("Without the shortcuts the track is found, but not its pixels")
plotting.show(
    "Two events: hits, true track, and the pixels marked by a U-Net with and without shortcuts.",
    figure,
)

# %% covers="M8.5"
gain = overlap_with_truth["with shortcuts"] - overlap_with_truth["without shortcuts"]
check.claim("M8.5", gain, at_least=0.05, wrong=-gain)

# %% tags=["instructor"]
# The overlap is the intersection over the union of marked and true pixels. Two thirds of the time go into the formulae of sizes and receptive fields;
# let students draw the strides on paper first. Frequent mistakes: multiplying by the layer's own stride, counting channels as if they were not summed over,
# and typing the book's dilation rate into Keras. The pooling of example 8.4 is worth a discussion: what would Flatten do with a lattice of 48 x 48?
check.quiz("M8.4-q1", 3)

# %% [markdown]
r"""
## Key points

- A convolution is a matrix product with a band that repeats: local, and with shared weights. Keras does not turn the filter round.
- Output pixels along an axis: $\lfloor (n + 2p - d(k-1) - 1)/s \rfloor + 1$. The book's dilation 1 is Keras' 2.
- Receptive fields grow by $k-1$ steps a layer, and strides lengthen the steps of all layers after them.
- `Flatten` makes large dense layers that learn by heart; global average pooling does not.
- Bottlenecks and separable convolutions save a factor of four to eight of the parameters.
- Transposed convolutions spread pixels over patches; uneven overlaps leave a chessboard.
- Shortcuts pass information on unchanged: through depth (ResNet, DenseNet) or across scales (U-Net).
"""

# %%
check.summary()
