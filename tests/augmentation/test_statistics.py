"""What the layers draw: probabilities, ranges, distributions, independence of the samples.

Bounds are four standard errors wide; seeds are fixed.
"""

import colorsys
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from keras_contrastive.augmentation import (
    ColorJitter,
    GaussianBlur,
    GaussianNoise,
    RandomAffine,
    RandomApply,
    RandomFlip,
    RandomGrayscale,
    RandomResizedCrop,
    RandomRotation,
    SaltAndPepper,
    SobelFilter,
    Solarize,
)
from keras_contrastive.augmentation.base import Augmentation
from keras_contrastive.augmentation.image.color_jitter import jitter

N = 2000


def drawn(run, layer, method, images):
    """What a method of a layer draws for images (N, C, H, W)."""

    class Draws(Augmentation):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def call(self, images):
            return getattr(layer, method)(images)

    return run(Draws(), images)


def assert_rate(hits, rate):
    assert abs(np.mean(hits) - rate) < 4 * np.sqrt(rate * (1 - rate) / len(hits))


def assert_uniform(values, low, high, slack=0.0):
    """Uniform in [low, high], up to rounding or estimation errors of at most `slack`."""
    assert low - slack <= values.min()
    assert values.max() <= high + slack
    values = np.clip(values, low, high)
    assert stats.kstest((values - low) / (high - low), "uniform").pvalue > 1e-3


def blank(height, width, channels=1, value=0.5):
    return np.full((N, channels, height, width), value, "float32")


def changed(run, layer, images):
    """Which of the images (N, H, W, C) the layer changes."""
    result = run(layer, images)
    assert result.min() >= 0
    assert result.max() <= 1
    return np.abs(result - images).reshape(len(images), -1).max(axis=1) > 1e-4


def test_crop_area_is_uniform_and_ratio_log_uniform(run):
    # Boxes of at most half of the image always fit, so that no draw is rejected.
    crop = RandomResizedCrop(8, scale=(0.1, 0.5), ratio=(0.5, 2.0), seed=1)
    top, left, height, width = drawn(run, crop, "boxes", blank(100, 100))
    assert_uniform(height * width / 1e4, 0.1, 0.5, slack=0.01)
    assert_uniform(np.log(width / height), -np.log(2), np.log(2), slack=0.05)
    assert_uniform((top + 0.5) / (101 - height), 0, 1)
    assert_uniform((left + 0.5) / (101 - width), 0, 1)
    assert abs(stats.spearmanr(height * width, width / height).statistic) < 0.09
    assert abs(stats.spearmanr(top[:-1], top[1:]).statistic) < 0.09


@pytest.mark.parametrize(("height", "width"), [(20, 30), (60, 24), (8, 8)])
def test_crop_stays_inside(run, height, width):
    crop = RandomResizedCrop(8, seed=0)
    top, left, box_height, box_width = drawn(run, crop, "boxes", blank(height, width))
    for start, length, full in ((top, box_height, height), (left, box_width, width)):
        assert np.all(start == np.round(start))
        assert np.all(length == np.round(length))
        assert start.min() == 0
        assert length.min() >= 1
        assert (start + length).max() == full


def test_crop_that_never_fits_is_the_largest_central_box(run):
    crop = RandomResizedCrop(8, scale=(1.0, 1.0), ratio=(0.75, 4 / 3))
    for shape, box in {(30, 90): (0, 25, 30, 40), (90, 30): (25, 0, 40, 30)}.items():
        for values, expected in zip(drawn(run, crop, "boxes", blank(*shape)), box):
            assert set(values) == {expected}


def test_jitter_factors(run):
    layer = ColorJitter(0.4, 1.5, 0.2, 0.1, rate=0.8, seed=2)
    factors = drawn(run, layer, "factors", blank(1, 1))
    same = np.all(factors == [1, 1, 1, 0], axis=1)
    assert_rate(~same, 0.8)
    limits = ((0.6, 1.4), (0.0, 2.5), (0.8, 1.2), (-0.1, 0.1))
    for values, (low, high) in zip(factors[~same].T, limits):
        assert_uniform(values, low, high, slack=1e-6)
    assert np.abs(np.corrcoef(factors[~same].T) - np.eye(4)).max() < 0.1


def test_jitter_order_is_uniform_over_permutations(run):
    orders = drawn(run, ColorJitter(seed=0), "order", blank(1, 1))
    all_orders = [tuple(order) for order in permutations(range(4))]
    counts = [sum(map(order.__eq__, map(tuple, orders))) for order in all_orders]
    assert sum(counts) == N
    assert stats.chisquare(counts).pvalue > 1e-3


def test_jitter_in_every_order_is_the_operations_one_by_one(run):
    rng = np.random.default_rng(0)
    orders = np.array(list(permutations(range(4))), "int32")
    images = rng.random((24, 3, 3, 2), dtype="float32")
    low, high = [0.2, 0.2, 0.2, -0.5], [1.8, 1.8, 1.8, 0.5]
    factors = rng.uniform(low, high, (24, 4)).astype("float32")
    results = run(jitter, images, factors, orders)
    for image, factor, order, result in zip(images, factors, orders, results):
        expected = image.astype("float64")
        for operation in order:
            expected = OPERATIONS[operation](expected, factor[operation]).clip(0, 1)
        np.testing.assert_allclose(result, expected, atol=2e-5)


def luma(image):
    return np.tensordot([0.2989, 0.587, 0.114], image, axes=1)


def turn_hue(image, shift):
    def turn(pixel):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        return colorsys.hsv_to_rgb((hue + shift) % 1, saturation, value)

    return np.apply_along_axis(turn, 0, image)


OPERATIONS = (
    lambda image, factor: factor * image,
    lambda image, factor: factor * image + (1 - factor) * luma(image).mean(),
    lambda image, factor: factor * image + (1 - factor) * luma(image),
    turn_hue,
)


@pytest.mark.parametrize(
    "layer",
    [
        RandomGrayscale(0.2, seed=0),
        RandomFlip("horizontal", 0.5, seed=0),
        RandomFlip("vertical", 0.3, seed=0),
        GaussianBlur(3, (1.0, 2.0), rate=0.5, seed=0),
        Solarize(0.5, 0.2, seed=0),
        SobelFilter(0.4, seed=0),
        GaussianNoise((0.05, 0.1), 0.5, seed=0),
        SaltAndPepper((0.4, 0.5), 0.6, seed=0),
        RandomApply([RandomFlip(rate=1.0)], 0.35, seed=0),
        ColorJitter(rate=0.8, seed=0),
    ],
    ids=lambda layer: f"{layer.name}",
)
def test_rate(run, layer):
    image = np.random.default_rng(0).random((6, 6, 3), dtype="float32")
    hits = changed(run, layer, np.stack([image] * N))
    assert_rate(hits, layer.rate)
    # Neighbours in the batch are drawn independently, and so are neighbouring batches.
    assert abs(np.corrcoef(hits[:-1], hits[1:])[0, 1]) < 0.09
    assert abs(np.corrcoef(hits, changed(run, layer, np.stack([image] * N)))[0, 1]) < 0.09


def test_both_flips_are_independent(run):
    image = np.arange(4, dtype="float32").reshape(2, 2, 1) / 4
    corner = run(RandomFlip("horizontal_and_vertical", seed=0), np.stack([image] * N))[:, 0, 0, 0]
    assert stats.chisquare(np.unique(corner, return_counts=True)[1]).pvalue > 1e-3


def test_blur_widths_are_uniform(run):
    image = np.zeros((7, 7, 1), "float32")
    image[3, 3] = 1
    blurred = run(GaussianBlur(3, (0.5, 2.0), rate=1.0, seed=0), np.stack([image] * N))[..., 0]
    ratio = blurred[:, 3, 2] / blurred[:, 3, 3]  # exp(-1 / (2 sigma^2))
    assert_uniform(np.sqrt(-0.5 / np.log(ratio)), 0.5, 2.0, slack=1e-3)


def test_default_blur_takes_a_tenth_of_the_height(run):
    image = np.zeros((1, 64, 40, 1), "float32")
    image[0, 32, 20] = 1
    blurred = run(GaussianBlur(sigma=(9.0, 9.0), rate=1.0), image)
    assert np.count_nonzero(blurred > 1e-6) == 7 * 7


def test_noise_strength_is_uniform(run):
    noisy = run(GaussianNoise((0.02, 0.1), 1.0, seed=0), np.full((N, 24, 24, 1), 0.5, "float32"))
    stddev = noisy.reshape(N, -1).std(axis=1)  # estimated to 3 %
    assert_uniform(stddev, 0.02, 0.1, slack=0.02)
    assert abs(noisy.mean() - 0.5) < 1e-3


def test_salt_and_pepper_are_equal_parts_of_whole_pixels(run):
    noisy = run(SaltAndPepper((0.3, 0.3), 1.0, seed=0), np.full((N, 8, 8, 3), 0.5, "float32"))
    assert np.all(noisy == noisy[..., :1])
    assert abs(np.mean(noisy == 1) - 0.15) < 0.005
    assert abs(np.mean(noisy == 0) - 0.15) < 0.005


def test_affine_ranges(run):
    # Shifts alone: the place of one white pixel shows them.
    image = np.zeros((21, 21, 1), "float32")
    image[10, 10] = 1
    layer = RandomAffine(0.0, translate=(0.2, 0.1), seed=0)
    shifted = run(layer, np.stack([image] * N)).reshape(N, -1).argmax(axis=1)
    rows, columns = np.unravel_index(shifted, (21, 21))
    assert set(rows - 10) == set(range(-2, 3))
    assert set(columns - 10) == set(range(-4, 5))


def test_rotation_angles_are_uniform(run):
    # The centre of mass of a blob to the right of the centre turns with the image.
    y, x = np.mgrid[-16:17, -16:17]
    image = np.exp(-((x - 9) ** 2 + y**2) / 8).astype("float32")[..., None]
    turned = run(RandomRotation((-30, 60), seed=0), np.stack([image] * N))[..., 0]
    angle = np.degrees(np.arctan2(-(turned * y).sum((1, 2)), (turned * x).sum((1, 2))))
    assert_uniform(angle, -30, 60, slack=0.5)
