"""Speed of simulators, imports and notebooks beside their goals: a table, and `.work/benchmarks.json`."""

import importlib
import json
import sys
from pathlib import Path

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def table(rows: list[dict]) -> str:
    """One line a figure: name, value, goal, and whether it is met."""
    lines = [f"{'what':<46} {'value':>12} {'goal':>12}  unit"]
    for row in rows:
        goal = "" if row["goal"] is None else f"{row['goal']:.4g}"
        note = f"  ({row['note']})" if row["note"] else ""
        lines.append(f"{row['name']:<46} {row['value']:>12.4g} {goal:>12}  {row['unit']}{note}")
    return "\n".join(lines)


def main() -> None:
    names = sys.argv[1:] or MODULES  # python -m benchmarks ising
    rows = [row for name in names for row in importlib.import_module(f"benchmarks.{name}").rows()]
    print(table(rows))
    path = Path(".work/benchmarks.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
