"""TokenCutoff: words are erased where they stand."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Tensor, check_rate
from keras_contrastive.augmentation.text.base import TokenAugmentation


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TokenCutoff(TokenAugmentation):
    """Replaces words with padding in their place: the others keep their positions.

    Args:
        special_ids: ids that are never touched, as `TokenAugmentation`.
        rate: probability that a word is erased. Default 0.15, the paper's share.

    Example:

    >>> import numpy as np
    >>> cutoff = TokenCutoff(special_ids=(2, 3), rate=1.0)
    >>> token_ids = np.asarray(cutoff(np.array([[2, 7, 8, 9, 3, 0]])))  # one word is spared
    >>> int((token_ids == 0).sum()), int(token_ids[0, 4])
    (3, 3)

    Differs from the reference: there the embeddings of erased tokens are zero, but still attended
    to and averaged; ids know no such token, and those erased here are neither. Their number is
    drawn too, where the paper erases the same share of each sentence.

    Reference: Yan et al., ConSERT: A contrastive framework for self-supervised sentence
    representation transfer (2021), section 3.2.
    """

    def __init__(self, special_ids: Sequence[int], rate: float = 0.15, **kwargs: Any):
        super().__init__(special_ids, **kwargs)
        check_rate("rate", rate)
        self.rate = rate

    def augment(self, token_ids: Tensor, is_word: Tensor) -> Tensor:
        return ops.where(self.chosen(is_word, self.rate), self.padding_id, token_ids)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
