"""The images of a recipe: those to train on, and those that only the last figures see."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_contrastive.cli.recipe import Data
from keras_contrastive.data import Source, load, train_holdout_split


@dataclass(frozen=True)
class Splits:
    """Training images and test images.

    Args:
        train: To pretrain on, and the labels that probes learn from.
        test: Seen once, for the figures at the end.
    """

    train: Source
    test: Source


def load_splits(data: Data, seed: int = 0) -> Splits:
    """Load what a recipe's `data` names.

    Args:
        data: The section of the recipe.
        seed: Draws the test images where there is no test source.

    Returns:
        The two parts; without labels, and with a warning, where no two training images share one.

    Raises:
        ValueError: On a source that cannot be read, or two that do not fit together.

    Example:

    >>> splits = load_splits(Data(source="digits", test_fraction=0.25))
    >>> len(splits.train) + len(splits.test)
    1797
    """
    train = load_source(data.source, data.image_size, data.split)
    if data.test is None:
        rows = train.labels if repeat(train.labels) else len(train)
        kept, held = train_holdout_split(rows, data.test_fraction, seed)
        return _without_single(Splits(train.subset(kept), train.subset(held)))
    test = load_source(data.test, data.image_size, data.test_split)
    if train.images.shape[1:] != test.images.shape[1:]:
        raise ValueError(
            f"Expected training and test images of one shape. Received: "
            f"{train.images.shape[1:]} and {test.images.shape[1:]}. Set data.image_size."
        )
    if train.class_names and test.class_names and train.class_names != test.class_names:
        raise ValueError(
            f"Expected the same classes in training and test data. Received: "
            f"{train.class_names} and {test.class_names}."
        )
    return _without_single(Splits(train, test))


def _without_single(splits: Splits) -> Splits:
    """Without labels where no two training images share one: nothing can be learned from them."""
    labels = splits.train.labels
    if labels is None or repeat(labels):
        return splits
    warnings.warn(
        f"Expected a class with several training images. Received: one in each of {len(labels)} "
        "classes. They are taken for images without labels. Add some to the classes where labels "
        "are to count.",
        stacklevel=3,
    )
    return Splits(Source(splits.train.images), Source(splits.test.images))


def load_source(source: Any, image_size: int | None = None, split: str | None = None) -> Source:
    """Load one source into memory."""
    options = {} if split is None else {"split": split}
    loaded = load(source, image_size, **options)
    return loaded if isinstance(loaded, Source) else loaded.in_memory()


def repeat(labels: np.ndarray | None) -> bool:
    """Whether there is a class with two images or more."""
    return labels is not None and len(np.unique(labels)) < len(labels)
