# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 16, title: "Weak supervision: four labels for 34 people", level: 3, minutes: 75, sections: "16.1, 16.4", data: [karate_club], fast: {STARTS: 40, CHOICES: 60}}
# ---
# %% [markdown]
r"""
# Weak supervision: four labels for 34 people

**You will**

- write a loss that only the labelled nodes of a graph enter;
- build and train a graph convolutional network which knows the groups of four members of a karate club, and find the groups of the other 30;
- repeat the training with a hundred random starts at once, and compare with a method without any training;
- ask how much the answer depends on *which* four members were labelled;
- look at the space in which the network sees the club.

**You need** graph convolutions (example 10.2), cross-entropy, derivatives with `dlphys.autodiff`.
**Time:** about 75 minutes; the cells run in half a minute.

**You will see** that one accuracy of one training on 30 people says little, and how to say more.

Labels may be weak in three ways. **Incomplete**: only few events have one; this notebook. **Inexact**: only groups of events have one. **Inaccurate**: some are wrong. The notebook `ch16_examples` treats the other two, and the case in which more labels can be asked for.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.layers import GraphConvolution, normalized_adjacency

check = checks.start("ch16_weak_supervision")

from itertools import pairwise

import keras
import matplotlib.pyplot as plt
import networkx
import numpy as np
from keras import ops

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
WIDTH = 16  # features of a member in each hidden layer
ITERATIONS = 300  # as in the book
STARTS = 100  # random starts of the network
CHOICES = 200  # other choices of the four labelled members

# %% [markdown]
r"""
## Exercise 16.1: the karate club

From 1970 to 1972 W. W. Zachary watched a karate club of 34 people and wrote down who met whom outside of it: 78 friendships. Then the teacher and an officer fell out, and the club split.

**It split into two.** The book speaks of four groups; these are no observation but a result of graph theory, the division with the largest *modularity* (the share of friendships inside the groups, minus what it would be by chance). We take the four groups for the exercise, as the book does, and come back to the two factions at the end.

There are no data but the graph. The features of a member are a name tag, one of 34 unit vectors. Four members carry a label, one of each group: 4, 19, 31 and 33, the four of the book's own solution.
"""

# %%
club = datasets.load_karate_club()
known, others = club.mask_train, ~club.mask_train
faction = np.zeros(34, int)
for part in ("train", "validation", "test"):
    extra = getattr(club, f"extra_{part}")
    faction[extra["member"]] = extra["faction"]


def modularity(labels):
    """Share of friendships inside the groups, minus the share expected by chance."""
    groups = [set(np.flatnonzero(labels == group).tolist()) for group in np.unique(labels)]
    return networkx.community.modularity(club.graph, groups, weight=None)


places = np.array(list(networkx.spring_layout(club.graph, seed=3).values()))


def draw_club(axis, labels, wrong=(), ringed=(), at=places):
    """The members, coloured by group, with their friendships; wrong ones crossed, labelled ones ringed."""
    for a, b in club.graph.edges:
        axis.plot(*at[[a, b]].T, color=plotting.GREY, lw=0.6, alpha=0.6, zorder=1)
    axis.scatter(*at.T, c=np.array(plotting.COLOURS)[labels], s=110, zorder=2)
    for member, place in enumerate(at):
        axis.annotate(str(member), place, ha="center", va="center", fontsize=6.5, color="white")
    axis.scatter(*at[wrong].T, marker="x", s=90, color=plotting.INK, zorder=3)
    axis.scatter(*at[ringed].T, s=260, fc="none", ec=plotting.INK, lw=1.8, zorder=3)
    axis.set(xticks=[], yticks=[])


nobody = np.zeros(34, bool)
figure, axes = plt.subplots(1, 2, figsize=(11, 4.6))
draw_club(axes[0], club.labels, nobody, known)
axes[0].set_title(f"four groups, modularity {modularity(club.labels):.3f} (ringed: label known)")
draw_club(axes[1], faction + 4, nobody, nobody)
axes[1].set_title(f"two factions of the real split, modularity {modularity(faction):.3f}")
figure.suptitle(
    "One club, divided in two ways: the four groups are communities, the factions history"
)
plotting.show("The friendship graph twice, coloured by the four communities with four members ringed, and by the two factions after the split.", figure)  # fmt: skip
table = np.array([[np.sum((club.labels == g) & (faction == f)) for f in (0, 1)] for g in range(4)])
for group, (first, second) in enumerate(table):
    print(f"group {group}: {first:2d} members went with the teacher, {second:2d} with the officer")

# %%
check.claim("E16.1", modularity(club.labels), 0.4198, tolerance=1e-4, wrong=modularity(faction))

# %% [markdown]
r"""
### The graph as a matrix

A graph convolution replaces the features of each node by a weighted sum over itself and its neighbours,

$$H' = \sigma\big(\hat A\, H\, W\big), \qquad \hat A = D^{-1/2}\,(A + 1)\,D^{-1/2}, \tag{10.3}$$

with $A_{ij} = 1$ for friends $i$ and $j$, and $D$ the diagonal matrix of the row sums of $A + 1$.

**Your task.** Zachary's notes are a list of pairs. Return $\hat A$ for such a list. Each friendship stands in it once, and holds in both directions.
"""


# %% task="16.1a" points=2 covers="E16.1"
def graph_matrix(pairs, n_members):
    """Normalised adjacency matrix with loops, D^-1/2 (A + 1) D^-1/2.

    pairs: whole numbers (n_pairs, 2), the friendships, each listed once; n_members: number of members.
    Returns an array (n_members, n_members).
    """
    ### BEGIN SOLUTION
    with_loops = np.eye(n_members)
    with_loops[pairs[:, 0], pairs[:, 1]] = 1.0
    with_loops[pairs[:, 1], pairs[:, 0]] = 1.0
    root = np.sqrt(with_loops.sum(axis=1))
    return with_loops / np.outer(root, root)
    ### END SOLUTION


# %% check="16.1a"
check("16.1a", graph_matrix)

# %%
graph_matrix = check.catch_up("16.1a", graph_matrix)
graph = graph_matrix(np.array(club.graph.edges), 34).astype("float32")
features = club.features
reach = [int((np.linalg.matrix_power(graph, k) > 0).sum(axis=1).min()) for k in range(1, 5)]
for layers, members in enumerate(reach, 1):
    print(f"after {layers} layers every member has heard from at least {members} of the 34")

# %%
check.claim("E16.1", np.abs(graph - normalized_adjacency(club.adjacency)).max(), at_most=1e-6, wrong=np.abs(graph - club.adjacency).max())  # fmt: skip

# %% [markdown]
r"""
### A loss for four of 34

The network will answer with probabilities of the groups for *all* members: it takes in the whole graph and cannot do otherwise. But only the labelled members $l$ may enter the loss,

$$\mathcal{L} = -\frac{1}{|\,l\,|}\sum_{i \in l} \ln p_i(y_i).$$

**Your task.** Write it with `keras.ops`. The array of labels has an entry for every member; whatever stands there for the others must not matter, nor may the probabilities of the others.
(Divide by the number of *labelled* members. A mean over all 34 makes the loss and its gradient 8.5 times smaller.)
"""


# %% task="16.1b" points=2 covers="E16.1"
def masked_loss(labels, probabilities, mask):
    """Mean cross-entropy of the labelled nodes.

    labels: whole numbers (n,); probabilities: (n, groups), rows add up to 1; mask: (n,) bool, True where the label is
    known. Returns a scalar tensor, in nats.
    """
    ### BEGIN SOLUTION
    given = np.flatnonzero(mask)
    rows = ops.take(probabilities, given, axis=0)
    of_the_label = ops.sum(rows * ops.one_hot(labels[given], probabilities.shape[-1]), axis=-1)
    return -ops.mean(ops.log(of_the_label))
    ### END SOLUTION


# %% check="16.1b"
check("16.1b", masked_loss)

# %% [markdown]
r"""
### The network

**Your task.** Build a network of four graph convolutions: three hidden ones with `width` features and tanh, and one that gives each node a probability for each group. All four share the graph. `GraphConvolution(units, activation=...)(nodes, graph)` is the layer (10.3).
"""


# %% task="16.1c" points=3 covers="E16.1"
def build_network(n_features, n_groups, width):
    """Graph convolutional network with four layers.

    Inputs: features (n, any number of nodes, n_features) and normalised adjacency (n, same number, same number).
    Returns a Keras model, not compiled, with the output (n, nodes, n_groups): probabilities of the groups.
    """
    ### BEGIN SOLUTION
    nodes = keras.Input((None, n_features))
    edges = keras.Input((None, None))
    x = nodes
    for _ in range(3):
        x = GraphConvolution(width, activation="tanh")(x, edges)
    x = GraphConvolution(n_groups, activation="softmax")(x, edges)
    return keras.Model([nodes, edges], x)
    ### END SOLUTION


# %% check="16.1c"
check("16.1c", build_network)

# %% [markdown]
r"""
### The training

There is only one graph: each step of the training sees the same data. 300 steps of Adam, as in the book.

**Your task.** Train the network with your loss. A training step is a function that computes the loss, takes the gradients with `autodiff.value_and_gradients(loss, variables)` and hands them to `optimizer.apply(gradients, variables)`. Made with `autodiff.compiled`, it runs at the speed of `fit`. (Call `optimizer.build(variables)` before.)

Nothing here may depend on the labels of the 30 others, not even the decision when to stop.
"""


# %% task="16.1d" points=3 covers="E16.1"
def train_network(model, features, graph, labels, mask, iterations):
    """Minimise the masked loss with Adam, learning rate 0.01, in so many steps, and return the model.

    model: from build_network; features: (nodes, n_features); graph: normalised adjacency (nodes, nodes);
    labels: whole numbers (nodes,); mask: (nodes,) bool.
    """
    ### BEGIN SOLUTION
    variables = model.trainable_variables
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(variables)

    def loss():
        return masked_loss(labels, model([features[None], graph[None]])[0], mask)

    @autodiff.compiled
    def step():
        value, slopes = autodiff.value_and_gradients(loss, variables)
        optimizer.apply(slopes, variables)
        return value

    for _ in range(iterations):
        step()
    return model
    ### END SOLUTION


# %%
masked_loss = check.catch_up("16.1b", masked_loss)
build_network = check.catch_up("16.1c", build_network)
network = None  # until train_network is written
network = train_network(
    build_network(34, 4, WIDTH), features, graph, club.labels, known, ITERATIONS
)

# %% check="16.1d"
check("16.1d", train_network, result=network)

# %%
train_network = check.catch_up("16.1d", train_network)
if network is None:
    network = train_network(
        build_network(34, 4, WIDTH), features, graph, club.labels, known, ITERATIONS
    )
answer = network.predict([features[None], graph[None]], verbose=0)[0]
right = answer.argmax(axis=1) == club.labels
print(f"labelled members: {right[known].sum()} of 4 right")
print(f"others:           {right[others].sum()} of 30 right")

# %%
figure, axis = plt.subplots(figsize=(7, 4.8))
draw_club(axis, answer.argmax(axis=1), ~right, known)
axis.set_title(f"Four labels (ringed) and the graph: {right[others].sum()} of 30 others right")  # fmt: skip
plotting.show("The club coloured by the answer of the network; wrong members are crossed.", figure)

# %%
check.claim("E16.1", right[known].sum(), 4, wrong=3)

# %% [markdown]
r"""
### A hundred networks at once

One more friend recognised is worth 3.3 %, and with other initial weights the answer is another one. The solution on the book's exercise page has three narrow hidden layers, with 4, 4 and 2 features, and reports 29 of 30 (for a division in four which differs from ours for three members). That is for one start, and of the weights of all steps those were kept that did best on these same 30 people: the maximum of a fluctuating number, not its expectation. How does the number scatter?

34 nodes are so little work that the computer mostly waits for Python. So we train all networks **in one tensor**: each weight matrix gets an axis more, in front, for the number of the network. The losses are added; since no weight belongs to two networks, each gets the gradient of its own loss, and Adam treats each number by itself. A hundred trainings take hardly longer than one. The axis may carry different labels and masks, too.

Beside them stand, trained in the same way,

- a **control** without the graph, $\hat A = 1$: what is the graph worth?
- as **baseline**, *label propagation* in its limit (Zhu, Ghahramani and Lafferty 2003): each unlabelled member has the mean of his friends' probabilities, the labelled ones keep theirs. These are Kirchhoff's rules: friendships are resistors of 1 ohm, the labelled member of a group is at 1 volt, the other labelled ones are earthed. With the Laplacian $L = D - A$ in blocks of unlabelled ($u$) and labelled ($l$) members, $L_{uu}\, p_u = -L_{ul}\, p_l$: one linear equation, no training, no chance.

The label of a well-connected member wins too much. So each group's column is divided by its sum before the largest entry decides (*class mass normalisation*, as if the groups were of equal size). We show it with and without.
"""


# %%
def start_weights(sizes, copies, draw):
    """Weights and biases of many networks: Glorot's uniform distribution, as Keras draws it."""
    weights = []
    for inputs, outputs in pairwise(sizes):
        bound = np.sqrt(6 / (inputs + outputs))
        kernel = draw.uniform(-bound, bound, (copies, inputs, outputs)).astype("float32")
        weights += [keras.Variable(kernel), keras.Variable(ops.zeros((copies, 1, outputs)))]
    return weights


def forward(weights, graph):
    """Features of the members after each layer, for all networks; the last entry are logits."""
    x, after = features, []
    for number in range(0, len(weights), 2):
        x = ops.matmul(graph, ops.matmul(x, weights[number])) + weights[number + 1]
        after.append(x)
        x = ops.tanh(x)
    return after


def train_many(graph, labels, masks, seed, n_groups=4, hidden=(WIDTH, WIDTH, WIDTH)):
    """Train a network for every row of masks (networks, 34); weights before and after."""
    draw = np.random.default_rng(seed)
    weights = start_weights((34, *hidden, n_groups), len(masks), draw)
    before = [variable.numpy() for variable in weights]
    share = (masks / masks.sum(axis=1, keepdims=True)).astype("float32")
    truth = np.eye(n_groups, dtype="float32")[labels]
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(weights)

    def loss():
        log_probabilities = ops.log_softmax(forward(weights, graph)[-1], axis=-1)
        return -ops.sum(share[..., None] * truth * log_probabilities)

    @autodiff.compiled
    def step():
        value, slopes = autodiff.value_and_gradients(loss, weights)
        optimizer.apply(slopes, weights)
        return value

    for _ in range(ITERATIONS):
        step()
    return before, weights


def answers(weights, graph):
    """Group of every member by every network, (networks, 34)."""
    return np.asarray(forward(weights, graph)[-1]).argmax(axis=-1)


def propagate(labels, mask, n_groups=4, normalised=True):
    """Label propagation in its limit; group of every member."""
    laplacian = np.diag(club.adjacency.sum(axis=1)) - club.adjacency
    p = np.eye(n_groups)[labels] * mask[:, None]
    p[~mask] = np.linalg.solve(laplacian[np.ix_(~mask, ~mask)], -laplacian[np.ix_(~mask, mask)] @ p[mask])  # fmt: skip
    return (p / p.sum(axis=0) if normalised else p).argmax(axis=1)


def count_right(found, labels, masks):
    """How many of the members without label are right, for each network."""
    return ((found == labels) & ~masks).sum(axis=-1)


masks = np.tile(known, (STARTS, 1))
before, trained = train_many(graph, club.labels, masks, seed=check.seed)
found = answers(trained, graph)
alone = np.eye(34, dtype="float32")
_, without_graph = train_many(alone, club.labels, masks, seed=check.seed)
_, narrow = train_many(graph, club.labels, masks, seed=check.seed, hidden=(4, 4, 2))
counts = {
    "graph network": count_right(found, club.labels, masks),
    "widths 4, 4, 2": count_right(answers(narrow, graph), club.labels, masks),
    "control: no graph": count_right(answers(without_graph, alone), club.labels, masks),
}
baseline = count_right(propagate(club.labels, known), club.labels, known)
plain = count_right(propagate(club.labels, known, normalised=False), club.labels, known)
labelled_right = (found == club.labels)[:, known].mean()
for name, count in counts.items():
    mean, error = metrics.mean_with_error(count)
    print(f"{name:20s} {mean:5.2f} +- {error:.2f} of 30 right; spread over {STARTS} starts {count.std(ddof=1):.2f}, from {count.min()} to {count.max()}")  # fmt: skip
print(f"baseline, label propagation: {baseline} of 30 right, always; {plain} without the normalisation")  # fmt: skip
print(f"the four labelled members: {labelled_right:.1%} right")

# %%
layer = GraphConvolution(WIDTH)
from_keras = np.asarray(layer(features[None], graph[None]))[0]
with_axis = np.asarray(forward([weight[None] for weight in layer.get_weights()], graph)[0])[0]
check.claim("E16.1", np.abs(from_keras - with_axis).max(), at_most=1e-5, wrong=np.abs(from_keras).max())  # fmt: skip

# %%
bins = np.arange(-0.5, 31.5)
figure, axis = plt.subplots(figsize=(8, 3.8))
colours = (plotting.COLOURS[0], plotting.COLOURS[2], plotting.GREY)
for (name, count), colour in zip(counts.items(), colours, strict=True):
    axis.hist(count, bins, color=colour, alpha=0.7, label=name)
axis.axvline(baseline, color=plotting.COLOURS[1], label="baseline: label propagation")
axis.axvline(29, color=plotting.INK, ls=":", label="book's page, best step of one start of 4, 4, 2")
axis.set(xlabel="members right, of 30 without label", ylabel=f"networks (of {STARTS})", xlim=(-0.5, 31))  # fmt: skip
axis.legend(fontsize=8, loc="upper left")
spreads = {name: count.std(ddof=1) for name, count in counts.items()}
worth = counts["graph network"].mean() - counts["control: no graph"].mean()
axis.set_title(f"The graph is worth {worth:.0f} members; wide layers hardly depend on the start")
plotting.show("Histogram of the number of members right, over random starts, for networks with and without the graph, beside label propagation and the book's number.", figure)  # fmt: skip

# %%
check.claim("E16.1", labelled_right, 1, wrong=counts["control: no graph"].mean() / 30)
check.claim("E16.1", counts["graph network"].mean(), at_least=26, wrong=counts["control: no graph"].mean())  # fmt: skip
check.claim("E16.1", counts["control: no graph"].mean(), at_most=12, wrong=counts["graph network"].mean())  # fmt: skip

check.claim("E16.1", spreads["widths 4, 4, 2"] / spreads["graph network"], at_least=2, wrong=1.0)

# %%
check.quiz("16.1-q1")

# %% [markdown]
r"""
### Which four?

The labels of 4, 19, 31 and 33 were handed to us. In an experiment somebody has to choose, and another choice is another training set. Below, one member is drawn from each group at random, many times; each choice trains one network with a start of its own, and label propagation gets the same labels.
"""

# %%
chosen = np.zeros((CHOICES, 34), bool)
for row in chosen:
    row[[random.choice(np.flatnonzero(club.labels == group)) for group in range(4)]] = True
_, by_choice = train_many(graph, club.labels, chosen, seed=check.seed + 1)
by_network = count_right(answers(by_choice, graph), club.labels, chosen)
by_propagation = np.array([count_right(propagate(club.labels, row), club.labels, row) for row in chosen])  # fmt: skip
difference, difference_error = metrics.mean_with_error(by_network - by_propagation)
start_spread, choice_spread = counts["graph network"].std(ddof=1), by_network.std(ddof=1)
for name, count in [("graph network", by_network), ("label propagation", by_propagation)]:
    mean, error = metrics.mean_with_error(count)
    print(f"{name:18s} {mean:5.2f} +- {error:.2f} of 30 right; spread over {CHOICES} choices {count.std(ddof=1):.2f}, from {count.min()} to {count.max()}")  # fmt: skip
print(f"network minus propagation, choice by choice: {difference:+.2f} +- {difference_error:.2f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4), width_ratios=(1.25, 1))
for (name, count), colour in zip([("graph network", by_network), ("baseline: label propagation", by_propagation)], plotting.COLOURS, strict=False):  # fmt: skip
    axes[0].hist(count, bins, histtype="step", lw=1.8, color=colour, label=name)
axes[0].axvline(counts["graph network"].mean(), color=plotting.INK, ls=":", label="graph network, the book's four")  # fmt: skip
axes[0].set(xlabel="members right, of 30 without label", ylabel=f"choices (of {CHOICES})", xlim=(-0.5, 31), title="four labels, one from each group")  # fmt: skip
axes[0].legend(fontsize=8, loc="upper left")
degree = club.adjacency.sum(axis=1)
friends = np.array([degree[row].sum() for row in chosen])
jitter = random.uniform(-0.25, 0.25, CHOICES)
axes[1].plot(friends, by_network + jitter, "o", ms=4, alpha=0.6)
axes[1].set(xlabel="friendships of the four labelled members", ylabel="members right (network)", title="who is labelled")  # fmt: skip
figure.suptitle(f"The choice of the four labels moves the result by {choice_spread:.1f} members, the start by {start_spread:.1f}")  # fmt: skip
plotting.show("Left: histograms of the members right over choices of the labelled four, for network and label propagation. Right: members right against the number of friendships of the labelled four.", figure)  # fmt: skip

# %%
check.claim("E16.1", choice_spread / start_spread, at_least=1.5, wrong=1.0)
check.claim("E16.1", difference, at_least=0, wrong=counts["graph network"].mean() - baseline)

# %% [markdown] tags=["answer"]
r"""
**What can be said.** Which four members are labelled matters several times more than the start. An error bar over random starts alone hides this: it holds for *these* four labels. With few labels, quote the spread over the choice of the labels.

On the book's four, label propagation finds two members more than the network. Averaged over all choices it finds about one less. Neither statement follows from the other, and a comparison on a single choice would have told either story. The difference is small both times: the nodes of this graph have no features beyond a name, so there is little to learn that the graph does not say. Networks pay where nodes carry information of their own, such as the detector signals of chapter 10.

The narrow layers lose four groups in two numbers for some starts and not for others. A lucky start comes close to label propagation; the average lies far below.
"""

# %% [markdown]
r"""
### How the network sees the club

The last hidden layer gives each member 16 numbers, an **embedding**. We look at it along its two directions of largest spread, before and after the training.
"""


# %%
def plane(weights):
    """Two principal components of the last hidden layer of the first network, (34, 2)."""
    hidden = np.tanh(np.asarray(forward(weights, graph)[2])[0])
    centred = hidden - hidden.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T


def friends_distance(at):
    """Mean squared distance of friends relative to that of all pairs: 1 if the graph did not matter."""
    square = ((at[:, None] - at[None]) ** 2).sum(axis=-1)
    return square[club.adjacency > 0].mean() / square[~np.eye(34, dtype=bool)].mean()


embeddings = {"before the training": plane(before), "after": plane(trained)}
closeness = {name: friends_distance(at) for name, at in embeddings.items()}
figure, axes = plt.subplots(1, 2, figsize=(11, 4.6))
for axis, (name, at) in zip(axes, embeddings.items(), strict=True):
    draw_club(axis, club.labels, nobody, known, at=at)
    axis.set(xlabel="first principal component", ylabel="second principal component", title=f"{name}: friends at {closeness[name]:.0%} of the usual squared distance")  # fmt: skip
figure.suptitle("Even random weights place friends together; four labels pull the groups apart")
plotting.show("Embedding of the members in a plane, coloured by the true groups, with random weights and after the training.", figure)  # fmt: skip

# %%
check.claim("E16.1", max(closeness.values()), at_most=0.75, wrong=1.0)

# %% [markdown]
r"""
Multiplying with $\hat A$ is averaging over friends, whatever the weights. Four such layers smooth any random numbers along the graph, so friends come to lie together before a single step of training. This is the assumption of **smoothness** on which semi-supervised learning rests: points that are close (here: friends) have the same label. Where it fails, no unlabelled data help.

More layers average more, until all members are equal (*oversmoothing*).

### The split that happened

Now the question Zachary asked. Two labels: the teacher (0) and the officer (33). Whom will the 32 others follow?
"""

# %%
leaders = np.zeros((STARTS, 34), bool)
leaders[:, [0, 33]] = True
_, two_groups = train_many(graph, faction, leaders, n_groups=2, seed=check.seed + 2)
sides = answers(two_groups, graph)
of_split = count_right(sides, faction, leaders)
split_baseline = count_right(propagate(faction, leaders[0], 2), faction, leaders[0])
often_wrong = np.flatnonzero((sides != faction).mean(axis=0) > 0.5)
mean, error = metrics.mean_with_error(of_split)
print(f"graph network:     {mean:.2f} +- {error:.2f} of 32 right, spread over starts {of_split.std(ddof=1):.2f}")  # fmt: skip
print(f"label propagation: {split_baseline} of 32 right")
print(f"wrong in most networks: member {', '.join(map(str, often_wrong)) or 'none'}")

# %%
check.claim("E16.1", of_split.mean(), at_least=28, wrong=24)

# %% [markdown]
r"""
Zachary's own flow model, published in 1977, was wrong for one member, number 8. He wrote that this man sided with the officer but was three weeks from his test for the black belt, and stayed with the teacher for it. No graph knows that.
"""

# %%
check.quiz("16.1-q2")

# %% tags=["instructor"]
# Timing: (a) 10 min, (b) 15, (c) 10, (d) 15, the rest reading and the quizzes.
# Common mistakes: the mean over 34 members in (b); tanh in the last layer; the adjacency without loops; looking at the others to decide when to stop.
# Discussion: which four members would you label, if you could choose? (Active learning, in ch16_examples.) What if a fifth person joins? The name tags make this network
# transductive: it has no weights for a new name. With features such as the degree it could take new members.
# Vary the number of layers: with 12 all members become alike, with 1 most have heard from no labelled one.
check.quiz("16.1-q1", 2)
check.quiz("16.1-q2", 3)

# %% [markdown]
r"""
## Key points

- Semi-supervised learning uses events without label: they enter the forward pass, and the mask keeps them out of the loss.
- It needs an assumption. On a graph it is smoothness: neighbours tend to share the label.
- One accuracy of one training on 30 people is a fluctuating number. Repeat over starts, and over the choice of the labels; never pick the best step on the events you report.
- A baseline without training belongs beside every network: here label propagation, one linear equation.
- Small trainings fit side by side in one tensor.
"""

# %%
check.summary()
