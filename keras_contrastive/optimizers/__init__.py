"""Optimizers and schedules of the contrastive recipes."""

from keras_contrastive.optimizers.lars import LARS
from keras_contrastive.optimizers.schedules import (
    CosineMomentum,
    linear_scaling,
    sqrt_scaling,
    warmup_cosine,
)
from keras_contrastive.optimizers.sgd import L2SGD, is_vector

__all__ = [
    "L2SGD",
    "LARS",
    "CosineMomentum",
    "is_vector",
    "linear_scaling",
    "sqrt_scaling",
    "warmup_cosine",
]
