"""Why did the network say that? Explanations of single predictions, and of what a layer has learned.

Every function takes a Keras model (functional or Sequential, one input, outputs of shape (n, k)) and most take inputs
(n, ...): tables, sequences, images. They return NumPy arrays, work in batches, and leave the model as it is. If a model
ends in softmax or sigmoid, the number before it is explained. Gradients need the TensorFlow backend; all else does not.
"""

import dlphys._keras  # noqa: F401 - imports Keras quietly, before the modules do
from dlphys.explain._attacks import fast_gradient_sign, projected_gradient
from dlphys.explain._backward import deconvnet, guided_backpropagation
from dlphys.explain._gradients import (
    expected_gradients,
    gradient_times_input,
    integrated_gradients,
    saliency,
    scores,
    smooth_grad,
)
from dlphys.explain._maps import class_activation_map, grad_cam
from dlphys.explain._maximise import activations, maximise_activation
from dlphys.explain._perturbation import occlusion, shapley_sampling
from dlphys.explain._relevance import lrp
from dlphys.explain._sanity import randomised

__all__ = [
    "activations",
    "class_activation_map",
    "deconvnet",
    "expected_gradients",
    "fast_gradient_sign",
    "grad_cam",
    "gradient_times_input",
    "guided_backpropagation",
    "integrated_gradients",
    "lrp",
    "maximise_activation",
    "occlusion",
    "projected_gradient",
    "randomised",
    "saliency",
    "scores",
    "shapley_sampling",
    "smooth_grad",
]
