"""Rank correlation with similarity scores after an epoch."""

from collections.abc import Sequence

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.callbacks.epoch_measurement import EpochMeasurement
from keras_contrastive.encoders.subword_tokenizer import check_texts


class STSCorrelation(EpochMeasurement):
    """Adds `sts_correlation` to the logs: Spearman's, of cosines with what people have said.

    With `keras.callbacks.ModelCheckpoint(monitor="sts_correlation", mode="max",
    save_best_only=True)` after it, the best encoder is kept, as in the SimCSE paper on the
    development part of STS-B.

    Args:
        first: The first sentence of each of P pairs.
        second: The second sentences.
        scores: How alike people found each pair, `(P,)`.
        every: Epochs between measurements, at least 1; the first epoch is always measured.
        batch_size: Sentences in one forward pass. Default 64.

    Raises:
        ValueError: On sentences that are no strings, or not as many of each.

    Example:

    >>> watch = STSCorrelation(["a cat", "a dog"], ["the cat", "the man"], [4.5, 1.0])
    >>> watch.names
    ('sts_correlation',)
    """

    names = ("sts_correlation",)

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

    def measure(self) -> dict[str, float]:
        results = evaluation.sts(self._encode, self.first, self.second, self.scores)
        return {"sts_correlation": results["all"]}

    def _encode(self, sentences: list[str]) -> np.ndarray:
        return self.model.encoder.encode(sentences, self.batch_size, verbose=0)
