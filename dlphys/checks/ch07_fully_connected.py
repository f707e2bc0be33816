"""Checks of chapter 7: the earthquake network and the dense network for spin lattices."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, fast, personal_seed, quiz, reference, task, trained
from dlphys.simulators import earthquakes

CHECK_EPOCHS = 10  # of the earthquake network in its check: enough to tell a good training from a bad one
ISING_CHECK = (12_000, 4)  # lattices and epochs of the dense network in its check


def _dense_layers(model: Any) -> list[dict[str, Any]]:
    return [layer for layer in model.layers if layer["class_name"] == "Dense"]


def _last_is_linear(model: Any) -> bool:
    dense = _dense_layers(model)
    return not dense or dense[-1]["config"].get("activation") == "linear"


# --- section 7.2: the earthquake network -------------------------------------------------------------------


@task("M7.1a", section="7.2")
def build_localiser(student: Any, random: np.random.Generator) -> str:
    model = student(10.0)
    expect.is_model(model)
    expect.output_shape(model, given=(4, 8), is_=(4, 2))
    expect.holds(
        _last_is_linear(model),
        because="no activation at the output: coordinates can have either sign and any size",
        rung="known mistake",
    )
    times = random.uniform(0.5, 9.0, size=(256, 8)).astype(np.float32)
    answer = model.predict(times)
    expect.holds(
        not np.allclose(model.predict(times + times[::-1]), answer + answer[::-1], rtol=1e-3, atol=1e-3),
        because="an activation in the hidden layers: without it three layers are no more than one",
        rung="known mistake",
    )
    sizes = {time: _typical_size(student, time, times) for time in (10.0, 1000.0)}
    ratio = sizes[10.0] / sizes[1000.0]
    seen = f"with 100 times the largest time the answers to the same times change by a factor {1 / ratio:.2g}"
    expect.holds(
        ratio > 0.1,
        because="a division by the largest time: Rescaling multiplies by the number it is given",
        seen=seen,
        rung="known mistake",
    )
    expect.holds(
        ratio > 10,
        because="the first layer divides by `largest_time`, so that all times come to lie between 0 and 1",
        seen=seen,
        rung="known mistake",
    )
    expect.close(
        model.predict(2 * times),
        2 * answer,
        rtol=1e-3,
        atol=1e-3,
        name="the answer to doubled times",
        because="with ReLU and biases that begin at zero, doubled times give a doubled answer",
        rung="physics",
    )
    expect.at_least(
        sizes[10.0],
        0.3,  # a correct network: 1.0 km, within 15 %
        name="the typical answer before training, in km,",
        because="ten times larger answers from the start: the last Rescaling multiplies by 10",
    )
    expect.equal(
        model.count_params(),
        9026,
        name="the number of parameters",
        because="three hidden layers with 64 nodes each, from 8 inputs to 2 outputs, all with biases",
    )
    return "seconds in, kilometres out, 9026 parameters"


def _typical_size(student: Any, largest_time: float, times: np.ndarray) -> float:
    """Geometric mean over a few networks of the root mean square answer, since initial weights are random."""
    sizes = [np.sqrt(np.mean(np.square(student(largest_time).predict(times), dtype=float))) for _ in range(10)]
    return float(np.exp(np.mean(np.log(np.maximum(sizes, 1e-12)))))


def _localiser(
    *,
    units: tuple[int, ...] = (64, 64, 64),
    hidden: str = "relu",
    last: str = "linear",
    before: Callable[[float], float] = lambda largest: 1 / largest,
    after: float = 10.0,
) -> Callable[[float], Any]:
    def build_localiser(largest_time: float) -> Any:
        import keras

        return keras.Sequential(
            [
                keras.Input(shape=(8,)),
                keras.layers.Rescaling(before(largest_time)),
                *[keras.layers.Dense(number, activation=hidden) for number in units],
                keras.layers.Dense(2, activation=last),
                keras.layers.Rescaling(after),
            ]
        )

    return build_localiser


build_localiser.hints = (
    "A keras.Sequential model: an Input of 8 numbers, Rescaling, three Dense layers, one more Dense layer, Rescaling.",
    "`layers.Rescaling(factor)` multiplies by the factor; the last Dense layer has 2 nodes and no activation.",
    "Rescaling(1 / largest_time), then three times Dense(64, activation='relu'), then Dense(2), then Rescaling(10.0).",
)
build_localiser.mistakes = {
    "ReLU at the output": (_localiser(last="relu"), "either sign"),
    "two hidden layers": (_localiser(units=(64, 64)), "three hidden layers with 64"),
    "no activation at all": (_localiser(hidden="linear"), "no more than one"),
    "times as they are": (_localiser(before=lambda largest: 1.0), "divides by `largest_time`"),
    "times multiplied": (_localiser(before=lambda largest: largest), "Rescaling multiplies by the number"),
    "tanh for ReLU": (_localiser(hidden="tanh"), "doubled answer"),
    "answer in units of 10 km": (_localiser(after=1.0), "the last Rescaling"),
}


def _train_for_check(train: Any, seed: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """A network trained on new earthquakes, its answers to others, and where those were."""
    quakes = earthquakes.simulate(24_000, seed=seed)
    times, places = quakes.times, quakes.epicentres
    model = train(times[:19_000], places[:19_000], (times[19_000:20_000], places[19_000:20_000]), CHECK_EPOCHS)
    return model, times[20_000:], places[20_000:]


@task("M7.1b", section="7.2")
def train_localiser(student: Any, random: np.random.Generator) -> str:
    model, times, places = _train_for_check(student, int(random.integers(2**31)))
    expect.is_model(model, name="what train_localiser returns")
    expect.output_shape(model, given=(4, 8), is_=(4, 2))
    expect.loss(model, "mse", because="the mean squared error (7.5) as loss")
    answer = model.predict(times)
    slope = float((answer * places).sum() / (places.astype(float) ** 2).sum())
    expect.holds(
        not 0.05 < slope < 0.2,
        because="answers in kilometres: compare with the epicentres as they are, the network rescales by itself",
        seen="answers ten times too small",
        rung="known mistake",
    )
    mean = 1000 * float(np.linalg.norm(answer - places, axis=1).mean())
    expect.at_most(
        mean,
        5000,
        name="the mean distance, in m,",
        because="a network that has learnt from the training data: is it fitted, and is it the one returned?",
    )
    expect.learning_rate_fell(
        model,
        3e-4,
        because="a learning rate that falls to zero: give the schedule to the optimizer, with the number of all steps",
    )
    expect.reaches("M7.1b", mean, name="the mean distance")
    return f"after {CHECK_EPOCHS} epochs the network is off by {mean:.0f} m on average"


@bar("M7.1b", better="lower", unit="m")
def measure_localiser(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    model, times, places = _train_for_check(reference("M7.1b"), seed)
    return 1000 * float(np.linalg.norm(np.asarray(model(times)) - places, axis=1).mean())


def _training(
    *,
    learning_rate: float | None = None,
    loss: str = "mse",
    batch: int = 32,
    epochs_done: int | None = None,
    unit: float = 1.0,
) -> Callable[..., Any]:
    def train_localiser(times: Any, epicentres: Any, validation: Any, epochs: int) -> Any:
        import keras

        number = epochs if epochs_done is None else epochs_done
        model = _localiser(after=10.0 * unit)(float(times.max()))
        steps = max(1, number * -(-len(times) // batch))
        rate = learning_rate or keras.optimizers.schedules.CosineDecay(0.003, steps)
        model.compile(keras.optimizers.Adam(rate), loss=loss, steps_per_execution=100)
        if number:
            model.fit(times, epicentres * unit, batch_size=batch, epochs=number, verbose=0)
        return model

    return train_localiser


train_localiser.hints = (
    "Build the network with the largest training time; count the steps: epochs times the number of batches.",
    "`keras.optimizers.schedules.CosineDecay(0.003, steps)` goes into `keras.optimizers.Adam` in place of a number.",
    "steps = epochs * int(np.ceil(len(times) / 32)); compile with Adam(schedule), 'mse', steps_per_execution=100; "
    "fit with batch_size=32, epochs, validation_data=validation, validation_batch_size=1000; return model",
)
train_localiser.mistakes = {
    "constant learning rate": (_training(learning_rate=0.001, epochs_done=2), "falls to zero"),
    "returned without training": (_training(epochs_done=0), "has learnt from the training data"),
    "absolute error as loss": (_training(loss="mae", epochs_done=1), "squared error (7.5)"),
    "targets divided by 10 and forgotten": (_training(unit=0.1, epochs_done=2), "in kilometres"),
    "large batches": (_training(batch=1000), "which a correct solution reaches"),
}


@task("M7.1c", section="7.2")
def localisation_error(student: Any, random: np.random.Generator) -> str:
    truth = random.uniform(-40, 40, size=(400, 2))
    miss = random.normal([0.02, 0.0], [0.05, 0.09], size=(400, 2))
    answer = student(truth + miss, truth)
    expect.is_tuple(answer, 2, name="mean distance and Rayleigh width")
    for value, name in zip(answer, ("the mean distance", "the Rayleigh width"), strict=True):
        expect.number(value, name=name)
    mean, sigma = (float(value) for value in answer)
    distance = np.hypot(miss[:, 0], miss[:, 1])
    right = np.sqrt((distance**2).mean() / 2)
    expect.differs(mean, np.abs(miss).mean(), because="the distance in the plane, not the mean of |dx| and |dy|")
    expect.differs(mean, np.hypot(*miss.mean(axis=0)), because="distances first, then their mean: misses do not cancel")
    expect.differs(sigma, right**2, because="a root over the mean square: the width is a length, not an area")
    expect.differs(sigma, np.sqrt(2) * right, because="half of the mean square under the root: a plane has two axes")
    expect.differs(
        sigma, distance.std(), because="the width from the mean square distance, not the spread of distances"
    )
    expect.differs(
        sigma,
        distance.mean() / np.sqrt(np.pi / 2),
        because="the width from the mean square, as in the formula; from the mean it is another estimate",
    )
    away = np.array([3.0, -4.0])
    moved = student(truth + miss + away, truth + away)
    expect.close(moved, answer, rtol=1e-6, because="moving the whole map changes no distance", rung="physics")
    circle = student(truth + np.array([0.03, 0.04]), truth)
    expect.close(
        circle[0],
        0.05,
        rtol=1e-6,
        name="the mean distance",
        because="all 0.05 km off, the mean is that",
        rung="physics",
    )
    expect.close(mean, distance.mean(), rtol=1e-6, name="the mean distance", because="the mean over all earthquakes")
    expect.close(
        sigma, right, rtol=1e-6, name="the Rayleigh width", because="the root of half the mean square distance"
    )
    return "the two numbers differ by a factor 1.25 for a Rayleigh distribution, and by another one for a tail"


def _summary(
    mean: Callable[[np.ndarray], Any], width: Callable[[np.ndarray], Any]
) -> Callable[[np.ndarray, np.ndarray], Any]:
    def localisation_error(predicted: np.ndarray, truth: np.ndarray) -> Any:
        miss = predicted - truth
        return mean(miss), width(miss)

    return localisation_error


def _mean(miss: np.ndarray) -> Any:
    return np.linalg.norm(miss, axis=1).mean()


def _width(miss: np.ndarray) -> Any:
    return np.sqrt((miss**2).sum(axis=1).mean() / 2)


localisation_error.hints = (
    "First the distance of each prediction from its truth: one number an earthquake.",
    "`np.linalg.norm(predicted - truth, axis=1)` gives the distances, shape (n,).",
    "return distance.mean(), np.sqrt((distance**2).mean() / 2)",
)
localisation_error.mistakes = {
    "factor 1/2 forgotten": (_summary(_mean, lambda miss: np.sqrt(2) * _width(miss)), "two axes"),
    "root forgotten": (_summary(_mean, lambda miss: _width(miss) ** 2), "not an area"),
    "spread of the distances": (_summary(_mean, lambda miss: np.linalg.norm(miss, axis=1).std()), "not the spread"),
    "mean over both axes": (_summary(lambda miss: np.abs(miss).mean(), _width), "|dx| and |dy|"),
    "distance of the means": (_summary(lambda miss: np.linalg.norm(miss.mean(axis=0)), _width), "do not cancel"),
    "width from the mean": (
        _summary(_mean, lambda miss: _mean(miss) / np.sqrt(np.pi / 2)),
        "another estimate",
    ),
    "one number an earthquake": (
        _summary(lambda miss: np.linalg.norm(miss, axis=1), _width),
        "the mean distance: one number",
    ),
}

quiz(
    "M7.1-q1",
    question="The network is better than least squares with the right speeds and the right station positions. Why?",
    options=(
        "A network with 9026 parameters always fits better than two unknowns.",
        "It has learnt the fixed clock errors of the stations, which the textbook fit takes for travel time.",
        "It was trained on the test earthquakes.",
        "Least squares does not work for functions that are not linear.",
    ),
    answer=2,
    explanation="Given the clock errors, least squares is exact for these times; without them it is far off.",
)
quiz(
    "M7.1-q2",
    question="On many test events a network's mean squared miss is 5 % below the Cramér-Rao bound. Is it a bug?",
    options=(
        "Yes: nothing can be below that bound.",
        "Yes: the bound holds for every method that was trained on noisy data.",
        "Not necessarily: the bound binds unbiased methods; a network that knows the border may be biased.",
        "No: the bound holds for large samples only.",
    ),
    answer=3,
    explanation="Pulling unlikely places towards the border costs a bias and saves more variance. Least squares is "
    "(nearly) unbiased and does obey the bound.",
)

# --- exercise 7.1: phases of the Ising model ---------------------------------------------------------------

quiz(
    "7.1-q1",
    question="At T = 2 a flip would cost the energy 4. With which probability does Metropolis' rule make it?",
    options=("0.018", "0.14", "0.5", "0, since it costs energy"),
    answer=2,
    explanation="exp(-4 / 2) = 0.14. Without costly flips now and then the lattice would freeze in the "
    "nearest minimum and never reach the distribution exp(-E / T).",
)
quiz(
    "7.1-q2",
    question="Why does the trained linear classifier get only half of the lattices right?",
    options=(
        "It has too few parameters.",
        "Three epochs are too short for it.",
        "A lattice and its opposite, all spins flipped, have the same label, but a weighted sum changes its sign.",
        "Near the critical temperature the phases cannot be told apart.",
    ),
    answer=3,
    explanation="What a weight says about spin up, the data say as often about spin down: the best weights are zero.",
)
quiz(
    "7.1-q3",
    question="How many hidden ReLU nodes does a network need at least to cut on |m|?",
    options=("1", "2", "32", "1024"),
    answer=2,
    explanation="One that wakes up for m > c and one for m < -c; the output adds them. Hard is to find equal "
    "weights for 1024 spins from a finite sample.",
)


@task("7.1a", section="7.8")
def build_dense(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(5, 32, 32, 1), is_=(5, 1))
    expect.activation(model, not_="softmax", because="softmax over a single output is always 1")
    expect.has_layers(model, "Flatten", because="all 1024 spins as one list of inputs, as in section 7.1")
    expect.activation(model, is_="sigmoid", because="the output is a probability, between 0 and 1: a sigmoid")
    lattices = random.choice([-1.0, 1.0], size=(64, 32, 32, 1)).astype(np.float32)
    odd = _logit(model.predict(lattices)) + _logit(model.predict(-lattices))
    expect.at_least(
        np.abs(odd).max(),
        1e-3,
        name="the largest change under a flip of all spins, beyond a change of sign,",
        because="hidden layers with ReLU: a network without them is linear, and cannot see that a lattice and its "
        "opposite are alike",
    )
    expect.equal(
        model.count_params(),
        33_889,
        name="the number of parameters",
        because="two hidden layers with 32 nodes each, and one output, all with biases",
    )
    return "33 889 parameters, nearly all of them in the first layer"


def _logit(probability: Any) -> np.ndarray:
    p = np.clip(np.asarray(probability, float), 1e-12, 1 - 1e-7)
    return np.log(p) - np.log1p(-p)


def _dense(
    *, units: tuple[int, ...] = (32, 32), hidden: str = "relu", outputs: int = 1, last: str = "sigmoid"
) -> Callable[[], Any]:
    def build_dense() -> Any:
        import keras

        return keras.Sequential(
            [
                keras.Input((32, 32, 1)),
                keras.layers.Flatten(),
                *[keras.layers.Dense(number, activation=hidden) for number in units],
                keras.layers.Dense(outputs, activation=last),
            ]
        )

    return build_dense


build_dense.hints = (
    "A keras.Sequential model: an Input of shape (32, 32, 1), then Flatten, then Dense layers.",
    "The hidden layers have 32 nodes and activation='relu'; the output has one node and activation='sigmoid'.",
    "Input((32, 32, 1)), Flatten(), Dense(32, activation='relu') twice, Dense(1, activation='sigmoid').",
)
build_dense.mistakes = {
    "softmax on a single output": (_dense(last="softmax"), "always 1"),
    "no activation at the output": (_dense(last="linear"), "between 0 and 1"),
    "linear hidden layers": (_dense(hidden="linear"), "is linear, and cannot see"),
    "one hidden layer": (_dense(units=(32,)), "two hidden layers with 32"),
    "two outputs": (_dense(outputs=2), "shape (5, 1)"),
}


@task("7.1b", section="7.8")
def symmetric_copies(student: Any, random: np.random.Generator) -> str:
    seed = int(random.integers(2**31))
    size, n = 12, 400
    lattice = random.choice([-1.0, 1.0], size=(size, size, 1)).astype(np.float32)
    same = np.repeat(lattice[np.newaxis], n, axis=0)
    copies = student(same, seed)
    expect.shape(copies, (n, size, size, 1), name="the copies of 400 lattices of 12 x 12 spins")
    expect.dtype(copies, "float32", name="the copies")
    expect.holds(
        np.abs(copies) == 1,
        because="only spins +1 and -1: what leaves the lattice on one side comes in on the other",
        rung="physics",
    )
    expect.close(
        np.abs(copies.mean(axis=(1, 2, 3))),
        np.full(n, np.abs(lattice.mean())),
        atol=1e-6,
        name="|m|",
        because="the modulus of the magnetisation unchanged: all spins of a lattice flip together, or none",
        rung="physics",
    )
    expect.close(
        _energy(copies),
        np.full(n, _energy(lattice[np.newaxis])[0]),
        atol=1e-6,
        name="the energy",
        because="the energy unchanged: neighbours stay neighbours when the lattice is shifted",
        rung="physics",
    )
    shifts, signs = _found(copies[..., 0], lattice[..., 0])
    expect.holds(
        len(shifts) == n,
        because="shifted and flipped copies, nothing else",
        seen=f"{n - len(shifts)} of {n} are none",
        rung="physics",
    )
    expect.holds(
        len(np.unique(shifts, axis=0)) > 1,
        because="a shift of its own for each lattice",
        seen="all lattices shifted alike",
        rung="known mistake",
    )
    for axis, name in enumerate(("rows", "columns")):
        other = ("columns", "rows")[axis]
        expect.holds(
            len(np.unique(shifts[:, axis])) == size,
            because=f"shifts along the {name} as well, by any number from 0 to L - 1, not only along the {other}",
            seen=f"{len(np.unique(shifts[:, axis]))} of {size} possible shifts along the {name}",
            rung="known mistake",
        )
    up = float((signs > 0).mean())
    expect.holds(
        0.0 < up < 1.0,
        because="some lattices flipped, others not: with probability 1/2, for each lattice anew",
        seen="all lattices flipped" if up == 0 else "no lattice flipped",
        rung="known mistake",
    )
    expect.holds(
        abs(up - 0.5) < 0.125,  # five standard deviations
        because="flips with probability 1/2",
        seen=f"{1 - up:.0%} of the lattices flipped",
        rung="physics",
    )
    expect.holds(
        not np.array_equal(student(same, seed + 1), copies),
        because="other copies for another seed: make the generator with `seed`",
        rung="known mistake",
    )
    expect.equal(student(same, seed), copies, name="the copies", because="the same copies again for the same seed")
    return "energy and |m| are as before, and no two epochs see the same lattice"


def _energy(spins: np.ndarray) -> np.ndarray:
    """Per spin, computed here, since a lattice after a wrong answer need not have spins."""
    return -(spins * (np.roll(spins, 1, 1) + np.roll(spins, 1, 2))).mean(axis=(1, 2, 3))


def _found(copies: np.ndarray, lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift (rows, columns) and sign of every copy of ``lattice`` that is one."""
    size = len(lattice)
    table = {
        (sign * np.roll(lattice, (i, j), axis=(0, 1))).tobytes(): (i, j, sign)
        for i in range(size)
        for j in range(size)
        for sign in (1, -1)
    }
    known = [table[key] for copy in copies if (key := np.ascontiguousarray(copy).tobytes()) in table]
    found = np.array(known, dtype=int).reshape(-1, 3)
    return found[:, :2], found[:, 2]


def _copies(
    *, own: bool = True, axes: tuple[int, ...] = (0, 1), flips: bool = True, each: bool = False, seeded: bool = True
) -> Callable[[np.ndarray, int], np.ndarray]:
    def symmetric_copies(spins: np.ndarray, seed: int) -> np.ndarray:
        random = np.random.default_rng(seed if seeded else 0)
        n, size = spins.shape[:2]
        shifts = random.integers(size, size=(n, 2)) if own else np.repeat(random.integers(1, size, (1, 2)), n, axis=0)
        shape = spins.shape if each else (n, 1, 1, 1)
        signs = random.choice([-1, 1], size=shape) if flips else np.ones((n, 1, 1, 1))
        moved = [
            np.roll(lattice, [shift[axis] for axis in axes], axis=axes)
            for lattice, shift in zip(spins, shifts, strict=True)
        ]
        return signs.astype(spins.dtype) * np.stack(moved)

    return symmetric_copies


def _cut_off(spins: np.ndarray, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    copies = np.zeros_like(spins)
    for i, (row, column) in enumerate(drawn.integers(spins.shape[1], size=(len(spins), 2))):
        copies[i, row:, column:] = spins[i, : spins.shape[1] - row, : spins.shape[2] - column]
    return copies


def _shuffled(spins: np.ndarray, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    flat = spins.reshape(len(spins), -1)
    return drawn.permuted(flat, axis=1).reshape(spins.shape)


symmetric_copies.hints = (
    "`np.roll(lattice, (rows, columns), axis=(0, 1))` shifts one lattice on the torus.",
    "`random.integers(L, size=(n, 2))` draws all shifts at once, `random.choice([-1, 1], size=n)` all signs.",
    "In a loop over lattices, shifts and signs: sign * np.roll(lattice, shift, axis=(0, 1)); np.stack at the end; "
    "keep the type with signs.astype(spins.dtype).",
)
symmetric_copies.mistakes = {
    "the same shift for all": (_copies(own=False), "a shift of its own"),
    "only rows shifted": (_copies(axes=(0,)), "along the columns as well"),
    "only columns shifted": (_copies(axes=(1,)), "along the rows as well"),
    "no flips": (_copies(flips=False), "some lattices flipped"),
    "every spin flipped for itself": (_copies(each=True), "flip together"),
    "spins shuffled": (_shuffled, "neighbours stay neighbours"),
    "shifted out of the lattice": (_cut_off, "comes in on the other"),
    "seed not used": (_copies(seeded=False), "other copies for another seed"),
}


@functools.lru_cache(maxsize=1)
def _lattices(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The lattices of the chapter, so that they are in the cache already, in one row of 24 000."""
    from dlphys import datasets

    with contextlib.redirect_stdout(io.StringIO()):
        data = datasets.load_ising(seed=seed)
    return np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])


def _train_on_part(train: Any, lattices: tuple[np.ndarray, np.ndarray], random: np.random.Generator) -> Any:
    """A dense network trained on some lattices, and which ones it did not see."""
    x, y = lattices
    n, epochs = ISING_CHECK
    order = random.permutation(len(x))
    return train(x[order[:n]], y[order[:n]], epochs, int(random.integers(2**31))), order[n:]


def _beside_the_cut(probability: np.ndarray, lattices: np.ndarray, phases: np.ndarray) -> tuple[float, float]:
    """Accuracy, and what it is above that of the cut on |m|, on the same lattices."""
    from dlphys.simulators import ising

    accuracy = float(((probability > 0.5) == phases).mean())
    return accuracy, accuracy - float((ising.magnetization_cut(lattices[..., 0]) == phases).mean())


@task("7.1c", section="7.8")
def train_dense(student: Any, random: np.random.Generator) -> str:
    x, y = _lattices(personal_seed("ch07_fully_connected"))
    model, unseen = _train_on_part(student, (x, y), random)
    expect.is_model(model, name="what train_dense returns")
    expect.output_shape(model, given=(5, 32, 32, 1), is_=(5, 1))
    expect.loss(model, "binary_crossentropy", because="the binary cross-entropy as loss: the output is a probability")
    accuracy, difference = _beside_the_cut(model.predict(x[unseen])[:, 0], x[unseen], y[unseen])
    expect.holds(
        accuracy > 0.2,
        because="1 for ferromagnetic, 0 for paramagnetic",
        seen=f"{accuracy:.1%} right: the labels are exchanged",
        rung="known mistake",
    )
    expect.at_least(
        accuracy,
        0.9,
        name="the accuracy",
        because="a network that has learnt: every epoch goes on with the same model, and that model is returned",
    )
    expect.learning_rate_fell(model, 2e-4, because="a learning rate that falls to zero over all epochs together")
    expect.reaches("7.1c", difference, name="the accuracy, minus that of the cut on |m|,")
    return f"{accuracy:.1%} of {len(unseen)} new lattices are right, {difference:+.2%} from the cut on |m|"


@bar("7.1c", better="higher")
def measure_dense(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    x, y = _lattices(seed)
    model, unseen = _train_on_part(reference("7.1c"), (x, y), np.random.default_rng(seed))
    probability = np.concatenate([np.asarray(model(part))[:, 0] for part in np.array_split(x[unseen], 12)])
    return _beside_the_cut(probability, x[unseen], y[unseen])[1]


def _dense_training(
    *,
    learning_rate: float | None = None,
    loss: str = "binary_crossentropy",
    epochs_done: int | None = None,
    exchanged: bool = False,
) -> Callable[..., Any]:
    def train_dense(lattices: Any, phases: Any, epochs: int, seed: int) -> Any:
        import keras

        number = epochs if epochs_done is None else epochs_done
        model = _dense()()
        steps = max(1, number * -(-len(lattices) // 64))
        rate = learning_rate or keras.optimizers.schedules.CosineDecay(0.002, steps)
        model.compile(keras.optimizers.Adam(rate), loss=loss, steps_per_execution=50)
        if number:
            model.fit(lattices, 1 - phases if exchanged else phases, batch_size=64, epochs=number, verbose=0)
        return model

    return train_dense


train_dense.hints = (
    "Build, compile, then a loop over the epochs: in each one call of `fit` with new copies.",
    "The schedule counts steps over all calls of `fit`: epochs times the number of batches.",
    "for epoch in range(epochs): model.fit(symmetric_copies(lattices, seed + epoch), phases, batch_size=64, verbose=0)",
)
train_dense.mistakes = {
    "constant learning rate": (_dense_training(learning_rate=0.002, epochs_done=1), "over all epochs together"),
    "returned without training": (_dense_training(epochs_done=0), "a network that has learnt"),
    "squared error as loss": (_dense_training(loss="mse", epochs_done=1), "cross-entropy as loss"),
    "labels exchanged": (_dense_training(exchanged=True, epochs_done=1), "labels are exchanged"),
}


@task("7.1d", section="7.8")
def accuracy_by_temperature(student: Any, random: np.random.Generator) -> str:
    values = np.round(np.sort(random.choice(np.arange(10, 36), 6, replace=False)) / 10, 1)
    counts = random.integers(40, 90, size=6)
    temperature = np.repeat(values, counts)
    truth = random.integers(0, 2, size=len(temperature))
    right = random.random(len(temperature)) < np.repeat([0.95, 0.9, 0.7, 0.6, 0.85, 0.97], counts)
    order = random.permutation(len(temperature))
    temperature, truth, right = temperature[order], truth[order], right[order]
    predicted = np.where(right, truth, 1 - truth)
    answer = student(predicted, truth, temperature)
    expect.is_tuple(answer, 3, name="temperatures, accuracies and errors")
    for value, name in zip(answer, ("temperatures", "accuracies", "errors"), strict=True):
        expect.shape(value, (6,), name=f"the {name}, for 6 distinct temperatures")
        expect.finite(value, name=f"the {name}")
    t, a, e = answer
    accuracy = np.array([right[temperature == value].mean() for value in values])
    spread = accuracy * (1 - accuracy)
    expect.equal(t, values, name="the temperatures", because="each temperature once, from cold to hot")
    expect.differs(a, 1 - accuracy, because="the share of lattices classified rightly, not of the errors")
    expect.differs(
        a,
        [truth[temperature == value].mean() for value in values],
        because="whether prediction and truth agree: this is how often the truth is 1",
    )
    expect.close(a, accuracy, rtol=1e-6, name="the accuracies", because="right ones over all, at each temperature")
    expect.differs(
        e, np.sqrt(spread / len(truth)), because="n counts the lattices at that temperature, not all of them"
    )
    expect.differs(e, np.sqrt(spread), because="the error of a mean: the spread of one lattice over the root of n")
    expect.differs(e, spread / counts, because="a standard error is a root: sqrt(a (1 - a) / n)")
    expect.differs(e, np.sqrt(accuracy / counts), because="a (1 - a) under the root: not the error of a Poisson count")
    expect.close(
        e, np.sqrt(spread / counts), rtol=0.05, name="the errors", because="the standard error of a binomial fraction"
    )
    return "one accuracy and one error at each temperature"


def _by_temperature(
    accuracy: Callable[..., Any], error: Callable[[Any, Any, int], Any]
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], Any]:
    def accuracy_by_temperature(predicted: np.ndarray, truth: np.ndarray, temperature: np.ndarray) -> Any:
        values, n = np.unique(temperature, return_counts=True)
        a = np.array([accuracy(predicted[temperature == t], truth[temperature == t]) for t in values])
        return values, a, error(a, n, len(truth))

    return accuracy_by_temperature


def _agree(predicted: np.ndarray, truth: np.ndarray) -> Any:
    return (predicted == truth).mean()


def _binomial(a: Any, n: Any, total: int) -> Any:
    return np.sqrt(a * (1 - a) / n)


accuracy_by_temperature.hints = (
    "`np.unique(temperature)` gives each temperature once, in order; `temperature == t` picks its lattices.",
    "The mean of `predicted == truth` over the lattices of one temperature is the accuracy there.",
    "np.sqrt(accuracy * (1 - accuracy) / number), with number the count of lattices at each temperature.",
)
accuracy_by_temperature.mistakes = {
    "error from all lattices": (_by_temperature(_agree, lambda a, n, total: np.sqrt(a * (1 - a) / total)), "not all"),
    "variance instead of error": (_by_temperature(_agree, lambda a, n, total: a * (1 - a) / n), "is a root"),
    "spread instead of error": (_by_temperature(_agree, lambda a, n, total: np.sqrt(a * (1 - a))), "error of a mean"),
    "Poisson error": (_by_temperature(_agree, lambda a, n, total: np.sqrt(a / n)), "Poisson count"),
    "share of wrong ones": (_by_temperature(lambda p, t: (p != t).mean(), _binomial), "not of the errors"),
    "mean label": (_by_temperature(lambda p, t: t.mean(), _binomial), "how often the truth is 1"),
}


@trained("7.1")
def dense() -> Any:
    """The dense network of exercise 7.1 at the settings of the notebook."""
    import keras

    from dlphys import datasets

    seed = personal_seed("ch07_fully_connected")
    with contextlib.redirect_stdout(io.StringIO()):
        data = datasets.load_ising(seed=seed)
    keras.utils.set_random_seed(seed)
    return reference("7.1c")(data.x_train, data.y_train, 5 if fast() else 8, seed)
