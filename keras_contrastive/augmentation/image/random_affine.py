"""RandomAffine: rotation, shift, scale and shear."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Augmentation, Tensor, check_range
from keras_contrastive.augmentation.image.warp import warp


@keras.saving.register_keras_serializable(package="keras_contrastive")
class RandomAffine(Augmentation):
    """Rotates, shears, scales and shifts about the centre, with bilinear sampling.

    What comes from outside the image is black.

    Args:
        degrees: range of the angle; a number d stands for (-d, d). Positive is clockwise.
        translate: largest shift as fractions of width and height, each in [0, 1].
        scale: range of the scale, e.g. (0.8, 1.2).
        shear: range of the horizontal shear in degrees; a number s stands for (-s, s).

    Example:

    >>> import numpy as np
    >>> affine = RandomAffine(degrees=15, translate=(0.1, 0.1), seed=0)
    >>> tuple(affine(np.zeros((2, 8, 8, 1), "uint8")).shape)
    (2, 8, 8, 1)
    """

    def __init__(
        self,
        degrees: float | tuple[float, float],
        translate: tuple[float, float] = (0.0, 0.0),
        scale: tuple[float, float] = (1.0, 1.0),
        shear: float | tuple[float, float] = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.degrees = as_range("degrees", degrees, 360)
        self.shear = as_range("shear", shear, 89)
        check_range("scale", scale, 1e-3, 1e3)
        if len(translate) != 2 or not all(0 <= t <= 1 for t in translate):
            raise ValueError(
                f"Expected translate as two fractions in [0, 1]. Received: {translate}."
            )
        self.translate, self.scale = tuple(translate), tuple(scale)

    def augment(self, images: Tensor) -> Tensor:
        height, width = (ops.cast(n, "float32") for n in ops.shape(images)[2:])
        return warp(
            images,
            angle=self.uniform(images, self.degrees),
            x=ops.round(self.uniform(images, (-1, 1)) * self.translate[0] * width),
            y=ops.round(self.uniform(images, (-1, 1)) * self.translate[1] * height),
            scale=self.uniform(images, self.scale),
            shear=self.uniform(images, self.shear),
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "degrees": self.degrees,
            "translate": self.translate,
            "scale": self.scale,
            "shear": self.shear,
        }


def as_range(name: str, value: float | tuple[float, float], limit: float) -> tuple[float, float]:
    """The range that a number or a pair stands for."""
    values = (-value, value) if isinstance(value, (int, float)) else value
    check_range(name, values, -limit, limit)
    return values[0], values[1]
