"""Checks of chapter 16: a graph matrix, a masked loss, and a network that knows four of 34 labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task

ITERATIONS, WIDTH = 300, 16  # as in the notebook


# --- 16.1a --------------------------------------------------------------------------------------------------


def _matrix(
    pairs: np.ndarray,
    n: int,
    *,
    both: bool = True,
    loops: float = 1.0,
    left: float = -0.5,
    right: float = -0.5,
    late_loops: float = 0.0,
    bare_degrees: bool = False,
) -> np.ndarray:
    """The matrix by a loop over the pairs; the keywords make the known mistakes."""
    a = np.zeros((n, n))
    for i, j in np.asarray(pairs):
        a[i, j] = 1.0
        if both:
            a[j, i] = 1.0
    looped = a + loops * np.eye(n)
    degree = (a if bare_degrees else looped).sum(axis=1)
    degree = np.where(degree > 0, degree, 1.0)
    return np.asarray(degree[:, None] ** left * looped * degree**right + late_loops * np.eye(n))


MATRIX_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "one direction": ({"both": False}, "a friendship in both directions: A is symmetric"),
    "no loops": ({"loops": 0.0}, "the member itself too: A + 1 in place of A"),
    "no roots": ({"left": -1.0, "right": -1.0}, "square roots of the degrees, one for either member"),
    "random walk": ({"left": -1.0, "right": 0.0}, "the root of the degree on both sides, not the degree on one"),
    "multiplied": ({"left": 0.5, "right": 0.5}, "divided by the roots of the degrees, not multiplied"),
    "bare degrees": ({"bare_degrees": True}, "the row sums of A + 1, not the numbers of friends"),
    "late loops": ({"loops": 0.0, "late_loops": 1.0}, "1 added before the normalisation, not after it"),
    "not normalised": ({"left": 0.0, "right": 0.0}, "normalised, so that sums do not grow with the friends"),
}


@task("16.1a", section="10.4.1")
def graph_matrix(student: Any, random: np.random.Generator) -> str:
    n = 9
    upper = np.argwhere(np.triu(random.uniform(size=(n, n)) < 0.3, 2))
    pairs = np.concatenate([[[i, i + 1] for i in range(n - 1)], upper])
    pairs = np.where(random.uniform(size=(len(pairs), 1)) < 0.5, pairs, pairs[:, ::-1])
    answer = student(pairs, n)
    expect.shape(answer, (n, n), name="the matrix")
    expect.finite(answer, name="the matrix")
    for changes, because in MATRIX_MISTAKES.values():
        expect.differs(answer, _matrix(pairs, n, **changes), because=because)
    expect.close(answer, np.transpose(answer), because="a symmetric matrix", name="the matrix", rung="physics")
    lonely = student(pairs, n + 1)
    expect.shape(lonely, (n + 1, n + 1), name="the matrix with one more member, who has no friends")
    expect.close(
        np.asarray(lonely)[-1],
        np.eye(n + 1)[-1],
        because="a member without friends listens to himself alone",
        name="his row",
        rung="physics",
    )
    root = np.sqrt(np.bincount(pairs.ravel(), minlength=n) + 1.0)
    expect.close(
        np.asarray(answer, float) @ root,
        root,
        because="the largest eigenvalue 1, with the roots of the degrees as its eigenvector",
        name="the product with the roots",
        rung="physics",
    )
    expect.close(answer, _matrix(pairs, n), because="D^-1/2 (A + 1) D^-1/2", name="the matrix")
    return "its largest eigenvalue is 1, so many layers neither blow up nor die out"


def _matrices(changes: dict[str, Any]) -> Callable[..., Any]:
    def graph_matrix(pairs: np.ndarray, n_members: int) -> Any:
        return _matrix(pairs, n_members, **changes)

    return graph_matrix


graph_matrix.hints = (
    "Begin with the unit matrix, np.eye(n_members): these are the loops. Then put in a 1 for each pair.",
    "pairs[:, 0] and pairs[:, 1] are index arrays: matrix[pairs[:, 0], pairs[:, 1]] = 1 sets all at once; do it for "
    "both orders.",
    "Take the row sums after that, and divide each entry by the root of the sum of its row and of its column.",
)
graph_matrix.mistakes = {
    **{
        name: (_matrices(changes), because.partition(":")[0].partition(",")[0])
        for name, (changes, because) in MATRIX_MISTAKES.items()
        if name not in ("random walk", "multiplied", "not normalised")
    },
    "random walk": (_matrices(MATRIX_MISTAKES["random walk"][0]), "not the degree on one"),
    "multiplied": (_matrices(MATRIX_MISTAKES["multiplied"][0]), "not multiplied"),
    "not normalised": (_matrices(MATRIX_MISTAKES["not normalised"][0]), "do not grow with the friends"),
    "two loops": (_matrices({"loops": 2.0}), "as its eigenvector"),
    "members that have friends": (
        lambda pairs, n_members: _matrix(pairs, int(np.max(pairs)) + 1),
        "one more member",
    ),
}

# --- 16.1b --------------------------------------------------------------------------------------------------


def _nats(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Cross-entropy of each node."""
    return np.asarray(-np.log(np.asarray(probabilities, float)[np.arange(len(labels)), labels]))


LOSS_MISTAKES: dict[str, tuple[Callable[[np.ndarray, np.ndarray, np.ndarray], Any], str]] = {
    "all nodes": (lambda y, p, m: _nats(y, p).mean(), "only the labelled nodes: the mask has been forgotten"),
    "unlabelled": (lambda y, p, m: _nats(y, p)[~m].mean(), "the labelled nodes, where the mask is True, not the rest"),
    "divided by all": (
        lambda y, p, m: _nats(y, p)[m].sum() / len(m),
        "the mean over the labelled nodes: divided by their number, not by that of all nodes",
    ),
    "sum": (lambda y, p, m: _nats(y, p)[m].sum(), "the mean of the labelled nodes, not their sum"),
    "sign": (lambda y, p, m: -_nats(y, p)[m].mean(), "minus the logarithm: a loss falls as the probability rises"),
    "decimal": (lambda y, p, m: _nats(y, p)[m].mean() / np.log(10), "the natural logarithm"),
    "squares": (
        lambda y, p, m: ((np.eye(p.shape[1])[y] - p) ** 2).sum(axis=1)[m].mean(),
        "the cross-entropy, not squared differences",
    ),
    "log of the mean": (
        lambda y, p, m: -np.log(np.exp(-_nats(y, p)[m]).mean()),
        "the mean of the logarithms, not the logarithm of the mean",
    ),
    "all groups": (
        lambda y, p, m: -np.log(p[m]).mean(),
        "the probability of the node's own label, not of all groups",
    ),
}


@task("16.1b", section="16.1")
def masked_loss(student: Any, random: np.random.Generator) -> str:
    n, groups = 12, 3
    probabilities = random.dirichlet(np.ones(groups) * 2, size=n).clip(0.02, None)
    probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
    labels = random.integers(0, groups, n)
    mask = np.isin(np.arange(n), random.choice(n, 5, replace=False))
    answer = student(labels, probabilities, mask)
    if getattr(answer, "shape", None) == (n,):
        expect.holds(False, because="one number: the mean", seen=f"{n} numbers, one for each node", rung="shape")
    expect.number(answer, name="the loss")
    for wrong, because in LOSS_MISTAKES.values():
        expect.differs(float(answer), wrong(labels, probabilities, mask), because=because, rtol=1e-5)
    relabelled = np.where(mask, labels, (labels + 1) % groups)
    expect.close(
        student(relabelled, probabilities, mask),
        answer,
        rtol=1e-5,
        because="the same loss, whatever stands in the array of labels for nodes without label",
        rung="physics",
    )
    certain = probabilities.copy()
    certain[~mask] = np.eye(groups, dtype=np.float32)[(labels[~mask] + 1) % groups]
    expect.close(
        np.nan_to_num(np.asarray(student(labels, certain, mask), float), nan=1e9, posinf=1e9),
        answer,
        rtol=1e-5,
        because="the same loss if unlabelled nodes have a probability of zero: zero times infinity is no number",
        rung="physics",
    )
    order = random.permutation(n)
    expect.close(
        student(labels[order], probabilities[order], mask[order]),
        answer,
        rtol=1e-5,
        because="the same loss in another order of the nodes",
        rung="physics",
    )
    right = float(_nats(labels, probabilities)[mask].mean())
    expect.close(float(answer), right, rtol=1e-4, because="the mean of -ln p(label) over the labelled nodes")
    return "labels and probabilities of the other nodes do not matter"


def _losses(wrong: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    def masked_loss(labels: np.ndarray, probabilities: np.ndarray, mask: np.ndarray) -> Any:
        return wrong(labels, probabilities, mask)

    return masked_loss


def _times_mask(labels: np.ndarray, probabilities: np.ndarray, mask: np.ndarray) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((_nats(labels, probabilities) * mask).sum() / mask.sum())


masked_loss.hints = (
    "np.flatnonzero(mask) gives the numbers of the labelled nodes; ops.take(probabilities, numbers, axis=0) the rows.",
    "ops.one_hot(labels, groups) picks the probability of the label: multiply and sum over the last axis.",
    "Take the logarithm of these few probabilities, then the mean with a minus sign. A logarithm of all nodes times "
    "the mask fails where an unlabelled node has the probability 0.",
)
masked_loss.mistakes = {
    **{name: (_losses(wrong), because.partition(":")[0]) for name, (wrong, because) in LOSS_MISTAKES.items()},
    "times the mask": (_times_mask, "zero times infinity"),
    "no mean": (_losses(lambda y, p, m: _nats(y, p) * m), "one for each node"),
}

# --- 16.1c --------------------------------------------------------------------------------------------------


def _chain(n: int) -> np.ndarray:
    """Normalised adjacency of a chain of nodes."""
    return _matrix(np.array([[i, i + 1] for i in range(n - 1)]), n).astype(np.float32)


@task("16.1c", section="16.4")
def build_network(student: Any, random: np.random.Generator) -> str:
    n, inputs, groups = 9, 6, 3
    features = random.normal(size=(1, n, inputs)).astype(np.float32)
    graph = _chain(n)[None]
    model = student(inputs, groups, 12)
    expect.is_model(model)
    answer = model.predict([features, graph])
    expect.shape(answer, (1, n, groups), name="the output for one graph of 9 nodes")
    expect.finite(answer, name="the output")
    convolutions = [layer for layer in model.layers if layer["class_name"] == "GraphConvolution"]
    expect.holds(
        len(convolutions) == 4,
        because="four graph convolutions",
        seen=f"{len(convolutions)} GraphConvolution",
        rung="known mistake",
    )
    by_node = np.asarray(answer, float).sum(axis=2)
    by_group = np.asarray(answer, float).sum(axis=1)
    expect.holds(
        not np.allclose(by_group, 1, atol=1e-4),
        because="probabilities of the groups for each node, not the other way round: softmax over the last axis",
        seen="outputs that add up to 1 over the nodes",
        rung="known mistake",
    )
    expect.holds(
        np.min(answer) >= 0,
        because="probabilities, which are never negative: a softmax at the end",
        seen=f"outputs down to {np.min(answer):.3g}",
        rung="known mistake",
    )
    expect.holds(
        np.allclose(by_node, 1, atol=1e-4),
        because="probabilities that add up to 1 for each node",
        seen=f"sums from {by_node.min():.3g} to {by_node.max():.3g}",
        rung="known mistake",
    )
    bent = [layer["config"].get("activation") not in ("linear", None) for layer in convolutions[:3]]
    expect.holds(
        all(bent),
        because="an activation in each hidden layer: four linear layers are one, with the fourth power of the matrix",
        seen=f"{3 - sum(bent)} hidden layers without activation",
        rung="known mistake",
    )
    widths = [layer["config"].get("units") for layer in convolutions]
    expect.equal(
        widths, [12, 12, 12, groups], because="hidden layers of `width` features", name="the list of their sizes",
        rung="known mistake",
    )  # fmt: skip
    touched = features.copy()
    touched[0, 0] += 1.0
    moved = np.abs(np.asarray(model.predict([touched, graph]), float) - answer).max(axis=-1)[0]
    expect.at_most(
        moved[5:],
        1e-6,
        because="a node that has heard nothing from a node five friendships away: four layers reach four",
        name="the change at distance 5 and more",
    )
    expect.at_least(
        moved[4],
        1e-9,
        because="a node that hears from four friendships away: each of the four layers gets the graph",
        name="the change at distance 4",
    )
    order = random.permutation(n)
    renamed = model.predict([features[:, order], graph[:, order][:, :, order]])
    expect.close(
        renamed,
        np.asarray(answer)[:, order],
        atol=1e-5,
        because="the same answers, renamed, if the nodes are renamed",
        name="the output",
        rung="physics",
    )
    small = model.predict([features[:, :5], _chain(5)[None]])
    expect.shape(small, (1, 5, groups), name="the output for a graph of five nodes")
    return f"{model.count_params()} parameters, whatever the number of nodes"


def _network(
    *,
    layers: int = 4,
    hidden: str | None = "tanh",
    last: str | None = "softmax",
    over_nodes: bool = False,
    graph_until: int = 4,
    dense: bool = False,
    widths: Callable[[int], int] = lambda width: width,
    nodes: int | None = None,
) -> Callable[[int, int, int], Any]:
    """A build_network() with the given choices, right or wrong."""

    def build_network(n_features: int, n_groups: int, width: int) -> Any:
        import keras

        from dlphys.layers import GraphConvolution

        given, graph = keras.Input((nodes, n_features)), keras.Input((nodes, nodes))
        x = given
        for number in range(layers):
            final = number == layers - 1
            units, activation = (n_groups, last) if final else (widths(width), hidden)
            if dense:
                x = keras.layers.Dense(units, activation=activation)(x)
            else:
                x = GraphConvolution(units, activation=activation)(x, graph if number < graph_until else 0.0 * graph)
        if over_nodes:
            x = keras.layers.Softmax(axis=1)(x)
        return keras.Model([given, graph], x)

    return build_network


build_network.hints = (
    "Two inputs: keras.Input((None, n_features)) for the nodes and keras.Input((None, None)) for the matrix.",
    "x = GraphConvolution(width, activation='tanh')(x, edges), three times; then the same with n_groups and softmax.",
    "return keras.Model([nodes, edges], x): the features first, then the graph.",
)
build_network.mistakes = {
    "three layers": (_network(layers=3), "3 GraphConvolution"),
    "dense layers": (_network(dense=True), "0 GraphConvolution"),
    "no softmax": (_network(last=None), "a softmax at the end"),
    "sigmoid": (_network(last="sigmoid"), "add up to 1 for each node"),
    "softmax over the nodes": (_network(last=None, over_nodes=True), "softmax over the last axis"),
    "linear": (_network(hidden=None), "four linear layers are one"),
    "narrow": (_network(widths=lambda width: width // 2), "hidden layers of `width` features"),
    "graph only at first": (_network(graph_until=3), "each of the four layers gets the graph"),
}

# --- 16.1d --------------------------------------------------------------------------------------------------


def _club() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, normalised adjacency, labels and mask of the karate club."""
    import contextlib
    import io

    from dlphys import datasets
    from dlphys.layers import normalized_adjacency

    with contextlib.redirect_stdout(io.StringIO()):
        club = datasets.load_karate_club()
    graph = np.asarray(normalized_adjacency(club.adjacency), np.float32)
    return club.features, graph, club.labels, club.mask_train


def _trained_with(train: Any, random: np.random.Generator) -> tuple[Any, np.ndarray]:
    """What a training function makes of a network of the check's own; unlabelled members get labels by lot."""
    features, graph, labels, mask = _club()
    lots = np.where(mask, labels, random.integers(0, 4, len(labels)))
    return train(_network()(34, 4, WIDTH), features, graph, lots, mask, ITERATIONS), lots


@task("16.1d", section="16.4")
def train_network(student: Any, random: np.random.Generator) -> str:
    features, graph, labels, mask = _club()
    model, lots = _trained_with(student, random)
    expect.is_model(model, name="the answer (return the model itself)")
    answer = model.predict([features[None], graph[None]])
    expect.shape(answer, (1, 34, 4), name="the model's output")
    found = np.asarray(answer)[0].argmax(axis=1)
    by_lot = (found == lots)[~mask].mean()
    expect.holds(
        by_lot < 0.7 or (found == labels)[~mask].mean() > 0.7,
        because="labels of the 30 others must not enter: the check drew them by lot, and the network knows them",
        seen=f"{by_lot:.0%} of these lots reproduced",
        rung="known mistake",
    )
    if not (found == labels)[mask].all():
        alone = np.asarray(model.predict([features[None], np.eye(34, dtype=np.float32)[None]]))[0].argmax(axis=1)
        expect.holds(
            not (alone == labels)[mask].all(),
            because="a training with the graph that was given: this network is right if nobody has friends",
            seen="labelled members wrong with the friendships, right without them",
            rung="known mistake",
        )
    expect.holds(
        (found == labels)[mask].all(),
        because="all four labelled members right after the training: have the steps been made, on the labelled ones?",
        seen=f"{(found == labels)[mask].sum()} of 4 right",
        rung="known mistake",
    )
    count = int((found == labels)[~mask].sum())
    expect.reaches("16.1d", count, name="the number of other members that are right")
    return f"4 of 4 labelled members right, {count} of the 30 others"


@bar("16.1d", better="higher", unit="members", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    features, graph, labels, mask = _club()
    model, _ = _trained_with(reference("16.1d"), np.random.default_rng(seed))
    found = model.predict([features[None], graph[None]], verbose=0)[0].argmax(axis=1)
    return float((found == labels)[~mask].sum())


def _training(
    *,
    steps: int = 300,
    rate: float = 0.01,
    which: Callable[[np.ndarray], np.ndarray] = lambda mask: mask,
    graph_used: bool = True,
    returns: str = "model",
) -> Callable[..., Any]:
    """A wrong train_network(), by fit() with weights."""

    def train_network(model: Any, features: Any, graph: Any, labels: Any, mask: Any, iterations: int) -> Any:
        import keras

        used = np.repeat((graph if graph_used else np.eye(len(graph), dtype=np.float32))[None], max(steps, 1), axis=0)
        weight = np.repeat(which(mask).astype(np.float32)[None] * len(mask) / which(mask).sum(), len(used), axis=0)
        inputs = [np.repeat(features[None], len(used), axis=0), used]
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", steps_per_execution=max(steps, 1))
        history = None
        if steps:
            truth = np.repeat(labels[None], steps, axis=0)
            history = model.fit(inputs, truth, sample_weight=weight, batch_size=1, verbose=0)
        return history if returns == "history" else model

    return train_network


train_network.hints = (
    "model([features[None], graph[None]])[0] are the probabilities of all members; give them to masked_loss inside a "
    "function loss() without arguments.",
    "value, slopes = autodiff.value_and_gradients(loss, model.trainable_variables), then "
    "optimizer.apply(slopes, model.trainable_variables). Call optimizer.build(variables) once before.",
    "Put these two lines into a function with @autodiff.compiled and call it `iterations` times.",
)
train_network.mistakes = {
    "no step": (_training(steps=0), "have the steps been made"),
    "all labels": (_training(which=np.ones_like, rate=0.03), "must not enter"),
    "without the graph": (_training(graph_used=False, steps=150), "right if nobody has friends"),
    "returns the history": (_training(steps=2, returns="history"), "return the model itself"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "16.1-q1",
    question="29 of 30 members were right at step 1230 of a training, the best of all steps, chosen on these 30. What "
    "should be expected of the same recipe on another club of this kind?",
    options=(
        "29 of 30, with the statistical error of a fraction.",
        "Less: the maximum over many steps lies above the mean, and the start and the four labels fluctuate besides.",
        "More, since the step is chosen well now.",
    ),
    answer=2,
    explanation="What is chosen on the events that are reported is biased upwards. Choose on other members, and quote "
    "the spread over starts and over labels.",
)
quiz(
    "16.1-q2",
    question="A 35th person joins the club and makes three friends. Can the trained network say in which group?",
    options=(
        "Yes: the weights of a graph convolution do not depend on the number of nodes.",
        "Yes, if the normalised adjacency is computed anew.",
        "No: the input is a name tag of 34 digits, and no weight belongs to a new name.",
        "No: graph networks need all labels of a club.",
    ),
    answer=3,
    explanation="The learning was transductive: the points to label are part of the training. With features that mean "
    "something for any person, the same layers could take the newcomer.",
)
