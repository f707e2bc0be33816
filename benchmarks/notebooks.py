"""Seconds of each notebook at full settings, from `notebooks/prices.json` (measured by `make prices`)."""

import json
from pathlib import Path

PRICES = Path(__file__).parents[1] / "notebooks" / "prices.json"


def rows() -> list[dict]:
    prices = json.loads(PRICES.read_text(encoding="utf-8"))
    each = [
        {"name": f"notebook {stem}", "value": price["seconds"], "unit": "s", "goal": 120, "note": ""}
        for stem, price in prices.items()
    ]
    total = sum(price["seconds"] for price in prices.values())
    return [*each, {"name": "all notebooks", "value": total, "unit": "s", "goal": 1200, "note": "by make prices"}]
