"""Gradients travel between processes as one vector; logs between machines have an axis."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.ops import collectives
from keras_contrastive.training.devices import as_logs, averaged_gradients


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch's processes alone")
def test_the_mean_has_the_shapes_of_the_gradients(monkeypatch):
    monkeypatch.setattr(collectives, "num_devices", lambda: 4)
    monkeypatch.setattr(collectives, "all_sum", lambda x: 2.0 * x)
    gradients = [ops.ones(()), None, ops.reshape(ops.arange(6.0), (2, 3)), ops.ones((1,))]
    optimizer, taken = keras.optimizers.SGD(), []
    monkeypatch.setattr(keras.optimizers.SGD, "apply", lambda self, values: taken.extend(values))
    with averaged_gradients(optimizer):
        optimizer.apply(gradients)
    assert taken[1] is None
    for given, mean in zip(gradients[::2] + gradients[3:], taken[::2] + taken[3:], strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(mean), given / 2)
    optimizer.apply(gradients)  # outside of it, as they are
    assert taken[4] is gradients[0]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's strategies alone")
@pytest.mark.parametrize(("several", "shape"), [(False, ()), (True, (1,))])
def test_logs_have_the_axis_that_is_averaged_between_machines(several, shape, monkeypatch):
    import tensorflow as tf

    extended = type(tf.distribute.get_strategy().extended)
    monkeypatch.setattr(extended, "_in_multi_worker_mode", lambda self: several)
    assert as_logs({"loss": ops.ones(())})["loss"].shape == shape
