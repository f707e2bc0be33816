"""Checks of the normalizing flows of chapter 18: change of variables, coupling blocks, sampling, lattice fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

HALF_LN_2PI = 0.5 * np.log(2 * np.pi)

# --- M18.4a -------------------------------------------------------------------------------------------------


def _cubic(x: np.ndarray, a: float, b: float, *, power: float = 1.0, three: float = 3.0, constant: float = 1.0) -> Any:
    """ln p of the cubic map; the keywords make the known mistakes."""
    steepness = np.log(np.abs(a + three * b * x * x))
    return power * steepness - 0.5 * (a * x + b * x * x * x) ** 2 - constant * HALF_LN_2PI


@task("M18.4a", section="18.3")
def cubic_log_density(student: Any, random: np.random.Generator) -> str:
    x = random.uniform(-1.8, 1.8, 12)
    a, b = float(random.uniform(0.3, 0.9)), float(random.uniform(0.2, 0.6))
    answer = student(x, a, b)
    expect.shape(answer, (12,), name="the logarithms of the density")
    expect.finite(answer, name="the logarithms of the density")
    known = {
        "the derivative of f: without it the density is that of z, not of x": _cubic(x, a, b, power=0.0),
        "a density that is large where f is steep: the derivative multiplies": _cubic(x, a, b, power=-1.0),
        "the first power of the derivative, not its root": _cubic(x, a, b, power=0.5),
        "the constant of the normal distribution, -ln(2 pi) / 2": _cubic(x, a, b, constant=0.0),
        "one half of ln(2 pi), since there is one dimension": _cubic(x, a, b, constant=2.0),
        "the derivative of b x^3, which is 3 b x^2": _cubic(x, a, b, three=1.0),
        "the logarithm of the density, not the density": np.exp(_cubic(x, a, b)),
        "z^2 / 2, as in a normal distribution": _cubic(x, a, b) - 0.5 * (a * x + b * x**3) ** 2,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, atol=1e-9)
    falling = student(x, -a, -b)
    expect.finite(falling, name="the logarithm of the density for a falling map (a and b negative: the absolute value)")
    expect.close(
        falling,
        answer,
        atol=1e-6,
        name="ln p for a and b negative",
        because="the same density for f and -f: a derivative below zero counts by its absolute value",
        rung="physics",
    )
    line = np.linspace(-6.0, 6.0, 6001)
    total = float(np.exp(np.asarray(student(line, a, b), float)).sum() * (line[1] - line[0]))
    expect.close(
        total,
        1.0,
        rtol=1e-4,
        name="the integral of the density",
        because="a density: its integral is 1",
        rung="physics",
    )
    expect.close(
        student(x, 2.0, 0.0),
        -2 * x * x - HALF_LN_2PI + np.log(2.0),
        atol=1e-6,
        name="ln p for a = 2, b = 0",
        because="a normal distribution of width 1/2 for a linear map with slope 2",
        rung="physics",
    )
    expect.close(answer, _cubic(x, a, b), atol=1e-6, because="ln N(f(x)) plus the logarithm of |df/dx|")
    return "its integral is 1, for rising and for falling maps"


def _line(**changes: float) -> Callable[..., Any]:
    def cubic_log_density(x: np.ndarray, a: float, b: float) -> Any:
        return _cubic(x, a, b, **changes)

    return cubic_log_density


def _no_absolute_value(x: np.ndarray, a: float, b: float) -> Any:
    slope = a + b * 3 * x * x
    return np.log(np.maximum(slope, 1e-9)) - 0.5 * (a * x + b * x * x * x) ** 2 - HALF_LN_2PI


cubic_log_density.hints = (
    "p(x) = p(z) |dz/dx|: the logarithm makes a sum of it. The first term is the normal density at z = f(x).",
    "df/dx = a + 3 b x^2; np.abs, then np.log.",
    "ln p = ln|a + 3 b x^2| - f(x)^2 / 2 - ln(2 pi) / 2.",
)
cubic_log_density.mistakes = {
    "no derivative": (_line(power=0.0), "that of z, not of x"),
    "divided": (_line(power=-1.0), "the derivative multiplies"),
    "root": (_line(power=0.5), "not its root"),
    "no constant": (_line(constant=0.0), "constant of the normal distribution"),
    "constant of two dimensions": (_line(constant=2.0), "there is one dimension"),
    "derivative of the cube": (_line(three=1.0), "which is 3 b x^2"),
    "density": (lambda x, a, b: np.exp(_cubic(x, a, b)), "not the density"),
    "z squared": (lambda x, a, b: _cubic(x, a, b) - 0.5 * (a * x + b * x**3) ** 2, "z^2 / 2"),
    "no absolute value": (_no_absolute_value, "the same density for f and -f"),
    "f in place of its derivative": (
        lambda x, a, b: np.log(np.abs(a * x + b * x**3) + 1e-9) - 0.5 * (a * x + b * x**3) ** 2 - HALF_LN_2PI,
        "its integral is 1",
    ),
    "one number": (lambda x, a, b: float(_cubic(x, a, b).mean()), "an array"),
}

# --- M18.4b -------------------------------------------------------------------------------------------------


def _network(random: np.random.Generator, half: int, size: float = 1.0) -> Any:
    """A small network from half an event to s (between -1 and 1) and t, with weights from ``random``."""
    import keras

    given = keras.Input((half,))
    hidden = keras.layers.Dense(6, activation="tanh")(given)
    s = keras.layers.Dense(half, activation="tanh")(hidden)
    t = keras.layers.Dense(half)(hidden)
    model = keras.Model(given, [s, t])
    model.set_weights([size * random.normal(0.0, 0.6, w.shape).astype(np.float32) for w in model.get_weights()])
    return model


def _parts(network: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    s, t = network(np.asarray(x, np.float32))
    return np.asarray(s, float), np.asarray(t, float)


def _forward(x: np.ndarray, first: Any, second: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, s of the first half and s of the second half, in NumPy."""
    a, b = np.split(np.asarray(x, float), 2, axis=1)
    s_a, t_a = _parts(first, b)
    a = a * np.exp(s_a) + t_a
    s_b, t_b = _parts(second, a)
    return np.concatenate([a, b * np.exp(s_b) + t_b], 1), s_a, s_b


@task("M18.4b", section="18.3")
def coupling_forward(student: Any, random: np.random.Generator) -> str:
    half, n = 3, 8
    network_2, network_1 = _network(random, half), _network(random, half)
    x = random.standard_normal((n, 2 * half)).astype(np.float32)
    answer = student(x, network_2, network_1)
    expect.is_tuple(answer, 2, name="z and the logarithm of the determinant")
    z, log_determinant = answer
    expect.shape(z, (n, 2 * half), name="z")
    expect.shape(log_determinant, (n,), name="the logarithm of the determinant (one number an event)")
    expect.finite(z, name="z")
    expect.finite(log_determinant, name="the logarithm of the determinant")
    right, s2, s1 = _forward(x, network_2, network_1)
    x1, x2 = np.split(x.astype(float), 2, axis=1)
    old_s, old_t = _parts(network_1, x1)
    s_of_first, t_of_first = _parts(network_2, x2)
    plain = np.concatenate([x1 * s_of_first + t_of_first, x2], 1)
    plain_s, plain_t = _parts(network_1, plain[:, :half])
    plain[:, half:] = x2 * plain_s + plain_t
    back = _backward(x, network_2, network_1)
    known_z = {
        "network_1 of the new first half z1, not of x1: on the way back x1 is not known yet": np.concatenate(
            [right[:, :half], x2 * np.exp(old_s) + old_t], 1
        ),
        "network_2 for the first half: it sees the second half and makes s2 and t2": _forward(x, network_1, network_2)[
            0
        ],
        "exp(s) as the scale, which is never zero: s itself could be": plain,
        "from data to latent numbers, x exp(s) + t: this is the way back": back,
        "z1 before z2 in the answer: the halves keep their places": np.roll(right, half, axis=1),
        "both halves transformed: the second one is still x2": np.concatenate([right[:, :half], x2], 1),
    }
    for because, wrong in known_z.items():
        expect.differs(z, wrong, because=because, rtol=1e-4, atol=1e-5)
    known_determinant = {
        "ln|det J| = sum of s: the logarithm undoes the exponential": np.exp(s2 + s1).sum(1),
        "the determinant itself is not asked for, but its logarithm": np.exp((s2 + s1).sum(1)),
        "plus s: a scale above 1 makes the determinant larger": -(s2 + s1).sum(1),
        "s of both steps: the logarithms of their determinants add up": s2.sum(1),
        "s of both steps, also of the first one": s1.sum(1),
        "the sum over the components, not their mean": (s2 + s1).mean(1),
        "s, not t, in the determinant: a shift changes no volume": (
            _parts(network_2, x2)[1] + _parts(network_1, right[:, :half])[1]
        ).sum(1),
    }
    for because, wrong in known_determinant.items():
        expect.differs(log_determinant, wrong, because=because, rtol=1e-4, atol=1e-5)
    still = _network(random, half, size=0.0)
    same, nothing = student(x, still, still)
    expect.close(
        same,
        x,
        atol=1e-6,
        name="z with s = t = 0",
        because="the identity, for networks that answer zero",
        rung="physics",
    )
    expect.close(
        nothing,
        np.zeros(n),
        atol=1e-6,
        name="the logarithm of the determinant with s = t = 0",
        because="a determinant of 1 for the identity",
        rung="physics",
    )
    numerical = _numerical_log_determinant(lambda x: student(x, network_2, network_1)[0], x)
    expect.close(
        log_determinant,
        numerical,
        atol=2e-2,
        name="the logarithm of the determinant",
        because="the logarithm of the determinant of dz/dx, as finite differences of your z give it",
        rung="physics",
    )
    expect.close(z, right, rtol=1e-4, atol=1e-4, name="z", because="(18.23) for the first half, then for the second")
    expect.close(
        log_determinant,
        (s2 + s1).sum(1),
        rtol=1e-4,
        atol=1e-4,
        name="the logarithm of the determinant",
        because="the sum of all s (18.29)",
    )
    return "the determinant agrees with finite differences"


def _numerical_log_determinant(f: Callable[[np.ndarray], Any], x: np.ndarray, step: float = 1e-2) -> np.ndarray:
    """ln|det df/dx| of every event by central differences in single precision."""
    columns = []
    for k in range(x.shape[1]):
        move = step * np.eye(x.shape[1], dtype=np.float32)[k]
        columns.append((np.asarray(f(x + move), float) - np.asarray(f(x - move), float)) / (2 * step))
    return np.asarray(np.linalg.slogdet(np.stack(columns, axis=-1))[1])


def _block(
    *,
    old: bool = False,
    swapped: bool = False,
    linear: bool = False,
    places: bool = False,
    one: bool = False,
    determinant: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """A wrong coupling_forward()."""

    def coupling_forward(x: Any, network_2: Any, network_1: Any) -> Any:
        import keras

        ops = keras.ops
        grow = (lambda s: s) if linear else ops.exp
        if swapped:
            network_2, network_1 = network_1, network_2
        a, b = ops.split(ops.convert_to_tensor(x), 2, axis=1)
        s, t = network_2(b)
        z_a = a * grow(s) + t
        r, u = network_1(a if old else z_a)
        z_b = b if one else b * grow(r) + u
        z = ops.concatenate([z_b, z_a] if places else [z_a, z_b], axis=1)
        return z, ops.sum(s + r, axis=1) if determinant is None else determinant(ops, s, r, t, u)

    return coupling_forward


def _one_answer(x: Any, network_2: Any, network_1: Any) -> Any:
    return _block()(x, network_2, network_1)[0]


def _way_back(x: Any, network_2: Any, network_1: Any) -> Any:
    z = _backward(np.asarray(x), network_2, network_1)
    return z, np.zeros(len(z))


coupling_forward.hints = (
    "x[:, :half] and x[:, half:] are the halves; network_2 gets the second one and gives s2 and t2 for the first.",
    "network_1 gets z1, the first half after its change. On the way back z1 is the only thing known.",
    "z1 = x1 ops.exp(s2) + t2, z2 = x2 ops.exp(s1) + t1, joined by ops.concatenate(..., axis=1); ln|det| is the sum of "
    "s1 and s2 over axis 1.",
)
coupling_forward.mistakes = {
    "of the old half": (_block(old=True), "not of x1"),
    "networks exchanged": (_block(swapped=True), "it sees the second half"),
    "scale without exp": (_block(linear=True), "which is never zero"),
    "the way back": (_way_back, "this is the way back"),
    "halves exchanged": (_block(places=True), "the halves keep their places"),
    "one half only": (_block(one=True), "both halves transformed"),
    "sum of exp": (_block(determinant=lambda ops, s, r, t, u: ops.sum(ops.exp(s + r), 1)), "undoes the exponential"),
    "determinant": (_block(determinant=lambda ops, s, r, t, u: ops.exp(ops.sum(s + r, 1))), "but its logarithm"),
    "sign": (_block(determinant=lambda ops, s, r, t, u: -ops.sum(s + r, 1)), "makes the determinant larger"),
    "first step only": (_block(determinant=lambda ops, s, r, t, u: ops.sum(s, 1)), "of their determinants add up"),
    "second step only": (_block(determinant=lambda ops, s, r, t, u: ops.sum(r, 1)), "also of the first one"),
    "mean": (_block(determinant=lambda ops, s, r, t, u: ops.mean(s + r, 1)), "not their mean"),
    "of the shift": (_block(determinant=lambda ops, s, r, t, u: ops.sum(t + u, 1)), "a shift changes no volume"),
    "over the batch": (_block(determinant=lambda ops, s, r, t, u: ops.sum(s + r)), "one number an event"),
    "absolute values": (_block(determinant=lambda ops, s, r, t, u: ops.sum(abs(s + r), 1)), "finite differences"),
    "z only": (_one_answer, "2 results"),
}

# --- M18.4c -------------------------------------------------------------------------------------------------


def _backward(
    z: np.ndarray, first: Any, second: Any, *, sign: float = -1.0, late: bool = False, direct: bool = False
) -> np.ndarray:
    """The inverse in NumPy; the keywords make the known mistakes."""
    a, b = np.split(np.asarray(z, float), 2, axis=1)

    def undo(half: np.ndarray, s: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.asarray(half * np.exp(sign * s) - t if late else (half - t) * np.exp(sign * s))

    new_b = undo(b, *_parts(second, a))
    new_a = undo(a, *_parts(first, b if direct else new_b))
    return np.concatenate([new_a, new_b], 1)


def _wrong_order(z: np.ndarray, first: Any, second: Any) -> np.ndarray:
    a, b = np.split(np.asarray(z, float), 2, axis=1)
    s, t = _parts(first, b)
    a = (a - t) * np.exp(-s)
    s, t = _parts(second, a)
    return np.concatenate([a, (b - t) * np.exp(-s)], 1)


@task("M18.4c", section="18.3")
def coupling_inverse(student: Any, random: np.random.Generator) -> str:
    half, n = 3, 8
    network_2, network_1 = _network(random, half), _network(random, half)
    z = random.standard_normal((n, 2 * half)).astype(np.float32)
    answer = student(z, network_2, network_1)
    expect.shape(answer, (n, 2 * half), name="x")
    expect.finite(answer, name="x")
    given = (z, network_2, network_1)
    right = _backward(*given)
    known = {
        "the second half first: network_1 sees z1, which is known, network_2 sees x2, which is not yet": _wrong_order(
            *given
        ),
        "network_2 of x2, the half that you have just found, not of z2": _backward(*given, direct=True),
        "exp(-s): the way back divides by the scale": _backward(*given, sign=1.0),
        "the shift taken off before the scale: x = (z - t) exp(-s)": _backward(*given, late=True),
        "the way back, not the way from data to latent numbers again": _forward(*given)[0],
        "x1 before x2 in the answer: the halves keep their places": np.roll(right, half, axis=1),
        "network_2 for the first half and network_1 for the second": _backward(z, network_1, network_2),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4, atol=1e-5)
    x = random.standard_normal((n, 2 * half)).astype(np.float32)
    returned = student(_forward(x, network_2, network_1)[0].astype(np.float32), network_2, network_1)
    expect.close(
        returned,
        x,
        atol=1e-5 * max(1.0, 5 * float(np.abs(x).max())),
        name="x after both ways",
        because="the data themselves, after the way to z and back",
        rung="physics",
    )
    expect.close(answer, right, rtol=1e-4, atol=1e-4, name="x", because="(z - t) exp(-s), for x2 and then for x1")
    return "there and back again, to single precision"


def _inverse(f: Callable[..., Any]) -> Callable[..., Any]:
    def coupling_inverse(z: Any, network_2: Any, network_1: Any) -> Any:
        return f(np.asarray(z), network_2, network_1)

    return coupling_inverse


coupling_inverse.hints = (
    "z1 is the first half, so s1 and t1 of network_1 are known at once. They belong to the second half.",
    "x2 = (z2 - t1) exp(-s1); now network_2 of x2 gives s2 and t2.",
    "x1 = (z1 - t2) ops.exp(-s2); ops.concatenate([x1, x2], axis=1).",
)
coupling_inverse.mistakes = {
    "first half first": (_inverse(_wrong_order), "the second half first"),
    "of z2": (_inverse(lambda z, f, g: _backward(z, f, g, direct=True)), "not of z2"),
    "scale up": (_inverse(lambda z, f, g: _backward(z, f, g, sign=1.0)), "divides by the scale"),
    "shift last": (_inverse(lambda z, f, g: _backward(z, f, g, late=True)), "taken off before"),
    "forwards": (_inverse(lambda z, f, g: _forward(z, f, g)[0]), "latent numbers again"),
    "halves exchanged": (_inverse(lambda z, f, g: np.roll(_backward(z, f, g), 3, axis=1)), "keep their places"),
    "networks exchanged": (_inverse(lambda z, f, g: _backward(z, g, f)), "and network_1 for the second"),
    "shift forgotten": (
        _inverse(
            lambda z, f, g: np.concatenate(
                [z[:, :3] * np.exp(-_parts(f, z[:, 3:])[0]), z[:, 3:] * np.exp(-_parts(g, z[:, :3])[0])], 1
            )
        ),
        "after the way to z and back",
    ),
    "first half only": (_inverse(lambda z, f, g: _backward(z, f, g)[:, :3]), "shape (8, 3)"),
}

# --- M18.4d -------------------------------------------------------------------------------------------------


@task("M18.4d", section="18.3")
def flow_loss(student: Any, random: np.random.Generator) -> str:
    n, dimensions = 9, 5
    z = random.standard_normal((n, dimensions)).astype(np.float32)
    log_determinant = random.normal(0.7, 0.5, n).astype(np.float32)
    answer = student(z, log_determinant)
    expect.number(answer, name="the loss")
    square, ln = 0.5 * (z.astype(float) ** 2).sum(1), log_determinant.astype(float)
    constant = dimensions * HALF_LN_2PI
    right = (square - ln).mean() + constant
    known = {
        "the constant M/2 ln(2 pi), which the book leaves out: without it the loss is no likelihood": right - constant,
        "the constant once for each of the M dimensions": right - constant + HALF_LN_2PI,
        "M/2 ln(2 pi): one half for each dimension": right + constant,
        "minus the logarithm of the determinant: stretching the data apart has to pay": (square + ln).mean() + constant,
        "the mean over the events, not the sum": (square - ln).sum() + constant,
        "the mean over the events of all of it, the constant once an event": (square - ln + constant).sum(),
        "the sum over the dimensions, not their mean": (square / dimensions - ln).mean() + constant,
        "one half of the square": (2 * square - ln).mean() + constant,
        "the negative log-likelihood, to be minimised": -right,
        "the logarithm of the determinant, not the determinant": (square - np.exp(ln)).mean() + constant,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-5)
    at_rest = student(np.zeros((4, 2), np.float32), np.zeros(4, np.float32))
    expect.close(
        float(np.asarray(at_rest)),
        float(np.log(2 * np.pi)),
        rtol=1e-5,
        name="the loss of two-dimensional events at z = 0 under the identity",
        because="-ln of the normal density at its maximum",
        rung="physics",
    )
    many = random.standard_normal((20_000, 2)).astype(np.float32)
    for scale in (1.0, 0.5):
        entropy = np.log(2 * np.pi * np.e) + 2 * np.log(scale)
        value = student(many, np.full(20_000, -2 * np.log(scale), np.float32))
        expect.close(
            float(np.asarray(value)),
            float(entropy),
            atol=0.06,
            name=f"the loss of the exact flow for a Gaussian of width {scale:g}",
            because="the entropy of the data, if the flow is exact",
            rung="physics",
        )
    expect.close(float(np.asarray(answer)), right, rtol=1e-5, name="the loss", because="the mean of -ln p(x) in nats")
    return "the entropy of the data, if the flow is exact"


def _loss(change: Callable[[np.ndarray, np.ndarray, int], Any]) -> Callable[..., Any]:
    """A wrong flow_loss(), from half the squared length of z, ln|det| and the number of dimensions."""

    def flow_loss(z: Any, log_determinant: Any) -> Any:
        z = np.asarray(z, float)
        return change(0.5 * (z * z).sum(1), np.asarray(log_determinant, float), z.shape[1])

    return flow_loss


flow_loss.hints = (
    "ln p(x) = ln N(z) + ln|det J|, and the loss is minus its mean over the events.",
    "ln N(z) = -|z|^2 / 2 - M/2 ln(2 pi) in M dimensions; ops.sum(z**2, axis=1) is |z|^2.",
    "ops.mean of |z|^2 / 2 - log_determinant, plus z.shape[1] / 2 times np.log(2 np.pi).",
)
flow_loss.mistakes = {
    "no constant": (_loss(lambda q, d, m: float((q - d).mean())), "the loss is no likelihood"),
    "constant once": (_loss(lambda q, d, m: float((q - d).mean() + HALF_LN_2PI)), "each of the M dimensions"),
    "constant twice": (_loss(lambda q, d, m: float((q - d).mean() + 2 * m * HALF_LN_2PI)), "one half for each"),
    "sign": (_loss(lambda q, d, m: float((q + d).mean() + m * HALF_LN_2PI)), "stretching the data apart"),
    "sum": (_loss(lambda q, d, m: float((q - d).sum() + m * HALF_LN_2PI)), "not the sum"),
    "sum of all": (_loss(lambda q, d, m: float((q - d + m * HALF_LN_2PI).sum())), "the constant once an event"),
    "mean of dimensions": (_loss(lambda q, d, m: float((q / m - d).mean() + m * HALF_LN_2PI)), "not their mean"),
    "no half": (_loss(lambda q, d, m: float((2 * q - d).mean() + m * HALF_LN_2PI)), "one half of the square"),
    "likelihood": (_loss(lambda q, d, m: -float((q - d).mean() + m * HALF_LN_2PI)), "to be minimised"),
    "determinant": (_loss(lambda q, d, m: float((q - np.exp(d)).mean() + m * HALF_LN_2PI)), "not the determinant"),
    "no determinant": (_loss(lambda q, d, m: float(q.mean() + m * HALF_LN_2PI)), "the entropy of the data"),
    "not averaged": (_loss(lambda q, d, m: q - d + m * HALF_LN_2PI), "one number"),
}

# --- X18.6 --------------------------------------------------------------------------------------------------


def _masked(random: np.random.Generator, dimensions: int) -> Any:
    """s and t of every component, linear under a tanh, from the components before it."""
    import keras

    given = keras.Input((dimensions,))
    hidden = keras.layers.Dense(3 * dimensions, activation="tanh")(given)
    s = keras.layers.Dense(dimensions, activation="tanh")(hidden)
    model = keras.Model(given, [s, keras.layers.Dense(dimensions)(hidden)])
    number, of_hidden = np.arange(dimensions), np.repeat(np.arange(dimensions), 3)
    masks = {(dimensions, 3 * dimensions): number[:, None] <= of_hidden}
    masks[3 * dimensions, dimensions] = of_hidden[:, None] < number
    weights = [random.normal(0.0, 0.8, w.shape) * masks.get(w.shape, 1.0) for w in model.get_weights()]
    model.set_weights([w.astype(np.float32) for w in weights])
    return model


def _passes(z: np.ndarray, network: Any, count: int, sign: float = -1.0, late: bool = False) -> np.ndarray:
    """``count`` passes from x = 0; after each one more component is right. M passes are the inverse."""
    x = np.zeros(np.shape(z))
    for _ in range(count):
        s, t = _parts(network, x)
        x = z * np.exp(sign * s) - t if late else (z - t) * np.exp(sign * s)
    return x


@task("X18.6", section="18.3")
def autoregressive_inverse(student: Any, random: np.random.Generator) -> str:
    n, dimensions = 6, 4
    z = random.standard_normal((n, dimensions)).astype(np.float32)
    for _ in range(50):  # until every component matters for the last one, so that a pass too few is seen
        network = _masked(random, dimensions)
        if np.abs(_passes(z, network, dimensions) - _passes(z, network, dimensions - 1)).max() > 0.01:
            break
    answer = student(z, network)
    expect.shape(answer, (n, dimensions), name="x")
    expect.finite(answer, name="x")
    s, t = _parts(network, z)
    right = _passes(z, network, dimensions)
    known = {
        "s and t of the data x, not of z: that is (18.33) as printed, another flow": (z - t) * np.exp(-s),
        "one pass for each component: after the first pass only x_1 is right": _passes(z, network, 1),
        "a pass for the last component too": _passes(z, network, dimensions - 1),
        "exp(-s): the way back divides by the scale": _passes(z, network, dimensions, sign=1.0),
        "the shift taken off before the scale: x = (z - t) exp(-s)": _passes(z, network, dimensions, late=True),
        "the way to the data, not from them": z * np.exp(s) + t,
        "the first component too, whose s and t are constants": np.where(np.arange(dimensions) == 0, 0.0, right),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4, atol=1e-4)
    expect.close(
        student(z[::-1].copy(), network),
        np.asarray(answer)[::-1],
        rtol=1e-4,
        atol=1e-4,
        name="x of the events in another order",
        because="the same x for an event, whatever stands beside it in the batch",
        rung="physics",
    )
    s, t = _parts(network, np.asarray(answer))
    expect.close(
        np.asarray(answer, float) * np.exp(s) + t,
        z,
        atol=1e-3,
        name="x exp(s(x)) + t(x)",
        because="the latent numbers again, when your x goes through the density pass",
        rung="physics",
    )
    expect.close(answer, right, rtol=1e-3, atol=1e-3, name="x", because="(z - t) exp(-s), component by component")
    return "the density pass gives the latent numbers back"


def _sequential(f: Callable[[np.ndarray, Any], Any]) -> Callable[..., Any]:
    def autoregressive_inverse(z: Any, network: Any) -> Any:
        return f(np.asarray(z), network)

    return autoregressive_inverse


def _first_left_out(z: np.ndarray, network: Any) -> np.ndarray:
    x = _passes(z, network, z.shape[1])
    x[:, 0] = 0.0
    return x


autoregressive_inverse.hints = (
    "Begin with zeros for x. network(x) gives right values of s_1 and t_1, since they depend on no component.",
    "A loop over the components: call the network with the x so far, then fill in column i from z[:, i].",
    "x[:, i] = (z[:, i] - t[:, i]) exp(-s[:, i]); np.asarray makes arrays of the tensors.",
)
autoregressive_inverse.mistakes = {
    "as printed": (_sequential(lambda z, net: (z - _parts(net, z)[1]) * np.exp(-_parts(net, z)[0])), "as printed"),
    "one pass": (_sequential(lambda z, net: _passes(z, net, 1)), "only x_1 is right"),
    "a pass too few": (_sequential(lambda z, net: _passes(z, net, z.shape[1] - 1)), "last component too"),
    "scale up": (_sequential(lambda z, net: _passes(z, net, z.shape[1], sign=1.0)), "divides by the scale"),
    "shift last": (_sequential(lambda z, net: _passes(z, net, z.shape[1], late=True)), "taken off before"),
    "density pass": (_sequential(lambda z, net: z * np.exp(_parts(net, z)[0]) + _parts(net, z)[1]), "not from them"),
    "first left out": (_sequential(_first_left_out), "whose s and t are constants"),
    "two passes": (_sequential(lambda z, net: _passes(z, net, 2)), "the latent numbers again"),
    "one event": (_sequential(lambda z, net: _passes(z, net, z.shape[1])[0]), "shape (4,)"),
}

# --- X18.7a -------------------------------------------------------------------------------------------------


@task("X18.7a", section="18.3")
def log_weights(student: Any, random: np.random.Generator) -> str:
    n, dimensions = 9, 4
    z = random.standard_normal((n, dimensions)).astype(np.float32)
    log_determinant = random.normal(-0.8, 0.4, n).astype(np.float32)
    action = random.normal(3.0, 1.0, n).astype(np.float32)
    answer = student(z, log_determinant, action)
    expect.shape(answer, (n,), name="the logarithms of the weights")
    expect.finite(answer, name="the logarithms of the weights")
    square, ln, s = 0.5 * (z.astype(float) ** 2).sum(1), log_determinant.astype(float), action.astype(float)
    constant = dimensions * HALF_LN_2PI
    right = -s + square + constant + ln
    known = {
        "ln q = ln N(z) - ln|det|: here the map leads from z to the field, so the determinant divides": right - 2 * ln,
        "the constant of ln N(z): without it the mean weight is not Z": right - constant,
        "the constant once for each dimension": right - constant + HALF_LN_2PI,
        "exp(-S) / q, not its inverse": -right,
        "minus S: a large action makes a field improbable": right + 2 * s,
        "minus ln q: what the flow proposes too often gets a small weight": -s - square - constant - ln,
        "|z|^2 / 2 in ln N(z)": right + square,
        "the logarithm of the weight, not the weight": np.exp(right),
        "the determinant: the map changes volumes": right - ln,
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-5, atol=1e-5)
    width = float(random.uniform(0.4, 0.8))  # phi = width z is exact for S = phi^2 / (2 width^2)
    exact = student(z, np.full(n, dimensions * np.log(width), np.float32), square.astype(np.float32))
    expect.close(
        exact,
        np.full(n, dimensions * (HALF_LN_2PI + np.log(width))),
        atol=1e-4,
        name="the logarithm of the weights of an exact flow",
        because="the same for all fields and equal to ln Z, when the flow is exact",
        rung="physics",
    )
    expect.close(answer, right, rtol=1e-5, atol=1e-4, name="the logarithm of the weights", because="-S - ln q")
    return "constant and equal to ln Z for an exact flow"


def _weights(change: Callable[..., Any]) -> Callable[..., Any]:
    """A wrong log_weights(), from half the squared length of z with the constant, ln|det| and S."""

    def log_weights(z: Any, log_determinant: Any, action: Any) -> Any:
        z = np.asarray(z, float)
        q = 0.5 * (z * z).sum(1)
        return change(q, z.shape[1] * HALF_LN_2PI, np.asarray(log_determinant, float), np.asarray(action, float))

    return log_weights


log_weights.hints = (
    "ln w = -S - ln q. The density of the field is that of the noise divided by |det J|.",
    "ln q = -|z|^2 / 2 - M/2 ln(2 pi) - log_determinant.",
    "Two minus signs: ln w = -action + |z|^2 / 2 + M/2 ln(2 pi) + log_determinant.",
)
log_weights.mistakes = {
    "determinant multiplies": (_weights(lambda q, c, d, s: -s + q + c - d), "so the determinant divides"),
    "no constant": (_weights(lambda q, c, d, s: -s + q + d), "the mean weight is not Z"),
    "constant once": (_weights(lambda q, c, d, s: -s + q + HALF_LN_2PI + d), "once for each dimension"),
    "inverse": (_weights(lambda q, c, d, s: s - q - c - d), "not its inverse"),
    "sign of S": (_weights(lambda q, c, d, s: s + q + c + d), "a large action"),
    "times q": (_weights(lambda q, c, d, s: -s - q - c - d), "proposes too often"),
    "no half": (_weights(lambda q, c, d, s: -s + 2 * q + c + d), "in ln N(z)"),
    "exponential": (_weights(lambda q, c, d, s: np.exp(-s + q + c + d)), "not the weight"),
    "no determinant": (_weights(lambda q, c, d, s: -s + q + c), "changes volumes"),
    "no action": (_weights(lambda q, c, d, s: q + c + d), "when the flow is exact"),
    "mean": (_weights(lambda q, c, d, s: float((-s + q + c + d).mean())), "an array"),
}

# --- X18.7b -------------------------------------------------------------------------------------------------


def _chain(
    log_w: np.ndarray, u: np.ndarray, *, previous: bool = False, sign: float = 1.0, rule: str = "metropolis"
) -> np.ndarray:
    """Where a Metropolis chain stands; the keywords make the known mistakes."""
    at, path = 0, [0]
    for k in range(1, len(log_w)):
        gain = sign * (log_w[k] - log_w[k - 1 if previous else at])
        if rule == "ratio of logarithms":
            move = u[k] < log_w[k] / log_w[at]
        elif rule == "greedy":
            move = gain > 0
        elif rule == "reversed":
            move = u[k] > np.exp(min(gain, 0.0))
        elif rule == "heat bath":
            move = u[k] < 1 / (1 + np.exp(-gain))
        elif rule == "late":
            move = u[k - 1] < np.exp(min(gain, 0.0))
        else:
            move = u[k] < np.exp(min(gain, 0.0))
        at = k if move else at
        path.append(at)
    return np.array(path)


@task("X18.7b", section="18.3")
def metropolis(student: Any, random: np.random.Generator) -> str:
    n = 200
    log_w, u = 3.0 + random.normal(0.0, 0.8, n), random.uniform(0.02, 0.98, n)
    answer = student(log_w, u)
    expect.shape(
        answer, (n,), name="the chain (as many entries as proposals: a rejected step counts the old field again)"
    )
    expect.dtype(answer, "i", name="the chain")
    known: dict[str, np.ndarray] = {
        "compare with the field where the chain stands, not with the previous proposal": _chain(
            log_w, u, previous=True
        ),
        "w'/w with the new weight on top": _chain(log_w, u, sign=-1.0),
        "the ratio of the weights, not of their logarithms": _chain(log_w, u, rule="ratio of logarithms"),
        "moves to a smaller weight too, now and then: without them the chain only climbs": _chain(
            log_w, u, rule="greedy"
        ),
        "move if the random number is below the probability": _chain(log_w, u, rule="reversed"),
        "min(1, w'/w): a larger weight is always accepted": _chain(log_w, u, rule="heat bath"),
        "uniform[i] for the proposal i": _chain(log_w, u, rule="late"),
        "a chain that sometimes stays: not every proposal is accepted": np.arange(n),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.equal(
        np.asarray(student(np.full(20, -3.0), random.random(20))),
        np.arange(20),
        name="the chain of an exact flow",
        because="every proposal accepted, when all weights are equal",
        rung="physics",
    )
    try_far = np.array([0.0, 2000.0, -2000.0, 2010.0])
    expect.equal(
        np.asarray(student(try_far, np.full(4, 0.5))),
        np.array([0, 1, 1, 3]),
        name="the chain for weights of exp(2000) and exp(-2000)",
        because="logarithms compared, since such weights overflow",
        rung="physics",
    )
    wanted = np.array([0.2, 0.3, 0.5])
    kind = random.integers(0, 3, 6000)
    standing = np.asarray(student(np.log(wanted)[kind], random.random(6000)))
    share = np.bincount(kind[standing], minlength=3) / 6000
    expect.close(
        share,
        wanted,
        atol=0.06,
        name="the shares of three states in a chain of 6000 steps",
        because="shares like the weights, when all are proposed equally often",
        rung="physics",
    )
    expect.equal(np.asarray(answer), _chain(log_w, u), name="the chain", because="min(1, w'/w), step by step")
    return "three states come out with the shares of their weights"


def _chained(**changes: Any) -> Callable[..., Any]:
    def metropolis(log_w: np.ndarray, uniform: np.ndarray) -> Any:
        return _chain(log_w, uniform, **changes)

    return metropolis


def _overflowing(log_w: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        w, at, path = np.exp(log_w), 0, [0]
        for k in range(1, len(w)):
            at = k if uniform[k] < w[k] / w[at] else at
            path.append(at)
    return np.array(path)


metropolis.hints = (
    "Keep the number of the proposal where the chain stands; at step i compare log_w[i] with the one there.",
    "Move if uniform[i] < exp(log_w[i] - log_w[standing]). Taking the logarithm of both sides avoids the overflow, and "
    "min(1, ...) as well, since the logarithm of uniform is never above 0.",
    "After each step, moved or not, write the number down: an integer array as long as log_w, with 0 at the start.",
)
metropolis.mistakes = {
    "previous proposal": (_chained(previous=True), "not with the previous proposal"),
    "ratio upside down": (_chained(sign=-1.0), "the new weight on top"),
    "ratio of logarithms": (_chained(rule="ratio of logarithms"), "not of their logarithms"),
    "only upwards": (_chained(rule="greedy"), "the chain only climbs"),
    "above the probability": (_chained(rule="reversed"), "below the probability"),
    "heat bath": (_chained(rule="heat bath"), "a larger weight is always accepted"),
    "one number late": (_chained(rule="late"), "uniform[i] for the proposal i"),
    "all accepted": (lambda log_w, uniform: np.arange(len(log_w)), "a chain that sometimes stays"),
    "overflow": (_overflowing, "such weights overflow"),
    "accepted ones only": (lambda log_w, uniform: np.unique(_chain(log_w, uniform)), "counts the old field again"),
    "the weights": (lambda log_w, uniform: log_w[_chain(log_w, uniform)], "whole numbers"),
}

# --- questions ----------------------------------------------------------------------------------------------

quiz(
    "M18.4-q1",
    question="Why may the networks for s and t be anything, even functions without an inverse?",
    options=(
        "Because the training makes them invertible.",
        "Because on the way back they see the same numbers as on the way there, and are called again, not inverted.",
        "Because tanh and exp have inverses.",
        "Because the determinant does not contain them.",
    ),
    answer=2,
    explanation="The half that a network sees passes unchanged, so it is there in both directions. The determinant "
    "does contain s, but no derivative of it: those stand beside the diagonal of a triangular matrix.",
)
quiz(
    "X18.6-q1",
    question="A detector simulation is to be replaced: a flow has to draw millions of showers with 500 components. "
    "Which of these is suited best?",
    options=(
        "A masked autoregressive flow, since its density is computed in one pass.",
        "A masked autoregressive flow, with all orders of the components.",
        "An inverse autoregressive or a coupling flow, since they draw samples in one pass a layer.",
        "None: flows cannot have 500 components.",
    ),
    answer=3,
    explanation="Sampling from a masked autoregressive flow takes 500 passes a layer. With (18.33) as printed, the "
    "inverse autoregressive flow, the slow direction is the density; a coupling flow has none.",
)
quiz(
    "X18.7-q1",
    question="The effective share of a flow is 0.8 on one lattice. What is it for two of them, taken as one?",
    options=("0.64", "0.8", "0.4", "0.9"),
    answer=1,
    explanation="The weight is a product, and so are the means of w and w^2 of independent factors: 0.8 squared. The "
    "share falls exponentially with the volume, unless the flow becomes better with it.",
)
