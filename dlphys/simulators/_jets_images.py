"""Jet images: the steps from constituents to pixels one by one, and all of them in one compiled loop.

Centre, rotate, flip, pixelise, normalise: Cogan et al., arXiv:1407.5675; three channels: Komiske, Metodiev and
Schwartz, arXiv:1612.01551. Every step takes and returns arrays of all jets. Padding has weight zero everywhere.
"""

from __future__ import annotations

from math import atan2, cos, pi, sin

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import fill_blocks
from dlphys._numba import compiled
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._jets_arrays import BLOCK, check_constituents, check_like_constituents

CHANNELS = ("charged pt", "neutral pt", "charged number")


def centre(constituents: ArrayLike) -> np.ndarray:
    """Positions of constituents about the centroid of the transverse momentum, sum pt (eta, phi) / sum pt.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0.

    Returns
    -------
    array, (n, k, 2), float64
        eta and phi from the centroid; 0 for padding. The azimuth is continued over the cut at +-pi.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, or a jet has no transverse momentum.

    Examples
    --------
    >>> centre([[[30.0, 0.4, 3.1, 0.0], [10.0, 0.0, -3.1, 0.0]]])[0].round(3)
    array([[ 0.1  , -0.021],
           [-0.3  ,  0.062]])
    """
    array = check_constituents(constituents).astype(np.float64)
    pt = array[..., 0]
    total = _total(pt)
    eta, phi = array[..., 1], array[..., 2] - array[:, :1, 2]
    phi = np.where(phi > pi, phi - 2 * pi, np.where(phi < -pi, phi + 2 * pi, phi))
    positions = np.stack([eta, phi], axis=-1)
    positions -= np.einsum("nk,nkc->nc", pt, positions)[:, None] / total[:, None, None]
    return np.where(pt[..., None] > 0, positions, 0.0)


def rotate(positions: ArrayLike, pt: ArrayLike) -> np.ndarray:
    """Turn jets so that their principal axis is vertical (along phi).

    The axis is the eigenvector of sum pt x_i x_j with the larger eigenvalue.

    Parameters
    ----------
    positions : array, (n, k, 2)
        From `centre`.
    pt : array, (n, k), GeV
        Weights; padding has 0.

    Returns
    -------
    array, (n, k, 2), float64

    Raises
    ------
    ValueError, TypeError
        If an array has another shape.

    Examples
    --------
    >>> np.abs(rotate([[[1.0, 0.0], [-1.0, 0.0]]], [[1.0, 1.0]])[0]).round(3)
    array([[0., 1.],
           [0., 1.]])
    """
    positions, pt = _check(positions, pt)
    x, y = positions[..., 0], positions[..., 1]
    angle = pi / 2 - 0.5 * np.arctan2(2 * (pt * x * y).sum(1), (pt * (x**2 - y**2)).sum(1))[:, None]
    return np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=-1)


def flip(positions: ArrayLike, pt: ArrayLike) -> np.ndarray:
    """Mirror jets so that the right half and the upper half each hold more transverse momentum than the other.

    Parameters
    ----------
    positions : array, (n, k, 2)
    pt : array, (n, k), GeV

    Returns
    -------
    array, (n, k, 2), float64

    Raises
    ------
    ValueError, TypeError
        If an array has another shape.

    Examples
    --------
    >>> flip([[[0.1, 0.2], [-0.3, -0.1]]], [[1.0, 2.0]])[0]
    array([[-0.1, -0.2],
           [ 0.3,  0.1]])
    """
    positions, pt = _check(positions, pt)
    surplus = (pt[..., None] * np.sign(positions)).sum(1)
    return positions * np.where(surplus < 0, -1.0, 1.0)[:, None]


def channel_weights(constituents: ArrayLike, charge: ArrayLike) -> np.ndarray:
    """What each constituent adds to the three channels of an image: charged pt, neutral pt, charged number.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0.
    charge : array, (n, k), elementary charges

    Returns
    -------
    array, (n, k, 3), float64
        GeV, GeV and 0 or 1.

    Raises
    ------
    ValueError, TypeError
        If an array has another shape.

    Examples
    --------
    >>> channel_weights([[[30.0, 0.4, 3.1, 0.0], [10.0, 0.0, -3.1, 0.0]]], [[-1, 0]])[0]
    array([[30.,  0.,  1.],
           [ 0., 10.,  0.]])
    """
    array = check_constituents(constituents)
    charged = check_like_constituents(array, charge=charge) != 0
    pt = array[..., 0].astype(np.float64)
    return np.stack([pt * charged, pt * ~charged, (charged & (pt > 0)).astype(np.float64)], axis=-1)


def pixelise(positions: ArrayLike, weights: ArrayLike, *, size: int = 33, half_width: float = 0.4) -> np.ndarray:
    """Fill the weights of constituents into square images.

    Parameters
    ----------
    positions : array, (n, k, 2)
        eta and phi from the centre.
    weights : array, (n, k, c)
        One for each channel; padding has 0.
    size : int
        Pixels along each side.
    half_width : float
        The image reaches from minus to plus this in both directions; what lies outside is left out.

    Returns
    -------
    array, (n, size, size, c), float32
        The second axis is phi, from below; the third is eta.

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or a number is out of range.

    Examples
    --------
    >>> pixelise([[[0.1, -0.3]]], [[[5.0]]], size=2, half_width=0.4)[0, ..., 0]
    array([[0., 5.],
           [0., 0.]], dtype=float32)
    """
    positions = check_array(shape=(None, None, 2), positions=positions)
    n, k = positions.shape[:2]
    weights = check_array(shape=(n, k, None), weights=weights)
    size, half_width = _check_pixels(size, half_width)
    pixel = np.floor((positions + half_width) * (size / (2 * half_width))).astype(np.int64)
    seen = ((pixel >= 0) & (pixel < size)).all(-1)
    place = (np.arange(n)[:, None] * size + pixel[..., 1]) * size + pixel[..., 0]
    channels = [np.bincount(place[seen], w[seen], minlength=n * size**2) for w in np.moveaxis(weights, -1, 0)]
    return np.stack(channels, axis=-1).reshape(n, size, size, -1).astype(np.float32)


def normalise(images: ArrayLike) -> np.ndarray:
    """Divide the transverse momenta of each image by their sum; a third channel, which counts, stays as it is.

    Parameters
    ----------
    images : array, (n, size, size, c)
        One channel of pt, or two of pt, or two of pt and one of numbers.

    Returns
    -------
    array, (n, size, size, c), float32
        The one or two channels of pt have the sum 1, or 0 for an empty image.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape.

    Examples
    --------
    >>> normalise(np.array([3.0, 1.0, 2.0]).reshape(1, 1, 1, 3)).ravel()
    array([0.75, 0.25, 2.  ], dtype=float32)
    """
    images = check_array(ndim=4, dtype=np.float32, images=images)
    if not 1 <= images.shape[-1] <= 3:
        raise ValueError(f"images must have 1 to 3 channels, got shape {images.shape}")
    total = images[..., :2].sum((1, 2, 3), keepdims=True)
    scale = np.where(total > 0, 1 / np.where(total > 0, total, 1), 0).astype(np.float32)
    return np.concatenate([images[..., :2] * scale, images[..., 2:]], axis=-1)


def jet_images(
    constituents: ArrayLike,
    charge: ArrayLike | None = None,
    *,
    size: int = 33,
    half_width: float = 0.4,
    turned: bool = False,
    normalised: bool = False,
) -> np.ndarray:
    """Images of jets: `centre`, then `rotate` and `flip` if asked for, `pixelise`, `normalise`, in one compiled loop.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0 and stands at the end.
    charge : array, (n, k), elementary charges, optional
        With it the image has three channels: charged pt, neutral pt, charged number; without it one: pt.
    size : int
        Pixels along each side.
    half_width : float
        The image reaches from minus to plus this in eta and phi.
    turned : bool
        With True jets are rotated and flipped.
    normalised : bool
        With True the channels of pt are divided by the transverse momentum in the image, else in GeV.

    Returns
    -------
    array, (n, size, size, 3 or 1), float32
        The second axis is phi, from below; the third is eta.

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or a number is out of range.

    Examples
    --------
    >>> jet_images([[[30.0, 0.3, 1.0, 0.0], [10.0, -0.1, 1.0, 0.0]]], size=3, half_width=0.4).sum()
    np.float32(40.0)
    """
    array = check_constituents(constituents)
    size, half_width = _check_pixels(size, half_width)
    check_choice(choices=(True, False), turned=turned)
    check_choice(choices=(True, False), normalised=normalised)
    charges = np.zeros((len(array), 0), np.int8)
    if charge is not None:
        charges = np.ascontiguousarray(check_like_constituents(array, charge=charge), dtype=np.int8)
    images = np.zeros((len(array), size, size, 1 if charge is None else 3), np.float32)

    def fill(number: int, rows: slice) -> None:
        jets = np.ascontiguousarray(array[rows], dtype=np.float32)
        if not fill_images(jets, charges[rows], half_width, bool(turned), bool(normalised), images[rows]):
            _total(array[..., 0])

    fill_blocks(fill, len(array), block=BLOCK, title="jet images")
    return images


@compiled(nogil=True)
def fill_images(
    constituents: np.ndarray, charge: np.ndarray, half_width: float, turned: bool, normalised: bool, images: np.ndarray
) -> bool:
    """Images of a block of jets. The steps are those of the functions above, for one jet after the other.

    False if a jet is empty.
    """
    n, k = constituents.shape[:2]
    size, channels = images.shape[1], images.shape[3]
    x, y, places = np.empty(k), np.empty(k), np.empty(k, np.int64)
    flat = images.reshape(n, -1)
    scale = size / (2.0 * half_width)
    for jet in range(n):
        count, total, mean_x, mean_y = 0, 0.0, 0.0, 0.0
        while count < k and constituents[jet, count, 0] > 0.0:
            pt = float(constituents[jet, count, 0])
            x[count] = constituents[jet, count, 1]
            difference = float(constituents[jet, count, 2]) - float(constituents[jet, 0, 2])
            if difference > pi:
                difference -= 2.0 * pi
            elif difference < -pi:
                difference += 2.0 * pi
            y[count] = difference
            total += pt
            mean_x += pt * x[count]
            mean_y += pt * y[count]
            count += 1
        if count == 0:
            return False
        mean_x, mean_y = mean_x / total, mean_y / total
        cosine, sine, mirror_x, mirror_y = 1.0, 0.0, 1.0, 1.0
        for i in range(count):
            x[i] -= mean_x
            y[i] -= mean_y
        if turned:
            mixed, unequal = 0.0, 0.0
            for i in range(count):
                mixed += constituents[jet, i, 0] * x[i] * y[i]
                unequal += constituents[jet, i, 0] * (x[i] * x[i] - y[i] * y[i])
            angle = 0.5 * pi - 0.5 * atan2(2.0 * mixed, unequal)
            cosine, sine = cos(angle), sin(angle)
            surplus_x, surplus_y = 0.0, 0.0
            for i in range(count):
                x[i], y[i] = x[i] * cosine - y[i] * sine, x[i] * sine + y[i] * cosine
                surplus_x += constituents[jet, i, 0] * np.sign(x[i])
                surplus_y += constituents[jet, i, 0] * np.sign(y[i])
            mirror_x = -1.0 if surplus_x < 0.0 else 1.0
            mirror_y = -1.0 if surplus_y < 0.0 else 1.0
        seen = 0.0
        for i in range(count):
            column = int(np.floor((mirror_x * x[i] + half_width) * scale))
            row = int(np.floor((mirror_y * y[i] + half_width) * scale))
            inside = 0 <= row < size and 0 <= column < size
            places[i] = channels * (row * size + column) if inside else -1
            seen += constituents[jet, i, 0] if inside else 0.0
        unit = 1.0 / seen if normalised and seen > 0.0 else 1.0
        image = flat[jet]
        for i in range(count):
            place = places[i]
            if place >= 0:
                neutral = int(channels == 3 and charge[jet, i] == 0)
                image[place + neutral] += np.float32(unit * constituents[jet, i, 0])
                if channels == 3:  # adds zero for a neutral one, which is faster than a branch that is hard to predict
                    image[place + 2] += np.float32(1 - neutral)
    return True


def _check(positions: ArrayLike, pt: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    positions = check_array(shape=(None, None, 2), positions=positions)
    return positions, check_array(shape=positions.shape[:2], minimum=0.0, unit="GeV", pt=pt)


def _check_pixels(size: int, half_width: float) -> tuple[int, float]:
    return check_count(size=size, maximum=1024), check_number(
        minimum=0, maximum=pi, exclusive=True, half_width=half_width
    )


def _total(pt: np.ndarray) -> np.ndarray:
    """Sum of pt of each jet; refuses a jet without any."""
    total = pt.sum(1, dtype=np.float64)
    if (total <= 0).any():
        raise ValueError(f"constituents must have some pt in every jet, got none in jet {int(np.argmin(total))}")
    return total
