"""Accuracy of a logistic regression on sentence vectors after an epoch."""

from collections.abc import Sequence

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.callbacks.epoch_measurement import EpochMeasurement
from keras_contrastive.encoders.subword_tokenizer import check_texts
from keras_contrastive.evaluation.checks import check_labels


class TransferAccuracy(EpochMeasurement):
    """Adds `transfer_accuracy` to the logs: how well frozen sentence vectors tell classes apart.

    Args:
        texts: N sentences.
        labels: Class indices `(N,)`.
        folds: Parts of the cross-validation, 2 or more. Default 5, to save time; papers print 10.
        every: Epochs between measurements, at least 1; the first epoch is always measured.
        batch_size: Sentences in one forward pass. Default 64.

    Raises:
        ValueError: On sentences that are no strings, or labels that do not fit them.

    Example:

    >>> watch = TransferAccuracy(["a cat", "cats", "a dog", "dogs"], [0, 0, 1, 1], folds=2)
    >>> watch.names
    ('transfer_accuracy',)
    """

    names = ("transfer_accuracy",)

    def __init__(
        self,
        texts: Sequence[str],
        labels: Sequence[int],
        folds: int = 5,
        every: int = 1,
        batch_size: int = 64,
    ) -> None:
        super().__init__(every, batch_size)
        check_texts(texts, "sentences")
        self.texts, self.labels = list(texts), check_labels(np.asarray(labels), len(texts))
        self.folds = folds

    def measure(self) -> dict[str, float]:
        def encode(texts: list[str]) -> np.ndarray:
            return self.model.encoder.encode(texts, self.batch_size, verbose=0)

        found = evaluation.transfer(encode, self.texts, self.labels, folds=self.folds)
        return {"transfer_accuracy": found["accuracy"]}
