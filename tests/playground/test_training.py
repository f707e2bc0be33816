"""The network of the playground: against Keras, against its plain version, and what its data and settings promise."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from dlphys import playground
from dlphys.playground import DivergenceWarning, Settings, Trainer, _network
from dlphys.playground.settings import DATASETS, FEATURES
from dlphys.playground.training import activations
from dlphys.simulators import toys

SMALL = Settings(points=60, batch_size=8, learning_rate=0.05)  # 30 training points: steps of 8, 8, 8 and 6
CASES = [
    replace(SMALL, hidden=(5, 3)),
    replace(SMALL, hidden=(4,), activation="tanh", regularization="l2", regularization_rate=0.1),
    replace(SMALL, hidden=(3, 3), activation="sigmoid", regularization="l1", regularization_rate=0.03),
    replace(SMALL, hidden=(8, 8, 8), activation="linear", learning_rate=0.002, features=FEATURES),
    replace(
        SMALL, problem="regression", dataset="gauss", hidden=(6,), activation="tanh", features=("x1", "x2", "sin x1")
    ),
    replace(SMALL, hidden=(), features=("x1*x2", "x1^2"), batch_size=100),
]


@pytest.fixture
def double():
    """Keras in double precision, also where it adds a penalty to a loss."""
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def layers_of(trainer):
    weights, biases = trainer.layers()
    return [part for pair in zip(weights, biases, strict=True) for part in pair]


def batches(settings, epochs, seed):
    """The points and targets of each step, drawn as the playground draws them."""
    random = np.random.default_rng(seed)
    _network.initial(settings.sizes, random)
    sample = playground.points(settings)
    x = playground.features(sample.x_train, settings.features)
    for _ in range(epochs):
        order = random.permutation(len(x))
        for start in range(0, len(x), settings.batch_size):
            chosen = order[start : start + settings.batch_size]
            yield x[chosen], sample.y_train[chosen]


@pytest.mark.parametrize("settings", CASES, ids=lambda settings: f"{settings.sizes}-{settings.activation}")
def test_it_trains_like_keras(settings, double):
    """Same weights, batches, loss and penalty: equal to 1e-6 (in fact to 1e-12) after 40 steps in double precision."""
    import keras

    rate = settings.regularization_rate
    penalty = keras.regularizers.L2(rate / 2) if settings.regularization == "l2" else None
    trainer = Trainer(settings, seed=3)
    model = keras.Sequential([keras.Input((len(settings.features),), dtype="float64")])
    for size, activation in zip(settings.sizes[1:], activations(settings), strict=True):
        model.add(keras.layers.Dense(size, activation=activation, kernel_regularizer=penalty, dtype="float64"))
    model.set_weights(layers_of(trainer))
    half = keras.losses.MeanSquaredError(dtype="float64")
    model.compile(keras.optimizers.SGD(settings.learning_rate), loss=lambda y, z: 0.5 * half(y, z), run_eagerly=True)
    for x, y in batches(settings, 10, 3):
        model.train_on_batch(x, y[:, np.newaxis])
        if settings.regularization == "l1":  # Keras would let the weights jump about zero: the threshold is ours
            weights = model.get_weights()
            cut = settings.learning_rate * rate
            weights[::2] = [np.sign(w) * np.maximum(np.abs(w) - cut, 0) for w in weights[::2]]
            model.set_weights(weights)
    trainer.advance(10)
    for ours, theirs in zip(layers_of(trainer), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
    sample = trainer.points
    output = model(playground.features(sample.x_test, settings.features)).numpy()[:, 0]
    np.testing.assert_allclose(trainer.run().predict(sample.x_test), output, rtol=0, atol=1e-6)
    assert trainer.test_loss[-1] == pytest.approx(0.5 * np.mean((output - sample.y_test) ** 2), abs=1e-6)


@pytest.mark.parametrize("settings", CASES, ids=lambda settings: f"{settings.sizes}-{settings.activation}")
def test_the_compiled_loop_does_what_the_plain_network_does(settings):
    trainer = Trainer(settings, seed=5)
    weights, biases = trainer.layers()
    names = activations(settings)
    l1, l2 = ((settings.regularization == kind) * settings.regularization_rate for kind in ("l1", "l2"))
    for x, y in batches(settings, 5, 5):
        values = _network.forward(x, weights, biases, names)
        slopes = _network.backward(values, y, weights, names)
        weights, biases = _network.update(weights, biases, *slopes, learning_rate=settings.learning_rate, l1=l1, l2=l2)
    trainer.advance(5)
    ours, sample = trainer.layers(), trainer.points
    for fast, plain in zip(ours[0] + ours[1], weights + biases, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-10, atol=1e-12)
    x = playground.features(sample.x_train, settings.features)
    output = _network.forward(x, weights, biases, names)[-1][:, 0]
    assert trainer.train_loss[-1] == pytest.approx(_network.loss(output, sample.y_train), rel=1e-10)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "linear"])
def test_backpropagation_agrees_with_finite_differences(activation):
    random = np.random.default_rng(1)
    names = [activation, activation, "tanh"]
    x, y = random.normal(size=(7, 3)), random.normal(size=7)
    weights, biases = _network.initial((3, 4, 2, 1), random)
    biases = [random.normal(size=bias.shape) for bias in biases]
    slopes = _network.backward(_network.forward(x, weights, biases, names), y, weights, names)
    for parts, gradients in zip((weights, biases), slopes, strict=True):
        for part, gradient in zip(parts, gradients, strict=True):
            for place in np.ndindex(part.shape):
                losses = []
                for step in (1e-6, -2e-6):
                    part[place] += step
                    losses.append(_network.loss(_network.forward(x, weights, biases, names)[-1][:, 0], y))
                part[place] += 1e-6
                assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-7)


def test_the_same_seed_gives_the_same_bits_in_any_portions():
    settings = Settings(hidden=(5, 2), noise=0.2)
    whole, pieces = Trainer(settings, seed=2), Trainer(settings, seed=2)
    whole.advance(12)
    for portion in (1, 4, 7):
        pieces.advance(portion)
    run = playground.train(settings, epochs=12, seed=2)
    assert whole.train_loss == pieces.train_loss == run.train_loss.tolist()
    assert all((a == b).all() for a, b in zip(layers_of(whole), layers_of(pieces), strict=True))
    others = playground.restarts(settings, epochs=12, seeds=[2, 3])
    assert others[0].test_loss.tolist() == run.test_loss.tolist()
    assert others[1].test_loss[-1] != run.test_loss[-1]


def test_l1_makes_weights_exactly_zero_and_l2_makes_them_small():
    settings = Settings(hidden=(8,), features=FEATURES, noise=0.3)
    runs = {
        kind: playground.train(replace(settings, regularization=kind, regularization_rate=rate), epochs=200, seed=1)
        for kind, rate in (("none", 0.0), ("l1", 0.01), ("l2", 0.03))
    }
    zeros = {kind: sum(int((w == 0).sum()) for w in run.weights) for kind, run in runs.items()}
    norms = {kind: sum(float((w**2).sum()) for w in run.weights) for kind, run in runs.items()}
    assert zeros["none"] == zeros["l2"] == 0
    assert zeros["l1"] > 20
    assert norms["l2"] < 0.5 * norms["none"]
    assert all(run.accuracy > 0.7 for run in runs.values())


def test_a_training_that_diverges_says_so():
    settings = Settings(
        problem="regression", dataset="plane", features=("x1^2", "x2^2"), learning_rate=3.0, hidden=(4, 4)
    )
    with pytest.warns(DivergenceWarning, match="lower the learning rate"):
        run = playground.train(settings, epochs=30, seed=1)
    assert run.diverged
    assert len(run.test_loss) == 31
    assert np.isinf(run.test_loss[-1])
    assert "diverged" in repr(run)
    with pytest.raises(ValueError, match="runs must not have diverged"):
        run.draw()


def test_the_learning_may_be_changed_during_a_training_but_not_the_network():
    trainer = Trainer(Settings(), seed=1)
    trainer.advance(3)
    before = layers_of(trainer)
    trainer.adjust(replace(trainer.settings, learning_rate=0.1, regularization="l2", regularization_rate=0.01))
    assert all((a == b).all() for a, b in zip(before, layers_of(trainer), strict=True))
    trainer.advance()
    assert trainer.epoch == 4
    with pytest.raises(ValueError, match="settings may differ in learning_rate"):
        trainer.adjust(replace(trainer.settings, hidden=(5,)))


@pytest.mark.parametrize(
    ("problem", "dataset"), [(problem, name) for problem, names in DATASETS.items() for name in names]
)
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_every_set_can_be_made_and_split(problem, dataset, noise):
    sample = playground.points(Settings(problem=problem, dataset=dataset, noise=noise, points=300, test_share=0.3))
    assert sample.x_train.shape == (210, 2)
    assert sample.x_test.shape == (90, 2)
    y = np.concatenate([sample.y_train, sample.y_test])
    assert set(y) == {-1.0, 1.0} if problem == "classification" else (np.abs(y) <= 1).all()
    if problem == "classification":
        assert 0.2 < np.mean(y > 0) < 0.8


def test_the_sets_follow_their_rules():
    checkerboard = playground.points(Settings(points=4000))
    assert (np.sign(checkerboard.x_train.prod(1)) == checkerboard.y_train).all()
    circle = playground.points(Settings(dataset="circle", points=4000))
    radius = np.hypot(*circle.x_train.T)
    assert ((radius < 2.5) == (circle.y_train > 0)).all()
    assert not ((radius > 2.5) & (radius < 3.5)).any()
    gauss = playground.points(Settings(dataset="gauss", points=5000, noise=0.1))
    inside = gauss.x_train - 2 * gauss.y_train[:, None]
    assert inside.var() == pytest.approx(1.2, abs=6 * 1.2 * np.sqrt(2 / inside.size))
    plane = playground.points(Settings(problem="regression", dataset="plane", points=1000))
    np.testing.assert_allclose(plane.y_train, np.clip(plane.x_train.sum(1) / 10, -1, 1))
    hills = playground.points(Settings(problem="regression", dataset="gauss", points=5000))
    top = np.hypot(hills.x_train[:, 0], hills.x_train[:, 1] + 2.5).argmin()  # a hill at (0, -2.5)
    assert hills.y_train[top] > 0.9


def test_noise_makes_as_many_wrong_labels_as_the_optimal_classifier_says():
    """The checkerboard at 50 % noise: the sign of x1 x2 is right as often as the closed form says."""
    sample = playground.points(Settings(points=5000, noise=0.5, test_share=0.1))
    right = np.mean(np.sign(sample.x_train.prod(1)) == sample.y_train)
    limit = toys.optimal_accuracy(kind="checkerboard", noise=0.5)
    assert right == pytest.approx(limit, abs=4 * np.sqrt(limit * (1 - limit) / len(sample.y_train)))


def test_settings_survive_json():
    settings = Settings(hidden=(3, 2), features=["x1", "x1*x2"], regularization="l1", regularization_rate=0.01)
    assert Settings(**json.loads(json.dumps(asdict(settings)))) == settings
    assert settings.parameters == sum(w.size for w in layers_of(Trainer(settings, seed=1))) == 2 * 3 + 3 + 6 + 2 + 2 + 1


def test_pictures_stand_upright():
    """The first row is the top: x2 = 6, and x1 grows to the right."""
    run = playground.train(Settings(features=("x2",), hidden=()), epochs=0)
    up = run.predict([[0.0, 5.0]])[0] - run.predict([[0.0, -5.0]])[0]
    picture = run.picture(20)
    assert picture.shape == (20, 20)
    assert np.sign(picture[0] - picture[-1]).tolist() == [np.sign(up)] * 20
    assert np.ptp(picture[3]) == 0


def test_runs_are_drawn_side_by_side():
    runs = playground.restarts(Settings(hidden=(2,)), epochs=3, seeds=5)
    figure = playground.decision_pictures(runs, columns=3, title="Five")
    assert sum(axis.get_title() != "" for axis in figure.axes) == 5
    with pytest.raises(ValueError, match="titles must be 5 texts"):
        playground.decision_pictures(runs, titles=["one"])
    regression = playground.train(Settings(problem="regression", dataset="plane"), epochs=1)
    regression.draw("A plane")
    with pytest.raises(ValueError, match="accuracy is for a classification"):
        _ = regression.accuracy


def test_importing_the_playground_imports_neither_keras_nor_widgets_nor_matplotlib():
    code = "import sys, dlphys.playground; print(sorted({n.partition('.')[0] for n in sys.modules}))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True, env={**os.environ})
    assert not {"keras", "tensorflow", "anywidget", "ipywidgets", "matplotlib"} & set(eval(loaded))
