"""Stand-in for Fashion-MNIST: ten kinds of garment, drawn from outlines, patterns and folds.

Each picture has its own cut, pose, brightness, cloth and light. The five garments for the upper body are one drawing
with other odds: how long the sleeves are, whether there is a collar, an opening, buttons, a print. These odds overlap,
as in a shop, so that no classifier can tell a shirt without collar from a T-shirt; shoes overlap less, bags hardly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlphys.datasets._garments_cloth import SIZE, light, pattern_of, tone_of
from dlphys.datasets._garments_shoes import ankle_boot, bag, sandal, sneaker, trousers
from dlphys.datasets._render import Canvas, chosen, curve, drawn_set, ellipse, mirrored, outline

TRAIN, TEST = 60_000, 10_000
SEED = 20170825

# Spread of what all garments share, found by trial: a linear classifier, a small network and a small convolutional
# network are to be about as good as on the real set.
TURN = 0.035  # rad, standard deviation
SHIFT = 0.35  # pixels, standard deviation
STRETCH = 0.04  # standard deviation of the logarithm, each axis


def make_stand_in(n_train: int = TRAIN, n_test: int = TEST) -> dict[str, np.ndarray]:
    """Images and labels in the layout of Fashion-MNIST.

    Returns
    -------
    dict
        "x_train" (60000, 28, 28) uint8, "y_train" (60000,) uint8, "x_test", "y_test" with 10000. Every class has the
        same number of images, as in the real set.
    """
    return drawn_set(draw, (SIZE, SIZE), {"train": n_train, "test": n_test}, SEED, "garments")


def draw(kind: int, n: int, random: np.random.Generator) -> np.ndarray:
    """``n`` pictures of one class, (n, 28, 28) uint8."""
    canvas = _canvas(n, random)
    _DRAWINGS[kind](canvas, random)
    return _developed(canvas.images[..., 0], random)


def _canvas(n: int, random: np.random.Generator) -> Canvas:
    """Empty pictures, each with a pose."""
    turn = random.normal(0, TURN, n)
    size = 13.0 * np.exp(random.normal(0, STRETCH, (2, n)))
    shear = random.normal(0, 0.04, n)
    cosine, sine = np.cos(turn), np.sin(turn)
    linear = np.empty((n, 2, 2))
    linear[:, 0, 0], linear[:, 0, 1] = size[0] * cosine, size[1] * (shear * cosine - sine)
    linear[:, 1, 0], linear[:, 1, 1] = size[0] * sine, size[1] * (shear * sine + cosine)
    images = np.zeros((n, SIZE, SIZE, 1), np.float32)
    return Canvas(images, linear, SIZE / 2 + random.normal(0, SHIFT, (n, 2)), random.normal(0, 0.03, (n, 2)))


def _developed(pictures: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Bytes, with the contrast that each photographer chose."""
    exponent = np.exp(random.normal(0, 0.15, len(pictures)))[:, None, None]
    return (255 * np.clip(pictures, 0, 1) ** exponent + 0.5).astype(np.uint8)


def _t_shirt(canvas: Canvas, random: np.random.Generator) -> None:
    _top(
        canvas,
        random,
        sleeves=(0.16, 0.78, 0.06),
        length=(1.62, 1.9),
        width=(0.46, 0.6),
        flare=(0.0, 0.08),
        neck=(0.14, 0.34),
        collar=0.02,
        opening=0.02,
        ribs=0.05,
        pattern=0.2,
        emblem=0.45,
    )


def _pullover(canvas: Canvas, random: np.random.Generator) -> None:
    _top(
        canvas,
        random,
        sleeves=(0.02, 0.05, 0.93),
        length=(1.55, 1.85),
        width=(0.44, 0.6),
        flare=(-0.04, 0.05),
        neck=(0.06, 0.24),
        collar=0.08,
        opening=0.05,
        ribs=0.7,
        pattern=0.22,
        emblem=0.2,
        hood=0.12,
    )


def _dress(canvas: Canvas, random: np.random.Generator) -> None:
    _top(
        canvas,
        random,
        sleeves=(0.55, 0.28, 0.17),
        length=(1.85, 2.0),
        width=(0.22, 0.34),
        flare=(0.02, 0.4),
        neck=(0.1, 0.26),
        collar=0.04,
        opening=0.05,
        ribs=0.0,
        pattern=0.25,
        emblem=0.03,
        waist=0.6,
        arms=(0.15, 0.24),
    )


def _coat(canvas: Canvas, random: np.random.Generator) -> None:
    _top(
        canvas,
        random,
        sleeves=(0.01, 0.03, 0.96),
        length=(1.72, 2.0),
        width=(0.44, 0.58),
        flare=(0.0, 0.12),
        neck=(0.05, 0.22),
        collar=0.55,
        opening=0.82,
        ribs=0.2,
        pattern=0.1,
        emblem=0.02,
        arms=(0.23, 0.33),
        hood=0.2,
        pockets=0.55,
    )


def _shirt(canvas: Canvas, random: np.random.Generator) -> None:
    _top(
        canvas,
        random,
        sleeves=(0.15, 0.33, 0.52),
        length=(1.65, 1.95),
        width=(0.42, 0.58),
        flare=(0.0, 0.12),
        neck=(0.08, 0.26),
        arms=(0.17, 0.27),
        collar=0.62,
        opening=0.66,
        ribs=0.1,
        pattern=0.4,
        emblem=0.08,
        buttons=0.75,
        pockets=0.1,
    )


def _top(
    canvas: Canvas,
    random: np.random.Generator,
    *,
    sleeves: tuple[float, float, float],
    length: tuple[float, float],
    width: tuple[float, float],
    flare: tuple[float, float],
    neck: tuple[float, float],
    collar: float,
    opening: float,
    ribs: float,
    pattern: float,
    emblem: float,
    arms: tuple[float, float] = (0.19, 0.3),
    hood: float = 0.0,
    waist: float = 0.0,
    pockets: float = 0.0,
    buttons: float = 0.0,
) -> None:
    """A garment for the upper body.

    ``sleeves``: shares without, with short and with long ones; ``length``, ``width``, ``flare``, ``neck``, ``arms``:
    ranges in half heights of a picture; the others are shares of garments that have it.
    """
    n = canvas.n

    def uniform(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, n)

    def some(share: float) -> np.ndarray:
        return (random.random(n) < share).astype(float)

    tone = tone_of(random, n)
    cloth = light(canvas, random) * pattern_of(canvas, random, pattern)
    dark = tone * uniform(0.4, 0.85)
    pale = np.clip(tone * uniform(0.9, 1.35), 0, 1)
    height = uniform(*length)
    top = -0.5 * height
    bottom = 0.5 * height
    half = uniform(*width)
    hem = half + uniform(*flare)
    kind = chosen(random, n, sleeves)
    shoulder = np.where(kind == 0, half * uniform(0.62, 0.9), half * uniform(0.92, 1.08))
    slope = uniform(0.06, 0.16)
    armpit = top + np.where(kind == 0, uniform(0.35, 0.55), uniform(0.42, 0.6))
    opened = np.minimum(uniform(*neck), 0.75 * shoulder)
    nipped = half * (1 - some(max(waist, 0.25)) * uniform(0.0, 0.22))
    middle = top + height * uniform(0.42, 0.55)

    # long sleeves hang beside the body, short ones stand off; a garment without sleeves has none
    long = kind == 2
    angle = np.where(long, uniform(0.08, 0.32), uniform(0.45, 0.95))
    reach = np.where(long, uniform(1.15, 1.5), uniform(0.38, 0.72))
    broad = np.where(long, uniform(*arms), uniform(0.26, 0.4))
    cuff = broad * np.where(long, uniform(0.55, 0.8), uniform(0.8, 1.05))
    for side in (-1.0, 1.0):
        lean = angle + random.normal(0, 0.05, n)
        along = np.stack([np.sin(lean), np.cos(lean)])
        across = np.stack([np.cos(lean), -np.sin(lean)])
        start = np.stack([shoulder - 0.5 * broad, top + slope + 0.3 * broad])
        elbow = start + 0.5 * reach * along + across * np.where(long, uniform(0.0, 0.07), 0.0)
        wrist = start + reach * along
        parts = (
            (shoulder * 0.8, top + 0.6 * slope),
            tuple(start + 0.55 * broad * across),
            tuple(elbow + 0.25 * (broad + cuff) * across),
            tuple(wrist + 0.5 * cuff * across),
            tuple(wrist - 0.5 * cuff * across),
            tuple(elbow - 0.25 * (broad + cuff) * across),
            (half * 0.85, armpit),
        )
        flip = np.array([side, 1.0])
        shade = tone * np.clip(random.normal(0.95, 0.06, n), 0.7, 1.1)
        sleeved = (kind > 0).astype(float)
        canvas.fill(outline(*parts) * flip, shade, opacity=sleeved, texture=cloth, smooth=False)
        canvas.line(
            outline((half * 0.9, armpit), tuple(elbow - 0.27 * (broad + cuff) * across)) * flip,
            0.05,
            dark * 0.6,
            opacity=sleeved * uniform(0.2, 0.9),
        )
        band = sleeved * np.where(long, some(ribs), some(0.2))
        end = wrist - 0.09 * along
        canvas.line(
            outline(tuple(end + 0.52 * cuff * across), tuple(end - 0.52 * cuff * across)) * flip,
            0.12,
            dark,
            opacity=band * 0.8,
        )

    # a hood or a high collar stands behind the neck
    hooded = some(hood)
    canvas.fill(ellipse(0 * top, top + 0.02, opened * 1.25 + 0.05, uniform(0.12, 0.2)), dark, opacity=hooded)

    depth = np.where(some(0.3) > 0, uniform(0.2, 0.4), uniform(0.06, 0.2)) * np.clip(opened / 0.2, 0.6, 1.6)
    crooked = random.normal(0, 0.015, (n, 7, 2))
    right = outline(
        (opened, top),
        (shoulder, top + slope),
        (shoulder * 0.98 + 0.02 * half, top + 0.6 * slope + 0.4 * (armpit - top)),
        (half, armpit),
        (nipped, middle),
        (0.4 * nipped + 0.6 * hem, 0.5 * (middle + bottom)),
        (hem, bottom),
    )
    body = mirrored(right + crooked)
    body[:, 7:, 1] += random.normal(0, 0.015, (n, 7))
    canvas.fill(body, tone, texture=cloth, smooth=False)

    # the neck: what lies behind it is the inside of the back, or the ground
    inside = np.where(some(0.6) > 0, dark * 0.7, 0.0)
    pointed = some(0.35)
    notch = outline(
        (-opened * 0.95, top - 0.05),
        (-opened * 0.6 * (1 - 0.2 * pointed), top + depth * (0.75 - 0.35 * pointed)),
        (0 * top, top + depth),
        (opened * 0.6 * (1 - 0.2 * pointed), top + depth * (0.75 - 0.35 * pointed)),
        (opened * 0.95, top - 0.05),
    )
    canvas.fill(notch, inside, smooth=False)
    edge = outline(*((s * opened, top) for s in (-1.0,)), (0 * top, top + depth + 0.03), (opened, top))
    canvas.line(curve(edge)[:, :9], 0.06, pale, opacity=(1 - hooded) * some(0.5) * 0.7)

    # prints on the chest, belts, hems
    marked = some(emblem)
    size = uniform(0.1, 0.3)
    place = top + height * uniform(0.3, 0.5)
    ink = np.where(some(0.5) > 0, tone * uniform(0.1, 0.6), np.clip(tone * uniform(1.2, 2.0), 0, 1))
    shape = ellipse(random.normal(0, 0.03, n), place, size, size * uniform(0.4, 1.3), points=8)
    shape += random.normal(0, 0.06, shape.shape)
    canvas.fill(shape, ink, opacity=marked * uniform(0.5, 1.0))
    canvas.line(outline((-hem, bottom - 0.06), (hem, bottom - 0.06)), 0.14, dark, opacity=some(ribs) * 0.7)
    belt = some(waist) * uniform(0.3, 1.0)
    canvas.line(outline((-nipped, middle), (nipped, middle)), uniform(0.04, 0.12), dark, opacity=belt)

    # what opens in front
    front = some(opening)
    drift = random.normal(0, 0.02, n)
    seam = outline((drift, top + depth), (drift + random.normal(0, 0.02, n), 0.5 * (top + bottom)), (drift, bottom))
    canvas.line(seam, uniform(0.04, 0.1), dark * uniform(0.2, 0.9), opacity=front * uniform(0.5, 1.0))
    buttoned = front * some(buttons)
    for step in (0.2, 0.4, 0.6, 0.8):
        spot = ellipse(drift + 0.02, top + depth + step * (bottom - top - depth), 0.05, 0.05, points=6)
        canvas.fill(spot, pale, opacity=buttoned * 0.9)
    lapels = np.where(front > 0, some(min(1.0, 1.25 * collar)), some(0.6 * collar))
    for side in (-1.0, 1.0):
        flap = outline(
            (opened * 0.9, top - 0.06),
            (opened * 1.3 + 0.05, top + 0.06),
            (0.16 + 0 * top, top + depth + 0.14),
            (0.02 + 0 * top, top + depth),
        )
        canvas.fill(flap * (side, 1.0), np.where(some(0.5) > 0, dark, pale), opacity=lapels * 0.85, smooth=False)
        with_pocket = some(pockets) * uniform(0.4, 1.0)
        low = bottom - uniform(0.4, 0.6)
        pocket = outline((0.35 * half, low), (0.8 * half, low + 0.04)) * (side, 1.0)
        canvas.line(pocket, 0.07, dark * 0.7, opacity=with_pocket)


_DRAWINGS: tuple[Callable[[Canvas, np.random.Generator], None], ...] = (
    _t_shirt,
    trousers,
    _pullover,
    _dress,
    _coat,
    sandal,
    _shirt,
    sneaker,
    bag,
    ankle_boot,
)
