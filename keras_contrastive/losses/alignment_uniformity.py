"""Alignment and uniformity as losses: positives together, everything spread out."""

import keras

from keras_contrastive.losses.checks import check_pair
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.ops.uniformity import alignment, uniformity


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Alignment(keras.losses.Loss):
    """Mean distance of positive pairs on the unit sphere; on its own it collapses.

    Args:
        alpha: Exponent of the distance, positive, default 2.
        reduction: As in `keras.losses.Loss`; the value is a scalar before it.
        name: Name of the loss.
        dtype: Dtype of the result; distances are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length.

    Raises:
        ValueError: On an exponent that is not positive.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import Alignment
    >>> z = np.eye(2, dtype="float32")
    >>> float(Alignment()(z, z[::-1].copy()))
    2.0

    Reference:
        Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere", 2020, section 4.
    """

    def __init__(
        self,
        alpha: float = 2.0,
        reduction: str = "sum_over_batch_size",
        name: str = "alignment",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = _check_positive(alpha, "alpha")

    def call(self, z1: Tensor, z2: Tensor) -> Tensor:
        check_pair(z1, z2)
        return alignment(z1, z2, self.alpha)

    def get_config(self) -> dict:
        return {**super().get_config(), "alpha": self.alpha, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Uniformity(keras.losses.Loss):
    """Log of the mean Gaussian potential of all pairs, the mean over the two views.

    `Alignment` plus `Uniformity` is the paper's objective; its weights are 1 and 1 for alpha 2.

    Args:
        t: Sharpness of the potential, positive, default 2.
        reduction: As in `keras.losses.Loss`; the value is a scalar before it.
        name: Name of the loss.
        dtype: Dtype of the result; potentials are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length, N at least 2.

    Raises:
        ValueError: On a sharpness that is not positive.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import Uniformity
    >>> z = np.eye(2, dtype="float32")
    >>> round(float(Uniformity()(z, z)), 4)
    -4.0

    Reference:
        Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere", 2020, section 4.
    """

    def __init__(
        self,
        t: float = 2.0,
        reduction: str = "sum_over_batch_size",
        name: str = "uniformity",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.t = _check_positive(t, "t")

    def call(self, z1: Tensor, z2: Tensor) -> Tensor:
        check_pair(z1, z2)
        return (uniformity(z1, self.t) + uniformity(z2, self.t)) / 2

    def get_config(self) -> dict:
        return {**super().get_config(), "t": self.t, "dtype": self.dtype}


def _check_positive(value: float, name: str) -> float:
    if not value > 0:
        raise ValueError(f"Expected a positive `{name}`. Received: {name}={value}.")
    return float(value)
