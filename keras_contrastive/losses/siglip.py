"""SigLIP's loss: every pair is a yes-or-no question of its own."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.learned_bias import LearnedBias
from keras_contrastive.layers.temperature import resolve_temperature
from keras_contrastive.losses.checks import check_pair
from keras_contrastive.losses.contrast import ContrastiveLoss, pair_logits
from keras_contrastive.ops import l2_normalize, masked_softplus
from keras_contrastive.ops.similarity import Tensor


def siglip(keys: Tensor, queries: Tensor, temperature: Any = 0.1, bias: Any = -10.0) -> Tensor:
    """Sigmoid cross-entropy of all pairs of a batch; the diagonal holds the positives.

    Formula: `l_i = -sum_j log sigmoid(y_ij (s_ij / t + b))`, y 1 on the diagonal and -1 elsewhere.

    Args:
        keys: Tensor `(N, D)`, of any length.
        queries: Tensor `(N, D)`; row i belongs to row i of the keys.
        temperature: Positive, or what `keras_contrastive.ops.to_logits` takes.
        bias: Scalar b; the paper starts at -10, since nearly all pairs are negatives.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import siglip
    >>> z = np.eye(2, dtype="float32")
    >>> round(float(siglip(z, z, 1.0, bias=0.0)[0]), 4)  # log(1 + 1/e) + log 2
    1.0064

    Reference:
        Zhai et al., 2023, equation 2.
    """
    queries, keys = l2_normalize(queries), l2_normalize(keys)
    positive = pair_logits(queries, keys, temperature) + bias  # (N,)
    negatives = masked_softplus(queries, keys, ops.not_equal, temperature, bias)
    return ops.softplus(-positive) + negatives


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SigLIP(ContrastiveLoss):
    """Sigmoid loss for pairs, such as images and their texts.

    Args:
        temperature: Positive, default 0.1, or a `keras_contrastive.layers.Temperature`. The paper
            learns it: `keras_contrastive.layers.LearnedTemperature(0.1)`.
        bias: Added to every logit; default -10. The paper learns it too:
            `keras_contrastive.layers.LearnedBias(-10.0)`.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(keys, queries)`: each `(N, D)`, of any length.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import SigLIP
    >>> z = np.eye(2, dtype="float32")
    >>> round(float(SigLIP(temperature=1.0, bias=0.0)(z, z)), 4)
    1.0064

    Reference:
        Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023.
    """

    def __init__(
        self,
        temperature: Any = 0.1,
        bias: float | LearnedBias = -10.0,
        name: str = "siglip",
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature, name, **kwargs)
        self.bias = bias

    def call(
        self, keys: Tensor, queries: Tensor, index: Tensor | None = None, training: bool = True
    ) -> Tensor:
        check_pair(keys, queries)
        temperature, (queries, keys) = resolve_temperature(self.temperature, [queries, keys], index)
        bias = self.bias.value() if isinstance(self.bias, LearnedBias) else self.bias
        return siglip(keys, queries, temperature, bias)

    def get_config(self) -> dict:
        return {**super().get_config(), "bias": keras.saving.serialize_keras_object(self.bias)}
