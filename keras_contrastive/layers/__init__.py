"""Heads and the stores that methods keep."""

from keras_contrastive.layers.feature_queue import FeatureQueue
from keras_contrastive.layers.heads import (
    batch_norm,
    build_head,
    byol_mlp,
    moco_v1_projector,
    moco_v2_projector,
    moco_v3_mlp,
    simclr_v1_projector,
    simclr_v2_projector,
)

__all__ = [
    "FeatureQueue",
    "batch_norm",
    "build_head",
    "byol_mlp",
    "moco_v1_projector",
    "moco_v2_projector",
    "moco_v3_mlp",
    "simclr_v1_projector",
    "simclr_v2_projector",
]
