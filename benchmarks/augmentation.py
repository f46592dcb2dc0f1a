"""Images per second of the SimCLR augmentation on one core, beside lightly's SimCLRTransform.

    python benchmarks/augmentation.py --peer path/to/python/with/lightly

One view counts as one image on both sides. Ours makes a batch at a time (uint8 in, two views out),
lightly's one PIL image at a time, as its data loader does. Both crop with
bilinear interpolation. Each way runs in a process of its own,
pinned to one core, one after the other within each round; the best round counts for all of them.
Time is the processor's for this process, which other work on the machine does not lengthen.
Prints a table of rates and ratios and writes JSON.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time

import numpy as np

SETTINGS = ((32, 0.0), (64, 0.5))  # image size, probability of the blur
WAYS = ("tensorflow-graph", "tensorflow-xla", "jax", "torch")
BACKENDS = {way: way.split("-")[0] for way in WAYS}
STRENGTH = 1.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="a Python interpreter with lightly")
    parser.add_argument("--ways", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--interpolation", default="bilinear", choices=("bicubic", "bilinear"))
    parser.add_argument("--json", default="augmentation.json")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)  # way, size, blur
    args = parser.parse_args()
    if args.worker:
        way, size, blur = args.worker
        print(json.dumps(work(way, int(size), float(blur), args)))
        return

    ways = [*(["lightly"] if args.peer else []), *args.ways]
    results = [compare(size, blur, ways, args) for size, blur in SETTINGS]
    for result in results:
        print_table(result)
    report = {
        "machine": {"processor": processor(), "cores_used": 1, "system": platform.platform()},
        "settings": {k: v for k, v in vars(args).items() if k not in ("json", "worker", "peer")},
        "results": results,
    }
    with open(args.json, "w") as file:
        json.dump(report, file, indent=2)
    print(f"\nWritten to {args.json}")


def compare(size, blur, ways, args):
    """Runs every way once a round, so that all of them see the same state of the machine."""
    rates, versions = {way: [] for way in ways}, {}
    for _ in range(args.rounds):
        for way in ways:
            measured = run_worker(way, size, blur, args)
            rates[way].append(measured["images_per_second"])
            versions[way] = measured["versions"]
    return {"size": size, "blur": blur, "images_per_second": rates, "versions": versions}


def run_worker(way, size, blur, args):
    python = args.peer if way == "lightly" else sys.executable
    options = ("batch", "seconds", "core", "interpolation")
    command = [python, os.path.abspath(__file__), "--worker", way, str(size), str(blur)]
    command += [part for name in options for part in (f"--{name}", str(getattr(args, name)))]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {
        **os.environ,
        **one_thread,
        "KERAS_BACKEND": BACKENDS.get(way, ""),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": root,
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{way} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def work(way, size, blur, args):
    """Measures one way in this process."""
    os.sched_setaffinity(0, {args.core})
    images = np.random.default_rng(0).integers(0, 256, (args.batch, size, size, 3), "uint8")
    make = lightly_views if way == "lightly" else keras_views
    step = make(way, images, size, blur, args)
    for _ in range(3):  # compilation, caches
        step()
    start, done = time.process_time(), 0
    while time.process_time() - start < args.seconds:
        step()
        done += 2 * args.batch
    rate = done / (time.process_time() - start)
    packages = ("lightly", "torchvision", "pillow", "keras", "numpy", BACKENDS.get(way))
    return {"images_per_second": rate, "versions": dict(filter(None, map(version, packages)))}


def lightly_views(way, images, size, blur, args):
    import torch
    from lightly.transforms import SimCLRTransform
    from PIL import Image

    torch.set_num_threads(1)
    transform = SimCLRTransform(input_size=size, cj_strength=STRENGTH, gaussian_blur=blur)
    pictures = [Image.fromarray(image) for image in images]
    return lambda: [transform(picture) for picture in pictures]


def keras_views(way, images, size, blur, args):
    if BACKENDS[way] == "tensorflow":  # before it makes its first tensor
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras

    from keras_contrastive.augmentation import simclr_views

    views = simclr_views(size, STRENGTH, blur, interpolation=args.interpolation, seed=0)
    if way == "jax":
        import jax

        compiled = jax.jit(lambda state, images: views.stateless_call([], state, images))
        state = [[variable.value for variable in views.non_trainable_variables]]

        def step():
            outputs, state[0] = compiled(state[0], images)
            jax.block_until_ready(outputs)

        return step
    if way == "torch":
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        return lambda: views(images)
    images = keras.ops.convert_to_tensor(images)
    compiled = tf.function(lambda: views(images), jit_compile=way == "tensorflow-xla")
    return lambda: [view.numpy() for view in compiled()]


def version(package):
    if package is None:
        return None
    names = (package, f"{package}-cpu", f"{package}_cpu")
    for name in names:
        try:
            return package, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except OSError:
        return platform.processor()


def print_table(result):
    rates = {way: max(values) for way, values in result["images_per_second"].items()}
    blur = f"blur {result['blur']:g}" if result["blur"] else "no blur"
    print(f"\n{result['size']} px, {blur}: images/s on one core, and times lightly")
    for way, rate in rates.items():
        ratio = f"{rate / rates['lightly']:8.1f}x" if "lightly" in rates else ""
        print(f"  {way:18s} {rate:10,.0f} {ratio}")


if __name__ == "__main__":
    main()
