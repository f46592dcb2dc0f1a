"""Figures of a pretrained encoder on a data source."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_contrastive import evaluation
from keras_contrastive.cli.measure import measure
from keras_contrastive.cli.splits import Splits


def evaluate(
    encoder: keras.Model,
    splits: Splits,
    k: int = 200,
    temperature: float = 0.1,
    fractions: Sequence[float] = (),
    epochs: int = 30,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure an encoder: frozen features, and fine-tuning with few labels.

    Args:
        encoder: An encoder.
        splits: Labelled images to learn from and to test on.
        k: Neighbours of the kNN vote.
        temperature: Of the vote.
        fractions: Shares of the training labels to fine-tune with, such as 0.01 and 0.1.
        epochs: Passes of the fine-tuning over its labelled images.
        seed: Of the choice of labels and of the fine-tuning.

    Returns:
        What `measure` gives, and `labels`: a list of `fraction`, `num_labels`, `fine_tuned` and
        `from_scratch` accuracies.
    """
    figures: dict[str, Any] = dict(measure(encoder, splits.train, splits.test, k, temperature))
    if fractions:
        figures["labels"] = [
            few_labels(encoder, splits, fraction, epochs, seed) for fraction in fractions
        ]
    return figures


def few_labels(
    encoder: keras.Model, splits: Splits, fraction: float, epochs: int, seed: int = 0
) -> dict[str, float]:
    """Fine-tuned on a share of the labels, beside the same network from scratch."""
    if splits.train.labels is None or splits.test.labels is None:
        raise ValueError(
            "Expected labels to fine-tune with. Received: images without labels. Leave "
            "--label-fraction out, or give a source with labels."
        )
    result = evaluation.fine_tune(
        encoder,
        splits.train.images,
        splits.train.labels,
        splits.test.images,
        splits.test.labels,
        fraction=fraction,
        epochs=epochs,
        seed=seed,
    )
    return {
        "fraction": fraction,
        "num_labels": result.num_labels,
        "fine_tuned": result.fine_tuned,
        "from_scratch": result.from_scratch,
    }
