"""Checks of chapter 2: shapes of data, a physicist's model of earthquakes, and the objective of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import own_data, quiz, task
from dlphys.simulators import earthquakes

Array = np.ndarray

# --- section 2.1: six kinds of data ----------------------------------------------------------------------


@task("M2.1a", section="2.1")
def for_keras(student: Any, random: np.random.Generator) -> str:
    table, sequence = random.normal(size=(5, 8)), random.normal(size=(5, 20))
    image, video = random.normal(size=(5, 6, 6, 3)), random.normal(size=(5, 4, 4, 10))
    wanted = {
        "table": (table, (5, 8)),
        "sequence": (sequence, (5, 20, 1)),
        "image": (image, (5, 6, 6, 3)),
        "video": (video, (5, 10, 4, 4, 1)),
    }
    answers = {kind: student(kind, values) for kind, (values, _) in wanted.items()}
    for kind, (values, shape) in wanted.items():
        expect.shape(answers[kind], shape, name=f"the {kind} of shape {values.shape}")
        expect.dtype(answers[kind], "float32", name=f"the {kind}")
        expect.finite(answers[kind], name=f"the {kind}")
    expect.differs(
        answers["video"],
        video.reshape(5, 10, 4, 4, 1),
        because="moving the time axis is no reshape, which keeps the order of the numbers and mixes times with places",
        atol=1e-5,
    )
    expect.differs(
        answers["video"],
        np.swapaxes(video, 1, 3)[..., None],
        because="rows before columns: swapping the time with the rows turns every picture over its diagonal",
        atol=1e-5,
    )
    for kind, (values, _) in wanted.items():
        size = float(np.abs(answers[kind]).max() / np.abs(values).max())
        expect.holds(
            abs(size - 1) < 1e-3,
            because="the numbers themselves stay as they are: scaling is a step of its own (chapter 4)",
            seen=f"the largest entry of the {kind} has been multiplied by {size:.3g}",
            rung="known mistake",
        )
    frame = int(random.integers(10))
    expect.close(
        answers["video"][:, frame, :, :, 0],
        video[..., frame],
        rtol=1e-5,
        because="frame t of the video holds what all sensors recorded at time t",
        name="a frame",
        rung="physics",
    )
    for kind, right in (("table", table), ("sequence", sequence[..., None]), ("image", image)):
        expect.close(answers[kind], right, rtol=1e-5, because=f"the {kind} holds the same numbers", name=f"the {kind}")
    wide = random.normal(size=(2, 3, 5, 7))
    expect.shape(student("video", wide), (2, 7, 3, 5, 1), name="a video on a grid that is not square")
    return "events first, what is recorded last, and float32"


def _for_keras(**changes: Callable[[Array], Array]) -> Callable[[str, Array], Array]:
    """A wrong for_keras(): the right one with some kinds treated by another function."""
    right: dict[str, Callable[[Array], Array]] = {
        "table": lambda v: v,
        "sequence": lambda v: v[..., None],
        "image": lambda v: v,
        "video": lambda v: v.transpose(0, 3, 1, 2)[..., None],
    }

    def wrong(kind: str, values: Array) -> Array:
        return (right | changes)[kind](values).astype(np.float32)

    return wrong


for_keras.hints = (
    "Two of the four kinds need no new axis: their last axis says already what is recorded. All four need float32.",
    "values.astype('float32') changes the type, values[..., np.newaxis] adds an axis of length 1 at the end, and "
    "np.moveaxis(values, from, to) moves one.",
    "For a video: np.moveaxis(values, 3, 1) brings the time behind the events; then add the last axis.",
)
for_keras.mistakes = {
    "video reshaped": (
        _for_keras(video=lambda v: v.reshape(len(v), v.shape[3], v.shape[1], v.shape[2], 1)),
        "is no reshape",
    ),
    "time and rows swapped": (_for_keras(video=lambda v: np.swapaxes(v, 1, 3)[..., None]), "rows before columns"),
    "scaled": (_for_keras(image=lambda v: v / np.abs(v).max()), "scaling is a step of its own"),
    "times backwards": (
        _for_keras(video=lambda v: v.transpose(0, 3, 1, 2)[:, ::-1, ..., None]),
        "what all sensors recorded at time t",
    ),
    "time left at the end": (_for_keras(video=lambda v: v[..., None]), "the video of shape"),
    "one more axis for the image": (_for_keras(image=lambda v: v[..., None]), "the image of shape"),
    "axis in front": (_for_keras(sequence=lambda v: v[:, None]), "the sequence of shape"),
    "double precision": (
        lambda kind, values: _for_keras()(kind, values).astype(float),
        "float32",
    ),
}


def _clouds(random: np.random.Generator) -> Array:
    """Clouds of 3 to 9 points, filled with NaN; one real point has a coordinate 0, another one lies at the origin."""
    points = random.normal(size=(6, 9, 3))
    for cloud, length in zip(points, random.permutation([3, 4, 5, 6, 8, 9]), strict=True):
        cloud[length:] = np.nan
    points[0, 0, 0] = 0.0
    points[1, 1] = 0.0
    return points


@task("M2.1b", section="2.1")
def cloud_for_keras(student: Any, random: np.random.Generator) -> str:
    points = _clouds(random)
    missing = np.isnan(points[..., 0])
    answer = student(points)
    expect.shape(answer, (6, 9, 4), name="six clouds of at most nine points in three dimensions, with the column")
    expect.dtype(answer, "float32")
    expect.finite(answer)
    mark = answer[..., 3]
    expect.differs(mark, missing, because="1 marks a real point and 0 the filling, not the other way round")
    expect.holds(
        mark[1, 1] == 1,
        because="a point at the origin is real: ask where the NaN are, not where the zeros are",
        seen=f"a mark of {mark[1, 1]:g} for a point at (0, 0, 0)",
        rung="known mistake",
    )
    expect.holds(
        mark[0, 0] == 1,
        because="a point with one coordinate 0 is real as well",
        seen=f"a mark of {mark[0, 0]:g} for a point with x = 0",
        rung="known mistake",
    )
    expect.equal(
        np.asarray(mark.sum(axis=1)),
        np.asarray((~missing).sum(axis=1), dtype=np.float32),
        because="the marks of a cloud add up to its number of points",
        name="the sum of the marks",
        rung="physics",
    )
    filling = np.abs(answer[..., :3][missing])
    expect.at_most(
        filling,
        0.0,
        because="the filling is zero, so that a sum over all rows is the sum over the points",
        name="the largest number in the filling",
    )
    expect.close(
        answer[..., :3][~missing],
        points[~missing],
        rtol=1e-6,
        because="the real points stay as they are, in their order",
        name="the coordinates",
    )
    expect.equal(mark, (~missing).astype(np.float32), because="one mark for each row", name="the column of marks")
    return "a network can now tell a zero from nothing"


def _cloud(mark: Callable[[Array], Array], fill: Callable[[Array], Any] = lambda points: 0.0) -> Callable[..., Array]:
    """A cloud_for_keras() with another mark or another filling."""

    def wrong(points: Array) -> Array:
        filled = np.where(np.isnan(points), fill(points), points)
        return np.concatenate([filled, mark(points)[..., None]], axis=-1).astype(np.float32)

    return wrong


cloud_for_keras.hints = (
    "np.isnan(points[:, :, 0]) is True in the rows that are filling: an array (n, longest).",
    "np.where(condition, 0.0, points) puts zeros where the condition holds; the condition needs one more axis to "
    "fit the coordinates.",
    "Append the column ~missing, with one more axis at its end, by np.concatenate along axis 2 (or np.dstack); "
    "then astype('float32').",
)
cloud_for_keras.mistakes = {
    "mark inverted": (_cloud(lambda p: np.isnan(p[..., 0])), "not the other way round"),
    "zeros taken for filling": (_cloud(lambda p: np.nan_to_num(p).any(axis=-1)), "a point at the origin is real"),
    "one zero is enough": (
        _cloud(lambda p: (np.nan_to_num(p)[..., 0] != 0) | (p == 0).all(-1)),
        "with one coordinate 0",
    ),
    "all marked": (_cloud(lambda p: np.ones(p.shape[:2])), "its number of points"),
    "filled with the mean": (_cloud(lambda p: ~np.isnan(p[..., 0]), np.nanmean), "the filling is zero"),
    "no column": (lambda points: np.nan_to_num(points).astype(np.float32), "with the column"),
    "NaN left": (
        lambda points: np.concatenate([points, ~np.isnan(points[..., :1])], axis=-1).astype(np.float32),
        "finite numbers",
    ),
}

quiz(
    "M2.1-q1",
    question="A camera has 32 x 32 pixels. A colleague flattens each picture into a table with 1024 variables. "
    "What is lost for the network?",
    options=(
        "Some of the numbers: a table has fewer of them than a picture.",
        "Which pixels are neighbours: the layer has to find that out from examples.",
        "Nothing, since the numbers are the same.",
        "The brightness: a table has to be scaled.",
    ),
    answer=2,
    explanation="The numbers are all there, but a dense layer treats them in any order alike. Layers for grids "
    "(chapter 8) know what is next to what.",
)

# --- section 2.2: a physicist's model --------------------------------------------------------------------


def _quake(random: np.random.Generator) -> tuple[Array, Array, float, float]:
    """An epicentre, five stations around it that lie on no line, and two speeds."""
    stations = random.uniform(-20, 20, size=(5, 2)) + np.array([(-15, 15), (15, 15), (-15, -15), (15, -15), (0, 25)])
    place = random.uniform(1, 4, size=2) * random.choice([-1.0, 1.0], size=2)
    while np.linalg.norm(stations - place, axis=1).min() < 5:
        place = random.uniform(1, 6, size=2) * random.choice([-1.0, 1.0], size=2)
    v_s = float(random.uniform(2.5, 3.5))
    return place, stations, v_s * float(random.uniform(1.6, 1.9)), v_s


def _distance(place: Array, stations: Array) -> Array:
    return np.hypot(*(place - stations).T)


def _times(place: Array, stations: Array, v_p: float, v_s: float) -> Array:
    return _distance(place, stations)[:, None] / np.array([v_p, v_s])


@task("X2.1a", section="2.2")
def arrival_times(student: Any, random: np.random.Generator) -> str:
    place, stations, v_p, v_s = _quake(random)
    answer = student(place, stations, v_p, v_s)
    expect.shape(answer, (5, 2), name="the times at five stations")
    expect.finite(answer)
    d = _distance(place, stations)
    expect.differs(answer, d[:, None] * np.array([v_p, v_s]), because="a time is distance over speed, not times speed")
    expect.differs(answer, _times(place, stations, v_s, v_p), because="column 0 is the P wave, the faster one")
    expect.differs(
        answer,
        d[:, None] ** 2 / np.array([v_p, v_s]),
        because="the distance is the root of the sum of squares: the root is missing",
    )
    expect.differs(
        answer,
        np.abs(place - stations).sum(axis=1)[:, None] / np.array([v_p, v_s]),
        because="waves take the straight line, not first east and then north",
    )
    expect.differs(
        answer,
        _distance(0 * place, stations)[:, None] / np.array([v_p, v_s]),
        because="the distance from the epicentre, not from the middle of the map",
    )
    here = student(stations[2], stations, v_p, v_s)[2]
    expect.close(
        here,
        np.zeros(2),
        atol=1e-9,
        because="a station at the epicentre registers both waves at once",
        name="the pair of times",
        rung="physics",
    )
    expect.close(
        student(place, stations, 2 * v_p, 2 * v_s),
        np.asarray(answer) / 2,
        because="waves that are twice as fast need half the time",
        name="the times",
        rung="physics",
    )
    shift = random.normal(size=2)
    expect.close(
        student(place + shift, stations + shift, v_p, v_s),
        answer,
        because="only the difference of the positions counts: moving everything changes nothing",
        name="the times",
        rung="physics",
    )
    expect.close(answer, _times(place, stations, v_p, v_s), because="t = d / v for both waves", name="the times")
    return "nothing but t = d / v, and it fits all eight columns of the data"


arrival_times.hints = (
    "stations - epicentre is an array (k, 2): the way from the epicentre to each station, east and north.",
    "The distance is the length of each row: np.linalg.norm(..., axis=1), an array (k,).",
    "Divide the distances by each speed and put the two columns side by side with np.column_stack.",
)
arrival_times.mistakes = {
    "times speed": (
        lambda epicentre, stations, v_p, v_s: _distance(epicentre, stations)[:, None] * np.array([v_p, v_s]),
        "not times speed",
    ),
    "S before P": (lambda epicentre, stations, v_p, v_s: _times(epicentre, stations, v_s, v_p), "the faster one"),
    "no root": (
        lambda epicentre, stations, v_p, v_s: _distance(epicentre, stations)[:, None] ** 2 / np.array([v_p, v_s]),
        "the root is missing",
    ),
    "along the axes": (
        lambda epicentre, stations, v_p, v_s: np.abs(epicentre - stations).sum(axis=1)[:, None] / np.array([v_p, v_s]),
        "not first east",
    ),
    "from the middle of the map": (
        lambda epicentre, stations, v_p, v_s: _times(np.zeros(2), stations, v_p, v_s),
        "not from the middle",
    ),
    "one wave in both columns": (
        lambda epicentre, stations, v_p, v_s: _times(epicentre, stations, v_p, v_p),
        "for both waves",
    ),
    "stations in columns": (
        lambda epicentre, stations, v_p, v_s: _times(epicentre, stations, v_p, v_s).T,
        "shape (5, 2)",
    ),
}


@task("X2.1b", section="2.2")
def chi_square(student: Any, random: np.random.Generator) -> str:
    place, stations, v_p, v_s = _quake(random)
    error = float(random.uniform(0.1, 0.4))
    exact = _times(place, stations, v_p, v_s)
    times = exact + error * random.normal(size=exact.shape)
    answer = student(place, times, stations, v_p, v_s, error)
    expect.number(answer, name="chi-square")
    pulls = (times - exact) / error
    expect.differs(
        answer, (pulls**2).sum() * error**2, because="residuals in units of the timing error, so that 1 is typical"
    )
    expect.differs(answer, (pulls**2).sum() * error, because="the error is squared together with the residual")
    expect.differs(answer, (pulls**2).mean(), because="the sum over all times, not the mean")
    expect.differs(answer, np.abs(pulls).sum(), because="squares of the residuals, not their sizes")
    expect.differs(
        answer, pulls.sum() ** 2, because="square each residual first, then add: otherwise late and early cancel"
    )
    expect.differs(answer, np.sqrt((pulls**2).sum()), because="the sum of squares itself, without a root")
    expect.differs(answer, (pulls[:, 0] ** 2).sum(), because="both waves count, P and S")
    perfect = student(place, exact, stations, v_p, v_s, error)
    expect.close(
        perfect, 0.0, atol=1e-9, because="times as the model predicts give zero", name="chi-square", rung="physics"
    )
    expect.close(
        student(place, times, stations, v_p, v_s, 2 * error),
        answer / 4,
        because="with twice the error the same times are four times less surprising",
        name="chi-square",
        rung="physics",
    )
    late = exact.copy()
    late[3, 1] += 3 * error
    expect.close(
        student(place, late, stations, v_p, v_s, error),
        9.0,
        rtol=1e-6,
        because="one time that is three errors late contributes three squared",
        name="chi-square",
        rung="physics",
    )
    expect.close(answer, (pulls**2).sum(), because="the sum over stations and waves", name="chi-square")
    return "about one for each time, where the model is right"


def _chi(measure: Callable[[Array, float], Any]) -> Callable[..., Any]:
    """A wrong chi_square() from the residuals (s) and the timing error."""

    def wrong(epicentre: Array, times: Array, stations: Array, v_p: float, v_s: float, timing_error: float) -> Any:
        return measure(times - _times(epicentre, stations, v_p, v_s), timing_error)

    return wrong


chi_square.hints = (
    "arrival_times(epicentre, stations, v_p, v_s) has the shape of `times`: subtract.",
    "Divide the differences by the timing error, square them, and add up all entries.",
    "With r = (times - arrival_times(...)) / timing_error the answer is (r**2).sum().",
)
chi_square.mistakes = {
    "without the error": (_chi(lambda r, s: (r**2).sum()), "so that 1 is typical"),
    "error not squared": (_chi(lambda r, s: (r**2).sum() / s), "squared together"),
    "mean": (_chi(lambda r, s: ((r / s) ** 2).mean()), "not the mean"),
    "sizes": (_chi(lambda r, s: np.abs(r / s).sum()), "not their sizes"),
    "sum first": (_chi(lambda r, s: (r / s).sum() ** 2), "late and early cancel"),
    "root": (_chi(lambda r, s: np.sqrt(((r / s) ** 2).sum())), "without a root"),
    "P only": (_chi(lambda r, s: ((r[:, 0] / s) ** 2).sum()), "both waves count"),
    "one for each station": (_chi(lambda r, s: ((r / s) ** 2).sum(axis=1)), "one number"),
}


def _step(
    epicentre: Array,
    times: Array,
    stations: Array,
    v_p: float,
    v_s: float,
    *,
    sign: float = 1.0,
    normalised: bool = True,
    speeds: tuple[float, float] | None = None,
    waves: slice = slice(None),
    mixed: bool = False,
    old: float = 1.0,
) -> Array:
    """A Gauss-Newton step by the normal equations; the keywords make the known mistakes."""
    unit = epicentre - stations
    if normalised:
        unit = unit / _distance(epicentre, stations)[:, None]
    residual = times - _times(epicentre, stations, v_p, v_s)
    slopes = np.stack([unit / v for v in (speeds or (v_p, v_s))])[waves]  # wave, station, coordinate
    left = residual.T[waves].ravel() if not mixed else residual.ravel()
    matrix = slopes.reshape(-1, 2)
    return old * epicentre + sign * np.linalg.solve(matrix.T @ matrix, matrix.T @ left)


STEP_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "wrong way": (
        {"sign": -1.0},
        "the step goes uphill: a wave that arrives late means that the epicentre is further away",
    ),
    "not normalised": (
        {"normalised": False},
        "a unit vector: divide the way from each station by its length, or far stations count too much",
    ),
    "P slope for both": (
        {"speeds": "p"},
        "the S wave is slower, so a kilometre delays it by 1 / v_S, more than the P wave",
    ),
    "P only": ({"waves": slice(0, 1)}, "eight rows for four stations: the S wave is to be explained as well"),
    "order mixed": (
        {"mixed": True},
        "rows and differences in the same order: if the rows are all P, then all S, so are the differences",
    ),
    "only the step": ({"old": 0.0}, "the new epicentre is the old one plus the step"),
}


def _changed(changes: dict[str, Any], v_p: float) -> dict[str, Any]:
    return changes | ({"speeds": (v_p, v_p)} if changes.get("speeds") == "p" else {})


@task("X2.1c", section="2.2")
def improve(student: Any, random: np.random.Generator) -> str:
    place, stations, v_p, v_s = _quake(random)
    times = _times(place, stations, v_p, v_s)
    start = place + random.uniform(1, 2, size=2) * random.choice([-1.0, 1.0], size=2)
    answer = student(start, times, stations, v_p, v_s)
    expect.shape(answer, (2,), name="the new epicentre")
    expect.finite(answer, name="the new epicentre")
    noisy = times + 0.1 * random.normal(size=times.shape)
    step = student(start, noisy, stations, v_p, v_s)
    for changes, because in STEP_MISTAKES.values():
        expect.differs(
            step, _step(start, noisy, stations, v_p, v_s, **_changed(changes, v_p)), because=because, rtol=1e-5
        )
    expect.close(
        student(place, times, stations, v_p, v_s),
        place,
        atol=1e-6,
        because="at the true epicentre exact times leave nothing to improve",
        name="the new epicentre",
        rung="physics",
    )
    before, after = float(np.linalg.norm(start - place)), float(np.linalg.norm(answer - place))
    expect.at_most(
        after,
        0.6 * before,
        because="with exact times one step from nearby leads most of the way to the true epicentre",
        name="the distance that is left (km)",
    )
    found = start
    for _ in range(12):
        found = student(found, times, stations, v_p, v_s)
    expect.close(
        found,
        place,
        atol=1e-5,
        because="step after step the epicentre is found, if the times are exact",
        name="the epicentre after twelve steps",
        rung="physics",
    )
    expect.close(
        step,
        _step(start, noisy, stations, v_p, v_s),
        rtol=1e-5,
        because="the least-squares solution for both waves at all stations",
        name="the new epicentre",
    )
    return "a few steps, and the eight times agree on one place"


def _wrong_step(changes: dict[str, Any]) -> Callable[..., Array]:
    def wrong(epicentre: Array, times: Array, stations: Array, v_p: float, v_s: float) -> Array:
        return _step(epicentre, times, stations, v_p, v_s, **_changed(changes, v_p))

    return wrong


improve.hints = (
    "epicentre - stations is the way from each station to the epicentre; divided by its length it is the unit vector "
    "u of each station, an array (k, 2).",
    "The rows are u / v_p for all stations, then u / v_s for all stations: an array (2 k, 2). The differences are the "
    "column P of times - arrival_times(...), then its column S: an array (2 k,).",
    "np.linalg.lstsq(rows, differences, rcond=None)[0] is the step; add it to the epicentre.",
)
improve.mistakes = {
    name: (_wrong_step(changes), because.partition(":")[0].partition(",")[0])
    for name, (changes, because) in STEP_MISTAKES.items()
} | {
    "half a step": (
        lambda epicentre, times, stations, v_p, v_s: (
            epicentre + 0.1 * (_step(epicentre, times, stations, v_p, v_s) - epicentre)
        ),
        "most of the way",
    ),
    "a pair for each station": (
        lambda epicentre, times, stations, v_p, v_s: np.tile(_step(epicentre, times, stations, v_p, v_s), (5, 1)),
        "the new epicentre: an array of shape (2,)",
    ),
}


def _own_quake(random: np.random.Generator) -> tuple[tuple[Array, Array, float, float], Array]:
    """Times at the four stations, read to 5 ms, of an earthquake 8 to 30 km away, and its epicentre."""
    angle, v_p, v_s = random.uniform(0, 2 * np.pi), earthquakes.CRUST_P_SPEED, earthquakes.CRUST_S_SPEED
    place = random.uniform(8, 30) * np.array([np.cos(angle), np.sin(angle)])
    times = _times(place, earthquakes.STATIONS, v_p, v_s) + 0.005 * random.normal(size=(4, 2))
    return (times, earthquakes.STATIONS, v_p, v_s), place


@task("X2.1d", section="2.2", own=_own_quake)
def own_epicentre(student: Any, random: np.random.Generator) -> str:
    (times, stations, v_p, v_s), place = own_data("X2.1d")
    answer = student(times, stations, v_p, v_s)
    expect.shape(answer, (2,), name="the epicentre of your earthquake")
    expect.finite(answer, name="the epicentre")
    first = _step(stations.mean(axis=0), times, stations, v_p, v_s)
    expect.differs(answer, first, atol=0.01, because="one step is not enough: go on until it does not move any more")
    expect.differs(answer, 1000 * place, atol=300, because="in km, as the stations are")
    expect.differs(answer, place[::-1], atol=0.3, because="x first, then y")
    expect.close(
        answer,
        place,
        atol=0.3,
        because="the epicentre of your own earthquake, to 0.3 km; it belongs to your name, and no one else's is right",
        name="the epicentre",
    )
    return "yours, and nobody else's"


def _wrong_place(change: Callable[[Array], Array], steps: int = 40) -> Callable[..., Array]:
    def wrong(times: Array, stations: Array, v_p: float, v_s: float) -> Array:
        place = stations.mean(axis=0)
        for _ in range(steps):
            place = _step(place, times, stations, v_p, v_s)
        return change(place)

    return wrong


own_epicentre.hints = (
    "`improve(place, times, stations, v_p, v_s)` is one step; put it into a loop.",
    "Ten steps are enough for near earthquakes, thirty for all.",
)
own_epicentre.mistakes = {
    "one step": (_wrong_place(lambda place: place, steps=1), "go on until"),
    "metres": (_wrong_place(lambda place: 1000 * place), "as the stations are"),
    "axes exchanged": (_wrong_place(lambda place: place[::-1]), "x first"),
    "of somebody else": (_wrong_place(lambda place: np.array([40.0, 1.0])), "belongs to your name"),
    "all in one": (_wrong_place(lambda place: place[None]), "an array of shape (2,)"),
}

quiz(
    "X2.1-q1",
    question="The fit uses the right model, and its error equals the Cramer-Rao bound. Can another method still be "
    "better on average?",
    options=(
        "No method whatever, since the bound holds for all of them.",
        "Yes, a fit with more parameters.",
        "Yes, one that uses more than the times, for example where earthquakes happen.",
        "Yes, any method that takes the mean of several fits to the same times.",
    ),
    answer=3,
    explanation="The bound holds for unbiased methods that use these times. Knowledge of where earthquakes happen "
    "pulls the result towards likely places: biased, and better on average.",
)


@task("X2.2a", section="2.2")
def reorder(student: Any, random: np.random.Generator) -> str:
    times = random.uniform(1, 15, size=(6, 8))
    cycle = [[1, 2, 3, 0], [2, 3, 1, 0], [1, 3, 0, 2], [3, 0, 1, 2]]  # no order is its own inverse
    order = cycle[int(random.integers(4))]
    answer = student(times, list(order))
    expect.shape(answer, (6, 8), name="the times of six earthquakes")
    expect.finite(answer)
    pairs = times.reshape(6, 4, 2)
    expect.differs(
        answer,
        pairs[:, np.argsort(order)].reshape(6, 8),
        because="order[0] is the station that comes first, not the place to which station 0 goes",
    )
    by_wave = times.reshape(6, 2, 4)
    expect.differs(
        answer,
        by_wave[:, :, order].reshape(6, 8),
        because="the columns are P and S of one station, then of the next, not four P and then four S",
    )
    expect.differs(
        answer,
        np.concatenate([pairs[:, order, 0], pairs[:, order, 1]], axis=1),
        because="the two waves of a station stay side by side",
    )
    only_p = times.copy()
    only_p[:, 0::2] = pairs[:, order, 0]
    expect.differs(answer, only_p, because="the S waves move with the P waves of their station")
    expect.close(
        student(times, [0, 1, 2, 3]),
        times,
        because="the old order leaves all as it is",
        name="the table",
        rung="physics",
    )
    back = student(np.asarray(answer), np.argsort(order).tolist())
    expect.close(back, times, because="undoing the exchange restores the table", name="the table", rung="physics")
    expect.close(
        answer,
        pairs[:, order].reshape(6, 8),
        because="in every row the pairs of the stations in the new order",
        name="the table",
    )
    return "the same numbers, and for the network another world"


def _reordered(times: Array, order: list[int]) -> Array:
    return np.hstack([times[:, [2 * k, 2 * k + 1]] for k in order])


def _only_p(times: Array, order: list[int]) -> Array:
    moved = times.copy()
    moved[:, 0::2] = _reordered(times, order)[:, 0::2]
    return moved


reorder.hints = (
    "The eight columns are four pairs. times.reshape(n, 4, 2) has one axis for the stations and one for the waves.",
    "An array can be indexed with a list: a[:, [2, 0]] takes columns 2 and 0 in this order.",
    "Reshape to (n, 4, 2), index the stations with order, reshape back to (n, 8).",
)
reorder.mistakes = {
    "inverse order": (lambda times, order: _reordered(times, np.argsort(order).tolist()), "that comes first"),
    "four P, then four S": (
        lambda times, order: np.hstack([times[:, [k]] for k in order] + [times[:, [4 + k]] for k in order]),
        "not four P",
    ),
    "waves pulled apart": (
        lambda times, order: np.hstack([_reordered(times, order)[:, 0::2], _reordered(times, order)[:, 1::2]]),
        "stay side by side",
    ),
    "P waves only": (_only_p, "move with the P waves"),
    "earthquakes instead of stations": (
        lambda times, order: np.concatenate([times[order], times[len(order) :]]),
        "in every row",
    ),
    "stations as an axis": (lambda times, order: times.reshape(-1, 4, 2)[:, order], "shape (6, 8)"),
}

quiz(
    "X2.2-q1",
    question="A fifth station is built. What does it take to use it with the fit, and with the network?",
    options=(
        "The fit needs the place of the station; the network needs new examples and training.",
        "Both need new training.",
        "Both take it as it is.",
        "The network finds the station by itself; the fit has to be programmed anew.",
    ),
    answer=1,
    explanation="The fit knows what a station is: one row more in its sum. The network knows eight inputs and what "
    "they meant in its examples.",
)

# --- section 2.3: data-driven optimisation ---------------------------------------------------------------


@task("X2.3a", section="2.3")
def objective(student: Any, random: np.random.Generator) -> str:
    label = random.normal(size=40)
    prediction = label + random.uniform(0.2, 0.5) + random.normal(size=40)
    answer = student(prediction.copy(), label.copy())
    expect.number(answer, name="the objective")
    residual = prediction - label
    right = np.mean(residual**2)
    expect.differs(answer, np.sqrt(right), because="the mean of the squares itself, without a root")
    expect.differs(answer, (residual**2).sum(), because="the mean over the points, not the sum")
    expect.differs(answer, np.abs(residual).mean(), because="squares of the residuals, not their sizes")
    expect.differs(answer, residual.mean() ** 2, because="square each residual first, then average: else they cancel")
    column = student(prediction[:, None].copy(), label.copy())
    expect.number(column, name="the objective for predictions of shape (40, 1) and labels of shape (40,)")
    expect.differs(
        column,
        np.mean((prediction[:, None] - label) ** 2),
        because="shapes (40, 1) and (40,) make a table of 40 x 40 differences: bring both to one shape first",
    )
    expect.close(
        student(label[:, None].copy(), label.copy()),
        0.0,
        atol=1e-12,
        because="outputs equal to the labels have the objective zero",
        name="the objective",
        rung="physics",
    )
    expect.close(
        student(label + 2, label.copy()),
        4.0,
        because="outputs that are all too large by 2 have the objective 2 squared",
        name="the objective",
        rung="physics",
    )
    for first, second in ((prediction, label), (prediction[:, None], label), (prediction[:, None], label[:, None])):
        expect.close(
            student(first.copy(), second.copy()),
            right,
            because="the same number for columns and for flat arrays",
            name=f"the objective for shapes {first.shape} and {second.shape}",
        )
    return "one number that says how far the outputs are from the labels"


objective.hints = (
    "np.ravel makes a flat array of a column and leaves a flat array as it is.",
    "Subtract the flat labels from the flat predictions, square, and average.",
    "np.mean((np.ravel(prediction) - np.ravel(label)) ** 2)",
)
objective.mistakes = {
    "root": (lambda prediction, label: np.sqrt(np.mean((prediction.ravel() - label.ravel()) ** 2)), "without a root"),
    "sum": (lambda prediction, label: np.sum((prediction.ravel() - label.ravel()) ** 2), "not the sum"),
    "sizes": (lambda prediction, label: np.mean(np.abs(prediction.ravel() - label.ravel())), "not their sizes"),
    "mean first": (lambda prediction, label: np.mean(prediction.ravel() - label.ravel()) ** 2, "else they cancel"),
    "broadcast to a table": (lambda prediction, label: np.mean((prediction - label) ** 2), "a table of 40 x 40"),
    "one for each point": (lambda prediction, label: (prediction.ravel() - label.ravel()) ** 2, "one number"),
}


@task("X2.3b", section="2.3")
def build_curve(student: Any, random: np.random.Generator) -> str:
    model = student()
    expect.is_model(model)
    expect.output_shape(model, given=(7, 1), is_=(7, 1))
    expect.activation(
        model, not_="tanh", because="tanh at the output stays between -1 and 1, and the curve reaches up to 10"
    )
    expect.activation(model, not_="sigmoid", because="a sigmoid is for probabilities; the curve leaves 0 to 1")
    expect.activation(model, not_="relu", because="a ReLU at the output cannot follow a curve below zero")
    expect.activation(model, is_="linear", because="a number without bounds needs a linear output")
    dense = [layer for layer in model.layers if layer["class_name"] == "Dense"]
    hidden = [layer["config"]["activation"] for layer in dense[:-1]]
    expect.holds(
        hidden and all(name != "linear" for name in hidden),
        because="hidden layers without an activation make a straight line, however many there are",
        seen=f"activations {', '.join(hidden) or 'none: there is no hidden layer'}",
        rung="known mistake",
    )
    expect.equal(
        [layer["config"]["units"] for layer in dense],
        [30, 30, 30, 1],
        because="three hidden layers of 30 nodes and one output",
        name="the list of nodes",
    )
    expect.equal(
        model.count_params(),
        30 * 2 + 2 * 30 * 31 + 31,
        because="a weight for each connection and a bias for each node",
        name="the number of parameters",
    )
    expect.equal(hidden, ["tanh"] * 3, because="tanh in every hidden layer", name="the list of activations")
    return f"{model.count_params()} parameters for one curve"


def _curve_network(
    hidden: str | None = "tanh", last: str | None = None, nodes: tuple[int, ...] = (30, 30, 30), inputs: int = 1
) -> Callable[[], Any]:
    def build_curve() -> Any:
        import keras

        stack = [keras.layers.Dense(n, activation=hidden) for n in nodes]
        return keras.Sequential([keras.Input(shape=(inputs,)), *stack, keras.layers.Dense(1, activation=last)])

    return build_curve


build_curve.hints = (
    "keras.Sequential takes a list: first keras.Input((1,)), then the layers.",
    'A hidden layer is layers.Dense(30, activation="tanh"); there are three of them.',
    "The last layer is layers.Dense(1), without an activation.",
)
build_curve.mistakes = {
    "tanh at the output": (_curve_network(last="tanh"), "reaches up to 10"),
    "sigmoid at the output": (_curve_network(last="sigmoid"), "for probabilities"),
    "no activation": (_curve_network(hidden=None), "make a straight line"),
    "two hidden layers": (_curve_network(nodes=(30, 30)), "three hidden layers"),
    "ReLU": (_curve_network(hidden="relu"), "tanh in every hidden layer"),
    "thirty inputs": (_curve_network(inputs=30), "takes a batch of shape (7, 1)"),
}

quiz(
    "X2.3-q1",
    question="On the training points the objective is below the variance of the noise. What does it mean?",
    options=(
        "The network has found the true curve and even removed the noise.",
        "The limit is wrong, or the noise was estimated badly.",
        "The objective has been computed wrongly: it can never be below the limit.",
        "The network follows some of the noise of these points; on new points it pays for that.",
    ),
    answer=4,
    explanation="The limit holds on average for new points. On points that were used to adjust the parameters the "
    "objective is always a little too good (chapter 5).",
)
