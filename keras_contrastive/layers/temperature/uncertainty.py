"""A temperature that the network predicts for each sample."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature.base import Temperature
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class UncertaintyTemperature(Temperature):
    """Temperature as uncertainty (TaU): the head's last output says how sure it is of a sample.

    Logits of anchor i are `sigmoid(c_i) s_ij / t`, c being the last output and s the cosine of the
    others; `1 / sigmoid(c)` is an uncertainty, high out of distribution.

    Args:
        base: Temperature of a sample that the network is sure of, positive; 0.1 in the paper.

    Raises:
        ValueError: If `base` is not positive, or a head has a single output.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.layers import UncertaintyTemperature
    >>> outputs = np.array([[1.0, 2.0, 0.0]], "float32")
    >>> round(float(UncertaintyTemperature(0.1)(outputs, None)[0, 0]), 4)  # sigmoid(0) = 1/2
    0.2

    Differs from the reference: each row's positive too is scaled by the row's own certainty, where
    the code takes the first view's for both.

    Reference:
        Zhang et al., "Temperature as Uncertainty in Contrastive Learning", 2021.
    """

    def __init__(self, base: float = 0.1, **kwargs: Any) -> None:
        if not base > 0:
            raise ValueError(f"Expected a positive `base`. Received: base={base}.")
        super().__init__(**kwargs)
        self.base = base

    def embeddings(self, outputs: Tensor) -> Tensor:
        if outputs.shape[-1] < 2:
            raise ValueError(
                "Expected a head with at least two outputs, the last of which is the certainty. "
                f"Received: outputs of shape {tuple(outputs.shape)}."
            )
        return outputs[:, :-1]

    def call(self, anchors: Tensor, alignment: Tensor, index: Tensor | None = None) -> Tensor:
        return self.base / ops.sigmoid(ops.cast(anchors[:, -1:], "float32"))  # (N, 1)

    def get_config(self) -> dict:
        return {**super().get_config(), "base": self.base}
