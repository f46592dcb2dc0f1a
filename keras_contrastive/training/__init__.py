"""What `fit` needs beyond Keras: the hook after the optimizer step, momentum targets, speed."""

from keras_contrastive.training.batch_norm import fused_batch_norm
from keras_contrastive.training.momentum import MomentumPair, copy_network
from keras_contrastive.training.step import StepHook

__all__ = ["MomentumPair", "StepHook", "copy_network", "fused_batch_norm"]
