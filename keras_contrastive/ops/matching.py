"""How many rows of two batches find each other."""

from keras import ops

from keras_contrastive.ops.contrast import positive_is_nearest
from keras_contrastive.ops.similarity import Tensor, l2_normalize


def matching_accuracy(queries: Tensor, keys: Tensor) -> Tensor:
    """Share of queries that are nearer to their own key than to every other key of the batch.

    Args:
        queries: Tensor `(N, D)`.
        keys: Tensor `(N, D)`; row i is the key of query i.

    Returns:
        A float32 scalar in 0 to 1.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.eye(4, dtype="float32")
    >>> float(ops.matching_accuracy(z, z)), float(ops.matching_accuracy(z, z[::-1].copy()))
    (1.0, 0.0)
    """
    own = ops.arange(ops.shape(queries)[0])
    return ops.mean(positive_is_nearest(l2_normalize(queries), l2_normalize(keys), own))
