"""CoSENT: of two pairs of sentences, the one with the higher score has the higher cosine."""

import keras
from keras import ops

from keras_contrastive.losses.checks import check_temperature
from keras_contrastive.ops import l2_normalize, masked_logsumexp
from keras_contrastive.ops.similarity import Tensor


def cosent(scores: Tensor, similarities: Tensor, temperature: float = 0.05) -> Tensor:
    """The smooth count of pairs of pairs whose similarities stand in the wrong order.

    Formula: `log(1 + sum_{(i, j): y_i < y_j} exp((s_i - s_j) / t))`, with scores y and similarities
    s. Pairs of equal score have no order. It takes O(N^2) time, in the memory of a tile.

    Args:
        scores: How alike the two sides of each pair are, `(N,)`, on any scale that grows with it.
        similarities: What is to follow the scores, `(N,)`, such as cosines.
        temperature: Positive; 0.05, since the source multiplies by 20.

    Returns:
        A float32 scalar; 0 where all scores are equal.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import cosent
    >>> round(float(cosent(np.array([0.0, 5.0]), np.zeros(2))), 4)  # log 2
    0.6931

    Reference:
        Su, "CoSENT (1): a more effective sentence vector scheme than Sentence-BERT", 2022,
        https://kexue.fm/archives/8847.
    """
    scores = ops.cast(scores, "float32")
    similarities = ops.cast(similarities, "float32")[:, None]  # (N, 1)
    ones = ops.ones_like(similarities)

    def wrong_if_nearer(row: Tensor, column: Tensor) -> Tensor:
        return ops.less(ops.take(scores, row), ops.take(scores, column))

    # s_i - s_j is an inner product, so the sums of the other losses do.
    rows = ops.concatenate([similarities, ones], axis=1)
    columns = ops.concatenate([ones, -similarities], axis=1)
    return ops.softplus(
        ops.logsumexp(masked_logsumexp(rows, columns, wrong_if_nearer, temperature))
    )


@keras.saving.register_keras_serializable(package="keras_contrastive")
class CoSENTLoss(keras.losses.Loss):
    """CoSENT's loss: cosines of pairs are ranked as their scores, whatever these measure.

    Args:
        temperature: Positive, default 0.05.
        reduction: As in `keras.losses.Loss`; the value is a scalar before it.
        name: Name of the loss.
        dtype: Dtype of the result; cosines and sums are float32 whatever it is.

    Inputs:
        `loss(scores, embeddings)`: scores `(N,)`, embeddings `(N, 2, D)`, the two sides of each
        pair, of any length.

    Raises:
        ValueError: On a temperature that is not positive, or embeddings of another shape.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import CoSENTLoss
    >>> pairs = np.array([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])  # cosines 1 and 0
    >>> round(float(CoSENTLoss(temperature=1.0)(np.array([1.0, 4.0]), pairs)), 4)  # log (1 + e)
    1.3133

    Reference:
        Su, "CoSENT (1): a more effective sentence vector scheme than Sentence-BERT", 2022.
    """

    def __init__(
        self,
        temperature: float = 0.05,
        reduction: str = "sum_over_batch_size",
        name: str = "cosent",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = check_temperature(temperature)

    def call(self, scores: Tensor, embeddings: Tensor) -> Tensor:
        if len(embeddings.shape) != 3 or embeddings.shape[1] != 2:
            raise ValueError(
                "Expected embeddings of pairs, shape (N, 2, D). "
                f"Received: shape {tuple(embeddings.shape)}."
            )
        z = l2_normalize(embeddings)
        cosines = ops.sum(z[:, 0] * z[:, 1], axis=1)  # (N,)
        return cosent(ops.reshape(scores, (-1,)), cosines, self.temperature)

    def get_config(self) -> dict:
        return {**super().get_config(), "temperature": self.temperature, "dtype": self.dtype}
