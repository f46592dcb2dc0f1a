"""The figures of an encoder on a training and a test set."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.data import Source

# Rows that the quadratic measures see: enough for two digits, at a bounded cost.
_MOST_ROWS = 4000


def measure(
    encoder: keras.Model,
    train: Source,
    test: Source,
    k: int = 200,
    temperature: float = 0.1,
    batch_size: int = 256,
) -> dict[str, float]:
    """Measure frozen features: accuracies on the test labels, and their geometry.

    Args:
        encoder: An encoder, or a method.
        train: Images and labels that vote and that the probes learn from.
        test: Images and labels to classify.
        k: Neighbours of the vote.
        temperature: Of the vote.
        batch_size: Images in one forward pass.

    Returns:
        `knn`, `linear` and `ridge` where both sources have labels; `rank_me`, `effective_rank`,
        `uniformity` and `representation_std` of the test features.
    """
    test_features = evaluation.embed(encoder, test.images, batch_size)
    figures: dict[str, float] = {}
    if train.labels is not None and test.labels is not None:
        train_features = evaluation.embed(encoder, train.images, batch_size)
        figures = accuracies(
            train_features, train.labels, test_features, test.labels, k, temperature
        )
    return figures | geometry(test_features)


def measure_pixels(
    train: Source, test: Source, k: int = 200, temperature: float = 0.1
) -> dict[str, float]:
    """The accuracies with pixel values for features: what an encoder has to beat."""
    pixels = [images.reshape(len(images), -1) / 1.0 for images in (train.images, test.images)]
    return accuracies(pixels[0], train.labels, pixels[1], test.labels, k, temperature)


def accuracies(
    train_x: np.ndarray,
    train_y: np.ndarray | None,
    test_x: np.ndarray,
    test_y: np.ndarray | None,
    k: int,
    temperature: float,
) -> dict[str, float]:
    """`knn`, `linear` and `ridge` accuracies of features on the test labels."""
    if train_y is None or test_y is None:
        raise ValueError("Expected labels of training and test images. Received: none.")
    data = (train_x, train_y, test_x, test_y)
    return {
        "knn": evaluation.knn_accuracy(*data, k=k, temperature=temperature),
        "linear": evaluation.linear_probe(*data).accuracy,
        "ridge": evaluation.ridge_probe(*data).accuracy,
    }


def geometry(features: np.ndarray) -> dict[str, float]:
    """How the features fill their space."""
    features = features[:_MOST_ROWS]
    return {
        "rank_me": float(evaluation.rank_me(features)),
        "effective_rank": float(evaluation.effective_rank(features)),
        "uniformity": float(evaluation.uniformity(features)),
        "representation_std": float(evaluation.representation_std(features)),
    }


def side_by_side(results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The figures of pixels, the untrained and the pretrained encoder, as far as there are any."""
    columns: dict[str, Mapping[str, Any]] = {
        "raw pixels": results.get("pixels", {}),
        "untrained": results.get("before", {}),
        "pretrained": results,
    }
    return {name: values for name, values in columns.items() if values}
