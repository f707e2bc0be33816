"""Seconds of each notebook at full settings, from `notebooks/prices.json` (measured by `make prices`)."""

import json
from pathlib import Path

from benchmarks import figure

PRICES = Path(__file__).parents[1] / "notebooks" / "prices.json"


def rows() -> list[dict]:
    prices = json.loads(PRICES.read_text(encoding="utf-8"))
    each = [
        figure(f"notebook {stem}", price["seconds"], "s", goal=120, note="goal is a maximum")
        for stem, price in prices.items()
    ]
    total = sum(price["seconds"] for price in prices.values())
    return [*each, figure("all notebooks", total, "s", goal=1200, note="by make prices; goal is a maximum")]
