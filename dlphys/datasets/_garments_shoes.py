"""Trousers, shoes and bags, for `dlphys.datasets._garments`."""

from __future__ import annotations

import numpy as np

from dlphys.datasets._garments_cloth import light, pattern_of, tone_of
from dlphys.datasets._render import Canvas, curve, ellipse, outline


def trousers(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    tone = tone_of(random, n)
    cloth = light(canvas, random) * pattern_of(canvas, random, 0.08)
    waist, hip = random.uniform(0.24, 0.36, n), random.uniform(0.32, 0.46, n)
    crotch = -1 + random.uniform(0.5, 0.75, n)
    foot, gap = random.uniform(0.12, 0.24, n), random.uniform(-0.04, 0.2, n)
    knee = random.uniform(0.8, 1.1, n)
    end = random.uniform(0.9, 1.0, n)
    dark = tone * random.uniform(0.35, 0.8, n)
    for side in (-1.0, 1.0):
        shift = random.normal(0, 0.03, n)
        outer, inner = gap / 2 + 2 * foot, gap / 2
        leg = outline(
            (0 * hip, -1),
            (waist, -1 + 0 * hip),
            (hip, crotch - 0.15),
            (0.5 * (hip + outer) * knee, 0.1),
            (outer + shift, end),
            (inner + shift, end + random.normal(0, 0.02, n)),
            (0.6 * inner, 0.1),
            (0 * hip, crotch),
        )
        shade = tone * np.clip(random.normal(0.97, 0.05, n), 0.7, 1.1)
        canvas.fill(leg * (side, 1.0), shade, texture=cloth, smooth=False)
        crease = outline((0.55 * waist, -0.8), (0.5 * (inner + outer), end - 0.1)) * (side, 1.0)
        canvas.line(crease, 0.07, np.clip(tone * 1.25, 0, 1), opacity=random.uniform(0, 0.7, n))
        pocket = outline((0.55 * waist, -0.88), (0.9 * hip, -0.66)) * (side, 1.0)
        canvas.line(pocket, 0.05, dark, opacity=random.uniform(0, 0.8, n))
    canvas.line(outline((-waist, -0.96), (waist, -0.96)), 0.1, dark, opacity=random.uniform(0, 0.9, n))
    canvas.line(outline((0 * hip, -0.92), (0 * hip, crotch)), 0.04, dark, opacity=random.uniform(0, 0.9, n))


def sneaker(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    tone = tone_of(random, n)
    cloth = light(canvas, random) * pattern_of(canvas, random, 0.12)
    ground = random.uniform(0.3, 0.5, n)
    high = random.random(n) < 0.18
    ankle = ground - np.where(high, random.uniform(0.8, 1.3, n), random.uniform(0.5, 0.85, n))
    drop = high * random.uniform(0.1, 0.4, n)
    ground, ankle = ground + drop, ankle + drop
    toe = ground - random.uniform(0.24, 0.4, n)
    heel = ankle - random.uniform(-0.04, 0.12, n)
    mouth = random.uniform(0.3, 0.6, n)
    upper = outline(
        (-0.98, ground - 0.06),
        (-0.96, 0.5 * (toe + ground) - 0.04),
        (-0.75, toe),
        (-0.35, toe - 0.12),
        (0.9 - mouth - 0.35, ankle + 0.06),
        (0.9 - mouth, ankle),
        (0.9 - 0.5 * mouth, ankle + 0.1),
        (0.88, heel),
        (0.97, 0.5 * (heel + ground)),
        (0.95, ground - 0.04),
    )
    upper = upper + random.normal(0, 0.02, upper.shape)
    canvas.fill(upper, tone, texture=cloth, smooth=False)
    _sole(canvas, random, ground, tone, heel=0.0)
    _laces(canvas, random, (-0.45 + 0 * ground, toe), (0.9 - mouth - 0.3, ankle + 0.12), tone, 0.75)
    for step in (0.0, 0.18, 0.36):
        stripe = outline((0.02 + step, ground - 0.16), (0.2 + step, 0.5 * (ground + ankle) - 0.06))
        ink = np.where(random.random(n) < 0.5, tone * 0.3, np.clip(tone * 1.6, 0, 1))
        canvas.line(stripe, random.uniform(0.05, 0.12, n), ink, opacity=(random.random(n) < 0.4) * 0.9)
    back = outline((0.72, heel + 0.05), (0.95, heel + 0.02), (0.97, ground - 0.15), (0.68, ground - 0.15))
    canvas.fill(back, tone * random.uniform(0.4, 1.4, n), opacity=(random.random(n) < 0.4) * 0.8, smooth=False)
    mouth_line = outline((0.9 - mouth, ankle + 0.05), (0.88, heel + 0.06))
    canvas.line(mouth_line, 0.1, tone * 0.45, opacity=random.uniform(0.2, 0.9, n))


def ankle_boot(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    tone = tone_of(random, n)
    cloth = light(canvas, random)
    ground = random.uniform(0.62, 0.95, n)
    low = random.random(n) < 0.2
    top = ground - np.where(low, random.uniform(0.75, 1.1, n), random.uniform(1.1, 1.85, n))
    ground, top = ground - 0.25 * low, top - 0.25 * low
    toe = ground - random.uniform(0.28, 0.48, n)
    front, back = random.uniform(-0.1, 0.16, n), random.uniform(0.78, 0.95, n)
    raised = np.where(random.random(n) < 0.5, random.uniform(0.12, 0.42, n), 0.0)
    upper = outline(
        (-0.97, ground - 0.1),
        (-0.95, 0.5 * (toe + ground)),
        (-0.7, toe),
        (-0.3, toe - 0.14),
        (front - 0.04, toe - 0.34),
        (front, top + 0.02),
        (0.5 * (front + back), top + random.normal(0.03, 0.03, n)),
        (back, top),
        (back - 0.04, 0.4 * top + 0.6 * ground),
        (0.97, ground - 0.22),
        (0.95, ground - 0.06 - 0.3 * raised),
        (0.2, ground - 0.06 - 0.5 * raised),
    )
    upper = upper + random.normal(0, 0.02, upper.shape)
    canvas.fill(upper, tone, texture=cloth, smooth=False)
    _sole(canvas, random, ground, tone, heel=raised)
    _laces(canvas, random, (-0.3 + 0 * ground, toe - 0.1), (front + 0.02, top + 0.15), tone, 0.35)
    dark = tone * random.uniform(0.35, 0.8, n)
    canvas.line(
        outline((front, top + 0.06), (back, top + 0.05)),
        random.uniform(0.05, 0.2, n),
        dark,
        opacity=random.uniform(0, 0.9, n),
    )
    gusset = outline((0.3, 0.6 * top + 0.4 * ground), (0.6, 0.6 * top + 0.4 * ground), (0.55, toe), (0.38, toe))
    canvas.fill(gusset, dark, opacity=(random.random(n) < 0.3) * 0.8)
    strap = outline((front - 0.1, toe - 0.3), (back, toe - 0.35))
    canvas.line(strap, 0.1, dark, opacity=(random.random(n) < 0.3) * 0.9)


def sandal(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    tone = tone_of(random, n)
    cloth = light(canvas, random)
    raised = np.where(random.random(n) < 0.45, random.uniform(0.25, 0.95, n), random.uniform(0.0, 0.15, n))
    ground = 0.3 + 0.5 * raised
    thick = random.uniform(0.07, 0.2, n)
    wedge = random.random(n) < 0.4
    heel = ground - raised
    sole = outline(
        (-0.98, ground - thick),
        (-0.5, ground - thick),
        (0.0, ground - thick - 0.3 * raised),
        (0.5, heel - thick - 0.04),
        (0.96, heel - thick),
        (0.96, heel),
        (0.5, heel + 0.03),
        (0.0, ground - 0.32 * raised),
        (-0.5, ground),
        (-0.95, ground),
    )
    canvas.fill(sole, tone, texture=cloth, smooth=False)
    block = outline(
        (np.where(wedge, -0.2, 0.66 + 0 * heel), ground - 0.28 * raised * wedge),
        (0.95, heel),
        (np.where(wedge, 0.95, 0.9), ground),
        (np.where(wedge, -0.25, 0.78), ground),
    )
    canvas.fill(block, tone * random.uniform(0.6, 1.1, n), opacity=(raised > 0.2).astype(float), smooth=False)
    closed = random.random(n) < 0.14  # clogs and slippers with a closed front look like shoes
    instep = random.uniform(-0.1, 0.5, n)
    vamp = outline(
        (-0.98, ground - thick),
        (-0.9, ground - thick - 0.18),
        (-0.7, ground - thick - 0.3),
        (-0.3, ground - thick - 0.42),
        (instep, 0.5 * (ground + heel) - thick - 0.55),
        (instep + 0.1, 0.5 * (ground + heel) - thick - 0.4),
        (instep + 0.3, heel - thick),
    )
    vamp = vamp + random.normal(0, 0.02, vamp.shape)
    canvas.fill(vamp, tone * random.uniform(0.8, 1.0, n), opacity=closed.astype(float), texture=cloth, smooth=False)
    for low, high, share in (
        (-0.85, -0.5, 0.75),
        (-0.6, -0.25, 0.6),
        (-0.35, 0.05, 0.5),
        (0.05, 0.4, 0.35),
        (0.5, 0.8, 0.35),
    ):
        height = random.uniform(0.18, 0.5, n) * (1.3 if low > -0.3 else 1.0)
        level = ground - thick - np.clip(low + 0.4, 0, 1) * 0.75 * raised
        strap = outline(
            (low + random.normal(0, 0.08, n), level + 0.04),
            (0.5 * (low + high) - 0.05, level - height),
            (high, level - 0.7 * height),
        )
        present = (random.random(n) < share) & ~(closed & (low < 0))
        canvas.line(
            curve(strap)[:, :9],
            random.uniform(0.07, 0.26, n),
            tone * random.uniform(0.6, 1.2, n),
            opacity=present.astype(float),
            texture=cloth,
        )
    collar = heel - thick - random.uniform(0.35, 0.6, n)
    round_heel = outline((0.2, collar + 0.04), (0.6, collar - 0.03), (0.95, collar + 0.12), (0.93, heel - thick))
    canvas.line(
        curve(round_heel)[:, :13],
        random.uniform(0.05, 0.15, n),
        tone * random.uniform(0.7, 1.1, n),
        opacity=(random.random(n) < 0.55).astype(float),
    )


def _sole(
    canvas: Canvas, random: np.random.Generator, ground: np.ndarray, tone: np.ndarray, *, heel: np.ndarray | float
) -> None:
    """A sole under a shoe that points to the left; ``heel`` is how much it is raised."""
    n = canvas.n
    thick = random.uniform(0.06, 0.18, n)
    ink = np.where(random.random(n) < 0.5, tone * random.uniform(0.15, 0.7, n), np.clip(tone * 1.5, 0, 1))
    flat = outline(
        (-0.99, ground - thick),
        (0.2, ground - thick - 0.4 * np.asarray(heel)),
        (0.97, ground - thick - 0.25 * np.asarray(heel)),
        (0.96, ground),
        (0.55, ground),
        (0.45, ground - 0.6 * np.asarray(heel)),
        (0.1, ground - 0.5 * np.asarray(heel)),
        (-0.4, ground),
        (-0.94, ground),
    )
    canvas.fill(flat, ink, smooth=False)


def _laces(
    canvas: Canvas, random: np.random.Generator, low: tuple, high: tuple, tone: np.ndarray, share: float
) -> None:
    """Four short lines between two points."""
    n = canvas.n
    laced = (random.random(n) < share) * random.uniform(0.4, 1.0, n)
    ink = np.where(random.random(n) < 0.5, tone * 0.35, np.clip(tone * 1.5, 0, 1))
    for step in (0.15, 0.4, 0.65, 0.9):
        x, y = (1 - step) * low[0] + step * high[0], (1 - step) * low[1] + step * high[1]
        canvas.line(outline((x - 0.05, y - 0.02), (x + 0.15, y + 0.12)), 0.07, ink, opacity=laced)


def bag(canvas: Canvas, random: np.random.Generator) -> None:
    n = canvas.n
    tone = tone_of(random, n)
    cloth = light(canvas, random) * pattern_of(canvas, random, 0.25)
    dark, pale = tone * random.uniform(0.3, 0.8, n), np.clip(tone * random.uniform(1.1, 1.7, n), 0, 1)
    strapless = random.random(n) < 0.15
    top = np.where(strapless, random.uniform(-0.75, -0.4, n), random.uniform(-0.45, 0.1, n))
    bottom = random.uniform(0.6, 0.95, n)
    upper, lower = random.uniform(0.55, 0.95, n), random.uniform(0.65, 0.98, n)
    loop = random.uniform(0.3, 0.75, n) * upper
    peak = np.maximum(top - random.uniform(0.3, 0.9, n), -1.0)
    for drift in (0.0, 0.1):
        handle = outline(
            (-loop, top + 0.1),
            (-0.85 * loop + drift, 0.4 * top + 0.6 * peak),
            (drift + 0 * top, peak),
            (0.85 * loop + drift, 0.4 * top + 0.6 * peak),
            (loop, top + 0.1),
        )
        present = np.where(strapless, 0.0, 1.0 if drift == 0 else (random.random(n) < 0.4) * 0.8)
        canvas.line(curve(handle)[:, :17], random.uniform(0.05, 0.16, n), tone * 0.9, opacity=present)
    swell = random.uniform(-0.05, 0.1, n)
    body = outline(
        (-upper, top),
        (0 * top, top + random.normal(0, 0.04, n)),
        (upper, top),
        (0.5 * (upper + lower) + swell, 0.5 * (top + bottom)),
        (lower, bottom),
        (0 * top, bottom + 0.02),
        (-lower, bottom),
        (-0.5 * (upper + lower) - swell, 0.5 * (top + bottom)),
    )
    round_ = random.random(n) < 0.4
    canvas.fill(body, tone, opacity=1.0 - round_, texture=cloth, smooth=False)
    canvas.fill(body * np.where(round_, 0.93, 1)[:, None, None], tone, opacity=round_.astype(float), texture=cloth)
    flap = outline(
        (-upper, top),
        (upper, top),
        (0.9 * upper, 0.55 * top + 0.45 * bottom),
        (-0.9 * upper, 0.55 * top + 0.45 * bottom),
    )
    canvas.fill(flap, dark, opacity=(random.random(n) < 0.4) * random.uniform(0.3, 0.8, n), smooth=False)
    zip_ = outline((-0.85 * upper, top + 0.12), (0.85 * upper, top + 0.12))
    canvas.line(zip_, 0.06, dark, opacity=random.uniform(0, 0.9, n))
    clasp = ellipse(random.normal(0, 0.05, n), 0.55 * top + 0.45 * bottom, 0.1, 0.08)
    canvas.fill(clasp, np.where(random.random(n) < 0.5, pale, dark * 0.4), opacity=(random.random(n) < 0.5) * 0.9)
