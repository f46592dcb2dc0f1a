"""A term that joins the objective of another method."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_contrastive.losses.checks import check_weight
from keras_contrastive.ops.similarity import Tensor


class Addition(keras.layers.Layer):
    """Base of what can be added to a method: `SimCLR(encoder, views, additions=[...])`.

    A subclass implements `term`. The method's loss grows by `weight` times the mean of the term,
    and the mean is logged as `log_name`.

    Args:
        weight: Weight of the term, at least 0.

    Attributes:
        log_name: Name of the term in the logs.
        needs_labels: Whether the term needs labels.
        num_classes: Number of classes that the labels name; `None` for any.
        takes_positives: Whether the term needs another positive of each sample: `fit` gets
            `{"inputs": images, "positive": others}`, or three ready views.
    """

    log_name = "addition"
    needs_labels = False
    num_classes: int | None = None
    takes_positives = False

    def __init__(self, weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weight = check_weight(weight, "weight")
        self.built = True

    def term(
        self, projections: Sequence[Tensor], positive: Tensor | None, labels: Tensor | None
    ) -> Tensor:
        """The term on one batch.

        Args:
            projections: Online projections `(N, d)` of the method's views, of any length.
            positive: Online projections `(N, d)` of the other positives, if it takes some.
            labels: int32 labels `(N,)`, -1 for samples without one; if it needs them.

        Returns:
            A float32 tensor `(N,)`.
        """
        raise NotImplementedError

    def get_config(self) -> dict:
        return {**super().get_config(), "weight": self.weight}
