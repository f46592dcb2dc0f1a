"""Seconds and memory of NT-Xent's value and gradient, ours beside peers'.

    python benchmarks/loss.py --peer path/to/python --json benchmarks/results/loss.json

The peers' environment has lightly and pytorch-metric-learning. N pairs of views with D = 128, at
temperature 0.1. Every measurement is a process of its own: it loads its library and warms up on 64
pairs, then runs the size in question. Memory is what its peak grows by from there, compilation and
gradients included; seconds are the best of the rounds after the first. "dense" is the same loss on
the whole matrix of similarities, as TensorFlow, JAX and PyTorch differentiate it.

Rows of an existing file are replaced by new ones of the same way and size, the others are kept.
"""

import argparse
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
WAYS = ("tensorflow", "tensorflow-xla", "jax", "torch")
PEERS = ("lightly", "pytorch-metric-learning")
KEY = ("way", "pairs", "hardware")


def views(pairs):
    return np.random.default_rng(0).normal(size=(2, pairs, DIMENSION)).astype("float32")


# -- what is measured: functions from two views to the loss and its gradients --------------------


def ours(way):
    """NT-Xent as a training step would run it."""
    from keras import ops

    from keras_contrastive.losses import nt_xent

    return differentiated(way, lambda z1, z2: ops.mean(nt_xent(z1, z2, TEMPERATURE)))


def dense(way):
    """The same from the whole matrix, by the backend's own differentiation."""
    from keras import ops

    from keras_contrastive.losses.contrast import positive_logits, stacked
    from keras_contrastive.ops import masked_logits

    def loss(z1, z2):
        z = stacked(z1, z2)
        logits = masked_logits(z, z, ops.not_equal, TEMPERATURE)
        return ops.mean(ops.logsumexp(logits, axis=1) - positive_logits(z, TEMPERATURE))

    return differentiated(way, loss)


def differentiated(way, loss):
    if way == "jax":
        import jax

        compiled = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
        return lambda z1, z2: jax.block_until_ready(compiled(z1, z2))
    if way == "torch":
        return backward(loss)
    import tensorflow as tf

    @tf.function(jit_compile=way == "tensorflow-xla")
    def step(z1, z2):
        with tf.GradientTape() as tape:
            tape.watch([z1, z2])
            value = loss(z1, z2)
        return value, tape.gradient(value, [z1, z2])

    return lambda z1, z2: float(step(tf.constant(z1), tf.constant(z2))[0])


def backward(loss):
    import torch

    def step(z1, z2):
        z1, z2 = (torch.tensor(z, requires_grad=True) for z in (z1, z2))
        value = loss(z1, z2)
        value.backward()
        return float(value.detach())

    return step


def lightly():
    from lightly.loss import NTXentLoss

    return backward(NTXentLoss(temperature=TEMPERATURE))


def metric_learning():
    from pytorch_metric_learning.losses import SelfSupervisedLoss, SupConLoss

    return backward(SelfSupervisedLoss(SupConLoss(temperature=TEMPERATURE), symmetric=True))


def function(way, whole):
    peers = {"lightly": lightly, "pytorch-metric-learning": metric_learning}
    if way in peers:
        return peers[way]()
    return dense(way) if whole else ours(way)


# -- measuring ------------------------------------------------------------------------------------


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work(args):
    way, whole = args.worker.removesuffix(" dense"), args.worker.endswith(" dense")
    step = function(way, whole)
    step(*views(WARM_UP))
    z1, z2 = views(args.pairs)
    before, seconds = peak_mb(), []
    while len(seconds) < 3 or (sum(seconds) < args.seconds and len(seconds) < 50):
        started = time.perf_counter()
        step(z1, z2)
        seconds.append(time.perf_counter() - started)
        if seconds[0] > 60:
            break
    return {
        "seconds": min(seconds[1:] or seconds),
        "median_seconds": statistics.median(seconds[1:] or seconds),
        "extra_memory_mb": round(peak_mb() - before, 1),
    }


def measure(way, pairs, args):
    """One row, or `None` where the process fails, as it does for want of memory."""
    peer = way in PEERS
    command = [args.peer if peer else sys.executable, __file__, "--worker", way]
    command += ["--pairs", str(pairs), "--seconds", str(args.seconds)]
    backend = way.removesuffix(" dense").split("-")[0]
    environment = {} if peer else {"KERAS_BACKEND": backend}
    settings = {"PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "2", **environment}
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True)
    if done.returncode:
        print(f"{way} at {pairs}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def show(rows):
    print(f"{'way':28} {'pairs':>7} {'seconds':>9} {'extra MB':>9}")
    for row in sorted(rows, key=lambda row: (row["pairs"], row["seconds"])):
        print(
            f"{row['way']:28} {row['pairs']:7} {row['seconds']:9.4f} {row['extra_memory_mb']:9.0f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="a Python with lightly and pytorch-metric-learning")
    parser.add_argument("--ways", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--sizes", nargs="*", type=int, default=[*SIZES, *LARGE])
    parser.add_argument("--seconds", type=float, default=3.0, help="of rounds, for each row")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--pairs", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(work(args)))
        return

    from benchmarks.rows import merge, write
    from keras_contrastive.cli import machine

    rows = json.loads(args.json.read_text())["rows"] if args.json and args.json.exists() else []
    facts = {"hardware": machine.hardware(), "system": platform.platform()}
    for pairs in args.sizes:
        both = [*args.ways, *(f"{way} dense" for way in args.ways if pairs <= SIZES[-1])]
        for way in [*both, *(PEERS if args.peer and pairs <= SIZES[-1] else ())]:
            found = measure(way, pairs, args)
            if found is None:
                continue
            rows = merge(rows, {"way": way, "pairs": pairs, **found, **facts}, KEY)
            if args.json:
                write(args.json, rows)
    show(rows)


if __name__ == "__main__":
    main()
