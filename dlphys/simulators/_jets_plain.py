"""The shower in plain Python, for reading, and to check the compiled one."""

from __future__ import annotations

from math import pi

import numpy as np

from dlphys._random import Seed, generator
from dlphys._validation import check_choice, check_number
from dlphys.simulators._jets_theory import ALPHA_S, COLOURS, check_coupling, splitting_function


def shower_plain(
    momentum: float,
    *,
    flavour: str = "quark",
    angle: float = 0.4,
    kt_cut: float = 1.0,
    alpha_s: float = ALPHA_S,
    seed: Seed,
) -> list[tuple[np.ndarray, str]]:
    """Shower one parton, step by step: the physics of `simulate` without hadrons, slowly.

    Parameters
    ----------
    momentum : float, GeV
        Along x.
    flavour : {"quark", "gluon"}
    angle : float
        Largest angle.
    kt_cut : float, GeV
    alpha_s : float
        At the mass of the Z; runs.
    seed : int or numpy.random.Generator

    Returns
    -------
    list of (array (3,), str)
        Momenta in GeV and flavours of the partons; the momenta add up to that of the first.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The veto algorithm: draw from a simple density that is everywhere larger than the true one, alpha_s(kt_cut) 2 C / z,
    and accept with the ratio of the two. The compiled version draws from a tighter one; the result is the same.

    Examples
    --------
    >>> partons = shower_plain(500.0, flavour="gluon", seed=1)
    >>> bool(np.allclose(sum(momentum for momentum, _ in partons), [500.0, 0.0, 0.0]))
    True
    """
    momentum = check_number(minimum=0, exclusive=True, unit="GeV", momentum=momentum)
    angle = check_number(minimum=0, maximum=pi / 2, exclusive=True, angle=angle)
    check_choice(choices=tuple(COLOURS), flavour=flavour)
    at_cut, slope = check_coupling(alpha_s, True, kt_cut)
    random = generator(seed)
    # momentum vector, largest angle, flavour, momentum along the direction of the first parton
    waiting, final = [(np.array([momentum, 0.0, 0.0]), angle, flavour, momentum)], []
    while waiting:
        p, angle, flavour, length = waiting.pop()
        smallest = kt_cut / (angle * length)  # no softer emission can pass the cut
        while angle * length > 4 * kt_cut:  # z (1 - z) is at most 1/4
            rate = at_cut / pi * 2 * COLOURS[flavour] * np.log(1 / smallest)  # per unit of ln(1 / angle)
            angle *= np.exp(-random.exponential() / rate)
            z = smallest ** random.random()
            kt = z * (1 - z) * angle * length
            if kt < kt_cut:
                continue
            coupling = at_cut / (1 + slope * np.log(kt / kt_cut))
            weight = z * splitting_function(z, flavour=flavour) / (2 * COLOURS[flavour])
            if random.random() * at_cut < coupling * weight:
                to_quarks = flavour == "gluon" and random.random() < 2.5 * (z**2 + (1 - z) ** 2) * z / (6 * weight)
                across = np.cross(p, random.standard_normal(3))
                soft = z * p + kt * across / np.linalg.norm(across)
                flavour = "quark" if to_quarks else flavour
                waiting.append((soft, angle, "quark" if to_quarks else "gluon", z * length))
                p, length = p - soft, (1 - z) * length
        final.append((p, flavour))
    return final
