"""The last good state survives whatever ends a run."""

import resource
import signal

import keras
import numpy as np
import pytest

from keras_contrastive.callbacks import TrainingBackup
from tests.methods.parts import compiled, images, moco


class Stop(Exception):
    pass


class StopInTheMiddle(keras.callbacks.Callback):
    """Ends `fit` within an epoch, counted from 0."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch and batch == 1:
            raise Stop


def fit(folder, epochs, *callbacks, seed=0):
    keras.utils.set_random_seed(seed)
    method = compiled(moco())
    backup = TrainingBackup(folder)
    history = method.fit(
        images(32)[0],
        batch_size=8,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, backup],
    )
    return method, history


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_resumed_run_equals_one_that_was_not_interrupted(tmp_path):
    whole, whole_history = fit(tmp_path / "whole", 4)
    with pytest.raises(Stop):
        fit(tmp_path / "parts", 4, StopInTheMiddle(2))
    assert files(tmp_path / "parts") == ["epoch_00001.keras", "epoch_00002.keras"]
    parts, parts_history = fit(tmp_path / "parts", 4, seed=9)  # a new process has another state
    assert parts_history.history["loss"] == whole_history.history["loss"][2:]
    for one, other in zip(parts.variables, whole.variables, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other)
        )
    assert files(tmp_path / "parts") == ["epoch_00003.keras", "epoch_00004.keras"]


def test_a_damaged_file_is_told_and_the_one_before_it_is_used(tmp_path):
    fit(tmp_path, 2)
    last = tmp_path / "epoch_00002.keras"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="epoch_00002.keras is damaged"):
        _, history = fit(tmp_path, 3)
    assert len(history.history["loss"]) == 2
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="is damaged"),
        pytest.raises(ValueError, match=r"2 damaged file\(s\)"),
    ):
        fit(tmp_path, 3)


class FullDisk(keras.callbacks.Callback):
    """From an epoch on, no file can grow beyond a few kilobytes."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))


@pytest.fixture
def limits():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails, and does not kill
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_keeps_the_last_good_state(tmp_path, limits):
    whole, _ = fit(tmp_path / "whole", 3)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(OSError, match="goes on from the last good state"):
        fit(tmp_path / "run", 3, FullDisk(1))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(tmp_path / "run") == ["epoch_00001.keras"]
    resumed, _ = fit(tmp_path / "run", 3)
    np.testing.assert_array_equal(resumed.get_weights()[0], whole.get_weights()[0])


class Break(keras.callbacks.Callback):
    """A weight that is not a number from the middle of the second epoch on."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 6:
            self.model.encoder.trainable_variables[0].assign(
                self.model.encoder.trainable_variables[0] * float("nan")
            )


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="weights are out of reach in an epoch")
def test_broken_weights_are_not_saved(tmp_path):
    fit(tmp_path, 2, Break())
    assert files(tmp_path) == ["epoch_00001.keras"]
