"""SobelFilter: edges instead of surfaces."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Augmentation, Tensor, check_rate, per_sample


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SobelFilter(Augmentation):
    """Replaces each channel by the size of its gradient, from Sobel's two 3 x 3 filters.

    A straight step from 0 to 1 along an axis gives 1; greater values, at corners, are clipped to 1.
    Borders are mirrored.

    Args:
        rate: probability that a sample is changed.

    Example:

    >>> import numpy as np
    >>> step = np.repeat(np.array([0.0, 0.0, 1.0, 1.0], "float32")[None, :, None], 4, axis=0)
    >>> [float(v) for v in SobelFilter()(step)[1, :, 0]]
    [0.0, 1.0, 1.0, 0.0]
    """

    def __init__(self, rate: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        check_rate("rate", rate)
        self.rate = rate

    def augment(self, images: Tensor) -> Tensor:
        chosen = per_sample(self.chance(images, self.rate))
        return ops.where(chosen, gradient_size(images), images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


def gradient_size(images: Tensor) -> Tensor:
    """Sobel's estimate for images (N, C, H, W), in units of the step from 0 to 1."""
    padded = ops.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    across = padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]
    down = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    dx, dy = across[..., 2:] - across[..., :-2], down[..., 2:, :] - down[..., :-2, :]
    return ops.clip(ops.sqrt(dx * dx + dy * dy) / 4, 0, 1)
