"""Offline linear probe: softmax regression on frozen features."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_contrastive.data.split import train_holdout_split
from keras_contrastive.evaluation.checks import check_positive
from keras_contrastive.evaluation.probe import ProbeResult, accuracies, check_probe_data


def linear_probe(
    train_x: ArrayLike,
    train_y: ArrayLike,
    test_x: ArrayLike,
    test_y: ArrayLike,
    *,
    learning_rates: Sequence[float] = (0.1, 1.0, 10.0, 30.0),
    epochs: int = 100,
    batch_size: int = 256,
    held_out_fraction: float = 0.1,
    seed: int = 0,
) -> ProbeResult:
    """Test accuracy of a linear classifier trained on frozen features.

    SGD with momentum 0.9, no weight decay and a cosine schedule; kernel from N(0, 0.01), bias 0.
    The right learning rate differs by a factor of 300 between methods, since the norms of their
    features do: the one that does best on a held-out part of the training data is used (the
    lowest, if several do), and the classifier is trained again on all of them. The last step is
    reported, not the best. Features are taken as they are; normalise them before, if at all.

    Args:
        train_x: Features of shape `(N, D)`.
        train_y: Class indices of shape `(N,)`.
        test_x: Features of shape `(M, D)`.
        test_y: Class indices of shape `(M,)`; used for the final accuracy only.
        learning_rates: Rates to try, positive, for a batch of 256; scaled by `batch_size / 256`.
            Default `(0.1, 1, 10, 30)`.
        epochs: Passes over the features. Default 100.
        batch_size: Features in one step; a rest smaller than a batch is left out, drawn anew in
            each epoch. Default 256, or all if there are fewer.
        held_out_fraction: Share of the training data that chooses the rate. Default 0.1.
        seed: Draws the held-out part, the initial kernel and the order of the batches.

    Returns:
        A `ProbeResult` whose `chosen` is the entry of `learning_rates` that was used.

    Raises:
        ValueError: On features or labels that do not fit together, or arguments not positive.

    Example:

    >>> import numpy as np
    >>> x, y = np.eye(4, dtype="float32").repeat(5, axis=0), np.arange(4).repeat(5)
    >>> linear_probe(x, y, x, y, epochs=20).accuracy
    1.0

    Reference:
        Zhang, Isola and Efros, "Colorful Image Colorization", 2016; the recipe is that of
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, section A, with SGD.
    """
    if not len(learning_rates) or min(learning_rates) <= 0:
        raise ValueError(
            f"Expected positive `learning_rates`. Received: learning_rates={learning_rates}."
        )
    check_positive(epochs, "epochs")
    check_positive(batch_size, "batch_size")
    train_x, train_y, test_x, test_y, num_classes = check_probe_data(
        train_x, train_y, test_x, test_y
    )
    rates = sorted(map(float, learning_rates))
    part, held = train_holdout_split(train_y, held_out_fraction, seed)
    settings = (num_classes, epochs, batch_size, seed)
    candidates = train_softmax(train_x[part], train_y[part], rates, *settings)
    tried = accuracies(train_x[held], train_y[held], *candidates)
    chosen = rates[int(np.argmax(tried))]
    final = train_softmax(train_x, train_y, [chosen], *settings)
    accuracy = accuracies(test_x, test_y, *final)[0]
    return ProbeResult(float(accuracy), chosen, dict(zip(rates, tried.tolist(), strict=True)))


def train_softmax(
    features: np.ndarray,
    labels: np.ndarray,
    learning_rates: Sequence[float],
    num_classes: int,
    epochs: int,
    batch_size: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Trains a softmax regression for each learning rate, all at once on the same batches.

    The R classifiers lie side by side in one kernel `(D, R * C)`, so that a step is two products.
    NumPy rather than the backend: the steps are too small to pay for a dispatch.

    Args:
        features: Float32 array of shape `(N, D)`.
        labels: Class indices of shape `(N,)`.
        learning_rates: R rates for a batch of 256.
        num_classes: C.
        epochs: Passes over the features.
        batch_size: Features in one step.
        seed: Draws the initial kernel and the order of the batches.

    Returns:
        Kernels of shape `(R, D, C)` and biases of shape `(R, C)`.

    Example:

    >>> import numpy as np
    >>> x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    >>> kernels, biases = train_softmax(x, y, [1.0, 2.0], 2, epochs=5, batch_size=2, seed=0)
    >>> kernels.shape, biases.shape
    ((2, 2, 2), (2, 2))
    """
    rng = np.random.default_rng(seed)
    size, dim = features.shape
    heads = len(learning_rates)
    batch_size = min(batch_size, size)
    initial = rng.normal(0.0, 0.01, (dim, 1, num_classes)).astype("float32")
    kernel = np.tile(initial, (1, heads, 1)).reshape(dim, heads * num_classes)
    bias = np.zeros(heads * num_classes, "float32")
    kernel_velocity, bias_velocity = np.zeros_like(kernel), np.zeros_like(bias)
    peak = np.repeat(np.array(learning_rates, "float32"), num_classes) * np.float32(
        batch_size / 256
    )
    starts = range(0, size - batch_size + 1, batch_size)
    total, step = epochs * len(starts), 0
    rows = np.arange(batch_size)
    for _ in range(epochs):
        order = rng.permutation(size)
        for start in starts:
            batch = order[start : start + batch_size]
            x = features[batch]  # (B, D)
            error = _softmax((x @ kernel + bias).reshape(batch_size, heads, num_classes))
            error[rows, :, labels[batch]] -= 1.0
            error = error.reshape(batch_size, -1) / np.float32(batch_size)  # (B, R * C)
            rate = peak * np.float32(0.5 * (1.0 + np.cos(np.pi * step / total)))
            kernel_velocity *= 0.9
            kernel_velocity += x.T @ error
            kernel -= rate * kernel_velocity
            bias_velocity *= 0.9
            bias_velocity += error.sum(axis=0)
            bias -= rate * bias_velocity
            step += 1
    kernels = kernel.reshape(dim, heads, num_classes).transpose(1, 0, 2)
    return kernels, bias.reshape(heads, num_classes)


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Class probabilities over the last axis, in place."""
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=-1, keepdims=True)
    return logits
