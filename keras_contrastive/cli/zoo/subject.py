"""What is measured: an encoder with the images it is measured on."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.cli.recipe import Data
from keras_contrastive.cli.splits import Splits, load_splits
from keras_contrastive.data import Source


@dataclass(frozen=True)
class Subject:
    """An encoder and its data; features are computed once.

    Args:
        encoder: As `from_preset` gives it.
        splits: Training images, which vote and teach, and test images.
    """

    encoder: keras.Model
    splits: Splits

    @cached_property
    def train_features(self) -> np.ndarray:
        """Features of the training images."""
        return evaluation.embed(self.encoder, self.splits.train.images)

    @cached_property
    def test_features(self) -> np.ndarray:
        """Features of the test images."""
        return evaluation.embed(self.encoder, self.splits.test.images)

    @property
    def labelled(self) -> bool:
        """Whether both parts have labels."""
        return self.splits.train.labels is not None and self.splits.test.labels is not None

    @cached_property
    def task(self) -> str:
        """Names the network and its images: what a network from scratch depends on."""
        digest = hashlib.sha256(json.dumps(self.encoder.get_config(), sort_keys=True).encode())
        for source in (self.splits.train, self.splits.test):
            digest.update(source.images.tobytes())
            digest.update(np.asarray(source.labels).tobytes())
        return digest.hexdigest()[:16]

    def untrained(self, seed: int = 0) -> keras.Model:
        """The same network with fresh weights."""
        keras.utils.set_random_seed(seed)
        return type(self.encoder).from_config(self.encoder.get_config())


def splits_for(encoder: keras.Model, source: str) -> Splits:
    """Other images, in the size and the channels that an encoder takes.

    Args:
        encoder: An encoder of images.
        source: A source of which a fifth is kept to test on, or two with a comma between.

    Returns:
        Both parts.

    Raises:
        ValueError: On images that cannot be brought to the encoder's shape.
    """
    height, width, channels = encoder.input_shape[1:]
    if height != width:
        raise ValueError(
            f"Expected an encoder of square images to bring other data to. Received: input shape "
            f"{encoder.input_shape}. Leave --transfer out."
        )
    train, _, test = source.partition(",")
    splits = load_splits(Data(source=train, test=test or None, image_size=height))
    return Splits(*(_with_channels(part, channels) for part in (splits.train, splits.test)))


def _with_channels(source: Source, channels: int) -> Source:
    found = source.images.shape[-1]
    if found == channels:
        return source
    if found != 1:
        raise ValueError(
            f"Expected images with {channels} channels, or grey ones. Received: {found} channels."
        )
    return Source(np.repeat(source.images, channels, -1), source.labels, source.class_names)
