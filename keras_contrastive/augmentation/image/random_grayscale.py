"""RandomGrayscale: drops the colour of some images."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Augmentation, Tensor, check_rate
from keras_contrastive.augmentation.image.color import gray_matrix, mix_channels


@keras.saving.register_keras_serializable(package="keras_contrastive")
class RandomGrayscale(Augmentation):
    """Replaces all channels by the luma 0.2989 R + 0.587 G + 0.114 B.

    Args:
        rate: probability that a sample is changed.

    Example:

    >>> import numpy as np
    >>> red = np.array([[[1.0, 0.0, 0.0]]], "float32")
    >>> [round(float(v), 4) for v in RandomGrayscale(rate=1.0)(red)[0, 0]]
    [0.2989, 0.2989, 0.2989]
    """

    channels = (1, 3)

    def __init__(self, rate: float = 0.2, **kwargs: Any):
        super().__init__(**kwargs)
        check_rate("rate", rate)
        self.rate = rate

    def augment(self, images: Tensor) -> Tensor:
        gray = ops.cast(self.chance(images, self.rate), "float32")[:, None, None]
        channels = images.shape[1]
        return mix_channels(images, gray * gray_matrix(channels) + (1 - gray) * ops.eye(channels))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
