"""Decoupled contrastive losses: the positive is left out of the denominator."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.losses.contrast import (
    log_other_negatives,
    of_samples,
    other_samples,
    positive_logits,
    stacked,
)
from keras_contrastive.losses.two_views import TwoViewLoss
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


def decoupled(
    z1: Tensor,
    z2: Tensor,
    temperature: Any = 0.1,
    sigma: float | None = None,
    detection: Detection | None = None,
) -> Tensor:
    """Decoupled NT-Xent of two views, without or with weights of the positives.

    Formula: `l_i = -w_i s_ip / t + log sum_{k not in {i, p}} exp(s_ik / t)`; `w_i = 1`, or with
    `sigma` `w_i = 2 - N softmax_i(s_ip / sigma)`, a constant for the gradient.

    Args:
        z1: Projections of the first view, `(N, D)`, of any length.
        z2: Projections of the second view, `(N, D)`.
        temperature: Positive, or what `keras_contrastive.ops.to_logits` takes.
        sigma: Width of the weights, positive; `None` for no weights.
        detection: False negatives to eliminate; `None` for none.

    Returns:
        A float32 tensor `(N,)`: the mean of the sample's two anchors. It can be negative.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import decoupled
    >>> z = np.ones((4, 8), "float32")
    >>> round(float(decoupled(z, z, 1.0)[0]), 4)  # log(2N - 2) - 1 + 1
    1.7918

    Reference:
        Yeh et al., 2022, equations 5 and 6.
    """
    z = stacked(z1, z2)  # (2N, D)
    num_samples = ops.shape(z1)[0]
    positive = positive_logits(z, temperature)  # (2N,)
    if sigma is not None:
        cosines = ops.stop_gradient(positive_logits(z, sigma)[:num_samples])
        weights = 2.0 - ops.cast(num_samples, "float32") * ops.softmax(cosines)
        positive = positive * ops.concatenate([weights, weights], axis=0)
    negative = other_samples(num_samples)
    return of_samples(log_other_negatives(z, temperature, negative, detection) - positive)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class DCL(TwoViewLoss):
    """Decoupled contrastive loss: NT-Xent without the positive among the negatives.

    An easy positive no longer shrinks the gradient of the negatives, so small batches do.

    Args:
        temperature: Positive, default 0.1 (0.07 for CIFAR), or a
            `keras_contrastive.layers.Temperature`.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import DCL
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(DCL(temperature=0.5)(z, z)), 4)  # log 6 - 2
    -0.2082

    Reference:
        Yeh et al., "Decoupled Contrastive Learning", 2022, equation 5.
    """

    sigma: float | None = None

    def __init__(self, temperature: Any = 0.1, name: str = "dcl", **kwargs: Any) -> None:
        super().__init__(temperature, name, **kwargs)

    def of_views(
        self, z1: Tensor, z2: Tensor, temperature: Any, detection: Detection | None
    ) -> Tensor:
        return decoupled(z1, z2, temperature, self.sigma, detection)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class DCLW(DCL):
    """DCL with weights: positives that are far apart count more.

    Args:
        temperature: Positive, default 0.1, or a `keras_contrastive.layers.Temperature`.
        sigma: Width of the weights, positive; 0.5 in the paper.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length.

    Raises:
        ValueError: If `sigma` is not positive.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import DCLW
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(DCLW(temperature=0.5)(z, z)), 4)  # equal positives: DCL
    -0.2082

    Differs from the reference: the weights get no gradient, as in lightly.

    Reference:
        Yeh et al., "Decoupled Contrastive Learning", 2022, equation 6.
    """

    def __init__(
        self, temperature: Any = 0.1, sigma: float = 0.5, name: str = "dclw", **kwargs: Any
    ) -> None:
        if not sigma > 0:
            raise ValueError(f"Expected a positive `sigma`. Received: sigma={sigma}.")
        super().__init__(temperature, name, **kwargs)
        self.sigma = sigma

    def get_config(self) -> dict:
        return {**super().get_config(), "sigma": self.sigma}
