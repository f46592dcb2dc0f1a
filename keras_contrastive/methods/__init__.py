"""Methods: Keras models that learn an encoder from unlabelled data."""

from keras_contrastive.methods.base import Method
from keras_contrastive.methods.byol import BYOL
from keras_contrastive.methods.directclr import DirectCLR
from keras_contrastive.methods.mochi import MoCHi
from keras_contrastive.methods.moco import MoCo
from keras_contrastive.methods.moco_v3 import MoCoV3
from keras_contrastive.methods.nnclr import NNCLR
from keras_contrastive.methods.ressl import ReSSL
from keras_contrastive.methods.simclr import SimCLR
from keras_contrastive.methods.tico import TiCo

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
]
