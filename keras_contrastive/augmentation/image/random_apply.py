"""RandomApply: a pipeline for some of the samples."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Tensor, check_rate, per_sample
from keras_contrastive.augmentation.pipeline import Pipeline


@keras.saving.register_keras_serializable(package="keras_contrastive")
class RandomApply(Pipeline):
    """Applies all of its layers to a sample, or none.

    Args:
        layers: as for `Pipeline`; together they must keep the shape of the images.
        rate: probability that a sample is changed.

    Raises:
        ValueError: the layers change the shape.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.augmentation import RandomApply, Solarize
    >>> sometimes = RandomApply([Solarize(rate=1.0)], rate=0.5, seed=0)
    >>> images = np.asarray(sometimes(np.ones((256, 2, 2, 3), "float32")))
    >>> 0.4 < float(images.mean()) < 0.6
    True
    """

    def __init__(self, layers: Sequence[keras.layers.Layer], rate: float = 0.5, **kwargs: Any):
        super().__init__(layers, **kwargs)
        check_rate("rate", rate)
        self.rate = rate

    def augment(self, images: Tensor) -> Tensor:
        changed = super().augment(images)
        before, after = tuple(images.shape[1:]), tuple(changed.shape[1:])
        if before != after:
            raise ValueError(
                f"Expected layers that keep the shape in {self.name!r}. Received: layers that turn "
                f"{before} into {after} (channels, height, width). Crop outside of RandomApply."
            )
        return ops.where(per_sample(self.chance(images, self.rate)), changed, images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
