"""The online linear probe: how well a linear classifier reads the features as they are."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.ops.labels import class_targets, labelled_weights, labels_in_range
from keras_contrastive.ops.similarity import Tensor


class OnlineProbe(keras.layers.Layer):
    """A linear classifier that trains beside a method, behind a stop-gradient.

    Args:
        num_classes: Number of classes.
        feature_dim: Dimension of the features.
    """

    def __init__(self, num_classes: int, feature_dim: int, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num_classes = num_classes
        self.classifier = keras.layers.Dense(num_classes, dtype="float32", name="classifier")
        self.classifier.build((None, feature_dim))
        self.built = True

    def call(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy and accuracy over the labelled samples.

        Args:
            features: Tensor `(N, D)`; constant.
            labels: int32 tensor `(N,)`, -1 for samples without a label.
        """
        labelled = labelled_weights(labels)  # (N,)
        logits = self.classifier(ops.stop_gradient(features))
        targets = class_targets(labels, self.num_classes)  # (N, K), -1: zeros
        loss = -ops.mean(labelled * ops.sum(targets * ops.log_softmax(logits, axis=-1), axis=1))
        nearest = ops.cast(ops.argmax(logits, axis=-1), "int32")
        hits = ops.mean(labelled * ops.cast(ops.equal(nearest, labels), "float32"))
        # Arrays are checked in `fit`; a stream with a label out of range logs NaN, for all to see.
        in_range = labels_in_range(labels, self.num_classes)
        return loss, ops.where(in_range, hits, float("nan"))
