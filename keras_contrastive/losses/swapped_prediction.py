"""Swapped prediction: the codes of one view are predicted from the others."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_contrastive.losses.checks import check_temperature
from keras_contrastive.ops.similarity import Tensor


def swapped_prediction(
    codes: Sequence[Tensor], scores: Sequence[Tensor], temperature: float = 0.1
) -> Tensor:
    """Cross-entropy of each view's codes and every other view's predictions, averaged.

    Formula: over the A views with codes and the V views with scores, the first A being the same,
    `l = -1 / (A (V - 1)) sum_{a <= A} sum_{v != a} sum_k q_ak log softmax(s_v / t)_k`.

    Args:
        codes: A tensors `(N, K)`, rows that sum to 1; constant.
        scores: V tensors `(N, K)`, V at least 2 and no fewer than the codes.
        temperature: Positive; 0.1 in SwAV.

    Returns:
        A float32 tensor `(N,)`; `log K` for scores that tell nothing.

    Raises:
        ValueError: If there are no codes, a single view, or fewer scores than codes.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import swapped_prediction
    >>> codes, scores = np.eye(4, dtype="float32"), np.ones((4, 4), "float32")
    >>> round(float(swapped_prediction([codes], [scores, scores])[0]), 4)  # log 4
    1.3863

    Reference:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020, equations 1, 2 and 6.
    """
    if not codes or len(scores) < max(len(codes), 2):
        raise ValueError(
            "Expected codes of at least one view and scores of at least two, no fewer than codes. "
            f"Received: codes of {len(codes)} views and scores of {len(scores)}."
        )
    predictions = [
        ops.log_softmax(ops.cast(view, "float32") / temperature, axis=-1) for view in scores
    ]
    total = sum(predictions)
    # Codes are linear in the loss: one product with the sum of the other views' predictions.
    loss = -sum(
        ops.sum(ops.stop_gradient(ops.cast(code, "float32")) * (total - own), axis=-1)
        for code, own in zip(codes, predictions, strict=False)
    )
    return loss / (len(codes) * (len(scores) - 1))


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SwappedPrediction(keras.losses.Loss):
    """SwAV's loss: each view's scores must tell the codes that another view was given.

    Args:
        temperature: Of the predictions, positive. Default 0.1, the paper's.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; the softmax is float32 whatever it is.

    Inputs:
        `loss(codes, scores)`: lists of tensors `(N, K)`, one a view. The first scores belong to
        the views that have codes; codes come from `keras_contrastive.ops.sinkhorn`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import SwappedPrediction
    >>> from keras_contrastive.ops import sinkhorn
    >>> scores = np.eye(4, dtype="float32")
    >>> codes = sinkhorn(scores)
    >>> round(float(SwappedPrediction()([codes, codes], [scores, scores])), 4)
    0.0001

    Reference:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020, equations 1 and 2.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str = "sum_over_batch_size",
        name: str = "swapped_prediction",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = check_temperature(temperature)

    def call(self, codes: Sequence[Tensor], scores: Sequence[Tensor]) -> Tensor:
        return swapped_prediction(codes, scores, self.temperature)

    def get_config(self) -> dict:
        config = {"temperature": self.temperature, "dtype": self.dtype}
        return {**super().get_config(), **config}
