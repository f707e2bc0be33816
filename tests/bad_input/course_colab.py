"""Wrong addresses for notebooks on Colab."""

from pathlib import Path

from dlphys.course import build

HERE = str(Path(__file__).parent)

CASES = [
    (build.release, (HERE, "out"), {"colab": "dlphys"}, ValueError, r"colab must be an address, .* got 'dlphys'"),
    (build.release, (HERE, "out"), {"colab": 3}, ValueError, r"colab must be an address, .* got 3"),
]
