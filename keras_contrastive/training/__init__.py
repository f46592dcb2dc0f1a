"""What `fit` needs beyond Keras: the hook after the optimizer step, and momentum targets."""

from keras_contrastive.training.momentum import MomentumPair, copy_network
from keras_contrastive.training.step import StepHook

__all__ = ["MomentumPair", "StepHook", "copy_network"]
