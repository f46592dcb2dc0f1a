"""Weighted k-nearest-neighbour classification of frozen features."""

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import (
    check_features,
    check_labels,
    check_positive,
    check_same_width,
)
from keras_contrastive.ops.similarity import l2_normalize

_TILE = 256  # queries compared with the bank at a time: 256 x 50,000 similarities are 51 MB


def knn_predict(
    bank: ArrayLike,
    bank_labels: ArrayLike,
    queries: ArrayLike,
    *,
    num_classes: int | None = None,
    k: int = 200,
    temperature: float = 0.1,
) -> np.ndarray:
    """Classes of the queries, ranked by the weighted vote of their nearest bank entries.

    Formula: `score_c = sum_{j in top-k, y_j = c} exp(s_j / temperature)` with `s_j` the cosine
    similarity of the query and entry `j`, so the scale of the features does not matter. Classes
    with equal scores, such as those without a neighbour, come in the order of their index.

    Args:
        bank: Labelled features of shape `(N, D)`.
        bank_labels: Class indices of shape `(N,)`.
        queries: Features of shape `(Q, D)` from the same encoder. Queries that are themselves in
            the bank find themselves: leave them out of one of the two.
        num_classes: Number of classes C. Default: the largest bank label plus one.
        k: Number of neighbours, 1 to N. Default 200, usual for CIFAR-10; 20 is usual for ImageNet.
        temperature: Positive; the lower, the more the nearest count. Default 0.1.

    Returns:
        An int64 array of shape `(Q, C)`, each row the classes from best to worst.

    Raises:
        ValueError: On features that are not finite `(N, D)` arrays of one dimension, labels that
            are not class indices, a k larger than the bank, or a temperature that is not positive.

    Example:

    >>> knn_predict([[1.0, 0.0], [0.0, 1.0]], [1, 0], [[2.0, 0.1]], k=2).tolist()
    [[1, 0]]

    Reference:
        Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination",
        2018, section 3.4.
    """
    bank, queries = check_features(bank, "bank"), check_features(queries, "queries")
    check_same_width(bank, queries, "bank and queries")
    bank_labels = check_labels(bank_labels, len(bank), "bank labels", num_classes)
    check_positive(temperature, "temperature")
    if not 1 <= k <= len(bank):
        raise ValueError(
            f"Expected k from 1 to the size of the bank, {len(bank)}. Received: k={k}. "
            "Pass a smaller k or a larger bank."
        )
    num_classes = num_classes or int(bank_labels.max()) + 1
    keys = ops.transpose(l2_normalize(ops.convert_to_tensor(bank)))  # (D, N)
    ranked = np.empty((len(queries), num_classes), "int64")
    for start in range(0, len(queries), _TILE):
        tile = l2_normalize(ops.convert_to_tensor(queries[start : start + _TILE]))
        nearest, index = ops.top_k(ops.matmul(tile, keys), k)  # (tile, k) each
        votes = bank_labels[ops.convert_to_numpy(index)]
        scores = _class_scores(ops.convert_to_numpy(nearest), votes, num_classes, temperature)
        ranked[start : start + _TILE] = np.argsort(-scores, axis=1, kind="stable")
    return ranked


def knn_accuracy(
    bank: ArrayLike,
    bank_labels: ArrayLike,
    queries: ArrayLike,
    query_labels: ArrayLike,
    *,
    k: int = 200,
    temperature: float = 0.1,
) -> float:
    """Share of queries whose class wins the weighted vote of their nearest bank entries.

    Args:
        bank: Labelled features of shape `(N, D)`.
        bank_labels: Class indices of shape `(N,)`.
        queries: Features of shape `(Q, D)` from the same encoder.
        query_labels: Class indices of shape `(Q,)`, each a class of the bank.
        k: Number of neighbours, 1 to N. Default 200.
        temperature: Positive; the lower, the more the nearest count. Default 0.1.

    Returns:
        The accuracy, 0 to 1.

    Raises:
        ValueError: As `knn_predict`, and on query classes that the bank does not have.

    Example:

    >>> knn_accuracy([[1.0, 0.0], [0.0, 1.0]], [1, 0], [[2.0, 0.1]], [1], k=1)
    1.0

    Reference:
        Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination",
        2018, section 3.4.
    """
    query_labels = check_labels(query_labels, np.shape(queries)[0], "query labels")
    unknown = np.setdiff1d(query_labels, ops.convert_to_numpy(bank_labels))
    if len(unknown):
        raise ValueError(
            f"Expected query labels among the classes of the bank. Received: {unknown.tolist()}, "
            "which no bank entry has. Add such entries to the bank or drop these queries."
        )
    ranked = knn_predict(bank, bank_labels, queries, k=k, temperature=temperature)
    return float(np.mean(ranked[:, 0] == query_labels))


def _class_scores(
    similarities: np.ndarray, votes: np.ndarray, num_classes: int, temperature: float
) -> np.ndarray:
    """Sums `exp(s / temperature)` by class, `(Q, k) -> (Q, C)`, in float64."""
    # Relative to the nearest neighbour: the ranking is the same and no temperature overflows.
    weights = np.exp((similarities - similarities[:, :1]) / float(temperature), dtype="float64")
    cells = np.arange(len(votes))[:, None] * num_classes + votes
    sums = np.bincount(cells.ravel(), weights.ravel(), minlength=len(votes) * num_classes)
    return sums.reshape(len(votes), num_classes)
