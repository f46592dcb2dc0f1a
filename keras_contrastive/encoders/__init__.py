"""Encoders: functional Keras models that map inputs to one feature vector each."""

from keras_contrastive.encoders.resnet import resnet18, resnet34, resnet50
from keras_contrastive.encoders.small_resnet import small_resnet
from keras_contrastive.encoders.wrap import as_encoder

__all__ = ["as_encoder", "resnet18", "resnet34", "resnet50", "small_resnet"]
