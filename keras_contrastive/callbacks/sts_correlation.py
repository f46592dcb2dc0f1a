"""Rank correlation with similarity scores after an epoch."""

from keras_contrastive import evaluation
from keras_contrastive.callbacks.scored_pairs import ScoredPairs


class STSCorrelation(ScoredPairs):
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

    def measure(self) -> dict[str, float]:
        results = evaluation.sts(self.encode, self.first, self.second, self.scores)
        return {"sts_correlation": results["all"]}
