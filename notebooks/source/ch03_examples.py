# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 3, title: "Building blocks: a car, an earthquake, any function", level: 1, minutes: 50, sections: "3.3-3.4", data: [earthquakes], fast: {EPOCHS: 20, STEPS: 500}}
# ---
# %% [markdown]
r"""
# A car, an earthquake, and any function at all

**You will**

- let a network find the velocity of a car, see it fail outside its training range, and cure that with a logarithm;
- build one network for two questions about an earthquake: when will the wave arrive, and where did it start?
- put the universal approximation theorem to the test: what a network *can* represent against what training finds.

**You need** `ch03_building_blocks`: layers, activations, linear regression. **Time:** about 50 minutes. The cells themselves take about half a minute.

**You will see** an error of a hundred percent behind an error of one percent, and a network built by hand that training cannot match.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.simulators import earthquakes

check = checks.start("ch03_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_CARS = 4000  # trips to learn from
EPOCHS = 40  # of the networks for cars and earthquakes
STEPS = 2000  # updates of the networks that learn an oscillation
WIDTHS = (2, 4, 8, 16, 32, 64)  # nodes in their hidden layer
COPIES = 5  # networks of each width, with different starts

# %% [markdown]
r"""
## Example 3.1: the velocity of a car

Two inputs, the distance $s$ on the odometer and the time $t$; one output, the velocity $v = s/t$. We know the answer, which makes it a good test: can a network made of weighted sums and
ReLUs learn to *divide*? The odometer is read with an error of 1 %, so 1 % is what is possible.

The trips of the training set last between half an hour and two hours. A second test set has trips of four to eight hours: the same physics, other numbers.
"""

# %%
random = np.random.default_rng(check.seed)


def trips(n, shortest, longest):
    """Distance (km, read to 1 %) and time (h) as an array (n, 2), and the true velocity (n,) in km/h."""
    velocity = random.uniform(20, 130, n)
    time = random.uniform(shortest, longest, n)
    distance = velocity * time * (1 + 0.01 * random.normal(size=n))
    return np.column_stack([distance, time]), velocity


def relative_error(prediction, velocity):
    """Root mean square of prediction / truth - 1."""
    return np.sqrt(np.mean((prediction / velocity - 1) ** 2))


x_train, v_train = trips(N_CARS, 0.5, 2)
x_same, v_same = trips(2000, 0.5, 2)
x_long, v_long = trips(2000, 4, 8)

# %% [markdown]
r"""
### A network on distance and time

Inputs and target are brought to mean 0 and width 1 before training (chapter 4 says why). Before you run it: by how many percent will the network be wrong on trips that are four times longer?
"""

# %%
check.predict("3.3-long", None, question="Relative error on the long trips, in percent?")


# %%
def train(x, y, outputs, epochs):
    """A network with two hidden layers of 64 ReLU nodes; returns a function from inputs to predictions."""
    mean, width, y_mean, y_width = x.mean(axis=0), x.std(axis=0), y.mean(axis=0), y.std(axis=0)
    model = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(outputs),
        ]
    )
    updates = epochs * (len(x) // 128 + 1)
    slowing_down = keras.optimizers.schedules.CosineDecay(3e-3, updates)
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(slowing_down), steps_per_execution=16)
    model.fit((x - mean) / width, (y - y_mean) / y_width, batch_size=128, epochs=epochs, verbose=0)
    return lambda new: np.asarray(model((new - mean) / width)) * y_width + y_mean


predict_velocity = train(x_train, v_train[:, np.newaxis], 1, EPOCHS)
raw_same = relative_error(predict_velocity(x_same)[:, 0], v_same)
raw_long = relative_error(predict_velocity(x_long)[:, 0], v_long)
print(
    f"network on (s, t): {raw_same:.1%} on trips like those in training, {raw_long:.0%} on long trips"
)
check.confront("3.3-long", 100 * raw_long, unit="%")

# %% [markdown]
r"""
Inside the training range the network is close to the reading error. Outside it continues as its ReLUs happen to point: in straight lines. A ratio is not a straight line.

### Better inputs

With the right variables the task is linear, and one node without any activation solves it, everywhere. Which function of $s$ and $t$ makes
$\log v$ a weighted sum?

**Your task.** Return two inputs, made from distance and time one by one, with which a single linear node can predict $\log v$ exactly.
"""


# %% task="X3.1a" points=2
def car_inputs(distance, time):
    """Two inputs for a linear node that predicts log v.

    distance, time: arrays (n,), both positive. Returns an array (n, 2): the first column a function of the
    distance, the second a function of the time.
    """
    ### BEGIN SOLUTION
    return np.column_stack([np.log(distance), np.log(time)])
    ### END SOLUTION


# %% check="X3.1a"
check("X3.1a", car_inputs)

# %%
car_inputs = check.catch_up("X3.1a", car_inputs)


def with_ones(x):
    """The inputs of the linear node, and a column of ones for its bias."""
    return np.column_stack([car_inputs(x[:, 0], x[:, 1]), np.ones(len(x))])


node = np.linalg.lstsq(with_ones(x_train), np.log(v_train), rcond=None)[0]
log_same = relative_error(np.exp(with_ones(x_same) @ node), v_same)
log_long = relative_error(np.exp(with_ones(x_long) @ node), v_long)
print(f"log v = {node[0]:.4f} log s {node[1]:+.4f} log t {node[2]:+.4f}")
print(
    f"one node on the logarithms: {log_same:.2%} on trips like those in training, {log_long:.2%} on long trips"
)

figure, axis = plt.subplots(figsize=(7, 4.4))
for x, v in [(x_same, v_same), (x_long, v_long)]:
    first = v is v_same
    raw = predict_velocity(x)[:, 0] / v
    logs = np.exp(with_ones(x) @ node) / v
    axis.plot(
        x[:, 1],
        raw,
        ".",
        color=plotting.COLOURS[1],
        markersize=3,
        label="network on $s$, $t$" if first else None,
    )
    axis.plot(
        x[:, 1],
        logs,
        "x",
        color=plotting.COLOURS[0],
        markersize=3,
        label="one node on the logarithms" if first else None,
    )
axis.axvspan(0.5, 2, color=plotting.GREY, alpha=0.2, label="training range")
axis.set(xlabel="time of the trip (h)", ylabel="predicted / true velocity", ylim=(-1, 3))
axis.set_title("Outside its training range the network guesses")
figure.legend(loc="outside lower center", ncol=3, markerscale=3)
plotting.show(
    "Ratio of predicted to true velocity against trip time; only the node on logarithms stays at one for long trips",
    figure,
)

# %% covers="X3.1"
check.claim("X3.1", node[:2], [1.0, -1.0], tolerance=0.01, wrong=[1.0, 1.0])
check.claim("X3.1", log_long, at_most=0.012, wrong=raw_long)
check.claim("X3.1", raw_long / log_long, at_least=5, wrong=raw_same / log_same)

# %% [markdown]
r"""
The network was not bad; it was asked about a place where it had never been. Two remedies recur in this course: put the physics you know into the inputs, and know the range of your training data.

## Example 3.2: an earthquake, asked two questions

An earthquake sends out P waves (7 km/s) and S waves (5 km/s). Four stations register both, so eight times are known. Two networks with the same eight inputs:

- **When does it arrive?** One output: the arrival time of the S wave, which does the damage, at a harbour 25 km east and 5 km south of the centre. No station stands there.
- **Where was it?** Two outputs: the epicentre, $x$ to the east and $y$ to the north.

Neither is told the speeds of the waves or the places of the stations; both have to find them in the examples.

**Your task.** Build the network, for any number of inputs and outputs: two hidden layers of 64 ReLU nodes. Think about the last layer: coordinates may be negative.
"""


# %% task="X3.2a" points=2
def build_network(n_inputs, n_outputs):
    """Regression network: n_inputs - 64 - 64 - n_outputs, not yet compiled."""
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((n_inputs,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(n_outputs),
        ]
    )
    ### END SOLUTION


# %% check="X3.2a"
check("X3.2a", build_network)

# %%
build_network = check.catch_up("X3.2a", build_network)

data = datasets.load_earthquakes(seed=check.seed)
plotting.earthquake_map(
    data.y_train[:2000],
    earthquakes.STATIONS,
    title="Quakes along a plate border, and four stations",
)

# %%
harbour = np.array([[25.0, -5.0]])  # km


def arrival_of_s(epicentres):
    """Arrival time of the S wave at the harbour; (n, 2) km in, (n, 1) s out."""
    return earthquakes.travel_times(epicentres, stations=harbour)[:, :, 1]


def fit(targets):
    """Train a network from the eight times to the targets; returns its predictions for the test quakes."""
    mean, width, y_mean, y_width = (
        data.x_train.mean(0),
        data.x_train.std(0),
        targets.mean(0),
        targets.std(0),
    )
    model = build_network(8, targets.shape[1])
    slowing_down = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * (len(targets) // 256 + 1))
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(slowing_down), steps_per_execution=25)
    model.fit(
        (data.x_train - mean) / width,
        (targets - y_mean) / y_width,
        batch_size=256,
        epochs=EPOCHS,
        verbose=0,
    )
    return np.asarray(model((data.x_test - mean) / width)) * y_width + y_mean


predicted_time = fit(arrival_of_s(data.y_train))
predicted_place = fit(data.y_train)

# %% [markdown]
r"""
Beside each result stands a baseline that costs nothing or little: for the time, the mean of all training quakes; for the place, the textbook method, a least-squares fit of the eight times (*triangulation*) with the known speeds.
The clocks of the stations are wrong by up to 0.2 s, always by the same amount. The textbook does not know that.
"""

# %%
true_time = arrival_of_s(data.y_test)
time_error = np.sqrt(np.mean((predicted_time - true_time) ** 2))
print("arrival of the S wave at the harbour, root mean square error")
print(f"  network                     {time_error:6.3f} s")
print(
    f"  mean of the training quakes {np.sqrt(np.mean((true_time - arrival_of_s(data.y_train).mean()) ** 2)):6.3f} s"
)

distance = np.linalg.norm(predicted_place - data.y_test, axis=1)
textbook = np.linalg.norm(earthquakes.triangulate(data.x_test) - data.y_test, axis=1)
sigma, sigma_error = metrics.rayleigh_sigma(distance)
textbook_sigma, textbook_error = metrics.rayleigh_sigma(textbook)
print("epicentre, width of the distribution of distances (Rayleigh sigma)")
print(f"  network                     {sigma:6.3f} +- {sigma_error:.3f} km")
print(f"  triangulation               {textbook_sigma:6.3f} +- {textbook_error:.3f} km")

figure, axis = plt.subplots(figsize=(6, 3.8))
bins = np.linspace(0, 0.6, 61)
axis.hist(np.clip(distance, 0, 0.6), bins, histtype="step", linewidth=2, label="network")
axis.hist(
    np.clip(textbook, 0, 0.6),
    bins,
    histtype="step",
    linewidth=2,
    linestyle="--",
    label="triangulation (baseline)",
)
axis.set(xlabel="distance between predicted and true epicentre (km)", ylabel="test quakes")
axis.set_title("The network has learned the errors of the clocks as well")
axis.legend()
plotting.show(
    "Histograms of the distance to the true epicentre; the network's lies at smaller distances than triangulation",
    figure,
)

# %% [markdown]
r"""
**A trap of the book.** In example 3.2 the first output is called the latitude, with the letter $l$, and the second the longitude, with $b$; everywhere else $b$ is the latitude and $l$ the
longitude. A network does not care about letters. It learns what stands in each *column* of the targets: here column 0 is east, column 1 is north. Whoever reads the columns in the other order gets no error message, only nonsense.
"""

# %% covers="X3.2"
swapped_sigma, _ = metrics.rayleigh_sigma(
    np.linalg.norm(predicted_place[:, ::-1] - data.y_test, axis=1)
)
print(f"columns read in the wrong order: {swapped_sigma:.1f} km")
check.claim("X3.2", time_error, at_most=0.1, wrong=true_time.std())
check.claim("X3.2", sigma, at_most=textbook_sigma, wrong=swapped_sigma)

# %%
check.quiz("X3.2-q1")

# %% tags=["instructor"]
# Triangulation with the offsets given (offsets=earthquakes.STATION_OFFSETS) is exact, since the times have no noise.
# The fair statement: the network beats a physicist who trusts the clocks, not one who calibrates them first.
check.quiz("X3.2-q1", 3)

# %% [markdown]
r"""
## Section 3.4: any function at all

The universal approximation theorem promises: a network with one hidden layer and a linear output comes as close as you like to any continuous function on a closed, bounded set, if only it has enough
nodes. For ReLU nodes and one input the proof is a recipe. Choose knots $x_0 < x_1 < \dots < x_m$ with the values $f_k$, and connect the points by straight lines:
$$z(x) = d + \sum_{k=0}^{m-1} c_k\,\mathrm{ReLU}(x - x_k).$$

Node $k$ is silent up to the knot $x_k$; from there on it adds its $c_k$ to the slope of the curve. So $c_0$ is the slope of the first line, and every further $c_k$ is the *change* of the slope at its knot.

**Your task.** Return the biases of the $m$ hidden nodes (their weights are all 1), the output weights $c_k$, and the output bias $d$.
"""


# %% task="M3.2a" points=3
def relu_interpolant(knots, values):
    """A one-layer ReLU network through the points (knots, values), with hidden weights 1.

    knots, values: arrays (m + 1,), knots increasing but not necessarily evenly spaced.
    Returns hidden biases (m,), output weights (m,), output bias (a number).
    """
    ### BEGIN SOLUTION
    slopes = np.diff(values) / np.diff(knots)
    return -knots[:-1], np.diff(slopes, prepend=0.0), values[0]
    ### END SOLUTION


# %% check="M3.2a"
check("M3.2a", relu_interpolant)

# %% [markdown]
r"""
The test function is a damped oscillation. First the network built by hand, with 8 nodes.
"""

# %%
relu_interpolant = check.catch_up("M3.2a", relu_interpolant)


def oscillation(x):
    """A damped oscillation on [-2, 2]."""
    return np.exp(-x / 2) * np.sin(3 * x)


def by_hand(x, nodes):
    """Output of the hand-made network with evenly spaced knots on [-2, 2]."""
    knots = np.linspace(-2, 2, nodes + 1)
    biases, weights, bias = relu_interpolant(knots, oscillation(knots))
    return np.maximum(x[:, np.newaxis] + biases, 0) @ weights + bias


x = np.linspace(-2, 2, 256)
figure, axis = plt.subplots(figsize=(7, 3.8))
axis.plot(
    x, oscillation(x), color=plotting.GREY, linewidth=4, alpha=0.5, label="damped oscillation"
)
for nodes, style in [(8, "--"), (32, "-")]:
    axis.plot(x, by_hand(x, nodes), style, label=f"{nodes} ReLU nodes, set by hand")
axis.set(xlabel="$x$", ylabel="$z$", title="Each node bends the line at its own knot")
axis.legend()
plotting.show(
    "The damped oscillation and two piecewise linear networks with 8 and 32 nodes; 32 nodes follow it closely",
    figure,
)

# %% [markdown]
r"""
### Can training find it?

The theorem says that good parameters exist. It does not say that training finds them. The next cell trains networks of six widths, five of each with different random starts, on 256
points of the curve. To save time they train side by side in a single model: since the loss is a mean over all outputs and no parameter is shared, each network learns as if it were alone.

Before you run it: with 64 nodes, how many times larger will the error of the *best* trained network be than that of the network set by hand? (1 means equally good, less than 1 better.)
"""

# %%
check.predict(
    "3.4-gap",
    None,
    question="Error of the best trained network / error of the hand-made one, with 64 nodes?",
)


# %%
def side_by_side(activation):
    """COPIES networks of each width in one model: one input, COPIES * len(WIDTHS) outputs."""
    inputs = keras.Input((1,))
    outputs = []
    for nodes in WIDTHS:
        hidden = layers.Dense(
            COPIES * nodes,
            activation=activation,
            kernel_initializer=keras.initializers.RandomUniform(-1, 1),
            bias_initializer=keras.initializers.RandomUniform(-2, 2),
        )(inputs)
        hidden = layers.Reshape((COPIES, nodes))(hidden)
        start = keras.initializers.RandomNormal(stddev=np.sqrt(2 / nodes))
        # "ecn,cn->ec": for every event e and copy c the sum over the nodes n, with weights of its own
        output = layers.EinsumDense(
            "ecn,cn->ec", output_shape=(COPIES,), bias_axes="c", kernel_initializer=start
        )
        outputs.append(output(hidden))
    return keras.Model(inputs, layers.Concatenate()(outputs))


def trained_errors(activation):
    """Root mean square error after training, shape (number of widths, COPIES)."""
    model = side_by_side(activation)
    slowing_down = keras.optimizers.schedules.CosineDecay(0.02, STEPS)
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(slowing_down), steps_per_execution=50)
    points = np.tile(x, 50)[:, np.newaxis].astype("float32")  # 100 batches of 128 points an epoch
    targets = np.repeat(oscillation(points), COPIES * len(WIDTHS), axis=1)
    model.fit(points, targets, batch_size=128, epochs=STEPS // 100, verbose=0)
    difference = np.asarray(model(x[:, np.newaxis])) - oscillation(x)[:, np.newaxis]
    return np.sqrt((difference**2).mean(axis=0)).reshape(len(WIDTHS), COPIES)


relu_errors = trained_errors("relu")
hand_errors = np.array(
    [np.sqrt(np.mean((by_hand(x, nodes) - oscillation(x)) ** 2)) for nodes in WIDTHS]
)
straight = np.polynomial.Polynomial.fit(x, oscillation(x), 1)
line_error = np.sqrt(np.mean((straight(x) - oscillation(x)) ** 2))

figure, axis = plt.subplots(figsize=(7, 4.4))
axis.loglog(WIDTHS, hand_errors, "o-", label="set by hand")
axis.loglog(
    WIDTHS,
    relu_errors[:, 0],
    "x",
    color=plotting.COLOURS[1],
    label=f"trained, {COPIES} starts each",
)
axis.loglog(WIDTHS, relu_errors[:, 1:], "x", color=plotting.COLOURS[1])
axis.loglog(
    WIDTHS, relu_errors.min(axis=1), "--", color=plotting.COLOURS[1], label="best of the trained"
)
axis.axhline(
    line_error, color=plotting.GREY, linestyle=":", label="no activation: the best straight line"
)
axis.set(
    xlabel="nodes in the hidden layer",
    ylabel="root mean square error",
    xticks=WIDTHS,
    xticklabels=WIDTHS,
)
axis.minorticks_off()
axis.set_title("The hand-made error falls as 1/width²; training does not keep up")
axis.legend()
plotting.show(
    "Error against width: hand-made networks fall with slope -2, trained ones stay above for large widths",
    figure,
)

# %% covers="M3.2"
fine = np.array([16, 32, 64, 128, 256])
grid = np.linspace(-2, 2, 20_001)
fine_errors = [np.sqrt(np.mean((by_hand(grid, nodes) - oscillation(grid)) ** 2)) for nodes in fine]
slope = np.polyfit(np.log(fine), np.log(fine_errors), 1)[0]
trained_slope = np.polyfit(np.log(WIDTHS), np.log(relu_errors.min(axis=1)), 1)[0]
gap = relu_errors[-1].min() / hand_errors[-1]
print(f"error against width, set by hand:        power {slope:.3f}")
print(f"error against width, best of trained:    power {trained_slope:.2f}")
print(f"width {WIDTHS[-1]}: best trained error / hand-made error = {gap:.1f}")
check.confront("3.4-gap", gap)
check.claim("M3.2", slope, -2, tolerance=0.05, wrong=trained_slope)
check.claim("M3.2", gap, at_least=2, wrong=1.0)
check.claim("M3.2", line_error, at_least=10 * hand_errors[-1], wrong=hand_errors[-2])

# %% [markdown]
r"""
Why $1/\text{width}^2$? Between two knots at the distance $h$ a smooth curve departs from its chord by at most $\tfrac18 h^2 \max|f''|$, and $h$ is proportional to 1/width.

Why does training not get there? A ReLU node has to be at the right place to bend the curve there, and gradients move it only little by little. Nodes that are silent on all data do not move at
all. With few nodes, on the other hand, training beats the hand-made network: evenly spaced knots are not the best ones. The theorem is about what *exists*; chapter 4 is about how to get there.
"""

# %%
check.quiz("M3.2-q1")

# %% tags=["instructor"]
# Ask what would help: more steps, a better start (knots spread over the range), more layers. Let students vary STEPS:
# ten times the steps (a minute) gain a factor of three to four at 64 nodes, the hand-made error is still three times smaller.
check.quiz("M3.2-q1", 2)

# %% [markdown]
r"""
## Key points

- ReLU networks continue in straight lines outside their training range. Inputs that carry the physics (here: logarithms) can turn a hard task into a linear one.
- The number of outputs is the number of questions; the output of a regression is linear. What a column of the targets means, only you know.
- One hidden layer can represent any continuous function on a closed, bounded set, and the error of the simplest recipe falls as 1/width². Whether training finds such parameters is another question.
"""

# %%
check.summary()
