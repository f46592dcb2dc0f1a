"""TokenDeletion: words are left out."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_contrastive.augmentation.base import Tensor, check_rate
from keras_contrastive.augmentation.text.base import TokenAugmentation


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TokenDeletion(TokenAugmentation):
    """Removes words at random; those behind them move up.

    Args:
        special_ids: ids that are never touched, as `TokenAugmentation`.
        rate: probability that a word is removed. Default 0.1.

    Example:

    >>> import numpy as np
    >>> deletion = TokenDeletion(special_ids=(2, 3), rate=1.0, seed=0)
    >>> token_ids = np.asarray(deletion(np.array([[2, 7, 8, 9, 3, 0]])))  # one word is spared
    >>> token_ids[:, [0, 2, 3, 4, 5]].tolist(), int(token_ids[0, 1]) in (7, 8, 9)
    ([[2, 3, 0, 0, 0]], True)

    Reference: Wei & Zou, EDA: Easy data augmentation techniques for boosting performance on text
    classification tasks (2019), random deletion.
    """

    def __init__(self, special_ids: Sequence[int], rate: float = 0.1, **kwargs: Any):
        super().__init__(special_ids, **kwargs)
        check_rate("rate", rate)
        self.rate = rate

    def augment(self, token_ids: Tensor, is_word: Tensor) -> Tensor:
        return self.keep(token_ids, ~self.chosen(is_word, self.rate))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
