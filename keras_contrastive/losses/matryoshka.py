"""Matryoshka: a loss on the first dimensions too, so that vectors can be cut short."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import keras

from keras_contrastive.layers import LearnedBias, LearnedTemperature, ScheduledTemperature
from keras_contrastive.ops.similarity import Tensor

# What does not depend on the embeddings or on the sample, so that all dimensions can share it.
_SHARED = (LearnedBias, LearnedTemperature, ScheduledTemperature)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Matryoshka(keras.losses.Loss):
    """The weighted sum of a loss over the first dimensions of the embeddings, for several numbers.

    Embeddings are cut, and what is left goes into the loss. Losses that compare directions
    normalise it, which is what to do with shorter vectors later:
    `encoder.encode(sentences)[:, :64]`, by cosine. The loss is on what leaves the head, so train
    without one, `projector=keras.Sequential([keras.layers.Identity()])`, or keep it.

    Args:
        loss: Any loss of embeddings whose temperature, if it has one, is a number, learned or
            scheduled.
        dims: The numbers of dimensions, each positive and not more than there are; the paper halves
            from the full number down to about 8.
        weights: Weight of each, at least 0; `None` for 1, as in the paper.
        reduction: As in `keras.losses.Loss`; what the loss gives before it, a value per sample or
            a scalar.
        name: Name of the loss.
        dtype: Dtype of the result.

    Inputs:
        As those of the loss. Of its first argument, what has the last dimension of the second is
        cut too; labels and scores are not.

    Raises:
        ValueError: On dimensions that repeat, are not positive or exceed the embeddings', other
            weights than one a dimension, or a loss that keeps a value for each sample.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import InfoNCE, Matryoshka
    >>> z = np.ones((4, 8), "float32")
    >>> round(float(Matryoshka(InfoNCE(), dims=[8, 2])(z, z)), 4)  # all equal: 2 log N
    2.7726

    Reference:
        Kusupati et al., "Matryoshka Representation Learning", 2022, equation 1.
    """

    def __init__(
        self,
        loss: keras.losses.Loss,
        dims: Sequence[int],
        weights: Sequence[float] | None = None,
        reduction: str = "sum_over_batch_size",
        name: str = "matryoshka",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        weights = [1.0] * len(dims) if weights is None else [*map(float, weights)]
        if not dims or min(dims) < 1 or len(set(dims)) < len(dims):
            raise ValueError(f"Expected positive `dims` that differ. Received: dims={[*dims]}.")
        if len(weights) != len(dims) or min(weights) < 0:
            raise ValueError(
                "Expected a weight of at least 0 for each of the `dims`. "
                f"Received: dims={[*dims]}, weights={weights}."
            )
        self.loss, self.dims, self.weights = loss, [*dims], weights
        # Methods look for these on their loss: to train them, and to read the temperature.
        self.temperature = getattr(loss, "temperature", None)
        self.bias = getattr(loss, "bias", 0.0)
        layers = [part for part in vars(loss).values() if isinstance(part, keras.layers.Layer)]
        unfit = [type(layer).__name__ for layer in layers if not isinstance(layer, _SHARED)]
        if unfit:
            raise ValueError(
                "Expected a loss without parts other than a number, a learned or a scheduled "
                f"temperature, which all dimensions can share. Received: {unfit[0]} in "
                f"{type(loss).__name__}."
            )

    def call(self, target: Any, prediction: Tensor) -> Tensor:
        full = prediction.shape[-1]
        if max(self.dims) > full:
            raise ValueError(
                f"Expected embeddings of at least {max(self.dims)} dimensions, the largest of "
                f"`dims`. Received: shape {tuple(prediction.shape)}."
            )

        total = 0.0
        for dim, weight in zip(self.dims, self.weights, strict=True):
            cut = partial(_first, dim, full)
            total += weight * self.loss.call(keras.tree.map_structure(cut, target), cut(prediction))
        return total

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "loss": keras.saving.serialize_keras_object(self.loss),
            "dims": self.dims,
            "weights": self.weights,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: dict) -> Self:
        """Rebuilds a loss from `get_config`."""
        return cls(**{**config, "loss": keras.saving.deserialize_keras_object(config["loss"])})


def _first(dim: int, full: int, part: Tensor) -> Tensor:
    """The first dimensions of embeddings; what has another last dimension as it is."""
    is_embedding = len(part.shape) > 1 and part.shape[-1] == full
    return part[..., :dim] if is_embedding else part
