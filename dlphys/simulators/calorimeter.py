"""Particle showers in calorimeters: electrons, and protons to tell from them.

An electron's shower of energy E deposits E f(t) dt at the depth t (in radiation lengths X0), where
f(t) = b (b t)^(a-1) exp(-b t) / Gamma(a) has its maximum at T = (a - 1) / b; ln T and ln a fluctuate from shower to
shower as two correlated Gaussians. Around the axis the energy falls as two terms 2 r R^2 / (r^2 + R^2)^2, a narrow core
and a wide tail, whose radii depend on the depth. All constants are those of Grindhammer and Peters, hep-ex/0001020
(homogeneous media). Used in chapter 18 and in the lectures on generative models and on classical methods.

The mean energy of every cell is then a closed integral. What a cell registers fluctuates about it: Poisson-many spots
with exponential energies of the mean c^2 / 2. So the variance of any sum of cells is c^2 times its mean, and the
resolution of a large calorimeter is sigma / E = c / sqrt(E).

Next to the data stand the exact mean and variance of the visible energy (`visible_moments`), the exact mean of every
cell (`expected_voxels`) and of every layer with its covariance (`layer_moments`), and two baselines: the calibrated sum
of all cells (`reconstruct_energy`), and the covariance-matrix method that tells electrons from protons
(`electron_chi2`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._calorimeter_comparison import (
    deposit,
    electron_chi2,
    expected_voxels,
    layer_moments,
    reconstruct_energy,
    spot_and_threshold,
    visible_moments,
)
from dlphys.simulators._calorimeter_detectors import SENSOR_DEPTHS, Detector
from dlphys.simulators._calorimeter_kernels import fill_cells, fill_rings
from dlphys.simulators._calorimeter_profiles import (
    GEOMETRIES,
    LOWEST_ENERGY,
    checked_energy,
    containment,
    detector_of,
    fluctuated,
    lateral_profile,
    longitudinal_profile,
    parameters_in,
    shower_parameters,
)
from dlphys.simulators._sample import Sample

__all__ = [
    "GEOMETRIES",
    "SENSOR_DEPTHS",
    "CalorimeterShowers",
    "containment",
    "deposit",
    "electron_chi2",
    "expected_voxels",
    "lateral_profile",
    "layer_moments",
    "longitudinal_profile",
    "reconstruct_energy",
    "shower_parameters",
    "simulate",
    "split_layers",
    "visible_moments",
    "voxel_shape",
]

LOWEST_PROTON_ENERGY = 5.0  # GeV

# the electromagnetic share of a proton's shower is on average 1 - (E / 2.6 GeV)^(0.83 - 1)
PROTON_SCALE, MULTIPLICITY_POWER = 2.6, 0.83  # GeV
CONCENTRATION = 8.0  # of its beta distribution
HADRONIC_LENGTH_SPREAD = 0.25  # standard deviation of the logarithm
HADRONIC_RADIUS = 0.23  # interaction lengths: 95 % of the energy within one

BLOCK = 256  # events; of the largest geometry 6.6 MB
ENERGY, PARTICLE, PROFILE, INTERACTION, IMPACT, SPOTS = range(6)


@dataclass(frozen=True, repr=False)
class CalorimeterShowers(Sample):
    """Simulated showers; the first axis of every array is the event.

    Attributes
    ----------
    voxels : array, (n, ...), float32, GeV
        Energy registered by each cell, 0 below the threshold. The axes are those of the geometry: "book" (15, 15, 7)
        x, y, sensor; "calogan" (504,), see `split_layers`; "calochallenge" (45, 16, 9) layer, sector, ring.
    energy : array, (n,), float32, GeV
        Of the particle.
    proton : array, (n,), bool
    impact : array, (n, 2), float32, cm
        Where the particle hits, from the centre.
    maximum_depth : array, (n,), float32, X0
        Depth T of the maximum of the electromagnetic part behind its first interaction.
    profile_shape : array, (n,), float32
        Its shape a.
    start : array, (n,), float32, X0
        Depth of a proton's first interaction; 0 for electrons.
    electromagnetic : array, (n,), float32
        Share of the energy that goes into photons and electrons; 1 for electrons.
    """

    units: ClassVar = {
        "voxels": "GeV",
        "energy": "GeV",
        "proton": "",
        "impact": "cm",
        "maximum_depth": "X0",
        "profile_shape": "",
        "start": "X0",
        "electromagnetic": "",
    }

    voxels: np.ndarray
    energy: np.ndarray
    proton: np.ndarray
    impact: np.ndarray
    maximum_depth: np.ndarray
    profile_shape: np.ndarray
    start: np.ndarray
    electromagnetic: np.ndarray


def simulate(
    n: int,
    *,
    seed: Seed,
    geometry: str = "book",
    energy: float | Sequence[float] | None = None,
    particle: str = "electron",
    beam_width: float | None = None,
    threshold: float | None = None,
    stochastic_term: float | None = None,
    hadronic_response: float = 0.7,
) -> CalorimeterShowers:
    """Draw showers and what the cells of a calorimeter register of them.

    Three geometries:

    - ``"book"``: seven sensor planes of 15 x 15 cells of 1 cm at 2.8, 4.4, 6.0, 7.6, 9.2, 13.0 and 16.2 X0 (the book's
      figure 18.12). Each speaks for the 1.6 X0 of tungsten around it. The figure gives depths, particle and
      energies; cells and constants are ours, after the CMS endcap prototype.
    - ``"calogan"``: lead and liquid argon, layers of 3 x 96, 12 x 12 and 12 x 6 cells, 31 X0.
    - ``"calochallenge"``: tungsten and silicon, 45 layers of 16 sectors and 9 rings, 36 X0.

    Parameters
    ----------
    n : int
        Number of showers.
    seed : int or numpy.random.Generator
    geometry : str
        One of `GEOMETRIES`.
    energy : float or sequence of float, GeV, optional
        Event i has the energy ``energy[i % len(energy)]``. In [1, 10 000] GeV, protons at least 5 GeV. Left out: 32, 70
        and 90 GeV in turn (book), uniform in [1, 100] (calogan), log-uniform in [1, 1000] GeV (calochallenge);
        with protons at least 5 GeV.
    particle : {"electron", "proton", "both"}
        Both: each with probability 1/2.
    beam_width : float, cm, optional
        Side of the square about the centre that is hit uniformly. Left out: 1 cm for the book, else 0. The cells of a
        cylinder lie about the particle's axis, so it must be 0 there.
    threshold : float, MeV, optional
        Cells below register nothing. Left out: 6 (half of what a minimum ionising particle leaves), 1 and 0.01515.
    stochastic_term : float, sqrt(GeV), optional
        c of sigma / E = c / sqrt(E), in (0, 1]. Left out: 0.22, 0.10 and 0.166.
    hadronic_response : float
        Signal of a hadronic GeV over that of an electromagnetic GeV, in (0, 1].

    Returns
    -------
    CalorimeterShowers
        Frozen dataclass: voxels (n, ...) float32 GeV and the true properties of each shower.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    A proton first travels an exponential path of one mean interaction length and loses what a minimum ionising particle
    loses, with the fluctuation of Moyal. Then a share of its energy, beta-distributed about 1 - (E / 2.6 GeV)^(-0.17)
    (Gabriel et al., Nucl. Instrum. Meth. A 338 (1994) 336; Groom, A 572 (2007) 633), makes an electromagnetic shower;
    the rest is a gamma profile in interaction lengths with shape 0.6165 + 0.3183 ln E and inverse length
    0.9099 - 0.0237 ln E (Bock et al., Nucl. Instrum. Meth. 186 (1981) 533), 95 % of it within one interaction length of
    the axis. These constants of the hadronic part are recalled, not checked against the papers; the widths of its
    fluctuations (beta distribution with a + b = 8; 25 % in the hadronic length) are ours.

    A step of depth is at most 2 X0 long and has the lateral profile of its middle. Parts of it that make less than 1e-6
    spots are left out, a bias below 2e-4 spots (1e-4 c^2 GeV) in a shower. Lead-argon and silicon-tungsten are seen as
    one medium, without the corrections for sampling.

    One seed gives the same bits for any number of threads; the first events do not depend on ``n``.

    Examples
    --------
    >>> showers = simulate(6, seed=1)
    >>> showers.voxels.shape, showers.energy[:3].tolist()
    ((6, 15, 15, 7), [32.0, 70.0, 90.0])
    """
    n = check_count(n=n)
    detector = detector_of(geometry)
    check_choice(choices=("electron", "proton", "both"), particle=particle)
    lowest = LOWEST_ENERGY if particle == "electron" else LOWEST_PROTON_ENERGY
    energies = None if energy is None else np.atleast_1d(checked_energy(energy, lowest))
    if energies is not None and energies.ndim != 1:
        raise ValueError(f"energy must be one number or a row of numbers, got shape {energies.shape}")
    width = detector.beam_width if beam_width is None else check_number(minimum=0.0, unit="cm", beam_width=beam_width)
    if len(detector.rings) and width > 0.0:
        raise ValueError(f"beam_width must be 0 cm in a cylinder about the particle's axis, got {width:g}")
    spot, cut = spot_and_threshold(detector, stochastic_term, threshold)
    response = check_number(minimum=0.0, maximum=1.0, hadronic_response=hadronic_response)
    stream = Streams.of(seed)

    showers = CalorimeterShowers(
        voxels=np.empty((n, *detector.shape), np.float32),
        energy=np.empty(n, np.float32),
        proton=np.empty(n, bool),
        impact=np.zeros((n, 2), np.float32),
        maximum_depth=np.empty(n, np.float32),
        profile_shape=np.empty(n, np.float32),
        start=np.empty(n, np.float32),
        electromagnetic=np.empty(n, np.float32),
    )
    flat = showers.voxels.reshape(n, -1)
    run = _kernel(detector, spot, cut)

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        E = _draw_energies(stream(ENERGY, block), detector, energies, events, lowest)
        proton = np.full(BLOCK, particle == "proton")
        if particle == "both":
            proton = stream(PARTICLE, block).random(BLOCK) < 0.5
        properties, hadronic = _draw_profiles(stream, block, E, proton, detector, response)
        if width > 0.0:
            properties[:, 7:] = width * (stream(IMPACT, block).random((BLOCK, 2)) - 0.5)
        run(stream(SPOTS, block), properties[:m], hadronic[:m], flat[events])
        showers.energy[events], showers.proton[events] = E[:m], proton[:m]
        showers.maximum_depth[events], showers.profile_shape[events] = properties[:m, 1], properties[:m, 2]
        showers.start[events], showers.electromagnetic[events] = properties[:m, 4], properties[:m, 5]
        showers.impact[events] = properties[:m, 7:]

    fill_blocks(fill, n, block=BLOCK, title="showers")
    return showers


def voxel_shape(geometry: str) -> tuple[int, ...]:
    """Shape of one shower's voxels.

    Parameters
    ----------
    geometry : str
        One of `GEOMETRIES`.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError, TypeError
        If there is no such geometry.

    Examples
    --------
    >>> voxel_shape("calochallenge")
    (45, 16, 9)
    """
    return detector_of(geometry).shape


def split_layers(voxels: ArrayLike, *, geometry: str = "calogan") -> list[np.ndarray]:
    """The layers of showers as separate arrays.

    Parameters
    ----------
    voxels : array, (n, ...)
        As in `CalorimeterShowers`.
    geometry : str
        One of `GEOMETRIES`.

    Returns
    -------
    list of arrays
        (n, 3, 96), (n, 12, 12), (n, 12, 6) for "calogan"; views where possible, in the type of ``voxels``.

    Raises
    ------
    ValueError, TypeError
        If the shape is not that of the geometry.

    Examples
    --------
    >>> [layer.shape for layer in split_layers(np.zeros((2, 504)))]
    [(2, 3, 96), (2, 12, 12), (2, 12, 6)]
    """
    detector = detector_of(geometry)
    array = check_array(shape=(None, *detector.shape), dtype=None, voxels=voxels)
    if detector.stride > 1:
        return list(np.moveaxis(array, -1, 0))
    flat = array.reshape(len(array), -1)
    return [
        flat[:, begin : begin + rows * columns].reshape(-1, rows, columns)
        for begin, (rows, columns) in zip(detector.offsets, detector.cells, strict=True)
    ]


def _draw_energies(
    random: np.random.Generator, detector: Detector, energies: np.ndarray | None, events: slice, lowest: float
) -> np.ndarray:
    if energies is None and not detector.spectrum:
        energies = np.array(detector.energies)
    if energies is not None:
        return energies[(events.start + np.arange(BLOCK)) % len(energies)]
    low, high = max(lowest, detector.energies[0]), detector.energies[1]
    if detector.spectrum == "uniform":
        return low + (high - low) * random.random(BLOCK)
    return low * (high / low) ** random.random(BLOCK)


def _draw_profiles(
    stream: Streams, block: int, E: np.ndarray, proton: np.ndarray, detector: Detector, response: float
) -> tuple[np.ndarray, np.ndarray]:
    """What decides about the mean of every cell: (BLOCK, 9) and (BLOCK, 4), as `step_components` takes them."""
    medium = detector.medium
    electromagnetic, start, scale = np.ones(BLOCK), np.zeros(BLOCK), np.ones(BLOCK)
    hadronic = np.ones((BLOCK, 4))
    if proton.any():
        random = stream(INTERACTION, block)
        share = 1.0 - (np.maximum(E, LOWEST_PROTON_ENERGY) / PROTON_SCALE) ** (MULTIPLICITY_POWER - 1.0)
        drawn = random.beta(CONCENTRATION * share, CONCENTRATION * (1.0 - share))
        length = medium.interaction_length / medium.radiation_length  # X0
        electromagnetic[proton] = drawn[proton]
        start[proton] = length * random.standard_exponential(BLOCK)[proton]
        scale = np.exp(HADRONIC_LENGTH_SPREAD * random.standard_normal(BLOCK))
        hadronic[:, 0] = 0.6165 + 0.3183 * np.log(E)
        hadronic[:, 1] = (0.9099 - 0.0237 * np.log(E)) / length
        hadronic[:, 2] = response
        hadronic[:, 3] = HADRONIC_RADIUS * medium.interaction_length
    mean = parameters_in(medium, np.maximum(E * electromagnetic, LOWEST_ENERGY))
    maximum, shape = fluctuated(mean, *stream(PROFILE, block).standard_normal((2, BLOCK)))
    zero = np.zeros(BLOCK)
    columns = [E, maximum, shape, mean["profile_shape"], start, electromagnetic, scale, zero, zero]
    return np.column_stack(columns), hadronic


def _kernel(detector: Detector, spot: float, cut: float) -> Callable[..., None]:
    """Function of (random, properties, hadronic, voxels) that fills the flat voxels of a block."""
    depths, owners = detector.steps()
    medium = np.array(
        [detector.medium.atomic_number, detector.medium.moliere_radius, 0.001 * detector.medium.minimum_loss]
    )
    if len(detector.rings):
        sectors = detector.cells[0][0]

        def rings(random: np.random.Generator, properties: np.ndarray, hadronic: np.ndarray, out: np.ndarray) -> None:
            fill_rings(random, properties, depths, owners, detector.rings, sectors, hadronic, medium, spot, cut, out)

        return rings
    x, y = detector.edges()
    grid = (x, y, np.array(detector.cells), detector.offsets, detector.stride)

    def cells(random: np.random.Generator, properties: np.ndarray, hadronic: np.ndarray, out: np.ndarray) -> None:
        fill_cells(random, properties, depths, owners, *grid, hadronic, medium, spot, cut, out)

    return cells
