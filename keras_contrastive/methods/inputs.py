"""What `fit` takes, and what is wrong with it as far as arrays show before training."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.data import check_images, check_labels
from keras_contrastive.layers import SampleTable
from keras_contrastive.ops.labels import UNLABELLED

BATCH_OF_ONE = (
    "Expected at least two samples in every batch: one has no negatives and no batch statistics. "
    "Received: a batch of one. Choose a batch size that leaves no rest of one, or drop the rest."
)


def parts_of(x: object) -> tuple:
    """Inputs, index and positives; whatever is no dict of these is inputs alone."""
    if not isinstance(x, dict):
        return x, None, None
    known = ("inputs", "index", "positive")
    if "inputs" not in x or not set(x) <= set(known):
        raise ValueError(
            f"Expected a dict with 'inputs', and 'index' or 'positive'. Received: {sorted(x)}."
        )
    return tuple(x.get(name) for name in known)


def check_compiled(model: keras.Model) -> None:
    """Refuses a loss or metrics of `compile`, which a method has no use for."""
    if model._compile_loss is not None or model._compile_metrics is not None:
        raise ValueError(
            "Expected compile() without loss and metrics, since a method brings its own. "
            "Received: a loss or metrics. Pass the loss to the method, as in "
            "`keras_contrastive.SimCLR(encoder, augmentation, loss=...)`."
        )


def check_views(*views: Any) -> None:
    """Looks at those of the views that are arrays: they have to be images."""
    for view in views:
        if is_array(view):
            check_images(view)


def check_classes(labels: Any, class_counts: Sequence[int]) -> None:
    """Looks at labels, if they are an array: they lie below the smallest class count."""
    if is_array(labels):
        labels = ops.convert_to_numpy(labels)
        if labels.ndim == 2 and labels.shape[1] == 1:  # as `keras.datasets` has them
            labels = labels[:, 0]
        check_labels(labels[labels != UNLABELLED], min(class_counts, default=None))


def check_index(index: Any, model: keras.Model) -> None:
    """Refuses positions beyond the tables that the model keeps a number a sample in."""
    size = samples_kept(model)
    if size is None or not is_array(index):
        return
    first, last = (int(bound(ops.convert_to_numpy(index))) for bound in (np.min, np.max))
    if first < 0 or last >= size:
        raise ValueError(
            f"Expected indices from 0 to {size - 1}, since {size} samples are kept "
            f"(`num_samples`). Received: {first} to {last}."
        )


def samples_kept(model: keras.Model) -> int | None:
    """Length of the smallest table in which the model keeps a number a sample."""
    layers = model._flatten_layers(include_self=False)
    sizes = [layer.num_samples for layer in layers if isinstance(layer, SampleTable)]
    return min(sizes, default=None)


def check_rest(
    inputs: Any, batch_size: int, validation_split: float, micro_batches: int = 1, shares: int = 1
) -> None:
    """A rest too small is known before training only for arrays; else the step complains."""
    first = inputs[0] if isinstance(inputs, (tuple, list)) else inputs
    if not is_array(first):
        return
    num_samples = int(len(first) * (1.0 - validation_split))
    rest = num_samples % batch_size or batch_size
    if rest == 1:
        raise ValueError(BATCH_OF_ONE)
    received = (
        f"Received: a rest of {rest} from {num_samples} samples in batches of {batch_size}, "
        f"{shares} device(s) and {micro_batches} micro-batch(es). Choose another batch size, or "
        "drop the rest."
    )
    if keras.backend.backend() == "jax" and (rest % shares or batch_size % shares):
        raise ValueError(f"Expected batches that devices can share evenly. {received}")
    if rest < micro_batches * shares:
        raise ValueError(
            "Expected at least a sample in every batch for each micro-batch of a device. "
            f"{received}"
        )


def is_array(value: object) -> bool:
    """Whether it is an array or a tensor rather than a data set."""
    return hasattr(value, "shape") and hasattr(value, "dtype")
