"""Compiled updates of Ising lattices, and the threads that run them.

Metropolis is bit-sliced: in ``bits[i, j, w]`` (uint64) each of the 64 bits of word ``w`` is the spin at (i, j) of
another lattice, so one machine instruction acts on 64 lattices, and a vector instruction on 256 or 512 of them.
Each word owns a random stream, each bit its own random bits and its own temperature. One shared random number for
the 64 lattices of a word would be cheaper still, but it drives them into the same state.

A spin flips with probability P = min(1, exp(-dE/T)). A random number R < P is found bit by bit, from the highest
bit on: the first bit where R and P differ decides. After twelve bits hardly a lane is undecided; only the words
that hold one go on.

The kernels release Python's lock and run in a small thread pool: unlike Numba's own threads, it may be started from
several threads at once, stops at an interrupt and takes its number of threads at each call.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import numba
import numpy as np
from tqdm.auto import tqdm

from dlphys._numba import compiled

WORDS = 16
"""Words side by side. A constant of the compiled code: known strides let the compiler prove that arrays do not
overlap, and so use vector instructions."""
LANES = 64 * WORDS
PLANES = 48
"""Bits of a flip probability: a bias of 2**-48 is far below what any run can see, and cutting the last bits of exp
away makes the spins the same on every processor."""
HALF, FIRST = 6, 12
"""Random bits that every word draws for every site, in two passes. After twelve, about one word in a hundred holds
an undecided lane."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_17 = np.uint64(17)
_19 = np.uint64(19)
_23 = np.uint64(23)
_32 = np.uint64(32)
_41 = np.uint64(41)
_45 = np.uint64(45)
_LOW = np.uint64(2**32 - 1)


@compiled(nogil=True)
def step(s0: np.uint64, s1: np.uint64, s2: np.uint64, s3: np.uint64) -> tuple[np.uint64, ...]:
    """One step of the linear engine that xoshiro256+ and ++ share (D. Blackman and S. Vigna, 2021)."""
    t = s1 << _17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = (s3 << _45) | (s3 >> _19)
    return s0, s1, s2, s3


@compiled(nogil=True)
def draw_bits(state: np.ndarray, w: int) -> np.uint64:
    """The next word of stream ``w``, by xoshiro256+; ``state`` is (4, WORDS)."""
    word = state[0, w] + state[3, w]
    state[0, w], state[1, w], state[2, w], state[3, w] = step(state[0, w], state[1, w], state[2, w], state[3, w])
    return word


@compiled(nogil=True)
def next_bit(
    s0: np.uint64,
    s1: np.uint64,
    s2: np.uint64,
    s3: np.uint64,
    flip: np.uint64,
    equal: np.uint64,
    one: np.uint64,
    four: np.uint64,
    eight: np.uint64,
) -> tuple[np.uint64, ...]:
    """Compare one more bit of the random numbers with those of exp(-4/T), where ``one``, or else of exp(-8/T)."""
    random = s0 + s3
    s0, s1, s2, s3 = step(s0, s1, s2, s3)
    probability = eight ^ (one & (four ^ eight))
    flip |= equal & ~random & probability
    equal &= ~(random ^ probability)
    return s0, s1, s2, s3, flip, equal


@compiled(nogil=True)
def start_bits(bits: np.ndarray, state: np.ndarray, cold: np.ndarray, words: int) -> None:
    """Lanes of ``cold`` start ordered with a random sign, the others with random spins."""
    size = bits.shape[0]
    for w in range(words):
        ordered = draw_bits(state, w) & cold[w]
        for i in range(size):
            for j in range(size):
                bits[i, j, w] = ordered | (draw_bits(state, w) & ~cold[w])


@compiled(nogil=True)
def metropolis_bits(
    bits: np.ndarray, state: np.ndarray, planes: np.ndarray, scratch: np.ndarray, sweeps: int, words: int
) -> None:
    """``sweeps`` checkerboard sweeps of the first ``words`` words.

    Words share nothing: how many random bits one draws depends on its own lanes only.
    ``planes[k, 0]`` and ``planes[k, 1]`` hold bit ``k``, highest first, of exp(-4/T) and exp(-8/T) of every lane.
    """
    size = bits.shape[0]
    for _ in range(sweeps):
        for colour in range(2):
            for i in range(size):
                row = bits[i]
                above = bits[i - 1 if i > 0 else size - 1]
                below = bits[i + 1 if i < size - 1 else 0]
                for j in range((i + colour) & 1, size, 2):
                    centre = row[j]
                    up = above[j]
                    down = below[j]
                    left = row[j - 1 if j > 0 else size - 1]
                    right = row[j + 1 if j < size - 1 else 0]
                    for w in range(words):
                        spin = centre[w]
                        a, b, c, d = spin ^ up[w], spin ^ down[w], spin ^ left[w], spin ^ right[w]
                        # two or more neighbours differ: the flip costs nothing; one: it costs 4 J; none: 8 J
                        free = (a & b) | (c & d) | ((a ^ b) & (c ^ d))
                        scratch[0, w] = free
                        scratch[1, w] = (a ^ b ^ c ^ d) & ~free
                    # two passes, since the compiler gives up vectorising one of more than eight bits
                    for w in range(words):
                        flip, one = scratch[0, w], scratch[1, w]
                        equal = ~flip
                        s0, s1, s2, s3 = state[0, w], state[1, w], state[2, w], state[3, w]
                        for k in range(HALF):
                            four, eight = planes[k, 0, w], planes[k, 1, w]
                            s0, s1, s2, s3, flip, equal = next_bit(s0, s1, s2, s3, flip, equal, one, four, eight)
                        state[0, w], state[1, w], state[2, w], state[3, w] = s0, s1, s2, s3
                        scratch[0, w] = flip
                        scratch[2, w] = equal
                    undecided = _ZERO
                    for w in range(words):
                        flip, one, equal = scratch[0, w], scratch[1, w], scratch[2, w]
                        s0, s1, s2, s3 = state[0, w], state[1, w], state[2, w], state[3, w]
                        for k in range(HALF, FIRST):
                            four, eight = planes[k, 0, w], planes[k, 1, w]
                            s0, s1, s2, s3, flip, equal = next_bit(s0, s1, s2, s3, flip, equal, one, four, eight)
                        state[0, w], state[1, w], state[2, w], state[3, w] = s0, s1, s2, s3
                        scratch[0, w] = flip
                        scratch[2, w] = equal
                        undecided |= equal
                    if undecided != _ZERO:
                        for w in range(words):
                            flip, one, equal = scratch[0, w], scratch[1, w], scratch[2, w]
                            s0, s1, s2, s3 = state[0, w], state[1, w], state[2, w], state[3, w]
                            k = FIRST
                            while equal != _ZERO and k < PLANES:
                                four, eight = planes[k, 0, w], planes[k, 1, w]
                                s0, s1, s2, s3, flip, equal = next_bit(s0, s1, s2, s3, flip, equal, one, four, eight)
                                k += 1
                            state[0, w], state[1, w], state[2, w], state[3, w] = s0, s1, s2, s3
                            scratch[0, w] = flip
                    for w in range(words):
                        centre[w] ^= scratch[0, w]


@compiled(nogil=True)
def probability_planes(thresholds: np.ndarray) -> np.ndarray:
    """Bit planes (PLANES, 2, WORDS) of integer thresholds (2, LANES) below 2**PLANES."""
    planes = np.zeros((PLANES, 2, WORDS), np.uint64)
    for kind in range(2):
        for lane in range(LANES):
            threshold = np.uint64(thresholds[kind, lane])
            for k in range(PLANES):
                bit = (threshold >> np.uint64(PLANES - 1 - k)) & _ONE
                planes[k, kind, lane // 64] |= bit << np.uint64(lane % 64)
    return planes


@compiled(nogil=True)
def unpack_bits(bits: np.ndarray, rows: np.ndarray, spins: np.ndarray) -> None:
    """Lane ``l`` becomes the lattice ``spins[rows[l]]`` of -1 and 1."""
    size = bits.shape[0]
    site = np.empty((size, size), np.uint64)
    for lane in range(len(rows)):
        if lane % 64 == 0:
            site[:, :] = bits[:, :, lane // 64]
        shift = np.uint64(lane % 64)
        lattice = spins[rows[lane]]
        for i in range(size):
            for j in range(size):
                lattice[i, j] = np.int8(2) * np.int8((site[i, j] >> shift) & _ONE) - np.int8(1)


@compiled(nogil=True)
def draw_word(state: np.ndarray) -> np.uint64:
    """The next word of one stream, by xoshiro256++; ``state`` is (4,)."""
    total = state[0] + state[3]
    word = ((total << _23) | (total >> _41)) + state[0]
    state[0], state[1], state[2], state[3] = step(state[0], state[1], state[2], state[3])
    return word


@compiled(nogil=True)
def start_lattices(spins: np.ndarray, rows: np.ndarray, state: np.ndarray, cold: np.ndarray) -> None:
    """As ``start_bits``, for lattices that are stored one spin a byte; ``state`` is (lanes, 4)."""
    size = spins.shape[1]
    for lane in range(len(rows)):
        lattice = spins[rows[lane]]
        word = draw_word(state[lane])
        for site in range(size * size):
            if not cold[lane]:
                if site % 64 == 0:
                    word = draw_word(state[lane])
                else:
                    word >>= _ONE
            lattice[site // size, site % size] = np.int8(2) * np.int8(word & _ONE) - np.int8(1)


@compiled(nogil=True)
def root_of(parent: np.ndarray, site: int) -> int:
    """The cluster's first site, halving the path on the way."""
    while parent[site] != site:
        parent[site] = parent[parent[site]]
        site = parent[site]
    return site


@compiled(nogil=True)
def swendsen_wang(spins: np.ndarray, rows: np.ndarray, state: np.ndarray, bond: np.ndarray, sweeps: int) -> None:
    """``sweeps`` cluster updates of the lattices ``rows``; ``bond`` is (1 - exp(-2/T)) 2**32 of each."""
    size = spins.shape[1]
    sites = size * size
    parent = np.empty(sites, np.int32)
    for lane in range(len(rows)):
        lattice = spins[rows[lane]].reshape(sites)
        stream = state[lane]
        limit = bond[lane]
        for _ in range(sweeps):
            for site in range(sites):
                parent[site] = site
            for i in range(size):
                below = (i + 1 if i < size - 1 else 0) * size
                for j in range(size):
                    site = i * size + j
                    word = draw_word(stream)
                    right = i * size + (j + 1 if j < size - 1 else 0)
                    down = below + j
                    if lattice[right] == lattice[site] and (word >> _32) < limit:
                        a, b = root_of(parent, site), root_of(parent, right)
                        parent[max(a, b)] = min(a, b)
                    if lattice[down] == lattice[site] and (word & _LOW) < limit:
                        a, b = root_of(parent, site), root_of(parent, down)
                        parent[max(a, b)] = min(a, b)
            word = _ZERO
            for site in range(sites):
                if site % 64 == 0:
                    word = draw_word(stream)
                else:
                    word >>= _ONE
                if parent[site] == site:  # a root draws its cluster's new spin; later sites read it there
                    lattice[site] = np.int8(2) * np.int8(word & _ONE) - np.int8(1)
                else:
                    # roots come first, so the parent of a site already points at its root
                    parent[site] = parent[parent[site]]
                    lattice[site] = lattice[parent[site]]


@compiled(nogil=True)
def sums(spins: np.ndarray, rows: np.ndarray, energy: np.ndarray, magnetization: np.ndarray) -> None:
    """Energy and magnetisation per spin of the lattices ``rows``, into the given arrays."""
    size = spins.shape[1]
    for row in rows:
        lattice = spins[row]
        bonds = 0
        total = 0
        for i in range(size):
            below = lattice[i + 1 if i < size - 1 else 0]
            line = lattice[i]
            bonds += line[size - 1] * (line[0] + below[size - 1])
            total += line[size - 1]
            for j in range(size - 1):
                bonds += line[j] * (line[j + 1] + below[j])
                total += line[j]
        energy[row] = -bonds / (size * size)
        magnetization[row] = total / (size * size)


def thread_count() -> int:
    """Threads to use: Numba's number, and not more than ``OMP_NUM_THREADS`` if that is set."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    threads = numba.config.NUMBA_NUM_THREADS
    return min(threads, int(limit)) if limit.isdigit() and int(limit) > 0 else threads


Work = Callable[[], Iterator[int]]


def run_in_threads(tasks: Sequence[Work], *, total: int, threads: int) -> None:
    """Run each task to its end; a task yields, several times a second, the spin updates it has done since.

    An interrupt stops every task at its next yield.
    """
    stop = threading.Event()
    lock = threading.Lock()
    with (
        tqdm(total=total, desc="Ising lattices", unit="flip", unit_scale=True, delay=2) as bar,
        ThreadPoolExecutor(threads) as pool,
    ):

        def run(task: Work) -> None:
            for flips in task():
                with lock:
                    bar.update(flips)
                if stop.is_set():
                    return

        pending = {pool.submit(run, task) for task in tasks}
        try:
            while pending:
                # short waits, since not every system lets an interrupt end a long one
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
