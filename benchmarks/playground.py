"""Epochs a second of the playground, beside the rate of the issue: 60 with 10 pictures a second."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks import figure, first_call, rate
from dlphys.playground import Settings, Trainer, restarts, show

LARGE = Settings(hidden=(8, 8), points=500, test_share=0.5, batch_size=10)  # 250 training points, 25 steps an epoch
EPOCHS = 2000


def plain_epochs() -> None:
    """The network that is read, ten epochs."""
    import numpy as np

    from dlphys.playground import _network, features
    from dlphys.playground.training import activations

    random = np.random.default_rng(1)
    trainer, names = Trainer(LARGE, seed=1), activations(LARGE)
    weights, biases = trainer.layers()
    x, y = features(trainer.points.x_train, LARGE.features), trainer.points.y_train
    for _ in range(10):
        order = random.permutation(len(x))
        for start in range(0, len(x), LARGE.batch_size):
            chosen = order[start : start + LARGE.batch_size]
            values = _network.forward(x[chosen], weights, biases, names)
            slopes = _network.backward(values, y[chosen], weights, names)
            weights, biases = _network.update(weights, biases, *slopes, learning_rate=0.03, l1=0.0, l2=0.0)


def widget_rates(seconds: float = 3.0) -> tuple[float, float, float]:
    """Epochs and pictures a second of the widget without a browser at full speed, and its share of one core."""
    widget = show(LARGE)
    pictures = 0

    def send(content: dict[str, Any], buffers: Any = None) -> None:
        nonlocal pictures
        pictures += content["kind"] == "frame"
        widget._waiting = 0  # as if it were drawn at once

    async def scene() -> tuple[float, float]:
        widget._speed = 0
        begin = time.perf_counter(), time.process_time()
        widget.play()
        while time.perf_counter() - begin[0] < seconds:
            widget._unseen = 0.0
            await asyncio.sleep(0.05)
        widget.pause()
        return time.perf_counter() - begin[0], time.process_time() - begin[1]

    widget.send = send
    widget.step()
    wall, processor = asyncio.run(scene())
    epochs = widget.run.epochs
    widget.close()
    return epochs / wall, pictures / wall, processor / wall


def rows() -> list[dict[str, Any]]:
    trainer = Trainer(LARGE, seed=1)
    epochs, pictures, share = widget_rates()
    start = "from dlphys.playground import Settings, train\ntrain(Settings(), epochs=1)"
    return [
        rate(
            "playground, 2-8-8-1, 250 points",
            lambda: trainer.advance(EPOCHS),
            EPOCHS,
            unit="epochs/s",
            goal=60,
            plain=(plain_epochs, 10),
            note="one core",
        ),
        figure("playground, widget at full speed", epochs, "epochs/s", goal=60, note=f"{share:.0%} of a core"),
        figure("playground, pictures meanwhile", pictures, "pictures/s", goal=10, note="without the browser"),
        rate(
            "playground, 20 restarts of 2-4-1",
            lambda: restarts(Settings(), epochs=100, seeds=20),
            20,
            unit="networks/s",
            note="100 epochs each, one core",
        ),
        figure("playground, first call", first_call(start), "s", note="compilation"),
    ]
