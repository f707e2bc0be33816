"""Compiled parts of the air-shower simulator: what stations register, from particles to electronics.

Units as in `_airshower_kernels`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dlphys._numba import compiled
from dlphys.simulators._airshower_atmosphere import GROUND, depth_at, height_at
from dlphys.simulators._airshower_kernels import (
    BIN_WIDTH,
    BINS,
    EM_MAXIMUM,
    LIGHT,
    TIME_SPREAD,
    arrived,
    depth_beyond,
    em_slope,
    first_particle,
    medians,
    quantum,
    signals,
    sizes,
    squared_bins,
)

SILENT, LOUD, SATURATED, DEAD = 0, 1, 2, 3
FEW, MOST_FEW = 25.0, 100  # expected below which particles are drawn one by one; 100 is 15 standard deviations more

# book: times and noise of the book's generator
# ns, over 1 + lg(1 + particles): 39 ns at 10^7 particles. The book's generator had 40 or 60 ns at different times; with
# 39 ns the plane fit reaches the 0.86 degrees that freeze the difficulty of the set.
BOOK_TIME_ERROR = 312.0
BOOK_OFFSET = 50.0  # ns
BOOK_BIN_SCATTER = 0.05  # relative, of each bin
BOOK_PEDESTAL, BOOK_PEDESTAL_SCATTER = 1.2, 0.6  # of each bin, cut at zero
# mean and standard deviation of the sum of 80 normal numbers cut two standard deviations below their mean
_CUT_MEAN, _CUT_DEVIATION = 0.0084907, 0.9798772
BOOK_SUM = BINS * (BOOK_PEDESTAL + BOOK_PEDESTAL_SCATTER * _CUT_MEAN)
BOOK_SUM_SCATTER = math.sqrt(BINS) * BOOK_PEDESTAL_SCATTER * _CUT_DEVIATION

# physics
CALIBRATION_SCATTER = 0.03  # relative, of each station
NOISE = 0.005  # VEM, of each bin
CLOCK = 12.0  # ns: satellite clock and sampling
ACCIDENTAL_WINDOW = 30_000.0  # ns before and after the shower
ACCIDENTAL_MEAN = 1.5  # VEM above the threshold
ORIGIN = 0.5  # depth of the centre of the spherical front, in units of that of the maximum


class Response(NamedTuple):
    """How a station answers to particles, as the kernels need it."""

    book: bool
    muon_scale: float
    gain: float
    memory: float  # exp(-bin width / decay time)
    saturation: float  # VEM in a bin
    threshold: float
    dead: float  # probability
    accidental: float  # probability of a silent station to trigger


@compiled(nogil=True)
def thin(random: np.random.Generator, muon: float, em: float, delays: tuple, start: float, counts: np.ndarray) -> None:
    """Numbers of particles in each bin after ``start``, and after the last bin, by Poisson thinning.

    If the number of particles is Poisson distributed and their times are independent, the numbers in the bins are
    independent and Poisson distributed too: 81 draws instead of one for each particle.
    """
    median, em_median, shift = delays
    muons = arrived(start, median)
    ems = arrived(start - shift, em_median)
    for k in range(BINS + 1):
        later_muons = later_ems = 1.0
        if k < BINS:
            later_muons = arrived(start + (k + 1) * BIN_WIDTH, median)
            later_ems = arrived(start + (k + 1) * BIN_WIDTH - shift, em_median)
        expected = muon * (later_muons - muons) + em * (later_ems - ems)
        counts[k] = random.poisson(expected) if expected > 1e-12 else 0
        muons, ems = later_muons, later_ems


@compiled(nogil=True)
def draw_few(
    random: np.random.Generator, muon: float, em: float, number: int, delays: tuple, times: np.ndarray
) -> float:
    """Times of a few particles one by one; returns the first. Cheaper than `thin` and of the same law."""
    median, em_median, shift = delays
    first = np.inf
    for p in range(number):
        spread = math.exp(TIME_SPREAD * random.standard_normal())
        times[p] = median * spread if random.random() * (muon + em) < muon else shift + em_median * spread
        first = min(first, times[p])
    return first


@compiled(nogil=True)
def fill_bins(times: np.ndarray, number: int, start: float, counts: np.ndarray) -> None:
    """Numbers of particles in each bin after ``start`` and later."""
    counts[:] = 0
    for p in range(number):
        counts[min(int((times[p] - start) / BIN_WIDTH), BINS)] += 1


@compiled(nogil=True)
def electronics(
    random: np.random.Generator, response: Response, unit: float, counts: np.ndarray, trace: np.ndarray
) -> tuple[float, bool]:
    """The trace that a station writes for these particles; returns the signal and whether the station saturates."""
    calibration = 1.0 if response.book else 1.0 + CALIBRATION_SCATTER * random.standard_normal()
    amplitude = response.gain * calibration * unit
    light = total = 0.0
    saturated = False
    for k in range(BINS):
        light += amplitude * counts[k]
        value = light * (1.0 - response.memory)
        light -= value
        if response.book:
            value *= 1.0 + BOOK_BIN_SCATTER * random.standard_normal()
            value += BOOK_PEDESTAL + BOOK_PEDESTAL_SCATTER * random.standard_normal()
            value = max(value, 0.0)
        else:
            value += NOISE * random.standard_normal()
        if value > response.saturation:
            value, saturated = response.saturation, True
        trace[k] = value
        total += value
    return total + light + amplitude * counts[BINS], saturated


@compiled(nogil=True)
def may_saturate(response: Response, muon: float, em: float, distance: float, beyond: float) -> bool:
    """Whether a bin could reach the limit: the largest expectation of a bin and six standard deviations."""
    total = muon + em
    if response.gain * (1.3 * total + 6.0 * math.sqrt(total) + 3.0) <= response.saturation:
        return False  # not even if all particles came at once
    median, em_median, _ = medians(distance, beyond)
    density = math.exp(0.5 * TIME_SPREAD**2) / (TIME_SPREAD * math.sqrt(2.0 * math.pi))
    peak = BIN_WIDTH * density * (muon / median + em / em_median)
    return response.gain * (1.3 * peak + 6.0 * math.sqrt(peak) + 3.0) > response.saturation


@compiled(nogil=True)
def reach(response: Response, muon_size: float, em_size: float, slope: float, above: float, least: float) -> float:
    """Distance beyond which less than ``least`` is expected. ``above``: smallest possible depth below the maximum."""
    low, high = 4.0, 10.0  # ln of 55 m and of 22 km
    for _ in range(14):
        middle = 0.5 * (low + high)
        deep = above if response.book else EM_MAXIMUM
        muon, em = signals(response.book, muon_size, em_size, slope, math.exp(middle), deep)
        if muon + em > least:
            low = middle
        else:
            high = middle
    return math.exp(high)


@compiled(nogil=True)
def normal_tail(random: np.random.Generator, above: float) -> float:
    """A normal number above a positive limit (C. P. Robert, Stat. Comput. 5 (1995) 121)."""
    while True:
        z = above + random.standard_exponential() / above
        if random.random() <= math.exp(-0.5 * (z - above) ** 2):
            return z


@compiled(nogil=True)
def next_rare(random: np.random.Generator, probability: float) -> int:
    """How many stations come before the next one to which something of this probability happens."""
    if probability <= 0.0:
        return 2**40
    return int(min(random.standard_exponential() / -math.log1p(-probability), 2.0**40))


@compiled(nogil=True)
def pedestal_trace(random: np.random.Generator, total: float, trace: np.ndarray) -> float:
    """The book's empty station whose 80 bins happen to add up to ``total``, or a little more since none is negative."""
    mean = 0.0
    for k in range(BINS):
        trace[k] = BOOK_PEDESTAL_SCATTER * random.standard_normal()
        mean += trace[k] / BINS
    written = 0.0
    for k in range(BINS):
        trace[k] = max(trace[k] - mean + total / BINS, 0.0)
        written += trace[k]
    return written


@compiled(nogil=True)
def muon_trace(random: np.random.Generator, response: Response, total: float, trace: np.ndarray) -> None:
    """A few muons of another, small shower: they arrive together."""
    light = total
    for k in range(BINS):
        value = light * (1.0 - response.memory)
        light -= value
        trace[k] = value + NOISE * random.standard_normal()


@compiled(nogil=True)
def book_station(
    random: np.random.Generator,
    response: Response,
    muon: float,
    em: float,
    distance: float,
    beyond: float,
    counts: np.ndarray,
    trace: np.ndarray,
    wanted: bool,
) -> tuple[float, float, bool]:
    """Signal, error of the time (ns), saturated: the book's station; its trace begins with the plane front."""
    saturated = False
    particles = 0
    if wanted or may_saturate(response, muon, em, distance, beyond):
        delays = medians(distance, beyond)
        if muon + em < FEW:
            number = min(random.poisson(muon + em), MOST_FEW)
            times = np.empty(MOST_FEW)
            draw_few(random, muon, em, number, delays, times)
            fill_bins(times, number, 0.0, counts)
        else:
            thin(random, muon, em, delays, 0.0, counts)
        particles = np.sum(counts)
        if particles > 0:
            total, saturated = electronics(random, response, 1.0, counts, trace)
        else:  # as `electronics`, but the trace only if it is needed
            total = BOOK_SUM + BOOK_SUM_SCATTER * random.standard_normal()
            if total >= response.threshold:
                total = pedestal_trace(random, total, trace)
    else:
        particles = random.poisson(muon + em)
        variance = BOOK_SUM_SCATTER**2
        if particles > FEW:
            variance += (BOOK_BIN_SCATTER * response.gain) ** 2 * squared_bins(muon, em, medians(distance, beyond))
        total = response.gain * particles + BOOK_SUM + math.sqrt(variance) * random.standard_normal()
    if total < response.threshold:
        return total, 0.0, False
    return total, BOOK_TIME_ERROR / (1.0 + math.log10(1.0 + particles)) * random.standard_normal(), saturated


@compiled(nogil=True)
def physics_station(
    random: np.random.Generator,
    response: Response,
    muon: float,
    em: float,
    distance: float,
    beyond: float,
    unit: float,
    counts: np.ndarray,
    trace: np.ndarray,
    wanted: bool,
) -> tuple[float, float, bool]:
    """Signal, delay of the first particle (ns), saturated; the trace begins with the first particle."""
    binned = wanted or may_saturate(response, muon, em, distance, beyond)
    muon, em = muon / unit, em / unit
    if muon + em < FEW:
        number = min(random.poisson(muon + em), MOST_FEW)
        if response.gain * unit * number < 0.8 * response.threshold:  # calibration and noise are 3 % each
            return 0.0, 0.0, False
        delays = medians(distance, beyond)
        times = np.empty(MOST_FEW)
        start = draw_few(random, muon, em, number, delays, times)
        if binned:
            fill_bins(times, number, start, counts)
        particles = float(number)
    else:
        delays = medians(distance, beyond)
        start = first_particle(random, muon, em, delays)
        if start == np.inf:
            return 0.0, 0.0, False
        if binned:
            thin(random, muon, em, delays, start, counts)
            counts[0] += 1
        else:
            median, em_median, shift = delays
            later = muon * (1.0 - arrived(start, median)) + em * (1.0 - arrived(start - shift, em_median))
            particles = 1.0 + random.poisson(later)
    delay = start + CLOCK * random.standard_normal()
    if binned:
        total, saturated = electronics(random, response, unit, counts, trace)
        return total, delay, saturated
    calibration = 1.0 + CALIBRATION_SCATTER * random.standard_normal()
    total = response.gain * calibration * unit * particles + NOISE * math.sqrt(BINS) * random.standard_normal()
    return total, delay, False


@compiled(nogil=True)
def stations(
    random: np.random.Generator,
    faults: np.random.Generator,
    response: Response,
    positions: np.ndarray,
    energy: np.ndarray,
    axis: np.ndarray,
    core: np.ndarray,
    mass: np.ndarray,
    xmax: np.ndarray,
    muons: np.ndarray,
    time: np.ndarray,
    signal: np.ndarray,
    status: np.ndarray,
    traces: np.ndarray,
) -> None:
    """What all stations register of each shower. ``traces`` has no stations if no traces are wanted."""
    book = response.book
    wanted = traces.shape[1] > 0
    counts = np.empty(BINS + 1, np.int64)
    scratch = np.empty(BINS)
    ground = depth_at(GROUND)
    limit = (response.threshold - BOOK_SUM) / BOOK_SUM_SCATTER
    by_pedestal = 0.5 * math.erfc(limit / math.sqrt(2.0)) if book else 0.0
    least = 0.05 if book else 0.005  # changes the probability of a trigger by less than 1e-5
    for i in range(len(energy)):
        ax, ay, az = axis[i, 0], axis[i, 1], axis[i, 2]
        muon_size, em_size = sizes(book, energy[i], mass[i])
        muon_size *= muons[i] * response.muon_scale
        slope = em_slope(book, xmax[i], az)
        unit = quantum(book, az)
        above = ground - xmax[i] * az
        maximum = height_at(xmax[i] * az) - GROUND
        centre = (height_at(ORIGIN * xmax[i] * az) - GROUND) / az
        farthest = reach(response, muon_size, em_size, slope, above, least) ** 2
        offset = BOOK_OFFSET * (2.0 * random.random() - 1.0)
        pedestals = next_rare(random, by_pedestal)
        accidentals = next_rare(faults, response.accidental)
        for j in range(len(positions)):
            time[i, j] = np.nan
            signal[i, j] = np.nan
            status[i, j] = SILENT
            if wanted:
                traces[i, j] = np.nan
            if response.dead > 0.0 and faults.random() < response.dead:
                status[i, j] = DEAD
                continue
            x, y = positions[j, 0] - core[i, 0], positions[j, 1] - core[i, 1]
            along = x * ax + y * ay
            square = x * x + y * y - along * along
            front = -along
            if not book:
                # the front is a sphere around a point of the axis above the shower maximum
                px, py, pz = x - centre * ax, y - centre * ay, -centre * az
                front = math.sqrt(px * px + py * py + pz * pz) - centre
            delay = 0.0
            saturated = False
            total = 0.0
            if square < farthest:
                beyond = depth_beyond(above, maximum, maximum * ax / az - x, maximum * ay / az - y)
                distance = math.sqrt(max(square, 0.0))
                muon, em = signals(book, muon_size, em_size, slope, distance, beyond)
                if book:
                    total, delay, saturated = book_station(
                        random, response, muon, em, distance, beyond, counts, scratch, wanted
                    )
                else:
                    total, delay, saturated = physics_station(
                        random, response, muon, em, distance, beyond, unit, counts, scratch, wanted
                    )
            elif book:
                if pedestals == 0:
                    total = BOOK_SUM + BOOK_SUM_SCATTER * normal_tail(random, limit)
                    delay = BOOK_TIME_ERROR * random.standard_normal()
                    pedestals = next_rare(random, by_pedestal)
                    if wanted:
                        total = pedestal_trace(random, total, scratch)
                else:
                    pedestals -= 1
            when = front / LIGHT + offset + delay
            if total < response.threshold and response.accidental > 0.0:
                if accidentals == 0:
                    total = response.threshold + ACCIDENTAL_MEAN * faults.standard_exponential()
                    when = ACCIDENTAL_WINDOW * (2.0 * faults.random() - 1.0)
                    accidentals = next_rare(faults, response.accidental)
                    saturated = False
                    if wanted:
                        muon_trace(faults, response, total, scratch)
                else:
                    accidentals -= 1
            if total >= response.threshold:
                time[i, j] = 1e-9 * when
                signal[i, j] = total
                status[i, j] = SATURATED if saturated else LOUD
                if wanted:
                    for k in range(BINS):
                        traces[i, j, k] = scratch[k]


@compiled(nogil=True)
def one_station(
    random: np.random.Generator,
    response: Response,
    muon: float,
    em: float,
    delays: tuple,
    unit: float,
    start: np.ndarray,
    particles: np.ndarray,
    traces: np.ndarray,
    signal: np.ndarray,
) -> None:
    """The same station and the same shower again and again."""
    counts = np.empty(BINS + 1, np.int64)
    trace = np.empty(BINS)
    for i in range(len(signal)):
        first = 0.0
        if not response.book:
            first = first_particle(random, muon / unit, em / unit, delays)
        start[i] = first if first < np.inf else np.nan
        counts[:] = 0
        if first < np.inf:
            thin(random, muon / unit, em / unit, delays, first, counts)
            if not response.book:
                counts[0] += 1
        signal[i], _ = electronics(random, response, unit, counts, trace)
        for k in range(BINS):
            traces[i, k] = trace[k]
        for k in range(BINS + 1):
            particles[i, k] = counts[k]
