"""Hits of charged particles in the layers of a tracker in a solenoid, and which of them belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._numba import compiled
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number, check_positive
from dlphys.simulators._events_matter import PION_MASS, SCATTERING_ENERGY
from dlphys.simulators._sample import Sample

BLOCK = 256
EVENT, MEASUREMENT = range(2)

LAYERS = np.array([0.032, 0.072, 0.116, 0.172, 0.260, 0.360, 0.500, 0.660, 0.820, 1.020])  # m
LAYERS.setflags(write=False)
HALF_LENGTH = 1.25  # m
FIELD = 2.0  # T
BENDING = 0.299792458  # GeV/c per tesla and metre
LARGEST_RAPIDITY = 1.0
BEAM_SPOT = 0.05  # m along the beam
NO_PARTICLE = -1


@dataclass(frozen=True, repr=False)
class TrackerHits(Sample):
    """Simulated events in a tracker; the first axis of every array is the event.

    Attributes
    ----------
    hits : array, (n, h, 3), float32, m
        x, y, z, by layer from the inside, in a layer in random order; NaN after the last.
    layer : array, (n, h), int8
        0 to 9; -1 after the last.
    particle : array, (n, h), int16
        Which particle made the hit; -1 for noise and after the last.
    edges : array, (n, e, 2), int16
        True segments: rows of ``hits`` of one particle in neighbouring layers, inner first; -1 after the last.
    momentum : array, (n, tracks, 3), float32, GeV/c
        At the start, in x, y, z.
    charge : array, (n, tracks), int8
    origin : array, (n, tracks), float32, m
        Position on the beam.
    """

    units: ClassVar = {
        "hits": "m",
        "layer": "",
        "particle": "",
        "edges": "rows of hits",
        "momentum": "GeV/c",
        "charge": "e",
        "origin": "m",
    }

    hits: np.ndarray
    layer: np.ndarray
    particle: np.ndarray
    edges: np.ndarray
    momentum: np.ndarray
    charge: np.ndarray
    origin: np.ndarray


def bending_radius(transverse_momentum: ArrayLike, *, field: float = FIELD) -> np.ndarray:
    """Radius of the circle on which a particle of charge e runs across a magnetic field: r = p_T / (0.2998 B).

    Parameters
    ----------
    transverse_momentum : float or array, any shape, GeV/c
        At least 0.
    field : float, T

    Returns
    -------
    array, shape of ``transverse_momentum``, m

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> float(bending_radius(1.0).round(3))
    1.668
    """
    momentum = check_array(minimum=0.0, unit="GeV/c", transverse_momentum=transverse_momentum)
    check_positive(unit="T", field=field)
    return momentum / (BENDING * field)


def tracker_hits(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    tracks: int = 12,
    cone: float = 0.4,
    field: float = FIELD,
    least_momentum: float = 0.5,
    resolution: float | None = None,
    efficiency: float | None = None,
    noise_hits: float | None = None,
    thickness: float | None = None,
) -> TrackerHits:
    """Draw particles from the beam, bent by a solenoid into helices, and their hits in ten cylindrical layers.

    Two presets: "book" has exact helices, all hits, and nothing else; "physics" has a resolution of 50 um, hits
    found with 98 %, six noise hits an event on average, and multiple scattering in layers of 2 % of a radiation length.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    tracks : int
        Particles in an event, up to 100.
    cone : float, rad
        Half width in azimuth and in pseudorapidity of the jet in which they fly; pi for all directions.
    field : float, T
        Along z.
    least_momentum : float, GeV/c
        Transverse momenta fall as p_T^-2 from here to 10 GeV/c.
    resolution : float, m, optional
        Standard deviation of a hit, along the layer and along z.
    efficiency : float, optional
        Probability in (0, 1] that a crossing is seen.
    noise_hits : float, optional
        Mean number of hits of no particle.
    thickness : float, radiation lengths, optional
        Of each layer.

    Returns
    -------
    TrackerHits
        Frozen dataclass: hits (n, h, 3) float32 m with NaN after the last, layer, particle, edges, and more. h is
        ten times ``tracks`` and room for the noise.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or a particle of the least momentum does not reach the outermost layer.

    Notes
    -----
    Layers at the radii of the barrel of the TrackML detector (S. Amrouche et al., arXiv:1904.06778), 2.5 m long.
    Pseudorapidity lies in [-1, 1], the axis of the jet is random, origins scatter along the beam by 5 cm. Between
    layers the helix is exact; scattering turns it by Highland's width. Energy loss is left out.

    Examples
    --------
    >>> events = tracker_hits(2, seed=1)
    >>> events.hits.shape, events.edges.shape
    ((2, 120, 3), (2, 108, 2))
    """
    n = check_count(n=n)
    check_choice(choices=("book", "physics"), preset=preset)
    tracks = check_count(maximum=100, tracks=tracks)
    book = preset == "book"
    resolution = check_number(
        minimum=0.0, maximum=0.01, unit="m", resolution=(0.0 if book else 5e-5) if resolution is None else resolution
    )
    efficiency = check_number(
        minimum=0.01, maximum=1.0, efficiency=(1.0 if book else 0.98) if efficiency is None else efficiency
    )
    noise = check_number(
        minimum=0.0, maximum=1e3, noise_hits=(0.0 if book else 6.0) if noise_hits is None else noise_hits
    )
    thickness = check_number(
        minimum=0.0,
        maximum=0.2,
        unit="radiation lengths",
        thickness=(0.0 if book else 0.02) if thickness is None else thickness,
    )
    check_positive(unit="T", field=field)
    cone = check_number(minimum=0.0, maximum=float(np.pi) + 1e-6, exclusive=True, unit="rad", cone=cone)
    least = check_number(minimum=0.0, maximum=9.0, exclusive=True, unit="GeV/c", least_momentum=least_momentum)
    if 2.0 * bending_radius(least, field=field) < 1.1 * LAYERS[-1]:
        raise ValueError(
            f"least_momentum must let particles reach the last layer, at least "
            f"{0.55 * LAYERS[-1] * BENDING * field:.3g} GeV/c in {field:g} T, got {least:g} GeV/c"
        )
    stream = Streams.of(seed)
    room = tracks * len(LAYERS) + (int(noise + 6.0 * np.sqrt(noise)) + 3 if noise else 0)
    events = TrackerHits(
        hits=np.full((n, room, 3), np.nan, np.float32),
        layer=np.full((n, room), -1, np.int8),
        particle=np.full((n, room), NO_PARTICLE, np.int16),
        edges=np.full((n, tracks * (len(LAYERS) - 1), 2), -1, np.int16),
        momentum=np.empty((n, tracks, 3), np.float32),
        charge=np.empty((n, tracks), np.int8),
        origin=np.empty((n, tracks), np.float32),
    )

    def fill(block: int, some: slice) -> None:
        m = some.stop - some.start
        start = np.empty((m, tracks, 5))
        crossings = np.empty((m, tracks, len(LAYERS), 3))
        _bend(stream(EVENT, block), start, crossings, LAYERS, float(field), least, cone, thickness)
        momentum, phi, slope = start[..., 0], start[..., 1], start[..., 2]
        events.momentum[some] = np.stack([momentum * np.cos(phi), momentum * np.sin(phi), momentum * slope], -1)
        events.charge[some], events.origin[some] = start[..., 3], start[..., 4]
        _record(
            stream(MEASUREMENT, block),
            crossings,
            LAYERS,
            resolution,
            efficiency,
            noise,
            events.hits[some],
            events.layer[some],
            events.particle[some],
            events.edges[some],
        )

    fill_blocks(fill, n, block=max(16, BLOCK * 12 // max(12, tracks)), title="tracker")
    return events


def edge_candidates(
    hits: ArrayLike,
    layer: ArrayLike,
    *,
    most: int,
    largest_bend: float = 1.0,
    largest_origin: float = 0.3,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of hits in neighbouring layers that one particle could have made; with tight limits, a baseline.

    A pair passes if its change of azimuth in a metre of radius is below ``largest_bend`` and if the straight line
    through it in the (r, z) plane meets the beam within ``largest_origin``.

    Parameters
    ----------
    hits : array, (n, h, 3), m
        As of `tracker_hits`.
    layer : array, (n, h)
        -1 where there is no hit.
    most : int
        Room for pairs in an event; further ones are dropped.
    largest_bend : float, rad/m
        A particle of 0.5 GeV/c turns by up to 0.76 rad/m in 2 T.
    largest_origin : float, m

    Returns
    -------
    edges : array, (n, most, 2), int32
        Rows of ``hits``, inner first; -1 after the last.
    count : array, (n,), int32
        Pairs that pass, those dropped included.

    Raises
    ------
    ValueError, TypeError
        If the arrays do not fit together or a limit is not positive.

    Examples
    --------
    >>> events = tracker_hits(1, seed=1)
    >>> edges, count = edge_candidates(events.hits, events.layer, most=800)
    >>> true = {tuple(edge) for edge in events.edges[0].tolist()}
    >>> found = {tuple(edge) for edge in edges[0, : count[0]].tolist()}
    >>> true <= found
    True
    """
    hits = check_array(shape=(None, None, 3), unit="m", allow_nan=True, hits=hits)
    layer = check_array(shape=hits.shape[:2], minimum=-1, dtype=np.int64, layer=layer)
    most = check_count(most=most)
    check_positive(unit="rad/m", largest_bend=largest_bend)
    check_positive(unit="m", largest_origin=largest_origin)
    edges = np.full((len(hits), most, 2), -1, np.int32)
    count = np.zeros(len(hits), np.int32)
    _pair(hits, layer, float(largest_bend), float(largest_origin), edges, count)
    return edges, count


@compiled(nogil=True)
def _cross(
    x: float, y: float, phi: float, charge: float, radius: float, layer: float
) -> tuple[float, float, float, float]:
    """Where a circle that starts at (x, y) towards ``phi`` first meets the cylinder: x, y, direction, path (m)."""
    centre_x, centre_y = x + charge * radius * np.sin(phi), y - charge * radius * np.cos(phi)
    distance, azimuth = np.hypot(centre_x, centre_y), np.arctan2(centre_y, centre_x)
    sine = charge * (layer * layer - distance * distance - radius * radius) / (2.0 * radius * distance)
    if abs(sine) > 1.0:
        return np.nan, np.nan, np.nan, np.nan
    best, direction = np.inf, 0.0
    for other in (np.arcsin(sine), np.pi - np.arcsin(sine)):
        after = azimuth - other
        turn = (charge * (phi - after)) % (2.0 * np.pi)
        if 1e-9 < turn < best:
            best, direction = turn, phi - charge * turn
    return (
        centre_x - charge * radius * np.sin(direction),
        centre_y + charge * radius * np.cos(direction),
        direction,
        best * radius,
    )


@compiled(nogil=True)
def _bend(
    random: np.random.Generator,
    start: np.ndarray,
    crossings: np.ndarray,
    layers: np.ndarray,
    field: float,
    least: float,
    cone: float,
    thickness: float,
) -> None:
    """Start (m, tracks, 5): p_T, phi, cot theta, charge, origin; crossings (m, tracks, layers, 3), NaN for none."""
    crossings[:] = np.nan
    across = min(cone, LARGEST_RAPIDITY)
    for event in range(start.shape[0]):
        axis = 2.0 * np.pi * random.random()
        rapidity = (LARGEST_RAPIDITY - across) * (2.0 * random.random() - 1.0)
        for track in range(start.shape[1]):
            transverse = 1.0 / (1.0 / least - random.random() * (1.0 / least - 0.1))
            phi = axis + cone * (2.0 * random.random() - 1.0)
            slope = np.sinh(rapidity + across * (2.0 * random.random() - 1.0))
            charge = 1.0 if random.random() < 0.5 else -1.0
            z = BEAM_SPOT * random.standard_normal()
            first = start[event, track]
            first[0], first[1], first[2], first[3], first[4] = transverse, phi, slope, charge, z
            x = y = 0.0
            for k in range(layers.size):
                radius = transverse / (BENDING * field)
                x, y, phi, path = _cross(x, y, phi, charge, radius, layers[k])
                z += path * slope
                if not abs(z) < HALF_LENGTH:
                    break
                crossings[event, track, k, 0] = x
                crossings[event, track, k, 1] = y
                crossings[event, track, k, 2] = z
                if thickness > 0.0:
                    momentum = 1e3 * transverse * np.sqrt(1.0 + slope * slope)
                    beta = momentum / np.hypot(momentum, PION_MASS)
                    depth = thickness * np.sqrt(1.0 + slope * slope)
                    width = SCATTERING_ENERGY / (beta * momentum) * np.sqrt(depth)
                    width *= 1.0 + 0.038 * np.log(depth / (beta * beta))
                    polar = np.arctan2(1.0, slope)
                    phi += width * random.standard_normal() / np.sin(polar)
                    polar += width * random.standard_normal()
                    transverse = 1e-3 * momentum * np.sin(polar)
                    slope = np.cos(polar) / np.sin(polar)


@compiled(nogil=True)
def _record(
    random: np.random.Generator,
    crossings: np.ndarray,
    layers: np.ndarray,
    resolution: float,
    efficiency: float,
    noise: float,
    hits: np.ndarray,
    layer: np.ndarray,
    particle: np.ndarray,
    edges: np.ndarray,
) -> None:
    """Measure the crossings, add noise, and write them by layer, in each layer in random order."""
    tracks, room = crossings.shape[1], hits.shape[1]
    owner = np.empty(room, np.int64)
    place = np.empty((room, 3))
    row_of = np.empty((tracks, layers.size), np.int64)
    for event in range(crossings.shape[0]):
        row_of[:] = -1
        false_hits = min(random.poisson(noise), room - tracks * layers.size)
        row = 0
        for k in range(layers.size):
            count = 0
            for track in range(tracks):
                x, y = crossings[event, track, k, 0], crossings[event, track, k, 1]
                if np.isnan(x) or random.random() > efficiency:
                    continue
                phi = np.arctan2(y, x) + resolution / layers[k] * random.standard_normal()
                owner[count] = track
                place[count, 0], place[count, 1] = layers[k] * np.cos(phi), layers[k] * np.sin(phi)
                place[count, 2] = crossings[event, track, k, 2] + resolution * random.standard_normal()
                count += 1
            # the noise hits that are left, spread evenly over the layers that are left
            here = random.binomial(false_hits, 1.0 / (layers.size - k)) if false_hits > 0 else 0
            false_hits -= here
            for _ in range(here):
                phi = 2.0 * np.pi * random.random()
                owner[count] = NO_PARTICLE
                place[count, 0], place[count, 1] = layers[k] * np.cos(phi), layers[k] * np.sin(phi)
                place[count, 2] = HALF_LENGTH * (2.0 * random.random() - 1.0)
                count += 1
            for left in range(count, 0, -1):  # random order: each time one of those that are left
                i = int(left * random.random())
                layer[event, row], particle[event, row] = k, owner[i]
                for axis in range(3):
                    hits[event, row, axis] = place[i, axis]
                    place[i, axis] = place[left - 1, axis]
                if owner[i] != NO_PARTICLE:
                    row_of[owner[i], k] = row
                owner[i] = owner[left - 1]
                row += 1
        found = 0
        for track in range(tracks):
            for k in range(layers.size - 1):
                if row_of[track, k] >= 0 and row_of[track, k + 1] >= 0:
                    edges[event, found, 0], edges[event, found, 1] = row_of[track, k], row_of[track, k + 1]
                    found += 1


@compiled(nogil=True)
def _pair(
    hits: np.ndarray,
    layer: np.ndarray,
    largest_bend: float,
    largest_origin: float,
    edges: np.ndarray,
    count: np.ndarray,
) -> None:
    room = hits.shape[1]
    radius, azimuth = np.empty(room), np.empty(room)
    for event in range(hits.shape[0]):
        for i in range(room):
            radius[i] = np.hypot(hits[event, i, 0], hits[event, i, 1])
            azimuth[i] = np.arctan2(hits[event, i, 1], hits[event, i, 0])
        for i in range(room):
            for j in range(room):
                if layer[event, i] < 0 or layer[event, j] != layer[event, i] + 1:
                    continue
                outward = radius[j] - radius[i]
                turn = abs((azimuth[j] - azimuth[i] + np.pi) % (2.0 * np.pi) - np.pi)
                origin = hits[event, i, 2] - radius[i] * (hits[event, j, 2] - hits[event, i, 2]) / outward
                if turn < largest_bend * outward and abs(origin) < largest_origin:
                    if count[event] < edges.shape[1]:
                        edges[event, count[event], 0], edges[event, count[event], 1] = i, j
                    count[event] += 1
