"""Sets of calorimeter showers."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlphys._random import Seed, generator
from dlphys._validation import check_choice, check_count, check_number
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out, simulated

HELD_OUT_ENERGY = 70.0  # GeV, of the book's figure 18.12: not in the training
CITATION = "G. Grindhammer and S. Peters, hep-ex/0001020 (1993)"


def load_calorimeter_showers(
    n: int = 10_000, *, seed: Seed, geometry: str = "book", scale: str = "log", threshold: float | None = None
) -> Dataset:
    """Electron showers in a segmented calorimeter and their energies, for generating and for measuring.

    Parameters
    ----------
    n : int, default 10 000
        Number of showers, at least 30: 80 % for training, 10 % for validation, 10 % to test.
    seed : int or numpy.random.Generator
        With an int the showers are kept in the cache.
    geometry : {"book", "calogan", "calochallenge"}
        As in `dlphys.simulators.calorimeter.simulate`; "calochallenge" takes 26 kB a shower.
    scale : {"log", "energy"}
        "log": log10(1 + E / MeV), 0 where a cell registered nothing; "energy": GeV.
    threshold : float, MeV, optional

    Returns
    -------
    Dataset
        x float32: (n, 15, 15, 7) with the sensors as channels, (n, 504) (`split_layers` makes the 3 x 96, 12 x 12 and
        12 x 6 cells of it), or (n, 45, 16, 9). y (n,) float32, energy in GeV. For the book's geometry 32 and 90 GeV in
        training and validation, and 32, 70 and 90 GeV in the test: a generator is to interpolate, as in the book's
        figure 18.12. extra: "impact" (n, 2) cm, "maximum_depth" (n,) X0, "profile_shape" (n,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The scale is a fixed function, so nothing is learnt from test data; 10**x - 1 is the energy in MeV again. The book
    prints no set of its own. To compare with: `dlphys.simulators.calorimeter.visible_moments`, `expected_voxels`,
    `reconstruct_energy` (baseline).

    Examples
    --------
    >>> data = load_calorimeter_showers(60, seed=1)  # doctest: +ELLIPSIS
    calorimeter_showers: simulated...
    >>> data.x_train.shape, sorted(set(data.y_train.tolist()))
    ((48, 15, 15, 7), [32.0, 90.0])
    """
    from dlphys.simulators import calorimeter  # compiled code: imported where it is used

    n = check_count(n=n, minimum=30)
    check_choice(choices=calorimeter.GEOMETRIES, geometry=geometry)
    check_choice(choices=("log", "energy"), scale=scale)
    if threshold is not None:
        threshold = check_number(minimum=0.0, unit="MeV", threshold=threshold)
    held = held_out(n, 0.1)
    energies = None
    if geometry == "book":  # the last showers are the test
        known = np.resize([32.0, 90.0], n - held)
        energies = np.concatenate([known, np.resize([32.0, HELD_OUT_ENERGY, 90.0], held)]).tolist()
    names = ("energy", "impact", "maximum_depth", "profile_shape")

    def make() -> dict[str, np.ndarray]:
        showers = calorimeter.simulate(n, seed=seed, geometry=geometry, energy=energies, threshold=threshold)
        flat = showers.voxels.reshape(-1)
        hit = np.flatnonzero(flat)  # most cells are empty: a fifth of the disk
        hit = hit.astype(np.int32 if flat.size < 2**31 else np.int64)
        return {"cell": hit, "deposit": flat[hit], **{name: getattr(showers, name) for name in names}}

    parameters: dict[str, Any] = {"n": n, "geometry": geometry, "threshold": threshold}
    keys = ("cell", "deposit", *names)
    arrays = simulated("calorimeter_showers", seed, parameters, calorimeter, keys, make)
    x = np.zeros((n, *calorimeter.voxel_shape(geometry)), np.float32)
    deposits = arrays["deposit"]
    x.reshape(-1)[arrays["cell"]] = np.log10(1.0 + 1000.0 * deposits) if scale == "log" else deposits
    extra = {name: arrays[name] for name in names[1:]}
    values = divided(x, arrays["energy"], extra, validation=held, test=held)
    about = About(
        title="Electron showers in a segmented calorimeter",
        source="simulated",
        units={"cell": "log10(1 + E / MeV)" if scale == "log" else "GeV"},
        target_units={"energy": "GeV"},
        extra_units={"impact": "cm", "maximum_depth": "X0", "profile_shape": "1"},
        made=f"dlphys.simulators.calorimeter, geometry {geometry}",
        licence="MIT, as this package",
        citation=CITATION,
        flaws=("a parametrisation, not Geant4: cells fluctuate independently about a smooth mean, without noise",),
    )
    return Dataset(name="calorimeter_showers", about=about, **values)


def load_electron_proton(
    n: int = 20_000, *, seed: Seed, lowest: float = 20.0, highest: float = 200.0, hadronic_response: float = 0.7
) -> Dataset:
    """Energies in seven sensors behind one another: electron or proton?

    Parameters
    ----------
    n : int, default 20 000
        Number of particles, at least 30: 60 % for training, 20 % for validation, 20 % to test.
    seed : int or numpy.random.Generator
        With an int the particles are kept in the cache.
    lowest, highest : float, GeV
        Range of the log-uniform energies, the same for both particles.
    hadronic_response : float
        Signal of a hadronic GeV over that of an electromagnetic GeV. Another value than that of the training makes
        the domain shift between simulation and data.

    Returns
    -------
    Dataset
        x (n, 7) float32, log10(1 + E / MeV) of the seven sensor planes of the book's calorimeter; y (n,) float32, 1 =
        proton, 0 = electron. extra: "energy" (n,) GeV, "start" (n,) X0, where the proton interacted first (beyond 17 X0
        it only ionises), "electromagnetic" (n,).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with: `dlphys.simulators.calorimeter.electron_chi2` (baseline), which knows electrons only. Energies in
    GeV are (10**x - 1) / 1000.

    Examples
    --------
    >>> data = load_electron_proton(100, seed=1)  # doctest: +ELLIPSIS
    electron_proton: simulated...
    >>> data.x_train.shape, data.about.classes
    ((60, 7), ('electron', 'proton'))
    """
    from dlphys.simulators import calorimeter

    n = check_count(n=n, minimum=30)
    low = check_number(minimum=5.0, maximum=10_000.0, unit="GeV", lowest=lowest)
    high = check_number(minimum=low, maximum=10_000.0, unit="GeV", highest=highest)
    response = check_number(minimum=0.0, maximum=1.0, hadronic_response=hadronic_response)
    names = ("energy", "start", "electromagnetic")

    def make() -> dict[str, np.ndarray]:
        random = generator(seed) if isinstance(seed, np.random.Generator) else np.random.default_rng((int(seed), 0xE9))
        energies = np.clip(low * (high / low) ** random.random(n), low, high)
        parts = []
        for begin in range(0, n, 8192):  # the cells are summed at once: a million particles need no 6 GB
            particles = calorimeter.simulate(
                min(8192, n - begin),
                seed=random,
                energy=energies[begin : begin + 8192].tolist(),
                particle="both",
                hadronic_response=response,
            )
            fields = {name: getattr(particles, name) for name in ("proton", *names)}
            parts.append({"layers": particles.voxels.sum((1, 2)), **fields})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    parameters: dict[str, Any] = {"n": n, "lowest": low, "highest": high, "hadronic_response": response}
    arrays = simulated("electron_proton", seed, parameters, calorimeter, ("layers", "proton", *names), make)
    x = np.log10(1.0 + 1000.0 * arrays["layers"]).astype(np.float32)
    held = held_out(n, 0.2)
    extra = {name: arrays[name] for name in names}
    values = divided(x, arrays["proton"].astype(np.float32), extra, validation=held, test=held)
    about = About(
        title="Electrons and protons in seven sensors behind one another",
        source="simulated",
        units={f"sensor{number}": "log10(1 + E / MeV)" for number in range(1, 8)},
        target_units={"particle": "0 electron, 1 proton"},
        extra_units={"energy": "GeV", "start": "X0", "electromagnetic": "1"},
        made=f"dlphys.simulators.calorimeter, {low:g} to {high:g} GeV, hadronic response {response:g}",
        licence="MIT, as this package",
        citation=f"{CITATION}; R. K. Bock et al., Nucl. Instrum. Meth. 186 (1981) 533",
        flaws=(
            "the hadronic part is a smooth profile with three fluctuating numbers; real protons fluctuate more",
            "more than half of the protons do not interact and only ionise: they are the easy ones",
        ),
        classes=("electron", "proton"),
    )
    return Dataset(name="electron_proton", about=about, **values)
