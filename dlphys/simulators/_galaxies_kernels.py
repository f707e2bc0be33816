"""Compiled rendering of spiral galaxies, one at a time."""

from __future__ import annotations

import numpy as np

from dlphys._numba import compiled

PIXELS = 32
SOFTENING = 1.0
"""Pixels added to the radius in quadrature: arms have no end inside a pixel, and a bulge no cusp."""
EDGE = 3
"""Pixels rendered beyond the image on each side, so that the blur of a point-like source is right at its edge."""
WIDE = PIXELS + 2 * EDGE


@compiled(nogil=True, error_model="numpy", fastmath=True)
def render_one(shape: np.ndarray, light: np.ndarray, image: np.ndarray) -> None:
    """Brightness at the centres of the pixels, before the blur; ``image`` is (WIDE, WIDE).

    ``shape``: turn (+1 left, -1 right), 1 / tan(pitch), arms, phase, cos and sin of the position angle, axis ratio.
    ``light``: scale length of the disk, contrast of the arms, brightness of the bulge, its effective radius and
    1 / (Sersic index), b of that index, ellipticity of the bulge as an axis ratio.
    """
    turn, winding, arms, phase, cos, sin, flat = shape
    scale, contrast, bulge, bulge_radius, exponent, b, bulge_flat = light
    middle = 0.5 * (WIDE - 1)
    for i in range(WIDE):
        y = middle - i
        for j in range(WIDE):
            x = j - middle
            major = cos * x + sin * y
            minor = cos * y - sin * x
            depth = minor / flat
            squared = major * major + depth * depth + SOFTENING * SOFTENING
            radius = np.sqrt(squared)
            # cosine and sine of arms times the angle in the disk, without an arc tangent
            length = 1.0 / np.sqrt(major * major + depth * depth)  # no pixel has its centre in the middle
            once_cos, once_sin = major * length, depth * length
            many_cos, many_sin = once_cos, once_sin
            for _ in range(1, int(arms)):
                many_cos, many_sin = (
                    many_cos * once_cos - many_sin * once_sin,
                    many_sin * once_cos + many_cos * once_sin,
                )
            # on an arm the angle grows with the logarithm of the radius, anticlockwise for a left galaxy
            crest = turn * winding * arms * 0.5 * np.log(squared) + phase
            wave = many_cos * np.cos(crest) + many_sin * np.sin(crest)
            arm = 1.0 + contrast * (wave + 0.5 * contrast * (wave * wave - 0.5))
            disk = np.exp(-radius / scale) * arm
            round_squared = major * major + (minor / bulge_flat) ** 2 + SOFTENING * SOFTENING
            ratio = (0.5 * exponent) * np.log(round_squared / (bulge_radius * bulge_radius))
            image[i, j] = disk + bulge * np.exp(-b * (np.exp(ratio) - 1.0))


@compiled(nogil=True, fastmath=True)
def blur_one(image: np.ndarray, taps: np.ndarray, work: np.ndarray, blurred: np.ndarray) -> None:
    """Convolve with a Gaussian, rows and then columns; keeps the inner PIXELS x PIXELS.

    ``taps`` are the weights at distances 0, 1, ..., EDGE pixels.
    """
    for i in range(WIDE):
        for j in range(PIXELS):
            value = taps[0] * image[i, j + EDGE]
            for k in range(1, EDGE + 1):
                value += taps[k] * (image[i, j + EDGE - k] + image[i, j + EDGE + k])
            work[i, j] = value
    for i in range(PIXELS):
        for j in range(PIXELS):
            value = taps[0] * work[i + EDGE, j]
            for k in range(1, EDGE + 1):
                value += taps[k] * (work[i + EDGE - k, j] + work[i + EDGE + k, j])
            blurred[i, j] = value


@compiled(nogil=True)
def render(shapes: np.ndarray, lights: np.ndarray, taps: np.ndarray, images: np.ndarray) -> None:
    """Blurred images scaled to a brightest pixel of 1."""
    image = np.empty((WIDE, WIDE))
    work = np.empty((WIDE, PIXELS))
    blurred = np.empty((PIXELS, PIXELS))
    for n in range(len(shapes)):
        render_one(shapes[n], lights[n], image)
        blur_one(image, taps[n], work, blurred)
        images[n] = blurred / blurred.max()
