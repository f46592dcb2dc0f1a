"""Arrays are read without TensorFlow's tuner, whose sleep an epoch would wait for."""

import keras
import numpy as np
import pytest

import keras_contrastive as kc
from keras_contrastive.data import Rows

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow tunes how data is read"
)


class Noting(keras.Model):
    """Notes in each step whether the reading of its data is tuned; `None` is yes."""

    tuned: list

    def make_train_function(self, force=False):
        super().make_train_function(force)
        step = self.train_function

        def noting(iterator):
            self.tuned.append(iterator._dataset.options().autotune.enabled)
            return step(iterator)

        self.train_function = noting


class Linear(Noting):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)


class SimCLR(Noting, kc.SimCLR):
    pass


def tuned(model, data, **arguments):
    object.__setattr__(model, "tuned", [])
    model.compile("sgd", "mse" if isinstance(model, Linear) else None)
    model.fit(data, epochs=2, verbose=0, **arguments)
    return model.tuned


@pytest.fixture
def arrays():
    return np.ones((8, 2), "float32"), np.ones((8, 1), "float32")


def test_arrays_and_pydatasets_are_read_without_the_tuner_within_it_only(arrays):
    x, y = arrays
    with kc.training.prompt_epochs():
        assert tuned(Linear(), x, y=y, batch_size=4) == 4 * [False]
        assert tuned(Linear(), Rows(arrays, batch_size=4)) == 4 * [False]
    assert tuned(Linear(), x, y=y, batch_size=4) == 4 * [None]
    assert tuned(Linear(), Rows(arrays, batch_size=4)) == 4 * [None]


def test_data_sets_of_tensorflow_are_left_as_they_are(arrays):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(arrays).batch(4)
    with kc.training.prompt_epochs():
        assert tuned(Linear(), data, shuffle=False) == 4 * [None]


def test_methods_are_fitted_within_it():
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), "uint8")
    encoder = kc.encoders.small_resnet(input_shape=(8, 8, 3), widths=(4,))
    method = SimCLR(encoder, kc.augmentation.simclr_views(size=8, blur=0.0))
    assert tuned(method, images, batch_size=4) == 4 * [False]
