"""Heads and the stores that methods keep."""

from keras_contrastive.layers.false_negatives import FNC, IFND, FalseNegatives, GloFND
from keras_contrastive.layers.feature_queue import FeatureQueue
from keras_contrastive.layers.heads import (
    barlow_twins_projector,
    batch_norm,
    build_head,
    byol_mlp,
    clip_projector,
    dino_projector,
    moco_v1_projector,
    moco_v2_projector,
    moco_v3_mlp,
    simclr_v1_projector,
    simclr_v2_projector,
    simcse_projector,
    simsiam_predictor,
    simsiam_projector,
    swav_projector,
    vicreg_projector,
)
from keras_contrastive.layers.learned_bias import LearnedBias
from keras_contrastive.layers.prototypes import Prototypes, WeightNormPrototypes
from keras_contrastive.layers.sample_table import SampleTable
from keras_contrastive.layers.temperature import (
    AlignmentTemperature,
    IndividualTemperature,
    LearnedTemperature,
    LogOdds,
    ScheduledTemperature,
    Temperature,
    UncertaintyTemperature,
)
from keras_contrastive.layers.view_quality import ViewQuality

__all__ = [
    "FNC",
    "IFND",
    "AlignmentTemperature",
    "FalseNegatives",
    "FeatureQueue",
    "GloFND",
    "IndividualTemperature",
    "LearnedBias",
    "LearnedTemperature",
    "LogOdds",
    "Prototypes",
    "SampleTable",
    "ScheduledTemperature",
    "Temperature",
    "UncertaintyTemperature",
    "ViewQuality",
    "WeightNormPrototypes",
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
