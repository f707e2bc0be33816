# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 4, title: Optimization of network parameters, level: 1, minutes: 90, sections: "4.4-4.6, 4.9", data: [wine], fast: {N_NETWORKS: 2, EPOCHS: 8}}
# ---
# %% [markdown]
r"""
# Optimization of network parameters

**You will**

- write a network with one hidden layer in NumPy, derive its gradients by hand, and prove them right in three independent ways;
- train it on the wines of exercise 3.2, one wine at a time, and find out with an honest error whether it beats linear regression, and why;
- meet Keras on a straight line, where the right answer is known exactly;
- write one-hot encoding, softmax and cross-entropy so that they agree with Keras and do not break where the textbook formula does.

**You need** chapter 3 (layers, linear regression on the wines), the chain rule, and NumPy arrays. **Time:** about 90 minutes. The cells themselves run in half a minute.

**You will see** that a correct gradient is a matter of proof, not of trust, and that "better" needs an error bar.

Preprocessing, initial weights, learning rates, the optimisers from momentum to Adam, and backpropagation through any number of layers stand in `ch04_examples`, with
the book's examples 4.1 to 4.5. The small network that you write here is the one that runs behind the interactive playground of exercise 3.3.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.autodiff import value_and_gradients

check = checks.start("ch04_optimization")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
HIDDEN = 20  # hidden nodes of the network for the wines
EPOCHS = 25
LEARNING_RATE = 0.006  # of the first epoch
N_NETWORKS = 6  # trained from different initial weights

# %% [markdown]
r"""
## Exercise 4.1: a network written by hand

The wines again: eleven numbers from the laboratory, one mark. Chapter 3 fitted one linear node. Now there is a hidden layer with ReLU nodes $\sigma$ between the eleven inputs and the mark:
$$h_m = \sigma(a_m), \qquad a_m = \sum_k W_{mk}\, x_k + b_m, \qquad \hat y = \sum_m W'_m\, h_m + b'. $$

The shapes are those of the book: $W$ (hidden, inputs), $\vec b$ (hidden), $W'$ (hidden, 1), $b'$ (1). (Mind the numbers: what the book calls exercise 4.1 was notebook 4.2 on its own page.)

**Inputs first.** Sulphur dioxide comes in hundreds, density in thousandths. With inputs as they are, a learning rate that is right for the one is wrong by powers of ten for the other, and the
official solution creeps along with $\alpha = 5\cdot10^{-5}$. So each input is brought to mean 0 and width 1 (4.2). The means and widths are those of the *training* wines; the test wines get the same
treatment but have no say in it.
"""

# %%
data = datasets.load_wine(seed=check.seed)
mean, width = data.x_train.mean(axis=0), data.x_train.std(axis=0)
x_train, x_validation, x_test = (
    (x - mean) / width for x in (data.x_train, data.x_validation, data.x_test)
)
y_train, y_validation, y_test = data.y_train, data.y_validation, data.y_test
n_inputs = x_train.shape[1]

# %% [markdown]
r"""
### The forward pass

**Your task.** Return the predictions of the network for a table of events, without a loop. Each row of `x` is an event. The output is a regression, so it stays linear, and the answer has one number an event:
the shape $(n,)$, not $(n, 1)$.
"""


# %% task="4.1a" points=2 covers="E4.1/1"
def forward(parameters, x):
    """Predictions of a network with one hidden ReLU layer and one linear output.

    parameters: the arrays W (hidden, inputs), b (hidden,), W' (hidden, 1), b' (1,); x: (n, inputs).
    Returns an array (n,).
    """
    ### BEGIN SOLUTION
    w, b, w_out, b_out = parameters
    hidden = np.maximum(x @ w.T + b, 0.0)
    return (hidden @ w_out + b_out)[:, 0]
    ### END SOLUTION


# %% check="4.1a"
check("4.1a", forward)

# %% [markdown]
r"""
Initial weights: random, so that no two nodes are alike, with the variance $2/n_\mathrm{in}$ for the ReLU layer (4.9); biases zero. One bias we know better: before anything is learnt, the best guess is the mean mark.
"""

# %%
forward = check.catch_up("4.1a", forward)


def initial_parameters(seed):
    """Random weights, zero biases; the output starts at the mean mark of the training wines."""
    random = np.random.default_rng(seed)
    w = random.normal(size=(HIDDEN, n_inputs)) * np.sqrt(2 / n_inputs)
    w_out = random.normal(size=(HIDDEN, 1)) / np.sqrt(HIDDEN)
    return w, np.zeros(HIDDEN), w_out, np.array([y_train.mean()])


untrained = forward(initial_parameters(check.seed), x_validation)
print(
    f"before training: mean squared error {np.mean((untrained - y_validation) ** 2):.2f} marks^2, "
    f"for the mean mark {np.mean((y_train.mean() - y_validation) ** 2):.2f}"
)

# %% [markdown]
r"""
### The gradients for one event

The loss of one event is $L = (\hat y - y)^2$. Walk backwards through the network, one factor of the chain rule a step (4.29):
$$\frac{\partial L}{\partial \hat y} = 2(\hat y - y), \qquad
\frac{\partial L}{\partial b'} = \frac{\partial L}{\partial \hat y}, \qquad
\frac{\partial L}{\partial W'_m} = \frac{\partial L}{\partial \hat y}\, h_m .$$
The hidden node $m$ is reached through its weight $W'_m$, and only if it is switched on:
$$\frac{\partial L}{\partial b_m} = \frac{\partial L}{\partial a_m} = \frac{\partial L}{\partial \hat y}\, W'_m\, \theta(a_m), \qquad
\frac{\partial L}{\partial W_{mk}} = \frac{\partial L}{\partial a_m}\, x_k .$$

*A misprint to know.* The hint of the official notebook writes the last formula with its two indices mixed up: $W_{km}$ on the left with $W'_m$ and $x_k$ on the right, and a step function of both. The row of $W$ is
the hidden node $m$, the column the input $k$; the code beside the hint has it right.

**Your task.** Return the four gradients for *one* event, in the order and with the shapes of the parameters.
"""


# %% task="4.1b" points=3 covers="E4.1/2"
def gradients(parameters, x, y):
    """Gradients of the squared error (prediction - y)^2 of one event by the four parameters.

    parameters: the arrays W (hidden, inputs), b (hidden,), W' (hidden, 1), b' (1,); x: (inputs,); y: a number.
    Returns a tuple of four arrays with these shapes.
    """
    ### BEGIN SOLUTION
    w, b, w_out, b_out = parameters
    a = w @ x + b
    h = np.maximum(a, 0.0)
    slope = 2.0 * (h @ w_out + b_out - y)  # (1,)
    slope_a = slope * w_out[:, 0] * (a > 0)  # (hidden,)
    return slope_a[:, np.newaxis] * x, slope_a, h[:, np.newaxis] * slope, slope
    ### END SOLUTION


# %% check="4.1b"
check("4.1b", gradients)

# %% [markdown]
r"""
### Three witnesses

Gradients are the one place in a network where an error does not crash anything. It trains, only worse, and nobody notices. So compare with something that does not share your derivation.

1. **Finite differences**, in double precision: change one parameter by $\pm\varepsilon$, and $\left[L(\theta+\varepsilon) - L(\theta-\varepsilon)\right]/2\varepsilon$ is the derivative up to $\varepsilon^2$. Slow (two forward passes for each
   parameter), but it needs nothing except the forward pass.
2. **Automatic differentiation.** TensorFlow writes down every operation on a *tape* and applies the chain rule backwards along it. This is the one place of the course where the tape itself is shown.
3. The library call of this course, `value_and_gradients`, which hides the tape and is what all later chapters use. It runs here in single precision, as networks do.
"""

# %%
gradients = check.catch_up("4.1b", gradients)
parameters = initial_parameters(check.seed)
x, y = x_train[0], y_train[0]
by_hand = gradients(parameters, x, y)


def finite_differences(parameters, x, y, step=1e-6):
    """Derivative of the squared error by every parameter, from two forward passes for each."""
    slopes = []
    for array in parameters:
        slope = np.empty_like(array)
        for index, value in np.ndenumerate(array):
            losses = []
            for moved in (value + step, value - step):
                array[index] = moved
                losses.append((forward(parameters, x[np.newaxis])[0] - y) ** 2)
            array[index] = value
            slope[index] = (losses[0] - losses[1]) / (2 * step)
        slopes.append(slope)
    return slopes


by_differences = finite_differences(initial_parameters(check.seed), x, y)

# %%
# the tape itself, here for once: operations on the variables inside `with` are recorded
import tensorflow as tf

variables = [tf.Variable(p) for p in parameters]  # float64
with tf.GradientTape() as tape:
    w, b, w_out, b_out = variables
    hidden = tf.nn.relu(tf.linalg.matvec(w, tf.constant(x)) + b)
    prediction = tf.reduce_sum(hidden * w_out[:, 0]) + b_out[0]
    loss = (prediction - y) ** 2
by_tape = [slope.numpy() for slope in tape.gradient(loss, variables)]

# %%
# the same with Keras layers and the library call
model = keras.Sequential(
    [keras.Input((n_inputs,)), layers.Dense(HIDDEN, activation="relu"), layers.Dense(1)]
)
model.set_weights([parameters[0].T, *parameters[1:]])  # Keras stores (inputs, nodes)
one_event = ops.convert_to_tensor(x[np.newaxis], "float32")
_, slopes = value_and_gradients(
    lambda: ops.mean((model(one_event)[:, 0] - y) ** 2), model.trainable_variables
)
by_keras = [np.asarray(slope) for slope in slopes]
by_keras[0] = by_keras[0].T

# %% [markdown]
r"""
How close is close enough? A difference means nothing without a scale, so take the norm of the difference over the norm of the gradient, for all 261 numbers together.
"""


# %%
def relative_difference(first, second):
    """Norm of the difference of two gradients over the norm of the second, all parameters in one vector."""
    one, two = (np.concatenate([np.ravel(slope) for slope in slopes]) for slopes in (first, second))
    return np.linalg.norm(one - two) / np.linalg.norm(two)


no_step_function = [2.0 * (forward(parameters, x[np.newaxis])[0] - y) * parameters[2][:, 0]]
forgotten = [no_step_function[0][:, np.newaxis] * x, no_step_function[0], *by_hand[2:]]
for name, other in [
    ("finite differences, double precision", by_differences),
    ("tf.GradientTape, double precision", by_tape),
    ("Keras layers, single precision", by_keras),
]:
    print(f"{name:38s} relative difference {relative_difference(by_hand, other):.1e}")
print(
    f"with the step function forgotten       relative difference {relative_difference(forgotten, by_tape):.1e}"
)

check.claim(
    "E4.1/2",
    relative_difference(by_hand, by_tape),
    at_most=1e-12,
    wrong=relative_difference(forgotten, by_tape),
)
check.claim(
    "E4.1/2",
    relative_difference(by_hand, by_keras),
    at_most=1e-5,
    wrong=relative_difference(forgotten, by_keras),
)
check.claim(
    "E4.1/2",
    relative_difference(by_hand, by_differences),
    at_most=1e-5,
    wrong=relative_difference(forgotten, by_differences),
)

# %%
check.quiz("4.1-q1")

# %% [markdown]
r"""
### One step

**Your task.** Change all parameters by one step of gradient descent,
$$W_{t+1} = W_t - \alpha\,\frac{\partial L}{\partial W}, \qquad b_{t+1} = b_t - \alpha\,\frac{\partial L}{\partial b}, \tag{4.36, 4.37}$$
and return the new ones. All four gradients belong to the *old* parameters, and the old arrays stay as they are.
"""


# %% task="4.1c" points=1 covers="E4.1/2"
def update(parameters, x, y, learning_rate):
    """The four parameters after one step of gradient descent with the event x (inputs,), y (a number)."""
    ### BEGIN SOLUTION
    slopes = gradients(parameters, x, y)
    return tuple(p - learning_rate * g for p, g in zip(parameters, slopes, strict=True))
    ### END SOLUTION


# %% check="4.1c"
check("4.1c", update)

# %% [markdown]
r"""
### The training loop

One *epoch* uses every wine once, in a random order that is new each time; here a step follows each single wine ($k = 1$). Such steps are noisy. A rate that is large enough to get somewhere keeps the weights jittering
around the minimum, so the rate has to fall: `learning_rates` holds one for each epoch.

**Your task.** Write the loop. Return the trained parameters and, for each epoch, the mean squared error over all of `x`, `y` at its end.
"""

# %%
update = check.catch_up("4.1c", update)


# %% task="4.1d" points=2 covers="E4.1/3"
def train(parameters, x, y, learning_rates, seed):
    """Stochastic gradient descent, one event a step, one epoch for each learning rate.

    x: (n, inputs); y: (n,); learning_rates: (epochs,); seed of the order of the events.
    Returns the trained parameters (a tuple) and an array (epochs,), the mean squared error after each epoch.
    """
    ### BEGIN SOLUTION
    random = np.random.default_rng(seed)
    errors = []
    for rate in learning_rates:
        for event in random.permutation(len(x)):
            parameters = update(parameters, x[event], y[event], rate)
        errors.append(np.mean((forward(parameters, x) - y) ** 2))
    return parameters, np.array(errors)
    ### END SOLUTION


# %% check="4.1d"
check("4.1d", train)

# %% [markdown]
r"""
**Predict.** Linear regression explains a bit more than a quarter of the variance of the marks: its mean squared error on the test wines is printed below, together with that of the mean mark. What will the network reach?
Replace `None` by your guess.
"""

# %%
train = check.catch_up("4.1d", train)


def with_ones(x):
    """One more input that is always 1, for the bias of the linear regression (exercise 3.2)."""
    return np.column_stack([x, np.ones(len(x))])


linear = np.linalg.lstsq(with_ones(x_train), y_train, rcond=None)[0]
by_line = with_ones(x_test) @ linear
line_error, line_spread = metrics.mean_with_error((by_line - y_test) ** 2)
print(f"baseline, linear regression: {line_error:.3f} +- {line_spread:.3f} marks^2")
print(f"baseline, the mean mark:     {np.mean((y_train.mean() - y_test) ** 2):.3f} marks^2")

# %%
check.predict(
    "4.1-error", None, question="Mean squared error of the network on the test wines, in marks^2?"
)

# %% [markdown]
r"""
The cell trains six networks that differ in their initial weights and in the order of the wines. After each epoch it looks at the *validation* wines; the test wines are left alone until the end.
"""

# %%
rates = LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * np.arange(EPOCHS) / EPOCHS))  # falls to zero
networks, training_error, validation_error = [], [], []
for number in range(N_NETWORKS):
    parameters = initial_parameters(check.seed + number)
    curves = []
    for epoch, rate in enumerate(rates):
        parameters, errors = train(parameters, x_train, y_train, [rate], 1000 * number + epoch)
        curves.append((errors[0], np.mean((forward(parameters, x_validation) - y_validation) ** 2)))
    networks.append(parameters)
    training_error.append([error for error, _ in curves])
    validation_error.append([error for _, error in curves])

line_on_validation = np.mean((with_ones(x_validation) @ linear - y_validation) ** 2)
figure, axis = plt.subplots(figsize=(7, 4.2))
epochs = np.arange(1, EPOCHS + 1)
for values, colour, style, name in [
    (
        training_error,
        plotting.COLOURS[0],
        "-",
        f"training wines (mean and band of {N_NETWORKS} networks)",
    ),
    (validation_error, plotting.COLOURS[1], "--", "validation wines"),
]:
    values = np.array(values)
    axis.plot(epochs, values.mean(axis=0), style, color=colour, label=name)
    axis.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.25)
axis.axhline(
    line_on_validation,
    color=plotting.INK,
    ls=":",
    label="baseline: linear regression, validation wines",
)
axis.set(
    xlabel="epoch",
    ylabel="mean squared error (marks$^2$)",
    title="Within a few epochs the network is below the baseline",
)
axis.legend()
plotting.show(
    "Mean squared error against epoch, falling for training and validation wines; the baseline of linear regression "
    "is a dotted line that the network crosses early.",
    figure,
)

# %% [markdown]
r"""
### Does it beat linear regression?

The official solution reaches 0.61 with a correlation of 0.48. Linear regression on the same table has 0.58 and 0.52, so the network had lost, and the notebook does not say so: nobody had put the two numbers side by side.

Is a difference real? Both models are tested on the same 1898 wines, and a wine that the tasters marked oddly is missed by both. So do not compare two errors; average the difference. With
$d_i = (\hat y^{(1)}_i - y_i)^2 - (\hat y^{(2)}_i - y_i)^2$ the difference of the mean squared errors is $\langle d\rangle$, and its standard error is the standard deviation of $d$ over $\sqrt n$.

**Your task.** Return both.
"""


# %% task="4.1e" points=1 covers="E4.1/3"
def compare_errors(truth, first, second):
    """Mean squared error of the first prediction minus that of the second, and the standard error of this difference.

    truth, first, second: (n,). Returns two numbers.
    """
    ### BEGIN SOLUTION
    d = (first - truth) ** 2 - (second - truth) ** 2
    return d.mean(), d.std() / np.sqrt(len(d))
    ### END SOLUTION


# %% check="4.1e"
check("4.1e", compare_errors)

# %%
compare_errors = check.catch_up("4.1e", compare_errors)
predictions = [forward(parameters, x_test) for parameters in networks]
errors = np.array([np.mean((prediction - y_test) ** 2) for prediction in predictions])
correlations = np.array([np.corrcoef(prediction, y_test)[0, 1] for prediction in predictions])
by_line_correlation = np.corrcoef(by_line, y_test)[0, 1]
print("                    mean squared error     correlation")
print(
    f"network, mean of {N_NETWORKS}   {errors.mean():.3f}                  {correlations.mean():.3f}"
)
print(
    f"   spread           {errors.std(ddof=1):.3f}                  {correlations.std(ddof=1):.3f}"
)
print(f"linear regression   {line_error:.3f}                  {by_line_correlation:.3f}")
print("network minus linear regression, in marks^2:")
for prediction in predictions:
    difference, uncertainty = compare_errors(y_test, prediction, by_line)
    sigmas = difference / uncertainty
    print(f"   {difference:+.3f} +- {uncertainty:.3f}, {sigmas:+.1f} standard errors")
check.confront("4.1-error", errors.mean(), unit="marks^2")

# %%
correlation, correlation_error = metrics.correlation_with_error(predictions[0], y_test)
plotting.prediction_scatter(
    y_test,
    predictions[0],
    quantity="quality",
    unit="marks",
    title=f"Still too close to the mean: $r = {correlation:.3f} \\pm {correlation_error:.3f}$",
)

# %% [markdown]
r"""
**A fair test?** Chapter 3 found a flaw of the real table: 19 % of its rows are exact copies of others, so that some test wines were seen in training. A model that can remember gains from that. So once more, on those test wines only that have no twin among the training wines. (The stand-in table has no twins.)
"""

# %%
seen = {row.tobytes() for row in np.column_stack([data.x_train, y_train])}
new = np.array([row.tobytes() not in seen for row in np.column_stack([data.x_test, y_test])])
for name, wines in [("all test wines", slice(None)), ("without a twin", new)]:
    pairs = [compare_errors(y_test[wines], p[wines], by_line[wines]) for p in predictions]
    difference, uncertainty = np.mean(pairs, axis=0)
    print(
        f"{name:16s} ({len(y_test[wines])}): mean difference {difference:+.3f} +- {uncertainty:.3f}"
    )

# %% [markdown] tags=["answer"]
r"""
**What the comparison says.** With standardised inputs and a falling learning rate the network wins. On the stand-in table it does so by about six standard errors of the paired difference, from every one of the initial weights; the two errors compared separately (0.017 each) would show much less. But the bends of
that table were invented, so only the method can be learnt from it.

On the real table, over twelve random divisions, the mean squared error is 0.517 for the network and 0.575 for linear regression: a gain of 0.058, which varies by 0.023 from division to division. On the wines without a twin the gain is 0.030, varying by 0.025. So about half of the success was memory: the network
is better by 0.16 on wines it has seen. What is left is a real but small gain, which a single division and a single network, with an error of about 0.016, can hardly prove. (The linear fit has twelve numbers and remembers nothing.)

Last caution: the number of nodes, of epochs and the rate were chosen by looking at validation wines. Had we chosen them on the test wines, the difference would be flattered.
"""

# %% tags=["instructor"]
# Timing: (a) 10 min, (b) 20, witnesses 5, (c) 5, (d) 10, (e) 10; exercise 4.2 10, exercise 4.3 20.
# Common mistakes: factor 2 lost, theta forgotten, W updated with the new W', rows and columns of W exchanged (invisible where hidden = inputs).
# Discussion: why do finite differences get worse for a step of 1e-10? (rounding: 1e-16 / 1e-10.) And for 0.1? (a kink of a ReLU in between.)
# The official run, repeated without a seed, gives 0.61 to 0.67: its spread alone is larger than most differences in the tables of this chapter.
for question, answer in [("4.1-q1", 2), ("4.2-q1", 3), ("4.3-q1", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Exercise 4.2: a straight line in Keras

Before a library is trusted with a million weights, let it fit two. The data: $y = 2x + 0.3\,\mathcal N(0, 1)$ at a hundred places between $-1$ and 1. The network: one node, no activation, $\hat y = w x + b$. The least-squares answer is known exactly.

**Your task.** Build this network as a Keras model, not compiled: one input, one output. (An `Input` and one layer.)
"""

# %%
random = np.random.default_rng(check.seed)
x_line = np.linspace(-1, 1, 100)[:, np.newaxis]
y_line = 2 * x_line[:, 0] + 0.3 * random.normal(size=100)


# %% task="4.2a" points=1 covers="E4.2"
def line_model():
    """A Keras model with one input and one linear output, w x + b."""
    ### BEGIN SOLUTION
    return keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    ### END SOLUTION


# %% check="4.2a"
check("4.2a", line_model)

# %% [markdown]
r"""
**Your task.** Train it yourself, without `fit`: in each step the mean squared error over all points (4.11), its gradients from `value_and_gradients(loss, model.trainable_variables)`, and (4.36) for every variable;
`variable.assign_sub(change)` subtracts. `loss` is a function without arguments that calls the model and uses `ops.mean`. Return the model and the list of the losses before each step.

*A trap.* `model(x)` has the shape $(n, 1)$, `y` has $(n,)$. NumPy and Keras both subtract these without complaint, and the result is a matrix $(n, n)$ of all predictions minus all targets. Its mean square has a minimum too: a flat line.
"""

# %%
line_model = check.catch_up("4.2a", line_model)


# %% task="4.2b" points=2 covers="E4.2"
def descend(model, x, y, learning_rate, steps):
    """Gradient descent with all points in each step.

    model: Keras model from (n, 1) to (n, 1), trained in place; x: (n, 1); y: (n,).
    Returns the model and a list of ``steps`` numbers, the mean squared error before each step.
    """
    ### BEGIN SOLUTION
    x = ops.convert_to_tensor(x, "float32")
    target = ops.convert_to_tensor(y, "float32")
    losses = []
    for _ in range(steps):
        loss, slopes = value_and_gradients(
            lambda: ops.mean((model(x)[:, 0] - target) ** 2), model.trainable_variables
        )
        for variable, slope in zip(model.trainable_variables, slopes, strict=True):
            variable.assign_sub(learning_rate * slope)
        losses.append(float(loss))
    return model, losses
    ### END SOLUTION


# %% check="4.2b"
check("4.2b", descend)

# %% [markdown]
r"""
Least squares gives $w = \langle (x - \bar x)(y - \bar y)\rangle / \langle (x - \bar x)^2\rangle$ and $b = \bar y - w \bar x$. For descent on a parabola even the way there is known: the distance of $w$ from its final value shrinks in each step by the factor
$1 - 2\alpha\langle x^2\rangle$ (here $\bar x = 0$), so the loss above its minimum shrinks by the square of it.
"""

# %%
descend = check.catch_up("4.2b", descend)
STEPS, RATE = 80, 0.1
keras.utils.set_random_seed(check.seed)
line = line_model()
weight_before = line.get_weights()[0].item()
line, losses = descend(line, x_line, y_line, RATE, STEPS)
weight, bias = (array.item() for array in line.get_weights())

centred = x_line[:, 0] - x_line.mean()
best_weight = (centred * (y_line - y_line.mean())).mean() / (centred**2).mean()
best_bias = y_line.mean() - best_weight * x_line.mean()
residual = y_line - best_weight * x_line[:, 0] - best_bias
weight_error = np.sqrt((residual**2).sum() / 98 / (centred**2).sum())
lowest = np.mean(residual**2)
print("                    w          b")
print(f"gradient descent  {weight:.4f}    {bias:+.4f}")
print(
    f"least squares     {best_weight:.4f}    {best_bias:+.4f}   (statistical error of w: {weight_error:.3f})"
)
print("true line         2.0000    +0.0000")

# %%
keras.utils.set_random_seed(check.seed)
by_fit = line_model()  # what the loop was, in two lines of Keras
by_fit.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse")
record = by_fit.fit(x_line, y_line, batch_size=100, epochs=STEPS, verbose=0)
fitted_weight, fitted_bias = (array.item() for array in by_fit.get_weights())

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
left.plot(x_line, y_line, "o", ms=4, alpha=0.6, label="data")
left.plot(
    x_line,
    best_weight * x_line + best_bias,
    color=plotting.INK,
    lw=4,
    alpha=0.3,
    label="least squares (limit)",
)
left.plot(x_line, weight * x_line + bias, "--", label="gradient descent")
left.set(xlabel="$x$", ylabel="$y$", title="The same line")
left.legend()
expected = (weight_before - best_weight) ** 2 * np.mean(centred**2)
expected = expected * (1 - 2 * RATE * np.mean(centred**2)) ** (2 * np.arange(STEPS))
right.semilogy(np.array(losses) - lowest, label="own loop")
right.semilogy(np.array(record.history["loss"]) - lowest, "--", label="compile and fit")
right.semilogy(expected, color=plotting.INK, lw=4, alpha=0.3, label="theory (the part of $w$)")
right.set(
    xlabel="step",
    ylabel="loss above its minimum",
    title=r"Each step takes off the same factor",
)
right.legend()
plotting.show(
    "Left: a hundred points and two lines that lie on one another. Right: loss above its minimum against step on a logarithmic axis, "
    "a falling straight line, the same for the own loop, for fit, and in theory.",
    figure,
)

# %%
# 0 is the weight to which the trap leads
check.claim("E4.2", weight / best_weight, 1.0, tolerance=0.01, wrong=0.0)
check.claim("E4.2", bias, best_bias, tolerance=0.01, wrong=best_bias + 0.1)
check.claim("E4.2", [weight, bias], [fitted_weight, fitted_bias], tolerance=1e-4, wrong=[0.0, 0.0])

# %% [markdown]
r"""
**A layer of one's own.** The official notebook asks for the node as a Keras layer and keeps its weight in a backend variable. Keras 3 does not see such a weight: the layer works, nothing is trained, and no error is raised. Weights are made with `self.add_weight`. Whenever something does not learn,
count the trainable weights first.
"""


# %%
class Line(layers.Layer):
    """w x with one weight that Keras knows of."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 1), initializer="zeros")

    def call(self, x):
        return x @ self.w


class SleepingLine(layers.Layer):
    """w x with one weight that Keras does not know of."""

    def build(self, shape):
        self.w = ops.zeros((shape[-1], 1))

    def call(self, x):
        return x @ self.w


for kind in (Line, SleepingLine):
    layer = kind()
    layer(x_line.astype("float32"))
    print(f"{kind.__name__:13s} trainable weights: {len(layer.trainable_weights)}")

# %%
check.quiz("4.2-q1")

# %% [markdown]
r"""
## Exercise 4.3: from outputs to classes

A network for $m$ classes ends in $m$ numbers $\vec z$. Softmax makes probabilities $\vec q$ of them, cross-entropy compares these with the truth $\vec p$, and the largest one is the predicted class. Four events and three classes serve as the example
(the numbers of the official notebook); the truth is class 0, 0, 2, 1.
"""

# %%
labels = np.array([0, 0, 2, 1])
z = np.array([[4.0, 5.0, 1.0], [-1.0, -2.0, -3.0], [0.1, 0.2, 0.3], [-1.0, 17.0, 1.0]])

# %% [markdown]
r"""
### One-hot encoding

Class numbers are names, not quantities: class 2 is not twice class 1. So the truth becomes a vector (4.19) with a 1 at the place of its class and 0 elsewhere.

**Your task.** Encode any number of labels. The number of classes is given, since the largest class need not occur in every batch. (The official solution has the number of events built in, 4, and fails for five.)
"""


# %% task="4.3a" points=1 covers="E4.3/1"
def one_hot(labels, classes):
    """One-hot vectors of class labels.

    labels: (n,), whole numbers from 0 to classes - 1. Returns an array (n, classes) of floating-point numbers 0 and 1.
    """
    ### BEGIN SOLUTION
    return (labels[:, np.newaxis] == np.arange(classes)).astype(float)
    ### END SOLUTION


# %% check="4.3a"
check("4.3a", one_hot)

# %% [markdown]
r"""
### Softmax

$$q_j = \frac{e^{z_j}}{\sum_l e^{z_l}} \tag{4.18}$$
The exponential makes everything positive, the sum makes it add up to 1. What counts are differences: adding a constant $c$ to all $z_j$ of an event multiplies numerator and denominator by $e^c$. This is not only pretty. $e^{z}$ overflows for $z > 709$ in double
precision (89 in single), and a network may well say 1000. Shift each event so that its largest $z$ is 0, and no exponential exceeds 1.

**Your task.** Write the softmax over the last axis, event by event, so that it works for any finite $z$.
"""


# %% task="4.3b" points=2 covers="E4.3/2"
def softmax(z):
    """Softmax (4.18) of each row of z (n, classes). Returns an array (n, classes); each row adds up to 1."""
    ### BEGIN SOLUTION
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %% check="4.3b"
check("4.3b", softmax)

# %% [markdown]
r"""
### Cross-entropy

$$L = -\frac1k \sum_{i=1}^{k} \sum_{j=1}^{m} p_{ij} \log q_{ij} \tag{4.15}$$
with the natural logarithm. For one-hot $p$ only one term of the inner sum is left: minus the logarithm of the probability that the network gives to the true class. (The formula of the official notebook has the sum over $i$ without $1/k$; its code takes the mean.)

A probability can underflow to 0. If that happens to a wrong class, nothing is wrong; but $0\cdot\log 0$ is NaN on a computer. If it happens to the true class, the loss is infinite and the training over. Keras therefore counts every probability below $10^{-7}$ as $10^{-7}$.

**Your task.** Return the cross-entropy (4.15) of a batch, with this floor.
"""


# %% task="4.3c" points=2 covers="E4.3/3"
def cross_entropy(p, q):
    """Cross-entropy (4.15) of true probabilities p (n, classes) and predicted ones q (n, classes), mean over the events.

    Entries of q below 1e-7 count as 1e-7. Returns a number.
    """
    ### BEGIN SOLUTION
    logarithms = np.log(np.maximum(q, 1e-7))
    return -(p * logarithms).sum(axis=1).mean()
    ### END SOLUTION


# %% check="4.3c"
check("4.3c", cross_entropy)

# %% [markdown]
r"""
### Predicted classes

**Your task.** Return the predicted class of each event, and the accuracy: the fraction of events whose class is right.
"""


# %% task="4.3d" points=1 covers="E4.3/4"
def predicted_classes(q, labels):
    """Predicted classes and accuracy.

    q: (n, classes), probabilities; labels: (n,), the true classes. Returns an array (n,) of whole numbers, and a number.
    """
    ### BEGIN SOLUTION
    found = q.argmax(axis=1)
    return found, np.mean(found == labels)
    ### END SOLUTION


# %% check="4.3d"
check("4.3d", predicted_classes)

# %%
one_hot = check.catch_up("4.3a", one_hot)
softmax = check.catch_up("4.3b", softmax)
cross_entropy = check.catch_up("4.3c", cross_entropy)
predicted_classes = check.catch_up("4.3d", predicted_classes)

p, q = one_hot(labels, 3), softmax(z)
found, accuracy = predicted_classes(q, labels)
each = -np.log(q[np.arange(4), labels])
print(f"predicted classes {found}, truth {labels}")
print(f"cross-entropy {cross_entropy(p, q):.6f}, accuracy {accuracy:.2f}")

figure, axis = plt.subplots(figsize=(7.5, 3.6))
for j in range(3):
    axis.bar(
        np.arange(4) + 0.25 * (j - 1), q[:, j], 0.22, label=f"class {j}", hatch=["", "//", ".."][j]
    )
axis.plot(
    np.arange(4) + 0.25 * (labels - 1),
    q[np.arange(4), labels] + 0.04,
    "v",
    color=plotting.INK,
    label="true class",
)
axis.set(
    xticks=np.arange(4),
    xticklabels=[f"event {i}\n$L = {value:.3f}$" for i, value in enumerate(each)],
    ylabel="probability $q_j$",
    ylim=(0, 1.2),
    title="Barely right costs nearly as much as wrong",
)
axis.legend(ncol=4, loc="upper left")
plotting.show(
    "Bars of three probabilities for each of four events, the true class marked. Event 0 is wrong with loss 1.33, "
    "event 2 is right with loss 1.00, events 1 and 3 have small losses.",
    figure,
)

# %% [markdown]
r"""
Events 0 and 2 show why networks are trained on the cross-entropy and not on the accuracy: one is classified wrongly, the other rightly, and their losses are almost the same, since both are guesses. The accuracy jumps; the loss has a slope that says in which direction to go.

Now the comparison with Keras, on many random events and on extreme outputs.
"""

# %%
random = np.random.default_rng(check.seed)
many = random.normal(size=(5000, 4)) * random.choice([0.1, 1.0, 10.0, 300.0], size=(5000, 1))
classes = random.integers(0, 4, 5000)
truth = one_hot(classes, 4)
keras_q = np.asarray(ops.softmax(ops.convert_to_tensor(many)))
keras_loss = np.asarray(ops.categorical_crossentropy(truth, keras_q)).mean()
differences = {
    "one-hot": np.abs(truth - np.asarray(ops.one_hot(classes, 4))).max(),
    "softmax": np.abs(softmax(many) - keras_q).max(),
    "cross-entropy": abs(cross_entropy(truth, softmax(many)) / keras_loss - 1),
    "classes": np.abs(predicted_classes(softmax(many), classes)[0] - keras_q.argmax(axis=1)).max(),
}
for name, difference in differences.items():
    print(f"{name:14s} largest difference to Keras {difference:.1e}")
with np.errstate(all="ignore"):
    powers = np.exp(z + 1000)  # the formula as printed, for outputs that are larger by 1000
    printed = powers / powers.sum(axis=1, keepdims=True)
shift = np.abs(softmax(z + 1000) - q).max()
print(
    f"all outputs larger by 1000: softmax changes by {shift:.1e}; the formula as printed gives {printed[0, 0]}"
)

# %%
check.claim("E4.3/1", differences["one-hot"], at_most=1e-6, wrong=1.0)
sign_lost = np.abs(softmax(-many) - keras_q).max()
check.claim("E4.3/2", differences["softmax"], at_most=1e-6, wrong=sign_lost)
check.claim("E4.3/2", shift, at_most=1e-6, wrong=np.abs(printed - q).max())
check.claim("E4.3/3", differences["cross-entropy"], at_most=1e-6, wrong=abs(1 / np.log(10) - 1))
check.claim(
    "E4.3/3", cross_entropy(p, q), 0.684028, tolerance=1e-6, wrong=4 * cross_entropy(p, q)
)  # the sum
check.claim("E4.3/4", accuracy, 0.75, wrong=3)

# %%
check.quiz("4.3-q1")

# %% [markdown]
r"""
## Key points

- A network is trained by its gradients: check them against finite differences or a tape before you believe anything else.
- Standardise inputs with the numbers of the training set; then one learning rate fits all weights.
- One event a step is noisy: let the learning rate fall.
- Two models are compared on the same events, with the error of the difference, beside a baseline, on data that neither has seen.
- `(n, 1)` minus `(n,)` is a matrix. Count trainable weights. Shift before you exponentiate, and put a floor under a logarithm.
"""

# %%
check.summary()
