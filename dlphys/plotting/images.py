"""Images with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from dlphys._validation import check_array
from dlphys.plotting.display import check_text, plain, show
from dlphys.plotting.physics import _names, _picture_grid

__all__ = ["image_row"]


def image_row(images: Any, labels: Sequence[Any], *, title: str, alt: str | None = None) -> Figure:
    """Images in a row (more than eight: in several), each with its label.

    Parameters
    ----------
    images : array, (n, height, width), (n, height, width, 1) or (n, height, width, 3)
        Brightness from 0 to 1.
    labels : sequence, (n,)
        Written above the images.
    title : str
    alt : str, optional
        Alternative text; by default made from the title and the labels.

    Returns
    -------
    matplotlib Figure, already shown

    Raises
    ------
    TypeError, ValueError
        Values outside [0, 1], another number of channels, another number of labels than of images.

    Examples
    --------
    >>> import numpy as np
    >>> figure = image_row(np.zeros((2, 28, 28, 1)), ["three", "eight"], title="Two digits")
    >>> figure.axes[1].get_title()
    'eight'
    """
    check_text(title=title)
    array = check_array(images=images, ndim=(3, 4), minimum=0, maximum=1)
    if array.ndim == 4 and array.shape[-1] not in (1, 3):
        raise ValueError(f"images must have 1 or 3 channels on the last axis, got shape {array.shape}")
    words = _names(labels, len(array))
    figure, axes = _picture_grid(len(array), most=8, size=1.3)
    height, width = array.shape[1:3]
    for ax, image, word in zip(axes, array, words, strict=True):
        ax.imshow(image, cmap="gray", vmin=0, vmax=1)
        ax.set_title(word, fontsize=10.5)
        ax.set(xticks=[0, width - 1], yticks=[0, height - 1])
        if ax is not axes[0]:
            ax.tick_params(labelbottom=False, labelleft=False)
        ax.spines[:].set_visible(True)
    axes[0].set(xlabel="x (pixels)", ylabel="y (pixels)")
    figure.suptitle(title)
    listed = ", ".join(plain(word).replace("\n", " ") for word in words)
    composed = f"{plain(title)}. {len(array)} image{'s' * (len(array) > 1)} of {width} by {height} pixels: {listed}."
    show(composed if alt is None else alt, figure)
    return figure
