"""Weights of samples."""

from keras import ops

from keras_contrastive.ops.similarity import Tensor


def times(weights: Tensor, others: Tensor | None) -> Tensor:
    """The product of two weights of each sample, `(N,)`; `None` weighs all alike."""
    if others is None:
        return weights
    return weights * ops.cast(ops.reshape(others, (-1,)), weights.dtype)


def weighted_mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """The mean of `(N,)` values times their weights; a scalar is its own mean.

    Raises:
        ValueError: If a scalar is to be weighted.
    """
    if len(values.shape) > 0:
        return ops.mean(times(values, weights))
    if weights is not None:
        raise ValueError(
            "Expected no `sample_weight`: this objective is a statistic of the whole batch "
            "and has no value per sample. Received: sample weights."
        )
    return values
