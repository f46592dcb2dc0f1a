"""Cosine similarity, computed in float32 under every dtype policy."""

from typing import Any

from keras import ops

Tensor = Any  # a tensor of whichever backend Keras runs on


def l2_normalize(x: Tensor, axis: int = -1, epsilon: float = 1e-12) -> Tensor:
    """Scales vectors to unit length, in float32.

    Args:
        x: Tensor of shape `(..., D)`.
        axis: Axis that holds the vectors.
        epsilon: Smallest squared length; what is shorter becomes zero, with a zero gradient.

    Returns:
        A float32 tensor of the shape of `x`.

    Example:

    >>> from keras_contrastive import ops
    >>> float(ops.l2_normalize([[3.0, 4.0]])[0, 1])
    0.8...
    """
    x = ops.cast(x, "float32")
    squared = ops.sum(ops.square(x), axis=axis, keepdims=True)
    inverse = ops.rsqrt(ops.maximum(squared, epsilon))
    # A sample whose units are all dead would get a gradient of 1 / sqrt(epsilon).
    return x * ops.where(squared < epsilon, 0.0, inverse)


def pairwise_cosine(queries: Tensor, keys: Tensor) -> Tensor:
    """Cosine similarity of every query with every key.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.

    Returns:
        A float32 tensor of shape `(N, M)`, in -1 to 1.

    Example:

    >>> from keras_contrastive import ops
    >>> [float(s) for s in ops.pairwise_cosine([[2.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])[0]]
    [1.0, 0.0]
    """
    return ops.matmul(l2_normalize(queries), ops.transpose(l2_normalize(keys)))
