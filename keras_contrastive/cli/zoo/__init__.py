"""Presets from runs: measured step by step, shown on a card, and checked again from the weights."""

from keras_contrastive.cli.zoo.add import add
from keras_contrastive.cli.zoo.protocol import Protocol
from keras_contrastive.cli.zoo.verify import Verdict, verify

__all__ = ["Protocol", "Verdict", "add", "verify"]
