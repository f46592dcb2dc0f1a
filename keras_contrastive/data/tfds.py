"""Data sets of TensorFlow Datasets, by name."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_contrastive.data.arrays import from_arrays
from keras_contrastive.data.images import as_size, resize
from keras_contrastive.data.source import Source


def from_tfds(
    name: str,
    image_size: int | tuple[int, int] | None = None,
    split: str = "train",
    data_dir: str | Path | None = None,
    download: bool = True,
) -> Source:
    """Read a data set of TensorFlow Datasets into memory.

    For sets that do not fit into memory give `fit` the `tf.data` data set of `tfds.load` itself.

    Args:
        name: Its name there, such as `"cifar10"` or `"imagenette/160px"`.
        image_size: One number or `(height, width)` to resize to, with the middle cropped where
            the proportions differ. Default: as they are, all of one size.
        split: Its split, such as `"train"`, `"test"` or `"train[:10%]"`.
        data_dir: Where the data sets are stored. Default: as `tfds.load` has it.
        download: Whether to download what is not stored yet.

    Returns:
        A `Source`, with labels where the data set has integer labels under `label`.

    Raises:
        ImportError: Without tensorflow-datasets or TensorFlow.
        ValueError: On an unknown name, a data set without images, or images of mixed sizes
            without an image_size.
    """
    tfds = _import_tfds()
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise ValueError(
            f"Expected the name of a data set of TensorFlow Datasets. Received: {name!r}. "
            f"See https://www.tensorflow.org/datasets/catalog."
        ) from error
    return read_builder(builder, image_size, split, download)


def read_builder(
    builder: Any,
    image_size: int | tuple[int, int] | None = None,
    split: str = "train",
    download: bool = False,
) -> Source:
    """Read a builder's split, also that of a local `tfds.ImageFolder(folder)`.

    Args:
        builder: A `tfds.core.DatasetBuilder`.
        image_size: As for `from_tfds`.
        split: As for `from_tfds`.
        download: Whether to download what is not stored yet.

    Returns:
        A `Source`.

    Raises:
        ValueError: As `from_tfds`.
    """
    tfds = _import_tfds()
    features = builder.info.features
    if "image" not in features:
        raise ValueError(
            f"Expected a data set with the feature image. "
            f"Received: {builder.name!r} with {sorted(features)}."
        )
    if download:
        builder.download_and_prepare()
    labelled = "label" in features and isinstance(features["label"], tfds.features.ClassLabel)
    size = None if image_size is None else as_size(image_size)
    images, labels = [], []
    for example in tfds.as_numpy(builder.as_dataset(split=split)):
        images.append(resize(example["image"], size))
        if labelled:
            labels.append(example["label"])
    if len({image.shape for image in images}) > 1:
        raise ValueError(
            f"Expected images of one size, or an image_size to resize them to. "
            f"Received: images of different sizes in {builder.name!r}."
        )
    if not images:
        raise ValueError(f"Expected images. Received: none in split {split!r}.")
    return from_arrays(
        np.stack(images),
        np.array(labels, "int32") if labelled else None,
        features["label"].names if labelled else None,
    )


def _import_tfds() -> Any:
    try:
        import tensorflow  # noqa: F401
        import tensorflow_datasets
    except ImportError as error:
        raise ImportError(
            "Data sets by name need tensorflow-datasets and TensorFlow: "
            "pip install 'keras-contrastive[data,tensorflow]'."
        ) from error
    return tensorflow_datasets
