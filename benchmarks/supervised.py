"""The network of a recipe trained with labels and cross-entropy: what pretraining is compared with.

    python benchmarks/supervised.py zoo/supcon_small_resnet_cifar10/recipe.yaml runs/supervised \\
        --json benchmarks/results/supervised.json

The same encoder, images, augmentation (one view), optimizer, batches and epochs as the recipe's;
its method is left out. The folder gets `encoder.keras`, `recipe.yaml` and `results.json`, with
the test accuracy of the network's own last layer beside the probes of its features; `--json`
gets the results too.
"""

import argparse
import pathlib
import sys
import time

import keras
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from benchmarks.rows import record  # noqa: E402
from keras_contrastive.cli import machine  # noqa: E402
from keras_contrastive.cli.build import build  # noqa: E402
from keras_contrastive.cli.measure import measure  # noqa: E402
from keras_contrastive.cli.recipe import Recipe  # noqa: E402
from keras_contrastive.cli.splits import load_splits  # noqa: E402
from keras_contrastive.data import Rows  # noqa: E402
from keras_contrastive.ops import as_unit_range  # noqa: E402
from keras_contrastive.presets import save_to_preset  # noqa: E402
from keras_contrastive.training import fused_batch_norm, prompt_epochs  # noqa: E402


class Classifier(keras.Model):
    """An encoder with a last layer, on one view of each image while it trains."""

    def __init__(self, encoder, augmentation, num_classes):
        super().__init__()
        self.encoder, self.augmentation = encoder, augmentation
        self.head = keras.layers.Dense(num_classes, dtype="float32")

    def call(self, images, training=False):
        images = as_unit_range(images)
        if training:
            images = self.augmentation(images)[0]
        return self.head(self.encoder(images, training=training))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    recipe = Recipe.load(args.recipe)
    settings = recipe.training
    splits = load_splits(recipe.data, settings.seed)
    train, test = splits.train, splits.test
    method = build(recipe, train.images.shape[1:], len(train))  # for its parts
    model = Classifier(method.encoder, method.augmentation, train.num_classes)
    model.compile(
        method.optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=settings.jit_compile,
    )
    knn = recipe.evaluation.k, recipe.evaluation.temperature
    before = measure(model.encoder, train, test, *knn)
    batches = Rows(
        (train.images, train.labels),
        batch_size=settings.batch_size,
        seed=settings.seed,
        drop_remainder=True,
    )
    started = time.perf_counter()
    with fused_batch_norm(), prompt_epochs():
        model.fit(batches, epochs=settings.epochs, shuffle=False, verbose=2)
    seconds = (time.perf_counter() - started) / settings.epochs
    predicted = model.predict(test.images, batch_size=settings.batch_size, verbose=0)
    results = {
        "accuracy": float(np.mean(predicted.argmax(axis=-1) == test.labels)),
        **measure(model.encoder, train, test, *knn),
        "before": before,
        "finished": True,
        "method": "cross-entropy",
        "encoder": recipe.encoder.name,
        "data": pathlib.Path(recipe.data.source).name,
        "epochs": settings.epochs,
        "seconds_per_epoch": round(seconds, 1),
        "peak_memory_mb": machine.peak_memory_mb(),
        "seed": settings.seed,
        "backend": keras.backend.backend(),
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        "num_classes": train.num_classes,
        "learns_from": "the labels of its images",
    }
    save_to_preset(model.encoder, args.folder, args.recipe.read_text("utf8"), results)
    record([results], args.json, ("method", "epochs", "seed", "hardware"))


if __name__ == "__main__":
    main()
