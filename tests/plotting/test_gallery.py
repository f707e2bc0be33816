"""The gallery: one picture of every data set, with a text beside it, and a card that shows it."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dlphys import datasets, simulators
from dlphys.datasets import manage
from dlphys.plotting import gallery

ROOT = Path(__file__).parents[2]
SETS = [name.removeprefix("load_") for name in datasets.__all__ if name.startswith("load_")]
PICTURES = list(gallery.pictures())


def test_every_data_set_has_a_picture():
    assert set(SETS) <= set(PICTURES)


def test_every_simulator_appears():
    """A module of drawing functions for each; the older two stand with the real sets."""
    folder = Path(gallery._pictures.__file__).parent
    drawn = {path.stem for path in folder.glob("[a-z]*.py")} | {"ising", "earthquakes"}
    assert set(simulators.__all__) <= drawn


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_fits_its_frame_and_has_a_text(name, capsys):
    """Titles, labels and legends stay inside; axes that show a scale say what it is; nothing is printed."""
    figure, alt = gallery.picture(name)
    assert capsys.readouterr().out == ""
    assert 30 <= len(alt) <= 400, alt
    figure.canvas.draw()
    frame = figure.get_tightbbox().padded(-0.02)
    width, height = figure.get_size_inches()
    assert frame.x0 >= -0.05, "cut off at the left"
    assert frame.y0 >= -0.05, "cut off at the bottom"
    assert frame.x1 <= width + 0.05, "cut off at the right"
    assert frame.y1 <= height + 0.05, "cut off at the top"
    image = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    assert image.std() > 3, "the picture is empty"
    plt.close(figure)


@pytest.mark.parametrize("name", SETS)
def test_every_card_shows_its_picture(name):
    card = (ROOT / "data" / f"{name}.md").read_text(encoding="utf-8")
    assert re.search(rf"!\[[^\]]{{20,}}\]\(pictures/{name}\.png\)", card), "no picture with a text"
    assert (ROOT / "data/pictures" / f"{name}.png").stat().st_size < 150_000


@pytest.mark.parametrize("name", SETS)
def test_every_card_says_what_a_user_must_know(name):
    card = (ROOT / "data" / f"{name}.md").read_text(encoding="utf-8")
    for word in ("**Size**", "**Made**", "**Flaws**", "**Licence**", "**Citation**"):
        assert word in card, f"no {word}"


def test_every_data_set_is_listed_and_linked():
    listed = [row.name for row in manage.list_data()]
    assert sorted(listed) == sorted(SETS)
    index = (ROOT / "data/README.md").read_text(encoding="utf-8")
    assert all(f"({name}.md)" in index and f"`load_{name}`" in index for name in SETS)


def test_a_sheet_holds_what_was_asked_for():
    figure, alt = gallery.sheet(["ising", "earthquakes"], columns=2)
    assert figure.get_size_inches().tolist() == [12.8, 2.8]
    assert len(figure.subfigs) == 2
    assert "; " in alt
    plt.close(figure)
