"""An encoder trained in mixed precision computes in float32 once it is saved for others."""

import keras
import numpy as np

from keras_contrastive.encoders import in_float32, small_resnet


def test_all_layers_compute_in_float32_with_the_same_weights():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = small_resnet((8, 8, 3), widths=(4, 8))
    finally:
        keras.config.set_dtype_policy("float32")
    exact = in_float32(mixed)
    assert {layer.compute_dtype for layer in exact.layers} == {"float32"}
    for ours, theirs in zip(exact.get_weights(), mixed.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    x = np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")
    rough, fine = mixed.predict(x, verbose=0), exact.predict(x, verbose=0)
    assert 0 < np.abs(rough - fine).max() < 0.1 * np.abs(fine).max()


def test_a_float32_model_is_returned_as_it_is():
    model = small_resnet((8, 8, 3), widths=(4, 8))
    assert in_float32(model) is model
