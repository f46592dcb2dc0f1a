"""VICReg: invariance, variance and covariance, three terms that can be used apart."""

import keras
from keras import ops

from keras_contrastive.losses.checks import check_pair, check_weight
from keras_contrastive.ops.similarity import Tensor


def vicreg_invariance(z1: Tensor, z2: Tensor) -> Tensor:
    """Mean squared difference of the two views.

    Formula: `mean_{n, d} (z1_nd - z2_nd)^2`; nothing is normalised.

    Args:
        z1: Projections of the first view, `(N, D)`.
        z2: Projections of the second view, `(N, D)`.

    Returns:
        A float32 scalar.

    Example:

    >>> float(vicreg_invariance([[0.0, 2.0]], [[0.0, 0.0]]))
    2.0

    Reference:
        Bardes et al., "VICReg", 2022, equation 5, divided by the dimension as in the official code.
    """
    return ops.mean(ops.square(ops.cast(z1, "float32") - ops.cast(z2, "float32")))


def vicreg_variance(z: Tensor, target: float = 1.0, epsilon: float = 1e-4) -> Tensor:
    """How far the standard deviations of the dimensions fall short of `target`.

    Formula: `mean_d max(0, target - sqrt(Var(z_d) + epsilon))`, Var unbiased.

    Args:
        z: Projections of one view, `(N, D)`, N at least 2.
        target: Standard deviation that is enough.
        epsilon: Keeps the gradient of the root finite.

    Returns:
        A float32 scalar, in 0 to `target`.

    Example:

    >>> round(float(vicreg_variance([[1.0], [1.0]])), 4)  # no variance at all
    0.99

    Reference:
        Bardes et al., "VICReg", 2022, equations 1 and 2.
    """
    z = _centred(z)
    variance = ops.sum(ops.square(z), axis=0) / _degrees_of_freedom(z)  # (D,)
    return ops.mean(ops.relu(target - ops.sqrt(variance + epsilon)))


def vicreg_covariance(z: Tensor) -> Tensor:
    """How much the dimensions vary together.

    Formula: `sum_{i != j} Cov_ij^2 / D`, Cov unbiased.

    Args:
        z: Projections of one view, `(N, D)`, N at least 2.

    Returns:
        A float32 scalar.

    Example:

    >>> float(vicreg_covariance([[1.0, 1.0], [-1.0, -1.0]]))  # Cov_ij = 2
    4.0

    Reference:
        Bardes et al., "VICReg", 2022, equations 3 and 4.
    """
    z = _centred(z)
    covariance = ops.matmul(ops.transpose(z), z) / _degrees_of_freedom(z)  # (D, D)
    diagonal = ops.diagonal(covariance)
    off_diagonal = ops.sum(ops.square(covariance)) - ops.sum(ops.square(diagonal))
    return off_diagonal / z.shape[1]


def vicreg_terms(z1: Tensor, z2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Invariance, the mean variance term of the views, and the sum of their covariance terms.

    Args:
        z1: Projections of the first view, `(N, D)`, N at least 2.
        z2: Projections of the second view, `(N, D)`.

    Returns:
        Three float32 scalars, before they are weighted.

    Example:

    >>> import numpy as np
    >>> z = np.array([[1.0, 1.0], [-1.0, -1.0]], "float32")
    >>> [float(term) for term in vicreg_terms(z, z)]
    [0.0, 0.0, 8.0]
    """
    return (
        vicreg_invariance(z1, z2),
        (vicreg_variance(z1) + vicreg_variance(z2)) / 2.0,
        vicreg_covariance(z1) + vicreg_covariance(z2),
    )


def vicreg(
    z1: Tensor,
    z2: Tensor,
    invariance_weight: float = 25.0,
    variance_weight: float = 25.0,
    covariance_weight: float = 1.0,
) -> Tensor:
    """Variance-invariance-covariance regularisation of two views.

    Formula: `25 invariance + 25 (v(z1) + v(z2)) / 2 + c(z1) + c(z2)`, see the three functions.

    Args:
        z1: Projections of the first view, `(N, D)`, N at least 2.
        z2: Projections of the second view, `(N, D)`.
        invariance_weight: 25 in the paper.
        variance_weight: 25 in the paper.
        covariance_weight: 1 in the paper.

    Returns:
        A float32 scalar: a statistic of the batch.

    Example:

    >>> import numpy as np
    >>> z = np.array([[1.0, 1.0], [-1.0, -1.0]], "float32")
    >>> float(vicreg(z, z))
    8.0

    Reference:
        Bardes et al., "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised
        Learning", 2022, equation 6.
    """
    invariance, variance, covariance = vicreg_terms(z1, z2)
    return (
        invariance_weight * invariance + variance_weight * variance + covariance_weight * covariance
    )


def _centred(z: Tensor) -> Tensor:
    z = ops.cast(z, "float32")
    return z - ops.mean(z, axis=0, keepdims=True)


def _degrees_of_freedom(z: Tensor) -> Tensor:
    return ops.cast(ops.shape(z)[0] - 1, "float32")


@keras.saving.register_keras_serializable(package="keras_contrastive")
class VICRegLoss(keras.losses.Loss):
    """VICReg: views agree, every dimension varies, and dimensions do not vary together.

    Args:
        invariance_weight: At least 0, default 25.
        variance_weight: At least 0, default 25.
        covariance_weight: At least 0, default 1.
        reduction: As in `keras.losses.Loss`; the value is a scalar before it.
        name: Name of the loss.
        dtype: Dtype of the result; sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`; not normalised.

    Raises:
        ValueError: On a negative weight.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import VICRegLoss
    >>> z = np.zeros((4, 2), "float32")
    >>> round(float(VICRegLoss()(z, z)), 2)  # 25 times the missing deviation of 0.99
    24.75

    Reference:
        Bardes et al., "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised
        Learning", 2022.
    """

    def __init__(
        self,
        invariance_weight: float = 25.0,
        variance_weight: float = 25.0,
        covariance_weight: float = 1.0,
        reduction: str = "sum_over_batch_size",
        name: str = "vicreg",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.invariance_weight = check_weight(invariance_weight, "invariance_weight")
        self.variance_weight = check_weight(variance_weight, "variance_weight")
        self.covariance_weight = check_weight(covariance_weight, "covariance_weight")

    def call(self, z1: Tensor, z2: Tensor) -> Tensor:
        check_pair(z1, z2)
        return vicreg(z1, z2, self.invariance_weight, self.variance_weight, self.covariance_weight)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "invariance_weight": self.invariance_weight,
            "variance_weight": self.variance_weight,
            "covariance_weight": self.covariance_weight,
            "dtype": self.dtype,
        }
