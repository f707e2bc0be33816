"""Small networks of every form that the explanations promise to take, with random weights in all places."""

import keras
import numpy as np
from keras import layers, ops

from dlphys.layers import PeriodicPadding2D


def filled(model, *, seed=1, biases=True):
    """The model with every weight drawn: no bias, and no mean of a batch normalisation, stays at zero unless wanted."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        shape = tuple(weight.shape)
        scale = 1.5 / np.sqrt(max(1, np.prod(shape[:-1])))
        values = random.normal(0.0, scale if len(shape) > 1 else 0.3, shape)
        if "variance" in weight.path or "gamma" in weight.path:
            values = random.uniform(0.5, 2.0, shape)
        elif not biases and len(shape) == 1:
            values = np.zeros(shape)
        weight.assign(values)
    return model


def entry(shape, dtype):
    """Inputs of a network of any precision; of a mixed one they are single."""
    return keras.Input(shape, dtype="float64" if dtype == "float64" else "float32")


def image_network(dtype="float32", activation="relu", *, ending="softmax", pooling=layers.MaxPooling2D, **options):
    """(8, 8, 2) to 4 classes: convolutions, batch normalisation, pooling of two kinds, dense layers."""
    kinds = {"dtype": dtype}
    return filled(
        keras.Sequential(
            [
                entry((8, 8, 2), dtype),
                layers.Conv2D(5, 3, padding="same", **kinds),
                layers.BatchNormalization(**kinds),
                layers.Activation(activation, **kinds),
                pooling(2, **kinds),
                layers.Conv2D(6, 2, activation=activation, name="last", **kinds),
                layers.AveragePooling2D(3, strides=1, padding="same", **kinds),
                layers.Dropout(0.5, **kinds),
                layers.Flatten(**kinds),
                layers.Dense(7, activation=activation, name="wide", **kinds),
                layers.Dense(4, activation=ending, **kinds),
            ]
        ),
        **options,
    )


def pooled_network(dtype="float32", activation="relu", **options):
    """Images of any size: convolutions on a torus, then global average pooling and a dense layer."""
    kinds = {"dtype": dtype}
    return filled(
        keras.Sequential(
            [
                entry((None, None, 1), dtype),
                PeriodicPadding2D(1, **kinds),
                layers.Conv2D(5, 3, activation=activation, **kinds),
                layers.MaxPooling2D(2, **kinds),
                layers.Conv2D(6, 3, activation=activation, padding="same", name="last", **kinds),
                layers.GlobalAveragePooling2D(**kinds),
                layers.Dense(2, activation="softmax", **kinds),
            ]
        ),
        **options,
    )


def sequence_network(dtype="float32", activation="relu", **options):
    """(12, 3) to one number with a sigmoid."""
    kinds = {"dtype": dtype}
    return filled(
        keras.Sequential(
            [
                entry((12, 3), dtype),
                layers.ZeroPadding1D(1, **kinds),
                layers.Conv1D(5, 3, activation=activation, name="first", **kinds),
                layers.MaxPooling1D(2, **kinds),
                layers.Conv1D(4, 3, dilation_rate=2, padding="causal", activation=activation, name="last", **kinds),
                layers.GlobalMaxPooling1D(**kinds),
                layers.Dense(1, activation="sigmoid", **kinds),
            ]
        ),
        **options,
    )


def table_network(dtype="float32", activation="relu", **options):
    """(6,) to three numbers without a function at the end."""
    kinds = {"dtype": dtype}
    return filled(
        keras.Sequential(
            [
                entry((6,), dtype),
                layers.Dense(16, activation=activation, **kinds),
                layers.Dense(12, activation=activation, **kinds),
                layers.Dense(3, **kinds),
            ]
        ),
        **options,
    )


def branched_network(dtype="float32", activation="relu", **options):
    """(6, 6, 2) to 3 classes with shortcuts, a join, a model inside, and the function on its own at the end."""
    kinds = {"dtype": dtype}
    inner = keras.Sequential([entry((6, 6, 4), dtype), layers.Conv2D(4, 3, padding="same", name="inner", **kinds)])
    x = entry((6, 6, 2), dtype)
    y = layers.Rescaling(2.0, **kinds)(x)
    y = first = layers.Conv2D(4, 3, padding="same", activation=activation, **kinds)(y)
    y = layers.Add(**kinds)([inner(y), first])
    y = layers.Activation(activation, **kinds)(y)
    y = layers.Concatenate(**kinds)([y, first])
    y = layers.MaxPooling2D(3, strides=2, **kinds)(y)
    y = layers.Flatten(**kinds)(y)
    y = layers.Dense(5, **kinds)(y) + layers.Dense(5, **kinds)(y)
    y = ops.relu(y) if activation == "relu" else layers.Activation(activation, **kinds)(y)
    y = layers.Dense(3, **kinds)(y)
    return filled(keras.Model(x, layers.Softmax(**kinds)(y)), **options)


NETWORKS = {
    "image": image_network,
    "torus": pooled_network,
    "sequence": sequence_network,
    "table": table_network,
    "branches": branched_network,
}


def inputs_of(model, n=6, *, seed=2):
    """Gaussian inputs; 8 pixels where any number is allowed."""
    shape = [8 if k is None else k for k in model.inputs[0].shape[1:]]
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float32)


def logits(model, x):
    """What the model puts out before its last function, by inverting the function."""
    y = np.asarray(model(np.asarray(x)), dtype=np.float64)
    if y.shape[1] == 1 and (y > 0).all() and (y < 1).all():
        return np.log(y / (1 - y))
    return np.log(y) if np.allclose(y.sum(1), 1, atol=1e-5) else y
