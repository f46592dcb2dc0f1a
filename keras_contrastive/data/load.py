"""One door to all sources."""

from pathlib import Path
from typing import Any

from keras_contrastive.data.arrays import digits, from_arrays, from_npz
from keras_contrastive.data.folder import ImageFolder
from keras_contrastive.data.source import Source
from keras_contrastive.data.tfds import from_tfds


def load(
    source: Any, image_size: int | tuple[int, int] | None = None, **options: Any
) -> Source | ImageFolder:
    """Load images from wherever they are.

    | source | result | options of |
    | --- | --- | --- |
    | an array, or a pair of images and labels | `Source` | `from_arrays` |
    | `"file.npz"` | `Source` | `from_npz` |
    | a folder of images | `ImageFolder`, which decodes while the model trains | `ImageFolder` |
    | `"digits"` | `Source`: scikit-learn's digits | `digits` |
    | `"tfds:cifar10"`, or `"cifar10"` where no file is called so | `Source` | `from_tfds` |

    Args:
        source: See the table. Paths are strings or `pathlib.Path`.
        image_size: One number or `(height, width)` to resize to. Default: as they are.
        **options: See the table.

    Returns:
        A `Source`, whose `images` (and `labels`) `fit` takes, or an `ImageFolder`, which `fit`
        takes as it is.

    Raises:
        ValueError: On a source that is none of these, or whose images do not pass the checks.

    Example:

    >>> source = load("digits")
    >>> source.images.shape, source.labels.shape, source.num_classes
    ((1797, 8, 8, 1), (1797,), 10)
    """
    if isinstance(source, Source):
        return from_arrays(source.images, source.labels, source.class_names, image_size, **options)
    if isinstance(source, (tuple, list)) and len(source) == 2:
        images, labels = source
        return from_arrays(images, labels, image_size=image_size, **options)
    if not isinstance(source, (str, Path)):
        if not hasattr(source, "shape"):
            raise ValueError(
                f"Expected an array, a pair of images and labels, an .npz file, a folder, "
                f"'digits' or a name of TensorFlow Datasets. Received: {type(source).__name__}."
            )
        return from_arrays(source, image_size=image_size, **options)
    path = Path(source)
    if path.is_dir():
        return ImageFolder(path, image_size, **options)
    if path.suffix == ".npz":
        if not path.is_file():
            raise ValueError(f"Expected an .npz file. Received: {path}, which does not exist.")
        return from_npz(path, image_size, **options)
    if path.is_file():
        raise ValueError(f"Expected an .npz file or a folder. Received: the file {path}.")
    if source == "digits":
        return digits(image_size, **options)
    name = str(source)
    if not name.startswith("tfds:") and (name.startswith((".", "/", "~")) or name.endswith("/")):
        raise ValueError(f"Expected a folder. Received: {name}, which does not exist.")
    return from_tfds(name.removeprefix("tfds:"), image_size, **options)
