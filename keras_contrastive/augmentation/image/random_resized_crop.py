"""RandomResizedCrop: a random box, resized to one size."""

import math
from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Augmentation, Tensor, check_range, separable

TRIES = 10  # boxes drawn a sample before the central one is taken, as in torchvision


@keras.saving.register_keras_serializable(package="keras_contrastive")
class RandomResizedCrop(Augmentation):
    """Crops a box of random area and aspect ratio and resizes it with antialiasing.

    The area is uniform in `scale` (a fraction of the image), the ratio log-uniform in `ratio`, the
    place uniform, in whole pixels. A box that does not fit is drawn again; after ten draws the
    largest central box of an allowed ratio is taken.

    Args:
        size: height and width of the output, an integer for a square.
        scale: range of the fraction of the area, within [0, 1].
        ratio: range of width / height.
        interpolation: "bilinear" or "bicubic".

    Example:

    >>> import numpy as np
    >>> crop = RandomResizedCrop(32, scale=(0.2, 1.0), seed=0)
    >>> tuple(crop(np.zeros((2, 96, 64, 3), "uint8")).shape)
    (2, 32, 32, 3)

    Reference: Szegedy et al., Going deeper with convolutions (2015), section 6.
    """

    def __init__(
        self,
        size: int | tuple[int, int],
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        interpolation: str = "bicubic",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.size = (size, size) if isinstance(size, int) else size
        if len(self.size) != 2 or min(self.size) < 1:
            raise ValueError(f"Expected size as a positive integer or a pair. Received: {size}.")
        check_range("scale", scale, 0, 1)
        check_range("ratio", ratio, 1e-3, 1e3)
        if interpolation not in KERNELS:
            raise ValueError(
                f"Expected interpolation as one of {sorted(KERNELS)}. Received: {interpolation!r}."
            )
        self.scale, self.ratio, self.interpolation = tuple(scale), tuple(ratio), interpolation

    def augment(self, images: Tensor) -> Tensor:
        return crop_and_resize(images, *self.boxes(images), self.size, self.interpolation)

    def boxes(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draws top, left, height and width of one box a sample: whole numbers in float32, (N,)."""
        full_height, full_width = (ops.cast(n, "float32") for n in ops.shape(images)[2:])
        area = self.uniform(images, self.scale, shape=(TRIES,)) * full_height * full_width
        low, high = self.ratio
        ratio = ops.exp(self.uniform(images, (math.log(low), math.log(high)), shape=(TRIES,)))
        width, height = ops.round(ops.sqrt(area * ratio)), ops.round(ops.sqrt(area / ratio))
        fits = (width >= 1) & (width <= full_width) & (height >= 1) & (height <= full_height)

        # The first that fits: the central box stands last and always does.
        central_width = ops.minimum(full_width, ops.round(full_height * high))
        central_height = ops.minimum(full_height, ops.round(full_width / low))
        first = ops.argmax(ops.pad(fits, ((0, 0), (0, 1)), constant_values=True), axis=-1)
        chosen = ops.one_hot(first, TRIES + 1)  # (N, 11)

        def choose(drawn: Tensor, central: Tensor) -> Tensor:
            return ops.sum(drawn * chosen[:, :-1], axis=-1) + central * chosen[:, -1]

        height, width = choose(height, central_height), choose(width, central_width)
        drawn = 1 - chosen[:, -1:]  # (N, 1): a drawn box lies anywhere, the other in the centre
        place = self.uniform(images, shape=(2,)) * drawn
        top = place[:, 0] * (full_height - height + 1)
        left = place[:, 1] * (full_width - width + 1)
        central = 1 - drawn[:, 0]
        top = ops.floor(top + central * (full_height - height) / 2)
        left = ops.floor(left + central * (full_width - width) / 2)
        return top, left, height, width

    def augmented_shape(self, shape: tuple) -> tuple:
        return (*shape[:2], *self.size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": tuple(self.size),
            "scale": self.scale,
            "ratio": self.ratio,
            "interpolation": self.interpolation,
        }


def crop_and_resize(
    images: Tensor,
    top: Tensor,
    left: Tensor,
    height: Tensor,
    width: Tensor,
    size: tuple[int, int],
    interpolation: str,
) -> Tensor:
    """Cuts a box out of each image (N, C, H, W) and resizes it: two matrix products an image.

    The values are those of Pillow's `image.crop(box).resize(size)` and of torchvision's
    `resized_crop(..., antialias=True)`, but for their rounding to integers.
    """
    full_height, full_width = ops.shape(images)[2:]
    rows = _resize_matrix(top, height, full_height, size[0], KERNELS[interpolation])
    columns = _resize_matrix(left, width, full_width, size[1], KERNELS[interpolation])
    images = separable(images, rows, columns)
    return ops.clip(images, 0, 1) if interpolation == "bicubic" else images


def _resize_matrix(start: Tensor, length: Tensor, full: int, size: int, kernel: Any) -> Tensor:
    """(N, size, full): the weights of the pixels in [start, start + length) for each new pixel."""
    start, length = start[:, None], length[:, None]
    stretch = ops.maximum(length / size, 1.0)  # the kernel widens with the pixels it stands for
    centres = start + (ops.arange(size, dtype="float32") + 0.5) * (length / size)  # (N, size)
    pixels = ops.arange(full, dtype="float32") + 0.5
    inside = (pixels > start) & (pixels < start + length)
    pixels = ops.where(inside, pixels / stretch, 1e6)  # (N, full): out of any kernel's reach
    weights = kernel(ops.abs(pixels[:, None, :] - (centres / stretch)[:, :, None]))
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def _triangle(x: Tensor) -> Tensor:
    return ops.relu(1 - x)


def _cubic(x: Tensor) -> Tensor:
    """Keys' kernel with a = -1/2, the outer piece on [0, 2) plus what the inner adds on [0, 1)."""
    outer = ops.relu(2 - x)
    beyond = outer - 1
    inner = ops.relu(beyond)
    return 0.5 * beyond * outer * outer + (1 - 2 * inner) * inner * inner


KERNELS = {"bilinear": _triangle, "bicubic": _cubic}
