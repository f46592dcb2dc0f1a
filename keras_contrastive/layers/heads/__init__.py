"""The projection and prediction heads of the papers: small multi-layer perceptrons."""

from keras_contrastive.layers.heads.barlow_twins import barlow_twins_projector
from keras_contrastive.layers.heads.base import Head, batch_norm, build_head
from keras_contrastive.layers.heads.byol import byol_mlp
from keras_contrastive.layers.heads.clip import clip_projector
from keras_contrastive.layers.heads.dino import dino_projector
from keras_contrastive.layers.heads.moco import moco_v1_projector, moco_v2_projector, moco_v3_mlp
from keras_contrastive.layers.heads.simclr import simclr_v1_projector, simclr_v2_projector
from keras_contrastive.layers.heads.simcse import simcse_projector
from keras_contrastive.layers.heads.simsiam import simsiam_predictor, simsiam_projector
from keras_contrastive.layers.heads.swav import swav_projector
from keras_contrastive.layers.heads.vicreg import vicreg_projector

__all__ = [
    "Head",
    "barlow_twins_projector",
    "batch_norm",
    "build_head",
    "byol_mlp",
    "clip_projector",
    "dino_projector",
    "moco_v1_projector",
    "moco_v2_projector",
    "moco_v3_mlp",
    "simclr_v1_projector",
    "simclr_v2_projector",
    "simcse_projector",
    "simsiam_predictor",
    "simsiam_projector",
    "swav_projector",
    "vicreg_projector",
]
