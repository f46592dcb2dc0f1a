"""Runs a script on some devices of this machine's processor."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import keras

ROOT = Path(__file__).parents[2]
BACKEND = keras.backend.backend()


def run(devices, *command, timeout=1800):
    """Runs a Python script on so many devices and waits; PyTorch takes a process a device."""
    environment = {**os.environ, "KERAS_BACKEND": BACKEND, "PYTHONPATH": str(ROOT)}
    environment |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if BACKEND == "jax":
        environment["XLA_FLAGS"] = (
            f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
        )
    command = [sys.executable, *map(str, command)]
    ranks = range(devices if BACKEND == "torch" else 1)
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment, **address, "RANK": str(rank), "WORLD_SIZE": str(devices)},
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


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
