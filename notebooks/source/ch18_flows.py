# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 18, title: Normalizing flows, level: 3, minutes: 90, sections: "18.3", data: [], fast: {TRAININGS: 1, EPOCHS_AUTOREGRESSIVE: 10, N_FIELDS: 8000, STEPS_LATTICE: 400}}
# ---
# %% [markdown]
r"""
# Normalizing flows

**You will**

- derive a density from a change of variables, first on a line, then with a determinant;
- build a coupling block, forwards and backwards, and hold its determinant against a numerical one;
- train four blocks on a density whose entropy is known, and see how close to this limit they come;
- count what an autoregressive flow costs in the two directions;
- sample a lattice field theory without a single training example, exactly.

**You need** logarithms of densities, the Jacobian matrix, `keras.Model`, and the Kullback-Leibler divergence of this chapter.
**Time:** about 90 minutes. The cells themselves run in about a minute.

**You will see** a generative model that knows the probability of everything it makes.
"""

# %% tags=["setup"]
import time

from dlphys import autodiff, checks, metrics, plotting
from dlphys.layers import AffineCoupling, Flow, MaskedAutoregressive
from dlphys.simulators import lattice_field, toys

check = checks.start("ch18_flows")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
TRAININGS = 3  # of each flow, for the spread
N_POINTS = 40_000  # points of the cross, for training
EPOCHS = 20  # of the coupling flow
EPOCHS_AUTOREGRESSIVE = 20
N_FIELDS = 20_000  # proposals of the lattice flow
STEPS_LATTICE = 700

# %% [markdown]
r"""
## A change of variables

A GAN makes samples and cannot say how probable they are. A **normalizing flow** is an invertible map $z = f(x)$ that turns the data into normally distributed numbers of the same dimension. Read backwards, $x = f^{-1}(z)$, it makes data out of noise; read forwards it gives their density. On a line, probability is conserved, $p(x)\,|\mathrm{d}x| = p(z)\,|\mathrm{d}z|$, hence

$$p(x) = p(z)\,\left|\frac{\mathrm{d}z}{\mathrm{d}x}\right|, \qquad p(x) = p\big(f(x)\big)\,\big|\det J_f(x)\big| \tag{18.17, 18.18}$$

with the Jacobian matrix $J_f$ of $f: x \to z$ in more dimensions. (The words beside (18.18) say "from $z$ to $x$"; the formula is right, and it is the other way round.)

Where $f$ is steep, many values of $z$ fall on few of $x$: the density is high. Take $f(x) = a x + b x^3$ with $a$ and $b$ of one sign. It is invertible, and nearly flat at the origin if $a$ is small.

**Your task.** Return $\ln p(x)$ for this map and a standard normal $z$, with its constant.
"""


# %% task="M18.4a" points=2
def cubic_log_density(x, a, b):
    """Logarithm of the density of x, if z = a x + b x^3 has a standard normal distribution.

    x: (n,); a, b: numbers of one sign, positive or negative, not both zero. Returns an array (n,), in nats.
    """
    ### BEGIN SOLUTION
    z = a * x + b * x**3
    slope = a + 3 * b * x**2
    return np.log(np.abs(slope)) - z**2 / 2 - np.log(2 * np.pi) / 2
    ### END SOLUTION


# %% check="M18.4a"
check("M18.4a", cubic_log_density)

# %%
cubic_log_density = check.catch_up("M18.4a", cubic_log_density)
x_line = np.linspace(-2.5, 2.5, 1001)
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6))
for a, colour, style in zip([1.0, 0.5, 0.2], plotting.COLOURS, ["-", "--", "-."], strict=False):
    cubic = a * x_line + 0.4 * x_line**3
    drawn_x = np.interp(random.standard_normal(50_000), cubic, x_line)  # the inverse, from a table
    density = np.exp(cubic_log_density(x_line, a, 0.4))
    axes[0].plot(x_line, cubic, color=colour, ls=style, label=f"a = {a}")
    axes[1].hist(drawn_x, np.linspace(-2.5, 2.5, 81), density=True, color=colour, alpha=0.25)
    axes[1].plot(x_line, density, color=colour, ls=style, label=f"a = {a}")
axes[0].set(xlabel="x", ylabel="z = a x + 0.4 x³", ylim=(-3, 3))
axes[1].set(xlabel="x", ylabel="density p(x)")
axes[0].legend()
figure.suptitle("One bump becomes two where the map is flat")
plotting.show("Left: three cubic maps, the flattest at the origin has a = 0.2. Right: the densities of x; histograms of mapped normal numbers follow the formula, and for small a the density has two bumps.", figure)  # fmt: skip

# %% [markdown]
r"""
## The coupling block

In $M$ dimensions a general map has an unpleasant determinant, of cost $M^3$, and often no inverse in closed form. The coupling block has neither problem. Cut the event into halves $x_1$ and $x_2$. Two networks make a scale and a shift for one half **from the other half**:

$$z_1 = x_1\, e^{s_2(x_2)} + t_2(x_2), \qquad z_2 = x_2\, e^{s_1(z_1)} + t_1(z_1). \tag{18.23 ff.}$$

The networks may be anything: nobody ever inverts them. In the first step $x_2$ stays as it is, so its Jacobian matrix is triangular with $e^{s_2}$ and ones on the diagonal; in the second step $z_1$ stays. Determinants of successive maps multiply (18.21), so

$$\ln\big|\det J\big| = \sum_i s_{2,i}(x_2) + \sum_i s_{1,i}(z_1). \tag{18.29}$$

**Your task.** Write the block in the direction from data to latent numbers. Calling a network gives two tensors: `s, t = network(half)`. Use `keras.ops` (here `ops`), so that gradients pass.
"""


# %% task="M18.4b" points=3
def coupling_forward(x, network_2, network_1):
    """A coupling block from data to latent numbers, and ln|det J| of each event.

    x: (n, M), M even. network_2 gets the second half of the event, network_1 the first half of z; each returns s and t,
    two tensors (n, M/2). Returns z (n, M) and the logarithm of the determinant (n,).
    """
    ### BEGIN SOLUTION
    half = x.shape[1] // 2
    x1, x2 = x[:, :half], x[:, half:]
    s2, t2 = network_2(x2)
    z1 = x1 * ops.exp(s2) + t2
    s1, t1 = network_1(z1)
    z2 = x2 * ops.exp(s1) + t1
    return ops.concatenate([z1, z2], axis=1), ops.sum(s1 + s2, axis=1)
    ### END SOLUTION


# %% check="M18.4b"
check("M18.4b", coupling_forward)

# %% [markdown]
r"""
**Your task.** Now the way back, from latent numbers to data. Which half do you know first?
"""


# %% task="M18.4c" points=2
def coupling_inverse(z, network_2, network_1):
    """The inverse of coupling_forward: data from latent numbers.

    z: (n, M), M even; the networks as in coupling_forward. Returns x (n, M).
    """
    ### BEGIN SOLUTION
    half = z.shape[1] // 2
    z1, z2 = z[:, :half], z[:, half:]
    s1, t1 = network_1(z1)
    x2 = (z2 - t1) * ops.exp(-s1)
    s2, t2 = network_2(x2)
    x1 = (z1 - t2) * ops.exp(-s2)
    return ops.concatenate([x1, x2], axis=1)
    ### END SOLUTION


# %% check="M18.4c"
check("M18.4c", coupling_inverse)

# %% [markdown]
r"""
Is the determinant right? `autodiff.gradient` gives a row of the Jacobian matrix for every component of $z$; `np.linalg.slogdet` does the rest. The scale passes through a tanh: $e^{s}$ is then never larger than $e^2$, whatever a training does.
"""

# %%
coupling_forward = check.catch_up("M18.4b", coupling_forward)
coupling_inverse = check.catch_up("M18.4c", coupling_inverse)


def scale_and_shift(half, units=(32, 32), start=0.01):
    """A network from half an event to s, between -2 and 2, and t. With a small start the block begins as the identity."""
    given = keras.Input((half,))
    hidden = given
    for width in units:
        hidden = layers.Dense(width, activation="relu")(hidden)
    small = keras.initializers.RandomNormal(stddev=start)
    last = layers.Dense(2 * half, kernel_initializer=small)(hidden)
    return keras.Model(given, [2.0 * ops.tanh(last[:, :half] / 2.0), last[:, half:]])


def jacobian(f, x):
    """Matrices dz/dx of every event, (n, M, M), row by row; f: (n, M) -> (n, M)."""
    rows = [autodiff.gradient(lambda x, j=j: f(x)[:, j], x) for j in range(x.shape[1])]
    return np.stack([np.asarray(row) for row in rows], axis=1).astype(float)


pair = scale_and_shift(3, start=0.3), scale_and_shift(3, start=0.3)
events = random.standard_normal((200, 6)).astype("float32")
z_events, log_determinant = (np.asarray(part) for part in coupling_forward(events, *pair))
nothing = keras.Model(given := keras.Input((3,)), [0.0 * given, 0.0 * given])  # s = t = 0
steps = {
    "first step": jacobian(lambda x: coupling_forward(x, pair[0], nothing)[0], events),
    "second step": jacobian(lambda x: coupling_forward(x, nothing, pair[1])[0], events),
    "the block": jacobian(lambda x: coupling_forward(x, *pair)[0], events),
}

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 3.3))
for axis, (name, matrices) in zip(axes, steps.items(), strict=True):
    picture = axis.imshow(np.abs(matrices).mean(axis=0), cmap="Blues", vmin=0, vmax=2)
    axis.set(title=name, xlabel="component of its input", xticks=range(6), yticks=range(6))
axes[0].set_ylabel("component of its output")
figure.colorbar(picture, ax=axes, label="mean |entry|", shrink=0.8)
figure.suptitle("Each step is triangular; their product is not, and need not be")
plotting.show("Three Jacobian matrices of 6 by 6 entries. The first step fills the diagonal and the upper right block, the second step the diagonal and the lower left block, the whole block everything.", figure)  # fmt: skip

# %% covers="M18.4"
returned = np.asarray(coupling_inverse(z_events, *pair))
numerical = np.linalg.slogdet(steps["the block"])[1]
below = steps["first step"][:, 3:, :3]
check.claim("M18.4", np.abs(returned - events).max(), at_most=1e-5, wrong=np.abs(z_events - events).max())  # fmt: skip
check.claim("M18.4", np.abs(log_determinant - numerical).max(), at_most=1e-4, wrong=np.abs(log_determinant + numerical).max())  # fmt: skip
check.claim("M18.4", np.abs(below).max(), 0, wrong=np.abs(steps["the block"][:, 3:, :3]).max())

# %% [markdown]
r"""
## The loss

A flow with all its blocks has a density, so it can be trained by maximum likelihood, with nothing adversarial about it:

$$\mathcal{L} = -\big\langle \ln p(x)\big\rangle = \frac1k \sum_{i=1}^k \Big[\tfrac12\, \lVert f(x_i)\rVert^2 - \ln|\det J_f(x_i)|\Big] + \frac M2 \ln 2\pi. \tag{18.34, 18.36}$$

The book leaves out the last term, the normalisation of the Gaussian missing in (18.35). No gradient notices, but without it the loss is no likelihood. With it, there is something to compare with: for data of density $p_r$ with entropy $H = -\langle \ln p_r\rangle$,

$$\mathcal{L} = H + D_\mathrm{KL}(p_r \,\Vert\, p) \ge H .$$

The entropy of the data is the **limit** of the loss; what is left above it is the Kullback-Leibler divergence. A variational autoencoder, in comparison, optimises only a bound: its loss lies above $-\langle\ln p\rangle$ of its own model by an amount that nobody knows, and its distance from $H$ tells less. A flow pays for its exactness: the latent space is as large as the data space, and every step has to be invertible.

**Your task.** Return the loss in nats per event.
"""


# %% task="M18.4d" points=2
def flow_loss(z, log_determinant):
    """Mean negative log-likelihood of events, in nats per event, with the constant.

    z: (n, M), latent numbers of the events; log_determinant: (n,), ln|det J| of the map from data to z. Returns a scalar
    tensor.
    """
    ### BEGIN SOLUTION
    gaussian = ops.sum(z**2, axis=1) / 2 + z.shape[1] / 2 * np.log(2 * np.pi)
    return ops.mean(gaussian - log_determinant)
    ### END SOLUTION


# %% check="M18.4d"
check("M18.4d", flow_loss)

# %% [markdown]
r"""
## Four blocks make a cross

The book's figure 18.9 turns a round Gaussian into a cross in four steps. Our cross is a mixture of two long Gaussians at right angles, so its density and its entropy are known. Keras needs two things: `call` sends events through the blocks, and `compute_loss` hands what comes out to your loss. The learning rate decays to zero along a cosine.
"""

# %%
check.predict(
    "18.3-gap",
    None,
    question="The best single Gaussian lies 0.67 nats above the entropy of the cross. And four coupling blocks?",
)

# %%
flow_loss = check.catch_up("M18.4d", flow_loss)
CROSS = toys.mixture("cross")
entropy = toys.mixture_entropy(CROSS)
x_train = toys.simulate_mixture(N_POINTS, seed=check.seed, kind="cross").x
x_test = toys.simulate_mixture(50_000, seed=check.seed + 1, kind="cross").x
true_log_density = toys.mixture_log_density(x_test, CROSS)


class CouplingFlow(keras.Model):
    """Coupling blocks, one after another, from data to latent numbers."""

    def __init__(self, blocks=4, half=1):
        super().__init__()
        self.networks = [scale_and_shift(half) for _ in range(2 * blocks)]

    def call(self, x):
        total = 0.0
        for k in range(0, len(self.networks), 2):
            x, log_determinant = coupling_forward(x, *self.networks[k : k + 2])
            total = total + log_determinant
        return x, total

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return flow_loss(*y_pred)

    def backwards(self, z):
        """The way to the data, with a stop after every block."""
        stops = [z]
        for k in reversed(range(0, len(self.networks), 2)):
            stops.append(coupling_inverse(stops[-1], *self.networks[k : k + 2]))
        return [np.asarray(stop) for stop in stops]

    def log_density(self, x):
        z, log_determinant = self.predict(x, batch_size=10_000, verbose=0)
        return log_determinant - (z**2).sum(axis=1) / 2 - z.shape[1] / 2 * np.log(2 * np.pi)


def train(model, x, epochs=EPOCHS):
    """Minimise the loss with Adam and a learning rate that decays along a cosine."""
    n = len(x[0]) if isinstance(x, list) else len(x)
    rate = keras.optimizers.schedules.CosineDecay(1e-2, epochs * -(-n // 1000))
    model.compile(optimizer=keras.optimizers.Adam(rate), jit_compile=False)
    model.fit(x, batch_size=1000, epochs=epochs, verbose=0)
    return model


def above_entropy(log_density):
    """Kullback-Leibler divergence from the cross to a model, by the test points, with its error."""
    return metrics.mean_with_error(true_log_density - log_density)


gaussian = toys.mixture(means=[x_train.mean(axis=0)], covariances=[np.cov(x_train.T)])
baseline = above_entropy(toys.mixture_log_density(x_test, gaussian))
print(f"entropy of the cross (limit)          {entropy:.3f} nats")
print(f"best single Gaussian (baseline)       {entropy + baseline[0]:.3f} nats, {baseline[0]:.3f} above")  # fmt: skip
gaps = []
for number in range(TRAININGS):
    keras.utils.set_random_seed(check.seed + number)
    flow = train(CouplingFlow(), x_train)
    value, error = above_entropy(flow.log_density(x_test))
    gaps.append(value)
    print(f"four coupling blocks, training {number + 1}      {entropy + value:.3f} nats, {value:.4f} +- {error:.4f} above")  # fmt: skip
print(f"mean above the limit {np.mean(gaps):.4f} nats, spread over {len(gaps)} trainings {np.std(gaps):.4f}")  # fmt: skip
check.confront("18.3-gap", np.mean(gaps), unit="nats")

# %% [markdown]
r"""
Differences from the limit are taken event by event on the same test points, $\ln p_r(x) - \ln p(x)$: what makes a point improbable for both cancels, and the errors are small.

Now backwards, with a stop after each block. Points are coloured by the quadrant of the noise they came from.
"""

# %%
noise = random.standard_normal((6000, 2)).astype("float32")
stops = flow.backwards(noise)
quadrant = (noise[:, 0] > 0) + 2 * (noise[:, 1] > 0)
figure, axes = plt.subplots(1, 5, figsize=(13, 3.1), sharex=True, sharey=True)
names = ["noise z", "after block 4", "after block 3", "after block 2", "after block 1: data"]
for axis, points, name in zip(axes, stops, names, strict=True):
    for k in range(4):
        axis.plot(*points[quadrant == k].T, ".", ms=1.2, alpha=0.5, color=plotting.COLOURS[k])
    axis.set(title=name, xlabel="first component", xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
axes[0].set_ylabel("second component")
figure.suptitle("Noise becomes a cross in four steps", y=1.08)
plotting.show("Five scatter plots: a round Gaussian cloud in four colours is bent step by step into a cross.", figure)  # fmt: skip

# %%
grid_axis = np.linspace(-6, 6, 201)
grid = np.stack(np.meshgrid(grid_axis, grid_axis), axis=-1).reshape(-1, 2).astype("float32")
area = (grid_axis[1] - grid_axis[0]) ** 2
z_grid, log_determinant_grid = flow.predict(grid, batch_size=10_000, verbose=0)
base_density = np.exp(-(z_grid.astype(float) ** 2).sum(axis=1) / 2) / (2 * np.pi)
flow_density = base_density * np.exp(log_determinant_grid)
true_density = np.exp(toys.mixture_log_density(grid, CROSS))
made = flow.backwards(random.standard_normal((50_000, 2)).astype("float32"))[-1]
figure, axes = plt.subplots(1, 3, figsize=(11, 3.7), sharex=True, sharey=True)
for axis, density, name in [(axes[0], true_density, "true density (limit)"), (axes[1], flow_density, "density of the flow")]:  # fmt: skip
    picture = axis.imshow(density.reshape(201, 201), origin="lower", extent=(-6, 6, -6, 6), cmap="viridis", vmin=0, vmax=0.5)  # fmt: skip
    axis.set(title=name, xlabel="first component", xlim=(-4, 4), ylim=(-4, 4))
figure.colorbar(picture, ax=axes[:2], label="density", shrink=0.85)
axes[2].hist2d(*made.T, bins=100, range=[(-4, 4), (-4, 4)], density=True, cmap="viridis", vmin=0, vmax=0.5)  # fmt: skip
axes[2].set(title="50 000 samples of the flow", xlabel="first component", aspect="equal")
axes[0].set_ylabel("second component")
figure.suptitle("The density can be evaluated everywhere, and the samples follow it")
plotting.show("Three maps of a cross: the true density, the density of the flow, and a histogram of its samples, nearly alike.", figure)  # fmt: skip
print(f"integral of the density over the grid  {flow_density.sum() * area:.4f}")
print(f"the same without the determinant       {base_density.sum() * area:.4f}")

# %% covers="M18.4"
check.claim("M18.4", flow_density.sum() * area, 1, tolerance=0.01, wrong=base_density.sum() * area)
check.claim("M18.4", max(gaps), at_most=0.05, wrong=baseline[0])
check.claim("M18.4", min(gaps), at_least=-3 * error, wrong=-0.05)

# %%
check.quiz("M18.4-q1")

# %% [markdown]
r"""
## Example 18.6: an autoregressive flow

Any density factorises, $p(x) = p(x_1)\,p(x_2|x_1)\,p(x_3|x_1, x_2)\dots$ The **masked autoregressive flow** gives every component a scale and a shift that depend on the components *before* it:

$$x_i = h(y_i, \theta_i), \qquad \theta_i = \theta_i(x_1, \dots, x_{i-1}), \qquad h(y_i, \theta_i) = (y_i - t_i)\, e^{-s_i}. \tag{18.30-18.32}$$

(The $y$ are our latent numbers $z$; with these signs $\ln|\det J_f| = \sum_i s_i$ towards $z$, as before.) The general line (18.33) prints $\theta_t(y_1, \dots, y_{t-1})$ where the lines above it condition on $x$. That is another flow, the *inverse* autoregressive one, with fast and slow direction exchanged.

One network computes all $s_i(x)$ and $t_i(x)$ at once, if its weights are **masked**: input and output number their components, every hidden node gets a number as well, and a connection may only lead to an equal or higher number, to the output only to a strictly higher one.
Then the Jacobian matrix is triangular, and the density of an event costs one pass,

$$z_i = x_i\, e^{s_i} + t_i .$$

The other direction is the price: $x_2$ needs $t_2(x_1)$, so $x_1$ has to be there first.

**Your task.** Make data from latent numbers. The network does not mind what stands in the components that you do not know yet.
"""


# %% task="X18.6" points=3
def autoregressive_inverse(z, network):
    """Data from latent numbers z_i = x_i exp(s_i) + t_i, where s_i and t_i depend on x_1 ... x_(i-1) only.

    z: array (n, M). network: maps x (n, M) to two tensors s and t, (n, M). Returns an array x (n, M), float32.
    """
    ### BEGIN SOLUTION
    x = np.zeros(np.shape(z), "float32")
    for known in range(x.shape[1]):  # so many components are right already
        s, t = (np.asarray(part)[:, known] for part in network(x))
        x[:, known] = (z[:, known] - t) * np.exp(-s)
    return x
    ### END SOLUTION


# %% check="X18.6"
check("X18.6", autoregressive_inverse)

# %% [markdown]
r"""
Below is such a network, with masks made of numbers and comparisons. We look at its Jacobian matrix and count how often it is called.
"""

# %%
autoregressive_inverse = check.catch_up("X18.6", autoregressive_inverse)


def masked_network(dimensions, width=64):
    """s and t of every component from the components before it; random weights, not trained."""
    components = np.arange(1, dimensions + 1)
    hidden = np.arange(width) % max(dimensions - 1, 1) + 1
    given = keras.Input((dimensions,))
    first, second = (layers.Dense(width, activation="tanh") for _ in range(2))
    scale, shift = layers.Dense(dimensions, activation="tanh"), layers.Dense(dimensions)
    x = second(first(given))
    model = keras.Model(given, [scale(x), shift(x)])
    first.kernel.assign(first.kernel * (components[:, None] <= hidden))
    second.kernel.assign(second.kernel * (hidden[:, None] <= hidden))
    for last in (scale, shift):
        last.kernel.assign(last.kernel * (hidden[:, None] < components))
    return model


def autoregressive_forward(x, network):
    """Latent numbers and ln|det J|, in one pass."""
    s, t = network(x)
    return x * ops.exp(s) + t, ops.sum(s, axis=1)


class Counted:
    """A network that counts its calls."""

    def __init__(self, network):
        self.network, self.calls = network, 0

    def __call__(self, x):
        self.calls += 1
        return self.network(x)


dimensions = [2, 4, 8, 16]
calls, seconds, worst = {"density": [], "sampling": []}, {"density": [], "sampling": []}, 0.0
for M in dimensions:
    keras.utils.set_random_seed(check.seed)
    counted = Counted(masked_network(M))
    x_there = random.standard_normal((200, M)).astype("float32")
    z_there = np.asarray(autoregressive_forward(x_there, counted)[0])
    calls["density"].append(counted.calls)
    x_back = autoregressive_inverse(z_there, counted)
    calls["sampling"].append(counted.calls - 1)
    worst = max(worst, np.abs(x_back - x_there).max())
    for name, one_pass, given in [("density", autoregressive_forward, x_there), ("sampling", autoregressive_inverse, z_there)]:  # fmt: skip
        tries = []
        for _ in range(3):
            start = time.process_time()
            one_pass(given, counted)
            tries.append(time.process_time() - start)
        seconds[name].append(np.median(tries))
    print(f"M = {M:2d}: network called {calls['density'][-1]} time for the density, {calls['sampling'][-1]:2d} times to sample")  # fmt: skip
keras.utils.set_random_seed(check.seed)
small_network = masked_network(6)
triangular = jacobian(lambda x: autoregressive_forward(x, small_network)[0], x_there[:, :6])

# %%
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6))
picture = axes[0].imshow(np.abs(triangular).mean(axis=0), cmap="Blues")
axes[0].set(title="Jacobian matrix, M = 6", xlabel="component of x", ylabel="component of z")
figure.colorbar(picture, ax=axes[0], label="mean |entry|")
for name, marker in [("density", "o-"), ("sampling", "s--")]:
    axes[1].plot(dimensions, 1000 * np.array(seconds[name]), marker, label=name)
axes[1].set(xlabel="dimension M", ylabel="processor time (ms)", xscale="log", yscale="log", title="200 events, one layer")  # fmt: skip
axes[1].set_xticks(dimensions, dimensions)
axes[1].minorticks_off()
axes[1].legend()
figure.suptitle("Densities come in one pass, samples component by component")
plotting.show("Left: a triangular Jacobian matrix. Right: the time for densities hardly depends on the dimension, the time for samples grows in proportion to it.", figure)  # fmt: skip

# %% [markdown]
r"""
From here on the library's layers do the work: `AffineCoupling(mask)` is half of your block (the mask says which components pass unchanged), `MaskedAutoregressive(order)` the layer above, and `Flow` a chain of them with a normal base. Four autoregressive layers learn the cross, the order of the components turned around from layer to layer:
"""

# %%
keras.utils.set_random_seed(check.seed)
orders = [[0, 1], [1, 0], [0, 1], [1, 0]]
autoregressive = Flow([MaskedAutoregressive(order, (32, 32)) for order in orders])
train(autoregressive, x_train, epochs=EPOCHS_AUTOREGRESSIVE)
autoregressive_gap, autoregressive_error = above_entropy(autoregressive.log_density(x_test))
print(f"limit                       {entropy:.3f} nats")
print(f"four coupling blocks        {entropy + np.mean(gaps):.3f} nats, {np.mean(gaps):.4f} above, spread {np.std(gaps):.4f} over {len(gaps)} trainings; {flow.count_params()} parameters")  # fmt: skip
print(f"four autoregressive layers  {entropy + autoregressive_gap:.3f} nats, {autoregressive_gap:.4f} +- {autoregressive_error:.4f} above; {autoregressive.count_params()} parameters")  # fmt: skip

# %% [markdown]
r"""
In two dimensions the two are nearly the same thing: half a block scales and shifts one component as the other tells, and so does an autoregressive layer, which treats the first component with two constants besides. So four layers are about half of four blocks. In many dimensions a coupling layer changes half of the components, all with the same knowledge, an autoregressive layer changes every one with all that come before. It says more per layer, and samples more slowly.
"""

# %% covers="X18.6"
above = np.abs(np.triu(triangular, 1)).max()
check.claim("X18.6", calls["density"], [1] * len(dimensions), wrong=dimensions)
check.claim("X18.6", calls["sampling"], dimensions, wrong=[1] * len(dimensions))
check.claim("X18.6", above, 0, wrong=np.abs(np.tril(triangular, -1)).max())
check.claim("X18.6", worst, at_most=1e-3, wrong=np.abs(x_there).max())
check.claim("X18.6", autoregressive_gap, at_most=0.05, wrong=baseline[0])

# %%
check.quiz("X18.6-q1")

# %% [markdown]
r"""
### With a condition

If every network gets a further input $c$ beside its half of the event, the flow learns $p(x|c)$: one normalised density for each $c$. Chapter 19 unfolds spectra with it (the detector's answer is the condition), chapter 20 interpolates a background into a window of mass. Here $c$ is an angle and $x$ a point near the circle of radius 1.5 at this angle, with a spread of 0.3 in both components; so the limit is $H(x|c) = \ln(2\pi e\, 0.3^2)$.
"""

# %%
keras.utils.set_random_seed(check.seed)


def on_circle(n, seed):
    draw = np.random.default_rng(seed)
    angle = draw.uniform(-np.pi, np.pi, (n, 1))
    centre = 1.5 * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return (centre + 0.3 * draw.standard_normal((n, 2))).astype("float32"), angle.astype("float32")


conditional = Flow([AffineCoupling(mask, (32, 32)) for mask in orders[:2]])
train(conditional, list(on_circle(N_POINTS, check.seed)), epochs=10)
points, angles = on_circle(20_000, check.seed + 1)
conditional_limit = np.log(2 * np.pi * np.e * 0.3**2)
log_truth = -((points - 1.5 * np.concatenate([np.cos(angles), np.sin(angles)], axis=1)) ** 2).sum(axis=1) / 0.18 - np.log(2 * np.pi * 0.09)  # fmt: skip
conditional_gap, conditional_error = metrics.mean_with_error(log_truth - conditional.log_density(points, angles))  # fmt: skip
permuted = metrics.mean_with_error(log_truth - conditional.log_density(points, angles[::-1]))[0]
print(f"limit H(x|c)                {conditional_limit:.3f} nats")
print(f"conditional flow            {conditional_gap:.4f} +- {conditional_error:.4f} above")
print(f"given the angle of another  {permuted:.1f} above")

# %%
figure, axis = plt.subplots(figsize=(4.6, 4.2))
for degrees, colour in zip([-120, 0, 90], plotting.COLOURS, strict=False):
    condition = np.full((1500, 1), np.deg2rad(degrees), "float32")
    sample = conditional.sample(1500, condition=condition, seed=check.seed)
    axis.plot(*sample.T, ".", ms=2, alpha=0.5, color=colour, label=f"c = {degrees}°")
axis.plot(*1.5 * np.array([np.cos(x_line * 1.3), np.sin(x_line * 1.3)]), ":", color=plotting.GREY, label="centres")  # fmt: skip
axis.set(xlabel="first component", ylabel="second component", aspect="equal", title="One flow, a density for every condition")  # fmt: skip
axis.legend(fontsize=8, markerscale=4)
plotting.show("Samples of a conditional flow for three angles: three round clouds on a dotted circle.", figure)  # fmt: skip

# %% covers="M18.4"
check.claim("M18.4", conditional_gap, at_most=0.05, wrong=permuted)

# %% [markdown]
r"""
## Example 18.7: fields on a lattice, without data

A lattice field theory gives every field configuration $\phi$ the density $p(\phi) = \mathrm{e}^{-S(\phi)}/Z$. Here $\phi$ is one real number on each site of a $4\times 4$ torus, with the action

$$S = \sum_x \Big[\sum_{\mu} \big(\phi_{x+\mu} - \phi_x\big)^2 + m^2 \phi_x^2 + \lambda\, \phi_x^4\Big].$$

The usual tool is a Markov chain, hybrid Monte Carlo. Its successive fields are correlated, the more the nearer the theory is to a critical point. A flow draws *independent* fields, and **needs no data** for its training: the action is known, so take the Kullback-Leibler divergence the other way round, over the flow's own fields,

$$D_\mathrm{KL}(q\,\Vert\, p) = \big\langle \ln q(\phi) + S(\phi)\big\rangle_{\phi\sim q} + \ln Z \;\ge\; 0 .$$

Now $f: z \to \phi$ runs from the noise to the field, with $\ln q(\phi) = \ln \mathcal N(z) - \ln|\det J|$. The unknown $\ln Z$ is a constant. In other words, with the **weight** $w = \mathrm{e}^{-S(\phi)}/q(\phi)$ of a field, the training maximises $\langle \ln w \rangle$, whose limit is $\ln Z$, and all weights are equal when it gets there.

**Your task.** Return the logarithms of the weights. (Compare the sign of the determinant with that in your `flow_loss`.)
"""


# %% task="X18.7a" points=2
def log_weights(z, log_determinant, action):
    """Logarithm of exp(-S) / q for fields that a flow made of noise.

    z: (n, M), standard normal noise; log_determinant: (n,), ln|det J| of the map from z to the field; action: (n,), S of
    the fields. Returns a tensor (n,).
    """
    ### BEGIN SOLUTION
    log_q = -ops.sum(z**2, axis=1) / 2 - z.shape[1] / 2 * np.log(2 * np.pi) - log_determinant
    return -action - log_q
    ### END SOLUTION


# %% check="X18.7a"
check("X18.7a", log_weights)

# %% [markdown]
r"""
**The flow.** The book's example builds the symmetries of the theory into the blocks, and so do we. Two halves of the lattice: the black and the white sites of a checkerboard. The sites of one colour are scaled and shifted by what they see of the other.

- *Translations.* Each site sees the other colour from its own place, and all use the same small network. Shifting the noise by a diagonal step then shifts the field.
- *Z2.* The action does not know the sign of the field. The hidden nodes have a tanh and no bias, so they are odd functions of the field; $t$ is made of them, $s$ of their squares. Hence $f(-z) = -f(z)$, and $q(-\phi) = q(\phi)$ exactly.
- *Light tails.* A quartic action kills large fields faster than any Gaussian. Each step ends with $\phi = \mathrm{arsinh}(k u)/k$ and a learned $k$, invertible and odd as well.
- *The mean field* is the slowest mode of the theory: positive on one half of the fields, negative on the other. It gets a stretch of its own before all others, which may flatten its bump as the cubic map at the beginning did.
"""

# %%
log_weights = check.catch_up("X18.7a", log_weights)
SIZE = 4
SITES = SIZE**2


class Checkerboard(keras.layers.Layer):
    """New values for the sites of one colour, from the other one; odd, and the same from every site."""

    def __init__(self, colour, k, width=24):
        super().__init__()
        sites = np.indices((SIZE, SIZE)).reshape(2, -1).T
        active = sites[sites.sum(axis=1) % 2 == colour]
        steps = sites[sites.sum(axis=1) % 2 == 1]  # from a site to all of the other colour
        seen = (active[:, None] + steps) % SIZE
        unit = np.eye(SITES, dtype="float32")
        self.active = unit[active @ [SIZE, 1]]  # (active, sites)
        self.look = unit[seen.reshape(-1, 2) @ [SIZE, 1]].T  # (sites, active times steps)
        self.hidden = [layers.Dense(width, "tanh", use_bias=False) for _ in range(2)]
        small = keras.initializers.RandomNormal(stddev=0.01)
        self.scale = layers.Dense(1, kernel_initializer=small)
        self.shift = layers.Dense(1, use_bias=False, kernel_initializer=small)
        start = keras.initializers.Constant(np.log(k))
        self.log_k = self.add_weight(shape=(), initializer=start, name="log_k")

    def call(self, field):
        seen = ops.reshape(ops.matmul(field, self.look), (-1, SITES // 2, SITES // 2))
        odd = seen
        for layer in self.hidden:
            odd = layer(odd)
        s = self.scale(odd**2)[..., 0]
        t = self.shift(ops.concatenate([seen, odd], axis=-1))[..., 0]
        before, k = ops.matmul(field, self.active.T), ops.exp(self.log_k)
        u = before * ops.exp(s) + t
        after = ops.arcsinh(k * u) / k
        log_determinant = ops.sum(s - ops.log(1 + (k * u) ** 2) / 2, axis=1)
        return field + ops.matmul(after - before, self.active), log_determinant


class MeanMode(keras.layers.Layer):
    """A stretch of the mean field alone, by c arsinh(k m) / k; the other modes stay."""

    def __init__(self, k):
        super().__init__()
        start = keras.initializers.Constant(np.log(k))
        self.log_c = self.add_weight(shape=(), initializer="zeros", name="log_c")
        self.log_k = self.add_weight(shape=(), initializer=start, name="log_k")

    def call(self, field):
        m = ops.sum(field, axis=1, keepdims=True) / SIZE  # along a unit vector
        k = ops.exp(self.log_k)
        stretched = ops.exp(self.log_c) * ops.arcsinh(k * m) / k
        log_determinant = self.log_c - ops.log(1 + (k * m[:, 0]) ** 2) / 2
        return field + (stretched - m) / SIZE, log_determinant


class LatticeFlow(keras.Model):
    """From noise (n, sites) to fields (n, sites), with ln|det J|."""

    def __init__(self, k, steps=4):
        super().__init__()
        self.steps = [MeanMode(k), *(Checkerboard(number % 2, k) for number in range(steps))]

    def call(self, z):
        total = 0.0
        for step in self.steps:
            z, log_determinant = step(z)
            total = total + log_determinant
        return z, total


def action(field, mass_squared, coupling):
    """S of fields (n, sites), with keras.ops."""
    phi = ops.reshape(field, (-1, SIZE, SIZE))
    hops = (ops.roll(phi, -1, 1) - phi) ** 2 + (ops.roll(phi, -1, 2) - phi) ** 2
    return ops.sum(hops + mass_squared * phi**2 + coupling * phi**4, axis=(1, 2))


def train_lattice(mass_squared, coupling, steps, seed):
    """Maximise the mean logarithm of the weights of the flow's own fields; the flow and its history."""
    keras.utils.set_random_seed(seed)
    model = LatticeFlow(k=1.0 if coupling else 0.05)  # Gaussian tails need no arsinh
    model(np.zeros((1, SITES), "float32"))
    rate = keras.optimizers.schedules.CosineDecay(2e-2, steps)
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(model.trainable_variables)
    draw = np.random.default_rng(seed)

    @autodiff.compiled
    def step(z):
        def loss():
            field, log_determinant = model(z)
            return -ops.mean(log_weights(z, log_determinant, action(field, mass_squared, coupling)))

        value, slopes = autodiff.value_and_gradients(loss, model.trainable_variables)
        optimizer.apply(slopes, model.trainable_variables)
        return value

    history = [float(step(draw.standard_normal((512, SITES)).astype("float32"))) for _ in range(steps)]  # fmt: skip
    return model, -np.array(history)


def propose(model, n, mass_squared, coupling, seed):
    """Fields of the flow, and the logarithms of their weights."""
    z = np.random.default_rng(seed).standard_normal((n, SITES)).astype("float32")
    field, log_determinant = model.predict(z, batch_size=5000, verbose=0)
    return field, np.asarray(log_weights(z, log_determinant, action(field, mass_squared, coupling)), float)  # fmt: skip


def log_mean_weight(log_w):
    """ln<w>, which is ln Z if the flow covers the theory, and its error."""
    w = np.exp(log_w - log_w.max())
    return np.log(w.mean()) + log_w.max(), w.std() / w.mean() / np.sqrt(len(w))


def effective_share(log_w):
    """Effective sample size of weighted fields, as a share of their number."""
    w = np.exp(log_w - log_w.max())
    return w.mean() ** 2 / (w**2).mean()


# %% [markdown]
r"""
**A test first.** Without coupling, $\lambda = 0$, the theory is a sum over momenta and $\ln Z$ is known. The mean of $\ln w$ has to stay below it (limit), $\ln\langle w\rangle$ has to hit it.
"""

# %%
FREE_MASS = 2.0
exact_log_z = lattice_field.free_log_partition(SIZE, mass_squared=FREE_MASS)
exact_square = lattice_field.free_propagator(SIZE, mass_squared=FREE_MASS)[0, 0]
free_flow, free_history = train_lattice(FREE_MASS, 0.0, STEPS_LATTICE, check.seed)
free_field, free_log_w = propose(free_flow, N_FIELDS, FREE_MASS, 0.0, check.seed + 1)
bound, bound_error = metrics.mean_with_error(free_log_w)
free_log_z, free_error = log_mean_weight(free_log_w)
print(f"ln Z exact (limit)   {exact_log_z:.4f}")
print(f"mean of ln w         {bound:.4f} +- {bound_error:.4f}: the bound that was maximised")
print(f"ln of the mean of w  {free_log_z:.4f} +- {free_error:.4f}: the estimate of ln Z")
print(f"effective share of the fields {effective_share(free_log_w):.3f}")

# %% [markdown]
r"""
### The interacting field, made exact

With $m^2 = -4$ and $\lambda = 8$ no closed form exists, and the flow will not be perfect. There is an exact remedy. Let a Metropolis chain use the flow's fields as **proposals**: being at a field of weight $w$, it moves to the next proposal of weight $w'$ with probability $\min(1, w'/w)$, and stays otherwise, counting the old field once more. Its stationary density is $\mathrm{e}^{-S}/Z$, whatever the flow. A bad flow costs acceptance, not correctness.

**Your task.** Return, for every step, the number of the proposal at which the chain stands. It starts at proposal 0 without asking.
"""


# %% task="X18.7b" points=2
def metropolis(log_w, uniform):
    """Chain of accepted proposals: at step i it may move to proposal i, with probability min(1, w_i / w_current).

    log_w: (n,), logarithms of the weights; uniform: (n,), random numbers between 0 and 1: move if they are below the
    probability. uniform[0] is not used. Returns whole numbers (n,): the proposal where the chain stands after each step.
    """
    ### BEGIN SOLUTION
    standing = np.zeros(len(log_w), int)
    for i in range(1, len(log_w)):
        here = standing[i - 1]
        standing[i] = i if np.log(uniform[i]) < log_w[i] - log_w[here] else here
    return standing
    ### END SOLUTION


# %% check="X18.7b"
check("X18.7b", metropolis)

# %% [markdown]
r"""
Four answers for the mean squared field are to be compared: the bare flow, which is a little wrong; the flow with weights; the chain with the flow's proposals; and hybrid Monte Carlo. In a chain neighbours are alike: the error of a mean of $N$ fields is that of $N/2\tau$ independent ones, with the integrated autocorrelation time $\tau$ (1/2 for independent fields).
"""

# %%
metropolis = check.catch_up("X18.7b", metropolis)
MASS_SQUARED, COUPLING = -4.0, 8.0
flow_phi4, history = train_lattice(MASS_SQUARED, COUPLING, STEPS_LATTICE, check.seed)
field, log_w = propose(flow_phi4, N_FIELDS, MASS_SQUARED, COUPLING, check.seed + 2)
standing = metropolis(log_w, random.random(N_FIELDS))
acceptance = np.mean(standing[1:] != standing[:-1])
hmc = lattice_field.hmc_history(50_000, seed=check.seed, size=SIZE, mass_squared=MASS_SQUARED, coupling=COUPLING)  # fmt: skip
square = (field.astype(float) ** 2).mean(axis=1)


def chain_mean(values):
    """Mean of a chain, its error and its autocorrelation time."""
    tau = lattice_field.autocorrelation_time(values)
    return values.mean(), values.std() * np.sqrt(2 * tau / len(values)), tau


w = np.exp(log_w - log_w.max())
weighted = (w * square).sum() / w.sum()
weighted_error = np.sqrt((w**2 * (square - weighted) ** 2).sum()) / w.sum()
squares = {
    "bare flow": metrics.mean_with_error(square),
    "flow with weights": (weighted, weighted_error),
    "flow and Metropolis": chain_mean(square[standing]),
    "hybrid Monte Carlo": chain_mean(hmc.square[100:]),
}
for name, (value, error, *tau) in squares.items():
    print(f"{name:20s} <phi^2> = {value:.4f} +- {error:.4f}" + (f", autocorrelation time {tau[0]:.2f}" if tau else ""))  # fmt: skip
print(f"acceptance {acceptance:.3f}, effective share {effective_share(log_w):.3f}, ln Z = {log_mean_weight(log_w)[0]:.3f} +- {log_mean_weight(log_w)[1]:.3f}")  # fmt: skip

# %% [markdown]
r"""
What about a larger lattice? Take two lattices that know nothing of each other as one of twice the size. Their weights multiply. So we can read off from our proposals, without another training, how a flow *of this quality per site* does on 2, 4, 8 times the volume.
"""

# %%
volumes = [1, 2, 4, 8, 16]
shares, acceptances = [], []
for number in volumes:
    joint = log_w[: N_FIELDS // number * number].reshape(-1, number).sum(axis=1)
    chain = metropolis(joint, random.random(len(joint)))
    shares.append(effective_share(joint))
    acceptances.append(np.mean(chain[1:] != chain[:-1]))
figure, axes = plt.subplots(1, 3, figsize=(13, 3.8))
smooth = np.convolve(free_history, np.ones(20) / 20, "valid")
axes[0].plot(np.arange(len(smooth)) + 20, exact_log_z - smooth)
axes[0].set(xlabel="step", ylabel="ln Z - mean of ln w (nats)", yscale="log", title="Free field: the limit is 0")  # fmt: skip
bins = np.linspace(-0.9, 0.9, 46)
mean_field = field.mean(axis=1)
axes[1].hist(hmc.magnetization[100:], bins, density=True, color=plotting.GREY, alpha=0.4, label="hybrid Monte Carlo")  # fmt: skip
axes[1].hist(mean_field, bins, density=True, histtype="step", ls="--", lw=1.5, label="bare flow")
axes[1].hist(mean_field[standing], bins, density=True, histtype="step", lw=1.5, label="flow and Metropolis")  # fmt: skip
axes[1].set(xlabel="mean field of the lattice", ylabel="density", title="Flow and Monte Carlo agree", ylim=(0, 2.6))  # fmt: skip
axes[1].legend(fontsize=8)
axes[2].plot(np.array(volumes) * SITES, acceptances, "o-", label="acceptance")
axes[2].plot(np.array(volumes) * SITES, shares, "s--", label="effective share")
axes[2].set(xlabel="sites", ylabel="share of the proposals", xscale="log", ylim=(0, 1), title="Larger lattices need better flows")  # fmt: skip
axes[2].set_xticks(np.array(volumes) * SITES, [str(n * SITES) for n in volumes])
axes[2].minorticks_off()
axes[2].legend()
plotting.show("Left: the distance of the bound from the exact ln Z of the free field falls during training. Middle: distribution of the mean field, a flat-topped bump; flow and Metropolis agree with hybrid Monte Carlo. Right: acceptance and effective share fall with the number of sites.", figure)  # fmt: skip

# %% [markdown] tags=["answer"]
r"""
**Where it gets hard.** (1) *Volume.* Weights multiply, so the effective share of a flow of fixed quality falls exponentially with the number of sites. (2) *Critical points.* There the field is correlated over the whole lattice: hybrid Monte Carlo slows down, but a flow has to carry these correlations through more and wider blocks, and its training is what slows down.
(3) *Broken symmetry.* In deep wells the density consists of two separate parts. The reverse divergence averages over the flow's own fields, and may be content with one part (compare example 18.3); weights and Metropolis then look perfect, as nobody ever visits the other part. Building in Z2 protects here; where no symmetry helps, compare with fields of another origin.
The gauge fields of quantum chromodynamics add a symmetry at every site. The book's example cites flows whose blocks respect it, as ours respect Z2.
"""

# %% covers="X18.7"
shifted = np.roll(np.roll(random.standard_normal((500, SIZE, SIZE)), 1, 1), 1, 2).astype("float32")
unshifted = np.roll(np.roll(shifted, -1, 1), -1, 2)
as_field = [np.asarray(flow_phi4(x.reshape(-1, SITES))[0]).reshape(-1, SIZE, SIZE) for x in (unshifted, shifted, -unshifted)]  # fmt: skip
translation = np.abs(np.roll(np.roll(as_field[0], 1, 1), 1, 2) - as_field[1]).max()
wrong_shift = np.abs(np.roll(as_field[0], 1, 1) - as_field[1]).max()
sign = np.abs(as_field[0] + as_field[2]).max()
check.claim("X18.7", translation, at_most=1e-4, wrong=wrong_shift)
check.claim("X18.7", sign, at_most=1e-4, wrong=np.abs(as_field[0] - as_field[2]).max())

# %% covers="X18.7"
plain_action = lattice_field.action(field.reshape(-1, SIZE, SIZE).astype(float), mass_squared=MASS_SQUARED, coupling=COUPLING)  # fmt: skip
ours = np.asarray(action(field, MASS_SQUARED, COUPLING), float)
check.claim("X18.7", np.abs(ours - plain_action).max(), at_most=1e-3, wrong=np.abs(ours - 2 * plain_action).max())  # fmt: skip
check.claim("X18.7", bound, at_most=exact_log_z + 3 * bound_error, wrong=exact_log_z + 0.5)
check.claim("X18.7", free_log_z, exact_log_z, tolerance=0.02, wrong=exact_log_z - SITES / 2 * np.log(2 * np.pi))  # fmt: skip


def distance(name):
    """From hybrid Monte Carlo, in standard errors of the difference."""
    (value, error), (truth, truth_error) = squares[name][:2], squares["hybrid Monte Carlo"][:2]
    return np.abs(value - truth) / np.hypot(error, truth_error)


noise_square = 1.0  # <z^2> of the noise itself
far = np.abs(noise_square - squares["hybrid Monte Carlo"][0]) / squares["flow and Metropolis"][1]
check.claim("X18.7", distance("flow and Metropolis"), at_most=4, wrong=far)
check.claim("X18.7", acceptance, at_least=0.6, wrong=acceptances[-1])

# %%
check.quiz("X18.7-q1")

# %% tags=["instructor"]
# Timing: change of variables 10 min, the block and its inverse 25, the loss 10, looking at the cross 10, 18.6 15, 18.7 20.
# Common mistakes: s_1 of x1 in place of z1 (then the inverse fails), exp(s) in the determinant, the determinant summed over the batch too,
# -S + ln q for the weights, rejected steps left out of the chain.
# Discussion: (1) eight separate modes on a ring are hard for four blocks: noise is one connected piece, and a continuous map leaves thin bridges.
# (2) What would a flow with a smaller latent space need? Densities on a surface; (18.18) has no determinant then.
for question, answer in [("M18.4-q1", 2), ("X18.6-q1", 3), ("X18.7-q1", 1)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A flow is an invertible map; its density follows from the change of variables, determinant included.
- Coupling blocks have a triangular Jacobian matrix and an inverse in closed form; their networks are never inverted.
- The loss is the negative log-likelihood. With its constant it has the entropy of the data as a limit, and what is above is the Kullback-Leibler divergence. A variational autoencoder has only a bound.
- Autoregressive flows evaluate a density in one pass and need one pass a dimension to sample, or the other way round.
- With a known action no data are needed: train backwards, then correct with weights or Metropolis. The result is exact, the quality of the flow decides the cost.
"""

# %%
check.summary()
