# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 18, title: "Wasserstein networks: footprints of air showers", level: 3, minutes: 90, sections: "18.2, 18.5", data: [shower_footprints], fast: {N_MAPS: 6000, N_JUDGED: 1500}}
# ---
# %% [markdown]
r"""
# Wasserstein networks: footprints of air showers

**You will**

- build a generator that draws footprints of air showers on nine times nine stations, and a critic that measures how far they are from simulated ones;
- write the Wasserstein loss with its gradient penalty, term by term;
- train both against each other, with every map used once in an epoch, and watch one number that means something;
- judge what comes out by physics that was not in the loss: total signal, multiplicity, maximum, contrast, fluctuation, radial profile, each beside the value between two simulated samples;
- see the stages of the training as a physicist would: first noise, then a spot, then the right fall of the signal with distance.

**You need** `ch18_gan` (the game of two networks and what is difficult about it), chapter 4 for training loops, a little of chapter 8. **Time:** about 90 minutes; the cells themselves run in less than two.

**You will see** a network that draws showers without having been told any physics, and where it is still wrong.

The GAN of exercise 18.1 stands in `ch18_gan`; the ring of eight Gaussians, where one can count the modes that a generator forgets, in `ch18_examples`.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting

check = checks.start("ch18_wgan")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from tqdm import tqdm

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

LATENT = 32  # random numbers from which the generator makes a footprint
BATCH = 32
N_CRITIC = 3  # steps of the critic for each step of the generator
WEIGHT = 10.0  # lambda of the gradient penalty
RATE_CRITIC, RATE_GENERATOR = 1e-3, 2e-3


def falling_adam(model, rate, steps):
    """Adam without momentum, its learning rate falling to zero along a cosine; ready for a compiled step."""
    falling = keras.optimizers.schedules.CosineDecay(rate, steps)
    optimizer = keras.optimizers.Adam(falling, beta_1=0.0, beta_2=0.9)
    optimizer.build(model.trainable_variables)
    return optimizer


# %% tags=["parameters"]
N_MAPS = 36_000  # footprints for the training
EPOCHS = 15
N_JUDGED = 4_000  # footprints in each sample that is compared

# %% [markdown]
r"""
## The footprints

An air shower of an energy between 1 and 100 EeV falls on 81 stations, 750 m apart, its core near the one in the middle. A map holds $\lg(1 + S/\mathrm{VEM})$ for the signal $S$ of each station, and 0 where a station is silent. The book's set has 100 000 of them; we take fewer.

Look at the numbers before you build anything. Signals fall over three powers of ten, hence the logarithm. More than half of the stations are silent. And a station that has triggered has at least 3 VEM: **between 0 and $\lg 4 = 0.60$ there is nothing**, a gap that a smooth function of random numbers will find hard to respect.
"""

# %%
N_ALL = N_MAPS + 2 * N_JUDGED + 500
data = datasets.load_shower_footprints(
    N_ALL, seed=check.seed, test=2 * N_JUDGED / N_ALL, validation=500 / N_ALL
)
maps = data.x_train
simulated, simulated_again = data.x_test[:N_JUDGED], data.x_test[N_JUDGED:]
TRIGGER = np.log10(4)  # the smallest signal, as lg(1 + S / VEM)
data


# %%
def show_footprints(rows, title, alt):
    """Rows of footprints, each with its name: rows is a dict of arrays (n, 9, 9, 1)."""
    figure, axes = plt.subplots(
        len(rows), 10, figsize=(10, 0.6 + 0.84 * len(rows)), squeeze=False, layout="constrained"
    )
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=False):
            picture = ax.imshow(image[..., 0], vmin=0, vmax=3.6, cmap="viridis", extent=(-3.375, 3.375) * 2)  # fmt: skip
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    axes[-1, 0].set(xticks=[-3, 0, 3], xlabel="x (km)")
    figure.colorbar(picture, ax=axes, label="lg(1 + S/VEM)", shrink=0.9)
    figure.suptitle(title)
    plotting.show(alt, figure)


energy_order = np.argsort(data.y_train[:200])[:: 200 // 20]
show_footprints(
    {"1 to 10 EeV": maps[energy_order[:10]], "10 to 100 EeV": maps[energy_order[10:]]},
    "The higher the energy, the more stations",
    "Twenty simulated footprints, ordered by energy: a bright spot in the middle, with more and more stations around it.",
)

# %% [markdown]
r"""
## Exercise 18.2: the two networks

The **generator** turns `LATENT` random numbers into a map. Its last layer must reach all values that occur and no others: signals are never negative and mostly zero, so it ends in a ReLU, which gives exact zeros. (The book names the ReLU for calorimeters for the same reason.)

Which layers in between? Example 18.5 advises convolutions: a pattern is as likely here as there. For footprints it is not: the core is always in the middle, nothing is the same if shifted, and 81 numbers are few. We tried both. After the same number of rounds a convolutional pair had come a little further, but a round
took it more than ten times as long; with the same seconds, dense layers draw the better showers. Choose as you like.

**Your task.** Build the generator.
"""


# %% task="18.2a" points=2 covers="E18.2/1"
def build_generator():
    """A network from LATENT random numbers to a footprint (9, 9, 1) of values that are zero or positive.

    Returns a Keras model (not compiled).
    """
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((LATENT,)),
            layers.Dense(256, "relu"),
            layers.Dense(256, "relu"),
            layers.Dense(81, "relu"),
            layers.Reshape((9, 9, 1)),
        ]
    )
    ### END SOLUTION


# %% check="18.2a"
check("18.2a", build_generator)

# %% [markdown]
r"""
The **critic** is no classifier. It gives each map a number of any size and either sign, a height; the theory of the next section asks only that this height nowhere rises faster than 1. So:

- no sigmoid at the end: it would flatten exactly where the critic is sure, and take the gradient away from the generator;
- no batch normalisation: the penalty below is about the slope at *one* map, and the height of one map must not depend on the others. `LayerNormalization` is allowed, since it works on each map alone;
- no dropout either: the slope would be that of another network each time.

About activations the book is strict (footnote 10): none whose second derivative jumps, such as ELU. Yet the inventors of the penalty used ReLU, whose second derivative is zero where it exists, and so do most since. Tried here: a leaky ReLU and an ELU come equally far; a layer normalisation after each dense layer doubles the time and gains nothing.

**Your task.** Build the critic.
"""


# %% task="18.2b" points=2 covers="E18.2/1"
def build_critic():
    """A network from a footprint (9, 9, 1) to one number of any size and sign, for each footprint on its own.

    Returns a Keras model (not compiled).
    """
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((9, 9, 1)),
            layers.Flatten(),
            layers.Dense(256, "leaky_relu"),
            layers.Dense(256, "leaky_relu"),
            layers.Dense(1),
        ]
    )
    ### END SOLUTION


# %% check="18.2b"
check("18.2b", build_critic)

# %%
build_generator = check.catch_up("18.2a", build_generator)
build_critic = check.catch_up("18.2b", build_critic)
generator, critic = build_generator(), build_critic()
print(f"generator: {generator.count_params()} parameters, critic: {critic.count_params()}")
check.quiz("18.2-q1")

# %% [markdown]
r"""
## The distance

Two heaps of sand: one is $p_r$, the simulation, the other $p_\theta$, what the generator makes. The **Wasserstein distance** is the least work that turns one into the other, mass times way. It has a value also for heaps that do not touch, and it shrinks as they come closer: what the divergences of `ch18_gan` cannot do.

Nobody can try all ways to move sand in 81 dimensions. The theorem of Kantorovich and Rubinstein says that one need not: the distance is also the largest difference in mean height that a landscape can have which is nowhere steeper than 1 (18.12),

$$ W = \max_{|\nabla d| \le 1}\; \left\{ E_{x \sim p_r}\left[d(x)\right] - E_{z}\left[d(g(z))\right] \right\} . $$

The critic is that landscape. It climbs: high on simulated maps, low on generated ones. The generator moves its maps uphill.

What keeps the critic from being steep? A penalty on its slope (18.13),

$$ L_\mathrm{GP} = \lambda\, E_{u}\left[\left(\lVert \nabla_u d(u) \rVert_2 - 1\right)^2\right], \qquad u = \epsilon x + (1 - \epsilon)\,\tilde x , \quad 0 \le \epsilon \le 1 , $$

with $\lambda = 10$. The best landscape has the slope 1 along the way on which sand is moved, and this way leads from a simulated map $x$ to a generated one $\tilde x$. So the slope is asked for at random points between the two, one $\epsilon$ for each pair.

**Your task.** Compute the points in between. (Mind the shapes: `share` has one number for each pair.)
"""


# %% task="18.2c" points=1 covers="E18.2/2"
def points_between(real, generated, share):
    """Points on the straight lines from generated to real maps: share 0 is the generated one, 1 the real one.

    real, generated: tensors (n, 9, 9, 1); share: tensor (n,), epsilon of each pair. Returns a tensor (n, 9, 9, 1).
    With keras.ops.
    """
    ### BEGIN SOLUTION
    epsilon = ops.reshape(share, (-1, 1, 1, 1))
    return epsilon * real + (1 - epsilon) * generated
    ### END SOLUTION


# %% check="18.2c"
check("18.2c", points_between)

# %% [markdown]
r"""
The slope itself is the gradient of the critic's output by its *input*. `autodiff.gradient(critic, u)` gives it for all maps at once, in the shape of `u`. In TensorFlow's own words it is this:
"""

# %%
import tensorflow as tf

u = tf.convert_to_tensor(maps[:5])
with tf.GradientTape() as tape:
    tape.watch(u)
    height = critic(u)
by_tape = tape.gradient(height, u)
by_library = autodiff.gradient(critic, maps[:5])
print(f"largest difference of the two slopes: {np.abs(by_tape - by_library).max():.1e}")
norms = np.sqrt(np.square(by_library).sum(axis=(1, 2, 3)))
print("slopes of an untrained critic at five maps:", norms.round(2))

# %% [markdown]
r"""
**Your task.** Write the critic's loss. It is *minimised*, so what the critic wants to be large gets a minus sign:

$$ L_d = -\left\{\frac1n\sum_i d(x_i) - \frac1n\sum_i d(\tilde x_i)\right\} + \lambda\,\frac1n\sum_i \left(\lVert \nabla d(u_i) \rVert_2 - 1\right)^2 . $$

The norm is taken over the 81 numbers of each map, then comes the mean over maps. The derivative of a square root is infinite at zero: add $10^{-12}$ under the root.
"""


# %% task="18.2d" points=3 covers="E18.2/2"
def critic_loss(critic, real, generated, between, weight):
    """Loss of the critic: minus its estimate of the Wasserstein distance, plus weight times the penalty on its slope.

    critic: a model (n, 9, 9, 1) -> (n, 1); real, generated, between: tensors (n, 9, 9, 1); weight: lambda.
    Returns a scalar tensor. With keras.ops and autodiff.gradient.
    """
    ### BEGIN SOLUTION
    estimate = ops.mean(critic(real)) - ops.mean(critic(generated))
    slope = ops.square(autodiff.gradient(critic, between))
    steepness = ops.sqrt(ops.sum(slope, axis=(1, 2, 3)) + 1e-12)
    return weight * ops.mean(ops.square(steepness - 1)) - estimate
    ### END SOLUTION


# %% check="18.2d"
check("18.2d", critic_loss)

# %%
check.quiz("18.2-q2")

# %% [markdown]
r"""
(`dlphys.layers.gradient_penalty(critic, real, generated)` draws the points and returns the mean square deviation in one call, for other chapters.)

An epoch shows each map once. That needs care, since a batch is used in each step of the critic and the critic takes several steps a round. A published solution of this exercise counts the batches wrongly and trains with a fifth of the maps, in an order that never changes; nobody notices, for the footprints look fine.

**Your task.** Deal the maps like cards: shuffle the numbers 0 to `number` - 1, and give each round of the game `steps` hands of `batch` maps. What is left over for an incomplete round is put aside (it comes next time, since every epoch shuffles anew).
"""


# %% task="18.2e" points=2 covers="E18.2/3"
def deal(number, steps, batch, seed):
    """Which maps to use in each round and each step of an epoch, in random order, each map at most once.

    number: of maps; steps: of the critic in a round; batch: maps in a step; seed: for np.random.default_rng.
    Returns an array of int (rounds, steps, batch) with as many rounds as there are maps for.
    """
    ### BEGIN SOLUTION
    cards = np.random.default_rng(seed).permutation(number)
    rounds = number // (steps * batch)
    return cards[: rounds * steps * batch].reshape(rounds, steps, batch)
    ### END SOLUTION


# %% check="18.2e"
check("18.2e", deal)

# %% [markdown]
r"""
### The critic first

The generator learns from the critic alone, so a critic that knows nothing would send it anywhere. Let the critic train alone for one epoch, against an untrained generator. One step, compiled: generated maps, points in between, the loss and its derivatives by the critic's weights, the optimizer. The generator stays as it is.
"""

# %%
points_between = check.catch_up("18.2c", points_between)
critic_loss = check.catch_up("18.2d", critic_loss)
deal = check.catch_up("18.2e", deal)


def pretrain(critic, generator, x, seed):
    """Train the critic alone for one epoch; returns its loss at every step."""
    hands = deal(len(x), 1, BATCH, seed)
    optimizer = falling_adam(critic, RATE_CRITIC, len(hands))

    @autodiff.compiled
    def step(real):
        generated = generator(keras.random.normal((BATCH, LATENT)))
        between = points_between(real, generated, keras.random.uniform((BATCH,)))
        loss, gradients = autodiff.value_and_gradients(
            lambda: critic_loss(critic, real, generated, between, WEIGHT),
            critic.trainable_variables,
        )
        optimizer.apply(gradients, critic.trainable_variables)
        return loss

    return np.array([float(step(x[hand])) for (hand,) in hands])


pretraining = pretrain(critic, generator, maps, check.seed)
untrained = np.asarray(generator(random.normal(size=(N_JUDGED, LATENT))))
between = points_between(simulated, untrained, random.uniform(size=N_JUDGED).astype("float32"))
slopes = np.sqrt(np.square(autodiff.gradient(critic, between)).sum(axis=(1, 2, 3)))
print(f"slope of the critic between the samples: {slopes.mean():.3f}, scatter {slopes.std():.3f}")
exact = np.sqrt(np.square(simulated.mean(0) - untrained.mean(0)).sum())
settled = -pretraining[-len(pretraining) // 4 :].mean()
distance = 2 * WEIGHT * (np.sqrt(1 + settled / WEIGHT) - 1)
print(f"minus the critic's loss: {settled:.2f}, so a distance of {distance:.2f}")
print(f"distance of the mean maps, which the true distance is not below: {exact:.2f}")

# %%
figure, ax = plt.subplots(figsize=(6.4, 3.6))
ax.plot(np.arange(1, len(pretraining) + 1), pretraining, lw=0.8)
ax.axhline(-exact, ls="--", color=plotting.INK, label="minus the distance of the mean maps")
ax.axhline(-settled, ls=":", color=plotting.INK, label="mean of the last quarter")
ax.set(
    xlabel="step of the critic",
    ylabel="loss of the critic",
    title=f"In one epoch the critic learns how far away the generator is: {distance:.1f}",
)
ax.legend()
plotting.show(
    "Loss of the critic against the step: it falls within the first tens of steps and stays at a negative value, somewhat "
    "below minus the distance of the mean maps.",
    figure,
)

# %% [markdown]
r"""
Two things to notice. First, the slope is not 1. The penalty is a spring, not a wall: a landscape with the slope $s$ everywhere on the way has the loss $-sW + \lambda (s-1)^2$, which is smallest at $s = 1 + W/2\lambda$. Far away from the simulation the critic is steeper than it should be, and minus its loss is $W + W^2/4\lambda$.
Solve for $W$, as the cell above does; once the heaps are close the difference is small.

Second, a check that costs one line. The way from one heap to the other is never shorter than that between their centres of mass, so $W$ is at least the distance of the two mean maps (dashed). An estimate well below it would tell of a critic that has not converged, or of a wrong penalty.

## The game

One **round**: `N_CRITIC` steps of the critic, each with new simulated and new generated maps, then one step of the generator, whose loss is

$$ L_g = -E_z\left[d(g(z))\right] . $$

The simulated maps do not occur in it: nothing that the generator does can change their height. The book trains the critic about ten times a round, the published solution of this exercise five times. The better the critic, the better the gradient; the fewer steps of the critic, the more rounds in the same time. Here three steps with small batches came furthest in a given time, with $\lambda = 10$ as with 1 or 0.1.
"""


# %% task="18.2f" points=1 covers="E18.2/3"
def generator_loss(critic, generated):
    """Loss of the generator, to be minimised: how low its maps lie in the critic's landscape.

    critic: a model (n, 9, 9, 1) -> (n, 1); generated: tensor (n, 9, 9, 1). Returns a scalar tensor. With keras.ops.
    """
    ### BEGIN SOLUTION
    return -ops.mean(critic(generated))
    ### END SOLUTION


# %% check="18.2f"
check("18.2f", generator_loss)

# %% [markdown]
r"""
**Your task.** Write the main loop, with `pretrain` as your model. In each epoch: deal the maps anew (with another seed), play all rounds, and after the last one draw a fixed set of maps from the codes that you are given, as a picture of the stage. Record what the critic thinks of each round.

- A compiled `step(real)` for one step of the critic, and one without arguments for the generator. Each optimizer changes the variables of *its* network only.
- Two optimizers from `falling_adam`, with `RATE_CRITIC` and `RATE_GENERATOR`, which want to know their numbers of steps: the critic takes `N_CRITIC` times as many as the generator.
- The loss of the critic's last step in a round goes into the record.
- `tqdm(range(epochs), disable=None)` shows a progress bar on a terminal. With `try: ... except KeyboardInterrupt: print("stopped")` around the loop you can stop without losing what is there.
"""


# %% task="18.2g" points=4 covers="E18.2/3"
def train_wgan(generator, critic, x, codes, epochs, seed):
    """Play the game for some epochs, in rounds of N_CRITIC steps of the critic and one of the generator.

    x: maps (n, 9, 9, 1); codes: (m, LATENT), what to draw after each epoch; seed: of the first epoch, then seed + 1 ...
    Returns the generator, the critic's loss in each round (epochs * rounds,), and the maps of each epoch
    (epochs, m, 9, 9, 1).
    """
    ### BEGIN SOLUTION
    rounds = epochs * (len(x) // (N_CRITIC * BATCH))
    climb = falling_adam(critic, RATE_CRITIC, N_CRITIC * rounds)
    follow = falling_adam(generator, RATE_GENERATOR, rounds)

    @autodiff.compiled
    def train_critic(real):
        generated = generator(keras.random.normal((BATCH, LATENT)))
        between = points_between(real, generated, keras.random.uniform((BATCH,)))
        loss, gradients = autodiff.value_and_gradients(
            lambda: critic_loss(critic, real, generated, between, WEIGHT),
            critic.trainable_variables,
        )
        climb.apply(gradients, critic.trainable_variables)
        return loss

    @autodiff.compiled
    def train_generator():
        codes_of_step = keras.random.normal((BATCH, LATENT))
        _, gradients = autodiff.value_and_gradients(
            lambda: generator_loss(critic, generator(codes_of_step)),
            generator.trainable_variables,
        )
        follow.apply(gradients, generator.trainable_variables)

    record, stages = [], []
    try:
        for epoch in tqdm(range(epochs), disable=None):
            for hands in deal(len(x), N_CRITIC, BATCH, seed + epoch):
                for hand in hands:
                    loss = train_critic(x[hand])
                train_generator()
                record.append(float(loss))
            stages.append(np.asarray(generator(codes)))
    except KeyboardInterrupt:
        print("stopped; what has been trained so far is kept")
    return generator, np.array(record), np.array(stages)
    ### END SOLUTION


# %%
generator_loss = check.catch_up("18.2f", generator_loss)
codes = random.normal(size=(N_JUDGED, LATENT)).astype("float32")
played = None  # until train_wgan is written
played = train_wgan(generator, critic, maps, codes, EPOCHS, check.seed)

# %% check="18.2g"
check("18.2g", train_wgan, result=played)

# %%
train_wgan = check.catch_up("18.2g", train_wgan)
if played is None:
    played = train_wgan(generator, critic, maps, codes, EPOCHS, check.seed)
generator, record, stages = played
per_epoch = record.reshape(EPOCHS, -1)
print("minus the critic's loss, mean of each epoch:", *(f"{-value:.2f}" for value in per_epoch.mean(1)))  # fmt: skip

# %%
figure, ax = plt.subplots(figsize=(6.8, 3.8))
epoch_of_round = np.arange(len(record)) / per_epoch.shape[1]
ax.plot(epoch_of_round, -record, lw=0.5, color=plotting.GREY, label="each round")
ax.plot(np.arange(EPOCHS) + 0.5, -per_epoch.mean(1), "o-", label="mean of the epoch")
ax.set(
    xlabel="epochs played",
    ylabel="minus the critic's loss",
    ylim=(-0.5, 1.5),
    title=f"From {settled:.1f} before the game to {-per_epoch[-1].mean():.2f} in its last epoch",
)
ax.legend()
plotting.show(
    "Minus the loss of the critic against the epochs played: a steep fall within the first epoch, then values of a few tenths "
    "that scatter less and less.",
    figure,
)
show_footprints(
    {
        "simulated": simulated,
        **{f"after epoch {e}": stages[e - 1] for e in (1, 2, 5, 10, EPOCHS) if e <= EPOCHS},
    },
    "The same codes after more and more epochs",
    "Rows of ten footprints: simulated ones, and what the same ten codes give after epochs 1, 2, 5, 10 and the last: first "
    "blurred spots, then footprints of different sizes with silent stations around.",
)

# %% [markdown]
r"""
The losses of a GAN hardly tell you whether it improves (`ch18_gan`). This one does, as long as the changes are large: most of the way is gone within the first epoch. Later it must be read with care. The estimate is that of *this* critic, which always runs a few steps behind: it may come out too small, even negative, when the generator
moves fast, and rise while the critic catches up. Nor does it reach zero in the end, for 32 maps and 32 others always differ in some direction of 81 dimensions.

## By numbers

The footprints look right. That says little, so measure. `metrics.shower_observables` gives five numbers for each map:

- the **total signal** (here: the sum of the logarithms) and the **multiplicity**, the number of stations that have triggered;
- the **maximum**, and the **contrast**: the loudest station minus the mean of its eight neighbours;
- the **fluctuation**: the scatter of the stations about the map's own radial profile, relative to the mean signal.

`metrics.compare_distributions` compares a sample of such numbers with the simulation: the Kolmogorov-Smirnov distance (the largest difference of the cumulative distributions) and the Wasserstein distance, in units of the observable's own standard deviation.

A generated station may have 0.2, which no simulated one has: halfway below the trigger. As in an experiment, what is too small to trigger is called silent: `THRESHOLD` lies in the middle of the gap.

**What is possible?** Two simulated samples of the same size are not at distance zero either. This is the value to compare with.
"""

# %%
check.predict("18.2-auc", None, question="Boosted trees look at these five numbers only. With which AUC will they tell generated from simulated footprints (0.5: not at all, 1: always)?")  # fmt: skip

# %%
THRESHOLD = TRIGGER / 2
generated = stages[-1]
samples = {
    "simulated": simulated,
    "simulated again": simulated_again,
    "generated": generated,
    "untrained": untrained,
}
measured = {
    name: metrics.shower_observables(images, threshold=THRESHOLD)
    for name, images in samples.items()
}
OBSERVABLES = metrics.ShowerObservables._fields
compared = {
    name: {
        quantity: metrics.compare_distributions(
            getattr(measured["simulated"], quantity), getattr(measured[name], quantity)
        )
        for quantity in OBSERVABLES
    }
    for name in ["simulated again", "generated", "untrained"]
}
for name, results in compared.items():
    print(f"simulated against {name}")
    for quantity, ((ks, ks_error), (w1, w1_error)) in results.items():
        print(f"  {quantity:13s} KS {ks:.3f} +- {ks_error:.3f}   W1 {w1:.3f} +- {w1_error:.3f} widths")  # fmt: skip
told_apart = {
    name: metrics.two_sample_test(
        np.stack(measured["simulated"], axis=1), np.stack(measured[name], axis=1), seed=1
    )
    for name in ["simulated again", "generated"]
}
for name, (area, error) in told_apart.items():
    print(f"trees that see the five numbers, simulated against {name}: AUC {area:.3f} +- {error:.3f}")  # fmt: skip
cut = np.where(generated < THRESHOLD, 0, generated)
all_stations = metrics.two_sample_test(simulated, cut, seed=1)
in_gap = np.mean((cut[cut > 0]) < TRIGGER)
print(f"trees that see all 81 stations: AUC {all_stations[0]:.3f} +- {all_stations[1]:.3f}")
print(f"share of the generated loud stations inside the gap, where no simulated one is: {in_gap:.1%}")  # fmt: skip
check.confront("18.2-auc", told_apart["generated"][0])

# %%
LABELS = ["total of lg(1 + S/VEM)", "loud stations", "maximum of lg(1 + S/VEM)", "contrast in lg(1 + S/VEM)", "relative fluctuation"]  # fmt: skip
figure, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
for ax, quantity, label in zip(axes.flat, OBSERVABLES, LABELS, strict=False):
    values = getattr(measured["simulated"], quantity)
    edges = np.linspace(*np.quantile(values, [0.001, 0.999]), 36)
    if quantity == "multiplicity":
        edges = np.arange(0.5, 82, 3)
    ax.hist(values, edges, color=plotting.GREY, alpha=0.5, label="simulated")
    ax.hist(getattr(measured["generated"], quantity), edges, histtype="step", lw=1.6, label="generated")  # fmt: skip
    w1 = compared["generated"][quantity].wasserstein[0]
    again = compared["simulated again"][quantity].wasserstein[0]
    ax.set(xlabel=label, ylabel="footprints per bin", title=f"W1 {w1:.2f} widths, simulated twice {again:.2f}")  # fmt: skip
    ax.title.set_fontsize(10)
axes[0, 0].legend()
ax = axes[1, 2]
edges = np.linspace(0.02, 3.7, 70)
ax.hist(simulated.ravel(), edges, color=plotting.GREY, alpha=0.5)
ax.hist(generated.ravel(), edges, histtype="step", lw=1.6)
ax.axvline(TRIGGER, ls="--", color=plotting.INK, lw=0.8, label="trigger")
ax.set(xlabel="lg(1 + S/VEM) of a station", ylabel="stations per bin", yscale="log", title="The gap below the trigger is not kept")  # fmt: skip
ax.title.set_fontsize(10)
ax.legend()
plotting.show(
    "Histograms of simulated and generated footprints: total, multiplicity, maximum, contrast, fluctuation, and the signals of "
    "all stations, where generated ones fill the empty gap below the trigger.",
    figure,
)

# %% [markdown]
r"""
Read the table line by line: how far is *generated* from *simulated*, in units of what two simulated samples do? Total and multiplicity come near to it. The maximum does not: simulated stations saturate, and the steep edge that this makes is washed out. Nor does the contrast. And remember where the ruler ends: trees that see all five numbers together tell
many footprints apart, trees with all 81 stations nearly every one. The gap below the trigger gives them away: a network is a continuous function of its codes, and where a station goes from silent to loud it passes through all values in between.

Adversarial trainings differ from run to run. In ten trainings with a third of the maps the mean W1 of the five observables was 0.15 +- 0.02 widths (0.13 to 0.20), and none failed; two simulated samples give 0.02.

## Example 18.4: the stages of the training

The book shows footprints of a generator at different stages (Fig. 18.6): noise first, then patterns, at last the steep fall of the signal with distance. Here are the same stages as distributions: the radial profile, the mean signal in rings around the central station, and the total signal, $p_\theta$ against $p_r$. The distance of a profile: the mean over
the five rings of W1, in lg units.
"""

# %%
STAGES = {"untrained": untrained} | {f"epoch {e}": stages[e - 1] for e in (1, 3, EPOCHS)}


def profile_distance(first, second):
    """Mean over the rings of the Wasserstein distance of the ring's mean signal."""
    pairs = zip(metrics.radial_profile(first).T, metrics.radial_profile(second).T, strict=True)
    return np.mean([metrics.wasserstein(a, b, resamples=2)[0] for a, b in pairs])


profile_w1 = {name: profile_distance(simulated, images) for name, images in STAGES.items()}
total_w1 = {
    name: metrics.wasserstein(simulated.sum((1, 2, 3)), images.sum((1, 2, 3)))
    for name, images in STAGES.items()
}
possible = profile_distance(simulated, simulated_again)
for name in STAGES:
    print(f"{name:10s} W1 of the profile {profile_w1[name]:.3f}, of the total {total_w1[name][0]:6.2f} +- {total_w1[name][1]:.2f}")  # fmt: skip
print(f"two simulated samples: profile {possible:.3f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
rings = 0.75 * np.arange(5)  # km
profile = metrics.radial_profile(simulated)
axes[0].fill_between(rings, *np.quantile(profile, [0.16, 0.84], axis=0), color=plotting.GREY, alpha=0.3, label="68 % of the simulated")  # fmt: skip
axes[0].plot(rings, profile.mean(0), color=plotting.INK, label="mean of the simulated")
edges = np.linspace(0, 160, 41)
axes[1].hist(simulated.sum((1, 2, 3)), edges, color=plotting.GREY, alpha=0.4, label="simulated")
for (name, images), style in zip(STAGES.items(), [":", "-.", "--", "-"], strict=True):
    of_stage = metrics.radial_profile(images)
    axes[0].errorbar(rings, of_stage.mean(0), of_stage.std(0), ls=style, marker="o", capsize=3, label=name)  # fmt: skip
    axes[1].hist(images.sum((1, 2, 3)), edges, histtype="step", ls=style, lw=1.5, label=name)
axes[0].set(
    xlabel="distance from the central station (km)",
    ylabel="mean lg(1 + S/VEM) of a ring",
    title=f"The fall with distance: W1 {profile_w1['untrained']:.2f} at the start, {profile_w1[f'epoch {EPOCHS}']:.3f} at the end",
)
axes[1].set(xlabel="total of lg(1 + S/VEM)", ylabel="footprints per bin", ylim=(0, N_JUDGED / 5), title="The total signal, stage by stage")  # fmt: skip
axes[0].legend(fontsize=8)
axes[1].legend(fontsize=8)
plotting.show(
    "Left: mean signal against the distance from the central station, bars for the scatter over footprints; flat for the untrained generator, on top of the simulation "
    "at the end. Right: histograms of the total signal at the same stages.",
    figure,
)

# %% covers="X18.4"
last = f"epoch {EPOCHS}"
check.claim("X18.4", profile_w1["epoch 1"], at_most=profile_w1["untrained"] / 2, wrong=profile_w1["untrained"])  # fmt: skip
check.claim("X18.4", profile_w1[last], at_most=profile_w1["epoch 1"], wrong=profile_w1["untrained"])  # fmt: skip
check.claim("X18.4", profile_w1[last], at_most=profile_w1["untrained"] / 8, wrong=profile_w1["untrained"] / 2)  # fmt: skip
check.claim("X18.4", total_w1[last][0], at_most=total_w1["untrained"][0] / 5, wrong=total_w1["untrained"][0])  # fmt: skip

# %% [markdown]
r"""
The fall with distance is there after the first epoch already, on average; the scatter about it needs the rest. The way is not straight. As long as the learning rate is high the generator overshoots, and an epoch may leave a profile that is worse than before; what settles it is the falling rate. Whoever stops such a training early should look at the numbers first.
"""

# %% [markdown]
r"""
## Exercise 18.2, parts 4 and 5: words

**Your task.** Name four challenges of adversarial training, and say of each whether the Wasserstein distance helps. Then explain, in three sentences, why a Wasserstein critic reduces mode collapse. Write your answers down before you open the ones below; the questions help.
"""

# %%
check.quiz("18.2-q3")

# %%
check.quiz("18.2-q4")

# %% [markdown] tags=["answer"] covers="E18.2/4"
r"""
**Four challenges.** (1) *Mode collapse*: the generator finds a few events that pass, and makes nothing else; when the discriminator has learnt them it moves on to others, and the two chase each other in circles. (2) *Vanishing gradients*: a discriminator that is sure of itself sits on the flat part of its sigmoid, and $-\ln(1 - d)$ gives the generator a factor
$\sigma(f)$ of its gradient, $5 \cdot 10^{-5}$ at a logit of $-10$. (3) *Monitoring*: the loss of one player says how good it is against the other, not how good the events are; with disjoint distributions the divergence behind it is a constant, $\ln 2$ (the book's form without the factor 1/2: $2 \ln 2$). (4) *Two players*: each step of one changes the problem of the other.
There is no function that both minimise, gradient steps may circle around the balance or leave it, and what works depends on learning rates, momentum and the number of steps of each.

The Wasserstein critic does much for (1) and (2), and something for (3): its estimate falls with the quality. It does not remove (4): two networks still play, and a critic that lags behind gives wrong directions.
"""

# %%
check.quiz("18.2-q5")

# %% [markdown] tags=["answer"] covers="E18.2/5"
r"""
**Why fewer modes are lost.** The distance counts mass. If a tenth of the simulated showers has no counterpart, this tenth must be carried from elsewhere, and the distance grows by a tenth times the way, however perfect the other events are. The optimal critic therefore stands *high* over the forgotten region, and since its slope is limited to 1 from above and pulled
to 1 by the penalty, the ground rises all the way from the generated maps towards it: a gradient of full size that leads there. A discriminator with a sigmoid is flat at both places, and its divergence costs at most a constant. Besides, the critic may be trained until it has converged without the gradient's vanishing: the generator then
faces the best answer to *all* that it makes, not to its last step, so that running away to the next mode does not pay.
"""

# %% tags=["instructor"]
# Timing: (a, b) 20 min, (c, d) 20, (e) 5, (f, g) 25, the rest reading. Let groups try lambda = 0.1 and five steps of the
# critic: what matters most is the number of rounds, and then the rate of the generator. Discussion: (1) Why does a sum of logarithms agree while the sum of signals need not? (2) How would one repair the gap: a second
# output, the probability that a station is loud, and a draw? (3) Which of the five numbers needs correlations between stations, and which not?
for question, answer in [("18.2-q1", 2), ("18.2-q2", 3), ("18.2-q3", 4), ("18.2-q4", 1), ("18.2-q5", 3)]:  # fmt: skip
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- The Wasserstein distance is the work of moving one distribution to the other; the critic measures it as the height difference in a landscape of slope 1.
- The gradient penalty is about the critic's input, at points between a real and a generated event, one share for each pair and one norm for each event.
- Count what you feed: every map once an epoch, in a new order.
- The critic's estimate falls as the events improve. Its penalty is a spring, not a wall, and the estimate is never zero.
- Judge with observables that were not in the loss, and write beside each what two simulated samples give.
- A continuous network fills gaps: here the one below the trigger.
"""

# %%
check.summary()
