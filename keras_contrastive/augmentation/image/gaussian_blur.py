"""GaussianBlur: a blur of random width."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.augmentation.base import (
    Augmentation,
    Tensor,
    check_range,
    check_rate,
    separable,
)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class GaussianBlur(Augmentation):
    """Convolves with a Gaussian whose standard deviation is drawn for each sample.

    Args:
        kernel_size: odd number of taps, the same in both directions; None takes a tenth of the
            image's height, made odd, as SimCLR does.
        sigma: range of the standard deviation in pixels.
        rate: probability that a sample is blurred.

    Borders are mirrored without repeating the edge. Height and width must be known when traced.

    Example:

    >>> import numpy as np
    >>> blur = GaussianBlur(kernel_size=3, sigma=(1.0, 1.0), rate=1.0)
    >>> image = np.zeros((5, 5, 1), "float32"); image[2, 2] = 1
    >>> round(float(blur(image)[2, 2, 0]), 4)
    0.2042
    """

    def __init__(
        self,
        kernel_size: int | None = None,
        sigma: tuple[float, float] = (0.1, 2.0),
        rate: float = 0.5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if kernel_size is not None and (kernel_size < 1 or kernel_size % 2 == 0):
            raise ValueError(f"Expected kernel_size odd and positive. Received: {kernel_size}.")
        check_range("sigma", sigma, 1e-3, 1e3)
        check_rate("rate", rate)
        self.kernel_size, self.sigma, self.rate = kernel_size, tuple(sigma), rate

    def augment(self, images: Tensor) -> Tensor:
        sigma = self.uniform(images, self.sigma)
        blurred = self.chance(images, self.rate)
        taps = gaussian_taps(sigma, self._radius(images.shape[2]))  # (N, radius + 1)
        untouched = ops.one_hot(0, taps.shape[1])
        return convolve(images, ops.where(blurred[:, None], taps, untouched))

    def _radius(self, height: int) -> int:
        return (self.kernel_size or height // 10) // 2

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "sigma": self.sigma,
            "rate": self.rate,
        }


def gaussian_taps(sigma: Tensor, radius: int) -> Tensor:
    """(N, radius + 1): the middle tap of a normalised Gaussian kernel and those on one side."""
    distance = ops.arange(radius + 1, dtype="float32")
    taps = ops.exp(-0.5 * ops.square(distance / sigma[:, None]))
    return taps / (2 * ops.sum(taps, axis=-1, keepdims=True) - 1)


def convolve(images: Tensor, taps: Tensor) -> Tensor:
    """Convolves images (N, C, H, W) with one symmetric separable kernel a sample.

    Two products with banded matrices: on a CPU they cost less than a pass over memory for each tap.
    """
    return separable(images, *(_band_matrix(taps, size) for size in images.shape[2:]))


def _band_matrix(taps: Tensor, size: int) -> Tensor:
    """(N, size, size): the convolution of a line with mirrored ends, a sum of one matrix a tap."""
    radius = taps.shape[1] - 1
    if radius >= size:
        raise ValueError(
            f"Expected a kernel of at most {2 * size - 1} taps for {size} pixels. "
            f"Received: {2 * radius + 1}. Pass a smaller kernel_size."
        )
    bands = np.zeros((radius + 1, size, size), "float32")
    mirrored = np.pad(np.arange(size), radius, mode="reflect")  # the pixel that stands there
    for offset in range(-radius, radius + 1):
        for i in range(size):
            bands[abs(offset), i, mirrored[radius + i + offset]] += 1
    return ops.reshape(ops.matmul(taps, bands.reshape(radius + 1, -1)), (-1, size, size))
