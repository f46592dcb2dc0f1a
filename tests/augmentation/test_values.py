"""The functions behind the layers give torchvision's and Pillow's values."""

import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops
from PIL import Image

from keras_contrastive.augmentation import RandomGrayscale, Solarize
from keras_contrastive.augmentation.image.color import blend, shift_hue
from keras_contrastive.augmentation.image.gaussian_blur import convolve, gaussian_taps
from keras_contrastive.augmentation.image.random_resized_crop import crop_and_resize
from keras_contrastive.augmentation.image.sobel_filter import gradient_size
from keras_contrastive.augmentation.image.warp import warp

GOLDEN = np.load(Path(__file__).parent / "golden" / "torchvision.npz")
CALLS = [
    (name, i, arguments)
    for name, calls in json.loads(str(GOLDEN["arguments"])).items()
    for i, arguments in enumerate(calls)
]


def both(value):
    """One value for each of the two golden images."""
    return ops.full((2,), float(value), dtype="float32")


def resized_crop(images, top, left, height, width, size, interpolation):
    return crop_and_resize(images, *map(both, (top, left, height, width)), size, interpolation)


def gaussian_blur(images, kernel_size, sigma):
    return convolve(images, gaussian_taps(both(sigma), kernel_size // 2))


def clipped_blend(images, *factors):
    return ops.clip(blend(images, *map(both, factors)), 0, 1)


def adjust_brightness(images, factor):
    return clipped_blend(images, factor, 0, 0)


def adjust_contrast(images, factor):
    return clipped_blend(images, factor, 0, 1 - factor)


def adjust_saturation(images, factor):
    return clipped_blend(images, factor, 1 - factor, 0)


def adjust_hue(images, factor):
    return shift_hue(images, both(factor))


def grayscale(images):
    return RandomGrayscale(1.0).augment(images)


def solarize(images, threshold):
    return Solarize(threshold, 1.0).augment(images)


def rotate(images, angle):
    return warp(images, both(-angle), both(0), both(0), both(1), both(0))


def affine(images, angle, translate, scale, shear):
    return warp(images, both(angle), *map(both, translate), both(scale), both(shear))


@pytest.mark.parametrize(("name", "i", "arguments"), CALLS, ids=lambda value: str(value)[:20])
def test_torchvision(run, name, i, arguments):
    result = run(lambda images: globals()[name](images, **arguments), GOLDEN["images"])
    np.testing.assert_allclose(result, GOLDEN[f"{name}/{i}"], atol=2e-5)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(7, 7), (20, 11), (48, 64)])
def test_crop_and_resize_is_pillows(run, interpolation, size):
    rng = np.random.default_rng(0)
    images = rng.random((3, 1, 30, 40), dtype="float32")
    boxes = np.array([[0, 0, 30, 40], [4, 7, 20, 11], [25, 30, 5, 3]], "float32")
    result = run(lambda *args: crop_and_resize(*args, size, interpolation), images, *boxes.T)
    method = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    for image, box, ours in zip(images, boxes.astype(int), result):
        top, left, height, width = box
        part = Image.fromarray(image[0]).crop((left, top, left + width, top + height))
        theirs = np.asarray(part.resize(size[::-1], method[interpolation]))
        np.testing.assert_allclose(ours[0], theirs.clip(0, 1), atol=1e-5)


def test_resize_of_a_whole_image_is_pillows_with_its_box(run):
    # `resize(box=)` also reads pixels around the box: equal only where there are none.
    image = np.random.default_rng(0).random((30, 40), dtype="float32")
    theirs = Image.fromarray(image).resize((9, 9), Image.Resampling.BILINEAR, box=(0, 0, 40, 30))
    box = (np.float32([v]) for v in (0, 0, 30, 40))
    ours = run(lambda *args: crop_and_resize(*args, (9, 9), "bilinear"), image[None, None], *box)
    np.testing.assert_allclose(ours[0, 0], np.asarray(theirs), atol=1e-5)


def test_uint8_crop_is_within_roundings_of_pillows(run):
    image = np.random.default_rng(0).integers(0, 256, (30, 40), "uint8")
    theirs = Image.fromarray(image).crop((5, 2, 35, 27)).resize((8, 8), Image.Resampling.BICUBIC)
    planes = (image / 255).astype("float32")[None, None]
    box = (np.float32([v]) for v in (2, 5, 25, 30))
    ours = run(lambda *args: crop_and_resize(*args, (8, 8), "bicubic"), planes, *box)[0, 0]
    assert np.abs(255 * ours - np.asarray(theirs)).max() < 1.5


def test_blur_is_a_brute_force_convolution_of_each_sample(run):
    images = np.random.default_rng(0).random((3, 2, 9, 8), dtype="float32")
    sigmas = np.float32([0.3, 1.0, 2.0])
    result = run(lambda x, sigma: convolve(x, gaussian_taps(sigma, 2)), images, sigmas)
    for image, sigma, ours in zip(images, sigmas, result):
        taps = np.exp(-0.5 * (np.arange(-2, 3) / sigma) ** 2)
        kernel = np.outer(taps, taps) / taps.sum() ** 2
        for channel in range(2):
            padded = np.pad(image[channel], 2, mode="reflect")
            windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
            np.testing.assert_allclose(ours[channel], (windows * kernel).sum((2, 3)), atol=1e-5)


def test_hue_of_colours_on_the_borders_of_the_sextants(run):
    red, yellow, cyan, gray = [1, 0, 0], [1, 1, 0], [0, 1, 1], [0.5, 0.5, 0.5]
    images = np.array([red, yellow, cyan, gray], "float32").reshape(4, 3, 1, 1)
    turned = run(shift_hue, images, np.full(4, 1 / 3, "float32")).reshape(4, 3)
    green, blue_green, magenta = [0, 1, 0], [0, 1, 1], [1, 0, 1]
    np.testing.assert_allclose(turned, [green, blue_green, magenta, gray], atol=1e-5)


def test_sobel_is_scipys(run):
    ndimage = pytest.importorskip("scipy.ndimage")
    image = 0.5 * np.random.default_rng(0).random((9, 7), dtype="float32")
    dx, dy = (ndimage.sobel(image, axis=axis, mode="mirror") for axis in (1, 0))
    expected = np.clip(np.hypot(dx, dy) / 4, 0, 1)
    result = run(gradient_size, image[None, None])[0, 0]
    np.testing.assert_allclose(result, expected, atol=1e-5)
