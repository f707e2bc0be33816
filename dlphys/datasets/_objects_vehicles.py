"""Cars, lorries, ships and aeroplanes, for `dlphys.datasets._objects`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.datasets._objects_paint import (
    BLACK,
    BLUE,
    BROWN,
    CREAM,
    GREEN,
    GREY,
    OLIVE,
    RED,
    TAN,
    WHITE,
    YELLOW,
    hide_of,
    paint_of,
)
from dlphys.datasets._render import Canvas, ellipse, mirrored, outline, some


def _wheels(
    canvas: Canvas,
    random: np.random.Generator,
    places: tuple[Any, ...],
    ground: np.ndarray,
    radius: np.ndarray,
    seen: np.ndarray,
) -> None:
    n = canvas.n
    tyre, rim = np.full((n, 3), 0.08), paint_of(random, n, (GREY, WHITE, GREY, BLACK))
    for place in places:
        canvas.fill(ellipse(place + 0 * radius, ground - radius, radius, radius), tyre, opacity=seen)
        canvas.fill(ellipse(place + 0 * radius, ground - radius, 0.55 * radius, 0.55 * radius), rim, opacity=seen * 0.9)


def road_vehicle(truck: bool) -> Callable[[Canvas, np.random.Generator], None]:
    def drawing(canvas: Canvas, random: np.random.Generator) -> None:
        n = canvas.n
        frontal = random.random(n) < (0.3 if truck else 0.35)
        paint = paint_of(
            random, n, (RED, WHITE, BLUE, GREY, YELLOW, BLACK) if truck else (RED, BLUE, GREY, WHITE, BLACK, YELLOW)
        )
        gloss = hide_of(canvas, random, 0.05)
        glass = paint_of(random, n, ((0.2, 0.24, 0.3), (0.35, 0.42, 0.48), BLACK))
        shadow = np.full((n, 3), 0.1)
        ground = random.uniform(0.5, 0.75, n)
        canvas.fill(
            ellipse(0 * ground, ground, 1.05 + 0 * ground, 0.08 + 0 * ground),
            shadow,
            opacity=random.uniform(0.2, 0.8, n),
        )
        side, front = (~frontal).astype(float), frontal.astype(float)
        if truck:
            _lorry_side(canvas, random, paint, glass, gloss, ground, side)
        else:
            _car_side(canvas, random, paint, glass, gloss, ground, side)
        _vehicle_front(canvas, random, paint, glass, gloss, ground, front, truck)

    return drawing


def _car_side(
    canvas: Canvas,
    random: np.random.Generator,
    paint: np.ndarray,
    glass: np.ndarray,
    gloss: np.ndarray,
    ground: np.ndarray,
    seen: np.ndarray,
) -> None:
    n = canvas.n
    height = random.uniform(0.22, 0.36, n)
    roof = ground - 0.12 - height - random.uniform(0.2, 0.42, n)
    waist = ground - 0.12 - height
    bonnet, boot = random.uniform(0.25, 0.5, n), random.uniform(0.05, 0.45, n)
    cabin = outline(
        (-1 + boot, waist + 0.03), (-0.85 + 1.2 * boot, roof), (0.8 - 1.4 * bonnet, roof), (0.95 - bonnet, waist + 0.03)
    )
    canvas.fill(cabin, paint, opacity=seen, texture=gloss, smooth=False)
    window = cabin * (0.86, 1.0) + (0.0, 0.05)
    canvas.fill(window, glass, opacity=seen, smooth=False)
    pillar = outline((0.0, roof), (0.02, waist + 0.05))
    canvas.line(pillar, 0.07, paint, opacity=seen)
    body = outline(
        (-0.98, waist + 0.12),
        (-0.95, waist),
        (0.9 - bonnet, waist),
        (0.92, waist + 0.07),
        (1.0, waist + 0.2),
        (0.98, ground - 0.12),
        (-1.0, ground - 0.12),
    )
    canvas.fill(body, paint, opacity=seen, texture=gloss, smooth=False)
    canvas.line(outline((-0.97, ground - 0.16), (0.97, ground - 0.16)), 0.08, paint * 0.4, opacity=seen * 0.8)
    _wheels(canvas, random, (-0.6, 0.6), ground, random.uniform(0.15, 0.22, n), seen)


def _lorry_side(
    canvas: Canvas,
    random: np.random.Generator,
    paint: np.ndarray,
    glass: np.ndarray,
    gloss: np.ndarray,
    ground: np.ndarray,
    seen: np.ndarray,
) -> None:
    n = canvas.n
    load = paint_of(random, n, (WHITE, GREY, RED, BLUE, YELLOW, TAN, GREEN))
    cab = random.uniform(0.38, 0.62, n)
    tall = random.uniform(0.6, 1.15, n)
    box = random.random(n) < 0.65  # a box, or an open bed that is lower
    rear = np.where(box, ground - 0.2 - tall, ground - 0.2 - random.uniform(0.2, 0.4, n))
    roof = ground - 0.2 - np.minimum(tall, random.uniform(0.45, 0.85, n))
    nose = random.uniform(0.0, 0.3, n)
    bed = outline((-1.05, rear), (0.95 - cab, rear), (0.95 - cab, ground - 0.18), (-1.05, ground - 0.18))
    canvas.fill(bed, load, opacity=seen, texture=gloss, smooth=False)
    for step in (0.2, 0.4, 0.6, 0.8):
        seam = outline((-1.05 + step * (2 - cab), rear + 0.03), (-1.05 + step * (2 - cab), ground - 0.2))
        canvas.line(seam, 0.04, load * 0.7, opacity=seen * some(random, n, 0.4))
    front = outline(
        (1.0 - cab, roof),
        (0.93 - nose, roof),
        (1.0 - nose, 0.55 * roof + 0.45 * ground),
        (1.0, 0.5 * roof + 0.5 * ground),
        (1.02, ground - 0.12),
        (1.0 - cab, ground - 0.12),
    )
    canvas.fill(front, paint, opacity=seen, texture=gloss, smooth=False)
    pane = outline(
        (1.08 - cab, roof + 0.07),
        (0.9 - nose, roof + 0.07),
        (0.95 - nose, 0.55 * roof + 0.45 * ground - 0.05),
        (1.08 - cab, 0.55 * roof + 0.45 * ground - 0.05),
    )
    canvas.fill(pane, glass, opacity=seen, smooth=False)
    canvas.line(outline((-1.0, ground - 0.18), (1.0, ground - 0.18)), 0.1, 0 * paint + 0.12, opacity=seen)
    _wheels(canvas, random, (-0.75, -0.42, 0.66), ground, random.uniform(0.14, 0.22, n), seen)


def _vehicle_front(
    canvas: Canvas,
    random: np.random.Generator,
    paint: np.ndarray,
    glass: np.ndarray,
    gloss: np.ndarray,
    ground: np.ndarray,
    seen: np.ndarray,
    truck: bool,
) -> None:
    n = canvas.n
    wide = random.uniform(0.5, 0.75, n) if truck else random.uniform(0.65, 0.95, n)
    tall = random.uniform(1.0, 1.5, n) if truck else random.uniform(0.65, 0.95, n)
    top = ground - tall
    waist = ground - tall * (random.uniform(0.45, 0.6, n) if truck else random.uniform(0.5, 0.62, n))
    narrow = wide * (random.uniform(0.9, 1.0, n) if truck else random.uniform(0.62, 0.85, n))
    radius = random.uniform(0.1, 0.16, n)
    for side in (-1.0, 1.0):
        tyre = outline(
            (side * wide * 0.95, ground - 0.3),
            (side * wide * 0.7, ground - 0.3),
            (side * wide * 0.7, ground),
            (side * wide * 0.95, ground),
        )
        canvas.fill(tyre, 0 * paint + 0.07, opacity=seen, smooth=False)
    if truck:  # the load stands out behind the cab
        load = paint_of(random, n, (WHITE, GREY, RED, BLUE, YELLOW))
        back = outline(
            (-wide * 1.08, top - 0.2),
            (wide * 1.08, top - 0.2),
            (wide * 1.08, ground - 0.4),
            (-wide * 1.08, ground - 0.4),
        )
        canvas.fill(back, load, opacity=seen * some(random, n, 0.6), texture=gloss, smooth=False)
    upper = outline((-narrow, top), (narrow, top), (wide, waist + 0.02), (-wide, waist + 0.02))
    canvas.fill(upper, paint, opacity=seen, texture=gloss, smooth=False)
    canvas.fill(upper * (0.86, 1.0) + (0.0, 0.07), glass, opacity=seen, smooth=False)
    lower = mirrored(
        outline(
            (0.5 * wide, waist),
            (wide, waist + 0.05),
            (1.02 * wide, ground - 0.22),
            (0.95 * wide, ground - 0.12),
            (0.4 * wide, ground - 0.12),
        )
    )
    canvas.fill(lower, paint, opacity=seen, texture=gloss, smooth=False)
    grille = outline(
        (-0.45 * wide, waist + 0.14),
        (0.45 * wide, waist + 0.14),
        (0.4 * wide, ground - 0.25),
        (-0.4 * wide, ground - 0.25),
    )
    canvas.fill(grille, 0 * paint + 0.15, opacity=seen * random.uniform(0.2, 0.9, n), smooth=False)
    for side in (-1.0, 1.0):
        lamp = ellipse(side * 0.75 * wide, waist + 0.2, radius, 0.7 * radius)
        canvas.fill(lamp, 0 * paint + (0.9, 0.9, 0.8), opacity=seen * 0.9)


def ship(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    paint = paint_of(random, n, (WHITE, BLUE, GREY, BLACK, RED, BROWN))
    gloss = hide_of(canvas, random, 0.05)
    water = random.uniform(0.35, 0.6, n)
    deck = water - random.uniform(0.16, 0.4, n)
    bow, stern = random.uniform(0.85, 1.15, n), random.uniform(0.75, 1.05, n)
    sailing = some(random, n, 0.22)
    mast = deck - random.uniform(0.5, 1.1, n)
    sail = outline((0.08, mast), (0.12, deck - 0.08), (0.75, deck - 0.1))
    white = paint_of(random, n, (WHITE, WHITE, CREAM))
    canvas.fill(sail, white, opacity=sailing, texture=gloss, smooth=False)
    canvas.fill(
        outline((0.02, mast + 0.1), (0.0, deck - 0.06), (-0.6, deck - 0.08)),
        white * 0.95,
        opacity=sailing,
        smooth=False,
    )
    canvas.line(
        outline((0.05, mast), (0.05, deck)), 0.05, 0 * paint + 0.25, opacity=np.maximum(sailing, some(random, n, 0.5))
    )
    house = paint_of(random, n, (WHITE, WHITE, GREY, CREAM, TAN))
    left, right = random.uniform(-0.85, -0.1, n), random.uniform(0.0, 0.6, n)
    level = deck
    for share in (1.0, 0.6, 0.35):
        tall = random.uniform(0.12, 0.26, n)
        present = (1 - sailing) * some(random, n, share)
        block = outline(
            (left, level - tall), (right, level - tall), (right + 0.04, level + 0.03), (left - 0.02, level + 0.03)
        )
        canvas.fill(block, house, opacity=present, texture=gloss, smooth=False)
        canvas.line(
            outline((left + 0.06, level - 0.55 * tall), (right - 0.06, level - 0.55 * tall)),
            0.06,
            0 * paint + 0.2,
            opacity=present * 0.7,
        )
        level = level - tall * present
        left, right = left + random.uniform(0.0, 0.2, n), right - random.uniform(0.0, 0.2, n)
    funnel = outline(
        (left + 0.1, level - 0.25),
        (left + 0.26, level - 0.25),
        (left + 0.28, level + 0.02),
        (left + 0.08, level + 0.02),
    )
    canvas.fill(
        funnel,
        paint_of(random, n, (RED, BLACK, YELLOW, BLUE)),
        opacity=(1 - sailing) * some(random, n, 0.5),
        smooth=False,
    )
    hull = outline(
        (-stern, deck + 0.02),
        (0.3, deck + 0.03),
        (bow, deck - random.uniform(0.0, 0.16, n)),
        (0.85 * bow, 0.4 * deck + 0.6 * water),
        (0.72 * bow, water),
        (-0.92 * stern, water),
    )
    canvas.fill(hull, paint, texture=gloss, smooth=False)
    keel = outline((-0.93 * stern, water - 0.04), (0.74 * bow, water - 0.04))
    canvas.line(keel, 0.09, paint_of(random, n, (RED, BLACK, BLUE)), opacity=some(random, n, 0.5))
    foam = outline((-1.1 * stern, water + 0.02), (0.9 * bow, water + 0.02))
    canvas.line(foam, 0.07, np.full((n, 3), 0.85), opacity=random.uniform(0, 0.8, n))


def aeroplane(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    paint = paint_of(random, n, (WHITE, GREY, WHITE, BLUE, OLIVE, RED))
    gloss = hide_of(canvas, random, 0.05)
    climb = random.normal(0, 0.2, n) + np.where(random.random(n) < 0.2, random.normal(0, 0.6, n), 0)
    cosine, sine = np.cos(climb), np.sin(climb)
    # pictures of aeroplanes are turned more than others
    turned = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    canvas.linear = np.einsum("nij,njk->nik", canvas.linear, turned)
    thick = random.uniform(0.09, 0.19, n)
    dark = paint * random.uniform(0.5, 0.95, (n, 1))
    accent = paint_of(random, n, (RED, BLUE, WHITE, GREY, BLACK))
    view = random.random(n)
    above, front = (view < 0.3).astype(float), (view > 0.88).astype(float)
    side = 1 - above - front
    span = random.uniform(0.55, 1.0, n)
    # from the side
    far = outline((0.15, 0.0), (-0.1, 0.0), (-0.35, -0.5 * span), (-0.18, -0.5 * span))
    canvas.fill(far, dark * 0.9, opacity=side * 0.9, smooth=False)
    fin = outline(
        (-0.6, -0.6 * thick),
        (-0.85, -0.35 - random.uniform(0.05, 0.3, n)),
        (-1.02, -0.35 - random.uniform(0.05, 0.3, n)),
        (-0.95, 0.0),
    )
    canvas.fill(fin, accent, opacity=side, smooth=False)
    body = outline(
        (1.05, 0.02),
        (0.85, -0.8 * thick),
        (0.5, -thick),
        (-0.5, -thick),
        (-1.0, -0.5 * thick),
        (-0.95, 0.1 * thick),
        (-0.4, thick),
        (0.6, thick),
        (0.95, 0.6 * thick),
    )
    # from above: wings to both sides
    for sign in (-1.0, 1.0):
        back = random.uniform(0.0, 0.5, n)
        wing = outline(
            (0.3, 0.3 * sign * thick),
            (0.1 - back, sign * span),
            (-0.1 - back, sign * span),
            (-0.15, 0.3 * sign * thick),
        )
        canvas.fill(wing, dark, opacity=above, texture=gloss, smooth=False)
        plane = outline((-0.75, 0.0), (-0.95, 0.4 * sign * span), (-1.05, 0.4 * sign * span), (-1.0, 0.0))
        canvas.fill(plane, dark, opacity=above, smooth=False)
        wing_front = outline(
            (0.0, -0.06), (sign * 1.05, -0.12 - 0.1 * span), (sign * 1.05, -0.06 - 0.1 * span), (0.0, 0.12)
        )
        canvas.fill(wing_front, dark, opacity=front, smooth=False)
        canvas.fill(ellipse(sign * 0.45 + 0 * span, 0.1 + 0 * span, 0.1, 0.1, points=8), dark * 0.6, opacity=front)
    canvas.fill(body, paint, opacity=side + above, texture=gloss)
    canvas.fill(ellipse(0 * span, 0 * span, 1.6 * thick, 1.6 * thick), paint, opacity=front, texture=gloss)
    canvas.fill(
        outline((-0.05, -0.1), (0.05, -0.1), (0.03, -0.55), (-0.03, -0.55)), accent, opacity=front, smooth=False
    )
    near = outline((0.2, 0.3 * thick), (-0.12, 0.3 * thick), (-0.5, 0.55 * span), (-0.28, 0.55 * span))
    canvas.fill(near, dark, opacity=side, texture=gloss, smooth=False)
    canvas.fill(
        ellipse(-0.1 + 0 * span, 0.25 * span + 0.05, 0.14, 0.06, points=8),
        dark * 0.6,
        opacity=side * some(random, n, 0.6),
    )
    windows = outline((-0.6, -0.35 * thick), (0.8, -0.35 * thick))
    canvas.line(windows, 0.045, 0 * paint + 0.2, opacity=side * random.uniform(0, 0.8, n))
    canvas.line(
        outline((-0.95, 0.15 * thick), (0.9, 0.15 * thick)), 0.06, accent, opacity=side * some(random, n, 0.5) * 0.8
    )
