"""TokenCrop: a contiguous part of a sentence."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Tensor, check_range
from keras_contrastive.augmentation.text.base import TokenAugmentation


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TokenCrop(TokenAugmentation):
    """Keeps a span of consecutive words, drawn for each sentence, between its special tokens.

    Args:
        special_ids: ids that are never touched, as `TokenAugmentation`.
        scale: range of the share of words that are kept; of these, rounded, at least one.

    Example:

    >>> import numpy as np
    >>> crop = TokenCrop(special_ids=(2, 3), scale=(0.5, 0.5), seed=0)
    >>> token_ids = np.asarray(crop(np.array([[2, 5, 6, 7, 8, 3]])))
    >>> (np.diff(token_ids[0, 1:3]).tolist(), token_ids[0, 3:].tolist())
    ([1], [3, 0, 0])

    Reference: Meng et al., COCO-LM: Correcting and contrasting text sequences for language model
    pretraining (2021), section 3.2, which keeps 0.9.
    """

    def __init__(
        self, special_ids: Sequence[int], scale: tuple[float, float] = (0.6, 1.0), **kwargs: Any
    ):
        super().__init__(special_ids, **kwargs)
        check_range("scale", scale, 0, 1)
        self.scale = tuple(scale)

    def augment(self, token_ids: Tensor, is_word: Tensor) -> Tensor:
        words = ops.cast(is_word, "float32")
        number = ops.sum(words, axis=1)  # (N,)
        size = ops.maximum(ops.round(self.uniform(words, self.scale) * number), 1.0)
        room = number - size
        start = ops.minimum(ops.floor(self.uniform(words) * (room + 1.0)), room)[:, None]
        rank = ops.cumsum(words, axis=1) - 1.0  # of a word in its sentence
        is_inside = (rank >= start) & (rank < start + size[:, None])
        return self.keep(token_ids, ~is_word | is_inside)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}
