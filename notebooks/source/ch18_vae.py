# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 18, title: "Generative models: manifolds, divergences, variational autoencoders", level: 2, minutes: 75, sections: "18.1", data: [mnist, spiral_galaxies], fast: {N_IMAGES: 3000, EPOCHS: 6, N_JUDGED: 1200, N_MANIFOLD: 1500}}
# ---
# %% [markdown]
r"""
# Generative models: manifolds, divergences, variational autoencoders

**You will**

- measure on how many dimensions pictures really live, and see why random pixels never make one;
- compute how different two distributions are, in both directions, and see what a fit does with either;
- build a variational autoencoder from its two pieces, a penalty and a way to differentiate through random numbers;
- turn the weight of the penalty, and see pictures become sharp while samples become wrong, or the reverse;
- let it invent galaxies, and judge them by numbers, beside another simulated sample.

**You need** autoencoders (chapter 17), the normal distribution, logarithms. **Time:** about 75 minutes; the cells themselves run in less than one.

**You will see** a network that draws galaxies that no telescope and no simulation has seen, and what gives them away.

Flows stand in `ch18_flows`.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.simulators import galaxies

check = checks.start("ch18_vae")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_MANIFOLD = 3_000  # pictures whose dimension is measured
N_IMAGES = 6_000  # digits to train with
EPOCHS = 12
N_GALAXIES = 5_000
EPOCHS_GALAXIES = 14
N_JUDGED = 2_000  # galaxies in each sample that is compared

# %% [markdown]
r"""
## Example 18.1: pictures in 120 000 dimensions

A colour picture of 200 x 200 pixels is a point in a space of $200 \cdot 200 \cdot 3 = 120\,000$ dimensions. With 256 values each there are $256^{120\,000}$ pictures, a number with almost 300 000 digits. Draw one at random, and it is noise. Draw as often as you like: it is noise.

What we call pictures is a tiny part of that space. Neighbouring pixels agree, edges are lines, things have shapes. The **manifold hypothesis** says: pictures of one kind lie near a surface with few dimensions. To generate one is to find a point of this surface, and few numbers must suffice to say which.

How many? Take a picture, and its two nearest neighbours at the distances $r_1 \le r_2$. On a surface of dimension $d$ the number of points within $r$ grows as $r^d$, so $\mu = r_2/r_1$ has the probability density $d\,\mu^{-d-1}$: with many dimensions the second neighbour is hardly farther away than
the first. Of $N$ such ratios the most likely dimension is (without bias)

$$ d = \frac{N - 1}{\sum_i \ln \mu_i}, \qquad \text{with the error } d/\sqrt{N} $$

(E. Facco et al., Sci. Rep. 7 (2017) 12140; it is not in the book.) No coordinates on the surface are needed.

**Your task.** Compute the dimension from the distances to the first and the second neighbour.
"""


# %% task="X18.1a" points=1
def intrinsic_dimension(first, second):
    """Dimension of the surface on which points lie, from their distances to the two nearest neighbours.

    first, second: (n,), distances with 0 < first <= second, in one unit. Returns a number.
    """
    ### BEGIN SOLUTION
    ratios = np.log(second / first)
    return (len(ratios) - 1) / ratios.sum()
    ### END SOLUTION


# %% check="X18.1a"
check("X18.1a", intrinsic_dimension)

# %% [markdown]
r"""
Three sets of pictures with 32 x 32 pixels: a spot that is moved to a random place (two numbers make a picture, so it should be 2), spiral galaxies without noise (the simulation draws eleven numbers for each; some hardly change the picture), and independent random pixels.
"""

# %%
intrinsic_dimension = check.catch_up("X18.1a", intrinsic_dimension)
rows, columns = np.mgrid[:32, :32]
place = random.uniform(10, 22, size=(2, N_MANIFOLD, 1, 1))
pictures = {
    "a spot somewhere": np.exp(-((rows - place[0]) ** 2 + (columns - place[1]) ** 2) / 32),
    "spiral galaxies": galaxies.simulate(N_MANIFOLD, seed=check.seed, noise=0.0).images,
    "random pixels": random.uniform(size=(N_MANIFOLD, 32, 32)),
}
dimension, spectrum = {}, {}
for name, images in pictures.items():
    flat = images.reshape(N_MANIFOLD, -1)
    distance, _ = NearestNeighbors(n_neighbors=3).fit(flat).kneighbors(flat)
    dimension[name] = intrinsic_dimension(distance[:, 1], distance[:, 2])
    spectrum[name] = PCA().fit(flat).explained_variance_ratio_.cumsum()
    needed = np.searchsorted(spectrum[name], 0.99) + 1
    print(
        f"{name:17s} dimension {dimension[name]:5.1f} +- {dimension[name] / N_MANIFOLD**0.5:.1f}, "
        f"principal components for 99 % of the variance: {needed}"
    )
print(f"digits of the number of all pictures: {120_000 * np.log10(256):,.0f}")

# %%
figure, axes = plt.subplots(1, 4, figsize=(12, 3.2), width_ratios=[1, 1, 1, 1.5])
axes[0].imshow(random.uniform(size=(200, 200, 3)), interpolation="nearest")
axes[0].set_title("120 000 random numbers", fontsize=9)
for ax, name in zip(axes[1:3], ["a spot somewhere", "spiral galaxies"], strict=True):
    ax.imshow(pictures[name][0], cmap="gray", vmin=0, vmax=1)
    ax.set_title(f"{name}:\n{dimension[name]:.1f} dimensions", fontsize=9)
for ax in axes[:3]:
    ax.axis("off")
for (name, share), style in zip(spectrum.items(), ["-", "--", ":"], strict=True):
    axes[3].plot(np.arange(1, 1025), share, style, label=name)
axes[3].set(xscale="log", xlabel="principal components", ylabel="share of the variance", title="A flat space that holds them needs more")  # fmt: skip
axes[3].legend()
plotting.show(
    "Four panels: a picture of random coloured pixels, which is noise; a spot; a galaxy; and the share of the variance "
    "against the number of principal components, which rises fast for spots and galaxies and slowly for random pixels.",
    figure,
)

# %% [markdown]
r"""
The measured dimension does not care that the surface is bent. Principal components do: they look for a plane that contains the surface, and even the two-dimensional set of spots needs many of them. For independent pixels the number is not 1024 either: with a few thousand points in so many dimensions one never
sees close neighbours, and the estimate is too low. It is a lower bound there, and far above the others.
"""

# %% covers="X18.1"
check.claim("X18.1", random.uniform(size=(200, 200, 3)).size, 120_000, wrong=40_000)
check.claim("X18.1", dimension["a spot somewhere"], 2, tolerance=0.2, wrong=3)
check.claim("X18.1", dimension["spiral galaxies"], at_most=11, wrong=40)
check.claim("X18.1", dimension["random pixels"], at_least=40, wrong=11)

# %% [markdown]
r"""
## Example 18.3: a divergence has a direction

A generator makes a distribution $q$ that should resemble the true one, $p$. The Kullback-Leibler divergence (18.6) says how far it is away, in nats:

$$ D_\mathrm{KL}(p \,\|\, q) = \sum_i p_i \ln\frac{p_i}{q_i} . $$

It is zero only if both are equal, and it is not symmetric. Where $p_i = 0$ it does not matter what $q$ does ($0 \ln 0 = 0$). Where $q_i = 0$ and $p_i > 0$ it is infinite: what happens has been declared impossible.

**Your task.** Compute it, with both special cases, and without a warning of NumPy.
"""


# %% task="X18.3a" points=2
def divergence(p, q):
    """Kullback-Leibler divergence D(p || q) in nats.

    p, q: (bins,), probabilities, each adding up to 1; both may hold zeros. Returns a number, np.inf if q is zero where p
    is not.
    """
    ### BEGIN SOLUTION
    happens = p > 0
    if (q[happens] == 0).any():
        return np.inf
    return (p[happens] * np.log(p[happens] / q[happens])).sum()
    ### END SOLUTION


# %% check="X18.3a"
check("X18.3a", divergence)

# %% [markdown]
r"""
Now a fit. The truth $p$ has two peaks; the model $q$ is one Gaussian with a mean $m$ and a width $s$ to choose. It cannot be right. In which way it is wrong depends on the direction:

- $D(p\,\|\,q)$, **forward**, punishes the model for having little where the truth is. It must cover both peaks. Maximum likelihood, and so every flow, minimises this one.
- $D(q\,\|\,p)$, **reverse**, punishes the model for having something where the truth has nothing. Better to sit on one peak and forget the other. Networks trained without data, only with an energy, minimise this one.
"""

# %%
check.predict("X18.3-q0", None, question="Two equal peaks at -2 and 2, width 0.6: which width does the best Gaussian get in the forward direction?")  # fmt: skip

# %%
divergence = check.catch_up("X18.3a", divergence)
x = np.linspace(-9, 9, 361)
two_peaks = stats.norm.pdf(x, -2, 0.6) + stats.norm.pdf(x, 2, 0.6)
two_peaks /= two_peaks.sum()
means, widths = np.linspace(-3, 3, 61), np.linspace(0.3, 3, 55)


def gaussian(mean, width):
    """Probabilities on the grid, none of which is zero."""
    q = np.exp(-0.5 * ((x - mean) / width) ** 2) + 1e-30
    return q / q.sum()


forward, reverse = np.empty((2, 55, 61))
for i, width in enumerate(widths):
    for j, mean in enumerate(means):
        q = gaussian(mean, width)
        forward[i, j], reverse[i, j] = divergence(two_peaks, q), divergence(q, two_peaks)
best = {}
for name, values in {"forward, D(p||q)": forward, "reverse, D(q||p)": reverse}.items():
    i, j = np.unravel_index(values.argmin(), values.shape)
    best[name] = (means[j], widths[i], values.min())
    print(
        f"{name}: mean {means[j]:+.2f}, width {widths[i]:.2f}, divergence {values.min():.3f} nats"
    )
check.confront("X18.3-q0", best["forward, D(p||q)"][1])

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.6))
axes[0].fill_between(x, two_peaks / 0.05, color=plotting.GREY, alpha=0.4, label="truth p")
for (name, (mean, width, _)), style in zip(best.items(), ["-", "--"], strict=True):
    axes[0].plot(x, gaussian(mean, width) / 0.05, style, label=f"best in {name}")
axes[0].set(
    xlim=(-6, 6), xlabel="x", ylabel="probability density", title="Cover both, or sit on one"
)
axes[0].legend(fontsize=8)
for ax, values, name in zip(axes[1:], [forward, reverse], best, strict=True):
    picture = ax.pcolormesh(means, widths, values, vmin=0, vmax=4, cmap="viridis_r", shading="nearest")  # fmt: skip
    ax.plot(*best[name][:2], "o", color="white", mec="black")
    ax.set(xlabel="mean m", ylabel="width s", title=name)
    figure.colorbar(picture, ax=ax, label="nats, cut at 4", extend="max")
plotting.show(
    "Left: a distribution with two peaks, a wide Gaussian over both and a narrow one on a single peak. Middle and right: "
    "the two divergences as maps of mean and width; the forward one has a minimum in the middle, the reverse one at each peak.",
    figure,
)

# %% [markdown]
r"""
The forward fit has the mean and the width of the truth, as maximum likelihood always gives for a Gaussian. The reverse fit is one of two equal minima; each misses half of the events, and pays only $\ln 2$ for it, since there $q$ is twice $p$. This is *mode collapse* in its simplest form: a price of 0.69 nats for
half of the physics.
"""

# %% covers="X18.3"
skewed, flat = np.array([0.7, 0.2, 0.1, 0.0]), np.full(4, 0.25)
check.claim("X18.3", divergence(skewed, flat), stats.entropy(skewed, flat), tolerance=1e-9, wrong=0)
check.claim("X18.3", divergence(flat, skewed) == np.inf, True, wrong=False)
check.claim("X18.3", best["forward, D(p||q)"][1], np.hypot(2, 0.6), tolerance=0.05, wrong=0.6)
check.claim("X18.3", abs(best["reverse, D(q||p)"][0]), 2, tolerance=0.1, wrong=0)
check.claim("X18.3", best["reverse, D(q||p)"][2], np.log(2), tolerance=0.02, wrong=0)

# %%
check.quiz("X18.3-q1")

# %% [markdown]
r"""
## The variational autoencoder

An autoencoder's code says which point of the surface a picture is. Why not draw codes at random, and decode them? Because nobody has told the encoder where in the code's space to put the pictures. Between them may be holes, and what the decoder makes of a hole is no picture.

A *variational* autoencoder repairs this in two ways. The encoder returns not a point but a Gaussian for each picture, $q(z|x)$ with the mean $\mu(x)$ and the standard deviation $\sigma(x)$; what is decoded is a random $z$ from it. And a second term in the loss draws all these Gaussians towards the standard normal
distribution (18.2),

$$ L = L_\mathrm{reco} + \lambda\, D_\mathrm{KL}\left[\,q(z|x)\,\|\,N(0, 1)\,\right] . $$

After the training the encoder is put aside: decode $z \sim N(0, 1)$.

For Gaussians the divergence has a closed form. **The book prints (18.5) with the opposite sign**, and without $\lambda$: minimising that would push the Gaussians away from each other without end. The correct term, summed over the dimensions of the code, is

$$ D_\mathrm{KL} = -\frac12 \sum_j \left(1 + \ln\sigma_j^2 - \mu_j^2 - \sigma_j^2\right) \;\ge\; 0 . $$

**Your task.** Compute it with `keras.ops`. The network gives $\ln\sigma^2$, which may be any number.
"""


# %% task="M18.1a" points=2
def divergence_from_normal(mean, log_variance):
    """Kullback-Leibler divergence of N(mean, exp(log_variance)) from N(0, 1) for each event, in nats.

    mean, log_variance: tensors (n, dimensions). Returns a tensor (n,), summed over the dimensions. With keras.ops.
    """
    ### BEGIN SOLUTION
    inside = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
    return -ops.sum(inside, axis=-1) / 2
    ### END SOLUTION


# %% check="M18.1a"
check("M18.1a", divergence_from_normal)

# %% [markdown]
r"""
A random number has no derivative. The **reparametrisation** (18.4) takes the randomness out of the network: draw $\varepsilon \sim N(0, 1)$ first, and compute $z = \mu + \sigma \varepsilon$, which can be differentiated by $\mu$ and $\sigma$.

**Your task.** Compute the code, again from $\ln\sigma^2$.
"""


# %% task="M18.1b" points=1
def draw_code(mean, log_variance, noise):
    """Code z, distributed as N(mean, exp(log_variance)) if the noise is as N(0, 1).

    mean, log_variance, noise: tensors (n, dimensions). Returns a tensor of this shape. With keras.ops.
    """
    ### BEGIN SOLUTION
    return mean + ops.exp(log_variance / 2) * noise
    ### END SOLUTION


# %% check="M18.1b"
check("M18.1b", draw_code)

# %% [markdown]
r"""
Both together make the model. It is a Keras model with a loss of its own: `compute_loss` gets what `call` has returned. The mean square error is in units of the variance of a pixel, `noise`: then $L_\mathrm{reco}$ is a negative log-likelihood in nats, like the divergence, and $\lambda = 1$ has a meaning. The sum of both is
an upper bound of $-\ln p(x)$, up to a constant; the difference is how far $q(z|x)$ is from the true distribution of codes of this picture. (A flow has no such gap: see `ch18_flows`.)
"""

# %%
divergence_from_normal = check.catch_up("M18.1a", divergence_from_normal)
draw_code = check.catch_up("M18.1b", draw_code)


class VariationalAutoencoder(keras.Model):
    """Encoder to 2 x dimensions numbers, decoder from a code; weight is lambda, noise the width of a pixel."""

    def __init__(self, encoder, decoder, *, weight, noise):
        super().__init__()
        self.encoder, self.decoder, self.weight, self.noise = encoder, decoder, weight, noise

    def call(self, x):
        mean, log_variance = ops.split(self.encoder(x), 2, axis=-1)
        z = draw_code(mean, log_variance, keras.random.normal(ops.shape(mean)))
        return self.decoder(z), mean, log_variance

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        reconstruction, mean, log_variance = y_pred
        squares = ops.sum(ops.reshape(ops.square(x - reconstruction), (ops.shape(x)[0], -1)), -1)
        penalty = divergence_from_normal(mean, log_variance)
        return ops.mean(squares / (2 * self.noise**2) + self.weight * penalty)


def train(model, x, *, epochs, batch, rate):
    """Train with a learning rate that falls to zero along a cosine."""
    steps = epochs * -(-len(x) // batch)
    rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(keras.optimizers.Adam(rate), jit_compile=False, steps_per_execution=10)
    model.fit(x, batch_size=batch, epochs=epochs, verbose=0)
    return model


# %% [markdown]
r"""
### What the weight does

Handwritten digits, a code of eight numbers, and four weights $\lambda$ from 0.01 to 30. Four things to look at, on digits that were not used for training:

- the mean square error of the reconstruction;
- the divergence: how many nats the code tells about the picture;
- the second moment of all codes together, $\langle \mu^2 + \sigma^2 \rangle$, which is 1 if they fill the normal distribution from which we shall draw;
- the samples: the sliced Wasserstein distance of invented digits from given ones, in the 20 largest principal components. The same distance between two sets of given digits is what a perfect generator would have.
"""

# %%
digits = datasets.load_mnist()
flat_digits = digits.x_train[:N_IMAGES].reshape(N_IMAGES, 784)
unseen = digits.x_test[:4000].reshape(-1, 784)
components = PCA(20).fit(flat_digits)
PIXEL_NOISE = 0.25  # typical error of a pixel: what lambda = 1 is measured in
WEIGHTS = [0.01, 0.3, 3.0, 30.0]


def digit_model(weight, dimensions=8):
    """Dense encoder and decoder, each with one hidden layer of 256."""
    encoder = keras.Sequential([keras.Input((784,)), layers.Dense(256, "relu"), layers.Dense(2 * dimensions)])  # fmt: skip
    decoder = keras.Sequential([keras.Input((dimensions,)), layers.Dense(256, "relu"), layers.Dense(784, "sigmoid")])  # fmt: skip
    return VariationalAutoencoder(encoder, decoder, weight=weight, noise=PIXEL_NOISE)


scan, invented = {}, {}
for weight in WEIGHTS:
    model = train(digit_model(weight), flat_digits, epochs=EPOCHS, batch=100, rate=3e-3)
    reconstruction, mean, log_variance = model.predict(unseen, batch_size=1000, verbose=0)
    code = random.normal(size=(2000, 8))
    invented[weight] = model.decoder.predict(code, batch_size=1000, verbose=0)
    scan[weight] = {
        "error": np.mean((unseen - reconstruction) ** 2),
        "nats": float(np.mean(divergence_from_normal(mean, log_variance))),
        "second moment": np.mean(mean**2 + np.exp(log_variance)),
        "distance": metrics.sliced_wasserstein(
            components.transform(unseen[:2000]), components.transform(invented[weight]), seed=1
        ),
    }
    print(
        f"lambda {weight:5.2f}: mean square error {scan[weight]['error']:.4f}, code {scan[weight]['nats']:5.1f} nats, "
        f"second moment {scan[weight]['second moment']:5.2f}, "
        f"distance of samples {scan[weight]['distance'][0]:.3f} +- {scan[weight]['distance'][1]:.3f}"
    )
possible = metrics.sliced_wasserstein(
    components.transform(unseen[:2000]), components.transform(unseen[2000:]), seed=1
)
print(f"two sets of given digits: distance {possible[0]:.3f} +- {possible[1]:.3f}")

# %%
figure = plt.figure(figsize=(12, 4.4), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1.25, 1])
for ax, image in zip(
    left.subplots(5, 9).flat,
    np.concatenate([unseen[7::440][:9], *(invented[weight][:9] for weight in WEIGHTS)]),
    strict=True,
):
    ax.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
for ax, name in zip(left.axes[::9], ["given", *(f"{weight:g}" for weight in WEIGHTS)], strict=True):
    ax.set_ylabel(name)
left.suptitle(f"Invented digits for each lambda ({digits.about.source} data)")
axes = right.subplots(2, 1, sharex=True)
axes[0].plot(WEIGHTS, [scan[weight]["error"] for weight in WEIGHTS], "o-")
axes[0].set(ylabel="mean square error\nof reconstructions", title="Good copies and good samples are two aims")  # fmt: skip
axes[1].errorbar(WEIGHTS, *np.transpose([scan[weight]["distance"] for weight in WEIGHTS]), fmt="s-", color=plotting.COLOURS[1])  # fmt: skip
axes[1].axhline(possible[0], ls="--", color=plotting.GREY, label="two sets of given digits")
axes[1].set(xscale="log", xlabel="weight of the divergence, lambda", ylabel="distance of samples", ylim=(0, None))  # fmt: skip
axes[1].legend()
plotting.show(
    "Left: rows of given digits and of invented ones for four weights; with the smallest weight they are broken, with the "
    "largest blurred. Right: the reconstruction error rises with the weight, while the distance of the samples has a minimum.",
    figure,
)

# %% covers="M18.1"
drawn = 0.7 + 0.5 * random.normal(size=400_000)
log_ratio = stats.norm.logpdf(drawn, 0.7, 0.5) - stats.norm.logpdf(drawn)
closed_form = float(
    divergence_from_normal(np.array([[0.7]]), np.array([[np.log(0.25)]]))[0]
)  # the printed (18.5) would be its negative
errors, moments, distances = (
    [scan[weight][name] for weight in WEIGHTS] for name in ("error", "second moment", "distance")
)
check.claim("M18.1", closed_form, log_ratio.mean(), tolerance=0.01, wrong=-closed_form)
check.claim("M18.1", errors[3] / errors[0], at_least=1.2, wrong=1.0)
check.claim("M18.1", moments[0], at_least=2.0, wrong=1.0)
check.claim("M18.1", moments[3], 1.0, tolerance=0.25, wrong=2.0)
check.claim("M18.1", distances[0][0] - distances[2][0], at_least=5 * distances[2][1], wrong=0.0)

# %% [markdown]
r"""
With a small $\lambda$ the copies are best and the samples worst: the codes spread far beyond the normal distribution, and what is drawn from it lies in the middle of nothing. With a large one the code says little, and the samples resemble an average. At $\lambda = 1$ the loss is a bound of the likelihood; nobody has promised that the
samples are best there, and here they profit from a larger value. Values above 1 are also used on purpose, to make the dimensions of a code independent of each other ("beta-VAE").
"""

# %%
check.quiz("M18.1-q1")

# %% [markdown]
r"""
## Example 18.2: a variational autoencoder of galaxies

Now galaxies with two spiral arms, 32 x 32 pixels. The encoder has three convolutions with strides, the decoder three dense layers, the code 16 numbers.

**How does one judge an invented galaxy?** Not by looking. We measure five quantities of each picture, as an astronomer would: the total light, its mean distance from the centre, how elongated it is, how much brighter the centre is than the mean, and how much fine structure there is (the share of the light that a
blur takes away). For each: the Wasserstein distance from simulated galaxies, in units of the quantity's own width, beside the distance between two simulated samples. And for all together: how well boosted trees tell invented from simulated galaxies (AUC; 0.5 would be perfect).

Two ways to draw a code are compared. The first is the textbook's, $z \sim N(0, 1)$. It assumes that the codes of all galaxies together fill the normal distribution, and that is only what the penalty wishes for: a circle of directions, or a choice of left and right, does not fit into a Gaussian without gaps. The second asks where the codes
really are: a mixture of 40 Gaussians, fitted to the codes of the training galaxies. As a **baseline**, no network at all: a Gaussian in the 16 largest principal components. The simulated pictures have noise in every pixel; the same noise is added to what the generators draw, since an average picture is all that they can learn.
"""

# %%
BOOK_NOISE = 0.04  # of a pixel in the simulation
sample = galaxies.simulate(N_GALAXIES + 2 * N_JUDGED, seed=check.seed).images[..., None]
known, first, second = np.split(sample, [N_GALAXIES, N_GALAXIES + N_JUDGED])


def galaxy_model(dimensions=16):
    """Convolutional encoder and dense decoder for pictures of 32 x 32 pixels."""
    encoder = keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(16, 5, 2, "same", activation="relu"),
            layers.Conv2D(32, 3, 2, "same", activation="relu"),
            layers.Conv2D(48, 3, 2, "same", activation="relu"),
            layers.Flatten(),
            layers.Dense(2 * dimensions),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((dimensions,)),
            layers.Dense(128, "relu"),
            layers.Dense(256, "relu"),
            layers.Dense(1024, "sigmoid"),
            layers.Reshape((32, 32, 1)),
        ]
    )
    return VariationalAutoencoder(encoder, decoder, weight=1.0, noise=0.1)


galaxy_vae = train(galaxy_model(), known, epochs=EPOCHS_GALAXIES, batch=50, rate=3e-3)
copies, _, _ = galaxy_vae.predict(first, verbose=0)
_, mean, log_variance = galaxy_vae.predict(known, verbose=0)
codes = np.asarray(draw_code(mean, log_variance, random.normal(size=mean.shape)))
mixture = GaussianMixture(40, random_state=check.seed).fit(codes)
plane = PCA(16).fit(known.reshape(-1, 1024))
drawn_planes = random.normal(size=(N_JUDGED, 16)) * np.sqrt(plane.explained_variance_)


def noisy(images):
    """As a telescope would see them."""
    return np.clip(images + random.normal(0, BOOK_NOISE, images.shape), 0, 1).astype("float32")


samples = {
    "simulated again": second,
    "normal codes": noisy(galaxy_vae.decoder.predict(random.normal(size=(N_JUDGED, 16)), verbose=0)),
    "codes from the mixture": noisy(galaxy_vae.decoder.predict(mixture.sample(N_JUDGED)[0], verbose=0)),
    "baseline: components": noisy(plane.inverse_transform(drawn_planes).reshape(first.shape)),
}  # fmt: skip

# %%
centred = np.arange(32) - 15.5
x_squared, y_squared = centred[None, :] ** 2, centred[:, None] ** 2
radius = np.sqrt(x_squared + y_squared)
WINDOW = np.ones(3) / 3


def observables(images):
    """Five numbers of each picture (n, 32, 32, 1): columns of an array (n, 5)."""
    images = images[..., 0].astype("float64")
    light = images.sum(axis=(1, 2))
    mean_radius = (images * radius).sum(axis=(1, 2)) / light
    along, across = (images * x_squared).sum((1, 2)), (images * y_squared).sum((1, 2))
    slanted = (images * centred[None, :] * centred[:, None]).sum((1, 2))
    elongation = np.hypot(along - across, 2 * slanted) / (along + across)
    concentration = images[:, 14:18, 14:18].mean((1, 2)) / images.mean((1, 2))
    blurred = np.apply_along_axis(np.convolve, 1, images, WINDOW, "same")
    blurred = np.apply_along_axis(np.convolve, 2, blurred, WINDOW, "same")
    fine = np.abs(images - blurred).sum((1, 2)) / light
    return np.stack([light, mean_radius, elongation, concentration, fine], axis=1)


NAMES = ["light", "mean radius (pixels)", "elongation", "central brightness", "fine structure"]  # fmt: skip
reference = observables(first)
measured = {name: observables(images) for name, images in samples.items()}
judged, told_apart = {}, {}
for name, values in measured.items():
    judged[name] = [
        metrics.wasserstein(reference[:, k] / reference[:, k].std(), values[:, k] / reference[:, k].std(), resamples=20)
        for k in range(5)
    ]  # fmt: skip
    told_apart[name] = metrics.two_sample_test(reference, values, seed=1)
    print(f"{name}: told apart with AUC {told_apart[name][0]:.3f} +- {told_apart[name][1]:.3f}")
    for quantity, (distance, error) in zip(NAMES, judged[name], strict=True):
        print(f"  {quantity:27s} W1 = {distance:.3f} +- {error:.3f} widths")
print(f"mean square error of copies {np.mean((first - copies) ** 2):.4f}, of which noise {BOOK_NOISE**2:.4f}; second moment of the codes {np.mean(codes**2):.2f}")  # fmt: skip

# %%
GENERATORS = {"normal codes": ":", "codes from the mixture": "-", "baseline: components": "--"}
figure = plt.figure(figsize=(12, 7.4), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[1.5, 1])
shown = {"simulated": first, "their copies": copies, **{name: samples[name] for name in GENERATORS}}  # fmt: skip
for ax_row, (name, images) in zip(above.subplots(5, 14), shown.items(), strict=True):
    for ax, image in zip(ax_row, images, strict=False):
        ax.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    ax_row[0].set_ylabel(name, rotation=0, ha="right", va="center")
for k, ax in enumerate(below.subplots(1, 5)):
    edges = np.linspace(*np.quantile(reference[:, k], [0.002, 0.998]), 31)
    share = np.full(N_JUDGED, 1 / N_JUDGED)  # galaxies outside of the bins are missing in the sum
    ax.hist(reference[:, k], edges, weights=share, color=plotting.GREY, alpha=0.4, label="simulated")  # fmt: skip
    for (name, style), colour in zip(GENERATORS.items(), plotting.COLOURS, strict=False):
        ax.hist(measured[name][:, k], edges, weights=share, histtype="step", ls=style, color=colour, label=name)  # fmt: skip
    ax.set(xlabel=NAMES[k], yticks=[])
below.axes[0].set_ylabel("share of galaxies")
below.axes[0].legend(fontsize=7)
plotting.show(
    "Rows of galaxies: simulated, copied, decoded from normal codes and from codes of the mixture, and from principal components. "
    "Below, histograms of light, mean radius, elongation, central brightness and fine structure for all of them.",
    figure,
)

# %% [markdown]
r"""
A walk through the code from one galaxy to another: every step is a picture, and most of them look like a galaxy. Between the same two pictures a plain average shows both at once.
"""

# %%
_, ends, _ = galaxy_vae.predict(first[:2], verbose=0)
share = np.linspace(0, 1, 9)[:, None]
walk = galaxy_vae.decoder.predict((1 - share) * ends[0] + share * ends[1], verbose=0)
average = (1 - share[..., None, None]) * first[0] + share[..., None, None] * first[1]
figure, axes = plt.subplots(2, 9, figsize=(10, 2.6))
for ax, image in zip(axes.flat, [*walk, *average], strict=True):
    ax.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("in the code")
axes[1, 0].set_ylabel("pixel by pixel")
figure.suptitle("From one galaxy to another")
plotting.show(
    "Two rows of nine pictures from one galaxy to another: decoded from codes in between, and averaged pixel by pixel.",
    figure,
)

# %% covers="X18.2"
distances = {name: np.array([value for value, _ in pairs]) for name, pairs in judged.items()}
PROFILE = [0, 1, 3]  # light, mean radius, central brightness
check.claim("X18.2", told_apart["simulated again"][0], 0.5, tolerance=0.06, wrong=0.9)
gain = told_apart["normal codes"][0] - told_apart["codes from the mixture"][0]
gain_error = np.hypot(told_apart["normal codes"][1], told_apart["codes from the mixture"][1])
check.claim("X18.2", gain, at_least=3 * gain_error, wrong=0.0)
check.claim("X18.2", distances["codes from the mixture"].mean(), at_most=distances["normal codes"].mean() / 2, wrong=distances["normal codes"].mean())  # fmt: skip
check.claim("X18.2", distances["codes from the mixture"][PROFILE].mean(), at_most=distances["normal codes"][PROFILE].mean() / 2, wrong=distances["normal codes"][PROFILE].mean())  # fmt: skip

# %% [markdown]
r"""
Drawn from the normal distribution, many codes fall into gaps, and the galaxies have the wrong light and the wrong size. Drawn from where the codes are, light, size and centre come out nearly right: compare the distances with those of a second simulated sample, and with the baseline. The trees still see a difference, and the histograms say where: galaxies are not elongated enough and have too little fine structure. The mean over all
pictures that a code may stand for is smooth. It is the price of the square loss, which punishes an arm at the wrong place twice, and a missing arm once. And the principal components? They have the right mean and variance by construction, and no idea of an arm; look at the pictures.
"""

# %%
check.quiz("X18.2-q1")

# %% tags=["instructor"]
# Discussion: (1) Why not choose lambda by the quality of the samples? One may, but then the bound on the likelihood is lost. (2) With more dimensions of the code the copies improve, and
# some dimensions stay unused: sigma = 1, mu = 0 for all pictures. Let students find them. (3) The noise parameter and lambda are one number: only lambda * noise^2 matters for the optimum.
for question, answer in [("X18.3-q1", 2), ("M18.1-q1", 3), ("X18.2-q1", 1)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Pictures live near surfaces of few dimensions; to generate is to find a point of the surface.
- Forward divergence covers, reverse divergence chooses. A generator that forgets half of the events pays ln 2 nats.
- A variational autoencoder gives each picture a Gaussian of codes and draws all of them towards one normal distribution, so that drawn codes mean something.
- The KL term of the book's (18.5) has the wrong sign. Test such a term: a divergence is never negative.
- Judge samples by observables that were not in the loss, beside the distance of two simulated samples.
"""

# %%
check.summary()
