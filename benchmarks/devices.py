"""What a second device is worth: a step of SimCLR on one and on several, on a core each.

    python benchmarks/devices.py --json benchmarks/results/devices.json

Devices are processes of PyTorch, each pinned to a core of its own with one thread: on TensorFlow
and JAX the devices of a processor share its threads, so that a second one could not be told from a
busier first. The same batch on more devices should take a part of the time, and a batch for each
device the same time. The rest is communication, and heads and loss, which every device runs for
the whole batch. Memory is the most that a process has held beyond what it held before training.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
SIZE, STEPS, ROUNDS = 32, 4, 5


def work(rank, devices, batch_size):
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[rank]})
    import keras
    import numpy as np
    import torch

    import keras_contrastive as kc
    from keras_contrastive.cli import machine

    torch.set_num_threads(1)
    if devices > 1:
        torch.distributed.init_process_group("gloo")
    keras.utils.set_random_seed(0)
    method = kc.SimCLR(
        kc.encoders.small_resnet(input_shape=(SIZE, SIZE, 3)),
        kc.augmentation.simclr_views(size=SIZE, strength=0.5, blur=0.0),
    )
    method.compile(keras.optimizers.SGD(0.01, momentum=0.9))
    shape = (STEPS * batch_size, SIZE, SIZE, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    before, seconds = machine.peak_memory_mb(), []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        method.fit(images, batch_size=batch_size, verbose=0)
        seconds.append((time.perf_counter() - started) / STEPS)
    return {
        "devices": devices,
        "batch_size": batch_size,
        "seconds_per_step": statistics.median(seconds[1:]),  # the first builds the step
        "memory_mb": machine.peak_memory_mb() - before,
        "versions": machine.versions(),
    }


def measure(devices, batch_size):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    settings = {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", "WORLD_SIZE": str(devices)}
    settings |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, __file__, "--worker", str(devices), str(batch_size)]
    processes = [
        subprocess.Popen(
            command,
            env={**os.environ, **settings, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(devices)
    ]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("A process failed; its message stands above.")
    return json.loads(outputs[0].strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", nargs="*", type=int, default=[1, 2], help="at most the cores")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--worker", nargs=2, type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(work(int(os.environ["RANK"]), *args.worker)))
        return

    from benchmarks.rows import write
    from keras_contrastive.cli import machine

    if max(args.devices) > len(os.sched_getaffinity(0)):
        parser.error(f"Expected at most a device for each core. Received: {args.devices}.")
    sizes = {
        (devices, size)
        for devices in args.devices
        for size in (args.batch_size, devices * args.batch_size)
    }
    rows = [
        {**measure(*setting), "hardware": machine.hardware().rsplit(",", 1)[0]}
        for setting in sorted(sizes)
    ]
    for row in rows:
        print(
            f"{row['devices']} devices, batch {row['batch_size']}: "
            f"{1000 * row['seconds_per_step']:.0f} ms a step, {row['memory_mb']} MB"
        )
    if args.json:
        write(args.json, rows)


if __name__ == "__main__":
    main()
