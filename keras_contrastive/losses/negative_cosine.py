"""Negative cosine similarity: methods without negatives pull a prediction to its target."""

import keras
from keras import ops

from keras_contrastive.losses.checks import check_pair
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor


def negative_cosine(target: Tensor, prediction: Tensor) -> Tensor:
    """Minus the cosine of prediction and target; the target gets no gradient.

    Args:
        target: Tensor `(N, D)`, constant.
        prediction: Tensor `(N, D)`.

    Returns:
        A float32 tensor `(N,)`, in -1 to 1.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import negative_cosine
    >>> z = np.eye(4, dtype="float32")
    >>> float(negative_cosine(z, z)[0])
    -1.0

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, equation 1.
    """
    target = ops.stop_gradient(l2_normalize(target))
    return -ops.sum(target * l2_normalize(prediction), axis=1)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class NegativeCosine(keras.losses.Loss):
    """Negative cosine similarity with a stop-gradient on the target.

    BYOL's squared distance of unit vectors is `2 + 2 * NegativeCosine`.

    Args:
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; the cosine is float32 whatever it is.

    Inputs:
        `loss(target, prediction)`: each `(N, D)`, of any length.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import NegativeCosine
    >>> z = np.eye(4, dtype="float32")
    >>> float(NegativeCosine()(z, -z))
    1.0

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, equation 1.
    """

    def __init__(
        self,
        reduction: str = "sum_over_batch_size",
        name: str = "negative_cosine",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, target: Tensor, prediction: Tensor) -> Tensor:
        check_pair(target, prediction)
        return negative_cosine(target, prediction)

    def get_config(self) -> dict:
        return {**super().get_config(), "dtype": self.dtype}
