"""Sentences with another wording of each, one of several that is drawn anew every epoch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_contrastive.data.batches import Batches
from keras_contrastive.encoders.subword_tokenizer import check_sentences


class SentencePairs(Batches):
    """Batches `((anchors, positives),)` of token ids; `sentence_pairs` makes them."""

    def __init__(self, anchors: np.ndarray, positives: Any, counts: np.ndarray, **kwargs: Any):
        super().__init__(len(anchors), **kwargs)
        self.anchors, self.positives, self.counts = anchors, positives, counts
        self._first = np.cumsum(counts) - counts  # row of each sentence's first positive

    def read(self, rows: np.ndarray) -> Any:
        """Return the batch of these rows."""
        # By the first row too: threads read batches in any order.
        rng = np.random.default_rng((self.seed, self.epoch, int(rows[0])))
        chosen = self._first[rows] + rng.integers(self.counts[rows])
        return ((self.anchors[rows], self.positives[chosen]),)


def sentence_pairs(
    sentences: Sequence[str],
    positives: Sequence[Sequence[str]],
    tokenizer: Callable[[list[str], int], np.ndarray],
    batch_size: int = 64,
    max_length: int = 32,
    **kwargs: Any,
) -> SentencePairs:
    """Batches that pair each sentence with one of its positives, drawn anew every epoch.

    For `keras_contrastive.SimCSE`, with the copies that `keras_contrastive.augmentation.EDA`
    makes. A sentence is in a batch once, so that its copies are never each other's negatives. With
    one positive each, `fit((sentences, positives))` does the same.

    Args:
        sentences: N strings.
        positives: A list of one or more strings for each.
        tokenizer: Such as the sentence encoder's `tokenizer`: from a list of strings and the
            number of tokens of the longest to token ids `(N, T)`.
        batch_size: Sentences a batch.
        max_length: Tokens of the longest sentence; longer ones lose their end, with a warning.
            Default 32, as in `SimCSE`.
        **kwargs: `shuffle`, `seed` and `drop_remainder` of `Batches`.

    Returns:
        A `keras.utils.PyDataset` of `((anchors, positives),)`, token ids `(batch_size, T)` each.

    Raises:
        ValueError: On empty sentences, anything but strings, or lists that do not pair.

    Example:

    >>> import keras_contrastive as kc
    >>> words = "[PAD] [UNK] [CLS] [SEP] cat dog sits runs".split()
    >>> tokenizer = kc.encoders.SubwordTokenizer.wordpiece(words)
    >>> copies = [["cat", "sits cat"], ["runs dog"]]
    >>> batches = sentence_pairs(["cat sits", "dog runs"], copies, tokenizer, shuffle=False)
    >>> ((anchors, positives),) = batches[0]
    >>> anchors.tolist(), positives[1].tolist()
    ([[2, 4, 6, 3], [2, 5, 7, 3]], [2, 7, 5, 3])
    """
    check_sentences(sentences)
    counts = np.array([0 if isinstance(texts, str) else len(texts) for texts in positives])
    if len(sentences) != len(counts) or not counts.all():
        raise ValueError(
            f"Expected a list of one or more positives for each of {len(sentences)} sentences. "
            f"Received: {len(counts)} lists, {int((counts == 0).sum())} of them strings or empty. "
            "If each sentence has one positive, `fit((sentences, positives))` takes them."
        )
    flat = [text for texts in positives for text in texts]
    check_sentences(flat, "positives")
    token_ids = np.asarray(tokenizer([*sentences, *flat], max_length))
    anchors, others = token_ids[: len(sentences)], token_ids[len(sentences) :]
    return SentencePairs(anchors, others, counts, batch_size=batch_size, **kwargs)
