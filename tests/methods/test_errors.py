"""Bad input: each a clear error or a documented behaviour."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest

import keras_contrastive as kc
from keras_contrastive.methods.inputs import check_rest
from tests.methods.parts import METHODS, byol, compiled, images, simclr, tiny_encoder


def test_wrong_rank():
    with pytest.raises(ValueError, match="Received"):
        compiled(simclr()).fit(images()[0][0], verbose=0)


def test_nan_images():
    x, _ = images()
    x[3, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"(?i)nan|finite"):
        compiled(simclr()).fit(x, verbose=0)


def test_validation_images_are_looked_at_before_the_first_epoch():
    epochs = []
    watch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
    x, labels = images()
    with pytest.raises(ValueError, match="255"):
        compiled(simclr()).fit(x, validation_data=(x * 255, labels), callbacks=[watch], verbose=0)
    assert epochs == []


def test_floats_up_to_255():
    with pytest.raises(ValueError, match="255"):
        compiled(simclr()).fit(images()[0] * 255, verbose=0)


def test_integers_that_are_not_uint8():
    with pytest.raises(ValueError, match="uint8"):
        compiled(simclr()).fit((images()[0] * 255).astype("int64"), verbose=0)


def test_a_batch_of_one():
    with pytest.raises(ValueError, match="batch of one"):
        compiled(simclr()).fit(images()[0], batch_size=1, verbose=0)


def test_a_rest_of_one():
    with pytest.raises(ValueError, match="batch of one"):
        compiled(byol()).fit(images(9)[0], batch_size=4, verbose=0)


def test_a_rest_of_one_in_a_stream():
    """The weights are those of before: the step that would spoil them does not happen."""
    method = compiled(METHODS["vicreg"](), jit_compile=False)
    x, _ = images(9)

    def batches():
        yield (x[:4],)
        yield (x[8:],)

    with pytest.raises(Exception, match="batch of one"):
        method.fit(batches(), shuffle=False, verbose=0)
    assert all(np.isfinite(keras.ops.convert_to_numpy(v)).all() for v in method.weights)


def test_a_rest_smaller_than_the_micro_batches():
    with pytest.raises(ValueError, match=r"a rest of 2 from 10 samples .* and 4 micro-batch"):
        compiled(simclr(micro_batches=4)).fit(images(10)[0], batch_size=8, verbose=0)
    compiled(simclr(micro_batches=2)).fit(images(10)[0], batch_size=8, verbose=0)


@pytest.mark.parametrize(
    ("backend", "num", "micro_batches", "message"),
    [
        ("jax", 19, 1, "share evenly. Received: a rest of 3"),
        ("tensorflow", 18, 1, None),
        ("tensorflow", 18, 2, "each micro-batch of a device. Received: a rest of 2"),
        ("tensorflow", 20, 2, None),
    ],
)
def test_a_rest_on_two_devices(monkeypatch, backend, num, micro_batches, message):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    expected = nullcontext() if message is None else pytest.raises(ValueError, match=message)
    with expected:
        check_rest(np.zeros((num, 4)), 8, 0.0, micro_batches, shares=2)


def test_missing_labels():
    with pytest.raises(ValueError, match="Expected labels for the online probe"):
        compiled(simclr(probe_classes=4)).fit(images()[0], verbose=0)


def test_labels_out_of_range():
    x, y = images()
    with pytest.raises(ValueError, match="Received"):
        compiled(simclr(probe_classes=3)).fit(x, y, verbose=0)


def test_no_augmentation_and_no_views():
    with pytest.raises(ValueError, match="ready views"):
        compiled(kc.SimCLR(tiny_encoder())).fit(images()[0], verbose=0)


def test_too_many_views():
    x, _ = images()
    with pytest.raises(ValueError, match="Received: 3"):
        compiled(kc.SimCLR(tiny_encoder())).fit((x, x, x), verbose=0)


def test_a_momentum_that_is_none():
    with pytest.raises(ValueError, match=r"momentum=1\.5"):
        byol(momentum=1.5)


def test_a_truncated_file(tmp_path):
    method = compiled(simclr())
    path = tmp_path / "method.keras"
    method.save(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(Exception, match=r"(?i)zip|not a .*file|damaged|truncated"):
        keras.saving.load_model(path)


def test_an_encoder_that_is_not_built():
    with pytest.raises(ValueError, match="Received"):
        kc.SimCLR(keras.Sequential([keras.layers.Flatten()]))


def test_an_objective_that_returns_something_else():
    class Broken(kc.SimCLR):
        def objective(self, views, labels=None, index=None, training=True):
            results = super().objective(views, labels, index, training)
            return {**results, "surprise": results["loss"]}

    with pytest.raises(ValueError, match="surprise"):
        compiled(Broken(tiny_encoder(), simclr().augmentation)).fit(images()[0], verbose=0)


@pytest.mark.parametrize("settings", [{"loss": "mse"}, {"metrics": ["accuracy"]}])
def test_a_loss_of_compile_is_refused(settings):
    method = simclr()
    method.compile("sgd", **settings)
    for call in (method.fit, method.evaluate):
        with pytest.raises(ValueError, match="brings its own"):
            call(images()[0], verbose=0)
