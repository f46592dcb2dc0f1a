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

__all__ = [
    "InfoNCE",
    "NTXent",
    "NegativeCosine",
    "info_nce",
    "info_nce_accuracy",
    "negative_cosine",
    "nt_xent",
    "nt_xent_accuracy",
]
