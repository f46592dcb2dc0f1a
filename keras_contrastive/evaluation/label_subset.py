"""A small labelled part of a data set."""

import numpy as np
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import check_labels


def label_subset(labels: ArrayLike, fraction: float, seed: int = 0) -> np.ndarray:
    """Indices of a random share of each class, with one sample of every class at the least.

    Args:
        labels: Class indices of shape `(N,)`.
        fraction: Share of each class, above 0 and at most 1, rounded to whole samples.
        seed: Draws the samples.

    Returns:
        Sorted int64 indices into `labels`.

    Raises:
        ValueError: On labels that are not class indices, or a fraction out of range.

    Example:

    >>> import numpy as np
    >>> labels = np.array([0] * 20 + [1] * 10 + [2])
    >>> labels[label_subset(labels, 0.1)].tolist()
    [0, 0, 1, 2]
    """
    if not 0 < fraction <= 1:
        raise ValueError(
            f"Expected `fraction` above 0 and at most 1. Received: fraction={fraction}."
        )
    labels = check_labels(labels, np.shape(labels)[0])
    rng = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = max(1, round(fraction * len(members)))
        chosen.append(rng.permutation(members)[:count])
    return np.sort(np.concatenate(chosen))
