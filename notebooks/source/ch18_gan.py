# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 18, title: "Generative adversarial networks", level: 3, minutes: 90, sections: "18.2", data: [fashion_mnist], fast: {N_IMAGES: 3000, EPOCHS: 5, EPOCHS_CLASSIFIER: 3, N_JUDGED: 600}}
# ---
# %% [markdown]
r"""
# Generative adversarial networks

**You will**

- write the two losses of an adversarial pair so that they survive large numbers, and see why the generator is not trained with the one in the theory;
- measure how a divergence stops to say anything about two distributions that do not overlap, while a distance goes on;
- find the chessboard that some generators print on every picture, and two ways to avoid it;
- train a generator of garments against a discriminator, with every picture used once in an epoch;
- judge what it draws by numbers: a classifier between fakes and test pictures, the share of each of ten classes, and the distance from the nearest training picture.

**You need** convolutional networks (chapter 8), custom training loops (chapter 4), and the divergences of `ch18_vae`. **Time:** about 90 minutes; the cells themselves run in less than two.

**You will see** noise become garments, two losses that hardly tell you so, and four numbers that do.

The Wasserstein GAN stands in `ch18_wgan`; what makes adversarial trainings stable, and what to do with labels, in `ch18_examples`.
"""

# %% tags=["setup"]
from contextlib import suppress

from dlphys import autodiff, checks, datasets, metrics, plotting

check = checks.start("ch18_gan")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from tqdm import tqdm

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
LATENT = 32  # random numbers from which the generator makes a picture
N_IMAGES = 20_000  # training pictures, at most
BATCH = 50
EPOCHS = 9
RATE = 7e-4
EPOCHS_CLASSIFIER = 4
N_JUDGED = 2_000  # pictures in each sample that is compared

# %% [markdown]
r"""
## A game of two networks

A generator $g$ turns random numbers $z$ into a picture. How would one write a loss that says whether the picture looks real? One does not. A second network, the discriminator $d(x)$, learns to tell real pictures ($d = 1$) from fakes ($d = 0$), with the cross-entropy of any classifier (18.7),

$$ L_d = -E_{x \sim p}\left[\ln d(x)\right] - E_{z}\left[\ln\left(1 - d(g(z))\right)\right] , $$

and what it has learnt is the generator's loss. Both are trained in turn, one batch each. Once nobody can tell the difference $d = 1/2$ everywhere, and the game is over.

The discriminator's last layer gives a number $f$ of either sign, the **logit**, and $d = \sigma(f) = 1/(1 + e^{-f})$ (18.10). Whoever computes $d$ first and takes the logarithm then gets into trouble: for $f = -200$ a computer says $d = 0$ and $\ln d = -\infty$. Yet $\ln \sigma(f) = -\ln(1 + e^{-f})$ is $-200$, a harmless number.
`ops.softplus(f)` is $\ln(1 + e^{f})$ for every $f$.

**Your task.** Write the discriminator's loss from logits.
"""


# %% task="M18.5a" points=2
def discriminator_loss(real, fake):
    """Loss (18.7) of the discriminator: mean over the real pictures plus mean over the fakes.

    real, fake: tensors (n, 1), logits of d. Returns a scalar tensor, finite for logits of any size. With keras.ops.
    """
    ### BEGIN SOLUTION
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))
    ### END SOLUTION


# %% check="M18.5a"
check("M18.5a", discriminator_loss)

# %% [markdown]
r"""
**The best discriminator.** Let $p(x)$ be the density of real events and $q(x)$ that of the fakes. For each $x$ the loss is smallest for $d^*(x) = p/(p + q)$, which means $f^* = \ln(p/q)$: a perfect discriminator has learnt the likelihood ratio. Put in, the objective that it has maximised is

$$ -L_d = 2\,\mathrm{JS}(p, q) - \ln 4 , \qquad \mathrm{JS} = \tfrac12 D_\mathrm{KL}(p\,\|\,m) + \tfrac12 D_\mathrm{KL}(q\,\|\,m), \quad m = \tfrac12 (p + q) , $$

so a generator that wins against perfect discriminators minimises the Jensen-Shannon divergence. **The book prints (18.11) without the two factors 1/2**; its value is twice the usual one. We test both statements where everything is known, with two Gaussians on a grid: at $f^*$ the loss must have no slope in any bin.
"""

# %%
discriminator_loss = check.catch_up("M18.5a", discriminator_loss)
grid = np.linspace(-6, 6, 241)
p = np.exp(-0.5 * (grid + 1) ** 2)
q = np.exp(-0.5 * ((grid - 1.5) / 0.7) ** 2)
p, q = p / p.sum(), q / q.sum()
best_logit = np.log(p / q)


def loss_on_grid(logit):
    """Loss (18.7) where bin i has the probability p_i to be real and q_i to be fake."""
    return ops.sum(p * ops.softplus(-logit) + q * ops.softplus(logit))


slope_at_best = np.asarray(autodiff.gradient(loss_on_grid, best_logit))
slope_elsewhere = np.asarray(autodiff.gradient(loss_on_grid, best_logit + 0.5))
objective = -float(loss_on_grid(best_logit))
bits, _ = metrics.jensen_shannon(p, q)
usual = bits * np.log(2)  # in nats
drawn_real = random.choice(best_logit, size=(100_000, 1), p=p)
drawn_fake = random.choice(best_logit, size=(100_000, 1), p=q)
from_samples = -float(discriminator_loss(drawn_real, drawn_fake))
print(f"largest slope at the best discriminator {abs(slope_at_best).max():.1e}, half a unit away {abs(slope_elsewhere).max():.1e}")  # fmt: skip
print(f"objective {objective:.4f}, from 100 000 drawn events {from_samples:.4f}")
print(f"2 JS - ln 4 = {2 * usual - np.log(4):.4f} with the usual JS = {usual:.4f}; the book's (18.11) gives {2 * usual:.4f}")  # fmt: skip

# %% covers="M18.5"
check.claim("M18.5", abs(slope_at_best).max(), 0, tolerance=1e-9, wrong=abs(slope_elsewhere).max())

# %% covers="M18.5"
check.claim("M18.5", objective, 2 * usual - np.log(4), tolerance=1e-9, wrong=4 * usual - np.log(4))

# %% [markdown]
r"""
### Two losses for the generator

The zero-sum game asks the generator to minimise $\ln(1 - d)$ (18.8). With $d = \sigma(f)$ its derivative is

$$ \frac{\partial}{\partial f} \ln\left(1 - \sigma(f)\right) = -\frac{e^f}{1 + e^f} , $$

which vanishes where the discriminator is sure of a fake, $f \to -\infty$: exactly there, where the generator has most to learn. The usual way out keeps the aim and changes the loss: minimise $-\ln d$ instead. It falls, too, if the discriminator is deceived.

**Your task.** Write this second loss, $-\ln d$, from logits.
"""

# %%
check.predict("M18.5-q0", None, question="The discriminator is sure of a fake, f = -10. By what factor is the slope of -ln d steeper than that of ln(1 - d)? (power of ten)")  # fmt: skip


# %% task="M18.5b" points=1
def generator_loss(fake):
    """Loss of the generator that keeps its slope where the discriminator is sure: the mean of -ln d over the fakes.

    fake: tensor (n, 1), logits of d. Returns a scalar tensor, finite for logits of any size. With keras.ops.
    """
    ### BEGIN SOLUTION
    return ops.mean(ops.softplus(-fake))
    ### END SOLUTION


# %% check="M18.5b"
check("M18.5b", generator_loss)

# %%
generator_loss = check.catch_up("M18.5b", generator_loss)
logits = np.array([-10.0, -5.0, -2.0, 0.0])


def slope(loss, logits):
    """Size of the derivative of a loss for each logit alone."""
    return np.array([abs(float(autodiff.gradient(loss, np.array([[f]]))[0, 0])) for f in logits])


def saturating_loss(fake):
    """The mean of ln(1 - d), as in the zero-sum game."""
    return -ops.mean(ops.softplus(fake))


saturating, other = slope(saturating_loss, logits), slope(generator_loss, logits)
for f, first, second in zip(logits, saturating, other, strict=True):
    print(f"f = {f:5.0f}: slope of ln(1 - d) {first:.2g}, of -ln d {second:.5f}")
check.confront("M18.5-q0", np.log10(other[0] / saturating[0]))

# %% covers="M18.5"
check.claim("M18.5", np.log10(saturating[0]), np.log10(4.5e-5), tolerance=0.01, wrong=np.log10(other[0]))  # fmt: skip

# %% covers="M18.5"
check.claim("M18.5", saturating[1:], [6.7e-3, 0.119, 0.5], tolerance=5e-4, wrong=other[1:])

# %% covers="M18.5"
check.claim("M18.5", other, [0.99995, 0.9933, 0.8808, 0.5], tolerance=1e-4, wrong=saturating)

# %% [markdown]
r"""
### Distributions that do not overlap

In 784 dimensions real pictures lie on a thin surface, and the fakes at first on another one. They do not overlap, a perfect discriminator exists, and then the Jensen-Shannon divergence is a constant: $2 \ln 2$ in the book's form (18.11), whatever the distance. Its gradient is zero. The Wasserstein distance, mass times way, still says how far.
Two boxes of width 1 show it, the second shifted by $a$.
"""

# %%
shifts = np.linspace(0, 3, 31)
positions = (np.arange(200) + 0.5) / 200  # events that fill a box evenly
edges = np.linspace(0, 4, 81)
here, _ = np.histogram(positions, edges)
book_form, earth_mover = [], []
for a in shifts:
    there, _ = np.histogram(positions + a + 1e-9, edges)
    book_form.append(2 * np.log(2) * metrics.jensen_shannon(here, there, resamples=2)[0])
    earth_mover.append(metrics.wasserstein(positions, positions + a, resamples=2)[0])
book_form, earth_mover = np.array(book_form), np.array(earth_mover)
apart = shifts > 1.0001
slopes = {
    name: np.gradient(values, shifts)[apart][1:]
    for name, values in [("divergence", book_form), ("distance", earth_mover)]
}
print(f"disjoint boxes: divergence from {book_form[apart].min():.4f} to {book_form[apart].max():.4f}, slope {abs(slopes['divergence']).max():.1e}")  # fmt: skip
print(f"Wasserstein distance from {earth_mover[apart].min():.2f} to {earth_mover[apart].max():.2f}, slope {slopes['distance'].mean():.3f}")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
fine = np.linspace(-10, 6, 200)
axes[0].plot(fine, np.exp(fine) / (1 + np.exp(fine)), label="ln(1 - d)")
axes[0].plot(fine, 1 / (1 + np.exp(fine)), "--", label="-ln d")
axes[0].plot(logits, saturating, "o", color=plotting.COLOURS[0])
axes[0].plot(logits, other, "s", color=plotting.COLOURS[1])
axes[0].set(xlabel="logit f of a fake (sure of a fake on the left)", ylabel="size of the slope", title="Where the discriminator is sure,\none loss is silent")  # fmt: skip
axes[0].legend()
axes[1].plot(shifts, book_form, label="Jensen-Shannon, book's form (nats)")
axes[1].plot(shifts, earth_mover, "--", label="Wasserstein distance (box widths)")
axes[1].axhline(2 * np.log(2), color=plotting.GREY, lw=1, ls=":")
axes[1].annotate("2 ln 2", (2.6, 2 * np.log(2)), (2.6, 1.1), color=plotting.GREY)
axes[1].axvline(1, color=plotting.GREY, lw=1, ls=":")
axes[1].set(xlabel="shift a (box widths; no overlap above 1)", ylabel="how different", title="Without overlap the divergence\nno longer knows how far")  # fmt: skip
axes[1].legend()
plotting.show(
    "Left: sizes of the slopes of two generator losses against the logit; that of ln(1-d) vanishes for negative logits, that of -ln d "
    "tends to one there. Right: the divergence rises with the shift to 2 ln 2 and stays there, the Wasserstein distance rises on.",
    figure,
)

# %% covers="M18.5"
check.claim("M18.5", book_form[apart], np.full(apart.sum(), 2 * np.log(2)), tolerance=1e-9, wrong=book_form[:apart.sum()])  # fmt: skip

# %% covers="M18.5"
check.claim("M18.5", abs(slopes["divergence"]).max(), 0, tolerance=1e-9, wrong=1.0)

# %% covers="M18.5"
check.claim("M18.5", earth_mover, shifts, tolerance=1e-9, wrong=book_form)

# %%
check.quiz("M18.5-q1")

# %% [markdown]
r"""
## Example 18.5: rules for the two networks

**The generator** is a CNN read backwards: from the latent numbers a dense layer makes many small maps, `Reshape` puts them on a grid, and each block doubles the grid, by transposed convolution or by upsampling and an ordinary convolution. The last activation must cover the range of the data, and nothing else: a sigmoid for pixels from 0 to 1, tanh for
$-1$ to 1, ReLU for signals that are never negative. **The discriminator** is a classifier of pictures. What it does not have is max pooling.

Two of these rules can be counted. First, a transposed convolution with kernel 3 and stride 2 puts a copy of its kernel at every second pixel. Some pixels are reached by four copies, others by one. With kernel 4 each is reached by four. We send a constant picture through layers with all weights equal, and through 2000 with random weights.
"""


# %%
def doubling(kind, filters, weights):
    """A layer that doubles the size of a picture with one channel, without bias."""
    if kind == "upsampling, then kernel 3":
        after = layers.Conv2D(filters, 3, use_bias=False, kernel_initializer=weights, padding="same")  # fmt: skip
        return keras.Sequential([layers.UpSampling2D(2), after])
    size = 3 if kind == "transposed, kernel 3" else 4
    return layers.Conv2DTranspose(filters, size, 2, "same", use_bias=False, kernel_initializer=weights)  # fmt: skip


KINDS = ["transposed, kernel 3", "transposed, kernel 4", "upsampling, then kernel 3"]
constant = np.ones((1, 8, 8, 1), "float32")
equal, drawn, contrast, uneven = {}, {}, {}, {}
for kind in KINDS:
    gaussian = keras.initializers.RandomNormal(stddev=1.0, seed=check.seed)
    equal[kind] = np.asarray(doubling(kind, 1, "ones")(constant))[0, 2:-2, 2:-2, 0]
    drawn[kind] = np.asarray(doubling(kind, 2000, gaussian)(constant))[0, 2:-2, 2:-2]
    contrast[kind] = equal[kind].max() / equal[kind].min()
    variance = np.array([drawn[kind][i::2, j::2].var() for i in (0, 1) for j in (0, 1)])
    uneven[kind] = variance.max() / variance.min()
    ripple = drawn[kind].std(axis=(0, 1)).mean()
    print(f"{kind:26s} equal weights: brightest over darkest pixel {contrast[kind]:.2f}; "
          f"random weights: ratio of variances {uneven[kind]:.2f}, spread within a picture {ripple:.2f}")  # fmt: skip

# %%
figure, axes = plt.subplots(2, 3, figsize=(7.6, 5.2), layout="constrained")
for column, kind in enumerate(KINDS):
    axes[0, column].imshow(equal[kind], cmap="gray", vmin=0, vmax=10)
    axes[0, column].set_title(kind, fontsize=9)
    one = drawn[kind][..., 0]
    axes[1, column].imshow(one, cmap="gray", vmin=one.mean() - 3, vmax=one.mean() + 3)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("equal weights")
axes[1, 0].set_ylabel("one draw of weights")
figure.suptitle("A constant picture, doubled: only upsampling cannot print a pattern")
plotting.show(
    "Two rows of three pictures. With equal weights kernel 3 prints a chessboard, kernel 4 and upsampling do not. With random weights both "
    "transposed convolutions print a pattern of period two, upsampling none.",
    figure,
)

# %% covers="X18.5"
check.claim("X18.5", contrast["transposed, kernel 3"], 4, tolerance=1e-6, wrong=contrast["transposed, kernel 4"])  # fmt: skip

# %% covers="X18.5"
check.claim("X18.5", [contrast[kind] for kind in KINDS[1:]], [1, 1], tolerance=1e-6, wrong=[contrast[kind] for kind in KINDS[:2]])  # fmt: skip

# %% covers="X18.5"
check.claim("X18.5", [uneven[kind] for kind in KINDS[1:]], [1, 1], tolerance=0.4, wrong=[uneven[kind] for kind in KINDS[:2]])  # fmt: skip

# %% covers="X18.5"
check.claim("X18.5", np.ptp(drawn[KINDS[2]], axis=(0, 1)).max(), 0, tolerance=1e-5, wrong=np.ptp(drawn[KINDS[1]], axis=(0, 1)).max())  # fmt: skip

# %% [markdown]
r"""
With kernel 3 the uneven overlap is built in. With kernel 4 every pixel gets equally many contributions, and the training *may* make them equal; with untrained weights there is a pattern all the same. Upsampling makes equal neighbours, and the convolution treats all of them in the same way.

The second rule: the discriminator's gradient with respect to the pixels is all that the generator ever learns from. Max pooling passes it on to the largest of four pixels only. A convolution with stride 2 and kernel 4 passes it to each.
"""

# %%
noise = random.normal(size=(20, 16, 16, 1)).astype("float32")
strided = layers.Conv2D(8, 4, 2, "same")
reached = {
    name: np.mean(np.asarray(autodiff.gradient(layer, noise)) != 0)
    for name, layer in [("max pooling", layers.MaxPooling2D(2)), ("stride 2", strided)]
}
for name, share in reached.items():
    print(f"{name:12s} passes a gradient to {share:.0%} of the pixels")

# %% covers="X18.5"
check.claim("X18.5", [reached["max pooling"], reached["stride 2"]], [0.25, 1], tolerance=1e-9, wrong=[1, 1])  # fmt: skip

# %% [markdown]
r"""
## Exercise 18.1: a generator of garments

The pictures of Fashion-MNIST, 28 x 28 pixels in ten classes. The labels are not used in the training of the pair, only afterwards, to judge it.
"""

# %%
data = datasets.load_fashion_mnist()
NAMES = data.about.classes
garments = "drawn stand-ins" if data.about.source == "stand-in" else "Fashion-MNIST"
pictures, labels = data.x_train[:N_IMAGES], data.y_train[:N_IMAGES]
print(f"the garments are {garments}; pixels from {pictures.min():g} to {pictures.max():g}")
plotting.image_row(
    [data.x_test[data.y_test == k][0, ..., 0] for k in range(10)],
    NAMES,
    title="Ten kinds of garments, one after the other: what the generator is to draw",
)

# %% [markdown]
r"""
### Part 1: the networks, and a discriminator trained in advance

**Your task.** Build the generator, in this order: a dense layer to $7 \cdot 7 \cdot 32$ numbers, reshaped to 7 x 7 with 32 maps; twice as large with 16 maps; twice as large with one map. Double with transposed convolutions of kernel 4 and stride 2 (`padding="same"`). Batch normalisation (`momentum=0.9`, since the training is short) and ReLU after the first
two. Which activation comes last?
"""


# %% task="18.1a" points=2 covers="E18.1/1"
def build_generator(latent):
    """Generator, not compiled: (n, latent) random numbers to (n, 28, 28, 1) pixels from 0 to 1."""
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((latent,)),
            layers.Dense(7 * 7 * 32),
            layers.Reshape((7, 7, 32)),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2DTranspose(16, 4, 2, padding="same"),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2DTranspose(1, 4, 2, padding="same", activation="sigmoid"),
        ]
    )
    ### END SOLUTION


# %% check="18.1a"
check("18.1a", build_generator)

# %% [markdown]
r"""
**Your task.** Build the discriminator: two convolutions with kernel 4 and stride 2, 16 and 32 maps, each with a `LeakyReLU(negative_slope=0.2)` so that a gradient always passes; then flat, dropout of 0.3, a dense layer of 64 nodes with LeakyReLU, dropout of 0.3, and one number, the logit.
"""


# %% task="18.1b" points=2 covers="E18.1/1"
def build_discriminator():
    """Discriminator, not compiled: (n, 28, 28, 1) pixels to (n, 1) logits, large for a real picture."""
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.3),
            layers.Dense(1),
        ]
    )
    ### END SOLUTION


# %% check="18.1b"
check("18.1b", build_discriminator)

# %% [markdown]
r"""
The discriminator gets a start: real pictures against what the untrained generator makes. For this it is an ordinary classifier with ordinary labels.

**Your task.** Make the training set of this classifier.
"""


# %% task="18.1c" points=1 covers="E18.1/1"
def labelled_mixture(real, fake, seed):
    """Real and fake pictures in one shuffled set, each picture once, with labels.

    real: (n, ...), fake: (m, ...); seed: for np.random.default_rng. Returns x (n + m, ...), and y (n + m, 1) of type
    float32: 1 for real, 0 for fake.
    """
    ### BEGIN SOLUTION
    x = np.concatenate([real, fake])
    y = np.repeat(np.float32([1, 0]), [len(real), len(fake)])[:, None]
    order = np.random.default_rng(seed).permutation(len(x))
    return x[order], y[order]
    ### END SOLUTION


# %% check="18.1c"
check("18.1c", labelled_mixture)

# %% [markdown]
r"""
The accuracy that counts is that on pictures which were not in the training: the test set, and new fakes. The learning rate is small on purpose. With 0.001 the same 40 steps make a discriminator that is not only right but certain, with logits of $-15$ for every fake, and the generator spends hundreds of steps on coming back.
"""

# %%
build_generator = check.catch_up("18.1a", build_generator)
build_discriminator = check.catch_up("18.1b", build_discriminator)
labelled_mixture = check.catch_up("18.1c", labelled_mixture)
N_PRETRAINING = 1_000  # pictures of each kind
keras.utils.set_random_seed(check.seed)
generator, discriminator = build_generator(LATENT), build_discriminator()


def draw(generator, n, seed):
    """n new pictures of a generator."""
    z = np.random.default_rng(seed).uniform(-1, 1, (n, LATENT)).astype("float32")
    return generator.predict(z, batch_size=500, verbose=0)


untrained = draw(generator, N_PRETRAINING, seed=1)
x, y = labelled_mixture(pictures[:N_PRETRAINING], untrained, check.seed)
discriminator.compile(
    keras.optimizers.Adam(2e-4), keras.losses.BinaryCrossentropy(from_logits=True)
)
discriminator.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)

new_fakes = draw(generator, N_JUDGED, seed=2)
logit_real = discriminator.predict(data.x_test[:N_JUDGED], batch_size=500, verbose=0)
logit_fake = discriminator.predict(new_fakes, batch_size=500, verbose=0)
correct = np.concatenate([logit_real[:, 0] > 0, logit_fake[:, 0] < 0])
accuracy, accuracy_error = metrics.accuracy_with_error(correct)
mean_slope = {
    "ln(1 - d)": np.mean(1 / (1 + np.exp(-logit_fake))),
    "-ln d": np.mean(1 / (1 + np.exp(logit_fake))),
}
print(f"test accuracy of the discriminator trained in advance: {accuracy:.4f} +- {accuracy_error:.4f}")  # fmt: skip
print("mean size of the generator's slope in the logit: " + ", ".join(f"{name} {value:.3f}" for name, value in mean_slope.items()))  # fmt: skip

# %%
plotting.image_row(
    [*data.x_test[:4, ..., 0], *new_fakes[:4, ..., 0]],
    ["test picture"] * 4 + ["untrained"] * 4,
    title=f"The first fakes are grey; the discriminator tells {accuracy:.1%} of unseen pictures rightly",
)

# %% [markdown]
r"""
Nearly perfect, and no reason to be proud: the first fakes are grey noise. This is the situation of the figure above, with two distributions that do not overlap. The second number says what the generator's two losses would now pass on. (Adam divides every gradient by its usual size, and forgives a factor of ten. It does not forgive a factor of a million, which a discriminator with logits of $-15$ would mean.)

### Part 2: the main loop

In one epoch every picture is used once. (The official notebook draws each batch anew, *with* replacement: after an epoch of such draws the share $1/e = 37\,\%$ of the pictures has not been seen.)

**Your task.** Make the batches of one epoch, as indices.
"""


# %% task="18.1d" points=1 covers="E18.1/2"
def epoch_batches(n, batch, seed):
    """Indices of the pictures of each batch of one epoch: an array of whole numbers (n // batch, batch).

    Every picture is in at most one batch; only the n % batch last ones of a random order are left out. seed: for
    np.random.default_rng.
    """
    ### BEGIN SOLUTION
    order = np.random.default_rng(seed).permutation(n)
    return order[: n - n % batch].reshape(-1, batch)
    ### END SOLUTION


# %% check="18.1d"
check("18.1d", epoch_batches)

# %% [markdown]
r"""
Now the game. In each step: one batch of real pictures and one of latent numbers, **uniform** between $-1$ and 1. First the discriminator's turn: its loss on both, its gradients, its weights. Then the generator's: the discriminator judges the fakes, the gradient goes *through* the discriminator, and only the generator's weights change.

Three traps. The variables in `value_and_gradients` decide who learns; `trainable = False` is not needed, and in Keras 3 it would act at once and for good. Both networks are called with `training=True`, or batch normalisation and dropout do nothing. And the optimizers get `beta_1=0.5`: in a game, where the aim moves, a long momentum
overshoots. The learning rate falls to zero along a cosine, which calms the oscillations at the end. These optimizers are there already.

**Your task.** Complete the loop, with your two losses and your batches. `autodiff.value_and_gradients(loss, variables)` returns the value of a function `loss()` and its gradients, `optimizer.apply(gradients, variables)` takes the step, and `autodiff.compiled` compiles a function of tensors that does all this. Save both losses of each step, and after each epoch the pictures (with `training=False`) of the *same* latent numbers `fixed`. A training of a minute deserves a progress bar (`tqdm`), and should keep what it has when you interrupt it.
"""


# %% task="18.1e" points=4 covers="E18.1/2"
def train_gan(generator, discriminator, x, fixed, epochs, batch, rate, seed):
    """Train both networks in turn, one step each for each batch, and change their weights.

    x: (n, ...) real pictures; fixed: (m, latent) latent numbers; rate: first learning rate of both, which falls to 0;
    seed: for np.random.default_rng. Returns losses (steps, 2), first column the discriminator's, and drawn (epochs, m, ...),
    pictures of the generator for the latent numbers ``fixed`` after each epoch.
    """
    random = np.random.default_rng(seed)
    steps = epochs * (len(x) // batch)
    optimizers = []
    for model in (generator, discriminator):
        falling = keras.optimizers.schedules.CosineDecay(rate, steps)
        optimizers.append(keras.optimizers.Adam(falling, beta_1=0.5))
        optimizers[-1].build(model.trainable_variables)
    generator_optimizer, discriminator_optimizer = optimizers
    losses, drawn = [], []
    ### BEGIN SOLUTION

    @autodiff.compiled
    def step(real, z):
        fake = generator(z, training=True)
        loss_d, slopes = autodiff.value_and_gradients(
            lambda: discriminator_loss(
                discriminator(real, training=True), discriminator(fake, training=True)
            ),
            discriminator.trainable_variables,
        )
        discriminator_optimizer.apply(slopes, discriminator.trainable_variables)
        loss_g, slopes = autodiff.value_and_gradients(
            lambda: generator_loss(discriminator(generator(z, training=True), training=True)),
            generator.trainable_variables,
        )
        generator_optimizer.apply(slopes, generator.trainable_variables)
        return loss_d, loss_g

    progress = tqdm(total=steps, desc="GAN", unit="step", delay=2, leave=False)
    with suppress(KeyboardInterrupt):  # whoever stops the training keeps what was learnt so far
        for epoch in range(epochs):
            for rows in epoch_batches(len(x), batch, seed + epoch):
                z = random.uniform(-1, 1, (batch, fixed.shape[1])).astype("float32")
                losses.append([float(loss) for loss in step(x[rows], z)])
                progress.set_postfix_str("losses {:.2f} {:.2f}".format(*losses[-1]), refresh=False)
                progress.update()
            drawn.append(np.asarray(generator(fixed, training=False)))
    progress.close()
    ### END SOLUTION
    return np.array(losses), np.array(drawn)


# %% check="18.1e"
check("18.1e", train_gan)

# %%
discriminator_loss = check.catch_up("M18.5a", discriminator_loss)
generator_loss = check.catch_up("M18.5b", generator_loss)
epoch_batches = check.catch_up("18.1d", epoch_batches)
train_gan = check.catch_up("18.1e", train_gan)
fixed = random.uniform(-1, 1, (N_JUDGED, LATENT)).astype("float32")
before = np.asarray(generator(fixed[:16], training=False))
losses, drawn = train_gan(
    generator, discriminator, pictures, fixed, EPOCHS, BATCH, RATE, check.seed
)
fakes = drawn[-1]
logit_real = discriminator.predict(data.x_test[:N_JUDGED], batch_size=500, verbose=0)
logit_fake = discriminator.predict(fakes, batch_size=500, verbose=0)
correct = np.concatenate([logit_real[:, 0] > 0, logit_fake[:, 0] < 0])
final_accuracy, final_error = metrics.accuracy_with_error(correct)
last = losses[-len(losses) // 10 :].mean(axis=0)
print(f"{len(losses)} steps; mean losses of the last tenth: discriminator {last[0]:.2f}, generator {last[1]:.2f}")  # fmt: skip
print(f"accuracy of the discriminator on unseen pictures: {final_accuracy:.3f} +- {final_error:.3f}, before the game {accuracy:.3f}")  # fmt: skip

# %% [markdown]
r"""
### Part 3: pictures after each epoch, and what the losses tell

Follow one column from top to bottom: the latent numbers stay the same, only the generator changes. Look for a fine pattern with a period of two pixels; example 18.5 says where it comes from.
"""

# %%
figure, axes = plt.subplots(
    len(drawn) + 2, 16, figsize=(9, 0.6 * len(drawn) + 1.6), layout="constrained"
)
rows = {
    "before": before,
    **{f"epoch {k + 1}": sample for k, sample in enumerate(drawn)},
    "test": data.x_test,
}
for ax_row, (name, sample) in zip(axes, rows.items(), strict=True):
    for ax, picture in zip(ax_row, sample, strict=False):
        ax.imshow(picture[..., 0], cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    ax_row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
figure.suptitle(f"The same latent numbers after each epoch ({garments}); last row: test pictures")
plotting.show(
    "Rows of sixteen pictures: grey noise before the training, blurred shapes after the first epoch, shapes that change from epoch to "
    "epoch after the others, and test pictures in the last row.",
    figure,
)

# %% [markdown]
r"""
### Numbers beside the looks

Four questions to a sample of fakes, each put to another sample of test pictures as well.

1. **Can a classifier tell them from test pictures?** Boosted trees are trained with one half and judged by the other. An AUC of 0.5 is what two real samples give. Pixels would be too easy a task: real pictures have a ground of exactly zero, which no sigmoid reaches. So the trees see *features*, the last hidden layer of a network that was trained to name garments.
2. **Are all kinds there?** The same network names the fakes. The share of each class, and the entropy $H$ of the shares as an effective number of classes $e^H$, show a generator that has forgotten some.
3. **Precision and recall**: how many fakes lie where test pictures are, and how many test pictures lie where fakes are, again in the features.
4. **Are they new?** A generator that copies training pictures would pass all of the above. The distance to the nearest training picture would be zero.

**Your task.** Answer the second question from the network's probabilities: a picture belongs to its most probable class.
"""


# %% task="18.1f" points=2 covers="E18.1/3"
def class_coverage(probability):
    """Share of each class among the pictures, and effective number of classes exp(H), H the entropy of the shares.

    probability: (n, classes), of each class for each picture. Returns shares (classes,), which add up to 1, and a number
    from 1 (one class) to ``classes`` (equal shares). A class without a picture must not give NaN.
    """
    ### BEGIN SOLUTION
    named = probability.argmax(axis=1)
    shares = np.bincount(named, minlength=probability.shape[1]) / len(named)
    present = shares[shares > 0]
    return shares, np.exp(-np.sum(present * np.log(present)))
    ### END SOLUTION


# %% check="18.1f"
check("18.1f", class_coverage)

# %%
class_coverage = check.catch_up("18.1f", class_coverage)
classifier = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 4, 2, "same", activation="relu"),
        layers.Conv2D(32, 4, 2, "same", activation="relu"),
        layers.Flatten(),
        layers.Dense(32, activation="relu", name="features"),
        layers.Dense(10, activation="softmax"),
    ]
)
falling = keras.optimizers.schedules.CosineDecay(
    3e-3, EPOCHS_CLASSIFIER * -(-len(pictures) // BATCH)
)
classifier.compile(keras.optimizers.Adam(falling), "sparse_categorical_crossentropy")
classifier.fit(pictures, labels, batch_size=BATCH, epochs=EPOCHS_CLASSIFIER, verbose=0)
both = keras.Model(
    classifier.inputs, [classifier.get_layer("features").output, classifier.outputs[0]]
)


def named(sample):
    """Features (n, 32) and probabilities (n, 10) of pictures."""
    return both.predict(sample, batch_size=500, verbose=0)


features, probability = named(data.x_test[:N_JUDGED])
right = probability.argmax(axis=1) == data.y_test[:N_JUDGED]
print("accuracy of the network that names garments: {:.3f} +- {:.3f}".format(*metrics.accuracy_with_error(right)))  # fmt: skip

# %% [markdown]
r"""
Two more samples to compare with. The **baseline** needs no network: a Gaussian with the mean and the covariance of the training pictures, in all 784 pixels, cut at 0 and 1. And the **limit of memorising**: copies of training pictures.
"""

# %%
flat = pictures.reshape(len(pictures), -1)
variance, directions = np.linalg.eigh(np.cov(flat, rowvar=False))
spread = np.sqrt(np.maximum(variance, 0)) * random.normal(size=(N_JUDGED, 784))
gaussian = np.clip(flat.mean(axis=0) + spread @ directions.T, 0, 1).reshape(-1, 28, 28, 1)
samples = {
    "other test pictures": data.x_test[N_JUDGED : 2 * N_JUDGED],
    "GAN": fakes,
    "baseline: Gaussian": gaussian.astype("float32"),
    "training pictures, copied": pictures[:N_JUDGED],
}


def nearest_training_picture(sample):
    """Median of the distances to the nearest training picture, root mean square per pixel."""
    x = sample[:300].reshape(-1, 784)
    squares = (x**2).sum(1)[:, None] + (flat**2).sum(1) - 2 * x @ flat.T
    return np.sqrt(np.median(np.maximum(squares.min(axis=1), 0)) / 784)


told_apart, shares, effective, found, nearest = {}, {}, {}, {}, {}
for name, sample in samples.items():
    other, probability = named(sample)
    told_apart[name] = metrics.two_sample_test(features, other, seed=1)
    shares[name], effective[name] = class_coverage(probability)
    found[name] = metrics.precision_recall(features, other)
    nearest[name] = nearest_training_picture(sample)
    print(f"{name:26s} AUC {told_apart[name][0]:.3f} +- {told_apart[name][1]:.3f}, "
          f"effective classes {effective[name]:4.1f}, smallest share {shares[name].min():.3f}, "
          f"precision {found[name][0][0]:.2f} +- {found[name][0][1]:.2f}, recall {found[name][1][0]:.2f} +- {found[name][1][1]:.2f}, "
          f"nearest training picture {nearest[name]:.3f}")  # fmt: skip
way = {
    name: metrics.sliced_wasserstein(data.x_test[:1000], sample[:1000], seed=1, resamples=5)
    for name, sample in [("before the game", new_fakes), *list(samples.items())[:2]]
}
for name, (distance, error) in way.items():
    print(f"{name:26s} sliced Wasserstein distance {distance:.4f} +- {error:.4f} (grey levels)")
by_epoch = [metrics.two_sample_test(features, named(sample)[0], seed=1) for sample in drawn]

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.7), layout="constrained", width_ratios=[1.2, 1, 1.1])  # fmt: skip
width = max(len(losses) // 60, 1)
smooth = losses[: len(losses) // width * width].reshape(-1, width, 2).mean(axis=1)
middle = (np.arange(len(smooth)) + 0.5) * width
for k, (name, style) in enumerate([("discriminator", "-"), ("generator", "--")]):
    axes[0].plot(losses[:, k], color=plotting.COLOURS[k], lw=0.4, alpha=0.35)
    axes[0].plot(middle, smooth[:, k], style, color=plotting.COLOURS[k], label=name)
for value, name, side in [(2 * np.log(2), "2 ln 2", "bottom"), (np.log(2), "ln 2", "top")]:
    axes[0].axhline(value, color=plotting.GREY, lw=1, ls=":")
    axes[0].text(len(losses), value, name, ha="right", va=side, color=plotting.GREY)
axes[0].set(xlabel="step", ylabel="loss (nats)", ylim=(0, 1.3 * np.quantile(smooth, 0.97)), title="Two losses that do not say\nhow good the pictures are")  # fmt: skip
axes[0].legend(fontsize=8)
epochs = np.arange(1, len(drawn) + 1)
axes[1].errorbar(epochs, *np.transpose(by_epoch), fmt="o-", label="GAN")
for name, style in [("baseline: Gaussian", "--"), ("other test pictures", "-.")]:
    axes[1].axhline(told_apart[name][0], ls=style, color=plotting.GREY, label=name)
axes[1].set(xlabel="epoch", ylabel="AUC against test pictures", ylim=(0.45, 1.02), title=f"After {len(drawn)} epochs told apart\nwith AUC {by_epoch[-1][0]:.2f}")  # fmt: skip
axes[1].legend(fontsize=8)
place = np.arange(10)
for shift, name, colour in [(-0.27, "other test pictures", plotting.GREY), (0, "GAN", plotting.COLOURS[0]), (0.27, "baseline: Gaussian", plotting.COLOURS[1])]:  # fmt: skip
    axes[2].bar(place + shift, shares[name], 0.25, color=colour, label=name)
axes[2].set_xticks(place, NAMES, rotation=60, ha="right", fontsize=8)
axes[2].set(ylabel="share of the pictures", title=f"GAN: {effective['GAN']:.1f} effective classes,\nbaseline: {effective['baseline: Gaussian']:.1f}")  # fmt: skip
axes[2].legend(fontsize=8)
plotting.show(
    "Left: both losses against the step. Middle: the AUC of a classifier between fakes and test "
    "pictures against the epoch, with the values of a Gaussian baseline and of a second real sample. Right: shares of the ten classes among "
    "test pictures, fakes and the baseline.",
    figure,
)

# %%
check.claim("E18.1/1", accuracy, at_least=0.95, wrong=0.5)

# %%
check.claim("E18.1/1", mean_slope["-ln d"], at_least=0.7, wrong=mean_slope["ln(1 - d)"])

# %%
check.claim("E18.1/3", told_apart["other test pictures"][0], 0.5, tolerance=0.07, wrong=told_apart["baseline: Gaussian"][0])  # fmt: skip

# %%
check.claim("E18.1/3", way["GAN"][0] / way["before the game"][0], at_most=0.5, wrong=1.0)

# %%
check.claim("E18.1/3", nearest["GAN"] / nearest["other test pictures"], at_least=0.7, wrong=nearest["training pictures, copied"])  # fmt: skip

# %%
check.quiz("18.1-q1")

# %%
check.quiz("18.1-q2")

# %% [markdown] tags=["answer"]
r"""
**What the numbers say** (at full settings). The two losses settle after some hundred steps, not far from the values of an undecided discriminator (dotted). The pictures go on improving, and neither curve shows it: a better generator meets a better discriminator. The AUC of a fresh classifier against test pictures does show it, epoch by epoch; it ends between that of the Gaussian, which has the right mean and
covariance and no idea of a garment, and the 0.5 of a second sample of test pictures. So the fakes are good, and not yet right.

The shares of the classes say what is missing. A generator is not punished for leaving a kind out, as long as what it draws looks real; look for the class with the smallest share, then for it among the pictures. Precision and recall tell the two faults apart: fakes that look like nothing real, and real pictures that no fake
looks like. And the distance to the nearest training picture is as large as for test pictures: it has not copied. The last sample shows that only this number would have told. Copies have an AUC of 0.5.

The Gaussian has as many effective classes as the GAN, since a network that must name a blurred picture always finds a name. Shares are worth something only together with the precision.

**How often does it fail?** In three trainings on the drawn stand-ins, with different seeds, the AUC was 0.81, 0.85 and 0.86 (Gaussian 0.96), the effective number of classes 8.2 to 8.8, the precision 0.64 to 0.68 (Gaussian 0.28 to 0.33) and the recall 0.69 to 0.73. None of the three failed, and none drew all kinds as often as it should: the rarest kind, sneakers each time,
had 1 to 2 % of the fakes in place of 10 %. Three runs do not exclude a failure in ten. A failed training looks like this notebook at its fast settings, which stop after a few hundred steps: an AUC of almost 1, a few classes, and a precision that may be high all the same.
"""

# %% tags=["instructor"]
# Discussion: (1) Why is the discriminator's accuracy after the training no measure of the pictures? It was trained against this very generator, and with a learning rate that fell to zero.
# (2) Let students exchange -ln d for ln(1 - d). After this gentle head start the generator learns all the same, since Adam divides by the size of the gradient. After one at a learning rate of
# 0.001 the mean slope is 2e-7, and 400 steps later the discriminator's loss is still below 0.05. (3) With -ln d that head start ends with 7.5 effective classes in place of 8.8, at the same AUC; measured once.
# (4) Let them leave the cosine decay out: which epoch is best, and how would one know without the test pictures?
for question, answer in [("M18.5-q1", 2), ("18.1-q1", 3), ("18.1-q2", 4)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A discriminator gives the generator its loss; a perfect one knows the likelihood ratio, and then the loss is a Jensen-Shannon divergence.
- Compute losses from logits. Train the generator with $-\ln d$: its slope does not vanish where the discriminator is sure.
- Distributions that do not overlap all have the same Jensen-Shannon divergence, $2 \ln 2$ in the book's form; the Wasserstein distance still knows how far.
- Kernel 4 for stride 2, the last activation for the range of the data, strides in place of pooling.
- The variables given to the optimizer decide who learns. Draw without replacement; a uniform prior is a choice, and must be the same in training and use.
- The losses of a game say little. Count classes, let a fresh classifier compare, and look for copies.
"""

# %%
check.summary()
