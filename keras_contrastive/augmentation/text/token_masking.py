"""TokenMasking: words become the mask token."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Tensor, check_rate
from keras_contrastive.augmentation.text.base import TokenAugmentation


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TokenMasking(TokenAugmentation):
    """Replaces words with the mask token.

    Args:
        mask_id: id of the mask token, such as a tokenizer's `token_id("[MASK]")`.
        special_ids: ids that are never touched, as `TokenAugmentation`.
        rate: probability that a word is masked. Default 0.15, as in BERT's pretraining.

    Example:

    >>> import numpy as np
    >>> masking = TokenMasking(4, special_ids=(2, 3), rate=1.0)
    >>> token_ids = np.asarray(masking(np.array([[2, 7, 8, 9, 3, 0]])))  # one word is spared
    >>> int((token_ids == 4).sum())
    2

    Reference: Wu et al., CLEAR: Contrastive learning for sentence representation (2020).
    """

    def __init__(self, mask_id: int, special_ids: Sequence[int], rate: float = 0.15, **kwargs: Any):
        super().__init__(special_ids, **kwargs)
        check_rate("rate", rate)
        self.mask_id, self.rate = mask_id, rate

    def augment(self, token_ids: Tensor, is_word: Tensor) -> Tensor:
        return ops.where(self.chosen(is_word, self.rate), self.mask_id, token_ids)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_id": self.mask_id, "rate": self.rate}
