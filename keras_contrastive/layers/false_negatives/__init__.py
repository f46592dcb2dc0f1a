"""False negatives as parts: how a contrastive method finds them, and what becomes of them."""

from keras_contrastive.layers.false_negatives.base import FalseNegatives
from keras_contrastive.layers.false_negatives.fnc import FNC
from keras_contrastive.layers.false_negatives.glofnd import GloFND
from keras_contrastive.layers.false_negatives.ifnd import IFND

__all__ = ["FNC", "IFND", "FalseNegatives", "GloFND"]
