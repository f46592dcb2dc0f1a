"""What a detector of false negatives is to a method."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.ops.contrast import Mask
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


class FalseNegatives(keras.layers.Layer):
    """Base of the detectors that contrastive methods take as `false_negatives=`.

    Attributes:
        num_supports: Number of further views of each image that it compares with; the method draws
            and encodes them, without a gradient.
    """

    num_supports = 0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.built = True

    def detect(
        self,
        references: Tensor,
        candidates: Tensor,
        negative: Mask,
        index: Tensor | None = None,
        candidate_index: Tensor | None = None,
        training: bool = True,
    ) -> Detection:
        """The false ones among the negatives of each anchor.

        Args:
            references: Unit vectors of each anchor's image, `(R, V, D)`: the anchor itself, its
                other view, its supports.
            candidates: Unit vectors `(C, D)`.
            negative: Which candidates are negatives of an anchor.
            index: Positions of the anchors in the data set, `(R,)`, if the data carries them.
            candidate_index: Those of the candidates, `(C,)`; -1 for none.
            training: Whether state may change.

        Returns:
            A `keras_contrastive.ops.Detection`.
        """
        raise NotImplementedError

    def after_step(self, stepped: Tensor) -> None:
        """Changes state once the optimizer has had its turn.

        Args:
            stepped: Boolean scalar; whether it has moved.
        """


def mask_of(matrix: Tensor) -> Mask:
    """A mask that looks up a boolean matrix `(R, C)`."""
    width = ops.shape(matrix)[1]
    flat = ops.reshape(matrix, (-1,))
    return lambda row, column: ops.take(flat, row * width + column)


def indices_of(references: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """Row indices `(R, 1)` and column indices `(1, C)`."""
    rows = ops.arange(ops.shape(references)[0])[:, None]
    return rows, ops.arange(ops.shape(candidates)[0])[None, :]
