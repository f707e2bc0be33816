# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 17, title: Autoencoders, level: 2, minutes: 90, sections: "17.1-17.5", data: [speckles, ising], fast: {N_IMAGES: 720, EPOCHS: 3, EPOCHS_EXPERIMENT: 1, N_MEASURED: 240, N_LATTICES: 1500, STEPS_SHALLOW: 400, STRENGTHS: [0.0, 0.01]}}
# ---
# %% [markdown]
r"""
# Autoencoders

**You will**

- see that a linear autoencoder finds the principal components, and that without correlations in the data there is nothing to compress;
- add what makes a code sparse or stable, and teach a network to bring noisy points back to the curve they came from;
- remove the speckle of coherent X-rays from scattering patterns with a deep convolutional autoencoder;
- state its test loss with an error, beside four classical filters, and find out what it is worth on "experimental" data.

**You need** convolutional networks (chapter 8), and eigenvectors of a covariance matrix. **Time:** about 90 minutes. The cells themselves run in about a minute.

**You will see** plane waves in the code of a magnet, and a network that beats every filter in the simulation, and no longer does in the experiment.

Anomalous jets, radio traces and a code of two numbers for Ising lattices stand in `ch17_examples`.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.simulators import ising, speckle

check = checks.start("ch17_autoencoders")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import ndimage

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)


def output(model, x):
    """What a network makes of many events, 100 at a time."""
    parts = np.array_split(x, -(-len(x) // 100))
    return np.concatenate([np.asarray(model(part)) for part in parts])


def to_photons(x, scale):
    """Photons of images (n, 64, 64, 1) that are scaled logarithms; scale: (n,)."""
    return np.maximum(10.0 ** (x[..., 0] * scale[:, None, None]) - 1, 0)


def to_scaled(photons, scale):
    """Scaled logarithms (n, 64, 64, 1) of photons (n, 64, 64), cut off at 1.1 as in the data."""
    return np.minimum(np.log10(1 + photons) / scale[:, None, None], 1.1)[..., None]


# %% tags=["parameters"]
N_IMAGES = (
    3_600  # pairs of scattering patterns: ten twelfths to train, one each for validation and test
)
EPOCHS = 5  # of the speckle remover
N_MEASURED = 900  # "experimental" patterns, divided in the same way
EPOCHS_EXPERIMENT = 3  # of its second training
N_LATTICES = 3_000
STEPS = 1_000  # of the linear autoencoder
STEPS_SHALLOW = 600  # of each autoencoder with one hidden layer
STRENGTHS = [0.0, 0.001, 0.003, 0.01]  # of the sparse penalty
N_POINTS = 40_000  # noisy points around a curve
EPOCHS_CURVE = 20

# %% [markdown]
r"""
## Section 17.1: a code for data

An autoencoder is two networks. The *encoder* $h = g(x)$ maps the $N$ numbers of an event to a code, the *decoder* $x' = f(h)$ maps the code back, and the two are trained together to give back what came in:

$$L = L\big(x, f(g(x))\big) = L(x, x'), \qquad L_\text{MSE} = \frac1N \sum_i (x_i - x'_i)^2. \tag{17.1, 17.2}$$

There are no labels. If the code has fewer numbers than the data, $d < N$, the network has to find out what can be said briefly. That works only if the data are correlated. To see it, two data sets with 64 pixels of mean 0 and variance 1: lattices of 8 x 8 Ising spins below the critical temperature,
and independent Gaussian random numbers.

### A network without activations, and an old method

Take the simplest autoencoder, one linear layer each for encoder and decoder. Its best result is known. The loss is the mean squared distance of the events from a plane with $d$ dimensions, and the plane that lies closest to the events is spanned by the eigenvectors of their covariance matrix with the $d$ largest eigenvalues: *principal component analysis*, PCA.

**Your task.** Return the mean of the events and the $d$ principal components, as orthonormal columns, the one with the largest variance first. `np.linalg.svd` of the centred table gives them, or `np.linalg.eigh` of its covariance matrix.
"""


# %% task="M17.1a" points=2
def principal_components(x, d):
    """Mean of the events and the d directions of largest variance.

    x: (n, N). Returns two arrays: the mean (N,), and orthonormal columns (N, d), the largest variance first.
    """
    ### BEGIN SOLUTION
    centre = x.mean(axis=0)
    _, _, directions = np.linalg.svd(x - centre, full_matrices=False)
    return centre, directions[:d].T
    ### END SOLUTION


# %% check="M17.1a"
check("M17.1a", principal_components)

# %% [markdown]
r"""
Is the plane that the network finds the same? The columns of the two matrices need not agree: any basis of the same plane does. The *principal angles* between two planes do not depend on the basis. With orthonormal bases $Q_A$ and $Q_B$ of the two
(`np.linalg.qr` makes one), the singular values of $Q_A^\top Q_B$ are the cosines of these angles. The largest angle belongs to the smallest cosine; it is zero only if the planes are the same.

**Your task.** Return the largest principal angle in degrees.
"""


# %% task="M17.1b" points=2
def largest_angle(a, b):
    """Largest principal angle between the spaces spanned by the columns of a and of b, in degrees.

    a, b: (N, d), columns of any length, linearly independent, not necessarily orthogonal. Returns a number from 0 to 90.
    """
    ### BEGIN SOLUTION
    first, second = np.linalg.qr(a)[0], np.linalg.qr(b)[0]
    cosines = np.linalg.svd(first.T @ second, compute_uv=False)
    return np.degrees(np.arccos(np.clip(cosines.min(), 0, 1)))
    ### END SOLUTION


# %% check="M17.1b"
check("M17.1b", largest_angle)

# %% [markdown]
r"""
Now the network. All events are in one batch, so the loss has no noise, and Adam with a short memory for the squared gradients (`beta_2=0.95`) and a learning rate that falls to zero comes close to the exact minimum. One variance is fifty times as large as the others: with smaller steps or a longer memory the same number of steps
leaves an angle of many degrees, while the loss looks fine.
"""

# %%
principal_components = check.catch_up("M17.1a", principal_components)
largest_angle = check.catch_up("M17.1b", largest_angle)
CODE = 5


def linear_autoencoder(x, d):
    """An encoder and a decoder without activations, trained on all events at once."""
    model = keras.Sequential(
        [keras.Input((x.shape[1],)), layers.Dense(d), layers.Dense(x.shape[1])]
    )
    rate = keras.optimizers.schedules.CosineDecay(0.02, STEPS)
    optimizer = keras.optimizers.Adam(rate, beta_2=0.95)
    optimizer.build(model.trainable_variables)
    x = ops.convert_to_tensor(x)

    @autodiff.compiled
    def step():
        value, slopes = autodiff.value_and_gradients(
            lambda: ops.mean((x - model(x)) ** 2), model.trainable_variables
        )
        optimizer.apply(slopes, model.trainable_variables)
        return value

    for _ in range(STEPS):
        step()
    return model


def events_of_each_kind():
    """Training and test events (n, 64) of both data sets."""
    lattices = ising.simulate(2 * N_LATTICES, size=8, temperature=2.2, seed=check.seed)
    spins = lattices.spins.reshape(2, N_LATTICES, 64).astype("float32")
    noise = random.normal(size=(2, N_LATTICES, 64)).astype("float32")
    return {"Ising lattices": spins, "independent pixels": noise}


data_sets = events_of_each_kind()
linear, components, test_error = {}, {}, {}
for name, (x, x_test) in data_sets.items():
    linear[name] = linear_autoencoder(x, CODE)
    mean, columns = components[name] = principal_components(x, CODE)
    projected = mean + (x_test - mean) @ columns @ columns.T
    test_error[name] = {
        "network": np.mean((x_test - output(linear[name], x_test)) ** 2),
        "PCA": np.mean((x_test - projected) ** 2),
        "line": x_test.var(axis=0).mean() * (1 - CODE / 64),
    }
    print(
        f"{name:20s} test error: network {test_error[name]['network']:.4f}, PCA {test_error[name]['PCA']:.4f}, "
        f"variance times (1 - d/N) {test_error[name]['line']:.4f}"
    )
decoder = linear["Ising lattices"].layers[1].get_weights()[0].T
angle = largest_angle(decoder, components["Ising lattices"][1])
print(f"Ising lattices: largest angle between the two planes {angle:.4f} degrees")
_, next_ones = principal_components(data_sets["Ising lattices"][0], CODE + 1)
other_angle = largest_angle(decoder, next_ones[:, 1:])  # without the first, with the sixth

# %% covers="M17.1"
check.claim("M17.1", angle, at_most=1.0, wrong=other_angle)

# %% covers="M17.1"
ising_error, noise_error = (test_error[name] for name in data_sets)
check.claim("M17.1", ising_error["network"] / ising_error["PCA"], 1.0, tolerance=0.001, wrong=1.01)

# %% [markdown]
r"""
**And without correlations?** Then every direction is as good as any other, and $d$ of $N$ of them carry the share $d/N$ of the variance. On new events the error stays at $\sigma^2 (1 - d/N)$, for the linear network; a deep one can do no better. It may look better on the events it was trained on.
"""

# %%
x, x_test = data_sets["independent pixels"]
deep = keras.Sequential(
    [keras.Input((64,))]
    + [layers.Dense(128, activation="relu"), layers.Dense(CODE), layers.Dense(128, "relu")]
    + [layers.Dense(64)]
)
deep.compile(keras.optimizers.Adam(2e-3), "mse", steps_per_execution=30)
deep.fit(x, x, batch_size=100, epochs=10, verbose=0)
per_event = np.mean((x_test - output(deep, x_test)) ** 2, axis=1)
deep_error, deep_uncertainty = metrics.mean_with_error(per_event)
print(f"deep autoencoder: {deep_error:.4f} +- {deep_uncertainty:.4f} on new events,")
print(f"{np.mean((x - output(deep, x)) ** 2):.4f} on those it was trained on;")
print(f"variance times (1 - d/N): {noise_error['line']:.4f}")

# %% covers="M17.1"
check.claim(
    "M17.1",
    noise_error["network"] / noise_error["line"],
    1,
    tolerance=0.01,
    wrong=ising_error["network"],
)

# %% covers="M17.1"
check.claim(
    "M17.1",
    deep_error,
    at_least=noise_error["line"] - 4 * deep_uncertainty,
    wrong=ising_error["network"],
)

# %% covers="M17.1"
check.claim(
    "M17.1", ising_error["network"] / ising_error["line"], at_most=0.5, wrong=noise_error["network"]
)

# %%
figure, axes = plt.subplots(1, CODE, figsize=(10, 2.9), layout="constrained")
variances = data_sets["Ising lattices"][0].var(axis=0).sum()
for k, axis in enumerate(axes):
    column = components["Ising lattices"][1][:, k]
    picture = axis.imshow(column.reshape(8, 8), cmap="RdBu_r", vmin=-0.25, vmax=0.25)
    share = np.var(data_sets["Ising lattices"][0] @ column) / variances
    axis.set(title=f"{share:.1%}", xlabel="x (sites)", xticks=[0, 7], yticks=[0, 7])
axes[0].set_ylabel("y (sites)")
figure.colorbar(picture, ax=axes, label="component")
figure.suptitle("The code of a magnet: magnetisation, then the longest waves (share of variance)")
plotting.show(
    "Five 8 by 8 maps. The first is uniform and carries about seventy percent of the variance; the other four are waves of one period "
    "across the lattice, with one and a half percent each.",
    figure,
)

# %%
check.quiz("17.1-q1")

# %% [markdown]
r"""
## Section 17.2: more than a bottleneck

A code may also be kept from copying the data by a penalty, or by noise. The first three variants below have *one* hidden layer. Their data are scattering patterns of nanostructures, averaged over blocks of 4 x 4 pixels; the exercise below has them at full resolution.

**Sparse.** The code may be as long as the data or longer, but only a few of its units may be active for any one event:

$$L(x, x') + \lambda\,\Omega(h), \qquad \Omega(h) = \sum_i |h_i|. \tag{17.4}$$

**Your task.** Return $\Omega$, averaged over the events of a batch. Use `keras.ops`, so that gradients pass.
"""


# %% task="M17.2a" points=1
def sparse_penalty(h):
    """Penalty of (17.4): the sum of |h_i| over the units, averaged over the events. h: (n, units). Returns a scalar."""
    ### BEGIN SOLUTION
    return ops.mean(ops.sum(ops.abs(h), axis=1))
    ### END SOLUTION


# %% check="M17.2a"
check("M17.2a", sparse_penalty)

# %% [markdown]
r"""
**Contractive.** The code should hardly change if the event changes a little. The penalty is the sum of the squared gradients of all units,

$$\Omega = \sum_i \left\lVert \nabla_x h_i \right\rVert^2, \tag{17.5}$$

the squared *Frobenius norm* of the encoder's Jacobian matrix. For one layer with sigmoids, $h_i = \sigma(\sum_j W_{ji} x_j + b_i)$, the derivative $\sigma' = \sigma(1-\sigma)$ makes it

$$\Omega = \sum_i \big[h_i (1 - h_i)\big]^2 \sum_j W_{ji}^2 ,$$

so the code itself and the weights are all that is needed; no automatic differentiation inside automatic differentiation.

**Your task.** Return it, averaged over the events.
"""


# %% task="M17.2b" points=2
def contractive_penalty(h, kernel):
    """Penalty of (17.5) for a layer of sigmoids, averaged over the events.

    h: (n, units), outputs of the layer; kernel: (inputs, units), its weights. Returns a scalar.
    """
    ### BEGIN SOLUTION
    steepness = ops.sum(kernel**2, axis=0)
    return ops.mean(ops.sum((h * (1 - h)) ** 2 * steepness, axis=1))
    ### END SOLUTION


# %% check="M17.2b"
check("M17.2b", contractive_penalty)

# %% [markdown]
r"""
**Weight-tied.** The decoder may use the encoder's matrix again, transposed: $x' = W^\top h + c$ for $h = \sigma(W x + b)$. That halves the weights. It also closes a loophole: with a decoder of its own the network can write the same code in numbers ten times smaller and make the decoder ten times larger. The reconstruction stays as it was, and both penalties fall.
"""

# %%
sparse_penalty = check.catch_up("M17.2a", sparse_penalty)
contractive_penalty = check.catch_up("M17.2b", contractive_penalty)
data = datasets.load_speckles(N_IMAGES, seed=check.seed)


def small(images):
    """Means over blocks of 4 x 4 pixels, (n, 256)."""
    return images.reshape(len(images), 16, 4, 16, 4).mean(axis=(2, 4)).reshape(len(images), 256)


x_train, x_test = small(data.y_train), small(data.y_test)
mean = x_train.mean(axis=0)
spread = (x_train - mean).std()
x_train, x_test = (x_train - mean) / spread, (x_test - mean) / spread
UNITS = 64


def shallow_autoencoder(activation, penalty=None, strength=0.0, tied=True):
    """Train a code of 64 units for the small patterns, and judge it on the test patterns."""
    start = np.random.default_rng(check.seed)
    kernel = keras.Variable(start.normal(0, 1 / 16, (256, UNITS)), dtype="float32")
    bias, back = (keras.Variable(np.zeros(size), dtype="float32") for size in (UNITS, 256))
    weights = [kernel, bias, back]
    if not tied:
        decoder = keras.Variable(start.normal(0, 1 / 8, (UNITS, 256)), dtype="float32")
        weights.append(decoder)

    def code_and_reconstruction(x):
        h = activation(x @ kernel + bias)
        return h, h @ (ops.transpose(kernel) if tied else decoder) + back

    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, STEPS_SHALLOW))
    optimizer.build(weights)

    @autodiff.compiled
    def step(x):
        def loss():
            h, reconstruction = code_and_reconstruction(x)
            value = ops.mean((reconstruction - x) ** 2)
            return value if penalty is None else value + strength * penalty(h, kernel)

        value, slopes = autodiff.value_and_gradients(loss, weights)
        optimizer.apply(slopes, weights)
        return value

    for _ in range(STEPS_SHALLOW):
        step(x_train[start.integers(len(x_train), size=300)])
    h, reconstruction = code_and_reconstruction(x_test)
    h = np.asarray(h)
    return {
        "error": np.mean((np.asarray(reconstruction) - x_test) ** 2),
        "active": np.mean(h > 0),
        "jacobian": np.sqrt(contractive_penalty(h, np.asarray(kernel))),
        "kernel": np.linalg.norm(kernel, axis=0).mean(),
        "weights": sum(int(np.prod(w.shape)) for w in weights),
    }


def sparse(h, kernel):
    return sparse_penalty(h)


sparse_results = [shallow_autoencoder(ops.relu, sparse, strength) for strength in STRENGTHS]
for strength, r in zip(STRENGTHS, sparse_results, strict=True):
    print(f"sparse, lambda {strength:5.3f}: active {r['active']:.1%}, test error {r['error']:.3f}")

# %%
plotting.lines(
    STRENGTHS,
    {
        "share of active units": [r["active"] for r in sparse_results],
        "test error (variance of the data = 1)": [r["error"] for r in sparse_results],
    },
    xlabel=r"strength of the penalty $\lambda$",
    ylabel="share, or mean squared error",
    title="A stronger penalty silences units, at a price",
)

# %% covers="M17.2"
check.claim(
    "M17.2", sparse_results[-1]["active"] / sparse_results[0]["active"], at_most=0.5, wrong=1.0
)

# %%
print(
    "sigmoids                        weights   test error   norm of the Jacobian   norm of the weights of a unit"
)
shallow = {}
for tied in (True, False):
    for strength in (0.0, 0.1):
        shallow[tied, strength] = r = shallow_autoencoder(
            ops.sigmoid, contractive_penalty, strength, tied
        )
        name = f"{'tied' if tied else 'free'}, lambda {strength:.1f}"
        print(
            f"{name:32s}{r['weights']:7d}{r['error']:12.3f}{r['jacobian']:17.2f}{r['kernel']:22.2f}"
        )

# %% covers="M17.2"
check.claim(
    "M17.2",
    shallow[True, 0.1]["jacobian"] / shallow[True, 0.0]["jacobian"],
    at_most=0.85,
    wrong=1.0,
)

# %% covers="M17.2"
matrices = [shallow[tied, 0.0]["weights"] - UNITS - 256 for tied in (True, False)]
check.claim("M17.2", matrices[0] / matrices[1], 0.5, wrong=1.0)

# %%
check.quiz("17.2-q1")

# %% [markdown]
r"""
### De-noising: back to where the data live

Here the *input* is spoilt, and the loss compares with the clean event:

$$L\big(x, f(g(\tilde x))\big), \qquad \tilde x = x \text{ with noise}. \tag{17.6}$$

A copy is no longer a solution, so the code may be longer than the data. Two kinds of noise are usual: a Gaussian random number with mean zero and *variance* $\zeta$ is added to every input; or a *fraction* $\rho$ of the inputs, others in every event, is set to zero.

**Your task.** Write both.
"""


# %% task="M17.2c" points=2
def corrupt(x, kind, strength, seed):
    """Events with noise, for (17.6).

    x: (n, N). kind: "gaussian" (strength: the variance zeta) or "masking" (strength: the fraction rho of inputs that is
    set to zero, each by itself). seed: of numpy.random.default_rng. Returns a new array (n, N).
    """
    ### BEGIN SOLUTION
    draw = np.random.default_rng(seed)
    if kind == "gaussian":
        return x + draw.normal(0, np.sqrt(strength), x.shape)
    kept = draw.random(x.shape) >= strength
    return x * kept
    ### END SOLUTION


# %% check="M17.2c"
check("M17.2c", corrupt)

# %% [markdown]
r"""
What such a network learns can be seen in the plane. The clean points lie on a spiral; the noise has a standard deviation of 0.15. The network has two inputs, two hidden layers with 64 units, two outputs: as overcomplete as can be.

Since we know the spiral, we know the best answer on average too: the mean of all points of the curve from which $\tilde x$ may have come, each weighted with its probability $\propto e^{-(\tilde x - x)^2 / 2\zeta}$. No network has a smaller mean squared error, so this posterior mean gives the **limit**.
"""

# %%
corrupt = check.catch_up("M17.2c", corrupt)
ZETA = 0.15**2


def spiral(u):
    """Points (n, 2) of the curve; u from 0 to 1, about uniform in length if u is the root of a uniform number."""
    angle = 4 * np.pi * u
    return (0.3 + 1.4 * u)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


curve = spiral(np.sqrt(np.linspace(0, 1, 1_500)))
clean = spiral(np.sqrt(random.random(N_POINTS))).astype("float32")
noisy = corrupt(clean, "gaussian", ZETA, check.seed).astype("float32")
remover = keras.Sequential(
    [keras.Input((2,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(2)]
)
rate = keras.optimizers.schedules.CosineDecay(0.01, EPOCHS_CURVE * -(-N_POINTS // 256))
remover.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=40)
remover.fit(noisy, clean, batch_size=256, epochs=EPOCHS_CURVE, verbose=0)


def squared_distances(points):
    """From each point to each point of the curve, (n, 1500)."""
    return ((points[:, None] - curve) ** 2).sum(axis=-1)


clean_test = spiral(np.sqrt(random.random(2_500)))
noisy_test = corrupt(clean_test, "gaussian", ZETA, check.seed + 1)
weight = np.exp(-squared_distances(noisy_test) / (2 * ZETA))
denoised = {
    "noisy points": noisy_test,
    "network": output(remover, noisy_test),
    "limit: posterior mean": weight @ curve / weight.sum(axis=1, keepdims=True),
}
distance = {}
print("                          mean distance from the curve   mean squared error per coordinate")
for name, points in denoised.items():
    distance[name] = np.sqrt(squared_distances(points).min(axis=1)).mean()
    error, uncertainty = metrics.mean_with_error(((points - clean_test) ** 2).mean(axis=1))
    print(f"{name:28s}{distance[name]:12.3f}{error:30.5f} +- {uncertainty:.5f}")

# %%
sides = np.linspace(-2, 2, 25)
places = np.stack(np.meshgrid(sides, sides), axis=-1).reshape(-1, 2)
places = places[np.sqrt(squared_distances(places).min(axis=1)) < 0.45]
moved = output(remover, places) - places
figure, axes = plt.subplots(1, 2, figsize=(10, 4.8), sharex=True, sharey=True)
axes[0].plot(*noisy_test[:1500].T, ".", ms=2, color=plotting.GREY, label="noisy")
axes[0].plot(*denoised["network"][:1500].T, ".", ms=3, color=plotting.COLOURS[0], label="network")
axes[1].plot(*curve.T, color=plotting.COLOURS[1], lw=2, label="curve of the clean points")
axes[1].quiver(*places.T, *moved.T, angles="xy", scale_units="xy", scale=1, width=0.003)
for axis in axes:
    axis.set(aspect="equal", xlabel="first coordinate")
    axis.legend(loc="upper right", fontsize=8)
axes[0].set_ylabel("second coordinate")
figure.suptitle("The network projects noisy points back onto the curve where the data live")
plotting.show(
    "Left: a cloud of noisy points around a spiral, and the network's outputs close to the spiral. Right: arrows from a grid of places "
    "to the network's output; they point to the nearest arm of the curve.",
    figure,
)

# %% covers="M17.2"
shrinkage = distance["network"] / distance["noisy points"]
check.claim("M17.2", shrinkage, at_most=0.5, wrong=1.0)

# %% [markdown]
r"""
Halfway between two arms the arrows vanish: the point may have come from either, and the best answer is the mean of both, where there is no curve at all. Remember this for the exercise: with the mean squared error, *undecided means blurred*.

## Exercise 17.1: speckle removal

X-rays from an undulator are coherent: the waves from all parts of a sample interfere, and the smooth scattering pattern $I(q)$ of its nanostructures is covered with grains, the *speckle*. The intensity is multiplied by a random number with mean 1, for fully coherent light from an exponential distribution, with grains of about two pixels.
The structure of the sample is in the smooth pattern. A simulation has both, with speckle and without, and a network can learn to go from one to the other.

The images hold $\log_{10}(1 + \text{photons})$, divided by the maximum of the image with speckle, and cut off at 1.1. The book gives no sizes and no generator: samples, sizes and photon numbers are ours. Both images of a pair have the same counting noise, as in the book's set.
"""

# %%
data


# %%
def image_table(rows, title, alt, names):
    """Scattering patterns in rows of equal length, on one scale; names: of the rows."""
    columns = len(rows[0])
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(1.75 * columns, 1.75 * len(rows) + 0.4), layout="constrained"
    )
    for name, row, images in zip(names, axes, rows, strict=True):
        for axis, image in zip(row, images, strict=True):
            shown = axis.imshow(image[..., 0], vmin=0, vmax=1.1)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, fontsize=8.5)
    figure.colorbar(shown, ax=axes, label="scaled log$_{10}$(1 + photons)", shrink=0.9)
    figure.suptitle(title)
    plotting.show(alt, figure)


kinds = data.extra_test["kind"]
shown = np.concatenate([np.flatnonzero(kinds == kind)[:2] for kind in range(3)])
image_table(
    [data.x_test[shown], data.y_test[shown]],
    "Films, spheres and cylinders, with and without speckle (64 x 64 pixels)",
    "Two rows of six scattering patterns. Above they are grainy, below smooth: streaks of films, rings of spheres, lobes of cylinders.",
    ["with speckle", "without"],
)

# %% [markdown]
r"""
### Part 1: the network

**Your task.** Build a deep convolutional autoencoder. Count before you choose: a convolution with $3\times3$ filters from $c$ to $f$ channels costs $9\,c f$ multiplications at *every pixel of its output*. At 64 x 64 pixels eight channels are enough; where strides have halved the image three times, 48 cost less.

- *Down*: convolutions with stride 2, more channels each time.
- *Up*: `UpSampling2D` and convolutions, fewer channels each time.
- *Shortcuts* as in a U-Net: on the way up add (or concatenate) the maps of the same size from the way down. The code alone forgets where the details were.
- Let the network predict what is to be *added* to its input. The input is a fair first answer.

It has to take images of any size that is a multiple of 8. The book's own solution has 213 000 parameters and takes more than two hours; fewer will do.
"""


# %% task="17.1a" points=3 covers="E17.1/1"
def build_denoiser():
    """A convolutional autoencoder with shortcuts for images (any height, any width, 1); sizes are multiples of 8.

    Returns a Keras model, not yet compiled; its output has the shape of its input and may be any number.
    """

    ### BEGIN SOLUTION
    def convolved(x, filters, size=3, strides=1):
        return layers.Conv2D(filters, size, strides, padding="same", activation="relu")(x)

    image = keras.Input((None, None, 1))
    full = convolved(image, 8, size=5)
    half = convolved(full, 16, strides=2)
    quarter = convolved(half, 32, strides=2)
    x = convolved(convolved(quarter, 32), 48, strides=2)
    x = convolved(x, 48)
    for filters, shortcut in [(32, quarter), (16, half), (8, full)]:
        x = layers.UpSampling2D(2)(convolved(x, filters))
        x = convolved(layers.Add()([x, shortcut]), filters)
    correction = layers.Conv2D(1, 3, padding="same")(x)
    return keras.Model(image, layers.Add()([image, correction]))
    ### END SOLUTION


# %% check="17.1a"
check("17.1a", build_denoiser)

# %% [markdown]
r"""
**Your task.** Compile and train it: the noisy image goes in, the clean one is the target, the loss is (17.2). With small batches (16 or 32) and a learning rate that falls from a few thousandths to zero along a cosine, a few epochs are enough.
"""


# %% task="17.1b" points=2 covers="E17.1/1"
def train_denoiser(model, x_train, y_train, x_validation, y_validation, epochs):
    """Compile ``model`` with the mean squared error, train it for ``epochs`` epochs, and return it.

    x: (n, 64, 64, 1), images with speckle; y: the same, without.
    """
    ### BEGIN SOLUTION
    batch = 16
    falling = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(x_train) // batch))
    model.compile(keras.optimizers.Adam(falling), "mse", jit_compile=False)
    held = (x_validation, y_validation)
    model.fit(x_train, y_train, batch_size=batch, epochs=epochs, validation_data=held, verbose=2)
    return model
    ### END SOLUTION


# %%
build_denoiser = check.catch_up("17.1a", build_denoiser)
pairs = (data.x_train, data.y_train, data.x_validation, data.y_validation)
denoiser = None  # until train_denoiser is written
denoiser = train_denoiser(build_denoiser(), *pairs, EPOCHS)

# %% check="17.1b"
check("17.1b", train_denoiser, result=denoiser)

# %%
train_denoiser = check.catch_up("17.1b", train_denoiser)
if denoiser is None:
    denoiser = train_denoiser(build_denoiser(), *pairs, EPOCHS)
plotting.training_curves(
    denoiser.history,
    title=f"{denoiser.count_params()} parameters, {len(data.x_train)} images",
    log=True,
)

# %% [markdown]
r"""
### Part 2: the test loss, and what it is worth

A loss says little by itself. The image with speckle is one answer, and smoothing it is another: neighbouring pixels lie in different grains, and the mean of the speckle is 1. But what has the mean 1 is the factor on the *photons*; the mean of its logarithm is negative.

**Your task.** Blur the images with a Gaussian of the given width, in the right quantity. `to_photons(x, scale)` and `to_scaled(photons, scale)` from the first cell translate; `ndimage.gaussian_filter` takes a width for every axis.
"""


# %% task="17.1c" points=2 covers="E17.1/2"
def gaussian_smoothed(x, scale, width):
    """Images whose photons are blurred with a Gaussian of standard deviation ``width`` (pixels).

    x: (n, 64, 64, 1), scaled logarithms; scale: (n,). Returns (n, 64, 64, 1), scaled logarithms again.
    """
    ### BEGIN SOLUTION
    blurred = ndimage.gaussian_filter(to_photons(x, scale), (0, width, width))
    return to_scaled(blurred, scale)
    ### END SOLUTION


# %% check="17.1c"
check("17.1c", gaussian_smoothed)

# %% [markdown]
r"""
**Your task.** State a test loss with its error. The mean squared error over the chosen pixels of an image is one number; the loss is the mean of these numbers, and its standard error follows from their spread over the *images*. (The pixels of one image are not independent of each other: dividing by the root of their number would promise too much.)
"""


# %% task="17.1d" points=2 covers="E17.1/2"
def test_loss(predicted, truth, chosen):
    """Mean squared error over the chosen pixels of each image, averaged over the images, with its standard error.

    predicted, truth: (n, 64, 64, 1); chosen: the same shape, bool, at least one pixel in every image. Returns two numbers.
    """
    ### BEGIN SOLUTION
    squares = np.sum((predicted - truth) ** 2 * chosen, axis=(1, 2, 3))
    per_image = squares / np.sum(chosen, axis=(1, 2, 3))
    return per_image.mean(), per_image.std(ddof=1) / np.sqrt(len(per_image))
    ### END SOLUTION


# %% check="17.1d"
check("17.1d", test_loss)

# %% [markdown]
r"""
Now all in one table. The other filters are a mean over a square, a median, and the Wiener filter of the logarithm, which knows mean and variance of the speckle and pulls each pixel to the mean of its neighbours by the share of their variance that is noise. Each of them has a width; the best one on the validation images is taken. The median of an exponential distribution is $\ln 2$ times its mean, so the median filter
is divided by $\ln 2$. All of these are **baselines**.
"""

# %%
gaussian_smoothed = check.catch_up("17.1c", gaussian_smoothed)
test_loss = check.catch_up("17.1d", test_loss)


def box(x, scale, width):
    return to_scaled(speckle.box_filter(to_photons(x, scale), width=width), scale)


def median(x, scale, width):
    return to_scaled(
        ndimage.median_filter(to_photons(x, scale), (1, width, width)) / np.log(2), scale
    )


def wiener(x, scale, width):
    return to_scaled(speckle.wiener_filter(to_photons(x, scale), width=width), scale)


def cleaned(model, x):
    """Images from a network, within the range of the data."""
    return np.clip(output(model, x), 0, 1.1)


def best_width(smooth, widths):
    """The width with the smallest loss on the validation images."""
    scale = data.extra_validation["scale"]
    everywhere = np.ones(data.y_validation.shape, bool)
    answers = [smooth(data.x_validation, scale, width) for width in widths]
    losses = [test_loss(answer, data.y_validation, everywhere)[0] for answer in answers]
    return widths[int(np.argmin(losses))]


everywhere = np.ones(data.y_test.shape, bool)
answers = {"with speckle": data.x_test}
widths = {}
for name, smooth, choices in [
    ("median filter", median, [3, 5, 7]),
    ("Gaussian filter", gaussian_smoothed, [0.5, 0.7, 1.0, 1.4, 2.0]),
    ("box filter", box, [3, 5]),
    ("Wiener filter", wiener, [3, 5, 7, 9]),
]:
    widths[name] = best_width(smooth, choices)
    answers[name] = smooth(data.x_test, data.extra_test["scale"], widths[name])
answers["network"] = cleaned(denoiser, data.x_test)
loss = {name: test_loss(answer, data.y_test, everywhere) for name, answer in answers.items()}
for name, (value, error) in loss.items():
    width = f"width {widths[name]:g} pixels" if name in widths else ""
    print(f"{name:18s} test loss {value:.5f} +- {error:.5f}   {width}")
ratio = loss["network"][0] / loss["Wiener filter"][0]
print(f"network / Wiener filter: {ratio:.2f}")

# %%
values, errors = np.transpose(list(loss.values()))
figure, axis = plt.subplots(figsize=(7.5, 3.4))
colours = [plotting.GREY] * (len(loss) - 1) + [plotting.COLOURS[0]]
axis.barh(list(loss), 1000 * values, xerr=1000 * errors, color=colours, capsize=3)
axis.set(
    xlabel="test loss, mean squared error in $10^{-3}$ of the squared scale",
    title=f"The network has {ratio:.0%} of the loss of the best baseline",
)
plotting.show(
    "Bars of the test loss of the image with speckle, four filters as baselines and the network, which has the shortest bar.",
    figure,
)

# %%
image_table(
    [answers[name][shown] for name in ("with speckle", "Wiener filter", "network")]
    + [data.y_test[shown]],
    "What the best filter and the network make of the same grains",
    "Four rows of six patterns: with speckle, after the Wiener filter, which leaves spots, after the network, which is smoother and has "
    "sharper fringes, and without speckle.",
    ["with speckle", "Wiener filter\n(baseline)", "network", "without"],
)

# %%
check.quiz("17.1-q2")

# %% [markdown]
r"""
Where is what remains? By kind of sample, and by brightness.
"""

# %%
print("test loss in units of 0.001" + "".join(f"{name:>14s}" for name in speckle.KINDS))
for name in ("with speckle", "Wiener filter", "network"):
    chosen = [kinds == kind for kind in range(3)]
    parts = [test_loss(answers[name][c], data.y_test[c], everywhere[c]) for c in chosen]
    print(f"{name:27s}" + "".join(f"{1e3 * v:8.2f}+-{1e3 * e:.2f}" for v, e in parts))


def by_brightness(some_answers, truth, scale, chosen, title):
    """Root mean squared error against the photons of the true pattern, over the chosen pixels."""
    number = np.digitize(to_photons(truth, scale), [0.5, 3, 10, 30, 100])
    curves = {}
    for name, answer in some_answers.items():
        squared = (answer - truth)[..., 0] ** 2
        parts = [squared[(number == k) & chosen[..., 0]] for k in range(6)]
        curves[name] = [np.sqrt(part.mean()) for part in parts]
    plotting.lines(
        [0.3, 1.7, 6, 18, 55, 200],
        curves,
        xlabel="photons in a pixel without speckle (first point: below 0.5)",
        ylabel="root mean squared error (scaled log)",
        title=title,
        dashed=["Wiener filter"],
        log_x=True,
    )
    few = [(answer - truth)[..., 0] ** 2 * chosen[..., 0] for answer in some_answers.values()]
    for name, squared in zip(some_answers, few, strict=True):
        print(f"{name}: {squared[number <= 2].sum() / squared.sum():.0%} of the squared error")
    print(f"lies in pixels with up to 10 photons, {np.mean(number <= 2):.0%} of all")


by_brightness(
    {name: answers[name] for name in ("with speckle", "Wiener filter", "network")},
    data.y_test,
    data.extra_test["scale"],
    everywhere,
    "Empty pixels are right already: filters spoil them",
)

# %% [markdown] tags=["answer"]
r"""
**What the reconstructions show.** The network removes the grains nearly everywhere, and keeps more of what the filters lose: the fringes of the films and the edges of the rings. The filters pay twice. They leave large grains as spots, since a grain of the speckle and a small feature of the pattern look alike in five pixels; and they blur what is really thin.
The network has seen what patterns look like, and uses the image far beyond five pixels.

Part of its success is a gift of the data. Both images of a pair have the same counting noise. So a pixel without photons is right already, and so is a photon that stands alone: a filter spoils them, a network learns to leave them. In an experiment the photons are counted *after* the speckle, and the truth has no counting noise.
What is left of the loss lies mostly in the many pixels with few photons, where a bright grain may be a fringe or an accident: undecided means blurred, as between the arms of the spiral.

A remark on the numbers: the validation loss of $4.3\cdot10^{-4}$ that goes with the book's data cannot be compared with ours, since the patterns and their share of empty pixels differ. What can be compared is the ratio to a filter on the same images. A loss without a baseline says nothing.
"""

# %% [markdown]
r"""
### Part 3: experimental patterns

Real measurements differ from the training data. Here they are simulated, with what the network has never seen: the light is *partially* coherent, with $M = 2$ to 8 modes; the grains are a little larger; photons are counted after the speckle; and the detector has a beam stop, gaps between its modules, and dead pixels, which are all zero.
With $M$ modes the factor $g$ on the intensity has the mean 1 and the variance $1/M$.

An experimenter has no clean image. Is there a way to judge the answer without one? What was removed must look like speckle. If $I'$ is the right answer, the counts $I$ scatter around it with the variance of the speckle, $I'^2/M$, and that of the photons, $I'$. So

$$\frac1M \approx \frac{\sum \left[(I - I')^2 - I\right]}{\sum I'^2},$$

summed over the pixels that see the sample. Too small a value means that grains were left in, too large a one that structure was taken out.

**Your task.** Return this estimate of $1/M$ for every image.
"""


# %% task="17.1e" points=3 covers="E17.1/3"
def removed_variance(measured, denoised, valid):
    """Relative variance of the speckle that was removed from each image, without the part of the photon statistics.

    measured, denoised: photons (n, 64, 64); valid: (n, 64, 64), False where a pixel is hidden. Returns (n,).
    """
    ### BEGIN SOLUTION
    scatter = (measured - denoised) ** 2 - measured
    return np.sum(scatter * valid, axis=(1, 2)) / np.sum(denoised**2 * valid, axis=(1, 2))
    ### END SOLUTION


# %% check="17.1e"
check("17.1e", removed_variance)

# %% [markdown]
r"""
**Predict.** On the coherent test images the network had the fraction of the Wiener filter's loss printed above. What will be the ratio of the two on the experimental patterns, on pixels that see the sample?
"""

# %%
check.predict(
    "17.1-experiment",
    None,
    question="Network / Wiener filter on experimental patterns: which ratio of the losses?",
)

# %%
removed_variance = check.catch_up("17.1e", removed_variance)
measured = datasets.load_speckles(N_MEASURED, seed=check.seed + 1, experimental=True)
x_measured = np.concatenate([measured.x_validation, measured.x_test])
y_measured = np.concatenate([measured.y_validation, measured.y_test])
scale, modes, valid = (
    np.concatenate([measured.extra_validation[key], measured.extra_test[key]])
    for key in ("scale", "modes", "valid")
)
beside = valid & ~ndimage.binary_erosion(valid, np.ones((1, 5, 5, 1)), border_value=1)
regions = {
    "all that see": valid,
    "beside hidden": beside,
    "elsewhere": valid & ~beside,
    "hidden": ~valid,
}


def wiener_with_modes(x, scale, width, modes):
    photons = speckle.wiener_filter(to_photons(x, scale), modes=modes, width=width)
    return to_scaled(photons, scale)


candidates = {}  # the baseline at its best, on the training images of the experiment
for width in [3, 5, 7]:
    for number in [1, 2, 3, 5]:
        answer = wiener_with_modes(measured.x_train, measured.extra_train["scale"], width, number)
        of_training = test_loss(answer, measured.y_train, measured.extra_train["valid"])
        candidates[of_training[0]] = (width, number)
best = candidates[min(candidates)]
print(f"best Wiener filter: {best[0]} pixels, made for {best[1]} modes")


def report(table):
    """Test losses in the regions of the detector, and what was removed."""
    print(
        f"{'loss in units of 0.001':26s}"
        + "".join(f"{name:>17s}" for name in regions)
        + "     removed 1/M"
    )
    for name, answer in table.items():
        row = [test_loss(answer, y_measured, chosen) for chosen in regions.values()]
        variance = removed_variance(
            to_photons(x_measured, scale), to_photons(answer, scale), valid[..., 0]
        )
        mean, error = metrics.mean_with_error(variance)
        text = "".join(f"{1e3 * v:10.2f} +-{1e3 * e:5.2f}" for v, e in row)
        print(f"{name:26s}{text}   {mean:.3f} +- {error:.3f}")


experiment = {
    "with speckle": x_measured,
    "Wiener filter": wiener_with_modes(x_measured, scale, *best),
    "network of part 1": cleaned(denoiser, x_measured),
}
report(experiment | {"truth": y_measured})
print(f"true mean of 1/M: {np.mean(1 / modes):.3f}")
on_experiment = {name: test_loss(answer, y_measured, valid) for name, answer in experiment.items()}
check.confront(
    "17.1-experiment", on_experiment["network of part 1"][0] / on_experiment["Wiener filter"][0]
)

# %%
check.quiz("17.1-q3")

# %% [markdown]
r"""
**What can be done.** Noise that is to be removed has to be in the training: this is (17.6) once more, and hidden pixels are its masking noise. If the detector and the light can be simulated, a short second training, starting from the weights of the first, on simulated measurements with gaps, beam stops and several modes, is enough to see the difference.
"""

# %%
retrained = keras.models.clone_model(denoiser)
retrained.set_weights(denoiser.get_weights())
retrained = train_denoiser(
    retrained,
    measured.x_train,
    measured.y_train,
    measured.x_validation,
    measured.y_validation,
    EPOCHS_EXPERIMENT,
)
experiment["network, trained again"] = cleaned(retrained, x_measured)
report(experiment | {"truth": y_measured})
forgotten = test_loss(cleaned(retrained, data.x_test), data.y_test, everywhere)
print(
    f"on the coherent images of part 2, after the second training: {forgotten[0]:.5f} +- {forgotten[1]:.5f}"
)

# %%
chosen = np.argsort(modes)[:: len(modes) // 5][:6]
image_table(
    [answer[chosen] for answer in experiment.values()] + [y_measured[chosen]],
    "Gaps confuse a network that has never seen any",
    "Five rows of six patterns with gaps and beam stops: as measured, after the Wiener filter, after the network of part 1, which leaves "
    "dark smears beside the gaps, after the network trained again, which fills them, and the truth.",
    [
        "measured",
        "Wiener filter\n(baseline)",
        "network\nof part 1",
        "network,\ntrained again",
        "without speckle",
    ],
)

# %%
by_brightness(
    experiment,
    y_measured,
    scale,
    valid,
    "Experiment: the first network does harm where it is bright",
)

# %% [markdown] tags=["answer"]
r"""
**Does it hold there?** No. On coherent images the network, with the full settings, has about 60 % of the loss of the Wiener filter; on the experimental patterns it is *no better* than the Wiener filter at its best, which no one had to train, and with other initial weights it may be clearly worse. Three things it has learnt are wrong here.

- *Gaps.* Beside gaps and beam stop its loss is about twice that elsewhere, and there it is furthest behind the filter. The filter looks at five pixels, the network much further, and it takes a row of zeros for something that it should explain.
- *How much speckle there is.* Light with several modes has less of it. The network takes out what it was used to, and in the brightest pixels it may be worse than leaving the image alone. The variance removed is several times $1/M$; this the experimenter can see too. (The Wiener filter takes out less than $1/M$, and stays nearer to it.)
- *Counting noise.* It keeps photons that stand alone, as the training data had taught it; here the truth does not have them.

**What is lost?** What the detector did not see. With the full settings of this notebook the second training brings the loss on pixels that see the sample clearly below that of the Wiener filter (the fast settings are too short for it), and fills gaps with a guess, whose loss is several times that of a measured pixel: it shows what patterns usually do there, and is no measurement of *this* sample. The beam stop hides the brightest part, and there the guess is worst.
And the network has forgotten part of what it knew about coherent light: its loss on the images of part 2 has grown. A mixture of both in one training would keep both.

The variance removed is larger than $1/M$ even then. The loss is that of a logarithm; where the network is undecided it answers with the mean of logarithms, which lies below the logarithm of the mean. Photon numbers taken from its images are too small where the pattern is bright. A measurement of intensities needs a correction, or another loss.
"""

# %% tags=["instructor"]
# Timing: PCA 15 min, penalties and noise 20, network 25, part 2 15, part 3 15.
# Common mistakes: angles of columns in place of planes; the variance used as a standard deviation; the logarithm blurred in
# place of the photons; the error of the loss from the number of pixels; a ReLU behind the correction.
# Discussion: (1) Which of the results would change with counts drawn after the speckle, preset="physics"? (2) Is a gap filled
# by the network a measurement? (3) What would a posterior (chapter 18) tell that the mean does not? (4) Hide a ring on purpose.
for question, answer in [("17.1-q1", 2), ("17.2-q1", 2), ("17.1-q2", 2), ("17.1-q3", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- An autoencoder compresses correlations. Where there are none, the error is $\sigma^2 (1 - d/N)$, however deep the network.
- A linear one finds the plane of the principal components, in a basis of its own. Compare planes by their principal angles.
- Penalties make codes sparse or stable; tied weights keep the network from evading them by rescaling.
- De-noising projects back onto where the data live, and answers with a mean where it is undecided.
- A loss is stated for test data, with an error, beside baselines at their best settings.
- A network holds for what it was trained on. Put the detector into the simulation, and test without the truth what was removed.
"""

# %%
check.summary()
