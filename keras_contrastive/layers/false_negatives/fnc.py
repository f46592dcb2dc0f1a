"""FNC: negatives that look like one of an image's views are false."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.false_negatives.base import FalseNegatives, indices_of, mask_of
from keras_contrastive.ops.contrast import MASKED, Mask
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class FNC(FalseNegatives):
    """False negative cancellation, by elimination or attraction.

    A negative's score is its largest cosine with the anchor's own views and with a support set of
    further views. It is false if the score is above a threshold and among the anchor's highest.

    Args:
        threshold: Cosine above which a negative may be false, in -1 to 1; 0.7 in the paper.
        top_k: Number of the highest scores that may be false, at least 1; 10 in the paper.
        num_supports: Number of support views, 0 or more; 8 in the paper. Each costs a forward
            pass.
        attract: Whether false negatives become positives, as in the paper's best variant, rather
            than leave the loss.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> import keras_contrastive as kc
    >>> method = kc.SimCLR(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, blur=0.0),
    ...     false_negatives=kc.layers.FNC(num_supports=2),
    ... )
    >>> method.num_views
    4

    Reference:
        Huynh et al., "Boosting Contrastive Self-Supervised Learning with False Negative
        Cancellation", 2022, sections 3.2 and 3.3.
    """

    def __init__(
        self,
        threshold: float = 0.7,
        top_k: int = 10,
        num_supports: int = 8,
        attract: bool = True,
        **kwargs: Any,
    ) -> None:
        if not (-1 <= threshold <= 1 and top_k >= 1 and num_supports >= 0):
            raise ValueError(
                "Expected `threshold` in -1 to 1, `top_k` of at least 1 and `num_supports` of at "
                f"least 0. Received: threshold={threshold}, top_k={top_k}, "
                f"num_supports={num_supports}."
            )
        super().__init__(**kwargs)
        self.threshold, self.top_k = threshold, top_k
        self.num_supports, self.attract = num_supports, attract

    def detect(
        self,
        references: Tensor,
        candidates: Tensor,
        negative: Mask,
        index: Tensor | None = None,
        candidate_index: Tensor | None = None,
        training: bool = True,
    ) -> Detection:
        similarities = [
            ops.matmul(references[:, view], ops.transpose(candidates))
            for view in range(references.shape[1])
        ]
        scores = ops.max(ops.stop_gradient(ops.stack(similarities)), axis=0)  # (R, C)
        scores = ops.where(negative(*indices_of(references, candidates)), scores, MASKED)
        limit = self.threshold
        if candidates.shape[0] is None or self.top_k < candidates.shape[0]:
            limit = ops.maximum(_kth_largest(scores, self.top_k), limit)
        is_false = ops.logical_and(scores >= limit, scores > self.threshold)
        return Detection(mask_of(is_false), attract=self.attract)

    def get_config(self) -> dict:
        names = ("threshold", "top_k", "num_supports", "attract")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _kth_largest(scores: Tensor, k: int) -> Tensor:
    """The k-th largest of each row, `(R, 1)`; more than a row holds: its smallest."""
    padding = ops.full((ops.shape(scores)[0], k), 2.0 * MASKED)
    values, _ = ops.top_k(ops.concatenate([scores, padding], axis=1), k)
    return values[:, -1:]
