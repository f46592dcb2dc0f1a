"""Batch statistics that show a collapse while training runs."""

from keras import ops

from keras_contrastive.ops.similarity import Tensor, l2_normalize


def representation_std(features: Tensor) -> Tensor:
    """Spread of the unit-length features: 1 when they fill the sphere, 0 when all are equal.

    Formula: `sqrt(D) * mean_d std_n(f / |f|)`.

    Args:
        features: Tensor of shape `(N, D)`.

    Returns:
        A float32 scalar, in 0 to 1.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> float(ops.representation_std(np.ones((4, 8), "float32")))
    0.0

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, figure 2.
    """
    features = l2_normalize(features)
    dim = float(features.shape[-1])
    return ops.mean(ops.std(features, axis=0)) * dim**0.5


def participation_ratio(features: Tensor) -> Tensor:
    """Effective number of dimensions that the centred features use, without a decomposition.

    Formula: `(sum_d l_d)^2 / sum_d l_d^2` with `l` the eigenvalues of the covariance; traces of
    the Gram matrix give both sums, so the cost is one small matrix product.

    Args:
        features: Tensor of shape `(N, D)`.

    Returns:
        A float32 scalar, from 1 to `min(N - 1, D)`; 0 for constant features.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> float(ops.participation_ratio(np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]], "float32")))
    2.0
    """
    features = ops.cast(features, "float32")
    features = features - ops.mean(features, axis=0, keepdims=True)
    gram = ops.matmul(features, ops.transpose(features))  # (N, N), the covariance's eigenvalues
    trace = ops.sum(ops.square(features))
    return ops.square(trace) / ops.maximum(ops.sum(ops.square(gram)), 1e-30)
