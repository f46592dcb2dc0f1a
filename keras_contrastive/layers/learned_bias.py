"""A bias of all logits that is trained."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class LearnedBias(keras.layers.Layer):
    """One trainable number that is added to every logit, as in SigLIP.

    Args:
        initial: Where it starts. The paper's -10 makes nearly all pairs negatives, as they are.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.layers import LearnedBias
    >>> float(LearnedBias(-10.0)(np.ones(1))[0])
    -9.0

    Reference:
        Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023, section 3.2. Weight decay
        should leave it out.
    """

    def __init__(self, initial: float = -10.0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.initial = initial
        self.bias = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(initial), name="logit_bias"
        )
        self.built = True

    def value(self) -> Tensor:
        """The bias, a float32 scalar."""
        return ops.convert_to_tensor(self.bias)

    def call(self, logits: Tensor) -> Tensor:
        return ops.cast(logits, "float32") + self.value()

    def get_config(self) -> dict:
        return {**super().get_config(), "initial": self.initial}
