"""The batches that a recipe trains on."""

from keras_contrastive.cli.recipe import Recipe
from keras_contrastive.data import Batches, ClassBatches, Source, indexed, with_positives


def training_batches(recipe: Recipe, train: Source, labelled: bool) -> Batches:
    """Make the batches of a run, in an order that follows from `recipe.training.seed`.

    Args:
        recipe: The recipe.
        train: The images to train on.
        labelled: Whether the method needs labels.

    Returns:
        Batches of images with their indices, of images with another positive of each
        (`data.positives`), or of some classes (`training.classes_per_batch`).

    Raises:
        ValueError: On a bank or on labels that do not do.

    Example:

    >>> import numpy as np
    >>> source = Source(np.zeros((8, 4, 4, 3), "uint8"), np.arange(8) % 2)
    >>> recipe = Recipe.parse({"training": {"batch_size": 4, "classes_per_batch": 2}})
    >>> images, labels = training_batches(recipe, source, labelled=True)[0]
    >>> labels.tolist()
    [0, 0, 1, 1]
    """
    settings = recipe.training
    if settings.classes_per_batch is not None:
        samples_per_class = settings.batch_size // settings.classes_per_batch
        return ClassBatches(
            train.images,
            train.labels,
            settings.classes_per_batch,
            samples_per_class,
            seed=settings.seed,
        )
    labels = train.labels if labelled else None
    options = {"batch_size": settings.batch_size, "seed": settings.seed, "drop_remainder": True}
    if recipe.data.positives is not None:
        return with_positives(train.images, recipe.data.positives, labels, threads=1, **options)
    return indexed(train.images, labels, **options)
