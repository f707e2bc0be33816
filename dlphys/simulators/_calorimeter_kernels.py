"""Compiled parts of the calorimeter: incomplete gamma function, shares of cells, and the spots in them.

The means of the voxels are exact integrals, and the number of spots in each is an exact Poisson number; nothing is
approximated for speed but what `NEGLIGIBLE` leaves out.
"""

from __future__ import annotations

import math

import numpy as np

from dlphys._numba import compiled

NEGLIGIBLE = 1e-6  # spots that a lateral component must make in a step to be taken into account
FEW = 6.0  # mean number of spots up to which they are drawn one by one
COMPONENTS = 3  # electromagnetic core and tail, hadronic

# energy loss of one particle in a step over its mean: Moyal's density, whose width at half maximum is 0.43 of its peak
LOSS_WIDTH = 0.104
LOSS_PEAK = 1.0 - LOSS_WIDTH * 1.2703628454614782  # Euler's constant + ln 2, the mean of Moyal's density


@compiled(nogil=True)
def lower_gamma(a: float, x: float) -> float:
    """Regularised lower incomplete gamma function P(a, x) for a > 0.

    Power series for x < a + 1, continued fraction by Lentz's method otherwise (Abramowitz and Stegun, 6.5.29, 6.5.31).
    """
    if x <= 0.0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        term = 1.0 / a
        total = term
        n = a
        while term > 1e-16 * total:
            n += 1.0
            term *= x / n
            total += term
        return front * total
    b = x + 1.0 - a
    c = 1e300
    d = 1.0 / b
    fraction = d
    for i in range(1, 500):
        numerator = -i * (i - a)
        b += 2.0
        d = 1.0 / (numerator * d + b)
        c = b + numerator / c
        fraction *= c * d
        if abs(c * d - 1.0) < 1e-16:
            break
    return 1.0 - front * fraction


@compiled(nogil=True, fastmath={"contract"})
def arctangent(x: float) -> float:
    """atan(x) to 1e-9 without a branch, so that a loop over cells becomes vector instructions.

    Chebyshev expansion of atan(u) / u in z = u^2 for |u| <= 1, summed in pairs (Estrin), since a chain of ten
    dependent additions would wait for itself; beyond, atan(x) = pi / 2 - atan(1 / x).
    """
    size = abs(x)
    u = min(size, 1.0) / max(size, 1.0)
    z = u * u
    z2 = z * z
    low = (ATAN[0] + ATAN[1] * z) + (ATAN[2] + ATAN[3] * z) * z2
    middle = (ATAN[4] + ATAN[5] * z) + (ATAN[6] + ATAN[7] * z) * z2
    high = (ATAN[8] + ATAN[9] * z) + ATAN[10] * z2
    angle = u * (low + (middle + high * (z2 * z2)) * (z2 * z2))
    angle = angle if size <= 1.0 else 0.5 * math.pi - angle
    return math.copysign(angle, x)


@compiled(nogil=True)
def step_components(
    begin: float,
    end: float,
    energy: float,
    maximum: float,
    shape: float,
    mean_shape: float,
    start: float,
    fraction: float,
    scale: float,
    hadronic: np.ndarray,
    medium: np.ndarray,
    weight: np.ndarray,
    radius: np.ndarray,
) -> None:
    """Energies (GeV) and radii (cm) of the lateral components of one step of depth; see `calorimeter.simulate`.

    ``hadronic`` holds shape, inverse length (1/X0), response and radius (cm) of the hadronic part; ``medium``
    atomic number, Moliere radius (cm) and the loss of the primary track (GeV/X0).
    """
    weight[:] = 0.0
    first, last = max(begin - start, 0.0), end - start
    if last <= 0.0:
        return
    inverse = (shape - 1.0) / maximum
    share = lower_gamma(shape, inverse * last) - lower_gamma(shape, inverse * first)
    age = 0.5 * (first + last) * inverse / shape * mean_shape / (mean_shape - 1.0)
    core, tail, p = lateral(age, max(fraction * energy, 1.0), medium[0])
    weight[0] = p * share * fraction * energy
    weight[1] = (1.0 - p) * share * fraction * energy
    radius[0] = core * medium[1]
    radius[1] = tail * medium[1]
    if fraction < 1.0:
        inverse = hadronic[1] / scale
        share = lower_gamma(hadronic[0], inverse * last) - lower_gamma(hadronic[0], inverse * first)
        weight[2] = (1.0 - fraction) * hadronic[2] * share * energy
        radius[2] = hadronic[3]


@compiled(nogil=True)
def track_loss(random: np.random.Generator, begin: float, end: float, start: float, loss: float) -> float:
    """Energy (GeV) of a particle that ionises until it interacts at ``start``; ``loss`` is its mean in GeV/X0.

    With a standard normal z, -ln z^2 has the density of Moyal (Phil. Mag. 46 (1955) 263), which is close to Landau's.
    """
    if begin >= start:
        return 0.0
    z = random.standard_normal()
    return loss * (min(end, start) - begin) * max(LOSS_PEAK - LOSS_WIDTH * math.log(z * z + 1e-300), 0.0)


@compiled(nogil=True)
def lateral(age: float, energy: float, atomic_number: float) -> tuple[float, float, float]:
    """Core and tail radius in Moliere radii, and the core's share, at the depth ``age`` in units of the maximum."""
    log_energy = math.log(energy)
    core = 0.0251 + 0.00319 * log_energy + (0.1162 - 0.000381 * atomic_number) * age
    tail = (0.659 - 0.00309 * atomic_number) * (
        math.exp(-2.59 * (age - 0.645)) + math.exp((0.3585 + 0.0412 * log_energy) * (age - 0.645))
    )
    x = (0.401 + 0.00187 * atomic_number - age) / (1.313 - 0.0686 * log_energy)
    share = (2.632 - 0.00094 * atomic_number) * math.exp(x - math.exp(x))
    return core, tail, min(max(share, 0.0), 1.0)


@compiled(nogil=True)
def add_rings(mean: np.ndarray, rings: np.ndarray, weight: np.ndarray, radius: np.ndarray, least: float) -> None:
    """Add the energy between the radii of a cylinder's rings: F(r) = r^2 / (r^2 + R^2)."""
    for k in range(COMPONENTS):
        if weight[k] < least:
            continue
        square = radius[k] ** 2
        below = rings[0] ** 2 / (rings[0] ** 2 + square)
        for ring in range(len(mean)):
            above = rings[ring + 1] ** 2 / (rings[ring + 1] ** 2 + square)
            mean[ring] += weight[k] * (above - below)
            below = above


@compiled(nogil=True)
def add_cells(
    mean: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    radius: np.ndarray,
    least: float,
    work: tuple[np.ndarray, ...],
) -> None:
    """Add the energy in rectangular cells whose borders are ``x`` and ``y``, measured from the axis of the shower.

    The density R^2 / (pi (r^2 + R^2)^2) has the primitive function
    G(x, y) = (x / X atan(y / X) + y / Y atan(x / Y)) / (2 pi) with X^2 = x^2 + R^2 and Y^2 = y^2 + R^2, and a cell is
    the difference of G over its four corners.
    """
    corner, next_corner, sine, inverse = work
    for k in range(COMPONENTS):
        if weight[k] < least:
            continue
        square = radius[k] ** 2
        front = weight[k] / (2.0 * math.pi)
        for j in range(len(y)):
            inverse[j] = 1.0 / math.sqrt(y[j] * y[j] + square)
            sine[j] = y[j] * inverse[j]
        for i in range(len(x)):
            length = 1.0 / math.sqrt(x[i] * x[i] + square)
            part = x[i] * length
            for j in range(len(y)):
                next_corner[j] = front * (part * arctangent(y[j] * length) + sine[j] * arctangent(x[i] * inverse[j]))
            if i:
                row = mean[i - 1]
                for j in range(len(y) - 1):
                    row[j] += next_corner[j + 1] - next_corner[j] - corner[j + 1] + corner[j]
            corner, next_corner = next_corner, corner


@compiled(nogil=True)
def fill_rings(
    random: np.random.Generator,
    events: np.ndarray,
    steps: np.ndarray,
    owners: np.ndarray,
    rings: np.ndarray,
    sectors: int,
    hadronic: np.ndarray,
    medium: np.ndarray,
    spot: float,
    threshold: float,
    voxels: np.ndarray,
) -> None:
    """Voxels of a cylinder: layers, sectors, rings."""
    layers, n_rings = owners[-1] + 1, len(rings) - 1
    weight, radius = np.zeros(COMPONENTS), np.ones(COMPONENTS)
    mean = np.empty((layers, n_rings))
    track = np.empty(layers)
    spots = np.empty(sectors * n_rings)
    for event in range(len(events)):
        energy, maximum, shape, mean_shape, start, fraction, scale = events[event, :7]
        mean[:] = 0.0
        track[:] = 0.0
        for step in range(len(steps)):
            step_components(
                steps[step, 0], steps[step, 1], energy, maximum, shape, mean_shape, start, fraction, scale,
                hadronic[event], medium, weight, radius,
            )  # fmt: skip
            track[owners[step]] += track_loss(random, steps[step, 0], steps[step, 1], start, medium[2])
            add_rings(mean[owners[step]], rings, weight, radius, NEGLIGIBLE * spot)
        gap = random.standard_exponential()
        for layer in range(layers):
            for place in range(len(spots)):
                spots[place] = mean[layer, place % n_rings] / (spot * sectors)
            row = voxels[event, layer * len(spots) : (layer + 1) * len(spots)]
            # a track along the axis belongs to the innermost ring of any sector
            hit = n_rings * int(random.random() * sectors) if track[layer] > 0.0 else -1
            gap = register(random, spots, gap, spot, threshold, hit, track[layer], row)


@compiled(nogil=True)
def fill_cells(
    random: np.random.Generator,
    events: np.ndarray,
    steps: np.ndarray,
    owners: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    cells: np.ndarray,
    offsets: np.ndarray,
    stride: int,
    hadronic: np.ndarray,
    medium: np.ndarray,
    spot: float,
    threshold: float,
    voxels: np.ndarray,
) -> None:
    """Voxels of layers of rectangular cells."""
    layers = owners[-1] + 1
    most = max(x.shape[1], y.shape[1])
    weight, radius = np.zeros(COMPONENTS), np.ones(COMPONENTS)
    work = (np.empty(most), np.empty(most), np.empty(most), np.empty(most))
    mean = np.empty((layers, (x.shape[1] - 1) * (y.shape[1] - 1)))
    track = np.empty(layers)
    for event in range(len(events)):
        energy, maximum, shape, mean_shape, start, fraction, scale, hit_x, hit_y = events[event]
        mean[:] = 0.0
        track[:] = 0.0
        for step in range(len(steps)):
            step_components(
                steps[step, 0], steps[step, 1], energy, maximum, shape, mean_shape, start, fraction, scale,
                hadronic[event], medium, weight, radius,
            )  # fmt: skip
            layer = owners[step]
            track[layer] += track_loss(random, steps[step, 0], steps[step, 1], start, medium[2])
            across, along = cells[layer]
            add_cells(
                mean[layer, : across * along].reshape(across, along),
                x[layer, : across + 1] - hit_x,
                y[layer, : along + 1] - hit_y,
                weight,
                radius,
                NEGLIGIBLE * spot,
                work,
            )
        gap = random.standard_exponential()
        for layer in range(layers):
            n = cells[layer, 0] * cells[layer, 1]
            spots = mean[layer, :n]
            spots *= 1.0 / spot
            row = voxels[event, offsets[layer] : offsets[layer] + stride * (n - 1) + 1 : stride]
            column = math.floor((hit_x - x[layer, 0]) / (x[layer, 1] - x[layer, 0]))
            line = math.floor((hit_y - y[layer, 0]) / (y[layer, 1] - y[layer, 0]))
            inside = 0 <= column < cells[layer, 0] and 0 <= line < cells[layer, 1] and track[layer] > 0.0
            hit = column * cells[layer, 1] + line if inside else -1
            gap = register(random, spots, gap, spot, threshold, hit, track[layer], row)


@compiled(nogil=True)
def register(
    random: np.random.Generator,
    spots: np.ndarray,
    gap: float,
    spot: float,
    threshold: float,
    hit: int,
    track: float,
    row: np.ndarray,
) -> float:
    """Draw the energy of cells with ``spots`` spots on average into ``row``, and return what is left of ``gap``.

    The cells lie behind one another on one long axis, each as long as its mean; the spots are points on it with
    exponential distances, and ``gap`` is the way to the next one. So an empty cell costs a subtraction, and the numbers
    in the cells are independent and Poisson. Cells of many spots are one Poisson and one gamma draw instead. The energy
    ``track`` is added to the cell ``hit``, if that is not -1.
    """
    for cell in range(len(spots)):
        number = spots[cell]
        deposit = 0.0
        if number > FEW:
            count = random.poisson(number)
            if count > 0:
                deposit = spot * random.standard_gamma(float(count))
        else:
            gap -= number
            while gap < 0.0:
                deposit += spot * random.standard_exponential()
                gap += random.standard_exponential()
        if cell == hit:
            deposit += track
        row[cell] = deposit if deposit >= threshold else 0.0
    return gap


def _atan_coefficients(degree: int = 10) -> tuple[float, ...]:
    """Power-series coefficients of the Chebyshev interpolation of atan(sqrt z) / sqrt z on [0, 1]."""

    def ratio(z: np.ndarray) -> np.ndarray:
        root = np.sqrt(z)
        return np.arctan(root) / root

    fit = np.polynomial.Chebyshev.interpolate(ratio, degree, domain=[0, 1])
    return tuple(float(c) for c in fit.convert(kind=np.polynomial.Polynomial).coef)


ATAN = _atan_coefficients()
