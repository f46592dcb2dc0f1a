"""What the losses of one positive against many negatives share."""

from typing import Any, Self

import keras
from keras import ops

from keras_contrastive.layers.temperature import Temperature
from keras_contrastive.losses.checks import check_temperature
from keras_contrastive.ops import l2_normalize, masked_count, masked_logsumexp, to_logits
from keras_contrastive.ops.contrast import (
    Mask,
    all_pairs,
    masked_logsumexp_among,
    masked_mean,
)
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


class ContrastiveLoss(keras.losses.Loss):
    """Base of the losses with a temperature, which may be a part of its own.

    Args:
        temperature: A positive number, or a `keras_contrastive.layers.Temperature`.
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.
    """

    def __init__(
        self,
        temperature: Any,
        name: str,
        reduction: str = "sum_over_batch_size",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not isinstance(temperature, Temperature):
            temperature = check_temperature(temperature)
        self.temperature = temperature

    def get_config(self) -> dict:
        temperature = self.temperature
        if isinstance(temperature, Temperature):
            temperature = keras.saving.serialize_keras_object(temperature)
        return {**super().get_config(), "temperature": temperature, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        """Rebuilds a loss from `get_config`."""
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value)
                if isinstance(value, dict)
                else value
                for name, value in config.items()
            }
        )


def contrast(
    positive: Tensor,
    anchors: Tensor,
    candidates: Tensor,
    temperature: Any,
    negative: Mask | None = None,
    detection: Detection | None = None,
) -> Tensor:
    """`-log(exp(positive) / (exp(positive) + sum of exp over the negatives))` of each anchor.

    Args:
        positive: Logits of the positives, `(R,)`.
        anchors: Unit vectors `(R, D)`.
        candidates: Unit vectors `(C, D)`.
        temperature: As in `keras_contrastive.ops.to_logits`.
        negative: Which candidates are negatives; `None` for all.
        detection: Which of these are false negatives. Eliminated ones leave the sum; attracted
            ones stay, and the numerator is the mean over the positive and them.

    Returns:
        A float32 tensor `(R,)`.
    """
    if detection is None or not detection.attract:
        return ops.softplus(
            log_negatives(anchors, candidates, temperature, negative, detection) - positive
        )
    everything = masked_logsumexp(anchors, candidates, negative, temperature)
    attracted = all_of(negative, detection.is_false)
    number = masked_count(anchors, candidates, attracted)
    total = number * masked_mean(anchors, candidates, attracted, temperature)
    return ops.logaddexp(positive, everything) - (positive + total) / (1.0 + number)


def log_negatives(
    anchors: Tensor,
    candidates: Tensor,
    temperature: Any,
    negative: Mask | None = None,
    detection: Detection | None = None,
) -> Tensor:
    """The log of each anchor's sum over its negatives, false ones left out, `(R,)`."""
    if detection is None:
        return masked_logsumexp(anchors, candidates, negative, temperature)
    kept = true_negatives(negative, detection)
    total = masked_logsumexp(anchors, candidates, kept, temperature)
    if not detection.rescale:
        return total
    number = masked_count(anchors, candidates, negative or all_pairs)
    return total + ops.log(number / ops.maximum(masked_count(anchors, candidates, kept), 1.0))


def log_other_negatives(
    rows: Tensor, temperature: Any, negative: Mask, detection: Detection | None = None
) -> Tensor:
    """`log_negatives` of unit vectors among themselves, `(R,)`; `negative` is symmetric."""
    if detection is None:
        return masked_logsumexp_among(rows, negative, temperature, longest=1.0)
    return log_negatives(rows, rows, temperature, negative, detection)


def true_negatives(negative: Mask | None, detection: Detection | None) -> Mask:
    """The negatives that are not detected to be false."""
    if detection is None:
        return negative or all_pairs
    return all_of(negative, lambda row, column: ops.logical_not(detection.is_false(row, column)))


def all_of(first: Mask | None, second: Mask) -> Mask:
    """Both masks at once."""
    if first is None:
        return second
    return lambda row, column: ops.logical_and(first(row, column), second(row, column))


def stacked(z1: Tensor, z2: Tensor) -> Tensor:
    """The unit vectors of both views, `(2N, D)`; the positive of row i is row i + N or i - N."""
    return l2_normalize(ops.concatenate([z1, z2], axis=0))


def positive_logits(z: Tensor, temperature: Any) -> Tensor:
    """The logits of each row of `stacked` with its other view, `(2N,)`."""
    return pair_logits(z, ops.roll(z, ops.shape(z)[0] // 2, axis=0), temperature)


def pair_logits(first: Tensor, second: Tensor, temperature: Any) -> Tensor:
    """The logits of unit vectors row by row, `(R,)`."""
    # 1 - |a - b|^2 / 2 loses least where positives meet; losses that are differences hang on it.
    apart = ops.sum(ops.square(first - second), axis=1, keepdims=True)
    lengths = (ops.sum(ops.square(z), axis=1, keepdims=True) for z in (first, second))
    cosines = ops.where(ops.minimum(*lengths) > 0.5, 1.0 - apart / 2.0, 0.0)  # zero vectors: 0
    return to_logits(cosines, temperature)[:, 0]


def other_samples(num_samples: Tensor) -> Mask:
    """In `stacked`, all rows but an anchor's two views: its 2N - 2 negatives."""
    return lambda row, column: ops.not_equal(row % num_samples, column % num_samples)


def of_samples(per_anchor: Tensor) -> Tensor:
    """The mean of each sample's two anchors, `(2N,)` to `(N,)`."""
    half = ops.shape(per_anchor)[0] // 2
    return (per_anchor[:half] + per_anchor[half:]) / 2


def both_views(index: Tensor | None) -> Tensor | None:
    """The indices of the rows of `stacked`."""
    return None if index is None else ops.concatenate([index, index], axis=0)
