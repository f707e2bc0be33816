"""Sets that the package's own simulators make."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.datasets._dataset import PARTS, About, Dataset
from dlphys.datasets._parts import divided, held_out, simulated
from dlphys.datasets._source import announce

SHUFFLE = 0x5F  # beside the seed, so that the shuffle does not reuse the random numbers of the simulation


def load_ising(
    n: int = 26_000,
    *,
    size: int = 32,
    seed: Seed,
    temperature: ArrayLike | None = None,
    algorithm: str = "metropolis",
    test: float = 6 / 26,
    validation: float = 2 / 26,
) -> Dataset:
    """Spin lattices of the two-dimensional Ising model on both sides of the phase transition.

    Parameters
    ----------
    n : int, default 26 000
        Number of lattices, at least 13; every temperature gets the same share.
    size : int, default 32
        Spins along an edge.
    seed : int or numpy.random.Generator
        With an int the lattices are kept in the cache; a generator has no name to keep them under.
    temperature : array, J/k_B, optional
        Default: the 26 temperatures 1.0, 1.1, ..., 3.5 of the course.
    algorithm : str, default "metropolis"
        As in `dlphys.simulators.ising.simulate`.
    test, validation : float, defaults 6/26 and 2/26
        Shares of the lattices; the rest is for training: 18 000, 2000 and 6000 of 26 000.

    Returns
    -------
    Dataset
        x (n, size, size, 1) float32 of -1 and 1; y (n,) float32, 1 = ferromagnetic (below 2.27 J/k_B, as in the
        book), 0 = paramagnetic; extra["temperature"] (n,) float32 in J/k_B. The parts are shuffled, and each
        temperature has the same share of every part, to one lattice.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Near the critical temperature 2.269 J/k_B even the optimal classifier errs:
    `dlphys.simulators.ising.bayes_accuracy`.

    Examples
    --------
    >>> data = load_ising(260, size=8, seed=1)  # doctest: +ELLIPSIS
    ising: simulated...
    >>> data.x_train.shape, data.x_validation.shape, data.x_test.shape
    ((180, 8, 8, 1), (20, 8, 8, 1), (60, 8, 8, 1))
    """
    from dlphys.simulators import ising  # compiled code: imported where it is used

    n = check_count(n=n, minimum=13)
    size = check_count(size=size, minimum=2)
    if temperature is None:
        temperature = ising.COURSE_TEMPERATURES
    temperatures = check_array(ndim=1, unit="J/k_B", temperature=temperature)
    check_number(test=test, minimum=0, maximum=1, exclusive=True)
    check_number(validation=validation, minimum=0, maximum=1 - test, exclusive=True)
    check_choice(algorithm=algorithm, choices=("metropolis", "swendsen-wang"))
    random = _shuffler(seed)

    def make() -> dict[str, np.ndarray]:
        sample = ising.simulate(n, size=size, temperature=temperatures, algorithm=algorithm, seed=seed)
        # one bit a spin: an eighth of the disk
        return {"up": np.packbits(sample.spins > 0), "temperature": sample.temperature}

    parameters: dict[str, Any] = {"n": n, "size": size, "temperature": temperatures.tolist(), "algorithm": algorithm}
    arrays = simulated("ising", seed, parameters, ising, ("up", "temperature"), make)
    spins = np.unpackbits(arrays["up"], count=n * size * size).reshape(n, size, size, 1)
    temperature_of = arrays["temperature"].astype(np.float32)
    rows = stratified(np.arange(n) % len(temperatures), (round(n * validation), round(n * test)), random)
    values: dict[str, Any] = {}
    for part, chosen in zip(PARTS, rows, strict=True):
        values[f"x_{part}"] = 2 * spins[chosen].astype(np.float32) - 1
        values[f"extra_{part}"] = {"temperature": temperature_of[chosen]}
        values[f"y_{part}"] = (temperature_of[chosen] < ising.LABEL_TEMPERATURE).astype(np.float32)
    about = About(
        title="Ising model: spin lattices below and above the critical temperature",
        source="simulated",
        units={"spin": "-1 or 1"},
        target_units={"phase": "1 ferromagnetic, 0 paramagnetic"},
        extra_units={"temperature": "J/k_B"},
        made=f"dlphys.simulators.ising, {algorithm}, {size} x {size} spins, periodic, {len(temperatures)} temperatures",
        licence="MIT, as this package",
        citation="L. Onsager, Phys. Rev. 65 (1944) 117; N. Metropolis et al., J. Chem. Phys. 21 (1953) 1087",
        flaws=(
            "labels follow the temperature: a finite lattice just below the critical one can look disordered, so no "
            "classifier reaches 100 %",
        ),
    )
    return Dataset(name="ising", about=about, **values)


def load_earthquakes(
    n: int = 21_000,
    *,
    seed: Seed,
    timing_error: float = 0.0,
    preset: str = "book",
    depth: bool | None = None,
    origin_time: bool | None = None,
) -> Dataset:
    """Arrival times of earthquake waves at four stations, and where the earthquakes were.

    Parameters
    ----------
    n : int, default 21 000
        Number of earthquakes, at least 3: one in 21 for validation, one in 21 for the test, the rest for training
        (19 000, 1000, 1000).
    seed : int or numpy.random.Generator
    timing_error : float, s, default 0
        Standard deviation of the noise on every time.
    preset : {"book", "physics"}
    depth, origin_time : bool, optional
        Whether hypocentres lie below the surface, and whether the origin time is unknown; left out, the preset decides.
        All as in `dlphys.simulators.earthquakes.simulate`.

    Returns
    -------
    Dataset
        x (n, 8) float32, s, not scaled: P and S of station 1, P and S of station 2, ...; y (n, 2) float32, km, the
        epicentre to the east and to the north; extra["depth"] (n,) km and extra["origin_time"] (n,) s, float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    What the result can be compared with: `dlphys.simulators.earthquakes.triangulate` (least squares, a baseline) and
    `cramer_rao` (the smallest covariance of an unbiased method).

    Examples
    --------
    >>> data = load_earthquakes(2100, seed=1)
    earthquakes: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((1900, 8), (100, 2))
    """
    from dlphys.simulators import earthquakes

    n = check_count(n=n, minimum=3)
    # 21 000 events take milliseconds: nothing is kept on disk
    quakes = earthquakes.simulate(
        n, seed=seed, preset=preset, timing_error=timing_error, depth=depth, origin_time=origin_time
    )
    announce("earthquakes", "simulated")
    held = held_out(n, 1 / 21)
    extra = {"depth": quakes.depth, "origin_time": quakes.origin_time}
    values = divided(quakes.times, quakes.epicentres, extra, validation=held, test=held)
    about = About(
        title="Earthquakes at a plate border, seen by four stations",
        source="simulated",
        units={f"t_{wave}{station}": "s" for station in (1, 2, 3, 4) for wave in "ps"},
        target_units={"east": "km", "north": "km"},
        extra_units={"depth": "km", "origin_time": "s"},
        made=f"dlphys.simulators.earthquakes, preset {preset}, timing error {timing_error:g} s",
        licence="MIT, as this package",
        citation="Erdmann, Glombitza, Kasieczka and Klemradt, Deep Learning for Physics Research (2021), section 7.2",
        flaws=("the book's wave speeds, 7 and 5 km/s, are those of no rock; preset='physics' has the Earth's",)
        if preset == "book"
        else (),
    )
    return Dataset(name="earthquakes", about=about, **values)


def stratified(groups: np.ndarray, sizes: tuple[int, int], random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Rows for training, validation and test: shuffled, and every group in each part in proportion.

    Parameters
    ----------
    groups : array, (n,)
        The group of each row.
    sizes : (int, int)
        Rows for validation and for the test; the rest is for training.

    Notes
    -----
    The rows are dealt like cards: first one of each group, then a second one of each, and so on. Consecutive stretches
    then hold every group equally often, to one row, if the groups are equally large.
    """
    shuffled = random.permutation(len(groups))
    by_group = shuffled[np.argsort(groups[shuffled], kind="stable")]
    _, counts = np.unique(groups, return_counts=True)
    rank = np.concatenate([np.arange(count) for count in counts])
    dealt = by_group[np.argsort(rank, kind="stable")]
    validation, test = sizes
    parts = (dealt[validation + test :], dealt[:validation], dealt[validation : validation + test])
    return tuple(random.permutation(part) for part in parts)


def _shuffler(seed: Seed) -> np.random.Generator:
    """The generator that shuffles."""
    random = generator(seed)
    return random if isinstance(seed, np.random.Generator) else np.random.default_rng((int(seed), SHUFFLE))
