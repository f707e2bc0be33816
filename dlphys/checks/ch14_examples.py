"""Checks of the examples of chapter 14: a gas thermometer, Hamilton's equations, masses of jets, Boltzmann machines."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task
from dlphys.checks.proxy import StudentError

# --- X14.4 --------------------------------------------------------------------------------------------------


@task("X14.4", section="14.3")
def build_thermometer(student: Any, random: np.random.Generator) -> str:
    width, atoms = int(random.integers(6, 12)), 10
    model = student(width)
    expect.is_model(model)
    speeds = random.uniform(0.3, 2.5, size=(8, atoms)).astype(np.float32)
    expect.output_shape(model, given=(4, atoms), is_=(4, 1))
    answer = np.asarray(model.predict(speeds), float)
    try:
        more = np.asarray(model.predict(np.concatenate([speeds, speeds], axis=1)), float)
    except StudentError as error:
        expect.holds(
            False,
            because="a network for any number of atoms: keras.Input((None,)), and the same weights for each atom",
            seen=f"20 atoms in place of 10 are refused ({str(error)[:120]})",
            rung="known mistake",
        )
    size = np.abs(answer).max() + 1e-6
    expect.holds(
        np.ptp(answer) > 1e-5 * size,
        because="an answer that depends on the speeds of the gas",
        seen="the same answer for eight different gases",
        rung="known mistake",
    )
    order = random.permutation(atoms)
    expect.changes_little(
        model.predict,
        speeds,
        speeds[:, order],
        because="the same answer when the atoms are given in another order",
        tolerance=1e-4 * size,
    )
    expect.at_most(
        np.abs(more - answer).max(),
        1e-4 * size,
        because="the mean over the atoms, not their sum or maximum: every atom twice is the same gas",
        name="the change when every atom is given twice",
    )
    # two gases with equal means of the speeds, one of them with a wide distribution
    narrow = np.full((1, atoms), 1.2, np.float32)
    wide = np.where(np.arange(atoms) % 2, 0.4, 2.0).astype(np.float32)[None]
    middling = np.asarray(model.predict(np.concatenate([narrow, wide])), float)
    expect.holds(
        np.ptp(middling) > 1e-5 * size,
        because="an activation in the layers of each atom: without one the network sees only the mean speed, and the "
        "temperature is in the mean of the squares",
        seen="the same answer for two gases with equal mean speed and different spreads",
    )
    last = model.layers[-1]["config"] or {}
    expect.holds(
        last.get("activation", "linear") == "linear",
        because="a linear output: the scaled temperature has both signs and no bounds",
        seen=f"{last.get('activation')} at the output",
        rung="known mistake",
    )
    expect.equal(
        model.count_params(),
        2 * width + 2 * (width**2 + width) + width + 1,
        name="the number of parameters",
        because="two hidden layers for each atom, one after the mean, one output, all with biases",
    )
    return "no order of the atoms, and any number of them"


def _sets(
    *, pool: str = "mean", inside: str | None = "elu", last: str | None = None, after: int = 1, axis: int = 1
) -> Callable[[int], Any]:
    """A build_thermometer() with one thing changed."""

    def build_thermometer(width: int) -> Any:
        import keras
        from keras import layers

        given = keras.Input((None,))
        x = keras.ops.expand_dims(given, -1)
        for _ in range(2):
            x = layers.Dense(width, activation=inside)(x)
        x = getattr(keras.ops, pool)(x, axis=axis)
        for _ in range(after):
            x = layers.Dense(width, activation="elu")(x)
        return keras.Model(given, layers.Dense(1, activation=last)(x))

    return build_thermometer


def _dense(width: int) -> Any:
    import keras

    hidden = [keras.layers.Dense(width, activation="elu") for _ in range(3)]
    return keras.Sequential([keras.Input((10,)), *hidden, keras.layers.Dense(1)])


def _recurrent(width: int) -> Any:
    import keras

    given = keras.Input((None,))
    x = keras.layers.SimpleRNN(width)(keras.ops.expand_dims(given, -1))
    return keras.Model(given, keras.layers.Dense(1)(x))


def _atom_by_atom(width: int) -> Any:
    import keras

    given = keras.Input((None,))
    x = keras.layers.Dense(width, activation="elu")(keras.ops.expand_dims(given, -1))
    return keras.Model(given, keras.layers.Dense(1)(x))


build_thermometer.hints = (
    "keras.Input((None,)) takes any number of speeds; keras.ops.expand_dims(speeds, axis=-1) gives each of them an "
    "axis of its own.",
    "Dense layers act on the last axis only, so they are the same for all atoms; GlobalAveragePooling1D takes the mean "
    "over axis 1.",
    "expand_dims, twice Dense(width, activation='elu'), GlobalAveragePooling1D, once more Dense(width, "
    "activation='elu'), Dense(1).",
)
build_thermometer.mistakes = {
    "dense network": (_dense, "the same weights for each atom"),
    "sum over the atoms": (_sets(pool="sum"), "not their sum or maximum"),
    "recurrent network": (_recurrent, "in another order"),
    "no activation": (_sets(inside=None), "only the mean speed"),
    "softmax of one output": (_sets(last="softmax"), "depends on the speeds"),
    "rectified output": (_sets(last="softplus"), "both signs and no bounds"),
    "no layer after the mean": (_sets(after=0), "one after the mean"),
    "no mean": (_atom_by_atom, "output of shape (4, 1)"),
}

quiz(
    "X14.4-q1",
    question="Near 1000 K the network's error is smaller than the Cramer-Rao bound. What does that tell?",
    options=(
        "The network has seen the test gases.",
        "It has learnt that no gas is hotter: its estimates are biased there, and the bound holds for unbiased ones.",
        "The bound holds for many atoms only.",
        "A network can be better than any classical method, at every temperature.",
    ),
    answer=2,
    explanation="The posterior mean does the same. The price is paid where it is biased; averaged over the prior "
    "nothing has a smaller mean squared error.",
)

# --- X14.5 --------------------------------------------------------------------------------------------------


def _quadratic(stiffness: float, mobility: float) -> Any:
    """Keras model of H = stiffness q^2 / 2 + mobility p^2 / 2."""
    import keras

    given = keras.Input((2,))
    energy = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(given, energy(keras.layers.Multiply()([given, given])))
    energy.set_weights([np.array([[stiffness / 2], [mobility / 2]])])
    return model


def _some_energy(random: np.random.Generator) -> Any:
    """A dense network with random weights: no symmetry, no quadratic form."""
    import keras

    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(12, activation="tanh"), keras.layers.Dense(1, use_bias=False)]
    )
    model.set_weights([random.normal(0, 0.8, weights.shape) for weights in model.get_weights()])
    return model


def _slopes(energy: Any, x: np.ndarray, step: float = 1e-2) -> np.ndarray:
    """Finite differences of an energy, columns dH/dq and dH/dp."""
    columns = []
    for shift in np.eye(2) * step:
        up, down = (np.asarray(energy((x + sign * shift).astype(np.float32)), float)[:, 0] for sign in (1, -1))
        columns.append((up - down) / (2 * step))
    return np.stack(columns, axis=1)


@task("X14.5", section="14.5")
def hamiltonian_field(student: Any, random: np.random.Generator) -> str:
    stiffness, mobility = float(random.uniform(2.0, 3.0)), float(random.uniform(0.4, 1.2))
    x = random.uniform(-1.5, 1.5, size=(9, 2)).astype(np.float32)
    answer = student(_quadratic(stiffness, mobility), x)
    expect.shape(answer, (9, 2), name="the time derivatives of 9 states")
    expect.finite(answer, name="the time derivatives")
    slopes = x * np.array([stiffness, mobility])
    known = {
        "Hamilton's equations exchange the two: dq/dt is the slope along p": slopes,
        "a minus sign for dp/dt: the book forgot it in (14.31), and an energy that grows in both directions is not "
        "conserved": slopes[:, ::-1],
        "dq/dt = +dH/dp and dp/dt = -dH/dq: with both signs turned, time runs backwards": slopes[:, ::-1] * [-1, 1],
        "the slopes turned by a quarter, not their negative: a motion down the slope is friction": -slopes,
        "the slopes exchanged, besides the sign": slopes * [1, -1],
        "dp/dt by the slope along q, in the second column": -slopes[:, ::-1] * [-1, 1] * [-1, -1],
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    energy = _some_energy(random)
    x = random.uniform(-1, 1, size=(20, 2)).astype(np.float32)
    field, gradient = np.asarray(student(energy, x), float), _slopes(energy, x)
    expect.at_most(
        np.abs((field * gradient).sum(axis=1)).max(),
        2e-2,
        because="a motion along the lines of equal energy, for any energy",
        name="the change of the energy with time",
    )
    step, divergence = 1e-2, np.zeros(len(x))
    for axis in range(2):
        shift = (step * np.eye(2)[axis]).astype(np.float32)
        up, down = (np.asarray(student(energy, x + sign * shift), float) for sign in (1, -1))
        divergence += (up - down)[:, axis] / (2 * step)
    expect.at_most(
        np.abs(divergence).max(),
        2e-2,
        because="a flow that keeps areas in phase space (Liouville), for any energy",
        name="its divergence",
    )
    expect.close(
        field,
        gradient[:, ::-1] * [1, -1],
        atol=2e-2,
        name="the field",
        because="(dH/dp, -dH/dq), as finite differences of the energy give it",
    )
    expect.close(
        answer, slopes[:, ::-1] * [1, -1], rtol=1e-4, atol=1e-5, because="(p/m, -kq) for a spring", name="the field"
    )
    return "it keeps any energy, whatever the weights"


def _field(change: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A wrong hamiltonian_field(), made of the two slopes of the energy."""

    def hamiltonian_field(energy: Any, states: Any) -> Any:
        import keras

        from dlphys.autodiff import gradient

        return change(gradient(energy, keras.ops.convert_to_tensor(states)))

    return hamiltonian_field


hamiltonian_field.hints = (
    "autodiff.gradient(energy, states) has the columns dH/dq and dH/dp.",
    "dq/dt is the second column of the slopes, dp/dt is minus the first.",
    "keras.ops.stack([first, second], axis=1) makes (n, 2) of two tensors (n,).",
)
hamiltonian_field.mistakes = {
    "the gradient": (_field(lambda g: g), "exchange the two"),
    "as printed in (14.31)": (_field(lambda g: g[:, ::-1]), "the book forgot it"),
    "backwards in time": (_field(lambda g: g[:, ::-1] * [-1.0, 1.0]), "time runs backwards"),
    "down the slope": (_field(lambda g: -g), "is friction"),
    "sign without exchange": (_field(lambda g: g * [1.0, -1.0]), "besides the sign"),
    "twice too fast": (_field(lambda g: g[:, ::-1] * [2.0, -2.0]), "finite differences of the energy"),
    "two slopes in one row": (_field(lambda g: g.numpy().T), "shape (9, 2)"),
}

quiz(
    "X14.5-q1",
    question="A Hamiltonian network has learnt a pendulum with friction, from exact derivatives. What will its motion "
    "do?",
    options=(
        "Lose energy as the data do.",
        "Nothing: its loss cannot be minimised.",
        "Keep some energy of its own for ever: its field has no divergence, so it cannot describe friction.",
        "Gain energy.",
    ),
    answer=3,
    explanation="A built-in law is an advantage only where the law holds. The loss stays above zero, and that is how "
    "the data object.",
)

# --- X14.6 --------------------------------------------------------------------------------------------------


def _masses(
    pt: np.ndarray,
    eta: np.ndarray,
    phi: np.ndarray,
    *,
    factor: float = 2.0,
    sign: float = -1.0,
    root: bool = True,
    along: Callable[[np.ndarray], np.ndarray] = np.cosh,
    around: Callable[[np.ndarray], np.ndarray] = np.cos,
) -> np.ndarray:
    """Masses of all pairs; the keywords make the known mistakes."""
    d_eta, d_phi = (a[:, :, None] - a[:, None] for a in (eta, phi))
    m2 = factor * np.einsum("nj,nk->njk", pt, pt) * (along(d_eta) + sign * around(d_phi))
    m2 = np.clip(m2, 0, None)
    return np.asarray(m2**0.5 if root else m2)


@task("X14.6", section="14.7")
def pair_masses(student: Any, random: np.random.Generator) -> str:
    n, jets = 6, 5
    pt = random.uniform(30.0, 200.0, (n, jets))
    eta, phi = random.uniform(-2.2, 2.2, (n, jets)), random.uniform(-np.pi, np.pi, (n, jets))
    answer = student(pt, eta, phi)
    expect.shape(answer, (n, jets, jets), name="the masses")
    expect.finite(answer, name="the masses (a square root of a negative square?)")
    known = {
        "the mass, not its square": _masses(pt, eta, phi, root=False),
        "the factor 2": _masses(pt, eta, phi, factor=1.0),
        "minus the cosine of the angle in phi: parallel jets have no mass": _masses(pt, eta, phi, sign=1.0),
        "the hyperbolic cosine for the pseudorapidities": _masses(pt, eta, phi, along=np.cos),
        "the ordinary cosine for the azimuths: jets at -pi and pi are neighbours": _masses(
            pt, eta, phi, around=np.cosh, sign=1.0
        ),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    answer = np.asarray(answer, float)
    # rounding: the difference of two cosines is known to 1e-16, its root to 1e-8
    expect.at_most(
        np.abs(np.einsum("njj->nj", answer)).max(),
        1e-3,
        because="no mass for a jet with itself",
        name="the largest entry on the diagonal",
    )
    expect.close(
        answer,
        np.swapaxes(answer, 1, 2),
        atol=1e-6,
        name="the table",
        because="a pair, whichever jet is named first",
        rung="physics",
    )
    expect.close(
        student(pt, eta + 0.7, phi + 1.9),
        answer,
        rtol=1e-6,
        atol=1e-3,
        name="the masses",
        because="the same masses after a boost along the beam (eta moves) and a rotation about it (phi moves)",
        rung="physics",
    )
    momentum = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    total = momentum[:, :, :, None] + momentum[:, :, None]
    length = pt * np.cosh(eta)
    square = (length[:, :, None] + length[:, None]) ** 2 - (total**2).sum(axis=0)
    square[:, range(jets), range(jets)] = 0.0
    expect.close(
        answer,
        np.clip(square, 0, None) ** 0.5,
        rtol=1e-5,
        atol=1e-3,
        name="the masses",
        because="E^2 - p^2 of the sum of both momenta, in GeV",
    )
    return "the same as from the four-momenta"


def _paired(**changes: Any) -> Callable[..., Any]:
    def pair_masses(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> Any:
        return _masses(pt, eta, phi, **changes)

    return pair_masses


pair_masses.hints = (
    "eta[:, :, None] - eta[:, None, :] holds the differences of all pairs, (n, jets, jets); the same for phi, and a "
    "product for pt.",
    "np.cosh for the difference in eta, np.cos for the one in phi. No jet has a mass of its own, so this is all.",
    "On the diagonal rounding may leave a tiny negative square: np.maximum(..., 0) before the root.",
)
pair_masses.mistakes = {
    "square": (_paired(root=False), "not its square"),
    "no factor 2": (_paired(factor=1.0), "the factor 2"),
    "plus": (_paired(sign=1.0), "parallel jets have no mass"),
    "cos of eta": (_paired(along=np.cos), "hyperbolic cosine for"),
    "cosh of phi": (_paired(around=np.cosh, sign=1.0), "are neighbours"),
    "opening angle": (
        lambda pt, eta, phi: np.hypot(*(a[:, :, None] - a[:, None] for a in (eta, phi))),
        "of the sum of both momenta",
    ),
    "angles modulo 2": (
        lambda pt, eta, phi: _masses(pt, eta, np.mod(phi, 2.0)),
        "a rotation about it",
    ),
    "upper half": (lambda pt, eta, phi: np.triu(_masses(pt, eta, phi)), "whichever jet is named first"),
    "first jet only": (lambda pt, eta, phi: _masses(pt, eta, phi)[:, 0], "shape (6, 5, 5)"),
}
# --- M14.3a -------------------------------------------------------------------------------------------------


def _machine(random: np.random.Generator, n: int = 9) -> tuple[np.ndarray, ...]:
    """Visible units, a, b and W of a small machine with all numbers different."""
    x = (random.random((n, 5)) < 0.5).astype(float)
    x[0], x[1] = 1.0, 0.0
    return x, random.normal(size=5), random.normal(size=4), random.normal(size=(5, 4))


def _summed(x: np.ndarray, a: np.ndarray, b: np.ndarray, W: np.ndarray) -> np.ndarray:
    """-ln of the sum over all hidden states, one after the other."""
    total = 0.0
    for bits in product((0.0, 1.0), repeat=len(b)):
        h = np.array(bits)
        total = total + np.exp(x @ a + h @ b + x @ W @ h)
    return np.asarray(-np.log(total))


@task("M14.3a", section="14.6")
def free_energy(student: Any, random: np.random.Generator) -> str:
    x, a, b, W = _machine(random)
    answer = student(x, a, b, W)
    expect.shape(answer, (len(x),), name="the free energies")
    expect.finite(answer, name="the free energies")
    into = b + x @ W
    soft = np.log1p(np.exp(into)).sum(axis=1)
    known = {
        "minus the logarithm of the sum: states with small F are likely": x @ a + soft,
        "minus sign for the biases of the visible units too": x @ a - soft,
        "the visible units' own term, - sum a_i x_i": -soft,
        "the biases b of the hidden units inside the logarithm": -(x @ a) - np.log1p(np.exp(x @ W)).sum(axis=1),
        "the sum over the hidden units, not their mean": -(x @ a) - soft / len(b),
        "both states of each hidden unit: 1 + exp(...), of which 1 belongs to h = 0": -(x @ a) - into.sum(axis=1),
        "ln(1 + exp(...)), not the probability of the hidden unit": -(x @ a) - (1 / (1 + np.exp(-into))).sum(axis=1),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because)
    expect.close(
        student(x, a, b, np.zeros_like(W)),
        -(x @ a) - np.log1p(np.exp(b)).sum(),
        rtol=1e-6,
        atol=1e-9,
        name="the free energy without connections",
        because="without connections: the energy of the visible units, and a constant",
        rung="physics",
    )
    expect.close(
        answer,
        _summed(x, a, b, W),
        rtol=1e-6,
        atol=1e-9,
        name="the free energy",
        because="-ln of the sum of exp(-E(x, h)) over all hidden states",
        rung="physics",
    )
    large = student(x, a, b + 1000.0, W)
    expect.finite(large, name="the free energies with b = 1000 (np.logaddexp(0, z) is ln(1 + exp(z)) for every z)")
    expect.close(
        large,
        -(x @ a) - (b + 1000.0 + x @ W).sum(axis=1),
        rtol=1e-9,
        name="the free energy with b = 1000",
        because="hidden units that are always on, for large b",
    )
    return "the same as summing over all hidden states"


def _free(formula: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong free_energy(), from x @ a, the inputs of the hidden units, and b."""

    def free_energy(x: np.ndarray, a: np.ndarray, b: np.ndarray, W: np.ndarray) -> Any:
        return formula(x @ a, x @ W + b, b)

    return free_energy


def _soft(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


free_energy.hints = (
    "For one hidden unit the sum over h = 0 and 1 is 1 + exp(b_j + (x W)_j); for several it is a product, and its "
    "logarithm a sum.",
    "x @ W + b has the shape (n, hidden); the sum goes over axis 1.",
    "np.logaddexp(0, z) is ln(exp(0) + exp(z)) and does not overflow.",
)
free_energy.mistakes = {
    "wrong sign": (_free(lambda v, z, b: v + _soft(z).sum(1)), "states with small F are likely"),
    "sign of a": (_free(lambda v, z, b: v - _soft(z).sum(1)), "biases of the visible units too"),
    "no visible term": (_free(lambda v, z, b: -_soft(z).sum(1)), "the visible units' own term"),
    "no b": (_free(lambda v, z, b: -v - _soft(z - b).sum(1)), "inside the logarithm"),
    "mean": (_free(lambda v, z, b: -v - _soft(z).mean(1)), "not their mean"),
    "energy of h = 1": (_free(lambda v, z, b: -v - z.sum(1)), "of which 1 belongs to h = 0"),
    "probability": (_free(lambda v, z, b: -v - (1 / (1 + np.exp(-z))).sum(1)), "not the probability of"),
    "logarithm to base 2": (_free(lambda v, z, b: -v - _soft(z).sum(1) / np.log(2)), "and a constant"),
    "overflow": (_free(lambda v, z, b: -v - np.log(1 + np.exp(np.minimum(z, 600))).sum(1)), "always on, for large b"),
    "not summed": (_free(lambda v, z, b: -v[:, None] - _soft(z)), "shape (9,)"),
}

# --- M14.3b -------------------------------------------------------------------------------------------------


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def _contrast(
    x: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    W: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    *,
    sample: bool = True,
    sample_back: bool = True,
    above: bool = False,
    mean: bool = True,
    last_sampled: bool = False,
    biases: bool = True,
    sign: float = 1.0,
) -> tuple[np.ndarray, ...]:
    """CD-1; the keywords make the known mistakes."""
    off = 0.0 if not biases else 1.0
    p = _sigmoid(x @ W + off * b)
    h = ((u > p) if above else (u < p)) * 1.0 if sample else p
    q = _sigmoid(h @ W.T + off * a)
    y = ((v > q) if above else (v < q)) * 1.0 if sample_back else q
    r = _sigmoid(y @ W + off * b)
    first, second = (h, (u < r) * 1.0) if last_sampled else (p, r)
    n = len(x) if mean else 1
    to_w = sum(np.outer(x[k], first[k]) - np.outer(y[k], second[k]) for k in range(len(x)))
    parts = (np.asarray(to_w), (x - y).sum(0), (first - second).sum(0))
    return tuple(sign * part / n for part in parts)


@task("M14.3b", section="14.6")
def contrastive_gradient(student: Any, random: np.random.Generator) -> str:
    x, a, b, W = _machine(random, 40)
    u, v = random.random((40, 4)), random.random((40, 5))
    answer = student(x, a, b, W, u, v)
    expect.is_tuple(answer, 3, name="the gradients by W, a and b")
    for name, part, wanted in zip("Wab", answer, (W, a, b), strict=True):
        expect.shape(part, wanted.shape, name=f"the gradient by {name}")
        expect.finite(part, name=f"the gradient by {name}")
    given = (x, a, b, W, u, v)
    known: dict[str, dict[str, Any]] = {
        "the gradient to climb: data minus reconstruction": {"sign": -1.0},
        "the mean over the data, not the sum": {"mean": False},
        "hidden units 0 or 1 on the way back: drawn with u_hidden, not their probabilities": {"sample": False},
        "visible units 0 or 1 after the step: drawn with u_visible": {"sample_back": False},
        "a unit is 1 where u is below its probability": {"above": True},
        "probabilities of the hidden units in the means, not samples": {"last_sampled": True},
        "the biases a and b in the probabilities": {"biases": False},
    }
    for because, change in known.items():
        expect.differs(answer[0], _contrast(*given, **change)[0], because=because, atol=1e-9)
    frozen = 60.0 * (2 * x[:1] - 1)[0]
    still = student(np.repeat(x[:1], 7, axis=0), frozen, b, 0.1 * W, u[:7], v[:7])
    for name, part in zip("Wab", still, strict=True):
        expect.close(
            part,
            np.zeros_like(part),
            atol=1e-9,
            name=f"the gradient by {name}",
            because="no gradient for a machine that gives back exactly its data",
            rung="physics",
        )
    right = _contrast(*given)
    for name, part, wanted in zip("Wab", answer, right, strict=True):
        expect.close(
            part,
            wanted,
            rtol=1e-6,
            atol=1e-9,
            name=f"the gradient by {name}",
            because={
                "W": "<x p(h|x)> minus <x' p(h'|x')>, as matrix (visible, hidden)",
                "a": "<x> minus <x'>",
                "b": "<p(h|x)> minus <p(h'|x')>",
            }[name],
        )
    return "one step away from the data, and the difference is the direction to go"


def _contrasted(**changes: Any) -> Callable[..., Any]:
    def contrastive_gradient(
        x: np.ndarray, a: np.ndarray, b: np.ndarray, W: np.ndarray, u_hidden: np.ndarray, u_visible: np.ndarray
    ) -> Any:
        return _contrast(x, a, b, W, u_hidden, u_visible, **changes)

    return contrastive_gradient


def _without_second(*given: np.ndarray) -> tuple[np.ndarray, ...]:
    """The reconstruction keeps the hidden probabilities of the data."""
    x, a, b, W, u, v = given
    p = _sigmoid(x @ W + b)
    y = (v < _sigmoid((u < p) @ W.T + a)) * 1.0
    return (x - y).T @ p / len(x), (x - y).mean(0), 0 * b


contrastive_gradient.hints = (
    "p = sigmoid(b + x @ W) are the probabilities of the hidden units; (u_hidden < p) draws them.",
    "Back: sigmoid(a + hidden @ W.T), and u_visible draws the new visible units x'. Then the probabilities once more.",
    "x.T @ p / n is the mean of x_i p_j as a matrix (visible, hidden); subtract the same with x' and its p'.",
)
contrastive_gradient.mistakes = {
    "downwards": (_contrasted(sign=-1.0), "data minus reconstruction"),
    "sum": (_contrasted(mean=False), "not the sum"),
    "hidden probabilities back": (_contrasted(sample=False), "drawn with u_hidden"),
    "visible probabilities": (_contrasted(sample_back=False), "drawn with u_visible"),
    "above": (_contrasted(above=True), "below its probability"),
    "samples in the means": (_contrasted(last_sampled=True), "in the means, not samples"),
    "no biases": (_contrasted(biases=False), "the biases a and b"),
    "old hidden units": (
        lambda x, a, b, W, u_hidden, u_visible: _without_second(x, a, b, W, u_hidden, u_visible),
        "as matrix (visible, hidden)",
    ),
    "a and b exchanged": (
        lambda x, a, b, W, u_hidden, u_visible: tuple(_contrast(x, a, b, W, u_hidden, u_visible)[k] for k in (0, 2, 1)),
        "the gradient by a",
    ),
    "W only": (
        lambda x, a, b, W, u_hidden, u_visible: _contrast(x, a, b, W, u_hidden, u_visible)[0],
        "3 results",
    ),
}

# --- M14.4 --------------------------------------------------------------------------------------------------


def _asimov(s: Any, b: Any, u: Any) -> np.ndarray:
    """Square root of twice the logarithm of the profile likelihood ratio for n = s + b, tau = b / u^2."""
    s, b, u = (np.asarray(value, float) for value in (s, b, u))
    tau = b / u**2  # the background is measured as tau b events in a control region
    n, m = s + b, tau * b
    common = (n + m) / (1 + tau)
    return np.asarray(np.sqrt(2 * (n * np.log(n / common) + m * np.log(b / common))))


@task("M14.4", section="14.8")
def asimov_significance(student: Any, random: np.random.Generator) -> str:
    s, b = random.uniform(20.0, 60.0, 7), random.uniform(50.0, 150.0, 7)
    u = random.uniform(0.1, 0.4, 7) * b
    answer = student(s, b, u)
    expect.shape(answer, (7,), name="the significances")
    expect.finite(answer, name="the significances")
    known = {
        "the factor 2 under the root": _asimov(s, b, u) / np.sqrt(2),
        "the square root of twice the bracket": _asimov(s, b, u) ** 2,
        "uncertainty is a standard deviation: the formula contains its square": _asimov(s, b, np.sqrt(u)),
        "uncertainty is in events, not relative to the background": _asimov(s, b, u * b),
        "minus the second logarithm: an uncertainty makes the search worse": np.sqrt(
            2
            * (
                (s + b) * np.log((s + b) * (b + u**2) / (b**2 + (s + b) * u**2))
                + b**2 / u**2 * np.log1p(u**2 * s / (b * (b + u**2)))
            )
        ),
        "the full formula, not its approximation for few signal events": s / np.sqrt(b + u**2),
        "the full formula; with s in the root it is another approximation": s / np.sqrt(s + b + u**2),
        "the uncertainty of the background: this is the formula for a background that is known": np.sqrt(
            2 * ((s + b) * np.log1p(s / b) - s)
        ),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    expect.close(
        student(np.array([4.0]), np.array([4000.0]), np.array([200.0])),
        4 / np.sqrt([4000.0 + 200.0**2]),
        rtol=0.02,
        name="the significance of few events on a large background",
        because="s / sqrt(b + u^2) for few signal events",
        rung="physics",
    )
    known_background = np.array([2.0])
    expect.close(
        student(np.array([40.0]), np.array([100.0]), known_background),
        np.sqrt([2 * (140 * np.log(1.4) - 40)]),
        rtol=0.03,
        name="the significance with a well-known background",
        because="the formula of a known background, as u becomes small",
        rung="physics",
    )
    worse = np.asarray(student(np.full(5, 30.0), np.full(5, 80.0), np.array([4.0, 8.0, 16.0, 32.0, 64.0])), float)
    expect.holds(
        np.all(np.diff(worse) < 0),
        because="less significance with a larger uncertainty",
        seen="an answer that does not fall with the uncertainty",
    )
    expect.close(
        answer,
        _asimov(s, b, u),
        rtol=2e-4,
        name="the significance",
        because="the likelihood ratio of a measurement with a control region, which is where the formula comes from",
    )
    return "the same as the likelihood ratio with a control region of b / u^2 times the size"


def _significance(change: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    def asimov_significance(signal: Any, background: Any, uncertainty: Any) -> Any:
        return change(np.asarray(signal), np.asarray(background), np.asarray(uncertainty))

    return asimov_significance


asimov_significance.hints = (
    "Give the square of the uncertainty and s + b names of their own, and write one logarithm a line.",
    "keras.ops.log, keras.ops.log1p for ln(1 + ...), keras.ops.sqrt; np.log would lose the way back to the weights.",
    "first = n log(n (b + v) / (b^2 + n v)), second = b^2 / v log1p(v s / (b (b + v))), with v = u^2, n = s + b; the "
    "answer is sqrt(2 (first - second)).",
)
asimov_significance.mistakes = {
    "no 2": (_significance(lambda s, b, u: _asimov(s, b, u) * 0.5**0.5), "under the root"),
    "no root": (_significance(lambda s, b, u: _asimov(s, b, u) ** 2), "twice the bracket"),
    "not squared": (_significance(lambda s, b, u: _asimov(s, b, u**0.5)), "contains its square"),
    "relative": (_significance(lambda s, b, u: _asimov(s, b, u * b)), "not relative to the background"),
    "few events": (_significance(lambda s, b, u: s / (b + u * u) ** 0.5), "approximation for few"),
    "s in the root": (_significance(lambda s, b, u: s / (s + b + u * u) ** 0.5), "another approximation"),
    "known background": (
        _significance(lambda s, b, u: (2 * ((s + b) * np.log(1 + s / b) - s)) ** 0.5),
        "a background that is known",
    ),
    "uncertainty of the signal": (
        _significance(lambda s, b, u: _asimov(s, b, u * s / b)),
        "s / sqrt(b + u^2)",
    ),
    "one number": (_significance(lambda s, b, u: float(_asimov(s.sum(), b.sum(), u.sum()))), "an array"),
}

quiz(
    "M14.4-q1",
    question="When does an objective of the whole experiment win nothing over cross-entropy with the best cut?",
    options=(
        "When the significance depends on the expected signal and background only, and the classifier is perfect.",
        "When the background is much larger than the signal.",
        "When both networks are trained with the same events.",
        "Never: the objective that is used to judge must always be the one to train.",
    ),
    answer=1,
    explanation="The significance rises with s and falls with b, so its best selection lies on the best ROC curve: a "
    "cut on the density ratio. Uncertainties that depend on where one selects break this.",
)
