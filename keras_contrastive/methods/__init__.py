"""Methods: Keras models that learn an encoder from unlabelled data."""

from keras_contrastive.methods.addition import Addition
from keras_contrastive.methods.barlow_twins import BarlowTwins
from keras_contrastive.methods.base import Method
from keras_contrastive.methods.byol import BYOL
from keras_contrastive.methods.clip import CLIP
from keras_contrastive.methods.clop import CLOP
from keras_contrastive.methods.clsp import CLSP
from keras_contrastive.methods.cosent import CoSENT
from keras_contrastive.methods.dino import DINO
from keras_contrastive.methods.directclr import DirectCLR
from keras_contrastive.methods.guided_stop_gradient import GuidedBYOL, GuidedSimSiam
from keras_contrastive.methods.mmcr import MMCR
from keras_contrastive.methods.mochi import MoCHi
from keras_contrastive.methods.moco import MoCo
from keras_contrastive.methods.moco_v3 import MoCoV3
from keras_contrastive.methods.multi_target_byol import MultiTargetBYOL
from keras_contrastive.methods.nnclr import NNCLR
from keras_contrastive.methods.ressl import ReSSL
from keras_contrastive.methods.simclr import SimCLR
from keras_contrastive.methods.simcse import SimCSE
from keras_contrastive.methods.simsiam import SimSiam
from keras_contrastive.methods.supcon import SupCon
from keras_contrastive.methods.swav import SwAV
from keras_contrastive.methods.tico import TiCo
from keras_contrastive.methods.vicreg import VICReg

__all__ = [
    "BYOL",
    "CLIP",
    "CLOP",
    "CLSP",
    "DINO",
    "MMCR",
    "NNCLR",
    "Addition",
    "BarlowTwins",
    "CoSENT",
    "DirectCLR",
    "GuidedBYOL",
    "GuidedSimSiam",
    "Method",
    "MoCHi",
    "MoCo",
    "MoCoV3",
    "MultiTargetBYOL",
    "ReSSL",
    "SimCLR",
    "SimCSE",
    "SimSiam",
    "SupCon",
    "SwAV",
    "TiCo",
    "VICReg",
]
