"""TokenSwap: pairs of words change places."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Tensor, check_rate
from keras_contrastive.augmentation.text.base import TokenAugmentation


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TokenSwap(TokenAugmentation):
    """Exchanges pairs of words, wherever the two stand; no word is in two pairs.

    Args:
        special_ids: ids that are never touched, as `TokenAugmentation`.
        rate: number of pairs as a share of the words; what is left of a pair is one by chance. At
            0.5 and above every word moves, but for one where their number is odd. Default 0.1.

    Example:

    >>> import numpy as np
    >>> swap = TokenSwap(special_ids=(2, 3), rate=0.5)
    >>> np.asarray(swap(np.array([[2, 7, 8, 3, 0]]))).tolist()
    [[2, 8, 7, 3, 0]]

    Differs from the reference: there words may be swapped back, and one pair at least is drawn.

    Reference: Wei & Zou, EDA: Easy data augmentation techniques for boosting performance on text
    classification tasks (2019), random swap.
    """

    def __init__(self, special_ids: Sequence[int], rate: float = 0.1, **kwargs: Any):
        super().__init__(special_ids, **kwargs)
        check_rate("rate", rate)
        self.rate = rate

    def augment(self, token_ids: Tensor, is_word: Tensor) -> Tensor:
        length = ops.shape(token_ids)[1]
        rank = ops.arange(length, dtype="int32")
        draws = self.uniform(is_word, shape=(length,))
        # Positions of the words in a random order, then the others.
        order = ops.argsort(ops.where(is_word, draws, 1.0 + ops.cast(rank, "float32")), axis=1)
        words = ops.sum(ops.cast(is_word, "float32"), axis=1, keepdims=True)  # (N, 1)
        pairs = ops.floor(self.rate * words + self.uniform(is_word, shape=(1,)))
        pairs = ops.cast(ops.minimum(pairs, ops.floor(words / 2)), "int32")
        partner = ops.where(rank < 2 * pairs, rank + 1 - 2 * (rank % 2), rank)  # 0-1, 2-3, ...
        source = ops.take_along_axis(order, partner, axis=1)
        # What stood at source[j] goes to order[j].
        source = ops.take_along_axis(source, ops.argsort(order, axis=1), axis=1)
        return ops.take_along_axis(token_ids, source, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
