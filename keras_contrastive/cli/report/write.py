"""From the folder of a run to its report."""

from pathlib import Path

import keras
import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.cli.build import build_encoder, build_views
from keras_contrastive.cli.history import read_history
from keras_contrastive.cli.recipe import Recipe
from keras_contrastive.cli.report.curves import curves_section
from keras_contrastive.cli.report.map import map_section
from keras_contrastive.cli.report.neighbours import neighbours_section
from keras_contrastive.cli.report.page import page
from keras_contrastive.cli.report.tables import (
    labels_section,
    results_section,
    settings_section,
    summary,
)
from keras_contrastive.cli.report.views import views_section
from keras_contrastive.cli.run_folder import RunFolder
from keras_contrastive.cli.splits import load_splits
from keras_contrastive.presets import from_preset

# Most points on the map, and most images that neighbours are looked for among.
_MOST_POINTS, _MOST_IMAGES = 1000, 5000


def write_report(folder: str | Path) -> Path:
    """Write `report.html` into the folder of a run.

    It shows results before and after, training curves, a map of the representation, nearest
    neighbours, augmented views and the settings. The images are read again from the recipe's data.

    Args:
        folder: A folder that `pretrain` wrote.

    Returns:
        The path of the page.

    Raises:
        ValueError: On a folder without a finished or stopped run.
        ImportError: Without matplotlib or scikit-learn.
    """
    run = RunFolder(Path(folder))
    if not run.recipe.exists() or not run.results.exists():
        raise ValueError(
            f"Expected the folder of a run, with recipe.yaml and results.json. Received: {folder}. "
            f"Run `keras-contrastive pretrain --run {folder}` to its end first."
        )
    recipe, results = Recipe.load(run.recipe), run.read_results()
    splits = load_splits(recipe.data, recipe.training.seed)
    keras.utils.set_random_seed(recipe.training.seed)  # the same page from the same run
    shown = splits.test.subset(_some(len(splits.test), _MOST_POINTS))
    bank = splits.train.subset(_some(len(splits.train), _MOST_IMAGES))
    shape = splits.train.images.shape[1:]
    encoder = from_preset(run.path)
    untrained, trained = (
        evaluation.embed(model, shown.images) for model in (build_encoder(recipe, shape), encoder)
    )
    sections = [
        results_section(results),
        labels_section(results),
        curves_section(read_history(run.history)),
        map_section(untrained, trained, shown),
        neighbours_section(evaluation.embed(encoder, bank.images), bank, trained, shown),
        views_section(build_views(recipe.augmentation, shape), bank.images),
        settings_section(run.recipe.read_text("utf8"), results),
    ]
    title = f"{results['method']} · {results['encoder']} · {results['data']}"
    run.report.write_text(page(title, summary(results), sections), encoding="utf8")
    return run.report


def _some(rows: int, most: int) -> np.ndarray:
    return np.sort(np.random.default_rng(0).permutation(rows)[:most])
