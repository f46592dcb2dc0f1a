"""Contrastive and self-supervised learning for Keras, on TensorFlow, JAX and PyTorch."""

from keras_contrastive import (
    augmentation,
    callbacks,
    data,
    encoders,
    evaluation,
    layers,
    losses,
    ops,
    optimizers,
    training,
)
from keras_contrastive.methods import (
    BYOL,
    NNCLR,
    DirectCLR,
    Method,
    MoCHi,
    MoCo,
    MoCoV3,
    ReSSL,
    SimCLR,
    TiCo,
)
from keras_contrastive.presets import from_preset, presets, save_to_preset

__version__ = "0.1.0"

__all__ = [
    "BYOL",
    "NNCLR",
    "DirectCLR",
    "Method",
    "MoCHi",
    "MoCo",
    "MoCoV3",
    "ReSSL",
    "SimCLR",
    "TiCo",
    "augmentation",
    "callbacks",
    "data",
    "encoders",
    "evaluation",
    "from_preset",
    "layers",
    "losses",
    "ops",
    "optimizers",
    "presets",
    "save_to_preset",
    "training",
]
