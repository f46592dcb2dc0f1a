"""Keeps the last good training state, so that an interrupted run can go on."""

import math
import os
import re
import warnings
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
from keras import ops

from keras_contrastive.ops.collectives import process_index

_NAME = "epoch_{:05d}.keras"
_PATTERN = re.compile(r"epoch_(\d+)\.keras")


class TrainingBackup(keras.callbacks.Callback):
    """Saves the whole training state after each epoch, and goes on from it.

    Weights, optimizer, queues, targets, random states and the number of the epoch are one file,
    which `keras.saving.load_model` opens too. It appears under its name only when it is complete:
    whatever kills the run, at whatever moment, the last good state is there. A state with weights
    or a loss that are not finite is not saved. `fit` starts with the epoch after the saved one;
    the state before it is kept beside, and is used with a warning if the last file is damaged. Of
    several processes that train together the first one saves; all need to see the folder.

    Args:
        folder: Where the files go; made if it is missing.

    Raises:
        OSError: If a state cannot be written, as on a full disk. Training stops with the last
            good state in the folder.
        ValueError: If no file in the folder can be read, or they are of another model.

    Example:

    >>> import keras, numpy as np, tempfile
    >>> from keras_contrastive.callbacks import TrainingBackup
    >>> def train(folder, epochs):
    ...     keras.utils.set_random_seed(0)
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile(keras.optimizers.Adam(), "mse")
    ...     x = np.ones((8, 2), "float32")
    ...     model.fit(x, x[:, :1], epochs=epochs, verbose=0, callbacks=[TrainingBackup(folder)])
    ...     return model.get_weights()[0]
    >>> with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
    ...     _ = train(one, 1)  # interrupted after the first epoch
    ...     resumed, whole = train(one, 3), train(other, 3)
    >>> bool(np.array_equal(resumed, whole))
    True
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.folder = Path(folder)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self.model.optimizer.built:  # its slots are loaded too
            self.model.optimizer.build(self.model.trainable_variables)
        saved = self._saved()
        for epoch in sorted(saved, reverse=True):
            try:
                self.model.load_weights(saved[epoch])
            except (OSError, KeyError, BadZipFile) as error:  # damaged, not of another model
                warnings.warn(
                    f"The training state {saved[epoch]} is damaged ({error}). Going on from the "
                    "one before it.",
                    stacklevel=2,
                )
                continue
            self.model._initial_epoch = epoch  # where `fit` starts, as BackupAndRestore sets it
            return
        if saved:
            raise ValueError(
                f"Expected a training state in {self.folder}. Received: {len(saved)} damaged "
                "file(s). Remove the folder to start again."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not math.isfinite((logs or {}).get("loss", 0.0)) or not self._weights_are_finite():
            return
        if process_index() != 0:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "partial.keras"
        try:
            self.model.save(partial)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise OSError(
                f"Expected to write the training state to {self.folder}. Received: {error}. Make "
                "room on the disk and start the run again: it goes on from the last good state."
            ) from error
        partial.replace(self.folder / _NAME.format(epoch + 1))
        for path in [path for _, path in sorted(self._saved().items())][:-2]:
            path.unlink()

    def _weights_are_finite(self) -> bool:
        # The loss may hide it: TensorFlow's ReLU makes a zero of what is not a number.
        return all(bool(ops.all(ops.isfinite(v))) for v in self.model.trainable_variables)

    def _saved(self) -> dict[int, Path]:
        """The files by the number of finished epochs."""
        if not self.folder.exists():
            return {}
        matches = ((_PATTERN.fullmatch(path.name), path) for path in self.folder.iterdir())
        return {int(match[1]): path for match, path in matches if match}
