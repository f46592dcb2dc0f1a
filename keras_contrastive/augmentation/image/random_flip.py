"""RandomFlip: mirrors images."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Augmentation, Tensor, check_rate, per_sample

AXES = {"horizontal": (3,), "vertical": (2,), "horizontal_and_vertical": (3, 2)}


@keras.saving.register_keras_serializable(package="keras_contrastive")
class RandomFlip(Augmentation):
    """Mirrors each image left-right, upside down, or both, independently of each other.

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical".
        rate: probability of each of the flips.

    Example:

    >>> import numpy as np
    >>> row = np.array([[[0.0], [0.5], [1.0]]], "float32")
    >>> [float(v) for v in RandomFlip(rate=1.0)(row)[0, :, 0]]
    [1.0, 0.5, 0.0]
    """

    def __init__(self, mode: str = "horizontal", rate: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        if mode not in AXES:
            raise ValueError(f"Expected mode as one of {sorted(AXES)}. Received: {mode!r}.")
        check_rate("rate", rate)
        self.mode, self.rate = mode, rate

    def augment(self, images: Tensor) -> Tensor:
        for axis in AXES[self.mode]:
            flipped = per_sample(self.chance(images, self.rate))
            images = ops.where(flipped, ops.flip(images, axis), images)
        return images

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode, "rate": self.rate}
