"""Features in batches, in inference mode, of uint8 and float images."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_contrastive.evaluation import embed


def mean_colour():
    return keras.Sequential([keras.Input((4, 4, 3)), layers.GlobalAveragePooling2D()])


def test_uint8_and_float_images_agree_over_a_ragged_last_batch():
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 3), "uint8")
    expected = images.mean(axis=(1, 2)) / 255
    features = embed(mean_colour(), images, batch_size=3)
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, expected, atol=1e-6)
    np.testing.assert_allclose(embed(mean_colour(), images / 255.0), expected, atol=1e-6)


def test_inference_mode():
    noisy = keras.Sequential([keras.Input((6,)), layers.Dropout(0.5), layers.BatchNormalization()])
    x = np.random.default_rng(0).random((8, 6), "float32")
    before = noisy.get_weights()
    np.testing.assert_allclose(embed(noisy, x), x / np.sqrt(1 + 1e-3), rtol=1e-5)
    for old, new in zip(before, noisy.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_model_with_an_encoder():
    class Method(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = mean_colour()

    np.testing.assert_allclose(embed(Method(), np.ones((2, 4, 4, 3))), 1.0)


def test_features_of_half_precision_are_float32():
    encoder = keras.Sequential([keras.Input((2,)), layers.Dense(3, dtype="float16")])
    assert embed(encoder, np.ones((2, 2), "float32")).dtype == "float32"


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((4, 4, 3)),
            r"Expected images of shape \(None, 4, 4, 3\). Received: .*\(4, 4, 3\)",
        ),
        (np.zeros((0, 4, 4, 3)), "Received: shape"),
        (np.full((2, 4, 4, 3), 255.0), r"Expected float images in \[0, 1\].*to 255"),
        (np.zeros((2, 4, 4, 3), "int32"), "Expected images as uint8.*int32"),
        (np.full((2, 4, 4, 3), np.nan), "Expected finite features.*NaN or infinity in 2 of 2 rows"),
    ],
)
def test_bad_images(images, message):
    with pytest.raises(ValueError, match=message):
        embed(mean_colour(), images)


def test_bad_encoders():
    maps = keras.Sequential([keras.Input((4, 4, 3)), layers.Conv2D(2, 1)])
    with pytest.raises(ValueError, match=r"one vector for each image.*\(2, 4, 4, 2\).*as_encoder"):
        embed(maps, np.zeros((2, 4, 4, 3)))
    with pytest.raises(ValueError, match=r"Expected a keras\.Model\. Received: Dense"):
        embed(layers.Dense(2), np.zeros((2, 4)))
