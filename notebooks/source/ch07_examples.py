# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 7, title: "Deep networks: what goes wrong, and three cures", level: 2, minutes: 75, sections: "7.4-7.7", data: [], fast: {EPOCHS: 10, WIDTH: 512}}
# ---
# %% [markdown]
r"""
# Deep networks: what goes wrong, and three cures

**You will**

- follow one step of gradient descent through a chain of three weights, and see why no weight can be changed alone;
- watch gradients vanish and explode with depth;
- write down the three cures: a residual block, batch normalisation, and an activation that normalises by itself.

**You need** the chain rule, gradient descent (chapter 4), means and variances. **Time:** about 75 minutes. The cells themselves run in less than a minute.

**You will see** a gradient that loses thirty powers of ten on its way, a network of 50 layers that begins as the identity, and variances that walk to 1 on their own.
"""

# %% tags=["setup"]
from dlphys import checks, plotting
from dlphys.autodiff import value_and_gradients

check = checks.start("ch07_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
DEPTH = 50  # hidden layers of the deepest networks
EPOCHS = 15  # of the training of deep networks
WIDTH = 1024  # nodes a layer where moments are measured

# %% [markdown]
r"""
## Example 7.1: a chain of three weights

The simplest deep network: one node a layer, no bias, no activation,
$$\hat z = x\, W_1 W_2 W_3, \qquad L = \left[z - \hat z\right]^2. \tag{7.9}$$
Its gradients show what depth does. Each contains all *other* weights:
$$g_1 = \frac{\partial L}{\partial W_1} = -2\, x \left(z - x W_1 W_2 W_3\right) W_2 W_3,$$
and likewise for the others. (The book prints $g_1$ without the factor $x$ and without the minus sign; with its sign, descent would walk uphill.)

**Your task.** Return the three gradients.
"""


# %% task="X7.1a" points=2
def chain_gradients(x, z, weights):
    """Gradients of the loss (7.9) by the three weights of the chain.

    x, z: numbers, input and true value; weights: (3,). Returns an array (3,).
    """
    ### BEGIN SOLUTION
    w1, w2, w3 = weights
    others = np.array([w2 * w3, w1 * w3, w1 * w2])
    return -2 * x * (z - x * w1 * w2 * w3) * others
    ### END SOLUTION


# %% check="X7.1a"
check("X7.1a", chain_gradients)

# %% [markdown]
r"""
One step with the learning rate $\alpha$ changes all weights *at once*, each by a gradient that was computed with the others held fixed. The new prediction is a polynomial in $\alpha$ (7.10):
$$\hat z_\mathrm{new} = x \prod_{i=1}^{3} \left(W_i - \alpha g_i\right) = \hat z
- \alpha x \left(g_1 W_2 W_3 + g_2 W_1 W_3 + g_3 W_1 W_2\right)
+ \alpha^2 x \left(g_1 g_2 W_3 + g_1 g_3 W_2 + g_2 g_3 W_1\right) - \alpha^3 x\, g_1 g_2 g_3 .$$
Gradient descent has only the term in $\alpha$ in mind. The others come uninvited.
"""

# %%
chain_gradients = check.catch_up("X7.1a", chain_gradients)


def taylor_coefficients(x, z, weights, slopes):
    """Coefficients of the powers of the learning rate in the new prediction, from order 0 on."""
    product = np.polynomial.Polynomial([x])
    for w, g in zip(weights, slopes, strict=True):
        product = product * np.polynomial.Polynomial([w, -g])
    return product.coef


x, z, weights = 1.5, 2.0, np.array([0.8, 1.2, -0.7])
slopes = chain_gradients(x, z, weights)
coefficients = taylor_coefficients(x, z, weights, slopes)

alpha = np.geomspace(0.001, 1, 60)
exact = x * np.prod(weights[:, np.newaxis] - slopes[:, np.newaxis] * alpha, axis=0)
orders = {
    f"order {k}": np.polynomial.polynomial.polyval(alpha, coefficients[: k + 1]) for k in range(4)
}

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
for (name, value), style in zip(orders.items(), ["-", "--", "-.", ":"], strict=True):
    left.plot(alpha, value, style, label=name)
    if name != "order 3":
        right.loglog(alpha, np.abs(value - exact), style, label=name)
left.plot(alpha, exact, color=plotting.INK, lw=4, alpha=0.25, label="exact")
left.axhline(z, color=plotting.GREY, lw=1)
left.text(0.001, z, " true value", color=plotting.GREY, va="bottom")
left.set(
    xscale="log",
    xlabel=r"learning rate $\alpha$",
    ylabel="new prediction",
    ylim=(-4, 6),
    title="One step, order by order",
)
right.set(
    xlabel=r"learning rate $\alpha$",
    ylabel="distance from the exact prediction",
    title=r"The error grows as $\alpha^{k+1}$",
)
left.legend()
right.legend()
plotting.show("Left: new prediction against learning rate for the orders 0 to 3; the third is exact. Right: errors rise "
              "as a power one above the order.", figure)  # fmt: skip

# %% covers="X7.1"
w1, w2, w3 = (keras.Variable(w) for w in weights)
_, automatic = value_and_gradients(lambda: (z - x * w1 * w2 * w3) ** 2, [w1, w2, w3])
automatic = np.array([float(g) for g in automatic])
book = (
    2 * (z - x * np.prod(weights)) * np.prod(weights) / weights
)  # as printed: no x, no minus sign
check.claim("X7.1", slopes, automatic, tolerance=1e-4, wrong=book)
check.claim("X7.1", orders["order 3"], exact, tolerance=1e-12, wrong=orders["order 2"])

small = np.array([0.001, 0.002])
new = [x * np.prod(weights - a * slopes) for a in small]
errors = np.array(
    [
        [np.polynomial.polynomial.polyval(a, coefficients[: k + 1]) for a in small] - np.array(new)
        for k in range(3)
    ]
)
powers = np.log2(errors[:, 1] / errors[:, 0])
print(
    "the errors of the orders 0, 1, 2 grow with the powers", powers.round(2), "of the learning rate"
)
check.claim("X7.1", powers, [1, 2, 3], tolerance=0.1, wrong=[1, 1, 1])

# %% [markdown]
r"""
With three weights the disturbance is mild. A chain of $n$ weights brings terms up to $\alpha^n$, and their number grows like the binomial coefficients. The next figure takes chains with all weights
1.1 (so $\hat z = 1.1^n$ for $x = 1$), a true value 1 % above the prediction, and compares the step that was planned (first order) with the one that happens.
"""

# %%
alpha = np.geomspace(1e-6, 1, 200)
ratio = {}
for n in (3, 10, 30):
    prediction = 1.1**n
    miss = 0.01 * prediction
    slope = -2 * miss * prediction / 1.1
    planned = -n * alpha * slope * prediction / 1.1
    happens = (1.1 - alpha * slope) ** n - prediction
    ratio[f"{n} weights"] = np.minimum(happens / planned, 10)
plotting.lines(
    alpha,
    ratio,
    xlabel=r"learning rate $\alpha$",
    ylabel="step that happens / step planned",
    title="The deeper the chain, the smaller the step that goes as planned",
    log_x=True,
)

# %% [markdown]
r"""
## Vanishing and exploding gradients

In a network of many layers the gradient of an early layer is a product with one factor for each layer after it: the weights times the slope of the activation. A sigmoid's slope is at most 1/4. Fifty factors
below one leave nothing; fifty factors above one explode. The next cell measures the gradient norm in each layer, before any training, with $L = \langle(\hat y - y)^2\rangle$ on random data.
"""

# %%
random = np.random.default_rng(check.seed)
noise_in = random.normal(size=(128, 32)).astype("float32")
noise_out = random.normal(size=(128, 1)).astype("float32")


def plain_network(depth, activation, initializer, scale):
    """``depth`` hidden layers with 32 nodes, one linear output; initial hidden weights multiplied by ``scale``."""
    hidden = [
        layers.Dense(32, activation=activation, kernel_initializer=initializer)
        for _ in range(depth)
    ]
    model = keras.Sequential([keras.Input((32,)), *hidden, layers.Dense(1)])
    for layer in hidden:
        layer.kernel.assign(scale * layer.kernel)
    return model


def gradient_norms(model, x, y):
    """Norm of the gradient of the mean squared error by the weight matrix of every dense layer."""
    kernels = [w for w in model.trainable_variables if w.name == "kernel"]
    _, slopes = value_and_gradients(lambda: keras.ops.mean((model(x) - y) ** 2), kernels)
    return np.array([np.linalg.norm(np.asarray(slope, dtype=float)) for slope in slopes])


kinds = {
    "sigmoid": ("sigmoid", "glorot_uniform", 1),
    "tanh": ("tanh", "glorot_uniform", 1),
    "ReLU": ("relu", "he_normal", 1),
    "ReLU, weights twice as large": ("relu", "he_normal", 2),
}
norms = {
    name: gradient_norms(plain_network(DEPTH, *kinds[name]), noise_in, noise_out)
    for name in ("sigmoid", "tanh", "ReLU")
}

# %%
figure, axis = plt.subplots(figsize=(7.5, 4))
for (name, norm), style in zip(norms.items(), ["-", "--", "-."], strict=True):
    norm = norm[:-1]
    axis.semilogy(np.flatnonzero(norm) + 1, norm[norm > 0] / norm[-1], style, label=name)
axis.axhline(1, color=plotting.GREY, lw=0.8)
axis.set(
    xlabel="hidden layer, counted from the input",
    ylabel="gradient norm, relative to the last layer",
    title=f"Of {DEPTH} layers, a sigmoid network can train only the last few",
)
axis.legend()
plotting.show(
    "Gradient norm against layer: falls by dozens of powers of ten towards the input for the sigmoid, stays level for tanh "
    "and ReLU.",
    figure,
)

# %%
depths = [d for d in (2, 5, 10, 20, 30, 50) if d <= DEPTH]
first = {
    name: np.array(
        [gradient_norms(plain_network(d, *kind), noise_in, noise_out)[0] for d in depths]
    )
    for name, kind in kinds.items()
}
figure, axis = plt.subplots(figsize=(7.5, 4))
for (name, norm), style, marker in zip(first.items(), ["-", "--", "-.", ":"], "os^D", strict=True):
    axis.semilogy(np.array(depths)[norm > 0], norm[norm > 0], style, marker=marker, label=name)
axis.set(
    xlabel="number of hidden layers",
    ylabel="gradient norm of the first layer",
    title="Depth multiplies: gradients vanish or explode as a power",
)
axis.legend()
plotting.show("Gradient norm of the first layer against depth: falls steeply for the sigmoid, "
              "stays level for tanh and ReLU, rises steeply for ReLU with large weights.", figure)  # fmt: skip

# %% covers="M7.3"
deep = depths.index(20)
per_layer = (first["sigmoid"][deep] / first["sigmoid"][0]) ** (1 / (20 - depths[0]))
growth = (first["ReLU, weights twice as large"][-1] / first["ReLU"][-1]) ** (1 / depths[-1])
print(
    f"sigmoid: each layer multiplies the gradient by about {per_layer:.2f}; the slope of a sigmoid is at most 0.25"
)
print(f"sigmoid, {depths[-1]} layers: the first layer's gradient is {first['sigmoid'][-1]:.1e}")
print(
    f"weights twice as large: each layer multiplies by {growth:.1f} more, 2 on the way forward and 2 on the way back"
)
check.claim("M7.3", per_layer, at_most=0.3, wrong=1.0)
check.claim(
    "M7.3",
    first["sigmoid"][-1] / first["ReLU"][-1],
    at_most=1e-9,
    wrong=first["tanh"][-1] / first["ReLU"][-1],
)
check.claim("M7.3", growth, 4.0, tolerance=1.0, wrong=1.0)

# %%
check.quiz("M7.3-q1")

# %% [markdown]
r"""
The initial weights of chapter 4 (Glorot, He) are made so that the product neither grows nor shrinks *at the start*, for tanh and ReLU. Training then moves the weights, and nothing holds the balance.
So the cures change the network itself.

## Section 7.5: residual networks

Let a few layers learn not the whole map but the small change $\delta$ to the identity, with a *shortcut* that carries $\vec x$ past them:
$$\vec z = \sigma\left(\delta(\vec x) + \vec x\right) = \sigma\left(W_2\, \sigma\left(W_1 \vec x + \vec b_1\right) + \vec b_2 + \vec x\right). \tag{7.12, 7.13}$$
The second activation comes after the sum. The shortcut has no parameters. And there is a good way to begin: with $W_2 = 0$, $\vec b_2 = 0$ the block does nothing, $\delta = 0$, so that a deep network begins as a shallow one and
adds its layers only as far as they help. ($W_1$ must not be zero as well: then neither layer would have a gradient, and the block would sleep forever.)

**Your task.** Build such a block with ReLU as a Keras model from `width` numbers to `width` numbers, with $W_2$ zero at the start.
"""


# %% task="M7.4a" points=2
def residual_block(width):
    """The block (7.13): two dense layers and a shortcut, ReLU after the sum, as a Keras model; W_2 begins at zero."""
    ### BEGIN SOLUTION
    inputs = keras.Input((width,))
    change = layers.Dense(width, activation="relu", kernel_initializer="he_normal")(inputs)
    change = layers.Dense(width, kernel_initializer="zeros")(change)
    outputs = layers.Activation("relu")(layers.Add()([change, inputs]))
    return keras.Model(inputs, outputs)
    ### END SOLUTION


# %% check="M7.4a"
check("M7.4a", residual_block)

# %% [markdown]
r"""
Fifty hidden layers, as a plain network and as 25 residual blocks, with the same number of parameters. Both learn $y = \sin(4 x_1) \cos(3 x_2)$ from 2000 points.
"""

# %%
residual_block = check.catch_up("M7.4a", residual_block)


def deep_network(depth, residual):
    """One layer to 32 nodes, ``depth`` hidden layers, one linear output."""
    if residual:
        hidden = [residual_block(32) for _ in range(depth // 2)]
    else:
        hidden = [
            layers.Dense(32, activation="relu", kernel_initializer="he_normal")
            for _ in range(depth)
        ]
    return keras.Sequential(
        [keras.Input((2,)), layers.Dense(32, activation="relu"), *hidden, layers.Dense(1)]
    )


points = random.uniform(-1, 1, size=(2000, 2)).astype("float32")
values = (np.sin(4 * points[:, :1]) * np.cos(3 * points[:, 1:])).astype("float32")

trained_losses, parameters, first_gradients = {}, {}, {}
for name, residual in [("plain", False), ("residual", True)]:
    keras.utils.set_random_seed(check.seed)
    network = deep_network(DEPTH, residual)
    parameters[name] = network.count_params()
    first_gradients[name] = {}
    for d in (0, DEPTH):
        keras.utils.set_random_seed(check.seed + 1)
        first_gradients[name][d] = gradient_norms(deep_network(d, residual), points, values)[0]
    network.compile("adam", "mse", steps_per_execution=20)
    network.fit(points, values, batch_size=100, epochs=EPOCHS, verbose=0)
    trained_losses[name] = network.history.history["loss"]

# %%
plotting.lines(
    np.arange(1, EPOCHS + 1),
    trained_losses,
    xlabel="epoch",
    ylabel="mean squared error, training",
    title=f"The same {DEPTH} layers learn faster with shortcuts",
    log_y=True,
)

# %% covers="M7.4"
print(f"gradient norm of the first layer, before the training, for 0 and {DEPTH} hidden layers:")
for name, norm in first_gradients.items():
    print(f"  {name:9s}", "  ".join(f"{value:.3f}" for value in norm.values()))
block = residual_block(32)
positive = np.abs(random.normal(size=(100, 32))).astype("float32")
check.claim(
    "M7.4",
    np.abs(np.asarray(block(positive)) - positive).max(),
    0,
    tolerance=1e-6,
    wrong=positive.max(),
)
check.claim(
    "M7.4", parameters["residual"], parameters["plain"], wrong=parameters["plain"] + 25 * 32
)
check.claim(
    "M7.4", trained_losses["plain"][-1] / trained_losses["residual"][-1], at_least=1.5, wrong=1.0
)

# %% [markdown]
r"""
Where the shapes of $\vec x$ and $\delta$ differ, a projection $W_s$ takes the place of the identity, $f(\vec x) = \delta(\vec x) + W_s \vec x$ (7.14); that one does have parameters.

## Section 7.6: batch normalisation

Another cure: force the balance. For each node, take the outputs $y_i$ over the $k$ events of a batch, subtract their mean and divide by their spread,
$$\mu_B = \frac 1 k \sum_i y_i, \qquad \sigma_B = \sqrt{\epsilon + \frac 1 k \sum_i (y_i - \mu_B)^2}, \qquad y'_i = \gamma\, \frac{y_i - \mu_B}{\sigma_B} + \beta. \tag{7.15-7.18}$$
$\gamma$ and $\beta$ are learnt, one pair for each node. It is as if the node got back two knobs, a scale and an offset, that no longer depend on all layers before it.

**Your task.** Write it for a batch.
"""


# %% task="M7.5a" points=2
def batch_norm(y, gamma, beta, epsilon):
    """Batch normalisation (7.15)-(7.18) in training.

    y: (events, nodes); gamma, beta: (nodes,); epsilon: a small number. Returns an array (events, nodes).
    """
    ### BEGIN SOLUTION
    mu = y.mean(axis=0)
    sigma = np.sqrt(epsilon + ((y - mu) ** 2).mean(axis=0))
    return gamma * (y - mu) / sigma + beta
    ### END SOLUTION


# %% check="M7.5a"
check("M7.5a", batch_norm)

# %% [markdown]
r"""
Two things to look at. First, with $\gamma = \sigma_B$ and $\beta = \mu_B$ nothing happens at all: normalisation takes no ability from the network, it only gives mean and width a parameter of their own.

Second, what the book does not say: at **inference** there may be a single event, and an event's answer must not depend on its company. So the layer keeps moving averages of $\mu_B$ and $\sigma_B^2$ during training,
$$m \leftarrow 0.99\, m + 0.01\, \mu_B \quad \text{for each batch},$$
and uses these when `training=False`, as in `predict`. A network evaluated before these averages have settled gives strange results.
"""

# %%
batch_norm = check.catch_up("M7.5a", batch_norm)

y = random.normal([1.0, -2.0, 5.0], [0.5, 3.0, 10.0], size=(256, 3))
gamma, beta, epsilon = np.array([1.0, 0.5, 2.0]), np.array([0.0, 1.0, -1.0]), 1e-3
layer = layers.BatchNormalization(epsilon=epsilon, momentum=0.99)
layer.build((None, 3))
layer.set_weights([gamma, beta, np.zeros(3), np.ones(3)])
in_training = np.asarray(layer(y, training=True))
moving_mean = np.asarray(layer.moving_mean)
at_inference = np.asarray(layer(y, training=False))

mu, sigma = y.mean(axis=0), np.sqrt(epsilon + y.var(axis=0))
by_hand = batch_norm(y, gamma, beta, epsilon)

# %% covers="M7.5"
unbiased = gamma * (y - mu) / np.sqrt(epsilon + y.var(axis=0, ddof=1)) + beta
check.claim("M7.5", in_training, by_hand, tolerance=1e-4, wrong=unbiased)
check.claim("M7.5", batch_norm(y, sigma, mu, epsilon), y, tolerance=1e-9, wrong=by_hand)
check.claim("M7.5", moving_mean, 0.01 * mu, tolerance=1e-5, wrong=mu)
expected = gamma * (y - 0.01 * mu) / np.sqrt(0.99 + 0.01 * y.var(axis=0) + epsilon) + beta
check.claim("M7.5", at_inference, expected, tolerance=1e-3, wrong=in_training)

# %%
check.quiz("M7.5-q1")

# %% [markdown]
r"""
What is it good for? A factor in the weights before the normalisation drops out of (7.17). So a network with batch normalisation before each activation should not care how large its weights are at the start.
Six hidden layers, plain gradient descent, the same function as above, initial weights from 1/10 to 10 times those of He:
"""

# %%
scales = np.array([0.1, 0.3, 1.0, 3.0, 10.0])
final = {}
for name, normalised in [("plain", False), ("batch normalisation", True)]:
    keras.utils.set_random_seed(check.seed)
    network = keras.Sequential([keras.Input((2,))])
    for _ in range(6):
        network.add(layers.Dense(32, kernel_initializer="he_normal", use_bias=not normalised))
        if normalised:
            network.add(layers.BatchNormalization())
        network.add(layers.Activation("relu"))
    network.add(layers.Dense(1))
    network.compile(keras.optimizers.SGD(0.03), "mse", steps_per_execution=20)
    start = network.get_weights()
    final[name] = []
    for scale in scales:
        network.set_weights(start)
        for layer in network.layers[:-1]:
            if isinstance(layer, layers.Dense):
                layer.kernel.assign(scale * layer.kernel)
        network.fit(points, values, batch_size=100, epochs=EPOCHS, verbose=0)
        final[name].append(network.history.history["loss"][-1])

# %%
figure, axis = plt.subplots(figsize=(6.5, 4))
for (name, loss), marker in zip(final.items(), "os", strict=True):
    loss = np.array(loss)
    failed = ~(loss < 1)
    (line,) = axis.loglog(scales[~failed], loss[~failed], marker + "-", label=name)
    axis.plot(
        scales[failed], np.full(failed.sum(), 0.5), marker, mfc="none", color=line.get_color()
    )
axis.axhline(
    values.var(), color=plotting.GREY, ls="--", lw=1, label="variance of the data: nothing learnt"
)
axis.plot([], [], "o", mfc="none", color=plotting.GREY, label="open: diverged")
axis.set(
    xlabel="initial weights, relative to He's",
    ylabel="mean squared error after training",
    title="Normalised, a network forgives its initial weights",
)
axis.legend()
plotting.show(
    "Loss after training against the scale of the initial weights: low at all scales with batch normalisation, low only near "
    "one without.",
    figure,
)

# %% covers="M7.5"
worst = {
    name: np.max(np.where(np.isfinite(loss), loss, np.inf)) / values.var()
    for name, loss in final.items()
}
print("worst loss over all initial weights, relative to the variance of the data:", worst)
check.claim("M7.5", worst["batch normalisation"], at_most=0.8, wrong=worst["plain"])

# %% [markdown]
r"""
## Section 7.7: self-normalising networks

The third cure is an activation that normalises by itself. Follow the mean $\mu$ and the variance $\nu$ of the activations from layer to layer: a map $K$ (7.19). The sum at a node of the next layer, with independent weights
of mean 0 and variance $1/n$, is nearly Gaussian by the central limit theorem, with mean 0 and the variance
$$\tau^2 = \frac 1 n \sum_k \langle x_k^2\rangle = \nu + \mu^2.$$
The activation $\sigma$ turns this Gaussian $p_G$ into the next moments,
$$\mu' = \int \sigma(y)\, p_G(y)\, \mathrm dy, \qquad \nu' = \int \sigma^2(y)\, p_G(y)\, \mathrm dy - \mu'^2 .$$
The **SELU**
$$\sigma(y) = \lambda \begin{cases} y & y > 0 \\ \alpha\,(e^y - 1) & y \le 0 \end{cases} \qquad \alpha = 1.6733, \quad \lambda = 1.0507 \tag{7.20-7.22}$$
has these two constants for one purpose: $K(0, 1) = (0, 1)$.

**Your task.** Compute the map numerically for any activation Keras knows by name: `keras.activations.get("selu")` returns the function. A sum over a fine grid of $y$ from $-10\,\tau$ to $10\,\tau$ will do.
"""


# %% task="M7.6a" points=3
def moment_map(mean, variance, activation):
    """Mean and variance of the activations in the next layer, equation (7.19), for weights of mean 0 and variance 1/n.

    mean, variance: of the activations in this layer, numbers; activation: its name, such as "selu". Returns two numbers.
    """
    ### BEGIN SOLUTION
    tau = np.sqrt(variance + mean**2)
    y = np.linspace(-10 * tau, 10 * tau, 20_001)
    density = np.exp(-(y**2) / (2 * tau**2)) / np.sqrt(2 * np.pi * tau**2)
    sigma = np.asarray(keras.activations.get(activation)(y))
    new_mean = np.trapezoid(sigma * density, y)
    return new_mean, np.trapezoid(sigma**2 * density, y) - new_mean**2
    ### END SOLUTION


# %% check="M7.6a"
check("M7.6a", moment_map)

# %%
moment_map = check.catch_up("M7.6a", moment_map)


def walk(mean, variance, activation, steps):
    """Moments after 0, 1, ..., steps layers; an array (steps + 1, 2)."""
    path = [(mean, variance)]
    for _ in range(steps):
        path.append(moment_map(*path[-1], activation))
    return np.array(path)


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2))
for start in [(0.0, 3.0), (0.5, 0.5), (-0.5, 1.8), (0.3, 0.2), (-0.4, 0.6), (0.6, 2.6)]:
    path = walk(*start, "selu", 12)
    left.plot(*path.T, "o-", ms=3, lw=1, color=plotting.COLOURS[0])
    left.plot(*path[0], "s", color=plotting.COLOURS[1])
left.plot(0, 1, "*", ms=14, color=plotting.INK)
left.set(
    xlabel=r"mean $\mu$",
    ylabel=r"variance $\nu$",
    title="SELU: every start (square) walks to (0, 1)",
)
for name, style in [("selu", "-"), ("relu", "--"), ("tanh", "-."), ("sigmoid", ":")]:
    right.semilogy(walk(0.0, 3.0, name, 20)[:, 1], style, label=name)
right.set(
    xlabel="layer",
    ylabel=r"variance $\nu$ of the activations",
    title="Other activations lose the variance",
    xticks=[0, 5, 10, 15, 20],
)
right.legend()
plotting.show("Left: paths of mean and variance from layer to layer with SELU, all ending at (0, 1). Right: variance against "
              "layer; SELU settles at 1, ReLU, tanh and sigmoid fall.", figure)  # fmt: skip

# %% covers="M7.6"
path = walk(0.0, 3.0, "selu", 8)
print("variance from 3.0, layer by layer:", path[:, 1].round(2))
h = 1e-4
jacobian = np.transpose(
    [
        (np.array(moment_map(h, 1, "selu")) - moment_map(-h, 1, "selu")) / (2 * h),
        (np.array(moment_map(0, 1 + h, "selu")) - moment_map(0, 1 - h, "selu")) / (2 * h),
    ]
)
print(
    f"norm of the Jacobian of K at (0, 1): {np.linalg.norm(jacobian, 2):.3f}, below 1: the fixed point attracts"
)
check.claim("M7.6", moment_map(0, 1, "selu"), [0, 1], tolerance=1e-6, wrong=moment_map(0, 1, "elu"))
check.claim(
    "M7.6",
    path[1:6, 1],
    [2.35, 1.96, 1.70, 1.52, 1.39],
    tolerance=0.005,
    wrong=walk(0.0, 3.0, "elu", 5)[1:, 1],
)
check.claim("M7.6", path[8, 1], 1.17, tolerance=0.005, wrong=path[7, 1])
check.claim("M7.6", np.linalg.norm(jacobian, 2), 0.788, tolerance=0.002, wrong=1.0)

# %% [markdown]
r"""
A contraction by 0.78 a layer near the fixed point: whatever the data or the training do to the moments, a few layers later it is forgotten. (ReLU with weights of variance $2/n$, as He recommends, would keep any mean
square it is given, but pull it nowhere.) Now a real network, with random weights of variance $1/n$
(`lecun_normal`), fed with data of variance 3. In such a network dropout would disturb the balance; `keras.layers.AlphaDropout` is made to keep it.
"""

# %%
histories = {}
for name in ("selu", "relu"):
    activations = [random.normal(0, np.sqrt(3), size=(200, WIDTH)).astype("float32")]
    for _ in range(12):
        dense = layers.Dense(WIDTH, activation=name, kernel_initializer="lecun_normal")
        activations.append(np.asarray(dense(activations[-1])))
    histories[name] = activations

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 5), sharey=True)
edges = np.linspace(-4, 4, 161)
for axis, activations in zip(axes, histories.values(), strict=True):
    for k, values_of_layer in enumerate(activations[1:], 1):
        height, _ = np.histogram(values_of_layer, edges, density=True)
        height = np.minimum(height, 0.8)
        axis.fill_between(
            edges[:-1],
            -k,
            -k + 2.2 * height,
            step="post",
            color=plotting.COLOURS[0],
            alpha=0.6,
            lw=0,
        )
        axis.step(edges[:-1], -k + 2.2 * height, where="post", color=plotting.BACKGROUND, lw=0.8)
    axis.set(
        xlabel="activation",
        xlim=(-4, 4),
        yticks=[-k for k in range(1, 13)],
        yticklabels=range(1, 13),
    )
axes[0].set(ylabel="layer (from back to front)", title="SELU: the distribution stays")
axes[1].set(title="ReLU, same weights: it shrinks to zero")
plotting.show("Histograms of the activations in twelve layers. With SELU they keep their width; with ReLU they shrink "
              "towards zero from layer to layer.", figure)  # fmt: skip

# %% covers="M7.6"
measured = [activation.var() for activation in histories["selu"]]
predicted = walk(0.0, 3.0, "selu", 12)[:, 1]
print("variance measured: ", np.round(measured, 2))
print("variance predicted:", predicted.round(2))
check.claim("M7.6", measured[8], predicted[8], tolerance=0.15, wrong=histories["relu"][8].var())

# %%
check.quiz("M7.6-q1")

# %% [markdown]
r"""
**Think.** A residual network, batch normalisation and SELU all keep gradients alive. What is the price of each?
"""

# %% [markdown] tags=["answer"]
r"""
Residual: shapes must match along the shortcut (or need a projection), and the block's input must be kept in memory; otherwise nearly free. Batch normalisation: an event's output depends on its batch during training, so small batches are
noisy, and training and inference differ; two more parameters and two moving averages a node. SELU: works as derived only for dense networks with the right initial weights and standardised inputs, and asks for its own dropout.
"""

# %% [markdown] tags=["instructor"]
r"""
*For the instructor.* In float32 the gradient of the first sigmoid layer of 50 is of the order of $10^{-30}$ and smaller. ReLU with He weights keeps the gradient's size on average, but its spread from one initialisation to the next grows with
depth, so the curve of single networks wanders. With the zero start the residual network computes the same function at any depth, so its first gradient is about the same
too (the last layer is drawn anew): a good question before showing the table.
"""

# %% [markdown]
r"""
## Key points

- The gradient of one weight contains all others, and one step changes all of them: the learning rate that works depends on the depth.
- Gradients are products over layers. Below one they vanish, above one they explode, both as a power of the depth.
- A shortcut with a zero start lets a deep network begin as a shallow one.
- Batch normalisation gives mean and width of each node a parameter of their own; at inference it uses moving averages.
- SELU has (0, 1) as an attracting fixed point of mean and variance, for weights of mean 0 and variance $1/n$.
"""

# %%
check.summary()
