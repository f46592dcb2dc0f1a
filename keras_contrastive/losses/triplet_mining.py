"""Which triplets of a labelled batch count: each way to mine is a function.

A miner takes the distances of all rows `(M, M)`, which pairs are positives and which negatives
(boolean, `(M, M)`), and the margin, and returns `Triplets`. Shapes are static: triplets that do
not count are masked, never left out.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import keras
from keras import ops

from keras_contrastive.ops.similarity import Tensor


class Triplets(NamedTuple):
    """Distances of triplets, of shapes that broadcast to `(M, P, Q)`: anchor, positive, negative.

    Attributes:
        to_positive: From the anchor to the positive.
        to_negative: From the anchor to the negative.
        between: From the positive to the negative.
        keep: Whether the triplet counts.
    """

    to_positive: Tensor
    to_negative: Tensor
    between: Tensor
    keep: Tensor


Miner: TypeAlias = Callable[[Tensor, Tensor, Tensor, float], Triplets]
_MAX_DISTANCE = 1e9


@keras.saving.register_keras_serializable(package="keras_contrastive")
def all_triplets(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Triplets:
    """Every anchor with each of its positives and each of its negatives; memory is O(M^3).

    Example:

    >>> import numpy as np
    >>> same = np.array([[False, True, False], [True, False, False], [False, False, False]])
    >>> other = ~same & ~np.eye(3, dtype=bool)
    >>> int(ops.sum(ops.cast(all_triplets(np.ones((3, 3)), same, other, 0.2).keep, "int32")))
    2
    """
    keep = ops.logical_and(positive[:, :, None], negative[:, None, :])
    return Triplets(distances[:, :, None], distances[:, None, :], distances[None, :, :], keep)


@keras.saving.register_keras_serializable(package="keras_contrastive")
def hard_triplets(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Triplets:
    """The triplets whose negative is no farther than the positive; collapses easily at the start.

    Example:

    >>> import numpy as np
    >>> d = np.array([[0.0, 1.0, 0.9], [1.0, 0.0, 1.5], [0.9, 1.5, 0.0]], "float32")
    >>> same = np.array([[False, True, False], [True, False, False], [False, False, False]])
    >>> other = ~same & ~np.eye(3, dtype=bool)
    >>> int(ops.sum(ops.cast(hard_triplets(d, same, other, 0.2).keep, "int32")))
    1
    """
    mined = all_triplets(distances, positive, negative, margin)
    return _only(mined, mined.to_negative <= mined.to_positive)


@keras.saving.register_keras_serializable(package="keras_contrastive")
def semi_hard_triplets(
    distances: Tensor, positive: Tensor, negative: Tensor, margin: float
) -> Triplets:
    """The triplets whose negative is farther than the positive, by no more than the margin.

    Example:

    >>> import numpy as np
    >>> d = np.array([[0.0, 1.0, 1.1], [1.0, 0.0, 1.5], [1.1, 1.5, 0.0]], "float32")
    >>> same = np.array([[False, True, False], [True, False, False], [False, False, False]])
    >>> other = ~same & ~np.eye(3, dtype=bool)
    >>> int(ops.sum(ops.cast(semi_hard_triplets(d, same, other, 0.2).keep, "int32")))
    1

    Reference:
        Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", 2015,
        section 3.2; there one such negative of each pair, as `nearest_semi_hard_triplets`, here all
        of them.
    """
    mined = all_triplets(distances, positive, negative, margin)
    gap = mined.to_negative - mined.to_positive
    return _only(mined, ops.logical_and(gap > 0, gap <= margin))


@keras.saving.register_keras_serializable(package="keras_contrastive")
def nearest_semi_hard_triplets(
    distances: Tensor, positive: Tensor, negative: Tensor, margin: float
) -> Triplets:
    """One triplet a pair of anchor and positive: the nearest negative that is farther than it.

    Where no negative is farther than the positive, the farthest one stands for it. Memory is
    O(M^2).

    Example:

    >>> import numpy as np
    >>> d = np.array([[0.0, 1.0, 1.1], [1.0, 0.0, 0.7], [1.1, 0.7, 0.0]], "float32")
    >>> same = np.array([[False, True, False], [True, False, False], [False, False, False]])
    >>> other = ~same & ~np.eye(3, dtype=bool)
    >>> mined = nearest_semi_hard_triplets(d, same, other, 0.2)
    >>> [round(float(mined.to_negative[a, p, 0]), 1) for a, p in ((0, 1), (1, 0))]
    [1.1, 0.7]

    Differs from the reference: it chooses among the negatives within the margin and says nothing of
    pairs without one. The choice here is that of TensorFlow's `triplet_semihard_loss`, its nearest
    negative costs nothing beyond the margin.

    Reference:
        Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", 2015,
        section 3.2, equation 4.
    """
    constant = ops.stop_gradient(distances)
    number = ops.sum(ops.cast(negative, "int32"), axis=1, keepdims=True)  # (M, 1)
    place = ops.minimum(_negatives_within(constant, negative), number - 1)
    by_distance = ops.argsort(ops.where(negative, constant, _MAX_DISTANCE), axis=1)
    nearest = ops.take_along_axis(by_distance, ops.maximum(place, 0), axis=1)  # (M, M)
    number_of_rows = ops.shape(distances)[0]
    entries = ops.arange(number_of_rows)[None, :] * number_of_rows + nearest
    between = ops.take(ops.reshape(distances, (-1,)), entries, axis=0)
    keep = ops.logical_and(positive, number > 0)
    return Triplets(
        distances[:, :, None],
        ops.take_along_axis(distances, nearest, axis=1)[:, :, None],
        between[:, :, None],
        keep[:, :, None],
    )


@keras.saving.register_keras_serializable(package="keras_contrastive")
def batch_hard_triplets(
    distances: Tensor, positive: Tensor, negative: Tensor, margin: float
) -> Triplets:
    """One triplet an anchor: its farthest positive and its nearest negative.

    Example:

    >>> import numpy as np
    >>> d = np.array([[0.0, 1.0, 1.1], [1.0, 0.0, 1.5], [1.1, 1.5, 0.0]], "float32")
    >>> same = np.array([[False, True, False], [True, False, False], [False, False, False]])
    >>> other = ~same & ~np.eye(3, dtype=bool)
    >>> [bool(k) for k in batch_hard_triplets(d, same, other, 0.2).keep[:, 0, 0]]
    [True, True, False]

    Reference:
        Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification", 2017,
        equation 5.
    """
    farthest = ops.argmax(ops.where(positive, distances, -1.0), axis=1)[:, None]  # (M, 1)
    nearest = ops.argmin(ops.where(negative, distances, _MAX_DISTANCE), axis=1)[:, None]
    from_positive = ops.take(distances, farthest[:, 0], axis=0)  # (M, M)
    keep = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    return Triplets(
        ops.take_along_axis(distances, farthest, axis=1)[:, :, None],  # (M, 1, 1)
        ops.take_along_axis(distances, nearest, axis=1)[:, :, None],
        ops.take_along_axis(from_positive, nearest, axis=1)[:, :, None],
        keep[:, None, None],
    )


def _only(mined: Triplets, condition: Tensor) -> Triplets:
    return mined._replace(keep=ops.logical_and(mined.keep, condition))


def _negatives_within(distances: Tensor, negative: Tensor) -> Tensor:
    """How many negatives of row i are no farther from it than column j, `(M, M)`."""
    # Negatives first: sorting is stable, so that they come before all others at their distance.
    columns = ops.argsort(ops.where(negative, 0, 1), axis=1)
    order = ops.argsort(ops.take_along_axis(distances, columns, axis=1), axis=1)
    columns = ops.take_along_axis(columns, order, axis=1)
    counts = ops.cumsum(ops.cast(ops.take_along_axis(negative, columns, axis=1), "int32"), axis=1)
    return ops.take_along_axis(counts, ops.argsort(columns, axis=1), axis=1)
