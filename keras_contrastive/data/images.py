"""Decoding and resizing of single images with Pillow."""

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np

EXTENSIONS = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)


def pillow() -> Any:
    """Return `PIL.Image`, or say how to install it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Decoding images needs Pillow: pip install 'keras-contrastive[data]'."
        ) from error
    return Image


def as_size(image_size: int | tuple[int, int]) -> tuple[int, int]:
    """Return `(height, width)` of a size that may be one number."""
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(size) != 2 or min(size) < 1:
        raise ValueError(
            f"Expected image_size to be a positive integer or (height, width). "
            f"Received: image_size={image_size}."
        )
    return size


def decode(
    file: Path | bytes,
    image_size: tuple[int, int] | None = None,
    channels: int = 3,
    crop_to_aspect_ratio: bool = True,
) -> np.ndarray:
    """Decode one image file (or its bytes) to uint8 `(H, W, channels)`, turned as its EXIF says."""
    Image = pillow()
    from PIL import ImageOps

    with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
        if image_size is not None:
            side = 2 * max(image_size)
            image.draft(None, (side, side))  # JPEG decodes at a fraction of its size, much faster
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):  # Pillow would clip 16 bits at 255 instead of scaling
            image = Image.fromarray((np.asarray(image) >> 8).astype("uint8"))
        image = image.convert("L" if channels == 1 else "RGB")
        return resize(image, image_size, crop_to_aspect_ratio)


def read_image(
    path: Path, image_size: tuple[int, int] | None, channels: int, crop_to_aspect_ratio: bool
) -> np.ndarray:
    """Decode an image of a data set, channels first where Keras is set so.

    Raises:
        ValueError: On a file that is no readable image.
    """
    try:
        image = decode(path, image_size, channels, crop_to_aspect_ratio)
    except Exception as error:  # whatever a damaged file makes Pillow raise
        raise ValueError(
            f"Expected a readable image. Received: {path} ({error}). Remove it; a folder's are "
            f"left out with verify=True."
        ) from error
    first = keras.config.image_data_format() == "channels_first"
    return np.moveaxis(image, -1, 0) if first else image


def resize(
    image: Any, image_size: tuple[int, int] | None, crop_to_aspect_ratio: bool = True
) -> np.ndarray:
    """Resize a Pillow image (or uint8 array) to uint8 `(*image_size, C)`, bicubic, antialiased."""
    Image = pillow()
    from PIL import ImageOps

    if isinstance(image, np.ndarray):
        image = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if image_size is not None and image.size != image_size[::-1]:
        method = Image.Resampling.BICUBIC
        if crop_to_aspect_ratio:
            image = ImageOps.fit(image, image_size[::-1], method)
        else:
            image = image.resize(image_size[::-1], method)
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array
