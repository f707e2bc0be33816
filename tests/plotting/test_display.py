"""``show`` publishes one PNG with its text inside IPython, and only closes the figure outside."""

import base64
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest

from dlphys import plotting


@pytest.fixture
def published(monkeypatch):
    """What a notebook would receive: a shell that stands for IPython's and a recorded display."""
    import IPython.display

    plt.switch_backend("agg")
    plt.figure()
    shell = SimpleNamespace(execution_count=7)
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    sent = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **k: sent.append((data, k)))
    return SimpleNamespace(sent=sent, shell=shell)


def test_a_notebook_receives_a_png_and_its_text(published):
    """nbconvert's base template reads the alt attribute from metadata["image/png"]["alt"]."""
    plotting.show("An empty figure.")
    ((data, options),) = published.sent
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == "An empty figure."
    assert options == {"raw": True, "metadata": {"image/png": {"alt": "An empty figure."}}}
    assert plt.get_fignums() == []


def test_a_figure_that_ends_its_cell_is_not_displayed_twice_but_can_be_displayed_later(published):
    figure = plotting.lines([1, 2], {"a": [1, 2]}, xlabel="x", ylabel="y", title="t")
    figure._ipython_display_()
    assert len(published.sent) == 1
    published.shell.execution_count += 1
    figure._ipython_display_()
    assert len(published.sent) == 2
    plt.close("all")


def test_outside_ipython_the_figure_is_only_closed(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    figure = plt.figure()
    plotting.show("An empty figure.", figure)
    assert plt.get_fignums() == []
    assert capsys.readouterr() == ("", "")


def test_showing_without_a_figure_is_an_error():
    plt.close("all")
    with pytest.raises(ValueError, match="no figure is open"):
        plotting.show("Nothing.")
