"""Radio pulses, the antenna and the noise: spectra on the frequencies of a trace, and the settings of a preset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from dlphys._validation import check_array, check_choice, check_number, check_positive

SAMPLING = 180.0  # MHz
SAMPLES = 500  # in a trace, 2.78 us
BAND = (30.0, 80.0)  # MHz
FREQUENCIES = np.arange(SAMPLES // 2 + 1) * (SAMPLING / SAMPLES)  # MHz, those of numpy.fft.rfft
PULSE_TIMES = (0.35, 2.4)  # us, uniform; the dispersed pulse stays inside the trace
RFI_FREQUENCIES = np.array([50.04, 67.32, 74.88])  # MHz: near an amateur band, a television carrier, air beacons
FREQUENCIES.setflags(write=False)
RFI_FREQUENCIES.setflags(write=False)

SLOPE_RISE = 1e-4  # 1/(MHz m): by how much b grows with the distance from the Cherenkov ring
CHARGE_EXCESS_DELAY = 1e-3  # us, behind the geomagnetic pulse
GALACTIC_INDEX = -2.5
MOST_DELAY = 500.0  # ns

LOW, HIGH = math.ceil(BAND[0] * SAMPLES / SAMPLING), math.floor(BAND[1] * SAMPLES / SAMPLING)  # bins
IN_BAND = slice(LOW, HIGH + 1)
BINS = HIGH + 1 - LOW


class Settings(TypedDict, total=False):
    """The physics keywords of `simulate`, which every other function of the module takes as well."""

    preset: str
    snr: float | Sequence[float]
    delay_spread: float
    antenna: str
    noise: str
    noise_rms: float
    rfi: float
    ring_distance: float | Sequence[float]
    charge_excess: float
    pulse_share: float


PRESETS: dict[str, dict[str, Any]] = {
    "book": {
        "snr": 2.0,
        "delay_spread": 370.0,
        "antenna": "linear",
        "noise": "white",
        "noise_rms": 0.1,
        "rfi": 0.0,
        "ring_distance": (0.0, 100.0),
        "charge_excess": 0.14,
        "pulse_share": 0.5,
    },
    "physics": {
        "snr": (2.0, 6.0),
        "delay_spread": 100.0,
        "antenna": "log-periodic",
        "noise": "galactic",
        "noise_rms": 0.1,
        "rfi": 0.2,
        "ring_distance": (0.0, 100.0),
        "charge_excess": 0.14,
        "pulse_share": 0.5,
    },
}


@dataclass(frozen=True)
class Setting:
    """Checked settings; ranges are (low, high)."""

    snr: tuple[float, float]
    delay_spread: float
    antenna: str
    noise: str
    noise_rms: float
    rfi: float
    ring_distance: tuple[float, float]
    charge_excess: float
    pulse_share: float

    def antenna_response(self) -> np.ndarray:
        return antenna_response(FREQUENCIES[IN_BAND], delay_spread=self.delay_spread, antenna=self.antenna)

    def noise_power(self) -> np.ndarray:
        return noise_spectrum(noise=self.noise, noise_rms=self.noise_rms, rfi=self.rfi)[IN_BAND]


def checked(
    preset: str = "book",
    *,
    snr: float | Sequence[float] | None = None,
    delay_spread: float | None = None,
    antenna: str | None = None,
    noise: str | None = None,
    noise_rms: float | None = None,
    rfi: float | None = None,
    ring_distance: float | Sequence[float] | None = None,
    charge_excess: float | None = None,
    pulse_share: float | None = None,
) -> Setting:
    """The preset's settings, replaced by those that were given."""
    values = dict(PRESETS[check_choice(choices=tuple(PRESETS), preset=preset)])
    given = {
        "snr": snr,
        "delay_spread": delay_spread,
        "antenna": antenna,
        "noise": noise,
        "noise_rms": noise_rms,
        "rfi": rfi,
        "ring_distance": ring_distance,
        "charge_excess": charge_excess,
        "pulse_share": pulse_share,
    }
    values.update({name: value for name, value in given.items() if value is not None})
    _check_antenna(values["delay_spread"], values["antenna"])
    _check_noise(values["noise"], values["noise_rms"], values["rfi"])
    values["snr"] = _range(minimum=1e-3, snr=values["snr"])
    values["ring_distance"] = _range(minimum=0.0, unit="m", ring_distance=values["ring_distance"])
    check_number(minimum=0.0, maximum=0.9, charge_excess=values["charge_excess"])
    check_number(minimum=0.0, maximum=1.0, pulse_share=values["pulse_share"])
    return Setting(**values)


def _range(*, minimum: float, unit: str = "", **argument: Any) -> tuple[float, float]:
    """A number, or two in rising order, as (low, high)."""
    ((name, value),) = argument.items()
    array = check_array(ndim=(0, 1), minimum=minimum, unit=unit, **argument)
    if array.ndim == 1 and (len(array) != 2 or array[0] > array[1]):
        raise ValueError(f"{name} must be a number or (low, high) in rising order, got {value!r}")
    low, high = np.broadcast_to(array, 2)
    return float(low), float(high)


def _check_antenna(delay_spread: float, antenna: str) -> None:
    check_number(minimum=0.0, maximum=MOST_DELAY, unit="ns", delay_spread=delay_spread)
    check_choice(choices=("linear", "log-periodic"), antenna=antenna)


def _check_noise(noise: str, noise_rms: float, rfi: float) -> None:
    check_choice(choices=("white", "galactic"), noise=noise)
    check_positive(unit="mV", noise_rms=noise_rms)
    check_number(minimum=0.0, maximum=0.99, rfi=rfi)


def antenna_response(frequency: ArrayLike, *, delay_spread: float = 370.0, antenna: str = "linear") -> np.ndarray:
    """Complex response of the antenna with its amplifiers: voltage for a field of 1, zero outside 30 to 80 MHz.

    Parameters
    ----------
    frequency : float or array, any shape, MHz
    delay_spread : float, ns
        Group delay at 30 MHz minus that at 80 MHz, at most 500 ns. Delays are given relative to the middle between
        the two, so that the pulse stays centred.
    antenna : {"linear", "log-periodic"}
        - ``"linear"``: flat gain, and a group delay that falls linearly with frequency.
        - ``"log-periodic"``: dipoles of growing length along a boom. A wave is received where it meets the dipole in
          resonance, so the group delay is proportional to the wavelength; at equal gain in all directions and
          frequencies so is the effective height, given relative to 55 MHz.

    Returns
    -------
    array, shape of ``frequency``, complex128
        H with the sign convention of numpy.fft: group delay = -d arg(H) / (2 pi d f).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    A dispersive antenna stretches a pulse of 20 ns into a chirp. At the same ratio of peak to noise it then holds more
    energy, and energy is what makes a pulse visible: `pulse_energy`. Antennas of air-shower arrays are described in
    Abreu et al., JINST 7 (2012) P10011; the two laws here are idealised.

    Examples
    --------
    >>> f = np.linspace(30.0, 80.0, 1001)
    >>> phase = np.unwrap(np.angle(antenna_response(f, delay_spread=300.0)))
    >>> delay = -np.diff(phase) / np.diff(f) / (2 * np.pi) * 1000  # ns
    >>> delay[[0, -1]].round()
    array([ 150., -150.])
    """
    f = check_array(minimum=0.0, unit="MHz", frequency=frequency)
    _check_antenna(delay_spread, antenna)
    low, high = BAND
    spread = 1e-3 * delay_spread  # us
    inside = (f >= low) & (f <= high)
    at = np.where(inside, f, low)
    if antenna == "linear":
        gain, cycles = np.ones_like(at), spread * (at - low) * (high - at) / (2.0 * (high - low))
    else:
        # delay c / f - mean of the two ends; its integral over the frequency
        c = spread / (1.0 / low - 1.0 / high)
        gain = 55.0 / at
        cycles = c * np.log(at / low) - 0.5 * c * (1.0 / low + 1.0 / high) * (at - low)
    return np.where(inside, gain * np.exp(-2j * np.pi * cycles), 0.0)


def emission_spectrum(
    frequency: ArrayLike,
    *,
    ring_distance: ArrayLike = 0.0,
    charge_excess: ArrayLike = 0.0,
) -> np.ndarray:
    """Spectrum of the field of an air shower, geomagnetic and charge-excess emission together.

    exp(-b f) (1 + q exp(-2 pi i f tau)) with b = 1e-4 / (MHz m) times the distance from the Cherenkov ring, where the
    shower is seen at its Cherenkov angle and the pulse is shortest, and tau = 1 ns.

    Parameters
    ----------
    frequency : float or array, MHz
    ring_distance : float or array, m
        Distance of the antenna from the Cherenkov ring.
    charge_excess : float or array
        q: the part of the charge excess along the antenna relative to the geomagnetic one, in (-1, 1). The charge
        excess points to the shower axis, so q = a cos(psi) with the angle psi between the two fields.
        The arguments broadcast.

    Returns
    -------
    array, complex128
        Relative to the geomagnetic field at low frequency.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    a = 0.14 +- 0.02 was measured by Aab et al., Phys. Rev. D 89 (2014) 052002. The exponential form and the growth of
    b with the distance follow simulations; the numbers of the growth and of the delay tau are ours.

    Examples
    --------
    >>> emission_spectrum([30.0, 80.0], ring_distance=100.0).real.round(3)
    array([0.741, 0.449])
    """
    f = check_array(minimum=0.0, unit="MHz", frequency=frequency)
    distance = check_array(minimum=0.0, unit="m", ring_distance=ring_distance)
    q = check_array(minimum=-1.0, maximum=1.0, charge_excess=charge_excess)
    return np.exp(-SLOPE_RISE * distance * f) * (1.0 + q * np.exp(-2j * np.pi * f * CHARGE_EXCESS_DELAY))


def noise_spectrum(*, noise: str = "white", noise_rms: float = 0.1, rfi: float = 0.0) -> np.ndarray:
    """Mean power of the noise at each frequency of a trace.

    Parameters
    ----------
    noise : {"white", "galactic"}
        In the band: flat, or proportional to f^-2.5 as the synchrotron emission of the Galaxy.
    noise_rms : float, mV
        Root of the mean square of the noise, all parts together.
    rfi : float
        Share of the power, in [0, 0.99], that comes from transmitters at the three `RFI_FREQUENCIES` in equal parts.
        A modulated carrier fills its bin of 0.36 MHz, and adds to it with random amplitude and phase.

    Returns
    -------
    array, (251,), mV^2
        S_k = <|X_k|^2> with X = numpy.fft.rfft(trace), zero outside the band; 2 sum_k S_k / 500^2 = noise_rms^2.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The brightness temperature of the sky falls as f^-2.5 (f^-2.55 in Cane, MNRAS 189 (1979) 465, as recalled),
    and a matched antenna delivers a power proportional to it. Between 30 and 80 MHz that is a factor of 11.6.

    Examples
    --------
    >>> power = noise_spectrum(noise="galactic")
    >>> round(float(np.sqrt(2 * power.sum()) / 500), 6)
    0.1
    """
    _check_noise(noise, noise_rms, rfi)
    power = np.zeros_like(FREQUENCIES)
    power[IN_BAND] = FREQUENCIES[IN_BAND] ** (0.0 if noise == "white" else GALACTIC_INDEX)
    power /= power.sum()
    lines = np.zeros_like(power)
    lines[np.rint(RFI_FREQUENCIES * SAMPLES / SAMPLING).astype(int)] = 1.0 / len(RFI_FREQUENCIES)
    return ((1.0 - rfi) * power + rfi * lines) * noise_rms**2 * SAMPLES**2 / 2.0
