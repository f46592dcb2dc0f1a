"""Gathers and sums over the devices that train together: the only place that knows of them.

A device is a replica of `tf.distribute`, a process of `torch.distributed`, or, on JAX, all devices
at once: there an array is that of the whole batch wherever its parts lie, and nothing is to do.

The rule for gradients: each device computes the loss of the whole batch, backward passes sum over
the devices, and the step averages the gradients. So they are those of one device.
"""

from functools import cache
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.ops.similarity import Tensor

BACKEND = keras.backend.backend()


def num_devices() -> int:
    """Number of devices that see a part of the batch each; 1 on JAX and outside of a step."""
    if BACKEND == "tensorflow":
        context = _replica()
        return 1 if context is None else context.num_replicas_in_sync
    return num_processes() if BACKEND == "torch" else 1


def device_index() -> Any:
    """Number of this device, from 0: an integer, or a tensor in a graph."""
    if BACKEND == "tensorflow":
        context = _replica()
        return 0 if context is None else context.replica_id_in_sync_group
    return process_index() if BACKEND == "torch" else 0


def num_processes() -> int:
    """Number of processes that run the same program and read a part of the data each."""
    if BACKEND == "torch":
        group = _torch_group()
        return 1 if group is None else group.get_world_size()
    if BACKEND == "jax" and keras.distribution.distribution() is not None:
        import jax

        return jax.process_count()
    return 1  # TensorFlow's strategies split the data themselves


def process_index() -> int:
    """Number of this process, from 0."""
    if num_processes() == 1:
        return 0
    if BACKEND == "torch":
        return _torch_group().get_rank()
    import jax

    return jax.process_index()


def from_first(number: int) -> int:
    """The number that the first process has."""
    if num_processes() == 1:
        return number
    if BACKEND == "torch":
        numbers = [number]
        _torch_group().broadcast_object_list(numbers)
        return numbers[0]
    from jax.experimental.multihost_utils import broadcast_one_to_all

    return int(broadcast_one_to_all(np.array(number)))


def wait_for_first() -> None:
    """Goes on when the first process has come this far."""
    from_first(0)


def own_rows(rows: np.ndarray) -> np.ndarray:
    """The rows of a batch that this process reads: consecutive ones, as equal in number as can be.

    Args:
        rows: Array `(N, ...)`.

    Returns:
        About N divided by the number of processes of them.

    Example:

    >>> own_rows(np.arange(4)).tolist()  # in a single process
    [0, 1, 2, 3]
    """
    return np.array_split(rows, num_processes())[process_index()]


def gather(x: Tensor) -> Tensor:
    """The rows of all devices, one device after the other.

    Args:
        x: Tensor `(n, ...)`; `n` may differ between devices.

    Returns:
        A tensor `(N, ...)`, the same on every device. Its gradient sums over the devices.

    Example:

    >>> from keras import ops
    >>> gather(ops.ones((2, 3))).shape == (2, 3)  # on a single device
    True
    """
    if num_devices() == 1:
        return x
    if BACKEND == "tensorflow":
        return ops.reshape(_replica().all_gather(x, axis=0), (-1, *x.shape[1:]))
    return _torch_collectives()[0].apply(ops.convert_to_tensor(x))


def all_sum(x: Tensor) -> Tensor:
    """The sum over all devices; so is its gradient.

    Args:
        x: Tensor of the same shape on every device.

    Returns:
        A tensor of that shape, the same on every device.

    Example:

    >>> from keras import ops
    >>> float(all_sum(ops.ones(())))  # on a single device
    1.0
    """
    if num_devices() == 1:
        return x
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return _replica().all_reduce(tf.distribute.ReduceOp.SUM, x)
    return _torch_collectives()[1].apply(x)


def positions(num_rows: Any) -> Tensor:
    """Where the rows of this device stand among those of all devices, int32 `(num_rows,)`."""
    own = ops.arange(num_rows, dtype="int32")
    if num_devices() == 1:
        return own
    counts = gather(ops.reshape(ops.cast(num_rows, "int32"), (1,)))
    before = ops.arange(num_devices(), dtype="int32") < device_index()
    return own + ops.sum(ops.where(before, counts, 0))


def _replica() -> Any:
    """The replica whose step this is; `None` outside of a step."""
    import tensorflow as tf

    return tf.distribute.get_replica_context()


@cache
def _torch_distributed() -> Any:
    import torch.distributed

    return torch.distributed if torch.distributed.is_available() else None


def _torch_group() -> Any:
    """`torch.distributed` if a group of processes has been made."""
    distributed = _torch_distributed()
    return distributed if distributed is not None and distributed.is_initialized() else None


@cache
def _torch_collectives() -> tuple[Any, Any]:
    import torch
    from torch import distributed

    class Gather(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            size = torch.tensor([x.shape[0]], device=x.device)
            sizes = [torch.empty_like(size) for _ in range(distributed.get_world_size())]
            distributed.all_gather(sizes, size)
            ctx.sizes = [int(size) for size in sizes]
            # All parts of one size, since backends know no other.
            padded = x.new_zeros((max(ctx.sizes), *x.shape[1:]))
            padded[: x.shape[0]] = x
            parts = [torch.empty_like(padded) for _ in sizes]
            distributed.all_gather(parts, padded)
            return torch.cat([part[:size] for part, size in zip(parts, ctx.sizes)])

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return all_reduce(gradient).split(ctx.sizes)[distributed.get_rank()]

    class AllSum(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return all_reduce(x)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return all_reduce(gradient)

    def all_reduce(x: Any) -> Any:
        total = x.detach().clone().contiguous()
        distributed.all_reduce(total)
        return total

    return Gather, AllSum
