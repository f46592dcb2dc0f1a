"""A temperature that follows the alignment of the positives."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature.base import Temperature
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class AlignmentTemperature(Temperature):
    """`t (1 + alpha (A - A0))`: softer as positives align, so that pulling them does not overfit.

    A is the mean cosine of the step's positive pairs, a constant for the gradient.

    Args:
        base: Temperature t at A = A0, positive; default 0.1.
        alpha: How strongly it follows, in 0 to 1; default 0.5.
        neutral: Alignment A0 at which it is `base`, in -1 to 1; default 0.

    Raises:
        ValueError: If an argument is out of range, or some alignment makes it 0 or less.

    Example:

    >>> from keras_contrastive.layers import AlignmentTemperature
    >>> round(float(AlignmentTemperature(0.1)(None, alignment=0.8)), 3)
    0.14

    Reference:
        Huang et al., "Model-Aware Contrastive Learning: Towards Escaping the Dilemmas", 2023.
    """

    def __init__(
        self, base: float = 0.1, alpha: float = 0.5, neutral: float = 0.0, **kwargs: Any
    ) -> None:
        if not (base > 0 and 0 <= alpha <= 1 and -1 <= neutral <= 1 and alpha * (1 + neutral) < 1):
            raise ValueError(
                "Expected base > 0, alpha in 0 to 1, neutral in -1 to 1 and alpha (1 + neutral) "
                f"< 1. Received: base={base}, alpha={alpha}, neutral={neutral}."
            )
        super().__init__(**kwargs)
        self.base, self.alpha, self.neutral = base, alpha, neutral

    def call(self, anchors: Tensor, alignment: Tensor, index: Tensor | None = None) -> Tensor:
        return self.base * (1.0 + self.alpha * (ops.stop_gradient(alignment) - self.neutral))

    def get_config(self) -> dict:
        names = ("base", "alpha", "neutral")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
