"""Alignment and uniformity of sentences after an epoch."""

from collections.abc import Sequence

from keras_contrastive import evaluation
from keras_contrastive.callbacks.scored_pairs import ScoredPairs


class STSGeometry(ScoredPairs):
    """Adds `sts_alignment` and `sts_uniformity` to the logs, both the lower the better.

    Alignment is the mean squared distance of the pairs that people found alike, uniformity how
    evenly all sentences cover the sphere: in the SimCSE paper the first stays and the second falls,
    and without dropout the first rises.

    Args:
        first: The first sentence of each of P pairs.
        second: The second sentences.
        scores: How alike people found each pair, `(P,)`.
        at_least: Pairs with this score are alike. Default 4, on the scale of STS-B, 0 to 5.
        every: Epochs between measurements, at least 1; the first epoch is always measured.
        batch_size: Sentences in one forward pass. Default 64.

    Raises:
        ValueError: On sentences that are no strings, or not as many of each.

    Example:

    >>> watch = STSGeometry(["a cat", "a dog"], ["the cat", "the man"], [4.5, 1.0])
    >>> watch.names
    ('sts_alignment', 'sts_uniformity')
    """

    names = ("sts_alignment", "sts_uniformity")

    def __init__(
        self,
        first: Sequence[str],
        second: Sequence[str],
        scores: Sequence[float],
        at_least: float = 4.0,
        every: int = 1,
        batch_size: int = 64,
    ) -> None:
        super().__init__(first, second, scores, every, batch_size)
        self.at_least = at_least

    def measure(self) -> dict[str, float]:
        pairs = self.first, self.second, self.scores
        found = evaluation.sts_geometry(self.encode, *pairs, at_least=self.at_least)
        return {f"sts_{name}": value for name, value in found.items()}
