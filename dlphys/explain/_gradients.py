"""Explanations by the derivative of an output with respect to the inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys import autodiff
from dlphys._random import Seed, generator
from dlphys._validation import check_choice, check_count, check_number
from dlphys.explain._arguments import (
    add_events,
    batches,
    even_draws,
    like_events,
    like_inputs,
    paired_batches,
    prepare,
    reference_value,
    repeated,
)
from dlphys.explain._graph import Graph, as_array


def scores(model: Any, inputs: Any, *, output: Any = None, batch_size: int = 256) -> np.ndarray:
    """What the other functions explain: one output of each input, before a final softmax or sigmoid.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential, with one input and with outputs of shape (n, k).
    inputs : array, (n, ...)
    output : int, or n of them, optional
        Number of the output; each input's largest one if not given.
    batch_size : int, default 256

    Returns
    -------
    array, (n,), float32

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    >>> model.set_weights([np.array([[1.0, 0.0], [2.0, -1.0]]), np.array([0.5, 0.0])])
    >>> scores(model, [[1.0, 3.0], [0.0, -2.0]])
    array([7.5, 2. ], dtype=float32)
    """
    graph, x, index = prepare(model, inputs, output, batch_size)
    parts = [as_array(graph.scores(x[batch], index[batch])) for batch in batches(len(x), batch_size, "scores")]
    return np.concatenate(parts)


def saliency(model: Any, inputs: Any, *, output: Any = None, batch_size: int = 256) -> np.ndarray:
    """Signed derivative of an output with respect to every entry of its input.

    Positive where a larger entry would raise the output. Equation (12.5) of the book: g = dS(x) / dx.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential, with one input and with outputs S of shape (n, k); a softmax or sigmoid at its end is
        left out.
    inputs : array, (n, ...)
        Tables (n, f), sequences (n, t, c), images (n, h, w, c), whatever the model takes.
    output : int, or n of them, optional
        Which output is explained; each input's largest one if not given.
    batch_size : int, default 256
        Bounds the memory; the result does not depend on it.

    Returns
    -------
    array, shape of the inputs, float32
        In units of the output over those of the input.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    K. Simonyan, A. Vedaldi, A. Zisserman, arXiv:1312.6034. The derivative says how the output would change, not what
    it is made of.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.5])])
    >>> saliency(model, [[1.0, 2.0]])
    array([[ 3., -1.]], dtype=float32)
    """
    graph, x, index = prepare(model, inputs, output, batch_size)
    slopes = _slopes_of(graph, len(x), batch_size)
    parts = [slopes(x[batch], index[batch]) for batch in batches(len(x), batch_size, "saliency")]
    return np.concatenate(parts).astype(np.float32)


def gradient_times_input(model: Any, inputs: Any, *, output: Any = None, batch_size: int = 256) -> np.ndarray:
    """Derivative of an output times the input: what each entry contributes if the model is linear.

    R_i = x_i dS(x) / dx_i.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`.

    Returns
    -------
    array, shape of the inputs, float32
        In units of the output.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    For networks of ReLU layers without biases S is homogeneous, and the sum over the entries is S (Euler's theorem).
    A. Shrikumar et al., arXiv:1605.01713.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.5])])
    >>> gradient_times_input(model, [[1.0, 2.0]])
    array([[ 3., -2.]], dtype=float32)
    """
    slopes = saliency(model, inputs, output=output, batch_size=batch_size)
    return slopes * np.asarray(inputs, dtype=np.float32)


def smooth_grad(
    model: Any,
    inputs: Any,
    *,
    noise: float = 0.15,
    samples: int = 50,
    seed: Seed,
    output: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Mean `saliency` of noisy copies of each input, which is smoother than that of the input itself.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`. The output is chosen without noise.
    noise : float, default 0.15
        Standard deviation of the Gaussian noise, in units of the range (largest minus smallest entry) of each input.
    samples : int, default 50
        Noisy copies of each input.
    seed : int or numpy.random.Generator

    Returns
    -------
    array, shape of the inputs, float32

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    D. Smilkov et al., arXiv:1706.03825: noise of 10 to 20 per cent.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.5])])
    >>> smooth_grad(model, [[1.0, 2.0]], seed=1)
    array([[ 3., -1.]], dtype=float32)
    """
    noise = check_number(noise=noise, minimum=0.0)
    check_count(samples=samples)
    random = generator(seed)
    graph, x, index = prepare(model, inputs, output, batch_size)
    width = noise * np.ptp(x.reshape(len(x), -1), axis=1)

    def noisy(event: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, Any]:
        shifts = random.standard_normal((len(event), *x.shape[1:]), dtype=x.dtype)
        return x[event] + like_events(width[event], x) * shifts, 1.0

    return _mean_slopes(graph, noisy, index, x.shape, samples=samples, batch_size=batch_size, title="smooth_grad")


def integrated_gradients(
    model: Any,
    inputs: Any,
    *,
    baseline: Any = 0.0,
    steps: int = 32,
    corrected: bool = True,
    output: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Share of each entry in the change of an output on the straight way from a baseline to the input.

    R_i = (x_i - b_i) times the integral over t from 0 to 1 of dS / dx_i at b + t (x - b).

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`.
    baseline : float or array, default 0
        Where the way begins, b: a number, one event, or an event for each input.
    steps : int, default 32
        Points of the Gauss-Legendre quadrature.
    corrected : bool, default True
        Whether the remainder of the quadrature, S(x) - S(b) minus the sum over the entries, is shared out in proportion
        to (x_i - b_i)^2. False leaves it, as a measure of whether ``steps`` are enough.

    Returns
    -------
    array, shape of the inputs, float32
        The sum over the entries is S(x) - S(b).

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    M. Sundararajan, A. Taly, Q. Yan, arXiv:1703.01365. The derivative of a ReLU network jumps, so that the quadrature
    converges slowly: 32 points leave about a thousandth of S. The correction makes the mean derivative on the way a
    discrete gradient in the sense of O. Gonzalez, J. Nonlinear Sci. 6 (1996) 449, the one nearest to the quadrature
    that is complete.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="relu")])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.0])])
    >>> integrated_gradients(model, [[1.0, 1.0]], baseline=[0.0, 2.0])
    array([[1.5, 0.5]], dtype=float32)
    >>> scores(model, [[1.0, 1.0], [0.0, 2.0]])
    array([2., 0.], dtype=float32)
    """
    check_count(steps=steps)
    check_choice(corrected=corrected, choices=(False, True))
    graph, x, index = prepare(model, inputs, output, batch_size)
    start = reference_value(graph, x, baseline=baseline)
    nodes, weights = np.polynomial.legendre.leggauss(steps)

    def on_the_way(event: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        share = like_events(0.5 * (1.0 + nodes[step]), x)
        return (1.0 - share) * start[event] + share * x[event], like_events(0.5 * steps * weights[step], x)

    title = "integrated_gradients"
    slopes = _mean_slopes(graph, on_the_way, index, x.shape, samples=steps, batch_size=batch_size, title=title)
    change = x.astype(np.float64) - start
    parts = slopes * change
    if corrected:
        ends = [scores(model, at, output=index, batch_size=batch_size).astype(np.float64) for at in (start, x)]
        axes = tuple(range(1, x.ndim))
        length = (change**2).sum(axes)
        remainder = ends[1] - ends[0] - parts.sum(axes)
        share = remainder / np.where(length > 0, length, 1.0)
        parts += like_events(share, change) * change**2
    return parts.astype(np.float32)


def expected_gradients(
    model: Any,
    inputs: Any,
    background: Any,
    *,
    samples: int = 50,
    seed: Seed,
    output: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """`integrated_gradients` averaged over baselines that are drawn from data.

    R_i = < (x_i - b_i) dS / dx_i at b + t (x - b) > over baselines b of the background and t between 0 and 1.

    Parameters
    ----------
    model, inputs, output, batch_size
        As in `saliency`.
    background : array, (m, ...)
        Typical inputs.
    samples : int, default 50
        Points for each input. Each has a baseline, all used equally often if ``samples`` is a multiple of m, and a t
        of its own.
    seed : int or numpy.random.Generator

    Returns
    -------
    array, shape of the inputs, float32
        The sum over the entries is S(x) minus the mean of S over the background, with a statistical error that falls
        with ``samples``.

    Raises
    ------
    TypeError, ValueError
        If the model has another form, or an argument does not fit it.

    Notes
    -----
    G. Erion et al., arXiv:1906.10670; also called GradientSHAP. The t are stratified, one in each of ``samples`` equal
    parts of (0, 1), which lowers the error.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[3.0], [-1.0]]), np.array([0.5])])
    >>> expected_gradients(model, [[1.0, 2.0]], [[0.0, 0.0], [0.0, 2.0]], seed=1)
    array([[ 3., -1.]], dtype=float32)
    """
    check_count(samples=samples)
    random = generator(seed)
    graph, x, index = prepare(model, inputs, output, batch_size)
    baselines = like_inputs(graph, background=background)
    which = even_draws(random, len(x), samples, len(baselines))
    share = random.permuted((np.arange(samples) + random.random((len(x), samples))) / samples, axis=1)

    def between(event: np.ndarray, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        baseline = baselines[which[event, sample]]
        difference = x[event] - baseline
        return baseline + like_events(share[event, sample], x) * difference, difference

    return _mean_slopes(
        graph, between, index, x.shape, samples=samples, batch_size=batch_size, title="expected_gradients"
    )


def _slopes_of(graph: Graph, points: int, batch_size: int) -> Callable[..., np.ndarray]:
    """A function (x, index) for the derivative of each event's chosen output, for that many points in all."""

    def slopes(x: Any, index: Any) -> Any:
        return autodiff.gradient(lambda z: graph.scores(z, index), x)

    return repeated(slopes, -(-points // batch_size), batch_size)


def _mean_slopes(
    graph: Graph,
    points: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Any]],
    index: np.ndarray,
    shape: tuple[int, ...],
    *,
    samples: int,
    batch_size: int,
    title: str,
) -> np.ndarray:
    """Mean over samples of the derivative at a point times a weight; ``points(event, sample)`` makes both."""
    total = np.zeros(shape)
    slopes = _slopes_of(graph, len(index) * samples, batch_size)
    for event, sample in paired_batches(len(index), samples, batch_size, title):
        point, weight = points(event, sample)
        add_events(total, event, slopes(point, index[event]) * weight)
    return (total / samples).astype(np.float32)
