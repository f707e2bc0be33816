"""Checks of chapter 6: words and descriptions, kinds of learning, numbers of parameters and of updates."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

WORDS = (
    "epoch",
    "feature",
    "hyperparameter",
    "label",
    "minibatch",
    "objective",
    "prediction",
    "test data",
    "validation data",
    "weight",
)
LETTERS = "EJBCFGDIHA"  # of the words above
RIGHT = dict(sorted(zip(LETTERS, WORDS, strict=True)))
CONFUSED = {
    ("weight", "hyperparameter"): "training adjusts weights; hyperparameters are chosen before it begins",
    ("label", "prediction"): "the label is the truth, the prediction is what the network returns",
    ("epoch", "minibatch"): "many minibatches make one epoch, not the other way round",
    ("validation data", "test data"): "validation data serve again and again, test data once at the end",
    ("feature", "weight"): "features are computed anew for every event, weights are the same for all events",
    ("objective", "prediction"): "the objective is one number for many events, the prediction one result an event",
}


@task("M6.1a", section="6")
def matching(student: Any, random: np.random.Generator) -> str:
    answer = student()
    expect.is_dict(answer, keys=tuple("ABCDEFGHIJ"))
    for letter, word in answer.items():
        expect.holds(
            isinstance(word, str) and word in WORDS,
            because=f"one of the ten words, spelt as in the list: {', '.join(WORDS)}",
            seen=f"{word!r} for {letter}",
            rung="shape",
        )
    expect.holds(
        len(set(answer.values())) == len(WORDS),
        because="each word belongs to one description",
        seen=f"{len(set(answer.values()))} different words",
        rung="known mistake",
    )
    place = dict(zip(WORDS, LETTERS, strict=True))
    for (one, other), because in CONFUSED.items():
        expect.holds(
            answer[place[one]] != other or answer[place[other]] != one,
            because=because,
            seen=f"{one!r} and {other!r} have changed places",
            rung="known mistake",
        )
    count = sum(answer[letter] == word for letter, word in RIGHT.items())
    expect.holds(
        count == len(RIGHT), because="all ten words in their places", seen=f"{count} of them are right", rung="value"
    )
    return "ten of ten"


def _swapped(*words: str) -> Callable[[], dict[str, str]]:
    """A matching() in which these words have moved on by one."""

    def wrong() -> dict[str, str]:
        moved = dict(zip(words, words[1:] + words[:1], strict=True))
        return {letter: moved.get(word, word) for letter, word in RIGHT.items()}

    return wrong


def _replaced(word: str, by: str) -> Callable[[], dict[str, str]]:
    def wrong() -> dict[str, str]:
        return {letter: by if found == word else found for letter, found in RIGHT.items()}

    return wrong


matching.hints = (
    "Begin with the certain ones. Two descriptions speak of the same event: what the network says, and what is true.",
    "Two speak of numbers that belong to the network: one kind is adjusted by training, the other kind by you.",
    "Two speak of data that are kept apart from the training: one kind is used for decisions, the other kind only for "
    "the final result.",
)
matching.mistakes = {
    "weight and hyperparameter": (_swapped("weight", "hyperparameter"), "chosen before it begins"),
    "label and prediction": (_swapped("label", "prediction"), "the label is the truth"),
    "epoch and minibatch": (_swapped("epoch", "minibatch"), "many minibatches"),
    "validation and test": (_swapped("validation data", "test data"), "once at the end"),
    "feature and weight": (_swapped("feature", "weight"), "computed anew for every event"),
    "three in a circle": (_swapped("epoch", "feature", "label"), "7 of them are right"),
    "one word twice": (_replaced("label", "prediction"), "belongs to one description"),
    "another spelling": (_replaced("minibatch", "mini-batch"), "spelt as in the list"),
}


@task("M6.1b", section="6")
def kind_of_learning(student: Any, random: np.random.Generator) -> str:
    marks = np.concatenate([[5.0, 6.0], random.integers(3, 10, 18).astype(float)])
    cases = {
        "no labels": (None, "unsupervised"),
        "measured energies": (random.uniform(1, 100, 20), "regression"),
        "energies in single precision": (random.uniform(1, 100, 20).astype(np.float32), "regression"),
        "ten classes": (random.integers(0, 10, 20), "classification"),
        "two classes as booleans": (random.random(20) < 0.5, "classification"),
        "marks such as 5.0 and 6.0": (marks, "regression"),
        "small whole numbers (int8)": (random.integers(0, 2, 20).astype(np.int8), "classification"),
        "only zeros of type float": (np.zeros(20), "regression"),
    }
    answers = {name: student(labels) for name, (labels, _) in cases.items()}
    words = ("classification", "regression", "unsupervised")
    for name, answer in answers.items():
        expect.holds(
            isinstance(answer, str) and answer in words,
            because=f"one of the words {', '.join(words)}",
            seen=f"{answer!r} for {name}",
            rung="shape",
        )
    reasons = {
        "no labels": "without labels nothing can be compared with the truth: the learning is not supervised",
        "two classes as booleans": "True and False are two classes",
        "marks such as 5.0 and 6.0": "the type decides, not the values: floating-point marks are measured quantities",
        "ten classes": "ten classes are classes as well: their number does not matter",
        "energies in single precision": "every floating-point type counts, float32 too",
        "small whole numbers (int8)": "every type of whole numbers counts, int8 too",
        "only zeros of type float": "a quantity that happens to be zero is still a measured quantity",
        "measured energies": "an energy is a continuous quantity",
    }
    for name, because in reasons.items():
        expect.holds(
            answers[name] == cases[name][1], because=because, seen=f"{answers[name]!r} for {name}", rung="value"
        )
    expect.holds(
        all(student(labels[::-1].copy()) == answer for (labels, answer) in cases.values() if labels is not None),
        because="the order of the events does not matter",
        seen="another answer for the same labels in another order",
    )
    return f"right in {len(cases)} situations"


def _kind(decide: Callable[[np.ndarray], bool], without: str = "unsupervised") -> Callable[[Any], str]:
    """A kind_of_learning() that takes labels for classes where ``decide`` holds."""

    def wrong(labels: Any) -> str:
        if not isinstance(labels, np.ndarray):
            return without
        return ("regression", "classification")[bool(decide(labels))]

    return wrong


kind_of_learning.hints = (
    "Ask first whether there are labels at all: labels is None.",
    'labels.dtype.kind is "f" for floating-point numbers, "i" or "u" for whole numbers, "b" for booleans.',
    "None is unsupervised, kind f is regression, everything else is classification.",
)
kind_of_learning.mistakes = {
    "whole values are classes": (_kind(lambda labels: bool(np.all(labels == np.round(labels)))), "not the values"),
    "only two classes": (_kind(lambda labels: len(np.unique(labels)) <= 2), "their number does not matter"),
    "booleans forgotten": (_kind(lambda labels: labels.dtype.kind == "i"), "True and False"),
    "only float64": (_kind(lambda labels: labels.dtype != np.float64), "float32 too"),
    "no labels, no matter": (_kind(lambda labels: labels.dtype.kind != "f", without="regression"), "not supervised"),
    "only int64": (_kind(lambda labels: labels.dtype in (np.int64, np.bool_)), "int8 too"),
    "a number": (lambda labels: 0, "one of the words"),
}


@task("M6.1c", section="6")
def count_parameters(student: Any, random: np.random.Generator) -> str:
    networks = [[2, 4, 1], [8, 64, 64, 2], [1, 30, 30, 30, 1], [5, 3]]
    networks += [random.integers(2, 40, int(random.integers(3, 6))).tolist() for _ in range(6)]
    answers = []
    for nodes in networks:
        value = student(list(nodes))
        expect.number(value, name=f"the number of parameters of {nodes}")
        answers.append(float(value))

    def counts(formula: Callable[[int, int], float]) -> list[float]:
        return [float(sum(formula(n, m) for n, m in pairwise(nodes))) for nodes in networks]

    for formula, because in PARAMETER_MISTAKES.values():
        expect.differs(answers, counts(formula), because=because)
    expect.differs(
        answers,
        [value + nodes[0] for value, nodes in zip(counts(lambda n, m: (n + 1) * m), networks, strict=True)],
        because="inputs are no nodes: they have no bias",
    )
    expect.equal(
        float(student([5, 3])),
        18.0,
        because="a single layer with 5 inputs and 3 nodes has 15 weights and 3 biases",
        name="the number",
        rung="physics",
    )
    expect.equal(
        answers,
        counts(lambda n, m: (n + 1) * m),
        because="the sum of (inputs + 1) times nodes over all layers",
        name="the list of numbers",
    )
    return f"right for {len(networks)} networks"


PARAMETER_MISTAKES: dict[str, tuple[Callable[[int, int], float], str]] = {
    "no biases": (lambda n, m: n * m, "each node has a bias as well: one more parameter"),
    "one bias a layer": (lambda n, m: n * m + 1, "a bias for each node, not one for each layer"),
    "bias for each input": (lambda n, m: n * (m + 1), "the bias belongs to the node, not to the input"),
    "added": (lambda n, m: n + m, "every input is connected with every node: multiply"),
}


def _parameters(formula: Callable[[int, int], float]) -> Callable[[list[int]], float]:
    return lambda nodes: sum(formula(n, m) for n, m in pairwise(nodes))


count_parameters.hints = (
    "Go from layer to layer: the outputs of one are the inputs of the next.",
    "zip(nodes[:-1], nodes[1:]) gives the pairs (inputs, nodes) of all layers.",
    "Add up (inputs + 1) * nodes for each pair.",
)
count_parameters.mistakes = {
    name: (_parameters(formula), because.partition(":")[0].partition(",")[0])
    for name, (formula, because) in PARAMETER_MISTAKES.items()
} | {
    "inputs with biases": (
        lambda nodes: nodes[0] + _parameters(lambda n, m: (n + 1) * m)(nodes),
        "inputs are no nodes",
    ),
    "only the first layer": (lambda nodes: (nodes[0] + 1) * nodes[1], "over all layers"),
    "a list": (lambda nodes: [(n + 1) * m for n, m in pairwise(nodes)], "one number"),
}


@task("M6.1d", section="6")
def count_updates(student: Any, random: np.random.Generator) -> str:
    trainings = [(1000, 64, 3), (640, 64, 2), (100, 128, 5), (19_000, 32, 50)]
    for _ in range(12):
        batch = int(random.integers(8, 200))
        trainings.append((int(random.integers(200, 5000)), batch, int(random.integers(2, 30))))
    answers = []
    for training in trainings:
        value = student(*training)
        expect.number(value, name=f"count_updates{training}")
        expect.holds(
            float(value) == int(value),
            because="a whole number: a minibatch that is not full makes a whole update",
            seen=f"count_updates{training} is {value}",
            rung="shape",
        )
        answers.append(int(value))
    n, batch, epochs = np.array(trainings).T
    right = -(-n // batch) * epochs
    known = {
        "the events that are left make a smaller minibatch, and it counts: round up": n // batch * epochs,
        "round up in every epoch: a minibatch does not reach over the end of an epoch": -(-n * epochs // batch),
        "one update for each minibatch, not for each event": n * epochs,
        "in every epoch: the updates of one epoch, times the epochs": -(-n // batch),
        "no further minibatch where the events divide without rest": (n // batch + 1) * epochs,
    }
    for because, wrong in known.items():
        expect.differs(answers, wrong, because=because)
    expect.equal(
        int(student(100, 128, 5)),
        5,
        because="a minibatch larger than the data makes one update an epoch",
        name="the number",
        rung="physics",
    )
    expect.equal(
        int(student(640, 64, 4)),
        2 * int(student(640, 64, 2)),
        because="twice the epochs, twice the updates",
        name="the number",
        rung="physics",
    )
    expect.equal(answers, right.tolist(), because="minibatches, rounded up, times epochs", name="the list of numbers")
    return f"right for {len(trainings)} trainings"


count_updates.hints = (
    "How many minibatches make one epoch? 1000 events in minibatches of 64: 15 full ones, and one of 40.",
    "np.ceil(n_events / batch_size) rounds up (and int(...) makes it whole); so does -(-n_events // batch_size).",
    "The number of minibatches, times the epochs.",
)
count_updates.mistakes = {
    "rounded down": (lambda n_events, batch_size, epochs: n_events // batch_size * epochs, "and it counts"),
    "epochs joined": (
        lambda n_events, batch_size, epochs: -(-n_events * epochs // batch_size),
        "over the end of an epoch",
    ),
    "one for each event": (lambda n_events, batch_size, epochs: n_events * epochs, "not for each event"),
    "one epoch": (lambda n_events, batch_size, epochs: -(-n_events // batch_size), "in every epoch: the updates"),
    "always one more": (lambda n_events, batch_size, epochs: (n_events // batch_size + 1) * epochs, "without rest"),
    "rounded to the nearest": (
        lambda n_events, batch_size, epochs: max(1, round(n_events / batch_size)) * epochs,
        "minibatches, rounded up",
    ),
    "not rounded": (lambda n_events, batch_size, epochs: n_events / batch_size * epochs, "a whole number"),
}

# --- the quiz ------------------------------------------------------------------------------------------------

quiz(
    "M6.1-q1",
    question="Which of these is a hyperparameter?",
    options=(
        "The bias of a node in the second layer.",
        "The output of the network for one event.",
        "The learning rate.",
        "The weights after training.",
    ),
    answer=3,
    explanation="It is chosen before training begins. Weights and biases are parameters: training adjusts them.",
)
quiz(
    "M6.1-q2",
    question="You train twenty networks and publish the one with the smallest test error, together with this error. "
    "What is wrong?",
    options=(
        "Nothing, since the test data were not used for training.",
        "The test data have chosen the network, so they served as validation data and the error is too good.",
        "The test error has to be computed on training and test data together.",
        "Twenty networks are too few to choose from.",
    ),
    answer=2,
    explanation="Choosing is a kind of training. Choose with validation data, then use the test data once.",
)
quiz(
    "M6.1-q3",
    question="You double the size of the minibatches and keep the number of epochs. What happens to the number of "
    "updates?",
    options=(
        "It doubles.",
        "It stays: every event is still seen as often.",
        "It becomes four times smaller.",
        "It becomes about half as large.",
    ),
    answer=4,
    explanation="Half as many minibatches make one epoch. Events are seen as often as before, but the parameters move "
    "half as often.",
)
quiz(
    "M6.1-q4",
    question="What does backpropagation compute?",
    options=(
        "The gradient of the objective by every parameter.",
        "The best values of the parameters.",
        "The inputs that belong to a given output.",
        "The learning rate of each layer.",
    ),
    answer=1,
    explanation="It is the chain rule, applied from the output backwards. What to do with the gradients is decided by "
    "the learning strategy.",
)
quiz(
    "M6.1-q5",
    question="Inputs are to have mean 0 and width 1. From which data are mean and width computed?",
    options=(
        "From all data, so that they are as precise as possible.",
        "From each of the three parts separately.",
        "From the training data; the same numbers are then used for all parts.",
        "From the test data, since these decide in the end.",
    ),
    answer=3,
    explanation="Validation and test data play the role of data that do not exist yet. Separate numbers for each part "
    "would make the same event look different in different parts.",
)
quiz(
    "M6.1-q6",
    question="Two events lie close together in the feature space of the last hidden layer. What does it mean?",
    options=(
        "They were measured at nearly the same place.",
        "The network treats them as similar, wherever they were measured.",
        "They have the same weights.",
        "They belong to the same minibatch.",
    ),
    answer=2,
    explanation="Near in feature space means similar for the task. Near in the spatial domain means near in the "
    "detector or in the sky.",
)
quiz(
    "M6.1-q7",
    question="Why is a classifier not trained with its accuracy as the objective?",
    options=(
        "Accuracy is too expensive to compute.",
        "Accuracy needs no labels.",
        "Accuracy can become larger than one.",
        "Accuracy changes in steps, so its gradient is zero almost everywhere.",
    ),
    answer=4,
    explanation="A small change of a parameter changes no decision, or flips one: no slope to follow. The "
    "cross-entropy of chapter 4 is smooth.",
)
quiz(
    "M6.1-q8",
    question="'The bias of this network is large.' What can that mean?",
    options=(
        "Two things: a large constant at a node, or predictions that are wrong in the mean.",
        "Only that the constants of its nodes are large.",
        "Only that its training data were chosen badly.",
        "That it has been trained for too long.",
    ),
    answer=1,
    explanation="The word has two meanings (three with unfair data). Say which one you mean.",
)
