"""Supervised contrastive losses: every sample of the anchor's class is a positive."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature import resolve_temperature
from keras_contrastive.losses.contrast import ContrastiveLoss
from keras_contrastive.ops import (
    l2_normalize,
    masked_count,
    masked_mean,
    masked_softplus,
)
from keras_contrastive.ops.contrast import Mask, masked_logsumexp_among, scaled
from keras_contrastive.ops.similarity import Tensor


def supcon(labels: Tensor, embeddings: Tensor, temperature: Any = 0.1) -> Tensor:
    """Supervised contrastive loss, with the mean over positives outside the logarithm.

    Formula: `l_i = log sum_{k != i} exp(s_ik / t) - mean_{p in P(i)} s_ip / t`, P(i) the other
    rows of the label of row i; 0 where there are none.

    Args:
        labels: Integer tensor `(R,)`.
        embeddings: Tensor `(R, D)`, of any length.
        temperature: Positive, or what `keras_contrastive.ops.to_logits` takes.

    Returns:
        A float32 tensor `(R,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import supcon
    >>> round(float(supcon(np.array([0, 0, 1]), np.ones((3, 2), "float32"))[0]), 4)  # log 2
    0.6931

    Reference:
        Khosla et al., 2020, equation 2.
    """
    z = l2_normalize(embeddings)
    positive = _of_the_class(labels)
    everything = masked_logsumexp_among(z, ops.not_equal, temperature, longest=1.0)
    loss = everything - masked_mean(z, z, positive, temperature)
    return ops.where(masked_count(z, z, positive) > 0, loss, 0.0)


def sincere(
    labels: Tensor, embeddings: Tensor, temperature: Any = 0.1, epsilon: float = 0.0
) -> Tensor:
    """Supervised InfoNCE: a positive against the samples of other classes only.

    Formula: `l_i = mean_{p in P(i)} -log(e^l_ip / (e^(l_ip - epsilon) + sum_n e^l_in))` with
    logits `l_ij = s_ij / t` and n over the rows of other labels; 0 where P(i) is empty.

    Args:
        labels: Integer tensor `(R,)`.
        embeddings: Tensor `(R, D)`, of any length.
        temperature: Positive, or what `keras_contrastive.ops.to_logits` takes.
        epsilon: Margin between positives and negatives, 0 or more; 0 for SINCERE.

    Returns:
        A float32 tensor `(R,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import sincere
    >>> labels = np.array([0, 0, 0, 1])  # one positive against one negative: log 2
    >>> round(float(sincere(labels, np.ones((4, 2), "float32"))[0]), 4)
    0.6931

    Reference:
        Feeney and Hughes, 2024, equation 5; with epsilon: Barbano et al., 2023, equation 9.
    """
    z = l2_normalize(embeddings)
    codes = ops.convert_to_tensor(labels)

    def negative(row: Tensor, column: Tensor) -> Tensor:
        return ops.not_equal(ops.take(codes, row), ops.take(codes, column))

    positive = _of_the_class(labels)
    number = masked_count(z, z, positive)
    others = masked_logsumexp_among(z, negative, temperature, longest=1.0)  # (R,)
    # -log(e^l / (e^(l - epsilon) + e^others)) = -epsilon + log(1 + e^(epsilon + others - l))
    total = masked_softplus(z, z, positive, scaled(temperature, -1.0), epsilon + others)
    return ops.where(number > 0, total / ops.maximum(number, 1.0) - epsilon, 0.0)


def _of_the_class(labels: Tensor) -> Mask:
    codes = ops.convert_to_tensor(labels)

    def positive(row: Tensor, column: Tensor) -> Tensor:
        same = ops.equal(ops.take(codes, row), ops.take(codes, column))
        return ops.logical_and(same, ops.not_equal(row, column))

    return positive


class SupervisedContrastiveLoss(ContrastiveLoss):
    """Base of losses of labels and embeddings: flattens views and takes each sample's mean."""

    def call(
        self,
        labels: Tensor,
        embeddings: Tensor,
        index: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        labels, rows, num_views = flatten_views(labels, embeddings)
        if index is not None:
            index = ops.tile(index, (num_views,))

        def alignment(embeddings: Sequence[Tensor]) -> Tensor:
            z = l2_normalize(embeddings[0])
            return ops.mean(masked_mean(z, z, _of_the_class(labels)))

        temperature, (rows,) = resolve_temperature(self.temperature, [rows], index, alignment)
        loss = self.of_rows(labels, rows, temperature)  # (N V,)
        return ops.mean(ops.reshape(loss, (num_views, -1)), axis=0)  # (N,)

    def of_rows(self, labels: Tensor, rows: Tensor, temperature: Any) -> Tensor:
        """The loss of each row, `(R,)`."""
        raise NotImplementedError


def flatten_views(labels: Tensor, embeddings: Tensor) -> tuple[Tensor, Tensor, int]:
    """Labels and embeddings as rows, view after view, and the number of views.

    Args:
        labels: Integer tensor `(N,)` or `(N, 1)`.
        embeddings: Tensor `(N, D)`, or `(N, V, D)` of V views.

    Returns:
        Labels `(V N,)`, rows `(V N, D)` and V.

    Raises:
        ValueError: If the shapes do not fit.
    """
    labels, embeddings = ops.convert_to_tensor(labels), ops.convert_to_tensor(embeddings)
    shapes = tuple(labels.shape), tuple(embeddings.shape)
    fits = len(shapes[0]) == 1 or (len(shapes[0]) == 2 and shapes[0][1] == 1)
    counts = {count for count in (shapes[0][:1] + shapes[1][:1]) if count is not None}
    if not fits or len(shapes[1]) not in (2, 3) or len(counts) > 1:
        raise ValueError(
            "Expected integer labels (N,) and embeddings (N, D) or (N, views, D). "
            f"Received: shapes {shapes[0]} and {shapes[1]}."
        )
    labels = ops.cast(ops.reshape(labels, (-1,)), "int32")
    if len(shapes[1]) == 2:
        return labels, embeddings, 1
    num_views = shapes[1][1]
    rows = ops.concatenate([embeddings[:, view] for view in range(num_views)], axis=0)
    return ops.tile(labels, (num_views,)), rows, num_views


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SupCon(SupervisedContrastiveLoss):
    """Supervised contrastive loss (the better variant, with the sum outside the logarithm).

    Args:
        temperature: Positive, default 0.1, or a `keras_contrastive.layers.Temperature`.
        base_temperature: The loss is multiplied by temperature / base_temperature; `None` for no
            factor. 0.07 in the authors' code. Only with a number as temperature.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(labels, embeddings)`: `(N,)` integers and `(N, D)`, or `(N, V, D)` of V views, of any
        length. A sample without a positive contributes 0.

    Raises:
        ValueError: If the shapes do not fit, or a base is combined with a temperature layer.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import SupCon
    >>> views = np.repeat(np.eye(4, dtype="float32")[:, None], 2, axis=1)  # (4, 2, 4)
    >>> round(float(SupCon(temperature=0.5)(np.arange(4), views)), 4)  # no two alike: NT-Xent
    0.5944

    Reference:
        Khosla et al., "Supervised Contrastive Learning", 2020, equation 2.
    """

    def __init__(
        self,
        temperature: Any = 0.1,
        base_temperature: float | None = None,
        name: str = "supcon",
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature, name, **kwargs)
        self.base_temperature = base_temperature
        if base_temperature is not None and not isinstance(self.temperature, float):
            raise ValueError(
                "Expected a number as temperature beside `base_temperature`. "
                f"Received: temperature={temperature}."
            )

    def of_rows(self, labels: Tensor, rows: Tensor, temperature: Any) -> Tensor:
        loss = supcon(labels, rows, temperature)
        if self.base_temperature is None:
            return loss
        return loss * (self.temperature / self.base_temperature)

    def get_config(self) -> dict:
        return {**super().get_config(), "base_temperature": self.base_temperature}


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SINCERE(SupervisedContrastiveLoss):
    """Supervised InfoNCE: other positives do not repel, as they do in SupCon.

    Args:
        temperature: Positive, default 0.1, or a `keras_contrastive.layers.Temperature`.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(labels, embeddings)`: `(N,)` integers and `(N, D)`, or `(N, V, D)` of V views, of any
        length. A sample without a positive contributes 0.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import SINCERE
    >>> views = np.repeat(np.eye(4, dtype="float32")[:, None], 2, axis=1)
    >>> round(float(SINCERE(temperature=0.5)(np.arange(4), views)), 4)  # no two alike: NT-Xent
    0.5944

    Differs from the reference: an anchor without a positive contributes 0 rather than NaN.

    Reference:
        Feeney and Hughes, "SINCERE: Supervised Information Noise-Contrastive Estimation
        REvisited", 2024, equation 5.
    """

    epsilon = 0.0

    def __init__(self, temperature: Any = 0.1, name: str = "sincere", **kwargs: Any) -> None:
        super().__init__(temperature, name, **kwargs)

    def of_rows(self, labels: Tensor, rows: Tensor, temperature: Any) -> Tensor:
        return sincere(labels, rows, temperature, self.epsilon)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class EpsilonSupInfoNCE(SINCERE):
    """SINCERE with a margin between positives and negatives.

    Args:
        temperature: Positive, default 0.1, or a `keras_contrastive.layers.Temperature`.
        epsilon: Margin, subtracted from the positive's logit in the denominator; default 0.25.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(labels, embeddings)`: `(N,)` integers and `(N, D)`, or `(N, V, D)` of V views, of any
        length. A sample without a positive contributes 0.

    Raises:
        ValueError: If `epsilon` is negative.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import EpsilonSupInfoNCE
    >>> loss = EpsilonSupInfoNCE(epsilon=0.5)
    >>> float(loss(np.array([0, 0]), np.ones((2, 3), "float32")))  # no negatives: -epsilon
    -0.5

    Reference:
        Barbano et al., "Unbiased Supervised Contrastive Learning", 2023, equation 9.
    """

    def __init__(
        self,
        temperature: Any = 0.1,
        epsilon: float = 0.25,
        name: str = "epsilon_sup_info_nce",
        **kwargs: Any,
    ) -> None:
        if not epsilon >= 0:
            raise ValueError(f"Expected `epsilon` of 0 or more. Received: epsilon={epsilon}.")
        super().__init__(temperature, name, **kwargs)
        self.epsilon = epsilon

    def get_config(self) -> dict:
        return {**super().get_config(), "epsilon": self.epsilon}
