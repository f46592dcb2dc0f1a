"""Methods: Keras models that learn an encoder from unlabelled data."""

from keras_contrastive.methods.base import Method
from keras_contrastive.methods.byol import BYOL
from keras_contrastive.methods.moco import MoCo
from keras_contrastive.methods.simclr import SimCLR

__all__ = ["BYOL", "Method", "MoCo", "SimCLR"]
