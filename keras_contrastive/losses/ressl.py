"""ReSSL: two views of an image must relate to other images in the same way."""

import keras
from keras import ops

from keras_contrastive.losses.checks import check_pair, check_temperature
from keras_contrastive.ops import masked_logits
from keras_contrastive.ops.similarity import Tensor, l2_normalize


def ressl(
    queries: Tensor,
    keys: Tensor,
    others: Tensor,
    temperature: float = 0.1,
    target_temperature: float = 0.04,
) -> Tensor:
    """Cross-entropy of the student's relations to other images from the teacher's.

    Formula: `l_i = -sum_n softmax(k_i.n / t')_n log softmax(q_i.n / t)_n` over the rows n of
    `others`, with all vectors at unit length.

    Args:
        queries: The student's projections `(N, D)`.
        keys: The teacher's projections `(N, D)`, constant.
        others: Projections `(K, D)` of other images, a queue for instance; constant.
        temperature: Of the student, positive; 0.1 in the paper.
        target_temperature: Of the teacher, positive and below `temperature`; 0.04 in the paper.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import ressl
    >>> z = np.eye(8, dtype="float32")
    >>> round(float(ressl(z[:4], z[:4], z[4:])[0]), 4)  # equally far from all: log K
    1.3863

    Reference:
        Zheng et al., "ReSSL: Relational Self-Supervised Learning with Weak Augmentation", 2021,
        equation 5.
    """
    others = ops.stop_gradient(l2_normalize(others))
    relations = masked_logits(l2_normalize(queries), others) / temperature  # (N, K)
    targets = masked_logits(ops.stop_gradient(l2_normalize(keys)), others) / target_temperature
    return -ops.sum(ops.softmax(targets, axis=1) * ops.log_softmax(relations, axis=1), axis=1)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class ReSSLLoss(keras.losses.Loss):
    """ReSSL's loss: the student's relations to a queue follow the teacher's sharper ones.

    Args:
        temperature: Of the student, positive, default 0.1.
        target_temperature: Of the teacher, positive and below `temperature`, default 0.04.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss((keys, others), queries)`: keys and queries `(N, D)`, `others` `(K, D)`; only the
        queries get a gradient.

    Raises:
        ValueError: If the teacher's temperature is not the lower one.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import ReSSLLoss
    >>> z = np.eye(8, dtype="float32")
    >>> round(float(ReSSLLoss()((z[:4], z[4:]), z[:4])), 4)
    1.3863

    Reference:
        Zheng et al., "ReSSL: Relational Self-Supervised Learning with Weak Augmentation", 2021.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        target_temperature: float = 0.04,
        reduction: str = "sum_over_batch_size",
        name: str = "ressl",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = check_temperature(temperature)
        self.target_temperature = check_temperature(target_temperature)
        if not self.target_temperature < self.temperature:
            raise ValueError(
                "Expected `target_temperature` below `temperature`: only sharper targets teach. "
                f"Received: target_temperature={target_temperature}, temperature={temperature}."
            )

    def call(self, keys: tuple[Tensor, Tensor], queries: Tensor) -> Tensor:
        if not isinstance(keys, (tuple, list)):
            raise ValueError(
                "Expected (keys, others), the embeddings of other images beside the keys. "
                f"Received: one tensor of shape {tuple(keys.shape)}."
            )
        keys, others = keys
        check_pair(keys, queries)
        return ressl(queries, keys, others, self.temperature, self.target_temperature)

    def get_config(self) -> dict:
        config = {
            "temperature": self.temperature,
            "target_temperature": self.target_temperature,
            "dtype": self.dtype,
        }
        return {**super().get_config(), **config}
