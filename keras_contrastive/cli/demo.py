"""The whole way once, on scikit-learn's digits: pretrain, measure, fine-tune, load, report."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from keras_contrastive.cli.evaluate import few_labels
from keras_contrastive.cli.measure import measure_pixels
from keras_contrastive.cli.overrides import override
from keras_contrastive.cli.pretrain import pretrain
from keras_contrastive.cli.recipe import Recipe
from keras_contrastive.cli.report import write_report
from keras_contrastive.cli.run_folder import RunFolder
from keras_contrastive.cli.splits import load_splits
from keras_contrastive.cli.tables import labels_table, results_table
from keras_contrastive.evaluation import embed
from keras_contrastive.presets import from_preset, save_to_preset

# Digits keep their class when shifted, slanted, blurred or noisy, but not in a mirror. The views
# were chosen by the kNN accuracy of held-out training images.
RECIPE: dict[str, Any] = {
    "method": {"name": "simclr", "loss": {"name": "NTXent", "temperature": 0.2}},
    "encoder": {"name": "small_resnet", "widths": [32, 64, 128]},
    "augmentation": {
        "name": "views",
        "layers": [
            {
                "name": "RandomAffine",
                "degrees": 15,
                "translate": [0.1, 0.1],
                "scale": [0.85, 1.15],
                "shear": 10,
            },
            {"name": "ColorJitter", "brightness": 0.4, "contrast": 0.4, "saturation": 0, "hue": 0},
            {"name": "GaussianBlur", "kernel_size": 3},
            {"name": "GaussianNoise"},
        ],
    },
    "data": {"source": "digits", "image_size": 16, "test_fraction": 0.25},
    "optimizer": {
        "name": "adamw",
        "learning_rate": 2e-3,
        "warmup_epochs": 5,
        "weight_decay": 1e-4,
    },
    "training": {"epochs": 80, "batch_size": 256},
    "evaluation": {"every": 5, "k": 20, "queries": 250},
}

# For --smoke: shows that everything runs, teaches the encoder nothing.
SMOKE = {
    "training.epochs": 1,
    "training.batch_size": 512,
    "optimizer.warmup_epochs": 0,
    "encoder.widths": [8, 16],
    "data.test_fraction": 0.1,
}

_FRACTIONS = (0.01, 0.1)
_FINE_TUNING_EPOCHS = 60

# Run in a process of its own: Keras alone reads the encoder.
_PLAIN_KERAS = """
import sys, keras, numpy
model = keras.saving.load_model(sys.argv[1])
numpy.save(sys.argv[3], model.predict(numpy.load(sys.argv[2]), verbose=0))
assert not any(name.startswith("keras_contrastive") for name in sys.modules)
"""


def demo(folder: Path, console: Console, smoke: bool = False) -> dict[str, Any]:
    """Run the demo into `folder`, replacing an earlier one there.

    Args:
        folder: The folder of the run.
        console: Where to write.
        smoke: Run everything in seconds, with figures that mean nothing.

    Returns:
        The contents of `results.json`.
    """
    started = time.perf_counter()
    recipe = Recipe.parse(RECIPE)
    recipe = override(recipe, SMOKE) if smoke else recipe
    console.rule("1 · pretrain on digits, without labels")
    results = pretrain(recipe, folder, resume=False, console=console)
    splits, knn = load_splits(recipe.data, recipe.training.seed), recipe.evaluation
    pixels = measure_pixels(splits.train, splits.test, knn.k, knn.temperature)
    results = {**results, "pixels": pixels}
    console.print(results_table(results))

    console.rule("2 · fine-tune on few labels")
    encoder = from_preset(folder)
    fractions, epochs = (_FRACTIONS[:1], 1) if smoke else (_FRACTIONS, _FINE_TUNING_EPOCHS)
    labels = [few_labels(encoder, splits, fraction, epochs) for fraction in fractions]
    console.print(labels_table(labels))
    results = {**results, "labels": labels}
    results = save_to_preset(
        encoder, folder, RunFolder(folder).recipe.read_text("utf8"), results
    ).results

    console.rule("3 · load in a fresh process, in plain Keras")
    difference = _plain_keras_difference(folder, splits.test.images[:64])
    console.print(f"largest difference of the features: {difference:.1e}")

    console.rule("4 · report")
    report = write_report(folder)
    seconds = time.perf_counter() - started
    console.print(
        f"done in {seconds:.0f} s\n"
        f"open  {report}\n"
        f"use   keras.saving.load_model('{RunFolder(folder).encoder}')\n"
        f"next  keras-contrastive pretrain --data FOLDER_OF_IMAGES --image-size 64",
        highlight=False,
    )
    return results


def _plain_keras_difference(folder: Path, images: np.ndarray) -> float:
    """How far the features are off that Keras alone computes in a new process."""
    inputs, outputs = folder / "inputs.npy", folder / "outputs.npy"
    np.save(inputs, images)
    try:
        subprocess.run(
            [sys.executable, "-c", _PLAIN_KERAS, RunFolder(folder).encoder, inputs, outputs],
            check=True,
            capture_output=True,
            text=True,
        )
        return float(np.abs(np.load(outputs) - embed(from_preset(folder), images)).max())
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"Keras alone could not read the encoder: {error.stderr}") from error
    finally:
        inputs.unlink()
        outputs.unlink(missing_ok=True)
