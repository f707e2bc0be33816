"""The widget without a browser: its messages, its training in the background, and what is left without a front end."""

import asyncio
import contextlib
import json
import os
import signal
import time

import nbformat
import numpy as np
import pytest

from dlphys import playground
from dlphys.playground import Settings
from dlphys.playground.widget import SIZE, Playground


@pytest.fixture
def widget():
    """With the messages that it sends kept in ``sent``; every frame is drawn at once."""
    widget = playground.show(Settings(hidden=(3, 2)))
    widget.sent = []

    def send(content, buffers=None):
        widget.sent.append((content, buffers))
        if content["kind"] == "frame":
            widget._receive(widget, {"kind": "drawn"}, [])

    widget.send = send
    yield widget
    widget.close()


def say(widget, kind, **more):
    widget._receive(widget, {"kind": kind, **more}, [])


def test_a_view_that_opens_is_sent_everything(widget):
    say(widget, "hello")
    kinds = [content["kind"] for content, _ in widget.sent]
    assert kinds == ["thumbnails", "points", "frame"]
    for content, _ in widget.sent:
        json.dumps(content, allow_nan=False)
    thumbnails, points, (frame, buffers) = (widget.sent[0], widget.sent[1], widget.sent[2])
    assert len(thumbnails[1]) == len(thumbnails[0]["names"]) + 1 == 7
    assert np.frombuffer(points[1][0], np.float32).size == 3 * 500
    picture, hidden, weights, losses = buffers
    assert len(picture) == SIZE**2
    assert len(hidden) == 5 * (SIZE // 2) ** 2
    assert np.frombuffer(weights, np.float32).size == widget.settings.parameters
    assert np.frombuffer(losses, np.float32).reshape(3, -1)[0].tolist() == [0.0]
    assert frame["test_loss"] == widget.run.test_loss[0]
    assert frame["accuracy"] == widget.run.accuracy


def test_the_large_picture_is_the_output_of_the_network(widget):
    widget.step(3)
    picture = np.frombuffer(widget.sent[-1][1][0], np.uint8).reshape(SIZE, SIZE)
    np.testing.assert_allclose(picture / 127.5 - 1, widget.run.picture(SIZE), atol=0.5 / 127)


def test_every_entry_can_be_changed(widget):
    entries = {
        "problem": "regression",
        "noise": 0.25,
        "test_share": 0.3,
        "features": ["x1", "x1*x2"],
        "hidden": [4, 4, 4],
        "activation": "tanh",
        "learning_rate": 0.1,
        "batch_size": 20,
        "regularization": "l1",
        "regularization_rate": 0.01,
        "seed": 7,
    }
    for name, value in entries.items():
        more = {"dataset": "plane"} if name == "problem" else {}
        before = widget.controls["turn"]
        say(widget, "change", entries={name: value, **more})
        assert widget.status == ""
        assert widget.controls[name] == value
        assert widget.controls["turn"] > before
        json.dumps(widget.controls)
    assert widget.settings == Settings(**{**entries, "dataset": "plane"})
    say(widget, "speed", speed=1000)
    assert widget.controls["speed"] == 1000


def test_what_is_wrong_is_said_and_not_done(widget):
    before, turn = widget.settings, widget.controls["turn"]
    for entries in ({"noise": 2.0}, {"hidden": [9]}, {"dataset": "plane"}, {"features": []}, {"colour": "red"}):
        say(widget, "change", entries=entries)
        assert next(iter(entries)) in widget.status
        assert widget.settings == before
    assert widget.controls["turn"] > turn, "the front end has to show the old value again"
    say(widget, "speed", speed=3)
    assert "speed" in widget.status


def test_learning_goes_on_when_the_rate_changes_and_begins_anew_when_the_network_does(widget):
    widget.step(5)
    version = widget.controls["version"]
    say(widget, "change", entries={"learning_rate": 0.1})
    assert (widget.run.epochs, widget.controls["version"]) == (5, version)
    say(widget, "change", entries={"hidden": [3]})
    assert (widget.run.epochs, widget.controls["version"]) == (0, version + 1)


def test_reset_takes_the_next_seed_and_train_gives_the_same_numbers(widget):
    assert widget.seed == 1
    say(widget, "reset")
    say(widget, "step")
    widget.step(4)
    again = playground.train(widget.settings, epochs=5, seed=2)
    assert widget.seed == widget.controls["start"] == 2
    assert widget.run.test_loss.tolist() == again.test_loss.tolist()


def played(widget, seconds, during=lambda: None):
    async def scene():
        widget.play()
        await asyncio.sleep(seconds)
        during()
        await asyncio.sleep(0.2)
        widget.pause()
        await asyncio.sleep(0.2)

    asyncio.run(scene())


def test_it_trains_until_it_is_paused_and_leaves_time_for_others(widget):
    say(widget, "speed", speed=0)
    turns = 0

    async def scene():
        nonlocal turns
        say(widget, "play")
        end = time.perf_counter() + 1.0
        while time.perf_counter() < end:
            await asyncio.sleep(0.001)
            turns += 1
        assert widget.running
        say(widget, "pause")
        await asyncio.sleep(0.2)

    asyncio.run(scene())
    assert not widget.running
    frames = [content for content, _ in widget.sent if content["kind"] == "frame"]
    epochs = widget.run.epochs
    assert epochs > 60
    assert len(frames) > 3
    assert turns > 10, "the loop was never free"
    assert frames[-1]["epoch"] == epochs, "the last picture is of the last epoch"
    again = playground.train(widget.settings, epochs=epochs, seed=1)
    assert widget.run.train_loss.tolist() == again.train_loss.tolist()


def test_the_speed_is_kept(widget):
    say(widget, "speed", speed=10)
    begin = time.perf_counter()
    played(widget, 1.0)
    assert 1 <= widget.run.epochs <= 10 * (time.perf_counter() - begin) + 1


def test_pause_and_train_in_one_moment_keep_one_training(widget):
    def nervous():
        for _ in range(3):
            say(widget, "pause")
            say(widget, "play")

    played(widget, 0.2, nervous)
    assert not widget.running
    assert widget._task.done()


def test_two_widgets_train_side_by_side(widget):
    other = playground.show(Settings(dataset="circle"), seed=4)
    other._receive(other, {"kind": "hello"}, [])

    async def scene():
        widget.play()
        other.play()
        await asyncio.sleep(0.5)
        widget.pause()
        middle = other.run.epochs
        await asyncio.sleep(0.5)
        assert other.run.epochs > middle
        other.close()
        await asyncio.sleep(0.2)

    asyncio.run(scene())
    assert not other.running
    for one, seed in ((widget, 1), (other, 4)):
        again = playground.train(one.settings, epochs=one.run.epochs, seed=seed)
        assert one.run.train_loss.tolist() == again.train_loss.tolist()


def test_a_closed_view_stops_the_training(widget):
    say(widget, "hello")
    played(widget, 0.2, lambda: say(widget, "gone"))
    assert not widget.running


def test_an_interrupt_of_an_idle_kernel_stops_the_training(widget):
    other = playground.show()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a kernel that waits

    async def scene():
        other.play()
        widget.play()
        await asyncio.sleep(0.3)
        assert widget.running
        assert other.running
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.3)

    try:
        asyncio.run(scene())
        for one in (widget, other):
            assert not one.running
            assert "interrupt" in one.status
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_training_that_diverges_stops_with_advice(widget):
    divergent = {"problem": "regression", "dataset": "plane", "features": ["x1^2", "x2^2"], "learning_rate": 3.0}
    say(widget, "change", entries=divergent)
    played(widget, 0.5)
    assert "Lower the learning rate" in widget.status
    assert widget.sent[-1][0]["test_loss"] is None
    json.dumps(widget.sent[-1][0], allow_nan=False)
    say(widget, "reset")
    assert widget.status == ""


def test_background_training_needs_a_notebook(widget):
    with pytest.raises(RuntimeError, match="use step"):
        widget.play()


def test_its_text_says_what_it_is(widget):
    assert "network 2-3-2-1 (relu) on checkerboard" in repr(widget)
    assert "playground.train" in repr(widget)


def test_nothing_is_loaded_from_the_net():
    for text in (Playground._esm, Playground._css):
        addresses = [word for word in text.split('"') if "//" in word and word.startswith("http")]
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, "a name, not an address"
        assert "import " not in text
        assert "@import" not in text
        assert "url(" not in text


@pytest.mark.notebooks
@pytest.mark.parametrize("automatic", [True, False])
def test_without_a_front_end_a_notebook_gets_a_text(automatic, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("DLPHYS_RUN", "1" if automatic else "")
    cell = nbformat.v4.new_code_cell("from dlphys import playground\nplayground.show(playground.Settings(hidden=(7,)))")
    book = nbformat.v4.new_notebook(cells=[cell])
    with contextlib.suppress(DeprecationWarning):
        NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    (output,) = book.cells[0].outputs
    assert "network 2-7-1" in output.data["text/plain"]
    assert ("application/vnd.jupyter.widget-view+json" in output.data) is not automatic
