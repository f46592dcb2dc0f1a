"""Debiased and hard-negative contrastive losses: negatives are corrected for their class."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.losses.contrast import (
    of_samples,
    other_samples,
    positive_logits,
    stacked,
    true_negatives,
)
from keras_contrastive.losses.two_views import TwoViewLoss
from keras_contrastive.ops import masked_count, masked_logsumexp, to_logits
from keras_contrastive.ops.contrast import masked_logsumexp_among, scaled
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


def debiased(
    z1: Tensor,
    z2: Tensor,
    temperature: Any = 0.5,
    class_prior: float = 0.1,
    beta: float = 0.0,
    detection: Detection | None = None,
) -> Tensor:
    """NT-Xent whose negatives are reweighted by hardness and corrected for false ones.

    Formula: with the logits p of the positive and n_j of the M negatives,
    `l = -log(e^p / (e^p + g))`, `g = max((R - c M e^p) / (1 - c), M e^(-1/t))` and
    `R = sum_j e^((1 + beta) n_j) / mean_j e^(beta n_j)`, c the class prior.

    Args:
        z1: Projections of the first view, `(N, D)`, of any length.
        z2: Projections of the second view, `(N, D)`.
        temperature: Positive, or what `keras_contrastive.ops.to_logits` takes.
        class_prior: Chance that a negative is of the anchor's class, in 0 to 1; 0 for none.
        beta: Concentration on hard negatives, 0 or more; 0 weighs all alike.
        detection: False negatives to eliminate; `None` for none.

    Returns:
        A float32 tensor `(N,)`: the mean of the sample's two anchors.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import debiased, nt_xent
    >>> z1, z2 = np.random.default_rng(0).normal(size=(2, 4, 8)).astype("float32")
    >>> plain = debiased(z1, z2, 0.5, class_prior=0.0)
    >>> bool(abs(float(plain[0]) - float(nt_xent(z1, z2, 0.5)[0])) < 1e-5)
    True

    Reference:
        Chuang et al., 2020, equation 8; Robinson et al., 2021, equations 3 and 4.
    """
    z = stacked(z1, z2)  # (2N, D)
    positive = positive_logits(z, temperature)  # (2N,)
    others = other_samples(ops.shape(z1)[0])
    negative = true_negatives(others, detection)
    number = masked_count(z, z, negative)

    def log_sum(power: float) -> Tensor:
        if detection is None:
            return masked_logsumexp_among(z, others, scaled(temperature, power), longest=1.0)
        return masked_logsumexp(z, z, negative, scaled(temperature, power))

    log_reweighted = log_sum(1.0 + beta)
    if beta > 0:
        log_reweighted += ops.log(ops.maximum(number, 1.0)) - log_sum(beta)
    # In units of the largest term, so that no exponential overflows.
    unit = ops.stop_gradient(ops.maximum(positive, log_reweighted))
    reweighted, of_positive = ops.exp(log_reweighted - unit), ops.exp(positive - unit)
    corrected = (reweighted - class_prior * number * of_positive) / (1.0 - class_prior)
    floor = number * ops.exp(to_logits(-ops.ones_like(positive)[:, None], temperature)[:, 0] - unit)
    log_corrected = unit + ops.log(ops.maximum(ops.maximum(corrected, floor), 1e-37))
    return of_samples(ops.softplus(log_corrected - positive))


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Debiased(TwoViewLoss):
    """Debiased contrastive loss: subtracts what false negatives add on average.

    Args:
        temperature: Positive, default 0.5, or a `keras_contrastive.layers.Temperature`.
        class_prior: Chance that a negative is of the anchor's class, in 0 to 1 (without 1);
            0.1 for ten classes.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length.

    Raises:
        ValueError: If `class_prior` is out of range.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import Debiased
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(Debiased()(z, z)), 4)
    0.2115

    Reference:
        Chuang et al., "Debiased Contrastive Learning", 2020, equation 8.
    """

    beta = 0.0

    def __init__(
        self,
        temperature: Any = 0.5,
        class_prior: float = 0.1,
        name: str = "debiased",
        **kwargs: Any,
    ) -> None:
        if not 0 <= class_prior < 1:
            raise ValueError(
                "Expected `class_prior`, the chance of a negative to be of the anchor's class, in "
                f"0 to 1 (without 1). Received: class_prior={class_prior}."
            )
        super().__init__(temperature, name, **kwargs)
        self.class_prior = class_prior

    def of_views(
        self, z1: Tensor, z2: Tensor, temperature: Any, detection: Detection | None
    ) -> Tensor:
        return debiased(z1, z2, temperature, self.class_prior, self.beta, detection)

    def get_config(self) -> dict:
        return {**super().get_config(), "class_prior": self.class_prior}


@keras.saving.register_keras_serializable(package="keras_contrastive")
class HCL(Debiased):
    """Hard-negative contrastive loss: debiased, and hard negatives weigh more.

    Args:
        temperature: Positive, default 0.5, or a `keras_contrastive.layers.Temperature`.
        class_prior: Chance that a negative is of the anchor's class, in 0 to 1 (without 1).
        beta: Concentration on hard negatives, 0 or more; default 1.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length.

    Raises:
        ValueError: If `class_prior` or `beta` is out of range.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import HCL
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(HCL()(z, z)), 4)  # equal negatives weigh alike
    0.2115

    Reference:
        Robinson et al., "Contrastive Learning with Hard Negative Samples", 2021, equation 4.
    """

    def __init__(
        self,
        temperature: Any = 0.5,
        class_prior: float = 0.1,
        beta: float = 1.0,
        name: str = "hcl",
        **kwargs: Any,
    ) -> None:
        if not beta >= 0:
            raise ValueError(f"Expected `beta` of 0 or more. Received: beta={beta}.")
        super().__init__(temperature, class_prior, name, **kwargs)
        self.beta = beta

    def get_config(self) -> dict:
        return {**super().get_config(), "beta": self.beta}
