"""Checks of chapter 10: neighbours on a sphere, an edge convolution, a graph network for skies of cosmic rays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.simulators import cosmic_rays

K, SCALE = 8, 0.08
N_TRAIN, N_VALIDATION, N_TEST, EPOCHS = 1_500, 100, 1_000, 3  # a third of the notebook's skies: enough for the bar


def _directions(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    x = random.normal(size=(*shape, 3))
    return np.asarray(x / np.linalg.norm(x, axis=-1, keepdims=True))


# --- M10.1 --------------------------------------------------------------------------------------------------


@task("M10.1", section="10.3")
def nearest_on_sphere(student: Any, random: np.random.Generator) -> str:
    n, k = 40, 6
    x = _directions((n,), random)
    angle = np.arccos(np.clip(x @ x.T, -1, 1))
    np.fill_diagonal(angle, 0.0)
    ranked = np.argsort(angle, axis=1)
    right = ranked[:, 1 : k + 1]
    answer = student(x, k)
    expect.is_array(answer, name="the neighbours")
    if answer.shape == (n, k + 1):
        expect.holds(
            False,
            because="k neighbours, without the direction itself",
            seen=f"{k + 1} columns for k = {k}",
            rung="shape",
        )
    expect.shape(answer, (n, k), name="the neighbours")
    expect.dtype(answer, "i", name="the neighbours")
    known = {
        "a direction is not its own neighbour: its angle with itself is zero": ranked[:, :k],
        "the largest cosines belong to the smallest angles: these are the farthest": ranked[:, : -k - 1 : -1],
        "the nearest first": right[:, ::-1],
        "all three coordinates": np.argsort(
            np.linalg.norm(x[:, None, :2] - x[None, :, :2], axis=-1) + 9 * np.eye(n), axis=1
        )[:, :k],
        "the neighbours of each direction, not the same for all": np.tile(right[0], (n, 1)),
        "the angle, not its modulus: the opposite point is far": np.argsort(-np.abs(x @ x.T) + 9 * np.eye(n), axis=1)[
            :, :k
        ],
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    expect.equal(
        student(x @ turn, k),
        answer,
        because="the same neighbours after a rotation of the sky: only angles count",
        rung="physics",
    )
    expect.equal(
        np.asarray(student(x, n - 1)).shape,
        (n, n - 1),
        because="at most n - 1 neighbours",
        name="the shape",
        rung="physics",
    )
    expect.equal(answer, right, because="the k smallest angles of each direction", name="the table of neighbours")
    return f"{np.mean((np.sort(answer, 1) != np.arange(k)).any(1)):.0%} of {n} directions have neighbours of their own"


def _nearest(choose: Callable[[np.ndarray, int], np.ndarray]) -> Callable[..., np.ndarray]:
    """A wrong nearest_on_sphere(), from the matrix of cosines with itself on the diagonal."""

    def nearest_on_sphere(directions: np.ndarray, k: int) -> np.ndarray:
        cosine = np.asarray(directions @ directions.T)
        np.fill_diagonal(cosine, 1.0)
        return choose(cosine, k)

    return nearest_on_sphere


def _flat(directions: np.ndarray, k: int) -> np.ndarray:
    gap = np.linalg.norm(directions[:, None, :2] - directions[None, :, :2], axis=2)
    return np.argsort(gap + 9 * np.eye(len(gap)), axis=1)[:, :k]


nearest_on_sphere.hints = (
    "directions @ directions.T holds the cosines of all pairs. Which entries of a row are the largest, without the "
    "diagonal?",
    "np.argsort sorts upwards: sort the cosines with a minus sign, and keep the first k columns.",
    "Before sorting, set the diagonal to something below -1 with np.fill_diagonal, so that nobody finds itself.",
)
nearest_on_sphere.mistakes = {
    "itself included": (_nearest(lambda c, k: np.argsort(-c, axis=1)[:, :k]), "not its own neighbour"),
    "farthest": (_nearest(lambda c, k: np.argsort(c, axis=1)[:, :k]), "these are the farthest"),
    "nearest last": (_nearest(lambda c, k: np.argsort(-c, axis=1)[:, k:0:-1]), "the nearest first"),
    "two coordinates": (_flat, "all three coordinates"),
    "modulus": (
        _nearest(lambda c, k: np.argsort(-np.abs(c) + 9 * np.eye(len(c)), axis=1)[:, :k]),
        "the opposite point is far",
    ),
    "one too many": (_nearest(lambda c, k: np.argsort(-c, axis=1)[:, : k + 1]), "without the direction itself"),
    "cosines": (_nearest(lambda c, k: -np.sort(-c, axis=1)[:, 1 : k + 1]), "whole numbers"),
}

# --- 10.1a --------------------------------------------------------------------------------------------------


def _edge(
    points: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    *,
    pair: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] = lambda here, there: (here, there - here),
    collect: Callable[[np.ndarray], np.ndarray] = lambda e: np.maximum(e, 0).mean(axis=1),
) -> np.ndarray:
    """The edge convolution; the keywords make the known mistakes."""
    there = points[neighbours]
    here = np.repeat(points[:, None], neighbours.shape[1], axis=1)
    return collect(np.concatenate(pair(here, there), axis=2) @ weights + bias)


EDGE_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "sign": ({"pair": lambda h, t: (h, h - t)}, "the way to the neighbour: x_ij - x_i, not x_i - x_ij"),
    "neighbour itself": ({"pair": lambda h, t: (h, t)}, "the difference, not the neighbour itself"),
    "order": ({"pair": lambda h, t: (t - h, h)}, "first the rows of W for x_i, then those for the difference"),
    "ReLU after the mean": (
        {"collect": lambda e: np.maximum(e.mean(axis=1), 0)},
        "first the ReLU for every pair, then the mean",
    ),
    "no ReLU": ({"collect": lambda e: e.mean(axis=1)}, "a ReLU: without it the kernel is linear"),
    "sum": ({"collect": lambda e: np.maximum(e, 0).sum(axis=1)}, "the mean over the neighbours, not the sum"),
    "maximum": ({"collect": lambda e: np.maximum(e, 0).max(axis=1)}, "the mean, not the largest answer"),
}


@task("10.1a", section="10.4.2")
def edge_convolution(student: Any, random: np.random.Generator) -> str:
    n, k, d, f = 20, 5, 3, 4
    points, weights, bias = random.normal(size=(n, d)), random.normal(size=(2 * d, f)), random.normal(size=f)
    neighbours = np.array([random.choice(np.delete(np.arange(n), i), k, replace=False) for i in range(n)])
    answer = student(points, neighbours, weights, bias)
    if getattr(answer, "shape", None) == (n, k, f):
        expect.holds(False, because="one vector a point: the mean over its neighbours", seen="(n, k, f)", rung="shape")
    expect.shape(answer, (n, f), name="the new features")
    expect.finite(answer, name="the new features")
    given = (points, neighbours, weights, bias)
    for changes, because in EDGE_MISTAKES.values():
        expect.differs(answer, _edge(*given, **changes), because=because)
    expect.differs(answer, _edge(points, neighbours, weights, 0 * bias), because="the bias, inside the ReLU")
    expect.close(
        student(points, neighbours[:, ::-1].copy(), weights, bias),
        answer,
        atol=1e-12,
        because="the order in which neighbours are listed does not matter to a mean",
        rung="physics",
    )
    blind = weights.copy()
    blind[:d] = 0.0
    expect.close(
        student(points + 7.0, neighbours, blind, bias),
        student(points, neighbours, blind, bias),
        atol=1e-9,
        because="a kernel that sees only differences does not notice a translation",
        rung="physics",
    )
    expect.close(
        answer,
        _edge(*given),
        atol=1e-9,
        because="the mean over the neighbours of ReLU((x_i, x_ij - x_i) W + b)",
        name="the new features",
    )
    return f"{n} points, {weights.size + bias.size} parameters; as many for 500 points"


def _convolution(changes: dict[str, Any]) -> Callable[..., np.ndarray]:
    """A wrong edge_convolution()."""

    def edge_convolution(
        points: np.ndarray, neighbours: np.ndarray, weights: np.ndarray, bias: np.ndarray
    ) -> np.ndarray:
        return _edge(points, neighbours, weights, bias, **changes)

    return edge_convolution


edge_convolution.hints = (
    "points[neighbours] has the shape (n, k, d): the neighbours of every point. points[:, None] has (n, 1, d).",
    "Put x_i and the difference side by side along the last axis (np.broadcast_to gives x_i the axis k), then multiply "
    "with W and add b.",
    "np.maximum(..., 0) for every pair, and only then .mean(axis=1) over the neighbours.",
)
edge_convolution.mistakes = {
    **{
        name: (_convolution(changes), because.partition(":")[0])
        for name, (changes, because) in EDGE_MISTAKES.items()
        if name != "sign"
    },
    "sign": (_convolution(EDGE_MISTAKES["sign"][0]), "not x_i - x_ij"),
    "no bias": (
        lambda points, neighbours, weights, bias: _edge(points, neighbours, weights, 0 * bias),
        "inside the ReLU",
    ),
    "pairs": (_convolution({"collect": lambda e: np.maximum(e, 0)}), "one vector a point"),
}

# --- 10.1b --------------------------------------------------------------------------------------------------


def _skies(n: int, random: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Skies with their tables of neighbours, and the labels."""
    from dlphys.layers import knn_graph

    skies = cosmic_rays.simulate(n, seed=random)
    x = skies.data
    x[..., 3] = np.log10(skies.energy / cosmic_rays.MINIMUM_ENERGY)
    return [x, knn_graph(skies.directions, K)], skies.label.astype(np.float32)


def _logit(model: Any, x: list[np.ndarray]) -> np.ndarray:
    """The number in front of the sigmoid, as far as single precision gives it back; in slices, to save memory."""
    slices = [slice(i, i + 250) for i in range(0, len(x[0]), 250)]
    p = np.concatenate([np.asarray(model.predict([array[part] for array in x]), float) for part in slices])
    p = np.clip(p[:, 0], 1e-7, 1 - 1e-7)
    return np.log(p / (1 - p))


def _tables(config: Any) -> list[bool]:
    """For each edge convolution of a model whether it was given a table of neighbours."""
    given = []
    for layer in config["config"]["layers"]:
        if layer["class_name"] == "EdgeConv":
            (node, *_) = layer["inbound_nodes"]
            third = node["args"][2] if len(node["args"]) > 2 else None
            given.append((node["kwargs"] or {}).get("neighbours", third) is not None)
    return given


@task("10.1b", section="10.4.3")
def build_network(student: Any, random: np.random.Generator) -> str:
    (x, table), _ = _skies(6, random)
    model = student(K, SCALE, False)
    expect.is_model(model)
    given = [x, table]
    answer = model.predict(given)
    expect.shape(answer, (6, 1), name="the output for six skies")
    expect.finite(answer, name="the output")
    expect.has_layers(model, "EdgeConv", because="edge convolutions: EdgeConv, twice")
    expect.holds(
        len(_tables(model.config)) >= 2,
        because="two edge convolutions, one after the other",
        seen=f"{len(_tables(model.config))} EdgeConv",
        rung="known mistake",
    )
    expect.activation(model, not_="softmax", because="not softmax: over one output it is always 1")
    expect.activation(model, is_="sigmoid", because="an output between 0 and 1, since it is a probability")
    few = model.predict([x[:, :300], np.minimum(table[:, :300], 299)])
    expect.shape(few, (6, 1), name="the output for skies of 300 arrivals")
    expect.has_layers(
        model,
        "BatchNormalization",
        because="batch normalisation after the pooling: a source changes the mean over 500 points by a few per cent",
    )
    far = student(K, 1e-3 * SCALE, False)
    here = _logit(model, given)
    larger = [np.concatenate([1000 * x[..., :3], x[..., 3:]], axis=-1).astype(np.float32), table]
    reach, ignored = np.abs(_logit(far, given)).mean(), np.abs(_logit(model, given)).mean()
    seen = f"logits of about {ignored:.2g} with scale={SCALE:g} and of {reach:.2g} with a scale 1000 times smaller"
    wide = np.abs(_logit(model, larger)).mean()
    expect.holds(
        wide > 5 * ignored + 1e-6,
        because="an output that depends on the distances: edge='distance' among the skies' first three columns",
        seen=f"logits of about {ignored:.2g}, and of {wide:.2g} with distances 1000 times as large",
    )
    expect.holds(
        reach > 5 * ignored,
        because="coordinates divided by `scale`: neighbours are 0.08 rad apart, and the kernel needs numbers near 1",
        seen=seen,
        rung="known mistake",
    )
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    rotated = [np.concatenate([x[..., :3] @ turn, x[..., 3:]], axis=-1).astype(np.float32), table]
    expect.holds(
        np.abs(_logit(model, rotated) - here).max() < 1e-3,
        because="the same output for a rotated sky: the kernel sees distances, edge='distance'",
        seen=f"the logit changes by {np.abs(_logit(model, rotated) - here).max():.2g}",
    )
    lighter = [np.concatenate([x[..., :3], 0 * x[..., 3:]], axis=-1).astype(np.float32), table]
    expect.at_least(
        np.abs(_logit(model, lighter) - here).max(),
        1e-6,
        because="an output that depends on the energies: the features of the first edge convolution",
        name="the change of the logit without energies",
    )
    order = random.permutation(500)
    back = np.argsort(order)
    shuffled = [x[:, order], back[table[:, order]].astype(np.int32)]
    expect.at_most(
        np.abs(_logit(model, shuffled) - here).max(),
        1e-3,
        because="the same output for another order of the arrivals: pool with a mean, do not flatten",
        name="the change of the logit",
    )
    dynamic = student(K, SCALE, True)
    expect.shape(dynamic.predict(given), (6, 1), name="the output of the dynamic network")
    used = {"dynamic=False": _tables(model.config), "dynamic=True": _tables(dynamic.config)}
    expect.holds(
        used["dynamic=True"][0],
        because="the first edge convolution uses the table in both networks: on the sky the neighbours are known",
        seen="no table for the first EdgeConv",
        rung="known mistake",
    )
    expect.holds(
        all(used["dynamic=False"]),
        because="the static network gives the table to both of its edge convolutions: neighbours=table",
        seen="an EdgeConv without a table, with dynamic=False",
    )
    expect.holds(
        not used["dynamic=True"][-1],
        because="the dynamic network gives its second edge convolution no table, so that it looks among the features",
        seen="a table for the last EdgeConv, with dynamic=True",
    )
    return f"{model.count_params()} parameters, whatever the number of arrivals; no rotation changes the output"


def _network(
    *,
    divide: float = 1.0,
    edge: str = "distance",
    pool: str = "mean",
    normalise: bool = True,
    last: str = "sigmoid",
    tables: tuple[bool | None, ...] = (True, None),
    energies: bool = True,
    use_scale: bool = True,
    arrivals: int | None = None,
    coordinates: bool = True,
) -> Callable[..., Any]:
    """A build_network() with the given choices, right or wrong; a table of None follows `dynamic`."""

    def build_network(k: int, scale: float, dynamic: bool) -> Any:
        import keras
        from keras import layers

        from dlphys.layers import EdgeConv

        sky, table = keras.Input((arrivals, 4)), keras.Input((arrivals, k), dtype="int32")
        unit = scale * divide if use_scale else 1.0
        points, features = sky[..., :3] * (1.0 / unit), 4.0 * sky[..., 3:]
        if not coordinates:
            points = 0.0 * points
        x = points
        for number, given in enumerate(tables):
            with_table = not dynamic if given is None else given
            rest = {"neighbours": table} if with_table else {}
            if number == 0:
                x = EdgeConv([12, 12], k=k, edge=edge)(points, features if energies else 0.0 * features, **rest)
            else:
                x = EdgeConv(24, k=k)(x, **rest)
        x = layers.Flatten()(x) if pool == "flatten" else layers.GlobalAveragePooling1D()(x)
        if normalise:
            x = layers.BatchNormalization(momentum=0.9, name="spread")(x)
        return keras.models.Model([sky, table], layers.Dense(1, activation=last)(x))

    return build_network


build_network.hints = (
    "Two keras.Input: (None, 4) for the skies and (None, k) with dtype='int32' for the table. Slices of a sky give the "
    "coordinates and the energy.",
    "EdgeConv([16, 16], edge='distance')(coordinates / scale, energies, neighbours=table), then EdgeConv(32)(x, "
    "neighbours=table), or EdgeConv(32, k=k)(x) for the dynamic graph.",
    "Afterwards GlobalAveragePooling1D, BatchNormalization(momentum=0.9), Dense(1, activation='sigmoid'); the model "
    "has the inputs [skies, table].",
)
build_network.mistakes = {
    "not scaled": (_network(use_scale=False), "coordinates divided by `scale`"),
    "vectors": (_network(edge="difference"), "the kernel sees distances"),
    "no normalisation": (_network(normalise=False), "batch normalisation after the pooling"),
    "softmax": (_network(last="softmax"), "always 1"),
    "linear output": (_network(last="linear"), "probability"),
    "one convolution": (_network(tables=(True,)), "one after the other"),
    "static only": (_network(tables=(True, True)), "no table, so that it looks among the features"),
    "dynamic only": (_network(tables=(True, False)), "to both of its edge convolutions"),
    "dynamic from the start": (_network(tables=(None, None)), "uses the table in both networks"),
    "no energies": (_network(energies=False), "depends on the energies"),
    "no coordinates": (_network(coordinates=False), "depends on the distances"),
    "flatten": (_network(pool="flatten", arrivals=500), "300"),
}

# --- 10.1c --------------------------------------------------------------------------------------------------


def _trained_with(train: Any, random: np.random.Generator) -> Any:
    """What a training function makes of a network of the check's own, which the exam edition has as well."""
    x, y = _skies(N_TRAIN + N_VALIDATION, random)
    first, rest = slice(0, N_TRAIN), slice(N_TRAIN, None)
    network = _network()(K, SCALE, False)
    return train(network, [a[first] for a in x], y[first], [a[rest] for a in x], y[rest], EPOCHS)


@task("10.1c", section="10.6")
def train_network(student: Any, random: np.random.Generator) -> str:
    model = _trained_with(student, random)
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.loss(
        model,
        "binary_crossentropy",
        "binary_focal_crossentropy",
        because="the binary cross-entropy, the loss for one probability",
    )
    given, labels = _skies(N_TEST, random)
    logit = _logit(model, given)
    apart = float(logit[labels > 0.5].mean() - logit[labels < 0.5].mean())
    seen = f"the mean logit is {apart:+.2f} higher for skies with a source"
    expect.holds(
        abs(apart) > 0.3,
        because="outputs that tell the two kinds apart: has fit() been called, with all the training data and for "
        "`epochs` epochs?",
        seen=seen,
    )
    expect.holds(apart > 0, because="1 for skies with a source: are the labels upside down?", seen=seen)
    reached = float(np.mean((logit > 0) == (labels > 0.5)))
    expect.reaches("10.1c", reached, name=f"the accuracy on {N_TEST} new skies")
    return f"{reached:.1%} of {N_TEST} new skies are classified correctly"


@bar("10.1c", better="higher", unit="", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = _trained_with(reference("10.1c"), draw)
    given, labels = _skies(N_TEST, draw)
    p = model.predict(given, batch_size=250, verbose=0)[:, 0]
    return float(np.mean((p > 0.5) == (labels > 0.5)))


def _training(
    *,
    loss: str = "binary_crossentropy",
    returns: str = "model",
    upside_down: bool = False,
    skies: int = 64,
    rate: float = 5e-3,
) -> Callable[..., Any]:
    """A wrong train_network(), with few skies so that it is quick."""

    def train_network(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
        import keras

        model.compile(keras.optimizers.Adam(rate), loss)
        history = None
        if skies:
            target = 1 - y_train[:skies] if upside_down else y_train[:skies]
            history = model.fit([array[:skies] for array in x_train], target, batch_size=16, verbose=0)
        return history if returns == "history" else model

    return train_network


train_network.hints = (
    "model.compile(optimizer=..., loss='binary_crossentropy', metrics=['accuracy']), model.fit(...), return model.",
    "keras.optimizers.schedules.CosineDecay(5e-3, steps) with steps = epochs * number of batches of 32.",
    "model.fit takes the list x_train as it is, y_train, batch_size=32, epochs, and validation_data, the pair of "
    "validation inputs and labels.",
)
train_network.mistakes = {
    "returns the history": (_training(returns="history"), "not its history"),
    "mean squared error": (_training(loss="mse"), "the loss for one probability"),
    "compiled, not fitted": (_training(skies=0), "has fit() been called"),
    "labels upside down": (_training(upside_down=True, skies=800), "upside down"),
    "too few skies": (_training(skies=500), "99 of 100 runs"),
}

# --- 10.1d --------------------------------------------------------------------------------------------------


def _turn(
    skies: np.ndarray,
    axis: np.ndarray,
    angle: float,
    *,
    sign: float = 1.0,
    along: float = 1.0,
    whole: bool = False,
) -> np.ndarray:
    """Rodrigues' formula as a matrix; the keywords make the known mistakes."""
    a, b, c = axis
    cross = np.array([[0.0, -c, b], [c, 0.0, -a], [-b, a, 0.0]])
    alpha = sign * angle
    matrix = np.cos(alpha) * np.eye(3) + np.sin(alpha) * cross + along * (1 - np.cos(alpha)) * np.outer(axis, axis)
    result = np.array(skies, float)
    result[..., :3] = result[..., :3] @ matrix.T
    if whole:
        result[..., 3] *= np.cos(alpha)
    return result


@task("10.1d", section="10.4.2")
def rotate(student: Any, random: np.random.Generator) -> str:
    x = np.concatenate([_directions((4, 30), random), random.uniform(0.1, 0.6, size=(4, 30, 1))], axis=-1)
    axis, angle = _directions((), random), float(random.uniform(40, 80))
    answer = student(x, axis, angle)
    if getattr(answer, "shape", None) == (4, 30, 3):
        expect.holds(False, because="all four columns: the energies too", seen="three columns", rung="shape")
    expect.shape(answer, x.shape, name="the rotated skies")
    expect.finite(answer, name="the rotated skies")
    right = _turn(x, axis, np.radians(angle))
    known = {
        "the angle in degrees: convert it to radians": _turn(x, axis, angle),
        "right-handed: n x x, not x x n": _turn(x, axis, np.radians(angle), sign=-1.0),
        "the term along the axis, n (n.x) (1 - cos), which keeps the axis in its place": _turn(
            x, axis, np.radians(angle), along=0.0
        ),
        "the energies as they were: a rotation does not change them": _turn(x, axis, np.radians(angle), whole=True),
        "a rotation, not the skies as they were given": x,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        np.linalg.norm(np.asarray(answer)[..., :3], axis=-1),
        np.ones((4, 30)),
        rtol=1e-5,
        because="unit vectors stay unit vectors",
        name="the length",
        rung="physics",
    )
    pole = np.concatenate([np.tile(axis, (1, 2, 1)), np.full((1, 2, 1), 0.3)], axis=-1)
    expect.close(
        student(pole, axis, angle),
        pole,
        atol=1e-5,
        because="a direction on the axis stays where it is",
        rung="physics",
    )
    once = student(student(x, axis, 25.0), axis, angle - 25.0)
    expect.close(
        once, answer, atol=1e-5, because="two rotations about one axis are one by the sum of angles", rung="physics"
    )
    expect.close(answer, right, atol=1e-5, because="Rodrigues' formula, right-handed", name="the rotated skies")
    return "lengths, angles and energies are kept"


def _rotation(
    *, degrees: bool = True, columns: int = 4, axis_fixed: bool = False, **changes: Any
) -> Callable[..., np.ndarray]:
    """A wrong rotate()."""

    def rotate(skies: np.ndarray, axis: np.ndarray, angle: float) -> np.ndarray:
        about = np.array([0.0, 0.0, 1.0]) if axis_fixed else axis
        return _turn(skies, about, np.radians(angle) if degrees else angle, **changes)[..., :columns]

    return rotate


rotate.hints = (
    "Take the coordinates skies[..., :3] and the energy skies[..., 3:] apart, and join them again at the end.",
    "np.cross(axis, x) is n x x for all arrivals; x @ axis is n.x, without the last axis: give it with [..., None].",
    "np.radians(angle) first. Then x cos + np.cross(axis, x) sin + (x @ axis)[..., None] * axis (1 - cos).",
)
rotate.mistakes = {
    "degrees": (_rotation(degrees=False), "convert it to radians"),
    "left-handed": (_rotation(sign=-1.0), "not x x n"),
    "axis term forgotten": (_rotation(along=0.0), "which keeps the axis in its place"),
    "energies changed": (_rotation(whole=True), "does not change them"),
    "energies lost": (_rotation(columns=3), "the energies too"),
    "always about z": (_rotation(axis_fixed=True), "a direction on the axis stays"),
    "nothing done": (lambda skies, axis, angle: 1.0 * skies, "not the skies as they were given"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "10.1-q1",
    question="Why does the same network guess when it sees the coordinates as they are, although the information "
    "is there?",
    options=(
        "It has too few parameters to divide by 0.08.",
        "The distances that matter differ by hundredths: the weights would have to grow a hundredfold, and a step of "
        "Adam moves them by the learning rate at most.",
        "Without scaling the nearest neighbours are other ones.",
        "Unit vectors have only two degrees of freedom.",
    ),
    answer=2,
    explanation="The neighbours are the same, and a first layer with larger weights is the same function. It is a "
    "matter of how far gradient descent has to go.",
)
