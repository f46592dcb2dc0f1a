"""One anchor against many candidates: the sums that every InfoNCE-type loss is made of.

Masks are functions of (row, column) indices rather than matrices, so that a tiled
implementation can evaluate them a tile at a time.
"""

from collections.abc import Callable

from keras import ops

from keras_contrastive.ops.similarity import Tensor

Mask = Callable[[Tensor, Tensor], Tensor]

# Added before the exponential: exp underflows to exactly 0 in float32, without the NaN of -inf.
MASKED = -1e9


def masked_logits(queries: Tensor, keys: Tensor, keep: Mask | None = None) -> Tensor:
    """Inner products of queries and keys, with unwanted pairs pushed to -1e9.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        keep: Function of the row indices `(N, 1)` and column indices `(1, M)` that is true where
            a pair counts. `None` keeps all.

    Returns:
        A float32 tensor of shape `(N, M)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.eye(2, dtype="float32")
    >>> float(ops.masked_logits(z, z, keep=lambda row, column: row != column)[0, 0])
    -1000000000.0
    """
    queries, keys = ops.cast(queries, "float32"), ops.cast(keys, "float32")
    logits = ops.matmul(queries, ops.transpose(keys))  # (N, M)
    if keep is None:
        return logits
    rows = ops.arange(ops.shape(queries)[0])[:, None]
    columns = ops.arange(ops.shape(keys)[0])[None, :]
    return ops.where(keep(rows, columns), logits, MASKED)


def masked_logsumexp(queries: Tensor, keys: Tensor, keep: Mask | None = None) -> Tensor:
    """The log of the summed exponentials of each query's logits: the InfoNCE denominator.

    Formula: `log sum_{j: keep(i, j)} exp(q_i . k_j)`; put the temperature into `queries`.

    Args:
        queries: Tensor of shape `(N, D)`, already divided by the temperature.
        keys: Tensor of shape `(M, D)`.
        keep: As in `masked_logits`.

    Returns:
        A float32 tensor of shape `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.zeros((3, 2), "float32")
    >>> round(float(ops.masked_logsumexp(z, z)[0]), 4)  # log 3
    1.0986
    """
    return ops.logsumexp(masked_logits(queries, keys, keep), axis=1)


def positive_is_nearest(
    queries: Tensor, keys: Tensor, positive: Tensor, keep: Mask | None = None
) -> Tensor:
    """Whether each query's positive is the most similar of its candidates.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        positive: Integer tensor `(N,)`, the column of each query's positive.
        keep: As in `masked_logits`.

    Returns:
        A float32 tensor of shape `(N,)` of zeros and ones; its mean is the contrastive accuracy.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.eye(2, dtype="float32")
    >>> [float(hit) for hit in ops.positive_is_nearest(z, z, np.array([0, 0]))]
    [1.0, 0.0]
    """
    nearest = ops.argmax(masked_logits(queries, keys, keep), axis=1)
    return ops.cast(ops.equal(ops.cast(nearest, "int32"), ops.cast(positive, "int32")), "float32")
