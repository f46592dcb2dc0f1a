"""Encoders: functional Keras models that map inputs to one feature vector each."""

from keras_contrastive.encoders.precision import in_float32
from keras_contrastive.encoders.resnet import resnet18, resnet34, resnet50
from keras_contrastive.encoders.small_resnet import small_resnet
from keras_contrastive.encoders.wrap import as_encoder

__all__ = ["as_encoder", "in_float32", "resnet18", "resnet34", "resnet50", "small_resnet"]
