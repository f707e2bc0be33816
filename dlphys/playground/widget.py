"""The playground as a widget: the network trains here, in Python, and the front end draws what it is sent.

Training runs in slices of some milliseconds on the event loop of the kernel's main thread, so that between two slices
the kernel answers everything else: a click on Pause, another cell, another playground. While a cell computes, the
training waits. JupyterLab sends clicks through a second thread (a subshell), so a lock guards the network.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from dlphys._validation import check_choice, check_count
from dlphys.playground import _network
from dlphys.playground import settings as known
from dlphys.playground.data import check_settings, features, points
from dlphys.playground.settings import Settings
from dlphys.playground.training import Run, Trainer, activations, grid

__all__ = ["Playground"]

SIZE = 64  # pixels of a side of the large picture; the neurons have half as many
SPEEDS = (10, 100, 1000, 0)  # epochs a second; 0: as fast as possible
TICK = 0.05  # s between two pictures
SLICE = 0.03  # s of training in a tick at most; the rest is the kernel's
MOST_LOSSES = 300  # points of a loss curve
PATIENCE = 10.0  # s of training without a sign that anybody has seen a picture
LEARNING = ("learning_rate", "batch_size", "regularization", "regularization_rate")  # may change during a training

CHOICES = {
    "datasets": {problem: list(names) for problem, names in known.DATASETS.items()},
    "features": list(known.FEATURES),
    "activations": list(known.ACTIVATIONS),
    "regularizations": list(known.REGULARIZATIONS),
    "learning_rates": [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    "regularization_rates": [0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    "batch_sizes": [1, 2, 5, 10, 20, 50, 100, 250],
    "speeds": list(SPEEDS),
    "most_layers": known.MOST_LAYERS,
    "most_neurons": known.MOST_NEURONS,
}


def display(settings: Settings, *, seed: int) -> Playground:
    """The widget, displayed if this is a notebook; see `dlphys.playground.show`."""
    widget = Playground(settings, seed=seed)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        widget._ipython_display_()
        widget._shown_in = shell.execution_count
    return widget


class Playground(anywidget.AnyWidget):
    """The widget behind `show`.

    Parameters
    ----------
    settings : Settings
    seed : int
        Of the initial weights.
    """

    _esm = Path(__file__).with_name("widget.js").read_text(encoding="utf-8")
    _css = Path(__file__).with_name("widget.css").read_text(encoding="utf-8")

    choices = traitlets.Dict(CHOICES).tag(sync=True)
    controls = traitlets.Dict().tag(sync=True)  # settings, seed, speed; version counts new networks
    running = traitlets.Bool(False).tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)

    def __init__(self, settings: Settings, *, seed: int = 1) -> None:
        self._settings = check_settings(settings)
        self._seed = check_count(minimum=0, seed=seed)
        super().__init__()
        self._version = 0
        self._turn = 0
        self._speed = SPEEDS[1]
        self._views = 0
        self._lock = threading.RLock()
        self._loop = _running_loop()
        self._task: asyncio.Task[None] | None = None
        self._interrupted = False
        self._waiting = 0  # pictures sent and not yet drawn
        self._unseen = 0.0  # s
        self._shown_in: int | None = None
        self._start()
        self.on_msg(self._receive)

    # --- what a notebook may use ---------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The present settings."""
        return self._settings

    @property
    def seed(self) -> int:
        """The seed of the present initial weights."""
        return self._seed

    @property
    def run(self) -> Run:
        """The network as it is now, with its losses so far."""
        with self._lock:
            return self._trainer.run()

    def play(self) -> None:
        """Train until `pause`, in the background of a notebook."""
        if self.running:
            return
        loop = self._loop if self._loop is not None and self._loop.is_running() else _running_loop()
        if loop is None:
            raise RuntimeError("training in the background needs a notebook; use step(), or playground.train(settings)")
        if self._trainer.diverged:
            self._say_diverged()
            return
        self.status = ""
        self.running = True
        self._unseen = 0.0
        loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        if self._task is None or self._task.done():  # else a pause a moment ago is taken back
            self._task = asyncio.get_running_loop().create_task(self._train())

    def pause(self) -> None:
        """Stop after the present slice of training."""
        self.running = False

    def step(self, epochs: int = 1) -> None:
        """Train for some epochs, and pause."""
        epochs = check_count(epochs=epochs)
        self.pause()
        with self._lock:
            self._trainer.advance(epochs)
            if self._trainer.diverged:
                self._say_diverged()
            self._send_frame()

    def reset(self) -> None:
        """Begin again with other initial weights."""
        self.pause()
        with self._lock:
            self._seed += 1
            self._start()
            self._send_frame()

    def change(self, **entries: Any) -> None:
        """Change settings; learning rate, batch size and penalty go on with the present weights, the rest begins anew.

        Raises
        ------
        ValueError, TypeError
            If an entry is out of range.
        """
        with self._lock:
            settings = replace(self._settings, **entries)
            changed = {name for name in entries if getattr(settings, name) != getattr(self._settings, name)}
            if not changed:
                self._publish()
                return
            self._settings = settings
            if changed <= set(LEARNING):
                self._trainer.adjust(settings)
                self._publish()
                return
            self._start()
            if not changed <= {"features", "hidden", "activation", *LEARNING}:
                self._send_points()
            self._send_frame()

    def close(self) -> None:
        """Stop the training and remove the widget."""
        self.pause()
        super().close()

    def __repr__(self) -> str:
        trainer = self._trainer
        if trainer.diverged:
            result = "diverged"
        else:
            result = f"training loss {trainer.train_loss[-1]:.3f}, test loss {trainer.test_loss[-1]:.3f}"
        sizes = "-".join(map(str, self._settings.sizes))
        return (
            f"Playground: network {sizes} ({self._settings.activation}) on {self._settings.dataset}, "
            f"{self._settings.n_train} training points, epoch {trainer.epoch}: {result}.\n"
            "Where this text stands alone, widgets cannot be shown; playground.train(settings) does the same."
        )

    def _ipython_display_(self) -> None:
        from IPython.display import display as publish

        shell = sys.modules["IPython"].get_ipython()
        if self._shown_in is not None and shell is not None and shell.execution_count == self._shown_in:
            return  # the last value of the cell that has shown it already
        bundle: Any = {"text/plain": repr(self)}
        if not os.environ.get("DLPHYS_RUN"):  # nobody looks at an automatic run
            bundle = self._repr_mimebundle_() or bundle
            bundle = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
            bundle["text/plain"] = repr(self)
        publish(bundle, raw=True)

    # --- training --------------------------------------------------------------------------------------

    def _start(self) -> None:
        """A new network for the present settings and seed."""
        self._trainer = Trainer(self._settings, seed=self._seed)
        self._grid = features(grid(SIZE), self._settings.features)
        self._version += 1
        self.status = ""
        self._publish()

    def _publish(self) -> None:
        """Tell the front end what the controls have to show, also where it asked for something else."""
        entries = {**asdict(self._settings), "features": list(self._settings.features)}
        entries["hidden"] = list(self._settings.hidden)
        self._turn += 1  # so that the front end hears of it also if nothing changed
        state = {"start": self._seed, "speed": self._speed, "version": self._version, "turn": self._turn}
        self.controls = {**entries, **state}

    async def _train(self) -> None:
        credit, last = 0.0, time.perf_counter()
        _PLAYING.add(self)
        try:
            while self.running and not self._interrupted:
                _listen()
                begin = time.perf_counter()
                credit = min(credit + self._speed * (begin - last), 0.25 * self._speed + 1.0)
                last = begin
                with self._lock:
                    done = self._slice(int(credit) if self._speed else sys.maxsize)
                    if self._waiting < 2:  # a slow front end gets fewer pictures, not a queue of old ones
                        self._send_frame()
                credit -= done if self._speed else 0.0
                if self._trainer.diverged:
                    self._say_diverged()
                    break
                used = time.perf_counter() - begin
                await asyncio.sleep(max(0.005, TICK - used))
                self._unseen += max(used, TICK)
                if self._unseen > PATIENCE:
                    self.status = "Paused, since the pictures were not drawn any more."
                    break
        except KeyboardInterrupt:  # a cell that awaits something was interrupted during a slice
            self._interrupted = True
        finally:
            if self._interrupted:
                self.status = "Stopped by an interrupt of the kernel."
            self._interrupted = False
            _PLAYING.discard(self)
            _forget()
            self.running = False
            with self._lock:
                self._send_frame()

    def _slice(self, epochs: int) -> int:
        """Train for some epochs, or as long as a slice lasts; returns how many it were."""
        begin, done, chunk = time.perf_counter(), 0, 1
        while done < epochs and not self._trainer.diverged:
            count = min(chunk, epochs - done)
            self._trainer.advance(count)
            done += count
            used = time.perf_counter() - begin
            if used > SLICE:
                break
            if used < SLICE / 4:
                chunk *= 2
        return done

    def _say_diverged(self) -> None:
        self.status = (
            f"The training diverged in epoch {self._trainer.epoch}: the weights grew beyond all numbers. "
            "Lower the learning rate, then reset."
        )

    # --- messages --------------------------------------------------------------------------------------

    def _receive(self, _: Any, content: dict[str, Any], __: Any) -> None:
        kind = content.get("kind")
        try:
            if kind == "hello":
                self._views += 1
                self._waiting = 0
                with self._lock:
                    self._send_thumbnails()
                    self._send_points()
                    self._send_frame()
            elif kind == "gone":
                self._views -= 1
                if self._views <= 0:
                    self.pause()
            elif kind == "drawn":
                self._waiting, self._unseen = max(0, self._waiting - 1), 0.0
            elif kind == "speed":
                self._speed = check_choice(choices=SPEEDS, speed=content.get("speed"))
                self._publish()
            elif kind == "change":
                self.change(**content["entries"])
            elif kind in ("play", "pause", "step", "reset"):
                getattr(self, kind)()
        except (ValueError, TypeError) as error:
            self.status = str(error)
            self._publish()

    def _send_thumbnails(self) -> None:
        names, buffers = [], []
        for problem, datasets in known.DATASETS.items():
            for dataset in datasets:
                sample = points(Settings(problem=problem, dataset=dataset, points=240, seed=1))
                names.append([problem, dataset])
                buffers.append(_bytes(np.column_stack([sample.x_train, sample.y_train])))
        inputs = features(grid(SIZE // 2), known.FEATURES).reshape(SIZE // 2, SIZE // 2, -1)
        self.send({"kind": "thumbnails", "names": names}, [*buffers, _pictures(inputs)])

    def _send_points(self) -> None:
        sample = self._trainer.points
        table = np.column_stack(
            [np.concatenate([sample.x_train, sample.x_test]), np.concatenate([sample.y_train, sample.y_test])]
        )
        self.send({"kind": "points", "train": len(sample.x_train)}, [_bytes(table)])

    def _send_frame(self) -> None:
        """What there is to see, in four arrays: the large picture, the neurons', the weights, the loss curves."""
        trainer = self._trainer
        weights, biases = trainer.layers()
        with np.errstate(all="ignore"):  # close to divergence
            values = _network.forward(self._grid, weights, biases, activations(self._settings))
        if trainer.diverged or not all(np.isfinite(value).all() for value in values):
            values = [np.zeros_like(value) for value in values]
        hidden = [value.reshape(SIZE, SIZE, -1)[::2, ::2] for value in values[1:-1]]
        empty = np.zeros((SIZE // 2, SIZE // 2, 0))
        curve = np.unique(np.linspace(0, trainer.epoch, MOST_LOSSES).astype(int))
        losses = [np.array(history)[curve] for history in (trainer.train_loss, trainer.test_loss)]
        drawable = np.isfinite(losses).all(0) & (np.max(losses, axis=0) < 1e30)
        parameters = [part.ravel() for pair in zip(weights, biases, strict=True) for part in pair]
        content: dict[str, Any] = {"kind": "frame", "version": self._version, "epoch": trainer.epoch}
        content["train_loss"] = None if trainer.diverged else trainer.train_loss[-1]
        content["test_loss"] = None if trainer.diverged else trainer.test_loss[-1]
        if self._settings.problem == "classification" and not trainer.diverged:
            content["accuracy"] = self.run._accuracy(trainer.points.x_test, trainer.points.y_test)
        self._waiting += 1
        self.send(
            content,
            [
                _levels(values[-1]).tobytes(),
                _pictures(np.concatenate([empty, *hidden], axis=2)),
                _bytes(np.clip(np.nan_to_num(np.concatenate(parameters)), -1e6, 1e6)),
                _bytes(np.stack([curve, *losses])[:, drawable]),
            ],
        )


def _bytes(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, np.float32).tobytes()


def _levels(values: np.ndarray) -> np.ndarray:
    """-1 to 1 as 0 to 255."""
    return np.rint(127.5 * (np.clip(values, -1.0, 1.0) + 1.0)).astype(np.uint8)


def _pictures(values: np.ndarray) -> bytes:
    """Pictures (rows, columns, k) one after the other, each scaled to its own largest size."""
    largest = np.abs(values).max(axis=(0, 1), initial=0.0)
    scaled = values / np.where(largest > 0.0, largest, 1.0)
    return np.ascontiguousarray(_levels(scaled).transpose(2, 0, 1)).tobytes()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


# An interrupt of the kernel pauses trainings that run while no cell does. The kernel ignores the signal then, so a
# handler takes its place as long as anything trains. While a cell runs, the signal is the cell's.
_PLAYING: set[Playground] = set()


def _stop(*_: Any) -> None:
    for widget in tuple(_PLAYING):
        widget._interrupted = True


def _listen() -> None:
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, _stop)


def _forget() -> None:
    main = threading.current_thread() is threading.main_thread()
    if main and not _PLAYING and signal.getsignal(signal.SIGINT) == _stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
