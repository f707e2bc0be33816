"""Checks of chapter 9: recurrent cells in NumPy, forecasting in a closed loop, radio pulses in noise."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys import metrics
from dlphys.checks import expect
from dlphys.checks.engine import Failure, bar, quiz, reference, task
from dlphys.simulators import radio

RADIO_EPOCHS, N_TRAIN, N_VALIDATION, N_TEST = 4, 6_000, 300, 3_000  # enough for the bar, a third of the notebook's
MOST_STEPS, MOST_PARAMETERS = 125, 20_000
MILLIVOLTS = np.float32(0.1)

# --- M9.1a ------------------------------------------------------------------------------------------------


def _cell(random: np.random.Generator, d: int, p: int, blocks: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kernel, recurrent kernel and bias of a cell, none of them symmetric or small."""
    scale = 1 / np.sqrt(p)
    return (
        random.normal(size=(d, blocks * p)),
        scale * random.normal(size=(p, blocks * p)),
        random.normal(size=blocks * p),
    )


def _run(
    x: np.ndarray,
    kernel: np.ndarray,
    recurrent: np.ndarray,
    bias: np.ndarray,
    activation: Callable[[np.ndarray], np.ndarray] = np.tanh,
    *,
    memory: float = 1.0,
) -> np.ndarray:
    """The recurrent cell (9.3), time first while it runs; with memory=0 each step starts from zero."""
    state, history = np.zeros((x.shape[0], recurrent.shape[0])), []
    for entry in np.moveaxis(x, 1, 0):
        state = activation(
            np.einsum("nd,dp->np", entry, kernel) + memory * np.einsum("nq,qp->np", state, recurrent) + bias
        )
        history.append(state)
    return np.moveaxis(np.array(history), 0, 1)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * z))


@task("M9.1a", section="9.2")
def rnn_states(student: Any, random: np.random.Generator) -> str:
    n, length, d, p = 3, 7, 2, 4
    x, (kernel, recurrent, bias) = random.normal(size=(n, length, d)), _cell(random, d, p)
    answer = student(x, kernel, recurrent, bias)
    right = _run(x, kernel, recurrent, bias)
    if getattr(answer, "shape", None) == (length, n, p):
        raise Failure("shape", "events first, then the steps: (n, T, p)", f"shape {answer.shape}, steps first")
    if getattr(answer, "shape", None) == (n, p):
        raise Failure("shape", "the states of all steps, not only the last one", f"shape {answer.shape}")
    expect.shape(answer, (n, length, p), name="the states")
    expect.finite(answer, name="the states")
    expect.differs(
        answer,
        _run(x, kernel, recurrent.T, bias),
        because="the recurrent kernel as Keras keeps it, multiplied from the right: h @ recurrent",
    )
    expect.differs(
        answer, _run(x, kernel, recurrent, 0 * bias), because="the bias added at every step, before the tanh"
    )
    expect.differs(
        answer,
        _run(x, kernel, recurrent, bias, lambda z: z),
        because="the tanh of the sum: without an activation a sequence of steps is a single linear map",
    )
    expect.differs(answer, _run(x, kernel, recurrent, bias, _sigmoid), because="tanh as in (9.3), not the sigmoid")
    expect.differs(
        answer,
        _run(x, kernel, recurrent, bias, memory=0.0),
        because="the state handed on from step to step: here each step starts from zero again",
    )
    later = x.copy()
    later[:, 4:] += 1.0
    expect.close(
        student(later, kernel, recurrent, bias)[:, :4],
        np.asarray(answer)[:, :4],
        rtol=1e-9,
        atol=1e-12,
        name="the states before a change of the sequence",
        because="causality: what comes in later cannot change earlier states",
        rung="physics",
    )
    expect.close(
        student(x[:, :3], kernel, recurrent, bias),
        np.asarray(answer)[:, :3],
        rtol=1e-9,
        atol=1e-12,
        name="the states of a shorter sequence",
        because="the same cell at each step, so a shorter sequence gives the same first states",
        rung="physics",
    )
    expect.close(answer, right, rtol=1e-6, atol=1e-9, because="the states of (9.3), from h_0 = 0", name="the states")
    return "the same states as SimpleRNN of Keras"


def _backwards(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return _run(x[:, ::-1], kernel, recurrent, bias)[:, ::-1]


def _from_one(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Starts from states of one."""
    first = np.tanh(x[:, :1] @ kernel + recurrent.sum(axis=0) + bias)
    state, history = first[:, 0], [first[:, 0]]
    for t in range(1, x.shape[1]):
        state = np.tanh(np.dot(x[:, t], kernel) + np.dot(state, recurrent) + bias)
        history.append(state)
    return np.swapaxes(np.array(history), 0, 1)


rnn_states.hints = (
    "Start from h = np.zeros((n, p)) and loop over the steps; at each step the new h is made from x[:, t] and "
    "the old h.",
    "The new h is np.tanh of three terms: the entry times kernel, the old h times recurrent (both with @), and "
    "the bias.",
    "Append h to a list at each step; np.stack with axis=1 turns a list of T arrays (n, p) into (n, T, p).",
)
rnn_states.mistakes = {
    "transposed": (lambda x, kernel, recurrent, bias: _run(x, kernel, recurrent.T, bias), "multiplied from the right"),
    "no bias": (lambda x, kernel, recurrent, bias: _run(x, kernel, recurrent, 0 * bias), "added at every step"),
    "no activation": (
        lambda x, kernel, recurrent, bias: _run(x, kernel, recurrent, bias, lambda z: z),
        "single linear map",
    ),
    "sigmoid": (lambda x, kernel, recurrent, bias: _run(x, kernel, recurrent, bias, _sigmoid), "not the sigmoid"),
    "no memory": (
        lambda x, kernel, recurrent, bias: _run(x, kernel, recurrent, bias, memory=0.0),
        "starts from zero again",
    ),
    "from the end": (_backwards, "cannot change earlier states"),
    "starts from one": (_from_one, "from h_0 = 0"),
    "last state only": (
        lambda x, kernel, recurrent, bias: _run(x, kernel, recurrent, bias)[:, -1],
        "not only the last",
    ),
    "steps first": (
        lambda x, kernel, recurrent, bias: np.moveaxis(_run(x, kernel, recurrent, bias), 1, 0),
        "events first",
    ),
}

# --- M9.2a ------------------------------------------------------------------------------------------------


def _lstm(
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    kernel: np.ndarray,
    recurrent: np.ndarray,
    bias: np.ndarray,
    *,
    order: str = "ifgo",
    inner: Callable[[np.ndarray], np.ndarray] = np.tanh,
    outer: Callable[[np.ndarray], np.ndarray] = np.tanh,
    keep: bool = True,
    old: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """A step of an LSTM, right or wrong; ``order`` names the blocks as they stand."""
    z = dict(zip(order, np.moveaxis((x @ kernel + h @ recurrent + bias).reshape(len(x), 4, -1), 1, 0), strict=True))
    gate = {name: _sigmoid(z[name]) for name in "ifo"}
    new = (gate["f"] * c if keep else c) + gate["i"] * inner(z["g"])
    return gate["o"] * outer(c if old else new), new


@task("M9.2a", section="9.4")
def lstm_step(student: Any, random: np.random.Generator) -> str:
    n, d, p = 5, 3, 4
    x, h, c = random.normal(size=(n, d)), random.uniform(-1, 1, size=(n, p)), random.normal(size=(n, p))
    weights = _cell(random, d, p, 4)
    answer = student(x, h, c, *weights)
    expect.is_tuple(answer, 2, name="the new h, the new c")
    for name, item in zip(("the new h", "the new c"), answer, strict=True):
        expect.shape(item, (n, p), name=name)
        expect.finite(item, name=name)
    new_h, new_c = answer
    right_h, right_c = _lstm(x, h, c, *weights)
    expect.differs(new_h, right_c, because="h first, then c")
    for order, because in (
        ("figo", "the order input, forget, candidate, output: here input and forget are exchanged"),
        ("ifog", "the order input, forget, candidate, output: here candidate and output are exchanged"),
        ("fiog", "the order of Keras, not that of the book's equations"),
    ):
        expect.differs(new_c, _lstm(x, h, c, *weights, order=order)[1], because=because)
    expect.differs(
        new_c,
        _lstm(x, h, c, *weights, keep=False)[1],
        because="the old memory times the forget gate: without it nothing is ever forgotten",
    )
    expect.differs(
        new_c,
        _lstm(x, h, c, *weights, inner=_sigmoid)[1],
        because="tanh for the candidate, which can be negative; the sigmoid belongs to the three gates",
    )
    expect.differs(
        new_h,
        _lstm(x, h, c, *weights, outer=lambda z: z)[0],
        because="tanh of the memory at the output (9.13); a well-known review prints h = o c",
    )
    expect.differs(
        new_h, _lstm(x, h, c, *weights, old=True)[0], because="the output from the new memory, not from the old one"
    )
    kernel, recurrent, _ = weights
    hold = np.repeat([-60.0, 60.0, 0.0, 60.0], p)  # input closed, forget and output open
    kept = student(x, h, c, 0 * kernel, 0 * recurrent, hold)
    expect.close(
        kept[1],
        c,
        rtol=1e-6,
        atol=1e-9,
        name="the memory with f = 1 and i = 0",
        because="a memory that stays exactly as it is while the input gate is closed and the forget gate is 1",
        rung="physics",
    )
    expect.at_most(
        np.abs(new_h), 1.0, because="|h| below 1: a gate times a tanh", name="the largest |h|", rung="physics"
    )
    expect.close(new_c, right_c, rtol=1e-6, atol=1e-9, because="the memory of (9.12)", name="the new c")
    expect.close(new_h, right_h, rtol=1e-6, atol=1e-9, because="the state of (9.13)", name="the new h")
    return "the same step as LSTM of Keras"


def _lstm_with(**options: Any) -> Callable[..., Any]:
    """A wrong lstm_step()."""

    def lstm_step(
        x: np.ndarray, h: np.ndarray, c: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray
    ) -> Any:
        return _lstm(x, h, c, kernel, recurrent, bias, **options)

    return lstm_step


def _without_state(x: np.ndarray, h: np.ndarray, c: np.ndarray, kernel: Any, recurrent: Any, bias: Any) -> Any:
    """The gates see the entry only."""
    return _lstm(x, 0 * h, c, kernel, recurrent, bias)


def _memory_first(x: np.ndarray, h: np.ndarray, c: np.ndarray, kernel: Any, recurrent: Any, bias: Any) -> Any:
    return _lstm(x, h, c, kernel, recurrent, bias)[::-1]


lstm_step.hints = (
    "One sum for all four blocks: x @ kernel + h @ recurrent + bias has the shape (n, 4 p); np.split with "
    "axis=1 takes it apart.",
    "The sigmoid 1 / (1 + np.exp(-z)) goes on the blocks 0, 1 and 3 (input, forget, output), np.tanh on block 2.",
    "The new c is forget * c + input * candidate; the new h is output * np.tanh(new c). Return h first.",
)
lstm_step.mistakes = {
    "input and forget exchanged": (_lstm_with(order="figo"), "input and forget are exchanged"),
    "candidate and output exchanged": (_lstm_with(order="ifog"), "candidate and output are exchanged"),
    "the book's order": (_lstm_with(order="fiog"), "not that of the book"),
    "never forgets": (_lstm_with(keep=False), "nothing is ever forgotten"),
    "sigmoid for the candidate": (_lstm_with(inner=_sigmoid), "which can be negative"),
    "no tanh at the output": (_lstm_with(outer=lambda z: z), "prints h = o c"),
    "old memory at the output": (_lstm_with(old=True), "not from the old one"),
    "the state left out": (_without_state, "the memory of (9.12)"),
    "c before h": (_memory_first, "h first, then c"),
}

# --- 9.1a -------------------------------------------------------------------------------------------------


def _lstm_parameters(sizes: tuple[int, ...]) -> int:
    inputs, total = 1, 0
    for p in sizes:
        total += 4 * (p * (inputs + p) + p)
        inputs = p
    return total + inputs + 1


@task("9.1a", section="9.8")
def build_forecaster(student: Any, random: np.random.Generator) -> str:
    for sizes in ((5,), (7, 3), (4, 6, 2)):
        model = student(sizes)
        expect.is_model(model)
        expect.output_shape(model, given=(3, 20, 1), is_=(3, 1))
        names = [layer["class_name"] for layer in model.layers]
        expect.has_layers(model, "LSTM", because="LSTM layers, one for each entry of sizes")
        expect.holds(
            names.count("LSTM") == len(sizes),
            because=f"one LSTM layer for each entry of sizes: {len(sizes)} for {sizes}",
            seen=f"{names.count('LSTM')} LSTM layers",
            rung="known mistake",
        )
        expect.activation(
            model,
            is_="linear",
            because="an output without activation: a forecast can be any number, tanh or a sigmoid would cut it off",
        )
        expect.holds(
            "Flatten" not in names,
            because="only the last state of the last LSTM layer at the output, so return_sequences=False there",
            seen="a Flatten layer",
            rung="known mistake",
        )
        expect.equal(
            model.count_params(),
            _lstm_parameters(sizes),
            because="4 (p (d + p) + p) parameters for each LSTM layer, in the order of sizes, and a linear output",
            name="the number of parameters",
        )
    x = random.normal(size=(4, 20, 1)).astype(np.float32)
    earlier = x.copy()
    earlier[:, :19] = random.permuted(x[:, :19], axis=1)
    expect.at_least(
        np.abs(model.predict(x) - model.predict(earlier)).max(),
        1e-9,
        because="an output that depends on the order of the points",
        name="the change of the output",
    )
    return f"{_lstm_parameters((16,))} parameters for the book's network with one layer of 16 cells"


def _forecaster(
    *,
    cell: str = "LSTM",
    activation: str | None = None,
    sequences: bool = False,
    flatten: bool = False,
    turn: bool = False,
) -> Callable[[Any], Any]:
    """A wrong build_forecaster()."""

    def build_forecaster(sizes: Any) -> Any:
        import keras
        from keras import layers

        stack: list[Any] = [keras.Input((20, 1))]
        for p in reversed(sizes) if turn else sizes:
            stack.append(getattr(layers, cell)(p, return_sequences=True))
        if flatten:
            stack.append(layers.Flatten())
        elif not sequences:
            stack[-1] = getattr(layers, cell)(sizes[0] if turn else sizes[-1])
        return keras.Sequential([*stack, layers.Dense(1, activation=activation)])

    return build_forecaster


def _first_size_only(sizes: Any) -> Any:
    return _forecaster()(sizes[:1])


def _no_sequences(sizes: Any) -> Any:
    import keras
    from keras import layers

    return keras.Sequential([keras.Input((20, 1)), *(layers.LSTM(p) for p in sizes), layers.Dense(1)])


build_forecaster.hints = (
    "Begin with keras.Sequential([keras.Input((20, 1))]) and add one layers.LSTM for each entry of sizes in a loop.",
    "A layer that feeds another LSTM needs return_sequences=True; the last one does not.",
    "The last layer is layers.Dense(1), without an activation. Which LSTM is the last? The one whose number is "
    "len(sizes).",
)
build_forecaster.mistakes = {
    "sequences at the end": (_forecaster(sequences=True), "output of shape (3, 1)"),
    "flatten": (_forecaster(flatten=True), "only the last state"),
    "tanh at the output": (_forecaster(activation="tanh"), "would cut it off"),
    "another cell": (_forecaster(cell="GRU"), "LSTM layers, one for each"),
    "one layer whatever sizes says": (_first_size_only, "2 for (7, 3)"),
    "in reverse order": (_forecaster(turn=True), "in the order of sizes"),
    "no sequences between": (_no_sequences, "ValueError"),
}

# --- 9.1b -------------------------------------------------------------------------------------------------

LENGTH = 6


def _oscillator(turn: float) -> Any:
    """A model that continues any sine wave exactly: turn * x_T - x_(T-1)."""
    import keras

    model = keras.Sequential([keras.Input((LENGTH, 1)), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)])
    model.layers[1].set_weights([np.array([0.0] * (LENGTH - 2) + [-1.0, turn]).reshape(-1, 1)])
    return model


def _waves(random: np.random.Generator, angle: float, steps: int) -> np.ndarray:
    phase, amplitude = random.uniform(0, 2 * np.pi, size=(2, 1)), random.uniform(0.5, 2, size=(2, 1))
    return np.asarray(amplitude * np.sin(angle * np.arange(LENGTH + steps) + phase))


@task("9.1b", section="9.8")
def closed_loop(student: Any, random: np.random.Generator) -> str:
    angle, steps = float(random.uniform(0.3, 0.6)), 40
    model, waves = _oscillator(2 * np.cos(angle)), _waves(random, angle, steps)
    windows = waves[:, :LENGTH, np.newaxis].astype(np.float32)
    answer = student(model, windows, steps)
    if getattr(answer, "shape", None) == (2, LENGTH + steps):
        raise Failure("shape", "the forecasts only, without the given points", f"shape {answer.shape}")
    expect.shape(answer, (2, steps), name="the forecasts")
    expect.finite(answer, name="the forecasts")
    right, first = waves[:, LENGTH:], waves[:, LENGTH : LENGTH + 1]
    expect.differs(
        answer,
        np.repeat(first, steps, axis=1),
        rtol=1e-3,
        atol=1e-4,
        because="a window that moves on: here the same one is used at every step",
    )
    expect.differs(
        answer, right[:, ::-1], rtol=1e-3, atol=1e-3, because="the forecasts in order of time, the next value first"
    )
    expect.close(
        answer[:, 0],
        first[:, 0],
        rtol=1e-3,
        atol=1e-4,
        name="the first forecast",
        because="the first forecast from the window as it was given",
        rung="known mistake",
    )
    before = waves[:, LENGTH - 2 : LENGTH]
    for second, because in [
        (before[:, 1], "the first forecast is the newest point: it belongs at the end of the window"),
        (2 * np.cos(angle) * first[:, 0] - before[:, 0], "the oldest point leaves the window, not the newest"),
    ]:
        expect.differs(answer[:, 1], second, rtol=1e-3, atol=1e-4, because=because)
    expect.close(
        answer[:, 1],
        right[:, 1],
        rtol=1e-3,
        atol=1e-4,
        name="the second forecast",
        because="the first forecast appended as the newest point and the oldest one dropped, before the second "
        "forecast",
        rung="known mistake",
    )
    expect.at_most(
        np.abs(answer),
        1.05 * np.abs(waves).max() + 0.5,
        because="a wave of constant amplitude: this model continues every sine of its frequency exactly",
        name="the largest |forecast|",
    )
    expect.close(
        answer,
        right,
        rtol=0,
        atol=5e-3,
        because="the continued wave: this model continues every sine of its frequency exactly",
        name="the forecasts",
    )
    ratio = np.inf
    for _repeat in range(3):  # the machine may be busy with something else
        ratio = min(ratio, _growth(student, model, windows))
        if ratio < 8.0:
            break
    expect.at_most(
        ratio,
        8.0,
        because="the loop inside one compiled function: then sixteen times as many steps take hardly longer, "
        "since compiling takes most of the time; is there a Python loop, or model.predict at each step?",
        name="the time for 320 steps over that for 20",
    )
    return "40 forecasts in one compiled call, and the wave keeps its amplitude and frequency"


def _growth(student: Any, model: Any, windows: np.ndarray) -> float:
    """How much longer 320 steps take than 20; near 1 if the loop is compiled, near 16 if Python runs it."""
    times = []
    for steps in (20, 320):
        began = time.perf_counter()
        student(model, windows, steps)
        times.append(time.perf_counter() - began)
    return times[1] / times[0]


def _looped(
    *,
    append: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    after: Callable[[Any, Any], Any] | None = None,
) -> Callable[..., Any]:
    """A closed_loop() in plain Python, with a choice of how a window goes on and what is returned."""

    def closed_loop(model: Any, windows: np.ndarray, steps: int) -> Any:
        window, values = windows.copy(), []
        for _ in range(steps):
            new = np.asarray(model(window))
            values.append(new[:, 0])
            window = append(window, new) if append else np.concatenate([window[:, 1:], new[:, None]], axis=1)
        forecasts = np.array(values).T
        return after(windows, forecasts) if after else forecasts

    return closed_loop


closed_loop.hints = (
    "Reserve room first: np.pad(windows, ((0, 0), (0, steps), (0, 0))) has the shape (n, length + steps, 1). "
    "Forecast k belongs "
    "in column length + k.",
    "The body of the loop gets k and the sequence: it reads the window that begins at column k, asks the model, "
    "and returns the "
    "sequence with the answer written at column length + k. The model gives (n, 1), the place has the shape (n, 1, 1).",
    "def body(k, s): use keras.ops.slice(s, (0, k, 0), (n, length, 1)), the model, and keras.ops.slice_update; then "
    "keras.ops.fori_loop(0, steps, body, s) inside a function that autodiff.compiled decorates.",
)
closed_loop.mistakes = {
    "a Python loop": (_looped(), "is there a Python loop"),
    "the window stays": (_looped(append=lambda window, new: window), "used at every step"),
    "newest point dropped": (
        _looped(append=lambda window, new: np.concatenate([window[:, :-1], new[:, None]], axis=1)),
        "leaves the window, not the newest",
    ),
    "appended in front": (
        _looped(append=lambda window, new: np.concatenate([new[:, None], window[:, :-1]], axis=1)),
        "at the end of the window",
    ),
    "with the given points": (
        _looped(after=lambda windows, f: np.concatenate([windows[..., 0], f], axis=1)),
        "without the given points",
    ),
    "backwards": (_looped(after=lambda windows, f: f[:, ::-1].copy()), "in order of time"),
    "one step late": (
        _looped(after=lambda windows, f: np.concatenate([windows[:, -1], f[:, :-1]], axis=1)),
        "from the window as it was given",
    ),
}

# --- 9.1c -------------------------------------------------------------------------------------------------


@task("9.1c", section="9.8")
def forecast_error(student: Any, random: np.random.Generator) -> str:
    trainings, waves, steps = 4, 6, 9
    truth = random.normal(size=(waves, steps))
    scale = random.uniform(0.2, 2.0, size=(trainings, 1, 1))
    forecasts = truth + scale * random.normal(size=(trainings, waves, steps)) + 0.3
    off = forecasts - truth
    each = np.sqrt(np.einsum("kws,kws->ks", off, off) / waves)
    answer = student(forecasts, truth)
    expect.is_tuple(answer, 2, name="mean, spread")
    for name, item in zip(("the mean", "the spread"), answer, strict=True):
        if getattr(item, "shape", None) in ((waves,), (trainings,)):
            raise Failure(
                "shape", "one value for each horizon: average over waves and trainings", f"shape {item.shape}"
            )
        expect.shape(item, (steps,), name=name)
        expect.finite(item, name=name)
    mean, spread = answer
    expect.differs(mean, off.mean(axis=(0, 1)), because="an RMS: in a mean of signed errors they cancel")
    expect.differs(mean, np.abs(off).mean(axis=(0, 1)), because="the root of the mean square, not the mean modulus")
    expect.differs(
        mean, (each**2).mean(axis=0), because="the root of the mean square: an error in the unit of the wave"
    )
    expect.differs(
        mean,
        np.sqrt((each**2).mean(axis=0)),
        because="first the RMS of each training, then the mean over the trainings: else there is nothing to spread",
    )
    expect.differs(
        spread,
        each.std(axis=0),
        because="the standard deviation with n - 1 (ddof=1): four trainings are few",
        rtol=1e-4,
    )
    expect.differs(
        spread,
        each.std(axis=0, ddof=1) / np.sqrt(trainings),
        because="the spread of single trainings, not the error of their mean",
    )
    same = student(np.repeat(forecasts[:1], 3, axis=0), truth)
    expect.close(
        same[1],
        np.zeros(steps),
        atol=1e-9,
        name="the spread of three equal trainings",
        because="no spread if all trainings give the same forecasts",
        rung="physics",
    )
    doubled = student(truth + 2 * off, truth)
    expect.close(
        doubled[0], 2 * mean, rtol=1e-6, because="twice the deviations give twice the error", rung="physics",
        name="the mean for doubled deviations",
    )  # fmt: skip
    expect.close(
        mean, each.mean(axis=0), rtol=1e-6, because="the mean over the trainings of their RMS", name="the mean"
    )
    expect.close(spread, each.std(axis=0, ddof=1), rtol=1e-6, because="the standard deviation of the RMS over "
    "the trainings", name="the spread")  # fmt: skip
    return "one curve and its spread from all trainings"


def _errors(change: Callable[[np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong forecast_error(): the answer made from the deviations (trainings, waves, steps)."""

    def forecast_error(forecasts: np.ndarray, truth: np.ndarray) -> Any:
        return change(forecasts - truth)

    return forecast_error


def _each(off: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.mean(off * off, axis=1)))


forecast_error.hints = (
    "forecasts - truth works as it stands: truth is repeated for each training. Which axis holds the waves?",
    "The square root of the mean over axis 1 of the squares has the shape (trainings, steps): one curve for "
    "each training.",
    "The answer is the mean over axis 0 of these curves, and their std over axis 0 with ddof=1.",
)
forecast_error.mistakes = {
    "signed errors": (_errors(lambda off: (off.mean((0, 1)), off.mean(1).std(0, ddof=1))), "they cancel"),
    "mean modulus": (_errors(lambda off: (abs(off).mean((0, 1)), abs(off).mean(1).std(0, ddof=1))), "mean modulus"),
    "no root": (_errors(lambda off: ((off**2).mean((0, 1)), (off**2).mean(1).std(0, ddof=1))), "unit of the wave"),
    "pooled": (
        _errors(lambda off: (np.sqrt((off**2).mean((0, 1))), _each(off).std(0, ddof=1))),
        "then the mean over the trainings",
    ),
    "n instead of n - 1": (_errors(lambda off: (_each(off).mean(0), _each(off).std(0))), "are few"),
    "error of the mean": (
        _errors(lambda off: (_each(off).mean(0), _each(off).std(0, ddof=1) / np.sqrt(len(off)))),
        "not the error of their mean",
    ),
    "spread over waves": (
        _errors(lambda off: (_each(off).mean(0), abs(off).std(1, ddof=1).mean(0))),
        "all trainings give the same",
    ),
    "over the steps": (
        _errors(lambda off: (np.sqrt((off**2).mean(2)).mean(0), np.sqrt((off**2).mean(2)).std(0, ddof=1))),
        "one value for each horizon",
    ),
}

# --- 9.2a -------------------------------------------------------------------------------------------------


@task("9.2a", section="9.6")
def false_positive_rate(student: Any, random: np.random.Generator) -> str:
    n = 1_500
    truth = (random.uniform(size=n) < 0.4).astype(int)
    score = 1.5 + 1.3 * truth + random.normal(size=n)
    efficiency = float(random.uniform(0.75, 0.85))
    answer = student(score, truth, efficiency)
    expect.is_tuple(answer, 2, name="rate, error")
    rate, error = answer
    expect.number(rate, name="the rate")
    expect.number(error, name="its error")
    cut = np.quantile(score[truth == 1], 1 - efficiency)
    right, right_error = metrics.accuracy_with_error(score[truth == 0] > cut)
    low = np.quantile(score[truth == 1], efficiency)
    known = {
        "a threshold below which only the share 1 - efficiency of the pulses lies": np.mean(score[truth == 0] > low),
        "the threshold from the pulses alone, not from all traces": np.mean(
            score[truth == 0] > np.quantile(score, 1 - efficiency)
        ),
        "a threshold set by the pulses: the noise then has the rate it has": 1 - efficiency,
        "a share of the noise traces, not of all traces that pass": np.mean(truth[score > cut] == 0),
        "the number that passes over the number of noise traces, not over that of all traces": np.mean(
            (score > cut) & (truth == 0)
        ),
        "the share of noise above the threshold, not below it": np.mean(score[truth == 0] <= cut),
        "the noise that passes, not the pulses": np.mean(score[truth == 1] > cut),
    }
    for because, wrong in known.items():
        expect.differs(rate, wrong, because=because, rtol=1e-9)
    expect.close(
        student(2 * score + 3, truth, efficiency)[0],
        rate,
        rtol=1e-9,
        name="the rate for scores in another unit",
        because="the same rate for 2 score + 3: only the order of the traces counts",
        rung="physics",
    )
    expect.at_least(
        student(score, truth, 0.95)[0] - rate,
        0.0,
        because="more noise at a higher efficiency",
        name="the rate at 0.95 less that at a lower efficiency",
    )
    separate = student(np.where(truth == 1, 5.0, 0.0) + random.uniform(size=n), truth, efficiency)
    expect.close(
        separate[0],
        0.0,
        atol=1e-12,
        because="no false positives where all pulses score above all noise",
        rung="physics",
        name="the rate of a perfect score",
    )
    expect.at_least(
        separate[1],
        1e-4,
        because="an error above zero where no noise passes, about 1 / n: metrics.accuracy_with_error knows it",
        name="the error of a perfect score",
    )
    expect.close(rate, right, rtol=0.05, because="the share of noise above the threshold", name="the rate")
    expect.close(
        error,
        right_error,
        rtol=0.05,
        because="the error of a share of the noise traces, n being their number",
        name="the error",
    )
    return f"{rate:.3f} +- {error:.3f} at an efficiency of {efficiency:.2f}"


def _rated(
    cut: Callable[[np.ndarray, np.ndarray, float], float],
    chosen: Callable[[np.ndarray, np.ndarray, float], np.ndarray] | None = None,
) -> Callable[..., Any]:
    """A wrong false_positive_rate(): another threshold, or another share."""

    def false_positive_rate(score: np.ndarray, truth: np.ndarray, efficiency: float) -> Any:
        threshold = cut(score, truth, efficiency)
        return metrics.accuracy_with_error(
            score[truth == 0] > threshold if chosen is None else chosen(score, truth, threshold)
        )

    return false_positive_rate


def _pulses_above(score: np.ndarray, truth: np.ndarray, efficiency: float) -> float:
    return float(np.percentile(score[truth > 0], 100 - 100 * efficiency))


def _naive_error(score: np.ndarray, truth: np.ndarray, efficiency: float) -> Any:
    share = (score[truth == 0] > _pulses_above(score, truth, efficiency)).mean()
    return share, np.sqrt(share * (1 - share) / np.sum(truth == 0))


false_positive_rate.hints = (
    "score[truth == 1] are the scores of the pulses. A share of them, the efficiency, is to lie above the threshold.",
    "np.quantile(a, q) is the value below which the share q of the entries lies; which q leaves 90 % above it?",
    "With the threshold at the quantile 1 - efficiency of the pulses, give metrics.accuracy_with_error the "
    "comparison of the "
    "noise scores with it.",
)
false_positive_rate.mistakes = {
    "quantile of the efficiency": (
        _rated(lambda s, t, e: np.quantile(s[t == 1], e)),
        "only the share 1 - efficiency of the pulses lies",
    ),
    "threshold from all traces": (_rated(lambda s, t, e: np.quantile(s, 1 - e)), "from the pulses alone"),
    "share of what passes": (_rated(_pulses_above, lambda s, t, c: t[s > c] == 0), "not of all traces that pass"),
    "share of all": (_rated(_pulses_above, lambda s, t, c: (s > c) & (t == 0)), "not over that of all traces"),
    "below": (_rated(_pulses_above, lambda s, t, c: s[t == 0] <= c), "not below it"),
    "efficiency returned": (_rated(_pulses_above, lambda s, t, c: s[t == 1] > c), "not the pulses"),
    "threshold at 0.5": (_rated(lambda s, t, e: 0.5), "only the order of the traces"),
    "error zero": (_naive_error, "an error above zero"),
    "rate only": (lambda score, truth, efficiency: _naive_error(score, truth, efficiency)[0], "2 results"),
}

# --- 9.2b -------------------------------------------------------------------------------------------------

RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")


@task("9.2b", section="9.6")
def build_radio_network(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(4, 500, 1), is_=(4, 1))
    expect.activation(model, not_="softmax", because="not softmax: over one output it is always 1")
    expect.activation(model, is_="sigmoid", because="an output between 0 and 1, since it is a probability")
    found = model.layers
    place = next((i for i, layer in enumerate(found) if layer["class_name"] in RECURRENT), None)
    expect.holds(
        place is not None,
        because="a recurrent layer: an LSTM or GRU, best a bidirectional one",
        seen=", ".join(dict.fromkeys(layer["class_name"] for layer in found)),
        rung="known mistake",
    )
    before = [layer["output_shape"] for layer in found[:place] if isinstance(layer["output_shape"], list | tuple)]
    steps = before[-1][1] if before and len(before[-1]) == 3 else 500
    expect.at_most(
        steps,
        MOST_STEPS,
        because=f"at most {MOST_STEPS} recurrent steps: a stride, a pooling or patches before the recurrent "
        f"layer shorten the "
        "way of the gradient",
        name="the number of recurrent steps",
        rung="known mistake",
    )
    expect.holds(
        not any(layer["class_name"] == "Flatten" for layer in found),
        because="no weights for single times: a pulse comes at any time, so take a maximum over time, or the "
        "last state",
        seen="a Flatten layer",
        rung="known mistake",
    )
    expect.at_most(
        model.count_params(),
        MOST_PARAMETERS,
        because=f"at most {MOST_PARAMETERS} parameters: the official solution needs 96 000, but it works on all "
        f"500 samples",
        name="the number of parameters",
    )
    trace = random.normal(size=(6, 500, 1)).astype(np.float32)
    reordered = trace.reshape(6, 10, 50, 1)[:, random.permutation(10)].reshape(trace.shape)
    expect.at_least(
        np.abs(_logit(model, trace) - _logit(model, reordered)).max(),
        1e-5,
        because="an output that depends on the order of the samples",
        name="the change of the logit",
    )
    louder = np.abs(_logit(model, 3 * trace) - 3 * _logit(model, trace) + 2 * _logit(model, 0 * trace))
    expect.at_least(
        louder.max(), 1e-4, because="a network that is not linear in the voltage", name="the non-linear part"
    )
    return f"{model.count_params()} parameters and {steps} recurrent steps"


def _logit(model: Any, x: np.ndarray) -> np.ndarray:
    p = np.clip(np.asarray(model.predict(x), float), 1e-7, 1 - 1e-7)
    return np.asarray(np.log(p / (1 - p)))


def _radio(
    *,
    filters: int = 8,
    taps: int = 32,
    cells: int = 8,
    pool: int = 10,
    recurrent: bool = True,
    head: str = "GlobalMaxPooling1D",
    outputs: int = 1,
    last: str | None = "sigmoid",
) -> Callable[[], Any]:
    """A build_radio_network() with the given choices, right or wrong; pool=0 works on all samples."""

    def build_radio_network() -> Any:
        import keras
        from keras import layers

        stack: list[Any] = [keras.Input((500, 1))]
        if pool:
            stack += [
                layers.Conv1D(filters, taps, strides=2, padding="same"),
                layers.BatchNormalization(axis=-1),
                # the modulus, as a layer that can be sent to another process
                layers.PReLU(keras.initializers.Constant(-1.0), shared_axes=[1], trainable=False),
                layers.MaxPooling1D(pool),
            ]
        if recurrent:
            stack.append(layers.LSTM(cells, return_sequences=True))
        stack += [getattr(layers, head)(), layers.Dense(outputs, activation=last)]
        return keras.Sequential(stack)

    return build_radio_network


build_radio_network.hints = (
    "keras.Input((500, 1)), then layers.Conv1D(16, 32, strides=2, padding='same'): (250, 16).",
    "BatchNormalization, an activation such as layers.Activation(keras.ops.abs) or ReLU, and MaxPooling1D(10) "
    "leave (25, 16).",
    "Then layers.Bidirectional(layers.LSTM(16, return_sequences=True)), GlobalMaxPooling1D() and Dense(1, "
    "activation='sigmoid').",
)
build_radio_network.mistakes = {
    "softmax": (_radio(last="softmax"), "always 1"),
    "no activation at the end": (_radio(last=None), "a probability"),
    "no recurrent layer": (_radio(recurrent=False), "an LSTM or GRU"),
    "all 500 samples": (_radio(pool=0), "shorten the way"),
    "flatten": (_radio(head="Flatten"), "no weights for single times"),
    "too large": (_radio(cells=100), "the official solution needs"),
    "two outputs": (_radio(outputs=2), "output of shape (4, 1)"),
}

# --- 9.2c -------------------------------------------------------------------------------------------------


def _traces(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Fresh traces in units of the noise, and their labels."""
    sample = radio.simulate(n, seed=random)
    return (sample.traces / MILLIVOLTS)[..., np.newaxis], sample.label.astype(np.float32)


def _trained_with(train: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """What a training function makes of a network of the check's own, which the exam edition has as well."""
    return train(_radio(filters=16, cells=16)(), x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:], RADIO_EPOCHS)


def _accuracy(output: Any, y: np.ndarray) -> float:
    return float(np.mean((np.asarray(output)[:, 0] > 0.5) == (y > 0.5)))


@task("9.2c", section="9.6")
def train_radio_network(student: Any, random: np.random.Generator) -> str:
    model = _trained_with(student, *_traces(N_TRAIN + N_VALIDATION, random))
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(4, 500, 1), is_=(4, 1))
    expect.loss(
        model,
        "binary_crossentropy",
        "binary_focal_crossentropy",
        because="the binary cross-entropy, the loss for one probability",
    )
    loud = radio.simulate(200, seed=random, pulse_share=1.0, snr=3.5)
    pulse = float(np.mean(model.predict((loud.traces / MILLIVOLTS)[..., np.newaxis])))
    quiet = (loud.traces - loud.signals) / MILLIVOLTS
    noise = float(np.mean(model.predict(quiet[..., np.newaxis])))
    seen = f"output {pulse:.2f} for strong pulses, {noise:.2f} for the same noise without them"
    expect.holds(noise - pulse < 0.1, because="1 for a pulse, 0 for noise: are the labels upside down?", seen=seen)
    expect.holds(
        pulse - noise > 0.4,
        because="outputs far apart for strong pulses and for noise: has fit() been called, with the training data?",
        seen=seen,
    )
    turned = float(np.mean(model.predict(-(loud.traces / MILLIVOLTS)[..., np.newaxis])))
    expect.at_least(
        turned,
        0.6 * pulse,
        because="a pulse of the other sign is a pulse: the training data must hold both",
        name="the output for strong pulses turned over",
    )
    x, y = _traces(N_TEST, random)
    reached = _accuracy(model.predict(x), y)
    limit = 0.9928  # of the likelihood ratio, the card of the data set
    expect.at_most(
        reached,
        limit + 4 * np.sqrt(limit * (1 - limit) / N_TEST),
        because="not above the limit by four standard errors: were these traces seen in the training?",
        name="the accuracy",
    )
    expect.reaches("9.2c", reached, name=f"the accuracy on {N_TEST} new traces")
    return f"{reached:.1%} of {N_TEST} new traces are classified correctly, the limit is {limit:.1%}"


@bar("9.2c", better="higher", unit="", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = _trained_with(reference("9.2c"), *_traces(N_TRAIN + N_VALIDATION, draw))
    x, y = _traces(N_TEST, draw)
    return _accuracy(model.predict(x, batch_size=1000, verbose=0), y)


def _trains(
    *,
    loss: str = "binary_crossentropy",
    events: int = 128,
    epochs: int = 1,
    rate: float = 0.01,
    upside_down: bool = False,
    history: bool = False,
) -> Callable[..., Any]:
    """A train_radio_network() that does something else, or too little."""

    trained_epochs = epochs

    def train_radio_network(
        model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int
    ) -> Any:
        import keras

        y = 1 - y_train if upside_down else y_train
        model.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=10)
        record = (
            model.fit(x_train[:events], y[:events], batch_size=64, epochs=trained_epochs, verbose=0)
            if trained_epochs
            else None
        )
        return record if history else model

    return train_radio_network


def _another_network(model: Any, x_train: Any, y_train: Any, x_validation: Any, y_validation: Any, epochs: int) -> Any:
    """Trains a network that measures the power in short intervals, and knows nothing of the chirp."""
    import keras
    from keras import layers

    own = keras.Sequential(
        [
            keras.Input(shape=(500, 1)),
            layers.Conv1D(8, 10, strides=2, activation=keras.ops.square),
            layers.AveragePooling1D(25),
            layers.GlobalMaxPooling1D(name="loudest"),
            layers.Dense(1, activation="sigmoid", kernel_initializer="ones"),
        ]
    )
    own.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", steps_per_execution=10)
    own.fit(x_train, y_train, batch_size=64, epochs=3, verbose=0)
    return own


train_radio_network.hints = (
    "model.compile(optimizer=..., loss='binary_crossentropy', metrics=['accuracy'], steps_per_execution=10), "
    "then model.fit, then "
    "return model.",
    "keras.optimizers.schedules.CosineDecay(0.01, steps) falls to zero; steps = epochs * number of batches in "
    "an epoch. "
    "Batches of 64 traces.",
    "keras.optimizers.Adam with this schedule and clipnorm=1.0; model.fit takes x_train, y_train, "
    "batch_size=64, epochs and, as "
    "validation_data, the pair of the validation arrays.",
)
train_radio_network.mistakes = {
    "returns the history": (_trains(history=True), "not its history"),
    "mean squared error": (_trains(loss="mse"), "the loss for one probability"),
    "compiled, not fitted": (_trains(epochs=0), "has fit() been called"),
    "labels upside down": (_trains(events=6_000, upside_down=True), "upside down"),
    "another network than the one given": (_another_network, "99 of 100 runs"),
}

# --- quizzes ------------------------------------------------------------------------------------------------

quiz(
    "9.1-q1",
    question="A recurrent cell with p = 6 reads sequences of vectors with d = 3 entries. How many parameters "
    "has it for sequences "
    "of 5 steps, and how many for 500?",
    options=("60 and 60", "60 and 6000", "300 and 30 000", "24 and 24"),
    answer=1,
    explanation="3 x 6 weights of the entries, 6 x 6 of the state, 6 biases. All steps share them, so the "
    "length does not occur.",
)
quiz(
    "9.1-q2",
    question="The pieces are divided at random into training, validation and test, in place of by time. What changes?",
    options=(
        "The validation becomes honest: it no longer consists of later times only.",
        "Nothing: in both cases every validation piece has nearly equal ones in the training set.",
        "The validation loss rises, since the order of time is destroyed.",
        "The network can no longer be trained, since the order of the points in a piece is lost.",
    ),
    answer=2,
    explanation="A period is 200 points, and there are 50 periods: every piece occurs fifty times, almost to "
    "the digit. Only waves "
    "that are not in the training at all, such as those of another frequency, test anything.",
)
quiz(
    "9.1-q3",
    question="Two networks have the same error of one step. One of them follows the wave for 200 steps in the "
    "closed loop, the "
    "other for 20. How can that be?",
    options=(
        "The second has too few parameters.",
        "The error of one step is measured on true pieces; in the closed loop the pieces contain earlier "
        "errors, and the "
        "networks react to those differently.",
        "The first was trained with a smaller learning rate.",
        "It cannot: the error after k steps is k times the error of one.",
    ),
    answer=2,
    explanation="What decides is whether an error dies out or grows when it is fed back in. A training on noisy "
    "pieces shows the "
    "network pieces with errors.",
)
quiz(
    "9.2-q1",
    question="Why bidirectional, and a maximum over all steps at the end?",
    options=(
        "A bidirectional layer has fewer parameters.",
        "The pulse comes at any time: each step judges what is around it, before and after, and one step that "
        "is sure is enough.",
        "The maximum is faster than the last state.",
        "Because the pulses have either sign.",
    ),
    answer=2,
    explanation="The trace is complete when it is looked at, so the future may be used. The last state of a "
    "layer that reads "
    "from left to right would have to carry an early pulse through all later noise.",
)
quiz(
    "9.2-q2",
    question="The network was trained on 20 000 traces. The matched filter has seen none, and is better. What "
    "does it have instead?",
    options=(
        "More parameters.",
        "A larger receptive field: it sees all 500 samples at once.",
        "The shape of the pulse, the response of the antenna and the spectrum of the noise, from the simulator.",
        "A threshold that was set on the test traces.",
    ),
    answer=3,
    explanation="Knowledge replaces data. Where the antenna or the noise are not what was assumed, the filter "
    "loses and a network "
    "that is trained on measured noise does not.",
)
