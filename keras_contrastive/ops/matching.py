"""Which rows of two batches find each other."""

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


def nearest_rows(queries: Tensor, keys: Tensor) -> Tensor:
    """The most similar of the keys for each query.

    Args:
        queries: Tensor `(N, D)` of unit length.
        keys: Tensor `(K, D)` of unit length.

    Returns:
        A tensor `(N, D)` of rows of `keys`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> keys = np.eye(2, dtype="float32")
    >>> [float(x) for x in ops.nearest_rows(np.array([[0.6, 0.8]], "float32"), keys)[0]]
    [0.0, 1.0]
    """
    similarity = ops.matmul(queries, ops.transpose(keys))  # (N, K)
    return ops.take(keys, ops.argmax(similarity, axis=1), axis=0)
