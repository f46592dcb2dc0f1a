"""Features of images under a frozen encoder."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.evaluation.checks import check_features, check_positive
from keras_contrastive.ops.images import as_unit_range
from keras_contrastive.ops.similarity import Tensor


def embed(encoder: keras.Model, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Features of images, in inference mode, a batch at a time.

    Args:
        encoder: A Keras model that maps float images in 0 to 1 to features `(N, D)`. Also a method
            of this package, whose encoder gives the features.
        images: uint8 in 0 to 255 or floats in 0 to 1, of shape `(N, height, width, channels)` or
            whatever else the encoder takes. A memory-mapped array is read a batch at a time.
        batch_size: Images in one forward pass, positive. Default 256.

    Returns:
        A float32 array of shape `(N, D)`.

    Raises:
        ValueError: On something that is not a Keras model, an empty array, a dtype other than uint8
            or float, floats outside 0 to 1, images whose rank the encoder does not take, feature
            maps instead of vectors, or features that are not finite.

    Example:

    >>> import keras, numpy as np
    >>> encoder = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.GlobalAveragePooling2D()])
    >>> embed(encoder, np.full((2, 4, 4, 3), 255, "uint8")).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    encoder = encoder_of(encoder)
    check_positive(batch_size, "batch_size")
    _check_rank(encoder, images)
    batches = [
        _predict(encoder, images[start : start + batch_size])
        for start in range(0, len(images), batch_size)
    ]
    if not isinstance(batches[0], np.ndarray) or batches[0].ndim != 2:
        shape = getattr(batches[0], "shape", type(batches[0]).__name__)
        raise ValueError(
            f"Expected the encoder to give one vector for each image, shape (N, D). Received: "
            f"{shape}. Pool maps and pick an output with `keras_contrastive.encoders.as_encoder`."
        )
    return check_features(np.concatenate(batches), "features from the encoder")


def encoder_of(model: keras.Model) -> keras.Model:
    """The part of a model that gives features: its `encoder`, or else the model itself."""
    encoder = getattr(model, "encoder", model)
    if not isinstance(encoder, keras.Model):
        raise ValueError(
            f"Expected a keras.Model. Received: {type(encoder).__name__}. "
            "Wrap a layer or function in a `keras.Model` or `keras.Sequential`."
        )
    return encoder


def _check_rank(encoder: keras.Model, images: np.ndarray) -> None:
    """Raises unless there are images, of the rank that the encoder takes (where it says so)."""
    shape = np.shape(images)
    try:
        expected = encoder.input_shape
    except (AttributeError, ValueError):  # subclassed, or a Sequential that is not built
        expected = None
    known = isinstance(expected, tuple) and all(d is None or isinstance(d, int) for d in expected)
    if len(shape) < 2 or 0 in shape or (known and len(shape) != len(expected)):
        wanted = f"shape {expected}" if known else "shape (N, ...), N at least 1"
        raise ValueError(
            f"Expected images of {wanted}. Received: shape {shape}. A single image needs a "
            "leading axis, `images[None]`; grey images a last one, `images[..., None]`."
        )


def _predict(encoder: keras.Model, batch: np.ndarray) -> Any:
    # In a strategy of TensorFlow every device gets the whole batch, and their outputs are joined.
    outputs = encoder.predict_on_batch(_as_float(batch))
    return outputs[: len(batch)] if isinstance(outputs, np.ndarray) else outputs


def _as_float(batch: np.ndarray) -> Tensor:
    """A batch as a float32 tensor in 0 to 1."""
    return ops.cast(as_unit_range(np.asarray(batch)), "float32")
