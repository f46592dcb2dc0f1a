"""What `fit` needs beyond Keras: the hook after the optimizer step, momentum targets, speed."""

from keras_contrastive.training.batch_norm import fused_batch_norm
from keras_contrastive.training.batch_size import more_than_one
from keras_contrastive.training.devices import as_logs, as_share, num_shares, own_draws, same_start
from keras_contrastive.training.epoch_order import EpochOrder, with_order
from keras_contrastive.training.micro_batches import in_micro_batches
from keras_contrastive.training.momentum import MomentumPair, MomentumPairs, copy_network
from keras_contrastive.training.multi_crop import by_view, forward_by_size
from keras_contrastive.training.prompt_epochs import prompt_epochs
from keras_contrastive.training.step import StepHook

__all__ = [
    "EpochOrder",
    "MomentumPair",
    "MomentumPairs",
    "StepHook",
    "as_logs",
    "as_share",
    "by_view",
    "copy_network",
    "forward_by_size",
    "fused_batch_norm",
    "in_micro_batches",
    "more_than_one",
    "num_shares",
    "own_draws",
    "prompt_epochs",
    "same_start",
    "with_order",
]
