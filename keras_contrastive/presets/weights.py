"""Files of weights: their checksum, and reading them with errors that say what is wrong."""

import hashlib
import zipfile
from pathlib import Path

import keras


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
    if not path.is_file():
        raise ValueError(f"Expected a .keras file. Received: {path}, which does not exist.")
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"Expected {path} to be a complete .keras file. Received: {path.stat().st_size} bytes "
            f"that are no zip archive. The file is truncated or damaged: copy it again."
        )
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise ValueError(
            f"Expected {path} to be a complete .keras file. Received: a file that Keras cannot "
            f"read ({error}). If it is damaged, copy it again; if it has layers of another "
            f"package, import that package first."
        ) from error
    return getattr(model, "encoder", model)
