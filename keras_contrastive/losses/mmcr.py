"""MMCR: the means of an image's views spread over the sphere, and so the views agree."""

import keras
from keras import ops

from keras_contrastive.losses.checks import check_weight
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.nuclear_norm import nuclear_norm
from keras_contrastive.ops.similarity import Tensor


def mmcr(embeddings: Tensor, compression_weight: float = 0.0) -> Tensor:
    """Minus the nuclear norm of the centroids, plus the mean nuclear norm of each image's views.

    Formula: `w mean_i |Z_i|_* - |C|_*` with Z_i the views of image i, C the means of each Z_i.
    Embeddings are taken as they are: bring them to unit length first.

    Args:
        embeddings: Tensor `(N, V, D)`, V views of each image.
        compression_weight: Weight of the first term, 0 in the paper: for vectors of unit length
            large centroids already mean that views agree.

    Returns:
        A float32 scalar: a statistic of the batch.

    Example:

    >>> import numpy as np
    >>> z = np.stack([np.eye(3, dtype="float32")] * 2, axis=1)  # views agree, images are orthogonal
    >>> round(float(mmcr(z)), 4)
    -3.0

    Reference:
        Yerxa et al., "Learning Efficient Coding of Natural Images with Maximum Manifold Capacity
        Representations", 2023, equation 4.
    """
    embeddings = ops.cast(embeddings, "float32")
    loss = -nuclear_norm(ops.mean(embeddings, axis=1))
    if compression_weight:
        loss = loss + compression_weight * ops.mean(nuclear_norm(embeddings))
    return loss


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MMCRLoss(keras.losses.Loss):
    """Maximum manifold capacity: centroids of views as long and as orthogonal as they can be.

    Args:
        compression_weight: Weight of the nuclear norms of each image's views, at least 0,
            default 0.
        reduction: As in `keras.losses.Loss`; the value is a scalar before it.
        name: Name of the loss.
        dtype: Dtype of the result; decompositions are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length; or several of
        them stacked, each `(N, V, D)`, such as those of an online and a target network.

    Raises:
        ValueError: On a negative weight, or inputs of another shape.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import MMCRLoss
    >>> z = np.eye(3, dtype="float32")
    >>> round(float(MMCRLoss()(z, 2.0 * z)), 4)
    -3.0

    Differs from the reference: views of both networks count in the compression term, as they do
    in the centroids.

    Reference:
        Yerxa et al., "Learning Efficient Coding of Natural Images with Maximum Manifold Capacity
        Representations", 2023.
    """

    def __init__(
        self,
        compression_weight: float = 0.0,
        reduction: str = "sum_over_batch_size",
        name: str = "mmcr",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.compression_weight = check_weight(compression_weight, "compression_weight")

    def call(self, z1: Tensor, z2: Tensor) -> Tensor:
        shapes = tuple(z1.shape), tuple(z2.shape)
        if len(shapes[0]) not in (2, 3) or len(shapes[0]) != len(shapes[1]):
            raise ValueError(
                "Expected embeddings of two views, both (N, D), or of several, both (N, V, D). "
                f"Received: shapes {shapes[0]} and {shapes[1]}."
            )
        views = [z[:, None] if len(z.shape) == 2 else z for z in (z1, z2)]
        return mmcr(l2_normalize(ops.concatenate(views, axis=1)), self.compression_weight)

    def get_config(self) -> dict:
        config = {"compression_weight": self.compression_weight, "dtype": self.dtype}
        return {**super().get_config(), **config}
