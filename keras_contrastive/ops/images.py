"""Images as float32 in [0, 1], whatever they came as."""

import numpy as np
from keras import backend, ops


def as_unit_range(images):  # noqa: ANN001, ANN201 (any tensor of the backend)
    """Returns images as float32 in [0, 1]: uint8 is divided by 255, floats are taken as they are.

    Args:
        images: uint8 in 0..255, or float in [0, 1]; any shape.

    Returns:
        A float32 tensor of the same shape.

    Raises:
        ValueError: for other data types, and for NumPy floats outside [0, 1].

    Example:

    >>> import numpy as np
    >>> float(as_unit_range(np.full((1, 1, 3), 51, "uint8"))[0, 0, 0])
    0.2...
    """
    dtype = backend.standardize_dtype(images.dtype)
    if dtype == "uint8":
        return ops.cast(images, "float32") / 255
    if "float" not in dtype:
        raise ValueError(
            f"Expected images as uint8 in 0..255 or float in [0, 1]. Received: dtype={dtype}. "
            "Cast them, e.g. `images.astype('uint8')`."
        )
    check_unit_range(images)
    return ops.cast(images, "float32")


def check_unit_range(images) -> None:  # noqa: ANN001
    """Raises a ValueError for a NumPy array of floats outside [0, 1]; tensors are not inspected."""
    if isinstance(images, np.ndarray) and images.dtype.kind == "f" and images.size:
        low, high = images.min(), images.max()
        if low < 0 or high > 1:
            raise ValueError(
                f"Expected float images in [0, 1]. Received: values from {low:g} to {high:g}. "
                "Pass uint8 images as they are, or divide by 255."
            )
