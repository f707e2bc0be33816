"""Materials and cells of the calorimeters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

SCATTERING_ENERGY = 21.0  # MeV, of Moliere's theory


@dataclass(frozen=True)
class Medium:
    """What a shower develops in.

    Attributes
    ----------
    atomic_number : float
        Of a mixture: the mean, weighted by mass.
    critical_energy : float, MeV
    radiation_length : float, cm
    moliere_radius : float, cm
    interaction_length : float, cm
        Of hadrons.
    minimum_loss : float, MeV
        Energy lost in one radiation length by a particle that ionises least.
    """

    atomic_number: float
    critical_energy: float
    radiation_length: float
    moliere_radius: float
    interaction_length: float
    minimum_loss: float


def critical_energy(radiation_length: float, atomic_number: float, atomic_mass: float) -> float:
    """2.66 MeV (X0 Z / A)^1.1 with X0 in g/cm^2, the form of Grindhammer and Peters, hep-ex/0001020."""
    return float(2.66 * (radiation_length * atomic_number / atomic_mass) ** 1.1)


def layered_medium(
    thicknesses: tuple[float, float],
    densities: tuple[float, float],
    atomic_numbers: tuple[float, float],
    atomic_masses: tuple[float, float],
    radiation_lengths: tuple[float, float],
    interaction_lengths: tuple[float, float],
    losses: tuple[float, float],
) -> Medium:
    """Two kinds of plate that alternate, seen as one medium (Grindhammer and Peters, section 4).

    Thicknesses in cm, densities in g/cm^3, radiation and interaction lengths in g/cm^2, losses in MeV cm^2/g.
    """
    mass = np.multiply(thicknesses, densities)
    share = mass / mass.sum()
    density = mass.sum() / np.sum(thicknesses)
    radiation_length = 1.0 / np.sum(share / np.array(radiation_lengths))
    critical = np.array(
        [critical_energy(*three) for three in zip(radiation_lengths, atomic_numbers, atomic_masses, strict=True)]
    )
    effective = radiation_length * np.sum(share * critical / np.array(radiation_lengths))
    return Medium(
        atomic_number=float(np.sum(share * np.array(atomic_numbers))),
        critical_energy=float(effective),
        radiation_length=float(radiation_length / density),
        moliere_radius=float(radiation_length / density * SCATTERING_ENERGY / effective),
        interaction_length=float(1.0 / np.sum(share / np.array(interaction_lengths)) / density),
        minimum_loss=float(np.sum(share * np.array(losses)) * radiation_length),
    )


@dataclass(frozen=True)
class Detector:
    """Layers of cells in a medium.

    Attributes
    ----------
    medium : Medium
    shape : tuple of int
        Of the voxels of one event.
    layers : array, (k, 2), X0
        Depth at which each layer begins and ends. What lies between two layers is not seen.
    cells : tuple of (int, int)
        Cells of each layer along x and y; in a cylinder (sectors, rings).
    pitch : tuple of (float, float), cm
        Size of a cell of each layer along x and y; unused in a cylinder.
    rings : array, (m + 1,), cm
        Radii of a cylinder's rings, empty for rectangular cells.
    stride : int
        Distance of neighbouring cells of a layer in the flat array of voxels; 1, or the number of layers where these
        are the last axis.
    stochastic_term : float, sqrt(GeV)
    threshold : float, MeV
    beam_width : float, cm
        Side of the square that is hit.
    energies : tuple of float, GeV
        Two numbers with ``spectrum``, else the energies in turn.
    spectrum : str
        "" (energies in turn), "uniform" or "log-uniform".
    """

    medium: Medium
    shape: tuple[int, ...]
    layers: np.ndarray
    cells: tuple[tuple[int, int], ...]
    stochastic_term: float
    threshold: float
    energies: tuple[float, ...]
    pitch: tuple[tuple[float, float], ...] = ()
    rings: np.ndarray = field(default_factory=lambda: np.empty(0))
    stride: int = 1
    beam_width: float = 0.0
    spectrum: str = ""

    @property
    def offsets(self) -> np.ndarray:
        """Where each layer begins in the flat array of voxels."""
        if self.stride > 1:
            return np.arange(len(self.layers))
        return np.cumsum([0, *(a * b for a, b in self.cells[:-1])])

    def steps(self, longest: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
        """Layers cut into steps of at most ``longest`` X0 in which the lateral profile is taken as constant.

        Returns (k, 2) depths in X0 and the layer of each step.
        """
        edges, owners = [], []
        for number, (begin, end) in enumerate(self.layers):
            parts = int(np.ceil((end - begin) / longest - 1e-9))
            cuts = np.linspace(begin, end, parts + 1)
            edges.append(np.column_stack([cuts[:-1], cuts[1:]]))
            owners += [number] * parts
        return np.concatenate(edges), np.array(owners)

    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Borders of the cells of each layer along x and y in cm, (k, most cells + 1), symmetric about 0."""
        most = np.max(self.cells, axis=0)
        x = np.zeros((len(self.cells), most[0] + 1))
        y = np.zeros((len(self.cells), most[1] + 1))
        for number, ((across, along), (width, height)) in enumerate(zip(self.cells, self.pitch, strict=True)):
            x[number, : across + 1] = width * (np.arange(across + 1) - across / 2)
            y[number, : along + 1] = height * (np.arange(along + 1) - along / 2)
        return x, y


def contiguous(thicknesses: Sequence[float]) -> np.ndarray:
    """Layers behind one another without gaps, (k, 2), X0."""
    cuts = np.concatenate([[0.0], np.cumsum(thicknesses)])
    return np.column_stack([cuts[:-1], cuts[1:]])


TUNGSTEN_CRITICAL = critical_energy(6.76, 74, 183.84)  # 8.0 MeV

# Material constants: Particle Data Group, Atomic and Nuclear Properties (radiation length, interaction length,
# smallest ionisation loss, density).
PROTOTYPE = Medium(  # tungsten and copper plates with sensors and air between: lengths of the CMS endcap prototype
    atomic_number=74,
    critical_energy=TUNGSTEN_CRITICAL,
    radiation_length=0.968,
    moliere_radius=2.3,
    interaction_length=0.968 * 191.9 / 6.76,
    minimum_loss=1.145 * 6.76,
)
SILICON_TUNGSTEN = Medium(  # 1.4 mm tungsten, 0.3 mm silicon
    atomic_number=74,
    critical_energy=TUNGSTEN_CRITICAL,
    radiation_length=0.425,
    moliere_radius=0.93,
    interaction_length=0.425 * 191.9 / 6.76,
    minimum_loss=1.145 * 6.76,
)
LEAD_ARGON = layered_medium(  # 2 mm lead, 4 mm liquid argon
    (0.2, 0.4), (11.35, 1.396), (82, 18), (207.2, 39.948), (6.37, 19.55), (199.6, 119.7), (1.122, 1.508)
)
SENSOR_DEPTHS = np.array([2.8, 4.4, 6.0, 7.6, 9.2, 13.0, 16.2])  # X0, figure 18.12 of the book
SENSOR_DEPTHS.setflags(write=False)

DETECTORS = {
    # every sensor speaks for the 1.6 X0 of absorber around it, with the same weight
    "book": Detector(
        medium=PROTOTYPE,
        shape=(15, 15, 7),
        layers=np.column_stack([SENSOR_DEPTHS - 0.8, SENSOR_DEPTHS + 0.8]),
        cells=((15, 15),) * 7,
        pitch=((1.0, 1.0),) * 7,
        stride=7,
        beam_width=1.0,
        stochastic_term=0.22,
        threshold=6.0,
        energies=(32.0, 70.0, 90.0),
    ),
    # 90, 347 and 43 mm deep, 480 mm wide, as recalled; axes of a layer: phi, eta
    "calogan": Detector(
        medium=LEAD_ARGON,
        shape=(504,),
        layers=contiguous([depth / LEAD_ARGON.radiation_length for depth in (9.0, 34.7, 4.3)]),
        cells=((3, 96), (12, 12), (12, 6)),
        pitch=((16.0, 0.5), (4.0, 4.0), (4.0, 8.0)),
        stochastic_term=0.10,
        threshold=1.0,
        energies=(1.0, 100.0),
        spectrum="uniform",
    ),
    # layers of 3.4 mm, rings of 4.65 mm about the axis of the particle
    "calochallenge": Detector(
        medium=SILICON_TUNGSTEN,
        shape=(45, 16, 9),
        layers=contiguous([0.8] * 45),
        cells=((16, 9),) * 45,
        rings=0.465 * np.arange(10.0),
        stochastic_term=0.166,
        threshold=0.01515,
        energies=(1.0, 1000.0),
        spectrum="log-uniform",
    ),
}
