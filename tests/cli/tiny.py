"""A recipe that runs in seconds, and data for it."""

import numpy as np

from keras_contrastive.cli.recipe import Recipe


def recipe(source, **training):
    return Recipe.parse(
        {
            "method": "simclr",
            "encoder": {"name": "small_resnet", "widths": [4, 8]},
            "augmentation": {
                "name": "views",
                "layers": [{"name": "RandomResizedCrop", "size": 8, "scale": [0.5, 1.0]}],
            },
            "data": {"source": str(source), "test_fraction": 0.25},
            "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
            "training": {"epochs": 3, "batch_size": 16, **training},
            "evaluation": {"k": 5, "queries": 10},
        }
    )


def write_images(path, num=64):
    """Images of 8x8 with a bright half, left, right, top or bottom, which is the class."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 100, (num, 8, 8, 3), "uint8"), np.arange(num) % 4
    for image, label in zip(images, labels):
        half = slice(0, 4) if label % 2 else slice(4, 8)
        image[(half, slice(None)) if label < 2 else (slice(None), half)] += 120
    np.savez(path, images=images, labels=labels)
    return path
