"""What a step does otherwise where several devices share a batch."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.ops import collectives
from keras_contrastive.ops.similarity import Tensor


def num_shares(model: keras.Model) -> int:
    """Number of parts that a batch of this model's is split in."""
    if keras.backend.backend() == "tensorflow":
        return model.distribute_strategy.num_replicas_in_sync
    distribution = keras.distribution.distribution()
    if distribution is None:
        return collectives.num_devices()
    mesh = distribution.device_mesh
    return mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)]


def random_states(layer: keras.Layer) -> list[keras.Variable]:
    """The states of all random generators of a layer and of those in it."""
    return [v for v in layer.non_trainable_variables if v.name == "seed_generator_state"]


@contextmanager
def own_draws(*layers: Any) -> Iterator[None]:
    """Within it, layers draw other random numbers on each device.

    The generators have the same state on all devices before and after, and it is that which is
    saved.

    Args:
        *layers: Keras layers; others, such as functions, are left alone.
    """
    if collectives.num_devices() == 1:
        yield
        return
    states = [v for layer in layers if isinstance(layer, keras.Layer) for v in random_states(layer)]
    index = ops.cast(collectives.device_index(), "int32")
    for state in states:
        state.assign(state + ops.cast(ops.stack([index, 0]), state.dtype))
    try:
        yield
    finally:
        for state in states:
            state.assign(state - ops.cast(ops.stack([index, 0]), state.dtype))


def first_share(batch: Any) -> Any:
    """The part of a batch that a machine's first device has on TensorFlow."""
    import tensorflow as tf

    def first(part: Any) -> Any:
        many = isinstance(part, tf.distribute.DistributedValues)
        return part.values[0] if many else part

    return keras.tree.map_structure(first, batch)


def as_share(loss: Tensor) -> Tensor:
    """The loss of the whole batch as a device has to return it to Keras.

    TensorFlow's strategies sum the gradients of the devices, which each compute all of the loss;
    Keras undoes the scaling in what it logs.
    """
    devices = collectives.num_devices() if keras.backend.backend() == "tensorflow" else 1
    return loss if devices == 1 else loss / devices


def as_logs(figures: dict[str, Tensor]) -> dict[str, Tensor]:
    """A step's figures as it has to return them to Keras.

    Between machines TensorFlow's trainer averages them over a first axis, which scalars lack.
    """
    if keras.backend.backend() != "tensorflow":
        return figures
    import tensorflow as tf

    if not tf.distribute.get_strategy().extended._in_multi_worker_mode():
        return figures
    return {name: ops.expand_dims(figure, 0) for name, figure in figures.items()}


@contextmanager
def averaged_gradients(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Within it, PyTorch averages gradients over the processes before the optimizer takes them.

    All of them travel as one vector. Where something else averages them too, as
    `DistributedDataParallel` would, the mean of equal gradients is what it was.
    """
    if keras.backend.backend() != "torch" or collectives.num_devices() == 1:
        yield
        return
    stock = optimizer.apply

    def apply(gradients: Sequence[Tensor | None], *args: Any) -> Any:
        some = [gradient for gradient in gradients if gradient is not None]
        vector = ops.concatenate([ops.reshape(gradient, (-1,)) for gradient in some])
        mean = collectives.all_sum(vector) / collectives.num_devices()
        ends = np.cumsum([math.prod(gradient.shape) for gradient in some])[:-1]
        parts = zip(ops.split(mean, ends.tolist()), some, strict=True)
        averaged = iter([ops.cast(ops.reshape(part, g.shape), g.dtype) for part, g in parts])
        return stock([None if g is None else next(averaged) for g in gradients], *args)

    vars(optimizer)["apply"] = apply
    try:
        yield
    finally:
        del vars(optimizer)["apply"]


def same_start(model: keras.Model) -> None:
    """Gives all processes of PyTorch the weights and random states of the first."""
    if keras.backend.backend() != "torch" or collectives.num_devices() == 1:
        return
    import torch

    for variable in model.variables:
        torch.distributed.broadcast(variable.value.data, src=0)
