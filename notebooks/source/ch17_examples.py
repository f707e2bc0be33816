# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 17, title: "Autoencoders: anomalies, noise and an order parameter", level: 3, minutes: 65, sections: "17.2-17.4", data: [top_jets, noisy_radio_traces, ising], fast: {TRAININGS: 1, N_JETS: 3600, EPOCHS_JETS: 4, N_TRACES: 3600, EPOCHS_TRACES: 3, N_LIMIT: 60, N_LATTICES: 3900, EPOCHS_LATTICES: 8}}
# ---
# %% [markdown]
r"""
# Autoencoders: anomalies, noise and an order parameter

**You will**

- let an autoencoder learn what ordinary jets look like, and use what it cannot draw as a sign of something new;
- find out what such an anomaly score really measures, and when it points the wrong way;
- free radio pulses of air showers from noise that drowns them, and count the decibels;
- see a code of two numbers rediscover the magnetisation, without ever having been told of it.

**You need** convolutions (chapter 8), `keras.Model`, ROC curves, and the beginning of `ch17_autoencoders`.
**Time:** about 65 minutes, in any order; the cells run in about a minute.

**You will see** that an autoencoder is only as clever as the question it is asked, and that the cheapest baselines are hard to beat.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, metrics, plotting
from dlphys.simulators import ising, jets, radio

check = checks.start("ch17_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
TRAININGS = 3  # of each network, for the spread
N_JETS = 9_000  # half QCD, half top; a third of them for the test
SIZE = 20  # pixels along each side of a jet image
CODE = 8  # numbers that an autoencoder may keep of a jet
EPOCHS_JETS = 6
N_TRACES = 9_000  # radio traces, five sixths of them for training
EPOCHS_TRACES = 5
N_LIMIT = 300  # traces for the posterior mean, which is slow
N_LATTICES = 6_500
EPOCHS_LATTICES = 12

# %% [markdown]
r"""
## Example 17.1: anomalies among jets

New particles may hide in jets that look unusual. What is unusual? Nobody knows beforehand, so nobody can label it. The idea of the book's example (Heimel, Kasieczka, Plehn and Thompson, *QCD or what?*): train an autoencoder with ordinary jets **only**. It learns to draw them from a code of a few numbers. A jet that is made differently
will be drawn badly, and its reconstruction error

$$L(x, x') = \sum_i (x_i - x'_i)^2 , \qquad x' = f(g(x)) \tag{17.1, 17.2}$$

is the *anomaly score* (the book's mean over the pixels, times their number). Here the ordinary jets come from quarks and gluons (QCD), and the anomalies are jets of boosted top quarks with three prongs. The autoencoder never meets one in training.

An image is 1.6 x 1.6 in azimuth and pseudorapidity, centred, turned and flipped; a pixel holds the square root of its share of the transverse momentum. So the squares of an image add up to 1, and the score has a meaning: 0 for a perfect copy, 1 for a blank sheet.

**Your task.** Build the two halves, as two models. The encoder: two convolutions with 8 and 16 filters of 3 x 3 and a stride of 2 each, with ELU, then a dense layer to the code. The decoder goes back: a dense layer with ELU, `Reshape`, and twice `UpSampling2D` with a convolution after it (8 filters with ELU, then 1 filter). Neither the code nor the image has an activation.
"""


# %% task="X17.1" points=3
def build_autoencoder(size, code):
    """Encoder and decoder of square images with one channel, two Keras models that are not compiled.

    size: pixels along each side, a multiple of 4; code: length of the code.
    Returns encoder, (n, size, size, 1) -> (n, code), and decoder, (n, code) -> (n, size, size, 1).
    """
    ### BEGIN SOLUTION
    small = size // 4
    encoder = keras.Sequential(
        [
            keras.Input((size, size, 1)),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="elu"),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="elu"),
            layers.Flatten(),
            layers.Dense(code),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((code,)),
            layers.Dense(16 * small**2, activation="elu"),
            layers.Reshape((small, small, 16)),
            layers.UpSampling2D(),
            layers.Conv2D(8, 3, padding="same", activation="elu"),
            layers.UpSampling2D(),
            layers.Conv2D(1, 3, padding="same"),
        ]
    )
    return encoder, decoder
    ### END SOLUTION


# %% check="X17.1"
check("X17.1", build_autoencoder)

# %% [markdown]
r"""
**Before you run it.** The area under the ROC curve (AUC) is the probability that a top jet has the larger score than a QCD jet: 0.5 is guessing. What do you expect of the autoencoder? And of the *mass* of the jet alone, which needs no network?
"""

# %%
check.predict("X17.1-area", None, question="Area under the ROC curve of the reconstruction error?")

# %%
build_autoencoder = check.catch_up("X17.1", build_autoencoder)
jet_data = datasets.load_top_jets(N_JETS, seed=check.seed, view="images", size=SIZE)
ordinary = {
    "QCD": jet_data.x_train[jet_data.y_train == 0],
    "top": jet_data.x_train[jet_data.y_train == 1],
}
x_jets = np.concatenate([jet_data.x_validation, jet_data.x_test])
is_top = np.concatenate([jet_data.y_validation, jet_data.y_test])
extra = {
    name: np.concatenate([jet_data.extra_validation[name], jet_data.extra_test[name]])
    for name in ("mass", "pt", "soft_drop_mass", "tau_32")
}
pixels_hit = (x_jets > 0).sum(axis=(1, 2, 3))
print(
    f"{len(ordinary['QCD'])} QCD jets to learn from, {len(x_jets)} jets to test, half of them top"
)


def train_autoencoder(images, seed):
    """Learn to draw one kind of jets; what becomes of the test jets, (n, SIZE, SIZE, 1)."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(build_autoencoder(SIZE, CODE))
    steps = EPOCHS_JETS * -(-len(images) // 64)
    rate = keras.optimizers.schedules.CosineDecay(5e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "mse")
    model.fit(images, images, batch_size=64, epochs=EPOCHS_JETS, verbose=0)
    return model.predict(x_jets, batch_size=500, verbose=0)


def anomaly_score(images, drawn):
    """Sum of the squared differences of all pixels, (n,)."""
    return ((images - drawn) ** 2).sum(axis=(1, 2, 3))


drawn = {
    kind: [train_autoencoder(images, check.seed + number) for number in range(TRAININGS)]
    for kind, images in ordinary.items()
}
score = {kind: [anomaly_score(x_jets, image) for image in drawn[kind]] for kind in drawn}

# %% [markdown]
r"""
With what shall it be compared? *Baselines* without any network: the mass of the jet; the number of pixels that were hit; the distance from the average QCD image, which is an autoencoder with a code of length zero; and the reconstruction error of a principal component analysis with as many numbers (a *linear* autoencoder, section 17.3). And two *oracles*, which are told what an anomaly looks like, as a search for the unknown cannot be: the same encoder trained with the labels, and the ratio of the histograms of two observables made for tops (the mass after soft drop and $\tau_{32}$) in labelled training jets.
"""


# %%
def principal_components(images, count):
    """Reconstructions of the test jets from the mean image and the first principal components."""
    mean = images.mean(axis=0)
    axes = np.linalg.svd((images - mean).reshape(len(images), -1), full_matrices=False)[2][:count]
    flat = (x_jets - mean).reshape(len(x_jets), -1)
    return (flat @ axes.T @ axes).reshape(x_jets.shape) + mean


def supervised(seed):
    """An oracle: the encoder with one more layer, trained to tell top from QCD; its output for the test jets."""
    keras.utils.set_random_seed(seed)
    encoder, _ = build_autoencoder(SIZE, 32)
    model = keras.Sequential([encoder, layers.ELU(), layers.Dense(1, activation="sigmoid")])
    rate = keras.optimizers.schedules.CosineDecay(
        3e-3, EPOCHS_JETS * -(-len(jet_data.x_train) // 64)
    )
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    model.fit(jet_data.x_train, jet_data.y_train, batch_size=64, epochs=EPOCHS_JETS, verbose=0)
    return model.predict(x_jets, batch_size=500, verbose=0)[:, 0]


def two_observables(values):
    return np.column_stack([values["soft_drop_mass"], values["tau_32"]])


expert = jets.histogram_ratio(
    two_observables(jet_data.extra_train), jet_data.y_train, two_observables(extra)
)
AVERAGE = ordinary["QCD"].mean(axis=0)
rivals = {
    "autoencoder": score["QCD"],
    "jet mass (baseline)": [extra["mass"]],
    "number of pixels (baseline)": [pixels_hit],
    "distance from the mean image (baseline)": [anomaly_score(x_jets, AVERAGE)],
    "principal components (baseline)": [
        anomaly_score(x_jets, principal_components(ordinary["QCD"], CODE))
    ],
    "network with labels (oracle)": [supervised(check.seed)],
    "two observables with labels (oracle)": [expert],
}
area = {}
for name, scores in rivals.items():
    found = [metrics.area_under_roc(values, is_top) for values in scores]
    area[name] = np.mean([value for value, _ in found]), found[0][1]
    values = ", ".join(f"{value:.3f}" for value, _ in found)
    spread = f"  ({len(found)} trainings: {values})" if len(found) > 1 else ""
    print(f"{name:40s} AUC {area[name][0]:.3f} +- {area[name][1]:.3f}{spread}")
check.confront("X17.1-area", area["autoencoder"][0])

# %%
figure, axis = plt.subplots(figsize=(6.4, 4.6))
for colour, (name, scores) in zip([*plotting.COLOURS, plotting.INK], rivals.items(), strict=False):
    order = np.argsort(-scores[0])
    tops, qcd = np.cumsum(is_top[order] == 1), np.cumsum(is_top[order] == 0)
    style = "-" if name == "autoencoder" else ":" if "oracle" in name else "--"
    axis.plot(qcd / qcd[-1], tops / tops[-1], style, color=colour, label=f"{name}, {area[name][0]:.3f}")  # fmt: skip
axis.plot([0, 1], [0, 1], color=plotting.GREY, lw=1)
axis.set(xlabel="share of QCD jets above the cut", ylabel="share of top jets above the cut")
lead = area["autoencoder"][0] - area["jet mass (baseline)"][0]
verdict = "better than" if lead > 0.01 else "worse than" if lead < -0.01 else "as good as"
axis.set_title(f"The reconstruction error finds tops, {verdict} the mass alone")
axis.legend(fontsize=8, title="area under the curve", title_fontsize=8)
plotting.show("ROC curves of the autoencoder, of four baselines without labels and of two oracles with labels. The observables made for tops are best.", figure)  # fmt: skip

# %%
examples = {
    kind: np.flatnonzero((is_top == label) & (np.abs(extra["mass"] - mass) < 5))[0]
    for kind, label, mass in [("QCD", 0, 60), ("top", 1, 173)]
}
figure, axes = plt.subplots(2, 4, figsize=(10.5, 5.2))
for row, (kind, i) in zip(axes, examples.items(), strict=True):
    pictures = {
        f"average {kind} jet": x_jets[is_top == (kind == "top")].mean(axis=0),
        f"one {kind} jet, {extra['mass'][i]:.0f} GeV": x_jets[i],
        "reconstruction": drawn["QCD"][0][i],
        f"difference, score {score['QCD'][0][i]:.2f}": x_jets[i] - drawn["QCD"][0][i],
    }
    for axis, (name, picture) in zip(row, pictures.items(), strict=True):
        shade = (
            {"cmap": "RdBu", "vmin": -0.4, "vmax": 0.4}
            if "difference" in name
            else {"cmap": "gray_r", "vmin": 0, "vmax": 0.4}
        )
        shown = axis.imshow(picture[..., 0], origin="lower", extent=(-0.8, 0.8) * 2, **shade)
        axis.set_title(name, fontsize=9.5)
        axis.set(xticks=[-0.8, 0, 0.8], yticks=[-0.8, 0, 0.8])
axes[1, 0].set(xlabel="pseudorapidity", ylabel="azimuth (rad)")
figure.suptitle("An autoencoder that knows QCD jets blurs the prongs of a top")
plotting.show("Upper row QCD, lower row top: the average image, one jet, its reconstruction by an autoencoder trained with QCD jets, and the difference, which is larger for the top.", figure)  # fmt: skip

# %% covers="X17.1"
shares = (x_jets**2).sum(axis=(1, 2, 3))
auto = area["autoencoder"][0]
check.claim("X17.1", np.abs(shares - 1).max(), at_most=1e-4, wrong=np.abs(x_jets.sum(axis=(1, 2, 3)) - 1).max())  # fmt: skip
check.claim("X17.1", auto, at_least=0.83, wrong=area["number of pixels (baseline)"][0])
check.claim("X17.1", auto - area["jet mass (baseline)"][0], at_most=0.02, wrong=auto - area["number of pixels (baseline)"][0])  # fmt: skip
check.claim("X17.1", area["two observables with labels (oracle)"][0] - auto, at_least=0.02, wrong=auto - auto)  # fmt: skip

# %% [markdown]
r"""
### What does the score measure?

It ranks about nine of ten pairs rightly, without labels. But so does the mass, and the linear autoencoder is no worse. Two questions to any anomaly score.

**What is it correlated with?** Look at QCD jets alone: among them there is no anomaly, and still the score rises with the mass. A heavy jet is a wide jet with more structure, and more structure is harder to draw. A search for a bump in the mass spectrum that cuts on such a score *shapes* the background to look like the signal (chapter 13 has ways out).

**Does it work the other way round?** Train with tops, and let QCD jets be the anomalies.
"""

# %%
reverse = [metrics.area_under_roc(values, 1 - is_top) for values in score["top"]]
area["reverse"] = np.mean([value for value, _ in reverse]), reverse[0][1]
linear_reverse = metrics.area_under_roc(
    anomaly_score(x_jets, principal_components(ordinary["top"], CODE)), 1 - is_top
)
print(f"trained with QCD, tops are the anomalies: AUC {area['autoencoder'][0]:.3f} +- {area['autoencoder'][1]:.3f}")  # fmt: skip
print(f"trained with tops, QCD the anomalies:     AUC {area['reverse'][0]:.3f} +- {area['reverse'][1]:.3f}; principal components {linear_reverse[0]:.3f}")  # fmt: skip
qcd = is_top == 0
depends = {}
for name, values in {"mass": extra["mass"], "pixels hit": pixels_hit, "pt": extra["pt"]}.items():
    depends[name] = metrics.correlation_with_error(score["QCD"][0][qcd], values[qcd])
    print(f"correlation of the score with {name:10s} among QCD jets: {depends[name][0]:+.2f} +- {depends[name][1]:.2f}")  # fmt: skip
window = (extra["mass"] > 145) & (extra["mass"] < 185)
within = metrics.area_under_roc(score["QCD"][0][window], is_top[window])
print(f"AUC among the {window.sum()} jets between 145 and 185 GeV: {within[0]:.2f} +- {within[1]:.2f}")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2))
edges = np.linspace(20, 220, 11)
for label, kind, colour in [(0, "QCD", plotting.COLOURS[0]), (1, "top", plotting.COLOURS[1])]:
    mine = is_top == label
    axes[0].plot(
        extra["mass"][mine], score["QCD"][0][mine], ".", ms=2, alpha=0.4, color=colour, label=kind
    )
    axes[1].hist(
        score["top"][0][mine], np.linspace(0, 1, 41), histtype="step", color=colour, label=kind
    )
bins = np.digitize(extra["mass"], edges) - 1
filled = [k for k in range(10) if (qcd & (bins == k)).sum() > 10]
median = [np.median(score["QCD"][0][qcd & (bins == k)]) for k in filled]
axes[0].plot(
    (edges[:-1] + 10)[filled], median, "o-", ms=1.5, color=plotting.INK, label="QCD, median in bins"
)
axes[0].set(xlabel="jet mass (GeV)", ylabel="anomaly score", xlim=(0, 300), ylim=(0, 1.05))
axes[0].set_title(f"trained with QCD: correlation {depends['mass'][0]:.2f} among QCD jets")
axes[1].set(xlabel="anomaly score", ylabel="jets per bin")
axes[1].set_title(f"trained with tops: AUC {area['reverse'][0]:.2f} for QCD jets")
for axis in axes:
    axis.legend(fontsize=9, markerscale=4)
figure.suptitle("The score measures complexity: heavy jets stand out, simple ones never do")
plotting.show("Left: the score of an autoencoder trained with QCD jets rises with the jet mass, for QCD jets too. Right: for one trained with tops, QCD jets have the smaller scores.", figure)  # fmt: skip

# %% covers="X17.1"
check.claim("X17.1", depends["mass"][0], at_least=0.55, wrong=depends["pt"][0])
check.claim("X17.1", area["reverse"][0], at_most=0.42, wrong=area["autoencoder"][0])
check.claim("X17.1", within[0], at_most=auto - 0.05, wrong=auto)

# %%
check.quiz("X17.1-q1")

# %% [markdown]
r"""
## Example 17.2: radio pulses without noise

The radio pulse of an air shower lasts some ten nanoseconds; the antenna stretches it, and hears the Galaxy and transmitters as well, so that the trace of 500 samples at 180 MHz shows little but noise. A **de-noising autoencoder** gets the corrupted trace $\tilde x$ and is judged by the clean one $x$,

$$\mathcal{L} = L\big(x, f(g(\tilde x))\big). \tag{17.6}$$

It needs no narrow code: copying the input would be a bad answer. The clean pulses come from the simulation, as in the study of the book's example (Erdmann, Schlüter and Šmída).

How good is it? Take the power of the noise that is left, $\sum (x' - x)^2$ over all samples **and all traces**, and compare it with that before, $\sum (\tilde x - x)^2$. In decibels, ten times the decimal logarithm of a ratio of powers:

$$\text{gain} = 10 \lg \frac{\sum (\tilde x - x)^2}{\sum (x' - x)^2}\ \mathrm{dB}.$$

The sums come before the ratio: then the gain is the mean squared error in another unit, and the best possible estimate, the mean of the posterior, is a limit for it.

**Your task.** Write it.
"""


# %% task="X17.2a" points=1
def snr_gain(noisy, recovered, clean):
    """How much less noise is left in all traces together, in dB.

    noisy, recovered, clean: arrays (n, samples), in the same unit. Returns one number.
    """
    ### BEGIN SOLUTION
    before = np.sum((noisy - clean) ** 2)
    return float(10 * np.log10(before / np.sum((recovered - clean) ** 2)))
    ### END SOLUTION


# %% check="X17.2a"
check("X17.2a", snr_gain)

# %% [markdown]
r"""
Before any network, the classical filters, on traces that nothing is trained with.

- **Silence.** Answer zero. No physicist would; but look at its gain.
- **Band-pass** (baseline). Pulses and noise are confined to 30 to 80 MHz already. Since the Galaxy is loudest at low frequencies, only 50 to 80 MHz are let through.
- **Wiener filter** (baseline): each frequency is weighted by its share of signal power, the best linear filter for pulses at any time.
- **Posterior mean** (limit): it knows the distributions of noise and pulses exactly and averages over all pulses that could be in the trace. No method has a smaller mean squared error on average.
"""

# %%
snr_gain = check.catch_up("X17.2a", snr_gain)
SETTING = {"preset": "physics", "pulse_share": 1.0}
traces = datasets.load_noisy_radio_traces(N_TRACES, seed=check.seed)
noisy = np.concatenate([traces.x_validation, traces.x_test])[
    ..., 0
]  # in 0.1 mV, the RMS of the noise
clean = np.concatenate([traces.y_validation, traces.y_test])[..., 0]
ratio = np.concatenate([traces.extra_validation["snr"], traces.extra_test["snr"]])

in_band = (radio.FREQUENCIES >= 30) & (radio.FREQUENCIES <= 80)
of_pulse = (np.abs(np.fft.rfft(traces.y_train[..., 0])) ** 2).mean(axis=0)[in_band]
of_noise = (np.abs(np.fft.rfft((traces.x_train - traces.y_train)[..., 0])) ** 2).mean(axis=0)[
    in_band
]
print(
    f"power of the pulses over that of the noise: at most {(of_pulse / of_noise).max():.2f} at any frequency"
)


def band_pass(x):
    passed = (radio.FREQUENCIES > 50) & (radio.FREQUENCIES < 80)
    return np.fft.irfft(np.fft.rfft(x) * passed, radio.SAMPLES)


recovered = {
    "silence": np.zeros_like(clean),
    "band-pass (baseline)": band_pass(noisy),
    "Wiener filter (baseline)": radio.wiener_filter(0.1 * noisy, **SETTING) / 0.1,
}
best = radio.posterior_mean(0.1 * noisy[:N_LIMIT], **SETTING) / 0.1
for name, answer in recovered.items():
    print(f"{name:26s} {snr_gain(noisy, answer, clean):5.2f} dB")
print(f"{'posterior mean (limit)':26s} {snr_gain(noisy[:N_LIMIT], best, clean[:N_LIMIT]):5.2f} dB, {N_LIMIT} traces")  # fmt: skip

# %% [markdown]
r"""
*A trap.* Silence gains decibels, more than the band-pass. There is more noise than pulse in a trace, so that throwing away both looks like a success; and since no frequency carries more pulse than noise, every frequency that is let through costs. A gain means something only beside that of silence. The distance between the best linear filter and the limit is the room for a network.

**Your task.** Train it. One that does well: the encoder is `Conv1D` with 24 filters of 16 samples and a stride of 5, so that 100 places are left, and three `Conv1D` with 32 filters of 9 places, all with ReLU and padding "same". The decoder is a `Conv1D` with 5 filters of 5 places, without activation, and `Reshape((500, 1))`: each place gives its five samples back.
Mean squared error, Adam with a learning rate that falls along a cosine from 0.004 to zero over all steps, batches of 64. Return the trained model.
"""


# %% task="X17.2b" points=3
def train_denoiser(noisy, clean, epochs):
    """Train a convolutional network to remove the noise, and return it.

    noisy, clean: (n, 500, 1), traces with noise and the pulses in them. The model takes and gives (n, 500, 1).
    """
    ### BEGIN SOLUTION
    encoder = [layers.Conv1D(24, 16, strides=5, padding="same", activation="relu")]
    for _ in range(3):
        encoder.append(layers.Conv1D(32, 9, padding="same", activation="relu"))
    decoder = [layers.Conv1D(5, 5, padding="same"), layers.Reshape((500, 1))]
    denoiser = keras.Sequential([keras.Input((500, 1)), *encoder, *decoder])
    batches = epochs * -(-len(noisy) // 64)
    falling = keras.optimizers.schedules.CosineDecay(4e-3, batches)
    denoiser.compile(optimizer=keras.optimizers.Adam(falling), loss="mse")
    denoiser.fit(noisy, clean, batch_size=64, epochs=epochs, verbose=0)
    return denoiser
    ### END SOLUTION


# %%
denoiser = None  # until train_denoiser is written
keras.utils.set_random_seed(check.seed)
denoiser = train_denoiser(traces.x_train, traces.y_train, EPOCHS_TRACES)

# %% check="X17.2b"
check("X17.2b", train_denoiser, result=denoiser)

# %%
train_denoiser = check.catch_up("X17.2b", train_denoiser)
denoisers = [] if denoiser is None else [denoiser]
while len(denoisers) < TRAININGS:
    keras.utils.set_random_seed(check.seed + len(denoisers))
    denoisers.append(train_denoiser(traces.x_train, traces.y_train, EPOCHS_TRACES))
answers = [
    model.predict(noisy[..., None], batch_size=500, verbose=0)[..., 0] for model in denoisers
]
recovered["network"] = answers[0]


def gain_with_error(before, after, truth):
    """Gain in dB and its error, from 200 samples of the traces drawn with replacement."""
    power = [((x - truth) ** 2).sum(axis=1) for x in (before, after)]
    again = random.integers(0, len(truth), (200, len(truth)))
    gains = 10 * np.log10(power[0][again].sum(axis=1) / power[1][again].sum(axis=1))
    return snr_gain(before, after, truth), gains.std()


def samples_off(answer, truth):
    """How far the largest |sample| of an answer lies from that of the pulse, in samples of 5.6 ns."""
    return np.abs(np.abs(answer).argmax(axis=1) - np.abs(truth).argmax(axis=1))


gain, in_time = {}, {}
for name, answer in {"nothing": noisy, **recovered, "posterior mean (limit)": best}.items():
    n = len(answer)
    gain[name] = gain_with_error(noisy[:n], answer, clean[:n])
    in_time[name] = metrics.accuracy_with_error(samples_off(answer, clean[:n]) <= 1)
    far = np.mean(samples_off(answer, clean[:n]) > 9)
    peak = f"peak right to one sample in {in_time[name][0]:.3f} +- {in_time[name][1]:.3f}, off by more than 50 ns in {far:.3f}"
    print(f"{name:26s} {gain[name][0]:5.2f} +- {gain[name][1]:.2f} dB, {peak if name != 'silence' else 'no peak'}")  # fmt: skip
trainings = [snr_gain(noisy, answer, clean) for answer in answers]
same = [snr_gain(noisy[:N_LIMIT], answer[:N_LIMIT], clean[:N_LIMIT]) for answer in answers]
print(f"{len(trainings)} trainings of the network: {', '.join(f'{value:.2f}' for value in trainings)} dB;")  # fmt: skip
print(f"on the {N_LIMIT} traces of the limit: {', '.join(f'{value:.2f}' for value in same)} dB")

# %%
chosen = np.flatnonzero((ratio[:N_LIMIT] > 2.8) & (ratio[:N_LIMIT] < 3.4))[0]
time = np.arange(radio.SAMPLES) / radio.SAMPLING  # us
middle = time[np.abs(clean[chosen]).argmax()]
rows = {"noisy trace": noisy, **recovered, "posterior mean (limit)": best}
del rows["silence"]
figure, axes = plt.subplots(len(rows), 1, figsize=(8.5, 7), sharex=True, sharey=True)
for axis, (name, values) in zip(axes, rows.items(), strict=True):
    axis.plot(time, 0.1 * values[chosen], color=plotting.COLOURS[0], lw=1.4, label=name)
    axis.plot(time, 0.1 * clean[chosen], color=plotting.COLOURS[1], lw=0.9, label="true pulse")
    axis.legend(loc="upper right", fontsize=8)
axes[-1].set(xlabel="time (us)", xlim=(middle - 0.5, middle + 0.7))
axes[len(rows) // 2].set_ylabel("voltage (mV)")
figure.suptitle(
    f"A new trace, peak {ratio[chosen]:.1f} times the noise: what four methods leave of it"
)
plotting.show("A trace with noise and the same trace after a band-pass, a Wiener filter, the network and the posterior mean, each with the true pulse. The filters leave ripples everywhere, the last two are quiet away from the pulse.", figure)  # fmt: skip

# %%
edges = np.linspace(2, 6, 5)
which = np.digitize(ratio, edges) - 1
compared = {**recovered, "posterior mean": best}
curves = {}
for name, answer in compared.items():
    n = len(answer)
    bins = [np.flatnonzero(which[:n] == k) for k in range(4)]
    curves[name] = [snr_gain(noisy[rows], answer[rows], clean[rows]) for rows in bins]
plotting.lines(
    (edges[1:] + edges[:-1]) / 2,
    curves,
    dashed=[name for name in curves if name != "network"],
    xlabel="peak of the pulse / RMS of the noise",
    ylabel="gain (dB)",
    title="Linear filters stay near silence, the network rises above them",
)

# %% [markdown]
r"""
The network leaves a fraction of the noise that a Wiener filter leaves. (The band-pass seldom has its peak in the right place: in a dispersed pulse the frequencies arrive one after the other.) It is not linear: it decides *where* the pulse is, and is silent elsewhere. Where it is unsure it draws the pulse too small; where it is mistaken it draws one that was never there, without a warning. Up to the limit some decibels remain, for larger networks and longer trainings.

**What has it learnt?** All test traces are new, but noise and pulses follow the same laws. Now other laws: transmitters with half of the noise power instead of a fifth; noise that is white in the band; and the old noise with another antenna, which spreads the pulse over 370 ns instead of 100. The network is not trained again, while the Wiener filter is told what changed. Guess first: which change hurts?
"""

# %%
laws = {
    "as in the training": {},
    "strong transmitters": {"rfi": 0.5},
    "white noise": {"noise": "white"},
    "another antenna": {"delay_spread": 370.0},
}
other = {}
for name, change in laws.items():
    setting = {**SETTING, **change}
    sample = radio.simulate(400, seed=check.seed + 1, **setting)
    x, truth = sample.traces / 0.1, sample.signals / 0.1
    by_network = denoisers[0].predict(x[..., None], batch_size=500, verbose=0)[..., 0]
    by_filter = radio.wiener_filter(sample.traces, **setting) / 0.1
    other[name] = {
        method: snr_gain(x, answer, truth)
        for method, answer in [("network", by_network), ("Wiener", by_filter), ("silence", 0 * x)]
    }
    far = np.mean(samples_off(by_network, truth) > 9)
    gains = ", ".join(f"{method} {value:5.2f} dB" for method, value in other[name].items())
    print(f"{name:20s} {gains}; network's peak off by more than 50 ns in {far:.2f}")

# %% [markdown]
r"""
Other noise does little harm. Another pulse does: the network draws the pulses that it was trained with, or nothing. What it has learnt above all is what a *signal* looks like, from a simulation; so the simulation of the antenna had better be right.
"""

# %% covers="X17.2"
wiener, limit = gain["Wiener filter (baseline)"], gain["posterior mean (limit)"]
check.claim("X17.2", min(trainings), at_least=wiener[0] + 3, wrong=gain["silence"][0])
check.claim("X17.2", max(same), at_most=limit[0] + limit[1], wrong=limit[0] + 4 * limit[1])
check.claim("X17.2", gain["band-pass (baseline)"][0] - gain["silence"][0], at_most=0.0, wrong=wiener[0] - gain["silence"][0])  # fmt: skip
above = {name: values["network"] - values["silence"] for name, values in other.items()}
check.claim("X17.2", above["white noise"], at_least=5.0, wrong=above["another antenna"])
check.claim("X17.2", above["another antenna"], at_most=4.0, wrong=above["as in the training"])
check.claim("X17.2", in_time["network"][0] - in_time["Wiener filter (baseline)"][0], at_least=0.05, wrong=0.0)  # fmt: skip

# %%
check.quiz("X17.2-q1")

# %% [markdown]
r"""
## Method: two numbers for a lattice

Spin lattices of 16 x 16 sites, at 26 temperatures on both sides of the transition. An autoencoder squeezes each of them through a code of **two** numbers. It is told neither temperature nor energy nor magnetisation. What will the two numbers be?

Statistical physics has an answer. The best *linear* code is given by the principal components, the directions of largest variance. On a lattice with periodic borders they must be waves, and the variance along a wave is its structure factor; the one that becomes large at the transition has infinite wavelength. Its amplitude is the sum of all spins. So the first principal component **is** the magnetisation $m$, up to a sign, and its share of the variance is $\langle m^2 \rangle$.

An autoencoder with hidden layers may find something better. Does it?
"""

# %%
lattices = datasets.load_ising(N_LATTICES, size=16, seed=check.seed)
x_spins = lattices.x_train.reshape(-1, 256)
spins = np.concatenate([lattices.x_validation, lattices.x_test]).reshape(-1, 256)
temperature = np.concatenate(
    [lattices.extra_validation["temperature"], lattices.extra_test["temperature"]]
)
magnetization = spins.mean(axis=1)


def squeeze(seed):
    """Train 256 - 64 - 16 - 2 - 16 - 64 - 256; code and reconstruction of the test lattices, and the decoder."""
    keras.utils.set_random_seed(seed)
    hidden = [layers.Dense(width, activation="elu") for width in (64, 16, 16, 64)]
    encoder = keras.Sequential([keras.Input((256,)), *hidden[:2], layers.Dense(2)])
    decoder = keras.Sequential([keras.Input((2,)), *hidden[2:], layers.Dense(256, "tanh")])
    model = keras.Sequential([encoder, decoder])
    steps = EPOCHS_LATTICES * -(-len(x_spins) // 64)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=10)
    model.fit(x_spins, x_spins, batch_size=64, epochs=EPOCHS_LATTICES, verbose=0)
    code = encoder.predict(spins, batch_size=1000, verbose=0)
    return code, decoder.predict(code, batch_size=1000, verbose=0), decoder


def follows(code, quantity):
    """Largest correlation of any direction in the code with a quantity: signs and axes of a code are arbitrary."""
    columns = np.column_stack([code, np.ones(len(code))])
    fitted = columns @ np.linalg.lstsq(columns, quantity, rcond=None)[0]
    return metrics.correlation_with_error(fitted, quantity)


squeezed = [squeeze(check.seed + number) for number in range(TRAININGS)]
mean = x_spins.mean(axis=0)
_, singular, waves = np.linalg.svd(x_spins - mean, full_matrices=False)
components = (spins - mean) @ waves[:2].T
by_waves = components @ waves[:2] + mean
share = singular**2 / (singular**2).sum()
board = np.indices((16, 16)).sum(axis=0) % 2 * 2 - 1
staggered = spins @ board.ravel() / 256  # the order parameter of an antiferromagnet
print(f"first components' shares of the variance: {np.round(share[:5], 3)}, <m^2> = {(x_spins.mean(axis=1) ** 2).mean():.3f}")  # fmt: skip
of_m = [follows(code, magnetization)[0] for code, *_ in squeezed]
of_staggered = [follows(code, staggered)[0] for code, *_ in squeezed]
linear = abs(metrics.correlation_with_error(components[:, 0], magnetization)[0])
print(f"principal component 1 and m: |correlation| {linear:.6f}")
print(f"code of the network and m: {', '.join(f'{value:.3f}' for value in of_m)}; and staggered magnetisation: {', '.join(f'{value:.3f}' for value in of_staggered)}")  # fmt: skip
loss = [((image - spins) ** 2).mean() for _, image, _ in squeezed]
linear_loss = ((by_waves - spins) ** 2).mean()
print(f"mean squared error: network {', '.join(f'{value:.4f}' for value in loss)}, principal components {linear_loss:.4f}")  # fmt: skip

# %%
code, image, decoder = squeezed[0]
figure, axes = plt.subplots(1, 3, figsize=(12, 3.9))
for axis, shade, name in [
    (axes[0], temperature, "temperature (J/k$_B$)"),
    (axes[1], magnetization, "magnetisation"),
]:
    points = axis.scatter(*code.T, c=shade, s=5, cmap="cividis")
    figure.colorbar(points, ax=axis, label=name)
    axis.set(xlabel="code 1", ylabel="code 2")
axes[2].scatter(magnetization, components[:, 0] / 16, s=5, c=temperature, cmap="cividis")
axes[2].set(xlabel="magnetisation", ylabel="principal component 1 / 16")
axes[2].set_title("linear", fontsize=10.5)
axes[0].set_title("network", fontsize=10.5)
axes[1].set_title("the same points", fontsize=10.5)
figure.suptitle(
    f"The code is the magnetisation: correlation {of_m[0]:.3f}, of the linear one {linear:.5f}"
)
plotting.show("The two numbers of the code for test lattices, coloured by temperature and by magnetisation: cold lattices in two clusters, one for each sign of the magnetisation, hot ones between them. Right: the first principal component is a straight line in the magnetisation.", figure)  # fmt: skip

# %% [markdown]
r"""
Cold lattices sit at the two ends, one for each sign; hot ones gather between them. A network that was never told about a phase transition has found its order parameter, and so does linear algebra in a second. Nor does the network draw the lattices any better: conditional on $m$, the pattern of a lattice can sit anywhere on the torus, and one more number does not say where.

**The reconstruction error as a thermometer.** A decoder that knows $m$ alone does best by painting every site with $m$: its error is $1 - m^2$. On the infinite lattice that would be $1 - M(T)^2$ with Onsager's magnetisation. Below, the error at each temperature, and how much it *varies* from lattice to lattice: the fluctuations of $m^2$, which are large near $T_c = 2.269\,J/k_B$ and nowhere else.
"""

# %%
levels = np.unique(temperature)
errors = {"network": ((image - spins) ** 2).mean(axis=1), "principal components (baseline)": ((by_waves - spins) ** 2).mean(axis=1), "m at every site (baseline)": 1 - magnetization**2}  # fmt: skip
average = {n: np.array([e[temperature == t].mean() for t in levels]) for n, e in errors.items()}
varies = {n: np.array([e[temperature == t].std() for t in levels]) for n, e in errors.items()}
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4))
for colour, name in zip(plotting.COLOURS, errors, strict=False):
    style = "o-" if name == "network" else "--"
    axes[0].plot(levels, average[name], style, ms=4, color=colour, label=name)
    axes[1].plot(levels, varies[name], style, ms=4, color=colour)
fine = np.linspace(1, 3.5, 400)
exact = 1 - ising.onsager_magnetization(fine) ** 2
axes[0].plot(fine, exact, ":", color=plotting.INK, label="$1 - M^2$, infinite lattice")
for axis, label in zip(axes, ["mean", "spread"], strict=True):
    axis.axvline(ising.CRITICAL_TEMPERATURE, color=plotting.GREY, lw=1)
    axis.set(xlabel="temperature (J/k$_B$)", ylabel=f"{label} of the squared error")
axes[0].legend(fontsize=8)
most_varied = levels[varies["network"].argmax()]
figure.suptitle(f"The error climbs at the transition, and fluctuates most at T = {most_varied:.1f}")
plotting.show("Left: mean reconstruction error over temperature for network, principal components and the magnetisation alone; all rise steeply near the critical temperature. Right: its standard deviation peaks there.", figure)  # fmt: skip

# %% covers="M17.3"
check.claim("M17.3", linear, at_least=0.999, wrong=abs(metrics.correlation_with_error(components[:, 1], magnetization)[0]))  # fmt: skip
check.claim("M17.3", share[0], (x_spins.mean(axis=1) ** 2).mean(), tolerance=0.01, wrong=share[1])
check.claim("M17.3", min(of_m), at_least=0.97, wrong=max(of_staggered))
check.claim("M17.3", min(loss) / linear_loss, at_least=0.97, at_most=1.05, wrong=1 / linear_loss)
check.claim("M17.3", most_varied, ising.CRITICAL_TEMPERATURE, tolerance=0.25, wrong=levels[average["network"].argmax()])  # fmt: skip

# %%
check.quiz("M17.3-q1")

# %% tags=["instructor"]
# X17.1: let the group shorten the code. With one or two numbers the score comes near to the distance from the mean image, with hundreds the autoencoder draws tops as well as QCD jets.
# Ask which jets lie in the upper tail of the QCD scores: hard gluon emissions at large angle, that is, the heavy ones. In a window of masses little of the separation is left.
# X17.2: train with "mae" and compare: the absolute error pays for the median, and the network falls silent more often.
# M17.3: train below 2.0 only; the code then is a sign. Train above 2.6 only, and two of the four longest waves may appear, or nothing.
for question, answer in [("X17.1-q1", 3), ("X17.2-q1", 2), ("M17.3-q1", 1)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- A reconstruction error finds what is *harder to draw* than the training data, which need not be what is new. Compare it with the mass, with the mean image and with a linear autoencoder; look for what it is correlated with; exchange the roles.
- The loss of a de-noising autoencoder is the mean squared error against the clean data, so the posterior mean is its limit. Judge a gain beside that of silence.
- A de-noising network learns what a signal looks like. It bears other noise better than other signals.
- A bottleneck finds the directions of large variance. Near a phase transition these are the order parameter, and a principal component analysis finds it too. Try the linear method first.
"""

# %%
check.summary()
