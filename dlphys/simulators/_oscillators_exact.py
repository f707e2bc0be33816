"""Motions that are known in closed form: spring, damped spring, pendulum, Kepler's orbit."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ellipj, ellipk, ellipkinc

from dlphys._numba import compiled
from dlphys._validation import check_array, check_number, check_positive

__all__ = ["damped", "kepler", "pendulum", "pendulum_period", "spring"]


def spring(times: ArrayLike, states: ArrayLike, *, mass: float = 1.0, stiffness: float = 1.0) -> np.ndarray:
    """Motion of a mass on a spring, H = p^2 / (2 m) + k q^2 / 2.

    q = q0 cos(w t) + p0 / (m w) sin(w t) and p = p0 cos(w t) - m w q0 sin(w t) with w = sqrt(k / m): the book's
    equations 14.36 and 14.37 for any start.

    Parameters
    ----------
    times : array, (k,), s
    states : array, (n, 2)
        q (m) and p (kg m/s) at time 0.
    mass : float, kg
    stiffness : float, N/m

    Returns
    -------
    array, (n, k, 2)
        q and p at each time.

    Raises
    ------
    ValueError, TypeError
        If an array has another shape or a constant is not positive.

    Examples
    --------
    >>> spring([0.0, np.pi / 2], [[1.0, 0.0]]).round(6)[0]
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    t, start = _checked(times, states, 2)
    check_positive(unit="kg", mass=mass)
    check_positive(unit="N/m", stiffness=stiffness)
    omega = math.sqrt(stiffness / mass)
    q, p = start[:, :1], start[:, 1:]
    cosine, sine = np.cos(omega * t), np.sin(omega * t)
    return np.stack([q * cosine + p / (mass * omega) * sine, p * cosine - mass * omega * q * sine], axis=-1)


def damped(
    times: ArrayLike, states: ArrayLike, *, mass: float = 1.0, stiffness: float = 1.0, damping: float = 0.1
) -> np.ndarray:
    """Motion of a spring with friction, q'' + 2 zeta w q' + w^2 q = 0 with w = sqrt(k / m) and p = m q'.

    For zeta < 1 an oscillation of the frequency w sqrt(1 - zeta^2) in the envelope exp(-zeta w t), for zeta = 1 the
    aperiodic limit, for zeta > 1 a creep.

    Parameters
    ----------
    times : array, (k,), s
    states : array, (n, 2)
        q (m) and p (kg m/s) at time 0.
    mass : float, kg
    stiffness : float, N/m
    damping : float
        zeta, at least 0.

    Returns
    -------
    array, (n, k, 2)

    Raises
    ------
    ValueError, TypeError
        If an array has another shape or a constant is out of range.

    Examples
    --------
    >>> damped([0.0, 1.0], [[1.0, 0.0]], damping=1.0).round(4)[0]  # (1 + t) exp(-t)
    array([[ 1.    ,  0.    ],
           [ 0.7358, -0.3679]])
    """
    t, start = _checked(times, states, 2)
    check_positive(unit="kg", mass=mass)
    check_positive(unit="N/m", stiffness=stiffness)
    zeta = check_number(minimum=0.0, damping=damping)
    omega = math.sqrt(stiffness / mass)
    q, v = start[:, :1], start[:, 1:] / mass
    # exp(-zeta w t) (q C + (v + zeta w q) S) with C = cos(d t) and S = sin(d t) / d, or their hyperbolic forms
    square = omega**2 * (1.0 - zeta**2)
    root = math.sqrt(abs(square))
    if root == 0.0:
        even, odd = np.ones_like(t), t
    elif square > 0.0:
        even, odd = np.cos(root * t), np.sin(root * t) / root
    else:
        even, odd = np.cosh(root * t), np.sinh(root * t) / root
    decay = np.exp(-zeta * omega * t)
    position = decay * (q * even + (v + zeta * omega * q) * odd)
    velocity = decay * (v * even - (zeta * omega * v + omega**2 * q) * odd)
    return np.stack([position, mass * velocity], axis=-1)


def pendulum(times: ArrayLike, states: ArrayLike, *, inertia: float = 1.0, torque: float = 1.0) -> np.ndarray:
    """Motion of a pendulum at any amplitude, H = p^2 / (2 I) + M (1 - cos q), by Jacobi's elliptic functions.

    With k^2 = H / (2 M) and w = sqrt(M / I) it swings for k < 1, sin(q / 2) = k sn(w t + phase, k^2), and turns over
    for k > 1, q / 2 = am(k w t + phase, 1 / k^2).

    Parameters
    ----------
    times : array, (k,), s
    states : array, (n, 2)
        Angle q (rad) and angular momentum p (kg m^2/s) at time 0.
    inertia : float, kg m^2
        I = m l^2.
    torque : float, N m
        M = m g l.

    Returns
    -------
    array, (n, k, 2)
        The angle is continuous in time, not folded into one turn.

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, a constant is not positive, or the energy is that of the separatrix to 1e-12,
        where the motion has no period.

    Examples
    --------
    >>> period = pendulum_period(np.radians(90.0))
    >>> pendulum([0.0, period / 2], [[np.pi / 2, 0.0]]).round(6)[0, :, 0]
    array([ 1.570796, -1.570796])
    """
    t, start = _checked(times, states, 2)
    check_positive(unit="kg m^2", inertia=inertia)
    check_positive(unit="N m", torque=torque)
    omega = math.sqrt(torque / inertia)
    turns = np.round(start[:, :1] / (2.0 * np.pi))
    q0 = start[:, :1] - 2.0 * np.pi * turns
    speed = start[:, 1:] / (2.0 * inertia * omega)  # = k cn or k dn
    modulus = np.sin(0.5 * q0) ** 2 + speed**2  # k^2
    if (np.abs(modulus - 1.0) < 1e-12).any():
        raise ValueError("states must not lie on the separatrix, H = 2 torque, where the motion has no period")
    swinging = (modulus < 1.0)[:, 0]
    result = np.empty((len(start), len(t), 2))
    k = np.sqrt(modulus)
    if swinging.any():
        one = swinging
        size = np.maximum(k[one], 1e-300)
        phase = ellipkinc(np.arctan2(np.sin(0.5 * q0[one]), speed[one]), modulus[one])
        sn, cn, _, _ = ellipj(omega * t + phase, modulus[one])
        result[one, :, 0] = 2.0 * np.arcsin(np.clip(size * sn, -1.0, 1.0))
        result[one, :, 1] = 2.0 * inertia * omega * size * cn
    if not swinging.all():
        one = ~swinging
        inverse = 1.0 / modulus[one]
        sign = np.sign(speed[one])
        phase = ellipkinc(0.5 * q0[one], inverse)
        argument = sign * k[one] * omega * t + phase
        # the amplitude grows by pi in 2 K: SciPy's is continuous only within one period
        period = 2.0 * ellipk(inverse)
        whole = np.round(argument / period)
        _, _, dn, amplitude = ellipj(argument - whole * period, inverse)
        result[one, :, 0] = 2.0 * (amplitude + np.pi * whole)
        result[one, :, 1] = 2.0 * inertia * omega * sign * k[one] * dn
    result[:, :, 0] += 2.0 * np.pi * turns
    return result


def pendulum_period(amplitude: ArrayLike, *, inertia: float = 1.0, torque: float = 1.0) -> np.ndarray:
    """Period of a pendulum's swing, T = 4 K(sin(amplitude / 2)) sqrt(I / M) with the complete elliptic integral K.

    Parameters
    ----------
    amplitude : float or array, any shape, rad
        In [0, 3.1415] rad.
    inertia : float, kg m^2
    torque : float, N m

    Returns
    -------
    array, shape of ``amplitude``, s

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> (pendulum_period(np.radians([10.0, 90.0, 170.0])) / (2 * np.pi)).round(7)
    array([1.0019072, 1.1803406, 2.4393627])
    """
    amplitude = check_array(minimum=0.0, maximum=3.1415, unit="rad", amplitude=amplitude)
    check_positive(unit="kg m^2", inertia=inertia)
    check_positive(unit="N m", torque=torque)
    return 4.0 * ellipk(np.sin(0.5 * amplitude) ** 2) * math.sqrt(inertia / torque)


def kepler(times: ArrayLike, states: ArrayLike, *, attraction: float = 1.0) -> np.ndarray:
    """Bound orbit about a fixed centre, H = p^2 / 2 - mu / |q| for a unit mass.

    Kepler's equation for the change x of the eccentric anomaly, x - e cos E0 sin x + e sin E0 (1 - cos x) = n t, is
    solved by Newton's iteration; Lagrange's coefficients then carry position and velocity, without reference to the
    direction of the pericentre, which a circle does not have.

    Parameters
    ----------
    times : array, (k,)
    states : array, (n, 4)
        Position x, y and velocity at time 0, in units that fit ``attraction`` (astronomical units and years:
        4 pi^2 for the Sun).
    attraction : float
        mu = G M.

    Returns
    -------
    array, (n, k, 4)

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, the attraction is not positive, or an orbit is not bound or falls through
        the centre (eccentricity above 0.999).

    Examples
    --------
    >>> kepler([np.pi / 2], [[1.0, 0.0, 0.0, 1.0]]).round(6)[0] + 0.0  # a quarter of a circle
    array([[ 0.,  1., -1.,  0.]])
    """
    t, start = _checked(times, states, 4)
    check_positive(attraction=attraction)
    distance = np.hypot(start[:, 0], start[:, 1])
    if not (distance > 0.0).all():
        raise ValueError("states must not lie at the centre of attraction, got one at distance 0")
    inverse_axis = 2.0 / distance - (start[:, 2] ** 2 + start[:, 3] ** 2) / attraction
    momentum = start[:, 0] * start[:, 3] - start[:, 1] * start[:, 2]
    if not (inverse_axis > 0.0).all():
        raise ValueError("states must be bound orbits, p^2 / 2 < attraction / |q|, got one that escapes")
    if not (1.0 - momentum**2 * inverse_axis / attraction < 0.999**2).all():
        raise ValueError("states must have an eccentricity below 0.999, got one that falls through the centre")
    result = np.empty((len(start), len(t), 4))
    _follow_orbits(start, t, float(attraction), result)
    return result


@compiled(nogil=True)
def _follow_orbits(start: np.ndarray, times: np.ndarray, mu: float, result: np.ndarray) -> None:
    for i in range(len(start)):
        x, y, u, v = start[i]
        r0 = math.sqrt(x * x + y * y)
        a = 1.0 / (2.0 / r0 - (u * u + v * v) / mu)
        n = math.sqrt(mu / a**3)
        e_cos, e_sin = 1.0 - r0 / a, (x * u + y * v) / math.sqrt(mu * a)
        e = math.sqrt(e_cos * e_cos + e_sin * e_sin)
        for j in range(len(times)):
            turns = math.floor(n * times[j] / (2.0 * math.pi) + 0.5)
            # mean anomaly since the start, within half a turn: rounding stays that of one turn
            m = n * times[j] - 2.0 * math.pi * turns
            change = _solve_kepler(m, e_cos, e_sin, e)
            c, s = math.cos(change), math.sin(change)
            r = a * (1.0 - e_cos * c + e_sin * s)
            f = 1.0 - a / r0 * (1.0 - c)
            g = (m - change + s) / n
            f_dot = -math.sqrt(mu * a) * s / (r * r0)
            g_dot = 1.0 - a / r * (1.0 - c)
            result[i, j, 0] = f * x + g * u
            result[i, j, 1] = f * y + g * v
            result[i, j, 2] = f_dot * x + g_dot * u
            result[i, j, 3] = f_dot * y + g_dot * v


@compiled(nogil=True)
def _solve_kepler(m: float, e_cos: float, e_sin: float, e: float) -> float:
    """Newton's iteration, kept inside the interval m -+ 2 e in which the only root lies."""
    low, high = m - 2.0 * e - 1e-12, m + 2.0 * e + 1e-12
    x = m
    for _ in range(100):
        c, s = math.cos(x), math.sin(x)
        value = x - e_cos * s + e_sin * (1.0 - c) - m
        if value > 0.0:
            high = x
        else:
            low = x
        step = value / (1.0 - e_cos * c + e_sin * s)
        new = x - step
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - x) < 1e-15 * max(1.0, abs(x)):
            return new
        x = new
    return x


def _checked(times: ArrayLike, states: ArrayLike, width: int) -> tuple[np.ndarray, np.ndarray]:
    t = check_array(ndim=1, times=times)
    return t, check_array(shape=(None, width), states=states)
