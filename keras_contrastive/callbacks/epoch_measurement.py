"""Callbacks that measure the encoder at the end of an epoch."""

import math
from typing import Any

import keras

from keras_contrastive.evaluation.checks import check_positive


class EpochMeasurement(keras.callbacks.Callback):
    """Base of callbacks that add figures to the epoch's logs, where every other callback sees them.

    Subclasses give `names`, the keys they add, and `measure()`, their values. Measured are the
    first epoch, every `every`-th after it, and none whose loss is not finite: there the entries
    are NaN, since broken weights have nothing to measure.

    Put such callbacks before those that read the figures (`CSVLogger`, `ModelCheckpoint`,
    `EarlyStopping`); the progress bar and the history always come last.

    Args:
        every: Epochs between measurements, at least 1. Default 1.
        batch_size: Images in one forward pass. Default 256.
    """

    names: tuple[str, ...] = ()

    def __init__(self, every: int = 1, batch_size: int = 256) -> None:
        super().__init__()
        check_positive(every, "every")
        check_positive(batch_size, "batch_size")
        self.every = every
        self.batch_size = batch_size

    def measure(self) -> dict[str, float]:
        """The figures of the encoder as it is now."""
        raise NotImplementedError

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None or epoch % self.every:
            return
        broken = not math.isfinite(logs.get("loss", 0.0))
        logs.update(dict.fromkeys(self.names, math.nan) if broken else self.measure())
