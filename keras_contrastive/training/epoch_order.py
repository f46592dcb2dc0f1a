"""The order of an epoch where a run begins in the middle."""

from typing import Any

import keras

from keras_contrastive.data import Batches


class EpochOrder(keras.callbacks.Callback):
    """Tells batches which epoch it is, so that a run that goes on does not repeat its first orders.

    Args:
        batches: What `fit` is given.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.data import Rows
    >>> from keras_contrastive.training.epoch_order import EpochOrder
    >>> batches = Rows((np.zeros((4, 2)),), batch_size=2)
    >>> EpochOrder(batches).on_epoch_begin(7)
    >>> batches.epoch
    7
    """

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # A second `fit` counts from 0 again, and its orders are new.
        self.batches.epoch = max(self.batches.epoch, epoch)


def with_order(callbacks: Any, batches: Batches) -> Any:
    """The callbacks of a `fit` on batches, in any form that Keras takes, with `EpochOrder`."""
    order = EpochOrder(batches)
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.callbacks.append(order)
        return callbacks
    return [order, *keras.tree.flatten(callbacks or [])]
