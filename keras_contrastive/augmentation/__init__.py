"""Augmentations as preprocessing layers: seeded, per sample, in data maps and compiled steps."""

from keras_contrastive.augmentation.base import Augmentation
from keras_contrastive.augmentation.image.color_jitter import ColorJitter
from keras_contrastive.augmentation.image.gaussian_blur import GaussianBlur
from keras_contrastive.augmentation.image.gaussian_noise import GaussianNoise
from keras_contrastive.augmentation.image.random_affine import RandomAffine
from keras_contrastive.augmentation.image.random_apply import RandomApply
from keras_contrastive.augmentation.image.random_flip import RandomFlip
from keras_contrastive.augmentation.image.random_grayscale import RandomGrayscale
from keras_contrastive.augmentation.image.random_resized_crop import RandomResizedCrop
from keras_contrastive.augmentation.image.random_rotation import RandomRotation
from keras_contrastive.augmentation.image.salt_and_pepper import SaltAndPepper
from keras_contrastive.augmentation.image.sobel_filter import SobelFilter
from keras_contrastive.augmentation.image.solarize import Solarize
from keras_contrastive.augmentation.pipeline import Pipeline
from keras_contrastive.augmentation.recipes import (
    byol_views,
    dino_views,
    hcl_views,
    lightly_cifar_byol_views,
    lightly_cifar_simclr_views,
    lightly_cifar_swav_views,
    moco_v1_views,
    moco_v2_views,
    moco_v3_views,
    ressl_views,
    simclr_views,
    solo_cifar_asymmetric_views,
    solo_cifar_symmetric_views,
    solo_cifar_symmetric_weak_views,
    supcon_cifar_views,
    swav_views,
)
from keras_contrastive.augmentation.text.back_translation import BackTranslation
from keras_contrastive.augmentation.text.eda import EDA
from keras_contrastive.augmentation.text.feature_cutoff import FeatureCutoff, with_feature_cutoff
from keras_contrastive.augmentation.text.synonyms import NearestWords, WordNet
from keras_contrastive.augmentation.text.token_crop import TokenCrop
from keras_contrastive.augmentation.text.token_cutoff import TokenCutoff
from keras_contrastive.augmentation.text.token_deletion import TokenDeletion
from keras_contrastive.augmentation.text.token_masking import TokenMasking
from keras_contrastive.augmentation.text.token_swap import TokenSwap
from keras_contrastive.augmentation.text.token_views import TokenViews
from keras_contrastive.augmentation.views import MultiCrop, Views

__all__ = [
    "EDA",
    "Augmentation",
    "BackTranslation",
    "ColorJitter",
    "FeatureCutoff",
    "GaussianBlur",
    "GaussianNoise",
    "MultiCrop",
    "NearestWords",
    "Pipeline",
    "RandomAffine",
    "RandomApply",
    "RandomFlip",
    "RandomGrayscale",
    "RandomResizedCrop",
    "RandomRotation",
    "SaltAndPepper",
    "SobelFilter",
    "Solarize",
    "TokenCrop",
    "TokenCutoff",
    "TokenDeletion",
    "TokenMasking",
    "TokenSwap",
    "TokenViews",
    "Views",
    "WordNet",
    "byol_views",
    "dino_views",
    "hcl_views",
    "lightly_cifar_byol_views",
    "lightly_cifar_simclr_views",
    "lightly_cifar_swav_views",
    "moco_v1_views",
    "moco_v2_views",
    "moco_v3_views",
    "ressl_views",
    "simclr_views",
    "solo_cifar_asymmetric_views",
    "solo_cifar_symmetric_views",
    "solo_cifar_symmetric_weak_views",
    "supcon_cifar_views",
    "swav_views",
    "with_feature_cutoff",
]
