"""Sources that are arrays already: in memory, in an `.npz` file, or scikit-learn's digits."""

import itertools
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from keras_contrastive.data.images import as_size, decode
from keras_contrastive.data.source import Source

_CHUNK = 512  # images that are resized at once


def from_arrays(
    images: Any,
    labels: Any = None,
    class_names: Sequence[str] | np.ndarray | None = None,
    image_size: int | tuple[int, int] | None = None,
) -> Source:
    """Check arrays and make them a `Source`.

    Args:
        images: `(N, H, W, C)`, or `(N, H, W)` for gray images with a last axis of more than 4;
            uint8 in 0..255 or float in [0, 1].
        labels: `(N,)` or `(N, 1)` integers, or `None`.
        class_names: Name of each class, or `None`.
        image_size: One number or `(height, width)` to resize to (bicubic, antialiased).

    Returns:
        A `Source`.

    Raises:
        ValueError: On images or labels that `check_images` or `check_labels` refuses.

    Example:

    >>> from_arrays(np.zeros((2, 28, 28), "uint8"), image_size=14).images.shape
    (2, 14, 14, 1)
    """
    images = np.asarray(images)
    if images.ndim == 3 and images.shape[-1] > 4:
        images = images[..., None]
    if labels is not None:
        labels = np.asarray(labels)
        labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    names = None if class_names is None else tuple(str(name) for name in class_names)
    source = Source(images, labels, names)
    if image_size is None or images.shape[1:3] == as_size(image_size):
        return source
    return Source(_resize(images, as_size(image_size)), labels, names)


def from_npz(
    path: str | Path, image_size: int | tuple[int, int] | None = None, split: str = "train"
) -> Source:
    """Read images, and labels where there are any, from an `.npz` file.

    Keys: `images`, `x` or `x_<split>` for the images, `labels`, `y` or `y_<split>` for the labels,
    `class_names` or `classes` for the names. Instead of `images`, the file may hold encoded images
    (JPEG, PNG): `jpeg`, their bytes end to end, and `offsets`, where each begins and the last ends.

    Args:
        path: The file.
        image_size: One number or `(height, width)` to resize to. Default: as they are.
        split: Which images of a file with `x_train` and `x_test`.

    Returns:
        A `Source`.

    Raises:
        ValueError: On a damaged file or one without images.

    Example:

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/data.npz"
    >>> np.savez(path, x_train=np.zeros((4, 8, 8, 3), "uint8"), y_train=np.arange(4))
    >>> from_npz(path).labels.tolist()
    [0, 1, 2, 3]
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(
            f"Expected an .npz file of plain arrays. Received: {path}, which is damaged or holds "
            f"Python objects ({error}). Write it again with numpy.savez."
        ) from error
    labels = _first(arrays, "labels", "y", f"y_{split}")
    names = _first(arrays, "class_names", "classes")
    images: np.ndarray | None
    if "jpeg" in arrays and "offsets" in arrays:
        images = _unpack(arrays["jpeg"], arrays["offsets"], path)
    else:
        images = _first(arrays, "images", "x", f"x_{split}")
    if images is None:
        raise ValueError(
            f"Expected one of the keys images, x, x_{split} in {path}. "
            f"Received: keys {sorted(arrays)}."
        )
    return from_arrays(images, labels, names, image_size)


def digits(image_size: int | tuple[int, int] | None = None) -> Source:
    """Scikit-learn's 1,797 scanned digits: 8x8 pixels, one channel, float32 in [0, 1].

    Args:
        image_size: One number or `(height, width)` to resize to. Default: 8x8.

    Returns:
        A `Source` with labels and class names.

    Raises:
        ImportError: Without scikit-learn.

    Example:

    >>> digits().images.shape
    (1797, 8, 8, 1)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "The digits need scikit-learn: pip install 'keras-contrastive[eval]'."
        ) from error
    data = load_digits()
    images = (data.images / 16).astype("float32")[..., None]
    return from_arrays(images, data.target.astype("int32"), data.target_names, image_size)


def _first(arrays: dict[str, np.ndarray], *keys: str) -> np.ndarray | None:
    return next((arrays[key] for key in keys if key in arrays), None)


def _unpack(stream: np.ndarray, offsets: np.ndarray, path: str | Path) -> np.ndarray:
    """Decode images that lie end to end; threads help, since Pillow releases the lock."""
    if offsets.ndim != 1 or len(offsets) < 2 or offsets[-1] != len(stream):
        raise ValueError(
            f"Expected offsets in {path} to end at the length of jpeg, {len(stream)}. "
            f"Received: {offsets[-3:]}. The file may be damaged."
        )
    parts = [stream[a:b].tobytes() for a, b in itertools.pairwise(offsets)]
    with ThreadPoolExecutor() as pool:
        images = list(pool.map(decode, parts))
    if len({image.shape for image in images}) > 1:
        raise ValueError(
            f"Expected images of one size in {path}. Received: "
            f"{len({image.shape for image in images})} sizes. Write them as files into a folder, "
            f"which is read with an image_size."
        )
    return np.stack(images)


def _resize(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize in chunks, in float32, back to the images' own dtype and range."""
    top = 255.0 if images.dtype == np.uint8 else 1.0
    resized = np.empty((len(images), *size, images.shape[-1]), images.dtype)
    for start in range(0, len(images), _CHUNK):
        part = images[start : start + _CHUNK].astype("float32")
        part = ops.convert_to_numpy(
            ops.image.resize(
                part, size, interpolation="bicubic", antialias=True, data_format="channels_last"
            )
        )
        part = np.clip(part, 0.0, top)  # bicubic overshoots
        resized[start : start + _CHUNK] = np.rint(part) if top == 255.0 else part
    return resized
