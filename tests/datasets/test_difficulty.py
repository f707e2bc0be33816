"""Stand-ins are as hard as the real sets: within 5 points for a linear, a small and a small convolutional model.

10 000 images train (20 000 garments), 5000 test. The numbers of `REAL` come from the test marked real_data, which
prints them: ``DLPHYS_DATA_DIR=... pytest -m real_data -s tests/datasets/test_difficulty.py``.
"""

import importlib
import warnings

import numpy as np
import pytest

from dlphys.datasets import DataUnavailable, load_cifar10, load_mnist

TRAIN, TEST = {"mnist": 10_000, "fashion_mnist": 20_000, "cifar10": 10_000}, 5_000
MAKERS = {"mnist": "_digits", "fashion_mnist": "_garments", "cifar10": "_objects"}
REAL = {  # MNIST as in the mirror, CIFAR-10 from its JPEG edition
    "mnist": {"linear": 0.877, "network": 0.918, "convolutional": 0.962},
    "cifar10": {"linear": 0.390, "network": 0.350, "convolutional": 0.516},
}
# with all 60 000 images: logistic regression and network of the authors' benchmark, arXiv:1708.07747; convolutional
# networks of two layers by users of the set, its README. Here 20 000 train, so a little less is expected.
PUBLISHED = {"fashion_mnist": {"linear": 0.84, "network": 0.875, "convolutional": 0.91}}
POINTS = 0.05
MEASURED: dict[str, dict[str, float]] = {}


def accuracies(x_train, y_train, x_test, y_test):
    """Test accuracy of the three models, each a few seconds of one processor for 10 000 images.

    - linear: multinomial logistic regression, scikit-learn, C = 0.01, at most 60 steps
    - network: one hidden layer of 64, scikit-learn, Adam, 12 epochs, batches of 100
    - convolutional: two layers (16 and 32 filters of 5 x 5 and 3 x 3, stride 2), 64 hidden units, Keras, Adam, 8 epochs
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    flat, flat_test = (x.reshape(len(x), -1).astype(np.float32) for x in (x_train, x_test))
    linear = LogisticRegression(C=0.01, tol=1e-3, max_iter=60)
    network = MLPClassifier((64,), max_iter=12, batch_size=100, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        linear.fit(flat, y_train)
        network.fit(flat, y_train)
    return {
        "linear": float(linear.score(flat_test, y_test)),
        "network": float(network.score(flat_test, y_test)),
        "convolutional": convolutional(x_train, y_train, x_test, y_test),
    }


def convolutional(x_train, y_train, x_test, y_test):
    """Test accuracy of the convolutional network."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    pictures, pictures_test = (x if x.ndim == 4 else x[..., None] for x in (x_train, x_test))
    model = keras.Sequential(
        [
            keras.Input(pictures.shape[1:]),
            layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"], steps_per_execution=25)
    model.fit(pictures, y_train.astype("int32"), batch_size=100, epochs=8, verbose=0)
    return float((model.predict(pictures_test, batch_size=500, verbose=0).argmax(1) == y_test).mean())


def of_stand_in(name):
    """Measured once in a process."""
    if name not in MEASURED:
        module = importlib.import_module(f"dlphys.datasets.{MAKERS[name]}")
        made = module.make_stand_in(TRAIN[name], TEST)
        x_train, x_test = (made[key] / np.float32(255) for key in ("x_train", "x_test"))
        MEASURED[name] = accuracies(x_train, made["y_train"], x_test, made["y_test"])
    return MEASURED[name]


@pytest.mark.parametrize("name", MAKERS)
def test_the_stand_in_is_as_hard_as_the_real_set(name):
    """Authority: the same models on the real set, or published numbers. Their own scatter is about 1 point."""
    stand_in = of_stand_in(name)
    for model, real in {**REAL, **PUBLISHED}[name].items():
        assert abs(stand_in[model] - real) < POINTS, (model, stand_in)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "load"), [("mnist", load_mnist), ("cifar10", load_cifar10)])
def test_the_real_set_has_the_numbers_of_the_table(real_mirror, name, load):
    try:
        data = load(stand_in=False)
    except DataUnavailable as error:
        pytest.skip(f"the mirror has no {name}: {error}")
    real = accuracies(data.x_train[: TRAIN[name]], data.y_train[: TRAIN[name]], data.x_test[:TEST], data.y_test[:TEST])
    print(name, {model: round(value, 3) for model, value in real.items()})
    for model, value in real.items():
        assert abs(value - REAL[name][model]) < 0.02, (model, real)
        assert abs(value - of_stand_in(name)[model]) < POINTS, (model, real, of_stand_in(name))
