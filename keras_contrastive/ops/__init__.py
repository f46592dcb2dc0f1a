"""Functions on tensors that losses, methods and evaluation share."""

from keras_contrastive.ops.contrast import (
    masked_count,
    masked_logits,
    masked_logsumexp,
    masked_mean,
    masked_softplus,
    positive_is_nearest,
    to_logits,
)
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.hard_mixing import mix_hard_negatives
from keras_contrastive.ops.images import as_unit_range
from keras_contrastive.ops.matching import matching_accuracy, nearest_rows
from keras_contrastive.ops.moments import participation_ratio, representation_std
from keras_contrastive.ops.similarity import l2_normalize, pairwise_cosine
from keras_contrastive.ops.sinkhorn import sinkhorn
from keras_contrastive.ops.tiles import set_tile_size

__all__ = [
    "Detection",
    "as_unit_range",
    "l2_normalize",
    "masked_count",
    "masked_logits",
    "masked_logsumexp",
    "masked_mean",
    "masked_softplus",
    "matching_accuracy",
    "mix_hard_negatives",
    "nearest_rows",
    "pairwise_cosine",
    "participation_ratio",
    "positive_is_nearest",
    "representation_std",
    "set_tile_size",
    "sinkhorn",
    "to_logits",
]
