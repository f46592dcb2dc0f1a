"""The nuclear norm, with a gradient that needs no decomposition to be differentiable."""

from keras import ops

from keras_contrastive.ops.similarity import Tensor


def nuclear_norm(matrix: Tensor) -> Tensor:
    """Sum of the singular values.

    Formula: `|A|_* = <U V', A>` with `A = U S V'`. The gradient of the norm is `U V'`, so this
    product with `U V'` held constant has the right value and the right gradient, also where
    singular values repeat and the gradient of the decomposition itself is infinite. Where some
    are zero the norm has a kink: the result is one of its subgradients, of which backends choose
    different ones. Each leads away from the missing directions, and so out of a collapse.

    Args:
        matrix: Tensor `(..., M, N)`.

    Returns:
        A float32 tensor `(...)`.

    Example:

    >>> import numpy as np
    >>> round(float(nuclear_norm(np.diag([3.0, 4.0]).astype("float32"))), 4)
    7.0
    """
    matrix = ops.cast(matrix, "float32")
    u, _, vt = ops.svd(ops.stop_gradient(matrix), full_matrices=False)
    return ops.sum(ops.stop_gradient(ops.matmul(u, vt)) * matrix, axis=(-2, -1))
