"""Losses: `keras.losses.Loss` classes, each around a pure function."""

from keras_contrastive.losses.info_nce import (
    InfoNCE,
    NTXent,
    info_nce,
    info_nce_accuracy,
    nt_xent,
    nt_xent_accuracy,
)
from keras_contrastive.losses.negative_cosine import NegativeCosine, negative_cosine
from keras_contrastive.losses.ressl import ReSSLLoss, ressl
from keras_contrastive.losses.tico import TiCoLoss, tico, tico_covariance

__all__ = [
    "InfoNCE",
    "NTXent",
    "NegativeCosine",
    "ReSSLLoss",
    "TiCoLoss",
    "info_nce",
    "info_nce_accuracy",
    "negative_cosine",
    "nt_xent",
    "nt_xent_accuracy",
    "ressl",
    "tico",
    "tico_covariance",
]
