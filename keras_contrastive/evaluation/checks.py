"""What every evaluation asks of its features and labels."""

import numpy as np
from keras import ops
from numpy.typing import ArrayLike


def check_features(features: ArrayLike, name: str = "features") -> np.ndarray:
    """Returns features as a float32 array `(N, D)`, or raises if they are not finite numbers."""
    features = _to_numpy(features)
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(
            f"Expected {name} of shape (N, D) with at least one row and one column. "
            f"Received: shape {features.shape}. Get them from images with `embed`."
        )
    features = features.astype("float32", copy=False)
    broken = np.count_nonzero(~np.isfinite(features).all(axis=1))
    if broken:
        raise ValueError(
            f"Expected finite {name}. Received: NaN or infinity in {broken} of "
            f"{len(features)} rows. Check the encoder's weights and its inputs."
        )
    return features


def check_labels(
    labels: ArrayLike, length: int, name: str = "labels", num_classes: int | None = None
) -> np.ndarray:
    """Returns labels as an int64 array `(N,)`, or raises if they are not N class indices."""
    labels = _to_numpy(labels)
    if labels.shape != (length,):
        raise ValueError(
            f"Expected {name} of shape ({length},), one for each row of features. "
            f"Received: shape {labels.shape}."
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"Expected {name} to be integer class indices. Received: dtype {labels.dtype}. "
            "Map class names to 0, 1, ... first, and one-hot rows by `argmax(axis=1)`."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (num_classes is not None and high >= num_classes):
        allowed = "0 or more" if num_classes is None else f"0 to {num_classes - 1}"
        raise ValueError(f"Expected {name} to be {allowed}. Received: labels from {low} to {high}.")
    return labels.astype("int64")


def check_same_width(first: np.ndarray, second: np.ndarray, names: str) -> None:
    """Raises unless two feature arrays have the same number of columns."""
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"Expected {names} of the same dimension, from the same encoder. "
            f"Received: {first.shape[1]} and {second.shape[1]}."
        )


def check_positive(value: float, name: str) -> None:
    """Raises unless the value is a positive number."""
    if not value > 0:
        raise ValueError(f"Expected `{name}` to be positive. Received: {name}={value}.")


def check_fraction(value: float, name: str) -> None:
    """Raises unless the value lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"Expected `{name}` between 0 and 1. Received: {name}={value}.")


def _to_numpy(values: ArrayLike) -> np.ndarray:
    """Arrays as they are, tensors of any device and lists as arrays."""
    return values if isinstance(values, np.ndarray) else np.asarray(ops.convert_to_numpy(values))
