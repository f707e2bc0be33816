"""Tracks and secondary vertices of jets with bottom and charm hadrons, compiled, and two baselines for finding them.

Tracks are straight lines: over the millimetres of a flight length the magnetic field bends them by less than a
micrometre for momenta above 1 GeV.
"""

from __future__ import annotations

from math import atan2, cos, cosh, hypot, pi, sin, sinh, sqrt

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._validation import check_array, check_count
from dlphys.simulators._jets_hadrons import B_MASS, D_MASS, FROM_B, FROM_D, PION_MASS

TRACK = ("d0", "d0 significance", "z0", "z0 significance", "pt", "pt fraction", "eta", "phi")
VERTEX = ("flight", "flight significance", "mass", "tracks", "momentum fraction", "angle")
SUMMARY = (
    "jet pt", "jet eta", "tracks", "displaced tracks", "first significance", "second significance",
    "third significance", "displaced fraction", "vertices", "vertex mass", "vertex significance", "width",
)  # fmt: skip

B_FLIGHT, D_ZERO_FLIGHT, D_PLUS_FLIGHT = 0.46, 0.123, 0.312  # mm, c tau; the first of a mixture of B hadrons
D_PLUS = 0.4  # share of D+
THRESHOLD, EFFICIENCY = 0.5, 0.95  # GeV
BAD, BAD_FACTOR = 0.03, 3.0
STRANGE, STRANGE_FLIGHT = 0.02, 15.0  # share of primary tracks; mm
PRIMARY_ACROSS, PRIMARY_ALONG = 0.010, 0.030  # mm
ALONG = 4.0  # error of z0 over that of d0
DISPLACED = 2.0  # significance from which on a track may belong to a vertex
WORST = 9.0  # chi^2 of a track at its vertex
FARTHEST = 100.0  # mm across the beam; tracks that seem to meet beyond are nearly parallel

# columns of the working array of tracks
_D0, _SD, _Z0, _SZ, _PT, _ETA, _PHI, _SIGN = range(8)


@compiled(nogil=True)
def flight_vector(rng: np.random.Generator, momentum: np.ndarray, mass: float, length: float, out: np.ndarray) -> float:
    """Add a flight with mean beta gamma times ``length`` to the place ``out``; returns its length."""
    scale = length * rng.standard_exponential() / mass
    square = 0.0
    for c in range(3):
        out[c] += scale * momentum[1 + c]
        square += momentum[1 + c] * momentum[1 + c]
    return scale * sqrt(square)


@compiled(nogil=True)
def draw_tracks(
    rng: np.random.Generator,
    jet: np.ndarray,
    charge: np.ndarray,
    vertex: np.ndarray,
    places: np.ndarray,
    axis: np.ndarray,
    resolution: float,
    scattering: float,
    tracks: np.ndarray,
) -> int:
    """Reconstruct the charged hadrons of one jet about the primary vertex; returns their number."""
    number = 0
    for i in range(len(jet)):
        pt, eta, phi = jet[i, 0], jet[i, 1], jet[i, 2]
        if pt <= 0.0:
            break
        if charge[i] == 0 or pt < THRESHOLD or rng.random() > EFFICIENCY:
            continue
        x, y, z = places[0, 0], places[0, 1], places[0, 2]
        if vertex[i] == FROM_B or vertex[i] == FROM_D:
            x, y, z = places[vertex[i], 0], places[vertex[i], 1], places[vertex[i], 2]
        elif rng.random() < STRANGE:
            far = STRANGE_FLIGHT * rng.standard_exponential() / cosh(axis[1])
            x, y, z = x + far * cos(axis[2]), y + far * sin(axis[2]), z + far * sinh(axis[1])
        error = hypot(resolution, scattering * sqrt(cosh(eta)) / pt)
        spread = error * (BAD_FACTOR if rng.random() < BAD else 1.0)
        cosine, sine = cos(phi), sin(phi)
        d0 = x * sine - y * cosine + spread * rng.standard_normal()
        z0 = z - (x * cosine + y * sine) * sinh(eta) + ALONG * spread * rng.standard_normal()
        tracks[number, _D0], tracks[number, _SD] = d0, hypot(error, PRIMARY_ACROSS)
        tracks[number, _Z0], tracks[number, _SZ] = z0, hypot(ALONG * error, PRIMARY_ALONG)
        tracks[number, _PT], tracks[number, _ETA], tracks[number, _PHI] = pt, eta, phi
        # the point of closest approach is d0 (sin phi, -cos phi): ahead of the vertex along the jet, or behind it
        tracks[number, _SIGN] = 1.0 if d0 * (sine * cos(axis[2]) - cosine * sin(axis[2])) > 0.0 else -1.0
        number += 1
    return number


@compiled(nogil=True)
def solve3(a: np.ndarray, inverse: np.ndarray) -> None:
    """Inverse of a symmetric matrix of three rows, by cofactors."""
    for i in range(3):
        for j in range(3):
            p, q, r, s = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
            inverse[j, i] = a[p, r] * a[q, s] - a[p, s] * a[q, r]
    determinant = a[0, 0] * inverse[0, 0] + a[0, 1] * inverse[1, 0] + a[0, 2] * inverse[2, 0]
    for i in range(3):
        for j in range(3):
            inverse[i, j] /= determinant


@compiled(nogil=True)
def rows_of_track(track: np.ndarray, rows: np.ndarray) -> None:
    """The two weighted equations rows[:, :3] v = rows[:, 3] that a track sets up for a vertex v. They are linear."""
    cosine, sine, slope = cos(track[_PHI]), sin(track[_PHI]), sinh(track[_ETA])
    rows[0, 0], rows[0, 1], rows[0, 2] = sine / track[_SD], -cosine / track[_SD], 0.0
    rows[1, 0], rows[1, 1], rows[1, 2] = -cosine * slope / track[_SZ], -sine * slope / track[_SZ], 1.0 / track[_SZ]
    rows[0, 3], rows[1, 3] = track[_D0] / track[_SD], track[_Z0] / track[_SZ]


@compiled(nogil=True)
def fit_vertex(
    tracks: np.ndarray, number: int, used: np.ndarray, place: np.ndarray, covariance: np.ndarray
) -> tuple[int, float]:
    """Least-squares vertex of the tracks marked in ``used``; returns the worst track and its chi^2."""
    normal, side, rows = np.zeros((3, 3)), np.zeros(3), np.empty((2, 4))
    for i in range(number):
        if used[i]:
            rows_of_track(tracks[i], rows)
            for r in range(2):
                for a in range(3):
                    side[a] += rows[r, a] * rows[r, 3]
                    for b in range(3):
                        normal[a, b] += rows[r, a] * rows[r, b]
    solve3(normal, covariance)
    for a in range(3):
        place[a] = covariance[a, 0] * side[0] + covariance[a, 1] * side[1] + covariance[a, 2] * side[2]
    worst, largest = -1, 0.0
    for i in range(number):
        if used[i]:
            rows_of_track(tracks[i], rows)
            chi = 0.0
            for r in range(2):
                miss = rows[r, 0] * place[0] + rows[r, 1] * place[1] + rows[r, 2] * place[2] - rows[r, 3]
                chi += miss * miss
            if chi > largest:
                worst, largest = i, chi
    return worst, largest


@compiled(nogil=True)
def find_vertex(
    tracks: np.ndarray, number: int, free: np.ndarray, used: np.ndarray, place: np.ndarray, covariance: np.ndarray
) -> int:
    """Displaced free tracks that meet in one point, marked in ``used``; returns their number, 0 if there are none."""
    count = 0
    for i in range(number):
        used[i] = free[i] and tracks[i, _SIGN] * abs(tracks[i, _D0]) / tracks[i, _SD] > DISPLACED
        count += used[i]
    while count >= 2:
        worst, chi = fit_vertex(tracks, number, used, place, covariance)
        if chi < WORST and place[0] ** 2 + place[1] ** 2 < FARTHEST**2:
            return count
        used[worst] = False
        count -= 1
    return 0


@compiled(nogil=True)
def write_vertex(
    tracks: np.ndarray,
    number: int,
    used: np.ndarray,
    count: int,
    place: np.ndarray,
    covariance: np.ndarray,
    axis: np.ndarray,
    out: np.ndarray,
) -> None:
    """The features of a vertex, in the order of VERTEX."""
    length = sqrt(place[0] ** 2 + place[1] ** 2 + place[2] ** 2)
    variance = 0.0
    for a in range(3):
        for b in range(3):
            variance += place[a] * covariance[a, b] * place[b] / (length * length)
    ahead = place[0] * cos(axis[2]) + place[1] * sin(axis[2]) + place[2] * sinh(axis[1])
    sign = 1.0 if ahead > 0.0 else -1.0
    e, px, py, pz, used_pt, all_pt = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(number):
        pt, eta, phi = tracks[i, _PT], tracks[i, _ETA], tracks[i, _PHI]
        all_pt += pt
        if used[i]:
            used_pt += pt
            e += sqrt((pt * cosh(eta)) ** 2 + PION_MASS * PION_MASS)
            px, py, pz = px + pt * cos(phi), py + pt * sin(phi), pz + pt * sinh(eta)
    across = hypot(place[0], place[1])
    eta = np.arcsinh(place[2] / max(across, 1e-9))
    turn = abs(atan2(place[1], place[0]) - axis[2])
    out[0], out[1] = sign * length, sign * length / sqrt(variance)
    out[2] = sqrt(max(e * e - px * px - py * py - pz * pz, 0.0))
    out[3], out[4] = count, used_pt / all_pt
    out[5] = hypot(eta - axis[1], min(turn, 2.0 * pi - turn))


@compiled(nogil=True)
def write_tracks(
    tracks: np.ndarray, number: int, axis: np.ndarray, order: np.ndarray, out: np.ndarray, summary: np.ndarray
) -> None:
    """Tracks in falling order of significance, and what the summary says about them."""
    score = np.empty(number)
    for i in range(number):
        score[i] = tracks[i, _SIGN] * abs(tracks[i, _D0]) / tracks[i, _SD]
        j = i
        while j > 0 and score[order[j - 1]] < score[i]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
    total, displaced, spread = 0.0, 0.0, 0.0
    summary[2], summary[3] = number, 0.0
    for rank in range(3):
        summary[4 + rank] = score[order[rank]] if rank < number else -5.0
    for rank in range(number):
        track = tracks[order[rank]]
        turn = track[_PHI] - axis[2]
        turn = turn - 2.0 * pi if turn > pi else (turn + 2.0 * pi if turn < -pi else turn)
        eta = track[_ETA] - axis[1]
        total += track[_PT]
        spread += track[_PT] * hypot(eta, turn)
        if score[order[rank]] > DISPLACED:
            summary[3] += 1.0
            displaced += track[_PT]
        if rank < len(out):
            along = 1.0 if track[_Z0] * (track[_ETA] - axis[1]) > 0.0 else -1.0
            out[rank, 0], out[rank, 1] = track[_SIGN] * abs(track[_D0]), score[order[rank]]
            out[rank, 2], out[rank, 3] = along * abs(track[_Z0]), along * abs(track[_Z0]) / track[_SZ]
            out[rank, 4], out[rank, 5] = track[_PT], track[_PT] / axis[0]
            out[rank, 6], out[rank, 7] = eta, turn
    summary[7], summary[11] = (displaced / total, spread / total) if number else (0.0, 0.0)


@compiled(nogil=True)
def fill_tracks(
    rng: np.random.Generator,
    jets: np.ndarray,
    charge: np.ndarray,
    vertex: np.ndarray,
    heavy: np.ndarray,
    resolution: float,
    scattering: float,
    out: np.ndarray,
    vertices: np.ndarray,
    summary: np.ndarray,
    flight: np.ndarray,
) -> None:
    """Tracks, vertices and summaries of a block of jets. ``heavy`` (n, 2, 4): momenta of B and D, zeros if none."""
    n, k = jets.shape[:2]
    tracks, order = np.empty((k, 8)), np.empty(k, np.int64)
    places, axis = np.empty((3, 3)), np.empty(3)
    free, used = np.empty(k, np.bool_), np.empty(k, np.bool_)
    place, covariance = np.empty(3), np.empty((3, 3))
    for j in range(n):
        px, py, pz = 0.0, 0.0, 0.0
        for i in range(k):
            pt = jets[j, i, 0]
            px, py, pz = px + pt * cos(jets[j, i, 2]), py + pt * sin(jets[j, i, 2]), pz + pt * sinh(jets[j, i, 1])
        axis[0] = hypot(px, py)
        axis[1], axis[2] = np.arcsinh(pz / axis[0]), atan2(py, px)
        # true vertices, seen from the reconstructed primary one
        for c in range(3):
            places[0, c] = (PRIMARY_ALONG if c == 2 else PRIMARY_ACROSS) * rng.standard_normal()
            places[FROM_B, c] = places[0, c]
        if heavy[j, 0, 0] > 0.0:
            flight[j, 0] = flight_vector(rng, heavy[j, 0], B_MASS, B_FLIGHT, places[FROM_B])
        for c in range(3):
            places[FROM_D, c] = places[FROM_B, c]
        if heavy[j, 1, 0] > 0.0:
            length = D_PLUS_FLIGHT if rng.random() < D_PLUS else D_ZERO_FLIGHT
            flight[j, 1] = flight_vector(rng, heavy[j, 1], D_MASS, length, places[FROM_D])
        number = draw_tracks(rng, jets[j], charge[j], vertex[j], places, axis, resolution, scattering, tracks)
        write_tracks(tracks, number, axis, order, out[j], summary[j])
        summary[j, 0], summary[j, 1], summary[j, 8], summary[j, 9], summary[j, 10] = axis[0], axis[1], 0.0, 0.0, 0.0
        for i in range(number):
            free[i] = True
        for v in range(2):
            count = find_vertex(tracks, number, free, used, place, covariance)
            if count == 0:
                break
            write_vertex(tracks, number, used, count, place, covariance, axis, vertices[j, v])
            for i in range(number):
                free[i] = free[i] and not used[i]
            summary[j, 8] += 1.0
            if v == 0:
                summary[j, 9], summary[j, 10] = vertices[j, 0, 2], vertices[j, 0, 1]


def track_counting(tracks: ArrayLike, *, rank: int = 2) -> np.ndarray:
    """Significance of the track with the second largest one: the classic b tag, a baseline.

    Parameters
    ----------
    tracks : array, (n, k, 8)
        From `simulate_b_jets`.
    rank : int
        2 asks for two displaced tracks, 3 for three (purer).

    Returns
    -------
    array, (n,), float64
        -inf for jets with fewer tracks.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, or ``rank`` is out of range.

    Notes
    -----
    The track-counting tagger of CMS, arXiv:1211.4462.

    Examples
    --------
    >>> tracks = np.full((1, 3, 8), np.nan)
    >>> tracks[0, :2, 1] = 7.0, 3.0
    >>> track_counting(tracks)
    array([3.])
    """
    array = check_array(shape=(None, None, len(TRACK)), allow_nan=True, tracks=tracks)
    rank = check_count(rank=rank, maximum=array.shape[1])
    significance = np.where(np.isnan(array[..., 1]), -np.inf, array[..., 1])
    return np.sort(significance, axis=1)[:, -rank]


def impact_parameter_ratio(
    tracks_train: ArrayLike, bottom_train: ArrayLike, tracks: ArrayLike, *, bins: int = 40
) -> np.ndarray:
    """Sum over tracks of ln p(S | bottom) / p(S | other), S the significances of d_0 and z_0: a baseline.

    The densities are histograms of the training jets; tracks are taken as independent, which they are not.

    Parameters
    ----------
    tracks_train : array, (n, k, 8)
    bottom_train : array, (n,)
        1 for bottom jets, 0 for those to be told from them; both must occur.
    tracks : array, (m, k, 8)
        Jets to classify.
    bins : int
        In each direction.

    Returns
    -------
    array, (m,), float64

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or labels are not 0 and 1.

    Notes
    -----
    As the tagger IP3D of ATLAS, arXiv:1512.01094.

    Examples
    --------
    >>> tracks = np.zeros((4, 1, 8))
    >>> tracks[2:, 0, 1] = 9.0
    >>> impact_parameter_ratio(tracks, [0, 0, 1, 1], tracks, bins=2).round(2)
    array([-1.61, -1.61,  1.61,  1.61])
    """
    train = check_array(shape=(None, None, len(TRACK)), allow_nan=True, tracks_train=tracks_train)
    bottom = check_array(shape=(len(train),), minimum=0, maximum=1, bottom_train=bottom_train)
    if set(np.unique(bottom)) != {0.0, 1.0}:
        raise ValueError("bottom_train must hold 0 and 1, and both of them")
    array = check_array(shape=(None, None, len(TRACK)), allow_nan=True, tracks=tracks)
    bins = check_count(bins=bins, minimum=2, maximum=1000)
    known = ~np.isnan(train[..., 1])
    pairs = train[known][:, [1, 3]]
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1])) for column in pairs.T]
    shape = tuple(len(edge) + 1 for edge in edges)

    def cells(values: np.ndarray) -> np.ndarray:
        across, along = (np.searchsorted(edge, v, "right") for edge, v in zip(edges, values.T, strict=True))
        return across * shape[1] + along

    labels = np.broadcast_to(bottom[:, None], known.shape)[known]
    counts = [np.bincount(cells(pairs[labels == label]), minlength=shape[0] * shape[1]) + 0.5 for label in (0, 1)]
    ratio = np.log(counts[1] / counts[1].sum()) - np.log(counts[0] / counts[0].sum())
    seen = ~np.isnan(array[..., 1])
    scores = np.zeros(array.shape[:2])
    scores[seen] = ratio[cells(array[seen][:, [1, 3]])]
    return scores.sum(1)
