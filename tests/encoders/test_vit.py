"""The vision transformer's shapes and formats; its features are timm's (tests/presets/convert)."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.encoders import vit


def tiny(input_shape=(16, 16, 3), **kwargs):
    return vit(input_shape, patch_size=8, dim=12, depth=2, num_heads=3, **kwargs)


def features(model, images):
    return ops.convert_to_numpy(model(images, training=False))


def test_number_of_weights_of_vit_s_16():
    """timm's 22,050,664 with its classifier of 1000 classes; a token's two biases are one here."""
    fused = 384 + 384  # class token, and the bias of the patches
    assert vit().count_params() == 22_050_664 - 385_000 - fused


def test_images_need_not_be_square():
    images = np.random.default_rng(0).random((2, 16, 32, 3), "float32")
    model = tiny((16, 32, 3))
    assert model.get_layer("tokens").output.shape == (None, 9, 12)
    assert features(model, images).shape == (2, 12)


def test_each_patch_is_seen():
    images = np.random.default_rng(0).random((1, 16, 16, 3), "float32")
    model = tiny()
    before = features(model, images)
    for row, column in ((0, 0), (0, 8), (8, 0), (8, 8)):
        changed = images.copy()
        changed[0, row : row + 8, column : column + 8] = 0
        assert np.abs(features(model, changed) - before).max() > 1e-6


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="TensorFlow is tested channels-last on CPU"
)
def test_channels_first_gives_the_same_features():
    last = tiny()
    keras.config.set_image_data_format("channels_first")
    try:
        first = tiny((3, 16, 16))
    finally:
        keras.config.set_image_data_format("channels_last")
    first.set_weights(last.get_weights())
    images = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
    np.testing.assert_allclose(
        features(first, images.transpose(0, 3, 1, 2)), features(last, images), rtol=1e-4, atol=1e-5
    )


def test_features_are_float32_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = tiny()
    finally:
        keras.config.set_dtype_policy("float32")
    output = model(np.zeros((1, 16, 16, 3), "float32"))
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    assert model.get_layer("block1_attention").compute_dtype == "bfloat16"


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"input_shape": (20, 16, 3)}, r"input_shape=\(20, 16, 3\)"),
        ({"input_shape": (None, 16, 3)}, r"input_shape=\(None, 16, 3\)"),
        ({"num_heads": 5}, "num_heads=5"),
    ],
)
def test_refuses(arguments, received):
    settings = {"input_shape": (16, 16, 3), "patch_size": 8, "dim": 12, "num_heads": 3}
    with pytest.raises(ValueError, match=f"Expected known sizes.*Received: .*{received}"):
        vit(depth=1, **{**settings, **arguments})
