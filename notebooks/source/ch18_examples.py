# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 18, title: "Adversarial networks: stabilised, conditioned, extrapolating", level: 3, minutes: 80, sections: "18.2, 18.4", data: [shower_footprints], fast: {SEEDS: 4, STEPS_RING: 1000, N_SHOWERS: 5000, STEPS_SHOWERS: 300}}
# ---
# %% [markdown]
r"""
# Adversarial networks: stabilised, conditioned, extrapolating

**You will**

- see how far a critic may tilt, and three ways to hold it: clipped weights, a penalty on its slope, normalised matrices;
- find the largest stretching of a matrix without diagonalising anything;
- count, over ten starts, how many of eight modes each way keeps, and how often it fails;
- tell a generator of air showers which energy you want, in two ways, and have a third network judge whether it obeys;
- ask a generator for a value that it has never seen, where the answer is known exactly.

**You need** the two networks of `ch18_gan` and the gradient penalty of `ch18_wgan`. **Time:** about 80 minutes; the cells themselves run in about a minute.

**You will see** a generator that ignores a wish until somebody asks for its fulfilment.

A calorimeter with a held-out energy stands in `ch18_calorimeter`.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.layers import gradient_penalty

check = checks.start("ch18_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy.special import digamma
from tqdm import tqdm

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
SEEDS = 10  # starts of each method on the ring, trained side by side
STEPS_RING = 1_500  # generator steps of each method
N_SHOWERS = 10_000
STEPS_SHOWERS = 900  # generator steps for each generator of footprints
STEPS_VACUA = 1_000  # generator steps for the matrices

# %% [markdown]
r"""
## Section 18.2: how far may a critic tilt?

The Wasserstein distance is the largest mean difference $\mathbb{E}[d(x)] - \mathbb{E}[d(\tilde x)]$ of all functions $d$ whose slope is nowhere above 1 (18.12). Without the limit a critic could grow for ever; with it, its slope tells the generator where to go even when real and generated events are far apart.
Nobody can search all functions of slope 1. Three ways to hold the network instead:

- **clipping**: after each step cut every weight to $[-c, c]$. The first WGAN did this. It bounds the slope, by something that depends on $c$, width and depth;
- **gradient penalty** (18.13): add $\lambda\,\big(\lVert\nabla d(u)\rVert - 1\big)^2$ at random points $u$ between real and generated events;
- **spectral normalisation** (18.14): divide each weight matrix by its largest stretching factor,

$$ W \to \frac{W}{\sigma(W)}, \qquad \sigma(W) = \max_{x \ne 0} \frac{\lVert x W\rVert}{\lVert x\rVert}. \tag{18.14, 18.15} $$

(We write events as rows, as Keras does.) A chain of layers stretches by no more than the product of their factors, and a LeakyReLU stretches nothing. So a network of normalised layers has a slope of at most 1, everywhere, by construction.

$\sigma$ is the largest singular value of $W$. A full decomposition at each training step would be expensive. The **power iteration** is not: send a vector through $W$ and back through $W^T$, again and again. Each round multiplies its component along the $i$-th singular vector by $\sigma_i^2$. The largest wins.

**Your task.** Write it with `keras.ops` (here `ops`), such that it works for one matrix and for a stack of matrices.
"""


# %% task="M18.3a" points=3 covers="M18.3"
def power_iteration(matrix, direction, steps):
    """Largest singular value of a matrix, or of each matrix of a stack, after some rounds through W and back.

    matrix: (..., inputs, outputs); direction: (..., 1, inputs), the vector to begin with; steps: rounds, 1 or more.
    Returns sigma (..., 1, 1), by how much the final direction is stretched, and this direction (..., 1, inputs), of length 1.
    """
    ### BEGIN SOLUTION
    for _ in range(steps):
        there = ops.matmul(direction, matrix)
        direction = ops.matmul(there, ops.swapaxes(matrix, -1, -2))
        direction = direction / ops.norm(direction, axis=-1, keepdims=True)
    return ops.norm(ops.matmul(direction, matrix), axis=-1, keepdims=True), direction
    ### END SOLUTION


# %% check="M18.3a"
check("M18.3a", power_iteration)

# %% [markdown]
r"""
How many rounds does it need? That depends on how far the second singular value is behind the first. We compare with NumPy's full decomposition, for a random matrix, where the two are close, and for one with a clear winner, as trained layers tend to have.
"""

# %%
power_iteration = check.catch_up("M18.3a", power_iteration)
crowded = random.normal(size=(64, 64)) / 8
one_wins = crowded + 3 * np.outer(*random.normal(size=(2, 64))) / 64
rounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
missing = {}
figure, axis = plt.subplots(figsize=(6.8, 3.6))
for name, matrix, style in [("random", crowded, "o-"), ("one wins", one_wins, "s--")]:
    first, second = np.linalg.svd(matrix, compute_uv=False)[:2]
    start = random.normal(size=(1, 64))
    found = [float(power_iteration(matrix, start, n)[0][0, 0]) for n in rounds]
    missing[name] = 1 - np.array(found) / first
    label = f"{name}: second / first = {second / first:.2f}"
    axis.plot(rounds, np.maximum(missing[name], 1e-7), style, label=label)
axis.axhline(1e-3, color=plotting.GREY, ls=":", label="one in a thousand")
axis.set(
    xscale="log",
    yscale="log",
    xlabel="rounds",
    ylabel="missing part of $\\sigma$",
    title="From below, and fast where one direction wins",
)
axis.legend()
plotting.show(
    "What the power iteration misses of the largest singular value against the number of rounds, for two matrices of "
    "64 x 64: it falls slowly for a random matrix and within a few rounds where one singular value is far above the others.",
    figure,
)

# %% [markdown]
r"""
Weights change little from one training step to the next. So keep the direction, and do **one** round per step: the iteration runs along with the training. Keras has this as a layer around a layer, `SpectralNormalization`; each call with `training=True` does a round and divides the kernel.
"""

# %%
wrapped = layers.SpectralNormalization(layers.Dense(32, kernel_initializer="he_normal"))
events = random.normal(size=(8, 64)).astype("float32")
wrapped(events)
before = np.linalg.svd(np.asarray(wrapped.layer.kernel), compute_uv=False)[0]
for _ in range(100):
    wrapped(events, training=True)
after = np.linalg.svd(np.asarray(wrapped.layer.kernel), compute_uv=False)[0]
print(f"largest singular value of the kernel: {before:.3f}, after 100 calls {after:.4f}")

# %% covers="M18.3"
check.claim("M18.3", missing["one wins"][-1], at_most=1e-3, wrong=missing["one wins"][0])
check.claim("M18.3", missing["random"][-1], at_most=1e-3, wrong=missing["random"][0])
check.claim("M18.3", after, 1, tolerance=1e-3, wrong=before)

# %% [markdown]
r"""
### The ring of eight Gaussians

Real events: eight narrow Gaussians on a circle, equally often. A generator that makes good points in three of them fools its critic well and has lost most of the physics. We count the modes that get at least a fifth of their share, and do it for several starts, because adversarial training is a lottery.

Four methods: the plain GAN with the loss (18.7) and (18.16), clipped weights, the gradient penalty, and spectral normalisation (with the GAN's loss, as in its paper). All have the same networks, batches, number of steps and optimizer. The GAN and the two Wasserstein critics get two updates
for each of the generator, spectral normalisation only one: that this suffices is one of its merits, says the book.

**A trick for many starts:** all starts are trained side by side, as one network whose weights have a leading axis for the start. `ops.matmul` multiplies stacks of matrices as easily as one, and no start ever sees another.
"""

# %%
check.predict("M18.3-q0", None, question="Plain GAN, many starts: how many of the eight modes are covered on average?")  # fmt: skip

# %%
ANGLE = 2 * np.pi * np.arange(8) / 8
CENTRES = 2 * np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=1).astype("float32")
BATCH, LATENT, WIDTH = 64, 4, 64
CLIP, PENALTY = 0.1, 1.0
CRITIC_UPDATES = {"GAN": 2, "clipping": 2, "penalty": 2, "spectral": 1}


def real_points(n):
    """Points of the ring, drawn anew, (SEEDS, n, 2)."""
    mode = keras.random.randint((SEEDS, n), 0, 8)
    return ops.take(CENTRES, mode, axis=0) + 0.05 * keras.random.normal((SEEDS, n, 2))


def dense_weights(given, answer):
    """Kernel, bias, kernel, bias, ... of three dense layers, each with a leading axis for the start."""
    weights = []
    for inputs, outputs in [(given, WIDTH), (WIDTH, WIDTH), (WIDTH, answer)]:
        kernel = random.normal(0, np.sqrt(2 / inputs), (SEEDS, inputs, outputs))
        weights.append(keras.Variable(kernel.astype("float32")))
        weights.append(keras.Variable(np.zeros((SEEDS, 1, outputs), "float32")))
    return weights


def dense(weights, x):
    """The network: dense layers with LeakyReLU between them."""
    for number in range(0, len(weights), 2):
        if number > 0:
            x = ops.leaky_relu(x, 0.2)
        x = ops.matmul(x, weights[number]) + weights[number + 1]
    return x


def play(step, steps, title):
    """Repeat a compiled step. An interruption ends the training and keeps what has been learnt."""
    bar = tqdm(range(steps), desc=title, delay=2, leave=False)
    try:
        for number in bar:
            critic_loss, generator_loss = step()
            if number % 100 == 0:
                bar.set_postfix(
                    critic=float(critic_loss), generator=float(generator_loss), refresh=False
                )
    except KeyboardInterrupt:
        print(f"{title}: interrupted after {number} of {steps} steps")


def optimizer(rate, updates):
    """Adam without momentum, whose learning rate falls to zero along a cosine."""
    schedule = keras.optimizers.schedules.CosineDecay(rate, updates)
    return keras.optimizers.Adam(schedule, beta_1=0.0, beta_2=0.9)


# %% [markdown]
r"""
One step: the updates of the critic, then one of the generator. It is compiled as a whole, random numbers included.
"""


# %%
def train_on_ring(method):
    """Train SEEDS pairs of networks; returns the generator's weights, the critic's weights and the critic itself."""
    generator, critic = dense_weights(LATENT, 2), dense_weights(2, 1)
    directions = [keras.Variable(random.normal(size=(SEEDS, 1, kernel.shape[1])).astype("float32")) for kernel in critic[::2]]  # fmt: skip

    def judge(x):
        weights = list(critic)
        if method == "spectral":
            for number, direction in enumerate(directions):
                stretched = ops.matmul(direction, critic[2 * number])
                weights[2 * number] = critic[2 * number] / ops.norm(stretched, axis=-1, keepdims=True)  # fmt: skip
        return dense(weights, x)

    def critic_loss(real, generated):
        for_real, for_generated = judge(real), judge(generated)
        if method in ("GAN", "spectral"):  # cross-entropy (18.7); softplus(-x) = -ln sigmoid(x)
            return ops.mean(ops.softplus(-for_real) + ops.softplus(for_generated))
        loss = ops.mean(for_generated - for_real)
        if method == "penalty":
            in_a_row = [ops.reshape(x, (-1, 2)) for x in (real, generated)]
            loss = loss + PENALTY * gradient_penalty(
                lambda u: judge(ops.reshape(u, (SEEDS, -1, 2))), *in_a_row
            )
        return loss

    def generator_loss():
        found = judge(dense(generator, keras.random.normal((SEEDS, BATCH, LATENT))))
        return ops.mean(ops.softplus(-found) if method in ("GAN", "spectral") else -found)

    critic_updates = CRITIC_UPDATES[method]
    critic_optimizer = optimizer(8e-3, STEPS_RING * critic_updates)
    generator_optimizer = optimizer(8e-3, STEPS_RING)
    critic_optimizer.build(critic)
    generator_optimizer.build(generator)

    @autodiff.compiled
    def step():
        for _ in range(critic_updates):
            real = real_points(BATCH)
            generated = dense(generator, keras.random.normal((SEEDS, BATCH, LATENT)))
            if method == "spectral":
                for kernel, direction in zip(critic[::2], directions, strict=True):
                    direction.assign(power_iteration(kernel, direction, 1)[1])
            loss, slopes = autodiff.value_and_gradients(
                lambda real=real, generated=generated: critic_loss(real, generated), critic
            )
            critic_optimizer.apply(slopes, critic)
            if method == "clipping":
                for weights in critic:
                    weights.assign(ops.clip(weights, -CLIP, CLIP))
        value, slopes = autodiff.value_and_gradients(generator_loss, generator)
        generator_optimizer.apply(slopes, generator)
        return loss, value

    play(step, STEPS_RING, method)
    return generator, critic, judge


ring, clouds, covered, good = {}, {}, {}, {}
truth = np.asarray(real_points(2000))
turn = random.uniform(0, 2 * np.pi, (SEEDS, 2000))
circle = 2 * np.stack([np.cos(turn), np.sin(turn)], axis=-1)  # as if nobody saw the modes
for method in CRITIC_UPDATES:
    ring[method] = train_on_ring(method)
    clouds[method] = np.asarray(dense(ring[method][0], keras.random.normal((SEEDS, 2000, LATENT))))
for name, points in [*clouds.items(), ("circle", circle), ("real points", truth)]:
    found = [metrics.mode_coverage(cloud, CENTRES, radius=0.25) for cloud in points]
    covered[name] = np.array([result.covered for result in found])
    good[name] = np.mean([result.good[0] for result in found])
    mean, error = metrics.mean_with_error(covered[name])
    print(
        f"{name:11s} modes {mean:.1f} +- {error:.1f}, all eight in {(covered[name] == 8).sum()} of {SEEDS} starts, "
        f"points within 0.25 of a mode: {good[name]:.0%}"
    )
check.confront("M18.3-q0", covered["GAN"].mean())

# %%
figure, axes = plt.subplots(1, 5, figsize=(13, 3), width_ratios=[1, 1, 1, 1, 1.3])
for ax, (name, points) in zip(axes, clouds.items(), strict=False):
    ax.scatter(*points[0, :800].T, s=2, color=plotting.COLOURS[0], label="generated")
    ax.scatter(*truth[0, :200].T, s=2, color=plotting.COLOURS[1], label="real")
    ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xlabel="x", title=f"{name}: {covered[name][0]} modes")  # fmt: skip
axes[0].set(ylabel="y")
axes[0].legend(fontsize=7, markerscale=3, loc="center")
for place, name in enumerate(covered):
    shift = np.linspace(-0.3, 0.3, SEEDS)
    axes[4].plot(place + shift, np.sort(covered[name]), "o", ms=4, color=plotting.COLOURS[place] if name in clouds else plotting.INK)  # fmt: skip
axes[4].set_xticks(range(len(covered)), covered, rotation=30, ha="right", fontsize=8)
axes[4].set(ylim=(-0.4, 8.6), ylabel="modes covered", title="every start")
figure.suptitle("The first start of each method, and the modes covered in every start")
plotting.show(
    "Four clouds of generated points over a ring of eight Gaussians, and the number of covered modes of every start for "
    "the four methods, for points on a circle and for real points. The plain GAN covers the fewest modes.",
    figure,
)

# %% [markdown]
r"""
What to see in it:

- The plain GAN keeps some modes and forgets others, different ones in each start. Its points may well be the best placed of all: quality is not coverage. Its critic may be as steep as it likes, and a few strong gradients decide where the generator goes.
- The penalty and the normalisation keep all modes in nearly every start. *Nearly*: with other rates and numbers of steps one or two of ten normalised starts ended with at most two modes, in our trials. The losses do not tell you. Count.
- Coverage is not quality either. Points spread evenly over the **circle** would count as eight modes. After so short a training the three held critics have found the circle, and only begin to see the modes on it: compare the share of points near a mode with that of a circle, and with that of real points. Five thousand steps with larger batches brought
spectral normalisation to 80 % and more.
- Clipping keeps most modes at this border. With $c = 0.5$ or $0.02$ in place of $0.1$ it kept four and six on average in our trials. Nobody knows the right border beforehand.

The penalty has $\lambda = 1$ here, not the 10 of the paper: with 10, and three thousand steps at a lower learning rate, most starts had found no mode at all. The weight of a penalty belongs to the scale of the data.

Now look into the critics: their slope at points between real and generated events, and their weights.
"""

# %%
slopes = {}
for method, (_, _, judge) in ring.items():
    share = random.uniform(size=(SEEDS, 2000, 1))
    between = (share * truth + (1 - share) * clouds[method]).astype("float32")
    slopes[method] = np.linalg.norm(autodiff.gradient(judge, between), axis=-1).ravel()
    low, middle, high = np.percentile(slopes[method], [5, 50, 95])
    print(f"{method:9s} slope {middle:.2f}, 90 % within {low:.2f} to {high:.2f}, largest {slopes[method].max():.2f}")  # fmt: skip
kernels = {method: np.concatenate([np.ravel(kernel) for kernel in ring[method][1][::2]]) for method in ("clipping", "penalty")}  # fmt: skip
at_border = {
    method: np.mean(np.abs(np.abs(values) - CLIP) < 0.02 * CLIP)
    for method, values in kernels.items()
}
print(f"weights within 2 % of +-{CLIP}: clipping {at_border['clipping']:.0%}, penalty {at_border['penalty']:.1%}")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(10.5, 3.6))
for (method, values), style in zip(slopes.items(), ["-", "--", "-.", ":"], strict=True):
    axes[0].hist(np.log10(values + 1e-9), np.linspace(-2, 2.5, 91), histtype="step", ls=style, lw=1.5, density=True, label=method)  # fmt: skip
axes[0].axvline(0, color=plotting.GREY, lw=1)
axes[0].set_xticks([-2, -1, 0, 1, 2], ["0.01", "0.1", "1", "10", "100"])
axes[0].set(xlabel="slope of the critic between real and generated", ylabel="density (in lg)", title="The penalty holds the slope near 1")  # fmt: skip
axes[0].legend()
for (method, values), colour in zip(kernels.items(), plotting.COLOURS[1:], strict=False):
    axes[1].hist(values, np.linspace(-0.5, 0.5, 101), histtype="step", lw=1.5, color=colour, density=True, label=method)  # fmt: skip
axes[1].set(yscale="log", xlabel="weight of the critic", ylabel="density", title=f"Clipping: {at_border['clipping']:.0%} of the weights lie at the borders")  # fmt: skip
axes[1].legend()
plotting.show(
    "Left: distributions of the slope of the four critics; the penalty peaks at 1, spectral normalisation stays below 1. "
    "Right: weights of two critics; with clipping they pile up at both borders.",
    figure,
)

# %% covers="M18.3"
bound = {
    method: np.prod(
        [np.linalg.norm(kernel, ord=2, axis=(1, 2)) for kernel in ring[method][1][::2]], axis=0
    )
    for method in ring
}  # the product of the largest singular values, one number a start
steepest = {method: slopes[method].reshape(SEEDS, -1).max(axis=1) for method in ring}
check.claim("M18.3", covered["penalty"].mean(), at_least=6.5, wrong=covered["GAN"].mean())
check.claim("M18.3", covered["spectral"].mean(), at_least=6.5, wrong=covered["GAN"].mean())
check.claim("M18.3", covered["penalty"].mean() - covered["GAN"].mean(), at_least=1, wrong=0)
check.claim("M18.3", at_border["clipping"], at_least=0.2, wrong=at_border["penalty"])
check.claim(
    "M18.3", np.median(slopes["penalty"]), 1, tolerance=0.35, wrong=np.median(slopes["clipping"])
)
check.claim("M18.3", steepest["spectral"].max(), at_most=1.05, wrong=steepest["GAN"].max())
check.claim("M18.3", (steepest["penalty"] / bound["penalty"]).max(), at_most=1, wrong=1 / np.min(steepest["penalty"] / bound["penalty"]))  # fmt: skip

# %%
check.quiz("M18.3-q1")

# %% [markdown]
r"""
## Section 18.2.2: a generator that does as it is told

An air-shower simulation is asked: *give me a shower of 30 EeV*. A generator gets the wish as one more input, $\tilde x = g(z, c)$, here $c = \lg(E / 10\,\mathrm{EeV})$ from $-1$ to 1. But an input may be ignored. Somebody must notice whether the footprint fits the energy, and there are two ways.

- **The critic sees the condition** (*conditional GAN*). It compares pairs, $(x, c)$ of the simulation with $(\tilde x, c)$ of the generator. A good footprint with a wrong energy is a bad pair.
- **Somebody reconstructs the condition** (*auxiliary network*). A regression, trained on the simulation, estimates the energy of each generated footprint, and the deviation from the wish joins the generator's loss. The critic need not know the energy.

As a control, a third generator is given the energy while nobody asks for it.

**Your task.** Build the two networks, both with the condition as a second input. Between input and output each has two hidden layers of `width` nodes with `LeakyReLU(0.2)` and initial weights `"he_normal"`. Signals, in lg(1 + S), are never negative, and many stations are silent. A critic is not a classifier.
"""


# %% task="M18.2a" points=3 covers="M18.2"
def conditional_networks(latent, pixels, width):
    """Generator ([noise (n, latent), condition (n, 1)] -> (n, pixels)) and critic ([x (n, pixels), condition] -> (n, 1))."""
    ### BEGIN SOLUTION
    noise, x, condition = keras.Input((latent,)), keras.Input((pixels,)), keras.Input((1,))

    def hidden(inputs):
        h = layers.Concatenate()(inputs)
        for _ in range(2):
            h = layers.LeakyReLU(0.2)(layers.Dense(width, kernel_initializer="he_normal")(h))
        return h

    signal = layers.Dense(pixels, activation="relu")(hidden([noise, condition]))
    generator = keras.Model([noise, condition], signal)
    return generator, keras.Model([x, condition], layers.Dense(1)(hidden([x, condition])))
    ### END SOLUTION


# %% check="M18.2a"
check("M18.2a", conditional_networks)

# %% [markdown]
r"""
For the auxiliary way we need a loss. The mean squared deviation of the reconstructed from the wanted energy is not quite it. Even for simulated showers the regression is not exact: showers of one energy differ, by their direction for instance. A generator that drove the deviation to zero would make all showers of one energy alike, and
its regression happier than the simulation does. So it is asked to be reconstructed **as well as the simulation, and no better**,

$$ L_\mathrm{aux} = \Big|\, \tfrac1n \textstyle\sum_i (\hat c_i - c_i)^2 - \delta^2 \,\Big| $$

with the mean squared deviation $\delta^2$ for simulated showers. (The book says *reconstruct the condition* and leaves the loss open.)

**Your task.** Write this loss with `keras.ops`.
"""


# %% task="M18.2b" points=2 covers="M18.2"
def auxiliary_loss(reconstructed, wanted, usual):
    """By how much a batch is reconstructed worse or better than usual: a scalar tensor, zero at best.

    reconstructed, wanted: tensors (n, 1), conditions; usual: number, mean squared deviation for simulated events.
    """
    ### BEGIN SOLUTION
    return ops.abs(ops.mean(ops.square(reconstructed - wanted)) - usual)
    ### END SOLUTION


# %% check="M18.2b"
check("M18.2b", auxiliary_loss)

# %% [markdown]
r"""
The data: footprints on 9 x 9 stations. Three parts, three purposes: one trains the generators and the auxiliary regression; one trains the **judge**, another regression that no generator ever meets; the last is the simulation to compare with. If the auxiliary network judged itself, a generator could please it with footprints that no other
network believes.
"""

# %%
conditional_networks = check.catch_up("M18.2a", conditional_networks)
auxiliary_loss = check.catch_up("M18.2b", auxiliary_loss)
showers = datasets.load_shower_footprints(N_SHOWERS, seed=check.seed, test=0.2, validation=0.2)
maps = showers.x_train.reshape(-1, 81)
energies = showers.y_train[:, None] - 1  # lg(E / 10 EeV)
maps_judge, energies_judge = showers.x_validation.reshape(-1, 81), showers.y_validation[:, None] - 1
maps_test, energies_test = showers.x_test.reshape(-1, 81), showers.y_test[:, None] - 1


def regression(x, y, width):
    """A dense network that estimates the energy of a footprint."""
    model = keras.Sequential(
        [
            keras.Input((81,)),
            layers.Dense(width, "relu"),
            layers.Dense(width, "relu"),
            layers.Dense(1),
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, 12 * -(-len(x) // 64))
    model.compile(keras.optimizers.Adam(schedule), "mse", steps_per_execution=20, jit_compile=False)
    model.fit(x, y, batch_size=64, epochs=12, verbose=0)
    return model


def energy_of(model, x):
    """Estimated lg(E / 10 EeV) of each footprint, (n, 1)."""
    return np.asarray(model(x))


auxiliary = regression(maps, energies, 64)
judge_network = regression(maps_judge, energies_judge, 48)
usual = float(np.mean((energy_of(auxiliary, maps_judge) - energies_judge) ** 2))
print(f"usual deviation of the auxiliary network: {usual**0.5:.3f} in lg E")

# %% [markdown]
r"""
The training is that of a WGAN with gradient penalty. Two switches make the three generators: `told`, whether the critic sees the condition (or always zero), and `extra`, a term that joins the generator's loss.
"""


# %%
def train_conditional(generator, critic, x, condition, steps, *, told=True, extra=None, weight=1.0):
    """Train both networks on pairs of x and condition; weight is the lambda of the gradient penalty."""
    x, condition = ops.convert_to_tensor(x), ops.convert_to_tensor(condition)
    latent = generator.inputs[0].shape[1]
    critic_optimizer, generator_optimizer = optimizer(5e-3, 2 * steps), optimizer(5e-3, steps)
    critic_optimizer.build(critic.trainable_variables)
    generator_optimizer.build(generator.trainable_variables)

    def batch():
        drawn = keras.random.randint((128,), 0, x.shape[0])
        real, wanted = ops.take(x, drawn, axis=0), ops.take(condition, drawn, axis=0)
        return real, wanted, generator([keras.random.normal((128, latent)), wanted])

    def critic_loss(real, wanted, generated):
        seen = wanted if told else ops.zeros_like(wanted)
        difference = ops.mean(critic([generated, seen]) - critic([real, seen]))
        return difference + weight * gradient_penalty(lambda u: critic([u, seen]), real, generated)

    def generator_loss():
        _, wanted, generated = batch()
        loss = -ops.mean(critic([generated, wanted if told else ops.zeros_like(wanted)]))
        return loss if extra is None else loss + extra(generated, wanted)

    @autodiff.compiled
    def step():
        for _ in range(2):
            drawn = batch()
            loss, slopes = autodiff.value_and_gradients(
                lambda drawn=drawn: critic_loss(*drawn), critic.trainable_variables
            )
            critic_optimizer.apply(slopes, critic.trainable_variables)
        value, slopes = autodiff.value_and_gradients(generator_loss, generator.trainable_variables)
        generator_optimizer.apply(slopes, generator.trainable_variables)
        return loss, value

    play(step, steps, "conditional WGAN")


def reconstructed_as_usual(generated, wanted):
    return 20 * auxiliary_loss(auxiliary(generated), wanted, usual)


variants = {
    "nobody asks": {"told": False},
    "critic sees the energy": {},
    "auxiliary network": {"told": False, "extra": reconstructed_as_usual},
}
shower_generators = {}
for name, switches in variants.items():
    shower_generators[name], critic = conditional_networks(16, 81, 128)
    train_conditional(shower_generators[name], critic, maps, energies, STEPS_SHOWERS, **switches)


# %% [markdown]
r"""
Look first: one and the same noise vector in each row, with rising energy.
"""

# %%
wanted_energies = np.linspace(-1, 1, 6, dtype="float32")
figure, axes = plt.subplots(4, 6, figsize=(8.6, 6.2), layout="constrained")
nearest = [np.abs(energies_test[:, 0] - energy).argmin() for energy in wanted_energies]
rows = {"simulation": maps_test[nearest]}
noise = np.repeat(random.normal(size=(1, 16)).astype("float32"), 6, axis=0)
for name, generator in shower_generators.items():
    rows[name] = np.asarray(generator([noise, wanted_energies[:, None]]))
for line, (name, pictures) in zip(axes, rows.items(), strict=True):
    for ax, picture, energy in zip(line, pictures, wanted_energies, strict=True):
        image = ax.imshow(picture.reshape(9, 9), vmin=0, vmax=3.5, cmap="viridis")
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{10 ** (1 + energy):.3g} EeV" if name == "simulation" else "", fontsize=9)
    line[0].set_ylabel(name.replace(" the", "\nthe"), fontsize=9)
figure.colorbar(image, ax=axes, label="lg(1 + signal / VEM)", shrink=0.6)
figure.suptitle("A wish that nobody checks is ignored")
plotting.show(
    "Footprints on 9 x 9 stations with energies from 1 to 100 EeV: simulated, and from three generators. They grow with "
    "the energy in the simulation, with a critic that sees the energy and with an auxiliary network; without either they do not.",
    figure,
)

# %% [markdown]
r"""
Then count. The total signal of a footprint grows as a power of the energy; its exponent is the slope of a straight line in the logarithms. The judge reconstructs the energy of each footprint; we quote the mean deviation from the wish (bias), its spread and its correlation. The simulation is judged in the same way.
"""


# %%
def total_signal(x):
    """lg of the sum of the signals, in VEM."""
    return np.log10(1 + np.sum(10.0 ** np.asarray(x, float) - 1, axis=1))


def obedience(x, wanted):
    """How the total signal and the judge's energy follow the energy that was wanted."""
    slope, offset = np.polyfit(wanted[:, 0], total_signal(x), 1)
    estimated = energy_of(judge_network, x)
    deviation = estimated - wanted
    return {
        "slope": slope,
        "level": offset,
        "spread": np.std(total_signal(x) - slope * wanted[:, 0] - offset),
        "bias": metrics.mean_with_error(deviation),
        "deviation": deviation.std(),
        "correlation": metrics.correlation_with_error(estimated[:, 0], wanted[:, 0]),
        "auxiliary": np.mean((energy_of(auxiliary, x) - wanted) ** 2) ** 0.5,
    }


wishes = random.uniform(-1, 1, size=(3000, 1)).astype("float32")
noise = random.normal(size=(3000, 16)).astype("float32")
generated = {name: np.asarray(model([noise, wishes])) for name, model in shower_generators.items()}
obeyed = {"simulation": obedience(maps_test, energies_test)}
obeyed |= {name: obedience(x, wishes) for name, x in generated.items()}
print(
    "                        signal ~ E^slope           judge: lg E - wish              auxiliary"
)
print(
    "                        slope  at 10 EeV  spread   bias             spread  corr.   deviation"
)
for name, found in obeyed.items():
    print(
        f"{name:23s} {found['slope']:5.2f}  {found['level']:9.2f}  {found['spread']:6.2f}   "
        f"{found['bias'][0]:+.3f} +- {found['bias'][1]:.3f} {found['deviation']:6.3f}   {found['correlation'][0]:5.2f}   {found['auxiliary']:.3f}"
    )

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.7), sharey=True)
line = np.array([-1.0, 1.0])
for ax, (name, x) in zip(axes, generated.items(), strict=True):
    simulated, mine = obeyed["simulation"], obeyed[name]
    ax.plot(10 ** (1 + energies_test[:700]), total_signal(maps_test[:700]), ".", ms=3, color=plotting.GREY)  # fmt: skip
    ax.plot(10 ** (1 + wishes[:700]), total_signal(x[:700]), ".", ms=3, color=plotting.COLOURS[0])
    for found, colour, label in [(simulated, plotting.INK, "simulation"), (mine, plotting.COLOURS[1], "generated")]:  # fmt: skip
        ax.plot(10 ** (1 + line), found["slope"] * line + found["level"], color=colour, lw=2, label=f"{label}: slope {found['slope']:.2f}")  # fmt: skip
    ax.set(xscale="log", xlabel="wanted energy (EeV)", title=f"{name}: correlation {mine['correlation'][0]:.2f}", ylim=(2, 5))  # fmt: skip
    ax.legend(loc="lower right", fontsize=8)
axes[0].set_ylabel("lg(total signal / VEM)")
plotting.show(
    "Total signal of generated footprints against the wanted energy for three generators, over that of simulated ones. "
    "Without anybody who asks it does not follow the energy; in the other two cases it rises as in the simulation.",
    figure,
)

# %% [markdown]
r"""
Both ways work: the signal rises with the wanted energy about as in the simulation, and a judge who has never met the generator agrees. Neither is perfect. The total signal is dominated by the one or two stations at the core, and there the generated footprints scatter more than the simulated ones after so short a training.
The two ways fail differently. A critic compares whole distributions, so it also cares how much showers of one energy differ. A regression cares for one number. Look at the last columns: the auxiliary network is content, its generator is reconstructed as usual; for the judge the same showers scatter less about the wish than simulated ones do. What
one network has been satisfied with, another one sees through. Without the $\delta^2$ it is worse: in a trial of ours the spread for the judge was then 0.09, with it 0.11, and 0.13 for simulated showers.
"""

# %% covers="M18.2"
simulated, blind = obeyed["simulation"], obeyed["nobody asks"]
told, helped = obeyed["critic sees the energy"], obeyed["auxiliary network"]
check.claim("M18.2", told["slope"], simulated["slope"], tolerance=0.15, wrong=blind["slope"])
check.claim("M18.2", helped["slope"], simulated["slope"], tolerance=0.15, wrong=blind["slope"])
check.claim("M18.2", told["correlation"][0], at_least=0.9, wrong=blind["correlation"][0])
check.claim("M18.2", helped["correlation"][0], at_least=0.9, wrong=blind["correlation"][0])
check.claim("M18.2", told["bias"][0], 0, tolerance=0.12, wrong=blind["deviation"])
check.claim("M18.2", helped["bias"][0], 0, tolerance=0.12, wrong=blind["deviation"])

# %%
check.quiz("M18.2-q1")

# %% [markdown]
r"""
## Example 18.9: matrices for an invariant that was never shown

String theory has more solutions than anybody can list. What can be asked is what a *typical* one looks like. For some of them an observable is a symmetric matrix of numbers, and a matrix is a small grey picture: a generator can learn to make such pictures. J. Halverson and C. Long (Fortschr. Phys. 68 (2020) 2000005) did this for metrics of
Calabi-Yau spaces, and gave the generator a whole number as its condition, a topological invariant of the space. Trained with some values, it made matrices for others.

Here is the idea as a toy, in which the answer is known exactly. A matrix is $M = X X^T$ with $X$ of 4 rows and $h$ columns, all entries from $N(0, 1)$; the number of columns plays the invariant. (In the true problem nobody knows the distribution, the invariant is also the number of rows, and the entries extend over many orders of magnitude.) The mean of the four eigenvalues is
$h$ on average, and $\langle \ln\det M \rangle = \sum_{i=0}^{3} \big[\psi\big(\tfrac{h - i}{2}\big) + \ln 2\big]$ with the digamma function $\psi$.

The generator sees $h = 8, 10, 12, 16, 18, 20$. We ask it for 14, inside of this range, and for 24, outside. It makes a square root $Y$ and returns $Y Y^T$: symmetric and positive by construction, so it need not learn that. For the same reason its condition is $\sqrt h$ up to a constant: entries of $X X^T$ grow as $h$, those of $Y$ as the root.

The **control** has no idea of extrapolation: it takes the nearest value that it knows, 12 for 14 and 20 for 24.
"""

# %%
KNOWN, ASKED, NEAREST = [8, 10, 12, 16, 18, 20], [14, 24], [12, 20]
SIZE = 4


def true_matrices(columns):
    """X X^T for each number of columns of a list, (n, SIZE, SIZE)."""
    entries = random.normal(size=(len(columns), SIZE, max(columns)))
    entries *= np.arange(max(columns)) < np.reshape(columns, (-1, 1, 1))
    return entries @ entries.transpose(0, 2, 1)


def as_condition(columns):
    return (np.sqrt(columns) - np.sqrt(14)).reshape(-1, 1).astype("float32")


def matrix_generator(latent):
    """[noise, condition] -> a positive symmetric matrix as a row of SIZE**2 numbers."""
    noise, condition = keras.Input((latent,)), keras.Input((1,))
    h = layers.Concatenate()([noise, condition])
    for _ in range(2):
        h = layers.Dense(64, "leaky_relu", kernel_initializer="he_normal")(h)
    root = layers.Reshape((SIZE, SIZE))(layers.Dense(SIZE**2)(h))
    matrix = ops.matmul(root, ops.transpose(root, (0, 2, 1)))
    return keras.Model([noise, condition], layers.Reshape((SIZE**2,))(matrix))


columns = random.choice(KNOWN, 12_000)
pictures = (true_matrices(columns).reshape(-1, SIZE**2) / 20).astype("float32")
vacua = matrix_generator(10)
vacua_critic = conditional_networks(10, SIZE**2, 64)[1]
train_conditional(vacua, vacua_critic, pictures, as_condition(columns), STEPS_VACUA, weight=0.1)


def generated_matrices(columns, n):
    """n matrices of the generator for one number of columns."""
    noise = random.normal(size=(n, 10)).astype("float32")
    made = np.asarray(vacua([noise, as_condition(np.full(n, columns))]))
    return 20 * made.reshape(n, SIZE, SIZE).astype(float)


def exact_log_determinant(columns):
    return sum(digamma((columns - i) / 2) + np.log(2) for i in range(SIZE))


spectra = {h: np.linalg.eigvalsh(generated_matrices(h, 4000)) for h in [*KNOWN, *ASKED]}
true_spectra = {h: np.linalg.eigvalsh(true_matrices([h] * 4000)) for h in [*KNOWN, *ASKED]}
distance = {}
for asked, nearest in zip(ASKED, NEAREST, strict=True):
    again = np.linalg.eigvalsh(true_matrices([asked] * 4000))
    for name, found in [("generated", spectra[asked]), ("control", true_spectra[nearest]), ("true, once more", again)]:  # fmt: skip
        distance[asked, name] = metrics.wasserstein(true_spectra[asked][:, -1], found[:, -1], seed=1)  # fmt: skip
        mean, error = metrics.mean_with_error(found.mean(axis=1))
        print(
            f"h = {asked}, {name:15s} mean eigenvalue {mean:5.2f} +- {error:.2f} (exact {asked}), "
            f"<ln det> {np.log(found).sum(axis=1).mean():5.2f} (exact {exact_log_determinant(asked):.2f}), "
            f"largest eigenvalue: W1 {distance[asked, name][0]:.2f} +- {distance[asked, name][1]:.2f}"
        )

# %%
figure = plt.figure(figsize=(12, 3.7), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[0.8, 2])
for line, (name, matrices) in zip(
    left.subplots(2, 4),
    [("true", true_matrices([24] * 4)), ("made", generated_matrices(24, 4))],
    strict=True,
):
    for ax, matrix in zip(line, matrices, strict=True):
        ax.imshow(matrix, cmap="gray", vmin=-20, vmax=45)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name)
left.suptitle("h = 24: matrices as pictures")
axes = right.subplots(1, 2)
for which, values, marker in [("known", KNOWN, "o"), ("never shown", ASKED, "*")]:
    axes[0].plot(values, [spectra[h].mean() for h in values], marker, ms=6 if marker == "o" else 13, label=f"generated, {which}")  # fmt: skip
axes[0].plot(ASKED, NEAREST, "x", color=plotting.GREY, ms=8, label="control: nearest known")
axes[0].plot([7, 25], [7, 25], color=plotting.INK, lw=1, label="exact")
axes[0].set(xlabel="number of columns h", ylabel="mean eigenvalue", title="It goes on where the data end")  # fmt: skip
axes[0].legend(fontsize=8)
edges = np.linspace(10, 75, 53)
for name, found, style in [("true", true_spectra[24], "-"), ("generated", spectra[24], "--"), ("control", true_spectra[20], ":")]:  # fmt: skip
    axes[1].hist(found[:, -1], edges, histtype="step", ls=style, lw=1.7, density=True, label=name)
axes[1].set(xlabel="largest eigenvalue", ylabel="density", title="h = 24, never shown")
axes[1].legend(fontsize=8)
plotting.show(
    "Left: true and generated symmetric matrices as grey pictures. Middle: the mean eigenvalue against the number of columns; "
    "generated ones follow the exact straight line at known and at never shown values. Right: the distribution of the largest "
    "eigenvalue for 24 columns, true, generated and for the nearest known value.",
    figure,
)

# %% [markdown]
r"""
The generator goes on beyond its data, better than the nearest known value. Not everything is as good: $\ln\det M$ feels the smallest eigenvalue, which the critic hardly notices among entries that are ten times larger. And why does it extrapolate at all? Beyond the data a network has nothing but its form: a square root
that grows with the condition, and outside of the data grows on along straight lines. The form suits this problem. Give it $h$ in place of $\sqrt h$: after this training we found it nearly as good, after a shorter one the mean eigenvalue at $h = 24$ overshot to 30 and more. In a problem without a known answer
nobody tells you. Hold a value back, and look.
"""

# %% covers="X18.9"
check.claim("X18.9", spectra[14].mean(), 14, tolerance=1.5, wrong=NEAREST[0])
check.claim("X18.9", spectra[24].mean(), 24, tolerance=2.5, wrong=NEAREST[1])
check.claim("X18.9", distance[24, "generated"][0], at_most=0.6 * distance[24, "control"][0], wrong=distance[24, "control"][0])  # fmt: skip

# %% tags=["instructor"]
# The four methods share everything but the leash, and spectral normalisation gets half of the updates of the critic: a fair race would tune each.
# Discussion: (1) why can the slope of a spectrally normalised critic be far below its bound of 1? The directions that two layers stretch most do not line up.
# (2) A generator fed with an energy that nobody checks may still correlate with it, by accident. How would you notice? By another start.
# (3) Let a student train the auxiliary way with the plain mean square and look at the spread that the judge sees.
for question, answer in [("M18.3-q1", 2), ("M18.2-q1", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A critic without a leash gives gradients as steep as it likes, and the generator drops modes. Clip its weights, fine its slope, or normalise its matrices.
- The power iteration finds the largest singular value with products of a matrix and a vector; one round per training step is enough.
- Count over several starts. A single good training shows that a method can work, not that it does.
- A condition is obeyed if somebody compares: the critic, as a second input, or a regression, in the loss. Ask for as good as the simulation, not for better.
- A judge must be somebody whom the generator has never met.
- Beyond its data a generator has nothing but its form. Hold a value back, and look.
"""

# %%
check.summary()
