"""RandomRotation: turns images by a random angle."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Augmentation, Tensor
from keras_contrastive.augmentation.image.random_affine import as_range
from keras_contrastive.augmentation.image.warp import warp


@keras.saving.register_keras_serializable(package="keras_contrastive")
class RandomRotation(Augmentation):
    """Turns each image about its centre, with bilinear sampling and black corners.

    Args:
        degrees: range of the angle; a number d stands for (-d, d). Positive is counter-clockwise.

    Example:

    >>> import numpy as np
    >>> image = np.zeros((3, 3, 1), "float32"); image[0, 1] = 1
    >>> [round(float(v), 3) for v in RandomRotation((90, 90))(image)[1, :, 0]]
    [1.0, 0.0, 0.0]
    """

    def __init__(self, degrees: float | tuple[float, float], **kwargs: Any):
        super().__init__(**kwargs)
        self.degrees = as_range("degrees", degrees, 360)

    def augment(self, images: Tensor) -> Tensor:
        angle = self.uniform(images, self.degrees)
        none, one = ops.zeros_like(angle), ops.ones_like(angle)
        return warp(images, angle=-angle, x=none, y=none, scale=one, shear=none)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "degrees": self.degrees}
