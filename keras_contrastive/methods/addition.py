"""A term that joins the objective of another method."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.losses.checks import check_weight
from keras_contrastive.ops import as_unit_range
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.ops.weights import weighted_mean


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


def check_additions(method: Any) -> None:
    """Refuses additions that need what the method does not take."""
    if _takers(method) and not method.takes_positives:
        raise ValueError(
            "Expected a method that takes another positive of each sample (SimCLR, MoCo) for "
            f"an addition that needs one. Received: {type(method).__name__}."
        )


def class_counts(method: Any) -> list[int]:
    """The numbers of classes that the method and its additions know."""
    counts = (term.num_classes for term in (method, *method.additions))
    return [count for count in counts if count is not None]


def positive_view(method: Any, positive: Tensor | None, ready: bool) -> dict[str, Tensor]:
    """A view of each sample's other positive, where an addition takes them.

    Args:
        method: A method with `additions`.
        positive: Another positive of each sample, `(N, ...)`, if the data carries them.
        ready: Whether it is a view already.

    Returns:
        What the method's objective takes beside the views.
    """
    takers = _takers(method)
    if not takers:
        if positive is not None:
            raise ValueError(
                f"Expected inputs without positives: nothing in this {type(method).__name__} "
                "takes them. Received: inputs with positives. Pass "
                "`additions=[keras_contrastive.CLSP()]`."
            )
        return {}
    if positive is None:
        raise ValueError(
            f"Expected a positive of each sample for {takers[0]}, which the data pairs with it "
            "by its index. Received: inputs without positives. Pass "
            "`fit(keras_contrastive.data.with_positives(images, bank))`, or a dict with "
            "'inputs' and 'positive'."
        )
    return {"positive": as_unit_range(positive) if ready else method.augmentation(positive)[0]}


def added(
    method: Any, results: dict[str, Any], labels: Tensor | None, sample_weight: Tensor | None
) -> Tensor:
    """The weighted terms of the additions, which move from what methods return to the logs."""
    projections, positive = results.pop("projections", None), results.pop("positive", None)
    total = ops.zeros((), "float32")
    for addition in method.additions:
        if projections is None:
            raise ValueError(
                "Expected a method with a projector for an addition. "
                f"Received: {type(method).__name__}."
            )
        term = addition.term(projections, positive, labels)
        results[addition.log_name] = weighted_mean(term, sample_weight)
        total = total + addition.weight * results[addition.log_name]
    return total


def _takers(method: Any) -> list[str]:
    return [type(each).__name__ for each in method.additions if each.takes_positives]
