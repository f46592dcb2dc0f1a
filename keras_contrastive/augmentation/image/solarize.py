"""Solarize: inverts the bright pixels."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Augmentation, Tensor, check_rate, per_sample


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Solarize(Augmentation):
    """Inverts every value from a threshold on: x becomes 1 - x where x >= threshold.

    Args:
        threshold: in [0, 1]; 0.5 is Pillow's 128.
        rate: probability that a sample is changed.

    Example:

    >>> import numpy as np
    >>> row = np.array([[[0.25], [0.75]]], "float32")
    >>> [float(v) for v in Solarize(rate=1.0)(row)[0, :, 0]]
    [0.25, 0.25]
    """

    def __init__(self, threshold: float = 0.5, rate: float = 0.2, **kwargs: Any):
        super().__init__(**kwargs)
        check_rate("threshold", threshold)
        check_rate("rate", rate)
        self.threshold, self.rate = threshold, rate

    def augment(self, images: Tensor) -> Tensor:
        chosen = per_sample(self.chance(images, self.rate))
        return ops.where(chosen & (images >= self.threshold), 1 - images, images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold, "rate": self.rate}
