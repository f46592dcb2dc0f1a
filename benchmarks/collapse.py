"""Whether the collapse alarm tells broken methods from sound ones, on every recipe.

    python benchmarks/collapse.py --json benchmarks/results/collapse.json

Trains every recipe of `benchmarks/recipes` for the first epoch of the CIFAR-10 training images, and
some of them once more without what prevents their collapse. The alarm stands at its defaults and
stops a run. The table shows at which step, and the lowest std and rank of the projections over 25
steps in succession.

`--json` is written after every run; rows of the same name, seed and steps are replaced, so a long
series can be run in pieces:

    python benchmarks/collapse.py --steps 100 --recipes swav dino --json FILE
"""

import argparse
import pathlib
import sys
import warnings

import keras
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from benchmarks.cifar10 import load  # noqa: E402
from benchmarks.rows import merge, read, write  # noqa: E402
from keras_contrastive.callbacks import CollapseAlarm, CollapseWarning  # noqa: E402
from keras_contrastive.cli import machine  # noqa: E402
from keras_contrastive.cli.batches import training_batches  # noqa: E402
from keras_contrastive.cli.build import build  # noqa: E402
from keras_contrastive.cli.overrides import override  # noqa: E402
from keras_contrastive.cli.recipe import Recipe  # noqa: E402
from keras_contrastive.data import Source  # noqa: E402
from tests.methods.broken import BROKEN  # noqa: E402

RECIPES = sorted(path.stem for path in (HERE / "recipes").glob("*.yaml"))
KEY = ("name", "seed", "steps")


class Figures(keras.callbacks.Callback):
    """The projections' std and rank of every step, from Keras' means over the epoch so far."""

    names = ("projection_std", "projection_rank")

    def on_train_begin(self, logs=None):
        self.sums = [np.zeros(len(self.names))]

    def on_train_batch_end(self, batch, logs=None):
        self.sums.append((batch + 1) * np.array([logs[name] for name in self.names]))

    @property
    def steps(self):
        return len(self.sums) - 1

    def lowest(self, window=25):
        """The lowest mean of each figure over a window."""
        window = min(window, self.steps)
        sums = np.array(self.sums)
        return dict(zip(self.names, ((sums[window:] - sums[:-window]) / window).min(axis=0)))


def run(recipe, steps, train, breaks=None):
    """Trains for at most `steps` steps; what the alarm says of it."""
    method = build(recipe, train.images.shape[1:], len(train))
    if breaks:
        optimizer = method.optimizer
        method = breaks(method)
        method.compile(optimizer=optimizer, jit_compile=recipe.training.jit_compile)
    batches = training_batches(recipe, train, method.uses_labels)
    figures = Figures()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CollapseWarning)
        history = method.fit(
            batches,
            steps_per_epoch=min(steps, len(batches)),
            verbose=0,
            callbacks=[CollapseAlarm(action="stop"), figures],
        ).history
    told = [str(each.message) for each in caught if issubclass(each.category, CollapseWarning)]
    return {
        "alarm": told[0].split(" (")[0] if told else None,
        "step": figures.steps if told else None,
        **{f"lowest_{name}": round(float(x), 4) for name, x in figures.lowest().items()},
        "representation_std": round(history["representation_std"][0], 4),
        "effective_rank": round(history["effective_rank"][0], 3),
        "steps_run": figures.steps,
        "setting": recipe.to_dict(),
    }


def show(row):
    verdict = f"alarm at step {row['step']}: {row['alarm']}" if row["alarm"] else "silent"
    figures = f"std {row['lowest_projection_std']:.2f}  rank {row['lowest_projection_rank']:5.1f}"
    print(f"{row['name']:34} seed {row['seed']}  {figures}  {verdict}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", default=RECIPES, choices=RECIPES, metavar="RECIPE")
    parser.add_argument("--steps", type=int, default=195, help="at most; 195 are an epoch")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    images, labels, _ = load("train")
    train = Source(images, labels)
    rows = read(args.json) if args.json and args.json.exists() else []
    facts = {
        "backend": keras.backend.backend(),
        "hardware": machine.hardware(),
        "versions": machine.versions(),
    }
    wrong = []
    for seed in args.seeds:
        for stem in args.recipes:
            runs = [(stem, None), *([BROKEN[stem]] if stem in BROKEN else [])]
            for name, breaks in runs:
                row = {"name": name, "sound": breaks is None, "seed": seed, "steps": args.steps}
                recipe = Recipe.load(HERE / "recipes" / f"{stem}.yaml")
                recipe = override(recipe, {"training.seed": seed})
                row |= run(recipe, args.steps, train, breaks) | facts
                keras.utils.clear_session()
                show(row)
                rows = merge(rows, row, KEY)
                if args.json:
                    write(args.json, rows)
                if row["sound"] == bool(row["alarm"]):
                    wrong.append(f"{name} seed {seed}")
    if wrong:
        sys.exit(f"The alarm was wrong about: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
