# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 6, title: The words of deep learning, level: 1, minutes: 45, sections: "6", data: []}
# ---
# %% [markdown]
r"""
# The words of deep learning

**You will**

- look up the words of the first five chapters, with the places where they are explained and used;
- match words with descriptions, and tell a learning task from its labels;
- compute two numbers that belong to every training, how many parameters and how many updates, and compare them with what Keras counts;
- see why every part of a network has to be differentiable.

**You need** chapters 1 to 5, or the wish to find out which of them you need. **Time:** about 45 minutes. Nothing is trained here; the cells run in some seconds.

**You will see** thirty words in one page, and a network half of which cannot learn.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, plotting

check = checks.start("ch06_glossary")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_EVENTS = 1000  # events of the little training that only counts
BATCH_SIZE = 64
EPOCHS = 3

# %% [markdown]
r"""
## The glossary

The chapter of the book that this page belongs to has no exercises: it fixes the words before the architectures of Part 2 begin. The list of words is the book's, the explanations are ours.

### The network

| word | what it means | explained | used, for example |
|---|---|---|---|
| model | a function with adjustable parameters that describes data; a neural network is one, $t = d/v$ another | [2](ch02_models.ipynb) | everywhere |
| node | adds up its weighted inputs and a bias (an *affine map*), then applies a non-linear function | [3](ch03_building_blocks.ipynb) | [7](ch07_fully_connected.ipynb) |
| layer | nodes that work side by side on the same inputs | [3](ch03_building_blocks.ipynb) | [8](ch08_convolutional.ipynb) |
| weight | how much one input counts at one node; adjusted by training | [3](ch03_building_blocks.ipynb) | [4](ch04_optimization.ipynb) |
| bias | the constant that a node adds; adjusted by training (another *bias*, the mean error of an estimate, is in chapter 5) | [3](ch03_building_blocks.ipynb) | [4](ch04_optimization.ipynb) |
| parameters $\theta$ | all weights and biases together | [3](ch03_building_blocks.ipynb) | below |
| activation function | the non-linear function of a node; without it all layers collapse into one | [3](ch03_building_blocks.ipynb) | [7](ch07_examples.ipynb) |
| hyperparameter | a choice made before training: numbers of layers and nodes, learning rate, size of a minibatch | [5](ch05_model_building.ipynb) | [8](ch08_convolutional.ipynb) |
| prediction | what the network returns, also where it is not about the future | [3](ch03_building_blocks.ipynb) | [7](ch07_fully_connected.ipynb) |

### Data

| word | what it means | explained | used, for example |
|---|---|---|---|
| table, sequence, grid, point cloud, ensemble | the shapes in which data of physics come | [2](ch02_models.ipynb) | [8](ch08_convolutional.ipynb), [9](ch09_recurrent.ipynb), [10](ch10_graphs.ipynb), [11](ch11_multitask.ipynb) |
| feature | an input, or a quantity that a layer has computed from the inputs | [3](ch03_building_blocks.ipynb) | [8](ch08_convolutional.ipynb) |
| feature hierarchy | early layers compute simple features, later layers combine them to complex ones | [1](ch01_scope.ipynb) | [8](ch08_examples.ipynb) |
| feature space | the space spanned by the features of a layer: near means similar | here | [10](ch10_graphs.ipynb) |
| spatial domain | the space in which the data were measured: near means next to each other in the detector | here | [10](ch10_graphs.ipynb) |
| label | the true value that belongs to an input, for example from a simulation; never an input itself | [2](ch02_models.ipynb) | [7](ch07_fully_connected.ipynb) |
| preprocessing | bringing inputs to a common size, for example mean 0 and width 1, before the network sees them | [4](ch04_optimization.ipynb) | [7](ch07_fully_connected.ipynb) |
| training, validation and test data | to adjust parameters, to compare models while developing, to state the result at the end, once | [5](ch05_model_building.ipynb) | everywhere |

### Training

| word | what it means | explained | used, for example |
|---|---|---|---|
| learning, training | adjusting the parameters with data, so that the network solves a task | [2](ch02_models.ipynb) | everywhere |
| supervised | learning with labels | [2](ch02_models.ipynb) | [7](ch07_fully_connected.ipynb) |
| regression | the labels are continuous, such as an energy | [3](ch03_building_blocks.ipynb) | [7](ch07_fully_connected.ipynb) |
| classification | the labels are classes, such as signal and background | [3](ch03_building_blocks.ipynb) | [8](ch08_convolutional.ipynb) |
| objective, loss, cost | the number that training makes small | [2](ch02_models.ipynb) | [4](ch04_optimization.ipynb) |
| gradient $\partial L/\partial\theta_i$ | how the objective changes with each parameter | [4](ch04_optimization.ipynb) | below |
| backpropagation | the chain rule, from the output backwards: all gradients at the price of about two predictions | [4](ch04_optimization.ipynb) | [4](ch04_examples.ipynb) |
| stochastic gradient descent | steps against the gradient, each computed from a few random events | [4](ch04_optimization.ipynb) | [4](ch04_examples.ipynb) |
| minibatch | these few events | [4](ch04_optimization.ipynb) | below |
| epoch | one pass through all training data | [4](ch04_optimization.ipynb) | below |
| learning strategy | how long the steps are and what they remember: momentum, Adam, a decaying learning rate | [4](ch04_optimization.ipynb) | [4](ch04_examples.ipynb) |
| overtraining | the network learns the training data by heart and does worse on new ones | [5](ch05_model_building.ipynb) | [7](ch07_fully_connected.ipynb) |
| regularisation | whatever keeps it from doing so: penalties on weights, dropout, more data | [5](ch05_model_building.ipynb) | [8](ch08_convolutional.ipynb) |

*Two words to take care with.* "Bias" names a parameter of a node and the mean error of an estimate. "Parameter" in Keras' summaries includes numbers that are not trained; here it means weights and biases.

### The words in one picture

The next figure draws a network with two inputs. Lines are *weights*. The filling of the circles are *features*: those of the first column are the inputs of one event, those of the following columns are computed, and the last one is the
*prediction*. The numbers of layers and of nodes are *hyperparameters*.
"""

# %%
small = keras.Sequential(
    [
        keras.Input((2,)),
        layers.Dense(4, activation="tanh"),
        layers.Dense(3, activation="tanh"),
        layers.Dense(1),
    ]
)
event = np.array([[0.8, -0.5]], dtype="float32")
features = [event]
for layer in small.layers:
    features.append(np.asarray(layer(features[-1])))

plotting.network(
    [layer.get_weights()[0] for layer in small.layers],
    activations=[values[0] for values in features],
    inputs=["$x_1$", "$x_2$"],
    outputs=["prediction"],
    title="Lines are weights, fillings are features",
)

# %% [markdown]
r"""
## Which word is it?

| | description |
|---|---|
| A | a number that training adjusts: how much one input counts at one node |
| B | a number that you choose before training begins, such as how many nodes a layer has |
| C | the true value with which the output is compared |
| D | what the network returns for an event |
| E | one pass through everything there is to learn from |
| F | the few events from which one update is computed |
| G | the one number that training makes small |
| H | data with which you decide, again and again, which of your models to keep |
| I | data that are looked at once, when all decisions have been made |
| J | a quantity that a layer computes from its inputs, or an input itself |

The words: `"epoch"`, `"feature"`, `"hyperparameter"`, `"label"`, `"minibatch"`, `"objective"`, `"prediction"`, `"test data"`, `"validation data"`, `"weight"`.

**Your task.** Return a dict with the word for each letter, such as `{"A": "epoch", "B": ...}`.
"""


# %% task="M6.1a" points=2
def matching():
    """The word for each of the letters "A" to "J", as a dict."""
    ### BEGIN SOLUTION
    return {
        "A": "weight",
        "B": "hyperparameter",
        "C": "label",
        "D": "prediction",
        "E": "epoch",
        "F": "minibatch",
        "G": "objective",
        "H": "validation data",
        "I": "test data",
        "J": "feature",
    }
    ### END SOLUTION


# %% check="M6.1a"
check("M6.1a", matching)

# %% [markdown]
r"""
### Which kind of learning is it?

The labels decide. Classes come as whole numbers or as booleans, measured quantities as floating-point numbers. Without labels the learning is called *unsupervised*; it has to find structure on its own.

**Your task.** Return `"classification"`, `"regression"` or `"unsupervised"`. Let the *type* of the labels decide (`labels.dtype.kind` is `"f"` for floating-point numbers): the marks 5.0, 6.0, 7.0 of a wine are measured quantities, although they look whole.
"""


# %% task="M6.1b" points=1
def kind_of_learning(labels):
    """What is to be learned, from the labels.

    labels: None if there are none; an array (n,) of whole numbers or booleans, one class an event; or an array (n,) of
    floating-point numbers, one measured quantity an event. Returns "classification", "regression" or "unsupervised".
    """
    ### BEGIN SOLUTION
    if labels is None:
        return "unsupervised"
    if labels.dtype.kind == "f":
        return "regression"
    return "classification"
    ### END SOLUTION


# %% check="M6.1b"
check("M6.1b", kind_of_learning)

# %%
kind_of_learning = check.catch_up("M6.1b", kind_of_learning)

situations = {
    "energy of an air shower (EeV)": np.array([12.1, 3.4, 55.0]),
    "magnetic phase of a lattice, 0 or 1": np.array([0, 1, 1]),
    "is there a pulse in the trace?": np.array([True, False, True]),
    "mark of a wine, 3.0 to 9.0": np.array([5.0, 6.0, 7.0]),
    "spectra of stars that nobody has looked at": None,
}
for situation, labels in situations.items():
    print(f"{situation:45s} {kind_of_learning(labels)}")

# %% [markdown]
r"""
## How many parameters?

A node in a fully-connected layer has one weight for each of its inputs and one bias. So a layer with $n$ inputs and $m$ nodes has $(n + 1)\,m$ parameters.

**Your task.** Return the number of parameters of a whole network, such as 8 - 64 - 64 - 2.
"""


# %% task="M6.1c" points=1
def count_parameters(nodes):
    """Weights and biases of a fully-connected network.

    nodes: list of whole numbers: inputs, nodes of each hidden layer, outputs. Returns an int.
    """
    ### BEGIN SOLUTION
    total = 0
    for layer in range(1, len(nodes)):
        total += (nodes[layer - 1] + 1) * nodes[layer]
    return total
    ### END SOLUTION


# %% check="M6.1c"
check("M6.1c", count_parameters)

# %% [markdown]
r"""
## How many updates?

Training goes through all events, minibatch by minibatch. Each minibatch makes one update of all parameters. If the number of events is not a multiple of the batch size, the last minibatch is smaller, and it counts all the same. After the last one an epoch is over.

Before you compute: 1000 events, minibatches of 64, three epochs. How many updates?
"""

# %%
check.predict("6.1-updates", None, question="Number of updates?")

# %% [markdown]
r"""
**Your task.** Return the number of updates.
"""


# %% task="M6.1d" points=1
def count_updates(n_events, batch_size, epochs):
    """Updates of the parameters during a training; all arguments and the result are whole numbers."""
    ### BEGIN SOLUTION
    minibatches = -(-n_events // batch_size)  # rounded up
    return minibatches * epochs
    ### END SOLUTION


# %% check="M6.1d"
check("M6.1d", count_updates)

# %%
count_parameters = check.catch_up("M6.1c", count_parameters)
count_updates = check.catch_up("M6.1d", count_updates)

nodes = [8, 64, 64, 2]
model = keras.Sequential([keras.Input((nodes[0],)), *(layers.Dense(n) for n in nodes[1:])])
model.compile(loss="mse", optimizer="sgd")
x, y = random.normal(size=(N_EVENTS, 8)), random.normal(size=(N_EVENTS, 2))
model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
updates = int(model.optimizer.iterations)
print(f"parameters: {count_parameters(nodes)} by formula, {model.count_params()} in Keras")
print(f"updates:    {count_updates(N_EVENTS, BATCH_SIZE, EPOCHS)} by formula, {updates} in Keras")
check.confront("6.1-updates", updates)

# %% covers="M6.1"
only_weights = 8 * 64 + 64 * 64 + 64 * 2
whole_minibatches = EPOCHS * (N_EVENTS // BATCH_SIZE)
check.claim("M6.1", count_parameters(nodes), model.count_params(), wrong=only_weights)
check.claim("M6.1", count_updates(N_EVENTS, BATCH_SIZE, EPOCHS), updates, wrong=whole_minibatches)

# %% [markdown]
r"""
## Why everything has to be differentiable

Each parameter learns from its own gradient $\partial L/\partial\theta_i$. Backpropagation computes it with the chain rule, and a chain is as strong as its weakest link: a part whose derivative is zero everywhere cuts off all parameters before it.

Below is the same network twice: with $\tanh$ in the hidden layer, and with a step from $-1$ to $1$, as in the first artificial neurons. The bars show the size of the gradient of the objective by each parameter.
"""


# %%
def gradients(activation):
    """Gradients of the objective of a network 3 - 6 - 1 with random weights, a list of arrays."""
    keras.utils.set_random_seed(check.seed)
    network = keras.Sequential(
        [keras.Input((3,)), layers.Dense(6, activation=activation), layers.Dense(1)]
    )
    _, slopes = autodiff.value_and_gradients(
        lambda: ops.mean((network(inputs) - labels) ** 2), network.trainable_variables
    )
    return [np.asarray(slope) for slope in slopes]


inputs = random.normal(size=(200, 3)).astype("float32")
labels = inputs[:, :1] * inputs[:, 1:2]
share = {}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
for axis, (name, activation) in zip(axes, [("tanh", ops.tanh), ("step", ops.sign)], strict=True):
    slopes = [slope.ravel() for slope in gradients(activation)]
    first, last = np.concatenate(slopes[:2]), np.concatenate(slopes[2:])
    axis.bar(range(24), np.abs(first), label="first layer: 18 weights, 6 biases")
    axis.bar(range(24, 31), np.abs(last), hatch="//", label="last layer: 6 weights, 1 bias")
    share[name] = np.mean(np.concatenate([first, last]) != 0)
    axis.set(xlabel="number of the parameter", title=f"with a {name}: {share[name]:.0%} can learn")
    print(f"{name}: {31 * share[name]:.0f} of 31 parameters have a gradient")
axes[0].set_ylabel(r"$|\partial L/\partial\theta_i|$ (without unit)")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncol=2)
figure.suptitle("A step cuts off all parameters before it")
plotting.show(
    "Sizes of 31 gradients: all are above zero with tanh, only those of the last layer with a step.",
    figure,
)

# %% covers="M6.1"
check.claim("M6.1", share["tanh"], 1.0, wrong=share["step"])
check.claim("M6.1", share["step"], 7 / 31, tolerance=1e-12, wrong=share["tanh"])

# %% [markdown]
r"""
With the step, the seven parameters of the last layer still learn: it is the part *before* the step that is cut off. ReLU also has a kink, but its derivative is 1 on one side, and that is enough.

## Quiz

Eight questions. Answer each with the number of an option: `check.quiz("M6.1-q1", 2)`.
"""

# %%
check.quiz("M6.1-q1")

# %% tags=["instructor"]
# Parameters are found by training, hyperparameters by you. Early stopping makes "number of epochs" a hyperparameter too.
check.quiz("M6.1-q1", 3)

# %%
check.quiz("M6.1-q2")

# %% tags=["instructor"]
# Every look at the test data that leads to a decision turns them into validation data.
check.quiz("M6.1-q2", 2)

# %%
check.quiz("M6.1-q3")

# %% tags=["instructor"]
# A good moment to draw loss against update and loss against epoch for two batch sizes.
check.quiz("M6.1-q3", 4)

# %%
check.quiz("M6.1-q4")

# %% tags=["instructor"]
# Frequent: "backpropagation is the training method". It computes gradients; what is done with them is the optimiser's business.
check.quiz("M6.1-q4", 1)

# %%
check.quiz("M6.1-q5")

# %% tags=["instructor"]
# Mean and width are numbers learnt from data: they belong to the training data, like weights.
check.quiz("M6.1-q5", 3)

# %%
check.quiz("M6.1-q6")

# %% tags=["instructor"]
# Two galaxies far apart in the sky can be neighbours in feature space. Chapter 10 builds graphs in either space.
check.quiz("M6.1-q6", 2)

# %%
check.quiz("M6.1-q7")

# %% tags=["instructor"]
# Accuracy is a step function of the parameters: its gradient is zero almost everywhere, as in the figure above.
check.quiz("M6.1-q7", 4)

# %%
check.quiz("M6.1-q8")

# %% tags=["instructor"]
# The bias of a node is a parameter, the bias of an estimate a property of a result. Both meet in chapter 5.
check.quiz("M6.1-q8", 1)

# %% [markdown]
r"""
## Key points

- Training adjusts parameters (weights and biases); you choose hyperparameters, and validation data tell which choice is good. Test data are used once.
- Labels belong into the objective, never into the inputs.
- Updates = epochs times the number of minibatches, rounded up. Parameters of a layer = (inputs + 1) times nodes.
- A parameter learns only if its gradient is not zero, so all parts of a network are differentiable (almost everywhere).

Part 2 begins with chapter 7 (`ch07_fully_connected`).
"""

# %%
check.summary()
