"""A temperature that is trained."""

import math
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature.base import Temperature
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class LearnedTemperature(Temperature):
    """One trainable temperature, learned as the log of its inverse and clamped, as in CLIP.

    Args:
        initial: Temperature to start with, positive; 0.07 in CLIP.
        minimum: Smallest temperature; after a step that goes below, it is put back. 0.01 in CLIP.

    Raises:
        ValueError: If `initial` lies below `minimum`, or `minimum` is not positive.

    Example:

    >>> from keras_contrastive.layers import LearnedTemperature
    >>> temperature = LearnedTemperature()
    >>> round(float(temperature(None, None)), 2), len(temperature.trainable_variables)
    (0.07, 1)

    Reference:
        Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
        2021, section 2.5. Weight decay should leave it out.
    """

    def __init__(self, initial: float = 0.07, minimum: float = 0.01, **kwargs: Any) -> None:
        if not 0 < minimum <= initial:
            raise ValueError(
                f"Expected 0 < minimum <= initial. Received: initial={initial}, minimum={minimum}."
            )
        super().__init__(**kwargs)
        self.initial, self.minimum = initial, minimum
        self.log_scale = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(-math.log(initial)), name="log_scale"
        )

    def call(self, anchors: Tensor, alignment: Tensor, index: Tensor | None = None) -> Tensor:
        return ops.exp(-ops.convert_to_tensor(self.log_scale))

    def after_step(self, stepped: Tensor) -> None:
        largest = -math.log(self.minimum)
        self.log_scale.assign(ops.minimum(ops.convert_to_tensor(self.log_scale), largest))

    def get_config(self) -> dict:
        return {**super().get_config(), "initial": self.initial, "minimum": self.minimum}
