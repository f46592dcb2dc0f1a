"""InfoNCE and NT-Xent: one positive against many negatives."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature import resolve_temperature
from keras_contrastive.losses.checks import check_pair
from keras_contrastive.losses.contrast import (
    ContrastiveLoss,
    contrast,
    log_other_negatives,
    of_samples,
    other_samples,
    pair_logits,
    positive_logits,
    stacked,
)
from keras_contrastive.losses.two_views import TwoViewLoss
from keras_contrastive.ops import l2_normalize, positive_is_nearest
from keras_contrastive.ops.contrast import is_one, masked_logsumexp_both_ways, nearest
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


def nt_xent(
    z1: Tensor, z2: Tensor, temperature: Any = 0.1, detection: Detection | None = None
) -> Tensor:
    """Normalised temperature-scaled cross-entropy of two views.

    Formula: with the 2N rows `Z = [z1; z2]` at unit length,
    `l_i = -s_ip / t + log sum_{k != i} exp(s_ik / t)`, p the other view of i.

    Args:
        z1: Projections of the first view, `(N, D)`, of any length.
        z2: Projections of the second view, `(N, D)`.
        temperature: Positive; 0.1 in the paper for ImageNet, 0.5 for CIFAR-10. Or what
            `keras_contrastive.ops.to_logits` takes, `(2N, 1)` for one an anchor.
        detection: False negatives among the 2N rows, to eliminate or attract; `None` for none.

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
    z = stacked(z1, z2)  # (2N, D)
    positive = positive_logits(z, temperature)  # (2N,)
    negative = other_samples(ops.shape(z1)[0])
    if detection is not None and detection.attract:
        return of_samples(contrast(positive, z, z, temperature, negative, detection))
    others = log_other_negatives(z, temperature, negative, detection)
    return of_samples(ops.softplus(others - positive))


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
    z = stacked(z1, z2)
    positive = (ops.arange(2 * num_samples) + num_samples) % (2 * num_samples)
    return ops.mean(positive_is_nearest(z, z, positive, keep=_not_itself))


def info_nce(
    queries: Tensor,
    keys: Tensor,
    negatives: Tensor | None = None,
    temperature: Any = 0.07,
    in_batch: bool = False,
    detection: Detection | None = None,
) -> Tensor:
    """Cross-entropy of each query's positive key against negative keys.

    Formula: `l_i = -q_i.k_i / t + log(exp(q_i.k_i / t) + sum_n exp(q_i.n / t))` with all vectors
    at unit length, over the rows n of `negatives`, or over the other keys of the batch.

    Args:
        queries: Tensor `(N, D)`.
        keys: Tensor `(N, D)`; row i is the positive of query i.
        negatives: Tensor `(K, D)`, a queue for instance; `None` for the batch's other keys.
        temperature: Positive; 0.07 in MoCo v1, 0.2 in v2. Or what
            `keras_contrastive.ops.to_logits` takes, `(N, 1)` for one a query.
        in_batch: Whether the batch's other keys are negatives beside `negatives` too.
        detection: False negatives among the candidates, to eliminate or attract: the rows of
            `negatives`, or of the keys followed by those.

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
    positive = pair_logits(queries, keys, temperature)  # (N,)
    if negatives is None:
        return contrast(positive, queries, keys, temperature, _not_itself, detection)
    negatives = l2_normalize(negatives)
    if not in_batch:
        return contrast(positive, queries, negatives, temperature, None, detection)
    candidates = ops.concatenate([keys, negatives], axis=0)  # (N + K, D)
    return contrast(positive, queries, candidates, temperature, _not_itself, detection)


def info_nce_both_ways(queries: Tensor, keys: Tensor, temperature: Any = 0.07) -> Tensor:
    """The mean of `info_nce(queries, keys)` and `info_nce(keys, queries)`, of the same logits.

    Args:
        queries: Tensor `(N, D)`.
        keys: Tensor `(N, D)`; row i is the positive of query i.
        temperature: A positive number or a scalar.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses.info_nce import info_nce_both_ways
    >>> z = np.ones((4, 8), "float32")
    >>> round(float(info_nce_both_ways(z, z)[0]), 4)  # all equal: log N
    1.3863

    Reference:
        Radford et al., 2021, figure 3.
    """
    queries, keys = l2_normalize(queries), l2_normalize(keys)
    positive = pair_logits(queries, keys, temperature)  # (N,)
    others = masked_logsumexp_both_ways(queries, keys, _not_itself, temperature, longest=1.0)
    return (ops.softplus(others[0] - positive) + ops.softplus(others[1] - positive)) / 2


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
    hardest, _ = nearest(queries, l2_normalize(negatives))
    return ops.mean(ops.cast(positive > hardest, "float32"))


def _not_itself(row: Tensor, column: Tensor) -> Tensor:
    return ops.not_equal(row, column)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class NTXent(TwoViewLoss):
    """NT-Xent, SimCLR's loss: both views are anchors, everything else in the batch is negative.

    Args:
        temperature: Positive, default 0.1 (the paper's for ImageNet; 0.5 for CIFAR-10), or a
            `keras_contrastive.layers.Temperature`.
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

    attracts = True

    def __init__(self, temperature: Any = 0.1, name: str = "nt_xent", **kwargs: Any) -> None:
        super().__init__(temperature, name, **kwargs)

    def of_views(
        self, z1: Tensor, z2: Tensor, temperature: Any, detection: Detection | None
    ) -> Tensor:
        return nt_xent(z1, z2, temperature, detection)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class InfoNCE(ContrastiveLoss):
    """InfoNCE: each query must pick its key among negatives.

    Args:
        temperature: Positive, default 0.07 (MoCo v1; v2 takes 0.2), or a
            `keras_contrastive.layers.Temperature` (CLIP learns it).
        symmetric: Whether keys also pick their queries; the mean of the two directions. Only
            without a queue, whose rows have no queries.
        in_batch: Whether the batch's other keys are negatives beside those that are given, as
            with hard negatives.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(keys, queries)`: each `(N, D)`; the batch's other keys are the negatives.
        `loss((keys, negatives), queries)`: `negatives` `(K, D)`, such as a queue, replace them, or
        with `in_batch` join them.

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
        temperature: Any = 0.07,
        symmetric: bool = False,
        in_batch: bool = False,
        name: str = "info_nce",
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature, name, **kwargs)
        self.symmetric, self.in_batch = symmetric, in_batch

    def call(
        self,
        keys: Tensor | tuple[Tensor, Tensor],
        queries: Tensor,
        index: Tensor | None = None,
        detection: Detection | None = None,
        training: bool = True,
    ) -> Tensor:
        negatives = None
        if isinstance(keys, (tuple, list)):
            keys, negatives = keys
        check_pair(keys, queries)
        if not self.symmetric:
            return self._one_way(queries, keys, negatives, index, detection)
        if negatives is not None:
            raise ValueError(
                "Expected no extra negatives with symmetric=True, since they have no queries. "
                "Received: (keys, negatives). Call the loss once a direction instead."
            )
        if detection is None:
            temperature, (first, second) = resolve_temperature(
                self.temperature, [queries, keys], index
            )
            if is_one(temperature):
                return info_nce_both_ways(first, second, temperature)
        of_queries = self._one_way(queries, keys, None, index, detection)
        turned = detection and detection._replace(
            is_false=lambda rows, columns: detection.is_false(columns, rows)
        )
        of_keys = self._one_way(keys, queries, None, index, turned)
        return (of_queries + of_keys) / 2

    def _one_way(
        self,
        queries: Tensor,
        keys: Tensor,
        negatives: Tensor | None,
        index: Tensor | None,
        detection: Detection | None,
    ) -> Tensor:
        others = [] if negatives is None else [negatives]
        temperature, (queries, keys, *others) = resolve_temperature(
            self.temperature, [queries, keys, *others], index
        )
        negatives = others[0] if others else None
        return info_nce(queries, keys, negatives, temperature, self.in_batch, detection)

    def get_config(self) -> dict:
        return {**super().get_config(), "symmetric": self.symmetric, "in_batch": self.in_batch}
