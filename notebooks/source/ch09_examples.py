# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 9, title: "Recurrent networks: gradients, gates and sequences", level: 3, minutes: 80, sections: "9.2-9.6", data: [quenches, cracks], fast: {N_OSCILLATORS: 1000, EPOCHS: 4, EPOCHS_MEMORY: 4, SEEDS: 1, N_QUENCHES: 8000, EPOCHS_QUENCHES: 2, EPOCHS_CRACKS: 8}}
# ---
# %% [markdown]
r"""
# Recurrent networks: gradients, gates and sequences

**You will**

- write the backpropagation through time of a recurrent cell, and see why its memory is short;
- write the gated recurrent unit, in the book's form and in that of Keras;
- solve five kinds of sequence tasks with one physical system, a struck oscillator;
- count the parameters of cells with fewer or with other gates, and train them on a test of memory;
- foresee the quench of a magnet and the life of a cracked plate, beside the limits.

**You need** `ch09_recurrent` (the simple cell and the LSTM), and the chain rule. **Time:** about 80 minutes, in any order; the cells run in a minute and a half.

**You will see** gradients that die out or explode by the book's numbers, and a warning forty seconds ahead.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.simulators import series

check = checks.start("ch09_examples")

import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_OSCILLATORS = 2_000  # struck oscillators for the types of sequence tasks
EPOCHS = 6  # for them
N_MEMORY = 3_000  # sequences for the test of memory
EPOCHS_MEMORY = 5
SEEDS = 3  # trainings of each cell
N_QUENCHES = 24_000  # records of magnets
EPOCHS_QUENCHES = 5
EPOCHS_CRACKS = 20

# %% [markdown]
r"""
## Section 9.3: backpropagation through time

Unrolled in time, a recurrent cell is a deep network in which every layer has the same weights. Its backpropagation is that of chapter 4, with one addition: the
gradient of a shared weight is the **sum** over all steps at which it was used.

Let $z_t = x_t K + h_{t-1} R + b$ and $h_t = \tanh z_t$ (rows and multiplication from the right, as in Keras), and let the loss depend on the last state only, with the known gradient
$g = \partial L/\partial h_T$. Going backwards from $t = T$ to 1, with $g_T = g$:

$$\delta_t = g_t\,(1 - h_t^2), \qquad
\frac{\partial L}{\partial K} \mathrel{+}= x_t^T \delta_t, \qquad
\frac{\partial L}{\partial R} \mathrel{+}= h_{t-1}^T \delta_t, \qquad
\frac{\partial L}{\partial b} \mathrel{+}= \textstyle\sum_n \delta_t, \qquad
g_{t-1} = \delta_t R^T .$$

**Your task.** Write the backward pass. The states $h_1, \dots, h_T$ of the forward pass are given; $h_0 = 0$.
"""


# %% task="M9.1b" points=4
def backpropagate(x, states, kernel, recurrent, gradient):
    """Gradients of a loss that depends on the last state of a recurrent cell h_t = tanh(x_t K + h_(t-1) R + b).

    x: (n, T, d), sequences; states: (n, T, p), h_1 ... h_T; kernel K: (d, p); recurrent R: (p, p);
    gradient: (n, p), of the loss by the last state. Returns the gradients of K (d, p), R (p, p) and b (p,).
    """
    ### BEGIN SOLUTION
    of_kernel, of_recurrent = np.zeros_like(kernel), np.zeros_like(recurrent)
    of_bias = np.zeros(len(recurrent))
    for t in reversed(range(x.shape[1])):
        delta = gradient * (1 - states[:, t] ** 2)
        before = states[:, t - 1] if t > 0 else np.zeros_like(delta)
        of_kernel += x[:, t].T @ delta
        of_recurrent += before.T @ delta
        of_bias += delta.sum(axis=0)
        gradient = delta @ recurrent.T
    return of_kernel, of_recurrent, of_bias
    ### END SOLUTION


# %% check="M9.1b"
check("M9.1b", backpropagate)

# %% [markdown]
r"""
Beside automatic differentiation, with the loss $L = \sum_n \tfrac12 |h_T|^2$, whose gradient by the last state is $h_T$ itself:
"""

# %% covers="M9.1"
backpropagate = check.catch_up("M9.1b", backpropagate)
x = random.normal(size=(6, 12, 3))
cell = layers.SimpleRNN(5, return_sequences=True, dtype="float64")
states = np.asarray(cell(x))
kernel, recurrent, bias = cell.get_weights()
by_hand = backpropagate(x, states, kernel, recurrent, states[:, -1])
loss, automatic = autodiff.value_and_gradients(
    lambda: 0.5 * ops.sum(cell(x)[:, -1] ** 2), cell.trainable_variables
)
last_step = backpropagate(x[:, -1:], states[:, -1:], kernel, recurrent, states[:, -1])
for name, mine, theirs in zip(["kernel", "recurrent", "bias"], by_hand, automatic, strict=True):
    print(f"{name:10s} largest difference {np.abs(mine - np.asarray(theirs)).max():.1e}")
check.claim("M9.1", by_hand[0], np.asarray(automatic[0]), tolerance=1e-6, wrong=last_step[0])
check.claim("M9.1", by_hand[1], np.asarray(automatic[1]), tolerance=1e-6, wrong=last_step[1])

# %% [markdown]
r"""
### How far back does a gradient reach?

On its way from step $T$ to step $T - k$ the gradient is multiplied $k$ times by $R^T$ (and by $1 - h^2 \le 1$). What comes of it is decided by the largest |eigenvalue| of $R$, its *spectral radius* $\rho$. For a linear cell and
an $R$ that is $\rho$ times a rotation it is exactly $\rho^k$: after 50 steps $0.9^{50} = 0.0052$, but $1.1^{50} = 117$. The $\tanh$ only makes it smaller: it keeps an exploding gradient in check, at the price of states at
$\pm 1$, and helps nothing against a vanishing one.
"""

# %%
size, lags = 16, np.arange(51)
rotation, _ = np.linalg.qr(random.normal(size=(size, size)))
reach = {}
for radius in [0.9, 1.0, 1.1]:
    for kind in ["linear", "tanh"]:
        R, state = radius * rotation, 0.5 * random.normal(size=size)
        back, norms = np.eye(size), [1.0]  # d h_T / d h_(T-k)
        for _ in lags[1:]:
            state = state @ R
            slope = np.ones(size)
            if kind == "tanh":
                state = np.tanh(state + 0.3 * random.normal(size=size))  # some input at each step
                slope = 1 - state**2
            back = back @ R * slope
            norms.append(np.linalg.norm(back, 2))
        reach[f"{kind}, radius {radius}"] = np.array(norms)
plotting.lines(
    lags,
    reach,
    dashed=[name for name in reach if name.startswith("linear")],
    log_y=True,
    xlabel="time lag (steps)",
    ylabel="largest |d h(T) / d h(T - lag)|",
    title="Gradients die out or explode; tanh makes them smaller",
)

# %% covers="M9.1"
after_fifty = [reach[f"linear, radius {radius}"][50] for radius in (0.9, 1.0, 1.1)]
print("after 50 steps:", np.round(after_fifty, 4))
check.claim(
    "M9.1", np.log(after_fifty), 50 * np.log([0.9, 1.0, 1.1]), tolerance=1e-6, wrong=np.zeros(3)
)
check.claim(
    "M9.1", reach["tanh, radius 0.9"][50], at_most=0.9**50, wrong=reach["linear, radius 1.1"][50]
)

# %%
check.quiz("M9.1-q1")

# %% [markdown]
r"""
## Section 9.5: the gated recurrent unit

The GRU does with one state and two gates, *reset* $r$ and *update* $z$:

$$\begin{aligned}
r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) & (9.14) \qquad& z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z) & (9.15)\\
\tilde h_t &= \tanh\big(W_h x_t + U_h (r_t\, h_{t-1}) + b_h\big) & (9.16) \qquad& h_t = (1 - z_t)\, h_{t-1} + z_t\, \tilde h_t & (9.17)
\end{aligned}$$

Two conventions differ, and code copied across them runs and is wrong.

- *What $z$ means.* In (9.17) $z = 1$ takes the new state; in Keras (and in the review of the Particle Data Group) it **keeps** the old one: $h_t = z_t h_{t-1} + (1 - z_t)\tilde h_t$. The same set of functions, with the sign of the weights of $z$ turned.
- *Where $r$ acts.* In (9.16) before the product with $U_h$. Keras does so with `reset_after=False`. Its default is `reset_after=True`, $r_t\,(U_h h_{t-1} + b'_h)$, made for graphics processors, with a second set of biases: `bias` has then the shape (2, 3 p), one row for $x$ and one for $h$.

Keras' order is **update, reset, candidate**.

**Your task.** Write one step of the GRU as in Keras with `reset_after=False`.
"""


# %% task="M9.2b" points=3
def gru_step(x, h, kernel, recurrent, bias):
    """One step of a GRU as in Keras with ``reset_after=False``: z = 1 keeps the old state.

    x: (n, d), entries of this step; h: (n, p), state before it.
    kernel: (d, 3 p); recurrent: (p, 3 p); bias: (3 p,): update, reset, candidate side by side. Returns the new h, (n, p).
    """
    ### BEGIN SOLUTION
    of_x = np.split(x @ kernel + bias, 3, axis=1)
    of_h = np.split(recurrent, 3, axis=1)
    update = 1 / (1 + np.exp(-(of_x[0] + h @ of_h[0])))
    reset = 1 / (1 + np.exp(-(of_x[1] + h @ of_h[1])))
    candidate = np.tanh(of_x[2] + (reset * h) @ of_h[2])
    return update * h + (1 - update) * candidate
    ### END SOLUTION


# %% check="M9.2b"
check("M9.2b", gru_step)

# %% covers="M9.2"
gru_step = check.catch_up("M9.2b", gru_step)


def last_gru_state(x, weights):
    """State of the GRU after all steps, from zero."""
    h = np.zeros((len(x), weights[1].shape[0]))
    for t in range(x.shape[1]):
        h = gru_step(x[:, t], h, *weights)
    return h


gru = layers.GRU(5, reset_after=False, dtype="float64")
default = layers.GRU(5, dtype="float64")
by_keras, by_default = np.asarray(gru(x)), np.asarray(default(x))
default.set_weights([*gru.get_weights()[:2], np.stack([gru.get_weights()[2], np.zeros(15)])])
by_default = np.asarray(default(x))
by_hand = last_gru_state(x, gru.get_weights())
kernel, recurrent, bias = gru.get_weights()
sign = np.repeat([-1.0, 1.0, 1.0], 5)  # the weights of z turned: (9.17) with the weights of Keras
as_printed = last_gru_state(x, (kernel * sign, recurrent * sign, bias * sign))
print(f"Keras, reset_after=False: {np.abs(by_hand - by_keras).max():.1e}")
print(f"Keras by default:         {np.abs(by_hand - by_default).max():.1e}")
print(f"(9.17) as printed:        {np.abs(as_printed - by_keras).max():.1e}")
check.claim("M9.2", by_hand, by_keras, tolerance=1e-6, wrong=as_printed)
check.claim("M9.2", by_hand, by_keras, tolerance=1e-6, wrong=by_default)

# %% [markdown]
r"""
**A memory that decays.** The derivative of the LSTM's cell state by the one before is the forget gate itself, $\partial C_t/\partial C_{t-1} = f_t$ along the direct path (9.12). A gate of 0.9 forgets in ten steps, one of 0.5 in two; with
$f = 1$ nothing is lost. So the gate's bias sets how long the memory lasts: a cell whose other weights are zero keeps $\sigma(b_f)^k$ of its content after $k$ steps. Keras starts with $b_f = 1$, $\sigma(1) = 0.73$.
"""

# %%
waits, kept = np.array([0, 1, 2, 3, 5, 7, 10, 15, 20, 25]), {}
for gate in [0.5, 0.731, 0.9, 0.999]:
    keep = layers.LSTM(1, return_state=True, dtype="float64")
    keep.build((None, None, 1))
    forget_bias = np.log(gate / (1 - gate))
    keep.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, forget_bias, 0.0, 0.0])])
    start = [np.zeros((1, 1)), np.ones((1, 1))]  # h = 0, C = 1
    memory = [keep(np.zeros((1, k, 1)), initial_state=start)[2] for k in waits[1:]]
    kept[f"f = {gate:g}"] = np.append(1.0, np.ravel(memory))
plotting.lines(
    waits,
    kept,
    xlabel="steps",
    ylabel="what is left of C",
    title="The forget gate sets how long a memory lasts",
)

# %% covers="M9.2"
check.claim("M9.2", kept["f = 0.9"], 0.9**waits, tolerance=1e-6, wrong=0.5**waits)

# %% covers="M9.2"
counts = []
for layer in [layers.LSTM(128), layers.GRU(128, reset_after=False), layers.GRU(128)]:
    layer.build((None, None, 1))
    counts.append(layer.count_params())
print("LSTM, GRU as in the book, GRU of Keras, 128 cells and one input:", counts)
one_gate = 128 * (1 + 128) + 128
check.claim(
    "M9.2", counts, [4 * one_gate, 3 * one_gate, 3 * (one_gate + 128)], wrong=[4 * one_gate] * 3
)

# %% [markdown]
r"""
## Section 9.6: types of sequence tasks

One physical system serves for all: an oscillator that is struck at random times, each time with another strength, and swings on, damped. Its force and its displacement are two sequences of 30 steps, 0.05 s apart.

| type (Fig. 9.7) | question | input | output |
|---|---|---|---|
| many to one | how strongly is it damped? | displacement, (30, 1) | one number |
| one to many | how does it swing after one blow? | frequency and damping, (2,) | displacement, (30, 1) |
| many to many, synchronous | how does it swing under these blows? | force, (30, 1) | displacement, (30, 1) |
| many to many, delayed: encoder and decoder | how will it go on? | 15 displacements, (15, 1) | the next 15, (15, 1) |
| the same, bidirectional | when was it struck? | displacement, (30, 1) | force, (30, 1) |

The last one needs the future: a blow changes the speed, so it shows in the displacement one step *later*. A network that reads from left to right cannot know it yet.

Each result is an RMS error in units of the spread of the target: 1 is what the mean would reach, 0 is perfect.
"""


# %%
T = 30
alike = {"frequency": (1.0, 1.0), "damping": (0.1, 0.1)}  # Hz, share of the critical damping
many = series.oscillations(N_OSCILLATORS + 1000, seed=check.seed, steps=T, blows=2.0, **alike)
once = series.oscillations(N_OSCILLATORS + 1000, seed=check.seed + 1, steps=T, blows=0.0)
force, swing = many.force[..., np.newaxis], many.displacement[..., np.newaxis]
swing = swing / swing.std()
first_swing = once.displacement[..., np.newaxis]
first_swing = first_swing / first_swing.std()
setting = np.stack([once.frequency, 10 * once.damping], axis=1) - 1.0
damping = 10 * once.damping


def encoder_decoder():
    """Reads 15 displacements into one state, then writes 15 new ones from it."""
    return keras.Sequential(
        [
            keras.Input((15, 1)),
            layers.LSTM(16),  # the encoder: many to one
            layers.RepeatVector(15),
            layers.LSTM(16, return_sequences=True),  # the decoder: one to many
            layers.Dense(1),
        ]
    )


def synchronous(bidirectional=False):
    """One output for each step."""
    recurrent = layers.LSTM(16, return_sequences=True)
    if bidirectional:
        recurrent = layers.Bidirectional(recurrent)
    return keras.Sequential([keras.Input((T, 1)), recurrent, layers.Dense(1)])


many_to_one = keras.Sequential([keras.Input((T, 1)), layers.LSTM(16), layers.Dense(1)])
one_to_many = keras.Sequential(
    [
        keras.Input((2,)),
        layers.RepeatVector(T),
        layers.LSTM(16, return_sequences=True),
        layers.Dense(1),
    ]
)
sequence_tasks = {
    "many to one": (many_to_one, first_swing, damping),
    "one to many": (one_to_many, setting, first_swing),
    "synchronous": (synchronous(), force, swing),
    "encoder-decoder": (encoder_decoder(), first_swing[:, :15], first_swing[:, 15:]),
    "left to right": (synchronous(), swing, force),
    "bidirectional": (synchronous(bidirectional=True), swing, force),
}
answers, relative_error, shapes = {}, {}, {}
for name, (model, x, y) in sequence_tasks.items():
    steps = EPOCHS * -(-N_OSCILLATORS // 50)
    rate = keras.optimizers.schedules.CosineDecay(0.02, steps)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "mse", steps_per_execution=10)
    model.fit(x[:N_OSCILLATORS], y[:N_OSCILLATORS], batch_size=50, epochs=EPOCHS, verbose=0)
    answers[name] = model.predict(x[N_OSCILLATORS:], batch_size=1000, verbose=0)
    wanted = y[N_OSCILLATORS:].reshape(answers[name].shape)
    squares = ((answers[name] - wanted) ** 2).reshape(1000, -1).mean(axis=1) / wanted.var()
    value, error = metrics.mean_with_error(squares)
    relative_error[name] = np.sqrt(value)
    shapes[name] = (model.input_shape[1:], model.output_shape[1:])
    print(
        f"{name:16s} {shapes[name][0]!s:8s} -> {shapes[name][1]!s:8s} {model.count_params():5d} parameters, "
        f"relative error {np.sqrt(value):.3f} +- {error / (2 * np.sqrt(value)):.3f}"
    )

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.5))
seconds = 0.05 * np.arange(T)
chosen = 3  # one of the oscillators that were not trained on
index = N_OSCILLATORS + chosen
axes[0].plot(seconds, swing[index], color=plotting.INK, ls="--", label="truth")
axes[0].plot(seconds, answers["synchronous"][chosen], label="from the blows")
axes[0].set(title="synchronous", ylabel="displacement (spread of all)")
axes[1].plot(seconds, first_swing[index], color=plotting.INK, ls="--", label="truth")
axes[1].plot(seconds, answers["one to many"][chosen], label="one to many")
axes[1].plot(seconds[15:], answers["encoder-decoder"][chosen], label="encoder-decoder")
axes[1].set(title="after a single blow", ylabel="displacement (spread of all)")
axes[2].plot(seconds, force[index], color=plotting.INK, ls="--", label="truth")
for name in ["left to right", "bidirectional"]:
    axes[2].plot(seconds, answers[name][chosen], label=name)
axes[2].set(title="when was it struck?", ylabel="change of speed (m/s)")
for axis in axes:
    axis.set_xlabel("time (s)")
    axis.legend(fontsize=8)
figure.suptitle("Only the bidirectional network finds the blows: they show one step later")
plotting.show(
    "Three panels. Displacement under blows, network on top of the truth; displacement after one blow, as answered from "
    "two numbers and as continued from the first 0.75 s; force, which only the bidirectional network finds.",
    figure,
)

# %% covers="M9.3"
gain = relative_error["bidirectional"] / relative_error["left to right"]
check.claim("M9.3", gain, at_most=0.9, wrong=1 / gain)
others = [relative_error[name] for name in ["one to many", "synchronous", "encoder-decoder"]]
check.claim("M9.3", max(others), at_most=0.7, wrong=1.0)
check.claim(
    "M9.3",
    [shapes[name][1] for name in ["one to many", "synchronous", "encoder-decoder"]],
    [(T, 1), (T, 1), (15, 1)],
    wrong=[(T, 16), (T, 16), (15, 16)],
)

# %% [markdown]
r"""
## Sections 9.4 and 9.5: other gates

Every gate is a block of $p\,(d + p) + p$ parameters. Can one be saved, or is one missing?

- **Peephole LSTM**: the gates see the memory $C$ too, through one weight for each cell: $f$ and $i$ look at $C_{t-1}$, $o$ at $C_t$. Four blocks and $3 p$ weights.
- **Coupled LSTM**: what is written takes the place of what is forgotten, $i_t = 1 - f_t$. Three blocks.
- **Minimal gated unit**: a GRU whose two gates are one, $h_t = (1 - f_t)\,h_{t-1} + f_t \tanh(W x_t + U(f_t h_{t-1}) + b)$. Two blocks.

In Keras a cell is a layer with a `state_size` and a `call(inputs, states)` that returns output and new states; `layers.RNN(cell)` runs it along the sequence.
"""


# %%
class OtherCell(layers.Layer):
    """A recurrent cell of p nodes; kind: "peephole", "coupled" or "minimal"."""

    def __init__(self, p, kind, **options):
        super().__init__(**options)
        self.p, self.kind = p, kind
        self.state_size = p if kind == "minimal" else [p, p]
        self.blocks = {"peephole": 4, "coupled": 3, "minimal": 2}[kind]

    def build(self, input_shape):
        columns = self.blocks * self.p
        self.kernel = self.add_weight(shape=(input_shape[-1], columns), name="kernel")
        self.recurrent = self.add_weight(
            shape=(self.p, columns), initializer="orthogonal", name="recurrent"
        )
        self.bias = self.add_weight(shape=(columns,), initializer="zeros", name="bias")
        start = np.zeros(columns)  # remember at first: forget gate 1, or (1 - f) near 1
        start[: self.p] = -1.0 if self.kind == "minimal" else 1.0
        self.bias.assign(start)
        if self.kind == "peephole":
            self.peephole = self.add_weight(shape=(3, self.p), initializer="zeros", name="peephole")

    def call(self, inputs, states):
        h = states[0]
        of_x = ops.split(ops.matmul(inputs, self.kernel) + self.bias, self.blocks, axis=-1)
        of_h = ops.split(self.recurrent, self.blocks, axis=-1)
        if self.kind == "minimal":
            forget = ops.sigmoid(of_x[0] + ops.matmul(h, of_h[0]))
            candidate = ops.tanh(of_x[1] + ops.matmul(forget * h, of_h[1]))
            h = (1 - forget) * h + forget * candidate
            return h, [h]
        c = states[1]
        summed = [a + ops.matmul(h, b) for a, b in zip(of_x, of_h, strict=True)]
        if self.kind == "coupled":
            forget = ops.sigmoid(summed[0])
            enter = 1 - forget
        else:
            forget = ops.sigmoid(summed[0] + self.peephole[0] * c)
            enter = ops.sigmoid(summed[3] + self.peephole[1] * c)
        c = forget * c + enter * ops.tanh(summed[1])
        leave = summed[2] + (self.peephole[2] * c if self.kind == "peephole" else 0.0)
        h = ops.sigmoid(leave) * ops.tanh(c)
        return h, [h, c]


# %% [markdown]
r"""
**A test of memory.** At each of 25 steps a number between $-1$ and 1 comes in, and a mark that is 1 at one of the first ten steps and 0 elsewhere. At the end, the number at the mark is asked for. Between the mark and the answer there are 15 to 25 steps of
distraction. The error is relative to the spread of the answers: 1 is what a guess of zero reaches.

*How a gate starts* may matter as much as whether it is there. Keras' LSTM starts with a forget bias of 1, and so do the cells above (the minimal one with $1 - f = 0.73$). Keras' GRU starts with $z = 0.5$: at each step half of the state is replaced, and of a number that came
20 steps ago $0.5^{20} = 10^{-6}$ is left, of its gradient too. So we train a second GRU whose $z$ starts at 0.73.

Three trainings of each cell, from other initial weights. (The same compiled model is set back to fresh weights for each: compiling takes longer than training here.)
"""


# %%
def remember(n, steps=25):
    """Sequences (n, steps, 2) of numbers and marks, and the number at the mark (n,)."""
    numbers = random.uniform(-1, 1, size=(n, steps))
    place = random.integers(0, 10, size=n)
    marks = np.arange(steps) == place[:, np.newaxis]
    answer = numbers[np.arange(n), place]
    return np.stack([numbers, marks], axis=-1).astype("float32"), answer.astype("float32")


def reader(recurrent):
    """A network that reads with the given recurrent layer and answers with one number."""
    return keras.Sequential([keras.Input((25, 2)), recurrent, layers.Dense(1)])


def keep_at_first(shape, dtype=None):
    """Biases of a GRU (3 p,) whose update gate starts at sigmoid(1) = 0.73: it keeps most of its state."""
    return np.repeat([1.0, 0.0, 0.0], shape[0] // 3).astype("float32")


x_memory, y_memory = remember(N_MEMORY)
x_judged, y_judged = remember(1000)
P = 16
cells = {
    "simple": lambda: layers.SimpleRNN(P),
    "LSTM": lambda: layers.LSTM(P),
    "GRU, z starts at 0.5": lambda: layers.GRU(P),
    "GRU, z starts at 0.73": lambda: layers.GRU(
        P, reset_after=False, bias_initializer=keep_at_first
    ),
    "peephole LSTM": lambda: layers.RNN(OtherCell(P, "peephole")),
    "coupled LSTM": lambda: layers.RNN(OtherCell(P, "coupled")),
    "minimal gated unit": lambda: layers.RNN(OtherCell(P, "minimal")),
}
parameters, memory_error, seconds_each = {}, {}, {}
steps = EPOCHS_MEMORY * -(-N_MEMORY // 50)
for name, make in cells.items():
    model = reader(make())
    rate = keras.optimizers.schedules.CosineDecay(0.02, steps)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "mse", steps_per_execution=20)
    parameters[name] = model.layers[0].count_params()
    memory_error[name] = []
    began = time.process_time()
    for seed in range(SEEDS):
        keras.utils.set_random_seed(check.seed + seed)
        model.set_weights(reader(make()).get_weights())
        for variable in model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        model.fit(x_memory, y_memory, batch_size=50, epochs=EPOCHS_MEMORY, verbose=0)
        residual = model.predict(x_judged, batch_size=1000, verbose=0)[:, 0] - y_judged
        memory_error[name].append(residual.std() / y_judged.std())
    seconds_each[name] = (time.process_time() - began) / SEEDS
    mean, spread = np.mean(memory_error[name]), np.std(memory_error[name], ddof=min(1, SEEDS - 1))
    print(
        f"{name:20s} {parameters[name]:5d} parameters, relative error {mean:.3f}, spread {spread:.3f}, "
        f"{seconds_each[name]:.1f} s each"
    )

# %%
figure, axis = plt.subplots(figsize=(7.5, 3.8))
for name, errors in memory_error.items():
    label = f"{name} ({parameters[name]} parameters)"
    axis.plot(errors, [label] * len(errors), "o", alpha=0.7, color=plotting.COLOURS[0])
axis.axvline(1, color=plotting.INK, ls="--", label="baseline: always zero")
axis.set(
    xlabel="relative RMS error",
    xlim=(0, 1.1),
    title="Cells that keep most of their state at first learn to remember",
)
axis.invert_yaxis()
axis.legend(fontsize=8, loc="center")
plotting.show(
    "Relative error of each training, one row for each of seven cells: the simple cell and the GRU whose "
    "z starts at 0.5 stay near one or come down late, the others lie far below.",
    figure,
)

# %% covers="M9.4"
block = P * (2 + P) + P
names = ["LSTM", "peephole LSTM", "coupled LSTM", "minimal gated unit"]
formulas = [4 * block, 4 * block + 3 * P, 3 * block, 2 * block]
check.claim("M9.4", [parameters[name] for name in names], formulas, wrong=[4 * block] * 4)

# %% covers="M9.4"
check.claim("M9.4", np.median(memory_error["coupled LSTM"]), at_most=0.4, wrong=1.0)

# %% [markdown]
r"""
## Example 9.1: the quench of a magnet

The superconducting magnets of the LHC carry nearly 12 000 A. If a spot of the coil warms up and loses its superconductivity, a *quench*, the current has to be dumped before the spot melts. The book's example trains an LSTM of 128 cells on the voltages before 425
quenches, one value every 0.4 s, to see precursors. Those records are not public. Here the simulator makes some: small movements of the coil give spikes of a few millivolts, at a rate that grows as $3/(t + 2\,\mathrm{s})$ at a time $t$ before the quench.
A record lasts 102 s and ends 2 to 40 s before the quench, if there is one. All rates are invented; what carries over is the method.

The spikes are a few times as tall as the noise, and a quiet magnet has some as well, so no single one says much. The best possible test adds up what each value says, for each time of the quench: `quench_evidence`, the **limit**. The **baseline** counts values above 3.5 mV in the last minute.
"""

# %%
records = datasets.load_quenches(N_QUENCHES, seed=check.seed)
quench = records.y_test == 1
seconds = 0.4 * np.arange(256) - 102
figure, axes = plt.subplots(2, 1, figsize=(8, 3.8), sharex=True, sharey=True)
for axis, row, name in zip(
    axes, [np.flatnonzero(~quench)[0], np.flatnonzero(quench)[0]], ["no quench follows", "a quench follows"], strict=True
):  # fmt: skip
    axis.plot(seconds, 10 * records.x_test[row, :, 0], lw=0.9)
    axis.set(title=name, ylabel="voltage (mV)")
axes[1].set_xlabel("time (s), 0 is the end of the record")
figure.suptitle("Spikes come more often before a quench, but a quiet magnet has some as well")
plotting.show(
    "Two voltage records of 102 seconds with noise and spikes, more of them in the second.", figure
)

# %% [markdown]
r"""
The network takes eight values at a time (a convolution whose stride is its length: 3.2 s, 32 steps in all), since a recurrent network need not take a step for each value, and then a GRU whose last state decides.

(Batch normalisation uses running averages when it is not training. With `momentum=0.9` they follow within a few dozen batches; with Keras' 0.99 the validation loss of the first epoch would be large for no other reason.)
"""


# %%
watch = keras.Sequential(
    [
        keras.Input((256, 1)),
        layers.Conv1D(16, 8, strides=8),
        layers.BatchNormalization(momentum=0.9),
        layers.Activation("relu"),
        layers.GRU(16),
        layers.Dense(1, activation="sigmoid"),
    ]
)
keras.utils.set_random_seed(check.seed)
rate = keras.optimizers.schedules.CosineDecay(
    0.01, EPOCHS_QUENCHES * -(-len(records.x_train) // 64)
)
watch.compile(
    keras.optimizers.Adam(rate, clipnorm=1.0), "binary_crossentropy", steps_per_execution=10
)
watch.fit(
    records.x_train,
    records.y_train,
    batch_size=64,
    epochs=EPOCHS_QUENCHES,
    validation_data=(records.x_validation, records.y_validation),
    verbose=2,
)
voltage = 10 * records.x_test[:, :, 0]
judges = {
    "limit: likelihood ratio": series.quench_evidence(voltage),
    "network": watch.predict(records.x_test, batch_size=1000, verbose=0)[:, 0],
    "baseline: spikes in 60 s": (voltage[:, -150:] > 3.5).sum(axis=1),
}
areas = {name: metrics.area_under_roc(score, quench) for name, score in judges.items()}
for name, (area, error) in areas.items():
    print(f"{name:26s} AUC {area:.4f} +- {error:.4f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4))
lead = records.extra_test["time_to_quench"][:, -1]
edges = np.linspace(2, 40, 8)
for name, score in judges.items():
    quiet, loud = np.sort(score[~quench]), score[quench]
    thresholds = np.unique(score)[::-1]
    style = "--" if name != "network" else "-"
    false = (quiet[:, np.newaxis] >= thresholds[:: max(1, len(thresholds) // 300)]).mean(axis=0)
    true = (loud[:, np.newaxis] >= thresholds[:: max(1, len(thresholds) // 300)]).mean(axis=0)
    axes[0].plot(false, true, style, label=f"{name}, {areas[name][0]:.3f}")
    alarm = loud > np.quantile(quiet, 0.95)
    inside = [
        (lead[quench] >= low) & (lead[quench] < high)
        for low, high in np.stack([edges[:-1], edges[1:]], axis=1)
    ]
    share = np.array([metrics.accuracy_with_error(alarm[chosen]) for chosen in inside])
    axes[1].errorbar((edges[1:] + edges[:-1]) / 2, *share.T, fmt="o" + style, label=name)
axes[0].set(
    xlabel="false alarms (share of quiet magnets)",
    ylabel="quenches foreseen (share)",
    title="ROC curve and AUC",
)
axes[1].set(xlabel="time to the quench (s)", title="foreseen, with at most 5 % of false alarms")
axes[0].legend(fontsize=8)
axes[1].legend(fontsize=8)
figure.suptitle("The network comes close to the limit, and the warning is short")
plotting.show(
    "ROC curves of the likelihood ratio, the network and the count of spikes, the network between the other two; and the share of quenches foreseen, "
    "which falls with the time to the quench.",
    figure,
)

# %% covers="X9.1"
limit = areas["limit: likelihood ratio"]
check.claim("X9.1", areas["network"][0], at_least=0.78, wrong=0.5)
check.claim("X9.1", areas["network"][0] - limit[0], at_most=3 * limit[1], wrong=1 - limit[0])

# %% [markdown]
r"""
## Example 9.2: how a crack grows

The book's example emulates cracks that grow together in a plate, fields of stress and damage step by step, until it breaks. Its simplest relative is one crack in a plate under an alternating load: by Paris' law the half length $a$ grows by
$\mathrm da/\mathrm dN = C\,(\Delta K)^m$ in a load cycle, with $\Delta K = \Delta\sigma\sqrt{\pi a}$ and other constants $C$ and $m$ for each specimen. A network reads twelve measured lengths, with a gauge error of 0.1 mm, and foretells the life.
One cell: data, network, baseline (Paris' law with the mean exponent, fitted) and limit (the posterior mean).
"""

# %%
plates = datasets.load_cracks(seed=check.seed)
centre, scale = plates.y_train.mean(), plates.y_train.std()
keras.utils.set_random_seed(check.seed)
emulator = keras.Sequential([keras.Input((12, 1)), layers.GRU(32), layers.Dense(1)])
rate = keras.optimizers.schedules.CosineDecay(0.01, EPOCHS_CRACKS * -(-len(plates.x_train) // 64))
emulator.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=10)
emulator.fit(
    plates.x_train,
    (plates.y_train - centre) / scale,
    batch_size=64,
    epochs=EPOCHS_CRACKS,
    verbose=0,
)
measured = plates.extra_test["measured"][:, :12]
lives = {
    "limit: posterior mean": series.expected_life(measured) / 1e5,
    "network": emulator.predict(plates.x_test, batch_size=1000, verbose=0)[:, 0] * scale + centre,
    "baseline: Paris' law fitted": series.extrapolated_life(measured) / 1e5,
    "always the mean life": np.full(len(measured), centre),
}
off = {}
for name, life in lives.items():
    value, error = metrics.mean_with_error((life - plates.y_test) ** 2)
    off[name] = np.sqrt(value)
    print(f"{name:28s} RMS error {off[name]:.4f} +- {error / (2 * off[name]):.4f} (100 000 cycles)")
order = np.array_split(
    np.argsort(lives["limit: posterior mean"]), 6
)  # six groups, short lives first
plotting.lines(
    [np.median(lives["limit: posterior mean"][group]) for group in order],
    {
        name: [np.sqrt(np.mean((life - plates.y_test)[group] ** 2)) for group in order]
        for name, life in list(lives.items())[:3]
    },
    dashed=["limit: posterior mean", "baseline: Paris' law fitted"],
    xlabel="expected life (100 000 cycles)",
    ylabel="RMS error of the life (100 000 cycles)",
    title="Twelve measured lengths: nearly as good as can be, at every life",
)

# %% covers="X9.2"
check.claim("X9.2", off["network"] / off["always the mean life"], at_most=0.35, wrong=1.0)
check.claim("X9.2", off["network"] / off["limit: posterior mean"], at_least=0.97, wrong=0.0)

# %% tags=["instructor"]
# Timing: backpropagation through time 25 min, GRU 15, sequence types 15, cells 10, magnets and cracks 15.
# Common mistakes: the gradient by R^T h instead of R, the sum over steps forgotten, 1 - h^2 taken at the wrong step, z turned round.
# Discussion: (1) why can clipping help against exploding gradients but not against vanishing ones? (2) Which of the sequence tasks could run while the data come in?
# (3) The rates of the magnets are invented: what would have to be measured before anyone believes an AUC? (4) The network has seen 8000 quenches, the LHC had 425.
check.quiz("M9.1-q1", 3)

# %% [markdown]
r"""
## Key points

- Backpropagation through time is backpropagation through the unrolled network; gradients of shared weights add up over the steps.
- A gradient over $k$ steps scales as $\rho^k$ with the spectral radius: it dies out or explodes. Gates give the memory a path that is not multiplied by a matrix.
- Conventions differ: the book's $z$ is $1 - z$ in Keras, and `reset_after=True` is not (9.16). Compare numbers before copying weights.
- Input and output may differ in length. Bidirectional networks see the future of a complete sequence; for data that come in live they are no option.
- Fewer gates save parameters and remember as well, on a task as simple as this. A gate has to be open at the start, or there is no gradient that could open it.
- A limit tells how much a warning can be worth at all: of the quenches more than half a minute ahead about half stay unforeseen at 5 % of false alarms, whatever the network.
"""

# %%
check.summary()
