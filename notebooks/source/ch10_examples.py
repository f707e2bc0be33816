# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 10, title: "Graph networks: examples and methods", level: 2, minutes: 80, sections: "10.2-10.5", data: [karate_club, quark_gluon_jets], fast: {N_JETS: 1200, EPOCHS_JETS: 2}}
# ---
# %% [markdown]
r"""
# Graph networks: examples and methods

**You will**

- write a graph as matrices, and see its Laplacian measure roughness and its eigenvectors become Fourier modes;
- find the four groups of a karate club from four labels;
- take edge convolutions, message passing, Deep Sets and Chebyshev filters apart, and verify their symmetries in numbers;
- tag jets with a small relative of ParticleNet, and classify maps on a sphere without poles.

**You need** matrix products, `keras.Sequential`, and the beginning of chapter 10. **Time:** about 80 minutes, in any order; the cells run in about a minute.

**You will see** that the filter of a graph is a polynomial of its Laplacian, and that a symmetry which is built in need not be learnt.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, layers as graph_layers, metrics, plotting
from dlphys.simulators import jets

check = checks.start("ch10_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
N_JETS = 12_000  # quark and gluon jets, two thirds of them for training
EPOCHS_JETS = 6
N_SETS = 1_500  # sets of points for Deep Sets and message passing
EPOCHS_SETS = 15
N_MAPS = 500  # maps of the sphere
EPOCHS_MAPS = 10

# %% [markdown]
r"""
## Example 10.1: a graph as matrices

The **adjacency matrix** holds in $A_{ij}$ the weight of the edge from node $i$ to node $j$; without directions it is symmetric. The **degree** of a node is the number of edges that
end at it, the sum of its row. It stands on the diagonal of $D$, and the **Laplacian** is $L' = D - A$. An edge from a node to itself ends there twice, so it counts twice: the book
writes $A_{11} = 2$.

**Your task.** Return the three matrices of an undirected graph with weights 1.
"""


# %% task="X10.1" points=2
def graph_matrices(edges, n):
    """Adjacency matrix A, degree matrix D and Laplacian D - A of an undirected graph, each (n, n).

    edges: list of pairs of node numbers, counted from 0, each edge once; (i, i) is a loop and counts twice in A.
    """
    ### BEGIN SOLUTION
    adjacency = np.zeros((n, n))
    for i, j in edges:
        adjacency[i, j] += 1.0
        adjacency[j, i] += 1.0
    degree = np.diag(adjacency.sum(axis=1))
    return adjacency, degree, degree - adjacency
    ### END SOLUTION


# %% check="X10.1"
check("X10.1", graph_matrices)

# %%
graph_matrices = check.catch_up("X10.1", graph_matrices)
EDGES = [(0, 0), (0, 1), (0, 4), (1, 2), (1, 4), (2, 3), (3, 4), (3, 5), (4, 5)]  # Fig. 10.2(a)
PLACES = np.array([(3, 1), (2.2, 0), (1, 0), (0, 1), (1.8, 1.2), (0.6, 2)], float)


def draw_graph(axis, places, edges, colours, names=None, size=380):
    """Nodes as discs, edges as lines; a loop is a ring beside its node."""
    for i, j in edges:
        if i == j:
            ring = plt.Circle(
                places[i] + [0.22, 0.16], 0.2, fill=False, color=plotting.GREY, lw=1.5
            )
            axis.add_patch(ring)
        axis.plot(*places[[i, j]].T, color=plotting.GREY, lw=1.5, zorder=1)
    axis.scatter(*places.T, c=colours, s=size, edgecolors=plotting.INK, zorder=2)
    for number, place in enumerate(places) if names is None else []:
        axis.text(*place, number + 1, ha="center", va="center", color="white", zorder=3)
    axis.set_aspect("equal")
    axis.margins(0.12)
    axis.axis("off")


adjacency, degree, laplacian = graph_matrices(EDGES, 6)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4))
draw_graph(axes[0], PLACES, EDGES, [plotting.COLOURS[0]] * 6)
for axis, matrix, title in zip(
    axes[1:], [adjacency, laplacian], ["$A$", "$L' = D - A$"], strict=True
):
    axis.imshow(matrix, cmap="RdBu", vmin=-6, vmax=6)
    for (i, j), value in np.ndenumerate(matrix):
        axis.text(j, i, f"{value:g}", ha="center", va="center", color=plotting.INK)
    axis.set(
        title=title,
        xticks=range(6),
        yticks=range(6),
        xticklabels=range(1, 7),
        yticklabels=range(1, 7),
    )
    axis.set(xlabel="to node", ylabel="from node")
figure.suptitle("One graph, and what a computer knows of it: rows of the Laplacian add up to zero")
plotting.show(
    "A graph of six nodes with a loop at node 1, its adjacency matrix and its Laplacian as tables of numbers.", figure
)  # fmt: skip

# %% covers="X10.1"
book = [[2, 1, 0, 0, 1, 0], [1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 0], [0, 0, 1, 0, 1, 1], [1, 1, 0, 1, 0, 1], [0, 0, 0, 1, 1, 0]]  # fmt: skip
once = adjacency - np.diag(np.diag(adjacency)) / 2
check.claim("X10.1", adjacency, book, wrong=once)
check.claim("X10.1", np.diag(degree), [4, 3, 2, 3, 4, 2], wrong=once.sum(axis=0))

# %% [markdown]
r"""
Three properties, each verified below.

- **Walks.** $(A^k)_{ij}$ counts the walks of $k$ steps from $i$ to $j$.
- **Names do not matter.** Numbering the nodes anew gives $P A P^T$ with a permutation matrix $P$; the eigenvalues stay.
- **Roughness.** For numbers $f_i$ at the nodes $f^T L' f = \sum_\mathrm{edges} (f_i - f_j)^2$, the *Dirichlet energy*: small if $f$ is smooth.

*A trap.* The normalised Laplacian $L = 1 - D^{-1/2} A D^{-1/2}$ has ones on its diagonal, says (10.1). With the loop of this example $L_{11} = 1 - 2/4$.
The equation holds for graphs without loops.
"""

# %% covers="X10.1"
two_steps = [
    k for k in range(6) if adjacency[1, k] and adjacency[k, 3]
]  # from 2 to 4, by way of node k + 1
f = random.normal(size=6)
roughness = sum((f[i] - f[j]) ** 2 for i, j in EDGES)
order = random.permutation(6)
renamed = adjacency[np.ix_(order, order)]
loop_free = graph_matrices(EDGES[1:], 6)[0]
eigenvalues = np.linalg.eigvalsh(graph_layers.laplacian(loop_free))
print(f"eigenvalues of L without the loop: {np.round(eigenvalues + 0.0, 3)}")
check.claim("X10.1", (adjacency @ adjacency)[1, 3], len(two_steps), wrong=(adjacency**2)[1, 3])
check.claim(
    "X10.1", f @ laplacian @ f, roughness, tolerance=1e-9, wrong=f @ (degree + adjacency) @ f
)
check.claim("X10.1", np.linalg.eigvalsh(renamed), np.linalg.eigvalsh(adjacency), tolerance=1e-9, wrong=np.linalg.eigvalsh(adjacency @ np.eye(6)[order]))  # fmt: skip
check.claim("X10.1", graph_layers.laplacian(adjacency)[0, 0], 0.5, wrong=1.0)
check.claim("X10.1", eigenvalues, [0, 0.592, 0.771, 1.408, 1.5, 1.729], tolerance=1e-3, wrong=np.linalg.eigvalsh(graph_layers.laplacian(adjacency)))  # fmt: skip

# %% [markdown]
r"""
## Example 10.2: the karate club

34 members of a karate club, 78 friendships, four groups. Of one member of each group we know the group; the other 30 are to be found. There are no other data: the
features are the unit matrix, a name tag for each member. A **graph convolution** replaces the features of a node by a weighted sum over itself and its neighbours,

$$H' = \sigma\!\left(\hat D^{-1/2} \hat A\, \hat D^{-1/2} H W\right), \qquad \hat A = 1 + A, \tag{10.3}$$

with the degrees $\hat D$ of $\hat A$. The weights $W$ know nothing of the number of nodes. After four such layers, a node has heard from all within four steps.

**Your task.** Return the matrix in front of $H$. (The degrees are those *with* the edge of each node to itself.)
"""


# %% task="X10.2" points=2
def propagation_matrix(adjacency):
    """The normalised adjacency matrix of (10.3) for an undirected graph without loops.

    adjacency: (n, n), symmetric, weights of the edges. Returns an array (n, n).
    """
    ### BEGIN SOLUTION
    with_loops = adjacency + np.eye(len(adjacency))
    inverse_root = with_loops.sum(axis=1) ** -0.5
    return inverse_root[:, None] * with_loops * inverse_root[None, :]
    ### END SOLUTION


# %% check="X10.2"
check("X10.2", propagation_matrix)

# %% [markdown]
r"""
Only four nodes enter the loss: the others have the weight zero (`sample_weight`). 300 iterations on the same graph are one epoch over 300 copies of it.
The baseline is **label propagation** (Zhu, Ghahramani and Lafferty 2003): every unknown member takes the mean of the neighbours' probabilities, again and again, while the four known ones stay as they are; at the end each group's probabilities are divided
by their sum, since otherwise the group with the most central label takes all. It needs no training. A network that does not know the graph ($\hat A = 1$) shows what the friendships are worth. We repeat with three random starts.
"""

# %%
propagation_matrix = check.catch_up("X10.2", propagation_matrix)
club = datasets.load_karate_club()


def graph_network(n_nodes, n_groups):
    """Four graph convolutions: features and graph in, probabilities of the groups for every node out."""
    features, graph = keras.Input((n_nodes, n_nodes)), keras.Input((n_nodes, n_nodes))
    x = features
    for width in (16, 16, 8):
        x = graph_layers.GraphConvolution(width, activation="tanh")(x, graph)
    x = graph_layers.GraphConvolution(n_groups, activation="softmax")(x, graph)
    return keras.Model([features, graph], x)


def probabilities(graph, seed, iterations=300):
    """Train on the four labelled members; probabilities of the groups, before and after."""
    keras.utils.set_random_seed(seed)
    model = graph_network(34, 4)
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", steps_per_execution=50
    )
    inputs = [club.features[None], graph[None].astype("float32")]
    before = np.asarray(model(inputs))[0]
    copies = [np.repeat(array, iterations, axis=0) for array in inputs]
    labels = np.repeat(club.labels[None], iterations, axis=0)
    known = np.repeat(club.mask_train[None].astype("float32"), iterations, axis=0)
    model.fit(copies, labels, sample_weight=known, batch_size=1, verbose=0)
    return before, np.asarray(model(inputs))[0]


def label_propagation(adjacency, labels, known, iterations=2000):
    """Groups by averaging over the neighbours, without training; (n, 4), the largest entry of a row decides."""
    start = np.where(known[:, None], np.eye(4)[labels], 0.25)
    found = start
    for _ in range(iterations):
        found = adjacency @ found / adjacency.sum(axis=1, keepdims=True)
        found[known] = start[known]
    return found / found.sum(axis=0)


unknown = ~club.mask_train
right = {"graph": [], "no graph": []}
for number in range(3):
    for name, graph in [("graph", propagation_matrix(club.adjacency)), ("no graph", np.eye(34))]:
        before, after = probabilities(graph, check.seed + number)
        right[name].append((after.argmax(axis=1) == club.labels)[unknown].sum())
        if name == "graph" and number == 0:
            shown = {"before": before, "after 300 iterations": after}
propagated = label_propagation(club.adjacency, club.labels, club.mask_train).argmax(axis=1)
baseline = (propagated == club.labels)[unknown].sum()
for name, counts in right.items():
    print(f"four layers, {name:9s} {np.mean(counts):.1f} +- {np.std(counts):.1f} of 30 right (three random starts)")  # fmt: skip
print(f"baseline, label propagation: {baseline} of 30")

# %%
import networkx

places = np.array(list(networkx.spring_layout(club.graph, seed=3).values()))
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.4))
palette = np.array(plotting.COLOURS[:4])
for axis, (name, found) in zip(axes, shown.items(), strict=True):
    group = found.argmax(axis=1)
    draw_graph(axis, places, list(club.graph.edges), palette[group], names=[], size=110)
    wrong = group != club.labels
    axis.scatter(*places[wrong].T, marker="x", s=60, color=plotting.INK, zorder=3, label="wrong")
    axis.scatter(
        *places[club.mask_train].T, s=330, fc="none", ec=plotting.INK, lw=2, label="label known"
    )
    axis.set_title(f"{name}: {wrong[unknown].sum()} of 30 wrong")
axes[1].legend(loc="upper left", bbox_to_anchor=(-0.25, 1))
figure.suptitle("Four labels and the friendships are enough")
plotting.show(
    "The karate club as a graph, coloured by predicted group before and after the training; wrong members are crossed.", figure
)  # fmt: skip

# %% [markdown]
r"""
The network finds nine out of ten; without the friendships it is left with guessing. But look at the baseline: plain averaging finds more. On a graph this small, with no features but names, there is little to learn;
graph convolutions pay when nodes carry features.
"""

# %% covers="X10.2"
check.claim("X10.2", np.mean(right["graph"]), at_least=25, wrong=np.mean(right["no graph"]))
check.claim("X10.2", baseline, at_least=27, wrong=np.mean(right["no graph"]))
check.claim("X10.2", np.abs(propagation_matrix(club.adjacency) - graph_layers.normalized_adjacency(club.adjacency)).max(), at_most=1e-6, wrong=np.abs(graph_layers.normalized_adjacency(club.adjacency, self_loops=False) - propagation_matrix(club.adjacency)).max())  # fmt: skip

# %% [markdown]
r"""
## Examples 10.3 and 10.4: the kernel of an edge convolution

An **edge convolution** needs no graph, only points. Each point $x_i$ looks at its $k$ nearest neighbours $x_{ij}$; a small network, the *kernel* $h_\theta$, makes features of each pair, and
a symmetric operation $\square$ (mean, sum, maximum) collects them:

$$x'_i = \mathop{\square}_j\, h_\theta(x_i, x_{ij}). \tag{10.6}$$

**Example 10.3.** 100 points with three coordinates, five neighbours: the kernel has $2\cdot 3$ inputs, and 10 outputs give each point 10 new features. It is applied 500 times, with the same
weights. Here it has one hidden layer of 16 nodes, and we verify one point by hand.
"""

# %%
points = random.normal(size=(1, 100, 3)).astype("float32")
kernel = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(10)])
convolution = graph_layers.EdgeConv(kernel, k=5, edge="full", aggregation="mean")
features = np.asarray(convolution(points))

i = 17
neighbours = graph_layers.knn_graph(points[0], 5)[i]
pairs = np.stack([np.concatenate([points[0, i], points[0, j] - points[0, i]]) for j in neighbours])
by_hand = np.asarray(kernel(pairs)).mean(axis=0)
print(f"{points.shape[1:]} -> {features.shape[1:]}, {convolution.count_params()} parameters")

# %% covers="X10.3"
others = graph_layers.EdgeConv(kernel, k=5)(random.normal(size=(1, 700, 3)))
turned = np.asarray(kernel(-pairs)).mean(axis=0)
check.claim("X10.3", features.shape, (1, 100, 10), wrong=(1, 100, 5 * 10))
check.claim(
    "X10.3",
    convolution.count_params(),
    6 * 16 + 16 + 16 * 10 + 10,
    wrong=3 * 16 + 16 + 16 * 10 + 10,
)
check.claim("X10.3", np.abs(features[0, i] - by_hand).max(), at_most=1e-5, wrong=np.abs(features[0, i] - turned).max())  # fmt: skip
check.claim("X10.3", others.shape, (1, 700, 10), wrong=features.shape)

# %% [markdown]
r"""
**Example 10.4.** The points may carry properties $f_i$ beside their coordinates. The neighbours are then still found among the coordinates, and the kernel sees both,
$h_\theta(x_i - x_{ij}, f_i, f_{ij})$. With two properties and three coordinates this kernel has $3 + 2\cdot 2$ inputs. If one point changes its properties, exactly
those points notice which count it among their neighbours (and the point itself); a new graph it does not make.
"""

# %% covers="X10.4"
properties = random.normal(size=(1, 100, 2)).astype("float32")
both = graph_layers.EdgeConv([16, 10], k=5, edge="difference")
before = np.asarray(both(points, properties))
changed = properties.copy()
changed[0, i] += 1.0
noticed = np.abs(np.asarray(both(points, changed)) - before).max(axis=(0, 2)) > 1e-7
listed = (graph_layers.knn_graph(points[0], 5) == i).any(axis=1)
listed[i] = True
print(f"{listed.sum()} points are concerned; the point itself has {len(neighbours)} neighbours")
check.claim("X10.4", np.count_nonzero(noticed & ~listed), 0, wrong=100 - listed.sum())
check.claim(
    "X10.4", both.count_params(), 7 * 16 + 16 + 16 * 10 + 10, wrong=6 * 16 + 16 + 16 * 10 + 10
)
check.claim("X10.4", before.shape, (1, 100, 10), wrong=(1, 100, 12))

# %% [markdown]
r"""
## Section 10.4.2: which symmetries does a kernel have?

What the kernel does not see, the result cannot depend on. Below, a cloud of points is shifted, rotated, or listed in another order, and we measure by how much the new features change.

| kernel | shift | rotation | order of the points |
|---|---|---|---|
| $h(x_i,\ x_i - x_{ij})$ | no | no | yes |
| $h(x_i - x_{ij})$ | yes | no | yes |
| $h(\lvert x_i - x_{ij}\rvert)$ | yes | yes | yes |

*A correction.* The book lists the first one as "translational invariance + local information". It is not invariant: $x_i$ itself is an argument. What it gains is that it can tell
places apart.
"""

# %%
axes_of_rotation = np.linalg.qr(random.normal(size=(3, 3)))[0].astype("float32")
rotation = axes_of_rotation * np.sign(np.linalg.det(axes_of_rotation))
order = random.permutation(100)
change = {}
print("kernel            shift     rotation  order")
for edge in ("full", "difference", "distance"):
    layer = graph_layers.EdgeConv([32, 16], k=5, edge=edge)
    before = np.asarray(layer(points))
    scale = before.std()
    moved = {
        "shift": np.asarray(layer(points + np.float32([2, -1, 3]))) - before,
        "rotation": np.asarray(layer(points @ rotation)) - before,
        "order": np.asarray(layer(points[:, order])) - before[:, order],
    }
    for name, difference in moved.items():
        change[edge, name] = np.abs(difference).max() / scale
    print(f"{edge:16s}  " + "  ".join(f"{change[edge, name]:8.0e}" for name in moved))

# %% covers="M10.2"
kept = [("difference", "shift"), ("distance", "shift"), ("distance", "rotation"), ("full", "order"), ("difference", "order"), ("distance", "order")]  # fmt: skip
broken = [("full", "shift"), ("full", "rotation"), ("difference", "rotation")]
check.claim(
    "M10.2",
    max(change[key] for key in kept),
    at_most=1e-3,
    wrong=min(change[key] for key in broken),
)
check.claim(
    "M10.2",
    min(change[key] for key in broken),
    at_least=0.1,
    wrong=max(change[key] for key in kept),
)

# %%
check.quiz("M10.2-q1")

# %% [markdown]
r"""
## Section 10.4.3: ParticleNet on jets

A jet is a cloud of particles: places $(\eta, \varphi)$ about its axis, and properties. **ParticleNet** (Fig. 10.9) finds neighbours among the places in its first block and among the learnt
features afterwards. It has three blocks of three layers, $k = 16$, and about $3.7\cdot10^5$ parameters. Ours has two blocks of two layers and $k = 6$; the jets are quark and gluon jets of 500 to 550 GeV. Gluons radiate more
(9/4 in the colour factors), so gluon jets have more particles and are wider. The **baseline** is a histogram of these two numbers. Beside it stands a **Deep Set** (section 10.4.4): the same without neighbours.

Separations in a jet are about 0.05, so we divide the places by that number; the reason is the subject of `ch10_graphs`.
"""


# %%
data = datasets.load_quark_gluon_jets(N_JETS, seed=check.seed, view="constituents", constituents=30)


def cloud(x):
    """Places in units of 0.05 rad, and properties: logarithms of momenta, charge, and whether there is a particle."""
    present = (x[..., 2:3] != 0).astype("float32")
    far = 100.0 * (
        1 - present
    )  # empty places lie far away, so that no particle has them as neighbours
    places = np.concatenate([x[..., :2] / 0.05 + far, far], axis=-1)
    properties = np.concatenate(
        [x[..., 2:3] / 3, x[..., 3:4] / 5 + present, x[..., 4:], present], axis=-1
    )
    return places.astype("float32"), (properties * present).astype("float32")


def jet_network(neighbours):
    """Two blocks and a sum over particles; blocks are edge convolutions, or dense layers without neighbours."""
    places, properties = keras.Input((30, 3)), keras.Input((30, 4))
    present = properties[..., 3:]
    if neighbours:
        x = graph_layers.EdgeConv([24, 24], k=6, edge="difference")(places, properties)
        x = graph_layers.EdgeConv([24, 24], k=6)(x * present)
    else:
        x = layers.Concatenate()([places * present, properties])
        for width in (24, 24, 24, 24):
            x = layers.Dense(width, activation="relu")(x)
    x = layers.GlobalAveragePooling1D()(
        x * present
    )  # empty places count as zeros, so their number is seen
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model([places, properties], layers.Dense(1, activation="sigmoid")(x))


truth = data.y_test
observables = {part: np.stack([getattr(data, f"extra_{part}")[name] for name in ("multiplicity", "width")], axis=1) for part in ("train", "test")}  # fmt: skip
score = jets.histogram_ratio(observables["train"], data.y_train, observables["test"], bins=10)
areas = {"baseline: multiplicity and width": metrics.area_under_roc(score, truth)}
curves = {"baseline: multiplicity and width": score}
for name, neighbours in [("Deep Set", False), ("edge convolutions", True)]:
    keras.utils.set_random_seed(check.seed)
    model = jet_network(neighbours)
    rate = keras.optimizers.schedules.CosineDecay(5e-3, EPOCHS_JETS * -(-len(data.x_train) // 64))
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    model.fit(cloud(data.x_train), data.y_train, batch_size=64, epochs=EPOCHS_JETS, verbose=0)
    curves[name] = model.predict(cloud(data.x_test), batch_size=250, verbose=0)[:, 0]
    areas[name] = metrics.area_under_roc(curves[name], truth)
    print(f"{name:18s} {model.count_params():5d} parameters")
particle_network = model
for name, (area, error) in areas.items():
    print(f"area under the curve {area:.3f} +- {error:.3f}  {name}")

# %%
figure, axis = plt.subplots(figsize=(5.6, 4.2))
for name, score in curves.items():
    cuts = np.quantile(score, np.linspace(0, 1, 200))
    efficiency = [(score[truth == 1] > cut).mean() for cut in cuts]
    mistaken = [(score[truth == 0] > cut).mean() for cut in cuts]
    style = "--" if "baseline" in name else "-"
    axis.plot(mistaken, efficiency, style, label=f"{name}, area {areas[name][0]:.3f}")
axis.plot([0, 1], [0, 1], color=plotting.GREY, lw=1, label="by lot")
axis.set(xlabel="gluon jets called quark jets (fraction)", ylabel="quark jets found (fraction)")
axis.set(title="Networks find what two good observables know")
axis.legend()
plotting.show("ROC curves of the baseline, a Deep Set and a network of edge convolutions.", figure)

# %% [markdown]
r"""
All three agree within the errors: in these simulated jets, number and width of the particles hold most of what there is, and the networks have found that out from the list of particles. ParticleNet's lead over other networks
was measured on top quarks, whose jets have an inner structure, and with more than a million of them.
"""

# %% covers="M10.3"
area, error = areas["edge convolutions"]
baseline = areas["baseline: multiplicity and width"]
order = random.permutation(30)
places, properties = cloud(data.x_test[:50])
inside = np.asarray(particle_network([places, properties]))
mixed = np.asarray(particle_network([places[:, order], properties[:, order]]))
check.claim("M10.3", area, at_least=baseline[0] - 4 * baseline[1], wrong=0.5)
check.claim("M10.3", np.abs(mixed - inside).mean(), at_most=1e-3, wrong=np.abs(np.asarray(particle_network([places, properties[:, order]])) - inside).mean())  # fmt: skip

# %% [markdown]
r"""
## Sections 10.4.4 and 10.4.5: Deep Sets and message passing

A **Deep Set** sends every point through one network and adds up: $y = \rho\big(\sum_i \phi(x_i)\big)$. Sums, means and counts of points are easy for it. **Message passing** lets nodes speak with each other first,

$$m_i = \mathop{\square}_{j} f(x_i, x_j, e_{ij}), \qquad x'_i = g(x_i, m_i),$$

so quantities of *pairs* come within reach. As a test: 16 particles in a unit square, and two questions. How large is the potential energy in an external field, $\sum_i (x_i^2 + y_i^2)$? And how large is that of their short-ranged
repulsion, $\sum_{i<j} e^{-r_{ij}/0.1}$? The error is given in units of the spread of the answer: 1 means that nothing was learnt. (The update $g$ here passes the message on.)
"""

# %%
squares = random.uniform(size=(N_SETS + 500, 16, 2)).astype("float32")
distance = np.linalg.norm(squares[:, :, None] - squares[:, None], axis=-1)
questions = {
    "energy in a field": (squares**2).sum(axis=(1, 2)),
    "energy of repulsion": (np.exp(-distance / 0.1).sum(axis=(1, 2)) - 16) / 2,
}
table = np.stack(
    [np.delete(np.arange(16), i) for i in range(16)]
)  # everybody is a neighbour of everybody else
near = np.take_along_axis(distance, np.broadcast_to(table, (len(squares), 16, 15)), axis=2)[
    ..., None
]


def set_network(messages):
    """Points in, one number out, with or without messages between points; the same dense layers behind."""
    nodes, edges = keras.Input((16, 2)), keras.Input((16, 15, 1))
    if messages:  # the same table for every set
        everybody = keras.ops.cast(0 * edges[..., 0], "int32") + table
        x = graph_layers.MessagePassing([32, 16], aggregation="mean")(nodes, everybody, edges / 0.1)
    else:
        x = layers.Dense(16, activation="relu")(layers.Dense(32, activation="relu")(nodes))
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model([nodes, edges], layers.Dense(1)(x))


unexplained = {}
for question, answer in questions.items():
    y = (answer - answer[:N_SETS].mean()) / answer[:N_SETS].std()
    for name, messages in [("Deep Set", False), ("message passing", True)]:
        keras.utils.set_random_seed(check.seed)
        model = set_network(messages)
        rate = keras.optimizers.schedules.CosineDecay(1e-2, EPOCHS_SETS * -(-N_SETS // 50))
        model.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=10)
        model.fit(
            [squares[:N_SETS], near[:N_SETS]],
            y[:N_SETS],
            batch_size=50,
            epochs=EPOCHS_SETS,
            verbose=0,
        )
        residual = (
            model.predict([squares[N_SETS:], near[N_SETS:]], batch_size=250, verbose=0)[:, 0]
            - y[N_SETS:]
        )
        unexplained[question, name] = np.sqrt(np.mean(residual**2))
        print(f"{question:22s}  {name:16s} error {unexplained[question, name]:.3f} of the spread")

# %% covers="M10.4"
check.claim("M10.4", unexplained["energy in a field", "Deep Set"], at_most=0.25, wrong=unexplained["energy of repulsion", "Deep Set"])  # fmt: skip
check.claim("M10.4", unexplained["energy of repulsion", "message passing"], at_most=0.35, wrong=unexplained["energy of repulsion", "Deep Set"])  # fmt: skip

# %% [markdown]
r"""
**Example 10.5: the graph convolution is message passing.** With the message $m_{ij} = \hat A_{ij}\, x_j / \sqrt{\deg(i) \deg(j)}$, the sum as aggregation and the update
$x'_i = \sigma(W m_i)$, node by node, we get the matrix product (10.3). The degrees are those of $\hat A$, with self-connections. (The book's text has $A_{ij}$ there, and says "includes self-connections".)
"""

# %% covers="X10.5"
layer = graph_layers.GraphConvolution(3, activation="tanh", use_bias=False)
signal = random.normal(size=(1, 34, 5)).astype("float32")
from_layer = np.asarray(layer(signal, graph_layers.normalized_adjacency(club.adjacency)))[0]
weights = layer.get_weights()[0]
joined = club.adjacency + np.eye(34)
degrees = joined.sum(axis=1)
from_messages = np.zeros((34, 3))
from_sums = np.zeros((34, 3))
for i in range(34):
    messages = [joined[i, j] * signal[0, j] / np.sqrt(degrees[i] * degrees[j]) for j in range(34)]
    from_messages[i] = np.tanh(np.sum(messages, axis=0) @ weights)
    from_sums[i] = np.tanh((joined[i] @ signal[0]) @ weights)  # without the degrees
check.claim("X10.5", np.abs(from_messages - from_layer).max(), at_most=1e-5, wrong=np.abs(from_sums - from_layer).max())  # fmt: skip

# %% [markdown]
r"""
## Section 10.5: convolutions in the spectrum

The eigenvectors $\phi_i$ of the Laplacian, $L = \Phi\Lambda\Phi^T$, are the **Fourier modes** of a graph: on a ring they are sines and cosines, on a grid standing waves. Small eigenvalues belong to smooth modes; modes of
one eigenvalue, such as a wave along the rows and the same along the columns, may come out mixed.
$\hat f = \Phi^T f$ is the Fourier transform, and a convolution multiplies in the spectrum:

$$f' = \Phi\, \mathrm{diag}(\theta)\, \Phi^T f . \tag{10.9}$$
"""

# %%
side = 28
chain = np.eye(side, k=1) + np.eye(side, k=-1)
grid = np.kron(chain, np.eye(side)) + np.kron(np.eye(side), chain)  # rows and columns of a picture
grid_values, grid_modes = np.linalg.eigh(graph_layers.laplacian(grid, normalized=False))
figure, axes = plt.subplots(4, 5, figsize=(8.5, 7.2))
for number, axis in enumerate(axes.flat):
    axis.imshow(grid_modes[:, number].reshape(side, side), cmap="RdBu", vmin=-0.07, vmax=0.07)
    axis.set(xticks=[], yticks=[])
    axis.set_title(f"$\\lambda$ = {grid_values[number] + 0.0:.3f}", fontsize=9.5)
figure.suptitle("The first 20 of 784 modes of a grid of 28 x 28 nodes are standing waves")
plotting.show("Twenty pictures of standing waves, from constant to a few oscillations.", figure)

# %% [markdown]
r"""
On a ring the convolution theorem (10.8) can be verified with NumPy's Fourier transform. The filter with free $\theta_i$ has, however, as many parameters as nodes, belongs to one graph, and reaches everywhere. If $\theta$ is a
*smooth* function of $\lambda$, a polynomial of degree $k-1$, all three flaws go: $L^i$ connects nodes at most $i$ steps apart, and no eigenvectors are needed. **Chebyshev polynomials** are the stable way,

$$f' = \sum_{i=0}^{k-1} \theta_i\, T_i(\tilde L) f, \quad \tilde L = \frac{2}{\lambda_\mathrm{max}} L - 1, \quad T_0 = 1,\ T_1 = \tilde L,\ T_{n+1} = 2\tilde L\, T_n - T_{n-1}. \tag{10.12}$$

**Your task.** Apply this filter to a signal, without eigenvectors.
"""


# %% task="M10.5" points=3
def chebyshev_filter(signal, scaled_laplacian, theta):
    """The sum (10.12) of theta[i] T_i(scaled_laplacian) signal.

    signal: (n,); scaled_laplacian: (n, n), eigenvalues from -1 to 1; theta: one or more coefficients. Returns (n,).
    """
    ### BEGIN SOLUTION
    previous, current = np.zeros_like(signal), signal
    total = theta[0] * signal
    for order in range(1, len(theta)):
        factor = 1.0 if order == 1 else 2.0
        previous, current = current, factor * (scaled_laplacian @ current) - previous * (order > 1)
        total = total + theta[order] * current
    return total
    ### END SOLUTION


# %% check="M10.5"
check("M10.5", chebyshev_filter)

# %%
chebyshev_filter = check.catch_up("M10.5", chebyshev_filter)
n = 40
ring = np.roll(np.eye(n), 1, axis=0) + np.roll(np.eye(n), -1, axis=0)
ring_scaled = graph_layers.scaled_laplacian(ring)
delta = np.eye(n)[n // 2]
ring_values, ring_modes = np.linalg.eigh(graph_layers.laplacian(ring))

smooth = chebyshev_filter(delta, ring_scaled, [0.4, -0.4, 0.2])
rough = ring_modes @ (random.uniform(-1, 1, n) * (ring_modes.T @ delta))
figure, axis = plt.subplots(figsize=(7, 3.4))
axis.plot(smooth, "o-", ms=4, label="three Chebyshev polynomials")
axis.plot(rough, ".:", ms=4, color=plotting.GREY, label="40 free numbers in the spectrum")
axis.set(
    xlabel="node on the ring",
    ylabel="answer to one node",
    title="Smooth in the spectrum means local on the graph",
)
axis.legend()
plotting.show(
    "The polynomial filter answers within two steps of the node, the free filter everywhere.",
    figure,
)

# %% covers="M10.5"
symmetric = np.zeros(n)
symmetric[[0, 1, -1]] = 0.5, 0.25, 0.25  # the filter w of a convolution on the ring
spectrum = ring_modes.T @ np.array([np.roll(symmetric, i) for i in range(n)]) @ ring_modes
signal = random.normal(size=n)
by_fourier = np.fft.ifft(np.fft.fft(signal) * np.fft.fft(symmetric)).real
by_modes = ring_modes @ (np.diag(spectrum) * (ring_modes.T @ signal))
theta = random.normal(size=5)
by_eigenvalues = ring_modes @ (np.polynomial.chebyshev.chebval(ring_values - 1, theta) * (ring_modes.T @ signal))  # fmt: skip
outside = np.abs(np.roll(smooth, -n // 2))[3:-2]
exact = 1 - np.cos(2 * np.pi * np.sort(np.minimum(np.arange(n), n - np.arange(n))) / n)
check.claim("M10.5", ring_values, exact, tolerance=1e-9, wrong=2 * exact)
check.claim("M10.5", by_modes, by_fourier, tolerance=1e-9, wrong=signal * symmetric)
check.claim(
    "M10.5",
    chebyshev_filter(signal, ring_scaled, theta),
    by_eigenvalues,
    tolerance=1e-5,
    wrong=by_fourier,
)
check.claim("M10.5", outside.max(), at_most=1e-6, wrong=np.abs(np.roll(rough, -n // 2))[3:-2].max())

# %% [markdown]
r"""
A Chebyshev filter can be carried to another graph, since $\theta$ belongs to polynomials and not to nodes. And since $L$ is symmetric, so is its kernel: on a ring it cannot tell left from right, as a filter of a CNN can.

**Example 10.6: from ChebNet to GCN.** With $k = 2$ and $\lambda_\mathrm{max} = 2$ the filter is $\theta_0 f + \theta_1 (L - 1) f = \theta_0 f - \theta_1 D^{-1/2} A D^{-1/2} f$. With the choice $\theta_0 = -\theta_1$ one parameter remains,

$$f' = \theta_0 \left(1 + D^{-1/2} A D^{-1/2}\right) f .$$

Its eigenvalues lie between 0 and 2, so twenty layers can multiply a signal by $2^{20}$. The last step *replaces* the bracket by $\hat D^{-1/2} \hat A \hat D^{-1/2}$ with $\hat A = 1 + A$, whose eigenvalues are at most 1. It is a choice, not
an equality. (The book writes hats already before this step, where $L$ has none, and none on $A$ after it.)
"""

# %% covers="X10.6"
members = club.adjacency
plain = graph_layers.normalized_adjacency(members, self_loops=False)
renormalised = graph_layers.normalized_adjacency(members)
first_order = graph_layers.ChebyshevConvolution(1, order=2, use_bias=False)
signal = random.normal(size=(1, 34, 1)).astype("float32")
scaled = graph_layers.scaled_laplacian(members, largest=2.0)
first_order(signal, scaled)
first_order.set_weights([np.array([[0.7], [-0.7]])])
expected = 0.7 * (np.eye(34) + plain) @ signal[0]
found = np.asarray(first_order(signal, scaled))[0]
spectra = {name: np.linalg.eigvalsh(matrix) for name, matrix in [("1 + A", np.eye(34) + plain), ("renormalised", renormalised)]}  # fmt: skip
for name, values in spectra.items():
    print(f"{name:13s} eigenvalues from {values[0]:+.3f} to {values[-1]:.3f}; twenty layers: factor {values[-1] ** 20:.3g}")  # fmt: skip
check.claim("X10.6", np.abs(found - expected).max(), at_most=1e-5, wrong=np.abs(found - renormalised @ signal[0]).max())  # fmt: skip
check.claim("X10.6", spectra["1 + A"][-1], 2, tolerance=1e-5, wrong=spectra["renormalised"][-1])
check.claim("X10.6", spectra["renormalised"][-1], 1, tolerance=1e-5, wrong=spectra["1 + A"][-1])

# %%
check.quiz("X10.6-q1")

# %% [markdown]
r"""
## Section 10.5: a sphere without poles

Maps of the sky live on a sphere. A picture in longitude and latitude stretches everything near the poles, and its left and right borders are neighbours without knowing it. **HEALPix** divides the sphere into $12\,n_\mathrm{side}^2$ pixels
of equal area; **DeepSphere** joins near pixels to a graph and uses Chebyshev filters on it. They depend on distances only, so a filter is nearly the same everywhere and in every direction.

The test: spots on noisy maps, narrow ones (10 degrees) and wide ones (14 degrees). In the training all spots lie near the equator. Then they move to the poles. A convolution on longitude and latitude has the same
task, with as many pixels and a periodic border in longitude.
"""

# %%
NSIDE = 8
pixels = graph_layers.healpix_centres(NSIDE)
latitude, longitude = np.meshgrid(np.radians(np.arange(-85.5, 90, 9)), np.radians(np.arange(0, 360, 9)), indexing="ij")  # fmt: skip
on_grid = np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=-1)  # fmt: skip


def spots(n, near_poles, noise=0.25):
    """Maps with one spot each on HEALPix pixels and on the grid; labels 1 = wide; centres of the spots."""
    z = (
        random.uniform(0.95, 1, n) * random.choice([-1, 1], n)
        if near_poles
        else random.uniform(-0.4, 0.4, n)
    )
    azimuth = random.uniform(0, 2 * np.pi, n)
    across = np.sqrt(1 - z**2)
    centres = np.stack([across * np.cos(azimuth), across * np.sin(azimuth), z], axis=1)
    label = random.integers(0, 2, n)
    width = np.radians(np.where(label, 14, 10))
    result = []
    for places in (pixels, on_grid.reshape(-1, 3)):
        spot = np.exp((centres @ places.T - 1) / width[:, None] ** 2)
        result.append(spot + random.normal(0, noise, spot.shape))
    return (
        result[0][..., None].astype("float32"),
        result[1].reshape(n, *latitude.shape, 1).astype("float32"),
        label.astype("float32"),
    )


def sphere_network():
    """Two Chebyshev convolutions on the sphere; the last but one output is the logit."""
    model = [keras.Input((len(pixels), 1))]
    for _ in range(2):
        model.append(graph_layers.HealpixConvolution(8, NSIDE, order=4, activation="relu"))
    model += [layers.GlobalMaxPooling1D(), layers.Dense(1), layers.Activation("sigmoid")]
    return keras.Sequential(model)


def picture_network():
    """Two ordinary convolutions on longitude and latitude."""
    x = inputs = keras.Input((*latitude.shape, 1))
    for width in (8, 8):
        x = graph_layers.PeriodicPadding2D(((0, 0), (2, 2)))(x)
        x = layers.Conv2D(width, (5, 5), activation="relu")(
            layers.ZeroPadding2D(((2, 2), (0, 0)))(x)
        )
    return keras.Model(
        inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalMaxPooling2D()(x))
    )


train, equator, poles = spots(N_MAPS, False), spots(400, False), spots(400, True)
reached = {}
for name, network, which in [("sphere", sphere_network, 0), ("picture", picture_network, 1)]:
    keras.utils.set_random_seed(check.seed)
    model = network()
    rate = keras.optimizers.schedules.CosineDecay(1e-2, EPOCHS_MAPS * -(-N_MAPS // 32))
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    model.fit(train[which], train[2], batch_size=32, epochs=EPOCHS_MAPS, verbose=0)
    for where, maps in [("equator", equator), ("poles", poles)]:
        found = model.predict(maps[which], batch_size=200, verbose=0)[:, 0] > 0.5
        reached[name, where] = metrics.accuracy_with_error(found == maps[2])
        print(
            f"{name:8s} {where:8s} accuracy {reached[name, where][0]:.3f} +- {reached[name, where][1]:.3f}"
        )
    if which == 0:
        sphere_model = model

# %%
figure, axes = plt.subplots(2, 2, figsize=(9, 5.4))
for row, (where, maps) in zip(
    axes, [("near the equator", equator), ("near a pole", poles)], strict=True
):
    row[0].imshow(maps[1][0, ::-1, :, 0], cmap="viridis", extent=(0, 360, -90, 90), aspect="auto")
    shown = row[1].scatter(np.degrees(np.arctan2(pixels[:, 1], pixels[:, 0])) % 360, pixels[:, 2], c=maps[0][0, :, 0], s=16, cmap="viridis")  # fmt: skip
    row[0].set(ylabel=f"{where}\nlatitude (deg)")
    row[1].set(ylabel="sine of the latitude")
axes[0, 0].set_title("longitude and latitude")
axes[0, 1].set_title("HEALPix pixels")
for axis in axes[1]:
    axis.set_xlabel("longitude (deg)")
figure.suptitle("Near a pole a round spot is torn to a band; HEALPix pixels keep their area")
plotting.show(
    "A spot near the equator and one near a pole, on a longitude-latitude grid and on HEALPix pixels.", figure
)  # fmt: skip

# %% [markdown]
r"""
How exact is the symmetry? A quarter turn about the axis maps HEALPix pixels onto HEALPix pixels and changes nothing at all. Any other rotation moves a spot relative to the pixels. We put one spot without noise at 200 places
and measure the scatter of the network's logit, in units of the difference between a wide and a narrow spot.
"""

# %%
centres = random.normal(size=(200, 3))
centres /= np.linalg.norm(centres, axis=1, keepdims=True)


before_sigmoid = keras.Model(sphere_model.inputs, sphere_model.layers[-2].output)


def logits(centres, degrees):
    """Logit of the sphere network for spots without noise."""
    spot = np.exp((centres @ pixels.T - 1) / np.radians(degrees) ** 2)[..., None]
    return before_sigmoid.predict(spot.astype("float32"), batch_size=200, verbose=0)[:, 0]


narrow, wide = logits(centres, 10), logits(centres, 14)
scatter = (narrow.std() + wide.std()) / 2 / (wide.mean() - narrow.mean())
quarter = centres @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
exactly = np.abs(logits(quarter, 14) - wide).max()
print(f"a quarter turn changes the logit by {exactly:.0e}")
print(f"any rotation scatters it by {scatter:.0%} of the difference between wide and narrow")

# %% covers="M10.6"
check.claim(
    "M10.6", reached["sphere", "poles"][0], at_least=0.8, wrong=reached["picture", "poles"][0]
)
check.claim("M10.6", exactly, at_most=1e-3, wrong=narrow.std())
check.claim("M10.6", scatter, at_most=0.35, wrong=1.0)

# %% tags=["instructor"]
# The loop of example 10.1 deserves a minute: libraries differ (networkx counts a loop once in the adjacency matrix and twice in the degree).
# Discussion: (1) why is label propagation at least as good as the network on the karate club? Both average over neighbours; it has no weights to learn from four labels.
# (2) Four graph convolutions are enough here; with twenty all nodes become alike (over-smoothing): the largest eigenvalue of (10.3) has one eigenvector.
# (3) What would a convolution with orientation on the sphere need? A direction at each pixel, which no smooth field gives (the hairy ball).
for question, answer in [("M10.2-q1", 2), ("X10.6-q1", 3)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A graph is a matrix: adjacency, degree, Laplacian. The Laplacian measures roughness; its eigenvectors are Fourier modes.
- A graph convolution averages over neighbours with weights $1/\sqrt{\deg\deg}$ and is message passing with a linear message.
- The kernel of an edge convolution decides the symmetry: differences for translations, distances for rotations, a symmetric aggregation for the order.
- Deep Sets add up points; messages reach pairs.
- A polynomial of the Laplacian is a local filter without eigenvectors; GCN is its first order, with a normalisation chosen for depth.
- On HEALPix pixels such a filter knows no poles.
"""

# %%
check.summary()
