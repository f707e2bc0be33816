"""Arguments that the explanations must refuse."""

import keras
import numpy as np

from dlphys import explain

MODEL = keras.Sequential(
    [
        keras.Input((6, 6, 1)),
        keras.layers.Conv2D(3, 3, activation="relu", name="maps"),
        keras.layers.GlobalAveragePooling2D(name="pooled"),
        keras.layers.Dense(2, activation="softmax", name="end"),
    ]
)
X = np.zeros((2, 6, 6, 1))
LABELS = [0, 1]
TABLE = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
ENTRY = keras.Input((3,))
TWO_OUTPUTS = keras.Model(ENTRY, [keras.layers.Dense(1)(ENTRY), keras.layers.Dense(1)(ENTRY)])
TWO_INPUTS = keras.Model([ENTRY, OTHER := keras.Input((3,))], keras.layers.Add()([ENTRY, OTHER]))
MAP_OUT = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(1, 3)])


class Hidden(keras.Model):
    """A model whose steps nobody can see."""

    def call(self, x):
        return x


SAMPLED = {
    explain.smooth_grad: (MODEL, X),
    explain.expected_gradients: (MODEL, X, X),
}

CASES = [
    # the model and the inputs, the same for all
    (explain.saliency, ("cnn", X), {}, TypeError, r"model must be a Keras model, got 'cnn' \(str\)"),
    (explain.scores, (Hidden(), X), {}, TypeError, r"model must be functional or Sequential, got Hidden"),
    (explain.lrp, (TWO_OUTPUTS, X), {}, ValueError, r"model must have one output, got 2"),
    (explain.saliency, (TWO_INPUTS, X), {}, ValueError, r"model must have one input, got 2"),
    (explain.saliency, (MAP_OUT, X), {}, ValueError, r"must put out numbers of shape \(n, k\), got \(None, 4, 4, 1\)"),
    (explain.saliency, (MODEL, X[0]), {}, ValueError, r"inputs must have shape \(any, 6, 6, 1\), got \(6, 6, 1\)"),
    (explain.saliency, (MODEL, X[:0]), {}, ValueError, r"inputs must not be empty"),
    (explain.saliency, (MODEL, np.nan * X), {}, ValueError, r"inputs must be finite, got 72 entries"),
    (explain.saliency, (MODEL, X), {"output": 2}, ValueError, r"output must be between 0 and 1, got 2"),
    (explain.saliency, (MODEL, X), {"output": [0, 1, 1]}, ValueError, r"output must have shape \(2,\), got \(3,\)"),
    (explain.saliency, (MODEL, X), {"output": [0.5, 1.0]}, TypeError, r"output must hold whole numbers"),
    (
        explain.saliency,
        (MODEL, X),
        {"output": "cat"},
        TypeError,
        r"output must be None, a whole number, or one for each",
    ),
    (explain.saliency, (MODEL, X), {"batch_size": 0}, ValueError, r"batch_size must be at least 1, got 0"),
    (explain.gradient_times_input, (MODEL, "x"), {}, TypeError, r"inputs must be an array of numbers, got 'x'"),
    # gradients
    (explain.integrated_gradients, (MODEL, X), {"steps": 0}, ValueError, r"steps must be at least 1, got 0"),
    (explain.integrated_gradients, (MODEL, X), {"baseline": np.inf}, ValueError, r"baseline must be a finite number"),
    (
        explain.integrated_gradients,
        (MODEL, X),
        {"baseline": np.zeros(6)},
        ValueError,
        r"baseline must be a number, or have shape \(6, 6, 1\) or \(2, 6, 6, 1\), got \(6,\)",
    ),
    (
        explain.integrated_gradients,
        (MODEL, X),
        {"corrected": "no"},
        ValueError,
        r"corrected must be one of False, True",
    ),
    (explain.smooth_grad, (MODEL, X), {"seed": 1, "noise": -0.1}, ValueError, r"noise must be a finite number in"),
    *[
        (method, arguments, keywords, error, message)
        for method, arguments in SAMPLED.items()
        for keywords, error, message in (
            ({"seed": 1, "samples": 0}, ValueError, r"samples must be at least 1, got 0"),
            ({"seed": None}, TypeError, r"seed must be a whole number or a numpy.random.Generator, got None"),
        )
    ],
    (
        explain.expected_gradients,
        (MODEL, X, X[0]),
        {"seed": 1},
        ValueError,
        r"background must have shape \(any, 6, 6, 1\), got \(6, 6, 1\)",
    ),
    # backwards
    (explain.deconvnet, (MODEL, X), {"layer": "map"}, ValueError, r"layer must be one of 'maps', 'pooled', 'end', got"),
    (
        explain.deconvnet,
        (MODEL, X),
        {"layer": 1},
        TypeError,
        r"layer must be the name of a layer or a layer of the model",
    ),
    (explain.deconvnet, (MODEL, X), {"layer": TABLE.layers[0]}, ValueError, r"layer must be one of 'maps'"),
    (explain.deconvnet, (MODEL, X), {"channel": 1}, ValueError, r"channel must be None without a layer, got 1"),
    (explain.deconvnet, (MODEL, X), {"layer": "maps", "output": 1}, ValueError, r"output must be None if a layer"),
    (
        explain.deconvnet,
        (MODEL, X),
        {"layer": "maps", "channel": 3},
        ValueError,
        r"channel must be between 0 and 2, got 3",
    ),
    (explain.deconvnet, (MODEL, X), {"layer": "maps", "unit": 3}, ValueError, r"unit must be None without a channel"),
    (
        explain.deconvnet,
        (MODEL, X),
        {"layer": "maps", "channel": 1, "unit": 3},
        ValueError,
        r"unit must have 2 numbers in a layer of shape \(4, 4, 3\), got 3",
    ),
    (
        explain.guided_backpropagation,
        (MODEL, X),
        {"layer": "maps", "channel": 1, "unit": (1, 4)},
        ValueError,
        r"unit must be between 0 and 3, got 4",
    ),
    (explain.deconvnet, (MODEL, X), {"switches": 2}, ValueError, r"switches must be one of False, True, got 2"),
    # activations
    (explain.activations, (MODEL, X), {"layer": "none"}, ValueError, r"layer must be one of 'maps', 'pooled', 'end'"),
    (explain.maximise_activation, (MODEL,), {}, ValueError, r"layer or output must be given, one of them, got neither"),
    (explain.maximise_activation, (MODEL,), {"layer": "maps", "output": 1}, ValueError, r"one of them, got both"),
    (explain.maximise_activation, (MODEL,), {"output": 0}, TypeError, r"seed must be given for a start from noise"),
    (explain.maximise_activation, (MODEL,), {"output": 2, "seed": 1}, ValueError, r"output must be between 0 and 1"),
    (explain.maximise_activation, (MODEL,), {"output": 0, "channel": 1}, ValueError, r"channel must be None without"),
    (
        explain.maximise_activation,
        (MODEL,),
        {"layer": "maps", "channel": [0, 3], "seed": 1},
        ValueError,
        r"channel must be between 0 and 2, got 3",
    ),
    (
        explain.maximise_activation,
        (MODEL,),
        {"layer": "maps", "channel": [], "seed": 1},
        ValueError,
        r"channel must hold at least one number",
    ),
    (
        explain.maximise_activation,
        (MODEL,),
        {"layer": "maps", "unit": 1},
        ValueError,
        r"unit must be None without a chan",
    ),
    (
        explain.maximise_activation,
        (MODEL,),
        {"output": [0, 1], "start": np.zeros((3, 6, 6, 1))},
        ValueError,
        r"start must hold one input or 2, one for each objective, got 3",
    ),
    (
        explain.maximise_activation,
        (MODEL,),
        {"output": 0, "start": np.zeros((6, 6))},
        ValueError,
        r"start must have shape",
    ),
    (explain.maximise_activation, (MODEL,), {"output": 0, "steps": 0}, ValueError, r"steps must be at least 1"),
    (
        explain.maximise_activation,
        (MODEL,),
        {"output": 0, "seed": 1, "bounds": (1, 0)},
        ValueError,
        r"bounds must have the lowest value first, got \(1, 0\)",
    ),
    # maps
    (
        explain.class_activation_map,
        (TABLE, X[:, 0, :3, 0]),
        {},
        ValueError,
        r"model must end in global average pooling",
    ),
    (explain.class_activation_map, (MODEL, X), {"upsampled": 3}, ValueError, r"upsampled must be one of False, True"),
    (explain.grad_cam, (MODEL, X), {"layer": "end"}, ValueError, r"layer must put out maps"),
    (explain.grad_cam, (MODEL, X), {"rectified": None}, ValueError, r"rectified must be one of False, True"),
    # relevance
    (
        explain.lrp,
        (MODEL, X),
        {"rule": "alpha"},
        ValueError,
        r"rule must be one of 'epsilon', 'gamma', 'zero', 'compos",
    ),
    (explain.lrp, (MODEL, X), {"epsilon": -1.0}, ValueError, r"epsilon must be a finite number in \[0, inf\], got -1"),
    (explain.lrp, (MODEL, X), {"gamma": "a"}, TypeError, r"gamma must be a number, got 'a'"),
    # perturbations
    (explain.occlusion, (MODEL, X), {"size": 7}, ValueError, r"size must be between 1 and 6, got 7"),
    (explain.occlusion, (MODEL, X), {"size": (1, 2, 3)}, ValueError, r"size must be one whole number or 2"),
    (explain.occlusion, (MODEL, X), {"stride": 0}, ValueError, r"stride must be between 1 and 6, got 0"),
    (explain.occlusion, (MODEL, X), {"value": "mean"}, TypeError, r"value must be an array of numbers, got 'mean'"),
    (
        explain.shapley_sampling,
        (MODEL, X, X),
        {"seed": 1, "permutations": 0},
        ValueError,
        r"permutations must be at least 1, got 0",
    ),
    (
        explain.shapley_sampling,
        (MODEL, X, X),
        {"seed": 1, "groups": np.zeros((3, 3), int)},
        ValueError,
        r"groups must have shape \(6, 6, 1\) or \(6, 6\), got \(3, 3\)",
    ),
    (
        explain.shapley_sampling,
        (MODEL, X, X),
        {"seed": 1, "groups": np.full((6, 6), 2)},
        ValueError,
        r"groups must have all numbers from 0 to the largest, got none that is 0",
    ),
    (
        explain.shapley_sampling,
        (MODEL, X, X),
        {"seed": 1, "groups": np.zeros((6, 6))},
        TypeError,
        r"groups must hold whole numbers",
    ),
    # attacks
    (explain.fast_gradient_sign, (MODEL, X, LABELS), {"strength": -1}, ValueError, r"strength must be a finite number"),
    (
        explain.fast_gradient_sign,
        (MODEL, X, [0]),
        {"strength": 1},
        ValueError,
        r"labels must have one entry for each of",
    ),
    (
        explain.fast_gradient_sign,
        (MODEL, X, [0, 2]),
        {"strength": 1},
        ValueError,
        r"labels must lie in \[0, 1\], got 2",
    ),
    (explain.fast_gradient_sign, (MODEL, X, [0, 0.5]), {"strength": 1}, ValueError, r"labels must be class numbers"),
    (
        explain.fast_gradient_sign,
        (MODEL, X, np.zeros((2, 3))),
        {"strength": 1},
        ValueError,
        r"labels must have shape \(2, 2\) for this model, got \(2, 3\)",
    ),
    (
        explain.fast_gradient_sign,
        (MODEL, X, LABELS),
        {"strength": 1, "loss": "anger"},
        ValueError,
        r"loss must be a function \(labels, outputs\) or the name of a loss of Keras, got 'anger'",
    ),
    (
        explain.fast_gradient_sign,
        (MODEL, X, LABELS),
        {"strength": 1, "bounds": 1},
        TypeError,
        r"bounds must be None or a pair \(lowest, highest\), got 1",
    ),
    (
        explain.projected_gradient,
        (MODEL, X, LABELS),
        {"strength": 1},
        TypeError,
        r"seed must be given for a random start",
    ),
    (
        explain.projected_gradient,
        (MODEL, X, LABELS),
        {"strength": 1, "seed": 1, "steps": 0},
        ValueError,
        r"steps must be at least 1, got 0",
    ),
    # the copy
    (explain.randomised, (MODEL,), {"seed": -1}, ValueError, r"seed must be at least 0, got -1"),
    (explain.randomised, (MODEL,), {"seed": 1, "layers_from_top": 3}, ValueError, r"layers_from_top must be between 0"),
]
