"""Beasts with four legs, birds and frogs, for `dlphys.datasets._objects`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlphys.datasets._objects_paint import (
    BLACK,
    BLUE,
    BROWN,
    CREAM,
    DARK_BROWN,
    GINGER,
    GREEN,
    GREY,
    OLIVE,
    RED,
    TAN,
    WHITE,
    YELLOW,
    Colour,
    hide_of,
    paint_of,
)
from dlphys.datasets._render import Canvas, chosen, ellipse, outline, some


@dataclass(frozen=True)
class Beast:
    """Odds and proportions of an animal with four legs, in half widths of a picture; ranges are uniform."""

    coats: tuple[Colour, ...]
    body: tuple[float, float]  # half its length
    belly: tuple[float, float]  # half its height
    legs: tuple[float, float]
    thick: tuple[float, float]  # legs
    neck: tuple[float, float]
    lift: tuple[float, float]  # rad, of the neck above the horizontal
    head: tuple[float, float]
    muzzle: tuple[float, float]
    ears: tuple[float, float, float]  # shares of pointed, hanging and small ones
    ear: tuple[float, float]
    tail: tuple[float, float]
    raised: tuple[float, float]  # rad, of the tail
    face: float  # share of pictures that show the head from the front
    lying: float
    mane: float = 0.0
    antlers: float = 0.0
    spotted: float = 0.2
    striped: float = 0.0


CAT = Beast(
    coats=(GREY, BLACK, GINGER, CREAM, BROWN, TAN, WHITE),
    body=(0.4, 0.6),
    belly=(0.18, 0.3),
    legs=(0.2, 0.42),
    thick=(0.08, 0.14),
    neck=(0.12, 0.24),
    lift=(0.3, 1.1),
    head=(0.2, 0.3),
    muzzle=(0.03, 0.1),
    ears=(0.9, 0.04, 0.06),
    ear=(0.13, 0.22),
    tail=(0.4, 0.8),
    raised=(-0.6, 1.4),
    face=0.5,
    lying=0.35,
    striped=0.45,
    spotted=0.3,
)
DOG = Beast(
    coats=(TAN, BROWN, BLACK, WHITE, CREAM, GINGER, GREY),
    body=(0.4, 0.66),
    belly=(0.18, 0.3),
    legs=(0.28, 0.55),
    thick=(0.09, 0.16),
    neck=(0.16, 0.34),
    lift=(0.4, 1.2),
    head=(0.18, 0.28),
    muzzle=(0.12, 0.26),
    ears=(0.2, 0.72, 0.08),
    ear=(0.14, 0.28),
    tail=(0.25, 0.6),
    raised=(-0.4, 1.2),
    face=0.45,
    lying=0.22,
    spotted=0.4,
)
DEER = Beast(
    coats=(TAN, BROWN, GINGER, TAN, DARK_BROWN),
    body=(0.4, 0.58),
    belly=(0.17, 0.24),
    legs=(0.5, 0.75),
    thick=(0.05, 0.09),
    neck=(0.3, 0.5),
    lift=(0.5, 1.3),
    head=(0.12, 0.18),
    muzzle=(0.12, 0.22),
    ears=(0.3, 0.0, 0.7),
    ear=(0.1, 0.2),
    tail=(0.06, 0.18),
    raised=(-0.5, 0.8),
    face=0.22,
    lying=0.12,
    antlers=0.5,
    spotted=0.2,
)
HORSE = Beast(
    coats=(BROWN, DARK_BROWN, BLACK, WHITE, GINGER, GREY),
    body=(0.46, 0.66),
    belly=(0.2, 0.3),
    legs=(0.5, 0.72),
    thick=(0.08, 0.13),
    neck=(0.34, 0.52),
    lift=(0.3, 1.1),
    head=(0.13, 0.18),
    muzzle=(0.2, 0.32),
    ears=(0.1, 0.05, 0.85),
    ear=(0.05, 0.12),
    tail=(0.4, 0.7),
    raised=(-1.4, -0.5),
    face=0.2,
    lying=0.03,
    mane=0.8,
    spotted=0.15,
)


def beast(kind: Beast) -> Callable[[Canvas, np.random.Generator], None]:
    def drawing(canvas: Canvas, random: np.random.Generator) -> None:
        front = random.random(canvas.n) < kind.face
        coat = paint_of(random, canvas.n, kind.coats)
        fur = hide_of(canvas, random, kind.spotted)
        if kind.striped:
            x, y = canvas.object_coordinates()
            wave = np.sin(random.uniform(12, 24, canvas.n)[:, None, None] * (x + 0.3 * y))
            fur = fur - some(random, canvas.n, kind.striped)[:, None, None] * 0.3 * (wave > 0.2)
        _from_the_side(canvas, random, kind, coat, fur, (~front).astype(float))
        _from_the_front(canvas, random, kind, coat, fur, front.astype(float))

    return drawing


def _from_the_side(
    canvas: Canvas, random: np.random.Generator, kind: Beast, coat: np.ndarray, fur: np.ndarray, seen: np.ndarray
) -> None:
    n = canvas.n

    def uniform(bounds: tuple[float, float]) -> np.ndarray:
        return random.uniform(*bounds, n)

    long, belly, thick = uniform(kind.body), uniform(kind.belly), uniform(kind.thick)
    legs = uniform(kind.legs) * np.where(random.random(n) < kind.lying, 0.15, 1.0)
    middle = 0.25 - 0.5 * legs
    ground = middle + belly + legs
    dark = coat * random.uniform(0.5, 0.9, (n, 1))
    for place, near in ((-0.85, 0), (0.75, 0), (-0.7, 1), (0.88, 1)):  # hind legs to the left, far ones first
        stride = random.normal(0, 0.14, n) * legs / 0.5
        x = place * long
        leg = outline(
            (x, middle + 0.4 * belly),
            (x + 0.5 * stride + 0.03 * np.sign(place), middle + belly + 0.5 * legs),
            (x + stride, ground),
        )
        ink = coat * 0.95 if near else dark * 0.9
        canvas.line(leg, thick, ink, opacity=seen, texture=fur)
    angle = uniform(kind.raised)
    length = uniform(kind.tail)
    tail = outline(
        (-0.95 * long, middle - 0.4 * belly),
        (-0.95 * long - 0.6 * length * np.cos(angle), middle - 0.4 * belly - 0.5 * length * np.sin(angle)),
        (-0.95 * long - 0.8 * length * np.cos(angle), middle - 0.4 * belly - length * np.sin(angle)),
    )
    canvas.line(tail, 0.9 * thick, dark, opacity=seen)
    trunk = outline(
        (-long, middle - 0.3 * belly),
        (-0.7 * long, middle - belly),
        (0.0, middle - 0.85 * belly),
        (0.75 * long, middle - 1.05 * belly),
        (1.02 * long, middle - 0.2 * belly),
        (0.7 * long, middle + 0.85 * belly),
        (0.0, middle + 0.95 * belly),
        (-0.75 * long, middle + 0.75 * belly),
    )
    canvas.fill(trunk + random.normal(0, 0.02, trunk.shape), coat, opacity=seen, texture=fur)
    pale = np.clip(coat * random.uniform(1.0, 1.7, (n, 1)), 0, 1)
    canvas.fill(ellipse(0 * long, middle + 0.6 * belly, 0.7 * long, 0.3 * belly), pale, opacity=seen * 0.6)
    reach, lift, head = uniform(kind.neck), uniform(kind.lift), uniform(kind.head)
    lift = np.where(random.random(n) < 0.15, -0.4, lift)  # grazing, sniffing
    x, y = 0.8 * long + reach * np.cos(lift), middle - 0.5 * belly - reach * np.sin(lift)
    neck = outline(
        (0.55 * long, middle - 0.2 * belly), (0.5 * (0.8 * long + x), 0.5 * (middle - 0.5 * belly + y)), (x, y)
    )
    canvas.line(neck, 1.1 * head + 0.3 * belly, coat, opacity=seen, texture=fur)
    mane = seen * some(random, n, kind.mane)
    canvas.line(
        neck - (0.35 * head[:, None, None] + 0.1 * belly[:, None, None]) * (0.8, 0.6),
        0.6 * head,
        dark * 0.6,
        opacity=mane,
    )
    _ears(canvas, random, kind, (x, y), head, coat, seen, spread=0.5)
    canvas.fill(ellipse(x, y, head, 0.85 * head, tilt=0.3), coat, opacity=seen, texture=fur)
    snout = uniform(kind.muzzle)
    droop = random.uniform(0.1, 0.7, n)
    nose = outline(
        (x + 0.3 * head, y),
        (x + 0.6 * head + 0.6 * snout, y + droop * snout),
        (x + 0.7 * head + snout, y + 1.2 * droop * snout),
    )
    canvas.line(nose, 0.95 * head, coat, opacity=seen, texture=fur)
    canvas.fill(
        ellipse(x + 0.75 * head + snout, y + 1.2 * droop * snout, 0.05, 0.05, points=6), 0 * coat + 0.08, opacity=seen
    )
    canvas.fill(ellipse(x + 0.35 * head, y - 0.2 * head, 0.04, 0.04, points=6), 0 * coat + 0.05, opacity=seen)


def _from_the_front(
    canvas: Canvas, random: np.random.Generator, kind: Beast, coat: np.ndarray, fur: np.ndarray, seen: np.ndarray
) -> None:
    """The head fills most of the picture, shoulders below it."""
    n = canvas.n
    head = random.uniform(0.36, 0.6, n)
    x, y = random.normal(0, 0.12, n), random.uniform(-0.35, 0.0, n)
    slim = 1 - 0.35 * (kind.muzzle[0] > 0.11) * (kind.face < 0.3) * np.ones(n)
    chest = outline(
        (x - 0.4 * head, y + 0.4 * head), (x + 0.4 * head, y + 0.4 * head), (x + 1.2 * head, 1.5), (x - 1.2 * head, 1.5)
    )
    canvas.fill(chest, coat * 0.9, opacity=seen, texture=fur)
    _ears(canvas, random, kind, (x, y), 1.0 * head, coat, seen, spread=0.75)
    long = 1 + 1.2 * random.uniform(*kind.muzzle, n)
    canvas.fill(ellipse(x, y, head * slim, 0.85 * head * long), coat, opacity=seen, texture=fur)
    pale = np.clip(coat * random.uniform(0.7, 1.6, (n, 1)), 0, 1)
    canvas.fill(ellipse(x, y + 0.5 * head * long, 0.45 * head, 0.32 * head * long), pale, opacity=seen * 0.8)
    canvas.fill(ellipse(x, y + 0.42 * head * long, 0.16 * head, 0.11 * head, points=6), 0 * coat + 0.1, opacity=seen)
    iris = np.where((random.random(n) < (0.55 if kind.striped else 0.1))[:, None], (0.7, 0.75, 0.3), (0.08, 0.06, 0.05))
    for side in (-1.0, 1.0):
        canvas.fill(
            ellipse(x + 0.42 * side * head * slim, y - 0.12 * head, 0.14 * head, 0.12 * head, points=6),
            iris,
            opacity=seen,
        )


def _ears(
    canvas: Canvas,
    random: np.random.Generator,
    kind: Beast,
    place: tuple[Any, Any],
    head: np.ndarray,
    coat: np.ndarray,
    seen: np.ndarray,
    *,
    spread: float,
) -> None:
    n = canvas.n
    x, y = place
    shape = chosen(random, n, kind.ears)
    size = random.uniform(*kind.ear, n) * head / np.mean(kind.head)
    ink = coat * random.uniform(0.5, 1.0, (n, 1))
    antlers = seen * some(random, n, kind.antlers)
    for side in (-1.0, 1.0):
        root = x + side * spread * head
        top = y - 0.65 * head
        pointed = outline(
            (root - 0.4 * head, top + 0.2 * head),
            (root + 0.12 * side * head, top - size),
            (root + 0.4 * head, top + 0.2 * head),
        )
        canvas.fill(pointed, ink, opacity=seen * (shape == 0), smooth=False)
        hanging = ellipse(
            root + 0.35 * side * head, y + 0.1 * head, 0.3 * head, size + 0.15 * head, tilt=-0.25 * side + 0 * x
        )
        canvas.fill(hanging, ink * 0.8, opacity=seen * (shape == 1))
        small = ellipse(root + 0.2 * side * head, top, 0.5 * size + 0.02, 0.22 * size + 0.03, tilt=-0.6 * side + 0 * x)
        canvas.fill(small, ink, opacity=seen * (shape == 2))
        horn = outline(
            (x + 0.3 * side * head, top),
            (x + 0.9 * side * head, top - 0.9 * head),
            (x + 1.1 * side * head, top - 2.0 * head),
        )
        canvas.line(horn, 0.055, 0 * coat + (0.42, 0.33, 0.22), opacity=antlers)
        branch = outline((x + 0.9 * side * head, top - 0.9 * head), (x + 1.6 * side * head, top - 1.5 * head))
        canvas.line(branch, 0.05, 0 * coat + (0.42, 0.33, 0.22), opacity=antlers)


def bird(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    coat = paint_of(random, n, (BROWN, GREY, BLACK, WHITE, BLUE, RED, YELLOW, TAN, OLIVE))
    fur = hide_of(canvas, random, 0.3)
    wings = paint_of(random, n, (BROWN, GREY, BLACK, WHITE, DARK_BROWN))
    flying = some(random, n, 0.3)
    long, deep = random.uniform(0.3, 0.62, n), random.uniform(0.16, 0.36, n)
    upright = random.uniform(0.0, 0.8, n)
    legs = random.uniform(0.05, 0.5, n) * (1 - flying)
    for shift in (-0.08, 0.08):
        leg = outline((shift, 0.4 * deep), (shift, deep + legs))
        canvas.line(leg, 0.045, 0 * coat + (0.4, 0.3, 0.2), opacity=1 - flying)
    perch = outline((-1.6, deep + legs + 0.02), (1.6, deep + legs + random.normal(0, 0.2, n)))
    canvas.line(
        perch, random.uniform(0.05, 0.2, n), 0 * coat + (0.35, 0.27, 0.18), opacity=(1 - flying) * some(random, n, 0.4)
    )
    span = random.uniform(0.5, 1.1, n)
    for side in (-1.0, 1.0):
        tip = -0.15 - span * random.uniform(0.1, 0.9, n) * np.where(random.random(n) < 0.7, 1, -0.6)
        wing = outline(
            (-0.25 * long, 0.05 * deep),
            (0.3 * long, -0.1 * deep),
            (0.15 * long + 0.5 * side * span, 0.7 * tip),
            (side * span, tip),
            (-0.2 * long + 0.4 * side * span, 0.5 * tip + 0.12),
        )
        canvas.fill(wing, wings, opacity=flying, texture=fur, smooth=False)
    cosine, sine = np.cos(upright), np.sin(upright)
    tail = outline(
        (-0.5 * long * cosine, 0.5 * long * sine),
        (-1.5 * long * cosine, 1.4 * long * sine + 0.05),
        (-1.45 * long * cosine, 1.2 * long * sine + 0.2),
    )
    canvas.fill(tail, wings * 0.9, smooth=False)
    canvas.fill(ellipse(0 * long, 0 * long, long, deep, tilt=-upright), coat, texture=fur)
    canvas.fill(
        ellipse(-0.2 * long * cosine, 0.2 * long * sine, 0.65 * long, 0.5 * deep, tilt=-upright),
        wings,
        opacity=(1 - flying) * 0.9,
    )
    head = random.uniform(0.12, 0.24, n)
    stretch = np.where(random.random(n) < 0.25, random.uniform(0.2, 0.5, n), 0.0)  # herons, geese, ostriches
    x, y = 0.85 * long * cosine + 0.3 * stretch, -0.85 * long * sine - 0.1 - stretch
    canvas.line(outline((0.6 * long * cosine, -0.6 * long * sine), (x, y)), 1.2 * head, coat)
    canvas.fill(ellipse(x, y, head, head), np.clip(coat * random.uniform(0.6, 1.3, (n, 1)), 0, 1))
    beak = random.uniform(0.1, 0.35, n)
    bill = outline((x + 0.7 * head, y - 0.06), (x + head + beak, y + 0.05), (x + 0.7 * head, y + 0.09))
    canvas.fill(bill, paint_of(random, n, (YELLOW, BLACK, GREY, GINGER)), smooth=False)
    canvas.fill(ellipse(x + 0.3 * head, y - 0.15 * head, 0.04, 0.04, points=6), 0 * coat + 0.04)


def frog(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    skin = paint_of(random, n, (GREEN, OLIVE, BROWN, (0.35, 0.55, 0.2), TAN, DARK_BROWN))
    wet = hide_of(canvas, random, 0.6)
    long, deep = random.uniform(0.5, 0.75, n), random.uniform(0.3, 0.46, n)
    rise = random.uniform(0.1, 0.6, n)
    above = some(random, n, 0.3)  # seen from above: both eyes, all four legs
    dark = skin * 0.7
    for side in (-1.0, 1.0):
        thigh = outline(
            (-0.4 * long, 0.5 * side * deep),
            (-0.9 * long, 1.2 * side * deep),
            (0.1 * long, 1.4 * side * deep),
            (-0.5 * long, 1.8 * side * deep),
        )
        canvas.line(thigh, 0.18, dark, opacity=above, texture=wet)
        arm = outline((0.5 * long, 0.5 * side * deep), (0.7 * long, 1.1 * side * deep), (1.0 * long, 1.2 * side * deep))
        canvas.line(arm, 0.13, dark, opacity=above, texture=wet)
    body = outline(
        (-long, 0.55 * deep),
        (-0.7 * long, -0.35 * deep),
        (0.0, -0.7 * deep - 0.2 * rise),
        (0.6 * long, -0.8 * deep - 0.5 * rise),
        (1.05 * long, -0.2 * deep - 0.5 * rise),
        (0.9 * long, 0.4 * deep),
        (0.3 * long, 0.85 * deep),
        (-0.6 * long, 0.9 * deep),
    )
    canvas.fill(body, skin, opacity=1 - above, texture=wet)
    canvas.fill(ellipse(0 * long, 0 * long, 1.05 * long, 0.75 * deep), skin, opacity=above, texture=wet)
    pale = np.clip(skin + random.uniform(0.1, 0.35, (n, 1)), 0, 1)
    canvas.fill(
        ellipse(0.55 * long, 0.35 * deep - 0.2 * rise, 0.4 * long, 0.3 * deep), pale, opacity=(1 - above) * 0.75
    )
    thigh = outline(
        (-0.75 * long, 0.1 * deep), (-0.1 * long, 0.3 * deep), (-0.75 * long, 0.85 * deep), (0.15 * long, 1.0 * deep)
    )
    canvas.line(thigh, 0.26, dark, opacity=1 - above, texture=wet)
    arm = outline((0.45 * long, 0.3 * deep), (0.6 * long, 0.7 * deep), (0.75 * long, 1.05 * deep))
    canvas.line(arm, 0.14, dark, opacity=1 - above, texture=wet)
    gold = np.array((YELLOW, (0.7, 0.2, 0.1), BLACK, OLIVE))[random.integers(0, 4, n)]
    for side in (-1.0, 1.0):
        x = np.where(above > 0, 0.7 * long, 0.62 * long + 0.1 * side)
        y = np.where(above > 0, 0.45 * side * deep, -0.75 * deep - 0.5 * rise)
        shown = np.where(above > 0, 1.0, 1.0 if side < 0 else 0.5)
        canvas.fill(ellipse(x, y, 0.13, 0.13, points=8), np.clip(skin * 1.15, 0, 1), opacity=shown)
        canvas.fill(ellipse(x, y, 0.09, 0.08, points=8), gold, opacity=shown)
        canvas.fill(ellipse(x, y, 0.045, 0.05, points=6), 0 * skin + 0.04, opacity=shown)
