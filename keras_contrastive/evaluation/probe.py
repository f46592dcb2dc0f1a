"""What the probes share: the checks, the accuracy of linear classifiers, and the result."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import (
    check_features,
    check_labels,
    check_same_width,
)


@dataclass(frozen=True)
class ProbeResult:
    """Accuracy of a probe on the test data, and how its setting was chosen.

    Args:
        accuracy: Share of test samples classified correctly, 0 to 1.
        chosen: The setting that was used (a learning rate or a strength).
        held_out: For each setting tried, the accuracy on the held-out part of the training data.

    Example:

    >>> print(ProbeResult(0.5, 10.0, {1.0: 0.25, 10.0: 0.5}))
    50.00 % with 10 (held-out training data: 1: 25.00 %, 10: 50.00 %)
    """

    accuracy: float
    chosen: float
    held_out: dict[float, float]

    def __str__(self) -> str:
        tried = ", ".join(f"{s:g}: {a:.2%}" for s, a in self.held_out.items())
        text = f"{self.accuracy:.2%} with {self.chosen:g} (held-out training data: {tried})"
        return text.replace("%", " %")


def check_probe_data(
    train_x: ArrayLike, train_y: ArrayLike, test_x: ArrayLike, test_y: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Returns the four arrays and the number of classes, or raises if they do not fit together."""
    train_x = check_features(train_x, "training features")
    test_x = check_features(test_x, "test features")
    check_same_width(train_x, test_x, "training and test features")
    train_y = check_labels(train_y, len(train_x), "training labels")
    num_classes = int(train_y.max()) + 1
    test_y = check_labels(test_y, len(test_x), "test labels", num_classes)
    if len(np.unique(train_y)) < 2:
        raise ValueError(
            f"Expected training labels of two classes or more. Received: only {train_y[0]}."
        )
    return train_x, train_y, test_x, test_y, num_classes


def accuracies(
    features: np.ndarray, labels: np.ndarray, kernels: np.ndarray, biases: np.ndarray
) -> np.ndarray:
    """Accuracy of each of S linear classifiers, kernels `(S, D, C)` and biases `(S, C)`."""
    correct = [
        np.mean(np.argmax(features @ kernel + bias, axis=1) == labels)
        for kernel, bias in zip(kernels, biases, strict=True)
    ]
    return np.array(correct)
