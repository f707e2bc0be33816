"""Charged particles and photons in matter: constants, stopping power, multiple scattering, shower depth.

Energies in MeV, lengths in cm. The numbers are those of the Particle Data Group's tables of atomic and nuclear
properties; a test recomputes the minimum stopping power and the Moliere radius from the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._validation import check_array, check_choice, check_positive, shown

ELECTRON_MASS, MUON_MASS, PION_MASS, PROTON_MASS = 0.51099895, 105.6583755, 139.57039, 938.27208816  # MeV
SCATTERING_ENERGY = 13.6  # MeV, of Highland's formula
MOLIERE_ENERGY = 21.2052  # MeV, m_e c^2 sqrt(4 pi / alpha)
BETHE_CONSTANT = 0.307075  # MeV cm^2 / mol
CLASSICAL_RADIUS_SQUARED = 7.940787e-26  # cm^2, r_e^2
AVOGADRO = 6.02214076e23  # 1 / mol


@dataclass(frozen=True)
class Medium:
    """What a particle needs to know about the matter it crosses.

    Attributes
    ----------
    name : str
    density : float, g/cm^3
    radiation_length : float, cm
    critical_energy : float, MeV
        After Rossi: what an electron loses by ionisation in one radiation length.
    interaction_length : float, cm
        Mean free path of hadrons.
    charge : float
        Mean atomic number Z.
    charge_per_mass : float, mol/g
        Z / A.
    excitation : float, eV
        Mean excitation energy I.
    density_effect : (float, float, float, float, float)
        Sternheimer's C, x_0, x_1, a, k.

    Examples
    --------
    >>> round(LIQUID_ARGON.moliere_radius, 2)
    9.04
    """

    name: str
    density: float
    radiation_length: float
    critical_energy: float
    interaction_length: float
    charge: float
    charge_per_mass: float
    excitation: float
    density_effect: tuple[float, float, float, float, float]

    @property
    def moliere_radius(self) -> float:
        """X_0 E_s / E_c, in cm: nine tenths of a shower's energy lie within it."""
        return self.radiation_length * MOLIERE_ENERGY / self.critical_energy

    @property
    def constants(self) -> np.ndarray:
        """The numbers for compiled code, shape (13,): X_0, E_c, interaction length, Z, density Z / A, ln I, ..."""
        pair = 28 / 9 * np.log(183 * self.charge ** (-1 / 3)) - 2 / 27
        electrons = self.density * self.charge_per_mass
        return np.array(
            [
                self.radiation_length,
                self.critical_energy,
                self.interaction_length,
                pair,
                electrons,
                self.excitation * 1e-6,
                *self.density_effect,
                electrons * AVOGADRO * CLASSICAL_RADIUS_SQUARED,
                0.5 * BETHE_CONSTANT * electrons,
            ]
        )


LIQUID_ARGON = Medium(
    name="liquid argon",
    density=1.396,
    radiation_length=14.00,
    critical_energy=32.84,
    interaction_length=85.7,
    charge=18.0,
    charge_per_mass=0.45059,
    excitation=188.0,
    density_effect=(5.2146, 0.2000, 3.0000, 0.19559, 3.0000),
)
SCINTILLATOR = Medium(
    name="plastic scintillator (polystyrene)",
    density=1.060,
    radiation_length=41.31,
    critical_energy=93.11,
    interaction_length=77.1,
    charge=5.6,
    charge_per_mass=0.53768,
    excitation=68.7,
    density_effect=(3.2999, 0.1647, 2.5031, 0.16454, 3.2224),
)


@compiled(nogil=True)
def _bethe(kinetic: float, mass: float, constants: np.ndarray, cut: float) -> tuple[float, float, float]:
    """Mean energy loss by collisions below ``cut`` (MeV/cm), beta^2, and the largest energy of a delta ray (MeV)."""
    gamma = 1.0 + kinetic / mass
    # below beta gamma = 0.1 the formula turns over; a particle has less than a millimetre to go there
    beta_gamma_squared = max(gamma * gamma - 1.0, 0.01)
    gamma = np.sqrt(1.0 + beta_gamma_squared)
    beta_squared = beta_gamma_squared / (1.0 + beta_gamma_squared)
    ratio = ELECTRON_MASS / mass
    largest = 2.0 * ELECTRON_MASS * beta_gamma_squared / (1.0 + 2.0 * gamma * ratio + ratio * ratio)
    x = 0.5 * np.log10(beta_gamma_squared)
    c, x_0, x_1, a, k = constants[6], constants[7], constants[8], constants[9], constants[10]
    delta = 0.0
    if x >= x_0:
        delta = 2.0 * np.log(10.0) * x - c
        if x < x_1:
            delta += a * (x_1 - x) ** k
    scale = constants[12] / beta_squared
    argument = 2.0 * ELECTRON_MASS * beta_gamma_squared * largest / constants[5] ** 2
    loss = scale * (np.log(argument) - 2.0 * beta_squared - delta)
    if cut < largest:
        loss -= scale * (np.log(largest / cut) - beta_squared * (1.0 - cut / largest))
    return loss, beta_squared, largest


@compiled(nogil=True)
def _bethe_many(kinetic: np.ndarray, mass: float, constants: np.ndarray, loss: np.ndarray) -> None:
    for i in range(kinetic.size):
        loss[i] = _bethe(kinetic[i], mass, constants, np.inf)[0]


def stopping_power(kinetic_energy: ArrayLike, *, mass: float = MUON_MASS, medium: Medium = LIQUID_ARGON) -> np.ndarray:
    """Mean energy loss of a heavy charged particle in one centimetre, after Bethe.

    -dE/dx = K rho Z/A / beta^2 [ln(2 m_e beta^2 gamma^2 T_max / I^2) / 2 - beta^2 - delta / 2], with Sternheimer's
    density effect delta. A minimum ionising particle loses 2.1 MeV in a centimetre of liquid argon.

    Parameters
    ----------
    kinetic_energy : float or array, any shape, MeV
        Above 0. Below beta gamma = 0.1 the value there is returned.
    mass : float, MeV
        Of a particle heavier than the electron with one elementary charge.
    medium : Medium

    Returns
    -------
    array, shape of ``kinetic_energy``, MeV/cm

    Raises
    ------
    ValueError, TypeError
        If an energy or the mass is not positive, or ``medium`` is no `Medium`.

    Notes
    -----
    Particle Data Group, review Passage of Particles Through Matter. R. M. Sternheimer, S. M. Seltzer and M. J. Berger,
    At. Data Nucl. Data Tables 30 (1984) 261.

    Examples
    --------
    >>> stopping_power([10.0, 266.0, 2000.0]).round(2)  # a muon slowing down at last, at minimum, fast
    array([7.95, 2.1 , 2.45])
    """
    kinetic = check_array(minimum=1e-6, unit="MeV", kinetic_energy=kinetic_energy)
    check_positive(unit="MeV", mass=mass)
    constants = _checked(medium).constants
    loss = np.empty(kinetic.size)
    _bethe_many(kinetic.ravel(), float(mass), constants, loss)
    return loss.reshape(kinetic.shape)


def highland_width(
    thickness: ArrayLike, *, momentum: float, mass: float = MUON_MASS, medium: Medium = LIQUID_ARGON
) -> np.ndarray:
    """Width of the angle by which multiple scattering turns a particle, seen in a plane.

    theta_0 = 13.6 MeV / (beta c p) sqrt(x / X_0) (1 + 0.038 ln(x / (X_0 beta^2))), good to 11 % for
    1e-3 < x / X_0 < 100.

    Parameters
    ----------
    thickness : float or array, any shape, cm
    momentum : float, MeV/c
    mass : float, MeV
    medium : Medium

    Returns
    -------
    array, shape of ``thickness``, rad
        Standard deviation of the central 98 % of the projected angle.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    V. L. Highland, Nucl. Instrum. Meth. 129 (1975) 497, in the form of the Particle Data Group. The logarithm makes the
    squares of two layers not add up. A simulation by steps has to leave it out, and agrees at one radiation length.

    Examples
    --------
    >>> float(highland_width(14.0, momentum=1000.0).round(4))  # one radiation length, 1 GeV/c
    0.0137
    """
    thickness = check_array(minimum=1e-9, unit="cm", thickness=thickness)
    check_positive(unit="MeV/c", momentum=momentum)
    check_positive(unit="MeV", mass=mass)
    beta = momentum / np.hypot(momentum, mass)
    depth = thickness / _checked(medium).radiation_length
    return SCATTERING_ENERGY / (beta * momentum) * np.sqrt(depth) * (1.0 + 0.038 * np.log(depth / beta**2))


def shower_maximum(energy: ArrayLike, *, kind: str = "electron", medium: Medium = LIQUID_ARGON) -> np.ndarray:
    """Depth at which an electromagnetic shower deposits most, on average: X_0 (ln(E / E_c) -+ 0.5).

    Parameters
    ----------
    energy : float or array, any shape, MeV
        Above the critical energy.
    kind : {"electron", "photon"}
        -0.5 for a shower that an electron begins, +0.5 for one of a photon.
    medium : Medium

    Returns
    -------
    array, shape of ``energy``, cm

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Particle Data Group, review Passage of Particles Through Matter, after B. Rossi, High-Energy Particles (1952).

    Examples
    --------
    >>> shower_maximum([500.0, 1000.0]).round(1)
    array([31.1, 40.8])
    """
    limit = _checked(medium).critical_energy
    energy = check_array(minimum=limit, unit="MeV", energy=energy)
    check_choice(choices=("electron", "photon"), kind=kind)
    return medium.radiation_length * (np.log(energy / limit) + (-0.5 if kind == "electron" else 0.5))


def _checked(medium: Medium) -> Medium:
    if not isinstance(medium, Medium):
        raise TypeError(f"medium must be a Medium such as LIQUID_ARGON, got {shown(medium)} ({type(medium).__name__})")
    return medium
