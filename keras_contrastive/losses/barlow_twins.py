"""Barlow Twins: the cross-correlation of two views should be the identity."""

import keras
from keras import ops

from keras_contrastive.losses.checks import check_pair, check_weight
from keras_contrastive.ops.similarity import Tensor


def cross_correlation(z1: Tensor, z2: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Correlation of every dimension of the first view with every one of the second.

    Formula: `C = n(z1)' n(z2) / N`, n the batch normalisation without scale and offset.

    Args:
        z1: Projections of the first view, `(N, D)`.
        z2: Projections of the second view, `(N, D)`.
        epsilon: Added to the (biased) variances.

    Returns:
        A float32 tensor `(D, D)`, in -1 to 1.

    Example:

    >>> import numpy as np
    >>> z = np.array([[1.0, 2.0], [-1.0, -2.0]], "float32")
    >>> round(float(cross_correlation(z, -z)[0, 1]), 3)
    -1.0
    """
    num_samples = ops.cast(ops.shape(z1)[0], "float32")
    z1, z2 = (_standardized(z, epsilon) for z in (z1, z2))
    return ops.matmul(ops.transpose(z1), z2) / num_samples


def barlow_twins_terms(z1: Tensor, z2: Tensor) -> tuple[Tensor, Tensor]:
    """The two sums of the loss: how far the views disagree, and how redundant dimensions are.

    Args:
        z1: Projections of the first view, `(N, D)`.
        z2: Projections of the second view, `(N, D)`.

    Returns:
        Two float32 scalars: `sum_i (1 - C_ii)^2` and `sum_{i != j} C_ij^2`.

    Example:

    >>> import numpy as np
    >>> z = np.array([[1.0, 2.0], [-1.0, -2.0]], "float32")  # one dimension, twice
    >>> [round(float(term), 3) for term in barlow_twins_terms(z, z)]
    [0.0, 2.0]
    """
    correlation = cross_correlation(z1, z2)
    diagonal = ops.diagonal(correlation)
    off_diagonal = ops.sum(ops.square(correlation)) - ops.sum(ops.square(diagonal))
    return ops.sum(ops.square(1.0 - diagonal)), off_diagonal


def barlow_twins(z1: Tensor, z2: Tensor, redundancy_weight: float = 0.0051) -> Tensor:
    """Invariance plus weighted redundancy reduction.

    Formula: `sum_i (1 - C_ii)^2 + w sum_{i != j} C_ij^2`, C as in `cross_correlation`.

    Args:
        z1: Projections of the first view, `(N, D)`, N at least 2.
        z2: Projections of the second view, `(N, D)`.
        redundancy_weight: 0.0051 in the paper, for D = 8192.

    Returns:
        A float32 scalar: a statistic of the batch.

    Example:

    >>> import numpy as np
    >>> z = np.array([[1.0, 2.0], [-1.0, -2.0]], "float32")
    >>> round(float(barlow_twins(z, z, redundancy_weight=0.5)), 3)
    1.0

    Reference:
        Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", 2021,
        equations 1 and 2.
    """
    invariance, redundancy = barlow_twins_terms(z1, z2)
    return invariance + redundancy_weight * redundancy


def _standardized(z: Tensor, epsilon: float) -> Tensor:
    z = ops.cast(z, "float32")
    z = z - ops.mean(z, axis=0, keepdims=True)
    return z * ops.rsqrt(ops.mean(ops.square(z), axis=0, keepdims=True) + epsilon)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class BarlowTwinsLoss(keras.losses.Loss):
    """Barlow Twins: each dimension agrees between the views and tells something of its own.

    Its size grows with the dimension of the embeddings: plain SGD wants a learning rate that is
    smaller by a factor of 10 to 40 than for other losses, LARS does not mind.

    Args:
        redundancy_weight: Weight of the off-diagonal terms, at least 0, default 0.0051; with 0
            nothing keeps the dimensions from becoming one.
        reduction: As in `keras.losses.Loss`; the value is a scalar before it.
        name: Name of the loss.
        dtype: Dtype of the result; correlations and sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`.

    Raises:
        ValueError: On a negative weight.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import BarlowTwinsLoss
    >>> z = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]], "float32")
    >>> round(float(BarlowTwinsLoss()(z, z)), 4)  # agree, and are independent
    0.0

    Reference:
        Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", 2021.
    """

    def __init__(
        self,
        redundancy_weight: float = 0.0051,
        reduction: str = "sum_over_batch_size",
        name: str = "barlow_twins",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.redundancy_weight = check_weight(redundancy_weight, "redundancy_weight")

    def call(self, z1: Tensor, z2: Tensor) -> Tensor:
        check_pair(z1, z2)
        return barlow_twins(z1, z2, self.redundancy_weight)

    def get_config(self) -> dict:
        config = {"redundancy_weight": self.redundancy_weight, "dtype": self.dtype}
        return {**super().get_config(), **config}
