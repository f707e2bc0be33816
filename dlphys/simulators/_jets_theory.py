"""What is known exactly about the shower, and the limit and baselines that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, pi
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, stats

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._jets_shower import (
    FLAVOURS,
    GLUON_COLOUR,
    QUARK_COLOUR,
    TRACE,
    Z_MASS,
    coupling_at_cut,
    lund_plane_of_soft_emissions,
)
from dlphys.simulators._sample import Sample

CASIMIR_RATIO = GLUON_COLOUR / QUARK_COLOUR  # 9/4
COLOURS = {"quark": QUARK_COLOUR, "gluon": GLUON_COLOUR}
ALPHA_S = 0.126
BLOCK = 4096
LUND = 7  # stream, beside those of jets


@dataclass(frozen=True, repr=False)
class LundJets(Sample):
    """Primary emissions of gluon and quark jets in the double-logarithmic limit.

    Attributes
    ----------
    emissions : array, (n, k, 2), float32
        ln(R / theta) and ln(kt / cut) of each emission, at falling angles; -1 for padding.
    count : array, (n,), int32
        Number of emissions; those beyond k are counted but not kept.
    label : array, (n,), int8
        0 gluon, 1 quark.
    """

    units: ClassVar = {"emissions": "", "count": "", "label": "0 gluon, 1 quark"}

    emissions: np.ndarray
    count: np.ndarray
    label: np.ndarray


def splitting_function(z: ArrayLike, *, flavour: str) -> np.ndarray:
    """P(z) for a gluon with a fraction z of the momentum, or a pair of quarks that shares it, as the shower uses it.

    P_q = C_F (1 + (1 - z)^2) / z, P_g = 2 C_A [(1 - z) / z + z (1 - z) / 2] + n_f T_R [z^2 + (1 - z)^2]. Of the two
    soft gluons of g -> g g the one with z -> 0 stands for both.

    Parameters
    ----------
    z : float or array
        In (0, 1].
    flavour : {"quark", "gluon"}

    Returns
    -------
    array, shape of ``z``

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Altarelli and Parisi, Nucl. Phys. B 126 (1977) 298. C_F = 4/3, C_A = 3, T_R = 1/2, n_f = 5. An emission has the
    probability alpha_s / (2 pi) P(z) dz dtheta^2 / theta^2.

    Examples
    --------
    >>> splitting_function(0.5, flavour="quark").round(4)
    np.float64(3.3333)
    """
    z = check_array(minimum=np.finfo(float).tiny, maximum=1.0, z=z)
    if check_choice(choices=tuple(COLOURS), flavour=flavour) == "quark":
        return QUARK_COLOUR * (1 + (1 - z) ** 2) / z
    pairs = FLAVOURS * TRACE * (z**2 + (1 - z) ** 2)
    return 2 * GLUON_COLOUR * ((1 - z) / z + z * (1 - z) / 2) + pairs


def strong_coupling(kt: ArrayLike, *, alpha_s: float = ALPHA_S) -> np.ndarray:
    """Running coupling at one loop with five flavours, alpha_s(kt) = alpha_s / (1 + (23 / 6 pi) alpha_s ln(kt / m_Z)).

    Parameters
    ----------
    kt : float or array, GeV
        At least 0.7.
    alpha_s : float
        At the mass of the Z. The default is 0.118 times 1 + 3.45 alpha_s / 2 pi, as is usual in showers.

    Returns
    -------
    array, shape of ``kt``

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The factor 1 + K alpha_s / 2 pi with K = 3.45 for five flavours is that of Catani, Marchesini and Webber,
    Nucl. Phys. B 349 (1991) 635.

    Examples
    --------
    >>> strong_coupling([1.0, 91.19]).round(3)
    array([0.412, 0.126])
    """
    kt = check_array(minimum=0.7, unit="GeV", kt=kt)
    at_cut, slope = check_coupling(alpha_s, True, 1.0)
    return at_cut / (1 + slope * np.log(kt))


def check_coupling(alpha_s: float, running: bool, kt_cut: float) -> tuple[float, float]:
    """Coupling at the cut and its slope; refuses what is no longer perturbative."""
    alpha_s = check_number(minimum=0, maximum=0.3, exclusive=True, alpha_s=alpha_s)
    check_choice(choices=(True, False), running=running)
    kt_cut = check_number(minimum=0.7, maximum=100, unit="GeV", kt_cut=kt_cut)
    if running and 1 + (33 - 2 * FLAVOURS) / (6 * pi) * alpha_s * log(kt_cut / Z_MASS) < 0.1:
        raise ValueError(
            f"alpha_s must leave a small coupling at kt_cut = {kt_cut:g} GeV, got {alpha_s:g}, which comes close to "
            "the pole; 0.126 at the mass of the Z is usual"
        )
    return coupling_at_cut(alpha_s, running, kt_cut)


def sudakov(
    momentum: float,
    *,
    flavour: str,
    angle: float = 0.4,
    kt_cut: float = 1.0,
    alpha_s: float = ALPHA_S,
    running: bool = True,
) -> float:
    """Probability that a parton does not radiate at all, by numerical integration: what the shower must reproduce.

    exp(-integral dtheta / theta dz alpha_s(kt) / pi P(z)) over kt = z (1 - z) theta p > kt_cut and theta < angle.

    Parameters
    ----------
    momentum : float, GeV
    flavour : {"quark", "gluon"}
    angle : float
        Largest angle.
    kt_cut : float, GeV
    alpha_s : float
    running : bool
        Whether ``alpha_s`` is that at the mass of the Z, or everywhere.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> round(sudakov(500.0, flavour="quark"), 4)
    0.1117
    """
    momentum = check_number(minimum=0, exclusive=True, unit="GeV", momentum=momentum)
    angle = check_number(minimum=0, maximum=pi / 2, exclusive=True, angle=angle)
    check_choice(choices=tuple(COLOURS), flavour=flavour)
    at_cut, slope = check_coupling(alpha_s, running, kt_cut)
    height = log(angle * momentum / kt_cut)
    if height <= log(4):
        return 1.0  # z (1 - z) is at most 1/4

    def inner(y: float) -> float:  # y = ln(1 / z); the integral over ln(theta) is done in closed form
        z = exp(-y)
        room = height - y + np.log1p(-z)
        if room <= 0:
            return 0.0
        along = np.log1p(slope * room) / slope if slope else room
        return at_cut / pi * z * float(splitting_function(z, flavour=flavour)) * along

    area, _ = integrate.quad(inner, 1e-12, height, limit=400, epsabs=1e-10)
    return exp(-area)


def mean_emissions(
    momentum: float, *, flavour: str, angle: float = 0.4, kt_cut: float = 1.0, alpha_s: float = 0.12
) -> float:
    """Mean number of primary emissions in the double-logarithmic limit, (2 alpha_s C / pi) ln^2(angle p / kt_cut) / 2.

    Parameters
    ----------
    momentum : float, GeV
    flavour : {"quark", "gluon"}
    angle : float
        Largest angle.
    kt_cut : float, GeV
    alpha_s : float
        Does not run.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Emissions are spread evenly over the triangle of the Lund plane, 2 alpha_s C / pi per unit of ln(1 / theta) and of
    ln(kt): Dreyer, Salam and Soyez, arXiv:1807.04758.

    Examples
    --------
    >>> quark, gluon = (mean_emissions(500.0, flavour=flavour) for flavour in ("quark", "gluon"))
    >>> round(quark, 3), gluon / quark
    (1.43, 2.25)
    """
    colour = COLOURS[check_choice(choices=tuple(COLOURS), flavour=flavour)]
    momentum = check_number(minimum=0, exclusive=True, unit="GeV", momentum=momentum)
    angle = check_number(minimum=0, maximum=pi / 2, exclusive=True, angle=angle)
    alpha_s, _ = check_coupling(alpha_s, False, kt_cut)
    return alpha_s * colour / pi * max(0.0, log(angle * momentum / kt_cut)) ** 2


def simulate_lund(
    n: int,
    *,
    seed: Seed,
    momentum: float = 500.0,
    angle: float = 0.4,
    kt_cut: float = 1.0,
    alpha_s: float = 0.12,
    emissions: int = 40,
) -> LundJets:
    """Gluon and quark jets in the double-logarithmic limit: independent soft emissions, even in the Lund plane.

    The same veto algorithm as in `simulate`, with P(z) = 2 C / z, a coupling that does not run, no recoil, and no
    emissions from emissions. In this limit the best classifier is known: see `lund_log_ratio`.

    Parameters
    ----------
    n : int
        Number of jets; each is a gluon or a quark with equal probability.
    seed : int or numpy.random.Generator
    momentum : float, GeV
    angle : float
        Largest angle.
    kt_cut : float, GeV
    alpha_s : float
    emissions : int
        Places for emissions in the result, k.

    Returns
    -------
    LundJets

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> jets = simulate_lund(1000, seed=1)
    >>> jets.emissions.shape, jets.count.dtype
    ((1000, 40, 2), dtype('int32'))
    """
    n = check_count(n=n)
    places = check_count(emissions=emissions)
    means = [
        mean_emissions(momentum, flavour=flavour, angle=angle, kt_cut=kt_cut, alpha_s=alpha_s)
        for flavour in ("gluon", "quark")
    ]
    height = log(angle * momentum / kt_cut)
    if height <= 0:
        raise ValueError(f"kt_cut must be below angle * momentum = {angle * momentum:g} GeV, got {kt_cut:g}")
    rates = 2 * np.array(means) / height**2
    stream = Streams.of(seed)
    jets = LundJets(
        emissions=np.full((n, places, 2), -1, np.float32),
        count=np.empty(n, np.int32),
        label=np.empty(n, np.int8),
    )

    def fill(block: int, rows: slice) -> None:
        labels = stream(LUND, block).integers(0, 2, BLOCK, dtype=np.int8)[: rows.stop - rows.start]
        jets.label[rows] = labels
        lund_plane_of_soft_emissions(
            stream(LUND + 1, block), rates[labels], height, jets.emissions[rows], jets.count[rows]
        )

    fill_blocks(fill, n, block=BLOCK, title="Lund planes")
    return jets


def lund_log_ratio(count: ArrayLike, *, mean: float, ratio: float = CASIMIR_RATIO) -> np.ndarray:
    """Log likelihood ratio ln p(quark) / p(gluon) of a jet of `simulate_lund`: a limit, no classifier does better.

    Where the emissions lie in the plane is the same for both, so that only their number N tells them apart:
    (ratio - 1) mean - N ln(ratio).

    Parameters
    ----------
    count : array
        Number of emissions.
    mean : float
        Of a quark, from `mean_emissions`.
    ratio : float
        Of the means, C_A / C_F = 9/4.

    Returns
    -------
    array, shape of ``count``

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Frye, Larkoski, Thaler and Zhou, arXiv:1704.06266. The area under the ROC curve is `poisson_auc`.

    Examples
    --------
    >>> lund_log_ratio([0, 5], mean=2.0).round(3)
    array([ 2.5  , -1.555])
    """
    count = check_array(minimum=0, count=count)
    mean = check_number(minimum=0, exclusive=True, mean=mean)
    ratio = check_number(minimum=0, exclusive=True, ratio=ratio)
    return (ratio - 1) * mean - count * log(ratio)


def casimir_auc(*, ratio: float = CASIMIR_RATIO, silent: float = 0.0) -> float:
    """Area under the ROC curve of any mass-like observable in the double-logarithmic limit: 9/13 = 0.692.

    The leading emission decides about such an observable, and P(gluon passes) = P(quark passes)^(C_A / C_F). The area
    is ratio / (1 + ratio), less what ties of jets without any emission cost.

    Parameters
    ----------
    ratio : float
        C_A / C_F = 9/4.
    silent : float
        Probability that a quark does not radiate, in [0, 1].

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Larkoski, Salam and Thaler, arXiv:1305.0007, section 4.

    Examples
    --------
    >>> round(casimir_auc(), 4) == round(9 / 13, 4)
    True
    """
    ratio = check_number(minimum=0, exclusive=True, ratio=ratio)
    silent = check_number(minimum=0, maximum=1, silent=silent)
    return ratio / (1 + ratio) - (0.5 - 1 / (1 + ratio)) * silent ** (1 + ratio)


def poisson_auc(mean: float, *, ratio: float = CASIMIR_RATIO) -> float:
    """Area under the ROC curve of two Poisson numbers with means ``mean`` and ``ratio`` times that, ties counted half.

    Parameters
    ----------
    mean : float
        Up to 1e4.
    ratio : float

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> [round(poisson_auc(mean), 4) for mean in (1, 2, 5)]
    [0.7504, 0.8362, 0.9416]
    """
    mean = check_number(minimum=0, maximum=1e4, exclusive=True, mean=mean)
    ratio = check_number(minimum=0, exclusive=True, ratio=ratio)
    few, many = stats.poisson(mean), stats.poisson(mean * ratio)
    number = np.arange(int(max(few.ppf(1 - 1e-15), many.ppf(1 - 1e-15))) + 2)
    return float((few.pmf(number) * (many.sf(number) + many.pmf(number) / 2)).sum())


def histogram_ratio(x_train: ArrayLike, y_train: ArrayLike, x: ArrayLike, *, bins: int = 20) -> np.ndarray:
    """Log likelihood ratio ln p(x | 1) / p(x | 0) from histograms of a few observables: a baseline.

    Parameters
    ----------
    x_train : array, (n, d)
        Observables of jets to learn from, d at most 3.
    y_train : array, (n,)
        0 or 1; both must occur.
    x : array, (m, d)
        Those to classify.
    bins : int
        In each direction, with equally many entries each; at least 2.

    Returns
    -------
    array, (m,), float64

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or labels are not 0 and 1.

    Notes
    -----
    Half an entry is added to every bin. Good observables: soft-drop mass and tau_32 for top jets, multiplicity and
    width for quarks and gluons.

    Examples
    --------
    >>> x = np.arange(8.0)[:, None]
    >>> histogram_ratio(x, x[:, 0] > 3, [[1.0], [6.0]], bins=2).round(2)
    array([-2.2,  2.2])
    """
    x_train = check_array(shape=(None, None), x_train=x_train)
    if x_train.shape[1] > 3:
        raise ValueError(f"x_train must have at most 3 columns, got shape {x_train.shape}")
    y_train = check_array(shape=(len(x_train),), minimum=0, maximum=1, y_train=y_train)
    if set(np.unique(y_train)) != {0.0, 1.0}:
        raise ValueError("y_train must hold 0 and 1, and both of them")
    x = check_array(shape=(None, x_train.shape[1]), allow_empty=True, x=x)
    bins = check_count(bins=bins, minimum=2, maximum=1000)
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1])) for column in x_train.T]
    shape = tuple(len(edge) + 1 for edge in edges)

    def place(values: np.ndarray) -> np.ndarray:
        columns = zip(edges, values.T, strict=True)
        return np.ravel_multi_index([np.searchsorted(edge, column, "right") for edge, column in columns], shape)

    cells = int(np.prod(shape))
    counts = [np.bincount(place(x_train[y_train == label]), minlength=cells) + 0.5 for label in (0, 1)]
    ratio = np.log(counts[1] / counts[1].sum()) - np.log(counts[0] / counts[0].sum())
    return ratio[place(x)]
