"""Checks of images and labels before they cost hours of training."""

from typing import Any

import keras
import numpy as np
from keras import ops

# Resampling overshoots by a little; anything beyond is another scale.
_TOLERANCE = 0.01


def check_images(images: Any) -> None:
    """Refuse arrays that are not images in 0..255 (uint8) or in [0, 1] (float).

    Args:
        images: Array or tensor `(N, H, W, C)` (channels first where
            `keras.config.image_data_format()` says so).

    Raises:
        ValueError: On another rank, an empty array, another dtype, values outside [0, 1], NaN or
            infinity.

    Example:

    >>> check_images(np.zeros((2, 8, 8, 3), "uint8"))
    >>> check_images(np.full((2, 8, 8, 3), 255.0))
    Traceback (most recent call last):
    ValueError: Expected float images in [0, 1]. Received: values from 255 to 255. Divide ...
    """
    shape = tuple(images.shape)
    if len(shape) != 4:
        hint = {
            2: "Make a batch of it: images[None, :, :, None].",
            3: "Add the missing axis: images[None] for one image, images[..., None] for gray ones.",
        }.get(len(shape), "")
        raise ValueError(
            f"Expected images of shape (N, H, W, C). Received: shape {shape}. {hint}".rstrip()
        )
    if 0 in shape:
        raise ValueError(f"Expected at least one image. Received: shape {shape}.")
    dtype = _dtype(images)
    if dtype == "uint8":
        return
    if "float" not in dtype:
        raise ValueError(
            f"Expected images of dtype uint8 (0..255) or float ([0, 1]). Received: dtype {dtype}. "
            f"Convert them: images.astype('uint8'), if they are in 0..255."
        )
    images = _numpy(images)
    low, high = float(images.min()), float(images.max())  # NaN and infinity show in either
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            f"Expected finite images. Received: {_count_bad(images)} of {shape[0]} images with "
            f"NaN or infinity. Remove or repair them."
        )
    if low < -_TOLERANCE:
        raise ValueError(
            f"Expected float images in [0, 1]. Received: values from {low:g} to {high:g}. "
            f"Give images before any standardisation: encoders normalise inside."
        )
    if high > 1 + _TOLERANCE:
        raise ValueError(
            f"Expected float images in [0, 1]. Received: values from {low:g} to {high:g}. "
            f"Divide by the largest possible value (255 for 8-bit images), or pass uint8."
        )


def check_labels(
    labels: Any, num_classes: int | None = None, num_images: int | None = None
) -> None:
    """Refuse arrays that are not one class number an image.

    Args:
        labels: Array or tensor `(N,)` of integers in `0..num_classes - 1`.
        num_classes: Number of classes. Default `None`: not checked.
        num_images: Number of images that the labels belong to. Default `None`: not checked.

    Raises:
        ValueError: On missing labels, another shape, dtype or length, or a label out of range.

    Example:

    >>> check_labels(np.array([0, 2, 1]), num_classes=3)
    >>> check_labels(np.array([0, 3, 1]), num_classes=3)
    Traceback (most recent call last):
    ValueError: Expected labels in 0..2 (num_classes=3). Received: labels from 0 to 3.
    """
    if labels is None:
        raise ValueError(
            "Expected labels, an integer array of shape (N,). Received: None. "
            "Give one class number an image."
        )
    shape = tuple(labels.shape)
    if len(shape) != 1:
        hint = (
            "Flatten them: labels.reshape(-1)."
            if len(shape) == 2 and shape[1] == 1
            else "From one-hot labels take labels.argmax(-1)."
        )
        raise ValueError(f"Expected labels of shape (N,). Received: shape {shape}. {hint}")
    if shape[0] == 0:
        raise ValueError(f"Expected at least one label. Received: shape {shape}.")
    if "int" not in _dtype(labels):
        raise ValueError(
            f"Expected integer labels. Received: dtype {_dtype(labels)}. "
            f"Convert them: labels.astype('int32')."
        )
    if num_images is not None and shape[0] != num_images:
        raise ValueError(
            f"Expected one label an image ({num_images}). Received: {shape[0]} labels."
        )
    labels = _numpy(labels)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (num_classes is not None and high >= num_classes):
        expected = (
            "of at least 0"
            if num_classes is None
            else f"in 0..{num_classes - 1} (num_classes={num_classes})"
        )
        raise ValueError(f"Expected labels {expected}. Received: labels from {low} to {high}.")


def _dtype(array: Any) -> str:
    return str(array.dtype) if isinstance(array, np.ndarray) else _tensor_dtype(array)


def _tensor_dtype(tensor: Any) -> str:
    return keras.backend.standardize_dtype(tensor.dtype)


def _numpy(array: Any) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else ops.convert_to_numpy(array)


def _count_bad(images: np.ndarray) -> int:
    return sum(not np.isfinite(image).all() for image in images)
