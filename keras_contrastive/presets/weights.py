"""Files of weights: their checksum, and the encoder in them."""

import hashlib
from pathlib import Path

import keras

from keras_contrastive.encoders import read_keras_file


def sha256(path: Path) -> str:
    """Checksum of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file that is not the one that was measured.

    Raises:
        ValueError: On another checksum.
    """
    received = sha256(path)
    if received != expected:
        raise ValueError(
            f"Expected {path} with sha256 {expected}. Received: sha256 {received}. The file is "
            f"damaged or was exchanged: copy the folder again, or save it with save_to_preset."
        )


def read_encoder(path: Path) -> keras.Model:
    """Load a `.keras` file; of a saved method, the encoder.

    Raises:
        ValueError: On a missing, truncated or otherwise unreadable file.
    """
    model = read_keras_file(path)
    return getattr(model, "encoder", model)
