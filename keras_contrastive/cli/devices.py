"""The devices of this machine that a run trains on."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import keras


@contextmanager
def on_devices(count: int | None) -> Iterator[None]:
    """Within it, methods are made and trained on several devices.

    They are replicas of TensorFlow's MirroredStrategy, the data-parallel devices of JAX, or the
    processes that torchrun has started. Without accelerators they are parts of the processor, to
    try things out.

    Args:
        count: Number of devices; `None` for one, and on PyTorch for the processes there are.

    Raises:
        ValueError: If there are fewer.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        with _torch_group():
            yield
        return
    scopes = {"tensorflow": _tensorflow_strategy, "jax": _jax_distribution}
    with nullcontext() if count is None else scopes[backend](count):
        yield


def start_processes(count: int) -> None:
    """Runs this command once more, in so many processes of PyTorch; waits for them.

    Raises:
        ValueError: If one of them fails.
    """
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    options = ["--standalone", f"--nproc-per-node={count}"]
    try:
        # What follows "--" is not taken for torchrun's own options.
        run.main([*options, "-m", "--", "keras_contrastive", *sys.argv[1:]])
    except ChildFailedError:
        raise ValueError(
            f"Expected {count} processes to finish. Received: one that failed, with the message "
            "above."
        ) from None


def in_processes() -> bool:
    """Whether torchrun has started this process, as one of several."""
    return "TORCHELASTIC_RUN_ID" in os.environ


@contextmanager
def _torch_group() -> Iterator[None]:
    import torch

    if not in_processes():
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group()
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def _tensorflow_strategy(count: int) -> AbstractContextManager:
    import tensorflow as tf

    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    if kind == "CPU":
        parts = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
        processor, *_ = tf.config.list_physical_devices("CPU")
        with suppress(RuntimeError):  # TensorFlow has started: the devices are what they are
            tf.config.set_logical_device_configuration(processor, parts)
    _check(count, len(tf.config.list_logical_devices(kind)))
    return tf.distribute.MirroredStrategy([f"{kind}:{i}" for i in range(count)]).scope()


def _jax_distribution(count: int) -> AbstractContextManager:
    import jax

    with suppress(RuntimeError):  # JAX has started: the devices are what they are
        jax.config.update("jax_num_cpu_devices", count)
    devices = keras.distribution.list_devices()
    _check(count, len(devices))
    return keras.distribution.DataParallel(
        devices=devices[:count], auto_shard_dataset=False
    ).scope()


def _check(wanted: int, there: int) -> None:
    if not 1 <= wanted <= there:
        raise ValueError(f"Expected a number of devices from 1 to {there}. Received: {wanted}.")
