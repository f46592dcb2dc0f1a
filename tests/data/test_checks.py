import numpy as np
import pytest
from keras import ops

from keras_contrastive.data import check_images, check_labels


def image(value=0.5, dtype="float32", shape=(3, 4, 4, 3)):
    return np.full(shape, value, dtype)


def spoiled(value):
    images = image()
    images[1, 2, 2, 0] = value
    return images


@pytest.mark.parametrize(
    "images",
    [
        image(255, "uint8"),
        image(0.0),
        image(1.0),
        image(1.005),  # the overshoot of a resampling
        image(0.5, "float64"),
        image(0.5, "float16"),
        ops.ones((1, 4, 4, 3)),
        ops.ones((1, 4, 4, 3), "bfloat16"),
    ],
)
def test_images_pass(images):
    check_images(images)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (image(shape=(4, 4)), r"shape \(N, H, W, C\). Received: shape \(4, 4\). Make a batch"),
        (image(shape=(4, 4, 3)), r"Received: shape \(4, 4, 3\). Add the missing axis"),
        (image(shape=(1, 2, 4, 4, 3)), r"Received: shape \(1, 2, 4, 4, 3\)\.$"),
        (image(shape=(0, 4, 4, 3)), "at least one image"),
        (image(7, "int64"), r"Received: dtype int64. Convert them: images.astype\('uint8'\)"),
        (image(1, "bool"), "Received: dtype bool"),
        (image(255.0), "Received: values from 255 to 255. Divide by"),
        (image(1.4), "Received: values from 1.4 to 1.4. Divide by"),
        (spoiled(-2.1), "Received: values from -2.1 to 0.5. Give images before any standard"),
        (spoiled(np.nan), "finite images. Received: 1 of 3 images with NaN or infinity"),
        (spoiled(np.inf), "finite images. Received: 1 of 3"),
        (spoiled(-np.inf), "finite images. Received: 1 of 3"),
    ],
)
def test_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        check_images(images)


def test_tensors_are_refused_too():
    with pytest.raises(ValueError, match="Received: values from 0 to 255"):
        check_images(ops.reshape(ops.arange(256, dtype="float32"), (1, 16, 16, 1)))
    with pytest.raises(ValueError, match="Received: dtype int32"):
        check_images(ops.ones((1, 4, 4, 3), "int32"))


def test_labels_pass():
    check_labels(np.array([0, 1, 9], "uint8"), 10, num_images=3)
    check_labels(np.array([0, 1, 99]))
    check_labels(ops.convert_to_tensor([0, 1, 2]), 3)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (None, {}, "Expected labels, an integer array of shape .* Received: None"),
        (np.zeros((3, 1), int), {}, r"Received: shape \(3, 1\). Flatten them"),
        (np.eye(3), {}, r"Received: shape \(3, 3\). From one-hot"),
        (np.zeros(0, int), {}, "at least one label"),
        (np.zeros(3), {}, "integer labels. Received: dtype float64"),
        (np.arange(3), {"num_classes": 2}, r"in 0..1 \(num_classes=2\). Received: .* 0 to 2"),
        (np.array([-1, 2]), {"num_classes": 3}, r"in 0..2 .* Received: labels from -1 to 2"),
        (np.array([-1, 2]), {}, "of at least 0. Received: labels from -1 to 2"),
        (np.arange(3), {"num_images": 4}, r"one label an image \(4\). Received: 3 labels"),
    ],
)  # fmt: skip
def test_labels_are_refused(labels, options, message):
    with pytest.raises(ValueError, match=message):
        check_labels(labels, **options)
