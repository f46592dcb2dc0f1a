"""Which negatives are false, and what becomes of them."""

from typing import NamedTuple, Self

from keras_contrastive.ops.contrast import Mask
from keras_contrastive.ops.similarity import Tensor


class Detection(NamedTuple):
    """False negatives among the candidates of a loss.

    Attributes:
        is_false: Function of row and column indices that is true for a false negative.
        attract: Whether they count as positives rather than not at all.
        rescale: Whether the sum over the negatives that are left is scaled up to all of them.
    """

    is_false: Mask
    attract: bool = False
    rescale: bool = False

    def from_row(self, first: int | Tensor) -> Self:
        """What was found for the anchors from row `first` on."""
        is_false = self.is_false
        return self._replace(is_false=lambda row, column: is_false(row + first, column))
