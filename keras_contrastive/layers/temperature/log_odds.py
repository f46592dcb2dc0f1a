"""No temperature at all."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature.base import Temperature
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class LogOdds(Temperature):
    """Temperature-free logits: `log((1 + s) / (1 - s)) = 2 artanh(s)` of a cosine s.

    The logit of a pair is the log-odds of `(1 + s) / 2`, so there is nothing to tune.

    Args:
        margin: Cosines are clipped to 1 - margin, where the log-odds would be infinite;
            default 1e-6.

    Raises:
        ValueError: If `margin` does not lie between 0 and 1.

    Example:

    >>> from keras_contrastive.layers import LogOdds
    >>> logits = LogOdds()(None, None)
    >>> round(float(logits(0.5)), 4)  # log 3
    1.0986

    Reference:
        Kim and Kim, "Temperature-Free Loss Function for Contrastive Learning", 2025.
    """

    def __init__(self, margin: float = 1e-6, **kwargs: Any) -> None:
        if not 0 < margin < 1:
            raise ValueError(f"Expected `margin` between 0 and 1. Received: margin={margin}.")
        super().__init__(**kwargs)
        self.margin = margin

    def call(
        self, anchors: Tensor, alignment: Tensor, index: Tensor | None = None
    ) -> Callable[[Tensor], Tensor]:
        return self.logits

    def logits(self, similarity: Tensor) -> Tensor:
        """The log-odds of cosines."""
        limit = 1.0 - self.margin
        similarity = ops.convert_to_tensor(similarity)
        return 2.0 * ops.arctanh(ops.clip(similarity, -limit, limit))

    def get_config(self) -> dict:
        return {**super().get_config(), "margin": self.margin}
