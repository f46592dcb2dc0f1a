"""Seconds and memory of the losses' value and gradient, ours beside peers'.

    python benchmarks/loss.py --peer path/to/python --json benchmarks/results/loss.json

NT-Xent and CLIP's loss (`InfoNCE` in both directions), each beside the same loss of peers: their
environment has lightly, pytorch-metric-learning, optax with JAX, and open_clip_torch. N pairs of
views with D = 128, at temperature 0.1. Every measurement is a process of its own: it loads its
library and warms up on 64 pairs, then runs the size in question. Memory is the most that it holds
beyond what it held then, compilation and gradients included; seconds are the best of the rounds
after the first (of one round, where it takes a minute), by the clock and of the processor. On one
core these are equal but for neighbours, which `cores_used` below 1 tells of. "dense" is NT-Xent on
the whole matrix of similarities, as TensorFlow, JAX and PyTorch differentiate it. A process that
asks for more than 8 GB fails and leaves no row.

Rows of an existing file are replaced by new ones of the same loss, way and size, the others are
kept. Every row has the loss's value too, by which one sees that the ways compute the same.
"""

import argparse
import itertools
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
DIMENSION, TEMPERATURE, WARM_UP = 128, 0.1, 64
SIZES = (256, 512, 1024, 2048, 4096, 8192)
LARGE = (16384, 32768, 65536)  # ours only: a dense matrix of 32,768 pairs takes 17 GB
MEMORY = 8 * 1024**3
BACKENDS = ("tensorflow", "tensorflow-xla", "jax", "torch")
DENSE = tuple(f"{backend} dense" for backend in BACKENDS)
PEERS = ("lightly", "pytorch-metric-learning", "optax", "open_clip")
WAYS = {"NT-Xent": (*BACKENDS, *DENSE, *PEERS[:3]), "CLIP": (*BACKENDS, *PEERS[3:])}
LIBRARIES = ("keras", "tensorflow", "jax", "torch")
LIBRARIES += ("lightly", "pytorch_metric_learning", "optax", "open_clip")
KEY = ("loss", "way", "pairs", "hardware")


def views(pairs):
    return np.random.default_rng(0).normal(size=(2, pairs, DIMENSION)).astype("float32")


# -- what is measured: functions of two views, the mean over the samples -------------------------


def nt_xent():
    from keras import ops

    from keras_contrastive.losses import nt_xent

    return lambda z1, z2: ops.mean(nt_xent(z1, z2, TEMPERATURE))


def dense_nt_xent():
    from keras import ops

    from keras_contrastive.losses.contrast import positive_logits, stacked
    from keras_contrastive.ops import masked_logits

    def loss(z1, z2):
        z = stacked(z1, z2)
        logits = masked_logits(z, z, ops.not_equal, TEMPERATURE)
        return ops.mean(ops.logsumexp(logits, axis=1) - positive_logits(z, TEMPERATURE))

    return loss


def clip():
    from keras_contrastive.losses import InfoNCE

    return InfoNCE(TEMPERATURE, symmetric=True)


def lightly():
    from lightly.loss import NTXentLoss

    return NTXentLoss(temperature=TEMPERATURE)


def metric_learning():
    from pytorch_metric_learning.losses import SelfSupervisedLoss, SupConLoss

    return SelfSupervisedLoss(SupConLoss(temperature=TEMPERATURE), symmetric=True)


def optax():
    import jax.numpy as jnp
    from optax.losses import ntxent

    def loss(z1, z2):
        labels = jnp.tile(jnp.arange(len(z1)), 2)
        return ntxent(jnp.concatenate([z1, z2]), labels, TEMPERATURE)

    return loss


def open_clip():
    from open_clip.loss import ClipLoss
    from torch.nn.functional import normalize

    loss = ClipLoss()
    return lambda z1, z2: loss(normalize(z1), normalize(z2), 1 / TEMPERATURE)


OF_PEERS = dict(zip(PEERS, (lightly, metric_learning, optax, open_clip), strict=True))
OURS = {"NT-Xent": nt_xent, "CLIP": clip}


# -- their value and gradients, as a training step would run them --------------------------------


def step_of(loss, way):
    """A function of two NumPy views that gives the loss, after the gradients."""
    if way in PEERS:
        return differentiated(OF_PEERS[way](), "jax" if way == "optax" else "torch")
    backend = way.removesuffix(" dense")
    return differentiated((OURS[loss] if way == backend else dense_nt_xent)(), backend)


def differentiated(loss, backend):
    if backend == "jax":
        return jax_step(loss)
    if backend == "torch":
        return torch_step(loss)
    return tensorflow_step(loss, jit_compile=backend == "tensorflow-xla")


def jax_step(loss):
    import jax

    compiled = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
    return lambda z1, z2: float(jax.block_until_ready(compiled(z1, z2))[0])


def torch_step(loss):
    import torch

    def step(z1, z2):
        z1, z2 = (torch.tensor(z, requires_grad=True) for z in (z1, z2))
        value = loss(z1, z2)
        value.backward()
        return float(value.detach())

    return step


def tensorflow_step(loss, jit_compile):
    import tensorflow as tf

    @tf.function(jit_compile=jit_compile)
    def step(z1, z2):
        with tf.GradientTape() as tape:
            tape.watch([z1, z2])
            value = loss(z1, z2)
        return value, tape.gradient(value, [z1, z2])

    return lambda z1, z2: float(step(tf.constant(z1), tf.constant(z2))[0])


# -- measuring ------------------------------------------------------------------------------------


def memory_mb(name):
    """What Linux says of this process: `VmRSS`, what it holds, or `VmHWM`, the most it has held.

    The peak of `getrusage` would be the parent's, where that is larger.
    """
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def forget_peak():
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def work(args):
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    step = step_of(args.loss, args.worker)
    step(*views(WARM_UP))
    z1, z2 = views(args.pairs)
    forget_peak()
    before, seconds, processor = memory_mb("VmRSS"), [], []
    while len(seconds) < 3 or (sum(seconds) < args.seconds and len(seconds) < 50):
        started, busy = time.perf_counter(), time.process_time()
        value = step(z1, z2)
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - busy)
        if sum(seconds) > 60:
            break
    loaded = {name: sys.modules[name] for name in LIBRARIES if name in sys.modules}
    return {
        "seconds": min(seconds[1:] or seconds),
        "median_seconds": statistics.median(seconds[1:] or seconds),
        "extra_memory_mb": round(memory_mb("VmHWM") - before, 1),
        "processor_seconds": min(processor[1:] or processor),
        "cores_used": round(sum(processor) / sum(seconds), 2),
        "value": value,
        "versions": {name: module.__version__ for name, module in loaded.items()},
    }


def measure(loss, way, pairs, args):
    """One row, or `None` where the process fails, as it does for want of memory."""
    peer = way in PEERS
    command = [args.peer if peer else sys.executable, __file__, "--worker", way, "--loss", loss]
    command += ["--pairs", str(pairs), "--seconds", str(args.seconds)]
    backend = way.removesuffix(" dense").split("-")[0]
    environment = {} if peer else {"KERAS_BACKEND": backend}
    settings = {"PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "2", **environment}
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True)
    if done.returncode:
        print(f"{loss}, {way} at {pairs}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def show(rows):
    print(
        f"{'loss':8} {'way':24} {'pairs':>6} {'by clock':>9} {'processor':>9} {'extra MB':>9} value"
    )
    for row in sorted(rows, key=lambda row: (row["loss"], row["pairs"], row["processor_seconds"])):
        print(
            f"{row['loss']:8} {row['way']:24} {row['pairs']:6} {row['seconds']:9.4f} "
            f"{row['processor_seconds']:9.4f} {row['extra_memory_mb']:9.0f} {row['value']:.4f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="a Python with the peers")
    parser.add_argument("--losses", nargs="*", default=list(WAYS), choices=WAYS)
    parser.add_argument("--ways", nargs="*", default=[*BACKENDS, *DENSE, *PEERS])
    parser.add_argument("--sizes", nargs="*", type=int, default=[*SIZES, *LARGE])
    parser.add_argument("--seconds", type=float, default=3.0, help="of rounds, for each row")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--loss", help=argparse.SUPPRESS)
    parser.add_argument("--pairs", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(work(args)))
        return

    from benchmarks.rows import merge, write
    from keras_contrastive.cli import machine

    rows = json.loads(args.json.read_text())["rows"] if args.json and args.json.exists() else []
    facts = {"hardware": machine.hardware(), "system": platform.platform()}
    for pairs, loss in itertools.product(args.sizes, args.losses):
        for way in WAYS[loss]:
            left_out = way not in args.ways or (way in PEERS and not args.peer)
            if left_out or (way not in BACKENDS and pairs > SIZES[-1]):
                continue
            found = measure(loss, way, pairs, args)
            if found is None:
                continue
            rows = merge(rows, {"loss": loss, "way": way, "pairs": pairs, **found, **facts}, KEY)
            if args.json:
                write(args.json, rows)
    show(rows)


if __name__ == "__main__":
    main()
