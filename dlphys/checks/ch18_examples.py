"""Checks of the adversarial examples of chapter 18: power iteration, conditional networks, the auxiliary loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- M18.3a -------------------------------------------------------------------------------------------------


def _iterate(
    w: np.ndarray, v: np.ndarray, steps: int, *, unit: bool = True, one_way: bool = False, together: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The power iteration in NumPy; the keywords make the known mistakes."""
    w, v = np.asarray(w, float), np.asarray(v, float)
    for _ in range(steps):
        v = v @ w if one_way else v @ w @ np.swapaxes(w, -1, -2)
        if unit:
            v = v / (np.sqrt((v**2).sum()) if together else np.sqrt((v**2).sum(axis=-1, keepdims=True)))
    return np.sqrt(((v @ w) ** 2).sum(axis=-1, keepdims=True)), v


def _stack(random: np.random.Generator, starts: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    matrix = random.normal(size=(starts, n, m)) * random.uniform(0.4, 2.0, size=(starts, 1, 1))
    return matrix.astype(np.float32), random.normal(size=(starts, 1, n)).astype(np.float32)


@task("M18.3a", section="18.2.6")
def power_iteration(student: Any, random: np.random.Generator) -> str:
    matrix, start = _stack(random, 3, 5, 5)
    answer = student(matrix, start, 2)
    expect.is_tuple(answer, 2, name="sigma and the direction")
    sigma, direction = answer
    expect.shape(sigma, (3, 1, 1), name="sigma (keepdims=True keeps the last two axes)")
    expect.shape(direction, (3, 1, 5), name="the direction")
    expect.finite(sigma, name="sigma")
    expect.finite(direction, name="the direction")
    right_sigma, right = _iterate(matrix, start, 2)
    long = _iterate(matrix, start, 2, unit=False)
    together = _iterate(matrix, start, 2, together=True)
    known_sigma = {
        "sigma, not its square: the direction goes once through W, not there and back": right_sigma**2,
        "a direction of length 1 before it is stretched: else sigma counts its length": long[0],
        "the length of each direction of the stack, along the last axis, not of all together": together[0],
        "the largest stretching alone: the Frobenius norm adds up all singular values in squares": np.sqrt(
            (matrix.astype(float) ** 2).sum(axis=(1, 2), keepdims=True)
        ),
        "the largest singular value, not the largest entry of the matrix": np.abs(matrix).max(
            axis=(1, 2), keepdims=True
        ),
    }
    for because, wrong in known_sigma.items():
        expect.differs(sigma, wrong, because=because, rtol=1e-4)
    known_direction = {
        "a round goes there and back, through W and then through W^T": _iterate(matrix, start, 2, one_way=True)[1],
        "as many rounds as steps says, here two and not one": _iterate(matrix, start, 1)[1],
        "the transposed W on the way back, on the last two axes of the stack": _iterate(
            np.swapaxes(matrix, 1, 2), start, 2
        )[1],
        "the direction after the last round, not the one to begin with": start.astype(float),
    }
    for because, wrong in known_direction.items():
        expect.differs(direction, wrong, because=because, rtol=1e-4, atol=1e-5)
    expect.close(
        np.sqrt((np.asarray(direction, float) ** 2).sum(axis=-1)),
        np.ones((3, 1)),
        rtol=1e-4,
        name="the length of the direction",
        because="a direction of length 1",
        rung="physics",
    )
    rotation = np.linalg.qr(random.normal(size=(4, 4)))[0]
    stretched = (np.diag([3.0, 1.0, 0.5, 0.1]) @ rotation).astype(np.float32)
    found, axis = student(stretched, np.full((1, 4), 0.5, np.float32), 25)
    expect.shape(found, (1, 1), name="sigma of one matrix")
    expect.close(
        found,
        [[3.0]],
        rtol=1e-4,
        name="sigma",
        because="3 for a matrix that stretches by 3, 1, 0.5 and 0.1 and rotates, after 25 rounds",
        rung="physics",
    )
    expect.close(
        np.abs(np.asarray(axis, float)),
        [[1.0, 0.0, 0.0, 0.0]],
        atol=1e-3,
        name="the direction",
        because="the axis that is stretched most",
        rung="physics",
    )
    expect.close(
        student(3 * matrix, start, 2)[0],
        3 * np.asarray(sigma, float),
        rtol=1e-4,
        name="sigma of 3 W",
        because="three times the stretching for a matrix three times as large",
        rung="physics",
    )
    tall, begin = _stack(random, 2, 6, 3)
    expect.close(
        student(tall, begin, 300)[0],
        np.linalg.svd(tall.astype(float), compute_uv=False)[:, :1, None],
        rtol=2e-2,
        name="sigma of matrices with six inputs and three outputs, after 300 rounds",
        because="the largest singular value",
        rung="physics",
    )
    expect.close(sigma, right_sigma, rtol=1e-4, name="sigma", because="the length of the unit direction after W")
    expect.close(direction, right, rtol=1e-4, atol=1e-5, name="the direction", because="the normalised v W W^T")
    return "agrees with the full decomposition, for one matrix and for a stack of them"


def _power(change: Callable[[np.ndarray, np.ndarray, int], Any]) -> Callable[..., Any]:
    """A wrong power_iteration()."""

    def power_iteration(matrix: Any, direction: Any, steps: int) -> Any:
        return change(np.asarray(matrix, float), np.asarray(direction, float), steps)

    return power_iteration


def _with_sigma(value: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Any]:
    return _power(lambda w, v, n: (value(w), _iterate(w, v, n)[1]))


def _summed(w: np.ndarray, v: np.ndarray, n: int) -> Any:
    for _ in range(n):
        v = v @ w @ np.swapaxes(w, -1, -2)
        v = v / np.abs(v).sum(axis=-1, keepdims=True)
    return np.sqrt(((v @ w) ** 2).sum(axis=-1, keepdims=True)), v


power_iteration.hints = (
    "A row goes through W as ops.matmul(direction, matrix), and back with ops.swapaxes(matrix, -1, -2).",
    "After each round divide by ops.norm(..., axis=-1, keepdims=True), so that the length is 1 again.",
    "After the loop: sigma is the norm of ops.matmul(direction, matrix) along the last axis, with keepdims=True.",
)
power_iteration.mistakes = {
    "square": (_power(lambda w, v, n: (_iterate(w, v, n)[0] ** 2, _iterate(w, v, n)[1])), "not its square"),
    "not normalised": (_power(lambda w, v, n: _iterate(w, v, n, unit=False)), "length 1 before it is stretched"),
    "norm of the stack": (_power(lambda w, v, n: _iterate(w, v, n, together=True)), "not of all together"),
    "Frobenius norm": (
        _with_sigma(lambda w: np.sqrt((w**2).sum(axis=(-2, -1), keepdims=True))),
        "adds up all singular values",
    ),
    "largest entry": (_with_sigma(lambda w: np.abs(w).max(axis=(-2, -1), keepdims=True)), "not the largest entry"),
    "one way": (_power(lambda w, v, n: _iterate(w, v, n, one_way=True)), "there and back"),
    "one round": (_power(lambda w, v, n: _iterate(w, v, 1)), "here two and not one"),
    "transposed": (
        _power(lambda w, v, n: (_iterate(w, v, n)[0], _iterate(np.swapaxes(w, -1, -2), v, n)[1])),
        "on the way back",
    ),
    "direction of the beginning": (_power(lambda w, v, n: (_iterate(w, v, n)[0], v)), "not the one to begin with"),
    "sum of moduli": (_power(_summed), "a direction of length 1"),
    "sigma only": (_power(lambda w, v, n: _iterate(w, v, n)[0]), "2 results"),
}

# --- M18.2a -------------------------------------------------------------------------------------------------

LATENT, PIXELS, WIDTH = 5, 12, 24


@task("M18.2a", section="18.2.2")
def conditional_networks(student: Any, random: np.random.Generator) -> str:
    answer = student(LATENT, PIXELS, WIDTH)
    expect.is_tuple(answer, 2, name="generator and critic")
    generator, critic = answer
    expect.is_model(generator, name="the generator")
    expect.is_model(critic, name="the critic")
    n = 200
    noise = random.normal(size=(n, LATENT)).astype(np.float32)
    maps = np.maximum(random.normal(size=(n, PIXELS)), 0).astype(np.float32)
    wish = random.uniform(-1, 1, size=(n, 1)).astype(np.float32)
    for model, inputs, name in ((generator, LATENT, "generator"), (critic, PIXELS, "critic")):
        shapes = model.input_shape
        expect.holds(
            isinstance(shapes, list | tuple)
            and len(shapes) == 2
            and [tuple(s)[-1] if isinstance(s, list | tuple) else None for s in shapes] == [inputs, 1],
            because=f"a {name} with two inputs, first (n, {inputs}), then the condition (n, 1)",
            seen=f"inputs {shapes}",
            rung="shape",
        )
    made, found = generator.predict([noise, wish]), critic.predict([maps, wish])
    expect.shape(made, (n, PIXELS), name="what the generator makes")
    expect.shape(found, (n, 1), name="what the critic says")
    expect.finite(made, name="what the generator makes")
    expect.finite(found, name="what the critic says")
    made, found = np.asarray(made, float), np.asarray(found, float)
    classes = [layer["class_name"] for layer in critic.layers]
    expect.holds(
        "BatchNormalization" not in classes,
        because="no batch normalisation in the critic: its gradient penalty looks at each event alone",
        seen="a BatchNormalization layer",
        rung="known mistake",
    )
    expect.holds(
        not np.allclose(generator.predict([noise, -wish]), made, atol=1e-6),
        because="a generator that uses the condition",
        seen="the same footprints for another condition",
        rung="known mistake",
    )
    expect.holds(
        not np.allclose(critic.predict([maps, -wish]), found, atol=1e-6),
        because="a critic that sees the condition: else nobody asks for it",
        seen="the same answers for another condition",
        rung="known mistake",
    )
    expect.holds(
        not np.allclose(generator.predict([noise[::-1], wish]), made, atol=1e-6),
        because="a generator that uses the noise: showers of one energy differ",
        seen="the same footprints for other noise",
        rung="known mistake",
    )
    expect.at_least(
        made, 0.0, because="signals that are never negative", name="the smallest signal", rung="known mistake"
    )
    far = np.asarray(generator.predict([20 * noise, wish]), float)
    expect.at_least(
        far.max(),
        3.0,
        because="signals without an upper limit: they reach 3.7",
        name="the largest signal for large noise",
        rung="known mistake",
    )
    expect.at_least(
        np.mean(made == 0),
        0.02,
        because="silent stations: an activation that is exactly zero below its threshold",
        name="the share of silent stations",
        rung="known mistake",
    )
    wide = np.asarray(critic.predict([1000 * maps, wish]), float)
    expect.holds(
        wide.max() > 1.5 or wide.min() < -1.5,
        because="a critic without an activation at its end: it is not a classifier, and no sigmoid bounds it",
        seen=f"answers from {wide.min():.3g} to {wide.max():.3g} even for enormous signals",
        rung="known mistake",
    )
    both = np.asarray(critic.predict([np.concatenate([maps, 1000 * maps, -1000 * maps]), np.tile(wish, (3, 1))]), float)
    expect.holds(
        both.min() < 0 < both.max(),
        because="a critic that may say anything, above and below zero",
        seen="answers of one sign only",
        rung="known mistake",
    )
    crossed = found - critic.predict([maps, -wish]) - critic.predict([maps[::-1], wish])
    crossed = crossed + critic.predict([maps[::-1], -wish])
    expect.holds(
        np.abs(crossed).max() > 1e-4,
        because="the condition joined to the input before the hidden layers: it must change how a footprint is judged, "
        "not add a number",
        seen="a critic that is the sum of a function of the footprint and one of the condition",
    )
    hidden = WIDTH * WIDTH + WIDTH
    for model, inputs, outputs, name in (
        (generator, LATENT + 1, PIXELS, "generator"),
        (critic, PIXELS + 1, 1, "critic"),
    ):
        expect.equal(
            model.count_params(),
            (inputs + 1) * WIDTH + hidden + (WIDTH + 1) * outputs,
            because="input and condition joined, two hidden layers of the given width, one output layer",
            name=f"the number of parameters of the {name}",
        )
        slopes = _leaks(model)
        expect.holds(
            len(slopes) == 2 and np.allclose(slopes, 0.2),
            because=f"LeakyReLU(0.2) after each hidden layer of the {name}",
            seen=f"LeakyReLU with the slopes {slopes}" if slopes else "no LeakyReLU",
            rung="value",
        )
    return "both networks use the condition, and it changes how a footprint is judged"


def _leaks(model: Any) -> list[float]:
    """Slopes below zero of all LeakyReLU of a model, as layers or as activations of dense layers."""
    found = []
    for layer in model.layers:
        config = layer["config"] or {}
        if layer["class_name"] == "LeakyReLU":
            found.append(float(config.get("negative_slope", np.nan)))
        activation = config.get("activation")
        if isinstance(activation, dict) and activation.get("class_name") == "LeakyReLU":
            found.append(float(activation.get("config", {}).get("negative_slope", np.nan)))
        elif activation == "leaky_relu":
            found.append(0.2)
    return found


def _pair(
    *,
    generator_sees: bool = True,
    critic_sees: bool = True,
    noise: bool = True,
    signal: str | None = "relu",
    verdict: str | None = None,
    normalise: bool = False,
    late: bool = False,
    depth: int = 2,
    slope: float = 0.2,
    swapped: bool = False,
) -> Callable[..., Any]:
    """A wrong conditional_networks()."""

    def conditional_networks(latent: int, pixels: int, width: int) -> Any:
        import keras

        layers = keras.layers

        def network(size: int, outputs: int, last: str | None, sees: bool, uses: bool, end: bool) -> Any:
            given, condition = keras.Input((size,)), keras.Input((1,))
            first = given if uses else layers.Rescaling(0.0)(given)
            second = condition if sees else layers.Rescaling(0.0)(condition)
            x = first if end else layers.Concatenate()([first, second])
            for _ in range(depth):
                x = layers.Dense(width, kernel_initializer="he_normal")(x)
                x = layers.BatchNormalization()(x) if normalise else x
                x = layers.LeakyReLU(negative_slope=slope)(x)
            x = layers.Concatenate()([x, second]) if end else x
            return keras.Model([given, condition], layers.Dense(outputs, activation=last)(x))

        pair = (
            network(latent, pixels, signal, generator_sees, noise, False),
            network(pixels, 1, verdict, critic_sees, True, late),
        )
        return pair[::-1] if swapped else pair

    return conditional_networks


def _one_input(latent: int, pixels: int, width: int) -> Any:
    import keras

    def chain(inputs: int, outputs: int) -> Any:
        return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(width), keras.layers.Dense(outputs)])

    return chain(latent + 1, pixels), chain(pixels + 1, 1)


conditional_networks.hints = (
    "keras.Input((latent,)) and keras.Input((1,)) are two inputs; layers.Concatenate()([a, b]) joins them to one row.",
    "A model with two inputs: keras.Model([noise, condition], output). The critic has the same form, with x.",
    "The generator ends with Dense(pixels, activation='relu'), the critic with Dense(1) and no activation.",
)
conditional_networks.mistakes = {
    "generator is not told": (_pair(generator_sees=False), "a generator that uses the condition"),
    "critic is not told": (_pair(critic_sees=False), "else nobody asks for it"),
    "no noise": (_pair(noise=False), "a generator that uses the noise"),
    "linear signal": (_pair(signal=None), "never negative"),
    "bounded signal": (_pair(signal="sigmoid"), "without an upper limit"),
    "never silent": (_pair(signal="softplus"), "silent stations"),
    "classifier": (_pair(verdict="sigmoid"), "it is not a classifier"),
    "relu critic": (_pair(verdict="relu"), "above and below zero"),
    "batch normalisation": (_pair(normalise=True), "no batch normalisation"),
    "condition at the end": (_pair(late=True), "not add a number"),
    "one hidden layer": (_pair(depth=1), "two hidden layers"),
    "steeper": (_pair(slope=0.01), "LeakyReLU(0.2)"),
    "exchanged": (_pair(swapped=True), "a generator with two inputs"),
    "one input": (_one_input, "two inputs"),
}

# --- M18.2b -------------------------------------------------------------------------------------------------


@task("M18.2b", section="18.2.2")
def auxiliary_loss(student: Any, random: np.random.Generator) -> str:
    n = 40
    wanted = random.uniform(-1, 1, (n, 1)).astype(np.float32)
    found = (wanted + random.normal(0.05, 0.3, (n, 1))).astype(np.float32)
    squares = (found.astype(float) - wanted) ** 2
    mean = float(squares.mean())
    better, worse = 1.7 * mean, 0.4 * mean  # usual values that make this batch better or worse than usual
    answer, other = student(found, wanted, better), student(found, wanted, worse)
    for value in (answer, other):
        expect.number(value, name="the loss")
    answer, other = float(answer), float(other)
    table = float(np.mean((found.astype(float) - wanted.astype(float).T) ** 2))
    known = {
        "by how much it differs from usual: the mean square alone asks for perfection": mean,
        "the absolute value: better than usual costs as well, it is no reward": mean - better,
        "no loss for the better: max(0, ...) would leave the scatter free to vanish": max(mean - better, 0.0),
        "the mean over the batch first, then the difference: single events may be far from usual": float(
            np.abs(squares - better).mean()
        ),
        "a mean over the batch, not a sum": abs(float(squares.sum()) - better),
        "squared deviations, without a root": abs(mean**0.5 - better),
        "squared deviations, not their moduli": abs(float(np.sqrt(squares).mean()) - better),
        "the modulus of the difference, not its square": (mean - better) ** 2,
        "the deviation of each event from its own wish: all pairs of events have been compared": abs(table - better),
        "the mean of the squares, not the square of the mean: deviations of both signs must not cancel": abs(
            float(np.mean(found.astype(float) - wanted)) ** 2 - better
        ),
    }
    for because, wrong in known.items():
        expect.differs(answer, wrong, because=because, rtol=1e-4)
    expect.close(
        float(student(found, wanted, mean)),
        0.0,
        atol=1e-6,
        name="the loss of a batch that is reconstructed as usual",
        because="zero for a batch that is reconstructed as usual",
        rung="physics",
    )
    expect.close(
        float(student(wanted, wanted, 0.25)),
        0.25,
        rtol=1e-5,
        name="the loss of a perfect reconstruction",
        because="a loss for perfection: it is better than nature by the usual deviation",
        rung="physics",
    )
    for value, usual in ((answer, better), (other, worse)):
        expect.close(value, abs(mean - usual), rtol=1e-4, atol=1e-7, name="the loss", because="|mean square - usual|")
    return "zero for a reconstruction as usual, larger for a worse and for a better one"


def _loss(change: Callable[[Any, Any, Any, Any], Any]) -> Callable[..., Any]:
    """A wrong auxiliary_loss(), made from keras.ops and the three arguments."""

    def auxiliary_loss(reconstructed: Any, wanted: Any, usual: float) -> Any:
        import keras

        return change(keras.ops, keras.ops.convert_to_tensor(reconstructed), wanted, usual)

    return auxiliary_loss


auxiliary_loss.hints = (
    "Three operations from the inside: the squared deviation of each event, its mean, the difference from usual.",
    "ops.square, ops.mean, ops.abs; the mean before the difference.",
)
auxiliary_loss.mistakes = {
    "mean square": (_loss(lambda ops, r, w, u: ops.mean((r - w) ** 2)), "asks for perfection"),
    "no modulus": (_loss(lambda ops, r, w, u: ops.mean((r - w) ** 2) - u), "it is no reward"),
    "one-sided": (_loss(lambda ops, r, w, u: ops.relu(ops.mean((r - w) ** 2) - u)), "free to vanish"),
    "event by event": (_loss(lambda ops, r, w, u: ops.mean(ops.abs((r - w) ** 2 - u))), "single events may be far"),
    "sum": (_loss(lambda ops, r, w, u: ops.abs(ops.sum((r - w) ** 2) - u)), "not a sum"),
    "root": (_loss(lambda ops, r, w, u: ops.abs(ops.sqrt(ops.mean((r - w) ** 2)) - u)), "without a root"),
    "moduli": (_loss(lambda ops, r, w, u: ops.abs(ops.mean(ops.abs(r - w)) - u)), "not their moduli"),
    "squared": (_loss(lambda ops, r, w, u: (ops.mean((r - w) ** 2) - u) ** 2), "not its square"),
    "all pairs": (
        _loss(lambda ops, r, w, u: ops.abs(ops.mean((r - ops.transpose(w)) ** 2) - u)),
        "all pairs of events",
    ),
    "square of the mean": (_loss(lambda ops, r, w, u: ops.abs(ops.mean(r - w) ** 2 - u)), "must not cancel"),
    "one number an event": (_loss(lambda ops, r, w, u: ops.abs((r - w) ** 2 - u)), "one number"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "M18.3-q1",
    question="Why do clipped weights pile up at the borders?",
    options=(
        "The learning rate is too large, and they jump back and forth between the borders.",
        "The critic's loss has no minimum: a larger slope is always better, and the borders are all that stops it.",
        "The initial weights were drawn there.",
        "Weights at the borders make the critic's slope exactly 1, as (18.12) asks.",
    ),
    answer=2,
    explanation="The mean difference grows with the scale of the critic, so each weight is pushed outwards until it is "
    "cut. The slope that results depends on the border, the width and the depth, and is nobody's choice.",
)
quiz(
    "M18.2-q1",
    question="A generator is trained with an auxiliary regression and the plain mean square in place of the loss of "
    "this section, with a large weight. What does the judge, another regression, see?",
    options=(
        "Nothing unusual: the energies are right.",
        "Energies that are all too large.",
        "Energies that follow the wish more closely than for simulated showers: the scatter of nature is missing.",
        "A correlation of zero, since the judge was trained on other showers.",
    ),
    answer=3,
    explanation="Perfect reconstruction means footprints in which everything that makes the energy uncertain has been "
    "removed. A later analysis would believe in a detector that is better than it is.",
)
