"""Pictures in ten classes: MNIST, Fashion-MNIST, CIFAR-10.

All three loaders return 60 000 or 50 000 pictures to train and validate and 10 000 for the test, float32 from 0 to 1.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import numpy as np

from dlphys._validation import check_count
from dlphys.datasets import _cache
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._formats import Table
from dlphys.datasets._registry import registry
from dlphys.datasets._source import obtain

GARMENTS = (
    "T-shirt or top",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
OBJECTS = ("aeroplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "lorry")


def load_mnist(*, validation: int = 5000, stand_in: bool | None = None) -> Dataset:
    """Handwritten digits, 28 x 28 pixels: 60 000 to train and validate, 10 000 for the test.

    Parameters
    ----------
    validation : int, default 5000
        How many of the 60 000 (the last ones) are set aside for validation; 1 to 59 999.
    stand_in : bool, optional
        True forces the offline stand-in, False forbids it; left out, it is the last resort. The stand-in is made from
        scikit-learn's 1797 real digits of 8 x 8 pixels; training and test images come from different digits.

    Returns
    -------
    Dataset
        x (n, 28, 28, 1) float32, grey level from 0 (paper) to 1 (ink); y (n,) int64, the digit.

    Raises
    ------
    DataUnavailable
        If the real set cannot be had and the stand-in is forbidden.

    Notes
    -----
    Source: Y. LeCun et al., Proc. IEEE 86 (1998) 2278.

    Examples
    --------
    >>> from dlphys.datasets import load_mnist
    >>> data = load_mnist()  # doctest: +SKIP
    mnist: downloaded before, from the cache
    >>> data.x_train.shape  # doctest: +SKIP
    (55000, 28, 28, 1)
    """
    return _load("mnist", validation, stand_in)


def load_fashion_mnist(*, validation: int = 5000, stand_in: bool | None = None) -> Dataset:
    """Pieces of clothing, 28 x 28 pixels: 60 000 to train and validate, 10 000 for the test.

    Parameters
    ----------
    validation : int, default 5000
        As in `load_mnist`.
    stand_in : bool, optional
        As in `load_mnist`. The stand-in is drawn: outlines, cloth and folds of ten kinds of garment, about as hard to
        tell apart as the real ones.

    Returns
    -------
    Dataset
        x (n, 28, 28, 1) float32, grey level from 0 (ground) to 1; y (n,) int64, the class of ``about.classes``.

    Raises
    ------
    DataUnavailable
        If the real set cannot be had and the stand-in is forbidden.

    Notes
    -----
    Source: H. Xiao, K. Rasul and R. Vollgraf, arXiv:1708.07747.

    Examples
    --------
    >>> from dlphys.datasets import load_fashion_mnist
    >>> load_fashion_mnist().about.classes[9]  # doctest: +SKIP
    fashion_mnist: downloaded before, from the cache
    'ankle boot'
    """
    return _load("fashion_mnist", validation, stand_in)


def load_cifar10(*, validation: int = 5000, stand_in: bool | None = None) -> Dataset:
    """Colour photographs of animals and vehicles, 32 x 32 pixels: 50 000 to train and validate, 10 000 for the test.

    Parameters
    ----------
    validation : int, default 5000
        How many of the 50 000 (the last ones) are set aside for validation; 1 to 49 999.
    stand_in : bool, optional
        As in `load_mnist`. The stand-in is drawn: ten kinds of object before a scene, about as hard to tell apart as
        those of the photographs.

    Returns
    -------
    Dataset
        x (n, 32, 32, 3) float32, red, green and blue from 0 to 1; y (n,) int64, the class of ``about.classes``.

    Raises
    ------
    DataUnavailable
        If the real set cannot be had and the stand-in is forbidden.

    Notes
    -----
    Source: A. Krizhevsky, technical report, University of Toronto (2009).

    Examples
    --------
    >>> from dlphys.datasets import load_cifar10
    >>> load_cifar10().x_train.shape  # doctest: +SKIP
    cifar10: from the mirror DLPHYS_DATA_DIR
    (45000, 32, 32, 3)
    """
    return _load("cifar10", validation, stand_in)


@dataclass(frozen=True)
class _Words:
    """What `About` says beside the registry: about the real set, and about its stand-in."""

    classes: tuple[str, ...]
    made: str
    flaws: tuple[str, ...]
    module: str  # makes the stand-in
    stand_in_made: str
    stand_in_flaws: tuple[str, ...]
    stand_in_licence: str = "MIT, as this package"
    stand_in_citation: str = "dlphys, this package"


_WORDS = {
    "mnist": _Words(
        classes=tuple("0123456789"),
        made="forms filled in by employees of the US Census Bureau and by pupils, scanned by NIST, scaled and centred",
        flaws=("a few dozen labels of the test set are disputed, so accuracies above 99.8 % mean little",),
        module="_digits",
        stand_in_made="scikit-learn's 1797 digits of 8 x 8 pixels (UCI, CC BY 4.0), enlarged and bent",
        stand_in_flaws=(
            "the 10 000 test images come from 597 digits, so the error of an accuracy p is that of 597 draws, "
            "sqrt(p (1 - p) / 597), not of 10 000",
            "50 training images come from each of 1200 digits, so learning curves flatten early",
        ),
        stand_in_licence="digits CC BY 4.0",
        stand_in_citation="E. Alpaydin and C. Kaynak, Optical recognition of handwritten digits, UCI, "
        "doi:10.24432/C50P49",
    ),
    "fashion_mnist": _Words(
        classes=GARMENTS,
        made="product photographs of an online shop, made grey, shrunk to 28 x 28 and inverted",
        flaws=("shirts, T-shirts, pullovers and coats overlap: a simple network ends near 92 %",),
        module="_garments",
        stand_in_made="drawn from outlines, patterns and folds, each picture with its own cut, pose and light",
        stand_in_flaws=(
            "drawings, not photographs: bags, trousers and sandals are easier than real ones, shirts as hard",
            "what a network learns here does not carry over to photographs",
        ),
    ),
    "cifar10": _Words(
        classes=OBJECTS,
        made="photographs found by image search, labelled by paid students, shrunk to 32 x 32",
        flaws=(
            "3 % of the test images have a near copy among the training images (Barz and Denzler, arXiv:1902.00423)",
            "about 0.5 % of the test labels are wrong (Northcutt et al., arXiv:2103.14749)",
        ),
        module="_objects",
        stand_in_made="drawn from outlines before scenes, each picture with its own view, colours, clutter and light",
        stand_in_flaws=(
            "drawings, not photographs: which classes are hard differs from the real set, how hard on average does not",
            "what a network learns here does not carry over to photographs",
        ),
    ),
}


def _load(name: str, validation: int, stand_in: bool | None) -> Dataset:
    entry, words = registry()[name], _WORDS[name]
    n = entry.shapes["x_train"][0]
    validation = check_count(validation=validation, maximum=n - 1)
    arrays, source = obtain(name, stand_in, lambda: _made(name), caller_depth=4)
    real = source != "stand-in"
    x_train, y_train = arrays["x_train"], arrays["y_train"].astype(np.int64)
    parts = [np.arange(n - validation), np.arange(n - validation, n)]
    if not real:  # images of one original may be neighbours: mix them, within each part
        parts = [np.random.default_rng(i).permutation(part) for i, part in enumerate(parts)]
    return Dataset(
        name=name,
        x_train=_pixels(x_train[parts[0]]),
        y_train=y_train[parts[0]],
        x_validation=_pixels(x_train[parts[1]]),
        y_validation=y_train[parts[1]],
        x_test=_pixels(arrays["x_test"]),
        y_test=arrays["y_test"].astype(np.int64),
        about=About(
            title=entry.title,
            source=source,
            units={"red": "0 to 1", "green": "0 to 1", "blue": "0 to 1"} if x_train.ndim == 4 else {"grey": "0 to 1"},
            target_units={"class": "0 to 9"},
            made=words.made if real else words.stand_in_made,
            licence=entry.licence if real else words.stand_in_licence,
            citation=entry.citation if real else words.stand_in_citation,
            flaws=words.flaws if real else words.stand_in_flaws,
            classes=words.classes,
        ),
    )


def _pixels(images: np.ndarray) -> np.ndarray:
    """Bytes to float32 from 0 to 1, with an axis for the colours."""
    scaled = images.astype(np.float32)
    scaled /= 255
    return scaled if scaled.ndim == 4 else scaled[..., None]


def _made(name: str) -> Table:
    """The stand-in, kept in the cache."""
    module = importlib.import_module(f"dlphys.datasets.{_WORDS[name].module}")  # compiled, needed only here
    keys = ("x_train", "y_train", "x_test", "y_test")
    return _cache.recall("stand-in", name, {}, module, keys, module.make_stand_in)[0]
