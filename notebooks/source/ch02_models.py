# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 2, title: Models for data analysis, level: 1, minutes: 85, sections: "2.1-2.3", data: [earthquakes, interpolation], fast: {N_QUAKES: 8000, EPOCHS_QUAKES: 8, N_STARTS: 2}}
# ---
# %% [markdown]
r"""
# Models for data analysis

**You will**

- see six kinds of data that physics produces, and bring them into the shapes that the layers of a network take;
- locate earthquakes as a physicist does: write down a model of the travel times, and adjust its two parameters by least squares;
- locate the same earthquakes with a network that is told neither a velocity nor the place of a station, and find out when that is better;
- watch a network learn a curve, from a random start to the limit that noise sets.

**You need** arrays in NumPy and chapter 1 of this course. **Time:** about 85 minutes. The cells themselves run in half a minute.

**You will see** six pictures of data, the place where eight circles meet, and a physicist who loses because of one percent.
"""

# %% tags=["setup"]
from dlphys import checks, datasets, plotting
from dlphys.simulators import airshower, calorimeter, earthquakes, events, series

check = checks.start("ch02_models")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)

# %% tags=["parameters"]
N_QUAKES = 20_000  # earthquakes to learn from
EPOCHS_QUAKES = 20  # how often the network sees them
N_POINTS = 1000  # points of the curve, four in five to learn from
N_STARTS = 3  # networks of each kind, with different random starts

# %% [markdown]
r"""
## Section 2.1: six kinds of data

Data of physics come in a few shapes. The list is the book's (Fig. 2.1 shows four of them), and the *shape* is that of the array for one event; a data set of $k$ events puts
$k$ in front, always as the first axis.

| kind | shape of one event | an example from physics |
|---|---|---|
| table | (variables,) | eight arrival times of an earthquake |
| sequence | (time,) or (time, variables) | the pulse of a light sensor |
| regular grid | (rows, columns, channels) | a camera, or a calorimeter with seven planes |
| grid with sequences | (time, rows, columns, channels) | a video, or sensors on a grid that record a trace each |
| point cloud | (points, coordinates) | hits of charged particles in a tracker |
| heterogeneous | several arrays of different shapes | an array of stations: maps *and* traces |

The next cell simulates six events of each kind.
"""

# %%
quakes = earthquakes.simulate(6, seed=check.seed)
pulses = series.pulses(6, seed=check.seed)
showers = calorimeter.simulate(6, seed=check.seed)
impacts = series.absorbers(6, seed=check.seed)
collisions = events.tracker_hits(6, seed=check.seed, preset="physics")
cascades = airshower.simulate_traces(6, seed=check.seed, preset="physics")

raw = {
    "table": quakes.times,  # s: P and S wave at four stations
    "sequence": pulses.signal,  # photoelectrons, every 2 ns
    "image": showers.voxels,  # GeV in the cells of seven planes
    "video": impacts.traces,  # vibrations of 4 x 4 sensors
    "cloud": collisions.hits,  # m; NaN after the last hit
}
for kind, values in raw.items():
    print(f"{kind:10s} {values.shape!s:18s} {values.dtype}")
print(f"{'ensemble':10s} time {cascades.time.shape}, signal {cascades.signal.shape},")
print(f"{'':10s} traces {cascades.traces.shape}")

# %%
figure, axes = plt.subplots(2, 3, figsize=(11, 6.8))
axis = axes[0, 0]
axis.imshow(quakes.times, cmap="cividis")
axis.set(xlabel="arrival time in s (P, S at each station)", ylabel="earthquake")
for (i, j), value in np.ndenumerate(quakes.times):
    middle = quakes.times.min() / 2 + quakes.times.max() / 2
    colour = "black" if value > middle else "white"
    axis.text(j, i, f"{value:.1f}", ha="center", va="center", fontsize=8, color=colour)
axis.set_title("table: one row an event\n(6 events, 8 variables)")

axis = axes[0, 1]
axis.plot(2 * np.arange(64), pulses.signal[0], drawstyle="steps-mid")
axis.set(xlabel="time (ns)", ylabel="signal (photoelectrons)")
axis.set_title("sequence: a light pulse\n(64 times,)")

axis = axes[0, 2]
mesh = axis.imshow(showers.voxels[0].sum(axis=2).T, origin="lower", cmap="cividis", norm="symlog")
figure.colorbar(mesh, label="energy, all planes (GeV)")
axis.set(xlabel="x (cell of 1 cm)", ylabel="y (cell of 1 cm)")
axis.set_title("regular grid: a calorimeter\n(15 rows, 15 columns, 7 planes)")

axis = axes[1, 0]
for row in range(4):
    for column in range(4):
        trace = impacts.traces[0, row, column]
        axis.plot(column + np.arange(128) / 150, row + trace / 160, color="C0", linewidth=0.8)
axis.set(xlabel="column of sensors, time inside", ylabel="row of sensors")
axis.set(xticks=range(4), yticks=range(4))
axis.set_title("grid with sequences: vibrations\n(4 rows, 4 columns, 128 times)")

axis = axes[1, 1]
axis.plot(*collisions.hits[0, :, :2].T, ".", markersize=4)
axis.set(xlabel="x (m)", ylabel="y (m)", aspect="equal")
axis.set_title(f"point cloud: hits in a tracker\n{collisions.hits[0].shape}, NaN after the last")

axis = axes[1, 2]
loudest = np.argmax(np.isfinite(cascades.signal).sum(axis=(1, 2)))
stations = axis.imshow(np.log10(cascades.signal[loudest]), origin="lower", cmap="cividis")
figure.colorbar(stations, label="log10(signal / VEM)")
axis.set(xlabel="column of stations", ylabel="row of stations")
axis.set_title("heterogeneous: an array of stations\nmaps (9, 9, 2) and traces (9, 9, 80)")
figure.suptitle("Six kinds of data, and the shape of their arrays")
plotting.show(
    "Six panels: a table of arrival times, a pulse in time, a calorimeter picture, traces on a grid, hits in a tracker, a map of stations.",
    figure,
)

# %% [markdown]
r"""
### What the layers of Keras take

Every layer takes an array of `float32` with the events along the first axis. What follows depends on the layer:

| layer | takes | of the kinds above |
|---|---|---|
| `Dense` | (n, variables) | table |
| `Conv1D` and the recurrent layers | (n, time, variables) | sequence |
| `Conv2D` | (n, rows, columns, channels) | regular grid |
| `Conv3D`, `ConvLSTM2D` | (n, time, rows, columns, channels) | grid with sequences |

The last axis always says *what* is recorded at one place or time. If that is one number, its length is 1, but the axis has to be there. Our impacts come with the time at the end, as
the data acquisition wrote it: (n, rows, columns, time). It has to move in front of the grid. Move axes with `np.moveaxis`; `reshape` keeps the order of the numbers and would
mix times with places.

**Your task.** Bring a table, a sequence, an image or a video into the shape and type that these layers take.
"""


# %% task="M2.1a" points=2
def for_keras(kind, values):
    """An array as a layer of Keras takes it: float32, and the last axis says what is recorded.

    kind: "table" with values (n, variables), "sequence" (n, time), "image" (n, rows, columns, channels),
    or "video" (n, rows, columns, time). Sequence and video record one number at each time.
    Returns (n, variables), (n, time, 1), (n, rows, columns, channels), (n, time, rows, columns, 1).
    """
    ### BEGIN SOLUTION
    single = values.astype("float32")
    if kind == "sequence":
        return single[:, :, np.newaxis]
    if kind == "video":
        frames = np.moveaxis(single, 3, 1)
        return frames[..., np.newaxis]
    return single
    ### END SOLUTION


# %% check="M2.1a"
check("M2.1a", for_keras)

# %% [markdown]
r"""
A point cloud has no fixed number of points, and an array needs one. So clouds are filled up to the length of the longest. Our tracker fills with NaN ("not a number"), and a single NaN makes every output of a network NaN.
Zero is no solution on its own either: a zero could be a hit in the middle of the detector. The cure is to fill with zeros and to say in one more column which rows are real.

**Your task.** Replace the NaN by zeros and append that column.
"""


# %% task="M2.1b" points=2
def cloud_for_keras(points):
    """Point clouds of different lengths as one array, with a column that marks the real points.

    points: (n, longest, d), rows of NaN after the last point of each cloud.
    Returns float32 (n, longest, d + 1): zeros in place of NaN; last column 1 for a real point, 0 for filling.
    """
    ### BEGIN SOLUTION
    missing = np.isnan(points[:, :, 0])
    filled = np.where(missing[:, :, np.newaxis], 0.0, points)
    marked = np.dstack([filled, ~missing])
    return marked.astype("float32")
    ### END SOLUTION


# %% check="M2.1b"
check("M2.1b", cloud_for_keras)

# %% [markdown]
r"""
Now each kind goes through a layer made for it, with four filters or nodes. For the cloud, one and the same `Dense` layer acts on every point, and the sum over the real points follows: whatever the
order of the points, the sum is the same. The ensemble has a network with two inputs (`keras.Model`), one for each kind of array; silent stations are NaN and become zeros.
"""

# %%
for_keras = check.catch_up("M2.1a", for_keras)
cloud_for_keras = check.catch_up("M2.1b", cloud_for_keras)

batch = {kind: for_keras(kind, raw[kind]) for kind in ["table", "sequence", "image", "video"]}
batch["cloud"] = cloud_for_keras(raw["cloud"])
outputs = {
    "table": layers.Dense(4)(batch["table"]),
    "sequence": layers.Conv1D(4, 5)(batch["sequence"]),
    "image": layers.Conv2D(4, 3)(batch["image"]),
    "video": layers.Conv3D(4, (5, 3, 3))(batch["video"]),
}
each_point = layers.Dense(4, activation="relu")


def sum_over_points(clouds):
    """The same nodes for every point, then the sum over the real ones: (n, longest, d + 1) to (n, 4)."""
    return (
        np.asarray(each_point(clouds[:, :, :3]))
        .astype(float)
        .sum(axis=1, where=clouds[:, :, 3:] > 0)
    )


outputs["cloud"] = sum_over_points(batch["cloud"])

maps, traces = keras.Input((9, 9, 2)), keras.Input((9, 9, 80))
from_maps = layers.Flatten()(layers.Conv2D(4, 3)(maps))
from_traces = layers.Flatten()(layers.Dense(4)(traces))  # the same nodes for every station
ensemble = keras.Model(
    [maps, traces], layers.Dense(3)(layers.Concatenate()([from_maps, from_traces]))
)
two_maps = np.nan_to_num(np.stack([cascades.time * 1e6, cascades.signal], axis=3))  # us, VEM
outputs["ensemble"] = ensemble([two_maps, np.nan_to_num(cascades.traces)])

for kind, values in batch.items():
    print(
        f"{kind:10s} {raw[kind].shape!s:18s} -> {values.shape!s:20s} -> {tuple(outputs[kind].shape)}"
    )
print(
    f"{'ensemble':10s} {two_maps.shape} and {cascades.traces.shape} -> {tuple(outputs['ensemble'].shape)}"
)

# %% covers="M2.1"
hits = batch["cloud"].shape[1]
check.claim("M2.1", outputs["sequence"].shape, (6, 60, 4), wrong=raw["sequence"].shape)
check.claim("M2.1", outputs["image"].shape, (6, 13, 13, 4), wrong=(6, 15, 15, 4))
check.claim("M2.1", outputs["video"].shape, (6, 124, 2, 2, 4), wrong=(6, 2, 2, 124, 4))
check.claim("M2.1", batch["cloud"].shape, (6, hits, 4), wrong=(6, hits, 3))

order = np.random.default_rng(check.seed).permutation(hits)
moved = np.abs(sum_over_points(batch["cloud"][:, order]) - outputs["cloud"]).max()
first_points = np.abs(
    each_point(batch["cloud"][:, order, :3]) - each_point(batch["cloud"][:, :, :3])
).max()
check.claim("M2.1", moved, at_most=1e-4, wrong=first_points)

# %%
check.quiz("M2.1-q1")

# %% tags=["instructor"]
# A map on a regular grid keeps what is next to what. Flattened into a table the numbers are the same, but a network has to
# learn the neighbourhood from data. Ask for kinds of a phone: microphone (sequence), camera (grid), video, GPS (table or sequence).
check.quiz("M2.1-q1", 2)

# %% [markdown]
r"""
## Section 2.2: a physicist's model

**Example 2.1.** An earthquake sends out two waves: a compression wave with the speed $v_P$ and a shear wave with the speed $v_S < v_P$. A station $i$ at the distance $d_i$ from the epicentre registers
them at the times
$$t_{i,P} = \frac{d_i}{v_P}, \qquad t_{i,S} = \frac{d_i}{v_S}, \qquad d_i = \left|\vec e - \vec s_i\right| .$$
That is the model: it follows from physics, and it has two parameters that we do not know, the coordinates of the epicentre $\vec e$.

**Your task.** Write the model for one earthquake and any number of stations.
"""


# %% task="X2.1a" points=1
def arrival_times(epicentre, stations, v_p, v_s):
    """Arrival times (s) of both waves at every station.

    epicentre: (2,) in km; stations: (k, 2) in km; v_p, v_s: speeds in km/s.
    Returns (k, 2): one row a station, P wave in column 0, S wave in column 1.
    """
    ### BEGIN SOLUTION
    distance = np.linalg.norm(stations - epicentre, axis=1)
    return np.column_stack([distance / v_p, distance / v_s])
    ### END SOLUTION


# %% check="X2.1a"
check("X2.1a", arrival_times)

# %% [markdown]
r"""
Now the data: earthquakes along the border of two plates, four stations, and clocks that are read with an error of 0.05 s. The speeds are those of the upper crust of the Earth, 5.8 and 3.36 km/s.

*The book's numbers.* Its Table 7.1 has been made with 7 and 5 km/s. A medium with this ratio, 1.4, would become *thicker* when it is stretched; in rock the ratio is about 1.7. We use the speeds of rock here, and the book's
in chapters 3 and 7.
"""

# %%
arrival_times = check.catch_up("X2.1a", arrival_times)

TIMING_ERROR = 0.05  # s
V_P, V_S = earthquakes.CRUST_P_SPEED, earthquakes.CRUST_S_SPEED  # km/s
STATIONS = earthquakes.STATIONS  # km


def simulate(n, seed):
    """Arrival times (n, 8) in s and epicentres (n, 2) in km."""
    quakes = earthquakes.simulate(
        n, seed=seed, preset="physics", depth=False, origin_time=False, timing_error=TIMING_ERROR
    )
    return quakes.times.astype(float), quakes.epicentres.astype(float)


times_test, places_test = simulate(1000, check.seed + 1)

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4))
axes[0].plot(*places_test.T, ".", markersize=3, label="epicentres")
axes[0].plot(*STATIONS.T, "^", color=plotting.COLOURS[2], markersize=10, label="stations")
axes[0].set(xlabel="x (km)", ylabel="y (km)", aspect="equal", xlim=(-50, 50), ylim=(-50, 50))
axes[0].set_title("Where they were")
axes[0].legend(loc="upper right")
distance = np.linalg.norm(places_test[:200, np.newaxis] - STATIONS, axis=2)
expected = np.array([arrival_times(place, STATIONS, V_P, V_S) for place in places_test[:200]])
for wave, name, marker in [(1, "S wave", "x"), (0, "P wave", ".")]:
    colour = plotting.COLOURS[wave]
    axes[1].plot(
        distance.ravel(), times_test[:200, wave::2].ravel(), marker, color=colour, markersize=4
    )
    along = np.argsort(distance.ravel())
    axes[1].plot(
        distance.ravel()[along], expected[:, :, wave].ravel()[along], color=colour, label=name
    )
axes[1].set(xlabel="distance to the station (km)", ylabel="arrival time (s)")
axes[1].set_title("Dots: registered. Lines: your model")
axes[1].legend()
figure.suptitle("Two waves, two straight lines: t = d / v")
plotting.show(
    "Left: map of earthquakes and four stations. Right: arrival times against distance lie on two straight lines.",
    figure,
)

# %% [markdown]
r"""
### From times to a place

Each station knows how far away the earthquake was: it lies on a circle with the radius $v_P\,t_{i,P}$, and, by the other wave, on a circle with the radius $v_S\,t_{i,S}$. The eight circles do not meet in one point, because the clocks err. What is the best place? The one at which the model comes closest to
*all* eight times. "Close" needs a measure, and the usual one is the sum of squares in units of the error,
$$\chi^2(\vec e) = \sum_{i}\ \sum_{w = P,\,S} \left(\frac{t_{i,w} - t_{i,w}^{\,\text{model}}(\vec e)}{\sigma_t}\right)^2 .$$
If the errors are Gaussian, the smallest $\chi^2$ is the most likely place, and with a probability of 68 % the true place lies where $\chi^2$ is less than 2.3 above its minimum.

**Your task.** Write $\chi^2$ for one earthquake.
"""


# %% task="X2.1b" points=1
def chi_square(epicentre, times, stations, v_p, v_s, timing_error):
    """How far the registered times are from the model, as one number without a unit.

    epicentre: (2,) in km; times: (k, 2) in s, columns P and S; stations: (k, 2) in km;
    v_p, v_s in km/s; timing_error: standard deviation of each time, s.
    """
    ### BEGIN SOLUTION
    pulls = (times - arrival_times(epicentre, stations, v_p, v_s)) / timing_error
    return np.sum(pulls**2)
    ### END SOLUTION


# %% check="X2.1b"
check("X2.1b", chi_square)

# %%
chi_square = check.catch_up("X2.1b", chi_square)

from_the_middle = np.linalg.norm(places_test, axis=1)
number = np.flatnonzero((from_the_middle > 16) & (from_the_middle < 24))[0]
place, times = places_test[number], times_test[number].reshape(4, 2)
x = place[0] + np.linspace(-0.7, 0.7, 61)
y = place[1] + np.linspace(-0.7, 0.7, 61)
landscape = np.array(
    [[chi_square(np.array([a, b]), times, STATIONS, V_P, V_S, TIMING_ERROR) for a in x] for b in y]
)
above = landscape - landscape.min()
best = np.unravel_index(landscape.argmin(), landscape.shape)

figure, axes = plt.subplots(1, 2, figsize=(11, 4.9))
for axis in axes:
    for station, radii in zip(STATIONS, times * [V_P, V_S], strict=True):
        for radius, style in zip(radii, ["-", "--"], strict=True):
            axis.add_patch(plt.Circle(station, radius, fill=False, linestyle=style, zorder=2))
    axis.plot(
        *place, "*", color="white", markeredgecolor="black", markersize=15, zorder=3, label="true"
    )
    axis.set(aspect="equal", xlabel="x (km)", ylabel="y (km)")
    axis.locator_params(nbins=5)
axes[0].plot(*STATIONS.T, "^", color=plotting.COLOURS[2], markersize=10)
axes[0].set(xlim=(-50, 50), ylim=(-50, 50), title="P waves solid, S waves dashed")
shades = plt.get_cmap("cividis_r")([0.0, 0.15, 0.3, 0.45])
mesh = axes[1].contourf(x, y, above, levels=[0, 2.3, 6.2, 11.8], colors=shades, extend="max")
figure.colorbar(mesh, label=r"$\chi^2 - \chi^2_\mathrm{min}$", format="{x:.1f}")
axes[1].plot(
    x[best[1]], y[best[0]], "o", color=plotting.COLOURS[1], zorder=3, label=r"smallest $\chi^2$"
)
axes[1].set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), title="Magnified; innermost: 68 % region")
axes[1].legend(loc="upper right")
figure.suptitle("Eight circles meet within some hundred metres")
plotting.show(
    "Left: eight circles about four stations meet at the epicentre. Right: chi-square around it, smallest near the true place.",
    figure,
)

# %% [markdown]
r"""
### Down to the minimum

A map of $\chi^2$ for each earthquake would do, but there is a faster way. For a small step $\vec\delta$ the model is nearly linear:
$$t_{i,w}^{\,\text{model}}(\vec e + \vec\delta) \approx t_{i,w}^{\,\text{model}}(\vec e) + \frac{\vec u_i\cdot\vec\delta}{v_w}, \qquad
\vec u_i = \frac{\vec e - \vec s_i}{d_i} .$$
$\vec u_i$ is the unit vector from the station to the epicentre: moving by one kilometre along it delays the wave by $1/v_w$. So the eight differences $t_{i,w} - t_{i,w}^{\,\text{model}}(\vec e)$ are to be explained by eight rows
$\vec u_i/v_w$ times two unknowns $\vec\delta$: a linear least-squares problem, which `np.linalg.lstsq(rows, differences, rcond=None)[0]` solves. Take the step, and repeat. This is the method of Gauss and Newton.

**Your task.** Write one step. Mind that rows and differences come in the same order.
"""


# %% task="X2.1c" points=3
def improve(epicentre, times, stations, v_p, v_s):
    """One step of Gauss and Newton towards the smallest chi-square; returns the new epicentre (2,) in km.

    epicentre: (2,) in km, not on a station; times: (k, 2) in s, columns P and S; stations: (k, 2) in km;
    v_p, v_s in km/s.
    """
    ### BEGIN SOLUTION
    away = epicentre - stations
    unit = away / np.linalg.norm(away, axis=1)[:, np.newaxis]
    difference = times - arrival_times(epicentre, stations, v_p, v_s)
    rows = np.concatenate([unit / v_p, unit / v_s])
    explained = np.concatenate([difference[:, 0], difference[:, 1]])
    return epicentre + np.linalg.lstsq(rows, explained, rcond=None)[0]
    ### END SOLUTION


# %% check="X2.1c"
check("X2.1c", improve)

# %% [markdown]
r"""
Every fit starts in the middle of the stations and takes ten steps. Two comparisons:

- with the fit of the simulator, `earthquakes.triangulate`, which is written for speed: the two should agree to the millimetre;
- with the bound of Cramér and Rao: no *unbiased* method has a smaller error on average. It follows from the slopes $\vec u_i/v_w$ alone, before any data are taken. The bound is no limit for a method that knows more than the times, for
  example where earthquakes happen; such a method may be biased and better.
"""

# %%
improve = check.catch_up("X2.1c", improve)


def locate(times):
    """Epicentre (2,) in km from the times (4, 2) of one earthquake."""
    epicentre = np.zeros(2)
    for _ in range(10):
        epicentre = improve(epicentre, times, STATIONS, V_P, V_S)
    return epicentre


def errors(places):
    """Distances (km) to the true epicentres of the test earthquakes."""
    return np.linalg.norm(places - places_test, axis=1)


def root_mean_square(distance):
    """Root mean square of distances, and its statistical error."""
    square = np.mean(distance**2)
    return np.sqrt(square), np.std(distance**2) / np.sqrt(len(distance)) / (2 * np.sqrt(square))


fitted = np.array([locate(times.reshape(4, 2)) for times in times_test])
by_simulator = earthquakes.triangulate(times_test, v_p=V_P, v_s=V_S)
covariance = earthquakes.cramer_rao(places_test, timing_error=TIMING_ERROR, v_p=V_P, v_s=V_S)
bound = np.sqrt(np.mean(covariance[:, 0, 0] + covariance[:, 1, 1]))
fit_error, its_error = root_mean_square(errors(fitted))
print(
    f"your fit and that of the simulator differ by at most {np.abs(fitted - by_simulator).max():.1e} km"
)
print(f"root mean square distance to the truth: {fit_error:.3f} +- {its_error:.3f} km")
print(f"bound of Cramer and Rao:                {bound:.3f} km")

# %% covers="X2.1"
one_step = np.array(
    [improve(np.zeros(2), times.reshape(4, 2), STATIONS, V_P, V_S) for times in times_test]
)
check.claim(
    "X2.1",
    np.abs(fitted - by_simulator).max(),
    at_most=1e-4,
    wrong=np.abs(one_step - by_simulator).max(),
)
check.claim(
    "X2.1",
    fit_error / bound,
    1,
    tolerance=0.15,
    wrong=root_mean_square(errors(one_step))[0] / bound,
)

# %% [markdown]
r"""
### An earthquake of your own

One earthquake of the collection is yours: it belongs to your name, and nobody else has its epicentre. The clocks were better that day, 0.005 s.

**Your task.** Return its epicentre. Start in the middle of the stations, and take as many steps as it needs.
"""

# %%
own_times, own_stations, own_v_p, own_v_s = check.own_data("X2.1d")
print("arrival times in s (rows: stations, columns: P, S)")
print(own_times.round(3))


# %% task="X2.1d" points=1
def own_epicentre(times, stations, v_p, v_s):
    """Epicentre (2,) of your own earthquake in km.

    times: (k, 2) in s, columns P and S; stations: (k, 2) in km; v_p, v_s in km/s: what `check.own_data("X2.1d")` returns.
    """
    ### BEGIN SOLUTION
    found = np.mean(stations, axis=0)
    for _ in range(30):
        found = improve(found, times, stations, v_p, v_s)
    return found
    ### END SOLUTION


# %% check="X2.1d"
check("X2.1d", own_epicentre)

# %%
check.quiz("X2.1-q1")

# %% tags=["instructor"]
# The fit reaches the bound: with the right model nothing unbiased can do better. Far from the stations the circles cross at small angles, so the
# direction is less certain than the distance; the 68 % region of the figure is long across the line of sight.
check.quiz("X2.1-q1", 3)

# %% [markdown]
r"""
### A data-driven model

**Example 2.2.** Now the other way. A network gets the eight times and returns two numbers. It is told neither a speed nor the place of a station; it sees examples with the true epicentre and adjusts its parameters until its outputs come close.

The fit had two parameters for each earthquake and a model that was right. The network has thousands of parameters and a model that can be anything. Before you train it: by how many percent may the *speeds* that the physicist assumes be wrong before the network locates better?
"""

# %%
check.predict(
    "2.2-percent",
    None,
    question="From which error of the assumed speeds on does the network win, in percent?",
)

# %%
times_train, places_train = simulate(N_QUAKES, check.seed + 2)
mean, width = times_train.mean(axis=0), times_train.std(axis=0)


def train_network(start):
    """A network with two hidden layers of 64 nodes, trained from random weights; returns a function from times to places."""
    keras.utils.set_random_seed(start)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(2),
        ]
    )
    slowing_down = keras.optimizers.schedules.CosineDecay(
        0.01, EPOCHS_QUAKES * (N_QUAKES // 256 + 1)
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(slowing_down), steps_per_execution=25)
    inputs, targets = (times_train - mean) / width, places_train / 10  # numbers of the order of 1
    model.fit(inputs, targets, batch_size=256, epochs=EPOCHS_QUAKES, verbose=0)
    return lambda times: 10 * np.asarray(model((times - mean) / width))


networks = [train_network(check.seed + start) for start in range(N_STARTS)]
network_errors = np.array(
    [root_mean_square(errors(network(times_test)))[0] for network in networks]
)
network_error, spread = network_errors.mean(), network_errors.std(ddof=1)
print(
    f"network: {network_error:.3f} km, standard deviation over {N_STARTS} random starts {spread:.3f} km"
)
print(f"fit with the right model: {fit_error:.3f} +- {its_error:.3f} km")

# %%
percent = np.arange(-5, 5.5, 0.5)
wrong_speeds = np.array(
    [
        root_mean_square(
            errors(
                earthquakes.triangulate(
                    times_test, v_p=V_P * (1 + p / 100), v_s=V_S * (1 + p / 100)
                )
            )
        )[0]
        for p in percent
    ]
)
too_fast = percent >= 0
break_even = np.interp(network_error, wrong_speeds[too_fast], percent[too_fast])

figure, axis = plt.subplots(figsize=(7.6, 4.4))
axis.plot(percent, wrong_speeds, "o-", label="least squares (baseline)")
axis.axhspan(network_error - spread, network_error + spread, color=plotting.COLOURS[1], alpha=0.4)
axis.axhline(network_error, color=plotting.COLOURS[1], label=f"network, {N_STARTS} random starts")
axis.axhline(
    bound, color=plotting.INK, linestyle="--", label="bound for unbiased methods (Cramér, Rao)"
)
axis.set(
    xlabel="error of the assumed speeds (%)",
    ylabel="rms distance to the truth (km)",
    ylim=(0, None),
)
axis.set_title(f"The network wins if the speeds are wrong by more than {break_even:.1f} %")
axis.legend()
plotting.show(
    "Error of the least-squares fit against the error of the assumed speeds, a V with its tip at the Cramer-Rao bound; the network is a horizontal line.",
    figure,
)
check.confront("2.2-percent", break_even, unit="%")

# %% [markdown]
r"""
With the right model, physics wins, and it needs no examples at all. With a model that is wrong by a little, examples win: the network has no prejudice about the speeds. The speeds of real rock are known to some percent and change from place to place.

Is the comparison fair? The network had thousands of earthquakes with known epicentres. A physicist would use them too, to *measure* the speeds: the best straight line $t = d/v$ through all pairs has the slope
$\frac1v = \sum t\,d / \sum d^2$.
"""

# %%
distance = np.linalg.norm(places_train[:, np.newaxis] - STATIONS, axis=2)
v_p_measured = np.sum(distance**2) / np.sum(distance * times_train[:, 0::2])
v_s_measured = np.sum(distance**2) / np.sum(distance * times_train[:, 1::2])
calibrated = root_mean_square(
    errors(earthquakes.triangulate(times_test, v_p=v_p_measured, v_s=v_s_measured))
)
print(f"measured speeds: {v_p_measured:.4f} and {v_s_measured:.4f} km/s (true: {V_P} and {V_S})")
print(f"least squares with measured speeds: {calibrated[0]:.3f} +- {calibrated[1]:.3f} km")

# %% [markdown]
r"""
So the choice is not between physics and data. If the *form* of the model is right, a few examples fix its parameters. If nobody knows the form (layers of rock, depths, clocks that are off), a network finds one. And known laws may be built into a network.

### What the network takes for granted

The network has never heard of stations, but it relies on their order: input 1 is always the P wave at station 1. Two technicians exchange cables. **Your task.** Bring the times of all earthquakes into another order of the stations; the two waves of a station stay together.
"""


# %% task="X2.2a" points=1
def reorder(times, order):
    """Arrival times with the stations in another order.

    times: (n, 8): P and S of station 0, P and S of station 1, and so on; order: list of four station numbers.
    Returns (n, 8): first the two times of station order[0], then those of order[1], and so on.
    """
    ### BEGIN SOLUTION
    by_station = times.reshape(len(times), 4, 2)
    return by_station[:, order].reshape(len(times), 8)
    ### END SOLUTION


# %% check="X2.2a"
check("X2.2a", reorder)

# %%
reorder = check.catch_up("X2.2a", reorder)

cables = [1, 0, 2, 3]
exchanged = reorder(times_test, cables)
network_exchanged = np.mean(
    [root_mean_square(errors(network(exchanged)))[0] for network in networks]
)
told = earthquakes.triangulate(exchanged, v_p=V_P, v_s=V_S, stations=STATIONS[cables])
print(
    f"network, cables of two stations exchanged: {network_exchanged:6.2f} km instead of {network_error:.2f} km"
)
print(f"least squares, told of the exchange:       {root_mean_square(errors(told))[0]:6.2f} km")

# %% covers="X2.2"
five_percent = wrong_speeds[percent == 5].item()
check.claim("X2.2", network_error / fit_error, at_least=1.2, wrong=calibrated[0] / fit_error)
check.claim("X2.2", network_error, at_most=five_percent, wrong=network_exchanged)
check.claim("X2.2", calibrated[0] / bound, 1, tolerance=0.15, wrong=network_error / bound)
check.claim("X2.2", network_exchanged, at_least=5 * network_error, wrong=network_error)

# %%
check.quiz("X2.2-q1")

# %% tags=["instructor"]
# Why is the network not at the bound? The eight times are nearly redundant (two numbers determine them), so there are six combinations that carry only noise.
# Weights along these directions start at random and matter little for the loss, so training removes them last. Longer training helps slowly: 0.34 km after 20 epochs, 0.27 km after 100.
check.quiz("X2.2-q1", 1)

# %% [markdown]
r"""
## Section 2.3: how data make a model

A network is adjusted by comparing its outputs $f(x_i)$ with the *labels* $y_i$, the values it should have given. The comparison is one number, the *objective*:
$$L = \frac1k \sum_{i=1}^{k} \Delta_i^2, \qquad \Delta_i = f(x_i) - y_i .$$
Training makes $L$ small. The labels appear in $L$ and nowhere else: they are never an input.

**Your task.** Write the objective. A trap: networks return the shape $(k, 1)$, labels often come as $(k,)$, and NumPy subtracts the two without complaint into a table of $k \times k$ numbers.
"""


# %% task="X2.3a" points=1
def objective(prediction, label):
    """Mean of the squared residuals, one number.

    prediction: (k, 1) or (k,), outputs of the network; label: (k,) or (k, 1).
    """
    ### BEGIN SOLUTION
    residuals = np.ravel(prediction) - np.ravel(label)
    return np.mean(residuals * residuals)
    ### END SOLUTION


# %% check="X2.3a"
check("X2.3a", objective)

# %% [markdown]
r"""
**Example 2.3.** One input $x$, one output $f(x)$, and points that scatter about an unknown curve. The network in between has three hidden layers with 30 nodes each. The book does not say which activation; we take $\tanh$, which makes smooth curves.

**Your task.** Build it. What should the last layer do, if the curve reaches up to 10?
"""


# %% task="X2.3b" points=2
def build_curve():
    """Network 1 - 30 - 30 - 30 - 1 with tanh in the hidden layers and a linear output; not compiled."""
    ### BEGIN SOLUTION
    model = keras.Sequential([keras.Input((1,))])
    for _ in range(3):
        model.add(layers.Dense(30, activation="tanh"))
    model.add(layers.Dense(1))
    return model
    ### END SOLUTION


# %% check="X2.3b"
check("X2.3b", build_curve)

# %% [markdown]
r"""
An *epoch* is one pass through all training points. Here each epoch has two updates, each from half of the points. After every tenth epoch we compute the objective for 4000 test points that the network has never seen, and after 50, 100, 200 and 800 epochs we keep the curve.

The points have noise with the standard deviation 0.5. What is the smallest mean squared error on new points that any curve can reach?
"""

# %%
check.predict("2.3-limit", None, question="Smallest mean squared error on new points?")

# %%
objective = check.catch_up("X2.3a", objective)
build_curve = check.catch_up("X2.3b", build_curve)

NOISE = 0.5
SNAPSHOTS = (50, 100, 200, 800)
data = datasets.load_interpolation(N_POINTS, seed=check.seed, noise=NOISE, test=4000)
limit = NOISE**2


def learn_curve(start):
    """Train; returns the epochs, training and test loss at these epochs, and the curve at the snapshots."""
    keras.utils.set_random_seed(start)
    model = build_curve()
    slowing_down = keras.optimizers.schedules.CosineDecay(0.02, 2 * SNAPSHOTS[-1])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(slowing_down))
    record, curves = [], {}
    for epoch in range(1, SNAPSHOTS[-1] + 1):
        model.train_on_batch(data.x_train[0::2], data.y_train[0::2])
        model.train_on_batch(data.x_train[1::2], data.y_train[1::2])
        if epoch % 10 == 0:
            seen, new = np.asarray(model(data.x_train)), np.asarray(model(data.x_test))
            record.append((epoch, objective(seen, data.y_train), objective(new, data.y_test)))
        if epoch in SNAPSHOTS:
            curves[epoch] = np.asarray(model(grid))[:, 0]
    return np.array(record), curves, model


grid = np.linspace(-10, 10, 401)[:, np.newaxis]
runs = [learn_curve(check.seed + start) for start in range(N_STARTS)]
records = np.array([record for record, _, _ in runs])  # (starts, times, 3)
test_loss = {epoch: records[:, records[0, :, 0] == epoch, 2].ravel() for epoch in SNAPSHOTS}

# %%
along = np.argsort(data.x_test[:, 0])
figure, axes = plt.subplots(2, 2, figsize=(10, 6.6), sharex=True, sharey=True)
for axis, epoch in zip(axes.flat, SNAPSHOTS, strict=True):
    axis.plot(
        data.x_train, data.y_train, ".", color=plotting.GREY, markersize=3, label="training points"
    )
    axis.plot(
        data.x_test[along],
        data.extra_test["truth"][along],
        color=plotting.INK,
        linewidth=1,
        label="true curve",
    )
    axis.plot(grid, runs[0][1][epoch], color=plotting.COLOURS[1], linewidth=2.5, label="network")
    axis.set(title=f"after {epoch} epochs: test loss {test_loss[epoch][0]:.2f}, limit {limit:.2f}")
for axis in axes[1]:
    axis.set(xlabel="$x$ (without unit)")
for axis in axes[:, 0]:
    axis.set(ylabel="$f(x)$ (without unit)")
axes[0, 0].legend(fontsize="small")
figure.suptitle("From a smooth line to the curve behind the points")
plotting.show(
    "Four panels of noisy points and the network's curve after 50, 100, 200 and 800 epochs; it follows more and more peaks.",
    figure,
)

# %%
figure, axis = plt.subplots(figsize=(7.6, 4.2))
for number, record in enumerate(records):
    first = number == 0
    axis.semilogy(
        record[:, 0],
        record[:, 1],
        color=plotting.COLOURS[0],
        linewidth=1,
        label="training points" if first else None,
    )
    axis.semilogy(
        record[:, 0],
        record[:, 2],
        color=plotting.COLOURS[1],
        linewidth=1,
        label="test points" if first else None,
    )
for epoch in SNAPSHOTS:
    axis.axvline(epoch, color=plotting.GREY, linewidth=0.8, linestyle=":")
axis.axhline(limit, color=plotting.INK, linestyle="--", label="limit: variance of the noise")
axis.set(xlabel="epoch", ylabel="objective (mean squared residual)")
axis.set_yticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
axis.minorticks_off()
axis.set_title(f"The objective falls to the noise: {N_STARTS} random starts")
axis.legend()
plotting.show(
    "Training and test objective of several random starts against the epoch, falling towards the variance of the noise.",
    figure,
)
for epoch, losses in test_loss.items():
    print(
        f"{epoch:4d} epochs: test loss {losses.mean():.3f}, standard deviation over {N_STARTS} starts {losses.std(ddof=1):.3f}"
    )
uncertainty = limit * np.sqrt(2 / len(data.y_test))
noise_of_the_test = objective(data.extra_test["truth"], data.y_test)
print(f"limit {limit:.3f}; noise of these test points {noise_of_the_test:.3f} +- {uncertainty:.3f}")
check.confront("2.3-limit", limit)

# %% covers="X2.3"
parameters = runs[0][2].count_params()
check.claim("X2.3", parameters, 1951, wrong=3 * 30 * 30)
check.claim(
    "X2.3", test_loss[800].mean(), at_least=limit - 3 * uncertainty, wrong=limit - 4 * uncertainty
)
check.claim("X2.3", test_loss[800].mean() / limit, at_most=2.0, wrong=test_loss[50].mean() / limit)

# %%
check.quiz("X2.3-q1")

# %% tags=["instructor"]
# The limit is the variance of the noise: the true curve itself has this mean squared error on new points. On the training points the objective may fall below it,
# since the curve then follows the noise (chapter 5). Let students set N_POINTS = 100 and look at the gap between the two.
check.quiz("X2.3-q1", 4)

# %% [markdown]
r"""
## Key points

- Six kinds of data: table, sequence, grid, grid with sequences, point cloud, ensemble. Events along the first axis, what is recorded along the last, `float32`, no NaN.
- A physicist's model has few parameters with a meaning. If it is right, least squares reaches the bound for unbiased methods; if it is wrong by a little, the result is wrong by a lot.
- A network is a model without prejudice. It needs labelled examples, and it takes for granted what never changed in them, such as the order of the stations.
- The objective compares outputs with labels; training makes it small. On new data it cannot fall below the variance of the noise.

Chapter 3 looks inside the network; chapter 7 returns to the earthquakes.
"""

# %%
check.summary()
