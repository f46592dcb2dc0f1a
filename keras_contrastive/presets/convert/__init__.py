"""Checkpoints of other projects: into Keras encoders, and back."""

from keras_contrastive.presets.convert.clip import clip_backbone, clip_method
from keras_contrastive.presets.convert.export import save_onnx, save_torchvision
from keras_contrastive.presets.convert.formats import FORMATS, Format
from keras_contrastive.presets.convert.load import Converted, from_checkpoint

__all__ = [
    "FORMATS",
    "Converted",
    "Format",
    "clip_backbone",
    "clip_method",
    "from_checkpoint",
    "save_onnx",
    "save_torchvision",
]
