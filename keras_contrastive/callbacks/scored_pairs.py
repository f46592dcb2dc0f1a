"""Callbacks that measure an encoder on pairs of sentences with scores."""

from collections.abc import Sequence

import numpy as np

from keras_contrastive.callbacks.epoch_measurement import EpochMeasurement
from keras_contrastive.encoders.subword_tokenizer import check_texts


class ScoredPairs(EpochMeasurement):
    """Base of callbacks whose `measure` looks at `first`, `second` and `scores`.

    Args:
        first: The first sentence of each of P pairs.
        second: The second sentences.
        scores: How alike people found each pair, `(P,)`.
        every: Epochs between measurements, at least 1; the first epoch is always measured.
        batch_size: Sentences in one forward pass. Default 64.
    """

    def __init__(
        self,
        first: Sequence[str],
        second: Sequence[str],
        scores: Sequence[float],
        every: int = 1,
        batch_size: int = 64,
    ) -> None:
        super().__init__(every, batch_size)
        for texts in (first, second):
            check_texts(texts, "sentences")
        self.first, self.second, self.scores = list(first), list(second), list(scores)
        counts = [len(part) for part in (self.first, self.second, self.scores)]
        if len(set(counts)) > 1:
            raise ValueError(
                "Expected a first sentence, a second one and a score for each pair. "
                f"Received: {counts[0]}, {counts[1]} and {counts[2]}."
            )

    def encode(self, sentences: list[str]) -> np.ndarray:
        """Vectors of sentences under the encoder as it is now."""
        return self.model.encoder.encode(sentences, self.batch_size, verbose=0)
