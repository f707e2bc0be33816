"""Integrators: Stormer-Verlet and Yoshida's fourth order for H = T(p) + V(q), Runge-Kutta for the double pendulum."""

from __future__ import annotations

import math

import numpy as np

from dlphys._numba import compiled

SPRING, PENDULUM = 0, 1
YOSHIDA = 2.0 ** (1.0 / 3.0)
OUTER = 1.0 / (2.0 - YOSHIDA)  # first and last of the three substeps
INNER = -YOSHIDA * OUTER  # the middle one runs backwards
LANES = 8  # motions that advance together: their sines do not wait for one another


@compiled(nogil=True)
def sine(x: float) -> float:
    """sin(x) to 4e-16 for |x| < 1000 without a branch, so that a loop over motions becomes vector instructions.

    Whole turns of pi are taken off in two parts (Cody and Waite); the rest is the Taylor series to x^21, in pairs.
    """
    turns = math.floor(x * (1.0 / math.pi) + 0.5)
    y = (x - turns * PI_HIGH) - turns * PI_LOW
    odd = turns - 2.0 * math.floor(0.5 * turns)
    z = y * y
    z2 = z * z
    low = (1.0 - z / 6.0) + (1.0 / 120.0 - z / 5040.0) * z2
    middle = (1.0 / 362880.0 - z / 39916800.0) + (1.0 / 6227020800.0 - z / 1307674368000.0) * z2
    high = (1.0 / 355687428096000.0 - z / 121645100408832000.0) + z2 / 51090942171709440000.0
    return y * (low + (middle + high * (z2 * z2)) * (z2 * z2)) * (1.0 - 2.0 * odd)


PI_HIGH = 3.1415926534682512  # 32 bits of pi: exact times a whole number of turns below a million ...
PI_LOW = 1.2154201013012384e-10  # ... and what is missing


@compiled(nogil=True)
def verlet_swing(
    states: np.ndarray,
    law: int,
    inverse_mass: float,
    strength: float,
    step: float,
    points: int,
    every: int,
    fourth_order: bool,
    result: np.ndarray,
) -> None:
    """Spring (force -strength q) or pendulum (-strength sin q), a record after every ``every`` steps."""
    q, p = states[:, 0].copy(), states[:, 1].copy()
    n = len(q)
    parts = 3 if fourth_order else 1
    for first in range(0, n, LANES):
        last = min(first + LANES, n)
        for i in range(first, last):
            result[i, 0, 0], result[i, 0, 1] = q[i], p[i]
        for record in range(1, points):
            for _ in range(every):
                for part in range(parts):
                    h = step
                    if fourth_order:
                        h = step * (INNER if part == 1 else OUTER)
                    drift, kick = 0.5 * h * inverse_mass, h * strength
                    if law == SPRING:
                        for i in range(first, last):
                            q[i] += drift * p[i]
                            p[i] -= kick * q[i]
                            q[i] += drift * p[i]
                    else:
                        for i in range(first, last):
                            q[i] += drift * p[i]
                            p[i] -= kick * sine(q[i])
                            q[i] += drift * p[i]
            for i in range(first, last):
                result[i, record, 0], result[i, record, 1] = q[i], p[i]


@compiled(nogil=True)
def verlet_orbit(
    states: np.ndarray, attraction: float, step: float, points: int, every: int, fourth_order: bool, result: np.ndarray
) -> None:
    """The same for a unit mass about a fixed centre."""
    parts = 3 if fourth_order else 1
    for i in range(len(states)):
        x, y, u, v = states[i]
        result[i, 0] = states[i]
        for record in range(1, points):
            for _ in range(every):
                for part in range(parts):
                    h = step
                    if fourth_order:
                        h = step * (INNER if part == 1 else OUTER)
                    x += 0.5 * h * u
                    y += 0.5 * h * v
                    square = x * x + y * y
                    kick = h * attraction / (square * math.sqrt(square))
                    u -= kick * x
                    v -= kick * y
                    x += 0.5 * h * u
                    y += 0.5 * h * v
            result[i, record, 0], result[i, record, 1] = x, y
            result[i, record, 2], result[i, record, 3] = u, v


@compiled(nogil=True)
def double_pendulum_rates(
    a: float, b: float, p: float, q: float, length: float, gravity: float
) -> tuple[float, float, float, float]:
    """Time derivatives of the angles a, b and their momenta p, q; both masses 1 kg, both rods of one length."""
    c, s = math.cos(a - b), math.sin(a - b)
    below = length * length * (1.0 + s * s)
    a_dot = (p - c * q) / below
    b_dot = (2.0 * q - c * p) / below
    coupling = length * length * a_dot * b_dot * s
    return a_dot, b_dot, -coupling - 2.0 * gravity * length * math.sin(a), coupling - gravity * length * math.sin(b)


@compiled(nogil=True)
def runge_kutta_double_pendulum(
    states: np.ndarray, length: float, gravity: float, step: float, points: int, every: int, result: np.ndarray
) -> None:
    """Classical Runge-Kutta steps of fourth order."""
    for i in range(len(states)):
        a, b, p, q = states[i]
        result[i, 0] = states[i]
        for record in range(1, points):
            for _ in range(every):
                h = 0.5 * step
                a1, b1, p1, q1 = double_pendulum_rates(a, b, p, q, length, gravity)
                a2, b2, p2, q2 = double_pendulum_rates(a + h * a1, b + h * b1, p + h * p1, q + h * q1, length, gravity)
                a3, b3, p3, q3 = double_pendulum_rates(a + h * a2, b + h * b2, p + h * p2, q + h * q2, length, gravity)
                a4, b4, p4, q4 = double_pendulum_rates(
                    a + step * a3, b + step * b3, p + step * p3, q + step * q3, length, gravity
                )
                a += step / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
                b += step / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
                p += step / 6.0 * (p1 + 2.0 * p2 + 2.0 * p3 + p4)
                q += step / 6.0 * (q1 + 2.0 * q2 + 2.0 * q3 + q4)
            result[i, record, 0], result[i, record, 1] = a, b
            result[i, record, 2], result[i, record, 3] = p, q
