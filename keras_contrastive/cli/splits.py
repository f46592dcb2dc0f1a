"""The images of a recipe: those to train on, and those that only the last figures see."""

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
        The two parts.

    Raises:
        ValueError: On a source that cannot be read, or two that do not fit together.

    Example:

    >>> splits = load_splits(Data(source="digits", test_fraction=0.25))
    >>> len(splits.train) + len(splits.test)
    1797
    """
    train = load_source(data.source, data.image_size, data.split)
    if data.test is None:
        rows = len(train) if train.labels is None else train.labels
        kept, held = train_holdout_split(rows, data.test_fraction, seed)
        return Splits(train.subset(kept), train.subset(held))
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
    return Splits(train, test)


def load_source(source: Any, image_size: int | None = None, split: str | None = None) -> Source:
    """Load one source into memory."""
    options = {} if split is None else {"split": split}
    loaded = load(source, image_size, **options)
    return loaded if isinstance(loaded, Source) else loaded.in_memory()


def repeat(labels: np.ndarray) -> bool:
    """Whether a class has two images or more."""
    return len(np.unique(labels)) < len(labels)
