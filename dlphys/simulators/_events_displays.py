"""Event displays of a neutrino beam in a segmented calorimeter: a muon is a track, an electron a shower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._numba import compiled
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number, check_positive
from dlphys.simulators._events_cascade import (
    ELECTRON,
    HADRON,
    MUON,
    PHOTON,
    PLANES,
    PROTON,
    STACK,
    follow,
    push,
    turned,
)
from dlphys.simulators._events_matter import MUON_MASS, PION_MASS, SCINTILLATOR
from dlphys.simulators._sample import Sample

BLOCK = 64
EVENT, LIGHT, NOISE = range(3)

PLANE_PITCH, CELL_WIDTH = 6.6, 3.9  # cm, as in the NOvA detectors, 810 km from the source
PLANES_A_VIEW, CELLS = 80, 48
BEAM_ENERGY, BEAM_WIDTH = 2.0, 0.2  # GeV and relative, an off-axis beam
TRANSVERSE_MOMENTUM = 0.3  # GeV/c, of the lepton
VERTEX = 60.0  # cm inside the picture
THRESHOLD = 0.5  # MeV
THIN = 15.0  # MeV; what a minimum ionising particle loses in a plane, and a little more
NEUTRAL = 2


@dataclass(frozen=True, repr=False)
class NeutrinoDisplays(Sample):
    """Simulated events of a neutrino beam; the first axis of every array is the event.

    Attributes
    ----------
    images : array, (n, 80, 48, 2), float32, MeV
        Energy in the cells by plane along the beam, cell across, and view: from above (x) and from the side (y).
    label : array, (n,), int8
        0 muon neutrino, 1 electron neutrino, 2 neutral current.
    neutrino_energy, lepton_energy : array, (n,), float32, GeV
        The lepton of a neutral current is a neutrino, which stays unseen.
    vertex : array, (n, 3), float32, cm
        x and y from the middle, z from the first plane.
    """

    units: ClassVar = {
        "images": "MeV",
        "label": "0 muon, 1 electron, 2 neutral current",
        "neutrino_energy": "GeV",
        "lepton_energy": "GeV",
        "vertex": "cm",
    }

    images: np.ndarray
    label: np.ndarray
    neutrino_energy: np.ndarray
    lepton_energy: np.ndarray
    vertex: np.ndarray


def neutrino_displays(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    neutral_current: float | None = None,
    beam_energy: float = BEAM_ENERGY,
    light_yield: float = 5.0,
    noise_hits: float | None = None,
) -> NeutrinoDisplays:
    """Draw neutrino interactions in a tracking calorimeter and their two pictures.

    Planes of cells measure x and y in turn. A charged current makes a muon (a thin track of up to ten metres) or an
    electron (a shower, shorter and broader) and hadrons, among them neutral pions whose photons look like electrons.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        "book": electrons and muons alone, as in the book's example 8.8, without noise. "physics": one event in four
        is a neutral current, and there are noise hits.
    neutral_current : float, optional
        Share of neutral currents in [0, 1); the rest is half muon, half electron. Left out: 0 or 0.25.
    beam_energy : float, GeV
        Mean energy of the neutrinos; they scatter about it by 20 %.
    light_yield : float, photoelectrons per MeV
    noise_hits : float, optional
        Mean number of cells with noise of 2 MeV on average, in each view. Left out: 0 or 4.

    Returns
    -------
    NeutrinoDisplays
        Frozen dataclass: images (n, 80, 48, 2) float32 MeV, label (n,) int8, and more.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Cells of 3.9 cm in planes of 6.6 cm as in the NOvA detectors (D. S. Ayres et al., FERMILAB-DESIGN-2007-01); the
    matter is polystyrene throughout. The inelasticity y is flat in [0, 0.8], as for quarks; the lepton's transverse
    momentum has a Rayleigh density of 0.3 GeV/c. The hadrons are pions and a proton that share y E at random: our
    choice, where a generator of neutrino events would be better. A cell holds photoelectrons (Poisson) over
    ``light_yield``, and nothing below 0.5 MeV. A. Aurisano et al., JINST 11 (2016) P09001 used a network for it.

    Examples
    --------
    >>> displays = neutrino_displays(4, seed=1)
    >>> displays.images.shape, sorted(set(displays.label.tolist()))
    ((4, 80, 48, 2), [0, 1])
    """
    n = check_count(n=n)
    check_choice(choices=("book", "physics"), preset=preset)
    book = preset == "book"
    share = (0.0 if book else 0.25) if neutral_current is None else neutral_current
    share = check_number(minimum=0.0, maximum=0.999, neutral_current=share)
    hits = check_number(
        minimum=0.0, maximum=1e3, noise_hits=(0.0 if book else 4.0) if noise_hits is None else noise_hits
    )
    check_number(minimum=0.5, maximum=20.0, unit="GeV", beam_energy=beam_energy)
    check_positive(unit="photoelectrons per MeV", light_yield=light_yield)
    stream = Streams.of(seed)
    displays = NeutrinoDisplays(
        images=np.empty((n, PLANES_A_VIEW, CELLS, 2), np.float32),
        label=np.empty(n, np.int8),
        neutrino_energy=np.empty(n, np.float32),
        lepton_energy=np.empty(n, np.float32),
        vertex=np.empty((n, 3), np.float32),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        deposits, truth = np.zeros((m, 2, PLANES_A_VIEW, CELLS)), np.empty((m, 6))
        _interact(stream(EVENT, block), deposits, truth, share, 1e3 * float(beam_energy), SCINTILLATOR.constants)
        _read_out(stream(LIGHT, block), stream(NOISE, block), deposits, float(light_yield), hits)
        displays.images[events] = deposits.transpose(0, 2, 3, 1)
        displays.label[events] = truth[:, 0]
        displays.neutrino_energy[events], displays.lepton_energy[events] = 1e-3 * truth[:, 1], 1e-3 * truth[:, 2]
        displays.vertex[events] = truth[:, 3:]

    fill_blocks(fill, n, block=BLOCK, title="neutrinos")
    return displays


def track_likeness(images: ArrayLike) -> np.ndarray:
    """Baseline without a network: how much an event looks like a muon.

    The share of the energy that lies in cells with less than 15 MeV, times the length of the event: cells of a track
    hold what a minimum ionising particle loses in one cell, and there are many in a row; those of a shower hold more.

    Parameters
    ----------
    images : array, (n, planes, cells, 2), MeV

    Returns
    -------
    array, (n,), cells
        Large for muons.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape.

    Examples
    --------
    >>> sample = neutrino_displays(200, seed=1)
    >>> score = track_likeness(sample.images)
    >>> bool(np.median(score[sample.label == 0]) > 2 * np.median(score[sample.label == 1]))
    True
    """
    images = check_array(shape=(None, None, None, 2), minimum=0.0, unit="MeV", dtype=None, images=images)
    likeness = np.empty(len(images))
    for start in range(0, len(images), 4096):
        part = images[start : start + 4096]
        total = np.maximum(part.sum((1, 2, 3)), 1e-6)
        thin = np.where(part < THIN, part, 0).sum((1, 2, 3)) / total
        likeness[start : start + 4096] = thin * (part.sum(2) > THRESHOLD).sum((1, 2))
    return likeness


@compiled(nogil=True)
def _interact(
    random: np.random.Generator,
    images: np.ndarray,
    truth: np.ndarray,
    neutral_share: float,
    beam_energy: float,
    constants: np.ndarray,
) -> None:
    stack = np.empty((STACK, 8))
    for event in range(images.shape[0]):
        flavour = int(random.random() * 2.0)
        if random.random() < neutral_share:
            flavour = NEUTRAL
        energy = beam_energy * max(0.3, 1.0 + BEAM_WIDTH * random.standard_normal())
        inelasticity = 0.8 * random.random()
        place = (
            VERTEX * (random.random() - 0.5),
            VERTEX * (random.random() - 0.5),
            VERTEX * (0.2 + 0.8 * random.random()),
        )
        # the stack's places are measured from the corner of the picture
        corner = (place[0] + 0.5 * CELLS * CELL_WIDTH, place[1] + 0.5 * CELLS * CELL_WIDTH, place[2])
        lepton = (1.0 - inelasticity) * energy
        phi = 2.0 * np.pi * random.random()
        transverse = 1e3 * TRANSVERSE_MOMENTUM * np.sqrt(2.0 * random.standard_exponential())
        count = 0
        if flavour != NEUTRAL:
            theta = np.arcsin(min(0.9, transverse / lepton))
            direction = turned(0.0, 0.0, 1.0, theta, phi)
            kind, mass = (MUON, MUON_MASS) if flavour == 0 else (ELECTRON, 0.511)
            count = push(stack, count, kind, corner, direction, max(lepton - mass, 1.0))
        count = _add_hadrons(random, stack, count, corner, inelasticity * energy, phi + np.pi)
        follow(random, stack, count, images[event], PLANES, PLANE_PITCH, CELL_WIDTH, constants)
        truth[event, 0], truth[event, 1], truth[event, 2] = flavour, energy, lepton
        truth[event, 3], truth[event, 4], truth[event, 5] = place


@compiled(nogil=True)
def _add_hadrons(
    random: np.random.Generator,
    stack: np.ndarray,
    count: int,
    corner: tuple[float, float, float],
    energy: float,
    phi: float,
) -> int:
    """A proton and pions that share ``energy`` (MeV) at random, one pion in three neutral, opposite to the lepton."""
    proton = 0.3 * random.random() * energy
    if proton > 5.0:
        theta = 0.9 * np.sqrt(random.random())
        direction = turned(0.0, 0.0, 1.0, theta, phi + random.standard_normal())
        count = push(stack, count, PROTON, corner, direction, proton)
    left = energy - proton
    while left > PION_MASS + 30.0:
        pion = max(PION_MASS + 30.0, left * random.random())
        if left - pion < PION_MASS + 30.0:
            pion = left
        left -= pion
        theta = np.arcsin(min(0.99, 250.0 * np.sqrt(2.0 * random.standard_exponential()) / pion))
        ux, uy, uz = turned(0.0, 0.0, 1.0, theta, phi + random.standard_normal())
        if random.random() > 1.0 / 3.0:
            count = push(stack, count, HADRON, corner, (ux, uy, uz), pion - PION_MASS)
            continue
        # two photons, isotropic in the rest frame: the energy of one is flat
        momentum = np.sqrt(pion * pion - PION_MASS * PION_MASS)
        cosine = 2.0 * random.random() - 1.0
        turn = 2.0 * np.pi * random.random()
        for sign in (1.0, -1.0):
            photon = 0.5 * (pion + sign * momentum * cosine)
            angle = np.arccos(
                max(-1.0, min(1.0, (momentum + sign * pion * cosine) / (pion + sign * momentum * cosine)))
            )
            direction = turned(ux, uy, uz, angle, turn if sign > 0 else turn + np.pi)
            count = push(stack, count, PHOTON, corner, direction, photon)
    return count


@compiled(nogil=True)
def _read_out(
    light: np.random.Generator, noise: np.random.Generator, images: np.ndarray, light_yield: float, noise_hits: float
) -> None:
    """Photoelectrons instead of energies, noise hits, and nothing below threshold."""
    for event in range(images.shape[0]):
        for view in range(2):
            for _ in range(noise.poisson(noise_hits)):
                row, column = int(noise.random() * images.shape[2]), int(noise.random() * images.shape[3])
                images[event, view, row, column] += 2.0 * noise.standard_exponential()
            for row in range(images.shape[2]):
                for column in range(images.shape[3]):
                    energy = images[event, view, row, column]
                    if energy > 0.0:
                        energy = light.poisson(energy * light_yield) / light_yield
                        images[event, view, row, column] = energy if energy >= THRESHOLD else 0.0
