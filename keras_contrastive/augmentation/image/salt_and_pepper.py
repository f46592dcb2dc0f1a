"""SaltAndPepper: white and black pixels."""

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
class SaltAndPepper(Augmentation):
    """Turns a random part of the pixels white or black, with equal chances, in all channels.

    Args:
        amount: range of the fraction of pixels, of which each sample gets one value.
        rate: probability that a sample is changed.

    Example:

    >>> import numpy as np
    >>> noisy = SaltAndPepper((0.5, 0.5), rate=1.0, seed=0)(np.full((64, 64, 3), 0.5, "float32"))
    >>> 0.2 < float(np.mean(np.asarray(noisy) == 1)) < 0.3
    True
    """

    def __init__(self, amount: tuple[float, float] = (0.0, 0.1), rate: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        check_range("amount", amount, 0, 1)
        check_rate("rate", rate)
        self.amount, self.rate = tuple(amount), rate

    def augment(self, images: Tensor) -> Tensor:
        amount = self.uniform(images, self.amount)
        amount = per_sample(amount * ops.cast(self.chance(images, self.rate), "float32"))
        draws = self.uniform(images, shape=(1, *ops.shape(images)[2:]))  # one a pixel
        salted = ops.where(draws < amount / 2, 1.0, images)
        return ops.where(draws >= 1 - amount / 2, 0.0, salted)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amount": self.amount, "rate": self.rate}
