"""Batch normalisation while a method trains: by the backend's own kernel, over all devices.

Keras spells batch normalisation out in float32: mean, variance, scale and shift, each a pass over
the feature maps and each kept for the gradient. XLA fuses them again, so JAX needs nothing; on
TensorFlow and PyTorch they are a third of a small network's step, which one kernel saves.

Where several devices share a batch, statistics are those of the whole batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
from keras import ops

from keras_contrastive.ops.collectives import all_sum, num_devices
from keras_contrastive.ops.similarity import Tensor

BatchNormalization = keras.layers.BatchNormalization
_stock_call = BatchNormalization.call


@contextmanager
def fused_batch_norm() -> Iterator[None]:
    """Within it, Keras' own batch normalisation layers run fused where they can.

    The layers themselves do not change, nor what is saved of them: the same values, gradients and
    moving statistics come from one kernel instead of a dozen. Layers that are masked or
    renormalised, and those not on channels-last feature maps, run as they are. On several devices
    all layers but the masked and renormalised ones take the statistics of the whole batch, as if
    they were `synchronized`.

    Example:

    >>> import keras, keras_contrastive as kc, numpy as np
    >>> layer = keras.layers.BatchNormalization()
    >>> maps = np.random.default_rng(0).normal(3.0, 2.0, (8, 4, 4, 2)).astype("float32")
    >>> with kc.training.fused_batch_norm():
    ...     outputs = layer(maps, training=True)
    >>> round(float(keras.ops.std(outputs)), 2)
    1.0
    """
    if _kernel is None:
        yield
        return
    BatchNormalization.call = _fused_call
    try:
        yield
    finally:
        BatchNormalization.call = _stock_call


def _fused_call(
    layer: keras.layers.BatchNormalization,
    inputs: Tensor,
    training: bool | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    axis = layer.axis % len(inputs.shape)
    fusible = len(inputs.shape) == 4 and axis == 3 and not layer.synchronized
    special = mask is not None or getattr(layer, "renorm", False)
    kernel = _kernel if num_devices() == 1 else partial(_over_devices, axis=axis)
    if not (training and layer.trainable and (fusible or num_devices() > 1)) or special:
        return _stock_call(layer, inputs, training=training, mask=mask)
    channels = inputs.shape[axis]
    gamma = layer.gamma if layer.scale else ops.ones((channels,))
    beta = layer.beta if layer.center else ops.zeros((channels,))
    scale, offset = (ops.cast(weight, "float32") for weight in (gamma, beta))
    outputs, mean, variance = kernel(inputs, scale, offset, layer.epsilon)
    for moving, value in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        value = ops.cast(ops.stop_gradient(value), moving.dtype)
        moving.assign(moving * layer.momentum + value * (1.0 - layer.momentum))
    return outputs


def _tensorflow(x: Tensor, scale: Tensor, offset: Tensor, epsilon: float) -> tuple[Tensor, ...]:
    import tensorflow as tf

    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=scale, offset=offset, mean=[], variance=[], epsilon=epsilon, is_training=True
    )
    # The kernel gives the unbiased variance; Keras averages the biased one.
    rows = tf.cast(tf.size(x) / tf.size(scale), tf.float32)
    return y, mean, variance * (tf.maximum(rows - 1.0, 1.0) / rows)


def _torch(x: Tensor, scale: Tensor, offset: Tensor, epsilon: float) -> tuple[Tensor, ...]:
    import torch

    y, mean, inverse_std = torch.native_batch_norm(
        x.movedim(-1, 1), scale, offset, None, None, True, 0.0, epsilon
    )
    return y.movedim(1, -1), mean, inverse_std**-2 - epsilon


def _over_devices(
    x: Tensor, scale: Tensor, offset: Tensor, epsilon: float, axis: int
) -> tuple[Tensor, ...]:
    others = [number for number in range(len(x.shape)) if number != axis]
    shape = [-1 if number == axis else 1 for number in range(len(x.shape))]
    values = ops.cast(x, "float32")
    count = ops.reshape(ops.cast(ops.size(x) / scale.shape[0], "float32"), (1,))
    sums = all_sum(ops.concatenate([count, ops.sum(values, axis=others)]))  # one message for both
    count, mean = sums[0], sums[1:] / sums[0]
    centered = values - ops.reshape(mean, shape)
    variance = all_sum(ops.sum(ops.square(centered), axis=others)) / count
    slope = scale * ops.rsqrt(variance + epsilon)
    outputs = centered * ops.reshape(slope, shape) + ops.reshape(offset, shape)
    return ops.cast(outputs, x.dtype), mean, variance


_kernel: Any = {"tensorflow": _tensorflow, "torch": _torch}.get(keras.backend.backend())
