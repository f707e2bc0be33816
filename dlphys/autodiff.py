"""Gradients of Keras code, and compiled steps: the one file of the package that knows the backend.

Written for TensorFlow, the course's default backend. With another one every function raises ``RuntimeError``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlphys._keras import keras
from dlphys._validation import shown

__all__ = ["compiled", "gradient", "value_and_gradients"]


def gradient(f: Callable[[Any], Any], x: Any) -> Any:
    """Derivative of ``f`` at ``x``; a result with several entries is summed first.

    Parameters
    ----------
    f : function of one tensor
        Made of Keras layers, models and ``keras.ops``. If entry i of the result depends only on event i of ``x``,
        summing loses nothing: the derivative of every event comes back in one call.
    x : tensor, array or Keras variable of floating-point numbers

    Returns
    -------
    tensor, shape of ``x``

    Raises
    ------
    TypeError
        If ``f`` is not a function, ``x`` is not floating point, or ``f`` returns something else than a tensor.
    ValueError
        If the result does not depend on ``x``, as after ``model.predict`` or NumPy, which leave no trace.
    RuntimeError
        If the active Keras backend is not TensorFlow.

    Notes
    -----
    Nests: the gradient of a function that itself calls `gradient` is the second derivative. The second derivative of
    a linear function is zero, not an error.

    Examples
    --------
    >>> import numpy as np
    >>> np.asarray(gradient(lambda x: x**3, np.array([1.0, 2.0])))
    array([ 3., 12.])
    >>> np.asarray(gradient(lambda x: gradient(lambda y: y**3, x), np.array([1.0, 2.0])))
    array([ 6., 12.])
    """
    tf = _tensorflow()
    _check_function(f=f)
    try:
        x = tf.convert_to_tensor(keras.ops.convert_to_tensor(x))  # Keras leaves its own variables as they are
    except (TypeError, ValueError):
        raise TypeError(f"x must be a tensor or array of floating-point numbers, got {shown(x)}") from None
    if not x.dtype.is_floating:
        raise TypeError(f"x must be floating point to have a derivative, got {x.dtype.name}")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    _check_tensor(tf, y, "f")
    derivative = tape.gradient(y, x)
    if derivative is None:
        raise ValueError(f"f must depend on x through keras.ops; {_LOST}")
    return _attached(tf, tf.convert_to_tensor(derivative), x)


def value_and_gradients(loss: Callable[[], Any], variables: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Value of ``loss()`` and its derivatives by ``variables``.

    Parameters
    ----------
    loss : function without arguments
        Returns a scalar tensor made with Keras layers, models and ``keras.ops``.
    variables : sequence of Keras variables
        For example ``model.trainable_variables``.

    Returns
    -------
    value : tensor, ()
    gradients : list of tensors
        In the order and with the shapes of ``variables``. A variable on which the loss does not depend has the
        derivative zero, as has the last bias of a network of which only the derivative enters the loss.

    Raises
    ------
    TypeError
        If ``loss`` is not a function, returns something else than a tensor, or ``variables`` holds something else
        than variables of floating-point numbers.
    ValueError
        If ``variables`` is empty, the loss is not a scalar, or it depends on none of the variables.
    RuntimeError
        If the active Keras backend is not TensorFlow.

    Notes
    -----
    Nests, in itself and with `gradient`.

    Examples
    --------
    >>> w = keras.Variable(3.0)
    >>> value, (slope,) = value_and_gradients(lambda: w**2, [w])
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    tf = _tensorflow()
    _check_function(loss=loss)
    if not isinstance(variables, list | tuple):
        raise TypeError(f"variables must be a list or tuple of Keras variables, got {type(variables).__name__}")
    if not variables:
        raise ValueError("variables must hold at least one variable, got none: has the model been built")
    for variable in variables:
        if not isinstance(variable, keras.Variable):
            raise TypeError(f"variables must hold only Keras variables, got {type(variable).__name__}")
        if "float" not in variable.dtype:
            raise TypeError(f"variables must be floating point, got {variable.path} of type {variable.dtype}")
    values = [variable.value for variable in variables]
    with tf.GradientTape() as tape:
        tape.watch(values)
        value = loss()
    _check_tensor(tf, value, "loss")
    if value.shape.rank != 0:
        raise ValueError(f"loss must return a scalar, got shape {tuple(value.shape)}: take the mean over the batch")
    derivatives = tape.gradient(value, values)
    if all(derivative is None for derivative in derivatives):
        raise ValueError(f"loss must depend on at least one of the variables; {_LOST}")
    return value, [
        _attached(tf, tf.zeros_like(v) if d is None else tf.convert_to_tensor(d), tf.convert_to_tensor(v))
        for d, v in zip(derivatives, values, strict=True)
    ]


def compiled(step: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors, such as one training step, so that Python runs only at its first call.

    Usable as a decorator. Arguments that change from call to call should be arrays or tensors: every new Python
    number or shape may compile anew.

    Parameters
    ----------
    step : function
        Made of Keras layers, models, optimizers, ``keras.ops`` and the functions of this module. NumPy, ``print`` and
        counters in it act once, while it is compiled.

    Returns
    -------
    function with the arguments of ``step``

    Raises
    ------
    TypeError
        If ``step`` is not a function.
    RuntimeError
        If the active Keras backend is not TensorFlow.

    Examples
    --------
    >>> import numpy as np
    >>> slope = compiled(lambda x: gradient(lambda y: y**2, x))
    >>> np.asarray(slope(np.array([1.0, 2.0])))
    array([2., 4.])
    """
    tf = _tensorflow()
    _check_function(step=step)
    return tf.function(step, reduce_retracing=True)


_LOST = "model.predict and NumPy lose the way from the result to the argument, model(x) and keras.ops keep it"


def _tensorflow() -> Any:
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise RuntimeError(f"the Keras backend must be tensorflow for dlphys.autodiff, got {backend}")
    import tensorflow  # here, so that importing this module does not load it under another backend

    return tensorflow


def _check_function(**argument: Any) -> None:
    ((name, value),) = argument.items()
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {shown(value)} ({type(value).__name__})")


def _check_tensor(tf: Any, value: Any, name: str) -> None:
    if not tf.is_tensor(value):
        raise TypeError(f"{name} must return one tensor, got {shown(value)} ({type(value).__name__})")


def _attached(tf: Any, derivative: Any, x: Any) -> Any:
    """``derivative`` as a function of ``x`` whose own derivative is at least zero, and never missing.

    The derivative of a linear function is a constant, in which no tape finds ``x`` any more. Without this, a second
    derivative that is truly zero could not be told from one that was lost.
    """

    @tf.custom_gradient
    def attach(derivative: Any, x: Any) -> Any:
        return tf.identity(derivative), lambda upstream: (upstream, tf.zeros_like(x))

    return attach(derivative, x)
