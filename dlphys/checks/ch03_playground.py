"""Checks of exercise 3.3: the checkerboard in the playground."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys import playground
from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

# --- part 1: the smallest network ----------------------------------------------------------------------


def _runs(hidden: tuple[int, ...], seed: int, epochs: int, restarts: Any, **changes: Any) -> list[playground.Run]:
    wanted = {"hidden": tuple(hidden), "seed": seed, "activation": "relu", **changes}
    return playground.restarts(playground.Settings(**wanted), epochs=epochs, seeds=restarts)


def _last(runs: list[playground.Run]) -> np.ndarray:
    return np.stack([run.test_loss for run in runs])[:, -1]


@task("3.3a", section="3.5")
def final_losses(student: Any, random: np.random.Generator) -> str:
    first = student((2,), 3, 2, 4)
    expect.shape(first, (4,), name="the losses of 4 restarts")
    expect.finite(first)
    hidden, seed = (int(random.integers(3, 6)), int(random.integers(2, 4))), int(random.integers(1, 1000))
    epochs, restarts = int(random.integers(20, 30)), int(random.integers(6, 9))
    losses = student(hidden, seed, epochs, restarts)
    expect.shape(losses, (restarts,), name=f"the losses of {restarts} restarts")
    runs = _runs(hidden, seed, epochs, restarts)
    right = _last(runs)
    for values, because in (
        ([run.train_loss[-1] for run in runs], "the loss on the test points: training points were seen in training"),
        ([run.test_loss[0] for run in runs], "the loss after the last epoch: entry 0 is from before the training"),
        ([run.test_loss.min() for run in runs], "the loss after the last epoch, not the smallest on the way"),
        ([run.accuracy for run in runs], "the test loss; the accuracy is another number"),
        (
            _last(_runs(hidden, 0, epochs, restarts)),
            "the points of the seed that is given: seed=data_seed",
        ),
        (_last(_runs((4,), seed, epochs, restarts)), "the hidden layers that are given, not the default ones"),
        (_last(_runs(hidden, seed, 100, restarts)), "the number of epochs that is given, not the default one"),
        (np.sort(right), "the losses in the order of the restarts: entry 0 belongs to seed 1"),
    ):
        if not np.array_equal(values, right):  # the last epoch may be the best one
            expect.differs(losses, values, because=because, rtol=1e-9)
    expect.holds(
        np.ptp(losses) > 0,
        because="a restart begins from other initial weights, so no two restarts end with the same loss",
        seen="the same loss in every restart",
    )
    expect.at_least(losses, 0.0, because="a squared error is never negative", name="a loss")
    expect.close(losses, right, rtol=1e-9, because="test_loss[-1] of each run of playground.restarts")
    return "one number for each restart, of the test points, after the last epoch"


def _one_network(hidden: Any, data_seed: int, epochs: int, restarts: int) -> np.ndarray:
    settings = playground.Settings(hidden=hidden, seed=data_seed)
    return np.array([playground.train(settings, epochs=epochs).test_loss[-1] for _ in range(restarts)])


final_losses.hints = (
    "Make the settings first: playground.Settings with hidden, and with seed for the data.",
    "playground.restarts(settings, epochs=epochs, seeds=restarts) is a list of runs; each has test_loss, an array "
    "with one entry more than epochs.",
    "The last entry is run.test_loss[-1]; collect it over all runs and make an array of the list.",
)
final_losses.mistakes = {
    "training loss": (
        lambda hidden, data_seed, epochs, restarts: np.array(
            [run.train_loss[-1] for run in _runs(hidden, data_seed, epochs, restarts)]
        ),
        "were seen in training",
    ),
    "before the training": (
        lambda hidden, data_seed, epochs, restarts: np.array(
            [run.test_loss[0] for run in _runs(hidden, data_seed, epochs, restarts)]
        ),
        "from before the training",
    ),
    "best epoch": (
        lambda hidden, data_seed, epochs, restarts: np.array(
            [run.test_loss.min() for run in _runs(hidden, data_seed, epochs, restarts)]
        ),
        "not the smallest on the way",
    ),
    "data seed forgotten": (
        lambda hidden, data_seed, epochs, restarts: _last(_runs(hidden, 0, epochs, restarts)),
        "the points of the seed",
    ),
    "hidden forgotten": (
        lambda hidden, data_seed, epochs, restarts: _last(_runs((4,), data_seed, epochs, restarts)),
        "not the default ones",
    ),
    "the same seed again and again": (_one_network, "from other initial weights"),
    "whole histories": (
        lambda hidden, data_seed, epochs, restarts: np.array(
            [run.test_loss for run in _runs(hidden, data_seed, epochs, restarts)]
        ),
        "shape (4,)",
    ),
}


@task("3.3b", section="3.5")
def smallest_network(student: Any, random: np.random.Generator) -> str:
    limit = float(random.uniform(0.03, 0.08))
    good, bad = limit / 4, limit * 4
    made = {1: 0, 2: 1, 3: 6, 4: 9, 6: 10}  # good ones among ten
    losses = {
        neurons: random.permutation([good] * count + [bad] * (10 - count)) * random.uniform(0.9, 1.1, 10)
        for neurons, count in made.items()
    }
    mixed = {neurons: losses[neurons] for neurons in (6, 3, 1, 4, 2)}
    answer = student(mixed, limit, 0.5)
    expect.holds(
        answer is not None, because="a number of neurons, since some reach this share", seen="None", rung="shape"
    )
    expect.number(answer, name="the number of neurons")
    expect.holds(
        answer != 2,
        because="one good restart is not enough: compare the share of good restarts with the one that is wanted",
        seen="2 neurons, of which 1 restart in 10 is good",
        rung="known mistake",
    )
    expect.holds(
        answer != 6,
        because="the smallest number that reaches the share, in whatever order the dict has its entries",
        seen="6 neurons, which stand first in the dict or are the largest",
        rung="known mistake",
    )
    expect.holds(
        answer != 1,
        because="a fit is good if its loss is below the limit, not above",
        seen="1 neuron, with which every loss is above the limit",
        rung="known mistake",
    )
    expect.holds(
        answer != 4,
        because="the share of good restarts, not a mean loss, in which the few that are stuck outweigh the others",
        seen="4 neurons, although 6 of 10 restarts are good with 3",
        rung="known mistake",
    )
    expect.equal(int(answer), 3, because="the first number, from below, with half of its restarts good")
    expect.equal(
        student(mixed, limit, 0.6),
        3,
        because="six good ones in ten are a share of 0.6: at least 0.6, so they count",
        rung="physics",
    )
    stricter = student(mixed, limit, 0.9)
    expect.equal(stricter, 4, because="a larger share may need more neurons: use the one that is given", rung="physics")
    expect.equal(student(mixed, limit, 1.0), 6, because="with a share of 1 every restart must be good", rung="physics")
    none = student({1: losses[1], 2: losses[2]}, limit, 0.5)
    expect.holds(none is None, because="None where no network reaches the share", seen=f"{none!r}")
    return "the answer depends on the share: what is asked must be said"


smallest_network.hints = (
    "For one array of losses: which entries are below the limit? The mean of True and False is their share.",
    "Go through the numbers of neurons from small to large; a dict need not be in order, `sorted(losses)` is.",
    "for neurons in sorted(losses): if np.mean(losses[neurons] < limit) is at least share, return neurons.",
)


def _first(chosen: Any) -> Any:
    def answer(losses: Any, limit: float, share: float) -> Any:
        return next((k for k in sorted(losses) if chosen(losses[k], limit, share)), None)

    return answer


smallest_network.mistakes = {
    "one good restart": (_first(lambda x, limit, share: (x < limit).any()), "one good restart is not enough"),
    "above the limit": (_first(lambda x, limit, share: (x > limit).mean() >= share), "not above"),
    "order of the dict": (
        lambda losses, limit, share: next((k for k in losses if (losses[k] < limit).mean() >= share), None),
        "in whatever order",
    ),
    "more than the share": (_first(lambda x, limit, share: (x < limit).mean() > share), "so they count"),
    "always one half": (_first(lambda x, limit, share: (x < limit).mean() >= min(share, 0.6)), "may need more neurons"),
    "mean loss": (_first(lambda x, limit, share: x.mean() < limit), "not a mean loss"),
    "the loss": (lambda losses, limit, share: losses[3], "one number"),
}


@task("3.3c", section="3.2")
def by_hand(student: Any, random: np.random.Generator) -> str:
    answer = student()
    expect.is_tuple(answer, 4, name="weights, biases, output weights, output bias")
    for value, shape, name in zip(
        answer,
        ((2, 4), (4,), (4, 1), (1,)),
        ("the weights of the hidden layer", "the biases of the hidden layer", "the output weights", "the output bias"),
        strict=True,
    ):
        expect.shape(value, shape, name=name)
        expect.finite(value, name=name)
    w, b, v, d = (np.asarray(value, float) for value in answer)

    def output(x: np.ndarray) -> np.ndarray:
        return (np.maximum(x @ w + b, 0.0) @ v + d)[:, 0]

    x = random.uniform(-6, 6, (400, 2))
    product, z = x.prod(1), output(x)
    expect.holds(
        np.abs(z).max() > 0,
        because="an output that is not zero everywhere",
        seen="0 for all points",
        rung="known mistake",
    )
    expect.holds(
        not (np.sign(z) == -np.sign(product)).all(),
        because="the output is positive where x1 x2 is positive: here the two colours are exchanged",
        seen="the opposite sign at every point",
        rung="known mistake",
    )
    expect.holds(
        (z < -1e-9).any() and (z > 1e-9).any(),
        because="outputs of both signs: the second absolute value is subtracted",
        seen=f"outputs from {z.min():.3g} to {z.max():.3g}",
        rung="known mistake",
    )
    silent = np.abs(z) < 1e-12
    expect.holds(
        silent.mean() < 0.1,
        because="an answer in every direction: an absolute value needs two ReLU, max(0, a) and max(0, -a)",
        seen=f"an output of 0 at {silent.mean():.0%} of the points",
        rung="known mistake",
    )
    mirrored = output(x * [-1, 1])
    expect.holds(
        not np.allclose(mirrored, z),
        because="a mirror x1 -> -x1 changes the sign of x1 x2, so it must change the sign of the output",
        seen="the same output for (x1, x2) and (-x1, x2)",
    )
    near = np.sign(random.uniform(-1, 1, (200, 2))) * np.column_stack(
        [10.0 ** random.uniform(-4, 0, 200), random.uniform(0.5, 6, 200)]
    )
    for where, among in (("over the square", x), ("close to an axis", near), ("far out", 100 * x)):
        wrong = np.sign(output(among)) != np.sign(among.prod(1))
        expect.holds(
            not wrong.any(),
            because=f"the sign of x1 x2 at every point, {where}",
            seen=f"the wrong sign at {wrong.mean():.0%} of the points {where}",
            rung="value",
        )
    return "four neurons are enough for a checkerboard of any size, without any training"


by_hand.hints = (
    "|a| = max(0, a) + max(0, -a): two neurons with opposite weights, both with output weight 1.",
    "The four neurons see x1 + x2, -(x1 + x2), x1 - x2 and -(x1 - x2); these are the columns of the weights.",
    "First row of the weights: 1, -1, 1, -1; second row: 1, -1, -1, 1. Output weights 1, 1, -1, -1; all biases 0.",
)


def _four(rows: Any, outputs: Any, shift: float = 0.0) -> Any:
    return lambda: (np.array(rows, float), np.full(4, shift), np.array(outputs, float)[:, None], np.zeros(1))


_SUMS = ([1, -1, 1, -1], [1, -1, -1, 1])
by_hand.mistakes = {
    "colours exchanged": (_four(_SUMS, [-1, -1, 1, 1]), "colours are exchanged"),
    "absolute values added": (_four(_SUMS, [1, 1, 1, 1]), "second absolute value is subtracted"),
    "absolute values of the coordinates": (_four(([1, -1, 0, 0], [0, 0, 1, -1]), [1, 1, -1, -1]), "a mirror"),
    "half of each absolute value": (_four(([1, 1, 1, 1], [1, 1, -1, -1]), [1, 0, -1, 0]), "needs two ReLU"),
    "shifted": (_four(_SUMS, [1, 1, -1, -1], 0.5), "over the square"),
    "rows and columns exchanged": (
        lambda: (np.array(_SUMS, float).T, np.zeros(4), np.array([[1.0], [1], [-1], [-1]]), np.zeros(1)),
        "shape (2, 4)",
    ),
}

# --- part 2: the same settings again -------------------------------------------------------------------


@task("3.3d", section="3.2")
def dead_neurons(student: Any, random: np.random.Generator) -> str:
    values = np.maximum(random.normal(size=(40, 7)), 0.0)
    values[:, 2] = 0.0
    values[:, 4] = np.where(np.arange(40) == 17, 0.3, 0.0)  # nearly silent: alive
    values[:, 5] = 0.0
    values[:, 6] = 0.5  # a constant, but alive
    answer = student(values)
    expect.number(answer, name="the number of dead neurons")
    answer = float(answer)
    for wrong, because in (
        (int((values == 0).sum()), "neurons, not entries of the array: a neuron is silent for some points anyway"),
        (int((values == 0).any(0).sum()), "silent for all points: a neuron that is silent for some is alive"),
        (int((values == 0).all(1).sum()), "neurons are columns, points are rows"),
        (5, "the dead ones, not those alive"),
        (3, "silent means 0 for every point: a neuron that answers once, or always the same, is alive"),
        (4, "silent means 0 for every point: nearly silent is alive"),
        (2 / 7, "a number of neurons, not a share"),
    ):
        expect.differs(answer, wrong, because=because)
    expect.equal(answer, 2.0, because="two neurons of the seven are silent for all 40 points")
    alive = np.abs(values) + 0.1
    expect.equal(student(alive), 0, because="no neuron is dead if all answer everywhere", rung="physics")
    expect.equal(student(np.zeros((5, 3))), 3, because="in a silent layer all neurons are dead", rung="physics")
    shuffled = random.permutation(values, axis=1)
    expect.equal(student(shuffled), 2, because="the order of the neurons does not matter", rung="physics")
    return "a neuron is dead if nothing in the data makes it answer"


dead_neurons.hints = (
    "A neuron is a column. What is the largest value in the column of a dead neuron?",
    "`values.max(axis=0)` is the largest output of each neuron.",
    "Count the columns whose maximum is 0: a comparison with == 0, then a sum.",
)
dead_neurons.mistakes = {
    "entries": (lambda values: int((values == 0).sum()), "not entries"),
    "silent for some": (lambda values: int((values == 0).any(axis=0).sum()), "silent for some is alive"),
    "rows": (lambda values: int((values == 0).all(axis=1).sum()), "points are rows"),
    "alive": (lambda values: int((values > 0).any(axis=0).sum()), "not those alive"),
    "no spread": (lambda values: int((values.std(axis=0) == 0).sum()), "or always the same"),
    "share": (lambda values: float((values == 0).all(axis=0).mean()), "not a share"),
    "mask": (lambda values: (values == 0).all(axis=0), "one number"),
}

quiz(
    "3.3-q1",
    question="Why do trainings with the same settings end with different losses, although all have the same points?",
    options=(
        "The training was too short; with more epochs all would end alike.",
        "The test points differ from run to run.",
        "The loss has several minima, and the random initial weights decide into which one a training descends.",
        "ReLU is not differentiable at zero, so its gradients are random.",
    ),
    answer=3,
    explanation="Even with a single batch, where nothing but the initial weights differs, nearly the same seeds get "
    "stuck, and they stay there for ten times as many epochs.",
)

# --- part 3: the most helpful feature ------------------------------------------------------------------

_ALL = ("x1", "x2", "x1^2", "x2^2", "x1*x2", "sin x1", "sin x2")


def _table(
    extras: Any, hidden: Any, seed: int, epochs: int, restarts: int, *, summary: Any = np.median, **changes: Any
) -> dict[str, float]:
    both = changes.pop("inputs", lambda extra: ("x1", "x2", extra))
    return {
        extra: float(summary(_last(_runs(hidden, seed, epochs, restarts, features=both(extra), **changes))))
        for extra in extras
    }


@task("3.3e", section="3.5")
def losses_with_feature(student: Any, random: np.random.Generator) -> str:
    extras = [str(name) for name in random.permutation(["x1^2", "x2^2", "x1*x2", "sin x1", "sin x2"])]
    seed, epochs, restarts = int(random.integers(1, 1000)), int(random.integers(15, 25)), 5
    given = (extras, (2,), seed, epochs, restarts)
    answer = student(*given)
    expect.is_dict(answer, extras, name="the median losses")
    for name in extras:
        expect.number(answer[name], name=f"the loss with {name}")
    numbers = np.array([float(answer[name]) for name in extras])
    train = [
        np.median([run.train_loss[-1] for run in _runs((2,), seed, epochs, restarts, features=("x1", "x2", name))])
        for name in extras
    ]
    for wrong, because in (
        (_table(*given, summary=np.mean), "the median: a mean mixes runs that are stuck with runs that are not"),
        (_table(*given, summary=np.min), "the median of the restarts: the best one alone shows luck"),
        (dict(zip(extras, train, strict=True)), "the loss on the test points, which the training has not seen"),
        (_table(*given, inputs=lambda extra: (extra,)), "the extra feature beside x1 and x2, not in their place"),
        (
            _table(extras, (4,), *given[2:]),
            "the hidden layers that are given: the default network hides what the feature does",
        ),
        (_table(extras, (2,), 0, *given[3:]), "the points of the seed that is given"),
        (
            _table(*given, inputs=lambda extra: _ALL),
            "one extra feature at a time: with all of them together nobody knows which one helped",
        ),
    ):
        expect.differs(numbers, [wrong[name] for name in extras], rtol=1e-9, because=because)
    single = student(extras, (), seed, 60, 3)
    expect.is_dict(single, extras, name="the losses without hidden layers")
    others = min(float(single[name]) for name in extras if name != "x1*x2")
    expect.holds(
        10 * float(single["x1*x2"]) < others,
        because="the label is the sign of x1 x2, so one neuron that sees this product has a far smaller loss",
        seen=f"loss {float(single['x1*x2']):.3g} with x1*x2 and {others:.3g} with the best of the others",
    )
    right = _table(*given)
    expect.close(
        numbers,
        [right[name] for name in extras],
        rtol=1e-9,
        because="the median over the restarts of the test loss after the last epoch",
        name="the losses",
    )
    return "x1*x2 helps most: the label depends on it alone"


losses_with_feature.hints = (
    "A loop over the extra features; each one needs settings of its own, with features=('x1', 'x2', extra).",
    "Inside the loop: playground.restarts as in 3.3a, then np.median of the final test losses.",
    "Start with an empty dict and set one entry a feature: medians[extra] = np.median([...]).",
)


def _instead(**changes: Any) -> Any:
    """The right answer with something changed."""

    def answer(extras: Any, hidden: Any, data_seed: int, epochs: int, restarts: int) -> dict[str, float]:
        given = {"hidden": hidden, "seed": data_seed, **changes}
        return _table(extras, given.pop("hidden"), given.pop("seed"), epochs, restarts, **given)

    return answer


losses_with_feature.mistakes = {
    "mean": (_instead(summary=np.mean), "a mean mixes"),
    "best run": (_instead(summary=np.min), "shows luck"),
    "feature alone": (_instead(inputs=lambda extra: (extra,)), "not in their place"),
    "all features": (_instead(inputs=lambda extra: _ALL), "one extra feature at a time"),
    "default network": (_instead(hidden=(4,)), "hides what the feature does"),
    "data seed forgotten": (_instead(seed=0), "seed that is given"),
    "only the best name": (lambda extras, hidden, data_seed, epochs, restarts: "x1*x2", "a dict"),
}

quiz(
    "3.3-q2",
    question="Why is one neuron enough once it sees x1*x2?",
    options=(
        "x1*x2 is larger than the other features, so it learns faster.",
        "The label is the sign of x1*x2: in this coordinate the border between the classes is a single point, zero.",
        "x1 and x2 are correlated, and the product removes the correlation.",
        "A product is not linear, and any feature that is not linear would do.",
    ),
    answer=2,
    explanation="One neuron divides its inputs by a plane. In the coordinate x1*x2 the classes lie on either side of "
    "zero; the squares and sines are not linear either, and none of them divides the classes.",
)
