"""TiCo: pull pairs together, and away from the directions that past batches have used."""

import keras
from keras import ops

from keras_contrastive.losses.checks import check_pair
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor


def tico(online: Tensor, target: Tensor, covariance: Tensor, rho: float = 8.0) -> Tensor:
    """Transformation invariance and covariance contrast.

    Formula: `l_i = 1 - z_i.t_i + rho z_i' C z_i` with z and t at unit length.

    Args:
        online: Projections z, `(N, D)`, of any length.
        target: Projections t of the other view, `(N, D)`.
        covariance: The second moment C of unit projections, `(D, D)`, see `tico_covariance`;
            constant: the gradient goes through z alone.
        rho: Weight of the contrast, positive; 8 in the paper for most, 20 for ImageNet.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import tico
    >>> z = np.eye(4, dtype="float32")
    >>> float(tico(z, z, np.eye(4, dtype="float32") / 4)[0])
    2.0

    Reference:
        Zhu et al., "TiCo: Transformation Invariance and Covariance Contrast for Self-Supervised
        Visual Representation Learning", 2022, equation 6.
    """
    online, target = l2_normalize(online), l2_normalize(target)
    contrast = ops.matmul(online, ops.stop_gradient(covariance)) * online  # (N, D)
    return 1.0 - ops.sum(online * target, axis=1) + rho * ops.sum(contrast, axis=1)


def tico_covariance(online: Tensor, previous: Tensor, beta: float = 0.9) -> Tensor:
    """The moving second moment of the projections, this batch included.

    Formula: `C = beta C_previous + (1 - beta) z'z / N` with z at unit length.

    Args:
        online: Projections z, `(N, D)`, of any length.
        previous: The moment before this batch, `(D, D)`; zeros at first.
        beta: Share of the past, 0 to 1; 0.9 in the paper.

    Returns:
        A float32 tensor `(D, D)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import tico_covariance
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(tico_covariance(z, np.zeros((4, 4), "float32"))[0, 0]), 3)
    0.025
    """
    online = l2_normalize(online)
    num_samples = ops.cast(ops.shape(online)[0], "float32")
    moment = ops.matmul(ops.transpose(online), online) / num_samples  # (D, D)
    return beta * ops.cast(previous, "float32") + (1.0 - beta) * moment


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TiCoLoss(keras.losses.Loss):
    """TiCo's loss: invariance of pairs, and contrast with a moving second moment.

    Args:
        beta: Share of the past in the moment, 0 to 1; default 0.9, the paper's.
        rho: Weight of the contrast, positive; default 8 (20 in the paper for ImageNet).
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; sums are float32 whatever it is.

    Inputs:
        `loss(target, online)`: projections of two views, each `(N, D)`, of any length; the moment
        is that of this batch alone, after a past of zeros.
        `loss((target, previous), online)`: `previous` `(D, D)` is the moment before this batch.
        `keras_contrastive.TiCo` keeps it.

    Raises:
        ValueError: If `beta` or `rho` is out of range.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import TiCoLoss
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(TiCoLoss()(z, z)), 3)  # 8 * 0.1 / 4
    0.2

    Reference:
        Zhu et al., "TiCo: Transformation Invariance and Covariance Contrast for Self-Supervised
        Visual Representation Learning", 2022, algorithm 1.
    """

    def __init__(
        self,
        beta: float = 0.9,
        rho: float = 8.0,
        reduction: str = "sum_over_batch_size",
        name: str = "tico",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not 0 <= beta <= 1 or not rho > 0:
            raise ValueError(
                f"Expected `beta` in 0 to 1 and a positive `rho`. Received: beta={beta}, rho={rho}."
            )
        self.beta, self.rho = float(beta), float(rho)

    def call(self, target: Tensor | tuple[Tensor, Tensor], online: Tensor) -> Tensor:
        if isinstance(target, (tuple, list)):
            target, previous = target
        else:
            previous = ops.zeros((online.shape[-1], online.shape[-1]))
        check_pair(target, online)
        return tico(online, target, tico_covariance(online, previous, self.beta), self.rho)

    def get_config(self) -> dict:
        config = {"beta": self.beta, "rho": self.rho, "dtype": self.dtype}
        return {**super().get_config(), **config}
