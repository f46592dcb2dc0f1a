"""MACL: a temperature that follows the alignment, and weights that undo its effect."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature import AlignmentTemperature
from keras_contrastive.losses.contrast import (
    contrast,
    of_samples,
    other_samples,
    positive_logits,
    stacked,
)
from keras_contrastive.losses.two_views import TwoViewLoss
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MACL(TwoViewLoss):
    """Model-aware contrastive loss: NT-Xent over 1 - P, at a temperature that follows alignment.

    P is the softmax of an anchor's positive; dividing by 1 - P, a constant for the gradient, keeps
    easy anchors from vanishing.

    Args:
        temperature: A `keras_contrastive.layers.Temperature` or a positive number; `None` for
            `AlignmentTemperature(0.1, alpha=0.5)`, the paper's.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import MACL
    >>> z = np.ones((2, 8), "float32")  # P = 1/3 of three candidates: log 3 / (2/3)
    >>> round(float(MACL(temperature=1.0)(z, z)), 4)
    1.6479

    Reference:
        Huang et al., "Model-Aware Contrastive Learning: Towards Escaping the Dilemmas", 2023.
    """

    attracts = True

    def __init__(self, temperature: Any = None, name: str = "macl", **kwargs: Any) -> None:
        super().__init__(temperature or AlignmentTemperature(), name, **kwargs)

    def of_views(
        self, z1: Tensor, z2: Tensor, temperature: Any, detection: Detection | None
    ) -> Tensor:
        z = stacked(z1, z2)
        positive, negative = positive_logits(z, temperature), other_samples(ops.shape(z1)[0])
        loss = contrast(positive, z, z, temperature, negative, detection)  # (2N,), -log P
        missing = ops.stop_gradient(-ops.expm1(-loss))  # 1 - P
        return of_samples(loss / ops.maximum(missing, 1e-12))
