"""Checks of the examples of chapter 17: an autoencoder for images of jets, decibels, a network that removes noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import bar, quiz, reference, task
from dlphys.simulators import radio

N_TRAIN, N_TEST, TRAIN_EPOCHS = 5_000, 1_000, 4
NOISE = 0.1  # mV, the RMS of the noise and the unit of the traces

# --- X17.1 --------------------------------------------------------------------------------------------------


@task("X17.1", section="17.4")
def build_autoencoder(student: Any, random: np.random.Generator) -> str:
    size, code = 4 * int(random.integers(4, 7)), int(random.integers(5, 9))
    halves = student(size, code)
    expect.is_tuple(halves, 2, name="encoder and decoder")
    encoder, decoder = halves
    expect.is_model(encoder, name="the encoder")
    expect.is_model(decoder, name="the decoder")
    expect.output_shape(encoder, given=(3, size, size, 1), is_=(3, code))
    expect.output_shape(decoder, given=(3, code), is_=(3, size, size, 1))
    for name, half in {"encoder": encoder, "decoder": decoder}.items():
        expect.has_layers(
            half, "Conv2D", because=f"convolutions in the {name}: patterns of a jet may lie anywhere in the image"
        )
    images = random.uniform(0.0, 1.0, size=(40, size, size, 1)).astype(np.float32)
    codes = random.normal(size=(40, code)).astype(np.float32)
    coded, drawn = np.asarray(encoder.predict(images), float), np.asarray(decoder.predict(codes), float)
    expect.finite(coded, name="the code")
    expect.finite(drawn, name="the image")
    expect.holds(
        not np.allclose(drawn.sum(axis=(1, 2, 3)), drawn[0].sum(), rtol=1e-4),
        because="an image without a softmax: the squares of its pixels add up to 1, the pixels do not",
        seen="images with equal sums for all codes",
        rung="known mistake",
    )
    both = np.concatenate([encoder.predict(images * sign) for sign in (20.0, -20.0)])
    expect.holds(
        both.min() < -1e-3 and both.max() > 1e-3 and np.ptp(both, axis=0).min() > 1e-3,
        because="a code without activation: after a ReLU many of its numbers would be 0",
        seen=f"codes between {both.min():.3g} and {both.max():.3g} for bright images of either sign",
        rung="known mistake",
    )
    expect.holds(
        np.abs(both).max() > 1.001,
        because="a code that may be large: no tanh or sigmoid at the bottleneck",
        seen=f"no |code| above {np.abs(both).max():.3g} for the brightest images",
        rung="known mistake",
    )
    expect.holds(
        drawn.min() < -1e-6 and drawn.max() > 1e-6,
        because="an image without activation: where a ReLU is silent no gradient tells it to draw",
        seen=f"pixels between {drawn.min():.3g} and {drawn.max():.3g} for random codes",
        rung="known mistake",
    )
    for name, half, x in (("encoder", encoder, images), ("decoder", decoder, codes)):
        here, there, between = (np.asarray(half.predict(y), float) for y in (4 * x, -4 * x, 0 * x))
        expect.at_least(
            np.abs(here + there - 2 * between).max(),
            1e-4 * np.abs(here).max(),
            because=f"activations in the {name}: without them the network is a principal component analysis",
            name=f"the non-linear part of the {name}",
        )
    spot = np.zeros((2, size, size, 1), np.float32)
    spot[0, 5:7, 5:7] = spot[1, 9:11, 9:11] = 3.0
    apart = np.asarray(encoder.predict(spot), float)
    expect.at_least(
        np.abs(apart[0] - apart[1]).max(),
        1e-3 * np.abs(coded).max(),
        because="a code that knows where a prong is: Flatten before the dense layer, not the average over all places",
        name="the change of the code when a spot moves by four pixels",
    )
    quarter = size // 4
    wanted = (10 * 8 + (72 + 1) * 16 + (16 * quarter**2 + 1) * code, (code + 1) * 16 * quarter**2 + 145 * 8 + 73)
    for name, half, count in zip(("encoder", "decoder"), (encoder, decoder), wanted, strict=True):
        expect.equal(
            half.count_params(),
            count,
            name=f"the number of parameters of the {name}",
            because=f"the layers of the text for the {name}, all with biases: 8 and 16 filters of 3 x 3, "
            "then a dense layer to the code; back by a dense layer to 16 small maps, 8 filters and 1",
        )
    return f"{size} x {size} pixels through {code} numbers"


def _halves(
    *,
    front: str | None = "elu",
    back: str | None = "elu",
    at_code: str | None = None,
    at_image: str | None = None,
    pool: str = "Flatten",
    filters: int = 8,
) -> Callable[[int, int], Any]:
    """A build_autoencoder() with the given choices, right or wrong."""

    def build_autoencoder(size: int, code: int) -> Any:
        import keras
        from keras import layers as k

        def conv(n: int, act: str | None, step: int = 1) -> Any:
            return k.Conv2D(n, 3, strides=step, padding="same", activation=act)

        squeeze = keras.Sequential([keras.Input((size, size, 1)), conv(filters, front, 2), conv(2 * filters, front, 2)])
        squeeze.add(getattr(k, pool)())
        squeeze.add(k.Dense(code, activation=at_code))
        places = size // 4
        restore = keras.Sequential(
            [
                keras.Input(shape=(code,)),
                k.Dense(16 * places * places, activation=back),
                k.Reshape((places, places, 16)),
                k.UpSampling2D(),
                conv(8, back),
                k.UpSampling2D(),
                conv(1, at_image),
            ]
        )
        return squeeze, restore

    return build_autoencoder


def _softmax(size: int, code: int) -> Any:
    import keras

    squeeze, restore = _halves()(size, code)
    restore.add(keras.layers.Softmax(axis=(1, 2)))
    return squeeze, restore


def _dense_halves(size: int, code: int) -> Any:
    import keras
    from keras import layers as k

    squeeze = keras.Sequential([keras.Input((size, size, 1)), k.Flatten(), k.Dense(32, "elu"), k.Dense(code)])
    restore = keras.Sequential(
        [keras.Input(shape=(code,)), k.Dense(32, "elu"), k.Dense(size**2), k.Reshape((size, size, 1))]
    )
    return squeeze, restore


def _one_model(size: int, code: int) -> Any:
    import keras

    return keras.Sequential(_halves()(size, code))


build_autoencoder.hints = (
    "Two keras.Sequential, each with its own keras.Input: (size, size, 1) for the encoder, (code,) for the decoder.",
    "Two strides of 2 leave size // 4 places along each side; the dense layer of the decoder makes "
    "16 * (size // 4)**2 numbers, and Reshape turns them into 16 small maps.",
    "Each UpSampling2D() doubles the sides. Conv2D with padding='same' keeps them.",
)
build_autoencoder.mistakes = {
    "one model": (_one_model, "encoder and decoder: 2 results"),
    "the other way round": (lambda size, code: _halves()(size, code)[::-1], "is refused"),
    "dense layers": (_dense_halves, "convolutions in the encoder"),
    "softmax over the pixels": (_softmax, "without a softmax"),
    "ReLU at the code": (_halves(at_code="relu"), "a code without activation"),
    "tanh at the code": (_halves(at_code="tanh"), "no tanh or sigmoid"),
    "ReLU at the image": (_halves(at_image="relu"), "no gradient tells it to draw"),
    "linear encoder": (_halves(front=None), "activations in the encoder"),
    "linear decoder": (_halves(back=None), "activations in the decoder"),
    "average over all places": (_halves(pool="GlobalAveragePooling2D"), "knows where a prong is"),
    "twice as many filters": (_halves(filters=16), "the layers of the text for the encoder"),
}

quiz(
    "X17.1-q1",
    question="An autoencoder trained with top jets gives QCD jets the smaller errors. Why?",
    options=(
        "Its code is too short.",
        "It has been trained too briefly.",
        "QCD jets are simpler: whoever can draw three prongs can draw one. The score ranks "
        "by difficulty, not by novelty.",
        "There are QCD jets in its training data.",
    ),
    answer=3,
    explanation="What is easier than the training data is never an anomaly for a reconstruction error. A density would "
    "be needed, and even that depends on the variables.",
)

# --- X17.2a -------------------------------------------------------------------------------------------------


@task("X17.2a", section="17.4")
def snr_gain(student: Any, random: np.random.Generator) -> str:
    clean = random.normal(size=(6, 80)) * random.uniform(0.5, 3.0, size=(6, 1))
    noise = random.normal(size=(6, 80))
    left = 0.3 * random.normal(size=(6, 80)) * random.uniform(0.2, 2.0, size=(6, 1)) + 0.1
    noisy, answer = clean + noise, clean + left
    value = student(noisy, answer, clean)
    expect.number(value, name="the gain")
    before, after = (noise**2).sum(), (left**2).sum()
    right = 10 * np.log10(before / after)
    single = 10 * np.log10((noise**2).sum(axis=1) / (left**2).sum(axis=1))
    amplitudes = np.abs(noise).sum() / np.abs(left).sum()
    known = {
        "a gain that is positive when less noise is left: before over after": -right,
        "the factor is 10 for a ratio of powers; 20 belongs to a ratio of amplitudes": 2 * right,
        "powers, that is squares: without the root": right / 2,
        "the decimal logarithm, log10": 10 * np.log(before / after),
        "decibels: 10 times the logarithm": right / 10,
        "the logarithm of the ratio": before / after,
        "sums over all traces before the ratio, not the mean of the gains of single traces": single.mean(),
        "the sum over all traces, not the gains of single traces added": single.sum(),
        "squares of the differences, not their absolute values": 10 * np.log10(amplitudes),
        "absolute values would need the factor 20, and are no powers even then": 20 * np.log10(amplitudes),
        "squared differences, not variances: an offset that the answer adds is an error too": 10
        * np.log10(noise.var() / left.var()),
        "the noise before in the numerator, not the signal: that ratio is the one after, no gain": 10
        * np.log10((clean**2).sum() / after),
        "the noise before, noisy - clean, not the trace with its pulse": 10 * np.log10((noisy**2).sum() / after),
        "differences from the clean pulse, not what the method has taken away": 10
        * np.log10(before / ((noisy - answer) ** 2).sum()),
    }
    for because, wrong in known.items():
        expect.differs(value, wrong, because=because)
    expect.close(
        student(noisy, noisy, clean),
        0.0,
        atol=1e-9,
        because="0 dB for an answer that changes nothing",
        name="the gain",
        rung="physics",
    )
    expect.close(
        student(noisy, clean + noise / 10, clean),
        20.0,
        atol=1e-6,
        because="20 dB when every error is ten times smaller",
        name="the gain",
        rung="physics",
    )
    expect.close(
        student(0.1 * noisy, 0.1 * answer, 0.1 * clean),
        value,
        rtol=1e-9,
        because="the same gain in another unit of voltage",
        name="the gain",
        rung="physics",
    )
    expect.close(value, right, because="ten times the decimal logarithm of the two sums of squares", name="the gain")
    return "0 dB for nothing done, 20 dB for errors ten times smaller"


def _gain(change: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Callable[..., Any]:
    """A wrong snr_gain(), from errors before, errors after and the pulses."""

    def snr_gain(noisy: np.ndarray, recovered: np.ndarray, clean: np.ndarray) -> Any:
        return change(noisy - clean, recovered - clean, clean)

    return snr_gain


def _decibels(numerator: Any, denominator: Any, factor: float = 10.0) -> Any:
    return factor * np.log10(numerator / denominator)


snr_gain.hints = (
    "noisy - clean is the noise before, recovered - clean what is left of it.",
    "One sum over all traces and samples each, then the ratio, then 10 * np.log10 of it.",
)
snr_gain.mistakes = {
    "upside down": (_gain(lambda b, a, s: _decibels((a**2).sum(), (b**2).sum())), "positive when less noise is left"),
    "factor 20": (_gain(lambda b, a, s: _decibels((b**2).sum(), (a**2).sum(), 20.0)), "a ratio of amplitudes"),
    "with a root": (_gain(lambda b, a, s: _decibels((b**2).sum(), (a**2).sum(), 5.0)), "without the root"),
    "natural logarithm": (_gain(lambda b, a, s: 10 * np.log((b**2).sum() / (a**2).sum())), "log10"),
    "plain ratio": (_gain(lambda b, a, s: (b**2).sum() / (a**2).sum()), "the logarithm of the ratio"),
    "mean over the traces": (
        _gain(lambda b, a, s: _decibels((b**2).sum(1), (a**2).sum(1)).mean()),
        "not the mean of the gains",
    ),
    "absolute values": (_gain(lambda b, a, s: _decibels(abs(b).sum(), abs(a).sum())), "not their absolute values"),
    "variances": (_gain(lambda b, a, s: _decibels(b.var(), a.var())), "an offset that the answer adds"),
    "signal to noise": (_gain(lambda b, a, s: _decibels((s**2).sum(), (a**2).sum())), "not the signal"),
    "pulse in the noise": (
        lambda noisy, recovered, clean: _decibels((noisy**2).sum(), ((recovered - clean) ** 2).sum()),
        "not the trace with its pulse",
    ),
    "one for each trace": (_gain(lambda b, a, s: _decibels((b**2).sum(1), (a**2).sum(1))), "one number"),
}

# --- X17.2b -------------------------------------------------------------------------------------------------


def _pairs(n: int, random: np.random.Generator, **change: Any) -> tuple[np.ndarray, np.ndarray]:
    """Fresh traces with noise and their pulses, (n, 500, 1), in units of the noise."""
    sample = radio.simulate(n, seed=random, **{"preset": "physics", "pulse_share": 1.0, **change})
    return (sample.traces / NOISE)[..., None], (sample.signals / NOISE)[..., None]


def _reached(output: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Gain in dB over all traces."""
    left = float(((np.asarray(output, float) - y) ** 2).sum())
    return float(10 * np.log10(float(((x - y) ** 2).sum()) / max(left, 1e-12)))


@task("X17.2b", section="17.4")
def train_denoiser(student: Any, random: np.random.Generator) -> str:
    model = student(*_pairs(N_TRAIN, random), TRAIN_EPOCHS)
    expect.is_model(model, name="the answer (return the model itself, not its history)")
    expect.output_shape(model, given=(4, 500, 1), is_=(4, 500, 1))
    expect.loss(model, "mse", because="the mean squared error: the gain is the same number in decibels")
    x, y = _pairs(N_TEST, random)
    answer = np.asarray(model.predict(x), float)
    power = float((answer**2).mean() / (y**2).mean())
    expect.at_least(
        power,
        0.01,
        because="pulses, not silence: has the network been fitted to the clean traces?",
        name="the power of the answers over that of the pulses",
    )
    expect.at_least(
        float(np.corrcoef(answer.ravel(), y.ravel())[0, 1]),
        -0.2,
        because="pulses with the right sign: the noise is what goes",
        name="the correlation of the answers with the pulses",
    )
    reached, subtracted = _reached(answer, x, y), _reached(x - answer, x, y)
    expect.holds(
        reached > subtracted,
        because="the pulse, not the noise: the clean trace is the target, the noisy one the input",
        seen=f"a gain of {reached:.1f} dB, but of {subtracted:.1f} dB for the trace minus the answer",
    )
    silence = _reached(0 * answer, x, y)
    expect.at_least(
        reached,
        silence + 2.5,
        because="clearly more than silence, and than any linear filter: activations between the convolutions",
        name="the gain in dB",
    )
    strong, wanted = _pairs(200, random, snr=5.0)
    turned = np.asarray(model.predict(-strong), float)
    expect.at_least(
        _reached(turned, -strong, -wanted),
        _reached(model.predict(strong), strong, wanted) - 4.0,
        because="pulses of either sign recovered equally well: the training traces hold both",
        name="the gain in dB with strong pulses turned over",
    )
    expect.at_most(
        reached,
        24.0,
        because="not clearly above the limit of about 22 dB: were these traces seen in the training?",
        name="the gain in dB",
    )
    expect.reaches("X17.2b", reached, name=f"the gain on {N_TEST} new traces")
    return f"{reached:.1f} dB on {N_TEST} new traces, of which {silence:.1f} dB are for silence"


@bar("X17.2b", better="higher", unit="dB", source="simulated")
def measure(seed: int) -> float:
    import keras

    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    model = reference("X17.2b")(*_pairs(N_TRAIN, draw), TRAIN_EPOCHS)
    x, y = _pairs(N_TEST, draw)
    return _reached(model.predict(x, batch_size=500, verbose=0), x, y)


def _trains(
    *, target: str = "clean", loss: str = "mse", events: int = 320, fit: bool = True, history: bool = False
) -> Callable[..., Any]:
    """A train_denoiser() that learns something else, or too little: one layer of 128 samples."""

    def train_denoiser(noisy: Any, clean: Any, epochs: int) -> Any:
        import keras

        weights = keras.layers.Conv1D(1, 129, padding="same", kernel_initializer="zeros")
        model = keras.Sequential([keras.Input(shape=(500, 1)), weights])
        model.compile(keras.optimizers.Adam(1e-2), loss=loss)
        wanted = {"clean": clean, "noisy": noisy, "noise": noisy - clean, "minus": -clean}[target]
        x = clean if target == "noisy" else noisy
        record = model.fit(x[:events], wanted[:events], batch_size=32, epochs=4, verbose=0) if fit else None
        return record if history else model

    return train_denoiser


def _one_number(noisy: Any, clean: Any, epochs: int) -> Any:
    import keras

    model = keras.Sequential([keras.Input(shape=(500, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile(loss="mse")
    return model


train_denoiser.hints = (
    "fit(noisy, clean): the corrupted traces go in, the clean ones are the target.",
    "A stride of 5 leaves 100 places. With five filters at the end Reshape((500, 1)) puts five samples at each.",
    "CosineDecay(0.004, steps) with steps = epochs * ceil(n / 64) as the learning rate of Adam.",
)
train_denoiser.mistakes = {
    "history": (_trains(events=32, history=True), "not its history"),
    "one number": (_one_number, "output of shape (4, 500, 1)"),
    "absolute errors": (_trains(events=32, loss="mae"), "the same number in decibels"),
    "never fitted": (_trains(fit=False), "not silence"),
    "turned over": (_trains(target="minus"), "with the right sign"),
    "the noise is the target": (_trains(target="noise"), "the pulse, not the noise"),
    "a linear filter": (_trains(), "activations between the convolutions"),
}

quiz(
    "X17.2-q1",
    question="In a trace with a very weak pulse the network finds nothing certain. Trained with the mean squared "
    "error, what does it answer?",
    options=(
        "The most probable pulse, at full height.",
        "Something near zero: the mean over all pulses that could be there, of either sign and at any time.",
        "A random pulse, so that the power is right on average.",
        "The noise, unchanged.",
    ),
    answer=2,
    explanation="The loss is smallest for the posterior mean. Heights measured from such answers are too small, the "
    "more so the weaker the pulse.",
)

# --- M17.3 --------------------------------------------------------------------------------------------------

quiz(
    "M17.3-q1",
    question="The same autoencoder is trained with lattices above T = 3 only. What will the code follow?",
    options=(
        "Hardly anything: all waves have nearly the same variance there, the longest ones a little more.",
        "The temperature.",
        "The magnetisation, as well as before.",
        "The energy.",
    ),
    answer=1,
    explanation="Without correlations there is nothing to compress: 254 of 256 directions are lost whatever the two "
    "are. The structure factor is nearly flat far above the transition.",
)
