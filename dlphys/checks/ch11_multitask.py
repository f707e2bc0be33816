"""Checks of chapter 11: several properties of an air shower from one network, and the weights of their losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.simulators import airshower

LN_10 = np.log(10.0)
RAYLEIGH68 = 1.50959  # 68 % radius of a round Gaussian in the plane, in standard deviations
GAUSS68 = 0.99446
SPACING = 1500.0  # m
N_TRAIN, N_VALIDATION, N_TEST, EPOCHS = 12_000, 1_000, 6_000, 8

# --- 11.1a ------------------------------------------------------------------------------------------------


def _answers(random: np.random.Generator, n: int = 60) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Predictions and truth of n showers, with angles from almost nothing to large ones."""
    true_axis = random.normal(size=(n, 3))
    true_axis[:, 2] = np.abs(true_axis[:, 2]) + 0.5
    true_axis = (true_axis / np.linalg.norm(true_axis, axis=1, keepdims=True)).astype(np.float32)
    axis = true_axis + np.geomspace(1e-3, 0.5, n)[:, None] * random.normal(size=(n, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    core = random.uniform(-700.0, 700.0, (n, 2))
    energy = random.uniform(18.5, 20.0, n)
    found = {
        "axis": axis.astype(np.float32),
        "core": core + random.normal(0.0, 30.0, (n, 2)),
        "energy": energy + random.normal(0.0, 0.08, n),
    }
    return found, {"axis": true_axis, "core": core, "energy": energy}


def _three(found: dict[str, Any], true: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    angle = airshower.opening_angle(found["axis"], true["axis"])
    distance = np.hypot(*(found["core"] - true["core"]).T)
    return angle, distance, np.expm1(LN_10 * (found["energy"] - true["energy"]))


@task("11.1a", section="11.5")
def residuals(student: Any, random: np.random.Generator) -> str:
    found, true = _answers(random)
    answer = student(found, true)
    expect.is_tuple(answer, 3, name="angle, distance, energy")
    for name, item in zip(("angle", "distance", "energy"), answer, strict=True):
        expect.shape(item, (len(true["energy"]),), name=name)
    perfect = student(true, true)
    expect.holds(
        np.isfinite(perfect[0]).all() and np.isfinite(answer[0]).all(),
        because="finite angles also where the two directions are equal: the product of two unit vectors may be rounded "
        "to a little more than 1",
        seen=f"{int(np.sum(~np.isfinite(perfect[0])))} angles of a perfect prediction are no numbers",
        rung="known mistake",
    )
    angle, distance, energy = _three(found, true)
    for wrong, because in (
        (np.radians(angle), "the angle in degrees, not in radians"),
        (
            np.degrees(2 * np.sin(np.radians(angle) / 2)),
            "the angle itself: the difference is 2 sin(angle / 2), a chord",
        ),
        (np.degrees(np.sin(np.radians(angle) / 2)), "twice the arc sine of half the difference"),
    ):
        expect.differs(answer[0], wrong, because=because, rtol=1e-5)
    shift = found["core"] - true["core"]
    expect.differs(answer[1], (shift**2).sum(1), because="the distance in m, the root of the sum of squares")
    expect.differs(answer[1], np.abs(shift).sum(1), because="the distance as the crow flies, not along x and then y")
    for wrong, because in (
        (found["energy"] - true["energy"], "a relative error of the energy, not a difference of logarithms"),
        (
            found["energy"] / true["energy"] - 1,
            "the ratio of the energies: lg(E / eV) has to be raised to a power of 10",
        ),
        (np.exp(found["energy"] - true["energy"]) - 1, "a logarithm to the base 10"),
        (np.abs(energy), "the energy's error with its sign: without it there is no bias to be seen"),
        (
            -np.expm1(-LN_10 * (found["energy"] - true["energy"])),
            "relative to the true energy, not to the predicted one",
        ),
        (energy + 1, "the error, not the ratio: 0 for a perfect prediction"),
    ):
        expect.differs(answer[2], wrong, because=because)
    expect.at_most(
        np.abs(np.asarray(perfect[0])).max(),
        1e-5,
        because="no angle between equal directions; the arc cosine loses small angles, take the difference of the "
        "vectors",
        name="the largest angle of a perfect prediction",
    )
    swapped = student(true, found)
    expect.close(
        swapped[:2],
        answer[:2],
        rtol=1e-5,
        because="the same angle and distance if truth and prediction change places",
        rung="physics",
    )
    expect.close(answer[0], angle, rtol=1e-3, because="the angle between two unit vectors", name="the angle")
    expect.close(answer[1], distance, rtol=1e-6, because="the distance of the two cores", name="the distance")
    expect.close(answer[2], energy, rtol=1e-6, because="E predicted / E true - 1", name="the energy's error")
    return f"angles from {angle.min():.5f} to {angle.max():.0f} degrees are right"


def _residuals(change: Callable[[Any, Any, Any, Any, Any], Any]) -> Callable[..., Any]:
    """A wrong residuals(): made from the right three and from prediction and truth."""

    def residuals(predicted: dict[str, Any], true: dict[str, Any]) -> Any:
        return change(*_three(predicted, true), predicted, true)

    return residuals


def _arc_cosine(predicted: dict[str, Any], true: dict[str, Any]) -> Any:
    product = (predicted["axis"] * true["axis"]).sum(1)
    return np.degrees(np.arccos(np.minimum(product, 1.0))), *_three(predicted, true)[1:]


def _not_clipped(predicted: dict[str, Any], true: dict[str, Any]) -> Any:
    with np.errstate(invalid="ignore"):
        product = 1.0000002 * (predicted["axis"] * true["axis"]).sum(1)
        return np.degrees(np.arccos(product)), *_three(predicted, true)[1:]


residuals.hints = (
    "np.linalg.norm(a - b, axis=1) is the length of the difference of vectors, one for each shower.",
    "A difference d of two unit vectors means an angle of 2 arcsin(d / 2); np.degrees makes degrees of it.",
    "The ratio of two energies is 10 to the power of the difference of their logarithms; subtract 1.",
)
residuals.mistakes = {
    "radians": (_residuals(lambda a, d, e, p, t: (np.radians(a), d, e)), "not in radians"),
    "chord": (_residuals(lambda a, d, e, p, t: (np.degrees(2 * np.sin(np.radians(a) / 2)), d, e)), "a chord"),
    "arc cosine": (_arc_cosine, "the arc cosine loses"),
    "arc cosine of more than 1": (_not_clipped, "a little more than 1"),
    "difference of logarithms": (
        _residuals(lambda a, d, e, p, t: (a, d, p["energy"] - t["energy"])),
        "a difference of logarithms",
    ),
    "natural logarithm": (
        _residuals(lambda a, d, e, p, t: (a, d, np.exp(p["energy"] - t["energy"]) - 1)),
        "to the base 10",
    ),
    "sign lost": (_residuals(lambda a, d, e, p, t: (a, d, np.abs(e))), "no bias to be seen"),
    "relative to the prediction": (_residuals(lambda a, d, e, p, t: (a, d, e / (1 + e))), "not to the predicted one"),
    "squared distance": (_residuals(lambda a, d, e, p, t: (a, d**2, e)), "the root of the sum"),
    "two results": (_residuals(lambda a, d, e, p, t: (a, d)), "3 entries"),
}

# --- 11.1b ------------------------------------------------------------------------------------------------


def _hexagon(steps: int) -> np.ndarray:
    r, q = np.indices((2 * steps + 1, 2 * steps + 1)) - steps
    inside = np.abs(q + r) <= steps
    return np.asarray(SPACING * np.stack([q + r / 2, r * np.sqrt(0.75)], axis=-1)[inside])


def _twelve(
    positions: np.ndarray, *, step: float = 60.0, number: int = 6, mirrors: tuple[int, ...] = (1, -1)
) -> tuple[np.ndarray, np.ndarray]:
    made, read = [], []
    for mirror in mirrors:
        for k in range(number):
            a = np.deg2rad(step * k)
            m = np.array([[np.cos(a), -mirror * np.sin(a)], [np.sin(a), mirror * np.cos(a)]])
            made.append(m)
            inverse = positions @ m  # where each place comes from
            read.append([int(np.argmin(((positions - p) ** 2).sum(1))) for p in inverse])
    return np.array(made), np.array(read)


@task("11.1b", section="11.5")
def symmetries(student: Any, random: np.random.Generator) -> str:
    positions = random.permutation(_hexagon(int(random.integers(2, 4))))
    answer = student(positions)
    expect.is_tuple(answer, 2, name="matrices, orders")
    matrices, orders = answer
    expect.is_array(matrices, name="matrices")
    expect.is_array(orders, name="orders")
    n = len(positions)
    if matrices.shape == (6, 2, 2):
        expect.holds(
            False,
            because="twelve symmetries: the six rotations, and six more after a reflection",
            seen="six matrices",
            rung="known mistake",
        )
    expect.shape(matrices, (12, 2, 2), name="matrices")
    expect.shape(orders, (12, n), name="orders")
    expect.holds(
        orders.dtype.kind in "iu" and orders.min() >= 0 and orders.max() < n,
        because=f"orders: whole numbers from 0 to {n - 1}, the numbers of stations",
        seen=f"type {orders.dtype}",
        rung="shape",
    )
    expect.close(
        np.einsum("kij,klj->kil", matrices, matrices),
        np.broadcast_to(np.eye(2), (12, 2, 2)),
        atol=1e-9,
        because="matrices that keep all lengths: M times its transpose is 1; are the angles in radians?",
        rung="physics",
    )
    signs = np.linalg.det(matrices)
    expect.holds(
        np.sum(signs > 0) == 6,
        because="six rotations (determinant 1) and six with a reflection (determinant -1)",
        seen=f"{int(np.sum(signs > 0))} rotations",
    )
    landed = np.linalg.norm(positions[:, None, None] - np.einsum("kij,nj->kni", matrices, positions), axis=-1)
    expect.holds(
        landed.min(axis=0).max() < 1.0,
        because="symmetries of the array: every station must land on a station; triangles repeat after 60 degrees",
        seen=f"a station lands {landed.min(axis=0).max():.0f} m from the nearest one",
    )
    expect.holds(
        all(len(set(row)) == n for row in orders.tolist()),
        because="orders in which every station occurs once",
        seen="an order with a station twice",
    )
    apart = np.abs(matrices[:, None] - matrices[None]).max(axis=(2, 3)) + np.eye(12)
    expect.holds(apart.min() > 0.1, because="twelve different symmetries", seen="two that are equal")
    forwards = np.einsum("kij,knj->kni", matrices, positions[orders])
    inverse = np.einsum("kij,knj->kni", matrices, positions[np.argsort(orders, axis=1)])
    expect.holds(
        not (np.allclose(inverse, positions, atol=1.0) and not np.allclose(forwards, positions, atol=1.0)),
        because="orders to read from: station orders[k, i] lands on place i; this is the inverse, where station i goes",
        seen="positions[orders[k]] @ matrices[k].T is not positions",
        rung="known mistake",
    )
    expect.holds(
        np.allclose(forwards, positions, atol=1.0),
        because="positions[orders[k]] @ matrices[k].T equal to positions for every k",
        seen=f"off by up to {np.abs(forwards - positions).max():.0f} m",
        rung="value",
    )
    return f"a group of twelve, on a hexagon of {n} stations"


def _inverted(positions: np.ndarray) -> Any:
    matrices, orders = _twelve(positions)
    return matrices, np.argsort(orders, axis=1)


def _unordered(positions: np.ndarray) -> Any:
    matrices, orders = _twelve(positions)
    return matrices, np.broadcast_to(np.arange(len(positions)), orders.shape)


def _degrees(positions: np.ndarray) -> Any:
    matrices = np.array([[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in 60.0 * np.arange(12)])
    return matrices, _twelve(positions)[1]


def _lengths(positions: np.ndarray) -> Any:
    matrices, orders = _twelve(positions)
    return np.abs(matrices), orders


symmetries.hints = (
    "A rotation by an angle a is the matrix [[cos a, -sin a], [sin a, cos a]]; a reflection at the x axis changes the "
    "sign of y: np.diag([1, -1]).",
    "positions @ M.T are the positions after the symmetry. For place i look for the station whose new position is "
    "closest to it: an argmin over distances.",
    "For each of two mirrors and six angles: build M, move all stations, distances[i, j] = |positions[i] - moved[j]|, "
    "and "
    "order = distances.argmin(axis=1).",
)
symmetries.mistakes = {
    "rotations only": (lambda positions: _twelve(positions, mirrors=(1,)), "six more after a reflection"),
    "where stations go": (_inverted, "this is the inverse"),
    "not reordered": (_unordered, "equal to positions for every k"),
    "thirty degrees": (lambda positions: _twelve(positions, step=30.0), "land on a station"),
    "degrees in the cosine": (_degrees, "six with a reflection"),
    "signs lost": (_lengths, "keep all lengths"),
    "three rotations twice": (lambda positions: _twelve(positions, step=120.0), "twelve different symmetries"),
}

# --- 11.1c ------------------------------------------------------------------------------------------------

FEATURES = 20


def _batch(random: np.random.Generator, n: int = 64) -> dict[str, np.ndarray]:
    axis = random.normal(size=(n, 3)).astype(np.float32)
    axis[:, 2] = np.abs(axis[:, 2]) + 1.0
    return {
        "stations": random.normal(size=(n, FEATURES)).astype(np.float32),
        "axis": axis / np.linalg.norm(axis, axis=1, keepdims=True),
        "core": random.uniform(-1.0, 1.0, (n, 2)).astype(np.float32),
    }


def _ancestors(model: Any) -> tuple[dict[str, set[str]], set[str]]:
    """For each output the layers it depends on, and the names of the layers that have weights."""
    config = model.config["config"] or {}
    parents: dict[str, set[str]] = {}
    for layer in config.get("layers", ()):
        parents[layer["name"]] = set(_origins(layer.get("inbound_nodes")))
    outputs = config.get("output_layers")
    found = {}
    if isinstance(outputs, dict):
        for key, value in outputs.items():
            start = value[0] if isinstance(value, list | tuple) else value
            seen, todo = set(), [start]
            while todo:
                name = todo.pop()
                if name not in seen:
                    seen.add(name)
                    todo.extend(parents.get(name, ()))
            found[key] = seen
    return found, {layer["name"] for layer in model.layers if layer["params"]}


def _origins(value: Any) -> list[str]:
    """Names of the layers from which the tensors in a configuration come."""
    if isinstance(value, dict):
        own = [value["keras_history"][0]] if "keras_history" in value else []
        return own + [name for item in value.values() for name in _origins(item)]
    if isinstance(value, list | tuple):
        return [name for item in value for name in _origins(item)]
    return []


@task("11.1c", section="11.1")
def build_network(student: Any, random: np.random.Generator) -> str:
    model = student(FEATURES)
    expect.is_model(model)
    x = _batch(random)
    answer = model.predict(x)
    expect.is_dict(answer, ("axis", "core", "energy"), name="the output")
    for name, size in (("axis", 3), ("core", 2), ("energy", 1)):
        expect.shape(answer[name], (64, size), name=name)
        expect.finite(answer[name], name=name)
    parts, with_weights = _ancestors(model)
    expect.holds(
        len(parts) == 3,
        because="a keras.Model of layers, keras.Model(inputs, outputs) with dicts, so that its parts can be seen",
        seen="a model whose layers cannot be followed",
        rung="shape",
    )
    sets = {name: layers & with_weights for name, layers in parts.items()}
    common = set.intersection(*sets.values())
    expect.holds(
        common,
        because="a common part: layers with weights on which all three outputs depend",
        seen="three separate networks",
        rung="known mistake",
    )
    for name, own in sets.items():
        others: set[str] = set()
        others.update(*(layers for key, layers in sets.items() if key != name))
        alone = own - others
        expect.holds(
            alone,
            because="a subnetwork of its own for each output: at least one layer with weights that no other output "
            "uses",
            seen=f"{name} has none",
            rung="known mistake",
        )
        expect.holds(
            len(alone) >= 2,
            because="a subnetwork, that is a hidden layer before the last one, for each of the three tasks",
            seen=f"{name} has a single layer of its own",
            rung="known mistake",
        )
    lengths = np.linalg.norm(answer["axis"], axis=1)
    expect.holds(
        np.abs(lengths - 1).max() < 1e-4,
        because="unit vectors: UnitNormalization after the correction has been added",
        seen=f"lengths from {lengths.min():.3f} to {lengths.max():.3f}",
    )
    expect.holds(
        np.mean(answer["core"] == 0) < 0.1 and np.mean(answer["energy"] == 0) < 0.1,
        because="outputs of both signs: no ReLU in the last layers",
        seen="outputs that are exactly zero",
        rung="known mistake",
    )
    angle = airshower.opening_angle(answer["axis"], x["axis"])
    expect.at_most(
        np.median(angle),
        10.0,
        because="a correction: before any training the axis lies near the first guess, to which a small correction is "
        "added (Rescaling, then Add)",
        name="the median angle to the first guess (degrees)",
    )
    moved = np.linalg.norm(answer["core"] - x["core"], axis=1)
    expect.at_most(
        np.median(moved),
        0.5,
        because="a core that begins near the first guess, too: add a small shift to it",
        name="the median distance to the first guess (units of 750 m)",
    )
    louder = model.predict({**x, "stations": x["stations"] + 1.0})
    expect.holds(
        all(np.abs(louder[name] - answer[name]).max() > 1e-6 for name in answer),
        because="all three outputs depend on the stations",
        seen="an output that does not change with the signals",
    )
    return f"{model.count_params()} parameters, {len(common)} layers in common"


def _network(
    features: int = FEATURES,
    *,
    width: int = 32,
    shared: bool = True,
    own: int = 1,
    guess: bool = True,
    guess_core: bool = True,
    unit: bool = True,
    last: str | None = None,
    single: bool = False,
) -> Any:
    """A network for three tasks; the keywords make the known mistakes."""
    import keras
    from keras.layers import Add, Concatenate, Dense, Rescaling, UnitNormalization

    sizes = {"stations": features, "axis": 3, "core": 2}
    inputs = {name: keras.Input((size,), name=name) for name, size in sizes.items()}
    start = Concatenate()(list(inputs.values()))

    def trunk() -> Any:
        return Dense(width, "silu")(Dense(width, "silu")(Dense(width, "silu")(start)))

    common = trunk()

    def head(size: int, scale: float) -> Any:
        x = common if shared else trunk()
        for _ in range(own):
            x = Dense(width, "silu")(x)
        return Rescaling(scale)(Dense(size, last)(x))

    axis = head(3, 0.03 if guess else 1.0)
    if guess:
        axis = Add()([inputs["axis"], axis])
    if unit:
        axis = UnitNormalization()(axis)
    core = Add()([inputs["core"], head(2, 0.1)]) if guess_core else head(2, 1.0)
    if single:
        return keras.Model(inputs, Concatenate()([axis, core, head(1, 1.0)]))
    return keras.Model(inputs, {"axis": axis, "core": core, "energy": head(1, 1.0)})


def _built(**changes: Any) -> Callable[[int], Any]:
    def build_network(n_features: int) -> Any:
        return _network(n_features, **changes)

    return build_network


build_network.hints = (
    "Three keras.Input with names; layers.Concatenate()([...]) makes one vector of them, with which the common part "
    "begins.",
    "Each subnetwork begins with the output of the common part: Dense(64), then Dense with 3, 2 or 1 outputs, without "
    "activation.",
    "axis = UnitNormalization()(Add()([first guess, Rescaling(0.03)(Dense(3)(hidden))])); core likewise with "
    "Rescaling(0.1) "
    "and without the normalisation; return keras.Model(dict of inputs, dict of outputs).",
)
build_network.mistakes = {
    "three networks": (_built(shared=False), "a common part"),
    "no hidden layer in the subnetworks": (_built(own=0), "a hidden layer before the last one"),
    "no first guess": (_built(guess=False), "a correction: before any training"),
    "no first guess of the core": (_built(guess_core=False, width=256), "a core that begins near"),
    "not normalised": (_built(unit=False), "UnitNormalization after"),
    "ReLU at the end": (_built(last="relu", guess_core=False), "no ReLU"),
    "one output": (_built(single=True), "a dict"),
}

# --- 11.1d ------------------------------------------------------------------------------------------------


def _targets(angle: float, distance: float, energy: float) -> dict[str, float]:
    return {
        "axis": 2.0 * (np.deg2rad(angle) / RAYLEIGH68) ** 2 / 3.0,
        "core": (distance / (750.0 * RAYLEIGH68)) ** 2,
        "energy": (energy / (LN_10 * GAUSS68)) ** 2,
    }


# what an error does to (axis, core, energy)
TARGET_MISTAKES: dict[str, tuple[tuple[float, float, float], str]] = {
    "degrees": (((180 / np.pi) ** 2, 1.0, 1.0), "the angle in radians: components of a unit vector know no degrees"),
    "sum of two components": (
        (3.0, 1.0, 1.0),
        "a mean over three components, which share the squares of two errors: two thirds",
    ),
    "mean of two": ((1.5, 1.0, 1.0), "three components in the mean, although only two directions can be wrong"),
    "root mean square": (
        (RAYLEIGH68**2 / 2, RAYLEIGH68**2 / 2, GAUSS68**2),
        "68 % is neither the root mean square distance nor sigma: in two dimensions it is 1.51 sigma",
    ),
    "sigma": (
        (RAYLEIGH68**2, RAYLEIGH68**2, GAUSS68**2),
        "the 68 % radius in the plane is 1.51 sigma: in two dimensions 1 sigma holds 39 % only",
    ),
    "metres": ((1.0, 750.0**2, 1.0), "the core in units of 750 m"),
    "core summed": ((1.0, 2.0, 1.0), "the mean of the two coordinates of the core, not their sum"),
    "natural logarithm": ((1.0, 1.0, LN_10**2), "a logarithm to the base 10: divide by ln 10"),
    "times ln 10": ((1.0, 1.0, LN_10**4), "divide by ln 10: lg E changes less than ln E"),
}


@task("11.1d", section="11.5")
def target_losses(student: Any, random: np.random.Generator) -> str:
    cases = [(1.5, 25.0, 0.1)] + [
        (float(random.uniform(0.3, 3)), float(random.uniform(5, 60)), float(random.uniform(0.02, 0.2)))
        for _ in range(3)
    ]
    keys = ("axis", "core", "energy")
    answers = []
    for case in cases:
        answer = student(*case)
        expect.is_dict(answer, keys, name="the answer")
        for key in keys:
            expect.number(answer[key], name=key)
        answers.append([float(answer[key]) for key in keys])
    values = np.array(answers)
    right = np.array([[_targets(*case)[key] for key in keys] for case in cases])
    for i, key in enumerate(keys):
        for factors, because in TARGET_MISTAKES.values():
            if abs(factors[i] - 1.0) > 0.02:
                expect.differs(values[:, i], right[:, i] * factors[i], because=f"{key}: {because}", rtol=2e-3)
        expect.differs(values[:, i], np.sqrt(right[:, i]), because=f"{key}: a squared error", rtol=2e-3)
        expect.differs(values[:, i], 1 / right[:, i], because=f"{key}: the error; its inverse is the weight", rtol=2e-3)
    expect.holds(
        (values > 0).all(), because="mean squared errors are positive", seen=f"{values.min():.3g}", rung="physics"
    )
    first, twice = student(1.0, 10.0, 0.05), student(2.0, 20.0, 0.1)
    expect.close(
        [twice[key] / first[key] for key in keys],
        [4.0, 4.0, 4.0],
        rtol=1e-3,
        because="four times the squared error for twice the precision value",
        rung="physics",
    )
    expect.close(
        values,
        right,
        rtol=3e-3,
        because="the three steps in turn: sigma of a coordinate, mean over components, units",
        name="the table of targets (axis, core, energy)",
    )
    return "for 1.5 degrees, 25 m and 10 %: " + ", ".join(f"{value:.2e}" for value in values[0])


def _wrong_targets(factors: tuple[float, float, float]) -> Callable[..., Any]:
    def target_losses(angle: float, distance: float, energy: float) -> Any:
        found = _targets(angle, distance, energy)
        return {key: found[key] * factor for key, factor in zip(found, factors, strict=True)}

    return target_losses


target_losses.hints = (
    "First sigma of one coordinate: precision / 1.51 for angle and distance, precision / 0.9945 for the energy.",
    "axis: sigma in radians (np.radians); two coordinates are wrong, the mean goes over three: 2/3 sigma^2. core: "
    "sigma / 750, "
    "squared. energy: sigma / ln 10, squared.",
    "np.sqrt(-2 * np.log(1 - 0.68)) is 1.51 with all its digits.",
)
target_losses.mistakes = {
    name: (_wrong_targets(factors), because) for name, (factors, because) in TARGET_MISTAKES.items()
} | {
    "the weights": (
        lambda angle, distance, energy: {k: 1 / v for k, v in _targets(angle, distance, energy).items()},
        "its inverse is the weight",
    ),
    "a tuple": (lambda angle, distance, energy: tuple(_targets(angle, distance, energy).values()), "a dict"),
}

# --- 11.1e ------------------------------------------------------------------------------------------------

Showers = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def _showers(n: int, random: np.random.Generator) -> Showers:
    """Inputs and targets as the notebook prepares them, in the frame of the fitted axis."""
    sample = airshower.simulate(n, seed=random)
    places = airshower.station_positions("hexagonal").reshape(81, 2)
    near = np.flatnonzero((places**2).sum(1) < (3.2 * SPACING) ** 2)
    guess, centre = airshower.plane_fit(sample.time, sample.signal), airshower.barycentre(sample.signal)
    matrices, orders = _twelve(places[near])
    images = np.einsum("kij,nj->nki", matrices, guess[:, :2])
    azimuth = np.degrees(np.arctan2(images[..., 1], images[..., 0]))
    best = np.abs(azimuth - 15.0).argmin(1)
    order, turn = near[orders[best]], matrices[best]

    def into_frame(v: np.ndarray) -> np.ndarray:
        return np.hstack([(turn @ v[:, :2, None])[..., 0], v[:, 2:]])

    event = np.arange(n)[:, None]
    time = sample.time.reshape(n, 81)[event, order].astype(float)
    signal = sample.signal.reshape(n, 81)[event, order].astype(float)
    loud = ~np.isnan(time)
    number = np.where(loud, np.clip(signal - 96.5, 1.0, None), 1.0)
    guess, centre = into_frame(guess), into_frame(centre)
    inverse_error = loud * (1.0 + np.log10(1.0 + number)) / 312e-9
    delay = np.where(loud, time + guess[:, :2] @ places[near].T / 2.99792458e8, 0.0)
    mean = (inverse_error**2 * delay).sum(1, keepdims=True) / (inverse_error**2).sum(1, keepdims=True)
    pulls = np.clip((delay - mean) * inverse_error, -5.0, 5.0)
    inputs = {
        "stations": np.hstack([loud * (np.log10(number) - 2.5), loud, pulls]),
        "axis": guess,
        "core": centre / 750.0,
    }
    targets = {
        "axis": into_frame(sample.axis.astype(float)),
        "core": into_frame(sample.core[:, :2].astype(float)) / 750.0,
        "energy": sample.log_energy[:, None] - 19.25,
    }
    return (
        {key: np.asarray(value, np.float32) for key, value in inputs.items()},
        {key: np.asarray(value, np.float32) for key, value in targets.items()},
    )


def _part(showers: Showers, rows: slice) -> Showers:
    x, y = showers
    return {key: value[rows] for key, value in x.items()}, {key: value[rows] for key, value in y.items()}


GOALS = (1.5, 25.0, 0.1)


def _trained(train: Any, random: np.random.Generator) -> Any:
    """What a training function makes of a network of the check's own, which the exam edition has as well."""
    showers = _showers(N_TRAIN + N_VALIDATION, random)
    weights = {key: float(1 / value) for key, value in _targets(*GOALS).items()}
    x, y = _part(showers, slice(None, N_TRAIN))
    return train(
        _network(x["stations"].shape[1], width=128), x, y, *_part(showers, slice(N_TRAIN, None)), weights, EPOCHS, []
    )


def _resolutions(answer: dict[str, np.ndarray], y: dict[str, np.ndarray]) -> tuple[float, float, float]:
    """68 % quantiles: degrees, m, relative error of the energy."""
    found = {"axis": answer["axis"], "core": 750.0 * answer["core"], "energy": answer["energy"][:, 0]}
    true = {"axis": y["axis"], "core": 750.0 * y["core"], "energy": y["energy"][:, 0]}
    angle, distance, energy = (float(np.quantile(np.abs(values), 0.68)) for values in _three(found, true))
    return angle, distance, energy


def _score(reached: tuple[float, float, float]) -> float:
    """Mean of the three resolutions, each in units of its goal."""
    return float(np.mean(np.divide(reached, GOALS)))


@task("11.1e", section="11.1")
def train_network(student: Any, random: np.random.Generator) -> str:
    model = _trained(student, random)
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.holds(
        model.compiled is not None,
        because="a model that has been compiled and fitted",
        seen="a model without an optimizer",
        rung="known mistake",
    )
    x, y = _showers(N_TEST, random)
    answer = model.predict(x)
    reached = _resolutions(answer, y)
    seen = f"{reached[0]:.2f} degrees, {reached[1]:.0f} m, {reached[2]:.1%}"
    few = _showers(600, random)
    own = _network(few[0]["stations"].shape[1])
    before = own.predict_on_batch(few[0])
    nothing = student(own, *few, *few, dict.fromkeys(before, 0.0), 1, [])
    after = nothing.predict(few[0])
    change = max(float(np.abs(after[key] - before[key]).max()) for key in before)
    expect.at_most(
        change,
        1e-3,
        because="loss_weights=weights: where all weights are zero nothing is learnt",
        name="the change of the outputs in a training with all weights zero",
        rung="known mistake",
    )
    expect.holds(
        reached[1] < 100.0 and reached[2] < 0.3,
        because="a core and an energy that are learnt: has fit() been called, with the training data and all the "
        "epochs?",
        seen=seen,
    )
    expect.reaches("11.1e", _score(reached), name=f"the mean of the resolutions in units of the goals ({seen})")
    return f"{seen} for {N_TEST} new showers"


@bar("11.1e", better="lower", unit="", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = _trained(reference("11.1e"), draw)
    x, y = _showers(N_TEST, draw)
    return _score(_resolutions(model.predict(x, batch_size=2000, verbose=0), y))


def _short(*, least: int = 100, weighted: bool = True, fit: bool = True, history: bool = False) -> Callable[..., Any]:
    """A wrong train_network(), with at most ``least`` epochs."""

    def train_network(
        model: Any,
        x_train: Any,
        y_train: Any,
        x_validation: Any,
        y_validation: Any,
        weights: Any,
        epochs: Any,
        callbacks: Any,
    ) -> Any:
        import keras

        losses, used = dict.fromkeys(y_train, "mse"), weights if weighted else None
        model.compile(keras.optimizers.Adam(3e-3), losses, loss_weights=used, steps_per_execution=20)
        if not fit:
            return model
        record = model.fit(x_train, y_train, batch_size=500, epochs=min(least, epochs), verbose=0)
        return record if history else model

    return train_network


def _not_compiled(
    model: Any,
    x_train: Any,
    y_train: Any,
    x_validation: Any,
    y_validation: Any,
    weights: Any,
    epochs: Any,
    callbacks: Any,
) -> Any:
    return model


train_network.hints = (
    "model.compile(optimizer, loss={...}, loss_weights=weights, steps_per_execution=20), then model.fit, then return "
    "model.",
    "keras.optimizers.schedules.CosineDecay(3e-3, steps) needs the number of all steps: epochs times batches in an "
    "epoch.",
    "loss={'axis': 'mse', 'core': 'mse', 'energy': 'mse'}; model.fit takes the dicts as they are, batch_size=500, "
    "epochs, "
    "validation_data as a pair, callbacks, verbose=0.",
)
train_network.mistakes = {
    "returns the history": (_short(least=1, history=True), "not its history"),
    "not compiled": (_not_compiled, "compiled and fitted"),
    "compiled, not fitted": (_short(fit=False), "has fit() been called"),
    "no weights": (_short(weighted=False), "where all weights are zero"),
    "too short": (_short(least=2), "99 of 100 runs"),
}

# --- 11.1f ------------------------------------------------------------------------------------------------


def _precisions(axis: Any, core: Any, energy: Any) -> tuple[Any, Any, Any]:
    return (
        np.rad2deg(RAYLEIGH68 * np.sqrt(3.0 * np.asarray(axis) / 2.0)),
        750.0 * RAYLEIGH68 * np.asarray(core) ** 0.5,
        GAUSS68 * LN_10 * np.asarray(energy) ** 0.5,
    )


@task("11.1f", section="11.5")
def precisions(student: Any, random: np.random.Generator) -> str:
    losses = [10 ** random.uniform(-4.5, -1.5, 7) for _ in range(3)]
    answer = student(*losses)
    expect.is_tuple(answer, 3, name="angle, distance, energy")
    right = _precisions(*losses)
    names = ("axis", "core", "energy")
    for name, item, wanted, loss in zip(names, answer, right, losses, strict=True):
        expect.shape(item, (7,), name=name)
        expect.finite(item, name=name)
        expect.differs(item, wanted**2, because=f"{name}: the root of the squared error", rtol=2e-3)
        expect.differs(
            item, np.sqrt(loss), because=f"{name}: a 68 % precision in its unit, not the bare root", rtol=2e-3
        )
        for factors, because in TARGET_MISTAKES.values():
            factor = factors[names.index(name)]
            if abs(factor - 1.0) > 0.02:
                expect.differs(item, wanted / np.sqrt(factor), because=f"{name}: {because}", rtol=2e-3)
    angle, distance, energy = (float(value) for value in random.uniform([0.5, 10, 0.03], [2, 40, 0.2]))
    back = student(*_targets(angle, distance, energy).values())
    expect.close(
        [float(value) for value in back],
        [angle, distance, energy],
        rtol=2e-3,
        because="the inverse of target_losses, also for single numbers: the precision one began with",
        rung="physics",
    )
    for name, item, wanted in zip(names, answer, right, strict=True):
        expect.close(item, wanted, rtol=2e-3, because="the three steps of part 2 backwards", name=name)
    return "back and forth gives the precision one began with"


def _wrong_precisions(factors: tuple[float, float, float]) -> Callable[..., Any]:
    def precisions(axis_loss: Any, core_loss: Any, energy_loss: Any) -> Any:
        found = _precisions(axis_loss, core_loss, energy_loss)
        return tuple(value / np.sqrt(factor) for value, factor in zip(found, factors, strict=True))

    return precisions


precisions.hints = (
    "Solve each line of target_losses for the precision: every square becomes a root.",
    "angle: np.degrees(1.51 * np.sqrt(3 / 2 * loss)); distance: 750 * 1.51 * np.sqrt(loss); energy: 0.9945 * ln 10 * "
    "np.sqrt(loss), with all digits of 1.51.",
)
precisions.mistakes = {
    "radians": (_wrong_precisions(TARGET_MISTAKES["degrees"][0]), "components of a unit vector know no degrees"),
    "three components": (_wrong_precisions(TARGET_MISTAKES["sum of two components"][0]), "two thirds"),
    "sigma": (_wrong_precisions(TARGET_MISTAKES["sigma"][0]), "1 sigma holds 39 %"),
    "units of 750 m": (_wrong_precisions(TARGET_MISTAKES["metres"][0]), "in units of 750 m"),
    "natural logarithm": (_wrong_precisions(TARGET_MISTAKES["natural logarithm"][0]), "divide by ln 10"),
    "squares": (
        lambda axis_loss, core_loss, energy_loss: tuple(
            value**2 for value in _precisions(axis_loss, core_loss, energy_loss)
        ),
        "the root of the squared error",
    ),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "11.1-q1",
    question="A colleague wants the core twice as precise, 12.5 m, and leaves the other goals as they are. What "
    "happens to "
    "the weight of the core?",
    options=("It doubles.", "It becomes four times as large.", "It is halved.", "It stays: only ratios matter."),
    answer=2,
    explanation="The target loss is a square, so it falls to a quarter, and the weight is its inverse. Only ratios of "
    "weights "
    "matter for where the minimum lies, and this ratio changes.",
)
quiz(
    "11.1-q2",
    question="The plane fit is the maximum of the likelihood of the times. How can the network be better?",
    options=(
        "It has more parameters.",
        "It was trained with the test showers.",
        "The plane fit does not use the errors of the times.",
        "It also uses the signals, which depend on the direction as well.",
    ),
    answer=4,
    explanation="The footprint of an inclined shower is an ellipse, and the signals of its early and late sides "
    "differ. The fit "
    "is the best for the times alone; with the signals more is known.",
)
quiz(
    "11.1-q3",
    question="All three losses fall, and the total loss without weights falls as well. Why is it still the wrong "
    "objective?",
    options=(
        "A sum of losses cannot be differentiated.",
        "The validation loss is not shown.",
        "It trades an unimportant gain in one task for a large loss in another, since its terms have different units.",
        "Adam needs losses below 1.",
    ),
    answer=3,
    explanation="In metres and lg E an improvement of the core from 30.0 to 29.9 m counts as much as any error of the "
    "energy. Weights say what is worth how much.",
)
