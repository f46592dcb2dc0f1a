"""What a temperature is to a loss."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor


class Temperature(keras.layers.Layer):
    """Base of temperatures that are more than a number.

    Every InfoNCE-type loss takes one as `temperature=`. It is asked once a step for its value,
    and told after the step that the optimizer has moved.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.built = True

    def embeddings(self, outputs: Tensor) -> Tensor:
        """The part of a head's outputs, `(N, D)`, that similarities are taken of; here all."""
        return outputs

    def call(self, anchors: Tensor, alignment: Tensor, index: Tensor | None = None) -> Any:
        """The temperature of each anchor.

        Args:
            anchors: The head's outputs `(N, D)`.
            alignment: Scalar, the mean cosine of the positive pairs.
            index: Positions of the anchors in the data set, `(N,)`, if the data carries them.

        Returns:
            A scalar, a tensor `(N, 1)`, or a function from similarities to logits.
        """
        raise NotImplementedError

    def after_step(self, stepped: Tensor) -> None:
        """Changes state once the optimizer has had its turn.

        Args:
            stepped: Boolean scalar; whether it has moved.
        """


def resolve_temperature(
    temperature: Any,
    outputs: Sequence[Tensor],
    index: Tensor | None = None,
    alignment: Callable[[Sequence[Tensor]], Tensor] | None = None,
) -> tuple[Any, list[Tensor]]:
    """The temperature of this step, and the embeddings that it leaves to compare.

    Args:
        temperature: A number, or a `Temperature`.
        outputs: The head's outputs for the anchors, `(N, D)`, for their positives, and others.
        index: Positions of the anchors in the data set, `(N,)`.
        alignment: Function of the embeddings that gives the mean cosine of the positive pairs;
            `None` for that of the first two, row by row.

    Returns:
        What `keras_contrastive.ops.to_logits` takes, and the embeddings of all outputs.
    """
    if not isinstance(temperature, Temperature):
        return temperature, list(outputs)
    embeddings = [temperature.embeddings(part) for part in outputs]
    mean_cosine = (alignment or _of_rows)(embeddings)
    return temperature(outputs[0], mean_cosine, index=index), embeddings


def _of_rows(embeddings: Sequence[Tensor]) -> Tensor:
    cosines = ops.sum(l2_normalize(embeddings[0]) * l2_normalize(embeddings[1]), axis=1)
    return ops.mean(cosines)
