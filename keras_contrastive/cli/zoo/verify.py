"""Does a card tell the truth: its kNN accuracy, computed again from the weights."""

from dataclasses import dataclass

from keras_contrastive import evaluation
from keras_contrastive.cli.recipe import Data, Recipe
from keras_contrastive.cli.splits import load_splits
from keras_contrastive.presets import Preset, from_preset
from keras_contrastive.presets.folder import RECIPE

# Backends round differently, which turns a few close votes.
TOLERANCE = 0.002


@dataclass(frozen=True)
class Verdict:
    """A figure of a card beside the same figure computed now.

    Args:
        name: Name of the preset.
        card: What its card says.
        measured: What the weights give.
    """

    name: str
    card: float
    measured: float

    @property
    def agrees(self) -> bool:
        """Whether they are the same, but for rounding."""
        return abs(self.card - self.measured) <= TOLERANCE


def verify(preset: Preset, data: Data | None = None) -> Verdict:
    """Compute the kNN accuracy of a preset again.

    Args:
        preset: A preset with a `knn`, whose weights must have their sha256.
        data: Training and test images. Default: those of its recipe.

    Returns:
        A `Verdict`.

    Raises:
        ValueError: On a preset without figures to compare, damaged weights, or other images than
            those that it was measured on.
    """
    results = preset.results
    if "knn" not in results or not (preset.folder / RECIPE).exists():
        raise ValueError(
            f"Expected a preset with recipe.yaml and a kNN accuracy. Received: {preset.folder}, "
            "without. `keras-contrastive zoo add` makes one from a run."
        )
    recipe = Recipe.load(preset.folder / RECIPE)
    encoder = from_preset(preset.folder)
    try:
        splits = load_splits(data or recipe.data, recipe.training.seed)
    except (ValueError, ImportError) as error:
        if data is not None:
            raise
        raise ValueError(f"{error} The images are its recipe's: name yours with --data.") from error
    sizes = {"num_train": len(splits.train), "num_test": len(splits.test)}
    if any(results.get(name, number) != number for name, number in sizes.items()):
        raise ValueError(
            f"Expected the {results['num_train']:,} training and {results['num_test']:,} test "
            f"images that {preset.name} was measured on. Received: {sizes['num_train']:,} and "
            f"{sizes['num_test']:,}. Give others with --data and --test."
        )
    if splits.train.labels is None or splits.test.labels is None:
        raise ValueError("Expected labels of training and test images. Received: none.")
    protocol = results.get("protocol", {})
    measured = evaluation.knn_accuracy(
        evaluation.embed(encoder, splits.train.images),
        splits.train.labels,
        evaluation.embed(encoder, splits.test.images),
        splits.test.labels,
        k=protocol.get("k", recipe.evaluation.k),
        temperature=protocol.get("temperature", recipe.evaluation.temperature),
    )
    return Verdict(preset.name, results["knn"], measured)
