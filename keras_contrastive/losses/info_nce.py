"""InfoNCE and NT-Xent: one positive against many negatives."""

import keras
from keras import ops

from keras_contrastive.losses.checks import check_pair, check_temperature
from keras_contrastive.ops import l2_normalize, masked_logsumexp, positive_is_nearest
from keras_contrastive.ops.similarity import Tensor


def nt_xent(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    """Normalised temperature-scaled cross-entropy of two views.

    Formula: with the 2N rows `Z = [z1; z2]` at unit length,
    `l_i = -s_ip / t + log sum_{k != i} exp(s_ik / t)`, p the other view of i.

    Args:
        z1: Projections of the first view, `(N, D)`, of any length.
        z2: Projections of the second view, `(N, D)`.
        temperature: Positive; 0.1 in the paper for ImageNet, 0.5 for CIFAR-10.

    Returns:
        A float32 tensor `(N,)`: the mean of the sample's two anchors.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import nt_xent
    >>> z = np.ones((4, 8), "float32")
    >>> round(float(nt_xent(z, z)[0]), 4)  # all equal: log(2N - 1)
    1.9459

    Reference:
        Chen et al., 2020, equation 1.
    """
    num_samples = ops.shape(z1)[0]
    z = l2_normalize(ops.concatenate([z1, z2], axis=0))  # (2N, D)
    denominator = masked_logsumexp(z / temperature, z, keep=_not_itself)  # (2N,)
    positive = ops.sum(z[:num_samples] * z[num_samples:], axis=1) / temperature  # (N,)
    return (denominator[:num_samples] + denominator[num_samples:]) / 2 - positive


def nt_xent_accuracy(z1: Tensor, z2: Tensor) -> Tensor:
    """Share of anchors whose other view is the nearest of the 2N - 1 other rows.

    Args:
        z1: Projections of the first view, `(N, D)`.
        z2: Projections of the second view, `(N, D)`.

    Returns:
        A float32 scalar in 0 to 1.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import nt_xent_accuracy
    >>> z = np.eye(4, dtype="float32")
    >>> float(nt_xent_accuracy(z, z))
    1.0
    """
    num_samples = ops.shape(z1)[0]
    z = l2_normalize(ops.concatenate([z1, z2], axis=0))
    positive = (ops.arange(2 * num_samples) + num_samples) % (2 * num_samples)
    return ops.mean(positive_is_nearest(z, z, positive, keep=_not_itself))


def info_nce(
    queries: Tensor,
    keys: Tensor,
    negatives: Tensor | None = None,
    temperature: float = 0.07,
) -> Tensor:
    """Cross-entropy of each query's positive key against negative keys.

    Formula: `l_i = -q_i.k_i / t + log(exp(q_i.k_i / t) + sum_n exp(q_i.n / t))` with all vectors
    at unit length, over the rows n of `negatives`, or over the other keys of the batch.

    Args:
        queries: Tensor `(N, D)`.
        keys: Tensor `(N, D)`; row i is the positive of query i.
        negatives: Tensor `(K, D)`, a queue for instance; `None` for the batch's other keys.
        temperature: Positive; 0.07 in MoCo v1, 0.2 in v2.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import info_nce
    >>> z = np.ones((4, 8), "float32")
    >>> round(float(info_nce(z, z)[0]), 4)  # all equal: log N
    1.3863

    Reference:
        van den Oord et al., 2018, equation 4; He et al., 2020, equation 1.
    """
    queries, keys = l2_normalize(queries), l2_normalize(keys)
    positive = ops.sum(queries * keys, axis=1) / temperature  # (N,)
    queries = queries / temperature
    if negatives is None:
        return masked_logsumexp(queries, keys) - positive
    denominator = masked_logsumexp(queries, l2_normalize(negatives))
    return ops.logaddexp(positive, denominator) - positive


def info_nce_accuracy(queries: Tensor, keys: Tensor, negatives: Tensor) -> Tensor:
    """Share of queries that are nearer to their key than to every negative.

    Args:
        queries: Tensor `(N, D)`.
        keys: Tensor `(N, D)`.
        negatives: Tensor `(K, D)`.

    Returns:
        A float32 scalar in 0 to 1.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import info_nce_accuracy
    >>> z = np.eye(4, dtype="float32")
    >>> float(info_nce_accuracy(z[:2], z[:2], z[2:]))
    1.0
    """
    queries = l2_normalize(queries)
    positive = ops.sum(queries * l2_normalize(keys), axis=1)
    hardest = ops.max(ops.matmul(queries, ops.transpose(l2_normalize(negatives))), axis=1)
    return ops.mean(ops.cast(positive > hardest, "float32"))


def _not_itself(row: Tensor, column: Tensor) -> Tensor:
    return ops.not_equal(row, column)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class NTXent(keras.losses.Loss):
    """NT-Xent, SimCLR's loss: both views are anchors, everything else in the batch is negative.

    Args:
        temperature: Positive, default 0.1 (the paper's for ImageNet; 0.5 for CIFAR-10).
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import NTXent
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(NTXent(temperature=0.5)(z, z)), 4)
    0.5944

    Differs from the reference: the mean over the 2N anchors, where the official code adds the
    means of the two views (twice the value).

    Reference:
        Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str = "sum_over_batch_size",
        name: str = "nt_xent",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = check_temperature(temperature)

    def call(self, z1: Tensor, z2: Tensor) -> Tensor:
        check_pair(z1, z2)
        return nt_xent(z1, z2, self.temperature)

    def get_config(self) -> dict:
        config = {"temperature": self.temperature, "dtype": self.dtype}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="keras_contrastive")
class InfoNCE(keras.losses.Loss):
    """InfoNCE: each query must pick its key among negatives.

    Args:
        temperature: Positive, default 0.07 (MoCo v1; v2 takes 0.2, CLIP learns it).
        symmetric: Whether keys also pick their queries; the mean of the two directions. Only
            without a queue, whose rows have no queries.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(keys, queries)`: each `(N, D)`; the batch's other keys are the negatives.
        `loss((keys, negatives), queries)`: `negatives` `(K, D)`, such as a queue, replace them.

    Raises:
        ValueError: If a queue is combined with `symmetric=True`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import InfoNCE
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(InfoNCE(temperature=0.5)((z[:2], z[2:]), z[:2])), 4)
    0.2395

    Reference:
        van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018;
        He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", 2020.
    """

    def __init__(
        self,
        temperature: float = 0.07,
        symmetric: bool = False,
        reduction: str = "sum_over_batch_size",
        name: str = "info_nce",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.temperature = check_temperature(temperature)
        self.symmetric = symmetric

    def call(self, keys: Tensor | tuple[Tensor, Tensor], queries: Tensor) -> Tensor:
        negatives = None
        if isinstance(keys, (tuple, list)):
            keys, negatives = keys
        check_pair(keys, queries)
        loss = info_nce(queries, keys, negatives, self.temperature)
        if not self.symmetric:
            return loss
        if negatives is not None:
            raise ValueError(
                "Expected no extra negatives with symmetric=True, since they have no queries. "
                "Received: (keys, negatives). Call the loss once a direction instead."
            )
        return (loss + info_nce(keys, queries, None, self.temperature)) / 2

    def get_config(self) -> dict:
        config = {
            "temperature": self.temperature,
            "symmetric": self.symmetric,
            "dtype": self.dtype,
        }
        return {**super().get_config(), **config}
