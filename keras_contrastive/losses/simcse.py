"""SimCSE's loss: each sentence must pick its positive among the batch's sentences."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature import resolve_temperature
from keras_contrastive.losses.checks import check_pair
from keras_contrastive.losses.contrast import ContrastiveLoss, log_negatives, pair_logits
from keras_contrastive.losses.info_nce import info_nce
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor


def simcse(
    queries: Tensor,
    keys: Tensor,
    hard_negatives: Tensor | None = None,
    temperature: Any = 0.05,
    log_weight: float = 0.0,
) -> Tensor:
    """Cross-entropy of each query's key against all keys and all hard negatives of the batch.

    Formula: with all vectors at unit length, keys k and hard negatives n,
    `l_i = -q_i.k_i / t + log sum_j (exp(q_i.k_j / t) + exp(a [i = j]) exp(q_i.n_j / t))`; without
    hard negatives the second term is not there.

    Args:
        queries: Tensor `(N, D)`.
        keys: Tensor `(N, D)`; row i is the positive of query i.
        hard_negatives: Tensor `(N, D)`; row i is what query i must be told from. Or `None`.
        temperature: Positive; 0.05 in the paper. Or what `keras_contrastive.ops.to_logits` takes,
            `(N, 1)` for one a query.
        log_weight: `a`, the logarithm of the weight of a query's own hard negative. Default 0,
            which weighs it as all others.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import simcse
    >>> z = np.ones((4, 8), "float32")
    >>> round(float(simcse(z, z, z)[0]), 4)  # all equal: log 2N
    2.0794
    >>> round(float(simcse(z, z, z, log_weight=np.log(3.0))[0]), 4)  # log (2N + 2)
    2.3026

    Reference:
        Gao et al., "SimCSE: Simple Contrastive Learning of Sentence Embeddings", 2021, equations
        4, 5 and 8.
    """
    if hard_negatives is None:
        return info_nce(queries, keys, None, temperature)
    queries, keys, hard = (l2_normalize(z) for z in (queries, keys, hard_negatives))
    positive = pair_logits(queries, keys, temperature)  # (N,)
    own = pair_logits(queries, hard, temperature) + log_weight
    candidates = ops.concatenate([keys, hard], axis=0)  # (2N, D)
    num_samples = ops.shape(queries)[0]
    others = log_negatives(
        queries,
        candidates,
        temperature,
        lambda row, column: ops.not_equal(row, column % num_samples),
    )
    return ops.softplus(ops.logaddexp(others, own) - positive)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SimCSELoss(ContrastiveLoss):
    """SimCSE's loss, in one direction or both, with or without hard negatives.

    Args:
        temperature: Positive, default 0.05, or a `keras_contrastive.layers.Temperature`.
        hard_negative_log_weight: Logarithm of the weight of a sentence's own hard negative. Default
            0; the paper found no gain from others.
        symmetric: Whether keys also pick their queries among all queries; the mean of the two
            directions. Hard negatives have no queries and take part in the first one only.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(keys, queries)`: each `(N, D)`; the batch's other keys are the negatives.
        `loss((keys, hard_negatives), queries)`: the N hard negatives join them.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import SimCSELoss
    >>> z = np.eye(4, dtype="float32")
    >>> round(float(SimCSELoss(temperature=0.5)((z[:2], z[2:]), z[:2])), 4)
    0.3408

    Reference:
        Gao et al., "SimCSE: Simple Contrastive Learning of Sentence Embeddings", 2021.
    """

    def __init__(
        self,
        temperature: Any = 0.05,
        hard_negative_log_weight: float = 0.0,
        symmetric: bool = False,
        name: str = "simcse",
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature, name, **kwargs)
        self.hard_negative_log_weight = float(hard_negative_log_weight)
        self.symmetric = symmetric

    def call(
        self,
        keys: Tensor | tuple[Tensor, Tensor],
        queries: Tensor,
        index: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        keys, *hard = keys if isinstance(keys, (tuple, list)) else [keys]
        for part in (keys, *hard):
            check_pair(part, queries)
        of_queries = self._one_way(queries, keys, hard, index)
        if not self.symmetric:
            return of_queries
        return (of_queries + self._one_way(keys, queries, [], index)) / 2

    def _one_way(
        self, queries: Tensor, keys: Tensor, hard: Sequence[Tensor], index: Tensor | None
    ) -> Tensor:
        temperature, (queries, keys, *hard) = resolve_temperature(
            self.temperature, [queries, keys, *hard], index
        )
        weight = self.hard_negative_log_weight
        return simcse(queries, keys, hard[0] if hard else None, temperature, weight)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "hard_negative_log_weight": self.hard_negative_log_weight,
            "symmetric": self.symmetric,
        }
