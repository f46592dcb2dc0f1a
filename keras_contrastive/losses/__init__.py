"""Losses: `keras.losses.Loss` classes, each around a pure function."""

from keras_contrastive.losses.alignment_uniformity import Alignment, Uniformity
from keras_contrastive.losses.barlow_twins import (
    BarlowTwinsLoss,
    barlow_twins,
    barlow_twins_terms,
    cross_correlation,
)
from keras_contrastive.losses.cosent import CoSENTLoss, cosent
from keras_contrastive.losses.debiased import HCL, Debiased, debiased
from keras_contrastive.losses.decoupled import DCL, DCLW, decoupled
from keras_contrastive.losses.dino import DINOLoss, dino, dino_targets
from keras_contrastive.losses.f_micl import DIVERGENCES, FMICL, f_micl
from keras_contrastive.losses.info_nce import (
    InfoNCE,
    NTXent,
    info_nce,
    info_nce_accuracy,
    nt_xent,
    nt_xent_accuracy,
)
from keras_contrastive.losses.macl import MACL
from keras_contrastive.losses.matryoshka import Matryoshka
from keras_contrastive.losses.mmcr import MMCRLoss, mmcr
from keras_contrastive.losses.negative_cosine import NegativeCosine, negative_cosine
from keras_contrastive.losses.ressl import ReSSLLoss, ressl
from keras_contrastive.losses.siglip import SigLIP, siglip
from keras_contrastive.losses.simcse import SimCSELoss, simcse
from keras_contrastive.losses.sogclr import BayesianContrastive, SogCLR
from keras_contrastive.losses.supervised import SINCERE, EpsilonSupInfoNCE, SupCon, sincere, supcon
from keras_contrastive.losses.swapped_prediction import SwappedPrediction, swapped_prediction
from keras_contrastive.losses.tico import TiCoLoss, tico, tico_covariance
from keras_contrastive.losses.triplet import Triplet, mined_triplet, triplet
from keras_contrastive.losses.triplet_mining import (
    Triplets,
    all_triplets,
    batch_hard_triplets,
    hard_triplets,
    nearest_semi_hard_triplets,
    semi_hard_triplets,
)
from keras_contrastive.losses.vicreg import (
    VICRegLoss,
    vicreg,
    vicreg_covariance,
    vicreg_invariance,
    vicreg_terms,
    vicreg_variance,
)

__all__ = [
    "DCL",
    "DCLW",
    "DIVERGENCES",
    "FMICL",
    "HCL",
    "MACL",
    "SINCERE",
    "Alignment",
    "BarlowTwinsLoss",
    "BayesianContrastive",
    "CoSENTLoss",
    "DINOLoss",
    "Debiased",
    "EpsilonSupInfoNCE",
    "InfoNCE",
    "MMCRLoss",
    "Matryoshka",
    "NTXent",
    "NegativeCosine",
    "ReSSLLoss",
    "SigLIP",
    "SimCSELoss",
    "SogCLR",
    "SupCon",
    "SwappedPrediction",
    "TiCoLoss",
    "Triplet",
    "Triplets",
    "Uniformity",
    "VICRegLoss",
    "all_triplets",
    "barlow_twins",
    "barlow_twins_terms",
    "batch_hard_triplets",
    "cosent",
    "cross_correlation",
    "debiased",
    "decoupled",
    "dino",
    "dino_targets",
    "f_micl",
    "hard_triplets",
    "info_nce",
    "info_nce_accuracy",
    "mined_triplet",
    "mmcr",
    "nearest_semi_hard_triplets",
    "negative_cosine",
    "nt_xent",
    "nt_xent_accuracy",
    "ressl",
    "semi_hard_triplets",
    "siglip",
    "simcse",
    "sincere",
    "supcon",
    "swapped_prediction",
    "tico",
    "tico_covariance",
    "triplet",
    "vicreg",
    "vicreg_covariance",
    "vicreg_invariance",
    "vicreg_terms",
    "vicreg_variance",
]
