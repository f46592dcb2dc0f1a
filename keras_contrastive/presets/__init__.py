"""Pretrained encoders: list, load and save them."""

from keras_contrastive.presets.card import card
from keras_contrastive.presets.convert import (
    clip_backbone,
    clip_method,
    from_checkpoint,
    save_onnx,
    save_torchvision,
)
from keras_contrastive.presets.folder import Preset, presets
from keras_contrastive.presets.hub import push_to_hub
from keras_contrastive.presets.load import find_preset, from_preset
from keras_contrastive.presets.save import save_to_preset

__all__ = [
    "Preset",
    "card",
    "clip_backbone",
    "clip_method",
    "find_preset",
    "from_checkpoint",
    "from_preset",
    "presets",
    "push_to_hub",
    "save_onnx",
    "save_to_preset",
    "save_torchvision",
]
