# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 12, title: "Interpretability: eleven methods, and what they are worth", level: 3, minutes: 90, sections: "12.2-12.3", data: [mnist, ising, airshower_energy], fast: {N_DIGITS: 4000, EPOCHS_DIGITS: 4, N_SHOWERS: 1500, EPOCHS_SHOWERS: 4, N_SANITY: 8, COPIES: 2, N_LATTICES: 6}}
# ---
# %% [markdown]
r"""
# Interpretability: eleven methods, and what they are worth

**You will**

- write the instructive part of six methods yourself: signed saliency, layer-wise relevance, unpooling with switches, occlusion, the path integral of integrated gradients, and the exact Shapley value;
- prove each by what it promises: finite differences, conservation, adjointness, completeness, symmetry;
- see all methods side by side on a digit, a lattice of spins and an air shower;
- measure which of them explain the network at all, by making the network forget.

**You need** the chain rule, convolutions (chapter 8), and `ch12_interpretability` for class activation maps and activation maximisation. **Time:** about 90 minutes; the cells run in about a minute.

**You will see** that a map can look convincing and be the same for a network with random weights.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, explain, metrics, plotting
from dlphys.simulators import ising

check = checks.start("ch12_examples")

import math

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy.stats import rankdata

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_DIGITS = 8_000  # images of digits for training
EPOCHS_DIGITS = 6
N_SHOWERS = 5_000  # simulated air showers
EPOCHS_SHOWERS = 8
N_SANITY = 24  # inputs on which the maps of two networks are compared
COPIES = 4  # networks with random weights for this comparison
N_LATTICES = 16  # lattices for the occlusion scan

# %% [markdown]
r"""
## Four networks to look into

- a **dense network** for digits, 784-64-10, small enough to do everything by hand;
- a **CNN** for digits: three convolutions with max pooling, global average pooling, ten outputs;
- the **Ising CNN** of exercise 8.1, which tells ferromagnetic lattices from paramagnetic ones; we show it lattices at $T = 2.2$, a little below the critical temperature 2.27;
- a **shower CNN**, which reads the energy of a cosmic ray, $\lg(E/\mathrm{EeV})$, off the signals of 14 x 14 detector stations. Here the output is a number, not a class: attributions then answer "which station
  makes this shower so energetic?"
"""

# %%
digits = datasets.load_mnist()
x_digits, y_digits = digits.x_test[:1000], digits.y_test[:1000]


def train(model, x, y, loss, epochs):
    """Adam; the learning rate rises at first, lest ReLUs die, and then falls to zero. Returns the model."""
    steps = epochs * math.ceil(len(x) / 32)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-3, steps - steps // 8, warmup_target=1e-2, warmup_steps=steps // 8
    )
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)
    return model


def dense_network():
    """Digits: one hidden layer."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def digit_network():
    """Digits: three convolutions; the classes see the mean of the last feature maps."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(12, 3, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(24, 3, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Conv2D(48, 3, padding="same", activation="relu", name="conv3"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train_digits(model, seed, epochs=EPOCHS_DIGITS):
    """One of the two, from its own random start."""
    keras.utils.set_random_seed(seed)
    labels = digits.y_train[:N_DIGITS]
    return train(
        model(), digits.x_train[:N_DIGITS], labels, "sparse_categorical_crossentropy", epochs
    )


dense, cnn, twin = (
    train_digits(model, check.seed + k)
    for k, model in enumerate([dense_network, digit_network, digit_network])
)
for name, model in [("dense", dense), ("CNN", cnn), ("the same CNN, trained anew", twin)]:
    right = model.predict(x_digits, batch_size=500, verbose=0).argmax(axis=1) == y_digits
    accuracy, error = metrics.accuracy_with_error(right)
    print(
        f"{name:27s} {accuracy:.3f} +- {error:.3f} of the test digits ({digits.about.source}) right"
    )

# %%
showers = datasets.load_airshower_energy(N_SHOWERS, seed=check.seed)
shower_cnn = keras.Sequential(
    [
        keras.Input((14, 14, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu"),
        layers.Conv2D(12, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(1),
    ]
)
train(
    shower_cnn,
    showers.x_train["signal"],
    np.log10(showers.y_train),
    "mean_squared_error",
    EPOCHS_SHOWERS,
)
x_showers = showers.x_test["signal"]
deviation = shower_cnn.predict(x_showers, verbose=0)[:, 0] - np.log10(showers.y_test)
print(
    f"shower CNN: error of lg E {deviation.std():.3f}, spread of lg E {np.log10(showers.y_test).std():.3f}"
)

ising_cnn = check.trained("8.1")
near = ising.simulate(N_LATTICES, size=32, temperature=2.2, seed=check.seed).spins.astype("float32")

# %% [markdown]
r"""
## Example 12.1: signed saliency

How would the score $S_k$ of class $k$ change if a pixel became brighter? The answer is the derivative

$$\vec g_k = \left.\frac{\partial S_k(\vec x, \theta)}{\partial \vec x}\right|_{\vec x_0}, \tag{12.5}$$

taken *before* the softmax: behind it, a score may fall because another class rises. For a dense network with one hidden layer, $\vec z = \vec x W + \vec b$ and $\vec S = \mathrm{ReLU}(\vec z)\, V + \vec c$. A ReLU is a gate: open
($z_j > 0$) it passes the derivative, closed it passes nothing.

**Your task.** Return $\partial S_k/\partial x_i$ for one input, with its sign.
"""


# %% task="X12.1" points=2
def signed_saliency(network, x, k):
    """Derivative of the score of class k by every input, for a network with one hidden ReLU layer.

    network: (W, b, V, c) of shapes (inputs, hidden), (hidden,), (hidden, classes), (classes,); x: (inputs,).
    Returns an array (inputs,).
    """
    ### BEGIN SOLUTION
    w, b, v, _ = network
    gate = x @ w + b > 0
    return w @ (gate * v[:, k])
    ### END SOLUTION


# %% check="X12.1"
check("X12.1", signed_saliency)

# %% [markdown]
r"""
For a CNN nobody wants to write the chain rule out; `autodiff.gradient` does it (a `GradientTape` inside), and `explain.saliency` is that call in batches. We compare your formula with both on the dense network, and the library with finite differences on
the CNN. For these we add a little noise to the digits: on the black ground and inside of a stroke all entries of a pooling window are equal, the maximum has a kink, and *the* derivative does not exist. (What a library gives there is one of
several.)
"""

# %%
signed_saliency = check.catch_up("X12.1", signed_saliency)
sure = np.all(
    [
        m.predict(x_digits, batch_size=500, verbose=0).argmax(axis=1) == y_digits
        for m in (dense, cnn)
    ],
    axis=0,
)  # digits that both networks recognise
w, b, v, c = network = [np.asarray(weights, float) for weights in dense.get_weights()]
few, classes = x_digits[sure][:40], y_digits[sure][:40].astype(int)
by_hand = np.array(
    [
        signed_saliency(network, x.ravel(), k)
        for x, k in zip(few.astype(float), classes, strict=True)
    ]
)
by_library = explain.saliency(dense, few, output=classes).reshape(40, -1)


def score_before_softmax(pixels):
    """Score of the true class of the first digit, in operations that can be differentiated."""
    return ops.matmul(dense.layers[1](pixels), v[:, classes[0]].astype("float32")[:, None])


by_tape = np.asarray(autodiff.gradient(score_before_softmax, few[:1].reshape(1, -1)))[0]
print(f"largest differences: tape and library {np.abs(by_tape - by_library[0]).max():.0e}, formula and library {np.abs(by_hand - by_library).max():.0e}")  # fmt: skip

noisy = few + 0.05 * random.normal(size=few.shape).astype("float32")
slopes = explain.saliency(cnn, noisy, output=classes)
step = 0.0005 * np.sign(slopes)


def rise(change):
    """By how much the scores of the true classes rise if the images change."""
    ends = [explain.scores(cnn, noisy + sign * change, output=classes) for sign in (1, -1)]
    return (ends[0] - ends[1]) / 2


predicted = (slopes * step).sum(axis=(1, 2, 3))
ratio = rise(step) / predicted
turned = rise(np.abs(step)) / predicted  # every pixel brighter, whatever the sign
print(f"rise of the score over g . d: {ratio.mean():.3f} +- {ratio.std():.3f} (40 digits)")
print(f"if all pixels become brighter: {turned.mean():.2f} +- {turned.std():.2f}; the sign matters")

# %% covers="X12.1"
difference = np.abs(by_hand - by_library).max()
check.claim("X12.1", difference, at_most=1e-4, wrong=np.abs(np.abs(by_hand) - by_library).max())
check.claim("X12.1", np.median(ratio), 1.0, tolerance=0.05, wrong=np.median(turned))

# %%
chosen = [np.flatnonzero(sure & (y_digits == k))[0] for k in (8, 3, 4, 0)]
shown = x_digits[chosen]
signed = explain.saliency(cnn, shown, output=y_digits[chosen].astype(int))


def draw_map(axis, relevance, image=None, title="", quantile=0.995):
    """A signed map in colours around white, with the contour of the image."""
    limit = np.quantile(np.abs(relevance), quantile) or 1.0
    drawn = axis.imshow(relevance, cmap="RdBu_r", vmin=-limit, vmax=limit)
    if image is not None:
        axis.contour(image, levels=[0.5], colors=plotting.GREY, linewidths=0.7)
    axis.set(title=title, xticks=[], yticks=[])
    axis.title.set_fontsize(10)
    return drawn


figure, axes = plt.subplots(1, 4, figsize=(9.5, 2.9), layout="constrained")
for axis, image, relevance, k in zip(axes, shown, signed, (8, 3, 4, 0), strict=True):
    drawn = draw_map(axis, relevance[..., 0], image[..., 0], f"score of class {k}", quantile=1.0)
    figure.colorbar(drawn, ax=axis, shrink=0.7)
axes[-1].figure.suptitle(
    "Red pixels would raise the score of the true class, blue ones would lower it"
)
plotting.show(
    "Signed saliency of four digits, drawn over their contours. Positive and negative pixels lie side by side along the strokes and in the gaps that distinguish a digit from others.", figure
)  # fmt: skip

# %% [markdown]
r"""
Look at the gaps: where ink would turn the digit into another one, the derivative is negative. And look at the strokes: inside of a stroke it is often small. A derivative says how the score *would change*, not what it is made of.
"""

# %%
check.quiz("X12.1-q1")

# %% [markdown]
r"""
## Example 12.2: layer-wise relevance propagation

An *attribution* shares the score out over the pixels. Layer-wise relevance propagation (LRP) goes backwards like a current in a network of resistors: what a neuron $j$ has received, it passes on to the neurons $i$ below, in proportion
to what each contributed,

$$R_i = \sum_j \frac{a_i W_{ij}}{z_j + \epsilon\,\mathrm{sign}(z_j)}\, R_j, \qquad z_j = b_j + \sum_{i'} a_{i'} W_{i'j}. \tag{12.9}$$

*Two remarks on the printed text.* The book writes $\epsilon$ without the sign; for $z_j = -\epsilon$ that would divide by zero. And the sum of the relevances is the score only if there are no biases and $\epsilon \to 0$: each bias keeps the share $b_j/z_j$,
and $\epsilon$ absorbs a part.

**Your task.** One dense layer.
"""


# %% task="X12.2" points=3
def lrp_dense(a, weights, biases, relevance, epsilon):
    """Relevance of the inputs of a dense layer, from the relevance of its outputs.

    a: (n,), activations below; weights: (n, m); biases: (m,); relevance: (m,), of the outputs; epsilon: a number >= 0.
    The sign of z = 0 counts as +1. Returns an array (n,).
    """
    ### BEGIN SOLUTION
    z = a @ weights + biases
    denominator = z + np.where(z >= 0, epsilon, -epsilon)
    return a * (weights @ (relevance / denominator))
    ### END SOLUTION


# %% check="X12.2"
check("X12.2", lrp_dense)

# %% [markdown]
r"""
Two calls explain the dense network. Relevance passes a ReLU unchanged, since a closed gate has contributed nothing. For $\epsilon \to 0$ the fractions cancel layer by layer, and what remains is **gradient x input**, $x_i\,\partial S/\partial x_i$: for ReLU networks LRP
without $\epsilon$ is nothing else.
"""

# %%
lrp_dense = check.catch_up("X12.2", lrp_dense)
nothing = 1e-12


def lrp_network(network, x, k, epsilon):
    """LRP-epsilon through the dense network, from the score of class k to the pixels."""
    w, b, v, c = network
    hidden = np.maximum(x @ w + b, 0)
    score = np.zeros(len(c))
    score[k] = (hidden @ v + c)[k]
    return lrp_dense(x, w, b, lrp_dense(hidden, v, c, score, epsilon), epsilon)


def score_of(network, x, k):
    """The score S_k of the dense network."""
    w, b, v, c = network
    return (np.maximum(x @ w + b, 0) @ v + c)[k]


x, k = few[0].ravel().astype(float), classes[0]
score = score_of(network, x, k)
shared = lrp_network(network, x, k, nothing)
from_biases = ((x @ w + b > 0) * b) @ v[:, k] + c[k]
without = [w, 0 * b, v, 0 * c]
print(f"a digit {k}: score {score:.3f}")
print(f"  relevance of all pixels {shared.sum():.3f}, share of the biases {from_biases:.3f}")
print(
    f"  biases set to zero: score {score_of(without, x, k):.3f}, relevance {lrp_network(without, x, k, nothing).sum():.3f}"
)

# %% covers="X12.2"
many = np.array([lrp_network(network, image.ravel().astype(float), k, 0.5) for image, k in zip(few, classes, strict=True)])  # fmt: skip
library = explain.lrp(dense, few, rule="epsilon", epsilon=0.5, output=classes).reshape(40, -1)
plain = explain.lrp(dense, few, rule="epsilon", epsilon=0.01, output=classes).reshape(40, -1)
check.claim("X12.2", shared.sum() + from_biases, score, tolerance=1e-6, wrong=shared.sum())
check.claim("X12.2", lrp_network(without, x, k, nothing).sum(), score_of(without, x, k), tolerance=1e-6, wrong=lrp_network(without, x, k, 0.5).sum())  # fmt: skip
check.claim("X12.2", np.abs(shared - x * signed_saliency(network, x, k)).max(), at_most=1e-6, wrong=np.abs(many[0] - x * signed_saliency(network, x, k)).max())  # fmt: skip
check.claim(
    "X12.2", np.abs(many - library).max(), at_most=1e-3, wrong=np.abs(plain - library).max()
)

# %% [markdown]
r"""
What is $\epsilon$ good for? Neurons with a small $z_j$ between large contributions of both signs pass on large relevances that nearly cancel. $\epsilon$ absorbs them. The map becomes calmer and less complete. We scan it on the CNN and count how many pixels carry 90 % of the absolute relevance. The last map follows another rule in the convolutions: $\gamma$
favours the contributions of the sign of $z_j$, which keeps the denominator away from zero without losing relevance.
"""

# %%
EPSILONS = [0.001, 0.01, 0.03, 0.1, 0.3, 1.0]
scores = explain.scores(cnn, few, output=classes)
kept, examples = [], {}
for epsilon in EPSILONS:
    maps = explain.lrp(cnn, few, rule="epsilon", epsilon=epsilon, output=classes)[..., 0]
    kept.append(maps.sum() / scores.sum())
    ordered = -np.sort(-np.abs(maps.reshape(40, -1)), axis=1)
    cumulated = ordered.cumsum(axis=1) / ordered.sum(axis=1, keepdims=True)
    carriers = metrics.mean_with_error((cumulated < 0.9).sum(axis=1) + 1.0)
    examples[epsilon] = maps[0]
    print(f"epsilon {epsilon:5.3f}: {kept[-1]:.2f} of the scores arrive, 90 % of it on {carriers[0]:.0f} +- {carriers[1]:.0f} pixels")  # fmt: skip
composite = explain.lrp(cnn, few[:1], rule="composite", epsilon=0.1, output=classes[:1])[0, ..., 0]

figure, axes = plt.subplots(1, 5, figsize=(11, 2.7), layout="constrained")
axes[0].imshow(few[0, ..., 0], cmap="gray_r")
axes[0].set(title=f"input, a {classes[0]}", xticks=[], yticks=[])
for axis, epsilon in zip(axes[1:4], [0.001, 0.1, 1.0], strict=True):
    draw_map(axis, examples[epsilon], few[0, ..., 0], rf"LRP, $\epsilon$ = {epsilon}")
draw_map(axes[4], composite, few[0, ..., 0], r"convolutions: $\gamma$ rule")
figure.suptitle("Epsilon absorbs relevance; the gamma rule takes contradictions out of the map")
plotting.show(
    "A digit and its relevance maps for three values of epsilon and for a composite rule, whose map is smoother and mostly positive.", figure
)  # fmt: skip

# %% covers="X12.2"
check.claim("X12.2", kept[-1], at_most=0.5, wrong=kept[0])

# %% [markdown]
r"""
## Method 12.1: DeconvNet

Which pattern in the input has excited a neuron deep inside? DeconvNet keeps this one activation, sets all others to zero, and goes back to the input with three operations:

1. instead of a convolution its **transpose**: the same filters, turned by 180 degrees;
2. a **ReLU on the signal** that comes back: negative values are set to zero;
3. instead of max pooling **unpooling with switches**: the forward pass remembers where each maximum was, and the backward pass puts the value there. Everything else in the window is zero.

**Your task.** Unpooling for windows of 2 x 2.
"""


# %% task="M12.1" points=2
def unpool(signal, maps):
    """Put each entry of the signal where max pooling of 2 x 2 had found its maximum; zeros elsewhere.

    signal: (h, w); maps: (2 h, 2 w), what went into the pooling. Among equal maxima the first counts.
    Returns an array (2 h, 2 w).
    """
    ### BEGIN SOLUTION
    result = np.zeros(maps.shape)
    for row, column in np.ndindex(signal.shape):
        window = maps[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        down, right = np.unravel_index(window.argmax(), (2, 2))
        result[2 * row + down, 2 * column + right] = signal[row, column]
    return result
    ### END SOLUTION


# %% check="M12.1"
check("M12.1", unpool)

# %% [markdown]
r"""
With it we go back from the first pooling layer of the CNN by hand: unpool, ReLU, transposed convolution. Why the *transpose*? A convolution is a matrix $C$, and the signal at its output is explained by the inputs that are connected to it: $C^T$. The test of an adjoint is
$\langle C x, y\rangle = \langle x, C^T y\rangle$ for any $x$ and $y$.
"""

# %%
unpool = check.catch_up("M12.1", unpool)
kernel = np.asarray(cnn.get_layer("conv1").kernel)  # (3, 3, 1, 12)
forward = layers.Conv2D(12, 3, padding="same", use_bias=False)
transposed = layers.Conv2DTranspose(1, 3, padding="same", use_bias=False)
turned_filter = layers.Conv2D(1, 3, padding="same", use_bias=False)
for layer, channels, weights in [
    (forward, 1, kernel),
    (transposed, 12, kernel),
    (turned_filter, 12, kernel[::-1, ::-1].transpose(0, 1, 3, 2)),
]:
    layer.build((1, 28, 28, channels))
    layer.set_weights([weights])

x, y = random.normal(size=(1, 28, 28, 1)), random.normal(size=(1, 28, 28, 12))
left = (np.asarray(forward(x)) * y).sum()
right = (x * np.asarray(transposed(y))).sum()
back = np.abs(np.asarray(transposed(y)) - np.asarray(turned_filter(y))).max()
turned_filter.set_weights([kernel.transpose(0, 1, 3, 2)])
not_turned = (x * np.asarray(turned_filter(y))).sum()
print(f"<C x, y> = {left:.4f}, <x, C^T y> = {right:.4f}, filters not turned: {not_turned:.4f}")

image = shown[:1]
before_pooling = explain.activations(cnn, image, layer="conv1")[0]
pooled = explain.activations(cnn, image, layer="pool1")[0]
channel = int(pooled.max(axis=(0, 1)).argmax())
strongest = np.unravel_index(pooled[..., channel].argmax(), (14, 14))  # the first of equals
signal = np.zeros((14, 14))
signal[strongest] = pooled[(*strongest, channel)]
maps = np.zeros((1, 28, 28, 12), "float32")
maps[0, ..., channel] = unpool(signal, before_pooling[..., channel])
deconvolved = np.asarray(transposed(np.maximum(maps, 0)))[0, ..., 0]
options = {"layer": "pool1", "channel": channel}
library = explain.deconvnet(cnn, image, **options)[0, ..., 0]
without_switches = explain.deconvnet(cnn, image, switches=False, **options)[0, ..., 0]

# %% covers="M12.1"
check.claim("M12.1", left / right, 1.0, tolerance=1e-3, wrong=not_turned / right)
check.claim("M12.1", back, at_most=1e-4, wrong=np.abs(np.asarray(transposed(y))).max())
check.claim("M12.1", np.abs(deconvolved - library).max(), at_most=1e-4, wrong=np.abs(without_switches - library).max())  # fmt: skip

# %% [markdown]
r"""
Now the gallery: for some channels of each layer we search, among 1000 test digits, the one that excites the channel most, and go back from its strongest activation.
The coloured region cannot be larger than the receptive field: 3, 8 and 18 pixels.
"""

# %%
FIELDS = {"conv1": 3, "conv2": 8, "conv3": 18}
figure, axes = plt.subplots(3, 6, figsize=(9, 5.1), layout="constrained")
extents = {}
for line, (name, field) in zip(axes, FIELDS.items(), strict=True):
    values = explain.activations(cnn, x_digits, layer=name).max(axis=(1, 2))
    strongest = np.argsort(-values.max(axis=0))[:6]
    extents[name] = 0
    for axis, channel in zip(line, strongest, strict=True):
        image = x_digits[[values[:, channel].argmax()]]
        found = explain.deconvnet(cnn, image, layer=name, channel=int(channel))[0, ..., 0]
        rows, columns = np.nonzero(np.abs(found) > 1e-6 * np.abs(found).max())
        extents[name] = max(extents[name], np.ptp(rows) + 1, np.ptp(columns) + 1)
        axis.imshow(1 - 0.25 * image[0, ..., 0], cmap="gray", vmin=0, vmax=1)
        limit = np.abs(found).max()
        visible = np.ma.masked_where(np.abs(found) < 0.03 * limit, found)
        axis.imshow(visible, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set(title=f"channel {channel}", xticks=[], yticks=[])
        axis.title.set_fontsize(9)
    line[0].set_ylabel(f"{name}\nfield {field} pixels")
figure.suptitle("From edges to parts of digits: what excited the strongest channels of each layer")
plotting.show(
    f"For six channels of each layer the digit that excites it most, with the DeconvNet signal in colour; it spans at most {list(extents.values())} pixels in the three layers.", figure
)  # fmt: skip

# %% covers="M12.1"
print(f"largest extents {extents}, receptive fields {FIELDS}")
check.claim("M12.1", max(extents[name] / FIELDS[name] for name in FIELDS), at_most=1.0, wrong=28 / 18)  # fmt: skip
check.claim("M12.1", extents["conv3"], at_least=extents["conv1"] + 1, wrong=extents["conv1"])

# %% [markdown]
r"""
## Method 12.2: dreams of a neuron, a channel, a layer

Instead of asking which *data* excite a part of the network, we can climb to an input that does: $\vec x' = \vec x + \alpha\, \partial f/\partial \vec x$, (12.2) and (12.3), from Gaussian noise. What $f$ is decides what we see:

- a **neuron**, $h_{i,c}$ at one place $i$: a pattern of the size of the receptive field, the rest stays noise;
- a **channel**, $\sum_i h_{i,c}$: the pattern everywhere, a texture;
- a **layer**, $\sum_{i,c} h_{i,c}^2$ (12.4), *deep dream*: the square weights each activation with itself, so that what is already active grows most.

Started from a digit instead of noise, the last one exaggerates what the network has found in it.
"""

# %%
noise = 0.1 * random.normal(size=(28, 28, 1)).astype("float32")
target = {"layer": "conv3", "channel": int(np.argmax(explain.activations(cnn, shown, layer="conv3").mean(axis=(0, 1, 2))))}  # fmt: skip
climb = {"steps": 50, "step_size": 0.05, "bounds": (-1.0, 2.0)}
dreams = {
    "start: noise": noise,
    "neuron": explain.maximise_activation(cnn, unit=(3, 3), start=noise, **target, **climb)[0],
    "channel": explain.maximise_activation(cnn, start=noise, **target, **climb)[0],
    "layer": explain.maximise_activation(cnn, layer="conv3", start=noise, **climb)[0],
    "start: a digit": shown[1],
    "layer, from the digit": explain.maximise_activation(cnn, layer="conv3", start=shown[1], **climb | {"steps": 12})[0],
}  # fmt: skip
figure, axes = plt.subplots(1, 6, figsize=(11.5, 2.5), layout="constrained")
for axis, (name, image) in zip(axes, dreams.items(), strict=True):
    drawn = axis.imshow(image[..., 0], cmap="gray", vmin=-1, vmax=2)
    axis.set(title=name, xticks=[], yticks=[])
    axis.title.set_fontsize(10)
figure.colorbar(drawn, ax=axes, shrink=0.8, label="brightness")
figure.suptitle("One neuron sees its field, a channel repeats a texture, a layer dreams")
plotting.show(
    "Noise, the images that maximise a neuron, a channel and a layer, and a digit before and after a deep dream.", figure
)  # fmt: skip


def objectives(image):
    """Neuron, mean of the channel, mean square of the layer."""
    h = explain.activations(cnn, image[None], layer="conv3")[0]
    return np.array([h[3, 3, target["channel"]], h[..., target["channel"]].mean(), (h**2).mean()])


before = objectives(noise)
after = np.array([objectives(dreams[name]) for name in ("neuron", "channel", "layer")])
print("rows: climbed objective; columns: neuron, channel, layer")
print(after.round(2), "\nfrom noise", before.round(3))

# %% [markdown]
r"""
Each climb raises its own objective many times over; a climb ends on the nearest hill, so that another image may by chance end higher.

A class is an objective too: its score before the softmax. Each of the ten images below excites its class more than any real digit does. Are they recognised as that class? Often, with a probability near one, though they do not look like digits to us. Not always: on the way the score of another class may have risen even more.
Climbing a score before the softmax does not compare, and far from the data a high score means little.
"""

# %% covers="M12.2"
ten = explain.maximise_activation(cnn, output=list(range(10)), start=np.repeat(noise[None], 10, axis=0), **climb)  # fmt: skip
certainty = cnn.predict(ten, verbose=0)[range(10), range(10)]
changed = (np.abs(dreams["neuron"] - noise)[..., 0] > 1e-6).nonzero()
print("probabilities of the ten classes:", " ".join(f"{p:.3f}" for p in certainty))
own = explain.scores(cnn, ten, output=list(range(10)))
real = np.array([explain.scores(cnn, x_digits[:200], output=k).max() for k in range(10)])
quiet = explain.scores(cnn, np.repeat(noise[None], 10, axis=0), output=list(range(10)))
check.claim("M12.2", (own - real).min(), at_least=0.0, wrong=(quiet - real).min())
check.claim("M12.2", (after.diagonal() / before).min(), at_least=5.0, wrong=1.0)
check.claim("M12.2", max(np.ptp(places) + 1 for places in changed), at_most=18, wrong=28)

# %% [markdown]
r"""
## Method 12.3: occlusion

The most direct question: cover a patch and see by how much the score falls, $R(\text{patch}) = S(\vec x) - S(\vec x \text{ with the patch covered})$. It works for any model, costs one evaluation for each patch, and leaves two choices to you: how large the patch is, and *what stands in its place*.

**Your task.** All copies of an image with one patch replaced by the same pixels of a second image, the cover.
"""


# %% task="M12.3" points=2
def covered_copies(image, cover, size):
    """Copies of an image, each with another patch of size x size taken from the cover.

    image, cover: (height, width), multiples of size. Patches touch, the first in the upper left corner, row by row.
    Returns an array (number of patches, height, width); the image itself stays as it is.
    """
    ### BEGIN SOLUTION
    copies = []
    for top in range(0, image.shape[0], size):
        for left in range(0, image.shape[1], size):
            changed = image.copy()
            changed[top : top + size, left : left + size] = cover[
                top : top + size, left : left + size
            ]
            copies.append(changed)
    return np.array(copies)
    ### END SOLUTION


# %% check="M12.3"
check("M12.3", covered_copies)

# %% [markdown]
r"""
In a photograph a black patch is missing information. On a lattice of spins zero is no spin at all, and no lattice the network was trained on has one. What else could stand there?

- **random spins**, as at infinite temperature;
- **another lattice** of the same temperature: what a typical patch would be;
- **the flipped patch**: the energy changes at its border only, and a network that respects the symmetry under a global flip cannot notice anything else.
"""

# %%
covered_copies = check.catch_up("M12.3", covered_copies)
image = few[0, ..., 0]
copies = covered_copies(image, np.zeros_like(image), 4)
falls = explain.scores(cnn, few[:1], output=classes[:1]) - explain.scores(cnn, copies[..., None], output=int(classes[0]))  # fmt: skip
library = explain.occlusion(cnn, few[:1], size=4, output=classes[:1])[0, ::4, ::4, 0]
backwards = np.abs(falls.reshape(7, 7).T - library).max()

COVERS = {
    "zeros": np.zeros_like(near),
    "random spins": random.choice([-1.0, 1.0], near.shape).astype("float32"),
    "another lattice": np.roll(near, 1, axis=0),
    "flipped": -near,
}


def occluded(covers, size):
    """Fall of the ferromagnetic score for every patch of every lattice; (lattices, patches)."""
    copies = np.array([covered_copies(a, b, size) for a, b in zip(near, covers, strict=True)])
    flat = explain.scores(ising_cnn, copies.reshape(-1, 32, 32, 1), output=0)
    return explain.scores(ising_cnn, near[..., None], output=0)[:, None] - flat.reshape(copies.shape[:2])  # fmt: skip


by_cover = {name: occluded(covers, 4) for name, covers in COVERS.items()}
for name, falls_of in by_cover.items():
    mean, error = metrics.mean_with_error(falls_of.mean(axis=1))
    print(f"cover 4 x 4 spins by {name:15s} mean fall of the logit {mean:+.2f} +- {error:.2f}")
SIZES = [2, 4, 8, 16]
by_size = {
    name: [metrics.mean_with_error(occluded(covers, n).mean(axis=1) / n**2) for n in SIZES]
    for name, covers in COVERS.items()
}

# %%
figure = plt.figure(figsize=(11, 3.3), layout="constrained")
grid = figure.add_gridspec(1, 5, width_ratios=[1, 1, 1, 1, 1.7])
axes = [figure.add_subplot(part) for part in grid]
axes[0].imshow(near[0], cmap="gray", vmin=-1, vmax=1)
axes[0].set(title="a lattice, $T$ = 2.2", xticks=[], yticks=[])
drawn_covers = ["zeros", "random spins", "flipped"]
limit = max(np.abs(by_cover[name][0]).max() for name in drawn_covers)
for axis, name in zip(axes[1:4], drawn_covers, strict=True):
    drawn = axis.imshow(by_cover[name][0].reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
    axis.set(title=f"cover: {name}", xticks=[], yticks=[])
    axis.title.set_fontsize(10)
figure.colorbar(drawn, ax=axes[1:4], shrink=0.7, label="fall of the logit")
for colour, (name, values) in zip(plotting.COLOURS, by_size.items(), strict=False):
    mean, error = np.transpose(values)
    axes[4].errorbar(SIZES, mean, error, color=colour, label=name, marker="o", capsize=2)
axes[4].axhline(0, color=plotting.GREY, lw=1)
axes[4].set(xscale="log", xticks=SIZES, xticklabels=SIZES, xlabel="size of the patch (spins)", ylabel="fall of the logit per spin")  # fmt: skip
axes[4].minorticks_off()
axes[4].legend(fontsize=9)
figure.suptitle("What stands in the covered place decides what occlusion says")
plotting.show(
    "Occlusion maps of one Ising lattice for three covers, and the mean fall of the logit per covered spin against the size of the patch for four covers.", figure
)  # fmt: skip

# %% covers="M12.3"
small = 0.002
image = noisy[0, ..., 0]  # without ties in the pooling windows
flat = covered_copies(image, image + small, 1)  # every pixel a little brighter, one at a time
change = explain.scores(cnn, flat[..., None], output=int(classes[0])) - explain.scores(cnn, noisy[:1], output=classes[:1])  # fmt: skip
slope = slopes[0].ravel()
same = np.corrcoef(change, slope)[0, 1]
check.claim("M12.3", np.abs(falls.reshape(7, 7) - library).max(), at_most=1e-4, wrong=backwards)
check.claim("M12.3", same, at_least=0.97, wrong=np.corrcoef(change, np.abs(slope))[0, 1])

# %% covers="M12.3"
paired = by_cover["random spins"].mean(axis=1) - by_cover["zeros"].mean(axis=1)
gap, gap_error = metrics.mean_with_error(paired)  # on the same lattices and patches
print(f"random spins lower the logit by {gap:.2f} +- {gap_error:.2f} more than zeros")
check.claim("M12.3", gap, at_least=3 * gap_error, wrong=0.0)
fading = {name: by_size[name][SIZES.index(4)][0] / by_size[name][SIZES.index(16)][0] for name in by_size}  # fmt: skip
print(
    "fall per spin with 4 x 4 over that with 16 x 16:", {k: round(v, 1) for k, v in fading.items()}
)
check.claim("M12.3", fading["flipped"], at_least=2.5, wrong=fading["random spins"])

# %% [markdown]
r"""
Random spins are hot: they fill the patch with domain walls, and the score falls in proportion to its *area*. A flipped patch has walls at its *border* only: its cost per spin fades with the size, at least like one over it. Neither tells
what the covered patch was worth by itself. State the cover with every occlusion map.
"""

# %%
check.quiz("M12.3-q1")

# %% [markdown]
r"""
## Method 12.4: attributions that add up

### Integrated gradients

Choose a **baseline** $\vec x_0$, a picture without information, and walk from it to the input on a straight line. On the way each pixel collects its share of the change,

$$R_i = (x_i - x_{0,i}) \int_0^1 \frac{\partial S}{\partial x_i}\big(\vec x_0 + t\,(\vec x - \vec x_0)\big)\,\mathrm{d}t, \qquad \sum_i R_i = S(\vec x) - S(\vec x_0).$$

The sum is the fundamental theorem of calculus, so **completeness** holds for any network, with biases. (Section 12.3.2 of the book names completeness; this method is not in the book.)

**Your task.** Replace the integral by the mean over `steps` midpoints $t = (k + \frac12)/\mathrm{steps}$. Your `signed_saliency` gives the gradients.
"""


# %% task="M12.4a" points=2
def path_attributions(network, x, baseline, k, steps):
    """Integrated gradients of the score of class k, for a network with one hidden ReLU layer.

    network: as in signed_saliency; x, baseline: (inputs,); steps: number of midpoints. Returns an array (inputs,).
    """
    ### BEGIN SOLUTION
    total = np.zeros(len(x))
    for share in (np.arange(steps) + 0.5) / steps:
        total += signed_saliency(network, baseline + share * (x - baseline), k)
    return (x - baseline) * total / steps
    ### END SOLUTION


# %% check="M12.4a"
check("M12.4a", path_attributions)

# %%
path_attributions = check.catch_up("M12.4a", path_attributions)
mean_digit = digits.x_train[:5000].mean(axis=0)
start = mean_digit.ravel().astype(float)
few_flat = few.reshape(len(few), -1).astype(float)
wholes = [score_of(network, x, k) - score_of(network, start, k) for x, k in zip(few_flat, classes, strict=True)]  # fmt: skip
STEPS = [1, 2, 4, 8, 16, 32, 64, 128]


def incompleteness(attribution):
    """How far the shares of the first ten digits are from their goal: mean and error, in units of the score."""
    gaps = [abs(attribution(few_flat[i], classes[i]).sum() - wholes[i]) for i in range(10)]
    return metrics.mean_with_error(gaps)


miss = [
    incompleteness(lambda x, k, steps=steps: path_attributions(network, x, start, k, steps))
    for steps in STEPS
]
naive, naive_error = incompleteness(lambda x, k: signed_saliency(network, x, k) * (x - start))

figure, axis = plt.subplots(figsize=(6.5, 3.5))
mean, error = np.transpose(miss)
axis.errorbar(
    STEPS, mean, error, marker="o", color=plotting.COLOURS[0], label="integrated gradients"
)
axis.axhline(naive, color=plotting.COLOURS[1], ls="--", label="gradient at the end of the way only")
axis.set(xscale="log", yscale="log", xlabel="steps on the way from the mean digit")
axis.set(xticks=STEPS, xticklabels=STEPS, ylabel="|sum of shares - S(x) + S(x_0)|")
axis.legend()
axis.set_title("The shares add up, and a few dozen steps suffice")
plotting.show(
    f"The mean error of completeness falls from {mean[0]:.2g} with one step to {mean[-1]:.1g} with 128 steps; the gradient at the end alone misses by {naive:.2g}.", figure
)  # fmt: skip
from_black = np.array([(signed_saliency(network, x, k) * x).sum() for x, k in zip(few_flat, classes, strict=True)])  # fmt: skip
scores_dense = explain.scores(dense, few, output=classes) - explain.scores(dense, 0 * few, output=classes)  # fmt: skip
print(f"gradient x input from a black baseline misses by {np.abs(from_black - scores_dense).mean():.3f}")  # fmt: skip

# %% [markdown]
r"""
From a black baseline even gradient x input nearly adds up here. That is special: on a straight way through the origin a ReLU network without biases has a constant gradient, and the biases of this one are small. From any other baseline gates open and close on the way.
"""

# %% covers="M12.4"
by_hand = np.array([path_attributions(network, x, start, k, 512) for x, k in zip(few_flat[:10], classes, strict=False)])  # fmt: skip
library = explain.integrated_gradients(dense, few[:10], baseline=mean_digit, steps=128, output=classes[:10])  # fmt: skip
shares = explain.integrated_gradients(cnn, few, baseline=mean_digit, output=classes).sum(axis=(1, 2, 3))  # fmt: skip
begin = explain.scores(cnn, np.repeat(mean_digit[None], len(few), axis=0), output=classes)
check.claim("M12.4", mean[-1], at_most=0.1 * naive, wrong=naive)
check.claim("M12.4", np.abs(by_hand - library.reshape(10, -1)).max(), at_most=0.05, wrong=np.abs(by_hand).max())  # fmt: skip
check.claim("M12.4", np.abs(shares - (scores - begin)).max(), at_most=1e-3, wrong=np.abs(shares - scores).max())  # fmt: skip

# %% [markdown]
r"""
### Another baseline, and many of them

The attribution explains the *difference* to the baseline. **Expected gradients** take the baselines from data: each sample draws a digit of the training set and a place $t$ on the way. The sum is then the score minus the *mean* score of the data, with a statistical
error. The background pixels, which were zero like the black baseline and had no share, get one now: an empty place where most digits have ink says something.
"""

# %%
background = digits.x_train[:64]
mean_score = np.array([explain.scores(cnn, background, output=int(k)).mean() for k in classes[:8]])
sums = np.array([explain.expected_gradients(cnn, few[:8], background, samples=64, seed=check.seed + n, output=classes[:8]).sum(axis=(1, 2, 3)) for n in range(4)])  # fmt: skip
target_sum = scores[:8] - mean_score
error = sums.std(axis=0, ddof=1).mean() / 2
pull = (sums.mean(axis=0) - target_sum) / (sums.std(axis=0, ddof=1).mean() / 2)
print(f"sum of expected gradients minus its goal: {np.round(sums.mean(axis=0) - target_sum, 2)}")
print(f"statistical error of each: {error:.2f}, root mean square of the pulls {np.sqrt((pull**2).mean()):.2f}")  # fmt: skip
single = explain.expected_gradients(cnn, few[:1], background, samples=256, seed=check.seed, output=classes[:1])[0, ..., 0]  # fmt: skip
with_black = explain.integrated_gradients(cnn, few[:1], output=classes[:1])[0, ..., 0]
empty = few[0, ..., 0] == 0
print(f"share of absolute attributions on empty pixels: black baseline {np.abs(with_black[empty]).sum() / np.abs(with_black).sum():.2f}, data {np.abs(single[empty]).sum() / np.abs(single).sum():.2f}")  # fmt: skip

# %% covers="M12.4"
check.claim("M12.4", np.sqrt(((sums.mean(axis=0) - target_sum) ** 2).mean()), at_most=3 * error, wrong=np.sqrt(((sums.mean(axis=0) - scores[:8]) ** 2).mean()))  # fmt: skip

# %% [markdown]
r"""
### Shapley values

How should players share a profit that they make together? Give each its gain on joining, averaged over all orders in which they may come. For player $i$ among $n$,

$$\phi_i = \sum_{S \not\ni i} \frac{|S|!\,(n - |S| - 1)!}{n!}\,\big(v(S \cup \{i\}) - v(S)\big).$$

It is the only rule that is complete, symmetric, linear, and gives nothing to a player who changes nothing. Here the players are patches of an image, and $v(S)$ is the score if only the patches of $S$ are shown. The price: $2^n$ evaluations.

**Your task.** The exact values, by enumeration. A coalition is a whole number $s$: player $i$ belongs to it if its bit $i$ is set (`s >> i & 1`).
"""


# %% task="M12.4b" points=3
def shapley_values(value):
    """Shapley values of a game with n players.

    value: (2**n,), value[s] is what the coalition s earns; bit i of s tells whether player i belongs to it.
    Returns an array (n,).
    """
    ### BEGIN SOLUTION
    n = int(np.log2(len(value)))
    shares = np.zeros(n)
    for s in range(2**n):
        m = s.bit_count()
        for player in range(n):
            if not s >> player & 1:
                weight = math.factorial(m) * math.factorial(n - m - 1) / math.factorial(n)
                shares[player] += weight * (value[s | 1 << player] - value[s])
    return shares
    ### END SOLUTION


# %% check="M12.4b"
check("M12.4b", shapley_values)

# %% [markdown]
r"""
Nine patches of a digit play together: 512 images. Beside the exact values stand the sampled ones of `explain.shapley_sampling` (50 random orders), occlusion (only the *last* gain, when all others are there), and integrated gradients summed over each patch.
"""

# %%
shapley_values = check.catch_up("M12.4b", shapley_values)
band = np.minimum(np.arange(28) * 3 // 28, 2)
patches = 3 * band[:, None] + band[None, :]  # numbers 0 to 8
image, k = shown[0], int(y_digits[chosen[0]])
members = np.arange(512)[:, None, None] >> patches[None] & 1
value = explain.scores(cnn, image * members[..., None].astype("float32"), output=k).astype(float)
exact = shapley_values(value)
sampled = np.array([
    explain.shapley_sampling(cnn, image[None], np.zeros((1, 28, 28, 1)), groups=patches, permutations=25, output=k, seed=check.seed + n)[0]
    for n in range(4)
])  # fmt: skip
last = value[511] - value[511 - (1 << np.arange(9))]
path = explain.integrated_gradients(cnn, image[None], output=k)[0, ..., 0]
summed = np.array([path[patches == i].sum() for i in range(9)])
sampled_mean, sampled_error = sampled.mean(axis=0), sampled.std(axis=0, ddof=1) / 2

figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=[1, 2.6], layout="constrained")
axes[0].imshow(image[..., 0], cmap="gray_r")
for edge in (9.5, 18.5):
    axes[0].axhline(edge, color=plotting.COLOURS[1], lw=1)
    axes[0].axvline(edge, color=plotting.COLOURS[1], lw=1)
for i in range(9):
    axes[0].text(9.3 * (i % 3) + 0.6, 9.3 * (i // 3) + 2, i, bbox={"fc": "white", "pad": 1.5})
axes[0].set(xticks=[], yticks=[], title="nine players")
place = np.arange(9)
for shift, (name, height, spread) in enumerate([
    ("Shapley, exact", exact, None), ("Shapley, sampled", sampled_mean, sampled_error),
    ("occlusion of the patch", last, None), ("integrated gradients", summed, None),
]):  # fmt: skip
    axes[1].bar(place + 0.2 * (shift - 1.5), height, 0.18, yerr=spread, label=f"{name}, sum {height.sum():.1f}")  # fmt: skip
axes[1].axhline(0, color=plotting.GREY, lw=1)
axes[1].set(xticks=place, xlabel="patch", ylabel=f"attribution to the score of class {k}")
axes[1].legend(fontsize=9)
axes[1].set_title(f"Shares of {value[511] - value[0]:.1f}: occlusion does not add up")
plotting.show(
    "A digit in nine patches, and their attributions by four methods; Shapley values and integrated gradients add up to the score, occlusion does not.", figure
)  # fmt: skip

# %% covers="M12.4"
check.claim("M12.4", exact.sum(), value[511] - value[0], tolerance=1e-6, wrong=last.sum())
check.claim("M12.4", np.abs(sampled_mean - exact).max(), at_most=4 * max(sampled_error.max(), 0.02), wrong=np.abs(last - exact).max())  # fmt: skip
check.quiz("M12.4-q1")

# %% [markdown]
r"""
## All methods side by side

Eleven methods, three networks. Signed maps are drawn in red and blue around white, each scaled by itself; of the class activation map we draw the deviation from its mean. Occlusion has the resolution of its patches, the class activation map that of the last feature maps. Before you look for meaning: which of the maps would you believe?
"""

# %%
METHODS = {
    "saliency": lambda m, x, o, b: explain.saliency(m, x, output=o),
    "SmoothGrad": lambda m, x, o, b: explain.smooth_grad(m, x, output=o, samples=16, seed=1),
    "gradient x input": lambda m, x, o, b: explain.gradient_times_input(m, x, output=o),
    "integrated gradients": lambda m, x, o, b: explain.integrated_gradients(m, x, output=o, steps=16),
    "expected gradients": lambda m, x, o, b: explain.expected_gradients(m, x, b, output=o, samples=32, seed=1),
    "DeconvNet": lambda m, x, o, b: explain.deconvnet(m, x, output=o),
    "guided backpropagation": lambda m, x, o, b: explain.guided_backpropagation(m, x, output=o),
    "LRP epsilon": lambda m, x, o, b: explain.lrp(m, x, rule="epsilon", epsilon=0.1, output=o),
    "LRP composite": lambda m, x, o, b: explain.lrp(m, x, rule="composite", epsilon=0.1, output=o),
    "occlusion": lambda m, x, o, b: explain.occlusion(m, x, size=2 if x.shape[1] == 14 else 4, output=o),
    "class activation map": lambda m, x, o, b: explain.class_activation_map(m, x, output=o, upsampled=True)[..., None],
}  # fmt: skip
loud = np.argsort(-showers.y_test)[:200]
subjects = {
    "lattice": (ising_cnn, near[:1, ..., None], 0, near[1:, ..., None]),
    "digit": (cnn, shown[:1], int(y_digits[chosen[0]]), background),
    "air shower": (shower_cnn, x_showers[loud[:1]], 0, x_showers[:64]),
}
rows = {}
for subject, (model, x, output, others) in subjects.items():
    rows[subject] = {name: method(model, x, output, others)[0, ..., 0] for name, method in METHODS.items()}  # fmt: skip

figure, axes = plt.subplots(6, 6, figsize=(11, 11), layout="constrained")
for line, (subject, maps) in enumerate(rows.items()):
    image = subjects[subject][1][0, ..., 0]
    pictures = [(f"{subject}: the input", image), *maps.items()]
    for number, (name, picture) in enumerate(pictures):
        axis = axes[line + 3 * (number // 6), number % 6]
        if number == 0:
            axis.imshow(picture, cmap="gray_r")
            axis.set(title=name, xticks=[], yticks=[])
            axis.title.set_fontsize(10)
        else:
            centred = picture - picture.mean() if name == "class activation map" else picture
            draw_map(axis, centred, title=name)
    axes[line, 0].set_ylabel(subject)
    axes[line + 3, 0].set_ylabel(subject)
figure.suptitle("Eleven explanations of three networks: they do not agree")
plotting.show(
    "A lattice, a digit and an air shower with eleven maps each. The gradient methods are noisy; DeconvNet and guided backpropagation trace the edges of the input; occlusion and class activation maps are coarse.", figure
)  # fmt: skip

# %% [markdown]
r"""
One map needs a word: DeconvNet shows nothing of the lattice but a border. This network averages over all places, so that the signals which go back are the same everywhere, and their sum over a filter happens to be negative: the rectifier removes it. Only at the border, where a part of the filter is missing, something is left.

## A sanity check: make the network forget

A map that explains the network must change if the network forgets what it has learned. Adebayo and others (arXiv:1810.03292) replace the weights by random ones, from the output downwards, and compare the maps. For every input we take **Spearman's rank correlation** of the two maps over the pixels: 1 for the same order, 0 for
no relation. Two controls make the numbers readable:

- a **twin**: the same CNN, trained anew from another random start. It is as good as the first. An explanation of *what was learned* should agree for twins, at least in part;
- the **input itself** belongs to no network, and a map that shows the input agrees with itself always.

A method explains the model if its maps do not survive the loss of the weights. If they agree with the twin's as well, it explains something of the task. We compare absolute values over the whole image, as in the paper, and signed maps over the ink only: off the ink many maps are zero for any network, which makes agreement cheap.
"""


# %%
def rank_correlation(a, b):
    """Spearman's correlation of two maps."""
    first, second = rankdata([a, b], axis=1)
    return np.corrcoef(first, second)[0, 1] if np.ptp(first) * np.ptp(second) > 0 else 0.0


def all_maps(model, x, output, others):
    """Every method's maps of every input; {method: (n, pixels)}."""
    return {name: method(model, x, output, others).reshape(len(x), -1) for name, method in METHODS.items()}  # fmt: skip


def agreement(maps, others, ink):
    """Correlations of two sets of maps for each input: absolute over the image, signed over the ink; (2, n)."""
    whole = [rank_correlation(np.abs(a), np.abs(b)) for a, b in zip(maps, others, strict=True)]
    inked = [rank_correlation(a[i], b[i]) for a, b, i in zip(maps, others, ink, strict=True)]
    return np.array([whole, inked])


sane = np.flatnonzero(sure)[:N_SANITY]
x, output = x_digits[sane], y_digits[sane].astype(int)
ink = x.reshape(len(x), -1) > 0.05
learned = all_maps(cnn, x, output, background)
rivals = {"twin": [twin]}
rivals["output layer random"] = [explain.randomised(cnn, layers_from_top=1, seed=check.seed)]
rivals["all but the first random"] = [explain.randomised(cnn, layers_from_top=3, seed=check.seed)]
rivals["all layers random"] = [explain.randomised(cnn, seed=check.seed + n) for n in range(COPIES)]
agreements = {}
for rival, models in rivals.items():
    found = [all_maps(model, x, output, background) for model in models]
    for name in METHODS:
        pairs = [agreement(learned[name], maps[name], ink) for maps in found]
        agreements[name, rival] = np.array(pairs).transpose(1, 0, 2)  # (way, copies, inputs)


def mean_and_error(values):
    """Mean of (copies, inputs); the error has a part from the inputs and one from the copies."""
    mean, error = metrics.mean_with_error(values.mean(axis=0))
    if len(values) > 1:
        error = np.hypot(error, metrics.mean_with_error(values.mean(axis=1))[1])
    return mean, error


# %%
figure, axes = plt.subplots(1, 2, figsize=(10.5, 5), sharey=True, layout="constrained")
markers = dict(zip(rivals, ["D", "o", "s", "^"], strict=True))
height = np.arange(len(METHODS))[::-1]
titles = ["absolute values, whole image", "signed, on the ink"]
for column, (axis, title) in enumerate(zip(axes, titles, strict=True)):
    for shift, (rival, marker) in enumerate(markers.items()):
        points = [mean_and_error(agreements[name, rival][column]) for name in METHODS]
        mean, error = np.transpose(points)
        axis.errorbar(mean, height + 0.15 * (1.5 - shift), xerr=error, fmt=marker, color=plotting.COLOURS[shift], label=rival, ms=5)  # fmt: skip
    axis.axvline(0, color=plotting.GREY, lw=1)
    axis.set(title=title, xlabel="rank correlation with the maps of the trained CNN", xlim=(-0.6, 1.02))  # fmt: skip
axes[0].set_yticks(height, list(METHODS))
figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
figure.suptitle("Who notices that the network has forgotten everything?")
plotting.show(
    "Rank correlation of the maps of eleven methods with those of a twin network and of networks with random layers, with errors over the inputs.", figure
)  # fmt: skip

print(
    f"{'signed, on the ink':24s} {'twin':>15s} {'all random':>15s} {'difference':>15s}   in sigma"
)
table = {}
for name in METHODS:
    twins, strangers = agreements[name, "twin"][1], agreements[name, "all layers random"][1]
    table[name] = [mean_and_error(values) for values in (twins, strangers, twins - strangers)]
    gap, error = table[name][2]
    words = " ".join(f"{mean:+7.2f} +- {spread:.2f}" for mean, spread in table[name])
    print(f"{name:24s} {words}   {gap / error:+7.1f}")

# %% [markdown]
r"""
What the table says:

- **Saliency, SmoothGrad, gradient x input, integrated and expected gradients, LRP-$\epsilon$**: the map of a network with random weights has nothing in common with that of the trained one. These maps depend on what was learned. Whether twins agree is another matter: with other random starts we found anything from no agreement
  to one half, for networks of the same accuracy. (The errors in the table are over the inputs, for *this* pair of twins.) Such a map explains this network; it may be the private affair of it, and says little about the digits.
- **DeconvNet and guided backpropagation**: the ReLU on the signal keeps a memory of the input. A good part of the agreement is there for a network that knows nothing; with only the output layer random, guided backpropagation hardly changes at all, and its sharp edges are edges of the *digit*.
- **Occlusion and class activation maps** are coarse. Occlusion asks the network itself, and twins agree best of all honest methods; what a random network gives depends on which random network, with either sign, and the error bars say so.
- **The left panel** is a warning. For all methods that multiply by the input, absolute values over the whole image agree to 0.9 and more with *any* network: both maps are zero off the ink. A sanity check can be as blind as a map.

The same blind measure for the other two networks, all layers random. On the lattice, where no entry is zero, it sees.
"""

# %% covers="M12.1 M12.4"
gradients = ["saliency", "SmoothGrad", "gradient x input", "integrated gradients", "LRP epsilon"]
unmoved = [table[name][1][0] for name in ("DeconvNet", "guided backpropagation")]
check.claim("M12.1", min(unmoved), at_least=0.1, wrong=table["saliency"][1][0])
check.claim("M12.4", max(abs(table[name][1][0]) for name in gradients), at_most=0.15, wrong=max(unmoved))  # fmt: skip
check.claim("M12.4", table["occlusion"][0][0], at_least=0.2, wrong=table["saliency"][1][0])
naive = agreements["gradient x input", "all layers random"][0].mean()
check.claim("M12.4", naive, at_least=0.85, wrong=table["gradient x input"][1][0])

# %%
elsewhere = {}
for subject, inputs in [("lattice", near[: N_SANITY // 2, ..., None]), ("air shower", x_showers[loud[: N_SANITY // 2]])]:  # fmt: skip
    model, _, output, others = subjects[subject]
    ink = np.abs(inputs.reshape(len(inputs), -1)) > 0
    stranger = explain.randomised(model, seed=check.seed)
    first, second = (all_maps(each, inputs, output, others) for each in (model, stranger))
    elsewhere[subject] = {name: agreement(first[name], second[name], ink)[0] for name in METHODS}
print(f"{'absolute values, whole image':28s} {'digit':>15s} {'lattice':>15s} {'air shower':>15s}")
for name in METHODS:
    columns = [agreements[name, "all layers random"][0].mean(axis=0), *(elsewhere[s][name] for s in elsewhere)]  # fmt: skip
    numbers = [metrics.mean_with_error(values) for values in columns]
    print(f"{name:28s} " + " ".join(f"{m:+7.2f} +- {e:.2f}" for m, e in numbers))

# %% [markdown]
r"""
And what does the Ising network read? A spin that agrees with its neighbours should speak for the ferromagnetic phase, one that does not against it. So compare the maps with the **local energy**, $s_i \sum_{j} s_j$ over the four neighbours, on the same lattices.
"""

# %%
steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
bonds = near * sum(np.roll(near, step, axis=(1, 2)) for step in steps)
lattice_maps = all_maps(ising_cnn, near[..., None], 0, near[..., None])
with_energy = {}
for name, maps in lattice_maps.items():
    with_energy[name] = metrics.mean_with_error(
        [rank_correlation(m, e.ravel()) for m, e in zip(maps, bonds, strict=True)]
    )
    mean, error = with_energy[name]
    print(f"{name:24s} correlation with the local energy {mean:+.2f} +- {error:.2f}")

# %% [markdown]
r"""
Attributions do read the bonds, spin by spin, and the coarse maps do so in their own resolution. The bare derivative does not, and cannot: turn all spins around, and it changes its sign, while energy and phase stay. It takes the product with the spin. DeconvNet and guided backpropagation, which cut negative signals, lose the
sign that matters.
"""

# %% covers="M12.4"
check.claim("M12.4", with_energy["integrated gradients"][0], at_least=0.35, wrong=abs(with_energy["saliency"][0]))  # fmt: skip

# %% tags=["instructor"]
# Worth a discussion: (1) twins agree by half at best. Train a third and look how the agreement changes. Two networks of equal quality give different reasons; an explanation is one of a network, not of the data.
# (2) For the air shower all methods agree, since all maps follow the signal. Agreement among methods proves nothing either; ask what a random network would show.
# (3) Errors over the inputs are small, those over random networks are not: for occlusion and class activation maps the second dominate.
for question, answer in [("X12.1-q1", 2), ("M12.3-q1", 2), ("M12.4-q1", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A derivative (saliency) says how the score would change; an attribution shares the score out, always against a baseline.
- LRP is conservation, layer by layer; biases and $\epsilon$ take their share. Without $\epsilon$ it is gradient x input for ReLU networks.
- Integrated gradients and Shapley values add up for any network; occlusion does not.
- What covers a patch must look like data. State the baseline, the cover, the size of the patch.
- DeconvNet and guided backpropagation show the input more than the network. Test every map with a network that has forgotten, and with a twin.
"""

# %%
check.summary()
