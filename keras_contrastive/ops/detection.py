"""Which negatives are false, and what becomes of them."""

from typing import NamedTuple

from keras_contrastive.ops.contrast import Mask


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
