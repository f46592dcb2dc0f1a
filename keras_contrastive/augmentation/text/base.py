"""What augmentations of token ids share: which tokens are words, how words go and are chosen."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_contrastive.augmentation.base import RandomLayer, Tensor


class TokenAugmentation(RandomLayer):
    """Base of the augmentation layers of token ids: each sentence gets its own random draw.

    Takes token ids (N, L) as tokenizers give them, padding included, and returns int32 ids of the
    same shape: what is removed moves to the end as padding. Special tokens and padding are never
    touched; every other token counts as a word, and of a sentence at least one stays. It randomises
    whenever it is called, in training or not, eagerly, in a compiled step (XLA too) and in a
    `tf.data` map of batches, on every backend.

    A subclass writes `augment`.

    Args:
        special_ids: ids that are never touched, such as those of [CLS] and [SEP]: a tokenizer's
            `special_ids`.
        padding_id: id that fills short rows.
        seed: as `RandomLayer`.

    Raises:
        ValueError: inputs that are not integers (N, L).
    """

    output_dtype = "int32"

    def __init__(self, special_ids: Sequence[int], *, padding_id: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.special_ids, self.padding_id = tuple(map(int, special_ids)), padding_id

    def augment(self, token_ids: Tensor, is_word: Tensor) -> Tensor:
        """Int32 token ids (N, L) to others, given where words stand, booleans (N, L)."""
        raise NotImplementedError

    def check(self, token_ids: Tensor) -> None:
        check_token_batch(token_ids, self.name)

    def call(self, token_ids: Tensor) -> Tensor:
        token_ids = ops.cast(token_ids, "int32")
        is_word = ops.not_equal(token_ids, self.padding_id)
        for special in self.special_ids:
            is_word = ops.logical_and(is_word, ops.not_equal(token_ids, special))
        return self.augment(token_ids, is_word)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {"special_ids": self.special_ids, "padding_id": self.padding_id}
        return {**super().get_config(), **config}

    def chosen(self, is_word: Tensor, rate: float) -> Tensor:
        """Booleans (N, L): words, each with probability `rate`, but never all of a sentence."""
        length = ops.shape(is_word)[1]
        draws = self.uniform(is_word, shape=(length,))
        # The highest draw would be chosen last of all.
        spared = ops.cast(ops.argmax(ops.where(is_word, draws, -1.0), axis=1), "int32")
        is_spared = ops.equal(ops.arange(length, dtype="int32"), spared[:, None])
        return is_word & (draws < rate) & ~is_spared

    def keep(self, token_ids: Tensor, is_kept: Tensor) -> Tensor:
        """The tokens (N, L) that are kept, moved together; padding takes the end."""
        length = ops.shape(token_ids)[1]
        position = ops.arange(length, dtype="int32")
        order = ops.argsort(ops.where(is_kept, position, position + length), axis=1)
        moved = ops.take_along_axis(token_ids, order, axis=1)
        num_kept = ops.sum(ops.cast(is_kept, "int32"), axis=1, keepdims=True)
        return ops.where(position < num_kept, moved, self.padding_id)


def check_token_batch(token_ids: Any, name: str) -> None:
    """Raises a ValueError unless it is a batch of token ids."""
    if len(token_ids.shape) != 2 or "int" not in str(token_ids.dtype):
        raise ValueError(
            f"Expected integer token ids of shape (N, L) in {name!r}. Received: dtype "
            f"{token_ids.dtype} and shape {tuple(token_ids.shape)}."
        )
