"""Nanostructures at random, and the patterns they scatter onto the detector without speckle.

Three kinds: a thin film whose rod of Kiessig fringes stands on the beam, buried spheres with their rings, and upright
cylinders on a surface, whose lateral order makes truncation rods. Film and cylinders are seen under grazing
incidence: nothing below the horizon, a Yoneda line above it. The detector may be turned by a quarter, so that the
surface stands upright and the rod lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlphys.simulators import _speckle_kernels as kernels
from dlphys.simulators._speckle_kernels import PIXELS, RADIAL
from dlphys.simulators._speckle_physics import (
    cylinder_form_factor,
    film_form_factor,
    hard_sphere_structure_factor,
    kiessig_fringes,
    paracrystal_structure_factor,
    sphere_form_factor,
    vineyard_factor,
)

PIXEL = 0.02  # nm^-1, momentum transfer from one pixel to the next
KINDS = ("film", "sphere", "cylinder")
ABSORPTION = 0.02  # beta over delta; silicon has 0.02 at 8 keV

_NUMBERS = 16  # uniform random numbers of one event


@dataclass(frozen=True)
class Scene:
    """What stands in front of the detector; the first axis is the event."""

    kind: np.ndarray  # (m,), index in KINDS
    size: np.ndarray  # (m,), nm: thickness of the film, radius of the others
    height: np.ndarray  # (m,), nm: of film or cylinders; of spheres their diameter
    spacing: np.ndarray  # (m,), nm: of cylinders, else 0
    photons: np.ndarray  # (m,), expected in the whole image, without the background
    background: np.ndarray  # (m,), expected photons a pixel
    turned: np.ndarray  # (m,), bool: the surface normal points to the left instead of upwards
    beam: np.ndarray  # (m, 2), pixels: row and column of the specular or direct beam
    pattern: np.ndarray  # (m, 64, 64), expected photons, background included


def draw_scenes(random: np.random.Generator, photons: tuple[float, float], block: int, pattern: np.ndarray) -> Scene:
    """The first scenes of a block, as many as there are in ``pattern``, which is filled."""
    events = len(pattern)
    u = random.random((block, _NUMBERS))[:events].T
    kind = (3.0 * u[0]).astype(np.int8)
    film, sphere = kind == 0, kind == 1
    total = _log_uniform(u[1], *photons)
    background = _log_uniform(u[2], 0.01, 0.3)
    halo = _log_uniform(u[3], 0.01, 0.2)
    halo_width = 1.5 + 2.5 * u[4]
    turned = u[5] < 0.5

    centre = 20.0 + 24.0 * u[6]  # along the surface, pixels
    horizon = 3.0 + 5.0 * u[7]  # along the normal
    incident = (7.0 + 7.0 * u[8]) * PIXEL  # normal component of the wave vector of the incident beam
    critical = (4.0 + 4.0 * u[9]) * PIXEL
    beam = np.where(sphere, 12.0 + 40.0 * u[7], horizon + incident / PIXEL)

    thickness = 2.0 * np.pi / (PIXEL * (5.0 + 11.0 * u[10]))  # 20 to 63 nm: fringes 5 to 16 pixels apart
    radius = np.where(sphere, 8.0 + 18.0 * u[10], 4.0 + 6.0 * u[10])
    size = np.where(film, thickness, radius)
    height = np.where(film, thickness, np.where(sphere, 2.0 * radius, 12.0 + 23.0 * u[11]))
    spacing = np.where(film | sphere, 0.0, radius * (2.4 + 2.6 * u[12]))

    pixels = np.arange(PIXELS)
    q_along = (pixels - centre[:, None]) * PIXEL
    k_out = (pixels - horizon[:, None]) * PIXEL
    q_normal = incident[:, None] + np.maximum(k_out, 0.0)
    yoneda = vineyard_factor(k_out, k_critical=critical[:, None], absorption=ABSORPTION)

    along = np.ones((events, PIXELS))  # dependence on the position along the surface
    across = np.zeros((events, PIXELS))  # on the position along its normal
    diffuse = np.zeros((events, PIXELS))  # on the same, of what is scattered alike all along the surface
    table = np.zeros((events, RADIAL))

    chosen = np.flatnonzero(film)
    c = chosen[:, None]
    width = (1.0 + 3.0 * u[11][c]) * PIXEL  # 1 / correlation length of the faces along the surface
    along[chosen] = (1.0 + (q_along[c, pixels] / width) ** 2) ** -1.5
    fringes = kiessig_fringes(
        q_normal[chosen], thickness=thickness[c], roughness=0.4 + 0.8 * u[13][c], contrast=0.4 + 0.6 * u[14][c]
    )
    across[chosen] = yoneda[chosen] * fringes / q_normal[chosen] ** 2
    # roughness without correlation scatters in all directions along the surface
    diffuse[chosen] = 0.01 * yoneda[chosen] / q_normal[chosen] ** 2

    chosen = np.flatnonzero(sphere)
    c = chosen[:, None]
    q = 0.5 * PIXEL * np.arange(RADIAL)
    fraction = 0.3 * u[12][c]
    rings = sphere_form_factor(q, radius=radius[c], spread=0.03 + 0.09 * u[13][c])
    table[chosen] = rings * hard_sphere_structure_factor(q, radius=1.1 * radius[c], fraction=fraction)

    chosen = np.flatnonzero(~film & ~sphere)
    c = chosen[:, None]
    lateral = np.abs(q_along[chosen])
    rods = paracrystal_structure_factor(lateral, spacing=spacing[c], disorder=(0.08 + 0.17 * u[13][c]) * spacing[c])
    along[chosen] = rods * cylinder_form_factor(lateral, radius=radius[c], spread=0.05 + 0.1 * u[14][c])
    lobes = film_form_factor(q_normal[chosen], thickness=height[c], roughness=(0.05 + 0.1 * u[15][c]) * height[c])
    across[chosen] = yoneda[chosen] * lobes

    halos = np.stack([_bump(pixels, beam, halo_width), _bump(pixels, centre, halo_width)])
    kernels.compose_patterns(
        sphere,
        table,
        np.stack([across, along, diffuse]),
        np.stack([beam, centre], axis=1),
        halos,
        np.stack([total, halo, background], axis=1),
        turned,
        pattern,
    )
    flipped = PIXELS - 1 - beam
    place = np.where(turned[:, None], np.stack([centre, flipped], 1), np.stack([flipped, centre], 1))
    return Scene(kind, size, height, spacing, total, background, turned, place, pattern)


def _log_uniform(u: np.ndarray, low: float, high: float) -> np.ndarray:
    return low * (high / low) ** u


def _bump(pixels: np.ndarray, centre: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Gaussians of unit sum, (events, pixels)."""
    bump = np.exp(-0.5 * ((pixels - centre[:, None]) / width[:, None]) ** 2)
    return bump / bump.sum(1, keepdims=True)
