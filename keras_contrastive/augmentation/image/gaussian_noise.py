"""GaussianNoise: noise of random strength."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import (
    Augmentation,
    Tensor,
    check_range,
    check_rate,
    per_sample,
)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class GaussianNoise(Augmentation):
    """Adds independent normal noise to every value and clips to [0, 1].

    Args:
        stddev: range of the standard deviation, of which each sample gets one.
        rate: probability that a sample is changed.

    Example:

    >>> import numpy as np
    >>> noisy = GaussianNoise((0.1, 0.1), rate=1.0, seed=0)(np.full((64, 64, 3), 0.5, "float32"))
    >>> round(float(np.std(np.asarray(noisy))), 2)
    0.1
    """

    def __init__(self, stddev: tuple[float, float] = (0.0, 0.1), rate: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        check_range("stddev", stddev, 0, 1)
        check_rate("rate", rate)
        self.stddev, self.rate = tuple(stddev), rate

    def augment(self, images: Tensor) -> Tensor:
        stddev = self.uniform(images, self.stddev)
        stddev = stddev * ops.cast(self.chance(images, self.rate), "float32")
        noise = keras.random.normal(ops.shape(images), seed=self.generator)
        return ops.clip(images + per_sample(stddev) * noise, 0, 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "rate": self.rate}
