"""Quality at equal time: our methods and a peer's on the same images, network and processor.

    python benchmarks/quality.py --minutes 15 --peer /path/to/environment/bin/python

Each trainer gets the same minutes on the CIFAR-10 training images, one after the other, alone on
the machine. Learning rates decay over the clock, so that each ends its schedule with its budget.
Then kNN (k 200, temperature 0.1) and a linear probe on frozen features, by the same code for all.
Methods that learn from labels get those of the training images; the others do not see them.
Pinned to a core (`taskset -c 1 python benchmarks/quality.py ...`) it says so in its rows, and two
series can run side by side; speeds are then less exact, since caches are shared.
With `--holdout` the last 5,000 training images take the place of the test set: to choose settings.

`--json` is written after every trainer. In a file that exists, rows of the same name, seed,
minutes and evaluation are replaced and the others kept, so a long series can be run in pieces:

    python benchmarks/quality.py --minutes 5 --json FILE --recipes benchmarks/recipes/swav.yaml
    python benchmarks/quality.py --minutes 5 --json FILE --recipes --untrained \\
        --peer PYTHON --peer-methods swav dino
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
HOLDOUT = 5000
PEER_METHODS = {
    "barlow_twins": "Barlow Twins",
    "byol": "BYOL",
    "dcl": "DCL",
    "dino": "DINO",
    "mmcr": "MMCR",
    "moco": "MoCo",
    "nnclr": "NNCLR",
    "simclr": "SimCLR",
    "simsiam": "SimSiam",
    "swav": "SwAV",
    "tico": "TiCo",
    "vicreg": "VICReg",
}
# What makes two measurements the same one.
KEY = ("name", "seed", "minutes", "evaluated_on")


class TimeIsUp(Exception):
    """Ends `fit` at once; Keras would go on with the next epoch after a StopIteration."""


def images(holdout):
    from benchmarks.cifar10 import load

    (train, train_labels, _), (test, test_labels, _) = load("train"), load("test")
    if holdout:
        test, test_labels = train[-HOLDOUT:], train_labels[-HOLDOUT:]
        train, train_labels = train[:-HOLDOUT], train_labels[:-HOLDOUT]
    return {
        "train_images": train,
        "train_labels": train_labels,
        "test_images": test,
        "test_labels": test_labels,
    }


def worker(args):
    """Trains one of our methods; runs in a process of its own, so that memory is its own.

    In zero seconds it does not train at all.
    """
    import keras

    from keras_contrastive import evaluation, optimizers
    from keras_contrastive.cli import machine
    from keras_contrastive.cli.batches import training_batches
    from keras_contrastive.cli.build import build, build_callbacks
    from keras_contrastive.cli.component import Component
    from keras_contrastive.cli.overrides import override
    from keras_contrastive.cli.recipe import Recipe
    from keras_contrastive.data import Source

    recipe = override(Recipe.load(args.worker), {"training.seed": args.seed})
    data = np.load(args.data)
    settings = recipe.optimizer
    peak = settings.learning_rate
    if settings.scaling == "linear":
        peak = optimizers.linear_scaling(peak, recipe.training.batch_size)
    train = Source(data["train_images"], data["train_labels"])
    method = build(recipe, train.images.shape[1:], len(train))
    target = Component(settings.name, {}).find("optimizer", optimizers, keras.optimizers)
    method.compile(target(peak, **settings.arguments), jit_compile=recipe.training.jit_compile)

    class Clock(keras.callbacks.Callback):
        """Decays the learning rate over the clock, and stops when the time is up."""

        steps, started, seconds = 0, None, 0.0

        def on_train_batch_begin(self, batch, logs=None):
            self.started = self.started or time.perf_counter()
            spent = (time.perf_counter() - self.started) / args.seconds
            warmup = min(1.0, (self.steps + 1) / 200)
            rate = peak * warmup * 0.5 * (1 + np.cos(np.pi * min(spent, 1)))
            self.model.optimizer.learning_rate = rate

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if time.perf_counter() - self.started >= args.seconds:
                self.seconds = time.perf_counter() - self.started
                raise TimeIsUp

    batches = training_batches(recipe, train, method.uses_labels)
    clock = Clock()
    callbacks = [clock, *build_callbacks(recipe, train.images)]
    if args.seconds:
        with contextlib.suppress(TimeIsUp):
            method.fit(batches, epochs=10**6, verbose=0, callbacks=callbacks)
    seen = clock.steps * recipe.training.batch_size
    epochs = clock.steps / len(batches)
    facts = {
        "epochs": round(epochs, 2),
        "seconds": round(clock.seconds, 1),
        "seconds_per_epoch": round(clock.seconds / epochs, 2) if epochs else None,
        "pairs_per_second": round(seen / clock.seconds, 1) if epochs else None,
        "peak_memory_mb": machine.peak_memory_mb(),
        "last_loss": float(method.get_metrics_result()["loss"]) if epochs else None,
        "weights": method.encoder.count_params(),
        "setting": recipe.to_dict(),
        "backend": keras.backend.backend(),
        "versions": machine.versions(),
    }
    np.savez(
        args.output,
        train=evaluation.embed(method.encoder, train.images),
        test=evaluation.embed(method.encoder, data["test_images"]),
        facts=json.dumps(facts),
    )


def run(command, data, seed):
    """Runs a trainer and measures the features it leaves."""
    from keras_contrastive import evaluation

    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "features.npz"
        subprocess.run(
            [*command, str(output)],
            check=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore", "OMP_WAIT_POLICY": "passive"},
        )
        with np.load(output) as file:
            found = dict(file)
    features = found["train"], data["train_labels"], found["test"], data["test_labels"]
    linear = evaluation.linear_probe(*features, seed=seed)
    return {
        "knn": evaluation.knn_accuracy(*features, k=200, temperature=0.1),
        "linear": linear.accuracy,
        "ridge": evaluation.ridge_probe(*features).accuracy,
        "effective_rank": float(evaluation.effective_rank(found["test"])),
        "representation_std": float(evaluation.representation_std(found["test"])),
        **json.loads(str(found["facts"])),
    }


def trainers(args, data):
    """Name, seed, minutes and command of every trainer; the command lacks the output's path."""
    for seed in args.seeds:
        if args.untrained:
            yield "untrained", seed, 0.0, ours(HERE / "recipes" / "simclr.yaml", 0.0, seed, data)
        for recipe in args.recipes:
            command = ours(recipe, args.minutes, seed, data)
            yield pathlib.Path(recipe).stem, seed, args.minutes, command
        for method in args.peer_methods if args.peer else ():
            options = ["--method", method, "--seconds", str(60 * args.minutes), "--seed", str(seed)]
            command = [args.peer, str(HERE / "peers" / "lightly_methods.py"), *options, data]
            yield f"lightly {PEER_METHODS[method]}", seed, args.minutes, command


def ours(recipe, minutes, seed, data):
    options = ["--data", data, "--seconds", str(60 * minutes), "--seed", str(seed)]
    return [sys.executable, __file__, "--worker", str(recipe), *options]


def show(rows):
    columns = {
        "knn": "{:.3f}",
        "linear": "{:.3f}",
        "ridge": "{:.3f}",
        "epochs": "{:.1f}",
        "seconds_per_epoch": "{:.1f}",
        "pairs_per_second": "{:.0f}",
        "peak_memory_mb": "{:.0f}",
        "effective_rank": "{:.1f}",
        "representation_std": "{:.2f}",
    }
    print(f"{'':28}" + "".join(f"{name.replace('_', ' '):>19}" for name in columns))
    for row in rows:
        cells = (
            "-" if row[name] is None else form.format(row[name]) for name, form in columns.items()
        )
        print(f"{row['name']} seed {row['seed']}".ljust(28) + "".join(f"{c:>19}" for c in cells))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument(
        "--recipes", nargs="*", default=sorted(map(str, (HERE / "recipes").glob("*.yaml")))
    )
    parser.add_argument("--peer", help="python of an environment with lightly")
    parser.add_argument(
        "--peer-methods",
        nargs="+",
        default=["simclr"],
        choices=sorted(PEER_METHODS),
        metavar="METHOD",
        help=f"of lightly: {', '.join(sorted(PEER_METHODS))}",
    )
    parser.add_argument("--untrained", action="store_true", help="a row of the untrained encoder")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--holdout", action="store_true", help="choose on held-out training images")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("output", nargs="?", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return worker(args)
    if args.peer_methods != ["simclr"] and not args.peer:
        parser.error("--peer-methods run in an environment with lightly: name its python as --peer")

    from benchmarks.rows import merge, read, write
    from keras_contrastive.cli import machine

    data, new, failed = images(args.holdout), [], []
    rows = read(args.json) if args.json and args.json.exists() else []
    facts = {
        "evaluated_on": "held-out training images" if args.holdout else "test images",
        "hardware": machine.hardware(),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "data.npz")
        np.savez(path, **data)
        for name, seed, minutes, command in trainers(args, path):
            row = {"name": name, "seed": seed, "minutes": minutes, **facts}
            try:
                row |= run(command, data, seed)
            except (subprocess.CalledProcessError, ValueError) as error:
                print(f"{name} seed {seed}: {error}", file=sys.stderr)  # the others go on
                failed.append(f"{name} seed {seed}")
                continue
            show([row])
            new, rows = [*new, row], merge(rows, row, KEY)
            if args.json:
                write(args.json, rows)
    print(f"\n{args.minutes:g} minutes each on {facts['hardware']}")
    show(new)
    if failed:
        sys.exit(f"No figures for: {', '.join(failed)}")


if __name__ == "__main__":
    main()
