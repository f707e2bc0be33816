# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 7, title: Fully-connected networks, level: 2, minutes: 90, sections: "7.1-7.4, 7.8", data: [earthquakes, ising], fast: {EPOCHS: 15, NOISY_EPOCHS: 6, ISING_EPOCHS: 5}}
# ---
# %% [markdown]
r"""
# Fully-connected networks

**You will**

- build a network that turns eight arrival times into the place of an earthquake, and train it until it errs by less than 70 m;
- say what such a number means: mean distance, Rayleigh width, and what no unbiased method can beat;
- build a network that tells a ferromagnet from a paramagnet by looking at all 1024 spins at once;
- teach it two symmetries of physics through its training data, and measure its accuracy at every temperature.

**You need** layers, activations and losses (chapters 3 and 4), training and validation data (chapter 5), and a little Keras.
**Time:** about 90 minutes. The cells themselves run in a minute and a half.

**You will see** a network that has never heard of wave speeds beat a textbook fit, and another that does worse than a single number, the magnetisation, and why.

What makes deep networks hard to train, and the three cures of sections 7.5 to 7.7, stand in `ch07_examples`. The galaxies of section 7.3 and the air showers
of the online exercise 7.2 stand in `ch07_galaxies` and `ch07_airshowers`.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.simulators import earthquakes, ising

check = checks.start("ch07_fully_connected")

import inspect
import itertools

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
EPOCHS = 50  # of the earthquake network
NOISY_EPOCHS = 20  # of the same network on times with errors
TIMING_ERROR = 0.02  # s
N_LATTICES = 26_000  # training, validation and test together
ISING_EPOCHS = 8

# %% [markdown]
r"""
## Section 7.2: where was the earthquake?

Two tectonic plates meet along a border, and earthquakes happen near it. Four stations register two waves of each: the fast compression wave (P) and the slower
shear wave (S). That makes eight times for each earthquake,
$$\vec t = \left(t_p^{(1)}, t_s^{(1)}, t_p^{(2)}, \ldots, t_s^{(4)}\right),$$
in seconds after the earthquake began. Wanted are two numbers, the epicentre $(x, y)$ in kilometres. The network sees times and places and nothing else: no wave speeds,
no station positions.
"""

# %%
quakes = datasets.load_earthquakes(seed=check.seed)
quakes

# %%
plotting.earthquake_map(
    quakes.y_train[:1000],
    earthquakes.STATIONS,
    title="Earthquakes follow the border of two plates",
)

# %% [markdown]
r"""
### The network

Three hidden layers with 64 nodes each and ReLU, and two linear outputs:

$$\vec z_0 = \sigma(W_0 \vec t + \vec b_0), \qquad \vec z_1 = \sigma(W_1 \vec z_0 + \vec b_1), \qquad \vec z_2 = \sigma(W_2 \vec z_1 + \vec b_2), \tag{7.1-7.3}$$

$$(\hat x, \hat y) = W_3 \vec z_2 + \vec b_3. \tag{7.4}$$

A network learns best when the numbers in it are of order one. The book divides all times by the largest time of the data. We put this division into the network, as a layer
`layers.Rescaling(factor)` without any parameter, and do the same at the other end: the last dense layer gives the epicentre in units of 10 km, and a second
`Rescaling` turns these into kilometres. So the network as a whole takes seconds and answers in kilometres, and nobody has to remember a factor.

**Your task.** Build this network: rescaling by the largest time, three hidden layers with 64 nodes and ReLU, two linear outputs, rescaling by 10.
Leave the initial weights to Keras.

Stuck? `check.hint("M7.1a")` gives up to three hints.
"""


# %% task="M7.1a" points=2
def build_localiser(largest_time):
    """A fully-connected network from eight arrival times (s) to an epicentre (km).

    largest_time: the largest time in the training data, s. Returns a Keras model, not compiled; input (n, 8), output (n, 2).
    """
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.Rescaling(1 / largest_time),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(2),
            layers.Rescaling(10.0),
        ]
    )
    ### END SOLUTION


# %% check="M7.1a"
check("M7.1a", build_localiser)

# %% [markdown]
r"""
### How the weights begin

Keras draws the initial weights of a dense layer from a uniform distribution between $-s$ and $s$ with $s = \sqrt{6/(n_\mathrm{in} + n_\mathrm{out})}$ (Glorot), and sets all biases to 0,
as the book does. One word to correct there: section 7.2 calls this $s$ a standard deviation. It is the half-width; the standard deviation is smaller by $\sqrt 3$, that is
$\sqrt{2/(n_\mathrm{in} + n_\mathrm{out})}$.
"""

# %%
build_localiser = check.catch_up("M7.1a", build_localiser)
weights = (
    build_localiser(10.0).layers[2].get_weights()[0]
)  # the second hidden layer: 64 nodes in, 64 out

# %% covers="M7.1"
print(
    f"64 x 64 initial weights: largest {np.abs(weights).max():.4f}, standard deviation {weights.std():.4f}"
)
check.claim(
    "M7.1", build_localiser(10.0).count_params(), 9026, wrong=4866
)  # wrong: one hidden layer too few
check.claim("M7.1", weights.std(), np.sqrt(2 / 128), tolerance=0.005, wrong=np.sqrt(6 / 128))

# %% [markdown]
r"""
### The training

The loss is the mean squared distance (7.5),
$$L = \frac 1 n \sum_{i=1}^n \left[(x_i - \hat x_i)^2 + (y_i - \hat y_i)^2\right],$$
with $n = 32$ earthquakes in a batch. (Keras' `"mse"` also averages over the two outputs: it is $L/2$, with the same minimum.)

The book does not say how the learning rate was chosen, and it decides the result. Near the minimum each step of size $\alpha$ overshoots a little, because a batch of 32 earthquakes
knows the gradient only roughly. The network then jitters around the minimum, the more the larger $\alpha$. The cure: begin with large steps, end with tiny ones.
`keras.optimizers.schedules.CosineDecay(initial, steps)` lets the learning rate fall along half a cosine from `initial` to zero within a number of *steps* (batches, not epochs).

Guess first.
"""

# %%
check.predict(
    "M7.1-distance",
    None,
    question="How far off, in metres and on average, will the network be after its training?",
)

# %% [markdown]
r"""
**Your task.** Build the network for these data, compile it with Adam, a learning rate that falls from 0.003 to zero, and the loss `"mse"`; fit it in batches of 32; return it.
With so small a network most of the time goes into starting each step: `steps_per_execution=100` in `compile` lets TensorFlow do 100 steps at a time, which is several times faster.
The check trains your network for a few epochs and takes some seconds.
"""


# %% task="M7.1b" points=3
def train_localiser(times, epicentres, validation, epochs):
    """Train a network to find epicentres, and return it.

    times: (n, 8), s; epicentres: (n, 2), km; validation: the pair (times, epicentres) of events to watch, not to train on.
    """
    ### BEGIN SOLUTION
    model = build_localiser(times.max())
    steps = epochs * int(np.ceil(len(times) / 32))
    learning_rate = keras.optimizers.schedules.CosineDecay(0.003, steps)
    model.compile(keras.optimizers.Adam(learning_rate), loss="mse", steps_per_execution=100)
    model.fit(
        times,
        epicentres,
        batch_size=32,
        epochs=epochs,
        validation_data=validation,
        validation_batch_size=1000,
        verbose=0,
    )
    return model
    ### END SOLUTION


# %% check="M7.1b"
check("M7.1b", train_localiser)

# %% [markdown]
r"""
Now the full training, and for comparison the same network with a constant learning rate of 0.001, Adam's usual value.
"""

# %%
train_localiser = check.catch_up("M7.1b", train_localiser)
validation = (quakes.x_validation, quakes.y_validation)
localiser = train_localiser(quakes.x_train, quakes.y_train, validation, EPOCHS)

# %%
jittery = build_localiser(quakes.x_train.max())
jittery.compile(keras.optimizers.Adam(0.001), loss="mse", steps_per_execution=100)
jittery.fit(
    quakes.x_train,
    quakes.y_train,
    batch_size=32,
    epochs=EPOCHS,
    validation_data=validation,
    validation_batch_size=1000,
    verbose=0,
)
loss = {
    "constant 0.001": 2 * np.array(jittery.history.history["val_loss"]),
    "falling from 0.003 to 0": 2 * np.array(localiser.history.history["val_loss"]),
}
plotting.lines(
    np.arange(1, EPOCHS + 1),
    loss,
    xlabel="epoch",
    ylabel="mean squared distance, validation (km$^2$)",
    title="A falling learning rate settles; a constant one keeps jumping",
    log_y=True,
)

# %% [markdown]
r"""
### What "70 m" means

The network is off by a distance $d = |\hat{\vec r} - \vec r|$ for each earthquake. To put all of them into one number there are several ways, and the book mixes two. If both
coordinates had Gaussian errors of the same width $\sigma$, the distances would follow a **Rayleigh** distribution,
$$p(d) = \frac{d}{\sigma^2}\, e^{-d^2/2\sigma^2}, \qquad \langle d \rangle = \sqrt{\pi/2}\;\sigma = 1.25\,\sigma, \qquad \sqrt{\langle d^2\rangle} = \sqrt 2\,\sigma .$$
The book quotes a *mean distance* of about 70 m and, in figure 7.3, a Rayleigh *width* of 69 m. Both cannot hold: a Rayleigh distribution of width 69 m has the mean 86 m.
So we state both, and how the width was found. From the formula on the right it can be estimated without any histogram,
$$\hat\sigma = \sqrt{\tfrac12 \langle d^2 \rangle},$$
which is also the maximum of the likelihood. Be aware of what the square does: a few distant misses weigh heavily.

**Your task.** Return the mean distance and this $\hat\sigma$.
"""


# %% task="M7.1c" points=1
def localisation_error(predicted, truth):
    """Mean distance between predicted and true epicentres, and the Rayleigh width of the distances.

    predicted, truth: (n, 2), km. Returns two numbers, km.
    """
    ### BEGIN SOLUTION
    distance = np.linalg.norm(predicted - truth, axis=1)
    return distance.mean(), np.sqrt((distance**2).mean() / 2)
    ### END SOLUTION


# %% check="M7.1c"
check("M7.1c", localisation_error)

# %%
localisation_error = check.catch_up("M7.1c", localisation_error)

predicted = localiser.predict(quakes.x_test, batch_size=1000, verbose=0)
distance = 1000 * np.linalg.norm(predicted - quakes.y_test, axis=1)  # m
mean, mean_error = metrics.mean_with_error(distance)
sigma, sigma_error = metrics.rayleigh_sigma(distance)
plotting.distance_histogram(
    distance,
    sigma=sigma,
    unit="m",
    title="Many small misses, and a long tail",
)

# %% [markdown]
r"""
A Rayleigh curve does not fit well. The misses are no random errors: the times carry no noise here, so they show where the network bends its straight pieces badly around a curved
function, and that differs from place to place. The width $\hat\sigma$ is then just a name for $\sqrt{\langle d^2\rangle/2}$.
"""

# %% covers="M7.1"
print(f"mean distance   {mean:.1f} +- {mean_error:.1f} m")
print(
    f"Rayleigh width  {sigma:.1f} +- {sigma_error:.1f} m  (the error holds for a true Rayleigh distribution)"
)
print(f"largest miss    {distance.max():.0f} m in {len(distance)} earthquakes")
check.confront("M7.1-distance", mean, unit="m")
check.claim(
    "M7.1", sigma, at_most=69, wrong=98
)  # wrong: the root mean square of a Rayleigh width of 69 m
check.claim("M7.1", mean, at_most=86, wrong=240)  # wrong: the textbook fit below
check.claim("M7.1", 69 * np.sqrt(np.pi / 2), 86.5, tolerance=0.1, wrong=69)

# %% [markdown]
r"""
### Beside it: what a physicist would do

With the speeds and the stations known, one would *triangulate*: find the place whose travel times $d_k/v_p$ and $d_k/v_s$ agree best with the eight measured ones, by least
squares. That is the **baseline**, and it needs no training.
"""

# %%
textbook = earthquakes.triangulate(quakes.x_test)
calibrated = earthquakes.triangulate(quakes.x_test, offsets=earthquakes.STATION_OFFSETS)
for name, places in [
    ("network", predicted),
    ("triangulation, clocks taken as right", textbook),
    ("triangulation, clock errors known", calibrated),
]:
    mean_distance, width = localisation_error(places, quakes.y_test)
    print(
        f"{name:38s} mean distance {1000 * mean_distance:8.2f} m, Rayleigh width {1000 * width:8.2f} m"
    )
print()
print("clock errors of the stations (s), P and S:")
print(earthquakes.STATION_OFFSETS)

# %%
check.quiz("M7.1-q1")

# %% [markdown]
r"""
The stations' clocks are off by a fixed amount, up to 0.2 s, which a wave of 7 km/s turns into more than a kilometre. Table 7.1 of the book contains these clock errors, although its
text does not mention them. The textbook fit believes the clocks. The network has no idea what a clock is: it learns from examples which places belong to which times,
and the clock errors go with it. A physicist who *calibrates*, and knows the errors, is better than both, for these times are otherwise exact.
"""

# %% covers="M7.1"
textbook_mean = 1000 * localisation_error(textbook, quakes.y_test)[0]
calibrated_mean = 1000 * localisation_error(calibrated, quakes.y_test)[0]
check.claim("M7.1", textbook_mean, at_least=150, wrong=mean)
check.claim("M7.1", calibrated_mean, at_most=0.1, wrong=textbook_mean)

# %% [markdown]
r"""
### With errors of measurement

Real times have errors. Let each of the eight times now have a Gaussian error of 0.02 s. Then no method can find the exact place any more, and statistics says what is possible:
the covariance of any *unbiased* estimate is at least the inverse of the Fisher information (Cramér and Rao),
$$\mathrm{cov}(\hat{\vec r}) \ge I^{-1}, \qquad I = \frac{1}{\sigma_t^2}\left(\frac{1}{v_p^2} + \frac{1}{v_s^2}\right) \sum_k \vec u_k \vec u_k^{\,T},$$
with $\vec u_k$ the unit vector from station $k$ to the epicentre. So the mean squared distance is at least the mean of the trace of $I^{-1}$. This binds unbiased methods only; a
method that knows where earthquakes happen, as a network does from its training, may be better at the price of a bias. Here it gains next to nothing from that: the border
is 4 km wide, the errors about 100 m.

We train the same network on times with errors, for the same earthquakes.
"""

# %%
noisy = datasets.load_earthquakes(seed=check.seed, timing_error=TIMING_ERROR)
noisy_localiser = train_localiser(
    noisy.x_train, noisy.y_train, (noisy.x_validation, noisy.y_validation), NOISY_EPOCHS
)
noisy_distance = {
    "network": np.linalg.norm(
        noisy_localiser.predict(noisy.x_test, batch_size=1000, verbose=0) - noisy.y_test, axis=1
    ),
    "triangulation, clock errors known": np.linalg.norm(
        earthquakes.triangulate(noisy.x_test, offsets=earthquakes.STATION_OFFSETS) - noisy.y_test,
        axis=1,
    ),
}
smallest_squared = np.trace(
    earthquakes.cramer_rao(noisy.y_test, timing_error=TIMING_ERROR), axis1=1, axis2=2
)  # km^2

# %%
from_centre = np.linalg.norm(noisy.y_test, axis=1)
edges = np.array([0, 10, 15, 20, 25, 30, 35, 50])
rings = [(from_centre >= low) & (from_centre < high) for low, high in itertools.pairwise(edges)]
curves = {
    name: [1000 * np.sqrt((miss[ring] ** 2).mean()) for ring in rings]
    for name, miss in noisy_distance.items()
}
curves["Cramér-Rao bound"] = [1000 * np.sqrt(smallest_squared[ring].mean()) for ring in rings]
plotting.lines(
    (edges[:-1] + edges[1:]) / 2,
    curves,
    errors={
        name: np.array(curves[name]) / [2 * np.sqrt(ring.sum()) for ring in rings]
        for name in noisy_distance
    },
    xlabel="distance from the centre of the stations (km)",
    ylabel="root mean square miss (m)",
    dashed=["Cramér-Rao bound"],
    title="Least squares reaches the bound; the network comes near",
)

# %% covers="M7.1"
bound = 1000 * np.sqrt(smallest_squared.mean())
ratio = {name: 1000 * np.sqrt((miss**2).mean()) / bound for name, miss in noisy_distance.items()}
print(
    f"timing error {TIMING_ERROR} s: Cramer-Rao bound {bound:.0f} m (root mean square of the distance)"
)
for name, value in ratio.items():
    print(f"{name:38s} {value * bound:.0f} m, {value:.2f} times the bound")
check.claim(
    "M7.1", ratio["triangulation, clock errors known"], 1.0, tolerance=0.1, wrong=np.sqrt(2)
)
check.claim("M7.1", ratio["network"], at_least=0.9, at_most=1.6, wrong=1 / np.sqrt(2))

# %%
check.quiz("M7.1-q2")

# %% [markdown] tags=["instructor"]
r"""
*For the instructor.* Over ten seeds the network of section 7.2 has a mean distance of 28 to 41 m (mean 31) and a width of 24 to 37 m (mean 27) at the default settings; single misses of a few hundred metres
occur. Twelve epochs already give 43 to 62 m. With timing errors it comes to within 19 to 27 % of the bound in 20 epochs. Dividing the targets by 10 km is worth about a factor of 1.5, the cosine schedule a factor of two to ten
against a constant rate (depending on which epoch happens to be the last). Standardising each input instead of dividing by the largest time brings the mean down to about 25 m: a
good extension. So the book's 70 m is no limit of the data; the times of table 7.1 have no error but their rounding. A data-limited 70 m would need a timing error of about 17 ms.
"""

# %% [markdown]
r"""
## Exercise 7.1: two magnetic phases

A lattice of $32 \times 32$ magnetic moments, each $+1$ or $-1$, with the energy
$$E = -\sum_{\langle ij \rangle} s_i s_j$$
summed over neighbouring pairs (Ising model; energies in units of the coupling $J$, temperatures in $J/k_B$; the borders are joined, so the lattice is a torus). Cold, the spins agree
and the lattice is a *ferromagnet*, in one of two directions. Hot, they point anywhere: a *paramagnet*. In between, at
$T_c = 2/\ln(1 + \sqrt 2) = 2.269$, the correlation length diverges, and clusters of every size appear.

The book writes $p \sim e^{-a/T}$ for the probability of an orientation. That is a sketch of one step of the algorithm, not the weight of a configuration, which is
$e^{-E/T}$. The **Metropolis rule** reaches it: propose to flip a spin; if that lowers the energy, do it; if it costs $\Delta E > 0$, do it with the probability
$$p = e^{-\Delta E/T}.$$
The next cell shows it in plain NumPy. The data come from a faster program that is tested against it.
"""

# %%
signature, _, body = inspect.getsource(ising.metropolis_sweeps_plain).split('"""')
print(signature.rstrip() + body)
hot_start = np.random.default_rng(check.seed).choice([-1, 1], size=(50, 16, 16))
for t in (1.5, 3.5):
    spins = ising.metropolis_sweeps_plain(hot_start, t, 100, seed=check.seed)
    print(
        f"T = {t}: energy per spin {ising.energy(spins).mean():+.2f}, mean |m| {np.abs(spins.mean((1, 2))).mean():.2f}"
    )

# %%
check.quiz("7.1-q1")

# %%
data = datasets.load_ising(N_LATTICES, seed=check.seed)
data

# %%
temperature = data.extra_test["temperature"]
shown = [1.5, 2.1, 2.2, 2.3, 2.4, 3.5]
rows = [np.flatnonzero(np.isclose(temperature, t))[0] for t in shown]
plotting.lattices(
    data.x_test[rows],
    shown,
    title="Easy when cold or hot; near $T_c$ = 2.27 it takes a second look",
)

# %% [markdown]
r"""
The label is 1 below $T = 2.27$ (ferromagnetic) and 0 above (paramagnetic). Two comparisons come before any network.

- **Baseline.** The magnetisation $m = \langle s \rangle$ is far from zero in a ferromagnet, so call a lattice ferromagnetic if $|m|$ exceeds a fixed threshold.
- **Limit.** The spins enter $e^{-E/T}$ through the energy alone. So the energy contains all a lattice can tell about its temperature, and over all temperatures no classifier
  is better than the best cut on the energy. `ising.bayes_accuracy` knows its accuracy from the exact number of states at each energy.
"""

# %%
truth = data.y_test.astype(int)
labels_cut = ising.magnetization_cut(data.x_test[..., 0]).astype(int)
limit = ising.bayes_accuracy().mean()
cut_accuracy, cut_error = metrics.accuracy_with_error(labels_cut == truth)
print(f"baseline, cut on |m|:            {cut_accuracy:.4f} +- {cut_error:.4f}")
print(f"limit, best classifier possible: {limit:.4f}")

# %% [markdown]
r"""
### A linear classifier first

Does it need a deep network? A single node with a sigmoid, $p = \mathrm{sigmoid}(\vec w \cdot \vec s + b)$, has a weight for each spin. Train it and see.
"""

# %%
linear = keras.Sequential(
    [keras.Input((32, 32, 1)), layers.Flatten(), layers.Dense(1, activation="sigmoid")]
)
linear.compile("adam", "binary_crossentropy", metrics=["accuracy"], steps_per_execution=50)
linear.fit(data.x_train, data.y_train, batch_size=64, epochs=3, verbose=0)
linear_accuracy = linear.evaluate(data.x_test, data.y_test, batch_size=1000, verbose=0)[1]

one_sided = ((data.x_test.mean((1, 2, 3)) > 0.735) == truth).mean()

# %%
print(f"a linear classifier, trained:          {linear_accuracy:.3f}")
print(f"a linear classifier, thought out:      {one_sided:.3f}   (ferromagnetic if m > 0.735)")
check.claim("E7.1/1", linear_accuracy, 0.5, tolerance=0.15, wrong=one_sided)

# %%
check.quiz("7.1-q2")

# %% [markdown]
r"""
No better than a coin. The reason is a symmetry: without a magnetic field the lattices $\vec s$ and $-\vec s$ are equally likely and have the same label. The cross-entropy of a linear classifier is a convex
function of $(\vec w, b)$, and with every lattice its opposite occurs, so $\vec w$ and $-\vec w$ have the same loss. A convex function with this symmetry has its minimum at $\vec w = 0$: the
best linear classifier in the sense of its loss does not look at the lattice.

The second line shows that a plane *can* do better, by giving up one of the two directions of the ferromagnet. The training does not find it, because it pays for the lost direction with
a large loss. A hidden layer can have one node for each direction, and that is enough.

### The dense network

**Your task.** Build a fully-connected network for these lattices: flatten them to 1024 numbers, two hidden layers with 32 nodes and ReLU, and one output with a sigmoid,
the probability of the ferromagnetic phase. (Two outputs with the softmax (7.6) would do the same: the softmax of two numbers is the sigmoid of their difference.)
"""


# %% task="7.1a" points=2 covers="E7.1/1"
def build_dense():
    """A fully-connected classifier for spin lattices (32, 32, 1); output (n, 1): probability of the ferromagnetic phase.

    Returns a Keras model, not compiled.
    """
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    ### END SOLUTION


# %% check="7.1a"
check("7.1a", build_dense)

# %% [markdown]
r"""
### Two symmetries, taught by example

The dense network knows nothing of the lattice. To it the pixels are 1024 unrelated numbers, and with about twenty thousand lattices and more than thirty thousand weights it begins to learn lattices by heart.
But we know what it does not: neither a shift of the whole lattice along the torus nor a flip of all spins changes the energy, and so the phase.
So every lattice can stand for $32 \times 32 \times 2 = 2048$ others, and the network may see another one of them in each epoch.

**Your task.** Return a copy of each lattice, shifted by a random number of rows and a random number of columns (what leaves on one side comes in on the other: `np.roll`), and with all its spins flipped
with probability 1/2. Shifts and flips are drawn anew for each lattice, from a generator made with `seed`.
"""


# %% task="7.1b" points=2
def symmetric_copies(spins, seed):
    """Each lattice shifted at random along rows and columns of the torus, and flipped as a whole with probability 1/2.

    spins: (n, L, L, 1), entries +1 and -1. Returns a new array of the same shape and type.
    """
    ### BEGIN SOLUTION
    random = np.random.default_rng(seed)
    shifts = random.integers(spins.shape[1], size=(len(spins), 2))
    signs = random.choice([-1, 1], size=len(spins)).astype(spins.dtype)
    copies = [
        sign * np.roll(lattice, shift, axis=(0, 1))
        for lattice, shift, sign in zip(spins, shifts, signs, strict=True)
    ]
    return np.stack(copies)
    ### END SOLUTION


# %% check="7.1b"
check("7.1b", symmetric_copies)

# %% [markdown]
r"""
### The training

The loss for the probability $p_i$ of a class $y_i \in \{0, 1\}$ is the binary cross-entropy,
$$L = -\frac 1 n \sum_i \left[y_i \ln p_i + (1 - y_i) \ln (1 - p_i)\right],$$
which is (7.8) for two classes. A model remembers its state between two calls of `fit`, so one call an epoch, each with new copies, trains on and on.

**Your task.** Build the dense network and train it for `epochs` epochs in batches of 64, in each epoch on symmetric copies made with the seed `seed + epoch`. Use Adam, again with a learning rate
that falls to zero (0.002 at the start is good). Return the model. The check trains it on part of the data, and asks for an accuracy not far below that of the cut on $|m|$.
"""


# %% task="7.1c" points=3 covers="E7.1/1"
def train_dense(lattices, phases, epochs, seed):
    """Train a dense network to recognise the phase, on symmetric copies, and return it.

    lattices: (n, 32, 32, 1); phases: (n,), 1 for ferromagnetic; seed: of the copies in the first epoch.
    """
    ### BEGIN SOLUTION
    model = build_dense()
    steps = epochs * int(np.ceil(len(lattices) / 64))
    learning_rate = keras.optimizers.schedules.CosineDecay(0.002, steps)
    model.compile(
        keras.optimizers.Adam(learning_rate), loss="binary_crossentropy", steps_per_execution=50
    )
    for epoch in range(epochs):
        model.fit(symmetric_copies(lattices, seed + epoch), phases, batch_size=64, verbose=0)
    return model
    ### END SOLUTION


# %% check="7.1c"
check("7.1c", train_dense)

# %%
check.predict(
    "7.1-accuracy",
    None,
    question="Which fraction of the test lattices will the dense network classify correctly? The cut on |m| is given above.",
)

# %%
build_dense = check.catch_up("7.1a", build_dense)
symmetric_copies = check.catch_up("7.1b", symmetric_copies)
train_dense = check.catch_up("7.1c", train_dense)

# for comparison: the same network on the lattices as they are
plain = build_dense()
steps = ISING_EPOCHS * int(np.ceil(len(data.x_train) / 64))
plain.compile(
    keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.002, steps)),
    loss="binary_crossentropy",
    steps_per_execution=50,
)
plain.fit(data.x_train, data.y_train, batch_size=64, epochs=ISING_EPOCHS, verbose=0)

dense = train_dense(data.x_train, data.y_train, ISING_EPOCHS, check.seed)

# %% [markdown]
r"""
The first part of the exercise: the test accuracy. All classifiers see the same lattices, and where one errs the others often err too, so the difference of two accuracies is known better than each of them.
"""

# %%
probability = dense.predict(data.x_test, batch_size=1000, verbose=0)[:, 0]
labels = {
    "dense network": (probability > 0.5).astype(int),
    "dense network, no copies": (
        plain.predict(data.x_test, batch_size=1000, verbose=0)[:, 0] > 0.5
    ).astype(int),
    "cut on |m|": labels_cut,
}
for name, predicted_labels in labels.items():
    value, error = metrics.accuracy_with_error(predicted_labels == truth)
    difference, uncertainty = metrics.mean_with_error(
        (predicted_labels == truth) * 1.0 - (labels_cut == truth)
    )
    print(
        f"{name:26s} {value:.4f} +- {error:.4f}, minus that of the cut: {difference:+.4f} +- {uncertainty:.4f}"
    )
print(f"{'limit':26s} {limit:.4f}")
accuracy, accuracy_error = metrics.accuracy_with_error(labels["dense network"] == truth)
check.confront("7.1-accuracy", accuracy)

# %%
check.claim("E7.1/1", accuracy - cut_accuracy, at_least=-0.01, wrong=linear_accuracy - cut_accuracy)
check.claim(
    "E7.1/1", (accuracy - limit) / accuracy_error, at_most=3, wrong=(1.0 - limit) / accuracy_error
)

# %% [markdown]
r"""
### Accuracy against temperature

Where are the errors? With $n$ lattices at a temperature, a fraction $a$ of them classified correctly, the standard error of this binomial fraction is
$$\sigma_a = \sqrt{\frac{a\,(1-a)}{n}}.$$

**Your task.** Return the accuracy at each temperature, with its standard error.
"""


# %% task="7.1d" points=2 covers="E7.1/2"
def accuracy_by_temperature(predicted, truth, temperature):
    """Accuracy and its standard error at each distinct temperature.

    predicted, truth: labels 0 and 1, shape (n,); temperature: shape (n,), in any order.
    Returns three arrays of one length: temperatures (ascending), accuracies, errors.
    """
    ### BEGIN SOLUTION
    values = np.unique(temperature)
    correct = predicted == truth
    accuracy = np.array([correct[temperature == t].mean() for t in values])
    number = np.array([np.sum(temperature == t) for t in values])
    return values, accuracy, np.sqrt(accuracy * (1 - accuracy) / number)
    ### END SOLUTION


# %% check="7.1d"
check("7.1d", accuracy_by_temperature)

# %%
accuracy_by_temperature = check.catch_up("7.1d", accuracy_by_temperature)
plotting.accuracy_by_temperature(
    {
        name: accuracy_by_temperature(predicted_labels, truth, temperature)
        for name, predicted_labels in labels.items()
    },
    optimal=(ising.COURSE_TEMPERATURES, ising.bayes_accuracy()),
    title="All errors lie near $T_c$, where even the optimal classifier must guess",
)

# %% [markdown]
r"""
The dashed curve is the optimal classifier at each temperature. It is a curve to compare with, not a limit: whoever leans towards "ferromagnetic" gains at 2.2 and pays at 2.3. Only the average over all
temperatures has a limit.

### What the network has learnt

The left figure shows the network's answer beside the magnetisation of each lattice. The right one asks whether its answers are probabilities, as the output of a sigmoid or a softmax claims to be:
of all lattices with an answer near 0.7, are 70 % ferromagnetic?
"""

# %%
m = data.x_test.mean((1, 2, 3))
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
for phase, marker, word in [(0, "o", "above $T_c$"), (1, "^", "below $T_c$")]:
    left.plot(
        m[truth == phase], probability[truth == phase], marker, ms=2.5, alpha=0.4, mew=0, label=word
    )
left.set(
    xlabel="magnetisation per spin",
    ylabel="network: probability of ferromagnet",
    title="It has found $|m|$",
)
left.legend(markerscale=3)
edges = np.linspace(0, 1, 7)
place = np.clip(np.digitize(probability, edges) - 1, 0, 5)
answered = [probability[place == i].mean() for i in range(6)]
found = np.array([metrics.accuracy_with_error(truth[place == i]) for i in range(6)])
right.plot([0, 1], [0, 1], "--", color=plotting.GREY, label="a probability")
right.errorbar(answered, found[:, 0], found[:, 1], fmt="o", label="dense network")
right.set(
    xlabel="network's answer",
    ylabel="fraction that is ferromagnetic",
    title="Its answers are nearly probabilities",
)
right.legend()
plotting.show(
    "Left: the network's answer against the magnetisation, low near zero and high at both ends, an even function. "
    "Right: fraction of ferromagnets against the network's answer, near the diagonal.",
    figure,
)

# %%
check.quiz("7.1-q3")

# %% [markdown]
r"""
**Think.** With its symmetric copies the dense network comes near the cut on $|m|$, yet stays below it, and both stay below the limit. What does the optimal classifier look at that a dense network
hardly can? What would you change in the network?
"""

# %% [markdown] tags=["answer"]
r"""
The optimal classifier cuts on the energy, which is made of products of *neighbours*. A dense network does not know which spins are neighbours; it would have to find 2048 pairs among half a million, and a node that
sums over spins sees the magnetisation at once but the energy hardly at all. Averaged over shifts and flips, the easiest function of the lattice that is left is $|m|$, and the weights, learnt from a finite sample,
are only nearly equal: so it stays a little below. The cure is a network that looks at small neighbourhoods, and everywhere in the same way: a convolutional network, chapter 8.
"""

# %% [markdown] tags=["instructor"]
r"""
*For the instructor.* At the default settings the dense network reaches 97.5 to 98.0 %, 0.35 to 0.7 % (on average 0.5 %) below the cut on $|m|$ (98.3 %) on the same lattices; without the copies it is 0.7 %. The limit is 98.6 %. The statistical error of an
accuracy on 6000 lattices is 0.2 %, so two students can easily see a different order of the first two; the differences on the same lattices are the better comparison. More nodes (128) or epochs (12) bring another
0.1 %. A popular claim is that a linear classifier "cannot do better than 50 %": the cut $m > 0.735$ is linear and reaches 74 %. The 50 % belong to the minimum of the cross-entropy.
"""

# %% [markdown]
r"""
## Key points

- A fully-connected network takes any list of numbers; outputs and loss make it a regression (linear outputs, mean squared error) or a classifier (sigmoid or softmax, cross-entropy).
- The learning rate should end small. A schedule is often worth more than a larger network.
- Say which statistic a resolution is. A Rayleigh width of 69 m and a mean distance of 69 m are different results.
- Compare with a baseline (least squares, a cut), and with what is possible (Cramér-Rao for unbiased methods, the optimal classifier), and name them as what they are.
- A network learns what its data contain, clock errors included. What you know beyond the data, such as a symmetry, you can teach through the data, or, better, build into the network.
"""

# %%
check.summary()
