"""The arrays of a sample of jets, the check of what decides about them, and the making of one block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dlphys._blocks import Streams
from dlphys._validation import check_choice, check_number, shown
from dlphys.simulators._jets_events import KINDS, TOP_MASS, W_MASS, Physics, fill_jets, workspace
from dlphys.simulators._jets_theory import check_coupling
from dlphys.simulators._sample import Sample

JETS, TRACKS = range(2)  # streams
PILE_UP = 10.0  # soft particles in a jet of the physics preset
MASSES = {"w": W_MASS, "top": TOP_MASS}


@dataclass(frozen=True, repr=False)
class Jets(Sample):
    """Simulated jets; the first axis of every array is the jet.

    Attributes
    ----------
    constituents : array, (n, k, 4), float32, GeV and rad
        pt, eta, phi, mass of the hadrons with the largest transverse momenta, in falling order; zeros after the last.
    charge : array, (n, k), int8, elementary charges
    prong : array, (n, k), int8
        Where a constituent comes from: 0 the initial quark or gluon, 1 and 2 the quarks of a Z' or W, 3 the b of a top;
        -1 pile-up. 0 for padding.
    count : array, (n,), int32
        Number of constituents kept.
    kind : array, (n,), int8
        What the jet was: index into `KINDS`.
    label : array, (n,), int8
        Index into the argument ``kinds``.
    parent : array, (n, 4), float64, GeV
        E, p_x, p_y, p_z of what made the jet: the sum over all hadrons, before any detector.
    """

    units: ClassVar = {
        "constituents": "(GeV, rad)",
        "charge": "e",
        "prong": "",
        "count": "",
        "kind": "index into KINDS",
        "label": "index into kinds",
        "parent": "GeV",
    }

    constituents: np.ndarray
    charge: np.ndarray
    prong: np.ndarray
    count: np.ndarray
    kind: np.ndarray
    label: np.ndarray
    parent: np.ndarray


def empty_jets(n: int, k: int) -> Jets:
    """Arrays for n jets of at most k constituents."""
    return Jets(
        constituents=np.zeros((n, k, 4), np.float32),
        charge=np.zeros((n, k), np.int8),
        prong=np.zeros((n, k), np.int8),
        count=np.zeros(n, np.int32),
        kind=np.zeros(n, np.int8),
        label=np.zeros(n, np.int8),
        parent=np.zeros((n, 4)),
    )


def fill_block(
    stream: Streams, block: int, codes: np.ndarray, physics: Physics, jets: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Make the jets of a block; returns the vertex each constituent comes from, and the momenta of B and D hadrons."""
    vertex = np.zeros(jets["charge"].shape, np.int8)
    heavy = np.zeros((len(vertex), 2, 4))
    fill_jets(
        stream(JETS, block), codes, physics, workspace(), jets["constituents"], jets["charge"], jets["prong"], vertex,
        jets["count"], jets["kind"], jets["label"], jets["parent"], heavy,
    )  # fmt: skip
    return vertex, heavy


def check_kinds(kinds: Sequence[str]) -> np.ndarray:
    """Codes of the classes."""
    names = (*KINDS, "qcd")
    if isinstance(kinds, str) or not isinstance(kinds, Sequence) or not 1 <= len(kinds) <= 100:
        raise TypeError(f"kinds must be a list of some of {', '.join(names)}, got {shown(kinds)}")
    return np.array([names.index(check_choice(choices=names, kinds=kind)) for kind in kinds])


def has_detector(preset: str, detector: bool | None) -> bool:
    check_choice(choices=("book", "physics"), preset=preset)
    check_choice(choices=(None, True, False), detector=detector)
    return preset == "physics" if detector is None else bool(detector)


def mean_pile_up(preset: str, mean: float | None) -> float:
    return (PILE_UP if preset == "physics" else 0.0) if mean is None else mean


def check_physics(
    *,
    pt: Sequence[float],
    rapidity: float,
    radius: float,
    alpha_s: float,
    running: bool,
    kt_cut: float,
    gluon_fraction: float,
    zprime_mass: float,
    contained: bool,
    detector: bool,
    pile_up: float,
    kinds: Sequence[str],
) -> Physics:
    """Checked parameters, as the compiled code takes them."""
    try:
        low, high = pt
    except (TypeError, ValueError):
        raise TypeError(f"pt must be two numbers, the lowest and the highest in GeV, got {shown(pt)}") from None
    low = check_number(minimum=10, maximum=5000, unit="GeV", pt=low)
    high = check_number(minimum=low, maximum=5000, unit="GeV", pt=high)
    alpha, slope = check_coupling(alpha_s, running, kt_cut)
    physics = Physics(
        pt_low=low,
        pt_high=high,
        rapidity=check_number(minimum=0, maximum=5, rapidity=rapidity),
        radius=check_radius(radius),
        kt_cut=float(kt_cut),
        alpha=alpha,
        slope=slope,
        gluon_fraction=check_number(minimum=0, maximum=1, gluon_fraction=gluon_fraction),
        zprime_mass=check_number(minimum=20, maximum=1000, unit="GeV", zprime_mass=zprime_mass),
        contained=bool(check_choice(choices=(True, False), contained=contained)),
        detector=detector,
        pile_up=check_number(minimum=0, maximum=500, pile_up=pile_up),
    )
    masses = {**MASSES, "zprime": physics.zprime_mass}
    for kind in kinds if physics.contained else ():
        wanted = 1.5 * masses.get(kind, 0.0) / physics.radius
        if low < wanted:
            raise ValueError(
                f"pt must be at least {wanted:.0f} GeV for contained {kind} jets of radius {physics.radius:g}, "
                f"got {low:g}"
            )
    return physics


def check_radius(radius: float) -> float:
    check_number(minimum=0, exclusive=True, radius=radius)
    return check_number(maximum=1.5, radius=radius)
