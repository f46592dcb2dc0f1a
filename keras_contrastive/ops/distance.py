"""Euclidean distances whose gradient stays finite where two points coincide."""

from keras import ops

from keras_contrastive.ops.similarity import Tensor

# Squared distances below are rounding errors; the root has no gradient at 0.
SMALLEST = 1e-12


def euclidean(x: Tensor, y: Tensor) -> Tensor:
    """Distance of each row of `x` to the same row of `y`, in float32.

    Args:
        x: Tensor `(N, D)`.
        y: Tensor `(N, D)`.

    Returns:
        A float32 tensor `(N,)`; its gradient is 0 where the rows are equal.

    Example:

    >>> float(euclidean([[3.0, 0.0]], [[0.0, 4.0]])[0])
    5.0
    """
    difference = ops.cast(x, "float32") - ops.cast(y, "float32")
    return ops.sqrt(ops.maximum(ops.sum(ops.square(difference), axis=-1), SMALLEST))


def pairwise_euclidean(x: Tensor, y: Tensor) -> Tensor:
    """Distance of every row of `x` to every row of `y`, in float32.

    Formula: `|x_i - y_j|^2 = |x_i|^2 + |y_j|^2 - 2 x_i.y_j`: one matrix product, exact to about
    3e-4 times the length of the vectors.

    Args:
        x: Tensor `(N, D)`.
        y: Tensor `(M, D)`.

    Returns:
        A float32 tensor `(N, M)`.

    Example:

    >>> [float(d) for d in pairwise_euclidean([[0.0, 0.0]], [[3.0, 4.0], [1.0, 0.0]])[0]]
    [5.0, 1.0]
    """
    x, y = ops.cast(x, "float32"), ops.cast(y, "float32")
    lengths = ops.sum(ops.square(x), axis=1)[:, None] + ops.sum(ops.square(y), axis=1)[None, :]
    squared = lengths - 2.0 * ops.matmul(x, ops.transpose(y))
    return ops.sqrt(ops.maximum(squared, SMALLEST))
