"""Views of several sizes: one forward pass a size."""

import keras
import numpy as np
from keras import ops

from keras_contrastive.training import by_view, forward_by_size


class Counting(keras.layers.Layer):
    """Notes the batches that pass."""

    def call(self, x):
        if isinstance(x.shape[0], int):
            self.shapes.append(tuple(x.shape))
        return ops.mean(x, axis=(1, 2))


def test_equal_sizes_go_together_and_come_back_in_order():
    counting = Counting()
    counting.shapes = []
    encoder = keras.Sequential([keras.Input((None, None, 2)), counting])

    def network(batches, training):
        return encoder(ops.concatenate(batches), training=training)

    rng = np.random.default_rng(0)
    sizes = (4, 4, 2, 2, 2)
    views = [rng.random((3, size, size, 2), "float32") for size in sizes]
    counting.shapes.clear()
    features = by_view(forward_by_size(network, views, training=False), len(views))
    assert counting.shapes == [(6, 4, 4, 2), (9, 2, 2, 2)]
    for feature, view in zip(features, views, strict=True):
        expected = view.mean(axis=(1, 2))
        np.testing.assert_allclose(ops.convert_to_numpy(feature), expected, rtol=1e-5)
