"""Periodic padding: against NumPy's wrap padding, and as a symmetry."""

import keras
import numpy as np
import pytest

from dlphys.layers import PeriodicPadding2D

SPINS = np.random.default_rng(8).choice([-1.0, 1.0], size=(2, 6, 5, 3)).astype("float32")


@pytest.mark.parametrize(
    ("padding", "sides"),
    [
        (0, ((0, 0), (0, 0))),
        (1, ((1, 1), (1, 1))),
        ((2, 1), ((2, 2), (1, 1))),
        (((0, 1), (3, 2)), ((0, 1), (3, 2))),
        (5, ((5, 5), (5, 5))),
    ],
)
def test_it_pads_as_numpy_does_in_wrap_mode(padding, sides):
    """numpy.pad with mode="wrap"."""
    expected = np.pad(SPINS, ((0, 0), *sides, (0, 0)), mode="wrap")
    layer = PeriodicPadding2D(padding)
    np.testing.assert_array_equal(np.asarray(layer(SPINS)), expected)
    assert layer.compute_output_shape(SPINS.shape) == expected.shape


@pytest.mark.parametrize("shift", [1, 2, 3])
@pytest.mark.parametrize("axis", [1, 2])
def test_a_convolution_behind_it_commutes_with_cyclic_shifts(shift, axis):
    """Translation equivariance on the torus, exact but for the order of sums."""
    model = keras.Sequential([keras.Input((None, None, 3)), PeriodicPadding2D(1), keras.layers.Conv2D(4, 3)])
    first = np.roll(np.asarray(model(SPINS)), shift, axis=axis)
    second = np.asarray(model(np.roll(SPINS, shift, axis=axis)))
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_zero_padding_does_not_commute_with_cyclic_shifts():
    """The contrast that makes the test above say something."""
    layer = keras.layers.Conv2D(4, 3, padding="same")
    difference = np.roll(np.asarray(layer(SPINS)), 1, axis=1) - np.asarray(layer(np.roll(SPINS, 1, axis=1)))
    assert np.abs(difference).max() > 0.05


def test_an_open_lattice_size_is_kept_open_and_every_size_is_accepted():
    """Shapes (None, None) in, (None, None) out."""
    model = keras.Sequential([keras.Input((None, None, 1)), PeriodicPadding2D(2)])
    assert model.output_shape == (None, None, None, 1)
    assert model(np.ones((1, 4, 7, 1))).shape == (1, 8, 11, 1)
    assert model(np.ones((1, 9, 3, 1))).shape == (1, 13, 7, 1)


def test_a_lattice_smaller_than_the_padding_is_refused():
    """Otherwise fewer rows than promised would be added."""
    with pytest.raises(ValueError, match="padding must be at most the 2 pixels of axis 1"):
        PeriodicPadding2D(3)(np.ones((1, 2, 8, 1), dtype="float32"))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, when it saves
def test_it_trains_inside_a_model_and_survives_saving(tmp_path):
    """Gradients pass, and the same output comes from the file."""
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            PeriodicPadding2D(((0, 1), (2, 0))),
            keras.layers.Conv2D(2, 2),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    model.fit(SPINS, np.ones(2), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.layers[0].padding == ((0, 1), (2, 0))
    np.testing.assert_array_equal(np.asarray(again(SPINS)), np.asarray(model(SPINS)))
