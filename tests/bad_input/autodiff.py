"""Wrong arguments to every public function of dlphys.autodiff."""

import keras
import numpy as np

from dlphys.autodiff import compiled, gradient, value_and_gradients

WEIGHT = keras.Variable(2.0)
OTHER = keras.Variable(3.0)
COUNTER = keras.Variable(3, dtype="int32")

CASES = [
    (gradient, (3.0, np.array([1.0])), {}, TypeError, r"f must be a function, got 3.0"),
    (gradient, (lambda x: x, np.array([1, 2])), {}, TypeError, r"x must be floating point .* got int64"),
    (gradient, (lambda x: x, object()), {}, TypeError, r"x must be a tensor or array of floating-point numbers"),
    (gradient, (lambda x: np.sum(x.numpy()), np.array([1.0])), {}, TypeError, r"f must return one tensor"),
    (gradient, (lambda x: keras.ops.sum(x.numpy()), np.array([1.0])), {}, ValueError, r"f must depend on x .*predict"),
    (value_and_gradients, (WEIGHT**2, [WEIGHT]), {}, TypeError, r"loss must be a function"),
    (value_and_gradients, (lambda: WEIGHT**2, WEIGHT), {}, TypeError, r"variables must be a list or tuple"),
    (value_and_gradients, (lambda: WEIGHT**2, []), {}, ValueError, r"variables must hold at least one variable"),
    (
        value_and_gradients,
        (lambda: WEIGHT**2, [2.0]),
        {},
        TypeError,
        r"variables must hold only Keras variables, got float",
    ),
    (
        value_and_gradients,
        (lambda: WEIGHT**2, [COUNTER]),
        {},
        TypeError,
        r"variables must be floating point, got .* int32",
    ),
    (value_and_gradients, (lambda: 4.0, [WEIGHT]), {}, TypeError, r"loss must return one tensor, got 4.0"),
    (
        value_and_gradients,
        (lambda: WEIGHT * np.ones(3), [WEIGHT]),
        {},
        ValueError,
        r"loss must return a scalar.*\(3,\)",
    ),
    (value_and_gradients, (lambda: WEIGHT**2, [OTHER]), {}, ValueError, r"loss must depend on at least one of"),
    (compiled, ("step",), {}, TypeError, r"step must be a function, got 'step'"),
]
