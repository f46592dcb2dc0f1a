"""Runs a script on some devices of this machine's processor."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras

ROOT = Path(__file__).parents[2]
BACKEND = keras.backend.backend()


def run(devices, *command, machines=False, timeout=1800):
    """Runs a Python script on so many devices and waits.

    They are processes on PyTorch; and on TensorFlow, if they stand for machines.
    """
    environment = {**os.environ, "KERAS_BACKEND": BACKEND, "PYTHONPATH": str(ROOT)}
    environment |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if BACKEND == "jax":
        environment["XLA_FLAGS"] = (
            f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
        )
    command = [sys.executable, *map(str, command)]
    ranks = range(devices if BACKEND == "torch" or machines else 1)
    environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    environment |= {"WORLD_SIZE": str(devices)}
    workers = [f"127.0.0.1:{free_port()}" for _ in ranks]
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment | {"RANK": str(rank)} | (worker(rank, workers) if machines else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in ranks
    ]
    outputs = [process.communicate(timeout=timeout)[0] for process in processes]
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
    return outputs


def worker(index, addresses):
    """What tells a process of TensorFlow which of the workers it is."""
    task = {"type": "worker", "index": index}
    return {"TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task})}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
