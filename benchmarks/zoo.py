"""Presets of CIFAR-10: pretrains recipes of the benchmarks, and measures them for their cards.

    python benchmarks/cifar10.py runs/cifar10
    python benchmarks/transfer_data.py runs/data
    python benchmarks/zoo.py simsiam dino --epochs 10

`keras-contrastive pretrain` and `keras-contrastive zoo add`, one method after the other. After an
interruption the same command goes on; presets that are there already are left alone.
"""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from keras_contrastive.cli.run_folder import RunFolder  # noqa: E402

RECIPES = HERE / "recipes"
CIFAR10, OTHER = "runs/cifar10", ("runs/data/emoji", "runs/data/blood_cells")
NOTE = (
    "{epochs} epochs on the 50,000 training images of CIFAR-10, in a copy re-encoded as JPEG: "
    "accuracies sit slightly below those of the original. kNN with k = 200 and temperature 0.1."
)


def pretraining(name, run, args):
    """A command; the rate rises for an epoch, and every second one is measured."""
    changes = ["optimizer.warmup_epochs=1", "evaluation.every=2", *args.set]
    return [
        "pretrain", RECIPES / f"{name}.yaml", "--run", run, "--epochs", str(args.epochs),
        "--data", f"{CIFAR10}/train.npz", "--test", f"{CIFAR10}/test.npz",
        *(part for change in changes for part in ("--set", change)),
    ]  # fmt: skip


def measurement(run, args):
    """A command that makes a preset of a run."""
    transfer = ["digits", *(f"{folder}/train.npz,{folder}/test.npz" for folder in OTHER)]
    return [
        "zoo", "add", run, "--to", args.to, "--note", NOTE.format(epochs=args.epochs),
        *(part for source in transfer for part in ("--transfer", source)),
    ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = sorted(path.stem for path in RECIPES.glob("*.yaml"))
    parser.add_argument("names", nargs="+", choices=names, metavar="NAME")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--to", type=pathlib.Path, default=pathlib.Path("zoo"))
    parser.add_argument("--set", action="append", default=[], help="any entry of the recipe")
    args = parser.parse_args()
    program = pathlib.Path(sys.executable).parent / "keras-contrastive"
    for name in args.names:
        run = pathlib.Path("runs") / f"{name}_small_resnet_cifar10"
        if (args.to / run.name / "picture.png").exists():  # the last that is written
            continue
        commands = [measurement(run, args)]
        if not RunFolder(run).read_results().get("finished"):
            commands.insert(0, pretraining(name, run, args))
        for command in commands:
            failed = subprocess.run([program, *command]).returncode
            if failed:  # it has said why
                sys.exit(failed)


if __name__ == "__main__":
    main()
