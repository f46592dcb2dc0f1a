"""Hold some training data out, to choose settings on."""

from typing import Any

import numpy as np

from keras_contrastive.data.checks import check_labels


def train_holdout_split(
    labels: Any, fraction: float = 0.1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows at random into training and held-out rows, class by class where there are labels.

    Args:
        labels: Integer labels `(N,)`, whose classes are split in equal proportion, or the number
            of rows. A class of at least two rows has at least one on both sides.
        fraction: Part of the rows that is held out, in (0, 1).
        seed: Of the random choice.

    Returns:
        The sorted numbers of the training rows and of the held-out rows.

    Raises:
        ValueError: On a fraction out of range, or rows too few for two parts.

    Example:

    >>> train, holdout = train_holdout_split(np.repeat([0, 1], 50), fraction=0.1)
    >>> len(train), np.bincount(np.repeat([0, 1], 50)[holdout]).tolist()
    (90, [5, 5])
    """
    if not 0 < fraction < 1:
        raise ValueError(f"Expected fraction in (0, 1). Received: fraction={fraction}.")
    if isinstance(labels, int):
        labels = np.zeros(labels, "int32")
    else:
        labels = np.asarray(labels)
        check_labels(labels)
    rng = np.random.default_rng(seed)
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        count = min(max(round(fraction * len(rows)), 1), len(rows) - 1)
        held[rows[:count]] = True
    if not held.any():
        raise ValueError(
            f"Expected a class with at least two rows to split. Received: {len(labels)} rows."
        )
    return np.flatnonzero(~held), np.flatnonzero(held)
