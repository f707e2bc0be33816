"""Exact results for the Ising model on the square lattice: infinite, and on the L x L torus."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ellipkm1, logsumexp

from dlphys._validation import check_array, check_count

CRITICAL_TEMPERATURE = 2.0 / math.log(1.0 + math.sqrt(2.0))
"""Onsager's critical temperature, 2 / ln(1 + sqrt 2) = 2.269185 J/k."""

LABEL_TEMPERATURE = 2.27
"""The book's border between the labels: ferromagnetic below, paramagnetic above, J/k."""

COURSE_TEMPERATURES = np.arange(10, 36) / 10
"""The 26 temperatures 1.0, 1.1, ..., 3.5 of the course set, J/k."""
COURSE_TEMPERATURES.setflags(write=False)

LOWEST, HIGHEST = 0.1, 1000.0


def check_temperature(temperature: ArrayLike, *, ndim: tuple[int, ...] | None = None) -> np.ndarray:
    """Temperatures that every formula here can take, float64, J/k."""
    return check_array(temperature=temperature, ndim=ndim, minimum=LOWEST, maximum=HIGHEST, unit="J/k")


def onsager_magnetization(temperature: ArrayLike) -> np.ndarray:
    """Spontaneous magnetisation of the infinite lattice.

    ``m = (1 - sinh(2 J / k T)**-4)**(1/8)`` below the critical temperature, zero above.

    Parameters
    ----------
    temperature : float or array, J/k, 0.1 to 1000

    Returns
    -------
    array, same shape, per spin

    Raises
    ------
    ValueError
        If a temperature is outside the range.

    References
    ----------
    C. N. Yang, Phys. Rev. 85 (1952) 808, eq. 96.

    Examples
    --------
    >>> onsager_magnetization([1.0, 2.0, 2.2, 2.3]).round(4)
    array([0.9993, 0.9113, 0.7848, 0.    ])
    """
    t = check_temperature(temperature)
    return np.maximum(0.0, 1.0 - np.sinh(2.0 / t) ** -4.0) ** 0.125


def onsager_energy(temperature: ArrayLike) -> np.ndarray:
    """Energy per spin of the infinite lattice.

    ``u = -coth(2K) (1 + (2/pi) (2 tanh(2K)**2 - 1) K1(k))`` with K = J/kT, ``k = 2 sinh(2K) / cosh(2K)**2`` and the
    complete elliptic integral K1; at the critical temperature u = -sqrt 2.

    Parameters
    ----------
    temperature : float or array, J/k, 0.1 to 1000

    Returns
    -------
    array, same shape, J per spin

    Raises
    ------
    ValueError
        If a temperature is outside the range.

    References
    ----------
    L. Onsager, Phys. Rev. 65 (1944) 117, eq. 116.

    Examples
    --------
    >>> onsager_energy([1.0, CRITICAL_TEMPERATURE, 3.5]).round(5)
    array([-1.99716, -1.41421, -0.66012])
    """
    k = 1.0 / check_temperature(temperature)
    x = 2.0 * np.tanh(2.0 * k) ** 2 - 1.0  # 1 - (modulus squared) = x**2, so x K1 goes to zero with x
    with np.errstate(invalid="ignore"):
        product = np.where(x == 0.0, 0.0, x * ellipkm1(x**2))
    return -(1.0 + 2.0 / np.pi * product) / np.tanh(2.0 * k)


def _log_partition_derivatives(k: float, size: int) -> tuple[float, float]:
    """First and second derivative by K of ln Z of the torus (Kaufman's four products).

    With gamma_0 = 2K + ln tanh K signed, Z is half the sum of all four products; taking its modulus, as a cosh**-1
    would, gives the wrong sign to the fourth product above the critical temperature.
    """
    sinh, cosh = math.sinh(2 * k), math.cosh(2 * k)
    first = 2 * cosh * (1 - sinh**-2)  # derivatives of cosh(2K) coth(2K)
    second = 4 * (sinh + 1 / sinh + 2 / sinh**3)
    j = np.arange(1, 2 * size)
    # cosh(gamma) - 1, without the cancellation near the critical temperature
    excess = (sinh - 1) ** 2 / sinh + 2 * np.sin(np.pi * j / (2 * size)) ** 2
    gamma = 2 * np.arcsinh(np.sqrt(excess / 2))
    slope = first / np.sinh(gamma)
    curvature = (second - slope**2 * np.cosh(gamma)) / np.sinh(gamma)
    # gamma_0, the only one that goes through zero
    gamma_0 = 2 * k + math.log(math.tanh(k))
    slope_0, curvature_0 = 2 + 2 / sinh, -4 * cosh / sinh**2

    half = size / 2
    logs, factors = np.empty(4), np.empty((4, 3))  # each product: exp(log) times (value, first, second derivative)
    for index, (odd, sign) in enumerate([(True, 1), (True, -1), (False, 1), (False, -1)]):
        g, s, c = (a[j % 2 == odd] for a in (gamma, slope, curvature))
        tanh = np.tanh(half * g) ** sign
        d1 = np.sum(half * s * tanh)
        d2 = np.sum(half * c * tanh + (half * s) ** 2 * (1 - tanh**2))
        logs[index] = np.sum(half * g + np.log1p(sign * np.exp(-2 * half * g)))
        factors[index] = 1, d1, d2 + d1**2
        if not odd:
            scale = half * abs(gamma_0)
            even, odd_part = 1 + math.exp(-2 * scale), math.copysign(1 - math.exp(-2 * scale), gamma_0)
            f, f1 = (even, odd_part) if sign == 1 else (odd_part, even)
            f1, f2 = half * slope_0 * f1, half * curvature_0 * f1 + (half * slope_0) ** 2 * f
            logs[index] += scale
            factors[index] = f, f * d1 + f1, f * (d2 + d1**2) + 2 * f1 * d1 + f2
    # all four first derivatives are close to each other: subtract their mean before squaring
    weights = np.exp(logs - logs.max())
    total = weights @ factors[:, 0]
    mean = weights @ factors[:, 1] / total
    centred = factors[:, 2] - 2 * mean * factors[:, 1] + mean**2 * factors[:, 0]
    sites = size * size
    return sites * cosh / sinh + mean, weights @ centred / total - 2 * sites / sinh**2


def _kaufman(temperature: ArrayLike, size: int) -> tuple[np.ndarray, np.ndarray]:
    t = check_temperature(temperature)
    length = check_count(size=size, minimum=2, maximum=1024)
    flat = np.array([_log_partition_derivatives(1 / x, length) for x in t.ravel()]).reshape(-1, 2) / length**2
    return -flat[:, 0].reshape(t.shape), (flat[:, 1].reshape(t.shape) / t**2)


def kaufman_energy(temperature: ArrayLike, size: int) -> np.ndarray:
    """Exact energy per spin of the size x size torus.

    Minus the derivative by K = J/kT of ``ln Z / size**2``, with Kaufman's partition function: half the sum of all
    four products, gamma_0 = 2K + ln tanh K with its sign.

    Parameters
    ----------
    temperature : float or array, J/k, 0.1 to 1000
    size : int, 2 to 1024
        Spins along each side; 2 counts each pair of neighbours twice, as the torus does.

    Returns
    -------
    array, shape of ``temperature``, J per spin

    Raises
    ------
    ValueError, TypeError
        If a temperature or the size is outside its range.

    References
    ----------
    B. Kaufman, Phys. Rev. 76 (1949) 1232.

    Examples
    --------
    >>> kaufman_energy([1.0, 2.2, 3.5], 32).round(7)
    array([-1.9971602, -1.5465863, -0.6601217])
    """
    return _kaufman(temperature, size)[0]


def kaufman_specific_heat(temperature: ArrayLike, size: int) -> np.ndarray:
    """Exact specific heat per spin of the size x size torus, ``dE/dT / size**2``.

    Parameters
    ----------
    temperature : float or array, J/k, 0.1 to 1000
    size : int, 2 to 1024

    Returns
    -------
    array, shape of ``temperature``, k per spin

    Raises
    ------
    ValueError, TypeError
        If a temperature or the size is outside its range.

    References
    ----------
    B. Kaufman, Phys. Rev. 76 (1949) 1232; A. E. Ferdinand and M. E. Fisher, Phys. Rev. 185 (1969) 832.

    Examples
    --------
    >>> kaufman_specific_heat([1.0, 2.2, 3.5], 32).round(5)
    array([0.02338, 1.40107, 0.24775])
    """
    return _kaufman(temperature, size)[1]


def _primes(step: int, bits: int) -> list[int]:
    """Primes ``c * step + 1`` below 2**31, whose product has more than ``bits`` bits."""
    below = np.arange(2, math.isqrt(2**31) + 1)
    small = below[[all(n % d for d in range(2, math.isqrt(n) + 1)) for n in below.tolist()]]
    found: list[int] = []
    candidate = (2**31 - 2) // step * step + 1
    while math.prod(found).bit_length() <= bits:
        if np.all(candidate % small):
            found.append(candidate)
        candidate -= step
    return found


def _root_of_unity(order: int, prime: int) -> int:
    """A number with this multiplicative order modulo ``prime``; ``order`` divides prime - 1."""
    factors = [q for q in range(2, order + 1) if order % q == 0 and all(q % d for d in range(2, q))]
    roots = (pow(base, (prime - 1) // order, prime) for base in range(2, prime))
    return next(root for root in roots if all(pow(root, order // q, prime) != 1 for q in factors))


def _power(base: np.ndarray, exponent: int, prime: np.ndarray) -> np.ndarray:
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result = result * base % prime
        base = base * base % prime
        exponent >>= 1
    return result


def _partition_function_modulo(y: np.ndarray, prime: np.ndarray, theta: list[int], size: int) -> np.ndarray:
    """``y**(size**2) Z`` modulo primes, at y = exp(-2K); ``theta`` are roots of unity of order 2 size.

    Every factor of Kaufman's products is a polynomial in y once the powers of 1 / y and 1 / sinh 2K are multiplied
    out. The factors of gamma_j and gamma_(2 size - j) are equal; gamma_0 and gamma_size stand alone.
    """
    s = (1 - y * y) % prime
    sy = s * y % prime
    sy_squared = sy * sy % prime
    centre = _power(1 + y * y % prime, 2, prime)
    last = 2 * _power(sy, size, prime) % prime
    products = np.ones((2, 2, *y.shape), np.int64)  # even or odd j; cosh or sinh
    for j in range(1, size):
        modulus = prime.ravel().tolist()
        cosine = [(pow(t, j, p) + pow(t, -j, p)) % p for t, p in zip(theta, modulus, strict=True)]  # 2 cos(pi j/size)
        first = (centre - np.array(cosine)[:, None] * sy) % prime
        # (sy)**n 2 cosh(n gamma) for n and n + 1, and (sy)**(2 n); n grows to size by doubling, bit by bit
        now, after, power = np.full_like(y, 2), first, np.ones_like(y)
        for bit in f"{size:b}":
            middle = (now * after - power * first) % prime
            if bit == "0":
                now, after = (now * now - 2 * power) % prime, middle
                power = power * power % prime
            else:
                now, after = middle, (after * after - 2 * (power * sy_squared % prime)) % prime
                power = power * power % prime * sy_squared % prime
        products[j % 2, 0] = products[j % 2, 0] * ((now + last) % prime) % prime
        products[j % 2, 1] = products[j % 2, 1] * ((now - last) % prime) % prime
    plus, minus, y_size = (_power(base % prime, size, prime) for base in (1 + y, 1 - y, y))
    for parity, a, b in ((0, minus, plus), (size % 2, plus, minus)):  # gamma_0 and gamma_size
        products[parity, 0] = products[parity, 0] * ((a + b * y_size) % prime) % prime
        products[parity, 1] = products[parity, 1] * ((a - b * y_size) % prime) % prime
    return products.sum(axis=(0, 1)) % prime * ((prime + 1) // 2) % prime


def _inverse_transform(values: np.ndarray, x: np.ndarray, prime: np.ndarray) -> np.ndarray:
    """Coefficients of the polynomials with these values at all powers ``x`` of a root of unity (fast transform)."""
    points = values.shape[1]
    backward = np.roll(x[:, ::-1], 1, axis=1)
    work = values[:, None, :]
    while work.shape[2] > 1:
        done, half = work.shape[1], work.shape[2] // 2
        even, odd = work[:, :, :half], work[:, :, half:]
        odd = odd * backward[:, : points // 2 : points // (2 * done), None] % prime[:, :, None]
        work = np.concatenate([even + odd, even - odd], axis=1) % prime[:, :, None]
    inverse = np.array([pow(points, -1, p) for p in prime.ravel().tolist()])
    return work[:, :, 0] * inverse[:, None] % prime


@lru_cache(maxsize=8)
def numbers_of_states(size: int) -> tuple[int, ...]:
    """Exact number of states of energy ``-2 size**2 + 4 k`` (J), k = 0 ... size**2.

    Kaufman's Z is a polynomial in exp(-4K) with these numbers as coefficients (P. D. Beale, Phys. Rev. Lett. 76
    (1996) 78). It is evaluated and transformed back modulo primes of 31 bits in which the cosines exist, and the
    numbers follow from the Chinese remainder theorem: integers throughout, so nothing is rounded.
    """
    sites = size * size
    points = 1 << (sites - 1).bit_length()  # a power of two; if it is the degree itself, x**points counts as 1
    primes = _primes(math.lcm(2 * size, 2 * points), sites + 1)
    prime = np.array(primes)[:, None]
    y = np.ones((len(primes), 1), np.int64)
    root = np.array([_root_of_unity(2 * points, p) for p in primes])[:, None]
    while y.shape[1] < points:
        y = np.concatenate([y, y * _power(root, y.shape[1], prime) % prime], axis=1)
    values = _partition_function_modulo(y, prime, [_root_of_unity(2 * size, p) for p in primes], size)
    remainders = _inverse_transform(values, y * y % prime, prime)[:, : sites + 1]
    product = math.prod(primes)
    weights = [product // p * pow(product // p, -1, p) for p in primes]
    states = [sum(r * w for r, w in zip(column, weights, strict=True)) % product for column in remainders.T.tolist()]
    if points == sites:  # the first number came out as the sum of the first, two ground states, and the last
        states = [2, *states[1:], states[0] - 2]
    return tuple(states)


def log_density_of_states(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Natural logarithm of the exact number of states at each energy of the size x size torus.

    Parameters
    ----------
    size : int, 2 to 64
        Spins along each side. 32 takes a fraction of a second, 64 several seconds; each size is computed once.

    Returns
    -------
    energy : array, (size**2 + 1,), J per spin
        -2 to 2 in steps of 4 / size**2.
    log_states : array, (size**2 + 1,)
        Minus infinity where there is no state, as at the first level above the lowest.

    Raises
    ------
    ValueError, TypeError
        If the size is outside its range.

    References
    ----------
    P. D. Beale, Phys. Rev. Lett. 76 (1996) 78.

    Examples
    --------
    >>> energy, log_states = log_density_of_states(4)
    >>> np.exp(log_states[:5]).round(6), energy[:5]
    (array([ 2.,  0., 32., 64., 424.]), array([-2.  , -1.75, -1.5 , -1.25, -1.  ]))
    """
    states = numbers_of_states(check_count(size=size, minimum=2, maximum=64))
    energy = -2.0 + 4.0 * np.arange(len(states)) / size**2
    return energy, np.array([math.log(g) if g else -math.inf for g in states])


def log_energy_distribution(temperature: np.ndarray, size: int) -> np.ndarray:
    """Logarithm of the exact probability of each energy level at each temperature, (k, size**2 + 1)."""
    energy, log_states = log_density_of_states(size)
    log_weight = log_states - size**2 * energy / temperature[:, None]
    return log_weight - logsumexp(log_weight, axis=1, keepdims=True)


def bayes_accuracy(temperature: ArrayLike = COURSE_TEMPERATURES, *, size: int = 32) -> np.ndarray:
    """Accuracy, at each temperature, of the best possible classifier of the course set.

    The probability of a lattice depends on its energy alone, so no classifier can beat one that knows the energy,
    the exact density of states and the prior: the 26 course temperatures with equal weight, ferromagnetic below
    2.27 J/k. It chooses the label with the larger posterior probability.

    The average over the course temperatures is a limit: 98.637 % for 32 x 32, the sum over all 1025 levels of the
    exact density of states, rounded in the last digit only. The value at one temperature is not; a classifier may be
    better there and pay for it at another.

    Parameters
    ----------
    temperature : float or array, J/k, 0.1 to 1000
        Where to evaluate the classifier; its prior stays the course's.
    size : int, 2 to 64

    Returns
    -------
    array, shape of ``temperature``
        Fraction of lattices that get the right label.

    Raises
    ------
    ValueError, TypeError
        If a temperature or the size is outside its range.

    Examples
    --------
    >>> bayes_accuracy([1.0, 2.1, 2.2, 2.3, 2.4]).round(3)
    array([1.   , 0.997, 0.838, 0.814, 0.997])
    """
    t = check_temperature(temperature)
    course = log_energy_distribution(COURSE_TEMPERATURES, check_count(size=size, minimum=2, maximum=64))
    ferromagnetic = COURSE_TEMPERATURES < LABEL_TEMPERATURE
    chosen = np.logaddexp.reduce(course[ferromagnetic]) > np.logaddexp.reduce(course[~ferromagnetic])
    probability = np.exp(log_energy_distribution(t.ravel(), size))
    ordered = np.minimum((probability * chosen).sum(axis=1), 1.0).reshape(t.shape)
    return np.where(t < LABEL_TEMPERATURE, ordered, 1.0 - ordered)
