"""Speed of simulators, imports and notebooks beside their goals: a table, and `.work/benchmarks.json`."""

import importlib
import json
import sys
from pathlib import Path

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
HEADS = ("what", "value", "unit", "goal", "per core", "peer", "x NumPy", "note")


def cells(row: dict) -> tuple[str, ...]:
    """One figure as text: name, value, unit, goal, rate a core, peer, ratio to plain NumPy, note."""

    def number(key: str) -> str:
        value = row.get(key)
        return "" if value is None else f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}"

    peer = f"{row['peer_name']}: {row['peer']:g}" if "peer" in row else ""
    numbers = (number("value"), row["unit"], number("goal"), number("per_core"), peer, number("over_plain"))
    return (row["name"], *numbers, row["note"])


def table(rows: list[dict]) -> str:
    """One line a figure, in aligned columns."""
    lines = [HEADS, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = {1, 3, 4, 6}

    def aligned(line: tuple[str, ...]) -> str:
        pairs = enumerate(zip(line, widths, strict=True))
        return "  ".join(text.rjust(w) if i in right else text.ljust(w) for i, (text, w) in pairs).rstrip()

    return "\n".join(map(aligned, lines))


def main() -> None:
    names = sys.argv[1:] or MODULES  # python -m benchmarks ising
    rows = [row for name in names for row in importlib.import_module(f"benchmarks.{name}").rows()]
    print(table(rows))
    path = Path(".work/benchmarks.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
